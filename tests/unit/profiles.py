"""Which functions of the package did a run enter? By the profiler of Python itself, which costs little."""

from __future__ import annotations

import cProfile
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import TypeVar

import hhp_stats

Made = TypeVar("Made")
ROOT = Path(hhp_stats.__file__).resolve().parents[1]
PACKAGE = f"{ROOT / 'hhp_stats'}/"


def profiled(run: Callable[[], Made]) -> tuple[Made, frozenset[str]]:
    """What a run in this process made, and the full names of the functions that it entered."""
    profile = cProfile.Profile()
    made = profile.runcall(run)
    codes = [entry.code for entry in profile.getstats() if isinstance(entry.code, CodeType)]
    return made, frozenset(name_of(code) for code in codes if code.co_filename.startswith(PACKAGE))


def name_of(code: CodeType) -> str:
    """The full name of a function of the package by its code, as sources have it."""
    file = code.co_filename.removeprefix(f"{ROOT}/").removesuffix(".py").replace("/", ".")
    return f"{file.removesuffix('.__init__')}.{code.co_qualname}"
