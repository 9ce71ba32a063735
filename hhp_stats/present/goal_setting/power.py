"""What the trial could detect, how alike people of a team are, and how many results were tested."""

from __future__ import annotations

import pandas as pd
from great_tables import GT

from hhp_stats.present import prose
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.goal_setting.named import sentence, table
from hhp_stats.present.goal_setting.participants import _with_interval
from hhp_stats.present.listing import capital, listed_words
from hhp_stats.present.numbers import (
    WITHHELD,
    alpha_of,
    count,
    level,
    limit_of_p,
    lowered,
    number,
    p_value,
    percent,
    spelled,
    withheld_note,
)
from hhp_stats.present.tables import aligned, plain_table
from hhp_stats.results.frame import LACKING
from hhp_stats.results.traced import traced_records
from hhp_stats.studies.goal_setting_terms import FAMILY, HALF_YEAR_WEEKS


@table
def power_table(report: StudyReport) -> GT:
    """Minimum detectable effects: absence in standard deviations, turnover in percentage points."""
    frame = report.output.results
    rows = traced_records(frame.loc[frame["outcome"] == "power"])
    absence, turnover = (report.plan.power[key] for key in ("absence", "turnover"))
    groups = {"absence": "Absence, standard deviations", "turnover": "Turnover, percentage points"}
    printed = {"absence-planned": number(absence.printed), "turnover-fall": number(100 * turnover.printed, 0)}
    keys = [str(row["result_id"]).rsplit("/", 1)[1] for row in rows]
    cells = pd.DataFrame(
        {
            "Assumption": [capital(str(row["population"])) for row in rows],
            "of": [groups[key.split("-")[0]] for key in keys],
            "People": [count(row["n"]) for row in rows],
            "Detectable": aligned(
                [
                    number(100 * row["estimate"], 1) if key.startswith("turnover") else number(row["estimate"], 3)
                    for key, row in zip(keys, rows, strict=True)
                ]
            ),
            "Printed": aligned([printed.get(key, "") for key in keys]),
        }
    )
    return plain_table(
        cells,
        stub="Assumption",
        groups="of",
        notes=[
            (
                f"{percent(absence.power, 0)} power, two-sided {percent(absence.alpha, 0)} level; ICC"
                f" {number(absence.icc, 1)}, teams of {number(absence.cluster_size, 0)} with a coefficient of variation"
                f" of {number(absence.cv, 1)}; correlation with the baseline {number(absence.correlation, 1)}"
                f" (absence), {number(turnover.correlation, 1)} (turnover, which has no meaning: no one has left at"
                " baseline)."
            ),
            "Printed: the value in the protocol.",
        ],
    )


@table
def multiplicity_table(report: StudyReport) -> GT:
    """Unadjusted and adjusted p values of the planned outcomes."""
    cells = []
    for key in FAMILY:
        row = report.row(key)
        step = report.row(f"{row['outcome']}/multiplicity/westfall-young")
        cells.append(
            {
                "Outcome": report.outcome(row["outcome"]).label,
                "Role": report.outcome(row["outcome"]).role,
                "p": p_value(row["p_value"]),
                "Holm": p_value(row["p_adjusted"]),
                "p, re-drawn": p_value(step["p_value"]),
                "Westfall-Young": p_value(step["p_adjusted"]),
            }
        )
    table = plain_table(
        pd.DataFrame(cells),
        stub="Outcome",
        spanner=["p", "Holm"],
        spanner_label="Planned analyses",
        notes=[
            (
                "The protocol plans no adjustment. Holm adjusts the planned p-values. Westfall and Young\u2019s"
                " step-down re-draws the arms of all outcomes together, which takes one data set: missing baselines at"
                " zero with an indicator, survey outcomes among those who answered. So it adjusts the p-values next"
                " to it, of these models by the same draws, and not the planned ones."
            ),
        ],
    )
    return table.tab_spanner("The same outcomes, arms re-drawn", columns=["p, re-drawn", "Westfall-Young"])


