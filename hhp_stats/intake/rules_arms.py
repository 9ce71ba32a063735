"""Rules about individually randomised studies and trials of whole sites: is the allocation list what the plan and the
answers say?

No log of these draws was kept, so nothing can be repeated. What is left are the plan's numbers (people, arms,
blocks), the way the arms were drawn (within blocks, or whole clusters), and answers that only one arm could give.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hhp_stats.intake.findings import Finding, rows_of
from hhp_stats.intake.lists import ListFile
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.survey import SurveyFile
from hhp_stats.plan.individual import IndividualPlan
from hhp_stats.plan.thresholds import Threshold

EVERYONE = "everyone"  # the unit of a finding about the list as a whole


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmsCheck:
    """What the rules look at: the list, the surveys, the plan and its limits."""

    plan: IndividualPlan
    allocation: ListFile
    surveys: tuple[SurveyFile, ...]
    thresholds: Mapping[str, Threshold]


def _people(check: ArmsCheck) -> Iterator[Finding]:
    there, planned = len(check.allocation.frame), check.plan.design.randomised
    if there != planned:
        yield Finding(
            rule=PEOPLE,
            file=check.allocation.file,
            value=f"{there} people, {planned} in the plan ({EVERYONE})",
            units=(EVERYONE,),
        )


def _sizes(check: ArmsCheck) -> Iterator[Finding]:
    parts = [("arm", arm.id, arm.randomised) for arm in check.plan.arms]
    if check.plan.design.within:
        parts += [(check.plan.design.within, block.id, block.randomised) for block in check.plan.blocks]
    for column, key, planned in parts:
        there = int((check.allocation.frame[column] == key).sum())
        if planned is not None and there != planned:
            yield Finding(
                rule=SIZES,
                file=check.allocation.file,
                cell=f"column {column}",
                value=f"{there} people in {key}, {planned} in the plan",
                units=(key,),
            )


def _balance_in_block(check: ArmsCheck) -> Iterator[Finding]:
    limit, name = check.thresholds.get("I09"), check.plan.design.within
    if limit is None or not name:
        return
    for block, part in check.allocation.frame.groupby(name, sort=True):
        sizes = part["arm"].value_counts().reindex([arm.id for arm in check.plan.arms], fill_value=0)
        if int(sizes.max() - sizes.min()) > limit.limit:
            said = ", ".join(f"{size} {arm}" for arm, size in sizes.items())
            yield Finding(
                rule=BALANCE,
                file=check.allocation.file,
                cell="column arm",
                value=f"{said} in {block}",
                units=(str(block),),
            )


def _other_arm_answered(check: ArmsCheck) -> Iterator[Finding]:
    frame = check.allocation.frame
    for question in check.plan.questions.values():
        if not question.arms:
            continue
        for survey in check.surveys:
            if not survey.readable or question.id not in survey.frame:
                continue
            codes = survey.meta.loc[survey.frame[question.id].notna().to_numpy(), "code"]
            others = frame.loc[
                frame["survey_code"].isin(codes) & frame["arm"].notna() & ~frame["arm"].isin(question.arms)
            ]
            if len(others):
                value = (
                    f"{len(others)} of the {len(codes)} who answered {question.id} at {survey.wave} are listed in"
                    f" another arm than {' or '.join(question.arms)}"
                )
                yield Finding(
                    rule=ASKED,
                    file=check.allocation.file,
                    cell=rows_of(others["row"]),
                    value=value,
                    units=(question.id,),
                )


def _split_cluster(check: ArmsCheck) -> Iterator[Finding]:
    name = check.plan.design.cluster
    if not name:
        return
    for cluster, part in check.allocation.frame.groupby(name, sort=True):
        sizes = part["arm"].value_counts()
        if len(sizes) > 1:
            few = part.loc[part["arm"] == sizes.index[-1]]
            said = ", ".join(f"{size} {arm}" for arm, size in sizes.items())
            yield Finding(
                rule=WHOLE,
                file=check.allocation.file,
                cell=rows_of(few["row"]),
                value=f"{said} in {cluster}",
                units=(str(cluster),),
            )


PEOPLE = Rule(
    code="I07",
    severity="error",
    find=_people,
    rule="The allocation list must hold as many people as the plan says were randomised.",
    remedy="Ask whether people were added or left out after the randomisation.",
)
SIZES = Rule(
    code="I08",
    severity="error",
    fields=("arm",),
    find=_sizes,
    rule="Arms and blocks must be as large as the plan says.",
    remedy="Compare the list with the one that was drawn.",
)
BALANCE = Rule(
    code="I09",
    severity="error",
    fields=("arm",),
    find=_balance_in_block,
    rule="People were drawn within blocks, so the arms of a block must not differ by more than the plan allows.",
    remedy="Compare the list with the one that was drawn.",
)
ASKED = Rule(
    code="I10",
    severity="error",
    fields=("arm",),
    find=_other_arm_answered,
    rule="No one can answer a question that was put to another arm alone.",
    remedy="Compare the list with the one that was drawn: people of two arms may be exchanged, or survey codes.",
)
WHOLE = Rule(
    code="I11",
    severity="error",
    fields=("arm",),
    find=_split_cluster,
    rule="Whole sites were drawn, so everyone in a site must be in one arm.",
    remedy="Compare the list with the one that was drawn.",
)
ARM_RULES: tuple[Rule, ...] = (PEOPLE, SIZES, BALANCE, ASKED, WHOLE)


def arms_findings(check: ArmsCheck) -> list[Finding]:
    """Everything that the rules find in a list that could be read."""
    if not check.allocation.readable:
        return []
    return [finding for rule in ARM_RULES if rule.find is not None for finding in rule.find(check)]
