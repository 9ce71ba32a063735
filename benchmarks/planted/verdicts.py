"""The table of what the tests noticed: one line a bug, the newest verdict of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path

TABLE = Path(__file__).with_name("VERDICTS.md")
HEAD = """# Bugs planted one at a time, and the test that noticed each

`python -m benchmarks.planted.run --record` writes this table; `bugs.toml` holds what each bug changes. Only the tests
named there ran, up to the first that failed: others may notice too.

Machine: {machine}.

{summary}

"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of one bug; texts only, as they stand in the table."""

    bug: str
    kind: str
    file: str
    verdict: str
    noticed_by: str
    seconds: str
    day: str
    commit: str


NAMES = [field.name for field in fields(Verdict)]


def read(path: Path = TABLE) -> dict[str, Verdict]:
    """The verdicts of the table by bug; none where there is no table."""
    if not path.is_file():
        return {}
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    rows = [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]
    bodies = [row for row in rows if len(row) == len(NAMES) and row[0] not in ("bug", "---")]
    return {row[0]: Verdict(**dict(zip(NAMES, row, strict=True))) for row in bodies}


def write(found: Mapping[str, Verdict], *, order: Iterable[str], machine: str, path: Path = TABLE) -> None:
    """All verdicts on bugs of the list, in its order, below the counts of each kind."""
    rows = [found[bug] for bug in order if bug in found]
    tried, noticed = Counter(row.kind for row in rows), Counter(row.kind for row in rows if row.verdict == "noticed")
    kinds = [f"| {kind} | {tried[kind]} | {noticed[kind]} |" for kind in tried]
    summary = [
        "| kind | tried | noticed |",
        "|---|---:|---:|",
        *kinds,
        f"| all | {tried.total()} | {noticed.total()} |",
    ]
    lines = [f"| {' | '.join(NAMES)} |".replace("_", " "), f"|{'---|' * len(NAMES)}"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in rows]
    text = HEAD.format(machine=machine, summary="\n".join(summary)) + "\n".join(lines) + "\n"
    path.write_text(text, encoding="utf-8")


def _cells(row: Verdict) -> list[str]:
    """The tests' own folder is left out; a bar in a test's id would end its cell."""
    return [text.removeprefix("tests/").replace("|", "/") for text in astuple(row)]
