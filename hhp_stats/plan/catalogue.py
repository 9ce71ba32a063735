"""Which studies does the report hold, in which order, of which kind, and what runs each of them?

Every `data/plan/<study>.toml` says it at its head; `data/plan/programme.toml` says what the programme has beside its
studies. Nothing else lists studies: what runs, what is compared, what the summary and the appendices name follows from
here. Reading it takes no pandas, so that a command that finds nothing to do ends at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from hhp_stats.errors import PlanError, UnknownName
from hhp_stats.files.file_parts import as_part
from hhp_stats.files.kept_reading import kept_reading
from hhp_stats.plan.nearest import allowed
from hhp_stats.plan.programme import ProgrammePlan, programme_plan
from hhp_stats.plan.records import read_plan_file, record_of

PLANS = "data/plan"
SUMMARY = "index.qmd"
Kind = Literal["cluster trial", "individual trial", "experiment", "pilot"]
KINDS: tuple[Kind, ...] = get_args(Kind)
NOUNS: Mapping[Kind, str] = {
    "cluster trial": "trial",
    "individual trial": "trial",
    "experiment": "experiment",
    "pilot": "pilot",
}
KEY = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_SHORT = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
# What only the plan of a study has: a design, however TOML writes it, or the head of a plan before the first table.
_DESIGN = re.compile(rb"^[ \t]*\[[ \t]*[\"']?design[\"']?[ \t]*[\].]", re.MULTILINE)
_HEAD = re.compile(rb"^[ \t]*(?:(?:title|chapter)[ \t]*=|[\"']?design[\"']?[ \t]*[=.])", re.MULTILINE)
_TABLE = re.compile(rb"^[ \t]*\[", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    """What the head of a plan says."""

    study: str  # the key: name of the plan's file, first part of every result id
    title: str
    chapter: str  # source of its chapter
    name: str  # in tables and sentences
    short: str  # before the labels of its figures and sections
    order: int  # among the studies, wherever they are listed
    kind: Kind
    phase: str = ""  # an id of the programme's phases; "" for a study that belongs to none
    simulated_without_effect: bool = False  # whether synthetic data of it hold none, since no result is published
    topic: str = ""  # module below `hhp_stats.studies` that runs it, for what this study has alone
    reads: tuple[str, ...] = ()  # sources beside its plan, its raw files and those that every study reads
    pages: tuple[str, ...] = ()  # pages that only this study has, beside its chapter


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyEntry(_Header):
    """One study as its plan introduces it."""

    on_table: bool = False  # whether its data are one plain table
    several: bool = False  # whether it is more than one experiment
    published: Mapping[str, str] = field(default_factory=dict)  # by its keys in the lists of printed figures: names

    @property
    def inside(self) -> str:
        """The name within a sentence: its first letter small, unless it is an abbreviation; of a trial on a plain table
        as its plan has it, which alone knows whether it is a name.
        """
        return (
            self.name
            if self.on_table or any(letter.isupper() for letter in self.name[1:])
            else self.name[:1].lower() + self.name[1:]
        )

    @property
    def noun(self) -> str:
        """The study in a sentence: the letters trial, the hiring experiments, the dictation pilot."""
        return f"{self.inside} {self.sort}"

    @property
    def sort(self) -> str:
        """What sort of study it is, in a sentence: trial, experiment, experiments, pilot."""
        return f"{NOUNS[self.kind]}s" if self.several else NOUNS[self.kind]

    @property
    def trials(self) -> Mapping[str, str]:
        """What the lists of printed figures call it, and the name of each part; the key and its own where it has no
        parts.
        """
        return self.published or {self.study: self.name}


_HEADER = ("name", "short", "phase", "order", "simulated_without_effect", "topic", "reads", "pages")
HEADER = frozenset({*_HEADER, "published", "glance", "consort"})
"""Keys and tables of a plan that are read for the catalogue or the checklist, and by no other reader."""


@kept_reading
@as_part
def catalogue(root: Path) -> tuple[StudyEntry, ...]:
    """Every study below `data/plan`, in the order that the plans give.

    Raises PlanError, naming file, key, what is allowed and the nearest known name, for a plan whose `study` is not the
    name of its file, a missing or wrong key of the header, an unknown kind, phase or topic, and two
    studies with one order, name, short name, chapter or page.
    """
    programme = programme_plan(root)
    reserved = {phase.id for phase in programme.phases} | set(programme.subject_names())
    found = []
    for path in sorted((root / PLANS).glob("*.toml")):
        if not _is_plan(path):
            continue  # commitments, conflicts, assumptions of the synthetic release
        found.append(_entry(root, f"{PLANS}/{path.name}", path.stem, programme, reserved))
    _refuse_shared(found)
    return tuple(sorted(found, key=lambda entry: entry.order))


def _is_plan(path: Path) -> bool:
    """Whether a file is the plan of a study, or was: one that lost its design, its head or all it held is still named
    by its dictionary, and must not vanish without a word.
    """
    content = path.read_bytes()
    head = _TABLE.split(content, maxsplit=1)[0]
    dictionary = path.with_name(f"{path.stem}.dictionary.csv")
    return bool(_DESIGN.search(content) or _HEAD.search(head)) or dictionary.is_file()


def check_head(file: str, raw: Mapping[str, Any]) -> None:
    """Refuses (PlanError) a head of a plan of which the catalogue could not read the types and names of its own."""
    _introduced(file, raw)


def kind_of(file: str, raw: Mapping[str, Any]) -> Kind:
    """The kind of study that a plan is for; refuses (PlanError) one that does not exist, and a plan that names none."""
    design = raw.get("design")
    given = design.get("kind") if isinstance(design, Mapping) else None
    for kind in KINDS:
        if kind == given:
            return kind
    found = f"is {given!r}." if given is not None else "is missing."
    raise PlanError(file, "design.kind", found, allowed(KINDS, given or ""))


def _introduced(file: str, raw: Mapping[str, Any]) -> StudyEntry:
    kind = kind_of(file, raw)
    given = {key: raw[key] for key in ("study", "title", "chapter", *_HEADER) if key in raw}
    header = record_of({**given, "kind": kind}, file=file, place="the header", kind=_Header)
    entry = StudyEntry(
        **{item.name: getattr(header, item.name) for item in fields(_Header)},
        published=_published(raw, file),
        on_table="data" in raw,
        several=len(raw["experiments"]) > 1 if isinstance(raw.get("experiments"), list | dict) else False,
    )
    if not _SHORT.fullmatch(entry.short):
        raise PlanError(
            file, "short", f"is {entry.short!r}.", "Use small letters, digits and hyphens: it begins labels of figures."
        )
    if entry.topic and entry.topic not in topics():
        raise PlanError(file, "topic", f"is {entry.topic!r}.", allowed(topics(), entry.topic))
    return entry


def _entry(root: Path, file: str, stem: str, programme: ProgrammePlan, reserved: set[str]) -> StudyEntry:
    entry = _introduced(file, read_plan_file(root, file))
    if entry.study != stem:
        raise PlanError(file, "study", f"is {entry.study!r}.", f"Write {stem!r}, the name of the file.")
    if not KEY.fullmatch(stem) or stem in reserved:
        raise PlanError(file, "study", f"{stem!r} is no name for a study.", KEY_RULE)
    phases = [phase.id for phase in programme.phases]
    if entry.phase and entry.phase not in phases:
        rest = "Leave it out for a study that belongs to none."
        raise PlanError(file, "phase", f"is {entry.phase!r}.", f"{allowed(phases, entry.phase)} {rest}")
    return entry


def _published(raw: Mapping[str, Any], file: str) -> dict[str, str]:
    """The table [published] of a plan: the parts of a study that printed figures are about, with their names."""
    table = raw.get("published", {})
    if not isinstance(table, Mapping) or not all(isinstance(name, str) and name.strip() for name in table.values()):
        raise PlanError(file, "published", "must be a table of names.", 'Write, for each part, key = "Its name".')
    return dict(table)


KEY_RULE = (
    "Use small letters, digits and underscores, beginning with a letter, and no name of a phase or subject of"
    " data/plan/programme.toml."
)


@lru_cache(maxsize=1)
def topics() -> tuple[str, ...]:
    """The modules below `hhp_stats/studies` that run a study by themselves: those with a function `run`."""
    folder = Path(__file__).resolve().parents[1] / "studies"
    modules = [*folder.glob("*.py"), *folder.glob("*/__init__.py")]
    able = [
        path
        for path in modules
        if re.search(r"^def run\(root: Path, study: str", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    return tuple(sorted(path.parent.name if path.stem == "__init__" else path.stem for path in able))


def _refuse_shared(entries: list[StudyEntry]) -> None:
    """No two studies may share what tells them apart."""
    taken: dict[tuple[str, Any], str] = {}
    for entry in entries:
        own = [(key, getattr(entry, key)) for key in ("order", "name", "short")]
        own += [("page", page) for page in (entry.chapter, *entry.pages)]
        own += [("published", trial) for trial in entry.trials]
        for place in own:
            if place in taken:
                key, value = place
                raise PlanError(
                    f"{PLANS}/{entry.study}.toml",
                    key,
                    f"is {value!r}, as that of {taken[place]}.",
                    f"Give every study its own {key}.",
                )
            taken[place] = entry.study


def study_entry(root: Path, study: str) -> StudyEntry:
    """One study of the catalogue; refuses a key that no plan has (UnknownName, naming those there are)."""
    entries = catalogue(root)
    for entry in entries:
        if entry.study == study:
            return entry
    raise UnknownName(f"no study {study!r} in {PLANS}. {allowed([entry.study for entry in entries], study)}")


def check_study(file: str, place: str, given: str, known: Iterable[str]) -> None:
    """Refuses (PlanError) an entry about something that is not among the studies (or subjects) `known`."""
    names = tuple(known)
    if given not in names:
        raise PlanError(file, place, f"has an unknown study {given!r}.", allowed(names, given))


def study_names(root: Path) -> dict[str, str]:
    """What each study is called in tables, by key, in order."""
    return {entry.study: entry.name for entry in catalogue(root)}


def only_for(topic: str, study: str) -> None:
    """Refuse (PlanError) a plan that names a topic whose module reads the files of another study."""
    if study != topic:
        raise PlanError(
            f"{PLANS}/{study}.toml",
            "topic",
            f"is {topic!r}, whose module reads the files of {topic} alone.",
            "Leave it out, or name the module of this study.",
        )
