"""Cluster sums from which the t statistic of any redraw of the treatment follows without the people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.typing import ArrayLike

from hhp_stats.errors import EstimationError, InvalidInput
from hhp_stats.infer.resampling import orthonormal_basis
from hhp_stats.regression.clusters import cluster_codes, cluster_sums
from hhp_stats.regression.inputs import same_people
from hhp_stats.regression.linear import check_outcome
from hhp_stats.regression.model_matrix import Array, ModelMatrix

CLUSTERS_AT_ONCE = 1_024  # with 250 draws: two megabytes an array
ONE_CORE = 1 << 18  # multiplications below which OpenBLAS does not wake further threads, which costs more than it saves


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RedrawSums:
    """Per-cluster sums of one outcome. Letters: see `moments`."""

    columns: npt.NDArray[np.intp]  # columns of the draw, cluster by cluster
    width: int  # columns that a draw must have
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
    ) -> RedrawSums:
        """Sums of one outcome and its model; what is refused is said in `randomisation_test`."""
        y = check_outcome(outcome, matrix)
        codes, count = cluster_codes(clusters)
        if len(codes) != len(y):
            raise InvalidInput(f"{len(codes)} cluster labels for {len(y)} people")
        same_people(the_model_matrix=matrix, the_clusters=clusters)
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
            columns=columns_of(list(labels), draw_clusters),
            width=len(labels) if draw_clusters is None else len(draw_clusters),
            observed=d[first],
            size=np.bincount(codes, minlength=count).astype(np.float64),
            level=basis[first][:, :k1],
            linear=linear,
            quadratic=pairs,
            outcome=np.bincount(codes, a, minlength=count).astype(np.float64),
            term=np.bincount(codes, b, minlength=count).astype(np.float64),
            factor=count / (count - 1) * (n - 1) / (n - k) if count > 1 and n > k else 1.0,
            studentised=statistic == "t",
        )

    @property
    def scale(self) -> tuple[float, float, float]:
        """Sizes for telling a zero variance from rounding: that of the observed scores."""
        if not self.studentised:
            return (1.0, 0.0, 0.0)
        a, ab, b = (
            self.factor * np.array([self.outcome @ self.outcome, self.outcome @ self.term, self.term @ self.term])
        ).tolist()
        return a, ab, b

    def moments(self, drawn: npt.NDArray[np.generic]) -> Array:
        """The five moments of each draw, (5, draws).

        w (draws, G) treatments; covariates' orthonormal basis (p, q), p constant within clusters; a, b
        outcome and observed term residualised on it. A draw's residualised term is z_i = (w_g - p_g c1)
        - q_i c2 with c = (p, q)'w, so per cluster sum z a, sum z b and sum z^2 need the sums stored
        here. Estimate: sum z a / sum z^2; score of cluster g: sum_g z a - estimate * sum_g z^2.
        """
        if drawn.ndim != 2 or drawn.shape[1] != self.width:
            raise InvalidInput(
                f"a draw has {drawn.shape[-1]} columns for {self.width} clusters; name its clusters in `draw_clusters`"
            )
        k1, k2 = self.level.shape[1], self.linear.shape[1] // 3
        in_order = np.array_equal(self.columns, np.arange(drawn.shape[1]))
        full = np.ascontiguousarray(drawn if in_order else drawn[:, self.columns])
        # Everything linear in w at once: c1, c2, sum z a, sum z b (a and b have no covariate part), sum n w.
        rows = np.column_stack(
            [self.level * self.size[:, None], self.linear[:, :k2], self.outcome, self.term, self.size]
        )
        sums = np.zeros((len(full), rows.shape[1]))
        for part in _slices(len(self.size), CLUSTERS_AT_ONCE):
            sums += full[:, part].astype(np.float64) @ rows[part]
        c, (na, nb, treated) = sums[:, : k1 + k2], sums[:, k1 + k2 :].T
        c1, c2 = np.ascontiguousarray(c[:, :k1]), np.ascontiguousarray(c[:, k1:])
        total = treated - np.vecdot(c, c)
        upper = np.triu_indices(k2)
        products = c2[:, upper[0]] * c2[:, upper[1]] * np.where(upper[0] == upper[1], 1.0, 2.0)
        step = max(16, min(128, ONE_CORE // (len(full) * max(k1, k2, 1))))
        buffers = np.empty((6, len(full) * step))
        aa, ab, bb, ax, bx, xx = np.zeros((6, len(full)))
        for part in _slices(len(self.size), CLUSTERS_AT_ONCE):
            within = products @ self.quadratic[part].T
            for inner in _slices(within.shape[1], step):
                at = slice(part.start + inner.start, min(part.start + inner.stop, len(self.size)))
                z, za, zb, zz, spare, other = (
                    b[: len(full) * (at.stop - at.start)].reshape(len(full), -1) for b in buffers
                )
                z[:] = full[:, at]
                z -= np.matmul(c1, self.level[at].T, out=spare)
                np.multiply(z, self.outcome[at], out=za)
                np.multiply(z, self.term[at], out=zb)
                np.multiply(z, self.size[at], out=zz)
                if k2:
                    za -= np.matmul(c2, self.linear[at, k2 : 2 * k2].T, out=spare)
                    zb -= np.matmul(c2, self.linear[at, 2 * k2 :].T, out=other)
                    zz -= np.matmul(c2, 2 * self.linear[at, :k2].T, out=spare)
                zz *= z
                if k2:
                    zz += within[:, inner]
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


def _slices(total: int, step: int) -> list[slice]:
    return [slice(start, min(start + step, total)) for start in range(0, total, step)]


def _hashed(label: object) -> object:
    try:
        hash(label)
    except TypeError as problem:
        raise InvalidInput(f"`draw_clusters` must be labels such as names or numbers: {problem}") from problem
    return label


def _comparable(label: object) -> Any:
    return label if isinstance(label, Real) else str(label)


def columns_of(labels: list[object], draw_clusters: Sequence[object] | None) -> npt.NDArray[np.intp]:
    """Which column of a draw belongs to each cluster (in order of its code)?"""
    if draw_clusters is not None and len(set(map(_hashed, draw_clusters))) != len(draw_clusters):
        raise InvalidInput("`draw_clusters` names a cluster twice")
    if draw_clusters is None:
        # In the order of their labels, numbers before text where both occur.
        order = sorted(range(len(labels)), key=lambda at: (not isinstance(labels[at], Real), _comparable(labels[at])))
        return np.argsort(np.array(order))
    place = {label: number for number, label in enumerate(draw_clusters)}
    missing = [str(label) for label in labels if label not in place]
    if missing:
        raise EstimationError(f"{len(missing)} clusters are not among those drawn, for example {missing[0]}")
    return np.array([place[label] for label in labels], dtype=np.intp)
