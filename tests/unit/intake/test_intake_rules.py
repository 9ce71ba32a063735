"""One test per rule: a valid file, one damage, and the problem that must name it."""

from datetime import datetime, timedelta

import pytest
from intake_builder import STUDY, small_trial

from hhp_stats.intake.check import check_returns
from hhp_stats.intake.dictionary import load_dictionary, load_study
from hhp_stats.intake.gather import check_return, gather
from hhp_stats.intake.load import problem_frame
from hhp_stats.intake.returns import read_return
from hhp_stats.intake.rule import LISTED
from hhp_stats.intake.rule_list import all_rules
from hhp_stats.intake.spellings import load_spellings


def problems_of(trial_files, wave="baseline", slug="kent"):
    """The problems of one return alone: cell rules and rules within a wave."""
    path = trial_files.root / f"{wave}.xlsx"
    path.parent.mkdir(parents=True, exist_ok=True)
    trial_files.returns[slug, wave].book().save(path)
    root = written_root
    fields = load_dictionary(root)
    study = load_study(root, STUDY)
    ret = read_return(
        path,
        file=path.name,
        wave=wave,
        study=study,
        fields=fields,
        spellings=load_spellings(root, fields),
        site=study.by_slug(slug),
    )
    check_return(ret)
    return ret.problems


@pytest.fixture(autouse=True)
def _root(written_trial):
    global written_root
    written_root = written_trial.root


def person(trial_files, staff, wave="baseline", slug="kent"):
    return trial_files.returns[slug, wave].find(staff)


def only(problems, code):
    """The one problem there is, which must have this code."""
    assert [problem.code for problem in problems] == [code], [str(problem) for problem in problems]
    return problems[0]


# ---------------------------------------------------------------- cells and one wave


@pytest.mark.parametrize(
    ("code", "wave", "changes", "cell_of"),
    [
        ("C01", "baseline", {"illness_days": "a few"}, "illness_days"),
        ("C12", "baseline", {"overall_absence_days": "12,5"}, "overall_absence_days"),
        ("C01", "baseline", {"illness_days": "1e3"}, "illness_days"),
        ("C01", "baseline", {"illness_days": "nan"}, "illness_days"),
        ("C01", "baseline", {"illness_days": datetime(2019, 1, 2)}, "illness_days"),
        ("C01", "baseline", {"illness_days": True}, "illness_days"),
        ("C01", "baseline", {"service_months": "2 years"}, "service_months"),
        ("C02", "baseline", {"illness_days": 3, "illness_spells": 1.5}, "illness_spells"),
        ("C03", "interim", {"start_date": "31/02/2019"}, "start_date"),
        ("C03", "interim", {"start_date": "soon"}, "start_date"),
        ("C03", "interim", {"start_date": 12}, "start_date"),
        ("C04", "baseline", {"part_time": "sometimes"}, "part_time"),
        ("C04", "baseline", {"agency": 2}, "agency"),
        ("C05", "baseline", {"role": "plumber"}, "role"),
        ("C05", "baseline", {"gender": 7}, "gender"),
        ("C08", "baseline", {"team_id": datetime(2019, 5, 3)}, "team_id"),
        ("C08", "baseline", {"team_id": 12.5}, "team_id"),
        ("R01", "baseline", {"role": None}, "role"),
        ("R01", "baseline", {"part_time": "N/A"}, "part_time"),
        ("R04", "baseline", {"staff_id": "Quentin Ashgrove"}, "staff_id"),
        ("R04", "baseline", {"staff_id": "q.ashgrove@example.invalid"}, "staff_id"),
        ("R04", "baseline", {"staff_id": "Ashgrove"}, "staff_id"),
        ("R04", "baseline", {"staff_id": "KEN 0777"}, "staff_id"),
        ("R04", "baseline", {"staff_id": "КEN-0001"}, "staff_id"),  # the first letter is Cyrillic
        ("R05", "baseline", {"team_id": "Marple and Wimsey"}, "team_id"),
        ("R06", "baseline", {"illness_days": -1, "illness_spells": 1}, "illness_days"),
        ("R06", "baseline", {"service_months": 900}, "service_months"),
        ("R07", "baseline", {"illness_days": 9, "illness_spells": 2, "overall_absence_days": 8}, "illness_days"),
        ("R08", "baseline", {"illness_days": 0, "illness_spells": 1}, "illness_spells"),
        ("R08", "baseline", {"illness_days": 4, "illness_spells": 0}, "illness_spells"),
        ("R09", "baseline", {"illness_days": 1, "illness_spells": 3}, "illness_spells"),
        (
            "R11",
            "baseline",
            {"illness_days": 270, "illness_spells": 2, "overall_absence_days": 300, "service_months": 40},
            "illness_days",
        ),
        (
            "R11",
            "baseline",
            {"illness_days": 100, "illness_spells": 2, "overall_absence_days": 110, "service_months": 3},
            "illness_days",
        ),
        ("R12", "interim", {"left": "yes"}, "leaving_date"),
        ("R13", "interim", {"leaving_date": datetime(2019, 8, 1)}, "leaving_date"),
        (
            "R14",
            "interim",
            {
                "left": "yes",
                "leaving_date": datetime(2019, 6, 1),
                "illness_days": None,
                "overall_absence_days": None,
                "illness_spells": None,
            },
            "leaving_date",
        ),
        ("R14", "interim", {"left": "yes", "leaving_date": datetime(2020, 6, 1)}, "leaving_date"),
        (
            "R15",
            "interim",
            {"start_date": datetime(2020, 6, 1), "illness_days": 0, "illness_spells": 0, "overall_absence_days": 0},
            "start_date",
        ),
        ("R16", "interim", {"replacement_cost": 900}, "replacement_cost"),
    ],
)
def test_one_damage_one_problem(trial_files, code, wave, changes, cell_of):
    sheet = trial_files.returns["kent", wave]
    person = sheet.people[5]
    cell = sheet.cell(person["staff_id"], cell_of)
    person |= changes
    problem = only(problems_of(trial_files, wave), code)
    assert problem.cell.split(",")[0] == cell
    assert problem.sheet == "Return"
    assert problem.rule
    assert problem.remedy


