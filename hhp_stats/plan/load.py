"""The plan of a trial on the returns of authorities: read strictly, and refused where it contradicts itself."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hhp_stats.errors import PlanError
from hhp_stats.files.kept_reading import kept_reading
from hhp_stats.plan.conditions import condition_of
from hhp_stats.plan.estimators import ESTIMATORS, check_df, check_estimator, names_of
from hhp_stats.plan.nearest import refuse_unknown
from hhp_stats.plan.plan_file import PlanFile
from hhp_stats.plan.records import Natural, Share
from hhp_stats.plan.returns_schema import (
    BaselineCriterion,
    Comparator,
    CostBenefit,
    CostScenario,
    Design,
    ImputationModel,
    ImputationSettings,
    Measures,
    MonteCarloLimits,
    PowerAssumption,
    ReturnsAnalysis,
    ReturnsOutcome,
    ReturnsPlan,
    Site,
    TippingSettings,
)
from hhp_stats.plan.schema import Fact, Population, check_complete, check_names
from hhp_stats.regression.model_matrix import Term

# Beside the keys of the plan's imputation models.
BASELINE_ABSENCE = frozenset({"zero_with_indicator", "mean", "mean_with_indicator", "complete_cases"})
MODELS = frozenset(
    {
        ("together", "together"),
        ("together", "apart"),
        ("together", "none"),
        ("apart", "apart"),
        ("from_baselines", "none"),
    }
)

_TABLES = (
    "sites",
    "populations",
    "outcomes",
    "terms",
    "measures",
    "imputation",
    "tipping",
    "cost_benefit",
    "power",
    "analyses",
    "facts",
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    study: str
    title: str
    chapter: str
    contrast: str
    conf_level: Share
    seed: Natural


# What such a plan has to say of each entry itself.
_KINDS: Mapping[str, Any] = {"populations": Population, "outcomes": ReturnsOutcome, "analyses": ReturnsAnalysis}
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "populations": ("rule",),
    "outcomes": ("role", "unit", "kind", "column"),
    "analyses": ("kind", "population", "estimator", "covariance", "df", "label"),
}


@kept_reading
def load_plan(root: Path, study: str) -> ReturnsPlan:
    """Read `data/plan/<study>.toml` under `root` and cross-check it.

    Raises PlanError, naming file and place, for what every plan is refused for (`plan_file.PlanFile`), a base level or
    site that is not in its list, an analysis of an unknown outcome, population, estimator or covariance, and an id
    that is used twice.
    """
    return trial_plan(PlanFile.open(root, study))


def trial_plan(source: PlanFile) -> ReturnsPlan:
    """The same from the tables of a plan."""
    header = source.header(_Header, tables=_TABLES)
    check_complete(source.file, source.raw, _KINDS, _NEEDED)
    measures = source.one("measures", Measures, source.table("measures"))
    rule = {"leavers": measures.leaver_rule, "leaver_floor": measures.leaver_floor_days}
    given = source.raw.get("analyses", [])
    analyses = [rule | entry if isinstance(entry, dict) else entry for entry in given] if given else given
    plan = ReturnsPlan(
        **{field.name: getattr(header, field.name) for field in dataclasses.fields(_Header)},
        design=_design(source),
        sites=source.records("sites", Site, optional=False),
        populations=source.named("populations", Population),
        outcomes=source.named("outcomes", ReturnsOutcome),
        terms=source.records("terms", Term),
        measures=measures,
        imputation=_imputation(source),
        tipping=source.one("tipping", TippingSettings, source.table("tipping")),
        facts=source.by_id("facts", Fact),
        disclosure=source.disclosure(),
        cost_benefit=_cost_benefit(source),
        power={
            key: source.one(f"power.{key}", PowerAssumption, entry) for key, entry in source.tables("power").items()
        },
        analyses=source.records("analyses", ReturnsAnalysis, tables={"analyses": analyses}, optional=False),
        clauses=source.cited(),
    )
    source.check_citations(_must_cite)
    source.check_levels(plan.terms)
    _check_names(source.file, plan)
    _check_answers(source.file, plan, source.root)
    return plan


def _without(table: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key not in keys}


def _design(source: PlanFile) -> Design:
    """What was randomised, with the rule of the draw and the waves, which have tables of their own in it."""
    design = source.table("design")
    own = {field.name for field in dataclasses.fields(Design)}
    parts = {key: value for key, value in design.items() if key.removesuffix("_clause") == key or key[:-7] not in own}
    for inner in ("randomisation", "follow_up"):
        parts |= _without(source.table(inner, design, named="design"), "clauses", "decision", "sources")
        del parts[inner]
    return source.one("design", Design, parts)


def _imputation(source: PlanFile) -> ImputationSettings:
    """The settings with the models, limits and criterion inside them."""
    table = source.table("imputation")
    models = {
        key: source.one(f"imputation.models.{key}", ImputationModel, entry, given={"key": key})
        for key, entry in source.tables("models", table, named="imputation").items()
    }
    inside = {
        name: source.one(f"imputation.{name}", kind, source.table(name, table, named="imputation"))
        for name, kind in (("monte_carlo", MonteCarloLimits), ("balance", BaselineCriterion))
    }
    own = _without(table, "models", *inside)
    return source.one("imputation", ImputationSettings, own, given={"models": models, **inside})


def _cost_benefit(source: PlanFile) -> CostBenefit:
    """What the ratio is made of, with its scenarios and the interventions that it is compared with."""
    table = source.table("cost_benefit")
    inside = {
        "scenarios": source.records("scenarios", CostScenario, tables=table, optional=False),
        "comparators": source.records("comparators", Comparator, tables=table),
    }
    return source.one("cost_benefit", CostBenefit, _without(table, *inside), given=inside)


def _must_cite(section: str, entry: Mapping[str, Any]) -> bool:
    """Does an entry commit to something?"""
    exploratory = "exploratory" in (entry.get("role"), entry.get("kind"))
    return section in ("outcomes", "populations", "power", "terms", "analyses") and not exploratory


def _check_answers(file: str, plan: ReturnsPlan, root: Path) -> None:
    """Are the answers that an outcome is made of among those of its question, by the dictionary, and not all of
    them?"""
    asked = [outcome for outcome in plan.outcomes.values() if outcome.question or outcome.answers]
    if not asked:
        return
    dictionary = root / "data/dictionary.csv"
    if not dictionary.is_file():
        return  # without it no data are read either: `intake.dictionary` refuses that
    with dictionary.open(encoding="utf-8", newline="") as stream:
        allowed = {row["field"]: row["allowed"].split("|") for row in csv.DictReader(stream) if row["file"] == "survey"}
    for outcome in asked:
        place = f"outcomes.{outcome.id}"
        answers = allowed.get(outcome.question, [])
        if not outcome.answers or not set(outcome.answers) < set(answers) or outcome.kind != "binary":
            named = ", ".join(outcome.answers) or "of no name"
            raise PlanError(
                file,
                place,
                f"is made of answers {named} to {outcome.question or 'no question'!r}.",
                "Name a question and some of its answers "
                f"({', '.join(filter(None, answers)) or 'see data/dictionary.csv'}), "
                "and make the kind binary.",
            )
        if not all(name.endswith(("_t1", "_t2")) for name in (outcome.column, outcome.baseline)):
            raise PlanError(file, place, "has columns that name no wave.", "End column and baseline in _t2 and _t1.")


def _check_names(file: str, plan: ReturnsPlan) -> None:
    for key, model in plan.imputation.models.items():
        place = f"imputation.models.{key}"
        if model.m < 3:
            raise PlanError(file, place, "makes fewer than three data sets.", "Monte Carlo errors need three at least.")
        if (model.baselines, model.outcomes) not in MODELS:
            raise PlanError(
                file,
                place,
                f"cannot impute baselines {model.baselines} with outcomes {model.outcomes}.",
                "Known pairs: " + "; ".join(", ".join(pair) for pair in sorted(MODELS)) + ".",
            )
    refuse_unknown(file, "tipping", "outcome", plan.tipping.outcomes, plan.outcomes, "the plan's outcomes")
    authorities = {site.local_authority for site in plan.sites}
    for term in plan.terms:
        if term.column == "local_authority" and set(term.levels) != authorities:
            raise PlanError(file, "terms.local_authority", "has levels that differ from the sites.", "Make them agree.")
    if set(plan.design.arms.values()) != {0, 1} or set(plan.design.arms) != set(plan.design.arm_labels):
        raise PlanError(
            file, "design.arms", "must map two arms to 0 and 1, each with a label.", "Mend arms and arm_labels."
        )
    arms = {code: arm for arm, code in plan.design.arms.items()}
    if plan.contrast != f"{arms[1]} minus {arms[0]}":
        raise PlanError(
            file,
            "contrast",
            f"is {plan.contrast!r}.",
            f"Write '{arms[1]} minus {arms[0]}': every estimate is of that sign.",
        )
    check_names(file, plan)
    for population in plan.populations.values():
        condition_of(file, f"populations.{population.id}", population.where or "treatment == 1")
    for analysis in plan.analyses:
        place = f"analyses {analysis.id}"
        check_estimator(file, place, "returns", estimator=analysis.estimator, covariance=analysis.covariance)
        check_df(file, place, "returns", estimator=analysis.estimator, covariance=analysis.covariance, df=analysis.df)
        if ESTIMATORS[analysis.estimator].probability and plan.outcomes[analysis.outcome].kind != "binary":
            raise PlanError(
                file,
                place,
                f"asks {analysis.estimator} of a {plan.outcomes[analysis.outcome].kind} outcome.",
                "Choose ols, or an outcome of kind binary.",
            )
        if (analysis.average != "people" or plan.outcomes[analysis.outcome].weight) and not ESTIMATORS[
            analysis.estimator
        ].weighs:
            raise PlanError(
                file,
                place,
                f"weighs people, which the estimator {analysis.estimator!r} cannot.",
                f"Use one of: {', '.join(sorted(names_of(lambda entry: entry.weighs)))}.",
            )
        if analysis.average != "people" and plan.outcomes[analysis.outcome].weight:
            raise PlanError(
                file,
                place,
                "weighs people in two ways: by its outcome, and teams alike.",
                "Average over people, or name an outcome without a weight.",
            )
        floor = analysis.leaver_floor
        if analysis.leavers != "pro_rata" and floor != plan.measures.leaver_floor_days:
            raise PlanError(
                file,
                place,
                f"has a leaver_floor, which the rule {analysis.leavers!r} does not need.",
                "Leave it out, or name the rule 'pro_rata'.",
            )
        if plan.outcomes[analysis.outcome].role == "exploratory" and analysis.kind != "exploratory":
            raise PlanError(
                file,
                place,
                f"is {analysis.kind}, of an outcome that is exploratory.",
                "Mark the analysis exploratory, or give the outcome a role and the clause that commits to it.",
            )
        if analysis.baseline_absence:
            rules = BASELINE_ABSENCE | plan.imputation.models.keys()
            what = "rule for missing baseline absence"
            refuse_unknown(file, place, what, [analysis.baseline_absence], rules, "those there are")
        if analysis.baseline and analysis.baseline_absence in plan.imputation.models:
            raise PlanError(
                file,
                place,
                f"imputes {analysis.baseline!r}, which the imputation models do not know.",
                "Name another rule for missing baselines.",
            )
        if analysis.missing_outcome == "multiple_imputation":
            imputing = plan.imputation.models.get(analysis.baseline_absence)
            if imputing is None or imputing.outcomes == "none":
                raise PlanError(
                    file,
                    place,
                    "imputes outcomes by a rule that imputes none.",
                    "Name an imputation model that imputes outcomes as baseline_absence.",
                )
        if analysis.imputations == 1:
            raise PlanError(
                file, place, "uses fewer than two completed data sets.", "Give two at least, or none for all."
            )
