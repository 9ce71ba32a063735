"""The same number from another programme: the programmes run, agree, and notice what is planted."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from hhp_stats.cli import app
from hhp_stats.consistency.second.estimates import quietly
from hhp_stats.consistency.second.frames import AnalysisFrames, Shelf, read_frames, stacked
from hhp_stats.consistency.second.python import python_programme
from hhp_stats.consistency.second.r import r_programme
from hhp_stats.consistency.second.recipe import FIELDS, Recipe
from hhp_stats.errors import HhpError, SecondProgrammeDisagrees
from hhp_stats.publish.packing import REVIEW, pack
from hhp_stats.results.frame import read_results
from hhp_stats.running.run import studies_of
from hhp_stats.studies.kept import is_kept
from hhp_stats.studies.output import FOLDER, StudyOutput
from hhp_stats.studies.second_programme import TOLERANCE, checked, relative_gap
from hhp_stats.studies.second_table import REASONS, coverage, why_not

FEW = 3  # completed data sets in the programmes that are run here; `checked` uses all that there are


@pytest.fixture(scope="module")
def studied(whole_report: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data and results of the report that is rendered for all tests: every row was compared when it was made; how
    many completed sets there are is no matter of this file.
    """
    home = tmp_path_factory.mktemp("second") / "project"
    home.mkdir()
    shutil.copytree(whole_report / "data", home / "data")
    shutil.copytree(whole_report / FOLDER, home / FOLDER)
    shutil.copy(whole_report / "_quarto.yml", home / "_quarto.yml")
    assert all(is_kept(home, study.key, study.key_now(home)) for study in studies_of(home))
    return home


@pytest.fixture(scope="module")
def outputs(studied: Path) -> dict[str, StudyOutput]:
    """Results and analysis frames of every study, read from its folder."""
    found = {}
    for folder in sorted(path.parent for path in (studied / FOLDER).glob("*/results.csv")):
        frames = read_frames(folder)
        if frames.recipes:
            results = read_results(folder / "results.csv")
            found[folder.name] = StudyOutput(study=folder.name, results=results, tables={}, conduct=(), analysis=frames)
    return found


def recipes(outputs: dict[str, StudyOutput]) -> Iterator[tuple[Recipe, AnalysisFrames]]:
    for output in outputs.values():
        for recipe in output.analysis.recipes:
            yield recipe, output.analysis


def shortened(recipe: Recipe) -> Recipe:
    return replace(recipe, imputations=min(recipe.imputations, FEW))


def test_every_planned_result_is_computed_again_or_has_a_reason(studied: Path) -> None:
    found = coverage(studied)
    planned = pd.concat([read_results(path) for path in (studied / FOLDER).glob("*/results.csv")])
    planned = planned.loc[planned["analysis"] == "planned"]
    assert set(found.table["result_id"]) == set(planned["result_id"])
    assert (found.covered["gap"] <= TOLERANCE).all() and len(found.covered) > len(found.estimated) / 2
    assert (found.table.loc[found.table["programme"] == "", "reason"] != "").all()
    # Everything linear, logistic and pooled is covered: what is left out is of another kind.
    left = planned.loc[planned["result_id"].isin(found.table.loc[found.table["programme"] == "", "result_id"])]
    left = left.loc[left["status"] != "not_estimated", "method"]
    assert not left.str.contains("OLS|logit|Rubin").any()


def test_every_python_programme_prints_its_row(
    studied: Path, outputs: dict[str, StudyOutput], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(studied)
    read, kept = pd.read_csv, {}

    def read_once(*given: object, **named: object) -> pd.DataFrame:
        key = repr((given, named))
        if key not in kept:
            kept[key] = read(*given, **named)
        return kept[key].copy()

    monkeypatch.setattr(pd, "read_csv", read_once)
    ran = 0
    for recipe, frames in recipes(outputs):
        recipe = shortened(recipe)
        printed, names = io.StringIO(), {}
        with contextlib.redirect_stdout(printed), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(python_programme(recipe), recipe.result_id, "exec"), names)
        compare_with_row(recipe, outputs, quietly([recipe], frames)[0], values_of(printed.getvalue()), recipe.compared)
        ran += 1
    assert ran > 100


