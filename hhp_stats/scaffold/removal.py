"""What goes when a study goes, and what then stands in the files that it shares with others?

Own files are moved to a folder outside the report; of each shared file that changes a copy as it was goes there too, so
that nothing is lost. What is derived (`.report/`, `_output/`) is made again without the study. Nothing is known of
any study
by name: what belongs to one follows from the head of its plan, from the keys `study` and `trial` in the lists, from
the names of raw files, and from the marks of passages (`plan.passages`).
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hhp_stats.errors import HhpError
from hhp_stats.files.changed_together import change_together
from hhp_stats.intake.accepted_copies import keep_copies
from hhp_stats.intake.raw_files import MANIFEST, raw_files, study_of
from hhp_stats.plan.book_studies import BOOK
from hhp_stats.plan.catalogue import PLANS, StudyEntry, catalogue, study_entry
from hhp_stats.plan.glossary import GLOSSARY
from hhp_stats.plan.passages import without
from hhp_stats.plan.records import read_plan_file

REMOVED = "data/.removed"  # hidden: no raw file, in no bundle
CONFLICTS = "data/plan/conflicts.toml"
TRUTH = "data/synthetic_truth.toml"
LEDGER = "data/corrections.csv"
FIGURES = "data/published/published_results.csv"
DESIGNS = "data/published/trial_design.csv"
_COMPARATORS = re.compile(r"\[\[(?:[\w-]+\.)*comparators\]\]")
_ID = re.compile(r"[A-Za-z][\w-]*")


class RemovalRefused(HhpError):
    """A study cannot be removed as asked; nothing was changed."""

    exit_status = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What goes with one study: files as paths from the project, and the new content of shared files."""

    study: str
    moved: tuple[str, ...]
    edited: Mapping[str, bytes]

    def in_words(self, root: Path) -> list[str]:
        """One line a file, for the terminal."""
        lines = [f"move   {file}" for file in self.moved]
        for file, content in self.edited.items():
            before, after = (root / file).read_bytes().count(b"\n"), content.count(b"\n")
            lines.append(
                f"edit   {file}: {before - after} of {before} lines go"
                if before != after
                else f"edit   {file}: words within lines go"
            )
        return lines


def removal(root: Path, study: str) -> Removal:
    """What goes with this study? Reads only. Refuses a key that no plan has (UnknownName)."""
    entry = study_entry(root, study)
    keys = [each.study for each in catalogue(root)]
    moved = _own_files(root, entry, keys)
    edited: dict[str, bytes] = {}

    def edit(file: str, change: Callable[[str], str]) -> None:
        path = root / file
        if file in moved or not path.is_file():
            return
        before = edited.get(file, path.read_bytes())
        after = change(before.decode("utf-8")).encode("utf-8")
        if after != before:
            edited[file] = after

    conflicts = _conflicts_of(root, study)
    for path in sorted((root / PLANS).glob("*.toml")):
        edit(
            f"{PLANS}/{path.name}",
            lambda text: _without_ids(without(without_entries(text, study), study), conflicts, study),
        )
    for file in ("index.qmd", *(path.relative_to(root).as_posix() for path in sorted((root / "report").glob("*.qmd")))):
        edit(file, lambda text: without(text, study))
    edit(GLOSSARY, lambda text: without_entries(text, study))
    gone = _figures_of(root, entry)
    for path in sorted((root / "data/published").glob("*.csv")):
        edit(f"data/published/{path.name}", lambda text: without(without_rows(text, entry, gone), study))
    edit(LEDGER, lambda text: without_rows(text, entry, frozenset()))
    edit(
        BOOK, lambda text: _without_lines(text, rf"\s*-\s+[\"']?({_any((entry.chapter, *entry.pages))})[\"']?\s*(#.*)?")
    )
    edit(
        MANIFEST, lambda text: _without_status(_without_lines(text, rf'"({_any(moved)})"\s*=.*|{study}\s*=\s*"\w+".*'))
    )
    edit(TRUTH, lambda text: without_tables(text, study))
    return Removal(study=study, moved=moved, edited=edited)


def remove(root: Path, study: str, *, found: Removal | None = None) -> Path:
    """Take a study out of the project; gives the folder that holds what went, and shared files as they were.

    All of it is done, or nothing. Refuses (RemovalRefused) where that folder exists already,
    and the last study.
    """
    found = found or removal(root, study)
    if len(catalogue(root)) == 1:
        raise RemovalRefused(f"{study} is the only study: a report needs one. Enter another before you remove it.")
    target = root / REMOVED / study
    if target.exists():
        raise RemovalRefused(f"{REMOVED}/{study} exists already: move it away, so that nothing in it is lost.")
    kept = {
        f"{REMOVED}/{study}/{'own' if file in found.moved else 'shared'}/{file}": (root / file).read_bytes()
        for file in (*found.moved, *found.edited)
    }
    change_together(root, new=kept, edited=found.edited, removed=found.moved, command="hhp remove")
    for file in found.moved:
        _remove_empty(root, (root / file).parent)
    keep_copies(root)  # of what is left: that of the raw files that went goes with them
    return target


def _own_files(root: Path, entry: StudyEntry, keys: Collection[str]) -> tuple[str, ...]:
    study = entry.study
    plans = [path for path in sorted((root / PLANS).iterdir()) if path.is_file() and _plan_file_of(path, study)]
    raw = [name for name in raw_files(root) if study_of(name, keys) == study]
    pages = [page for page in (entry.chapter, *entry.pages) if (root / page).is_file()]
    return tuple(dict.fromkeys([*(path.relative_to(root).as_posix() for path in plans), *pages, *raw]))


