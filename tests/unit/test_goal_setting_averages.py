"""Averages over people, teams and days, other floors, arm means, exploratory outcomes: once more by pandas and
statsmodels.

From the raw files of the release as they are read (`intake`), with the columns of the outcomes built here again;
nothing of the
study's own estimation is used on the other side. Fields agree to rounding: both sides are double precision, and the
normal
equations of these models have condition numbers below 1e4.
"""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from hhp_stats.disclosure.crowd import crowd
from hhp_stats.intake.load import load_trial
from hhp_stats.plan.load import load_plan
from hhp_stats.studies.goal_setting import arm_balance, clustering
from hhp_stats.studies.goal_setting.allocation import redraws
from hhp_stats.studies.goal_setting.analysed import Material
from hhp_stats.studies.goal_setting.arm_means import arm_rows
from hhp_stats.studies.goal_setting.cells import run_cell
from hhp_stats.studies.goal_setting.row_members import row_members
from hhp_stats.studies.goal_setting.sample import build_sample

CLOSE = 1e-9
EXPLORATORY = {  # outcome: items whose mean it is
    "burnout": [f"burnout_{n}" for n in range(1, 9)],
    "intention": [f"intention_{n}" for n in range(1, 4)],
    "satisfaction": ["satisfaction_1", "satisfaction_2"],
    "overtime": ["extra_hours"],
    "caseload": ["caseload"],
}
FORMULA = "y ~ treatment + male + C(role) + part_time + service + base + base_gone + coffee + C(local_authority)"


@pytest.fixture(scope="module")
def plan(root):
    return load_plan(root, "goal_setting")


@pytest.fixture(scope="module")
def trial(root):
    return load_trial(root, "goal_setting")


@pytest.fixture(scope="module")
def material(trial, plan):
    people = build_sample(trial, plan).people
    return Material(plan=plan, people=people, imputations={}, redraws=redraws(people, plan))


@pytest.fixture(scope="module")
def raw(trial):
    """The randomised with what the equation needs, by hand from the fields of returns and surveys."""
    p = trial.people.loc[trial.people["randomised"]].copy()
    months = p["service_months"]
    scaled = p["baseline_illness_days"] * (12 / months).where((months > 3) & (months < 12), 1.0)
    p["baseline"] = scaled.where(~(months <= 3))
    p["base"], p["base_gone"] = p["baseline"].fillna(0.0), p["baseline"].isna().astype(float)
    p["male"], p["service"] = (p["gender"] == "male").astype(float), months / 12
    p["days"] = p["endline_illness_days"].fillna(p["interim_illness_days"].where(~p["in_endline"]))
    p["good_health_t1"], p["good_health_t2"] = (
        p[f"health_{wave}"].isin(["excellent", "good"]).astype(float).where(p[f"health_{wave}"].notna())
        for wave in ("t1", "t2")
    )
    return p


@pytest.fixture(scope="module")
def rate(raw, material):
    """Those with known days, and the days they were in post."""
    place = pd.Index(material.people["person"]).get_indexer(raw["person"])
    return raw.assign(post=material.people["exposure_days"].to_numpy()[place]).dropna(subset=["days"])


def found(key, material, **change):
    analysis = replace(material.plan.analysis(key), **change)
    return run_cell(analysis, material).rows[0]


