"""Estimands: one for every main outcome, every event handled once, every planned analysis accounted for, or refused."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from hhp_stats.errors import PlanError, UnknownName
from hhp_stats.plan.citations import known_clauses
from hhp_stats.plan.estimands import ESTIMANDS, ROLES, load_estimands
from hhp_stats.plan.load import load_plan
from hhp_stats.present.estimands import AIMS, STRATEGIES, card_rows, estimand_card

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path):
    """A copy of the plan's files that a test may spoil."""
    for path in [*(ROOT / "data/plan").glob("*.toml"), ROOT / "data/published/protocol_clauses.csv"]:
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return tmp_path


def refusal(project, old, new, *, file=ESTIMANDS):
    path = project / file
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{file} no longer holds {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PlanError) as caught:
        load_estimands(project)
    assert caught.value.remedy
    return caught.value


# ---------------------------------------------------------------- the data that ship
def test_every_primary_and_secondary_outcome_and_mediator_has_a_card():
    outcomes = load_plan(ROOT, "goal_setting").outcomes
    wanted = {key for key, outcome in outcomes.items() if outcome.role in ROLES}
    assert {"sickness_absence", "turnover", "wellbeing", "time_pressure", "efficacy", "bradford"} <= wanted
    found = load_estimands(ROOT)
    assert {entry.outcome for entry in found.estimands} == wanted
    for outcome in wanted:
        assert found.card(outcome).estimand.outcome == outcome


def test_every_analysis_exists_and_every_planned_one_is_named():
    plan, found = load_plan(ROOT, "goal_setting"), load_estimands(ROOT)
    outcomes = {entry.outcome for entry in found.estimands}
    named = [name for entry in found.analyses for name in entry.ids]
    assert len(named) == len(set(named))
    assert all(plan.analysis(name).outcome in outcomes for name in named)
    assert {entry.id for entry in plan.analyses if entry.kind == "planned" and entry.outcome in outcomes} <= set(named)


def test_every_clause_is_known_and_the_rules_for_leavers_are_cited_where_they_apply():
    found, known = load_estimands(ROOT), known_clauses(ROOT)
    cards = {entry.outcome: found.card(entry.outcome) for entry in found.estimands}
    assert all(set(card.clauses) <= known for card in cards.values())
    assert {"P44", "P50", "P52"} <= set(cards["sickness_absence"].clauses)
    assert "P50" not in cards["wellbeing"].clauses
    assert list(cards["bradford"].clauses) == sorted(cards["bradford"].clauses, key=lambda clause: int(clause[1:]))


def test_leaving_has_the_strategy_of_its_outcome_and_uptake_never_changes_the_arm():
    found = load_estimands(ROOT)
    strategy = {
        (entry.outcome, event.key): handling.strategy
        for entry in found.estimands
        for event, handling in found.card(entry.outcome).handlings
    }
    assert len(strategy) == len(found.estimands) * len(found.events)
    assert strategy["sickness_absence", "leaving"] == "hypothetical"  # own rate, had they stayed: P50
    assert strategy["turnover", "leaving"] == "outcome"
    assert strategy["bradford", "leaving"] == "while_in_post"
    assert {strategy[entry.outcome, "take_up"] for entry in found.estimands} == {"treatment_policy"}
    assert {strategy[entry.outcome, "joining"] for entry in found.estimands} == {"population"}


def test_the_strategy_for_leavers_is_the_rule_that_the_plan_runs():
    """A hypothetical strategy means the leaver's own rate; another rule would make another estimand."""
    plan, found = load_plan(ROOT, "goal_setting"), load_estimands(ROOT)
    rules = {"this": set(), "other": set()}
    for name, entry in found.card("sickness_absence").analyses:
        rules[entry.aims_at].add(plan.analysis(name).leavers)
    assert rules["this"] == {"pro_rata"}
    assert {"absent_after_leaving", "left_out"} <= rules["other"]


def test_compliers_and_other_summaries_are_other_estimands():
    plan, found = load_plan(ROOT, "goal_setting"), load_estimands(ROOT)
    for entry in found.estimands:
        for name, aim in found.card(entry.outcome).analyses:
            if name.split("/")[1] != "itt":
                assert aim.aims_at == "other", name
            if aim.aims_at == "this":
                assert plan.analysis(name).population in (entry.population, "survey"), name


