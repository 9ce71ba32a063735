"""What the synthetic files of a smaller study assume: `data/plan/synthetic_<study>.toml`, checked and looked up by
name.

Every entry of that file holds `value`, `source` (a clause, a place in the documents, or "assumed") and `note`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hhp_stats.errors import PlanError
from hhp_stats.plan.citations import known_clauses
from hhp_stats.plan.records import read_plan_file


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyAssumptions:
    """Values by section and name. A name that stands in several sections needs its section."""

    file: str
    values: Mapping[str, Mapping[str, Any]]

    def value(self, name: str, *, section: str = "") -> Any:
        """The value of one assumption; refuses names that are not there or not unique (PlanError)."""
        found = [entries[name] for key, entries in self.values.items() if name in entries and section in ("", key)]
        if len(found) != 1:
            raise PlanError(self.file, name, f"stands {len(found)} times.", "Write the assumption once.")
        return found[0]

    def number(self, name: str, *, section: str = "") -> float:
        """The same as a number."""
        value = self.value(name, section=section)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise PlanError(self.file, name, f"has {value!r}.", "Write a number.")
        return float(value)

    def whole(self, name: str, *, section: str = "") -> int:
        """The same as a whole number."""
        value = self.value(name, section=section)
        if isinstance(value, bool) or not isinstance(value, int):
            raise PlanError(self.file, name, f"has {value!r}.", "Write a whole number.")
        return value


def load_study_assumptions(root: Path, study: str) -> StudyAssumptions:
    """Read and check `data/plan/synthetic_<study>.toml`.

    Raises PlanError for an entry that is not a table of value, source and note, or whose source is neither a
    clause, nor "document: ...", nor "assumed".
    """
    file = f"data/plan/synthetic_{study}.toml"
    clauses = known_clauses(root)
    values: dict[str, dict[str, Any]] = {}
    for section, entries in read_plan_file(root, file).items():
        if not isinstance(entries, Mapping):
            raise PlanError(file, section, "stands outside a section.", "Put it under [section].")
        for name, entry in entries.items():
            place = f"{section}.{name}"
            if not isinstance(entry, Mapping) or set(entry) != {"value", "source", "note"} or not entry["source"]:
                raise PlanError(file, place, "must hold value, source and note.", "Say where the value comes from.")
            source = str(entry["source"])
            if source not in clauses and source != "assumed" and not source.startswith("document: "):
                raise PlanError(file, place, f"has the source {source!r}.", "Use a clause, document: ... or assumed.")
            values.setdefault(section, {})[name] = entry["value"]
    return StudyAssumptions(file=file, values=values)
