"""How often does the penalised logit find an effect where there is none, when data are separated and teams resemble
each other?
"""

import numpy as np
import pytest

from hhp_stats.errors import Separation
from hhp_stats.estimate.firth import firth_log_odds, firth_logit
from hhp_stats.estimate.logistic import logit
from hhp_stats.regression.model_matrix import ModelMatrix

ICCS = (0.0, 0.1)  # people of a team no more alike than others; ten times the turnover correlation of the trial


def leavers(rng, teams, *, icc, events, role):
    """One trial without an effect: outcome, model, teams. With `role` nobody of one role in four leaves."""
    size = rng.poisson(6, teams) + 1
    team = np.repeat(np.arange(teams), size)
    arm = rng.permutation(np.arange(teams) % 2)[team].astype(float)
    special = (rng.random(len(team)) < 0.25).astype(float)
    rate = events / len(team)
    chance = np.full(teams, rate) if icc == 0 else rng.beta(rate * (1 - icc) / icc, (1 - rate) * (1 - icc) / icc, teams)
    left = (rng.random(len(team)) < chance[team]).astype(float)
    if role:
        left *= 1 - special
    columns = [np.ones(len(team)), arm, rng.normal(size=len(team)), *([special] if role else [])]
    names = ("intercept", "treatment", "age", *(["role"] if role else []))
    return left, ModelMatrix(values=np.column_stack(columns), names=names), team


def rejections(teams, trials, *, icc, events, role, seed):
    """Shares of trials that reject at 5%, and that are separated."""
    rng = np.random.default_rng(seed)
    rejected = separated = 0
    for _ in range(trials):
        left, matrix, team = leavers(rng, teams, icc=icc, events=events, role=role)
        if not left.any():
            separated += 1
            continue  # nobody left: refused, nothing is found
        try:
            logit(outcome=left, matrix=matrix)
        except Separation:
            separated += 1
        rejected += (
            firth_log_odds(firth_logit(outcome=left, matrix=matrix), clusters=team, interval=False).p_value <= 0.05
        )
    return rejected / trials, separated / trials


def test_a_role_that_nobody_leaves_does_not_make_effects():
    found, separated = rejections(40, 40, icc=0.1, events=25, role=True, seed=20190503)
    assert separated == 1.0
    assert found <= 0.15  # 5% is 2 of 40; more than 6 has a chance below .004


def test_three_leavers_of_one_arm_are_not_an_effect():
    found, separated = rejections(40, 40, icc=0.1, events=3, role=False, seed=20190504)
    assert separated > 0.3
    assert found <= 0.15


@pytest.mark.slow
@pytest.mark.parametrize("teams", [40, 264])
@pytest.mark.parametrize("icc", ICCS)
@pytest.mark.parametrize(("events", "role"), [(3, False), (6, False), (25, True)])
def test_at_most_seven_in_a_hundred(teams, icc, events, role):
    found, separated = rejections(teams, 1_000, icc=icc, events=events, role=role, seed=[teams, events])
    print(f"{teams} teams, icc {icc}, {events} events: {separated:.1%} separated, {found:.1%} rejected")
    assert found <= 0.07
