"""Several outcomes, several chances of a false finding: adjusted p values beside the unadjusted. (C55; P53 plans none.)

Holm adjusts the planned p values. Westfall and Young's step-down re-estimates all outcomes under the
same re-randomisations of the teams, so that their correlation counts; it needs one data set, hence
baselines at zero with indicator, and those who answered for the survey outcomes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hhp_stats.calls.ran import name_of
from hhp_stats.errors import EstimationError
from hhp_stats.infer.multiplicity import holm, westfall_young
from hhp_stats.infer.randomisation_test import randomisation_statistics
from hhp_stats.plan.returns_schema import ReturnsAnalysis, ReturnsPlan
from hhp_stats.results.frame import ResultRow
from hhp_stats.studies.estimators.analysis_data import Model
from hhp_stats.studies.goal_setting.analysed import Material, models
from hhp_stats.studies.goal_setting.attempts import lacking
from hhp_stats.studies.goal_setting_terms import FAMILY
from hhp_stats.studies.sources import Sourced, adjusted, sourced, states_source

STREAM, DRAWS = 5, 4_999


def with_holm(rows: Sequence[ResultRow], study: str) -> list[ResultRow]:
    """The rows, with Holm's adjusted p in those of the family; what could not be estimated does not count."""
    family = [f"{study}/{key}" for key in FAMILY]
    p_values = {row.result_id: row.p_value for row in rows if row.result_id in family}
    found = sourced(lambda: holm(list(p_values.values())))
    values = {
        key: Sourced(value=p, made_by=found.made_by) for key, p in zip(p_values, found.value.tolist(), strict=True)
    }
    return [adjusted(row, values[row.result_id]) if row.result_id in values else row for row in rows]


@states_source
def step_down(material: Material) -> list[ResultRow]:
    """Westfall and Young's adjusted p of every outcome of the family, from joint re-randomisations."""
    plan = material.plan
    chosen = [_single(plan.analysis(key)) for key in FAMILY]
    found: list[Model] = []
    for analysis in chosen:
        (model,) = models(analysis, plan.outcomes[analysis.outcome], material)
        found.append(model)
    observed, drawn, weights = randomisation_statistics(
        [(model.outcome, model.matrix, model.people["team_id"]) for model in found],
        draw=material.redraws,
        draws=DRAWS,
        rng=np.random.default_rng([plan.seed, STREAM]),
    )
    stepped = westfall_young(statistics=observed, drawn=drawn, weights=weights)
    # Each outcome by itself under the same draws: what its adjusted value adjusts.
    alone = [
        float(westfall_young(statistics=observed[[at]], drawn=drawn[:, [at]], weights=weights)[0])
        for at in range(len(found))
    ]
    return [
        ResultRow(
            result_id=f"{plan.study}/{analysis.outcome}/multiplicity/westfall-young",
            study=plan.study,
            outcome=analysis.outcome,
            estimand="multiplicity",
            population="those with a known outcome",
            contrast=plan.contrast,
            method=f"Westfall-Young step-down over {len(FAMILY)} outcomes, {DRAWS:,} re-randomisations",
            analysis="exploratory",
            estimate=float(statistic),
            statistic=float(statistic),
            p_value=single,
            p_adjusted=float(p),
            n=len(model.outcome),
            n_clusters=int(model.people["team_id"].nunique()),
            clause="P53",
            status="descriptive",
            note=(
                "estimate is the CR1 t statistic with baselines at zero with indicator; p_value is that of the outcome"
                " by itself"
            ),
        )
        for analysis, model, statistic, p, single in zip(chosen, found, observed, stepped, alone, strict=True)
    ]


def _single(analysis: ReturnsAnalysis) -> ReturnsAnalysis:
    return replace(analysis, baseline_absence="zero_with_indicator", missing_outcome="complete_cases")


def no_step_down(plan: ReturnsPlan, error: EstimationError) -> list[ResultRow]:
    """The rows of the step-down with the reason why there is none: its outcomes are redrawn together."""
    outcomes = dict.fromkeys(plan.analysis(key).outcome for key in FAMILY)
    tails = [f"{outcome}/multiplicity/westfall-young" for outcome in outcomes]
    source = name_of(step_down)
    return lacking(plan, tails, error, method="Westfall-Young step-down", source=source, clause="P53")
