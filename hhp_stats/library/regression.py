"""Regressions by formula: least squares with robust variances, and logistic regression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import pandas as pd

from hhp_stats.errors import UnknownName
from hhp_stats.estimate.firth import firth_average_change, firth_change_at_means, firth_log_odds, firth_logit
from hhp_stats.estimate.logistic import (
    LogitFit,
    average_change,
    change_at_means,
    clustered_logit_covariance,
    log_odds,
    model_covariance,
)
from hhp_stats.estimate.logistic import (
    logit as fit_logit,
)
from hhp_stats.library.formula import Missing, Model, model_of
from hhp_stats.library.tidy import Tidied
from hhp_stats.regression.cluster_robust import (
    ClusterKind,
    DegreesOfFreedom,
    HeteroskedasticKind,
    RobustCovariance,
    cluster_covariance,
    coefficient,
    heteroskedastic_covariance,
    linear_contrast,
)
from hhp_stats.regression.linear import LinearFit, ols
from hhp_stats.results.frame import Estimate, checked_level

CLUSTERED = ("CR0", "CR1", "CR2", "CR3")
INDEPENDENT = ("HC0", "HC1", "HC2", "HC3")
Covariance = Literal["CR0", "CR1", "CR2", "CR3", "HC0", "HC1", "HC2", "HC3"]


@dataclass(frozen=True, kw_only=True, repr=False)
class LinearModel(Tidied):
    """A least-squares fit with its variances; `fit` and `covariance` are what `hhp_stats.estimate` and `infer` work
    with.
    """

    model: Model
    fit: LinearFit
    covariance: RobustCovariance
    df: DegreesOfFreedom
    conf_level: float

    def effect(self, term: str | None = None) -> Estimate:
        """The coefficient of the treatment, or of another column of the model.

        Beside a product of the treatment with a covariate it is the effect where that covariate is zero.
        """
        return coefficient(
            self.fit, self.covariance, term=self.model.term(term), df=self.df, conf_level=self.conf_level
        )

    def contrast(self, weights: Mapping[str, float]) -> Estimate:
        """A weighted sum of coefficients: `{"arm[T.film]": 1, "arm[T.letter]": -1}` compares two arms."""
        return linear_contrast(self.fit, self.covariance, weights=weights, df=self.df, conf_level=self.conf_level)


def linear(
    formula: str,
    data: pd.DataFrame,
    *,
    clusters: str | None = None,
    covariance: Covariance | None = None,
    df: DegreesOfFreedom | None = None,
    missing: Missing = "refuse",
    conf_level: float = 0.95,
) -> LinearModel:
    """By how much does the mean outcome differ between the arms, the other terms held fixed? Least squares.

    `clusters` names the column of the groups that were drawn whole. `covariance`: CR0 to CR3 with clusters (CR2 unless
    named), HC0 to HC3 without (HC2 unless named). `df`: satterthwaite with CR2 and CR3, clusters (G - 1) with CR0 and
    CR1, residual (n - k) without clusters, or normal. Formulas: `hhp_stats.library.formula.model_of`; formulas of the
    variances: `hhp_stats.regression.cluster_robust`.

    Refuses what these refuse, and a covariance that does not fit to the presence of clusters (UnknownName).
    Source: Bell and McCaffrey (2002), Survey Methodology 28, 169-181; Pustejovsky and Tipton (2018), Journal of
    Business & Economic Statistics 36, 672-683.

    >>> import hhp_stats as hs
    >>> trial = hs.example_trial()
    >>> asked = "absence ~ treatment + baseline + C(role) | authority"
    >>> fit = hs.linear(asked, data=trial, clusters="team", missing="drop")
    >>> fit.effect()
    Estimate(-0.897, SE 0.4086, df 41, p = 0.034, 95% -1.722 to -0.07168)
    >>> fit.tidy().columns.tolist()
    ['term', 'estimate', 'std_error', 'statistic', 'df', 'p_value', 'conf_low', 'conf_high']
    """
    checked_level(conf_level)
    model = model_of(formula, data, clusters=clusters, missing=missing)
    kind = covariance or ("HC2" if clusters is None else "CR2")
    allowed = INDEPENDENT if clusters is None else CLUSTERED
    if kind not in allowed:
        raise UnknownName(
            f"{'without' if clusters is None else 'with'} clusters, covariance is one of {', '.join(allowed)}"
        )
    fit = ols(outcome=model.outcome.to_numpy(dtype=np.float64), matrix=model.matrix)
    found = (
        heteroskedastic_covariance(fit, kind=cast(HeteroskedasticKind, kind))
        if model.clusters is None
        else cluster_covariance(fit, clusters=model.clusters, kind=cast(ClusterKind, kind))
    )
    usual: DegreesOfFreedom = (
        "residual" if clusters is None else "satterthwaite" if kind in ("CR2", "CR3") else "clusters"
    )
    return LinearModel(model=model, fit=fit, covariance=found, df=df or usual, conf_level=conf_level)


@dataclass(frozen=True, kw_only=True, repr=False)
class LogitModel(Tidied):
    """A logistic regression; its coefficients are log odds, its effect a change of the probability."""

    model: Model
    fit: LogitFit
    covariance: RobustCovariance | None  # None: penalised, with intervals from the profile of the likelihood
    conf_level: float
    penalised: bool = False

    def effect(self, term: str | None = None, *, at: Literal["average", "means"] = "average") -> Estimate:
        """By how much does the probability change from treatment 0 to 1?

        `average`: over the people as they are; `means`: for one person with the average of every covariate. Terms that
        change with the treatment are refused (InvalidInput): its column alone is moved.
        """
        if at not in ("average", "means"):
            raise UnknownName(f"a change of probability is that at the 'average' or at the 'means', not {at!r}")
        self.model.refuse_moving("a change from 0 to 1")
        name = self.model.term(term)
        if self.covariance is None:
            change = firth_average_change if at == "average" else firth_change_at_means
            return change(self.fit, term=name, clusters=self.model.clusters, conf_level=self.conf_level).change
        ordinary = average_change if at == "average" else change_at_means
        return ordinary(self.fit, self.covariance, term=name, conf_level=self.conf_level).change

    def log_odds(self, term: str | None = None) -> Estimate:
        """The coefficient of the treatment, or of another column: a difference of log odds."""
        name = self.model.term(term)
        if self.covariance is None:
            return firth_log_odds(self.fit, term=name, clusters=self.model.clusters, conf_level=self.conf_level)
        return log_odds(self.fit, self.covariance, term=name, conf_level=self.conf_level)

    def _coefficient(self, term: str) -> Estimate:
        return self.log_odds(term)


def logit(
    formula: str,
    data: pd.DataFrame,
    *,
    clusters: str | None = None,
    penalised: bool = False,
    missing: Missing = "refuse",
    conf_level: float = 0.95,
) -> LogitModel:
    """By how much does the probability of an outcome of 0 and 1 differ between the arms? Logistic regression.

    Variances by cluster (CR1, `hhp_stats.estimate.logistic.clustered_logit_covariance`) or, without clusters, from the
    information. `penalised`: Firth's estimate, for rare outcomes and arms in which nobody or everybody has it, with
    intervals and tests from the profile of the penalised likelihood (`hhp_stats.estimate.firth`).

    Refuses separated data unless `penalised` (Separation), an outcome other than 0 and 1, and what `model_of` refuses.
    Source: Long and Freese (2014), ch. 4; Firth (1993), Biometrika 80, 27-38.

    >>> import hhp_stats as hs
    >>> fit = hs.logit("left ~ treatment + baseline", data=hs.example_trial(), clusters="team", missing="drop")
    >>> fit.effect()
    Estimate(-0.0256, SE 0.03411, normal, p = 0.45, 95% -0.09245 to 0.04126)
    """
    checked_level(conf_level)
    model = model_of(formula, data, clusters=clusters, missing=missing)
    y = model.outcome.to_numpy(dtype=np.float64)
    if penalised:
        return LogitModel(
            model=model,
            fit=firth_logit(outcome=y, matrix=model.matrix),
            covariance=None,
            conf_level=conf_level,
            penalised=True,
        )
    fit = fit_logit(outcome=y, matrix=model.matrix)
    covariance = (
        model_covariance(fit) if model.clusters is None else clustered_logit_covariance(fit, clusters=model.clusters)
    )
    return LogitModel(model=model, fit=fit, covariance=covariance, conf_level=conf_level)
