"""The logit and its effects on probabilities against R, gretl, statsmodels and a textbook (see SOURCE.md)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from hhp_stats.estimate.logistic import (
    average_change,
    change_at_means,
    clustered_logit_covariance,
    log_odds,
    logit,
    model_covariance,
)
from hhp_stats.regression.model_matrix import ModelMatrix, Term, model_matrix

HERE = Path(__file__).parent
DATA = pd.read_csv(HERE / "data.csv")
EXPECTED = pd.read_csv(HERE / "expected.csv")
GRETL = pd.read_csv(HERE / "gretl.csv")
TERMS = (Term(column="role", kind="categorical", base="manager"), Term(column="service", kind="continuous"))


def fitted(case):
    frame = DATA[DATA["case"] == case]
    return logit(outcome=frame["y"].to_numpy(), matrix=model_matrix(frame, TERMS)), frame


@pytest.mark.parametrize("row", EXPECTED.to_dict("records"), ids=lambda r: f"{r['case']}-{r['kind']}-{r['quantity']}")
def test_agrees_with_r(row):
    fit, frame = fitted(row["case"])
    model = row["kind"] == "model"
    covariance = model_covariance(fit) if model else clustered_logit_covariance(fit, clusters=frame["team"])
    quantity = row["quantity"]
    if quantity in ("log_odds", "service"):
        found = log_odds(fit, covariance, term="treatment" if quantity == "log_odds" else quantity)
    else:
        means = quantity.startswith("at_means")
        effect = (change_at_means if means else average_change)(fit, covariance)
        arm = quantity.removeprefix("at_means").removeprefix("average").removeprefix("_")
        found = getattr(effect, arm or "change")
    assert found.estimate == pytest.approx(row["estimate"], rel=1e-8)  # see SOURCE.md
    assert found.std_error == pytest.approx(row["std_error"], rel=1e-6)


@pytest.mark.parametrize("row", GRETL.to_dict("records"), ids=lambda r: f"{r['case']}-{r['term']}")
def test_agrees_with_gretl(row):
    fit, frame = fitted(row["case"])
    found = log_odds(fit, clustered_logit_covariance(fit, clusters=frame["team"]), term=row["term"])
    assert found.estimate == pytest.approx(row["coefficient"], rel=1e-8)  # gretl stops at 1e-7 in the likelihood
    assert found.std_error == pytest.approx(row["std_error"], rel=1e-6)


def test_the_hard_cases_are_still_there():
    by_case = DATA.groupby("case")
    assert by_case["y"].mean()["rare"] < 0.15
    assert by_case["team"].nunique()["few_teams"] <= 10
    assert (DATA[DATA["case"] == "singletons"].groupby("team").size() == 1).all()
    assert DATA[DATA["case"] == "within"].groupby("team")["treatment"].nunique().max() == 2
    assert EXPECTED.query("case == 'strong' and quantity == 'log_odds'")["estimate"].abs().min() > 3
    assert set(GRETL["case"]) == {"turnover", "few_teams", "rare"}


def test_statsmodels_differs_by_its_extra_factor():
    """statsmodels multiplies by (N-1)/(N-k) as well: the trap this reference is for."""
    fit, frame = fitted("few_teams")
    theirs = sm.Logit(frame["y"].to_numpy(), fit.matrix.values).fit(
        disp=0, tol=1e-14, cov_type="cluster", cov_kwds={"groups": frame["team"].to_numpy()}
    )
    n, k = fit.matrix.values.shape
    ours = clustered_logit_covariance(fit, clusters=frame["team"]).matrix
    assert theirs.cov_params() == pytest.approx(ours * (n - 1) / (n - k), rel=1e-7)  # two optimisers' stopping rules
    assert theirs.params == pytest.approx(fit.coefficients, rel=1e-7)


def test_spector_change_is_discrete_not_the_derivative():
    data = sm.datasets.spector.load_pandas()
    names = ("intercept", "GPA", "TUCE", "PSI")
    values = np.column_stack([np.ones(len(data.endog)), *(data.exog[name] for name in names[1:])])
    fit = logit(outcome=data.endog.to_numpy(), matrix=ModelMatrix(values=values, names=names))
    # Published to five decimals (coefficients) and six (effects): half a unit of the last digit.
    assert fit.coefficients == pytest.approx([-13.02135, 2.82611, 0.09516, 2.37869], abs=0.5e-5)
    change = change_at_means(fit, model_covariance(fit), term="PSI").change
    assert change.estimate == pytest.approx(0.456498, abs=0.5e-6)
    assert change.std_error == pytest.approx(0.181054, abs=0.5e-6)
    assert abs(change.estimate - 0.449339) > 0.005
