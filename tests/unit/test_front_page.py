"""The front page: words follow the results, invented effects count nowhere, and the page is easy to read."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from test_discussion import effect_row, side

from hhp_stats.plan.any_plan import plan_of
from hhp_stats.plan.catalogue import catalogue
from hhp_stats.plan.glance import study_glance
from hhp_stats.plan.programme import programme_plan
from hhp_stats.present.certainty import certainty
from hhp_stats.present.front_page import Front
from hhp_stats.results.frame import ResultRow, result_frame

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "tests/prose"))
from reading_ease import reading_ease, syllables  # noqa: E402


def row(result_id: str, **values) -> ResultRow:
    study, outcome, estimand, _ = result_id.split("/")
    given = {"analysis": "planned", "status": "estimated", "population": "", "contrast": "", "method": ""} | values
    return ResultRow(result_id=result_id, study=study, outcome=outcome, estimand=estimand, **given)


def trial_rows(study: str, outcome: str, *, randomised: int, n: int, planned: int, low: float, others=()) -> list:
    """A trial's sample, its planned analysis with an interval of width 0.4 from `low`, and other versions of it."""
    made = [
        row(f"{study}/sample/randomised/count", estimate=float(randomised), status="descriptive"),
        row(f"{study}/power/mde_planned/formula", estimate=0.2, n=planned, status="descriptive"),
    ]
    versions = {"hc2": low} | {f"other-{place}": value for place, value in enumerate(others)}
    for name, start in versions.items():
        made.append(
            row(
                f"{study}/{outcome}/itt/{name}",
                analysis="planned" if name == "hc2" else "sensitivity",
                estimate=start + 0.2,
                p_value=0.5,
                conf_low=start,
                conf_high=start + 0.4,
                conf_level=0.95,
                n=n,
            )
        )
    return made


def front(root: Path, effects: list, rows: list, *, invented: frozenset[str] = frozenset()) -> Front:
    made = replace(side(effects, root=root), invented=invented)
    studies = {effect.study for effect, _ in effects}
    entries = [entry for entry in catalogue(root) if entry.study in studies]
    return Front(
        root=root,
        side=made,
        results=result_frame(rows),
        entries=entries,
        glances={entry.study: study_glance(root, entry.study) for entry in entries},
        enough_response=programme_plan(root).enough_response,
    )


# ---------------------------------------------------------------- how sure
@pytest.mark.parametrize(
    ("n", "planned", "others", "met"),
    [
        (500, 500, (-0.2, -0.25), 4),  # half of them, as many as planned, all versions unclear
        (499, 499, (), 3),  # fewer than half
        (500, 501, (), 3),  # fewer than planned
        (500, 500, (-0.2, 0.01), 3),  # another version is clear
        (400, 501, (0.01,), 1),
    ],
)
def test_each_question_costs_one_mark(root: Path, n: int, planned: int, others: tuple, met: int) -> None:
    rows = trial_rows("swing", "subjective_wellbeing", randomised=1000, n=n, planned=planned, low=-0.2, others=others)
    found = certainty(result_frame(rows), plan_of(root, "swing"), enough_response=0.5)
    assert found is not None and (found.met, found.asked) == (met, 4)
    assert (found.randomised, found.analysed) == (1000, n)


def test_versions_on_the_other_side_are_no_agreement(root: Path) -> None:
    for others, robust in (((0.1,), True), ((-0.6,), False)):
        rows = trial_rows("swing", "subjective_wellbeing", randomised=9, n=9, planned=9, low=0.05, others=others)
        found = certainty(result_frame(rows), plan_of(root, "swing"), enough_response=0.5)
        assert found is not None and found.robust is robust


def test_without_a_result_or_a_plan_of_the_sample_nothing_is_sure(root: Path) -> None:
    rows = trial_rows("swing", "subjective_wellbeing", randomised=9, n=9, planned=9, low=0.05)
    plan = plan_of(root, "swing")
    assert certainty(result_frame(rows[:2]), plan, enough_response=0.5) is None
    unplanned = certainty(result_frame([rows[0], *rows[2:]]), plan, enough_response=0.5)
    assert unplanned is not None and not unplanned.as_planned


