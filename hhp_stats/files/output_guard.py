"""May a command write here? One answer for every path that any command writes: nothing is lost that it did not make.

A folder is replaced only if it is an earlier rendering, known by its marker, with nothing else in it. A file is
overwritten only if it is, byte for byte, what the same command wrote there before, or if `--force` names it. Neither
ever touches sources, data, a home folder, the root of a file system, or a repository.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from hhp_stats.errors import HhpError
from hhp_stats.files import rendering_marker, unfinished
from hhp_stats.files.protected_places import resolved, why_not_below, why_not_replaced
from hhp_stats.processes.at_work import FOLDER, writing

WRITTEN = Path(FOLDER) / "written"  # a checksum of each file that a command wrote, under a checksum of its place
_RENDERED = Path(FOLDER) / "rendered.json"  # the note of the last rendering, see publish.unchanged
_KEPT = 8  # checksums a file: an interrupted run may have noted one that it did not come to write


class OutputRefused(HhpError):
    """The path to be written holds, or lies in, something that the command did not make; the message says what to
    do.
    """

    exit_status = 2

    def __init__(self, path: Path | str, rule: str, remedy: str) -> None:
        self.path, self.rule, self.remedy = str(path), rule, remedy
        super().__init__(f"{path} is left as it is: {rule}. {remedy}")

    def __reduce__(self) -> tuple[type[OutputRefused], tuple[str, str, str]]:
        """Errors travel between processes."""
        return type(self), (self.path, self.rule, self.remedy)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputGuard:
    """Guards what one command writes for the project in `root`.

    `command` is what the user types, without the arguments. `force` are the paths that the user named to be overwritten
    all the same. `for_folders` are folders below the project that the command is there to write to, such as
    `data/allocation`. Without `noting` nothing is kept below `.report`, and so no file is known again.
    """

    root: Path
    command: str
    force: tuple[Path, ...] = ()
    for_folders: tuple[str, ...] = ()
    noting: bool = True

    # -------------------------------------------------------------- folders that are replaced as a whole
    def folder(self, path: Path) -> Path:
        """Where a rendering may go: the resolved `path`. Raises OutputRefused where something else is or would be
        there.
        """
        place = self._resolved(path)
        elsewhere = "Name another folder, such as _output."
        reason = why_not_replaced(place, self.root) or why_not_below(place, self.root, except_in=self.for_folders)
        if reason:
            raise OutputRefused(path, f"a rendering never replaces such a place: {reason}", elsewhere)
        if not os.path.lexists(place):
            self._has_folder_above(path, place)
            return place
        if not place.is_dir():
            raise OutputRefused(path, "it is a file, and a rendering is a folder", elsewhere)
        reason = rendering_marker.what_speaks_against(place, rendering_marker.place_of(place, self.root))
        if reason and not self._may_adopt(place):
            remedy = f"{elsewhere[:-1]}, or move or delete this one yourself."
            if rendering_marker.looks_like_rendering(place):
                remedy = (
                    f"If it is a report of an earlier version, delete it yourself or run `{self.command} --force"
                    f" {path}`."
                )
            raise OutputRefused(
                path,
                f"a folder is replaced only if it is an earlier rendering and holds nothing else, and {reason}",
                remedy,
            )
        return place

    def adopt(self, place: Path) -> None:
        """Mark a folder that `folder` let pass without a marker: from now on it is an earlier rendering."""
        if place.is_dir() and rendering_marker.what_speaks_against(place, None) and self._may_adopt(place):
            rendering_marker.mark(place, rendering_marker.place_of(place, self.root))

    def _may_adopt(self, place: Path) -> bool:
        """A report without a marker that the user named, that we noted file by file, or that is our own preview."""
        if not rendering_marker.looks_like_rendering(place):
            return False
        own = self._is_forced(place) or any(place == self.root.resolve() / name for name in self.for_folders)
        return own or self._was_noted(place)

    def _was_noted(self, place: Path) -> bool:
        try:
            note = json.loads((self.root / _RENDERED).read_text(encoding="utf-8"))
            return bool(note["output"] == str(place) and note["files"] == rendering_marker.digests_of_files(place))
        except (OSError, ValueError, KeyError, TypeError):
            return False

    # -------------------------------------------------------------- files
    def into(self, folder: Path) -> Path:
        """Where files may go: the resolved `folder`, there or not. Raises OutputRefused for a file, for sources and
        data.
        """
        place = self._resolved(folder)
        reason = why_not_below(place / "file", self.root, except_in=self.for_folders)
        if reason and "the data" in reason:
            raise OutputRefused(
                folder, "files are never written below data/, which holds the files received", "Give another folder."
            )
        if place.parent == place:
            reason = "it is the root of the file system"
        if reason:
            raise OutputRefused(folder, f"no command writes there: {reason}", "Give another folder.")
        self._has_folder_above(folder, place)
        return place

    def file(self, path: Path) -> Path:
        """Where a file may be written: the resolved `path`. Raises OutputRefused where something else is there."""
        place = self._resolved(path)
        if place.is_dir():
            raise OutputRefused(path, "it is a folder, and the command writes a file", "Give the name of a file.")
        reason = why_not_below(place, self.root, except_in=self.for_folders)
        if reason:
            raise OutputRefused(path, f"no command writes there: {reason}", "Give another path.")
        if not os.path.lexists(place):
            self.into(place.parent)
            return place
        if not place.is_file():
            raise OutputRefused(path, "it is no ordinary file", "Give another path.")
        if not self._is_forced(place) and not self._wrote(place):
            raise OutputRefused(
                path,
                f"a file is overwritten only if `{self.command}` wrote it and nobody changed it since",
                f"Give another path, move the file away, or overwrite this one with `--force {path}`.",
            )
        return place

    @contextmanager
    def written(self, path: Path) -> Iterator[Path]:
        """A hidden file beside `path` to write to; it takes that name when all went well, and else nothing remains.

        Raises OutputRefused as `file` does, before anything is written and again before it is replaced, and NotWritten
        where the disk is full or the place is read only.
        """
        place = self.file(path)
        unfinished.put_right(self.root)
        partial = place.with_name(f".{place.name}.{os.getpid()}.partial")
        with writing(place), ExitStack() as open_now:
            if self.noting:
                open_now.enter_context(unfinished.noted(self.root, partial, kind="partial"))
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                yield partial
                self.file(path)
                if self.noting:  # first: a file that we wrote and did not note would stay for ever
                    self._note(place, _digest(partial))
                partial.replace(place)
            finally:
                partial.unlink(missing_ok=True)

    def _resolved(self, path: Path) -> Path:
        place = resolved(path)
        if place is None:
            raise OutputRefused(path, "its links lead in a circle", "Give another path.")
        return place

    def _has_folder_above(self, path: Path, place: Path) -> None:
        above = next(each for each in (place, *place.parents) if os.path.lexists(each))
        if not above.is_dir():
            raise OutputRefused(path, f"{above.name} is a file, not a folder", "Give a folder to write into.")

    def _is_forced(self, place: Path) -> bool:
        return any(resolved(named) == place for named in self.force)

    def _register(self, place: Path) -> Path:
        name = hashlib.sha256(f"{self.command}\0{os.path.normcase(place)}".encode()).hexdigest()[:32]
        return self.root / WRITTEN / f"{name}.txt"

    def _wrote(self, place: Path) -> bool:
        try:
            return _digest(place) in self._register(place).read_text(encoding="ascii").split()
        except (OSError, UnicodeDecodeError):
            return False

    def _note(self, place: Path, digest: str) -> None:
        register = self._register(place)
        with suppress(OSError, UnicodeDecodeError):  # without a note the next run asks for --force
            register.parent.mkdir(parents=True, exist_ok=True)
            known = register.read_text(encoding="ascii").split() if register.is_file() else []
            partial = register.with_suffix(f".{os.getpid()}.part")
            partial.write_text("\n".join([*known, digest][-_KEPT:]) + "\n", encoding="ascii")
            partial.replace(register)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
