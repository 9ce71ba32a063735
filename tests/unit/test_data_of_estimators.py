"""Every estimator asks a study for its data sets once: to make them may mean imputing them all."""

from __future__ import annotations

import contextlib

import numpy as np
import pandas as pd
import pytest

from hhp_stats.errors import EstimationError
from hhp_stats.plan.estimators import ESTIMATORS as OFFERED
from hhp_stats.plan.schema import PlannedAnalysis
from hhp_stats.regression.model_matrix import model_matrix
from hhp_stats.studies.estimators import ESTIMATORS
from hhp_stats.studies.estimators.analysis_data import AnalysisData, CompletedSets


def data_of(estimator: str, asked: list[str], *, model: AnalysisData | None = None) -> AnalysisData:
    """Twenty clusters of ten people, half of them treated; of a tenth the outcome is not known."""
    rng = np.random.default_rng(11)
    people = pd.DataFrame({"school": np.repeat(np.arange(20), 10)})
    people["treatment"] = (people["school"] % 2).astype(float)
    people["took"] = people["treatment"] * rng.integers(0, 2, 200)
    people["y"] = rng.integers(0, 2, 200).astype(float) if OFFERED[estimator].probability else rng.normal(size=200)
    people.loc[rng.choice(200, 20, replace=False), "y"] = np.nan
    people = people if OFFERED[estimator].everyone else people.dropna()
    covariance, df = next(
        (kind, dfs[0])
        for asker in ("arms", "returns", "contrasts")
        for kind, dfs in OFFERED[estimator].offers.get(asker, {}).items()
    )

    def sets() -> CompletedSets:
        asked.append(estimator)
        own = people if OFFERED[estimator].response else people.dropna()
        return CompletedSets(matrix=model_matrix(own, ()), outcomes=own["y"].to_numpy()[None], people=own)

    return AnalysisData(
        analysis=PlannedAnalysis(id=f"y/itt/{estimator}", label="", estimator=estimator, covariance=covariance, df=df),
        people=people,
        outcome="y",
        sets=sets,
        conf_level=0.95,
        entropy=(3,),
        seed=3,
        draws=19,
        cluster="school",
        groups="treatment",
        scale=lambda: (-5.0, 5.0),
        redraws=lambda: {"assignments": np.array([np.arange(20) % 2, (np.arange(20) + 1) % 2], dtype=float)},
        takeup="took",
        model=model,
    )


@pytest.mark.parametrize("estimator", sorted(ESTIMATORS))
def test_data_sets_are_made_once(estimator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hhp_stats.studies.estimators.resampling.DRAWS", 99)
    asked: list[str] = []
    of_size = OFFERED[estimator].effect_size
    data = data_of(estimator, asked, model=data_of("ols", asked) if of_size else None)
    with contextlib.suppress(EstimationError):  # the data are made up: what counts is what was asked for
        assert ESTIMATORS[estimator](data)[""]
    assert len(asked) <= 1
