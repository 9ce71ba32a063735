"""Everything a reviewer needs in one zip: sources, data, locks, tests, results, and an index from print to function."""

from __future__ import annotations

import csv
import inspect
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

from hhp_stats.intake.manifest import read_manifest
from hhp_stats.output_guard import OutputGuard
from hhp_stats.present.provenance import locate
from hhp_stats.publish.archive import contents, files_below, fill_zip
from hhp_stats.publish.blind import Blinding, blind_figure, blind_summary, blinded_results, draw_blinding
from hhp_stats.publish.printed import Request, function_of, requests
from hhp_stats.publish.release import RELEASES, data_files, refuse_stale_results
from hhp_stats.results import read_results
from hhp_stats.spreadsheet import frame_to_csv, to_csv
from hhp_stats.studies.output import FOLDER as RESULTS_FOLDER

TOP = "hhp_stats-review"
FILES = (
    "_quarto.yml", "index.qmd", "pyproject.toml", "requirements.lock", "requirements-dev.lock", "Makefile", "README.md",
    "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", ".pre-commit-config.yaml", ".ci/run", ".gitignore",
)  # fmt: skip
FOLDERS = ("report", "hhp_stats", "data", "tests", "benchmarks", "tools")
OPEN_DATA = ("data/plan/", "data/published/", "data/dictionary.csv", "data/spellings.csv")  # about nobody, ever
UNBLINDING = ("data/", "tests/published/", "benchmarks/")
BLIND_DATA = ("data/plan/", "data/published/protocol_clauses.csv", "data/dictionary.csv", "data/spellings.csv")
_MADE = ("report/figures/", "tests/report/book/_output/")
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
    left_out: Sequence[str]  # files with real data, which are never packed, or that would unblind
    blinding: Blinding | None = None  # keep it from the blind reader


def write_bundle(root: Path, target: Path, *, output: Path, guard: OutputGuard | None = None) -> BundleReport:
    """Pack the project in `root` for a reviewer into the zip `target`; the same project gives the same bytes.

    Within it stand the sources, the data, the locks, the tests, all results (`results/`), the rendered report
    (`report-rendered/`, where the folder `output` holds one), `INDEX.md` and `index.csv`, and `READ-ME-FIRST.md` with
    two commands. The numbers of tables and figures are read from the rendered report. Real raw data, the kept cells of
    earlier releases and the reports of earlier releases are left out.
    Raises ReleaseRefused where the results are older than their inputs, OutputRefused where `target` is another file.
    """
    refuse_stale_results(root)
    real = not read_manifest(root).synthetic
    left_out = [name for name in data_files(root) if not name.startswith(OPEN_DATA)] if real else []
    entries = {f"{TOP}/{name}": content for name, content in _sources(root, skip=left_out).items()}
    for path in files_below(root / RESULTS_FOLDER):
        name = path.relative_to(root / RESULTS_FOLDER).as_posix()
        if path.suffix == ".csv":
            entries[f"{TOP}/results/{name}"] = path.read_bytes()
    if output.is_dir():
        entries |= {f"{TOP}/report-rendered/{name}": content for name, content in contents(output).items()}
    index = index_of(root, output=output)
    code = _code_of_results(root)
    entries[f"{TOP}/index.csv"] = _csv([vars_of(line) for line in index])
    entries[f"{TOP}/index-results.csv"] = _csv(code)
    entries[f"{TOP}/INDEX.md"] = _index_page(index).encode()
    entries[f"{TOP}/READ-ME-FIRST.md"] = _read_me(real=real, left_out=len(left_out)).encode()
    with (guard or OutputGuard(root=root, command="hhp bundle")).written(target) as partial:
        fill_zip(partial, entries)
    return BundleReport(
        path=target, files=len(entries), size=target.stat().st_size, index=tuple(index), left_out=tuple(left_out)
    )


