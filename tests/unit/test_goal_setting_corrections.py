"""One corrected cell, answer or arm of the trial on returns, a person less in each of its files, a file that never came:
the trial is analysed and its pages are made, or what is wrong is said with file and remedy.

With few draws: only what is there counts, not its numbers.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import joblib
import openpyxl
import pytest
from small_plans import few_draws

from hhp_stats.errors import DataError
from hhp_stats.intake.correct import Change, append_corrections
from hhp_stats.intake.dictionary import WAVES, load_study
from hhp_stats.intake.gather import gather
from hhp_stats.intake.load import load_trial
from hhp_stats.intake.manifest import record_files
from hhp_stats.plan.catalogue import catalogue, study_entry
from hhp_stats.plan.conduct import check_deviations, differences, load_commitments, load_deviations
from hhp_stats.plan.load import load_plan
from hhp_stats.publish.execute import execute
from hhp_stats.publish.project import load_project
from hhp_stats.publish.qmd import read_chapter
from hhp_stats.running.run import run_study
from hhp_stats.studies.estimators import resampling
from hhp_stats.studies.goal_setting import allocation, analysed, arm_balance, multiplicity
from hhp_stats.studies.goal_setting.analyse import analyse

ROOT = Path(__file__).resolve().parents[2]
STUDY = "goal_setting"
FIRST = 8  # row of the first person in a return
Step = Callable[[Path], None]


# ---------------------------------------------------------------- what is changed
def _rows(home: Path, name: str, change: Callable[[list[list[str]], int], list[list[str]]]) -> None:
    """Change the lines below the headings of a list or export; `change` gets them and the number of headings."""
    path = home / "data" / name
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    first = 3 if len(rows) > 2 and any("ImportId" in cell for cell in rows[2]) else 1
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([*rows[:first], *change(rows, first)])
    path.write_text(text.getvalue(), encoding="utf-8")


def a_cell_of_a_return(home: Path) -> None:
    """An authority writes that somebody was absent for a day more."""
    site = load_study(home, STUDY).sites[0]
    people = gather(home, STUDY).returns[site.local_authority]["endline"].frame
    person = people.loc[(people["left"] == 0) & people["illness_days"].between(2, 20)].iloc[0]
    append_corrections(
        home,
        received_on="2020-05-04",
        wave="endline",
        authority=site.local_authority,
        staff_id=str(person["staff_id"]),
        changes=[Change(field="illness_days", new_value=f"{person['illness_days'] + 1:g}")],
        reason="counted again",
        requested_by="the authority",
    )


def an_answer_of_each_survey(home: Path) -> None:
    """The platform sends another answer to one question."""

    def change(rows: list[list[str]], first: int) -> list[list[str]]:
        at = rows[0].index("happiness")
        row = next(row for row in rows[first:] if row[at].isdigit())
        row[at] = str((int(row[at]) + 1) % 11)
        return rows[first:]

    for wave in ("baseline", "endline"):
        _rows(home, f"surveys/{STUDY}/{wave}.csv", change)


def the_arm_of_a_team(home: Path) -> None:
    """The list says another arm for one team."""

    def change(rows: list[list[str]], first: int) -> list[list[str]]:
        at = rows[0].index("treatment")
        rows[first][at] = {"0": "1", "1": "0"}[rows[first][at]]
        return rows[first:]

    _rows(home, f"allocation/{STUDY}.csv", change)


def a_person_less_in_each_return_of(wave: str) -> Step:
    """The last person is gone from the returns of one wave, in every authority."""

    def step(home: Path) -> None:
        for site in load_study(home, STUDY).sites:
            path = home / f"data/returns/{STUDY}/{site.slug}/{wave}.xlsx"
            book = openpyxl.load_workbook(path)
            sheet = book.worksheets[0]
            last = max(row for row in range(FIRST, sheet.max_row + 1) if sheet.cell(row, 1).value is not None)
            sheet.delete_rows(last)
            book.save(path)

    step.__name__ = f"a_person_less_in_each_{wave}_return"
    return step


def a_line_less_in_each_list(home: Path) -> None:
    """One line is gone from the course log, the list of codes and both surveys."""
    for name in (f"course_log/{STUDY}.csv", *(f"surveys/{STUDY}/{part}.csv" for part in ("linkage", *WAVES[::2]))):
        _rows(home, name, lambda rows, first: [*rows[first : first + 4], *rows[first + 5 :]])


def a_team_less(home: Path) -> None:
    """One team is gone from the allocation list."""
    _rows(home, f"allocation/{STUDY}.csv", lambda rows, first: rows[first + 1 :])


def no_endline_return_of_one_authority(home: Path) -> None:
    """An authority never sent its endline return."""
    (home / f"data/returns/{STUDY}/{load_study(home, STUDY).sites[0].slug}/endline.xlsx").unlink()


def nobody_answered_the_endline_survey(home: Path) -> None:
    """The export of the endline survey holds its headings alone."""
    _rows(home, f"surveys/{STUDY}/endline.csv", lambda rows, first: [])


LOST: tuple[Step, ...] = (no_endline_return_of_one_authority, nobody_answered_the_endline_survey)
RENDERED: tuple[Step, ...] = (
    a_cell_of_a_return,
    an_answer_of_each_survey,
    a_person_less_in_each_return_of("interim"),
    a_person_less_in_each_return_of("endline"),
    a_line_less_in_each_list,
    *LOST,
)
# What would change who was drawn: nobody's baseline and arm can be other than in the log without a word.
REFUSED: tuple[Step, ...] = (the_arm_of_a_team, a_team_less)
EITHER: tuple[Step, ...] = (a_person_less_in_each_return_of("baseline"),)


# ---------------------------------------------------------------- what becomes of it
@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the results of every other study, which pages about all of them read."""
    found = tmp_path_factory.mktemp("others") / "project"
    shutil.copytree(ROOT / "data", found / "data", ignore=shutil.ignore_patterns("releases"))
    shutil.copytree(ROOT / "report", found / "report", ignore=shutil.ignore_patterns("figures"))
    for name in ("_quarto.yml", "index.qmd"):
        shutil.copy(ROOT / name, found / name)
    for entry in catalogue(found):
        if entry.study != STUDY:
            run_study(found, entry.study).write(found)
    return found


