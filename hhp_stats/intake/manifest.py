"""Are these the files of the release? Status, checksums, and what replaced what."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from hhp_stats.errors import DataError, Problem
from hhp_stats.intake.container import Refused
from hhp_stats.intake.raw_files import MANIFEST, concerns, is_link, raw_files, studies
from hhp_stats.intake.raw_places import raw_names
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.text_file import read_text, split_rows

STATUSES = ("synthetic", "real")
LEDGER = "data/corrections.csv"
STATUS_OF = "status_of"  # table of the manifest: the status of single studies, where it is not that of the others
LEDGER_TABLE = "ledger"  # of the manifest: how many lines the ledger had, and their checksums

BAD_MANIFEST = Rule(
    code="M01",
    severity="error",
    rule='data/manifest.toml must say status = "synthetic" or "real" and list files with their SHA-256.',
    remedy=(
        "Restore it from version control or a release; a new one needs its status and its heading [files] only, `hhp"
        " accept` fills it."
    ),
)
FILE_GONE = Rule(
    code="M02",
    severity="error",
    rule="A file of the manifest must be there.",
    remedy="Restore the file, or, if it was taken out on purpose, let `hhp accept` with its path strike it off.",
)
FILE_CHANGED = Rule(
    code="M03",
    severity="error",
    rule="A raw file must be the one whose checksum the manifest records.",
    remedy="Restore the file; or look at what changed and record it: `hhp accept` with its path shows both and asks.",
)
FILE_UNLISTED = Rule(
    code="M04",
    severity="error",
    rule="Every raw file below data/ must be in the manifest.",
    remedy="Move it away if it does not belong to the data, or look at it and record it: `hhp accept` with its path.",
)

HALF_REPLACED = Rule(
    code="M05",
    severity="error",
    rule="No data are read while an interrupted replacement of the raw files is unfinished.",
    remedy="Run `hhp synthesise` again: it finishes what was interrupted.",
)
UNFINISHED = "data/.replacing"  # there while files are moved to their places; see hhp_stats.synthetic.replacing

LEDGER_REWRITTEN = Rule(
    code="M06",
    severity="error",
    rule=(
        "The ledger of corrections only grows: the lines that were there when the manifest was written must stand as"
        " they were."
    ),
    remedy=(
        "Restore the lines, and take a correction back by another line; if they were rewritten on purpose, "
        "`hhp accept data/corrections.csv` records the ledger anew."
    ),
)
LINKED = Rule(
    code="M07",
    severity="error",
    rule="A raw file must lie in the project itself: a link may lead to another file tomorrow.",
    remedy="Put a copy of the file in place of the link.",
)

MANIFEST_RULES = (
    BAD_MANIFEST,
    FILE_GONE,
    FILE_CHANGED,
    FILE_UNLISTED,
    HALF_REPLACED,
    LEDGER_REWRITTEN,
    LINKED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What `data/manifest.toml` says: status, release, and files (path from the project root -> SHA-256)."""

    status: str
    release: str
    files: dict[str, str]
    other: dict[str, Any]

    @property
    def synthetic(self) -> bool:
        """Whether the release is generated and not real; single studies may differ (`status_of`)."""
        return self.status == "synthetic"

    @property
    def holds_real(self) -> bool:
        """Whether any study is real: then what concerns people must be kept from others."""
        return "real" in {self.status, *self.other.get(STATUS_OF, {}).values()}


def read_manifest(root: Path) -> Manifest:
    """What does the manifest say? Raises `DataError` where it is missing or damaged, or files are being replaced."""
    if (root / UNFINISHED).exists():
        raise DataError([HALF_REPLACED.problem(file=MANIFEST)])
    try:
        content = tomllib.loads((root / MANIFEST).read_text(encoding="utf-8"))
        status, files = content.pop("status"), content.pop("files", {})
        if status not in STATUSES or not all(isinstance(digest, str) for digest in files.values()):
            raise ValueError
        if not set(content.get(STATUS_OF, {}).values()) <= set(STATUSES):
            raise ValueError
        listed = {_from_root(root, name): digest for name, digest in files.items()}
        return Manifest(status=status, release=str(content.get("release", "")), files=listed, other=content)
    except (
        OSError,
        UnicodeDecodeError,
        tomllib.TOMLDecodeError,
        KeyError,
        ValueError,
        AttributeError,
        TypeError,
    ) as error:
        raise DataError([BAD_MANIFEST.problem(file=MANIFEST, value=type(error).__name__)]) from None


def _from_root(root: Path, name: str) -> str:
    inside_data = not name.startswith("data/") and not (root / name).exists()
    return f"data/{name}" if inside_data else name


def study_status(root: Path, study: str) -> str:
    """Are the data of a study "synthetic" or "real"? Raises `DataError` where the manifest does not say."""
    return status_of(read_manifest(root), study)


