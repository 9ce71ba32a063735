"""How alike members of a team are, and effects in standard deviations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from hhp_stats.calls.ran import name_of, recorded
from hhp_stats.errors import EstimationError, NoObservations
from hhp_stats.estimate.effect_size import hedges_g_clustered
from hhp_stats.estimate.icc import icc_anova, icc_reml
from hhp_stats.plan.returns_schema import ReturnsOutcome, ReturnsPlan
from hhp_stats.results.frame import Estimate, ResultRow, not_estimated
from hhp_stats.studies.goal_setting.attempts import attempted, lacking
from hhp_stats.studies.sources import Sourced, sourced, states_source

STANDARDISED = "itt/hedges-g"  # estimand and method of the standardised effect of an outcome


@states_source
def clustering_rows(
    people: pd.DataFrame, planned: Mapping[str, Sourced[Estimate]], plan: ReturnsPlan
) -> list[ResultRow]:
    """ICC and Hedges' g of each continuous outcome whose planned effect is given, and the ICC of each planned zero-one
    outcome.

    CONSORT asks for both. Of a zero-one outcome the ICC is that of the analysis of variance on its zeros and ones, with
    Swiger's
    interval (Ridout, Demetrio and Firth 1999): a normal likelihood does not fit them.
    """
    rows = []
    for key, effect in planned.items():
        outcome = plan.outcomes[key]
        known = people.loc[people[outcome.column].notna()]
        y = known[outcome.column].to_numpy(dtype=np.float64)
        arm = known["treatment"].to_numpy(dtype=np.float64)
        likeness = attempted(
            partial(
                sourced,
                partial(icc_reml, outcome=y, clusters=known["team_id"], treatment=arm, conf_level=plan.conf_level),
            )
        )
        if isinstance(likeness, EstimationError):
            tails = [f"{key}/icc/reml", *([f"{key}/{STANDARDISED}"] if outcome.kind == "continuous" else [])]
            rows += lacking(plan, tails, likeness, method="restricted maximum likelihood", source=name_of(icc_reml))
            continue
        icc = likeness.value
        about: dict[str, Any] = {
            "population": "those with a known outcome",
            "analysis": "exploratory",
            "clause": " ".join(outcome.clauses),
        }
        rows.append(
            ResultRow(
                result_id=f"{plan.study}/{key}/icc/reml",
                study=plan.study,
                outcome=key,
                estimand="icc",
                contrast="between teams",
                method="restricted maximum likelihood, profile interval",
                estimate=icc.estimate,
                conf_low=icc.conf_low,
                conf_high=icc.conf_high,
                conf_level=icc.conf_level,
                n=icc.n,
                n_clusters=icc.n_clusters,
                source=likeness.source,
                **about,
            )
        )
        if outcome.kind == "continuous":
            with recorded() as ran:
                size = attempted(
                    partial(
                        hedges_g_clustered,
                        effect.used(),
                        outcome=y,
                        treatment=arm,
                        clusters=known["team_id"],
                        icc=max(likeness.used().estimate, 0.0),
                    )
                )
            if isinstance(size, EstimationError):
                source = name_of(hedges_g_clustered)
                rows += lacking(plan, [f"{key}/{STANDARDISED}"], size, method="Hedges' g", source=source)
                continue
            rows.append(
                size.g.row(
                    result_id=f"{plan.study}/{key}/{STANDARDISED}",
                    contrast=plan.contrast,
                    source=ran.source,
                    **about,
                )
            )
    binary = [outcome for outcome in plan.outcomes.values() if _planned_binary(outcome, plan)]
    return rows + [_binary_icc(people, outcome, plan) for outcome in binary]


def without_effect(planned: Iterable[str], plan: ReturnsPlan) -> list[ResultRow]:
    """The rows of `clustering_rows` of continuous outcomes no planned effect of which could be estimated."""
    wanted = {
        one.outcome
        for one in plan.analyses
        if one.kind == "planned" and plan.outcomes[one.outcome].kind == "continuous"
    }
    error = NoObservations("no planned effect of the outcome could be estimated")
    tails = [f"{key}/{tail}" for key in sorted(wanted - set(planned)) for tail in ("icc/reml", STANDARDISED)]
    return lacking(plan, tails, error, method="see the planned analyses", source=name_of(icc_reml))


def _planned_binary(outcome: ReturnsOutcome, plan: ReturnsPlan) -> bool:
    return outcome.kind == "binary" and any(
        one.outcome == outcome.id and one.kind == "planned" for one in plan.analyses
    )


@states_source
def _binary_icc(people: pd.DataFrame, outcome: ReturnsOutcome, plan: ReturnsPlan) -> ResultRow:
    known = people.loc[people[outcome.column].notna()]
    key = f"{plan.study}/{outcome.id}/icc/anova"
    about: dict[str, Any] = {
        "population": "those with a known outcome",
        "contrast": "between teams",
        "analysis": "exploratory",
        "clause": " ".join(outcome.clauses),
    }
    try:
        icc = icc_anova(
            outcome=known[outcome.column].to_numpy(dtype=np.float64),
            clusters=known["team_id"],
            treatment=known["treatment"].to_numpy(dtype=np.float64),
            interval="swiger",
            conf_level=plan.conf_level,
        )
    except EstimationError as error:  # nobody left, or everybody
        reason = f"{type(error).__name__}: {error}"
        return not_estimated(result_id=key, reason=reason, method="one-way ANOVA within arms", **about)
    return ResultRow(
        result_id=key,
        study=plan.study,
        outcome=outcome.id,
        estimand="icc",
        method=icc.method,
        estimate=icc.estimate,
        conf_low=icc.conf_low,
        conf_high=icc.conf_high,
        conf_level=icc.conf_level,
        n=icc.n,
        n_clusters=icc.n_clusters,
        **about,
    )
