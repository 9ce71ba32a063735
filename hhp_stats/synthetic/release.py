"""Write the synthetic release: raw files, manifest, planted truth. Never over anything real."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hhp_stats.errors import DataError, Problem, UnknownName
from hhp_stats.intake.ledger_file import ledger_alone
from hhp_stats.intake.manifest import LEDGER_TABLE, STATUS_OF, sha256_of
from hhp_stats.intake.raw_files import MANIFEST, raw_files
from hhp_stats.processes.progress import Progress, silent
from hhp_stats.synthetic.assumptions import load_assumptions
from hhp_stats.synthetic.exports import (
    corrections_header,
)
from hhp_stats.synthetic.not_overwritten import (
    real_in_the_way,
    real_studies,
    refuse_changed_files,
    refuse_foreign_files,
    refuse_real_data,
)
from hhp_stats.synthetic.replacing import finish_interrupted, replace_all
from hhp_stats.synthetic.study_files import GENERATORS, REAL, SYNTHETIC, StudyFiles, synthetic_studies
from hhp_stats.synthetic.toml_text import read_toml, toml_text

TRUTH = "data/synthetic_truth.toml"
CORRECTIONS = "data/corrections.csv"
KEPT_TABLES = (STATUS_OF, LEDGER_TABLE)  # of the manifest: what is said of real studies and of corrections


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesisReport:
    """What was written."""

    seed: int
    release: str  # date
    studies: tuple[str, ...]
    files: Mapping[str, str]  # path below the project -> SHA-256
    size: int  # bytes
    truth: Mapping[str, Any]  # study -> planted and realised figures


def synthesise(
    root: Path,
    *,
    seed: int | None = None,
    studies: Sequence[str] | None = None,
    force: Sequence[Path] = (),
    progress: Progress = silent,
) -> SynthesisReport:
    """Write a synthetic release of these studies below `root`/data.

    The same seed gives the same files, byte for byte, with the same versions of the libraries. Without one, the seed
    in the manifest is used, and where there is no manifest the release's own, that of `synthetic_goal_setting.toml`;
    that one stands for the seeds in all `data/plan/synthetic_<study>.toml`, any other is used for every study. All
    files are written beside the old ones first and then put in their place, the manifest last; an interrupted run
    either left everything as it was, or is finished by the next one, and until then no data are read (`replacing`).
    Entries of other studies in the manifest and in the truth file stay. An existing ledger of corrections is left
    alone: lines that no longer fit are refused on loading.

    Refuses an unknown study (UnknownName); and, before anything is written, a manifest whose status is not
    "synthetic" or whose seed is no whole number, a file in the way that does not carry the synthetic marker, or one
    that was changed since the manifest was written, unless `force` names it (SynthesisRefused).
    """
    known = synthetic_studies(root)
    real = real_studies(root)
    studies = tuple(study for study in known if study not in real) if studies is None else studies
    unknown = [study for study in studies if study not in known]
    if unknown:
        raise UnknownName(f"no synthetic study {unknown[0]!r}; known: {', '.join(known)}")
    for wanted in studies:
        if wanted in real:
            raise real_in_the_way(f"{wanted} = {REAL!r}")
    finish_interrupted(root)
    day, own_seed = _release_of(root, known)
    refuse_real_data(root)
    if seed is None:
        seed = _seed_of_manifest(root, otherwise=own_seed)
    made = {study: GENERATORS[known[study]](root, study, None if seed == own_seed else seed) for study in studies}
    refuse_foreign_files(root, made)
    refuse_changed_files(root, made, force)

    truth = {**read_toml(root / TRUTH), **{name: study.truth for name, study in made.items()}}
    above = (
        "What is planted in the synthetic release. Written by `hhp synthesise` from data/plan/synthetic_*.toml;\n"
        "tests read it. Nothing here is a finding about anybody."
    )
    sums = _other_sums(root, made)
    for study in made.values():
        sums |= {path: hashlib.sha256(content).hexdigest() for path, content in study.files.items()}
    manifest = {
        "status": SYNTHETIC,
        "release": day,
        "seed": seed,
        "generator": f"hhp_stats {version('hhp_stats')}",
        **{key: table for key, table in read_toml(root / MANIFEST).items() if key in KEPT_TABLES},
        "files": dict(sorted(sums.items())),
    }
    note = "What the files below data/ are. status is synthetic or real; the report's cover and footers follow it."
    files = {path: content for study in made.values() for path, content in study.files.items()}
    with ledger_alone(root):
        if not (root / CORRECTIONS).exists():
            files[CORRECTIONS] = corrections_header()
        files |= {TRUTH: toml_text(truth, above=above).encode(), MANIFEST: toml_text(manifest, above=note).encode()}
        refuse_real_data(root)
        refuse_changed_files(root, made, force)  # drawing them took a while
        replace_all(root, files, folders=[study.folder for study in made.values()], progress=progress)
    return SynthesisReport(
        seed=seed,
        release=day.isoformat(),
        studies=tuple(studies),
        files={path: sums[path] for study in made.values() for path in sorted(study.files)},
        size=sum(len(content) for study in made.values() for content in study.files.values()),
        truth={name: study.truth for name, study in made.items()},
    )


def _release_of(root: Path, known: Mapping[str, str]) -> tuple[dt.date, int]:
    """Day and seed of the release: by the trial on returns, where there is one, else as the manifest has them."""
    if "returns" in known.values():
        release = load_assumptions(root).release
        return release.date, release.seed
    manifest = read_toml(root / MANIFEST)
    if type(manifest.get("release")) is not dt.date:
        raise DataError(
            [
                Problem(
                    code="Y06",
                    severity="error",
                    file=MANIFEST,
                    value=f"release = {manifest.get('release')!r}",
                    rule="The release of synthetic data has a day.",
                    remedy="Write it back: release = 2026-11-21, for example.",
                )
            ]
        )
    return manifest["release"], _seed_of_manifest(root, otherwise=0)


def _seed_of_manifest(root: Path, *, otherwise: int) -> int:
    seed = read_toml(root / MANIFEST).get("seed", otherwise)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise DataError(
            [
                Problem(
                    code="Y05",
                    severity="error",
                    file=MANIFEST,
                    value=f"seed = {seed!r}",
                    rule="The seed of a synthetic release is a whole number from 0.",
                    remedy=f"Write the number back, or name one: hhp synthesise --seed {otherwise}.",
                )
            ]
        )
    return seed


def _other_sums(root: Path, made: Mapping[str, StudyFiles]) -> dict[str, str]:
    """Checksums that the manifest holds for files that are not replaced now: those of other studies.

    Without a manifest, nothing was accepted before: the raw files that are there and are not drawn, such as the themes
    of the documents, are listed as they stand.
    """
    inside = tuple(f"{study.folder}/" for study in made.values())
    listed: Mapping[str, str] = read_toml(root / MANIFEST).get("files", {})
    if not (root / MANIFEST).exists():
        drawn = {path for study in made.values() for path in study.files}
        listed = {name: sha256_of(root / name) for name in raw_files(root) if name not in drawn}
    return {path: digest for path, digest in listed.items() if not path.startswith(inside)}
