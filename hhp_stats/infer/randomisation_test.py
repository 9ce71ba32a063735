"""How unusual is the estimate among all that the randomisation itself could have produced?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.typing import ArrayLike

from hhp_stats.errors import EstimationError, InvalidInput, UnknownName
from hhp_stats.estimate.linear import check_outcome, ols
from hhp_stats.estimate.model_matrix import Array, ModelMatrix
from hhp_stats.infer.cluster_robust import cluster_codes, cluster_covariance, cluster_sums, coefficient
from hhp_stats.infer.resampling import (
    Alternative,
    DrawMoments,
    ResamplingTest,
    block_sizes,
    child_seeds,
    in_blocks,
    orthonormal_basis,
    resampling_test,
    stack_moments,
)
from hhp_stats.progress import Progress, silent
from hhp_stats.results import Estimate

Draw = Callable[[np.random.Generator, int], npt.NDArray[np.generic]]
Statistic = Literal["t", "difference"]

DRAWS_AT_ONCE = 250
CLUSTERS_AT_ONCE = 128  # with DRAWS_AT_ONCE: a quarter of a megabyte an array, so that six stay in the cache


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
    Units: those of the outcome. `std_error` is CR1's, for reference.
    A redraw that the covariates determine exactly (no estimate exists) counts as extreme; the note
    says how many there were.

    Refuses a treatment that varies within a cluster or is not 0/1 and teams without a column
    (EstimationError); both or neither of `draw` and `assignments`, `draw` without `rng`, the observed
    allocation missing from `assignments`, values other than 0 and 1 (InvalidInput); an unknown
    statistic or alternative (UnknownName).
    Source: Fisher (1935), The Design of Experiments; Rosenbaum (2002), Observational Studies, section
    2.5, for intervals; Zhao and Ding (2021), Journal of Econometrics 225, 278-294, for studentising.
    """
    if statistic not in ("t", "difference"):
        raise UnknownName(f"no statistic {statistic!r}; there are t, difference")
    (moments,), (piece,), (base,) = _draws(
        [(outcome, matrix, clusters)], draw, assignments, probabilities, draw_clusters, term, draws, rng, statistic,
        conf_level, progress,
    )  # fmt: skip
    kind = "all" if moments.weights is not None else "random"
    words = {"t": "CR1 t", "difference": "unstudentised coefficient"}[statistic]
    lost = int(np.count_nonzero((moments.linear0 == 0) & (moments.linear1 == 0)))
    note = f"{lost} redraws are determined by the covariates and count as extreme." if lost else ""
    test = resampling_test(
        moments=moments,
        base=base,
        method=f"randomisation inference, {words}, {len(moments.linear0):,} {kind} allocations",
        alternative=alternative,
        interval=interval,
        note=note,
    )
    return test


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
    moments, _, bases = _draws(
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
) -> tuple[list[DrawMoments], list[_Pieces], list[Estimate]]:
    if (draw is None) == (assignments is None):
        raise InvalidInput("give either `draw` or `assignments`")
    if draw_clusters is None:
        draw_clusters = getattr(draw, "team_ids", None)
    pieces, bases = [], []
    for outcome, matrix, clusters in outcomes:
        pieces.append(_Pieces.of(outcome, matrix, clusters, term, draw_clusters, statistic))
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
        weights = _weights(every, probabilities)
        if not np.any([(every[:, p.columns] == p.observed).all(axis=1) for p in pieces], axis=1).all():
            raise InvalidInput("the observed allocation is not among `assignments`")
        starts = np.cumsum([0, *block_sizes(len(every), DRAWS_AT_ONCE)]).tolist()
        jobs = [(pieces, every[i:j], None, j - i) for i, j in zip(starts[:-1], starts[1:], strict=True)]
    blocks = in_blocks(_block, jobs, progress)
    moments = [
        stack_moments([block[j] for block in blocks], scale=piece.scale, weights=weights)
        for j, piece in enumerate(pieces)
    ]
    return moments, pieces, bases


def _base(
    outcome: Array, matrix: ModelMatrix, clusters: ArrayLike, term: str, conf_level: float, statistic: str
) -> Estimate:
    fit = ols(outcome=outcome, matrix=matrix)
    if statistic == "t":
        covariance = cluster_covariance(fit, clusters=clusters, kind="CR1")
        return coefficient(fit, covariance, term=term, conf_level=conf_level)
    # The coefficient is its own statistic: a unit standard error makes it one, and no t is implied.
    return Estimate(
        estimate=float(fit.coefficients[matrix.position(term)]), std_error=1.0, df=float("inf"), n=len(outcome),
        n_clusters=cluster_codes(clusters)[1], method="", conf_level=conf_level,
        note="The statistic is the coefficient itself; the standard error of 1 is a unit, not an estimate.",
    )  # fmt: skip


