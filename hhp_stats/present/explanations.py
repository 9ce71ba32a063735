"""What the site says about a number when a reader asks: rows, clauses, functions with their source, inputs.

The engine calls `explanations` once a rendering, with the results and functions that its pages name, and
writes what it returns beside the pages. Nothing is fetched when a reader opens a panel.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hhp_stats.calls.ran import names_in
from hhp_stats.consistency.second.frames import read_recipes, recipes_of
from hhp_stats.consistency.second.python import python_programme
from hhp_stats.consistency.second.r import r_programme
from hhp_stats.consistency.second.recipe import Recipe
from hhp_stats.files.remember import Remember, code_below, make_again
from hhp_stats.present.definitions import PACKAGE
from hhp_stats.present.provenance import CLAUSES, clause_texts, locate, source_text
from hhp_stats.present.result_facts import facts_of, plan_labels
from hhp_stats.results.frame import ResultError, read_results
from hhp_stats.results.traced import traced_records
from hhp_stats.studies.output import ready_folder


def explanations(
    root: Path, *, results: Collection[str], functions: Collection[str], remember: Remember = make_again
) -> dict[str, Any]:
    """Everything the panels of the site show, for JSON.

    `results`: facts in the words and digits of `present.result_facts`, study, clause ids, names of functions and, where
    there are, second programmes by result id.
    `clauses`: words by id.
    `code`: file, line, question, formula and source by dotted name, of the functions behind the rows
    and of `functions`. `inputs`: paths and checksums by study. `remember` may keep the answer: it depends on the
    results, the plans and the code. Refuses an id that no study made (ResultError) and a function that does not exist.
    """
    names, asked = sorted(results), sorted(functions)
    text = remember(
        ["explanations", *names, "functions", *asked, *_depends_on(root, {name.split("/")[0] for name in names})],
        lambda: json.dumps(_explained(root, names, asked)),
    )
    found: dict[str, Any] = json.loads(text)
    return found


def _depends_on(root: Path, studies: Collection[str]) -> Iterator[str]:
    """Every text that an explanation is made of; of the code a checksum."""
    yield PACKAGE.parent.relative_to(root).as_posix() if PACKAGE.is_relative_to(root) else ""
    yield code_below(PACKAGE)
    files = [root / CLAUSES]
    for study in sorted(studies):
        folder = ready_folder(root, study)
        files += [folder / "results.csv", folder / "inputs.csv", recipes_of(folder), root / f"data/plan/{study}.toml"]
    for file in files:
        yield f"{file.name}\0{file.read_text(encoding='utf-8') if file.is_file() else ''}"


def _explained(root: Path, results: Sequence[str], functions: Sequence[str]) -> dict[str, Any]:
    inputs: dict[str, list[list[str]]] = {}
    made: dict[str, Mapping[str, Any]] = {}
    recipes: dict[str, Recipe] = {}
    labels: dict[str, Mapping[str, str]] = {}
    words = clause_texts(root)
    rows: dict[str, Any] = {}
    for result_id in results:
        study = result_id.split("/")[0]
        if study not in inputs:
            folder = ready_folder(root, study)
            frame = read_results(folder / "results.csv")
            labels[study] = plan_labels(root, study)
            inputs[study] = pd.read_csv(folder / "inputs.csv")[["path", "sha256"]].to_numpy().tolist()
            made |= {str(row["result_id"]): row for row in traced_records(frame)}
            recipes |= read_recipes(folder)
        if result_id not in made:
            raise ResultError(f"no result {result_id!r}; see the list in appendix F")
        row = made[result_id]
        rows[result_id] = {
            "facts": facts_of(row, labels[study]),
            "study": study,
            "clauses": str(row["clause"]).split(),
            "code": list(names_in(str(row["source"]))),
        }
        if result_id in recipes:
            rows[result_id]["programmes"] = {
                "python": python_programme(recipes[result_id]),
                "r": r_programme(recipes[result_id]),
            }
    cited = {clause for row in rows.values() for clause in row["clauses"]}
    named = {name for row in rows.values() for name in row["code"]} | set(functions)
    return {
        "results": rows,
        "clauses": {key: words[key] for key in sorted(cited) if key in words},
        "code": {name: _code(root, name) for name in sorted(named)},
        "inputs": dict(sorted(inputs.items())),
    }


def _code(root: Path, name: str) -> Mapping[str, Any]:
    place = locate(root, name)
    return {
        "file": place.file,
        "line": place.line,
        "question": place.question,
        "formula": place.formula,
        "source": source_text(name),
    }
