"""A published release, frozen: results, manifest, what was printed, the cells of the returns, and the report itself.

`data/releases/<date>/` holds

    results.csv      the result frame
    manifest.toml    status, checksums of every file in data/, versions, digest of the code, checksums of the rest
    printed.json     every sentence and table cell of the chapters, as text
    corrections.csv  the ledger as it stood
    returns.csv.gz   the cells of the returns; as confidential as the returns
    report.pdf, report.zip (the HTML site)   unless left out

Nothing in it says when or where it was made: the same inputs give the same bytes.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import re
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Date
from pathlib import Path

import pandas as pd

from hhp_stats.intake.corrections import LEDGER
from hhp_stats.intake.manifest import read_manifest, sha256_of
from hhp_stats.intake.raw_files import MANIFEST
from hhp_stats.publish.archive import contents, files_below, whole_folder, write_zip
from hhp_stats.publish.printed import Printed, Request, printed, read_printed
from hhp_stats.publish.published import ReleaseRefused as ReleaseRefused
from hhp_stats.publish.published import published_results
from hhp_stats.publish.return_cells import is_return, packed, return_cells, unpacked
from hhp_stats.results import read_results
from hhp_stats.studies.kept import LIBRARIES, is_kept
from hhp_stats.studies.output import FOLDER as RESULTS_FOLDER
from hhp_stats.studies.run import STUDIES

RELEASES = "data/releases"
NOW = "now"
PACKAGE = Path(__file__).resolve().parent.parent
PDF, SITE = "report.pdf", "report.zip"
_DRAWN_BY = ("great-tables", "matplotlib", "typst", "pypandoc-binary")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseReport:
    """What was frozen: the folder, its files with their sizes in bytes, and how many results there are."""

    date: str
    folder: Path
    files: Mapping[str, int]
    results: int
    inputs: int

    @property
    def size(self) -> int:
        """Bytes of the whole release."""
        return sum(self.files.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The state of results, print and inputs at one release, or now."""

    name: str
    status: str
    inputs: Mapping[str, str]  # path from the project root: SHA-256
    records: Mapping[str, int]  # lines of the CSV files among them, headings included
    software: Mapping[str, str]
    code: str  # digest of the package's source
    results: pd.DataFrame
    printed: Printed
    ledger: str  # the text of data/corrections.csv
    root: Path
    folder: Path | None  # of the release; None for now

    def cells(self, file: str) -> pd.DataFrame:
        """The cells of one return. Raises UnreadableReturn where it cannot be read as a table."""
        if self.folder is None:
            return return_cells(self.root, file)
        kept = unpacked((self.folder / "returns.csv.gz").read_bytes())
        return kept.loc[kept["file"] == file].reset_index(drop=True)


# ------------------------------------------------------------------ what is there
def releases(root: Path) -> list[str]:
    """The dates of all releases of the project, oldest first."""
    folder = root / RELEASES
    found = [path.name for path in folder.iterdir() if path.is_dir() and _is_date(path.name)] if folder.is_dir() else []
    return sorted(found)


def data_files(root: Path) -> list[str]:
    """Every file below `data/` that the report may read: all but releases, explanations and the manifest itself."""
    names = (path.relative_to(root).as_posix() for path in files_below(root / "data"))
    return [
        name for name in names if not name.startswith(f"{RELEASES}/") and not name.endswith(".md") and name != MANIFEST
    ]


def code_digest() -> str:
    """One checksum over the package's Python sources."""
    total = hashlib.sha256()
    for path in files_below(PACKAGE):
        if path.suffix == ".py":
            total.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def software_versions() -> dict[str, str]:
    """Python and the libraries that numbers, tables, figures and pages depend on."""
    found = {"Python": platform.python_version()}
    for name in sorted({*LIBRARIES, *_DRAWN_BY}):
        found[name] = importlib.metadata.version(name)
    return found


def snapshot_now(root: Path, *, asked: Sequence[Request] | None = None) -> Snapshot:
    """The state of the project now, with the print of its chapters, or of what is `asked`. Raises ReleaseRefused where the results are older than their inputs."""
    refuse_stale_results(root)
    files = data_files(root)
    return Snapshot(
        name=NOW, status=read_manifest(root).status, inputs={name: sha256_of(root / name) for name in files},
        records={name: _records(root / name) for name in files if name.endswith(".csv")}, software=software_versions(),
        code=code_digest(), results=read_results(root / RESULTS_FOLDER / "results.csv"), printed=printed(root, asked=asked),
        ledger=_text(root / LEDGER), root=root, folder=None,
    )  # fmt: skip


