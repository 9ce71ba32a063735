"""Do the items of a scale hang together? Cronbach's alpha, McDonald's omega, Spearman-Brown."""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize, stats
from statsmodels.multivariate.factor import Factor
from statsmodels.tools.sm_exceptions import ConvergenceWarning, EstimationWarning

from hhp_stats.calls.typed import typed
from hhp_stats.errors import InvalidInput, NonConvergence, NoObservations, UnknownName
from hhp_stats.processes.blocks import seed_sequence
from hhp_stats.processes.progress import Progress, silent
from hhp_stats.regression.model_matrix import as_numbers
from hhp_stats.regression.spread import is_dust
from hhp_stats.results.frame import checked_level

Array = npt.NDArray[np.float64]
OmegaMethod = Literal["ml", "minres"]

# A standardised uniqueness below this is a Heywood case; factanal stops at the same bound.
_SMALLEST_UNIQUENESS = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """One reliability coefficient with its interval."""

    coefficient: str  # "alpha", "omega_total" or "spearman_brown"
    estimate: float
    conf_low: float  # not a number where no interval was asked for
    conf_high: float
    conf_level: float
    n: int  # persons who answered every item
    items: int
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OneFactor:
    """One-factor solution of a correlation matrix: loadings and uniquenesses on the standardised items."""

    loadings: Array  # (k,)
    uniquenesses: Array  # (k,)


@typed
def cronbach_alpha(items: pd.DataFrame, *, standardised: bool = False, conf_level: float = 0.95) -> Reliability:
    """How consistent are the items, if each measures the same thing equally well?

    alpha = k/(k-1) (1 - sum of item variances / variance of the sum), k items, over persons who
    answered all; `standardised` puts the correlation matrix in place of the covariance matrix.
    Interval of Feldt, Woodruff and Salih (1987): (1 - alpha)/(1 - estimate) follows F with n-1 and
    (n-1)(k-1) degrees of freedom; exact for normal items with equal variances and covariances.

    Items must already point the same way (reverse-score first). A negative alpha is returned as it
    is: it says that some item does not. Refuses fewer than two items, an item that does not vary
    (InvalidInput), and fewer than three complete persons (NoObservations).
    Source: Cronbach (1951), Psychometrika 16, 297-334; Feldt, Woodruff and Salih (1987), Applied
    Psychological Measurement 11, 93-103.
    """
    values = _complete(items, minimum=2)
    n, k = values.shape
    matrix = _correlations(values) if standardised else np.asarray(np.cov(values, rowvar=False), dtype=np.float64)
    total = float(matrix.sum())
    if is_dust(total, of=matrix) or total < 0:
        raise InvalidInput("the sum of the items does not vary: an item is turned the wrong way")
    alpha = k / (k - 1) * (1 - float(np.trace(matrix)) / total)
    df = (n - 1, (n - 1) * (k - 1))
    tail = (1 - checked_level(conf_level)) / 2
    return Reliability(
        coefficient="alpha",
        estimate=alpha,
        conf_low=1 - (1 - alpha) * float(stats.f.ppf(1 - tail, *df)),
        conf_high=1 - (1 - alpha) * float(stats.f.ppf(tail, *df)),
        conf_level=conf_level,
        n=n,
        items=k,
        method="Cronbach's alpha" + (", standardised items" if standardised else "") + ", Feldt interval",
    )


@typed
def spearman_brown(items: pd.DataFrame, *, conf_level: float = 0.95) -> Reliability:
    """How reliable is the sum of two items? (Clause P41 averages two when reliability is high.)

    2r / (1 + r), r the correlation of the two items; interval by Fisher's z of r carried through the
    same formula. For two items it never falls below alpha and equals the alpha of standardised
    items (Eisinga, te Grotenhuis and Pelzer 2013, International Journal of Public Health 58, 637-642). Refuses any
    other number of items and r = -1 (InvalidInput), and fewer than four complete persons (NoObservations).
    """
    values = _complete(items, minimum=2)
    n, k = values.shape
    if k != 2:
        raise InvalidInput(f"Spearman-Brown is for two items, not {k}")
    if n < 4:
        raise NoObservations(f"{n} persons answered both items; Fisher's z needs four")
    checked_level(conf_level)
    r = float(_correlations(values)[0, 1])
    if r <= -1 + 1e-12:
        raise InvalidInput("the two items are exact opposites: turn one round first")
    if r >= 1 - 1e-12:
        low = high = 1.0
    else:
        reach = float(stats.norm.ppf(0.5 + conf_level / 2)) / np.sqrt(n - 3)
        low, high = np.tanh(np.arctanh(r) - reach), np.tanh(np.arctanh(r) + reach)
    return Reliability(
        coefficient="spearman_brown",
        estimate=2 * r / (1 + r),
        conf_low=float(2 * low / (1 + low)),
        conf_high=float(2 * high / (1 + high)),
        conf_level=conf_level,
        n=n,
        items=2,
        method="Spearman-Brown, interval by Fisher's z",
    )


