"""Letters, coffee and the two pilots: every printed count and share comes back from raw files through the pipeline."""

import pandas as pd
import pytest

from hhp_stats.consistency.figures import load_figures
from hhp_stats.consistency.reproduction import mismatches, read_mapping, reproduction_table
from hhp_stats.running.run import run_study

STUDIES = ("letters", "coffee", "dictation", "flexitime")
# Facts of the interviews and of the design, or repeats: held as facts of the plan, no results of a pipeline.
NOT_RESULTS = {
    "DIC-INT-CO",
    "DIC-INT-BR",
    "DIC-INT",
    "DIC-INT-CO2",
    "DIC-INT-BR2",
    "DIC-FG",
    "DIC-PC-WRITEUP",
    "DIC-SAVE-HOUR",
    "DIC-SAVE-WEEK",
    "DIC-SAVE-EXEC",
    "DIC-SAVE-DISC",
    "DIC-SAVE-WEB",
    "FLX-TM-CHALL",
    "COF-BLDG-MIN",
}


@pytest.fixture(scope="module")
def printed(root):
    return load_figures(root / "data/published/published_results.csv")


@pytest.fixture(scope="module")
def table(root, printed):
    results = pd.concat([run_study(root, study).results for study in STUDIES], ignore_index=True)
    return reproduction_table(printed, results, read_mapping(root, "small_studies"))


def test_every_figure_comes_back(table):
    assert mismatches(table).empty, table.loc[~table["matches"]].to_string()


def test_every_printed_figure_of_these_studies_is_mapped_or_named(printed, table):
    own = printed.frame.loc[printed.frame["trial"].isin(STUDIES)]
    assert set(own["id"]) == set(table["published_id"]) | NOT_RESULTS


def test_buildings_hold_as_many_social_workers_as_printed(root, printed):
    sizes = run_study(root, "coffee").tables["clusters"]["people"]
    assert len(sizes) == printed.row("COF-BLDG")["value"] and sizes.min() >= printed.row("COF-BLDG-MIN")["value"]
