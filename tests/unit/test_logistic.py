"""The logit, its effects, separation and Firth's penalty: closed forms and refusals."""

import math

import numpy as np
import pytest
from scipy import optimize, stats

from hhp_stats.errors import (
    CollinearTerms,
    EstimationError,
    InvalidInput,
    NonConvergence,
    NoObservations,
    Separation,
    SingleClusterArm,
    UnknownName,
)
from hhp_stats.estimate.design_effect import design_effect
from hhp_stats.estimate.firth import (
    firth_average_change,
    firth_change_at_means,
    firth_log_odds,
    firth_logit,
)
from hhp_stats.estimate.logistic import (
    average_change,
    change_at_means,
    clustered_logit_covariance,
    log_odds,
    logit,
    model_covariance,
)
from hhp_stats.estimate.separation import separating_direction
from hhp_stats.regression.model_matrix import ModelMatrix


def matrix_of(n, **columns):
    values = np.column_stack([np.ones(n), *(np.asarray(c, dtype=float) for c in columns.values())])
    return ModelMatrix(values=values, names=("intercept", *columns))


def two_by_two(untreated_no, untreated_yes, treated_no, treated_yes):
    treatment = np.repeat([0, 0, 1, 1], [untreated_no, untreated_yes, treated_no, treated_yes])
    outcome = np.repeat([0, 1, 0, 1], [untreated_no, untreated_yes, treated_no, treated_yes]).astype(float)
    return {"outcome": outcome, "matrix": matrix_of(len(outcome), treatment=treatment)}


@pytest.fixture
def simulated():
    rng = np.random.default_rng(8)
    team = np.repeat(np.arange(40), rng.integers(2, 9, 40))
    n = len(team)
    role, x = rng.integers(0, 3, n), rng.normal(size=n)
    matrix = matrix_of(n, treatment=team % 2, x=x, manager=role == 1, senior=role == 2)
    probability = 1 / (1 + np.exp(0.7 - 0.5 * x + 0.4 * (team % 2) - 0.8 * (role == 1)))
    return (rng.random(n) < probability).astype(float), matrix, team


def test_two_by_two_table_is_closed_form():
    fit = logit(**two_by_two(30, 10, 20, 25))
    assert fit.coefficients[1] == pytest.approx(math.log(30 * 25 / (10 * 20)), rel=1e-10)  # Newton stops far below
    error = math.sqrt(1 / 30 + 1 / 10 + 1 / 20 + 1 / 25)
    assert math.sqrt(model_covariance(fit).matrix[1, 1]) == pytest.approx(error, rel=1e-9)
    change = change_at_means(fit, model_covariance(fit))
    assert change.untreated.estimate == pytest.approx(10 / 40, rel=1e-10)
    assert change.treated.estimate == pytest.approx(25 / 45, rel=1e-10)
    # The model-based standard error of a saturated model is that of two proportions.
    assert change.change.std_error == pytest.approx(math.sqrt(0.25 * 0.75 / 40 + (25 / 45) * (20 / 45) / 45), rel=1e-9)


def test_clustered_covariance_by_hand():
    given = two_by_two(3, 3, 2, 4)
    teams = np.array([1, 1, 2, 1, 2, 2, 3, 4, 3, 3, 4, 4])
    fit = logit(**given)
    residual = given["outcome"] - np.where(given["matrix"].values[:, 1] == 1, 4 / 6, 3 / 6)
    sums = {team: residual[teams == team].sum() for team in (1, 2, 3, 4)}
    treated = (sums[3] ** 2 + sums[4] ** 2) / (6 * (4 / 6) * (2 / 6)) ** 2
    untreated = (sums[1] ** 2 + sums[2] ** 2) / (6 * 0.25) ** 2
    found = log_odds(fit, clustered_logit_covariance(fit, clusters=teams))
    assert found.std_error == pytest.approx(math.sqrt(4 / 3 * (treated + untreated)), rel=1e-9)
    assert found.n_clusters == 4 and math.isinf(found.df)
    assert log_odds(fit, clustered_logit_covariance(fit, clusters=teams), df="clusters").df == 3


