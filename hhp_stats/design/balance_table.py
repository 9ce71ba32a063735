"""How far apart are the arms at baseline? Means, spreads and standardised differences, covariate by covariate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from hhp_stats.calls.typed import typed
from hhp_stats.errors import ConstantTreatment, InvalidInput, NoObservations, UnknownName
from hhp_stats.regression.model_matrix import Array, as_numbers, refuse_unsquarable
from hhp_stats.regression.spread import is_dust, spread

BALANCE_COLUMNS = (
    "covariate",
    "level",
    "kind",
    "n_treatment",
    "n_control",
    "missing_treatment",
    "missing_control",
    "mean_treatment",
    "mean_control",
    "sd_treatment",
    "sd_control",
    "std_difference",
    "variance_ratio",
)


@typed
def balance_table(
    frame: pd.DataFrame,
    *,
    continuous: Sequence[str] = (),
    categorical: Sequence[str] = (),
    treatment: str = "treatment",
    levels: Mapping[str, Sequence[str]] | None = None,
) -> pd.DataFrame:
    """How far apart are the arms on each covariate, in standard deviations?

    Continuous: (mean1 - mean0) / sqrt((sd1^2 + sd0^2)/2), and the ratio of the variances. Categorical: one
    row a level with the shares and (p1 - p0) / sqrt((p1(1-p1) + p0(1-p0))/2), and a first row of empty level
    with the distance of the whole set of shares, sqrt((P1-P0)' S^-1 (P1-P0)), S the average of the two
    multinomial covariances, one level left out. Signs are treatment minus control; the distance has none. Not
    a test: it does not grow with the number of people.

    One row per covariate (and level), columns `BALANCE_COLUMNS`; the n of an arm are those with the covariate
    known, the others are counted as missing. The levels of a covariate stand in the order in which `levels` lists
    them, else in that of their categories, and what is not listed follows by name. A standardised difference is
    missing where nothing varies in either arm and the means agree, and infinite where they do not.

    Refuses unknown columns (UnknownName), treatment other than 0 and 1, infinite values (InvalidInput), one arm only
    (ConstantTreatment), and a covariate unknown for a whole arm (NoObservations).
    Source: Austin (2009), Statistics in Medicine 28, 3083-3107; Yang and Dalton (2012), SAS Global Forum 335.
    """
    arm = _arm(frame, treatment, [*continuous, *categorical])
    rows: list[dict[str, object]] = []
    for name in continuous:
        values = _known_finite(frame[name])
        rows.append(_continuous_row(name, values[arm], values[~arm]))
    for name in categorical:
        listed = (levels or {}).get(name, ())
        if not listed and isinstance(frame[name].dtype, pd.CategoricalDtype):
            listed = list(frame[name].cat.categories)
        rows.extend(_categorical_rows(name, frame.loc[arm, name], frame.loc[~arm, name], listed))
    return pd.DataFrame(rows, columns=list(BALANCE_COLUMNS))


def _continuous_row(name: str, treated: pd.Series, control: pd.Series) -> dict[str, object]:
    one, zero = treated.dropna(), control.dropna()
    _refuse_empty(name, len(one), len(zero))
    var1, var0 = spread(one) ** 2, spread(zero) ** 2
    gap = float(one.mean() - zero.mean())
    gap = 0.0 if is_dust(gap, of=[*one, *zero]) else gap
    return {
        "covariate": name,
        "level": "",
        "kind": "continuous",
        "n_treatment": len(one),
        "n_control": len(zero),
        "missing_treatment": len(treated) - len(one),
        "missing_control": len(control) - len(zero),
        "mean_treatment": float(one.mean()),
        "mean_control": float(zero.mean()),
        "sd_treatment": math.sqrt(var1),
        "sd_control": math.sqrt(var0),
        "std_difference": _ratio(gap, (var1 + var0) / 2),
        "variance_ratio": var1 / var0 if var0 > 0 else math.nan,
    }


def _categorical_rows(
    name: str, treated: pd.Series, control: pd.Series, listed: Sequence[object]
) -> list[dict[str, object]]:
    one, zero = (s.dropna().astype("object") for s in (treated, control))
    _refuse_empty(name, len(one), len(zero))
    levels = sorted(set(one) | set(zero), key=str)
    p1 = np.array([float((one == level).mean()) for level in levels])
    p0 = np.array([float((zero == level).mean()) for level in levels])
    counts = {
        "n_treatment": len(one),
        "n_control": len(zero),
        "missing_treatment": len(treated) - len(one),
        "missing_control": len(control) - len(zero),
    }
    gap = (p1 - p0)[1:]
    spread = (_multinomial(p1[1:]) + _multinomial(p0[1:])) / 2
    # A level taken by nobody in one arm and everybody in the other leaves no spread in that direction.
    known = np.linalg.matrix_rank(spread) == len(spread) if len(spread) else False
    distance = (
        math.sqrt(max(float(gap @ np.linalg.solve(spread, gap)), 0.0)) if known else _ratio(float(np.abs(gap).sum()), 0)
    )
    rows: list[dict[str, object]] = [
        {"covariate": name, "level": "", "kind": "categorical", "std_difference": distance, **counts}
    ]
    place = {level: number for number, level in enumerate(listed)}
    shares = zip(levels, p1, p0, strict=True)
    for level, a, b in sorted(shares, key=lambda share: place.get(share[0], len(place))):
        rows.append(
            {
                "covariate": name,
                "level": str(level),
                "kind": "level",
                **counts,
                "mean_treatment": a,
                "mean_control": b,
                "sd_treatment": math.sqrt(a * (1 - a)),
                "sd_control": math.sqrt(b * (1 - b)),
                "std_difference": _ratio(a - b, (a * (1 - a) + b * (1 - b)) / 2),
            }
        )
    return rows


def _multinomial(p: Array) -> Array:
    out: Array = np.diag(p) - np.outer(p, p)
    return out


def _ratio(gap: float, variance: float) -> float:
    if variance > 0:
        return gap / math.sqrt(variance)
    return math.nan if gap == 0 or math.isnan(variance) else math.copysign(math.inf, gap)


def _known_finite(column: pd.Series) -> pd.Series:
    values = as_numbers(column, name=str(column.name))
    if np.isinf(values).any():
        raise InvalidInput(f"{column.name} holds infinite values")
    refuse_unsquarable(values, name=str(column.name))
    return pd.Series(values, index=column.index)


def _refuse_empty(name: str, treated: int, control: int) -> None:
    if min(treated, control) == 0:
        raise NoObservations(f"{name} is unknown for everyone in the {'treatment' if treated == 0 else 'control'} arm")


def _arm(frame: pd.DataFrame, treatment: str, columns: Sequence[str]) -> pd.Series:
    if not isinstance(frame, pd.DataFrame) or isinstance(columns, str):
        raise InvalidInput("a frame and a list of its columns are needed")
    missing = [column for column in (treatment, *columns) if column not in frame.columns]
    if missing:
        raise UnknownName(f"no column {', '.join(map(str, missing))}")
    z = pd.Series(as_numbers(frame[treatment], name=treatment), index=frame.index)
    if not z.isin([0.0, 1.0]).all():
        raise InvalidInput("treatment must be 0 or 1 for everyone")
    if z.nunique() < 2:
        raise ConstantTreatment("everyone is in one arm")
    return z == 1
