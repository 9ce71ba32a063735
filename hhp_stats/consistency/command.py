"""The audit as a command: any file of printed figures, checked row by row, then recomputed.

`hhp audit` shows an `AuditReport` on the screen or as JSON; an author can run it on a manuscript's figures
before they are published.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from hhp_stats.consistency.audit import audit, audit_published, load_scales
from hhp_stats.consistency.figures_file import read_figures, remarks_on
from hhp_stats.consistency.verdict import FINDINGS, Finding
from hhp_stats.errors import Problem

PUBLISHED = "data/published"
_WRONG = ("does_not_reproduce", "another_reading")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """The verdicts on one file of printed figures, with what was odd about the file itself."""

    file: str  # as the user named it, or the folder of published figures
    verdicts: pd.DataFrame  # one row a figure, columns of `verdict.VERDICT_COLUMNS`
    remarks: tuple[Problem, ...]  # warnings: figures that will not be checked as their author may expect

    @property
    def counts(self) -> dict[str, int]:
        """How many figures have each verdict; all four, also where none has."""
        found = Counter(self.verdicts["verdict"])
        return {finding: found[finding] for finding in FINDINGS}

    @property
    def exit_status(self) -> int:
        """1 where a figure does not reproduce, else 0; another reading that fits is no failure."""
        return 1 if self.counts["does_not_reproduce"] else 0

    def record(self) -> dict[str, Any]:
        """The same for a program: plain values, missing ones None."""
        rows = [{str(name): _plain(value) for name, value in row.items()} for row in self.verdicts.to_dict("records")]
        remarks = [
            {"code": r.code, "cell": r.cell, "rule": r.rule, "value": r.value, "remedy": r.remedy} for r in self.remarks
        ]
        return {"file": self.file, "counts": self.counts, "remarks": remarks, "figures": rows}

    def show(self, console: Console, *, everything: bool = False) -> None:
        """Print the figures that fail or need another reading, or `everything`, and the counts."""
        rows = self.verdicts if everything else self.verdicts[self.verdicts["verdict"].isin(_WRONG)]
        for trial, part in rows.groupby("trial", sort=False):
            table = Table(title=str(trial).replace("_", " "), title_justify="left", show_lines=True, expand=True)
            for heading, options in _HEADINGS.items():
                table.add_column(heading, **options)
            for row in part.to_dict("records"):
                table.add_row(*(_escaped(cell) for cell in _cells(row)), style=_STYLE.get(str(row["verdict"]), ""))
            console.print(table)
        for remark in self.remarks:
            console.print(f"Note: {remark}", markup=False)
        counts = self.counts
        console.print(
            f"{self.file}: {len(self.verdicts)} printed figures. "
            + "; ".join(f"{counts[finding]} {words}" for finding, words in _PLURAL.items())
            + ".",
            markup=False,
        )


_HEADINGS: dict[str, dict[str, Any]] = {
    "Figure": {"overflow": "fold", "max_width": 22},
    "Printed": {"max_width": 18},
    "Recomputed": {"justify": "right"},
    "Verdict": {"max_width": 18},
    "Why": {"ratio": 1},
}
_PLURAL: dict[Finding, str] = {
    "reproduces": "reproduce",
    "another_reading": "reproduce under another reading",
    "does_not_reproduce": "do not reproduce",
    "not_checkable": "cannot be checked",
}
_STYLE = {"does_not_reproduce": "red", "another_reading": "yellow"}


def run_audit(root: Path, file: Path | None = None) -> AuditReport:
    """Which figures of a file follow from the others, which only under another reading, and which cannot?

    Without `file`, the project's own published figures with the facts of the designs. With one, any CSV that
    has the columns of `data/published/published_results.csv`; its rates, sums and detectable effects are
    recomputed where it holds the figures that the project's lists of relations name, and means are held
    against the project's scales by trial and outcome.

    Refuses (DataError, with file, row, column, rule and remedy) a file that cannot be read, lacks columns or
    rows, or holds a row that cannot be what it claims: an id used twice, a value that is no number, a p-value
    above one, a direction other than -1, 0 or 1. What would only go unchecked is a remark of the report.
    """
    folder = root / PUBLISHED
    if file is None:
        return AuditReport(file=PUBLISHED, verdicts=audit_published(folder), remarks=())
    frame = read_figures(file)
    verdicts = audit(
        frame,
        relations=_list(folder / "relations.csv"),
        detectable_effects=_list(folder / "detectable_effects.csv"),
        scales=load_scales(folder / "scales.csv") if (folder / "scales.csv").is_file() else None,
    )
    return AuditReport(file=file.as_posix(), verdicts=verdicts, remarks=tuple(remarks_on(frame, file.as_posix())))


def _list(path: Path) -> pd.DataFrame | None:
    return pd.read_csv(path, dtype="str", keep_default_na=False) if path.is_file() else None


def _cells(row: dict[Any, Any]) -> Sequence[str]:
    value = float(row["recomputed"])
    reading = "" if row["reading"] == "as reported" else f" ({row['reading']})"
    return (
        str(row["id"]),
        str(row["as_printed"]),
        "" if math.isnan(value) else f"{value:.4g}",
        FINDINGS[row["verdict"]] + reading,
        str(row["reason"]),
    )


def _escaped(cell: str) -> str:
    return cell.replace("[", "\\[")


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value.item() if hasattr(value, "item") else value
