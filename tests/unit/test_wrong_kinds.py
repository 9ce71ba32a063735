"""Wrong kinds of arguments to any public function of the statistical core: InvalidInput that names the argument."""

import importlib
import inspect
import pkgutil

import numpy as np
import pandas as pd
import pytest

import hhp_stats.design
import hhp_stats.estimate
import hhp_stats.infer
import hhp_stats.measures
import hhp_stats.regression
from hhp_stats.design.balance import omnibus_balance
from hhp_stats.design.detectable_effect import ErrorRates, power_of
from hhp_stats.design.enumeration import enumerate_allocations
from hhp_stats.design.randomisation import AllocationRule, Redraws, randomise
from hhp_stats.design.team_sums import StratifiedDraw
from hhp_stats.errors import EstimationError, HhpError, InvalidInput, UnknownName
from hhp_stats.estimate.bounds import lee_bounds
from hhp_stats.estimate.effect_size import hedges_g
from hhp_stats.estimate.icc import icc_anova
from hhp_stats.estimate.logistic import logit
from hhp_stats.estimate.two_sample import welch
from hhp_stats.estimate.weights import ResponseWeights, weighted_effect
from hhp_stats.infer.pooling import pool
from hhp_stats.infer.randomisation_test import randomisation_test
from hhp_stats.infer.wild_bootstrap import wild_bootstrap
from hhp_stats.measures.absence import absence_rate, group_rate
from hhp_stats.measures.scales import composite, standardise
from hhp_stats.regression.cluster_robust import cluster_covariance, coefficient
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import ModelMatrix, Term, model_matrix
from hhp_stats.results.frame import Estimate

RNG = np.random.default_rng(7)
TEAM = np.repeat(np.arange(12), 6)
N = len(TEAM)
FRAME = pd.DataFrame(
    {
        "treatment": (TEAM % 2).astype(float),
        "x": RNG.normal(size=N),
        "team": TEAM,
        "role": np.where(TEAM > 6, "a", "b"),
        "y": RNG.normal(size=N),
    }
)
TERMS = (Term(column="x", kind="continuous"),)
M = model_matrix(FRAME, TERMS)
TURNED = FRAME["y"].iloc[::-1]  # the same people in another order


def typed_functions() -> list:
    return list(_typed_functions())


def _typed_functions():
    for package in (hhp_stats.design, hhp_stats.estimate, hhp_stats.infer, hhp_stats.measures, hhp_stats.regression):
        for found in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            module = importlib.import_module(found.name)
            for name, value in vars(module).items():
                if inspect.isfunction(value) and hasattr(value, "__wrapped__") and value.__module__ == module.__name__:
                    yield pytest.param(value, id=f"{module.__name__}.{name}")


@pytest.mark.parametrize("function", typed_functions())
@pytest.mark.parametrize("wrong", [object(), {"a": object()}, float("nan"), [[1, 2], [3]]])
def test_nothing_but_typed_errors_whatever_is_given(function, wrong):
    given = {
        name: wrong
        for name, p in inspect.signature(function).parameters.items()
        if p.default is inspect.Parameter.empty
    }
    with pytest.raises(HhpError):
        function(**given)


def test_an_argument_that_is_missing_or_unknown_is_named():
    with pytest.raises(InvalidInput, match="ols: missing a required"):
        ols(outcome=FRAME["y"])
    with pytest.raises(InvalidInput, match="'weights'"):
        ols(outcome=FRAME["y"], matrix=M, weights=1)
    with pytest.raises(
        InvalidInput, match="coefficient: covariance must be a RobustCovariance, not a value of type ndarray"
    ):
        coefficient(ols(outcome=FRAME["y"], matrix=M), np.eye(3))
    with pytest.raises(InvalidInput, match="power_of: alpha must be a number, not 'a'"):
        power_of(effect=0.2, effective_per_arm=100.0, alpha="a")
    with pytest.raises(InvalidInput, match="ErrorRates: power must be a number, not None"):
        ErrorRates(alpha=0.05, power=None)


