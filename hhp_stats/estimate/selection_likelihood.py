"""The likelihood of the normal selection model and of its first step, with exact derivatives.

Notation: Z terms of the response equation, X those of the outcome equation, y the outcomes of those who
responded; w = z'gamma, e = (y - x'beta)/sigma, rho = tanh(a). Because 1/sqrt(1 - rho^2) = cosh(a) and
rho/sqrt(1 - rho^2) = sinh(a), the probability of responding given the outcome has the argument
t = cosh(a) w + sinh(a) e:

  log l_i = log Phi(-w)                                        did not respond
  log l_i = -e^2/2 - log sigma - log(2 pi)/2 + log Phi(t)      responded

The free parameters are those of Olsen: theta = (gamma, delta, eta) with eta = 1/sigma and delta = beta/sigma, so
that w and e, and for a given a also t, are linear in theta. log Phi, -e^2/2 and log eta are concave; for a given
rho the log likelihood therefore has one maximum in theta and no other.

Source: Olsen (1978), Econometrica 46, 1211-1215 (the reparametrisation, for the Tobit model); Amemiya (1985),
Advanced Econometrics, section 10.7 (the type 2 Tobit likelihood).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy import special

from hhp_stats.errors import EstimationError
from hhp_stats.regression.clusters import cluster_sums
from hhp_stats.regression.gram import cross, gram_matrix, row_blocks, times, triangular_factor, upper_inverse
from hhp_stats.regression.model_matrix import Array

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def mills(t: Array) -> Array:
    """phi(t)/Phi(t), accurate in both tails."""
    return _mills(t, special.log_ndtr(t))


def _mills(t: Array, log_ndtr: Array) -> Array:
    return np.asarray(np.exp(-0.5 * t * t - _HALF_LOG_2PI - log_ndtr))


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionData:
    """Both equations on one basis, so that a weighted cross-product of it serves every pair of coefficients.

    `inside` (n_s, K) holds for those who responded the response terms (the first k_z columns), what the outcome terms
    add to them, and last the outcome less its regression on the outcome terms, in units of its root mean square
    `scale`. `outside` (n - n_s, k_z) holds the response terms of the others. The outcome terms are `inside[:, :-1] @ x`
    with x (K - 1, k_x), orthonormal among the respondents; `plain` (k_x,) the regression of the outcome on them.
    `gram` is inside'inside; `inverse` (k_x, k_x) turns coefficients of the orthonormal terms into those of the terms;
    `slopes_of_w` and `slopes_of_e` (K, k) are the derivatives by theta of the coefficients that make w and e.
    """

    inside: Array
    outside: Array
    x: Array
    plain: Array
    scale: float
    gram: Array
    inverse: Array
    slopes_of_w: Array
    slopes_of_e: Array

    @classmethod
    def of(cls, *, z_in: Array, z_out: Array, shared: Array, apart: Array, y: Array) -> Self:
        """From response terms, and outcome terms as [z_in, apart] @ shared with shared (k_z + k_apart, k_x).

        The outcome terms have to be linearly independent (`estimate.selection` has refused others by name). Refuses
        terms that explain the outcome exactly (EstimationError).
        """
        basis = np.column_stack((z_in, apart))
        terms = times(basis, shared)
        inverse = upper_inverse(triangular_factor(terms))
        orthonormal = times(terms, inverse)
        plain = cross(orthonormal, y)
        residual = y - times(orthonormal, plain)
        again = cross(orthonormal, residual)  # twice is enough
        residual -= times(orthonormal, again)
        scale = math.sqrt(float(residual @ residual) / len(y))
        if scale <= 1e-14 * math.sqrt(float(y @ y) / len(y)):
            raise EstimationError("the terms explain the outcome exactly: no selection can be estimated")
        inside = np.column_stack((basis, residual / scale))
        x = shared @ inverse
        of_w, of_e = _slopes(z_out.shape[1], x)
        return cls(
            inside=inside,
            outside=z_out,
            x=x,
            plain=plain + again,
            scale=scale,
            gram=gram_matrix(inside),
            inverse=inverse,
            slopes_of_w=of_w,
            slopes_of_e=of_e,
        )

    @property
    def k_z(self) -> int:
        """How many response terms there are."""
        return int(self.outside.shape[1])

    @property
    def responded(self) -> int:
        """How many people responded."""
        return len(self.inside)

    def indices(self, theta: Array) -> Array:
        """The coefficients (K, 2) that make w and e of the rows of `inside`."""
        found = np.zeros((self.inside.shape[1], 2))
        found[: self.k_z, 0] = theta[: self.k_z]
        found[:-1, 1] = -self.x @ theta[self.k_z : -1]
        found[-1, 1] = theta[-1]
        return found

    def slopes(self, of_w: float, of_e: float) -> Array:
        """The derivative (K, k) by theta of the coefficients that make of_w w + of_e e."""
        return of_w * self.slopes_of_w + of_e * self.slopes_of_e


def _slopes(k_z: int, x: Array) -> tuple[Array, Array]:
    """The derivatives (K, k) by theta of the coefficients that make w, and of those that make e."""
    of_w, of_e = np.zeros((2, len(x) + 1, k_z + x.shape[1] + 1))
    of_w[np.arange(k_z), np.arange(k_z)] = 1.0
    of_e[:-1, k_z:-1], of_e[-1, -1] = -x, 1.0
    return of_w, of_e


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivatives:
    """Log likelihood, score (k + 1,) and Hessian (k + 1, k + 1) in (theta, a)."""

    value: float
    score: Array
    hessian: Array


def log_likelihood(theta: Array, a: float, data: SelectionData) -> float:
    """The log likelihood at theta and rho = tanh(a); minus infinity outside the parameter space or on overflow."""
    if not theta[-1] > 0:
        return -math.inf
    coefficients = data.indices(theta)
    t = times(data.inside, coefficients @ np.array([math.cosh(a), math.sinh(a)]))
    value = float(special.log_ndtr(t).sum() + special.log_ndtr(-times(data.outside, theta[: data.k_z])).sum())
    return _finite(value + _normal_part(coefficients, theta, data))


def _normal_part(coefficients: Array, theta: Array, data: SelectionData) -> float:
    """Sum of -e^2/2 + log eta - log scale - log(2 pi)/2 over those who responded."""
    e = coefficients[:, 1]
    each = math.log(theta[-1] / data.scale) - _HALF_LOG_2PI
    return data.responded * each - 0.5 * float(e @ data.gram @ e)


def _finite(value: float) -> float:
    return value if math.isfinite(value) else -math.inf


def derivatives(theta: Array, a: float, data: SelectionData) -> Derivatives:
    """Log likelihood and its first and second derivatives, in one pass over the people."""
    k_z, k = data.k_z, len(theta)
    if not theta[-1] > 0:
        return Derivatives(value=-math.inf, score=np.zeros(k + 1), hessian=np.zeros((k + 1, k + 1)))
    c, h = math.cosh(a), math.sinh(a)
    coefficients = data.indices(theta)
    # The columns give t and dt/da = sinh(a) w + cosh(a) e.
    turned = coefficients @ np.array([[c, h], [h, c]])
    columns = data.inside.shape[1]
    curved, by_row, value, by_a, by_aa = np.zeros((columns, columns)), np.zeros((2, columns)), 0.0, 0.0, 0.0
    for rows in row_blocks(data.responded, columns):
        block = data.inside[rows]
        t, d = np.ascontiguousarray((block @ turned).T)
        log_phi = special.log_ndtr(t)
        m = _mills(t, log_phi)
        bend = m * (t + m)  # minus the derivative of m by t, between 0 and 1
        value += float(log_phi.sum())
        by_a += float(m @ d)
        by_aa += float(m @ t) - float(bend @ (d * d))
        by_row += np.stack((m, bend * d)) @ block
        curved += block.T @ (block * bend[:, None])
    score, hessian = np.zeros(k + 1), np.zeros((k + 1, k + 1))
    for rows in row_blocks(len(data.outside), k_z):
        block = data.outside[rows]
        t = -(block @ theta[:k_z])
        log_phi = special.log_ndtr(t)
        m = _mills(t, log_phi)
        value += float(log_phi.sum())
        score[:k_z] -= m @ block
        hessian[:k_z, :k_z] -= block.T @ (block * (m * (t + m))[:, None])
    of_t, of_a, of_e = data.slopes(c, h), data.slopes(h, c), data.slopes(0.0, 1.0)
    score[:k] += of_t.T @ by_row[0] - of_e.T @ (data.gram @ coefficients[:, 1])
    score[k - 1] += data.responded / theta[-1]
    score[k] = by_a
    hessian[:k, :k] -= of_t.T @ curved @ of_t + of_e.T @ data.gram @ of_e
    hessian[k - 1, k - 1] -= data.responded / theta[-1] ** 2
    hessian[:k, k] = hessian[k, :k] = of_a.T @ by_row[0] - of_t.T @ by_row[1]
    hessian[k, k] = by_aa
    value = _finite(value + _normal_part(coefficients, theta, data))
    return Derivatives(value=value, score=score, hessian=hessian)


def cluster_scores(
    theta: Array,
    a: float,
    data: SelectionData,
    *,
    inside: npt.NDArray[np.intp],
    outside: npt.NDArray[np.intp],
    n_clusters: int,
) -> Array:
    """The score (G, k + 1) of each cluster, given the cluster of those who responded and of those who did not."""
    c, h = math.cosh(a), math.sinh(a)
    coefficients = data.indices(theta)
    w, e = times(data.inside, coefficients).T
    m = mills(c * w + h * e)
    found = np.zeros((n_clusters, len(theta) + 1))
    found[:, :-1] = cluster_sums(data.inside, inside, n_clusters, m) @ data.slopes(c, h)
    found[:, :-1] -= cluster_sums(data.inside, inside, n_clusters, e) @ data.slopes(0.0, 1.0)
    found[:, -2] += np.bincount(inside, minlength=n_clusters) / theta[-1]
    found[:, -1] = np.bincount(inside, weights=m * (h * w + c * e), minlength=n_clusters)
    outer = mills(-times(data.outside, theta[: data.k_z]))
    found[:, : data.k_z] -= cluster_sums(data.outside, outside, n_clusters, outer)
    return found


def natural(theta: Array, a: float, data: SelectionData) -> tuple[Array, Array]:
    """(gamma, beta on the orthonormal outcome terms, a, log sigma), and its derivative (k + 1, k + 1) by (theta, a)."""
    k_z, k = data.k_z, len(theta)
    eta, delta = float(theta[-1]), theta[k_z:-1]
    found = np.concatenate((theta[:k_z], data.plain + data.scale / eta * delta, [a, math.log(data.scale / eta)]))
    turn = np.zeros((k + 1, k + 1))
    turn[:k_z, :k_z] = np.eye(k_z)
    turn[k_z : k - 1, k_z : k - 1] = np.eye(k - 1 - k_z) * (data.scale / eta)
    turn[k_z : k - 1, k - 1] = -data.scale / eta**2 * delta
    turn[k - 1, k] = 1
    turn[k, k - 1] = -1 / eta
    return found, turn


def probit(z: Array, responded: npt.NDArray[np.bool_], *, patience: int = 25) -> tuple[Array, Array, float] | None:
    """Coefficients, information and log likelihood of the response probit; None if it did not settle.

    Newton's method from zero: the log likelihood is concave, so a finite maximum is reached in a few
    steps, and otherwise the caller looks for separation.
    """
    sign = np.where(responded, 1.0, -1.0)
    gamma = np.zeros(z.shape[1])
    for _ in range(patience):
        score, information = np.zeros(len(gamma)), np.zeros((len(gamma), len(gamma)))
        for rows in row_blocks(*z.shape):
            block, q = z[rows], sign[rows] * (z[rows] @ gamma)
            m = mills(q)
            score += (sign[rows] * m) @ block
            information += block.T @ (block * (m * (q + m))[:, None])
        try:
            step = np.linalg.solve(information, score)
        except np.linalg.LinAlgError:
            return None
        gamma = gamma + step
        if float(score @ step) < 1e-12:  # the step just taken leaves about the square of this
            return gamma, information, float(special.log_ndtr(sign * times(z, gamma)).sum())
    return None
