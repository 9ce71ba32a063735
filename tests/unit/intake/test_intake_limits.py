"""Every rule's severity, and the values just inside and just outside of every limit, with every address that is named.

A new rule fails the first two tests until it stands in the tables below.
"""

from __future__ import annotations

import pkgutil
import re
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path

import pytest
from intake_builder import STUDY, TrialFiles

import hhp_stats.intake
from hhp_stats.errors import Problem
from hhp_stats.intake.check import check_returns
from hhp_stats.intake.dictionary import WAVES, fields_of, load_dictionary, load_study
from hhp_stats.intake.gather import check_return, gather
from hhp_stats.intake.returns import read_return
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.spellings import load_spellings

SEVERITIES = {
    "error": """
        A01 A02 A03 A05 A06 A07 A08 A10 A11 C01 C02 C03 C04 C05 C06 C07 C08 C09 C10 C11 C12 C13 E01 E02 E03 E04
        E05 E06 E07 E08 E09 E10 E11 E13 E14 E16 F01 F02 F03 F04 F05 F06 F07 F10 F11 F12 F17 F18 F20 F21 F22 F23
        F24 F29 G01 G03 G04 G05 G06 G07 G08 G09 I01 I02 I03 I04 I05 I06 I07 I08 I09 I10 I11 K01 K02 K04 K05 K10
        K16 K17 K18 K19 K31 K32 K33 L01 L02 L03 L04 L05 L06 L07 M01 M02 M03 M04 M05 M06 M07 R01 R02 R03 R04 R05 R06 R07 R08
        R10 R12 R13 R14 R15 S01 S02 S03 S04 S06 S10 S11 S12 S13 S23 S24 S26 S28 S29 S30 S31 S33
        S41 S42 S43 S44 S46 S47 T01 T02 T04 T05 T06 T07 T08 T09 T10 T11 T12 T13 T14 T15 T16 T17 T20 T21 T22 T28 T29 X01 X03
        X04 X06 X07 X08 X09 X13 X14 X15 X19 X21 X22 X24 X25 X26 X27 X30 X31 X32 X35 X37""",
    "warning": """
        A04 E12 E15 F08 F09 F14 F15 F19 F25 F26 F27 F30 F31 G02 K03 K20 K34 L08 L09 L10 L11 L12 P02 P03 R09 R11 R16 R17 R18
        R19 S07 S15 S17 S20 S21 S25 S27 S34 S35 S36 S37 S38 S39 S40 S45 S48 S49 S50 S51 S52 T03 T18 T19 T23 T24 T25 T26 T27 T30 T31 T32 T33 X02 X11 X16 X17 X18 X20
        X23 X28 X29 X33 X34 X38""",
    "note": """
        A09 F13 F16 F28 R20 S05 S14 S16 S18 S19 S22 X05 X10 X12 X36""",
}
SEVERITY = {code: severity for severity, codes in SEVERITIES.items() for code in codes.split()}
# Words by which a rule speaks of a limit, an order in time or a share: such a rule needs a value on either side.
LIMITED = re.compile(
    r"limit|exceed|at least|earlier|after |before|later|share|fewer|shorter|half a|as many|row to row|Neighbouring|"
    r"many people|nearly|second per|of the size|weeks|between|go back"
)
# Limits that another test looks at from both sides, and words that are no limit.
ELSEWHERE = {
    "P03": "test_start_real.py::test_an_assumed_entry_is_listed_until_it_is_confirmed_as_it_stands",
    "A09": "test_rules_randomisation.py::test_a_corrected_baseline_is_a_note_and_a_replaced_one_is_not",
    "C03": "test_intake_rules.py::test_one_damage_one_problem",
    "E15": "test_intake_ledger_file.py::test_half_a_line_at_the_end_is_refused_and_nothing_is_glued_to_it",
    "E01": "test_intake_corrections.py::test_a_damaged_ledger_is_refused",
    "E09": "test_intake_corrections.py::test_the_second_of_a_chain_must_know_the_first",
    "E12": "test_intake_corrections.py::test_ids_are_unique_and_days_do_not_go_back",
    "F12": "test_limits_of_files.py::test_a_return_lists_at_least_one_person",
    "F11": "test_limits_of_files.py::test_the_period_of_every_count_must_be_that_of_its_return",
    "F23": "test_intake_project.py::test_templates_of_unknown_authorities_and_without_a_baseline",
    "G06": "test_rules_plausible.py::test_half_a_course_log_is_too_short",
    "G08": "test_rules_plausible.py::test_one_unknown_id_stays_a_warning",
    "I07": "test_limits_of_files.py::test_people_arms_and_blocks_are_as_many_as_planned",
    "I09": "test_limits_of_files.py::test_arms_of_a_block_differ_by_the_limit_at_most",
    "K04": "test_rules_plausible.py::test_codes_that_slipped_by_a_line_are_refused",
    "K10": "test_limits_of_files.py::test_values_of_the_smaller_lists_lie_within_their_limits",
    "K18": "test_limits_of_files.py::test_participants_decisions_and_people_of_a_condition_are_as_many_as_planned",
    "L03": "test_limits_of_files.py::test_lines_of_a_list_have_the_fields_of_its_heading",
    "S04": "test_limits_of_files.py::test_lines_of_an_export_have_the_fields_of_its_heading",
    "T04": "test_plain_table.py::test_a_missing_empty_or_unreadable_table",
    "T10": "test_plain_table.py::test_the_limits_belong_to_what_is_allowed",
    "T20": "test_plain_table.py::test_one_damage_one_problem",
    "T21": "test_plain_table.py::test_one_damage_one_problem",
    "T23": "test_plain_table.py::test_an_outcome_against_itself_before",
    "T24": "test_plain_table.py::test_an_outcome_against_itself_before",
    "T26": "test_plain_table.py::test_the_limit_of_zeros",
    "T31": "test_names_and_figures.py::test_the_limit_of_figures_far_from_the_others",
    "T32": "test_names_and_figures.py::test_hours_among_minutes",
    "L12": "test_rules_runs.py::test_how_many_such_runs_chance_makes",
    "S51": "test_rules_runs.py::test_how_many_such_runs_chance_makes",
    "T25": "test_rules_runs.py::test_how_many_such_runs_chance_makes",
    "X38": "test_rules_runs.py::test_how_many_such_runs_chance_makes",
    "S52": "test_rules_runs.py::test_an_answer_replaced_over_a_whole_export",
    "S24": "test_survey_questions.py::test_a_list_of_another_survey",
    "K34": "test_limits_of_files.py::test_decisions_depend_on_the_application",
    "K33": "test_limits_of_files.py::test_lists_of_a_pilot_are_as_long_as_planned",
    "L11": "test_rules_distribution.py::test_a_score_that_goes_with_no_other",
    "S48": "test_rules_distribution.py::test_a_question_that_goes_with_the_others_otherwise",
    "L08": "test_rules_distribution.py::test_lists",
    "L09": "test_rules_distribution.py::test_lists",
    "S35": "test_rules_distribution.py::test_answers_against_the_other_wave_questions_and_groups",
    "S36": "test_rules_distribution.py::test_answers_against_the_other_wave_questions_and_groups",
    "S38": "test_rules_distribution.py::test_a_question_that_goes_with_no_other",
    "S39": "test_rules_distribution.py::test_answers_of_other_people",
    "S40": "test_rules_distribution.py::test_an_export_cut_short",
    "S37": "test_rules_distribution.py::test_answers_against_the_other_wave_questions_and_groups",
    "X28": "test_rules_distribution.py::test_blanks",
    "X29": "test_rules_distribution.py::test_zeros",
    "X30": "test_rules_distribution.py::test_units",
    "X31": "test_rules_distribution.py::test_absence_a_month_against_the_own_baseline_year",
    "X32": "test_rules_distribution.py::test_service_grows_by_the_months_between",
    "X33": "test_rules_distribution.py::test_service_of_one_person",
    "X34": "test_rules_distribution.py::test_blank_after_it_was_recorded_but_for_leavers",
    "X35": "test_rules_distribution.py::test_a_baseline_of_another_year",
    "X06": "test_intake_rules.py::test_a_leaver_who_comes_back",
    "X08": "test_intake_rules.py::test_a_start_date_of_somebody_who_was_there",
    "X16": "test_intake_rules.py::test_a_gender_that_changes",
    "X25": "test_rules_plausible.py::test_yes_and_no_exchanged_in_all_waves_are_refused",
}
LAUNCH = datetime(2019, 7, 8)  # Kent's
WHO = "KEN-0006"
THRESHOLDS = {
    "G05": (0.5, 3),
    "G07": (8, 1),
    "X24": (0.2, 5),
    "X26": (50, 2),
    "G06": (9, 99),
    "G08": (1, 99),
    "K04": (0, 99),
    "X25": (9, 99),
}
Change = Callable[[TrialFiles], list[str]]  # changes the files, gives the addresses that must be named


