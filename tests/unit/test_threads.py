"""The commands use one thread of linear algebra a process, unless the user chose."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from hhp_stats.processes.threads import NAMES

PROGRAM = "import os, sys; sys.argv = ['hhp', '--version']\nfrom hhp_stats.__main__ import main\n"
SHOW = (
    "try:\n    assert 'numpy' not in sys.modules\n    main()\nexcept SystemExit:\n   "
    " print(os.environ['OPENBLAS_NUM_THREADS'])\n"
)


@pytest.mark.parametrize(("chosen", "used"), [(None, "1"), ("3", "3")])
def test_one_thread_unless_the_user_chose(chosen, used) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in NAMES}
    if chosen:
        environment["OPENBLAS_NUM_THREADS"] = chosen
    done = subprocess.run([sys.executable, "-c", PROGRAM + SHOW], env=environment, capture_output=True, text=True)
    assert done.stdout.split()[-1] == used, done.stderr
