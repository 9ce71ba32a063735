"""One thread of linear algebra a process: work is shared out over processes, whose threads would fight for the
cores.
"""

from __future__ import annotations

import os

NAMES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def one_thread_unless_chosen() -> None:
    """Set the libraries' own variables where the user has not; they are read when numpy is loaded, so before that."""
    for name in NAMES:
        os.environ.setdefault(name, "1")
