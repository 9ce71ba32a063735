"""Many files replaced as one: whatever interrupts it, the old set or the new one is there, never a mixture that is
read.

All new files are written into a folder beside the old ones. Renaming that folder is the decision: before it nothing has
changed, after it the new files are moved to their places, which may be done again from any point. `intake` refuses to
read while the folder of a decided replacement is still there (`UNFINISHED`).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from hhp_stats.errors import DataError
from hhp_stats.intake.manifest import UNFINISHED
from hhp_stats.intake.rule import Rule
from hhp_stats.processes.progress import Progress, silent

_PREPARED = "data/.replacing.partial"
_INDEX = "index.json"
_FILES = "files"
CHANGED_MEANWHILE = Rule(
    code="Y04",
    severity="error",
    rule="A raw file that was changed while an interrupted `hhp synthesise` was unfinished is never replaced.",
    remedy="Move it out of data/, then run `hhp synthesise` again, which finishes what was interrupted.",
)


def replace_all(root: Path, files: Mapping[str, bytes], *, folders: Sequence[str], progress: Progress = silent) -> None:
    """Put `files` (path below `root` -> content) in place; other files below `folders` disappear.

    The last of `files` is moved last. Call `finish_interrupted` first.
    """
    prepared, decided = root / _PREPARED, root / UNFINISHED
    shutil.rmtree(prepared, ignore_errors=True)
    (prepared / _FILES).mkdir(parents=True)
    meant = [folder for folder in folders if _any_inside(files, folder)]
    gone = sorted({path for folder in meant for path in files_in(root, folder)} - set(files))
    before = {path: _digest(root / path) for path in (*files, *gone) if (root / path).is_file()}
    index = {"files": list(files), "gone": gone, "before": before, "folders": meant}
    (prepared / _INDEX).write_text(json.dumps(index), encoding="utf-8")
    for done, (path, content) in enumerate(files.items(), start=1):
        place = prepared / _FILES / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        progress(done, len(files))
    prepared.rename(decided)
    finish_interrupted(root)


def _any_inside(files: Mapping[str, bytes], folder: str) -> bool:
    return any(path.startswith(f"{folder}/") for path in files)


def files_in(root: Path, folder: str) -> list[str]:
    """The files below a folder of the project, by their paths from `root`."""
    return [path.relative_to(root).as_posix() for path in sorted((root / folder).rglob("*")) if not path.is_dir()]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def finish_interrupted(root: Path) -> None:
    """Move what a decided replacement has not yet moved, and remove what is no longer made.

    Refuses (DataError) where somebody changed one of these files since: then nothing is moved.
    """
    decided = root / UNFINISHED
    if not decided.is_dir():
        return
    index = json.loads((decided / _INDEX).read_text(encoding="utf-8"))
    moved = [path for path in index["files"] if (decided / _FILES / path).exists()]  # others: by an earlier run
    changed = [
        path
        for path in (*moved, *index["gone"])
        if (root / path).is_file() and _digest(root / path) != index["before"].get(path)
    ]
    if changed:
        raise DataError([CHANGED_MEANWHILE.problem(file=path) for path in changed])
    for path in index["files"]:
        new = decided / _FILES / path
        if new.exists():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            new.replace(root / path)
    for path in index["gone"]:
        (root / path).unlink(missing_ok=True)
    for folder in index["folders"]:
        for path in sorted((root / folder).rglob("*"), reverse=True):
            if path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
                path.rmdir()
    gone = decided.with_name(f"{decided.name}.done")
    shutil.rmtree(gone, ignore_errors=True)
    decided.rename(gone)  # at once: a half-removed folder would have no index
    shutil.rmtree(gone, ignore_errors=True)
