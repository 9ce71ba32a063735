"""The sentences of the goal-setting chapter; every number in them is a row's or a count's."""

from __future__ import annotations

import pandas as pd

from hhp_stats.present import prose
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.goal_setting.named import sentence
from hhp_stats.present.numbers import alpha_of, count, level, number, p_clause, percent, plural, withheld
from hhp_stats.results import LACKING

_WITHHELD = "is withheld, because the number of people concerned is very small."


@sentence
def primary(report: StudyReport) -> str:
    """Direction, size and certainty of the effect on sickness absence."""
    return prose.difference(
        report.planned("sickness_absence"), report.outcome("sickness_absence"), offer=prose.offer_of(report.plan)
    )


@sentence
def absence_means(report: StudyReport) -> str:
    """The arm means of sickness absence, unadjusted."""
    control, treated = (report.row(f"sickness_absence/mean_{arm}/raw") for arm in ("control", "treatment"))
    return (
        f"On average, control staff were absent for {number(control['estimate'])} working days over the 24 weeks "
        f"and staff offered goal-setting for {number(treated['estimate'])}."
    )


@sentence
def turnover(report: StudyReport) -> str:
    """The change in the chance of leaving; the Firth version where the planned one does not exist."""
    planned, outcome = report.planned("turnover"), report.outcome("turnover")
    method = planned["result_id"].rsplit("/", 1)[1]
    lead = ""
    if planned["status"] in LACKING:
        lead, method = f"{prose.not_estimated(planned)} With Firth's penalty instead: ", "firth-at-means"
    arms = {arm: report.row(f"turnover/predicted_{arm}/{method}") for arm in ("control", "treatment")}
    effect = report.row(f"turnover/itt/{method}")
    return lead + prose.probability_change(
        effect, outcome, offer=prose.offer_of(report.plan), control=arms["control"], treated=arms["treatment"]
    )


def _stage(report: StudyReport, stage: str, arm: str = "all") -> pd.Series:
    flow = report.table("flow")
    return flow.loc[(flow["stage"] == stage) & (flow["arm"] == arm) & (flow["kind"] == "stage")].iloc[0]


@sentence
def sample(report: StudyReport) -> str:
    """How many authorities, teams and people were randomised, and how many to each arm."""
    whole = _stage(report, "randomised")
    arms = {arm: _stage(report, "allocated", arm) for arm in ("treatment", "control")}
    if withheld(whole["people"], *(arm["people"] for arm in arms.values())):
        return f"How many members of staff were randomised {_WITHHELD}"
    return (
        f"{plural(whole['people'], 'member')} of staff in {plural(whole['teams'], 'team')} of"
        f" {plural(len(report.plan.sites), 'local authority', 'local authorities')} were randomised:"
        f" {plural(arms['treatment']['teams'], 'team')} with {plural(arms['treatment']['people'], 'person', 'people')}"
        f" to the offer of goal-setting, {plural(arms['control']['teams'], 'team')} with"
        f" {plural(arms['control']['people'], 'person', 'people')} to the control arm."
    )


@sentence
def followed(report: StudyReport) -> str:
    """How many of the randomised have an outcome."""
    whole = _stage(report, "randomised")["people"]
    known = [_stage(report, "analysed", arm)["people"] for arm in ("treatment", "control")]
    if withheld(whole, *known):
        return f"For how many absence is known {_WITHHELD}"
    analysed = sum(known)
    return f"Absence is known for {count(analysed)} of {count(whole)} ({percent(analysed / whole)})."


@sentence
def uptake(report: StudyReport) -> str:
    """Who started and who finished the course."""
    table = report.table("uptake").set_index("key")
    started, completed = table.loc["started"], table.loc["completed"]
    if withheld(started["of"], started["people"]):
        return f"How many started the course {_WITHHELD}"
    if withheld(completed["people"]):
        return (
            f"Of {plural(started['of'], 'person', 'people')} offered the programme, {count(started['people'])} "
            f"({percent(started['share'])}) started it; how many completed all six modules {_WITHHELD}"
        )
    return (
        f"Of {plural(started['of'], 'person', 'people')} offered the programme, {count(started['people'])} "
        f"({percent(started['share'])}) started it and {count(completed['people'])} ({percent(completed['share'])}) "
        "completed all six modules."
    )


@sentence
def recall(report: StudyReport) -> str:
    """Who remembered it, and who protected time."""
    table = report.table("uptake").set_index("key")
    recalled, diary = table.loc["no_recall"], table.loc["protected"]
    if withheld(recalled["share"], diary["share"]):
        return f"How many of the treated staff recalled the programme, or put time for it into their diary, {_WITHHELD}"
    return (
        f"Among the treated staff who answered, {percent(recalled['share'], 0)} did not recall it or were unsure, and "
        f"{percent(diary['share'], 0)} had put time for it into their diary."
    )


@sentence
def balance(report: StudyReport) -> str:
    """Are the arms alike, all characteristics together?"""
    test = report.row("balance/omnibus/randomised")
    table = report.table("balance")
    part = table.loc[(table["population"] == "randomised") & (table["kind"] != "categorical")]
    largest = pd.to_numeric(part["std_difference"], errors="coerce").abs().max()  # withheld ones left out
    alpha = alpha_of(report.plan.conf_level)
    word = "do not differ more than chance explains" if test["p_value"] >= alpha else "differ more than chance explains"
    return (
        f"Taken together, the characteristics of the arms {word} ({p_clause(test['p_value'], alpha=alpha)}); the "
        "largest standardised "
        f"difference of a single one is {number(largest)}."
    )


@sentence
def icc(report: StudyReport) -> str:
    """How alike teammates are in absence."""
    row = report.row("sickness_absence/icc/reml")
    assumed = report.plan.power["absence"].icc
    return (
        f"The intraclass correlation of absence within teams is {number(row['estimate'], 3)}"
        f" ({level(report.plan.conf_level)} CI {number(row['conf_low'], 3)} to {number(row['conf_high'], 3)}); the"
        f" protocol assumed {number(assumed, 1)}."
    )