def test_change_is_the_difference_of_the_predictions(simulated):
    outcome, matrix, team = simulated
    fit = logit(outcome=outcome, matrix=matrix)
    covariance = clustered_logit_covariance(fit, clusters=team)
    for effect in (change_at_means, average_change):
        found = effect(fit, covariance)
        assert found.change.estimate == pytest.approx(found.treated.estimate - found.untreated.estimate, abs=1e-14)
        assert 0 < found.untreated.estimate < 1


def test_mean_prediction_equals_mean_outcome(simulated):
    outcome, matrix, team = simulated
    fit = logit(outcome=outcome, matrix=matrix)
    assert fit.probabilities.mean() == pytest.approx(outcome.mean(), rel=1e-10)  # the intercept's score equation
    assert matrix.values.T @ fit.residuals == pytest.approx(np.zeros(5), abs=1e-9)
    average = average_change(fit, clustered_logit_covariance(fit, clusters=team))
    share = matrix.values[:, 1].mean()
    lower, upper = sorted([average.untreated.estimate, average.treated.estimate])
    assert lower < outcome.mean() < upper and 0 < share < 1


def test_delta_method_agrees_with_differences(simulated):
    outcome, matrix, team = simulated
    fit = logit(outcome=outcome, matrix=matrix)
    covariance = clustered_logit_covariance(fit, clusters=team)
    centre = matrix.values.mean(axis=0)

    def change(b):
        first, second = centre.copy(), centre.copy()
        first[1], second[1] = 0, 1
        return 1 / (1 + np.exp(-second @ b)) - 1 / (1 + np.exp(-first @ b))

    step = 1e-6
    gradient = np.array(
        [(change(fit.coefficients + step * e) - change(fit.coefficients - step * e)) / (2 * step) for e in np.eye(5)]
    )
    expected = math.sqrt(gradient @ covariance.matrix @ gradient)
    # Central differences with step 1e-6 are right to about 1e-9 of a probability.
    assert change_at_means(fit, covariance).change.std_error == pytest.approx(expected, rel=1e-7)


def test_separation_by_a_level_names_it(simulated):
    outcome, matrix, _ = simulated
    outcome = np.where(matrix.values[:, 3] == 1, 0.0, outcome)
    with pytest.raises(Separation, match=r"quasi-complete.*all \d+ with manager = 1 have outcome 0"):
        logit(outcome=outcome, matrix=matrix)


def test_separation_by_an_arm_names_it():
    with pytest.raises(Separation, match="all 10 with treatment = 1 have outcome 0"):
        logit(**two_by_two(12, 3, 10, 0))


def test_complete_separation_by_a_number():
    x = np.array([1.0, 2, 3, 4, 5, 6])
    with pytest.raises(Separation, match=r"^complete separation.*exceeds 3"):
        logit(outcome=(x > 3).astype(float), matrix=matrix_of(6, x=x))
    with pytest.raises(Separation, match=r"outcome is 0 wherever x exceeds 3"):
        logit(outcome=(x <= 3).astype(float), matrix=matrix_of(6, x=x))


def test_separation_only_by_several_terms_together():
    rng = np.random.default_rng(9)
    x, z = rng.normal(size=(2, 60))
    with pytest.raises(Separation, match="together, x, z never point to the wrong outcome"):
        logit(outcome=(x + z > 0).astype(float), matrix=matrix_of(60, x=x, z=z))


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_the_same_outcome_for_everyone(value):
    with pytest.raises(Separation, match=f"every outcome is {value:g}"):
        logit(outcome=np.full(6, value), matrix=matrix_of(6, treatment=[0, 1, 0, 1, 0, 1]))


