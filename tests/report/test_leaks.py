"""With real data no output of any command holds a name, an identifier, a code, a reason, or what somebody typed.

The synthetic data are copied, said to be real, and words are planted in every raw file and beside it (`real_tools`);
then everything that writes or prints is run, and every byte of what came out is searched, packed and compressed parts
too.
"""

from __future__ import annotations

import csv
import json
import re
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from frozen_tools import ROOT
from openpyxl import load_workbook
from real_tools import NAME, Planted, made_real
from test_whole_report import refresh_manifest
from whole_tools import hhp, hhp_here, small_project

from hhp_stats.intake import check
from hhp_stats.publish import changes
from hhp_stats.publish.kept_text import FOLDER as TEXTS
from hhp_stats.running.run import studies_of
from hhp_stats.studies.kept import FOLDER, note_key

KENT = "data/returns/goal_setting/kent/endline.xlsx"
DATE = "2026-05-31"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    project: Path
    planted: Planted
    said: dict[str, str]  # by command: both streams
    status: dict[str, int]


@pytest.fixture(scope="module")
def ran(whole_report: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A release frozen, a return, a survey and the ledger changed, and all commands run on what is then there.

    The release is of the same values before anything was planted, and so of the same results.
    """
    home = tmp_path_factory.mktemp("real")
    project = small_project(home / "project")
    shutil.rmtree(project / "data/releases", ignore_errors=True)
    found = made_real(project)
    own = set(words_of_sources())
    secret = secrets.token_hex(32)
    planted = Planted(words=(*found.words, secret), identifiers=frozenset(found.identifiers - own))
    assert len(planted.identifiers) > 15_000
    key = home / "key"
    key.write_text(secret + "\n", encoding="utf-8")
    said: dict[str, str] = {}
    status: dict[str, int] = {}

    def note(words: tuple[str, ...], done: subprocess.CompletedProcess[str]) -> None:
        name = " ".join(word for word in words if "/" not in word)
        said[name], status[name] = done.stdout + done.stderr, done.returncode

    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HHP_PSEUDONYM_KEY_FILE", str(key))
        shutil.copytree(whole_report / FOLDER, project / FOLDER)
        for study in studies_of(project):
            note_key(project, study.key, study.key_now(project))
        stand_in = project / "_output"
        stand_in.mkdir()
        (stand_in / "index.html").write_text("<!doctype html>", encoding="utf-8")
        shutil.copy(project / FOLDER / "results.csv", stand_in / "results.csv")
        note(words := ("release", "--date", DATE, "--no-report"), hhp_here(project, *words))
        shutil.rmtree(stand_in)  # only an earlier rendering is replaced
        shutil.rmtree(project / FOLDER)  # and every study is run on what was planted
        # A text that is the same holds the same: Pandoc need not write it again.
        shutil.copytree(whole_report / TEXTS, project / TEXTS)
        correct(project)
        # With three imputations the degrees of freedom are so few that an interval printed without them seems not to fit
        # its p.
        plan = project / "data/plan/goal_setting.toml"
        plan.write_text(plan.read_text(encoding="utf-8").replace("\nm = 3\n", "\nm = 8\n"), encoding="utf-8")
        note(("results",), hhp(project, "results", check=False))
        note(("render",), hhp(project, "render", check=False))
        # What is checked and compared is told in two ways.
        patched.setattr(check, "check_returns", once(check.check_returns))
        patched.setattr(changes, "compare_releases", once(changes.compare_releases))
        for words in (
            ("check",),
            ("check", "--json"),
            ("changes",),
            ("changes", "--json"),
            ("explain", "swing/burnout/itt/hc2"),
            ("audit",),
            ("bundle", str(home / "review.zip")),
            ("bundle", str(home / "blind.zip"), "--blind", "--seed", "3"),
            ("release", "--date", "2026-11-21"),
        ):
            note(words, hhp_here(project, *words, width=240))
    return Ran(project=project, planted=planted, said=said, status=status)


def once(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which for the same words gives what it gave before; who asks is told of no progress then."""
    found: dict[str, Any] = {}

    @wraps(function)
    def remembering(*words: Any, progress: Any = None, **named: Any) -> Any:
        asked = repr((words, sorted(named.items())))
        if asked not in found:
            found[asked] = function(*words, **named)
        return found[asked]

    return remembering


def words_of_sources() -> Iterator[str]:
    """Identifiers that tests and documentation use as examples: a bundle may hold those."""
    for folder in ("hhp_stats", "tests", "report", "benchmarks", "tools"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".qmd", ".csv", ".md", ".toml", ".json"):
                yield from re.findall(r"[A-Za-z0-9_-]{5,}", path.read_text(encoding="utf-8", errors="ignore"))


def correct(project: Path) -> None:
    """A whole workbook replaced, two corrections with a name in all their free text, and answers of a survey
    changed.
    """
    book = load_workbook(project / KENT)
    sheet = book["Return"]
    top = next(row for row in range(1, 15) if sheet.cell(row, 1).value == "Unique Staff ID")
    at = {str(cell.value): cell.column for cell in sheet[top] if cell.value}
    total, ill = (
        next(c for name, c in at.items() if name.startswith(word)) for word in ("Overall abs", "Illness related abs")
    )
    row = next(
        r
        for r in range(top + 1, sheet.max_row)
        if isinstance(sheet.cell(r, ill).value, int | float)
        and sheet.cell(r, ill).value >= 2
        and isinstance(sheet.cell(r, total).value, int | float)
    )
    for column in (total, ill):
        sheet.cell(row, column).value += 3
    book.save(project / KENT)
    refresh_manifest(project, project / KENT)
    others = load_workbook(project / KENT.replace("kent", "bromley"), data_only=True)["Return"]
    left = next(c for name, c in at.items() if "Left the authority" in name)
    person = next(
        r
        for r in range(top + 1, others.max_row)
        if isinstance(others.cell(r, ill).value, int | float)
        and 3 <= others.cell(r, ill).value <= 20
        and str(others.cell(r, left).value).lower() == "no"
        and isinstance(others.cell(r, total).value, int | float)
    )
    with (project / "data/corrections.csv").open("a", encoding="utf-8", newline="") as stream:
        ledger = csv.writer(stream, lineterminator="\n")
        for line, field, column in (("K1", "overall_absence_days", total), ("Zebedee2", "illness_days", ill)):
            value = others.cell(person, column).value
            ledger.writerow(
                [
                    line,
                    "2026-06-02",
                    "goal_setting",
                    "endline",
                    "Bromley",
                    others.cell(person, 1).value,
                    field,
                    f"{value:g}",
                    f"{value + 4:g}",
                    f"asked by {NAME}",
                    NAME,
                ]
            )
    survey = project / "data/surveys/letters/endline.csv"
    rows = list(csv.reader(survey.read_text(encoding="utf-8-sig").splitlines()))
    place = rows[0].index("recognition_1")
    for answers in [line for line in rows[3:] if line[place] in ("2", "3", "4")][:7]:
        answers[place] = "5"
    with survey.open("w", encoding="utf-8-sig", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)
    refresh_manifest(project, survey)


def test_every_command_went_through(ran: Ran) -> None:
    assert {name: ran.said[name][-500:] for name, status in ran.status.items() if status and name != "audit"} == {}


def test_no_command_says_anything_planted(ran: Ran) -> None:
    assert {name: found for name, text in ran.said.items() if (found := ran.planted.found(text.encode()))} == {}


def test_no_page_picture_or_file_of_the_report_holds_anything_planted(ran: Ran) -> None:
    files = [path for path in (ran.project / "_output").rglob("*") if path.is_file()]
    assert len(files) > 100 and {
        "index.html",
        "report.pdf",
        "appendices.pdf",
        "tables.xlsx",
        "results.csv",
        "search-index.js",
    } <= {path.name for path in files}
    assert {
        path.name: found for path in files if (found := ran.planted.found(path.read_bytes() + path.name.encode()))
    } == {}


def test_no_bundle_holds_anything_planted(ran: Ran) -> None:
    for name in ("review.zip", "blind.zip"):
        assert ran.planted.found((ran.project.parent / name).read_bytes()) == set(), name


def test_only_the_private_part_of_a_release_does(ran: Ran) -> None:
    folder = ran.project / "data/releases/2026-11-21"
    public = [path for path in folder.rglob("*") if path.is_file() and "private" not in path.parts]
    assert {path.name for path in public} >= {
        "results.csv",
        "manifest.toml",
        "printed.json",
        "report.pdf",
        "report.zip",
    }
    assert {path.name: found for path in public if (found := ran.planted.found(path.read_bytes()))} == {}
    private = b"\n".join(path.read_bytes() for path in (folder / "private").iterdir())
    assert ran.planted.found(private), "the search finds what is there"
    assert ran.planted.found((folder / "private/returns.csv.gz").read_bytes())


def words_of_page(page: Path) -> str:
    """What a page says, without its tags; where a line may end within a word, the word goes on."""
    text = page.read_text(encoding="utf-8").replace("<wbr>", "")
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_the_page_about_changes_counts_and_names_nobody(ran: Ran) -> None:
    words = words_of_page(ran.project / "_output/H-changes.html")
    assert "fewer than five" in words and "returns of goal_setting, endline" in words
    assert "data/surveys/letters/endline.csv recognition_1 7 none" in words
    assert "K1 (added) 2026-06-02 overall_absence_days 1" in words
    for secret in ("kent/endline", "Bromley, endline", "asked by", "Zebedee"):
        assert secret not in words
    assert "K1 2026-06-02 overall_absence_days 1" in words_of_page(ran.project / "_output/C-data.html")


def test_the_terminal_counts_by_file_and_shows_no_value(ran: Ran) -> None:
    said = ran.said["changes"]
    assert "kent/endline.xlsx" in said and "illness_days" in said and "asked by" not in said
    assert not re.search(r"\brow\b", said.partition("Results")[0], re.IGNORECASE)
    text = ran.said["changes --json"]
    record = json.loads(text[text.index("{") : text.rindex("}") + 1])
    about_raw_files = json.dumps([record[name] for name in ("inputs", "cells", "ledger", "causes")])
    assert "fewer than five" in about_raw_files and "kent" not in about_raw_files.lower()
