"""Folders for a moment, below the system's own for temporary files; those of a killed process are removed by the next
one.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile

_NAME = re.compile(r"hhp-(\d+)-\w+")


def scratch_folder() -> tempfile.TemporaryDirectory[str]:
    """A new folder of this process; it goes with `cleanup`, or with the end of the context."""
    _remove_orphans()
    return tempfile.TemporaryDirectory(prefix=f"hhp-{os.getpid()}-", ignore_cleanup_errors=True)


def _remove_orphans() -> None:
    """Remove such folders of our own user whose process is gone."""
    if os.name != "posix":  # elsewhere there is no harmless way to ask whether a process lives
        return
    with contextlib.suppress(OSError):
        for entry in os.scandir(tempfile.gettempdir()):
            found = _NAME.fullmatch(entry.name)
            ours = found and entry.is_dir(follow_symlinks=False) and entry.stat().st_uid == os.getuid()
            if found and ours and not alive(int(found[1])):
                shutil.rmtree(entry.path, ignore_errors=True)


def alive(pid: int) -> bool:
    """Is there a process of this number? Where a system cannot be asked without harm (Windows): yes."""
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