def all_declared() -> dict[str, Rule]:
    """Every rule that a module of the intake declares, alone or in a tuple."""
    found: dict[str, Rule] = {}
    for module in pkgutil.iter_modules(hhp_stats.intake.__path__):
        for value in vars(import_module(f"hhp_stats.intake.{module.name}")).values():
            for rule in value if isinstance(value, tuple) else (value,):
                if isinstance(rule, Rule):
                    assert found.setdefault(rule.code, rule).severity == rule.severity
    return found


def test_every_rule_has_the_severity_that_was_decided():
    assert {code: rule.severity for code, rule in all_declared().items()} == SEVERITY


def test_every_limit_is_looked_at_from_both_sides():
    limited = {code for code, rule in all_declared().items() if LIMITED.search(rule.rule)}
    tried = {code for code, *_ in LIMITS} | {code for code, *_ in SHRINKING} | {"R06"}
    assert limited - tried - set(ELSEWHERE) == set()
    assert not tried & set(ELSEWHERE)
    for place in ELSEWHERE.values():
        name, test = place.split("::")
        assert f"def {test}(" in (Path(__file__).parent / name).read_text(encoding="utf-8"), place


# ---------------------------------------------------------------- values on either side
def person(wave: str, *, cells: str, who: str = WHO, **values: object) -> Change:
    """One person's figures; `cells` names the fields whose addresses must be named, each problem's apart from the
    next by |.
    """

    def change(files: TrialFiles) -> list[str]:
        sheet = files.returns["kent", wave]
        sheet.find(who).update(values)
        return [_address(files, wave, who, part) for part in cells.split("|")]

    return change


