"""Missing baselines: balance by hand, the models as the plan names them, enough imputations, the other ways beside
the planned one.
"""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hhp_stats.errors import PlanError
from hhp_stats.estimate.imputation import ImputationPlan, Imputations, ImputedVariable
from hhp_stats.estimate.imputation.completed import ImputedValues
from hhp_stats.estimate.imputation.diagnostics import ImputationDiagnostics
from hhp_stats.infer.pooling import barnard_rubin_df
from hhp_stats.plan.load import load_plan
from hhp_stats.results.frame import Estimate
from hhp_stats.studies.goal_setting.baselines import balance_rows, balance_table
from hhp_stats.studies.goal_setting.monte_carlo import WARNING, monte_carlo_table, with_warnings
from hhp_stats.studies.goal_setting_terms import primary_analysis, versions_of_baselines
from hhp_stats.tails import student_tail

SETS, TEAMS = 20, 40  # enough for the joint test's degrees of freedom


@pytest.fixture(scope="module")
def plan(root):
    return load_plan(root, "goal_setting")


@pytest.fixture(scope="module")
def imputations():
    """Forty teams of four; every fourth baseline imputed, twenty completed data sets."""
    rng = np.random.default_rng(4)
    teams = np.repeat(np.arange(TEAMS), 4)
    days = rng.poisson(6, 4 * TEAMS).astype(float)
    rows = np.arange(0, 4 * TEAMS, 4)
    frame = pd.DataFrame(
        {"treatment": (teams % 2).astype(float), "team_id": [f"t{t}" for t in teams], "baseline_absence": days}
    )
    frame.loc[rows, "baseline_absence"] = np.nan
    empty = pd.DataFrame()
    return Imputations(
        frame=frame,
        plan=ImputationPlan(
            variables=(ImputedVariable(name="baseline_absence", kind="pmm"),), within=None, imputations=SETS, seed=1
        ),
        imputed={"baseline_absence": ImputedValues(rows=rows, values=rng.poisson(9, (SETS, TEAMS)).astype(float))},
        diagnostics=ImputationDiagnostics(trace=empty, convergence=empty, distributions=empty, notes=()),
    )


def by_hand(values, arm, teams, inside):
    """Difference of means of those inside, and its CR1 variance with four cells."""
    a, b = values[inside & (arm == 1)], values[inside & (arm == 0)]
    difference, variance = a.mean() - b.mean(), 0.0
    for team in np.unique(teams):
        own = inside & (teams == team)
        sign, mean, size = (1, a.mean(), len(a)) if arm[teams == team][0] == 1 else (-1, b.mean(), len(b))
        variance += (sign * (values[own] - mean).sum() / size) ** 2
    people = len(values)
    return difference, variance * TEAMS / (TEAMS - 1) * (people - 1) / (people - 4)


def test_the_balance_of_recorded_and_imputed_baselines_by_hand(plan, imputations):
    rows = {row.result_id.split("/", 2)[2]: row for row in balance_rows(imputations, plan)}
    table = balance_table(imputations, plan).set_index(["group", "arm"])
    frame, values = imputations.frame, imputations.columns("baseline_absence")
    arm, teams, missing = (
        frame["treatment"].to_numpy(),
        frame["team_id"].to_numpy(),
        frame["baseline_absence"].isna().to_numpy(),
    )
    assert (
        table.loc[("imputed", "control"), "people"] == TEAMS / 2
        and table.loc[("recorded", "treatment"), "people"] == 3 * TEAMS / 2
    )
    for group, inside in (("recorded", ~missing), ("imputed", missing)):
        found = [by_hand(one, arm, teams, inside) for one in values]
        between = np.var([one for one, _ in found], ddof=1)
        within = np.mean([variance for _, variance in found])
        total = within + (1 + 1 / SETS) * between
        row = rows[f"baseline_absence/{group}"]
        assert row.estimate == pytest.approx(np.mean([one for one, _ in found]), rel=1e-12)
        assert row.std_error == pytest.approx(math.sqrt(total), rel=1e-9)
        df = barnard_rubin_df(imputations=SETS, missing_share=(1 + 1 / SETS) * between / total, complete_df=TEAMS - 1)
        assert row.p_value == pytest.approx(2 * float(student_tail(abs(row.estimate) / math.sqrt(total), df)), rel=1e-9)
        spread = [np.mean([np.var(one[inside & (arm == code)], ddof=1) for one in values]) for code in (0, 1)]
        assert rows[f"baseline_absence_std/{group}"].estimate == pytest.approx(
            row.estimate / math.sqrt(sum(spread) / 2), rel=1e-12
        )
        assert row.n == inside.sum() and row.clause == "P48" and row.status == "descriptive"
    assert rows["baseline_absence/all"].estimate == pytest.approx(
        values[:, arm == 1].mean() - values[:, arm == 0].mean(), rel=1e-12
    )
    assert 0 < rows["baseline_absence/joint"].p_value < 1


