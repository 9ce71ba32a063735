"""Do the reported means, standard errors and n of two arms give the reported p-value? Under which reading?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd
from scipy import stats

from hhp_stats.consistency.figures import Figures
from hhp_stats.consistency.granularity import Scale
from hhp_stats.errors import InvalidInput, UnknownName
from hhp_stats.estimate.two_sample import (
    ArmSummary,
    PRange,
    pooled_contrast,
    pooled_p_range,
    welch_from_summary,
    welch_p_range,
)
from hhp_stats.results.frame import Estimate

Reading = Literal["as_printed", "se_is_sd", "se_is_sd_pooled", "se_times_ten", "decisions"]

READINGS: dict[Reading, str] = {
    "as_printed": "as reported",
    "se_is_sd": "standard errors read as standard deviations",
    "se_is_sd_pooled": "standard errors read as standard deviations, one variance for all arms",
    "se_times_ten": "standard errors read ten times as large (a slipped decimal)",
    "decisions": "standard errors ignored, every decision of a person taken as independent",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two printed arms and, if there is one, the reported p-value of their difference (first minus second)."""

    trial: str
    outcome: str
    research_question: str
    contrast: str  # the group of the printed difference, for example "difference_blinded_vs_me"
    first: str  # id prefix of the arm: "BEN-SWB-T" for BEN-SWB-T-M, -SE, -N
    second: str
    arms: tuple[str, ...]  # prefixes of all arms of the outcome, for readings that pool them
    p_id: str  # "" where no p is printed
    deviations: bool = False  # standard deviations are printed, not standard errors: nothing is to be read otherwise

    @property
    def key(self) -> tuple[str, str]:
        """The family whose figures should all be read in the same way."""
        return self.trial, self.outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class RecomputedTest:
    """One comparison under one reading."""

    comparison: Comparison
    reading: Reading
    arms: tuple[ArmSummary, ArmSummary]
    test: Estimate
    p_range: PRange
    standardised_difference: float
    reproduces: bool | None  # None where no p is printed
    gap: float  # distance of the printed p, with its rounding, from the range
    t_needed: float  # |t| that the printed p asks for
    t_ratio: float


def find_comparisons(figures: Figures) -> list[Comparison]:
    """Which two-arm comparisons does the file hold? One for each printed p, direction or claim of significance.

    Arms are groups with a mean, a standard error (or deviation) and an n of the same trial and outcome; where the
    same group is printed twice, the one under the research question of the difference. "difference" is treatment minus
    control, "difference_a_vs_b" arm a minus arm b, where words common to both arms stand once:
    me_joint_vs_sep is (me, joint) against (me, sep). Claims with more than one arm unnamed are left to
    `wording`.
    """
    frame = figures.frame
    about = frame[frame["statistic"].isin(["p", "stated_direction", "stated_significant"])]
    means = _means(frame)
    found: dict[tuple[str, ...], Comparison] = {}
    for row in about.astype("str").to_dict("records"):
        if not row["group"].startswith("difference"):
            continue
        trial, outcome, question, group = (row[name] for name in ("trial", "outcome", "research_question", "group"))
        arms = _arms(means.get((trial, outcome), []), research_question=question)
        pair = _pair(group, list(arms))
        if pair is None:
            continue
        key = (trial, outcome, group)
        p_id = row["id"] if row["statistic"] == "p" else ""
        if key in found and (found[key].p_id or not p_id):
            continue
        found[key] = Comparison(
            trial=trial,
            outcome=outcome,
            research_question=question,
            contrast=group,
            first=arms[pair[0]],
            second=arms[pair[1]],
            arms=tuple(arms.values()),
            p_id=p_id,
            deviations=any(spread_id(frame, arms[group]).endswith("-SD") for group in pair),
        )
    return list(found.values())


def recompute(
    figures: Figures, comparison: Comparison, *, reading: Reading = "as_printed", scale: Scale | None = None
) -> RecomputedTest:
    """What p-value do the arms give under a reading, and could it have been printed as it was?

    Welch's test, or for "se_is_sd_pooled" the contrast with one residual variance over all arms. `p_range`
    runs over the rounding of every printed mean and standard error; it reproduces where that range meets the
    rounding interval of the reported p. "decisions" is for rates in percent of which a person's own has steps
    of `scale.step`: each person made 100 / step decisions, and the standard error is the binomial one of all
    of them.

    Refuses unknown readings and figures (UnknownName), and "decisions" without such a scale (InvalidInput).
    """
    if reading not in READINGS:
        raise UnknownName(f"no reading {reading!r}")
    first, second = (
        arm_summary(figures, prefix, reading=reading, scale=scale) for prefix in (comparison.first, comparison.second)
    )
    if reading == "se_is_sd_pooled":
        arms = tuple(arm_summary(figures, prefix, reading=reading) for prefix in comparison.arms)
        of = (comparison.arms.index(comparison.first), comparison.arms.index(comparison.second))
        test, p_range = pooled_contrast(arms, of=of), pooled_p_range(arms, of=of)
    else:
        test, p_range = welch_from_summary(first, second), welch_p_range(first, second)
    sd = math.sqrt((first.sd**2 + second.sd**2) / 2)
    reproduces, gap, needed = None, math.nan, math.nan
    if comparison.p_id:
        printed = figures.printed(comparison.p_id)
        reproduces = printed.agrees(p_range.low, p_range.high)
        gap = 0.0 if reproduces else max(p_range.low - printed.high, printed.low - p_range.high)
        needed = float(stats.t.isf(printed.value / 2, first.n + second.n - 2))
    return RecomputedTest(
        comparison=comparison,
        reading=reading,
        arms=(first, second),
        test=test,
        p_range=p_range,
        standardised_difference=test.estimate / sd,
        reproduces=reproduces,
        gap=gap,
        t_needed=needed,
        t_ratio=abs(test.statistic) / needed if needed > 0 else math.nan,
    )


