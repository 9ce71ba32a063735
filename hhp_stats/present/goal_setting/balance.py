"""Are the arms alike at baseline, all of them and those who were analysed? Tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from great_tables import GT

from hhp_stats.present import prose
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.goal_setting.named import sentence, table
from hhp_stats.present.numbers import (
    alpha_of,
    count,
    lowered,
    number,
    p_clause,
    plural,
    withheld_note,
)
from hhp_stats.present.prose import contrast_of
from hhp_stats.present.tables import balance_table as by_arm
from hhp_stats.present.tables import plain_table
from hhp_stats.results.frame import LACKING
from hhp_stats.studies.goal_setting_terms import ANALYSED, COVARIATES, PERSONAL

GROUP_LABELS = {"randomised": "Randomised", "absence": "Absence known", "wellbeing": "Wellbeing known"}


# ---------------------------------------------------------------- balance
@table
def balance_differences(report: StudyReport) -> GT:
    """Standardised differences among everyone randomised and among those analysed."""
    rows = report.table("balance_differences").to_dict("records")
    cells = pd.DataFrame(
        {
            "Characteristic": [_characteristic(row) for row in rows],
            **{GROUP_LABELS[group]: [number(row[group]) for row in rows] for group in ANALYSED},
        }
    )
    tests = {
        group: report.row(f"balance/omnibus/{name}")
        for group, name in (("randomised", "randomised"), ("absence", "analysed"), ("wellbeing", "respondents"))
    }
    words = "; ".join(
        f"{GROUP_LABELS[group].lower()}, {plural(test['n'], 'person', 'people')} in"
        f" {plural(test['n_clusters'], 'team')}: d\u00b2 = {number(test['statistic'], 1)}, {p_clause(test['p_value'])}"
        for group, test in tests.items()
    )
    return plain_table(
        cells,
        stub="Characteristic",
        spanner=list(GROUP_LABELS.values()),
        spanner_label="Standardised difference",
        notes=[
            (
                f"{contrast_of(report.plan)} in pooled standard deviations. Wellbeing known: those who answered about"
                " it at the end."
            ),
            (
                "All characteristics together, against the trial\u2019s own further draws of its teams "
                f"({_largest_error(tests)}): {words}."
            ),
            *withheld_note(report.table("balance_differences")),
        ],
    )


def _largest_error(tests: Mapping[str, Mapping[str, Any]]) -> str:
    return f"Monte Carlo errors of p up to {number(max(test['mc_error_p'] for test in tests.values()), 3)}"


def _characteristic(row: Mapping[Any, Any]) -> str:
    level = row["level"] if isinstance(row["level"], str) else ""
    return (
        f"\u2003{level[:1].upper()}{level[1:]}"
        if level
        else COVARIATES.get(row["covariate"], str(row["covariate"]).capitalize())
    )


@sentence
def balance_analysed(report: StudyReport) -> str:
    """Are those whose outcome is known still alike?"""
    absence, wellbeing = (report.row(f"balance/omnibus/{name}") for name in ("analysed", "respondents"))
    alpha = alpha_of(report.plan.conf_level)
    known, answered = "those whose absence is known", "those who answered about wellbeing"
    if any(test["status"] in LACKING for test in (absence, wellbeing)):
        return " ".join(
            f"Whether the arms still are alike among {whom} could not be tested. {prose.reason(test)}"
            if test["status"] in LACKING
            else f"Among {whom} the arms {_differ(test, alpha)} ({p_clause(test['p_value'], alpha=alpha)})."
            for whom, test in ((known, absence), (answered, wellbeing))
        )
    alike = [test["p_value"] >= alpha for test in (absence, wellbeing)]
    evidence = f"({p_clause(absence['p_value'], alpha=alpha)} and {p_clause(wellbeing['p_value'], alpha=alpha)})"
    if all(alike):
        return (
            f"Those whose absence is known, and those who answered about wellbeing, were also well balanced {evidence}."
        )
    whom = known if not alike[0] else answered
    both = f"both {known} and {answered}"
    return f"Among {whom if any(alike) else both} the arms differ more than chance explains {evidence}."


@table
def balance_table(report: StudyReport) -> GT:
    """Characteristics of the randomised, by arm."""
    table = report.table("balance")
    test = report.row("balance/omnibus/randomised")
    return by_arm(
        table.loc[table["population"] == "randomised"],
        arm_labels=report.plan.design.arm_labels,
        covariates=COVARIATES,
        notes=[
            (
                "Shares, or means with standard deviations. Std. difference: goal-setting minus control in pooled"
                " standard deviations."
            ),
            (
                "All characteristics together, against the trial\u2019s own further draws of its teams: d\u00b2 = "
                f"{number(test['statistic'], 1)}, "
                f"{p_clause(test['p_value'])} (Monte Carlo error {number(test['mc_error_p'], 3)}; "
                f"{test['method'].split(', ', 1)[1]})."
            ),
            *withheld_note(table),
        ],
    )


@table
def personal(report: StudyReport) -> GT:
    """What the baseline survey asks about the person, by arm, among those who answered it."""
    table = report.table("personal")
    return by_arm(
        table,
        arm_labels=report.plan.design.arm_labels,
        covariates=PERSONAL,
        notes=[
            (
                "Those who answered the baseline survey. Shares of those whose answer is known, or means with standard"
                f" deviations. Std. difference: {lowered(contrast_of(report.plan))} in pooled standard deviations. The"
                " questions serve no planned analysis."
            ),
            *withheld_note(table),
        ],
    )


@table
def team_balance(report: StudyReport) -> GT:
    """Teams by arm."""
    table = report.table("team_balance").set_index(["characteristic", "arm"])
    names = {"size": "People a team", "absence": "Mean baseline absence, days", "agency": "Share of agency staff, %"}
    cells = []
    for key, label in names.items():
        scale = 100 if key == "agency" else 1
        row = {"Teams": label}
        for arm, arm_label in report.plan.design.arm_labels.items():
            part: Any = table.loc[(key, arm)]
            row[arm_label] = f"{number(scale * part['mean'], 1)} ({number(scale * part['sd'], 1)})"
        cells.append(row)
    teams = table["teams"].to_dict()
    counts = [count(teams[("size", arm)]) for arm in report.plan.design.arm_labels]
    return plain_table(
        pd.DataFrame(cells),
        stub="Teams",
        spanner=list(report.plan.design.arm_labels.values()),
        notes=[f"Mean over teams with standard deviation; {counts[0]} control teams, {counts[1]} goal-setting teams."],
    )


def _differ(test: Mapping[str, Any], alpha: float) -> str:
    return "do not differ more than chance explains" if test["p_value"] >= alpha else "differ more than chance explains"


@sentence
def balance(report: StudyReport) -> str:
    """Are the arms alike, all characteristics together?"""
    test = report.row("balance/omnibus/randomised")
    table = report.table("balance")
    part = table.loc[(table["population"] == "randomised") & (table["kind"] != "categorical")]
    largest = pd.to_numeric(part["std_difference"], errors="coerce").abs().max()  # withheld ones left out
    alpha = alpha_of(report.plan.conf_level)
    if test["status"] in LACKING:
        return (
            "Whether the characteristics of the arms, taken together, differ more than chance explains could not be"
            f" tested. {prose.reason(test)} The largest standardised difference of a single one is {number(largest)}."
        )
    return (
        f"Taken together, the characteristics of the arms {_differ(test, alpha)}"
        f" ({p_clause(test['p_value'], alpha=alpha)}). The"
        f" largest standardised difference of any characteristic is {number(largest)}."
    )
