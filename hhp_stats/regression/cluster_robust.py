"""How sure are we of a least-squares coefficient? Heteroskedastic, clustered and two-way covariances."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike

from hhp_stats.calls.typed import typed
from hhp_stats.errors import (
    EstimationError,
    InvalidInput,
    UnknownName,
)
from hhp_stats.regression.clusters import (
    checked_clusters,
    cluster_codes,
    cluster_name,
    cluster_sums,
    refuse_untold_terms,
)
from hhp_stats.regression.gram import gram_matrix, times
from hhp_stats.regression.linear import LinearFit
from hhp_stats.regression.model_matrix import Array, ModelMatrix
from hhp_stats.regression.satterthwaite import CorrectionKind, IntArray, adjusted_scores, satterthwaite_df
from hhp_stats.regression.spread import PERFECT
from hhp_stats.results.frame import Estimate

ClusterKind = Literal["CR0", "CR1", "CR2", "CR3"]
HeteroskedasticKind = Literal["HC0", "HC1", "HC2", "HC3"]
DegreesOfFreedom = Literal["clusters", "satterthwaite", "residual", "normal"]

CORRECTION: dict[str, CorrectionKind] = {
    "CR0": "none",
    "CR1": "none",
    "CR2": "CR2",
    "CR3": "CR3",
    "HC0": "none",
    "HC1": "none",
    "HC2": "CR2",
    "HC3": "CR3",
}
DF_IN_WORDS = {"clusters": "t(G-1)", "satterthwaite": "Satterthwaite t", "residual": "t(N-k)", "normal": "normal"}


class Fit(Protocol):
    """A fitted model whose coefficients have a covariance: its matrix X (n, k) and W (k, k) with orthonormal XW."""

    @property
    def matrix(self) -> ModelMatrix:
        """X (n, k) with its names."""

    @property
    def inverse_factor(self) -> Array:
        """W (k, k)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustCovariance:
    """A (k, k) covariance of the coefficients and how it was made.

    `n_clusters` is None for the heteroskedastic kinds and the smaller count for two-way clustering;
    `codes` (n,) number each person's cluster from 0, None where there is not exactly one; `groupings` are the codes of
    all groupings, two of them for two-way clustering and none for the heteroskedastic kinds. `told` is the model whose
    `treatment` was looked at when the covariance was made: it need not be looked at again.
    """

    matrix: Array
    kind: str
    n_clusters: int | None
    codes: IntArray | None
    cluster_name: str = "cluster"  # in words, for `Estimate.method`
    groupings: tuple[IntArray, ...] = ()
    told: ModelMatrix | None = field(default=None, repr=False, compare=False)

    def refuse_untold(self, fit: Fit, terms: Sequence[int]) -> None:
        """Do two clusters (people, where there are none) tell about each arm of these terms? See `refuse_thin_arms`."""
        matrix = fit.matrix
        if matrix is self.told:
            terms = [place for place in terms if matrix.names[place] != "treatment"]
        if not terms:
            return
        people = np.arange(len(matrix.values))
        for codes in self.groupings or (people,):
            unit = "person" if codes is people else "cluster"
            refuse_untold_terms(matrix, terms=terms, codes=codes, unit=unit, inverse_factor=fit.inverse_factor)


def _sandwich(fit: LinearFit, scores: Array) -> Array:
    return gram_matrix(times(scores, fit.gram_inverse))


def one_way_factor(matrix: ModelMatrix, n_clusters: int) -> float:
    """What CR1 multiplies the variance by: G/(G-1) * (N-1)/(N-k)."""
    n, k = len(matrix.values), len(matrix.names)
    return n_clusters / (n_clusters - 1) * (n - 1) / (n - k)


def residual_df(matrix: ModelMatrix) -> int:
    """N - k, refused where it is not positive (EstimationError)."""
    n, k = len(matrix.values), len(matrix.names)
    if n <= k:
        raise EstimationError(f"{n} observations and {k} terms leave no residual to estimate a variance from")
    return n - k


