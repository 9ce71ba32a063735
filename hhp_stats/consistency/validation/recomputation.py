"""Recomputation of printed figures: tests from summaries, and the checks of printed statistics."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

from scipy import stats

from hhp_stats.consistency.granularity import Scale, grim, grimmer, sd_limits
from hhp_stats.consistency.statcheck import ReportedTest, find_tests
from hhp_stats.consistency.validation import data
from hhp_stats.consistency.validation.case import ValidationCase
from hhp_stats.estimate.two_sample import (
    ArmSummary,
    equal_variance_from_summary,
    pooled_contrast,
    welch,
)
from hhp_stats.results.frame import Estimate

STUDENT = "Student’s sleep data, R’s t.test"
STATCHECK = "statcheck’s rules"
WRONG, DECISION, RIGHT = "t(28) = 2.20, p = .03", "F(2, 40) = 3.10, p = .02", "r(50) = .30, p = .03"


@cache
def _sleep() -> Estimate:
    frame = data.extra_sleep()
    return welch(outcome=frame["extra"].to_numpy(), treatment=1 - frame["drug"].to_numpy())


def _arms() -> tuple[ArmSummary, ArmSummary]:
    frame = data.extra_sleep()
    first, second = (frame.loc[frame["drug"] == drug, "extra"] for drug in (0.0, 1.0))
    return tuple(  # type: ignore[return-value]
        ArmSummary(mean=float(arm.mean()), std_error=float(stats.sem(arm)), n=len(arm)) for arm in (first, second)
    )


def _three_arms() -> Estimate:
    """Three arms of one variance: the pooled contrast has the variance s^2 (1/n + 1/n)."""
    arms = tuple(ArmSummary(mean=mean, std_error=0.5, n=16) for mean in (3.0, 2.0, 1.0))
    return pooled_contrast(arms, of=(0, 2))


def _found(text: str) -> ReportedTest:
    (found,) = find_tests(text)
    return found


def _called(text: str, verdict: str) -> float:
    return float(_found(text).outcome == verdict)


def _spread() -> bool:
    """Ten answers of 1 to 5 with mean 3.0: the standard deviation is at most 2.108, so 2.30 is impossible."""
    scale = Scale(low=1, high=5, step=1)
    return grimmer(mean=3.0, mean_margin=0.05, sd=2.30, sd_margin=0.005, n=10, scale=scale)


def _recomputation(
    quantity: str, printed: str, source: str, compute: Callable[[], float], *, exact: bool = False, truth: bool = False
) -> ValidationCase:
    return ValidationCase(
        method="recomputation",
        quantity=quantity,
        printed=printed,
        source=source,
        compute=compute,
        exact=exact,
        truth=truth,
    )


CASES = (
    _recomputation("Extra sleep, Welch: t", "-1.8608", STUDENT, lambda: _sleep().statistic),
    _recomputation("Extra sleep, Welch: df", "17.776", STUDENT, lambda: _sleep().df),
    _recomputation("Extra sleep, Welch: p", "0.07939", STUDENT, lambda: _sleep().p_value),
    _recomputation("Extra sleep, Welch: lower end of the interval", "-3.3654832", STUDENT, lambda: _sleep().conf_low),
    _recomputation("Extra sleep, Welch: upper end of the interval", "0.2054832", STUDENT, lambda: _sleep().conf_high),
    _recomputation(
        "Extra sleep, equal variances: p", "0.07919", STUDENT, lambda: equal_variance_from_summary(*_arms()).p_value
    ),
    _recomputation(
        "Three arms, SD 2, 16 each: SE of a contrast",
        "0.707107",
        "arithmetic: 2√(1/16 + 1/16)",
        lambda: _three_arms().std_error,
    ),
    _recomputation(
        "Three arms, 16 each: df of a contrast", "45", "arithmetic: 48 − 3", lambda: _three_arms().df, exact=True
    ),
    _recomputation(f"“{WRONG}”: p", "0.0362", STATCHECK, lambda: _found(WRONG).p_value),
    _recomputation(f"“{WRONG}” is called an error", "1", STATCHECK, partial(_called, WRONG, "error"), truth=True),
    _recomputation(f"“{DECISION}”: p", "0.0560", STATCHECK, lambda: _found(DECISION).p_value),
    _recomputation(
        f"“{DECISION}” is called a decision error",
        "1",
        STATCHECK,
        partial(_called, DECISION, "decision_error"),
        truth=True,
    ),
    _recomputation(
        f"“{RIGHT}” is called consistent", "1", STATCHECK, partial(_called, RIGHT, "consistent"), truth=True
    ),
    _recomputation(
        "A mean of 5.19 over 28 whole numbers is possible",
        "0",
        "arithmetic: 145/28 = 5.18, 146/28 = 5.21",
        lambda: float(grim(mean=5.19, n=28, margin=0.005)),
        truth=True,
    ),
    _recomputation(
        "A mean of 5.18 over 28 whole numbers is possible",
        "1",
        "arithmetic: 145/28 = 5.18",
        lambda: float(grim(mean=5.18, n=28, margin=0.005)),
        truth=True,
    ),
    _recomputation(
        "Ten answers from 1 to 5, mean 3: largest SD",
        "2.108185",
        "arithmetic: √(2 × 2 × 10/9)",
        lambda: sd_limits(mean=3.0, n=10, scale=Scale(low=1, high=5, step=1))[1],
    ),
    _recomputation(
        "Ten answers from 1 to 5, mean 3: an SD of 2.30 is possible",
        "0",
        "exceeds the largest",
        lambda: float(_spread()),
        truth=True,
    ),
)
