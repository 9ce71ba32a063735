"""Where a selection model of the goal-setting trial has its maxima, and what it rests on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hhp_stats.errors import EstimationError
from hhp_stats.estimate.selection import heckman_two_step
from hhp_stats.studies.estimators.missing import selection_fit
from hhp_stats.studies.goal_setting.analysed import Material, analysis_data

COLUMNS = [
    "outcome",
    "reported",
    "rho",
    "rho_low",
    "rho_high",
    "p_value",
    "log_likelihood",
    "estimate",
    "stationary",
]


def maxima(material: Material) -> pd.DataFrame:
    """Where does the likelihood of each selection model have maxima? One row a maximum, the reported one of an
    outcome first.

    Columns: outcome, reported, rho with the ends of its profile-likelihood interval and the p of no correlation
    (reported ones only), log_likelihood, estimate (the effect there), stationary (False where rho runs to -1 or 1).
    Outcomes whose model cannot be fitted have no row; their result says why.
    """
    rows: list[dict[str, object]] = []
    for analysis in material.plan.analyses:
        if analysis.estimator != "heckman" or analysis.baseline_absence in material.plan.imputation.models:
            continue
        try:
            data = analysis_data(analysis, material)
            fit = selection_fit(data, data.sets().only(analysis.id))
        except EstimationError:
            continue
        place = fit.names.index("treatment")
        rows.append(
            {
                "outcome": analysis.outcome,
                "reported": True,
                "rho": fit.rho,
                "rho_low": fit.rho_conf_low,
                "rho_high": fit.rho_conf_high,
                "p_value": fit.lr_p_value,
                "log_likelihood": fit.log_likelihood,
                "estimate": float(fit.coefficients[place]),
                "stationary": True,
            }
        )
        rows += [
            {
                "outcome": analysis.outcome,
                "reported": False,
                "rho": other.rho,
                "rho_low": np.nan,
                "rho_high": np.nan,
                "p_value": np.nan,
                "log_likelihood": other.log_likelihood,
                "estimate": float(other.coefficients[place]),
                "stationary": other.stationary,
            }
            for other in fit.others
        ]
    return pd.DataFrame(
        rows,
        columns=COLUMNS,
    )


def identification(outcomes: tuple[str, ...], material: Material) -> pd.DataFrame:
    """On what does the selection model rest? One row an outcome whose model can be fitted: condition number, variance
    inflation, how many answered.

    Without a term that predicts response alone, only the curvature of the response model tells selection from effect.
    A scaled condition number above 30 is harmful (Belsley, Kuh and Welsch 1980).
    """
    rows = []
    for key in outcomes:
        analysis = material.plan.analysis(f"{key}/itt/heckman-two-step")
        try:
            model = analysis_data(analysis, material).sets().only(analysis.id)
            fit = heckman_two_step(outcome=model.outcome, matrix=model.matrix, conf_level=material.plan.conf_level)
        except EstimationError:  # the row of the result says why
            continue
        rows.append(
            {
                "outcome": key,
                "condition_number": fit.identification.condition_number,
                "variance_inflation": fit.identification.variance_inflation,
                "answered": fit.n_selected,
                "people": fit.n,
            }
        )
    return pd.DataFrame(rows, columns=["outcome", "condition_number", "variance_inflation", "answered", "people"])
