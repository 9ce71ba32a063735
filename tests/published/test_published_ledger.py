"""All printed figures against the pipeline, from raw files, but for the goal-setting trial, whose imputations take
minutes.

Its figures, and the sums over studies, are held to the same rule in `tests/report/test_whole_report.py`.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd
import pytest

from hhp_stats.consistency.figures import figures, load_figures
from hhp_stats.consistency.ledger import counted, explained_in_vain, ledger, read_lists, unexplained
from hhp_stats.plan.conflicts import load_conflicts
from hhp_stats.running.run import studies_of

ELSEWHERE = ("GS-", "HHP2-", "COF-BLDG-MIN")  # held against tables and sums over studies
ARM = re.compile(r"(BEN|SWI|MOD)-\w+-[TC]-(N|M|SE)|DIVB-(B|ME|WB)-(N|M|SE)")


@pytest.fixture(scope="module")
def made(root):
    results = pd.concat(
        [study.run(root).results for study in studies_of(root) if study.key != "goal_setting"],
        ignore_index=True,
    )
    lists = read_lists(root)

    def kept(names):
        return [name for name in names if not name.startswith(ELSEWHERE)]

    lists = replace(
        lists,
        mapping=lists.mapping[lists.mapping["published_id"].isin(kept(lists.mapping["published_id"]))],
        **{
            field: {name: getattr(lists, field)[name] for name in kept(getattr(lists, field))}
            for field in ("words", "readings", "unmatched", "not_compared")
        },
    )
    printed = load_figures(root / "data/published/published_results.csv").frame
    return ledger(figures(printed[printed["id"].isin(kept(printed["id"]))]), results, lists), lists


@pytest.fixture(scope="module")
def table(made):
    return made[0]


def test_every_miss_has_its_conflict_and_every_conflict_its_miss(made):
    assert unexplained(made[0]) == [] and explained_in_vain(*made) == []


def test_every_figure_is_accounted_for(table):
    assert sum(counted(table).values()) == len(table) == 346 - 14  # nine GS, four HHP2, one of the coffee trial
    assert table["standing"].ne("").all()


def test_every_arm_of_field_trials_and_second_experiment_comes_back(table):
    arms = table[table["statistic"].isin(["n", "mean", "se"]) & table["id"].str.fullmatch(ARM.pattern)]
    assert len(arms) == 75  # eleven comparisons of two arms and one of three, three figures each
    assert arms["standing"].isin(["reproduced", "other_reading"]).all()
    # Three standard errors are standard deviations (C09); no mean and no group size needs another reading.
    assert set(arms.loc[arms["standing"] == "other_reading", "id"]) == {"DIVB-B-SE", "DIVB-ME-SE", "DIVB-WB-SE"}


def test_every_rate_of_the_first_experiment_comes_back(table):
    rates = table[table["id"].str.fullmatch(r"DIVJ-[A-Z0-9-]+-M")]
    assert len(rates) == 6 and (rates["standing"] == "reproduced").all()


def test_what_does_not_come_back_has_a_conflict_that_is_explained(root, table):
    known = {conflict.id for conflict in load_conflicts(root)}
    missed = table[table["standing"].isin(["not_reproduced", "other_reading"])]
    assert set(missed["conflict"]) <= known and missed["conflict"].ne("").all()


def test_verdict_on_the_second_experiment_depends_on_the_variance(table):
    # Conflict C10: with a variance of its own for each arm the blinded arm differs from that of White British names.
    row = table.set_index("id").loc["DIVB-SIG"]
    assert (row["standing"], row["said"]) == ("not_reproduced", "above 5%, below 5%")
