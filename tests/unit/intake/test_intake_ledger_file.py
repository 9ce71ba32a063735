"""The file of the ledger: written by one at a time, whole lines only; several fields of one person in one step."""

import csv
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from intake_builder import STUDY, append_correction, write_csv

from hhp_stats.errors import DataError
from hhp_stats.intake import ledger_file
from hhp_stats.intake.correct import Change, append_corrections
from hhp_stats.intake.dictionary import load_study
from hhp_stats.intake.ledger import LEDGER, LEDGER_COLUMNS, Correction, read_ledger
from hhp_stats.intake.ledger_file import append_lines, ledger_alone
from hhp_stats.intake.load import load_trial
from hhp_stats.processes.at_work import LEDGER_WORK, ProjectBusy, at_work

PERSON = {"wave": "endline", "authority": "Kent", "staff_id": "KEN-0009"}
WHY = {"reason": "typing error", "requested_by": "the authority", "received_on": "2020-05-31"}


@pytest.fixture
def project(trial_files):
    trial_files.returns["kent", "endline"].find("KEN-0009").update(left="no", leaving_date=None)
    root = trial_files.write()
    write_csv(root / LEDGER, [], LEDGER_COLUMNS)
    (root / "_quarto.yml").write_text("project:\n  type: book\n", encoding="utf-8")
    return root


def rows(root):
    with (root / LEDGER).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def line(number=1, **changes):
    return Correction(
        **{
            "id": f"C{number:03d}",
            "received_on": "2020-05-31",
            "study": STUDY,
            "wave": "endline",
            "authority": "Kent",
            "staff_id": "KEN-0009",
            "field": "role",
            "old_value": "social worker",
            "new_value": "other",
            "reason": "typing error",
            "requested_by": "the authority",
        }
        | changes
    )


def hhp(root, *words):
    return subprocess.Popen(
        [sys.executable, "-m", "hhp_stats", *words],
        cwd=root,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"COLUMNS": "300"},
    )


def options(given):
    return [word for name, text in given.items() for word in (f"--{name.replace('_', '-')}", text)]


# ------------------------------------------------------------------ several at once
def test_two_commands_at_once_both_stand_in_the_ledger(project):
    both = [
        hhp(project, "correct", *options(PERSON | {"staff_id": who} | WHY), "--set", "overall_absence_days=41")
        for who in ("KEN-0009", "KEN-0010")
    ]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sorted(row["id"] for row in rows(project)) == ["C001", "C002"]
    assert {row["staff_id"] for row in rows(project)} == {"KEN-0009", "KEN-0010"}
    assert sorted(out.split("added as ")[1][:4] for out, _ in said) == ["C001", "C002"]


def test_ten_at_once_wait_for_each_other(project):
    failed = []

    def add(number):
        try:
            append_corrections(
                project, **PERSON, **WHY, changes=[Change(field="overall_absence_days", new_value=str(40 + number))]
            )
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(10)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failed == []
    found = rows(project)
    assert [row["id"] for row in found] == [f"C{number:03d}" for number in range(1, 11)]
    assert {row["new_value"] for row in found} == {str(40 + number) for number in range(10)}
    assert [row["old_value"] for row in found[1:]] == [row["new_value"] for row in found[:-1]]
    assert len(load_trial(project).corrections) == 10


def test_who_waits_too_long_is_told_who_holds_the_ledger(project, monkeypatch):
    monkeypatch.setattr(ledger_file, "LONGEST_WAIT", 0.2)
    before = (project / LEDGER).read_bytes()
    with ledger_alone(project), pytest.raises(ProjectBusy, match=rf"process \({os.getpid()}\).*corrections"):
        append_corrections(project, **PERSON, **WHY, changes=[Change(field="role", new_value="other")])
    assert (project / LEDGER).read_bytes() == before


def test_a_lock_whose_file_was_deleted_locks_nobody_out(tmp_path):
    with at_work(tmp_path, LEDGER_WORK):
        (tmp_path / ".report" / f"{LEDGER_WORK}.lock").unlink()
    with at_work(tmp_path, LEDGER_WORK), pytest.raises(ProjectBusy), at_work(tmp_path, LEDGER_WORK):
        raise AssertionError("two at work")


# ------------------------------------------------------------------ whole or not at all
def _add_for_ever(path):
    for number in range(2, 100_000):
        append_lines(path, [line(number, reason="x" * 2000)])


@pytest.mark.skipif(os.name == "nt", reason="forks, and kills with a signal")
def test_a_kill_at_any_moment_loses_no_line_and_leaves_no_half_one(tmp_path):
    path = tmp_path / "corrections.csv"
    append_lines(path, [line()])
    start = path.read_bytes()
    for moment in (0.01, 0.02, 0.035, 0.05, 0.08, 0.11):
        path.write_bytes(start)
        process = multiprocessing.get_context("fork").Process(target=_add_for_ever, args=(path,))
        process.start()
        time.sleep(moment)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        content = path.read_bytes()
        assert content.startswith(start) and content.endswith(b"\n")
        with path.open(encoding="utf-8", newline="") as file:
            found = list(csv.reader(file))
        assert {len(row) for row in found} == {len(LEDGER_COLUMNS)}
        assert [row[0] for row in found[1:]] == [f"C{number:03d}" for number in range(1, len(found))]


