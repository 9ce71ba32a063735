"""What might the columns of a trial's table be? Guesses for a dictionary that a person then confirms, line by line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hhp_stats.intake.container import Refused
from hhp_stats.intake.grid import NO_STORED_VALUE, CellError, Grid
from hhp_stats.intake.headings import is_personal
from hhp_stats.intake.ods import read_ods
from hhp_stats.intake.survey_export import read_sav_export
from hhp_stats.intake.text_file import read_csv_grid
from hhp_stats.intake.workbook_layout import headed_by
from hhp_stats.intake.xlsx import read_xlsx
from hhp_stats.plan.nearest import allowed
from hhp_stats.plan.runnable_table import OF_NO_OUTCOME, OWN
from hhp_stats.plan.table_plan import RESPONSE
from hhp_stats.plan.table_schema import ColumnKind
from hhp_stats.scaffold.column_kinds import Column, free_name, guessed_column, named_columns, plain_name
from hhp_stats.scaffold.table_rows import (
    GROUP,
    TableRefused,
    named_people,
    refuse_rows_of_waves,
    refuse_title,
    refuse_two_tables,
    refuse_unheaded,
    words_of,
)

ENDINGS = (".csv", ".xlsx", ".ods", ".sav")
RELEASE, SYNTHETIC = "release", "synthetic"
MOST_ARMS = 6
# Headings of arms, those that say it most plainly first, after `_words_of`.
_ARMS = (
    re.compile(r"^(arms?|treatment|treated|treat|trt|group|allocation)$"),
    re.compile(r"\barms?\b|treat|\btrt|alloc|random|interven"),
    re.compile(r"\bconditions?\b|\bgroups?\b"),
)
_WAVES = "pre|post|before|after|base(?:line)?|bl|end(?:line)?|follow_?up|fu"
_WAVE = re.compile(rf"[._ -]?(?P<wave>{_WAVES}|[tw]?\d+[dwmy]?)$", re.IGNORECASE)
_WAVE_FIRST = re.compile(rf"^(?P<wave>{_WAVES}|[tw]\d+)_?(?P<stem>[a-z]\w*)$", re.IGNORECASE)
_BEFORE = re.compile(r"^(pre|before|base(line)?|bl|[tw]?0[dwmy]?)$", re.IGNORECASE)
_SEARCHED = 20  # rows in which headings are looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class TableGuess:
    """What a table seems to hold."""

    people: int
    columns: tuple[Column, ...]
    arm_sizes: Mapping[str, int]  # people by the value of their arm
    person: str  # names of columns, "" for none found
    cluster: str
    clusters: int
    outcomes: Mapping[str, Mapping[str, str]]  # by id: wave -> column
    synthetic: bool  # every row is marked as synthetic

    def column(self, name: str) -> Column:
        """One column by its name in the plan."""
        return next(column for column in self.columns if column.name == name)


def guess_table(
    path: Path, *, clustered: bool, arms: bool = True, arm: str = "", blank: Collection[str] = ()
) -> TableGuess:
    """Look at a table of one row a person and say what its columns may be.

    `arms`: does it compare any? `arm` is the heading of their column, "" for the one that looks like it. `blank` are
    the project's words for "no value".

    Refuses (TableRefused) another format, a file that cannot be read, a table without people, headings or a column of
    arms, and one that has a row for each wave. Nothing of what it holds about persons is kept but the values of columns
    that few values describe.
    """
    heads, rows = _cells(path)
    seen: dict[str, list[str]] = {head: [row.get(place, "") for row in rows] for place, head in heads.items()}
    marks = {
        value.casefold() for value in seen.pop(next((head for head in seen if head.casefold() == RELEASE), ""), [])
    }
    private = [head for head in seen if is_personal(head)]
    if private:
        raise TableRefused(
            f"{path.name} has columns that speak of persons ({', '.join(private)}): names and addresses are not copied"
            " into the project. Take them out of the table, or give people a number instead."
        )
    names = named_columns(seen)
    columns = [guessed_column(head, values, names[head], blank=blank) for head, values in seen.items()]
    if not arms:
        arm = ""
    elif arm:
        named = [column for column in columns if column.heading == arm and 2 <= len(column.values) <= MOST_ARMS]
        if not named:
            raise TableRefused(
                f"{path.name} has no column {arm!r} with two to {MOST_ARMS} different values."
                f" {allowed([column.heading for column in columns], arm)}"
            )
        arm = named[0].name
    else:
        arm = _arm(columns)
    if arms and not arm:
        raise TableRefused(
            f"{path.name} has no column that could be the arm: two to six different values, and a heading such as arm,"
            f" treatment or group. Name it with --arm, or so in the file, one row a person. {_able(columns)}"
        )
    by_name = {column.name: seen[column.heading] for column in columns}
    cluster, clusters = _cluster(columns, by_name, arm) if clustered else ("", 0)
    person = named_people(columns, by_name, groups={cluster})
    if arm:
        refuse_rows_of_waves(path, columns, by_name, arm=arm, person=person, groups={cluster})
    special: dict[str, ColumnKind] = {
        **({arm: "arm"} if arm else {}),
        **({cluster: "cluster"} if cluster else {}),
        **({person: "identifier"} if person else {}),
    }
    final = tuple(
        _as(column, special.get(column.name, column.kind), name=_renamed(column.name, arm)) for column in columns
    )
    outcomes = _outcomes_in(final, names) if arms else {}
    if arms and not outcomes:
        raise TableRefused(
            f"{path.name} has no column of numbers, nor one of two values, beside the arms: nothing in it could be an"
            " outcome."
        )
    measured = {name for waves in outcomes.values() for name in waves.values()}
    final = tuple(
        _as(column, "0/1", name=column.name) if column.name in measured and column.kind == "category" else column
        for column in final
    )
    return TableGuess(
        people=len(rows),
        columns=final,
        arm_sizes=Counter(value for value in by_name[arm] if value) if arm else {},
        person=person,
        cluster=cluster,
        clusters=clusters,
        outcomes=outcomes,
        synthetic=marks == {SYNTHETIC},
    )


def _renamed(name: str, arm: str) -> str:
    """Name of a column in the plan: `arm` is the column of the arms, and no other."""
    return "arm" if name == arm else f"{name}_2" if name == "arm" else name


def _as(column: Column, kind: ColumnKind, *, name: str) -> Column:
    return Column(
        heading=column.heading,
        name=name,
        kind=kind,
        values=column.values,
        missing=column.missing,
        low=column.low if kind == "number" else None,
        high=column.high if kind == "number" else None,
    )


def _cells(path: Path) -> tuple[dict[int, str], list[dict[int, str]]]:
    """Headings by place, and the rows below them as text."""
    ending = path.suffix.casefold()
    if ending not in ENDINGS:
        raise TableRefused(f"{path.name} is no table that can be read: give one of {', '.join(ENDINGS)}.")
    try:
        if ending == ".sav":
            heads = list(read_sav_export(path, wanted=[]).heads)
            export = read_sav_export(path, wanted=[head for head in heads if not is_personal(head)])
            places = dict(enumerate(export.heads, start=1))
            body = [dict(enumerate(cells, start=1)) for _, cells in export.body]
        else:
            grid = (
                read_csv_grid(path) if ending == ".csv" else _sheet(path, read_xlsx if ending == ".xlsx" else read_ods)
            )
            first = min(grid.rows, default=0)
            refuse_title(path, [len(grid.rows[number]) for number in sorted(grid.rows)[:_SEARCHED]])
            refuse_unheaded(path, grid, head=first)
            places = {place: str(value).strip() for place, value in grid.rows.get(first, {}).items()}
            body = [grid.rows[number] for number in sorted(grid.rows) if number > first]
    except Refused as refused:
        raise TableRefused(f"{path.name}: {refused.rule} {refused.remedy}") from None
    places = {place: head for place, head in places.items() if head}
    if len(set(places.values())) < len(places):
        raise TableRefused(f"{path.name} has two columns with one heading: give each its own.")
    rows = [{place: _text(row.get(place)) for place in places} for row in body]
    rows = [row for row in rows if any(row.values())]
    if not rows or not places:
        raise TableRefused(f"{path.name} holds no table: headings in the first row, then one row a person.")
    return places, rows


def _sheet(path: Path, read: Callable[..., Grid]) -> Grid:
    """The sheet of a workbook that holds the table: the first that is shown. Refuses a second one with its headings."""
    grid = read(path)
    heads = [str(cell) for cell in grid.rows.get(min(grid.rows, default=0), {}).values()]
    refuse_two_tables(path, read(path, sheet=grid.sheet, holds_table=headed_by(heads)) if heads else grid)
    return grid


def _text(value: Any) -> str:
    if value is None or value is NO_STORED_VALUE or isinstance(value, CellError):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return " ".join(str(value).split())


def _able(columns: Sequence[Column]) -> str:
    few = [column.heading for column in columns if 2 <= len(column.values) <= MOST_ARMS]
    return f"So few values has: {', '.join(few)}." if few else "No column has so few values."


def _arm(columns: Sequence[Column]) -> str:
    """The column whose heading speaks of arms and that has few values."""
    able = [column for column in columns if 2 <= len(column.values) <= MOST_ARMS]
    said = (column.name for wanted in _ARMS for column in able if wanted.search(words_of(column.heading)))
    return next(said, "")


def _cluster(columns: Sequence[Column], values: Mapping[str, Sequence[str]], arm: str) -> tuple[str, int]:
    """The column of groups that lie wholly in one arm, and how many there are; by its heading where several do."""
    arms = values[arm]
    found: list[tuple[bool, int, str]] = []
    for column in columns:
        groups: dict[str, set[str]] = {}
        for group, own in zip(values[column.name], arms, strict=True):
            groups.setdefault(group, set()).add(own)
        if (
            column.name != arm
            and 4 <= len(groups) <= len(arms) // 2
            and all(len(own) == 1 for own in groups.values())
            and "" not in groups
        ):
            found.append((bool(GROUP.search(column.heading)), len(groups), column.name))
    return (max(found)[2], max(found)[1]) if found else ("", 0)


def _outcomes_in(columns: Sequence[Column], names: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Outcomes among the columns of numbers; where none of those has several times, or there are none, among those of
    two words that do.
    """
    numbers = [column for column in columns if column.kind in ("number", "0/1")]
    found = _outcomes(numbers, names)
    if any(len(waves) > 1 for waves in found.values()):
        return found
    two = [column for column in columns if column.kind == "category" and len(column.values) == 2]
    in_words = [
        _outcomes([column for column in two if set(column.values) == set(pair)], names)
        for pair in dict.fromkeys(tuple(sorted(column.values)) for column in two)
    ]
    for each in in_words:
        if any(len(waves) > 1 for waves in each.values()):
            return each
    if in_words and not numbers:
        return in_words[-1]
    return found


