"""Several files of the project changed as one: whatever interrupts it, the next command finds all of them as before.

What stood there is copied below `.report/changing` first. A note of what is unfinished (`unfinished.noted`) leads there
until every file is whole; whoever finds the note of a process that is gone puts the old files back.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

from hhp_stats.files.output_guard import OutputGuard, OutputRefused
from hhp_stats.files.unfinished import CHANGING, INDEX, KEPT, noted, put_back, put_right
from hhp_stats.processes.at_work import at_work, writing


def change_together(
    root: Path, *, new: Mapping[str, bytes], edited: Mapping[str, bytes], removed: Collection[str] = (), command: str
) -> None:
    """Write `new` files and the content of `edited` ones, and take `removed` away; names are paths from the project.

    All of it is done, or nothing. Raises OutputRefused, before anything is changed, where a new file is there already
    or a path is, or leads through, a link or anything but an ordinary file; NotWritten for a full disk or a place that
    is read only; ProjectBusy where another process changes the project.
    """
    with at_work(root, "change", kept="The project stays as it was."):
        put_right(root)
        _look(root, new=new, old=(*edited, *removed), command=command)
        kept = root / CHANGING / str(os.getpid())
        with noted(root, kept, kind="change"), writing(kept):
            try:
                _keep(root, kept, new=new, old=(*edited, *removed))
                for name, content in (*new.items(), *edited.items()):
                    _write(root / name, content)
                for name in removed:
                    (root / name).unlink()
            except BaseException:
                put_back(kept)
                raise
            done = kept.with_name(f"{kept.name}.done")
            kept.rename(done)  # from here on the change stands
            shutil.rmtree(done, ignore_errors=True)


def _look(root: Path, *, new: Collection[str], old: Collection[str], command: str) -> None:
    guard = OutputGuard(root=root, command=command, for_folders=tuple({str(Path(name).parent) for name in new}))
    for name in new:
        if os.path.lexists(root / name):
            raise OutputRefused(name, "it is there already", "Move it away first.")
        guard.file(root / name)
    for name in old:
        path = root / name
        if not path.is_file() or path.is_symlink() or not path.resolve().is_relative_to(root.resolve()):
            raise OutputRefused(name, "it is no ordinary file of the project", "Put a file in place of the link.")


def _keep(root: Path, kept: Path, *, new: Collection[str], old: Collection[str]) -> None:
    """Copies of what will change, and a list of both; the list is written last, and without it nothing is put back."""
    for name in old:
        copy = kept / KEPT / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, copy)
    kept.mkdir(parents=True, exist_ok=True)
    partial = kept / f"{INDEX}.partial"
    partial.write_text(json.dumps({"old": list(old), "new": list(new)}), encoding="utf-8")
    partial.replace(kept / INDEX)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)
