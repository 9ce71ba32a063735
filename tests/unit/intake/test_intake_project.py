"""Manifest, pseudonym keys, missing and stray files, check report, write-back and template."""

import hashlib
import hmac
import pickle

import openpyxl
import pytest
from intake_builder import PROJECT, STUDY

from hhp_stats.errors import DataError, PlanError
from hhp_stats.intake.check import TRIAL_TEAM, check_returns
from hhp_stats.intake.dictionary import load_dictionary, load_study
from hhp_stats.intake.gather import gather
from hhp_stats.intake.load import load_trial
from hhp_stats.intake.manifest import read_manifest, record_files, study_status, verify_manifest
from hhp_stats.intake.pseudonym import DEVELOPMENT_KEY, KEY_VARIABLE, Pseudonyms, load_pseudonyms
from hhp_stats.intake.spellings import load_spellings
from hhp_stats.intake.template import template
from hhp_stats.intake.write_back import REMOVED, write_back


def error_codes(root):
    with pytest.raises(DataError) as caught:
        load_trial(root)
    return [problem.code for problem in caught.value.problems]


# ---------------------------------------------------------------- keys


def test_the_pseudonym_is_the_keyed_hash_of_authority_and_id():
    expected = hmac.new(b"k" * 32, b"Kent\x1fKEN-0001", hashlib.sha256).hexdigest()[:16]
    assert Pseudonyms(b"k" * 32).of("Kent", "KEN-0001") == expected
    assert Pseudonyms(b"k" * 32).of("Kent", "KEN-0001") != Pseudonyms(b"l" * 32).of("Kent", "KEN-0001")
    assert Pseudonyms(b"k" * 32).of("KentK", "EN-0001") != expected


def test_a_key_is_neither_shown_nor_stored():
    pseudonyms = Pseudonyms(b"very secret key of 32 bytes.....")
    assert "secret" not in repr(pseudonyms)
    with pytest.raises(TypeError):
        pickle.dumps(pseudonyms)


GOOD_KEY = b"9f2c61d07be84a35c8e1f6027d93ba54"


def test_real_data_need_a_key_outside_the_project(tmp_path, monkeypatch):
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    root = tmp_path / "project"
    root.mkdir()
    assert load_pseudonyms(root, status="synthetic").development
    with pytest.raises(DataError, match="secret pseudonym key"):
        load_pseudonyms(root, status="real")
    for folder, content, message in (
        (root, b"k" * 40, "outside"),
        (tmp_path, b"short", "at least 32"),
        (tmp_path, DEVELOPMENT_KEY, "development key"),
    ):
        (folder / "key").write_bytes(content)
        monkeypatch.setenv(KEY_VARIABLE, str(folder / "key"))
        with pytest.raises(DataError, match=message):
            load_pseudonyms(root, status="real")
    (tmp_path / "key").write_bytes(GOOD_KEY + b"\n")
    assert load_pseudonyms(root, status="real").of("a") == Pseudonyms(GOOD_KEY).of("a")
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "none"))
    with pytest.raises(DataError, match="cannot be read"):
        load_pseudonyms(root, status="synthetic")


def test_real_data_do_not_load_with_the_development_key(trial_files):
    trial_files.status = "real"
    assert error_codes(trial_files.write())[0] == "P01"


def test_synthetic_and_real_files_are_not_mixed(trial_files, monkeypatch, tmp_path):
    trial_files.returns["kent", "baseline"].mark = None
    assert error_codes(trial_files.write()) == ["F20"]
    (tmp_path / "key").write_bytes(GOOD_KEY)
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "key"))
    trial_files.seal()
    record_files(trial_files.root, status="real")
    assert set(error_codes(trial_files.root)) == {"F21"}


# ---------------------------------------------------------------- manifest and files


def test_the_manifest_says_what_it_knows(trial_files):
    root = trial_files.write()
    assert study_status(root, "goal_setting") == "synthetic"
    assert verify_manifest(root) == []
    assert read_manifest(root).release == "2026-01-01"
    before = (root / "data/manifest.toml").read_bytes()
    record_files(root)
    assert (root / "data/manifest.toml").read_bytes() == before


def test_replaced_lost_and_new_files(trial_files):
    root = trial_files.write()
    path = root / f"data/course_log/{STUDY}.csv"
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    (root / f"data/returns/{STUDY}/kent/notes.txt").write_text("x", encoding="utf-8")
    assert sorted(error_codes(root)) == ["M03", "M04"]
    trial_files.return_path("kent", "baseline").unlink()
    assert {"F17", "M02", "M03", "M04"} <= set(error_codes(root))
    record_files(root)
    assert "F17" in error_codes(root)


@pytest.mark.parametrize("content", [None, "", "status = 'draft'", "[files]\n", "status = "])
def test_a_damaged_manifest_is_refused(trial_files, content):
    root = trial_files.write()
    path = root / "data/manifest.toml"
    path.unlink() if content is None else path.write_text(content, encoding="utf-8")
    assert error_codes(root) == ["M01"]


