"""Names planted wherever somebody may type one are in no file that any command writes, and in nothing it prints."""

import os
import subprocess
import sys
import zipfile

import openpyxl
import pytest
from intake_builder import STUDY
from openpyxl.comments import Comment
from openpyxl.workbook.defined_name import DefinedName
from whole_tools import hhp_here

from hhp_stats import cli
from hhp_stats.intake.load import load_trial
from hhp_stats.intake.manifest import record_files
from hhp_stats.intake.participants import load_participants

NAME, ADDRESS = "Zebedee Quillfeather", "zebedee.quillfeather@example.invalid"
TRACES = (b"zebedee", b"quillfeather")


def traces_in(path):
    """The planted words in a file: in its bytes, or in each part of a workbook."""
    content = path.read_bytes()
    parts = [content, content.decode("utf-16-le", "ignore").encode()]
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            parts = [*map(str.encode, archive.namelist()), *map(archive.read, archive.namelist())]
    return [trace for trace in TRACES for part in parts if trace in part.lower()]


def hhp(folder, *words):
    return subprocess.run(
        [sys.executable, "-m", "hhp_stats", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"HHP_TRACEBACK": "0"},
    )


def plant_in_workbook(path):
    """Where a workbook may hold a name beside its cells."""
    book = openpyxl.load_workbook(path)
    sheet = book["Return"]
    sheet["C8"].comment = Comment(f"ask {NAME}", NAME)
    sheet["D9"].hyperlink = f"mailto:{ADDRESS}"
    sheet["Z9"] = NAME
    sheet["A1"] = f"Filled in by {NAME}"
    sheet["C12"] = f'="{NAME}"'
    sheet["G10"] = f"3 ({NAME})"
    sheet["A6"] = ADDRESS
    sheet.oddHeader.center.text = NAME
    book.create_sheet(NAME)["A1"] = NAME
    book.properties.creator = book.properties.lastModifiedBy = NAME
    book.defined_names["who"] = DefinedName("who", attr_text=f'"{NAME}"')
    book.save(path)


@pytest.fixture
def planted(trial_files):
    """A project whose files hold canaries in cells, headings, surveys and lists; the tree as it is before commands
    run.
    """
    sheet = trial_files.returns["kent", "baseline"]
    for index, name in enumerate(sheet.labels):
        sheet.people[index][name] = NAME if index % 2 else ADDRESS
    trial_files.returns["bromley", "baseline"].labels["gender"] = f"Surname ({NAME})"
    for wave in ("baseline", "endline"):
        for row in trial_files.surveys[wave]:
            row |= {
                "RecipientLastName": "Quillfeather",
                "RecipientFirstName": "Zebedee",
                "RecipientEmail": ADDRESS,
                "comments": f"{NAME} knows",
                "UserLanguage": NAME,
            }
    for index, name in enumerate(trial_files.survey_fields["endline"]):
        trial_files.surveys["endline"][index % 9][name] = NAME
    for table in (trial_files.allocation, trial_files.course_log, trial_files.linkage):
        for index, name in enumerate(list(table[0])[:-1]):
            table[index % len(table)][name] = NAME
    root = trial_files.write()
    (root / "_quarto.yml").write_text("project:\n  type: book\n", encoding="utf-8")
    for slug in ("kent", "bromley"):
        plant_in_workbook(trial_files.return_path(slug, "baseline"))
    return root


