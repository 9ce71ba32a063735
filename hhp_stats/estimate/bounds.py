"""What can be said about the effect without a model of who answered? Lee's and worst-case bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike
from scipy import optimize

from hhp_stats.calls.typed import typed
from hhp_stats.errors import InvalidInput, NoObservations
from hhp_stats.processes.blocks import seed_sequence
from hhp_stats.processes.progress import Progress, silent
from hhp_stats.regression.cluster_robust import ClusterKind, cluster_covariance, coefficient
from hhp_stats.regression.clusters import cluster_codes, cluster_name, refuse_thin_arms
from hhp_stats.regression.inputs import same_people
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import Array, ModelMatrix, as_numbers, refuse_unsquarable
from hhp_stats.results.frame import Estimate, checked_level
from hhp_stats.tails import student_quantile, student_tail

Arm = Literal["treated", "control", "neither"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The effect lies between `lower` and `upper`; both are estimates with their own uncertainty.

    `conf_low` and `conf_high` are Imbens and Manski's interval for the effect itself, which is
    shorter than from the lower limit of the lower to the upper limit of the upper bound.
    `trimmed_share` of the answers of `trimmed_arm` are left out by Lee's bounds (0 and neither for
    worst-case bounds).
    """

    lower: Estimate
    upper: Estimate
    conf_low: float
    conf_high: float
    conf_level: float
    trimmed_arm: Arm
    trimmed_share: float
    method: str


@typed
def imbens_manski(
    *,
    lower: float,
    upper: float,
    lower_error: float,
    upper_error: float,
    df: float = math.inf,
    conf_level: float = 0.95,
) -> tuple[float, float]:
    """Which interval covers an effect known only to lie between two estimated bounds?

    Estimator: (lower - c s_l, upper + c s_u) with c solving Phi(c + (upper - lower)/max(s_l, s_u)) -
    Phi(-c) = level: between the one-sided quantile (1.645, bounds far apart) and the two-sided one
    (1.960, bounds equal). With finite `df`
    Student's t stands in place of Phi. Source: Imbens and Manski (2004), Econometrica 72, 1845-1857.
    Refuses: bounds the wrong way round, errors that are not positive (InvalidInput).
    """
    checked_level(conf_level)
    if not df > 0:
        raise InvalidInput(f"degrees of freedom must be positive, not {df}")
    if not upper >= lower or not (lower_error > 0 and upper_error > 0):
        raise InvalidInput(f"no interval for bounds {lower}..{upper} with errors {lower_error} and {upper_error}")
    width = (upper - lower) / max(lower_error, upper_error)
    two_sided = float(student_quantile(0.5 + conf_level / 2, df))

    def excess(c: float) -> float:
        return float(student_tail(-c - width, df) - student_tail(c, df) - conf_level)

    c = optimize.brentq(excess, float(student_quantile(conf_level, df)) - 1e-6, two_sided + 1e-6, xtol=1e-12)
    return float(lower - c * lower_error), float(upper + c * upper_error)


@typed
def worst_case_bounds(
    *,
    outcome: Array,
    matrix: ModelMatrix,
    lowest: float,
    highest: float,
    clusters: ArrayLike,
    kind: ClusterKind = "CR1",
    term: str = "treatment",
    conf_level: float = 0.95,
) -> Bounds:
    """Between which values must the effect lie, whatever those who did not answer would have said?

    Estimator: the smallest and largest value that the least-squares coefficient can take when every
    missing outcome lies in lowest..highest. The coefficient is sum_i r_i y_i / sum_i r_i^2 with r the
    treatment less its regression on the other terms, so missing outcomes are set to one end where
    r_i is positive and to the other where it is negative; without covariates that is Manski's bound:
    the treated at their worst and the controls at their best, and the reverse. Clustered standard
    errors of both fits; Imbens and Manski's interval.

    Shapes: outcome (n,) with NaN where missing, matrix (n, k), clusters (n,). Units: of the outcome.
    Assumptions: the range of the outcome, nothing else.
    Refuses: an empty or infinite range or outcomes outside it (InvalidInput), no outcome at all (NoObservations).
    Source: Horowitz and Manski (2000), Journal of the American Statistical Association 95, 77-84.
    """
    same_people(the_model_matrix=matrix, outcome=outcome, the_clusters=clusters)
    values = as_numbers(outcome, name="outcomes")
    if values.shape != (len(matrix.values),):
        raise InvalidInput(f"the outcome has shape {values.shape}, the model matrix {len(matrix.values)} rows")
    known = ~np.isnan(values)
    if not known.any():
        raise NoObservations("no observations are left to analyse: all outcomes are missing")
    if not (math.isfinite(lowest) and math.isfinite(highest)):
        raise InvalidInput(f"the range {lowest:g}..{highest:g} is infinite: so are the bounds")
    if not lowest < highest or values[known].min() < lowest or values[known].max() > highest:
        raise InvalidInput(
            f"outcomes lie in {values[known].min():g}..{values[known].max():g}, not within {lowest:g}..{highest:g}"
        )
    place = matrix.position(term)
    others = np.delete(matrix.values, place, axis=1)
    names = tuple(name for name in matrix.names if name != term)
    raised = ols(outcome=matrix.values[:, place], matrix=ModelMatrix(values=others, names=names)).residuals > 0
    found = []
    for top in (lowest, highest):
        bottom = lowest + highest - top
        filled = np.where(known, values, np.where(raised, top, bottom))
        fit = ols(outcome=filled, matrix=matrix)
        found.append(
            coefficient(fit, cluster_covariance(fit, clusters=clusters, kind=kind), term=term, conf_level=conf_level)
        )
    lower, upper = found
    low, high = imbens_manski(
        lower=lower.estimate,
        upper=upper.estimate,
        lower_error=lower.std_error,
        upper_error=upper.std_error,
        df=lower.df,
        conf_level=conf_level,
    )
    note = f"Outcomes not known set to {lowest:g} or {highest:g}."
    return Bounds(
        lower=replace(lower, method=f"worst-case lower bound, {lower.method}", note=note),
        upper=replace(upper, method=f"worst-case upper bound, {upper.method}", note=note),
        conf_low=low,
        conf_high=high,
        conf_level=conf_level,
        trimmed_arm="neither",
        trimmed_share=0.0,
        method=f"worst-case bounds, {lower.method}, Imbens-Manski interval",
    )


