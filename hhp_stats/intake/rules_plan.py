"""Do real data meet a plan in which values are still assumed?"""

from __future__ import annotations

from pathlib import Path

from hhp_stats.errors import Problem
from hhp_stats.intake.manifest import study_status
from hhp_stats.intake.rule import Rule
from hhp_stats.plan.assumed import unconfirmed

UNCONFIRMED = Rule(
    code="P03",
    severity="warning",
    rule="What the plan assumed for synthetic data should be confirmed, or corrected, before real data are analysed.",
    remedy="Compare it with the records of the trial and correct it in the plan; `hhp start-real` confirms it.",
)
PLAN_RULES = (UNCONFIRMED,)


def assumption_problems(root: Path, study: str) -> list[Problem]:
    """Of a study with real data: every entry of its plan that was assumed and that nobody has confirmed.

    Raises DataError where the manifest, PlanError where the plan cannot be read.
    """
    if study_status(root, study) != "real":
        return []
    file = f"data/plan/{study}.toml"
    return [UNCONFIRMED.problem(file=file, cell=each.place, value=each.value) for each in unconfirmed(root, study)]
