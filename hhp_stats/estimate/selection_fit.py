"""What a fitted selection model is: its numbers, how they are identified, and its coefficients as estimates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hhp_stats.errors import EstimationError, SingleClusterArm, UnknownName
from hhp_stats.estimate.selection_path import EDGE
from hhp_stats.estimate.selection_profile import Accepted
from hhp_stats.regression.clusters import refuse_thin_arms
from hhp_stats.regression.gram import times
from hhp_stats.regression.model_matrix import Array, ModelMatrix
from hhp_stats.regression.satterthwaite import IntArray
from hhp_stats.results.frame import Estimate

# Belsley, Kuh and Welsch call scaled condition numbers above 30 harmful.
_HARMFUL = 30
BY_FORM = "Identified by functional form alone: no term predicts response but not the outcome."


@dataclass(frozen=True, slots=True, kw_only=True)
class Identification:
    """What tells selection from effect? `excluded` terms predict response only; none means form alone.

    `condition_number` is that of [X lambda] among responders with columns scaled to length one (above
    30 is harmful); `variance_inflation` is 1/(1 - R^2) of lambda on X.
    """

    excluded: tuple[str, ...]
    condition_number: float
    variance_inflation: float

    def warning(self) -> str:
        """In words, for the note of an estimate; empty where nothing is to be warned of."""
        said = []
        if not self.excluded:
            said.append(BY_FORM)
        if not self.excluded or self.condition_number > _HARMFUL:
            said.append(
                f"Condition number {self.condition_number:.1f}, variance inflation of lambda"
                f" {self.variance_inflation:.1f}."
            )
        return " ".join(said)


@dataclass(frozen=True, slots=True, kw_only=True)
class LikelihoodMaximum:
    """A maximum of the likelihood that is not the reported one, with the coefficients (k_x,) of the outcome equation.

    `stationary` is False where rho runs to -1 or 1: the likelihood still rises at .9997, where rho is held.
    """

    rho: float
    log_likelihood: float
    coefficients: Array
    stationary: bool

    @property
    def edge(self) -> bool:
        """Is it an edge solution, with |rho| above .99?"""
        return abs(self.rho) > EDGE

    def words(self, place: int | None) -> str:
        """In words, with the coefficient of the outcome equation at `place` if one is asked for."""
        where = f"rho {self.rho:.3f}" if self.stationary else f"rho running to {math.copysign(1, self.rho):.0f}"
        kind = "edge solution, " if self.edge else ""
        estimate = "" if place is None else f", estimate {self.coefficients[place]:.4g}"
        return f"{kind}{where} (log likelihood {self.log_likelihood:.3f}{estimate})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Respondents:
    """Those on whom the outcome equation rests: its terms (n_s, k_x), their inverse Gram matrix, the cluster of
    each.
    """

    matrix: ModelMatrix
    gram_inverse: Array
    codes: IntArray

    def refuse_thin_arms(self, place: int) -> None:
        """Do at least two clusters of respondents tell about each arm of the two-valued term at `place`?

        A cluster tells about an arm where the sum of the term less its regression on the others is not zero among its
        people in that arm: it is zero where a dummy of their own takes them out. Raises SingleClusterArm if fewer do.
        Terms of one value or of more than two have no arms and pass.
        """
        column = self.matrix.values[:, place]
        low, high = column.min(), column.max()
        if low == high or not ((column == low) | (column == high)).all():
            return
        left = times(self.matrix.values, self.gram_inverse[:, place])  # up to a factor
        tells = np.zeros(len(column), dtype=bool)
        for value in (low, high):
            here = column == value
            sums = np.abs(np.bincount(self.codes[here], weights=left[here]))
            tells[here] = (sums > 1e-9 * sums.max())[self.codes[here]]  # rounding leaves some 1e-14
        try:
            refuse_thin_arms(treatment=column[tells], clusters=self.codes[tells])
        except SingleClusterArm as problem:
            name = self.matrix.names[place]
            raise SingleClusterArm(
                f"{name}, among those who answered and beside the other terms: {problem}"
            ) from problem


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionFit:
    """A fitted selection model.

    n people, of whom n_selected answered. `coefficients` (k_x,) of the outcome equation in units of
    the outcome with `covariance` (k_x, k_x); `selection_coefficients` (k_z,) of the response probit.
    `lambda_coefficient` = rho sigma (two-step: as estimated, with `lambda_std_error`). `rho_interval` is the
    profile-likelihood interval of rho at `conf_level`; two-step has none, no standard error of sigma, no
    likelihood-ratio test and no joint likelihood (NaN). `others` are the maxima that are not reported, highest first.
    `model_covariance` is the covariance without clusters, always there; `respondents` there with clusters only.
    `iterations`, `decrement` and `largest_score` report
    convergence: the last Newton steps, in all parameters at once; the log likelihood that one more would gain; the
    largest derivative on orthonormal terms. `remarks` say where the
    profile of the likelihood could not be followed.
    """

    names: tuple[str, ...]
    coefficients: Array
    covariance: Array
    model_covariance: Array
    selection_names: tuple[str, ...]
    selection_coefficients: Array
    selection_covariance: Array
    sigma: float
    sigma_std_error: float
    rho: float
    rho_interval: Accepted | None
    lambda_coefficient: float
    lambda_std_error: float
    log_likelihood: float
    lr_statistic: float  # of rho = 0, chi-squared with one df
    lr_p_value: float
    iterations: int
    decrement: float
    largest_score: float
    others: tuple[LikelihoodMaximum, ...]
    remarks: tuple[str, ...]
    identification: Identification
    n: int
    n_selected: int
    n_clusters: int | None
    respondents: Respondents | None
    method: str
    conf_level: float

    @property
    def rho_conf_low(self) -> float:
        """The lower end of the profile-likelihood interval of rho (two-step: NaN)."""
        return math.nan if self.rho_interval is None else self.rho_interval.low

    @property
    def rho_conf_high(self) -> float:
        """The upper end of the profile-likelihood interval of rho (two-step: NaN)."""
        return math.nan if self.rho_interval is None else self.rho_interval.high

    @property
    def edge(self) -> bool:
        """Is the reported maximum an edge solution, because no maximum lies inside -.99..99?"""
        return self.rho_interval is not None and abs(self.rho) > EDGE

    def correlation(self) -> Estimate:
        """rho with its profile-likelihood interval and the likelihood-ratio test of no correlation.

        Interval and test take people as independent, whatever the covariance. Refuses a two-step fit, whose
        likelihood is not maximised (EstimationError).
        """
        if self.rho_interval is None:
            raise EstimationError("a two-step fit has no likelihood of rho: fit it by maximum likelihood")
        independent = ", which take people as independent, not teams" if self.n_clusters is not None else ""
        level = f"{100 * self.conf_level:g}%"
        inside = _stretches(self.rho_interval.gaps)
        apart = _stretches(self.rho_interval.apart)
        said = [
            f"{level} interval by profile likelihood, p of the likelihood-ratio test of no correlation{independent}.",
            f"Within the interval, values of rho {inside} are rejected." if inside else "",
            f"Beside the interval, at an edge, values of rho {apart} are not rejected." if apart else "",
            f"Standard deviation of the errors of the outcome {self.sigma:.4g} (SE {self.sigma_std_error:.3g}).",
            self._maxima(),
        ]
        return Estimate(
            estimate=self.rho,
            std_error=math.nan,
            df=math.inf,
            n=self.n,
            n_clusters=self.n_clusters,
            method="Heckman maximum likelihood, correlation of the errors of response and outcome, profile likelihood",
            conf_level=self.conf_level,
            statistic=self.lr_statistic,
            p_value=self.lr_p_value,
            conf_low=self.rho_interval.low,
            conf_high=self.rho_interval.high,
            note=" ".join(filter(None, said)),
        )

    def _maxima(self, term: str | None = None) -> str:
        """Which maximum is reported and which others the likelihood has, in words; empty where it has one, inside."""
        if not self.others and not self.edge:
            return " ".join(self.remarks)
        place = None if term is None else self.names.index(term)
        which = "an edge solution, as no maximum lies inside" if self.edge else "the highest maximum inside"
        said = f"Reported is {which}: rho {self.rho:.3f} (log likelihood {self.log_likelihood:.3f})."
        if self.others:
            said += f" Others: {'; '.join(other.words(place) for other in self.others)}."
        return " ".join((said, *self.remarks))

    def coefficient(self, *, term: str = "treatment", df: Literal["normal", "clusters"] = "normal") -> Estimate:
        """The coefficient of one term of the outcome equation, with its uncertainty.

        `df` "normal" uses z as gretl and Stata do; "clusters" Student's t with teams less one, as the
        linear models of this package. The note names the other maxima of the likelihood, with their coefficient of
        `term`, and what identifies the model. Refuses an unknown
        term or df (UnknownName), df by clusters without clusters, and a variance that is not positive, as a
        two-step rho outside -1..1 can give (EstimationError); with clusters, a two-valued term about one of whose
        values fewer than two clusters of respondents tell (SingleClusterArm).
        """
        if term not in self.names:
            raise UnknownName(f"the outcome equation has no term {term!r}; it has {', '.join(self.names)}")
        if df not in ("normal", "clusters"):
            raise UnknownName(f"no degrees of freedom {df!r}; there are normal, clusters")
        if df == "clusters" and self.n_clusters is None:
            raise EstimationError("degrees of freedom by clusters need a covariance by clusters")
        place = self.names.index(term)
        if self.respondents is not None:
            self.respondents.refuse_thin_arms(place)
        variance = float(self.covariance[place, place])
        beyond = f"Estimated rho {self.rho:.3f} lies outside -1..1." if abs(self.rho) > 1 else ""
        if not variance > 0:
            raise EstimationError(f"the corrected variance of {term} is not positive: {variance:g}. {beyond}".strip())
        freedom = math.inf if df == "normal" or self.n_clusters is None else self.n_clusters - 1.0
        return Estimate(
            estimate=float(self.coefficients[place]),
            std_error=math.sqrt(variance),
            df=freedom,
            n=self.n,
            n_clusters=self.n_clusters,
            method=f"{self.method}, {'z' if df == 'normal' else 't(G-1)'}",
            conf_level=self.conf_level,
            note=" ".join(
                filter(
                    None,
                    (
                        f"{self.n_selected} of {self.n} answered.",
                        beyond,
                        self._maxima(term),
                        self.identification.warning(),
                    ),
                )
            ),
        )


def _stretches(found: tuple[tuple[float, float], ...]) -> str:
    return " and ".join(f"from {low:.3f} to {high:.3f}" for low, high in found)


def said_of_several(fits: Sequence[SelectionFit]) -> str:
    """The note of an effect pooled over completed data sets: at which maxima they stand, and what identifies the
    model.
    """
    first, count = fits[0], len(fits)
    rho = [fit.rho for fit in fits]
    several = sum(any(not other.edge for other in fit.others) for fit in fits)
    higher = sum(any(other.log_likelihood > fit.log_likelihood for other in fit.others) for fit in fits)
    edge = sum(fit.edge for fit in fits)
    conditions = [fit.identification.condition_number for fit in fits]
    said = [
        f"{first.n_selected} of {first.n} answered.",
        (
            f"Each of the {count} completed data sets at its highest maximum inside, rho from {min(rho):.3f} to"
            f" {max(rho):.3f}."
        ),
        f"In {several} the likelihood has a further maximum inside." if several else "",
        f"In {higher} an edge solution is higher." if higher else "",
        f"In {edge} no maximum lies inside and an edge solution is used." if edge else "",
        "" if first.identification.excluded else BY_FORM,
        f"Condition numbers {min(conditions):.1f} to {max(conditions):.1f}.",
        " ".join(dict.fromkeys(remark for fit in fits for remark in fit.remarks)),
    ]
    return " ".join(filter(None, said))
