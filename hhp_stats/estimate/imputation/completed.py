"""The result of multiple imputation: one frame and, for each imputation, only what was missing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hhp_stats.calls.ran import ran_before
from hhp_stats.errors import InvalidInput, UnknownName
from hhp_stats.estimate.imputation.chain import composite
from hhp_stats.estimate.imputation.diagnostics import ImputationDiagnostics
from hhp_stats.estimate.imputation.plan import ImputationPlan
from hhp_stats.regression.model_matrix import Array, as_numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class ImputedValues:
    """The missing values of one variable: `rows` (n_mis,) positions in the frame, `values` (m, n_mis).

    For categorical variables the values are codes into `levels`.
    """

    rows: npt.NDArray[np.intp]
    values: Array
    levels: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Imputations:
    """m completed data sets, made one at a time when asked for: `for frame in imputations`.

    Memory is that of the frame plus m numbers per missing value. `frame` is the caller's own and is
    never changed; its row order and index are those of every completed frame.
    """

    frame: pd.DataFrame
    plan: ImputationPlan
    imputed: dict[str, ImputedValues]
    diagnostics: ImputationDiagnostics
    made_by: str = ""  # the function that imputed: part of the source of every result that uses the values

    def __len__(self) -> int:
        return self.plan.imputations

    def __iter__(self) -> Iterator[pd.DataFrame]:
        return (self.completed(number) for number in range(len(self)))

    def column(self, name: str, number: int) -> npt.NDArray[Any]:
        """The values (n,) of one imputed variable in completed data set `number`, counted from 0."""
        self._noted()
        if not 0 <= number < len(self):
            raise IndexError(f"there are {len(self)} imputations, counted from 0; not {number}")
        if name not in self.imputed:
            raise UnknownName(f"{name} was not imputed; imputed were {', '.join(self.imputed)}")
        found = self.imputed[name]
        drawn = found.values[number]
        original = self.frame[name]
        if not found.levels or found.levels == (0.0, 1.0):
            values = original.to_numpy(dtype=np.float64, na_value=np.nan).copy()
            values[found.rows] = drawn
            return values
        labels = np.array([*found.levels, None], dtype=object)[:-1]
        mixed = np.array(original, dtype=object)  # a copy
        mixed[found.rows] = labels[drawn.astype(np.intp)]
        return mixed

    def columns(self, name: str) -> Array:
        """The values (m, n) of one numeric variable in all completed data sets: imputed, composite, or complete.

        Refuses one that the frame does not hold (UnknownName), and categorical ones (InvalidInput).
        """
        self._noted()
        count = len(self)
        passive = next((passive for passive in self.plan.passive if passive.name == name), None)
        if passive is not None:
            # All data sets end to end: a composite is made person by person.
            inputs = {item: np.concatenate([*self._each(item)]) for item in passive.inputs}
            whole = composite(name, passive.function, inputs, count * len(self.frame))
            return whole.reshape(count, len(self.frame))
        if name not in self.frame.columns:
            raise UnknownName(f"the imputed frame has no column {name}")
        found = self.imputed.get(name)
        if found is not None and found.levels and found.levels != (0.0, 1.0):
            raise InvalidInput(f"{name} is categorical: it has no numbers")
        values = np.tile(as_numbers(self.frame[name], name=name), (count, 1))
        if found is not None:
            values[:, found.rows] = found.values[:count]
        return values

    def _noted(self) -> None:
        ran_before([self.made_by] if self.made_by else [])

    def _each(self, name: str) -> Iterator[npt.NDArray[Any]]:
        """The values of one variable, of any type, in one completed data set after the other."""
        if name in self.imputed:
            return (self.column(name, number) for number in range(len(self)))
        return itertools.repeat(self.frame[name].to_numpy(), len(self))

    def completed(self, number: int) -> pd.DataFrame:
        """Completed data set `number`: imputed variables filled, composites computed from their items."""
        filled: dict[str, Any] = {}
        for name in self.imputed:
            values: Any = self.column(name, number)
            dtype = self.frame[name].dtype
            if isinstance(dtype, pd.CategoricalDtype):
                values = pd.Categorical(values, dtype=dtype)
            filled[name] = values
        frame = self.frame.assign(**filled)
        scores = {
            passive.name: composite(
                passive.name, passive.function, {item: frame[item].to_numpy() for item in passive.inputs}, len(frame)
            )
            for passive in self.plan.passive
        }
        return frame.assign(**scores) if scores else frame
