"""How far a rendering is: what hears of it, and the clock of its stages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from hhp_stats.publish.kernels import ChapterState
from hhp_stats.publish.source import Source


class RenderProgress(Protocol):
    """Hears how far a rendering is; calls come from one thread."""

    def stage(self, name: str, seconds: float | None) -> None:
        """A stage begins (`seconds` is None) or has ended."""

    def chapter(self, path: str, state: ChapterState, done: int, total: int) -> None:
        """A chapter's code is reused, starts to run, or has run; `done` of `total` chapters are ready."""


class SilentProgress:
    """The default: says nothing."""

    def stage(self, name: str, seconds: float | None) -> None:
        """Pass over a stage."""

    def chapter(self, path: str, state: ChapterState, done: int, total: int) -> None:
        """Pass over a chapter."""


class Clock:
    """Times the stages and tells the caller of them."""

    def __init__(self, progress: RenderProgress) -> None:
        self.progress = progress
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """A stage lasts as long as this context; one that fails has no end."""
        self.progress.stage(name, None)
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start
        self.progress.stage(name, self.seconds[name])


def told(sources: Sequence[Source], progress: RenderProgress) -> Callable[[Source, ChapterState], None]:
    """What tells of chapters how many of them are ready."""
    ready = 0
    total = sum(1 for source in sources if source.has_code)

    def on_chapter(source: Source, state: ChapterState) -> None:
        nonlocal ready
        ready += state != "running"
        progress.chapter(source.chapter.path, state, ready, total)

    return on_chapter
