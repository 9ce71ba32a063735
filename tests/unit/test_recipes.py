"""The recipes of CONTRIBUTING.md, followed in a temporary copy: a new outcome, a new method, a new topic.

That for a new trial is followed by test_new_study.py, from the table to every cell of the chapter.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from table_trials import DICTIONARY, KEY, PLAN, walks, without_other_trials, write_walks

from hhp_stats.disclosure.declared import Declared, Row, counted, other
from hhp_stats.errors import PlanError, UndeclaredCount
from hhp_stats.intake.pseudonym import KEY_VARIABLE
from hhp_stats.plan import catalogue as catalogue_of_plans
from hhp_stats.plan import estimators, table_analyses
from hhp_stats.plan.catalogue import catalogue
from hhp_stats.plan.load import load_plan
from hhp_stats.present import field_trials
from hhp_stats.results.frame import Estimate, result_frame
from hhp_stats.running.run import run_study
from hhp_stats.running.study import TOPICS
from hhp_stats.studies.estimators import ESTIMATORS
from hhp_stats.studies.output import StudyOutput
from hhp_stats.studies.second_table import UNKNOWN, why_not

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A project without raw files of other trials."""
    return without_other_trials(ROOT, tmp_path_factory.mktemp("recipes") / "project")


@pytest.fixture
def home(small, tmp_path, monkeypatch):
    """The same with a key for identifiers."""
    key = tmp_path / "key"
    key.write_bytes(np.random.default_rng(1).bytes(48))
    key.chmod(0o600)
    monkeypatch.setenv(KEY_VARIABLE, str(key))
    return small


FAST = PLAN.split("beside = ")[0] + "beside = []\n" + PLAN.split("imputations = 5\n")[1]  # the planned model alone


# ---------------------------------------------------------------- a new outcome
def test_an_outcome_of_a_table_is_a_line_of_the_dictionary_and_a_table_of_the_plan(home):
    table = walks().assign(sleep=np.random.default_rng(2).normal(7, 1, 240).round(2))
    dictionary = DICTIONARY + "sleep,Hours of sleep after a year,number,hours,0,24,,\n"
    outcome = '[[outcomes]]\nid = "sleep"\nlabel = "Sleep"\nbetter = "higher"\ncolumn = "sleep"\n\n[model]'
    output = run_study(write_walks(home, table, plan=FAST.replace("[model]", outcome), dictionary=dictionary), KEY)
    output.write(home)
    rows = output.results.set_index("result_id")
    assert {f"{KEY}/sleep/itt_{arm}/cr2" for arm in ("leaflet", "coach")} <= set(rows.index)
    mean = rows.loc[f"{KEY}/sleep/mean_coach/raw", "estimate"]
    assert mean == pytest.approx(table.loc[table["offered"] == "coach", "sleep"].mean(), rel=1e-12)
    chapter = field_trials.chapter(KEY, root=home)
    assert "{#sec-walks-results-sleep}" in chapter.each_outcome() and "Sleep" in chapter.brief()


def test_an_outcome_of_the_trial_on_returns_is_read_from_its_plan_and_contradictions_are_refused(home):
    plan = home / "data/plan/goal_setting.toml"
    before = plan.read_text(encoding="utf-8")
    outcome = """
[outcomes.days_ill]
label = "Days of illness"
role = "exploratory"
unit = "days"
kind = "continuous"
column = "absence_days"
better = "lower"
"""
    analysis = """
[[analyses]]
id = "days_ill/itt/cr1"
label = "Days of illness"
kind = "exploratory"
population = "randomised"
estimator = "ols"
covariance = "CR1"
df = "clusters"
baseline_absence = "zero_with_indicator"
missing_outcome = "complete_cases"
"""
    try:
        plan.write_text(before + outcome + analysis, encoding="utf-8")
        found = load_plan(home, "goal_setting")
        assert found.outcomes["days_ill"].label == "Days of illness" and found.analysis("days_ill/itt/cr1")
        plan.write_text(before + outcome + analysis.replace("days_ill", "days_il"))
        with pytest.raises(PlanError, match="days_il"):
            load_plan(home, "goal_setting")
    finally:
        plan.write_text(before, encoding="utf-8")


