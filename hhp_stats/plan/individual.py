"""Plans of the studies without teams: individually randomised trials, experiments and pilots.

`load_individual_plan` reads `data/plan/<study>.toml`: a header, `[design]`, and lists of arms, blocks,
populations, scales, outcomes, terms, analyses, power assumptions and facts. A pilot may lack all lists but `facts`.
A trial whose data are one plain table has `[data]`, a dictionary and, in place of most lists, `[model]`
(`plan.table_plan`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hhp_stats.errors import PlanError
from hhp_stats.plan.catalogue import HEADER
from hhp_stats.plan.conflicts import CONFLICTS, PLACE, load_conflicts, load_sources
from hhp_stats.plan.disclosure import disclosure_settings
from hhp_stats.plan.individual_schema import (
    Arm,
    Block,
    Fact,
    IndividualDesign,
    IndividualPlan,
    PlannedTerm,
    Question,
    ResponsePeriods,
    Scale,
    StudyAnalysis,
    StudyOutcome,
    StudyPopulation,
    StudyPower,
)
from hhp_stats.plan.load import known_clauses
from hhp_stats.plan.nearest import meant
from hhp_stats.plan.records import allowed_in, read_plan_file, read_records, record_of
from hhp_stats.plan.runnable import ESTIMATORS, check_runnable
from hhp_stats.plan.table_reader import check_short, on_a_table
from hhp_stats.plan.table_schema import Words

__all__ = [
    "Arm",
    "Block",
    "Fact",
    "IndividualDesign",
    "IndividualPlan",
    "PlannedTerm",
    "Question",
    "ResponsePeriods",
    "Scale",
    "StudyAnalysis",
    "StudyOutcome",
    "StudyPopulation",
    "StudyPower",
    "load_individual_plan",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    study: str
    title: str
    chapter: str
    seed: int
    contrast: str = ""
    conf_level: float = 0.95


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
        "design",
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
        "thresholds",
        "disclosure",
        "words",
        *_OF_TABLES,
    }
)


def load_individual_plan(root: Path, study: str) -> IndividualPlan:
    """What was to be done in this study? Reads `data/plan/<study>.toml` under `root` and cross-checks it.

    Raises PlanError, naming file and place, for what the strict reader refuses (unknown or missing keys,
    values of another type, ids used twice), clauses, conflicts, sources, scales, populations or terms that do
    not exist, arms whose codes are not 0, 1, ..., items outside their scale or in two scales, base levels
    outside their levels, entries that commit to something without citing a clause, and what the analyses cannot run
    (`runnable.check_runnable`).
    """
    file = f"data/plan/{study}.toml"
    raw = read_plan_file(root, file)
    _check_keys(file, raw)
    header = record_of(
        {k: v for k, v in raw.items() if k not in _LISTS | HEADER},
        file=file,
        place="the header",
        kind=_Header,
        may_be_empty=frozenset({"contrast"}),
    )
    if not isinstance(raw.get("design"), Mapping):
        raise PlanError(file, "design", "is missing.", "Add a table [design].")
    if "data" in raw:
        check_short(file, raw)
    else:
        _check_complete(file, raw)

    def single(key: str, kind: Any, *blank: str) -> Any:
        return (
            record_of(raw[key], file=file, place=key, kind=kind, may_be_empty=frozenset(blank)) if key in raw else None
        )

    def several(key: str, kind: Any, *blank: str) -> Any:
        return read_records(root, file=file, key=key, kind=kind, may_be_empty=frozenset(blank), optional=True)

    def by_id(key: str, kind: Any, *blank: str) -> Any:
        return {getattr(record, dataclasses.fields(kind)[0].name): record for record in several(key, kind, *blank)}

    plan = IndividualPlan(
        **{field.name: getattr(header, field.name) for field in dataclasses.fields(_Header)},
        design=single("design", IndividualDesign, "within", "cluster"),
        arms=several("arms", Arm),
        blocks=several("blocks", Block, "note"),
        populations=by_id("populations", StudyPopulation),
        scales=by_id("scales", Scale),
        questions=by_id("questions", Question),
        outcomes=by_id("outcomes", StudyOutcome, "reference", "column", "missing"),
        terms=by_id("terms", PlannedTerm, "base"),
        analyses=several("analyses", StudyAnalysis, "contrast", "note", "moderator"),
        power=by_id("power", StudyPower, "note"),
        facts=by_id("facts", Fact),
        periods=single("periods", ResponsePeriods),
        disclosure=disclosure_settings(raw, file=file),
        clauses=tuple(sorted(_citations(raw))),
        words=_words(file, single("words", Words)),
    )
    if "data" in raw:
        plan = on_a_table(root, file, plan, raw)
    if plan.study != study:
        raise PlanError(file, "study", f"is {plan.study!r}.", f"Write {study!r}, the name of the file.")
    _check_citations(root, file, raw)
    _check_arms(file, plan)
    _check_questions(file, plan)
    _check_scales(file, plan)
    _check_analyses(file, plan)
    check_runnable(file, plan)
    return plan


def _check_keys(file: str, raw: Mapping[str, Any]) -> None:
    """Refuses keys and tables that no plan has, with the nearest that one may have."""
    known = [*(field.name for field in dataclasses.fields(_Header)), *sorted(_LISTS | HEADER)]
    for name in raw:
        if name not in known:
            raise PlanError(
                file,
                "the header",
                f"has an unknown key {name!r}.",
                f"{meant(name, known)}Known keys: {', '.join(known)}.",
            )


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
    for key in ("contrast", "conf_level"):
        if key not in raw:
            raise PlanError(file, "the header", f"lacks {key!r}.", "Add it.")
    kinds: Mapping[str, Any] = {
        "design": IndividualDesign,
        "arms": Arm,
        "populations": StudyPopulation,
        "outcomes": StudyOutcome,
        "analyses": StudyAnalysis,
    }
    for key, needed in _WITHOUT_TABLE.items():
        part = raw.get(key, [])
        for entry in [part] if isinstance(part, Mapping) else part:
            for name in needed:
                if isinstance(entry, Mapping) and name not in entry:
                    place = f"{key} {entry.get('id', '')}".strip()
                    raise PlanError(file, place, f"lacks {name!r}.", f"Add it: {allowed_in(kinds[key], name)}.")


def _words(file: str, words: Words | None) -> Words:
    """What people and clusters are called; refuses a word without its plural."""
    for key, pair in (("person", (words or Words()).person), ("cluster", (words or Words()).cluster)):
        if len(pair) != 2:
            raise PlanError(
                file, "words", f"has {list(pair)} under {key!r}.", 'Write singular and plural: ["pupil", "pupils"].'
            )
    return words or Words()


def _entries(raw: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    for key in sorted(_LISTS):
        part = raw.get(key, [])
        for entry in [part] if isinstance(part, Mapping) else part:
            if not isinstance(entry, Mapping):
                continue  # the strict reader says so
            yield f"{key} {entry.get('id', entry.get('column', ''))}".strip(), entry


def _citations(raw: Mapping[str, Any]) -> set[str]:
    return {clause for _, entry in _entries(raw) for clause in entry.get("clauses", ())}


def _check_citations(root: Path, file: str, raw: Mapping[str, Any]) -> None:
    clauses = known_clauses(root)
    conflicts = {conflict.id for conflict in load_conflicts(root)}
    lengths = {document.code: document.lines for document in load_sources(root)}
    for place, entry in _entries(raw):
        _known(file, place, "clause", entry.get("clauses", ()), clauses, "data/published/protocol_clauses.csv")
        _known(file, place, "conflict", entry.get("decision", ()), conflicts, CONFLICTS)
        for code in entry.get("sources", ()):
            match = PLACE.fullmatch(code)
            if match is None or int(match[2]) > lengths.get(match[1], 0):
                raise PlanError(file, place, f"has the source {code!r}.", "Give document and line, as in 001:302.")
        commits = place.split()[0] in ("outcomes", "populations", "power", "analyses", "periods")
        # A plan on a plain table is its trial's own protocol.
        grounded = entry.get("clauses") or entry.get("sources") or "data" in raw
        if commits and not grounded and entry.get("kind") != "exploratory":
            raise PlanError(
                file,
                place,
                "cites no clause.",
                "Say which clause, or where no protocol is public which place, commits to it, or mark it exploratory.",
            )


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
    for question in plan.questions.values():
        _known(file, f"questions {question.id}", "arm", question.arms, [arm.id for arm in plan.arms], "the plan's arms")


def _check_scales(file: str, plan: IndividualPlan) -> None:
    owner: dict[str, str] = {}
    for scale in plan.scales.values():
        place = f"scales {scale.id}"
        if not scale.items or not scale.low < scale.high or not scale.step > 0:
            raise PlanError(
                file, place, "needs items, a range and a step above zero.", "Mend items, low, high or step."
            )
        _known(file, place, "reversed item", scale.reverse, scale.items, "its own items")
        for item in scale.items:
            if owner.setdefault(item, scale.id) != scale.id:
                raise PlanError(
                    file, place, f"claims the item {item!r}, which {owner[item]} has.", "Give it to one scale."
                )
    for outcome in plan.outcomes.values():
        place = f"outcomes {outcome.id}"
        _known(file, place, "scale", outcome.scales, plan.scales, "the plan's scales")
        if outcome.combine == "scale" and len(outcome.scales) > 1:
            raise PlanError(file, place, "has several scales and no rule to combine them.", "Set combine.")
        if outcome.combine == "standardised_sum" and not outcome.reference:
            raise PlanError(file, place, "standardises on a sample that it does not name.", "Set reference.")
        if not (outcome.scales or outcome.column or outcome.missing):
            raise PlanError(
                file, place, "has neither scales nor a column.", "Say what measures it, or why nothing does."
            )


def _check_analyses(file: str, plan: IndividualPlan) -> None:
    for term in plan.terms.values():
        if term.kind == "categorical" and not (plan.data and not term.levels) and term.base not in term.levels:
            raise PlanError(
                file,
                f"terms {term.column}",
                f"has base level {term.base!r} outside its levels.",
                "Name the base among the levels.",
            )
    for analysis in plan.analyses:
        place = f"analyses {analysis.id}"
        if analysis.id.count("/") != 2:
            raise PlanError(file, place, "must have the form outcome/estimand/method.", "Rename it.")
        _known(file, place, "outcome", [analysis.outcome], plan.outcomes, "the plan's outcomes")
        _known(file, place, "population", [analysis.population], plan.populations, "the plan's populations")
        _known(file, place, "term", analysis.terms, plan.terms, "the plan's terms")
        if analysis.moderator:
            _known(file, place, "moderator", [analysis.moderator], analysis.terms, "its own terms")
        _known(file, place, "estimator", [analysis.estimator], ESTIMATORS, "those the studies know")
        _known(
            file, place, "covariance", [analysis.covariance], ESTIMATORS[analysis.estimator], "those of the estimator"
        )


def _known(file: str, place: str, what: str, given: Iterable[str], known: Collection[str], where: str) -> None:
    for name in given:
        if name not in known:
            raise PlanError(
                file,
                place,
                f"names {what} {name!r}, which does not exist.",
                f"{meant(name, known)}Use one of {where}: {', '.join(sorted(known)[:12])}.",
            )
