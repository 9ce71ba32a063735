"""Numbers behind the plain explanations of appendix D, already in words: one printed test, four printed rates."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hhp_stats.consistency.comparisons import Comparison, arm_summary, recompute
from hhp_stats.consistency.figures import Figures
from hhp_stats.consistency.granularity import Scale, sd_limits
from hhp_stats.present.numbers import count, interval, number, p_value, spelled

_CELLS = {
    "DIVJ-JME": "Minority ethnic names, joint",
    "DIVJ-SME": "Minority ethnic names, separate",
    "DIVJ-JWB": "White British names, joint",
    "DIVJ-SWB": "White British names, separate",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RetoldTest:
    """One comparison of two printed arms. Every field is text for a sentence."""

    first: str  # mean of the first (treated) arm
    second: str
    first_error: str  # its standard error
    second_error: str
    direction: str  # of the first against the second: higher or lower
    gap: str  # size of the difference
    gap_error: str  # its standard error
    gap_interval: str
    statistic: str  # size of the gap in standard errors
    p: str
    p_low: str
    p_high: str
    in_hundred: str  # how many of a hundred trials without an effect show such a gap
    in_hundred_low: str
    in_hundred_high: str
    printed: str
    printed_in_hundred: str
    gap_needed: str  # for the printed p
    times: str  # how many times the printed gap that is
    first_needed: str  # first mean above the second by that
    p_tenfold: str  # with standard errors ten times as large
    p_decisions: str  # with decisions taken for people; "" where no decisions are counted


def retold(figures: Figures, comparison: Comparison, *, scale: Scale | None) -> RetoldTest:
    """Put one comparison into words; `scale` allows the reading in which decisions count as people."""
    found = recompute(figures, comparison)
    first, second = found.arms
    gap, error = found.test.estimate, found.test.std_error
    needed = found.t_needed * error
    text = figures.printed(comparison.p_id)
    decisions = ""
    if scale is not None and scale.step is not None and (scale.low, scale.high) == (0, 100):
        decisions = p_value(recompute(figures, comparison, reading="decisions", scale=scale).test.p_value)
    return RetoldTest(
        first=number(first.mean),
        second=number(second.mean),
        first_error=number(first.std_error),
        second_error=number(second.std_error),
        direction="higher" if gap > 0 else "lower",
        gap=number(abs(gap)),
        gap_error=number(error),
        gap_interval=interval(found.test.conf_low, found.test.conf_high),
        statistic=number(abs(found.test.statistic), 1),
        p=_exact(found.test.p_value),
        p_low=_exact(found.p_range.low),
        p_high=_exact(found.p_range.high),
        in_hundred=_hundred(found.test.p_value),
        in_hundred_low=_hundred(found.p_range.low),
        in_hundred_high=_hundred(found.p_range.high),
        printed=text.text,
        printed_in_hundred=_hundred(text.value),
        gap_needed=number(needed),
        times=number(needed / abs(gap), 1),
        first_needed=number(second.mean + needed),
        p_tenfold=_exact(recompute(figures, comparison, reading="se_times_ten").test.p_value),
        p_decisions=decisions,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCell:
    """One rate of the first hiring experiment and the standard errors it could have."""

    label: str
    rate: float  # per cent
    people: int
    std_error: float
    printed: str  # the standard error as printed
    least: float  # smallest possible, in percentage points
    binomial: float  # with every decision taken as independent
    yes_or_no: float  # standard deviation of single decisions, as a proportion


def rate_cells(figures: Figures, scale: Scale) -> list[RateCell]:
    """What standard error could each of the four rates have?"""
    cells = []
    for prefix, label in _CELLS.items():
        arm = arm_summary(figures, prefix)
        least, _ = sd_limits(mean=arm.mean, n=arm.n, scale=scale)
        decisions = arm_summary(figures, prefix, reading="decisions", scale=scale)
        share = arm.mean / 100
        cells.append(
            RateCell(
                label=label,
                rate=arm.mean,
                people=arm.n,
                std_error=arm.std_error,
                printed=figures.printed(f"{prefix}-SE").text,
                least=least / math.sqrt(arm.n),
                binomial=decisions.std_error,
                yes_or_no=math.sqrt(share * (1 - share)),
            )
        )
    return cells


def _exact(p: float) -> str:
    """Three decimals where the second could hide on which side of a printed bound a p-value lies."""
    return f"{p:.3f}".removeprefix("0") if 0.001 <= p < 0.1 else p_value(p)


def _hundred(p: float) -> str:
    n = round(100 * p)
    return spelled(n) if n else f"fewer than {spelled(1)}" if p < 0.005 else count(n)
