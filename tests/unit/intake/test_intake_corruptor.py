"""No damage passes in silence: it is refused with its place, or repaired and said, and never ends in a traceback."""

import contextlib
import io
import random
import re

import openpyxl
import pandas as pd
import pytest
from intake_builder import STUDY, small_trial
from intake_corruptor import BOOK_DAMAGES, BYTE_DAMAGES, FORMAT_DAMAGES, SHEET_DAMAGES, SURVEY_DAMAGES

from hhp_stats.intake.dictionary import load_dictionary, load_study
from hhp_stats.intake.gather import check_return
from hhp_stats.intake.linkage import link
from hhp_stats.intake.lists import read_list
from hhp_stats.intake.pseudonym import Pseudonyms
from hhp_stats.intake.returns import read_return
from hhp_stats.intake.rules_survey import check_survey
from hhp_stats.intake.spellings import load_spellings
from hhp_stats.intake.survey import read_survey


@pytest.fixture(scope="module")
def bench(written_trial, tmp_path_factory):
    root = written_trial.root
    fields = load_dictionary(root)
    study, spellings = load_study(root, STUDY), load_spellings(root, fields)
    folder = tmp_path_factory.mktemp("damaged")

    def read(content, name="baseline.xlsx"):
        path = folder / name
        path.write_bytes(content)
        ret = read_return(
            path,
            file=name,
            wave="baseline",
            study=study,
            fields=fields,
            spellings=spellings,
            site=study.by_slug("kent"),
        )
        if ret.readable:
            check_return(ret)
        return ret

    linkage = read_list(
        root / f"data/surveys/{STUDY}/linkage.csv",
        file="linkage.csv",
        kind="linkage",
        fields=fields,
        spellings=spellings,
        study=study,
    )
    pseudonyms = Pseudonyms(b"k" * 32)

    def read_answers(files):
        path = files.survey_path("baseline")
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_survey("baseline")
        survey = read_survey(
            path, file="baseline.csv", wave="baseline", fields=fields, spellings=spellings, pseudonyms=pseudonyms
        )
        check_survey(survey)
        if survey.readable:
            link(survey, linkage, study=study, pseudonyms=pseudonyms)
        return survey

    valid = read(content_of(small_trial(folder).returns["kent", "baseline"].book()))
    assert valid.problems == []
    return read, read_answers, valid


def content_of(book):
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def damaged(sheet, names, rng):
    """The bytes of a return after damages of these names, sheet damages first."""
    for name in names:
        if name in SHEET_DAMAGES and (sheet.people or name.startswith("date")):
            try:
                SHEET_DAMAGES[name](sheet, rng)
            except (KeyError, ValueError):
                continue  # an earlier damage took away what this one works on
    book = sheet.book()
    if any(cell.value in ("#REF!", "#DIV/0!", "#VALUE!") for row in book.active.iter_rows() for cell in row):
        for row in book.active.iter_rows():
            for cell in row:
                if str(cell.value).startswith("#"):
                    cell.data_type = "e"
    for name in names:
        if name in BOOK_DAMAGES:
            try:
                BOOK_DAMAGES[name](book, rng)
            except (StopIteration, ValueError, KeyError):
                continue
    content = content_of(book)
    for name in names:
        if name in BYTE_DAMAGES and len(content) > 40:
            content = BYTE_DAMAGES[name](content, rng)
    return content


# Runs of repeated figures are told by their length, which another damage inside the run may cut short.
COPIED = {"rows copied down", "service copied down", "series dragged down"}
NEW_IDS = {name for name in SHEET_DAMAGES if name.startswith(("id ", "person twice", "very long id", "row shifted"))}
# Damages of the whole file or of a missing column: no cell can be named.
NO_CELL = {"F01", "F02", "F05", "F07", "F08", "F12", "F13", "F16"}


def judge(ret, valid, names):
    """Refused with a place, or repaired and said, or found to hold exactly the valid values."""
    for problem in ret.problems:
        assert problem.cell or problem.code in NO_CELL or "hidden" in problem.rule.casefold(), problem
    for tolerance in ret.tolerances:
        assert tolerance.cell and tolerance.found and tolerance.read_as and tolerance.count > 0
    words = " ".join(map(str, ret.problems)) + str(ret.tolerances)
    assert "quillfeather" not in words.casefold()
    for problem in ret.problems:
        assert problem.file
        assert problem.remedy
    values = ret.frame.drop(columns="row")
    assert ret.problems or ret.tolerances or values.equals(valid.frame.drop(columns="row")), names


@pytest.mark.parametrize("name", [*SHEET_DAMAGES, *BOOK_DAMAGES, *BYTE_DAMAGES])
def test_each_damage_of_a_return(bench, tmp_path, name):
    read, _, valid = bench
    for seed in range(3):
        sheet = small_trial(tmp_path).returns["kent", "baseline"]
        ret = read(damaged(sheet, [name], random.Random(seed)))
        judge(ret, valid, [name])
        if name in SHEET_DAMAGES:
            assert ret.problems or ret.tolerances, "a damaged value passed in silence"


@pytest.mark.parametrize("name", FORMAT_DAMAGES)
def test_each_damage_of_a_format(bench, tmp_path, name):
    read, _, valid = bench
    file, content = FORMAT_DAMAGES[name](small_trial(tmp_path).returns["kent", "baseline"])
    ret = read(content, file)
    judge(ret, valid, [name])
    assert ret.problems or ret.tolerances, "a damaged file passed in silence"
    if not any(problem.severity == "error" for problem in ret.problems):
        pd.testing.assert_frame_equal(ret.frame.drop(columns="row"), valid.frame.drop(columns="row"))


