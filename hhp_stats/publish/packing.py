"""Which files may leave this machine in a bundle? An allow-list by name; whatever it does not name stays.

A folder with records of people is never walked for what might be left out: a file goes only if its place and kind are
named here, if it is a file of its own (no symbolic link in its path), and if its bytes are not those of a private file
under another name. A new kind of file is therefore left behind, and `tests/report/test_packing.py` says so, until
somebody decides.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hhp_stats.publish.quarto_cli import left_by_quarto

# In patterns `*` stands for anything within one name, `**/` for any folders, `{a,b}` for a or b.
PROJECT = (
    "{_quarto.yml,index.qmd,pyproject.toml,requirements.lock,requirements-dev.lock,Makefile,LICENSE}",
    "{README,CONTRIBUTING,CHANGELOG}.md",
    ".pre-commit-config.yaml",
    ".ci/run",
    ".gitignore",
    "report/*.{qmd,bib,py,typ}",
    "report/{glossary.toml,allowed-digits.txt}",
    "hhp_stats/**/*.py",
    "hhp_stats/publish/assets/*.{lua,css,html,js,json,toml,typ}",
    "hhp_stats/publish/assets/fonts/*.{ttf,otf,woff2,txt}",
    "tests/**/*.py",
    "tests/{reference,published}/**/*.{csv,md,R,inp,do}",
    "tests/damages/runs.csv",
    "tests/prose/source_runs.bin",
    "tests/unit/public_trials/*.{toml,csv}",
    "tests/report/{facts.json,quarto_facts.toml}",
    "tests/report/validator/*.java",
    "tests/report/book/**/*.{qmd,bib,toml,svg,yml}",
    "tests/report/book/results/trial/*.csv",
    "tests/report/book/data/published/*.csv",
    "tests/browser/vendor/*.{js,txt,md}",
    "benchmarks/*.{py,md,csv}",
    "benchmarks/planted/*.{py,toml,md}",
    "tools/*.py",
)
ABOUT_NOBODY = (
    "data/plan/*.{toml,csv}",
    "data/published/*.csv",
    "data/{dictionary,spellings}.csv",
    "data/README.md",
    "data/imprint.toml",
)
THEMES = "data/qualitative"
RELEASE = ("data/releases/*/{manifest.toml,results.csv,people.csv,printed.json,README.md}",)
REVIEW = (*PROJECT, *ABOUT_NOBODY, *RELEASE)
RENDERED = (
    "*.html",
    "{report,appendices}.pdf",
    "report.docx",
    "tables.xlsx",
    "results.csv",
    "assets/**/*.{js,css,svg,json,woff2,ttf,otf}",
    "assets/fonts/OFL.txt",
)
# For a reader who must not know the arms: no words or figures about results, nothing that could make the data again.
BLIND = (
    "{pyproject.toml,requirements.lock,requirements-dev.lock,Makefile,LICENSE}",
    "tests/conftest.py",
    "tests/{reference,invariants}/**/*.{py,csv,md,R,inp,do}",
    "data/plan/{commitments*,estimands}.toml",
    "data/published/protocol_clauses.csv",
    "data/{dictionary,spellings}.csv",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """Contents by path from the folder, and the paths that stay: not named, linked, or a copy of a private file."""

    files: dict[str, bytes]
    left_out: tuple[str, ...]


def pack(folder: Path, patterns: Collection[str], *, private: Collection[str] = ()) -> Packed:
    """Read the files of `folder` that the patterns name. `private`: SHA-256 of contents that never go, whatever their
    name.
    """
    files: dict[str, bytes] = {}
    left_out = []
    for name, linked in _below(folder):
        if linked or not named(name, patterns):
            left_out.append(name)
            continue
        content = (folder / name).read_bytes()
        if hashlib.sha256(content).hexdigest() in private:
            left_out.append(name)
        else:
            files[name] = content
    return Packed(files=files, left_out=tuple(left_out))


def private_digests(root: Path) -> frozenset[str]:
    """SHA-256 of every file below `data/` that is not about nobody, and is not empty: raw files under whatever name."""
    found = set()
    for name, _ in _below(root / "data", top="data"):
        path = root / name
        if not named(name, (*ABOUT_NOBODY, *RELEASE)) and path.is_file():
            content = path.read_bytes()
            if content:
                found.add(hashlib.sha256(content).hexdigest())
    return frozenset(found)


def themes_of_documents(root: Path) -> dict[str, bytes]:
    """The tables of themes below `data/qualitative` that summarise published documents, as every line of them says.

    They are no raw data, no seed draws them, and a report on synthetic data needs them. A table with one line of any
    other release stays: it may quote somebody.
    """
    packed = pack(root / THEMES, ("*.csv",))
    found = {}
    for name, content in packed.files.items():
        try:
            lines = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
        except (UnicodeDecodeError, csv.Error):
            continue
        if lines and all(line.get("release") == "documents" for line in lines):
            found[f"{THEMES}/{name}"] = content
    return found


def named(name: str, patterns: Collection[str]) -> bool:
    """Whether a path from the folder is one that the patterns name; one with a hidden part only if it is spelled
    out.
    """
    hidden = any(part.startswith((".", "~")) for part in name.split("/"))
    return any(_compiled(pattern).fullmatch(name) for pattern in patterns if not (hidden and "*" in pattern))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    kinds = {"**/": "(?:[^/]+/)*", "*": "[^/]*"}
    parts = []
    for piece in re.findall(r"\*\*/|\*|\{[^}]*\}|[^*{]+", pattern):
        if piece.startswith("{"):
            choices = (re.escape(each).replace(r"\*", "[^/]*") for each in piece[1:-1].split(","))
            parts.append(f"(?:{'|'.join(choices)})")
        else:
            parts.append(kinds.get(piece, re.escape(piece)))
    return re.compile("".join(parts))


def _below(folder: Path, *, top: str = "") -> Iterator[tuple[str, bool]]:
    """Every file below `folder` as a path (after `top`), sorted, and whether it is reached over a link or is no plain
    file.

    Links to folders are named themselves and not entered.
    """
    found: list[tuple[str, bool]] = []
    for place, folders, names in os.walk(folder, followlinks=False):
        # Hidden folders (environments, caches, version control) are not walked; the one of continuous integration is.
        # Nor is what programs leave between sources.
        folders[:] = [
            name
            for name in folders
            if name != "__pycache__" and not left_by_quarto(name) and (not name.startswith(".") or name == ".ci")
        ]
        here = Path(place).relative_to(folder).as_posix()
        before = f"{top}/" * bool(top) + ("" if here == "." else f"{here}/")
        linked = [name for name in folders if Path(place, name).is_symlink()]
        found += [(before + name, True) for name in linked]
        for name in names:
            path = Path(place, name)
            found.append((before + name, path.is_symlink() or not path.is_file()))
    yield from sorted(found)
