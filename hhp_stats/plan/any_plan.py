"""The plan of any study, by the reader that its tables ask for."""

from __future__ import annotations

from pathlib import Path

from hhp_stats.files.kept_reading import kept_reading
from hhp_stats.plan.experiments import ExperimentPlan, experiment_plan
from hhp_stats.plan.individual import IndividualPlan, individual_plan
from hhp_stats.plan.load import trial_plan
from hhp_stats.plan.plan_file import PlanFile
from hhp_stats.plan.returns_schema import ReturnsPlan

AnyPlan = ReturnsPlan | IndividualPlan | ExperimentPlan


@kept_reading
def plan_of(root: Path, study: str) -> AnyPlan:
    """The plan of one study: with sites it is a trial on returns, with experiments one of contrasts, else one of arms
    or none.

    Raises PlanError as the readers do.
    """
    return plan_in(PlanFile.open(root, study))


def plan_in(source: PlanFile) -> AnyPlan:
    """The same from the tables of a plan."""
    if "sites" in source.raw:
        return trial_plan(source)
    return experiment_plan(source) if "experiments" in source.raw else individual_plan(source)


def outcomes_asked(root: Path, study: str, *, wave: str, suffix: str) -> tuple[str, ...]:
    """The labels of the outcomes that the answers of one survey make, or whose value before it holds; the columns of
    that wave end in `suffix`.
    """
    plan = plan_of(root, study)
    if isinstance(plan, ExperimentPlan):
        return ()
    if isinstance(plan, ReturnsPlan):
        made = ((one.label, (one.column, one.baseline)) for one in plan.outcomes.values())
        return tuple(label for label, columns in made if any(name.endswith(suffix) for name in columns))
    asked = {scale.id for scale in plan.scales.values() if wave in scale.waves}
    return tuple(outcome.label for outcome in plan.outcomes.values() if asked & set(outcome.scales))
