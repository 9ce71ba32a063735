"""The data appendix: what arrived, what the checks found, what was accepted and corrected, what is missing or
withheld.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hhp_stats.files.project_root import find_root
from hhp_stats.intake.dictionary import returns_planned
from hhp_stats.plan.catalogue import catalogue
from hhp_stats.present.chapter import open_study
from hhp_stats.present.data_appendix.checks import Checks
from hhp_stats.present.data_appendix.files import Files
from hhp_stats.present.data_appendix.linkage import Linkage
from hhp_stats.present.data_appendix.missing import Missing
from hhp_stats.present.data_appendix.withheld import Withheld
from hhp_stats.present.status import read_release
from hhp_stats.studies.output import PEOPLE, open_output

DOCUMENT = "report/C-data.qmd"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataAppendix:
    """The data of one run as they may be printed, topic by topic."""

    files: Files
    checks: Checks
    linkage: Linkage
    missing: Missing
    withheld: Withheld


def data_appendix(*, root: Path | None = None) -> DataAppendix:
    """Open the data appendix: the files of the trial on returns, if there is one, and the withheld counts of all
    studies.
    """
    home = root or find_root()
    on_returns = [entry.study for entry in catalogue(home) if returns_planned(home, entry.study)]
    own = open_study(on_returns[0], document=DOCUMENT, root=home) if on_returns else None
    registers = {entry.study: open_output(home, entry.study).tables[PEOPLE].astype("str") for entry in catalogue(home)}
    return DataAppendix(
        files=Files(root=home, own=own),
        checks=Checks(own=own),
        linkage=Linkage(own=own),
        missing=Missing(own=own),
        withheld=Withheld(root=home, own=own, registers=registers, internal=read_release(home).internal),
    )