def test_what_stood_there_stays_byte_for_byte(tmp_path):
    path = tmp_path / "corrections.csv"
    heading = ",".join(LEDGER_COLUMNS)
    for before in (
        f'{heading}\r\n"C001",2020-05-31,goal_setting,endline,Kent,KEN-0009,role,a,b,"“quoted”, ½",x\r\n',
        f"\ufeff{heading}\n\nC001,2020-05-31,goal_setting,endline,Kent,KEN-0009,role,a,b,c,d\n",
        heading,  # an editor left the heading alone, without a line break
    ):
        path.write_bytes(before.encode("utf-8"))
        append_lines(path, [line(7)])
        after = path.read_bytes()
        assert after.startswith(before.encode("utf-8"))
        ending = b"\r\n" if "\r\n" in before else b"\n"
        assert after.endswith(b"typing error,the authority" + ending) and after.count(b"C007") == 1
        assert after.removeprefix(before.encode("utf-8")).count(ending) == (2 if before == heading else 1)
    assert not list(tmp_path.glob("*.partial"))


def test_a_full_disk_leaves_the_ledger(project, monkeypatch):
    before = (project / LEDGER).read_bytes()

    def full(_):
        raise OSError(28, "No space left on device", str(project / LEDGER))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Exception, match=r"corrections\.csv: the disk is full.*The ledger stays as it was"):
        append_corrections(project, **PERSON, **WHY, changes=[Change(field="role", new_value="other")])
    assert (project / LEDGER).read_bytes() == before and not list(project.rglob("*.partial"))


@pytest.mark.parametrize("cut", [1, 5, 20, 60])
def test_half_a_line_at_the_end_is_refused_and_nothing_is_glued_to_it(project, cut):
    append_corrections(project, **PERSON, **WHY, changes=[Change(field="role", new_value="other")])
    path = project / LEDGER
    half = path.read_bytes()[:-cut]
    path.write_bytes(half)
    with pytest.raises(DataError, match=r"corrections\.csv, row 2: \[E(01|15)\].*[Cc]omplete the (last )?line"):
        append_corrections(project, **PERSON, **WHY, changes=[Change(field="gender", new_value="male")])
    assert path.read_bytes() == half
    problems = read_ledger(project, study=load_study(project, STUDY)).problems
    assert [each.code for each in problems if each.cell == "row 2"][:1] in (["E01"], ["E15"])


# ------------------------------------------------------------------ several fields in one step
PAIR = [Change(field="left", new_value="yes"), Change(field="leaving_date", new_value="2019-11-04")]


def test_fields_that_need_each_other_go_in_one_step(project):
    for change in PAIR:
        with pytest.raises(DataError, match="R1"):
            append_corrections(project, **PERSON, **WHY, changes=[change])
    first, second = append_corrections(project, **PERSON, **WHY, changes=PAIR)
    assert (first.id, second.id) == ("C001.1/2", "C001.2/2")
    assert [(row["field"], row["old_value"], row["new_value"]) for row in rows(project)] == [
        ("left", "no", "yes"),
        ("leaving_date", "", "2019-11-04"),
    ]
    assert load_trial(project).corrections["id"].tolist() == ["C001.1/2", "C001.2/2"]
    # And back: the old values are those that stand there now.
    back = append_corrections(
        project,
        **PERSON,
        **WHY,
        changes=[Change(field="leaving_date", new_value=""), Change(field="left", new_value="no")],
    )
    assert [(each.id, each.old_value, each.new_value) for each in back] == [
        ("C002.1/2", "2019-11-04", ""),
        ("C002.2/2", "yes", "no"),
    ]
    assert (
        append_correction(project, **PERSON, **WHY, field="role", old_value=role(project), new_value="other").id
        == "C003"
    )


def role(project):
    (found,) = append_corrections(
        project, **PERSON, **WHY, changes=[Change(field="role", new_value="other")], dry_run=True
    )
    return found.old_value


def test_all_of_a_step_or_nothing(project):
    before = (project / LEDGER).read_bytes()
    for bad in (
        {"field": "role", "new_value": "plumber"},
        {"field": "no_such_field", "new_value": "1"},
        {"field": "left", "new_value": "no"},
        {"field": "role", "new_value": "other", "old_value": "nobody"},
    ):
        with pytest.raises(DataError):
            append_corrections(
                project, **PERSON, **WHY, changes=[Change(field="gender", new_value="female"), Change(**bad)]
            )
        assert (project / LEDGER).read_bytes() == before
    with pytest.raises(ValueError, match="each of them once"):
        append_corrections(project, **PERSON, **WHY, changes=[PAIR[0], PAIR[0]])


