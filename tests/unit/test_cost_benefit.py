"""The benefit-cost ratio: components, three intervals, acceptability, pairs of interventions, the bootstrap behind
them.
"""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config

from hhp_stats.errors import (
    CollinearTerms,
    EstimationError,
    InvalidInput,
    NoObservations,
    SingleClusterArm,
    UnknownName,
)
from hhp_stats.estimate.cluster_bootstrap import BootstrapDraws, cluster_bootstrap, linear_bootstrap, team_cells
from hhp_stats.estimate.cost_benefit import (
    Costs,
    benefit_cost_ratio,
    bootstrap_ratio,
    fieller_ratio,
    net_turnover_cost,
    net_turnover_costs,
    programme_days,
)
from hhp_stats.estimate.ratio import acceptability_curve, fieller
from hhp_stats.regression.model_matrix import ModelMatrix
from hhp_stats.results.frame import Estimate
from hhp_stats.tails import student_quantile

COSTS = Costs(salary=28500, working_days=228, programme_days=0.5, turnover_cost=10_000, scenario="half a day")


def effect(estimate, std_error, **changes):
    return Estimate(
        **{"estimate": estimate, "std_error": std_error, "df": 50, "n": 400, "n_clusters": 51, "method": "given"}
        | changes
    )


ABSENCE, TURNOVER = effect(-0.4, 0.3), effect(-0.01, 0.02)


def test_two_cost_scenarios():
    assert programme_days(minutes_a_week=30, weeks=6) == pytest.approx(0.41, abs=0.005)  # as C52 rounds it
    assert programme_days(minutes_a_week=60, weeks=6) == pytest.approx(0.81, abs=0.005)
    short = Costs(salary=28500, working_days=228, programme_days=3 / 7.4, turnover_cost=0, scenario="programme time")
    printed = Costs(salary=28500, working_days=228, programme_days=11.75, turnover_cost=0, scenario="as printed")
    ratio = short.ratio(absence_reduction=1, turnover_reduction=0) / printed.ratio(
        absence_reduction=1, turnover_reduction=0
    )
    assert ratio == pytest.approx(11.75 / (3 / 7.4))  # costed at 29 times the programme


def test_components_by_hand():
    assert COSTS.daily_rate == 125 and COSTS.programme_cost == 62.5
    assert COSTS.benefit(absence_reduction=0.4, turnover_reduction=0.01) == pytest.approx(50 + 100)
    assert COSTS.ratio(absence_reduction=0.4, turnover_reduction=0.01) == pytest.approx(2.4)


def test_end_points_are_substituted():
    got = benefit_cost_ratio(absence=ABSENCE, turnover=TURNOVER, costs=COSTS)
    low = (-ABSENCE.conf_high * 125 - TURNOVER.conf_high * 10_000) / 62.5
    high = (-ABSENCE.conf_low * 125 - TURNOVER.conf_low * 10_000) / 62.5
    assert (got.estimate, got.conf_low, got.conf_high) == pytest.approx((2.4, low, high))
    assert math.isnan(got.std_error) and math.isnan(got.p_value)
    assert "half a day" in got.note


def test_a_leaver_who_costs_less_than_nothing_does_not_turn_the_interval_round():
    cheap = Costs(salary=28500, working_days=228, programme_days=0.5, turnover_cost=-1000, scenario="agency unfilled")
    got = benefit_cost_ratio(absence=ABSENCE, turnover=TURNOVER, costs=cheap)
    assert got.conf_low < got.estimate < got.conf_high


def test_leaving_is_paid_for_once():
    cost = net_turnover_cost(
        replacement_cost=pd.Series([5000.0, 7000.0]),
        absence_after_leaving=pd.Series([4.0, 0.0]),
        daily_rate=125,
        clusters=pd.Series(["a", "b"]),
    )
    # 4,500 and 7,000: deviations of 1,250, so 2/(2 - 1) times 2 x 1,250^2, its root over 2.
    assert (cost.estimate, cost.std_error, cost.df) == (5750, 1250, 1)
    with pytest.raises(InvalidInput):
        net_turnover_costs(replacement_cost=pd.Series([np.nan]), absence_after_leaving=pd.Series([1.0]), daily_rate=125)
    with pytest.raises(InvalidInput):
        net_turnover_costs(
            replacement_cost=pd.Series([], dtype=float), absence_after_leaving=pd.Series([], dtype=float), daily_rate=1
        )
    with pytest.raises(InvalidInput, match="one team"):
        net_turnover_cost(
            replacement_cost=pd.Series([1.0, 2.0]),
            absence_after_leaving=pd.Series([0.0, 0.0]),
            daily_rate=1,
            clusters=pd.Series(["a", "a"]),
        )