def _outcomes(columns: Sequence[Column], names: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Columns that seem to be one outcome at several times, by their headings; where there are none, the last
    column that is no baseline.

    A column that is called as a baseline alone is that of the only outcome without one. A heading without a time is
    that of the measure after the trial where another adds a time before it: `visits` beside `visits_pre`.
    """
    groups: dict[str, dict[str, str]] = {}
    for pattern, place in ((_WAVE, "end"), (_WAVE_FIRST, "start")):
        taken = {name for waves in groups.values() if len(waves) > 1 for name in waves.values()}
        for column in columns:
            found = None if column.name in taken else pattern.search(column.name)
            if found:
                stem = column.name[: found.start()] if place == "end" else found["stem"]
                if stem:
                    groups.setdefault(stem, {})[found["wave"]] = column.name
    plain = {column.name for column in columns}
    for stem, waves in groups.items():
        if len(waves) == 1 and stem in plain and _BEFORE.fullmatch(next(iter(waves))):
            waves["after"] = stem
    several = {stem: waves for stem, waves in groups.items() if len(waves) > 1}
    if not several:
        before = {name for waves in groups.values() for wave, name in waves.items() if _BEFORE.fullmatch(wave)}
        last = next((column.name for column in reversed(columns) if column.name not in before), "")
        return {last: {"": last}} if last else {}
    found_waves = {
        _free_outcome(stem, names.values()): {_wave(wave): name for wave, name in waves.items()}
        for stem, waves in several.items()
    }
    return _with_lone_baseline(found_waves, columns)


def _with_lone_baseline(outcomes: dict[str, dict[str, str]], columns: Sequence[Column]) -> dict[str, dict[str, str]]:
    kinds = {column.name: column.kind for column in columns}
    lone = [column.name for column in columns if _BEFORE.fullmatch(plain_name(column.heading))]
    without = [own for own, waves in outcomes.items() if "baseline" not in waves]
    if len(lone) == len(without) == 1:
        waves = outcomes[without[0]]
        if {kinds[name] for name in waves.values()} == {kinds[lone[0]]}:
            outcomes[without[0]] = {"baseline": lone[0]} | waves
    return outcomes


def _free_outcome(stem: str, columns: Collection[str]) -> str:
    """An id for an outcome that is no other column's, nor one of the analysis."""
    taken = {*columns, *OWN, *OF_NO_OUTCOME, RESPONSE}
    return free_name(f"{stem}_value", taken) if stem in taken else stem


def _wave(text: str) -> str:
    """A name for a wave: `baseline` for what comes before, else as the heading ends, beginning with a letter."""
    if _BEFORE.fullmatch(text):
        return "baseline"
    return text.casefold() if text[0].isalpha() else f"after_{text.casefold()}"
