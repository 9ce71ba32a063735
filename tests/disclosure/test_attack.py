"""From what is published alone: no withheld number of people can be worked out, in any study, and each table is
guarded.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from disclosure_attack import Reader, joined
from disclosure_readers import read_field_trial, read_goal_setting
from disclosure_studies import EVERY, TRIALS, field_trial

from hhp_stats.disclosure.declared import Column, other


@pytest.mark.parametrize("study", TRIALS)
def test_nothing_withheld_in_a_field_trial_can_be_worked_out(trials, root, study):
    output, people, plan = trials[study]
    reader = read_field_trial(output.decided(root), people, plan)
    assert len(reader.facts) > 20 and len(reader.aims) > 3
    assert reader.found_out() == {}


# The largest takes as long as the others together.
@pytest.mark.parametrize(
    "study",
    [pytest.param(study, marks=pytest.mark.slow) if EVERY[study] == max(EVERY.values()) else study for study in TRIALS],
)
def test_nothing_can_be_worked_out_where_every_table_has_small_numbers(small, root, study):
    output, people, plan = small[study]
    assert read_field_trial(output.decided(root), people, plan).found_out() == {}


def without(output, table):
    """The study with the columns of one table declared to be no people: as if it had been forgotten."""
    columns = {
        name: Column(kind=entry.kind) if entry.kind == "internal" else other()
        for name, entry in output.declared.columns[table].items()
    }
    return replace(output, declared=replace(output.declared, columns={**output.declared.columns, table: columns}))


@pytest.mark.parametrize(
    ("study", "table"),
    [
        ("letters", "flow"),
        ("letters", "attrition"),
        ("letters", "balance"),
        ("mod_ing", "recall"),
        ("coffee", "clusters"),
        ("beneficiaries", "periods"),
    ],
)
def test_a_table_that_is_left_out_is_noticed(small, root, study, table):
    output, people, plan = small[study]
    assert read_field_trial(without(output, table).decided(root), people, plan).found_out(any_will_do=True)


@pytest.mark.parametrize("every", (1, 11))
def test_numbers_behind_results_that_are_left_out_are_noticed(root, every):
    """Of all people of the letters and of one in eleven: who lacks one outcome follows from two n."""
    output, people, plan = field_trial(root, "letters", every=every)
    assert read_field_trial(output.decided(root), people, plan).found_out(any_will_do=True) == {}
    rows = {key: replace(row, n=None, part=None, goes_with=()) for key, row in output.declared.rows.items()}
    forgotten = replace(output, declared=replace(output.declared, rows=rows))
    assert read_field_trial(forgotten.decided(root), people, plan).found_out(any_will_do=True)


# ---------------------------------------------------------------- the cluster trial
def test_nothing_withheld_in_the_cluster_trial_can_be_worked_out(trial, public_of):
    _, people, everyone, plan = trial
    reader = read_goal_setting(public_of(plan.study), people, everyone, plan)
    assert len(reader.facts) > 150 and len(reader.aims) > 20
    assert reader.found_out() == {}


@pytest.mark.slow
def test_the_numbers_behind_sensitivity_analyses_gave_withheld_ones_away(trial, root):
    """With every n printed, as it used to be: one authority's staff without a record, leavers without one, role
    `other` without one.
    """
    output, people, everyone, plan = trial
    rows = {key: replace(row, n=None, part=None, goes_with=()) for key, row in output.declared.rows.items()}
    forgotten = replace(output, declared=replace(output.declared, rows=rows))
    aims = ("without a record: left", "without a record: role other")
    found = read_goal_setting(forgotten.decided(root), people, everyone, plan).found_out(only=aims)
    lacking = people["absence_days"].isna()
    assert found["without a record: left"] == int((lacking & (people["left"] == 1)).sum())
    assert found["without a record: role other"] == int((lacking & (people["role"] == "other")).sum())


@pytest.mark.slow
@pytest.mark.parametrize("table", ("flow", "strata", "missingness", "uptake", "attrition", "modules"))
def test_a_table_of_the_cluster_trial_that_is_left_out_is_noticed(trial, root, table):
    output, people, everyone, plan = trial
    assert read_goal_setting(without(output, table).decided(root), people, everyone, plan).found_out(any_will_do=True)


def test_the_reader_finds_what_can_be_found():
    """Sums, subsets and a remainder of one: the attack itself."""
    people = pd.DataFrame({"site": list("aaaaaaaabbbbbbbb"), "known": [True] * 6 + [False] * 2 + [True] * 7 + [False]})
    reader = Reader(people=len(people))
    whole = joined(people, [["known"]], keep=["site"], copies=3)
    reader.read("a", whole["site"] == "a", 8)
    reader.read("a known", (whole["site"] == "a") & whole["known"], "[c]")
    reader.aim("a unknown", (whole["site"] == "a") & ~whole["known"])
    assert reader.found_out() == {}
    reader.read("known", whole["known"], 13)
    reader.read("b known", (whole["site"] == "b") & whole["known"], 7)
    assert reader.found_out() == {"a unknown": 2}
    assert np.asarray(whole["known"]).dtype == bool
