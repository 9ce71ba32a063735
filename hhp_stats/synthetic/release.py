"""Write the synthetic release: raw files, manifest, planted truth. Never over anything real."""

from __future__ import annotations

import datetime as dt
import hashlib
import tomllib
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hhp_stats.errors import DataError, Problem, UnknownName
from hhp_stats.files.rendering_marker import LEFT_BY_DESKTOPS
from hhp_stats.intake.dictionary import load_dictionary, returns_planned
from hhp_stats.intake.ledger_file import ledger_alone
from hhp_stats.intake.manifest import LEDGER_TABLE, STATUS_OF, sha256_of
from hhp_stats.intake.raw_files import raw_files
from hhp_stats.plan.catalogue import catalogue
from hhp_stats.processes.progress import Progress, silent
from hhp_stats.synthetic.assumptions import load_assumptions
from hhp_stats.synthetic.exports import (
    allocation_files,
    corrections_header,
    course_log_file,
    linkage_file,
    survey_file,
)
from hhp_stats.synthetic.field_trial import draw_field_trial
from hhp_stats.synthetic.field_trial_files import files_of
from hhp_stats.synthetic.field_trial_files import planted_truth as field_trial_truth
from hhp_stats.synthetic.goal_setting import draw_trial
from hhp_stats.synthetic.hiring import hiring_files
from hhp_stats.synthetic.phase_one import phase_one_files
from hhp_stats.synthetic.pilots import pilot_files
from hhp_stats.synthetic.replacing import files_in, finish_interrupted, replace_all
from hhp_stats.synthetic.returns import return_files
from hhp_stats.synthetic.toml_text import toml_text
from hhp_stats.synthetic.truth import planted_truth

MANIFEST = "data/manifest.toml"
TRUTH = "data/synthetic_truth.toml"
CORRECTIONS = "data/corrections.csv"
KEPT_TABLES = (STATUS_OF, LEDGER_TABLE)  # of the manifest: what is said of real studies and of corrections
SYNTHETIC, REAL = "synthetic", "real"


class SynthesisRefused(DataError):
    """Files that are no synthetic release of ours are in the way: nothing was written."""

    exit_status = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFiles:
    """What one study adds: raw files by path below the project, a folder to swap whole, the planted truth."""

    files: Mapping[str, bytes]
    folder: str  # every file below it is replaced together, and those no longer made disappear
    truth: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesisReport:
    """What was written."""

    seed: int
    release: str  # date
    studies: tuple[str, ...]
    files: Mapping[str, str]  # path below the project -> SHA-256
    size: int  # bytes
    truth: Mapping[str, Any]  # study -> planted and realised figures


def goal_setting_files(root: Path, seed: int | None) -> StudyFiles:
    """The raw files of the goal-setting trial; without a seed that of its assumptions."""
    a = load_assumptions(root)
    seed = a.release.seed if seed is None else seed
    fields = load_dictionary(root)
    draw = draw_trial(
        assumptions=a,
        seed=seed,
        allocation_seed=a.release.allocation_seed,
        n_people=a.plan.design.recruited,
        exact=True,
        contaminated=a.programme.contaminated,
    )
    folder = "data/returns/goal_setting"
    allocation, log = allocation_files(draw)
    returns = return_files(draw=draw, fields=fields, release=a.release.date)
    files = {f"{folder}/{path}": content for path, content in returns.items()}
    files |= {
        "data/allocation/goal_setting.csv": allocation,
        "data/allocation/goal_setting_log.csv": log,
        "data/course_log/goal_setting.csv": course_log_file(draw),
        "data/surveys/goal_setting/linkage.csv": linkage_file(draw),
    }
    for wave in ("baseline", "endline"):
        files[f"data/surveys/goal_setting/{wave}.csv"] = survey_file(draw=draw, fields=fields, wave=wave)
    return StudyFiles(files=files, folder=folder, truth=planted_truth(draw))


def _field_trial(root: Path, study: str, seed: int | None) -> StudyFiles:
    draw = draw_field_trial(root, study, seed=seed)
    return StudyFiles(files=files_of(draw), folder=f"data/surveys/{study}", truth=field_trial_truth(draw))


def _phase_one(root: Path, study: str, seed: int | None) -> StudyFiles:
    return StudyFiles(files=phase_one_files(root, study, seed=seed), folder=f"data/surveys/{study}", truth={})


def _pilot(root: Path, study: str, seed: int | None) -> StudyFiles:
    return StudyFiles(files=pilot_files(root, study, seed=seed), folder=f"data/surveys/{study}", truth={})


def _hiring(root: Path, study: str, seed: int | None) -> StudyFiles:
    return StudyFiles(files=hiring_files(root, seed=seed), folder="data/decisions", truth={})


