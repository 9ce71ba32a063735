"""What the experiments could have found: the documents print no detectable effect, so all of this is ours."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hhp_stats.calls.ran import name_of
from hhp_stats.design.detectable_effect import ErrorRates
from hhp_stats.errors import NoObservations
from hhp_stats.plan.experiments import Experiment, ExperimentPlan
from hhp_stats.results.frame import NOT_ALLOWED, ResultRow, not_estimated
from hhp_stats.studies.hiring.cells import analysed, fitted, weights
from hhp_stats.studies.sources import states_source


@states_source
def power_rows(frame: pd.DataFrame, experiment: Experiment, plan: ExperimentPlan) -> list[ResultRow]:
    """The smallest difference that each planned contrast would have found, in the units of the outcome.

    The reach of the error rates (2.80 standard errors at 5% and 80%) times the standard error that the planned
    method gives: what the data achieved, design and clustering included.
    """
    method = plan.main_method(experiment.id)
    contrasts = [contrast for contrast in plan.contrasts_of(experiment.id) if contrast.planned]
    try:
        known = analysed(frame, method, plan)
        fit, covariance = fitted(known, experiment, method, plan)
        if not (np.diag(covariance.matrix) > 0).all():
            raise NoObservations("all decided alike: the achieved precision is not known")
    except NOT_ALLOWED as error:  # nobody decided, or all alike
        return [
            not_estimated(
                result_id=plan.row_id(experiment.id, f"mdes_{contrast.id}", method.id),
                reason=f"{type(error).__name__}: {error}",
                population="as achieved",
                contrast=contrast.label,
                method="minimum detectable effect",
                analysis="exploratory",
                clause="",
                source=name_of(power_rows),
            )
            for contrast in contrasts
        ]
    reach = ErrorRates(alpha=plan.alpha, power=plan.power).reach
    rows = []
    for contrast in contrasts:
        parts = weights(contrast, plan)
        places = [fit.matrix.position(name) for name in parts]
        part = covariance.matrix[places][:, places]
        values = list(parts.values())
        variance = sum(a * part[i, j] * b for i, a in enumerate(values) for j, b in enumerate(values))
        estimand = f"mdes_{contrast.id}"
        rows.append(
            ResultRow(
                result_id=plan.row_id(experiment.id, estimand, method.id),
                study=plan.study,
                outcome=experiment.id,
                estimand=estimand,
                population="as achieved",
                contrast=contrast.label,
                analysis="exploratory",
                method=f"minimum detectable effect, {100 * plan.power:g}% power, {100 * plan.alpha:g}% two-sided",
                estimate=float(reach * variance**0.5),
                n=len(known),
                n_clusters=covariance.n_clusters,
                status="descriptive",
            )
        )
    return rows
