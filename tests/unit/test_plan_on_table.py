"""Plans of trials on a plain table: what they leave unsaid, and what the loader refuses, each with the nearest known
name.
"""

from __future__ import annotations

import shutil

import pandas as pd
import pytest
from table_trials import DICTIONARY, KEY, PLAN, write_walks

from hhp_stats.errors import PlanError
from hhp_stats.plan.conditions import ConditionError, parse_condition
from hhp_stats.plan.individual import load_individual_plan


@pytest.fixture(scope="module")
def plans(root, tmp_path_factory):
    """The plans and clauses of the project, copied once; tests write the plan of the made-up trial beside them."""
    home = tmp_path_factory.mktemp("plans")
    for part in ("data/plan", "data/published"):
        shutil.copytree(root / part, home / part)
    return home


@pytest.fixture
def spoil(plans):
    """Replace the first `old` in plan or dictionary of the made-up trial, and load the plan."""
    project = plans

    def change(old, new):
        plan, dictionary = PLAN, DICTIONARY
        assert (old in plan) or (old in dictionary), old
        plan = plan.replace(old, new, 1) if old in plan else plan
        dictionary = dictionary if old in PLAN else dictionary.replace(old, new, 1)
        (project / f"data/plan/{KEY}.toml").write_text(plan, encoding="utf-8")
        (project / f"data/plan/{KEY}.dictionary.csv").write_text(dictionary, encoding="utf-8")
        return load_individual_plan(project, KEY)

    return change


def test_what_a_short_plan_leaves_unsaid(spoil):
    plan = spoil("seed = 11", "seed = 11")
    assert [(arm.id, arm.code, arm.value) for arm in plan.arms] == [
        ("control", 0, "usual care"),
        ("leaflet", 1, "2"),
        ("coach", 2, "coach"),
    ]
    assert list(plan.outcomes) == ["steps", "steps_month_6", "pain", "fell", "response"]
    assert plan.outcomes["steps"].column == "steps_12"
    assert plan.outcomes["steps_month_6"].label == "Steps a day, month 6"
    assert plan.outcomes["fell"].unit == "probability"
    planned = [a for a in plan.analyses if a.kind == "planned"]
    assert len(planned) == 2 * 4  # every outcome and wave, each arm against the control
    assert {(a.covariance, a.df) for a in planned} == {("CR2", "satterthwaite")}
    steps = plan.analysis("steps/itt_coach/cr2")
    assert [arm.id for arm in plan.compared(steps)] == ["coach", "control"]
    assert steps.terms == ("baseline", "years", "region")
    assert plan.analysis("pain/itt_leaflet/cr2").terms == ("years", "region")  # it has no baseline
    assert not any(a.estimator == "logit" and a.outcome != "fell" for a in plan.analyses)
    assert plan.terms["region"].levels[:2] == ("Coast", "Hills")
    assert plan.design.unit == "surgery"


