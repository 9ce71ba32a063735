"""The likelihood of the normal selection model and of its first step, with exact derivatives.

Notation: Z (n, k_z) terms of the response equation, X (n_s, k_x) those of the outcome equation for
the n_s who responded, y (n_s,) their outcomes; w = Z gamma, e = (y - X beta)/sigma. The free
parameters are theta = (gamma, beta, a, s) with rho = tanh(a) and sigma = exp(s). Because
1/sqrt(1 - rho^2) = cosh(a) and rho/sqrt(1 - rho^2) = sinh(a), the probability of responding given the
outcome has the argument t = cosh(a) w + sinh(a) e, whose derivatives are as simple as itself:

  log l_i = log Phi(-w)                                        did not respond
  log l_i = -e^2/2 - s - log(2 pi)/2 + log Phi(t)              responded
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from hhp_stats.errors import NonConvergence
from hhp_stats.estimate.gram import row_blocks
from hhp_stats.estimate.model_matrix import Array

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
# A Newton step that promises less log likelihood than this is within the quadratic basin: it is taken
# whole, without comparing likelihoods whose own rounding is of this order, and what is left after it
# is about the square. The smaller bound is where such polishing ends.
_NEAR, _DONE = 1e-6, 1e-16
_STEPS = 100
# |atanh(rho)| above this is |rho| > .99995: the likelihood is running to the boundary.
BOUNDARY = 5.3


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionData:
    """Z of those who responded and of those who did not, X and y of those who did."""

    z_in: Array
    z_out: Array
    x: Array
    y: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Derivatives of each log likelihood contribution by w (both groups), e, a and s: times a row of Z or X, the score."""

    w_in: Array
    w_out: Array
    e: Array
    a: Array
    s: Array


def mills(t: Array) -> Array:
    """phi(t)/Phi(t), accurate in both tails."""
    return np.asarray(np.exp(-0.5 * t * t - _HALF_LOG_2PI - special.log_ndtr(t)))


def split(theta: Array, data: SelectionData) -> tuple[Array, Array, float, float]:
    """theta as gamma, beta, a, s."""
    k_z = data.z_in.shape[1]
    return theta[:k_z], theta[k_z:-2], float(theta[-2]), float(theta[-1])


def log_likelihood(theta: Array, data: SelectionData) -> float:
    """The log likelihood at theta; minus infinity where it overflows."""
    gamma, beta, a, s = split(theta, data)
    if not (abs(a) < 300 and abs(s) < 300):
        return -math.inf
    e = (data.y - data.x @ beta) * math.exp(-s)
    t = math.cosh(a) * (data.z_in @ gamma) + math.sinh(a) * e
    inside = float(special.log_ndtr(t).sum()) - 0.5 * float(e @ e) - len(e) * (s + _HALF_LOG_2PI)
    value = inside + float(special.log_ndtr(-(data.z_out @ gamma)).sum())
    return value if math.isfinite(value) else -math.inf


def score_weights(theta: Array, data: SelectionData) -> Weights:
    """First derivatives of each contribution."""
    gamma, beta, a, s = split(theta, data)
    w = data.z_in @ gamma
    e = (data.y - data.x @ beta) * math.exp(-s)
    c, h = math.cosh(a), math.sinh(a)
    m = mills(c * w + h * e)
    by_e = m * h - e
    return Weights(w_in=m * c, w_out=-mills(-(data.z_out @ gamma)), e=by_e, a=m * (h * w + c * e), s=-1 - e * by_e)


def derivatives(theta: Array, data: SelectionData) -> tuple[Array, Array]:
    """Score (k,) and Hessian (k, k) of the log likelihood; k = k_z + k_x + 2."""
    gamma, beta, a, s = split(theta, data)
    z, x, scale = data.z_in, data.x, math.exp(-s)
    k_z, k_x = z.shape[1], x.shape[1]
    c, h = math.cosh(a), math.sinh(a)
    w = z @ gamma
    e = (data.y - x @ beta) * scale
    t = c * w + h * e
    d = h * w + c * e  # dt/da
    m = mills(t)
    curve = -m * (t + m)  # d m / d t
    out = -(data.z_out @ gamma)
    m_out = mills(out)
    by_w, by_e, by_a = m * c, m * h - e, m * d
    ww, we, ee = curve * (c * c), curve * (c * h), curve * (h * h) - 1
    wa, ea, aa = curve * d * c + m * h, curve * d * h + m * c, curve * d * d + m * t

    g, b, i_a, i_s = slice(0, k_z), slice(k_z, k_z + k_x), k_z + k_x, k_z + k_x + 1
    score = np.empty(i_s + 1)
    score[g] = z.T @ by_w - data.z_out.T @ m_out
    score[b] = x.T @ by_e * -scale
    score[i_a] = by_a.sum()
    score[i_s] = -len(e) - e @ by_e
    hessian = np.empty((i_s + 1, i_s + 1))
    hessian[g, g] = _products(z, ww, z) - _products(data.z_out, m_out * (out + m_out), data.z_out)
    hessian[g, b] = _products(z, we * -scale, x)
    hessian[b, b] = _products(x, ee * scale**2, x)
    hessian[g, i_a] = z.T @ wa
    hessian[g, i_s] = z.T @ (-e * we)
    hessian[b, i_a] = x.T @ ea * -scale
    hessian[b, i_s] = x.T @ (by_e + e * ee) * scale
    hessian[i_a, i_a] = aa.sum()
    hessian[i_a, i_s] = -(e @ ea)
    hessian[i_s, i_s] = e @ by_e + e @ (e * ee)
    lower = np.tril_indices(i_s + 1, -1)
    hessian[lower] = hessian.T[lower]
    return score, hessian