def test_separation_is_found_in_many_rows_through_few():
    """More rows than one linear program takes, and the separated level is in none of its first rows."""
    rng = np.random.default_rng(10)
    n = 20_000
    rare = np.zeros(n)
    rare[[7, 4001, 9003]] = 1
    x = rng.normal(size=n)
    outcome = (rng.random(n) < 0.3).astype(float)
    outcome[rare == 1] = 1
    matrix = matrix_of(n, x=x, rare=rare)
    assert separating_direction(values=matrix.values, outcome=outcome)[2] > 0
    outcome[7] = 0
    assert separating_direction(values=matrix.values, outcome=outcome) is None


@pytest.mark.parametrize("seed", range(12))
def test_separation_is_raised_exactly_when_the_linear_program_finds_it(seed):
    """Small samples on the edge: no separated fit slips through as converged, no finite one is refused."""
    rng = np.random.default_rng(seed)
    n = 14
    matrix = matrix_of(n, x=rng.normal(size=n), flag=np.arange(n) % 3 == 0)
    outcome = (rng.random(n) < 1 / (1 + np.exp(-3 * matrix.values[:, 1]))).astype(float)
    outcome[:2] = 0, 1
    if separating_direction(values=matrix.values, outcome=outcome) is None:
        fit = logit(outcome=outcome, matrix=matrix)
        assert matrix.values.T @ fit.residuals == pytest.approx(np.zeros(3), abs=1e-8)
    else:
        with pytest.raises(Separation):
            logit(outcome=outcome, matrix=matrix)


