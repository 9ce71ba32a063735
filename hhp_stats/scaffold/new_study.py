"""A new study enters the project: its table, a plan, a dictionary and a chapter, and its places in `_quarto.yml` and
the manifest.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hhp_stats.errors import HhpError
from hhp_stats.files.changed_together import change_together
from hhp_stats.intake.accepted_copies import keep_copies
from hhp_stats.intake.dictionary import load_dictionary
from hhp_stats.intake.raw_files import MANIFEST
from hhp_stats.intake.spellings import load_spellings
from hhp_stats.plan.book_sections import book_sections
from hhp_stats.plan.book_studies import BOOK
from hhp_stats.plan.catalogue import KEY, KEY_RULE, KINDS, PLANS, StudyEntry, catalogue
from hhp_stats.plan.nearest import allowed
from hhp_stats.plan.pilot_plan import KIND as PILOT
from hhp_stats.plan.programme import programme_plan
from hhp_stats.scaffold.columns import ENDINGS, SYNTHETIC, TableGuess, guess_table
from hhp_stats.scaffold.parts import Head
from hhp_stats.scaffold.written import chapter_text, dictionary_text, plan_text
from hhp_stats.scaffold.written_pilot import pilot_chapter_text, pilot_plan_text

TABLES = "data/tables"


class NewStudyRefused(HhpError):
    """A study cannot be entered as asked; nothing was written."""

    exit_status = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStudy:
    """What entering a study writes: new files, and the new content of two that exist."""

    study: str
    guess: TableGuess
    files: Mapping[str, bytes]
    edited: Mapping[str, bytes]


def new_study(
    root: Path, study: str, *, kind: str, data: Path, title: str = "", arm: str = "", phase: str = ""
) -> NewStudy:
    """What would be written for a new study, of a phase of the programme or of none? Reads only.

    Refuses (NewStudyRefused) a key that exists or is no name for a study, an unknown kind or phase, an arm of a
    pilot, a file that does not exist, and files in the way; (TableRefused) a table that cannot
    be read or has no arms.
    """
    entries = catalogue(root)
    if not KEY.fullmatch(study):
        raise NewStudyRefused(f"{study!r} is no name for a study. {KEY_RULE}")
    subjects = {each.id for each in programme_plan(root).phases} | set(programme_plan(root).subject_names())
    if study in subjects:
        raise NewStudyRefused(f"{study!r} is a phase or subject of the programme. {KEY_RULE}")
    if any(entry.study == study for entry in entries):
        raise NewStudyRefused(f"there is a study {study!r} already: data/plan/{study}.toml.")
    if clash := next(
        (
            entry.study
            for entry in entries
            if study.startswith(f"{entry.study}_") or entry.study.startswith(f"{study}_")
        ),
        "",
    ):
        raise NewStudyRefused(
            f"{study!r} begins as {clash!r}, or the other way round: raw files of the two could not be told apart."
        )
    if kind not in KINDS:
        raise NewStudyRefused(f"there is no kind {kind!r}. {allowed(KINDS, kind)}")
    phases = tuple(each.id for each in programme_plan(root).phases)
    if phase and phase not in phases:
        raise NewStudyRefused(f"there is no phase {phase!r}. {allowed(phases, phase)}")
    if kind == PILOT and arm:
        raise NewStudyRefused('a pilot compares no arms: leave --arm out, or use --kind "individual trial".')
    if not data.is_file():
        raise NewStudyRefused(
            f"{data} does not exist: give the table of the trial ({', '.join(ENDINGS)}), one row a person."
        )
    slug, sections = study.replace("_", "-"), book_sections(root)
    if f"sec-{slug}" in sections:
        raise NewStudyRefused(
            f"{sections[f'sec-{slug}'].file} has a section with the label sec-{slug} already: choose another key."
        )
    blank = load_spellings(root, load_dictionary(root)).of("blank")
    guess = guess_table(data, clustered=kind == "cluster trial", arms=kind != PILOT, arm=arm, blank=blank)
    if kind == "cluster trial" and not guess.cluster:
        raise NewStudyRefused(
            f"{data.name} has no column of groups that lie wholly in one arm, as a cluster trial has: use --kind"
            ' "individual trial", or add it.'
        )
    head = _head(root, study, entries, kind=kind, title=title, phase=phase, ending=data.suffix.casefold())
    _refuse_name(head.name, entries)
    table = data.read_bytes()
    files = {
        f"{PLANS}/{study}.toml": (pilot_plan_text if kind == PILOT else plan_text)(head, guess).encode(),
        head.dictionary: dictionary_text(guess).encode(),
        head.chapter: (pilot_chapter_text if kind == PILOT else chapter_text)(head, guess).encode(),
        head.file: table,
    }
    for file in files:
        if (root / file).exists():
            raise NewStudyRefused(f"{file} exists already: move it away, or choose another key.")
    book, manifest = (root / BOOK).read_bytes().decode(), (root / MANIFEST).read_bytes().decode()
    edited = {
        BOOK: _with_chapter(book, head.chapter, after=[entry.chapter for entry in entries]).encode(),
        MANIFEST: (
            _with_file(
                manifest, head.file, hashlib.sha256(table).hexdigest(), study, synthetic=guess.synthetic
            ).encode()
        ),
    }
    return NewStudy(study=study, guess=guess, files=files, edited=edited)


def _refuse_name(name: str, entries: Sequence[StudyEntry]) -> None:
    """Refuses a name, the title up to its colon, that is none or that of another study."""
    if not re.search(r"\w", name):
        raise NewStudyRefused("the title has no words before its colon: these are the name of the study.")
    for entry in entries:
        if entry.name.casefold() == name.casefold():
            raise NewStudyRefused(
                f"{entry.study} is called {entry.name!r} already: give another --title; what stands before its colon is"
                " the name."
            )


def enter(root: Path, new: NewStudy) -> None:
    """Write new files and the two shared ones, all or none, and keep a copy of the table, which a later one is held
    against. Raises as `change_together` does.
    """
    change_together(root, new=new.files, edited=new.edited, command="hhp new")
    keep_copies(root)


def _head(
    root: Path, study: str, entries: Sequence[StudyEntry], *, kind: str, title: str, phase: str, ending: str
) -> Head:
    numbers = [int(found[1]) for path in (root / "report").glob("*.qmd") if (found := re.match(r"(\d+)-", path.name))]
    slug = study.replace("_", "-")
    words = study.replace("_", " ")
    name = title.split(":")[0].strip() if title else words[:1].upper() + words[1:]
    nouns = {
        "cluster trial": "cluster randomised trial",
        "individual trial": "individually randomised trial",
        "experiment": "experiment",
        PILOT: "pilot",
    }
    return Head(
        study=study,
        title=title or f"{name}: {nouns[kind]}",
        name=name,
        short=_short(
            study, [*(entry.short for entry in entries), *(section.split("-")[1] for section in book_sections(root))]
        ),
        phase=phase,
        phases=tuple(each.id for each in programme_plan(root).phases),
        order=max(entry.order for entry in entries) + 1,
        kind=kind,  # type: ignore[arg-type]
        chapter=f"report/{max(numbers, default=0) + 1:02d}-{slug}.qmd",
        file=f"{TABLES}/{study}{ending}",
        dictionary=f"{PLANS}/{study}.dictionary.csv",
    )


def _short(study: str, taken: Sequence[str]) -> str:
    """The fewest letters of the key, three or more, that no other study uses."""
    letters = study.replace("_", "")
    for size in range(3, len(letters) + 1):
        if not any(own.startswith(letters[:size]) or letters[:size].startswith(own) for own in taken):
            return letters[:size]
    return study.replace("_", "-")


def _with_chapter(book: str, chapter: str, *, after: Sequence[str]) -> str:
    """The list of chapters with one more behind the last study; everything else, comments too, as it is."""
    lines = book.splitlines(keepends=True)
    places = [
        at
        for at, line in enumerate(lines)
        for page in after
        if re.match(rf"\s*-\s+[\"']?{re.escape(page)}[\"']?\s*(#|$)", line)
    ]
    if not places:
        raise NewStudyRefused(f"{BOOK} lists no chapter of a study: enter {chapter} by hand.")
    last = lines[max(places)]
    indent, end = last[: len(last) - len(last.lstrip())], re.search(r"\r?\n?\Z", last)[0]  # type: ignore[index]
    lines.insert(max(places) + 1, f"{indent}- {chapter}{end or chr(10)}")
    return "".join(lines)


def _with_file(manifest: str, file: str, digest: str, study: str, *, synthetic: bool) -> str:
    """The manifest with the table among its files, and the study's own status where it is not that of the others."""
    lines = manifest.splitlines(keepends=True)
    start = next((at for at, line in enumerate(lines) if line.strip() == "[files]"), None)
    if start is None:
        raise NewStudyRefused(f"{MANIFEST} has no table [files]: restore it, or run `hhp accept`.")
    at = start + 1
    while at < len(lines) and (found := re.match(r'"([^"]+)"\s*=', lines[at])) and found[1] < file:
        at += 1
    lines.insert(at, f'"{file}" = "{digest}"\n')
    whole = re.search(r'^status\s*=\s*"(\w+)"', manifest, re.MULTILINE)
    own = SYNTHETIC if synthetic else "real"
    if whole and whole[1] != own:
        table = next((place for place, line in enumerate(lines) if line.strip() == "[status_of]"), None)
        entry = f'{study} = "{own}"\n'
        lines[start if table is None else table + 1 : start if table is None else table + 1] = (
            ["[status_of]\n", entry, "\n"] if table is None else [entry]
        )
    return "".join(lines)
