"""Which places of the book use something that its two engines would not both honour alike?

The checks read the sources only; nothing is executed. What depends on what the code prints (a label
in printed Markdown, say) is checked once more while rendering.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from hhp_stats.errors import Problem, RenderError
from hhp_stats.intake.raw_files import studies as study_keys
from hhp_stats.plan.catalogue import catalogue
from hhp_stats.plan.passages import check_passages
from hhp_stats.plan.programme import PROGRAMME
from hhp_stats.present.markdown import escaped
from hhp_stats.publish.bibliography import check_bibliography
from hhp_stats.publish.digits import check_digits, read_allowed
from hhp_stats.publish.plain_words import check_words
from hhp_stats.publish.project import CONFIG, Project, load_project
from hhp_stats.publish.qmd import read_chapter
from hhp_stats.publish.quarto_cli import check_ignored, left_by_quarto
from hhp_stats.publish.source import Cell, Line, Source, prose_lines

_MATH = re.compile(r"\$\$.*?\$\$|(?<![\\$])\$(?=[^\s$])(?:[^$\\]|\\.)*?(?<=\S)\$(?![\d$])", re.DOTALL)
_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]*)?/?>")
_LATEX = re.compile(r"\\[A-Za-z]{2,}")
_REFERENCE = re.compile(r"(?<![\w.@-])-?@((?:fig|tbl|eq|sec)-[A-Za-z0-9-]*[A-Za-z0-9])")
_OTHER_REFERENCE = re.compile(r"(?<![\w.])@((?:lst|thm|lem|cor|prp|def|exm|exr)-[\w-]+)")
_TWICE = re.compile(r"\b(Figures?|Fig\.|Tables?|Equations?|Eq\.|Sections?|Chapters?|Appendix)\s+@(?:fig|tbl|eq|sec)-")
_DEFINITION = re.compile(r"\{[^{}]*#((?:fig|tbl|eq|sec)-[A-Za-z0-9-]+)[^{}]*\}")
_CITATION = re.compile(r"(?<![\w.@])-?@([A-Za-z0-9_][\w:.+/-]*\w|[A-Za-z0-9_])")
_BIB_KEY = re.compile(r"@(?!comment|string|preamble)\w+\s*\{\s*([^,\s]+)\s*,", re.IGNORECASE)
_HEADING = re.compile(r"^(#{1,6})\s+(.*)$")
_IMAGE = re.compile(r"!\[(?P<text>(?:[^\[\]]|\[[^\]]*\])*)\]\([^)]*\)(?P<attributes>\{[^}]*\})?")
_NOTE_USE = re.compile(r"\[\^([^\]\s]+)\](?!:)")
_NOTE = re.compile(r"^\s*\[\^([^\]\s]+)\]:")
_HYPHEN = re.compile(r"(?:^|(?<=[\s(\[]))-\d[\d.,]*")
_ANNOTATION = re.compile(r"#\s*<\d+>\s*$")
_EMOJI = re.compile("[\U0001f000-\U0001ffff\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\ufe0e\ufe0f]")

# What Quarto would do and the embedded engine would not: pattern, and what to say of it.
_UNSUPPORTED: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"(?:when|unless)-format=\"?(?!html\b)([\w-]+)"), "conditional content may ask for 'html' only"),
    (re.compile(r"\.(column-[\w-]+|aside|margin)\b(?=[^}]*\})"), "margin and wide columns are not supported"),
    (re.compile(r"\blayout(?:-nrow)?="), "of the layouts only layout-ncol is supported"),
    (
        re.compile(r"\bfig-subcap\b|\bfig-(?:width|height)="),
        "sub-captions and figure sizes are set in the figure's code",
    ),
    (
        re.compile(r"\{#(?:lst|thm|lem|cor|prp|def|exm|exr)-"),
        "only figures, tables, equations and sections are numbered",
    ),
    (re.compile(r"^:{3,}\s*\{[^}]*\.callout-(?!note\b|tip\b|warning\b|important\b|caution\b)"), "unknown callout"),
    (
        re.compile(r"\.(?:incremental|fragment|panel-(?!tabset\b)\w+|sidebar)\b(?=[^}]*\})"),
        "this class is not supported",
    ),
]

Refuse = Callable[[str, int, str], None]


def lint_book(root: Path) -> list[Problem]:
    """Which places of the book are outside the subset of Quarto that both engines honour, and where is the report's
    English not plain?

    Every problem names its file and line; an empty list means that the sources can be rendered, save
    for what only running the code can show. Words (Q02) stop no rendering. Refuses nothing: problems are returned, not
    raised.
    """
    words: list[Problem] = []
    try:
        project = load_project(root)
        found = lint_sources(project)
        words = check_words(root, project.bibliography)
    except RenderError as error:
        found = [error]
    problems = [
        Problem(
            code="Q01",
            severity="error",
            file=error.file,
            cell=f"line {error.line}" if error.line else "",
            rule=error.message[:1].upper() + error.message[1:] + ".",
            remedy="Keep to what both engines honour.",
        )
        for error in found
    ]
    return problems + words


def lint_sources(project: Project) -> list[RenderError]:
    """The same as `lint_book` for a project that is loaded, as errors that can be raised."""
    return read_and_lint(project)[1]


def read_and_lint(project: Project) -> tuple[list[Source], list[RenderError]]:
    """The chapters, and what is wrong with them; only chapters without a problem may be rendered."""
    problems: list[RenderError] = []

    def refuse(file: str, line: int, message: str) -> None:
        problems.append(RenderError(file, line or None, message))

    sources = [read_chapter(project, chapter, refuse=refuse) for chapter in project.chapters]
    _check_studies(project, refuse)
    used = {key for source in sources for key in source.used_metadata}
    for key, at in project.own_keys.items():
        if key not in used:
            refuse(CONFIG, at, f"unknown key '{key}': neither Quarto's nor used by a 'meta' shortcode")
    for extra in [*project.root.glob("_quarto-*.yml"), *project.root.glob("**/_metadata.yml")]:
        if not any(part.startswith(".") or left_by_quarto(part) for part in extra.relative_to(project.root).parts):
            refuse(extra.relative_to(project.root).as_posix(), 0, "profiles and folder metadata are not supported")

    allowed = [*read_allowed(project.root, refuse), *_names_with_digits(project.root)]
    prose = [list(prose_lines(source.lines)) for source in sources]
    passages = [list(_passages(lines)) for lines in prose]
    for source, lines, paragraphs in zip(sources, prose, passages, strict=True):
        _check_headings(source, lines, refuse)
        _check_unnumbered(project, lines, paragraphs, refuse)
        _check_notes(lines, refuse)
        for paragraph in paragraphs:
            _check_paragraph(paragraph, refuse)
            check_digits(paragraph, _without_math(paragraph), allowed, refuse)
        for cell in source.cells:
            for line in cell.code:
                if _ANNOTATION.search(line.text):
                    refuse(line.file, line.number, "code annotations are not supported")
    check_ignored(project.root, refuse)
    _check_labels(sources, passages, refuse)
    _check_citations(project, prose, passages, refuse)
    return sources, _unique(problems)


def _check_studies(project: Project, refuse: Refuse) -> None:
    """Passages about single studies begin and end, and their studies exist; in a project without studies there are
    none.
    """
    known = study_keys(project.root)
    for chapter in project.chapters:
        check_passages(chapter.path, (project.root / chapter.path).read_text(encoding="utf-8"), known, refuse)


def _names_with_digits(root: Path) -> list[re.Pattern[str]]:
    """The names and titles of studies that hold digits, as a plan writes them and as Markdown does: they are no
    numbers. A book without a programme has no studies.
    """
    entries = catalogue(root) if (root / PROGRAMME).is_file() else ()
    names = {name for entry in entries for name in (entry.name, entry.title, entry.title.split(":")[0])}
    forms = {form for name in names if re.search(r"\d", name) for form in (name.strip(), escaped(name))}
    return [re.compile(rf"(?<!\w){re.escape(form)}(?!\w)") for form in sorted(forms, key=len, reverse=True)]


def _unique(problems: Sequence[RenderError]) -> list[RenderError]:
    """Each problem once, although a file may be included by several chapters."""
    return list({(problem.file, problem.line, problem.message): problem for problem in problems}.values())


def _passages(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Paragraphs of prose: code blocks, code spans and comments are blanked out."""
    paragraph: list[Line] = []
    for line in lines:
        if line.text.strip():
            paragraph.append(line)
        elif paragraph:
            yield paragraph
            paragraph = []
    if paragraph:
        yield paragraph


