"""The analysis of a field trial: scores, cells, periods of response, averages over outcomes."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from hhp_stats.errors import EstimationError, NoObservations
from hhp_stats.intake.participants import load_participants
from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.studies.field_trial import analyse
from hhp_stats.studies.field_trial.attenuation import attenuation, response_periods
from hhp_stats.studies.field_trial.cells import run_cell
from hhp_stats.studies.field_trial.descriptives import participant_flow
from hhp_stats.studies.field_trial.sample import build_sample

EXACT = {"rel": 1e-10}  # the same sums in another order


@pytest.fixture(scope="module")
def trials(root):
    found = {}
    for study in ("beneficiaries", "swing", "mod_ing"):
        plan = load_individual_plan(root, study)
        participants = load_participants(root, plan)
        found[study] = (plan, participants, build_sample(participants, plan).people, analyse(participants, plan))
    return found


def rows(output):
    return output.results.set_index("result_id")


# ---------------------------------------------------------------- scores
def test_a_composite_is_in_baseline_standard_deviations_of_both_arms(trials):
    plan, _, people, _ = trials["beneficiaries"]
    reverse = ("affect_2", "affect_4", "affect_6")
    parts = {}
    for wave in ("t1", "t2"):
        evaluative = (people[f"happiness_{wave}"] + people[f"ladder_{wave}"]) / 2
        affect = (
            sum(
                (6 - people[f"affect_{n}_{wave}"]) if f"affect_{n}" in reverse else people[f"affect_{n}_{wave}"]
                for n in range(1, 7)
            )
            / 6
        )
        parts[wave] = pd.DataFrame({"evaluative": evaluative, "affect": affect})
    known = parts["t1"].dropna()
    by_hand = ((parts["t2"] - known.mean()) / known.std(ddof=1)).sum(axis=1, skipna=False)
    np.testing.assert_allclose(
        people["subjective_wellbeing"], by_hand, rtol=1e-12, atol=1e-12
    )  # same sums, other order
    assert people["subjective_wellbeing_t1"].mean() == pytest.approx(0, abs=1e-12)
    assert plan.outcomes["subjective_wellbeing"].combine == "standardised_sum"


def test_one_unanswered_item_leaves_the_score_unknown(trials):
    plan, participants, people, _ = trials["mod_ing"]
    person = people.loc[people["connection"].notna(), "person"].iloc[0]
    spoiled = participants.people.copy()
    spoiled.loc[spoiled["person"] == person, "connection_3_t2"] = np.nan
    again = build_sample(dataclasses.replace(participants, people=spoiled), plan).people
    assert math.isnan(again.set_index("person").loc[person, "connection"])
    assert again["connection"].notna().sum() == people["connection"].notna().sum() - 1


# ---------------------------------------------------------------- cells
@pytest.mark.parametrize("study", ["beneficiaries", "swing", "mod_ing"])
def test_every_planned_cell_has_a_row(trials, study):
    plan, _, _, output = trials[study]
    assert {plan.result_id(analysis) for analysis in plan.analyses} <= set(output.results["result_id"])


@pytest.mark.parametrize("study", ["beneficiaries", "swing", "mod_ing"])
def test_the_planned_effect_is_the_difference_of_the_arm_means(trials, study):
    plan, _, _, output = trials[study]
    frame = rows(output)
    for outcome in plan.outcomes.values():
        if not outcome.scales:
            continue
        arms = [frame.loc[f"{study}/{outcome.id}/mean_{arm}/raw"] for arm in ("treatment", "control")]
        effect, test = (frame.loc[f"{study}/{outcome.id}/itt/{method}"] for method in ("hc2", "welch"))
        assert effect["estimate"] == pytest.approx(arms[0]["estimate"] - arms[1]["estimate"], **EXACT)
        # HC2 of a regression on one dummy is the unequal-variance standard error.
        assert effect["std_error"] == pytest.approx(math.hypot(arms[0]["std_error"], arms[1]["std_error"]), **EXACT)
        assert test["std_error"] == pytest.approx(effect["std_error"], **EXACT)
        assert effect["n"] == arms[0]["n"] + arms[1]["n"]


def test_the_regression_with_authorities_equals_statsmodels(trials):
    _plan, _, people, output = trials["beneficiaries"]
    known = people.loc[people["burnout"].notna()]
    design = pd.get_dummies(known["local_authority"], drop_first=True, dtype=float).assign(
        treatment=known["treatment"], one=1.0
    )
    fit = sm.OLS(known["burnout"].to_numpy(), design).fit(cov_type="HC2", use_t=True)
    ours = rows(output).loc["beneficiaries/burnout/itt/local-authority-hc2"]
    assert ours["estimate"] == pytest.approx(
        fit.params["treatment"], rel=1e-9
    )  # another factorisation of the same matrix
    assert ours["std_error"] == pytest.approx(fit.bse["treatment"], rel=1e-9)
    assert ours["p_value"] == pytest.approx(fit.pvalues["treatment"], rel=1e-8)


def test_the_interaction_is_the_difference_of_the_cohorts(trials):
    frame = rows(trials["swing"][3])
    one, two = (frame.loc[f"swing/burnout/itt_cohort_{n}/hc2"] for n in (1, 2))
    gap = frame.loc["swing/burnout/arm_by_cohort/hc2"]
    assert gap["estimate"] == pytest.approx(two["estimate"] - one["estimate"], **EXACT)
    assert gap["std_error"] == pytest.approx(math.hypot(one["std_error"], two["std_error"]), **EXACT)
    assert one["n"] + two["n"] == gap["n"] == 267


def test_an_outcome_without_data_keeps_its_row_with_the_reason(trials):
    row = rows(trials["mod_ing"][3]).loc["mod_ing/sickness_absence/itt/hc2"]
    assert row["status"] == "not_estimated"
    assert "records" in row["note"]
    done = {(c.analysis, c.aspect): c.value for c in trials["mod_ing"][3].conduct}
    assert done["sickness_absence/itt/hc2", "estimator"] == "not run: no data"


def test_an_arm_without_answers_is_a_row_with_its_reason(trials):
    plan, _, people, _ = trials["mod_ing"]
    empty = people.assign(connection=people["connection"].where(people["treatment"] == 0))
    cell = run_cell(plan.analysis("connection/itt/hc2"), empty, plan)
    assert cell.row.status == "not_estimated"
    assert "ConstantTreatment" in cell.row.note


def test_exchanging_the_arms_turns_every_effect(trials):
    plan, participants, _, output = trials["swing"]
    turned = participants.people.assign(treatment=1 - participants.people["treatment"])
    other = rows(analyse(dataclasses.replace(participants, people=turned), plan))
    frame = rows(output)
    for analysis in plan.analyses:
        key = plan.result_id(analysis)
        assert other.at[key, "estimate"] == pytest.approx(-frame.at[key, "estimate"], rel=1e-8, abs=1e-12)
        if analysis.estimator != "lee-bounds":  # bounds have no p-value
            assert other.at[key, "p_value"] == pytest.approx(frame.at[key, "p_value"], rel=1e-8)


def test_the_order_of_people_does_not_matter(trials):
    plan, participants, _, output = trials["mod_ing"]
    shuffled = participants.people.sample(frac=1, random_state=3).reset_index(drop=True)
    other = analyse(dataclasses.replace(participants, people=shuffled), plan).results
    pd.testing.assert_frame_equal(other, output.results, check_exact=True)


def test_holm_covers_the_outcomes_and_not_the_response(trials):
    _plan, _, _, output = trials["beneficiaries"]
    frame = rows(output)
    adjusted = frame.loc[frame["p_adjusted"].notna()]
    assert len(adjusted) == 4
    smallest = adjusted["p_value"].min()
    assert adjusted["p_adjusted"].min() == pytest.approx(min(1.0, 4 * smallest), **EXACT)
    assert math.isnan(frame.loc["beneficiaries/response/arm_difference/hc2", "p_adjusted"])
    assert (adjusted["p_adjusted"] >= adjusted["p_value"]).all()


def test_bounds_for_non_response_enclose_the_planned_effect(trials):
    for study in ("beneficiaries", "swing", "mod_ing"):
        frame = rows(trials[study][3])
        low, high = (
            frame.at[f"{study}/subjective_wellbeing/{end}_bound/lee", "estimate"] for end in ("lower", "upper")
        )
        # Trimming the arm that answered more moves its mean to either side of the untrimmed one.
        assert low <= frame.at[f"{study}/subjective_wellbeing/itt/hc2", "estimate"] <= high
        assert frame.at[f"{study}/subjective_wellbeing/itt/lee", "n"] == trials[study][0].design.randomised


# ---------------------------------------------------------------- flow and response
@pytest.mark.parametrize("study", ["beneficiaries", "swing", "mod_ing"])
def test_the_flow_adds_up(trials, study):
    plan, _, people, _ = trials[study]
    flow = participant_flow(people, plan)

    def total(stage, arm, kind="stage"):
        return flow.loc[(flow["stage"] == stage) & (flow["arm"] == arm) & (flow["kind"] == kind), "people"].sum()

    assert total("randomised", "all") == sum(total("allocated", arm.id) for arm in plan.arms) == plan.design.randomised
    for arm in plan.arms:
        assert total("allocated", arm.id) - total("survey", arm.id, "loss") == total("survey", arm.id)
        assert total("survey", arm.id) - total("analysed", arm.id, "loss") == total("analysed", arm.id)


def test_response_by_arm_is_tested_on_everyone_randomised(trials):
    row = rows(trials["mod_ing"][3]).loc["mod_ing/response/arm_difference/hc2"]
    assert row["n"] == 276
    assert row["estimate"] == pytest.approx(44 / 138 - 54 / 138, **EXACT)


# ---------------------------------------------------------------- time of response
@pytest.mark.parametrize(
    ("counts", "weeks"),
    [
        ([20, 20, 20], [(0,), (1,), (2,)]),
        ([20, 20, 9], [(0,), (1, 2)]),  # a thin week joins the one before
        ([20, 20, 10], [(0,), (1,), (2,)]),  # ten are enough
        ([20, 3, 20], [(0, 1), (2,)]),
        ([3, 20, 20], [(0, 1), (2,)]),  # none before it: joins the next
        ([20, 3, 3, 20], [(0, 1, 2), (3,)]),
        ([4, 4], [(0, 1)]),
        ([20, 0, 20], [(0,), (2,)]),  # nobody answered in between
    ],
)
def test_thin_weeks_are_merged_into_the_week_before(counts, weeks):
    answers = pd.Series(np.repeat(range(len(counts)), counts), dtype="float64")
    assert [period.weeks for period in response_periods(answers, minimum=10)] == weeks


def test_periods_need_responses_after_the_opening():
    with pytest.raises(NoObservations):
        response_periods(pd.Series([np.nan]), minimum=10)
    with pytest.raises(EstimationError, match="before the opening"):
        response_periods(pd.Series([-1.0, 0.0]), minimum=1)


def test_there_are_as_many_periods_as_the_documents_say(trials):
    plan, _, people, output = trials["beneficiaries"]
    table = output.tables["periods"]
    assert len(table) == plan.periods.expected
    assert table["responses"].sum() == people["responded"].sum()
    assert (table["responses"] == table["treatment"] + table["control"]).all()
    assert (
        people.loc[people["responded"] == 1, "week"].value_counts().min() < plan.periods.minimum
    )  # something was merged


def test_the_average_effect_is_the_mean_of_the_outcomes(trials):
    plan, _, _, output = trials["beneficiaries"]
    frame = rows(output)
    outcomes = [o.id for o in plan.outcomes.values() if o.scales]
    for estimand in ("period_1", "period_5", "arm_by_week"):
        mean = np.mean([frame.at[f"beneficiaries/{o}/{estimand}/hc2-sd", "estimate"] for o in outcomes])
        assert frame.at[f"beneficiaries/average/{estimand}/cr1-sd", "estimate"] == pytest.approx(mean, rel=1e-9)


def test_the_average_effect_and_its_standard_error_equal_statsmodels(trials):
    plan, _, people, output = trials["beneficiaries"]
    part = people.loc[people["week"] == 0]
    outcomes = [o for o in plan.outcomes.values() if o.scales]
    stacked = []
    for o in outcomes:
        arms = [people.loc[(people["treatment"] == a) & people[o.id].notna(), o.id] for a in (0, 1)]
        pooled = math.sqrt(sum(x.var(ddof=1) * (len(x) - 1) for x in arms) / (sum(map(len, arms)) - 2))
        sign = 1 if o.better == "higher" else -1
        known = part.loc[part[o.id].notna()]
        stacked.append(
            pd.DataFrame(
                {"y": sign * known[o.id] / pooled, "t": known["treatment"], "o": o.id, "person": known["person"]}
            )
        )
    long = pd.concat(stacked, ignore_index=True)
    dummies = pd.get_dummies(long["o"], dtype=float)
    design = pd.concat([dummies, dummies.mul(long["t"], axis=0).add_prefix("t_")], axis=1)
    groups = pd.factorize(long["person"])[0]
    fit = sm.OLS(long["y"], design).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    contrast = np.r_[np.zeros(4), np.full(4, 0.25)]
    row = rows(output).loc["beneficiaries/average/period_1/cr1-sd"]
    assert row["estimate"] == pytest.approx(float(contrast @ fit.params), rel=1e-9)
    error = math.sqrt(contrast @ fit.cov_params().to_numpy() @ contrast)
    assert row["std_error"] == pytest.approx(error, rel=1e-9)  # statsmodels applies the same G/(G-1) (N-1)/(N-k)
    assert row["df"] == row["n"] - 1 == long["person"].nunique() - 1


def test_effects_by_period_are_turned_so_that_more_is_better(trials):
    _plan, _, people, output = trials["beneficiaries"]
    part = people.loc[people["week"] == 0]
    gap = part.groupby("treatment")["burnout"].mean()
    assert np.sign(rows(output).at["beneficiaries/burnout/period_1/hc2-sd", "estimate"]) == -np.sign(gap[1] - gap[0])


def test_standardised_effects_do_not_depend_on_the_unit(trials):
    plan, _, people, output = trials["beneficiaries"]
    other, _ = attenuation(people.assign(motivation=people["motivation"] * 12.5 - 3), plan)
    frame = rows(output)
    for row in other:
        assert row.estimate == pytest.approx(frame.at[row.result_id, "estimate"], rel=1e-8, abs=1e-12)


def test_a_period_without_one_arm_is_a_row_with_its_reason(trials):
    plan, _, people, _ = trials["beneficiaries"]
    gone = people.loc[~((people["week"] == 1) & (people["treatment"] == 1))]
    found, _ = attenuation(gone, plan)
    rows_of_two = [row for row in found if row.estimand == "period_2"]
    assert {row.status for row in rows_of_two} == {"not_estimated"}
    assert all("ConstantTreatment" in row.note for row in rows_of_two)


def test_studies_without_periods_have_no_rows_by_time(trials):
    assert attenuation(trials["swing"][2], trials["swing"][0])[0] == []
    assert "periods" not in trials["swing"][3].tables


# ---------------------------------------------------------------- planted truth
def simulated(people, outcome, *, effect, rng):
    """The trial with another outcome: standard normal, shifted by `effect` among the treated."""
    values = rng.standard_normal(len(people)) + effect * people["treatment"]
    return people.assign(**{outcome: values.where(people[outcome].notna())})


@pytest.mark.parametrize("effect", [0.0, 0.5])
def test_a_planted_effect_is_found_on_average(trials, effect):
    plan, _, people, _ = trials["beneficiaries"]
    analysis, rng = plan.analysis("motivation/itt/hc2"), np.random.default_rng(5)
    found = [run_cell(analysis, simulated(people, "motivation", effect=effect, rng=rng), plan).row for _ in range(200)]
    estimates = np.array([row.estimate for row in found])
    spread = estimates.std(ddof=1) / math.sqrt(200)
    assert abs(estimates.mean() - effect) < 4 * spread  # four standard errors of the simulation
    covered = np.mean([row.conf_low <= effect <= row.conf_high for row in found])
    assert 0.90 <= covered <= 0.99  # 95% give or take three binomial standard errors of 200 runs


def test_a_planted_fading_is_found_on_average(trials):
    plan, _, people, _ = trials["beneficiaries"]
    rng, slopes = np.random.default_rng(6), []
    outcomes = [o for o in plan.outcomes.values() if o.scales]
    for _ in range(15):
        frame = people.copy()
        for o in outcomes:
            better = 1 if o.better == "higher" else -1
            shift = better * (0.4 - 0.1 * people["week"]) * people["treatment"]
            frame[o.id] = (rng.standard_normal(len(people)) + shift).where(people[o.id].notna())
        found, _ = attenuation(frame, plan)
        slopes.append(
            next(row.estimate for row in found if row.result_id == "beneficiaries/average/arm_by_week/cr1-sd")
        )
    # The pooled standard deviation includes the spread of the shifts, so effects come out about 1% smaller.
    assert np.mean(slopes) == pytest.approx(-0.1, abs=4 * np.std(slopes, ddof=1) / math.sqrt(15) + 0.002)
