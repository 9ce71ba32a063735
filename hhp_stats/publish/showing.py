"""Which steps of a chapter only show something? Of these one may be changed without running the others again.

A step only shows where all it does is to ask the presenters: expressions of calls and values, whose names were bound
by importing from `hhp_stats.present` or by calling such, or are Python's own functions without effect. Presenters are
frozen and edit nothing; a step that binds a name, calls a method that may edit what it belongs to (`_EDITS`), or asks
anything else, may change what the steps after it show.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator, Sequence

from hhp_stats.publish.source import Cell, Inline

PRESENTERS = "hhp_stats.present"
_WITHOUT_EFFECT = frozenset(
    each.__name__
    for each in (abs, bool, dict, float, format, int, len, list, max, min, print, range, round, sorted, str, sum, tuple)
)
_EXPRESSIONS = (
    ast.Attribute,
    ast.BinOp,
    ast.BoolOp,
    ast.Call,
    ast.Compare,
    ast.Constant,
    ast.Dict,
    ast.FormattedValue,
    ast.IfExp,
    ast.JoinedStr,
    ast.keyword,
    ast.List,
    ast.Name,
    ast.Slice,
    ast.Starred,
    ast.Subscript,
    ast.Tuple,
    ast.UnaryOp,
    ast.boolop,
    ast.cmpop,
    ast.expr_context,
    ast.operator,
    ast.unaryop,
)

# Methods of Python's and pandas' own that change what they belong to, or write files.
_EDITS = re.compile(
    r"(append|extend|insert|pop|popitem|update|clear|remove|sort|reverse|setdefault|add|discard)$"
    r"|(write|to_|set|__)\w*$"
)


def keys_of(planned: Sequence[Cell | Inline]) -> list[tuple[str, bool]]:
    """For each step the key under which what it showed may be kept, and whether it only shows.

    The key stands for the step's own code and for every step before it that does more than show: the same key means
    the same outputs, as long as the files that the chapter read are the same.
    """
    before, found = hashlib.sha256(), []
    known: set[str] = set(_WITHOUT_EFFECT)
    for step in planned:
        code = _code(step)
        shows = only_shows(step, known)
        own = before.copy()
        own.update(code)
        found.append((own.hexdigest()[:20], shows))
        if not shows:
            before.update(code + b"\0")
            known = _known_after(step, known)
    return found


def _code(step: Cell | Inline) -> bytes:
    if isinstance(step, Cell):
        return f"\0cell {bool(step.options['error'])}\0{step.source}".encode()
    return f"\0inline\0{step.expression}".encode()


def only_shows(step: Cell | Inline, known: set[str]) -> bool:
    """Is a step nothing but expressions of the presenters, and of the `known` names?"""
    tree = _parsed(step)
    return (
        tree is not None
        and bool(tree.body)
        and all(isinstance(part, ast.Expr) and _asks_only(part.value, known) for part in tree.body)
    )


def _parsed(step: Cell | Inline) -> ast.Module | None:
    """The step's code as Python; None where it is none, as a line of IPython's is not."""
    try:
        return ast.parse(step.source if isinstance(step, Cell) else f"(\n{step.expression}\n)")
    except SyntaxError:
        return None


def _asks_only(value: ast.expr, known: set[str]) -> bool:
    for part in ast.walk(value):
        if not isinstance(part, _EXPRESSIONS):
            return False
        if isinstance(part, ast.Name) and part.id not in known:
            return False
        if isinstance(part, ast.keyword) and part.arg in ("inplace", "file"):
            return False
        if isinstance(part, ast.Attribute) and _EDITS.match(part.attr):
            return False
    return True


def _known_after(step: Cell | Inline, known: set[str]) -> set[str]:
    """The names that stand for presenters, or for what they made, after a step that binds some."""
    tree = _parsed(step)
    if tree is None:
        return set()  # nothing is known of what it did
    found = set(known)
    for part in tree.body:
        if isinstance(part, ast.ImportFrom) and not part.level and _of_presenters(part.module or ""):
            found |= {alias.asname or alias.name for alias in part.names}
        elif isinstance(part, ast.Assign) and _made_by_presenters(part, found):
            found |= {target.id for target in part.targets if isinstance(target, ast.Name)}
        elif not (isinstance(part, ast.Expr) and _asks_only(part.value, found)):
            found -= set(_bound(part))
            if not isinstance(part, (ast.Import, ast.ImportFrom)):
                # It may have changed whatever it names.
                found -= {each.id for each in ast.walk(part) if isinstance(each, ast.Name)} - _WITHOUT_EFFECT
    return found


def _made_by_presenters(part: ast.Assign, known: set[str]) -> bool:
    """Is it a name for what a call of known names gives? Lists and the like could be edited by anybody."""
    names = all(isinstance(target, ast.Name) for target in part.targets)
    return names and isinstance(part.value, ast.Call) and _asks_only(part.value, known)


def _of_presenters(module: str) -> bool:
    return module == PRESENTERS or module.startswith(f"{PRESENTERS}.")


def _bound(part: ast.stmt) -> Iterator[str]:
    for each in ast.walk(part):
        if isinstance(each, ast.Name) and isinstance(each.ctx, (ast.Store, ast.Del)):
            yield each.id
        elif isinstance(each, ast.alias):
            yield (each.asname or each.name).partition(".")[0]
        elif isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield each.name
