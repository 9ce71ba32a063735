"""Everything a reviewer needs in one zip: sources, data, locks, tests, results, and an index from print to function."""

from __future__ import annotations

import csv
import inspect
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

from hhp_stats.calls.ran import names_in, source_of
from hhp_stats.files.output_guard import OutputGuard
from hhp_stats.files.spreadsheet import to_csv
from hhp_stats.intake.manifest import Manifest, read_manifest
from hhp_stats.intake.raw_files import MANIFEST
from hhp_stats.present.provenance import locate
from hhp_stats.publish.archive import fill_zip
from hhp_stats.publish.blind import Blinding
from hhp_stats.publish.packing import RENDERED, REVIEW, pack, private_digests, themes_of_documents
from hhp_stats.publish.printed import Request, function_of, requests
from hhp_stats.publish.published import published_results
from hhp_stats.publish.release import refuse_stale_results
from hhp_stats.results.frame import read_results
from hhp_stats.studies.output import FOLDER as RESULTS_FOLDER

TOP = "hhp_stats-review"
_CAPTION = re.compile(
    r'<figure id="(?P<label>(?:tbl|fig)-[\w-]+)".*?<figcaption[^>]*>\s*<span class="float-label">(?P<number>.*?)</span>'
    r"(?P<caption>.*?)</figcaption>",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexLine:
    """One table, figure or sentence of the report and the function that makes it."""

    number: str  # as printed, "Table 2.3"; "" where no rendered report was at hand, and for sentences
    label: str
    kind: str  # table, figure, sentence
    source: str  # chapter and line
    function: str
    code: str  # file and line
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleReport:
    """What was packed."""

    path: Path
    files: int
    size: int  # bytes of the zip
    index: Sequence[IndexLine]
    left_out: Sequence[str]  # paths that stay: raw and private files, links, and whatever is not named for packing
    blinding: Blinding | None = None  # keep it from the blind reader


def write_bundle(root: Path, target: Path, *, output: Path, guard: OutputGuard | None = None) -> BundleReport:
    """Pack the project in `root` for a reviewer into the zip `target`; the same project gives the same bytes.

    What goes is named in `packing`: sources, tests, plans, published facts, locks, the public part of releases, the
    rendered report (`report-rendered/`, from the folder `output`) and its results (`results/results.csv`); beside it
    `INDEX.md`, `index.csv`, `index-results.csv` and `READ-ME-FIRST.md`. No raw file goes, whatever the status of the
    data and whatever
    its name: synthetic ones are written again from their seed, real ones stay with the trial team.
    Raises ReleaseRefused where the results are older than their inputs, or the report was rendered from others or not
    at all, OutputRefused where `target` is another file.
    """
    refuse_stale_results(root)
    results = published_results(root, output)
    private = private_digests(root)
    sources = pack(root, REVIEW, private=private)
    entries = {f"{TOP}/{name}": content for name, content in sources.files.items()}
    manifest = read_manifest(root)
    if manifest.synthetic:
        entries |= {f"{TOP}/{name}": content for name, content in themes_of_documents(root).items()}
    entries[f"{TOP}/results/results.csv"] = results
    rendered = pack(output, RENDERED, private=private)
    entries |= {f"{TOP}/report-rendered/{name}": content for name, content in rendered.files.items()}
    entries[f"{TOP}/{MANIFEST}"] = _manifest(manifest).encode()
    index = index_of(root, output=output)
    entries[f"{TOP}/index.csv"] = csv_bytes([vars_of(line) for line in index])
    entries[f"{TOP}/index-results.csv"] = csv_bytes(code_of_results(root))
    entries[f"{TOP}/INDEX.md"] = _index_page(index).encode()
    left_out = [name for name in (*sources.left_out, *rendered.left_out) if f"{TOP}/{name}" not in entries]
    entries[f"{TOP}/READ-ME-FIRST.md"] = _read_me(
        real=not manifest.synthetic, left_out=sum(name.startswith("data/") for name in left_out)
    ).encode()
    guard = guard or OutputGuard(root=root, command="hhp bundle")
    return written(target, entries, guard=guard, index=index, left_out=left_out)


def _manifest(manifest: Manifest) -> str:
    """The manifest without the list of raw files, which are not in the bundle; `hhp synthesise` writes that anew."""
    head: dict[str, Any] = {"status": manifest.status, "release": manifest.release}
    head |= {key: value for key, value in manifest.other.items() if key in ("seed", "generator")}
    return "\n".join(
        [*(f"{key} = {value if isinstance(value, int) else json.dumps(value)}" for key, value in head.items()), ""]
    )


def written(
    target: Path,
    entries: Mapping[str, bytes],
    *,
    guard: OutputGuard,
    index: Sequence[IndexLine],
    left_out: Sequence[str],
    blinding: Blinding | None = None,
) -> BundleReport:
    """Write the zip, the same bytes each time, and say what is in it."""
    with guard.written(target) as partial:
        fill_zip(partial, entries)
    return BundleReport(
        path=target,
        files=len(entries),
        size=target.stat().st_size,
        index=tuple(index),
        left_out=tuple(left_out),
        blinding=blinding,
    )


def index_of(root: Path, *, output: Path | None = None) -> list[IndexLine]:
    """Which function makes which table, figure and sentence? In the order of the book."""
    captions = _captions(output) if output is not None and output.is_dir() else {}
    lines = []
    for request in requests(root):
        made = function_of(request)
        kind = {"table": "table", "figure": "figure", "say": "sentence"}.get(request.method)
        label = request.label
        kind = kind or ("table" if label.startswith("tbl-") else "figure" if label.startswith("fig-") else "sentence")
        number, caption = captions.get(label) or _figure_caption(request, captions)
        lines.append(
            IndexLine(
                number=number,
                label=label,
                kind=kind,
                source=f"{request.chapter}:{request.line}",
                function=f"{made.__module__}.{made.__qualname__}",
                code=_place(root, made),
                caption=caption,
            )
        )
    return lines


def _figure_caption(request: Request, captions: Mapping[str, tuple[str, str]]) -> tuple[str, str]:
    """A figure labels itself when it is drawn; its label ends in the name by which the chapter asks for it."""
    if request.method != "figure" or not request.arguments[0]:
        return "", ""
    name = str(request.arguments[0][0]).replace("_", "-").replace("/", "-")
    fitting = [found for label, found in captions.items() if label.startswith("fig-") and label.endswith(name)]
    return fitting[0] if len(fitting) == 1 else ("", "")


def _captions(output: Path) -> dict[str, tuple[str, str]]:
    found = {}
    for page in sorted(output.glob("*.html")):
        for match in _CAPTION.finditer(page.read_text(encoding="utf-8")):
            found[match["label"]] = (_words(match["number"]), _words(match["caption"]))
    return found


def _words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


def _place(root: Path, made: Any) -> str:
    function = inspect.unwrap(made)
    file = Path(inspect.getsourcefile(function) or "")
    package = Path(__file__).resolve().parent.parent
    shown = file.relative_to(package.parent).as_posix() if file.is_relative_to(package.parent) else file.name
    return f"{shown}:{inspect.getsourcelines(function)[1]}"


def code_of_results(root: Path) -> list[dict[str, str]]:
    """Every result with its clauses and the places of the code that made it."""
    known: dict[str, str] = {}
    rows = []
    for row in read_results(root / RESULTS_FOLDER / "results.csv").to_dict("records"):
        names = names_in(str(row["source"]))
        for name in names:
            if name not in known:
                place = locate(Path(__file__).resolve().parents[2], name)
                known[name] = f"{place.file}:{place.line}"
        rows.append(
            {
                "result_id": str(row["result_id"]),
                "analysis": str(row["analysis"]),
                "clause": str(row["clause"]),
                "function": source_of(names),
                "code": source_of(known[name] for name in names),
            }
        )
    return rows


def vars_of(line: IndexLine) -> dict[str, str]:
    """The line as columns of the index."""
    return {name: getattr(line, name) for name in IndexLine.__dataclass_fields__}


def csv_bytes(rows: Sequence[Mapping[str, str]]) -> bytes:
    """Rows of text as CSV."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else ["nothing"], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: to_csv(value) for name, value in row.items()} for row in rows)
    return text.getvalue().encode()


def _index_page(index: Sequence[IndexLine]) -> str:
    lines = ["# From the report to the code", ""]
    for title, kind in (("Tables", "table"), ("Figures", "figure"), ("Sentences and counts", "sentence")):
        lines += [f"## {title}", "", "| | Label | Asked for in | Made by | Code |", "|---|---|---|---|---|"]
        lines += [
            f"| {line.number} {line.caption} | `{line.label}` | {line.source} | `{line.function}` | {line.code} |"
            for line in index
            if line.kind == kind
        ]
        lines.append("")
    return "\n".join([*lines, "Every result with its clauses and its code stands in `index-results.csv`.", ""])


def _read_me(*, real: bool, left_out: int) -> str:
    how = (
        """\
The data of the trials are real and stay with the trial team, so the report cannot be rendered from this bundle. What
can be run, with Python 3.11 or later and make:

```
make check                                                   # lint, types, spelling
.venv/bin/python -m pytest tests/reference tests/invariants  # every method against other software and identities
```
"""
        if real
        else """\
The data are synthetic: drawn from a seed, about nobody. They are not in this bundle; the first command writes them
again. With Python 3.11 or later and make:

```
make data      # draws the raw files from their seed (hhp synthesise)
make report    # runs every analysis and renders _output/index.html and _output/report.pdf
make test      # the checks against other software, identities, planted effects, damaged files
```
"""
    )
    return f"""\
# For the reviewer

{how}
Raw data are never packed, whatever their status: {left_out} files below `data/` are left out, the ledger of corrections
and the private parts of releases among them.

- `INDEX.md`, `index.csv`: from each table, figure and sentence to the function that makes it.
- `index-results.csv`: from each result to the protocol's clauses and to its code.
- `results/results.csv`: every published estimate; a rendering of the same data must give the same.
- `report-rendered/`: the report as it was rendered.
- `hhp explain RESULT_ID`: clause, formula, code, inputs and row of one number, once the report is rendered.
"""
