"""Canaries: planted names and email addresses must come out of nothing that intake says or returns."""

import traceback

import pandas as pd
import pytest

from hhp_stats.errors import DataError
from hhp_stats.intake.check import check_returns
from hhp_stats.intake.load import load_trial
from hhp_stats.intake.masking import shown
from hhp_stats.intake.write_back import write_back

CANARIES = ("Zebedee Quillfeather", "zebedee.quillfeather@example.invalid", "Quillfeather", "Zebedee")
TRACES = ("zebedee", "quillfeather")


@pytest.mark.parametrize("value", CANARIES)
def test_a_name_is_described_and_not_shown(value):
    assert not any(trace in shown(value).casefold() for trace in TRACES)


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("12,5", "“12,5”"),
        ("KEN-0012", "“KEN-0012”"),
        (3.0, "3"),
        (True, "TRUE"),
        ("31/02/2019", "“31/02/2019”"),
        (None, "an empty cell"),
        ("2 years", "“2 years”"),
    ],
)
def test_what_cannot_be_a_name_is_quoted(value, quoted):
    assert shown(value) == quoted


@pytest.mark.parametrize(
    "value", ["07700 900123", "QQ 12 34 56 C", "Ann", "O'Neil", "Anna Lee", "Li", "José", "李小龙", "Jo May", "x" * 50]
)
def test_telephone_numbers_and_short_names_are_not_shown(value):
    assert value not in shown(value)


def said(trial):
    held = [getattr(trial, name) for name in trial.__slots__]
    return " ".join(value.to_csv() if isinstance(value, pd.DataFrame) else repr(value) for value in held).casefold()


def canary_line(**fields):
    return fields


def plant(files):
    """Canaries in every place where somebody might type a name."""
    survey = files.surveys["baseline"]
    survey[0] |= {
        "RecipientLastName": "Quillfeather",
        "RecipientFirstName": "Zebedee",
        "RecipientEmail": CANARIES[1],
        "comments": "Ask Zebedee Quillfeather",
    }
    survey[1] |= {"ExternalReference": CANARIES[1]}
    survey[2] |= {"ResponseId": CANARIES[0], "DistributionChannel": CANARIES[0], "UserLanguage": CANARIES[0]}


def test_nothing_of_a_trial_holds_a_canary(trial_files):
    plant(trial_files)
    trial = load_trial(trial_files.write())
    assert not any(trace in said(trial) for trace in TRACES)
    assert not any(trace in repr(trial).casefold() for trace in TRACES)


@pytest.mark.parametrize("canary", CANARIES, ids=["both names", "address", "last", "first"])  # ids name folders
def test_no_message_holds_a_canary(trial_files, tmp_path, canary):
    plant(trial_files)
    sheet = trial_files.returns["kent", "baseline"]
    for index, name in enumerate(sheet.labels):
        sheet.people[index][name] = canary
    sheet.people.append({"staff_id": canary})
    sheet.labels["role"] = canary
    trial_files.returns["bromley", "baseline"].authority = canary
    trial_files.returns["bromley", "interim"].day = canary
    trial_files.returns["bromley", "endline"].labels["left"] = canary
    for table in (trial_files.allocation, trial_files.course_log, trial_files.linkage):
        for index, name in enumerate(table[0]):
            table[index % len(table)][name] = canary
    for index, name in enumerate(trial_files.survey_fields["endline"]):
        trial_files.surveys["endline"][index % 9][name] = canary
    line = canary_line(
        id=canary,
        received_on=canary,
        study="goal_setting",
        wave="baseline",
        authority="Kent",
        staff_id=canary,
        field=canary,
        old_value=canary,
        new_value=canary,
        reason=canary,
        requested_by=canary,
    )
    trial_files.ledger = [
        line,
        line | {"id": "2", "received_on": "2020-01-01", "field": "role"},
        line | {"id": "3", "received_on": "2020-01-01", "staff_id": "KEN-0009", "field": "gender"},
    ]
    root = trial_files.write()
    with pytest.raises(DataError) as caught:
        load_trial(root)
    text = "".join(traceback.format_exception(caught.value)) + repr(caught.value.problems)
    assert len(caught.value.problems) > 20
    leaks = [part for part in text.splitlines() if any(trace in part.casefold() for trace in TRACES)]
    assert leaks == []
    report = check_returns(root)
    words = str(report.to_json()).casefold() + repr(report).casefold()
    leaks = [words[at - 90 : at + 40] for trace in TRACES if (at := words.find(trace)) >= 0]
    assert leaks == []
    for path in write_back(report, tmp_path / "back"):
        sheet = pd.read_excel(path, sheet_name="Problems", dtype=str)
        assert not any(trace in sheet.to_csv().casefold() for trace in TRACES)


def test_an_applied_correction_of_a_name_shows_neither_name_nor_id(trial_files):
    trial_files.returns["kent", "baseline"].find("KEN-0009")["staff_id"] = CANARIES[0]
    trial_files.ledger = [
        canary_line(
            id="C001",
            received_on="2020-01-01",
            study="goal_setting",
            wave="baseline",
            authority="Kent",
            staff_id=CANARIES[0],
            field="staff_id",
            old_value=CANARIES[0],
            new_value="KEN-0009",
            reason="a name instead of the code",
            requested_by="authority",
        )
    ]
    trial = load_trial(trial_files.write())
    assert len(trial.corrections) == 1
    assert not any(trace in said(trial) for trace in TRACES)
