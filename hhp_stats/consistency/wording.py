"""Do the words say what the numbers say? Directions and claims of significance against means and p-values."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

from hhp_stats.consistency.comparisons import Comparison, arm_summary, recompute
from hhp_stats.consistency.figures import Figures
from hhp_stats.consistency.verdict import Check, Finding, in_figures

EVERY_OUTCOME = "all_outcomes"

Row = dict[str, str]


def direction_checks(
    figures: Figures, comparisons: Iterable[Comparison], *, lower_is_better: Collection[str] = ()
) -> list[Check]:
    """Is what is called an increase one in the reported means?

    The sign of first minus second arm against the sign in words. Where rounding allows both signs the
    words cannot be checked. A claim about `all_outcomes` ("directionally positive") is one of improvement: for
    outcomes in `lower_is_better` the sign is turned round, and one contrary outcome is enough.
    """
    known = list(comparisons)
    out = []
    for row in _rows(figures, "stated_direction"):
        said = float(row["value"])
        about = _about(row, known)
        if not about:
            out.append(_unchecked(row, "direction", "No pair of printed means belongs to this statement."))
            continue
        wrong, open_, notes = [], [], []
        for comparison in about:
            gap, margin = _gap(figures, comparison)
            turned = -1 if row["outcome"] == EVERY_OUTCOME and comparison.outcome in lower_is_better else 1
            notes.append(f"{comparison.outcome} {gap:+.4g}")
            if abs(gap) <= margin:
                open_.append(comparison.outcome)
            elif math.copysign(1, gap) * turned != math.copysign(1, said):
                wrong.append(comparison.outcome)
        worded = "higher" if said > 0 else "lower"
        finding: Finding = "does_not_reproduce" if wrong else "not_checkable" if open_ else "reproduces"
        verdict = {
            "does_not_reproduce": f"the reported means differ the other way for {', '.join(wrong)}",
            "not_checkable": "rounding allows either sign",
            "reproduces": "the reported means agree",
        }[finding]
        gap = _gap(figures, about[0])[0] if len(about) == 1 else math.nan
        out.append(
            Check(
                id=row["id"],
                kind="direction",
                finding=finding,
                recomputed=gap,
                reason=f"Worded as {worded}; difference of means {'; '.join(notes)}: {verdict}.",
            )
        )
    return out


def significance_checks(figures: Figures, comparisons: Iterable[Comparison], *, alpha: float = 0.05) -> list[Check]:
    """Is what is called significant so by its printed p-value?

    By the rounding interval of the printed p against `alpha`: a printed .05 may be .045 or .055, and cannot
    be classed. A claim without a printed p is compared with the p recomputed from the arms, which is another
    reading, since the model behind the claim is not known.
    """
    known = list(comparisons)
    out = []
    for row in _rows(figures, "stated_significant"):
        said = float(row["value"]) == 1
        about = _about(row, known)
        if not about:
            out.append(_unchecked(row, "significance", "No printed p-value or pair of arms belongs to this statement."))
            continue
        wrong, open_, notes, recomputed = [], [], [], False
        for comparison in about:
            name = comparison.outcome if comparison.contrast == "difference" else comparison.contrast
            if comparison.p_id:
                printed = figures.printed(comparison.p_id)
                notes.append(f"p {printed.text} for {name}")
                low, high = max(printed.low, 0.0), printed.high
            else:
                test = recompute(figures, comparison)
                recomputed = True
                notes.append(f"no reported p for {name}; {in_figures(test.test.p_value, 2)} from the arms")
                low, high = test.p_range.low, test.p_range.high
            if low < alpha < high:
                open_.append(name)
            elif (high <= alpha) != said:
                wrong.append(name)
        finding: Finding = (
            "does_not_reproduce"
            if wrong
            else "not_checkable"
            if open_
            else "another_reading"
            if recomputed
            else "reproduces"
        )
        verdict = {
            "does_not_reproduce": f"contradicted by {', '.join(wrong)}",
            "not_checkable": f"rounding leaves {', '.join(open_)} on either side of {alpha:g}",
            "another_reading": "supported by a test that is not printed",
            "reproduces": "agrees",
        }[finding]
        out.append(
            Check(
                id=row["id"],
                kind="significance",
                finding=finding,
                reading="p recomputed from the reported arms" if recomputed else "as reported",
                reason=f"Called {'significant' if said else 'not significant'}; {'; '.join(notes)}: {verdict}.",
            )
        )
    return out


def _rows(figures: Figures, statistic: str) -> list[Row]:
    frame = figures.frame
    rows = frame[frame["statistic"] == statistic].astype("str").to_dict("records")
    return [{str(key): str(value) for key, value in row.items()} for row in rows]


def _about(row: Row, comparisons: list[Comparison]) -> list[Comparison]:
    """The comparisons a statement is about: its own contrast, or all of its outcome or trial if it names none."""
    same = [c for c in comparisons if c.trial == row["trial"]]
    if row["outcome"] == EVERY_OUTCOME:
        return same
    same = [c for c in same if c.outcome == row["outcome"]]
    own = [c for c in same if c.contrast == row["group"]]
    if own or row["group"] != "difference":
        return own
    # A plain "difference" where the contrasts have names: all those whose research question is part of the
    # statement's.
    asked = _questions(row["research_question"])
    return [c for c in same if not asked or _questions(c.research_question) & asked]


def _questions(label: str) -> set[int]:
    """ "RQ1-2" is {1, 2}; labels without numbers are about everything."""
    digits = [int(part) for part in label.removeprefix("RQ").split("-") if part.isdigit()]
    return set(range(digits[0], digits[-1] + 1)) if digits else set()


def _gap(figures: Figures, comparison: Comparison) -> tuple[float, float]:
    first, second = (arm_summary(figures, prefix) for prefix in (comparison.first, comparison.second))
    return first.mean - second.mean, (first.mean_margin + second.mean_margin) * (1 + 1e-9)


def _unchecked(row: Row, kind: str, reason: str) -> Check:
    return Check(
        id=row["id"],
        kind="direction" if kind == "direction" else "significance",
        finding="not_checkable",
        reason=reason,
    )
