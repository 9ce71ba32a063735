"""Where a module, function, class or method of this package stands, and what it says of itself: read off its source.

Nothing is imported for it: the estimators with all their libraries take two seconds to be loaded.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hhp_stats.errors import HhpError

PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One definition: its file, first line (that of a decorator, where it has one), docstring and source."""

    path: Path
    line: int
    doc: str
    source: str


def definition(name: str) -> Definition:
    """Find a dotted name of this package; refuses one that leads nowhere (HhpError)."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        place = PACKAGE.parent.joinpath(*parts[:cut])
        path = next((each for each in (place.with_suffix(".py"), place / "__init__.py") if each.is_file()), None)
        if path is not None and parts[0] == PACKAGE.name:
            return _within(path, parts[cut:], name)
    raise HhpError(f"{name}: no such module")


def _within(path: Path, inner: list[str], name: str) -> Definition:
    text = path.read_text(encoding="utf-8")
    tree = _parsed(text)
    if not inner:
        return Definition(path=path, line=1, doc=ast.get_docstring(tree) or "", source=text)
    found: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef = tree
    for part in inner:
        # The last of a name holds, as when the module is imported.
        named = [
            node
            for node in found.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == part
        ]
        if not named:
            raise HhpError(f"{name}: {part} does not exist")
        found = named[-1]
    assert not isinstance(found, ast.Module)
    first = min(node.lineno for node in (found, *found.decorator_list))
    lines = text.splitlines(keepends=True)[first - 1 : found.end_lineno]
    return Definition(path=path, line=first, doc=ast.get_docstring(found) or "", source="".join(lines))


@lru_cache(maxsize=8)
def _parsed(text: str) -> ast.Module:
    """Names are asked for in their order: those of one module follow each other."""
    return ast.parse(text)
