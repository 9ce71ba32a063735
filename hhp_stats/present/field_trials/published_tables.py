"""Tables of published figures beside those computed here, and of those that have no counterpart."""

from __future__ import annotations

import pandas as pd
from great_tables import GT

from hhp_stats.consistency.ledger import DATA_DIFFER, WITHHELD_HERE, read_lists
from hhp_stats.present.field_trials.report import GROUP, FieldTrialReport, rows_of
from hhp_stats.present.numbers import (
    MINUS,
    MISSING,
    WITHHELD,
    p_value,
)
from hhp_stats.present.published_names import in_the_style_of
from hhp_stats.present.tables import plain_table, text_table
from hhp_stats.results.frame import row_of
from hhp_stats.results.lacking import as_sentence


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
    table, figures = report.reproduction(GROUP), report.published()
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
        line["Here"] = in_the_style_of(
            line["Published"], float(row["ours"]), statistic=str(figures.row(key)["statistic"])
        )
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
