"""How sure are we, without trusting that there are many clusters? Tests by drawing again."""

from __future__ import annotations

from typing import Literal, cast

from hhp_stats.errors import NoObservations
from hhp_stats.infer.randomisation_test import randomisation_test
from hhp_stats.infer.wild_bootstrap import wild_bootstrap
from hhp_stats.regression.linear import ols
from hhp_stats.results.frame import Estimate
from hhp_stats.studies.estimators.analysis_data import AnalysisData

DRAWS = 9_999


def wild(data: AnalysisData) -> dict[str, Estimate]:
    """The wild cluster bootstrap with the null imposed; its weights are Rademacher's unless the plan names Webb's."""
    model = data.sets().only(data.analysis.id)
    named = data.analysis.covariance
    test = wild_bootstrap(
        ols(outcome=model.outcome, matrix=model.matrix),
        clusters=data.drawn(model.people),
        draws=DRAWS,
        rng=data.rng(),
        weights=cast(Literal["webb", "rademacher"], named if named == "webb" else "rademacher"),
        conf_level=data.conf_level,
    )
    return {"": test.estimate}


def randomisation(data: AnalysisData) -> dict[str, Estimate]:
    """Randomisation inference by the trial's own rule of drawing, acceptance included."""
    model = data.sets().only(data.analysis.id)
    if not len(model.outcome):
        raise NoObservations(f"nobody is left to analyse for {data.analysis.id}")
    drawing = dict(data.redraws())
    clusters = drawing.pop("clusters") if "clusters" in drawing else data.drawn(model.people)
    if "draw" in drawing:
        drawing |= {"draws": DRAWS, "rng": data.rng()}
    test = randomisation_test(
        outcome=model.outcome,
        matrix=model.matrix,
        clusters=clusters.loc[model.people.index],
        conf_level=data.conf_level,
        **drawing,
    )
    return {"": data.without_clusters(test.estimate)}