def _check_paragraph(paragraph: Sequence[Line], refuse: Refuse) -> None:
    for line, text in zip(paragraph, _without_math(paragraph), strict=True):

        def say(message: str, line: Line = line) -> None:
            refuse(line.file, line.number, message)

        plain = re.sub(r"<(?:https?|mailto):[^>]*>", "", text)
        if tag := _TAG.search(plain):
            say(f"raw HTML '{tag[0][:40]}' shows in one format only")
        if command := _LATEX.search(text):
            say(f"raw LaTeX '{command[0]}' shows in one format only")
        if re.search(r"(?<!\\)\$", text):
            say("a '$' that begins no formula must be written '\\$'")
        if found := _TWICE.search(text):
            say(f"the reference brings its own word: leave out '{found[1]}'")
        if found := _HYPHEN.search(text):
            say(f"the hyphen of '{found[0]}' is no minus: write '\u2212'")
        if found := _OTHER_REFERENCE.search(text):
            say(f"'@{found[1]}': only figures, tables, equations and sections are numbered")
        if found := _EMOJI.search(line.text):
            say(f"no font of the report has the character U+{ord(found[0]):04X}")
        for pattern, message in _UNSUPPORTED:
            if found := pattern.search(line.text):
                say(f"{message} (found '{found[0].strip()[:40]}')")
        for image in _IMAGE.finditer(line.text):
            attributes = image["attributes"] or ""
            if "fig-alt=" not in attributes and ("#fig-" in attributes or not image["text"].strip()):
                say("this image has no fig-alt: say in words what it shows")


