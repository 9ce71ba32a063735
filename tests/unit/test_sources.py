"""Every row names the functions that its run entered: seen by a profile, not read off the code."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from importlib import import_module
from types import FrameType
from typing import Any

import joblib
import pandas as pd
import pytest
from profiles import PACKAGE, ROOT, name_of, profiled
from small_plans import few_draws

from hhp_stats.calls.ran import names_in
from hhp_stats.intake.participants import load_participants
from hhp_stats.intake.trial import Trial
from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.plan.load import load_plan
from hhp_stats.present import goal_setting
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.goal_setting.named import sentence
from hhp_stats.present.provenance import place_in_plan
from hhp_stats.running.run import run_study
from hhp_stats.studies.estimators import resampling
from hhp_stats.studies.field_trial.cells import run_cell as run_field_trial_cell
from hhp_stats.studies.field_trial.sample import build_sample as field_trial_sample
from hhp_stats.studies.goal_setting import allocation
from hhp_stats.studies.goal_setting.analysed import Material
from hhp_stats.studies.goal_setting.cells import run_cell
from hhp_stats.studies.goal_setting.cost_benefit import leaver_cost
from hhp_stats.studies.goal_setting.imputation_model import impute_trial
from hhp_stats.studies.goal_setting.sample import build_sample
from hhp_stats.synthetic.assumptions import load_assumptions
from hhp_stats.synthetic.simulate import simulate_trial

ESTIMATING = ("regression", "estimate", "infer")


class Profile:
    """The package's functions that were entered, and the estimators that a study called itself, by their full names."""

    def __init__(self) -> None:
        self.entered: set[str] = set()
        self.called: set[str] = set()

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> None:
        if event != "call" or not frame.f_code.co_filename.startswith(PACKAGE):
            return
        name = name_of(frame.f_code)
        self.entered.add(name)
        wrapper = frame.f_back
        caller = (
            wrapper.f_back
            if wrapper is not None and name_of(wrapper.f_code).startswith("hhp_stats.calls.typed.")
            else None
        )
        if (
            caller is not None
            and name.split(".")[1] in ESTIMATING
            and name_of(caller.f_code).startswith("hhp_stats.studies.")
        ):
            self.called.add(name)


def watched(run: Callable[[], Any]) -> tuple[Any, Profile]:
    seen = Profile()
    sys.setprofile(seen)
    try:
        return run(), seen
    finally:
        sys.setprofile(None)


def one_of_each_kind(results: pd.DataFrame) -> pd.DataFrame:
    """The first row of every source, and of every kind of row by what its id ends with."""
    ends = results["result_id"].str.split("/").str[2:].str.join("/")
    return results.loc[~results["source"].duplicated() | ~ends.str.replace(r"\d+", "", regex=True).duplicated()]


def test_twenty_kinds_of_results_name_functions_that_their_run_entered(
    goal_setting_run: tuple[StudyReport, frozenset[str]],
) -> None:
    report, entered = goal_setting_run
    rows = one_of_each_kind(report.output.results)
    assert len(rows) >= 20 and rows["source"].nunique() >= 20
    for row in rows.to_dict("records"):
        assert set(names_in(row["source"])) and not set(names_in(row["source"])) - entered, row["result_id"]


@pytest.mark.parametrize("key", ["hiring", "swing", "dictation"])  # a run of each kind that takes seconds
def test_the_source_of_each_row_ran(key: str) -> None:
    output, entered = profiled(lambda: run_study(ROOT, key))
    for row in output.results.to_dict("records"):
        assert set(names_in(row["source"])) and not set(names_in(row["source"])) - entered, row["result_id"]


@pytest.mark.parametrize("key", ["goal_setting", "hiring", "swing", "dictation", "letters"])
def test_every_source_begins_where_the_study_made_the_row(
    key: str, goal_setting_run: tuple[StudyReport, frozenset[str]]
) -> None:
    results = goal_setting_run[0].output.results if key == "goal_setting" else run_study(ROOT, key).results
    assert all(source.startswith("hhp_stats.studies.") for source in results["source"])


def test_what_is_adjusted_pooled_or_rests_on_other_rows_names_all_of_it(
    goal_setting_run: tuple[StudyReport, frozenset[str]],
) -> None:
    results = goal_setting_run[0].output.results.set_index("result_id")
    named = {str(key): set(names_in(str(row["source"]))) for key, row in results.iterrows()}
    study, imputing = "goal_setting", "hhp_stats.estimate.imputation.impute.impute_together"
    pooling, holm = "hhp_stats.infer.pooling.pool", "hhp_stats.infer.multiplicity.holm"
    planned = named[f"{study}/sickness_absence/itt/cr1"]
    assert {imputing, pooling, holm} <= planned
    # A ratio rests on both effects and on the cost of a leaver, a standardised effect on the effect and the likeness.
    ratio = named[f"{study}/benefit_cost/ratio/programme-30"]
    leaver = named[f"{study}/benefit_cost/leaver_cost/mean"]
    assert planned - {holm} <= ratio and leaver - {name_of(leaver_cost.__code__)} <= ratio
    assert {imputing, "hhp_stats.estimate.cluster_bootstrap.linear_bootstrap"} <= named[
        f"{study}/benefit_cost/ratio/programme-30-bootstrap"
    ]
    likeness = "hhp_stats.estimate.icc.icc_reml"
    assert likeness in named[f"{study}/power/mdes/absence-achieved"]
    assert {likeness, *named[f"{study}/sickness_absence/itt/cr1"]} - {holm} <= named[
        f"{study}/sickness_absence/itt/hedges-g"
    ]


