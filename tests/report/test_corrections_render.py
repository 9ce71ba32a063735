"""One corrected answer, decision or line in any file of any study, or one person less: the study runs, or says in which
cell and what to do, and its chapter is made.
"""

from __future__ import annotations

import csv
import io
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from frozen_tools import ROOT

from hhp_stats.errors import DataError
from hhp_stats.intake.manifest import record_files
from hhp_stats.intake.raw_files import raw_files_of
from hhp_stats.plan.catalogue import catalogue, study_entry
from hhp_stats.publish.execute import execute
from hhp_stats.publish.project import load_project
from hhp_stats.publish.qmd import read_chapter
from hhp_stats.running.run import run_study

Rows = list[list[str]]
Change = Callable[[list[str], Rows, random.Random], Rows]
LISTED = ("allocation", "usage", "decisions", "course_log", "surveys", "qualitative")
# Studies whose whole run takes a second: in the fast tests.
FAST = ("flexitime",)


def one_person_less(heads: list[str], body: Rows, rng: random.Random) -> Rows:
    """A line is gone."""
    at = rng.randrange(len(body))
    return [row for number, row in enumerate(body) if number != at]


def one_value_changed(heads: list[str], body: Rows, rng: random.Random) -> Rows:
    """A cell has a value that others of its column have, in a column of few values: an answer, a decision, an arm."""
    values = {at: sorted({row[at] for row in body} - {""}) for at in range(len(heads))}
    columns = [at for at, found in values.items() if 1 < len(found) <= 12 and heads[at].lower() != "release"]
    if not columns:
        pytest.skip("no column of few values")
    column = rng.choice(columns)
    row = rng.choice([row for row in body if row[column]])
    row[column] = rng.choice([value for value in values[column] if value != row[column]])
    return body


def nobody_answered(heads: list[str], body: Rows, rng: random.Random) -> Rows:
    """Of a survey there are the headings alone."""
    return []


def files_of(study: str) -> list[str]:
    return [
        name
        for name in raw_files_of(ROOT, study)
        if name.endswith(".csv") and name.split("/")[1] in LISTED and not name.endswith("_log.csv")
    ]


CASES = [
    pytest.param(entry.study, name, change, id=f"{name.removeprefix('data/')}-{change.__name__}", marks=marks)
    for entry in catalogue(ROOT)
    for name in files_of(entry.study)
    if "goal_setting" not in name  # whose files are workbooks too: test_goal_setting_corrections, with few draws
    for change in (one_person_less, one_value_changed, *([nobody_answered] if "/surveys/" in name else []))
    for marks in ([] if entry.study in FAST else [pytest.mark.slow],)
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("corrections") / "project"
    shutil.copytree(ROOT / "data", home / "data", ignore=shutil.ignore_patterns("releases", "returns"))
    shutil.copytree(ROOT / "report", home / "report", ignore=shutil.ignore_patterns("figures"))
    for name in ("_quarto.yml", "index.qmd"):
        shutil.copy(ROOT / name, home / name)
    return home


@pytest.mark.parametrize(("study", "name", "change"), CASES)
def test_a_correction_renders_or_says_what_to_do(project: Path, study: str, name: str, change: Change) -> None:
    path = project / name
    kept = path.read_bytes()
    rows = list(csv.reader(io.StringIO(kept.decode("utf-8-sig"), newline="")))
    first = 3 if len(rows) > 2 and any("ImportId" in cell for cell in rows[2]) else 1
    text = io.StringIO(newline="")
    changed = change(rows[0], rows[first:], random.Random(name))
    csv.writer(text, lineterminator="\n").writerows([*rows[:first], *changed])
    try:
        path.write_bytes(text.getvalue().encode())
        record_files(project)
        try:
            run_study(project, study).write(project)
        except DataError as refused:
            # A list that is not what was drawn, or lacks what others name: with file, place and remedy.
            errors = [problem for problem in refused.problems if problem.severity == "error"]
            assert errors and all(problem.file and problem.remedy for problem in errors)
            return
        book = load_project(project)
        own = study_entry(project, study).chapter
        sources = [read_chapter(book, chapter) for chapter in book.chapters if chapter.path == own]
        assert len(execute(book, sources, fresh=True)) == 1
    finally:
        path.write_bytes(kept)


def test_the_files_of_every_study_but_the_returns_are_tried() -> None:
    tried = {case.values[0] for case in CASES}
    assert tried == {entry.study for entry in catalogue(ROOT)} - {"goal_setting"}
    assert {case.values[2] for case in CASES} == {one_person_less, one_value_changed, nobody_answered}
