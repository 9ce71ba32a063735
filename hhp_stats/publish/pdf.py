"""The book as an accessible PDF (PDF/A-2a and PDF/UA-1), set by Typst."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import typst

from hhp_stats.errors import RenderError
from hhp_stats.publish.pandoc import ASSETS, words_of
from hhp_stats.publish.project import Project
from hhp_stats.publish.source import Source

STANDARDS: list[Literal["a-2a", "ua-1"]] = ["a-2a", "ua-1"]
_LONGEST_DIAGNOSTIC = 160
_NO_GLYPH = re.compile(r'the text `"(.+?)"` could not be displayed')


def write_pdf(
    project: Project, sources: Sequence[Source], *, body: str, figures: Mapping[str, bytes], target: Path
) -> None:
    """Set the document's body with the report's template.

    Raises RenderError with Typst's own report where the document breaks a rule of the standards, for
    example a character that no font of the report has.
    """
    with tempfile.TemporaryDirectory(prefix="hhp") as folder:
        for name, content in figures.items():
            if not name.endswith("-dark.svg"):
                file = Path(folder) / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
        source = Path(folder) / "report.typ"
        template = (ASSETS / "report.typ").read_text(encoding="utf-8")
        source.write_text(f"{_settings(project)}\n{template}\n{body}\n", encoding="utf-8")
        standards: Any = STANDARDS  # the stub wants the widest list
        try:
            typst.compile(
                str(source),
                output=str(target),
                root=folder,
                font_paths=[str(ASSETS / "fonts")],
                ignore_system_fonts=True,
                pdf_standards=standards,
                timestamp=_seconds(project),
            )
        except typst.TypstError as error:
            raise _explained(str(getattr(error, "diagnostic", "") or error), sources) from None


def _explained(report: str, sources: Sequence[Source]) -> RenderError:
    """Typst's report, or the place in the sources of a character that no font has."""
    glyph = _NO_GLYPH.search(report)
    if glyph:
        text = glyph[1]
        place = next((line for source in sources for line in source.lines if text in line.text), None)
        code = " ".join(f"U+{ord(character):04X}" for character in text)
        message = f"no font of the report has '{text}' ({code})"
        return RenderError(place.file if place else "report.pdf", place.number if place else None, message)
    short = "\n".join(line[:_LONGEST_DIAGNOSTIC] for line in report.splitlines())
    return RenderError("report.pdf", None, f"Typst: {short}")


def _seconds(project: Project) -> int:
    return (project.date - type(project.date)(1970, 1, 1)).days * 86400


def _settings(project: Project) -> str:
    """What the template needs to know, as plain strings: text in a title is never code."""

    def text(value: str) -> str:
        return json.dumps(value, ensure_ascii=False)

    language, _, region = project.lang.partition("-")
    authors = "".join(f"{text(author)}, " for author in project.authors)
    words = ", ".join(f"{key}: {text(value)}" for key, value in words_of(project).items())
    return "\n".join(
        [
            "#let book = (",
            f"  title: {text(project.title)},",
            f"  subtitle: {text(project.subtitle)},",
            f"  description: {text(project.description)},",
            f"  authors: ({authors}),",
            f"  date: datetime(year: {project.date.year}, month: {project.date.month}, day: {project.date.day}),",
            f"  shown-date: {text(long_date(project))},",
            f"  language: {text(language)},",
            f"  region: {text(region) if region else 'none'},",
            f"  banner: {text(project.banner)},",
            f"  words: ({words}),",
            ")",
        ]
    )


def long_date(project: Project) -> str:
    """The book's date in words, in its language, without asking the machine's locale."""
    language = project.lang.split("-")[0].lower()
    month = words_of(project)["months"].split()[project.date.month - 1]
    point = "." if language == "de" else ""
    return f"{project.date.day}{point} {month} {project.date.year}"
