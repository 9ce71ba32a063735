"""The selection likelihood written once more, in its own parameters (gamma, beta, log sigma, atanh rho), for scipy.

Shares nothing with the package: no profile, no concave form, no orthonormal terms but those of numpy's QR, which only
make the quasi-Newton method quick.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from heckman_cases import People
from scipy import optimize, stats


@dataclass(frozen=True, kw_only=True)
class Climb:
    log_likelihood: float
    rho: float
    sigma: float
    coefficients: np.ndarray


class Outside:
    """The likelihood of some people, and where climbs from several values of rho end."""

    def __init__(self, people: People) -> None:
        self.answered = np.isfinite(people.y)
        self.z, self.z_back = _orthonormal(people.response_terms.to_numpy(dtype=float))
        self.x, self.x_back = _orthonormal(people.outcome_terms.to_numpy(dtype=float)[self.answered])
        self.y = people.y[self.answered]

    def value(self, at: np.ndarray) -> float:
        gamma, beta, log_sigma, a = np.split(at, [self.z.shape[1], -2, -1])
        sigma, rho = math.exp(log_sigma[0]), math.tanh(a[0])
        w, e = self.z @ gamma, (self.y - self.x @ beta) / sigma
        t = (w[self.answered] + rho * e) / math.sqrt(1 - rho**2)
        inside = stats.norm.logpdf(e) - math.log(sigma) + stats.norm.logcdf(t)
        return float(inside.sum() + stats.norm.logcdf(-w[~self.answered]).sum())

    def gradient(self, at: np.ndarray) -> np.ndarray:
        gamma, beta, log_sigma, a = np.split(at, [self.z.shape[1], -2, -1])
        sigma, rho = math.exp(log_sigma[0]), math.tanh(a[0])
        root = math.sqrt(1 - rho**2)
        w, e = self.z @ gamma, (self.y - self.x @ beta) / sigma
        t = (w[self.answered] + rho * e) / root
        ratio = np.exp(stats.norm.logpdf(t) - stats.norm.logcdf(t))
        out = -w[~self.answered]
        by_w = np.empty(len(w))
        by_w[self.answered] = ratio / root
        by_w[~self.answered] = -np.exp(stats.norm.logpdf(out) - stats.norm.logcdf(out))
        by_e = -e + ratio * rho / root
        by_rho = (ratio * (e + rho * w[self.answered]) / root**3).sum()
        return np.concatenate(
            [self.z.T @ by_w, -self.x.T @ by_e / sigma, [-(by_e @ e) - len(e), by_rho * (1 - rho**2)]]
        )

    def check(self) -> None:
        """The gradient above is that of the likelihood above."""
        at = self.start(0.4)
        gap = optimize.check_grad(self.value, self.gradient, at, epsilon=1e-6)
        # Forward differences of step 1e-6 are off by half a millionth of the second derivatives, which are n at most.
        assert gap < 1e-2 * math.sqrt(len(at))

    def start(self, rho: float) -> np.ndarray:
        beta, *_ = np.linalg.lstsq(self.x, self.y, rcond=None)
        sigma = float(np.std(self.y - self.x @ beta))
        # A share of one answers: the index whose normal probability that is.
        index = stats.norm.ppf(self.answered.mean())
        gamma, *_ = np.linalg.lstsq(self.z, np.full(len(self.z), index), rcond=None)
        return np.concatenate([gamma, beta, [math.log(sigma), math.atanh(rho)]])

    def climbs(self, rhos: Sequence[float]) -> list[Climb]:
        found = []
        for rho in rhos:
            end = optimize.minimize(
                lambda at: -self.value(at),
                self.start(rho),
                jac=lambda at: -self.gradient(at),
                method="BFGS",
                options={"gtol": 1e-5 * len(self.z), "maxiter": 1000},
            )
            beta = self.x_back @ end.x[self.z.shape[1] : -2]
            found.append(
                Climb(
                    log_likelihood=-float(end.fun),
                    rho=math.tanh(end.x[-1]),
                    sigma=math.exp(end.x[-2]),
                    coefficients=beta,
                )
            )
        return found


def _orthonormal(terms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Terms of mean square one that are orthogonal, and what turns their coefficients into those of the terms."""
    q, r = np.linalg.qr(terms)
    root = math.sqrt(len(terms))
    return q * root, np.linalg.inv(r) * root
