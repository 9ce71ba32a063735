"""The audit as a command: any file of printed figures, checked row by row, then recomputed.

`hhp audit` shows an `AuditReport` on the screen or as JSON; an author can run it on a manuscript's figures
before they are published.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from hhp_stats.consistency.audit import audit, audit_published, load_scales
from hhp_stats.consistency.comparisons import find_comparisons
from hhp_stats.consistency.figures import COLUMNS, figures
from hhp_stats.consistency.typography import plain
from hhp_stats.consistency.verdict import FINDINGS, Finding
from hhp_stats.errors import DataError, Problem

PUBLISHED = "data/published"
STATISTICS = (
    "n",
    "n_planned",
    "count",
    "mean",
    "se",
    "sd",
    "p",
    "stated_direction",
    "stated_significant",
    "percent",
    "response_rate",
    "response_rate_planned",
    "mdes",
    "mdes_planned",
    "mdes_benchmark",
    "min",
    "max",
    "step",
    "difference",
    "conf_low",
    "conf_high",
    "cost_gbp",
    "design",
)
_FILLED = ("id", "trial", "outcome", "group", "statistic", "value", "as_printed")
_WRONG = ("does_not_reproduce", "another_reading")
_DIGITS = re.compile(r"\d[\d,]*(?:\.\d+)?|\.\d+")


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
    return AuditReport(file=file.as_posix(), verdicts=verdicts, remarks=tuple(_remarks(frame, file.as_posix())))


def read_figures(file: Path) -> pd.DataFrame:
    """Read a file of printed figures, every row checked; refuses as `run_audit` does, all problems at once."""
    name = file.as_posix()
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError):
        raise DataError([_problem(name, "B01", "There must be a file of this name.", "Check the path.")]) from None
    except UnicodeDecodeError as error:
        raise DataError(
            [
                _problem(
                    name, "B02", f"The file must be text in UTF-8; byte {error.start} is not.", "Save it as CSV UTF-8."
                )
            ]
        ) from None
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)))
    if not rows or not any(rows[0]):
        raise DataError([_nothing(name)])
    heading, body = [column.strip() for column in rows[0]], rows[1:]
    problems = list(_heading_problems(name, heading))
    if problems:
        raise DataError(problems)
    records: list[dict[str, str]] = []
    for number, row in enumerate(body, start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(heading):
            problems.append(
                _problem(
                    name,
                    "B06",
                    f"A row must have {len(heading)} cells like the heading, this has {len(row)}.",
                    "Put cells that hold commas in double quotes.",
                    cell=f"row {number}",
                )
            )
            continue
        record = {column: cell.strip() for column, cell in zip(heading, row, strict=True)}
        record["value"] = plain(record["value"])  # a minus as typesetters write it is a minus
        problems += _row_problems(name, number, record)
        records.append(record | {"row": str(number)})
    problems += _doubled(name, records)
    if not records and not problems:
        problems.append(_nothing(name))
    if problems:
        raise DataError(problems)
    return pd.DataFrame(records)


def _nothing(name: str) -> Problem:
    return _problem(
        name, "B03", "The file must hold a heading and at least one figure.", "Give a heading and one row a figure."
    )


def _delimiter(text: str) -> str:
    """What parts the cells: a comma, or what spreadsheets in other languages write when the heading shows it."""
    heading = text.lstrip().partition("\n")[0]
    return next(
        (mark for mark in (",", ";", "\t") if f"{COLUMNS[0]}{mark}" in heading or f"{mark}{COLUMNS[0]}" in heading), ","
    )


def _heading_problems(name: str, heading: Sequence[str]) -> Iterator[Problem]:
    for column in COLUMNS:
        if column not in heading:
            near = [other for other in heading if other.lower().replace(" ", "_") == column]
            yield _problem(
                name,
                "B04",
                f"The heading must have a column {column!r}.",
                f"Rename {near[0]!r}." if near else "Add it; cells may be empty where nothing is known.",
                cell="row 1",
            )
    for column in sorted(column for column, times in Counter(heading).items() if times > 1 and column):
        yield _problem(name, "B05", f"Column {column!r} must stand once.", "Remove or rename the other.", cell="row 1")


def _row_problems(name: str, number: int, row: dict[str, str]) -> Iterator[Problem]:
    def found(column: str, code: str, rule: str, remedy: str) -> Problem:
        return _problem(name, code, rule, remedy, cell=f"row {number}, column {column}", value=row[column])

    for column in _FILLED:
        if not row[column]:
            yield found(column, "B07", f"{column} must not be empty.", "Fill it in, or leave the row out.")
    if not row["value"] or not row["statistic"]:
        return
    try:
        value, remedy = float(row["value"]), "Leave the row out where nothing is printed."
    except ValueError:
        value, remedy = math.nan, "Write 1969, not 1,969 or 29%; what was printed goes into as_printed."
    rule = _RULES.get(row["statistic"])
    if not math.isfinite(value):
        yield found("value", "B08", "A value must be a plain, finite number.", remedy)
    elif rule and not rule[0](value):
        yield found("value", "B09", f"{row['statistic']}: {rule[1]}", rule[2])


_RULES: dict[str, tuple[Any, str, str]] = {
    "p": (
        lambda v: 0 <= v <= 1,
        "a p-value lies between 0 and 1.",
        "Correct it; for p < .01 write 0.01 and <.01 in as_printed.",
    ),
    "n": (lambda v: v > 0 and v == int(v), "a number of people is a whole number above 0.", "Correct it."),
    "count": (lambda v: v >= 0, "a count is not negative.", "Correct it."),
    "step": (lambda v: v > 0, "the step of a scale is above 0.", "Correct it, or leave the row out."),
    "se": (lambda v: v > 0, "a standard error is above 0.", "Correct it; if it is printed as 0, leave the row out."),
    "sd": (
        lambda v: v > 0,
        "a standard deviation is above 0.",
        "Correct it; if it is printed as 0, leave the row out.",
    ),
    "stated_direction": (
        lambda v: v in (-1, 0, 1),
        "a direction in words is 1 (higher), -1 (lower) or 0 (the same).",
        "Write the sign of the first arm minus the second.",
    ),
    "stated_significant": (
        lambda v: v in (0, 1),
        "a claim of significance is 1 (claimed) or 0 (denied).",
        "Write 1 or 0.",
    ),
}


def _doubled(name: str, records: Sequence[dict[str, str]]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for row in records:
        if row["id"] and row["id"] in first:
            yield _problem(
                name,
                "B10",
                f"An id must stand once; this one is also in row {first[row['id']]}.",
                "Give each printed figure an id of its own.",
                cell=f"row {row['row']}, column id",
                value=row["id"],
            )
        first.setdefault(row["id"], row["row"])


def _remarks(frame: pd.DataFrame, name: str) -> Iterator[Problem]:
    """Rows that are sound and will still not be checked as their author may expect."""
    compared = {comparison.p_id for comparison in find_comparisons(figures(frame))}
    for row in frame.to_dict("records"):
        line = f"row {row['row']}"
        if row["statistic"] not in STATISTICS:
            yield _problem(
                name,
                "B11",
                "No check knows this statistic.",
                f"Known are {', '.join(STATISTICS)}.",
                cell=f"{line}, column statistic",
                value=row["statistic"],
                severity="warning",
            )
        if row["statistic"] == "p" and row["id"] not in compared:
            yield _problem(
                name,
                "B12",
                "This p-value has no two arms to be recomputed from.",
                "Give both arms mean, se and n of the same trial and outcome with ids PREFIX-M, PREFIX-SE and PREFIX-N,"
                " and the p the group difference (treatment minus control) or difference_a_vs_b.",
                cell=line,
                value=row["id"],
                severity="warning",
            )
        numbers = [float(token.replace(",", "")) for token in _DIGITS.findall(plain(row["as_printed"]))]
        if (
            numbers
            and row["statistic"] not in ("stated_direction", "stated_significant")
            and not any(math.isclose(abs(float(row["value"])), number) for number in numbers)
        ):
            yield _problem(
                name,
                "B13",
                f"The value {row['value']} is not among the digits printed.",
                "Check the transcript: the rounding of the figure is read off as_printed.",
                cell=f"{line}, column as_printed",
                value=row["as_printed"],
                severity="warning",
            )


def _problem(
    file: str, code: str, rule: str, remedy: str, *, cell: str = "", value: str = "", severity: Any = "error"
) -> Problem:
    return Problem(code=code, severity=severity, file=file, rule=rule, remedy=remedy, cell=cell, value=value)


def _list(path: Path) -> pd.DataFrame | None:
    return pd.read_csv(path, dtype="str", keep_default_na=False) if path.is_file() else None


def _cells(row: dict[Any, Any]) -> Sequence[str]:
    value = float(row["recomputed"])
    reading = "" if row["reading"] == "as printed" else f" ({row['reading']})"
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