@typed
def cluster_covariance(fit: LinearFit, *, clusters: ArrayLike, kind: ClusterKind = "CR1") -> RobustCovariance:
    """How variable are the coefficients when people of one cluster resemble each other?

    Estimator: V = c (X'X)^-1 [sum over clusters g of X_g' A_g e_g e_g' A_g X_g] (X'X)^-1 with
    H_gg = X_g (X'X)^-1 X_g' and

    ====  =====================  ==========================
    kind  A_g                    c
    ====  =====================  ==========================
    CR0   I                      1
    CR1   I                      G/(G-1) * (N-1)/(N-k)
    CR2   (I - H_gg)^(-1/2)      1
    CR3   (I - H_gg)^(-1)        1
    ====  =====================  ==========================

    CR1 is the convention of Stata's `regress` and of statsmodels. CR2 uses the symmetric root with
    pseudo-inverse, since a dummy constant within a cluster makes I - H_gg singular; it is unbiased
    when outcomes are independent with equal variance. CR3 has no (G-1)/G factor.

    Shapes: clusters (n,), any labels. Assumptions: clusters are independent of each other.
    Refuses: one cluster, or an arm of one cluster where whole clusters were treated, also where the
    other terms leave only one of several (SingleClusterArm), missing labels (InvalidInput), no residual degrees of
    freedom (EstimationError).
    Source: Cameron and Miller (2015), Journal of Human Resources 50, 317-372; Bell and McCaffrey
    (2002), Survey Methodology 28, 169-181; Pustejovsky and Tipton (2018), Journal of Business &
    Economic Statistics 36, 672-683.
    """
    if kind not in ("CR0", "CR1", "CR2", "CR3"):
        raise UnknownName(f"no clustered covariance {kind!r}; there are CR0, CR1, CR2, CR3")
    residual_df(fit.matrix)
    codes, n_clusters = checked_clusters(matrix=fit.matrix, clusters=clusters, inverse_factor=fit.inverse_factor)
    if CORRECTION[kind] == "none":
        scores = cluster_sums(fit.matrix.values, codes, n_clusters, fit.residuals)
    else:
        scores = adjusted_scores(fit, codes=codes, n_clusters=n_clusters, correction=CORRECTION[kind])
    matrix = _sandwich(fit, scores)
    if kind == "CR1":
        matrix *= one_way_factor(fit.matrix, n_clusters)
    return RobustCovariance(
        matrix=matrix,
        kind=kind,
        n_clusters=n_clusters,
        codes=codes,
        cluster_name=cluster_name(clusters),
        groupings=(codes,),
        told=fit.matrix,
    )


@typed
def heteroskedastic_covariance(fit: LinearFit, *, kind: HeteroskedasticKind = "HC2") -> RobustCovariance:
    """How variable are the coefficients when people are independent but unequally variable?

    Estimator: V = (X'X)^-1 [sum over people of w_i e_i^2 x_i x_i'] (X'X)^-1 with w_i = 1 (HC0),
    n/(n-k) (HC1), 1/(1-h_i) (HC2), 1/(1-h_i)^2 (HC3), h_i the leverage. HC2 equals the textbook
    unequal-variance standard error of a difference in means. A person with leverage one has residual
    zero and adds nothing, as the pseudo-inverse of CR2 has it.

    Refuses: no residual degrees of freedom (EstimationError), another kind (UnknownName).
    Source: MacKinnon and White (1985), Journal of Econometrics 29, 305-325.
    """
    if kind not in ("HC0", "HC1", "HC2", "HC3"):
        raise UnknownName(f"no heteroskedastic covariance {kind!r}; there are HC0, HC1, HC2, HC3")
    rest_df = residual_df(fit.matrix)
    n = len(fit.outcome)
    if CORRECTION[kind] == "none":
        weights = fit.residuals
    else:
        q = times(fit.matrix.values, fit.inverse_factor)  # orthonormal: no digits are lost where a mean is large
        rest = 1 - np.einsum("ij,ij->i", q, q)
        power = -0.5 if kind == "HC2" else -1.0
        weights = np.where(rest > 1e-10, np.maximum(rest, 1e-10) ** power, 0.0) * fit.residuals
    matrix = _sandwich(fit, fit.matrix.values * weights[:, None])
    if kind == "HC1":
        matrix *= n / rest_df
    return RobustCovariance(matrix=matrix, kind=kind, n_clusters=None, codes=None)


@typed
def two_way_covariance(fit: LinearFit, *, clusters: ArrayLike, second: ArrayLike) -> RobustCovariance:
    """How variable are the coefficients when people may resemble others on two groupings at once?

    Estimator: V = V_first + V_second - V_both, the last clustered by the pairs that occur, each CR1
    with its own number of clusters (as sandwich and statsmodels do; fixest uses the smallest for all).
    `n_clusters` is the smaller of the two counts, so the default reference is t(min G - 1).

    The difference need not be positive: with few clusters a variance may come out negative. The matrix
    is left as it is, and `linear_contrast` and `wald_test` refuse what has no positive variance in it
    (EstimationError), since setting negative eigenvalues to zero would move the other variances too.
    Assumptions: people who share neither grouping are independent.
    Refuses: what `cluster_covariance` refuses, for each grouping.
    Source: Cameron, Gelbach and Miller (2011), Journal of Business & Economic Statistics 29, 238-249.
    """
    residual_df(fit.matrix)
    first_codes, first_count = checked_clusters(matrix=fit.matrix, clusters=clusters, inverse_factor=fit.inverse_factor)
    second_codes, second_count = checked_clusters(matrix=fit.matrix, clusters=second, inverse_factor=fit.inverse_factor)
    pair_codes, pair_count = cluster_codes(first_codes * second_count + second_codes)
    groups = [(1, first_codes, first_count), (1, second_codes, second_count), (-1, pair_codes, pair_count)]
    # Of nested groupings the finer one equals the pairs and cancels: left out, for the difference would be rounding.
    if pair_count == first_count:
        groups = groups[1:2]
    elif pair_count == second_count:
        groups = groups[:1]
    total = np.zeros_like(fit.gram_inverse)
    for sign, codes, count in groups:
        scores = cluster_sums(fit.matrix.values, codes, count, fit.residuals)
        total += sign * one_way_factor(fit.matrix, count) * _sandwich(fit, scores)
    return RobustCovariance(
        matrix=total,
        kind="two-way CR1",
        n_clusters=min(first_count, second_count),
        codes=None,
        cluster_name=f"{cluster_name(clusters)} and {cluster_name(second)}",
        groupings=(first_codes, second_codes),
    )


