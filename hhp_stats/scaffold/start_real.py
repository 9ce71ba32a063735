"""Real data of a study are to arrive: what goes, what is asked for, and what is still missing?

The synthetic raw files of the study are moved to a hidden folder, its status in the manifest becomes real, and the
steps to its results are listed in the order in which they are taken. Other studies stay as they are.
"""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hhp_stats.errors import DataError, HhpError
from hhp_stats.intake.manifest import LEDGER, Manifest, read_manifest, record_files, sha256_of, status_of
from hhp_stats.intake.pseudonym import load_pseudonyms
from hhp_stats.intake.raw_files import MANIFEST, raw_files, study_of
from hhp_stats.intake.raw_places import KINDS, raw_kind
from hhp_stats.plan.assumed import Assumed, unconfirmed
from hhp_stats.plan.catalogue import catalogue, study_entry
from hhp_stats.plan.imprint import has_imprint, read_imprint
from hhp_stats.plan.imprint import unconfirmed as undecided
from hhp_stats.processes import children
from hhp_stats.scaffold.real_steps import Step, steps
from hhp_stats.scaffold.removal import TRUTH, without_rows, without_tables

KEPT = "data/.synthetic"  # hidden: no raw files, in no bundle
SHARED = (TRUTH, LEDGER, MANIFEST)  # of these a copy is kept too, as they were
REAL, SYNTHETIC = "real", "synthetic"


class StartRefused(HhpError):
    """A study cannot become real, or synthetic again, as asked; nothing was changed."""

    exit_status = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """Where a study stands on the way to real results."""

    study: str
    moved: tuple[str, ...]  # synthetic files that went now
    others: tuple[str, ...]  # studies that are still synthetic
    key: str  # why the key of the pseudonyms cannot be used; empty where it can
    assumed: tuple[Assumed, ...]  # entries of the plan that nobody has confirmed
    steps: tuple[Step, ...]
    imprint: tuple[str, ...]  # keys of the imprint that nobody has decided; a report with real data refuses them


def start_real(root: Path, study: str) -> Started:
    """Make a study real and say what is missing; may be called again at any time, also to finish what was interrupted.

    Moves the raw files that the manifest records as they are, and nothing else: what came in meanwhile stays, and so
    do the themes of the documents. Raises UnknownName for a study that no plan has, DataError where the manifest
    cannot be read.
    """
    study_entry(root, study)
    manifest = read_manifest(root)
    if status_of(manifest, study) == SYNTHETIC:
        recorded = [name for name in _own(root, study) if manifest.files.get(name) == sha256_of(root / name)]
        for name in (*recorded, *SHARED):
            if (root / name).is_file():
                _replace(root / KEPT / study / name, (root / name).read_bytes())
        _write_status(root, manifest, study, REAL)
    moved = _cleared(root, study)
    return progress_of(root, study, moved=moved)


def _cleared(root: Path, study: str) -> tuple[str, ...]:
    """Take out of their places the files that are kept, and of shared files what is the study's; gives the files."""
    kept = _kept(root, study)
    moved = tuple(
        name
        for name in kept
        if (root / name).is_file() and sha256_of(root / name) == sha256_of(root / KEPT / study / name)
    )
    for name in moved:
        (root / name).unlink()
    for name in (TRUTH, LEDGER):
        before = _text(root / name)
        after = _without(name, before, _of_study(root, name, study))
        if after != before:
            _replace(root / name, after.encode("utf-8"))
    if moved:
        record_files(root, names={*moved, LEDGER})
        _untrack(root, (*moved, LEDGER))
    return moved


