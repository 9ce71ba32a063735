"""Where may a raw file lie, and how is it named where others can read it?

A file or column that somebody named after a person must not be repeated. A name is shown only if the project itself
uses it: the studies and authorities of the plan, the waves, the lists that intake reads, the fields of the dictionary.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from hhp_stats.files.kept_reading import kept_reading
from hhp_stats.intake.dictionary import WAVES, load_dictionary
from hhp_stats.intake.hiring_lists import SPECS
from hhp_stats.intake.lists import LINKAGE_FIELDS
from hhp_stats.intake.masking import hidden, words_of
from hhp_stats.intake.survey import CONTACT
from hhp_stats.plan.records import read_plan_file

KINDS = {
    "returns": "returns",
    "surveys": "surveys",
    "allocation": "allocation lists",
    "course_log": "course logs",
    "decisions": "decisions",
    "usage": "usage logs",
    "qualitative": "themes",
    "tables": "tables of trials",
}
OTHER_FIELDS = "other columns"
_SUFFIXES = ("xlsx", "xlsm", "csv", "ods", "sav", "qsf")
_STEM = re.compile(r"_\d+$")
_OTHER_LISTS = ("arm", "in_post_at_endline", "release", "draw", "accepted", "seed", "theme", "voices", "leaning")
_PLATFORM = (
    "StartDate",
    "EndDate",
    "Status",
    "Progress",
    "Duration (in seconds)",
    "Finished",
    "RecordedDate",
    "ResponseId",
    "ExternalReference",
    "DistributionChannel",
    "UserLanguage",
    "Release",
    *CONTACT,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPlace:
    """Names of a raw file: on this machine, and where others read it (without the authority)."""

    kind: str  # a value of KINDS
    here: str
    public: str


def raw_kind(file: str) -> str:
    """The kind of raw file that a path from the project root belongs to; "" where it is none."""
    parts = file.split("/")
    return KINDS.get(parts[1], "") if len(parts) > 2 and parts[0] == "data" else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawNames:
    """What the project itself calls its studies, authorities and columns."""

    folders: Mapping[str, frozenset[str]]  # of authorities, by study
    headings: frozenset[str]
    lists: frozenset[str]  # paths

    def place(self, file: str) -> RawPlace:
        """How a raw file is called; only its kind where its own name is not one that the project gives."""
        kind, parts = raw_kind(file), file.split("/")
        stem, _, suffix = parts[-1].rpartition(".")
        known, public = suffix in _SUFFIXES, file
        if parts[1] == "returns":
            known = known and len(parts) == 5 and stem in WAVES and parts[3] in self.folders.get(parts[2], ())
            public = f"{kind} of {parts[2]}, {stem}"
        elif parts[1] == "surveys":
            known = known and len(parts) == 4 and parts[2] in self.folders and stem in (*WAVES, "linkage")
        else:
            own = stem in self.folders or stem.removesuffix("_log") in self.folders or file in self.lists
            known = known and len(parts) == 3 and own
        other = f"{kind}: a file of another name"
        return RawPlace(kind=kind, here=file if known else other, public=public if known else other)

    def masked(self, file: str) -> str:
        """The path of a file for a message to who holds the data: parts that may be somebody's name are not
        repeated.
        """
        if not raw_kind(file) and (file.count("/") < 2 or file.startswith(("data/plan/", "data/published/"))):
            return file
        if raw_kind(file) and self.place(file).here == file:
            return file
        known = words_of(
            *WAVES,
            *KINDS,
            *self.folders,
            *(slug for slugs in self.folders.values() for slug in slugs),
            "data",
            "linkage",
            "log",
            "old",
            "new",
            "copy",
            "final",
            "version",
            "v",
        )
        *folders, last = file.split("/")
        stem, dot, suffix = last.rpartition(".")
        ending = f".{suffix}" if dot and re.fullmatch(r"[A-Za-z0-9]{1,5}", suffix) else ""
        parts = [*folders, (stem if ending else last)]
        return (
            "/".join(part if not hidden(part, vocabulary=known) else "(a name not repeated here)" for part in parts)
            + ending
        )

    def field(self, heading: str) -> str:
        """The heading of a column where the dictionary, a plan or a list of the project has it, else `OTHER_FIELDS`."""
        return heading if heading in self.headings or _STEM.sub("", heading) in self.headings else OTHER_FIELDS


@kept_reading
def raw_names(root: Path) -> RawNames:
    """Read the names from the plans and the dictionary."""
    files = [f"data/plan/{path.name}" for path in sorted((root / "data/plan").glob("*.toml"))]
    plans = [_names_in(read_plan_file(root, file)) for file in files]
    folders: dict[str, frozenset[str]] = {}
    for plan in plans:
        if plan.study is not None:
            folders[plan.study] = folders.get(plan.study, frozenset()) | plan.slugs
    lists = {field.name for spec in SPECS for field in spec.fields}
    words = frozenset[str]().union(*(plan.words for plan in plans))
    named = {field.name for field in load_dictionary(root)}
    headings = frozenset({*_PLATFORM, *LINKAGE_FIELDS, *_OTHER_LISTS, *named, *lists, *words})
    files_listed = frozenset(spec.file for spec in SPECS).union(*(plan.lists for plan in plans))
    return RawNames(folders=folders, headings=headings, lists=files_listed)


class _OfPlan(NamedTuple):
    """What one file of plans names."""

    study: str | None  # that it is the plan of
    slugs: frozenset[str]  # of its sites
    lists: frozenset[str]  # paths of the lists of a pilot
    words: frozenset[str]


def _names_in(tables: Mapping[str, Any]) -> _OfPlan:
    study, sites, lists = tables.get("study"), tables.get("sites", []), tables.get("lists", [])
    return _OfPlan(
        study=study if isinstance(study, str) else None,
        slugs=frozenset(str(each["slug"]) for each in sites if isinstance(each, dict) and "slug" in each)
        if isinstance(study, str)
        else frozenset(),
        lists=frozenset(str(each["file"]) for each in lists if isinstance(each, dict) and "file" in each),
        words=frozenset(_identifiers(tables)),
    )


def _identifiers(value: Any) -> Iterator[str]:
    """Keys and values of a plan that look like names of columns: small letters, digits, underscores."""
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _identifiers(each)
    elif isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", value):
        yield value
