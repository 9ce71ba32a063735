"""Runs of words shared with the source documents, by digest: the documents themselves are not part of the project.

`source_runs.bin` holds the first five bytes of the BLAKE2b digest of every run of eight words in the documents, sorted
and compressed; no text can be had back from it. Two different runs share a digest about once in 2^40 / 48,000 = 23
million, so that a hit is a hit. `python tests/prose/own_words.py FOLDER` writes it again from the documents.
"""

from __future__ import annotations

import ast
import csv
import hashlib
import re
import sys
import tomllib
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

RUN = 8
SIZE = 5
FILE = Path(__file__).with_name("source_runs.bin")
_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")

# Names and titles, which cannot be said in other words.
NAMES = (
    "ministry of defence inspiring the next generation",
    "happier healthier professionals",
    "social workers inspiring the next generation",
    "building and maintaining a healthy happy social care team",
    "phase two randomised controlled trials and pilots conducted with public sector workforces",
    "a cluster randomised controlled trial of a goal setting and wellbeing programme in children's social care",
    "central bedfordshire kent lambeth north tyneside telford wrekin wolverhampton solihull greenwich bromley",
)
# Columns that quote a printed token, or list the names of authorities, roles and answers.
QUOTED = ("as_printed", "allowed", "allowed_values", "anchor_min", "anchor_max", "item_text", "title")


def words(text: str) -> list[str]:
    """Lower-case words and numbers; names and titles become one word that is in no document."""
    plain = " ".join(_WORD.findall(text.lower().replace("\u2019", "'")))
    for name in NAMES:
        plain = plain.replace(name, "\u00a7")
    return plain.split()


def digests(text: list[str]) -> Iterator[bytes]:
    """One digest a run of eight words."""
    for start in range(len(text) - RUN + 1):
        yield hashlib.blake2b(" ".join(text[start : start + RUN]).encode(), digest_size=SIZE).digest()


def source_runs() -> frozenset[bytes]:
    """The digests of all runs in the source documents."""
    raw = zlib.decompress(FILE.read_bytes())
    return frozenset(raw[at : at + SIZE] for at in range(0, len(raw), SIZE))


def shared_runs(text: str, known: frozenset[bytes]) -> list[str]:
    """The runs of eight words or more that a text shares with the documents."""
    own = words(text)
    hits = [start for start, digest in enumerate(digests(own)) if digest in known]
    found: list[tuple[int, int]] = []
    for start in hits:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], start + RUN)
        else:
            found.append((start, start + RUN))
    return [" ".join(own[start:end]) for start, end in found]


def texts(path: Path) -> Iterable[str]:
    """The separate texts of a file: paragraphs, strings or cells, so that no run crosses from one to the next."""
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".toml":
        return list(_strings(tomllib.loads(content)))
    if path.suffix == ".csv":
        rows = csv.DictReader(content.splitlines(keepends=True))
        return [str(cell) for row in rows for name, cell in row.items() if name not in QUOTED and cell]
    if path.suffix == ".py":
        return list(_literals(ast.parse(content)))
    return re.split(r"\n\s*\n", content)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in QUOTED:
                yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _literals(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield " \u00a7 ".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def main(folder: Path) -> None:
    """Write the digests of all text files of a folder."""
    found: set[bytes] = set()
    for file in sorted(folder.glob("*.txt")):
        plain = re.sub(r"[*_$]", "", file.read_text(encoding="utf-8"))
        found |= set(digests(_WORD.findall(plain.lower().replace("\u2019", "'"))))
    FILE.write_bytes(zlib.compress(b"".join(sorted(found)), 9))
    print(f"{len(found)} runs, {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
