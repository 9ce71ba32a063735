"""Tables of a trial whose data are one plain table, in its own words. Each takes what `on_table` takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
from great_tables import GT

from hhp_stats.plan.individual import Arm, IndividualAnalysis, IndividualOutcome
from hhp_stats.present.field_trials.effects_on_table import unit_of, versions
from hhp_stats.present.field_trials.report import FieldTrialReport, rows_of
from hhp_stats.present.numbers import (
    MISSING,
    WITHHELD,
    count,
    count_of,
    interval,
    level,
    number,
    p_value,
    percent,
    withheld,
    withheld_note,
)
from hhp_stats.present.study_results import Row
from hhp_stats.present.tables import balance_table, plain_table
from hhp_stats.results.frame import LACKING
from hhp_stats.results.lacking import as_sentence

STANDARD = ("hedges-g", "hedges-g-clustered")  # estimators whose unit is the standard deviation


def _value(report: FieldTrialReport, outcome: IndividualOutcome, arm: Arm) -> str:
    row = report.arm(outcome.id, arm)
    if row["status"] in LACKING:
        return WITHHELD if row["status"] == "withheld" else MISSING
    scale, digits, _ = unit_of(outcome)
    value = percent(row["estimate"]) if scale > 1 else number(row["estimate"], digits)
    return f"{value} ({number(scale * row['std_error'], digits)}), {count(row['n'])}"


def _difference(
    report: FieldTrialReport, outcome: IndividualOutcome, row: Row, *, standard: bool = False
) -> dict[str, str]:
    """Difference, interval and p of one row in the unit of its outcome, or in standard deviations."""
    scale, digits, _ = (1.0, 2, "") if standard else unit_of(outcome)
    missing = row["status"] in LACKING
    low, high = row["conf_low"], row["conf_high"]
    reach = MISSING if missing or pd.isna(low) else interval(scale * float(low), scale * float(high), digits)
    return {
        "Difference": (
            WITHHELD if row["status"] == "withheld" else MISSING if missing else number(scale * row["estimate"], digits)
        ),
        f"{level(report.plan.conf_level)} CI": reach,
        "p": p_value(row["p_value"]),
    }


def _minus(report: FieldTrialReport) -> str:
    arms = report.plan.offered
    first = f"\u201c{arms[0].label}\u201d" if len(arms) == 1 else "the arm named"
    return f"Difference: {first} minus \u201c{report.control.label}\u201d"


def _units(report: FieldTrialReport) -> str:
    binary = any(outcome.kind == "binary" for outcome in report.measured)
    return ", in percentage points where the arms are shares" if binary else ""


def _adjusted(report: FieldTrialReport) -> str:
    by = {outcome.label: report.adjusted_for(outcome.id) for outcome in report.measured}
    if not any(by.values()):
        return ""
    words = dict.fromkeys(by.values())
    if len(words) == 1:
        return f", adjusted for {next(iter(words))}"
    return ", adjusted for " + "; ".join(f"{label}: {terms or 'nothing'}" for label, terms in by.items())


def outcomes(report: FieldTrialReport) -> GT:
    """The planned analysis of every outcome and arm, with Holm's adjustment."""
    several = len(report.plan.offered) > 1
    heading = "Arm" if several else report.plan.offered[0].label
    cells, notes = [], []
    for outcome, arm in report.comparisons:
        row = report.planned(outcome.id, arm)
        if row["status"] in LACKING:
            notes.append(f"{report.named(outcome, arm)}: {as_sentence(row['note'])}")
        cells.append(
            {
                "Outcome": arm.label if several else outcome.label,
                **({"of": outcome.label} if several else {}),
                heading: _value(report, outcome, arm),
                report.control.label: _value(report, outcome, report.control),
                **_difference(report, outcome, row),
                "Holm p": p_value(row["p_adjusted"]),
                "Better": outcome.better,
            }
        )
    methods = dict.fromkeys(str(report.planned(o.id, arm)["method"]) for o, arm in report.comparisons)
    return plain_table(
        pd.DataFrame(cells),
        stub="Outcome",
        groups="of" if several else None,
        spanner=[heading, report.control.label],
        notes=[
            (
                f"Arms: {'raw ' if _adjusted(report) else ''}mean or share (standard error), {report.them}."
                f" {_minus(report)}{_units(report)}{_adjusted(report)}."
            ),
            f"{'; '.join(methods)}; {report.them} whose outcome is known.",
            "Holm p: adjusted over all lines of the table. Better: the direction in which more of the outcome is good.",
            *notes,
        ],
    )