@pytest.mark.parametrize("table", ["letters", "swing"])
def test_a_plan_of_surveys_says_everything_itself(project, table):
    path = project / f"data/plan/{table}.toml"
    path.chmod(0o644)
    text = path.read_text(encoding="utf-8")
    for old in ('kind = "continuous"', "conf_level = 0.95", "code = 0"):
        path.write_text(text.replace(old, "", 1), encoding="utf-8")
        with pytest.raises(PlanError, match="lacks"):
            load_individual_plan(project, table)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('strata = ["region"]', 'strata = ["surgery"]', "each would be in one arm"),
        ('label = "NHS coach"', 'label = "GP leaflet"', "Give each a label of its own"),
        ('label = "Fell"', 'label = "Pain (NRS)"', "outcomes fell: has the label 'Pain (NRS)', as pain has"),
        ('label = "Fell"', 'label = ""', "outcomes fell: has no text under 'label'"),
        ('id = "fell"\n', 'id = ""\n', "outcomes number 3: has no text under 'id'"),
        ('id = "fell"\n', 'id = "power"\n', "is a name of results about no outcome"),
        ('month_6 = "steps_6"', '"Month 6" = "steps_6"', "no part of a result's name"),
        ('month_6 = "steps_6"', 'month_6 = "steps_12"', "has the column 'steps_12', which is that of"),
        ('baseline = "steps_0"', 'baseline = "steps_12"', "before and after the trial"),
        ("[balance]", '[waves]\nmonth_21 = "later"\n\n[balance]', "Did you mean 'month_12'"),
        ("[balance]", '[consort]\n"99" = "x"\n\n[balance]', "no item of this trial's checklist"),
        ("[balance]", "[consort]\n2 = 5\n\n[balance]", "consort 2: holds no words"),
        ('["baseline", "years", "region"]', '["baseline", "steps_12"]', "the outcome itself"),
        ('["baseline", "years", "region"]', '["baseline", "steps_0"]', "`baseline` stands for already"),
        ('["baseline", "years", "region"]', '["baseline", "surgery"]', "nothing of the effect is left"),
        ('["baseline", "years", "region"]', '["baseline", "fell"]', "measured after the arms were drawn"),
        ("years >= 60 and", "fell == 1 and", "asks for 'fell': it is measured after the arms were drawn"),
        ("imputations = 5", 'auxiliary = ["surgery"]', "names column 'surgery'"),
        ('column = "pain_12"', 'column = "pain_12"\nmargin = -1', "Write a number above 0"),
        ("imputations = 5", "imputations = 1", "from 2 to ten millions"),
        ('steps_0 = "steps.before"', 'steps_0 = "steps_6"', "reads 'steps_0' and 'steps_6' from one column"),
        ('person = "who"', 'person = "who"\ndictionary = "/etc/passwd"', "Put it under data/plan/walks.dictionary.csv"),
        ("[words]", "[[words]]", "words: is no table. Write [words] once"),
        ('["patient", "patients"]', '["patient", ""]', "a text without words under 'person'"),
        ('contrast = "coach minus leaflet"', 'contrast = "coach minus coach"', "two different arms"),
        ("[disclosure]", "[disclosures]", "unknown key 'disclosures'. Did you mean"),
        ("randomised = 240", 'randomised = "240"', "Write a whole number"),
        ("clusters = 24", "clustrs = 24", "Did you mean 'clusters'"),
        ('cluster = "surgery"\n', "", "names no cluster"),
        ('strata = ["region"]', 'strata = ["years"]', "needs the column 'years' of kind category"),
        ('strata = ["region"]', 'strata = ["regin"]', "Did you mean 'region'"),
        ('person = ["patient", "patients"]', 'person = ["patient"]', "singular and plural"),
        ('file = "data/tables/walks.csv"', 'file = "data/tables/other.csv"', "data/tables/walks.csv"),
        ('file = "data/tables/walks.csv"', 'file = "data/tables/walks.dta"', "data/tables/walks.csv"),
        ('person = "who"', 'person = "years"', "of kind identifier"),
        ('steps_0 = "steps.before"', 'step_0 = "steps.before"', "Did you mean 'steps_0'"),
        ('id = "leaflet"\nvalue = 2', 'id = "leaflet"\nvalue = "coach"', "share a value"),
        ('id = "leaflet"', 'id = "Coach"', "no id of its own"),
        ('id = "fell"\n', 'id = "Fell"\n', "no name for a result"),
        ('role = "primary"\n', "", "have 0 of role primary"),
        ('role = "primary"', 'role = "main"', "unknown role 'main'"),
        ('better = "higher"', 'better = "highr"', "Did you mean 'higher'"),
        ('better = "higher"', "", "lacks 'better'. Add it: one of lower, higher"),
        ('month_12 = "steps_12"', 'month_12 = "steps_21"', "Did you mean 'steps_12'"),
        ('baseline = "steps_0", ', "", "no outcome has a baseline"),
        ('column = "pain_12"', 'column = "region"', "of kind category"),
        ('kind = "binary"', 'kind = "binary"\nprimary_wave = "month_9"', "primary wave 'month_9'"),
        ('column = "fell"', 'column = "pain_12"', "is binary, but its column"),
        ('where = "years >= 60 and', 'where = "year >= 60 and', "Did you mean 'years'"),
        ("region == 'Coast'\"", "region == 'Cost'\"", "Did you mean 'Coast'"),
        ("region == 'Coast'\"", "region = 'Coast'\"", "cannot be read from"),
        ("years >= 60", "years >= 'sixty'", "Compare numbers with numbers"),
        ("years >= 60", "__import__('os') == 1", "where a comparison should stand"),
        ("where = \"years >= 60 and region == 'Coast'\"", "", "has no condition"),
        ('terms = ["baseline", "years", "region"]', 'terms = ["baseline", "yeers"]', "Did you mean 'years'"),
        ('"wild-bootstrap"', '"wild-boot"', "Did you mean 'wild-bootstrap'"),
        ('"wild-bootstrap"', '"welch"', "people drawn one by one"),
        ('"wild-bootstrap"', '"worst-case-bounds"', "Give an outcome its range"),
        ("imputations = 5", 'covariance = "HC2"\ndf = "residual"', "ignores that each surgery was drawn whole"),
        ("imputations = 5", 'estimator = "logit"', "asks logit of a continuous outcome"),
        ("imputations = 5", 'estimator = "anova"', "Use one of those the studies know"),
        ('columns = ["steps_0", "years", "woman", "region"]', 'columns = ["seen"]', "names column 'seen'"),
        ('population = "older"', 'population = "oldest"', "Did you mean 'older'"),
        ('contrast = "coach minus leaflet"', 'contrast = "coach against leaflet"', "two different arms of the plan"),
        ("woman,Woman,0/1", "woman,Woman,binary", "unknown kind 'binary'"),
        ("years,Age,number,years,18,100", "years,Age,number,years,100,18", "not above the maximum"),
        ("years,Age,number,years,18,100", "years,Age,number,years,low,100", "minimum 'low'"),
        ("region,Region,category,,,,Coast|Hills", "region,Region,category,,,,Coast||Hills", "none empty"),
        ("woman,Woman,0/1,,,,,", "Woman,Woman,0/1,,,,,", "small letters"),
        ("woman,Woman,0/1,,,,,", "week,Woman,0/1,,,,,", "as a column of the analysis is"),
        ("woman,Woman,0/1,,,,,", "years,Woman,0/1,,,,,", "a second time"),
        ("column,meaning", "name,meaning", "Write column,meaning"),
        ("surgery,Surgery,cluster", "surgery,Surgery,category", "of kind cluster"),
        ("arm,What was offered,arm,,,,,\n", "", "names the column 'arm'"),
    ],
)
def test_what_the_loader_refuses(spoil, old, new, says):
    with pytest.raises(PlanError) as error:
        spoil(old, new)
    assert says in str(error.value)
    assert str(error.value).startswith(f"data/plan/{KEY}")