def test_strong_but_finite_effects_are_not_called_separation():
    n = 4000
    x = np.linspace(-30, 30, n)
    outcome = (x > 0).astype(float)
    outcome[n // 2 - 3] = 1  # one overlap among thousands
    fit = logit(outcome=outcome, matrix=matrix_of(n, x=x))
    assert fit.coefficients[1] > 10


@pytest.mark.parametrize("table", [(30, 10, 20, 25), (12, 3, 10, 0), (5, 0, 0, 7), (9, 1, 1, 9)])
def test_firth_adds_one_half_to_each_cell(table):
    """In a two-by-two table Jeffreys' prior is half an observation a cell (Heinze and Schemper 2002)."""
    a, b, c, d = (count + 0.5 for count in table)
    fit = firth_logit(**two_by_two(*table))
    # Scoring stops at 1e-9 standard errors.
    assert fit.coefficients == pytest.approx([math.log(b / a), math.log(a * d / (b * c))], abs=1e-7)
    change = change_at_means(fit, model_covariance(fit)).change
    assert change.estimate == pytest.approx(d / (c + d) - b / (a + b), abs=1e-8)
    assert change.std_error > 0


def test_firth_interval_ends_and_test(simulated):
    outcome, matrix, _ = simulated
    fit = firth_logit(outcome=outcome, matrix=matrix)
    found = firth_log_odds(fit)
    assert found.conf_low < found.estimate < found.conf_high
    assert "not clustered" in found.method
    # At an interval end p equals alpha: shift the model so that the end becomes zero.
    wide = firth_log_odds(fit, conf_level=1 - found.p_value)
    end = wide.conf_low if found.estimate > 0 else wide.conf_high
    assert end == pytest.approx(0, abs=1e-6)  # the bisection's and the scoring's stopping rules


def test_firth_has_no_clustered_sandwich_and_names_what_separated(simulated):
    outcome, matrix, team = simulated
    fit = firth_logit(outcome=np.where(matrix.values[:, 3] == 1, 0.0, outcome), matrix=matrix)
    for found in (firth_change_at_means(fit, clusters=team).change, firth_average_change(fit, clusters=team).treated):
        assert "Firth" in found.method
    with pytest.raises(InvalidInput, match="no clustered sandwich"):
        clustered_logit_covariance(fit, clusters=team)


def test_firth_profile_needs_a_penalised_fit(simulated):
    outcome, matrix, _ = simulated
    with pytest.raises(InvalidInput, match="Firth fit"):
        firth_log_odds(logit(outcome=outcome, matrix=matrix))


def test_refusals(simulated):
    outcome, matrix, _ = simulated
    with pytest.raises(InvalidInput, match="0 and 1"):
        logit(outcome=outcome + 1, matrix=matrix)
    with pytest.raises(NoObservations):
        logit(outcome=np.full(len(outcome), np.nan), matrix=matrix)
    with pytest.raises(InvalidInput, match="1 outcomes are missing"):
        logit(outcome=np.where(np.arange(len(outcome)) == 3, np.nan, outcome), matrix=matrix)
    twice = ModelMatrix(
        values=np.column_stack([matrix.values, 2 * matrix.values[:, 2]]), names=(*matrix.names, "twice")
    )
    with pytest.raises(CollinearTerms, match="twice"):
        logit(outcome=outcome, matrix=twice)
    with pytest.raises(NonConvergence, match="no maximum after 2"):
        logit(outcome=outcome, matrix=matrix, max_iterations=2)
    with pytest.raises(NonConvergence):
        firth_logit(outcome=outcome, matrix=matrix, max_iterations=1)
    fit = logit(outcome=outcome, matrix=matrix)
    with pytest.raises(SingleClusterArm):
        clustered_logit_covariance(fit, clusters=matrix.values[:, 1])
    with pytest.raises(EstimationError, match="not coded 0/1"):
        change_at_means(fit, model_covariance(fit), term="x")
    with pytest.raises(UnknownName):
        average_change(fit, model_covariance(fit), term="dose")
    with pytest.raises(UnknownName):
        log_odds(fit, model_covariance(fit), df="satterthwaite")
    with pytest.raises(EstimationError, match="no clusters"):
        log_odds(fit, model_covariance(fit), df="clusters")


def profile_of_a_table(change, control_events, control, treated_events, treated):
    """2 (l* - l*(change)) of two arms, Jeffreys' prior included, by a plain search over the control probability."""

    def minus(p0, p1):
        weights = control * p0 * (1 - p0) * treated * p1 * (1 - p1)
        parts = (control_events, control, p0), (treated_events, treated, p1)
        return -sum(e * math.log(p) + (n - e) * math.log1p(-p) for e, n, p in parts) - 0.5 * math.log(weights)

    best = minus((control_events + 0.5) / (control + 1), (treated_events + 0.5) / (treated + 1))
    low, high = max(0.0, -change) + 1e-9, min(1.0, 1 - change) - 1e-9
    held = optimize.minimize_scalar(
        lambda p0: minus(p0, p0 + change), bounds=(low, high), method="bounded", options={"xatol": 1e-13}
    )
    return 2 * (held.fun - best)


@pytest.mark.parametrize("table", [(67, 5, 72, 0), (75, 0, 72, 5), (30, 10, 20, 25), (5, 0, 0, 7)])
def test_the_interval_of_a_change_inverts_the_penalised_likelihood(table):
    none0, events0, none1, events1 = table
    found = firth_change_at_means(firth_logit(**two_by_two(*table)))
    quantile = stats.chi2.ppf(0.95, 1)
    for end in (found.change.conf_low, found.change.conf_high):
        drop = profile_of_a_table(end, events0, events0 + none0, events1, events1 + none1)
        assert drop == pytest.approx(quantile, rel=1e-6)  # two optimisers, each stopping at some nine digits
    # Of one column of dummies the mean over people is the value at the means, and the arms are binomial apart.
    averaged = firth_average_change(firth_logit(**two_by_two(*table)))
    assert averaged.change.conf_low == pytest.approx(found.change.conf_low, rel=1e-7, abs=1e-9)
    assert found.untreated.conf_low < found.untreated.estimate < found.untreated.conf_high
    odds = firth_log_odds(firth_logit(**two_by_two(*table)))
    assert found.change.p_value == odds.p_value and found.change.statistic == odds.statistic
    # Zero is in all intervals or in none, for a change of zero is a log odds ratio of zero.
    assert (found.change.conf_low <= 0 <= found.change.conf_high) == (odds.conf_low <= 0 <= odds.conf_high)


def test_a_change_with_covariates_inverts_the_penalised_likelihood(simulated):
    """Against a general optimiser of the penalised likelihood with the change as a constraint, where a role
    separates.
    """
    outcome, matrix, _ = simulated
    outcome = np.where(matrix.values[:, 3] == 1, 0.0, outcome)
    x = matrix.values

    def minus(b):
        linear = x @ b
        weight = 1 / (2 + 2 * np.cosh(linear))
        return -(outcome @ linear - np.logaddexp(0, linear).sum() + np.linalg.slogdet(x.T * weight @ x)[1] / 2)

    def change(b, rows):
        rest = rows @ b - rows[:, 1] * b[1]
        return float((1 / (1 + np.exp(-rest - b[1])) - 1 / (1 + np.exp(-rest))).mean())

    fit = firth_logit(outcome=outcome, matrix=matrix)
    for function, rows in ((firth_change_at_means, x.mean(axis=0)[None, :]), (firth_average_change, x)):
        end = function(fit).change.conf_high
        held = optimize.minimize(
            minus,
            fit.coefficients,
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 500},
            constraints={"type": "eq", "fun": lambda b, r=rows, e=end: change(b, r) - e},
        )
        # SLSQP stops at numerical derivatives, some six digits of a likelihood of about a hundred.
        assert 2 * (held.fun - minus(fit.coefficients)) == pytest.approx(stats.chi2.ppf(0.95, 1), abs=1e-4)


