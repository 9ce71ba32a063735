"""What was asked for while something was made and could not be had: results without a number, tables without a line.

Whoever reads rows and tables notes it here (`note`); whoever shows what is made of them asks (`noted`), so that a page
can say why something is not on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from hhp_stats import errors

_KIND = re.compile(rf"^(?:{'|'.join([*(name for name in vars(errors) if name[:1].isupper()), 'LinAlgError'])}): ")
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


def as_sentence(reason: str) -> str:
    """The reason of a row or table as a sentence for readers: without the kind of error that stands before it."""
    said = _KIND.sub("", reason).strip().rstrip(".")
    return f"{said[:1].upper()}{said[1:]}."


def is_refusal(reason: str) -> bool:
    """Whether a row's reason is that the data do not allow it, and not a finding, such as that nothing was found."""
    return bool(_KIND.match(reason))
