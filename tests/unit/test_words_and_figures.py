"""Words and printed figures never contradict each other, whatever the numbers: by random rows, many close to a
border.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hhp_stats.plan.load import load_plan
from hhp_stats.present import prose
from hhp_stats.present.numbers import (
    MINUS,
    MISSING,
    WITHHELD,
    apart,
    count_of,
    digits_apart,
    interval,
    number,
    p_value,
    percent,
    side,
)
from hhp_stats.publish.checks.mark_check import prints_p
from hhp_stats.tails import student_quantile, student_tail

NUMBER = rf"{MINUS}?[\d,]+(?:\.\d+)?"
MANY = settings(max_examples=80, deadline=None)
# Sizes from far below what is printed to far above it.
SIZES = st.one_of(
    st.floats(-50, 50), st.builds(lambda m, e: m * 10.0**e, st.floats(-9.99, 9.99), st.integers(-12, 3)), st.just(0.0)
)


def read(text: str) -> float:
    return float(text.replace(MINUS, "-").replace(",", ""))


@st.composite
def rows(draw, level: float = 0.95):
    """A row as an estimator makes it; half of them with an end of the interval, and p, close to their borders."""
    error, df = draw(st.floats(0.001, 20)), draw(st.sampled_from([0.8, 2.7, 11.0, 150.3, 1e6]))
    quantile = float(student_quantile(0.5 + level / 2, df))
    near = draw(
        st.one_of(
            st.floats(-4, 4),
            st.builds(lambda gap, s: s * (1 + gap), st.floats(-0.003, 0.003), st.sampled_from([-1, 1])),
        )
    )
    # Nearer, the interval touches zero as far as print can tell, while p is still told apart from its level.
    assume(abs(abs(near) - 1) * quantile * error > 1e-8 and abs(abs(near) - 1) > 1e-7)
    estimate = near * quantile * error
    p = 2 * float(student_tail(abs(estimate) / error, df))
    return {
        "estimate": estimate,
        "std_error": error,
        "df": df,
        "conf_low": estimate - quantile * error,
        "conf_high": estimate + quantile * error,
        "conf_level": level,
        "p_value": p,
        "status": "estimated",
        "note": "",
        "result_id": "a/b/c/d",
    }


@pytest.fixture(scope="module")
def outcomes(root):
    return load_plan(root, "goal_setting").outcomes


@MANY
@given(SIZES, st.integers(0, 3))
def test_only_zero_is_printed_as_zero(value, digits):
    text = number(value, digits)
    assert (read(text) == 0) == (side(value) == 0)
    assert side(value) == 0 or (read(text) > 0) == (value > 0)
    # One rounding of the double, at the digits shown.
    assert read(text) == pytest.approx(value, abs=0.5000001 * 10.0 ** -len(text.partition(".")[2]))


@MANY
@given(SIZES, SIZES, st.integers(0, 3))
def test_numbers_that_differ_are_printed_apart(one, other, digits):
    first, second = apart(one, other, digits=digits)
    assert (first == second) == (side(one, other) == 0)
    if side(one, other):
        assert (read(first) > read(second)) == (one > other)
        assert read(number(one, digits, beside=[other])) != read(number(other, len(first.partition(".")[2])))


@MANY
@given(
    st.one_of(
        st.floats(0, 1), st.builds(lambda a, gap: a + gap, st.sampled_from([0.05, 0.1, 0.01]), st.floats(-1e-3, 1e-3))
    ),
    st.sampled_from([0.05, 0.1, 0.01]),
)
def test_a_p_value_shows_on_which_side_of_its_level_it_lies(p, alpha):
    text = p_value(p, alpha=alpha)
    assert prints_p(text, p)
    if text[0] in "<>":
        bound = float(text[1:])
        assert p < bound if text[0] == "<" else p > bound - 0.005
        assert (p < alpha) == (text[0] == "<")
    elif side(p, alpha):
        assert (float(text) < alpha) == (p < alpha) and float(text) != alpha


@MANY
@given(SIZES, SIZES, st.sampled_from([0.0, 1.0]), st.integers(0, 3))
def test_an_interval_holds_its_null_as_printed(one, other, null, digits):
    low, high = sorted((one, other))
    printed = [read(end) for end in interval(low, high, digits, null=null).split(" to ")]
    clear = prose.is_clear({"conf_low": low, "conf_high": high}, null=null)
    assert clear == (printed[0] > null or printed[1] < null)


@MANY
@given(rows(), st.integers(0, 2))
def test_a_difference_in_words_and_figures(outcomes, row, digits):
    outcome = outcomes["sickness_absence"]
    said = prose.difference(row, outcome, offer="goal-setting", digits=digits)
    low, high = (read(end) for end in re.search(rf"95% CI ({NUMBER}) to ({NUMBER})", said).groups())
    p = re.search(r"p ([=<>]) (\.\d+)", said)
    below = float(p[2]) < 0.05 if p[1] == "=" else p[1] == "<"
    assert ("a clear difference in favour" in said) == (low > 0 or high < 0) == below
    if "the same in both groups" in said:
        assert side(row["estimate"]) == 0
    else:
        word, size = re.search(rf"was (higher|lower) by ({NUMBER})", said).groups()
        assert read(size) > 0 and (word == "higher") == (row["estimate"] > 0)


@MANY
@given(rows(), st.floats(0, 1))
def test_shares_in_words_and_figures(outcomes, row, control):
    row = {name: value / 200 if name in ("estimate", "conf_low", "conf_high") else value for name, value in row.items()}
    treated = control + row["estimate"]
    assume(0 <= treated <= 1)
    said = prose.probability_change(
        row, outcomes["turnover"], offer="goal-setting", control={"estimate": control}, treated={"estimate": treated}
    )
    shares = [read(text) for text in re.search(rf"\(({NUMBER})% against ({NUMBER})%", said).groups()]
    low, high = (read(end) for end in re.search(rf"95% CI ({NUMBER}) to ({NUMBER}) points", said).groups())
    assert ("a clear difference" in said) == (low > 0 or high < 0)
    if "no higher or lower" not in said:
        points, word = re.search(rf"was ({NUMBER}) percentage points (higher|lower)", said).groups()
        assert read(points) > 0
        assert (word == "higher") == (shares[0] > shares[1]) and shares[0] != shares[1]


@MANY
@given(rows(level=0.9))
def test_the_level_of_the_interval_is_that_of_p(row):
    said = prose.uncertainty(row)
    low, high = (read(end) for end in re.search(rf"90% CI ({NUMBER}) to ({NUMBER})", said).groups())
    p = re.search(r"p ([=<>]) (\.\d+)", said)
    assert (low > 0 or high < 0) == (float(p[2]) < 0.1 if p[1] == "=" else p[1] == "<")


def test_borders_by_hand():
    assert (p_value(0.0498), p_value(0.0502), p_value(0.04999), p_value(0.05)) == (".0498", ".0502", ".04999", ".050")
    assert p_value(0.0998, alpha=0.1) == ".0998" and p_value(0.0998) == ".10"
    assert number(-0.003) == "\u22120.003" and number(0.0) == "0.00" and number(-1e-15) == "0.00"
    assert interval(0.004, 0.41) == "0.004 to 0.410" and interval(0.998, 1.7, null=1) == "0.998 to 1.700"
    assert apart(0.7012, 0.6988) == ["0.701", "0.699"] and digits_apart([0.5, 0.5], 2) == 2


@pytest.mark.parametrize("nothing", [None, float("nan"), WITHHELD])
def test_what_is_withheld_or_missing_is_said_and_never_compared(nothing):
    expected = WITHHELD if nothing == WITHHELD else MISSING
    assert number(nothing) == percent(nothing) == p_value(nothing) == expected
    assert apart(nothing, 0.5) == [expected, "0.50"]
    assert number(0.5, beside=[nothing]) == "0.50" and percent(0.5, beside=[nothing]) == "50.0%"
    assert interval(nothing, 0.004) == (WITHHELD if nothing == WITHHELD else f"{MISSING} to 0.004")
    assert count_of(0, 0) == "0 (\u2014)"
    assert count_of(nothing, 10).startswith(expected)
