"""Which small counts have documents of the programme printed before? Only these may a study show whose rule says so."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from hhp_stats.consistency.figures import load_figures
from hhp_stats.consistency.reproduction import read_mapping, reproduction_table

PUBLISHED = "data/published/published_results.csv"
IN_WORDS = "data/published/public_small_counts.csv"  # printed in words only, without a figure of their own
MAPPING = "small_studies"


def public_counts(root: Path, results: pd.DataFrame) -> dict[str, str]:
    """Result ids of counts whose number a document prints, each with the id of the printed figure."""
    counts = results.loc[results["result_id"].str.endswith("/count")]
    mapping = read_mapping(root, MAPPING)
    own = mapping.loc[mapping["result_id"].isin(counts["result_id"]) & (mapping["column"] == "estimate")]
    compared = reproduction_table(load_figures(root / PUBLISHED), results, own)
    printed = compared.loc[compared["matches"]]
    found = {str(key): str(figure) for key, figure in zip(printed["result_id"], printed["published_id"], strict=True)}
    for row in pd.read_csv(root / IN_WORDS).to_dict("records"):
        same = results.loc[(results["result_id"] == row["result_id"]) & (results["estimate"] == row["value"])]
        if len(same):
            found[str(row["result_id"])] = str(row["published_id"])
    return found
