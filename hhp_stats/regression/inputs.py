"""Do the arguments of an estimator speak of the same people? What values and indexes must be before anything is
computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hhp_stats.errors import InvalidInput, UnknownName
from hhp_stats.regression.model_matrix import as_numbers


def same_people(**given: Any) -> None:
    """Have all Series, frames and model matrices among `given` the same index, where they have one?

    Estimators take people by position. Two Series of equal length in another order would give another number without a
    word; so equal lengths with unequal indexes are refused (InvalidInput, naming both). Arrays have no index and pass;
    so does a length that differs, which the estimator itself refuses in its own words.
    """
    first: tuple[str, pd.Index] | None = None
    for name, value in given.items():
        index = getattr(value, "index", None)
        if not isinstance(index, pd.Index):
            continue
        if first is None:
            first = (name, index)
        elif len(index) == len(first[1]) and not index.equals(first[1]):
            at = int(np.flatnonzero(np.asarray(index != first[1]))[0]) if len(index) else 0
            one, other = (labels[[at]].tolist()[0] for labels in (first[1], index))
            raise InvalidInput(
                f"{first[0].replace('_', ' ')} and {name.replace('_', ' ')} have the same length but not the same"
                f" index: row {at + 1} is {one!r} in one and {other!r} in the other; bring them into one"
                " order, or give arrays"
            )


def numbers(values: pd.Series, *, name: str = "") -> pd.Series:
    """A Series as float64, missing as NaN; anything else, and text or dates in it, is refused (InvalidInput, named)."""
    name = name or str(getattr(values, "name", None) or "the values")
    if not isinstance(values, pd.Series):
        raise InvalidInput(f"{name} must be a Series, whose index says whose they are, not {type(values).__name__}")
    return pd.Series(as_numbers(values, name=name), index=values.index, name=values.name)


def with_columns(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """`frame`, once it is one and holds these columns (InvalidInput, UnknownName)."""
    if not isinstance(frame, pd.DataFrame):
        raise InvalidInput(f"a frame with columns {', '.join(map(str, columns))} is needed, not {type(frame).__name__}")
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise UnknownName(f"no column {', '.join(map(str, missing))}")
    return frame


def truths(values: npt.ArrayLike, *, name: str) -> npt.NDArray[np.bool_]:
    """`values` as booleans; anything but true, false, 1 and 0 is refused (InvalidInput), a missing value too."""
    found = np.asarray(values)
    if found.dtype.kind == "b":
        return np.asarray(found, dtype=np.bool_)
    try:
        given = found.astype(np.float64) if found.dtype.kind not in "USmM" else np.full(found.shape, np.nan)
    except (TypeError, ValueError):
        given = np.full(found.shape, np.nan)
    if not ((given == 0) | (given == 1)).all():
        raise InvalidInput(f"{name} must be true or false for everybody")
    return np.asarray(given == 1, dtype=np.bool_)
