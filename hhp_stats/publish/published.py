"""The results as they were published: the one place from which releases and bundles take numbers.

What the studies write below `.report/results` is for the chapters. Nothing of it may leave the machine as it stands but
the frame of all results, in which what is too small to print is withheld, and which a rendering puts
beside the pages.
"""

from __future__ import annotations

from pathlib import Path

from hhp_stats.errors import HhpError
from hhp_stats.studies.kept import FOLDER

RESULTS = "results.csv"


class ReleaseRefused(HhpError):
    """A release cannot be frozen, or is not there to be read; the message says what to do."""


class NoSuchRelease(ReleaseRefused):
    """Somebody named a release that was never made."""

    exit_status = 2


def published_results(root: Path, output: Path) -> bytes:
    """`results.csv` as it stands in the rendered report in `output`.

    Raises ReleaseRefused where there is no report, or where it was rendered from other results than those ready now.
    """
    for name in ("index.html", RESULTS):
        if not (output / name).is_file():
            raise ReleaseRefused(f"{output.name}/{name} is missing: run `hhp render` first")
    content = (output / RESULTS).read_bytes()
    if content != (root / FOLDER / RESULTS).read_bytes():
        raise ReleaseRefused(f"the report in {output.name} was rendered from other results: run `hhp render` first")
    return content