def test_no_command_prints_or_writes_a_name(planted, tmp_path, monkeypatch):
    monkeypatch.setenv("HHP_TRACEBACK", "0")
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    correction = (
        "correct",
        "--wave",
        "baseline",
        "--authority",
        "Kent",
        "--field",
        "role",
        "--old",
        NAME,
        "--new",
        ADDRESS,
        "--received-on",
        "2020-01-01",
        "--requested-by",
        "office",
    )
    runs = [
        ("check",),
        ("check", "--json"),
        ("check", "--write-back", str(tmp_path / "back")),
        ("check", str(planted / "data/returns" / STUDY), "--write-back", str(tmp_path / "more")),
        ("template", STUDY, "Kent", "--wave", "interim", "--to", str(tmp_path / "templates")),
        ("template", STUDY, "Bromley", "--wave", "interim", "--to", str(tmp_path / "templates")),
        (*correction, "--staff-id", NAME, "--reason", "typed wrongly"),
        (*correction, "--staff-id", "KEN-0009", "--reason", "typed wrongly"),
        (*correction, "--staff-id", "KEN-0009", "--reason", ADDRESS),
    ]
    for words in runs:
        done = hhp_here(planted, *words)
        said = (done.stdout + done.stderr).casefold()
        assert done.returncode == 1 and said, words
        leaks = [said[max(at - 120, 0) : at + 40] for trace in TRACES if (at := said.find(trace.decode())) >= 0]
        assert leaks == [], words
        assert "traceback" not in said
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path not in before]
    assert sum(path.suffix == ".xlsx" for path in written) >= 4
    assert {path: found for path in written if (found := traces_in(path))} == {}


def test_the_copy_still_holds_what_identifies_nobody(planted, tmp_path):
    hhp(planted, "check", "--write-back", str(tmp_path / "back"))
    sheet = openpyxl.load_workbook(tmp_path / "back/kent/baseline-to-correct.xlsx")["Return"]
    assert sheet["A20"].value.startswith("KEN-") and sheet["A7"].value == "Unique Staff ID"
    assert isinstance(sheet["F20"].value, int | float) and sheet["B3"].value == "Kent"


def test_loaded_frames_and_what_is_kept_of_them_hold_no_name(trial_files, tmp_path):
    for wave in ("baseline", "endline"):
        for row in trial_files.surveys[wave]:
            row |= {
                "RecipientLastName": "Quillfeather",
                "RecipientFirstName": "Zebedee",
                "RecipientEmail": ADDRESS,
                "comments": f"{NAME} knows",
            }
    trial = load_trial(trial_files.write())
    for name in ("people", "teams", "inputs", "problems", "corrections", "tolerances", "linkage"):
        getattr(trial, name).to_csv(tmp_path / f"{name}.csv")
        getattr(trial, name).to_pickle(tmp_path / f"{name}.pickle")  # what a cache keeps
    kept = [path for path in tmp_path.iterdir() if path.suffix in (".csv", ".pickle")]
    assert len(kept) == 14
    assert {path: found for path in kept if (found := traces_in(path))} == {}


def test_names_in_the_surveys_of_a_field_trial_are_read_by_nobody(project, tmp_path):
    from hhp_stats.plan.individual import load_individual_plan

    for path in (project / "data/surveys/mod_ing").glob("*.csv"):
        text = path.read_text(encoding="utf-8-sig")
        assert "Synthetic" in text or "Person" in text
        path.write_text(
            text.replace("Synthetic,", "Quillfeather,").replace("Person ", "Zebedee "), encoding="utf-8-sig"
        )
    record_files(project)
    found = load_participants(project, load_individual_plan(project, "mod_ing"))
    for name in ("people", "inputs", "problems", "linkage"):
        getattr(found, name).to_pickle(tmp_path / f"{name}.pickle")
    assert [path.name for path in tmp_path.glob("*.pickle") if traces_in(path)] == []


@pytest.mark.parametrize("error", [ValueError, KeyError, ZeroDivisionError, UnicodeError])
def test_an_unforeseen_fault_shows_its_place_and_not_its_message(monkeypatch, capsys, error):
    def fail(*_, **__):
        raise error(f"could not convert {NAME}")

    monkeypatch.delenv("HHP_TRACEBACK", raising=False)
    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr().err
    assert ended.value.code == 70 and error.__name__ in said and "test_intake_canaries.py" in said
    assert "Quillfeather" not in said and "Traceback" not in said
