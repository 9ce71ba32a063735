"""Trials of several arms, and of other words than people in teams: what the pages about all studies and the sentences of
a chapter say of them.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd
import pytest
from table_trials import KEY, PLAN, walks, with_a_key, without_other_trials, write_walks

from hhp_stats.intake.manifest import MANIFEST
from hhp_stats.plan.catalogue import catalogue
from hhp_stats.plan.glance import study_glance
from hhp_stats.plan.individual import IndividualOutcome
from hhp_stats.plan.programme import programme_plan
from hhp_stats.plan.table_plan import outcomes_of
from hhp_stats.present import discussion, field_trials, prose, standard_parts
from hhp_stats.present import front_page as front_page_of
from hhp_stats.present.certainty import certainty
from hhp_stats.present.front_page import Front
from hhp_stats.present.listing import listed_apart
from hhp_stats.present.marked_text import plain
from hhp_stats.present.versions import versions_in, versions_table
from hhp_stats.results.frame import read_results
from hhp_stats.studies.field_trial import run_field_trial
from hhp_stats.studies.output import FOLDER

GLANCE = """
[glance]
asks = "Do walks help?"
design = "Three arms"
participants = "240 patients"
outcomes = "Steps"
known = "Nothing"
"""


@pytest.fixture(scope="module")
def home(root, tmp_path_factory):
    """The trial of three arms, run, in a project in which no other has results."""
    home = without_other_trials(root, tmp_path_factory.mktemp("arms") / "project")
    (home / MANIFEST).write_text('status = "real"\nrelease = 2024-03-05\n\n[files]\n', encoding="utf-8")
    with with_a_key(tmp_path_factory.mktemp("key")):
        plan = PLAN.replace("[model]", f"{GLANCE}\n[model]").replace(', "hedges-g"', "")
        run_field_trial(write_walks(home, walks(), plan=plan), KEY).write(home)
        yield home


@pytest.fixture(scope="module")
def front(home) -> Front:
    entries = [entry for entry in catalogue(home) if entry.study == KEY]
    return Front(
        root=home,
        side=discussion.chapter(root=home),
        results=read_results(home / FOLDER / KEY / "results.csv"),
        entries=entries,
        glances={KEY: study_glance(home, KEY)},
        enough_response=programme_plan(home).enough_response,
    )


def said(text: str) -> str:
    return re.sub(r"\[([^\]]*)\]\{[^}]*\}", r"\1", plain(text))


def test_the_front_page_names_each_arm_and_agrees_with_its_table(front: Front) -> None:
    table = said(front.programmes())
    assert f"240 patients, {known(front)} analysed" in table
    assert "no clear effect: GP leaflet; clearly better: NHS coach" in table
    message = said(front.say("key"))
    assert (
        "Of two programmes that we can judge, one made a clear difference to Steps a day: Walks, NHS coach (better)"
        in (message)
    )
    assert "staff" not in message and "survey" not in message
    assert "The main outcome is known for" in message
    assert said(front.say("conclusion")) == "Look first at Walks, NHS coach, and test it again."
    assert {"Walks, GP leaflet: Steps a day", "Walks, NHS coach: Steps a day"} <= set(
        re.findall(r"Walks, [\w ]+: Steps a day", plain(front.figure().alt))
    )


def known(front: Front) -> str:
    return str(int(front.results.set_index("result_id").loc[f"{KEY}/sample/responded/count", "estimate"]))


def test_people_of_several_comparisons_are_counted_once(front: Front) -> None:
    plan = front.side.plan(KEY)
    found = certainty(front.results, plan, enough_response=0.5)
    assert (found.randomised, found.analysed) == (240, int(walks()["steps_12"].notna().sum()))
    everybody = replace(plan, model=replace(plan.model, estimator="imputation"))
    assert certainty(front.results, everybody, enough_response=0.5).analysed == 240


def test_two_clear_arms_are_both_looked_at(front: Front) -> None:
    effects = front.side.effects.assign(conf_low=lambda t: t["conf_low"].abs() + 0.1, conf_high=9.0, estimate=1.0)
    both = replace(front, side=replace(front.side, effects=effects))
    assert said(both.say("conclusion")) == (
        "Look first at Walks, GP leaflet and Walks, NHS coach, and test them again."
    )
    assert "clearly better" in said(both.programmes()) and "no clear effect" not in said(both.programmes())


def test_arms_and_outcomes_that_measure_what_others_measure_are_compared_with_those_alone(front: Front) -> None:
    own = front.side.effects[front.side.effects["outcome"] == "steps"].assign(construct="steps")
    other = own.head(1).assign(study="coffee", arm="", label="Steps a week", result_id="coffee/steps/itt/hedges-g")
    entries = {entry.study: entry for entry in catalogue(front.root) if entry.study in (KEY, "coffee")}
    side = replace(front.side, effects=pd.concat([own, other]), studies=entries, invented=frozenset())
    assert set(side.comparable()["name"]) == {"Walks, GP leaflet", "Walks, NHS coach", "Coffee"}
    assert "two pairs of trials" in said(side.say("compared")) or "2 pairs of trials" in said(side.say("compared"))
    html = side.table("pairs").as_raw_html()
    assert "Walks, NHS coach and Coffee" in html and "GP leaflet and Walks" not in html
    twice = replace(side, effects=pd.concat([side.effects, other.assign(label="Steps a month")]))
    assert {"Coffee: Steps a week", "Coffee: Steps a month"} <= set(twice.comparable()["name"])


def test_only_the_wave_that_an_outcome_is_about_is_compared_with_other_trials(home) -> None:
    plan = field_trials.chapter(KEY, root=home).report.plan
    made = outcomes_of("x", {"steps": replace_construct(plan)}, plan.columns, {})
    assert {key: outcome.construct for key, outcome in made.items()} == {
        "steps": "walking", "steps_month_6": "", "response": "",
    }  # fmt: skip


def replace_construct(plan):
    waves = {"baseline": "steps_0", "month_6": "steps_6", "month_12": "steps_12"}
    return IndividualOutcome(id="steps", label="Steps", better="higher", construct="walking", waves=waves)


def test_reasons_beside_versions_name_the_two_arms(home) -> None:
    chapter = field_trials.chapter(KEY, root=home)
    plan = chapter.report.plan
    results = read_results(home / FOLDER / KEY / "results.csv")
    html = versions_table(plan, results, versions_in(plan)).as_raw_html()
    assert "Pain (NRS): GP leaflet against Usual care" in html


def test_a_plan_without_the_standardised_difference_has_it(home) -> None:
    chapter = field_trials.chapter(KEY, root=home)
    assert "hedges-g" in chapter.report.plan.model.beside
    assert "interval" in chapter.figure("effects").caption


def test_words_of_the_chapter(home) -> None:
    chapter, parts = field_trials.chapter(KEY, root=home), standard_parts.parts(KEY, root=home)
    assert "patients below five" in plain(parts.disclosure())
    assert "assigned to an arm" in plain(parts.limits())
    assert "Patients each, mean" in chapter.table("clusters").as_raw_html()
    assert "CR2 by surgery" in chapter.table("outcomes").as_raw_html()
    shares = plain(chapter.say("known"))
    assert re.search(r"that of “NHS coach” is [\d.]+ percentage points (lower|higher) \(", shares)
    assert re.match(r"Of four characteristics before the trial, the largest", plain(chapter.say("balance")))


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a, x", "b"], "a, x and b"),
        (["a, x", "b", "c"], "a, x; b; and c"),
    ],
)
def test_parts_with_commas_are_kept_apart(parts: list[str], found: str) -> None:
    assert listed_apart(parts) == found


def test_two_versions_are_both() -> None:
    frame = pd.DataFrame(
        [
            {"result_id": f"a/b/itt/{name}", "estimate": 2.0, "conf_low": 1.0, "conf_high": 3.0, "status": "estimated"}
            for name in ("planned", "one", "two")
        ]
    )
    planned = frame.iloc[0].to_dict()
    assert prose.agreement(frame, planned, better="higher").startswith("Both sensitivity analyses point")


def test_one_experiment_is_no_experiments(root) -> None:
    hiring = next(entry for entry in catalogue(root) if entry.study == "hiring")
    assert hiring.noun.endswith("experiments") and replace(hiring, several=False).noun.endswith("experiment")
    assert front_page_of.MOST_MEASURED >= 1