def test_an_uncertain_cost_of_a_leaver_widens_both_intervals():
    vague = replace(COSTS, turnover_cost_std_error=8_000)
    known, less = (
        fieller_ratio(absence=ABSENCE, turnover=TURNOVER, correlation=0, costs=costs) for costs in (COSTS, vague)
    )
    # By hand: the product of independent estimates (Goodman), at 50 degrees of freedom, over 62.50 pounds.
    variance = (125 * 0.3) ** 2 + (10_000 * 0.02) ** 2 + (0.01**2 + 0.02**2) * 8_000**2
    reach = student_quantile(0.975, 50) * math.sqrt(variance) / 62.5
    assert less.set.hull == pytest.approx((2.4 - reach, 2.4 + reach), rel=1e-12)
    assert known.set.hull[0] > less.set.hull[0]
    draws = joint_draws(0.0)
    prices = np.random.default_rng(2).normal(10_000, 8_000, len(draws.draws))
    priced = replace(draws, draws=draws.draws.assign(leaver=prices), estimates={**draws.estimates, "leaver": 10_000})
    got, sure = bootstrap_ratio(priced, costs=COSTS)[0], bootstrap_ratio(draws, costs=COSTS)[0]
    assert got.conf_high - got.conf_low > sure.conf_high - sure.conf_low
    assert got.estimate == sure.estimate


def test_a_level_of_confidence_is_a_share():
    with pytest.raises(InvalidInput, match="conf_level"):
        bootstrap_ratio(joint_draws(0.0), costs=COSTS, conf_level=95)


def joint_draws(correlation, draws=4000):
    rng = np.random.default_rng(8)
    pair = rng.multivariate_normal(
        [-0.4, -0.01], [[0.09, 0.006 * correlation], [0.006 * correlation, 0.0004]], size=draws
    )
    return BootstrapDraws(
        estimates={"absence": -0.4, "turnover": -0.01},
        draws=pd.DataFrame(pair, columns=["absence", "turnover"]),
        failed=0,
        single_team_cells=0,
        n=400,
        n_clusters=51,
    )


@pytest.mark.parametrize("correlation", [-0.8, 0.0, 0.8])
def test_the_joint_interval_knows_the_dependence_and_agrees_with_fieller(correlation):
    got, ratios = bootstrap_ratio(joint_draws(correlation), costs=COSTS)
    absence, turnover = effect(-0.4, 0.3, df=math.inf), effect(-0.01, 0.02, df=math.inf)
    exact = fieller_ratio(absence=absence, turnover=turnover, correlation=correlation, costs=COSTS)
    width = exact.set.hull[1] - exact.set.hull[0]
    # The 2.5% percentile of 4,000 normal draws has a standard error of sqrt(.025 x .975/4000)/.0584 deviations, .0108
    # of the width of 3.92: two of them.
    assert got.conf_low == pytest.approx(exact.set.hull[0], abs=0.022 * width)
    assert got.conf_high == pytest.approx(exact.set.hull[1], abs=0.022 * width)
    assert got.estimate == pytest.approx(2.4) and len(ratios) == 4000
    printed = benefit_cost_ratio(absence=absence, turnover=turnover, costs=COSTS)
    # Substituted end-points assume the worst of both at once.
    assert printed.conf_high - printed.conf_low > width


def test_programme_time_that_is_itself_uncertain_can_leave_no_bound():
    sure = fieller_ratio(absence=ABSENCE, turnover=TURNOVER, correlation=0, costs=COSTS)
    vague = fieller_ratio(absence=ABSENCE, turnover=TURNOVER, correlation=0, costs=COSTS, programme_days_std_error=0.4)
    assert sure.set.kind == "interval" and not vague.set.bounded
    assert sure.estimate == pytest.approx(vague.estimate)


def test_acceptability():
    curve = acceptability_curve(benefits=np.array([1.0, 2, 3, 4]), costs=1.0, thresholds=[0.5, 2, 2.5, 9])
    assert curve["probability"].tolist() == [1, 0.625, 0.5, 0]
    with pytest.raises(InvalidInput):
        acceptability_curve(benefits=np.array([1.0, np.nan]), costs=1.0, thresholds=[1])
    with pytest.raises(InvalidInput):
        acceptability_curve(benefits=np.ones(3), costs=np.ones(2), thresholds=[1])


