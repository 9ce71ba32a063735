"""Trials on a table whose data are extreme: everybody answered, answers all alike, next to nobody in an arm.

Every row that comes out of them holds by itself, or says why it has no number.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from table_trials import everything_said, with_a_key, without_other_trials, write_trial

from hhp_stats.present import field_trials, standard_parts
from hhp_stats.publish.checks.self_check import check_flow, check_results
from hhp_stats.studies.field_trial import run_field_trial

HEAD = """study = "extreme"
title = "Extreme: trial of next to nothing"
chapter = "report/12-extreme.qmd"
name = "Extreme"
short = "ext"
phase = "second"
order = 22
seed = 1
"""
REST = """[disclosure]
rule = "withhold"
threshold = 5
zeros = "published"
[data]
file = "data/tables/extreme.csv"
[[arms]]
id = "old"
label = "Old"
[[arms]]
id = "new"
label = "New"
[[arms]]
id = "other"
label = "Other"
[[outcomes]]
id = "score"
label = "Score"
role = "primary"
better = "higher"
waves = { baseline = "before", end = "score" }
range = [0, 20]
[[outcomes]]
id = "passed"
label = "Passed"
kind = "binary"
better = "higher"
column = "passed"
[[power]]
id = "achieved"
label = "With those analysed"
alpha = 0.05
power = 0.8
[model]
terms = ["baseline"]
"""
OF_PEOPLE = '[design]\nkind = "individual trial"\nrandomised = 90\n'
OF_CLASSES = '[design]\nkind = "cluster trial"\nrandomised = 90\ncluster = "class"\nclusters = 18\n'
BESIDE = {
    OF_PEOPLE: ["unadjusted", "hedges-g", "lee-bounds", "worst-case-bounds", "imputation", "randomisation", "logit"],
    OF_CLASSES: ["unadjusted", "hedges-g", "cluster-means", "wild-bootstrap", "imputation", "randomisation", "logit"],
}
DICTIONARY = """column,meaning,kind,unit,minimum,maximum,allowed,missing
arm,Arm,arm,,,,,
class,Class,{kind},,,,,
before,Score before,number,points,,,,
score,Score,number,points,,,,
passed,Passed,0/1,,,,,
"""


def table():
    """Ninety pupils in eighteen classes, six an arm; everything is known of everybody."""
    rng = np.random.default_rng(9)
    classes = np.repeat(np.arange(18), 5)
    before = rng.normal(10, 2, 90).round(2)
    return pd.DataFrame(
        {
            "arm": np.array(["old", "new", "other"])[classes % 3],
            "class": [f"c{c}" for c in classes],
            "before": before,
            "score": (before + rng.normal(0, 1, 90)).round(2),
            "passed": rng.integers(0, 2, 90),
        }
    )


def in_arm(frame, arm, **values):
    return frame.assign(**{name: frame[name].where(frame["arm"] != arm, value) for name, value in values.items()})


EXTREMES = {
    "everybody answered": lambda t: t,
    "nobody of an arm answered": lambda t: in_arm(t, "new", score=np.nan, passed=np.nan),
    "one person of an arm answered": lambda t: t.assign(score=t["score"].where((t["arm"] != "new") | (t.index == 5))),
    "one class of an arm answered": lambda t: t.assign(
        score=t["score"].where((t["arm"] != "new") | (t["class"] == "c1"))
    ),
    "an arm all alike": lambda t: in_arm(t, "new", score=7.0, passed=1),
    "all alike": lambda t: t.assign(score=7.0, passed=0),
    "nobody answered": lambda t: t.assign(score=np.nan, passed=np.nan),
    "as before": lambda t: t.assign(score=t["before"]),
    "nothing before": lambda t: t.assign(before=np.nan),
    "all alike before": lambda t: t.assign(before=3.0),
}


@pytest.fixture(scope="module")
def home(root, tmp_path_factory):
    """A project without raw files of other trials, with a key."""
    with with_a_key(tmp_path_factory.mktemp("key")):
        yield without_other_trials(root, tmp_path_factory.mktemp("tables") / "project")


@pytest.mark.parametrize("design", [OF_PEOPLE, OF_CLASSES], ids=["of people", "of classes"])
@pytest.mark.parametrize("extreme", EXTREMES)
def test_every_row_holds_or_says_why_it_has_no_number(home, extreme, design):
    words = ", ".join(f'"{word}"' for word in BESIDE[design])
    plan = HEAD + design + REST + f"beside = [{words}]\nimputations = 3\n"
    dictionary = DICTIONARY.format(kind="cluster" if "class" in design.split("cluster = ")[-1] else "category")
    project = write_trial(home, key="extreme", plan=plan, dictionary=dictionary, table=EXTREMES[extreme](table()))
    output = run_field_trial(project, "extreme")
    check_results(output.results)
    check_flow(output.tables["flow"], output.results, study="extreme")
    silent = output.results.loc[output.results["estimate"].isna() & (output.results["note"].str.len() < 10)]
    assert silent.empty, silent[["result_id", "status", "note"]]
    for arm in ("new", "other"):  # the planned rows are there whatever the data are
        assert any(f"extreme/score/itt_{arm}/" in key for key in output.results["result_id"])
    output.write(project)
    said = everything_said(field_trials.chapter("extreme", root=project))
    said.append(standard_parts.parts("extreme", root=project).limits())
    unknown = int(output.results.set_index("result_id").loc["extreme/sample/randomised/count", "n"]) - int(
        output.tables["flow"].query("kind == 'stage' and stage == 'analysed'")["people"].sum()
    )
    assert ("is known for all people" in said[-1]) == (unknown == 0)  # of all arms, not of the two compared first
    assert all(text.strip() and not {"nan", "inf"} & set(text.lower().split()) for text in said)
