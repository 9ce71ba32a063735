"""The triangular factor of a tall matrix without ever holding its orthogonal one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from numpy.linalg import LinAlgError
from scipy import linalg
from scipy.linalg import lapack

from hhp_stats.errors import CollinearTerms, InvalidInput
from hhp_stats.regression.model_matrix import Array, ModelMatrix, determined

# Products of this size stay in the cache, and below it OpenBLAS does not start threads, whose waiting for each
# other on a busy machine costs ten times the product itself.
_MULTIPLICATIONS_AT_ONCE = 500_000
# The share of a term that the others do not determine: under eight digits of new information, as in model_matrix, is
# none.
NEW = 1e-8


def row_blocks(rows: int, columns: int) -> Iterator[slice]:
    """Slices of consecutive rows, short enough for a product with a (columns, columns) matrix."""
    step = max(32, _MULTIPLICATIONS_AT_ONCE // max(columns, 1) ** 2)
    for start in range(0, rows, step):
        yield slice(start, start + step)


def gram_matrix(values: Array) -> Array:
    """X'X of a tall matrix (n, k), block by block."""
    total = np.zeros((values.shape[1], values.shape[1]))
    for rows in row_blocks(*values.shape):
        block = values[rows]
        total += block.T @ block
    return total


def times(values: Array, small: Array) -> Array:
    """The product of a tall matrix (n, k) and a small matrix (k, q) or vector (k,), block by block."""
    found = np.empty((len(values), *small.shape[1:]))
    for rows in row_blocks(len(values), max(small.shape)):
        np.matmul(values[rows], small, out=found[rows])
    return found


def cross(values: Array, other: Array) -> Array:
    """X'V of a tall matrix (n, k) and a vector (n,) or a matrix (n, q), block by block."""
    total = np.zeros((values.shape[1], *other.shape[1:]))
    for rows in row_blocks(len(values), max(values.shape[1], *other.shape[1:], 0)):
        total += values[rows].T @ other[rows]
    return total


def triangular_factor(values: Array) -> Array:
    """Which upper triangular R has R'R = X'X, to the accuracy of a Householder QR?

    Cholesky of the Gram matrix of unit-length columns, repeated once on X R1^-1 ("CholeskyQR2"): the
    first factor is off by cond(X)^2 rounding units, the second removes that error while cond(X) is
    below about 1e8. Beyond that limit, or where the first Cholesky fails, Householder QR is used.

    Shapes: values (n, k) with n >= k and full column rank; returns (k, k).
    Source: Yamamoto, Nakatsukasa, Yanagisawa and Fukaya (2015), Electronic Transactions on Numerical
    Analysis 44, 306-326.
    """
    gram = gram_matrix(values)
    length = np.sqrt(np.diag(gram))
    try:
        first = _upper_factor(gram / np.outer(length, length))
        # A pivot is the share of a column that is new; below 1e-6 its square has lost the digits QR keeps.
        if np.diag(first).min() < 1e-6:
            raise LinAlgError
        first *= length
        inverse = upper_inverse(first)
        second = np.zeros_like(gram)
        for rows in row_blocks(*values.shape):
            nearly_orthogonal = values[rows] @ inverse
            second += nearly_orthogonal.T @ nearly_orthogonal
        factor: Array = _upper_factor(second) @ first
    except LinAlgError:
        (factor,) = linalg.qr(values, mode="r", check_finite=False)
        factor = factor[: values.shape[1]]
    return factor


def identified_factor(matrix: ModelMatrix) -> Array:
    """`triangular_factor` of a model matrix.

    Refuses values that are missing, infinite or too large to be squared (InvalidInput), a term of
    nothing but zeros and terms that earlier ones determine (CollinearTerms).
    """
    _refuse_unusable(matrix)
    factor = triangular_factor(matrix.values)
    pivots = np.abs(np.diag(factor)) / np.linalg.norm(factor, axis=0)
    lost = _named(matrix, ~(pivots > NEW))
    if lost:
        raise CollinearTerms(determined(lost))
    return factor


def _refuse_unusable(matrix: ModelMatrix) -> None:
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        squares = np.einsum("ij,ij->j", matrix.values, matrix.values)
    wrong = _named(matrix, ~np.isfinite(squares))
    if wrong:
        raise InvalidInput(f"missing, infinite or too large to be squared: {', '.join(wrong)}")
    # Squares below the smallest normal number have lost digits; such a column stands for zeros.
    empty = _named(matrix, squares < np.finfo(np.float64).tiny)
    if empty:
        raise CollinearTerms(f"zero for everyone analysed: {', '.join(empty)}")


def _named(matrix: ModelMatrix, which: npt.NDArray[np.bool_]) -> list[str]:
    """The names of some of the columns (k,)."""
    return [matrix.names[place] for place in np.flatnonzero(which)]


def _upper_factor(gram: Array) -> Array:
    """Upper triangular R with R'R = gram; refuses a matrix that is not positive definite (LinAlgError)."""
    # The routine itself, as below: what scipy does around it takes as long again for twenty columns.
    factor, failed = lapack.dpotrf(gram, clean=1)
    if failed:
        raise LinAlgError("not positive definite")
    return np.asarray(factor)


def upper_inverse(factor: Array) -> Array:
    """The inverse of an upper triangular matrix of full rank; refuses a zero pivot (LinAlgError)."""
    # dtrtri: scipy's solve_triangular starts threads even for a few columns and may wait milliseconds for them.
    inverse, failed = lapack.dtrtri(factor)
    if failed:
        raise LinAlgError("triangular matrix with a zero pivot")
    return np.asarray(inverse)
