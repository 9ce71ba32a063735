"""No number hangs on how people and teams are called, on the key of their pseudonyms, or on the order of files and
rows.
"""

from __future__ import annotations

import csv
import hashlib
import random
import re
import shutil
from dataclasses import replace

import numpy as np
import openpyxl
import pandas as pd
import pytest

from hhp_stats.intake.load import load_trial
from hhp_stats.intake.order import content_ranks, group_numbers, in_order, numbered
from hhp_stats.intake.pseudonym import KEY_VARIABLE
from hhp_stats.plan.load import load_plan
from hhp_stats.results.frame import write_results
from hhp_stats.running.run import run_study
from hhp_stats.studies.goal_setting.analyse import analyse

KEY = random.Random(41).randbytes(32).hex().encode()
STAFF, TEAM = re.compile(r"[A-Z]{3}-\d{4}"), re.compile(r"[A-Z]{3}-T\d{2}")


def recorded(home) -> None:
    """The manifest with the checksums of the files as they are now."""
    manifest = home / "data/manifest.toml"

    def line(found: re.Match[str]) -> str:
        digest = hashlib.sha256((home / found[1]).read_bytes()).hexdigest()
        return f'"{found[1]}" = "{digest}"'

    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(re.sub(r'^"([^"]+)" = "[0-9a-f]{64}"', line, text, flags=re.M), encoding="utf-8")


class Renamed:
    """Every staff ID and team ID under another name; the same name for the same ID.

    Staff IDs come in another alphabetical order. Team IDs keep theirs, by which the log of the draw is replayed.
    """

    def __init__(self) -> None:
        self.chance = random.Random(5)
        self.names: dict[str, str] = {}
        self.free = self.chance.sample(range(10_000), 5_000)

    def __call__(self, value: object) -> object:
        if not isinstance(value, str) or not (STAFF.fullmatch(value) or TEAM.fullmatch(value)):
            return value
        if value not in self.names:
            number = self.free.pop()
            self.names[value] = (
                f"{self.chance.choice('ABMYZ')}S-{number:04d}" if STAFF.fullmatch(value) else f"Q{value}"
            )
        return self.names[value]

    def workbook(self, path) -> None:
        book = openpyxl.load_workbook(path)
        sheet = book.active
        rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        people = [at for at, row in enumerate(rows) if any(isinstance(v, str) and STAFF.fullmatch(v) for v in row)]
        assert people == list(range(people[0], people[-1] + 1)), "the people stand together"
        body = [[self(value) for value in rows[at]] for at in people]
        self.chance.shuffle(body)
        for at, row in zip(people, body, strict=True):
            for column, value in enumerate(row, start=1):
                sheet.cell(row=at + 1, column=column).value = value
        book.save(path)

    def text(self, path, heads: int) -> None:
        encoding = "utf-8-sig" if path.read_bytes().startswith(b"\xef\xbb\xbf") else "utf-8"
        with path.open(encoding=encoding, newline="") as stream:
            rows = list(csv.reader(stream))
        body = [[str(self(value)) for value in row] for row in rows[heads:]]
        self.chance.shuffle(body)
        with path.open("w", encoding=encoding, newline="") as stream:
            csv.writer(stream).writerows([*rows[:heads], *body])


@pytest.fixture(scope="module")
def both(root, tmp_path_factory):
    """The trial as released, and read from renamed and shuffled files with another key."""
    home = tmp_path_factory.mktemp("renamed")
    shutil.copytree(root / "data", home / "data")
    renamed = Renamed()
    for path in sorted((home / "data/returns/goal_setting").rglob("*.xlsx")):
        renamed.workbook(path)
    renamed.text(home / "data/allocation/goal_setting.csv", 1)
    renamed.text(home / "data/course_log/goal_setting.csv", 1)
    renamed.text(home / "data/surveys/goal_setting/linkage.csv", 1)
    for wave in ("baseline", "endline"):
        renamed.text(home / f"data/surveys/goal_setting/{wave}.csv", 3)
    recorded(home)
    key = tmp_path_factory.mktemp("key") / "key"
    key.write_bytes(KEY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY_VARIABLE, str(key))
        other = load_trial(home, "goal_setting")
    assert len(renamed.names) > 1_500
    return load_trial(root, "goal_setting"), other


def test_renamed_staff_another_key_and_shuffled_files_give_the_same_people(both):
    one, other = (trial.people for trial in both)
    assert not set(one["person"]) & set(other["person"]) and not set(one["team_id"]) & set(other["team_id"])
    names = ["person", "team_id"]
    pd.testing.assert_frame_equal(one.drop(columns=names), other.drop(columns=names), check_exact=True)
    # The same people share a team.
    np.testing.assert_array_equal(pd.factorize(one["team_id"])[0], pd.factorize(other["team_id"])[0])


