"""Plans of individually randomised studies: those that ship, and what the loader refuses."""

from __future__ import annotations

import datetime as dt

import pytest

from hhp_stats.errors import PlanError, UnknownName
from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.plan.records import read_plan_file, records_of

TRIALS = ("beneficiaries", "swing", "mod_ing")


@pytest.fixture
def spoil(project):
    """Replace the first `old` in a plan of the copy and load it."""

    def change(old, new, study="beneficiaries"):
        path = project / f"data/plan/{study}.toml"
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{path.name} no longer holds {old!r}"
        path.chmod(0o644)
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return load_individual_plan(project, study)

    return change


@pytest.mark.parametrize("study", TRIALS)
def test_the_plans_that_ship_load(root, study):
    plan = load_individual_plan(root, study)
    assert {arm.code for arm in plan.arms} == {0, 1}
    assert sum(arm.randomised for arm in plan.arms) == plan.design.randomised
    for outcome in plan.outcomes.values():
        planned = [a for a in plan.analyses if a.outcome == outcome.id and a.kind == "planned"]
        assert len(planned) == 1, f"{outcome.id} needs exactly one planned analysis"


def test_a_plan_gives_its_parts_by_name(root):
    plan = load_individual_plan(root, "beneficiaries")
    analysis = plan.analysis("burnout/itt/hc2")
    assert plan.result_id(analysis) == "beneficiaries/burnout/itt/hc2"
    assert plan.fact("staff") == 5
    assert plan.periods.expected == 5
    assert plan.blocks[0].survey_opened == dt.date(2021, 4, 19)
    with pytest.raises(UnknownName):
        plan.analysis("burnout/itt/none")
    with pytest.raises(UnknownName):
        plan.fact("nobody")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('study = "beneficiaries"', 'study = "swing"', "Write 'beneficiaries'"),
        ("conf_level = 0.95", 'conf_level = "high"', "conf_level"),
        ("conf_level = 0.95", "conf_level = 0.95\nalpha = 0.05", "unknown key 'alpha'"),
        ("seed = 1969", "", "lacks 'seed'"),
        ('clauses = ["R01", "R07"]', 'clauses = ["R01", "R99"]', "R99"),
        ('decision = ["C22", "C90"]', 'decision = ["C22", "C99"]', "C99"),
        ('sources = ["001:383"]', 'sources = ["001:99999"]', "001:99999"),
        ("code = 1", "code = 2", "codes other than 0, 1"),
        ("randomised = 984", "randomised = 983", "1968 people"),
        ('items = ["worth_1", "worth_2"]', 'items = ["worth_1", "happiness"]', "'happiness', which evaluative has"),
        ('reverse = ["affect_2"', 'reverse = ["affect_9"', "affect_9"),
        ("low = 0\nhigh = 10", "low = 10\nhigh = 0", "needs items, a range"),
        ('scales = ["burnout"]', 'scales = ["fatigue"]', "fatigue"),
        ('combine = "standardised_sum"\n', "", "no rule to combine them"),
        ('reference = "baseline"\n', "", "does not name"),
        ('scales = ["burnout"]', 'scales = ["burnout"]\nmargin = 0.2', "which trials on a plain table have"),
        ('base = "Bracknell Forest"', 'base = "Kent"', "outside its levels"),
        ('id = "burnout/itt/hc2"', 'id = "burnout/hc2"', "outcome/estimand/method"),
        ('id = "burnout/itt/hc2"', 'id = "subjective_wellbeing/itt/hc2"', "stands twice"),
        ('population = "responders"', 'population = "everyone"', "everyone"),
        ('estimator = "welch"', 'estimator = "anova"', "anova"),
        ('covariance = "by arm"', 'covariance = "HC2"', "HC2"),
        ('terms = ["local_authority"]', 'terms = ["region"]', "region"),
        ('kind = "sensitivity"\npopulation', 'kind = "extra"\npopulation', "extra"),
        ('clauses = ["R10", "R09"]', "clauses = []", "cites no clause"),
        ("survey_opened = 2021-04-19", 'survey_opened = "2021-04-19"', "a date"),
        ("printed = true", 'printed = "yes"', "true or false"),
        ("minimum = 10", "minimum = 10.5", "a whole number"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(spoil, old, new, says):
    with pytest.raises(PlanError) as caught:
        spoil(old, new)
    assert says in str(caught.value)
    assert caught.value.remedy


def test_a_moderator_must_be_a_term_of_its_analysis(spoil):
    with pytest.raises(PlanError, match="moderator"):
        spoil('moderator = "cohort"', 'moderator = "baseline"', study="swing")


def test_a_plan_without_a_file_is_refused(project):
    with pytest.raises(PlanError, match="does not exist"):
        load_individual_plan(project, "nothing")


def test_a_list_may_be_left_out_only_where_that_is_allowed(project):
    from hhp_stats.plan.individual import Question

    file = "data/plan/beneficiaries.toml"
    tables = read_plan_file(project, file)
    assert records_of(tables, file=file, key="questions", kind=Question, optional=True) == ()
    with pytest.raises(PlanError, match="holds no entry"):
        records_of(tables, file=file, key="questions", kind=Question)