def staff(teams=12, size=6, seed=2):
    rng = np.random.default_rng(seed)
    team = np.repeat(np.arange(teams), size)
    frame = pd.DataFrame({"team_id": team, "treatment": (team % 2).astype(float), "stratum": team // 4})
    frame["days"] = 4 + rng.normal(size=teams)[team] + rng.normal(size=len(team)) - frame["treatment"]
    frame["left"] = (rng.random(len(team)) < 0.2).astype(float)
    return frame


def difference(frame):
    arms = frame.groupby("treatment")[["days", "left"]].mean()
    return {
        "absence": arms.loc[1.0, "days"] - arms.loc[0.0, "days"],
        "turnover": arms.loc[1.0, "left"] - arms.loc[0.0, "left"],
    }


def run(frame, **changes):
    arguments = {
        "estimator": difference,
        "clusters": "team_id",
        "within": ["treatment", "stratum"],
        "draws": 60,
        "seed": 5,
    }
    return cluster_bootstrap(frame, **(arguments | changes))


def test_bootstrap_is_the_same_in_parallel_and_keeps_the_design():
    def check(frame):
        counts = frame.drop_duplicates("team_id").groupby(["treatment", "stratum"]).size()
        assert (counts == 2).all() and len(frame) == 72  # two teams a cell, six people a team
        return difference(frame)

    serial = run(staff(), estimator=check)
    with parallel_config(backend="threading", n_jobs=2):
        threaded = run(staff(), estimator=check)
    pd.testing.assert_frame_equal(serial.draws, threaded.draws, check_exact=True)
    assert not serial.draws.equals(run(staff(), seed=6).draws)
    assert serial.estimates == difference(staff()) and serial.n_clusters == 12
    low, high = serial.interval("absence")
    assert low < high and -1 <= serial.correlation("absence", "turnover") <= 1


def test_team_sums_give_the_regressions_of_the_samples():
    """The same draws, each regression run on the people themselves; a tenth of the days is not known, one term
    doubled.
    """
    rng = np.random.default_rng(9)
    frame = staff(teams=16).assign(age=lambda of: rng.normal(40, 10, len(of)))
    frame.loc[rng.random(len(frame)) < 0.1, "days"] = np.nan
    names = ("intercept", "treatment", "age", "age_in_months")
    values = np.column_stack([np.ones(len(frame)), frame["treatment"], frame["age"], 12 * frame["age"]])
    frame[list(names)] = values

    def regressions(draw):
        found = {}
        for key, column in (("absence", "days"), ("turnover", "left")):
            known = draw[draw[column].notna()]
            found[key] = np.linalg.lstsq(known[list(names)].to_numpy(), known[column].to_numpy(), rcond=None)[0][1]
        return found

    one_by_one = run(frame, estimator=regressions)
    arguments = {
        "outcomes": {"absence": frame["days"].to_numpy(), "turnover": frame["left"].to_numpy()},
        "teams": team_cells(frame, clusters="team_id", within=["treatment", "stratum"]),
        "draws": 60,
        "seed": 5,
    }
    matrix = ModelMatrix(values=values, names=names)
    at_once = linear_bootstrap(matrix=matrix, **arguments)
    pd.testing.assert_frame_equal(at_once.draws, one_by_one.draws, rtol=1e-8)
    assert at_once.estimates == pytest.approx(one_by_one.estimates, rel=1e-9)
    assert (at_once.n, at_once.n_clusters, at_once.failed) == (one_by_one.n, one_by_one.n_clusters, 0)

    aliased = ModelMatrix(values=np.column_stack([values, 1 - values[:, 1]]), names=(*names, "control"))
    with pytest.raises(CollinearTerms, match="treatment is determined"):
        linear_bootstrap(matrix=aliased, **arguments)
    with pytest.raises(InvalidInput, match="length"):
        linear_bootstrap(matrix=ModelMatrix(values=values[:-1], names=names), **arguments)


def test_progress_reaches_the_end():
    seen = []
    run(staff(), draws=110, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (110, 110) and len(seen) == 3


def test_a_ratio_and_its_mirror_have_the_same_p_value():
    """Effects turned round turn the ratio, and leave its p as it was: both tails count."""
    drawn = joint_draws(0.0)
    turned = replace(drawn, draws=-drawn.draws, estimates={name: -value for name, value in drawn.estimates.items()})
    one, other = bootstrap_ratio(drawn, costs=COSTS)[0], bootstrap_ratio(turned, costs=COSTS)[0]
    assert one.p_value == other.p_value and one.estimate == -other.estimate
    assert (one.conf_low, one.conf_high) == pytest.approx((-other.conf_high, -other.conf_low))


def test_leavers_cost_their_mean_and_not_their_median():
    cost = net_turnover_cost(
        replacement_cost=pd.Series([3000.0, 4000.0, 11_000.0]),
        absence_after_leaving=pd.Series([0.0, 0.0, 0.0]),
        daily_rate=125,
        clusters=pd.Series(["a", "b", "b"]),
    )
    # Deviations -3,000, and -2,000 + 5,000 in the other team: sqrt(2 (3,000^2 + 3,000^2))/3.
    assert (cost.estimate, cost.std_error) == (6000, pytest.approx(2000))


@pytest.mark.parametrize(("share", "refused"), [(2 / 60, False), (1.9 / 60, True)])
def test_as_many_failed_draws_as_allowed_are_not_too_many(share, refused):
    calls = iter(range(1000))

    def sometimes(frame):
        if next(calls) % 30 == 29:
            raise EstimationError("separation")
        return difference(frame)

    if refused:
        with pytest.raises(EstimationError, match="of 60"):
            run(staff(), estimator=sometimes, largest_failed_share=share)
    else:
        assert run(staff(), estimator=sometimes, largest_failed_share=share).failed == 2


def test_failed_draws_are_counted_and_too_many_are_refused():
    calls = iter(range(1000))

    def sometimes(frame):
        if next(calls) % 30 == 29:
            raise EstimationError("separation")
        return difference(frame)

    got = run(staff(), estimator=sometimes)
    assert got.failed == 2 and len(got.draws) == 58
    with pytest.raises(EstimationError, match="of 60"):
        run(staff(), estimator=sometimes, largest_failed_share=0.01)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"clusters": "team"}, UnknownName),
        ({"within": ["arm"]}, UnknownName),
        ({"draws": 1}, InvalidInput),
        ({"within": ["treatment", "left"]}, InvalidInput),
        ({"within": ["treatment", "team_id"]}, SingleClusterArm),
    ],
)
def test_bootstrap_refuses(change, error):
    with pytest.raises(error):
        run(staff(), **change)


