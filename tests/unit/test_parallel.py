"""The same numbers in one process, in copies of it, in threads and on a Dask cluster; and who chooses the workers."""

import os
import subprocess
import sys
import textwrap
import threading

import joblib
import numpy as np
import pandas as pd
import pytest
from joblib import Parallel, delayed

from hhp_stats.design.power import simulate_power
from hhp_stats.design.simulated_trials import TrialDesign
from hhp_stats.design.team_sums import StratifiedDraw
from hhp_stats.estimate.cluster_bootstrap import cluster_bootstrap
from hhp_stats.estimate.imputation import ImputationPlan, ImputedVariable, PassiveVariable, impute
from hhp_stats.infer.pooling import pool
from hhp_stats.infer.randomisation_test import randomisation_test
from hhp_stats.infer.wild_bootstrap import wild_bootstrap
from hhp_stats.processes import blocks
from hhp_stats.processes.blocks import LONG_SECONDS, in_blocks, workers
from hhp_stats.processes.progress import silent
from hhp_stats.regression.cluster_robust import cluster_covariance, coefficient
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import Term, model_matrix

TEAMS = 24
RNG = np.random.default_rng(7)
TEAM = np.repeat(np.arange(TEAMS), 6)
FRAME = pd.DataFrame({"team_id": TEAM, "treatment": (TEAM % 2).astype(float), "x": RNG.normal(size=len(TEAM))})
FRAME["y"] = 0.3 * FRAME["treatment"] + FRAME["x"] + RNG.normal(size=TEAMS)[TEAM] + RNG.normal(size=len(TEAM))
FRAME["item"] = np.where(RNG.random(len(TEAM)) < 0.4, np.nan, FRAME["y"] + RNG.normal(size=len(TEAM)))
FRAME["mood"] = np.where(RNG.random(len(TEAM)) < 0.3, np.nan, (FRAME["y"] > 0.2).astype(float))
X = Term(column="x", kind="continuous")


def fitted(outcome, frame=FRAME):
    fit = ols(outcome=frame[outcome].to_numpy(), matrix=model_matrix(frame, [X]))
    return coefficient(fit, cluster_covariance(fit, clusters=frame["team_id"]))


def numbers():
    """Every method that goes through joblib, each a list of floats or an array."""
    fit = ols(outcome=FRAME["y"].to_numpy(), matrix=model_matrix(FRAME, [X]))
    boot = wild_bootstrap(fit, clusters=TEAM, draws=3_000, rng=np.random.default_rng(1))
    redraw = randomisation_test(
        outcome=fit.outcome,
        matrix=fit.matrix,
        clusters=TEAM,
        draw=StratifiedDraw.of(np.zeros(TEAMS)),
        draws=1_000,
        rng=np.random.default_rng(2),
    )
    power = simulate_power(
        design=TrialDesign(cluster_sizes=(6,) * 30, icc=0.1), effect=0.3, trials=120, rng=np.random.default_rng(3)
    )
    plan = ImputationPlan(
        variables=(ImputedVariable(name="item", kind="pmm"), ImputedVariable(name="mood", kind="binary")),
        passive=(PassiveVariable(name="score", inputs=("item", "mood"), function=lambda of: of["item"] + of["mood"]),),
        terms=(X, Term(column="y", kind="continuous")),
        clusters="team_id",
        imputations=4,
        iterations=3,
        seed=4,
    )
    pooled = pool([fitted("score", frame) for frame in impute(FRAME, plan)])
    joint = cluster_bootstrap(
        FRAME,
        estimator=lambda frame: {"y": fitted("y", frame).estimate, "x": float(frame["x"].mean())},
        clusters="team_id",
        within=("treatment",),
        draws=60,
        seed=5,
    )
    return {
        "bootstrap": boot.moments.statistics(),
        "bootstrap interval": [boot.estimate.conf_low, boot.estimate.conf_high],
        "randomisation": redraw.moments.statistics(),
        "power": [power.power, power.mean_estimate, power.coverage],
        "imputation": [pooled.estimate, pooled.std_error, pooled.df],
        "joint bootstrap": joint.draws.to_numpy(),
    }


