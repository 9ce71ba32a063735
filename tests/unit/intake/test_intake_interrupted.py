"""A command may be stopped at any moment: inputs stay as they were, earlier outputs stay whole, the next run
succeeds.
"""

import os
import random
import signal
import subprocess
import sys
import time

import openpyxl
import pytest
from intake_builder import STUDY

from hhp_stats.errors import DataError
from hhp_stats.intake.ledger import LEDGER_COLUMNS
from hhp_stats.intake.manifest import read_manifest, verify_manifest

LEDGER = "data/corrections.csv"


def start(folder, words):
    return subprocess.Popen(
        [sys.executable, "-m", "hhp_stats", *words],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"COLUMNS": "200"},
    )


def stop(folder, words, moment, sign):
    """Starts a command, sends the signal after `moment` seconds, and gives what it said on standard error."""
    process = start(folder, words)
    try:
        process.wait(timeout=moment)
    except subprocess.TimeoutExpired:
        process.send_signal(sign)
    return process.communicate(timeout=120)[1]


def contents(folder):
    """The files that stand under their own names, without notes of who holds a lock and of what the next run has to
    clear away.
    """
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".lock")
    return {path: path.read_bytes() for path in files if ".partial" not in path.name and "unfinished" not in path.parts}


def whole(content, path):
    """Whether an output that stands under its own name is complete."""
    if path.suffix == ".xlsx":
        return bool(openpyxl.load_workbook(path).sheetnames)
    lines = content.decode().splitlines()
    return (
        lines[0] == ",".join(LEDGER_COLUMNS)
        and content.endswith(b"\n")
        and all(line.count(",") >= 10 for line in lines)
    )


@pytest.fixture
def project_with_outputs(trial_files):
    sheet = trial_files.returns["kent", "baseline"]
    sheet.people[3]["role"] = "plumber"
    trial_files.ledger = [
        dict(
            zip(
                LEDGER_COLUMNS,
                (
                    "C001",
                    "2020-01-01",
                    STUDY,
                    "baseline",
                    "Kent",
                    "KEN-0001",
                    "gender",
                    str(sheet.people[0]["gender"]),
                    "male" if sheet.people[0]["gender"] == "female" else "female",
                    "typing error",
                    "office",
                ),
                strict=True,
            )
        )
    ]
    root = trial_files.write()
    (root / "_quarto.yml").write_text("project:\n  type: book\n", encoding="utf-8")
    return root


def commands(root):
    months = 5
    return {
        "check": ("check", "--write-back", str(root / "back")),
        "template": ("template", STUDY, "Kent", "--wave", "interim", "--to", str(root / "templates")),
        "correct": (
            "correct",
            "--wave",
            "interim",
            "--authority",
            "Kent",
            "--staff-id",
            "KEN-9001",
            "--field",
            "service_months",
            "--old",
            "2",
            "--new",
            str(months),
            "--reason",
            "typed wrongly",
            "--requested-by",
            "office",
            "--received-on",
            "2020-02-01",
        ),
    }


def interrupt(root, name, times, rng):
    words = commands(root)[name]
    began = time.monotonic()
    start(root, words).communicate(timeout=120)  # the earlier, whole output
    duration = time.monotonic() - began
    if name == "correct":
        lines = (root / LEDGER).read_text(encoding="utf-8").splitlines(keepends=True)
        assert len(lines) == 3
        (root / LEDGER).write_text("".join(lines[:2]), encoding="utf-8")
    before = contents(root)
    for sign in [signal.SIGKILL, signal.SIGINT] * times:
        said = stop(root, words, rng.uniform(0.1, duration * 1.1), sign)
        assert "Traceback" not in said, said
        after = contents(root)
        assert before.keys() <= after.keys(), before.keys() - after.keys()
        for path, content in after.items():
            if path.suffix == ".xlsx" and "data" not in path.parts:
                assert whole(content, path)
            elif path == root / LEDGER:
                assert whole(content, path) and content.startswith(before[path])
                if content != before[path]:  # it was done before the signal came
                    path.write_bytes(before[path])
            elif "written" in path.parts:  # checksums of the workbooks above, whose bytes differ from run to run
                assert content.endswith(b"\n")
            else:
                assert content == before[path], path
    start(root, words).communicate(timeout=120)
    assert contents(root).keys() >= before.keys()
    if name == "correct":
        assert len((root / LEDGER).read_text(encoding="utf-8").splitlines()) == 3


@pytest.mark.parametrize("name", ["check", "template", "correct"])
def test_stopped_at_a_random_moment(project_with_outputs, name):
    interrupt(project_with_outputs, name, 1, random.Random(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["check", "template", "correct"])
def test_stopped_at_many_random_moments(project_with_outputs, name):
    interrupt(project_with_outputs, name, 15, random.Random(f"{name} often"))


@pytest.mark.slow
def test_a_stopped_synthesis_leaves_one_release_or_is_not_read(project):
    words = ("synthesise", "--seed", "77")
    rng = random.Random(5)
    began = time.monotonic()
    start(project, words).communicate(timeout=600)
    duration = time.monotonic() - began
    other = ("synthesise", "--seed", "78")
    for sign in [signal.SIGKILL, signal.SIGINT] * 4:
        # Most of the time goes into drawing; the last tenth, in which files are written, is hit every other time.
        said = stop(project, other, duration * rng.choice((rng.uniform(0, 1), rng.uniform(0.9, 1.05))), sign)
        assert "Traceback" not in said, said
        try:
            read_manifest(project)
        except DataError as refused:
            assert [problem.code for problem in refused.problems] == ["M05"]
        else:
            assert verify_manifest(project) == []
    start(project, other).communicate(timeout=600)
    assert read_manifest(project).other["seed"] == 78 and verify_manifest(project) == []
