"""What might the columns of a trial's table be? Guesses for a dictionary that a person then confirms, line by line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hhp_stats.errors import HhpError
from hhp_stats.intake.container import Refused
from hhp_stats.intake.grid import CellError
from hhp_stats.intake.headings import is_personal
from hhp_stats.intake.ods import read_ods
from hhp_stats.intake.survey_export import read_sav_export
from hhp_stats.intake.text_file import read_csv_grid
from hhp_stats.intake.xlsx import read_xlsx
from hhp_stats.plan.nearest import allowed

ENDINGS = (".csv", ".xlsx", ".ods", ".sav")
RELEASE, SYNTHETIC = "release", "synthetic"
MOST_ARMS = 6
FEW = 12  # values of a category
_GAPS = {"", "na", "n/a", ".", "nan", "null", "none", "missing"}
_CODES = {"-9", "-99", "-999", "-1"}  # of columns whose other values are never negative
_ARM = re.compile(r"arm|treat|group|alloc|condition|random", re.IGNORECASE)
_PERSON = re.compile(
    r"(^|[^a-z])(id|subject|person|participant|patient|pupil|student|respondent|case)([^a-z]|$)", re.IGNORECASE
)
_CLUSTER = re.compile(
    r"cluster|team|school|site|class|centre|center|practice|ward|village|hospital|building", re.IGNORECASE
)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_WAVE = re.compile(
    r"[._ -]?(?P<wave>pre|post|base(?:line)?|bl|end(?:line)?|follow_?up|fu|[tw]?\d+[dwmy]?)$", re.IGNORECASE
)
_BEFORE = re.compile(r"^(pre|base(line)?|bl|[tw]?0[dwmy]?)$", re.IGNORECASE)

Kind = Literal["identifier", "arm", "cluster", "category", "number", "0/1", "date", "text"]


class TableRefused(HhpError):
    """A file from which no trial can be set up: another format, or no table in it."""

    exit_status = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of the table: heading, name in the plan, what it seems to be, and what was found in it."""

    heading: str
    name: str
    kind: Kind
    values: tuple[str, ...]  # distinct ones, gaps and codes left out, in the order of the file
    missing: tuple[str, ...]  # codes that seem to mean "not known"
    low: float | None = None
    high: float | None = None


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


