"""Texts that programs made, kept under a digest of everything they were made from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from hhp_stats.processes.at_work import located

FOLDER = ".report/cache/texts"  # below the project
_MOST = 1500  # a book of twenty chapters keeps about five hundred texts for each state it was in


class KeptTexts:
    """A folder of texts named by digest. With `fresh` nothing is read that was kept before this run."""

    def __init__(self, folder: Path, *, fresh: bool = False, most: int = _MOST) -> None:
        self.folder = folder
        self.most = most
        self.fresh = fresh
        self._made: set[Path] = set()

    def text(self, parts: Iterable[str], make: Callable[[], str]) -> str:
        """What `make` returned the last time for the same `parts`, or what it returns now."""
        return self.data(parts, lambda: make().encode()).decode()

    def data(self, parts: Iterable[str], make: Callable[[], bytes]) -> bytes:
        """The same for what is no text."""
        digest = hashlib.sha256()
        for part in parts:
            data = part.encode()
            digest.update(f"{len(data)}\0".encode() + data)
        file = self.folder / f"{digest.hexdigest()[:40]}.txt"
        if not self.fresh or file in self._made:
            kept = read_checked(file)
            if kept is not None:
                with suppress(OSError):  # gone meanwhile, or not ours: what was read is right all the same
                    os.utime(file)
                return kept
        made = make()
        write_checked(file, made)
        self._made.add(file)
        return made

    def forget_oldest(self) -> None:
        """Keep the most recently used texts."""
        if not self.folder.is_dir():
            return
        files = sorted(self.folder.iterdir(), key=lambda file: file.stat().st_mtime, reverse=True)
        for file in files[self.most :]:
            file.unlink(missing_ok=True)


def write_checked(file: Path, data: bytes) -> None:
    """Whole or not at all, with a checksum in front: half a file of a full disk is nothing kept."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(f".{os.getpid()}-{id(data)}.part")
    with located(file):
        partial.write_bytes(hashlib.sha256(data).hexdigest().encode() + b"\n" + data)
    partial.replace(file)


def read_checked(file: Path) -> bytes | None:
    """What was kept, or None where there is nothing or where it was damaged: then it is made again."""
    try:
        stated, _, data = file.read_bytes().partition(b"\n")
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest().encode() == stated else None
