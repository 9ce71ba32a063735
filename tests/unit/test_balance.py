"""Balance: tables by hand, the redrawn reference, refusals."""

import math

import numpy as np
import pandas as pd
import pytest

from hhp_stats.design.balance import joint_f_test, omnibus_balance
from hhp_stats.design.balance_table import BALANCE_COLUMNS, balance_table
from hhp_stats.errors import ConstantTreatment, InvalidInput, NoObservations, SingleClusterArm, UnknownName


def trial(teams=16, size=5, seed=4):
    rng = np.random.default_rng(seed)
    team = np.repeat(np.arange(teams), size)
    frame = pd.DataFrame({"team_id": team, "treatment": (team % 2).astype(float)})
    frame["age"] = 40 + 8 * rng.normal(size=len(team)) + 3 * rng.normal(size=teams)[team]
    frame["role"] = rng.choice(["NQSW", "Social Worker", "Senior Practitioner"], size=len(team))
    return frame


def test_table_by_hand():
    frame = pd.DataFrame(
        {"treatment": [1, 1, 1, 0, 0, 0], "days": [1.0, 2, 3, 2, 4, np.nan], "role": ["a", "a", "b", "a", "b", None]}
    )
    table = balance_table(frame, continuous=["days"], categorical=["role"])
    assert tuple(table.columns) == BALANCE_COLUMNS and len(table) == 4
    days = table.iloc[0]
    assert (days["n_treatment"], days["n_control"], days["missing_control"]) == (3, 2, 1)
    assert days["std_difference"] == pytest.approx((2 - 3) / math.sqrt((1 + 2) / 2))
    assert days["variance_ratio"] == pytest.approx(0.5)
    level = table[table["level"] == "a"].iloc[0]
    assert level["mean_treatment"] == pytest.approx(2 / 3) and level["mean_control"] == 0.5
    # With two levels the distance of the whole set is the size of each level's difference.
    assert table.iloc[1]["std_difference"] == pytest.approx(abs(level["std_difference"]))


def test_levels_stand_in_the_order_they_are_listed_in():
    """Health from excellent to poor, sizes from small to large: the alphabet would put fair before good, 10 before 9."""
    frame = pd.DataFrame(
        {
            "treatment": [1.0, 0.0] * 4,
            "health": ["poor", "fair", "good", "excellent"] * 2,
            "size": pd.Categorical(["9", "10", "9", "10", "2", "2", "10", "9"], ["2", "9", "10"]),
            "plain": ["b", "a", "a", "b", "c", "b", "a", "c"],
        }
    )
    names = ["health", "size", "plain"]
    listed = {"health": ("excellent", "good", "fair", "never given"), "plain": ()}
    table = balance_table(frame, categorical=names, levels=listed)

    def levels(of: str) -> list[str]:
        return table.loc[(table["covariate"] == of) & (table["kind"] == "level"), "level"].tolist()

    assert levels("health") == ["excellent", "good", "fair", "poor"]  # what is not listed comes last
    assert levels("size") == ["2", "9", "10"] and levels("plain") == ["a", "b", "c"]
    other = balance_table(frame, categorical=names)
    keys = ["covariate", "level"]
    pd.testing.assert_frame_equal(
        table.sort_values(keys, ignore_index=True), other.sort_values(keys, ignore_index=True)
    )


def test_no_variation_is_missing_or_infinite_never_zero_by_accident():
    frame = pd.DataFrame(
        {"treatment": [1, 1, 0, 0], "same": [2.0] * 4, "apart": [1.0, 1, 3, 3], "role": ["a", "a", "b", "b"]}
    )
    table = balance_table(frame, continuous=["same", "apart"], categorical=["role"]).set_index(["covariate", "level"])
    assert math.isnan(table.loc[("same", ""), "std_difference"])
    assert table.loc[("apart", ""), "std_difference"] == -math.inf
    assert table.loc[("role", ""), "std_difference"] == math.inf


def dummies(frame):
    return frame[["age"]].join(pd.get_dummies(frame["role"], dtype=float))


def test_a_column_that_is_the_sum_of_others_counts_once():
    frame = trial()
    got = omnibus_balance(covariates=dummies(frame), treatment=frame["treatment"], clusters=frame["team_id"])
    assert got.df == 3  # age and three roles that sum to one
    part = dummies(frame).drop(columns="NQSW")
    same = omnibus_balance(covariates=part, treatment=frame["treatment"], clusters=frame["team_id"])
    assert got.statistic == pytest.approx(same.statistic, rel=1e-9)  # the same space of directions


def test_redrawn_reference_is_seeded_and_near_chi_squared():
    frame = trial(teams=40)

    def draw(rng, size):
        return rng.permuted(np.tile(np.arange(40) % 2, (size, 1)), axis=1)

    def run(seed):
        return omnibus_balance(
            covariates=dummies(frame),
            treatment=frame["treatment"],
            clusters=frame["team_id"],
            draw=draw,
            draws=300,
            rng=np.random.default_rng(seed),
        )

    assert run(1) == run(1)
    plain = omnibus_balance(covariates=dummies(frame), treatment=frame["treatment"], clusters=frame["team_id"])
    # Two standard errors of a share of .27 in 300 draws: 2 sqrt(.27 x .73/300) = .051.
    assert run(1).p_value == pytest.approx(plain.p_value, abs=0.051)
    assert run(1).draws == 300 and run(1).mc_error_p == pytest.approx(
        (run(1).p_value * (1 - run(1).p_value) / 300) ** 0.5, rel=1e-12
    )
    # The covariance is that of 300 draws in place of the formula's: its entries are off by a tenth or so.
    assert run(1).statistic == pytest.approx(plain.statistic, rel=0.25) and run(1).df == plain.df


