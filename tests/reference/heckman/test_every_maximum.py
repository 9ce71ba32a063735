"""Every maximum of the selection likelihood: against gretl's climbs, an outside maximiser, and dense profiles."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from heckman_cases import (
    TRIAL_CASES,
    People,
    made_people,
    mroz_wages,
    people_of_model,
    trial_people,
    trial_plan_and_people,
)
from heckman_outside import Outside
from numpy.testing import assert_allclose

from hhp_stats.errors import NonConvergence
from hhp_stats.estimate.selection import SelectionFit, heckman_likelihood
from hhp_stats.studies.estimators import missing
from hhp_stats.studies.goal_setting.analysed import Material, models
from hhp_stats.studies.goal_setting.cells import run_cell
from hhp_stats.studies.goal_setting.imputation_model import impute_trial

HERE = Path(__file__).parent
HILLS = pd.read_csv(HERE / "hills.csv")


def people_of(case: str) -> People:
    made = {"mroz_wages": mroz_wages, "form_alone_cluster": made_people}
    return made[case]() if case in made else trial_people(case.removeprefix("trial:"))


def fitted(people: People) -> SelectionFit:
    return heckman_likelihood(**people.arguments())  # type: ignore[arg-type]


@pytest.mark.parametrize("case", list(dict.fromkeys(HILLS["case"])))
def test_the_highest_maximum_inside_is_reported_and_the_others_are_named(case: str) -> None:
    fit = fitted(people_of(case))
    hills = HILLS[HILLS["case"] == case]
    inside = hills[hills["rho"].abs() <= 0.99]
    best = inside.loc[inside["log_likelihood"].idxmax()]
    # gretl's numerical derivatives leave the fifth digit of the errors open, and its climb the sixth of the place.
    assert_allclose(fit.log_likelihood, best["log_likelihood"], rtol=0, atol=2e-4)
    assert_allclose(fit.rho, best["rho"], rtol=0, atol=2e-5)
    assert_allclose(fit.coefficients[1], best["estimate"], rtol=2e-4, atol=1e-5)
    assert_allclose(math.sqrt(fit.covariance[1, 1]), best["std_error"], rtol=5e-3 if case == "mroz_wages" else 1e-3)
    assert_allclose(fit.sigma, best["sigma"], rtol=2e-5)
    assert_allclose(fit.sigma_std_error, best["sigma_std_error"], rtol=2e-3)
    others = hills.drop(best.name)
    assert len(others) >= 1
    note = fit.coefficient(term=fit.names[1]).note
    for other in others.itertuples():
        (ours,) = [found for found in fit.others if found.stationary and abs(found.rho - other.rho) < 1e-4]
        assert_allclose(ours.log_likelihood, other.log_likelihood, rtol=0, atol=2e-4)
        assert_allclose(ours.coefficients[1], other.estimate, rtol=2e-4, atol=1e-5)
        assert ours.edge == (abs(other.rho) > 0.99)
        assert f"rho {ours.rho:.3f} (log likelihood {ours.log_likelihood:.3f}" in note
    assert ("edge solution" in note) == any(found.edge for found in fit.others)
    # Both are a note of the correlation's row too.
    assert f"rho {fit.others[0].rho:.3f}" in fit.correlation().note or not fit.others[0].stationary


def test_mroz_wages_as_the_textbooks_report_them() -> None:
    fit = fitted(mroz_wages())
    # Greene's table, sampleSelection and gretl print these digits; the higher point at the edge is named only.
    assert f"{fit.log_likelihood:.3f} {fit.rho:.3f} {fit.sigma:.3f}" == "-1581.258 -0.132 3.108"
    assert "edge solution, rho 0.993 (log likelihood -1479.654" in fit.coefficient(term="educ").note
    assert not fit.edge


def test_the_four_outcomes_of_the_trial_are_in_the_file_with_two_maxima_each() -> None:
    inside = HILLS[HILLS["rho"].abs() <= 0.99].groupby("case").size()
    assert (inside[[f"trial:{key}" for key in TRIAL_CASES]] >= 2).all() and inside["form_alone_cluster"] >= 2
    assert (HILLS[HILLS["case"] == "mroz_wages"]["rho"].abs() > 0.99).any()


def test_an_outside_maximiser_finds_nothing_higher() -> None:
    """Quasi-Newton climbs of the likelihood in its own parameters, from eight values of rho and either side of the
    two hills.
    """
    for people in (made_people(), replace(made_people(), y=-made_people().y)):
        fit, outside = fitted(people), Outside(people)
        outside.check()
        found = outside.climbs((-0.95, -0.8, -0.5, -0.2, 0.2, 0.5, 0.8, 0.95))
        inside = [climb for climb in found if abs(climb.rho) <= 0.99]
        best = max(inside, key=lambda climb: climb.log_likelihood)
        # The outside climb stops at a gradient of 1e-5 an observation.
        assert_allclose(fit.log_likelihood, best.log_likelihood, rtol=0, atol=1e-5)
        assert_allclose(fit.coefficients, best.coefficients, rtol=1e-3, atol=1e-3)
        assert_allclose(fit.rho, best.rho, rtol=0, atol=1e-3)


@pytest.fixture(scope="module")
def imputed_material() -> Material:
    """Three completed data sets of the trial, by few iterations: what is pooled is checked, not how they were
    filled.
    """
    plan, people = trial_plan_and_people()
    models = {key: replace(model, m=3) for key, model in plan.imputation.models.items()}
    few = replace(plan, imputation=replace(plan.imputation, iterations=2, models=models))
    return Material(plan=few, people=people, imputations=impute_trial(people, few), redraws=None)


def test_the_pooled_row_takes_each_data_set_at_its_highest_maximum(imputed_material: Material) -> None:
    material = imputed_material
    analysis = material.plan.analysis("wellbeing/itt/heckman-imputed")
    outcome = material.plan.outcomes["wellbeing"]
    (effect,) = run_cell(analysis, material).rows
    found = []
    for model in models(analysis, outcome, material):
        outside = Outside(people_of_model(model))
        inside = [climb for climb in outside.climbs((-0.85, -0.4, 0.1, 0.6)) if abs(climb.rho) <= 0.99]
        found.append(max(inside, key=lambda climb: climb.log_likelihood).coefficients[1])
    assert len(found) == 3
    # Each outside climb stops within some 1e-4 of the effect, a few thousandths of its standard error.
    assert_allclose(effect.estimate, np.mean(found), rtol=0, atol=2e-3)
    assert "Each of the 3 completed data sets at its highest maximum inside, rho from" in effect.note
    assert "functional form alone" in effect.note


def test_a_data_set_without_a_maximum_is_a_row_with_its_reason(
    imputed_material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = missing.heckman_likelihood
    calls = iter(range(3))

    def second_fails(**arguments: object) -> SelectionFit:
        if next(calls) == 1:
            raise NonConvergence("selection model: rho runs to 1")
        return fit(**arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(missing, "heckman_likelihood", second_fails)
    analysis = imputed_material.plan.analysis("wellbeing/itt/heckman-imputed")
    (row,) = run_cell(analysis, imputed_material).rows
    assert row.status == "not_estimated"
    assert row.note == "NonConvergence: in 1 of 3 completed data sets: selection model: rho runs to 1"
