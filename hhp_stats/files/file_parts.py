"""What a chapter needs of a file when it needs little of it.

A chapter's code runs again when a file it read has changed. Some read a large file for a small thing: every chapter
asks the manifest whether the data are synthetic, and an appendix asks the chapters' sources for their headings. Where
a function that reads is `as_part`, the small thing counts and not the file: a new checksum in the manifest, or an
edited sentence, then runs nothing.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

BEGIN, END = "hhp.part.begin", "hhp.part.end"  # audit events that a watching kernel hears
UNHEARD_BEGIN, UNHEARD_END = "hhp.unheard.begin", "hhp.unheard.end"  # it does not count what is opened in between


def as_part(read: Callable[[Path], T]) -> Callable[[Path], T]:
    """A function of the project's root whose value, not the files it opens, a watcher takes for what was read.

    The part is named after module and function, so that it can be read again; the value's `repr` must show all of it.
    Refuses (TypeError) a function within another, which nobody could find again.
    """
    if "<locals>" in read.__qualname__:
        raise TypeError(f"{read.__qualname__} is no part that can be read again: define it at the head of a module")
    name = f"{read.__module__}:{read.__qualname__}"

    @wraps(read)
    def noted(root: Path) -> T:
        sys.audit(BEGIN, name)
        digest = ""
        try:
            value = read(root)
            digest = digest_of(value)
        finally:
            sys.audit(END, name, digest)
        return value

    return noted


def digest_of(value: object) -> str:
    """A checksum of a part."""
    return hashlib.sha256(repr(value).encode()).hexdigest()


def digest_now(name: str, root: Path) -> str:
    """The checksum of a part as it is now; "missing" where it cannot be read."""
    module, _, function = name.partition(":")
    try:
        return digest_of(getattr(import_module(module), function)(root))
    except Exception:
        # Whatever is wrong with the file will be said by the chapter that runs because of this.
        return "missing"