@sentence
def power(report: StudyReport) -> str:
    """What was planned, and what the sample allowed."""
    planned, recruited, lost = (
        report.row(f"power/mdes/absence-{key}") for key in ("planned", "recruited", "recruited-attrition")
    )
    achieved = report.row("power/mdes/absence-achieved")
    found = (
        f" this cannot be said: {lowered(prose.reason(achieved)).rstrip('.')}"
        if achieved["status"] in LACKING
        else f", {number(achieved['estimate'], 3)}"
    )
    return (
        f"The trial was planned to detect {number(planned['estimate'], 3)} standard deviations of absence (published as"
        f" {number(report.plan.power['absence'].printed)}). With the {count(recruited['n'])} people recruited it could"
        f" detect {number(recruited['estimate'], 3)}, after the planned attrition {number(lost['estimate'], 3)}; with"
        f" the team sizes, clustering and baseline correlation found in the data{found}."
    )


@sentence
def power_slip(report: StudyReport) -> str:
    """The unit slip of the printed value."""
    assumed = report.plan.power["absence"]
    days = report.row("sickness_absence/sd_control/raw")["estimate"]
    achieved = report.row("power/mdes/absence-achieved")["estimate"]
    baseline = assumed.baseline or 0.0
    return (
        f"The protocol adds that {number(assumed.printed)} is {number(100 * assumed.printed / baseline, 1)} per cent of"
        f" the baseline: it divides the standardised value by {number(baseline)} days, as if it were days. To get days,"
        f" it has to be multiplied by the standard deviation. With the {number(days, 1)} days found in the"
        " control group,"
        f" the trial could detect {number(achieved * days, 1)} days."
    )


@sentence
def power_weeks(report: StudyReport) -> str:
    """The base rates restated for the length of follow-up."""
    absence, turnover, weeks = (
        report.plan.power["absence"],
        report.plan.power["turnover"],
        report.plan.design.endline_weeks,
    )
    restated = report.row("power/mdes/turnover-fall-24-weeks")
    share = weeks / HALF_YEAR_WEEKS
    days, left = absence.baseline or 0.0, turnover.baseline or 0.0
    return (
        f"The protocol\u2019s base rates, {number(days)} days and {percent(left)} leaving, are for"
        f" {HALF_YEAR_WEEKS} weeks;"
        f" over the {weeks} weeks of follow-up they are {number(share * days)} days and {percent(share * left)}. With"
        " these rates, and without a correlation with a baseline (no one has left at baseline), the detectable fall in"
        f" turnover is {number(100 * restated['estimate'], 1)} points."
    )


@sentence
def multiplicity(report: StudyReport) -> str:
    """Does any outcome stand out once there are several?"""
    rows = [report.row(key) for key in FAMILY]
    alpha = alpha_of(report.plan.conf_level)
    rows = [row for row in rows if row["status"] not in LACKING]
    if not rows:
        return "None of the planned outcomes could be analysed, so there are no p-values to adjust."
    unadjusted = sum(row["p_value"] < alpha for row in rows)
    adjusted = [report.outcome(row["outcome"]).label.lower() for row in rows if row["p_adjusted"] < alpha]
    tail = (
        f"after Holm\u2019s adjustment {listed_words(adjusted)} {'remains' if len(adjusted) == 1 else 'remain'}"
        if adjusted
        else "after Holm\u2019s adjustment none has"
    )
    if len(rows) == 1:
        found = "an" if unadjusted else "no"
        return f"The only outcome that could be analysed has {found} unadjusted p-value below {limit_of_p(alpha)}."
    whole = f"{spelled(len(rows))} outcomes{'' if len(rows) == len(FAMILY) else ' that could be analysed'}"
    if unadjusted == 0 and not adjusted:
        return f"None of the {whole} has a p-value below {limit_of_p(alpha)}, before or after Holm\u2019s adjustment."
    subject = "None" if unadjusted == 0 else spelled(unadjusted).capitalize()
    verb = "have" if unadjusted > 1 else "has"
    return f"{subject} of the {whole} {verb} an unadjusted p-value below {limit_of_p(alpha)}; {tail}."


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