# ---------------------------------------------------------------- key message
def both(root: Path, first: float, second: float, **given) -> Front:
    effects = [
        effect_row("swing", "subjective_wellbeing", first),
        effect_row("mod_ing", "subjective_wellbeing", second),
        effect_row("letters", "subjective_wellbeing", 0.9),
    ]
    rows = trial_rows("swing", "subjective_wellbeing", randomised=1000, n=230, planned=500, low=-0.2)
    rows += trial_rows("mod_ing", "subjective_wellbeing", randomised=100, n=36, planned=50, low=-0.2)
    return front(root, effects, rows, invented=frozenset({"letters"}), **given)


def test_the_key_message_follows_the_results_and_counts_nothing_invented(root: Path) -> None:
    nothing = both(root, 0.1, -0.05).say("key")
    assert nothing.startswith("None of the two programmes that we can judge made a clear difference")
    assert "23 to 36 in 100 did" in re.sub(r"\[([^]]*)\]\{[^}]*\}", r"\1", nothing)
    better = both(root, 0.4, -0.05).say("key")
    assert "one made a clear difference" in better and "Messages to new social workers (better)" in better
    worse = both(root, -0.4, -0.5).say("key")
    assert "two made a clear difference" in worse and worse.count("(worse)") == 2
    assert "Letters" not in nothing + better + worse


def test_what_is_ruled_out_follows_the_ends_of_the_intervals(root: Path) -> None:
    """Both trials were planned for effects of 0.2 or more; the interval of an estimate e ends at e + 0.196."""
    assert "were too small to rule out" in both(root, 0.15, 0.15).say("key")
    assert "rule out an effect as large as" in both(root, -0.4, -0.4).say("key")
    assert "Some of the trials were too small" in both(root, 0.15, -0.4).say("key")


def test_lines_say_what_is_invented_and_link_to_their_chapters(root: Path) -> None:
    made = both(root, 0.4, -0.05)
    table = made.programmes()
    lines = {line.split("](")[0].removeprefix("| ["): line for line in table.splitlines() if line.startswith("| [")}
    assert "not known" in lines["Letters of thanks\u00a0\u2020"] and "\u2020 Invented" in table
    assert "clearly better" in lines["Messages to new social workers"]
    assert "no clear effect" in lines["Messages to new Ministry of Defence staff"]
    for entry in made.entries:
        assert f"]({entry.chapter})" in table
    assert "\u2020" in made.figure().alt and "not clear" not in made.figure().alt


# ---------------------------------------------------------------- reading ease
def test_syllables_and_ease_are_those_of_outside_counts() -> None:
    counted = {"difference": 3, "made": 1, "people": 2, "tested": 2, "programme": 2, "answer": 2}
    assert {word: syllables(word) for word in counted} == counted
    # Flesch 1948 gives a text of 17 words a sentence and 1.47 syllables a word an ease of 65.
    words = ["cat"] * 9 + ["monkey"] * 8
    assert reading_ease(" ".join(words) + ".") == pytest.approx(206.835 - 1.015 * 17 - 84.6 * 25 / 17)
    hard = "The heterogeneity of institutional implementation invalidates generalisations concerning effectiveness."
    assert reading_ease(hard) < 0 < 90 < reading_ease("The dog ran. We saw it go.")


def test_the_front_page_is_plain_english(root: Path) -> None:
    """The sources' own words and the sentences about the results, without tables, code and the imprint."""
    source = (PROJECT / "index.qmd").read_text(encoding="utf-8").partition("## About this report")[0]
    made = both(root, 0.1, -0.05)
    source = re.sub(r"```.*?```", "", source, flags=re.S)
    source = re.sub(r"^#.*$", "", source, flags=re.M)
    said = re.sub(r"`\{python\} front\.say\(\"(\w+)\"\)`", lambda name: made.say(name[1]), source)
    said += "\n\n" + made.paragraph("experiments", "invented")
    plain = re.sub(r"\[([^]]*)\](?:\([^)]*\)|\{[^}]*\})", r"\1", said).replace("*", "").replace("\\", "")
    assert len(plain.split()) > 250 and reading_ease(plain) > 60
    for paragraph in plain.split("\n\n"):
        if len(paragraph.split()) > 25:
            assert reading_ease(paragraph) > 50, paragraph


def test_rows_without_results_are_no_study(root: Path) -> None:
    made = front(root, [effect_row("letters", "subjective_wellbeing", 0.9)], [], invented=frozenset({"letters"}))
    assert made.say("key") == "No trial in this report has a result that counts yet."
    assert isinstance(made.primary, pd.DataFrame) and len(made.primary) == 1
