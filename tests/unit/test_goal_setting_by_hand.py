"""Seven people with every outcome of the goal-setting trial worked out on paper.

Bromley was launched on Monday 30 September 2019: 24 weeks are 120 working days, to 16 March 2020.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hhp_stats.errors import PlanError
from hhp_stats.estimate.icc import icc_reml
from hhp_stats.infer.pooling import pool
from hhp_stats.intake.trial import Trial
from hhp_stats.plan.load import load_plan
from hhp_stats.regression.model_matrix import ModelMatrix
from hhp_stats.results.frame import Estimate, ResultRow
from hhp_stats.studies.estimators import probability
from hhp_stats.studies.estimators.analysis_data import AnalysisData, CompletedSets
from hhp_stats.studies.estimators.linear import ordinary, pooled
from hhp_stats.studies.goal_setting import clustering, descriptives
from hhp_stats.studies.goal_setting.arm_means import arm_rows
from hhp_stats.studies.goal_setting.cost_benefit import costs_of, leaver_cost
from hhp_stats.studies.goal_setting.multiplicity import with_holm
from hhp_stats.studies.goal_setting.sample import build_sample, refuse_unknown_columns, wellbeing_range
from hhp_stats.studies.goal_setting_terms import FAMILY
from hhp_stats.studies.sources import Sourced
from hhp_stats.synthetic.assumptions import load_assumptions
from hhp_stats.synthetic.simulate import simulate_trial

# name: team, arm, recorded days and spells at the endline, what else differs
PEOPLE = {
    "ann": {
        "team_id": "T1",
        "treatment": 0.0,
        "endline_illness_days": 6.0,
        "endline_illness_spells": 2.0,
        "baseline_illness_days": 4.0,
        "baseline_illness_spells": 3.0,
        "service_months": 6.0,
        "gender": "male",
    },
    "ben": {
        "team_id": "T1",
        "treatment": 0.0,
        "endline_illness_days": 5.0,
        "endline_illness_spells": 1.0,
        "left": 1.0,
        "leaving_date": dt.datetime(2019, 12, 23),
        "replacement_cost": 3_000.0,
        "gender": None,
    },
    "cat": {
        "team_id": "T2",
        "treatment": 1.0,
        "endline_illness_days": np.nan,
        "endline_illness_spells": np.nan,
        "left": 1.0,
        "interim_illness_days": 2.0,
        "interim_illness_spells": 1.0,
        "in_endline": False,
        "leaving_date": dt.datetime(2019, 10, 28),
        "replacement_cost": 5_000.0,
    },
    "dan": {
        "team_id": "T2",
        "treatment": 1.0,
        "endline_illness_days": 1.0,
        "endline_illness_spells": 1.0,
        "left": 1.0,
        "leaving_date": dt.datetime(2019, 10, 21),
        "replacement_cost": 2_500.0,
    },
    "eve": {
        "team_id": "T3",
        "treatment": 1.0,
        "endline_illness_days": 0.0,
        "endline_illness_spells": 0.0,
        "baseline_illness_days": 2.0,
        "service_months": 3.0,
    },
    "fay": {
        "team_id": "T3",
        "treatment": 1.0,
        "endline_illness_days": np.nan,
        "endline_illness_spells": np.nan,
        "interim_illness_days": 3.0,
        "interim_illness_spells": 1.0,
    },
    "kim": {
        "team_id": "T4",
        "treatment": 0.0,
        "endline_illness_days": 2.0,
        "endline_illness_spells": np.nan,
        "baseline_illness_spells": np.nan,
        "interim_illness_spells": np.nan,
        "local_authority": "Kent",
    },
}
POSITIVE, NEGATIVE = (1, 3, 5), (2, 4, 6)
# wave: person: happiness, ladder, the three pleasant and the three unpleasant feelings
WELLBEING = {
    "t1": {
        "ann": (4, 5, (1, 2, 3), (4, 4, 4)),
        "ben": (6, 7, (3, 3, 3), (2, 3, 4)),
        "eve": (8, 9, (4, 4, 4), (1, 2, 3)),
        "cat": (10, None, (5, 5, 5), (1, 1, 1)),
    },
    "t2": {"ann": (7, 8, (2, 3, 4), (1, 2, 3))},
}
ANSWERS = {
    **{f"need_{n}": value for n, value in enumerate((1, 2, 3, 4, 5, 6, 7, 5, 6, 7), start=1)},
    **{f"burnout_{n}": value for n, value in enumerate((1, 2, 3, 4, 5, 6, 1, 6), start=1)},
    "intention_1": 1,
    "intention_2": 2,
    "intention_3": 6,
    "satisfaction_1": 2,
    "satisfaction_2": 5,
    "pressure_1": 2,
    "pressure_2": 7,
}


@pytest.fixture(scope="module")
def plan(root):
    return load_plan(root, "goal_setting")


@pytest.fixture(scope="module")
def sample(plan):
    drawn = simulate_trial(3, n_people=130, effect=0, nonresponse=False, assumptions=load_assumptions())
    people = drawn.people.loc[drawn.people["left"] == 0].head(len(PEOPLE)).reset_index(drop=True)
    people["person"] = list(PEOPLE)
    people = people.assign(
        local_authority="Bromley", gender="female", left=0.0, leaving_date=pd.NaT, in_endline=True, randomised=True
    )
    surveys = [name for name in people if name.startswith(("happiness", "ladder", "affect_"))]
    people[surveys] = np.nan
    for name, values in PEOPLE.items():
        for column, value in values.items():
            people.loc[people["person"] == name, column] = value
    for wave, answers in WELLBEING.items():
        for name, (happiness, ladder, pleasant, unpleasant) in answers.items():
            given = {"happiness": happiness, "ladder": ladder}
            given |= {
                f"affect_{n}": value for n, value in zip((*POSITIVE, *NEGATIVE), (*pleasant, *unpleasant), strict=True)
            }
            for item, value in given.items():
                people.loc[people["person"] == name, f"{item}_{wave}"] = np.nan if value is None else float(value)
    for item, value in ANSWERS.items():
        people.loc[people["person"] == "ann", f"{item}_t2"] = float(value)
    people.loc[people["person"] == "eve", "need_10_t2"] = np.nan
    nothing = pd.DataFrame()
    trial = Trial(
        study="goal_setting",
        people=people,
        teams=drawn.teams,
        inputs=nothing,
        problems=nothing,
        corrections=nothing,
        tolerances=nothing,
        linkage=nothing,
    )
    return build_sample(trial, plan)


def test_a_column_that_nobody_has_is_refused_with_the_nearest(sample, plan):
    outcome = plan.outcomes["turnover"]
    wrong = replace(plan, outcomes={**plan.outcomes, "turnover": replace(outcome, column="leftt")})
    with pytest.raises(PlanError, match="Did you mean 'left'"):
        refuse_unknown_columns(sample.people, wrong)


@pytest.fixture(scope="module")
def people(sample):
    return sample.people.set_index("person")


def column(people, name):
    return people[name].reindex(list(PEOPLE)).tolist()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("follow_up_days", [120] * 7),
        ("exposure_days", [120, 60, 20, 15, 120, 120, 120]),
        ("recorded_days", [6, 5, 2, 1, 0, np.nan, 2]),
        # ben 5/60 x 120; cat, with 20 days just enough, 2/20 x 120; dan 1 and then 105 days at the rate of the
        # stayers of Bromley, (6 + 0)/240.
        ("absence_days_pro_rata", [6, 10, 12, 3.625, 0, np.nan, 2]),
        ("absence_days", [6, 10, 12, 3.625, 0, np.nan, 2]),
        # Other floors: none, dan 1/15 x 120; from forty days, cat 2 and then 100 days at the stayers' rate.
        ("absence_days_pro_rata_floor_0", [6, 10, 12, 8, 0, np.nan, 2]),
        ("absence_days_pro_rata_floor_40", [6, 10, 4.5, 3.625, 0, np.nan, 2]),
        # Of 100 working days in post.
        ("absence_rate", [5, 100 / 12, 10, 100 / 15, 0, np.nan, 100 / 60]),
        ("absence_days_absent_after_leaving", [6, 65, 102, 106, 0, np.nan, 2]),
        ("absence_days_left_out", [6, np.nan, np.nan, np.nan, 0, np.nan, 2]),
        ("spells", [2, 1, 1, 1, 0, np.nan, np.nan]),
        # Bradford: spells squared times days, where the authority records spells.
        ("bradford", [24, 5, 2, 1, 0, np.nan, np.nan]),
        ("log_bradford", [np.log(25), np.log(6), np.log(3), np.log(2), 0, np.nan, np.nan]),
        ("records_spells", [True] * 6 + [False]),
        ("gender_male", [1, np.nan, 0, 0, 0, 0, 0]),
    ],
)
def test_records(people, name, expected):
    np.testing.assert_allclose(column(people, name), expected, rtol=1e-12)


def test_baseline_absence(people):
    # ann: 4 days in 6 months are 8 a year; eve's three months are too few.
    assert people.at["ann", "baseline_absence"] == 8
    assert np.isnan(people.at["eve", "baseline_absence"])
    # Spells and days of a year at the same rate: 6 squared times 8, and not 3 squared times 4; of eve's three months
    # nothing.
    assert people.at["ann", "baseline_bradford"] == 36 * 8 and people.at["ann", "baseline_illness_spells"] == 6
    assert people.at["ann", "baseline_log_bradford"] == pytest.approx(np.log(1 + 36 * 8), rel=1e-12)
    assert np.isnan(people.at["eve", "baseline_bradford"]) and np.isnan(people.at["eve", "baseline_illness_spells"])
    assert people.at["ann", "service_years"] == 0.5


def test_authorities_that_record_spells(sample):
    assert sample.recording_authorities == ("Bromley",)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("autonomy", 2),
        ("competence", 5.5),
        ("relatedness", 6),
        ("efficacy", 4.6),
        ("efficacy_nine", 39 / 9),
        ("burnout", 3.5),
        ("intention", 3),
        ("satisfaction", 3.5),
        ("time_pressure", 4.5),
        ("positive_affect", 3),
        ("negative_affect", 2),
        ("balance", 7),
        ("wellbeing", 1.5),
        ("cognitive", 1.0),
    ],
)
def test_scores_of_ann_at_the_endline(people, name, expected):
    """Wellbeing: (7 - 6)/2 + (8 - 7)/2 + (7 - 6)/2, means and deviations being those of the baseline."""
    assert people.at["ann", f"{name}_t2"] == pytest.approx(expected, rel=1e-12)


def test_a_score_without_an_item_is_missing(people):
    assert np.isnan(people.at["eve", "efficacy_t2"]) and np.isnan(people.at["eve", "relatedness_t2"])
    assert people.at["eve", "competence_t2"] > 0


def test_wellbeing_at_baseline_of_those_who_answered_all_parts(people):
    """Happiness 4, 6, 8, ladder 5, 7, 9, balance 4, 6, 8: deviations of 2. Cat, without a ladder, is no part of
    them.
    """
    assert column(people, "balance_t1")[:3] == [4, 6, 10]
    np.testing.assert_allclose(column(people, "wellbeing_t1"), [-3, 0, np.nan, np.nan, 3, np.nan, np.nan], atol=1e-12)
    np.testing.assert_allclose(column(people, "cognitive_t1"), [-2, 0, np.nan, np.nan, 2, np.nan, np.nan], atol=1e-12)
    # Happiness and ladder from 0 to 10, balance from 2 to 10.
    assert wellbeing_range(people.reset_index()) == pytest.approx((-3 - 3.5 - 2, 2 + 1.5 + 2))


def test_a_leaver_costs_replacement_less_sick_pay_after_leaving(sample, plan):
    """5, 10 and 2.625 days after leaving: 10 - 5, 12 - 2 and 3.625 - 1, at 28,500/260 pounds each."""
    daily = plan.cost_benefit.salary / plan.cost_benefit.working_days
    found = leaver_cost(sample.people, plan)
    assert found.estimate == pytest.approx((3_000 + 5_000 + 2_500 - 17.625 * daily) / 3, rel=1e-12)
    scenario = plan.cost_benefit.scenarios[0]
    costs = costs_of(scenario, found, plan)
    assert (costs.programme_days, costs.turnover_cost, costs.turnover_cost_std_error) == (
        scenario.days,
        found.estimate,
        found.std_error,
    )


# ---------------------------------------------------------------- cells
def estimate(df, value=1.0):
    return Estimate(estimate=value, std_error=0.5, df=df, n=50, n_clusters=20, method="by hand")


def test_degrees_of_freedom_of_completed_sets_enter_by_their_mean():
    found = [estimate(10.0, 1.0), estimate(30.0, 1.4)]
    assert pooled(found).df == pool(found, complete_df=20.0).df != pool(found, complete_df=30.0).df
    assert pooled(found[:1]) is found[0]


def test_planned_degrees_of_freedom_are_those_used(plan):
    rng = np.random.default_rng(4)
    teams = np.repeat(np.arange(9), [2, 2, 3, 3, 4, 5, 9, 14, 20])
    treated = (teams % 2).astype(float)
    matrix = ModelMatrix(values=np.column_stack([np.ones(len(teams)), treated]), names=("intercept", "treatment"))
    people = pd.DataFrame({"team_id": teams, "treatment": treated, "days": rng.normal(size=len(teams))})
    base = replace(plan.analysis("sickness_absence/itt/cr1"), covariance="CR2")
    data = AnalysisData(
        analysis=base,
        people=people,
        outcome="days",
        sets=lambda: CompletedSets(matrix=matrix, outcomes=people["days"].to_numpy()[None], people=people),
        conf_level=plan.conf_level,
        entropy=(1,),
        seed=1,
        draws=99,
        cluster="team_id",
    )
    by_clusters, own = (
        ordinary(replace(data, analysis=replace(base, df=df)))[""] for df in ("clusters", "satterthwaite")
    )
    assert by_clusters.df == 8
    assert own.df < 7  # unequal teams: far fewer than teams less one
    assert by_clusters.conf_level == plan.conf_level


def test_holm_counts_every_outcome_of_the_family(plan):
    rows = [
        ResultRow(
            result_id=f"{plan.study}/{key}",
            study=plan.study,
            outcome=key.split("/")[0],
            estimand="itt",
            population="",
            contrast="",
            method="",
            analysis="planned",
            estimate=1.0,
            p_value=0.004 * (place + 1),
        )
        for place, key in enumerate(FAMILY)
    ]
    adjusted = [row.p_adjusted for row in with_holm(rows, plan.study)]
    # Six tests: the smallest p by 6, the next by 5, and so on, never falling.
    expected = np.maximum.accumulate([0.004 * (place + 1) * (len(FAMILY) - place) for place in range(len(FAMILY))])
    assert adjusted == pytest.approx(expected)
    tested = {
        key
        for key, outcome in plan.outcomes.items()
        if any(one.outcome == key and one.kind == "planned" for one in plan.analyses)
    }
    assert {key.split("/")[0] for key in FAMILY} <= tested


def test_likeness_of_teammates_is_judged_within_arms(plan):
    rng = np.random.default_rng(8)
    teams = np.repeat(np.arange(20), 5)
    people = pd.DataFrame({"team_id": teams, "treatment": teams % 2 * 1.0})
    people["absence_days"] = rng.normal(size=100) + np.repeat(rng.normal(size=20), 5)
    people["left"] = rng.integers(2, size=100).astype(float)
    effects = {"sickness_absence": Sourced(value=estimate(18.0))}
    close, apart = (
        clustering.clustering_rows(
            people.assign(absence_days=people["absence_days"] + shift * people["treatment"]), effects, plan
        )[0]
        for shift in (0, 100)
    )
    assert close.estimate == pytest.approx(apart.estimate, abs=1e-6)  # convergence of the likelihood's search
    alone = icc_reml(
        outcome=people["absence_days"].to_numpy(), clusters=people["team_id"], treatment=people["treatment"].to_numpy()
    )
    assert close.estimate == pytest.approx(alone.estimate, abs=1e-9)


@pytest.mark.parametrize("estimator", ["logistic", "penalised"])
def test_probabilities_of_leaving_are_those_of_their_arm(plan, estimator):
    """Of 40 controls 8 leave, of 40 treated 16: without covariates the model gives the shares themselves."""
    treated = np.repeat([0.0, 1.0], 40)
    left = np.concatenate([np.repeat([1.0, 0.0], [8, 32]), np.repeat([1.0, 0.0], [16, 24])])
    matrix = ModelMatrix(values=np.column_stack([np.ones(80), treated]), names=("intercept", "treatment"))
    people = pd.DataFrame({"team_id": np.tile(np.arange(10), 8) + 10 * treated, "treatment": treated, "left": left})
    data = AnalysisData(
        analysis=plan.analysis("turnover/itt/logit-at-means"),
        people=people,
        outcome="left",
        sets=lambda: CompletedSets(matrix=matrix, outcomes=left[None], people=people),
        conf_level=0.95,
        entropy=(1,),
        seed=1,
        draws=99,
        cluster="team_id",
    )
    found = getattr(probability, estimator)(data)
    # Firth's penalty draws a share of 40 people by about half a person towards one half.
    close = 1e-8 if estimator == "logistic" else 0.5 / 40
    assert found["predicted_control"].estimate == pytest.approx(0.2, abs=close)
    assert found["predicted_treatment"].estimate == pytest.approx(0.4, abs=close)
    assert found[""].estimate == pytest.approx(
        found["predicted_treatment"].estimate - found["predicted_control"].estimate
    )
    assert found["ratio"].estimate == pytest.approx((16 / 24) / (8 / 32), rel=1e-7 if estimator == "logistic" else 0.06)


# ---------------------------------------------------------------- what the arms look like
def test_means_and_spreads_of_the_arms(sample, plan):
    rows = {row.result_id: row for row in arm_rows(sample.people, plan)}
    control, treated = (rows[f"goal_setting/sickness_absence/mean_{arm}/raw"] for arm in ("control", "treatment"))
    assert (control.estimate, control.n, control.n_clusters) == (6, 3, 2)  # 6, 10 and 2
    assert (treated.estimate, treated.n, treated.n_clusters) == (pytest.approx(15.625 / 3), 3, 2)  # 12, 3.625 and 0
    assert rows["goal_setting/sickness_absence/sd_control/raw"].estimate == 4
    # Days lost over days in post: 6 + 5 + 2 of 120 + 60 + 120, and 2 + 1 + 0 of 20 + 15 + 120.
    rates = [rows[f"goal_setting/absence_rate/mean_{arm}/raw"].estimate for arm in ("control", "treatment")]
    assert rates == pytest.approx([1300 / 300, 300 / 155], rel=1e-12)


def test_classes_of_absence(sample, plan):
    table = descriptives.absence_distribution(sample.people, plan).set_index(["arm", "bin"])["people"]
    assert [table["control", label] for *_, label in descriptives.DAYS] == [0, 1, 0, 2, 0, 0]
    # 3.625 days count as four.
    assert [table["treatment", label] for *_, label in descriptives.DAYS] == [1, 0, 1, 0, 1, 0]


def test_attrition_by_arm(sample, plan):
    table = descriptives.attrition(sample.people, plan).set_index("label")
    labels = plan.design.arm_labels
    assert table.loc[labels["control"], ["people", "teams", "outcome", "left"]].tolist() == [
        3,
        2,
        1,
        pytest.approx(1 / 3),
    ]
    assert table.loc[labels["treatment"], ["people", "teams", "outcome", "left"]].tolist() == [4, 2, 0.75, 0.5]
