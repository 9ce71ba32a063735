"""Survey exports: encodings, labels, consent, duplicates, linkage, and what is never read."""

import numpy as np
import pandas as pd
import pytest
from intake_builder import STUDY

from hhp_stats.intake.dictionary import load_dictionary
from hhp_stats.intake.gather import gather
from hhp_stats.intake.linkage import counted_response
from hhp_stats.intake.load import load_trial
from hhp_stats.intake.pseudonym import Pseudonyms
from hhp_stats.intake.rules_survey import check_survey
from hhp_stats.intake.spellings import load_spellings
from hhp_stats.intake.survey import read_survey


@pytest.fixture
def read(trial_files, written_trial):
    """Writes and reads one survey wave alone."""
    fields = load_dictionary(written_trial.root)
    spellings = load_spellings(written_trial.root, fields)

    def reader(wave="baseline", path=None, **how):
        trial_files.survey_path(wave).parent.mkdir(parents=True, exist_ok=True)
        if path is None:
            trial_files.write_survey(wave, **how)
            path = trial_files.survey_path(wave)
        survey = read_survey(
            path, file=path.name, wave=wave, fields=fields, spellings=spellings, pseudonyms=Pseudonyms(b"k" * 32)
        )
        check_survey(survey)
        return survey

    return reader


def codes(survey):
    return [problem.code for problem in survey.problems]


def test_a_plain_export(read, trial_files):
    survey = read()
    assert survey.problems == []
    assert len(survey.frame) == len(trial_files.surveys["baseline"])
    assert survey.frame["ladder"].tolist() == [row["ladder"] for row in trial_files.surveys["baseline"]]
    assert {each.habit for each in survey.tolerances} <= {"a scale label next to the number"}


@pytest.mark.parametrize(
    ("encoding", "delimiter"),
    [("utf-8", ","), ("utf-8-sig", ","), ("utf-16", "\t"), ("utf-16-le", "\t"), ("utf-16-be", ","), ("utf-8", ";")],
)
def test_encodings_and_delimiters(read, encoding, delimiter):
    plain = read()
    other = read(encoding=encoding, delimiter=delimiter)
    assert other.problems == []
    pd.testing.assert_frame_equal(other.frame, plain.frame)


@pytest.mark.parametrize(
    ("field", "found", "meant"),
    [
        ("happiness", "10 = Extremely", 10),
        ("happiness", "0 - Not at all", 0),
        ("happiness", "Extremely", 10),
        ("happiness", "Not at all (0)", 0),
        ("happiness", "-99", np.nan),
        ("happiness", "", np.nan),
        ("ladder", "Top step", 10),
        ("affect_1", "Very rarely/never", 1),
        ("affect_6", "Often", 4),
        ("need_3", "Mostly agree", 5),
        ("burnout_2", "Very frequently", 6),
        ("satisfaction_1", "Neither agree nor disagree", 4),
        ("pressure_2", "7: Strongly agree", 7),
        ("marital_status", "Married/domestic partner", "married or domestic partner"),
        ("contract", "Via an agency", "agency"),
        ("health", "EXCELLENT", "excellent"),
        ("consent", "Yes", "agree"),
        ("consent", "I agree", "agree"),
        ("consent", "1", "agree"),
        ("consent", "No", "disagree"),
    ],
)
def test_labels_and_codes(read, trial_files, field, found, meant):
    trial_files.surveys["baseline"][0][field] = found
    survey = read()
    value = survey.frame[field].iloc[0]
    assert value == meant or (value != value and meant != meant)
    assert not [problem for problem in survey.problems if problem.severity == "error"]


@pytest.mark.parametrize(
    ("code", "field", "found"),
    [
        ("S10", "happiness", "quite happy"),
        ("S10", "affect_1", "1 2"),
        ("S10", "affect_1", "3.5"),
        ("S10", "health", "splendid"),
        ("S11", "happiness", "11"),
        ("S11", "affect_1", "-1"),
        ("S11", "age", "7"),
    ],
)
def test_impossible_answers_are_refused_with_their_cell(read, trial_files, code, field, found):
    trial_files.surveys["baseline"][1][field] = found
    survey = read()
    assert codes(survey) == [code]
    assert survey.problems[0].cell.startswith("row 5, column ")
    assert f"({field})" in survey.problems[0].cell


def test_names_addresses_places_and_comments_are_not_kept(read, trial_files):
    row = trial_files.surveys["baseline"][0]
    row |= {"comments": "a free text", "RecipientEmail": "somebody@example.invalid"}
    survey = read()
    kept = survey.frame.to_csv() + survey.meta.to_csv() + repr(survey.raw) + repr(survey)
    for secret in ("a free text", "somebody@example.invalid", "Synthetic", "example.invalid"):
        assert secret not in kept
    assert survey.meta["contact"].str.fullmatch("[0-9a-f]{16}").all()
    assert "comments" not in survey.frame


def test_the_heading_rows_are_needed(read, trial_files):
    read()
    path = trial_files.survey_path("baseline")
    lines = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    path.write_text("".join([lines[0], *lines[3:]]), encoding="utf-8")
    assert codes(read(path=path)) == ["S02"]
    path.write_text("".join(lines).replace("burnout_3,", "fatigue,", 1), encoding="utf-8")
    assert codes(read(path=path)) == ["S03"]
    path.write_text("".join([*lines[:5], lines[5].rstrip() + ",more\n", *lines[6:]]), encoding="utf-8")
    assert codes(read(path=path)) == ["S04"]
    path.write_text("".join([*lines[:3], *(line.rstrip() + ",\n" for line in lines[3:])]), encoding="utf-8")
    assert set(codes(read(path=path))) == {"S04"}
    path.write_text("".join(lines[:3]), encoding="utf-8")
    assert not codes(read(path=path)) and not len(read(path=path).frame)  # nobody answered: test_no_answers
    path.write_text("".join(lines) + '"open quotation', encoding="utf-8")
    assert codes(read(path=path)) == ["S02"]
    path.write_bytes(b"")
    assert codes(read(path=path)) == ["S02"]
    path.unlink()
    gone = read(path=path)
    assert gone.absent and not codes(gone) and not len(gone.frame)  # whether it may be missing is for the plan to say


