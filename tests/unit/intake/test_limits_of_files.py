"""Rules about whole files and lists: what just passes, what just does not, with place, severity and remedy."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from intake_builder import STUDY, write_csv

from hhp_stats.errors import DataError
from hhp_stats.intake.dictionary import load_dictionary, load_study
from hhp_stats.intake.ledger import Correction, check_schema
from hhp_stats.intake.lists import ListFile, read_list
from hhp_stats.intake.manifest import record_files
from hhp_stats.intake.pilots import list_specs, load_pilot
from hhp_stats.intake.pseudonym import load_pseudonyms
from hhp_stats.intake.returns import read_return
from hhp_stats.intake.rules_arms import ArmsCheck, arms_findings
from hhp_stats.intake.rules_conditions import conditions_findings
from hhp_stats.intake.spellings import load_spellings
from hhp_stats.intake.survey import read_survey
from hhp_stats.plan.experiments import load_experiment_plan
from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.plan.pilot_plan import load_pilot_plan
from hhp_stats.plan.thresholds import Threshold


def said(problems, code):
    """Place, severity and value of the problems of one rule; each says what to do."""
    found = [problem for problem in problems if problem.code == code]
    assert all(problem.rule and problem.remedy for problem in found)
    return [(problem.cell, problem.severity, problem.value) for problem in found]


# ---------------------------------------------------------------- returns
@pytest.fixture
def problems_of_return(written_trial, trial_files, tmp_path):
    root = written_trial.root
    fields = load_dictionary(root)
    study, spellings = load_study(root, STUDY), load_spellings(root, fields)

    def read(wave):
        path = tmp_path / f"{wave}.xlsx"
        trial_files.returns["kent", wave].book().save(path)
        return read_return(
            path, file=path.name, wave=wave, study=study, fields=fields, spellings=spellings, site=study.by_slug("kent")
        ).problems

    return read


@pytest.mark.parametrize(("people", "found"), [(1, []), (0, [("", "error", "")])])
def test_a_return_lists_at_least_one_person(problems_of_return, trial_files, people, found):
    sheet = trial_files.returns["kent", "baseline"]
    sheet.people = sheet.people[:people]
    assert said(problems_of_return("baseline"), "F12") == found


COUNTS = ("illness_days", "illness_spells", "overall_absence_days")


@pytest.mark.parametrize("wave", ["baseline", "interim", "endline"])
@pytest.mark.parametrize("name", COUNTS)
def test_the_period_of_every_count_must_be_that_of_its_return(problems_of_return, trial_files, wave, name):
    """The heading of the return itself passes; one that counts since launch at baseline, or does not later, does
    not.
    """
    sheet = trial_files.returns["kent", wave]
    assert said(problems_of_return(wave), "F11") == []
    own, before = sheet.labels[name], trial_files.returns["kent", "baseline"].labels[name]
    if wave == "baseline":
        sheet.labels[name] = f"{before} (since launch)"
    else:
        assert "since launch" in own
        sheet.labels[name] = f"{own.replace(' since launch', '')} (no. of days)"
    column = sheet.cell("KEN-0001", name).rstrip("0123456789")
    expected = [(f"{column}7", "error", f"the heading must say \u201c{own}\u201d")]
    problems = problems_of_return(wave)
    # A heading without any period is known where a spelling of it is; else the column is missing, which is said too.
    missing = [problem for problem in problems if problem.code in ("F06", "F07") and own in problem.value]
    assert said(problems, "F11") == ([] if missing else expected)
    assert wave != "baseline" or not missing


@pytest.mark.parametrize("wave", ["interim", "endline"])
def test_a_period_that_is_left_out_is_noticed(problems_of_return, trial_files, wave):
    trial_files.returns["kent", wave].labels["illness_days"] = "Illness related absence (no. of days)"
    assert [cell for cell, severity, _ in said(problems_of_return(wave), "F11") if severity == "error"] == ["G7"]


# ---------------------------------------------------------------- lists and exports
LINES = {"one field fewer": -1, "as many as the heading": 0, "one field more": 1}


def _with_a_line(path: Path, *, change: int, encoding: str) -> int:
    """The last line gets another number of fields; how many it has now."""
    lines = path.read_text(encoding=encoding).splitlines()
    fields = lines[-1].split(",")
    fields = fields[:change] if change < 0 else fields + ["x"] * change
    lines[-1] = ",".join(fields)
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return len(fields)


@pytest.mark.parametrize("change", LINES.values(), ids=LINES)
@pytest.mark.parametrize("kind", ["allocation", "course_log", "linkage"])
def test_lines_of_a_list_have_the_fields_of_its_heading(written_trial, trial_files, tmp_path, kind, change):
    root = written_trial.root
    fields = load_dictionary(root)
    path = tmp_path / f"{kind}.csv"
    rows = getattr(trial_files, kind)
    write_csv(path, rows)
    there = _with_a_line(path, change=change, encoding="utf-8")
    table = read_list(
        path,
        file=path.name,
        kind=kind,
        fields=fields,
        spellings=load_spellings(root, fields),
        study=load_study(root, STUDY),
    )
    expected = [(f"row {len(rows) + 1}", "error", f"{there} fields")] if change else []
    assert said(table.problems, "L03") == expected


@pytest.mark.parametrize("change", LINES.values(), ids=LINES)
@pytest.mark.parametrize("wave", ["baseline", "endline"])
def test_lines_of_an_export_have_the_fields_of_its_heading(written_trial, trial_files, wave, change):
    root = written_trial.root
    fields = load_dictionary(root)
    path = trial_files.survey_path(wave)
    path.parent.mkdir(parents=True)
    trial_files.surveys[wave] = trial_files.surveys[wave][:4]
    trial_files.write_survey(wave)
    there = _with_a_line(path, change=change, encoding="utf-8-sig")
    table = read_survey(
        path,
        file=path.name,
        wave=wave,
        fields=fields,
        spellings=load_spellings(root, fields),
        pseudonyms=load_pseudonyms(root, status="synthetic"),
    )
    expected = [("row 7", "error", f"{there} fields")] if change else []  # three headings, four responses
    assert said(table.problems, "S04") == expected


# ---------------------------------------------------------------- the ledger
LINE = Correction(
    id="K-1",
    received_on="2019-12-01",
    requested_by="Kent",
    study=STUDY,
    wave="baseline",
    authority="Kent",
    staff_id="KEN-0001",
    field="illness_days",
    old_value="1",
    new_value="2",
    reason="typed wrongly",
)


@pytest.mark.parametrize("name", ["reason", "requested_by"])
@pytest.mark.parametrize(("text", "code"), [("who asked", None), ("a.b (at) kent", None), ("a@b", "E13"), ("", "E06")])
def test_free_texts_of_the_ledger_hold_words_and_no_address(root, name, text, code):
    study = load_study(root, STUDY)
    found = check_schema([(7, replace(LINE, **{name: text}))], study=study, studies=frozenset({STUDY}))
    assert [(problem.severity, problem.cell) for problem in found] == ([("error", "row 7")] if code else [])
    assert {problem.code for problem in found} == ({code} if code else set())


# ---------------------------------------------------------------- lists of people without a log
def listing(frame: pd.DataFrame, name: str) -> ListFile:
    rows = frame.assign(row=range(2, len(frame) + 2))
    columns = {str(column): place for place, column in enumerate(frame, start=1)}
    return ListFile(file=f"{name}.csv", path=Path(f"{name}.csv"), kind="list", frame=rows, fields={}, columns=columns)


def findings_of_arms(plan, frame, *, limit):
    thresholds = {} if limit is None else {"I09": Threshold(code="I09", about="people", limit=limit)}
    check = ArmsCheck(plan=plan, allocation=listing(frame, "allocation"), surveys=(), thresholds=thresholds)
    return [(found.rule.code, found.problem().severity, found.units) for found in arms_findings(check)]


@pytest.mark.parametrize("study", ["letters", "beneficiaries", "swing"])
@pytest.mark.parametrize("limit", [0, 1, 3])
@pytest.mark.parametrize("apart", [-1, 0, 1])
def test_arms_of_a_block_differ_by_the_limit_at_most(root, study, limit, apart):
    """By the limit, or by one fewer, they may; by one more they may not, whichever arm is the larger."""
    plan = load_individual_plan(root, study)
    block, arms = plan.design.within, [arm.id for arm in plan.arms]
    for larger in (0, 1):
        sizes = {arms[larger]: 10 + max(0, limit + apart), arms[1 - larger]: 10}
        frame = pd.DataFrame([{"arm": arm, block: "North"} for arm, size in sizes.items() for _ in range(size)])
        planned = replace(
            plan,
            design=replace(plan.design, randomised=len(frame)),
            blocks=(),
            arms=tuple(replace(arm, randomised=sizes[arm.id]) for arm in plan.arms),
        )
        expected = [("I09", "error", ("North",))] if apart > 0 else []
        assert findings_of_arms(planned, frame, limit=limit) == expected
        assert findings_of_arms(planned, frame, limit=None) == []


@pytest.mark.parametrize("more", [-1, 0, 1])
@pytest.mark.parametrize("study", ["letters", "beneficiaries", "swing"])
def test_people_arms_and_blocks_are_as_many_as_planned(root, study, more):
    plan = load_individual_plan(root, study)
    block, arms = plan.design.within, [arm.id for arm in plan.arms]
    frame = pd.DataFrame([{"arm": arm, block: "North"} for arm in arms for _ in range(10)])
    planned = replace(
        plan,
        design=replace(plan.design, randomised=20),
        blocks=(),
        arms=tuple(replace(arm, randomised=10) for arm in plan.arms),
    )
    everyone = replace(planned, design=replace(planned.design, randomised=20 + more))
    assert findings_of_arms(everyone, frame, limit=9) == ([("I07", "error", ("everyone",))] if more else [])
    one_arm = replace(planned, arms=(replace(planned.arms[0], randomised=10 + more), *planned.arms[1:]))
    assert findings_of_arms(one_arm, frame, limit=9) == ([("I08", "error", (arms[0],))] if more else [])


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_participants_decisions_and_people_of_a_condition_are_as_many_as_planned(root, more):
    """One participant decides on the two applications of a pair, the other scores; each number is moved by itself."""
    whole = load_experiment_plan(root, "hiring")
    cells = [cell for cell in whole.cells.values() if cell.people is not None]
    people = pd.DataFrame(
        {"participant": ["P1", "P2"], "evaluation": "joint", "name_set": "1", "name_shown": cells[0].id}
    )
    decisions = pd.DataFrame(
        {
            "participant": ["P1", "P1", "P2", "P2"],
            "position": [1, 2, 1, 2],
            "pair": 1,
            "application": [1, 2, 1, 2],
            "name": ["a", "b", "a", "b"],
        }
    )
    scores = pd.DataFrame({"participant": ["P1", "P1", "P2"]})
    lists = {
        "participants": listing(people, "participants"),
        "decisions": listing(decisions, "decisions"),
        "scores": listing(scores, "scores"),
    }

    def plan(*, cell=0, participants=0, decided=0):
        there = {one.id: 2 if one.id == cells[0].id else 0 for one in cells}
        experiments = {
            key: replace(one, participants=2 + participants, decisions=(4 if one.cluster else 3) + decided)
            for key, one in whole.experiments.items()
        }
        counted = {
            key: replace(one, people=None if one.people is None else there[key] + cell)
            for key, one in whole.cells.items()
        }
        return replace(whole, experiments=experiments, cells=counted)

    def found(**moved):
        return [(one.rule.code, one.problem().severity) for one in conditions_findings(lists, plan(**moved), {})]

    assert found(cell=more) == [("K18", "error")] * len(cells) * bool(more)
    assert found(participants=more) == found(decided=more) == [("K18", "error")] * len(whole.experiments) * bool(more)


@pytest.mark.parametrize(("exchanged", "seen"), [(0, False), (10, False), (11, True), (20, True)])
def test_decisions_depend_on_the_application(root, exchanged, seen):
    """Two applications of 40 decisions each, one always taken further and one never, of which some are exchanged: a
    chi-squared of 80 (1 - exchanged / 20)^2, which with ten is 20 and with eleven 16.2.
    """
    further = [1] * (40 - exchanged) + [0] * exchanged + [0] * (40 - exchanged) + [1] * exchanged
    frame = pd.DataFrame({"application": ["A"] * 40 + ["B"] * 40, "progressed": further})
    limits = {"K34": Threshold(code="K34", about="a limit", limit=19, least=80)}
    people = pd.DataFrame({"participant": [], "evaluation": [], "name_set": [], "name_shown": []})
    frame = frame.assign(participant="P1", position=1, pair=1, name=None)
    lists = {"participants": listing(people, "participants"), "decisions": listing(frame, "decisions")}
    lists["scores"] = listing(frame, "scores")
    found = conditions_findings(lists, load_experiment_plan(root, "hiring"), limits)
    assert [each.cell for each in found if each.rule.code == "K34"] == ["column progressed"] * seen


LISTS = list_specs(load_pilot_plan(Path(__file__).resolve().parents[3], "dictation"))


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_lists_of_a_pilot_are_as_long_as_planned(root, tmp_path, more):
    for part in ("plan", "published", "allocation", "usage", "surveys/dictation"):
        shutil.copytree(root / "data" / part, tmp_path / "data" / part)
    for name in ("manifest.toml", "dictionary.csv"):
        shutil.copy(root / "data" / name, tmp_path / "data" / name)
    plan = tmp_path / "data/plan/dictation.toml"
    plan.write_text(plan.read_text("utf-8").replace("lines = 22", f"lines = {22 + more}"), encoding="utf-8")
    record_files(tmp_path)
    if not more:
        load_pilot(tmp_path, load_pilot_plan(tmp_path, "dictation"))
        return
    with pytest.raises(DataError, match=f"22 lines of survey, {22 + more} in the plan") as refused:
        load_pilot(tmp_path, load_pilot_plan(tmp_path, "dictation"))
    assert [problem.code for problem in refused.value.problems] == ["K33"]


@pytest.mark.parametrize(
    ("spec", "field"), [(spec, field) for spec in LISTS for field in spec.fields if field.maximum is not None]
)
def test_values_of_the_smaller_lists_lie_within_their_limits(root, tmp_path, spec, field):
    frame = pd.read_csv(root / spec.file, dtype=str, keep_default_na=False)
    copied = tmp_path / "data"
    shutil.copytree(root / "data", copied)
    for value, broken in (
        (field.minimum, False),
        (field.maximum, False),
        (field.minimum - 1, True),
        (field.maximum + 1, True),
    ):
        frame.assign(**{field.name: [f"{value:g}", *frame[field.name][1:]]}).to_csv(tmp_path / spec.file, index=False)
        record_files(tmp_path)
        try:
            load_pilot(tmp_path, load_pilot_plan(tmp_path, "dictation"))
            codes = set()
        except DataError as error:
            codes = {problem.code for problem in error.problems}
        assert ("K10" in codes) == broken, (value, codes)