def arm_summary(
    figures: Figures, prefix: str, *, reading: Reading = "as_printed", scale: Scale | None = None
) -> ArmSummary:
    """One printed arm under a reading of its standard error, which a standard deviation gives over the root of n."""
    mean, n = figures.printed(f"{prefix}-M"), int(figures.printed(f"{prefix}-N").value)
    name = spread_id(figures.frame, prefix)
    spread, root = figures.printed(name), math.sqrt(n) if name.endswith("-SD") else 1.0
    arm = ArmSummary(
        mean=mean.value,
        std_error=spread.value / root,
        n=n,
        mean_margin=mean.margin,
        std_error_margin=spread.margin / root,
    )
    if reading == "decisions":
        if scale is None or scale.step is None or (scale.low, scale.high) != (0, 100):
            raise InvalidInput("decisions can be counted only for a rate in percent with known steps")
        decisions = round(arm.n * 100 / scale.step)
        binomial = math.sqrt(arm.mean * (100 - arm.mean) / decisions)
        return ArmSummary(mean=arm.mean, std_error=binomial, n=decisions, mean_margin=arm.mean_margin)
    if reading in ("se_is_sd", "se_is_sd_pooled"):
        return arm.printed_as_sd()
    return arm.rescaled(10.0) if reading == "se_times_ten" else arm


def readings_for(comparison: Comparison, *, scale: Scale | None = None) -> Sequence[Reading]:
    """Which readings make sense? Pooling needs three arms to differ from Welch in more than name, decisions a scale."""
    if comparison.deviations:
        return ["as_printed"]
    readings: list[Reading] = ["as_printed", "se_is_sd"]
    if len(comparison.arms) > 2:
        readings.append("se_is_sd_pooled")
    readings.append("se_times_ten")
    if scale is not None and scale.step is not None and (scale.low, scale.high) == (0, 100):
        readings.append("decisions")
    return readings


def spread_id(frame: pd.DataFrame, prefix: str) -> str:
    """The id of an arm's spread: its standard error, or its standard deviation where that alone is printed."""
    ids, error, deviation = set(frame["id"]), f"{prefix}-SE", f"{prefix}-SD"
    return deviation if deviation in ids and error not in ids else error


def _means(frame: pd.DataFrame) -> dict[tuple[str, str], list[tuple[str, str, str]]]:
    """By trial and outcome the groups with a mean: research question, group, and id prefix if an n and an error are
    there.
    """
    ids = set(frame["id"])
    means: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    for row in frame.loc[frame["statistic"] == "mean"].astype("str").to_dict("records"):
        prefix = row["id"].removesuffix("-M")
        if prefix != row["id"]:
            whole = f"{prefix}-N" in ids and not ids.isdisjoint({f"{prefix}-SE", f"{prefix}-SD"})
            found = means.setdefault((row["trial"], row["outcome"]), [])
            found.append((row["research_question"], row["group"], prefix if whole else ""))
    return means


def _arms(means: Sequence[tuple[str, str, str]], *, research_question: str) -> dict[str, str]:
    """Group name to id prefix."""
    arms: dict[str, str] = {}
    # The research question of the difference first; then the order of the file.
    for _, group, prefix in sorted(means, key=lambda mean: mean[0] != research_question):
        if prefix:
            arms.setdefault(group, prefix)
    return {group: arms[group] for group in dict.fromkeys(group for _, group, _ in means) if group in arms}


def _pair(group: str, arms: list[str]) -> tuple[str, str] | None:
    if group == "difference":
        return ("treatment", "control") if {"treatment", "control"} <= set(arms) else None
    left, found, right = group.removeprefix("difference_").partition("_vs_")
    if not found:
        return None
    one, other = set(left.split("_")), set(right.split("_"))
    first = [arm for arm in arms if set(arm.split("_")) == one]
    second = [
        arm
        for arm in arms
        if arm not in first and other <= set(arm.split("_")) <= one | other and len(arm.split("_")) == len(one)
    ]
    return (first[0], second[0]) if len(first) == 1 and len(second) == 1 else None
