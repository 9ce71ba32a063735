"""Chained equations against mice, by distribution; categorical models against polr and multinom."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose

from hhp_stats.estimate.imputation import ImputationPlan, ImputedVariable, categorical, impute
from hhp_stats.regression.model_matrix import Term

HERE = Path(__file__).parent
EXPECTED = pd.read_csv(HERE / "expected.csv")
DATA = pd.read_csv(HERE / "data.csv")
COVARIATES = (Term(column="x1", kind="continuous"), Term(column="x2", kind="continuous"))
ARM = Term(column="treatment", kind="binary")
M = 100  # ours; mice's is in the file, 200


def variables(binary: str) -> tuple[ImputedVariable, ...]:
    return (
        ImputedVariable(name="y1", kind="continuous"),
        ImputedVariable(name="y2", kind="pmm"),
        ImputedVariable(name="b", kind=binary),  # type: ignore[arg-type]
    )


PLANS = {
    "together_norm": ImputationPlan(
        variables=variables("continuous"), terms=(ARM, *COVARIATES), within=None, imputations=M, seed=1
    ),
    "together_logreg": ImputationPlan(
        variables=variables("binary"), terms=(ARM, *COVARIATES), within=None, imputations=M, seed=2
    ),
    "within_arm": ImputationPlan(variables=variables("binary"), terms=COVARIATES, imputations=M, seed=3),
    "two_level": ImputationPlan(
        variables=variables("binary")[:1],
        terms=(ARM, *COVARIATES),
        within=None,
        clusters="team_id",
        imputations=M,
        iterations=1,
        seed=4,
    ),
}


def intraclass(residual: np.ndarray, teams: np.ndarray) -> float:
    """Analysis-of-variance estimate of the intraclass correlation."""
    frame = pd.DataFrame({"r": residual, "team": teams})
    grouped = frame.groupby("team")["r"]
    size, mean = grouped.size(), grouped.mean()
    between = float((size * (mean - frame["r"].mean()) ** 2).sum()) / (len(size) - 1)
    within = float(((frame["r"] - grouped.transform("mean")) ** 2).sum()) / (len(frame) - len(size))
    usual = (size.sum() - (size**2).sum() / size.sum()) / (len(size) - 1)
    return (between - within) / (between + (usual - 1) * within)


def pooled_by_hand(case: str, outcome: str) -> pd.DataFrame:
    """Estimates and variances of the analysis model over the imputed sets: statsmodels does the fits."""
    estimates, variances = [], []
    for frame in SETS[case]:
        x = sm.add_constant(frame[["treatment", "x1", "x2"]])
        fit = sm.OLS(frame[outcome], x).fit()
        more = [intraclass(fit.resid.to_numpy(), frame["team_id"].to_numpy())] if case == "two_level" else []
        estimates.append([*fit.params, *more])
        variances.append([*fit.bse**2, *([0.0] * len(more))])
    terms = ["(Intercept)", "treatment", "x1", "x2", "icc"][: len(estimates[0])]
    return pd.DataFrame(
        {
            "estimate": np.mean(estimates, axis=0),
            "within": np.mean(variances, axis=0),
            "between": np.var(estimates, axis=0, ddof=1),
        },
        index=terms,
    )


class _Lazy(dict):
    def __missing__(self, case: str):
        self[case] = list(impute(DATA, PLANS[case]))
        return self[case]


SETS = _Lazy()


@pytest.mark.parametrize(
    ("case", "outcome"), list(EXPECTED[["case", "outcome"]].drop_duplicates().itertuples(index=False))
)
def test_mice(case: str, outcome: str) -> None:
    ours = pooled_by_hand(case, outcome)
    expected = EXPECTED.query("case == @case and outcome == @outcome").set_index("term")
    assert list(ours.index) == list(expected.index)
    for term in ours.index:
        mine, theirs = ours.loc[term], expected.loc[term]
        # Monte Carlo error of two independent runs of imputations: see SOURCE.md. The intraclass
        # correlation is estimated by analysis of variance here and by lme4 there: up to .01 apart.
        slack = 0.01 if term == "icc" else 0.0
        reach = 4 * np.sqrt(mine["between"] / M + theirs["between"] / theirs["m"]) + slack
        assert abs(mine["estimate"] - theirs["estimate"]) < reach, (case, outcome, term)
        assert abs(np.log(mine["between"] / theirs["between"])) < 4 * np.sqrt(2 / (M - 1) + 2 / (theirs["m"] - 1)), (
            case,
            outcome,
            term,
        )
        assert_allclose(mine["within"], theirs["within"], rtol=0.03, err_msg=f"{case} {outcome} {term}")


def test_polr_and_multinom(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same weighted rows, with our own pseudo-observations switched off."""
    rows = pd.read_csv(HERE / "categorical.csv")
    x = np.column_stack([np.ones(len(rows)), rows[["x1", "x2"]]])
    codes = rows["y"].to_numpy(dtype=np.intp)
    monkeypatch.setattr(categorical, "augmented", lambda x, codes, levels: (x, codes, rows["w"].to_numpy()))
    expected = pd.read_csv(HERE / "expected_categorical.csv")
    rng = np.random.default_rng(0)
    ordered = categorical.draw_ordered(x=x, codes=codes, levels=4, start=None, rng=rng).estimate
    cuts = ordered[0] + np.concatenate([[0], np.cumsum(np.exp(ordered[1:3]))])
    theirs = expected[expected["model"] == "ordered"]["value"].to_numpy()
    # polr and multinom stop by the relative change of the likelihood, ours by what a step gains.
    assert_allclose([*cuts, *ordered[3:]], theirs[:5], atol=1e-4)
    multinomial = categorical.draw_multinomial(x=x, codes=codes, levels=4, start=None, rng=rng).estimate
    theirs = expected[expected["model"] == "multinomial"]["value"].to_numpy()
    assert_allclose(multinomial.T.ravel(), theirs[:9], atol=1e-4)
    shares = categorical.ordered_shares(x, ordered, 4)[np.arange(len(rows)), codes]
    loglik = float(rows["w"] @ np.log(shares))
    assert_allclose(loglik, expected.query("model == 'ordered' and quantity == 'loglik'")["value"].item(), atol=1e-6)


def test_the_hard_cases_are_still_in_the_file() -> None:
    assert set(EXPECTED["case"]) == set(PLANS)
    assert set(EXPECTED["outcome"]) == {"y1", "y2", "b"} and "icc" in set(EXPECTED["term"])
    assert (EXPECTED.query("term != 'icc'")["between"] > 0).all()
    assert DATA["y1"].isna().mean() > 0.3 and DATA["team_id"].nunique() == 80
