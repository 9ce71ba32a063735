"""How large is an effect in standard deviations? Cohen's d and Hedges' g, for individual and cluster trials."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special

from hhp_stats.calls.typed import typed
from hhp_stats.errors import ConstantTreatment, InvalidInput, NoObservations, UnknownName
from hhp_stats.estimate.icc import average_cluster_size
from hhp_stats.regression.clusters import cluster_codes, refuse_thin_arms
from hhp_stats.regression.inputs import same_people
from hhp_stats.regression.model_matrix import Array, as_numbers, refuse_unsquarable
from hhp_stats.regression.spread import spread
from hhp_stats.results.frame import Estimate
from hhp_stats.tails import noncentral_t_tail

Correction = Literal["exact", "approximate", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardisedEffect:
    """An effect in standard deviations, and what it was divided and corrected by."""

    g: Estimate  # Hedges' g; with correction "none" it is Cohen's d
    d: float  # before the small-sample correction
    small_sample_factor: float
    sd_total: float  # pooled within arms, clusters ignored: the spread of people, not of teams
    df: float  # of that standard deviation


@typed
def small_sample_factor(df: float, *, correction: Correction = "exact") -> float:
    """By what factor is Cohen's d too large, on average, with `df` degrees of freedom?

    Exact: Gamma(df/2) / (sqrt(df/2) Gamma((df-1)/2)); approximate: 1 - 3/(4 df - 1), the usual
    shortcut, which differs from it in the sixth digit at 100 people; "none": 1. Refuses df <= 1
    (InvalidInput). Source: Hedges (1981), Journal of Educational Statistics 6, 107-128.
    """
    if not df > 1:
        raise InvalidInput(f"a standardised effect needs more than one degree of freedom, not {df}")
    if correction not in get_args(Correction):
        raise UnknownName(f"no correction {correction!r}; there are {', '.join(get_args(Correction))}")
    if correction == "none":
        return 1.0
    if correction == "approximate":
        return 1 - 3 / (4 * df - 1)
    return float(np.exp(special.gammaln(df / 2) - special.gammaln((df - 1) / 2) - 0.5 * math.log(df / 2)))


@typed
def hedges_g(
    *,
    outcome: Array,
    treatment: Array,
    correction: Correction = "exact",
    conf_level: float = 0.95,
) -> StandardisedEffect:
    """How many standard deviations apart are the two arms of an individually randomised trial?

    d = (mean treatment - mean control) / S, S the standard deviation pooled over the arms with n - 2
    degrees of freedom; g = J d. Variance J^2 (1/n1 + 1/n0 + d^2 / (2(n1 + n0))), interval by the normal.
    outcome, treatment (n,), treatment 0/1. Refuses missing values and arms other than 0 and 1
    (InvalidInput), an empty arm (ConstantTreatment), fewer than two people in an arm
    (NoObservations), and an outcome that does not vary within the arms (InvalidInput).
    Source: Borenstein, Hedges, Higgins and Rothstein (2009), Introduction to Meta-Analysis, ch. 4.
    """
    y, arm = _two_arms(outcome, treatment)
    return hedges_g_from_summary(
        mean_treatment=float(y[arm].mean()),
        mean_control=float(y[~arm].mean()),
        sd_treatment=spread(y[arm]),
        sd_control=spread(y[~arm]),
        n_treatment=int(arm.sum()),
        n_control=int((~arm).sum()),
        correction=correction,
        conf_level=conf_level,
    )


@typed
def hedges_g_from_summary(
    *,
    mean_treatment: float,
    mean_control: float,
    sd_treatment: float,
    sd_control: float,
    n_treatment: int,
    n_control: int,
    correction: Correction = "exact",
    conf_level: float = 0.95,
) -> StandardisedEffect:
    """The same from printed means, standard deviations (not standard errors) and numbers of people."""
    if min(n_treatment, n_control) < 2:
        raise NoObservations("each arm needs two people")
    if not (math.isfinite(mean_treatment) and math.isfinite(mean_control)):
        raise InvalidInput(f"the means must be finite, not {mean_treatment} and {mean_control}")
    if min(sd_treatment, sd_control) < 0 or not max(sd_treatment, sd_control) > 0:
        raise InvalidInput("the outcome does not vary within the arms")
    n, df = n_treatment + n_control, n_treatment + n_control - 2
    sd = math.sqrt(((n_treatment - 1) * sd_treatment**2 + (n_control - 1) * sd_control**2) / df)
    d = (mean_treatment - mean_control) / sd
    j = small_sample_factor(df, correction=correction)
    std_error = j * math.sqrt(1 / n_treatment + 1 / n_control + d * d / (2 * n))
    return StandardisedEffect(
        g=Estimate(
            estimate=j * d,
            std_error=std_error,
            df=math.inf,
            n=n,
            n_clusters=None,
            method=f"{_name(correction)}, total SD, normal interval",
            conf_level=conf_level,
        ),
        d=d,
        small_sample_factor=j,
        sd_total=sd,
        df=df,
    )


@typed
def hedges_g_adjusted(
    effect: Estimate, *, outcome: Array, treatment: Array, correction: Correction = "exact"
) -> StandardisedEffect:
    """How many standard deviations is an effect that a model with covariates estimates, people drawn one by one?

    `effect` is the adjusted difference with its standard error, S the standard deviation pooled within the arms, not
    adjusted, with n - 2 degrees of freedom: the unit stays that of `hedges_g`, whatever the covariates explain.

        d = effect / S,   g = J d,   Var(g) = J^2 ((std_error / S)^2 + d^2 / (2(n - 2))).

    The interval uses t with the degrees of freedom of `effect`. Refuses what `hedges_g` refuses.
    Source: What Works Clearinghouse, Procedures Handbook 4.1, appendix E (effects adjusted by regression).
    """
    y, arm = _two_arms(outcome, treatment)
    df = len(y) - 2
    sd = _within_arms(y, arm)
    j, d = small_sample_factor(df, correction=correction), effect.estimate / sd
    std_error = j * math.sqrt((effect.std_error / sd) ** 2 + d * d / (2 * df))
    return StandardisedEffect(
        g=Estimate(
            estimate=j * d,
            std_error=std_error,
            df=effect.df,
            n=effect.n,
            n_clusters=effect.n_clusters,
            method=f"{_name(correction)}, total SD; effect by {effect.method}",
            conf_level=effect.conf_level,
            note=""
            if len(y) == effect.n
            else f"The effect is of {effect.n} people, the standard deviation of {len(y)} of them.",
        ),
        d=d,
        small_sample_factor=j,
        sd_total=sd,
        df=df,
    )


@typed
def hedges_g_clustered(
    effect: Estimate,
    *,
    outcome: Array,
    treatment: Array,
    clusters: ArrayLike,
    icc: float,
    correction: Correction = "exact",
) -> StandardisedEffect:
    """How many total standard deviations is an effect estimated in a cluster-randomised trial?

    `effect` is the (adjusted) difference in units of the outcome with its clustered standard error; S
    is the standard deviation of people pooled within the arms, clusters ignored. S underestimates
    the total spread slightly because whole clusters are in one arm, so with m the average cluster
    size that n0 of the ICC stands for, r the intracluster correlation and N people

        d = effect / S * sqrt(1 - 2(m-1)r/(N-2)),   g = J(h) d,
        h = ((N-2) - 2(m-1)r)^2 / ((N-2)(1-r)^2 + m(N-2m)r^2 + 2(N-2m)r(1-r)),
        Var(g) = J^2 ((std_error/S)^2 (1 - 2(m-1)r/(N-2)) + d^2/(2h)).

    The interval uses t with the degrees of freedom of `effect`. A negative `icc` counts as zero. With
    r = 0 it is the effect over S with h = N - 2. The first term carries the clustering and the
    covariates through the standard error, so nothing is assumed about equal sizes there.

    Refuses what `hedges_g` refuses, one cluster in an arm (SingleClusterArm), and an `icc` of one or more
    (InvalidInput). Source: Hedges (2007), Journal of Educational and Behavioral Statistics 32, 341-370 (total
    variance); What Works Clearinghouse, Procedures Handbook 4.1, appendix E, for the variance.
    """
    y, arm = _two_arms(outcome, treatment)
    same_people(outcome=outcome, treatment=treatment, the_clusters=clusters)
    codes, _ = cluster_codes(clusters)
    refuse_thin_arms(treatment=arm.astype(np.float64), clusters=codes)
    if not icc < 1:
        raise InvalidInput(f"an intracluster correlation of {icc} leaves no variation within clusters")
    r, n = max(icc, 0.0), len(y)
    m = average_cluster_size(codes, arms=arm)
    sd = _within_arms(y, arm)
    shrink = 1 - 2 * (m - 1) * r / (n - 2)
    spread = (n - 2) * (1 - r) ** 2 + m * (n - 2 * m) * r**2 + 2 * (n - 2 * m) * r * (1 - r)
    h = ((n - 2) - 2 * (m - 1) * r) ** 2 / spread
    d = effect.estimate / sd * math.sqrt(shrink)
    j = small_sample_factor(h, correction=correction)
    std_error = j * math.sqrt((effect.std_error / sd) ** 2 * shrink + d * d / (2 * h))
    return StandardisedEffect(
        g=Estimate(
            estimate=j * d,
            std_error=std_error,
            df=effect.df,
            n=effect.n,
            n_clusters=effect.n_clusters,
            method=f"{_name(correction)}, total SD, ICC {r:.3f}; effect by {effect.method}",
            conf_level=effect.conf_level,
            note="" if n == effect.n else f"The effect is of {effect.n} people, the standard deviation of {n} of them.",
        ),
        d=d,
        small_sample_factor=j,
        sd_total=sd,
        df=h,
    )


@typed
def noncentral_interval(effect: StandardisedEffect, *, n_treatment: int, n_control: int) -> tuple[float, float]:
    """Which standardised effects would make the observed t neither too small nor too large?

    Inverts the noncentral t distribution of the equal-variance test (`hhp_stats.tails.noncentral_t_tail`): exact for
    normal outcomes, unlike the normal interval of `hedges_g`. In units of d (no small-sample correction). Refuses fewer
    than one person in an arm (InvalidInput).
    Source: Steiger and Fouladi (1997), in What If There Were No Significance Tests?, ch. 9.
    """
    if min(n_treatment, n_control) < 1:
        raise InvalidInput(f"each arm needs people, not {n_treatment} and {n_control}")
    size = math.sqrt(n_treatment * n_control / (n_treatment + n_control))
    t, df, tail = effect.d * size, effect.df, (1 - effect.g.conf_level) / 2

    def excess_above(shift: float) -> float:
        return noncentral_t_tail(t, df, shift) - tail

    def excess_below(shift: float) -> float:
        return noncentral_t_tail(-t, df, -shift) - tail

    near, width = t, 2 + math.sqrt(1 + t * t / (2 * df))
    while excess_above(near - width) > 0 or excess_below(near + width) > 0:
        width *= 2
    low = optimize.brentq(excess_above, near - width, near + width, xtol=1e-12)
    high = optimize.brentq(excess_below, near - width, near + width, xtol=1e-12)
    return float(low) / size, float(high) / size


def _within_arms(y: Array, arm: np.ndarray) -> float:
    """The standard deviation pooled within the arms, n - 2; refuses one of zero (InvalidInput)."""
    squares = sum((len(own) - 1) * spread(own) ** 2 for own in (y[arm], y[~arm]))
    if not squares > 0:
        raise InvalidInput("the outcome does not vary within the arms")
    return math.sqrt(squares / (len(y) - 2))


def _name(correction: Correction) -> str:
    return "Cohen's d" if correction == "none" else "Hedges' g"


def _two_arms(outcome: Array, treatment: Array) -> tuple[Array, np.ndarray]:
    same_people(outcome=outcome, treatment=treatment)
    y, z = as_numbers(outcome, name="outcomes"), as_numbers(treatment, name="treatment")
    if y.shape != z.shape or y.ndim != 1:
        raise InvalidInput(f"outcome {y.shape} and treatment {z.shape} must be one value a person")
    if len(y) == 0:
        raise NoObservations("no observations are left to analyse")
    if not np.isfinite(y).all() or not np.isin(z, (0.0, 1.0)).all():
        raise InvalidInput("outcomes must be known and treatment 0 or 1")
    refuse_unsquarable(y, name="the outcome")
    arm = z == 1
    if arm.all() or not arm.any():
        raise ConstantTreatment(f"everyone analysed has treatment = {z[0]:g}")
    if min(arm.sum(), (~arm).sum()) < 2:
        raise NoObservations("each arm needs two people")
    return y, arm
