"""Rules of the list of participants of a trial of people: arms, blocks, codes, each person once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hhp_stats.intake.lists import ListFile
from hhp_stats.intake.rule import Breach, Rule, at
from hhp_stats.intake.rules_cells import KIND_RULES
from hhp_stats.intake.rules_wave import blank_required, converted_identifiers, out_of_range
from hhp_stats.plan.individual import IndividualPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What the rules of an allocation list look at."""

    table: ListFile
    plan: IndividualPlan


def _arm_unknown(check: Check) -> Iterator[Breach]:
    arms = check.table.frame["arm"]
    yield from at(arms.notna() & ~arms.isin([arm.id for arm in check.plan.arms]), "arm")


def _block_unknown(check: Check) -> Iterator[Breach]:
    name = check.plan.design.within
    if name:
        values = check.table.frame[name]
        yield from at(values.notna() & ~values.isin([block.id for block in check.plan.blocks]), name)


def _person_twice(check: Check) -> Iterator[Breach]:
    yield from at(check.table.frame["staff_id"].duplicated(keep=False), "staff_id")


def _code_twice(check: Check) -> Iterator[Breach]:
    codes = check.table.frame["survey_code"]
    yield from at(codes.notna() & codes.duplicated(keep=False), "survey_code")


def _one_arm_in_block(check: Check) -> Iterator[Breach]:
    name = check.plan.design.within
    if name:
        for block, group in check.table.frame.groupby(name, sort=True):
            if group["arm"].nunique() < 2:
                yield Breach("arm", int(group.index[0]), f"one arm only in {block}")


def _cells(check: Check) -> Iterator[Breach]:
    for rule in KIND_RULES:
        if rule.find is not None:
            yield from rule.find(check.table)
    yield from blank_required(check.table)
    yield from out_of_range(check.table)
    yield from converted_identifiers(check.table)


PARTICIPANT_RULES: tuple[Rule, ...] = (
    Rule(
        code="I01",
        severity="error",
        find=_cells,
        rule="A value of the allocation list must be filled in and be of the kind that its column holds.",
        remedy="Correct the value.",
    ),
    Rule(
        code="I02",
        severity="error",
        fields=("arm",),
        find=_arm_unknown,
        rule="Everyone on the allocation list must be in an arm of the plan.",
        remedy="Write the arm as the plan spells it.",
    ),
    Rule(
        code="I03",
        severity="error",
        find=_block_unknown,
        rule="Everyone must belong to an authority, cohort or site of the plan.",
        remedy="Correct the name, or add the block to the plan.",
    ),
    Rule(
        code="I04",
        severity="error",
        fields=("staff_id",),
        find=_person_twice,
        rule="A person must be allocated once.",
        remedy="Delete the line that is not the result of the randomisation.",
    ),
    Rule(
        code="I05",
        severity="error",
        fields=("survey_code",),
        find=_code_twice,
        rule="A survey code must belong to one person.",
        remedy="Find out whose code it is: answers under it cannot be matched.",
    ),
    Rule(
        code="I06",
        severity="error",
        fields=("arm",),
        find=_one_arm_in_block,
        rule="People were randomised within each block, so each must hold both arms.",
        remedy="Check the list against the randomisation.",
    ),
)