@typed
def mcdonald_omega(
    items: pd.DataFrame,
    *,
    method: OmegaMethod = "ml",
    standardised: bool = False,
    draws: int = 0,
    seed: int | None = None,
    conf_level: float = 0.95,
    progress: Progress = silent,
) -> Reliability:
    """How reliable is the sum of the items, if one factor lies behind them with unequal weights?

    omega total = (sum of loadings)^2 / ((sum of loadings)^2 + sum of uniquenesses) of a one-factor
    model (McDonald 1999, Test Theory, ch. 6), fitted to the correlations by maximum likelihood ("ml") or
    by least squares off the diagonal ("minres"); loadings are brought back to the units of the
    items unless `standardised`. With `draws` > 0 a percentile interval from resampled persons is
    added, which needs a `seed`.

    Refuses fewer than three items (one factor is not identified: use `spearman_brown`), items that
    do not vary (InvalidInput), and a solution with a uniqueness at zero, called a Heywood case
    (NonConvergence): omega is then a number without a model.
    """
    if method not in ("ml", "minres"):
        raise UnknownName(f"no method {method!r}; there are ml, minres")
    values = _complete(items, minimum=3)
    estimate = _omega(values, method=method, standardised=standardised)
    low = high = float("nan")
    label = f"McDonald's omega total, one factor by {'maximum likelihood' if method == 'ml' else 'minres'}"
    if draws:
        if seed is None:
            raise InvalidInput("a bootstrap interval needs a seed")
        resampled, failed = _bootstrap_omega(
            values, method=method, standardised=standardised, draws=draws, seed=seed, progress=progress
        )
        if failed > 0.05 * draws:
            raise NonConvergence(f"omega has no solution in {failed} of {draws} bootstrap samples")
        tail = (1 - checked_level(conf_level)) / 2
        low, high = (float(q) for q in np.quantile(resampled, [tail, 1 - tail]))
        label += f", percentile interval from {draws - failed} of {draws} bootstrap samples"
    return Reliability(
        coefficient="omega_total",
        estimate=estimate,
        conf_low=low,
        conf_high=high,
        conf_level=conf_level,
        n=len(values),
        items=values.shape[1],
        method=label,
    )


@typed
def one_factor(correlations: Array, *, method: OmegaMethod = "ml") -> OneFactor:
    """Which loadings on one common factor reproduce a correlation matrix best?

    "ml" maximises the normal likelihood (statsmodels' Factor, started at the first principal
    component so that the same data give the same digits); "minres" minimises the sum of squared
    residual correlations off the diagonal (Harman and Jones 1966). Signs are set so that the
    loadings sum to a positive number. Refuses a Heywood case and an optimiser that stops early
    (NonConvergence).
    """
    k = len(correlations)
    sizes, vectors = np.linalg.eigh(correlations)
    if sizes[0] < 1e-10:
        raise InvalidInput("the items determine each other exactly: their correlation matrix is singular")
    start = np.clip(np.sqrt(sizes[-1]) * vectors[:, -1] * 0.9, -0.95, 0.95)
    start = start * (1 if start.sum() >= 0 else -1)
    if method == "ml":
        model = Factor(corr=correlations, n_factor=1, method="ml")
        with warnings.catch_warnings():  # the slope below decides, not the optimiser's own opinion
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.simplefilter("ignore", EstimationWarning)
            model.fit(start=(start[:, None].copy(), 1 - start**2), opt={"gtol": 1e-7, "maxiter": 1000})
        loadings = np.asarray(model.loadings, dtype=np.float64)[:, 0]
        slope = float(np.abs(model.mle_retvals.jac).max())
    else:
        upper = np.triu_indices(k, 1)
        found = optimize.least_squares(
            lambda a: (correlations - np.outer(a, a))[upper], start, xtol=1e-14, ftol=1e-14, gtol=1e-14
        )
        if not found.success:
            raise NonConvergence(f"minres: {found.message}")
        loadings, slope = np.asarray(found.x, dtype=np.float64), 0.0
    loadings = loadings * (1 if loadings.sum() >= 0 else -1)
    uniquenesses = 1 - loadings**2
    if uniquenesses.min() < _SMALLEST_UNIQUENESS:
        raise NonConvergence("Heywood case: an item would be all common factor, so one factor does not fit these items")
    # BFGS reports failure when it can no longer improve in double precision: judge by the slope.
    if slope > 1e-5:
        raise NonConvergence(f"one-factor likelihood: gradient {slope:.1e} where it stopped")
    return OneFactor(loadings=loadings, uniquenesses=uniquenesses)


def _omega(values: Array, *, method: OmegaMethod, standardised: bool) -> float:
    factor = one_factor(_correlations(values), method=method)
    sd = np.ones(values.shape[1]) if standardised else values.std(axis=0, ddof=1)
    common = float((sd * factor.loadings).sum()) ** 2
    return common / (common + float((sd**2 * factor.uniquenesses).sum()))


def _bootstrap_omega(
    values: Array, *, method: OmegaMethod, standardised: bool, draws: int, seed: int, progress: Progress
) -> tuple[Array, int]:
    streams = [np.random.default_rng(child) for child in seed_sequence(seed).spawn(draws)]
    kept: list[float] = []
    for done, rng in enumerate(streams, start=1):
        sample = values[rng.integers(0, len(values), size=len(values))]
        # Samples without a solution are counted by the caller, which refuses when more than one in twenty fail.
        with contextlib.suppress(InvalidInput, NonConvergence):
            kept.append(_omega(_varying(sample), method=method, standardised=standardised))
        progress(done, draws)
    return np.array(kept), draws - len(kept)


def _correlations(values: Array) -> Array:
    return np.asarray(np.corrcoef(values, rowvar=False), dtype=np.float64)


def _complete(items: pd.DataFrame, *, minimum: int) -> Array:
    if items.shape[1] < minimum:
        raise InvalidInput(f"{items.shape[1]} items; this coefficient needs at least {minimum}")
    numbers = as_numbers(items, name="answers")
    if np.isinf(numbers).any():
        raise InvalidInput("the items hold infinite values")
    values = numbers[~np.isnan(numbers).any(axis=1)]
    if len(values) < 3:
        raise NoObservations(f"{len(values)} persons answered every item; three are needed")
    return _varying(values)


def _varying(values: Array) -> Array:
    if (np.ptp(values, axis=0) == 0).any():
        raise InvalidInput("an item has the same answer from everyone")
    return values
