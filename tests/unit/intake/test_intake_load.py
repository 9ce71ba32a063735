"""The whole way from raw files to a trial: what comes out, in which shape, and that nothing is half done."""

import numpy as np
import pandas as pd
import pytest
from intake_builder import PROJECT, SITES

from hhp_stats.errors import DataError
from hhp_stats.intake.load import load_trial
from hhp_stats.intake.order import content_ranks
from hhp_stats.intake.pseudonym import DEVELOPMENT_KEY, Pseudonyms


def person_of(authority, staff):
    return Pseudonyms(DEVELOPMENT_KEY).of(authority, staff)


def test_a_valid_trial_loads_without_a_word(trial_files):
    trial = load_trial(trial_files.write())
    assert trial.problems.empty, trial.problems.to_string()
    assert trial.corrections.empty
    assert len(trial.people) == 2 * 21  # 20 at baseline and one joiner in each authority
    assert trial.people["randomised"].sum() == 40
    assert trial.people["joined"].sum() == 2
    assert len(trial.teams) == 8


def test_levels_are_those_of_the_dictionary_in_its_order(trial_files):
    levels = load_trial(trial_files.write()).levels
    assert levels["health_t1"] == levels["health_t2"] == ("excellent", "good", "fair", "poor")
    assert levels["role"][0] == "student social worker" and levels["role"][-1] == "other"
    assert "health" not in levels and "staff_id" not in levels and "recall_t1" not in levels


def test_people_hold_what_the_returns_say(trial_files):
    trial = load_trial(trial_files.write())
    people = trial.people.set_index("person")
    for authority, slug, launch in SITES:
        letters = authority[:3].upper()
        early = people.loc[person_of(authority, f"{letters}-0002")]
        assert early["left"] == 1
        assert np.isnan(early["endline_illness_days"])
        assert (
            early["interim_illness_days"]
            == trial_files.returns[slug, "interim"].find(f"{letters}-0002")["illness_days"]
        )
        assert early["replacement_cost"] == 4000
        assert early["leaving_date"] == pd.Timestamp(launch) + pd.Timedelta(weeks=10)
        late = people.loc[person_of(authority, f"{letters}-0003")]
        assert late["left"] == 1
        assert (
            late["endline_illness_days"] == trial_files.returns[slug, "endline"].find(f"{letters}-0003")["illness_days"]
        )
        joiner = people.loc[person_of(authority, f"{letters}-9001")]
        assert joiner["joined"]
        assert not joiner["randomised"]
        assert joiner["start_date"] == pd.Timestamp(launch) + pd.Timedelta(weeks=3)
        assert np.isnan(joiner["baseline_illness_days"])
        for staff in (f"{letters}-0001", f"{letters}-0013"):
            row, baseline = people.loc[person_of(authority, staff)], trial_files.returns[slug, "baseline"].find(staff)
            assert row["left"] == 0
            assert row["role"] == baseline["role"]
            assert row["service_months"] == baseline["service_months"]
            assert row["baseline_overall_days"] == baseline["overall_absence_days"]
            assert row["treatment"] == int(baseline["team_id"][-2:]) % 2
            assert row["launch"] == pd.Timestamp(launch)


def test_dtypes_and_order(trial_files):
    people = load_trial(trial_files.write()).people
    assert {str(kind) for kind in people.dtypes} == {"str", "float64", "bool", "datetime64[us]"}
    assert people["local_authority"].is_monotonic_increasing
    # Teams stand together, and their people in the order of what is known of them.
    teams = people["team_id"]
    assert (teams != teams.shift()).sum() == teams.nunique()
    ranks = pd.Series(content_ranks(people, without=("person", "team_id")))
    assert ranks.groupby(teams).apply(lambda found: found.is_monotonic_increasing).all()
    assert people["person"].is_unique
    assert people["person"].str.fullmatch("[0-9a-f]{16}").all()
    assert "staff_id" not in people.columns
    assert not [name for name in people if name.startswith("comments")]


