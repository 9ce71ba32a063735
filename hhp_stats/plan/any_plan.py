"""The plan of any study, by the reader that its tables ask for."""

from __future__ import annotations

from pathlib import Path

from hhp_stats.plan.experiments import ExperimentPlan, load_experiment_plan
from hhp_stats.plan.individual import IndividualPlan, load_individual_plan
from hhp_stats.plan.load import load_plan
from hhp_stats.plan.records import read_plan_file
from hhp_stats.plan.schema import Plan


def plan_of(root: Path, study: str) -> Plan | IndividualPlan | ExperimentPlan:
    """The plan of one study: with sites it is a trial on returns, with experiments one of contrasts, else one of arms
    or none.

    Raises PlanError as the readers do.
    """
    raw = read_plan_file(root, f"data/plan/{study}.toml")
    if "sites" in raw:
        return load_plan(root, study)
    return load_experiment_plan(root, study) if "experiments" in raw else load_individual_plan(root, study)
