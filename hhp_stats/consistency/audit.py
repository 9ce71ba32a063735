"""Every printed figure that can be recomputed is: one verdict a figure, with its reason."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from pathlib import Path

import pandas as pd

from hhp_stats.consistency.comparisons import (
    READINGS,
    Comparison,
    RecomputedTest,
    arm_summary,
    find_comparisons,
    readings_for,
    recompute,
    spread_id,
)
from hhp_stats.consistency.figures import Figures, figures, published_figures, read_published
from hhp_stats.consistency.granularity import Scale, grim, sd_limits
from hhp_stats.consistency.intervals import interval_checks, share_checks
from hhp_stats.consistency.relations import (
    inputs_of,
    recompute_detectable_effects,
    recompute_relations,
    relation_checks,
)
from hhp_stats.consistency.verdict import Check, Finding, verdicts
from hhp_stats.consistency.wording import direction_checks, significance_checks
from hhp_stats.errors import InvalidInput

Scales = Mapping[tuple[str, str], Scale]  # by trial and outcome

LOWER_IS_BETTER = ("burnout", "sickness_absence", "sickness_absence_self_report", "turnover")

_REPEATED = ("n", "mean", "se", "sd", "p", "mdes", "mdes_planned")


def audit(
    frame: pd.DataFrame,
    *,
    relations: pd.DataFrame | None = None,
    detectable_effects: pd.DataFrame | None = None,
    scales: Scales | None = None,
    lower_is_better: Collection[str] = LOWER_IS_BETTER,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Which printed figures follow from the others, as printed or under another reading, and which cannot?

    `frame` has the columns of `published_results.csv`; one row comes back for every row that goes in (columns
    of `verdict.VERDICT_COLUMNS`), in the same order. Verdicts: "reproduces"; "another_reading", which is
    named; "does_not_reproduce", with what was tried; "not_checkable", because nothing printed determines the
    figure or rounding leaves it open.

    Checked from the columns alone: p-values from means, standard errors and n; differences and intervals; shares
    of counts; words of direction and significance; totals of two arms; figures printed twice. With `relations` and
    `detectable_effects` rates, sums and power; with `scales` whether means and spreads are possible on the scale (a
    scale's ends are also taken from rows of statistic min and max of score units, its step from one of statistic
    step).

    Refuses what `figures` refuses. A verdict is about arithmetic between printed figures, not about the
    data behind them.
    """
    printed = figures(frame)
    checks = audit_checks(
        frame,
        relations=relations,
        detectable_effects=detectable_effects,
        scales=scales,
        lower_is_better=lower_is_better,
        alpha=alpha,
    )
    return verdicts(printed, checks, used_for=_used_for(printed, relations, detectable_effects))


def audit_checks(
    frame: pd.DataFrame,
    *,
    relations: pd.DataFrame | None = None,
    detectable_effects: pd.DataFrame | None = None,
    scales: Scales | None = None,
    lower_is_better: Collection[str] = LOWER_IS_BETTER,
    alpha: float = 0.05,
) -> list[Check]:
    """All single checks behind `audit`, in the order in which they were made."""
    printed = figures(frame)
    known = _scales(printed, scales or {})
    comparisons = find_comparisons(printed)
    checks = comparison_checks(printed, comparisons, scales=known)
    checks += direction_checks(printed, comparisons, lower_is_better=lower_is_better)
    checks += significance_checks(printed, comparisons, alpha=alpha)
    checks += spread_checks(printed, comparisons, scales=known)
    checks += interval_checks(printed, comparisons)
    checks += share_checks(printed)
    checks += repeat_checks(printed)
    checks += total_checks(printed)
    if relations is not None:
        checks += relation_checks(printed, recompute_relations(printed, relations))
    if detectable_effects is not None:
        effects = recompute_detectable_effects(printed, detectable_effects)
        checks += relation_checks(printed, effects, detectable=True)
    return checks


def audit_published(folder: Path) -> pd.DataFrame:
    """The audit of `data/published`: results and design facts with their relations, detectable effects and scales."""
    return audit(
        published_figures(folder),
        relations=read_published(folder, "relations.csv"),
        detectable_effects=read_published(folder, "detectable_effects.csv"),
        scales=load_scales(folder / "scales.csv"),
    )


def load_scales(path: Path) -> dict[tuple[str, str], Scale]:
    """Scales by trial and outcome from a file with columns trial, outcome, low, high, step (may be empty)."""
    rows = pd.read_csv(path, dtype="str", keep_default_na=False).to_dict("records")
    return {
        (str(row["trial"]), str(row["outcome"])): Scale(
            low=float(row["low"]), high=float(row["high"]), step=float(row["step"]) if row["step"] else None
        )
        for row in rows
    }


