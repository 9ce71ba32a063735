"""Rules of allocation lists, course logs and linkage lists: each by itself, and against the returns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from hhp_stats.intake.across import Returns
from hhp_stats.intake.lists import ListFile
from hhp_stats.intake.masking import shown
from hhp_stats.intake.rule import Breach, Rule, at, breach_problems
from hhp_stats.intake.rules_cells import FORM_RULES, KIND_RULES
from hhp_stats.intake.rules_wave import blank_required, converted_identifiers, folded, out_of_range


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCheck:
    """What the rules of a list look at: the list, the returns, and the study's sites."""

    table: ListFile
    returns: Returns

    def known_people(self) -> set[tuple[str, str]]:
        """Authority and staff ID of everyone on any return."""
        return {
            (authority, staff)
            for authority, waves in self.returns.by_site.items()
            for ret in waves.values()
            for staff in ret.frame["staff_id"].dropna()
        }


def _unknown_authority(check: ListCheck) -> Iterator[Breach]:
    named = check.table.frame["local_authority"]
    for breach in at(named.notna() & ~named.isin(check.returns.study.authorities), "local_authority"):
        yield breach._replace(value=shown(named.iloc[breach.position], vocabulary=check.table.vocabulary))


def _repeated(check: ListCheck, names: list[str]) -> Iterator[Breach]:
    frame = check.table.frame
    keys = frame[names]
    doubled = keys.notna().all(axis=1) & keys.duplicated()
    first = {key: position for position, key in reversed(list(enumerate(keys.itertuples(index=False, name=None))))}
    for breach in at(doubled, names[-1]):
        key = tuple(keys.iloc[breach.position])
        yield breach._replace(also=check.table.cell(names[-1], first[key]))


def _team_twice(check: ListCheck) -> Iterator[Breach]:
    yield from _repeated(check, ["team_id"])


def _baseline_teams(check: ListCheck) -> dict[str, str]:
    return {
        team: authority
        for authority, waves in check.returns.by_site.items()
        if "baseline" in waves
        for team in waves["baseline"].frame["team_id"].dropna().unique()
    }


def _team_without_people(check: ListCheck) -> Iterator[Breach]:
    """Only for authorities whose baseline return could be read: otherwise its absence is said already."""
    teams = _baseline_teams(check)
    returned = {authority for authority, waves in check.returns.by_site.items() if "baseline" in waves}
    frame = check.table.frame
    yield from at(
        frame["team_id"].notna() & ~frame["team_id"].isin(teams) & frame["local_authority"].isin(returned), "team_id"
    )


def _team_elsewhere(check: ListCheck) -> Iterator[Breach]:
    teams = _baseline_teams(check)
    frame = check.table.frame
    expected = frame["team_id"].map(teams)
    differs = expected.notna() & (expected != frame["local_authority"])
    for breach in at(differs, "local_authority"):
        yield breach._replace(value=f"{expected.iloc[breach.position]} in the baseline return")


def _arm_missing(check: ListCheck) -> Iterator[Breach]:
    frame = check.table.frame
    for authority, group in frame.dropna(subset=["treatment"]).groupby("local_authority", sort=True):
        if authority in check.returns.study.authorities and group["treatment"].nunique() < 2:
            yield Breach("treatment", int(group.index[0]), f"one arm only in {authority!s}")


def _repeated_enrolment(check: ListCheck) -> Iterator[Breach]:
    yield from _repeated(check, ["local_authority", "staff_id"])


def _people_not_returned(check: ListCheck) -> tuple[pd.Series, pd.Series]:
    """Of each line, whether its person is on no return, and whether one in another spelling is."""
    known = check.known_people()
    spelled = {(authority, folded(staff)) for authority, staff in known}
    frame = check.table.frame
    pairs = list(zip(frame["local_authority"], frame["staff_id"], strict=True))
    unknown = [isinstance(staff, str) and (authority, staff) not in known for authority, staff in pairs]
    otherwise = [lost and (pair[0], folded(pair[1])) in spelled for lost, pair in zip(unknown, pairs, strict=True)]
    return pd.Series(unknown, dtype=bool), pd.Series(otherwise, dtype=bool)


def _unknown_person(check: ListCheck) -> Iterator[Breach]:
    unknown, otherwise = _people_not_returned(check)
    yield from at(unknown & ~otherwise, "staff_id")


def _person_otherwise(check: ListCheck) -> Iterator[Breach]:
    yield from at(_people_not_returned(check)[1], "staff_id")


def _enrolled_too_early(check: ListCheck) -> Iterator[Breach]:
    frame = check.table.frame
    launch = frame["local_authority"].map(
        {s.local_authority: pd.Timestamp(s.launch) for s in check.returns.study.sites}
    )
    yield from at(frame["enrolled_on"] < launch, "enrolled_on")


def _active_before_enrolment(check: ListCheck) -> Iterator[Breach]:
    frame = check.table.frame
    for breach in at(frame["last_activity_on"] < frame["enrolled_on"], "last_activity_on"):
        yield breach._replace(also=check.table.cell("enrolled_on", breach.position))


def _code_twice(check: ListCheck) -> Iterator[Breach]:
    yield from _repeated(check, ["survey_code"])


def _person_with_two_codes(check: ListCheck) -> Iterator[Breach]:
    yield from _repeated(check, ["local_authority", "staff_id"])


