"""Read a plan and refuse one that contradicts itself or cites a clause that does not exist."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from hhp_stats.errors import PlanError
from hhp_stats.plan.disclosure import disclosure_settings
from hhp_stats.plan.records import parsed
from hhp_stats.plan.schema import (
    BaselineCriterion,
    Comparator,
    CostBenefit,
    CostScenario,
    Design,
    ImputationModel,
    ImputationSettings,
    Measures,
    MonteCarloLimits,
    Outcome,
    Plan,
    PlannedAnalysis,
    Population,
    PowerAssumption,
    Site,
    TippingSettings,
)
from hhp_stats.regression.model_matrix import Term

Record = TypeVar("Record")
Table = Mapping[str, Any]

ESTIMATORS: Mapping[str, frozenset[str]] = {
    "ols": frozenset({"CR0", "CR1", "CR2", "CR3", "two-way", "HC2"}),
    "logit": frozenset({"CR1"}),
    "firth": frozenset({"design_effect"}),
    "heckman-two-step": frozenset({"corrected"}),
    "heckman-ml": frozenset({"CR1"}),
    "weighted": frozenset({"CR1"}),
    "lee-bounds": frozenset({"bootstrap"}),
    "worst-case-bounds": frozenset({"CR1"}),
    "wild-bootstrap": frozenset({"CR1"}),
    "randomisation": frozenset({"CR1"}),
    "iv": frozenset({"CR1"}),
}
# The degrees of freedom that each estimator has: `clusters` are G - 1, `clusters_less_two` G - 2 (means of two arms, as
# many
# parameters). Tests by resampling report those of the standard error beside them.
DF_RULES: Mapping[str, frozenset[str]] = {
    "ols": frozenset({"clusters", "satterthwaite", "residual", "normal"}),
    "logit": frozenset({"normal"}),
    "firth": frozenset({"clusters"}),
    "heckman-two-step": frozenset({"normal"}),
    "heckman-ml": frozenset({"normal"}),
    "weighted": frozenset({"clusters"}),
    "lee-bounds": frozenset({"clusters_less_two"}),
    "worst-case-bounds": frozenset({"clusters"}),
    "wild-bootstrap": frozenset({"clusters"}),
    "randomisation": frozenset({"clusters"}),
    "iv": frozenset({"clusters"}),
}
AVERAGES = frozenset({"people", "teams"})
WEIGHTED = frozenset({"ols"})  # estimators that can weigh people
# Beside the keys of the plan's imputation models.
BASELINE_ABSENCE = frozenset({"zero_with_indicator", "mean", "mean_with_indicator", "complete_cases"})
ARMS_OF_BASELINES = frozenset({"together", "apart", "from_baselines"})
ARMS_OF_OUTCOMES = frozenset({"together", "apart", "none"})
MODELS = frozenset(
    {
        ("together", "together"),
        ("together", "apart"),
        ("together", "none"),
        ("apart", "apart"),
        ("from_baselines", "none"),
    }
)
LEAVERS = frozenset({"pro_rata", "absent_after_leaving", "left_out"})
MISSING_OUTCOME = frozenset({"complete_cases", "multiple_imputation", "selection", "weights", "bounds"})
SUMMARIES = frozenset({"", "at_means", "average"})
KINDS = frozenset({"planned", "sensitivity", "exploratory"})


def known_clauses(root: Path) -> frozenset[str]:
    """Ids of all protocol clauses, from `data/published/protocol_clauses.csv`."""
    return _clause_ids((root / "data/published/protocol_clauses.csv").read_text(encoding="utf-8"))


@lru_cache(maxsize=8)
def _clause_ids(text: str) -> frozenset[str]:
    return frozenset(row["clause_id"] for row in csv.DictReader(io.StringIO(text, newline="")))


def load_plan(root: Path, study: str) -> Plan:
    """Read `data/plan/<study>.toml` under `root` and cross-check it.

    Raises PlanError, naming file and place, for an unknown or missing key, an unknown clause, a
    base level or site that is not in its list, an analysis of an unknown outcome, population,
    estimator or covariance, and an id that is used twice.
    """
    path = root / "data/plan" / f"{study}.toml"
    file = path.relative_to(root).as_posix()
    if not path.is_file():
        raise PlanError(file, "the file", "does not exist.", "Write the plan of the study there.")
    plan = _plan(path.read_text(encoding="utf-8"), file=file, known=known_clauses(root))
    _check_answers(file, plan, root)
    return plan


@lru_cache(maxsize=8)
def _plan(text: str, *, file: str, known: frozenset[str]) -> Plan:
    """The plan in a text, checked once: several parts of a chapter read the same one, and nobody edits it."""
    try:
        raw = parsed(text)
    except tomllib.TOMLDecodeError as error:
        raise PlanError(file, "the file", f"is not valid TOML: {error}.", "Mend the line named.") from None
    reader = _Reader(file)
    plan = reader.plan(raw)
    _check_clauses(file, raw, known)
    _check_names(file, plan)
    return plan


class _Reader:
    """Turns TOML tables into records; every complaint carries the file and the dotted place."""

    def __init__(self, file: str) -> None:
        self.file = file

    def record(self, kind: type[Record], place: str, table: Table, **given: Any) -> Record:
        """Fill one record; `clauses` and `decision` are citations that not every record keeps."""
        fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
        values = {**{key: _frozen(value) for key, value in table.items()}, **given}
        unknown = set(values) - set(fields) - {"clauses", "decision"}
        if unknown:
            raise PlanError(
                self.file,
                place,
                f"has an unknown key {sorted(unknown)[0]!r}.",
                f"Known keys: {', '.join(sorted(fields))}.",
            )
        required = {name for name, field in fields.items() if field.default is dataclasses.MISSING}
        for name in sorted(required - set(values)):
            raise PlanError(self.file, place, f"lacks {name!r}.", "Add it.")
        return kind(**{key: value for key, value in values.items() if key in fields})

    def table(self, raw: Table, key: str) -> Table:
        if not isinstance(raw.get(key), Mapping):
            raise PlanError(self.file, key, "is missing.", f"Add a table [{key}].")
        found: Table = raw[key]
        return found

    def imputation(self, raw: Table) -> ImputationSettings:
        """The settings with the models, limits and criterion inside them."""
        return self.record(
            ImputationSettings,
            "imputation",
            raw,
            models={
                key: self.record(ImputationModel, f"imputation.models.{key}", entry, key=key)
                for key, entry in self.table(raw, "models").items()
            },
            monte_carlo=self.record(MonteCarloLimits, "imputation.monte_carlo", self.table(raw, "monte_carlo")),
            balance=self.record(BaselineCriterion, "imputation.balance", self.table(raw, "balance")),
        )

    def plan(self, raw: Table) -> Plan:
        design = self.table(raw, "design")
        parts = {key: value for key, value in design.items() if not isinstance(value, Mapping) or key.startswith("arm")}
        parts = {key: value for key, value in parts.items() if key != "recruited_clause"}
        for inner in ("randomisation", "follow_up"):
            parts |= {k: v for k, v in self.table(design, inner).items() if k not in ("clauses", "decision")}
        measures = self.record(Measures, "measures", self.table(raw, "measures"))
        analyses = []
        for number, entry in enumerate(raw.get("analyses", ()), start=1):
            given = {
                "leavers": entry.get("leavers", measures.leaver_rule),
                "leaver_floor": entry.get("leaver_floor", measures.leaver_floor_days),
            }
            analyses.append(self.record(PlannedAnalysis, f"analyses[{number}]", entry, **given))
        terms = []
        for number, entry in enumerate(raw.get("terms", ()), start=1):
            terms.append(self.record(Term, f"terms[{number}]", entry))
        costs = self.table(raw, "cost_benefit")
        scenarios = tuple(
            self.record(CostScenario, f"cost_benefit.scenarios[{n}]", entry)
            for n, entry in enumerate(costs.get("scenarios", ()), start=1)
        )
        comparators = tuple(
            self.record(Comparator, f"cost_benefit.comparators[{n}]", entry)
            for n, entry in enumerate(costs.get("comparators", ()), start=1)
        )
        top = {key: raw[key] for key in ("study", "title", "chapter", "contrast", "conf_level", "seed") if key in raw}
        return self.record(
            Plan,
            "the file",
            top,
            design=self.record(Design, "design", parts),
            sites=tuple(
                self.record(Site, f"sites[{n}]", entry) for n, entry in enumerate(raw.get("sites", ()), start=1)
            ),
            populations={
                key: self.record(Population, f"populations.{key}", entry, key=key)
                for key, entry in self.table(raw, "populations").items()
            },
            outcomes={
                key: self.record(Outcome, f"outcomes.{key}", entry, key=key)
                for key, entry in self.table(raw, "outcomes").items()
            },
            terms=tuple(terms),
            measures=measures,
            imputation=self.imputation(self.table(raw, "imputation")),
            tipping=self.record(TippingSettings, "tipping", self.table(raw, "tipping")),
            disclosure=disclosure_settings(raw, file=self.file),
            cost_benefit=self.record(CostBenefit, "cost_benefit", costs, scenarios=scenarios, comparators=comparators),
            power={
                key: self.record(PowerAssumption, f"power.{key}", entry) for key, entry in raw.get("power", {}).items()
            },
            analyses=tuple(analyses),
            clauses=tuple(sorted({clause for _, clause in _citations(raw)})),
        )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _citations(raw: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every (place, clause id) the plan cites, wherever it stands."""
    if isinstance(raw, Mapping):
        for key, value in raw.items():
            here = f"{place}.{key}" if place else key
            if key == "clauses":
                yield from ((place or "the file", clause) for clause in value)
            elif key.endswith("_clause"):
                yield here, value
            else:
                yield from _citations(value, here)
    elif isinstance(raw, list):
        for number, value in enumerate(raw, start=1):
            yield from _citations(value, f"{place}[{number}]")


