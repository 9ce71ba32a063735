"""The book as an accessible PDF (PDF/A-2a and PDF/UA-1), set by Typst."""

from __future__ import annotations

import importlib.metadata
import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from hhp_stats.errors import RenderError
from hhp_stats.files.scratch import scratch_folder
from hhp_stats.processes import children
from hhp_stats.processes.at_work import located
from hhp_stats.publish.cite import long_date, version_words
from hhp_stats.publish.digests import digest_files
from hhp_stats.publish.glyphs import missing, to_replace, with_stand_ins
from hhp_stats.publish.kept_text import KeptTexts
from hhp_stats.publish.pandoc import ASSETS, words_of
from hhp_stats.publish.pictures import for_print
from hhp_stats.publish.project import Project
from hhp_stats.publish.source import Source
from hhp_stats.publish.typst_press import FAULTY
from hhp_stats.publish.volumes import Volume

STANDARDS = ("a-2a", "ua-1")
PRESS = Path(__file__).with_name("typst_press.py")
_LONGEST_DIAGNOSTIC = 160


def write_pdf(
    project: Project,
    sources: Sequence[Source],
    *,
    volume: Volume,
    body: str,
    figures: Mapping[str, bytes],
    kept: KeptTexts,
    target: Path,
) -> str:
    """Set a volume's body with the report's template, or take what was kept of the same document.

    Returns the characters that are printed as their code points.

    Those are characters of the data that no font of the report has, such as an emoji in the reason of a correction.
    Raises RenderError where a chapter's own words hold such a character, naming the line, and with Typst's own report
    where the document breaks another rule of the standards.
    """
    # The project's own rules come first, as in Quarto: what the template says afterwards holds.
    headers = [project.root / name for name in project.typst_header]
    template = "\n".join(rules.read_text(encoding="utf-8") for rules in [*headers, ASSETS / "report.typ"])
    settings = _settings(project, volume, _notices(project, sources), pages_of_lists=expected_pages_of_lists(body))
    # The names of pictures tell their contents; the fonts are the package's own.
    made_of = [
        importlib.metadata.version("typst"),
        _fonts(),
        *STANDARDS,
        str(_seconds(project)),
        settings,
        template,
        body,
    ]

    def make() -> bytes:
        unprinted, document = _set(project, sources, settings, template, body, figures, file=volume.file)
        return unprinted.encode() + b"\n" + document

    unprinted, _, document = kept.data(made_of, make).partition(b"\n")
    with located(target):
        target.write_bytes(document)
    return unprinted.decode()


@cache
def _fonts() -> str:
    """A checksum of the report's fonts."""
    return digest_files(ASSETS, [ASSETS / "fonts"])


def _set(
    project: Project,
    sources: Sequence[Source],
    settings: str,
    template: str,
    body: str,
    figures: Mapping[str, bytes],
    *,
    file: str,
) -> tuple[str, bytes]:
    """Characters printed as their code points, and the document as Typst sets it."""
    unprinted = ""
    with scratch_folder() as folder, located(Path(folder)):
        for name, content in for_print(figures).items():
            picture = Path(folder) / name
            picture.parent.mkdir(parents=True, exist_ok=True)
            picture.write_bytes(content)
        source = Path(folder) / "report.typ"
        given = json.dumps(
            {
                "input": str(source),
                "root": folder,
                "font_paths": [str(ASSETS / "fonts")],
                "ignore_system_fonts": True,
                "pdf_standards": STANDARDS,
                "timestamp": _seconds(project),
            }
        )
        while True:
            source.write_text(f"{settings}\n{template}\n{body}\n", encoding="utf-8")
            done = children.run(
                [sys.executable, "-I", str(PRESS)], folder=Path(folder), given=given.encode(), tied=True
            )
            if done.returncode == 0:
                return unprinted, done.stdout
            if done.returncode != FAULTY:
                said = done.stderr.decode(errors="replace").strip()[-_LONGEST_DIAGNOSTIC:]
                raise RenderError(file, None, f"Typst ended with status {done.returncode}: {said}")
            report = done.stdout.decode()
            texts = to_replace(missing(report), ASSETS / "fonts")
            named = with_stand_ins(settings, texts), with_stand_ins(body, texts)
            # Each round takes characters out of the document that no font has, so there is a last one.
            if not texts or named == (settings, body):
                raise _explained(report, file)
            for text in texts:
                _refuse_in_chapters(text, sources)
            settings, body = named
            unprinted = "".join(dict.fromkeys(unprinted + "".join(texts)))