@typed
def coefficient(
    fit: LinearFit,
    covariance: RobustCovariance,
    *,
    term: str = "treatment",
    df: DegreesOfFreedom = "clusters",
    conf_level: float = 0.95,
) -> Estimate:
    """What is the effect of one term, with its standard error, t test and interval?

    Degrees of freedom: `clusters` G-1, `satterthwaite` as `hhp_stats.regression.satterthwaite` for the
    covariance's own kind, `residual` N-k, `normal` infinity.
    Refuses: an unknown term or df (UnknownName), `clusters` without clusters, `satterthwaite` for
    two-way clustering, a variance that is not positive (EstimationError), and a term of two values, whatever its name,
    about one of which a single cluster tells beside the other terms; a single person, without clusters
    (SingleClusterArm, `hhp_stats.regression.clusters.refuse_thin_arms`).
    Source: Cameron and Miller (2015), Journal of Human Resources 50, 317-372, for G-1.
    """
    return linear_contrast(fit, covariance, weights={term: 1.0}, df=df, conf_level=conf_level)


@typed
def linear_contrast(
    fit: LinearFit,
    covariance: RobustCovariance,
    *,
    weights: Mapping[str, float],
    df: DegreesOfFreedom = "clusters",
    conf_level: float = 0.95,
) -> Estimate:
    """What is a weighted sum of coefficients, for example the difference between two treated arms?

    Estimator: c'b with variance c'Vc, where `weights` gives c by term, zero for terms not named:
    {"video": 1, "letter": -1}. Degrees of freedom and refusals as `coefficient`.
    """
    contrast = np.zeros(len(fit.coefficients))
    for term, weight in weights.items():
        if not math.isfinite(weight):
            raise InvalidInput(f"the weight of {term} must be a finite number, not {weight}")
        contrast[fit.matrix.position(term)] = weight
    if not contrast.any():
        raise InvalidInput("a contrast needs a weight other than zero for at least one term")
    covariance.refuse_untold(fit, np.flatnonzero(contrast).tolist())
    variance = float(contrast @ covariance.matrix @ contrast)
    largest = float(np.abs(fit.outcome).max()) ** 2 * float(contrast @ fit.gram_inverse @ contrast)
    if not variance > PERFECT * largest:
        raise EstimationError(no_variance(fit, f"{covariance.kind} variance of {', '.join(weights)}", variance))
    value = _df_of(fit, covariance, contrast, df)
    clusters = None if covariance.n_clusters is None else covariance.cluster_name
    return Estimate(
        estimate=float(contrast @ fit.coefficients),
        std_error=math.sqrt(variance),
        df=value,
        n=len(fit.outcome),
        n_clusters=covariance.n_clusters,
        conf_level=conf_level,
        method=in_words(covariance.kind, clusters, df),
    )


def no_variance(fit: LinearFit, what: str, variance: float) -> str:
    """In words, why a variance is not positive: the outcome is constant, or the terms explain it, or neither."""
    if np.ptp(fit.outcome) == 0:
        return f"the {what} is not positive: every outcome is {fit.outcome[0]:g}, and there is nothing to compare"
    if float(fit.residuals @ fit.residuals) <= PERFECT * float(fit.outcome @ fit.outcome):
        return f"the {what} is not positive: the terms explain the outcome exactly, and nothing is left to test with"
    return f"the {what} is not positive: {variance:g}"


def in_words(kind: str, clusters: str | None, df: str) -> str:
    """`Estimate.method` of a least-squares coefficient; `clusters` is what a cluster is called."""
    by = "" if clusters is None else f" by {clusters}"
    return f"OLS, {kind}{by}, {DF_IN_WORDS[df]}"


def _df_of(fit: LinearFit, covariance: RobustCovariance, contrast: Array, df: str) -> float:
    if df == "clusters":
        if covariance.n_clusters is None:
            raise EstimationError(
                f"{covariance.kind} has no clusters to count: ask for df residual, normal or satterthwaite"
            )
        return covariance.n_clusters - 1.0
    if df == "residual":
        return float(residual_df(fit.matrix))
    if df == "normal":
        return math.inf
    if df == "satterthwaite":
        if covariance.kind not in CORRECTION:
            raise EstimationError(f"no Satterthwaite degrees of freedom for {covariance.kind}")
        codes = covariance.codes
        if codes is None:
            codes = np.arange(len(fit.outcome))
        return satterthwaite_df(
            fit,
            codes=codes,
            n_clusters=covariance.n_clusters or len(codes),
            contrast=contrast,
            correction=CORRECTION[covariance.kind],
        )
    raise UnknownName(f"no degrees of freedom {df!r}; there are clusters, satterthwaite, residual, normal")