def test_the_draw_itself_is_one_of_those_it_is_held_against():
    """Where no redraw is as far from balance, p is one in draws and one, never nil; where each is, it is one."""
    frame = trial(teams=40)
    frame["treatment"] = (frame["team_id"] >= 20).astype(float)
    apart = pd.DataFrame({"age": frame["team_id"].astype(float)})  # the highest forty teams' ages in one arm

    def p_value(draw):
        return omnibus_balance(
            covariates=apart,
            treatment=frame["treatment"],
            clusters=frame["team_id"],
            draw=draw,
            draws=19,
            rng=np.random.default_rng(1),
        ).p_value

    assert p_value(lambda rng, size: rng.permuted(np.tile(np.arange(40) % 2, (size, 1)), axis=1)) == 1 / 20
    # The same arms, or all of them exchanged: as far from balance, every time.
    arms = (np.arange(40) >= 20).astype(int)
    assert p_value(lambda rng, size: np.array([arms, 1 - arms] * size)[:size]) == 1


def test_redrawing_by_the_rule_is_right_where_chi_squared_is_too_large():
    """24 teams, redrawn until the arms' ages are close: p by the rule is uniform, also among some of the people
    only."""
    rng = np.random.default_rng(5)
    teams = np.repeat(np.arange(24), 4)
    age = rng.normal(size=96)
    total = np.bincount(teams, age - age.mean())

    def draw(generator, size):
        found = generator.permuted(np.tile(np.arange(24) % 2, (20 * size, 1)), axis=1)
        return found[np.abs(found @ total) < 0.4 * total.std() * np.sqrt(6)][:size]

    known = rng.random(96) < 0.6
    found = {"rule": [], "some of them": [], "chi-squared": []}
    for arm in draw(rng, 300):
        about = {"covariates": pd.DataFrame({"age": age}), "treatment": arm[teams].astype(float), "clusters": teams}
        some = {
            "covariates": about["covariates"][known].reset_index(drop=True),
            "treatment": about["treatment"][known],
            "clusters": teams[known],
        }
        redrawn = {"draw": draw, "draws": 99, "rng": rng, "draw_clusters": range(24)}
        found["rule"].append(omnibus_balance(**about, **redrawn).p_value)
        found["some of them"].append(omnibus_balance(**some, **redrawn).p_value)
        found["chi-squared"].append(omnibus_balance(**about).p_value)
    # 300 uniform values have a mean of .5 with a standard error of .017; three of them.
    assert np.mean(found["rule"]) == pytest.approx(0.5, abs=0.05)
    assert np.mean(found["some of them"]) == pytest.approx(0.5, abs=0.05)
    assert np.mean(found["chi-squared"]) > 0.75


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"treatment": np.zeros(80)}, ConstantTreatment),
        ({"treatment": np.arange(80) % 2}, InvalidInput),
        ({"treatment": np.full(80, 0.5)}, InvalidInput),
        ({"clusters": np.arange(7)}, InvalidInput),
        ({"strata": np.arange(80)}, InvalidInput),
        ({"strata": np.repeat(np.arange(16), 5)}, SingleClusterArm),
        ({"covariates": pd.DataFrame({"x": np.ones(80)})}, InvalidInput),
        ({"covariates": pd.DataFrame({"x": [np.nan] * 80})}, InvalidInput),
        ({"covariates": pd.DataFrame(index=range(80))}, NoObservations),
        ({"draw": lambda rng, size: np.zeros((size, 15)), "draws": 9, "rng": np.random.default_rng(1)}, InvalidInput),
        (
            {"draw": lambda rng, size: np.full((size, 16), 0.5), "draws": 9, "rng": np.random.default_rng(1)},
            InvalidInput,
        ),
        ({"draw": lambda rng, size: np.zeros((size, 16))}, InvalidInput),
    ],
)
def test_omnibus_refuses(change, error):
    frame = trial()
    arguments = {"covariates": frame[["age"]], "treatment": frame["treatment"], "clusters": frame["team_id"]}
    with pytest.raises(error):
        omnibus_balance(**(arguments | change))


def test_joint_f_refuses_more_slopes_than_clusters_allow():
    frame = trial(teams=4)
    with pytest.raises(InvalidInput):
        joint_f_test(
            covariates=dummies(frame).drop(columns="NQSW"), treatment=frame["treatment"], clusters=frame["team_id"]
        )
    with pytest.raises(SingleClusterArm):
        joint_f_test(
            covariates=frame[["age"]], treatment=(frame["team_id"] == 0).astype(float), clusters=frame["team_id"]
        )


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"continuous": ["height"]}, UnknownName),
        ({"treatment": "arm"}, UnknownName),
        ({"treatment": "age"}, InvalidInput),
    ],
)
def test_table_refuses(change, error):
    with pytest.raises(error):
        balance_table(trial(), **({"continuous": ["age"]} | change))


def test_table_refuses_a_covariate_unknown_for_an_arm():
    frame = trial()
    frame.loc[frame["treatment"] == 1, "age"] = np.nan
    with pytest.raises(NoObservations, match="treatment arm"):
        balance_table(frame, continuous=["age"])