@typed
def lee_bounds(
    *,
    outcome: Array,
    treatment: Array,
    clusters: ArrayLike | None = None,
    draws: int = 1000,
    seed: int,
    conf_level: float = 0.95,
    progress: Progress = silent,
) -> Bounds:
    """What is the effect among those who answer in either arm, if the intervention moves answering one way only?

    Estimator: the arm in which more answered holds people who would not have answered in the other.
    Their share is p = (q_more - q_less)/q_more of its answers. Leaving out the p highest, or the p
    lowest, answers of that arm bounds the mean of the others; the bounds are differences of arm
    means after trimming. The answer at the margin counts in part, so that exactly p is left out and
    ties need no rule. Standard errors: bootstrap of whole teams (of people without `clusters`)
    within arms, with the trimming repeated in every draw, times sqrt(g / (g - 1)) with g the clusters of the arm that
    has fewer, since g clusters drawn from g vary by (g - 1)/g too little; Student's t with G - 2 degrees of freedom
    (normal without clusters), also in Imbens and Manski's interval.

    Shapes: outcome (n,) with NaN where missing, treatment (n,) of 0 and 1, clusters (n,).
    Assumptions: random assignment; monotonicity: nobody is made to answer in one arm while another is
    kept from it. Covariates play no part.
    Refuses: treatments other than 0 and 1, infinite outcomes (InvalidInput), an arm without two answers
    (NoObservations), clusters that hold both arms (InvalidInput), an arm whose answers are of one cluster
    (SingleClusterArm).
    Source: Lee (2009), Review of Economic Studies 76, 1071-1102, proposition 1a; Rao and Wu (1988), Journal of the
    American Statistical Association 83, 231-241, for the factor.
    """
    checked_level(conf_level)
    same_people(outcome=outcome, treatment=treatment, the_clusters=clusters)
    values, arm = as_numbers(outcome, name="outcomes"), as_numbers(treatment, name="treatment")
    if values.ndim != 1 or values.shape != arm.shape or not np.isin(arm, (0, 1)).all():
        raise InvalidInput("treatment must be 0 or 1 for everybody, and be as long as the outcome")
    if np.isinf(values).any():
        raise InvalidInput("the outcome holds infinite values")
    refuse_unsquarable(values, name="the outcome")
    if clusters is not None and np.shape(clusters) != arm.shape:
        raise InvalidInput(f"{np.shape(clusters)} cluster names for {len(arm)} people")
    if not isinstance(draws, int | np.integer) or draws < 100:
        raise InvalidInput(f"{draws} bootstrap draws say too little about a standard error: at least 100")
    sides = {}
    for value in (0.0, 1.0):
        here = arm == value
        if (~np.isnan(values[here])).sum() < 2:
            raise NoObservations(f"fewer than two outcomes are known with treatment = {value:g}")
        sides[value] = here
    codes, count = (np.arange(len(arm)), len(arm)) if clusters is None else cluster_codes(clusters)
    treated, control = (_Side(values[sides[v]], codes[sides[v]]) for v in (1.0, 0.0))
    if clusters is not None:
        if np.intersect1d(codes[sides[0.0]], codes[sides[1.0]]).size:
            raise InvalidInput("a cluster holds both arms: resampling clusters within arms would split it")
        refuse_thin_arms(treatment=arm, clusters=codes, analysed=~np.isnan(values))
    low, high, share = _lee(treated, control, None, None)
    rng = np.random.default_rng(seed_sequence(seed))
    repeated = np.empty((draws, 2))
    for done in range(draws):
        repeated[done] = _lee(treated, control, treated.redraw(rng), control.redraw(rng))[:2]
        progress(done + 1, draws)
    repeated = repeated[np.isfinite(repeated).all(axis=1)]
    if len(repeated) < 0.95 * draws:
        raise NoObservations(f"an arm had no answers left in {draws - len(repeated)} of {draws} bootstrap draws")
    errors, df = repeated.std(axis=0, ddof=1), math.inf
    if clusters is not None:
        fewer = min(treated.n_clusters, control.n_clusters)
        errors, df = errors * math.sqrt(fewer / (fewer - 1)), count - 2.0
    conf_low, conf_high = imbens_manski(
        lower=low, upper=high, lower_error=errors[0], upper_error=errors[1], df=df, conf_level=conf_level
    )
    unit = "people" if clusters is None else f"whole {cluster_name(clusters)}s"
    trimmed: Arm = "neither" if share == 0 else "treated" if share > 0 else "control"
    method = f"Lee bounds, bootstrap of {unit} ({draws} draws)"
    note = (
        f"{abs(share):.1%} of the answers of the {trimmed} arm trimmed."
        if share
        else "Equal response: nothing trimmed."
    )
    shared: dict[str, Any] = {
        "df": df,
        "n": len(values),
        "n_clusters": None if clusters is None else count,
        "conf_level": conf_level,
        "note": note,
    }
    return Bounds(
        lower=Estimate(estimate=low, std_error=float(errors[0]), method=f"lower bound: {method}", **shared),
        upper=Estimate(estimate=high, std_error=float(errors[1]), method=f"upper bound: {method}", **shared),
        conf_low=conf_low,
        conf_high=conf_high,
        conf_level=conf_level,
        trimmed_arm=trimmed,
        trimmed_share=abs(share),
        method=f"{method}, Imbens-Manski interval",
    )


