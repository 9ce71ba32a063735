"""The ledger of published figures: every figure has one standing, and no list can go stale unnoticed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hhp_stats.consistency.figures import COLUMNS, figures
from hhp_stats.consistency.ledger import (
    Lists,
    counted,
    explained_in_vain,
    further_rows,
    ledger,
    read_lists,
    unexplained,
)
from hhp_stats.errors import InvalidInput, UnknownName

RESULTS = pd.DataFrame(
    {
        "result_id": ["t/o/mean/raw", "t/o/itt/hc2", "t/o/other/hc2"],
        "estimate": [5.53, -0.08, 0.4],
        "p_value": [np.nan, 0.57, 0.02],
        "n": [200, 419, 419],
    }
)
ROWS = (
    ("MEAN", "mean", 5.53, "5.53"),
    ("SE", "se", 0.49, ".49"),
    ("DIR", "stated_direction", 1, "higher"),
    ("SIG", "stated_significant", 0, "no difference"),
    ("PLAN", "response_rate_planned", 50, "50%"),
)
LISTS = Lists(
    mapping=pd.DataFrame(
        [("MEAN", "t/o/mean/raw", "estimate", 2, 1.0), ("SE", "t/o/mean/raw", "n", 2, 1.0)],
        columns=["published_id", "result_id", "column", "decimals", "factor"],
    ),
    words={"DIR": ("t/o/itt/hc2",), "SIG": ("t/o/itt/hc2",)},
    readings={},
    unmatched={"SE": "C04", "DIR": "C01"},
    not_compared={"PLAN": "assumption"},
)


def published(rows=ROWS):
    blank = dict.fromkeys(COLUMNS, "")
    return figures(
        pd.DataFrame(
            [blank | {"id": i, "statistic": s, "value": v, "as_printed": p, "source_line": 1} for i, s, v, p in rows]
        )
    )


def test_every_figure_has_one_standing_in_the_printed_order():
    found = ledger(published(), RESULTS, LISTS)
    assert found["id"].tolist() == [row[0] for row in ROWS]
    assert found["standing"].tolist() == [
        "reproduced",
        "not_reproduced",
        "not_reproduced",
        "reproduced",
        "not_compared",
    ]
    assert counted(found) == {"reproduced": 2, "other_reading": 0, "not_reproduced": 2, "not_compared": 1}
    assert found.set_index("id").loc["DIR", ["said", "conflict"]].tolist() == ["down", "C01"]


def test_another_reading_is_not_a_reproduction():
    found = ledger(published(), RESULTS, replace(LISTS, readings={"MEAN": ("C09", "a spread")}))
    assert found.loc[0, ["standing", "conflict", "reason"]].tolist() == ["other_reading", "C09", "a spread"]


@pytest.mark.parametrize(
    ("claimed", "ids", "agrees"),
    [
        (1, ("t/o/other/hc2",), True),
        (-1, ("t/o/itt/hc2",), True),
        (1, ("-t/o/itt/hc2",), True),
        (1, ("t/o/other/hc2", "t/o/itt/hc2"), False),
        (1, ("t/o/other/hc2", "-t/o/itt/hc2"), True),
    ],
)
def test_a_claim_about_several_results_needs_all_of_them(claimed, ids, agrees):
    rows = [("DIR", "stated_direction", claimed, "so")]
    lists = Lists(
        mapping=LISTS.mapping.iloc[:0],
        words={"DIR": ids},
        readings={},
        not_compared={},
        unmatched={} if agrees else {"DIR": "C01"},
    )
    found = ledger(published(rows), RESULTS, lists)
    assert found.loc[0, "standing"] == ("reproduced" if agrees else "not_reproduced")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"not_compared": {}}, InvalidInput, "PLAN is held against nothing"),
        ({"not_compared": {"PLAN": "assumption", "GONE": "costs"}}, InvalidInput, "no printed figure is called GONE"),
        ({"words": {"DIR": ("t/o/itt/none",), "SIG": ("t/o/itt/hc2",)}}, UnknownName, "does not exist"),
        (
            {"words": {"DIR": ("t/o/itt/hc2",), "SIG": ("t/o/itt/hc2",), "PLAN": ("t/o/itt/hc2",)}, "not_compared": {}},
            InvalidInput,
            "not a sentence",
        ),
    ],
)
def test_gaps_and_stale_entries_are_refused(changes, error, message):
    with pytest.raises(error, match=message):
        ledger(published(), RESULTS, replace(LISTS, **changes))


def test_a_share_in_words_is_the_nearest_simple_fraction():
    lists = replace(
        LISTS,
        words={},
        not_compared={},
        unmatched={},
        mapping=pd.DataFrame([("X", "t/o/mean/raw", "estimate", 1, 100.0)], columns=list(LISTS.mapping.columns)),
    )
    row = published([("X", "percent", 66.7, "Two thirds")])
    row.frame["unit"] = "%"
    near, far = (RESULTS.assign(estimate=[value, 0, 0]) for value in (0.657, 0.69))
    assert ledger(row, near, lists).loc[0, "standing"] == "reproduced"
    assert unexplained(ledger(row, far, lists)) == ["X"]


def test_unexplained_misses_and_stale_explanations_are_named():
    lists = replace(LISTS, unmatched={"DIR": "C01", "MEAN": "C05"})
    found = ledger(published(), RESULTS, lists)
    assert unexplained(found) == ["SE"] and explained_in_vain(found, lists) == ["MEAN"]


def copied(root, tmp_path):
    home = tmp_path / "data/published"
    home.mkdir(parents=True)
    for file in (root / "data/published").glob("*.csv"):
        (home / file.name).write_bytes(file.read_bytes())
    return home


def test_lists_of_the_project_name_every_printed_figure_once(root):
    lists = read_lists(root)
    printed = pd.read_csv(root / "data/published/published_results.csv", dtype="str")["id"]
    named = [*lists.mapping["published_id"], *lists.words, *lists.not_compared]
    assert sorted(named) == sorted(printed) and len(printed) == 346
    assert {*lists.readings, *lists.unmatched} <= {*lists.mapping["published_id"], *lists.words}


@pytest.mark.parametrize(
    ("file", "line", "error", "message"),
    [
        ("not_compared.csv", "GS-N,costs", InvalidInput, "GS-N has two counterparts"),
        ("not_compared.csv", "NEW,mood", UnknownName, "the reason 'mood'"),
        ("unmatched_words.csv", "DIVB-B-SE,C09", InvalidInput, "both as coming back under another reading"),
        ("mapping_words.csv", "BEN-SWB-DIR,x", InvalidInput, "twice"),
    ],
)
def test_lists_that_contradict_each_other_are_refused(root, tmp_path, file, line, error, message):
    folder = copied(root, tmp_path)
    with (folder / file).open("a", encoding="utf-8") as out:
        out.write(f"{line}\n")
    with pytest.raises(error, match=message):
        read_lists(tmp_path)


def test_sums_over_studies():
    counts = {"beneficiaries": 100, "swing": 60, "mod_ing": 40}
    rows = [(f"{study}/sample/randomised/count", n) for study, n in counts.items()]
    rows += [
        (f"{study}/sample/{what}_{arm}/count", n / part)
        for study, n in counts.items()
        for arm in ("control", "treatment")
        for what, part in (("randomised", 2), ("responded", 10))
    ]
    rows.append(("hiring/progression/participants/count", 30))
    uptake = pd.DataFrame({"key": ["started"], "share": [0.2]})
    flow = pd.DataFrame(
        {
            "stage": ["listed", "randomised", "randomised"],
            "arm": ["all"] * 3,
            "kind": ["stage", "stage", "note"],
            "people": [9, 8, 1],
        }
    )
    tables = {
        "goal_setting": {"uptake": uptake, "flow": flow},
        "coffee": {"clusters": pd.DataFrame({"people": [31, 25]})},
    }
    phases = dict.fromkeys(("beneficiaries", "swing", "mod_ing", "hiring"), "second") | {"coffee": "first", "walks": ""}
    rows.append(("walks/sample/randomised/count", 50.0))  # of no phase: in no total of one
    results = pd.DataFrame(rows, columns=["result_id", "estimate"])
    found = further_rows(results, tables=tables, phases=phases).set_index("result_id")["estimate"]
    assert found.to_dict() == {
        "programme/second_phase/randomised/sum": 230.0,
        "programme/second_phase/response_rate_control/sum": 0.2,
        "programme/second_phase/response_rate_treatment/sum": 0.2,
        "goal_setting/uptake/started/table": 0.2,
        "goal_setting/flow/randomised/table": 8.0,
        "coffee/clusters/smallest/table": 25.0,
    }