def write_blind_bundle(root: Path, target: Path, *, seed: int, guard: OutputGuard | None = None) -> BundleReport:
    """Pack code and results for a reviewer who must not know the arms; the same project and seed give the same bytes.

    Packed are sources, locks, tests, plan and the results of two-arm comparisons with the arms called A and B as the
    secret `seed` decides (`blinded/results.csv`, `blinded/summary.md`, `blinded/differences.svg`). Left out is what would tell the arms apart: all
    data files but plan and clauses, the rendered report, earlier releases, tests of published figures, and the results
    that `blinded_results` names. Which arm is which is in the returned report and nowhere in the bundle.
    Raises ReleaseRefused where the results are older than their inputs, InvalidInput for a negative seed,
    OutputRefused where `target` is another file.
    """
    refuse_stale_results(root)
    blinding = draw_blinding(seed=seed)
    blind = blinded_results(read_results(root / RESULTS_FOLDER / "results.csv"), blinding)
    sources = _sources(root, skip=())
    told = {name for name in sources if name.startswith(UNBLINDING) and not name.startswith(BLIND_DATA)}
    entries = {f"{TOP}/{name}": content for name, content in sources.items() if name not in told}
    index = index_of(root)
    entries[f"{TOP}/blinded/results.csv"] = frame_to_csv(blind).encode()
    entries[f"{TOP}/blinded/summary.md"] = blind_summary(blind, picture="differences.svg").encode()
    entries[f"{TOP}/blinded/differences.svg"] = blind_figure(blind)
    entries[f"{TOP}/index.csv"] = _csv([vars_of(line) for line in index])
    entries[f"{TOP}/index-results.csv"] = _csv(_code_of_results(root))
    entries[f"{TOP}/INDEX.md"] = _index_page(index).encode()
    entries[f"{TOP}/READ-ME-FIRST.md"] = BLIND_READ_ME.encode()
    with (guard or OutputGuard(root=root, command="hhp bundle")).written(target) as partial:
        fill_zip(partial, entries)
    return BundleReport(
        path=target, files=len(entries), size=target.stat().st_size, index=tuple(index), left_out=tuple(sorted(told)),
        blinding=blinding,
    )  # fmt: skip


def _sources(root: Path, *, skip: Iterable[str]) -> dict[str, bytes]:
    hidden = frozenset(skip)
    found = {name: (root / name).read_bytes() for name in FILES if (root / name).is_file()}
    for folder in FOLDERS:
        for path in files_below(root / folder) if (root / folder).is_dir() else ():
            name = path.relative_to(root).as_posix()
            kept_release = name.startswith(f"{RELEASES}/") and path.name in (
                "returns.csv.gz",
                "report.pdf",
                "report.zip",
            )
            if name not in hidden and not kept_release and not name.startswith(_MADE):
                found[name] = path.read_bytes()
    return found


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
                number=number, label=label, kind=kind, source=f"{request.chapter}:{request.line}",
                function=f"{made.__module__}.{made.__qualname__}", code=_place(root, made), caption=caption,
            )
        )  # fmt: skip
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


def _code_of_results(root: Path) -> list[dict[str, str]]:
    """Every result with its clauses and the places of the code that made it."""
    known: dict[str, str] = {}
    rows = []
    for row in read_results(root / RESULTS_FOLDER / "results.csv").to_dict("records"):
        names = [name for name in str(row["source"]).split(" + ") if name]
        for name in names:
            if name not in known:
                place = locate(Path(__file__).resolve().parents[2], name)
                known[name] = f"{place.file}:{place.line}"
        rows.append({
            "result_id": str(row["result_id"]), "analysis": str(row["analysis"]), "clause": str(row["clause"]),
            "function": " + ".join(names), "code": " + ".join(known[name] for name in names),
        })  # fmt: skip
    return rows


def vars_of(line: IndexLine) -> dict[str, str]:
    """The line as columns of the index."""
    return {name: getattr(line, name) for name in IndexLine.__dataclass_fields__}


def _csv(rows: Sequence[Mapping[str, str]]) -> bytes:
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
            for line in index if line.kind == kind
        ]  # fmt: skip
        lines.append("")
    return "\n".join([*lines, "Every result with its clauses and its code stands in `index-results.csv`.", ""])


def _read_me(*, real: bool, left_out: int) -> str:
    data = (
        f"The data of the trials are real and stay with the trial team: {left_out} files are left out, and the report "
        "cannot be rendered from this bundle. The tests that need raw data make synthetic ones."
        if real
        else "The data are synthetic: drawn from a seed, about nobody."
    )
    return f"""\
# For the reviewer

Two commands, with Python 3.11 or later and make:

```
make report    # runs every analysis and renders _output/index.html and _output/report.pdf
make test      # the checks against other software, identities, planted effects, damaged files
```

{data}

- `INDEX.md`, `index.csv`: from each table, figure and sentence to the function that makes it.
- `index-results.csv`: from each result to the protocol's clauses and to its code.
- `results/results.csv`: every estimate as this bundle was packed; `make report` must give the same.
- `report-rendered/`: the report as it was rendered, where it was packed.
- `hhp explain RESULT_ID`: clause, formula, code, inputs and row of one number.
"""


BLIND_READ_ME = """\
# For the reviewer, blind

Two commands, with Python 3.11 or later and make:

```
make check                                                   # lint, types, spelling
.venv/bin/python -m pytest tests/reference tests/invariants  # every method against other software and identities
```

The arms are called A and B; which is which is not in this bundle. Every difference is arm B minus arm A.

- `blinded/summary.md`, `blinded/differences.svg`: the planned differences in words and as a figure.
- `blinded/results.csv`: all two-arm results.
- `INDEX.md`, `index.csv`, `index-results.csv`: from the report's tables, figures, sentences and results to the code.
- Left out because it would tell the arms apart: the data, the rendered report, results on who took part, bounds,
  benefit-cost ratios, and the numbers of people of single arms.
"""
