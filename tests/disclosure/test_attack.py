"""From what is published alone: no withheld number of people can be worked out, in any study, and each table is guarded."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from disclosure_attack import Reader, joined
from disclosure_readers import read_field_trial, read_goal_setting

from hhp_stats.disclosure.declared import Column, other
from hhp_stats.intake.load import load_trial
from hhp_stats.intake.participants import load_participants
from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.plan.load import load_plan
from hhp_stats.studies.field_trial import analyse as analyse_field_trial
from hhp_stats.studies.field_trial.sample import build_sample
from hhp_stats.studies.goal_setting.analyse import analyse
from hhp_stats.studies.goal_setting.sample import build_sample as build_trial_sample

TRIALS = ("letters", "coffee", "beneficiaries", "swing", "mod_ing")
EVERY = {"letters": 9, "coffee": 3, "beneficiaries": 12, "swing": 5, "mod_ing": 4}  # persons left out of a small trial


def field_trial(root, study, *, every=1):
    """Output, people and plan of a field trial, or of one person in `every`."""
    plan = load_individual_plan(root, study)
    participants = load_participants(root, plan)
    people = participants.people.iloc[::every].reset_index(drop=True)
    linkage = participants.linkage
    if every > 1:
        matched = {"baseline": people["opened_t1"].sum(), "endline": people["opened_t2"].sum()}
        used = linkage["wave"].map(matched)
        linkage = linkage.assign(
            matched=used,
            consented=used + linkage["duplicates"] + linkage["unmatched"],
            responses=used + linkage["duplicates"] + linkage["unmatched"] + 2,
        )
        inputs = participants.inputs
        listed = inputs["path"] == f"data/allocation/{study}.csv"
        participants = replace(participants, inputs=inputs.assign(rows=inputs["rows"].mask(listed, len(people))))
    cheap = tuple(
        each
        for each in plan.analyses
        if each.estimator not in ("lee-bounds", "wild-bootstrap", "randomisation", "logit")
    )
    plan = replace(plan, analyses=cheap)
    if every > 1 and plan.periods:
        plan = replace(plan, periods=replace(plan.periods, minimum=2))
    output = analyse_field_trial(replace(participants, people=people, linkage=linkage), plan)
    return output, build_sample(replace(participants, people=people), plan).people, plan


@pytest.fixture(scope="module")
def trials(root):
    return {study: field_trial(root, study) for study in TRIALS}


@pytest.fixture(scope="module")
def small(root):
    return {study: field_trial(root, study, every=EVERY[study]) for study in TRIALS}


@pytest.mark.parametrize("study", TRIALS)
def test_nothing_withheld_in_a_field_trial_can_be_worked_out(trials, root, study):
    output, people, plan = trials[study]
    reader = read_field_trial(output.decided(root), people, plan)
    assert len(reader.facts) > 20 and len(reader.aims) > 3
    assert reader.found_out() == {}


@pytest.mark.parametrize("study", TRIALS)
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


@pytest.mark.parametrize("study", ("coffee", "mod_ing"))
def test_numbers_behind_results_that_are_left_out_are_noticed(small, root, study):
    output, people, plan = small[study]
    rows = {key: replace(row, n=None, part=None, goes_with=()) for key, row in output.declared.rows.items()}
    forgotten = replace(output, declared=replace(output.declared, rows=rows))
    assert read_field_trial(forgotten.decided(root), people, plan).found_out(any_will_do=True)


# ---------------------------------------------------------------- the cluster trial
def quick(plan):
    """The plan with few imputations and without what draws: the same people in every analysis."""
    slow = ("wild-bootstrap", "randomisation", "heckman-ml", "lee-bounds", "firth")
    analyses = tuple(each for each in plan.analyses if each.estimator not in slow)
    models = {key: replace(model, m=2) for key, model in plan.imputation.models.items()}
    return replace(plan, analyses=analyses, imputation=replace(plan.imputation, models=models, iterations=1),
                   cost_benefit=replace(plan.cost_benefit, draws=20), tipping=replace(plan.tipping, imputations=2))  # fmt: skip


@pytest.fixture(scope="module")
def trial(root):
    plan = quick(load_plan(root, "goal_setting"))
    found = load_trial(root)
    return analyse(found, plan), build_trial_sample(found, plan).people, found.people, plan


def test_nothing_withheld_in_the_cluster_trial_can_be_worked_out(trial, root):
    output, people, everyone, plan = trial
    reader = read_goal_setting(output.decided(root), people, everyone, plan)
    assert len(reader.facts) > 150 and len(reader.aims) > 20
    assert reader.found_out() == {}


def test_the_numbers_behind_sensitivity_analyses_gave_withheld_ones_away(trial, root):
    """With every n printed, as it used to be: one authority's staff without a record, leavers without one, role `other` without one."""
    output, people, everyone, plan = trial
    rows = {key: replace(row, n=None, part=None, goes_with=()) for key, row in output.declared.rows.items()}
    forgotten = replace(output, declared=replace(output.declared, rows=rows))
    found = read_goal_setting(forgotten.decided(root), people, everyone, plan).found_out()
    lacking = people["absence_days"].isna()
    assert found["without a record: left"] == int((lacking & (people["left"] == 1)).sum())
    assert found["without a record: role other"] == int((lacking & (people["role"] == "other")).sum())


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
