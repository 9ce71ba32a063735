"""What is being written at this moment, noted below `.report/`, so that the next run can put right what a kill left.

Each piece of writing has a note of its own, locked by the process that writes: a note that can be locked belongs to a
process that is gone, however it ended and whoever has its number now.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from hhp_stats.files import rendering_marker
from hhp_stats.files.scratch import alive
from hhp_stats.processes.at_work import FOLDER, taken

NOTES = Path(FOLDER) / "unfinished"
CHANGING = Path(FOLDER) / "changing"  # what stood in the project before a change of several files
INDEX, KEPT = "index.json", "files"
_PART = re.compile(r"\.(\d+)(?:-\d+)?\.part(?:ial)?$")  # the number is that of the process that writes
LOG = "_log"  # ends the name of an allocation's log, the rest is that of its list
_count = 0


@contextlib.contextmanager
def noted(root: Path, place: Path, *, kind: str) -> Iterator[None]:
    """While this lasts, `place` is unfinished (`kind` is partial, rendering, log or change): see `put_right`.

    Where nothing can be noted, work goes on without.
    """
    global _count
    _count += 1
    with contextlib.ExitStack() as opened:
        note: Path | None = root / NOTES / f"{os.getpid()}-{_count}.json"
        try:
            assert note is not None
            note.parent.mkdir(parents=True, exist_ok=True)
            file = opened.enter_context(note.open("w", encoding="utf-8"))
            taken(file)
            file.seek(0)
            json.dump({"kind": kind, "place": str(place)}, file)
            file.flush()
        except OSError:
            note = None
        try:
            yield
        finally:
            opened.close()
            if note is not None:
                with contextlib.suppress(OSError):
                    note.unlink(missing_ok=True)


def put_right(root: Path) -> None:
    """Remove or restore what killed commands left of files and folders that were not whole yet, wherever they were to
    be.
    """
    for note in sorted((root / NOTES).glob("*.json")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            with note.open("r+", encoding="utf-8") as file:
                if not taken(file):
                    continue
                file.seek(0)
                found = json.loads(file.read() or "{}")
                if found:
                    _WAYS[found["kind"]](Path(found["place"]))
            note.unlink(missing_ok=True)


def remove_parts(root: Path) -> None:
    """Remove the first parts of files below `.report` and of figures that killed processes were writing."""
    for folder in (root / FOLDER, root / "report" / "figures"):
        for path in folder.rglob("*.part*") if folder.is_dir() else ():
            found = _PART.search(path.name)
            if found and path.is_file() and (int(found[1]) == os.getpid() or not alive(int(found[1]))):
                path.unlink(missing_ok=True)


def remove_partial(place: Path) -> None:
    """Remove a file or folder that was to get its name when whole."""
    if not (place.name.startswith(".") and place.name.endswith(".partial")):
        return  # nothing of ours
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)


def mend(place: Path) -> None:
    """Put right what a killed rendering left beside `place`: the last report stands there again, half a one is
    removed.
    """
    start = f".{place.name}."
    if not place.parent.is_dir():
        return
    for left in sorted(place.parent.iterdir()):
        kind, _, pid = left.name.removeprefix(start).partition("-")
        if not left.name.startswith(start) or kind not in ("new", "old") or not pid.isdigit():
            continue
        if int(pid) != os.getpid() and alive(int(pid)):
            continue
        if kind == "old" and not os.path.lexists(place):
            left.rename(place)  # stopped between the two renames: this is the last good one
        else:
            remove_rendering(left)


def remove_rendering(folder: Path) -> None:
    """Remove a folder that a rendering wrote; one that it did not, or that holds anything else, stays."""
    if not folder.is_dir() or folder.is_symlink():
        return
    if not any(folder.iterdir()):
        folder.rmdir()
    elif rendering_marker.is_unfinished(folder) or rendering_marker.what_speaks_against(folder, None) is None:
        shutil.rmtree(folder, ignore_errors=True)


def remove_lone_log(place: Path) -> None:
    """Remove the log of an allocation whose list was never written."""
    allocation = place.with_name(f"{place.stem.removesuffix(LOG)}{place.suffix}")
    if place.stem.endswith(LOG) and not os.path.lexists(allocation):
        place.unlink(missing_ok=True)


def put_back(kept: Path) -> None:
    """Put the files of the project back as they were before a change that did not come to its end.

    `kept` holds them, by their paths from the project; without its list nothing had been changed yet.
    """
    root = kept.parents[len(CHANGING.parts)]
    index = kept / INDEX
    if index.is_file():
        listed = json.loads(index.read_text(encoding="utf-8"))
        for name in listed["old"]:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_name(f".{path.name}.partial")
            shutil.copy2(kept / KEPT / name, beside)
            beside.replace(path)
        for name in listed["new"]:
            path = root / name
            path.unlink(missing_ok=True)
            path.with_name(f".{path.name}.partial").unlink(missing_ok=True)
            _remove_empty(path.parent, root)
    shutil.rmtree(kept, ignore_errors=True)


def _remove_empty(folder: Path, root: Path) -> None:
    while folder != root and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


_WAYS: Mapping[str, Callable[[Path], object]] = {
    "partial": remove_partial,
    "rendering": mend,
    "log": remove_lone_log,
    "change": put_back,
}
