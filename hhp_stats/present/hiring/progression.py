"""Sentences of the first experiment: who is shortlisted, side by side or one after the other."""

from __future__ import annotations

from typing import Any

from hhp_stats.present.hiring.phrases import evidence, holm_adjusted, is_clear, rates, towards, verdict
from hhp_stats.present.hiring.report import HiringReport
from hhp_stats.present.numbers import lowered, number, p_clause, percent, spelled


def _change(report: HiringReport, name: str, label: str, estimand: str) -> str:
    row = report.result("progression", estimand)
    word = towards(row, words=("more", "less"))
    joint, separate = rates(report, f"joint_{name}", f"separate_{name}")
    return (
        f"Seen in pairs, candidates with {label} names were shortlisted in {joint} of decisions. Seen one after the"
        f" other, they were shortlisted in {separate}. That is {number(abs(row['estimate']), 1)} percentage"
        f" points {word} often in"
        f" pairs ({evidence(row, digits=1, unit=' points')}), {verdict(row)}."
    )


def question_1(report: HiringReport) -> str:
    """Minority ethnic names, joint against separate."""
    return _change(report, "minority", "minority ethnic", "minority_joint_vs_separate")


def question_2(report: HiringReport) -> str:
    """White British names, joint against separate."""
    return _change(report, "white_british", "White British", "white_british_joint_vs_separate")


def question_3(report: HiringReport) -> str:
    """The gap in the separate condition."""
    row = report.result("progression", "white_british_vs_minority_separate")
    word = towards(row, words=("more", "less"))
    return (
        "Seen one after the other, White British names were shortlisted"
        f" {number(abs(row['estimate']), 1)} percentage points {word} often than minority ethnic names"
        f" ({evidence(row, digits=1, unit=' points')}), {verdict(row)}."
    )


def joint_gap(report: HiringReport) -> str:
    """The unplanned fourth comparison."""
    row = report.result("progression", "minority_vs_white_british_joint")
    word = towards(row, words=("more", "less"))
    return (
        f"When seen in pairs, candidates with minority ethnic names were shortlisted {number(abs(row['estimate']), 1)}"
        f" percentage points {word} often than candidates with White British names"
        f" ({evidence(row, digits=1, unit=' points')}), {verdict(row)}."
    )


def interaction(report: HiringReport) -> str:
    """How much the gap changes between conditions."""
    row = report.result("progression", "interaction")
    return (
        "Taken together, evaluation in pairs moved the gap between the two kinds of name by"
        f" {number(abs(row['estimate']), 1)} points {towards(row, words=('towards', 'away from'))} minority ethnic"
        f" names ({evidence(row, digits=1, unit=' points')})."
    )


def progression_holm(report: HiringReport) -> str:
    """What adjusting for three comparisons changes."""
    return holm_adjusted(report, "progression")


def progression_robust(report: HiringReport) -> str:
    """Do the other versions agree with the planned one?"""
    agree: dict[str, tuple[int, int]] = {}
    for contrast in report.plan.contrasts_of("progression"):
        if not contrast.planned:
            continue
        base = report.result("progression", contrast.id)
        others = [
            report.result("progression", contrast.id, m.id)
            for m in report.plan.methods_of("progression")
            if m.kind != "planned"
        ]
        same = sum(
            is_clear(row) == is_clear(base) and (not is_clear(base) or row["estimate"] * base["estimate"] > 0)
            for row in others
        )
        agree[contrast.label] = (same, len(others))
    if all(same == of for same, of in agree.values()):
        several = {of for _, of in agree.values()}
        number_of = f"{spelled(several.pop())} " if len(several) == 1 else ""
        return f"All {number_of}sensitivity analyses of each comparison lead to the same conclusion as the planned one."
    said = "; ".join(
        f"{lowered(label)} ({spelled(same) if same else 'none'} of {spelled(of)})"
        for label, (same, of) in agree.items()
    )
    return f"Some sensitivity analyses lead to another conclusion than the planned one. How many agree: {said}."


def clustering(report: HiringReport) -> str:
    """What clustering does to the standard errors."""
    planned, naive = (
        report.result("progression", "minority_joint_vs_separate"),
        report.result("progression", "minority_joint_vs_separate", "hc2"),
    )
    ratio = planned["std_error"] / naive["std_error"]
    return (
        "Decisions of one participant are similar: the standard error of the first comparison is"
        f" {number(planned['std_error'])} points with clustering and would be {number(naive['std_error'])} without it,"
        f" smaller by a factor of {number(ratio, 1)}."
    )


def limit(report: HiringReport) -> str:
    """How often the limit of five was passed."""
    asked = report.plan.fact("limit")
    row: Any = report.table("chosen_over_limit").set_index("evaluation").loc["all"]
    mean, share = row["mean"], row["share"]
    return (
        f"Participants were asked to shortlist {spelled(int(asked))} of the ten candidates at most. On average they"
        f" shortlisted {number(mean, 1)}, and {percent(share, 0)} of them went over the limit."
    )


def pairs(report: HiringReport) -> str:
    """What was done with pairs."""
    table = report.table("pair_choices").set_index("choice")["share"]
    return (
        f"In {percent(table['both'], 0)} of the pairs both candidates were shortlisted and in"
        f" {percent(table['neither'], 0)} neither. In {percent(table['minority ethnic alone'], 0)} of all pairs"
        " only the"
        " candidate with the minority ethnic name was shortlisted, and in"
        f" {percent(table['White British alone'], 0)} only the one with the White British name."
    )


def name_sets(report: HiringReport) -> str:
    """Rates by combination of names."""
    rows = [
        report.result("progression", "white_british_vs_minority_separate", f"set{number_}-cr1") for number_ in (1, 2)
    ]
    words = " and ".join(
        f"{number(row['estimate'], 1)} points in the {which} combination ({p_clause(row['p_value'])})"
        for row, which in zip(rows, ("first", "second"), strict=True)
    )
    return (
        "Which application had which name was varied, so that the quality of an application and the name on it can"
        f" be separated. The gap of the separate condition, White British minus minority ethnic, is {words}."
    )
