"""What the synthetic release assumes: `data/plan/synthetic_goal_setting.toml` as typed records.

Every entry of that file states its value, its source (a clause id, a document, or "assumed") and a
note, so that nobody takes an assumption for a finding.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from hhp_stats.errors import PlanError
from hhp_stats.plan.citations import known_clauses
from hhp_stats.plan.load import load_plan
from hhp_stats.plan.returns_schema import ReturnsPlan

PROJECT = Path(__file__).resolve().parents[2]  # the checkout this package is run from
FILE = "data/plan/synthetic_goal_setting.toml"

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseAssumptions:
    """Seeds and date of the release."""

    seed: int
    date: dt.date
    allocation_seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleAssumptions:
    """Authorities, teams, roles, service."""

    authority_sizes: Mapping[str, int]
    team_size_mean: float
    team_size_cv: float
    team_size_min: int
    managed_teams: float
    role_shares: Mapping[str, float]
    female_share: float
    part_time_share: float
    agency_share: float
    agency_precision: float
    service_scale_months: Mapping[str, float]
    service_cap_months: Mapping[str, float]
    service_shape: float
    agency_service_factor: float
    promoted_share: float
    joiner_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CoffeeAssumptions:
    """Buildings of the coffee trial, which overlaps in one authority."""

    authority: str
    buildings: int
    building_people_min: int
    people: int
    treated_buildings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceAssumptions:
    """Days and spells of sickness, and who records them."""

    mean_days_26_weeks: float
    sd_days_24_weeks: float
    sd_days_12_months: float
    correlation: float
    icc: float
    shift_female: float
    shift_part_time: float
    shift_student: float
    shift_manager: float
    authority_sd: float
    wellbeing_correlation: float
    spell_split: float
    no_spells_authorities: tuple[str, ...]
    half_days_authority: str
    half_day_share: float
    agency_unrecorded: float
    short_service_unrecorded: float
    error_unrecorded: float
    agency_unrecorded_follow_up: float
    error_unrecorded_follow_up: float
    holiday_days_year: float

    @property
    def mean_days_24_weeks(self) -> float:
        """Working days of sickness in the follow-up."""
        return self.mean_days_26_weeks * 24 / 26

    @property
    def mean_days_12_months(self) -> float:
        """Working days of sickness in a baseline year."""
        return self.mean_days_26_weeks * 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnoverAssumptions:
    """Who leaves, and what it costs."""

    share_26_weeks: float
    absence_log_odds: float
    wellbeing_log_odds: float
    agency_log_odds: float
    short_service_log_odds: float
    team_sd: float
    cost_known_share: float
    cost_median: float
    cost_log_sd: float

    @property
    def share_24_weeks(self) -> float:
        """Chance of leaving within the follow-up."""
        return self.share_26_weeks * 24 / 26


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeAssumptions:
    """Uptake and engagement."""

    uptake: float
    completed: float
    contaminated: int
    joiner_uptake: float
    uptake_team_sd: float
    uptake_wellbeing_log_odds: float
    module_stop: float
    recalled: float
    unsure_of_rest: float
    scheduled: float
    recalled_control: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyAssumptions:
    """Who answers, and what an export holds beside proper answers."""

    response_baseline: float
    response_endline: float
    wellbeing_log_odds: float
    treatment_log_odds: float
    agency_log_odds: float
    part_time_log_odds: float
    habit_sd: float
    joiner_response: float
    declined: tuple[int, ...]
    duplicates: tuple[int, ...]
    unmatched: tuple[int, ...]
    abandoned: tuple[int, ...]
    partial_share: float
    item_missing: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WellbeingAssumptions:
    """How steady wellbeing is, and how much teams share it."""

    team_icc: float
    stability: float
    specific_stability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemAssumptions:
    """Answers to `fields`: mean + sd * (loading * factor + specific * own part + error)."""

    fields: tuple[str, ...]
    factor: str
    loading: float
    specific: float
    mean: float
    sd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectAssumptions:
    """Planted effects of the offer (intention to treat); all of them pass through those who start."""

    absence_days: float
    turnover_log_odds: float
    wellbeing_sd: float
    time_pressure_sd: float
    efficacy_sd: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Assumptions:
    """Everything the generator assumes, and the plan it follows."""

    plan: ReturnsPlan
    release: ReleaseAssumptions
    people: PeopleAssumptions
    coffee: CoffeeAssumptions
    absence: AbsenceAssumptions
    turnover: TurnoverAssumptions
    programme: ProgrammeAssumptions
    survey: SurveyAssumptions
    wellbeing: WellbeingAssumptions
    factors: Mapping[str, float]
    items: Mapping[str, ItemAssumptions]
    effects: EffectAssumptions


@lru_cache(maxsize=8)
def load_assumptions(root: Path = PROJECT) -> Assumptions:
    """What does the synthetic goal-setting trial assume?

    Reads `data/plan/synthetic_goal_setting.toml` and the plan of the study under `root`. Refuses
    (PlanError) a missing or unknown entry, an entry without value, source and note, a source that is
    neither "assumed" nor "document: ..." nor clause ids, a value of the wrong type, authorities that
    differ from the plan's, and sizes that do not add up to the number recruited.
    """
    path = root / FILE
    if not path.is_file():
        raise PlanError(FILE, "the file", "does not exist.", "Write the assumptions of the synthetic release there.")
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    plan = load_plan(root, "goal_setting")
    clauses = known_clauses(root)
    kinds = get_type_hints(Assumptions)
    records: dict[str, Any] = {}
    for field in dataclasses.fields(Assumptions):
        if field.name == "plan":
            continue
        section = raw.pop(field.name, None)
        if not isinstance(section, dict):
            raise PlanError(FILE, field.name, "is missing.", f"Add a table [{field.name}].")
        values = {key: _value(f"{field.name}.{key}", entry, clauses) for key, entry in section.items()}
        if field.name == "factors":
            records[field.name] = {key: float(value) for key, value in values.items()}
        elif field.name == "items":
            records[field.name] = {
                key: _record(ItemAssumptions, f"items.{key}", value) for key, value in values.items()
            }
        else:
            records[field.name] = _record(kinds[field.name], field.name, values)
    if raw:
        raise PlanError(FILE, sorted(raw)[0], "is not a section of this file.", "Remove it or mend its name.")
    made = Assumptions(plan=plan, **records)
    _check(made)
    return made


def _value(place: str, entry: Any, clauses: frozenset[str]) -> Any:
    if not isinstance(entry, dict) or set(entry) != {"value", "source", "note"}:
        raise PlanError(FILE, place, "must state value, source and note.", "Add what lacks; the note may be empty.")
    source = str(entry["source"])
    if source != "assumed" and not source.startswith("document: "):
        unknown = [clause for clause in source.split(";") if clause not in clauses]
        if unknown:
            raise PlanError(
                FILE,
                place,
                f"has a source {source!r} that is no clause.",
                'Use clause ids, "document: ..." or "assumed".',
            )
    value = entry["value"]
    return tuple(value) if isinstance(value, list) else value


def _record(kind: type[Record], place: str, values: Mapping[str, Any]) -> Record:
    hints = get_type_hints(kind)
    if set(values) != set(hints):
        wrong = sorted(set(values) ^ set(hints))[0]
        raise PlanError(FILE, f"{place}.{wrong}", "is missing or unknown.", f"Entries here: {', '.join(hints)}.")
    typed: dict[str, Any] = {}
    for key, value in values.items():
        wanted = str(hints[key])
        if hints[key] is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if isinstance(value, list):
            value = tuple(value)
        simple = hints[key] if isinstance(hints[key], type) and hints[key] in (float, int, str, dt.date) else None
        fits = isinstance(value, simple) if simple else isinstance(value, tuple if "tuple" in wanted else Mapping)
        if not fits:
            raise PlanError(FILE, f"{place}.{key}", f"has a value {value!r} of the wrong type.", f"Write {wanted}.")
        typed[key] = value
    return kind(**typed)


def _check(made: Assumptions) -> None:
    slugs = {site.slug for site in made.plan.sites}
    if set(made.people.authority_sizes) != slugs:
        raise PlanError(FILE, "people.authority_sizes", "names other authorities than the plan.", "Make them agree.")
    total = sum(made.people.authority_sizes.values())
    if total != made.plan.design.recruited:
        raise PlanError(
            FILE,
            "people.authority_sizes",
            f"adds up to {total}, not {made.plan.design.recruited}.",
            "Change a size: the plan states how many were recruited.",
        )
    named = {made.coffee.authority, made.absence.half_days_authority, *made.absence.no_spells_authorities}
    if not named <= slugs:
        raise PlanError(FILE, "coffee, absence", f"name {sorted(named - slugs)[0]!r}.", "Use a slug of the plan.")
    for key, item in made.items.items():
        if item.factor not in made.factors:
            raise PlanError(FILE, f"items.{key}", f"has an unknown factor {item.factor!r}.", "Add it to [factors].")
        if not item.loading**2 + item.specific**2 < 1:
            raise PlanError(FILE, f"items.{key}", "leaves no room for error.", "Lower loading or specific.")


def overridden(assumptions: Assumptions, changes: Mapping[str, object]) -> Assumptions:
    """The same assumptions with some values changed, for example {"absence.icc": 0.0}.

    Refuses (PlanError) an entry that does not exist.
    """
    made = assumptions
    for place, value in changes.items():
        section, _, key = place.partition(".")
        section_record: Any = getattr(made, section, None)
        known = dataclasses.is_dataclass(section_record) and section != "plan"
        if not known or key not in get_type_hints(type(section_record)):
            raise PlanError(FILE, place, "does not exist.", "Name an entry as section.entry.")
        part: dict[str, Any] = {section: dataclasses.replace(section_record, **{key: value})}
        made = dataclasses.replace(made, **part)
    return made
