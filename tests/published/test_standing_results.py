"""Published numbers stand: every result of the programme is as `standing_results.csv` has it, moves only if it is named.

The list holds status, people, clusters, estimate, standard error, p value and interval of every result, to six
significant digits: more than any page prints, fewer than another processor or library may change. A number that moves on
purpose is written anew by `python tests/published/test_standing_results.py`, beside a line in CHANGELOG.md that says what
moved, by how much, and why.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

from hhp_stats.plan.catalogue import catalogue
from hhp_stats.running.run import run_study, studies_of
from hhp_stats.studies.kept import is_kept
from hhp_stats.studies.output import open_output

ROOT = Path(__file__).resolve().parents[2]
STANDING = Path(__file__).with_name("standing_results.csv")
NUMBERS = ["estimate", "std_error", "p_value", "conf_low", "conf_high"]
KEPT = ["result_id", "status", "n", "n_clusters", *NUMBERS]
# Half of the last of six digits, and the same sums in another order; of nothing, dust.
DIGITS, ROUNDED, DUST = 6, 6e-6, 1e-9
QUICK = ("pilot", "experiment")  # the others draw thousands of times: with the slow tests, unless they were run already


def summary(study: str) -> pd.DataFrame:
    """The results of a study as the list holds them: those that are ready, else of a new run."""
    own = next(one for one in studies_of(ROOT) if one.key == study)
    current = is_kept(ROOT, study, own.key_now(ROOT))  # by today's code and data; anything older proves nothing
    results = open_output(ROOT, study).results if current else run_study(ROOT, study).decided(ROOT).results
    return results[KEPT].astype(dict.fromkeys(("n", "n_clusters", *NUMBERS), "float64"), errors="ignore")


def standing() -> pd.DataFrame:
    """The list."""
    return pd.read_csv(STANDING)


def _studies() -> list[object]:
    return [
        pytest.param(entry.study, marks=[] if entry.kind in QUICK else pytest.mark.slow) for entry in catalogue(ROOT)
    ]


@pytest.mark.parametrize("study", _studies())
def test_every_result_is_as_it_was_published(study: str) -> None:
    old = standing()
    old = old.loc[old["result_id"].str.startswith(f"{study}/")].set_index("result_id")
    new = summary(study).set_index("result_id")
    assert list(new.index) == list(old.index)
    assert new["status"].tolist() == old["status"].tolist()
    for name in ("n", "n_clusters", *NUMBERS):
        found = pd.to_numeric(new[name], errors="coerce")  # a withheld number is a word
        wrong = ~((found - old[name]).abs() <= ROUNDED * old[name].abs() + DUST) & ~(found.isna() & old[name].isna())
        assert not wrong.any(), (name, pd.DataFrame({"was": old[name], "is": found})[wrong].head())


def test_the_list_is_that_of_the_studies_there_are() -> None:
    listed = standing()
    assert listed["result_id"].is_unique and len(listed) > 800
    assert list(dict.fromkeys(listed["result_id"].str.split("/").str[0])) == [e.study for e in catalogue(ROOT)]
    assert (listed["status"] == "estimated").sum() > 300


if __name__ == "__main__":
    whole = pd.concat([summary(entry.study) for entry in catalogue(ROOT)], ignore_index=True)
    for column in ("n", "n_clusters", *NUMBERS):
        whole[column] = pd.to_numeric(whole[column], errors="coerce")
    whole.to_csv(STANDING, index=False, float_format=f"%.{DIGITS}g", lineterminator="\n")
    sys.stdout.write(f"{len(whole)} results\n")
