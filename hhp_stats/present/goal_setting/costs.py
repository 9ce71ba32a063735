"""Costs and benefits: their ratio, what it rests on, where it breaks even. Tables, figure, sentences."""

from __future__ import annotations

import pandas as pd
from great_tables import GT

from hhp_stats.present import prose
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.figures import acceptability_curve
from hhp_stats.present.goal_setting.baselines import ratio_versions
from hhp_stats.present.goal_setting.named import figure, sentence, table
from hhp_stats.present.numbers import (
    count,
    interval,
    level,
    number,
    percent,
    plural,
    spelled,
)
from hhp_stats.present.tables import plain_table, text_table
from hhp_stats.results.frame import LACKING

FORMULA = "Protocol\u2019s formula"


@table
def cost_benefit(report: StudyReport) -> GT:
    """Ratio of benefits to costs for each scenario, with three intervals."""
    cells = []
    for scenario in report.plan.cost_benefit.scenarios:
        point = report.row(f"benefit_cost/ratio/{scenario.key}")
        row = {
            "Scenario": scenario.label,
            "Ratio": number(point["estimate"]),
            FORMULA: interval(point["conf_low"], point["conf_high"]),
        }
        for name, label in (("bootstrap", "Joint bootstrap"), ("fieller", "Fieller")):
            other = report.row(f"benefit_cost/ratio/{scenario.key}-{name}")
            row[label] = "unbounded" if other["status"] in LACKING else interval(other["conf_low"], other["conf_high"])
        cells.append(row)
    costs = report.plan.cost_benefit
    joint = [report.row(f"benefit_cost/ratio/{scenario.key}-bootstrap") for scenario in costs.scenarios]
    own = ", ".join(number(row["estimate"]) for row in joint)
    return plain_table(
        pd.DataFrame(cells),
        stub="Scenario",
        spanner=[FORMULA, "Joint bootstrap", "Fieller"],
        spanner_label=f"{level(report.plan.conf_level)} interval",
        notes=[
            (
                f"\u00a3 saved for each \u00a3 of staff time. Salary \u00a3{count(costs.salary)} a year over"
                f" {count(costs.working_days)} working days."
            ),
            (
                f"{FORMULA}: ends of the two intervals put into the formula, the cost of a leaver taken as known."
                " Joint bootstrap: teams resampled in the completed data sets, both effects and the cost of a leaver"
                f" re-estimated (turnover by linear probability; its own ratios are {own})."
            ),
            (
                "Fieller: the time of the programme is fixed, so the set is Wald\u2019s interval of the benefit over"
                " the cost; the standard error of a leaver\u2019s cost is in it."
            ),
        ],
    )


@sentence
def ratio(report: StudyReport) -> str:
    """The ratio in the planned scenario."""
    row = report.row("benefit_cost/ratio/programme-30")
    joint = report.row("benefit_cost/ratio/programme-30-bootstrap")
    clear = prose.is_clear(joint, null=1)
    first = prose.is_clear(row, null=1)
    verdict = (
        f"Both intervals {'exclude' if clear else 'include'}"
        if first == clear
        else f"The second interval {'excludes' if clear else 'includes'}"
    )
    reaches = [interval(one["conf_low"], one["conf_high"], null=1) for one in (row, joint)]
    done = "saved" if row["estimate"] >= 0 else "went with a further loss of"
    return (
        f"With half an hour a week costed, each \u00a31 of staff time {done} \u00a3{number(abs(row['estimate']))} "
        f"(interval by the protocol\u2019s formula {reaches[0]}; from resampled teams "
        f"{reaches[1]}). {verdict} breaking even. {ratio_versions(report)}"
    )


@sentence
def break_even(report: StudyReport) -> str:
    """What the programme costs in time, and what would pay for it."""
    row = report.lines("cost_parts", by="scenario")["programme-30"]
    one_in = row["turnover_cost"] / row["cost"]
    return (
        f"Half an hour a week for six weeks costs \u00a3{number(row['cost'], 0)} of working time per person. The"
        f" programme pays for itself if each person takes {number(row['days'])} fewer sick days, or if one more person"
        f" in {count(round(one_in))} stays."
    )


