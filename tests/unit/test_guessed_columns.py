"""What `hhp new` guesses from tables as they come: other countries' numbers and dates, headings in other letters, names
that an analysis takes for itself, waves that begin a heading, titles above the headings, labels of every length.
"""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from hhp_stats.cli.check_text import summary
from hhp_stats.intake.accepted_copies import accepted_copy
from hhp_stats.intake.check import check_returns
from hhp_stats.intake.manifest import read_manifest
from hhp_stats.plan.book_studies import TO_CONFIRM
from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.publish.lint import lint_book
from hhp_stats.scaffold.columns import TableRefused, guess_table
from hhp_stats.scaffold.new_study import NewStudyRefused, enter, new_study
from hhp_stats.scaffold.removal import remove
from hhp_stats.scaffold.written import LONGEST

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The project without its code."""
    home = tmp_path / "project"
    for name in ("data", "report"):
        shutil.copytree(ROOT / name, home / name, ignore=shutil.ignore_patterns("figures", "releases"))
    for name in ("_quarto.yml", "index.qmd"):
        shutil.copy(ROOT / name, home)
    return home


def table(folder: Path, columns: dict[str, list[object]], **how: object) -> Path:
    path = folder / "table.csv"
    pd.DataFrame(columns).to_csv(path, index=False, **how)  # type: ignore[call-overload]
    return path


def sixty(**more: list[object]) -> dict[str, list[object]]:
    """Sixty people in two arms."""
    return {"patientID": list(range(1, 61)), "Gruppe": ["a", "b"] * 30, **more}


def test_numbers_and_dates_of_other_countries(tmp_path: Path) -> None:
    columns = sixty(
        **{
            "Größe (cm)": [f"{150 + n},5" for n in range(60)],
            "Datum": [f"{1 + n % 28:02d}.{1 + n % 12:02d}.2024" for n in range(60)],
            "Ja": ["yes", "No"] * 30,
            "Score": [str(n) if n % 9 else "n/a." for n in range(60)],
        }
    )
    guess = guess_table(
        table(tmp_path, columns, sep=";", encoding="utf-16"), clustered=False, arm="Gruppe", blank=["n/a."]
    )
    kinds = {column.name: column.kind for column in guess.columns}
    assert kinds == {
        "patientid": "identifier", "arm": "arm", "grosse_cm": "number", "datum": "date", "ja": "0/1", "score": "number",
    }  # fmt: skip
    assert (guess.column("grosse_cm").low, guess.column("grosse_cm").high) == (150.5, 209.5)
    assert guess.person == "patientid" and guess.outcomes == {"score": {"": "score"}}


def test_a_number_that_measures_is_no_identifier(tmp_path: Path) -> None:
    columns = sixty(paid=[f"{n}.25" for n in range(60)])
    del columns["patientID"]
    assert guess_table(table(tmp_path, columns), clustered=False, arm="Gruppe").person == ""


@pytest.mark.parametrize("before", ["baseline", "base", "pre"])
def test_names_that_the_analysis_takes_are_changed_and_a_lone_baseline_is_one(tmp_path: Path, before: str) -> None:
    columns = sixty(**{before: [0, 1] * 30, "outcome.1": [1, 0] * 30, "outcome.2": [1, 1, 0] * 20, "week": [3, 4] * 30})
    guess = guess_table(table(tmp_path, columns), clustered=False, arm="Gruppe")
    names = {column.heading: column.name for column in guess.columns}
    assert names["week"] == "week_value" and names[before] == ("baseline_value" if before == "baseline" else before)
    assert guess.outcomes == {
        "outcome_value": {"baseline": names[before], "after_1": "outcome_1", "after_2": "outcome_2"}
    }


def test_a_baseline_of_another_kind_is_left_to_the_author(tmp_path: Path) -> None:
    columns = sixty(base=list(range(60)), cured_1=[1, 0] * 30, cured_2=[1, 1, 0] * 20)
    assert "baseline" not in guess_table(table(tmp_path, columns), clustered=False, arm="Gruppe").outcomes["cured"]


def test_waves_may_begin_a_heading(tmp_path: Path) -> None:
    columns = sixty(Prewt=list(range(60)), Postwt=list(range(60)), T1_mood=list(range(60)), T2_mood=list(range(60)))
    assert guess_table(table(tmp_path, columns), clustered=False, arm="Gruppe").outcomes == {
        "wt": {"baseline": "prewt", "post": "postwt"},
        "mood": {"t1": "t1_mood", "t2": "t2_mood"},
    }


def test_an_arm_is_no_part_of_another_word(tmp_path: Path) -> None:
    columns = {"harm": [0, 1] * 30, "age_group": ["x", "y"] * 30, "trt": ["a", "b"] * 30, "score": list(range(60))}
    assert guess_table(table(tmp_path, columns), clustered=False).column("arm").heading == "trt"
    del columns["trt"]
    columns["programme"] = ["a", "b", "c"] * 20
    with pytest.raises(TableRefused, match="So few values has: harm, programme"):
        guess_table(table(tmp_path, {key: v for key, v in columns.items() if key != "age_group"}), clustered=False)


def test_a_title_above_the_headings_is_said(tmp_path: Path) -> None:
    path = tmp_path / "title.csv"
    path.write_text("Export of May,,\n\narm,who,score\na,1,2\nb,2,3\n", encoding="utf-8")
    with pytest.raises(TableRefused, match="headings must stand in the first row"):
        guess_table(path, clustered=False)


def test_signs_of_a_table_are_no_plan_s_nor_a_chapter_s(home: Path, tmp_path: Path) -> None:
    """Long and like labels of arms, a title with signs and digits: the plan can be read, and the sources pass."""
    long = "one letter in the post, followed by a telephone call"
    arms = [f"{long} within a week", f"{long} within two", "a", "A", "Übliche <Förderung> | $5"]
    columns = {"school class": [f"c{n // 5}" for n in range(100)], "Gruppe": [arms[n // 20] for n in range(100)]}
    columns |= {"score": [float(n) for n in range(100)], "site": ["South | $", r"a\b", 'it\'s "x"'] * 33 + ["North"]}
    path = table(tmp_path, columns)
    title = "AT&T *50* $x_1: “cluster” trial"
    enter(home, new_study(home, "signs2", kind="cluster trial", data=path, title=title, arm="Gruppe"))
    own = home / "data/plan/signs2.toml"
    text = own.read_text(encoding="utf-8")
    assert f'["school class", "school classes {TO_CONFIRM}"]' in text and f"in 20 groups {TO_CONFIRM}" in text
    ids = [arm["id"] for arm in tomllib.loads(text)["arms"]]
    assert len(set(ids)) == len(arms) and max(map(len, ids)) <= LONGEST + 2 and "ubliche_forderung_5" in ids
    for each in (own, own.with_name("signs2.dictionary.csv")):
        each.write_text(each.read_text(encoding="utf-8").replace(f" {TO_CONFIRM}", ""), encoding="utf-8")
    assert len(load_individual_plan(home, "signs2").arms) == 5
    assert load_individual_plan(home, "signs2").columns["site"].allowed == ("South | $", r"a\b", 'it\'s "x"', "North")
    words = own.read_text(encoding="utf-8").replace(f'label = "{long}', 'label = "Letter')
    own.write_text(words, encoding="utf-8")
    # Only labels are printed: how the table writes an arm is not for the author to choose.
    assert f'value = "{long}' in words and [problem for problem in lint_book(home) if "signs2" in problem.file] == []


def test_a_copy_of_the_table_is_kept_for_later_ones_and_goes_with_the_study(home: Path, tmp_path: Path) -> None:
    path = table(tmp_path, sixty(score=list(range(60))))
    enter(home, new_study(home, "other", kind="individual trial", data=path, arm="Gruppe"))
    digest = read_manifest(home).files["data/tables/other.csv"]
    copy = accepted_copy(home, "data/tables/other.csv", digest)
    assert copy is not None and copy.read_bytes() == path.read_bytes()
    remove(home, "other")
    assert not copy.exists() and (home / "data/.removed/other/own/data/tables/other.csv").is_file()


@pytest.mark.parametrize(
    ("title", "says"),
    [
        ("SWING: another trial", "swing is called 'SWING' already"),
        ("swing", "give another --title"),
        (": a trial", "no words before its colon"),
        ("?!: a trial", "no words before its colon"),
    ],
)
def test_a_name_that_another_study_has_is_refused_and_nothing_written(
    home: Path, tmp_path: Path, title: str, says: str
) -> None:
    path = table(tmp_path, sixty(score=list(range(60))))
    with pytest.raises(NewStudyRefused, match=says):
        new_study(home, "other", kind="individual trial", data=path, title=title, arm="Gruppe")


def test_every_study_is_checked_where_none_has_returns(home: Path) -> None:
    remove(home, "goal_setting")
    (home / "data/allocation/letters.csv").unlink()
    with (home / "data/allocation/swing.csv").open("a", encoding="utf-8") as file:
        file.write("x\n")
    report = check_returns(home)
    assert report.study == "" and not report.ok
    gone = {problem.file for problem in report.problems if problem.severity == "error"}
    assert {"data/allocation/letters.csv", "data/allocation/swing.csv"} <= gone  # of every study, not of one
    assert summary(report, width=200)[0].startswith("9 errors in the raw files of all studies block the analysis")


def test_labelled_numbers_of_spss_are_offered_as_categories(tmp_path: Path) -> None:
    """Whether labels are names or the steps of a scale only the author knows: the kind number reads their numbers."""
    frame = pd.DataFrame({"arm": np.tile([1.0, 2.0], 30), "trust": np.tile([1.0, 2.0, 3.0], 20), "y": np.arange(60.0)})
    path = tmp_path / "table.sav"
    labels = {"trust": {1.0: "not at all", 2.0: "a little", 3.0: "fully"}, "arm": {1.0: "a", 2.0: "b"}}
    pyreadstat.write_sav(frame, str(path), variable_value_labels=labels)
    guess = guess_table(path, clustered=False)
    assert guess.column("trust").kind == "category" and guess.column("trust").values == (
        "not at all", "a little", "fully",
    )  # fmt: skip


def test_none_among_words_is_an_answer_and_among_figures_a_gap(tmp_path: Path) -> None:
    columns = sixty(pain=["none", "mild", "severe"] * 20, score=["none", *range(59)])
    columns["Gruppe"] = ["leaflet", "none"] * 30
    found = guess_table(table(tmp_path, columns), clustered=False, arm="Gruppe")
    assert found.arm_sizes == {"leaflet": 30, "none": 30}
    assert found.column("pain").values == ("none", "mild", "severe")
    assert (found.column("score").kind, found.column("score").missing) == ("number", ("none",))


def test_commas_between_thousands_are_no_text(tmp_path: Path) -> None:
    found = guess_table(
        table(tmp_path, sixty(income=[f"{20_000 + n:,}" for n in range(60)])), clustered=False, arm="Gruppe"
    )
    assert (found.column("income").kind, found.column("income").low) == ("number", 20_000)


def test_a_heading_without_a_time_goes_with_the_one_before(tmp_path: Path) -> None:
    score = list(range(60))
    found = guess_table(table(tmp_path, sixty(visits=score, visits_pre=score)), clustered=False, arm="Gruppe")
    assert found.outcomes == {"visits_value": {"baseline": "visits_pre", "after": "visits"}}
    found = guess_table(table(tmp_path, sixty(mood_before=score, mood_after=score)), clustered=False, arm="Gruppe")
    assert found.outcomes == {"mood": {"baseline": "mood_before", "after": "mood_after"}}
    found = guess_table(table(tmp_path, sixty(steps=score, mood_before=score)), clustered=False, arm="Gruppe")
    assert found.outcomes == {"steps": {"": "steps"}}  # no outcome is a measure before the trial


@pytest.mark.parametrize("wave", [["baseline"] * 20 + ["week 6"] * 20 + ["week 12"] * 20, list("123") * 20])
def test_a_table_with_a_row_a_wave_is_refused(tmp_path: Path, wave: list[object]) -> None:
    """Three rows a person would otherwise be three people; the numbers of teams are no people's."""
    people = [n % 20 for n in range(60)] if wave[0] == "baseline" else [n // 3 for n in range(60)]
    columns = {"patientID": people, "arm": [("a", "b")[n % 2] for n in people], "wave": wave, "score": list(range(60))}
    with pytest.raises(TableRefused, match="60 rows of 20 people: patientID stands in several, told apart by wave"):
        guess_table(table(tmp_path, columns), clustered=False)
    columns["team_id"] = columns.pop("patientID")
    assert guess_table(table(tmp_path, columns), clustered=False).people == 60


def test_people_s_numbers_of_which_one_stands_twice_are_people_s(tmp_path: Path) -> None:
    """The check of the table then names both rows; a measure with few equal values is none."""
    columns = sixty(score=list(range(60)), steps_number=[1000 + n % 58 for n in range(60)])
    columns["patientID"][7] = 3
    assert guess_table(table(tmp_path, columns), clustered=False, arm="Gruppe").person == "patientid"
