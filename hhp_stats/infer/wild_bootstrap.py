"""How sure are we when clusters are few? The wild cluster bootstrap with the null imposed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.typing import ArrayLike

from hhp_stats.calls.typed import typed
from hhp_stats.errors import InvalidInput, UnknownName
from hhp_stats.infer.resampling import (
    DrawMoments,
    ResamplingTest,
    orthonormal_basis,
    resampling_test,
    stack_moments,
)
from hhp_stats.processes.blocks import block_sizes, child_seeds, in_blocks
from hhp_stats.processes.progress import Progress, silent
from hhp_stats.regression.cluster_robust import cluster_covariance, coefficient
from hhp_stats.regression.clusters import cluster_codes, cluster_sums
from hhp_stats.regression.linear import LinearFit
from hhp_stats.regression.model_matrix import Array
from hhp_stats.results.frame import Estimate

Weights = Literal["rademacher", "webb"]

DRAWS_AT_ONCE = 1_000
SECONDS = 8e-11  # one draw times one stored sum takes about this long
CLUSTERS_AT_ONCE = 4_096  # with DRAWS_AT_ONCE: 33 megabytes of weights at a time
WEBB = np.array([-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5)])


@typed
def wild_bootstrap(
    fit: LinearFit,
    *,
    clusters: ArrayLike,
    term: str = "treatment",
    draws: int = 9_999,
    rng: np.random.Generator,
    weights: Weights = "rademacher",
    conf_level: float = 0.95,
    interval: bool = True,
    progress: Progress = silent,
) -> ResamplingTest:
    """Is the effect distinguishable from zero, without trusting that there are many clusters?

    Estimator: with the null imposed (residuals u of the model without `term`, after moving
    effect0 * term to the left), each draw multiplies all residuals of a cluster by one weight, refits,
    and takes the CR1 t statistic of `term`. p is the share of |t*| >= |t|: ties count, compared with a
    relative tolerance of 1e-9, and random draws count the observed one in, (1 + #) / (1 + draws).
    `p_strict` counts only |t*| > |t|. The interval holds every effect0 with p > 1 - conf_level.

    Weights: `rademacher` (+1, -1 with equal chance), all 2^G sign vectors once each where that is no
    more than `draws`; `webb` (six points, for about ten clusters or fewer, where Rademacher has few
    distinct values), always random.

    Nothing is refitted: with Q an orthonormal basis of the other terms and d the residual of the term
    on them, numerator and CR1 variance of a draw are linear and quadratic in the G weights, through
    4k + 4 sums per cluster, and in effect0. Memory is a block of draws by a block of clusters.

    Shapes: clusters (n,). Units: those of the outcome per unit of the term. The `std_error` and `df` of
    the estimate are those of CR1 with G-1; p and interval are the bootstrap's.
    Assumptions: clusters are independent; errors of a cluster are symmetric for exactness (Rademacher).
    Refuses an unknown term or weights (UnknownName), fewer than one draw (InvalidInput), and what
    `cluster_covariance` refuses.
    Source: Cameron, Gelbach and Miller (2008), Review of Economics and Statistics 90, 414-427; Webb
    (2023), Canadian Journal of Economics 56, 839-858, for the six points; Roodman, MacKinnon, Nielsen
    and Webb (2019), Stata Journal 19, 4-60, for computing by clusters and inversion.
    """
    codes, labels = _union([clusters])
    base = _base(fit, clusters, term, conf_level)
    pieces = _Pieces.of(fit, codes[0], len(labels), term)
    (moments,) = _draw([pieces], len(labels), draws, rng, weights, progress)
    kind = "all signs" if moments.weights is not None else f"{len(moments.linear0):,} draws"
    return resampling_test(
        moments=moments,
        base=base,
        method=f"OLS, wild cluster bootstrap, null imposed, {weights.capitalize()}, {kind}",
        interval=interval,
    )


@typed
def wild_bootstrap_statistics(
    fits: Sequence[LinearFit],
    *,
    clusters: Sequence[ArrayLike],
    term: str = "treatment",
    draws: int = 9_999,
    rng: np.random.Generator,
    weights: Weights = "rademacher",
    progress: Progress = silent,
) -> tuple[Array, Array, Array | None]:
    """How do the t statistics of several outcomes vary together when none of them is affected?

    The same weight goes to a cluster in every outcome, so that outcomes keep their correlation.
    Returns observed t (m,), drawn t (draws, m), and the draws' weights (None for random draws), as
    `multiplicity.westfall_young` takes them. Outcomes may rest on different people and clusters;
    clusters are matched by label.
    """
    if len(fits) != len(clusters):
        raise InvalidInput(f"{len(fits)} fits, but cluster labels for {len(clusters)}")
    codes, labels = _union(clusters)
    observed = [_base(fit, name, term, 0.95).statistic for fit, name in zip(fits, clusters, strict=True)]
    pieces = [_Pieces.of(fit, code, len(labels), term) for fit, code in zip(fits, codes, strict=True)]
    moments = _draw(pieces, len(labels), draws, rng, weights, progress)
    return np.array(observed), np.column_stack([m.statistics() for m in moments]), moments[0].weights


def _base(fit: LinearFit, clusters: ArrayLike, term: str, conf_level: float) -> Estimate:
    covariance = cluster_covariance(fit, clusters=clusters, kind="CR1")
    return coefficient(fit, covariance, term=term, conf_level=conf_level)


def _union(clusters: Sequence[ArrayLike]) -> tuple[list[npt.NDArray[np.intp]], list[object]]:
    """Codes of each list of labels within the sorted union of all labels."""
    own = []
    labels: set[object] = set()
    for names in clusters:
        codes, _ = cluster_codes(names)
        uniques = list(pd.unique(pd.Series(np.asarray(names))))
        own.append((codes, uniques))
        labels.update(uniques)
    ordered = sorted(labels, key=lambda label: (type(label).__name__, label))
    place = {label: number for number, label in enumerate(ordered)}
    return [np.array([place[u] for u in uniques], dtype=np.intp)[codes] for codes, uniques in own], ordered


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pieces:
    """Per-cluster sums of one fit. Letters: see `moments`."""

    sums: Array  # (G, 4k + 4): s_a, s_b, H_a, R, s_a R, s_b R, s_a s_b, s_b^2
    squares: Array  # (G, 3): s_a^2, s_a s_b, s_b^2
    gram: Array  # (k + 1, k + 1) of [R r]
    total: float  # D, sum of squares of the residualised term
    k: int
    factor: float  # CR1's G/(G-1) (n-1)/(n-k-1)

    @classmethod
    def of(cls, fit: LinearFit, codes: npt.NDArray[np.intp], n_clusters: int, term: str) -> _Pieces:
        place = fit.matrix.position(term)
        x = fit.matrix.values
        basis = orthonormal_basis(np.delete(x, place, axis=1))
        d = x[:, place] - basis @ (basis.T @ x[:, place])
        y = fit.outcome - basis @ (basis.T @ fit.outcome)
        sa, sb = cluster_sums(np.column_stack([d * y, d * d]), codes, n_clusters).T
        ha = cluster_sums(basis, codes, n_clusters, y)
        r = cluster_sums(basis, codes, n_clusters, d)
        n, k = x.shape
        used = len(np.unique(codes))
        columns = [
            sa[:, None],
            sb[:, None],
            ha,
            r,
            sa[:, None] * r,
            sb[:, None] * r,
            (sa * sb)[:, None],
            (sb * sb)[:, None],
        ]
        both = np.column_stack([r, sb])
        return cls(
            sums=np.ascontiguousarray(np.hstack(columns)),
            squares=np.column_stack([sa * sa, sa * sb, sb * sb]),
            gram=both.T @ both,
            total=float(sb.sum()),
            k=basis.shape[1],
            factor=used / (used - 1) * (n - 1) / (n - k),
        )

    @property
    def scale(self) -> tuple[float, float, float]:
        a, ab, b = (self.factor * self.squares.sum(axis=0)).tolist()
        return a, ab, b

    def moments(self, sums: Array, squares: Array) -> Array:
        """From weighted sums over clusters to the five moments of each draw.

        v (G,) weights; outcome residual a and term residual b on the other terms (basis Q, k columns);
        per cluster s_a = d'a, s_b = d'd, H_a = Q'a, R = Q'd. The refitted score of cluster g is
        v_g s_g - R_g h - s_b,g t with h = sum v H and t = sum v s / D, so the sum of squared scores is
        sum v^2 s^2 - 2 h sum(v s R) - 2 t sum(v s s_b) + (h, t) [R s_b]'[R s_b] (h, t)'.
        `sums` (draws, 4k + 4) and `squares` (draws or 1, 3) are those sums.
        """
        k = self.k
        na, nb = sums[:, 0], sums[:, 1]
        parts = [sums[:, 2 + j * k : 2 + (j + 1) * k] for j in range(4)]
        last = sums[:, 2 + 4 * k :]
        joint_a = np.column_stack([parts[0], na / self.total])  # (h, t) of the outcome
        joint_b = np.column_stack([parts[1], nb / self.total])
        cross_a = np.column_stack([parts[2], last[:, 0]])  # sums of v s (R, s_b)
        cross_b = np.column_stack([parts[3], last[:, 1]])
        gram_b = joint_b @ self.gram

        def dot(left: Array, right: Array) -> Array:
            out: Array = np.einsum("ij,ij->i", left, right)
            return out

        aa = squares[:, 0] - 2 * dot(joint_a, cross_a) + dot(joint_a @ self.gram, joint_a)
        ab = squares[:, 1] - dot(joint_a, cross_b) - dot(joint_b, cross_a) + dot(gram_b, joint_a)
        bb = squares[:, 2] - 2 * dot(joint_b, cross_b) + dot(gram_b, joint_b)
        return np.array([na, nb, self.factor * aa, self.factor * ab, self.factor * bb])


def _draw(
    pieces: list[_Pieces], n_clusters: int, draws: int, rng: np.random.Generator, weights: str, progress: Progress
) -> list[DrawMoments]:
    if weights not in ("rademacher", "webb"):
        raise UnknownName(f"no weights {weights!r}; there are rademacher, webb")
    sizes = block_sizes(draws, DRAWS_AT_ONCE)
    every = weights == "rademacher" and n_clusters < 40 and 2**n_clusters <= draws
    jobs: list[tuple[object, ...]]
    if every:
        sizes = block_sizes(2**n_clusters, DRAWS_AT_ONCE)
        starts = np.cumsum([0, *sizes[:-1]]).tolist()
        jobs = [(pieces, n_clusters, size, "every", start) for size, start in zip(sizes, starts, strict=True)]
    else:
        jobs = [
            (pieces, n_clusters, size, weights, seed)
            for size, seed in zip(sizes, child_seeds(rng, len(sizes)), strict=True)
        ]
    size = sum(piece.sums.size for piece in pieces)
    blocks = in_blocks(_block, jobs, progress, seconds=SECONDS * sum(sizes) * size)
    equal = np.full(2**n_clusters, 0.5**n_clusters) if every else None
    return [stack_moments([block[j] for block in blocks], scale=p.scale, weights=equal) for j, p in enumerate(pieces)]


def _block(
    pieces: list[_Pieces], n_clusters: int, size: int, weights: str, source: np.random.SeedSequence | int
) -> list[Array]:
    """Moments of one block of draws for every outcome, (5, size) each."""
    rng = np.random.default_rng(0 if isinstance(source, int) else source)
    sums = [np.zeros((size, p.sums.shape[1])) for p in pieces]
    squares = [np.zeros((size if weights == "webb" else 1, 3)) for p in pieces]
    for start in range(0, n_clusters, CLUSTERS_AT_ONCE):
        stop = min(start + CLUSTERS_AT_ONCE, n_clusters)
        if isinstance(source, int):  # enumerated: the number of the first sign vector
            v = _every_sign(source, size, n_clusters)[:, start:stop]
        elif weights == "webb":
            v = WEBB[rng.integers(0, 6, size=(size, stop - start), dtype=np.uint8)]
        else:
            v = _signs(rng, size, stop - start)
        for j, p in enumerate(pieces):
            sums[j] += v @ p.sums[start:stop]
            part = p.squares[start:stop]
            squares[j] += (v * v) @ part if weights == "webb" else part.sum(axis=0)
    return [p.moments(sums[j], squares[j]) for j, p in enumerate(pieces)]


def _signs(rng: np.random.Generator, size: int, clusters: int) -> Array:
    bits = np.frombuffer(rng.bytes(size * ((clusters + 7) // 8)), dtype=np.uint8).reshape(size, -1)
    v = np.unpackbits(bits, axis=1, count=clusters).astype(np.float64)
    v *= 2
    v -= 1
    return v


def _every_sign(start: int, size: int, clusters: int) -> Array:
    numbers = np.arange(start, start + size)[:, None]
    bits = (numbers >> np.arange(clusters)) & 1
    return bits.astype(np.float64) * 2 - 1
