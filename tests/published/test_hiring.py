"""The hiring experiments give the printed figures back, from raw files through the pipeline."""

import pandas as pd
import pytest

from hhp_stats.consistency.figures import load_figures
from hhp_stats.consistency.reproduction import mismatches, read_mapping, reproduction_table
from hhp_stats.studies import hiring


@pytest.fixture(scope="module")
def impossible(root):
    """Figures with the conflict that explains why they do not come back (C04, C10)."""
    return pd.read_csv(root / "data/published/unmatched_experiments.csv")["published_id"].tolist()


@pytest.fixture(scope="module")
def output(root):
    return hiring.run(root)


@pytest.fixture(scope="module")
def table(root, output):
    return reproduction_table(
        load_figures(root / "data/published/published_results.csv"), output.results, read_mapping(root, "experiments")
    )


def test_every_possible_figure_comes_back(table, impossible):
    assert mismatches(table, explained=impossible).empty, table.loc[~table["matches"]].to_string()


def test_what_is_called_impossible_does_not_come_back(table, impossible):
    found = table.set_index("published_id")["matches"]
    assert not found[impossible].any() and len(impossible) == 8


def test_every_size_mean_and_error_of_the_experiments_is_mapped(root, table):
    printed = load_figures(root / "data/published/published_results.csv").frame
    own = printed.loc[
        printed["trial"].isin(["diversity_joint", "diversity_blinding"])
        & printed["statistic"].isin(["n", "mean", "se", "p"])
    ]
    assert set(own["id"]) == set(table["published_id"])


def test_commitments_are_kept(root, output):
    import tomllib

    entries = tomllib.loads((root / "data/plan/commitments_experiments.toml").read_text())["commitment"]
    done = {(entry.analysis, entry.aspect): entry.value for entry in output.conduct}
    kept = {
        (e["analysis"], e["aspect"]): " + ".join(e["value"]) if isinstance(e["value"], list) else e["value"]
        for e in entries
        if e["study"] == "hiring"
    }
    assert kept and all(done[key] == value for key, value in kept.items())
