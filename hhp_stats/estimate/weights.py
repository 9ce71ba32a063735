"""Inverse-probability weights for non-response: let those who answered speak for those like them who did not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.typing import ArrayLike

from hhp_stats.calls.typed import typed
from hhp_stats.errors import InvalidInput, NoObservations, UnknownName
from hhp_stats.estimate.logistic import logit
from hhp_stats.regression.cluster_robust import cluster_covariance, coefficient
from hhp_stats.regression.clusters import checked_clusters, refuse_untold_terms
from hhp_stats.regression.inputs import same_people
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import Array, ModelMatrix, as_numbers
from hhp_stats.results.frame import Estimate

WeightedKind = Literal["CR0", "CR1", "CR3"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseWeights:
    """Weights of n people, 0 for those who did not answer, and what is needed to judge them.

    `probabilities` (n,) of answering by the model. `trimmed` people had weights above `ceiling` and
    got it. `by_arm` has a row per arm: treatment, n, n_answered, smallest, largest, mean weight, and
    effective_n = (sum w)^2 / sum w^2, the number of equally weighted answers that are as precise.
    """

    answered: npt.NDArray[np.bool_]
    weights: Array
    probabilities: Array
    trimmed: int
    ceiling: float
    by_arm: pd.DataFrame

    def note(self) -> str:
        """In words, for the note of an estimate."""
        effective, count = float(self.by_arm["effective_n"].sum()), int(self.by_arm["n_answered"].sum())
        cut = f"{self.trimmed} weights trimmed to {self.ceiling:.2f}" if self.trimmed else "no weight trimmed"
        return f"{count} answers count as {effective:.0f}; largest weight {self.weights.max():.2f}, {cut}."


@typed
def response_weights(
    *, answered: ArrayLike, matrix: ModelMatrix, treatment: str = "treatment", trim_above: float = 0.99
) -> ResponseWeights:
    """How much must each answer count so that those who answered resemble everyone in their arm?

    Estimator: a logit of answering on the covariates in each arm apart, which is one logit with all
    covariate by arm interactions; w = P(answered | arm) / P(answered | arm, covariates), stabilised
    so that weights average about one; weights above their `trim_above` quantile among those who
    answered are set to it (1 trims nothing): a little bias for much variance. Covariates that do not
    vary in an arm are left out there, and an arm in which everybody answered has weights of one.

    Shapes: answered (n,) booleans, matrix (n, k) with intercept and treatment.
    Assumptions: answering does not depend on the outcome given arm and covariates; everybody might
    have answered.
    Refuses: a quantile outside (0, 1] (InvalidInput), an arm in which nobody answered
    (NoObservations), covariates that predict answering perfectly (Separation) or each other
    (CollinearTerms).
    Source: Seaman and White (2013), Statistical Methods in Medical Research 22, 278-295.
    """
    same_people(the_model_matrix=matrix, answered=answered)
    flags = as_numbers(answered, name="answers")
    if not np.isin(flags, (0, 1)).all():  # a missing value is true to Python
        raise InvalidInput("whether somebody answered must be true or false for everybody")
    known = flags == 1
    if known.shape != (len(matrix.values),):
        raise InvalidInput(f"{known.shape} answers for {len(matrix.values)} people")
    if not 0 < trim_above <= 1:
        raise InvalidInput(f"weights can be trimmed above a quantile in 0..1, not {trim_above}")
    place = matrix.position(treatment)
    arm = matrix.values[:, place]
    probabilities = np.ones(len(known))
    weights = np.zeros(len(known))
    for value in np.unique(arm):
        here = arm == value
        if not known[here].any():
            raise NoObservations(f"nobody with {treatment} = {value:g} answered")
        if not known[here].all():
            keep = [
                i for i in range(len(matrix.names)) if i != place and (i == 0 or np.ptp(matrix.values[here, i]) > 0)
            ]
            part = ModelMatrix(values=matrix.values[here][:, keep], names=tuple(matrix.names[i] for i in keep))
            probabilities[here] = logit(outcome=known[here].astype(np.float64), matrix=part).probabilities
        weights[here] = known[here].mean() / probabilities[here]
    weights[~known] = 0.0
    ceiling = float(np.quantile(weights[known], trim_above))
    above = weights > ceiling
    weights[above] = ceiling
    return ResponseWeights(
        answered=known,
        weights=weights,
        probabilities=probabilities,
        trimmed=int(above.sum()),
        ceiling=ceiling,
        by_arm=_by_arm(arm, known, weights),
    )


def _by_arm(arm: Array, known: npt.NDArray[np.bool_], weights: Array) -> pd.DataFrame:
    rows = []
    for value in np.unique(arm):
        w = weights[(arm == value) & known]
        rows.append(
            {
                "treatment": float(value),
                "n": int((arm == value).sum()),
                "n_answered": len(w),
                "smallest": float(w.min()),
                "largest": float(w.max()),
                "mean": float(w.mean()),
                "effective_n": float(w.sum() ** 2 / (w @ w)),
            }
        )
    return pd.DataFrame(rows)


@typed
def weighted_effect(
    *,
    outcome: Array,
    matrix: ModelMatrix,
    response: ResponseWeights,
    clusters: ArrayLike,
    kind: WeightedKind = "CR1",
    term: str = "treatment",
    conf_level: float = 0.95,
) -> Estimate:
    """What is the effect among everyone, from weighted answers?

    Estimator: least squares weighted by `response.weights` among those who answered, with the
    team-clustered covariance of weighted least squares (scores w x e). The weights count as known;
    that they were estimated usually makes the true standard error smaller. There is no CR2: with weights
    its matrix square root is not unique, and software that takes another one gives another number.

    Shapes: outcome (n,) with NaN exactly where `response.answered` is false; matrix (n, k); clusters (n,).
    People with a weight of zero are left out, and not counted in n and clusters.
    Refuses: another kind (UnknownName), outcomes and answers that do not match (InvalidInput), an arm about which one
    cluster of those who answered tells (SingleClusterArm), and what `ols` and `cluster_covariance` refuse.
    Source: Seaman and White (2013), Statistical Methods in Medical Research 22, 278-295.
    """
    if kind not in get_args(WeightedKind):
        raise UnknownName(f"no covariance {kind!r} with weights; there are {', '.join(get_args(WeightedKind))}")
    same_people(the_model_matrix=matrix, outcome=outcome, the_clusters=clusters)
    values = as_numbers(outcome, name="outcomes")
    if len(matrix.values) != len(values) or np.shape(clusters) != np.shape(values):
        raise InvalidInput(
            f"outcomes {values.shape}, clusters {np.shape(clusters)} and {len(matrix.values)} rows of the model must be"
            " of the same people"
        )
    if not np.array_equal(~np.isnan(values), response.answered):
        raise InvalidInput("the weights are for other answers than these: outcomes known and weights above zero differ")
    known = response.answered & (response.weights > 0)  # a weight of zero is nobody: neither in n nor in G
    if not known.any():
        raise NoObservations("no observations are left to analyse: every weight is zero")
    # A Series keeps its name, which tells the estimate what the clusters are.
    groups = clusters[known] if isinstance(clusters, pd.Series) else np.asarray(clusters)[known]
    inside = ModelMatrix(values=matrix.values[known], names=matrix.names)
    codes, _ = checked_clusters(matrix=inside, clusters=np.asarray(groups))
    # Here and not on the weighted columns, which no longer hold two values.
    refuse_untold_terms(inside, terms=[inside.position(term)], codes=codes)
    root = np.sqrt(response.weights[known])
    fit = ols(
        outcome=values[known] * root,
        matrix=ModelMatrix(values=matrix.values[known] * root[:, None], names=matrix.names),
    )
    found = coefficient(fit, cluster_covariance(fit, clusters=groups, kind=kind), term=term, conf_level=conf_level)
    return replace(found, method=f"inverse probability weighted {found.method}", note=response.note())
