"""Which maxima the selection likelihood has, which one is reported, and the profile interval of rho."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import optimize, stats

from hhp_stats.errors import NonConvergence, SingleClusterArm
from hhp_stats.estimate import selection_likelihood as likelihood
from hhp_stats.estimate import selection_path, selection_profile
from hhp_stats.estimate.selection import SelectionFit, heckman_likelihood
from hhp_stats.regression.gram import triangular_factor, upper_inverse
from hhp_stats.regression.model_matrix import ModelMatrix

TRANSFORMS = {
    "normal": lambda y: y,
    "exp": np.exp,
    "exp of twice": lambda y: np.exp(2 * y),
    "one in twenty": lambda y: (y > np.quantile(y, 0.95)).astype(float),
}


def people(n: int, seed: int, *, rho: float = 0.0, transform: str = "normal", columns: int = 2):
    """The same terms on both sides, about 40% missing."""
    rng = np.random.default_rng(seed)
    arm, x, u = (np.arange(n) % 2).astype(float), rng.normal(size=(n, columns)), rng.normal(size=n)
    y = 0.3 * arm + 0.5 * x[:, 0] + rho * u + np.sqrt(1 - rho**2) * rng.normal(size=n)
    y = TRANSFORMS[transform](y)
    y[~(0.2 + 0.2 * arm + 0.5 * x[:, 0] - 0.3 * x[:, 1] + u > 0)] = np.nan
    names = ("intercept", "treatment", *(f"x{i}" for i in range(columns)))
    return y, ModelMatrix(values=np.column_stack([np.ones(n), arm, x]), names=names)


def on_one_basis(y, matrix):
    """The data of the likelihood and the maximum for rho = 0."""
    known = ~np.isnan(y)
    factor = triangular_factor(matrix.values)
    q = matrix.values @ upper_inverse(factor)
    data = likelihood.SelectionData.of(
        z_in=q[known], z_out=q[~known], shared=factor, apart=np.empty((known.sum(), 0)), y=y[known]
    )
    gamma, *_ = likelihood.probit(q, known)
    return data, np.concatenate([gamma, np.zeros(matrix.values.shape[1]), [1.0]])


def every_maximum(fit: SelectionFit) -> list[tuple[float, float]]:
    """(rho, log likelihood) of all maxima, by rho."""
    others = [(other.rho, other.log_likelihood) for other in fit.others if other.stationary]
    return sorted([(fit.rho, fit.log_likelihood), *others])


# Of these made-up data sets 0, 1, 2 and 11 have two maxima inside, 149 has one inside and one at the edge.
@pytest.mark.parametrize("seed", [0, 1, 2, 11, 3, 149])
def test_the_maxima_are_those_of_a_dense_profile(seed: int) -> None:
    y, matrix = people(150, seed)
    fit = heckman_likelihood(outcome=y, matrix=matrix)
    data, theta = on_one_basis(y, matrix)
    grid = np.linspace(-selection_path.LIMIT, selection_path.LIMIT, 601)
    values = []
    for a in grid:
        # The inner problem by another method and from the point before, as a check of the Newton steps too.
        theta = selection_path.point_at(a, theta, data, tolerance=1e-10).theta
        values.append(likelihood.log_likelihood(theta, a, data))
    values = np.array(values)
    tops = np.flatnonzero((values[1:-1] > values[:-2]) & (values[1:-1] > values[2:])) + 1
    found = every_maximum(fit)
    assert len(found) == len(tops)
    # Half a step of the grid, with a curvature of at most 100 by atanh(rho).
    assert_allclose([value for _, value in found], values[tops], atol=100 * (grid[1] - grid[0]) ** 2 / 2)
    assert all(value >= dense for (_, value), dense in zip(found, values[tops], strict=True))
    inside = [value for rho, value in found if abs(rho) <= selection_path.EDGE]
    assert fit.log_likelihood == max(inside) and not fit.edge


def test_for_a_given_rho_every_start_ends_at_the_same_point() -> None:
    """The concave form: a quasi-Newton method from random starts agrees with the Newton steps."""
    y, matrix = people(300, 5)
    data, theta = on_one_basis(y, matrix)
    rng = np.random.default_rng(1)
    for a in (-2.0, 0.4, 1.5):
        point = selection_path.point_at(a, theta, data, tolerance=1e-12)
        for _ in range(3):
            start = theta + rng.normal(size=len(theta)) * [*[3.0] * 8, 0.0]

            def cost(at, a=a):
                found = likelihood.derivatives(at, a, data)
                return -found.value, -found.score[:-1]

            end = optimize.minimize(
                cost,
                start,
                jac=True,
                method="L-BFGS-B",
                bounds=[(None, None)] * 8 + [(1e-3, None)],
                options={"maxiter": 5000, "maxfun": 20000, "ftol": 1e-15, "gtol": 1e-8},
            )
            # L-BFGS stops where it gains a few rounding units of the value; the place is off by the root of that.
            assert_allclose(-end.fun, point.value, atol=1e-6)
            assert_allclose(end.x, point.theta, atol=1e-2, rtol=1e-3)


@pytest.mark.parametrize("seed", [0, 2, 149])
def test_starts_order_units_and_signs_lead_to_the_same_maxima(seed: int) -> None:
    y, matrix = people(150, seed)
    fit = heckman_likelihood(outcome=y, matrix=matrix)
    data, theta = on_one_basis(y, matrix)
    rng = np.random.default_rng(seed)
    # The third set lies next to the steps of the trace: points nearly on top of each other.
    for further in (rng.uniform(-4, 4, size=4), rng.uniform(-4, 4, size=4), (0.3 + 1e-9, -0.6 - 1e-7, 1.4 - 1e-5)):
        again = selection_profile.profile(theta, data, further=further)
        assert_allclose([(m.rho, m.value) for m in again.maxima], every_maximum(fit), rtol=1e-7)
    order = rng.permutation(len(y))
    shuffled = heckman_likelihood(outcome=y[order], matrix=ModelMatrix(values=matrix.values[order], names=matrix.names))
    assert_allclose(every_maximum(shuffled), every_maximum(fit), rtol=1e-7)
    columns = [0, 1, 3, 2]
    scales = np.array([1.0, 1.0, 1e4, 1e-3])
    turned = ModelMatrix(values=(matrix.values * scales)[:, columns], names=tuple(matrix.names[i] for i in columns))
    moved = heckman_likelihood(outcome=1e3 * y + 5, matrix=turned)
    assert_allclose([rho for rho, _ in every_maximum(moved)], [rho for rho, _ in every_maximum(fit)], rtol=1e-6)
    assert_allclose(moved.coefficient().estimate, 1e3 * fit.coefficient().estimate, rtol=1e-6)
    mirrored = heckman_likelihood(outcome=-y, matrix=matrix)
    assert_allclose([(-rho, value) for rho, value in every_maximum(mirrored)][::-1], every_maximum(fit), rtol=1e-6)
    assert_allclose([mirrored.rho_conf_low, mirrored.rho_conf_high], [-fit.rho_conf_high, -fit.rho_conf_low], rtol=1e-5)


# Among 2,000 people the eleventh seed has a maximum inside with each of the transforms; not every seed has.
@pytest.mark.parametrize(
    ("transform", "n", "seed"),
    [
        ("exp", 2_000, 11),
        ("exp of twice", 2_000, 11),
        ("one in twenty", 2_000, 11),
        ("normal", 2_000, 1),
        ("normal", 100_000, 1),
    ],
)
def test_heavy_tails_rare_events_and_many_people(transform: str, n: int, seed: int) -> None:
    y, matrix = people(n, seed, transform=transform, columns=6)
    fit = heckman_likelihood(outcome=y, matrix=matrix)
    assert fit.decrement < 1e-16 and not fit.edge
    if transform != "normal":
        # The higher likelihood at the edge is no maximum inside: named, not reported.
        (edge,) = [other for other in fit.others if other.log_likelihood > fit.log_likelihood]
        assert edge.edge and fit.rho_conf_low < fit.rho < 0
        assert "edge solution, rho" in fit.coefficient().note


def test_where_the_likelihood_only_rises_to_an_end_no_number_is_given() -> None:
    y, matrix = people(40, 3, rho=0.9)
    with pytest.raises(
        NonConvergence, match=r"rho runs to .*1 \(log likelihood -\d+\.\d+ at 0\.9997\); the likelihood"
    ):
        heckman_likelihood(outcome=y, matrix=matrix)


@pytest.mark.parametrize(("n", "seed"), [(60, 50), (100, 28)])
def test_an_edge_solution_is_reported_where_no_maximum_lies_inside_and_marked(n: int, seed: int) -> None:
    y, matrix = people(n, seed, rho=0.97)
    fit = heckman_likelihood(outcome=y, matrix=matrix)
    assert fit.edge and abs(fit.rho) > 0.99
    for note in (fit.coefficient().note, fit.correlation().note):
        assert f"Reported is an edge solution, as no maximum lies inside: rho {fit.rho:.3f}" in note


def profile_by_scipy(a: float, theta, data) -> float:
    """The profile at one a by a general optimiser."""

    def cost(at):
        found = likelihood.derivatives(at, a, data)
        return -found.value, -found.score[:-1]

    bounds = [(None, None)] * (len(theta) - 1) + [(1e-3, None)]
    end = optimize.minimize(
        cost,
        theta,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 5000, "maxfun": 20000, "ftol": 1e-15, "gtol": 1e-7},
    )
    return -float(end.fun)


@pytest.mark.parametrize("seed", [3, 4])
def test_the_interval_ends_where_the_likelihood_ratio_rejects(seed: int) -> None:
    y, matrix = people(150, seed)
    data, theta = on_one_basis(y, matrix)
    for level in (0.8, 0.95):
        fit = heckman_likelihood(outcome=y, matrix=matrix, conf_level=level)
        for end in (fit.rho_conf_low, fit.rho_conf_high):
            fall = 2 * (fit.log_likelihood - profile_by_scipy(np.arctanh(end), theta, data))
            # The ends are sought to a millionth; L-BFGS leaves about as much.
            assert_allclose(fall, stats.chi2.ppf(level, 1), atol=1e-4)
    at_zero = 2 * (fit.log_likelihood - profile_by_scipy(0.0, theta, data))
    assert_allclose(fit.lr_statistic, at_zero, atol=1e-4)
    assert_allclose(fit.lr_p_value, stats.chi2.sf(fit.lr_statistic, 1))
    # The interval and the test are one: zero is inside if and only if p exceeds the level.
    assert (fit.rho_conf_low < 0 < fit.rho_conf_high) == (fit.lr_p_value > 0.05)


def test_an_interval_over_two_maxima_spans_both_and_names_the_gap() -> None:
    with_gap = None
    for seed in (0, 1, 2, 11, 13, 16, 25, 26):
        y, matrix = people(150, seed)
        fit = heckman_likelihood(outcome=y, matrix=matrix, conf_level=0.5)
        held = [rho for rho, value in every_maximum(fit) if fit.log_likelihood - value < stats.chi2.ppf(0.5, 1) / 2]
        assert fit.rho_conf_low <= min(held) and max(held) <= fit.rho_conf_high
        if fit.rho_interval.gaps:
            with_gap = fit
    assert with_gap is not None
    ((low, high),) = with_gap.rho_interval.gaps
    assert with_gap.rho_conf_low < low < high < with_gap.rho_conf_high
    assert f"values of rho from {low:.3f} to {high:.3f} are rejected" in with_gap.correlation().note


@pytest.mark.parametrize("rho", [-0.8, 0.0, 0.6])
def test_planted_correlations_are_recovered(rho: float) -> None:
    y, matrix = people(20_000, 3, rho=rho)
    fit = heckman_likelihood(outcome=y, matrix=matrix, conf_level=0.9999)
    effect = fit.coefficient()
    # Intervals of 99.99%: a correct estimator fails once in 10,000 seeds, and the seed is fixed.
    assert fit.rho_conf_low < rho < fit.rho_conf_high
    assert effect.conf_low < 0.3 < effect.conf_high
    # No correlation is rejected exactly where there is one.
    assert (fit.lr_p_value < 0.05) == (rho != 0)


def test_an_arm_that_only_one_team_answers_for_is_refused() -> None:
    y, matrix = people(600, 3)
    team = np.repeat(np.arange(20), 30)
    arm = (team % 2).astype(float)
    matrix = ModelMatrix(values=np.column_stack([matrix.values[:, 0], arm, matrix.values[:, 2:]]), names=matrix.names)
    heckman_likelihood(outcome=y, matrix=matrix, clusters=team)  # everybody may answer
    silent = (arm == 1) & (team != 3)
    thin = np.where(silent & (np.arange(600) % 30 > 0), np.nan, y)
    heckman_likelihood(outcome=thin, matrix=matrix, clusters=team)  # one person of each treated team is enough
    with pytest.raises(SingleClusterArm, match=r"treatment, among those who answered.* = 1 holds 1 cluster"):
        heckman_likelihood(outcome=np.where(silent, np.nan, y), matrix=matrix, clusters=team)
    # A dummy of its own takes a team out of the comparison.
    two = np.where((arm == 1) & (team != 3) & (team != 5), np.nan, y)
    own = ModelMatrix(values=np.column_stack([matrix.values, team == 5]), names=(*matrix.names, "team[5]"))
    with pytest.raises(SingleClusterArm, match="treatment, among those who answered"):
        heckman_likelihood(outcome=two, matrix=own, clusters=team)
    # Whatever the arm is called: the model is fitted, its effect refused.
    offered = ModelMatrix(values=own.values, names=("intercept", "offered", "x0", "x1", "team[5]"))
    fit = heckman_likelihood(outcome=two, matrix=offered, clusters=team)
    assert fit.coefficient(term="x0").std_error > 0
    for term in ("offered", "team[5]"):
        with pytest.raises(SingleClusterArm, match="among those who answered"):
            fit.coefficient(term=term)
