"""What is in a chapter's source: prose, inline code and cells, each knowing its file and line.

Only the shared subset of Quarto is read; anything else is refused by name. Nothing inside ordinary
code blocks, code spans and comments is replaced.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import yaml

from hhp_stats.errors import RenderError
from hhp_stats.plan.passages import unmarked_line
from hhp_stats.publish.project import EXECUTE_OPTIONS, Chapter, Project
from hhp_stats.publish.source import Cell, Inline, Line, Prose, Source, closes, follow, opens

CELL_OPTIONS: dict[str, tuple[type, ...]] = {
    "label": (str,),
    "fig-cap": (str,),
    "fig-alt": (str,),
    "tbl-cap": (str,),
    "echo": (bool,),
    "eval": (bool,),
    "include": (bool,),
    "output": (bool, str),
    "warning": (bool,),
    "error": (bool,),
    "code-fold": (bool,),
    "code-summary": (str,),
}
_YAML: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same language, ten times as fast
_INCLUDE = re.compile(r"^\s*\{\{<\s*include\s+(?P<path>\S+)\s*>\}\}\s*$")
_SHORTCODE = re.compile(r"\{\{<\s*(?P<body>.*?)\s*>\}\}", re.DOTALL)
_LITERAL = re.compile(r"\{\{\{<(?P<triple>.*?)>\}\}\}|\{\{</\*(?P<comment>.*?)\*/>\}\}", re.DOTALL)
_INLINE = re.compile(r"^\{(?P<language>[A-Za-z]\w*)\}[ \t](?P<expression>.*)$", re.DOTALL)
_ORDINARY = re.compile(r"[^\\<`{]+")
_TICKS = re.compile(r"`+")

Refuse = Callable[[str, int, str], None]
"""Told (file, line, message) of each refused place."""


def refuse_at_once(file: str, line: int, message: str) -> None:
    """The default: the first refused place ends the rendering."""
    raise RenderError(file, line, message)


def read_chapter(project: Project, chapter: Chapter, *, refuse: Refuse = refuse_at_once) -> Source:
    """Read one chapter: includes, front matter, cells with their options, inline code, shortcodes.

    `refuse` is told of every place outside the shared subset; by default the first one raises
    RenderError with the file and line, also inside included files.
    """
    return _Reader(project=project, chapter=chapter, refuse=refuse).read()


class _Reader:
    def __init__(self, *, project: Project, chapter: Chapter, refuse: Refuse) -> None:
        self.project, self.chapter, self.refuse = project, chapter, refuse
        self.used_metadata: set[str] = set()

    def read(self) -> Source:
        lines = list(self._expand(self.chapter.path, including=()))
        body, defaults = self._front_matter(lines)
        return Source(
            chapter=self.chapter,
            pieces=tuple(self._pieces(body, defaults)),
            lines=tuple(lines),
            used_metadata=frozenset(self.used_metadata),
        )

    def _expand(self, file: str, *, including: tuple[str, ...]) -> Iterator[Line]:
        """The lines of a file with its includes, which are looked for outside code blocks only."""
        text = (self.project.root / file).read_text(encoding="utf-8")
        fence: re.Match[str] | None = None
        opened = 0
        for number, content in enumerate(text.split("\n"), start=1):
            line = Line(content.rstrip("\r"), file, number)
            include = _INCLUDE.match(content) if fence is None else None
            if include:
                target = self._included(include["path"], line)
                if target in (*including, file):
                    self.refuse(file, number, f"'{target}' includes itself")
                elif target:
                    yield from self._expand(target, including=(*including, file))
                continue
            prose = fence is None or line.text.lstrip().startswith("#|")  # options of cells hold captions
            bare = unmarked_line(line.text) if prose else line.text
            if bare is not None:  # marks of passages about single studies are no text
                yield line if bare == line.text else Line(bare, file, number)
            fence, closed = follow(fence, line.text)
            opened = number if fence is not None and not closed and opened == 0 else (0 if fence is None else opened)
        if fence is not None:
            self.refuse(file, opened, "the code block that begins here is never closed")

    def _included(self, path: str, line: Line) -> str:
        folder = PurePosixPath(".") if path.startswith("/") else PurePosixPath(line.file).parent
        parts: list[str] = []
        for part in (folder / path.lstrip("/")).parts:
            if part == "..":
                if not parts:
                    self.refuse(line.file, line.number, f"the include '{path}' lies outside the project")
                    return ""
                parts.pop()
            else:
                parts.append(part)
        target = "/".join(parts)
        if not (self.project.root / target).is_file():
            self.refuse(line.file, line.number, f"the included file '{target}' does not exist")
            return ""
        return target

    def _front_matter(self, lines: list[Line]) -> tuple[list[Line], dict[str, Any]]:
        """The chapter without its front matter, and the options its cells start from."""
        defaults = dict(self.project.execute)
        if not lines or lines[0].text.rstrip() != "---":
            return lines, defaults
        end = next((at for at, line in enumerate(lines[1:], start=1) if line.text.rstrip() in ("---", "...")), 0)
        if not end:
            self.refuse(lines[0].file, 1, "the front matter that begins here is never closed")
            return lines[1:], defaults
        for key, value, line in self._options_of(lines[1:end]):
            if key == "execute" and isinstance(value, dict):
                for option, setting in value.items():
                    if option in EXECUTE_OPTIONS:
                        defaults[option] = setting
                    else:
                        self.refuse(line.file, line.number, f"unknown option 'execute: {option}' in the front matter")
            else:
                hint = "; write the title as '# Title {#sec-name}'" if key == "title" else ""
                self.refuse(line.file, line.number, f"the front matter key '{key}' is not honoured{hint}")
        return lines[end + 1 :], defaults

    def _options_of(self, lines: Sequence[Line]) -> Iterator[tuple[str, Any, Line]]:
        """The keys of a YAML mapping that stands in the given lines, with the line of each."""
        text = "\n".join(line.text for line in lines)
        try:
            loader = _YAML(text)
            node = loader.get_single_node()
            pairs = node.value if isinstance(node, yaml.MappingNode) else []
            values = [loader.construct_object(value, deep=True) for _, value in pairs]
        except yaml.MarkedYAMLError as error:
            at = lines[min(error.problem_mark.line, len(lines) - 1)] if error.problem_mark else lines[0]
            self.refuse(at.file, at.number, f"not valid YAML: {error.problem}")
            return
        if node is None:
            return
        if not isinstance(node, yaml.MappingNode) or not all(isinstance(key, yaml.ScalarNode) for key, _ in pairs):
            self.refuse(lines[0].file, lines[0].number, "options must be written 'name: value'")
            return
        seen: set[str] = set()
        for (key, _), value in zip(pairs, values, strict=True):
            at = lines[key.start_mark.line]
            if key.value in seen:
                self.refuse(at.file, at.number, f"the option '{key.value}' is given twice")
                continue
            seen.add(key.value)
            yield key.value, value, at

    def _pieces(self, lines: list[Line], defaults: Mapping[str, Any]) -> Iterator[Prose | Cell]:
        prose: list[str | Inline] = []
        paragraph: list[Line] = []
        start: Line | None = None
        at = 0

        def flush() -> None:
            if paragraph:
                prose.extend(self._inline(paragraph))
                paragraph.clear()

        while at < len(lines):
            line = lines[at]
            start = start or line
            fence = opens(line.text)
            if fence is None:
                if line.text.strip():
                    paragraph.append(line)
                else:
                    flush()
                    prose.append(line.text + "\n")
                at += 1
                continue
            flush()
            end = at + 1
            while end < len(lines) and not closes(fence, lines[end].text):
                end += 1
            info = fence["info"].strip()
            if info == "{python}":
                if prose:
                    yield Prose(parts=_joined(prose), file=start.file, line=start.number)
                yield self._cell(fence, line, lines[at + 1 : end], defaults)
                prose, start = [], None
            else:
                self._check_block(info, line)
                first = line.text.replace("{{python}}", "python")
                block = [first, *(inner.text for inner in lines[at + 1 : end + 1])]
                prose.append("\n".join(block) + "\n")
            at = end + 1
        flush()
        if prose and start:
            yield Prose(parts=_joined(prose), file=start.file, line=start.number)

    def _check_block(self, info: str, line: Line) -> None:
        if info.startswith("{="):
            self.refuse(line.file, line.number, f"raw blocks '{info}' show in one format only; write Markdown")
        elif re.match(r"\{[A-Za-z]", info):
            self.refuse(line.file, line.number, f"cells '{info}' cannot be executed; only '{{python}}' can")

    def _cell(self, fence: re.Match[str], line: Line, body: list[Line], defaults: Mapping[str, Any]) -> Cell:
        indent = fence["indent"]
        body = [Line(inner.text.removeprefix(indent), inner.file, inner.number) for inner in body]
        count = next((at for at, inner in enumerate(body) if not inner.text.startswith("#|")), len(body))
        option_lines = [Line(inner.text[2:].removeprefix(" "), inner.file, inner.number) for inner in body[:count]]
        options = dict(defaults)
        for key, value, at in self._options_of(option_lines):
            kinds = CELL_OPTIONS.get(key)
            if kinds is None:
                self.refuse(at.file, at.number, f"unknown cell option '{key}'")
            elif not isinstance(value, kinds) or (key == "output" and isinstance(value, str) and value != "asis"):
                wanted = "true, false or asis" if key == "output" else "true or false" if bool in kinds else "text"
                self.refuse(at.file, at.number, f"the cell option '{key}' must be {wanted}, not {value!r}")
            else:
                options[key] = value
        cell = Cell(code=tuple(body[count:]), options=options, indent=indent, file=line.file, line=line.number)
        self._check_label(cell)
        return cell

    def _check_label(self, cell: Cell) -> None:
        def refuse(message: str) -> None:
            self.refuse(cell.file, cell.line, message)

        label, shown = cell.label, cell.options["include"] is not False and cell.options["eval"] is not False
        if label and not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", label):
            refuse(f"the label '{label}' must be letters, digits and hyphens")
        for prefix, caption in (("fig-", "fig-cap"), ("tbl-", "tbl-cap")):
            if label.startswith(prefix) and shown and not str(cell.options.get(caption, "")).strip():
                refuse(f"the cell '{label}' has no {caption}")
            if not label.startswith(prefix) and caption in cell.options:
                refuse(f"{caption} needs a label that begins with '{prefix}'")
        if label.startswith("fig-") and shown and not str(cell.options.get("fig-alt", "")).strip():
            refuse(f"the figure '{label}' has no fig-alt: say in words what it shows")
        if label.startswith(("lst-", "eq-", "sec-", "thm-")):
            refuse(f"a cell cannot carry the label '{label}'; only fig- and tbl- are numbered")

    def _inline(self, lines: Sequence[Line]) -> Iterator[str | Inline]:
        """A paragraph with its shortcodes resolved and its inline code taken out."""
        text = "\n".join(line.text for line in lines)
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line.text) + 1)

        def place(offset: int) -> Line:
            return lines[next(at for at in range(len(lines)) if offset < starts[at + 1])]

        at = 0
        plain: list[str] = []
        while at < len(text):
            if text[at] == "\\":
                plain.append(text[at : at + 2])
                at += 2
            elif text.startswith("<!--", at):
                end = text.find("-->", at)
                end = len(text) if end < 0 else end + 3
                plain.append(text[at:end])
                at = end
            elif text[at] == "`":
                ticks = len(_TICKS.match(text, at)[0])  # type: ignore[index]  # a backtick is there
                closing = next((m for m in _TICKS.finditer(text, at + ticks) if len(m[0]) == ticks), None)
                if closing is None:
                    plain.append(text[at : at + ticks])
                    at += ticks
                    continue
                content = text[at + ticks : closing.start()]
                inline = _INLINE.match(content) if ticks == 1 else None
                if inline is None:
                    plain.append(text[at : closing.end()])
                elif inline["language"] != "python":
                    found = place(at)
                    self.refuse(found.file, found.number, f"inline code '{{{inline['language']}}}' cannot be executed")
                else:
                    found = place(at)
                    yield "".join(plain)
                    plain = []
                    yield Inline(expression=inline["expression"].strip(), file=found.file, line=found.number)
                at = closing.end()
            elif (literal := _LITERAL.match(text, at)) is not None:
                plain.append("{{<" + (literal["triple"] or literal["comment"]) + ">}}")
                at = literal.end()
            elif (shortcode := _SHORTCODE.match(text, at)) is not None:
                plain.append(self._shortcode(shortcode["body"], place(at), alone=text.strip() == shortcode[0]))
                at = shortcode.end()
            else:  # up to the next character that may begin one of these
                ordinary = _ORDINARY.match(text, at + 1)
                end = ordinary.end() if ordinary else at + 1
                plain.append(text[at:end])
                at = end
        yield "".join(plain) + "\n"

    def _shortcode(self, body: str, line: Line, *, alone: bool) -> str:
        name, *arguments = body.split() or [""]
        if name in ("meta", "var") and len(arguments) == 1:
            source = self.project.metadata if name == "meta" else self.project.variables
            value: Any = source
            for key in arguments[0].split("."):
                value = value.get(key) if isinstance(value, Mapping) else None
            if name == "meta":
                self.used_metadata.add(arguments[0].split(".")[0])
            if value is None or isinstance(value, (Mapping, list)):
                self.refuse(line.file, line.number, f"the shortcode '{body}' finds no single value")
                return ""
            return str(value)
        if name == "pagebreak" and alone and not arguments:
            return "::: {.pagebreak}\n:::"
        if name == "include":
            self.refuse(line.file, line.number, "an include must stand alone on its line")
        else:
            self.refuse(line.file, line.number, f"the shortcode '{body}' is not supported")
        return ""


def _joined(parts: Sequence[str | Inline]) -> tuple[str | Inline, ...]:
    joined: list[str | Inline] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return tuple(joined)
