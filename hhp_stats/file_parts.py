"""What a chapter needs of a file when it needs little of it.

A chapter's code runs again when a file it read has changed. Some read a large file for a small thing: every chapter
asks the manifest whether the data are synthetic, and an appendix asks the chapters' sources for their headings. Read
through `part`, the small thing counts and not the file: a new checksum in the manifest, or an edited sentence, then
runs nothing.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

# Name of the part: module and function that read it, called with the project's root.
PARTS = {
    "catalogue": ("hhp_stats.plan.catalogue", "catalogue"),
    "summarised": ("hhp_stats.plan.catalogue", "summarised"),
    "release": ("hhp_stats.present.release", "read_release"),
    "sections": ("hhp_stats.plan.book_sections", "book_sections"),
}
BEGIN, END = "hhp.part.begin", "hhp.part.end"  # audit events that a watching kernel hears


def part(name: str, read: Callable[[], T]) -> T:
    """Call `read`, and tell a watcher that its value, not the files it opens, is what was read.

    `name` is a key of `PARTS`; the value's `repr` must show all of it.
    """
    if name not in PARTS:
        raise KeyError(f"{name} is no part that can be read again: enter it in PARTS")
    sys.audit(BEGIN, name)
    digest = ""
    try:
        value = read()
        digest = digest_of(value)
    finally:
        sys.audit(END, name, digest)
    return value


def digest_of(value: object) -> str:
    """A checksum of a part."""
    return hashlib.sha256(repr(value).encode()).hexdigest()


def digest_now(name: str, root: Path) -> str:
    """The checksum of a part as it is now; "missing" where it cannot be read."""
    module, function = PARTS[name]
    try:
        return digest_of(getattr(import_module(module), function)(root))
    except Exception:
        # Whatever is wrong with the file will be said by the chapter that runs because of this.
        return "missing"
