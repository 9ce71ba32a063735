"""Where a number comes from: its row, the clause that asked for it, the code that made it, the files behind it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from hhp_stats.calls.ran import names_in
from hhp_stats.plan.passages import unmarked
from hhp_stats.present.definitions import PACKAGE, definition
from hhp_stats.present.numbers import MISSING
from hhp_stats.results.frame import COLUMNS, ResultError, read_results, row_of
from hhp_stats.studies.output import open_output, ready_folder

CLAUSES = "data/published/protocol_clauses.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLocation:
    """One function or module: where it stands and the question its docstring answers."""

    name: str
    file: str  # relative to the project
    line: int
    question: str
    formula: str  # the paragraph of the docstring that states the estimator, "" where it has none


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Everything behind one result."""

    row: Mapping[str, Any]
    plan: str  # file and line of the analysis in the plan; the file alone of what no analysis of the plan asks for
    clauses: Mapping[str, str]  # id: commitment
    code: tuple[CodeLocation, ...]
    inputs: pd.DataFrame  # path, sha256

    def record(self) -> dict[str, Any]:
        """The same for a program."""
        clean = {key: None if pd.isna(value) else value for key, value in self.row.items()}
        return {
            "result": {key: int(v) if key in ("n", "n_clusters") and v is not None else v for key, v in clean.items()},
            "plan": self.plan,
            "clauses": dict(self.clauses),
            "code": [
                {"name": c.name, "file": c.file, "line": c.line, "question": c.question, "formula": c.formula}
                for c in self.code
            ],
            "inputs": self.inputs[["path", "sha256"]].to_dict("records"),
        }

    def text(self) -> str:
        """The same for a person."""
        lines = [self.row["result_id"], ""]
        lines += [f"  {name:<11} {_shown(self.row[name])}" for name in COLUMNS[1:] if name not in ("clause", "source")]
        lines += ["", "Plan", f"  {self.plan}"]
        lines += ["", "Clauses"] + [f"  {key}  {text}" for key, text in self.clauses.items()]
        lines += ["", "Code"]
        for place in self.code:
            lines.append(f"  {place.file}:{place.line}  {place.name}")
            lines += [f"      {part}" for part in (place.question, *place.formula.splitlines()) if part]
        lines += ["", f"Inputs ({len(self.inputs)} files)"]
        lines += [f"  {row['sha256'][:16]}  {row['path']}" for row in self.inputs.to_dict("records")]
        return "\n".join(lines)


def _shown(value: Any) -> str:
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return MISSING
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def clause_texts(root: Path) -> dict[str, str]:
    """What each clause of the protocols commits to, by its id."""
    text = unmarked((root / CLAUSES).read_text(encoding="utf-8"))
    return {entry["clause_id"]: entry["commitment"] for entry in csv.DictReader(io.StringIO(text))}


def explain(root: Path, result_id: str) -> Explanation:
    """Gather what stands behind `result_id`; refuses an id that no study made (ResultError)."""
    study = result_id.split("/")[0]
    output = open_output(root, study)
    row = row_of(output.results, result_id)
    known = clause_texts(root)
    clauses = {key: known[key] for key in str(row["clause"]).split() if key in known}
    code = tuple(locate(root, name) for name in names_in(str(row["source"])))
    plan = place_in_plan(root, result_id)
    return Explanation(row=row, plan=plan, clauses=clauses, code=code, inputs=output.tables["inputs"])


def place_in_plan(root: Path, result_id: str) -> str:
    """File and line at which a plan asks for a result; the file alone where its entry has no id of its own."""
    study, analysis = result_id.split("/", 1)
    file = root / "data" / "plan" / f"{study}.toml"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    found = next((at for at, line in enumerate(lines, 1) if re.match(rf'id = "{re.escape(analysis)}"', line)), None)
    return file.relative_to(root).as_posix() + (f":{found}" if found else "")


def programme(root: Path, result_id: str, language: str) -> str:
    """A short complete programme, in "python" or "r", that computes a result from its analysis frame and prints it.

    Refuses an id that no study made, and a result that neither statsmodels, linearmodels nor R computes (ResultError,
    saying why).
    """
    from hhp_stats.consistency.second.frames import read_recipes
    from hhp_stats.consistency.second.python import python_programme
    from hhp_stats.consistency.second.r import r_programme
    from hhp_stats.studies.second_table import why_not

    folder = ready_folder(root, result_id.split("/")[0])
    row = row_of(read_results(folder / "results.csv"), result_id)
    recipe = read_recipes(folder).get(result_id)
    if recipe is None:
        raise ResultError(f"there is no second programme for {result_id}: {why_not(row)}")
    return python_programme(recipe) if language == "python" else r_programme(recipe)


def locate(root: Path, name: str) -> CodeLocation:
    """Find a dotted name (module or function) and read its question and formula off its docstring."""
    found = definition(name)
    paragraphs = [part.strip() for part in found.doc.split("\n\n")]
    formula = next((part for part in paragraphs[1:] if part.startswith("Estimator:")), "")
    home = next(place for place in (root, PACKAGE.parent) if found.path.is_relative_to(place))
    shown = found.path.relative_to(home).as_posix()
    return CodeLocation(name=name, file=shown, line=found.line, question=paragraphs[0], formula=formula)


def source_text(name: str) -> str:
    """The source of a function, class or module by its dotted name, so that it can be read without a checkout."""
    return definition(name).source