def guess_table(path: Path, *, clustered: bool, arms: bool = True, arm: str = "") -> TableGuess:
    """Look at a table of one row a person and say what its columns may be.

    `arms`: does it compare any? `arm` is the heading of their column, "" for the one that looks like it.

    Refuses (TableRefused) another format, a file that cannot be read, and a table without people, headings or a
    column of arms. Nothing of what it holds about persons is kept but the values of columns that few values describe.
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
    columns = [_column(head, values, taken) for head, values, taken in _named(seen)]
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
            " treatment or group. Name it with --arm, or so in the file, one row a person."
        )
    by_name = {column.name: seen[column.heading] for column in columns}
    cluster, clusters = _cluster(columns, by_name, arm) if clustered else ("", 0)
    person = _person(columns, by_name, len(rows))
    special: dict[str, Kind] = {
        **({arm: "arm"} if arm else {}),
        **({cluster: "cluster"} if cluster else {}),
        **({person: "identifier"} if person else {}),
    }
    final = tuple(
        _as(column, special.get(column.name, column.kind), name=_renamed(column.name, arm)) for column in columns
    )
    outcomes = _outcomes([column for column in final if column.kind in ("number", "0/1")]) if arms else {}
    if arms and not outcomes:
        raise TableRefused(f"{path.name} has no column of numbers beside the arms: nothing in it could be an outcome.")
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


def _as(column: Column, kind: Kind, *, name: str) -> Column:
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
            grid = {".csv": read_csv_grid, ".xlsx": read_xlsx, ".ods": read_ods}[ending](path)
            first = min(grid.rows, default=0)
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


def _text(value: Any) -> str:
    if value is None or isinstance(value, CellError):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return " ".join(str(value).split())


def _named(seen: Mapping[str, list[str]]) -> list[tuple[str, list[str], str]]:
    """Headings with the names that the plan gives them: small letters, digits, underscores, each once."""
    found: list[tuple[str, list[str], str]] = []
    taken = {"arm"}
    for head, values in seen.items():
        name = re.sub(r"[^a-z0-9]+", "_", head.casefold()).strip("_") or "column"
        name = f"c_{name}" if name[0].isdigit() else name
        base, number = name, 2
        while name in taken and not (name == "arm" and head.casefold() == "arm"):
            name, number = f"{base}_{number}", number + 1
        taken.add(name)
        found.append((head, values, name))
    return found


def _column(head: str, values: Sequence[str], name: str) -> Column:
    gaps = tuple(dict.fromkeys(value for value in values if value and value.casefold() in _GAPS))
    known = [value for value in values if value.casefold() not in _GAPS]
    numbers = [_number(value) for value in known]
    whole = [number for number in numbers if number is not None]
    codes: tuple[str, ...] = ()
    if known and len(whole) == len(known):
        codes = tuple(dict.fromkeys(value for value in known if value in _CODES))
        rest = [number for value, number in zip(known, whole, strict=True) if value not in codes]
        if not rest or min(rest) < 0:
            codes, rest = (), whole
        known = [value for value in known if value not in codes]
        kind: Kind = "0/1" if set(rest) <= {0.0, 1.0} else "number"
        return Column(
            heading=head,
            name=name,
            kind=kind,
            values=tuple(dict.fromkeys(known)),
            missing=gaps + codes,
            low=min(rest),
            high=max(rest),
        )
    distinct = tuple(dict.fromkeys(known))
    dates = bool(known) and all(re.fullmatch(r"\d{4}-\d{2}-\d{2}( 00:00:00)?", value) for value in known)
    kind = "date" if dates else "category" if len(distinct) <= FEW else "text"
    return Column(heading=head, name=name, kind=kind, values=distinct, missing=gaps)


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _arm(columns: Sequence[Column]) -> str:
    """The column whose heading speaks of arms and that has few values."""
    able = [column for column in columns if 2 <= len(column.values) <= MOST_ARMS and _ARM.search(column.heading)]
    exact = [
        column for column in able if column.heading.casefold() in ("arm", "treatment", "treated", "group", "allocation")
    ]
    return next((column.name for column in (*exact, *able)), "")


def _person(columns: Sequence[Column], values: Mapping[str, Sequence[str]], people: int) -> str:
    """A column that names everybody once, and whose heading says so."""
    for column in columns:
        if _PERSON.search(column.heading) and len(set(values[column.name])) == people and "" not in values[column.name]:
            return column.name
    return ""


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
            found.append((bool(_CLUSTER.search(column.heading)), len(groups), column.name))
    return (max(found)[2], max(found)[1]) if found else ("", 0)


def _outcomes(columns: Sequence[Column]) -> dict[str, dict[str, str]]:
    """Columns that seem to be one outcome at several times, by their headings; where there are none, the last
    column.
    """
    groups: dict[str, dict[str, str]] = {}
    for column in columns:
        if found := _WAVE.search(column.name):
            stem = column.name[: found.start()]
            if stem:
                groups.setdefault(stem, {})[found["wave"]] = column.name
    several = {stem: waves for stem, waves in groups.items() if len(waves) > 1}
    if several:
        return {stem: {_wave(wave): name for wave, name in waves.items()} for stem, waves in several.items()}
    return {columns[-1].name: {"": columns[-1].name}} if columns else {}


def _wave(text: str) -> str:
    """A name for a wave: `baseline` for what comes before, else as the heading ends, beginning with a letter."""
    if _BEFORE.fullmatch(text):
        return "baseline"
    return text.casefold() if text[0].isalpha() else f"after_{text.casefold()}"
