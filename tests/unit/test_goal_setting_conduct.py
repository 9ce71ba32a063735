"""What the goal-setting chapter says beside its planned effects: imputed baselines, strata, balance of those
analysed, costs.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hhp_stats.estimate.imputation import impute
from hhp_stats.intake.trial import Trial
from hhp_stats.plan.load import load_plan
from hhp_stats.present.tables import FIGURE_SPACE, aligned, effects_table
from hhp_stats.publish.checks.page_text import read_page
from hhp_stats.results.frame import Estimate, result_frame
from hhp_stats.studies.estimators.linear import ordinary
from hhp_stats.studies.goal_setting import allocation, arm_balance
from hhp_stats.studies.goal_setting.analysed import Material, analysis_data
from hhp_stats.studies.goal_setting.baselines import balance_table
from hhp_stats.studies.goal_setting.cost_benefit import cost_benefit, costs_of, joint_bootstrap, leaver_cost
from hhp_stats.studies.goal_setting.imputation_model import imputation_plan
from hhp_stats.studies.goal_setting.sample import build_sample
from hhp_stats.studies.sources import Sourced, sourced
from hhp_stats.synthetic.assumptions import load_assumptions
from hhp_stats.synthetic.simulate import simulate_trial


@pytest.fixture(scope="module")
def plan(root):
    whole = load_plan(root, "goal_setting")
    return replace(
        whole,
        cost_benefit=replace(whole.cost_benefit, draws=40),
        imputation=replace(
            whole.imputation, models={key: replace(model, m=3) for key, model in whole.imputation.models.items()}
        ),
    )


@pytest.fixture(scope="module")
def people(plan):
    drawn = simulate_trial(11, n_people=600, effect=-0.5, nonresponse=True, assumptions=load_assumptions())
    nothing = pd.DataFrame()
    trial = Trial(
        study="goal_setting",
        people=drawn.people,
        teams=drawn.teams,
        inputs=nothing,
        problems=nothing,
        corrections=nothing,
        tolerances=nothing,
        linkage=nothing,
    )
    return build_sample(trial, plan).people


@pytest.fixture(scope="module")
def before(people, plan):
    return impute(people, from_baselines(people, plan))


def from_baselines(people, plan):
    return imputation_plan(people, plan, plan.imputation.models["imputed_from_baseline"])


def test_baselines_imputed_from_baselines_do_not_know_the_arm(people, plan, before):
    swapped = people.assign(treatment=1 - people["treatment"], absence_days=people["absence_days"] * 3)
    again = impute(swapped, from_baselines(swapped, plan))
    for number in range(len(before)):
        np.testing.assert_array_equal(
            before.column("baseline_absence", number), again.column("baseline_absence", number)
        )


def test_recorded_and_imputed_baselines_add_up_to_all(people, plan, before):
    table = balance_table(before, plan).set_index(["group", "arm"])
    missing = people["baseline_absence"].isna()
    assert table.loc["imputed", "people"].sum() == missing.sum() > 20
    assert table.loc["recorded", "people"].sum() == (~missing).sum()
    parts = [table.loc[group] for group in ("recorded", "imputed")]
    together = sum(part["mean"] * part["people"] for part in parts) / sum(part["people"] for part in parts)
    # The same sum in another order.
    np.testing.assert_allclose(together, table.loc["all", "mean"], rtol=1e-12)


def test_differences_among_the_randomised_are_those_of_the_balance_table(people, plan):
    table = arm_balance.balance_differences(people, plan, {})
    whole = arm_balance.balance(people, plan, population="randomised", levels={})
    np.testing.assert_array_equal(table["randomised"], whole["std_difference"])
    known = arm_balance.balance(people.loc[people["wellbeing_t2"].notna()], plan, population="x", levels={})
    np.testing.assert_array_equal(table["wellbeing"], known["std_difference"])
    level = table.loc[(table["level"] == "team manager")].iloc[0]
    managers = people.loc[people["role"] == "team manager"].groupby("treatment").size()
    assert level["least_randomised"] == managers.min()


def test_zeros_for_missing_records_move_teams_with_agency_staff(people):
    row = allocation.strata_if_zero(people).iloc[0]
    assert 0 < row["other_quartile"] <= row["teams"] and row["other_stratum"] <= row["teams"]
    assert row["agency_with_absence_if_zero"] < row["agency_with_absence"]  # zeros pull teams with agency staff down


def test_the_joint_bootstrap_is_centred_on_the_planned_absence_effect(people, plan, before):
    material = Material(
        plan=plan,
        people=people,
        imputations={"multiple_imputation": before, "imputed_from_baseline": before},
        redraws=None,
    )
    planned = ordinary(analysis_data(plan.analysis("sickness_absence/itt/cr1"), material))[""]
    draws = joint_bootstrap(material)
    # Least squares of the same models in two ways.
    assert draws.estimates["absence"] == pytest.approx(planned.estimate, rel=1e-9)
    assert len(draws.draws) >= plan.cost_benefit.draws
    assert 0.5 < draws.draws["absence"].std() / planned.std_error < 2  # 42 draws: a factor of two is beyond chance


def test_every_other_intervention_of_the_plan_keeps_a_row(people, plan, before):
    material = Material(
        plan=plan,
        people=people,
        imputations={"multiple_imputation": before, "imputed_from_baseline": before},
        redraws=None,
    )
    effect = Estimate(estimate=-0.5, std_error=0.4, df=80, n=600, n_clusters=90, method="x")
    other = plan.analysis("sickness_absence/itt/baseline-zero")
    found = cost_benefit(
        material,
        sourced(lambda: joint_bootstrap(material)),
        absence=Sourced(value=effect),
        turnover=Sourced(value=effect.scaled(0.05)),
        versions={other.id: sourced(lambda: joint_bootstrap(material, other))},
    )
    rows = {row.result_id.split("/")[-1]: row for row in found.rows if row.estimand == "comparison"}
    assert set(rows) == {"letters", "coffee"}
    assert all(row.status == "not_estimated" and row.note and row.clause == "P91" for row in rows.values())
    # A ratio under another way with missing baselines rests on that way's own effects.
    zero = next(row for row in found.rows if row.result_id.endswith("ratio/programme-30-baseline-zero"))
    own = joint_bootstrap(material, other)
    costs = costs_of(plan.cost_benefit.scenarios[0], leaver_cost(people, plan), plan)
    assert zero.estimate == pytest.approx(
        costs.ratio(absence_reduction=-own.estimates["absence"], turnover_reduction=-own.estimates["turnover"]),
        rel=1e-12,
    )
    assert own.draws["leaver"].std() == pytest.approx(
        costs.turnover_cost_std_error, rel=0.5
    )  # 40 draws, teams within cells
    parts = found.parts.set_index("scenario").loc["programme-30"]
    assert (parts["absence"] + parts["turnover"]) / parts["cost"] == pytest.approx(
        next(row.estimate for row in found.rows if row.result_id.endswith("ratio/programme-30")), rel=1e-12
    )


def test_decimal_points_stand_below_each_other():
    assert aligned([".055", ".06", "< .001", "\u2014"]) == [".055", f".06{FIGURE_SPACE}", "< .001", "\u2014"]
    assert (
        len({len(text) for text in aligned(["4", "3.9", "10.25"])}) > 1
    )  # whole numbers keep their place before the point


def test_headings_under_a_spanner_are_read_with_the_others():
    row = Estimate(estimate=1.0, std_error=0.5, df=20, n=40, n_clusters=21, method="OLS").row(
        result_id="s/o/itt/x", population="p", contrast="c", analysis="planned", clause="P54", source="test"
    )
    html = effects_table(
        result_frame([row]),
        labels=["As planned"],
        stub="Version",
        arms={"Control": ["1.0"]},
        contrast="Offer minus control",
    ).as_raw_html()
    (table,) = read_page(f"<body>{html}</body>").tables
    assert table.headings == ["Version", "Control", "Difference", "95% CI", "p", "df", "People", "Teams"]
    assert all(len(line) == len(table.headings) for line in table.rows[:1])
