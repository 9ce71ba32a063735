"""A published release, frozen: what anybody may have, and beside it what stays with the data.

`data/releases/<date>/` holds, for anybody,

    README.md        which part is public and which is not
    results.csv      the result frame as published
    manifest.toml    status, versions, digest of the code, checksums of what is about nobody and of the rest of this
    folder people.csv       every place where a number of people is printed or withheld printed.json     every
    sentence and table cell of the chapters, as text report.pdf, report.zip (the HTML site)   unless left out

and in `private/`, as confidential as the raw files and never packed, published or put under version control with real
data,

    inputs.toml      checksums of the raw files, by their names
    corrections.csv  the ledger as it stood
    returns.csv.gz   the cells of the returns
    marks.json.gz    a mark for each cell of surveys and lists (`row_marks`)

A release can be read without its private part; raw files and the ledger are then not compared.
Nothing in it says when or where it was made: the same inputs give the same bytes.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Date
from pathlib import Path

import pandas as pd

from hhp_stats.disclosure.released import COLUMNS as PEOPLE_COLUMNS
from hhp_stats.disclosure.released import FILE as PEOPLE_FILE
from hhp_stats.files.unfinished import noted, put_right
from hhp_stats.intake.ledger import LEDGER
from hhp_stats.intake.manifest import read_manifest, sha256_of
from hhp_stats.intake.raw_files import MANIFEST
from hhp_stats.intake.raw_places import raw_kind
from hhp_stats.publish.archive import files_below, whole_folder, write_zip
from hhp_stats.publish.packing import ABOUT_NOBODY, RENDERED, named, pack
from hhp_stats.publish.printed import Printed, Request, printed, read_printed
from hhp_stats.publish.published import RESULTS, NoSuchRelease, published_results
from hhp_stats.publish.published import ReleaseRefused as ReleaseRefused
from hhp_stats.publish.return_cells import is_return, packed, return_cells, unpacked
from hhp_stats.publish.row_marks import RowMarks, packed_marks, row_marks, unpacked_marks
from hhp_stats.publish.volumes import APPENDICES, REPORT
from hhp_stats.results.frame import read_results
from hhp_stats.running.run import studies_of
from hhp_stats.studies.kept import LIBRARIES, is_kept
from hhp_stats.studies.output import FOLDER as RESULTS_FOLDER
from hhp_stats.studies.output import PEOPLE, open_output

RELEASES = "data/releases"
NOW = "now"
PACKAGE = Path(__file__).resolve().parent.parent
PDF, SITE = REPORT, "report.zip"
PRIVATE, CELLS, MARKS, INPUTS = "private", "returns.csv.gz", "marks.json.gz", "inputs.toml"
README = """\
# A release

Everything in this folder but `private/` may be given to anybody.

