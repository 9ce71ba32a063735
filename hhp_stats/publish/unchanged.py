"""Does the last report still say what the project says? Then there is nothing to do.

The key is over every file that a rendering may read: sources, data, package, lock, the installed packages, settings.
It is noted with a checksum of every file that was written, so that a report somebody edited or half deleted is made
again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

from hhp_stats.files.rendering_marker import digests_of_files
from hhp_stats.publish.digests import digest_environment, digest_files, digest_settings
from hhp_stats.publish.quarto_cli import left_by_quarto

PACKAGE = Path(__file__).resolve().parent.parent
NOTE = Path(".report") / "rendered.json"
_READ = ("_quarto.yml", "report", "data", "requirements.lock")
_SOURCES = "report/"
_OUTPUTS = f"{_SOURCES}figures/"


def report_key(root: Path, *, formats: Sequence[str], engine: str) -> str:
    """One checksum of everything that the report is made from."""
    read = [root / name for name in _READ if (root / name).exists()] + sorted(root.glob("*.qmd"))
    parts = [
        digest_files(root, read, left_out=_made),
        digest_files(root, [PACKAGE]),
        digest_environment(),
        digest_settings(),
        engine,
        *sorted(formats),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _made(name: str) -> bool:
    """Whether a rendering writes the file of this name, or leaves it when it is interrupted."""
    return name.startswith(_OUTPUTS) or (name.startswith(_SOURCES) and any(map(left_by_quarto, name.split("/"))))


def still_stands(root: Path, output: Path, key: str) -> bool:
    """Whether `output` is the report that was rendered under this key, whole and unedited."""
    try:
        note = json.loads((root / NOTE).read_text(encoding="utf-8"))
        return bool(
            note["key"] == key and note["output"] == str(output.resolve()) and note["files"] == digests_of_files(output)
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def note_report(root: Path, output: Path, key: str) -> None:
    """Say under which key the report in `output` was rendered."""
    note = {"key": key, "output": str(output.resolve()), "files": digests_of_files(output)}
    partial = (root / NOTE).with_suffix(f".{os.getpid()}.part")
    partial.write_text(json.dumps(note, indent=1, sort_keys=True), encoding="utf-8")
    partial.replace(root / NOTE)
