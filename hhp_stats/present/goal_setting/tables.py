"""The tables of the goal-setting chapter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from great_tables import GT

from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.goal_setting.more_tables import versions
from hhp_stats.present.goal_setting.named import table
from hhp_stats.present.numbers import (
    WITHHELD,
    count,
    interval,
    level,
    number,
    p_clause,
    percent,
    withheld,
    withheld_note,
)
from hhp_stats.present.prose import contrast_of
from hhp_stats.present.tables import balance_table, effects_table, plain_table
from hhp_stats.results import row_of
from hhp_stats.studies.goal_setting_terms import COVARIATES
from hhp_stats.traced import traced_records


def arm_cells(report: StudyReport, outcome: str) -> dict[str, list[str]]:
    """Formatted arm means with standard deviations, for one outcome."""
    labels = report.plan.design.arm_labels
    cells = {}
    for arm in ("control", "treatment"):
        mean, sd = (report.row(f"{outcome}/{part}_{arm}/raw") for part in ("mean", "sd"))
        cells[labels[arm]] = [f"{number(mean['estimate'])} ({number(sd['estimate'])})"]
    return cells


@table
def primary(report: StudyReport) -> GT:
    """The planned analysis of sickness absence."""
    row = report.planned("sickness_absence")
    rows = pd.DataFrame([row])
    return effects_table(
        rows,
        contrast=contrast_of(report.plan),
        labels=[report.outcome("sickness_absence").label],
        stub="Outcome",
        arms=arm_cells(report, "sickness_absence"),
        notes=[
            f"Unit: {report.outcome('sickness_absence').unit}. Arms: mean (standard deviation) without adjustment.",
            (
                f"Difference: {row['method']}. Adjusted for gender, role, part-time work, length of service, baseline"
                " absence, arm of another trial and local authority."
            ),
            *_draws(row),
            f"Clauses {row['clause'].replace(' ', ', ')}.",
        ],
    )


def _draws(row: Mapping[str, Any]) -> list[str]:
    """How far the random draws of the imputation move a row, where they do."""
    if pd.isna(row["mc_error"]):
        return []
    return [f"Monte Carlo error: {number(row['mc_error'], 3)} of the difference, {number(row['mc_error_p'], 3)} of p."]


@table
def absence_versions(report: StudyReport) -> GT:
    """Every version of the absence analysis, the planned one first."""
    rows = versions(report, "sickness_absence")
    planned = report.planned("sickness_absence")
    return effects_table(
        rows,
        contrast=contrast_of(report.plan),
        labels=report.labels(rows),
        stub="Version",
        notes=[
            (
                f"Planned: {planned['method']}. One thing is changed at a time, except where resampling needs a single"
                " data set: those two versions take missing baselines at zero with an indicator and are to be read"
                " beside the version of that name."
            ),
            (
                "Clustered by team and authority: teams counts the authorities, the smaller of the two groupings."
                " Working days; goal-setting minus control."
            ),
        ],
    )


@table
def turnover(report: StudyReport) -> GT:
    """Turnover: adjusted chances of leaving in both arms, and the difference in percentage points."""
    rows = versions(report, "turnover")
    cells: dict[str, list[str]] = {report.plan.design.arm_labels[arm]: [] for arm in ("control", "treatment")}
    frame = report.output.results.set_index("result_id")
    for result_id in rows["result_id"]:
        method = result_id.rsplit("/", 1)[1]
        for arm, label in report.plan.design.arm_labels.items():
            key = f"{report.plan.study}/turnover/predicted_{arm}/{method}"
            cells[label].append(percent(row_of(report.output.results, key)["estimate"]) if key in frame.index else "")
    raw = [report.row(f"turnover/mean_{arm}/raw") for arm in ("control", "treatment")]
    flow = report.table("flow")
    left = flow.loc[flow["label"].str.startswith("Left"), "people"]
    return effects_table(
        rows,
        contrast=contrast_of(report.plan),
        labels=report.labels(rows),
        stub="Version",
        digits=1,
        scale=100,
        arms=cells,
        notes=[
            "Arms: adjusted probability of leaving. Difference and interval in percentage points.",
            f"Planned: {rows.iloc[0]['method'] if rows.iloc[0]['status'] == 'estimated' else 'not estimated'}.",
            (
                "How many left is withheld to protect a count of very few people."
                if withheld(*left)
                else (
                    f"Left, unadjusted: {percent(raw[0]['estimate'])} of {count(raw[0]['n'])} in the control arm, "
                    f"{percent(raw[1]['estimate'])} of {count(raw[1]['n'])} in the goal-setting arm."
                )
            ),
        ],
    )


@table
def balance(report: StudyReport) -> GT:
    """Characteristics of the randomised, by arm."""
    table = report.table("balance")
    test = report.row("balance/omnibus/randomised")
    return balance_table(
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


@table
def attrition(report: StudyReport) -> GT:
    """Records and responses by arm and authority."""
    table = report.table("attrition")
    rows = table.to_dict("records")
    names = {"arm": "Arm", "authority": "Local authority"}
    cells = pd.DataFrame(
        {
            "Group": [row["label"] for row in rows],
            "of": [names[row["kind"]] for row in rows],
            "Teams": [count(row["teams"]) for row in rows],
            "People": [count(row["people"]) for row in rows],
            "Baseline absence known": [percent(row["baseline_absence"]) for row in rows],
            "Outcome known": [percent(row["outcome"]) for row in rows],
            "Left": [percent(row["left"]) for row in rows],
            "Baseline survey": [percent(row["baseline_survey"]) for row in rows],
            "Endline survey": [percent(row["endline_survey"]) for row in rows],
        }
    )
    return plain_table(
        cells, stub="Group", groups="of", notes=["Shares of the people randomised.", *withheld_note(table)]
    )


def _with_interval(row: Mapping[str, Any], digits: int) -> str:
    if row["status"] == "withheld":
        return WITHHELD
    return f"{number(row['estimate'], digits)} ({interval(row['conf_low'], row['conf_high'], digits)})"


@table
def clustering(report: StudyReport) -> GT:
    """Intraclass correlation and standardised effect per continuous outcome."""
    frame = report.output.results
    rows = traced_records(frame.loc[(frame["estimand"] == "icc") & (frame["status"] != "not_estimated")])
    order = list(report.plan.outcomes)
    cells = []
    for row in sorted(rows, key=lambda row: order.index(row["outcome"])):
        effect = traced_records(frame.loc[frame["result_id"] == f"{row['study']}/{row['outcome']}/itt/hedges-g"])
        cells.append(
            {
                "Outcome": report.outcome(row["outcome"]).label,
                "ICC": _with_interval(row, 3),
                "Hedges\u2019 g": _with_interval(effect[0], 2) if effect else "",
                "People": count(WITHHELD if row["status"] == "withheld" else row["n"]),
                "Teams": count(row["n_clusters"]),
            }
        )
    frame = pd.DataFrame(cells)
    return plain_table(
        frame,
        stub="Outcome",
        notes=[
            (
                f"Estimates with {level(report.plan.conf_level)} intervals. ICC between teams within arms; Hedges\u2019"
                " g of the planned effect in total standard deviations. ICC by restricted maximum likelihood; of a"
                " zero-one outcome by analysis of variance, which has no g."
            ),
            *withheld_note(frame),
        ],
    )