`private/` holds what the authorities sent: cells of returns, marks of the cells of surveys and lists, the ledger of
corrections. It is as confidential as the raw files. Never publish it, pack it or put it under version control. Without
it the release can still be read; `hhp changes` then does not compare raw files.
"""
_DRAWN_BY = ("great-tables", "matplotlib", "typst", "pypandoc-binary")


class ReleaseTaken(ReleaseRefused):
    """A release of this date is there: it is never overwritten."""

    exit_status = 2


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
    software: Mapping[str, str]
    code: str  # digest of the package's source
    results: pd.DataFrame
    printed: Printed
    ledger: str  # the text of data/corrections.csv
    root: Path
    folder: Path | None  # of the release; None for now
    private: bool = True  # whether raw files and ledger are known: not for a release whose private part is not here

    def cells(self, file: str) -> pd.DataFrame:
        """The cells of one return. Raises UnreadableReturn where it cannot be read as a table."""
        if self.folder is None:
            return return_cells(self.root, file)
        kept = unpacked((self.folder / PRIVATE / CELLS).read_bytes())
        return kept.loc[kept["file"] == file].reset_index(drop=True)

    def marks(self, file: str) -> RowMarks | None:
        """The marks of the cells of a survey or list; None where the file has none."""
        if self.folder is None:
            return row_marks(self.root / file)
        return unpacked_marks((self.folder / PRIVATE / MARKS).read_bytes()).get(file)


# ------------------------------------------------------------------ what is there
def releases(root: Path) -> list[str]:
    """The dates of all releases of the project, oldest first."""
    folder = root / RELEASES
    there = folder.iterdir() if folder.is_dir() else ()
    return sorted(path.name for path in there if path.is_dir() and is_release_date(path.name))


def check_release(root: Path, name: str) -> None:
    """Raises NoSuchRelease, naming those that there are, where no release has this name."""
    if name not in releases(root):
        known = ", ".join(releases(root)) or "none yet"
        raise NoSuchRelease(f"there is no release {name!r} in {RELEASES}; there are: {known}")


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
    """The state of the project now, with the print of its chapters, or of what is `asked`. Raises ReleaseRefused
    where the results are older than their inputs.
    """
    refuse_stale_results(root)
    files = data_files(root)
    return Snapshot(
        name=NOW,
        status="real" if read_manifest(root).holds_real else "synthetic",
        inputs={name: sha256_of(root / name) for name in files},
        software=software_versions(),
        code=code_digest(),
        results=read_results(root / RESULTS_FOLDER / "results.csv"),
        printed=printed(root, asked=asked),
        ledger=_text(root / LEDGER),
        root=root,
        folder=None,
    )


def read_snapshot(root: Path, name: str) -> Snapshot:
    """A frozen release by its date, or the state of now. Raises ReleaseRefused where there is none or it is damaged."""
    if name == NOW:
        return snapshot_now(root)
    check_release(root, name)
    folder = root / RELEASES / name
    try:
        manifest = tomllib.loads((folder / "manifest.toml").read_text(encoding="utf-8"))
        here = (folder / PRIVATE).is_dir()
        listed = manifest["release_files"] | (manifest["private_files"] if here else {})
        for file, digest in listed.items():
            if sha256_of(folder / file) != digest:
                raise ReleaseRefused(f"{RELEASES}/{name}/{file} was changed after the release: restore it")
        raw = tomllib.loads((folder / PRIVATE / INPUTS).read_text(encoding="utf-8")) if here else {"inputs": {}}
        said = json.loads((folder / "printed.json").read_text(encoding="utf-8"))
        return Snapshot(
            name=name,
            status=manifest["status"],
            inputs=manifest["inputs"] | raw["inputs"],
            software=manifest["software"],
            code=manifest["code"],
            results=read_results(folder / "results.csv"),
            printed=read_printed(said),
            ledger=_text(folder / PRIVATE / "corrections.csv"),
            root=root,
            folder=folder,
            private=here,
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ReleaseRefused(f"{RELEASES}/{name} is damaged ({type(error).__name__}: {error}): restore it") from None


def refuse_stale_results(root: Path, *, mend: str = "hhp render") -> None:
    """Raises ReleaseRefused where a study's results are missing or were made from other inputs, plan or code; `mend` is
    the command that makes them.
    """
    stale = [study.key for study in studies_of(root) if not is_kept(root, study.key, study.key_now(root))]
    if stale:
        raise ReleaseRefused(f"the results of {', '.join(stale)} are older than their inputs: run `{mend}` first")


# ------------------------------------------------------------------ freeze
def freeze_release(root: Path, *, date: str, output: Path, with_report: bool = True) -> ReleaseReport:
    """Freeze results, manifest, print and report (from the rendered folder `output`) as `data/releases/<date>/`, and
    what
    a later release is compared with as its `private/` part.

    With the report a release takes about four megabytes, three of them the PDF; it is kept by default, since a
    release is rare and a reader may ask in five years for the very pages. `with_report=False` leaves it out, and asks
    for none: the same inputs render the same report again.

    Whole or not at all, and never over an earlier release. Raises ReleaseRefused where the date is no date or taken,
    where results are older than their inputs, or where, with the report, `output` was not rendered from these results.
    """
    if not is_release_date(date):
        raise ReleaseRefused(f"a release is named by its date, such as 2026-05-31, not {date!r}")
    target = root / RELEASES / date
    put_right(root)
    if os.path.lexists(target):
        raise ReleaseTaken(f"{RELEASES}/{date} is there already; a release is never overwritten: choose another date")
    if not with_report:
        refuse_stale_results(root, mend="hhp results")
    current = snapshot_now(root)
    results = published_results(root, output) if with_report else (root / RESULTS_FOLDER / RESULTS).read_bytes()
    if with_report and not (output / PDF).is_file():
        raise ReleaseRefused(f"{output.name}/{PDF} is missing: run `hhp render` first, or leave the report out")
    returns = [return_cells(root, name) for name in current.inputs if is_return(name)]
    listed = {name: row_marks(root / name) for name in current.inputs if raw_kind(name) and not is_return(name)}
    with noted(root, target.with_name(f".{date}.partial"), kind="partial"), whole_folder(target) as folder:
        (folder / "results.csv").write_bytes(results)
        people_published(root).to_csv(folder / PEOPLE_FILE, index=False, lineterminator="\n")
        said = json.dumps(current.printed.record(), ensure_ascii=False, indent=1)
        (folder / "printed.json").write_text(said + "\n", encoding="utf-8", newline="\n")
        (folder / "README.md").write_text(README, encoding="utf-8", newline="\n")
        if with_report:
            printed_here = [name for name in (PDF, APPENDICES) if (output / name).is_file()]
            for name in printed_here:
                shutil.copyfile(output / name, folder / name)
            site = pack(output, RENDERED).files
            write_zip(folder / SITE, {name: content for name, content in site.items() if name not in printed_here})
        public = {path.name: sha256_of(path) for path in files_below(folder)}
        (folder / PRIVATE).mkdir()
        (folder / PRIVATE / "corrections.csv").write_text(current.ledger, encoding="utf-8", newline="")
        (folder / PRIVATE / CELLS).write_bytes(packed(returns))
        marks = {name: each for name, each in listed.items() if each is not None}
        (folder / PRIVATE / MARKS).write_bytes(packed_marks(marks))
        raw = {name: digest for name, digest in current.inputs.items() if not named(name, ABOUT_NOBODY)}
        (folder / PRIVATE / INPUTS).write_text(
            "\n".join([*_tables([("inputs", raw)]), ""]), encoding="utf-8", newline="\n"
        )
        if current.status != "synthetic":
            # Nobody has to remember to leave it out: version control passes over the folder.
            (folder / PRIVATE / ".gitignore").write_text("*\n", encoding="ascii", newline="\n")
        own = {f"{PRIVATE}/{path.name}": sha256_of(path) for path in files_below(folder / PRIVATE)}
        manifest = _manifest(date, current, public=public, private=own)
        (folder / "manifest.toml").write_text(manifest, encoding="utf-8", newline="\n")
        sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in files_below(folder)}
    return ReleaseReport(
        date=date, folder=target, files=sizes, results=len(current.results), inputs=len(current.inputs)
    )


def people_published(root: Path) -> pd.DataFrame:
    """Every place where a number of people is printed or withheld, by study: the next release is held against it."""
    parts = [
        open_output(root, study.key).tables[PEOPLE].astype("str").assign(study=study.key) for study in studies_of(root)
    ]
    whole = pd.concat(parts, ignore_index=True)
    return whole.loc[whole["people"] != "", list(PEOPLE_COLUMNS)]


def _manifest(date: str, current: Snapshot, *, public: Mapping[str, str], private: Mapping[str, str]) -> str:
    lines = [
        f"release = {_quoted(date)}",
        f"status = {_quoted(current.status)}",
        f"code = {_quoted(current.code)}",
        f"results = {len(current.results)}",
    ]
    # Of raw files even the names stay in the private part: somebody may have named one after a person.
    inputs = {name: digest for name, digest in current.inputs.items() if named(name, ABOUT_NOBODY)}
    tables = (("software", current.software), ("release_files", public), ("private_files", private), ("inputs", inputs))
    return "\n".join([*lines, *_tables(tables), ""])


def _tables(tables: Sequence[tuple[str, Mapping[str, str]]]) -> list[str]:
    lines: list[str] = []
    for name, table in tables:
        lines += ["", f"[{name}]", *(f"{_quoted(key)} = {_quoted(value)}" for key, value in sorted(table.items()))]
    return lines


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a basic string of TOML


def is_release_date(text: str) -> bool:
    """Whether a release may have this name: a day, written as 2026-05-31."""
    try:
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text)) and Date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8-sig") if path.is_file() else ""
