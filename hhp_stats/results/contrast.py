"""What does a result compare, and what becomes of it when the two arms change their names?

The column `contrast` of the result frame is set where a row is made. It is not decoration: whether a quantity has a
direction decides whether its sign turns when the arms are exchanged (`hhp_stats.publish.blind`). Only a signed
difference of the two arms, or a change of such a difference, may carry a contrast that `turns`.
"""

from __future__ import annotations

from collections.abc import Collection

CONTROL, TREATMENT = "control", "treatment"
ARMS = f"{TREATMENT} minus {CONTROL}"
EITHER_WAY = (
    "between arms, without direction"  # a correlation, a detectable size, a number of people, a test of balance
)
ODDS = f"odds of {TREATMENT} over odds of {CONTROL}"
COMPLIERS = f"{ARMS}, among compliers"
TAKING_PART = f"{ARMS}, in taking part"
BOUND = f"one end of the bounds of {ARMS}"
MIDDLE = f"middle of the bounds of {ARMS}"  # which arm is trimmed moves it
BY_WEEK = "change of the effect by week"
NONE = "none"

_OF_EFFECTS = ("effect in ", "change of the effect ")  # how plans and studies word a difference of differences
_BESIDE = {
    "rho": EITHER_WAY,
    "ratio": ODDS,
    "lower_bound": BOUND,
    "upper_bound": BOUND,
    "cace": COMPLIERS,
    "uptake": TAKING_PART,
    "arm_difference": TAKING_PART,
    f"predicted_{CONTROL}": CONTROL,
    f"predicted_{TREATMENT}": TREATMENT,
}


def contrast_of(result_id: str, planned: str, *, beside: Collection[str] = ()) -> str:
    """The contrast of one row of a planned analysis: the plan's, unless its estimand compares something else.

    `beside` are the estimands that the analysis gives beside its effect: an effect between the ends of bounds is
    their middle.
    """
    estimand = result_id.split("/")[2]
    # Of a subgroup, or of one arm of several, the estimand has its name behind: lower_bound_site_a.
    found = next((what for name, what in _BESIDE.items() if estimand == name or estimand.startswith(f"{name}_")), None)
    return found or (MIDDLE if "lower_bound" in beside and planned == ARMS else planned)


def turns(contrast: str) -> bool:
    """Whether the quantity is signed by the order of the two arms: exchanging them turns its sign, and nothing else."""
    return contrast == ARMS or contrast.startswith(_OF_EFFECTS)


def stands(contrast: str) -> bool:
    """Whether exchanging the two arms leaves the quantity as it is."""
    return contrast == EITHER_WAY
