"""Missing baselines: their balance, and how much the way of dealing with them moves. Tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from great_tables import GT

from hhp_stats.present import prose
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.goal_setting.named import sentence, table
from hhp_stats.present.listing import capital
from hhp_stats.present.numbers import (
    apart,
    count,
    interval,
    level,
    lowered,
    number,
    p_clause,
    p_value,
    percent,
    spelled,
)
from hhp_stats.present.tables import plain_table
from hhp_stats.results.frame import LACKING
from hhp_stats.results.lacking import as_sentence
from hhp_stats.studies.goal_setting_terms import primary_analysis, versions_of_baselines

GROUPS = {"recorded": "Recorded", "imputed": "Imputed", "all": "All"}


# ---------------------------------------------------------------- balance
@table
def imputed_balance(report: StudyReport) -> GT:
    """Recorded and imputed baseline absence by arm, with the differences and their test."""
    table, labels = report.table("baseline_balance"), report.plan.design.arm_labels
    cells = []
    for group, label in GROUPS.items():
        lines = table.loc[table["group"] == group].set_index("arm")
        line = {"Baseline absence": label} | {
            name: f"{number(lines.at[arm, 'mean'], 1)} ({count(lines.at[arm, 'people'])})"
            for arm, name in labels.items()
        }
        row, std = _difference(report, group)
        line |= {
            "Difference": number(row["estimate"], 1) if row else "\u2014",
            f"{level(report.plan.conf_level)} CI": interval(row["conf_low"], row["conf_high"], 1) if row else "\u2014",
            "p": p_value(row["p_value"]) if row else "\u2014",
            "Standardised": number(std["estimate"]) if std else "\u2014",
        }
        cells.append(line)
    planned = primary_analysis(report.plan)
    model, criterion = report.plan.imputation.models[planned.baseline_absence], report.plan.imputation.balance
    notes = [
        (
            f"Mean days in the twelve months before (people). Imputed: mean over the {count(model.m)} completed data"
            " sets of the planned analysis. Differences: goal-setting minus control, clustered by team, pooled;"
            " standardised: in standard deviations."
        ),
        (
            "Criterion, set when this report was written: no standardised difference of imputed baselines above"
            f" {number(criterion.std_difference)}, and no p below {number(criterion.alpha)}."
        ),
    ]
    lost = {group: report.row(f"balance/baseline_absence/{group}") for group in GROUPS}
    notes += [f"{GROUPS[group]}: {as_sentence(row['note'])}" for group, row in lost.items() if row["status"] in LACKING]
    joint = _joint(report)
    if joint:
        notes.append(
            f"Both differences together: F = {number(joint['statistic'])}, {p_clause(joint['p_value'])}"
            f" ({joint['method']})."
        )
    return plain_table(pd.DataFrame(cells), stub="Baseline absence", spanner=list(labels.values()), notes=notes)


def _found(report: StudyReport, key: str) -> Mapping[str, Any] | None:
    """A row, where it could be estimated."""
    row = report.row(key)
    return None if row["status"] in LACKING else row


def _difference(report: StudyReport, group: str) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    return _found(report, f"balance/baseline_absence/{group}"), _found(report, f"balance/baseline_absence_std/{group}")


def _joint(report: StudyReport) -> Mapping[str, Any] | None:
    return _found(report, "balance/baseline_absence/joint")


@sentence
def baseline_balance(report: StudyReport) -> str:
    """Does the check of balance hold, and what follows where it does not?"""
    row, std = _difference(report, "imputed")
    if row is None or std is None:
        lacking = report.row(f"balance/baseline_absence{'' if row is None else '_std'}/imputed")
        return f"The imputed baselines of the arms cannot be compared. {as_sentence(lacking['note'])}"
    criterion, joint = report.plan.imputation.balance, _joint(report)
    wide = abs(std["estimate"]) > criterion.std_difference
    unlikely = row["p_value"] < criterion.alpha or (joint is not None and joint["p_value"] < criterion.alpha)
    limits = (criterion.std_difference, -criterion.std_difference)
    p = p_clause(row["p_value"], alpha=criterion.alpha)
    evidence = f"({number(std['estimate'], beside=limits)} standard deviations, {p})"
    if not wide and not unlikely:
        return f"The imputed baselines of both arms are as similar as the criterion asks {evidence}."
    what = "are further apart than the criterion allows" if wide else "differ more than chance explains"
    return (
        f"The imputed baselines of the arms {what} {evidence}. The planned analysis must then not be read alone; only"
        f" what the other methods for missing baselines confirm can be relied on. {baseline_versions(report)}"
    )


# ---------------------------------------------------------------- how much the choice moves
def _versions(report: StudyReport) -> list[tuple[str, Mapping[str, Any]]]:
    """The other ways with missing baselines: label and row, those that could be estimated."""
    found = [(one.label, report.row(one.id)) for one in versions_of_baselines(report.plan)]
    return [(label, row) for label, row in found if row["status"] == "estimated"]


def _named(label: str) -> str:
    return lowered(label.removeprefix("Missing baseline: "))


@sentence
def baseline_versions(report: StudyReport) -> str:
    """The effect on absence under every other way with missing baselines, and whether the conclusion stands."""
    planned, found = report.planned("sickness_absence"), _versions(report)
    better = report.outcome("sickness_absence").better
    if planned["status"] != "estimated" or not found:
        return "The other methods for missing baselines have nothing to be compared with."
    base = prose.verdict(planned, better=better)
    values = "; ".join(
        f"{_named(label)} {number(row['estimate'])} ({interval(row['conf_low'], row['conf_high'])})"
        for label, row in found
    )
    other = [
        _named(label)
        for label, row in found
        if (verdict := prose.verdict(row, better=better)).clear != base.clear
        or (verdict.clear and verdict.direction != base.direction)
    ]
    stands = (
        "None of them changes the conclusion."
        if not other
        else f"The conclusion changes with {spelled(len(other))} of them: {', '.join(other)}."
    )
    return (
        f"The estimate of {number(planned['estimate'])} days (planned) depends on how missing baselines are handled."
        f" Other methods give: {values}. {stands}"
    )


@sentence
def baseline_range(report: StudyReport) -> str:
    """The same in one sentence: from where to where the estimates lie, and whether the conclusion stands."""
    planned, found = report.planned("sickness_absence"), _versions(report)
    better = report.outcome("sickness_absence").better
    if planned["status"] != "estimated" or not found:
        return "The other methods for missing baselines have nothing to be compared with."
    low, high = min(found, key=lambda one: one[1]["estimate"]), max(found, key=lambda one: one[1]["estimate"])
    base = prose.verdict(planned, better=better)
    same = sum(
        prose.verdict(row, better=better).clear == base.clear
        and (not base.clear or prose.verdict(row, better=better).direction == base.direction)
        for _, row in found
    )
    outcome = "all" if same == len(found) else spelled(same)
    return (
        f"Baseline absence is missing for some staff. We tried {spelled(len(found))} other methods for this. They give"
        f" differences from {number(low[1]['estimate'])} days ({_named(low[0])}) to"
        f" {number(high[1]['estimate'])} ({_named(high[0])}); {outcome} lead to the same conclusion."
    )


@sentence
def baseline_handling(report: StudyReport) -> str:
    """Why the missing baselines matter, and what the planned analysis does about them."""
    row = _found(report, "balance/baseline_absence/all")
    table = report.table("baseline_balance")
    missing = int(table.loc[table["group"] == "imputed", "people"].sum())
    unadjusted, planned = report.row("sickness_absence/itt/unadjusted"), report.planned("sickness_absence")
    if row is None:
        return (
            f"For {count(missing)} people no usable baseline is recorded, so it matters how missing ones are handled."
        )
    side = "more" if row["estimate"] > 0 else "fewer"
    before, after = apart(unadjusted["estimate"], planned["estimate"])
    return (
        f"In the year before, staff offered goal-setting had on average {number(abs(row['estimate']), 1)} {side} days"
        " of absence than control staff, with missing values imputed. The adjustment therefore changes the difference"
        f" from {before} days (unadjusted) to {after}. For {count(missing)} people no usable baseline is"
        " recorded, so it"
        " matters how missing ones are handled."
    )


# ---------------------------------------------------------------- the benefit-cost ratio
@sentence
def ratio_versions(report: StudyReport) -> str:
    """Does the ratio stay above breaking even under the other ways with missing baselines?"""
    table = report.table("cost_versions")
    rows = [report.row(str(key).split("/", 1)[1]) for key in table["result_id"].iloc[1:]]
    if not rows:
        return "No other method for missing baselines was applied to the ratio."
    low, high = min(row["estimate"] for row in rows), max(row["estimate"] for row in rows)
    included = sum(not prose.is_clear(row, null=1) for row in rows)
    shares = table["above_break_even"]
    said = (
        "all of their intervals include breaking even"
        if included == len(rows)
        else (
            f"{spelled(included)} of their intervals include breaking even"
            if included
            else "none of their intervals includes breaking even"
        )
    )
    return (
        f"Under the {spelled(len(rows))} other methods for missing baselines the ratio is between {number(low)} and"
        f" {number(high)}, and {said}. The share of resamples in which the programme pays for itself is"
        f" {percent(shares.min(), 0)} to {percent(shares.max(), 0)}, depending on the method."
    )


@table
def cost_versions(report: StudyReport) -> GT:
    """The ratio under each way with missing baselines."""
    rows = []
    for line in report.table("cost_versions").to_dict("records"):
        row = report.row(str(line["result_id"]).split("/", 1)[1])
        rows.append(
            {
                "Missing baselines": capital(str(line["label"]).removeprefix("Missing baseline: ")),
                "Ratio": number(row["estimate"]),
                f"{level(report.plan.conf_level)} CI": interval(row["conf_low"], row["conf_high"], null=1),
                "Above breaking even": percent(line["above_break_even"], 0),
            }
        )
    scenario = report.plan.cost_benefit.scenarios[0]
    return plain_table(
        pd.DataFrame(rows),
        stub="Missing baselines",
        notes=[
            (
                f"{scenario.label}. Teams resampled, absence, turnover (linear probability) and the cost of a leaver"
                " re-estimated together; both effects under the same method for missing baselines."
            ),
        ],
    )