ANOTHER_ORDER = {
    "outcome": lambda: ols(outcome=TURNED, matrix=M),
    "logit": lambda: logit(outcome=(TURNED > 0).astype(float), matrix=M),
    "clusters": lambda: cluster_covariance(ols(outcome=FRAME["y"], matrix=M), clusters=FRAME["team"].iloc[::-1]),
    "wild bootstrap": lambda: wild_bootstrap(
        ols(outcome=FRAME["y"], matrix=M), clusters=FRAME["team"].iloc[::-1], rng=np.random.default_rng(1)
    ),
    "welch": lambda: welch(outcome=TURNED, treatment=FRAME["treatment"]),
    "hedges": lambda: hedges_g(outcome=TURNED, treatment=FRAME["treatment"]),
    "icc": lambda: icc_anova(outcome=FRAME["y"], clusters=FRAME["team"].iloc[::-1]),
    "lee": lambda: lee_bounds(outcome=TURNED, treatment=FRAME["treatment"], draws=100, seed=1),
    "balance": lambda: omnibus_balance(
        covariates=FRAME[["x"]], treatment=FRAME["treatment"].iloc[::-1], clusters=FRAME["team"]
    ),
    "rates": lambda: absence_rate(FRAME["x"].abs(), TURNED.abs() + 9),
    "group rates": lambda: group_rate(FRAME["x"].abs(), TURNED.abs() + 9, by=FRAME["role"]),
    "reference sample": lambda: standardise(FRAME["y"], reference=TURNED > 0, sample="s"),
}


@pytest.mark.parametrize("call", ANOTHER_ORDER.values(), ids=ANOTHER_ORDER.keys())
def test_series_in_another_order_are_refused(call):
    with pytest.raises(InvalidInput, match=r"index|same order"):
        call()


def test_series_of_the_same_index_and_arrays_agree():
    from_series = ols(outcome=FRAME["y"], matrix=M).coefficients
    assert np.array_equal(from_series, ols(outcome=FRAME["y"].to_numpy(), matrix=M).coefficients)


@pytest.mark.parametrize(
    ("column", "match"),
    [
        (FRAME["x"].astype(str), "x must be numbers, not text"),
        (FRAME["x"].astype(str).astype(object), "x must be numbers, not text"),
        (pd.Series(pd.date_range("2020-01-01", periods=N)), "x must be numbers, not dates"),
        (pd.Series(pd.date_range("2020-01-01", periods=N, tz="UTC")), "x must be numbers, not dates"),
        (pd.Series(pd.to_timedelta(np.arange(N), unit="D")), "x must be numbers, not dates"),
        (pd.Series(["3"] * N, dtype="category"), "x must be numbers, not text"),
        (FRAME["x"] + 1j, "x must be numbers, not complex"),
    ],
)
def test_text_that_looks_like_numbers_and_dates_are_no_covariates(column, match):
    with pytest.raises(InvalidInput, match=match):
        model_matrix(FRAME.assign(x=column), TERMS)


def test_a_base_that_nobody_has_is_refused_where_no_levels_are_given():
    with pytest.raises(UnknownName, match="nobody analysed has the base 'social worker'; there are a, b"):
        model_matrix(FRAME, [Term(column="role", kind="categorical", base="social worker")])
    levels = ("a", "b", "c")
    assert (
        "role[a]" not in model_matrix(FRAME, [Term(column="role", kind="categorical", base="c", levels=levels)]).names
    )


def test_a_column_named_twice_is_refused():
    with pytest.raises(InvalidInput, match="x twice"):
        model_matrix(FRAME, [*TERMS, *TERMS])
    with pytest.raises(InvalidInput, match="x twice"):
        model_matrix(pd.concat([FRAME, FRAME[["x"]]], axis=1), TERMS)
    with pytest.raises(InvalidInput, match="two columns of the model are called x"):
        ModelMatrix(values=np.ones((3, 2)), names=("x", "x"))