def _plan_file_of(path: Path, study: str) -> bool:
    """Whether a file below `data/plan` is about one study alone: by its name, or by the key `study` at its head."""
    first = path.name.split(".")[0]
    if first in (study, f"synthetic_{study}"):
        return True
    if path.suffix != ".toml":
        return False
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")).get("study") == study
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        return False


def without_entries(text: str, study: str) -> str:
    """A TOML text without the entries of its lists whose key `study` is this study; comments above the next entry
    stay.
    """
    lines = text.splitlines(keepends=True)
    starts = _table_starts(lines)
    gone: set[int] = set()
    for start, following in zip(starts, [*starts, len(lines)][1:], strict=True):
        if not lines[start].startswith("[["):
            continue
        end = following
        if following < len(lines):
            while end > start and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
                end -= 1
            while end < following and not lines[end].strip():
                end += 1  # the blank lines after it go with the entry
        table = tomllib.loads("".join(lines[start + 1 : end]))
        # A protocol may compare its trial with others, each an entry by the other's key.
        about = table.get("key") if _COMPARATORS.match(lines[start]) else table.get("study")
        if about == study:
            gone |= set(range(start, end))
    return "".join(line for at, line in enumerate(lines) if at not in gone)


def _table_starts(lines: Sequence[str]) -> list[int]:
    """Where the tables of a TOML text begin: a bracket within a text of several lines begins none."""
    starts, within = [], False
    for at, line in enumerate(lines):
        if not within and line.startswith("["):
            starts.append(at)
        within ^= (line.count('"""') + line.count("'''")) % 2 == 1
    return starts


def _conflicts_of(root: Path, study: str) -> frozenset[str]:
    """Ids of the conflicts that are about the study: other entries may have cited them."""
    path = root / CONFLICTS
    listed = read_plan_file(root, CONFLICTS).get("conflict", []) if path.is_file() else []
    return frozenset(str(entry["id"]) for entry in listed if entry.get("study") == study)


def _without_ids(text: str, ids: Collection[str], study: str) -> str:
    """A TOML text without some ids, and places of plans that are called as the study, in its lists of citations."""
    cited = rf'"(?:{_any([*sorted(ids), study])}|(?:[\w-]+\.)+{study})"'
    return re.sub(
        r"(?m)^(?:decision|conflicts|where)\s*=\s*\[[^\]]*\]",
        lambda found: re.sub(rf",\s*{cited}|{cited}\s*,\s*|{cited}", "", found[0]),
        text,
    )


def _figures_of(root: Path, entry: StudyEntry) -> frozenset[str]:
    """Ids of the printed figures and facts of designs that are about the study."""
    found = {row["id"] for row in _rows(root / FIGURES) if row["trial"] in entry.trials}
    found |= {f"TD-{row['trial']}-{row['item']}" for row in _rows(root / DESIGNS) if row["trial"] in entry.trials}
    return frozenset(found)


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def without_rows(text: str, entry: StudyEntry, figures: Collection[str]) -> str:
    """A CSV text without the lines about a study: by its key or trial, its results, or a figure that is its own."""
    kept = []
    stream = io.StringIO(text, newline="")
    reader = csv.reader(stream)
    begin, columns = 0, None
    lines = text.splitlines(keepends=True)
    for row in reader:
        source = "".join(lines[begin : reader.line_num])
        begin = reader.line_num
        if columns is None:
            columns = row
        elif _is_of(dict(zip(columns, row, strict=False)), entry, figures):
            continue
        kept.append(source)
    return "".join(kept)


def _is_of(row: Mapping[str, str], entry: StudyEntry, figures: Collection[str]) -> bool:
    if row.get("study") == entry.study or row.get("trial") in entry.trials:
        return True
    for column in ("result_id", "result_ids"):
        if any(name.removeprefix("-").startswith(f"{entry.study}/") for name in row.get(column, "").split()):
            return True
    named = ("published_id", "printed_id", "numerator", "denominator", "people")
    return any(name in figures for column in named for name in _ID.findall(row.get(column, "")))


def _any(names: Collection[str]) -> str:
    return "|".join(re.escape(name) for name in names)


def _without_lines(text: str, pattern: str) -> str:
    line = re.compile(pattern)
    return "".join(each for each in text.splitlines(keepends=True) if not line.fullmatch(each.rstrip("\r\n")))


def _without_status(text: str) -> str:
    """The manifest without its table of single statuses, where none is left in it."""
    return re.sub(r"(?m)^\[status_of\]\n\s*(?=^\[|\Z)", "", text)


def without_tables(text: str, study: str) -> str:
    """A TOML text without the table of a study and those within it."""
    kept, own = [], False
    for line in text.splitlines(keepends=True):
        if header := re.match(r"\[+([^\]]+)\]+\s*$", line):
            own = header[1] == study or header[1].startswith(f"{study}.")
        if not own:
            kept.append(line)
    return "".join(kept)


def _remove_empty(root: Path, folder: Path) -> None:
    """Folders below data/ that held only what went."""
    while folder != root / "data" and folder.is_relative_to(root / "data"):
        if folder.is_dir():  # a file that went before may have taken it along
            if any(folder.iterdir()):
                return
            folder.rmdir()
        folder = folder.parent
