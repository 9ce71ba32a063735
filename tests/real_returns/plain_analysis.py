"""What a statistician would do by hand with the clean truth: pandas and statsmodels, and nothing of the package.

Leavers by their own rate over the follow-up, with fewer than twenty working days in post the rate of those of their
authority who stayed; the baseline year scaled where service was shorter; standard errors by team.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from real_trial import WEEKS, Truth

COVARIATES = "male + C(role) + part_time + years + C(authority)"


def outcomes(truth: Truth, answers: pd.DataFrame) -> pd.DataFrame:
    """One row a randomised person with outcome and covariates; `answers` has happiness and pressure by person."""
    d = truth.people.copy()
    launch = d["authority"].map(truth.launch())
    end = [day + timedelta(weeks=WEEKS) for day in launch]
    stop = [last if pd.isna(gone) else min(gone, last) for gone, last in zip(d["leaving"], end, strict=True)]
    days = [np.array(list(each), dtype="datetime64[D]") for each in (launch, end, stop)]
    whole, in_post = np.busday_count(days[0], days[1]), np.busday_count(days[0], days[2])
    stayers = d[d["left"] == 0].assign(in_post=in_post[d["left"] == 0]).dropna(subset="endline_days")
    by_authority = stayers.groupby("authority")
    rate = d["authority"].map(by_authority["endline_days"].sum() / by_authority["in_post"].sum())
    own = d["endline_days"] * whole / np.maximum(in_post, 1)
    floored = d["endline_days"] + rate * (whole - in_post)
    d["absence"] = np.where(d["left"] == 0, d["endline_days"], np.where(in_post < 20, floored, own))
    scale = np.where(d["service"] < 12, 12 / d["service"], 1.0)
    d["base"] = (d["base_days"] * scale).where(d["service"] > 3)
    d["unknown"] = d["base"].isna().astype(float)
    d["years"] = d["service"] / 12
    d["cluster"] = d["authority"] + d["team"].astype(str)
    return d.merge(answers, on=["authority", "staff"], how="left")


def estimates(d: pd.DataFrame) -> dict[str, tuple[float, float, int]]:
    """Estimate, standard error and n by result id."""
    filled = d.assign(base=d["base"].fillna(0))
    found = {
        "sickness_absence/itt/baseline-zero": _fit(f"absence ~ treatment + base + unknown + {COVARIATES}", filled),
        "sickness_absence/itt/baseline-complete": _fit(f"absence ~ treatment + base + {COVARIATES}", d),
        "sickness_absence/itt/unadjusted": _fit("absence ~ treatment", d),
    }
    for key in ("happiness", "time_pressure"):
        formula = f"{key}_2 ~ treatment + base + {key}_1 + {COVARIATES}"
        found[f"{key}/itt/complete-cases"] = _fit(formula, d)
    return found


def _fit(formula: str, d: pd.DataFrame) -> tuple[float, float, int]:
    names = [name for name in d.columns if name in formula]
    used = d.dropna(subset=names)
    groups = used["cluster"].astype("category").cat.codes
    fit = smf.ols(formula, used).fit(cov_type="cluster", cov_kwds={"groups": groups})
    return float(fit.params["treatment"]), float(fit.bse["treatment"]), int(fit.nobs)
