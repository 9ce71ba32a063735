"""All analyses of the goal-setting trial: from validated data to the result frame and the tables."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd

from hhp_stats.disclosure.declared import Declared
from hhp_stats.intake.trial import Trial
from hhp_stats.plan.conduct import Conduct
from hhp_stats.plan.schema import Plan, PlannedAnalysis
from hhp_stats.processes.blocks import in_blocks
from hhp_stats.processes.progress import Progress, silent
from hhp_stats.ran import names_in
from hhp_stats.results import Estimate, ResultRow, result_frame
from hhp_stats.studies.goal_setting import allocation, data_quality, descriptives, members
from hhp_stats.studies.goal_setting.analysed import Material
from hhp_stats.studies.goal_setting.arm_means import arm_rows
from hhp_stats.studies.goal_setting.baselines import balance_rows, balance_table
from hhp_stats.studies.goal_setting.cells import run_cell
from hhp_stats.studies.goal_setting.cost_benefit import TURNOVER, cost_benefit, joint_bootstrap
from hhp_stats.studies.goal_setting.flow import participant_flow
from hhp_stats.studies.goal_setting.imputation_model import impute_trial, model_table, set_name
from hhp_stats.studies.goal_setting.missing_cells import identification, maxima
from hhp_stats.studies.goal_setting.monte_carlo import monte_carlo_table, with_warnings
from hhp_stats.studies.goal_setting.multiplicity import step_down, with_holm
from hhp_stats.studies.goal_setting.power import power_rows
from hhp_stats.studies.goal_setting.recipes import analysis_frames
from hhp_stats.studies.goal_setting.row_members import row_members
from hhp_stats.studies.goal_setting.rules import rules_followed
from hhp_stats.studies.goal_setting.sample import Sample, build_sample
from hhp_stats.studies.goal_setting.tipping import tipping
from hhp_stats.studies.goal_setting_terms import primary_analysis, versions_of_baselines
from hhp_stats.studies.output import StudyOutput
from hhp_stats.studies.sources import Sourced, sourced

SECONDS = 2.5e-5  # one person in one analysis, all completed data sets together, takes about this long
WITHDRAWN = frozenset({"leavers", "linkage_groups"})  # tables for the team: counts of few people that no page prints
SELECTED = ("wellbeing", "time_pressure", "efficacy")  # whose selection models are judged by their condition number


def analyse(trial: Trial, plan: Plan, *, progress: Progress = silent) -> StudyOutput:
    """The analyses of one trial, from validated data: the study's `run` without the files."""
    sample = build_sample(trial, plan)
    people = sample.people
    steps = len(plan.analyses) + len(plan.tipping.outcomes) + len(versions_of_baselines(plan)) + 8
    imputations = impute_trial(people, plan)
    progress(1, steps)
    material = Material(plan=plan, people=people, imputations=imputations, redraws=allocation.redraws(people, plan))
    versions = versions_of_baselines(plan)
    analysed = people.loc[people["absence_days"].notna()]
    groups = {"randomised": people, "analysed": analysed, "respondents": people.loc[people["wellbeing_t2"].notna()]}
    # The longest first, so that no core waits for one of them at the end.
    tasks: list[Callable[[], Any]] = [
        partial(sourced, partial(joint_bootstrap, material)),
        *(partial(sourced, partial(joint_bootstrap, material, version)) for version in versions),
        partial(step_down, material),
        partial(maxima, material),
        *(partial(descriptives.balance_test, part, plan, material.redraws, name=name) for name, part in groups.items()),
        *(partial(tipping, key, material) for key in plan.tipping.outcomes),
        *(partial(run_cell, analysis, material) for analysis in plan.analyses),
    ]
    draws, *found = in_blocks(
        _call,
        [(task,) for task in tasks],
        lambda done, _: progress(1 + done, steps),
        seconds=SECONDS * len(people) * len(tasks),
    )
    other_draws, (adjusted, hills, *found) = found[: len(versions)], found[len(versions) :]
    tests, found = found[: len(groups)], found[len(groups) :]
    tipped, cells = found[: len(plan.tipping.outcomes)], found[len(plan.tipping.outcomes) :]
    rows: list[ResultRow] = arm_rows(people, plan)
    rows += [row for cell in cells for row in cell.rows]
    made_by = {
        row.result_id: analysis for analysis, cell in zip(plan.analyses, cells, strict=True) for row in cell.rows
    }
    conduct: list[Conduct] = [done for cell in cells for done in cell.conduct]
    last = _last_planned(rows, plan)
    planned = {key: _effect(rows, analysis.id, plan) for key, analysis in last.items()}
    made_by |= {f"{plan.study}/{key}/{descriptives.STANDARDISED}": analysis for key, analysis in last.items()}
    turnover = _effect(rows, TURNOVER, plan)
    costs = cost_benefit(
        material,
        draws,
        absence=planned["sickness_absence"],
        turnover=turnover,
        versions={version.id: found for version, found in zip(versions, other_draws, strict=True)},
    )
    grids = [grid for _, grid in tipped]
    rows += [row for shifts, _ in tipped for row in shifts]
    rows += descriptives.clustering_rows(people, planned, plan)
    alike = _row(rows, "sickness_absence/icc/reml", plan)
    rows += power_rows(people, Sourced(value=alike.estimate, made_by=names_in(alike.source)), plan)
    rows += costs.rows
    conduct += rules_followed(material, sample, costs.rows)
    rows += tests
    primary = imputations[set_name(primary_analysis(plan))]
    rows += balance_rows(primary, plan)
    enough = monte_carlo_table(rows, plan)
    rows = [*with_holm(with_warnings(rows, enough), plan.study), *adjusted]
    progress(steps, steps)
    summary, chances = allocation.probabilities(people, plan)
    tables = {
        **_tables(trial, sample, plan, primary.diagnostics.convergence),
        "acceptability": costs.curve,
        "tipping": pd.concat(grids, ignore_index=True),
        "strata": allocation.strata_table(trial),
        "assignment": summary,
        "assignment_map": chances,
        "strata_if_zero": allocation.strata_if_zero(people),
        "baseline_balance": balance_table(primary, plan),
        "imputation_model": model_table(imputations),
        "monte_carlo": enough,
        "cost_versions": costs.versions,
        "selection": identification(SELECTED, material),
        "maxima": hills,
        "cost_parts": costs.parts,
        **({} if trial.draws.empty else {"replay": trial.draws}),
    }
    crowd = members.everyone(trial, people)
    declared = Declared(
        people=crowd.there,
        columns=members.columns(crowd, trial, plan, tables),
        rows=row_members(crowd, rows, material, made_by),
        withdrawn=WITHDRAWN,
    )
    return StudyOutput(
        study=plan.study,
        results=result_frame(rows),
        conduct=tuple(conduct),
        tables=tables,
        declared=declared,
        analysis=analysis_frames(material, rows),
    )


