"""What is invented is told from what is published: by plan, published figures and generator, for any study."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hhp_stats.plan.catalogue import catalogue
from hhp_stats.present import discussion, origins, release
from hhp_stats.present.discussion import Discussion

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in ("data/plan", "data/published"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    shutil.copy(PROJECT / "data/manifest.toml", tmp_path / "data")
    return tmp_path


def edited(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_study_without_a_published_outcome_is_invented(home: Path) -> None:
    known = origins.origins(home)
    assert known["letters"] == "without effect" and known["goal_setting"] == "planted"
    assert known["swing"] == "reproduced" and known["hiring"] == "reproduced" and known["flexitime"] == "reproduced"
    assert [entry.study for entry in origins.invented(home)] == [key for key in known if known[key] in origins.INVENTED]


def test_published_figures_of_sizes_alone_make_no_study_published(home: Path) -> None:
    """Thirteen buildings are printed of the coffee trial and stand beside its primary outcome, as a number of clusters."""
    assert origins.origins(home)["coffee"] == "without effect"
    path = home / "data/published/mapping_small_studies.csv"
    edited(path, "coffee/subjective_wellbeing/itt/cr2,n_clusters", "coffee/subjective_wellbeing/itt/cr2,estimate")
    assert origins.origins(home)["coffee"] == "reproduced"


def test_without_its_figures_any_trial_is_invented(home: Path) -> None:
    for path in (home / "data/published").glob("mapping_*.csv"):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(line for line in lines if "swing/" not in line), encoding="utf-8")
    assert origins.origins(home)["swing"] == "planted" and "SWING" in origins.banner_sentence(home)
    assert "swing" in {entry.study for entry in origins.invented(home)}


def test_a_table_that_nobody_drew_and_real_data_are_given(home: Path) -> None:
    (home / "data/plan/synthetic_letters.toml").unlink()
    assert origins.origins(home)["letters"] == "given" and origins.invented_notice("letters", root=home) == ""
    edited(home / "data/manifest.toml", 'status = "synthetic"', 'status = "real"')
    assert set(origins.origins(home).values()) == {"given"}
    assert origins.banner_sentence(home) == "" and origins.sign_note(home) == ""
    assert all(origins.invented_notice(entry.study, root=home) == "" for entry in catalogue(home))


def test_the_notice_says_how_the_effects_were_made(home: Path) -> None:
    assert "chosen and planted" in origins.invented_notice("goal_setting", root=home)
    assert "without any effect" in origins.invented_notice("coffee", root=home)
    assert origins.invented_notice("swing", root=home) == ""
    note = origins.sign_note(home, {"letters", "swing"})
    assert note.startswith(origins.INVENTED_SIGN) and "letters" in note and "goal-setting" not in note


def test_every_trial_with_invented_effects_says_so_in_its_chapter() -> None:
    for entry in origins.invented(PROJECT):
        text = (PROJECT / entry.chapter).read_text(encoding="utf-8")
        assert f'release.notice("{entry.study}")' in text, entry.chapter
        assert origins.invented_notice(entry.study, root=PROJECT) in release.notice(entry.study, root=PROJECT)


# ---------------------------------------------------------------- tallies
def some_effects(rows: list[tuple[str, str, float]], root: Path) -> Discussion:
    from test_discussion import effect_row, side

    return side([effect_row(study, outcome, effect) for study, outcome, effect in rows], root=root)


def test_no_tally_counts_an_invented_effect(root: Path) -> None:
    """Two effects of a published trial, four planted ones that would turn every sentence."""
    from dataclasses import replace

    made = some_effects(
        [
            ("swing", "subjective_wellbeing", 0.05),
            ("swing", "burnout", -0.02),
            ("mod_ing", "subjective_wellbeing", 0.06),
            ("letters", "subjective_wellbeing", -0.9),
            ("letters", "belonging", -0.8),
            ("coffee", "subjective_wellbeing", 0.9),
        ],
        root,
    )
    invented = replace(made, invented=frozenset({"letters", "coffee"}))
    assert "two lean towards benefit and one towards harm" in invented.say("overview")
    assert "three lean towards benefit and three towards harm" in made.say("overview")
    assert "clearly different from no effect" in invented.say("overview") and "not counted" in invented.say("overview")
    assert "not counted" not in made.say("overview")
    assert "none of 3 intervals exclude zero" in invented.figure().caption
    assert "Letters" in made.say("conclusion") and "Letters" not in invented.say("conclusion")
    assert "between \u22120.15 and 0.26" in invented.say("largest") and "\u22121.10" in made.say("largest")
    assert "The one pair of trials that count does not differ" in invented.say("compared")


def test_tables_and_figures_sign_what_is_invented(root: Path) -> None:
    from dataclasses import replace

    made = some_effects([("swing", "subjective_wellbeing", 0.1), ("letters", "subjective_wellbeing", 0.2)], root)
    made = replace(made, invented=frozenset({"letters"}))
    for table in (discussion.effects_table(made), discussion.pairs(made), discussion.samples(made)):
        html = table.as_raw_html()
        assert f"Letters\u00a0{origins.INVENTED_SIGN}" in html and "SWING\u00a0" not in html
        assert f"{origins.INVENTED_SIGN} Invented" in html
    assert f"Letters\u00a0{origins.INVENTED_SIGN}" in made.figure().alt


def test_where_everything_is_invented_nothing_is_counted(root: Path) -> None:
    from dataclasses import replace

    made = some_effects([("letters", "subjective_wellbeing", 0.9), ("coffee", "subjective_wellbeing", 0.1)], root)
    made = replace(made, invented=frozenset({"letters", "coffee"}))
    assert made.say("overview").startswith("No trial has an effect that can be counted.")
    assert made.say("largest").startswith("No effect on wellbeing can be counted.")
    assert made.say("compared").startswith("No two trials")
    assert "We found no evidence that any programme helped or harmed" in made.say("conclusion")