def _check_answers(file: str, plan: Plan, root: Path) -> None:
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
        place = f"outcomes.{outcome.key}"
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


def _check_clauses(file: str, raw: Table, known: frozenset[str]) -> None:
    for place, clause in _citations(raw):
        if clause not in known:
            raise PlanError(
                file,
                place,
                f"cites clause {clause!r}, which does not exist.",
                "Use an id of data/published/protocol_clauses.csv.",
            )
    for section in ("outcomes", "populations", "power"):
        for key, entry in raw.get(section, {}).items():
            if not entry.get("clauses") and entry.get("role") != "exploratory":
                raise PlanError(file, f"{section}.{key}", "cites no clause.", "Say which clause commits to it.")
    for section in ("terms", "analyses"):
        for number, entry in enumerate(raw.get(section, ()), start=1):
            exploratory = entry.get("kind") == "exploratory"
            if not entry.get("clauses") and not exploratory:
                raise PlanError(
                    file,
                    f"{section}[{number}]",
                    "cites no clause.",
                    "Say which clause commits to it, or mark it exploratory.",
                )


def _check_names(file: str, plan: Plan) -> None:
    def refuse(place: str, what: str, value: str, allowed: Any) -> None:
        if value not in allowed:
            raise PlanError(file, place, f"names an unknown {what} {value!r}.", f"Known: {', '.join(sorted(allowed))}.")

    for key, model in plan.imputation.models.items():
        place = f"imputation.models.{key}"
        refuse(place, "way with baselines", model.baselines, ARMS_OF_BASELINES)
        refuse(place, "way with outcomes", model.outcomes, ARMS_OF_OUTCOMES)
        if model.m < 3:
            raise PlanError(file, place, "makes fewer than three data sets.", "Monte Carlo errors need three at least.")
        if (model.baselines, model.outcomes) not in MODELS:
            raise PlanError(
                file,
                place,
                f"cannot impute baselines {model.baselines} with outcomes {model.outcomes}.",
                "Known pairs: " + "; ".join(", ".join(pair) for pair in sorted(MODELS)) + ".",
            )
    for key in plan.tipping.outcomes:
        refuse("tipping", "outcome", key, plan.outcomes)
    for term in plan.terms:
        if term.kind == "categorical" and (not term.levels or term.base not in term.levels):
            raise PlanError(
                file,
                f"terms.{term.column}",
                f"has base level {term.base!r} outside its levels.",
                "Name the base among the levels.",
            )
    authorities = {site.local_authority for site in plan.sites}
    for term in plan.terms:
        if term.column == "local_authority" and set(term.levels) != authorities:
            raise PlanError(file, "terms.local_authority", "has levels that differ from the sites.", "Make them agree.")
    if set(plan.design.arms.values()) != {0, 1} or set(plan.design.arms) != set(plan.design.arm_labels):
        raise PlanError(
            file, "design.arms", "must map two arms to 0 and 1, each with a label.", "Mend arms and arm_labels."
        )
    seen: set[str] = set()
    for analysis in plan.analyses:
        place = f"analyses {analysis.id}"
        if analysis.id in seen:
            raise PlanError(file, place, "stands twice.", "Give every analysis its own id.")
        seen.add(analysis.id)
        if analysis.id.count("/") != 2:
            raise PlanError(file, place, "must have the form outcome/estimand/method.", "Rename it.")
        refuse(place, "outcome", analysis.outcome, plan.outcomes)
        refuse(place, "population", analysis.population, plan.populations)
        refuse(place, "estimator", analysis.estimator, ESTIMATORS)
        refuse(place, "covariance", analysis.covariance, ESTIMATORS[analysis.estimator])
        refuse(place, f"df rule of {analysis.estimator}", analysis.df, DF_RULES[analysis.estimator])
        refuse(place, "average", analysis.average, AVERAGES)
        if (
            analysis.average != "people" or plan.outcomes[analysis.outcome].weight
        ) and analysis.estimator not in WEIGHTED:
            raise PlanError(
                file,
                place,
                f"weighs people, which the estimator {analysis.estimator!r} cannot.",
                f"Use one of: {', '.join(sorted(WEIGHTED))}.",
            )
        if analysis.average != "people" and plan.outcomes[analysis.outcome].weight:
            raise PlanError(
                file,
                place,
                "weighs people in two ways: by its outcome, and teams alike.",
                "Average over people, or name an outcome without a weight.",
            )
        floor = analysis.leaver_floor
        if isinstance(floor, bool) or not isinstance(floor, int | float) or not 0 <= floor < math.inf:
            raise PlanError(file, place, f"has the leaver_floor {floor!r}.", "Give working days, 0 for no floor.")
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
        refuse(place, "kind", analysis.kind, KINDS)
        refuse(place, "rule for leavers", analysis.leavers, LEAVERS)
        refuse(place, "rule for missing outcomes", analysis.missing_outcome, MISSING_OUTCOME)
        refuse(place, "summary", analysis.summary, SUMMARIES)
        if analysis.baseline_absence:
            rules = BASELINE_ABSENCE | plan.imputation.models.keys()
            refuse(place, "rule for missing baseline absence", analysis.baseline_absence, rules)
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
        if analysis.imputations < 0 or analysis.imputations == 1:
            raise PlanError(
                file, place, "uses fewer than two completed data sets.", "Give two at least, or none for all."
            )
