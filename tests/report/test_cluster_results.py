"""All results with a cluster of two workers, of which one is killed half-way: the same bytes."""

import threading

import pytest
from dask_cluster import Cluster
from whole_tools import hhp, small_project


@pytest.mark.slow
def test_the_whole_results_on_a_cluster_are_the_same_bytes(tmp_path):
    pytest.importorskip("distributed")
    folders = [small_project(tmp_path / name) for name in ("alone", "shared")]
    hhp(folders[0], "results")
    cluster = Cluster(tmp_path)
    try:
        victim = cluster.two_workers()
        killed = threading.Timer(12.0, victim.kill)
        killed.start()
        done = hhp(folders[1], "results", "--dask", cluster.address)
        killed.join()
        assert "Results:" in done.stderr and victim.wait() != 0
    finally:
        cluster.stop()
    one, other = ((folder / ".report/results/results.csv").read_bytes() for folder in folders)
    assert one == other
