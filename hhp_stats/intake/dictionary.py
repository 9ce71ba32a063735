"""Which fields may a file hold? The field list and the sites of a study, read from `data/`."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from hhp_stats.errors import DataError, PlanError, Problem
from hhp_stats.plan.records import read_plan_file

Wave = Literal["baseline", "interim", "endline"]
WAVES: tuple[Wave, ...] = ("baseline", "interim", "endline")
FOLLOW_UPS: tuple[Wave, ...] = ("interim", "endline")

DICTIONARY = "data/dictionary.csv"
_COLUMNS = (
    "file",
    "wave",
    "field",
    "column_label",
    "kind",
    "unit",
    "period",
    "minimum",
    "maximum",
    "allowed",
    "required",
    "in_template",
    "clause",
    "meaning",
)
_KINDS = frozenset(
    {"header", "header date", "identifier", "category", "number", "integer", "yes/no", "date", "text", "free text"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One line of the dictionary: what a column holds and which values it may take."""

    file: str
    waves: tuple[str, ...]
    name: str
    label: str
    kind: str
    unit: str
    period: str
    minimum: float | None
    maximum: float | None
    allowed: tuple[str, ...]
    required: bool
    in_template: bool
    clause: str
    meaning: str

    @property
    def no_yes(self) -> tuple[str, str]:
        """Of yes/no what the file writes for no and for yes: the allowed values, that for yes first."""
        yes, no = self.allowed or ("yes", "no")
        return no, yes

    @property
    def is_scale_item(self) -> bool:
        """Whether the field is an item of a wellbeing, efficacy or pressure scale."""
        return self.file == "survey" and self.unit == "points"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One authority of the trial with its launch and the days its returns are due."""

    local_authority: str
    slug: str
    launch: date
    interim_due: date
    endline_due: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What intake needs to know of a study: its sites, its arms and what falls on which day."""

    name: str
    sites: tuple[Site, ...]
    terms: tuple[
        str, ...
    ] = ()  # columns of the equation: what one trial alone has, its lists hold where they are named

    def site(self, local_authority: str) -> Site | None:
        """The site of this name, if it takes part."""
        return next((site for site in self.sites if site.local_authority == local_authority), None)

    def by_slug(self, slug: str) -> Site | None:
        """The site whose folder has this name."""
        return next((site for site in self.sites if site.slug == slug), None)

    @property
    def authorities(self) -> tuple[str, ...]:
        """The names of all sites."""
        return tuple(site.local_authority for site in self.sites)


def _number(text: str) -> float | None:
    return float(text) if text else None


def _field(line: dict[str, str]) -> Field:
    waves = tuple(filter(None, line["wave"].split("|")))
    everywhere = waves in ((), ("all",))
    listed = tuple(part.strip() for part in line["allowed"].split("|")) if "|" in line["allowed"] else ()
    if line["kind"] not in _KINDS:
        raise ValueError(f"kind {line['kind']!r} is not known")
    return Field(
        file=line["file"],
        waves=WAVES if everywhere else waves,
        name=line["field"],
        label=line["column_label"],
        kind=line["kind"],
        unit=line["unit"],
        period=line["period"],
        minimum=_number(line["minimum"]),
        maximum=_number(line["maximum"]),
        allowed=listed,
        required=line["required"] == "yes",
        in_template=line["in_template"] == "yes",
        clause=line["clause"],
        meaning=line["meaning"],
    )


def load_dictionary(root: Path) -> tuple[Field, ...]:
    """Which fields exist? Reads `data/dictionary.csv`; refuses a damaged list (`DataError`)."""
    path = root / DICTIONARY
    rule = "The field list must have its columns, known kinds and numeric limits."
    remedy = "Restore data/dictionary.csv from the repository."
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            if tuple(reader.fieldnames or ()) != _COLUMNS:
                raise ValueError("its columns differ")
            return tuple(_field(line) for line in reader)
    except (OSError, UnicodeDecodeError, csv.Error, ValueError, KeyError, TypeError) as error:
        problem = Problem(
            code="D01", severity="error", file=DICTIONARY, rule=rule, remedy=remedy, value=type(error).__name__
        )
        raise DataError([problem]) from None


def fields_of(fields: tuple[Field, ...], file: str, wave: str | None = None) -> tuple[Field, ...]:
    """The fields of one kind of file, in the order of the dictionary, for one wave if given."""
    return tuple(field for field in fields if field.file == file and (wave is None or wave in field.waves))


def load_study(root: Path, study: str) -> Study:
    """Which sites take part, and when are their returns due? Reads `data/plan/<study>.toml`."""
    file = f"data/plan/{study}.toml"
    if not (root / file).is_file():
        raise PlanError(file, "whole file", "No plan of this name exists.", "Check the name of the study.")
    try:
        plan = read_plan_file(root, file)
        if "sites" not in plan:  # as of every study that reads surveys alone: nothing in the plan is wrong
            raise PlanError(
                file,
                "sites",
                "The study has no return workbooks: its plan lists no sites that return any.",
                "Name a study whose plan has sites.",
            )
        follow_up = plan["design"]["follow_up"]
        interim = timedelta(weeks=int(follow_up["interim_weeks"]))
        endline = timedelta(weeks=int(follow_up["endline_weeks"]))
        sites = tuple(
            Site(
                local_authority=str(site["local_authority"]),
                slug=str(site["slug"]),
                launch=_day(site["launch"]),
                interim_due=_day(site["launch"]) + interim,
                endline_due=_day(site["launch"]) + endline,
            )
            for site in plan["sites"]
        )
    except (KeyError, ValueError, TypeError) as error:
        raise PlanError(
            file, "sites, design.follow_up", f"The plan cannot be read ({error}).", "Correct the entry."
        ) from None
    names = [site.local_authority for site in sites] + [site.slug for site in sites]
    if not sites or len(set(names)) != 2 * len(sites):
        raise PlanError(file, "sites", "Every site needs a name and a slug of its own.", "Correct the list of sites.")
    terms = tuple(str(term["column"]) for term in plan.get("terms", ()) if "column" in term)
    return Study(name=study, sites=sites, terms=terms)


def study_with_returns(root: Path) -> str:
    """The study whose returns are meant where none is named: the first whose plan lists sites. Raises PlanError
    without one.
    """
    found = studies_with_returns(root)
    if not found:
        raise PlanError("data/plan", "sites", "are listed by no plan.", "Name a study: `--study KEY`.")
    return found[0]


def studies_with_returns(root: Path) -> list[str]:
    """The studies whose plans list sites that make returns."""
    return [
        path.stem
        for path in sorted((root / "data/plan").glob("*.toml"))
        if _plans_sites(path) and returns_planned(root, path.stem)
    ]


def _plans_sites(path: Path) -> bool:
    """Whether a plan has a list of sites, valid or not: a look at its lines, before anything is parsed."""
    return b"\n[[sites]]" in path.read_bytes()


def returns_planned(root: Path, study: str) -> bool:
    """Whether the plan of a study lists sites that make returns; a plan that cannot be read is judged by
    `load_study`.
    """
    try:
        return "sites" in read_plan_file(root, f"data/plan/{study}.toml")
    except PlanError:
        return True


def _day(value: object) -> date:
    if type(value) is not date:
        raise TypeError(f"{value!r} is not a date")
    return value