def _address(files: TrialFiles, wave: str, who: str, fields: str) -> str:
    parts = []
    for part in fields.split(", "):
        other, _, name = part.rpartition(" ")
        cell = files.returns["kent", other or wave].cell(who, name)
        parts.append(f"{other} {cell}" if other else cell)
    return ", ".join(parts)


def retrieved(wave: str, day: datetime) -> Change:
    """The day on which a return was drawn."""

    def change(files: TrialFiles) -> list[str]:
        files.returns["kent", wave].day = day
        return ["B4"]

    return change


def block(rows: int, *names: str, step: int = 0) -> Change:
    """The same figures, or figures that rise, in so many rows one below the other."""

    def change(files: TrialFiles) -> list[str]:
        sheet = files.returns["kent", "baseline"]
        people = sheet.people[3 : 3 + rows]
        for place, one in enumerate(people):
            one.update(dict.fromkeys(names, 41 + step * place))
        first, last = (
            sheet.cell(str(one["staff_id"]), name) for one, name in ((people[0], names[0]), (people[-1], names[-1]))
        )
        return [f"{first}, to {last}"]

    return change


def copied(others: int) -> Change:
    """An endline return with the days of the interim return, but for some people."""

    def change(files: TrialFiles) -> list[str]:
        early = files.returns["kent", "interim"]
        people = files.returns["kent", "endline"].people
        for one in people:
            one.update(
                {
                    name: early.find(str(one["staff_id"]))[name]
                    for name in ("overall_absence_days", "illness_days", "illness_spells")
                }
            )
        for one in people[:others]:
            one["overall_absence_days"] += 1  # type: ignore[operator]
        return [""]

    return change


def logged(also: str = "", *, place: int = 0, **values: object) -> Change:
    """An entry of the course log."""

    def change(files: TrialFiles) -> list[str]:
        files.course_log[place].update(values)
        column = {"enrolled_on": "C", "modules_completed": "D", "last_activity_on": "E"}[next(iter(values))]
        return [f"row {place + 2}, column {column} ({next(iter(values))}){also}"]

    return change


def logged_late(days: int) -> Change:
    """An entry so many days after the end of the trial; the line is named."""

    def change(files: TrialFiles) -> list[str]:
        files.course_log[0]["last_activity_on"] = ENDLINE.date() + days * DAY
        return ["row 2"]

    return change