def status_of(manifest: Manifest, study: str) -> str:
    """Is a study's release "synthetic" or "real"? The table `[status_of]` of the manifest may say it by study."""
    return str(manifest.other.get(STATUS_OF, {}).get(study, manifest.status))


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify_manifest(
    root: Path, *, known: dict[str, str] | None = None, study: str | None = None, below: str = ""
) -> list[Problem]:
    """Which raw files are gone, changed, unlisted or links, and does the ledger still hold what it held?

    `known` holds checksums already computed (path -> SHA-256); with `study` the raw files of other studies are left
    out, with `below` everything that does not lie in that folder.
    """
    try:
        manifest = read_manifest(root)
    except DataError as error:
        return list(error.problems)
    masked = raw_names(root).masked
    known, keys = known or {}, studies(root)
    problems = []
    for name, digest in sorted(manifest.files.items()):
        path = root / name
        if not name.startswith(below) or not concerns(name, study, keys):
            continue
        if not path.resolve().is_relative_to(root.resolve()):
            problems.append(BAD_MANIFEST.problem(file=MANIFEST, value="a path outside the project"))
        elif is_link(root, name):
            problems.append(LINKED.problem(file=masked(name)))
        elif not path.is_file():
            problems.append(FILE_GONE.problem(file=masked(name)))
        elif (known.get(name) or sha256_of(path)) != digest.casefold():
            problems.append(FILE_CHANGED.problem(file=masked(name)))
    problems += [
        (LINKED if is_link(root, name) else FILE_UNLISTED).problem(file=masked(name))
        for name in raw_files(root)
        if name not in manifest.files and name.startswith(below) and concerns(name, study, keys)
    ]
    if not below:
        problems += _rewritten(root, manifest)
    return problems


def _rewritten(root: Path, manifest: Manifest) -> list[Problem]:
    """The ledger, where lines that the manifest knows are not the first ones any more."""
    recorded = manifest.other.get(LEDGER_TABLE, {})
    if not recorded:
        return []
    lines = int(recorded.get("lines", 0))
    now = ledger_rows(root)
    if len(now) >= lines and _digest(now[:lines]) == recorded.get("sha256"):
        return []
    same = next((n for n in range(min(len(now), lines), 0, -1) if _digest(now[:n]) in recorded.get("each", [])), 0)
    return [LEDGER_REWRITTEN.problem(file=LEDGER, cell=f"line {same + 1} of {lines} recorded ones")]


def ledger_rows(root: Path) -> list[tuple[str, ...]]:
    """The lines of the ledger without its heading, as far as it can be read."""
    try:
        rows = split_rows(read_text(root / LEDGER).text, ",") if (root / LEDGER).is_file() else []
    except (Refused, OSError):
        return []  # reading the ledger says what is wrong with it
    return [tuple(map(str.strip, row)) for row in rows[1:] if any(map(str.strip, row))]


def _digest(rows: list[tuple[str, ...]]) -> str:
    return hashlib.sha256("\n".join("\t".join(row) for row in rows).encode()).hexdigest()


def record_files(
    root: Path,
    *,
    status: str | None = None,
    release: str | None = None,
    names: Collection[str] | None = None,
    status_of_studies: Mapping[str, str] | None = None,
) -> None:
    """Writes the manifest anew with the checksums of the files that are there now.

    With `names` only the entries of these files change: the others keep their checksums, right or wrong. `LEDGER` among
    them (and no `names` at all) records the ledger's lines. The old manifest is replaced only when the new one is
    whole. `status_of_studies` takes the place of the table `[status_of]`; once the release is real as a whole, seed and
    generator of the synthetic one go.
    """
    there = (root / MANIFEST).exists()
    old = read_manifest(root) if there else Manifest(status="", release="", files={}, other={})
    status = status or old.status
    if status not in STATUSES:
        raise DataError([BAD_MANIFEST.problem(file=MANIFEST, value="no status")])
    wanted = {*old.files, *raw_files(root)} if names is None else set(names) - {LEDGER}
    files = {name: digest for name, digest in old.files.items() if name not in wanted}
    files |= {name: sha256_of(root / name) for name in wanted if (root / name).is_file() and not is_link(root, name)}
    head = {"status": status, **old.other, **({"release": release} if release else {})}
    if status_of_studies is not None:
        head.pop(STATUS_OF, None)
        head |= {STATUS_OF: dict(status_of_studies)} if status_of_studies else {}
    if status == "real" and old.status == "synthetic":
        head = {key: value for key, value in head.items() if key not in ("seed", "generator")}
    if names is None or LEDGER in names:
        head.pop(LEDGER_TABLE, None)
        if rows := ledger_rows(root):
            each = [_digest(rows[:n]) for n in range(1, len(rows) + 1)]
            head[LEDGER_TABLE] = {"lines": len(rows), "sha256": each[-1], "each": each}
    lines = _remarks(root / MANIFEST) if there else []
    lines += [f"{key} = {_toml(value)}" for key, value in head.items() if not isinstance(value, dict)]
    for key, table in head.items():
        if isinstance(table, dict):
            lines += ["", f"[{key}]", *(f"{_toml(name)} = {_toml(value)}" for name, value in table.items())]
    lines += ["", "[files]", *(f"{_toml(name)} = {_toml(digest)}" for name, digest in sorted(files.items())), ""]
    partial = root / f"{MANIFEST}.partial"
    partial.write_text("\n".join(lines), encoding="utf-8", newline="\n")
    partial.replace(root / MANIFEST)


def _remarks(path: Path) -> list[str]:
    """The lines of comment at the head of the manifest."""
    return list(takewhile(lambda line: line.startswith("#"), path.read_text(encoding="utf-8").splitlines()))


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return str(value)