def test_a_dry_run_checks_and_adds_nothing(project):
    before = (project / LEDGER).read_bytes()
    made = append_corrections(project, **PERSON, **WHY, changes=PAIR, dry_run=True)
    assert [each.old_value for each in made] == ["no", ""]
    assert (project / LEDGER).read_bytes() == before
    with pytest.raises(DataError):
        append_corrections(project, **PERSON, **WHY, changes=PAIR[:1], dry_run=True)


def test_a_step_with_the_staff_id_changes_it_last(trial_files):
    trial_files.returns["kent", "endline"].find("KEN-0009")["staff_id"] = "KEN-0900"
    root = trial_files.write()
    write_csv(root / LEDGER, [], LEDGER_COLUMNS)
    changes = [Change(field="staff_id", new_value="KEN-0009"), Change(field="overall_absence_days", new_value="41")]
    made = append_corrections(root, **PERSON | {"staff_id": "KEN-0900"}, **WHY, changes=changes)
    assert [each.field for each in made] == ["overall_absence_days", "staff_id"]
    assert len(load_trial(root).corrections) == 2


def test_what_cannot_be_read_is_looked_up_without_repeating_it(trial_files):
    trial_files.returns["kent", "endline"].find("KEN-0009")["overall_absence_days"] = "Jane Smith said ten"
    root = trial_files.write()
    write_csv(root / LEDGER, [], LEDGER_COLUMNS)
    (made,) = append_corrections(root, **PERSON, **WHY, changes=[Change(field="overall_absence_days", new_value="10")])
    assert "Jane" not in (root / LEDGER).read_text(encoding="utf-8") and made.old_value.startswith("a text of")
    assert load_trial(root).corrections["new_value"].tolist() == ["10"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: lines[:2],
        lambda lines: [lines[0], *lines[2:]],
        lambda lines: [lines[0], lines[2], lines[1]],
        lambda lines: [lines[0], lines[1], lines[2].replace("KEN-0009", "KEN-0010")],
    ],
    ids=["last line gone", "first line gone", "other order", "another person"],
)
def test_a_torn_step_is_refused_and_none_of_it_applied(project, damage):
    append_corrections(project, **PERSON, **WHY, changes=PAIR)
    path = project / LEDGER
    path.write_text("".join(damage(path.read_text(encoding="utf-8").splitlines(keepends=True))), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        load_trial(project)
    assert {problem.code for problem in caught.value.problems} == {"E14"}


def test_of_a_step_that_no_longer_fits_no_line_is_applied(project):
    append_corrections(project, **PERSON, **WHY, changes=PAIR)
    path = project / LEDGER
    path.write_text(
        path.read_text(encoding="utf-8").replace("leaving_date,,", "leaving_date,2019-10-01,"), encoding="utf-8"
    )
    with pytest.raises(DataError) as caught:
        load_trial(project)
    # Only the line that does not fit: were “left” applied alone, the rule of leaving dates would be broken too.
    assert [(problem.code, problem.cell) for problem in caught.value.problems] == [("E09", "row 3")]


# ------------------------------------------------------------------ the command
def test_the_command_shows_what_it_looked_up(project):
    process = hhp(project, "correct", *options(PERSON | WHY), "--set", "left=yes", "--set", "leaving_date=2019-11-04")
    said, complaint = process.communicate(timeout=120)
    assert process.returncode == 0, complaint
    assert said.splitlines() == [
        "left: no → yes",
        "leaving_date: no value → 2019-11-04",
        "added as C001.1/2 and C001.2/2; `hhp render` applies it",
    ]


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--field", "role"),
        ("--field", "role", "--new", "other"),
        ("--set", "role"),
        ("--set", "=other"),
        ("--set", "role=other", "--old", "x"),
        ("--set", "role=other", "--set", "role=x"),
    ],
)
def test_wrong_use_ends_with_two_and_says_what_to_write(project, monkeypatch, words):
    from typer.testing import CliRunner

    from hhp_stats.cli import app

    monkeypatch.chdir(project)
    shown = CliRunner().invoke(app, ["correct", *options(PERSON | WHY), *words])
    assert shown.exit_code == 2 and "--set" in shown.output
    assert rows(project) == []


@pytest.mark.parametrize(
    "reason",
    [
        "опечатка 😀 👩‍👧",
        "خطأ مطبعي (2019)",
        "输入错误，已更正",
        "e\u0301 = é",
        '"quoted", with; commas',
        "two\nlines\tand a tab",
        "=1+1",
        "#panic() *x* <b>",
        "½ ﬁ ™ “signs” –",
    ],
)
def test_a_reason_in_any_script_comes_back_as_it_was_written(project, reason):
    (made,) = append_corrections(
        project, **PERSON, **WHY | {"reason": reason}, changes=[Change(field="role", new_value="other")]
    )
    (back,) = load_trial(project).corrections["reason"]
    assert back == made.reason
    assert back == " ".join(reason.replace("e\u0301", "é").split())
