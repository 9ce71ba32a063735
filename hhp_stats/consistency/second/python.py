"""The programme in Python that a reviewer runs to get one result with statsmodels or linearmodels."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hhp_stats.consistency.second.frames import FOLDER
from hhp_stats.consistency.second.recipe import FIELDS, Recipe

RESULTS = ".report/results"
_TAIL = """
std_error = np.sqrt(variance)
p_value = 2 * stats.t.sf(abs(estimate / std_error), df)
conf_low, conf_high = estimate + std_error * stats.t.ppf([{low}, {high}], df)
"""
_POOLED = """
m, within, between = len(estimates), np.mean(variances), np.var(estimates, ddof=1)
estimate, variance = np.mean(estimates), within + (1 + 1 / m) * between  # Rubin (1987)
share = (1 + 1 / m) * between / variance
"""
_BARNARD_RUBIN = """observed = (df + 1) / (df + 3) * df * (1 - share)  # Barnard and Rubin (1999)
df = 1 / (share**2 / (m - 1) + 1 / observed)
"""
_NORMAL_POOLED = "df = (m - 1) / share**2\n"


def python_programme(recipe: Recipe) -> str:
    """A complete programme that reads the analysis frame, to be run in the project's folder, and prints the row."""
    study = recipe.result_id.split("/")[0]
    body = BODIES[recipe.estimator](recipe)
    library = {
        "ols": "import statsmodels.formula.api as smf",
        "logit": "import statsmodels.formula.api as smf",
        "two-stage": "from linearmodels.iv import IV2SLS",
        "two-step": "import statsmodels.formula.api as smf",
        "welch": "from statsmodels.stats.weightstats import CompareMeans, DescrStatsW",
    }[recipe.estimator]
    lines = [
        f"# {recipe.result_id}",
        "import numpy as np",
        "import pandas as pd",
        library,
        "from scipy import stats",
        "",
    ]
    place = f"{RESULTS}/{study}/{FOLDER}"
    texts = f", dtype={dict.fromkeys(recipe.categories, 'str')}" if recipe.categories else ""
    texts += ', keep_default_na=False, na_values=[""]' if texts else ""
    lines.append(f'people = pd.read_csv("{place}/{recipe.frame}.csv", index_col="person"{texts})'.replace("'", '"'))
    lines += [f'people = people[people["{name}"] == 1]' for name in recipe.only]
    needed = f".dropna(subset={list(recipe.known)})" if recipe.known else ""
    if recipe.imputed:
        lines += [
            f'completed = pd.read_csv("{place}/{recipe.imputed}.csv.gz", index_col="person")',
            "",
            "estimates, variances = [], []",
            f"for number in range(1, {recipe.imputations + 1}):",
            f'    values = completed.loc[completed["imputation"] == number, {list(recipe.filled)}]',
            f"    data = people.fillna(values){needed}",
            *("    " + line if line else line for line in body),
            "    estimates.append(estimate)",
            "    variances.append(variance)",
        ]
    else:
        lines += [f"data = people{needed}", "", *body]
    text = "\n".join(lines) + "\n"
    if recipe.estimator == "two-step":
        text += (
            "std_error = df = p_value = conf_low = conf_high = np.nan  # the second step's own errors would be too"
            " small\n"
        )
    elif recipe.covariance in ("CR2", "CR3"):
        text += "estimate = np.mean(estimates)\n" if recipe.imputed else ""
        text += (
            f"std_error = df = p_value = conf_low = conf_high = np.nan  # statsmodels has no {recipe.covariance}; R"
            " has\n"
        )
    elif recipe.estimator != "welch":
        text += "df = {}\n".format(
            {"clusters": _clusters(recipe), "residual": "fit.df_resid", "normal": "np.inf"}[recipe.df]
        )
        if recipe.imputed:
            text += _POOLED.lstrip("\n") + (_NORMAL_POOLED if recipe.df == "normal" else _BARNARD_RUBIN)
        alpha = 1 - recipe.conf_level
        text += _TAIL.format(low=f"{alpha / 2:.10g}", high=f"{1 - alpha / 2:.10g}").lstrip("\n")
    if recipe.quantity == "odds_ratio":
        text += "estimate, conf_low, conf_high = np.exp([estimate, conf_low, conf_high])  # from log odds to odds\n"
        text += "std_error = std_error * estimate\n"
    text += "\n" + "".join(f'print("{name:<10}", {name})\n' for name in FIELDS)
    return text


def _clusters(recipe: Recipe) -> str:
    if len(recipe.clusters) == 1:
        return f'data["{recipe.clusters[0]}"].nunique() - 1'
    return f"data[{list(recipe.clusters)}].nunique().min() - 1"


def _formula(recipe: Recipe, outcome: str | None = None) -> list[str]:
    """The formula over as many lines as it needs."""
    terms = recipe.right_side().split(" + ")
    found, line = [], f"{outcome or recipe.outcome} ~ {terms[0]}"
    for term in terms[1:]:
        if len(line) + len(term) > 91:
            found.append(f"{line} ")
            line = f"+ {term}"
        else:
            line += f" + {term}"
    return ["formula = (", *(f"    {part!r}" for part in (*found, line)), ")"]


