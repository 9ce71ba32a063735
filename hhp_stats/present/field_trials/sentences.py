"""The sentences of the field-trial chapters; every number in them is a row's, a count's or a fact's of the plan."""

from __future__ import annotations

from collections.abc import Callable

from hhp_stats.present.field_trials.conclusions import (
    against_model,
    attenuation,
    attenuation_hint,
    attenuation_test,
    bounds,
    by_block,
    fading_note,
    inconclusive,
    reach,
)
from hhp_stats.present.field_trials.effect_sentences import (
    effect,
    not_analysed,
    robustness,
    short,
    spread,
    standardised,
    towards,
    verdict,
)
from hhp_stats.present.field_trials.participant_sentences import (
    answered,
    balance,
    flow_counts,
    left,
    recall,
    response,
    sample,
)
from hhp_stats.present.field_trials.published import conflict, gap_needed, printed_p, reproduced
from hhp_stats.present.field_trials.report import FieldTrialReport, in_words
from hhp_stats.present.listing import listed_words
from hhp_stats.present.numbers import count, number, percent


def power(report: FieldTrialReport) -> str:
    """Detectable effect as planned, as the printed sample and response allow, and as achieved."""
    planned, achieved = (report.detectable(key) for key in ("planned", "achieved"))
    entry = report.plan.power["planned"]
    printed, response = entry.printed, entry.response
    share = "" if response is None else f", with a response of {percent(response, 0)},"
    aim = (
        ""
        if printed is None
        else f"The trial was planned to detect an effect of {number(printed)} standard deviations. "
    )
    text = (
        f"{aim}The {count(planned['n'])} people expected{share} can detect"
        f" {number(planned['estimate'])}{'' if aim else ' standard deviations'}. The {count(achieved['n'])} who"
        f" answered the primary outcome can detect {number(achieved['estimate'])}: trials like this one miss an effect"
        f" of that size in {percent(1 - report.plan.power['achieved'].power, 0)} of cases, and a smaller one"
        " more often."
    )
    if printed is None or report.plan.design.cluster or f"{planned['estimate']:.2f}" == f"{printed:.2f}":
        return text
    needed = report.row("power/people_needed_planned/formula")
    return (
        text + f" To detect {number(printed)}, {count(round(needed['estimate']))} people would have had to answer, "
        "so response alone does not explain the gap."
    )


def blocks(report: FieldTrialReport) -> str:
    """Number of blocks, in words."""
    return in_words(len(report.plan.blocks))


def block_list(report: FieldTrialReport) -> str:
    """Their names."""
    return listed_words([block.label for block in report.plan.blocks])


def fact(report: FieldTrialReport, key: str) -> str:
    """A number of the plan as a figure: shares in per cent."""
    value = report.plan.fact(key)
    return (
        percent(value, 0)
        if 0 < value < 1 and key not in ("benchmark",)
        else number(value, 0 if value.is_integer() else 2)
    )


def words(report: FieldTrialReport, key: str) -> str:
    """A number of the plan in words where it is small."""
    return in_words(report.plan.fact(key))


def minimum(report: FieldTrialReport) -> str:
    """How many answers a period needs, in words where small."""
    return "none" if report.plan.periods is None else in_words(report.plan.periods.minimum)


def number_of(report: FieldTrialReport, key: str) -> str:
    """A count of the sample, by its key: `responded_cohort_1`."""
    value = report.count(key)
    return percent(value) if "rate" in key else count(value)


SENTENCES: dict[str, Callable[..., str]] = {
    "sample": sample,
    "answered": answered,
    "response": response,
    "effect": effect,
    "not_analysed": not_analysed,
    "short": short,
    "verdict": verdict,
    "towards": towards,
    "standardised": standardised,
    "robustness": robustness,
    "power": power,
    "balance": balance,
    "export": flow_counts,
    "left": left,
    "blocks": blocks,
    "block_list": block_list,
    "fact": fact,
    "words": words,
    "number": number_of,
    "minimum": minimum,
    "spread": spread,
    "bounds": bounds,
    "reach": reach,
    "inconclusive": inconclusive,
    "against_model": against_model,
    "attenuation_hint": attenuation_hint,
    "fading_note": fading_note,
    "conflict": conflict,
    "printed_p": printed_p,
    "gap_needed": gap_needed,
    "reproduced": reproduced,
    "recall": recall,
    "attenuation": attenuation,
    "attenuation_test": attenuation_test,
    "by_cohort": by_block,
}
