"""What each main analysis estimates: population, treatment, outcome, summary, events after randomisation, unit.

`data/plan/estimands.toml` holds one estimand for every primary and secondary outcome and every mediator of a study.
The attributes are those of ICH E9(R1) (2019), section A.3; the unit of inference is what a cluster trial adds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hhp_stats.errors import PlanError, UnknownName
from hhp_stats.plan.citations import known_clauses
from hhp_stats.plan.load import load_plan
from hhp_stats.plan.records import read_plan_file, record_of, records_of
from hhp_stats.plan.returns_schema import ReturnsPlan

ESTIMANDS = "data/plan/estimands.toml"
ROLES = frozenset({"primary", "secondary", "mediator"})  # outcomes that need an estimand of their own

Strategy = Literal[
    "treatment_policy",
    "hypothetical",
    "while_in_post",
    "composite",
    "principal_stratum",
    "outcome",  # the event is what is measured
    "population",  # the event decides who belongs to the trial
]
Aim = Literal["this", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What all estimands of a trial share: the treatments compared and the unit of inference."""

    study: str
    treatment: str
    treatment_clauses: tuple[str, ...]
    unit: str
    unit_alternative: str
    unit_clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimand:
    """What is estimated for one outcome."""

    outcome: str  # key in the plan
    population: str  # key in the plan
    population_words: str
    variable: str
    summary: str
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that can happen after randomisation and change what an outcome means."""

    key: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """What becomes of one event, for some outcomes."""

    id: str
    event: str
    outcomes: tuple[str, ...]
    strategy: Strategy
    words: str
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AimOfAnalyses:
    """What analyses aim at, and what they take for granted about values that are not known."""

    key: str
    ids: tuple[str, ...]  # outcome/estimand/method
    aims_at: Aim  # this: the estimand of their outcome; other: another one
    assumes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimandCard:
    """Everything about the estimand of one outcome."""

    frame: Frame
    estimand: Estimand
    handlings: tuple[tuple[Event, Handling], ...]  # in the order of the events
    analyses: tuple[tuple[str, AimOfAnalyses], ...]  # analysis ids, in the order of the file

    @property
    def clauses(self) -> tuple[str, ...]:
        """Every clause the card rests on, in the order of the protocol."""
        cited = {*self.estimand.clauses, *self.frame.treatment_clauses, *self.frame.unit_clauses}
        cited.update(clause for _, handling in self.handlings for clause in handling.clauses)
        return tuple(sorted(cited, key=lambda clause: (clause[0], int(clause[1:]))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimands:
    """The estimands of one trial."""

    frame: Frame
    estimands: tuple[Estimand, ...]
    events: tuple[Event, ...]
    handlings: tuple[Handling, ...]
    analyses: tuple[AimOfAnalyses, ...]

    def card(self, outcome: str) -> EstimandCard:
        """The card of one outcome; refuses an outcome that has none (UnknownName)."""
        for estimand in self.estimands:
            if estimand.outcome == outcome:
                break
        else:
            known = ", ".join(entry.outcome for entry in self.estimands)
            raise UnknownName(f"there is no estimand for {outcome!r}; known: {known}")
        handled = {entry.event: entry for entry in self.handlings if outcome in entry.outcomes}
        analyses = [(name, entry) for entry in self.analyses for name in entry.ids if name.split("/")[0] == outcome]
        return EstimandCard(
            frame=self.frame,
            estimand=estimand,
            handlings=tuple((event, handled[event.key]) for event in self.events),
            analyses=tuple(analyses),
        )


def load_estimands(root: Path) -> Estimands:
    """What does each main analysis of the trial estimate?

    Refuses (PlanError) what `records_of` refuses; unknown clauses, outcomes, populations, events and
    analyses; an outcome of role primary, secondary or mediator without an estimand; an event that is handled
    twice or not at all for an outcome; an analysis named twice, or of an outcome without an estimand; a planned
    analysis of such an outcome that is not named; and an estimand that no planned analysis aims at.
    """
    raw = read_plan_file(root, ESTIMANDS)
    lists = ("estimand", "event", "handling", "analysis")
    head = {key: value for key, value in raw.items() if key not in lists}
    frame = record_of(head, file=ESTIMANDS, place="the head", kind=Frame)
    found = Estimands(
        frame=frame,
        estimands=records_of(raw, file=ESTIMANDS, key="estimand", kind=Estimand),
        events=records_of(raw, file=ESTIMANDS, key="event", kind=Event),
        handlings=records_of(raw, file=ESTIMANDS, key="handling", kind=Handling),
        analyses=records_of(raw, file=ESTIMANDS, key="analysis", kind=AimOfAnalyses),
    )
    plan = load_plan(root, frame.study)
    _check_clauses(found, known_clauses(root))
    _check_outcomes(found, plan)
    _check_handlings(found)
    _check_analyses(found, plan)
    return found


def _check_clauses(found: Estimands, known: frozenset[str]) -> None:
    cited: list[tuple[str, tuple[str, ...]]] = [
        ("treatment_clauses", found.frame.treatment_clauses),
        ("unit_clauses", found.frame.unit_clauses),
    ]
    cited += [(f"estimand {entry.outcome}", entry.clauses) for entry in found.estimands]
    cited += [(f"handling {entry.id}", entry.clauses) for entry in found.handlings]
    for place, clauses in cited:
        if not clauses:
            raise PlanError(ESTIMANDS, place, "cites no clause.", "Say which clause of the protocol it rests on.")
        for clause in clauses:
            if clause not in known:
                raise PlanError(
                    ESTIMANDS,
                    place,
                    f"cites clause {clause!r}, which does not exist.",
                    "Use an id of data/published/protocol_clauses.csv.",
                )


def _refuse_unknown(place: str, what: str, given: Iterable[str], known: Iterable[str]) -> None:
    allowed = tuple(known)
    for name in given:
        if name not in allowed:
            raise PlanError(ESTIMANDS, place, f"names an unknown {what} {name!r}.", f"Known: {', '.join(allowed)}.")


def _check_outcomes(found: Estimands, plan: ReturnsPlan) -> None:
    for entry in found.estimands:
        place = f"estimand {entry.outcome}"
        _refuse_unknown(place, "outcome", [entry.outcome], plan.outcomes)
        _refuse_unknown(place, "population", [entry.population], plan.populations)
    given = {entry.outcome for entry in found.estimands}
    for key, outcome in plan.outcomes.items():
        if outcome.role in ROLES and key not in given:
            raise PlanError(ESTIMANDS, f"outcome {key}", f"is {outcome.role} and has no estimand.", "Add one.")


def _check_handlings(found: Estimands) -> None:
    outcomes, events = [entry.outcome for entry in found.estimands], [event.key for event in found.events]
    seen: dict[tuple[str, str], str] = {}
    for entry in found.handlings:
        place = f"handling {entry.id}"
        _refuse_unknown(place, "event", [entry.event], events)
        _refuse_unknown(place, "outcome", entry.outcomes, outcomes)
        for outcome in entry.outcomes:
            before = seen.setdefault((outcome, entry.event), entry.id)
            if before != entry.id:
                raise PlanError(
                    ESTIMANDS, place, f"handles {entry.event} for {outcome}, as {before} does.", "Keep one."
                )
    for outcome in outcomes:
        for event in events:
            if (outcome, event) not in seen:
                raise PlanError(
                    ESTIMANDS,
                    f"estimand {outcome}",
                    f"does not say what becomes of {event!r}.",
                    "Add the outcome to a handling of that event.",
                )


def _check_analyses(found: Estimands, plan: ReturnsPlan) -> None:
    outcomes = {entry.outcome for entry in found.estimands}
    known: Mapping[str, str] = {entry.id: entry.kind for entry in plan.analyses}
    aims: dict[str, Aim] = {}
    for entry in found.analyses:
        place = f"analysis {entry.key}"
        _refuse_unknown(place, "analysis", entry.ids, known)
        _refuse_unknown(place, "outcome", [name.split("/")[0] for name in entry.ids], sorted(outcomes))
        for name in entry.ids:
            if name in aims:
                raise PlanError(ESTIMANDS, place, f"names {name}, which is named already.", "Keep one.")
            aims[name] = entry.aims_at
    for name, kind in known.items():
        if kind == "planned" and name.split("/")[0] in outcomes and name not in aims:
            raise PlanError(ESTIMANDS, f"analysis {name}", "is planned and not named.", "Say what it aims at.")
    for outcome in sorted(outcomes):
        if not any(
            known[name] == "planned" and aim == "this" for name, aim in aims.items() if name.split("/")[0] == outcome
        ):
            raise PlanError(
                ESTIMANDS,
                f"estimand {outcome}",
                "is aimed at by no planned analysis.",
                "Name the planned analysis under [[analysis]].",
            )
