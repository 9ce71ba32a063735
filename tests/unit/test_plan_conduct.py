"""Planned against done: an unexplained difference and an unused explanation both stop the report."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from hhp_stats.design.randomisation import AllocationRule
from hhp_stats.errors import PlanError
from hhp_stats.intake.trial import Trial
from hhp_stats.plan.conduct import (
    NOT_ESTIMATED,
    Commitment,
    Conduct,
    Deviation,
    check_deviations,
    differences,
    load_commitments,
    load_deviations,
)
from hhp_stats.plan.load import load_plan
from hhp_stats.studies.goal_setting import allocation
from hhp_stats.studies.goal_setting.analysed import Material
from hhp_stats.studies.goal_setting.cells import run_cell, what_was_done
from hhp_stats.studies.goal_setting.rules import rules_followed
from hhp_stats.studies.goal_setting.sample import build_sample
from hhp_stats.synthetic.assumptions import load_assumptions
from hhp_stats.synthetic.simulate import simulate_trial

ROOT = Path(__file__).parents[2]

WANT = Commitment(study="s", clause="P67", analysis="a/itt/x", aspect="covariance", value="CR1")
DONE = Conduct(study="s", analysis="a/itt/x", aspect="covariance", value="CR1")
EXPLAINED = Deviation(
    id="V1",
    study="s",
    clause="P67",
    analysis="a/itt/x",
    aspect="covariance",
    planned="CR1",
    done="CR2",
    reason="few teams",
    decided="2020-01-01",
    before_unblinding=True,
)


def test_kept_commitments_differ_in_nothing():
    assert differences([WANT], [DONE]) == ()


def test_an_analysis_that_never_ran_differs():
    (found,) = differences([WANT], [])
    assert found.done == "not run"


def test_what_the_data_do_not_allow_needs_no_entry_and_makes_none_superfluous():
    refused = Conduct(study="s", analysis="a/itt/x", aspect="fitted", value=NOT_ESTIMATED)
    found = differences([WANT, replace(WANT, aspect="fitted", value="logit")], [refused])
    assert [each.done for each in found] == [NOT_ESTIMATED, NOT_ESTIMATED]
    check_deviations(found, [EXPLAINED], study="s")
    # What is known of it without a fit is compared as ever.
    found = differences([WANT], [refused, replace(DONE, value="CR2")])
    with pytest.raises(PlanError, match="P67"):
        check_deviations(found, [], study="s")


def test_an_unexplained_difference_names_the_clause():
    found = differences([WANT], [replace(DONE, value="CR2")])
    with pytest.raises(PlanError, match="P67") as refused:
        check_deviations(found, [], study="s")
    assert "CR2" in str(refused.value)


def test_an_explained_difference_passes():
    check_deviations(differences([WANT], [replace(DONE, value="CR2")]), [EXPLAINED], study="s")


def test_an_unused_explanation_is_refused():
    with pytest.raises(PlanError, match="did not happen"):
        check_deviations((), [EXPLAINED], study="s")


@pytest.mark.parametrize("wrong", [{"done": "CR3"}, {"planned": "CR0"}, {"clause": "P65"}])
def test_an_explanation_of_something_else_is_refused(wrong):
    found = differences([WANT], [replace(DONE, value="CR2")])
    with pytest.raises(PlanError, match="V1"):
        check_deviations(found, [replace(EXPLAINED, **wrong)], study="s")


def commitments_of(root):
    """What the plan alone can break: the rest is read off estimates, or off the rules that ran."""
    plan = load_plan(root, "goal_setting")
    named = {analysis.id for analysis in plan.analyses} | {"benefit_cost/comparison/pairwise"}
    entries = [entry for entry in load_commitments(root) if entry.study == "goal_setting"]
    return [entry for entry in entries if entry.analysis in named and entry.aspect != "fitted"]


def test_the_plan_in_the_repository_keeps_its_commitments(root):
    plan = load_plan(root, "goal_setting")
    conduct = [
        entry for analysis in plan.analyses for entry in what_was_done(analysis, plan.outcomes[analysis.outcome], plan)
    ]
    check_deviations(differences(commitments_of(root), conduct), load_deviations(root), study="goal_setting")


def test_changing_the_model_without_an_entry_names_its_clause(root):
    plan = load_plan(root, "goal_setting")
    fewer = replace(plan, terms=tuple(term for term in plan.terms if term.column != "part_time"))
    conduct = [e for a in fewer.analyses for e in what_was_done(a, fewer.outcomes[a.outcome], fewer)]
    with pytest.raises(PlanError, match="P54"):
        check_deviations(differences(commitments_of(root), conduct), load_deviations(root), study="goal_setting")


def test_a_deviation_without_a_reason_is_refused(project):
    (project / "data/plan/deviations.toml").write_text(
        '[[deviation]]\nid = "V1"\nstudy = "goal_setting"\nclause = "P67"\nanalysis = "a/b/c"\naspect = "df"\n'
        'planned = "x"\ndone = "y"\nreason = " "\ndecided = "2020-01-01"\nbefore_unblinding = true\n'
    )
    with pytest.raises(PlanError, match="reason"):
        load_deviations(project)


def test_removing_a_deviation_entry_names_its_clause(root):
    plan = load_plan(root, "goal_setting")
    conduct = [entry for a in plan.analyses for entry in what_was_done(a, plan.outcomes[a.outcome], plan)]
    found = differences(commitments_of(root), conduct)
    explained = [entry for entry in load_deviations(root) if entry.study == "goal_setting"]
    assert explained, "the report has deviations to explain"
    for missing in explained:
        with pytest.raises(PlanError, match=missing.clause):
            check_deviations(found, [entry for entry in explained if entry is not missing], study="goal_setting")


def test_every_planned_analysis_is_committed_to_its_estimator_and_its_terms(root):
    """A planned analysis that no commitment is about could be changed without anybody noticing."""
    plan = load_plan(root, "goal_setting")
    held = {(entry.analysis, entry.aspect) for entry in load_commitments(root) if entry.study == "goal_setting"}
    planned = [analysis.id for analysis in plan.analyses if analysis.kind == "planned"]
    assert len(planned) > 35
    for analysis in planned:
        assert {(analysis, aspect) for aspect in ("estimator", "terms", "fitted")} <= held, analysis


@pytest.mark.parametrize("outcome", ["wellbeing", "happiness", "time_pressure", "relatedness", "bradford"])
def test_an_outcome_without_its_own_baseline_names_the_clause(root, outcome):
    plan = load_plan(root, "goal_setting")
    clause = {"wellbeing": "P71", "time_pressure": "P78", "bradford": "P79"}.get(outcome, "P72")
    without = replace(plan, outcomes={**plan.outcomes, outcome: replace(plan.outcomes[outcome], baseline="")})
    conduct = [e for a in without.analyses for e in what_was_done(a, without.outcomes[a.outcome], without)]
    with pytest.raises(PlanError, match=f"clause {clause}"):
        check_deviations(differences(commitments_of(root), conduct), load_deviations(root), study="goal_setting")


@pytest.fixture(scope="module")
def simulated(root):
    plan = load_plan(root, "goal_setting")
    drawn = simulate_trial(3, n_people=500, effect=0.0, nonresponse=True, assumptions=load_assumptions())
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
    sample = build_sample(trial, plan)
    draws = allocation.redraws(sample.people, plan)
    return sample, Material(plan=plan, people=sample.people, imputations={}, redraws=draws)


def fitted(analysis, material):
    done = {entry.aspect: entry.value for entry in run_cell(analysis, material).conduct}
    return done["fitted"]


def test_what_was_fitted_is_read_off_the_estimate(simulated):
    """Planned and changed in the code alone: the plan's words stay, the estimate's own do not."""
    _, material = simulated
    analysis = material.plan.analysis("wellbeing/itt/complete-cases")
    (want,) = [
        entry.value for entry in load_commitments(ROOT) if (entry.analysis, entry.aspect) == (analysis.id, "fitted")
    ]
    assert fitted(analysis, material) == want
    assert fitted(replace(analysis, covariance="CR2", df="satterthwaite"), material) != want


def test_rules_beside_the_analyses_are_kept_and_a_changed_one_is_named(simulated):
    sample, material = simulated
    done = rules_followed(material, sample, [])
    rules = {entry.analysis for entry in done}
    wanted = [entry for entry in load_commitments(ROOT) if entry.study == "goal_setting" and entry.analysis in rules]
    assert {"P14", "P15", "P16", "P18", "P20", "P37", "P88"} == {entry.clause for entry in wanted}
    assert differences(wanted, done) == ()
    other = replace(material, redraws=replace(material.redraws, rule=AllocationRule(max_redraws=7, alpha=0.05)))
    found = differences(wanted, rules_followed(other, sample, []))
    with pytest.raises(PlanError, match="P20"):
        check_deviations(found, [], study="goal_setting")