def test_no_study_types_a_source() -> None:
    typed = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / "hhp_stats" / "studies").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("hhp_stats.")
    ]
    assert typed == []


def agree(rows: Any, seen: Profile, earlier: Profile) -> None:
    for row in rows:
        named = set(row.source.split(" + "))
        assert not named - seen.entered - earlier.entered, f"{row.result_id} names what did not run"
        assert not seen.called - named, f"{row.result_id} keeps quiet about what ran"


@pytest.fixture(scope="module")
def material() -> tuple[Material, Profile]:
    """A small simulated trial with its completed data sets, and what making them entered."""
    plan = few_draws(load_plan(ROOT, "goal_setting"))
    drawn = simulate_trial(5, n_people=500, effect=-0.5, nonresponse=True, assumptions=load_assumptions())
    nothing = drawn.people.iloc[:0]
    trial = Trial(
        study="goal_setting",
        people=drawn.people,
        teams=drawn.teams,
        inputs=nothing,
        problems=nothing,
        corrections=nothing,
        tolerances=nothing,
        linkage=nothing,
        draws=nothing,
    )
    people = build_sample(trial, plan).people
    with joblib.parallel_config(n_jobs=1):
        imputations, seen = watched(lambda: impute_trial(people, plan))
    return Material(plan=plan, people=people, imputations=imputations, redraws=allocation.redraws(people, plan)), seen


def _kinds_of_cells() -> list[str]:
    """One analysis of every estimator, covariance and way of filling baselines that the plan asks for."""
    plan = load_plan(ROOT, "goal_setting")
    first: dict[tuple[str, ...], str] = {}
    for each in plan.analyses:
        imputed = each.baseline_absence in plan.imputation.models
        first.setdefault((each.estimator, each.covariance, str(imputed), each.missing_outcome), each.id)
    return list(first.values())


@pytest.mark.parametrize("analysis", _kinds_of_cells())
def test_a_cell_of_the_goal_setting_trial_names_what_it_called(
    material: tuple[Material, Profile], analysis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, earlier = material
    monkeypatch.setattr(resampling, "DRAWS", 99)
    cell, seen = watched(lambda: run_cell(made.plan.analysis(analysis), made))
    agree(cell.rows, seen, earlier)
    pooled = made.plan.analysis(analysis).baseline_absence in made.plan.imputation.models
    if pooled and cell.rows[0].status == "estimated":
        assert "hhp_stats.estimate.imputation.impute.impute_together" in cell.rows[0].source


@pytest.mark.parametrize("key", ["swing", "coffee"])
def test_a_cell_of_a_field_trial_names_what_it_called(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = load_individual_plan(ROOT, key)
    people = field_trial_sample(load_participants(ROOT, plan), plan).people
    for analysis in plan.analyses:
        cell, seen = watched(lambda analysis=analysis: run_field_trial_cell(analysis, people, plan))
        agree(cell.rows, seen, Profile())


def test_a_refused_cell_names_where_it_was_refused(material: tuple[Material, Profile]) -> None:
    made, _ = material
    nobody = Material(plan=made.plan, people=made.people.iloc[:0], imputations={}, redraws=made.redraws)
    analysis = next(each for each in made.plan.analyses if each.baseline_absence not in made.plan.imputation.models)
    row = run_cell(analysis, nobody).rows[0]
    assert row.status == "not_estimated" and names_in(row.source)[0] == name_of(run_cell.__code__)


def test_every_source_of_the_goal_setting_trial_is_a_function(goal_setting_report: StudyReport) -> None:
    for source in set(goal_setting_report.output.results["source"]):
        for name in source.split(" + "):
            module, _, function = name.rpartition(".")
            assert callable(getattr(import_module(module), function, None)), name


def test_what_a_chapter_says_by_name_is_the_function_of_that_name() -> None:
    folder = ROOT / "hhp_stats" / "present" / "goal_setting"
    topics = {module.__name__.rsplit(".", 1)[1] for module in goal_setting.TOPICS}
    assert topics == {path.stem for path in folder.glob("*.py")} - {"__init__", "named"}
    for known, kind in (
        (goal_setting.SENTENCES, ""),
        (goal_setting.TABLES, "_table"),
        (goal_setting.FIGURES, "_figure"),
    ):
        assert known and all(function.__name__ in (name, name + kind) for name, function in known.items())
    with pytest.raises(ValueError, match="one name, one function"):
        sentence(goal_setting.SENTENCES["primary"])


def test_the_plan_of_a_result_is_told_with_its_line() -> None:
    for result_id in ("goal_setting/sickness_absence/itt/cr1", "goal_setting/turnover/itt/linear"):
        file, _, line = place_in_plan(ROOT, result_id).partition(":")
        text = (ROOT / file).read_text(encoding="utf-8").splitlines()[int(line) - 1]
        assert text == f'id = "{result_id.split("/", 1)[1]}"'
    assert place_in_plan(ROOT, "swing/sample/randomised/count") == "data/plan/swing.toml"
