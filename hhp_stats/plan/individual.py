"""Plans of the studies without returns: trials of people or clusters, experiments, and pilots (`plan.pilot_plan`).

`load_individual_plan` reads `data/plan/<study>.toml`: a header, `[design]`, and lists of arms, blocks,
populations, scales, outcomes, terms, analyses, power assumptions and facts. A trial whose data are one plain table has
`[data]`, a dictionary and, in place of most lists, `[model]` (`plan.table_plan`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hhp_stats.errors import PlanError
from hhp_stats.files.kept_reading import kept_reading
from hhp_stats.plan.estimators import check_estimator
from hhp_stats.plan.individual_schema import (
    Arm,
    Block,
    IndividualAnalysis,
    IndividualDesign,
    IndividualOutcome,
    IndividualPlan,
    PlannedTerm,
    Question,
    ResponsePeriods,
    Scale,
    StudyPower,
)
from hhp_stats.plan.nearest import refuse_unknown
from hhp_stats.plan.pilot_plan import any_pilot, pilot_plan
from hhp_stats.plan.plan_file import PlanFile
from hhp_stats.plan.records import Natural, Share
from hhp_stats.plan.runnable import WAVES, check_runnable
from hhp_stats.plan.schema import Fact, Population, check_complete, check_labels, check_names
from hhp_stats.plan.table_reader import check_short, on_a_table, words_of
from hhp_stats.plan.trial_checklist import TABLE, words_of_items

__all__ = [
    "Arm",
    "Block",
    "IndividualDesign",
    "IndividualPlan",
    "PlannedTerm",
    "Question",
    "ResponsePeriods",
    "Scale",
    "IndividualAnalysis",
    "IndividualOutcome",
    "StudyPower",
    "load_individual_plan",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    study: str
    title: str
    chapter: str
    seed: Natural
    contrast: str = ""
    conf_level: Share = 0.95


# What a plan without a plain table has to say itself.
_WITHOUT_TABLE: Mapping[str, tuple[str, ...]] = {
    "design": ("kind", "unit"),
    "arms": ("code",),
    "populations": ("rule",),
    "outcomes": ("role", "unit", "kind"),
    "analyses": ("kind", "population", "estimator", "covariance", "df", "label"),
}
_OF_TABLES = ("data", "model", "balance", "waves")
_LISTS = frozenset(
    {
        "arms",
        "blocks",
        "populations",
        "scales",
        "questions",
        "outcomes",
        "terms",
        "analyses",
        "power",
        "facts",
        "periods",
        "words",
        *_OF_TABLES,
    }
)


@kept_reading
def load_individual_plan(root: Path, study: str) -> IndividualPlan:
    """What was to be done in this study? Reads `data/plan/<study>.toml` under `root` and cross-checks it.

    Raises PlanError, naming file and place, for what every plan is refused for (`plan_file.PlanFile`), scales,
    populations or terms that do not exist, arms whose codes are not 0, 1, ..., items outside their scale or in two
    scales, base levels outside their levels, entries that commit to something without citing a clause, and what the
    analyses cannot run (`runnable.check_runnable`).
    """
    return individual_plan(PlanFile.open(root, study))


def individual_plan(source: PlanFile) -> IndividualPlan:
    """The same from the tables of a plan."""
    if any_pilot(source.raw):
        return pilot_plan(source)
    file, raw = source.file, source.raw
    header = source.header(_Header, "contrast", tables=_LISTS)
    if not isinstance(raw.get("design"), Mapping):
        raise PlanError(file, "design", "is missing.", "Add a table [design].")
    if "data" in raw:
        check_short(file, raw)
    else:
        _check_complete(file, raw)
    design = source.record("design", IndividualDesign, "within", "cluster", optional=False)
    assert design is not None
    plan = IndividualPlan(
        **{field.name: getattr(header, field.name) for field in dataclasses.fields(_Header)},
        design=design,
        arms=source.records("arms", Arm),
        blocks=source.records("blocks", Block, "note"),
        populations=source.by_id("populations", Population),
        scales=source.by_id("scales", Scale),
        questions=source.by_id("questions", Question),
        outcomes=source.by_id("outcomes", IndividualOutcome, "reference", "column", "missing"),
        terms=source.by_id("terms", PlannedTerm, "base"),
        analyses=source.records("analyses", IndividualAnalysis, "contrast", "note", "moderator"),
        power=source.by_id("power", StudyPower, "note"),
        facts=source.by_id("facts", Fact),
        periods=source.record("periods", ResponsePeriods),
        disclosure=source.disclosure(),
        clauses=source.cited(),
        words=words_of(source),
    )
    check_labels(file, arms=plan.arms, outcomes=plan.outcomes.values(), populations=plan.populations.values())
    if "data" in raw:
        plan = on_a_table(source, plan)
        words_of_items(file, raw.get(TABLE, {}), clustered=bool(plan.design.cluster))
    # A plan on a plain table is its trial's own protocol.
    source.check_citations(lambda section, entry: "data" not in raw and _must_cite(section, entry))
    # On a plain table the dictionary names the levels, or the data do.
    source.check_levels(term for term in plan.terms.values() if plan.data is None or term.levels)
    _check_arms(file, plan)
    _check_questions(file, plan)
    _check_scales(file, plan)
    _check_analyses(file, plan)
    check_runnable(file, plan)
    return plan


def _must_cite(section: str, entry: Mapping[str, Any]) -> bool:
    """Does an entry commit to something?"""
    commits = section in ("outcomes", "populations", "power", "analyses", "periods")
    return commits and entry.get("kind") != "exploratory"


def _check_complete(file: str, raw: Mapping[str, Any]) -> None:
    """Refuses what only a plan of a plain table may leave out, and tables that only such a plan has."""
    for key in _OF_TABLES:
        if key in raw:
            raise PlanError(
                file,
                key,
                "is for a trial on a plain table, and the plan has no [data].",
                "Add [data] with the file, or leave it out.",
            )
    if isinstance(raw["design"], Mapping) and "takeup" in raw["design"]:
        raise PlanError(file, "design", "has takeup, a column of a plain table.", "Leave it out: no list holds it.")
    for key in ("contrast", "conf_level"):
        if key not in raw:
            raise PlanError(file, "the header", f"lacks {key!r}.", "Add it.")
    kinds = {
        "design": IndividualDesign,
        "arms": Arm,
        "populations": Population,
        "outcomes": IndividualOutcome,
        "analyses": IndividualAnalysis,
    }
    check_complete(file, raw, kinds, _WITHOUT_TABLE)


def _check_arms(file: str, plan: IndividualPlan) -> None:
    if sorted(arm.code for arm in plan.arms) != list(range(len(plan.arms))):
        raise PlanError(file, "arms", "have codes other than 0, 1, ...", "Number them from the control, 0.")
    for name, parts in (("arms", plan.arms), ("blocks", plan.blocks)):
        sizes = [part.randomised for part in parts]
        known = [size for size in sizes if size is not None]
        if len(known) == len(sizes) and known and sum(known) != plan.design.randomised:
            raise PlanError(
                file, name, f"hold {sum(known)} people, the design {plan.design.randomised}.", "Make them agree."
            )


def _check_questions(file: str, plan: IndividualPlan) -> None:
    arms = [arm.id for arm in plan.arms]
    for question in plan.questions.values():
        place = f"questions {question.id}"
        refuse_unknown(file, place, "arm", question.arms, arms, "the plan's arms")
        refuse_unknown(file, place, "wave", question.waves, WAVES, "the surveys")


def _check_scales(file: str, plan: IndividualPlan) -> None:
    owner: dict[str, str] = {}
    for scale in plan.scales.values():
        place = f"scales {scale.id}"
        if not scale.items or not scale.low < scale.high or not scale.step > 0:
            raise PlanError(
                file, place, "needs items, a range and a step above zero.", "Mend items, low, high or step."
            )
        refuse_unknown(file, place, "reversed item", scale.reverse, scale.items, "its own items")
        for item in scale.items:
            if owner.setdefault(item, scale.id) != scale.id:
                raise PlanError(
                    file, place, f"claims the item {item!r}, which {owner[item]} has.", "Give it to one scale."
                )
    for outcome in plan.outcomes.values():
        place = f"outcomes {outcome.id}"
        refuse_unknown(file, place, "scale", outcome.scales, plan.scales, "the plan's scales")
        if outcome.combine == "scale" and len(outcome.scales) > 1:
            raise PlanError(file, place, "has several scales and no rule to combine them.", "Set combine.")
        if outcome.combine == "standardised_sum" and not outcome.reference:
            raise PlanError(file, place, "standardises on a sample that it does not name.", "Set reference.")
        if outcome.margin is not None and plan.data is None:
            raise PlanError(file, place, "has a margin, which trials on a plain table have.", "Leave it out.")
        if not (outcome.scales or outcome.column or outcome.missing):
            raise PlanError(
                file, place, "has neither scales nor a column.", "Say what measures it, or why nothing does."
            )


def _check_analyses(file: str, plan: IndividualPlan) -> None:
    check_names(file, plan)
    for analysis in plan.analyses:
        place = f"analyses {analysis.id}"
        refuse_unknown(file, place, "term", analysis.terms, plan.terms, "the plan's terms")
        if analysis.moderator:
            refuse_unknown(file, place, "moderator", [analysis.moderator], analysis.terms, "its own terms")
        check_estimator(file, place, "arms", estimator=analysis.estimator, covariance=analysis.covariance)