def compare_with_row(recipe, outputs, engine, printed, fields) -> None:
    """The programme against our row where it uses all data sets, else against the check's own numbers of as many
    sets.
    """
    study = recipe.result_id.split("/")[0]
    results = outputs[study].results
    row = results.loc[results["result_id"] == recipe.result_id].iloc[0].to_dict()
    ours = {**engine, "result_id": recipe.result_id} if recipe.imputed else row
    for name in fields:
        if name in engine and np.isnan(engine[name]) and recipe.imputed:
            continue  # R's clubSandwich alone has it; there the row's own full length is compared
        assert relative_gap(ours, printed, name) <= TOLERANCE, (recipe.result_id, name, ours[name], printed[name])


def values_of(text: str) -> dict[str, float]:
    pairs = [line.split() for line in text.strip().splitlines()]
    found = {name: float(value.replace("NA", "nan")) for name, value in pairs}
    assert list(found) == list(FIELDS)
    return found


RUN_ALL = """
arguments <- commandArgs(TRUE)
kept <- new.env()
read.csv <- function(file, ...) {
  key <- paste(file, deparse(list(...)), collapse = " ")
  if (is.null(kept[[key]])) kept[[key]] <- utils::read.csv(file, ...)
  kept[[key]]
}
for (number in seq_len(as.integer(arguments[2]))) {
  cat("##", number, "\\n")
  source(file.path(arguments[1], paste0(number, ".R")), local = new.env())
}
"""