def _call(task: Callable[[], Any]) -> Any:
    return task()


def _row(rows: list[ResultRow], tail: str, plan: Plan) -> ResultRow:
    return next(row for row in rows if row.result_id == f"{plan.study}/{tail}")


def _effect(rows: list[ResultRow], tail: str, plan: Plan) -> Sourced[Estimate]:
    """A row's estimate, with its own interval, as an estimate again, and with what made it."""
    row = _row(rows, tail, plan)
    estimate = Estimate(
        estimate=row.estimate,
        std_error=row.std_error,
        df=row.df,
        n=int(row.n or 0),
        n_clusters=row.n_clusters,
        method=row.method,
        conf_level=row.conf_level,
        conf_low=row.conf_low,
        conf_high=row.conf_high,
    )
    return Sourced(value=estimate, made_by=names_in(row.source))


def _last_planned(rows: list[ResultRow], plan: Plan) -> dict[str, PlannedAnalysis]:
    """The last planned analysis of each continuous outcome that could be estimated (for survey outcomes: the imputed
    one)."""
    estimated = {row.result_id for row in rows if row.status == "estimated"}
    return {
        analysis.outcome: analysis
        for analysis in plan.analyses
        if analysis.kind == "planned"
        and plan.outcomes[analysis.outcome].kind == "continuous"
        and plan.result_id(analysis) in estimated
    }


def _tables(trial: Trial, sample: Sample, plan: Plan, convergence: pd.DataFrame) -> dict[str, pd.DataFrame]:
    people = sample.people
    absence = pd.DataFrame(
        [
            {
                "rule": rule,
                "n": a.n,
                "leavers": a.leavers,
                "floored": a.floored,
                "left_out": a.left_out,
                "missing": a.missing,
                "note": a.note,
            }
            for rule, a in sample.absence.items()
        ]
    )
    reliability = pd.DataFrame(
        [
            {
                "scale": scale,
                "coefficient": r.coefficient,
                "estimate": r.estimate,
                "conf_low": r.conf_low,
                "conf_high": r.conf_high,
                "items": r.items,
                "n": r.n,
                "method": r.method,
            }
            for scale, r in sample.reliability.items()
        ]
    )
    rule = sample.combination
    combination = pd.DataFrame(
        [
            {
                "correlation": rule.correlation,
                "r_squared": rule.r_squared,
                "threshold": rule.threshold,
                "n": rule.n,
                "branch": rule.branch,
                "by_correlation": rule.branch_by_correlation,
            }
        ]
    )
    return {
        "flow": participant_flow(trial, sample, plan),
        "balance": descriptives.balance(people, plan, population="randomised"),
        "balance_differences": descriptives.balance_differences(people, plan),
        "team_balance": descriptives.team_balance(people, plan),
        "interim": descriptives.interim(people, plan),
        "largest_scores": descriptives.largest_scores(people, plan),
        "absence_distribution": descriptives.absence_distribution(people, plan),
        "uptake": descriptives.uptake(people, plan),
        "modules": descriptives.modules(people, plan),
        "attrition": descriptives.attrition(people, plan),
        "attrition_wellbeing": descriptives.attrition_by_wellbeing(people, plan),
        "leavers": absence,
        "linkage_groups": trial.linkage,
        "reliability": reliability,
        "combination": combination,
        "imputation": convergence,
        "spells": pd.DataFrame({"local_authority": list(sample.recording_authorities)}),
        "inputs": trial.inputs,
        "problems": trial.problems,
        "corrections": trial.corrections,
        "linkage": data_quality.linkage_by_wave(trial.linkage),
        "tolerances": data_quality.habits(trial.tolerances),
        **data_quality.data_tables(trial, sample, plan),
    }