def test_repeated_response_ids_and_missing_moments(read, trial_files):
    rows = trial_files.surveys["baseline"]
    rows[1]["ResponseId"] = rows[0]["ResponseId"]
    rows[2]["RecordedDate"] = "some day"
    assert sorted(codes(read())) == ["S12", "S13"]


def test_straight_lines_speed_and_missing_codes_are_said(read, trial_files):
    rows = trial_files.surveys["baseline"]
    for item in range(1, 11):
        rows[3][f"need_{item}"] = 4
    rows[4]["Duration (in seconds)"] = 20
    rows[5]["ExternalReference"] = ""
    rows[6] |= {"Status": "Survey Preview", "DistributionChannel": "preview"}
    assert sorted(codes(read())) == ["S16", "S17", "S18", "S19"]


def test_answers_without_one_to_consent_are_said_and_not_used(read, trial_files):
    rows = trial_files.surveys["baseline"]
    rows[2]["consent"] = rows[3]["consent"] = ""
    rows[3] |= {name: "" for name, spec in read().fields.items() if name != "consent" and name in rows[3]}
    survey = read()
    said = {problem.code: problem.value for problem in survey.problems}
    assert "1 response with answers" in said["S50"] and "2 responses" in said["S14"]


def meta(*rows):
    """Responses as (code, day, finished, consent, answered)."""
    frame = pd.DataFrame(
        {
            "response": [f"R{number}" for number in range(len(rows))],
            "code": [row[0] for row in rows],
            "contact": "",
            "recorded": pd.to_datetime([f"2019-07-{row[1]:02d}" for row in rows]),
            "finished": [row[2] for row in rows],
            "preview": False,
        }
    )
    consent = pd.Series([row[3] for row in rows], dtype="str")
    return counted_response(frame, consent, pd.Series([row[4] for row in rows]))["used"].tolist()


@pytest.mark.parametrize(
    ("rows", "used"),
    [
        # the last finished one, whatever its place in the file
        ([("a", 3, True, "agree", 40), ("a", 2, True, "agree", 45)], [True, False]),
        # a finished one before a later unfinished one with more answers
        ([("a", 2, True, "agree", 10), ("a", 3, False, "agree", 30)], [True, False]),
        # none finished: the one with most answers
        ([("a", 2, False, "agree", 30), ("a", 3, False, "agree", 10)], [True, False]),
        # equal answers: the later
        ([("a", 2, False, "agree", 30), ("a", 3, False, "agree", 30)], [False, True]),
        # a later refusal withdraws consent
        ([("a", 2, True, "agree", 40), ("a", 3, True, "disagree", 0)], [False, False]),
        # a later consent counts
        ([("a", 2, True, "disagree", 0), ("a", 3, True, "agree", 40)], [False, True]),
        # an answerless later response takes nothing away
        ([("a", 2, True, "agree", 40), ("a", 3, False, None, 0)], [True, False]),
        # two people, and two people without a code
        ([("a", 2, True, "agree", 40), ("b", 2, True, "agree", 40)], [True, True]),
        ([("", 2, True, "agree", 40), ("", 2, True, "agree", 40)], [True, True]),
    ],
)
def test_which_of_several_responses_counts(rows, used):
    assert meta(*rows) == used


def test_consent_duplicates_and_unknown_codes_in_the_whole_trial(trial_files):
    rows = trial_files.surveys["endline"]
    rows[0] |= {"consent": "disagree"}
    rows[1] |= {"ExternalReference": "nobody"}
    again = dict(rows[2]) | {
        "ResponseId": "R_again",
        "ladder": (int(rows[2]["ladder"]) + 1) % 11,
        "RecordedDate": "2020-03-20 10:00:00",
    }
    rows.append(again)
    trial = load_trial(trial_files.write())
    assert sorted(trial.problems["code"]) == ["S15", "S21", "S22"]
    assert trial.people["responded_t2"].sum() == len(rows) - 3
    counts = trial.linkage[trial.linkage["wave"] == "endline"].sum(numeric_only=True)
    assert counts["responses"] == len(rows)
    assert counts["consented"] == len(rows) - 1
    assert counts["duplicates"] == 1
    assert counts["used"] == len(rows) - 2
    assert counts["unmatched"] == 1
    assert again["ladder"] in trial.people["ladder_t2"].to_list()


def test_a_consent_without_scale_answers_is_no_response(trial_files):
    row = trial_files.surveys["baseline"][0]
    for name in trial_files.survey_fields["baseline"]:
        if name not in ("consent", "age"):
            row[name] = ""
    trial = load_trial(trial_files.write())
    assert trial.people["responded_t1"].sum() == len(trial_files.surveys["baseline"]) - 1


def test_exchanged_surveys_are_noticed(trial_files):
    surveys = trial_files.surveys
    for wave, other in (("baseline", "endline"), ("endline", "baseline")):
        for row in surveys[wave]:
            row["RecordedDate"] = {"baseline": "2020-03-20", "endline": "2019-06-01"}[wave] + " 10:00:00"
        assert other in surveys
    assert [problem.code for problem in gather(trial_files.write(), STUDY).all_problems()] == ["S20", "S20"]
