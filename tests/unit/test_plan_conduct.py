"""Planned against done: an unexplained difference and an unused explanation both stop the report."""

from dataclasses import replace

import pytest

from hhp_stats.errors import PlanError
from hhp_stats.plan.conduct import (
    Commitment,
    Conduct,
    Deviation,
    check_deviations,
    differences,
    load_commitments,
    load_deviations,
)
from hhp_stats.plan.load import load_plan
from hhp_stats.studies.goal_setting.cells import what_was_done

WANT = Commitment(study="s", clause="P67", analysis="a/itt/x", aspect="covariance", value="CR1")
DONE = Conduct(study="s", analysis="a/itt/x", aspect="covariance", value="CR1")
EXPLAINED = Deviation(
    id="V1", study="s", clause="P67", analysis="a/itt/x", aspect="covariance", planned="CR1", done="CR2",
    reason="few teams", decided="2020-01-01", before_unblinding=True,
)  # fmt: skip


def test_kept_commitments_differ_in_nothing():
    assert differences([WANT], [DONE]) == ()


def test_an_analysis_that_never_ran_differs():
    (found,) = differences([WANT], [])
    assert found.done == "not run"


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
    return [entry for entry in load_commitments(root) if entry.study == "goal_setting"]


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
