"""Tables of a trial's people: answers, balance of the arms, periods and cohorts."""

from __future__ import annotations

import pandas as pd
from great_tables import GT

from hhp_stats.present.field_trials.report import FieldTrialReport
from hhp_stats.present.field_trials.results_tables import reach
from hhp_stats.present.numbers import (
    count,
    count_of,
    level,
    number,
    p_clause,
    p_value,
    percent,
    withheld_note,
)
from hhp_stats.present.study_results import Row
from hhp_stats.present.tables import balance_table, plain_table
from hhp_stats.results.frame import LACKING


def response(report: FieldTrialReport) -> GT:
    """Response by arm and block."""
    rows = report.records("attrition")
    within = report.plan.design.within.replace("_", " ").capitalize()
    heading = {"arm": "Arm", "block": within}
    cells: list[dict[str, str]] = []
    for row in rows:
        line = {
            "Group": row["label"],
            "of": heading[row["kind"]],
            "Randomised": count(row["people"]),
            "Answered first survey": count_of(row["baseline"], row["people"]),
            "Answered endline": count_of(row["responded"], row["people"]),
        }
        if not pd.isna(row["left"]):
            line["Left by endline"] = percent(row["left"])
        cells.append(line)
    test = report.planned("response")
    difference = (
        "The difference of the arms is withheld."
        if test["status"] in LACKING
        else (
            f"Treated minus control: {number(100 * test['estimate'], 1)} percentage points,"
            f" {p_clause(test['p_value'])}"
            f" ({test['method']}{'; clause ' + test['clause'] if test['clause'] else ''})."
        )
    )
    return plain_table(
        pd.DataFrame(cells),
        stub="Group",
        groups="of",
        notes=[
            "Answered endline: the primary outcome is known. Shares of those randomised.",
            difference,
            *withheld_note(report.table("attrition")),
        ],
    )


def balance(report: FieldTrialReport) -> GT:
    """Baseline scores of endline respondents, by arm."""
    table = report.table("balance")
    own = table.loc[table["population"] == "responders"]
    names = {f"{outcome.id}_t1": outcome.label for outcome in report.measured}
    names |= {"local_authority": "Local authority", "cohort": "Cohort", "staff_group": "Staff group"}
    return balance_table(
        own,
        arm_labels={"control": report.control.label, "treatment": report.treatment.label},
        covariates=names,
        notes=[
            "Shares, or means with standard deviations, of the respondents to the endline survey. Scores are those of"
            " the first survey; \u201cmissing\u201d counts respondents who did not answer it."
        ],
    )


def periods(report: FieldTrialReport) -> GT:
    """Effects by period of response: their average, and each outcome; and the change by week."""
    spans = [(row["period"], _span(row)) for row in report.records("periods")]
    parts = [("Average of the outcomes", "average", "cr1-sd")]
    parts += [(outcome.label, outcome.id, "hc2-sd") for outcome in report.measured]
    cells: list[dict[str, str]] = []
    for label, key, method in parts:
        lines = [(f"Week {span}", report.row(f"{key}/period_{period}/{method}")) for period, span in spans]
        lines.append(("Change a week", report.row(f"{key}/arm_by_week/{method}")))
        cells += [
            {
                "Response in": name,
                "of": label,
                "Effect": number(row["estimate"]),
                f"{level(row['conf_level'])} CI": reach(row),
                "p": p_value(row["p_value"]),
                "People": count(row["n"]),
            }
            for name, row in lines
        ]
    return plain_table(
        pd.DataFrame(cells),
        stub="Response in",
        groups="of",
        notes=[
            (
                "Treated minus control in standard deviations, turned so that above zero is better. Exploratory,"
                " unplanned, not adjusted for the number of comparisons."
            ),
            (
                "Average: mean of the outcomes\u2019 effects, people as clusters. Change a week: interaction of arm and"
                " week of response."
            ),
        ],
    )


def _span(period: Row) -> str:
    first, last = count(period["first_week"]), count(period["last_week"])
    return first if first == last else f"{first}\u2013{last}"


def cohorts(report: FieldTrialReport) -> GT:
    """SWING: effects by cohort and their difference."""
    cells: list[dict[str, str]] = []
    for outcome in report.measured:
        one, two = (report.row(f"{outcome.id}/itt_cohort_{n}/hc2") for n in (1, 2))
        gap = report.row(f"{outcome.id}/arm_by_cohort/hc2")
        cells.append(
            {
                "Outcome": outcome.label,
                "Cohort 1": f"{number(one['estimate'])} ({reach(one)})",
                "Cohort 2": f"{number(two['estimate'])} ({reach(two)})",
                "Second minus first": f"{number(gap['estimate'])} ({reach(gap)})",
                "p": p_value(gap["p_value"]),
            }
        )
    people = [report.row(f"{report.measured[0].id}/itt_cohort_{n}/hc2")["n"] for n in (1, 2)]
    return plain_table(
        pd.DataFrame(cells),
        stub="Outcome",
        notes=[
            f"Treated minus control with {level(report.plan.conf_level)} intervals; {count(people[0])} and"
            f" {count(people[1])} people. Last columns: interaction of arm and cohort."
        ],
    )
