"""Did randomisation make the arms alike? One test for all covariates together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from hhp_stats.calls.typed import typed
from hhp_stats.errors import ConstantTreatment, InvalidInput, NoObservations, SingleClusterArm
from hhp_stats.infer.randomisation_test import Draw
from hhp_stats.infer.redraw_sums import columns_of
from hhp_stats.regression.cluster_robust import cluster_covariance
from hhp_stats.regression.clusters import refuse_thin_arms
from hhp_stats.regression.inputs import same_people
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import Array, ModelMatrix, as_numbers, refuse_unsquarable
from hhp_stats.regression.spread import PERFECT


@dataclass(frozen=True, slots=True, kw_only=True)
class OmnibusBalance:
    """One test of all covariates: statistic, its reference and p-value."""

    statistic: float
    df: float  # rank of the covariance, or numerator degrees of freedom
    df_denominator: float  # infinite for chi-squared
    p_value: float
    n: int
    n_clusters: int
    covariates: tuple[str, ...]
    method: str
    draws: int = 0  # assignments redrawn; 0 for a tabulated reference
    mc_error_p: float = math.nan  # of the p-value, where assignments were redrawn


@typed
def omnibus_balance(
    *,
    covariates: pd.DataFrame,
    treatment: ArrayLike,
    clusters: ArrayLike,
    strata: ArrayLike | None = None,
    draw: Draw | None = None,
    draw_clusters: Sequence[object] | None = None,
    draws: int = 0,
    rng: np.random.Generator | None = None,
) -> OmnibusBalance:
    """Are the arms more different on all covariates together than the assignment of whole clusters explains?

    Let t_c (p,) be the totals in cluster c of the covariates centred at their mean among people of the
    stratum, and n1 of n clusters of a stratum treated. D = sum over treated clusters of t_c, less its
    expectation n1 * mean of t, summed over strata; under the design its covariance is exactly V = sum over
    strata n1 (n - n1) / n * cov(t), cov with denominator n - 1. d^2 = D' V^- D is referred to chi-squared
    with rank(V) degrees of freedom; a column that is a sum of others counts once.

    With `draw` the design speaks for itself, which is what to report after re-randomisation: the rule shrinks the
    differences of what it tests, so that chi-squared gives p-values that are too large. Mean and covariance of D are
    those over the assignment at hand and `draws` further ones by the design's own rule, whatever it is, and the
    reference is the distribution of d^2 over them: p = (1 + draws at least as large) / (1 + draws), with the Monte
    Carlo error sqrt(p (1 - p) / draws). As the statistic treats the assignment at hand like any other, p is exact
    under the design. So it is among some of the people, such as those whose outcome is known, where the offer changed
    nothing about who they are.

    `covariates` (n, p) numeric and complete; dummy-code categories and add an indicator for missing values before.
    `draw(rng, size)` returns (size, clusters) of 0/1; its columns are matched as in `infer.randomisation_test`: by
    `draw_clusters`, else by the draw's `team_ids`, else in the order of the labels. Without `draw`, strata in which
    all clusters are in one arm carry no information.

    Refuses a cluster in two arms or strata and missing values (InvalidInput), one arm (ConstantTreatment), no stratum
    with both arms (SingleClusterArm), covariates that do not vary, a draw without rng or a whole number of draws, or
    of another shape (InvalidInput), and clusters that are not drawn (EstimationError).
    Source: Hansen and Bowers (2008), Statistical Science 23, 219-236, sections 3 and 4; Morgan and Rubin (2012),
    Annals of Statistics 40, 1263-1282, section 2.2, for the reference after re-randomisation; Besag and Clifford
    (1989), Biometrika 76, 633-642, for the test with finitely many draws.
    """
    same_people(covariates=covariates, treatment=treatment, the_clusters=clusters, strata=strata)
    x, names = _numeric(covariates)
    z = as_numbers(treatment, name="treatment")
    frame = _clusters(z, clusters, strata, n=len(x))
    scale = x.std(axis=0)
    if not (scale > 0).any():
        raise InvalidInput("no covariate varies")
    centred = pd.DataFrame((x - x.mean(axis=0)) / np.where(scale > 0, scale, 1.0), index=frame.index)
    centred -= centred.groupby(frame["stratum"]).transform("mean")
    totals = centred.groupby(frame["cluster"], sort=True).sum().to_numpy()
    by_cluster = frame.groupby("cluster", sort=True).first()
    observed = by_cluster["z"].to_numpy()
    about: dict[str, Any] = {
        "n": len(x),
        "n_clusters": len(by_cluster),
        "covariates": names,
        "df_denominator": math.inf,
    }
    if draw is not None:
        labels = list(pd.unique(pd.Series(np.asarray(clusters))))
        drawn = _assignments(draw, draw_clusters, labels, draws=draws, rng=rng)
        distances, rank = _distances(np.vstack([observed, drawn]) @ totals)
        # Ties of equivalent assignments differ in the last digits: count them as ties.
        p = (1 + int((distances[1:] >= distances[0] * (1 - 1e-9)).sum())) / (1 + draws)
        return OmnibusBalance(
            statistic=float(distances[0]),
            df=rank,
            p_value=p,
            draws=draws,
            mc_error_p=math.sqrt(p * (1 - p) / draws),
            method=f"d-squared on cluster totals, {draws:,} re-randomisations by the design's own rule",
            **about,
        )
    stratum = by_cluster["stratum"].to_numpy()
    covariance = np.zeros((len(names), len(names)))
    deviations = np.zeros_like(totals)
    for label in pd.unique(stratum):
        inside = stratum == label
        n, treated = int(inside.sum()), int(observed[inside].sum())
        if n < 2 or treated in (0, n):
            continue
        deviations[inside] = totals[inside] - totals[inside].mean(axis=0)
        covariance += treated * (n - treated) / (n * (n - 1)) * deviations[inside].T @ deviations[inside]
    if not covariance.any():
        raise SingleClusterArm("no stratum has clusters in both arms that differ on the covariates")
    root = _inverse_root(covariance)
    statistic, rank = float((((observed @ deviations) @ root) ** 2).sum()), root.shape[1]
    return OmnibusBalance(
        statistic=statistic,
        df=rank,
        p_value=float(stats.chi2.sf(statistic, rank)),
        method="d-squared on cluster totals, chi-squared" + (", within strata" if strata is not None else ""),
        **about,
    )


def _assignments(
    draw: Draw,
    draw_clusters: Sequence[object] | None,
    labels: list[object],
    *,
    draws: int,
    rng: np.random.Generator | None,
) -> Array:
    """Redrawn assignments (draws, clusters) of the clusters at hand, in the order of `labels`."""
    if not isinstance(draws, int | np.integer) or draws < 1 or rng is None:
        raise InvalidInput("a redrawn reference needs a whole number of draws and rng")
    drawn = np.asarray(draw(rng, draws))
    named = draw_clusters if draw_clusters is not None else getattr(draw, "team_ids", None)
    width = len(labels) if named is None else len(named)
    if drawn.shape != (draws, width) or not np.isin(drawn, (0, 1)).all():
        raise InvalidInput(
            f"a draw must be 0 or 1 for each of {width} clusters and {draws} draws, not of shape {drawn.shape}"
        )
    return drawn[:, columns_of(labels, named)].astype(np.float64)


def _distances(differences: Array) -> tuple[Array, int]:
    """d^2 of every assignment: Mahalanobis distances of (assignments, p) from their mean, in their own covariance, and
    its rank."""
    centred = differences - differences.mean(axis=0)
    covariance = centred.T @ centred / (len(centred) - 1)
    if not covariance.any():
        raise SingleClusterArm("no assignment by the design moves the covariates")
    root = _inverse_root(covariance)
    return ((centred @ root) ** 2).sum(axis=1), root.shape[1]


def _inverse_root(covariance: Array) -> Array:
    """A root (p, rank) of the generalised inverse of a covariance."""
    sizes, vectors = np.linalg.eigh(covariance)
    # Scaled to unit variance, so a direction with a billionth of the largest variance is a sum of others.
    kept = sizes > 1e-9 * sizes[-1]
    root: Array = vectors[:, kept] / np.sqrt(sizes[kept])
    return root


@typed
def joint_f_test(*, covariates: pd.DataFrame, treatment: ArrayLike, clusters: ArrayLike) -> OmnibusBalance:
    """Do the covariates together predict the arm, allowing for clustering?

    Wald F of all slopes in a least-squares regression of treatment on the covariates with a CR1 covariance by
    cluster, over (q, G-1). Beside `omnibus_balance` for readers who expect it: with whole clusters in
    one arm and few of them it rejects too often (Hansen and Bowers 2008, Statistical Science 23, 219-236).

    Refuses columns that determine each other (CollinearTerms), as many slopes as clusters less one or
    covariates that determine the arm (InvalidInput), and what `omnibus_balance` refuses.
    """
    same_people(covariates=covariates, treatment=treatment, the_clusters=clusters)
    x, names = _numeric(covariates)
    z = as_numbers(treatment, name="treatment")
    frame = _clusters(z, clusters, None, n=len(x))
    groups, q = int(frame["cluster"].nunique()), len(names)
    if q >= groups - 1:
        raise InvalidInput(f"{q} slopes and {groups} clusters: the clustered covariance has no inverse")
    refuse_thin_arms(treatment=z, clusters=frame["cluster"].to_numpy())
    matrix = ModelMatrix(values=np.column_stack([np.ones(len(x)), x]), names=("intercept", *names))
    fit = ols(outcome=z, matrix=matrix)
    covariance = cluster_covariance(fit, clusters=frame["cluster"].to_numpy()).matrix[1:, 1:]
    slopes = fit.coefficients[1:]
    if float(fit.residuals @ fit.residuals) <= PERFECT * float(z @ z):  # rounding errors of the arms
        raise InvalidInput("the covariates determine the arm exactly: there is no F")
    statistic = float(slopes @ np.linalg.solve(covariance, slopes)) / q
    return OmnibusBalance(
        statistic=statistic,
        df=q,
        df_denominator=groups - 1,
        p_value=float(stats.f.sf(statistic, q, groups - 1)),
        n=len(x),
        n_clusters=groups,
        covariates=names,
        method=f"joint F, CR1 by cluster, F({q}, {groups - 1})",
    )


def _numeric(covariates: pd.DataFrame) -> tuple[Array, tuple[str, ...]]:
    if not isinstance(covariates, pd.DataFrame):
        raise InvalidInput(f"covariates must be a frame, a column each, not {type(covariates).__name__}")
    for name in covariates.columns:
        as_numbers(covariates[name], name=str(name))  # refused by its name
    x = as_numbers(covariates, name="covariates")
    if x.ndim != 2 or x.shape[1] == 0 or len(x) == 0:
        raise NoObservations("no covariates or no people")
    if not np.isfinite(x).all():
        raise InvalidInput("covariates must be complete: add indicators for missing values first")
    for place, name in enumerate(covariates.columns):
        refuse_unsquarable(x[:, place], name=str(name))
    return x, tuple(map(str, covariates.columns))


def _clusters(z: Array, clusters: ArrayLike, strata: ArrayLike | None, *, n: int) -> pd.DataFrame:
    named = np.asarray(clusters)
    if named.ndim != 1 or z.ndim != 1 or (strata is not None and np.ndim(strata) != 1):
        raise InvalidInput("treatment, clusters and strata need one value a person")
    codes, labels = pd.factorize(named)
    stratum = np.zeros(len(codes)) if strata is None else np.asarray(strata)
    if not len(z) == len(codes) == len(stratum) == n:
        raise InvalidInput("covariates, treatment, clusters and strata need one value a person")
    if (codes < 0).any() or not np.isin(z, (0.0, 1.0)).all() or pd.isna(stratum).any():
        raise InvalidInput("clusters and strata must be known and treatment 0 or 1")
    if np.ptp(z) == 0:
        raise ConstantTreatment("everyone is in one arm")
    frame = pd.DataFrame({"z": z, "cluster": codes, "stratum": pd.factorize(stratum)[0]})
    per = frame.groupby("cluster")[["z", "stratum"]].nunique()
    if (per > 1).any(axis=None):
        first = labels[int(per.index[(per > 1).any(axis=1)][0])]
        raise InvalidInput(f"cluster {first} is in more than one arm or stratum")
    return frame
