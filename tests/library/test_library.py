"""The library by formula: the numbers of statsmodels and linearmodels, the package's own estimators, and errors in
words.
"""

from __future__ import annotations

import doctest
import math
import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from linearmodels.iv import IV2SLS
from scipy import stats

import hhp_stats as hs
from hhp_stats.errors import ConstantTreatment, EstimationError, InvalidInput, NoObservations, UnknownName
from hhp_stats.library import trials
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import Term, model_matrix

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = [name for name in hs.__all__ if name != "__version__"]
SAME = 1e-8  # two programmes in double precision on a few hundred rows


@pytest.fixture(scope="module")
def trial() -> pd.DataFrame:
    return hs.example_trial()


@pytest.fixture(scope="module")
def known(trial: pd.DataFrame) -> pd.DataFrame:
    return trial.dropna(ignore_index=True)


@pytest.mark.parametrize("module", sorted({getattr(hs, name).__module__ for name in FUNCTIONS}))
def test_every_function_has_an_example_that_runs(module: str) -> None:
    for name in FUNCTIONS:
        assert ">>> " in getattr(hs, name).__doc__, f"hs.{name} has no example"
    found = doctest.testmod(import_module(module))
    assert found.attempted and not found.failed


def test_the_readme_lists_every_function() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not [name for name in FUNCTIONS if f"`hs.{name}" not in text]


def test_a_name_that_is_not_there_says_what_is() -> None:
    with pytest.raises(AttributeError, match="linear"):
        hs.regression_of_everything  # noqa: B018


@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3"])
def test_least_squares_as_statsmodels(known: pd.DataFrame, kind: str) -> None:
    fit = hs.linear("absence ~ treatment + baseline + C(role)", known, covariance=kind)
    theirs = smf.ols("absence ~ treatment + baseline + C(role)", known).fit(cov_type=kind, use_t=True)
    ours = fit.tidy().set_index("term").rename(index={"intercept": "Intercept"})
    assert np.allclose(ours["estimate"], theirs.params[ours.index], rtol=SAME)
    assert np.allclose(ours["std_error"], theirs.bse[ours.index], rtol=SAME)
    assert np.allclose(ours["p_value"], theirs.pvalues[ours.index], rtol=SAME)
    assert np.allclose(ours["conf_low"], theirs.conf_int()[0][ours.index], rtol=SAME)


def test_clusters_as_statsmodels(known: pd.DataFrame) -> None:
    fit = hs.linear("absence ~ treatment + baseline", known, clusters="team", covariance="CR1")
    theirs = smf.ols("absence ~ treatment + baseline", known).fit(
        cov_type="cluster", cov_kwds={"groups": pd.factorize(known["team"])[0]}, use_t=True
    )
    assert fit.effect().std_error == pytest.approx(theirs.bse["treatment"], rel=SAME)
    assert fit.effect().df == known["team"].nunique() - 1
    assert "48 clusters of team" in repr(fit) and len(repr(fit)) < 250


def test_strata_behind_the_bar_are_dummies(known: pd.DataFrame) -> None:
    behind = hs.linear("absence ~ treatment | authority", known, clusters="team").effect()
    before = hs.linear("absence ~ treatment + C(authority)", known, clusters="team").effect()
    assert behind.estimate == pytest.approx(before.estimate, rel=SAME)
    assert behind.std_error == pytest.approx(before.std_error, rel=SAME)


def test_the_first_term_is_the_treatment_whatever_the_order_of_kinds(known: pd.DataFrame) -> None:
    named = known.assign(arm=np.where(known["treatment"] == 1, "video", "control"), offered=known["treatment"] == 1)
    first = hs.linear("absence ~ treatment + baseline", known).effect()
    assert hs.linear("absence ~ C(arm) + baseline", named).effect().estimate == pytest.approx(first.estimate, rel=SAME)
    assert hs.linear("absence ~ offered + baseline", named).effect().estimate == pytest.approx(first.estimate, rel=SAME)
    assert hs.linear("absence ~ treatment + C(role)", known).model.treatment == ("treatment",)


def test_three_arms_are_compared_by_name(known: pd.DataFrame) -> None:
    arms = known.assign(arm=np.resize(["control", "film", "letter"], len(known)))
    fit = hs.linear("absence ~ arm", arms)
    means = arms.groupby("arm")["absence"].mean()
    assert fit.effect("arm[T.film]").estimate == pytest.approx(means["film"] - means["control"], rel=SAME)
    found = fit.contrast({"arm[T.film]": 1, "arm[T.letter]": -1})
    assert found.estimate == pytest.approx(means["film"] - means["letter"], rel=SAME)
    with pytest.raises(UnknownName, match="several columns"):
        fit.effect()


