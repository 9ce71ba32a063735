"""A result once more, by statsmodels or linearmodels, from its recipe and the analysis frames alone.

The model matrix is patsy's, the fits are those of the libraries, pooling and the delta method are written out here
again. Nothing is shared with the package's own estimators.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from hhp_stats.consistency.second.frames import IMPUTATION, PERSON, AnalysisFrames
from hhp_stats.consistency.second.recipe import Recipe

Array = npt.NDArray[np.float64]
Found = tuple[float, float]  # estimate and variance of one data set
Quantity = Callable[[Recipe], Found]  # what a recipe takes from a fit


@dataclass(frozen=True, slots=True, kw_only=True)
class _Data:
    """One data set: rows (n), outcome (n,), model matrix (n, k) with the names of patsy, groups of each clustering
    (n,).
    """

    table: pd.DataFrame
    y: Array
    x: Array
    names: list[str]
    codes: list[npt.NDArray[np.int64]]

    @property
    def groups(self) -> int:
        """The smaller number of clusters; 0 without any."""
        return min((int(codes.max()) + 1 for codes in self.codes), default=0)


def second_estimates(recipes: Sequence[Recipe], frames: AnalysisFrames) -> list[dict[str, float]]:
    """Estimate, std_error, df, p_value, conf_low and conf_high of recipes of one fit (`Recipe.fit_key`).

    What the libraries have not is NaN.
    """
    first = recipes[0]
    if first.estimator == "welch":
        return [_welch(recipe, rows(recipe, frames)) for recipe in recipes]
    found: list[list[Found]] = [[] for _ in recipes]
    data = None
    for data in data_sets(first, frames):
        quantity = ESTIMATORS[first.estimator](first, data)
        for own, recipe in zip(found, recipes, strict=True):
            own.append(quantity(recipe))
    assert data is not None
    return [_over_data_sets(recipe, own, data) for recipe, own in zip(recipes, found, strict=True)]


def _over_data_sets(recipe: Recipe, found: Sequence[Found], data: _Data) -> dict[str, float]:
    """Inference from the estimates of all data sets, of which `data` is one."""
    df = {"clusters": data.groups - 1.0, "residual": float(len(data.x) - data.x.shape[1]), "normal": math.inf}.get(
        recipe.df, math.nan
    )
    values, variances = (np.array(part) for part in zip(*found, strict=True))
    estimate, variance = float(values.mean()), float(variances.mean())
    if recipe.imputed:
        between = float(values.var(ddof=1)) * (1 + 1 / len(values))
        variance += between
        share = between / variance
        by_sets = (len(values) - 1) / share**2 if share else math.inf
        df = by_sets if math.isinf(df) else 1 / (1 / by_sets + (df + 3) / ((df + 1) * df * (1 - share)))
    return _inference(recipe, estimate, math.sqrt(variance), df)


def _inference(recipe: Recipe, estimate: float, error: float, df: float) -> dict[str, float]:
    from scipy import stats

    reference = stats.norm if math.isinf(df) else stats.t(df)
    p = 2 * float(reference.sf(abs(estimate / error))) if error > 0 else math.nan
    reach = float(reference.ppf(0.5 + recipe.conf_level / 2)) * error
    low, high = estimate - reach, estimate + reach
    if recipe.quantity == "odds_ratio":
        estimate, low, high = math.exp(estimate), math.exp(low), math.exp(high)
        error *= estimate
    return {"estimate": estimate, "std_error": error, "df": df, "p_value": p, "conf_low": low, "conf_high": high}


def rows(recipe: Recipe, frames: AnalysisFrames) -> pd.DataFrame:
    """The people of the analysis, the first completed data set where values are imputed; the index is the person's
    number.
    """
    people = frames.people[recipe.frame].set_index(PERSON)
    for name in recipe.only:
        people = people.loc[people[name] == 1]
    if recipe.imputed:
        values = frames.imputed[recipe.imputed]
        first = values.loc[values[IMPUTATION] == 1].set_index(PERSON)
        people = people.assign(**{name: people[name].fillna(first[name]) for name in recipe.filled})
    return people.dropna(subset=list(recipe.known))


def data_sets(recipe: Recipe, frames: AnalysisFrames) -> Iterator[_Data]:
    """The analysis's data set, or each completed one. Only numbers are imputed, so patsy makes one matrix for all."""
    from patsy import dmatrix

    table = rows(recipe, frames)
    matrix = dmatrix(recipe.right_side(), table, return_type="dataframe", NA_action="raise")
    x, names, y = matrix.to_numpy(), list(matrix.columns), table[recipe.outcome].to_numpy(dtype=np.float64)
    codes = [np.asarray(pd.factorize(table[name])[0], dtype=np.int64) for name in recipe.clusters]
    yield _Data(table=table, y=y, x=x, names=names, codes=codes)
    if not recipe.imputed:
        return
    values = frames.imputed[recipe.imputed]
    place = table.index.get_indexer(pd.Index(values[PERSON]))
    filled = {name: values[name].to_numpy(dtype=np.float64) for name in recipe.filled}
    lines_of = values.groupby(IMPUTATION).indices  # found once: looking for those of one set takes as long as a fit
    for number in range(2, recipe.imputations + 1):
        lines = lines_of[number]
        x, y = x.copy(), y.copy()
        for name, column in filled.items():
            here = lines[(place[lines] >= 0) & ~np.isnan(column[lines])]
            if name == recipe.outcome:
                y[place[here]] = column[here]
            else:
                x[place[here], names.index(name)] = column[here]
        yield _Data(table=table, y=y, x=x, names=names, codes=codes)