# ---------------------------------------------------------------- costs
@table
def cost_parts(report: StudyReport) -> GT:
    """What the ratio is made of, in pounds a person."""
    rows = report.table("cost_parts").to_dict("records")
    cells = pd.DataFrame(
        {
            "Scenario": [row["label"] for row in rows],
            "Absence": [number(row["absence"], 0) for row in rows],
            "Turnover": [number(row["turnover"], 0) for row in rows],
            "Together": [number(row["absence"] + row["turnover"], 0) for row in rows],
            "Days": [number(row["days"]) for row in rows],
            "\u00a3": [number(row["cost"], 0) for row in rows],
        }
    )
    table = plain_table(
        cells,
        stub="Scenario",
        spanner=["Absence", "Turnover", "Together"],
        spanner_label="Saved",
        notes=_cost_notes(report),
    )
    return table.tab_spanner("Spent", columns=["Days", "\u00a3"])


def _cost_notes(report: StudyReport) -> list[str]:
    row, leaver = (
        next(iter(report.lines("cost_parts", by="scenario").values())),
        report.row("benefit_cost/leaver_cost/mean"),
    )
    return [
        f"\u00a3 per person; a saving below zero is a loss. A day costs \u00a3{number(row['daily_rate'])}.",
        (
            f"A leaver costs \u00a3{number(leaver['estimate'], 0)}"
            f" ({interval(leaver['conf_low'], leaver['conf_high'], 0)}; standard error"
            f" {number(leaver['std_error'], 0)}, by team): replacement less sick pay after leaving, the mean over"
            f" {count(row['priced'])} of {count(row['leavers'])} leavers, in"
            f" {plural(row['priced_authorities'], 'authority', 'authorities')}, for whom a cost of replacement was"
            " returned."
        ),
    ]


@figure
def acceptability(report: StudyReport) -> EmbeddedFigure:
    """How many resamples lie above each ratio."""
    curve = report.table("acceptability")
    shown = curve  # every scenario: the protocol's own stands beside the others
    words = "; ".join(
        f"{row['label']}, ratio above {row['threshold']:g}: {percent(row['probability'], 0)}"
        for row in shown.to_dict("records")
    )
    even = shown.loc[shown["threshold"] == 1, "probability"]
    return embed(
        lambda width: acceptability_curve(shown, width=width),
        root=report.root,
        document=report.document,
        label="gs-acceptability",
        conclusion=(
            f"Between {percent(even.min(), 0)} and {percent(even.max(), 0)} of resampled trials break even, depending"
            " on the scenario"
        ),
        alt=f"Curves of the share of resamples in which the ratio exceeds a threshold. {words}.",
        caption=(
            f"Share of resampled trials in which benefits exceed costs by a given factor: {percent(even.min(), 0)} to "
            f"{percent(even.max(), 0)} break even with missing baselines imputed as planned"
        ),
    )


@table
def comparison(report: StudyReport) -> GT:
    """Goal-setting beside the other interventions of the first phase, as far as documents and data allow."""
    point = report.row("benefit_cost/ratio/programme-30")
    reached = f"{number(point['estimate'])} ({interval(point['conf_low'], point['conf_high'])})"
    cost = report.lines("cost_parts", by="scenario")["programme-30"]["cost"]
    rows = [
        {
            "Intervention": "Goal-setting",
            "Absence": "estimated",
            "Turnover": "estimated",
            "Cost per person": f"\u00a3{number(cost, 0)}",
            "Ratio": reached,
            "Difference in ratios": "\u2014",
        }
    ]
    reasons = []
    for other in report.plan.cost_benefit.comparators:
        row = report.row(f"benefit_cost/comparison/{other.key}")
        rows.append(
            {
                "Intervention": other.label,
                "Absence": other.absence,
                "Turnover": other.turnover,
                "Cost per person": other.cost,
                "Ratio": "none",
                "Difference in ratios": "not estimated",
            }
        )
        reasons.append(f"{other.label}: {row['note']}")
    return text_table(
        pd.DataFrame(rows),
        stub="Intervention",
        notes=[
            "Goal-setting: programme time of half an hour a week; interval by the protocol\u2019s formula.",
            *reasons,
        ],
    )


@sentence
def compared(report: StudyReport) -> str:
    """Whether the ratio can be compared with others."""
    rows = [report.row(f"benefit_cost/comparison/{other.key}") for other in report.plan.cost_benefit.comparators]
    made = [row for row in rows if row["status"] == "estimated"]
    if made:
        return (
            f"The ratio is compared with {spelled(len(made))} of the {spelled(len(rows))} other interventions of the"
            " first phase."
        )
    return (
        "The protocol compares the ratio with those of the other interventions of the programme. None of the"
        f" {spelled(len(rows))} other trials of the first phase gives one, so no pair can be tested."
    )
