"""How wrong would 'missing at random' have to be before the conclusion changes?"""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import optimize

from hhp_stats.calls.typed import typed
from hhp_stats.errors import InvalidInput, UnknownName
from hhp_stats.estimate.imputation.completed import Imputations
from hhp_stats.infer.pooling import PooledEstimate, pool
from hhp_stats.processes.progress import Progress, silent
from hhp_stats.regression.model_matrix import Array, as_numbers
from hhp_stats.results.frame import Estimate

Shifted = Literal["treated", "control", "both"]
SHIFTED: tuple[Shifted, ...] = ("treated", "control", "both")

CELLS_KEPT = 30_000_000  # a quarter of a gigabyte


@dataclass(frozen=True, slots=True, kw_only=True)
class TippingPoints:
    """Pooled estimates over a grid of shifts, and where the conclusion changes.

    grid: shifted, delta, estimate, std_error, df, p_value, conf_low, conf_high, conclusion
    (positive, negative or unclear: the interval against zero). points: one row per `shifted` with
    delta_low (the nearest delta below 0 that changes the conclusion) and delta_high (above 0), NaN
    where the grid does not reach one, and in `note` what is then known.
    """

    grid: pd.DataFrame
    points: pd.DataFrame


@typed
def conclusion(estimate: Estimate) -> str:
    """Does the interval exclude zero, and on which side?"""
    if estimate.conf_low > 0:
        return "positive"
    return "negative" if estimate.conf_high < 0 else "unclear"


@typed
def tipping_points(
    imputations: Imputations,
    *,
    outcome: str,
    deltas: Sequence[float],
    fit: Callable[[pd.DataFrame], Estimate] | None = None,
    linear: Callable[[Array], Sequence[Estimate]] | None = None,
    shifted: Sequence[Shifted] = SHIFTED,
    treatment: str = "treatment",
    complete_df: float | None = None,
    progress: Progress = silent,
) -> TippingPoints:
    """By how much must the unseen outcomes differ from what was imputed to change the conclusion?

    Estimator: delta is added to the imputed values of `outcome` (never to observed ones) in the
    treated arm, the control arm or both; each completed set is analysed by `fit` and pooled by
    Rubin's rules, for every delta of the grid and for 0. The conclusion is whether the interval
    excludes zero, and on which side. Between the first neighbouring grid points where it changes,
    the delta at which the bound concerned crosses zero is found by Brent's method, to a thousandth of
    their distance. A change that comes and goes between two grid points is not seen.

    In place of `fit`, `linear` analyses all completed sets at once, given their outcomes (m, n). In every set its
    estimate must be linear in the outcome and its variance quadratic, with fixed degrees of freedom, as of least
    squares with any sandwich variance. Then three analyses of an arm, at 0 and at plus and minus the largest delta,
    give all others exactly.

    Units: delta in units of the outcome. Assumptions: those who did not answer differ from those
    like them by a constant.
    A composite is shifted as a whole where any of its items was missing. Needs the outcome as a column
    of the imputed frame, missing where it was not known.
    Refuses: an outcome that was not imputed (UnknownName), categorical outcomes, empty grids, unknown arms,
    treatments other than 0 and 1, both or none of `fit` and `linear`, a `linear` that is not linear (InvalidInput).
    Source: van Buuren (2018), Flexible Imputation of Missing Data, 2nd ed., section 3.8 (delta
    adjustment); Yan, Lee and Li (2009), Journal of Biopharmaceutical Statistics 19, 1085-1098.
    """
    strange = set(shifted) - set(SHIFTED)
    if strange or not shifted:
        raise InvalidInput(f"cannot shift {', '.join(sorted(strange)) or 'nothing'}; there are {', '.join(SHIFTED)}")
    grid = sorted({0.0, *map(float, deltas)})
    if len(grid) < 2 or not np.isfinite(grid).all():
        raise InvalidInput("the grid needs a finite delta other than zero")
    if (fit is None) == (linear is None):
        raise InvalidInput("analyses come from one of fit and linear")
    moves = _moves(imputations, outcome, treatment)
    shift: _Shift
    if fit is not None:
        shift = _FrameShift(imputations, outcome=outcome, fit=fit, moves=moves, complete_df=complete_df)
    else:
        assert linear is not None
        shift = _LinearShift(
            imputations, outcome=outcome, fit=linear, moves=moves, complete_df=complete_df, reach=max(map(abs, grid))
        )
    rows, points, done = [], [], 0
    for arm in shifted:
        found: dict[float, PooledEstimate] = {}
        for delta in grid:
            found[delta] = shift.pooled(arm, delta)
            done += 1
            progress(done, len(grid) * len(shifted))
        rows += [_row(arm, delta, estimate) for delta, estimate in found.items()]
        points.append(_point(arm, grid, found, shift))
    return TippingPoints(grid=pd.DataFrame(rows), points=pd.DataFrame(points))


