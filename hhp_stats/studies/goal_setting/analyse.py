"""All analyses of the goal-setting trial: from validated data to the result frame and the tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd

from hhp_stats.calls.ran import name_of, names_in
from hhp_stats.disclosure.declared import Declared
from hhp_stats.errors import EstimationError, NoObservations
from hhp_stats.estimate.cluster_bootstrap import BootstrapDraws
from hhp_stats.intake.trial import Trial
from hhp_stats.measures.reliability import Reliability
from hhp_stats.plan.conduct import Conduct
from hhp_stats.plan.returns_schema import ReturnsAnalysis, ReturnsPlan
from hhp_stats.processes.blocks import in_blocks
from hhp_stats.processes.progress import Progress, silent
from hhp_stats.results.frame import Estimate, ResultRow, result_frame
from hhp_stats.studies.goal_setting import allocation, arm_balance, clustering, data_quality, descriptives, members
from hhp_stats.studies.goal_setting.analysed import Material
from hhp_stats.studies.goal_setting.arm_means import arm_rows
from hhp_stats.studies.goal_setting.attempts import attempted, lacking, made_tables, tipping_tails
from hhp_stats.studies.goal_setting.baselines import balance_rows, balance_table, no_balance
from hhp_stats.studies.goal_setting.cells import run_cell
from hhp_stats.studies.goal_setting.cost_benefit import (
    TURNOVER,
    CostBenefitResults,
    cost_benefit,
    joint_bootstrap,
    without_costs,
)
from hhp_stats.studies.goal_setting.flow import participant_flow
from hhp_stats.studies.goal_setting.imputation_model import impute_trial, model_table, set_name
from hhp_stats.studies.goal_setting.monte_carlo import monte_carlo_table, with_warnings
from hhp_stats.studies.goal_setting.multiplicity import no_step_down, step_down, with_holm
from hhp_stats.studies.goal_setting.power import power_rows
from hhp_stats.studies.goal_setting.recipes import analysis_frames
from hhp_stats.studies.goal_setting.row_members import row_members
from hhp_stats.studies.goal_setting.rules import rules_followed
from hhp_stats.studies.goal_setting.sample import Sample, build_sample
from hhp_stats.studies.goal_setting.selection_models import identification, maxima
from hhp_stats.studies.goal_setting.tipping import tipping
from hhp_stats.studies.goal_setting_terms import primary_analysis, versions_of_baselines
from hhp_stats.studies.output import StudyOutput
from hhp_stats.studies.sources import Sourced, sourced

SECONDS = 2.5e-5  # one person in one analysis, all completed data sets together, takes about this long
WITHDRAWN = frozenset({"leavers", "linkage_groups"})  # tables for the team: counts of few people that no page prints
SELECTED = ("wellbeing", "time_pressure", "efficacy")  # whose selection models are judged by their condition number


def analyse(trial: Trial, plan: ReturnsPlan, *, progress: Progress = silent) -> StudyOutput:
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
        *(partial(arm_balance.balance_test, part, plan, material.redraws, name=name) for name, part in groups.items()),
        *(partial(tipping, key, material) for key in plan.tipping.outcomes),
        *(partial(run_cell, analysis, material) for analysis in plan.analyses),
    ]
    every: list[Any] = in_blocks(
        attempted,
        [(task,) for task in tasks],
        lambda done, _: progress(1 + done, steps),
        seconds=SECONDS * len(people) * len(tasks),
    )
    draws, *found = every
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
    made_by |= {f"{plan.study}/{key}/{clustering.STANDARDISED}": analysis for key, analysis in last.items()}
    by_version = {version.id: found for version, found in zip(versions, other_draws, strict=True)}
    made: Any = attempted(partial(_costs, rows, planned, draws, by_version, material))
    costs: CostBenefitResults = without_costs(plan, made) if isinstance(made, EstimationError) else made
    for key, points in zip(plan.tipping.outcomes, tipped, strict=True):
        if isinstance(points, EstimationError):
            rows += lacking(plan, tipping_tails(key), points, method="delta adjustment", source=name_of(tipping))
        else:
            rows += points[0]
    grids = [points[1] for points in tipped if not isinstance(points, EstimationError)]
    rows += clustering.clustering_rows(people, planned, plan)
    rows += clustering.without_effect(planned, plan)
    alike = _row(rows, "sickness_absence/icc/reml", plan)
    rows += power_rows(people, Sourced(value=alike.estimate, made_by=names_in(alike.source)), plan)
    rows += costs.rows
    conduct += rules_followed(material, sample, costs.rows)
    for name, test in zip(groups, tests, strict=True):
        if isinstance(test, EstimationError):
            about: dict[str, Any] = {"method": "omnibus test of balance", "kind": "planned", "clause": "P17"}
            rows += lacking(plan, [f"balance/omnibus/{name}"], test, source=name_of(arm_balance.balance_test), **about)
        else:
            rows.append(test)
    primary_set = set_name(primary_analysis(plan))
    balanced = imputations.attempt(primary_set, partial(balance_rows, plan=plan))
    rows += no_balance(plan, balanced) if isinstance(balanced, EstimationError) else balanced
    recorded = imputations.attempt(primary_set, partial(balance_table, plan=plan))
    convergence = imputations.attempt(primary_set, lambda made: made.diagnostics.convergence)
    enough = monte_carlo_table(rows, plan)
    if isinstance(adjusted, EstimationError):
        adjusted = no_step_down(plan, adjusted)
    rows = [*with_holm(with_warnings(rows, enough), plan.study), *adjusted]
    progress(steps, steps)
    summary, chances = allocation.probabilities(people, plan)
    tables = made_tables(
        {
            **_tables(trial, sample, plan, convergence),
            "acceptability": costs.curve,
            "tipping": pd.concat(grids, ignore_index=True) if grids else tipped[0],
            "strata": allocation.strata_table(trial),
            "assignment": summary,
            "assignment_map": chances,
            "strata_if_zero": allocation.strata_if_zero(people),
            "baseline_balance": recorded,
            "imputation_model": model_table(imputations),
            "monte_carlo": enough,
            "cost_versions": costs.versions,
            "selection": identification(SELECTED, material),
            "maxima": hills,
            "cost_parts": costs.parts,
            **({} if trial.draws.empty else {"replay": trial.draws}),
        },
        lines={
            **{("imputation_model", name): error for name, error in imputations.failed().items()},
            **{("reliability", scale): r for scale, r in sample.reliability.items() if isinstance(r, EstimationError)},
        },
    )
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


def _costs(
    rows: list[ResultRow],
    planned: Mapping[str, Sourced[Estimate]],
    draws: Sourced[BootstrapDraws] | EstimationError,
    versions: Mapping[str, Sourced[BootstrapDraws] | EstimationError],
    material: Material,
) -> CostBenefitResults:
    """Ratio and parts; raises what keeps the planned ratio from being made (EstimationError)."""
    turnover = _row(rows, TURNOVER, material.plan)
    if isinstance(draws, EstimationError):
        raise draws
    if "sickness_absence" not in planned or turnover.status != "estimated":
        raise NoObservations(
            "the planned effect on absence or on turnover, of which the ratio is made, is not estimated"
        )
    return cost_benefit(
        material,
        draws,
        absence=planned["sickness_absence"],
        turnover=_effect(rows, TURNOVER, material.plan),
        versions=versions,
    )


def _row(rows: list[ResultRow], tail: str, plan: ReturnsPlan) -> ResultRow:
    return next(row for row in rows if row.result_id == f"{plan.study}/{tail}")


def _effect(rows: list[ResultRow], tail: str, plan: ReturnsPlan) -> Sourced[Estimate]:
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


def _last_planned(rows: list[ResultRow], plan: ReturnsPlan) -> dict[str, ReturnsAnalysis]:
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


def _tables(
    trial: Trial, sample: Sample, plan: ReturnsPlan, convergence: pd.DataFrame | EstimationError
) -> dict[str, pd.DataFrame | EstimationError]:
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
            if isinstance(r, Reliability)
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
        "balance": arm_balance.balance(people, plan, population="randomised", levels=trial.levels),
        "personal": arm_balance.personal(people, trial.levels),
        "balance_differences": arm_balance.balance_differences(people, plan, trial.levels),
        "team_balance": arm_balance.team_balance(people, plan),
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
