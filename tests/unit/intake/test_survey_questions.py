"""What an export says of itself: questions, scales, ids, time zones, labels, kinds of responses, codes of people."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest
from intake_builder import STUDY, TrialFiles, small_trial

from hhp_stats.errors import Problem
from hhp_stats.intake.gather import gather
from hhp_stats.intake.gathered import Gathered
from hhp_stats.intake.response_kinds import is_known, is_person
from hhp_stats.intake.survey_answers import read_answers

LABELS = {"not at all": "0", "extremely": "10"}


def edited(files: TrialFiles, wave: str, change) -> Gathered:
    """The trial after `change` of the rows of an export, as lists of texts."""
    root = files.write()
    path = files.survey_path(wave)
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    change(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    files.seal()
    return gather(root, STUDY)


def of(found: Gathered, *codes: str) -> list[Problem]:
    return [problem for problem in found.all_problems() if problem.code in codes]


def at(rows: list[list[str]], name: str) -> int:
    return rows[0].index(name)


@pytest.mark.parametrize("wave", ["baseline", "endline"])
def test_two_questions_exchanged_with_their_texts_in_one_survey(trial_files, wave):
    def exchange(rows):
        one, other = at(rows, "affect_1"), at(rows, "affect_2")
        for row in rows[1:]:
            row[one], row[other] = row[other], row[one]

    problems = of(edited(trial_files, wave, exchange), "S26")
    assert {problem.severity for problem in problems} == {"error"}
    assert {problem.cell for problem in problems} == {"row 2 (affect_1)", "row 2 (affect_2)"}


def test_a_text_that_the_dictionary_gives_another_question(trial_files):
    def other(rows):
        rows[1][at(rows, "affect_1")] = "Negative feelings, last four weeks"
        rows[1][at(rows, "happiness")] = "Overall happiness (0 to 10)"

    found = edited(trial_files, "baseline", other)
    assert [problem.value for problem in of(found, "S26")] == ["the text of affect_1 is that of affect_2"]


def test_other_words_are_a_warning(trial_files):
    def reword(rows):
        rows[1][at(rows, "need_3")] = "Something else"

    problems = of(edited(trial_files, "endline", reword), "S26", "S27")
    assert [(problem.code, problem.cell) for problem in problems] == [("S27", "row 2 (need_3)")]


def test_import_ids(trial_files):
    def exchange(rows):
        one, other = at(rows, "affect_1"), at(rows, "affect_2")
        rows[2][one], rows[2][other] = rows[2][other], rows[2][one]

    assert {p.cell for p in of(edited(trial_files, "endline", exchange), "S27")} == {
        "row 3 (affect_1)",
        "row 3 (affect_2)",
    }

    def twice(rows):
        rows[2][at(rows, "affect_1")] = rows[2][at(rows, "affect_2")]

    assert [p.cell for p in of(edited(trial_files, "endline", twice), "S30")] == ["row 3 (affect_2)"]

    def moved(rows):
        rows[2][at(rows, "StartDate")] = '{"ImportId":"recordedDate"}'
        rows[2][at(rows, "RecordedDate")] = '{"ImportId":"startDate"}'

    assert {p.cell for p in of(edited(trial_files, "endline", moved), "S30")} == {
        "row 3 (StartDate)",
        "row 3 (RecordedDate)",
    }


def test_the_scale_in_the_text(trial_files):
    def rescale(rows):
        rows[1][at(rows, "happiness")] = "Question happiness, in words (1 to 11)"
        rows[1][at(rows, "ladder")] = "Question ladder, in words (0 to 10)"

    problems = of(edited(trial_files, "endline", rescale), "S28")
    assert [problem.value for problem in problems] == [
        "happiness: 1 to 11 in the text, 0 to 10 in the dictionary or plan"
    ]


@pytest.mark.parametrize(
    ("zone", "hours"), [("America/Denver", 7), ("Europe/London", 0), ("UTC", 0), ("Asia/Tokyo", -9)]
)
def test_moments_are_in_the_time_of_the_plans(trial_files, zone, hours):
    for row in trial_files.surveys["endline"]:
        row["RecordedDate"] = "2020-01-10 12:00:00"  # in winter everywhere
    plain = edited(trial_files, "endline", lambda rows: None).surveys["endline"].meta["recorded"]

    def zoned(rows):
        rows[2][at(rows, "RecordedDate")] = f'{{"ImportId":"recordedDate","timeZone":"{zone}"}}'

    found = edited(trial_files, "endline", zoned).surveys["endline"]
    assert (found.meta["recorded"] - plain).unique().tolist() == [pd.Timedelta(hours=hours)]
    assert any(each.habit == "moments in another time zone" for each in found.tolerances) == (zone != "Europe/London")


def test_a_time_zone_that_does_not_exist(trial_files):
    def zoned(rows):
        rows[2][at(rows, "RecordedDate")] = '{"ImportId":"recordedDate","timeZone":"Europe/Atlantis"}'

    assert [problem.cell for problem in of(edited(trial_files, "endline", zoned), "S31")] == ["row 3 (RecordedDate)"]


def test_moments_in_two_orders_are_refused(trial_files):
    def reorder(rows):
        column = at(rows, "RecordedDate")
        rows[3][column], rows[4][column] = "12/25/2019 08:00", "12/11/2019 08:00"

    assert len(of(edited(trial_files, "endline", reorder), "S13")) == 2


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7", "7"),
        ("10 - Extremely", "10"),
        ("10 = Extremely", "10"),
        ("Extremely (10)", "10"),
        ("Extremely: 10", "10"),
        ("Extremely - 10", "10"),
        ("Extremely", "10"),
        ("4 - Somewhat", "4"),
        ("Somewhat (4)", "4"),
        ("-99", None),
        ("Prefer not to say (-9)", None),
        ("Not answered -1", None),
        ("Prefer not to say (9)", None),
        ("9 - Refused", None),
        ("Rarely (-9)", "-9"),
    ],
)
def test_what_an_answer_stands_for(text, number):
    found = read_answers({text}, LABELS)
    assert found.number[text] == number and not found.conflicts


@pytest.mark.parametrize(
    "text", ["3 - 4", "3-4", "not 3", "less than 3", "3.May", "3-May", "3 to 4", "3 - 4 times", "about 3"]
)
def test_what_is_no_answer_stays_a_text_that_is_refused(text):
    assert read_answers({text}, LABELS).number[text] == text


@pytest.mark.parametrize("texts", [{"11 - Extremely"}, {"1 - Not at all"}, {"4 - Somewhat", "5 - Somewhat"}])
def test_a_label_of_another_number(texts):
    assert len(read_answers(texts, LABELS).conflicts) == 1


def test_a_scale_coded_from_one_is_refused(trial_files):
    for row in trial_files.surveys["endline"]:
        row["happiness"] = "11 - Extremely" if row["happiness"] == 10 else row["happiness"]
    trial_files.surveys["endline"][0]["happiness"] = "11 - Extremely"
    problems = of(edited(trial_files, "endline", lambda rows: None), "S33")
    assert problems and all(problem.cell.endswith("(happiness)") for problem in problems)


def test_options_that_are_no_answer_are_counted_in_a_warning(trial_files):
    for row in trial_files.surveys["endline"][:3]:
        row["happiness"] = "Prefer not to say (-9)"
    found = edited(trial_files, "endline", lambda rows: None)
    assert ["3 responses to happiness" in problem.value for problem in of(found, "S25")] == [True]
    assert found.surveys["endline"].frame["happiness"].iloc[:3].isna().all()


@pytest.mark.parametrize("status", ["0", "IP Address", "Imported", "16", "EX"])
def test_kinds_of_people(status):
    assert is_known(status.casefold()) and is_person(status.casefold(), "anonymous")


@pytest.mark.parametrize(
    "status", ["1", "Survey Preview", "9", "12", "17", "Offline Survey Preview", "EX Spam", "40", "8"]
)
def test_kinds_that_are_nobody(status):
    assert is_known(status.casefold()) and not is_person(status.casefold(), "anonymous")


def test_an_unknown_kind_is_refused(trial_files):
    trial_files.surveys["endline"][2]["Status"] = "64"
    assert [
        "1 response of an unknown kind" in p.value for p in of(edited(trial_files, "endline", lambda rows: None), "S29")
    ] == [True]


@pytest.mark.parametrize(
    ("status", "channel", "seen"),
    [
        ("IP Address", "email", 0),
        ("Survey Preview", "preview", 0),
        ("Spam", "email", 0),
        ("", "preview", 0),  # an export without the kinds says nothing
        ("IP Address", "preview", 1),
        ("Survey Preview", "email", 1),
        ("17", "anonymous", 1),
        ("0", "test", 1),
    ],
)
def test_two_columns_that_differ_about_a_preview(trial_files, status, channel, seen):
    trial_files.surveys["endline"][2] |= {"Status": status, "DistributionChannel": channel}
    found = of(edited(trial_files, "endline", lambda rows: None), "S49")
    assert ["1 response that" in problem.value for problem in found] == [True] * seen


def test_codes_in_another_spelling_are_an_error_that_says_so(trial_files):
    for row in trial_files.surveys["endline"][:2]:
        row["ExternalReference"] = str(row["ExternalReference"]).swapcase()
    problems = of(edited(trial_files, "endline", lambda rows: None), "S21", "S23", "S24")
    assert [(problem.code, problem.value[:2]) for problem in problems] == [("S23", "2 ")]


@pytest.mark.parametrize("lost", [5, 6])
def test_a_list_of_another_survey(trial_files, lost):
    """S24: more than half of ten codes and more are unknown."""
    rows = trial_files.surveys["endline"]
    rows[:] = rows[:10]
    for number, row in enumerate(rows[:lost]):
        row["ExternalReference"] = f"OTHER{number:05d}"
    root = trial_files.write()
    path = root / f"data/plan/{STUDY}.toml"
    path.write_text(
        path.read_text(encoding="utf-8") + '[[thresholds]]\ncode = "S24"\nabout = "a"\nlimit = 0.5\nleast = 5\n',
        encoding="utf-8",
    )
    problems = [problem for problem in gather(root, STUDY).all_problems() if problem.code in ("S21", "S24")]
    assert [problem.code for problem in problems] == (["S24", "S21"] if lost == 6 else ["S21"])


def test_codes_that_a_spreadsheet_made_into_one(trial_files):
    """Of many responses under one code only one counts: what counts is how many are under codes of the list."""
    rows = trial_files.surveys["endline"]
    for row in rows:
        row["ExternalReference"] = "1E+09"
    root = trial_files.write()
    path = root / f"data/plan/{STUDY}.toml"
    limit = '[[thresholds]]\ncode = "S24"\nabout = "a"\nlimit = 0.5\nleast = 5\n'
    path.write_text(path.read_text(encoding="utf-8") + limit, encoding="utf-8")
    values = [problem.value for problem in gather(root, STUDY).all_problems() if problem.code == "S24"]
    assert values == [f"the codes of {len(rows)} of {len(rows)} responses are not on the list"]


def test_an_authority_of_which_nobody_answered(trial_files):
    codes = {row["survey_code"] for row in trial_files.linkage if row["local_authority"] == "Kent"}
    trial_files.surveys["endline"] = [
        row for row in trial_files.surveys["endline"] if row["ExternalReference"] not in codes
    ]
    problems = of(edited(trial_files, "endline", lambda rows: None), "S34")
    assert [problem.value.rsplit(" ", 1)[1] for problem in problems] == ["Kent"]


def test_the_small_trial_has_nothing_of_this(tmp_path):
    found = gather(small_trial(tmp_path / "p").write(), STUDY)
    assert of(found, *(f"S{number}" for number in range(23, 35))) == []