def version_table(report: FieldTrialReport, name: str) -> GT:
    """Every version of the analysis of one outcome (and arm), the planned one first."""
    outcome, arm = report.comparison(name)
    cells, notes = _version_cells(report, outcome, arm)
    _, _, words = unit_of(outcome)
    unit = words.strip() or outcome.unit
    return plain_table(
        pd.DataFrame(cells),
        stub="Version",
        notes=[
            (
                f"Unit: {unit}; standard deviations where the line says so. Difference: \u201c{arm.label}\u201d minus "
                f"\u201c{report.control.label}\u201d."
            ),
            *notes,
        ],
    )


def all_versions(report: FieldTrialReport) -> GT:
    """Every version for all outcomes and arms, grouped."""
    cells: list[dict[str, str]] = []
    notes: list[str] = []
    for outcome, arm in report.comparisons:
        own, reasons = _version_cells(report, outcome, arm)
        name = report.named(outcome, arm)
        cells += [{"Version": line["Version"], "of": name, **line} for line in own]
        notes += [f"{name}, {reason}" for reason in reasons]
    return plain_table(
        pd.DataFrame(cells),
        stub="Version",
        groups="of",
        notes=[
            (
                f"{_minus(report)}, in the unit of the outcome{_units(report)}; in standard deviations where the line"
                " says so."
            ),
            *notes,
        ],
    )


def _version_cells(
    report: FieldTrialReport, outcome: IndividualOutcome, arm: Arm
) -> tuple[list[dict[str, str]], list[str]]:
    cells, notes = [], []
    for row in rows_of(versions(report, outcome, arm)):
        analysis = report.plan.analysis(str(row["result_id"]).split("/", 1)[1])
        cells.append(
            {
                "Version": analysis.label,
                **_difference(report, outcome, row, standard=analysis.estimator in STANDARD),
                report.them.capitalize(): _number(report, row, analysis),
                "Kind": str(row["analysis"]),
            }
        )
        if row["status"] in LACKING:
            notes.append(f"{analysis.label}: {as_sentence(row['note'])}")
    return cells, notes


def _number(report: FieldTrialReport, row: Row, analysis: IndividualAnalysis) -> str:
    """How many people a version is about; clusters where each counts once."""
    return (
        report.clusters(row["n"])
        if analysis.estimator == "cluster-means" and row["status"] not in LACKING
        else count(row["n"])
    )


def measures(report: FieldTrialReport) -> GT:
    """What was measured: each outcome with its meaning, unit, range, and for how many it is known."""
    cells = []
    for outcome in report.measured:
        column = report.plan.columns[outcome.column]
        limits = outcome.range or tuple(each for each in (column.minimum, column.maximum) if each is not None)
        ends = f"{limits[0]:g} to {limits[1]:g}" if len(limits) == 2 else MISSING
        if outcome.kind == "binary" or column.scale:
            ends = ", ".join(column.coded) or "0 or 1"
        cells.append(
            {
                "Outcome": outcome.label,
                "What it is": column.meaning,
                "Unit": outcome.unit,
                "Range": ends,
                "Role": outcome.role,
                "Better": outcome.better,
            }
        )
    return plain_table(pd.DataFrame(cells), stub="Outcome")


def response(report: FieldTrialReport) -> GT:
    """For how many of each arm the baseline and the primary outcome are known."""
    baseline = any(outcome.baseline for outcome in report.measured)
    cells = []
    for row in report.records("attrition"):
        line = {"Arm": str(row["label"]), "Randomised": count(row["people"])}
        if baseline:
            line["Baseline known"] = count_of(row["baseline"], row["people"])
        cells.append(line | {"Primary outcome known": count_of(row["responded"], row["people"])})
    return plain_table(
        pd.DataFrame(cells),
        stub="Arm",
        notes=[f"{report.them.capitalize()}; shares of those randomised.", *withheld_note(report.table("attrition"))],
    )