def _zero_one(drawn: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    unsigned = drawn.dtype.kind in "bu"  # one pass is enough
    if drawn.ndim != 2 or (drawn.max() > 1 if unsigned else not ((drawn == 0) | (drawn == 1)).all()):
        raise InvalidInput("allocations must be a (count, teams) array of 0 and 1")
    return drawn


def _weights(every: npt.NDArray[np.generic], probabilities: ArrayLike | None) -> Array:
    if probabilities is None:
        return np.full(len(every), 1 / len(every))
    weights = np.asarray(probabilities, dtype=np.float64)
    # Probabilities computed elsewhere sum to one up to rounding; nine digits tell that from an omission.
    if weights.shape != (len(every),) or np.any(weights < 0) or abs(weights.sum() - 1) > 1e-9:
        raise InvalidInput("probabilities must be one a row of `assignments`, not negative, and sum to one")
    return weights


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pieces:
    """Per-cluster sums of one outcome. Letters: see `moments`."""

    columns: npt.NDArray[np.intp]  # columns of the draw, cluster by cluster
    observed: Array  # (G,)
    size: Array  # (G,) n_g
    level: Array  # (G, k1)
    linear: Array  # (G, 3 k2): sums of q, of q a, of q b
    quadratic: Array  # (G, k2 (k2 + 1) / 2): sums of q q'
    outcome: Array  # (G,) sums of a
    term: Array  # (G,) sums of b
    factor: float
    studentised: bool

    @classmethod
    def of(
        cls,
        outcome: Array,
        matrix: ModelMatrix,
        clusters: ArrayLike,
        term: str,
        draw_clusters: Sequence[object] | None,
        statistic: str,
    ) -> _Pieces:
        y = check_outcome(outcome, matrix)
        codes, count = cluster_codes(clusters)
        if len(codes) != len(y):
            raise InvalidInput(f"{len(codes)} cluster labels for {len(y)} people")
        labels = pd.unique(pd.Series(np.asarray(clusters)))
        first = np.unique(codes, return_index=True)[1]
        x, place = matrix.values, matrix.position(term)
        d = x[:, place]
        if not np.isin(d, (0.0, 1.0)).all() or np.any(d != d[first][codes]):
            raise EstimationError(f"{term} must be 0 or 1 and the same for everybody in a cluster to be redrawn")
        others = np.delete(x, place, axis=1)
        constant = (others == others[first][codes]).all(axis=0)
        basis = orthonormal_basis(np.column_stack([others[:, constant], others[:, ~constant]]))
        k1, k2 = int(constant.sum()), int((~constant).sum())
        a, b = y - basis @ (basis.T @ y), d - basis @ (basis.T @ d)
        q = basis[:, k1:]
        linear = np.hstack([cluster_sums(q, codes, count, w) for w in (np.ones(len(y)), a, b)])
        pairs = np.empty((count, k2 * (k2 + 1) // 2))
        column = 0
        for i in range(k2):  # one covariate at a time bounds memory at n by k2
            pairs[:, column : column + k2 - i] = cluster_sums(q[:, i:], codes, count, q[:, i].copy())
            column += k2 - i
        n, k = x.shape
        return cls(
            columns=_columns(labels, draw_clusters),
            observed=d[first],
            size=np.bincount(codes, minlength=count).astype(np.float64),
            level=basis[first][:, :k1],
            linear=linear,
            quadratic=pairs,
            outcome=np.bincount(codes, a, minlength=count),
            term=np.bincount(codes, b, minlength=count),
            factor=count / (count - 1) * (n - 1) / (n - k) if count > 1 and n > k else 1.0,
            studentised=statistic == "t",
        )

    @property
    def scale(self) -> tuple[float, float, float]:
        """Sizes for telling a zero variance from rounding: that of the observed scores."""
        if not self.studentised:
            return (1.0, 0.0, 0.0)
        a, ab, b = (self.factor * np.array([self.outcome @ self.outcome, self.outcome @ self.term, self.term @ self.term])).tolist()
        return a, ab, b

    def moments(self, drawn: npt.NDArray[np.generic]) -> Array:
        """The five moments of each draw, (5, draws).

        w (draws, G) treatments; covariates' orthonormal basis (p, q), p constant within clusters; a, b
        outcome and observed term residualised on it. A draw's residualised term is z_i = (w_g - p_g c1)
        - q_i c2 with c = (p, q)'w, so per cluster sum z a, sum z b and sum z^2 need the sums stored
        here. Estimate: sum z a / sum z^2; score of cluster g: sum_g z a - estimate * sum_g z^2.
        """
        k1, k2 = self.level.shape[1], self.linear.shape[1] // 3
        chunks = [slice(start, start + CLUSTERS_AT_ONCE) for start in range(0, len(self.size), CLUSTERS_AT_ONCE)]
        in_order = np.array_equal(self.columns, np.arange(drawn.shape[1]))
        full = np.ascontiguousarray(drawn if in_order else drawn[:, self.columns])
        # Everything linear in w at once: c1, c2, sum z a, sum z b (a and b have no covariate part), sum n w.
        rows = np.column_stack([self.level * self.size[:, None], self.linear[:, :k2], self.outcome, self.term, self.size])
        sums = np.zeros((len(full), rows.shape[1]))
        for part in chunks:
            sums += full[:, part].astype(np.float64) @ rows[part]
        c, (na, nb, treated) = sums[:, : k1 + k2], sums[:, k1 + k2 :].T
        c1, c2 = np.ascontiguousarray(c[:, :k1]), np.ascontiguousarray(c[:, k1:])
        total = treated - np.vecdot(c, c)
        upper = np.triu_indices(k2)
        products = c2[:, upper[0]] * c2[:, upper[1]] * np.where(upper[0] == upper[1], 1.0, 2.0)
        buffers = np.empty((6, len(full) * CLUSTERS_AT_ONCE))
        aa, ab, bb, ax, bx, xx = np.zeros((6, len(full)))
        for part in chunks:
            size = self.size[part]
            z, za, zb, zz, spare, other = (b[: len(full) * len(size)].reshape(len(full), -1) for b in buffers)
            z[:] = full[:, part]
            z -= np.matmul(c1, self.level[part].T, out=spare)
            np.multiply(z, self.outcome[part], out=za)
            np.multiply(z, self.term[part], out=zb)
            np.multiply(z, size, out=zz)
            if k2:
                za -= np.matmul(c2, self.linear[part, k2 : 2 * k2].T, out=spare)
                zb -= np.matmul(c2, self.linear[part, 2 * k2 :].T, out=other)
                zz -= np.matmul(c2, 2 * self.linear[part, :k2].T, out=spare)
            zz *= z
            if k2:
                zz += np.matmul(products, self.quadratic[part].T, out=other)
            aa += np.vecdot(za, za)
            ab += np.vecdot(za, zb)
            bb += np.vecdot(zb, zb)
            ax += np.vecdot(za, zz)
            bx += np.vecdot(zb, zz)
            xx += np.vecdot(zz, zz)
        lost = total <= 1e-9 * self.size.sum()  # the covariates explain this draw: no estimate
        total = np.where(lost, 1.0, total)
        ta, tb = na / total, nb / total
        if not self.studentised:
            out = np.array([ta, tb, np.ones_like(ta), np.zeros_like(ta), np.zeros_like(ta)])
        else:
            square0 = aa - 2 * ta * ax + ta * ta * xx
            square1 = ab - ta * bx - tb * ax + ta * tb * xx
            square2 = bb - 2 * tb * bx + tb * tb * xx
            out = np.array([na, nb, self.factor * square0, self.factor * square1, self.factor * square2])
        out[:, lost] = 0.0  # zero over zero: counted as extreme
        return out


def _columns(labels: npt.NDArray[np.generic], draw_clusters: Sequence[object] | None) -> npt.NDArray[np.intp]:
    """Which column of a draw belongs to each cluster (in order of its code)?"""
    if draw_clusters is None:
        return np.argsort(np.argsort(labels))
    place = {label: number for number, label in enumerate(draw_clusters)}
    missing = [str(label) for label in labels if label not in place]
    if missing:
        raise EstimationError(f"{len(missing)} clusters are not among those drawn, for example {missing[0]}")
    return np.array([place[label] for label in labels], dtype=np.intp)


def _block(
    pieces: list[_Pieces], draw: Draw | npt.NDArray[np.generic], seed: np.random.SeedSequence | None, size: int
) -> list[Array]:
    drawn = draw if isinstance(draw, np.ndarray) else _zero_one(np.asarray(draw(np.random.default_rng(seed), size)))
    if len(drawn) != size:
        raise InvalidInput(f"the draw returned {len(drawn)} allocations instead of {size}")
    return [piece.moments(drawn) for piece in pieces]