@pytest.fixture(scope="module")
def serial():
    with joblib.parallel_config(n_jobs=1):
        return numbers()


def assert_same(found, serial):
    assert found.keys() == serial.keys()
    for name, values in serial.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)  # to the last bit


def test_same_numbers_in_threads(serial):
    with joblib.parallel_config(backend="threading", n_jobs=3):
        assert_same(numbers(), serial)


def test_same_numbers_on_a_dask_cluster(serial, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(blocks, "FAR_SECONDS", 0.0)
    # Other processes, so that everything has to survive being sent to another machine.
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        assert workers(0.0) is None
        assert_same(numbers(), serial)


def test_long_work_takes_every_core_unless_somebody_chose():
    assert workers(LONG_SECONDS / 2) == 1 and workers(LONG_SECONDS * 2) == -1
    for chosen in ({"n_jobs": 2}, {"backend": "threading"}, {"backend": "threading", "n_jobs": 2}):
        with joblib.parallel_config(**chosen):
            assert workers(LONG_SECONDS * 2) is None
    # Inside a worker everything runs in that worker.
    inside = Parallel(n_jobs=2, backend="threading")(delayed(workers)(LONG_SECONDS * 2) for _ in range(2))
    assert inside == [None, None]


def test_blocks_come_back_in_order_and_tell_their_progress():
    seen = []
    found = in_blocks(pow, [(base, 2) for base in range(5)], lambda *step: seen.append(step), seconds=0)
    assert found == [0, 1, 4, 9, 16]
    assert seen == [(done, 5) for done in range(1, 6)]
    assert in_blocks(pow, [], silent, seconds=0) == []


COPIED = """
    import os, threading
    from hhp_stats.processes.blocks import _may_fork, beside, in_blocks
    from hhp_stats.errors import InvalidInput
    from hhp_stats.processes.blocks import workers

    shift = lambda x: (os.getpid(), x + 10, workers(100.0))  # what cannot be sent is inherited all the same
    seen = []
    assert _may_fork()
    found = in_blocks(lambda x: shift(x), [(x,) for x in range(9)], lambda *step: seen.append(step), seconds=2)
    assert [value for _, value, _ in found] == list(range(10, 19))
    assert seen == [(done, 9) for done in range(1, 10)]
    assert os.getpid() not in {process for process, _, _ in found}
    assert {inside for _, _, inside in found} == {None}  # a copy takes no further cores

    def refuses(x):
        if x == 3:
            raise InvalidInput("three")
        return x

    try:
        in_blocks(refuses, [(x,) for x in range(9)], print, seconds=2)
    except InvalidInput as error:
        assert str(error) == "three"
    else:
        raise AssertionError("nothing was raised")
    assert threading.active_count() == 1 and _may_fork()  # and again

    with beside(divmod, 7, 2) as found:
        assert found() == (3, 1)
        assert threading.active_count() == 1 and _may_fork()  # once the result is there
    with beside(os.getpid) as found:
        assert found() != os.getpid()
    try:
        with beside(divmod, 7, 0) as found:
            found()
    except ZeroDivisionError:
        pass
    else:
        raise AssertionError("nothing was raised")
    with beside(divmod, 7, 0):
        pass  # nobody asked
    assert threading.active_count() == 1 and _may_fork()
"""


@pytest.mark.skipif(sys.platform != "linux" or joblib.cpu_count() < 2, reason="copies need Linux and a second core")
def test_copies_of_the_process_share_work_of_seconds():
    """In a process of its own: the one that runs the tests may have threads."""
    subprocess.run([sys.executable, "-W", "error", "-c", textwrap.dedent(COPIED)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="only there is a process copied")
def test_a_process_with_threads_is_not_copied():
    ending = threading.Event()
    thread = threading.Thread(target=ending.wait)
    thread.start()
    try:
        assert not blocks._may_fork()
        with blocks.beside(os.getpid) as found:
            assert found() == os.getpid()
    finally:
        ending.set()
        thread.join()
