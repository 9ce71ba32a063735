"""Copies of the raw files as they were last accepted: what a later version is held against. They never leave this
machine.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from hhp_stats.intake.manifest import read_manifest, sha256_of

FOLDER = ".report/accepted"  # beside the other things kept, out of version control; may be deleted at any time


def keep_copies(root: Path) -> None:
    """Copies of all raw files that are as the manifest records them, where there is none yet; others are dropped."""
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # they are as confidential as the files themselves
    wanted = {_name(name, digest): (name, digest) for name, digest in read_manifest(root).files.items()}
    for copy, (name, digest) in wanted.items():
        path = root / name
        if not (folder / copy).exists() and path.is_file() and sha256_of(path) == digest.casefold():
            partial = folder / f"{copy}.{os.getpid()}.part"
            shutil.copyfile(path, partial)
            partial.chmod(0o600)
            partial.replace(folder / copy)
    for path in folder.iterdir():
        if path.name not in wanted and not path.name.endswith(".part"):
            path.unlink(missing_ok=True)


def accepted_copy(root: Path, name: str, digest: str) -> Path | None:
    """The copy of a file with this checksum, if there is one and nobody touched it."""
    copy = root / FOLDER / _name(name, digest)
    return copy if copy.is_file() and sha256_of(copy) == digest.casefold() else None


def _name(name: str, digest: str) -> str:
    return f"{digest.casefold()}{Path(name).suffix.casefold()}"
