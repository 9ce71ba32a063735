"""Imputation, selection, weights, bounds, absence and ratios: names, order, units and direction must not matter."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from hhp_stats.estimate.bounds import lee_bounds, worst_case_bounds
from hhp_stats.estimate.cost_benefit import Costs, benefit_cost_ratio
from hhp_stats.estimate.imputation import ImputationPlan, ImputedVariable, impute
from hhp_stats.estimate.selection import heckman_likelihood, heckman_two_step
from hhp_stats.estimate.tipping import tipping_points
from hhp_stats.estimate.weights import response_weights, weighted_effect
from hhp_stats.infer.pooling import pool
from hhp_stats.measures.absence import exposure, trial_absence
from hhp_stats.measures.bradford import bradford
from hhp_stats.regression.cluster_robust import cluster_covariance, coefficient
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import ModelMatrix, Term, model_matrix
from hhp_stats.results.frame import Estimate

# The same sums in another order or unit, through a few dozen iterations.
ROUNDING = 1e-7
TERMS = (Term(column="x", kind="continuous"),)


@pytest.fixture(params=range(2), scope="module")
def frame(request):
    rng = np.random.default_rng(request.param)
    team = np.repeat(np.arange(40), rng.integers(4, 11, 40))
    n = len(team)
    found = pd.DataFrame({"team_id": team, "treatment": (team % 2).astype(float), "x": rng.normal(size=n)})
    y = 0.3 * found["treatment"] + found["x"] + 0.4 * rng.normal(size=40)[team] + rng.normal(size=n)
    return found.assign(y=y.where(rng.random(n) < 1 / (1 + np.exp(-0.4 - 0.7 * found["x"] * (1 - found["treatment"])))))


def renamed(frame):
    return frame.assign(team_id=[f"team {(11 * t + 5) % 40}" for t in frame["team_id"]])


def swapped(frame):
    return frame.assign(treatment=1 - frame["treatment"])


def same(first, second, fields=("estimate", "std_error", "df", "p_value", "conf_low", "conf_high")):
    for field in fields:
        assert getattr(second, field) == pytest.approx(getattr(first, field), rel=ROUNDING), field


def plan(kind):
    return ImputationPlan(
        variables=(ImputedVariable(name="y", kind=kind),),
        terms=TERMS,
        clusters="team_id",
        imputations=4,
        iterations=2,
        seed=3,
    )


def effect(frame):
    fit = ols(outcome=frame["y"].to_numpy(), matrix=model_matrix(frame, TERMS))
    return coefficient(fit, cluster_covariance(fit, clusters=frame["team_id"]))


@pytest.mark.parametrize("kind", ["continuous", "pmm"])
def test_imputations_ignore_names_of_teams_and_follow_units(frame, kind):
    first = impute(frame, plan(kind)).imputed["y"].values
    named = impute(renamed(frame), plan(kind)).imputed["y"].values
    np.testing.assert_array_equal(named, first)
    # Another unit and origin of outcome and covariate: the same draws, or the same donors, in those units.
    moved = frame.assign(y=50 + 1e4 * frame["y"], x=1e-3 * frame["x"] - 7)
    np.testing.assert_allclose(impute(moved, plan(kind)).imputed["y"].values, 50 + 1e4 * first, rtol=1e-6)


def test_pooled_effects_scale_with_the_outcome(frame):
    first = pool([effect(each) for each in impute(frame, plan("pmm"))])
    scaled = pool([effect(each) for each in impute(frame.assign(y=1e4 * frame["y"]), plan("pmm"))])
    same(first.scaled(1e4), scaled)
    assert scaled.fraction_missing_information == pytest.approx(first.fraction_missing_information, rel=ROUNDING)


@pytest.mark.parametrize("model", [heckman_likelihood, heckman_two_step])
def test_selection_models_flip_with_the_arms_and_ignore_names(frame, model):
    rng = np.random.default_rng(1)
    z = rng.normal(size=len(frame))
    outcome = frame["y"].where(z + frame["x"] > -0.8).to_numpy()

    def fitted(of):
        matrix = model_matrix(of, TERMS)
        response = ModelMatrix(values=np.column_stack([matrix.values, z]), names=(*matrix.names, "z"))
        clusters = {"clusters": of["team_id"]} if model is heckman_likelihood else {}
        return model(outcome=outcome, matrix=matrix, selection_matrix=response, **clusters)

    first, mirrored = fitted(frame), fitted(swapped(frame))
    same(first.coefficient().scaled(-1), mirrored.coefficient())
    assert (mirrored.rho, mirrored.sigma) == pytest.approx((first.rho, first.sigma), rel=ROUNDING)
    same(first.coefficient(), fitted(renamed(frame)).coefficient())


def test_weighted_effects_ignore_order_names_and_units_of_covariates(frame):
    def fitted(of):
        matrix = model_matrix(of, TERMS)
        weights = response_weights(answered=of["y"].notna(), matrix=matrix)
        return weighted_effect(
            outcome=of["y"].to_numpy(), matrix=model_matrix(of, []), response=weights, clusters=of["team_id"]
        )

    first = fitted(frame)
    shuffled = renamed(frame).sample(frac=1, random_state=2)
    same(first, fitted(shuffled.assign(x=1e5 * shuffled["x"] + 1e6)))
    same(first.scaled(-1), fitted(swapped(frame)))


def test_bounds_follow_units_and_mirror(frame):
    y, arm, team = frame["y"].to_numpy(), frame["treatment"].to_numpy(), frame["team_id"]
    first = lee_bounds(outcome=y, treatment=arm, clusters=team, draws=100, seed=1)
    scaled = lee_bounds(outcome=7 - 3 * y, treatment=arm, clusters=renamed(frame)["team_id"], draws=100, seed=1)
    assert (scaled.lower.estimate, scaled.upper.estimate) == pytest.approx(
        (-3 * first.upper.estimate, -3 * first.lower.estimate), rel=ROUNDING
    )
    assert (scaled.conf_low, scaled.conf_high) == pytest.approx(
        (-3 * first.conf_high, -3 * first.conf_low), rel=ROUNDING
    )
    ends = {}
    for name, factor in (("plain", 1.0), ("turned", -1.0)):
        low, high = sorted((-9 * factor, 11 * factor))
        ends[name] = worst_case_bounds(
            outcome=factor * y, matrix=model_matrix(frame, TERMS), lowest=low, highest=high, clusters=team
        )
    assert ends["turned"].lower.estimate == pytest.approx(-ends["plain"].upper.estimate, rel=ROUNDING)
    assert ends["turned"].conf_high == pytest.approx(-ends["plain"].conf_low, rel=ROUNDING)


def test_tipping_points_follow_units(frame):
    found = {}
    for unit in (1.0, 100.0):
        scaled = frame.assign(y=unit * (frame["y"] + 0.6 * frame["treatment"]))
        found[unit] = tipping_points(
            impute(scaled, plan("pmm")),
            outcome="y",
            fit=effect,
            deltas=[unit * d for d in (-4, -2, 2)],
            shifted=("treated",),
        )
    plain, scaled = (found[unit].points.iloc[0] for unit in (1.0, 100.0))
    assert plain["conclusion"] == scaled["conclusion"] == "positive"
    # Brent's method stops at a thousandth of the distance of two grid points.
    assert scaled["delta_low"] == pytest.approx(100 * plain["delta_low"], abs=100 * 4e-3)


@pytest.mark.parametrize("rule", ["pro_rata", "absent_after_leaving", "left_out"])
def test_absence_ignores_the_order_of_rows_and_names_of_authorities(rule):
    rng = np.random.default_rng(4)
    people = pd.DataFrame(
        {
            "local_authority": rng.choice(["A", "B"], 60),
            "illness_days": rng.integers(0, 4, 60).astype(float),
            "leaving_date": pd.to_datetime([date(2019, 5, 1 + i) if i < 20 else pd.NaT for i in range(60)]),
        }
    )

    def outcome(of, launches):
        return trial_absence(of.join(exposure(of, launches=launches, weeks=12)), rule=rule).days

    launches = {"A": date(2019, 4, 1), "B": date(2019, 4, 15)}
    first = outcome(people, launches)
    other = people.assign(local_authority=people["local_authority"].map({"A": "Zed", "B": "Alpha"})).sample(
        frac=1, random_state=1
    )
    again = outcome(other, {"Zed": launches["A"], "Alpha": launches["B"]})
    pd.testing.assert_series_equal(first, again.sort_index(), rtol=1e-12)


def test_bradford_ignores_the_order_of_rows():
    people = pd.DataFrame(
        {"local_authority": ["A", "A", "B", "A"], "illness_spells": [1, 3, 2, 0], "illness_days": [2, 3.5, 9, 0]}
    )
    first = bradford(people, recording_authorities=["A"])
    again = bradford(people.iloc[::-1], recording_authorities=["A"])
    pd.testing.assert_series_equal(first.scores, again.scores.sort_index())
    assert (first.n, first.not_recorded) == (again.n, again.not_recorded) == (3, 1)


def test_the_benefit_cost_ratio_ignores_the_currency():
    costs = Costs(salary=36_000, working_days=220, programme_days=0.6, turnover_cost=9_000, scenario="s")
    dear = replace(costs, salary=36_000e3, turnover_cost=9_000e3)
    effects = {
        name: Estimate(estimate=value, std_error=error, df=200, n=1_850, n_clusters=264, method="m")
        for name, value, error in (("absence", -0.8, 0.4), ("turnover", -0.02, 0.01))
    }
    same(
        benefit_cost_ratio(costs=costs, **effects),
        benefit_cost_ratio(costs=dear, **effects),
        ("estimate", "conf_low", "conf_high"),
    )