# ---------------------------------------------------------------- the cards
@pytest.mark.parametrize("outcome", [entry.outcome for entry in load_estimands(ROOT).estimands])
def test_card_shows_every_attribute_event_and_analysis(outcome):
    card, plan = load_estimands(ROOT).card(outcome), load_plan(ROOT, "goal_setting")
    rows = card_rows(card, plan)
    attributes = [row["Attribute"] for row in rows]
    assert attributes[:6] == [
        "Population",
        "Treatments compared",
        "Outcome",
        "Summary measure",
        "Unit of inference",
        "Alternative unit",
    ]
    assert len(attributes) == len(set(attributes))
    shown = " ".join(attributes)
    assert all(event.label in attributes for event, _ in card.handlings)
    assert all(f"{name})" in shown for name, _ in card.analyses)
    groups = [row["group"] for row in rows]
    assert groups == sorted(groups, key=list(dict.fromkeys(groups)).index)  # no group is torn apart
    assert all(row["Description"].endswith((".", ".)")) for row in rows)
    html = estimand_card(outcome).as_raw_html()
    assert "large team counts for more" in html
    assert all(re.search(rf"\b{clause}\b", html) for clause in card.clauses)


def test_every_strategy_and_aim_has_words():
    found = load_estimands(ROOT)
    assert {entry.strategy for entry in found.handlings} <= set(STRATEGIES)
    assert {entry.aims_at for entry in found.analyses} == set(AIMS)


def test_an_outcome_without_an_estimand_is_named():
    with pytest.raises(UnknownName, match="happiness"):
        estimand_card("happiness")


# ---------------------------------------------------------------- what is refused
@pytest.mark.parametrize(
    ("old", "new", "place", "says"),
    [
        ('outcome = "bradford"', 'outcome = "boredom"', "estimand boredom", "'boredom'"),
        ('outcome = "bradford"', 'outcome = "spells"', "outcome bradford", "no estimand"),
        ('outcome = "bradford"', 'outcome = "turnover"', "estimand turnover", "twice"),
        ('population = "spells"', 'population = "everyone"', "estimand bradford", "'everyone'"),
        ('clauses = ["P44", "P79", "P80", "P81"]', 'clauses = ["P44", "P999"]', "estimand bradford", "'P999'"),
        ('clauses = ["P44", "P79", "P80", "P81"]', "clauses = []", "estimand bradford", "no clause"),
        ('unit_clauses = ["P05"]', 'unit_clauses = ["P500"]', "unit_clauses", "'P500'"),
        ('strategy = "while_in_post"', 'strategy = "hopeful"', "handling leaving_bradford", "'hopeful'"),
        ('event = "coffee"', 'event = "tea"', "handling coffee", "'tea'"),
        ('event = "coffee"', 'event = "moving"', "handling coffee", "as moving does"),
        ('outcomes = ["bradford"]', 'outcomes = ["turnover"]', "handling leaving_bradford", "as leaving_turnover"),
        (
            'outcomes = ["turnover"]\nstrategy = "outcome"',
            'outcomes = []\nstrategy = "outcome"',
            "estimand turnover",
            "'leaving'",
        ),
        ('ids = ["bradford/itt/cr1"]', 'ids = ["bradford/itt/cr9"]', "analysis bradford_planned", "'bradford/itt/cr9'"),
        ('ids = ["bradford/itt/cr1"]', 'ids = ["spells/itt/cr1"]', "analysis bradford_planned", "'spells'"),
        (
            'ids = ["bradford/itt/cr1"]',
            'ids = ["bradford/itt/wild-bootstrap"]',
            "analysis bradford/itt/cr1",
            "not named",
        ),
        (
            'ids = ["sickness_absence/itt/cr2"]',
            'ids = ["sickness_absence/itt/cr1"]',
            "analysis absence_few_teams",
            "named already",
        ),
        (
            'ids = ["bradford/itt/cr1"]\naims_at = "this"',
            'ids = ["bradford/itt/cr1"]\naims_at = "other"',
            "estimand bradford",
            "no planned analysis",
        ),
        ('aims_at = "this"', 'aims_at = "that"', "analysis absence_planned", "'that'"),
        ('study = "goal_setting"', 'study = "goal_setting"\nmood = "good"', "the head", "'mood'"),
        ('unit_alternative = """', 'alternative = """', "the head", "'alternative'"),
    ],
)
def test_wrong_entry_is_refused(project, old, new, place, says):
    error = refusal(project, old, new)
    assert (error.file, error.place) == (ESTIMANDS, place)
    assert says in error.rule


def test_a_new_planned_analysis_must_say_what_it_aims_at(project):
    error = refusal(
        project,
        'id = "wellbeing/itt/indicator"\nlabel = "Responders, baseline zero with indicator"\nkind = "sensitivity"',
        'id = "wellbeing/itt/indicator"\nlabel = "Responders"\nkind = "planned"',
        file="data/plan/goal_setting.toml",
    )
    assert error.place == "analysis wellbeing/itt/indicator"