def test_a_logit_as_statsmodels(known: pd.DataFrame) -> None:
    fit = hs.logit("left ~ treatment + baseline", known)
    theirs = smf.logit("left ~ treatment + baseline", known).fit(disp=False)
    assert fit.log_odds().estimate == pytest.approx(theirs.params["treatment"], rel=1e-6)  # their convergence criterion
    assert fit.log_odds().std_error == pytest.approx(theirs.bse["treatment"], rel=1e-6)
    margins = theirs.get_margeff(dummy=True).summary_frame().loc["treatment"]
    assert fit.effect().estimate == pytest.approx(margins["dy/dx"], rel=1e-6)
    assert fit.effect().std_error == pytest.approx(margins["Std. Err."], rel=1e-6)
    assert fit.effect(at="means").estimate != fit.effect().estimate
    separated = known.assign(left=((known["treatment"] == 1) & (known["left"] == 1)).astype(int))
    penalised = hs.logit("left ~ treatment", separated, penalised=True)
    assert penalised.log_odds().estimate > 0 and math.isfinite(penalised.log_odds().conf_low)


def test_compliers_as_linearmodels(known: pd.DataFrame) -> None:
    found = hs.complier("absence ~ treatment + baseline", known, takeup="took_part", clusters="team")
    theirs = IV2SLS.from_formula("absence ~ 1 + baseline + [took_part ~ treatment]", known).fit(
        cov_type="clustered", clusters=pd.factorize(known["team"])[0], debiased=True
    )
    assert found.effect.estimate == pytest.approx(theirs.params["took_part"], rel=SAME)


def test_selection_takes_rows_without_an_outcome_as_not_answered(trial: pd.DataFrame) -> None:
    fit = hs.selection("absence ~ treatment + baseline", trial, answering="treatment + baseline + C(role)")
    assert fit.fit.n == len(trial) and fit.fit.n_selected == trial["absence"].notna().sum()
    assert fit.fit.selection_names[-1] == "C(role)[T.student]"
    assert fit.tidy()["term"].tolist() == ["intercept", "treatment", "baseline"]
    with pytest.raises(InvalidInput, match="cluster"):
        hs.selection("absence ~ treatment + baseline", trial, method="two-step", clusters="team")


def test_imputed_sets_keep_what_is_known_and_pool(trial: pd.DataFrame) -> None:
    sets = hs.impute(trial, columns=["absence"], m=5, within="treatment", clusters="team", seed=2)
    there = trial["absence"].notna()
    for frame in sets:
        assert frame.loc[there, "absence"].equals(trial.loc[there, "absence"]) and frame["absence"].notna().all()
        assert frame["absence"].isin(trial["absence"]).all()  # predictive mean matching: observed values only
    fits = [hs.linear("absence ~ treatment", frame, clusters="team", covariance="CR1").effect() for frame in sets]
    pooled = hs.pool(sets, lambda frame: hs.linear("absence ~ treatment", frame, clusters="team", covariance="CR1"))
    assert pooled.estimate == pytest.approx(np.mean([fit.estimate for fit in fits]), rel=SAME)
    within, between = np.mean([fit.std_error**2 for fit in fits]), np.var([fit.estimate for fit in fits], ddof=1)
    assert pooled.std_error == pytest.approx(math.sqrt(within + 1.2 * between), rel=SAME)
    assert hs.pool(fits).estimate == pooled.estimate
    with pytest.raises(InvalidInput, match="no gaps"):
        hs.impute(trial, columns=["baseline"], seed=1)


def test_text_is_imputed_with_its_own_levels(trial: pd.DataFrame) -> None:
    gaps = trial.assign(role=trial["role"].where(np.arange(len(trial)) % 9 > 0))
    sets = hs.impute(gaps, columns=["role"], predictors=["baseline", "treatment"], m=2, seed=1)
    assert [set(frame["role"]) for frame in sets] == [set(trial["role"])] * 2


