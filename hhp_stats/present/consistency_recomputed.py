"""Tables of what was computed again from printed figures: tests, rates, detectable effects, errors of rates."""

from __future__ import annotations

import pandas as pd
from great_tables import GT

from hhp_stats.consistency.comparisons import recompute
from hhp_stats.consistency.relations import Recomputed, recompute_detectable_effects, recompute_relations
from hhp_stats.consistency.verdict import in_figures
from hhp_stats.present.consistency_report import VERDICT, ConsistencyReport, as_printed, grouped, tidy
from hhp_stats.present.numbers import MISSING, count, number, p_value
from hhp_stats.present.tables import plain_table, text_table


def tests(report: ConsistencyReport) -> GT:
    """Every printed p-value of two arms, with what the arms give."""
    verdict = report.verdicts.set_index("id")
    rows = []
    for comparison in report.comparisons:
        if not comparison.p_id:
            continue
        found = recompute(report.figures, comparison)
        row = verdict.loc[comparison.p_id]
        other = "" if row["verdict"] != "another_reading" else f"{row['reading']}: {p_value(row['recomputed'])}"
        rows.append(
            {
                "Comparison": report.in_words(comparison.outcome, comparison.contrast),
                "of": report.trials[comparison.trial],
                "Difference": number(found.test.estimate),
                "p from the arms": p_value(found.test.p_value),
                "Rounding allows": _p_limits(found.p_range.low, found.p_range.high),
                "p, published": as_printed(row["as_printed"]),
                "Verdict": VERDICT[str(row["verdict"])],
                "Reading that fits": other,
            }
        )
    return grouped(
        rows,
        stub="Comparison",
        words=["Verdict", "Reading that fits"],
        notes=[
            "Welch\u2019s test from the published means, standard errors and numbers of people; the range covers"
            " everything that rounds to the published digits."
        ],
    )


def rates(report: ConsistencyReport) -> GT:
    """Rates, sums and repeated totals."""
    return _relation_table(report, recompute_relations(report.figures, report.relations), places=4)


def detectable(report: ConsistencyReport) -> GT:
    """Detectable effects."""
    found = recompute_detectable_effects(report.figures, report.detectable_effects)
    return _relation_table(report, found, places=3, people=True)


def _relation_table(report: ConsistencyReport, found: list[Recomputed], *, places: int, people: bool = False) -> GT:
    rows = []
    for item in found:
        printed = report.figures.row(item.printed_id) if item.printed_id else None
        row = {
            "Quantity": tidy(item.quantity),
            "Recomputed": tidy(in_figures(item.value, places)),
            "Printed": MISSING if printed is None else as_printed(printed["as_printed"]),
        }
        if people:
            row["People it needs"] = (
                MISSING if pd.isna(item.people_for_printed) else count(round(item.people_for_printed))
            )
        row["Agree"] = MISSING if item.reproduces is None else "yes" if item.reproduces else "no"
        remark = "; ".join(filter(None, (f"read as {item.reading}" if item.reading else "", item.note)))
        rows.append(row | {"Remark": tidy(remark)})
    # As printed are words too ("4.16 days in 6 months"): a column of numbers would not break their line.
    numeric = ["Recomputed"] + (["People it needs"] if people else [])
    return text_table(
        pd.DataFrame(rows),
        stub="Quantity",
        numeric=numeric,
        notes=["Lines without a published figure show what the others imply. Read as: another meaning that was tried."],
    )


def rate_errors(report: ConsistencyReport) -> GT:
    """Experiment 1: the printed standard error against every meaning it could have."""
    rows = [
        {
            "Rate": cell.label,
            "Printed rate": f"{number(cell.rate)}%",
            "Printed SE": cell.printed,
            "Least possible": number(cell.least),
            "All decisions separate": number(cell.binomial),
            "Spread of a yes or no": number(cell.yes_or_no, 3),
        }
        for cell in report.rates()
    ]
    return plain_table(
        pd.DataFrame(rows),
        stub="Rate",
        notes=[
            (
                "Least possible: the smallest standard error, in percentage points, that so many people with rates in"
                " steps of a fifth can have around this rate."
            ),
            (
                "All decisions separate: the standard error if each of a person\u2019s decisions counted as another"
                " person. Spread of a yes or no: standard deviation of single answers, as a proportion."
            ),
        ],
    )


def _p_limits(low: float, high: float) -> str:
    if high < 0.001:
        return "< .001"
    ends = [f"{end:.3f}".removeprefix("0") for end in (low, high)]
    return " to ".join(ends) if ends[0] != ends[1] else ends[0]
