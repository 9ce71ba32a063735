"""The tables of the field-trial chapters."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
from great_tables import GT

from hhp_stats.consistency.ledger import DATA_DIFFER, WITHHELD_HERE, read_lists
from hhp_stats.lacking import as_sentence
from hhp_stats.present.field_trials.report import FieldTrialReport, Row, inside, rows_of
from hhp_stats.present.field_trials.sentences import versions
from hhp_stats.present.numbers import (
    MINUS,
    MISSING,
    WITHHELD,
    count,
    count_of,
    interval,
    level,
    number,
    p_clause,
    p_value,
    percent,
    withheld_note,
)
from hhp_stats.present.status import read_release
from hhp_stats.present.tables import balance_table, plain_table, text_table
from hhp_stats.results import LACKING, row_of


def _reach(row: Row, digits: int = 2) -> str:
    return MISSING if pd.isna(row["conf_low"]) else interval(row["conf_low"], row["conf_high"], digits)


def _arm(row: Row) -> str:
    return f"{number(row['estimate'])} ({number(row['std_error'])}), {count(row['n'])}"


def outcomes(report: FieldTrialReport) -> GT:
    """The planned analysis of every outcome, with Holm's adjustment."""
    cells, notes = [], []
    for outcome in report.plan.outcomes.values():
        if outcome.id == "response":
            continue
        row = report.planned(outcome.id)
        if row["status"] in LACKING:
            notes.append(f"{outcome.label}: {as_sentence(row['note'])}")
            means = [MISSING, MISSING]
        else:
            means = [_arm(report.arm(outcome.id, arm)) for arm in (report.treatment, report.control)]
        cells.append(
            {
                "Outcome": outcome.label,
                report.treatment.label: means[0],
                report.control.label: means[1],
                "Difference": number(row["estimate"]),
                f"{level(row['conf_level'])} CI": _reach(row),
                "p": p_value(row["p_value"]),
                "Holm p": p_value(row["p_adjusted"]),
                "Better": outcome.better,
            }
        )
    planned = report.planned(report.measured[0].id)
    return plain_table(
        pd.DataFrame(cells),
        stub="Outcome",
        spanner=[report.treatment.label, report.control.label],
        notes=[
            _arms_note(report),
            f"{planned['method']}; people who answered the outcome.{_clauses(report)}",
            (
                "Holm p: adjusted over the outcomes of the trial. Better: the direction in which more of the outcome is"
                " good."
            ),
            *notes,
        ],
    )


def _arms_note(report: FieldTrialReport) -> str:
    """What the columns of arms and the column of differences hold: of one kind, or raw beside adjusted."""
    by = {outcome.label: report.adjusted_for(outcome.id) for outcome in report.measured}
    if not any(by.values()):
        return "Arms: mean (standard error), people. Difference: treated minus control."
    words = next(iter(by.values()))
    if len(set(by.values())) > 1:
        words = "; ".join(f"{inside(label)}: {terms or 'nothing'}" for label, terms in by.items())
    return f"Arms: raw mean (standard error), people. Difference: treated minus control, adjusted for {words}."


def _clauses(report: FieldTrialReport) -> str:
    found = [c for o in report.measured for c in str(report.planned(o.id)["clause"]).split()]
    return f" Clauses {', '.join(dict.fromkeys(found))}." if found else ""


def version_table(report: FieldTrialReport, outcome: str) -> GT:
    """Every version of the analysis of one outcome, the planned one first."""
    entry = report.outcome(outcome)
    cells, notes = (
        [],
        [f"Unit: {entry.unit}, but standard deviations in the last line. Difference: treated minus control."],
    )
    for row in rows_of(versions(report, entry)):
        analysis = report.plan.analysis(str(row["result_id"]).split("/", 1)[1])
        cells.append(
            {
                "Version": analysis.label,
                "Difference": number(row["estimate"]),
                f"{level(row['conf_level'])} CI": _reach(row),
                "p": p_value(row["p_value"]),
                "People": count(row["n"]),
                "Kind": row["analysis"],
            }
        )
        if row["status"] in LACKING:
            notes.append(f"{analysis.label}: {as_sentence(row['note'])}")
    return plain_table(pd.DataFrame(cells), stub="Version", notes=notes)


def all_versions(report: FieldTrialReport) -> GT:
    """Every version for all outcomes, grouped."""
    cells: list[dict[str, str]] = []
    for outcome in report.measured:
        for row in rows_of(versions(report, outcome)):
            analysis = report.plan.analysis(str(row["result_id"]).split("/", 1)[1])
            cells.append(
                {
                    "Version": analysis.label,
                    "of": outcome.label,
                    "Difference": number(row["estimate"]),
                    f"{level(row['conf_level'])} CI": _reach(row),
                    "p": p_value(row["p_value"]),
                    "People": count(row["n"]),
                    "Kind": row["analysis"],
                }
            )
    return plain_table(
        pd.DataFrame(cells),
        stub="Version",
        groups="of",
        notes=[
            (
                "Difference: treated minus control, in the unit of the outcome; in standard deviations where the line"
                " says so."
            ),
            "One thing is changed at a time against the planned analysis.",
        ],
    )


