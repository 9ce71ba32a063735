"""Survey exports as SPSS files: the same answers as the CSV export, by the file's own labels, and nothing personal."""

from datetime import datetime

import pandas as pd
import pyreadstat
import pytest

from hhp_stats.errors import DataError
from hhp_stats.intake import survey_export
from hhp_stats.intake.dictionary import load_dictionary
from hhp_stats.intake.load import load_trial
from hhp_stats.intake.pseudonym import Pseudonyms
from hhp_stats.intake.spellings import load_spellings
from hhp_stats.intake.survey import read_survey

BURNOUT = ("Never", "Very rarely", "Rarely", "Occasionally", "Frequently", "Very frequently")


def read(path, root, wave="baseline"):
    fields = load_dictionary(root)
    return read_survey(
        path,
        file=path.name,
        wave=wave,
        fields=fields,
        spellings=load_spellings(root, fields),
        pseudonyms=Pseudonyms(b"k" * 32),
    )


def as_spss(files, wave, path, **more):
    """The survey as SPSS holds it: options as codes with labels, burnout coded 11 to 16, the rest as numbers."""
    rows = files.surveys[wave]
    names = [*rows[0]]
    columns, labels = {}, {}
    for name in names:
        values = [row.get(name, "") for row in rows]
        if name == "RecordedDate" or name in ("StartDate", "EndDate"):
            columns[name] = [datetime.fromisoformat(str(value)) for value in values]
        elif name.startswith("burnout_"):
            columns[name] = [None if value == "" else float(value) + 10 for value in values]
            labels[name] = {11.0 + at: label for at, label in enumerate(BURNOUT)}
        elif all(isinstance(value, int | float) or value == "" for value in values):
            columns[name] = [None if value == "" else float(value) for value in values]
        elif name in ("happiness", "ladder"):
            columns[name] = [float(str(value).split(" ", 1)[0]) for value in values]
            labels[name] = {10.0: "10 = Extremely"}
        elif name in (
            "consent",
            "health",
            "contract",
            "marital_status",
            "children_at_home",
            "recall",
            "time_protected",
        ):
            options = list(dict.fromkeys(map(str, values)))
            columns[name] = [float(options.index(str(value)) + 1) for value in values]
            labels[name] = {float(at): option for at, option in enumerate(options, start=1)}
        else:
            columns[name] = [str(value) for value in values]
    frame = pd.DataFrame(columns).rename(columns={"Duration (in seconds)": "Duration__in_seconds_"})
    pyreadstat.write_sav(frame, path, variable_value_labels=labels, **more)


def test_an_spss_file_holds_the_answers_of_the_csv_file(trial_files, tmp_path):
    root = trial_files.write()
    as_spss(trial_files, "baseline", tmp_path / "baseline.sav")
    one, other = read(trial_files.survey_path("baseline"), root), read(tmp_path / "baseline.sav", root)
    assert not other.problems
    pd.testing.assert_frame_equal(one.frame.drop(columns="row"), other.frame.drop(columns="row"))
    pd.testing.assert_frame_equal(one.meta, other.meta)
    assert other.synthetic and not other.unmarked
    assert "an SPSS file instead of a CSV file" in {each.habit for each in other.tolerances}
    assert any(each.field == "burnout_1" and "label" in each.habit for each in other.tolerances)
    assert other.cell("happiness", 3) == "case 4, variable happiness"


def test_a_trial_loads_with_an_spss_export_and_refuses_two(trial_files):
    root = trial_files.write()
    trial = load_trial(root)
    as_spss(trial_files, "endline", trial_files.survey_path("endline").with_suffix(".sav"))
    with pytest.raises(DataError, match="S06"):
        load_trial(root)
    trial_files.survey_path("endline").unlink()
    trial_files.seal()
    pd.testing.assert_frame_equal(trial.people, load_trial(root).people)


def test_codes_declared_missing_are_no_answers_and_said(trial_files, tmp_path):
    root = trial_files.write()
    for row in trial_files.surveys["baseline"][:3]:
        row["pressure_1"] = 99
    path = tmp_path / "baseline.sav"
    as_spss(trial_files, "baseline", path, missing_ranges={"pressure_1": [{"lo": 99.0, "hi": 99.0}]})
    survey = read(path, root)
    assert survey.frame["pressure_1"].isna().sum() == 3
    assert [each.count for each in survey.tolerances if "declares" in each.habit] == [3]
    as_spss(trial_files, "baseline", path)
    assert (
        int((read(path, root).frame["pressure_1"] == 99).sum()) == 3
    )  # a rule refuses it, since nobody said it is missing


def test_a_label_outside_the_mapping_is_refused(trial_files, tmp_path):
    root = trial_files.write()
    trial_files.surveys["baseline"][0]["health"] = "splendid"
    path = tmp_path / "baseline.sav"
    as_spss(trial_files, "baseline", path)
    survey = read(path, root)
    assert list(survey.unread["health"]) == [0]


@pytest.mark.parametrize("keep", [0, 3, 200, 900, -10])
def test_a_damaged_file_is_refused_without_a_traceback(trial_files, tmp_path, keep):
    root = trial_files.write()
    path = tmp_path / "baseline.sav"
    as_spss(trial_files, "baseline", path)
    path.write_bytes(path.read_bytes()[:keep])
    survey = read(path, root)
    assert [problem.code for problem in survey.problems] == ["S02"] and not survey.readable
    assert survey.problems[0].remedy


def test_another_file_under_the_name_is_refused(trial_files, tmp_path):
    root = trial_files.write()
    path = tmp_path / "baseline.sav"
    path.write_text("ResponseId,consent\n", encoding="utf-8")
    assert "SPSS" in read(path, root).problems[0].rule


def test_names_and_free_text_never_leave_the_reader(trial_files, tmp_path):
    root = trial_files.write()
    for row in trial_files.surveys["baseline"]:
        row |= {"RecipientLastName": "Quillfeather", "comments": "Zebedee helps", "IPAddress": "192.0.2.77"}
    path = tmp_path / "baseline.sav"
    as_spss(trial_files, "baseline", path)
    survey = read(path, root)
    words = (
        survey.frame.to_csv()
        + survey.meta.to_csv()
        + repr(survey.raw)
        + repr(survey.problems)
        + repr(survey.tolerances)
    )
    assert not any(trace in words for trace in ("Quillfeather", "Zebedee", "192.0.2"))
    export = survey_export.read_sav_export(path, wanted={"happiness", "ResponseId"})
    assert "Zebedee" not in repr(export)


def test_without_pyreadstat_the_message_says_what_to_do(trial_files, tmp_path, monkeypatch):
    root = trial_files.write()
    path = tmp_path / "baseline.sav"
    as_spss(trial_files, "baseline", path)
    monkeypatch.setitem(__import__("sys").modules, "pyreadstat", None)
    problem = read(path, root).problems[0]
    assert "pyreadstat" in problem.rule and "CSV" in problem.remedy