def test_a_manifest_cannot_point_outside(trial_files):
    root = trial_files.write()
    path = root / "data/manifest.toml"
    path.write_text(path.read_text(encoding="utf-8") + '"../../etc/passwd" = "00"\n', encoding="utf-8")
    assert "M01" in error_codes(root)


def test_wrong_folder_two_files_and_missing_lists(trial_files):
    trial_files.returns["kent", "baseline"].authority = "Bromley"
    root = trial_files.write()
    trial_files.return_path("bromley", "interim").with_suffix(".csv").write_text("x", encoding="utf-8")
    (root / f"data/course_log/{STUDY}.csv").unlink()
    codes = error_codes(root)
    assert {"F04", "F18", "L01"} <= set(codes)


def test_an_unknown_study_and_a_damaged_dictionary(trial_files):
    root = trial_files.write()
    with pytest.raises(PlanError):
        load_trial(root, "no_such_study")
    (root / "data/dictionary.csv").write_text("file,wave\n", encoding="utf-8")
    with pytest.raises(DataError, match="D01"):
        load_trial(root)


@pytest.mark.parametrize("row", ["role,cook,plumber,", "role,,other,", "role,SW,other,"])
def test_a_wrong_mapping_of_spellings_is_refused(trial_files, row):
    root = trial_files.write()
    with (root / "data/spellings.csv").open("a", encoding="utf-8") as file:
        file.write(row + "\n")
    with pytest.raises(DataError, match="D02"):
        load_spellings(root, load_dictionary(root))


def test_the_published_mapping_is_valid():
    fields = load_dictionary(PROJECT)
    spellings = load_spellings(PROJECT, fields)
    study = load_study(PROJECT, STUDY)
    assert set(spellings.of("local_authority").values()) <= set(study.authorities)
    assert set(spellings.of("heading").values()) <= {field.name for field in fields if field.file == "return"}


# ---------------------------------------------------------------- check, write-back, template


def damaged(trial_files):
    trial_files.returns["kent", "baseline"].people[0]["illness_days"] = "=a few"
    trial_files.returns["kent", "baseline"].people[2]["staff_id"] = "KEN-0001"
    trial_files.returns["bromley", "endline"].find("BRO-0006")["team_id"] = "BRO-T04"
    trial_files.allocation[0]["treatment"] = 5
    book = trial_files.returns["kent", "baseline"].book()
    book.active["G8"].data_type = "s"
    root = trial_files.write()
    book.save(trial_files.return_path("kent", "baseline"))
    trial_files.seal()
    return root


def test_the_report_holds_a_table_per_authority(trial_files):
    report = check_returns(damaged(trial_files))
    assert not report.ok
    tables = report.tables()
    assert list(tables) == ["Kent", "Bromley", TRIAL_TEAM]
    assert {"C01", "R02"} <= set(tables["Kent"]["code"])
    assert set(tables["Bromley"]["code"]) == {"X05"}
    assert set(tables[TRIAL_TEAM]["code"]) == {"L06"}
    assert sum(map(len, tables.values())) == len(report.problems)
    assert report.to_json()["counts"]["error"] == sum(p.severity == "error" for p in report.problems)


def test_a_clean_project_is_ok(trial_files):
    report = check_returns(trial_files.write())
    assert report.ok
    assert report.problems == ()
    assert len(report.inputs) == 6


def test_one_workbook_from_anywhere(trial_files, tmp_path, written_trial):
    sheet = trial_files.returns["kent", "interim"]
    sheet.people[5]["left"] = "yes"
    path = tmp_path / "Kent interim FINAL v2.xlsx"
    sheet.book().save(path)
    report = check_returns(path, root=written_trial.root)
    assert [problem.code for problem in report.problems] == ["R12"]
    assert report.authority_of(path.name) == "Kent"
    path.rename(tmp_path / "return.xlsx")  # the wave must then be told by the headings
    assert [problem.code for problem in check_returns(tmp_path / "return.xlsx", root=written_trial.root).problems] == [
        "R12"
    ]


def test_a_folder_of_workbooks_is_checked_together(trial_files, tmp_path, written_trial):
    folder = tmp_path / "inbox"
    folder.mkdir()
    trial_files.returns["kent", "endline"].find("KEN-0006")["staff_id"] = "ken-6"
    for wave in ("baseline", "interim", "endline"):
        trial_files.returns["kent", wave].book().save(folder / f"{wave}.xlsx")
    codes = {problem.code for problem in check_returns(folder, root=written_trial.root).problems}
    assert "X15" in codes
    assert check_returns(tmp_path / "none", root=written_trial.root).problems[0].code == "F22"


