"""From answers to scores: one row a person, with every outcome the plan names at both surveys."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from hhp_stats.errors import EstimationError
from hhp_stats.intake.order import by_appearance, in_order
from hhp_stats.intake.participant_fields import SUFFIX
from hhp_stats.intake.participants import Participants, opened
from hhp_stats.measures.reliability import Reliability, cronbach_alpha, spearman_brown
from hhp_stats.measures.scales import composite, reverse_scored, standardised_sum
from hhp_stats.plan.individual import IndividualOutcome, IndividualPlan, Scale

PRIMARY = "primary"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSample:
    """Everyone randomised, with outcomes.

    `people`: `person`, `treatment` (float), `arm`, the block and other listed columns, each outcome by its key
    and with `_t1` at baseline, `responded` (float: the primary outcome is known), `week` of response from 0.
    """

    people: pd.DataFrame
    reliability: dict[str, Reliability]


def build_sample(participants: Participants, plan: IndividualPlan) -> FieldSample:
    """Add the plan's outcomes to everyone randomised.

    A score needs every item of its scales. Parts of a standardised sum are divided by the standard deviations of
    those who answered all parts at baseline, both arms together, at either survey; so both arms share one unit.
    """
    if plan.data is not None:
        return FieldSample(people=_on_a_table(participants.people, plan), reliability={})
    # In the order of their own data: no number may hang on identifiers, the key of the pseudonyms or the files' order.
    cluster = plan.design.cluster
    people = in_order(participants.people, groups=cluster, without=("person",))
    if cluster and not any(term.column == cluster and term.levels for term in plan.terms.values()):
        people = people.assign(**{cluster: by_appearance(people[cluster])})
    parts = {
        f"{scale.id}{suffix}": _score(people, scale, suffix)
        for scale in plan.scales.values()
        for wave, suffix in SUFFIX.items()
        if wave in scale.waves
    }
    scores = pd.DataFrame(parts, index=people.index)
    columns = {}
    for outcome in plan.outcomes.values():
        if outcome.scales:
            for suffix, name in (("_t1", f"{outcome.id}_t1"), ("_t2", outcome.id)):
                columns[name] = _combined(scores, outcome, suffix)
    frame = pd.concat([people, pd.DataFrame(columns, index=people.index)], axis="columns")
    primary = next(outcome for outcome in plan.outcomes.values() if outcome.role == PRIMARY)
    passed = (frame["recorded_t2"].dt.normalize() - opened(frame, plan)).dt.days
    length = plan.periods.days if plan.periods else 7
    frame = frame.assign(responded=frame[primary.id].notna().astype("float64"), week=passed // length)
    return FieldSample(people=frame.copy(), reliability=_reliability(frame, plan))


def _on_a_table(given: pd.DataFrame, plan: IndividualPlan) -> pd.DataFrame:
    """Everyone on a plain table, in the order of their own data; `responded` says whose primary outcome is known."""
    cluster = plan.design.cluster
    people = in_order(given, groups=cluster, without=("person",))
    if cluster:
        people = people.assign(**{cluster: f"{plan.words.cluster[0]} " + by_appearance(people[cluster])})
    known = people[plan.primary.column].notna()
    before = [outcome.baseline for outcome in plan.outcomes.values() if outcome.baseline]
    return people.assign(
        responded=known.astype("float64"),
        opened_t2=known,
        week=float("nan"),
        opened_t1=people[list(dict.fromkeys(before))].notna().any(axis="columns") if before else False,
    ).copy()


def _score(people: pd.DataFrame, scale: Scale, suffix: str) -> pd.Series:
    items = [f"{item}{suffix}" for item in scale.items]
    reverse = [f"{item}{suffix}" for item in scale.reverse]
    return composite(people, items=items, rule=scale.rule, low=scale.low, high=scale.high, reverse=reverse)


def _combined(scores: pd.DataFrame, outcome: IndividualOutcome, suffix: str) -> pd.Series:
    names = [f"{scale}{suffix}" for scale in outcome.scales]
    if outcome.combine == "standardised_sum":
        before = [f"{scale}_t1" for scale in outcome.scales]
        # Both surveys stand below each other, so that one call divides both by the baseline's deviations.
        both = pd.concat(
            [
                scores[before].set_axis(list(outcome.scales), axis="columns"),
                scores[names].set_axis(list(outcome.scales), axis="columns"),
            ],
            keys=["reference", "wanted"],
        )
        reference = pd.Series(both.index.get_level_values(0) == "reference", index=both.index)
        reference &= both.notna().all(axis="columns")
        sample = "those who answered all parts at baseline"
        try:
            found = standardised_sum(both, columns=list(outcome.scales), reference=reference, sample=sample)
        except EstimationError:  # nobody answered then, or all alike: there is no unit to add the parts in
            return pd.Series(float("nan"), index=scores.index)
        return pd.Series(found.loc["wanted"], dtype="float64")
    return scores[names].sum(axis="columns", min_count=len(names)).where(scores[names].notna().all(axis="columns"))


def _reliability(frame: pd.DataFrame, plan: IndividualPlan) -> dict[str, Reliability]:
    """Internal consistency of every scale of two or more items at the endline."""
    found = {}
    for scale in plan.scales.values():
        if len(scale.items) < 2:
            continue
        items = pd.DataFrame(
            {
                item: reverse_scored(frame[f"{item}_t2"], low=scale.low, high=scale.high)
                if item in scale.reverse
                else frame[f"{item}_t2"].astype("float64")
                for item in scale.items
            }
        ).dropna()
        measure = spearman_brown if len(scale.items) == 2 else cronbach_alpha
        try:
            found[scale.id] = measure(items)
        except EstimationError:  # too few answers: the table then has no line for the scale
            continue
    return found
