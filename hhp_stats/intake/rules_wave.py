"""Rules within one return about people: identifiers, required cells, ranges, leavers and joiners."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hhp_stats.intake.masking import hidden
from hhp_stats.intake.rule import Breach, Mask, Rule, at, numbers

if TYPE_CHECKING:
    from hhp_stats.intake.return_layout import Return
    from hhp_stats.intake.table import Table

# What programs make of codes such as 3-5 or 7/8: dates and fractions.
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)"
HARDLY_ANY = 0.05  # of a column's identifiers
_NO_CODE = r"[^\w./-]"
_CONVERTED = re.compile(
    rf"\d{{4}}-\d{{1,2}}-\d{{1,2}}|\d{{1,2}}([/.-])\d{{1,2}}\1\d{{4}}|\d+[.,]\d+|\d{{1,2}}[-/ .]?{_MONTH}(?:[-/"
    r" .]?\d{2,4})?"
    rf"|\d+\.\d+e[+-]?\d+|\d+e[+]\d+|\d{{1,2}}:\d{{2}}(?::\d{{2}})?",
    re.IGNORECASE,
)
_MONTH_FIRST = re.compile(
    rf"{_MONTH}[-/ .]\d{{1,4}}", re.IGNORECASE
)  # what becomes of Sep1: the code may as well be meant
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/#-]{0,39}")


def blank_required(ret: Table) -> Iterator[Breach]:
    """Required cells without a value, in columns that are there."""
    for name, spec in ret.fields.items():
        if spec.required and name in ret.columns:
            missing = ret.frame[name].isna().to_numpy(copy=True)
            missing[list(ret.unread.get(name, ()))] = False
            yield from (Breach(name, breach.position, "an empty cell") for breach in at(missing, name))


def _repeated_person(ret: Return) -> Iterator[Breach]:
    staff = ret.frame["staff_id"]
    first = _first_positions(staff)
    for breach in at((staff.notna() & staff.duplicated()).to_numpy(), "staff_id"):
        yield breach._replace(also=ret.cell("staff_id", first[staff.iloc[breach.position]]))


def _first_positions(ids: pd.Series) -> dict[str, int]:
    known = ids.dropna().drop_duplicates()
    return dict(zip(known, known.index, strict=True))


@lru_cache(maxsize=100_000)  # several rules fold the same identifiers, which are few thousands
def folded(identifier: str) -> str:
    """The form in which two identifiers count as one written in two ways: case, signs and leading zeros dropped."""
    return re.sub(r"(?<!\d)0+(?=\d)", "", re.sub(r"[^0-9a-z]", "", identifier.casefold()))


def _person_written_twice(ret: Return) -> Iterator[Breach]:
    first: dict[str, int] = {}
    for identifier, position in _first_positions(ret.frame["staff_id"]).items():
        earlier = first.setdefault(folded(identifier), position)
        if earlier != position:
            yield Breach("staff_id", position, also=ret.cell("staff_id", earlier))


def looks_like_code(identifier: str) -> bool:
    """Whether an identifier is an anonymous code and not a name, an address, a date or a fraction."""
    return _is_plain(identifier) and any(map(str.isdigit, identifier))


def _is_plain(identifier: str) -> bool:
    return bool(_ID.fullmatch(identifier)) and not _CONVERTED.fullmatch(identifier)


def _staff_id_like_a_name(ret: Return) -> Iterator[Breach]:
    ids = ret.frame["staff_id"].dropna().unique()
    yield from _bad_ids(ret, "staff_id", {staff: looks_like_code(staff) for staff in ids})


def _team_id_like_a_name(ret: Return) -> Iterator[Breach]:
    """A code, or a name of words for teams ("Assessment Team 2") that can be nobody's name."""
    teams = [str(team) for team in ret.frame["team_id"].dropna().unique()]
    months = {team for team in teams if _MONTH_FIRST.fullmatch(team)}
    meant = len(months) > len(teams) / 2  # most teams begin so: their authority's letters, and no dates

    def coded(team: str) -> bool:
        if _is_plain(team) and (any(map(str.isdigit, team)) or len(team) <= 3):
            return meant or team not in months
        return not _CONVERTED.fullmatch(team) and not hidden(team, vocabulary=ret.vocabulary)

    yield from _bad_ids(ret, "team_id", {team: coded(team) for team in teams})


