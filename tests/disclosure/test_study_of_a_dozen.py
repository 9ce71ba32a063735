"""A study of a dozen people whose small counts are printed: one corrected line leaves nothing to hide a count behind."""

from __future__ import annotations

import csv
import io
import shutil

import pytest

from hhp_stats.disclosure.decision import Published
from hhp_stats.intake.manifest import record_files
from hhp_stats.plan.disclosure import load_disclosure
from hhp_stats.results.withheld import WITHHELD
from hhp_stats.running.run import run_study

STUDY = "flexitime"
WITHDREW = f"""
[[deviation]]
id = "X1"
study = "{STUDY}"
clause = ""
analysis = "data/allocation/{STUDY}"
aspect = "people"
rule = "K33"
units = ["interviewees"]
planned = "as interviewed"
done = "one person withdrew"
reason = "One person asked to be deleted."
decided = "for a test"
before_unblinding = false
"""


@pytest.fixture
def project(root, tmp_path):
    shutil.copytree(root / "data", tmp_path / "data", ignore=shutil.ignore_patterns("releases", "returns", "surveys"))
    return tmp_path


def decided(project, change=lambda rows: rows) -> Published:
    path = project / f"data/allocation/{STUDY}.csv"
    head, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([head, *change(rows)])
    path.write_text(text.getvalue(), encoding="utf-8")
    record_files(project)
    return run_study(project, STUDY).decided(project)


def small(found: Published, threshold: int) -> dict[tuple[str, str, str], int]:
    """Where small counts are printed, and which."""
    printed = found.register.loc[found.register["people"].astype(str) != WITHHELD]
    counts = {
        (row["table"], row["row"], row["column"]): int(row["people"])
        for row in printed.to_dict("records")
        if row["table"] != "undefended"
    }
    return {place: count for place, count in counts.items() if 0 < count < threshold}


def test_whoever_is_taken_out_stops_nothing_and_prints_no_count_that_cannot_be_defended(project):
    threshold = load_disclosure(project, STUDY).threshold
    whole = decided(project)
    assert whole.undefended == () and small(whole, threshold)  # what documents have printed
    with (project / "data/plan/deviations.toml").open("a", encoding="utf-8") as more:
        more.write(WITHDREW)  # the list is then shorter than planned, with its reason
    path = project / f"data/allocation/{STUDY}.csv"
    text, undefended = path.read_text(encoding="utf-8"), []
    for at in range(len(text.splitlines()) - 1):
        path.write_text(text, encoding="utf-8")
        found = decided(project, lambda rows, at=at: [row for number, row in enumerate(rows) if number != at])
        assert not found.undefended or small(found, threshold) == {}, at
        undefended += found.undefended
    # Of some, what documents printed leaves nothing else to hide a count behind: it is said, and nothing is printed.
    assert undefended and all("nothing more can be withheld" in each for each in undefended)