def _without_math(paragraph: Sequence[Line]) -> list[str]:
    """The paragraph's lines with each formula blanked out, over as many lines as it takes."""
    text = "\n".join(line.text for line in paragraph)
    blanked = _MATH.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    return blanked.split("\n")


def _check_headings(source: Source, lines: Sequence[Line], refuse: Refuse) -> None:
    tops: list[Line] = []
    first = True
    for line in lines:
        heading = _HEADING.match(line.text)
        if not heading:
            continue
        if len(heading[1]) == 1:
            tops.append(line)
            if not re.search(r"\{[^}]*#sec-[A-Za-z0-9-]+", heading[2]) and ".unnumbered" not in heading[2]:
                refuse(line.file, line.number, "a chapter's title needs a label: '# Title {#sec-name}'")
        elif first:
            refuse(line.file, line.number, "the chapter must begin with its title '# Title {#sec-name}'")
        first = False
    if not tops:
        refuse(source.chapter.path, 1, "the chapter has no title '# Title {#sec-name}'")
    for line in tops[1:]:
        refuse(line.file, line.number, "a second level-one heading: one chapter, one '# Title'")


def _check_unnumbered(
    project: Project, lines: Sequence[Line], paragraphs: Sequence[Sequence[Line]], refuse: Refuse
) -> None:
    """In a chapter without a number Quarto prints a section's whole title for a reference to it."""
    title = next((found for line in lines if (found := _HEADING.match(line.text))), None)
    if project.number_sections and (title is None or ".unnumbered" not in title[2]):
        return
    for line in (line for paragraph in paragraphs for line in paragraph):
        for found in _REFERENCE.finditer(line.text):
            if found[1].startswith("sec-"):
                refuse(
                    line.file,
                    line.number,
                    f"'@{found[1]}' stands in a chapter without a number, where Quarto prints the section's whole title"
                    f" for it: write a link, '[words](chapter.qmd#{found[1]})'",
                )