def read_snapshot(root: Path, name: str) -> Snapshot:
    """A frozen release by its date, or the state of now. Raises ReleaseRefused where there is none or it is damaged."""
    if name == NOW:
        return snapshot_now(root)
    if name not in releases(root):
        known = ", ".join(releases(root)) or "none yet"
        raise ReleaseRefused(f"there is no release {name!r} in {RELEASES}; there are: {known}")
    folder = root / RELEASES / name
    try:
        manifest = tomllib.loads((folder / "manifest.toml").read_text(encoding="utf-8"))
        for file, digest in manifest["release_files"].items():
            if sha256_of(folder / file) != digest:
                raise ReleaseRefused(f"{RELEASES}/{name}/{file} was changed after the release: restore it")
        said = json.loads((folder / "printed.json").read_text(encoding="utf-8"))
        return Snapshot(
            name=name, status=manifest["status"], inputs=manifest["inputs"], records=manifest["records"],
            software=manifest["software"], code=manifest["code"], results=read_results(folder / "results.csv"),
            printed=read_printed(said), ledger=_text(folder / "corrections.csv"), root=root, folder=folder,
        )  # fmt: skip
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ReleaseRefused(f"{RELEASES}/{name} is damaged ({type(error).__name__}: {error}): restore it") from None


def refuse_stale_results(root: Path) -> None:
    """Raises ReleaseRefused where a study's results are missing or were made from other inputs, plan or code."""
    stale = [study.key for study in STUDIES if not is_kept(root, study.key, study.key_now(root))]
    if stale:
        raise ReleaseRefused(f"the results of {', '.join(stale)} are older than their inputs: run `hhp render` first")


# ------------------------------------------------------------------ freeze
def freeze_release(root: Path, *, date: str, output: Path, with_report: bool = True) -> ReleaseReport:
    """Freeze results, manifest, print and report (from the rendered folder `output`) as `data/releases/<date>/`.

    With the report a release takes about four megabytes, three of them the PDF; it is kept by default, since a release is rare and a reader may ask in five years for the very pages.
    `with_report=False` leaves it out: the same inputs render the same report again.

    Whole or not at all, and never over an earlier release. Raises ReleaseRefused where the date is no date or taken,
    where results are older than their inputs, or where `output` was not rendered from these results.
    """
    if not _is_date(date):
        raise ReleaseRefused(f"a release is named by its date, such as 2026-05-31, not {date!r}")
    target = root / RELEASES / date
    if target.exists():
        raise ReleaseRefused(f"{RELEASES}/{date} is there already; a release is never overwritten: choose another date")
    current = snapshot_now(root)
    if with_report:
        _refuse_other_report(root, output)
    returns = [return_cells(root, name) for name in current.inputs if is_return(name)]
    with whole_folder(target) as folder:
        shutil.copyfile(root / RESULTS_FOLDER / "results.csv", folder / "results.csv")
        said = json.dumps(current.printed.record(), ensure_ascii=False, indent=1)
        (folder / "printed.json").write_text(said + "\n", encoding="utf-8", newline="\n")
        (folder / "corrections.csv").write_text(current.ledger, encoding="utf-8", newline="")
        (folder / "returns.csv.gz").write_bytes(packed(returns))
        if with_report:
            shutil.copyfile(output / PDF, folder / PDF)
            write_zip(folder / SITE, contents(output, skip=(PDF,)))
        made = {path.name: sha256_of(path) for path in files_below(folder)}
        (folder / "manifest.toml").write_text(_manifest(date, current, made), encoding="utf-8", newline="\n")
        sizes = {path.name: path.stat().st_size for path in files_below(folder)}
    return ReleaseReport(
        date=date, folder=target, files=sizes, results=len(current.results), inputs=len(current.inputs)
    )


def _refuse_other_report(root: Path, output: Path) -> None:
    for name in ("index.html", PDF, "results.csv"):
        if not (output / name).is_file():
            raise ReleaseRefused(f"{output.name}/{name} is missing: run `hhp render` first, or leave the report out")
    if (output / "results.csv").read_bytes() != (root / RESULTS_FOLDER / "results.csv").read_bytes():
        raise ReleaseRefused(f"the report in {output.name} was rendered from other results: run `hhp render` first")


def _manifest(date: str, current: Snapshot, made: Mapping[str, str]) -> str:
    lines = [
        f"release = {_quoted(date)}", f"status = {_quoted(current.status)}", f"code = {_quoted(current.code)}",
        f"results = {len(current.results)}",
    ]  # fmt: skip
    tables: Sequence[tuple[str, Mapping[str, str | int]]] = (
        ("software", current.software), ("release_files", made), ("records", current.records), ("inputs", current.inputs),
    )  # fmt: skip
    for name, table in tables:
        shown = {key: value if isinstance(value, int) else _quoted(value) for key, value in sorted(table.items())}
        lines += ["", f"[{name}]", *(f"{_quoted(key)} = {value}" for key, value in shown.items())]
    return "\n".join([*lines, ""])


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a basic string of TOML


def _is_date(text: str) -> bool:
    try:
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text)) and Date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _records(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8-sig") if path.is_file() else ""
