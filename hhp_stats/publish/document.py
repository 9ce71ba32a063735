"""The report as a Word document, `report.docx`, for people who comment on a draft.

It is made of the same trees as the pages and the printed volumes, chapter after chapter and appendix after appendix:
headings, tables, captions, formulas and links are those of the word processor. It is no publication: pages and PDF are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import typst

from hhp_stats.files.scratch import scratch_folder
from hhp_stats.processes.at_work import located
from hhp_stats.publish.archive import stamped
from hhp_stats.publish.chapters import all_of
from hhp_stats.publish.cite import long_date
from hhp_stats.publish.pandoc import ASSETS, metadata, run_pandoc, words_of
from hhp_stats.publish.pictures import for_print
from hhp_stats.publish.project import Project
from hhp_stats.publish.source import Source

DOCUMENT_NAME = "report.docx"
_DOTS_PER_INCH = 200
_HALF_POINTS = 15  # size of type in tables
_TWIPS = 60  # between the words of a cell and its edge
_MARGIN = re.compile(rb'(<w:(?:left|right) w:type="dxa" w:w=")\d+')
_CONTENTS = re.compile(
    rb'TOC \\o (?:"|&quot;)1-(\d)(?:"|&quot;)[^<]*</w:instrText>(<w:fldChar w:fldCharType="separate" ?/>)(?=<w:fldChar)'
)
_HEADING = re.compile(
    rb'<w:bookmarkStart w:id="\d+" w:name="([^"]+)" ?/>\s*'
    rb'<w:p><w:pPr><w:pStyle w:val="Heading(\d)" ?/>.*?</w:pPr>(.*?)</w:p>',
    re.DOTALL,
)
_WORDS = re.compile(rb"<w:t(?: [^>]*)?>([^<]*)</w:t>")
_INDENT = 240  # twips a level of the contents
_SVG = re.compile(r"\.svg$")


def write_document(
    project: Project,
    sources: Sequence[Source],
    *,
    texts: Sequence[Future[str]],
    figures: Mapping[str, bytes],
    target: Path,
) -> None:
    """Join the chapters' trees (JSON) and write them as one document; the same bytes each time.

    Raises RenderError with the place in the sources that Pandoc complains of.
    """
    trees = [json.loads(text) for text in all_of(texts)]
    blocks = [block for tree in trees for block in tree["blocks"]]
    if project.banner:
        blocks.insert(0, _notice(project.banner))
    about: dict[str, Any] = metadata({"title": project.title, "lang": project.lang})
    about |= metadata({"subtitle": project.subtitle} if project.subtitle else {})
    about |= metadata({"date": long_date(project), "toc-title": words_of(project)["contents"]})
    about["author"] = {"t": "MetaList", "c": [{"t": "MetaString", "c": name} for name in project.authors]}
    tree = {"pandoc-api-version": trees[0]["pandoc-api-version"], "meta": about, "blocks": blocks}
    with scratch_folder() as name, located(Path(name)):
        folder = Path(name)
        _write_pictures(figures, folder)
        made = folder / "made.docx"
        depth = f"--toc-depth={project.toc_depth['typst']}"
        arguments = ["--from", "json", "--to", "docx", "--toc", depth, "--resource-path", name, "--output", str(made)]
        run_pandoc(arguments, json.dumps(tree), root=project.root, sources=sources, where=DOCUMENT_NAME)
        document = made.read_bytes()
    with located(target):
        change = {"word/styles.xml": _small_tables, "word/document.xml": with_contents}
        target.write_bytes(stamped(document, project.date, change=change))


def with_contents(document: bytes) -> bytes:
    """The document with its headings in the list of contents, as links.

    Pandoc leaves the list to the word processor, which fills it with page numbers when it is asked to; one that is not
    asked, or a reader that cannot, would show it empty.
    """
    depth = _CONTENTS.search(document)
    if depth is None:
        return document
    lines = [
        b'<w:p><w:pPr><w:spacing w:after="40"/><w:ind w:left="%d"/></w:pPr><w:hyperlink w:anchor="%s" w:history="1">'
        b'<w:r><w:t xml:space="preserve">%s</w:t></w:r></w:hyperlink></w:p>'
        % (_INDENT * (int(level) - 1), anchor, b"".join(_WORDS.findall(heading)))
        for anchor, level, heading in _HEADING.findall(document)
        if int(level) <= int(depth[1])
    ]
    ends = b"</w:r></w:p>" + b"".join(lines) + b"<w:p><w:r>"
    return document[: depth.end(2)] + ends + document[depth.end(2) :]


def _small_tables(styles: bytes) -> bytes:
    """The document's styles with small type and close lines in tables and their notes, bold heads, and captions that
    stay with their tables.
    """
    size = b'<w:sz w:val="%d"/><w:szCs w:val="%d"/>' % (_HALF_POINTS, _HALF_POINTS)
    close = b'<w:spacing w:before="30" w:after="30"/>'
    styles = _MARGIN.sub(rb"\g<1>%d" % _TWIPS, styles)
    looks = {
        b"TableCell": (close, size),
        b"TableNote": (close, size),
        b"TableHead": (b"<w:keepNext/>" + close, b"<w:b/><w:bCs/>" + size),
        b"Caption": (b"<w:keepNext/>", b""),
        b"ImageCaption": (b'<w:keepNext w:val="0"/>', b""),  # it is based on the other, and stands below its figure
    }
    for style, (paragraph, letters) in looks.items():
        begins = styles.find(b'w:styleId="' + style + b'"')
        if begins >= 0:  # a document without tables has no such style
            ends = styles.index(b"</w:style>", begins)
            changed = _with(styles[begins:ends], b"pPr", paragraph)
            styles = styles[:begins] + (_with(changed, b"rPr", letters) if letters else changed) + styles[ends:]
    return styles


def _with(style: bytes, kind: bytes, look: bytes) -> bytes:
    """A style with something said first among its settings of one kind, which it may not have yet.

    Those of paragraphs stand before those of letters.
    """
    opening = b"<w:%s>" % kind
    if opening in style:
        return style.replace(opening, opening + look, 1)
    made = opening + look + b"</w:%s>" % kind
    return style.replace(b"<w:rPr>", made + b"<w:rPr>", 1) if kind == b"pPr" and b"<w:rPr>" in style else style + made


def _notice(words: str) -> dict[str, Any]:
    """A paragraph in bold before everything else."""
    return {"t": "Para", "c": [{"t": "Strong", "c": [{"t": "Str", "c": words}]}]}


def _write_pictures(figures: Mapping[str, bytes], folder: Path) -> None:
    """The pictures below `folder`; drawings as PNG, set by Typst."""
    printed = for_print(figures)
    for name, content in printed.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    drawings = [name for name in printed if _SVG.search(name)]
    if not drawings:
        return
    source = folder / "pictures.typ"
    pages = [f"#page(width: auto, height: auto, margin: 0pt, image({json.dumps('/' + name)}))" for name in drawings]
    source.write_text("\n".join(pages), encoding="utf-8")
    found: Any = typst.compile(
        str(source),
        root=str(folder),
        font_paths=[str(ASSETS / "fonts")],
        ignore_system_fonts=True,
        format="png",
        ppi=_DOTS_PER_INCH,
    )
    for name, content in zip(drawings, [found] if isinstance(found, bytes) else found, strict=True):
        (folder / _SVG.sub(".png", name)).write_bytes(content)