# ---------------------------------------------------------------- a new method
def median_difference(data):
    """A difference of medians, with the large-sample standard error of normal outcomes."""
    outcome, treatment = data.values, data.treatment
    arms = [outcome[treatment == arm] for arm in (0, 1)]
    gap = float(np.median(arms[1]) - np.median(arms[0]))
    error = math.sqrt(math.pi / 2 * sum(arm.var(ddof=1) / len(arm) for arm in arms))
    reach = float(stats.norm.isf((1 - data.conf_level) / 2)) * error
    found = Estimate(
        estimate=gap,
        std_error=error,
        df=math.inf,
        statistic=gap / error,
        p_value=float(2 * stats.norm.sf(abs(gap / error))),
        conf_low=gap - reach,
        conf_high=gap + reach,
        conf_level=data.conf_level,
        n=len(outcome),
        n_clusters=None,
        method="difference of medians",
    )
    return {"": found}


def test_a_method_is_named_at_its_places_and_says_why_no_other_programme_has_it(home, monkeypatch):
    beside = table_analyses._Beside(estimator="medians", method="medians", label="Medians")
    monkeypatch.setitem(table_analyses.BESIDE, "medians", beside)
    asked = FAST.replace("beside = []", 'beside = ["medians"]')
    with pytest.raises(PlanError, match="medians"):
        run_study(write_walks(home, plan=asked), KEY)
    monkeypatch.setitem(ESTIMATORS, "medians", median_difference)
    offered = estimators.Estimator(offers={"arms": {"none": ("normal",)}}, usual=(("none", "normal"),) * 2)
    monkeypatch.setitem(estimators.ESTIMATORS, "medians", offered)
    output = run_study(write_walks(home, plan=asked), KEY)
    row = output.results.set_index("result_id").loc[f"{KEY}/steps/itt_coach/medians"]
    table = walks()
    medians = table.groupby("offered")["steps_12"].median()
    assert row["status"] == "estimated", row["note"]
    assert row["estimate"] == pytest.approx(medians["coach"] - medians["usual care"], rel=1e-12)
    assert why_not(row) == UNKNOWN  # until REASONS says why


# ---------------------------------------------------------------- a new topic
def test_a_topic_is_a_module_with_run_and_declares_whom_its_numbers_count(home, monkeypatch):
    people = pd.DataFrame({"role": ["nurse"] * 12 + ["doctor"] * 9})

    def run(root, study, *, progress=None, declare=True):
        sizes = people["role"].value_counts(sort=False)
        table = pd.DataFrame({"role": sizes.index, "people": sizes.to_numpy()})
        inputs = pd.DataFrame({"path": ["data/tables/ward.csv"], "sha256": [""], "bytes": [0], "rows": [21]})
        columns = {"roles": {"people": counted([people["role"] == role for role in sizes.index])}}
        columns["inputs"] = {"rows": counted([people["role"].notna()]), "bytes": other()}
        return StudyOutput(
            study=study,
            results=result_frame([]),
            tables={"roles": table, "inputs": inputs},
            conduct=(),
            declared=Declared(people=len(people), columns=columns if declare else {}, rows=dict[str, Row]()),
        )

    module = ModuleType(f"{TOPICS}.ward")
    module.run = run
    monkeypatch.setitem(sys.modules, f"{TOPICS}.ward", module)
    head = (
        'study = "ward"\ntitle = "Ward"\nchapter = "report/12-ward.qmd"\nname = "Ward"\nshort = "war"\nphase = "second"\n'
        'order = 40\ntopic = "ward"\n[design]\nkind = "pilot"\n[disclosure]\nrule = "withhold"\nthreshold = 5\n'
        'zeros = "published"\n'
    )
    (home / "data/plan/ward.toml").write_text(head, encoding="utf-8")
    try:
        with pytest.raises(PlanError, match="ward"):
            catalogue(home)  # the module must be there, with a function run
        known = (*catalogue_of_plans.topics(), "ward")
        monkeypatch.setattr(catalogue_of_plans, "topics", lambda: known)
        assert run_study(home, "ward").decided(home).tables["roles"]["people"].tolist() == [12, 9]
        with pytest.raises(UndeclaredCount, match="nobody said"):
            run(home, "ward", declare=False).decided(home)
    finally:
        (home / "data/plan/ward.toml").unlink()
