"""Outcomes that are not known, by formula: selection models, imputation, bounds and tipping points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from hhp_stats.errors import InvalidInput, UnknownName
from hhp_stats.estimate.bounds import Bounds, lee_bounds, worst_case_bounds
from hhp_stats.estimate.imputation import ImputationPlan, Imputations, ImputedVariable
from hhp_stats.estimate.imputation import impute as impute_by_plan
from hhp_stats.estimate.selection import SelectionFit, heckman_likelihood, heckman_two_step
from hhp_stats.estimate.tipping import TippingPoints
from hhp_stats.estimate.tipping import tipping_points as tipping_points_of
from hhp_stats.infer.pooling import PooledEstimate
from hhp_stats.infer.pooling import pool as pool_estimates
from hhp_stats.library.columns import as_held, is_text
from hhp_stats.library.formula import Missing, Model, complete_rows, model_of, refuse_unknown, variables_of
from hhp_stats.library.regression import Covariance, linear
from hhp_stats.library.tidy import Tidied
from hhp_stats.regression.model_matrix import Term
from hhp_stats.results.frame import Estimate

Analysis = Callable[[pd.DataFrame], Any]


@dataclass(frozen=True, kw_only=True, repr=False)
class SelectionModel(Tidied):
    """Heckman's model: `fit` holds both equations, rho with its interval, and every other maximum of the likelihood."""

    model: Model
    fit: SelectionFit

    def effect(self, term: str | None = None) -> Estimate:
        """The coefficient of the treatment in the equation of the outcome, or of another column."""
        return self.fit.coefficient(term=self.model.term(term))


def selection(
    formula: str,
    data: pd.DataFrame,
    *,
    answering: str | None = None,
    clusters: str | None = None,
    method: Literal["likelihood", "two-step"] = "likelihood",
    missing: Missing = "refuse",
    conf_level: float = 0.95,
) -> SelectionModel:
    """What would the effect be if everyone had answered, if answering is a probit correlated with the outcome?

    Rows without an outcome did not answer. `answering` are the terms that predict answering ("treatment + baseline +
    reminders"), as the formula's right side unless given. Estimators, assumptions and refusals:
    `hhp_stats.estimate.selection`. The two-step method has no variance by cluster.
    Source: Heckman (1979), Econometrica 47, 153-161.

    >>> import hhp_stats as hs
    >>> fit = hs.selection("absence ~ treatment + baseline", data=hs.example_trial(), clusters="team")
    >>> fit.effect().estimate < 0, -1 < fit.fit.rho < 1
    (True, True)
    """
    terms, lost = None, 0
    if answering is not None:
        needed = sorted(variables_of(answering))
        refuse_unknown(needed, data)
        complete = complete_rows(data, needed, missing)
        data, lost = data.loc[complete], int((~complete).sum())
    model = model_of(formula, data, clusters=clusters, missing=missing, unknown_outcomes=True)
    model = replace(model, dropped=model.dropped + lost)
    if answering is not None:
        kept, flag = data.iloc[model.rows], "answered"
        while flag in kept.columns:
            flag += "_"
        known = model.outcome.notna().to_numpy()
        terms = model_of(f"{flag} ~ {answering}", kept.assign(**{flag: known}), missing="refuse").matrix
    given: dict[str, Any] = {
        "outcome": model.outcome.to_numpy(dtype=np.float64),
        "matrix": model.matrix,
        "selection_matrix": terms,
        "conf_level": conf_level,
    }
    if method == "likelihood":
        return SelectionModel(model=model, fit=heckman_likelihood(**given, clusters=model.clusters))
    if method != "two-step":
        raise UnknownName(f"a selection model is fitted by 'likelihood' or 'two-step', not {method!r}")
    if clusters is not None:
        raise InvalidInput("the two-step method has no variance by cluster: leave clusters out, or use the likelihood")
    return SelectionModel(model=model, fit=heckman_two_step(**given))


