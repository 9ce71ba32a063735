"""Corrections of a trial's plain table: what the ledger changes, what is refused, and in every format."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from hhp_stats.cli import app
from hhp_stats.errors import DataError
from hhp_stats.intake.check import check_returns
from hhp_stats.intake.correct import Change
from hhp_stats.intake.correct_table import append_table_corrections
from hhp_stats.intake.ledger import LEDGER, LEDGER_COLUMNS
from hhp_stats.intake.manifest import record_files
from hhp_stats.intake.plain_table import load_plain_table
from hhp_stats.intake.pseudonym import KEY_VARIABLE
from hhp_stats.intake.write_back import write_back
from hhp_stats.plan.individual import load_individual_plan

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from table_trials import KEY, PLAN, walks, without_other_trials, write_walks

WHY = {"received_on": "2025-03-01", "reason": "typed wrongly", "requested_by": "surgery office"}


@pytest.fixture
def home(root, tmp_path, monkeypatch):
    """The made-up trial in a project without raw files of others."""
    key = tmp_path / "key"
    key.write_bytes(np.random.default_rng(1).bytes(48))
    key.chmod(0o600)
    monkeypatch.setenv(KEY_VARIABLE, str(key))
    home = write_walks(without_other_trials(root, tmp_path / "project"))
    (home / "_quarto.yml").write_text("book:\n", encoding="utf-8")
    return home


def loaded(home):
    return load_plain_table(home, load_individual_plan(home, KEY))


def correct(home, person, *, dry_run=False, **changes):
    asked = [Change(field=name, new_value=value) for name, value in changes.items()]
    return append_table_corrections(home, study=KEY, person=person, changes=asked, dry_run=dry_run, **WHY)


def codes(raised):
    return [problem.code for problem in raised.value.problems]


def test_a_correction_is_looked_up_checked_recorded_and_applied(home):
    before = loaded(home)
    assert correct(home, "P0003", steps_6="7.5", dry_run=True)[0].new_value == "7.5" and not (home / LEDGER).exists()
    (line,) = correct(home, "P0003", steps_6="7.5")
    assert float(line.old_value) == walks().loc[3, "steps_6"]
    assert (line.study, line.wave, line.authority, line.staff_id) == (KEY, "", "", "P0003")
    after = loaded(home)
    assert after.people.loc[3, "steps_6"] == 7.5
    pd.testing.assert_frame_equal(after.people.drop(index=3), before.people.drop(index=3))
    applied = after.corrections.iloc[0]
    assert (applied["field"], applied["new_value"], applied["cell"]) == ("steps_6", "7.5", "row 5, column H (steps_6)")
    assert applied["person"] == after.people.loc[3, "person"]  # no identifier
    assert LEDGER in set(after.inputs["path"])


def test_several_columns_in_one_step_the_identifier_last(home):
    lines = correct(home, "P0010", who="P9010", fell="1" if walks().loc[10, "fell"] == 0 else "0", years="")
    assert [line.id for line in lines] == ["C001.1/3", "C001.2/3", "C001.3/3"] and lines[-1].field == "who"
    after = loaded(home)
    assert pd.isna(after.people.loc[10, "years"]) and after.people.loc[10, "fell"] == 1 - walks().loc[10, "fell"]
    assert "P9010" not in after.corrections.to_csv() and "P0010" not in after.corrections.to_csv()


def test_an_arm_is_written_as_the_table_writes_it_and_its_rules_hold(home):
    with pytest.raises(DataError) as raised:
        correct(home, "P0003", arm="coach")  # the others of the surgery are in another arm
    assert codes(raised) == ["T15"]
    with pytest.raises(DataError) as raised:
        correct(home, "P0003", arm="coaching")
    assert codes(raised) == ["E10"]


REFUSED = [
    ("P9999", {"steps_6": "7"}, "E08"),
    ("P0003", {"stairs": "7"}, "E05"),
    ("P0003", {"steps_6": "many"}, "E10"),
    ("P0003", {"steps_6": "41"}, "T10"),
    ("P0003", {"region": "Costa"}, "E10"),
    ("P0003", {"surgery": ""}, "T11"),
    ("P0003", {"who": "P0004"}, "T14"),
]


@pytest.mark.parametrize(
    ("person", "changes", "code"), REFUSED, ids=[each[2] + str(n) for n, each in enumerate(REFUSED)]
)
def test_what_does_not_fit_is_refused_and_the_ledger_stays(home, person, changes, code):
    correct(home, "P0001", steps_6="7.5")
    before = (home / LEDGER).read_bytes()
    with pytest.raises(DataError) as raised:
        correct(home, person, **changes)
    assert code in codes(raised) and (home / LEDGER).read_bytes() == before


def test_a_value_that_is_there_already_or_a_changed_table_is_refused(home):
    correct(home, "P0003", steps_6="7.5")
    with pytest.raises(DataError) as raised:
        correct(home, "P0003", steps_6="7.50")
    assert codes(raised) == ["E11"]
    table = walks()
    table.loc[3, "steps_6"] = 7.0  # the surgery sent another table meanwhile
    table.to_csv(home / f"data/tables/{KEY}.csv", index=False)
    with pytest.raises(DataError) as raised:
        correct(home, "P0004", steps_6="7")
    assert codes(raised) == ["M03"]
    record_files(home)
    with pytest.raises(DataError) as raised:
        loaded(home)
    assert codes(raised) == ["E09"]  # the old value is not what stands there any more


@pytest.mark.parametrize(
    ("name", "value", "code"), [("wave", "baseline", "E04"), ("authority", "Kent", "E04"), ("study", "wlaks", "")]
)
def test_lines_with_a_wave_or_an_authority_are_refused_and_those_of_others_left_to_them(home, name, value, code):
    line = dict.fromkeys(LEDGER_COLUMNS, "") | {
        "id": "C001", "study": KEY, "staff_id": "P0003", "field": "fell", "new_value": "1", **WHY, name: value
    }  # fmt: skip
    with (home / LEDGER).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, LEDGER_COLUMNS)
        writer.writeheader()
        writer.writerow(line)
    record_files(home)
    if code:
        with pytest.raises(DataError) as raised:
            loaded(home)
        assert code in codes(raised)
    else:
        assert not len(loaded(home).corrections)


def as_format(home, table, ending, *, person=True):
    """The made-up trial in another format, without its dates, which each format writes in its own way."""
    table = table.drop(columns="seen", errors="ignore")
    file = home / f"data/tables/{KEY}.{ending}"
    (home / f"data/tables/{KEY}.csv").unlink()
    if ending == "sav":
        pytest.importorskip("pyreadstat").write_sav(table, file)
    elif ending == "csv":
        table.to_csv(file, index=False)
    else:
        table.to_excel(file, index=False, engine="odf" if ending == "ods" else None)
    plan, dictionary = home / f"data/plan/{KEY}.toml", home / f"data/plan/{KEY}.dictionary.csv"
    text = (
        plan.read_text(encoding="utf-8").replace(f"{KEY}.csv", f"{KEY}.{ending}").replace('"steps.before"', '"before"')
    )
    lines = dictionary.read_text(encoding="utf-8").replace("seen,Day of the last visit,date,,,,,\n", "")
    if person:
        text = text.replace('"Patient No"', '"patient"')
    else:
        text = text.replace('person = "who"\n', "").replace('who = "Patient No"\n', "")
        lines = lines.replace("who,Number of the patient,identifier,,,,,\n", "")
    plan.write_text(text, encoding="utf-8")
    dictionary.write_text(lines, encoding="utf-8")
    record_files(home)


@pytest.mark.parametrize("ending", ["xlsx", "ods", "sav"])
def test_every_format_is_corrected_at_its_own_place(home, ending):
    as_format(home, walks().rename(columns={"Patient No": "patient", "steps.before": "before"}), ending)
    correct(home, "P0003", steps_6="7.5")
    found = loaded(home)
    assert found.people.loc[3, "steps_6"] == 7.5
    assert found.corrections["cell"].iloc[0] == ("case 4, variable steps_6" if ending == "sav" else "H5")


def test_without_identifiers_a_row_is_named(home):
    plan = home / f"data/plan/{KEY}.toml"
    plan.write_text(PLAN.replace('person = "who"\n', ""), encoding="utf-8")
    correct(home, "row 5", steps_6="7.5")
    assert loaded(home).people.loc[3, "steps_6"] == 7.5
    with pytest.raises(DataError) as raised:
        correct(home, "5", steps_6="8")
    assert codes(raised) == ["E08"]


def test_the_command(home, monkeypatch):
    monkeypatch.chdir(home)
    words = ["correct", "--study", KEY, "--person", "P0003", "--set", "steps_6=7.5"]
    why = ["--reason", "typed wrongly", "--requested-by", "surgery office", "--received-on", "2025-03-01"]
    done = CliRunner().invoke(app, [*words, *why])
    assert done.exit_code == 0 and "→ 7.5" in done.output and "C001" in done.output
    wrong = CliRunner().invoke(app, [*words, *why, "--wave", "baseline"])
    assert wrong.exit_code == 2 and "neither wave nor authority" in " ".join(wrong.output.split())


@pytest.mark.parametrize("ending", ["csv", "xlsx", "ods", "sav"])
def test_a_copy_to_send_back_has_the_cells_marked(home, tmp_path, ending):
    """Whatever the format, the copy is a workbook with headings above the people and a sheet of problems."""
    table = walks().drop(columns=["Patient No", "seen"]).rename(columns={"steps.before": "before"})
    table.loc[3, "steps_6"] = 41.0  # above the limit of the dictionary
    table["remark"] = "Mrs Nobody rang"
    as_format(home, table, ending, person=False)
    report = check_returns(home, root=home, study=KEY)
    assert [each.code for each in report.problems if each.severity == "error"] == ["T10"]
    (copy,) = write_back(report, tmp_path / "out")
    book = openpyxl.load_workbook(copy)
    assert book.sheetnames == ["Problems", "Table"]
    sheet = book["Table"]
    at = [cell.value for cell in sheet[1]].index("steps_6") + 1
    cell = sheet.cell(row=5, column=at)
    assert float(cell.value) == 41 and "limits of the dictionary" in cell.comment.text
    marked = [each.coordinate for row in sheet.iter_rows(min_row=2) for each in row if each.comment]
    assert cell.coordinate in marked
    assert "Nobody" not in str([[each.value for each in row] for row in sheet.iter_rows()])


def test_a_template_has_the_headings_of_the_file_and_the_limits_of_the_dictionary(home, monkeypatch):
    monkeypatch.chdir(home)
    done = CliRunner().invoke(app, ["template", KEY, "--to", "out"])
    assert done.exit_code == 0
    sheet = openpyxl.load_workbook(home / f"out/{KEY}.xlsx").active
    headings = [cell.value for cell in sheet[1]]
    assert headings[:4] == ["Patient No", "offered", "surgery", "region"]
    rules = {str(rule.sqref)[0]: rule for rule in sheet.data_validations.dataValidation}
    assert rules[chr(65 + headings.index("region"))].formula1 == '"Coast,Hills"'
    assert rules[chr(65 + headings.index("offered"))].formula1 == '"usual care,2,coach"'
    assert rules[chr(65 + headings.index("years"))].formula2 == "100"
    wrong = CliRunner().invoke(app, ["template", KEY, "Kent"])
    assert wrong.exit_code == 2