def test_the_valid_returns_have_no_problem(trial_files):
    for wave in ("baseline", "interim", "endline"):
        assert problems_of(trial_files, wave) == []


def test_a_repeated_person_names_both_cells(trial_files):
    sheet = trial_files.returns["kent", "baseline"]
    sheet.people[7]["staff_id"] = "KEN-0003"
    problem = only(problems_of(trial_files), "R02")
    assert problem.cell == "A15, A10"


def test_one_id_written_in_two_ways(trial_files):
    trial_files.returns["kent", "baseline"].people[7]["staff_id"] = "ken-3"
    assert only(problems_of(trial_files), "R03").cell == "A15, A10"


def test_more_absence_than_working_days(trial_files):
    sheet = trial_files.returns["kent", "interim"]  # 8 July to 30 September 2019: 61 working days
    for person, days in zip(sheet.people[4:6], (61, 61.5), strict=True):
        person |= {"illness_days": days, "illness_spells": 1, "overall_absence_days": days}
    found = problems_of(trial_files, "interim")
    assert {problem.code for problem in found} == {"R10"}
    assert {problem.cell for problem in found} == {"H13", "I13"} or {problem.cell for problem in found} == {
        "F13",
        "G13",
    }
    assert all("61.5 days, 61 working days" in problem.value for problem in found)


def test_a_leaver_is_exposed_until_leaving_only(trial_files):
    sheet = trial_files.returns["kent", "interim"]
    leaver = sheet.find("KEN-0002")  # left on 16 September: 51 working days
    leaver |= {"illness_days": 52, "illness_spells": 1, "overall_absence_days": 52}
    assert {problem.code for problem in problems_of(trial_files, "interim")} == {"R10"}
    leaver |= {"illness_days": 51, "overall_absence_days": 51}
    assert problems_of(trial_files, "interim") == []