def missing(report: FieldTrialReport) -> GT:
    """For how many of each arm each outcome and each baseline is known."""
    arms = (*report.plan.offered, report.control)
    found: dict[tuple[str, str], dict[str, str]] = {}
    for row in report.records("missing"):
        key = (str(row["outcome"]), str(row["what"]))
        found.setdefault(key, {})[str(row["arm"])] = count_of(row["known"], row["people"])
    cells = [
        {
            "Known": (
                report.outcome(outcome).label if what == "outcome" else report.term(report.outcome(outcome).baseline)
            ),
            **{arm.label: known[arm.id] for arm in arms},
        }
        for (outcome, what), known in found.items()
    ]
    return plain_table(
        pd.DataFrame(cells),
        stub="Known",
        spanner=[arm.label for arm in arms],
        notes=[
            f"{report.them.capitalize()} for whom the value is known, and their share of those randomised.",
            *withheld_note(report.table("missing")),
        ],
    )


def balance(report: FieldTrialReport, arm: str = "") -> GT:
    """The arms before the trial, everyone randomised; of several arms the one named (else the first) against the
    control.
    """
    arms = {each.id: each for each in report.plan.offered}
    chosen = arms[arm] if arm else report.plan.offered[0]
    table = report.table("balance")
    own = table.loc[table["arm"] == chosen.id]
    names = {name: report.term(name) for name in report.plan.balance}
    return balance_table(
        own,
        arm_labels={"control": report.control.label, "treatment": chosen.label},
        covariates=names,
        notes=[
            (
                f"Shares, or means with standard deviations, of all {report.them} randomised to the two arms for whom"
                " the value is known."
            ),
            *withheld_note(own),
        ],
    )


def power(report: FieldTrialReport) -> GT:
    """Detectable effects by the plan's assumptions."""
    cells: list[dict[str, str]] = []
    for entry in report.plan.power.values():
        row = report.detectable(entry.id)
        cells.append(
            {
                "Sample": entry.label,
                report.them.capitalize(): count(row["n"]),
                "Power": percent(entry.power, 0),
                "Level": number(entry.alpha),
                "Detectable effect": number(row["estimate"]),
                **({} if entry.printed is None else {"Planned effect": number(entry.printed)}),
            }
        )
    basis = "arms as large as here"
    if report.plan.design.cluster:
        one, many = report.plan.words.cluster
        basis = f"the numbers and sizes of the {many} and how alike {report.them} of one {one} are here"
    if len(report.plan.offered) > 1:
        basis += f", for the comparison with \u201c{report.control.label}\u201d that has the smallest arm"
    basis += ", no covariates"
    return plain_table(
        pd.DataFrame(cells),
        stub="Sample",
        notes=[f"Smallest difference in standard deviations that is found with this power, two-sided; {basis}."],
    )


def clusters(report: FieldTrialReport) -> GT:
    """Clusters and people of each arm: randomised, and with a known primary outcome."""
    table, heading = report.table("clusters"), report.plan.words.cluster[1].capitalize()
    cells = []
    for arm in (*report.plan.offered, report.control):
        own = table.loc[table["arm"] == arm.id]
        people, known = report.count(f"randomised_{arm.id}"), report.count(f"responded_{arm.id}")
        mean = MISSING if withheld(people) or not len(own) else number(float(people) / len(own), 1)
        cells.append(
            {
                "Arm": arm.label,
                heading: count(len(own)),
                report.them.capitalize(): count(people),
                f"{report.them.capitalize()} each, mean": mean,
                "Primary outcome known": count(known),
            }
        )
    return plain_table(
        pd.DataFrame(cells), stub="Arm", notes=[f"{heading} were randomised whole, with all their {report.them}."]
    )


def alike(report: FieldTrialReport) -> GT:
    """How alike people of one cluster are: the intraclass correlation of every outcome."""
    cells = []
    for outcome in report.measured:
        row = report.row(f"{outcome.id}/icc/anova")
        lacking = row["status"] in LACKING or pd.isna(row["conf_low"])
        cells.append(
            {
                "Outcome": outcome.label,
                "Intraclass correlation": number(row["estimate"], 3),
                f"{level(report.plan.conf_level)} CI": (
                    MISSING if lacking else interval(row["conf_low"], row["conf_high"], 3)
                ),
                report.them.capitalize(): count(row["n"]),
            }
        )
    return plain_table(pd.DataFrame(cells), stub="Outcome", notes=["From the analysis of variance within arms."])


TABLES_ON_TABLE: Mapping[str, Callable[..., GT]] = {
    "outcomes": outcomes,
    "versions": version_table,
    "all_versions": all_versions,
    "measures": measures,
    "response": response,
    "missing": missing,
    "balance": balance,
    "power": power,
    "clusters": clusters,
    "alike": alike,
}
