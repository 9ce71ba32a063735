"""How many of the small p-values would chance alone have given? Family-wise adjustments.

The protocol plans none (one primary outcome); adjusted values are printed beside the unadjusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from hhp_stats.calls.typed import typed
from hhp_stats.errors import InvalidInput, UnknownName
from hhp_stats.infer.resampling import TIE_TOLERANCE
from hhp_stats.regression.model_matrix import Array, as_numbers


@typed
def holm(p_values: Sequence[float] | ArrayLike) -> Array:
    """Which p-values stay small when the chance of any false finding in the family is controlled?

    Estimator: sort p(1) <= ... <= p(m); adjusted p(i) = max over j <= i of min(1, (m - j + 1) p(j)).
    Shapes: (m,) in, (m,) out, in the order given. A missing p-value (an outcome that could not be
    estimated) stays missing and does not count towards m.
    Assumptions: none on the dependence of the tests.
    Refuses values outside 0 to 1 (InvalidInput).
    Source: Holm (1979), Scandinavian Journal of Statistics 6, 65-70.
    """
    p = as_numbers(p_values, name="p-values")
    if p.ndim != 1:
        raise InvalidInput(f"p-values must be one list, not of shape {p.shape}")
    if np.any((p < 0) | (p > 1)):
        raise InvalidInput("p-values must lie between 0 and 1")
    adjusted = np.full(p.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = np.arange(len(order), 0, -1) * p[order]
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return adjusted


@typed
def westfall_young(
    *,
    statistics: Array,
    drawn: Array,
    weights: Array | None = None,
    method: Literal["max_t", "min_p"] = "max_t",
) -> Array:
    """Which outcomes stand out when their correlation is taken into account?

    Estimator: step down from the largest |t|. At each step the outcome's |t| is compared with the
    largest |t*| among it and all less significant outcomes in each draw under the complete null; the
    adjusted p is the share of draws at least as large, raised to that of the step before. `min_p`
    does the same with each draw's p-value within its own outcome's draws (smallest p in place of
    largest |t|), which treats outcomes with unlike distributions alike. Ties count, with a relative
    tolerance of 1e-9. Random draws count the observed data in: (1 + #) / (1 + B).

    Shapes: statistics (m,), drawn (B, m) and weights (B,) or None, as `randomisation_statistics` and
    `wild_bootstrap_statistics` return them. Two-sided.
    Assumptions: subset pivotality (the draws of a true null do not depend on the others being true).
    Refuses shapes that do not match, values that are missing (InvalidInput), an unknown method
    (UnknownName).
    Source: Westfall and Young (1993), Resampling-Based Multiple Testing, algorithms 2.8 and 4.1.
    """
    if method not in ("max_t", "min_p"):
        raise UnknownName(f"no method {method!r}; there are max_t, min_p")
    observed, draws = np.abs(as_numbers(statistics, name="statistics")), np.abs(as_numbers(drawn, name="drawn"))
    if observed.ndim != 1 or draws.ndim != 2 or draws.shape[1] != len(observed) or not len(draws):
        raise InvalidInput(f"{observed.size} statistics need draws of shape (B, {observed.size}), not {draws.shape}")
    if np.isnan(observed).any() or np.isnan(draws).any():
        raise InvalidInput("statistics of outcomes that could not be estimated must be left out")
    share = np.full(len(draws), 1.0) if weights is None else as_numbers(weights, name="weights")
    if share.shape != (len(draws),) or not (share >= 0).all() or not 0 < share.sum() < np.inf:
        raise InvalidInput("weights must be one per draw, finite and not negative, and some of them above zero")
    extra = 1.0 if weights is None else 0.0  # the observed data, one more equally likely draw
    total = share.sum() + extra
    if method == "min_p":
        observed, draws = _as_smallness(observed, draws, share, extra)
    order = np.argsort(-observed, kind="stable")
    # Running maximum from the least significant outcome upwards.
    largest = np.maximum.accumulate(draws[:, order[::-1]], axis=1)[:, ::-1]
    reached = largest >= observed[order] * (1 - TIE_TOLERANCE)
    p = (share @ reached + extra) / total
    adjusted = np.empty(len(observed))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p))
    return adjusted


def _as_smallness(observed: Array, draws: Array, share: Array, extra: float) -> tuple[Array, Array]:
    """1 - (p-value within the outcome's own draws), for observed and drawn |t|: large is extreme.

    Random draws are ranked together with the observed statistic, which is one of them under the null.
    """
    out_observed, out_drawn = np.empty_like(observed), np.empty_like(draws)
    for j, value in enumerate(observed):
        column, mass = draws[:, j], share
        if extra:
            column, mass = np.append(column, value), np.append(mass, extra)
        order = np.argsort(column, kind="stable")
        below = np.concatenate([[0.0], np.cumsum(mass[order])]) / mass.sum()
        # The mass strictly below a value, values within the tolerance being equal to it.
        out_drawn[:, j] = below[np.searchsorted(column[order], draws[:, j] * (1 - TIE_TOLERANCE))]
        out_observed[j] = below[np.searchsorted(column[order], value * (1 - TIE_TOLERANCE))]
    return out_observed, out_drawn
