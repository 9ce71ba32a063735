"""The goal-setting trial: walks its plan from the authorities' returns to the result frame."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from hhp_stats.design.randomisation import AllocationRule, Redraws
from hhp_stats.intake.load import load_trial
from hhp_stats.intake.trial import Trial
from hhp_stats.plan.conduct import Conduct
from hhp_stats.plan.load import load_plan
from hhp_stats.plan.schema import Plan
from hhp_stats.progress import Progress, silent
from hhp_stats.results import Estimate, ResultRow, result_frame
from hhp_stats.studies.goal_setting import descriptives
from hhp_stats.studies.goal_setting.analysed import Material
from hhp_stats.studies.goal_setting.cells import run_cell
from hhp_stats.studies.goal_setting.flow import participant_flow
from hhp_stats.studies.goal_setting.imputation_model import impute_trial
from hhp_stats.studies.goal_setting.sample import Sample, build_sample
from hhp_stats.studies.output import StudyOutput

STUDY = "goal_setting"


def run(root: Path, *, progress: Progress = silent) -> StudyOutput:
    """Read the trial's raw files below `root`, run every planned analysis, and return rows and tables.

    Raises DataError where the files break rules, PlanError where the plan contradicts itself.
    """
    plan = load_plan(root, STUDY)
    trial = load_trial(root, STUDY)
    return analyse(trial, plan, progress=progress)


def analyse(trial: Trial, plan: Plan, *, progress: Progress = silent) -> StudyOutput:
    """The analyses of one trial, from validated data: `run` without the files."""
    sample = build_sample(trial, plan)
    people = sample.people
    steps = len(plan.analyses) + 2
    imputations = impute_trial(people, plan)
    progress(1, steps)
    material = Material(plan=plan, people=people, imputations=imputations, redraws=redraws(people, plan))
    rows: list[ResultRow] = descriptives.arm_rows(people, plan)
    conduct: list[Conduct] = []
    for done, analysis in enumerate(plan.analyses, start=2):
        cell = run_cell(analysis, material)
        rows += cell.rows
        conduct += cell.conduct
        progress(done, steps)
    rows += descriptives.clustering_rows(people, _planned_effects(rows, plan), plan)
    analysed = people.loc[people["absence_days"].notna()]
    rows += [descriptives.balance_test(part, plan, name=name) for name, part in (("randomised", people), ("analysed", analysed))]
    progress(steps, steps)
    return StudyOutput(
        study=STUDY, results=result_frame(rows), tables=_tables(trial, sample, plan, imputations["randomised"].diagnostics.convergence),
        conduct=tuple(conduct),
    )  # fmt: skip


def redraws(people: pd.DataFrame, plan: Plan) -> Redraws:
    """Further allocations by the trial's own rule, for randomisation inference."""
    listed = people.rename(columns={"person": "staff_id"})
    rule = AllocationRule(max_redraws=plan.design.max_redraws, alpha=plan.design.balance_alpha)
    strata = people[["team_id", "stratum"]].drop_duplicates()
    return Redraws.of(people=listed, strata=strata, rule=rule)


def _planned_effects(rows: list[ResultRow], plan: Plan) -> dict[str, Estimate]:
    """The planned effect of each continuous outcome, as an estimate again."""
    found = {}
    for row in rows:
        planned = row.analysis == "planned" and row.status == "estimated" and row.estimand == "itt"
        if planned and plan.outcomes[row.outcome].kind == "continuous":
            found[row.outcome] = Estimate(
                estimate=row.estimate, std_error=row.std_error, df=row.df, n=int(row.n or 0), n_clusters=row.n_clusters,
                method=row.method, conf_level=row.conf_level,
            )  # fmt: skip
    return found


def _tables(trial: Trial, sample: Sample, plan: Plan, convergence: pd.DataFrame) -> dict[str, pd.DataFrame]:
    people = sample.people
    analysed = people.loc[people["absence_days"].notna()]
    absence = pd.DataFrame(
        [{"rule": rule, "n": a.n, "leavers": a.leavers, "floored": a.floored, "left_out": a.left_out, "missing": a.missing,
          "note": a.note} for rule, a in sample.absence.items()]
    )  # fmt: skip
    reliability = pd.DataFrame(
        [{"scale": scale, "coefficient": r.coefficient, "estimate": r.estimate, "conf_low": r.conf_low, "conf_high": r.conf_high,
          "items": r.items, "n": r.n, "method": r.method} for scale, r in sample.reliability.items()]
    )  # fmt: skip
    rule = sample.combination
    combination = pd.DataFrame([{"correlation": rule.correlation, "r_squared": rule.r_squared, "threshold": rule.threshold,
                                 "n": rule.n, "branch": rule.branch, "by_correlation": rule.branch_by_correlation}])  # fmt: skip
    return {
        "flow": participant_flow(trial, sample, plan),
        "balance": pd.concat(
            [descriptives.balance(people, plan, population="randomised"), descriptives.balance(analysed, plan, population="analysed")],
            ignore_index=True,
        ),
        "absence_distribution": descriptives.absence_distribution(people, plan),
        "uptake": descriptives.uptake(people, plan),
        "modules": descriptives.modules(people, plan),
        "attrition": descriptives.attrition(people, plan),
        "leavers": absence,
        "reliability": reliability,
        "combination": combination,
        "imputation": convergence,
        "spells": pd.DataFrame({"local_authority": list(sample.recording_authorities)}),
        "inputs": trial.inputs,
        "problems": trial.problems,
        "corrections": trial.corrections,
        "linkage": trial.linkage,
        "tolerances": trial.tolerances,
    }  # fmt: skip