def test_bootstrap_refuses_nobody_and_gaps():
    with pytest.raises(NoObservations):
        run(staff()[:0])
    with pytest.raises(InvalidInput):
        run(staff().assign(stratum=np.nan))


def test_single_team_cells_are_counted():
    frame = staff()
    frame.loc[frame["team_id"] == 0, "stratum"] = 9
    assert run(frame).single_team_cells == 2


@pytest.mark.parametrize(
    "change", [{"salary": 0}, {"working_days": -1}, {"programme_days": math.nan}, {"turnover_cost": math.inf}]
)
def test_costs_refuse(change):
    given = {"salary": 1.0, "working_days": 1.0, "programme_days": 1.0, "turnover_cost": 0.0, "scenario": ""}
    with pytest.raises(InvalidInput):
        Costs(**given | change)


def test_ratio_refuses():
    with pytest.raises(InvalidInput):
        benefit_cost_ratio(absence=ABSENCE, turnover=effect(-0.01, 0.02, conf_level=0.9), costs=COSTS)
    with pytest.raises(InvalidInput):
        benefit_cost_ratio(
            absence=effect(-1, 1, conf_low=-math.inf, conf_high=math.inf), turnover=TURNOVER, costs=COSTS
        )
    with pytest.raises(InvalidInput):
        fieller_ratio(absence=ABSENCE, turnover=TURNOVER, correlation=1.2, costs=COSTS)
    with pytest.raises(InvalidInput):
        programme_days(minutes_a_week=0, weeks=6)
    for change in ({"denominator": 0}, {"numerator_variance": -1}, {"covariance": 9}, {"numerator": math.nan}):
        given = {"numerator": 1, "denominator": 1, "numerator_variance": 1, "denominator_variance": 1}
        with pytest.raises(InvalidInput):
            fieller(**given | change)
