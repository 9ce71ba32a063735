"""The columns of the list and of the surveys of a trial of people, from its plan."""

from __future__ import annotations

from hhp_stats.intake.dictionary import Field
from hhp_stats.intake.list_spec import list_column
from hhp_stats.plan.individual import IndividualPlan

WAVES = ("baseline", "endline")
SUFFIX = {"baseline": "_t1", "endline": "_t2"}


def allocation_fields(plan: IndividualPlan) -> tuple[Field, ...]:
    """The columns of the allocation list: person, arm, survey code, block and what else the plan's terms need."""
    extra = [term.column for term in plan.terms.values() if not term.column.startswith("baseline")]
    names = dict.fromkeys([plan.design.within, *extra])
    levels = {plan.design.within: tuple(block.id for block in plan.blocks)}
    levels |= {term.column: term.levels for term in plan.terms.values() if term.levels}
    found = [_field("allocation", "staff_id", "identifier"), _field("allocation", "survey_code", "identifier")]
    found += [_field("allocation", "arm", "category", allowed=tuple(arm.id for arm in plan.arms))]
    found += [_field("allocation", name, "category", allowed=levels.get(name, ())) for name in names if name]
    if "left" in plan.facts:
        found.append(_field("allocation", "in_post_at_endline", "category", allowed=("yes", "no")))
    return tuple(found)


def survey_fields(plan: IndividualPlan) -> tuple[Field, ...]:
    """The questions of both surveys: consent, the items of every scale, and the plan's single questions."""
    found = [_field("survey", "consent", "category", waves=WAVES, allowed=("agree", "disagree"))]
    for scale in plan.scales.values():
        found += [
            _field(
                "survey",
                item,
                "integer",
                waves=scale.waves,
                limits=(scale.low, scale.high),
                unit="points",
                meaning=f"{scale.label}, item {number}",
                required=False,
            )
            for number, item in enumerate(scale.items, start=1)
        ]
    for question in plan.questions.values():
        found.append(
            _field(
                "survey",
                question.id,
                "category",
                waves=question.waves,
                allowed=question.options,
                meaning=question.label,
                required=False,
            )
        )
    return tuple(found)


def _field(
    file: str,
    name: str,
    kind: str,
    *,
    waves: tuple[str, ...] = (),
    allowed: tuple[str, ...] = (),
    unit: str = "",
    limits: tuple[float, float] | None = None,
    meaning: str = "",
    required: bool = True,
) -> Field:
    low, high = limits or (None, None)
    return list_column(
        name,
        kind,
        allowed=allowed,
        low=low,
        high=high,
        required=required,
        meaning=meaning,
        file=file,
        waves=waves,
        unit=unit,
    )
