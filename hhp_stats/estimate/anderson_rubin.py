"""What effects do the data not reject, however weak the instrument? Anderson and Rubin's test, inverted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.polynomial import Polynomial
from scipy import optimize, stats

from hhp_stats.errors import InvalidInput
from hhp_stats.estimate.confidence_set import ConfidenceSet, TwoEstimates, ratio_set
from hhp_stats.regression.model_matrix import Array
from hhp_stats.results.frame import checked_level


@dataclass(frozen=True, slots=True, kw_only=True)
class ReducedForms:
    """Effects of the q instruments on outcome and take-up, with their joint covariance.

    `on_outcome`, `on_takeup` (q,); the three covariance blocks (q, q), `cross` being
    Cov(on_outcome, on_takeup'). `df` is the denominator of the F reference, G - 1 when clustered.
    """

    on_outcome: Array
    on_takeup: Array
    outcome_covariance: Array
    takeup_covariance: Array
    cross: Array
    df: float

    def statistic(self, effect: float) -> float:
        """F of the instruments in a regression of outcome - effect * take-up; small where `effect` fits."""
        gap = self.on_outcome - effect * self.on_takeup
        return float(gap @ np.linalg.solve(self._covariance(1.0, effect), gap)) / len(gap)

    def p_value(self, effect: float) -> float:
        """Chance of a statistic this large if `effect` were the true one."""
        return float(stats.f.sf(self.statistic(effect), len(self.on_outcome), self.df))

    def _covariance(self, weight: float, effect: float) -> Array:
        mixed = self.cross + self.cross.T
        out: Array = weight**2 * self.outcome_covariance - weight * effect * mixed + effect**2 * self.takeup_covariance
        return out


def anderson_rubin_set(forms: ReducedForms, *, conf_level: float = 0.95) -> ConfidenceSet:
    """Which effects would the Anderson-Rubin test at level 1 - `conf_level` not reject?

    All b with F(b) = g' V(b)^-1 g / q <= F quantile(q, df), where g = outcome coefficients - b * take-up
    coefficients of the q instruments and V(b) its covariance. Its size is right at any strength of
    the instruments. With one instrument the set solves a quadratic and holds the
    two-stage least squares estimate; it is unbounded where the first stage is not significant.
    With more it solves a polynomial of degree 2q and may be empty or in pieces.

    Assumes that assignment moves the outcome only through take-up and is as good as random given the
    covariates; V(b) as given (robust, clustered). Refuses more than six instruments (InvalidInput: the
    polynomial loses its digits). Source: Anderson and Rubin (1949), Annals of Mathematical Statistics 20,
    46-63; Andrews, Stock and Sun (2019), Annual Review of Economics 11, 727-753, section 5.
    """
    q = len(forms.on_outcome)
    label = f"Anderson-Rubin, F({q}, {forms.df:g})"
    checked_level(conf_level)
    critical = float(stats.f.ppf(conf_level, q, forms.df)) * q
    if q == 1:
        sides = TwoEstimates(
            numerator=float(forms.on_outcome[0]),
            denominator=float(forms.on_takeup[0]),
            numerator_variance=float(forms.outcome_covariance[0, 0]),
            denominator_variance=float(forms.takeup_covariance[0, 0]),
            covariance=float(forms.cross[0, 0]),
        )
        return ratio_set(sides, critical=math.sqrt(critical), conf_level=conf_level, method=label)
    if q > 6:
        raise InvalidInput(f"{q} instruments; the inversion is for at most six")
    return ConfidenceSet(parts=_polynomial_set(forms, critical), conf_level=conf_level, method=label)


def _polynomial_set(forms: ReducedForms, critical: float) -> tuple[tuple[float, float], ...]:
    """Pieces of {b: g'V(b)^-1 g <= critical} through det(V + gg') <= (1 + critical) det V.

    By the matrix determinant lemma both sides are polynomials in b of degree 2q. They are taken in
    x = b / scale, homogeneous in (1, x), so that a root at infinity is a root like any other.
    """
    spread = float(np.trace(forms.takeup_covariance))
    scale = math.sqrt(float(np.trace(forms.outcome_covariance)) / spread) if spread > 0 else 1.0
    degree = 2 * len(forms.on_outcome)

    def excess(angle: float) -> float:
        weight, effect = math.cos(angle), math.sin(angle) * scale
        gap = weight * forms.on_outcome - effect * forms.on_takeup
        covariance = forms._covariance(weight, effect)
        return float(gap @ np.linalg.solve(covariance, gap)) - critical

    def polynomial(x: float) -> float:
        gap = forms.on_outcome - x * scale * forms.on_takeup
        covariance = forms._covariance(1.0, x * scale)
        return float(np.linalg.det(covariance + np.outer(gap, gap)) - (1 + critical) * np.linalg.det(covariance))

    nodes = 2 * np.cos((2.0 * np.arange(degree + 1) + 1.0) / (2 * degree + 2) * math.pi)
    values = np.array([polynomial(float(x)) for x in nodes])
    fitted = Polynomial.fit(nodes, values / np.abs(values).max(), degree).convert()
    found = np.asarray(fitted.roots(), dtype=np.complex128)
    roots = found.real[np.abs(found.imag) < 1e-6 * (1 + np.abs(found))]
    # A coarse scan beside the roots: where interpolation lost a root, the sign change still shows it.
    grid = np.unique(np.concatenate([np.linspace(-math.pi / 2, math.pi / 2, 721), np.arctan(roots)]))
    level = [excess(float(angle)) for angle in grid]
    edges: list[float] = []
    for (left, before), (right, after) in pairwise(zip(grid, level, strict=True)):
        if (before <= 0) != (after <= 0):
            edges.append(float(optimize.brentq(excess, float(left), float(right), xtol=1e-15, rtol=1e-14)))
    bounds = [-math.inf, *(math.tan(edge) * scale for edge in edges), math.inf]
    middles = [-math.pi / 2, *edges, math.pi / 2]
    inside = [excess(0.5 * (a + b)) <= 0 for a, b in pairwise(middles)]
    return tuple((bounds[i], bounds[i + 1]) for i, kept in enumerate(inside) if kept)
