"""From a frame and the plan's list of terms to the matrix an estimator needs."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from hhp_stats.errors import CollinearTerms, ConstantTreatment, InvalidInput, NoObservations, UnknownName

Array = npt.NDArray[np.float64]
TermKind = Literal["continuous", "binary", "categorical"]
KINDS: tuple[TermKind, ...] = ("continuous", "binary", "categorical")


def as_numbers(values: npt.ArrayLike, *, name: str) -> Array:
    """`values` as float64 of any shape, missing as NaN; text is refused (InvalidInput, naming them)."""
    try:
        if isinstance(values, pd.Series | pd.Index | pd.DataFrame):
            return values.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise InvalidInput(f"{name} must be numbers: {problem}") from problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One term of the plan's equation: a column of the frame and how it enters.

    `continuous` (numbers) and `binary` (0 and 1) enter as they are; `categorical` as one dummy per
    level but `base`. A level that nobody analysed has gives no column; if that level is the base, the
    first level present takes its place (the treatment effect does not depend on the choice).
    """

    column: str
    kind: TermKind
    base: str | None = None
    levels: tuple[str, ...] = ()  # the order of dummies; levels not named here are refused


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelMatrix:
    """The right-hand side: `values` (n, k) float64, one name a column, intercept first."""

    values: Array
    names: tuple[str, ...]

    def position(self, name: str) -> int:
        """Index of the column called `name`."""
        if name not in self.names:
            raise UnknownName(f"the model has no term {name!r}; it has {', '.join(self.names)}")
        return self.names.index(name)


def model_matrix(frame: pd.DataFrame, terms: Sequence[Term], *, treatment: str = "treatment") -> ModelMatrix:
    """Build intercept, treatment (second column) and covariates from complete columns of `frame`.

    Refuses an empty frame (NoObservations), one arm only (ConstantTreatment), missing values or
    levels that the term does not name, text or a binary term of other values (InvalidInput), a column that
    the frame does not hold, a kind or base that does not exist (UnknownName), and columns that determine each other exactly (CollinearTerms,
    naming them). A covariate that does not vary among those analysed is dropped:
    it equals the intercept and cannot bias the effect.
    """
    if frame.empty:
        raise NoObservations("no observations are left to analyse")
    absent = [name for name in (treatment, *(term.column for term in terms)) if name not in frame.columns]
    if absent:
        raise UnknownName(f"the data have no column {', '.join(absent)}, which the equation names")
    arm = as_numbers(frame[treatment], name=treatment)
    _refuse_gaps(treatment, arm)
    if np.ptp(arm) == 0:
        raise ConstantTreatment(f"everyone analysed has {treatment} = {arm[0]:g}")
    columns: list[Array] = [np.ones(len(frame)), arm]
    names = ["intercept", treatment]
    for term in terms:
        for name, column in _columns(frame, term):
            _refuse_gaps(name, column)
            if np.ptp(column) > 0:
                columns.append(column)
                names.append(name)
    values = np.column_stack(columns)
    _refuse_collinear(values, names)
    return ModelMatrix(values=values, names=tuple(names))


def _refuse_gaps(name: str, column: Array) -> None:
    missing = int(np.isnan(column).sum())
    if missing:
        raise InvalidInput(f"{name} has {missing} missing values; choose a missing-data strategy")
    with np.errstate(over="ignore", under="ignore"):
        square = float(column @ column)
    if not np.isfinite(square):
        raise InvalidInput(f"{name} has infinite values, or values too large to be squared")
    if square < np.finfo(np.float64).tiny and column.any():
        raise InvalidInput(f"{name} has values too small to be squared: give it in smaller units")


def _columns(frame: pd.DataFrame, term: Term) -> list[tuple[str, Array]]:
    if term.kind not in KINDS:
        raise UnknownName(f"{term.column}: no kind of term {term.kind!r}; there are {', '.join(KINDS)}")
    if term.levels and term.base is not None and term.base not in term.levels:
        raise UnknownName(f"{term.column}: the base {term.base!r} is not among the levels {', '.join(term.levels)}")
    if term.kind != "categorical":
        column = as_numbers(frame[term.column], name=term.column)
        strange = column[(column != 0) & (column != 1) & ~np.isnan(column)]
        if term.kind == "binary" and len(strange):
            raise InvalidInput(f"{term.column} is binary but holds {strange[0]:g}")
        return [(term.column, column)]
    codes, found = pd.factorize(frame[term.column])
    if (codes < 0).any():
        raise InvalidInput(f"{term.column} has {int((codes < 0).sum())} missing values; choose a missing-data strategy")
    number = {level: code for code, level in enumerate(found)}
    present = set(number)
    order = list(term.levels) or sorted(present)
    unknown = present.difference(order)
    if unknown:
        raise InvalidInput(f"{term.column} holds levels the plan does not name: {', '.join(sorted(map(str, unknown)))}")
    order = [level for level in order if level in present]
    base = term.base if term.base in present else order[0]
    return [
        (f"{term.column}[{level}]", (codes == number[level]).astype(np.float64)) for level in order if level != base
    ]


def _refuse_collinear(values: Array, names: Sequence[str]) -> None:
    """QR on columns of length one: names every column that the earlier ones determine."""
    from scipy.linalg import cholesky, qr

    gram = values.T @ values
    length = np.sqrt(np.diag(gram))
    if len(values) >= len(names):
        # Cheaper and enough for most: the diagonal of R from the Gram matrix, right to six digits or more
        # where it exceeds 1e-3; anything closer to collinear is left to the QR below.
        with contextlib.suppress(np.linalg.LinAlgError):
            if np.diag(cholesky(gram / np.outer(length, length))).min() > 1e-3:
                return
    r = qr(values / length, mode="r", pivoting=False)[0]
    size = np.abs(np.diag(r[: values.shape[1], :]))
    # Columns have norm one, so a diagonal below 1e-8 leaves under eight digits of new information.
    lost = [name for name, left in zip(names, size, strict=False) if left < 1e-8]
    if len(values) < len(names):
        raise CollinearTerms(f"{len(values)} observations cannot identify {len(names)} terms")
    if lost:
        raise CollinearTerms(f"determined exactly by the terms before: {', '.join(lost)}")
