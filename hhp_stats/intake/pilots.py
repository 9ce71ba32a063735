"""The lists of the two pilots: participants, app sessions and survey answers; interviewees."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hhp_stats.intake.pilot_lists import DICTATION, FLEXITIME
from hhp_stats.intake.plain_lists import ListRule, Lists, PlainLists, read_plain_lists
from hhp_stats.intake.rule import Breach, Rule, at


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
            rule="A person must stand in this list once.",
            remedy="Delete the line that does not count.",
        ),
    )


def load_dictation(root: Path) -> PlainLists:
    """Participants, sessions and answers; raises DataError, with every problem, where they break a rule."""
    rules = (
        _once("participants", "participant"),
        _once("survey", "participant"),
        _from("sessions", "Brent"),
        _from("survey", "Coventry"),
    )
    return read_plain_lists(root, study="dictation", specs=DICTATION, rules=rules)


def load_flexitime(root: Path) -> PlainLists:
    """The interviewees; raises DataError, with every problem, where the list breaks a rule."""
    return read_plain_lists(root, study="flexitime", specs=FLEXITIME, rules=(_once("interviewees", "interviewee"),))
