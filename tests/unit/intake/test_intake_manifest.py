"""Raw files are those that were accepted, in every study: gone, changed, unlisted and linked ones are refused; `hhp
accept`.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import openpyxl
import pytest
from intake_builder import STUDY
from typer.testing import CliRunner

from hhp_stats.cli import app
from hhp_stats.errors import DataError
from hhp_stats.intake.accept import accept, pending
from hhp_stats.intake.accepted_copies import FOLDER, keep_copies
from hhp_stats.intake.hiring import load_hiring
from hhp_stats.intake.load import load_trial
from hhp_stats.intake.manifest import LEDGER, read_manifest, record_files, verify_manifest
from hhp_stats.intake.participants import load_participants
from hhp_stats.intake.pilots import load_pilot
from hhp_stats.intake.raw_files import CLUTTER, concerns, raw_files, raw_files_of, studies, study_of
from hhp_stats.intake.template import template
from hhp_stats.plan.any_plan import plan_of
from hhp_stats.plan.experiments import ExperimentPlan
from hhp_stats.plan.pilot_schema import PilotPlan
from hhp_stats.running.run import studies_of

HEAD = "id,received_on,study,wave,authority,staff_id,field,old_value,new_value,reason,requested_by\n"


def found(root, **limits):
    return [(problem.code, problem.file) for problem in verify_manifest(root, **limits)]


# ---------------------------------------------------------------- which files
def test_every_raw_file_of_the_release_stands_in_the_manifest_and_is_a_studys(root):
    known = studies(root)
    assert set(known) == {study.key for study in studies_of(root)}
    assert raw_files(root) == sorted(read_manifest(root).files)
    assert {study_of(name, known) for name in raw_files(root)} == set(known)
    assert verify_manifest(root) == []


@pytest.mark.parametrize(
    ("name", "study"),
    [
        ("data/decisions/hiring_scores.csv", "hiring"),
        ("data/allocation/goal_setting_log.csv", "goal_setting"),
        ("data/Surveys/Swing/endline.CSV", "swing"),
        ("data/new/folder/mod_ing_2.csv", "mod_ing"),
        ("data/notes.txt", ""),
        ("data/allocation/hiringx.csv", ""),
    ],
)
def test_a_files_study_is_told_by_a_folder_or_the_beginning_of_its_name(root, name, study):
    assert study_of(name, studies(root)) == study
    assert [key for key in studies(root) if concerns(name, key, studies(root))] == (
        [study] if study else list(studies(root))
    )


@pytest.mark.parametrize(
    "name",
    ["data/new/a.csv", "data/returns/.hidden.csv", "data/surveys/swing/b", "data/c.xlsx", "data/returns/.old/d.csv"],
)
def test_a_file_nobody_expects_is_unlisted(trial_files, name):
    root = trial_files.write()
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text("x", encoding="utf-8")
    # A name that the project does not use may be a person's: the folder is named, `hhp accept` shows the rest.
    ((code, place),) = found(root)
    assert code == "M04"
    assert place.startswith("data/") and place.count("/") == name.count("/")
    assert pending(root)[0].state == "new"


def test_what_programs_leave_behind_is_no_raw_file(trial_files):
    root = trial_files.write()
    for pattern in CLUTTER:
        (root / f"data/returns/{pattern.replace('*', 'x')}").write_text("x", encoding="utf-8")
    (root / "data/.lock").write_text("x", encoding="utf-8")
    (root / "data/plan/notes.txt").write_text("a source of the project", encoding="utf-8")
    assert found(root) == []


def test_links_are_refused_and_never_accepted(trial_files, tmp_path):
    root = trial_files.write()
    outside = tmp_path / "outside.csv"
    path = root / f"data/course_log/{STUDY}.csv"
    shutil.move(path, outside)
    path.symlink_to(outside)
    (tmp_path / "folder").mkdir()
    (root / "data/returns/linked").symlink_to(tmp_path / "folder", target_is_directory=True)
    assert {code for code, _ in found(root)} == {"M01", "M07"}  # the listed one leads outside the project
    with pytest.raises(DataError, match="M07"):
        pending(root)
    before = read_manifest(root).files
    record_files(root)
    assert set(read_manifest(root).files) < set(before), "a link was recorded"


def test_the_case_of_a_name_counts(trial_files):
    root = trial_files.write()
    path = trial_files.return_path("kent", "endline")
    path.rename(path.with_suffix(".XLSX"))
    assert [code for code, _ in found(root)] == ["M02", "M04"]


# ---------------------------------------------------------------- every study
def load(root, study):
    plan = plan_of(root, study)
    if isinstance(plan, PilotPlan):
        return load_pilot(root, plan)
    return load_hiring(root) if isinstance(plan, ExperimentPlan) else load_participants(root, plan)


@pytest.mark.parametrize(
    "study", [study.key for study in studies_of(Path(__file__).resolve().parents[3]) if study.key != STUDY]
)
def test_a_changed_gone_or_unlisted_file_stops_its_study_and_no_other(project, study):
    name = next(name for name in raw_files_of(project, study) if name.startswith("data/allocation"))
    path = project / name
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(DataError) as refused:
        load(project, study)
    problem = refused.value.problems[0]
    assert (problem.code, problem.severity, problem.file) == ("M03", "error", name)
    assert "hhp accept" in problem.remedy
    for other in studies(project):
        assert (found(project, study=other) == []) == (other != study)
    record_files(project)
    (project / f"data/usage/{study}_more.csv").write_text("x", encoding="utf-8")
    with pytest.raises(DataError, match="M04"):
        load(project, study)


def test_the_trial_and_its_templates_are_stopped_too(trial_files):
    root = trial_files.write()
    path = trial_files.return_path("kent", "baseline")
    book = openpyxl.load_workbook(path)
    book["Return"]["F8"] = 11
    book.save(path)
    with pytest.raises(DataError, match="M03"):
        load_trial(root)
    with pytest.raises(DataError, match="M03"):
        template(study=STUDY, authority="Kent", wave="interim", root=root)
    assert template(study=STUDY, authority="Bromley", wave="interim", root=root) is not None


# ---------------------------------------------------------------- the ledger
def line(number):
    return f"C{number},2020-01-0{number},{STUDY},endline,Kent,KEN-000{number},illness_days,1,2,typing,office\n"


def test_the_ledger_may_grow_and_nothing_else(trial_files):
    root = trial_files.write()
    ledger = root / LEDGER
    ledger.write_text(HEAD + line(1) + line(2), encoding="utf-8")
    assert found(root) == []  # lines may be added at any time
    record_files(root)
    ledger.write_text(HEAD + line(1) + line(2) + line(3), encoding="utf-8")
    assert found(root) == []
    ledger.write_text((HEAD + line(1) + line(2)).replace("\n", "\r\n"), encoding="utf-8-sig")
    assert found(root) == [], "another way to write the same lines"
    for text, at in ((line(2) + line(1), 1), (line(1), 2), (line(1) + line(2).replace(",2,", ",3,"), 2), ("", 1)):
        ledger.write_text(HEAD + text, encoding="utf-8")
        problem = verify_manifest(root)[0]
        assert (problem.code, problem.cell) == ("M06", f"line {at} of 2 recorded ones")
    accept(root, pending(root, [LEDGER]))
    assert found(root) == []


# ---------------------------------------------------------------- accepting
def test_a_change_is_shown_by_field_and_recorded(trial_files):
    root = trial_files.write()
    keep_copies(root)
    path = trial_files.return_path("kent", "endline")
    book = openpyxl.load_workbook(path)
    sheet = book["Return"]
    heads = [cell.value for cell in sheet[7]]
    days = next(n for n, head in enumerate(heads, 1) if "Illness related absence" in head)
    for row in (9, 11):
        sheet.cell(row, days).value = 19
    sheet.delete_rows(15)
    book.save(path)
    (change,) = pending(root)
    assert (change.state, change.rows_before - change.rows_now, change.rows_removed, change.rows_added) == (
        "changed",
        1,
        1,
        0,
    )
    assert change.cells == {heads[days - 1]: 2}
    assert [(each.row, each.now) for each in change.changes] == [(9, "19"), (11, "19")]
    accept(root, [change])
    assert pending(root) == [] and found(root) == []


def test_without_a_copy_it_says_what_it_can(trial_files):
    root = trial_files.write()
    shutil.rmtree(root / FOLDER, ignore_errors=True)
    path = root / f"data/course_log/{STUDY}.csv"
    path.write_text("staff_id,local_authority\nx,Kent\n", encoding="utf-8")
    (change,) = pending(root)
    assert (change.rows_before, change.rows_now, change.columns_now) == (None, 1, 2)
    assert "no accepted copy" in change.compared and change.cells == {}


def test_copies_are_private_follow_the_manifest_and_are_not_trusted_blindly(trial_files):
    root = trial_files.write()
    keep_copies(root)
    copies = sorted((root / FOLDER).iterdir())
    assert len(copies) == len(set(read_manifest(root).files.values()))
    assert (root / FOLDER).stat().st_mode & 0o077 == 0 and copies[0].stat().st_mode & 0o077 == 0
    course = root / f"data/course_log/{STUDY}.csv"
    digest = read_manifest(root).files[f"data/course_log/{STUDY}.csv"]
    (root / FOLDER / f"{digest}.csv").write_text("edited", encoding="utf-8")
    course.write_text(course.read_text(encoding="utf-8").replace("Kent", "kent"), encoding="utf-8")
    assert "no accepted copy" in pending(root)[0].compared
    accept(root, pending(root))
    assert not (root / FOLDER / f"{digest}.csv").exists()


@pytest.fixture
def here(trial_files, monkeypatch):
    root = trial_files.write()
    (root / "_quarto.yml").write_text("project: {}\n", encoding="utf-8")
    monkeypatch.chdir(root)
    return root


def hhp(*words):
    return CliRunner().invoke(app, list(words))


def test_the_command_asks_shows_and_records(here):
    assert hhp("accept").exit_code == 0  # nothing changed: copies are kept
    name = f"data/surveys/{STUDY}/linkage.csv"
    text = (here / name).read_text(encoding="utf-8")
    (here / name).write_text(text.replace("sv00003x", "sv90003x"), encoding="utf-8")
    (here / f"data/course_log/{STUDY}.csv").unlink()
    before = (here / "data/manifest.toml").read_bytes()
    shown = hhp("accept", "data/surveys")
    assert shown.exit_code == 2 and "1 cell of survey_code" in shown.output and "sv0" not in shown.output
    assert (here / "data/manifest.toml").read_bytes() == before
    asked = hhp("accept", name, "--json")
    assert asked.exit_code == 1 and json.loads(asked.stdout)["accepted"] is False
    assert (here / "data/manifest.toml").read_bytes() == before
    cells = hhp("accept", name, "--json", "--cells", "--yes")
    record = json.loads(cells.stdout)
    assert cells.exit_code == 0 and record["accepted"]
    assert [(each["before"], each["now"]) for each in record["changes"][0]["changes"]] == [("sv00003x", "sv90003x")]
    assert found(here) == [("M02", f"data/course_log/{STUDY}.csv")], "only the file that was named is recorded"
    assert hhp("accept", "--yes").exit_code == 0 and found(here) == []
    assert hhp("accept", "data/nothing.csv").exit_code == 2
    (here / "data/manifest.toml").write_text("status = ", encoding="utf-8")
    assert isinstance(hhp("accept").exception, DataError)


def test_headings_that_one_version_alone_has_are_counted_and_not_shown(here):
    hhp("accept")
    path = here / f"data/course_log/{STUDY}.csv"
    rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(["Zebedee Quillfeather," + rows[0], *("1," + row for row in rows[1:])]), encoding="utf-8")
    shown = hhp("accept")
    assert "1 column added" in shown.output and "Quillfeather" not in shown.output
    assert "Quillfeather" in hhp("accept", "--cells").output


def test_check_without_a_study_looks_at_the_files_of_every_study(project, monkeypatch):
    monkeypatch.chdir(project)
    path = project / "data/allocation/swing.csv"
    path.write_bytes(path.read_bytes() + b"\n")
    codes = {}
    for study in ("swing", "letters"):
        found = json.loads(hhp("check", "--study", study, "--json").stdout)["problems"]
        codes[study] = [each["code"] for each in found if each["severity"] == "error"]
    assert codes == {"swing": ["M03"], "letters": []}
    everything = hhp("check", "--json")
    assert everything.exit_code == 1
    assert ("M03", "data/allocation/swing.csv") in {
        (each["code"], each["file"]) for each in json.loads(everything.stdout)["problems"]
    }
