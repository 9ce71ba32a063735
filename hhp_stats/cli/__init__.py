"""The `hhp` command: thin; every command calls one function of the package.

Exit status: 0 done, 1 the data or the plan has problems (listed), 2 wrong use.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

from rich.text import Text

from hhp_stats.cli import accept, audit, data, design, releases, report, start_real, studies
from hhp_stats.cli.shared import app, screen
from hhp_stats.cli.streams import guard_streams
from hhp_stats.errors import HhpError
from hhp_stats.processes.at_work import what_to_do

__all__ = ["accept", "app", "audit", "data", "design", "main", "releases", "report", "start_real", "studies"]


def main() -> None:
    """Entry point: prints errors raised on purpose without a traceback and ends with their status."""
    guard_streams()
    try:
        try:
            app(standalone_mode=True)
        finally:
            sys.stdout.flush()  # whatever is the matter with it is noticed here and not when the interpreter ends
    except HhpError as error:
        screen.print(Text(str(error)), style="red")
        sys.exit(error.exit_status)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        place = f" ({error.filename})" if error.filename else ""
        remedy = what_to_do(error) or "Check the path, its permissions and the space left, then try again"
        screen.print(Text(f"A file could not be read or written: {reason}{place}: {remedy}."), style="red")
        sys.exit(1)
    except KeyboardInterrupt as interrupt:
        screen.print("Interrupted; what was there before stands as it was.", style="red")
        sys.exit(getattr(interrupt, "status", 130))
    except Exception as error:
        if os.environ.get("HHP_TRACEBACK") == "1":  # for developers, with synthetic data
            raise
        # A message of a library may quote a cell, and with it a name: only the place in the code is shown.
        *_, (frame, line) = traceback.walk_tb(error.__traceback__)
        place = f"{Path(frame.f_code.co_filename).name}:{line}"
        ours = [
            f"{Path(f.f_code.co_filename).name}:{n}"
            for f, n in traceback.walk_tb(error.__traceback__)
            if "hhp_stats" in f.f_code.co_filename
        ]
        screen.print(
            Text(
                f"A fault in hhp_stats: {type(error).__name__} at {place} (called from {', '.join(ours[-3:])}). Its"
                " message is not shown, since it may quote data. Report these words; the inputs are unchanged."
            ),
            style="red",
        )
        sys.exit(70)