def undo(root: Path, study: str) -> tuple[str, ...]:
    """Make a study synthetic again: the files that `start_real` moved come back. Gives them.

    Raises StartRefused where nothing was moved, and where other files of the study are there: those would be lost.
    """
    entry = study_entry(root, study)
    kept = root / KEPT / study
    if not kept.is_dir():
        raise StartRefused(f"No synthetic files of {study} were moved away: there is nothing to bring back.")
    names = _kept(root, study)
    for name in _own(root, study):
        if name not in names or sha256_of(root / name) != sha256_of(kept / name):
            raise StartRefused(f"{name} is in the way: move the real files of {study} out of data/ first.")
    if without_rows(_text(root / LEDGER), entry, frozenset()) != _text(root / LEDGER):
        raise StartRefused(f"{LEDGER} has lines about {study}: take them out of it first, or they would be mixed.")
    for name in names:
        _replace(root / name, (kept / name).read_bytes())
    for name in (TRUTH, LEDGER):
        own = _of_study(root, name, study)
        if own and _without(name, _text(root / name), own) == _text(root / name):
            whole, now = _text(kept / name), _text(root / name)
            again = whole if now == _without(name, whole, own) else f"{now.rstrip()}\n{own}"
            _replace(root / name, again.encode("utf-8"))
    _write_status(root, read_manifest(root), study, SYNTHETIC)
    record_files(root, names={*names, LEDGER})
    _track(root, (*names, LEDGER))
    for path in sorted(kept.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    kept.rmdir()
    return names


def _own(root: Path, study: str) -> list[str]:
    """The raw files of a study, without the themes of the documents, which are not synthetic."""
    keys = [each.study for each in catalogue(root)]
    return [
        name for name in raw_files(root) if study_of(name, keys) == study and raw_kind(name) != KINDS["qualitative"]
    ]


def _kept(root: Path, study: str) -> tuple[str, ...]:
    kept = root / KEPT / study
    names = (path.relative_to(kept).as_posix() for path in sorted(kept.rglob("*")) if path.is_file())
    return tuple(name for name in names if name not in SHARED)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _of_study(root: Path, name: str, study: str) -> str:
    """What a kept shared file says of the study: tables of the planted truth, lines of the ledger."""
    text = _text(root / KEPT / study / name)
    if name == LEDGER:
        rest = without_rows(text, study_entry(root, study), frozenset()).splitlines(keepends=True)
        return "".join(line for line in text.splitlines(keepends=True) if line not in rest)
    own = text
    for key in tomllib.loads(text):
        own = own if key == study else without_tables(own, key)
    return "".join(line for line in own.splitlines(keepends=True) if not line.startswith("#")).lstrip("\n")


def _without(name: str, text: str, own: str) -> str:
    """A shared file without what is the study's."""
    if name == LEDGER:
        lines = own.splitlines(keepends=True)
        return "".join(line for line in text.splitlines(keepends=True) if line not in lines)
    for key in tomllib.loads(own):
        text = without_tables(text, key)
    return text


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)


def _write_status(root: Path, manifest: Manifest, study: str, status: str) -> None:
    """Enter the study's status; where all studies have the same, it is that of the release."""
    said = {entry.study: status_of(manifest, entry.study) for entry in catalogue(root)} | {study: status}
    whole = status if len(set(said.values())) == 1 else manifest.status
    if whole == SYNTHETIC != manifest.status:  # its seed and generator went with the last synthetic study
        _replace(root / MANIFEST, (root / KEPT / study / MANIFEST).read_bytes())
    different = {key: each for key, each in said.items() if each != whole}
    record_files(root, status=whole, names=(), status_of_studies=different)


def _untrack(root: Path, names: Sequence[str]) -> None:
    """Where the project is a repository, take the synthetic files out of what it tracks: real ones come in their place,
    and only files that are not tracked are passed over (`.gitignore`).
    """
    if (root / ".git").exists() and (git := shutil.which("git")):
        children.run([git, "rm", "--cached", "--quiet", "--ignore-unmatch", "--", *names], folder=root)


def _track(root: Path, names: Sequence[str]) -> None:
    """The reverse of `_untrack`."""
    if (root / ".git").exists() and (git := shutil.which("git")):
        children.run([git, "add", "--force", "--", *names], folder=root)


def progress_of(root: Path, study: str, *, moved: tuple[str, ...] = ()) -> Started:
    """Where a study stands: the key, the assumed entries of its plan, its files. Reads only."""
    manifest = read_manifest(root)
    key = ""
    try:
        load_pseudonyms(root, status=REAL)
    except DataError as error:
        key = error.problems[0].rule
    return Started(
        study=study,
        moved=moved,
        others=tuple(
            each.study for each in catalogue(root) if each.study != study and status_of(manifest, each.study) != REAL
        ),
        key=key,
        assumed=unconfirmed(root, study),
        steps=steps(root, study, manifest, kept=_kept(root, study)),
        imprint=tuple(undecided(read_imprint(root))) if has_imprint(root) else (),
    )