def _refuse_in_chapters(text: str, sources: Sequence[Source]) -> None:
    """A chapter's own words are mended where they stand; data are not ours to mend."""
    place = next((line for source in sources for line in source.lines if text in line.text), None)
    if place is not None:
        code = " ".join(f"U+{ord(character):04X}" for character in text)
        raise RenderError(place.file, place.number, f"no font of the report has '{text}' ({code})")


def _explained(report: str, file: str) -> RenderError:
    """Typst's report, in short."""
    short = "\n".join(line[:_LONGEST_DIAGNOSTIC] for line in report.splitlines())
    return RenderError(file, None, f"Typst: {short}")


def _seconds(project: Project) -> int:
    return (project.date - type(project.date)(1970, 1, 1)).days * 86400


_ENTRY = re.compile(r"^#heading\(level: (?P<level>[12]),.*?\)\[(?P<text>.*?)\](?:#label|$)", re.MULTILINE)
_FEW = 0.15  # of a page, as in report.typ
_PAGE, _TITLE = 689, 80  # points: the height of a page, and of the title of a list
# For entries of each level: their size of type, the space above, both in points, and the letters in a line.
_LINES = {"1": (10.5, 11.5, 31), "2": (9.5, 5.9, 30)}


def expected_pages_of_lists(body: str) -> int:
    """About how many pages will the contents take?

    Typst sets a document several times, until all page numbers are right, and the first time it does not know of any
    heading. With pages left free for the contents the chapters stand where they will stand, and need not be set once
    more. A wrong guess costs a moment, nothing else.
    """
    height = 0.0
    for found in _ENTRY.finditer(body):
        size, above, letters = _LINES[found["level"]]
        lines = -(-len(re.sub(r"#[a-z]+\([^)]*\)|\\", "", found["text"])) // letters) or 1
        height += above + size * (0.66 + 1.16 * (lines - 1))
    # Two columns: of the last page the first is filled before the second. A few lines too many are squeezed in.
    return 1 + max(0, math.ceil((height - 2 * (_PAGE - _TITLE)) / (2 * _PAGE) - _FEW))


_HEADING = re.compile(r"^# .*\{[^}]*#(?P<id>[\w-]+)")


def _notices(project: Project, sources: Sequence[Source]) -> Mapping[str, str]:
    """The notice at the foot of the pages of a chapter, by the label of its heading, where it is not the book's."""
    found = {}
    for source in sources:
        heading = next((mark for line in source.lines if (mark := _HEADING.match(line.text))), None)
        if heading and project.banner_of(source.chapter) != project.banner:
            found[heading["id"]] = project.banner_of(source.chapter)
    return found


def _settings(project: Project, volume: Volume, notices: Mapping[str, str], *, pages_of_lists: int) -> str:
    """What the template needs to know, as plain strings: text in a title is never code."""

    def text(value: str) -> str:
        return json.dumps(value, ensure_ascii=False)

    language, _, region = project.lang.partition("-")
    authors = "".join(f"{text(author)}, " for author in project.authors)
    known = words_of(project)
    words = ", ".join(f"{key}: {text(value)}" for key, value in known.items())
    which = {0: "", 1: known["volume_of_chapters"], 2: known["volume_of_appendices"]}[volume.number]
    return "\n".join(
        [
            "#let book = (",
            f"  title: {text(project.title)},",
            f"  subtitle: {text(project.subtitle)},",
            f"  volume: {text(which)},",
            f"  description: {text(project.description)},",
            f"  authors: ({authors}),",
            f"  date: datetime(year: {project.date.year}, month: {project.date.month}, day: {project.date.day}),",
            f"  shown-date: {text(', '.join([*version_words(project, known), long_date(project)]))},",
            f"  language: {text(language)},",
            f"  region: {text(region) if region else 'none'},",
            f"  banner: {text(project.banner)},",
            f"  banners: ({''.join(f'{text(key)}: {text(words)}, ' for key, words in notices.items()) or ':'}),",
            f"  contents-depth: {project.toc_depth['typst']},",
            f"  words: ({words}),",
            f"  pages-of-lists: {pages_of_lists},",
            ")",
        ]
    )
