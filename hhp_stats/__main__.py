"""`python -m hhp_stats` is the same as `hhp`."""

import gc
import sys

from hhp_stats.processes.ending import end_in_order
from hhp_stats.processes.garbage import look_seldom
from hhp_stats.processes.threads import one_thread_unless_chosen


def main() -> None:
    """Entry point of `hhp`; an interruption while the libraries are still being loaded is no traceback either."""
    one_thread_unless_chosen()
    end_in_order()
    look_seldom()
    try:
        from hhp_stats.cli import main as run
    except KeyboardInterrupt as interrupt:
        sys.stderr.write("Interrupted; nothing was begun.\n")
        sys.exit(getattr(interrupt, "status", 130))
    try:
        run()
    finally:
        gc.freeze()  # the process ends: a last search for garbage in all it holds would take a moment


if __name__ == "__main__":
    main()
