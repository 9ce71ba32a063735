"""The `hhp` command: thin; every command calls one function of the package.

Exit status: 0 done, 1 the data or the plan has problems (listed), 2 wrong use.
"""

from __future__ import annotations

import sys

from hhp_stats.cli import data, design, releases, report
from hhp_stats.cli.shared import app, screen
from hhp_stats.errors import HhpError

__all__ = ["app", "data", "design", "main", "releases", "report"]


def main() -> None:
    """Entry point: prints errors raised on purpose without a traceback and ends with their status."""
    try:
        app(standalone_mode=True)
    except HhpError as error:
        screen.print(str(error), style="red", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        screen.print("Interrupted; nothing was left half-written.", style="red")
        sys.exit(130)
