"""Are there as many people and clusters in a plain table as its plan says?"""

from __future__ import annotations

from collections.abc import Iterator

from hhp_stats.intake.findings import Finding, rows_of
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.rules_table import EVERYONE, TableCheck
from hhp_stats.plan.table_schema import ARM

PEOPLE = Rule(
    code="T20",
    severity="error",
    rule="The table must hold as many people as the plan says.",
    remedy="Ask whether people were added or left out later, of a trial after the randomisation.",
)
CLUSTERS = Rule(
    code="T21",
    severity="error",
    rule="The table must hold as many clusters as the plan says were randomised.",
    remedy="Ask whether clusters were added or left out after the randomisation.",
)
SIZES = Rule(
    code="T22",
    severity="error",
    fields=(ARM,),
    rule="Arms must be as large as the plan says.",
    remedy="Compare the table with the list that was drawn.",
)
SIZE_RULES = (PEOPLE, CLUSTERS, SIZES)


def size_findings(check: TableCheck) -> Iterator[Finding]:
    """Where the table holds other numbers of people, clusters or people of an arm than the plan says."""
    plan, file, frame = check.plan, check.table.file, check.frame
    if len(frame) != plan.design.randomised:
        said = f"{len(frame)} {plan.words.person[len(frame) != 1]}, {plan.design.randomised} in the plan ({EVERYONE})"
        yield Finding(rule=PEOPLE, file=file, value=said, units=(EVERYONE,))
    if plan.design.cluster and plan.design.clusters is not None:
        there = frame[plan.design.cluster].nunique()
        if there != plan.design.clusters:
            said = f"{there} {plan.words.cluster[there != 1]}, {plan.design.clusters} in the plan ({EVERYONE})"
            yield Finding(rule=CLUSTERS, file=file, value=said, units=(EVERYONE,))
    for arm in plan.arms:
        own = frame[ARM] == arm.id
        if arm.randomised is not None and int(own.sum()) != arm.randomised:
            yield Finding(
                rule=SIZES,
                file=file,
                cell=rows_of(frame.loc[own, "row"]) if own.sum() < 5 else f"column {ARM}",
                value=f"{int(own.sum())} people in {arm.id}, {arm.randomised} in the plan",
                units=(arm.id,),
            )