def test_bounds_hold_the_effect(trial: pd.DataFrame) -> None:
    effect = hs.linear("absence ~ treatment", trial, missing="drop").effect().estimate
    lee = hs.bounds("absence ~ treatment", trial, seed=1, draws=100)
    assert lee.lower.estimate <= effect <= lee.upper.estimate
    low, high = trial["absence"].min(), trial["absence"].max()
    worst = hs.bounds("absence ~ treatment", trial, method="worst-case", limits=(low, high), clusters="team")
    filled = [
        hs.linear(
            "absence ~ treatment",
            trial.fillna({"absence": 0}).assign(
                absence=trial["absence"].fillna(pd.Series(np.where(trial["treatment"] == 1, treated, control)))
            ),
        )
        .effect()
        .estimate
        for treated, control in ((low, high), (high, low))
    ]
    assert [worst.lower.estimate, worst.upper.estimate] == pytest.approx(filled, rel=SAME)
    with pytest.raises(InvalidInput, match="seed"):
        hs.bounds("absence ~ treatment + baseline", trial, seed=1)


def test_a_tipping_point_moves_the_imputed_only(trial: pd.DataFrame) -> None:
    sets = hs.impute(trial, columns=["absence"], m=3, seed=1)
    grid = hs.tipping_points(sets, "absence ~ treatment", deltas=[-4, 4], clusters="team", covariance="CR1").grid
    treated = grid.loc[grid["shifted"] == "treated"].set_index("delta")["estimate"]
    share = trial.loc[trial["treatment"] == 1, "absence"].isna().mean()
    assert treated[4.0] - treated[0.0] == pytest.approx(4 * share, rel=SAME)


def test_few_clusters_are_enumerated_within_their_strata() -> None:
    small = pd.DataFrame(
        {
            "pair": np.repeat(["a", "b", "c"], 4),
            "school": np.repeat(list("uvwxyz"), 2),
            "treatment": np.repeat([0, 1] * 3, 2),
            "score": [1, 2, 3, 4, 2, 2, 5, 6, 0, 1, 3, 9.0],
        }
    )
    found = hs.randomisation_test("score ~ treatment", small, clusters="school", strata="pair", seed=1)
    assert found.enumerated and found.draws == 2**3
    assert hs.randomisation_test("score ~ treatment", small, clusters="school", seed=1).draws == math.comb(6, 3)


def test_a_draw_is_that_of_everybody_also_of_those_who_did_not_answer(trial: pd.DataFrame) -> None:
    given = {"clusters": "team", "strata": "authority", "draws": 199, "seed": 1, "missing": "drop"}
    silent = trial.assign(absence=trial["absence"].where(trial["team"] != "T01"))
    found = hs.randomisation_test("absence ~ treatment", silent, **given)
    assert found.draws == 199 and found.estimate.n == silent["absence"].notna().sum()


