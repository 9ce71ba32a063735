"""Every row names the functions that its run entered: seen by a profile, not read off the code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

import joblib
import pytest
from small_plans import few_draws

from hhp_stats.intake.participants import load_participants
from hhp_stats.intake.trial import Trial
from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.plan.load import load_plan
from hhp_stats.present.chapter import StudyReport
from hhp_stats.running.run import run_study
from hhp_stats.studies.field_trial.cells import run_cell as run_field_trial_cell
from hhp_stats.studies.field_trial.sample import build_sample as field_trial_sample
from hhp_stats.studies.goal_setting import allocation, linear_cells
from hhp_stats.studies.goal_setting.analysed import Material
from hhp_stats.studies.goal_setting.cells import run_cell
from hhp_stats.studies.goal_setting.imputation_model import impute_trial
from hhp_stats.studies.goal_setting.sample import build_sample
from hhp_stats.synthetic.assumptions import load_assumptions
from hhp_stats.synthetic.simulate import simulate_trial

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = f"{ROOT / 'hhp_stats'}/"
ESTIMATING = ("regression", "estimate", "infer")


class Profile:
    """The package's functions that were entered, and the estimators that a study called itself, by their full names."""

    def __init__(self) -> None:
        self.entered: set[str] = set()
        self.called: set[str] = set()

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> None:
        if event != "call" or not frame.f_code.co_filename.startswith(PACKAGE):
            return
        name = _name(frame)
        self.entered.add(name)
        wrapper = frame.f_back
        caller = wrapper.f_back if wrapper is not None and _name(wrapper).startswith("hhp_stats.typed.") else None
        if caller is not None and name.split(".")[1] in ESTIMATING and _name(caller).startswith("hhp_stats.studies."):
            self.called.add(name)


def _name(frame: FrameType) -> str:
    file = frame.f_code.co_filename.removeprefix(f"{ROOT}/").removesuffix(".py").replace("/", ".")
    return f"{file}.{frame.f_code.co_qualname}"


def profiled(run: Callable[[], Any]) -> tuple[Any, Profile]:
    seen = Profile()
    sys.setprofile(seen)
    try:
        return run(), seen
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize("key", ["hiring", "swing", "dictation"])  # a run of each kind that takes seconds
def test_the_source_of_each_row_ran(key: str) -> None:
    output, seen = profiled(lambda: run_study(ROOT, key))
    named = {name for source in output.results["source"] for name in source.split(" + ")}
    assert named and not named - seen.entered


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
        imputations, seen = profiled(lambda: impute_trial(people, plan))
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
    monkeypatch.setattr(linear_cells, "DRAWS", 99)
    cell, seen = profiled(lambda: run_cell(made.plan.analysis(analysis), made))
    agree(cell.rows, seen, earlier)
    pooled = made.plan.analysis(analysis).baseline_absence in made.plan.imputation.models
    if pooled and cell.rows[0].status == "estimated":
        assert "hhp_stats.estimate.imputation.impute.impute_together" in cell.rows[0].source


@pytest.mark.parametrize("key", ["swing", "coffee"])
def test_a_cell_of_a_field_trial_names_what_it_called(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = load_individual_plan(ROOT, key)
    people = field_trial_sample(load_participants(ROOT, plan), plan).people
    for analysis in plan.analyses:
        cell, seen = profiled(lambda analysis=analysis: run_field_trial_cell(analysis, people, plan))
        agree((cell.row, *cell.beside), seen, Profile())


def test_a_refused_cell_names_where_it_was_refused(material: tuple[Material, Profile]) -> None:
    made, _ = material
    nobody = Material(plan=made.plan, people=made.people.iloc[:0], imputations={}, redraws=made.redraws)
    analysis = next(each for each in made.plan.analyses if each.baseline_absence not in made.plan.imputation.models)
    row = run_cell(analysis, nobody).rows[0]
    assert row.status == "not_estimated" and row.source == "hhp_stats.studies.goal_setting.cells.run_cell"


def test_every_source_of_the_goal_setting_trial_is_a_function(goal_setting_report: StudyReport) -> None:
    for source in set(goal_setting_report.output.results["source"]):
        for name in source.split(" + "):
            module, _, function = name.rpartition(".")
            assert callable(getattr(import_module(module), function, None)), name