def in_control(entries: int) -> Change:
    """So many of Kent's three entries of the course log are of control staff."""

    def change(files: TrialFiles) -> list[str]:
        for place in range(entries):
            files.course_log[place]["staff_id"] = f"KEN-{6 + place:04d}"  # KEN-T02, not offered it
        return []

    return change


def exchanged(people: int) -> Change:
    """So many people's working hours differ from those of the baseline."""

    def change(files: TrialFiles) -> list[str]:
        for one in files.returns["kent", "endline"].people[:people]:
            one["part_time"] = {"yes": "no", "no": "yes"}[str(one["part_time"])]
        return []

    return change


def answered(wave: str, **values: object) -> Change:
    """A person of Kent's answer to a survey."""

    def change(files: TrialFiles) -> list[str]:
        codes = {row["survey_code"] for row in files.linkage if row["local_authority"] == "Kent"}
        next(row for row in files.surveys[wave] if row["ExternalReference"] in codes).update(values)
        return []

    return change


def answered_in(spare: int) -> Change:
    """A response that took a second an answer, and so many seconds more."""

    def change(files: TrialFiles) -> list[str]:
        row = files.surveys["baseline"][0]
        answers = sum(row.get(name, "") != "" for name in files.survey_fields["baseline"])
        row["Duration (in seconds)"] = answers + spare
        return []

    return change


def without_spells(*staff: str) -> Change:
    """Some people's spells are not recorded; without names nobody's."""

    def change(files: TrialFiles) -> list[str]:
        sheet = files.returns["kent", "baseline"]
        for one in sheet.people:
            if not staff or one["staff_id"] in staff:
                one["illness_spells"] = None
        return [sheet.cell(staff[0], "illness_spells")] if staff else []

    return change