def test_people_drawn_one_by_one_are_no_clusters_and_a_formula_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores of which one is not known: 70 draws of four of eight, of everybody."""
    small = pd.DataFrame({"treatment": [0, 1] * 4, "score": [1, 5, 2, 6, 1, math.nan, 3, 4.0]})
    asked: list[str] = []
    read = trials.model_of
    monkeypatch.setattr(trials, "model_of", lambda formula, *a, **k: (asked.append(formula), read(formula, *a, **k))[1])
    found = hs.randomisation_test("score ~ treatment", small, seed=1, missing="drop")
    assert found.draws == math.comb(8, 4) and asked == ["score ~ treatment"]
    assert found.estimate.n == 7 and found.estimate.n_clusters is None
    assert found.estimate.estimate == pytest.approx(5 - 7 / 4, rel=SAME)
    with pytest.raises(InvalidInput, match="score"):
        hs.randomisation_test("score ~ treatment", small, seed=1)


def test_the_bootstrap_and_least_squares_have_one_estimate(known: pd.DataFrame) -> None:
    found = hs.wild_bootstrap("absence ~ treatment + baseline", known, clusters="team", draws=499, seed=1).estimate
    assert found.estimate == pytest.approx(
        hs.linear("absence ~ treatment + baseline", known).effect().estimate, rel=SAME
    )


def test_effect_sizes_by_hand(known: pd.DataFrame) -> None:
    arms = [known.loc[known["treatment"] == arm, "absence"] for arm in (1, 0)]
    df = len(known) - 2
    sd = math.sqrt(sum((len(arm) - 1) * arm.var() for arm in arms) / df)
    g = (
        (arms[0].mean() - arms[1].mean())
        / sd
        * math.exp(math.lgamma(df / 2) - math.lgamma((df - 1) / 2))
        / math.sqrt(df / 2)
    )
    assert hs.effect_size("absence ~ treatment", known).g.estimate == pytest.approx(g, rel=SAME)
    adjusted = hs.effect_size("absence ~ treatment + baseline", known).g
    difference = hs.linear("absence ~ treatment + baseline", known).effect().estimate
    assert adjusted.estimate / g == pytest.approx(difference / (arms[0].mean() - arms[1].mean()), rel=SAME)
    assert hs.effect_size("absence ~ treatment", known, clusters="team").g.n_clusters == 48


def test_balance_icc_and_size_by_hand(trial: pd.DataFrame, known: pd.DataFrame) -> None:
    table = hs.balance_table(trial, ["baseline", "role"])
    arms = [trial.loc[trial["treatment"] == arm, "baseline"] for arm in (1, 0)]
    wanted = (arms[0].mean() - arms[1].mean()) / math.sqrt((arms[0].var() + arms[1].var()) / 2)
    assert wanted == pytest.approx(table.loc[table["covariate"] == "baseline", "std_difference"].item(), rel=SAME)
    groups = known.groupby("team")["absence"]
    n, k, sizes = len(known), groups.ngroups, groups.size()
    between = (sizes * (groups.mean() - known["absence"].mean()) ** 2).sum() / (k - 1)
    inside = ((known["absence"] - groups.transform("mean")) ** 2).sum() / (n - k)
    average = (n - (sizes**2).sum() / n) / (k - 1)
    by_hand = (between - inside) / (between + (average - 1) * inside)
    assert hs.icc("absence", trial, clusters="team").estimate == pytest.approx(by_hand, rel=SAME)
    reach = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    assert hs.detectable_effect(people=500) == pytest.approx(reach * math.sqrt(4 / 500), rel=SAME)


@pytest.mark.parametrize(
    ("formula", "error", "words"),
    [
        ("absence", InvalidInput, "looks like"),
        ("absence ~ ", InvalidInput, "outcome and a treatment"),
        ("absence ~ 1", InvalidInput, "names no treatment"),
        ("absence ~ 0 + treatment", InvalidInput, "intercept"),
        ("absence ~ treatment +* 3", InvalidInput, "no part of a formula"),
        ("absence ~ treatment | a | b", InvalidInput, "one bar"),
        ("absences ~ treatment", UnknownName, "no column absences"),
        ("role ~ treatment", InvalidInput, "one number a row"),
        ("absence ~ person", EstimationError, "265 observations and 265 terms"),
    ],
)
def test_a_wrong_formula_ends_in_words(trial: pd.DataFrame, formula: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        hs.linear(formula, trial, missing="drop")


def test_gaps_are_never_dropped_in_silence(trial: pd.DataFrame) -> None:
    count = int(trial["absence"].isna().sum())
    with pytest.raises(
        InvalidInput, match=re.escape(f"{count} of 288 rows have gaps, in absence ({count})")
    ) as refused:
        hs.linear("absence ~ treatment", trial)
    assert "hs.impute" in str(refused.value)
    fit = hs.linear("absence ~ treatment", trial, missing="drop")
    assert fit.effect().n == 288 - count and f"{count} rows with gaps left out" in repr(fit)
    with pytest.raises(InvalidInput, match=r"team \(1\)"):
        hs.linear("baseline ~ treatment", trial.assign(team=trial["team"].where(trial.index > 0)), clusters="team")


def test_data_that_say_nothing_are_refused(known: pd.DataFrame) -> None:
    with pytest.raises(ConstantTreatment):
        hs.linear("absence ~ treatment", known.loc[known["treatment"] == 1])
    with pytest.raises(NoObservations):
        hs.linear("absence ~ treatment", known.iloc[:0])
    with pytest.raises(UnknownName, match="with clusters"):
        hs.linear("absence ~ treatment", known, clusters="team", covariance="HC2")
    with pytest.raises(InvalidInput, match="DataFrame"):
        hs.linear("absence ~ treatment", [1, 2])
    assert hs.linear("absence ~ treatment + constant", known.assign(constant=1.0)).model.matrix.names == (
        "intercept",
        "treatment",
    )


def test_the_same_fit_as_the_reports_own(known: pd.DataFrame) -> None:
    terms = [Term(column="baseline", kind="continuous"), Term(column="role", kind="categorical", base="manager")]
    own = ols(outcome=known["absence"].to_numpy(), matrix=model_matrix(known, terms))
    by_formula = hs.linear("absence ~ treatment + baseline + C(role)", known).fit
    assert np.allclose(own.coefficients, by_formula.coefficients, rtol=SAME)
