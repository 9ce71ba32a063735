"""From a frame and the plan's list of terms to the matrix an estimator needs."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from hhp_stats.errors import CollinearTerms, ConstantTreatment, InvalidInput, NoObservations, UnknownName

Array = npt.NDArray[np.float64]
TermKind = Literal["continuous", "binary", "categorical"]
KINDS: tuple[TermKind, ...] = ("continuous", "binary", "categorical")


def as_numbers(values: npt.ArrayLike, *, name: str) -> Array:
    """`values` as float64 of any shape, missing as NaN.

    Refuses (InvalidInput, naming them) text, also text that looks like numbers: whoever left it so has not said what a
    blank or a comma means; dates, whose count of nanoseconds is no covariate; and complex numbers.
    """
    try:
        held = _held(values)
        if held:
            raise InvalidInput(f"{name} must be numbers, not {held}: convert it before, so that the rule can be read")
        if isinstance(values, pd.Series | pd.Index | pd.DataFrame):
            return values.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as problem:
        if isinstance(problem, InvalidInput):
            raise
        raise InvalidInput(f"{name} must be numbers: {problem}") from problem


def _held(values: npt.ArrayLike) -> str:
    """What `values` hold that is no number, in words; empty where they hold numbers."""
    if isinstance(values, pd.DataFrame):
        return next((found for column in values.columns if (found := _held(values[column]))), "")
    if isinstance(values, pd.Series | pd.Index):
        if isinstance(values.dtype, pd.CategoricalDtype):
            return _held(values.dtype.categories)
        if isinstance(values.dtype, pd.PeriodDtype | pd.DatetimeTZDtype):
            return "dates"
        if isinstance(values.dtype, pd.StringDtype):
            return "text"
    held = values.to_numpy() if isinstance(values, pd.Series | pd.Index) else np.asarray(values)
    if held.dtype.kind in "mM":
        return "dates"
    if held.dtype.kind in "US":
        return "text"
    if held.dtype.kind == "c":
        return "complex numbers"
    if held.dtype.kind == "O":
        kinds = {type(value) for value in held.ravel()}
        if any(issubclass(kind, str | bytes) for kind in kinds):
            return "text"
        if any(issubclass(kind, date | timedelta | np.datetime64 | np.timedelta64) for kind in kinds):
            return "dates"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One term of the plan's equation: a column of the frame and how it enters.

    `continuous` (numbers) and `binary` (0 and 1) enter as they are; `categorical` as one dummy per
    level but `base`. A level that nobody analysed has gives no column; if that level is the base and `levels` name it,
    the first level present takes its place (the treatment effect does not depend on the choice).
    """

    column: str
    kind: TermKind
    base: str | None = None
    levels: tuple[str, ...] = ()  # the order of dummies; levels not named here are refused


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelMatrix:
    """The right-hand side: `values` (n, k) float64, one name a column, intercept first.

    `index` is that of the frame it was made from: outcomes and clusters with another one are refused. None: no frame.
    Values of another type, such as short integers whose squares overflow, become float64.
    """

    values: Array
    names: tuple[str, ...]
    index: pd.Index | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if getattr(self.values, "dtype", None) != np.float64:
            object.__setattr__(self, "values", as_numbers(self.values, name="the model matrix"))
        shape = np.shape(self.values)
        if len(shape) != 2 or shape[1] != len(self.names):
            raise InvalidInput(f"a model matrix needs a name a column: {len(self.names)} names for shape {shape}")
        if len(set(self.names)) != len(self.names):
            twice = sorted({name for name in self.names if self.names.count(name) > 1})
            raise InvalidInput(f"two columns of the model are called {', '.join(twice)}")
        if self.index is not None and len(self.index) != shape[0]:
            raise InvalidInput(f"an index of {len(self.index)} for {shape[0]} people")

    def position(self, name: str) -> int:
        """Index of the column called `name`."""
        if not isinstance(name, str) or name not in self.names:
            raise UnknownName(f"the model has no term {name!r}; it has {', '.join(self.names)}")
        return self.names.index(name)