ILL, ALL, SPELLS = "illness_days", "overall_absence_days", "illness_spells"
GONE = {"left": "yes", ILL: 0, ALL: 0, SPELLS: 0}
DAY = timedelta(days=1)
ENDLINE = LAUNCH + timedelta(weeks=24)
SHRINKING = [
    ("X13", ILL, "interim"),
    ("X13", ALL, "interim"),
    ("X14", SPELLS, "interim"),
    ("X17", "service_months", "baseline"),
]
LIMITS: list[tuple[str, Change, Change]] = [
    ("S19", answered_in(0), answered_in(-1)),
    # code, just inside, just outside
    (
        "R07",
        person("baseline", cells=f"{ILL}, {ALL}", illness_days=8, illness_spells=2, overall_absence_days=8),
        person("baseline", cells=f"{ILL}, {ALL}", illness_days=8.5, illness_spells=2, overall_absence_days=8),
    ),
    (
        "R08",
        person("baseline", cells=f"{SPELLS}, {ILL}", illness_days=0, illness_spells=0),
        person("baseline", cells=f"{SPELLS}, {ILL}", illness_days=0, illness_spells=1),
    ),
    (
        "R08",
        person("baseline", cells=f"{SPELLS}, {ILL}", illness_days=0.5, illness_spells=1, overall_absence_days=9),
        person("baseline", cells=f"{SPELLS}, {ILL}", illness_days=0.5, illness_spells=0, overall_absence_days=9),
    ),
    (
        "R09",
        person("baseline", cells=f"{SPELLS}, {ILL}", illness_days=1, illness_spells=2, overall_absence_days=9),
        person("baseline", cells=f"{SPELLS}, {ILL}", illness_days=1, illness_spells=3, overall_absence_days=9),
    ),
    (
        "R10",
        person("interim", cells=ILL, illness_days=61, illness_spells=1, overall_absence_days=61),
        person("interim", cells=f"{ILL}|{ALL}", illness_days=61.5, illness_spells=1, overall_absence_days=61.5),
    ),
    (
        "R11",
        person("baseline", cells=ILL, illness_days=262, illness_spells=2, overall_absence_days=300, service_months=40),
        person(
            "baseline", cells=ILL, illness_days=262.5, illness_spells=2, overall_absence_days=300, service_months=40
        ),
    ),
    # Five months stated may be six: 131 working days.
    (
        "R11",
        person("baseline", cells=ILL, illness_days=131, illness_spells=2, overall_absence_days=140, service_months=5),
        person("baseline", cells=ILL, illness_days=131.5, illness_spells=2, overall_absence_days=140, service_months=5),
    ),
    (
        "R14",
        person("interim", cells="leaving_date", leaving_date=LAUNCH, **GONE),
        person("interim", cells="leaving_date", leaving_date=LAUNCH - DAY, **GONE),
    ),
    (
        "R14",
        person("interim", cells="leaving_date", leaving_date=datetime(2019, 9, 30), **GONE),
        person("interim", cells="leaving_date", leaving_date=datetime(2019, 10, 1), **GONE),
    ),
    (
        "R15",
        person("interim", cells="start_date", who="KEN-9001", start_date=datetime(2019, 9, 30), **{ILL: 0, ALL: 0}),
        person("interim", cells="start_date", who="KEN-9001", start_date=datetime(2019, 10, 1), **{ILL: 0, ALL: 0}),
    ),
    (
        "R16",
        person("interim", cells="replacement_cost", replacement_cost=0),
        person("interim", cells="replacement_cost", replacement_cost=1),
    ),
    ("R17", block(4, "service_months", ALL), block(5, "service_months", ALL, ILL, SPELLS)),
    ("R18", block(11, ALL), block(12, ALL)),
    ("R19", block(9, "service_months", step=1), block(10, "service_months", step=1)),
    ("R20", without_spells(), without_spells("KEN-0004")),
    ("X01", retrieved("baseline", LAUNCH), retrieved("baseline", LAUNCH + DAY)),
    ("X01", retrieved("interim", LAUNCH + DAY), retrieved("interim", LAUNCH)),
    ("X01", retrieved("endline", datetime(2019, 10, 1)), retrieved("endline", datetime(2019, 9, 30))),
    ("X02", retrieved("interim", datetime(2019, 9, 2)), retrieved("interim", datetime(2019, 9, 1))),
    ("X02", retrieved("interim", datetime(2019, 10, 28)), retrieved("interim", datetime(2019, 10, 29))),
    ("X02", retrieved("endline", ENDLINE), retrieved("endline", ENDLINE - DAY)),
    ("X02", retrieved("endline", ENDLINE + 42 * DAY), retrieved("endline", ENDLINE + 43 * DAY)),
    (
        "X09",
        person("endline", cells="start_date", who="KEN-9001", start_date=datetime(2019, 4, 30)),
        person("endline", cells="start_date", who="KEN-9001", start_date=datetime(2019, 4, 29)),
    ),
    (
        "X10",
        person("endline", cells="start_date", who="KEN-9001", start_date=LAUNCH + DAY),
        person("endline", cells="start_date", who="KEN-9001", start_date=LAUNCH),
    ),
    ("X20", copied(2), copied(1)),
    ("G03", logged(enrolled_on=LAUNCH.date()), logged(enrolled_on=LAUNCH.date() - DAY)),
    (
        "G04",
        logged(last_activity_on=LAUNCH.date() + 4 * DAY),
        logged(", row 2, column C (enrolled_on)", last_activity_on=LAUNCH.date() + 3 * DAY),
    ),
    ("L06", logged(modules_completed=6), logged(modules_completed=7)),
    ("G05", in_control(1), in_control(2)),
    ("G07", logged_late(56), logged_late(57)),
    ("X24", exchanged(3), exchanged(4)),
    (
        "X26",
        person("endline", cells="replacement_cost", who="KEN-0003", replacement_cost=200_000),
        person("endline", cells="replacement_cost", who="KEN-0003", replacement_cost=200_001),
    ),
    (
        "X26",
        person("endline", cells="replacement_cost", who="KEN-0003", replacement_cost=80),
        person("endline", cells="replacement_cost", who="KEN-0003", replacement_cost=79),
    ),
    (
        "S20",
        answered("baseline", RecordedDate="2019-07-08 23:00:00"),
        answered("baseline", RecordedDate="2019-07-09 01:00:00"),
    ),
    (
        "S20",
        answered("endline", RecordedDate="2019-07-09 01:00:00"),
        answered("endline", RecordedDate="2019-07-08 23:00:00"),
    ),
]


def of_returns_alone(files: TrialFiles, home: Path) -> list[Problem]:
    """What the rules of one return find in those of Kent that were changed."""
    fields = load_dictionary(home)
    study, spellings = load_study(home, STUDY), load_spellings(home, fields)
    problems: list[Problem] = []
    for (slug, wave), sheet in files.returns.items():
        if sheet != files.ready[slug, wave][0]:
            path = files.return_path(slug, wave)
            path.parent.mkdir(parents=True, exist_ok=True)
            sheet.book().save(path)
            ret = read_return(
                path,
                file=path.name,
                wave=wave,
                study=study,
                fields=fields,
                spellings=spellings,
                site=study.by_slug(slug),
            )
            check_return(ret)
            problems += ret.problems
    return problems