def _moves(imputations: Imputations, outcome: str, treatment: str) -> dict[str, Array]:
    """By arm that is shifted, 1 for those whose outcome moves (n,): those of whom it was not known."""
    composites = [passive.name for passive in imputations.plan.passive]
    if outcome not in imputations.imputed and outcome not in composites:
        known = ", ".join((*imputations.imputed, *composites))
        raise UnknownName(f"{outcome} was neither imputed nor computed from imputed items; there are {known}")
    if outcome not in imputations.frame.columns:
        raise UnknownName(f"{outcome} is no column of the imputed frame, so nothing says where it was missing")
    if outcome in imputations.imputed and imputations.imputed[outcome].levels:
        raise InvalidInput(f"{outcome} is categorical: a constant cannot be added to it")
    if treatment not in imputations.frame.columns:
        raise UnknownName(f"the imputed frame has no column {treatment}, which would say who is in which arm")
    arm = as_numbers(imputations.frame[treatment], name=treatment)
    if not np.isin(arm, (0, 1)).all():
        raise InvalidInput(f"{treatment} must be 0 for control and 1 for treated")
    missing = np.asarray(imputations.frame[outcome].isna(), dtype=np.float64)
    return {"treated": missing * arm, "control": missing * (1 - arm), "both": missing}


class _Shift(ABC):
    """Analyses the completed sets with the imputed outcomes moved; `moves` says by arm who is (n,)."""

    def __init__(self, *, outcome: str, moves: dict[str, Array], complete_df: float | None) -> None:
        self.outcome, self.moves, self.complete_df = outcome, moves, complete_df

    def pooled(self, arm: str, delta: float) -> PooledEstimate:
        return pool(self.estimates(arm, delta), complete_df=self.complete_df)

    @abstractmethod
    def estimates(self, arm: str, delta: float) -> Sequence[Estimate]: ...


class _FrameShift(_Shift):
    """One completed frame after the other."""

    def __init__(
        self,
        imputations: Imputations,
        *,
        outcome: str,
        fit: Callable[[pd.DataFrame], Estimate],
        moves: dict[str, Array],
        complete_df: float | None,
    ) -> None:
        super().__init__(outcome=outcome, moves=moves, complete_df=complete_df)
        # Every delta needs every completed set again: they are kept where they fit, else made anew each time.
        small = len(imputations) * imputations.frame.size <= CELLS_KEPT
        self.completed = list(imputations) if small else imputations
        self.fit = fit

    def estimates(self, arm: str, delta: float) -> list[Estimate]:
        return [
            self.fit(frame.assign(**{self.outcome: frame[self.outcome].to_numpy() + delta * self.moves[arm]}))
            for frame in self.completed
        ]


