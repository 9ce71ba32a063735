"""The field-trial chapters: every name they use exists, and words follow the rows."""

from __future__ import annotations

import re
import shutil

import pytest

from hhp_stats.consistency.ledger import DATA_DIFFER, read_lists
from hhp_stats.errors import HhpError, UnknownName
from hhp_stats.present import field_trials
from hhp_stats.present.field_trials.report import in_words
from hhp_stats.results.frame import read_results, write_results
from hhp_stats.running.run import run_study

STUDIES = ("beneficiaries", "swing", "mod_ing")
CHAPTERS = {"beneficiaries": "05-beneficiaries", "swing": "06-swing", "mod_ing": "07-mod-ing"}


@pytest.fixture(scope="module")
def home(root, tmp_path_factory):
    """A project with the plans, the printed figures and the results of the three trials."""
    home = tmp_path_factory.mktemp("chapters")
    shutil.copytree(root / "data/plan", home / "data/plan")
    shutil.copytree(root / "data/published", home / "data/published")
    shutil.copy(root / "data/manifest.toml", home / "data/manifest.toml")
    for study in STUDIES:
        run_study(root, study).write(home)
    return home


def source(root, study):
    return (root / f"report/{CHAPTERS[study]}.qmd").read_text(encoding="utf-8")


@pytest.mark.parametrize("study", STUDIES)
def test_everything_a_chapter_asks_for_is_there(root, home, study):
    chapter = field_trials.chapter(study, root=home)
    calls = re.findall(r'\.(say|table|figure)\("([^"]+)"\)', source(root, study))
    assert len(calls) > 30
    for kind, name in calls:
        made = getattr(chapter, kind)(name)
        if kind == "say":
            assert made.strip()
            assert "nan" not in made
        elif kind == "table":
            assert "<table" in made.as_raw_html()
        else:
            assert made.alt.endswith(".")
            assert (home / "report" / made.path).is_file()


@pytest.mark.parametrize("study", STUDIES)
def test_prose_holds_no_digit_of_its_own(root, study):
    text = re.sub(r"```.*?```", "", source(root, study), flags=re.DOTALL)
    text = re.sub(r"`\{python\}[^`]*`", "", text)
    text = re.sub(r"@[\w-]+|\{#[\w-]+\}", "", text)  # citations and labels
    assert re.findall(r"(?<!HC)\d", text) == []


@pytest.mark.parametrize("study", STUDIES)
def test_a_chapter_can_be_made_when_no_printed_figure_comes_back(root, home, study, tmp_path):
    """A corrected answer moves figures that no conflict explains: each becomes a line that says so."""
    other = tmp_path / "moved"
    shutil.copytree(home, other)
    path = other / f".report/results/{study}/results.csv"
    frame = read_results(path)
    whole = frame["n"].notna()
    frame.loc[whole, "n"] = frame.loc[whole, "n"] + 1
    moved = frame["estimate"].notna()
    frame.loc[moved, "estimate"] = 1.07 * frame.loc[moved, "estimate"] + 0.011
    frame["std_error"] = 1.3 * frame["std_error"]
    frame["p_value"] = 0.3 + 0.5 * frame["p_value"]
    write_results(frame, path)
    chapter = field_trials.chapter(study, root=other)
    missed = chapter.report.reproduction("field_trials")
    missed = missed.loc[~missed["matches"]]
    # What has no number here has the note of its row as its reason.
    without = set(missed.loc[missed["ours"].notna(), "published_id"]) - set(read_lists(other).unmatched)
    assert len(without) > 10
    for kind, name in re.findall(r'\.(say|table)\("([^"]+)"\)', source(root, study)):
        made = getattr(chapter, kind)(name)
        assert made.strip() if kind == "say" else "<table" in made.as_raw_html()
    page = chapter.table("unmatched").as_raw_html()
    assert all(figure in page for figure in missed["published_id"])
    assert page.count(DATA_DIFFER) == len(without)


@pytest.mark.parametrize("study", STUDIES)
def test_every_outcome_has_its_figure_and_its_question(root, study):
    text = source(root, study)
    from hhp_stats.plan.individual import load_individual_plan

    for outcome in load_individual_plan(root, study).outcomes.values():
        if outcome.scales:
            assert f'figure("arms/{outcome.id}")' in text
            assert f'say("effect/{outcome.id}")' in text


def with_row(home, tmp_path, result_id, **changes):
    """The chapter of the study with one row changed."""
    study = result_id.split("/")[0]
    other = tmp_path / "changed"
    shutil.copytree(home, other)
    path = other / f".report/results/{study}/results.csv"
    frame = read_results(path)
    for name, value in changes.items():
        frame.loc[frame["result_id"] == result_id, name] = value
    write_results(frame, path)
    return field_trials.chapter(study, root=other)