def _cells(check: ListCheck) -> Iterator[Breach]:
    for rule in KIND_RULES:
        if rule.find is not None:
            yield from rule.find(check.table)
    yield from converted_identifiers(check.table, names=("team_id",))  # of words too (R05)


_READABLE = Rule(
    code="L04",
    severity="error",
    find=_cells,
    rule="A value of a list must be of the kind that the dictionary says (number, ISO date, identifier).",
    remedy="Correct the value.",
)


_FILLED = Rule(
    code="L05",
    severity="error",
    find=lambda check: blank_required(check.table),
    rule="A required value of a list must not be empty.",
    remedy="Fill in the value, or delete the line.",
)


_IN_RANGE = Rule(
    code="L06",
    severity="error",
    find=lambda check: out_of_range(check.table),
    rule="A value of a list must lie within the limits of the dictionary.",
    remedy="Correct the value.",
)


_AUTHORITY = Rule(
    code="L07",
    severity="error",
    fields=("local_authority",),
    find=_unknown_authority,
    rule="A list must name authorities of the plan.",
    remedy="Correct the name.",
)


COMMON_RULES: tuple[Rule, ...] = (_READABLE, _FILLED, _IN_RANGE, _AUTHORITY)


_SPELLED_ALIKE = "A staff ID must be written as on the returns: the same capitals, signs and leading zeros."


_SPELL_ALIKE = (
    "Export the list again without opening it in a spreadsheet, or format the column as text and enter the zeros."
)


ALLOCATION_RULES: tuple[Rule, ...] = (
    Rule(
        code="A01",
        severity="error",
        fields=("team_id",),
        find=_team_twice,
        rule="A team must be allocated once.",
        remedy="Delete the line that is not the result of the randomisation.",
    ),
    Rule(
        code="A02",
        severity="error",
        fields=("team_id",),
        find=_team_without_people,
        rule="Every allocated team must be on the baseline return of its authority.",
        remedy="Compare the team IDs of the list with those of the return.",
    ),
    Rule(
        code="A03",
        severity="error",
        fields=("local_authority",),
        find=_team_elsewhere,
        rule="An allocated team must belong to the authority whose baseline return names it.",
        remedy="Correct the authority in the list.",
    ),
    Rule(
        code="A04",
        severity="warning",
        fields=("treatment",),
        find=_arm_missing,
        rule="Every authority should have teams in both arms.",
        remedy="Check the list against the randomisation log.",
    ),
)


COURSE_RULES: tuple[Rule, ...] = (
    Rule(
        code="G01",
        severity="error",
        fields=("staff_id",),
        find=_repeated_enrolment,
        rule="A person must be enrolled once.",
        remedy="Merge the lines: first enrolment, most modules, last activity.",
    ),
    Rule(
        code="G02",
        severity="warning",
        fields=("staff_id",),
        find=_unknown_person,
        rule="An enrolled person should be on a return of the authority.",
        remedy="Check the staff ID that was typed at enrolment; the line is not used.",
    ),
    Rule(
        code="G09",
        severity="error",
        fields=("staff_id",),
        find=_person_otherwise,
        rule=_SPELLED_ALIKE,
        remedy=_SPELL_ALIKE,
    ),
    Rule(
        code="G03",
        severity="error",
        fields=("enrolled_on",),
        find=_enrolled_too_early,
        rule="No one can enrol before the launch in the authority.",
        remedy="Correct the date, or the launch in the plan.",
    ),
    Rule(
        code="G04",
        severity="error",
        fields=("last_activity_on",),
        find=_active_before_enrolment,
        rule="The last activity cannot be earlier than enrolment.",
        remedy="Correct whichever date is wrong.",
    ),
)


LINKAGE_RULES: tuple[Rule, ...] = (
    Rule(
        code="K01",
        severity="error",
        fields=("survey_code",),
        find=_code_twice,
        rule="A survey code must belong to one person.",
        remedy="Ask the authority whose code it is.",
    ),
    Rule(
        code="K02",
        severity="error",
        fields=("staff_id",),
        find=_person_with_two_codes,
        rule="A person must have one survey code.",
        remedy="Ask the authority which code the person used.",
    ),
    Rule(
        code="K03",
        severity="warning",
        fields=("staff_id",),
        find=_unknown_person,
        rule="A person with a survey code should be on a return of the authority.",
        remedy="Check the staff ID; answers under this code cannot be matched.",
    ),
    Rule(
        code="K05",
        severity="error",
        fields=("staff_id",),
        find=_person_otherwise,
        rule=_SPELLED_ALIKE,
        remedy=_SPELL_ALIKE,
    ),
)


LIST_RULES = {
    "allocation": (*COMMON_RULES, *ALLOCATION_RULES),
    "course_log": (*COMMON_RULES, *COURSE_RULES),
    "linkage": (*COMMON_RULES, *LINKAGE_RULES),
}


def check_list(table: ListFile, returns: Returns) -> None:
    """Adds to the list's problems what the rules of its kind find."""
    if table.readable:
        check = ListCheck(table=table, returns=returns)
        for form in FORM_RULES:
            table.problems += breach_problems(form, table, form.find(table) if form.find else ())
        for rule in LIST_RULES[table.kind]:
            if rule.find is not None:
                table.problems += breach_problems(rule, table, rule.find(check))
