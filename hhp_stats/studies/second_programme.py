"""Do statsmodels and linearmodels get our planned results? Each is computed again from its analysis frame and compared.

A result that they cannot compute needs its reason here; one without recipe and reason is an error, so that none is
left out in silence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from hhp_stats.consistency.second.estimates import quietly
from hhp_stats.consistency.second.recipe import FIELDS, Recipe
from hhp_stats.errors import SecondProgrammeDisagrees
from hhp_stats.processes.blocks import FORK_SECONDS, beside, in_blocks
from hhp_stats.processes.progress import silent
from hhp_stats.studies.second_table import COLUMNS, UNKNOWN, why_not

if TYPE_CHECKING:
    from hhp_stats.studies.output import StudyOutput

TOLERANCE = 1e-8
SECONDS = 0.003  # one fit of one data set takes about this long


@contextmanager
def checking(output: StudyOutput) -> Iterator[Callable[[], StudyOutput]]:
    """`checked` in a copy of this process while the caller goes on, where the fits take long enough for one; what it
    gets waits for the output.
    """
    if _seconds(_planned_recipes(output)) < FORK_SECONDS:
        yield lambda: checked(output)
        return
    with beside(_table, output) as table:
        yield lambda: replace(output, second=table())


def checked(output: StudyOutput) -> StudyOutput:
    """The output of a study with the table `second` of what was compared: one row a planned result.

    Columns: result_id; programme ("statsmodels", "linearmodels", empty where neither can); compared, the fields that
    were; gap, the largest relative difference, and field, where it is; reason, why all or some fields are not
    compared. A relative difference is that of the fields as they are; of estimate and ends of the interval, which may
    be near zero, it is over the larger of their size and the standard error. Refuses (SecondProgrammeDisagrees,
    naming every result) a difference above `TOLERANCE`: both programmes compute in double precision, least squares
    with condition numbers below 1e4 and Newton steps until the gradient vanishes, which leaves eleven digits or more.
    """
    return replace(output, second=_table(output))


def _planned(output: StudyOutput) -> pd.DataFrame:
    return output.results.loc[output.results["analysis"] == "planned"]


def _planned_recipes(output: StudyOutput) -> list[Recipe]:
    planned = set(_planned(output)["result_id"])
    return [recipe for recipe in output.analysis.recipes if recipe.result_id in planned]


def _seconds(recipes: Sequence[Recipe]) -> float:
    """How long the fits take on one core."""
    return SECONDS * sum(max(1, recipe.imputations) for recipe in recipes)


def _table(output: StudyOutput) -> pd.DataFrame | None:
    table = compare(output, _planned(output))
    return None if table.empty else table


def compare(output: StudyOutput, rows: pd.DataFrame) -> pd.DataFrame:
    """The table that `checked` adds, for any rows of the output's results."""
    recipes = {recipe.result_id: recipe for recipe in output.analysis.recipes}
    lines = [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]
    own = [recipes[row["result_id"]] for row in lines if row["result_id"] in recipes]
    fits: dict[str, list[Recipe]] = {}
    for recipe in own:
        fits.setdefault(recipe.fit_key, []).append(recipe)
    found = in_blocks(
        partial(quietly, frames=output.analysis), [(alike,) for alike in fits.values()], silent, seconds=_seconds(own)
    )
    seconds = {
        recipe.result_id: fields
        for alike, of_fit in zip(fits.values(), found, strict=True)
        for recipe, fields in zip(alike, of_fit, strict=True)
    }
    table, problems = [], []
    for row in lines:
        key = str(row["result_id"])
        if key not in seconds:
            table.append(
                {
                    "result_id": key,
                    "programme": "",
                    "compared": "",
                    "gap": math.nan,
                    "field": "",
                    "reason": _reason(row),
                }
            )
            continue
        recipe = recipes[key]
        gaps = gaps_of(row, seconds[key], recipe)
        worst = max(gaps, key=lambda name: gaps[name])
        problems += [
            f"{key}: {name} is {row[name]!r}, {programme(recipe)} gives {seconds[key][name]!r}"
            for name, gap in gaps.items()
            if not gap <= TOLERANCE
        ]
        table.append(
            {
                "result_id": key,
                "programme": programme(recipe),
                "compared": " ".join(gaps),
                "gap": gaps[worst],
                "field": worst,
                "reason": recipe.shortfall,
            }
        )
    if problems:
        raise SecondProgrammeDisagrees("results and the second programme disagree", problems)
    return pd.DataFrame(table, columns=list(COLUMNS))


def programme(recipe: Recipe) -> str:
    """Which library computes a recipe."""
    return "linearmodels" if recipe.estimator == "two-stage" else "statsmodels"


def gaps_of(row: Mapping[str, object], second: Mapping[str, float], recipe: Recipe) -> dict[str, float]:
    """The relative difference of every field compared; infinite where one of both is missing."""
    return {name: relative_gap(row, second, name) for name in FIELDS if name in recipe.compared}


def relative_gap(row: Mapping[str, object], second: Mapping[str, float], name: str) -> float:
    """|ours - theirs| over the size of ours, or over our standard error where that is larger and the field has its
    unit.
    """
    ours, theirs = float(str(row[name])), second[name]
    if ours == theirs:
        return 0.0
    scale = abs(ours)
    error = float(str(row["std_error"]))
    if name in ("estimate", "conf_low", "conf_high") and not math.isnan(error):
        scale = max(scale, error)
    gap = abs(ours - theirs) / scale if scale else math.inf
    return math.inf if math.isnan(gap) else gap


def _reason(row: Mapping[str, object]) -> str:
    reason = why_not(row)
    if reason == UNKNOWN:
        raise SecondProgrammeDisagrees(
            "a planned result is not computed a second time, and nothing says why",
            [f"{row['result_id']}: {row['method']}"],
        )
    return reason
