"""Which terms predict a binary outcome perfectly? Found by linear programming."""

from __future__ import annotations

import numpy as np
from scipy import optimize

from hhp_stats.errors import NonConvergence, Separation
from hhp_stats.regression.model_matrix import Array, ModelMatrix

_ROWS_AT_ONCE = 4000  # a linear program of this many rows takes well under a second
_NEAR_ZERO = 1e-6  # ten times the feasibility tolerance of the solver, on columns of maximum one


def separating_direction(*, values: Array, outcome: Array) -> Array | None:
    """Is there a combination of terms that is never on the wrong side of the outcome?

    Solves: maximise the sum of s_i x_i'd subject to s_i x_i'd >= 0 for all i and -1 <= d <= 1, with
    s_i = 1 for an outcome of one and -1 for zero. A positive maximum is complete or quasi-complete
    separation and d its direction; otherwise None and the maximum likelihood estimate exists.

    Large data are solved from a subset of constraints, to which violated ones are added until none is.
    Shapes: values (n, k) of full column rank, outcome (n,) of zeros and ones; returns (k,) on
    columns scaled to maximum one, or None.
    Source: Albert and Anderson (1984), Biometrika 71, 1-10 (definition); Konis (2007), DPhil thesis,
    University of Oxford (linear program).
    """
    signed = _signed(values, outcome)
    direction = _solved(-signed.mean(axis=0), signed, [(-1.0, 1.0)] * signed.shape[1])
    return direction if (signed @ direction).max() > _NEAR_ZERO else None


def _signed(values: Array, outcome: Array) -> Array:
    """Rows s_i x_i on columns of maximum one: a direction is right for i where its product is positive."""
    signed: Array = values / np.abs(values).max(axis=0) * np.where(outcome > 0.5, 1.0, -1.0)[:, None]
    return signed


def _separates_everyone(values: Array, outcome: Array) -> bool:
    """Is the separation complete: does some direction give everybody a margin above zero?"""
    signed = _signed(values, outcome)
    k = signed.shape[1]
    objective = np.zeros(k + 1)
    objective[-1] = -1.0  # the last unknown is the smallest margin
    found = _solved(objective, np.column_stack([signed, -np.ones(len(signed))]), [(-1.0, 1.0)] * k + [(0.0, 1.0)])
    return bool(found[-1] > _NEAR_ZERO)


def _solved(objective: Array, constraints: Array, bounds: list[tuple[float, float]]) -> Array:
    """Minimise objective @ d subject to constraints @ d >= 0, constraints added as they are found violated."""
    n = len(constraints)
    chosen = np.unique(np.linspace(0, n - 1, min(n, _ROWS_AT_ONCE)).astype(np.intp))
    while True:
        subset = constraints[chosen]
        found = optimize.linprog(objective, A_ub=-subset, b_ub=np.zeros(len(subset)), bounds=bounds)
        if not found.success:
            raise NonConvergence(f"the search for separation failed: {found.message}")
        margin = constraints @ found.x
        wrong = np.flatnonzero(margin < -_NEAR_ZERO)
        if len(wrong) == 0:
            return np.asarray(found.x)
        grown = np.union1d(chosen, wrong[np.argsort(margin[wrong])[:_ROWS_AT_ONCE]])
        if len(grown) == len(chosen):
            raise NonConvergence("the search for separation left constraints unsatisfied")
        chosen = grown


def refuse_separation(*, outcome: Array, matrix: ModelMatrix) -> None:
    """Raise Separation naming the terms and levels that predict the outcome perfectly, if any do."""
    if outcome.min() == outcome.max():
        raise Separation(f"every outcome is {outcome[0]:g}: nothing distinguishes those who have it")
    direction = separating_direction(values=matrix.values, outcome=outcome)
    if direction is None:
        return
    involved = [name for name, d in zip(matrix.names, direction, strict=True) if abs(d) > _NEAR_ZERO]
    alone = [said for name in involved if (said := _alone(matrix.values[:, matrix.position(name)], outcome, name))]
    terms = [name for name in involved if name != "intercept"] or involved
    reason = "; ".join(alone) if alone else f"together, {', '.join(terms)} never point to the wrong outcome"
    kind = "complete" if _separates_everyone(matrix.values, outcome) else "quasi-complete"
    raise Separation(f"{kind} separation, the maximum likelihood estimate is infinite: {reason}")


def _alone(column: Array, outcome: Array, name: str) -> str:
    """In words, how one column by itself separates the outcome; empty if it does not."""
    low, high = column.min(), column.max()
    if low == high:
        return ""
    if ((column == low) | (column == high)).all():
        for value in (high, low):
            here = outcome[column == value]
            if here.min() == here.max():
                return f"all {len(here)} with {name} = {value:g} have outcome {here[0]:g}"
        return ""
    ones, zeros = column[outcome > 0.5], column[outcome < 0.5]
    if ones.min() >= zeros.max():
        return f"the outcome is 1 wherever {name} exceeds {zeros.max():g} and 0 wherever it is below {ones.min():g}"
    if zeros.min() >= ones.max():
        return f"the outcome is 0 wherever {name} exceeds {ones.max():g} and 1 wherever it is below {zeros.min():g}"
    return ""