def test_renamed_staff_another_key_and_shuffled_files_give_the_same_bytes_of_results(both, root, tmp_path):
    plan = load_plan(root, "goal_setting")
    models = {key: replace(model, m=4) for key, model in plan.imputation.models.items()}
    # Everything that is drawn at random stays; of the selection models, which draw nothing, only those a table needs.
    kept = tuple(
        one for one in plan.analyses if one.estimator != "heckman" or one.id == "wellbeing/itt/heckman-imputed"
    )
    small = replace(
        plan,
        analyses=kept,
        imputation=replace(plan.imputation, models=models, iterations=3),
        cost_benefit=replace(plan.cost_benefit, draws=40),
        tipping=replace(plan.tipping, deltas=(-0.5, 0.5)),
    )
    one, other = both
    # Here, behind the replay of the draw, teams too may come in any alphabetical order.
    teams = sorted(other.teams["team_id"])
    names = dict(zip(teams, random.Random(2).sample(teams, len(teams)), strict=True))
    other = replace(
        other,
        people=other.people.assign(team_id=other.people["team_id"].map(names)),
        teams=other.teams.assign(team_id=other.teams["team_id"].map(names)),
    )
    written = []
    for number, trial in enumerate((one, other)):
        path = tmp_path / f"{number}.csv"
        write_results(analyse(trial, small).results, path)
        written.append(path.read_bytes())
    assert written[0].count(b"\n") > 150
    assert written[0] == written[1]


# ---------------------------------------------------------------- the order itself
def frame():
    return pd.DataFrame(
        {
            "place": ["a", "a", "a", "b", "b", "b"],
            "team": ["z", "z", "y", "w", "w", "v"],
            "person": list("pqrstu"),
            "days": [3.0, np.nan, 1.0, 2.0, 2.0, 5.0],
            "role": ["x", "y", "x", None, None, "x"],
        }
    )


def test_rows_stand_by_place_team_and_content():
    found = in_order(frame(), groups="team", first=("place",), without=("person",))
    # In a: the team of 1 day stands before that of 3 days; unknown comes last. In b: two people alike before 5 days.
    assert found["days"].tolist()[:2] == [1.0, 3.0] and np.isnan(found["days"][2])
    assert found["days"].tolist()[3:] == [2.0, 2.0, 5.0]
    assert found["team"].tolist() == ["y", "z", "z", "w", "w", "v"]


def test_people_alike_share_a_rank_and_the_first_column_comes_first():
    ranks = content_ranks(frame(), without=("team", "person"))
    assert ranks[3] == ranks[4] and ranks[0] > ranks[2] and ranks.max() == 4
    assert (ranks[:3] < ranks[3:].min()).all()


def test_neither_names_nor_order_move_the_order():
    one = frame()
    names = {"z": "1", "y": "9", "w": "5", "v": "0"}
    for seed in range(5):
        other = one.assign(team=one["team"].map(names), person=list("zyxwvu")).sample(frac=1, random_state=seed)
        left, right = (in_order(each, groups="team", first=("place",), without=("person",)) for each in (one, other))
        drop = ["team", "person"]
        pd.testing.assert_frame_equal(left.drop(columns=drop), right.drop(columns=drop))
        np.testing.assert_array_equal(left["team"].map(names), right["team"])


def test_lists_that_share_an_identifier_are_numbered_alike():
    people = pd.DataFrame({"who": ["k", "m", "l"], "role": ["c", "a", "b"]})
    visits = pd.DataFrame({"who": ["k", "l", "m", "k"], "day": [2, 1, 3, 1]})
    found = numbered({"people": people, "visits": visits}, "who")
    assert found["people"].to_dict("list") == {"who": ["1", "2", "3"], "role": ["a", "b", "c"]}
    assert found["visits"].to_dict("list") == {"who": ["1", "2", "3", "3"], "day": [3, 1, 1, 2]}
    assert group_numbers([people, visits], "who") == {"m": 0, "l": 1, "k": 2}


# ---------------------------------------------------------------- the other studies
# Those of buildings are the plan's.
NAMED = ("staff_id", "survey_code", "ExternalReference", "participant", "interviewee")


def renamed_list(path, heads: int, names: dict[str, str], chance: random.Random) -> None:
    """A list with its lines shuffled and its identifiers under other names, the same in every list."""
    encoding = "utf-8-sig" if path.read_bytes().startswith(b"\xef\xbb\xbf") else "utf-8"
    with path.open(encoding=encoding, newline="") as stream:
        rows = list(csv.reader(stream))
    places = [at for at, name in enumerate(rows[0]) if name in NAMED]
    for row in rows[heads:]:
        for at in places:
            if row[at]:
                row[at] = names.setdefault(row[at], f"{chance.choice('AKZ')}X-{len(names):05d}")
    body = rows[heads:]
    chance.shuffle(body)
    with path.open("w", encoding=encoding, newline="") as stream:
        csv.writer(stream).writerows([*rows[:heads], *body])


@pytest.mark.parametrize("study", ["coffee", "swing", "hiring", "dictation"])
def test_other_studies_do_not_hang_on_names_and_order_either(study, root, project, tmp_path_factory, monkeypatch):
    chance, names = random.Random(8), {}
    lists = [path for path in (project / "data").rglob("*.csv") if study in path.relative_to(project).as_posix()]
    for path in sorted(lists):
        if {"plan", "published", "qualitative"} & set(path.relative_to(project).parts):
            continue
        qualtrics = "ImportId" in path.read_text(encoding="utf-8-sig")
        renamed_list(path, 3 if qualtrics else 1, names, chance)
    assert len(names) > 40
    expected = run_study(root, study).results
    recorded(project)
    key = tmp_path_factory.mktemp("key") / "key"
    key.write_bytes(KEY)
    monkeypatch.setenv(KEY_VARIABLE, str(key))
    pd.testing.assert_frame_equal(run_study(project, study).results, expected, check_exact=True)
