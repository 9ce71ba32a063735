"""Allocation list and surveys of an individually randomised study: what is read, what is refused."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest

from hhp_stats.errors import DataError
from hhp_stats.intake.manifest import record_files
from hhp_stats.intake.participants import load_participants
from hhp_stats.plan.individual import load_individual_plan

LIST = "data/allocation/mod_ing.csv"
ENDLINE = "data/surveys/mod_ing/endline.csv"


@pytest.fixture
def edit(project):
    """Change the rows of a CSV of the copy and load the trial; rows are lists, the first is the heading."""

    def change(file, mend):
        path = project / file
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
        rows = mend(rows) or rows
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(rows)
        path.chmod(0o644)
        path.write_text(out.getvalue(), encoding="utf-8-sig")
        record_files(project)  # damage that was accepted: the rules have to find it
        return load_participants(project, load_individual_plan(project, "mod_ing"))

    return change


def codes(error):
    return {problem.code for problem in error.value.problems}


def test_everyone_on_the_list_is_there_once(root):
    plan = load_individual_plan(root, "mod_ing")
    found = load_participants(root, plan)
    assert len(found.people) == plan.design.randomised == found.people["person"].nunique()
    assert found.people["treatment"].value_counts().to_dict() == {0.0: 138, 1.0: 138}
    assert found.inputs["path"].tolist()[:3] == [LIST, "data/surveys/mod_ing/baseline.csv", ENDLINE]
    assert "data/plan/mod_ing.toml" in set(found.inputs["path"])
    assert found.inputs["sha256"].str.len().eq(64).all()


def test_neither_identifiers_nor_codes_leave_intake(root):
    found = load_participants(root, load_individual_plan(root, "mod_ing"))
    listed = pd.read_csv(root / LIST)
    seen = {str(value) for column in found.people for value in found.people[column].dropna().unique()}
    assert not seen & {*listed["staff_id"], *listed["survey_code"]}


def test_responses_add_up(root):
    found = load_participants(root, load_individual_plan(root, "mod_ing"))
    for row in found.linkage.to_dict("records"):
        assert row["consented"] == row["duplicates"] + row["matched"] + row["unmatched"]
        assert row["matched"] == found.people[f"opened_{'t1' if row['wave'] == 'baseline' else 't2'}"].sum()


def column(rows, name):
    return rows[0].index(name)


def test_an_unknown_arm_is_refused(edit):
    def mend(rows):
        rows[5][column(rows, "arm")] = "treated"

    with pytest.raises(DataError) as error:
        edit(LIST, mend)
    assert error.value.problems[0].file == LIST
    assert "row 6" in error.value.problems[0].cell


@pytest.mark.parametrize(("name", "code"), [("staff_id", "I04"), ("survey_code", "I05")])
def test_a_doubled_person_or_code_is_refused(edit, name, code):
    def mend(rows):
        rows[2][column(rows, name)] = rows[1][column(rows, name)]

    with pytest.raises(DataError) as error:
        edit(LIST, mend)
    assert code in codes(error)


@pytest.mark.parametrize("name", ["staff_id", "survey_code"])
@pytest.mark.parametrize("made", ["1E+05", "05-Sep", "03/04/2019", "1.5E11", "QX7 pts", "QX7*"])
def test_an_identifier_that_a_spreadsheet_made_into_something_else_is_refused(edit, name, made):
    def mend(rows):
        rows[2][column(rows, name)] = made

    with pytest.raises(DataError) as error:
        edit(LIST, mend)
    assert "I01" in codes(error)


def test_a_blank_arm_is_refused(edit):
    def mend(rows):
        rows[3][column(rows, "arm")] = ""

    with pytest.raises(DataError) as error:
        edit(LIST, mend)
    assert codes(error) == {"I01", "I08"}  # and an arm is smaller than planned


DEVIATION = """
[[deviation]]
id = "X{number}"
study = "mod_ing"
clause = ""
analysis = "data/allocation/list"
aspect = "randomisation"
rule = "{rule}"
units = [{units}]
planned = "as drawn"
done = "one person withdrew"
reason = "One person asked to be deleted."
decided = "for a test"
before_unblinding = false
"""


def test_another_number_of_people_is_refused_unless_a_deviation_explains_it(edit, project):
    with pytest.raises(DataError) as error:
        edit(LIST, lambda rows: rows[:-1])
    assert codes(error) == {"I07", "I08"} and "everyone" in str(error.value) and 'rule = "I07"' in str(error.value)
    arm = next(
        problem.value.split(" in ")[1].split(",")[0] for problem in error.value.problems if problem.code == "I08"
    )
    path = project / "data/plan/deviations_field_trials.toml"
    text = path.read_text(encoding="utf-8") + DEVIATION.format(number=1, rule="I07", units='"everyone"')
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as error:
        edit(LIST, lambda rows: rows)
    assert codes(error) == {"I08"}, "each finding needs its own entry"
    path.write_text(text + DEVIATION.format(number=2, rule="I08", units=f'"{arm}"'), encoding="utf-8")
    found = edit(LIST, lambda rows: rows)
    notes = found.problems.loc[found.problems["code"].isin(["I07", "I08"])]
    assert set(notes["severity"]) == {"note"} and notes["remedy"].str.contains("deviation X").all()
    assert len(found.people) == 275
    path.write_text(text + DEVIATION.format(number=2, rule="I08", units=f'"{arm}", "other"'), encoding="utf-8")
    with pytest.raises(DataError) as error:
        edit(LIST, lambda rows: rows)
    assert codes(error) == {"A10"} and "other" in str(error.value), "an entry about nothing"


def swapped(people, *, of="control", to="treatment"):
    """The arms of so many people of each arm exchanged, the numbers in the arms kept."""

    def mend(rows):
        arm = column(rows, "arm")
        for one in (of, to):
            for row in [row for row in rows[1:] if row[arm] == one][:people]:
                row[arm] = "other " + one
        for row in rows[1:]:
            if row[arm].startswith("other "):
                row[arm] = to if row[arm].endswith(of) else of

    return mend


@pytest.mark.parametrize("people", [20, 138])
def test_who_answers_a_question_of_another_arm_is_in_the_wrong_one(edit, people):
    with pytest.raises(DataError) as error:
        edit(LIST, swapped(people))
    (problem,) = error.value.problems
    assert problem.code == "I10" and problem.file == LIST and problem.cell.startswith("row")
    assert "answered recall" in problem.value
    if people == 138:
        assert problem.value.startswith("41 of the")


def test_an_answer_off_its_scale_is_refused(edit):
    def mend(rows):
        row = next(row for row in rows[3:] if row[column(rows, "happiness")])
        row[column(rows, "happiness")] = "11"

    with pytest.raises(DataError) as error:
        edit(ENDLINE, mend)
    assert "S11" in codes(error)


def test_a_response_before_the_opening_is_reported(edit):
    def mend(rows):
        row = next(row for row in rows[3:] if row[column(rows, "happiness")] and row[column(rows, "ExternalReference")])
        row[column(rows, "RecordedDate")] = "2021-01-04 10:00:00"

    assert "S20" in set(edit(ENDLINE, mend).problems["code"])


def test_a_refusal_after_an_answer_withdraws_it(edit, root):
    before = load_participants(root, load_individual_plan(root, "mod_ing")).linkage.set_index("wave")

    def mend(rows):
        consent, code, recorded = (column(rows, name) for name in ("consent", "ExternalReference", "RecordedDate"))
        answered = [row for row in rows[3:] if row[column(rows, "happiness")] and row[code]]
        doubled = {row[code] for row in rows[3:] if sum(other[code] == row[code] for other in rows[3:]) > 1}
        known = set(pd.read_csv(root / LIST)["survey_code"])
        row = next(row for row in answered if row[code] in known - doubled)
        later = ["" for _ in row]
        later[code], later[consent], later[recorded] = row[code], "Disagree", "2021-07-30 10:00:00"
        later[column(rows, "ResponseId")], later[column(rows, "Finished")] = "R_LATER", "True"
        later[column(rows, "Release")] = "synthetic"
        return [*rows, later]

    after = edit(ENDLINE, mend).linkage.set_index("wave")
    assert after.at["endline", "matched"] == before.at["endline", "matched"] - 1


def test_a_file_without_the_synthetic_mark_is_refused_beside_a_synthetic_manifest(edit):
    def mend(rows):
        for row in rows[1:]:
            row[column(rows, "release")] = "real"

    with pytest.raises(DataError):
        edit(LIST, mend)


def test_a_missing_survey_is_refused(project):
    (project / ENDLINE).unlink()
    with pytest.raises(DataError) as error:
        load_participants(project, load_individual_plan(project, "mod_ing"))
    assert codes(error) == {"S01", "M02"}
