"""Ordinary least squares: the intention-to-treat equation and the linear probability model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hhp_stats.calls.typed import typed
from hhp_stats.errors import CollinearTerms, InvalidInput, NoObservations
from hhp_stats.regression.gram import cross, identified_factor, times, upper_inverse
from hhp_stats.regression.inputs import same_people
from hhp_stats.regression.model_matrix import Array, ModelMatrix, as_numbers, refuse_unsquarable


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearFit:
    """A least-squares fit: what every variance estimator needs of it.

    n people, k terms: outcome (n,), coefficients (k,) in units of the outcome per unit of the term,
    residuals (n,), gram_inverse (k, k) = (X'X)^-1 = WW' with inverse_factor W (k, k) upper triangular, so
    that the columns of XW are orthonormal.
    """

    matrix: ModelMatrix
    outcome: Array
    coefficients: Array
    residuals: Array
    gram_inverse: Array
    inverse_factor: Array


def check_outcome(outcome: Array, matrix: ModelMatrix) -> Array:
    """The outcome as float64 (n,), refused where no model may silently skip or absorb a value."""
    same_people(the_model_matrix=matrix, outcome=outcome)
    values = as_numbers(outcome, name="outcomes")
    rows, terms = matrix.values.shape
    if values.shape != (rows,):
        raise InvalidInput(f"the outcome has shape {values.shape}, the model matrix {rows} rows")
    missing = int(np.isnan(values).sum())
    if missing == rows:
        raise NoObservations("no observations are left to analyse: all outcomes are missing")
    if missing:
        raise InvalidInput(f"{missing} outcomes are missing; choose a missing-data strategy")
    if not np.isfinite(values).all():
        raise InvalidInput("the outcome holds infinite values")
    refuse_unsquarable(values, name="the outcome")
    if rows < terms:
        raise CollinearTerms(f"{rows} observations cannot identify {terms} terms")
    return values


@typed
def ols(*, outcome: Array, matrix: ModelMatrix) -> LinearFit:
    """By how much does the mean outcome differ per unit of each term, the others held fixed?

    Estimator: b = (X'X)^-1 X'y, from the triangular factor of X with one step of refinement, which
    brings the coefficients to the accuracy of a QR solution at the cost of a Gram matrix. With a 0/1
    outcome this is the linear probability model.

    Shapes: outcome (n,), matrix (n, k). Units: those of the outcome.
    Assumptions: the mean outcome is linear in the terms; nothing about the variance, which is left to
    `hhp_stats.regression.cluster_robust`.
    Refuses: no outcome known (NoObservations), some unknown (InvalidInput: a missing-data strategy
    must have dealt with them), a Series with another index than the matrix (InvalidInput), fewer people than terms or
    terms that determine each other (CollinearTerms).
    Source: Bjorck (1987), Linear Algebra and its Applications 88/89, 31-48 (corrected seminormal
    equations).
    """
    y = check_outcome(outcome, matrix)
    x = matrix.values
    inverse = upper_inverse(identified_factor(matrix))
    coefficients = inverse @ (inverse.T @ cross(x, y))
    coefficients += inverse @ (inverse.T @ cross(x, y - times(x, coefficients)))
    return LinearFit(
        matrix=matrix,
        outcome=y,
        coefficients=coefficients,
        residuals=y - times(x, coefficients),
        gram_inverse=inverse @ inverse.T,
        inverse_factor=inverse,
    )
