"""The plain table of a trial: one damage, one problem, with file, row, column, rule and remedy; the same from every
format.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

from hhp_stats.errors import DataError, PlanError
from hhp_stats.intake.manifest import MANIFEST, record_files
from hhp_stats.intake.plain_table import load_plain_table, read_plain_table
from hhp_stats.intake.pseudonym import KEY_VARIABLE
from hhp_stats.intake.raw_places import raw_names
from hhp_stats.intake.rule_list import all_rules
from hhp_stats.plan.individual import load_individual_plan

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from table_trials import DICTIONARY, KEY, PLAN, walks, without_other_trials, write_walks

FILE = f"data/tables/{KEY}.csv"


@pytest.fixture(scope="module")
def small(root, tmp_path_factory):
    """A project without raw files of other trials, so that writing its manifest is quick."""
    return without_other_trials(root, tmp_path_factory.mktemp("table") / "project")


@pytest.fixture
def home(small, tmp_path, monkeypatch):
    """The made-up trial in it, with a key for its identifiers."""
    key = tmp_path / "key"
    key.write_bytes(np.random.default_rng(1).bytes(48))
    key.chmod(0o600)
    monkeypatch.setenv(KEY_VARIABLE, str(key))
    shutil.rmtree(small / "data/tables", ignore_errors=True)
    return write_walks(small)


def problems(home, *, table=None, plan=PLAN, dictionary=DICTIONARY):
    """What is found in a changed table: those that stop the run, else warnings."""
    write_walks(home, table, plan=plan, dictionary=dictionary)
    try:
        found = load_plain_table(home, load_individual_plan(home, KEY)).problems
        return [(row["code"], row["cell"], row["value"]) for row in found.to_dict("records")]
    except DataError as error:
        return [(problem.code, problem.cell, problem.value) for problem in error.problems]


def test_the_made_up_table_is_read(home):
    plan = load_individual_plan(home, KEY)
    found = load_plain_table(home, plan)
    people = found.people
    assert len(people) == 240
    assert people["arm"].value_counts().to_dict() == {"leaflet": 88, "coach": 80, "control": 72}
    assert people.groupby("arm")["treatment"].first().to_dict() == {"control": 0.0, "leaflet": 1.0, "coach": 2.0}
    assert people["years"].isna().sum() == (walks()["years"] == -9).sum() > 0
    assert not people["person"].str.startswith("P0").any()  # pseudonyms
    assert "who" not in people
    assert [(row["code"], row["value"]) for row in found.problems.to_dict("records")] == [
        ("T18", "no value in the arm GP leaflet")
    ]


# ---------------------------------------------------------------- one damage, one problem
def at(row, column, value):
    """The table with one cell changed; `row` as a program counts, headings in row 1."""

    def change(table):
        table[column] = table[column].astype(object)
        table.loc[row - 2, column] = value
        return table

    return change


DAMAGES = [
    ("T03", "column M", lambda t: t.assign(extra=1), "a text of 5 letters"),
    ("T05", "column years", lambda t: t.drop(columns="years"), "no heading “years”"),
    ("T05", "column pain_12", lambda t: pd.concat([t, t[["pain_12"]]], axis=1), "the heading “pain_12” 2 times"),
    ("T06", "column M", lambda t: t.assign(**{"Last name": "x"}), "not repeated here"),
    ("T08", "row 7, column F (years)", at(7, "years", "about 40"), "where a number should stand"),
    ("T08", "row 9, column E (woman)", at(9, "woman", 2), "where 0 or 1"),
    ("T08", "row 9, column L (seen)", at(9, "seen", "31/02/2024"), "where a date should stand"),
    ("T09", "row 4, column D (region)", at(4, "region", "Costa"), "allowed Coast, Hills"),
    ("T10", "row 5, column F (years)", at(5, "years", 17), "17, allowed 18 to 100 years"),
    ("T10", "row 5, column F (years)", at(5, "years", 101), "101, allowed 18 to 100 years"),
    ("C12", "row 5, column F (years)", at(5, "years", "47,5"), "“47,5”"),
    ("T28", "row 5, column J (pain_12)", at(5, "pain_12", 9), "9, the plan's range is 0 to 8"),
    ("T11", "row 6, column C (surgery)", at(6, "surgery", ""), "an empty cell"),
    ("T11", "row 6, column A (who)", at(6, "Patient No", ""), "an empty cell"),
    ("T11", "row 6, column D (region)", at(6, "region", None), "an empty cell"),
    ("T12", "row 8, column B (arm)", at(8, "offered", ""), "an empty cell"),
    ("T13", "row 8, column B (arm)", at(8, "offered", "coaching"), "the plan's arms are written usual care, 2, coach"),
    ("T14", "row 3, column A (who), first in row 2, column A (who)", at(3, "Patient No", "P0000"), "“P0000”"),
    ("T16", "row 30, column D (region)", at(30, "region", "Hills"), "rows of one surgery with"),
    ("T18", "row 2, column I (steps_12)", lambda t: t.assign(steps_12=np.nan), "no value at all"),
    ("T20", "", lambda t: t.iloc[:-1], "239 patients, 240 in the plan (everyone)"),
    (
        "T21",
        "",
        lambda t: t.assign(surgery=t["surgery"].replace("S23", "S20")),
        "23 surgeries, 24 in the plan (everyone)",
    ),
]


@pytest.mark.parametrize(
    ("code", "cell", "change", "says"), DAMAGES, ids=[f"{d[0]}-{n}" for n, d in enumerate(DAMAGES)]
)
def test_one_damage_one_problem(home, code, cell, change, says):
    plan = PLAN.replace('column = "pain_12"', 'column = "pain_12"\nrange = [0, 8]')
    table = walks().assign(pain_12=lambda t: t["pain_12"].clip(upper=8))
    found = problems(home, table=change(table), plan=plan)
    found = [each for each in found if not (each[0] == "T18" and "GP leaflet" in each[2])]
    assert [each[:2] for each in found] == [(code, cell)]
    assert says in found[0][2]


@pytest.mark.parametrize("value", [18, 100])
def test_the_limits_belong_to_what_is_allowed(home, value):
    assert not [each for each in problems(home, table=at(5, "years", value)(walks())) if each[0] == "T10"]


def test_a_cluster_in_two_arms_is_refused(home):
    found = problems(home, table=at(6, "offered", "coach")(walks()))
    assert [each[0] for each in found] == ["T15"]
    assert "and 1 “coach”" in found[0][2]


def test_an_arm_without_people_and_a_stratum_of_one_arm(home):
    table = walks()
    coach = table["offered"] == "coach"
    table.loc[coach, "offered"] = "usual care"
    assert {each[0] for each in problems(home, table=table)} >= {"T17"}
    only = walks()
    only["region"] = np.where(only["offered"] == "coach", "Coast", "Hills")
    assert [each[0] for each in problems(home, table=only)].count("T19") == 1


def test_arms_of_another_size_than_planned(home):
    plan = PLAN.replace("value = 2\n", "value = 2\nrandomised = 89\n")
    assert problems(home, plan=plan) == [("T22", "column arm", "88 people in leaflet, 89 in the plan")]
    assert "T22" not in [each[0] for each in problems(home, plan=plan.replace("89", "88"))]


def test_a_missing_empty_or_unreadable_table(home):
    plan = load_individual_plan(home, KEY)
    path = home / FILE
    text = path.read_text(encoding="utf-8")
    for content, code in (
        (None, "T01"),
        (b"", "T02"),
        (b"\0\1\2\3" * 50, "T02"),
        (text.splitlines()[0].encode(), "T07"),
        (text.replace("P0003,", "P0003,x,", 1).encode(), "T04"),
    ):
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        found = read_plain_table(home, plan)
        assert [problem.code for problem in found.problems if problem.severity == "error"] == [code]
        if content is not None:
            record_files(home)
        with pytest.raises(DataError, match=code):
            load_plain_table(home, plan)
    assert "row 5" in read_plain_table(home, plan).problems[0].cell


def test_a_changed_table_is_not_the_recorded_one(home):
    path = home / FILE
    path.write_text(path.read_text(encoding="utf-8").replace("P0001", "P9001"), encoding="utf-8")
    with pytest.raises(DataError, match="M03"):
        load_plain_table(home, load_individual_plan(home, KEY))


def test_the_status_of_one_study(home):
    manifest = home / MANIFEST
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace(f'"{KEY}" = "real"', f'"{KEY}" = "synthetic"'), encoding="utf-8")
    plan = load_individual_plan(home, KEY)
    with pytest.raises(DataError, match="F20"):
        load_plain_table(home, plan)
    walks().assign(release="synthetic").to_csv(home / FILE, index=False)
    record_files(home)
    assert len(load_plain_table(home, plan).people) == 240
    manifest.write_text(manifest.read_text(encoding="utf-8").replace('"synthetic"', '"real"'), encoding="utf-8")
    with pytest.raises(DataError, match="F21"):
        load_plain_table(home, plan)
    manifest.write_text(manifest.read_text(encoding="utf-8").replace('= "real"', '= "true"'), encoding="utf-8")
    with pytest.raises(DataError, match="M01"):
        load_plain_table(home, plan)
    manifest.write_text('status = "real"\n\n[files]\n', encoding="utf-8")


# ---------------------------------------------------------------- formats
def as_xlsx(table, path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(list(table.columns))
    for row in table.astype(object).where(table.notna(), None).to_numpy().tolist():
        sheet.append(row)
    book.save(path)


def as_sav(table, path):
    renamed = table.rename(columns={"Patient No": "patient_no", "steps.before": "steps_before"})
    renamed = renamed.assign(woman=renamed["woman"].astype(float), fell=renamed["fell"].astype(float))
    pyreadstat.write_sav(renamed, str(path), variable_value_labels={"woman": {0.0: "no", 1.0: "yes"}})


def as_ods(table, path):
    document, sheet = OpenDocumentSpreadsheet(), Table(name="Data")
    rows = [list(table.columns), *table.astype(object).where(table.notna(), None).to_numpy().tolist()]
    for row in rows:
        line = TableRow()
        for value in row:
            cell = TableCell() if value is None else TableCell(valuetype="string")
            if isinstance(value, int | float):
                cell = TableCell(valuetype="float", value=value)
            elif value is not None:
                cell.addElement(P(text=value))
            line.addElement(cell)
        sheet.addElement(line)
    document.spreadsheet.addElement(sheet)
    document.save(path)


@pytest.mark.parametrize("ending", ["xlsx", "ods", "sav"])
def test_every_format_gives_the_same_people(home, ending):
    plain = load_plain_table(home, load_individual_plan(home, KEY)).people
    (home / FILE).unlink()
    path = home / f"data/tables/{KEY}.{ending}"
    {"xlsx": as_xlsx, "ods": as_ods, "sav": as_sav}[ending](walks(), path)
    plan = PLAN.replace("walks.csv", f"walks.{ending}")
    if ending == "sav":
        plan = plan.replace("Patient No", "patient_no").replace("steps.before", "steps_before")
    (home / f"data/plan/{KEY}.toml").write_text(plan, encoding="utf-8")
    record_files(home)
    again = load_plain_table(home, load_individual_plan(home, KEY)).people
    pd.testing.assert_frame_equal(again, plain)


def test_an_address_in_a_workbook_is_that_of_the_program(home):
    (home / FILE).unlink()
    as_xlsx(at(5, "years", 17)(walks()), home / f"data/tables/{KEY}.xlsx")
    (home / f"data/plan/{KEY}.toml").write_text(PLAN.replace("walks.csv", "walks.xlsx"), encoding="utf-8")
    record_files(home)
    with pytest.raises(DataError) as error:
        load_plain_table(home, load_individual_plan(home, KEY))
    assert [(p.code, p.cell, p.sheet) for p in error.value.problems] == [("T10", "F5", "Sheet")]


def test_rows_are_people_where_the_plan_names_no_identifier(home, monkeypatch):
    monkeypatch.delenv(KEY_VARIABLE)  # nothing is to be hidden
    plan = PLAN.replace('person = "who"\n', "").replace('who = "Patient No"\n', "")
    dictionary = "\n".join(line for line in DICTIONARY.splitlines() if not line.startswith("who,"))
    write_walks(home, walks().drop(columns="Patient No"), plan=plan, dictionary=dictionary)
    people = load_plain_table(home, load_individual_plan(home, KEY)).people
    assert people["person"].nunique() == 240
    assert people["person"].iloc[0] == "row 2"


def test_a_table_is_named_where_others_read_it_unless_its_name_may_be_somebodys(home):
    names = raw_names(home)
    assert names.place(FILE).public == FILE
    assert names.place("data/tables/jane_doe.csv").public == "tables of trials: a file of another name"
    assert names.field("steps_12") == "steps_12"


def test_every_rule_has_a_rule_and_a_remedy_in_words():
    rules = [rule for rule in all_rules() if rule.code.startswith("T")]
    assert len(rules) == 33
    assert all(rule.rule.endswith(".") and rule.remedy.endswith(".") for rule in rules)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda steps, before: steps, []),
        (lambda steps, before: (steps / 12).round(2), ["T23"]),  # in the unit of a month
        (lambda steps, before: steps.max() + steps.min() - steps, ["T24"]),
        (lambda steps, before: pd.Series(np.roll(steps, 1)), ["T24"]),
        (lambda steps, before: steps.sort_values(ignore_index=True), ["T24"]),
    ],
)
def test_an_outcome_against_itself_before(home, change, code):
    """The values of `walks(3)`: the correlation of a slipped or sorted column with that before is below 0.1."""
    table = walks(3)
    table["steps_6"] = change(table["steps_6"], table["steps.before"])
    found = [(each, cell) for each, cell, _ in problems(home, table=table) if each in ("T23", "T24")]
    assert found == [(each, "column steps_6") for each in code]


@pytest.mark.parametrize("away", [-0.001, 0.001])
def test_the_limits_of_an_outcome_against_itself_before(home, away):
    """On either side of what the table shows, computed here."""
    table = walks(3)
    before, after = table["steps.before"], table["steps_6"]
    gap = abs(after.mean() - before.mean()) / pd.concat([before, after]).std()
    goes = np.corrcoef(before, after)[0, 1]
    limits = "".join(
        f'\n[[thresholds]]\ncode = "{code}"\nabout = "a limit"\nlimit = {limit}\nleast = 240\n'
        for code, limit in (("T23", gap + away), ("T24", goes - away))
    )
    found = problems(home, table=table, plan=PLAN + limits)
    seen = {code for code, cell, _ in found if cell == "column steps_6"}
    assert seen == ({"T23", "T24"} if away < 0 else set())


def drawn_down(table):
    table["steps_12"] = table["steps_12"].where(~table.index.isin(range(30, 60)), 7.5)


def zeros_for_blanks(table):
    table["steps_12"] = table["steps_12"].fillna(0)


def zeros_in_one_arm(table):
    table["pain_12"] = table["pain_12"].fillna(0)


def blanks_for_zeros(table):
    table["fell"] = table["fell"].where(table["fell"].eq(1)).astype("Int64")


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        (drawn_down, "T25", "steps_12 in 30 lines one after the other, all 7.5"),
        (zeros_for_blanks, "T26", "steps_12 is zero for"),
        (zeros_in_one_arm, "T26", "pain_12 is zero for 100% in the arm GP leaflet, in the others for"),
        (blanks_for_zeros, "T27", "fell is 1 or blank"),
    ],
)
def test_what_a_spreadsheet_fills_in(home, change, code, named):
    def found(table):
        return [(each, value) for each, _, value in problems(home, table=table) if each in ("T25", "T26", "T27")]

    table = walks()
    assert found(table) == []
    if change is zeros_for_blanks:
        table.loc[table.index[::9], "steps_12"] = np.nan
    change(table)
    rules = dict(found(table))
    assert rules.pop(code).startswith(named)
    # Zeros for everybody in an arm also stand one after the other where its people do.
    assert set(rules) <= ({"T25"} if change is zeros_in_one_arm else set())


@pytest.mark.parametrize("away", [-0.001, 0.001])
def test_the_limit_of_zeros(home, away):
    """Of 240 people every eighth has zero steps, nobody had before."""
    table = walks()
    table.loc[table.index[::8], "steps_6"] = 0.0
    share = table["steps_6"].eq(0).sum() / table["steps_6"].notna().sum()
    limit = f'\n[[thresholds]]\ncode = "T26"\nabout = "a limit"\nlimit = {2 * np.arcsin(np.sqrt(share)) + away}\n'
    codes = [code for code, cell, _ in problems(home, table=table, plan=PLAN + limit) if cell == "column steps_6"]
    assert ("T26" in codes) == (away < 0)


def test_zeros_and_ones_with_a_decimal_point(home):
    """As programs write a column of whole numbers that has blanks: 1.0 and 0.0."""
    table = walks()
    table["fell"] = table["fell"].astype("float64").where(table.index != 3)
    write_walks(home, table)
    assert "1.0" in (home / "data/tables/walks.csv").read_text(encoding="utf-8")
    read = load_plain_table(home, load_individual_plan(home, KEY)).people["fell"]
    assert read.value_counts().to_dict() == table["fell"].value_counts().to_dict()


@pytest.mark.parametrize("words", [("stood", "fell"), ("1", "2"), ("yes", "no")])
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_zero_and_one_may_have_words_of_their_own(home, words, ending):
    """Two levels in words, or other numbers: the dictionary says which stands for one, and nothing else is read."""
    table = walks()
    wanted = table["fell"].astype("float64")
    coded = table.assign(fell=table["fell"].map(dict(enumerate(words))))
    line = next(line for line in DICTIONARY.splitlines() if line.startswith("fell,"))
    dictionary = DICTIONARY.replace(line, ",".join([*line.split(",")[:6], "|".join(words), ""]))
    plan = PLAN.replace("walks.csv", f"walks.{ending}")

    def read(frame):
        write_walks(home, frame, plan=plan, dictionary=dictionary)
        if ending == "xlsx":
            numbers = frame["fell"].map(lambda each: int(each) if each in ("1", "2") else each)
            frame.assign(fell=numbers, seen="2024-03-05").to_excel(home / FILE.replace("csv", ending), index=False)
            record_files(home)
        return load_plain_table(home, load_individual_plan(home, KEY)).people["fell"]

    assert read(coded).tolist() == wanted.tolist()
    other = next(word for word in ("0", "true", "1") if word not in words)
    with pytest.raises(DataError) as caught:
        read(coded.assign(fell=coded["fell"].where(coded.index != 4, other)))
    (problem,) = [each for each in caught.value.problems if each.severity == "error"]
    assert problem.code == "T08" and f"where {words[0]} or {words[1]} should stand" in problem.value


@pytest.mark.parametrize("allowed", ["fell", "fell|stood|sat", "fell|Fell"])
def test_zero_and_one_have_two_words_or_none(home, allowed):
    line = next(line for line in DICTIONARY.splitlines() if line.startswith("fell,"))
    dictionary = DICTIONARY.replace(line, ",".join([*line.split(",")[:6], allowed, ""]))
    write_walks(home, dictionary=dictionary)
    with pytest.raises(PlanError, match=r"(?s)zeros and ones.*Write two: what stands for zero"):
        load_individual_plan(home, KEY)


def test_the_range_of_an_outcome_holds_its_ends(home):
    plan = PLAN.replace('column = "pain_12"', 'column = "pain_12"\nrange = [0, 10]')
    assert "T28" not in {each[0] for each in problems(home, plan=plan)}
    codes = [each[0] for each in problems(home, table=at(5, "pain_12", 11)(walks()), plan=plan)]
    assert codes == ["T10"]  # beyond the dictionary's limits: said once


def test_cells_that_show_something_else_have_the_remedy_of_every_file(home):
    """What is wrong with a cell whatever its kind is said as in returns and lists, not as a value of another kind."""
    plan = PLAN.replace("walks.csv", "walks.xlsx")
    write_walks(home, plan=plan)
    path = home / FILE.replace("csv", "xlsx")
    walks().drop(columns="seen").assign(seen="2024-03-05").to_excel(path, index=False)
    book = openpyxl.load_workbook(path)
    sheet = book.active
    sheet["F5"].number_format = "0%"
    sheet["F6"] = "#REF!"
    sheet["F7"].font = openpyxl.styles.Font(strike=True)
    book.save(path)
    (home / FILE).unlink()
    record_files(home)
    with pytest.raises(DataError) as error:
        load_plain_table(home, load_individual_plan(home, KEY))
    assert sorted(p.code for p in error.value.problems if p.severity == "error") == ["C06", "C09", "C11"]


def test_numbers_with_labels_in_an_spss_file_are_numbers_where_the_dictionary_says_so(home):
    """Answers of a scale have labels there: the score needs their numbers."""
    write_walks(home, plan=PLAN.replace("walks.csv", "walks.sav"))
    table = walks().rename(columns={"Patient No": "who", "steps.before": "steps_0"})
    path = home / FILE.replace("csv", "sav")
    labels = {"pain_12": {0.0: "none", 5.0: "much", 10.0: "worst"}, "woman": {0.0: "no", 1.0: "yes"}}
    pyreadstat.write_sav(table, str(path), variable_value_labels=labels)
    (home / FILE).unlink()
    plan = (
        PLAN.replace("walks.csv", "walks.sav")
        .replace('who = "Patient No"\n', "")
        .replace('"steps.before"', '"steps_0"')
    )
    (home / f"data/plan/{KEY}.toml").write_text(plan, encoding="utf-8")
    record_files(home)
    found = load_plain_table(home, load_individual_plan(home, KEY)).people
    expected = walks()["pain_12"].to_numpy()
    np.testing.assert_array_equal(found["pain_12"].to_numpy(), expected)
    assert set(found["woman"].dropna()) == {0.0, 1.0}
