"""Printed differences, intervals and shares against the figures beside them, found by the columns of the file alone."""

from __future__ import annotations

import math
from collections.abc import Collection

from hhp_stats.consistency.comparisons import Comparison, arm_summary
from hhp_stats.consistency.figures import Figures
from hhp_stats.consistency.printed import Printed, p_range
from hhp_stats.consistency.verdict import Check, Finding

LEVEL = 0.95
SHARE, OF = "-PC", "-N"  # X-PC is the share of X among X-N

Group = tuple[str, str, str, str]  # trial, outcome, research question, group


def interval_checks(figures: Figures, comparisons: Collection[Comparison], *, level: float = LEVEL) -> list[Check]:
    """Does a printed difference follow from its arms, is it in the middle of its interval, and does p follow from both?

    Rows of statistic `difference`, `conf_low` and `conf_high` with the same trial, outcome, research question and
    group.
    Difference: first minus second mean, over the rounding of both. Interval: its middle is the difference, as for every
    estimate +- t * std_error; intervals of ratios belong under another statistic. p-value: from half the interval
    over the quantile of t on n1 + n2 - 2 df, normal where no n is printed. `level`: of the interval.
    """
    out = []
    arms = {(c.trial, c.outcome, c.contrast): c for c in comparisons}
    for group, ids in _groups(figures).items():
        comparison = arms.get((group[0], group[1], group[3]))
        if "difference" in ids and comparison is not None:
            out.append(_difference_check(figures, ids["difference"], comparison))
        if not {"conf_low", "conf_high"} <= set(ids):
            continue
        low, high = (_printed(figures, ids[end]) for end in ("conf_low", "conf_high"))
        if low.value > high.value:
            out.append(
                _check(ids["conf_low"], "does_not_reproduce", "The lower end of the interval is above the upper.")
            )
            continue
        if "difference" in ids:
            out += _middle_checks(figures, ids, low, high)
        if "p" in ids:
            out.append(_p_check(figures, ids, low, high, comparison, level=level))
    return out


def share_checks(figures: Figures) -> list[Check]:
    """Is a printed share the printed count over the printed number of people? By ids: X-PC is X of X-N."""
    out = []
    for row in figures.frame.to_dict("records"):
        name = str(row["id"])
        part = name.removesuffix(SHARE)
        if not name.endswith(SHARE) or not {part, part + OF} <= set(figures.places):
            continue
        above, below = (float(figures.row(key)["value"]) for key in (part, part + OF))
        if below <= 0:
            continue
        share = 100 * above / below
        agrees = figures.printed(name).agrees(share, share)
        out.append(
            Check(
                id=name,
                kind="rate_or_sum",
                finding="reproduces" if agrees else "does_not_reproduce",
                recomputed=share,
                low=share,
                high=share,
                reason=f"{above:g} of {below:g} is {share:.2f}%, reported {row['as_printed']}.",
            )
        )
    return out


def _groups(figures: Figures) -> dict[Group, dict[str, str]]:
    found: dict[Group, dict[str, str]] = {}
    for row in figures.frame.to_dict("records"):
        if row["statistic"] in ("difference", "conf_low", "conf_high", "p"):
            key = (str(row["trial"]), str(row["outcome"]), str(row["research_question"]), str(row["group"]))
            found.setdefault(key, {}).setdefault(str(row["statistic"]), str(row["id"]))
    return found


def _difference_check(figures: Figures, name: str, comparison: Comparison) -> Check:
    first, second = (figures.limits(f"{prefix}-M") for prefix in (comparison.first, comparison.second))
    low, high = first[0] - second[1], first[1] - second[0]
    agrees = figures.printed(name).agrees(low, high)
    middle = arm_summary(figures, comparison.first).mean - arm_summary(figures, comparison.second).mean
    return Check(
        id=name,
        kind="interval",
        finding="reproduces" if agrees else "does_not_reproduce",
        recomputed=middle,
        low=low,
        high=high,
        reason=(
            f"The means differ by {middle:.4g} (rounding allows {low:.4g} to {high:.4g}), reported"
            f" {figures.printed(name).text}."
        ),
    )


def _middle_checks(figures: Figures, ids: dict[str, str], low: Printed, high: Printed) -> list[Check]:
    difference = _printed(figures, ids["difference"])
    middle, slack = (low.value + high.value) / 2, (low.margin + high.margin) / 2
    # A billionth for sums of decimals that have no exact doubles.
    agrees = abs(middle - difference.value) <= slack + difference.margin + 1e-9
    reason = (
        f"The middle of {low.value:g} to {high.value:g} is {middle:.4g}, the difference is printed as"
        f" {figures.printed(ids['difference']).text}: an interval made of a standard error has its estimate in the"
        " middle."
    )
    finding: Finding = "reproduces" if agrees else "does_not_reproduce"
    return [_check(ids[end], finding, reason, recomputed=middle) for end in ("conf_low", "conf_high")]


def _p_check(
    figures: Figures, ids: dict[str, str], low: Printed, high: Printed, comparison: Comparison | None, *, level: float
) -> Check:
    centre = (
        _printed(figures, ids["difference"])
        if "difference" in ids
        else Printed(value=(low.value + high.value) / 2, margin=(low.margin + high.margin) / 2)
    )
    df = math.inf
    if comparison is not None:
        df = float(sum(arm_summary(figures, prefix).n for prefix in (comparison.first, comparison.second)) - 2)
    least, most = p_range(estimate=centre, low=low, high=high, level=level, freedom=(df, df))
    printed = figures.printed(ids["p"])
    agrees = printed.agrees(least, most)
    return Check(
        id=ids["p"],
        kind="interval",
        finding="reproduces" if agrees else "does_not_reproduce",
        low=least,
        high=most,
        reason=(
            f"The interval of {low.value:g} to {high.value:g} gives p {least:.3f} to {most:.3f}, reported"
            f" {printed.text}."
        ),
        recomputed=(least + most) / 2,
    )


def _printed(figures: Figures, name: str) -> Printed:
    printed = figures.printed(name)
    return Printed(value=printed.value, margin=0.0 if printed.in_words else printed.margin)


def _check(name: str, finding: Finding, reason: str, *, recomputed: float = math.nan) -> Check:
    return Check(id=name, kind="interval", finding=finding, reason=reason, recomputed=recomputed)
