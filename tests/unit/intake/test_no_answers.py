"""A survey that nobody answered stops no study: every row is there, with its reason, and a warning names file and
outcomes. A file that is not there is refused, unless the plan says that this survey has none.
"""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import pandas as pd
import pytest

from hhp_stats.errors import DataError
from hhp_stats.intake.check import check_returns
from hhp_stats.intake.load import load_trial
from hhp_stats.intake.manifest import record_files
from hhp_stats.intake.pilots import load_pilot
from hhp_stats.intake.raw_files import raw_files_of
from hhp_stats.plan.any_plan import outcomes_asked, plan_of
from hhp_stats.plan.catalogue import catalogue
from hhp_stats.plan.pilot_plan import load_pilot_plan
from hhp_stats.plan.pilot_schema import PilotPlan
from hhp_stats.running.run import run_study

ROOT = Path(__file__).resolve().parents[3]
ANSWERS = [
    (entry.study, file)
    for entry in catalogue(ROOT)
    for file in raw_files_of(ROOT, entry.study)
    if file.startswith("data/surveys/") and not file.endswith("/linkage.csv")
]
ON_RETURNS = "goal_setting"  # whose run takes minutes; its analyses without answers: test_goal_setting_missing
FAST = ("data/surveys/beneficiaries/endline.csv", "data/surveys/dictation/endline.csv")
NO_SURVEY = """
[[deviation]]
id = "X1"
study = "{study}"
clause = ""
analysis = "data/surveys/{wave}"
aspect = "survey"
rule = "S01"
units = ["{wave}"]
planned = "held"
done = "not held"
reason = "The survey was not held."
decided = "for a test"
before_unblinding = false
"""
COUNTED = {  # lists whose lines the plan may count
    planned.file: planned.id
    for entry in catalogue(ROOT)
    if isinstance(plan := plan_of(ROOT, entry.study), PilotPlan)
    for planned in plan.lists.values()
}
NO_LINES = """
[[deviation]]
id = "X2"
study = "{study}"
clause = ""
analysis = "data/surveys/{wave}"
aspect = "survey"
rule = "K33"
units = ["{name}"]
planned = "answered"
done = "not answered"
reason = "Nobody answered the survey."
decided = "for a test"
before_unblinding = false
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    found = tmp_path_factory.mktemp("answers") / "project"
    shutil.copytree(ROOT / "data", found / "data", ignore=shutil.ignore_patterns("releases"))
    return found


@pytest.fixture
def without_answers(home):
    """A survey's headings alone; every file is put back afterwards."""
    kept: dict[Path, bytes] = {}

    def empty(file: str, *, also: tuple[str, ...] = ()) -> Path:
        for name in (file, *also):
            kept[home / name] = (home / name).read_bytes()
        rows = list(csv.reader(io.StringIO(kept[home / file].decode("utf-8-sig"), newline="")))
        first = 3 if any("ImportId" in cell for cell in rows[2]) else 1
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(rows[:first])
        (home / file).write_bytes(text.getvalue().encode())
        record_files(home)
        return home

    yield empty
    for path, content in kept.items():
        path.write_bytes(content)


def said(problems: pd.DataFrame, *codes: str) -> dict[str, tuple[str, str, str]]:
    rows = problems.loc[problems["code"].isin(codes)].to_dict("records")
    return {row["code"]: (row["severity"], row["file"], row["value"]) for row in rows}


@pytest.mark.parametrize(
    ("study", "file"),
    [
        pytest.param(*case, marks=[] if case[1] in FAST else [pytest.mark.slow])
        for case in ANSWERS
        if case[0] != ON_RETURNS
    ],
)
def test_a_survey_without_answers_leaves_every_row_with_its_reason(without_answers, study, file):
    whole = run_study(ROOT, study).results
    notes = "data/plan/deviations.toml"
    home = without_answers(file, also=(notes,))
    if file in COUNTED:  # so many lines are planned that none at all needs its reason
        with pytest.raises(DataError) as refused:
            run_study(home, study)
        assert [(each.code, each.file) for each in refused.value.problems] == [("K33", file)]
        with (home / notes).open("a", encoding="utf-8") as more:
            more.write(NO_LINES.format(study=study, wave=Path(file).stem, name=COUNTED[file]))
    output = run_study(home, study)
    # How many periods of response there are follows from the responses: of none there is the first alone.
    periods = {key for key in whole["result_id"] if "/period_" in key and "/period_1/" not in key}
    assert sorted(set(whole["result_id"]) - set(output.results["result_id"]) - periods) == []
    lacking = output.results.loc[output.results["status"] == "not_estimated"]
    assert len(lacking) > (whole["status"] == "not_estimated").sum()
    assert lacking["estimate"].isna().all() and lacking["note"].str.len().gt(10).all()
    severity, where, value = next(iter(said(output.tables["problems"], "S07", "K20").values()))
    assert severity == "warning" and where == file and "headings alone" in value
    wave = Path(file).stem
    for label in outcomes_asked(ROOT, study, wave=wave, suffix={"baseline": "_t1", "endline": "_t2"}[wave])[:8]:
        assert label in value


