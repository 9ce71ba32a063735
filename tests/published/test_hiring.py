"""The hiring experiments give the printed figures back, from raw files through the pipeline."""

import pytest

from hhp_stats.consistency.figures import load_figures
from hhp_stats.consistency.reproduction import mismatches, read_mapping, reproduction_table
from hhp_stats.studies import hiring

# C04: a standard error that cannot be one. C10: no one method gives the three p-values of experiment 2.
IMPOSSIBLE = (
    "DIVJ-JME-SE", "DIVJ-SME-SE", "DIVJ-JWB-SE", "DIVJ-SWB-SE", "DIVJ-RQ3-SWB-SE", "DIVJ-RQ3-SME-SE",
    "DIVB-B-ME-P", "DIVB-ME-WB-P",
)  # fmt: skip


@pytest.fixture(scope="module")
def output(root):
    return hiring.run(root)


@pytest.fixture(scope="module")
def table(root, output):
    return reproduction_table(
        load_figures(root / "data/published/published_results.csv"), output.results, read_mapping(root, "experiments")
    )


def test_every_possible_figure_comes_back(table):
    assert mismatches(table, explained=IMPOSSIBLE).empty, table.loc[~table["matches"]].to_string()


def test_what_is_called_impossible_does_not_come_back(table):
    found = table.set_index("published_id")["matches"]
    assert not found[list(IMPOSSIBLE)].any()


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
