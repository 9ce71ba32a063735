"""Changes that are easily overlooked: a blank cell that is filled, a printed line that is gone, a p value of exactly
.05.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import pandas as pd
import pytest

from hhp_stats.publish.changes import _figures, _sentences
from hhp_stats.publish.input_changes import _differences
from hhp_stats.publish.result_changes import flips
from hhp_stats.results.frame import Estimate, result_frame

PATH = "data/returns/goal_setting/kent/endline.xlsx"


# ---------------------------------------------------------------- conclusions
def test_exactly_a_twentieth_is_not_below_it() -> None:
    def frame(p: float) -> pd.DataFrame:
        made = Estimate(estimate=1.0, std_error=1.0, df=math.inf, n=10, n_clusters=None, method="m", p_value=p)
        return result_frame(
            [
                made.row(
                    result_id="trial/days/itt/ols",
                    population="all",
                    contrast="a minus b",
                    analysis="planned",
                    clause="P1",
                    source="x.y",
                )
            ]
        )

    def between(was: float, now: float) -> list[tuple[str, str]]:
        return [(each.was, each.now) for each in flips(frame(was), frame(now)) if each.kind == "significance"]

    below = math.nextafter(0.05, 0)
    assert between(below, 0.05) == [("p < .05", "p ≥ .05")]
    assert between(0.05, below) == [("p ≥ .05", "p < .05")]
    assert between(0.05, 0.051) == [] == between(0.049, below)


# ---------------------------------------------------------------- cells of a return
def returned(**cells: str) -> pd.DataFrame:
    return pd.DataFrame([{"row": "8", "staff_id": "KEN-1", "role": "other", "left": "no", **cells}])


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ({"illness_days": ""}, {"illness_days": "3"}),
        ({"illness_days": "3"}, {"illness_days": ""}),
        ({}, {"illness_days": "3"}),
        ({"illness_days": "3"}, {}),
        ({"illness_days": "3"}, {"illness_days": "4"}),
    ],
)
def test_a_blank_cell_that_is_filled_is_a_change_and_one_that_is_emptied_too(
    was: dict[str, str], now: dict[str, str]
) -> None:
    found = _differences(PATH, returned(**was), returned(**now), [])
    assert [(cell.field, cell.old, cell.new) for cell in found] == [
        ("illness_days", was.get("illness_days", ""), now.get("illness_days", ""))
    ]


def test_the_ledger_explains_the_filling_of_a_blank_cell() -> None:
    line = {"id": "C001", "staff_id": "KEN-1", "field": "illness_days", "new_value": "3"}
    (cell,) = _differences(PATH, returned(illness_days=""), returned(illness_days="3.0"), [line])
    assert cell.ledger == "C001"


# ---------------------------------------------------------------- print
def printed(**tables: dict[str, str]) -> SimpleNamespace:
    return SimpleNamespace(printed=SimpleNamespace(tables=tables, sentences=tables.get("said", {})))


def test_a_line_that_is_no_longer_printed_is_a_change() -> None:
    before, after = {"Primary / Estimate": "1.2", "Second / Estimate": "0.4"}, {"Primary / Estimate": "1.2"}
    assert [(each.cell, each.old, each.new) for each in _figures(printed(table=before), printed(table=after))] == [
        ("Second / Estimate", "0.4", "")
    ]
    assert [(each.cell, each.old, each.new) for each in _figures(printed(table=after), printed(table=before))] == [
        ("Second / Estimate", "", "0.4")
    ]


def test_a_sentence_that_is_gone_is_a_change() -> None:
    found = _sentences(printed(said={"primary": "It fell.", "other": "Same."}), printed(said={"other": "Same."}))
    assert [(each.places, each.old, each.new) for each in found] == [(("primary",), "It fell.", "")]