def test_rows_copied_down(trial_files):
    sheet = trial_files.returns["kent", "baseline"]
    for person in sheet.people[5:10]:
        person |= {
            name: sheet.people[5][name]
            for name in ("service_months", "overall_absence_days", "illness_days", "illness_spells")
        }
    problem = only(problems_of(trial_files), "R17")
    assert problem.cell.startswith("E13, to")
    assert problem.value == "5 consecutive rows with the same figures"


def test_a_figure_copied_down(trial_files):
    for index, person in enumerate(trial_files.returns["kent", "baseline"].people):
        person |= {"overall_absence_days": 33 if index < 14 else person["overall_absence_days"]}
    assert only(problems_of(trial_files), "R18").value == "33 in 14 consecutive rows"


def test_a_series_dragged_down(trial_files):
    for index, person in enumerate(trial_files.returns["kent", "baseline"].people[:11]):
        person["service_months"] = 20 + index
    assert only(problems_of(trial_files), "R19").value == "11 consecutive rows that rise by one"


def test_spells_for_some_people_only(trial_files):
    person = trial_files.returns["kent", "baseline"].people[3]
    person |= {"illness_spells": None}
    assert only(problems_of(trial_files), "R20").severity == "note"


def test_many_breaches_are_summed_up(tmp_path, written_trial):
    files = small_trial(tmp_path / "project", teams=25)
    for person in files.returns["kent", "baseline"].people:
        person["illness_days"] = -2
        person["illness_spells"] = None
    found = problems_of(files)
    assert len(found) == 61
    assert found[-1].cell == "G68:G132"
    assert "65 more cells" in found[-1].value and found[-1].cells == 65
    assert problem_frame(found)["cells"].sum() == LISTED + 65


# ---------------------------------------------------------------- across waves, authorities and lists


def across(trial_files, *slugs):
    """The problems of the returns of some authorities (Kent's alone unless said) taken together."""
    for slug in slugs or ("kent",):
        for wave in ("baseline", "interim", "endline"):
            path = trial_files.return_path(slug, wave)
            path.parent.mkdir(parents=True, exist_ok=True)
            trial_files.returns[slug, wave].book().save(path)
    found = check_returns(trial_files.root / "data/returns", root=written_root).problems
    return sorted(found, key=lambda problem: problem.code)


def everything(trial_files):
    """The problems of all raw files together."""
    found = gather(trial_files.write(), STUDY).all_problems()
    return sorted(found, key=lambda problem: problem.code)


def test_dates_of_the_returns(trial_files):
    trial_files.returns["kent", "endline"].day = datetime(2019, 9, 1)
    codes = [problem.code for problem in across(trial_files)]
    assert "X01" in codes
    assert "X02" in codes


def test_baseline_after_launch(trial_files):
    trial_files.returns["kent", "baseline"].day = datetime(2019, 7, 9)
    assert only(across(trial_files), "X01").cell == "B4"


def test_endline_before_24_weeks(trial_files):
    trial_files.returns["kent", "endline"].day -= timedelta(days=1)
    assert only(across(trial_files), "X02").severity == "warning"


def test_a_person_in_two_authorities(trial_files):
    for wave in ("baseline", "interim", "endline"):
        trial_files.returns["bromley", wave].find("BRO-0004")["staff_id"] = "KEN-0004"
    found = across(trial_files, "kent", "bromley")
    assert "X03" in [problem.code for problem in found]
    problem = next(problem for problem in found if problem.code == "X03")
    assert {"kent", "bromley"} <= set((problem.file + "/" + problem.cell).split("/"))


def test_plain_numbers_may_recur_between_authorities(trial_files):
    for slug, letters in (("kent", "KEN"), ("bromley", "BRO")):
        for wave in ("baseline", "interim", "endline"):
            trial_files.returns[slug, wave].find(f"{letters}-0004")["staff_id"] = "4711"
    trial_files.linkage = [line for line in trial_files.linkage if not str(line["staff_id"]).endswith("0004")]
    assert {problem.code for problem in everything(trial_files)} <= {"S21"}


