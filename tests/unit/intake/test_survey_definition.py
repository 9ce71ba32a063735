"""The definition of a survey beside its export: read and used where both agree, refused by name where they do not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from intake_builder import PROJECT, STUDY, TrialFiles

from hhp_stats.intake.dictionary import fields_of, load_dictionary
from hhp_stats.intake.gather import gather

Payloads = dict[str, dict[str, Any]]
WAVE = "endline"


def payloads(trial_files: TrialFiles) -> Payloads:
    """A definition that agrees with the export that `TrialFiles` writes: by export tag."""
    found: Payloads = {}
    for number, field in enumerate(fields_of(load_dictionary(PROJECT), "survey", WAVE), start=1):
        text = f"<p>Question&nbsp;{field.name}, <b>in words</b></p>"
        payload = {"QuestionID": f"QID{number}", "DataExportTag": field.name, "QuestionText": text}
        if field.allowed:
            choices = {str(n): {"Display": label} for n, label in enumerate(field.allowed, start=1)}
            payload |= {"QuestionType": "MC", "Choices": choices}
        elif field.unit == "points":
            low, high = int(field.minimum or 0), int(field.maximum or 0)
            codes = {str(n): str(low + n - 1) for n in range(1, high - low + 2)}
            choices = {key: {"Display": code} for key, code in codes.items()}
            choices[str(len(codes))] = {"Display": f"{high} = Extremely"}
            payload |= {"QuestionType": "MC", "Choices": choices, "RecodeValues": codes}
        else:
            payload |= {"QuestionType": "TE"}
        found[field.name] = payload
    return found


def write(trial_files: TrialFiles, questions: Payloads) -> Path:
    """Write the raw files, the definition beside the export of the endline, and the ids that it gives in row 3."""
    root = trial_files.write()
    path = root / f"data/surveys/{STUDY}/{WAVE}.qsf"
    elements = [{"Element": "SQ", "PrimaryAttribute": p["QuestionID"], "Payload": p} for p in questions.values()]
    elements.append({"Element": "BL", "Payload": [{"Type": "Default"}]})
    path.write_text(json.dumps({"SurveyEntry": {"SurveyID": "SV_1"}, "SurveyElements": elements}), encoding="utf-8")
    export = path.with_suffix(".csv")
    lines = export.read_text("utf-8-sig").splitlines(keepends=True)
    for name, payload in questions.items():
        number = payload["QuestionID"] + ("_TEXT" if payload["QuestionType"] == "TE" else "")
        lines[2] = lines[2].replace(f'"{{""ImportId"":""{name}""}}"', f'"{{""ImportId"":""{number}""}}"')
    export.write_text("".join(lines), encoding="utf-8-sig")
    trial_files.seal()
    return root


def found(root: Path) -> list[tuple[str, str, str]]:
    problems = [each for each in gather(root, STUDY).all_problems() if each.code in {f"S{n}" for n in range(41, 48)}]
    return [(each.code, each.cell, each.value) for each in problems]


def test_a_definition_that_agrees_is_read_and_listed(trial_files: TrialFiles) -> None:
    root = write(trial_files, payloads(trial_files))
    assert found(root) == []
    assert f"data/surveys/{STUDY}/{WAVE}.qsf" in gather(root, STUDY).inputs()["path"].tolist()


def test_its_choices_are_labels_of_answers(trial_files: TrialFiles) -> None:
    """Labels that no list of spellings has, and codes in the place of words: both are read by the definition."""
    before = gather(write(trial_files, payloads(trial_files)), STUDY).surveys[WAVE].frame
    questions = payloads(trial_files)
    faces = {str(n): f"face {'abcdefg'[n - 1]}" for n in range(1, 8)}
    questions["pressure_1"]["Choices"] = {key: {"Display": label} for key, label in faces.items()}
    chosen = [name for name, each in questions.items() if "Choices" in each and "RecodeValues" not in each]
    for row in trial_files.surveys[WAVE]:
        row["pressure_1"] = faces[str(row["pressure_1"])] if row["pressure_1"] else ""
        for name in chosen:
            by_label = {each["Display"]: key for key, each in questions[name]["Choices"].items()}
            row[name] = by_label.get(row[name], row[name])
    root = write(trial_files, questions)
    assert found(root) == []
    after = gather(root, STUDY).surveys[WAVE].frame
    for name in ("pressure_1", *chosen):
        assert after[name].tolist() == before[name].tolist(), name


def rename(questions: Payloads) -> None:
    questions["happiness"]["DataExportTag"] = "joy"


def other_recodes(questions: Payloads) -> None:
    codes = questions["ladder"]["RecodeValues"]
    questions["ladder"]["RecodeValues"] = {key: str(int(code) + 1) for key, code in codes.items()}


def fewer_choices(questions: Payloads) -> None:
    del questions["need_1"]["Choices"]["7"], questions["need_1"]["RecodeValues"]["7"]


def other_words(questions: Payloads) -> None:
    questions["need_2"]["QuestionText"] = "Something else"


def exchanged_texts(questions: Payloads) -> None:
    one, other = questions["need_3"], questions["burnout_1"]
    one["QuestionText"], other["QuestionText"] = other["QuestionText"], one["QuestionText"]


def not_offered(questions: Payloads) -> None:
    questions["health"]["Choices"] = {"1": {"Display": "splendid"}}


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        (rename, "S42", "happiness"),
        (other_recodes, "S46", "ladder"),
        (fewer_choices, "S46", "need_1: 1 to 6"),
        (other_words, "S45", "need_2"),
        (exchanged_texts, "S44", "the text of need_3 is that of burnout_1"),
        (not_offered, "S47", "answers to health that no one was offered"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_contradicts_is_named(
    trial_files: TrialFiles, change: Callable[[Payloads], None], code: str, named: str
) -> None:
    questions = payloads(trial_files)
    change(questions)
    assert [each for each in found(write(trial_files, questions)) if each[0] == code and named in each[2]]


def test_ids_that_changed_places_are_named(trial_files: TrialFiles) -> None:
    questions = payloads(trial_files)
    root = write(trial_files, questions)
    export = root / f"data/surveys/{STUDY}/{WAVE}.csv"
    one, other = (f'""{questions[name]["QuestionID"]}""' for name in ("need_1", "need_2"))
    text = export.read_text("utf-8-sig").replace(one, "X").replace(other, one).replace("X", other)
    export.write_text(text, encoding="utf-8-sig")
    trial_files.seal()
    assert ("S43", "row 3 (need_1)", "need_1 has the id of need_2") in found(root)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"SurveyElements": []}', '{"SurveyElements": [{"Element": "SQ"}]}']
)
def test_what_is_no_definition_is_refused(trial_files: TrialFiles, content: str) -> None:
    root = trial_files.write()
    (root / f"data/surveys/{STUDY}/{WAVE}.qsf").write_text(content, encoding="utf-8")
    trial_files.seal()
    assert [each[0] for each in found(root)] == ["S41"]


def test_rows_of_a_matrix_are_columns(tmp_path: Path) -> None:
    from hhp_stats.intake.survey_definition import read_definition

    payload = {
        "QuestionType": "Matrix",
        "QuestionID": "QID7",
        "DataExportTag": "affect",
        "QuestionText": "How often did you feel",
        "Choices": {"1": {"Display": "good"}, "2": {"Display": "bad"}},
        "ChoiceDataExportTags": {"1": "affect_3", "2": "affect_4"},
        "Answers": [{"Display": "never"}, {"Display": "always"}],
        "RecodeValues": {"1": "1", "2": "5"},
    }
    path = tmp_path / "x.qsf"
    path.write_text(json.dumps({"SurveyElements": [{"Element": "SQ", "Payload": payload}]}), encoding="utf-8")
    second = read_definition(path, file="x.qsf").questions["affect_4"]
    assert (second.import_id, second.text) == ("QID7_2", "how often did you feel - bad")
    assert second.codes == {"never": "1", "always": "5"}
