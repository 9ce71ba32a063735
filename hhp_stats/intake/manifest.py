"""Are these the files of the release? Status, checksums, and what replaced what."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hhp_stats.errors import DataError, Problem
from hhp_stats.intake.raw_files import MANIFEST, concerns, raw_files
from hhp_stats.intake.rule import Rule

STATUSES = ("synthetic", "real")

BAD_MANIFEST = Rule(
    code="M01", severity="error",
    rule="data/manifest.toml must say status = \"synthetic\" or \"real\" and list files with their SHA-256.",
    remedy="Restore it, or write it anew with `record_files`.",
)  # fmt: skip
FILE_GONE = Rule(
    code="M02", severity="error",
    rule="A file of the manifest must be there.",
    remedy="Restore the file, or record the files anew if it was taken out on purpose.",
)  # fmt: skip
FILE_CHANGED = Rule(
    code="M03", severity="warning",
    rule="A file differs from the one that the manifest records: it was replaced since the release.",
    remedy="If the replacement is meant, record the files anew; the report shows the new checksum either way.",
)  # fmt: skip
FILE_UNLISTED = Rule(
    code="M04", severity="warning",
    rule="A raw file that is read should stand in the manifest.",
    remedy="Record the files anew.",
)  # fmt: skip

HALF_REPLACED = Rule(
    code="M05", severity="error",
    rule="No data are read while an interrupted replacement of the raw files is unfinished.",
    remedy="Run `hhp synthesise` again: it finishes what was interrupted.",
)  # fmt: skip
UNFINISHED = "data/.replacing"  # there while files are moved to their places; see hhp_stats.synthetic.replacing

MANIFEST_RULES = (BAD_MANIFEST, FILE_GONE, FILE_CHANGED, FILE_UNLISTED, HALF_REPLACED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What `data/manifest.toml` says: status, release, and files (path from the project root -> SHA-256)."""

    status: str
    release: str
    files: dict[str, str]
    other: dict[str, Any]

    @property
    def synthetic(self) -> bool:
        """Whether the release is generated and not real."""
        return self.status == "synthetic"


def read_manifest(root: Path) -> Manifest:
    """What does the manifest say? Raises `DataError` where it is missing or damaged, or files are being replaced."""
    if (root / UNFINISHED).exists():
        raise DataError([HALF_REPLACED.problem(file=MANIFEST)])
    try:
        content = tomllib.loads((root / MANIFEST).read_text(encoding="utf-8"))
        status, files = content.pop("status"), content.pop("files", {})
        if status not in STATUSES or not all(isinstance(digest, str) for digest in files.values()):
            raise ValueError
        listed = {_from_root(root, name): digest for name, digest in files.items()}
        return Manifest(status=status, release=str(content.get("release", "")), files=listed, other=content)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, ValueError, AttributeError) as error:
        raise DataError([BAD_MANIFEST.problem(file=MANIFEST, value=type(error).__name__)]) from None


def _from_root(root: Path, name: str) -> str:
    inside_data = not name.startswith("data/") and not (root / name).exists()
    return f"data/{name}" if inside_data else name


def manifest_status(root: Path) -> str:
    """Is the release "synthetic" or "real"? Raises `DataError` where the manifest does not say."""
    return read_manifest(root).status


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify_manifest(root: Path, *, known: dict[str, str] | None = None, study: str | None = None) -> list[Problem]:
    """Which files are gone, replaced or unlisted?

    `known` holds checksums already computed (path -> SHA-256); with `study` raw files of other studies are left out.
    """
    try:
        manifest = read_manifest(root)
    except DataError as error:
        return list(error.problems)
    from hhp_stats.intake.raw_places import raw_names  # which reads lists, whose readers ask the manifest

    masked = raw_names(root).masked
    known = known or {}
    problems = []
    for name, digest in sorted(manifest.files.items()):
        path = root / name
        if not concerns(name, study):
            continue
        if not path.resolve().is_relative_to(root.resolve()):
            problems.append(BAD_MANIFEST.problem(file=MANIFEST, value="a path outside the project"))
        elif not path.is_file():
            problems.append(FILE_GONE.problem(file=masked(name)))
        elif (known.get(name) or sha256_of(path)) != digest.casefold():
            problems.append(FILE_CHANGED.problem(file=masked(name)))
    problems += [
        FILE_UNLISTED.problem(file=masked(name))
        for name in raw_files(root)
        if name not in manifest.files and concerns(name, study)
    ]
    return problems


def record_files(root: Path, *, status: str | None = None, release: str | None = None) -> None:
    """Writes the manifest anew with the checksums of the files that are there now.

    Files listed before keep their place in the list as long as they exist; raw files are added. The old manifest
    is replaced only when the new one is whole.
    """
    old = read_manifest(root) if (root / MANIFEST).exists() else Manifest(status="", release="", files={}, other={})
    status = status or old.status
    if status not in STATUSES:
        raise DataError([BAD_MANIFEST.problem(file=MANIFEST, value="no status")])
    names = sorted({name for name in old.files if (root / name).is_file()} | set(raw_files(root)))
    head = {"status": status, **old.other, **({"release": release} if release else {})}
    lines = [f"{key} = {_toml(value)}" for key, value in head.items() if not isinstance(value, dict)]
    for key, table in head.items():
        if isinstance(table, dict):
            lines += ["", f"[{key}]", *(f"{_toml(name)} = {_toml(value)}" for name, value in table.items())]
    lines += ["", "[files]", *(f"{_toml(name)} = {_toml(sha256_of(root / name))}" for name in names), ""]
    partial = root / f"{MANIFEST}.partial"
    partial.write_text("\n".join(lines), encoding="utf-8", newline="\n")
    partial.replace(root / MANIFEST)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return str(value)
