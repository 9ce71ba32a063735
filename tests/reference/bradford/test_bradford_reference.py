"""Bradford scores against the textbook table and arithmetic by hand: see SOURCE.md in this folder."""

from pathlib import Path

import pandas as pd

from hhp_stats.measures.bradford import bradford_score

EXPECTED = pd.read_csv(Path(__file__).parent / "expected.csv")


def test_scores_are_exact():
    got = bradford_score(spells=EXPECTED["spells"], days=EXPECTED["days"])
    assert got.tolist() == EXPECTED["score"].tolist()


def test_hard_cases_are_still_in_the_file():
    assert EXPECTED["score"].tolist()[:4] == [10, 90, 250, 1000]
    assert (EXPECTED["spells"] == 0).any() and (EXPECTED["spells"] > EXPECTED["days"]).any()