def test_a_team_in_two_authorities(trial_files):
    for wave in ("baseline", "interim", "endline"):
        for person in trial_files.returns["bromley", wave].people:
            if person["team_id"] == "BRO-T02":
                person["team_id"] = "KEN-T02"
    assert {"X04", "A02"} <= {problem.code for problem in everything(trial_files)}


def test_a_changed_team_is_a_note(trial_files):
    trial_files.returns["kent", "interim"].find("KEN-0006")["team_id"] = "KEN-T04"
    problem = only(across(trial_files), "X05")
    assert problem.severity == "note"
    assert "baseline B13" in problem.cell


def test_who_moves_to_the_other_arm(trial_files):
    moved = trial_files.returns["kent", "interim"].find("KEN-0006")
    moved["team_id"] = "KEN-T04"  # of the same arm as KEN-T02
    assert "X23" not in {problem.code for problem in everything(trial_files)}
    moved["team_id"] = "KEN-T01"
    problem = only([each for each in everything(trial_files) if each.code != "X05"], "X23")
    assert problem.severity == "warning" and "baseline B13" in problem.cell


def test_a_leaver_who_comes_back(trial_files):
    row = dict(trial_files.returns["kent", "interim"].find("KEN-0002"))
    trial_files.returns["kent", "endline"].people.append(
        row | {"left": "no", "leaving_date": None, "replacement_cost": None}
    )
    problem = only(across(trial_files), "X06")
    assert problem.cell.startswith("A")
    assert "interim" in problem.cell


def test_a_joiner_needs_a_start_date(trial_files):
    for wave in ("interim", "endline"):
        trial_files.returns["kent", wave].find("KEN-9001")["start_date"] = None
    assert [problem.code for problem in across(trial_files)] == ["X07", "X07"]


def test_a_start_date_of_somebody_who_was_there(trial_files):
    trial_files.returns["kent", "endline"].find("KEN-0006")["start_date"] = datetime(2019, 8, 1)
    assert only(across(trial_files), "X08").severity == "error"


def test_a_new_person_who_started_before_the_baseline_return(trial_files):
    for wave in ("interim", "endline"):
        trial_files.returns["kent", wave].find("KEN-9001")["start_date"] = datetime(2019, 2, 1)
    assert {problem.code for problem in across(trial_files)} == {"X09"}


def test_a_new_person_who_started_before_launch(trial_files):
    for wave in ("interim", "endline"):
        trial_files.returns["kent", wave].find("KEN-9001")["start_date"] = datetime(2019, 6, 3)
    found = across(trial_files)
    assert {(problem.code, problem.severity) for problem in found} == {("X10", "note")}


def test_two_start_dates_of_a_joiner(trial_files):
    trial_files.returns["kent", "endline"].find("KEN-9001")["start_date"] += timedelta(days=7)
    assert only(across(trial_files), "X19").severity == "error"


def test_vanished_between_interim_and_endline(trial_files):
    sheet = trial_files.returns["kent", "endline"]
    sheet.people.remove(sheet.find("KEN-0011"))
    problem = only(across(trial_files), "X11")
    assert problem.file.endswith("kent/interim.xlsx")


def test_missing_at_interim_only(trial_files):
    sheet = trial_files.returns["kent", "interim"]
    sheet.people.remove(sheet.find("KEN-0011"))
    assert only(across(trial_files), "X12").file.endswith("kent/endline.xlsx")


def test_days_and_spells_that_shrink(trial_files):
    early = trial_files.returns["kent", "interim"].find("KEN-0006")
    early |= {"illness_days": 9, "illness_spells": 5, "overall_absence_days": 30}
    late = trial_files.returns["kent", "endline"].find("KEN-0006")
    late |= {"illness_days": 8, "illness_spells": 4, "overall_absence_days": 31}
    assert [problem.code for problem in across(trial_files)] == ["X13", "X14"]


def test_an_id_written_otherwise_in_a_later_return(trial_files):
    trial_files.returns["kent", "endline"].find("KEN-0006")["staff_id"] = "ken-6"
    codes = {problem.code for problem in across(trial_files)}
    assert "X15" in codes


