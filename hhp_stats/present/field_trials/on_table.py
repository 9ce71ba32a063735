"""Sentences of a trial whose data are one plain table: its own words for people, clusters and arms, and nobody was
asked anything.

Every name takes an outcome, and of several arms `outcome/arm`. What could not be estimated is said with its reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import pandas as pd

from hhp_stats.present import prose
from hhp_stats.present.field_trials.effects_on_table import (
    bounds,
    effect,
    robustness,
    short,
    standardised,
    towards,
    verdict,
)
from hhp_stats.present.field_trials.report import FieldTrialReport, in_words
from hhp_stats.present.listing import listed_words, opened
from hhp_stats.present.numbers import interval, level, number, percent, spelled, withheld
from hhp_stats.results.frame import LACKING


def sample(report: FieldTrialReport) -> str:
    """How many were randomised, and to which arms."""
    arms = (*report.plan.offered, report.control)
    table = report.table("clusters") if report.plan.design.cluster else None
    parts = []
    for arm in arms:
        people = report.people(report.count(f"randomised_{arm.id}"))
        if table is not None:
            people = f"{report.clusters(int((table['arm'] == arm.id).sum()))} with {people}"
        parts.append(f"{people} to \u201c{arm.label}\u201d")
    whole = report.people(report.count("randomised"))
    if table is not None:
        whole = f"{report.clusters(len(table))} with {whole}"
    within = report.plan.strata
    drawn = f", within strata of {listed_words([report.term(name) for name in within])}" if within else ""
    return f"{opened(whole)} were randomised{drawn}: {listed_words(parts)}."


def known(report: FieldTrialReport) -> str:
    """For how many the primary outcome is known, in all and by arm, and whether the arms differ in that."""
    primary, rate = report.plan.primary, report.count("response_rate")
    if not withheld(rate) and float(rate) == 1:
        return f"The primary outcome ({primary.label}) is known for all {report.people(report.count('randomised'))}."
    arms = (*report.plan.offered, report.control)
    shares = [(arm, report.count(f"response_rate_{arm.id}")) for arm in arms]
    by_arm = listed_words([f"{percent(value)} in \u201c{arm.label}\u201d" for arm, value in shares])
    said = [
        f"The primary outcome ({primary.label}) is known for {report.people(report.count('responded'))} "
        f"({percent(rate)} of those randomised): {by_arm}."
    ]
    for arm in report.plan.offered:
        analysis = next(
            a for a in report.plan.analyses if a.outcome == "response" and report.plan.compared(a)[0] == arm
        )
        row = report.row(analysis.id)
        if row["status"] in LACKING:
            said.append(prose.not_estimated(row))
            continue
        clear = "differ clearly" if prose.is_clear(row) else "do not differ clearly"
        pair = (
            "The shares" if len(report.plan.offered) == 1 else f"Those of \u201c{arm.label}\u201d and the control group"
        )
        gap = f"{number(abs(100 * row['estimate']), 1)} percentage points"
        way = "lower" if row["estimate"] < 0 else "higher"
        said.append(
            f"{pair} {clear}: that of \u201c{arm.label}\u201d is {gap} {way}"
            f" ({prose.uncertainty(row, digits=1, scale=100)})."
        )
    return " ".join(said)


def power(report: FieldTrialReport) -> str:
    """The smallest effects that the trial could be expected to find, by the plan's assumptions."""
    said = []
    which = " in the comparison with the smallest arm" if len(report.plan.offered) > 1 else ""
    for entry in report.plan.power.values():
        row = report.detectable(entry.id)
        if row["status"] in LACKING:
            said.append(f"{entry.label}: the effect that could be detected is not known. {prose.reason(row)}")
            continue
        said.append(
            f"{entry.label} ({report.people(row['n'])}): {number(row['estimate'])} standard deviations{which} "
            f"with a power of {percent(entry.power, 0)} at a two-sided level of {number(entry.alpha)}."
        )
    return " ".join(said) or "The plan makes no assumption about detectable effects."


def balance(report: FieldTrialReport) -> str:
    """How far apart are the arms before the trial?"""
    every = [row for row in report.records("balance") if row["kind"] in ("continuous", "categorical")]
    hidden = list(dict.fromkeys(report.term(str(row["covariate"])) for row in every if withheld(row["std_difference"])))
    rows = [row for row in every if not withheld(row["std_difference"]) and math.isfinite(float(row["std_difference"]))]
    if not rows:
        return "No difference between the arms before the trial can be shown."
    worst = max(rows, key=lambda row: abs(float(row["std_difference"])))
    arms = {arm.id: arm.label for arm in report.plan.offered}
    whose = "" if len(arms) == 1 else f", \u201c{arms[str(worst['arm'])]}\u201d against the control group"
    covariates = len({row["covariate"] for row in rows})
    which = (
        "the standardised difference"
        if len(rows) == 1
        else "the largest standardised difference"
        if covariates == 1
        else f"Of {spelled(covariates)} characteristics before the trial, the largest standardised difference"
    )
    before = "" if covariates > 1 else "Before the trial, "
    lost = "" if not hidden else f" That of {listed_words(hidden)} is withheld."
    return (
        f"{before}{which} between the arms is {number(worst['std_difference'])}"
        f" ({report.term(str(worst['covariate']))}{whose}).{lost}"
    )


def alike(report: FieldTrialReport, name: str) -> str:
    """How alike are people of one cluster: the intraclass correlation of an outcome."""
    outcome, _ = report.comparison(name)
    row = report.row(f"{outcome.id}/icc/anova")
    if row["status"] in LACKING:
        return prose.not_estimated(row)
    reach: str = (
        ""
        if pd.isna(row["conf_low"])
        else f" ({level(report.plan.conf_level)} CI {interval(row['conf_low'], row['conf_high'])})"
    )
    return f"The intraclass correlation of {outcome.label} is {number(row['estimate'], 3)}{reach}."


def missing(report: FieldTrialReport) -> str:
    """What happens to people whose outcome is not known, in each planned analysis."""
    if report.plan.model.estimator == "imputation":
        return (
            f"Outcomes that are not known are imputed ({in_words(report.plan.model.imputations)} completed data sets,"
            " pooled)."
        )
    return (
        f"The planned analyses use the {report.them} whose outcome is known; other versions ask what the others could"
        " change."
    )


def spread(report: FieldTrialReport, name: str) -> str:
    """The standard deviations of an outcome in every arm that has it."""
    outcome, _ = report.comparison(name)
    known = [
        arm for arm in (*report.plan.offered, report.control) if report.arm(outcome.id, arm)["status"] not in LACKING
    ]
    rows = [(arm, report.row(f"{outcome.id}/sd_{arm.id}/raw")) for arm in known]
    return (
        listed_words([f"{number(row['estimate'])} in \u201c{arm.label}\u201d" for arm, row in rows])
        or "not known in any arm"
    )


def strata(report: FieldTrialReport) -> str:
    """What the arms were drawn within."""
    return listed_words([report.term(name) for name in report.plan.strata]) or "no strata"


ON_TABLE: Mapping[str, Callable[..., str]] = {
    "sample": sample,
    "answered": known,
    "known": known,
    "effect": effect,
    "standardised": standardised,
    "short": short,
    "verdict": verdict,
    "towards": towards,
    "robustness": robustness,
    "bounds": bounds,
    "power": power,
    "balance": balance,
    "alike": alike,
    "missing": missing,
    "spread": spread,
    "strata": strata,
}