@pytest.mark.parametrize("wave", ["baseline", "endline"])
def test_of_the_trial_on_returns_too(without_answers, wave):
    file = f"data/surveys/{ON_RETURNS}/{wave}.csv"
    suffix = "_t1" if wave == "baseline" else "_t2"
    trial = load_trial(without_answers(file), ON_RETURNS)
    assert not trial.people[f"responded{suffix}"].any() and trial.people[f"happiness{suffix}"].isna().all()
    severity, where, value = said(trial.problems, "S07")["S07"]
    assert (severity, where) == ("warning", file) and "Subjective wellbeing" in value
    assert trial.linkage.loc[trial.linkage["wave"] == wave, "responses"].eq(0).all()


def test_responses_none_of_which_counts_are_no_answers_either(without_answers):
    file = f"data/surveys/{ON_RETURNS}/endline.csv"
    home = without_answers(file)
    rows = list(csv.reader(io.StringIO((ROOT / file).read_text(encoding="utf-8-sig"), newline="")))
    at = rows[0].index("consent")
    questions = range(at, len(rows[0]) - ("Release" in rows[0]))
    text = io.StringIO(newline="")
    refused = [[("Disagree" if at == c else "") if c in questions else v for c, v in enumerate(r)] for r in rows[3:]]
    csv.writer(text, lineterminator="\n").writerows([*rows[:3], *refused])
    (home / file).write_bytes(text.getvalue().encode())
    record_files(home)
    trial = load_trial(home, ON_RETURNS)
    severity, where, value = said(trial.problems, "S07")["S07"]
    assert (severity, where) == ("warning", file) and value.startswith(f"{len(refused)} responses, no response")


@pytest.mark.parametrize("study", [ON_RETURNS, "beneficiaries"])
def test_a_missing_file_is_refused_unless_the_plan_says_that_there_is_none(without_answers, study):
    file, notes = f"data/surveys/{study}/endline.csv", "data/plan/deviations.toml"
    home = without_answers(file, also=(notes,))
    (home / file).unlink()
    record_files(home)
    report = check_returns(home, study=study)
    (problem,) = [each for each in report.problems if each.severity == "error"]
    assert (problem.code, problem.file) == ("S01", file)
    assert "heading rows" in problem.remedy and 'rule = "S01"' in problem.remedy
    with (home / notes).open("a", encoding="utf-8") as more:
        more.write(NO_SURVEY.format(study=study, wave="endline"))
    report = check_returns(home, study=study)
    assert report.ok
    found = {each.code: each for each in report.problems if each.file == file}
    assert found["S01"].severity == "note" and "X1" in found["S01"].remedy
    assert found["S07"].severity == "warning" and found["S07"].value.startswith("no export")


def test_a_blank_answer_of_a_pilot_is_no_answer_and_a_blank_minute_is_refused(home):
    file = home / "data/surveys/dictation/endline.csv"
    kept = file.read_bytes()
    try:
        frame = pd.read_csv(file, dtype="str", keep_default_na=False)
        frame.assign(frequency=["", *frame["frequency"][1:]]).to_csv(file, index=False)
        record_files(home)
        rows = run_study(home, "dictation").results.set_index("result_id")
    finally:
        file.write_bytes(kept)
    asked = len(frame)
    assert rows.loc["dictation/survey/respondents/count", "estimate"] == asked
    counted = {name: rows.loc[f"dictation/survey/{name}/exact", "n"] for name in ("several_times_a_week", "continue")}
    assert counted == {"several_times_a_week": asked - 1, "continue": asked}
    file = home / "data/usage/dictation.csv"
    kept = file.read_bytes()
    try:
        frame = pd.read_csv(file, dtype="str", keep_default_na=False)
        frame.assign(minutes=["", *frame["minutes"][1:]]).to_csv(file, index=False)
        record_files(home)
        with pytest.raises(DataError) as refused:
            load_pilot(home, load_pilot_plan(home, "dictation"))
    finally:
        file.write_bytes(kept)
    (problem,) = refused.value.problems
    assert problem.code == "K19" and "minutes" in problem.cell and "delete the line" in problem.remedy
