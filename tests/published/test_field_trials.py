"""The field trials give the published figures back, and they do so without ever seeing them."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest

from hhp_stats.consistency.figures import load_figures
from hhp_stats.consistency.reproduction import mismatches, read_mapping, reproduction_table
from hhp_stats.plan.conflicts import load_conflicts
from hhp_stats.running.run import run_study

TRIALS = ("beneficiaries", "swing", "mod_ing")
PUBLISHED = "data/published/published_results.csv"


@pytest.fixture(scope="module")
def results(root):
    return pd.concat([run_study(root, study).results for study in TRIALS], ignore_index=True)


@pytest.fixture(scope="module")
def table(root, results):
    return reproduction_table(load_figures(root / PUBLISHED), results, read_mapping(root, "field_trials"))


def printed(root):
    return load_figures(root / PUBLISHED).frame.set_index("id")


def test_every_arm_size_mean_and_standard_error_comes_back(root, table):
    frame = printed(root)
    arms = frame.loc[
        frame["trial"].isin(TRIALS)
        & frame["group"].isin(["treatment", "control"])
        & frame["statistic"].isin(["n", "mean", "se"])
        & (frame["research_question"] != "IPE")
        & frame["research_question"].ne("")
    ]
    assert len(arms) == 66  # 11 comparisons of two arms with three figures each
    ours = table.set_index("published_id")
    assert set(arms.index) <= set(ours.index), "an arm figure is not mapped"
    assert ours.loc[arms.index, "matches"].all(), ours.loc[arms.index].query("not matches").to_string()


def test_every_figure_is_mapped_or_is_no_result(root, table):
    frame = printed(root)
    own = frame.loc[frame["trial"].isin(TRIALS)]
    # Directions in words, intentions, and remarks of interviewees have no counterpart among the results.
    left = own.loc[~own.index.isin(table["published_id"])]
    assert set(left["statistic"]) <= {
        "stated_direction",
        "stated_significant",
        "response_rate_planned",
        "n_planned",
        "mdes_benchmark",
        "percent",
        "count",
    }


def test_what_does_not_come_back_is_a_known_conflict(root, table):
    reasons = pd.read_csv(root / "data/published/unmatched_field_trials.csv").set_index("published_id")["conflict"]
    assert mismatches(table, explained=reasons.index).empty
    assert set(reasons) <= {conflict.id for conflict in load_conflicts(root)}
    stale = table.loc[table["published_id"].isin(reasons.index) & table["matches"], "published_id"]
    assert stale.empty, f"listed as not matching, but it does: {', '.join(stale)}"


def test_printed_p_values_that_agree_with_the_printed_arms_come_back(root, table):
    # Conflict C12: six of the eleven comparisons are compatible with an unadjusted test, five are not.
    p = table.loc[table["column"] == "p_value"].set_index("published_id")["matches"]
    assert len(p) == 11
    assert p.sum() == 6
    assert not p[["BEN-PSW-P", "SWI-BURN-P", "SWI-ABS-P", "MOD-OC-P", "MOD-CONN-P"]].any()


def test_the_analysis_reads_no_printed_result(root, results, tmp_path):
    home = tmp_path / "without"
    shutil.copytree(root / "data", home / "data", ignore=shutil.ignore_patterns("returns", "releases"))
    for file in (home / "data/published").iterdir():
        if file.name != "protocol_clauses.csv":
            file.unlink()
    for file in (home / "data/plan").glob("synthetic_*"):
        file.unlink()
    again = pd.concat([run_study(home, study).results for study in TRIALS], ignore_index=True)
    pd.testing.assert_frame_equal(again, results)


def test_the_printed_detectable_effects_follow_from_the_printed_numbers(table):
    mde = table.loc[table["result_id"].str.contains("/power/mde_")].set_index("published_id")["matches"]
    assert mde[["BEN-MDES-ACH", "BEN-MDES-PLAN", "SWI-MDES-ACH", "MOD-MDES-ACH"]].all()
    assert not mde[["SWI-MDES-PLAN", "MOD-MDES-PLAN"]].any()  # C34, C33