class _Side:
    """One arm: its answers in ascending order, with the resampling unit of everybody."""

    def __init__(self, values: Array, codes: npt.NDArray[np.intp]) -> None:
        unit = np.unique(codes, return_inverse=True)[1]
        known = np.flatnonzero(~np.isnan(values))
        known = known[np.argsort(values[known], kind="stable")]
        self.answers = values[known]
        self.units = unit[known]
        self.sizes = np.bincount(unit).astype(np.float64)
        self.n_clusters = len(self.sizes)

    def redraw(self, rng: np.random.Generator) -> Array:
        """How often each unit is drawn in one bootstrap sample."""
        return np.bincount(rng.integers(self.n_clusters, size=self.n_clusters), minlength=self.n_clusters).astype(float)

    def weights(self, times: Array | None) -> tuple[Array, float]:
        """Weight of every answer, and the number of people."""
        if times is None:
            return np.ones(len(self.answers)), float(self.sizes.sum())
        return times[self.units], float(times @ self.sizes)


def _lee(treated: _Side, control: _Side, times_1: Array | None, times_0: Array | None) -> tuple[float, float, float]:
    """Lower and upper bound, and the share trimmed: positive of the treated, negative of the control answers."""
    w1, n1 = treated.weights(times_1)
    w0, n0 = control.weights(times_0)
    total_1, total_0 = float(w1.sum()), float(w0.sum())
    if total_1 == 0 or total_0 == 0:
        return math.nan, math.nan, math.nan
    q1, q0 = total_1 / n1, total_0 / n0
    if q1 > q0:
        share = (q1 - q0) / q1
        plain = float(w0 @ control.answers) / total_0
        low, high = _trimmed_means(treated.answers, w1, share)
        return low - plain, high - plain, share
    share = (q0 - q1) / q0
    plain = float(w1 @ treated.answers) / total_1
    low, high = _trimmed_means(control.answers, w0, share)
    return plain - high, plain - low, -share


def _trimmed_means(answers: Array, weights: Array, share: float) -> tuple[float, float]:
    """Mean without the `share` of weight at the top, and without that at the bottom; answers ascend."""
    total = np.cumsum(weights)
    keep = total[-1] * (1 - share)
    bottom = np.clip(keep - (total - weights), 0, weights)  # weight left when the top is cut
    top = np.clip(total - total[-1] * share, 0, weights)
    return float(bottom @ answers / bottom.sum()), float(top @ answers / top.sum())
