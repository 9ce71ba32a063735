"""What was asked for while something was made and could not be had: results without a number, tables without a line.

Whoever reads rows and tables notes it here (`note`); whoever shows what is made of them asks (`noted`), so that a page
can say why something is not on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_now: ContextVar[list[str] | None] = ContextVar("what is lacking", default=None)


@contextmanager
def noted() -> Iterator[list[str]]:
    """The reasons noted inside, the first one first; a noting within another one notes for both."""
    outer, reasons = _now.get(), list[str]()
    token = _now.set(reasons)
    try:
        yield reasons
    finally:
        _now.reset(token)
        if outer is not None:
            outer.extend(reasons)


def note(reason: str) -> None:
    """Say that something read now has no number, and why; nothing where nobody asks."""
    reasons = _now.get()
    if reasons is not None and reason not in reasons:
        reasons.append(reason)
