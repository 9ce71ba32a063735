"""A study of a dozen people whose small counts are printed: one corrected line leaves nothing to hide a count behind."""

from __future__ import annotations

import csv
import io
import shutil

import pytest

from hhp_stats.disclosure.decision import Published
from hhp_stats.intake.manifest import record_files
from hhp_stats.plan.disclosure import load_disclosure
from hhp_stats.running.run import run_study
from hhp_stats.withheld import WITHHELD

STUDY = "flexitime"


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


def small(found: Published, threshold: int) -> list[int]:
    printed = [str(value) for value in found.register["people"] if str(value) != WITHHELD]
    return [int(value) for value in printed if 0 < int(value) < threshold]


def another_role(rows):
    """Of four team managers one is a senior practitioner: three and two, which no document printed."""
    at = next(at for at, row in enumerate(rows) if row[1] == "team manager")
    return [
        [name, "senior practitioner" if number == at else role, *rest]
        for number, (name, role, *rest) in enumerate(rows)
    ]


def somebody_gone(rows):
    """Of four who had used it for long three are left."""
    at = next(at for at, row in enumerate(rows) if row[2] == "over one year")
    return [row for number, row in enumerate(rows) if number != at]


@pytest.mark.parametrize("change", [somebody_gone, another_role])
def test_a_corrected_line_stops_nothing_and_prints_no_small_count(project, change):
    before = decided(project)
    assert before.undefended == () and len(small(before, load_disclosure(project, STUDY).threshold)) > 0
    after = decided(project, change)
    assert small(after, load_disclosure(project, STUDY).threshold) == []
    # What documents printed of these people a reader can still add up: it is said how much.
    assert len(after.undefended) == 1 and "nothing more can be withheld" in after.undefended[0]