def _products(left: Array, weights: Array, right: Array) -> Array:
    """left' diag(weights) right, by blocks of rows that stay in the cache."""
    total = np.zeros((left.shape[1], right.shape[1]))
    for block in row_blocks(len(left), max(total.shape)):
        total += left[block].T @ (right[block] * weights[block, None])
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionMaximum:
    """Where the climb ended: theta, log likelihood, score, information (minus the Hessian), steps taken."""

    theta: Array
    value: float
    score: Array
    information: Array
    iterations: int


def maximise(start: Array, data: SelectionData) -> SelectionMaximum:
    """Newton's method with halved steps; where the Hessian is not negative definite, its eigenvalues' sizes are used.

    Raises NonConvergence where rho runs to -1 or 1 or no step gains any more before the score is nil.
    """
    theta, value = start, log_likelihood(start, data)
    for iteration in range(_STEPS):
        score, hessian = derivatives(theta, data)
        step = _ascent(score, -hessian)
        gain = float(score @ step)
        if gain < _NEAR:
            _refuse_saddle(hessian)
            return _polished(theta, step, gain, data, iteration)
        size = 1.0
        # rho near its boundary makes cosh(a) explode: no step may change a by more than one.
        if abs(step[-2]) > 1:
            size = 1 / abs(float(step[-2]))
        while True:
            moved = theta + size * step
            reached = log_likelihood(moved, data)
            if reached > value:
                break
            size /= 2
            if size < 1e-10:
                raise NonConvergence(
                    f"selection model: no step gains after {iteration} iterations, log likelihood {value:.6f}, "
                    f"largest score {np.abs(score).max():.2g}"
                )
        theta, value = moved, reached
        if abs(theta[-2]) > BOUNDARY:
            raise NonConvergence(
                f"selection model: rho runs to {math.copysign(1, theta[-2]):.0f}; the likelihood has no maximum inside"
            )
    raise NonConvergence(f"selection model: not converged after {_STEPS} iterations, log likelihood {value:.6f}")


def _polished(theta: Array, step: Array, gain: float, data: SelectionData, iteration: int) -> SelectionMaximum:
    """Whole Newton steps until they gain nothing more."""
    while True:
        theta = theta + step
        iteration += 1
        score, hessian = derivatives(theta, data)
        step = _ascent(score, -hessian)
        left = float(score @ step)
        if left < _DONE or left >= 0.1 * gain:
            value = log_likelihood(theta, data)
            return SelectionMaximum(theta=theta, value=value, score=score, information=-hessian, iterations=iteration)
        gain = left


def _ascent(score: Array, information: Array) -> Array:
    try:
        # numpy's small solvers throughout: scipy's start threads even for 30 columns and may wait for them.
        np.linalg.cholesky(information)
        return np.asarray(np.linalg.solve(information, score))
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(information)
        sizes = np.maximum(np.abs(values), 1e-6 * np.abs(values).max())
        return np.asarray(vectors @ ((vectors.T @ score) / sizes))


def _refuse_saddle(hessian: Array) -> None:
    try:
        np.linalg.cholesky(-hessian)
    except np.linalg.LinAlgError as problem:
        raise NonConvergence("selection model: stopped at a point that is not a maximum") from problem


def probit(z: Array, responded: npt.NDArray[np.bool_], *, patience: int = 25) -> tuple[Array, Array, float] | None:
    """Coefficients, information and log likelihood of the response probit; None if it did not settle.

    Newton's method from zero: the log likelihood is concave, so a finite maximum is reached in a few
    steps, and otherwise the caller looks for separation.
    """
    sign = np.where(responded, 1.0, -1.0)
    gamma = np.zeros(z.shape[1])
    for _ in range(patience):
        q = sign * (z @ gamma)
        m = mills(q)
        score = z.T @ (sign * m)
        information = _products(z, m * (q + m), z)
        try:
            step = np.linalg.solve(information, score)
        except np.linalg.LinAlgError:
            return None
        gamma = gamma + step
        if float(score @ step) < 1e-12:  # the step just taken leaves about the square of this
            return gamma, information, float(special.log_ndtr(sign * (z @ gamma)).sum())
    return None
