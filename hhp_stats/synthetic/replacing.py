"""Many files replaced as one: whatever interrupts it, the old set or the new one is there, never a mixture that is read.

All new files are written into a folder beside the old ones. Renaming that folder is the decision: before it nothing has
changed, after it the new files are moved to their places, which may be done again from any point. `intake` refuses to
read while the folder of a decided replacement is still there (`UNFINISHED`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from hhp_stats.intake.manifest import UNFINISHED
from hhp_stats.progress import Progress, silent

_PREPARED = "data/.replacing.partial"
_INDEX = "index.json"
_FILES = "files"


def replace_all(root: Path, files: Mapping[str, bytes], *, folders: Sequence[str], progress: Progress = silent) -> None:
    """Put `files` (path below `root` -> content) in place; other files below `folders` disappear.

    The last of `files` is moved last. Call `finish_interrupted` first.
    """
    prepared, decided = root / _PREPARED, root / UNFINISHED
    shutil.rmtree(prepared, ignore_errors=True)
    (prepared / _FILES).mkdir(parents=True)
    index = {"files": list(files), "folders": [folder for folder in folders if _any_inside(files, folder)]}
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


def finish_interrupted(root: Path) -> None:
    """Move what a decided replacement has not yet moved, and remove what is no longer made."""
    decided = root / UNFINISHED
    if not decided.is_dir():
        return
    index = json.loads((decided / _INDEX).read_text(encoding="utf-8"))
    for path in index["files"]:
        new = decided / _FILES / path
        if new.exists():  # else an earlier run has moved it
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            new.replace(root / path)
    kept = {root / path for path in index["files"]}
    for folder in index["folders"]:
        for path in sorted((root / folder).rglob("*"), reverse=True):
            if path.is_dir():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path not in kept:
                path.unlink()
    gone = decided.with_name(f"{decided.name}.done")
    shutil.rmtree(gone, ignore_errors=True)
    decided.rename(gone)  # at once: a half-removed folder would have no index
    shutil.rmtree(gone, ignore_errors=True)