def test_clusters_widen_a_profile_by_their_design_effect(simulated):
    outcome, matrix, team = simulated
    fit = firth_logit(outcome=outcome, matrix=matrix)
    alone, clustered = firth_log_odds(fit), firth_log_odds(fit, clusters=team)
    effect = design_effect(residuals=outcome - fit.probabilities, clusters=team, assignment=matrix.values[:, 1])
    assert clustered.statistic == pytest.approx(alone.statistic / math.sqrt(effect.factor), rel=1e-9)
    assert clustered.df == 39 and clustered.n_clusters == 40 and f"{effect.factor:.2f}" in clustered.note
    # Everybody twice, in the same clusters: likeness grows, the design effect with it, and nothing is gained for
    # nothing.
    twice = ModelMatrix(values=np.vstack([matrix.values] * 2), names=matrix.names)
    doubled = firth_logit(outcome=np.tile(outcome, 2), matrix=twice)
    more = design_effect(
        residuals=np.tile(outcome - fit.probabilities, 2), clusters=np.tile(team, 2), assignment=twice.values[:, 1]
    )
    assert more.factor > effect.factor
    assert abs(firth_log_odds(doubled, clusters=np.tile(team, 2)).statistic) < abs(firth_log_odds(doubled).statistic)
    with pytest.raises(SingleClusterArm):
        firth_log_odds(fit, clusters=np.where(matrix.values[:, 1] == 1, -1, team))


def test_five_events_against_none_are_not_certain():
    """Where a sandwich said p = 1e-12: 5 of 75 against 0 of 72 (Fisher .059)."""
    rng = np.random.default_rng(1)
    given = two_by_two(72, 0, 70, 5)
    team = np.concatenate([rng.permutation(np.arange(72) % 12), 12 + rng.permutation(np.arange(75) % 12)])
    fit = firth_logit(**given)
    for found in (firth_log_odds(fit, clusters=team), firth_change_at_means(fit, clusters=team).change):
        assert 0.02 < found.p_value < 0.2
    assert 0.02 < firth_log_odds(fit).p_value < 0.05  # the likelihood ratio alone is a little bold
