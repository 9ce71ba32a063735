"""What does the report print? Every sentence and every cell of every table that its chapters ask for, as text.

The chapters' cells are read, not run: a chapter binds a name to a study (`gs = goal_setting.chapter()`) and asks it
for things by name (`gs.say("primary")`, `gs.table("primary")`). Those requests are made again here, on the same
results, without figures and without a kernel.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, get_type_hints

import pandas as pd
from great_tables import GT

from hhp_stats.errors import UnknownName
from hhp_stats.publish.project import load_project
from hhp_stats.publish.qmd import read_chapter
from hhp_stats.publish.source import Cell, Inline, Source

# The page about changes does not report its own changes: what opens it is no presenter of studies.
PRESENTERS = "hhp_stats.present"
OPENERS = ("chapter", "appendix")
REGISTRIES = {"table": "TABLES", "figure": "FIGURES", "say": "SENTENCES"}
# Figures are drawn from the rows that stand in tables; inputs and software are compared as such, not as print.
NOT_READ = ("figure", "inputs", "software")


# Numbers carry the id of their result between private characters until the page is made.
_MARK = re.compile("\ue000[^\ue001]*\ue001|\ue002")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One thing a chapter asks for: `method` of what `opener` opens, with literal arguments."""

    chapter: str  # path of the source
    label: str  # of the cell, or the text of the request
    line: int
    module: str
    opener: str
    opened_with: tuple[tuple[Any, ...], tuple[tuple[str, Any], ...]]
    method: str
    arguments: tuple[tuple[Any, ...], tuple[tuple[str, Any], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """Sentences by chapter and request; table cells by chapter and label, then row and column."""

    sentences: Mapping[str, str]
    tables: Mapping[str, Mapping[str, str]]
    asked: tuple[Request, ...] = ()  # what was asked for, so that it can be asked again later

    def record(self) -> dict[str, Any]:
        """As plain objects, for JSON."""
        return {
            "sentences": dict(self.sentences),
            "tables": {name: dict(cells) for name, cells in self.tables.items()},
            "asked": [asdict(request) for request in self.asked],
        }


def read_printed(record: Mapping[str, Any]) -> Printed:
    """The inverse of `Printed.record`. Raises KeyError or TypeError for anything else."""
    asked = [Request(**{name: _tuples(value) for name, value in line.items()}) for line in record["asked"]]
    return Printed(sentences=dict(record["sentences"]), tables=dict(record["tables"]), asked=tuple(asked))


def _tuples(value: Any) -> Any:
    return tuple(_tuples(each) for each in value) if isinstance(value, list) else value


def requests(root: Path) -> list[Request]:
    """Everything the chapters of the book in `root` ask their studies for, in the order of the book."""
    project = load_project(root)
    return [found for chapter in project.chapters for found in _of_chapter(read_chapter(project, chapter))]


def function_of(request: Request) -> Any:
    """The function behind a request: the registry's entry of that name, or the method of the opened object itself."""
    module = import_module(request.module)
    kind = REGISTRIES.get(request.method, "")
    registry = {**getattr(module, kind, {}), **getattr(module, f"OWN_{kind}", {})}  # shared entries, then its own
    name = str(request.arguments[0][0]).partition("/")[0] if request.arguments[0] else ""
    if name in registry:
        return registry[name]
    return getattr(get_type_hints(getattr(module, request.opener))["return"], request.method)


def printed(root: Path, *, asked: Sequence[Request] | None = None) -> Printed:
    """Make every sentence and table of the book again as text; with `asked`, those instead of what the chapters ask
    for.

    Raises what the presenters raise where results are missing (HhpError): a record with holes would later look like
    a sentence that was withdrawn. Of `asked`, what no longer exists under its name is left out.
    """
    wanted = requests(root) if asked is None else asked
    opened: dict[tuple[str, str, str], Any] = {}
    sentences: dict[str, str] = {}
    tables: dict[str, dict[str, str]] = {}
    for request in wanted:
        if request.method in NOT_READ or (asked is not None and not _exists(request)):
            continue
        key = (request.module, request.opener, repr(request.opened_with))
        if key not in opened:
            values, named = request.opened_with
            opened[key] = getattr(import_module(request.module), request.opener)(
                *values, **dict(named) | {"root": root}
            )
        values, named = request.arguments
        try:
            made = getattr(opened[key], request.method)(*values, **dict(named))
        except UnknownName:
            if asked is None:
                raise
            continue
        name = f"{request.chapter} {request.label}"
        if isinstance(made, GT):
            tables[name] = _cells(made)
        elif isinstance(made, str) and "\n" not in made:  # more lines: a table in Markdown, printed by a cell
            sentences[name] = _MARK.sub("", made)
    return Printed(sentences=sentences, tables=tables, asked=tuple(wanted))


def _exists(request: Request) -> bool:
    try:
        return function_of(request) is not None
    except (ImportError, AttributeError, KeyError):
        return False


def _cells(table: GT) -> dict[str, str]:
    """`row / column` -> text of a table of formatted cells; rows of one name are numbered."""
    frame: Any = table._tbl_data  # great_tables has no public way to the cells
    if not isinstance(frame, pd.DataFrame):
        return {}
    stub, *columns = [str(name) for name in frame.columns]
    seen: dict[str, int] = {}
    cells: dict[str, str] = {}
    for row in frame.to_dict("records"):
        label = _MARK.sub("", str(row[stub])).strip()
        seen[label] = seen.get(label, 0) + 1
        place = label if seen[label] == 1 else f"{label} ({seen[label]})"
        cells |= {f"{place} / {column}": _MARK.sub("", str(row[column])) for column in columns}
    return cells


def _of_chapter(source: Source) -> Iterator[Request]:
    modules: dict[str, str] = {}  # name in the chapter -> module, or module.function
    bound: dict[str, tuple[str, str, Any]] = {}
    for step in _steps(source):
        code = step.source if isinstance(step, Cell) else step.expression
        tree = ast.parse(code)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                modules |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                opener = _opener(node.value, modules)
                literal = _literal(node.value)
                if opener and literal is not None:
                    bound |= {target.id: (*opener, literal) for target in node.targets if isinstance(target, ast.Name)}
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            owner, method, literal = node.func.value, node.func.attr, _literal(node)
            if not isinstance(owner, ast.Name) or owner.id not in bound or literal is None:
                continue
            module, function, opened_with = bound[owner.id]
            label = step.label if isinstance(step, Cell) and step.label else ast.unparse(node)
            yield Request(
                chapter=source.chapter.path,
                label=label,
                line=step.line,
                module=module,
                opener=function,
                opened_with=opened_with,
                method=method,
                arguments=literal,
            )


def _opener(call: ast.Call, modules: Mapping[str, str]) -> tuple[str, str] | None:
    """The module and function of `goal_setting.chapter(...)` or `appendix(...)`, if the call is one of these."""
    func = call.func
    if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
        module, name = modules.get(func.value.id, ""), func.attr
    elif isinstance(func, ast.Name):
        module, _, name = modules.get(func.id, "").rpartition(".")
    else:
        return None
    wanted = name in OPENERS and module.startswith(PRESENTERS)
    return (module, name) if wanted else None


def _literal(call: ast.Call) -> tuple[tuple[Any, ...], tuple[tuple[str, Any], ...]] | None:
    try:
        values = tuple(ast.literal_eval(value) for value in call.args)
        named = tuple((word.arg, ast.literal_eval(word.value)) for word in call.keywords if word.arg)
    except ValueError:
        return None
    return values, named


def _steps(source: Source) -> Iterator[Cell | Inline]:
    for piece in source.pieces:
        if isinstance(piece, Cell):
            yield piece
        else:
            yield from (part for part in piece.parts if isinstance(part, Inline))