def test_the_other_ways_are_those_that_differ_in_baselines_alone(plan):
    found = {one.id.rsplit("/", 1)[1] for one in versions_of_baselines(plan)}
    assert found == {
        "baseline-zero",
        "baseline-mean",
        "baseline-before",
        "baseline-within-arm",
        "baseline-mean-indicator",
        "unadjusted",
        "baseline-complete",
    }
    planned = primary_analysis(plan)
    assert planned.id == "sickness_absence/itt/cr1" and planned.baseline_absence == "multiple_imputation"
    # Read off the plan: with leavers counted otherwise, a version differs in more than its baselines.
    other = tuple(
        replace(one, leavers="left_out") if one.id.endswith("baseline-zero") else one for one in plan.analyses
    )
    assert "baseline-zero" not in {
        one.id.rsplit("/", 1)[1] for one in versions_of_baselines(replace(plan, analyses=other))
    }


def planned_row(plan, **given):
    estimate = Estimate(
        **{"estimate": -0.5, "std_error": 0.4, "df": 100.0, "n": 40, "n_clusters": 10, "method": "x"} | given
    )
    return estimate.row(
        result_id=plan.result_id(primary_analysis(plan)),
        population="p",
        contrast="c",
        analysis="planned",
        clause="P54",
        source="s",
    )


def test_too_few_imputations_are_named(plan):
    limits = plan.imputation.monte_carlo
    assert (limits.of_p(0.05), limits.of_p(0.10)) == pytest.approx((0.01, 0.02))  # as published
    cases = {
        "enough": (0.03, 0.01, True),
        "estimate": (0.05, 0.01, False),
        "p": (0.03, 0.09, False),
        "unknown": (math.nan, 0.01, False),
    }
    for mc_error, mc_error_p, holds in cases.values():
        row = planned_row(plan, mc_error=mc_error, mc_error_p=mc_error_p)
        table = monte_carlo_table([row], plan)
        assert table["holds"].tolist() == [holds]
        (again,) = with_warnings([row], table)
        assert (WARNING in again.note) is not holds


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            'baselines = "from_baselines"',
            'baselines = "sideways"',
            r"imputed_from_baseline: has an unknown baselines 'sideways'\. Write one of .*from_baselines\.",
        ),
        (
            'baselines = "from_baselines"',
            'baselines = "from_baseline"',
            r"unknown baselines 'from_baseline'\. Did you mean '?from_baselines",
        ),
        (
            'baseline_absence = "imputed_within_arm"',
            'baseline_absence = "imputed_by_guess"',
            r"'imputed_by_guess', which does not exist\. Use one of those there are: .*imputed_within_arm",
        ),
        ("m = 40\n", "m = 2\n", "fewer than three data sets"),
        ('outcomes = "none"', 'outcomes = "apart"', "cannot impute baselines from_baselines"),
        ("imputations = 50\n", "imputations = 1\n", "fewer than two completed data sets"),
        ("share = 0.2\n", "", "lacks 'share'"),
    ],
)
def test_a_plan_that_cannot_be_imputed_is_refused(project, old, new, words):
    path = project / "data/plan/goal_setting.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PlanError, match=words):
        load_plan(project, "goal_setting")