def test_words_follow_the_rows(home, tmp_path):
    before = field_trials.chapter("beneficiaries", root=home)
    assert "was 0.08 points lower in the video group" in before.say("effect/social_worth")
    assert "could be chance" in before.say("short/social_worth")
    key = "beneficiaries/social_worth/itt/hc2"
    after = with_row(home, tmp_path, key, estimate=0.40, conf_low=0.10, conf_high=0.70, p_value=0.008, p_adjusted=0.032)
    assert "was 0.40 points higher in the video group" in after.say("effect/social_worth")
    assert "a clear difference in favour of the video group" in after.say("effect/social_worth")
    assert "clearly higher in the video group" in after.say("short/social_worth")
    assert after.say("verdict").startswith("We found a clear effect on one of the four outcomes")
    assert after.say("verdict").endswith("one remains.")
    assert "chance" not in after.say("towards")
    assert "clearly higher in the video group" in after.figure("arms/social_worth").caption


def test_less_burnout_is_in_favour_of_the_treated(home, tmp_path):
    after = with_row(home, tmp_path, "beneficiaries/burnout/itt/hc2", estimate=-0.3, conf_low=-0.5, conf_high=-0.1)
    assert "a clear difference in favour of the video group" in after.say("effect/burnout")


def test_an_agreeing_and_a_disagreeing_p_value_are_told_apart(home):
    chapter = field_trials.chapter("beneficiaries", root=home)
    assert "which agrees" in chapter.say("printed_p/motivation")
    assert "do not agree" in chapter.say("printed_p/social_worth")


def test_a_rising_trend_is_not_called_a_fall(home, tmp_path):
    key = "beneficiaries/average/arm_by_week/cr1-sd"
    assert "falls by" in field_trials.chapter("beneficiaries", root=home).say("attenuation_test")
    after = with_row(home, tmp_path, key, estimate=0.05, conf_low=-0.10, conf_high=0.20, p_value=0.5)
    assert "rises by 0.05" in after.say("attenuation_test")
    assert "which chance may explain" in after.say("attenuation_test")
    assert "it rises by" in after.figure("attenuation_average").caption


def test_what_is_said_of_a_synthetic_release_goes_with_it(home, tmp_path):
    before = field_trials.chapter("beneficiaries", root=home)
    assert "put in on purpose" in before.say("fading_note")
    assert "made to match" in before.say("reproduced")
    other = tmp_path / "real"
    shutil.copytree(home, other)
    manifest = other / "data/manifest.toml"
    manifest.write_text(manifest.read_text().replace('status = "synthetic"', 'status = "real"'))
    after = field_trials.chapter("beneficiaries", root=other)
    assert after.say("fading_note") == ""
    assert "made to match" not in after.say("reproduced")


def test_the_summary_follows_the_trend(home, tmp_path):
    key = "beneficiaries/average/arm_by_week/cr1-sd"
    assert "fades" in field_trials.chapter("beneficiaries", root=home).say("attenuation_hint")
    after = with_row(home, tmp_path, key, estimate=-0.05, conf_low=-0.15, conf_high=0.05)
    assert "no clear change" in after.say("attenuation_hint")


def test_a_trial_that_finds_the_effect_of_its_model_says_so(home, tmp_path):
    assert "does not repeat" in field_trials.chapter("swing", root=home).say("against_model")
    after = with_row(home, tmp_path, "swing/burnout/itt/hc2", estimate=-6.0, conf_low=-10.0, conf_high=-2.0)
    assert "clearly lower" in after.say("against_model")


def test_an_outcome_that_was_not_measured_says_so(home):
    chapter = field_trials.chapter("mod_ing", root=home)
    assert chapter.say("effect/sickness_absence").startswith("Sickness absence could not be analysed.")
    assert "\u2014" in chapter.table("outcomes").as_raw_html()


def test_figures_state_their_numbers_in_words(home):
    figure = field_trials.chapter("swing", root=home).figure("arms/burnout")
    assert "43.98" in figure.alt
    assert "130 people" in figure.alt
    assert "137 people" in figure.alt


def test_a_figure_file_is_named_by_its_content(home, tmp_path):
    before = field_trials.chapter("swing", root=home).figure("arms/burnout").path
    assert field_trials.chapter("swing", root=home).figure("arms/burnout").path == before
    after = with_row(home, tmp_path, "swing/burnout/mean_control/raw", estimate=30.0, conf_low=29.0, conf_high=31.0)
    assert after.figure("arms/burnout").path != before


@pytest.mark.parametrize("name", ["nothing", "effect/nothing", "conflict/C99", "fact/nothing"])
def test_an_unknown_name_is_refused(home, name):
    with pytest.raises(UnknownName):
        field_trials.chapter("swing", root=home).say(name)


def test_a_chapter_without_results_says_what_to_run(root, tmp_path):
    shutil.copytree(root / "data/plan", tmp_path / "data/plan")
    shutil.copytree(root / "data/published", tmp_path / "data/published")
    with pytest.raises(HhpError, match="hhp results"):
        field_trials.chapter("swing", root=tmp_path)


@pytest.mark.parametrize(("n", "text"), [(0, "no"), (3, "three"), (9, "nine"), (10, "10"), (1969, "1,969")])
def test_small_numbers_are_words(n, text):
    assert in_words(n) == text