def _chosen(recipe: Recipe) -> list[str]:
    """The lines that take the quantity from a fit."""
    if len(recipe.weights) == 1 and set(recipe.weights.values()) == {1.0}:
        name = recipe.coefficient(next(iter(recipe.weights)))
        return [f'estimate, variance = fit.params["{name}"], fit.cov_params().loc["{name}", "{name}"]']
    weights = {recipe.coefficient(name): weight for name, weight in recipe.weights.items()}
    return [
        f"weights = pd.Series({weights}).reindex(fit.params.index, fill_value=0.0)",
        "estimate, variance = weights @ fit.params, weights @ fit.cov_params() @ weights",
    ]


def _ols(recipe: Recipe) -> list[str]:
    kind = recipe.covariance
    if kind in ("CR0", "CR1"):
        correction = "" if kind == "CR1" else ', "use_correction": False'
        fitted = f'cov_type="cluster", cov_kwds={{"groups": data["{recipe.clusters[0]}"]{correction}}}'
    elif kind == "two-way":
        codes = ", ".join(f'pd.factorize(data["{name}"])[0]' for name in recipe.clusters)
        fitted = f'cov_type="cluster", cov_kwds={{"groups": np.column_stack([{codes}])}}'
    else:
        fitted = "" if kind in ("classical", "CR2", "CR3") else f'cov_type="{kind}"'
    weights = recipe.row_weights
    model = f'smf.wls(formula, data, weights=data["{weights}"])' if weights else "smf.ols(formula, data)"
    return [*_formula(recipe), f"fit = {model}.fit({fitted})", *_chosen(recipe)]


def _logit(recipe: Recipe) -> list[str]:
    groups = f'data["{recipe.clusters[0]}"]'
    lines = [
        *_formula(recipe),
        "model = smf.logit(formula, data)",
        f'fit = model.fit(disp=0, tol=1e-12, maxiter=100, cov_type="cluster", cov_kwds={{"groups": {groups}}})',
        "n, k = model.exog.shape",
        "covariance = fit.cov_params().to_numpy() * (n - k) / (n - 1)  # G/(G - 1) alone, as Stata",
        f'place = model.exog_names.index("{recipe.treatment}")',
    ]
    if recipe.quantity == "odds_ratio":
        return [*lines, "estimate, variance = fit.params.iloc[place], covariance[place, place]"]
    at = "model.exog.mean(axis=0, keepdims=True)" if recipe.at == "means" else "model.exog"
    lines += [
        f"without = {at}.copy()  # covariates {'at their means' if recipe.at == 'means' else 'as they are'}",
        "treated = without.copy()",
        "without[:, place], treated[:, place] = 0, 1",
        "p0, p1 = (1 / (1 + np.exp(-x @ fit.params.to_numpy())) for x in (without, treated))",
        "g0, g1 = ((p * (1 - p)) @ x / len(x) for p, x in ((p0, without), (p1, treated)))",
    ]
    value, gradient = {
        "change": ("p1.mean() - p0.mean()", "g1 - g0"),
        "probability_0": ("p0.mean()", "g0"),
        "probability_1": ("p1.mean()", "g1"),
    }[recipe.quantity]
    return [
        *lines,
        f"estimate, gradient = {value}, {gradient}",
        "variance = gradient @ covariance @ gradient  # delta method",
    ]


def _two_stage(recipe: Recipe) -> list[str]:
    others = [term for term in recipe.terms if term.column != recipe.treatment]
    terms = [f"C({term.column}, contr.treatment('{term.base}'))" if term.base else term.column for term in others]
    right = " + ".join(["1", *terms, f"[{recipe.takeup} ~ {recipe.treatment}]"])
    group = f'data["{recipe.clusters[0]}"]'
    return [
        "formula = (",
        f'    "{recipe.outcome} ~ {right}"',
        ")",
        f'fit = IV2SLS.from_formula(formula, data).fit(cov_type="clustered", clusters={group}, debiased=True)',
        f'estimate, variance = fit.params["{recipe.takeup}"], fit.cov.loc["{recipe.takeup}", "{recipe.takeup}"]',
    ]


def _two_step(recipe: Recipe) -> list[str]:
    return [
        f'data["answered"] = data["{recipe.outcome}"].notna().astype(float)',
        *_formula(recipe, outcome="answered"),
        "probit = smf.probit(formula, data).fit(disp=0, tol=1e-12, maxiter=100)",
        "index = probit.fittedvalues  # z'g",
        'data["mills"] = np.exp(stats.norm.logpdf(index) - stats.norm.logcdf(index))',
        f'formula = formula.replace("answered", "{recipe.outcome}") + " + mills"',
        'fit = smf.ols(formula, data[data["answered"] == 1]).fit()',
        f'estimate = fit.params["{recipe.treatment}"]',
    ]


def _welch(recipe: Recipe) -> list[str]:
    arm = f'data.loc[data["{recipe.treatment}"] == {{}}, "{recipe.outcome}"]'
    return [
        f"first, second = {arm.format(1)}, {arm.format(0)}",
        "both = CompareMeans(DescrStatsW(first), DescrStatsW(second))",
        "estimate, std_error = first.mean() - second.mean(), both.std_meandiff_separatevar",
        '_, p_value, df = both.ttest_ind(usevar="unequal")',
        f'conf_low, conf_high = both.tconfint_diff(alpha={1 - recipe.conf_level:.10g}, usevar="unequal")',
    ]


BODIES: Mapping[str, Callable[[Recipe], list[str]]] = {
    "ols": _ols,
    "logit": _logit,
    "two-stage": _two_stage,
    "two-step": _two_step,
    "welch": _welch,
}
