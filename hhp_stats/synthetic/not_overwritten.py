"""What the making of a synthetic release never writes over: real data, files of others, files that changed since."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from hhp_stats.errors import DataError, Problem
from hhp_stats.files.rendering_marker import LEFT_BY_DESKTOPS
from hhp_stats.intake.manifest import STATUS_OF
from hhp_stats.intake.raw_files import MANIFEST
from hhp_stats.synthetic.replacing import files_in
from hhp_stats.synthetic.study_files import REAL, SYNTHETIC, StudyFiles
from hhp_stats.synthetic.toml_text import read_toml


class SynthesisRefused(DataError):
    """Files that are no synthetic release of ours are in the way: nothing was written."""

    exit_status = 2


def refuse_real_data(root: Path) -> None:
    """Refuses a manifest that says that the data are real (SynthesisRefused)."""
    status = read_toml(root / MANIFEST).get("status", SYNTHETIC)
    if status != SYNTHETIC:
        raise real_in_the_way(f"status = {status!r}")


def real_in_the_way(found: str) -> SynthesisRefused:
    """The refusal where something says that the data are real."""
    return SynthesisRefused(
        [
            Problem(
                code="Y01",
                severity="error",
                file=MANIFEST,
                value=found,
                rule="A synthetic release is never written over real data.",
                remedy="Synthesise into another folder.",
            )
        ]
    )


def real_studies(root: Path) -> frozenset[str]:
    """The studies that are real among synthetic ones: their files, and what the manifest says of them, stay."""
    table = read_toml(root / MANIFEST).get(STATUS_OF, {})
    return frozenset(study for study, status in table.items() if status == REAL)


def refuse_foreign_files(root: Path, made: Mapping[str, StudyFiles]) -> None:
    """A real return dropped into the folder must survive, even while the manifest still says synthetic."""
    in_the_way = {root / path for study in made.values() for path in study.files}
    in_the_way |= {path for study in made.values() for path in (root / study.folder).rglob("*")}
    problems = [
        Problem(
            code="Y02",
            severity="error",
            file=path.relative_to(root).as_posix(),
            rule="A file without the synthetic marker is never replaced.",
            remedy="Move it away, or synthesise into another folder.",
        )
        for path in sorted(in_the_way)
        if (path.is_file() or path.is_symlink())
        and not path.is_dir()
        and not _of_a_desktop(path)
        and not _is_marked(path)
    ]
    if problems:
        raise SynthesisRefused(problems)


def _of_a_desktop(path: Path) -> bool:
    """Whether file managers and spreadsheets left it: nobody's work."""
    return path.name in LEFT_BY_DESKTOPS or path.name.startswith("~$")


def refuse_changed_files(root: Path, made: Mapping[str, StudyFiles], force: Sequence[Path]) -> None:
    """A file of the release that somebody changed, or added with its marker, must survive."""
    listed: Mapping[str, str] = read_toml(root / MANIFEST).get("files", {})
    named = {path.resolve() for path in force}
    new = {path: content for study in made.values() for path, content in study.files.items()}
    in_the_way = {*new, *(path for study in made.values() for path in files_in(root, study.folder))}
    problems = [
        Problem(
            code="Y03",
            severity="error",
            file=path,
            rule="A raw file that was changed since data/manifest.toml recorded it is never replaced unasked.",
            remedy=f"Keep it, or write over it with `hhp synthesise --force {path}`.",
        )
        for path in sorted(in_the_way)
        if listed
        and (root / path).is_file()
        and not _of_a_desktop(root / path)
        and (root / path).resolve() not in named
        and hashlib.sha256(content := (root / path).read_bytes()).hexdigest() != listed.get(path)
        and content != new.get(path)
    ]
    if problems:
        raise SynthesisRefused(problems)


def _is_marked(path: Path) -> bool:
    if not path.is_file():  # a link that leads nowhere
        return False
    if path.suffix == ".xlsx":
        try:
            with zipfile.ZipFile(path) as archive:
                return b"SYNTHETIC RELEASE" in archive.read("docProps/core.xml")
        except (zipfile.BadZipFile, KeyError):
            return False
    if path.suffix == ".csv":
        lines = path.read_bytes().splitlines()
        return len(lines) < 2 or lines[-1].endswith(SYNTHETIC.encode())
    return False