def comparison_checks(printed: Figures, comparisons: Collection[Comparison], *, scales: Scales) -> list[Check]:
    """Printed p-values against the arms; where one of an outcome fails, every reading is tried on all of them.

    A reading that makes one p fit says little if it breaks the others of the same outcome, so the reason
    counts how many it fits.
    """
    families: dict[tuple[str, str], list[Comparison]] = {}
    for comparison in comparisons:
        if comparison.p_id:
            families.setdefault(comparison.key, []).append(comparison)
    out = []
    for key, family in families.items():
        scale = scales.get(key)
        plain = [recompute(printed, comparison) for comparison in family]
        out += [_comparison_check(test, printed) for test in plain]
        if all(test.reproduces for test in plain):
            continue
        for reading in readings_for(family[0], scale=scale)[1:]:
            tests = [recompute(printed, comparison, reading=reading, scale=scale) for comparison in family]
            fits = sum(bool(test.reproduces) for test in tests)
            out += [_comparison_check(test, printed, fits=fits, of=len(tests)) for test in tests]
    return out


def spread_checks(printed: Figures, comparisons: Collection[Comparison], *, scales: Scales) -> list[Check]:
    """Are printed standard errors and means possible on the scale, with this many people?

    A standard error times sqrt(n) beyond the largest possible standard deviation, or below the smallest that
    the steps of the scale allow, is none; if it fits as a standard deviation, that is the other reading.
    Means must be whole numbers of steps over n (GRIM) where the scale has steps.
    """
    out = []
    seen: set[str] = set()
    for comparison in comparisons:
        scale = scales.get(comparison.key)
        if scale is None:
            continue
        for prefix in (comparison.first, comparison.second):
            if prefix in seen:
                continue
            seen.add(prefix)
            arm = arm_summary(printed, prefix)
            if not scale.low <= arm.mean <= scale.high:
                reason = f"A mean of {arm.mean:g} is off the scale of {scale.low:g} to {scale.high:g}."
                out.append(Check(id=f"{prefix}-M", kind="granularity", finding="does_not_reproduce", reason=reason))
                continue
            least, most = sd_limits(mean=arm.mean, n=arm.n, scale=scale)
            spread = spread_id(printed.frame, prefix)
            if spread.endswith("-SD"):
                out.append(_deviation_check(spread, arm.sd, arm.std_error_margin * math.sqrt(arm.n), least, most))
            else:
                out.append(_spread_check(spread, arm.sd, arm.std_error, arm.n, least, most))
            if scale.step is not None:
                out.append(_grim_check(prefix, arm.mean, arm.mean_margin, arm.n, scale))
    return out


def repeat_checks(printed: Figures) -> list[Check]:
    """Is a figure that is printed twice for one group the same both times? The later is checked against the first."""
    frame = printed.frame
    rows = frame[
        frame["statistic"].isin(_REPEATED) & ~frame["outcome"].isin(["sample_flow"]) & (frame["trial"] != "context")
    ]
    out = []
    for _, same in rows.groupby(["trial", "outcome", "group", "statistic", "unit"], sort=False):
        records = same.to_dict("records")
        first = records[0]
        for row in records[1:]:
            # Another research question may have another n of the same people, but not another figure for one
            # group.
            agree = math.isclose(float(row["value"]), float(first["value"]), rel_tol=1e-12)
            out.append(
                Check(
                    id=str(row["id"]),
                    kind="repeat",
                    finding="reproduces" if agree else "does_not_reproduce",
                    recomputed=float(first["value"]),
                    low=float(first["value"]),
                    high=float(first["value"]),
                    reason=f"{first['id']} is {first['as_printed']} for the same group"
                    + ("." if agree else f", this is {row['as_printed']}."),
                )
            )
    return out


def total_checks(printed: Figures) -> list[Check]:
    """Do the two arms of an outcome add up to the total printed beside them?"""
    frame = printed.frame
    counts = frame[(frame["statistic"] == "n") & (frame["outcome"] != "sample_flow")]
    out = []
    for _, same in counts.groupby(["trial", "outcome", "research_question"], sort=False):
        by_group = {str(row["group"]): row for row in reversed(same.to_dict("records"))}
        if not {"all", "treatment", "control"} <= set(by_group):
            continue
        total = float(by_group["treatment"]["value"]) + float(by_group["control"]["value"])
        row = by_group["all"]
        agrees = total == float(row["value"])
        out.append(
            Check(
                id=str(row["id"]),
                kind="rate_or_sum",
                finding="reproduces" if agrees else "does_not_reproduce",
                recomputed=total,
                low=total,
                high=total,
                reason=f"The arms add to {total:g}, reported {row['as_printed']}.",
            )
        )
    return out