def test_survey_answers_reach_their_person(trial_files):
    root = trial_files.write()
    trial = load_trial(root)
    people = trial.people.set_index("person")
    key = {row["survey_code"]: (row["local_authority"], row["staff_id"]) for row in trial_files.linkage}
    for wave, suffix in (("baseline", "_t1"), ("endline", "_t2")):
        assert people[f"responded{suffix}"].sum() == len(trial_files.surveys[wave])
        for answer in trial_files.surveys[wave]:
            row = people.loc[person_of(*key[answer["ExternalReference"]])]
            assert row[f"ladder{suffix}"] == answer["ladder"]
            assert row[f"burnout_8{suffix}"] == answer["burnout_8"]
            assert row[f"health{suffix}"] == answer["health"]
    assert trial.linkage["responses"].sum() == sum(map(len, trial_files.surveys.values()))
    assert (trial.linkage["matched"] == trial.linkage["used"]).all()
    assert trial.linkage.groupby("wave")["people"].sum().eq(40).all()


def test_course_log_reaches_its_person(trial_files):
    people = load_trial(trial_files.write()).people.set_index("person")
    assert people["enrolled"].sum() == 6
    for line in trial_files.course_log:
        row = people.loc[person_of(line["local_authority"], line["staff_id"])]
        assert row["modules_completed"] == line["modules_completed"]


def test_teams_count_their_people(trial_files):
    teams = load_trial(trial_files.write()).teams
    assert teams["randomised"].eq(5).all()
    assert teams["people"].sum() == 42
    assert teams["leavers"].sum() == 4
    assert teams["joiners"].sum() == 2


def test_inputs_name_every_raw_file_with_its_checksum(trial_files):
    root = trial_files.write()
    inputs = load_trial(root).inputs.set_index("path")
    raw = {path.relative_to(root).as_posix() for path in (root / "data").rglob("*") if path.is_file()}
    assert set(inputs.index) == raw - {"data/manifest.toml"}
    assert inputs.loc["data/returns/goal_setting/kent/baseline.xlsx", "rows"] == 20
    assert inputs["sha256"].str.fullmatch("[0-9a-f]{64}").all()


def test_same_files_same_trial(trial_files):
    root = trial_files.write()
    one, other = load_trial(root), load_trial(root)
    for name in ("people", "teams", "inputs", "problems", "tolerances", "linkage"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))


def test_all_problems_of_all_files_come_in_one_error(trial_files):
    trial_files.returns["kent", "baseline"].people[0]["illness_days"] = -1
    trial_files.returns["bromley", "endline"].people[4]["role"] = "plumber"
    trial_files.allocation[0]["treatment"] = 3
    trial_files.surveys["baseline"][0]["ladder"] = 42
    with pytest.raises(DataError) as caught:
        load_trial(trial_files.write())
    found = {(problem.code, problem.file.split("/", 1)[1]) for problem in caught.value.problems}
    assert {
        ("R06", "returns/goal_setting/kent/baseline.xlsx"),
        ("C05", "returns/goal_setting/bromley/endline.xlsx"),
        ("L06", "allocation/goal_setting.csv"),
        ("S11", "surveys/goal_setting/baseline.csv"),
    } <= found
    assert all(problem.severity == "error" for problem in caught.value.problems)


def test_loading_leaves_the_files_alone(trial_files):
    root = trial_files.write()
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    load_trial(root)
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


def test_a_team_that_changes_counts_where_it_was_randomised(trial_files):
    person = trial_files.returns["kent", "endline"].find("KEN-0020")
    person["team_id"] = "KEN-T01"
    trial = load_trial(trial_files.write())
    row = trial.people.set_index("person").loc[person_of("Kent", "KEN-0020")]
    assert row["team_id"] == "KEN-T04"
    assert set(trial.problems["code"]) == {"X05", "X23"}


def test_somebody_who_vanishes_is_not_said_to_have_stayed(trial_files):
    sheet = trial_files.returns["kent", "endline"]
    sheet.people.remove(sheet.find("KEN-0010"))
    trial = load_trial(trial_files.write())
    assert np.isnan(trial.people.set_index("person").loc[person_of("Kent", "KEN-0010"), "left"])
    assert list(trial.problems["code"]) == ["X11"]


def test_the_synthetic_release_loads():
    if not (PROJECT / "data/manifest.toml").exists():
        pytest.skip("no release in this checkout")
    trial = load_trial(PROJECT)
    assert trial.people["randomised"].sum() > 1000
    assert trial.people["local_authority"].nunique() == 8
    assert (trial.problems["severity"] != "error").all()
    assert trial.people.loc[trial.people["randomised"], "endline_illness_days"].notna().mean() > 0.8