@pytest.mark.parametrize("line", ["scales", "terms", "questions", "periods"])
def test_lists_of_survey_trials_are_refused(spoil, line):
    with pytest.raises(PlanError, match="is for surveys and lists"):
        spoil("[model]", f'[[{line}]]\nid = "x"\n\n[model]')


def test_a_table_part_without_data_is_refused(project):
    path = project / "data/plan/swing.toml"
    path.chmod(0o644)
    path.write_text(path.read_text(encoding="utf-8") + "\n[model]\nterms = []\n", encoding="utf-8")
    with pytest.raises(PlanError, match=r"the plan has no \[data\]"):
        load_individual_plan(project, "swing")


def test_the_trial_enters_a_project_that_has_others(project):
    write_walks(project)
    assert load_individual_plan(project, "mod_ing").data is None
    assert load_individual_plan(project, KEY).data is not None


# ---------------------------------------------------------------- conditions
FRAME = pd.DataFrame({"a": [1.0, 2.0, None, 4.0], "b": pd.Series(["x", "y", "x", None], dtype="str")})


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("a >= 2", [1, 3]),
        ("a != 2", [0, 3]),
        ("b == 'x'", [0, 2]),
        ('b != "x"', [1]),
        ("a > 1 and b == 'y'", [1]),
        ("a < 2 or b == 'y'", [0, 1]),
        ("a < 2 or a > 3 and b == 'x'", [0]),
        ("(a < 2 or a > 3) and b == 'x'", [0]),
        ("(a <= 4)", [0, 1, 3]),
        ("a == -1", []),
        ("a == 2.0", [1]),
        ("a is known", [0, 1, 3]),
        ("b is not known or a is not known", [2, 3]),
        ("a is known and b is known", [0, 1]),
    ],
)
def test_a_condition_selects_those_of_whom_it_is_known_to_hold(text, who):
    assert parse_condition(text).holds(FRAME).to_numpy().nonzero()[0].tolist() == who


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a ==",
        "a == x",
        "== 2",
        "a = 2",
        "(a == 2",
        "a == 2)",
        "a == 2 and",
        "a == 2 b == 3",
        "not a == 2",
        "a.b == 1",
        "and == 2",
        "a in [1]",
        "a == 'x",
        "a is",
        "a is not",
        "a is 2",
        "is known",
        "a is known known",
    ],
)
def test_anything_else_is_no_condition(text):
    with pytest.raises(ConditionError):
        parse_condition(text)
