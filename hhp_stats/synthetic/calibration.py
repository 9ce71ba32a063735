"""Small tools that make drawn data meet a stated figure: streams, thresholds, latent correlations."""

from __future__ import annotations

import zlib
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import optimize, special, stats

from hhp_stats.errors import InvalidInput

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def stream(seed: int, topic: str) -> np.random.Generator:
    """The random numbers of one topic: adding a draw to one topic leaves the others as they were."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(zlib.crc32(topic.encode()),)))


def top_share(*, log_odds: Array, noise: Array, share: float) -> Flags:
    """Who is drawn, if exactly `share` of all (rounded) must be, with the given log odds up to a constant?

    With logistic `noise`, "log_odds + noise above a threshold" is a logistic model whose intercept is the
    threshold; choosing the threshold by rank fixes the realised share and leaves the odds ratios.
    """
    if not 0 <= share <= 1:
        raise InvalidInput(f"a share lies in 0..1, not {share}")
    count = round(share * len(log_odds))
    drawn = np.zeros(len(log_odds), dtype=bool)
    drawn[np.argsort(-(log_odds + noise), kind="stable")[:count]] = True
    return drawn


def expected_share(*, log_odds: Array, noise: Array, share: float) -> Flags:
    """The same with the share met in expectation over `noise`: draws stay independent."""
    if not 0 < share < 1:
        return np.full(len(log_odds), share == 1)
    centre = float(special.logit(share))
    low, high = centre - float(log_odds.max()), centre - float(log_odds.min())
    if high - low < 1e-12:
        intercept = centre - float(log_odds.max())
    else:
        intercept = optimize.brentq(lambda c: float(special.expit(log_odds + c).mean()) - share, low, high, xtol=1e-10)
    return np.asarray(log_odds + intercept + noise > 0, dtype=bool)


def threshold(*, log_odds: Array, noise: Array, share: float, exact: bool) -> Flags:
    """`top_share` if the realised share must be exact, else `expected_share`."""
    chosen = top_share if exact else expected_share
    return chosen(log_odds=log_odds, noise=noise, share=share)


@lru_cache(maxsize=16)
def count_table(mean: float, sd: float, longest: int) -> Array:
    """Cumulative distribution of a negative binomial count with this mean and SD, up to `longest`."""
    if not sd**2 > mean:
        raise InvalidInput("a negative binomial needs a variance above its mean")
    size = mean**2 / (sd**2 - mean)
    table: Array = stats.nbinom.cdf(np.arange(longest + 1), size, size / (size + mean))
    table[-1] = 1.0
    return table


def counts(uniform: Array, *, mean: float, sd: float, longest: int) -> npt.NDArray[np.int64]:
    """Quantiles of that distribution."""
    return np.searchsorted(count_table(mean, sd, longest), uniform, side="left").astype(np.int64)


@lru_cache(maxsize=16)
def _hermite(mean: float, sd: float, longest: int, terms: int = 60) -> Array:
    """Coefficients c_k of the count as a function of a standard normal: sum of c_k He_k(z) / sqrt(k!)."""
    z = np.linspace(-8.5, 8.5, 40_001)
    value = counts(special.ndtr(z), mean=mean, sd=sd, longest=longest).astype(np.float64)
    weight = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    before, now = np.zeros_like(z), np.ones_like(z)
    coefficients = []
    for k in range(terms):
        coefficients.append(float(np.sum(weight * value * now)))
        # Orthonormal recursion: h_(k+1) = (z h_k - sqrt(k) h_(k-1)) / sqrt(k + 1).
        before, now = now, (z * now - np.sqrt(k) * before) / np.sqrt(k + 1)
    return np.array(coefficients)


def latent_correlation(*, target: float, one: tuple[float, float, int], other: tuple[float, float, int]) -> float:
    """Which correlation of two latent normals gives two counts the correlation `target`?

    Each count is the negative binomial quantile (mean, SD, longest) of its normal. With Hermite coefficients
    a_k and b_k the counts' covariance is the sum over k >= 1 of a_k b_k rho^k (Mehler's formula), solved for rho.
    Refuses a target that no rho reaches (InvalidInput).
    """
    a, b = _hermite(*one), _hermite(*other)
    power = np.arange(len(a))
    scale = one[1] * other[1]

    def gap(rho: float) -> float:
        return float(np.sum(a[1:] * b[1:] * rho ** power[1:])) / scale - target

    if target == 0:
        return 0.0
    if not (target > 0 and gap(0.999) > 0):
        raise InvalidInput(f"no latent correlation gives these counts a correlation of {target}")
    return float(optimize.brentq(gap, 0.0, 0.999, xtol=1e-10))


def mean_given(z: Array, *, correlation: float, mean: float, sd: float, longest: int) -> Array:
    """Mean of such a count given a standard normal that correlates with the count's own normal.

    E(count | z) = sum of c_k correlation^k He_k(z) / sqrt(k!).
    """
    total = np.zeros_like(z)
    before, now = np.zeros_like(z), np.ones_like(z)
    for k, coefficient in enumerate(_hermite(mean, sd, longest)):
        total += coefficient * correlation**k * now
        before, now = now, (z * now - np.sqrt(k) * before) / np.sqrt(k + 1)
    return total
