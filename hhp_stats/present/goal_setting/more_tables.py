"""Tables of the chapter's second half: survey outcomes, Bradford, compliers, costs, power, randomisation."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from great_tables import GT

from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.goal_setting.named import table
from hhp_stats.present.numbers import capital, count, interval, level, lowered, number, p_value, percent, withheld_note
from hhp_stats.present.prose import contrast_of
from hhp_stats.present.tables import aligned, effects_table, plain_table
from hhp_stats.results import LACKING
from hhp_stats.studies.goal_setting_terms import FAMILY, primary_analysis, versions_of_baselines
from hhp_stats.traced import traced_records

STRATEGIES = {"complete-cases": "Complete cases", "heckman-ml": "Heckman selection", "imputed": "Multiple imputation"}
WELLBEING = ("wellbeing", "cognitive", "affect_balance", "happiness", "ladder", "positive_affect", "negative_affect")
MEDIATORS = ("time_pressure", "efficacy", "autonomy", "competence", "relatedness")
SCALES = {
    "positive_affect": "Positive affect",
    "negative_affect": "Negative affect",
    "affect": "All six affect items",
    "time_pressure": "Time pressure",
    "efficacy": "Workplace efficacy",
    "autonomy": "Autonomy",
    "competence": "Competence",
    "relatedness": "Relatedness",
}
BASELINE_WAYS = {
    "multiple_imputation": "imputed",
    "zero_with_indicator": "set to zero with an indicator",
    "mean": "set to the mean",
    "mean_with_indicator": "set to the mean with an indicator",
    "complete_cases": "left out with those concerned",
}
COEFFICIENTS = {"alpha": "Cronbach\u2019s alpha", "spearman_brown": "Spearman-Brown"}


def versions(report: StudyReport, outcome: str) -> pd.DataFrame:
    """Rows of all analyses of an outcome that the plan names, in its order."""
    rows = report.rows(outcome)
    named = {report.plan.result_id(analysis) for analysis in report.plan.analyses}
    return rows.loc[rows["result_id"].isin(named)]


def _monte_carlo(rows: pd.DataFrame) -> str:
    """From the smallest to the largest Monte Carlo error among rows, in standard errors."""
    share = (rows["mc_error"] / rows["std_error"]).dropna()
    if share.empty:
        return "none"
    return f"{percent(share.min(), 0)} to {percent(share.max(), 0)} of their standard errors"


def strategies(report: StudyReport, outcomes: Sequence[str]) -> GT:
    """The three planned ways with missing answers, outcome by outcome."""
    pairs = [(key, method) for key in outcomes for method in STRATEGIES]
    rows = pd.DataFrame([report.row(f"{key}/itt/{method}") for key, method in pairs])
    return effects_table(
        rows,
        contrast=contrast_of(report.plan),
        labels=[STRATEGIES[method] for _, method in pairs],
        stub="Missing answers",
        groups=[f"{report.outcome(key).label} ({report.outcome(key).unit})" for key, _ in pairs],
        notes=[
            (
                "Differences, goal-setting minus control, adjusted as the absence analysis and for the baseline of the"
                " outcome. Composites are in standard deviations of the baseline respondents."
            ),
            (
                "Complete cases and imputation: least squares, standard errors CR1 by team, t. Selection: maximum"
                " likelihood at its highest maximum, clustered by team. The selection model has no variable that"
                " predicts response alone; it rests on its form."
            ),
            f"Monte Carlo errors of the imputed differences: {_monte_carlo(rows)}.",
        ],
    )


@table
def wellbeing(report: StudyReport) -> GT:
    """Wellbeing and its parts."""
    return strategies(report, WELLBEING)


@table
def mediators(report: StudyReport) -> GT:
    """Time pressure, efficacy and its dimensions."""
    return strategies(report, MEDIATORS)


@table
def reliability(report: StudyReport) -> GT:
    """How consistent the scales are among baseline respondents."""
    table = report.table("reliability")
    rows = table.to_dict("records")
    cells = pd.DataFrame(
        {
            "Scale": [SCALES[row["scale"]] for row in rows],
            "Items": [count(row["items"]) for row in rows],
            "Coefficient": [COEFFICIENTS[row["coefficient"]] for row in rows],
            "Estimate": [number(row["estimate"]) for row in rows],
            f"{level(report.plan.conf_level)} CI": [interval(row["conf_low"], row["conf_high"]) for row in rows],
            "People": [count(row["n"]) for row in rows],
        }
    )
    return plain_table(
        cells,
        stub="Scale",
        notes=["Baseline respondents who answered every item of the scale, both arms.", *withheld_note(table)],
    )


@table
def bradford(report: StudyReport) -> GT:
    """Bradford scores, spells, days and the log version."""
    outcomes = (
        "bradford/itt/cr1",
        "bradford/itt/wild-bootstrap",
        "bradford/itt/baseline-zero",
        "bradford/itt/baseline-recorded",
        "bradford/itt/without-largest",
        "log_bradford/itt/cr1",
        "spells/itt/cr1",
        "sickness_absence/itt/spells-authorities",
    )
    rows = pd.DataFrame([report.row(key) for key in outcomes])
    names = {
        "bradford": "Bradford score",
        "log_bradford": "Bradford, log(1 + score)",
        "spells": "Spells",
        "sickness_absence": "Days absent",
    }
    labels = [f"{names[row['outcome']]}: {lowered(report.label(row['result_id']))}" for row in rows.to_dict("records")]
    left = sorted({site.local_authority for site in report.plan.sites} - set(report.table("spells")["local_authority"]))
    return effects_table(
        rows,
        contrast=contrast_of(report.plan),
        labels=labels,
        stub="Outcome",
        notes=[
            f"Without {', '.join(left)}: no record of spells." if left else "All authorities record spells.",
            "Adjusted as the absence analysis, with the baseline of the outcome besides.",
        ],
    )


@table
def compliers(report: StudyReport) -> GT:
    """The effect of starting the course on those whom the offer moved to start it."""
    rows = pd.DataFrame([report.row(f"{key}/cace/iv") for key in ("sickness_absence", "turnover")])
    labels = [
        f"{report.outcome(row['outcome']).label} ({report.outcome(row['outcome']).unit})"
        for row in rows.to_dict("records")
    ]
    notes = [
        f"{label.split(' (')[0]}: {row['note']}"
        for label, row in zip(labels, rows.to_dict("records"), strict=True)
        if row["note"]
    ]
    return effects_table(
        rows,
        contrast=contrast_of(report.plan),
        labels=labels,
        stub="Outcome",
        digits=3,
        notes=[
            (
                "Two-stage least squares, the arm as instrument for starting the course; errors clustered by team."
                f" Beyond the protocol. {_baselines_of_compliers(report)}"
            ),
            *notes,
        ],
    )


def _baselines_of_compliers(report: StudyReport) -> str:
    """That the effect of starting deals with missing baselines in another way than the planned effect, where it
    does.
    """
    here, planned = (
        report.plan.analysis(key) for key in ("sickness_absence/cace/iv", primary_analysis(report.plan).id)
    )
    if here.baseline_absence == planned.baseline_absence:
        return "Missing baselines are dealt with as in the planned analysis."
    offer = next(
        one.id
        for one in versions_of_baselines(report.plan)
        if one.adjusted and one.baseline_absence == here.baseline_absence
    )
    row = report.row(offer)
    return (
        f"Missing baselines are {BASELINE_WAYS[here.baseline_absence]}; the planned analysis has them"
        f" {BASELINE_WAYS[planned.baseline_absence]}. The effect of the offer that belongs to it is"
        f" {number(row['estimate'])} days ({interval(row['conf_low'], row['conf_high'])})."
    )


@table
def cost_benefit(report: StudyReport) -> GT:
    """Ratio of benefits to costs for each scenario, with three intervals."""
    cells = []
    for scenario in report.plan.cost_benefit.scenarios:
        point = report.row(f"benefit_cost/ratio/{scenario.key}")
        row = {
            "Scenario": scenario.label,
            "Ratio": number(point["estimate"]),
            "As printed": interval(point["conf_low"], point["conf_high"]),
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
        spanner=["As printed", "Joint bootstrap", "Fieller"],
        spanner_label=f"{level(report.plan.conf_level)} interval",
        notes=[
            (
                f"Pounds saved for each pound of staff time. Salary {count(costs.salary)} pounds a year over"
                f" {count(costs.working_days)} working days."
            ),
            (
                "As printed: ends of the two intervals put into the formula, the cost of a leaver taken as known."
                " Joint bootstrap: teams resampled in the completed data sets, both effects and the cost of a leaver"
                f" re-estimated (turnover by linear probability; its own ratios are {own})."
            ),
            (
                "Fieller: the time of the programme is fixed, so the set is Wald\u2019s interval of the benefit over"
                " the cost; the standard error of a leaver\u2019s cost is in it."
            ),
        ],
    )


@table
def power(report: StudyReport) -> GT:
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
                f" (absence), {number(turnover.correlation, 1)} (turnover, which has no meaning: nobody has left at"
                " baseline)."
            ),
            "Printed: the value in the protocol.",
        ],
    )


@table
def replay(report: StudyReport) -> GT:
    """The draws of the randomisation, repeated."""
    rows = report.table("replay").to_dict("records")
    cells = pd.DataFrame(
        {
            "Draw": [count(row["draw"]) for row in rows],
            "p, role": [p_value(row["p_role"]) for row in rows],
            "p, length of service": [p_value(row["p_service"]) for row in rows],
            "Accepted": ["yes" if row["accepted"] else "no" for row in rows],
            "Replay": ["agrees" if row["agrees"] else f"differs: {row['note']}" for row in rows],
        }
    )
    return plain_table(cells, stub="Draw")


@table
def strata(report: StudyReport) -> GT:
    """Strata with teams and people by arm."""
    table = report.table("strata")
    rows = table.to_dict("records")
    cells = pd.DataFrame(
        {
            "Stratum": [
                row["stratum"].split("|", 1)[1].replace("|", ", ").replace("agency-", "agency staff ") for row in rows
            ],
            "Authority": [row["local_authority"] for row in rows],
            "Control teams": [count(row["teams_control"]) for row in rows],
            "Goal-setting teams": [count(row["teams_treatment"]) for row in rows],
            "Control people": [count(row["people_control"]) for row in rows],
            "Goal-setting people": [count(row["people_treatment"]) for row in rows],
        }
    )
    return plain_table(
        cells,
        stub="Stratum",
        groups="Authority",
        notes=[
            (
                "q: quartile of the team\u2019s mean absence within the authority; thin strata merged; q0: teams"
                " without a usable record of absence."
            ),
            *withheld_note(table),
        ],
    )


@table
def attrition_wellbeing(report: StudyReport) -> GT:
    """Who answered at endline, by wellbeing at baseline and arm."""
    table = report.table("attrition_wellbeing")
    labels = report.plan.design.arm_labels
    cells = []
    for third, part in table.groupby("level", sort=False):
        by_arm = part.set_index("arm")
        cells.append(
            {"Baseline wellbeing": third}
            | {
                f"{labels[arm]}": f"{percent(by_arm.loc[arm, 'answered'])} of {count(by_arm.loc[arm, 'people'])}"
                for arm in labels
            }
        )
    return plain_table(
        pd.DataFrame(cells),
        stub="Baseline wellbeing",
        spanner=list(labels.values()),
        notes=[
            "Share who answered the endline survey. Thirds of the baseline respondents\u2019 wellbeing.",
            *withheld_note(table),
        ],
    )


@table
def multiplicity(report: StudyReport) -> GT:
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
                "The protocol plans no adjustment. Holm adjusts the planned p values. Westfall and Young\u2019s"
                " step-down re-draws the arms of all outcomes together, which takes one data set: missing baselines at"
                " zero with an indicator, survey outcomes among those who answered. So it adjusts the p values beside"
                " it, of these models by the same draws, and not the planned ones."
            ),
        ],
    )
    return table.tab_spanner("The same outcomes, arms re-drawn", columns=["p, re-drawn", "Westfall-Young"])
