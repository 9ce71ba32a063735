"""Values that were drawn down over many lines, and answers that were replaced over a whole export: seen, and nothing else
is.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from test_rules_distribution import answered, codes, five, found, limits, listed, of, survey

from hhp_stats.intake.rules_answers import list_findings, survey_findings
from hhp_stats.intake.rules_wave import converted_identifiers
from hhp_stats.intake.runs import runs_beyond


def column(seed: int, lines: int = 100) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 8, lines).astype(float)


@pytest.mark.parametrize("lines", [8, 12, 30, 60])
@pytest.mark.parametrize("step", [0.0, 1.0])
def test_a_value_or_series_that_was_drawn_down(lines, step):
    values = column(2)
    values[20 : 20 + lines] = values[20] + step * np.arange(lines)
    (run,) = runs_beyond(values, limit=1e-3, least=5)
    assert (run.step, run.value) == (step, values[20])
    assert run.first <= 20 and 20 + lines <= run.first + run.lines <= 22 + lines


def test_how_many_such_runs_chance_makes():
    """By hand: of 20 lines 8 ones in a row; among the 12 others two ones: (20 - 8 + 1) (1 - 3/13) (3/13)^8."""
    values = np.array([2.0, 1, 2, 2, 3, 2, *[1.0] * 8, 2, 3, 1, 2, 2, 3])
    (run,) = runs_beyond(values, limit=1, least=8)
    assert run.expected == pytest.approx(13 * (10 / 13) * (3 / 13) ** 8)
    assert runs_beyond(values, limit=run.expected * 0.999, least=8) == []
    assert runs_beyond(values, limit=1, least=9) == []
    assert (run.first, run.lines, run.value, run.step) == (6, 8, 1.0, 0.0)


def test_what_is_no_run():
    rng = np.random.default_rng(1)
    mostly_zero = (rng.random(400) < 0.1).astype(float)  # runs of twenty zeros and more are chance
    in_order = np.sort(column(3))
    in_groups = np.repeat(rng.permutation(8).astype(float), 20)  # the size of each team, people by team
    with_blanks = column(4)
    with_blanks[10:60] = np.nan
    for values in (mostly_zero, in_order, in_order[::-1], in_groups, with_blanks, np.full(50, 3.0), np.array([])):
        assert runs_beyond(values, limit=1e-5, least=8) == []


def test_a_blank_ends_a_run():
    values = column(5)
    values[20:50] = 4
    values[35] = np.nan
    assert sorted(run.lines for run in runs_beyond(values, limit=1e-3, least=8)) == [14, 15]


def drawn_down(values: pd.Series, lines: int = 12) -> pd.Series:
    filled = values.astype("float64").copy()
    filled.iloc[5 : 5 + lines] = filled.iloc[5]
    return filled


def test_surveys_and_lists():
    people = [f"P{number:03d}" for number in range(60)]
    scores = five(3)
    filled = scores | {"two": drawn_down(pd.Series(scores["two"])).to_numpy()}
    assert list_findings([listed(person=people, **scores)], limits(L12=1e-5)) == []
    (finding,) = list_findings([listed(person=people, **filled)], limits(L12=1e-5))
    assert (finding.rule.code, finding.units) == ("L12", ("two",))
    assert re.fullmatch(r"two in 1[234] lines one after the other, all \d", finding.value)
    earlier, later = (replace(each, frame=each.frame.assign(row=range(60))) for each in answered(60, seed=3))
    name = next(each for each in later.fields if later.fields[each].unit == "points")
    assert codes(survey_findings([earlier, later], {}, limits(S51=1e-6))) == []
    broken = replace(later, frame=later.frame.assign(**{name: drawn_down(later.frame[name], 30)}))
    assert [code for code, _ in codes(survey_findings([earlier, broken], {}, limits(S51=1e-6)))] == ["S51"]


def test_returns(root):
    def drawn(ret):
        ret.frame.loc[20:49, "illness_days"] = ret.frame.loc[20, "illness_days"]

    assert found(root, lambda authority, ret: None, X38=1e-6) == []
    ((code, cell, units),) = found(root, of("Brinton", "endline", drawn), X38=1e-6)
    assert (code, units) == ("X38", ("illness_days",)) and cell.count(":") == 1


def test_an_answer_replaced_over_a_whole_export():
    """Every 4 by a 2, in all questions on one scale: its share before is a half, and the limit its Cohen's h to zero."""
    earlier, later = survey("baseline"), survey("endline")
    names = [name for name, spec in later.fields.items() if spec.unit == "points"]
    share = float((earlier.frame[names].to_numpy() == 4).mean())
    far = 2 * np.arcsin(np.sqrt(share))  # Cohen's h between the share and none
    replaced = replace(later, frame=later.frame.replace({name: {4.0: 2.0} for name in names}))
    assert survey_findings([earlier, later], {}, limits(S52=0.4)) == []
    told = survey_findings([earlier, replaced], {}, limits(S52=far - 0.001))
    assert [(each.rule.code, each.cell) for each in told] == [("S52", f"columns {names[0]} to {names[-1]}")] * 2
    assert "4 is 0% of the answers to one, two, three, at baseline" in told[1].value
    assert survey_findings([earlier, replaced], {}, limits(S52=far + 0.001)) == []


@pytest.mark.parametrize(
    ("people", "seen"),
    [
        ([f"P{n:02d}" for n in range(30)], []),
        ([f"P{n:02d}" for n in range(29)] + ["P29 pts"], [29]),
        (["1E+05", *(f"P{n:02d}" for n in range(29))], [0]),
        ([f"Ward {n}" for n in range(30)], []),  # a blank is their way
    ],
)
def test_identifiers_unlike_the_others_of_their_column(people, seen):
    table = listed(person=people, one=np.arange(30.0))
    assert [breach.position for breach in converted_identifiers(table)] == seen
    assert [breach.position for breach in converted_identifiers(table, names=("person",))] == [s for s in seen if not s]