def fitted(frame, formula=FORMULA, weights=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weights = pd.Series(1.0, index=frame.index) if weights is None else weights
        return smf.wls(formula, frame, weights=weights).fit(
            cov_type="cluster", cov_kwds={"groups": pd.factorize(frame["team_id"])[0]}, use_t=True
        )


def agrees(row, fit, term="treatment"):
    assert row.estimate == pytest.approx(fit.params[term], rel=CLOSE)
    assert row.std_error == pytest.approx(fit.bse[term], rel=CLOSE)
    assert row.p_value == pytest.approx(fit.pvalues[term], rel=1e-7)  # a tail probability
    assert [row.conf_low, row.conf_high] == pytest.approx(fit.conf_int().loc[term].tolist(), rel=1e-7)


# ---------------------------------------------------------------- teams
def test_average_over_teams_unadjusted_is_the_difference_of_means_of_team_means(raw, material):
    p = material.people.dropna(subset=["absence_days"])
    teams = p.groupby(["treatment", "team_id"])["absence_days"].mean().groupby("treatment").mean()
    row = found("sickness_absence/team_average/unadjusted", material)
    assert row.estimate == pytest.approx(teams[1.0] - teams[0.0], rel=CLOSE)
    assert "every team weighted alike" in row.method and (row.n, row.n_clusters) == (len(p), p["team_id"].nunique())
    assert abs(row.estimate - (p.groupby("treatment")["absence_days"].mean().diff()[1.0])) > 0.01  # another question


def test_average_over_teams_adjusted_is_weighted_least_squares(raw, material):
    left = raw.assign(y=raw["left"].astype(float)).dropna(subset=["y"])
    row = found("turnover/team_average/linear", material, baseline_absence="zero_with_indicator")
    agrees(row, fitted(left, weights=1 / left.groupby("team_id")["y"].transform("size")))


def test_average_over_teams_does_not_see_a_team_grow(material):
    """A team whose people all stand twice in the data: the average over teams stays, that over people moves."""
    p = material.people
    doubled = p.loc[p["team_id"] == p["team_id"].mode()[0]]
    more = pd.concat([p, doubled.assign(person=doubled["person"] + " again")], ignore_index=True)
    grown = replace(material, people=more)
    same = [found("sickness_absence/team_average/unadjusted", one).estimate for one in (material, grown)]
    other = [found("sickness_absence/itt/unadjusted", one).estimate for one in (material, grown)]
    assert same[0] == pytest.approx(same[1], rel=CLOSE)
    assert abs(other[0] - other[1]) > 1e-3


# ---------------------------------------------------------------- days in post
def test_rate_of_an_arm_is_all_days_lost_over_all_days_in_post(rate, material, plan):
    rows = {row.result_id: row for row in arm_rows(material.people, plan)}
    for arm, code in plan.design.arms.items():
        part = rate.loc[rate["treatment"] == code]
        row = rows[f"goal_setting/absence_rate/mean_{arm}/raw"]
        assert row.estimate == pytest.approx(100 * part["days"].sum() / part["post"].sum(), rel=CLOSE)
        assert row.n == len(part) and f"goal_setting/absence_rate/sd_{arm}/raw" not in rows
    difference = found("absence_rate/itt/unadjusted", material)
    assert difference.estimate == pytest.approx(
        rows["goal_setting/absence_rate/mean_treatment/raw"].estimate
        - rows["goal_setting/absence_rate/mean_control/raw"].estimate,
        rel=CLOSE,
    )


def test_rate_adjusted_is_weighted_least_squares(rate, material):
    row = found("absence_rate/itt/cr1", material, baseline_absence="zero_with_indicator")
    agrees(row, fitted(rate.assign(y=100 * rate["days"] / rate["post"]), weights=rate["post"]))


def test_one_long_absence_in_a_short_stay_moves_the_rate_little(material, plan):
    """23 days in 27: 102 days of the planned outcome, 23 days of several ten thousands in the rate."""
    p = material.people
    who = p.index[(p["left"] == 1) & (p["exposure_days"] == 27)][:1]
    ill = p.assign(
        recorded_days=p["recorded_days"].mask(p.index.isin(who), 23.0),
        absence_rate=p["absence_rate"].mask(p.index.isin(who), 100 * 23 / 27),
        absence_days_pro_rata=p["absence_days_pro_rata"].mask(p.index.isin(who), 23 / 27 * 120),
    )
    keys = ("sickness_absence/itt/unadjusted", "absence_rate/itt/unadjusted")
    moved = [
        abs(found(key, replace(material, people=ill)).estimate - found(key, material).estimate)
        / abs(found(key, material).std_error)
        for key in keys
    ]
    assert len(who) == 1 and moved[1] < moved[0] / 2


# ---------------------------------------------------------------- leavers
@pytest.mark.parametrize("floor", [0, 10, 40, 60])
def test_other_floors(material, floor):
    p = material.people
    stay, known = p["left"] == 0, p["recorded_days"].notna()
    rates = p[stay & known].groupby("local_authority")[["recorded_days", "exposure_days"]].sum()
    stayers = p["local_authority"].map(rates["recorded_days"] / rates["exposure_days"])
    own = p["recorded_days"] / p["exposure_days"] * p["follow_up_days"]
    filled = p["recorded_days"] + stayers * (p["follow_up_days"] - p["exposure_days"])
    expected = p["recorded_days"].where(stay, own.where(p["exposure_days"] >= floor, filled)).where(known)
    column = f"absence_days_pro_rata_floor_{floor}"
    np.testing.assert_allclose(p[column], expected, rtol=CLOSE)
    row = found(f"sickness_absence/itt/leavers-floor-{floor}", material, baseline_absence="", adjusted=False)
    means = p.groupby("treatment")[column].mean()
    assert row.estimate == pytest.approx(means[1.0] - means[0.0], rel=CLOSE)


def test_floors_differ_from_the_planned_one(material):
    p = material.people
    assert not any(
        p[f"absence_days_pro_rata_floor_{floor}"].equals(p["absence_days_pro_rata"]) for floor in (0, 10, 40, 60)
    )


# ---------------------------------------------------------------- before and after, by arm
def test_arm_means_of_both_waves(raw, material, plan):
    rows = {row.result_id: row for row in arm_rows(material.people, plan)}
    checked = 0
    for outcome, items in EXPLORATORY.items():
        for wave, prefix in (("t1", "baseline_"), ("t2", "")):
            answers = raw[[f"{item}_{wave}" for item in items]].astype(float)
            values = answers.mean(axis=1).where(answers.notna().all(axis=1))
            for arm, code in plan.design.arms.items():
                own = values[(raw["treatment"] == code) & values.notna()]
                mean, sd = (rows[f"goal_setting/{outcome}/{prefix}{name}_{arm}/raw"] for name in ("mean", "sd"))
                assert (mean.n, sd.n) == (len(own), len(own))
                assert mean.estimate == pytest.approx(own.mean(), rel=CLOSE)
                assert sd.estimate == pytest.approx(own.std(ddof=1), rel=CLOSE)
                checked += 1
    assert checked == 20
    for arm, code in plan.design.arms.items():
        own = raw.loc[raw["treatment"] == code]
        assert rows[f"goal_setting/health/mean_{arm}/raw"].estimate == pytest.approx(
            own["good_health_t2"].mean(), rel=CLOSE
        )
        assert rows[f"goal_setting/sickness_absence/baseline_mean_{arm}/raw"].estimate == pytest.approx(
            own["baseline"].mean(), rel=CLOSE
        )


def test_every_outcome_has_its_arms(material, plan):
    made = {row.result_id for row in arm_rows(material.people, plan)}
    for key, outcome in plan.outcomes.items():
        for arm in plan.design.arms:
            assert f"goal_setting/{key}/mean_{arm}/raw" in made
            assert (f"goal_setting/{key}/baseline_mean_{arm}/raw" in made) == bool(outcome.baseline)


def test_icc_of_turnover_is_that_of_the_analysis_of_variance(material, plan):
    rows = {row.result_id: row for row in clustering.clustering_rows(material.people, {}, plan)}
    p = material.people.dropna(subset=["left"])
    sizes, teams = p.groupby("team_id").size(), p.groupby("team_id")["left"].mean()
    arm = p.groupby("team_id")["treatment"].first()
    n, k = len(p), len(sizes)
    overall = p.groupby("treatment")["left"].mean()
    between = (sizes * (teams - arm.map(overall)) ** 2).sum() / (k - 2)
    within = ((p["left"] - p["team_id"].map(teams)) ** 2).sum() / (n - k)
    people = p.groupby("treatment").size()
    size = (n - sum((sizes[arm == code] ** 2).sum() / people[code] for code in (0.0, 1.0))) / (k - 2)
    row = rows["goal_setting/turnover/icc/anova"]
    assert row.estimate == pytest.approx((between - within) / (between + (size - 1) * within), rel=CLOSE)
    assert row.conf_low < row.estimate < row.conf_high and (row.n, row.n_clusters) == (n, k)


# ---------------------------------------------------------------- exploratory outcomes
@pytest.mark.parametrize("outcome", [*EXPLORATORY, "health"])
def test_exploratory_effects(raw, material, outcome):
    both = {}
    for wave in ("t1", "t2"):
        answers = raw[[f"{item}_{wave}" for item in EXPLORATORY.get(outcome, ["good_health"])]].astype(float)
        both[wave] = answers.mean(axis=1).where(answers.notna().all(axis=1))
    frame = raw.assign(y=both["t2"], before=both["t1"].fillna(0.0), before_gone=both["t1"].isna().astype(float))
    answered = frame.dropna(subset=["y"])
    agrees(found(f"{outcome}/itt/indicator", material), fitted(answered, f"{FORMULA} + before + before_gone"))
    complete = answered.loc[(answered["before_gone"] == 0) & (answered["base_gone"] == 0)]
    agrees(
        found(f"{outcome}/itt/complete-cases", material),
        fitted(complete, f"{FORMULA.replace(' + base_gone', '')} + before"),
    )


def test_exploratory_outcomes_stand_outside_the_family(plan):
    from hhp_stats.studies.goal_setting_terms import FAMILY

    assert len([o for o in plan.outcomes.values() if o.role == "exploratory"]) == 6
    for analysis in plan.analyses:
        if plan.outcomes[analysis.outcome].role == "exploratory":
            assert analysis.kind == "exploratory" and analysis.id not in FAMILY


# ---------------------------------------------------------------- balance against the trial's own draws
def test_balance_is_held_against_the_trials_own_draws(material, plan, monkeypatch):
    monkeypatch.setattr(arm_balance, "DRAWS", 199)
    p = material.people
    row = arm_balance.balance_test(p, plan, material.redraws, name="randomised")
    assert row == arm_balance.balance_test(p, plan, material.redraws, name="randomised")  # seeded by the plan
    assert "199 re-randomisations" in row.method and row.mc_error_p == pytest.approx(
        np.sqrt(row.p_value * (1 - row.p_value) / 199), rel=1e-12
    )
    drawn = material.redraws(np.random.default_rng([plan.seed, arm_balance.STREAM]), 199)
    teams = p.drop_duplicates("team_id").set_index("team_id")
    strata = teams["stratum"].loc[list(material.redraws.team_ids)].to_numpy()
    for label in np.unique(strata):  # half of the teams of each stratum, every time
        treated = drawn[:, strata == label].sum(axis=1)
        size = int((strata == label).sum())
        assert set(treated.tolist()) <= {size // 2, size - size // 2}


def test_balance_of_a_planted_difference(material, plan, monkeypatch):
    """Service longer by two years throughout one arm is as far from balance as no draw by the rule."""
    monkeypatch.setattr(arm_balance, "DRAWS", 199)
    p = material.people
    apart = p.assign(
        service_years=p["service_years"] + 2 * p["treatment"], service_months=p["service_months"] + 24 * p["treatment"]
    )
    assert arm_balance.balance_test(apart, plan, material.redraws, name="randomised").p_value == 1 / 200


# ---------------------------------------------------------------- whom results count
def test_whom_a_result_counts_does_not_hang_on_its_n(trial, material, plan):
    """The people of a row are told by its analysis: with another n the same people are declared, and the check refuses
    it."""
    keys = (
        "burnout/itt/indicator",
        "health/itt/complete-cases",
        "absence_rate/itt/unadjusted",
        "sickness_absence/team_average/unadjusted",
        "wellbeing/itt/indicator",
        "sickness_absence/itt/baseline-complete",
    )
    rows = {}
    for key in keys:
        for row in run_cell(plan.analysis(key), material).rows:
            rows[row.result_id] = (row, plan.analysis(key))
    made_by = {key: analysis for key, (_, analysis) in rows.items()}
    everyone = crowd(material.people)
    declared = row_members(everyone, [row for row, _ in rows.values()], material, made_by)
    moved = row_members(everyone, [replace(row, n=(row.n or 0) + 1) for row, _ in rows.values()], material, made_by)
    for key, (row, _) in rows.items():
        assert int(declared[key].n.sum()) == row.n, key
        np.testing.assert_array_equal(declared[key].n, moved[key].n)


# ---------------------------------------------------------------- degrees of freedom
def test_every_result_has_the_reference_that_its_plan_names(goal_setting_report):
    """Schema, plan and runner agree: t with teams less one, or less two, Satterthwaite's, or the normal."""
    plan, frame = goal_setting_report.plan, goal_setting_report.output.results.set_index("result_id")
    seen = set()
    for analysis in plan.analyses:
        row = frame.loc[plan.result_id(analysis)]
        if row["status"] != "estimated":
            continue
        df, teams = float(row["df"]), float(row["n_clusters"]) if not pd.isna(row["n_clusters"]) else np.inf
        pooled = analysis.baseline_absence in plan.imputation.models
        within = {
            "clusters": df <= teams - 1 if pooled else df == teams - 1,
            "clusters_less_two": df == teams - 2,
            "normal": df > 0 if pooled else np.isinf(df),
            "satterthwaite": 0 < df < teams,
        }
        assert within[analysis.df], (analysis.id, analysis.df, df, teams)
        seen.add((analysis.estimator, analysis.df))
    assert {
        ("lee-bounds", "clusters_less_two"),
        ("worst-case-bounds", "clusters"),
        ("ols", "satterthwaite"),
    } <= seen
