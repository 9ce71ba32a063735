"""Bad input to the statistical core: a typed error that names what is wrong, never a number and never a bare
ValueError.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from hhp_stats.design.balance import joint_f_test, omnibus_balance
from hhp_stats.design.balance_table import balance_table
from hhp_stats.design.detectable_effect import Clustering, detectable_proportion, individual_detectable_effect, power_of
from hhp_stats.design.power import simulate_power
from hhp_stats.design.randomisation import AllocationRule, randomise
from hhp_stats.design.simulated_trials import TrialDesign, team_sizes
from hhp_stats.design.team_sums import StratifiedDraw
from hhp_stats.errors import (
    CollinearTerms,
    ConstantTreatment,
    EstimationError,
    HhpError,
    ImputationRefused,
    InvalidInput,
    SingleClusterArm,
    UnknownName,
)
from hhp_stats.estimate.bounds import lee_bounds, worst_case_bounds
from hhp_stats.estimate.cluster_bootstrap import cluster_bootstrap
from hhp_stats.estimate.complier import complier_effect
from hhp_stats.estimate.effect_size import hedges_g_from_summary
from hhp_stats.estimate.icc import icc_anova, icc_reml
from hhp_stats.estimate.imputation import ImputationPlan, ImputedVariable, impute
from hhp_stats.estimate.logistic import change_at_means, clustered_logit_covariance, logit
from hhp_stats.estimate.ratio import fieller
from hhp_stats.estimate.selection import heckman_likelihood, heckman_two_step
from hhp_stats.estimate.weights import response_weights
from hhp_stats.infer.multiplicity import holm, westfall_young
from hhp_stats.infer.pooling import pool, pool_joint
from hhp_stats.infer.randomisation_test import randomisation_test
from hhp_stats.measures.reliability import cronbach_alpha, mcdonald_omega
from hhp_stats.measures.scales import combination_rule, composite, standardise
from hhp_stats.processes.blocks import seed_sequence
from hhp_stats.regression.cluster_robust import cluster_covariance, coefficient, two_way_covariance
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import ModelMatrix, Term, model_matrix
from hhp_stats.results.frame import Estimate, ResultError

RNG = np.random.default_rng(20190503)
TEAMS, SIZE = 20, 6
N = TEAMS * SIZE
TEAM = np.repeat(np.arange(TEAMS), SIZE)
ARM = (TEAM % 2).astype(float)
X = RNG.normal(size=N)
Y = 1 + 0.3 * ARM + 0.5 * X + 0.4 * RNG.normal(size=TEAMS)[TEAM] + RNG.normal(size=N)
LEFT = (RNG.random(N) < 0.3).astype(float)
ANSWERED = RNG.random(N) < 0.6
MISSING = np.where(ANSWERED, Y, np.nan)
ONE = np.ones(N)
FIRST = np.arange(N) == 0
FRAME = pd.DataFrame({"treatment": ARM, "x": X, "team": TEAM, "y": Y, "w": MISSING})
LUMPED = np.where(ARM == 1, -1, TEAM)  # the whole treated arm in one cluster
ITEMS = pd.DataFrame(RNG.normal(size=(50, 4)) + RNG.normal(size=(50, 1)))


def matrix(*columns, treatment=ARM):
    names = ("intercept", "treatment", *(f"x{i}" for i in range(len(columns))))
    return ModelMatrix(values=np.column_stack([ONE, treatment, *columns]), names=names)


M = matrix(X)


def effect(outcome=Y, at=M, clusters=TEAM, kind="CR1", **options):
    fit = ols(outcome=outcome, matrix=at)
    return coefficient(fit, cluster_covariance(fit, clusters=clusters, kind=kind), **options)


def redrawn(**changes):
    given = {"outcome": Y, "matrix": M, "clusters": TEAM, "draw": StratifiedDraw.of(np.zeros(TEAMS)), "draws": 50}
    return randomisation_test(**(given | {"rng": np.random.default_rng(1)} | changes))


def imputed(frame=FRAME, **changes):
    given = {
        "variables": (ImputedVariable(name="w", kind="continuous"),),
        "seed": 1,
        "imputations": 2,
        "iterations": 1,
        "terms": (Term(column="x", kind="continuous"),),
        "clusters": "team",
    }
    return impute(frame, ImputationPlan(**(given | changes)))


def complier(outcome=Y, takeup=ARM * (X > 0), **changes):
    return complier_effect(**({"outcome": outcome, "takeup": takeup, "matrix": M, "clusters": TEAM} | changes))


def people(**changes):
    frame = pd.DataFrame(
        {"staff_id": np.arange(N), "team_id": TEAM, "local_authority": "A", "role": LEFT, "service_years": X**2}
    )
    return frame.assign(**changes)


def allocated(frame, seed=1):
    strata = pd.DataFrame({"team_id": np.arange(TEAMS), "stratum": "s"})
    return randomise(people=frame, strata=strata, rule=AllocationRule(), seed=seed)


def estimate(value=1.0, std_error=0.1, **changes):
    given = {"estimate": value, "std_error": std_error, "df": 10, "n": 10, "n_clusters": 11, "method": "m"}
    return Estimate(**(given | changes))


def bootstrapped(value):
    return cluster_bootstrap(
        FRAME, estimator=lambda frame: {"a": value}, clusters="team", within=("treatment",), draws=5, seed=1
    )


@dataclass(frozen=True)
class Case:
    name: str
    error: type[HhpError]
    says: str  # part of the message
    call: object


CASES = [
    # The model's right-hand side.
    Case(
        "term: text",
        InvalidInput,
        "x must be numbers",
        lambda: model_matrix(FRAME.assign(x="a"), [Term(column="x", kind="continuous")]),
    ),
    Case(
        "term: missing value",
        InvalidInput,
        "1 missing values",
        lambda: model_matrix(FRAME.assign(x=np.where(FIRST, np.nan, X)), [Term(column="x", kind="continuous")]),
    ),
    Case(
        "term: infinite",
        InvalidInput,
        "infinite",
        lambda: model_matrix(FRAME.assign(x=np.where(FIRST, np.inf, X)), [Term(column="x", kind="continuous")]),
    ),
    Case(
        "term: squares underflow",
        InvalidInput,
        "too small",
        lambda: model_matrix(FRAME.assign(x=X * 1e-170), [Term(column="x", kind="continuous")]),
    ),
    Case(
        "term: no such column",
        UnknownName,
        "no column z",
        lambda: model_matrix(FRAME, [Term(column="z", kind="continuous")]),
    ),
    Case(
        "term: binary with a two",
        InvalidInput,
        "binary but holds 2",
        lambda: model_matrix(FRAME.assign(x=np.where(FIRST, 2, LEFT)), [Term(column="x", kind="binary")]),
    ),
    Case(
        "term: unknown kind",
        UnknownName,
        "no kind of term",
        lambda: model_matrix(FRAME, [Term(column="x", kind="cubic")]),
    ),
    Case(
        "term: base is no level",
        UnknownName,
        "base 'z'",
        lambda: model_matrix(FRAME.assign(r="a"), [Term(column="r", kind="categorical", base="z", levels=("a", "b"))]),
    ),
    # Least squares and its covariances.
    Case("ols: text", InvalidInput, "outcomes must be numbers", lambda: effect(outcome=np.array(["a"] * N))),
    Case(
        "ols: some outcomes missing",
        InvalidInput,
        "1 outcomes are missing",
        lambda: effect(outcome=np.where(FIRST, np.nan, Y)),
    ),
    Case("ols: squares overflow", InvalidInput, "too large", lambda: effect(outcome=Y * 1e200)),
    Case("ols: missing covariate", InvalidInput, "x0", lambda: effect(at=matrix(np.where(FIRST, np.nan, X)))),
    Case("ols: infinite covariate", InvalidInput, "x0", lambda: effect(at=matrix(np.where(FIRST, np.inf, X)))),
    Case("ols: a column of zeros", CollinearTerms, "zero for everyone analysed: x0", lambda: effect(at=matrix(0 * X))),
    Case(
        "clusters: treatment constant",
        ConstantTreatment,
        "treatment = 1",
        lambda: heckman_likelihood(outcome=MISSING, matrix=matrix(X, treatment=ONE), clusters=TEAM),
    ),
    Case(
        "clusters: missing label",
        InvalidInput,
        "no cluster",
        lambda: effect(clusters=np.where(TEAM == 0, np.nan, TEAM)),
    ),
    Case("clusters: one in an arm", SingleClusterArm, "treatment = 1 holds 1", lambda: effect(clusters=LUMPED)),
    Case(
        "clusters: one in an arm by dummies",
        SingleClusterArm,
        "1 cluster of the treated arm",
        lambda: effect(at=matrix(X, *(i == TEAM for i in range(1, 19, 2)))),
    ),
    Case(
        "clusters: one in an arm by dummies, two-way",
        SingleClusterArm,
        "1 cluster of the treated arm",
        lambda: two_way_covariance(
            ols(outcome=Y, matrix=matrix(X, *(i == TEAM for i in range(1, 19, 2)))),
            clusters=TEAM,
            second=np.arange(N) % 7,
        ),
    ),
    Case("level: 95", InvalidInput, "conf_level", lambda: effect(conf_level=95)),
    Case("level: 0", InvalidInput, "conf_level", lambda: effect(conf_level=0)),
    # Logit.
    Case("logit: a count", InvalidInput, "0 and 1 only", lambda: logit(outcome=LEFT + 1, matrix=M)),
    Case(
        "logit: change of a constant",
        EstimationError,
        "cannot change",
        lambda: change_at_means(
            fit := logit(outcome=LEFT, matrix=M), clustered_logit_covariance(fit, clusters=TEAM), term="intercept"
        ),
    ),
    # Selection.
    Case(
        "selection: constant outcome",
        EstimationError,
        "explain the outcome exactly",
        lambda: heckman_likelihood(outcome=np.where(ANSWERED, 3.0, np.nan), matrix=M),
    ),
    Case(
        "selection: infinite outcome",
        InvalidInput,
        "infinite",
        lambda: heckman_two_step(outcome=np.where(FIRST, np.inf, MISSING), matrix=M),
    ),
    Case(
        "selection: level",
        InvalidInput,
        "conf_level",
        lambda: heckman_likelihood(outcome=MISSING, matrix=M, conf_level=95),
    ),
    # Redraws and families of tests.
    Case(
        "redraws: too few columns",
        InvalidInput,
        "19 columns for 20 clusters",
        lambda: redrawn(draw=StratifiedDraw.of(np.zeros(19))),
    ),
    Case(
        "redraws: columns of other teams",
        InvalidInput,
        "25 columns for 20 clusters",
        lambda: redrawn(draw=StratifiedDraw.of(np.zeros(25))),
    ),
    Case(
        "redraws: a list of other teams",
        InvalidInput,
        "19 columns for 20 clusters",
        lambda: redrawn(draw=None, rng=None, assignments=np.eye(19)),
    ),
    Case("redraws: a cluster named twice", InvalidInput, "twice", lambda: redrawn(draw_clusters=[0, *range(19)])),
    Case("holm: text", InvalidInput, "p-values must be numbers", lambda: holm(["small"])),
    Case("holm: a table", InvalidInput, "one list", lambda: holm([[0.1, 0.2], [0.3, 0.4]])),
    Case(
        "westfall-young: negative weights",
        InvalidInput,
        "not negative",
        lambda: westfall_young(statistics=np.ones(1), drawn=np.ones((3, 1)), weights=-np.ones(3)),
    ),
    # Compliers.
    Case("compliers: outcome constant", EstimationError, "explain the outcome exactly", lambda: complier(outcome=ONE)),
    Case("compliers: outcome exact", EstimationError, "explain the outcome exactly", lambda: complier(outcome=1 + ARM)),
    Case(
        "compliers: take-up is text",
        InvalidInput,
        "take-up must be numbers",
        lambda: complier(takeup=np.array(["yes"] * N)),
    ),
    # Standardised effects, correlation.
    Case(
        "g: infinite mean",
        InvalidInput,
        "means must be finite",
        lambda: hedges_g_from_summary(
            mean_treatment=np.inf, mean_control=0, sd_treatment=1, sd_control=1, n_treatment=9, n_control=9
        ),
    ),
    Case(
        "icc: unknown interval",
        UnknownName,
        "no interval",
        lambda: icc_anova(outcome=Y, clusters=TEAM, interval="exact"),
    ),
    Case(
        "icc: varies between arms only",
        InvalidInput,
        "within the arms",
        lambda: icc_reml(outcome=3 * ARM, clusters=TEAM, treatment=ARM),
    ),
    Case(
        "icc: one cluster an arm",
        SingleClusterArm,
        "single cluster",
        lambda: icc_reml(outcome=Y, clusters=ARM, treatment=ARM),
    ),
    Case("icc: level", InvalidInput, "conf_level", lambda: icc_reml(outcome=Y, clusters=TEAM, conf_level=1.5)),
    # Missing outcomes.
    Case(
        "bounds: infinite range",
        InvalidInput,
        "infinite",
        lambda: worst_case_bounds(outcome=MISSING, matrix=M, lowest=-np.inf, highest=np.inf, clusters=TEAM),
    ),
    Case(
        "lee: infinite outcome",
        InvalidInput,
        "infinite",
        lambda: lee_bounds(outcome=np.where(FIRST, np.inf, Y), treatment=ARM, clusters=TEAM, seed=1),
    ),
    Case(
        "lee: labels of other people",
        InvalidInput,
        "119",
        lambda: lee_bounds(outcome=Y, treatment=ARM, clusters=TEAM[1:], seed=1),
    ),
    Case("lee: no seed", InvalidInput, "seed", lambda: lee_bounds(outcome=Y, treatment=ARM, clusters=TEAM, seed=None)),
    Case(
        "weights: answers unknown",
        InvalidInput,
        "true or false",
        lambda: response_weights(answered=np.where(ANSWERED, 1.0, np.nan), matrix=M),
    ),
    Case("imputation: no seed", InvalidInput, "seed", lambda: imputed(seed=None)),
    Case(
        "imputation: infinite term",
        ImputationRefused,
        "x holds infinite",
        lambda: imputed(FRAME.assign(x=np.where(FIRST, np.inf, X))),
    ),
    Case(
        "pool: infinite estimate", EstimationError, "not finite", lambda: pool([estimate(), estimate(std_error=np.nan)])
    ),
    Case(
        "pool: joint test of nothing known",
        EstimationError,
        "finite",
        lambda: pool_joint(estimates=np.full((3, 2), np.nan), covariances=np.stack([np.eye(2)] * 3)),
    ),
    Case(
        "pool: joint test of one list",
        EstimationError,
        "do not make",
        lambda: pool_joint(estimates=np.ones(3), covariances=np.ones((3, 1, 1))),
    ),
    Case("estimate: infinite", ResultError, "finite", lambda: estimate(np.inf)),
    # Design.
    Case(
        "balance: infinite",
        InvalidInput,
        "infinite",
        lambda: balance_table(FRAME.assign(x=np.where(FIRST, np.inf, X)), continuous=["x"]),
    ),
    Case(
        "balance: text",
        InvalidInput,
        "must be numbers",
        lambda: omnibus_balance(covariates=FRAME[["x"]].assign(x="a"), treatment=ARM, clusters=TEAM),
    ),
    Case(
        "balance: arm among the covariates",
        InvalidInput,
        "determine the arm",
        lambda: joint_f_test(covariates=FRAME[["x", "treatment"]], treatment=ARM, clusters=TEAM),
    ),
    Case("randomise: no seed", InvalidInput, "seed", lambda: allocated(people(), seed=None)),
    Case("randomise: infinite service", InvalidInput, "infinite", lambda: allocated(people(service_years=np.inf))),
    Case("randomise: no role", UnknownName, "no column role", lambda: allocated(people().drop(columns="role"))),
    Case("power: people unknown", InvalidInput, "people", lambda: individual_detectable_effect(people=np.nan)),
    Case(
        "power: endless clusters",
        InvalidInput,
        "clusters",
        lambda: Clustering(mean_size=7, clusters_per_arm=np.inf, icc=0.1),
    ),
    Case(
        "power: variation unknown",
        InvalidInput,
        "variation",
        lambda: Clustering(mean_size=7, clusters_per_arm=9, icc=0.1, size_cv=np.nan),
    ),
    Case("power: nobody", InvalidInput, "effective number", lambda: power_of(effect=0.1, effective_per_arm=0)),
    Case("power: no effect given", InvalidInput, "finite effect", lambda: power_of(effect=np.nan, effective_per_arm=9)),
    Case(
        "power: unknown variance",
        UnknownName,
        "no variance",
        lambda: detectable_proportion(control=0.2, direction="increase", effective_per_arm=99, variance="pooled"),
    ),
    Case(
        "power: simulated, no effect given",
        InvalidInput,
        "finite effect",
        lambda: simulate_power(
            design=TrialDesign(cluster_sizes=(6,) * 8, icc=0.1), effect=np.nan, trials=5, rng=np.random.default_rng(1)
        ),
    ),
    Case(
        "power: strata of unknown spread",
        InvalidInput,
        "stratum_sd",
        lambda: TrialDesign(cluster_sizes=(6,) * 8, icc=0.1, stratum_sd=np.nan),
    ),
    Case(
        "power: sizes of unknown spread",
        InvalidInput,
        "size_cv",
        lambda: team_sizes(people=100, mean_size=7, size_cv=np.nan),
    ),
    # Ratios, bootstrap, scales.
    Case(
        "fieller: negative critical value",
        InvalidInput,
        "critical",
        lambda: fieller(numerator=1, denominator=1, numerator_variance=1, denominator_variance=1, critical=-1),
    ),
    Case(
        "fieller: no degrees of freedom",
        InvalidInput,
        "degrees",
        lambda: fieller(numerator=1, denominator=1, numerator_variance=1, denominator_variance=1, df=0),
    ),
    Case("bootstrap: estimate unknown", EstimationError, "no finite number for a", lambda: bootstrapped(np.nan)),
    Case("alpha: infinite", InvalidInput, "infinite", lambda: cronbach_alpha(ITEMS.replace(ITEMS.iloc[0, 0], np.inf))),
    Case("omega: unknown method", UnknownName, "no method", lambda: mcdonald_omega(ITEMS, method="pca")),
    Case(
        "composite: unknown rule",
        UnknownName,
        "no rule",
        lambda: composite(ITEMS, items=[0, 1], rule="product", low=-9, high=9),
    ),
    Case(
        "combination: unknown reading",
        UnknownName,
        "no reading",
        lambda: combination_rule(ITEMS[0], ITEMS[1], reading="other"),
    ),
    Case(
        "standardise: infinite",
        InvalidInput,
        "infinite",
        lambda: standardise(pd.Series([1, 2, np.inf]), reference=pd.Series([True] * 3), sample="all"),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_refused_with_its_reason(case):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a refusal that arrives by way of a NaN is no refusal
        with pytest.raises(case.error, match=case.says):
            case.call()


def test_the_same_calls_without_the_fault_succeed():
    """Otherwise a case above might be refused for another reason than its own."""
    assert effect().std_error > 0 and redrawn().estimate.p_value > 0 and complier().effect.std_error > 0
    assert len(imputed()) == 2 and allocated(people()).log["accepted"].iloc[-1]
    assert lee_bounds(outcome=MISSING, treatment=ARM, clusters=TEAM, seed=1, draws=100).lower.std_error > 0
    assert effect(at=matrix(X, *(i == TEAM for i in range(1, 17, 2)))).std_error > 0  # two clusters left in the arm
    assert pool([estimate(), estimate(1.1)]).df > 0


def test_invalid_input_is_also_a_value_error():
    """So that callers who know nothing of this package can catch it."""
    assert issubclass(InvalidInput, ValueError) and issubclass(InvalidInput, EstimationError)


def test_a_two_step_rho_beyond_its_bounds_is_said_and_a_negative_variance_refused():
    """Nothing but its form tells lambda from the terms, so the moment estimate of rho may be anything."""
    found = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        w = rng.normal(size=80)
        arm = np.arange(80) % 2
        outcome = np.where(rng.random(80) < 0.6, 1 + arm + w + rng.normal(size=80), np.nan)
        both = ModelMatrix(values=np.column_stack([np.ones(80), arm, w]), names=("intercept", "treatment", "w"))
        fit = heckman_two_step(outcome=outcome, matrix=both)
        if abs(fit.rho) > 1:
            found.append(fit)
    refused = [fit for fit in found if not fit.covariance[1, 1] > 0]
    told = [fit for fit in found if fit.covariance[1, 1] > 0]
    assert refused and told
    for fit in refused:
        with pytest.raises(EstimationError, match=r"variance of treatment is not positive.*outside -1\.\.1"):
            fit.coefficient()
    for fit in told:
        assert "lies outside -1..1" in fit.coefficient().note


def test_take_up_that_follows_assignment_exactly_has_an_infinite_f():
    found = complier(takeup=ARM)
    plain = effect()
    assert (found.first_stage_f, found.effective_f, found.strong) == (np.inf, np.inf, True)
    assert found.effect.estimate == pytest.approx(plain.estimate, rel=1e-12)
    assert found.first_stage is not None and found.first_stage.std_error == 0
    # Rounding of the first stage's zero error is all that separates the two intervals.
    assert found.anderson_rubin.hull == pytest.approx((plain.conf_low, plain.conf_high), rel=1e-9)


def test_a_seed_is_a_whole_number_that_can_be_written_down():
    for wrong in (None, -1, 1.5, True, "1"):
        with pytest.raises(InvalidInput, match="seed"):
            seed_sequence(wrong)
    assert seed_sequence(np.int64(3)).entropy == 3