def _trial_on_returns(root: Path, study: str, seed: int | None) -> StudyFiles:
    return goal_setting_files(root, seed)


# What draws a study's files, by what its plan says of it.
GENERATORS: dict[str, Callable[[Path, str, int | None], StudyFiles]] = {
    "returns": _trial_on_returns,
    "surveys without effect": _phase_one,
    "surveys": _field_trial,
    "experiment": _hiring,
    "pilot": _pilot,
}


def synthetic_studies(root: Path) -> dict[str, str]:
    """The studies whose files are drawn, with the key of what draws each: those with
    `data/plan/synthetic_<study>.toml`.
    """
    found = {}
    for entry in catalogue(root):
        if not (root / f"data/plan/synthetic_{entry.study}.toml").is_file():
            continue
        if returns_planned(root, entry.study):
            found[entry.study] = "returns"
        elif entry.kind in ("experiment", "pilot"):
            found[entry.study] = entry.kind
        else:
            found[entry.study] = "surveys without effect" if entry.simulated_without_effect else "surveys"
    return found


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
    real = _real_studies(root)
    studies = tuple(study for study in known if study not in real) if studies is None else studies
    unknown = [study for study in studies if study not in known]
    if unknown:
        raise UnknownName(f"no synthetic study {unknown[0]!r}; known: {', '.join(known)}")
    for wanted in studies:
        if wanted in real:
            raise _real_in_the_way(f"{wanted} = {REAL!r}")
    finish_interrupted(root)
    day, own_seed = _release_of(root, known)
    _refuse_real_data(root)
    if seed is None:
        seed = _seed_of_manifest(root, otherwise=own_seed)
    made = {study: GENERATORS[known[study]](root, study, None if seed == own_seed else seed) for study in studies}
    _refuse_foreign_files(root, made)
    _refuse_changed_files(root, made, force)

    truth = {**_tables(root / TRUTH), **{name: study.truth for name, study in made.items()}}
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
        **{key: table for key, table in _tables(root / MANIFEST).items() if key in KEPT_TABLES},
        "files": dict(sorted(sums.items())),
    }
    note = "What the files below data/ are. status is synthetic or real; the report's cover and footers follow it."
    files = {path: content for study in made.values() for path, content in study.files.items()}
    with ledger_alone(root):
        if not (root / CORRECTIONS).exists():
            files[CORRECTIONS] = corrections_header()
        files |= {TRUTH: toml_text(truth, above=above).encode(), MANIFEST: toml_text(manifest, above=note).encode()}
        _refuse_real_data(root)
        _refuse_changed_files(root, made, force)  # drawing them took a while
        replace_all(root, files, folders=[study.folder for study in made.values()], progress=progress)
    return SynthesisReport(
        seed=seed,
        release=day.isoformat(),
        studies=tuple(studies),
        files={path: sums[path] for study in made.values() for path in sorted(study.files)},
        size=sum(len(content) for study in made.values() for content in study.files.values()),
        truth={name: study.truth for name, study in made.items()},
    )


def _tables(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _release_of(root: Path, known: Mapping[str, str]) -> tuple[dt.date, int]:
    """Day and seed of the release: by the trial on returns, where there is one, else as the manifest has them."""
    if "returns" in known.values():
        release = load_assumptions(root).release
        return release.date, release.seed
    manifest = _tables(root / MANIFEST)
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
    seed = _tables(root / MANIFEST).get("seed", otherwise)
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
    listed: Mapping[str, str] = _tables(root / MANIFEST).get("files", {})
    if not (root / MANIFEST).exists():
        drawn = {path for study in made.values() for path in study.files}
        listed = {name: sha256_of(root / name) for name in raw_files(root) if name not in drawn}
    return {path: digest for path, digest in listed.items() if not path.startswith(inside)}


def _refuse_real_data(root: Path) -> None:
    status = _tables(root / MANIFEST).get("status", SYNTHETIC)
    if status != SYNTHETIC:
        raise _real_in_the_way(f"status = {status!r}")


def _real_in_the_way(found: str) -> SynthesisRefused:
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


def _real_studies(root: Path) -> frozenset[str]:
    """The studies that are real among synthetic ones: their files, and what the manifest says of them, stay."""
    table = _tables(root / MANIFEST).get(STATUS_OF, {})
    return frozenset(study for study, status in table.items() if status == REAL)


def _refuse_foreign_files(root: Path, made: Mapping[str, StudyFiles]) -> None:
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


def _refuse_changed_files(root: Path, made: Mapping[str, StudyFiles], force: Sequence[Path]) -> None:
    """A file of the release that somebody changed, or added with its marker, must survive."""
    listed: Mapping[str, str] = _tables(root / MANIFEST).get("files", {})
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
