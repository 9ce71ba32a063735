"""What was done beside the planned analyses: the rule of randomisation, the composite, the ratio. For the check
against the plan.
"""

from __future__ import annotations

from collections.abc import Sequence

from hhp_stats.plan.conduct import NOT_ESTIMATED, Conduct
from hhp_stats.results.frame import ResultRow
from hhp_stats.studies.goal_setting.analysed import Material
from hhp_stats.studies.goal_setting.cells import fitted_as
from hhp_stats.studies.goal_setting.cost_benefit import PLANNED_RATIO
from hhp_stats.studies.goal_setting.sample import Sample


def rules_followed(material: Material, sample: Sample, ratios: Sequence[ResultRow]) -> tuple[Conduct, ...]:
    """The rules that were followed, one `Conduct` each, read off what ran where that can be.

    Randomisation: of the rule that the re-drawing used, and of the strata that the teams carry. Composite: of the
    rule that
    decided. Ratio: of the rows that were made.
    """
    plan = material.plan
    rule = material.redraws.rule
    quartiles = {stratum.split("|")[1] for stratum in material.people["stratum"]}
    largest = max(int(part) for quartile in quartiles for part in quartile.removeprefix("q").split("-"))
    done = [
        ("randomisation/rule/teams", "unit", plan.design.cluster),
        ("randomisation/rule/teams", "within", plan.design.within),
        ("randomisation/rule/teams", "absence_groups", str(largest)),
        ("randomisation/rule/teams", "agency_groups", str(plan.design.agency_groups)),
        ("randomisation/rule/teams", "balance_alpha", f"{rule.alpha:g}"),
        ("randomisation/rule/teams", "max_redraws", str(rule.max_redraws)),
        ("wellbeing/composite/rule", "threshold", f"{plan.measures.wellbeing_rule} > {sample.combination.threshold:g}"),
        ("benefit_cost/ratio/salary", "pounds", f"{plan.cost_benefit.salary:g}"),
    ]
    done += [
        (
            row.result_id.split("/", 1)[1],
            "interval",
            fitted_as(row.method).split(", ", 1)[1] if row.status == "estimated" else NOT_ESTIMATED,
        )
        for row in ratios
        if row.clause == PLANNED_RATIO
    ]
    return tuple(
        Conduct(study=plan.study, analysis=analysis, aspect=aspect, value=value) for analysis, aspect, value in done
    )
