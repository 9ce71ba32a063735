"""How a function that is slow and always gives the same for the same input can be spared its work.

It takes a `Remember` and hands over what its answer depends on, and how to make it. Who calls it decides whether
anything is kept, and where.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from types import ModuleType

Remember = Callable[[Iterable[str], Callable[[], str]], str]
"""Called with the parts that an answer depends on and the function that makes it; returns the answer."""


def make_again(parts: Iterable[str], make: Callable[[], str]) -> str:
    """The default: keep nothing."""
    return make()


@cache
def code_of(*modules: ModuleType) -> str:
    """The text of modules, as a part of what an answer depends on: other code gives another answer."""
    return "".join(Path(module.__file__ or "").read_text(encoding="utf-8") for module in modules)


def code_below(folder: Path) -> str:
    """A checksum of all modules in a folder and below: of a whole package, where an answer depends on all of it."""
    total = hashlib.sha256()
    for place, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if name != "__pycache__")
        for name in sorted(name for name in names if name.endswith(".py")):
            path = os.path.join(place, name)  # noqa: PTH118  as texts: there are hundreds
            with open(path, "rb") as module:  # noqa: PTH123
                total.update(f"{path[len(str(folder)) :]}\0".encode() + hashlib.sha256(module.read()).digest())
    return total.hexdigest()