def model_matrix(frame: pd.DataFrame, terms: Sequence[Term], *, treatment: str = "treatment") -> ModelMatrix:
    """Build intercept, treatment (second column) and covariates from complete columns of `frame`.

    Refuses an empty frame (NoObservations), one arm only (ConstantTreatment), missing values or
    levels that the term does not name, text, dates or a binary term of other values, a column named twice
    (InvalidInput), a column that the frame does not hold, a kind or base that does not exist (UnknownName), and
    columns that determine each other exactly (CollinearTerms, naming them). A covariate that does not vary among
    those analysed is dropped: it equals the intercept and cannot bias the effect.
    """
    if not isinstance(frame, pd.DataFrame) or not isinstance(treatment, str):
        raise InvalidInput(
            f"the data must be a frame with a column a term, treatment the name of one, not {type(frame).__name__} and"
            f" {treatment!r}"
        )
    if not isinstance(terms, Sequence):
        raise InvalidInput(f"the terms must be a list of Term, not {terms!r}")
    if frame.empty:
        raise NoObservations("no observations are left to analyse")
    wrong = next((term for term in terms if not isinstance(term, Term)), None)
    if wrong is not None:
        raise InvalidInput(f"a term is a Term with column and kind, not {wrong!r}")
    absent = [name for name in (treatment, *(term.column for term in terms)) if name not in frame.columns]
    if absent:
        raise UnknownName(f"the data have no column {', '.join(absent)}, which the equation names")
    named = (treatment, *(term.column for term in terms))
    twice = [name for name in dict.fromkeys(named) if isinstance(frame[name], pd.DataFrame) or named.count(name) > 1]
    if twice:
        raise InvalidInput(f"the data or the equation have {', '.join(map(str, twice))} twice: name each column once")
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
    return ModelMatrix(values=values, names=tuple(names), index=frame.index)


def _refuse_gaps(name: str, column: Array) -> None:
    missing = int(np.isnan(column).sum())
    if missing:
        raise InvalidInput(f"{name} has {missing} missing values; choose a missing-data strategy")
    refuse_unsquarable(column, name=name)


def refuse_unsquarable(values: Array, *, name: str) -> None:
    """Refuses (InvalidInput) values that are infinite, or too large or too small to be squared; missing ones pass.

    Sums of squares of them are infinite, or zero as if nothing varied.
    """
    known = values[~np.isnan(values)]
    with np.errstate(over="ignore", under="ignore"):
        square = float(known @ known)
    if not np.isfinite(square):
        raise InvalidInput(f"{name} has infinite values, or values too large to be squared: give it in larger units")
    if square < np.finfo(np.float64).tiny and known.any():
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
    try:
        codes, found = pd.factorize(frame[term.column])
    except TypeError as problem:
        raise InvalidInput(f"{term.column} holds values that are no levels, such as lists: {problem}") from problem
    if (codes < 0).any():
        raise InvalidInput(f"{term.column} has {int((codes < 0).sum())} missing values; choose a missing-data strategy")
    number = {level: code for code, level in enumerate(found)}
    present = set(number)
    if term.base is not None and not term.levels and term.base not in present:
        known = ", ".join(sorted(map(str, present)))
        raise UnknownName(
            f"{term.column}: nobody analysed has the base {term.base!r}; there are {known}. If it is a level that need "
            "not occur, give all levels"
        )
    order = list(term.levels) or sorted(present, key=lambda level: (type(level).__name__, level))
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
        raise CollinearTerms(determined(lost))


def determined(lost: Sequence[str]) -> str:
    """In words: which terms the others determine, and what that usually means."""
    shown = ", ".join(lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
    variables = sorted({name.split("[")[0] for name in lost if "[" in name})
    hint = (
        f" Dummies of {' and '.join(variables)} fix them: one dummy a team leaves nothing that varies between teams,"
        " such as the treatment; leave one of the two out."
        if variables
        else " Leave them out, or those that add up to them."
    )
    return f"determined exactly by the terms before: {shown}.{hint}"
