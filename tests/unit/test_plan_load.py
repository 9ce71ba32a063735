"""A plan that contradicts itself is refused with file, place, rule and remedy."""

import re

import pytest

from hhp_stats.errors import PlanError, UnknownName
from hhp_stats.plan.load import load_plan


def test_the_plan_of_the_trial_loads(root):
    plan = load_plan(root, "goal_setting")
    assert len(plan.sites) == 8 and plan.design.recruited == 1315
    assert plan.analysis("sickness_absence/itt/cr1").kind == "planned"
    assert plan.terms[1].base == "student social worker"  # clause P59


def test_every_outcome_with_a_baseline_uses_other_columns_for_both(root):
    for outcome in load_plan(root, "goal_setting").outcomes.values():
        assert outcome.column != outcome.baseline


def test_an_unknown_analysis_is_named(root):
    with pytest.raises(UnknownName, match="no/such/thing"):
        load_plan(root, "goal_setting").analysis("no/such/thing")


DAMAGES = {
    "unknown clause": (r'clauses = \["P06", ', 'clauses = ["P999", ', "P999"),
    "no clause": (r"(\[outcomes\.turnover\][^[]*?)clauses = \[[^\]]*\]", r"\1clauses = []", "cites no clause"),
    "base outside levels": ('base = "student social worker"', 'base = "director"', "director"),
    "unknown key": ("working_days_per_week = 5", "working_days_per_week = 5\nholidays = 3", "holidays"),
    "threshold too low": ("threshold = 5 ", "threshold = 2 ", "threshold of 2"),
    "no decision on small counts": (r"\[disclosure\]", "[undecided]", "disclosure"),
    "unknown rule for zeros": ('zeros = "published"', 'zeros = "shown"', "zeros"),
    "missing key": ("working_days_per_week = 5", "", "working_days_per_week"),
    "unknown estimator": ('estimator = "logit"', 'estimator = "probit"', "probit"),
    "unknown covariance": ('covariance = "CR2"', 'covariance = "HC9"', "HC9"),
    "unknown population": ('population = "survey"', 'population = "nobody"', "nobody"),
    "unknown outcome": ('id = "turnover/itt/linear"', 'id = "turn/itt/linear"', "turn"),
    "id twice": ('id = "turnover/itt/linear"', 'id = "turnover/itt/logit-average"', "twice"),
    "id of another form": ('id = "turnover/itt/linear"', 'id = "turnover/linear"', "outcome/estimand/method"),
    "site not in the levels": ('local_authority = "Bromley"', 'local_authority = "Barnet"', "sites"),
    "arms": ("arms = { control = 0, treatment = 1 }", "arms = { control = 0, treatment = 2 }", "two arms"),
    "df that the estimator has not": ('df = "clusters_less_two"', 'df = "normal"', "df rule of lee-bounds"),
    "average": ('average = "teams"', 'average = "buildings"', "buildings"),
    "weights that the estimator has not": ('summary = "average"', 'summary = "average"\naverage = "teams"', "cannot"),
    "weighed twice": (
        'id = "absence_rate/itt/unadjusted"',
        'id = "absence_rate/itt/unadjusted"\naverage = "teams"',
        "two ways",
    ),
    "floor below zero": ("leaver_floor = 10", "leaver_floor = -1", "-1 under 'leaver_floor'"),
    "floor that is no number": ("leaver_floor = 10", 'leaver_floor = "ten"', "'ten' under 'leaver_floor'"),
    "floor that is not needed": ('leavers = "left_out"', 'leavers = "left_out"\nleaver_floor = 10', "does not need"),
    "exploratory outcome planned": (
        r'(id = "burnout/itt/indicator"[^[]*?)kind = "exploratory"',
        r'\1kind = "planned"\nclauses = ["P54"]',
        "outcome that is exploratory",
    ),
    "unknown answer": (r'answers = \["excellent", "good"\]', 'answers = ["excellent", "super"]', "super"),
    "every answer": (
        r'answers = \["excellent", "good"\]',
        'answers = ["excellent", "good", "fair", "poor"]',
        "is made of answers",
    ),
    "unknown question": ('question = "health"', 'question = "heath"', "heath"),
    "not TOML": ("study = ", "study == ", "TOML"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_plan_is_refused(project, name):
    pattern, replacement, said = DAMAGES[name]
    path = project / "data/plan/goal_setting.toml"
    text, count = re.subn(pattern, replacement, path.read_text(encoding="utf-8"), count=1, flags=re.S)
    assert count == 1, "the damage did not apply"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PlanError) as refused:
        load_plan(project, "goal_setting")
    assert "data/plan/goal_setting.toml" in str(refused.value) and said in str(refused.value)
    assert refused.value.remedy


def test_a_missing_plan_is_named(project):
    with pytest.raises(PlanError, match=r"data/plan/nothing\.toml"):
        load_plan(project, "nothing")
