"""What a study hands to the report: its result rows, its descriptive tables, and what it really did.

A study hands over everything, and whom each number counts. What may be published is decided once, on writing;
chapters and everything else read the published frames. The whole ones lie in a folder of their own beside them, which
nothing opens.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from hhp_stats.consistency.second.frames import FOLDER as ANALYSIS
from hhp_stats.consistency.second.frames import AnalysisFrames
from hhp_stats.disclosure.declared import Declared
from hhp_stats.disclosure.public_counts import public_counts
from hhp_stats.disclosure.released import last_released
from hhp_stats.errors import HhpError
from hhp_stats.files.spreadsheet import frame_from_csv, write_frame
from hhp_stats.intake.dictionary import DICTIONARY
from hhp_stats.plan.conduct import Conduct
from hhp_stats.plan.disclosure import load_disclosure, switched_off
from hhp_stats.results.frame import read_results, write_results
from hhp_stats.results.withheld import WITHHELD
from hhp_stats.studies.kept import FOLDER, INTERNAL
from hhp_stats.studies.second_table import TABLE as SECOND

if TYPE_CHECKING:
    from hhp_stats.disclosure.decision import Published

__all__ = ["FOLDER", "PEOPLE", "StudyOutput", "open_output", "read_output", "read_table", "ready_folder"]

PEOPLE = "people"  # the table of all places where numbers of people are published or withheld
NOT_MADE = "not_made"  # the table of those that these data do not allow, with the reasons
_OWN = ("results", "conduct", SECOND)  # not descriptive tables


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOutput:
    """Everything the chapters of one study read. Tables hold counts and shares, never persons."""

    study: str
    results: pd.DataFrame  # the study's part of the result frame
    tables: Mapping[str, pd.DataFrame]
    conduct: tuple[Conduct, ...]
    declared: Declared = field(default_factory=lambda: Declared(people=0))  # whom the numbers count
    analysis: AnalysisFrames = field(default_factory=AnalysisFrames)  # holds persons; no chapter opens it
    second: pd.DataFrame | None = None  # which planned results another library has computed again; counts nobody

    def decided(self, root: Path) -> Published:
        """What of it may be published, by the plan below `root`. Everything in an internal render (data/manifest.toml).

        Raises PlanError where the plan does not decide, UndeclaredCount where nobody said whom a number counts.
        """
        # Not at the head: whoever reads what was decided needs no integer programming.
        from hhp_stats.disclosure.decision import published

        settings = load_disclosure(root, self.study)
        if switched_off(root):
            settings = replace(settings, rule="none", reason="an internal render")
        public = public_counts(root, self.results) if settings.rule == "printed before" else ()
        return published(
            study=self.study,
            tables=self.tables,
            results=self.results,
            declared=self.declared,
            settings=settings,
            public=public,
            last=last_released(root, self.study),
        )

    def write(self, root: Path, found: Published | None = None) -> Published:
        """Write what may be published as CSV below `.report/results/<study>/`, the whole frames in its folder
        `internal`.

        `found` is what was `decided`, where it was before. Whole or not at all. Returns what was published; raises what
        `decided` raises.
        """
        found = found or self.decided(root)
        folder = root / FOLDER / self.study
        partial, old = (folder.with_name(f"{folder.name}.{word}") for word in ("partial", "old"))
        for left in (partial, old):  # of a run that was killed
            shutil.rmtree(left, ignore_errors=True)
        (partial / INTERNAL).mkdir(parents=True)
        conduct = pd.DataFrame(
            [asdict(entry) for entry in self.conduct], columns=["study", "analysis", "aspect", "value"]
        )
        _write(partial / INTERNAL, self.results, self.tables)
        _write(partial, found.results, {**found.tables, "conduct": conduct, PEOPLE: _register(found)})
        if self.second is not None:
            write_frame(self.second, partial / f"{SECOND}.csv")
        self.analysis.write(partial / ANALYSIS, dictionary=root / DICTIONARY)
        if folder.exists():
            folder.rename(old)
            partial.rename(folder)
            shutil.rmtree(old)
        else:
            partial.rename(folder)
        return found


def _write(folder: Path, results: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> None:
    write_results(results, folder / "results.csv")
    for name, table in tables.items():
        write_frame(table, folder / f"{name}.csv")


def _register(found: Published) -> pd.DataFrame:
    """The list of places; what cannot be kept from a reader of the last release stands in lines of its own."""
    more = pd.DataFrame([("undefended", words, "", "") for words in found.undefended], columns=found.register.columns)
    return pd.concat([found.register, more], ignore_index=True)


def ready_folder(root: Path, study: str) -> Path:
    """Where the results of a study are; refuses a study whose results are not ready (HhpError)."""
    folder = root / FOLDER / study
    if not (folder / "results.csv").is_file():
        raise HhpError(f"the results of {study} are not ready: run `hhp results` (or `make report`) first")
    return folder


def read_output(root: Path, study: str) -> StudyOutput:
    """Read what `StudyOutput.write` published; refuses a study whose results are not ready (HhpError)."""
    output = open_output(root, study)
    return replace(output, tables=dict(output.tables))


def open_output(root: Path, study: str) -> StudyOutput:
    """As `read_output`, but a table is read when it is asked for: appendices need few of each study."""
    folder = ready_folder(root, study)
    conduct = tuple(
        Conduct(**{str(k): str(v) for k, v in row.items()})
        for row in frame_from_csv(pd.read_csv(folder / "conduct.csv", dtype="str")).fillna("").to_dict("records")
    )
    return StudyOutput(
        study=study, results=read_results(folder / "results.csv"), tables=_Tables(folder), conduct=conduct
    )


def read_table(path: Path) -> pd.DataFrame:
    """A published table: numbers are numbers, and what is withheld is the word `WITHHELD`."""
    return frame_from_csv(pd.read_csv(path)).apply(_with_marks)


class _Tables(Mapping[str, pd.DataFrame]):
    """The descriptive tables in a folder of results by name, each read once."""

    def __init__(self, folder: Path) -> None:
        self.paths = {path.stem: path for path in sorted(folder.glob("*.csv")) if path.stem not in _OWN}
        self.read: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self.read:
            self.read[name] = read_table(self.paths[name])
        return self.read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)


def _with_marks(column: pd.Series) -> pd.Series:
    """A column read with `WITHHELD` among its numbers: these are numbers again, and the marks stay words."""
    if pd.api.types.is_numeric_dtype(column) or not (column == WITHHELD).any():
        return column
    values: list[Any] = [value if value == WITHHELD else _number(value) for value in column]
    return pd.Series(values, index=column.index, dtype=object)


def _number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return int(value)
    except ValueError:
        try:
            return float(value)
        except ValueError:
            return value
