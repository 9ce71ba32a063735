"""Which phrases of the report are not plain English, or not the one term that the report has for a thing?

`assets/words.toml` lists them with what to write and why. The sources are read here, for `hhp lint`; the text of the
rendered pages by the same rules in `tests/report/test_plain_words.py`, since many sentences exist only once results
are in them. The list is about English, not about a study: a new trial's chapter is held to it as well.
"""

from __future__ import annotations

import ast
import csv
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hhp_stats.errors import Problem, RenderError
from hhp_stats.publish.bibliography import read_entries
from hhp_stats.publish.source import Line, prose_lines

FILE = Path(__file__).with_name("assets") / "words.toml"
CODE = "Q02"

# What is not ours or no English: quotations, code, mathematics, addresses, attributes, references.
_QUOTED = re.compile(
    r"\u201c[^\u201d]*\u201d|(?<!\w)\u2018[^\u2019\u2018]*\u2019(?!\w)|(?<!\w)\"[^\"\n]*\"(?!\w)|`[^`]*`|\$[^$]*\$"
    r"|https?://\S+|\]\([^)]*\)|\{[^{}]*\}|-?@[\w:.+/-]+|<!--.*?-->",
    re.DOTALL,
)
_CAPTION = re.compile(r"^\s*#\|\s*(?:tbl-cap|fig-cap|fig-alt):\s*\"?(?P<text>.*?)\"?\s*$")
_INLINE_TEXT = re.compile(r"`\{python\}[^`]*`")
_STRING = re.compile(r"\"([^\"]*\s[^\"]*)\"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A phrase that the report avoids: `find` (and where it is right, `but`), what to write, and why."""

    find: re.Pattern[str]
    but: re.Pattern[str] | None
    write: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WordList:
    """The phrases, and which files, columns and keys hold text of the report."""

    phrases: tuple[Phrase, ...]
    sources: tuple[str, ...]
    columns: frozenset[str]
    keys: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One phrase in a text: where it begins, the words as they are there, and the entry that they break."""

    start: int
    words: str
    phrase: Phrase


@cache
def read_words(file: Path = FILE) -> WordList:
    """The list of phrases.

    Raises RenderError where an entry lacks its pattern, remedy or reason, has unknown keys, or a pattern is broken or
    matches everything.
    """
    raw = tomllib.loads(file.read_text(encoding="utf-8"))
    return WordList(
        phrases=tuple(_phrase(entry, file) for entry in raw["phrase"]),
        sources=tuple(raw["sources"]),
        columns=frozenset(raw["columns"]),
        keys=frozenset(raw["keys"]),
    )


def _phrase(entry: Mapping[str, str], file: Path) -> Phrase:
    if not {"find", "write", "why"} <= set(entry) <= {"find", "write", "why", "but"}:
        raise RenderError(file.name, None, f"a phrase needs find, write and why, and may have but: {dict(entry)}")
    try:
        find, but = (re.compile(rf"\b(?:{entry[key]})\b", re.I) if key in entry else None for key in ("find", "but"))
    except re.error as error:
        raise RenderError(file.name, None, f"no regular expression: {entry['find']} ({error})") from None
    if find is None or find.search("") or find.search("word"):
        raise RenderError(file.name, None, f"this pattern matches everything: {entry['find']}")
    return Phrase(find=find, but=but, write=entry["write"], why=entry["why"])


def find_phrases(text: str, *, titles: Sequence[str] = ()) -> Iterator[Found]:
    """Every phrase of the list in a text, outside quotations, code, mathematics, addresses and the `titles` of
    works.
    """
    if titles:
        text = _any_of(tuple(titles)).sub(lambda found: " " * len(found[0]), text)
    text = _QUOTED.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    joined = re.sub(r"\s", " ", text)  # a phrase may go over the end of a line
    for phrase in read_words().phrases:
        right = [found.span() for found in phrase.but.finditer(joined)] if phrase.but else []
        for found in phrase.find.finditer(joined):
            if not any(start < found.end() and found.start() < end for start, end in right):
                yield Found(start=found.start(), words=found[0], phrase=phrase)


@cache
def _any_of(titles: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, titles)), re.I)


def titles_of_works(root: Path, files: Sequence[str]) -> tuple[str, ...]:
    """Titles, journals and publishers in the bibliography, the longest first: those words are not ours."""
    names = ("title", "booktitle", "journal", "publisher", "institution", "series")
    found = {
        re.sub(r"[{}]", "", entry.fields[name])
        for file in files
        if (root / file).is_file() and file.endswith(".bib")
        for entry in read_entries((root / file).read_text(encoding="utf-8"))
        for name in names
        if entry.fields.get(name)
    }
    return tuple(sorted(found, key=lambda title: (-len(title), title)))


def check_words(root: Path, bibliography: Sequence[str] = ()) -> list[Problem]:
    """The phrases in the sources of the project at `root`, each with file, line, what to write and why."""
    listed, titles = read_words(), titles_of_works(root, bibliography)
    problems = []
    for pattern in listed.sources:
        for path in sorted(root.glob(pattern)):
            name = path.relative_to(root).as_posix()
            for number, text in texts_of(path, listed):
                for found in find_phrases(text, titles=titles):
                    line = number + text.count("\n", 0, found.start)
                    problems.append(
                        Problem(
                            code=CODE,
                            severity="error",
                            file=name,
                            cell=f"line {line}",
                            rule=f"The report does not say '{found.words}': {found.phrase.why}",
                            remedy=f"Write: {found.phrase.write}.",
                        )
                    )
    return list({(each.file, each.cell, each.rule): each for each in problems}.values())


def texts_of(path: Path, listed: WordList) -> Iterator[tuple[int, str]]:
    """The texts of a file that readers see, each with the line on which it begins."""
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".qmd":
        yield from _of_chapter(path, content)
    elif path.suffix == ".toml":
        yield from _of_toml(content, listed)
    elif path.suffix == ".csv":
        reader = csv.DictReader(content.splitlines(keepends=True))
        for row in reader:
            yield from ((reader.line_num, cell) for name, cell in row.items() if cell and name not in listed.columns)
    else:
        yield from _of_code(content)


def _of_chapter(path: Path, content: str) -> Iterator[tuple[int, str]]:
    """Paragraphs, captions and alternative texts of cells, and strings in inline code."""
    lines = [Line(text, path.name, number) for number, text in enumerate(content.splitlines(), start=1)]
    paragraph: list[Line] = []
    for line in [*prose_lines(lines), Line("", path.name, 0)]:
        if line.text.strip():
            paragraph.append(line)
        elif paragraph:
            yield paragraph[0].number, "\n".join(each.text for each in paragraph)
            paragraph = []
    for line in lines:
        if caption := _CAPTION.match(line.text):
            yield line.number, caption["text"]
        for inline in _INLINE_TEXT.finditer(line.text):
            yield from ((line.number, string[1]) for string in _STRING.finditer(inline[0]))


def _of_toml(content: str, listed: WordList) -> Iterator[tuple[int, str]]:
    """Strings of more than one word, each at the line where its first words are."""
    for text in _strings(tomllib.loads(content), listed):
        head = text.strip().split("\n")[0][:40]
        at = content.find(head)
        yield (content.count("\n", 0, at) + 1 if at >= 0 else 1), text.strip()


def _strings(value: object, listed: WordList) -> Iterator[str]:
    if isinstance(value, str) and " " in value.strip():
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in listed.keys:
                yield from _strings(inner, listed)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner, listed)


def _of_code(content: str) -> Iterator[tuple[int, str]]:
    """Literals of more than one word that are no docstring; a value within an f-string is left open."""
    tree = ast.parse(content)
    left_out = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            left_out |= {id(part) for part in node.values}
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "\u00a7" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if id(node) not in left_out and " " in text.strip():
            yield node.lineno, text.replace("\n", " ")
