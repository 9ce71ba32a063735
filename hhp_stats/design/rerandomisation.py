"""What does redrawing until balanced buy, in theory?"""

from __future__ import annotations

from dataclasses import dataclass

from scipy import stats

from hhp_stats.calls.typed import typed
from hhp_stats.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerandomisation:
    """Acceptance by Mahalanobis distance of `covariates` means, at the given chance of acceptance."""

    covariates: int
    acceptance: float
    threshold: float  # a: accept when the distance is at most this
    variance_factor: float  # variance of covariate mean differences, as a share of that without the rule


@typed
def mahalanobis_rerandomisation(*, covariates: int, acceptance: float) -> Rerandomisation:
    """By how much does accepting only balanced allocations shrink chance imbalance?

    Estimator: with k covariates and acceptance probability p, a is the p-quantile of chi-squared(k),
    and differences in covariate means keep v = P(chi2(k+2) <= a) / P(chi2(k) <= a) of their variance.
    An outcome whose squared multiple correlation with the covariates is R2 keeps 1 - (1 - v) R2 of the
    variance of its mean difference.

    The protocol's own rule (p-values above .05) accepts nearly always and buys little: two tests at 5%
    accept about nine draws in ten. This function is the yardstick for it.
    Assumptions: normal covariate means (large arms), equal arms, units independent.
    Refuses fewer than one covariate, an acceptance outside 0..1 (InvalidInput).
    Source: Morgan and Rubin (2012), Annals of Statistics 40, 1263-1282, theorem 3.1.
    """
    if covariates < 1:
        raise InvalidInput("at least one covariate is needed")
    if not 0 < acceptance <= 1:
        raise InvalidInput(f"the chance of acceptance must be in 0..1, not {acceptance}")
    threshold = float(stats.chi2.ppf(acceptance, covariates))
    factor = float(stats.chi2.cdf(threshold, covariates + 2) / acceptance)
    return Rerandomisation(covariates=covariates, acceptance=acceptance, threshold=threshold, variance_factor=factor)
