"""A Dask cluster of real processes: the same numbers though a worker is killed half-way; what it refuses."""

import os
import signal

import joblib
import numpy as np
import pandas as pd
import pytest
from dask_cluster import Cluster

from hhp_stats.errors import InvalidInput
from hhp_stats.estimate.imputation import ImputationPlan, ImputedVariable, impute
from hhp_stats.processes import blocks
from hhp_stats.processes import cluster as module
from hhp_stats.processes.cluster import on_cluster
from hhp_stats.processes.progress import silent
from hhp_stats.regression.model_matrix import Term


@pytest.fixture
def cluster(tmp_path):
    pytest.importorskip("distributed")
    made = Cluster(tmp_path)
    yield made
    made.stop()


def gaps(people: int = 3_000) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"team_id": np.arange(people) % 60, "x": rng.normal(size=people)})
    frame["treatment"] = (frame["team_id"] % 2).astype(float)
    frame["y"] = np.where(rng.random(people) < 0.3, np.nan, frame["x"] + rng.normal(size=people))
    return frame


PLAN = ImputationPlan(
    variables=(ImputedVariable(name="y", kind="pmm"),),
    passive=(),
    terms=(Term(column="x", kind="continuous"),),
    clusters="team_id",
    imputations=120,
    iterations=6,
    seed=11,
)


def test_a_worker_killed_half_way_changes_no_number(cluster, monkeypatch):
    monkeypatch.setattr(blocks, "FAR_SECONDS", 0.0)
    frame = gaps()
    with joblib.parallel_config(n_jobs=1):
        alone = impute(frame, PLAN)
    victim = cluster.two_workers()
    killed = []

    def progress(done: int, whole: int) -> None:
        if not killed and done < whole / 2:
            victim.send_signal(signal.SIGKILL)
            killed.append(done)

    with on_cluster(cluster.address):
        shared = impute(frame, PLAN, progress=progress)
    assert killed and victim.wait() == -signal.SIGKILL
    for number in (0, 60, 119):
        pd.testing.assert_frame_equal(shared.completed(number), alone.completed(number), check_exact=True)


def test_short_work_stays_here(cluster):
    cluster.two_workers()
    with on_cluster(cluster.address):
        assert blocks.in_blocks(os.getpid, [(), ()], silent, seconds=blocks.FAR_SECONDS / 2) == [os.getpid()] * 2
        assert os.getpid() not in blocks.in_blocks(os.getpid, [(), ()], silent, seconds=2 * blocks.FAR_SECONDS)


def test_what_a_cluster_is_refused_for(cluster, monkeypatch):
    monkeypatch.setattr(module, "CONNECT_SECONDS", 1)
    with (
        pytest.raises(InvalidInput, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"),
        on_cluster("tcp://127.0.0.1:9"),
    ):
        pass
    with pytest.raises(InvalidInput, match="has no workers: start some with `dask worker"), on_cluster(cluster.address):
        pass
    with pytest.raises(InvalidInput, match="no Dask scheduler answers at nonsense"), on_cluster("nonsense"):
        pass
    cluster.worker()
    monkeypatch.setattr(module, "CONNECT_SECONDS", 30)
    monkeypatch.setattr(module, "_digest", lambda package: "another")
    with pytest.raises(InvalidInput, match="might compute other numbers"), on_cluster(cluster.address):
        pass


def test_without_an_address_nothing_changes():
    with on_cluster(None):
        assert blocks.workers(0.0) == 1