def _used_for(printed: Figures, *relations: pd.DataFrame | None) -> dict[str, set[str]]:
    out: dict[str, set[str]] = {}
    for comparison in find_comparisons(printed):
        for prefix in (comparison.first, comparison.second) if comparison.p_id else ():
            for part in ("M", "SE", "N"):
                out.setdefault(f"{prefix}-{part}", set()).add(comparison.p_id)
    for table in relations:
        for figure_id, targets in (inputs_of(printed, table) if table is not None else {}).items():
            out.setdefault(figure_id, set()).update(targets)
    return out


def _comparison_check(test: RecomputedTest, printed: Figures, *, fits: int = 0, of: int = 0) -> Check:
    text = printed.printed(test.comparison.p_id).text
    rounding = f"rounding allows {_p(test.p_range.low)} to {_p(test.p_range.high)}"
    allowed = f"p {_p(test.test.p_value)} ({rounding}), reported {text}"
    if test.reproduces:
        finding: Finding = "reproduces" if test.reading == "as_printed" else "another_reading"
        reason = f"The arms give {allowed}"
    else:
        finding = "does_not_reproduce"
        given = abs(test.test.statistic)
        reason = (
            f"The arms give {allowed}, outside by {test.gap:.2g}; it needs |t| = {test.t_needed:.2f} where they give"
            f" {given:.2f}"
        )
        if test.reading == "as_printed":
            reason += "; a model with covariates might give it, but none is reported"
    if of:
        reason += f"; this reading fits {fits} of {of} p-values of the outcome"
    return Check(
        id=test.comparison.p_id,
        kind="two_sample",
        finding=finding,
        reason=f"{reason}.",
        reading=READINGS[test.reading],
        recomputed=test.test.p_value,
        low=test.p_range.low,
        high=test.p_range.high,
    )


def _deviation_check(name: str, sd: float, margin: float, least: float, most: float) -> Check:
    fits = least - margin <= sd <= most + margin
    reason = f"The scale allows a standard deviation of {least:.3g} to {most:.3g}."
    return Check(id=name, kind="spread", finding="reproduces" if fits else "does_not_reproduce", reason=reason)


def _spread_check(name: str, sd: float, std_error: float, n: int, least: float, most: float) -> Check:
    room = 1 + 1e-9
    limits = f"{least:.3g} to {most:.3g}"
    if least / room <= sd <= most * room:
        finding: Finding = "reproduces"
        reason, reading = f"It implies a standard deviation of {sd:.3g}; the scale allows {limits}.", "as reported"
    elif least / room <= std_error <= most * room:
        finding, reading = "another_reading", "a standard deviation"
        reason = (
            f"As a standard error it implies a standard deviation of {sd:.3g}; the scale allows {limits}, where it"
            " fits."
        )
    else:
        finding, reading = "does_not_reproduce", "as reported"
        reason = (
            f"It implies a standard deviation of {sd:.3g}; the scale allows {limits}, that is a standard error of at "
            f"least {least / math.sqrt(n):.2f} over {n} people."
        )
    return Check(
        id=name,
        kind="spread",
        finding=finding,
        reason=reason,
        reading=reading,
        low=least,
        high=most,
        recomputed=sd,
    )


def _grim_check(prefix: str, mean: float, margin: float, n: int, scale: Scale) -> Check:
    step = scale.step or 1.0
    possible = grim(mean=mean, n=n, margin=margin, step=step, low=scale.low)
    below = math.floor((mean - scale.low) * n / step)
    near = [scale.low + (below + i) * step / n for i in (0, 1)]
    reason = f"Over {n} people in steps of {step:g} the nearest means are {near[0]:.4g} and {near[1]:.4g}"
    return Check(
        id=f"{prefix}-M",
        kind="granularity",
        finding="reproduces" if possible else "does_not_reproduce",
        reason=f"{reason}." if possible else f"{reason}: the mean is no plain average of so many people.",
        low=near[0],
        high=near[1],
    )


def _scales(printed: Figures, given: Scales) -> dict[tuple[str, str], Scale]:
    """The scales given, and ends printed as min and max of one outcome, with its step if there is a row for it."""
    found = dict(given)
    frame = printed.frame
    ends = frame[frame["statistic"].isin(["min", "max", "step"]) & (frame["unit"].str.contains("score"))]
    for (trial, outcome), rows in ends.groupby(["trial", "outcome"], sort=False):
        by = rows.set_index("statistic")["value"]
        if (str(trial), str(outcome)) not in found and {"min", "max"} <= set(by.index):
            step = float(by["step"]) if "step" in by.index else None
            found[str(trial), str(outcome)] = Scale(low=float(by["min"]), high=float(by["max"]), step=step)
    return found


def _p(value: float) -> str:
    if not 0 <= value <= 1:
        raise InvalidInput(f"a p-value of {value}")
    return "under .0001" if value < 0.0001 else f"{value:.3f}".lstrip("0")
