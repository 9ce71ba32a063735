"""Run a program that ends, with all it started, when the process ends that asked for it.

`python tied_program.py PARENT PROGRAM ...`, as the leader of a process group. A program of its own, so that nothing of
Python's has to run in a copy of a process with threads. For Linux, where the system tells a process that its parent
is gone.
"""

import ctypes
import os
import signal
import subprocess
import sys

if __name__ == "__main__":
    parent, *arguments = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: os.killpg(0, signal.SIGKILL))
    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)  # PR_SET_PDEATHSIG, prctl(2)
    if os.getppid() == int(parent):
        sys.exit(subprocess.call(arguments))
