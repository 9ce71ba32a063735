"""The files of the hiring experiments: who saw what in which order, every decision, every set of scores."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pandas as pd

from hhp_stats.intake.hiring_lists import APPLICATIONS, NAMES, SCORES, SPECS, STUDY
from hhp_stats.intake.plain_lists import ListRule, Lists, PlainLists, read_plain_lists
from hhp_stats.intake.rule import Breach, Rule, at
from hhp_stats.intake.rules_conditions import conditions_findings
from hhp_stats.plan.experiments import load_experiment_plan
from hhp_stats.plan.thresholds import load_thresholds


def _twice(about: str, keys: list[str]) -> ListRule:
    def find(lists: Lists) -> Iterator[Breach]:
        yield from at(lists[about].frame.duplicated(keys, keep=False), keys[-1])

    return ListRule(
        about=about,
        find=find,
        rule=Rule(
            code="K11",
            severity="error",
            rule=f"A line of the {about} must not stand twice: each " + " and ".join(keys) + " occurs once.",
            remedy="Delete the line that does not count.",
        ),
    )


def _unlisted(about: str) -> ListRule:
    def find(lists: Lists) -> Iterator[Breach]:
        known = lists["participants"].frame["participant"]
        yield from at(~lists[about].frame["participant"].isin(known), "participant")

    return ListRule(
        about=about,
        find=find,
        rule=Rule(
            code="K12",
            severity="error",
            rule="Anyone who decides or scores must be on the list of participants.",
            remedy="Find out who this is, or add the participant to the list.",
        ),
    )


def _unequal_pairs(lists: Lists) -> Iterator[Breach]:
    """Both applications of a pair carry one kind of name, so that the comparison within pairs is lost."""
    frame = lists["decisions"].frame
    kinds = frame.groupby(["participant", "pair"])["name"].transform("nunique")
    yield from at(kinds != len(NAMES), "name")


def _incomplete(lists: Lists) -> Iterator[Breach]:
    frame, people = lists["decisions"].frame, lists["participants"].frame
    rows = people["participant"].map(frame["participant"].value_counts()).fillna(0)
    for breach in at(rows != len(APPLICATIONS), "participant"):
        yield breach._replace(value=f"{int(rows.iloc[breach.position])} decisions")


def _other_name(lists: Lists) -> Iterator[Breach]:
    frame, people = lists["scores"].frame, lists["participants"].frame
    listed = frame["participant"].map(people.drop_duplicates("participant").set_index("participant")["name_shown"])
    yield from at(listed.notna() & (listed != frame["name_shown"]), "name_shown")


RULES = (
    _twice("participants", ["participant"]),
    _twice("decisions", ["participant", "application"]),
    _twice("decisions", ["participant", "position"]),
    _twice("scores", ["participant"]),
    _unlisted("decisions"),
    _unlisted("scores"),
    ListRule(
        about="decisions",
        find=_unequal_pairs,
        rule=Rule(
            code="K13",
            severity="error",
            rule="The two applications of a pair must carry names of different kinds.",
            remedy="Check the pair against the questionnaire.",
        ),
    ),
    ListRule(
        about="participants",
        find=_incomplete,
        rule=Rule(
            code="K14",
            severity="error",
            rule="Every participant must have a line for each of the ten applications; "
            "an application that was not judged has a line without a decision.",
            remedy="Export the decisions again.",
        ),
    ),
    ListRule(
        about="scores",
        find=_other_name,
        rule=Rule(
            code="K15",
            severity="error",
            rule="The name shown must be the one that the participant was assigned.",
            remedy="Check the list of participants against the questionnaire.",
        ),
    ),
)


def load_hiring(root: Path) -> PlainLists:
    """Participants, decisions and scores; raises DataError, with every problem, where they break a rule."""
    plan = load_experiment_plan(root, STUDY)
    found = partial(conditions_findings, plan=plan, thresholds=load_thresholds(root, STUDY))
    return read_plain_lists(root, study=STUDY, specs=SPECS, rules=RULES, found=found)


def decisions_with_conditions(lists: PlainLists) -> pd.DataFrame:
    """Every decision with what the participant was allocated to."""
    return lists.frames["decisions"].merge(lists.frames["participants"], on="participant", validate="many_to_one")


def scores_with_conditions(lists: PlainLists) -> pd.DataFrame:
    """Every set of scores with its total and what the participant was allocated to."""
    people = lists.frames["participants"].drop(columns="name_shown")
    frame = lists.frames["scores"].merge(people, on="participant", validate="one_to_one")
    return frame.assign(total=frame[list(SCORES)].sum(axis="columns"))
