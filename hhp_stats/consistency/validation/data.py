"""Public data sets behind the validation cases, all from libraries that the report needs anyway.

Petersen's panel comes with statsmodels' own tests, the others from the data modules of statsmodels and
linearmodels. The two small tables are facts of publications: Student's from 1908, Shrout and Fleiss's from 1979.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd
from linearmodels.datasets import card, mroz
from statsmodels import datasets

from hhp_stats.regression.model_matrix import ModelMatrix


def matrix_of(frame: pd.DataFrame, names: str) -> ModelMatrix:
    """An intercept and the columns named, separated by spaces."""
    columns = names.split()
    values = np.column_stack([np.ones(len(frame)), *(frame[name].to_numpy(dtype=np.float64) for name in columns)])
    return ModelMatrix(values=values, names=("intercept", *columns))


@cache
def petersen() -> pd.DataFrame:
    """Petersen's simulated panel of 500 firms over ten years: firm, year, x, y."""
    source = files("statsmodels.stats.tests").joinpath("test_data.txt")
    with source.open(encoding="ascii") as stream:
        return pd.read_csv(stream, sep=r"\s+", names=["firm", "year", "x", "y"])


@cache
def grunfeld() -> pd.DataFrame:
    """Grunfeld's ten large firms over twenty years (American Steel left out, as in most books)."""
    frame = pd.DataFrame(datasets.grunfeld.load_pandas().data)
    return frame[frame["firm"] != "American Steel"].reset_index(drop=True)


@cache
def longley() -> pd.DataFrame:
    """Longley's nearly collinear macroeconomic series."""
    return pd.DataFrame(datasets.longley.load_pandas().data)


@cache
def spector() -> pd.DataFrame:
    """Spector and Mazzeo's students: GRADE, GPA, TUCE, PSI."""
    return pd.DataFrame(datasets.spector.load_pandas().data)


@cache
def married_women() -> pd.DataFrame:
    """Mroz's 753 married women; `log_wage` is missing for those without paid work, `team` is made up.

    `nwifeinc` is the household's other income as distributed; `family_less_own` is the same from its
    definition, family income less own wage times hours, which differs for a few women.
    """
    frame = mroz.load()
    return frame.assign(
        log_wage=np.log(frame["wage"].where(frame["inlf"] == 1)),
        team=np.arange(len(frame)) % 40,
        family_less_own=(frame["faminc"] - frame["wage"].fillna(0.0) * frame["hours"]) / 1000,
    )


@cache
def young_men() -> pd.DataFrame:
    """Card's 3,010 young men: wages, schooling and whether a college was near."""
    return card.load()


@cache
def extra_sleep() -> pd.DataFrame:
    """Student's (1908) extra hours of sleep under two drugs, as two groups of ten."""
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    return pd.DataFrame({"extra": [*first, *second], "drug": [0.0] * 10 + [1.0] * 10})


@cache
def judges() -> pd.DataFrame:
    """Shrout and Fleiss's (1979) ratings of six targets by four judges."""
    ratings = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    return pd.DataFrame(ratings, columns=["first", "second", "third", "fourth"], dtype="float64")