def test_every_r_programme_prints_its_row(studied: Path, outputs: dict[str, StudyOutput], tmp_path: Path) -> None:
    """All programmes in one process of R; needs Rscript with sandwich and clubSandwich (HHP_REQUIRE_R=1: must be
    there).
    """
    program = shutil.which("Rscript")
    if program is None:
        assert os.environ.get("HHP_REQUIRE_R") != "1", (
            "Rscript is missing; install r-base-core r-cran-sandwich r-cran-clubsandwich"
        )
        pytest.skip("Rscript is not installed: the programmes in R were not run")
    have = subprocess.run(
        [program, "-e", 'for (p in c("sandwich", "clubSandwich")) stopifnot(requireNamespace(p, quietly = TRUE))'],
        capture_output=True,
        check=False,
    )
    if have.returncode:
        assert os.environ.get("HHP_REQUIRE_R") != "1", "R has no sandwich or clubSandwich"
        pytest.skip("R has no sandwich or clubSandwich: the programmes in R were not run")
    given = [(shortened(recipe), frames) for recipe, frames in recipes(outputs)]
    for number, (recipe, _) in enumerate(given, start=1):
        (tmp_path / f"{number}.R").write_text(r_programme(recipe), encoding="utf-8")
    (tmp_path / "all.R").write_text(RUN_ALL, encoding="utf-8")
    ran = subprocess.run(
        [program, str(tmp_path / "all.R"), str(tmp_path), str(len(given))],
        cwd=studied,
        text=True,
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    parts = [part.partition("\n")[2] for part in ran.stdout.split("## ")[1:]]
    assert len(parts) == len(given)
    for (recipe, frames), text in zip(given, parts, strict=True):
        compare_with_row(recipe, outputs, quietly([recipe], frames)[0], values_of(text), recipe.in_r)


@pytest.mark.parametrize("study", ["letters", "hiring", "swing"])
@pytest.mark.parametrize("field", ["estimate", "std_error", "df", "p_value", "conf_low", "conf_high"])
def test_a_changed_number_of_a_row_fails_and_is_named(outputs: dict[str, StudyOutput], study: str, field: str) -> None:
    output = outputs[study]
    covered = {recipe.result_id for recipe in output.analysis.recipes if field in recipe.compared}
    planned = output.results["analysis"].eq("planned") & output.results["result_id"].isin(covered)
    place = output.results.index[planned][-1]
    results = output.results.copy()
    results.loc[place, field] = results.loc[place, field] * (1 + 1e-6) + 1e-9
    with pytest.raises(SecondProgrammeDisagrees) as caught:
        checked(replace(output, results=results))
    assert str(results.loc[place, "result_id"]) in str(caught.value) and field in str(caught.value)


@pytest.mark.parametrize("study", ["letters", "hiring", "mod_ing"])
def test_a_changed_value_of_a_frame_fails(outputs: dict[str, StudyOutput], study: str) -> None:
    output = outputs[study]
    recipe = next(one for one in output.analysis.recipes if len(one.compared) == len(FIELDS))
    frame = output.analysis.people[recipe.frame].copy()
    place = frame.index[frame[recipe.outcome].notna()][0]
    frame.loc[place, recipe.outcome] += 0.001
    people = {**output.analysis.people, recipe.frame: frame}
    with pytest.raises(SecondProgrammeDisagrees):
        checked(replace(output, analysis=replace(output.analysis, people=people)))


def test_a_changed_imputed_value_moves_the_second_estimate(outputs: dict[str, StudyOutput]) -> None:
    recipe, frames = next(
        (one, frames) for one, frames in recipes(outputs) if one.imputed and one.outcome in one.filled
    )
    recipe = shortened(recipe)
    values = frames.imputed[recipe.imputed].copy()
    place = values.index[values[recipe.outcome].notna()][0]
    values.loc[place, recipe.outcome] += 1
    moved = replace(frames, imputed={**frames.imputed, recipe.imputed: values})
    assert quietly([recipe], frames)[0]["estimate"] != quietly([recipe], moved)[0]["estimate"]


def test_a_planned_row_without_recipe_and_reason_is_refused(outputs: dict[str, StudyOutput]) -> None:
    output = outputs["letters"]
    analysis = replace(output.analysis, recipes=output.analysis.recipes[1:])
    with pytest.raises(SecondProgrammeDisagrees, match="nothing says why"):
        checked(replace(output, analysis=analysis))
    assert all(why_not({"status": "estimated", "method": words}) == why for words, why in REASONS.items())


def test_frames_hold_no_identifiers_and_stay_out_of_bundles(
    studied: Path, outputs: dict[str, StudyOutput], tmp_path: Path
) -> None:

    for output in outputs.values():
        folder = studied / FOLDER / output.study / "analysis"
        assert folder.stat().st_mode & 0o077 == 0, "only its owner may open the folder"
        columns = pd.read_csv(folder / "columns.csv")
        for name, frame in output.analysis.people.items():
            assert list(frame["person"]) == list(range(1, len(frame) + 1))
            told = columns.loc[columns["frame"] == f"{name}.csv", "column"]
            assert list(told) == list(frame.columns) and columns["meaning"].str.len().gt(0).all()
            texts = frame.select_dtypes(exclude="number")
            assert texts.empty or texts.nunique().max() < len(frame) / 10, (
                "a text column of a frame is a category, not an identifier"
            )
    # A bundle takes what its list names: nothing on it reaches into the folder of results of a study.
    frames_here = [path.relative_to(studied).as_posix() for path in (studied / FOLDER).rglob("analysis/*")]
    assert frames_here and not set(frames_here) & set(pack(studied, REVIEW).files)


def test_explain_prints_programmes_and_says_why_there_is_none(studied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(studied)
    found = coverage(studied)
    covered, left = (
        found.covered["result_id"].iloc[0],
        found.table.loc[found.table["programme"] == "", "result_id"].iloc[0],
    )
    for language, word in (("python", "import pandas"), ("r", "read.csv")):
        ran = CliRunner().invoke(app, ["explain", covered, "--code", language])
        assert ran.exit_code == 0 and word in ran.stdout and covered in ran.stdout
        assert max(map(len, ran.stdout.splitlines())) <= 160
    assert CliRunner().invoke(app, ["explain", covered, "--code", "stata"]).exit_code == 2
    assert isinstance(CliRunner().invoke(app, ["explain", left, "--code", "r"]).exception, HhpError)


def test_a_column_keeps_one_meaning() -> None:
    people = pd.DataFrame({"x": [1.0, 2.0, np.nan]})
    shelf = Shelf(people)
    shelf.put("x", people["x"])
    shelf.put("x", pd.Series([7.0], index=[2]))  # fills a gap
    with pytest.raises(HhpError, match="two different columns"):
        shelf.put("x", people["x"] + 1)
    assert list(shelf.frame()["x"]) == [1.0, 2.0, 7.0]


def test_completed_sets_hold_what_was_missing_and_nothing_else() -> None:
    completed = {"a": np.array([[1.0, 5.0, 3.0], [1.0, 6.0, 3.0]]), "b": np.array([[0.5, 2.0, 9.0], [0.5, 2.0, 8.0]])}
    known = {"a": np.array([True, False, True]), "b": np.array([True, True, False])}
    found = stacked(completed, known)
    assert list(found["imputation"]) == [1, 1, 2, 2] and list(found["person"]) == [2, 3, 2, 3]
    assert found["a"].tolist()[0::2] == [5.0, 6.0] and found["a"].iloc[1::2].isna().all()
    assert found["b"].tolist()[1::2] == [9.0, 8.0] and found["b"].iloc[0::2].isna().all()