def test_weights_of_zero_count_for_nobody():
    weights = np.where(TEAM < 2, 0.0, 1.0)
    response = ResponseWeights(
        answered=np.ones(N, dtype=bool),
        weights=weights,
        probabilities=np.ones(N),
        trimmed=0,
        ceiling=1.0,
        by_arm=pd.DataFrame({"effective_n": [60.0], "n_answered": [60]}),
    )
    found = weighted_effect(outcome=FRAME["y"], matrix=M, response=response, clusters=FRAME["team"])
    rest = FRAME.iloc[12:]
    fit = ols(outcome=rest["y"], matrix=model_matrix(rest, TERMS))
    alone = coefficient(fit, cluster_covariance(fit, clusters=rest["team"]))
    assert (found.n, found.n_clusters, found.df) == (60, 10, 9)
    assert (found.estimate, found.std_error) == pytest.approx((alone.estimate, alone.std_error), rel=1e-10)


def test_plain_stratified_randomisation_has_no_balance_tests():
    people = pd.DataFrame({"staff_id": np.arange(N), "team_id": TEAM, "local_authority": "A"})
    strata = pd.DataFrame({"team_id": np.arange(12), "stratum": ["s", "t"] * 6})
    rule = AllocationRule(categorical=(), continuous=())
    found = randomise(people=people, strata=strata, rule=rule, seed=3)
    assert len(found.log) == 1 and bool(found.log["accepted"].all())
    assert found.teams.groupby("stratum")["treatment"].sum().tolist() == [3, 3]
    drawn = Redraws.of(people=people, strata=strata, rule=rule)(np.random.default_rng(1), 400)
    assert np.abs(drawn.mean(axis=0) - 0.5).max() < 0.1  # four standard errors of 400 coins
    every, probabilities, _ = enumerate_allocations(people=people, strata=strata, rule=rule)
    assert len(every) == 400 and probabilities == pytest.approx(np.full(400, 1 / 400), rel=1e-12)


@pytest.mark.parametrize("statistic", ["t", "difference"])
@pytest.mark.parametrize("constant", [0.0, 3.0])
def test_nothing_is_tested_where_the_outcome_is_constant(statistic, constant):
    with pytest.raises(EstimationError, match=f"every outcome is {constant:g}"):
        randomisation_test(
            outcome=np.full(N, constant),
            matrix=M,
            clusters=TEAM,
            draw=StratifiedDraw.of(np.zeros(12)),
            draws=50,
            rng=np.random.default_rng(1),
            statistic=statistic,
        )
    fit = ols(outcome=np.full(N, constant), matrix=M)
    with pytest.raises(EstimationError, match=f"every outcome is {constant:g}"):
        coefficient(fit, cluster_covariance(fit, clusters=TEAM))


def test_dummies_of_teams_are_named_as_what_they_are():
    with pytest.raises(EstimationError, match="one dummy a team leaves nothing that varies between teams"):
        model_matrix(FRAME, [Term(column="team", kind="categorical")])


def test_pooled_df_below_one_say_so():
    found = [
        Estimate(estimate=float(value), std_error=1e-3, df=2.0, n=10, n_clusters=3, method="m") for value in (0, 1, 2)
    ]
    pooled = pool(found)
    assert (pooled.conf_low, pooled.conf_high) == (-np.inf, np.inf)
    assert "too few degrees of freedom for an interval" in pooled.method and "between imputations" in pooled.note


def test_items_are_lists_of_names():
    with pytest.raises(InvalidInput, match="items must be a list of names"):
        composite(FRAME, items="x", rule="mean", low=-9, high=9)


@pytest.mark.parametrize(
    ("given", "named", "words"),
    [
        ((M,), {}, "too many positional"),
        ((), {"matrix": M}, "missing a required argument: 'outcome'"),
        ((), {"matrix": M, "outcome": FRAME["y"], "outcomes": FRAME["y"]}, "unexpected keyword argument 'outcomes'"),
    ],
)
def test_arguments_that_a_function_does_not_have(given: tuple, named: dict, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        ols(*given, **named)


def test_an_argument_given_twice() -> None:
    fit = ols(outcome=FRAME["y"], matrix=M)
    with pytest.raises(InvalidInput, match="multiple values for argument 'fit'"):
        cluster_covariance(fit, fit=fit, clusters=TEAM)
