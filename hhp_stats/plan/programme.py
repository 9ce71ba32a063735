"""What the programme has beside its studies, as data: data/plan/programme.toml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hhp_stats.errors import PlanError
from hhp_stats.files.kept_reading import kept_reading
from hhp_stats.plan.nearest import allowed
from hhp_stats.plan.records import Fraction, read_plan_file, record_of, records_of

PROGRAMME = "data/plan/programme.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A phase of the programme."""

    id: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a conflict, a departure or a printed figure may be about beside a study."""

    id: str
    name: str
    about: str = ""  # what it stands for


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammePlan:
    """What the programme has beside its studies."""

    pages: tuple[str, ...]  # chapters of the report about no single study
    phases: tuple[Phase, ...]
    subjects: tuple[Subject, ...]
    enough_response: Fraction  # share of the people randomised from which on a trial counts as well answered

    def subject_names(self) -> dict[str, str]:
        """Names of the subjects by id."""
        return {subject.id: subject.name for subject in self.subjects}


@kept_reading
def programme_plan(root: Path) -> ProgrammePlan:
    """What `data/plan/programme.toml` says: phases, pages of no single study, subjects. Raises PlanError where it is
    wrong.
    """
    raw = read_plan_file(root, PROGRAMME)
    pages = record_of(
        {key: value for key, value in raw.items() if key in _HEAD}, file=PROGRAMME, place="the header", kind=_Pages
    )
    for key in raw:
        if key not in (*_HEAD, "phase", "subject"):
            raise PlanError(PROGRAMME, key, "is unknown.", allowed((*_HEAD, "phase", "subject"), key))
    return ProgrammePlan(
        pages=pages.pages,
        enough_response=pages.enough_response,
        phases=records_of(raw, file=PROGRAMME, key="phase", kind=Phase),
        subjects=records_of(raw, file=PROGRAMME, key="subject", kind=Subject, may_be_empty=frozenset({"about"})),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pages:
    pages: tuple[str, ...]
    enough_response: Fraction


_HEAD = ("pages", "enough_response")