def _check_notes(lines: Sequence[Line], refuse: Refuse) -> None:
    defined = Counter(note[1] for line in lines if (note := _NOTE.match(line.text)))
    used = {note[1]: line for line in reversed(lines) for note in _NOTE_USE.finditer(line.text)}
    for name, line in used.items():
        if name not in defined:
            refuse(line.file, line.number, f"the footnote '[^{name}]' is not in this chapter")
    for line in lines:
        note = _NOTE.match(line.text)
        if note and note[1] not in used:
            refuse(line.file, line.number, f"the footnote '[^{note[1]}]' is not used in this chapter")
        if note and defined[note[1]] > 1:
            refuse(line.file, line.number, f"the footnote '[^{note[1]}]' is written twice in this chapter")


def _check_labels(sources: Sequence[Source], passages: Sequence[Sequence[Sequence[Line]]], refuse: Refuse) -> None:
    lines = [line for chapter in passages for paragraph in chapter for line in paragraph]
    cells = [cell for source in sources for cell in source.cells]
    labels = [(found[1], line.file, line.number) for line in lines for found in _DEFINITION.finditer(line.text)]
    labels += [(cell.label, cell.file, cell.line) for cell in cells if cell.label]
    first: dict[str, tuple[str, int]] = {}
    for label, file, number in labels:
        if label in first:
            where = f"{first[label][0]}:{first[label][1]}"
            refuse(file, number, f"the label '{label}' is also used in {where}")
        first.setdefault(label, (file, number))
    # Shown Markdown may bring labels of its own: those are known only after the code has run.
    if any(_may_show_markdown(cell) for cell in cells):
        return
    for line in lines:
        for found in _REFERENCE.finditer(line.text):
            if found[1] not in first:
                refuse(line.file, line.number, f"'@{found[1]}' refers to nothing: no such label in the book")


def _may_show_markdown(cell: Cell) -> bool:
    """Whether a cell without a label prints Markdown, or ends with a value that could be Markdown."""
    if cell.label.startswith(("fig-", "tbl-")) or not cell.options["eval"]:
        return False
    if cell.options["output"] == "asis":
        return True
    try:
        body = ast.parse(cell.source).body
    except SyntaxError:
        return False
    return bool(body) and isinstance(body[-1], ast.Expr)


def _check_citations(
    project: Project, prose: Sequence[Sequence[Line]], passages: Sequence[Sequence[Sequence[Line]]], refuse: Refuse
) -> None:
    known: set[str] | None = set()
    for file in project.bibliography:
        if not file.endswith(".bib"):
            known = None  # other kinds are left to the citation processor
            break
        known |= set(_BIB_KEY.findall((project.root / file).read_text(encoding="utf-8")))  # type: ignore[operator]
    cited: Line | None = None
    keys: set[str] = set()
    for line in (line for chapter in passages for paragraph in chapter for line in paragraph):
        for found in _CITATION.finditer(line.text):
            key = found[1]
            if re.match(r"(?:fig|tbl|eq|sec|lst|thm|lem|cor|prp|def|exm|exr)-", key):
                continue
            cited = cited or line
            keys.add(key)
            if known is not None and key not in known:
                refuse(line.file, line.number, f"the citation '@{key}' is not in the bibliography")
    lines = [line for chapter in prose for line in chapter]
    for file in project.bibliography:
        if file.endswith(".bib"):
            check_bibliography(project.root, file, keys, refuse)
    lists = [line for line in lines if re.match(r":{3,}\s*\{\s*#refs\b", line.text)]
    for line in lists[1:]:
        refuse(line.file, line.number, "a second list of references: one book, one '::: {#refs}'")
    if cited and not lists:
        refuse(
            cited.file, cited.number, "the book cites sources, but no chapter has a block '::: {#refs}' for their list"
        )
