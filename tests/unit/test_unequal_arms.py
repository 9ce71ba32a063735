"""Trials on a table whose arms are not of one size: what they can detect, and what the chapter says where nothing of an
arm can be estimated or shown.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from table_trials import everything_said, with_a_key, without_other_trials, write_trial
from test_extreme_tables import DICTIONARY, HEAD, OF_CLASSES, REST, in_arm, table

from hhp_stats.present import field_trials, standard_parts
from hhp_stats.present.listing import opened
from hhp_stats.present.marked_text import plain
from hhp_stats.studies.field_trial import run_field_trial

REACH = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
EXACT = {"rel": 1e-12}
PLANNED = """[[power]]
id = "planned"
label = "As planned"
alpha = 0.05
power = 0.8
analysed = 600
printed = 0.25
"""
TWO_ARMS = REST.replace('[[arms]]\nid = "other"\nlabel = "Other"\n', "")


@pytest.fixture(scope="module")
def home(root, tmp_path_factory):
    with with_a_key(tmp_path_factory.mktemp("key")):
        yield without_other_trials(root, tmp_path_factory.mktemp("tables") / "project")


def run(home, design, frame, rest=REST, *, kind="category"):
    plan = HEAD + design + rest
    project = write_trial(home, key="extreme", plan=plan, dictionary=DICTIONARY.format(kind=kind), table=frame)
    output = run_field_trial(project, "extreme")
    output.write(project)
    rows = output.results.set_index("result_id")
    return rows, field_trials.chapter("extreme", root=project)


def with_arms(sizes):
    """The people of `table` in arms of these sizes."""
    frame = pd.concat([table()] * 4, ignore_index=True).iloc[: sum(sizes.values())]
    return frame.assign(arm=np.repeat(list(sizes), list(sizes.values())))


def test_what_unequal_arms_can_detect(home):
    """Variances of a difference go with 1/a + 1/c, a the arm and c the control; of several arms it is the smallest."""
    frame = with_arms({"old": 180, "new": 60, "other": 120})
    frame.loc[frame.index[:30], "score"] = np.nan
    people = '[design]\nkind = "individual trial"\nrandomised = 360\n'
    rows, chapter = run(home, people, frame, REST + PLANNED.replace("[[power]]", "\n[[power]]"))
    achieved = rows.loc["extreme/power/mde_achieved/formula"]
    assert achieved["estimate"] == pytest.approx(REACH * np.sqrt(1 / 60 + 1 / 150), **EXACT)
    assert achieved["n"] == 330
    planned = REACH * np.sqrt(1 / (600 * 60 / 360) + 1 / (600 * 180 / 360))
    assert rows.loc["extreme/power/mde_planned/formula", "estimate"] == pytest.approx(planned, **EXACT)
    needed = rows.loc["extreme/power/people_needed_planned/formula", "estimate"]
    assert REACH * np.sqrt(1 / (needed / 6) + 1 / (needed / 2)) == pytest.approx(0.25, **EXACT)
    assert f"{achieved['estimate']:.2f} standard deviations in the comparison with the smallest arm" in (
        chapter.say("power")
    )
    assert "for the comparison with “Old” that has the smallest arm" in chapter.table("power").as_raw_html()


def test_what_unequal_numbers_of_clusters_can_detect(home):
    """Four classes against fourteen: each arm gives up one, as in Stata's clustersampsi."""
    frame = table().assign(arm=lambda t: np.where(t["class"].isin(["c0", "c1", "c2", "c3"]), "new", "old"))
    rows, _ = run(home, OF_CLASSES, frame, TWO_ARMS, kind="cluster")
    icc = max(0.0, rows.loc["extreme/score/icc/anova", "estimate"])
    found = rows.loc["extreme/score/mde_achieved/clustered", "estimate"]
    variance = (1 + (5 - 1) * icc) / 5 * (1 / (4 - 1) + 1 / (14 - 1))
    assert found == pytest.approx(REACH * np.sqrt(variance), **EXACT)


def test_an_arm_of_one_cluster_has_no_detectable_effect_and_no_band(home):
    frame = table().assign(arm=lambda t: np.where(t["class"] == "c0", "new", "old"))
    rows, chapter = run(
        home, OF_CLASSES, frame, TWO_ARMS + 'beside = ["unadjusted", "cluster-means"]\n', kind="cluster"
    )
    assert rows.loc["extreme/score/mde_achieved/clustered", "note"].startswith("SingleClusterArm: an arm holds")
    note = rows.loc["extreme/score/itt/cluster-means", "note"]
    assert note == "SingleClusterArm: an arm holds fewer than two clusters: their means cannot be compared"
    figure = chapter.figure("effects")
    assert figure.caption.startswith("Not drawn. These data do not allow it. The treated arm")
    assert "every interval" not in figure.caption + figure.alt
    assert "band" not in figure.caption + figure.alt
    assert "the effect that could be detected is not known. An arm holds no more than 1 cluster" in chapter.say("power")
    said = " ".join(everything_said(chapter))
    each = chapter.each_outcome()
    assert each.count("could not be analysed") == 2  # of two outcomes, and no second reason after it
    assert "This could not be estimated" not in each
    assert "nan" not in said.lower().split()