def test_the_copy_sent_back_is_marked_and_the_original_untouched(trial_files, tmp_path):
    root = damaged(trial_files)
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    report = check_returns(root)
    written = write_back(report, tmp_path / "back")
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
    names = [path.relative_to(tmp_path / "back").as_posix() for path in written]
    assert names[0] == "kent/baseline-to-correct.xlsx"
    assert set(names) == {
        f"{row.authority.casefold()}/{row.wave}-to-correct.xlsx"
        for row in report.inputs.itertuples()
        if row.path in {problem.file for problem in report.problems}
    } | {"trial-team/allocation-goal-setting-to-correct.xlsx"}
    assert "bromley/endline-to-correct.xlsx" in names
    book = openpyxl.load_workbook(written[0])
    assert book.sheetnames[0] == "Problems"
    sheet, problems = book["Return"], book["Problems"]
    for cell in ("G8", "A10", "A8"):
        assert sheet[cell].fill.fgColor.rgb == "FFF4B6B6", cell
        assert sheet[cell].comment.text
    assert sheet["C9"].comment is None
    assert sheet["G8"].value == REMOVED  # the authority finds its text at this address in its own workbook
    assert sheet["G8"].data_type == "s"
    rows = list(problems.iter_rows(min_row=2, values_only=True))
    assert len(rows) == report.tables()["Kent"]["file"].str.endswith("kent/baseline.xlsx").sum()
    assert {row[0] for row in rows} >= {8, 10}
    assert all(row[2] and row[4] for row in rows)
    assert not any(cell.data_type == "f" for row in problems.iter_rows() for cell in row)
    assert not list((tmp_path / "back").rglob("*.partial"))


def test_a_csv_return_and_an_unreadable_one_are_sent_back_as_workbooks(tmp_path, written_trial, trial_files):
    rows = list(trial_files.returns["kent", "baseline"].book().active.iter_rows(values_only=True))
    rows[7] = (*rows[7][:2], "=2 weeks", *rows[7][3:])
    rows[8] = (*rows[8][:2], "=cmd|calc", *rows[8][3:])
    path = tmp_path / "baseline.csv"
    path.write_text("\n".join(",".join(f'"{"" if v is None else v}"' for v in row) for row in rows), encoding="utf-8")
    (written,) = write_back(check_returns(path, root=written_trial.root), tmp_path / "back")
    sheet = openpyxl.load_workbook(written)["Return"]
    assert sheet["C8"].value == "=2 weeks"
    assert sheet["C8"].data_type == "s" and sheet["C9"].value == REMOVED
    assert sheet["C8"].fill.fgColor.rgb == "FFF4B6B6"
    path = tmp_path / "endline.xlsx"
    path.write_bytes(b"no workbook")
    (written,) = write_back(check_returns(path, root=written_trial.root), tmp_path / "back")
    assert openpyxl.load_workbook(written).sheetnames == ["Problems"]


def test_an_empty_template_is_a_valid_return_once_filled_in(trial_files, tmp_path, written_trial):
    book = template(study=STUDY, authority="Kent", wave="baseline", root=written_trial.root)
    sheet = book["Return"]
    assert sheet.protection.sheet
    assert sheet["C7"].protection.locked
    assert not sheet["C8"].protection.locked
    assert sheet["A8"].number_format == "@"
    lists = {rule.formula1 for rule in sheet.data_validations.dataValidation if rule.type == "list"}
    assert '"female,male"' in lists
    assert sheet["E7"].comment.text
    sheet["B4"] = trial_files.returns["kent", "baseline"].day
    for row, person in enumerate(trial_files.returns["kent", "baseline"].people, start=8):
        for column, name in enumerate(trial_files.returns["kent", "baseline"].labels, start=1):
            sheet.cell(row=row, column=column, value=person[name])
    root = trial_files.write()
    book.save(trial_files.return_path("kent", "baseline"))
    trial_files.seal()
    assert gather(root, STUDY).all_problems() == []


@pytest.mark.parametrize(("wave", "people"), [("interim", 20), ("endline", 20)])
def test_later_templates_list_the_people_of_the_last_return(trial_files, wave, people):
    root = trial_files.write()
    sheet = template(study=STUDY, authority="kent", wave=wave, root=root)["Return"]
    ids = [sheet.cell(row=row, column=1).value for row in range(8, 8 + people + 1)]
    assert len([each for each in ids if each]) == people
    assert ("KEN-0002" in ids) == (wave == "interim")  # left before the interim return
    assert ("KEN-9001" in ids) == (wave == "endline")  # joined before the interim return
    assert sheet["C8"].value == trial_files.returns["kent", "baseline"].people[0]["role"]
    assert sheet["G8"].value is None  # figures are never filled in


def test_templates_of_unknown_authorities_and_without_a_baseline(trial_files):
    root = trial_files.write()
    for wanted in ({"authority": "Atlantis", "wave": "baseline"}, {"authority": "Kent", "wave": "midline"}):
        with pytest.raises(PlanError):
            template(study=STUDY, root=root, **wanted)
    trial_files.return_path("kent", "baseline").unlink()
    with pytest.raises(DataError, match="F23"):
        template(study=STUDY, authority="Kent", wave="interim", root=root)
