"""The field trials of phase two, which share one shape: arms, two surveys, one regression an outcome."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from hhp_stats.infer.multiplicity import holm
from hhp_stats.intake.participants import Participants
from hhp_stats.intake.plain_table import participants_of
from hhp_stats.measures.reliability import Reliability
from hhp_stats.plan.conduct import Conduct
from hhp_stats.plan.individual import IndividualPlan, load_individual_plan
from hhp_stats.plan.table_analyses import estimand
from hhp_stats.processes.progress import Progress, silent
from hhp_stats.results.frame import ResultRow, result_frame
from hhp_stats.studies.field_trial import arm_rows, clusters, descriptives, members
from hhp_stats.studies.field_trial.attenuation import attenuation
from hhp_stats.studies.field_trial.cells import run_cell
from hhp_stats.studies.field_trial.recipes import analysis_frames
from hhp_stats.studies.field_trial.sample import build_sample
from hhp_stats.studies.output import StudyOutput
from hhp_stats.studies.sources import Sourced, adjusted, sourced


def run_field_trial(root: Path, study: str, *, progress: Progress = silent) -> StudyOutput:
    """Read one field trial's raw files below `root`, run every planned analysis, and return rows and tables.

    Raises DataError where the files break rules, PlanError where the plan contradicts itself.
    """
    plan = load_individual_plan(root, study)
    return analyse(participants_of(root, plan), plan, progress=progress)


def analyse(participants: Participants, plan: IndividualPlan, *, progress: Progress = silent) -> StudyOutput:
    """The analyses of one field trial, from validated data: `run_field_trial` without the files."""
    sample = build_sample(participants, plan)
    people, steps = sample.people, len(plan.analyses) + 1
    rows: list[ResultRow] = [
        *arm_rows.sample_rows(people, plan),
        *arm_rows.arm_rows(people, plan),
        *arm_rows.power_rows(people, plan),
    ]
    if plan.design.cluster:
        rows += clusters.cluster_rows(people, plan)
    planned: list[ResultRow] = []
    conduct: list[Conduct] = []
    for done, analysis in enumerate(plan.analyses, start=1):
        cell = run_cell(analysis, people, plan)
        planned += cell.rows
        conduct += cell.conduct
        progress(done, steps)
    rows += with_holm(planned, plan)
    by_time, periods = attenuation(people, plan)
    rows += by_time
    progress(steps, steps)
    tables = {
        "flow": descriptives.participant_flow(people, plan),
        "attrition": descriptives.attrition(people, plan),
        "balance": descriptives.balance(people, plan),
        "recall": descriptives.recall(people, plan),
        "reliability": _reliability(sample.reliability),
        "inputs": participants.inputs,
        "problems": participants.problems,
        "linkage": participants.linkage,
    }
    if plan.design.cluster:
        tables |= clusters.cluster_tables(people, plan)
    if plan.data is not None:
        tables["missing"] = descriptives.missing_data(people, plan)
    if participants.corrections is not None:
        tables["corrections"] = participants.corrections
    if plan.periods is not None:
        tables["periods"] = periods
    return StudyOutput(
        analysis=analysis_frames(people, plan, planned),
        study=plan.study,
        results=result_frame(rows),
        tables=tables,
        conduct=tuple(conduct),
        declared=members.declared(people, participants.linkage, tables, rows, plan),
    )


def with_holm(rows: list[ResultRow], plan: IndividualPlan) -> list[ResultRow]:
    """The rows with Holm's adjustment over the planned effects of all outcomes (response is no outcome of the offer).

    Of several arms every comparison with the control belongs to the family.
    """
    effects = {estimand("itt", arm, plan.arms) for arm in plan.offered}
    family = [at for at, row in enumerate(rows) if row.analysis == "planned" and row.estimand in effects]
    if not family:
        return rows
    values = sourced(lambda: holm([rows[at].p_value for at in family]))
    found = list(rows)
    for at, p in zip(family, values.value, strict=True):
        found[at] = adjusted(rows[at], Sourced(value=float(p), made_by=values.made_by))
    return found


def _reliability(found: Mapping[str, Reliability]) -> pd.DataFrame:
    columns = ["scale", "coefficient", "estimate", "conf_low", "conf_high", "items", "n", "method"]
    return pd.DataFrame(
        [{"scale": scale, **{name: getattr(one, name) for name in columns[1:]}} for scale, one in found.items()],
        columns=columns,
    )