def test_the_mean_of_an_arm_of_clusters_that_are_all_alike_is_its_mean(home):
    rows, chapter = run(home, OF_CLASSES, in_arm(table(), "new", score=7.0, passed=1), kind="cluster")
    row = rows.loc["extreme/score/mean_new/raw"]
    assert (row["status"], row["estimate"]) == ("descriptive", 7.0)
    assert np.isnan(row["std_error"]) and row["note"].startswith("All values are the same")
    assert "7.00 (all the same, n = 30)" in chapter.say("effect/score/new")
    assert "New: 7.00, all the same, 30 people" in chapter.figure("arms/score").alt


def test_a_mean_that_is_withheld_is_not_called_unknown(home):
    """Two people of an arm lack the score: its number would give them away."""
    frame = with_arms({"old": 90, "new": 90})
    frame.loc[frame.index[[3, 100, 101]], "score"] = np.nan
    people = '[design]\nkind = "individual trial"\nrandomised = 180\n'
    rows, chapter = run(home, people, frame, TWO_ARMS)
    said = chapter.say("effect/score")
    assert "withheld" in said and "not known" not in said
    assert re.search(r"withheld", " ".join(everything_said(chapter)))
    assert rows.loc["extreme/score/itt/hc2", "status"] == "estimated"


def test_sentences_begin_with_words_and_a_withheld_difference_is_said_to_be(home):
    """Of region three people of an arm live elsewhere: its difference is withheld, and not left out without a word."""
    frame = with_arms({"old": 90, "new": 90}).assign(region=np.tile(["East", "West"], 90))
    frame.loc[frame.index[[100, 101, 102]], "region"] = "Abroad"
    people = '[design]\nkind = "individual trial"\nrandomised = 180\n'
    rest = TWO_ARMS.replace('terms = ["baseline"]', 'terms = ["baseline", "region"]')
    plan, dictionary = HEAD + people + rest, DICTIONARY.format(kind="category")
    dictionary += "region,Region,category,,,,East|West|Abroad,\n"
    project = write_trial(home, key="extreme", plan=plan, dictionary=dictionary, table=frame)
    run_field_trial(project, "extreme").write(project)
    chapter = field_trials.chapter("extreme", root=project)
    assert plain(chapter.say("sample")).startswith("In all, 180 people were randomised")
    said = plain(chapter.say("balance"))
    assert said.startswith("Before the trial, the standardised difference") and "(Score before)" in said
    assert said.endswith("That of Region is withheld.")
    assert plain(opened("eight schools")) == "Eight schools"
    parts = standard_parts.parts("extreme", root=project)
    assert plain(parts.design()).startswith("In all, 180 people were randomised one by one")


def test_signs_in_a_reason_are_escaped_once_under_a_figure(home):
    frame = with_arms({"old": 90, "new": 90}).assign(once=np.arange(180) % 7, again_and_again=np.arange(180) % 7)
    people = '[design]\nkind = "individual trial"\nrandomised = 180\n'
    rest = TWO_ARMS.replace('terms = ["baseline"]', 'terms = ["once", "again_and_again"]')
    dictionary = DICTIONARY.format(kind="category") + "once,Once,number,,,,,\nagain_and_again,Again,number,,,,,\n"
    project = write_trial(home, key="extreme", plan=HEAD + people + rest, dictionary=dictionary, table=frame)
    run_field_trial(project, "extreme").write(project)
    figure = field_trials.chapter("extreme", root=project).figure("effects")
    assert "again_and_again" in figure.caption and "\\" not in figure.caption
    assert "again\\_and\\_again" in figure._repr_markdown_() and "\\\\" not in figure._repr_markdown_()


@pytest.mark.parametrize("better", ["higher", "lower"])
@pytest.mark.parametrize("away", [-0.01, 0.01])
def test_no_worse_by_the_margin_of_the_plan(home, better, away):
    """Shown where the planned interval, here of 90%, holds no loss as large as the margin."""
    people = HEAD.replace("seed = 1", "conf_level = 0.9\nseed = 1")
    people += '[design]\nkind = "individual trial"\nrandomised = 90\n'
    rest = TWO_ARMS.replace('better = "higher"', f'better = "{better}"', 1)
    frame = with_arms({"old": 30, "new": 60})

    def chapter_of(margin):
        plan = people + rest.replace('role = "primary"', f'role = "primary"\n{margin}', 1)
        project = write_trial(
            home, key="extreme", plan=plan, dictionary=DICTIONARY.format(kind="category"), table=frame
        )
        output = run_field_trial(project, "extreme")
        output.write(project)
        row = output.results.set_index("result_id").loc["extreme/score/itt/hc2"]
        return row, plain(field_trials.chapter("extreme", root=project).say("effect/score"))

    row, said = chapter_of("")
    assert "no worse" not in said
    loss = -row["conf_low"] if better == "higher" else row["conf_high"]
    assert loss > 0.02
    _, said = chapter_of(f"margin = {loss + away}")
    assert (
        f"the 90% interval reaches to a loss of {loss:.2f}, so this is {'shown' if away > 0 else 'not shown'}." in said
    )
    assert said.count("By the plan “New” is no worse than “Old” where it loses less than") == 1
