"""Teams that several authorities call alike are several teams; a code of another authority is still an error."""

from __future__ import annotations

import re

import pytest
from intake_builder import PROJECT, STUDY, TrialFiles

from hhp_stats.intake.baseline import load_baseline_list
from hhp_stats.intake.dictionary import load_dictionary, load_study
from hhp_stats.intake.gather import gather
from hhp_stats.intake.lists import DRAWN, also_drawn
from hhp_stats.intake.load import load_trial


def renamed(files: TrialFiles, name: str) -> TrialFiles:
    """Every team T01, T02, ... of either authority under another name, in returns and allocation list."""

    def new(team: str) -> str:
        return name.format(int(re.fullmatch(r"[A-Z]{3}-T(\d+)", team)[1]))

    for sheet in files.returns.values():
        for person in sheet.people:
            person["team_id"] = new(person["team_id"])
    for line in files.allocation:
        line["team_id"] = new(line["team_id"])
    return files


@pytest.mark.parametrize("name", ["T{:02d}", "{}", "Duty & Assessment Team {}"])
def test_teams_of_one_name_in_two_authorities_are_two_teams(trial_files: TrialFiles, name: str) -> None:
    before = load_trial(trial_files.write(), STUDY)
    after = load_trial(renamed(trial_files, name).write(), STUDY)
    assert after.teams["team_id"].nunique() == before.teams["team_id"].nunique() == 8
    for column in ("people", "randomised", "treatment"):
        assert sorted(after.teams[column]) == sorted(before.teams[column]), column
    assert after.people.groupby("team_id")["local_authority"].nunique().eq(1).all()
    assert len(load_baseline_list(trial_files.root, STUDY)["team_id"].unique()) == 8


def test_a_code_with_the_letters_of_one_authority_is_in_the_wrong_return(trial_files: TrialFiles) -> None:
    root = renamed(trial_files, "KEN-T{:02d}").write()
    assert "X04" in {problem.code for problem in gather(root, STUDY).all_problems()}


def test_a_list_has_the_columns_of_another_trial_only_where_the_equation_names_them(trial_files: TrialFiles) -> None:
    root = trial_files.write()
    fields = load_dictionary(PROJECT)
    assert also_drawn(fields, load_study(root, STUDY)) == ("coffee",)
    assert "coffee" in load_trial(root, STUDY).people
    plan = root / f"data/plan/{STUDY}.toml"
    plan.write_text(plan.read_text("utf-8").replace('column = "coffee"', 'column = "role"'), encoding="utf-8")
    for line in trial_files.allocation:
        del line["coffee"]
    path = root / f"data/allocation/{STUDY}.csv"
    heads = [*DRAWN, "release"]
    rows = [",".join(str(line[head]) for head in heads) for line in trial_files.allocation]
    path.write_text("\n".join([",".join(heads), *rows, ""]), encoding="utf-8")
    trial_files.seal()
    assert also_drawn(fields, load_study(root, STUDY)) == ()
    assert "coffee" not in load_trial(root, STUDY).people