@pytest.fixture
def home(tmp_path: Path, others: Path) -> Path:
    return Path(shutil.copytree(others, tmp_path / "project"))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch):
    for module, name, value in (
        (multiplicity, "DRAWS", 99),
        (resampling, "DRAWS", 99),
        (arm_balance, "DRAWS", 99),
        (analysed, "BOOTSTRAP_DRAWS", 100),
        (allocation, "PROBABILITY_DRAWS", 50),
    ):
        monkeypatch.setattr(module, name, value)
    with joblib.parallel_config(n_jobs=1):
        yield


def analysed_and_made(home: Path, *, everywhere: bool) -> None:
    """Analyse what is there, hold it against what was planned, write it, and make the trial's own pages; or every page
    that is not another study's.
    """
    plan = few_draws(load_plan(home, STUDY))
    output = analyse(load_trial(home, STUDY), plan)
    ids = set(output.results["result_id"])
    assert {plan.result_id(analysis) for analysis in plan.analyses} <= ids
    lacking = output.results.loc[output.results["status"] == "not_estimated"]
    assert lacking["note"].str.len().gt(10).all() and lacking["estimate"].isna().all()
    commitments = [entry for entry in load_commitments(home) if entry.study == STUDY]
    check_deviations(differences(commitments, output.conduct), load_deviations(home), study=STUDY)
    output.write(home)
    book, entry = load_project(home), study_entry(home, STUDY)
    own = {entry.chapter, *entry.pages}
    elsewhere = {each.chapter for each in catalogue(home)} - own
    wanted = {chapter.path for chapter in book.chapters} - elsewhere if everywhere else own
    sources = [read_chapter(book, chapter) for chapter in book.chapters if chapter.path in wanted]
    assert own <= {source.chapter.path for source in sources} == wanted
    assert len(execute(book, sources, fresh=True)) == len(wanted)


@pytest.mark.slow
@pytest.mark.parametrize("step", RENDERED, ids=lambda step: step.__name__)
def test_a_correction_is_analysed_and_the_pages_are_made(home: Path, step: Step) -> None:
    step(home)
    record_files(home)
    analysed_and_made(home, everywhere=step in LOST)


@pytest.mark.slow
@pytest.mark.parametrize("step", [*REFUSED, *EITHER], ids=lambda step: step.__name__)
def test_what_changes_the_draw_is_refused_with_file_and_remedy(home: Path, step: Step) -> None:
    step(home)
    record_files(home)
    try:
        load_trial(home, STUDY)
    except DataError as refused:
        errors = [problem for problem in refused.problems if problem.severity == "error"]
        assert errors and all(problem.file and problem.rule and problem.remedy for problem in errors)
        return
    assert step in EITHER
    analysed_and_made(home, everywhere=False)


def test_every_kind_of_file_is_changed() -> None:
    changed = {step.__name__ for step in (*RENDERED, *REFUSED, *EITHER)}
    assert {f"a_person_less_in_each_{wave}_return" for wave in WAVES} < changed