def impute(
    data: pd.DataFrame,
    *,
    seed: int,
    m: int = 50,
    columns: Sequence[str] | None = None,
    predictors: Sequence[str] | None = None,
    within: str | None = None,
    clusters: str | None = None,
    iterations: int = 10,
) -> Imputations:
    """Fill the gaps `m` times by chained equations: numbers by predictive mean matching, 0/1 by logistic regression,
    text by
    multinomial logistic regression.

    `columns` to impute (all that have gaps unless named), `predictors` the complete columns that predict them (all
    complete ones that are no identifier: text that differs in every row is left out). `within` a column, such as the
    arm, whose groups are imputed apart. `clusters` gives numbers a team effect. A loop over the result gives the
    completed frames; `hs.pool` analyses them. Models: `hhp_stats.estimate.imputation`.

    Refuses unknown columns (UnknownName), and columns without gaps or without a predictor (InvalidInput).
    Source: van Buuren (2018), Flexible Imputation of Missing Data, 2nd ed., ch. 4.

    >>> import hhp_stats as hs
    >>> sets = hs.impute(hs.example_trial(), columns=["absence"], m=5, clusters="team", within="treatment", seed=1)
    >>> len(sets), int(sets.completed(0)["absence"].isna().sum())
    (5, 0)
    """
    refuse_unknown([], data)
    if columns is None or predictors is None:
        refuse_unknown(list(data.columns), data)
    chosen = [name for name in data.columns if data[name].isna().any()] if columns is None else list(columns)
    named = [*chosen, *(predictors or ()), *(name for name in (within, clusters) if name is not None)]
    refuse_unknown(named, data)
    data = data.assign(**{name: as_held(data[name]) for name in dict.fromkeys(named)})
    if whole := [name for name in chosen if not data[name].isna().any()]:
        raise InvalidInput(f"{', '.join(whole)} has no gaps to fill")
    complete = [name for name in data.columns if not data[name].isna().any() and _predicts(data[name])]
    terms = [
        name for name in (complete if predictors is None else predictors) if name not in (within, clusters, *chosen)
    ]
    data = data.assign(**{name: as_held(data[name]) for name in terms})
    return impute_by_plan(
        data,
        ImputationPlan(
            variables=tuple(_variable(name, data[name]) for name in chosen),
            terms=tuple(
                Term(column=name, kind="categorical" if is_text(data[name]) else "continuous") for name in terms
            ),
            within=within,
            clusters=clusters,
            imputations=m,
            iterations=iterations,
            seed=seed,
        ),
    )


def _predicts(values: pd.Series) -> bool:
    """Is this a covariate, and neither an identifier nor the same for everybody?"""
    return 1 < values.nunique() < (np.inf if pd.api.types.is_numeric_dtype(as_held(values)) else len(values))


def _variable(name: str, values: pd.Series) -> ImputedVariable:
    if is_text(values):
        return ImputedVariable(name=name, kind="unordered")
    return ImputedVariable(name=name, kind="binary" if values.dropna().isin((0, 1)).all() else "pmm")


def pool(
    sets: Imputations | Sequence[Estimate], analysis: Analysis | None = None, *, complete_df: float | None = None
) -> PooledEstimate:
    """What is the effect over all completed data sets, by Rubin's rules with Barnard and Rubin's degrees of freedom?

    Either the estimates themselves, or completed sets and the `analysis` of one, which returns an Estimate or a fitted
    model, whose effect is then meant. Where the degrees of freedom of complete data differ between sets
    (Satterthwaite's), the smallest is used unless `complete_df` is given. Formulas: `hhp_stats.infer.pooling.pool`.

    >>> import hhp_stats as hs
    >>> sets = hs.impute(hs.example_trial(), columns=["absence"], m=5, clusters="team", within="treatment", seed=1)
    >>> hs.pool(sets, lambda frame: hs.linear("absence ~ treatment + baseline", frame, clusters="team")).n
    288
    """
    if isinstance(sets, Imputations) and analysis is not None:
        found = [_estimate(analysis(frame)) for frame in sets]
    elif not isinstance(sets, Imputations) and analysis is None:
        found = [_estimate(each) for each in sets]
    else:
        raise InvalidInput("pool takes estimates, or completed data sets and the analysis of one")
    if complete_df is None and len({each.df for each in found}) > 1:
        complete_df = min(each.df for each in found)
    return pool_estimates(found, complete_df=complete_df)


