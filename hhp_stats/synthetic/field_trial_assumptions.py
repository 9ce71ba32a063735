"""What the synthetic files of a field trial assume: `data/plan/synthetic_<study>.toml` as one typed record.

Every entry of that file holds `value`, `source` (a clause, a place in the documents, or "assumed") and `note`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from hhp_stats.errors import PlanError
from hhp_stats.plan.citations import known_clauses
from hhp_stats.plan.records import read_plan_file


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldTrialAssumptions:
    """All assumptions of one field trial; mappings are by block, outcome or scale."""

    seed: int
    block_sizes: Mapping[str, int]  # people randomised
    block_treated: Mapping[str, int]  # of these, to the treatment arm
    block_response: Mapping[str, float]  # relative chance of answering
    block_responders: Mapping[str, Any]  # exact responders by block and arm, empty where only the totals are known
    left_share: float  # of those randomised, gone by the endline
    military_share: float  # of staff, 0 where the trial has no such groups
    printed: Mapping[str, str]  # outcome -> prefix of its printed figures
    baseline_responses: int
    both_surveys: float  # share of endline respondents who answered at baseline
    responses_by_week: tuple[int, ...]  # endline, from the day of opening
    fading: tuple[float, ...]  # planted effect by week, in standard deviations towards the better side
    common: float  # loading of every outcome on one general factor
    stability: float  # correlation of what is left between the two surveys
    item_noise: float  # standard deviation of an item around its scale, in steps of the answer
    part_spread: float  # standard deviation of the difference of two parts of a composite, 0 for the rule of the code
    scale_means: Mapping[str, float]  # at baseline
    scale_sds: Mapping[str, float]
    count_scales: tuple[str, ...]  # scales of one question for a number of days
    item_missing: float  # share of baseline answers left blank
    declined: tuple[int, int]  # by survey, like the next four
    abandoned: tuple[int, int]
    duplicates: tuple[int, int]
    unmatched: tuple[int, int]
    previews: tuple[int, int]
    recall: Mapping[str, int]  # answers of the treated to the recall question, empty where it is not asked


def load_field_trial_assumptions(root: Path, study: str) -> FieldTrialAssumptions:
    """Read and check `data/plan/synthetic_<study>.toml`.

    Raises PlanError for an unknown or missing entry, one that does not say where its value comes from, a
    clause that does not exist, or a value of another kind than its field.
    """
    file = f"data/plan/synthetic_{study}.toml"
    raw = read_plan_file(root, file)
    hints, clauses = get_type_hints(FieldTrialAssumptions), known_clauses(root)
    values: dict[str, Any] = {}
    for section, entries in raw.items():
        for name, entry in entries.items():
            place = f"{section}.{name}"
            if name not in hints:
                raise PlanError(
                    file, place, "is no assumption of a field trial.", f"Known: {', '.join(sorted(hints))}."
                )
            if not isinstance(entry, Mapping) or set(entry) != {"value", "source", "note"} or not entry["source"]:
                raise PlanError(file, place, "must hold value, source and note.", "Say where the value comes from.")
            source = str(entry["source"])
            if source not in clauses and source != "assumed" and not source.startswith("document: "):
                raise PlanError(file, place, f"has the source {source!r}.", "Use a clause, document: ... or assumed.")
            values[name] = _as(file, place, hints[name], entry["value"])
    for field in dataclasses.fields(FieldTrialAssumptions):
        if field.name not in values:
            raise PlanError(file, field.name, "is missing.", "Add it.")
    return FieldTrialAssumptions(**values)


def _as(file: str, place: str, hint: Any, value: Any) -> Any:
    plain = getattr(hint, "__origin__", hint)
    if plain is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if plain is tuple and isinstance(value, list):
        return tuple(value)
    kind = Mapping if plain not in (int, float, tuple) else plain
    if not isinstance(value, kind) or isinstance(value, bool):
        raise PlanError(file, place, f"has {value!r}.", "Write a value of the kind that the other studies have.")
    return value