class _LinearShift(_Shift):
    """All sets at once, by an estimate that is linear, with a variance that is quadratic, in the shift: three
    analyses an arm.
    """

    def __init__(
        self,
        imputations: Imputations,
        *,
        outcome: str,
        fit: Callable[[Array], Sequence[Estimate]],
        moves: dict[str, Array],
        complete_df: float | None,
        reach: float,
    ) -> None:
        super().__init__(outcome=outcome, moves=moves, complete_df=complete_df)
        self.values, self.fit, self.reach = imputations.columns(outcome), fit, reach
        self.still = fit(self.values)
        self.moved: dict[str, tuple[Sequence[Estimate], Sequence[Estimate]]] = {}

    def estimates(self, arm: str, delta: float) -> Sequence[Estimate]:
        if arm not in self.moved:
            self.moved[arm] = self._fitted(arm, -self.reach), self._fitted(arm, self.reach)
            self._refuse_curved(arm)
        if delta == 0:
            return self.still
        return [self._between(*three, delta / self.reach) for three in zip(*self._three(arm), strict=True)]

    def _fitted(self, arm: str, delta: float) -> Sequence[Estimate]:
        return self.fit(self.values + delta * self.moves[arm])

    def _three(self, arm: str) -> tuple[Sequence[Estimate], Sequence[Estimate], Sequence[Estimate]]:
        return self.moved[arm][0], self.still, self.moved[arm][1]

    def _between(self, low: Estimate, still: Estimate, high: Estimate, share: float) -> Estimate:
        """The estimate at `share` of the largest delta: a parabola through three variances, a line through the
        estimates.
        """
        below, here, above = low.std_error**2, still.std_error**2, high.std_error**2
        variance = here + share * (above - below) / 2 + share**2 * ((above + below) / 2 - here)
        return Estimate(
            estimate=still.estimate + share * (high.estimate - low.estimate) / 2,
            std_error=math.sqrt(max(variance, 0.0)),
            df=still.df,
            n=still.n,
            n_clusters=still.n_clusters,
            method=still.method,
            conf_level=still.conf_level,
            note=still.note,
        )

    def _refuse_curved(self, arm: str) -> None:
        """At half the largest delta the line and the parabola must meet the analysis itself, in every set."""
        for found, low, still, high in zip(self._fitted(arm, self.reach / 2), *self._three(arm), strict=True):
            expected = self._between(low, still, high, 0.5)
            # Rounding of the least-squares fits, whose numbers are of the size of the shift's own effect and error.
            unit = max(estimate.std_error for estimate in (low, still, high))
            near = max(abs(found.estimate - expected.estimate), abs(found.std_error - expected.std_error)) < 1e-6 * unit
            if not near or found.df != expected.df:
                raise InvalidInput(
                    f"linear is not linear in {self.outcome}, or its variance not quadratic: give fit instead"
                )


def _row(arm: str, delta: float, estimate: PooledEstimate) -> dict[str, object]:
    return {
        "shifted": arm,
        "delta": delta,
        "estimate": estimate.estimate,
        "std_error": estimate.std_error,
        "df": estimate.df,
        "p_value": estimate.p_value,
        "conf_low": estimate.conf_low,
        "conf_high": estimate.conf_high,
        "conclusion": conclusion(estimate),
    }


def _point(arm: str, grid: list[float], found: dict[float, PooledEstimate], shift: _Shift) -> dict[str, object]:
    below = _first_change(arm, [d for d in reversed(grid) if d <= 0], found, shift)
    above = _first_change(arm, [d for d in grid if d >= 0], found, shift)
    said = [
        f"the conclusion holds {'down' if end == grid[0] else 'up'} to {end:g}"
        for end, point in ((grid[0], below), (grid[-1], above))
        if math.isnan(point) and end != 0
    ]
    return {
        "shifted": arm,
        "conclusion": conclusion(found[0.0]),
        "delta_low": below,
        "delta_high": above,
        "note": "; ".join(said),
    }


def _first_change(arm: str, path: list[float], found: dict[float, PooledEstimate], shift: _Shift) -> float:
    """Along a path of deltas from 0 outwards, where the conclusion first changes (NaN: nowhere)."""
    now = conclusion(found[0.0])
    for inner, outer in itertools.pairwise(path):
        then = conclusion(found[outer])
        if then == now:
            continue
        # The bound whose crossing of zero makes the change: the one on the side of the clear conclusion.
        clear = now if now != "unclear" else then
        bound = "conf_low" if clear == "positive" else "conf_high"

        def crossing(delta: float, bound: str = bound) -> float:
            return float(getattr(shift.pooled(arm, delta), bound))

        return float(optimize.brentq(crossing, inner, outer, xtol=1e-3 * abs(outer - inner)))
    return math.nan
