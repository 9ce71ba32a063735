"""The hiring experiments: from raw decisions and scores to the result frame, contrast by contrast as the plan lists
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from hhp_stats.intake.hiring import decisions_with_conditions, load_hiring, scores_with_conditions
from hhp_stats.plan.catalogue import only_for
from hhp_stats.plan.conditions import parse_condition
from hhp_stats.plan.conduct import Conduct
from hhp_stats.plan.experiments import INTERCEPT, ExperimentPlan, load_experiment_plan
from hhp_stats.plan.nearest import refuse_unknown
from hhp_stats.processes.progress import Progress, silent
from hhp_stats.results.frame import ResultRow, result_frame
from hhp_stats.studies.hiring import members, tables
from hhp_stats.studies.hiring.cells import contrast_rows, mean_rows, with_holm
from hhp_stats.studies.hiring.counts import count_rows
from hhp_stats.studies.hiring.power import power_rows
from hhp_stats.studies.hiring.recipes import analysis_frames
from hhp_stats.studies.intake_columns import intake_columns
from hhp_stats.studies.output import StudyOutput

STUDY = "hiring"


def run(root: Path, study: str = STUDY, *, progress: Progress = silent) -> StudyOutput:
    """Read the experiments' raw files below `root`, estimate every contrast, and return rows and tables.

    Raises DataError where the files break rules, PlanError where the plan contradicts itself.
    """
    only_for(STUDY, study)
    plan = load_experiment_plan(root, study)
    lists = load_hiring(root)
    decisions, scores = decisions_with_conditions(lists), scores_with_conditions(lists)
    found = analyse(decisions, scores, plan, progress=progress)
    # A line of the list of participants is one person, a line of the scores one, and one of the decisions none.
    everyone = np.ones(found.declared.people, dtype=bool)
    read = {
        str(path): everyone
        for path, rows in zip(lists.inputs["path"], lists.inputs["rows"], strict=True)
        if rows == everyone.size
    }
    declared = replace(found.declared, columns={**found.declared.columns, **intake_columns(lists.inputs, known=read)})
    return replace(
        found, declared=declared, tables={**found.tables, "inputs": lists.inputs, "problems": lists.problems}
    )


def _refuse_unknown_columns(frames: Mapping[str, pd.DataFrame], plan: ExperimentPlan) -> None:
    """Refuses (PlanError) clusters, dummies and covariates in a column that the answers do not have, and other
    experiments and cells than those that were held.
    """
    file = f"data/plan/{plan.study}.toml"
    refuse_unknown(file, "experiments", "the experiment", plan.experiments, frames, "those that were held")
    for experiment in plan.experiments.values():
        frame, cells = frames[experiment.id], plan.cells_of(experiment.id)
        place, held = f"experiments {experiment.id}", set(frame["cell"].dropna())
        used = [experiment.cluster] if experiment.cluster else []
        refuse_unknown(file, place, "the column", used, list(frame.columns), "those of the answers")
        for cell in cells:
            parts = [name for name in cell.dummies if name != INTERCEPT]
            refuse_unknown(
                file, f"cells {cell.id}", "the dummy", parts, list(frame.columns), "the columns of the answers"
            )
        refuse_unknown(file, "cells", "the group", held, [cell.id for cell in cells], "the plan's cells")
        for method in plan.methods_of(experiment.id):
            where = plan.populations[method.population].where
            asked = {part.column for part in parse_condition(where).comparisons()} if where else ()
            refuse_unknown(
                file,
                f"populations {method.population}",
                "the column",
                asked,
                list(frame.columns),
                "those of the answers",
            )
            where = f"methods {experiment.id} {method.id}"
            refuse_unknown(file, where, "the column", method.terms, list(frame.columns), "those of the answers")


def analyse(
    decisions: pd.DataFrame, scores: pd.DataFrame, plan: ExperimentPlan, *, progress: Progress = silent
) -> StudyOutput:
    """The analyses of both experiments from validated rows: `run` without the files."""
    frames = {"progression": tables.prepared_decisions(decisions), "evaluation_score": tables.prepared_scores(scores)}
    _refuse_unknown_columns(frames, plan)
    rows: list[ResultRow] = count_rows(frames["progression"], frames["evaluation_score"], plan)
    conduct: list[Conduct] = []
    for done, experiment in enumerate(plan.experiments.values(), start=1):
        frame = frames[experiment.id]
        rows += mean_rows(frame, experiment, plan)
        for method in plan.methods_of(experiment.id):
            estimated, facts = contrast_rows(frame, experiment, method, plan)
            rows += with_holm(estimated, plan, experiment)
            conduct += facts
        rows += power_rows(frame, experiment, plan)
        progress(done, len(plan.experiments))
    results = result_frame(rows)
    made = {
        "flow": tables.flow(decisions, scores),
        "conditions": tables.conditions(frames["progression"], frames["evaluation_score"], plan),
        "name_sets": tables.name_sets(frames["progression"], plan),
        "score_distribution": tables.score_distribution(frames["evaluation_score"], plan),
        "chosen_per_person": tables.chosen_per_person(frames["progression"], plan),
        "chosen_over_limit": tables.chosen_over_limit(frames["progression"], plan),
        "pair_choices": tables.pair_choices(decisions),
        "roles": tables.roles(decisions),
    }
    return StudyOutput(
        study=STUDY,
        results=results,
        conduct=tuple(conduct),
        tables=made,
        analysis=analysis_frames(frames, plan, results),
        declared=members.declared(frames["progression"], frames["evaluation_score"], made, rows, plan),
    )