def test_a_gender_that_changes(trial_files):
    person = trial_files.returns["kent", "endline"].find("KEN-0006")
    person["gender"] = "male" if person["gender"] == "female" else "female"
    assert only(across(trial_files), "X16").severity == "warning"


def test_service_that_shrinks(trial_files):
    trial_files.returns["kent", "endline"].find("KEN-0006")["service_months"] = 1
    assert only(across(trial_files), "X17").severity == "warning"


def test_a_new_team(trial_files):
    trial_files.returns["kent", "endline"].find("KEN-9001")["team_id"] = "KEN-T99"
    codes = {problem.code for problem in across(trial_files)}
    assert codes == {"X18"}


def test_an_endline_that_copies_the_interim(trial_files):
    early = trial_files.returns["kent", "interim"]
    for person in trial_files.returns["kent", "endline"].people:
        if person["staff_id"] != "KEN-0003":
            same = early.find(person["staff_id"])
            person |= {name: same[name] for name in ("overall_absence_days", "illness_days", "illness_spells")}
    assert only(across(trial_files), "X20").severity == "warning"


def test_one_file_twice(trial_files):
    root = trial_files.write()
    source = trial_files.return_path("kent", "interim")
    trial_files.return_path("kent", "endline").write_bytes(source.read_bytes())
    trial_files.seal()
    assert "X21" in {problem.code for problem in gather(root, STUDY).all_problems()}


def test_a_baseline_team_that_was_not_allocated(trial_files):
    del trial_files.allocation[1]
    assert only(everything(trial_files), "X22").file.endswith("kent/baseline.xlsx")


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("A01", {"team_id": "KEN-T02"}),
        ("A03", {"local_authority": "Bromley"}),
        ("L04", {"treatment": "maybe"}),
        ("L05", {"stratum": ""}),
        ("L06", {"treatment": 2}),
        ("L07", {"local_authority": "Atlantis"}),
        ("F20", {"release": "real"}),
    ],
)
def test_damage_of_the_allocation_list(trial_files, code, changes):
    trial_files.allocation[0] |= changes
    found = [problem for problem in everything(trial_files) if problem.file == "data/allocation/goal_setting.csv"]
    assert code in {problem.code for problem in found}
    assert all(problem.severity == "error" for problem in found if problem.code == code)


def test_an_allocated_team_without_people(trial_files):
    extra = dict(trial_files.allocation[0]) | {"team_id": "KEN-T77"}
    trial_files.allocation.append(extra)
    assert only(everything(trial_files), "A02").cell == "row 10, column A (team_id)"


def test_an_authority_with_one_arm(trial_files):
    for line in trial_files.allocation[:4]:
        line["treatment"] = 0
    assert only(everything(trial_files), "A04").severity == "warning"


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("G01", {"staff_id": "KEN-0002"}),
        ("G02", {"staff_id": "KEN-7777"}),
        ("G03", {"enrolled_on": "2019-07-01"}),
        ("G04", {"last_activity_on": "2019-07-10"}),
        ("L04", {"modules_completed": "all"}),
        ("L06", {"modules_completed": 7}),
    ],
)
def test_damage_of_the_course_log(trial_files, code, changes):
    trial_files.course_log[0] |= changes
    assert only(everything(trial_files), code).file == "data/course_log/goal_setting.csv"


@pytest.mark.parametrize(
    ("code", "changes"),
    [("K01", {"survey_code": "sv00001x"}), ("K02", {"staff_id": "KEN-0002"}), ("K03", {"staff_id": "KEN-7777"})],
)
def test_damage_of_the_linkage_list(trial_files, code, changes):
    trial_files.linkage[0] |= changes
    codes = {problem.code for problem in everything(trial_files)}
    assert code in codes
    assert codes <= {code, "S21"}


def test_every_rule_has_a_code_of_its_own_and_says_what_to_do():
    rules = all_rules()
    assert len({rule.code for rule in rules}) == len(rules)
    for rule in rules:
        assert rule.rule.endswith(".")
        assert rule.remedy.endswith(".")
        assert rule.severity in ("error", "warning", "note")
