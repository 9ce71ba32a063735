"""Planned against done: what the protocol commits to, what ran, and the deviations that explain the rest.

`data/plan/commitments*.toml` state, clause by clause, what each planned analysis must be.
A study records what it really did (`Conduct`), read off the fitted objects. Every difference needs
an entry in one of `data/plan/deviations*.toml`, and every entry there must match a difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hhp_stats.errors import PlanError
from hhp_stats.plan.citations import CLAUSES, known_clauses
from hhp_stats.plan.nearest import refuse_unknown
from hhp_stats.plan.records import list_of, read_plan_file, record_of

COMMITMENTS = "data/plan/commitments*.toml"
DEVIATIONS = "data/plan/deviations*.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """One property a planned analysis must have, and the clause that says so."""

    study: str
    clause: str
    analysis: str  # outcome/estimand/method
    aspect: str  # estimator, covariance, df, terms, baseline_absence, leavers, population, ...
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """One property that an analysis really had when it ran."""

    study: str
    analysis: str
    aspect: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """An explained difference between plan and conduct."""

    id: str
    study: str
    clause: str
    analysis: str
    aspect: str
    planned: str
    done: str
    reason: str
    decided: str  # when, in words or as a date
    before_unblinding: bool
    planned_result: str = ""  # result id of the planned version, where it can be estimated too
    done_result: str = ""
    rule: str = (
        ""  # code of the rule of intake whose finding the entry explains; then it is not about an analysis' conduct
    )
    units: tuple[str, ...] = ()  # what the finding is about: teams, authorities, people, arms, or "log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A commitment that was not kept to the letter."""

    commitment: Commitment
    done: str


Record = TypeVar("Record", Commitment, Deviation)


def load_commitments(root: Path) -> tuple[Commitment, ...]:
    """All commitments; refuses unknown clauses and doubled entries."""
    return _records(root, COMMITMENTS, "commitment", Commitment)


def load_deviations(root: Path) -> tuple[Deviation, ...]:
    """All deviations; refuses unknown clauses, doubled ids and empty reasons."""
    found = _records(root, DEVIATIONS, "deviation", Deviation)
    for entry in found:
        if bool(entry.rule) != bool(entry.units):
            raise PlanError(
                DEVIATIONS,
                entry.id,
                "names a rule without units, or units without a rule.",
                "Name both: the code of the rule and what it found.",
            )
    return found


def deviations_of_data(root: Path, study: str) -> tuple[Deviation, ...]:
    """The entries that explain what the checks of a study's raw files find, and not how an analysis was run."""
    return tuple(entry for entry in load_deviations(root) if entry.study == study and entry.rule)


def _records(root: Path, pattern: str, key: str, kind: type[Record]) -> tuple[Record, ...]:
    """The entries of every file that matches; one about several analyses counts as one for each."""
    found: dict[tuple[str, ...], Record] = {}
    for path in sorted(root.glob(pattern)):
        file = path.relative_to(root).as_posix()
        raw, known = read_plan_file(root, file), known_clauses(root)
        if not raw:
            continue  # the studies that its entries were about have gone
        refuse_unknown(file, "the file", "the list", raw, (key,), "those of the file")
        for number, entry in enumerate(list_of(raw, file=file, key=key), start=1):
            place = f"{key} {entry.get('id', number) if isinstance(entry, Mapping) else number}"
            for single in _one_by_one(entry):
                record = record_of(
                    single, file=file, place=place, kind=kind, may_be_empty=frozenset({"clause", *_MAY_BE_EMPTY})
                )
                # Of some studies no protocol is public; what their files show then cites no clause.
                if record.clause or not getattr(record, "rule", ""):
                    refuse_unknown(file, place, "clause", [record.clause], known, CLAUSES)
                identity = (getattr(record, "id", record.study), record.analysis, record.aspect)
                if identity in found:
                    raise PlanError(file, place, f"stands twice for {record.analysis}.", "Keep one.")
                found[identity] = record
    return tuple(found.values())


_MAY_BE_EMPTY = ("value", "planned", "done")  # "" is what a property that is not there has


def _one_by_one(entry: Any) -> list[Any]:
    """An entry about several analyses as one for each; a value of several parts as their sum."""
    if not isinstance(entry, Mapping):
        return [entry]
    joined = {key: " + ".join(value) if _texts(value) and key != "units" else value for key, value in entry.items()}
    names = entry.get("analysis")
    return [{**joined, "analysis": name} for name in names] if isinstance(names, list) and names else [joined]


def _texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(part, str) for part in value)


NOT_ESTIMATED = "not estimated"  # what was done of an analysis that the data do not allow; its row has the reason


def differences(commitments: Iterable[Commitment], conduct: Iterable[Conduct]) -> tuple[Difference, ...]:
    """Commitments that conduct does not meet; a planned analysis that never ran differs in every aspect, one that was
    tried and refused in those that only a fit can show.
    """
    done = {(entry.study, entry.analysis, entry.aspect): entry.value for entry in conduct}
    refused = {key[:2] for key, value in done.items() if value == NOT_ESTIMATED}
    found = []
    for commitment in commitments:
        key = (commitment.study, commitment.analysis, commitment.aspect)
        value = done.get(key, NOT_ESTIMATED if key[:2] in refused else "not run")
        if value != commitment.value:
            found.append(Difference(commitment=commitment, done=value))
    return tuple(found)


def check_deviations(found: Sequence[Difference], deviations: Sequence[Deviation], *, study: str) -> None:
    """Raise PlanError for an unexplained difference, or for an entry that matches none.

    What these data do not allow to estimate needs no entry: nobody left the plan, and the result's row says why it has
    no number. Entries about findings of intake are held against those where the raw files are read (`intake.findings`).
    """
    explained = {(d.study, d.analysis, d.aspect): d for d in deviations if d.study == study and not d.rule}
    for difference in found:
        if difference.done == NOT_ESTIMATED:
            continue
        want = difference.commitment
        entry = explained.get((want.study, want.analysis, want.aspect))
        if entry is None:
            raise PlanError(
                DEVIATIONS,
                f"clause {want.clause}",
                f"{want.analysis}: {want.aspect} was planned as {want.value!r} and done as {difference.done!r},"
                " and no entry explains it.",
                "Run what was planned, or add a deviation with clause, analysis and aspect.",
            )
        if (entry.clause, entry.planned, entry.done) != (want.clause, want.value, difference.done):
            raise PlanError(
                DEVIATIONS,
                entry.id,
                f"says clause {entry.clause}, planned {entry.planned!r}, done {entry.done!r}, but clause {want.clause}"
                f" planned {want.value!r} and {difference.done!r} was done.",
                "Make the entry say what happened.",
            )
    real = {(d.commitment.analysis, d.commitment.aspect) for d in found}
    for entry in explained.values():
        if (entry.analysis, entry.aspect) not in real:
            raise PlanError(
                DEVIATIONS,
                entry.id,
                f"explains a deviation of {entry.analysis} ({entry.aspect}) that did not happen.",
                "Remove the entry, or mend what it refers to.",
            )
