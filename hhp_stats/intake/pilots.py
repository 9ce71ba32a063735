"""The lists of the two pilots: participants, app sessions and survey answers; interviewees."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from hhp_stats.intake.findings import Finding
from hhp_stats.intake.pilot_lists import DICTATION, FLEXITIME
from hhp_stats.intake.plain_lists import ListRule, Lists, PlainLists, read_plain_lists
from hhp_stats.intake.rule import Breach, Rule, at
from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.plan.individual_schema import IndividualPlan
from hhp_stats.plan.nearest import refuse_unknown


def _from(about: str, authority: str) -> ListRule:
    def find(lists: Lists) -> Iterator[Breach]:
        people = lists["participants"].frame
        own = people.loc[people["local_authority"] == authority, "participant"]
        yield from at(~lists[about].frame["participant"].isin(own), "participant")

    return ListRule(
        about=about,
        find=find,
        rule=Rule(
            code="K31",
            severity="error",
            rule=f"Everybody in this list must be a participant of {authority}.",
            remedy="Correct the participant, or add him or her to the list.",
        ),
    )


def _once(about: str, name: str) -> ListRule:
    def find(lists: Lists) -> Iterator[Breach]:
        yield from at(lists[about].frame[name].duplicated(keep=False), name)

    return ListRule(
        about=about,
        find=find,
        rule=Rule(
            code="K32",
            severity="error",
            rule="A person must be in this list once.",
            remedy="Delete the line that does not count.",
        ),
    )


LINES = Rule(
    code="K33",
    severity="error",
    rule="A list of a pilot must hold as many lines, and be about as many people, as the plan says.",
    remedy="Export the list again, or ask who was left out or added.",
)


def _lines(lists: Lists, plan: IndividualPlan) -> Iterator[Finding]:
    file = f"data/plan/{plan.study}.toml"
    refuse_unknown(file, "lists", "list", plan.lists, lists, "the lists of this pilot")
    for planned in plan.lists.values():
        table = lists[planned.id]
        key = next(name for name, each in table.fields.items() if each.kind == "identifier")
        there = {"lines": len(table.frame), "people": table.frame[key].nunique()}
        for what, number in there.items():
            if getattr(planned, what) not in (None, number):
                value = f"{number} {what} of {planned.id}, {getattr(planned, what)} in the plan"
                yield Finding(rule=LINES, file=table.file, value=value, units=(planned.id,))


def load_dictation(root: Path) -> PlainLists:
    """Participants, sessions and answers; raises DataError, with every problem, where they break a rule."""
    plan = load_individual_plan(root, "dictation")
    rules = (
        _once("participants", "participant"),
        _once("survey", "participant"),
        _from("sessions", "Brent"),
        _from("survey", "Coventry"),
    )
    return read_plain_lists(root, study=plan.study, specs=DICTATION, rules=rules, found=partial(_lines, plan=plan))


def load_flexitime(root: Path) -> PlainLists:
    """The interviewees; raises DataError, with every problem, where the list breaks a rule."""
    plan, rules = load_individual_plan(root, "flexitime"), (_once("interviewees", "interviewee"),)
    return read_plain_lists(root, study=plan.study, specs=FLEXITIME, rules=rules, found=partial(_lines, plan=plan))
