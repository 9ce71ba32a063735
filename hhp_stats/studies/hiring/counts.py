"""How many took part, decided and were in which group: counts as rows, so that printed numbers can be compared."""

from __future__ import annotations

import pandas as pd

from hhp_stats.plan.experiments import ExperimentPlan
from hhp_stats.results.frame import ResultRow
from hhp_stats.studies.sources import states_source


@states_source
def count_rows(decisions: pd.DataFrame, scores: pd.DataFrame, plan: ExperimentPlan) -> list[ResultRow]:
    """Participants and rows of both experiments, and people by condition and combination of names."""
    experiment = plan.experiments["progression"]
    found = {
        ("progression", "participants"): decisions["participant"].nunique(),
        ("progression", "rows"): len(decisions),
        ("progression", "answered"): int(decisions["outcome"].notna().sum()),
        ("evaluation_score", "participants"): scores["participant"].nunique(),
    }
    for condition in ("joint", "separate"):
        own = decisions.loc[decisions["evaluation"] == condition]
        found["progression", f"people_{condition}"] = own["participant"].nunique()
        for name_set in (1, 2):
            part = own.loc[own["name_set"] == name_set]
            found["progression", f"people_{condition}_set{name_set}"] = part["participant"].nunique()
    return [
        ResultRow(
            result_id=plan.row_id(outcome, estimand, "count"),
            study=plan.study,
            outcome=outcome,
            estimand=estimand,
            population="Participants of both experiments",
            contrast="none",
            method="count",
            analysis="planned",
            estimate=float(count),
            n=int(count),
            clause=" ".join(experiment.clauses),
            status="descriptive",
        )
        for (outcome, estimand), count in found.items()
    ]
