"""Planned against done: what the protocol commits to, what ran, and the deviations that explain the rest.

`data/plan/commitments*.toml` state, clause by clause, what each planned analysis must be.
A study records what it really did (`Conduct`), read off the fitted objects. Every difference needs
an entry in one of `data/plan/deviations*.toml`, and every entry there must match a difference.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from hhp_stats.errors import PlanError
from hhp_stats.plan.load import known_clauses
from hhp_stats.plan.passages import unmarked

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


def load_commitments(root: Path) -> tuple[Commitment, ...]:
    """All commitments; refuses unknown clauses and doubled entries."""
    found: tuple[Commitment, ...] = _records(root, COMMITMENTS, "commitment", Commitment)
    return found


def load_deviations(root: Path) -> tuple[Deviation, ...]:
    """All deviations; refuses unknown clauses, doubled ids and empty reasons."""
    found: tuple[Deviation, ...] = _records(root, DEVIATIONS, "deviation", Deviation)
    for entry in found:
        if not entry.reason.strip():
            raise PlanError(DEVIATIONS, entry.id, "gives no reason.", "Say why the plan was left.")
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


def _records(root: Path, pattern: str, key: str, kind: Any) -> Any:
    paths = sorted(root.glob(pattern))
    known, names = known_clauses(root) if paths else frozenset(), {field.name for field in fields(kind)}
    found, seen = [], set()
    for path in paths:
        file = path.relative_to(root).as_posix()
        for number, entry in enumerate(tomllib.loads(path.read_text(encoding="utf-8")).get(key, []), start=1):
            place = f"{key} {entry.get('id', number)}"
            for name in set(entry) - names:
                raise PlanError(file, place, f"has an unknown key {name!r}.", f"Known: {', '.join(sorted(names))}.")
            # Of some studies no protocol is public; what their files show then cites no clause.
            if entry.get("clause") not in known and not (entry.get("clause") == "" and entry.get("rule")):
                raise PlanError(
                    file,
                    place,
                    f"cites clause {entry.get('clause')!r}, which does not exist.",
                    "Use an id of data/published/protocol_clauses.csv.",
                )
            for single in _one_by_one(entry):
                try:
                    record = kind(**{name: _value(name, value) for name, value in single.items()})
                except TypeError as error:
                    raise PlanError(file, place, f"is incomplete: {error}.", "Fill every key.") from None
                identity = (getattr(record, "id", record.study), record.analysis, record.aspect)
                if identity in seen:
                    raise PlanError(file, place, f"stands twice for {record.analysis}.", "Keep one.")
                seen.add(identity)
                found.append(record)
    return tuple(found)


def _one_by_one(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """An entry about several analyses as one entry for each."""
    analyses = entry.get("analysis")
    return [{**entry, "analysis": name} for name in analyses] if isinstance(analyses, list) else [entry]


def _value(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return unmarked(value)
    if not isinstance(value, list):
        return value
    return tuple(map(str, value)) if name == "units" else " + ".join(value)


def differences(commitments: Iterable[Commitment], conduct: Iterable[Conduct]) -> tuple[Difference, ...]:
    """Commitments that conduct does not meet; a planned analysis that never ran differs in every aspect."""
    done = {(entry.study, entry.analysis, entry.aspect): entry.value for entry in conduct}
    found = []
    for commitment in commitments:
        value = done.get((commitment.study, commitment.analysis, commitment.aspect), "not run")
        if value != commitment.value:
            found.append(Difference(commitment=commitment, done=value))
    return tuple(found)


def check_deviations(found: Sequence[Difference], deviations: Sequence[Deviation], *, study: str) -> None:
    """Raise PlanError for an unexplained difference, or for an entry that matches none.

    Entries about findings of intake are held against those where the raw files are read (`intake.findings`).
    """
    explained = {(d.study, d.analysis, d.aspect): d for d in deviations if d.study == study and not d.rule}
    for difference in found:
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
