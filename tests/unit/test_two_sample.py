"""Two-sample tests from summaries: readings of a printed standard error, ranges of p, refusals."""

import math

import numpy as np
import pytest

from hhp_stats.errors import InvalidInput, NoObservations
from hhp_stats.estimate.two_sample import (
    ArmSummary,
    pooled_contrast,
    pooled_p_range,
    welch,
    welch_from_summary,
    welch_p_range,
)

ROUNDED = {"mean_margin": 0.005, "std_error_margin": 0.005}
TREATED = ArmSummary(mean=0.07, std_error=0.12, n=207, **ROUNDED)
CONTROL = ArmSummary(mean=-0.05, std_error=0.12, n=221, **ROUNDED)


def test_range_holds_p_and_grows_with_the_margins():
    p, narrow = welch_from_summary(TREATED, CONTROL).p_value, welch_p_range(TREATED, CONTROL)
    assert narrow.low < p < narrow.high
    exact = [ArmSummary(mean=a.mean, std_error=a.std_error, n=a.n) for a in (TREATED, CONTROL)]
    still = welch_p_range(*exact)
    assert still.low == still.high == p
    assert narrow.allows(0.4, 0.43) and not narrow.allows(0.6, 0.7) and not narrow.allows(0.1, 0.2)


def test_means_that_may_be_equal_allow_p_of_one():
    near = ArmSummary(mean=-0.05, std_error=0.12, n=221, **ROUNDED)
    touching = ArmSummary(mean=-0.04, std_error=0.12, n=207, **ROUNDED)
    assert welch_p_range(touching, near).high == 1


def test_a_standard_error_rounded_to_zero_allows_any_small_p():
    assert (
        welch_p_range(
            ArmSummary(mean=1, std_error=0, n=9, std_error_margin=0.005),
            ArmSummary(mean=2, std_error=0, n=9, std_error_margin=0.005),
        ).low
        == 0
    )


def test_reading_a_standard_error_as_a_standard_deviation():
    read = ArmSummary(mean=16.28, std_error=2.45, n=104, std_error_margin=0.005).printed_as_sd()
    assert read.sd == pytest.approx(2.45) and read.std_error == pytest.approx(2.45 / math.sqrt(104))
    assert read.std_error_margin == pytest.approx(0.005 / math.sqrt(104))


def test_pooled_contrast_is_least_squares_on_arm_dummies():
    rng = np.random.default_rng(1)
    groups = [rng.normal(m, s, n) for m, s, n in ((1, 2, 20), (0, 3, 30), (2, 1, 25))]
    arms = tuple(ArmSummary(mean=g.mean(), std_error=g.std(ddof=1) / math.sqrt(len(g)), n=len(g)) for g in groups)
    y, arm = np.concatenate(groups), np.repeat([0, 1, 2], [20, 30, 25])
    x = np.column_stack([arm == i for i in range(3)]).astype(float)
    b, rss, *_ = np.linalg.lstsq(x, y, rcond=None)
    variance = rss[0] / (len(y) - 3)
    got = pooled_contrast(arms, of=(2, 0))
    assert got.estimate == pytest.approx(b[2] - b[0], rel=1e-12)  # two routes to one formula
    assert got.std_error == pytest.approx(math.sqrt(variance * (1 / 25 + 1 / 20)), rel=1e-12)
    assert got.df == 72
    assert pooled_p_range(arms, of=(2, 0)).low == pytest.approx(got.p_value)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: ArmSummary(mean=1, std_error=-1, n=5), InvalidInput),
        (lambda: ArmSummary(mean=math.nan, std_error=1, n=5), InvalidInput),
        (lambda: ArmSummary(mean=1, std_error=1, n=1), NoObservations),
        (lambda: ArmSummary(mean=1, std_error=1, n=5, mean_margin=-1), InvalidInput),
        (lambda: welch_from_summary(*[ArmSummary(mean=1, std_error=0, n=5)] * 2), InvalidInput),
        (lambda: pooled_contrast((TREATED, CONTROL), of=(0, 0)), InvalidInput),
        (lambda: pooled_contrast((TREATED, CONTROL), of=(0, 2)), InvalidInput),
        (lambda: pooled_contrast((ArmSummary(mean=1, std_error=0, n=5),) * 2, of=(0, 1)), InvalidInput),
        (lambda: welch(outcome=np.ones(4), treatment=np.array([0, 0, 1, 2.0])), InvalidInput),
        (lambda: welch(outcome=np.ones(4), treatment=np.array([0, 0, 0, 1.0])), NoObservations),
        (lambda: welch(outcome=np.ones(3), treatment=np.ones(4)), InvalidInput),
        (lambda: welch(outcome=np.ones(4), treatment=np.array([0, 0, 1, 1.0])), InvalidInput),
    ],
)
def test_refusals(call, error):
    with pytest.raises(error):
        call()
