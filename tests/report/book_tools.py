"""Copy and render the fixture book, and read facts from the pages it makes."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import lxml.html
import pytest
from whole_tools import made_once

from hhp_stats.present.explanations import explanations
from hhp_stats.publish import RenderReport, render_book
from hhp_stats.publish.chapters import printed_bodies, read_chapters, start_reading, start_writing
from hhp_stats.publish.execute import execute
from hhp_stats.publish.kept_text import FOLDER as TEXTS
from hhp_stats.publish.kept_text import KeptTexts
from hhp_stats.publish.project import load_project
from hhp_stats.publish.qmd import read_chapter
from hhp_stats.studies.output import FOLDER

BOOK = Path(__file__).parent / "book"

CONFIG = """\
project:
  type: book
  execute-dir: project
book:
  title: "Small"
  date: 2024-01-02
  chapters: [index.qmd, one.qmd]
  author: "Evaluation team"
bibliography: references.bib
lang: en-GB
number-sections: true
execute:
  echo: false
format:
  html: default
  typst:
    citeproc: true
"""

WriteBook = Callable[..., Path]
WithoutKernel = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    root: Path
    output: Path
    report: RenderReport

    def page(self, name: str) -> lxml.html.HtmlElement:
        return lxml.html.fromstring((self.output / name).read_bytes())


def copy_book(target: Path) -> Path:
    ignored = shutil.ignore_patterns(".report", "_output", ".quarto", "figures")
    root = Path(shutil.copytree(BOOK, target, ignore=ignored))
    # Where a study leaves its results; the folder is not kept under version control.
    shutil.copytree(BOOK / "results", root / FOLDER)
    return root


def render_copy(folder: Path) -> Rendered:
    root = copy_book(folder / "book")
    results = root / FOLDER / "trial" / "results.csv"
    output = folder / "site"
    report = render_book(root=root, output=output, attachments=[results], explain=partial(explanations, root))
    return Rendered(root=root, output=output, report=report)


def rendered_once(factory: pytest.TempPathFactory) -> Rendered:
    """The fixture book in both formats, rendered for all workers of the tests; its `output` may not be changed.

    Those who render it again, elsewhere, are files of one worker: they share the fixture `rendered`.
    """

    def make(folder: Path) -> None:
        (folder / "rendered").write_bytes(pickle.dumps(render_copy(folder)))

    found = pickle.loads((made_once(factory, "fixture-book", make) / "rendered").read_bytes())
    assert isinstance(found, Rendered)
    return found


def typst_bodies(root: Path) -> dict[str, str]:
    """What Typst is given of a book whose outputs are kept, by volume."""
    project = load_project(root)
    sources = [read_chapter(project, chapter) for chapter in project.chapters]
    done = execute(project, sources)
    kept = KeptTexts(root / TEXTS)
    with ThreadPoolExecutor(max_workers=2) as pool:
        reading = [start_reading(project, *pair, kept=kept, pool=pool) for pair in zip(sources, done, strict=True)]
        book = read_chapters(project, sources, reading, kept=kept)
        texts = start_writing(book, target="typst", kept=kept, pool=pool)
        return {volume.file: body for volume, body in printed_bodies(book, texts)}


def typst_body(root: Path) -> str:
    """The same, all volumes one after the other."""
    return "\n".join(typst_bodies(root).values())


def text_of(element: lxml.html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def facts(rendered: Rendered) -> dict[str, dict[str, list[str]]]:
    """What a reader looks things up by: headings, captions and references of each page, as text."""
    found = {}
    for name in rendered.report.pages:
        article = rendered.page(name).find(".//article")
        headings = [text_of(item) for item in article.xpath(".//*[self::h1 or @class='heading']")]
        found[name] = {
            "headings": [text_of(item) for item in article.xpath(".//p[@class='chapter-label']")] + headings,
            "captions": [text_of(item) for item in article.iter("figcaption")],
            "references": [f"{text_of(item)} -> {item.get('href')}" for item in article.xpath(".//a[@class='xref']")],
            "citations": [text_of(item) for item in article.xpath(".//*[@class='citation']")],
            "equations": [text_of(item) for item in article.xpath(".//*[@class='equation-number']")],
        }
    return found
