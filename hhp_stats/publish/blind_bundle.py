"""One zip for a reviewer who must not know the arms: methods, plans, and results in which the arms are called A and
B.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from hhp_stats.files.output_guard import OutputGuard
from hhp_stats.files.spreadsheet import frame_to_csv
from hhp_stats.publish.blind import (
    Blinding,
    BlindResults,
    blind_figure,
    blind_summary,
    blinded_results,
    draw_blinding,
    two_armed,
)
from hhp_stats.publish.bundle import TOP, BundleReport, code_of_results, csv_bytes, written
from hhp_stats.publish.packing import BLIND, pack, private_digests
from hhp_stats.publish.release import refuse_stale_results
from hhp_stats.results.frame import read_results
from hhp_stats.running.run import studies_of
from hhp_stats.studies.kept import PACKAGE, modules_run
from hhp_stats.studies.output import FOLDER as RESULTS_FOLDER


def write_blind_bundle(root: Path, target: Path, *, seed: int, guard: OutputGuard | None = None) -> BundleReport:
    """Pack code and results for a reviewer who must not know the arms; the same project and seed give the same bytes.

    Packed are the modules that the analyses run, the checks of methods against other software, locks, the plans of the
    trials of two arms, and their results with the arms called A and B as the secret `seed` decides
    (`blinded/results.csv`, `blinded/summary.md`, `blinded/differences.svg`), with a count of what is withheld and why
    (`blinded/withheld.csv`). Left out is what would tell the arms apart: all data, what would draw synthetic ones
    again, the report and its chapters, published figures and everything computed from them, and what words say about
    results (changes, deviations, conflicts). Which arm is which is in the returned report and nowhere in the bundle.
    Raises ReleaseRefused where the results are older than their inputs, InvalidInput for a negative seed,
    OutputRefused where `target` is another file.
    """
    refuse_stale_results(root)
    frame = read_results(root / RESULTS_FOLDER / "results.csv")
    blinding = draw_blinding(two_armed(frame), seed=seed)
    return write_blinded(root, target, frame=frame, blinding=blinding, guard=guard)


def write_blinded(
    root: Path, target: Path, *, frame: pd.DataFrame, blinding: Blinding, guard: OutputGuard | None = None
) -> BundleReport:
    """The bundle of `write_blind_bundle` for a given naming of the arms."""
    blind = blinded_results(frame, blinding)
    # A plan on a plain table is read with its dictionary, which says what columns hold and nothing of any arm.
    plans = tuple(f"data/plan/{study}.{end}" for study in blinding.arms for end in ("toml", "dictionary.csv"))
    packed = pack(root, (*BLIND, *plans), private=private_digests(root))
    kept = frozenset(blind.kept())
    inside = {
        **packed.files,
        **{
            f"{PACKAGE.name}/{path.relative_to(PACKAGE).as_posix()}": path.read_bytes()
            for path in _modules_of_methods(root)
        },
        "blinded/results.csv": frame_to_csv(blind.results).encode(),
        "blinded/summary.md": blind_summary(blind.results, picture="differences.svg").encode(),
        "blinded/differences.svg": blind_figure(blind.results),
        "blinded/withheld.csv": frame_to_csv(blind.withheld).encode(),
        "index-results.csv": csv_bytes([line for line in code_of_results(root) if line["result_id"] in kept]),
        "INDEX.md": _index(blind).encode(),
        "READ-ME-FIRST.md": READ_ME.encode(),
        "README.md": READ_ME.encode(),  # installing asks for it; the project's own may speak of results
    }
    left_out = [name for name in packed.left_out if name not in inside]
    entries = {f"{TOP}/{name}": content for name, content in inside.items()}
    guard = guard or OutputGuard(root=root, command="hhp bundle")
    return written(target, entries, guard=guard, index=(), left_out=left_out, blinding=blinding)


def _modules_of_methods(root: Path) -> list[Path]:
    """Every module of the package that an analysis runs, and every design, measure, estimator and test there is."""
    methods = [
        f"{PACKAGE.name}." + path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".")
        for folder in ("design", "estimate", "infer", "measures", "regression")
        for path in sorted((PACKAGE / folder).rglob("*.py"))
    ]
    studies = [study.module for study in studies_of(root)]
    return sorted({path for module in (*studies, *methods) for path in modules_run(module)})


def _index(blind: BlindResults) -> str:
    rows = [f"| {row['study']} | {row['reason']} | {row['results']} |" for row in blind.withheld.to_dict("records")]
    return "\n".join(
        [
            "# What is here, and what is withheld",
            "",
            (
                f"`blinded/results.csv` holds {len(blind.results)} results; `index-results.csv` leads from each"
                f" difference to its code. Withheld are {int(blind.withheld['results'].sum())} results, none of them"
                " silently:"
            ),
            "",
            "| Study | What | Results |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


READ_ME = """\
# For the reviewer, blind

With Python 3.11 or later and make:

```
make .venv/dev.stamp
.venv/bin/python -m pytest tests/reference tests/invariants  # every method against other software and identities
```

In each trial of two arms the arms are called A and B; which is which is not in this bundle, and was decided for each
trial by itself. Every difference is arm B minus arm A.

- `blinded/summary.md`, `blinded/differences.svg`: the planned differences in words and as a figure.
- `blinded/results.csv`: differences of the two arms, means of both arms, and quantities without direction.
- `blinded/withheld.csv`, `INDEX.md`: how many other results there are, by trial, and why they are withheld.
- `index-results.csv`: from the results to the code.

Numbers are rounded to the second digit of their standard error, and means of arms to about half of it: at full
precision they would show by how many people they were divided. Degrees of freedom, numbers of people and spreads of
single arms, and all notes are withheld. Left out because it would tell the arms apart: all data, whatever could draw
synthetic ones again, the report with its chapters and the code of its words, published figures, and records of
changes and deviations.
"""
