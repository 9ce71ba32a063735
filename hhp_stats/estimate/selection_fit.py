"""What a fitted selection model is: its numbers, how they are identified, and its coefficients as estimates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from hhp_stats.errors import EstimationError, UnknownName
from hhp_stats.estimate.model_matrix import Array
from hhp_stats.results import Estimate

# Belsley, Kuh and Welsch call scaled condition numbers above 30 harmful.
_HARMFUL = 30


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
            said.append("Identified by functional form alone: no term predicts response but not the outcome.")
        if not self.excluded or self.condition_number > _HARMFUL:
            said.append(
                f"Condition number {self.condition_number:.1f}, variance inflation of lambda {self.variance_inflation:.1f}."
            )
        return " ".join(said)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionFit:
    """A fitted selection model.

    n people, of whom n_selected answered. `coefficients` (k_x,) of the outcome equation in units of
    the outcome with `covariance` (k_x, k_x); `selection_coefficients` (k_z,) of the response probit.
    `lambda_coefficient` = rho sigma (two-step: as estimated, with `lambda_std_error`). Two-step has no
    interval for rho (NaN), no likelihood-ratio test and no joint likelihood. `model_covariance` is the
    covariance without clusters, always there. `iterations` and `largest_score` report convergence.
    """

    names: tuple[str, ...]
    coefficients: Array
    covariance: Array
    model_covariance: Array
    selection_names: tuple[str, ...]
    selection_coefficients: Array
    selection_covariance: Array
    sigma: float
    rho: float
    rho_conf_low: float
    rho_conf_high: float
    atanh_rho_std_error: float
    lambda_coefficient: float
    lambda_std_error: float
    log_likelihood: float
    lr_statistic: float  # of rho = 0, chi-squared with one df
    lr_p_value: float
    iterations: int
    largest_score: float
    identification: Identification
    n: int
    n_selected: int
    n_clusters: int | None
    method: str
    conf_level: float

    def coefficient(self, *, term: str = "treatment", df: Literal["normal", "clusters"] = "normal") -> Estimate:
        """The coefficient of one term of the outcome equation, with its uncertainty.

        `df` "normal" uses z as gretl and Stata do; "clusters" Student's t with teams less one, as the
        linear models of this package. The warning on identification becomes the note. Refuses an unknown
        term or df (UnknownName), df by clusters without clusters, and a variance that is not positive, as a
        two-step rho outside -1..1 can give (EstimationError).
        """
        if term not in self.names:
            raise UnknownName(f"the outcome equation has no term {term!r}; it has {', '.join(self.names)}")
        if df not in ("normal", "clusters"):
            raise UnknownName(f"no degrees of freedom {df!r}; there are normal, clusters")
        if df == "clusters" and self.n_clusters is None:
            raise EstimationError("degrees of freedom by clusters need a covariance by clusters")
        place = self.names.index(term)
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
                filter(None, (f"{self.n_selected} of {self.n} answered.", beyond, self.identification.warning()))
            ),
        )
