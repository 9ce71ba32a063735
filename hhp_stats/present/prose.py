"""Sentences built from result rows, so that words cannot contradict numbers.

Direction comes from the sign of the estimate, certainty from the interval against zero. A change of
the data changes the words in the same run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from hhp_stats.errors import NoConclusion
from hhp_stats.plan.returns_schema import ReturnsOutcome, ReturnsPlan
from hhp_stats.present.numbers import (
    alpha_of,
    digits_apart,
    interval,
    level,
    lowered,
    number,
    p_clause,
    percent,
    side,
    spelled,
)
from hhp_stats.results.frame import LACKING, note_lacking
from hhp_stats.results.lacking import as_sentence

Row = Mapping[str, Any]
MAY_BE_CHANCE = "a difference that could be chance"  # what is said where an interval includes no difference
Direction = Literal["higher", "lower", "the same"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one row says about one question, before it is put into words."""

    direction: Direction
    clear: bool  # the interval lies on one side of zero
    favours: Literal["treatment", "control", "neither"]


def verdict(row: Row, *, better: Literal["lower", "higher"], null: float = 0.0) -> Verdict:
    """Which way does the estimate point, does its interval exclude `null`, and whom does it favour?

    Refuses a row without an estimate (NoConclusion), whose reason is noted: it shows neither a difference nor none.
    """
    if row.get("status") in LACKING:
        note_lacking(row)
        raise NoConclusion(f"nothing follows from {row['result_id']}: {row['note']}")
    gap, clear = side(row["estimate"], null), is_clear(row, null=null)
    direction: Direction = "higher" if gap > 0 else "lower" if gap < 0 else "the same"
    if direction == "the same":
        return Verdict(direction=direction, clear=clear, favours="neither")
    return Verdict(direction=direction, clear=clear, favours="treatment" if direction == better else "control")


def is_clear(row: Row, *, null: float = 0.0) -> bool:
    """Does the interval lie on one side of `null`? As printed: an end that differs by rounding error only lies on
    it.
    """
    return side(row["conf_low"], null) > 0 or side(row["conf_high"], null) < 0


def uncertainty(row: Row, *, digits: int = 2, scale: float = 1.0, unit: str = "") -> str:
    """`95% CI -1.20 to 0.40, p = .34`, with the estimate's unit where one is given."""
    found = [row[name] for name in ("conf_low", "conf_high")]
    ends = [scale * (end if side(end) else round(end, 1)) for end in found]
    conf = row["conf_level"]
    # The verdict on the interval is one on p at the complementary level, so p is printed to show that side.
    p = p_clause(row["p_value"], alpha=alpha_of(conf))
    return f"{level(conf)} CI {interval(ends[0], ends[1], digits)}{unit}, {p}"


def not_estimated(row: Row) -> str:
    """The sentence of an analysis that could not be made, or whose numbers are withheld."""
    return reason(row) if row["status"] == "withheld" else f"This could not be estimated. {reason(row)}"


def reason(row: Row) -> str:
    """Why a row has no numbers, in a sentence."""
    if row["status"] == "withheld":
        return "The result is withheld, because the number of people concerned is very small."
    return as_sentence(row["note"])


def difference(row: Row, outcome: ReturnsOutcome, *, offer: str, digits: int = 2) -> str:
    """One sentence: how the arms differ on a continuous outcome, in its unit, and how sure that is."""
    if row["status"] in LACKING:
        return not_estimated(row)
    found = verdict(row, better=outcome.better)
    size = number(abs(row["estimate"]), digits)
    evidence = uncertainty(row, digits=digits)
    head = f"{outcome.label} was {found.direction} by {size} {short_unit(outcome)} in the {offer} group"
    if found.direction == "the same":
        return f"{outcome.label} was the same in both groups ({evidence})."
    if found.clear:
        return f"{head} ({evidence}): a clear difference in favour of {_whom(found, offer)}."
    return f"{head} ({evidence}), {MAY_BE_CHANCE}."


def probability_change(
    row: Row, outcome: ReturnsOutcome, *, offer: str, control: Row, treated: Row, digits: int = 1
) -> str:
    """One sentence for a change in probability: both arms in per cent, the change in percentage points."""
    if row["status"] in LACKING:
        return not_estimated(row)
    found = verdict(row, better=outcome.better)
    points = number(abs(100 * row["estimate"]), digits)
    evidence = uncertainty(row, digits=digits, scale=100, unit=" points")
    arms = [treated["estimate"], control["estimate"]]
    places = digits_apart([100 * share for share in arms], digits) if found.direction != "the same" else digits
    both = f"{percent(arms[0], places)} against {percent(arms[1], places)} in the control group"
    verb = "no higher or lower" if found.direction == "the same" else f"{points} percentage points {found.direction}"
    tail = f": a clear difference in favour of {_whom(found, offer)}" if found.clear else f", {MAY_BE_CHANCE}"
    tail = "" if found.direction == "the same" else tail
    return f"The chance of leaving was {verb} in the {offer} group ({both}; {evidence}){tail}."


def short_unit(outcome: ReturnsOutcome) -> str:
    """The unit as it stands in a sentence: `working days over 24 weeks` stays, scale ranges go."""
    head = outcome.unit.split(",")[0]
    return "standard deviations" if head.startswith("standard deviation") else head


def contrast_of(plan: ReturnsPlan) -> str:
    """The difference of the two arms by their labels: `Goal-setting minus control`."""
    labels = plan.design.arm_labels
    return f"{labels['treatment']} minus {lowered(labels['control'])}"


def offer_of(plan: ReturnsPlan) -> str:
    """What the treated arm is offered, within a sentence."""
    return lowered(plan.design.arm_labels["treatment"])


def _whom(found: Verdict, offer: str) -> str:
    return f"the {offer} group" if found.favours == "treatment" else "the control group"


def agreement(rows: pd.DataFrame, planned: Row, *, better: Literal["lower", "higher"]) -> str:
    """Do the sensitivity analyses lead to the planned analysis's conclusion? One sentence, with counts."""
    estimated = rows.loc[(rows["status"] == "estimated") & (rows["result_id"] != planned["result_id"])]
    estimated = estimated.dropna(subset=["conf_low", "conf_high"])
    if estimated.empty:
        return "There is no other version of this analysis to compare with."
    if planned["status"] in LACKING:
        return f"The planned version of the analysis has no result to compare others with. {reason(planned)}"
    base = verdict(planned, better=better)
    found = [verdict(row, better=better) for row in estimated.to_dict("records")]
    same_sign = sum(v.direction == base.direction for v in found)
    same_clear = sum(v.clear == base.clear and (not v.clear or v.direction == base.direction) for v in found)
    n = len(found)
    if n == 1:
        way = "points in the same direction" if same_sign else "points in the other direction"
        return f"The one sensitivity analysis {way} and leads to {'the same' if same_clear else 'another'} conclusion."
    if same_sign == same_clear == n:
        whole = "Both" if n == 2 else f"All {spelled(n)}"
        return f"{whole} sensitivity analyses point in the same direction and lead to the same conclusion."
    share = "all" if same_clear == n else spelled(same_clear) if same_clear else "none"
    sign = "all" if same_sign == n else spelled(same_sign) if same_sign else "none"
    return (
        f"Of {spelled(n)} sensitivity analyses, {share} {_lead(same_clear)} to the same conclusion and"
        f" {sign} {_point(same_sign)} in the same direction."
    )


def _lead(n: int) -> str:
    return "leads" if n < 2 else "lead"


def _point(n: int) -> str:
    return "points" if n < 2 else "point"