def _home(files: TrialFiles) -> Path:
    """The project with the valid trial, for its dictionary and plan."""
    return next(path for _, path in files.ready.values()).parents[4]


def found(files: TrialFiles, code: str) -> list[Problem]:
    """The problems of one rule; unless it is one of returns alone, in all raw files together with the limits of
    `THRESHOLDS`.
    """
    if code.startswith("R"):
        return [problem for problem in of_returns_alone(files, _home(files)) if problem.code == code]
    if code.startswith("X") and code not in THRESHOLDS:
        for wave in WAVES:
            path = files.return_path("kent", wave)
            path.parent.mkdir(parents=True, exist_ok=True)
            sheet, ready = files.returns["kent", wave], files.ready["kent", wave]
            shutil.copy(ready[1], path) if sheet == ready[0] else sheet.book().save(path)
        problems = check_returns(files.root / "data/returns", root=_home(files)).problems
        return [problem for problem in problems if problem.code == code]
    root = files.write()
    path = root / f"data/plan/{STUDY}.toml"
    text = "".join(
        f'[[thresholds]]\ncode = "{rule}"\nabout = "a limit"\nlimit = {limit}\nleast = {least}\n'
        + ("expected = 0.3\n" if rule == "G06" else "")
        for rule, (limit, least) in THRESHOLDS.items()
    )
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
    return [problem for problem in gather(root, STUDY).all_problems() if problem.code == code]


@pytest.mark.parametrize(
    ("code", "inside", "outside"), LIMITS, ids=[f"{code}-{n}" for n, (code, *_) in enumerate(LIMITS)]
)
def test_just_inside_and_just_outside(trial_files, tmp_path, code, inside, outside):
    from intake_builder import small_trial

    inside(trial_files)
    assert [str(problem) for problem in found(trial_files, code)] == []
    other = small_trial(tmp_path / "other")
    other.ready = trial_files.ready
    addresses = outside(other)
    problems = found(other, code)
    assert problems, "nothing found outside of the limit"
    assert {problem.severity for problem in problems} == {SEVERITY[code]}
    if addresses:
        assert [problem.cell for problem in problems] == addresses


@pytest.mark.parametrize("fewer", [0, 1])
@pytest.mark.parametrize(
    ("code", "name", "earlier"),
    [
        ("X13", ILL, "interim"),
        ("X13", ALL, "interim"),
        ("X14", SPELLS, "interim"),
        ("X17", "service_months", "baseline"),
    ],
)
def test_what_cannot_shrink_may_stay_the_same(trial_files, code, name, earlier, fewer):
    trial_files.returns["kent", earlier].find(WHO).update({ILL: 9, SPELLS: 4, ALL: 30, "service_months": 60})
    for wave in {"interim", "endline"} - {earlier}:
        trial_files.returns["kent", wave].find(WHO).update({ILL: 9, SPELLS: 4, ALL: 30, "service_months": 60})
    late = trial_files.returns["kent", "endline"].find(WHO)
    late[name] -= fewer
    problems = found(trial_files, code)
    here, there = (trial_files.returns["kent", wave].cell(WHO, name) for wave in ("endline", earlier))
    assert [(problem.cell, problem.severity) for problem in problems] == [
        (f"{here}, {earlier} {there}", SEVERITY[code])
    ] * fewer


@pytest.mark.parametrize("wave", ["baseline", "interim", "endline"])
def test_figures_on_the_limits_of_the_dictionary_pass_and_beyond_them_not(trial_files, root, wave):
    """R06 for every field of a return that has a limit; several problems may come of one figure, of which R06 is
    one.
    """
    tried = 0
    for field in fields_of(load_dictionary(root), "return", wave):
        for limit, step in ((field.minimum, -1), (field.maximum, 1)):
            if limit is None:
                continue
            sheet = trial_files.returns["kent", wave]
            one = sheet.find(WHO)
            was = one.get(field.name)
            for value, cells in ((limit, []), (limit + step, [sheet.cell(WHO, field.name)])):
                one[field.name] = value
                assert [problem.cell for problem in found(trial_files, "R06")] == cells, (field.name, value)
                tried += 1
            one[field.name] = was
    assert tried >= 12