def test_results_of_formulas_are_used_and_said(bench, tmp_path):
    read, _, _ = bench
    _, content = FORMAT_DAMAGES["days as formulas"](small_trial(tmp_path).returns["kent", "baseline"])
    habits = [each for each in read(content).tolerances if each.field == "overall_absence_days"]
    assert {each.habit for each in habits} == {"a formula: its stored result was used"}
    assert sum(each.count for each in habits) == 12


@pytest.mark.parametrize("name", SURVEY_DAMAGES)
def test_each_damage_of_a_survey(bench, tmp_path, name):
    _, read_answers, _ = bench
    for seed in range(2):
        files = small_trial(tmp_path)
        for row in files.surveys["baseline"]:
            row["happiness"] = 5
        SURVEY_DAMAGES[name](files.surveys["baseline"], random.Random(seed))
        survey = read_answers(files)
        assert survey.problems or survey.tolerances
        assert "quillfeather" not in (" ".join(map(str, survey.problems)) + str(survey.tolerances)).casefold()


def test_there_are_at_least_sixty_ways():
    assert len({*SHEET_DAMAGES, *BOOK_DAMAGES, *BYTE_DAMAGES, *FORMAT_DAMAGES, *SURVEY_DAMAGES}) >= 140


def changed_for_good(names):
    """Whether some change is none that one return can tell.

    A number is a plain identifier in a CSV file; an ID in small letters is one of its own where a second damage has
    overwritten the ID it was copied from (rule X15 compares it with the other returns).
    """
    as_number = "id as a number" in names and any("CSV" in name for name in names)
    return as_number or ("id in small letters twice" in names and len([name for name in names if name in NEW_IDS]) > 1)


def unexplained(ret, valid):
    """Values that differ from the valid ones although neither their row nor their column is named anywhere."""
    names = [name for name in valid.frame.columns if name in ret.columns]
    if len(names) < len(valid.columns):
        return []  # rules that compare with the column that is gone cannot look; the column itself is named
    rows = min(len(ret.frame), len(valid.frame))
    cells = " ".join(problem.cell for problem in ret.problems)
    said = {each.field for each in ret.tolerances}
    runs = {problem.code for problem in ret.problems} & {"R17", "R18", "R19"}
    found = []
    for name in names:
        one, other = ret.frame[name].iloc[:rows], valid.frame[name].iloc[:rows]
        for position in (~(one.eq(other) | (one.isna() & other.isna()))).to_numpy().nonzero()[0]:
            address = ret.cell(name, int(position))
            row = re.search(r"[0-9]+", address)[0]
            if name not in said and not runs and not re.search(rf"[A-Z]{row}\b|row {row}\b", cells):
                found.append(address)
    return found


def random_damages(bench, tmp_path, seeds):
    read, read_answers, valid = bench
    refused = 0
    for seed in seeds:
        rng = random.Random(seed)
        files = small_trial(tmp_path)
        if seed % 5 == 0:
            names = rng.sample([*SURVEY_DAMAGES], rng.randint(1, 4))
            for row in files.surveys["baseline"]:
                row["happiness"] = 5
            for name in names:
                SURVEY_DAMAGES[name](files.surveys["baseline"], rng)
            found = read_answers(files)
            assert found.problems or found.tolerances, (seed, names)
            assert "quillfeather" not in (" ".join(map(str, found.problems)) + str(found.tolerances)).casefold(), seed
            refused += any(problem.severity == "error" for problem in found.problems)
            continue
        names = rng.sample([*SHEET_DAMAGES, *BOOK_DAMAGES], rng.randint(1, 4))
        sheet = files.returns["kent", "baseline"]
        if seed % 5 == 1:
            names = [name for name in names if name in SHEET_DAMAGES]
            for name in names:
                with contextlib.suppress(KeyError, ValueError, IndexError, StopIteration):
                    SHEET_DAMAGES[name](sheet, rng)
            names.append(rng.choice([*FORMAT_DAMAGES]))
            with contextlib.suppress(UnicodeEncodeError):  # what Windows-1252 cannot hold cannot come in such a file
                file, content = FORMAT_DAMAGES[names[-1]](sheet)
            ret = read(content, file)
        else:
            if rng.random() < 0.1:
                names.append(rng.choice(list(BYTE_DAMAGES)))
            ret = read(damaged(sheet, names, rng))
        judge(ret, valid, (seed, names))
        if (
            ret.readable
            and not {*names} & {*BOOK_DAMAGES, *BYTE_DAMAGES, *COPIED}
            and len(ret.frame) >= len(valid.frame)
            and not changed_for_good(names)
        ):
            assert unexplained(ret, valid) == [], (seed, names)
        refused += any(problem.severity == "error" for problem in ret.problems)
    return refused / len(seeds)


def test_random_damages_in_one_file(bench, tmp_path):
    assert 0.5 < random_damages(bench, tmp_path, range(60)) < 1


@pytest.mark.slow
def test_five_thousand_files_with_random_damages(bench, tmp_path):
    assert 0.5 < random_damages(bench, tmp_path, range(1000, 6000)) < 1


def test_the_wrong_book_is_not_mistaken_for_a_return(bench):
    read, _, _ = bench
    book = openpyxl.Workbook()
    book.active.append(["Unique Staff ID", "something", "else"])
    assert [problem.code for problem in read(content_of(book)).problems] == ["F02"]
