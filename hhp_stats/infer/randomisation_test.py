"""How unusual is the estimate among all that the randomisation itself could have produced?"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

from hhp_stats.calls.typed import typed
from hhp_stats.errors import EstimationError, InvalidInput, UnknownName
from hhp_stats.infer.redraw_sums import RedrawSums
from hhp_stats.infer.resampling import (
    Alternative,
    DrawMoments,
    ResamplingTest,
    resampling_test,
    stack_moments,
)
from hhp_stats.processes.blocks import block_sizes, child_seeds, in_blocks
from hhp_stats.processes.progress import Progress, silent
from hhp_stats.regression.cluster_robust import cluster_covariance, coefficient
from hhp_stats.regression.clusters import cluster_codes
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import Array, ModelMatrix, as_numbers
from hhp_stats.results.frame import Estimate

Draw = Callable[[np.random.Generator, int], npt.NDArray[np.generic]]
Statistic = Literal["t", "difference"]

DRAWS_AT_ONCE = 250
SECONDS = 1.7e-10  # one draw times one stored sum takes about this long


@typed
def randomisation_test(
    *,
    outcome: Array,
    matrix: ModelMatrix,
    clusters: ArrayLike,
    draw: Draw | None = None,
    assignments: ArrayLike | None = None,
    probabilities: ArrayLike | None = None,
    draw_clusters: Sequence[object] | None = None,
    term: str = "treatment",
    draws: int = 10_000,
    rng: np.random.Generator | None = None,
    statistic: Statistic = "t",
    alternative: Alternative = "two-sided",
    conf_level: float = 0.95,
    interval: bool = True,
    progress: Progress = silent,
) -> ResamplingTest:
    """How often would re-randomising the teams give an effect at least as large, if it were zero for all?

    Estimator: every redraw of the treatment replaces `term` in the model, outcomes stay as they are
    (sharp null), and the coefficient's CR1 t statistic is compared with the observed one; with
    `statistic="difference"` the coefficient itself is. p is the share of redraws with |t*| >= |t|,
    ties counted (relative tolerance 1e-9); random redraws count the observed allocation in,
    (1 + #) / (1 + draws). The interval holds every constant effect0 that the test of
    outcome - effect0 * treatment does not reject, from the same draws. The studentised statistic is
    the default since it stays valid, in large samples, for the hypothesis of no effect on average.

    Draws: `draw(rng, size)` returns (size, teams) of 0/1, for example `design.randomisation.Redraws`,
    by the rule that was used, acceptance included; or `assignments` (count, teams) lists all
    possible allocations, the observed one among them, with equal `probabilities` unless given.
    Columns are matched by `draw_clusters`, else by the draw's `team_ids`, else they are the sorted
    labels of `clusters`. Teams without anyone analysed are ignored.

    Shapes: outcome (n,), matrix (n, k), clusters (n,) labels of the units that were randomised.
    Units: those of the outcome. `std_error` is CR1's, for reference; missing for
    `statistic="difference"`.
    A redraw that the covariates determine exactly (no estimate exists) counts as extreme; the note
    says how many there were.

    Refuses a treatment that varies within a cluster or is not 0/1 and teams without a column
    (EstimationError), an outcome that is the same for everybody (EstimationError); a draw of another number of
    columns than clusters (InvalidInput); both or neither of `draw` and `assignments`, `draw` without `rng`, the
    observed allocation missing from `assignments`, values other than 0 and 1 (InvalidInput); an unknown statistic or
    alternative (UnknownName).
    Source: Fisher (1935), The Design of Experiments; Rosenbaum (2002), Observational Studies, section
    2.5, for intervals; Zhao and Ding (2021), Journal of Econometrics 225, 278-294, for studentising.
    """
    if statistic not in ("t", "difference"):
        raise UnknownName(f"no statistic {statistic!r}; there are t, difference")
    (moments,), (base,) = _draws(
        [(outcome, matrix, clusters)],
        draw,
        assignments,
        probabilities,
        draw_clusters,
        term,
        draws,
        rng,
        statistic,
        conf_level,
        progress,
    )
    kind = "all" if moments.weights is not None else "random"
    words = {"t": "CR1 t", "difference": "unstudentised coefficient"}[statistic]
    lost = int(np.count_nonzero((moments.linear0 == 0) & (moments.linear1 == 0)))
    note = f"{lost} redraws are determined by the covariates and count as extreme." if lost else ""
    return resampling_test(
        moments=moments,
        base=base,
        method=f"randomisation inference, {words}, {len(moments.linear0):,} {kind} allocations",
        alternative=alternative,
        interval=interval,
        note=note,
    )


@typed
def randomisation_statistics(
    outcomes: Sequence[tuple[Array, ModelMatrix, ArrayLike]],
    *,
    draw: Draw | None = None,
    assignments: ArrayLike | None = None,
    probabilities: ArrayLike | None = None,
    draw_clusters: Sequence[object] | None = None,
    term: str = "treatment",
    draws: int = 10_000,
    rng: np.random.Generator | None = None,
    progress: Progress = silent,
) -> tuple[Array, Array, Array | None]:
    """How do the t statistics of several outcomes vary together over the allocations?

    `outcomes` holds (outcome, matrix, clusters) of each; every redraw is applied to all of them.
    Returns observed t (m,), drawn t (draws, m) and the draws' probabilities (None for random draws),
    as `multiplicity.westfall_young` takes them. Other arguments and refusals: `randomisation_test`.
    """
    moments, bases = _draws(
        list(outcomes), draw, assignments, probabilities, draw_clusters, term, draws, rng, "t", 0.95, progress
    )
    observed = np.array([base.statistic for base in bases])
    return observed, np.column_stack([m.statistics() for m in moments]), moments[0].weights


def _draws(
    outcomes: list[tuple[Array, ModelMatrix, ArrayLike]],
    draw: Draw | None,
    assignments: ArrayLike | None,
    probabilities: ArrayLike | None,
    draw_clusters: Sequence[object] | None,
    term: str,
    draws: int,
    rng: np.random.Generator | None,
    statistic: str,
    conf_level: float,
    progress: Progress,
) -> tuple[list[DrawMoments], list[Estimate]]:
    if (draw is None) == (assignments is None):
        raise InvalidInput("give either `draw` or `assignments`")
    if draw_clusters is None:
        draw_clusters = getattr(draw, "team_ids", None)
    pieces, bases = [], []
    for outcome, matrix, clusters in outcomes:
        pieces.append(RedrawSums.of(outcome, matrix, clusters, term, draw_clusters, statistic))
        bases.append(_base(outcome, matrix, clusters, term, conf_level, statistic))
    jobs: list[tuple[object, ...]]
    weights = None
    if draw is not None:
        if rng is None:
            raise InvalidInput("random redraws need `rng`")
        sizes = block_sizes(draws, DRAWS_AT_ONCE)
        jobs = [(pieces, draw, seed, size) for size, seed in zip(sizes, child_seeds(rng, len(sizes)), strict=True)]
    else:
        every = _zero_one(np.asarray(assignments))
        if not len(every):
            raise InvalidInput("`assignments` is empty: list every allocation, the observed one among them")
        if any(every.shape[1] != piece.width for piece in pieces):
            raise InvalidInput(f"`assignments` has {every.shape[1]} columns for {pieces[0].width} clusters")
        weights = _weights(every, probabilities)
        if not np.any([(every[:, p.columns] == p.observed).all(axis=1) for p in pieces], axis=1).all():
            raise InvalidInput("the observed allocation is not among `assignments`")
        starts = np.cumsum([0, *block_sizes(len(every), DRAWS_AT_ONCE)]).tolist()
        jobs = [(pieces, every[i:j], None, j - i) for i, j in pairwise(starts)]
    size = sum(piece.quadratic.size + 4 * piece.linear.size for piece in pieces)
    count = draws if draw is not None else len(every)
    blocks = in_blocks(_block, jobs, progress, seconds=SECONDS * count * size)
    moments = [
        stack_moments([block[j] for block in blocks], scale=piece.scale, weights=weights)
        for j, piece in enumerate(pieces)
    ]
    return moments, bases


def _base(
    outcome: Array, matrix: ModelMatrix, clusters: ArrayLike, term: str, conf_level: float, statistic: str
) -> Estimate:
    fit = ols(outcome=outcome, matrix=matrix)
    if np.ptp(fit.outcome) == 0:
        raise EstimationError(
            f"every outcome is {fit.outcome[0]:g}: all allocations give the same, and nothing is to be tested"
        )
    if statistic == "t":
        covariance = cluster_covariance(fit, clusters=clusters, kind="CR1")
        return coefficient(fit, covariance, term=term, conf_level=conf_level)
    # The coefficient is its own statistic: no standard error, so that no t is implied.
    return Estimate(
        estimate=float(fit.coefficients[matrix.position(term)]),
        std_error=math.nan,
        df=float("inf"),
        n=len(outcome),
        n_clusters=cluster_codes(clusters)[1],
        method="",
        conf_level=conf_level,
    )


def _zero_one(drawn: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    unsigned = drawn.dtype.kind in "bu"  # one pass is enough
    if (
        drawn.ndim != 2
        or drawn.dtype.kind not in "biuf"
        or (drawn.max() > 1 if unsigned else not ((drawn == 0) | (drawn == 1)).all())
    ):
        raise InvalidInput("allocations must be a (count, teams) array of 0 and 1")
    return drawn


def _weights(every: npt.NDArray[np.generic], probabilities: ArrayLike | None) -> Array:
    if probabilities is None:
        return np.full(len(every), 1 / len(every))
    weights = as_numbers(probabilities, name="probabilities")
    # Probabilities computed elsewhere sum to one up to rounding; nine digits tell that from an omission.
    if weights.shape != (len(every),) or np.any(weights < 0) or abs(weights.sum() - 1) > 1e-9:
        raise InvalidInput("probabilities must be one a row of `assignments`, not negative, and sum to one")
    return weights


def _block(
    pieces: list[RedrawSums], draw: Draw | npt.NDArray[np.generic], seed: np.random.SeedSequence | None, size: int
) -> list[Array]:
    drawn = draw if isinstance(draw, np.ndarray) else _zero_one(np.asarray(draw(np.random.default_rng(seed), size)))
    if len(drawn) != size:
        raise InvalidInput(f"the draw returned {len(drawn)} allocations instead of {size}")
    return [piece.moments(drawn) for piece in pieces]
