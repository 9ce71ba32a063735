"""Who was allocated where, who took the course, whose code is it? The lists that the trial team keeps as CSV."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hhp_stats.intake.across import Returns
from hhp_stats.intake.columns import Manner
from hhp_stats.intake.container import Refused
from hhp_stats.intake.dictionary import Field, Study, fields_of
from hhp_stats.intake.masking import shown, words_of
from hhp_stats.intake.rule import Breach, Rule, at, breach_problems
from hhp_stats.intake.rules_cells import FORM_RULES, KIND_RULES
from hhp_stats.intake.rules_wave import blank_required, folded, out_of_range
from hhp_stats.intake.spellings import Spellings, same
from hhp_stats.intake.table import Table, comma_in_numbers, empty_frame
from hhp_stats.intake.text_file import likely_delimiter, read_text, split_rows

LINKAGE_FIELDS = ("local_authority", "staff_id", "survey_code")
DRAWN = ("team_id", "local_authority", "stratum", "treatment")  # what every allocation list of teams holds


@dataclass(slots=True, kw_only=True)
class ListFile(Table):
    """A CSV list as read; `synthetic` says whether its release column marks every line as synthetic."""

    kind: str
    synthetic: bool = False
    unmarked: bool = False


LIST_MISSING = Rule(
    code="L01",
    severity="error",
    rule="The list must be there.",
    remedy="Put the file in its place; a list without entries holds its heading line only.",
)
LIST_UNREADABLE = Rule(
    code="L02",
    severity="error",
    rule="A list must be a CSV file with the columns of the dictionary in its first line.",
    remedy="Restore the heading line, and save as “CSV UTF-8”.",
)
LIST_RAGGED = Rule(
    code="L03",
    severity="error",
    rule="Every line of a list must have as many fields as its heading line.",
    remedy="Complete the line, or put texts with commas in quotation marks.",
)

FILE_OF_LIST_RULES = (LIST_MISSING, LIST_UNREADABLE, LIST_RAGGED)


def also_drawn(fields: tuple[Field, ...], study: Study) -> tuple[str, ...]:
    """Which columns of teams does this trial alone have? Those of the dictionary that its equation names."""
    own = (each.name for each in fields_of(fields, "allocation") if each.name not in DRAWN)
    return tuple(name for name in own if name in study.terms)


def list_fields(fields: tuple[Field, ...], kind: str, study: Study) -> tuple[Field, ...]:
    """The fields of a list; those of the linkage list, which only intake sees, stand here and not in the dictionary.

    Of an allocation list of teams those of `DRAWN`, and what the study's equation names.
    """
    if kind == "allocation" and study.sites:
        wanted = {*DRAWN, *also_drawn(fields, study)}
        return tuple(each for each in fields_of(fields, kind) if each.name in wanted)
    if kind != "linkage":
        return fields_of(fields, kind)
    return tuple(
        Field(
            file="linkage",
            waves=(),
            name=name,
            label=name,
            kind="text" if name == "local_authority" else "identifier",
            unit="",
            period="",
            minimum=None,
            maximum=None,
            allowed=(),
            required=True,
            in_template=False,
            clause="",
            meaning="",
        )
        for name in LINKAGE_FIELDS
    )


def read_list(
    path: Path, *, file: str, kind: str, fields: tuple[Field, ...], spellings: Spellings, study: Study
) -> ListFile:
    """What does a list (allocation, course_log or linkage) say? Problems are collected in the result."""
    specs = list_fields(fields, kind, study)
    result = ListFile(
        file=file,
        path=path,
        kind=kind,
        frame=empty_frame(specs, []),
        fields={each.name: each for each in specs},
        vocabulary=words_of(*study.authorities, *(each.name.replace("_", " ") for each in specs)),
    )
    if not path.is_file():
        result.problems.append(LIST_MISSING.problem(file=file))
        return result
    try:
        text = read_text(path).text
        rows = split_rows(text, likely_delimiter(text, lines=1))
    except (Refused, OSError) as refused:
        found = refused.found if isinstance(refused, Refused) else type(refused).__name__
        result.problems.append(LIST_UNREADABLE.problem(file=file, value=found))
        return result
    raw_bytes = path.read_bytes()
    result.sha256, result.size = hashlib.sha256(raw_bytes).hexdigest(), len(raw_bytes)
    heads = [same(each).replace(" ", "_") for each in rows[0]] if rows else []
    lacking = [each.name for each in specs if heads.count(each.name) != 1]
    if lacking:
        result.problems.append(
            LIST_UNREADABLE.problem(file=file, cell="row 1", value=f"not once: {', '.join(lacking)}")
        )
        return result
    numbered = [(number, row) for number, row in enumerate(rows[1:], start=2) if any(map(str.strip, row))]
    for number, row in numbered:
        if len(row) != len(heads):
            result.problems.append(LIST_RAGGED.problem(file=file, cell=f"row {number}", value=f"{len(row)} fields"))
    body = [(number, (row + [""] * len(heads))[: len(heads)]) for number, row in numbered]
    result.frame = empty_frame(specs, [number for number, _ in body])
    result.columns = {each.name: heads.index(each.name) + 1 for each in specs}
    columns = {each.name: [row[result.columns[each.name] - 1] or None for _, row in body] for each in specs}
    manner = Manner(typed=False, decimal_comma=comma_in_numbers((each, columns[each.name]) for each in specs))
    for each in specs:
        column = columns[each.name]
        if each.name == "local_authority":
            column = [_authority(value, study, spellings) for value in column]
        result.fill(spec=each, raw=column, spellings=spellings, manner=manner)
    if "release" in heads:
        marks = {same(row[heads.index("release")]) for _, row in body}
        result.synthetic, result.unmarked = "synthetic" in marks, bool(marks - {"synthetic"})
    else:
        result.unmarked = True
    return result


def _authority(value: str | None, study: Study, spellings: Spellings) -> str | None:
    if value is None:
        return None
    known = {same(name): name for name in study.authorities} | spellings.of("local_authority")
    return known.get(same(value), value)


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
        rule="Nobody can enrol before the launch in the authority.",
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
