"""The chapters on hiring, letters, coffee, dictation and flexitime say what the rows say, and nothing else."""

import re
import shutil

import pytest

from hhp_stats.consistency.ledger import DATA_DIFFER, read_lists
from hhp_stats.errors import UnknownName
from hhp_stats.intake.manifest import record_files
from hhp_stats.plan.catalogue import catalogue
from hhp_stats.present import hiring, pilots, release
from hhp_stats.present.field_trials import phase_one
from hhp_stats.present.hiring.phrases import is_clear, towards
from hhp_stats.present.hiring.tables import published
from hhp_stats.results.withheld import WITHHELD
from hhp_stats.running.run import run_study

CALL = re.compile(r"\b(\w+)\.(say|table|figure)\(\"([^\"]+)\"\)")
CHAPTERS = {
    "hiring": ("08-hiring", lambda root: hiring.chapter(root=root)),
    "letters": ("03-letters", lambda root: phase_one.chapter("letters", root=root)),
    "coffee": ("04-coffee", lambda root: phase_one.chapter("coffee", root=root)),
    "dictation": ("09-dictation", lambda root: pilots.chapter("dictation", root=root)),
    "flexitime": ("10-flexitime", lambda root: pilots.chapter("flexitime", root=root)),
}


@pytest.fixture(scope="module")
def home(root, tmp_path_factory):
    """A project of its own with the results of these studies, so that nothing is written into the real one."""
    home = tmp_path_factory.mktemp("chapters")
    shutil.copytree(root / "data", home / "data", ignore=shutil.ignore_patterns("returns", "course_log"))
    shutil.copy(root / "_quarto.yml", home)
    for study in ("hiring", "letters", "coffee", "dictation", "flexitime"):
        run_study(home, study).write(home)
    return home


@pytest.mark.parametrize("study", CHAPTERS)
def test_every_cell_of_the_chapter_can_be_made(root, home, study):
    name, opened = CHAPTERS[study]
    calls = CALL.findall((root / "report" / f"{name}.qmd").read_text(encoding="utf-8"))
    chapter = opened(home)
    assert len(calls) > 10
    for _, kind, argument in dict.fromkeys(calls):
        made = getattr(chapter, kind)(argument)
        if kind == "say":
            assert made and "nan" not in made.split() and "  " not in made, argument
        elif kind == "table":
            assert "<table" in made.as_raw_html()
        else:
            assert made.alt and (home / "report" / made.path).is_file()


@pytest.mark.parametrize("study", CHAPTERS)
def test_unknown_names_are_refused_with_the_known_ones(home, study):
    chapter = CHAPTERS[study][1](home)
    for kind in ("say", "table", "figure"):
        with pytest.raises(UnknownName, match="known"):
            getattr(chapter, kind)("no such thing")


def _with(report, estimand, **values):
    """The same report with one row of the results changed."""
    import dataclasses

    frame = report.output.results.copy()
    for column, value in values.items():
        frame.loc[frame["estimand"] == estimand, column] = value
    return dataclasses.replace(report, output=dataclasses.replace(report.output, results=frame))


def test_words_follow_the_sign_and_the_interval(home):
    report = hiring.chapter(root=home).report
    say = hiring.SENTENCES["question_1"]
    assert "more often in pairs" in say(report) and "a clear difference" in say(report)
    turned = _with(report, "minority_joint_vs_separate", estimate=-5.0, conf_low=-11.0, conf_high=1.0, p_value=0.1)
    assert "less often in pairs" in say(turned) and "could be chance" in say(turned)


def test_the_verdict_on_methods_counts_them(home):
    report = hiring.chapter(root=home).report
    say = hiring.SENTENCES["score_variance"]
    assert "two of these lie below .05, so a verdict would depend on the method" in say(report)
    assert "none of these lies" in say(_with(report, "blinded_vs_white_british", p_value=0.2))
    assert "all of these lie" in say(_with(report, "blinded_vs_white_british", p_value=0.01))


def test_small_words():
    row = {"estimate": -1.0, "conf_low": -2.0, "conf_high": -0.1}
    assert towards(row, words=("up", "down")) == "down" and is_clear(row)
    assert not is_clear({**row, "conf_high": 0.1})
    assert towards({**row, "estimate": 0.0}, words=("up", "down")) == "neither up nor down"


def test_chapters_without_an_effect_say_so_by_the_plan(root):
    for entry in catalogue(root):
        said = release.notice(entry.study, root=root)
        assert ("callout-warning" in said and "without any effect" in said) == entry.simulated_without_effect
        assert f'print(release.notice("{entry.study}"))' in (root / entry.chapter).read_text(encoding="utf-8")


def test_pilots_print_no_p_values(root, home):
    for study in ("dictation", "flexitime"):
        name, opened = CHAPTERS[study]
        chapter = opened(home)
        for _, kind, argument in CALL.findall((root / "report" / f"{name}.qmd").read_text(encoding="utf-8")):
            said = (
                chapter.say(argument)
                if kind == "say"
                else chapter.table(argument).as_raw_html()
                if kind == "table"
                else ""
            )
            assert not re.search(r"\bp\s*[=<>]", re.sub(r"<[^>]*>", "", said)), argument


@pytest.mark.parametrize(
    ("answer", "now", "gone"),
    [("yes", "no", 2), ("not sure", "no", 2), ("no", "yes", 0), ("yes", "not sure", 0)],
)
def test_one_corrected_answer_of_a_pilot_leaves_a_chapter(root, home, tmp_path, answer, now, gone):
    """A small count that no document prints is withheld with a second one; nothing goes where all are large, none or
    printed.
    """
    other = tmp_path / "corrected"
    shutil.copytree(home, other)
    path = other / "data/surveys/dictation/endline.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(f",{answer},", f",{now},", 1), encoding="utf-8")
    record_files(other)
    run_study(other, "dictation").write(other)
    chapter = pilots.chapter("dictation", root=other)
    shown = chapter.report.table("would_continue")["people"]
    assert (shown == WITHHELD).sum() == gone
    for _, kind, argument in CALL.findall((root / "report/09-dictation.qmd").read_text(encoding="utf-8")):
        made = getattr(chapter, kind)(argument)
        assert kind != "say" or (made and "nan" not in made.split()), argument
    said = [chapter.say(f"{how}/survey/continue_{answer}") for how, answer in (("count", "yes"), ("words", "not_sure"))]
    assert any(WITHHELD in each for each in said) == bool(gone)


def test_the_published_table_names_a_conflict_for_every_figure_that_does_not_come_back(home):
    chapter = hiring.chapter(root=home)
    table = chapter.report.reproduction("experiments")
    lost = set(table.loc[~table["matches"], "published_id"])
    assert lost == set(table["published_id"]) & set(read_lists(home).unmatched)
    assert DATA_DIFFER not in chapter.table("published").as_raw_html()


def test_the_published_table_says_where_nothing_explains_a_miss(home):
    """One corrected decision moves a rate that no conflict explains."""
    report = hiring.chapter(root=home).report
    moved = _with(report, "mean_joint_minority", estimate=1.0)
    table = moved.reproduction("experiments")
    missed = set(table.loc[~table["matches"], "published_id"]) - set(read_lists(home).unmatched)
    page = published(moved).as_raw_html()
    assert missed and page.count(DATA_DIFFER) == len(missed)


def test_no_version_of_an_unplanned_comparison_is_called_planned(home):
    html = hiring.chapter(root=home).table("progression_versions").as_raw_html()
    assert html.count("(not planned)") == 2 and html.count("Planned:") == 3
