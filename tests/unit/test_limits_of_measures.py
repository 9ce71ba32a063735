"""Limits of measures and of the replayed draw: the value on the limit, and the next on either side of it."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from hhp_stats.design.randomisation import AllocationRule
from hhp_stats.design.replay import TOLERANCE, log_differences
from hhp_stats.errors import NonConvergence
from hhp_stats.measures import reliability
from hhp_stats.measures.absence import exposure, trial_absence
from hhp_stats.measures.bradford import bradford
from hhp_stats.measures.reliability import mcdonald_omega
from hhp_stats.measures.scales import combination_rule

LAUNCH = dt.date(2019, 7, 8)  # a Monday: 24 weeks end on Monday 23 December
WEEKS = 24


@pytest.mark.parametrize(
    ("leaves", "left", "in_post"),
    [
        ("2019-12-20", True, 119),
        ("2019-12-22", True, 120),
        ("2019-12-23", False, 120),
        ("2019-07-08", True, 0),
        ("2019-07-09", True, 1),
    ],
)
def test_who_leaves_before_the_follow_up_ends_is_a_leaver(leaves, left, in_post):
    frame = pd.DataFrame({"local_authority": ["Kent"], "leaving_date": [pd.Timestamp(leaves)]})
    found = exposure(frame, launches={"Kent": LAUNCH}, weeks=WEEKS).iloc[0]
    assert (bool(found["left"]), found["exposure_days"], found["follow_up_days"]) == (left, in_post, 120)


@pytest.mark.parametrize(("in_post", "days"), [(19, 1 + 101 * 0.1), (20, 6.0)])
def test_a_rate_is_extended_from_the_least_exposure_on(in_post, days):
    """Twenty days in post are enough: 1/20 of 120 days; below, the stayers' rate of 12 in 120 fills the rest."""
    frame = pd.DataFrame(
        {
            "local_authority": "Kent",
            "illness_days": [12.0, 1.0],
            "follow_up_days": 120.0,
            "exposure_days": [120.0, in_post],
            "left": [False, True],
        }
    )
    found = trial_absence(frame, rule="pro_rata", minimum_exposure=20.0)
    assert found.days.iloc[1] == pytest.approx(days, rel=1e-12)  # three operations in double precision


def _items(shared, people=60):
    """Three items with noise of spread 1 around something shared."""
    rng = np.random.default_rng(12)
    return pd.DataFrame(rng.normal(size=(people, 3)) + shared * rng.normal(size=(people, 1)), columns=["a", "b", "c"])


@pytest.mark.parametrize(("failed", "refused"), [(5, False), (6, True)])
def test_omega_is_refused_where_more_than_a_twentieth_of_the_samples_have_no_solution(monkeypatch, failed, refused):
    monkeypatch.setattr(
        reliability, "_bootstrap_omega", lambda values, **_: (np.linspace(0.5, 0.9, 100 - failed), failed)
    )
    if refused:
        with pytest.raises(NonConvergence, match="6 of 100"):
            mcdonald_omega(_items(1.0), draws=100, seed=1)
    else:
        assert "95 of 100" in mcdonald_omega(_items(1.0), draws=100, seed=1).method


def test_samples_without_a_solution_are_counted():
    """Items that hang together weakly, of few people: many resampled sets have a uniqueness at zero."""
    with pytest.raises(NonConvergence, match=r"no solution in \d+ of 60 bootstrap samples"):
        mcdonald_omega(_items(0.5, people=30), draws=60, seed=1)


@pytest.mark.parametrize("reading", ["r_squared", "correlation"])
@pytest.mark.parametrize(("beside", "branch"), [(0.0, "combined"), (None, "components"), (1.0, "components")])
def test_parts_are_combined_above_the_threshold_only(reading, beside, branch):
    """On the threshold itself they are not: the protocol says above .50."""
    rng = np.random.default_rng(4)
    one = pd.Series(rng.normal(size=50))
    other = one + pd.Series(rng.normal(size=50))
    found = combination_rule(one, other)
    on = found.r_squared if reading == "r_squared" else found.correlation
    threshold = on if beside is None else float(np.nextafter(on, beside))
    again = combination_rule(one, other, reading=reading, threshold=threshold)
    assert again.branch == branch
    turned = combination_rule(one, -other, reading=reading, threshold=0.01)
    assert turned.branch == "components"


@pytest.mark.parametrize(("gap", "differs"), [(0.0, False), (0.9, False), (-0.9, False), (1.1, True), (-1.1, True)])
def test_p_values_of_the_log_repeat_to_nine_digits(gap, differs):
    """A log printed with nine digits repeats; what differs by more was drawn from other data."""
    rule = AllocationRule()
    again = pd.DataFrame({"draw": [1], **dict.fromkeys(rule.tests, 0.25), "accepted": [True]})
    assert TOLERANCE == 1e-9
    for test in rule.tests:
        log = again.assign(**{test: 0.25 + gap * 1e-9})
        assert [(draw, name) for draw, name, _ in log_differences(log, again, rule=rule)] == [(1, test)] * differs
    missing = again.assign(**{rule.tests[0]: np.nan})
    assert [name for _, name, _ in log_differences(missing, again, rule=rule)] == [rule.tests[0]]


def test_people_that_an_index_names_twice_are_two() -> None:
    frame = pd.DataFrame(
        {
            "illness_days": [1.0, 2.0, 3.0, 0.0, 5.0, math.nan],
            "illness_spells": [1.0, 2.0, 1.0, 0.0, 2.0, math.nan],
            "months": [12.0, 6.0, 12.0, 12.0, 12.0, 3.0],
            "local_authority": list("AAABBB"),
            "follow_up_days": 120.0,
            "exposure_days": [120.0, 120.0, 10.0, 120.0, 120.0, 60.0],
            "left": [False, False, True, False, False, True],
        }
    )
    twice = frame.set_axis([0, 0, 1, 1, 2, 2])
    scores = bradford(twice, recording_authorities=["A"]).scores
    assert scores.tolist() == pytest.approx([1, 8, 3, math.nan, math.nan, math.nan], nan_ok=True)
    a_year = bradford(twice, recording_authorities=["A"], months="months").scores
    assert a_year.tolist() == pytest.approx([1, 64, 3, math.nan, math.nan, math.nan], nan_ok=True)
    # Three days, and for the 110 days after leaving the stayers' three days of 240.
    days = trial_absence(twice, rule="pro_rata").days
    assert days.tolist() == pytest.approx([1, 2, 3 + 110 * 3 / 240, 0, 5, math.nan], nan_ok=True)
