"""How long calls tell a caller how far they are, without knowing how it is shown."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with (done, total) now and then; the command line turns it into a bar."""


def silent(done: int, total: int) -> None:
    """The default: say nothing."""