def _ols(recipe: Recipe, data: _Data) -> Quantity:
    from statsmodels.regression.linear_model import OLS, WLS

    weighted = recipe.row_weights
    model = WLS(data.y, data.x, weights=data.table[weighted].to_numpy(dtype=float)) if weighted else OLS(data.y, data.x)
    if recipe.covariance in ("classical", "HC0", "HC1", "HC2", "HC3"):
        fit = model.fit(method="qr", cov_type="nonrobust" if recipe.covariance == "classical" else recipe.covariance)
    elif recipe.covariance in ("CR0", "CR1", "two-way"):
        groups = np.column_stack(data.codes) if recipe.covariance == "two-way" else data.codes[0]
        corrected = {"groups": groups, "use_correction": recipe.covariance != "CR0"}
        fit = model.fit(method="qr", cov_type="cluster", cov_kwds=corrected)
    else:  # statsmodels has no CR2 or CR3: the estimate alone is compared
        fit = model.fit(method="qr")
    unknown = recipe.covariance in ("CR2", "CR3")
    covariance = np.full((len(data.names), len(data.names)), np.nan) if unknown else fit.cov_params()

    def quantity(one: Recipe) -> Found:
        contrast = np.zeros(len(data.names))
        for name, weight in one.weights.items():
            contrast[data.names.index(one.coefficient(name))] = weight
        return float(contrast @ fit.params), float(contrast @ covariance @ contrast)

    return quantity


def _logit(recipe: Recipe, data: _Data) -> Quantity:
    from statsmodels.discrete.discrete_model import Logit

    fit = Logit(data.y, data.x).fit(
        disp=0, method="newton", maxiter=100, tol=1e-12, cov_type="cluster", cov_kwds={"groups": data.codes[0]}
    )
    n, k = data.x.shape
    # statsmodels multiplies by (N - 1)/(N - k) beside G/(G - 1); Stata and the plan do not.
    covariance = np.asarray(fit.cov_params()) * (n - k) / (n - 1)
    b, place = np.asarray(fit.params), data.names.index(recipe.treatment)

    def quantity(one: Recipe) -> Found:
        if one.quantity == "odds_ratio":
            return float(b[place]), float(covariance[place, place])
        at = data.x.mean(axis=0)[None, :] if one.at == "means" else data.x
        weights = {"change": (-1.0, 1.0), "probability_0": (1.0, 0.0), "probability_1": (0.0, 1.0)}[one.quantity]
        value, gradient = 0.0, np.zeros(k)
        for arm, weight in enumerate(weights):
            people = at.copy()
            people[:, place] = arm
            p = 1 / (1 + np.exp(-people @ b))
            value += weight * float(p.mean())
            gradient += weight * ((p * (1 - p)) @ people) / len(people)
        return value, float(gradient @ covariance @ gradient)

    return quantity


def _two_stage(recipe: Recipe, data: _Data) -> Quantity:
    from linearmodels.iv import IV2SLS

    place = data.names.index(recipe.treatment)
    takeup = data.table[recipe.takeup].to_numpy(dtype=np.float64)
    fit = IV2SLS(data.y, np.delete(data.x, place, axis=1), takeup, data.x[:, place]).fit(
        cov_type="clustered", clusters=data.codes[0], debiased=True
    )
    return lambda _: (float(fit.params["endog"]), float(fit.std_errors["endog"]) ** 2)


def _two_step(recipe: Recipe, data: _Data) -> Quantity:
    """Probit of answering, then least squares of the answers with the inverse Mills ratio; its errors are not
    corrected.
    """
    from scipy import stats
    from statsmodels.discrete.discrete_model import Probit
    from statsmodels.regression.linear_model import OLS

    answered = ~np.isnan(data.y)
    probit = Probit(answered.astype(float), data.x).fit(disp=0, method="newton", maxiter=100, tol=1e-12)
    index = data.x @ probit.params
    mills = np.exp(stats.norm.logpdf(index) - stats.norm.logcdf(index))
    fit = OLS(data.y[answered], np.column_stack([data.x, mills])[answered]).fit(method="qr")
    return lambda _: (float(fit.params[data.names.index(recipe.treatment)]), math.nan)


def _welch(recipe: Recipe, table: pd.DataFrame) -> dict[str, float]:
    from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

    arms = [table.loc[table[recipe.treatment] == arm, recipe.outcome].to_numpy(dtype=float) for arm in (1, 0)]
    both = CompareMeans(*(DescrStatsW(arm) for arm in arms))
    _, p, df = both.ttest_ind(usevar="unequal")
    low, high = both.tconfint_diff(alpha=1 - recipe.conf_level, usevar="unequal")
    return {
        "estimate": float(arms[0].mean() - arms[1].mean()),
        "std_error": float(both.std_meandiff_separatevar),
        "df": float(df),
        "p_value": float(p),
        "conf_low": float(low),
        "conf_high": float(high),
    }


ESTIMATORS: Mapping[str, Callable[[Recipe, _Data], Quantity]] = {
    "ols": _ols,
    "logit": _logit,
    "two-stage": _two_stage,
    "two-step": _two_step,
}


def quietly(recipes: Sequence[Recipe], frames: AnalysisFrames) -> list[dict[str, float]]:
    """As `second_estimates`, without the libraries' remarks on few clusters and the like."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return second_estimates(recipes, frames)