def measures(report: FieldTrialReport) -> GT:
    """What was measured: scales, items, range, reliability; and what the report leaves open."""
    reliability = {row["scale"]: row["estimate"] for row in report.records("reliability")}
    scales = report.plan.scales.values()
    synthetic = read_release(report.root).is_synthetic(report.plan.study)
    cells = {
        "Scale": [scale.label for scale in scales],
        "Items": [count(len(scale.items)) for scale in scales],
        "Range": [f"{scale.low:g} to {scale.high:g}" for scale in scales],
        "Consistency": [number(reliability.get(scale.id)) for scale in scales],
        "Instrument": ["printed" if scale.printed else "assumed" for scale in scales],
    }
    return plain_table(
        pd.DataFrame(cells),
        stub="Scale",
        notes=[
            "Consistency: Cronbach\u2019s alpha at the endline, for two items the Spearman-Brown coefficient."
            + (" It describes synthetic answers and says nothing about the instruments." if synthetic else "")
        ],
    )


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


def power(report: FieldTrialReport) -> GT:
    """Detectable effects as printed and as the formula has them."""
    cells: list[dict[str, str]] = []
    clustered = bool(report.plan.design.cluster)
    for entry in report.plan.power.values():
        row = report.detectable(entry.id)
        # How many people an effect takes depends, where clusters were drawn, on how many clusters there are.
        asked = entry.printed is not None and not clustered
        needed = report.row(f"power/people_needed_{entry.id}/formula") if asked else None
        cells.append(
            {
                "Sample": entry.label,
                "Response": MISSING if entry.response is None else percent(entry.response, 0),
                "People": count(row["n"]),
                "Printed effect": number(entry.printed) if entry.printed is not None else MISSING,
                "Computed effect": number(row["estimate"]),
                "People for the published effect": MISSING if needed is None else count(round(needed["estimate"])),
            }
        )
    first = next(iter(report.plan.power.values()))
    basis = "equal arms, no covariates"
    if clustered:
        basis = f"the sizes of each {report.plan.design.unit} and its people as similar as found here, no covariates"
    return plain_table(
        pd.DataFrame(cells),
        stub="Sample",
        notes=[
            f"Smallest difference in standard deviations that is found with a power of {percent(first.power, 0)} at a"
            f" two-sided level of {number(first.alpha)}; {basis}."
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
                f"{level(row['conf_level'])} CI": _reach(row),
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
                "Cohort 1": f"{number(one['estimate'])} ({_reach(one)})",
                "Cohort 2": f"{number(two['estimate'])} ({_reach(two)})",
                "Second minus first": f"{number(gap['estimate'])} ({_reach(gap)})",
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


def published(report: FieldTrialReport) -> GT:
    """The published comparisons beside those of this release."""
    figures, mapping = report.published(), report.counterparts()
    cells: list[dict[str, str]] = []
    for outcome in report.measured:
        row, line = report.planned(outcome.id), {"Outcome": outcome.label}
        for arm in (report.treatment, report.control):
            key = f"{report.plan.study}/{outcome.id}/mean_{arm.id}/raw"
            parts = {c: figures.row(str(mapping[(key, c)]["published_id"])) for c in ("n", "estimate", "std_error")}
            line[arm.label] = _printed(*(str(parts[c]["as_printed"]) for c in ("estimate", "std_error", "n")))
        p = mapping[(str(row["result_id"]), "p_value")]
        line["p, published"] = str(figures.row(str(p["published_id"]))["as_printed"])
        line["p, this release"] = p_value(row["p_value"])
        line["Agree"] = "yes" if p["matches"] else "no"
        cells.append(line)
    return plain_table(
        pd.DataFrame(cells),
        stub="Outcome",
        spanner=[report.treatment.label, report.control.label],
        spanner_label="Published arm",
        notes=[
            (
                "Arms as published: mean (standard error), people. p, published: from a regression whose covariates are"
                " not listed."
            ),
            (
                "p, this release: the planned analysis of its data, whose arms have the published sizes, means and"
                " standard errors up to their rounding; the last digit may therefore differ from the p of the published"
                " arms."
            ),
        ],
    )


def _printed(mean: str, std_error: str, n: str) -> str:
    return f"{mean} ({std_error}), {n}".replace("-", MINUS)


def unmatched(report: FieldTrialReport) -> GT:
    """Published figures that do not come back, with the conflict that explains each, or word that only the data
    differ.
    """
    reasons = read_lists(report.root).unmatched
    table, figures = report.reproduction(), report.published()
    cells: list[dict[str, str]] = []
    for row in rows_of(table.loc[~table["matches"]]):
        key = str(row["published_id"])
        line = {"Figure": key, "Published": str(figures.row(key)["as_printed"]), "Here": MISSING, "Conflict": ""}
        if pd.isna(row["ours"]):
            result = row_of(report.output.results, str(row["result_id"]))
            lacks = result["status"] == "withheld"
            why = WITHHELD_HERE if lacks else as_sentence(result["note"])
            cells.append(line | {"About": why} | ({"Here": WITHHELD} if lacks else {}))
            continue
        ours = float(row["ours"])
        places = 0 if ours.is_integer() else 2 if abs(ours) < 1 else 1
        line["Here"] = number(ours, places)
        if key in reasons:
            conflict = report.conflict(reasons[key])
            cells.append(line | {"Conflict": conflict.id, "About": conflict.topic})
        else:
            cells.append(line | {"About": DATA_DIFFER})
    return text_table(
        pd.DataFrame(cells, columns=["Figure", "Published", "Here", "Conflict", "About"]),
        stub="Figure",
        numeric=["Published", "Here"],
        notes=["Figures by their id in data/published/published_results.csv."],
    )


TABLES: dict[str, Callable[..., GT]] = {
    "outcomes": outcomes,
    "versions": version_table,
    "all_versions": all_versions,
    "measures": measures,
    "response": response,
    "balance": balance,
    "power": power,
    "periods": periods,
    "cohorts": cohorts,
    "published": published,
    "unmatched": unmatched,
}
