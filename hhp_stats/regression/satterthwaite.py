"""Small-sample corrections for clusters: Bell-McCaffrey adjustments and degrees of freedom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt

from hhp_stats.errors import EstimationError
from hhp_stats.regression.gram import gram_matrix, times, upper_inverse
from hhp_stats.regression.linear import LinearFit
from hhp_stats.regression.model_matrix import Array

IntArray = npt.NDArray[np.intp]
CorrectionKind = Literal["none", "CR2", "CR3"]

# Eigenvalues of I - H_gg below this are zero: rounding leaves them near 1e-14, and a direction that
# truly keeps less than 1e-10 of its variance has a residual without correct digits.
NULL_EIGENVALUE = 1e-10
_NUMBERS_AT_ONCE = 4_000_000  # per stacked array: 32 megabytes


def _batches(codes: IntArray, n_clusters: int, k: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Clusters of equal size together: (their numbers (b,), their people's rows (b, size)), bounded in memory."""
    size = np.bincount(codes, minlength=n_clusters)
    order = np.argsort(codes, kind="stable")
    start = np.concatenate([[0], np.cumsum(size)[:-1]])
    for s in np.unique(size[size > 0]):
        members = np.flatnonzero(size == s)
        step = max(1, _NUMBERS_AT_ONCE // int(s * max(k, min(s, k))))
        for low in range(0, len(members), step):
            chosen = members[low : low + step]
            yield chosen, order[start[chosen][:, None] + np.arange(s)]


def _powers(values: Array, correction: CorrectionKind) -> Array:
    """Eigenvalues of A_g from those of I - H_gg, with the pseudo-inverse's zero for zero."""
    power = -0.5 if correction == "CR2" else -1.0
    kept = values > NULL_EIGENVALUE
    return np.where(kept, np.where(kept, values, 1.0) ** power, 0.0)


def _adjusted(q: Array, target: Array, correction: CorrectionKind) -> Array:
    """A_g @ target for stacked clusters: q (b, s, k) orthonormal overall, target (b, s, c).

    H_gg = q q' has rank min(s, k) at most, so the eigenvectors come from the smaller of q q' and q' q:
    A = I + q M q' with M = W diag((a(1-l) - 1)/l) W' where q'q = W diag(l) W'.
    """
    if correction == "none":
        return target
    s, k = q.shape[1:]
    if s <= k:
        values, vectors = np.linalg.eigh(np.eye(s) - q @ q.swapaxes(1, 2))
        inside = vectors.swapaxes(1, 2) @ target
        return np.asarray(vectors @ (_powers(values, correction)[:, :, None] * inside))
    values, vectors = np.linalg.eigh(q.swapaxes(1, 2) @ q)
    small = values < 1e-8  # (a(1-l) - 1)/l would cancel; its limit at zero is minus a's exponent
    limit = 0.5 if correction == "CR2" else 1.0
    middle = np.where(small, limit, (_powers(1 - values, correction) - 1) / np.where(small, 1.0, values))
    inside = vectors.swapaxes(1, 2) @ (q.swapaxes(1, 2) @ target)
    return np.asarray(target + q @ (vectors @ (middle[:, :, None] * inside)))


def adjusted_scores(fit: LinearFit, *, codes: IntArray, n_clusters: int, correction: CorrectionKind) -> Array:
    """What does each cluster add to the score once its residuals are adjusted for their leverage?

    Row g is X_g' A_g e_g with A_g = (I - H_gg)^(-1/2) for CR2 and (I - H_gg)^(-1) for CR3, symmetric,
    with the pseudo-inverse where a direction is fitted perfectly. Returns (G, k).
    """
    q = times(fit.matrix.values, fit.inverse_factor)  # orthonormal columns
    k = q.shape[1]
    scores = np.zeros((n_clusters, k))
    for chosen, rows in _batches(codes, n_clusters, k):
        block = q[rows]
        adjusted = _adjusted(block, fit.residuals[rows][:, :, None], correction)
        scores[chosen] = (block.swapaxes(1, 2) @ adjusted)[:, :, 0]
    return times(scores, upper_inverse(fit.inverse_factor))


def satterthwaite_df(
    fit: LinearFit, *, codes: IntArray, n_clusters: int, contrast: Array, correction: CorrectionKind = "CR2"
) -> float:
    """With how many degrees of freedom is the clustered variance of one contrast estimated?

    Estimator: the variance estimate of c'b is a sum of squares of normal variables with covariance
    Omega_gh = p_g'(I - H)_gh p_h, p_g = A_g X_g (X'X)^-1 c, when outcomes are independent with equal
    variance; df = (trace Omega)^2 / trace(Omega^2). With X = QR, u_g = Q_g'p_g and d_g = p_g'p_g,
    Omega = diag(d) - U U', so both traces need only U'U (k, k) and the G by G matrix is never formed:
    trace Omega^2 = sum d_g^2 - 2 sum d_g |u_g|^2 + ||U'U||_F^2.

    Shapes: contrast (k,). Assumptions: independence with equal variance as the working model only.
    Source: Bell and McCaffrey (2002), Survey Methodology 28, 169-181; Pustejovsky and Tipton (2018),
    Journal of Business & Economic Statistics 36, 672-683.
    """
    d, u = _moments(fit, codes=codes, n_clusters=n_clusters, contrasts=contrast[None, :], correction=correction)
    d1, u1 = d[:, 0, 0], u[:, 0, :]
    length = np.einsum("gk,gk->g", u1, u1)
    total = float(d1.sum() - length.sum())
    square = float((d1**2).sum() - 2 * (d1 * length).sum() + (gram_matrix(u1) ** 2).sum())
    if not square > 0:
        raise EstimationError("the clustered variance of this contrast is always zero: no degrees of freedom")
    return total**2 / square


def _moments(
    fit: LinearFit, *, codes: IntArray, n_clusters: int, contrasts: Array, correction: CorrectionKind
) -> tuple[Array, Array]:
    """d (G, q, q): p_sg'p_tg and u (G, q, k): Q_g'p_sg for contrasts (q, k); see `satterthwaite_df`."""
    orthonormal = times(fit.matrix.values, fit.inverse_factor)
    k = len(fit.coefficients)
    weights = fit.inverse_factor.T @ contrasts.T  # (k, q)
    count = contrasts.shape[0]
    d, u = np.zeros((n_clusters, count, count)), np.zeros((n_clusters, count, k))
    for chosen, rows in _batches(codes, n_clusters, k):
        block = orthonormal[rows]
        p = _adjusted(block, block @ weights, correction)
        d[chosen] = p.swapaxes(1, 2) @ p
        u[chosen] = p.swapaxes(1, 2) @ block
    return d, u


def htz_df(
    fit: LinearFit, *, codes: IntArray, n_clusters: int, contrasts: Array, correction: CorrectionKind = "CR2"
) -> float:
    """With how many degrees of freedom eta is the clustered covariance of several contrasts estimated?

    Estimator: the covariance estimate D of the contrasts, standardised to have mean I under
    independence with equal variance, is matched to a Wishart matrix by its total variance:
    eta = q(q+1) / sum over s, t of Var(D_st), with Var(D_st) the sum over g, h of
    Omega_ss,gh Omega_tt,gh + Omega_st,gh Omega_ts,gh and Omega_st,gh = p_sg'(I - H)_gh p_th. Through
    u (see `satterthwaite_df`) each sum is one of (k, k) matrices. With q = 1 this is Satterthwaite's df.

    Shapes: contrasts (q, k).
    Source: Tipton and Pustejovsky (2015), Journal of Educational and Behavioral Statistics 40,
    604-634 (the approximation they recommend, "AHZ", called HTZ in clubSandwich).
    """
    d, u = _moments(fit, codes=codes, n_clusters=n_clusters, contrasts=contrasts, correction=correction)
    inner = np.einsum("gsk,gtk->gst", u, u)
    expected = (d - inner).sum(axis=0)
    values, vectors = np.linalg.eigh(expected)
    if values[0] <= 1e-12 * values[-1]:
        raise EstimationError("the contrasts leave no variance to estimate in some direction")
    root = vectors @ np.diag(values**-0.5) @ vectors.T
    d, u = root @ d @ root, np.einsum("st,gtk->gsk", root, u)
    inner = np.einsum("gsk,gtk->gst", u, u)
    q = len(contrasts)
    total = 0.0
    for s in range(q):
        for t in range(q):
            cross = u[:, s].T @ u[:, t]
            equal = d[:, s, s] * d[:, t, t] - d[:, s, s] * inner[:, t, t] - d[:, t, t] * inner[:, s, s]
            mixed = d[:, s, t] ** 2 - 2 * d[:, s, t] * inner[:, s, t]
            total += float(equal.sum() + mixed.sum() + (cross**2).sum() + (cross * cross.T).sum())
    return q * (q + 1) / total
