"""The univariate models: their posteriors against formulas, brute force and other software."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from scipy import optimize, stats
from statsmodels.miscmodels.ordinal_model import OrderedModel

from hhp_stats.estimate.imputation import categorical, elimination, linear
from hhp_stats.estimate.imputation.elimination import CrossProducts, TeamSums, eliminate
from hhp_stats.estimate.imputation.matching import PLACES, _ascending, matched_donors


def grouped(seed: int = 0, teams: int = 40, rho: float = 0.2):
    rng = np.random.default_rng(seed)
    codes = np.sort(rng.integers(0, teams, 300))
    x = np.column_stack([np.ones(300), rng.normal(size=300), (codes % 2).astype(float)])
    y = x @ [0.5, 1.0, -0.4] + np.sqrt(rho) * rng.normal(size=teams)[codes] + np.sqrt(1 - rho) * rng.normal(size=300)
    sizes = np.bincount(codes, minlength=teams).astype(float)
    own = np.column_stack([x, y])
    sums = np.column_stack([np.bincount(codes, weights=column, minlength=teams) for column in own.T])
    order = np.argsort(sizes, kind="stable")
    return x, y, codes, own.T @ own, sums[order], sizes[order]


def parts(gram, chains: int = 1, *, complete: int = 2) -> CrossProducts:
    """The same cross-products in all chains, their first columns complete."""
    return CrossProducts(
        complete=np.tile(gram[:complete, :complete], (chains, 1, 1)),
        varying=np.tile(gram[:, complete:], (chains, 1, 1)),
        ridged=np.zeros(chains, dtype=bool),
    )


def team_sums(sums, sizes, chains: int = 1, *, complete: int = 2) -> TeamSums:
    first = elimination.first_of_size(sizes)
    grams = elimination.sums_by_size(sums.T, sums, sizes)
    return TeamSums(
        sizes=sizes[first],
        counts=np.diff(first, append=len(sizes)).astype(float),
        complete=grams[:, :complete, :complete],
        varying=np.tile(grams[:, :, complete:], (chains, 1, 1, 1)),
    )


def log_density(rho, gram, sums, sizes, n, *, complete: int = 2):
    """That of one chain at `rho` (L,)."""
    products, teams = parts(gram, complete=complete), team_sums(sums, sizes, complete=complete)
    return linear._log_density(rho[None], linear._eliminated(rho[None], products.complete, teams), products, teams, n)[
        0
    ]


def test_linear_draws_have_the_posterior_moments() -> None:
    x, y, _, gram, _, _ = grouped()
    rngs = [np.random.default_rng(1)] * 4000
    draws = linear.draw_linear(parts(gram, 4000), 300, rngs, plain=eliminate(gram[:2, :2]))
    ols = sm.OLS(y, x).fit()
    # The least-squares solution by another route.
    assert_allclose(draws.estimate, np.tile(ols.params, (4000, 1)), rtol=1e-9)
    spread = np.std(draws.drawn, axis=0)
    # beta is t with 297 df: variance s^2 (X'X)^-1 297/295; the SD of 4000 draws has relative error 1.1%: four of them.
    assert_allclose(spread, ols.bse * np.sqrt(297 / 295), rtol=0.045)
    assert_allclose(np.mean(draws.drawn, axis=0), ols.params, atol=4 * ols.bse.max() / np.sqrt(4000))
    # sigma^2 is RSS over chi-squared: its inverse has mean 1/s^2, relative error of the mean sqrt(2/297/4000).
    assert_allclose(np.mean(1 / draws.sigma**2), 1 / ols.mse_resid, rtol=4 * np.sqrt(2 / 297 / 4000))


def test_density_of_the_intraclass_correlation_is_the_restricted_likelihood() -> None:
    """By dense matrices: -1/2 (log|V| + log|X'V^-1X| + (n - k) log y'Py), up to a constant."""
    x, y, codes, gram, sums, sizes = grouped()
    rho = np.array([0.0, 0.1, 0.35, 0.8])
    ours = log_density(rho, gram, sums, sizes, 300)
    dense = []
    for value in rho:
        v = np.eye(300) + value / (1 - value) * (codes[:, None] == codes)
        a = np.linalg.solve(v, x)
        information = x.T @ a
        residual = y - x @ np.linalg.solve(information, a.T @ y)
        rss = residual @ np.linalg.solve(v, residual)
        dense.append(-0.5 * (np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1] + 297 * np.log(rss)))
    # Differences of numbers around 700 to ten digits.
    assert_allclose(ours - ours[0], np.array(dense) - dense[0], atol=1e-7)


@pytest.mark.parametrize("begin", [None, (0.9, 0.98), (0.2, 0.21)])
def test_draws_of_the_intraclass_correlation_follow_their_density(begin) -> None:
    """Wherever the search for the mass of the density begins."""
    _, _, _, gram, sums, sizes = grouped(rho=0.3)
    products, teams = parts(gram, 1000), team_sums(sums, sizes, 1000)
    nodes = linear.Nodes(products, teams, None if begin is None else np.tile(begin, (1000, 1)))
    draws = linear.draw_random_intercept(products, teams, 300, [np.random.default_rng(2)] * 1000, nodes=nodes)
    grid, cdf = rho_distribution(gram, sums, sizes, 300)
    ratio = draws.variance_ratio
    test = stats.kstest(ratio / (1 + ratio), lambda r: np.interp(r, grid, cdf))
    # A right sampler fails once in a thousand seeds, and the seed is fixed; cells of the table are far below its
    # resolution.
    assert test.pvalue > 0.001


@pytest.mark.parametrize(("teams", "rho"), [(12, 0.0), (40, 0.2), (40, 0.9), (60_000, 0.05)])
def test_the_table_of_the_intraclass_correlation_is_its_density(teams: int, rho: float) -> None:
    """Against a table hundreds of times finer, for few teams and for so many that the mass is on a thousandth of the
    range.
    """
    rng = np.random.default_rng(5)
    codes = np.repeat(np.arange(teams), rng.integers(2, 9, teams))
    n = len(codes)
    x = np.column_stack([np.ones(n), rng.normal(size=n)])
    y = x @ [0.5, 1.0] + np.sqrt(rho) * rng.normal(size=teams)[codes] + np.sqrt(1 - rho) * rng.normal(size=n)
    own, sizes = np.column_stack([x, y]), np.bincount(codes).astype(float)
    order = np.argsort(sizes, kind="stable")
    sums = np.column_stack([np.bincount(codes, weights=column) for column in own.T])[order]
    gram = own.T @ own
    products, by_size = parts(gram), team_sums(sums, sizes[order])
    nodes = linear.Nodes(products, by_size)
    density = linear._tabulated(products, by_size, n, nodes)
    low, high = nodes.interval[0]
    grid, cdf = rho_distribution(gram, sums, sizes[order], n, low=low, high=high)
    edges = low + (high - low) * np.arange(1, 65) / 64
    ours = np.cumsum(np.exp(density[0] - density.max()))
    # Where twelve teams say little, or rho is near 1, the polynomial is off by two or three percent of the density.
    assert_allclose(ours / ours[-1], np.interp(edges, grid, cdf), atol=0.01)
    # Nothing is cut off: outside the interval the density is below exp(-12) of its height.
    outside = np.concatenate([np.linspace(0, low, 50)[:-1], np.linspace(high, linear.HIGHEST, 50)[1:]])
    outside = outside[(outside < low) | (outside > high)]
    if len(outside):
        assert (log_density(outside, gram, sums, sizes[order], n) < density.max() - 11).all()


def rho_distribution(gram, sums, sizes, n, *, low=0.0, high=0.98):
    """A fine grid and the distribution function on it."""
    grid = np.linspace(low, high, 20_001)
    values = log_density(grid, gram, sums, sizes, n)
    density = np.exp(values - values.max())
    cdf = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return grid, cdf / cdf[-1]


def test_team_effects_are_the_conditional_normal() -> None:
    """Posterior mean by brute force: cov(u, y) V^-1 (y - X beta)."""
    x, y, codes, _, _, _ = grouped()
    beta, ratio, sigma = np.array([0.4, 0.9, -0.3]), 0.5, 1.2
    sizes = np.bincount(codes, minlength=41).astype(float)  # team 40 has nobody
    sums = np.column_stack([np.bincount(codes, weights=c, minlength=41) for c in np.column_stack([x, y]).T])
    draws = linear.LinearDraws(
        estimate=np.tile(beta, (3000, 1)),
        drawn=np.tile(beta, (3000, 1)),
        sigma=np.full(3000, sigma),
        variance_ratio=np.full(3000, ratio),
    )
    centre, many = linear.team_effects(draws, np.tile(sums.T, (3000, 1, 1)), sizes, [np.random.default_rng(3)] * 3000)
    member = (np.arange(41)[:, None] == codes).astype(float)
    v = np.eye(300) + ratio * member.T @ member
    mean = ratio * member @ np.linalg.solve(v, y - x @ beta)
    covariance = sigma**2 * (ratio * np.eye(41) - ratio**2 * member @ np.linalg.solve(v, member.T))
    assert_allclose(centre, np.tile(mean, (3000, 1)), rtol=1e-9, atol=1e-12)  # same algebra
    error = np.sqrt(np.diag(covariance) / 3000)
    assert (np.abs(many.mean(axis=0) - mean) < 4.5 * error).all()  # 41 comparisons at 4.5 SD
    assert_allclose(many.std(axis=0), np.sqrt(np.diag(covariance)), rtol=0.07)  # 1.3% each, 41 comparisons
    assert_allclose(np.sqrt(covariance[40, 40]), sigma * np.sqrt(ratio), rtol=1e-12)  # nobody observed: the prior


def test_collinear_predictors_are_recognised() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 2))
    y = x[:, 0] + rng.normal(size=50)
    independent = np.column_stack([np.ones(50), x, x[:, 0] ** 2, y])
    twice = np.column_stack([np.ones(50), x, x.sum(axis=1), y])
    for complete in (1, 2, 4):  # the fourth predictor among the varying ones, or all of them complete
        for values, determined in ((independent, False), (twice, True)):
            gram = values.T @ values
            products = parts(gram, 2, complete=complete)
            ridge = linear.needs_ridge(products, eliminate(gram[:complete, :complete]))
            assert ridge.tolist() == [determined, determined]
            raised = linear.with_ridge(products, ridge)
            assert not linear.needs_ridge(raised, eliminate(raised.complete[0])).any()


def test_draws_do_not_depend_on_which_predictors_are_complete() -> None:
    """Complete predictors are only eliminated first: the same factor, so the same draws, with one of them or all."""
    _, _, _, gram, sums, sizes = grouped()

    def drawn(complete: int) -> tuple[linear.LinearDraws, linear.LinearDraws]:
        rngs = [np.random.default_rng(seed) for seed in range(5)]
        products, teams = parts(gram, 5, complete=complete), team_sums(sums, sizes, 5, complete=complete)
        plain = linear.draw_linear(products, 300, rngs, plain=eliminate(gram[:complete, :complete]))
        nodes = linear.Nodes(products, teams)
        return plain, linear.draw_random_intercept(products, teams, 300, rngs, nodes=nodes)

    for one, all_three in zip(drawn(1), drawn(3), strict=True):
        for name in ("estimate", "drawn", "sigma", "variance_ratio"):
            # A well-conditioned matrix of four columns: another order of the same sums.
            assert_allclose(getattr(one, name), getattr(all_three, name), rtol=1e-11, atol=1e-13, err_msg=name)


def test_what_is_kept_from_draw_to_draw_is_what_is_worked_out_anew() -> None:
    """After moves and a ridge that comes and goes, the eliminated predictors at the nodes are those of the nodes."""
    _, _, _, gram, sums, sizes = grouped()
    products, teams = parts(gram, 3), team_sums(sums, sizes, 3)
    nodes = linear.Nodes(products, teams)
    raised = linear.with_ridge(products, np.array([False, True, False]))
    for given in (products, raised, products):
        draws = linear.draw_random_intercept(
            given, teams, 300, [np.random.default_rng(seed) for seed in range(3)], nodes=nodes
        )
        new = linear._eliminated(nodes.rho(np.arange(3)), given.complete, teams)
        assert np.array_equal(nodes.inverse, new.inverse) and np.array_equal(nodes.pivots, new.pivots)
        assert (nodes.interval[:, 1] < linear.HIGHEST).all() and np.isfinite(draws.drawn).all()


@pytest.mark.parametrize("count", [1, 5, 30])
def test_donors_are_the_nearest(count: int) -> None:
    rng = np.random.default_rng(7)
    donors, recipients = rng.normal(size=30), np.concatenate([rng.normal(size=200), [-50.0, 50.0]])
    distance = np.abs(donors - recipients[:, None])
    farthest = np.sort(distance, axis=1)[:, count - 1]
    chosen = matched_donors(
        donors=np.tile(donors, (400, 1)), recipients=np.tile(recipients, (400, 1)), count=count, rngs=[rng] * 400
    )
    assert (distance[np.arange(202), chosen] <= farthest).all()
    # Each of the `count` nearest is taken about equally often: 400 draws leave none out, chance 30 (29/30)^400 per
    # recipient.
    assert all(len(np.unique(column)) == count for column in chosen.T)


def test_tied_donors_are_chosen_alike() -> None:
    rng = np.random.default_rng(8)
    donors = np.repeat([0.0, 1.0], 20)
    chosen = matched_donors(
        donors=np.tile(donors, (400, 1)), recipients=np.full((400, 10), 0.9), count=5, rngs=[rng] * 400
    ).ravel()
    assert chosen.min() >= 20
    counts = np.bincount(chosen, minlength=40)[20:]
    # 4000 draws over 20 tied donors, ten at a time from the same five: variance ten times the multinomial's at most.
    assert counts.min() > 200 - 4.5 * np.sqrt(10 * 200) and counts.max() < 200 + 4.5 * np.sqrt(10 * 200)


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e7, 1e12])
def test_predictions_are_sorted_as_any_stable_sort_does_it(scale: float) -> None:
    """At 1e-8 nearly all are equal once rounded; at 1e12 they leave no room for their places in one whole number."""
    found = np.random.default_rng(9).normal(size=(3, 500)) * scale
    found[:, 250:300] = found[:, :1]
    values, order = _ascending(found)
    rounded = found.round(PLACES)
    np.testing.assert_array_equal(order, np.argsort(rounded, axis=1, kind="stable"))
    np.testing.assert_array_equal(values, np.sort(rounded, axis=1))


def levels(seed: int = 0, n: int = 400):
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    codes = np.digitize(x[:, 1] - 0.5 * x[:, 2] + rng.logistic(size=n), [-1.0, 0.5, 1.5])
    return x, codes


def test_multinomial_maximises_the_augmented_likelihood() -> None:
    x, codes = levels()
    found = categorical.draw_multinomial(x=x, codes=codes, levels=4, start=None, rng=np.random.default_rng(1)).estimate
    rows, hits, weights = categorical.augmented(x, codes, 4)

    def loss(flat: np.ndarray) -> float:
        index = np.column_stack([np.zeros(len(rows)), rows @ flat.reshape(3, 3).T])
        return -float(weights @ (index[np.arange(len(rows)), hits] - np.logaddexp.reduce(index, axis=1)))

    best = optimize.minimize(loss, np.zeros(9), method="BFGS", options={"gtol": 1e-7})
    # BFGS with numerical gradients finds the maximum to about the root of machine precision.
    assert_allclose(found.ravel(), best.x, atol=2e-5)


def test_without_separation_the_augmentation_hardly_matters() -> None:
    x, codes = levels(n=6000)
    rng = np.random.default_rng(1)
    multinomial = categorical.draw_multinomial(x=x, codes=codes, levels=4, start=None, rng=rng).estimate
    ordered = categorical.draw_ordered(x=x, codes=codes, levels=4, start=None, rng=rng).estimate
    theirs = sm.MNLogit(codes, x).fit(disp=0)
    # Pseudo-observations of total weight 3 among 6000: far below a standard error (about .05).
    assert_allclose(multinomial, theirs.params.T, atol=0.015)
    cumulative = OrderedModel(codes, x[:, 1:], distr="logit").fit(method="bfgs", disp=0, gtol=1e-8)
    assert_allclose(ordered[3:], cumulative.params[:2], atol=0.01)
    assert_allclose(ordered[0], cumulative.params[2], atol=0.015)
    assert_allclose(ordered[1:3], cumulative.params[3:], atol=0.015)


def test_draws_of_categorical_coefficients_spread_like_their_standard_errors() -> None:
    x, codes = levels(n=2000)
    rng = np.random.default_rng(5)
    start = None
    drawn = []
    for _ in range(400):
        draw = categorical.draw_ordered(x=x, codes=codes, levels=4, start=start, rng=rng)
        start = draw.estimate
        drawn.append(draw.drawn)
    theirs = OrderedModel(codes, x[:, 1:], distr="logit").fit(method="bfgs", disp=0)
    # The SD of 400 draws has a relative error of 3.5%; expected and observed information differ by a few per cent.
    assert_allclose(np.std(drawn, axis=0)[3:], theirs.bse[:2], rtol=0.15)
    binary = (codes > 1).astype(np.intp)
    spread = np.std(
        [categorical.draw_multinomial(x=x, codes=binary, levels=2, start=None, rng=rng).drawn[0] for _ in range(400)],
        axis=0,
    )
    assert_allclose(spread, sm.Logit(binary, x).fit(disp=0).bse, rtol=0.15)


def test_separated_levels_still_give_a_finite_draw() -> None:
    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(60), np.repeat([-1.0, 1.0], 30)])
    codes = (x[:, 1] > 0).astype(np.intp)
    draw = categorical.draw_multinomial(x=x, codes=codes, levels=2, start=None, rng=rng)
    assert np.isfinite(draw.drawn).all()
    chance = categorical.multinomial_shares(x, draw.estimate)[:, 1]
    assert chance[0] < 0.1 and chance[-1] > 0.9 and chance.min() > 0 and chance.max() < 1
    three = np.digitize(x[:, 1] + 0.1 * rng.random(60), [-0.95, 0.5])
    assert np.isfinite(categorical.draw_ordered(x=x, codes=three, levels=3, start=None, rng=rng).drawn).all()


def test_levels_are_drawn_with_their_probabilities() -> None:
    shares = np.tile([0.2, 0.5, 0.0, 0.3], (20_000, 1))
    counts = np.bincount(categorical.draw_levels(shares, np.random.default_rng(0)), minlength=4)
    assert counts[2] == 0
    # Four binomial standard deviations of 20,000 draws.
    assert_allclose(counts / 20_000, [0.2, 0.5, 0.0, 0.3], atol=4 * np.sqrt(0.25 / 20_000))