def _bad_ids(ret: Return, name: str, good: dict[str, bool]) -> Iterator[Breach]:
    """The first row of each identifier that is none, and how many more have it."""
    none = [identifier for identifier, is_good in good.items() if not is_good]
    if not none:
        return
    column = ret.frame[name].dropna()
    bad = column[column.isin(none)]
    for first, count in zip(bad.drop_duplicates().index, bad.value_counts(sort=False), strict=True):
        more = f", in {count} rows" if count > 1 else ""
        yield Breach(name, int(first), ret.quote(name, int(first)) + more)


def converted_identifiers(table: Table, *, names: Collection[str] = ()) -> Iterator[Breach]:
    """Identifiers of a list that a spreadsheet made into dates, times or numbers with an exponent.

    And those with blanks or signs, such as "QX7 pts", in a column where hardly any other has them, unless `names` says
    that its identifiers may be names.
    """
    for name, spec in table.fields.items():
        if spec.kind == "identifier" and name in table.frame:
            known = table.frame[name].dropna().astype(str)
            found = known.str.fullmatch(_CONVERTED.pattern, flags=re.IGNORECASE)
            odd = known.str.contains(_NO_CODE)
            if name not in names and odd.sum() <= min(max(HARDLY_ANY * len(known), 1), len(known) // 2):
                found |= odd
            yield from at(found.reindex(table.frame.index, fill_value=False), name)


def out_of_range(ret: Table) -> Iterator[Breach]:
    """Figures outside the limits of their field."""
    for name, spec in ret.fields.items():
        if name not in ret.columns or (spec.minimum is None and spec.maximum is None):
            continue
        value = numbers(ret, name)
        low = -np.inf if spec.minimum is None else spec.minimum
        high = np.inf if spec.maximum is None else spec.maximum
        for breach in at((value < low) | (value > high), name):
            found = f"{value[breach.position]:.12g}, allowed {low:g} to {high:g} {spec.unit}".rstrip()
            yield breach._replace(value=found)


def _flag(ret: Return, name: str) -> Mask:
    return np.equal(numbers(ret, name), 1.0)


def _leaver_without_date(ret: Return) -> Iterator[Breach]:
    if "left" in ret.columns:
        missing = ret.frame["leaving_date"].isna().to_numpy(copy=True)
        missing[list(ret.unread.get("leaving_date", ()))] = False
        for breach in at(_flag(ret, "left") & missing, "leaving_date"):
            yield breach._replace(value="an empty cell", also=ret.cell("left", breach.position))


def _date_without_leaver(ret: Return) -> Iterator[Breach]:
    if "leaving_date" in ret.columns:
        stays = numbers(ret, "left") == 0
        for breach in at(stays & ret.frame["leaving_date"].notna().to_numpy(), "leaving_date"):
            yield breach._replace(also=ret.cell("left", breach.position))


def _left_outside_period(ret: Return) -> Iterator[Breach]:
    if "leaving_date" not in ret.columns or ret.site is None:
        return
    left = ret.frame["leaving_date"]
    launch = pd.Timestamp(ret.site.launch)
    started = ret.frame["start_date"].fillna(launch)
    earliest = started.where(started > launch, launch)
    early = left < earliest
    late = left > ret.date_retrieved if ret.date_retrieved is not None else left.isna() & False
    for breach in at(early | late, "leaving_date"):
        until = f"{ret.date_retrieved:%Y-%m-%d}" if ret.date_retrieved is not None else "the day of the return"
        found = f"{left.iloc[breach.position]:%Y-%m-%d}, allowed {earliest.iloc[breach.position]:%Y-%m-%d} to {until}"
        yield breach._replace(value=found)


def _started_after_return(ret: Return) -> Iterator[Breach]:
    if "start_date" in ret.columns and ret.date_retrieved is not None:
        yield from at((ret.frame["start_date"] > ret.date_retrieved).to_numpy(), "start_date")


def _cost_without_leaver(ret: Return) -> Iterator[Breach]:
    if "replacement_cost" in ret.columns:
        yield from at((numbers(ret, "left") == 0) & (numbers(ret, "replacement_cost") > 0), "replacement_cost")


WAVE_RULES: tuple[Rule, ...] = (
    Rule(
        code="R01",
        severity="error",
        find=blank_required,
        rule="A required cell must be filled in for every person.",
        remedy="Fill in the cell; if the row is no person, delete the row.",
    ),
    Rule(
        code="R02",
        severity="error",
        fields=("staff_id",),
        find=_repeated_person,
        rule="A person must be in one row of a return only.",
        remedy="Delete the row that is not meant, or give the second person an ID of their own.",
    ),
    Rule(
        code="R03",
        severity="error",
        fields=("staff_id",),
        find=_person_written_twice,
        rule="Two IDs of a return must differ in more than capitals, signs or leading zeros.",
        remedy="If both rows are one person, delete one; otherwise give one of them another ID.",
    ),
    Rule(
        code="R04",
        severity="error",
        fields=("staff_id",),
        find=_staff_id_like_a_name,
        rule=(
            "A staff ID must be an anonymous code with a digit, without blanks, “@” or accents, and no date,"
            " time or fraction."
        ),
        remedy=(
            "Replace it by an anonymous code. If it was a name or email address, destroy the copy received; if a"
            " program made a date of it, format the column as text and enter it again."
        ),
    ),
    Rule(
        code="R05",
        severity="error",
        fields=("team_id",),
        find=_team_id_like_a_name,
        rule="A team ID must be an anonymous code, or a name of words for teams only, and no date, time or fraction.",
        remedy=(
            "Replace it by an anonymous code, such as ABC123. If a program made a date of it,"
            " format the column as text and enter it again; words for teams can be added to data/spellings.csv (“team"
            " word”)."
        ),
    ),
    Rule(
        code="R06",
        severity="error",
        find=out_of_range,
        rule="A figure must lie within the limits of the dictionary; absence is never negative.",
        remedy="Correct the figure, and check that it is in the unit of the heading.",
    ),
    Rule(
        code="R12",
        severity="error",
        fields=("left", "leaving_date"),
        find=_leaver_without_date,
        rule="Anyone who left must have a leaving date.",
        remedy="Enter the first working day no longer employed, or correct “left” to no.",
    ),
    Rule(
        code="R13",
        severity="error",
        fields=("left", "leaving_date"),
        find=_date_without_leaver,
        rule="Only those who left have a leaving date.",
        remedy="Correct “left” to yes, or delete the date.",
    ),
    Rule(
        code="R14",
        severity="error",
        fields=("leaving_date",),
        find=_left_outside_period,
        rule="A leaving date must lie between launch (or start) and the day of the return.",
        remedy="Correct the date; leave out of the return anyone who had left before launch.",
    ),
    Rule(
        code="R15",
        severity="error",
        fields=("start_date",),
        find=_started_after_return,
        rule="A start date must not be later than the day of the return.",
        remedy="Correct the date, or leave out the person who had not started.",
    ),
    Rule(
        code="R16",
        severity="warning",
        fields=("left", "replacement_cost"),
        find=_cost_without_leaver,
        rule="A replacement cost belongs to a leaver.",
        remedy="Check whether the person left, or delete the cost.",
    ),
)