def _estimate(found: Any) -> Estimate:
    """An estimate, or the effect of a fitted model."""
    effect = found if isinstance(found, Estimate) else found.effect() if hasattr(found, "effect") else None
    if not isinstance(effect, Estimate):
        raise InvalidInput(f"pooling takes estimates or fitted models, not {found!r}")
    return effect


def bounds(
    formula: str,
    data: pd.DataFrame,
    *,
    method: Literal["lee", "worst-case"] = "lee",
    seed: int | None = None,
    limits: tuple[float, float] | None = None,
    clusters: str | None = None,
    draws: int = 1000,
    missing: Missing = "refuse",
    conf_level: float = 0.95,
) -> Bounds:
    """Between which values must the effect lie, whatever those who did not answer would have said?

    `lee`: for those who answer in either arm, by trimming the arm that answered more (needs a `seed`; the formula
    names the treatment only). `worst-case`: all missing outcomes at one of the `limits` of the scale, the worst way
    round (needs `clusters`). Rows without an outcome count as not answered. Formulas: `hhp_stats.estimate.bounds`.
    Source: Lee (2009), Review of Economic Studies 76, 1071-1102; Horowitz and Manski (2000), JASA 95, 77-84.

    >>> import hhp_stats as hs
    >>> found = hs.bounds("absence ~ treatment", data=hs.example_trial(), clusters="team", draws=100, seed=1)
    >>> found.lower.estimate < found.upper.estimate
    True
    """
    model = model_of(formula, data, clusters=clusters, missing=missing, unknown_outcomes=True)
    outcome = model.outcome.to_numpy(dtype=np.float64)
    if method == "lee":
        if seed is None or model.matrix.names != ("intercept", *model.treatment):
            raise InvalidInput("Lee's bounds need a seed, and a formula of outcome and treatment alone")
        return lee_bounds(
            outcome=outcome,
            treatment=model.both_arms(),
            clusters=model.clusters,
            draws=draws,
            seed=seed,
            conf_level=conf_level,
        )
    if method != "worst-case":
        raise UnknownName(f"there are bounds by 'lee' and 'worst-case', not {method!r}")
    if limits is None or model.clusters is None:
        raise InvalidInput("worst-case bounds need the limits of the scale, such as (0, 10), and clusters")
    return worst_case_bounds(
        outcome=outcome,
        matrix=model.matrix,
        lowest=limits[0],
        highest=limits[1],
        clusters=model.clusters,
        term=model.term(None),
        conf_level=conf_level,
    )


def tipping_points(
    sets: Imputations,
    formula: str,
    *,
    deltas: Sequence[float],
    clusters: str | None = None,
    covariance: Covariance | None = None,
    complete_df: float | None = None,
) -> TippingPoints:
    """By how much must the unseen outcomes differ from the imputed ones to change the conclusion?

    The `deltas`, in units of the outcome, are added to imputed outcomes of the treated arm, the control arm and both;
    each time `hs.linear` with this formula analyses the completed sets. Method and refusals:
    `hhp_stats.estimate.tipping`.
    Source: van Buuren (2018), section 3.8.

    >>> import hhp_stats as hs
    >>> sets = hs.impute(hs.example_trial(), columns=["absence"], m=3, seed=1)
    >>> found = hs.tipping_points(sets, "absence ~ treatment", deltas=[-3, 3], clusters="team", covariance="CR1")
    >>> found.grid.columns[:4].tolist()
    ['shifted', 'delta', 'estimate', 'std_error']
    """
    first = sets.completed(0)
    model = model_of(formula, first, clusters=clusters)
    if model.term(None) not in first.columns:
        raise InvalidInput(
            f"outcomes are moved by arm: the treatment must be a column of 0 and 1, not {model.term(None)}"
        )
    return tipping_points_of(
        sets,
        outcome=str(model.outcome.name),
        deltas=deltas,
        treatment=model.term(None),
        complete_df=complete_df,
        fit=lambda frame: linear(formula, frame, clusters=clusters, covariance=covariance).effect(),
    )
