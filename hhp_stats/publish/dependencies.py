"""What did a chapter's code read? Its kernel takes notes, so that it runs again when one of those files changes, and
only then.

The kernel notes every file that Python opens to read, with a checksum of what stood in it at that moment, and at the
end every module of this package that was imported. Of some files a part counts (`file_parts`). Files that the code
only asks for (does it exist?) leave no trace: so the names of all files of data and results, without their contents,
count for every chapter.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from hhp_stats.files.file_parts import digest_now
from hhp_stats.publish.digests import digest_settings
from hhp_stats.publish.quarto_cli import left_by_quarto

MIME = "application/vnd.hhp.dependencies+json"
_PACKAGE = Path(__file__).resolve().parent.parent
_NAMED = ("data", ".report/results", "report")

# Runs in the kernel before any cell. `open` within the hook is Python's own, so it must not note itself.
WATCH = f"""
def __hhp_watch():
    import hashlib, os, sys
    roots = tuple(os.path.realpath(root) + os.sep for root in (os.getcwd(), {str(_PACKAGE)!r}))
    ignored = tuple(roots[0] + name for name in (".report/cache", "report/figures", "_output", ".venv"))
    read, written, parts, busy, real_folders = {{}}, set(), {{}}, [], {{}}

    def real_folder(folder):
        # Followed once, since thousands of files are opened.
        if folder not in real_folders:
            real_folders[folder] = os.path.realpath(folder)
        return real_folders[folder]

    def real(path):
        # Links on the way count as their targets.
        folder, name = os.path.split(os.path.abspath(path))
        path = os.path.join(real_folder(folder), name)
        return os.path.realpath(path) if os.path.islink(path) else path

    def note(event, given):
        if event == "hhp.part.begin":
            busy.append(given[0])
        elif event == "hhp.part.end":
            busy.remove(given[0])
            parts["part:" + given[0]] = given[1]
        elif event == "hhp.unheard.begin":
            busy.append(event)
        elif event == "hhp.unheard.end":
            busy.remove("hhp.unheard.begin")
        if event != "open" or busy or not isinstance(given[0], str):
            return
        if given[0].endswith(".pyc"):
            return
        path = real(given[0])
        if not path.startswith(roots) or path.startswith(ignored):
            return
        mode = given[1]
        if isinstance(mode, str) and set(mode) & set("wax+"):
            written.add(path)
        elif path not in read:
            busy.append(path)
            try:
                with open(path, "rb") as file:
                    read[path] = hashlib.sha256(file.read()).hexdigest()
            except OSError:
                pass
            finally:
                busy.pop()

    def report():
        from IPython.display import publish_display_data
        busy.append("done")
        package = roots[1]
        for module in list(sys.modules.values()):
            path = getattr(module, "__file__", None) or "/"
            # As of thousands, in few folders.
            if not (real_folder(os.path.dirname(path)) + os.sep).startswith(package):
                continue
            path = real(path)
            if module.__name__ != "__main__" and path.startswith(package) and path not in read:
                with open(path, "rb") as file:
                    read[path] = hashlib.sha256(file.read()).hexdigest()
        found = {{path: digest for path, digest in read.items() if path not in written}}
        publish_display_data({{{MIME!r}: found | parts}})

    sys.addaudithook(note)
    return report

__hhp_report = __hhp_watch()
"""
REPORT = "__hhp_report()"


def relative(root: Path, read: Mapping[str, str]) -> dict[str, str]:
    """What a kernel noted, with names that hold on another machine: below the project, or below the package."""
    found = {}
    for path, digest in read.items():
        if path.startswith("part:"):
            found[path] = digest
            continue
        file = Path(path)
        for mark, base in (("package", _PACKAGE), ("project", root.resolve())):
            if file.is_relative_to(base):
                found[f"{mark}:{file.relative_to(base).as_posix()}"] = digest
                break
    return dict(sorted(found.items()))


class Files:
    """Checksums of files as they are now, each computed once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bases = {"project": root.resolve(), "package": _PACKAGE}
        self.known: dict[str, str] = {}

    def unchanged(self, noted: Mapping[str, str]) -> bool:
        """Whether every noted file still holds what it held."""
        return all(self._digest(name) == digest for name, digest in noted.items())

    def _digest(self, name: str) -> str:
        if name not in self.known:
            mark, _, path = name.partition(":")
            if mark == "part":
                self.known[name] = digest_now(path, self.root)
                return self.known[name]
            file = self.bases[mark] / path
            try:
                self.known[name] = hashlib.sha256(file.read_bytes()).hexdigest()
            except OSError:
                self.known[name] = "missing"
        return self.known[name]


def digest_names(root: Path, folders: Iterable[str] = _NAMED) -> str:
    """One checksum over the names of all files that code might ask for, and over the settings it might read."""
    total = hashlib.sha256()
    for folder in folders:
        for place, inner, names in os.walk(root / folder):
            # In place, so that the walk goes neither into what chapters make themselves nor in another order elsewhere.
            inner[:] = sorted(name for name in inner if name not in ("__pycache__", "figures"))
            if folder == "report":
                inner[:] = [name for name in inner if not left_by_quarto(name)]
                names = [name for name in names if not left_by_quarto(name)]
            total.update(os.path.relpath(place, root).encode() + b"\0" + "\0".join(sorted(names)).encode() + b"\n")
    total.update(digest_settings().encode())
    return total.hexdigest()
