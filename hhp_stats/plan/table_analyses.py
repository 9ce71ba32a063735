"""Which analyses follow from `[model]` of a plan on a plain table: the planned one of every outcome, and those beside
it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from hhp_stats.errors import PlanError
from hhp_stats.plan.estimators import ESTIMATORS, names_of, offered_to
from hhp_stats.plan.individual_schema import Arm, IndividualAnalysis, IndividualDesign, IndividualOutcome, PlannedTerm
from hhp_stats.plan.nearest import meant, refuse_unknown
from hhp_stats.plan.table_plan import BASELINE, BASELINE_MISSING, RANDOMISED, RESPONSE, contrast_by_result
from hhp_stats.plan.table_schema import ModelDefaults, Words


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beside:
    """One word of `beside`: its estimator, the method of its id, its label, its terms, and for what it is."""

    estimator: str
    method: str
    label: str
    terms: Literal["none", "strata", "planned"] = "none"
    binary: bool = False  # for outcomes of zeros and ones alone
    clusters: bool | None = None  # True: for trials of clusters alone, False: of people alone


STANDARDISED = "hedges-g"  # beside every planned analysis, named or not
BESIDE: Mapping[str, _Beside] = {
    "unadjusted": _Beside(estimator="ols", method="unadjusted", label="Without covariates"),
    "strata": _Beside(estimator="ols", method="strata", label="Adjusted for the strata alone", terms="strata"),
    "welch": _Beside(estimator="welch", method="welch", label="Welch's test from the arms", clusters=False),
    "hedges-g": _Beside(estimator="hedges-g", method="hedges-g", label="In standard deviations"),
    "lee-bounds": _Beside(
        estimator="lee-bounds", method="lee", label="Bounds for those whose outcome would be known in either arm"
    ),
    "worst-case-bounds": _Beside(
        estimator="worst-case-bounds", method="worst-case", label="Bounds whatever the missing outcomes are"
    ),
    "wild-bootstrap": _Beside(
        estimator="wild-bootstrap",
        method="wild-bootstrap",
        label="Wild cluster bootstrap",
        terms="planned",
        clusters=True,
    ),
    "randomisation": _Beside(
        estimator="randomisation", method="randomisation", label="Randomisation test", terms="planned"
    ),
    "cluster-means": _Beside(
        estimator="cluster-means", method="cluster-means", label="Means of the {clusters}", clusters=True
    ),
    "logit": _Beside(
        estimator="logit",
        method="logit",
        label="Logistic regression, change of the probability",
        terms="planned",
        binary=True,
    ),
    "firth": _Beside(
        estimator="firth",
        method="firth",
        label="Firth's logistic regression, change of the probability",
        terms="planned",
        binary=True,
    ),
    "imputation": _Beside(
        estimator="imputation", method="imputation", label="Missing outcomes imputed", terms="planned"
    ),
    "heckman": _Beside(
        estimator="heckman", method="heckman", label="Selection model of missing outcomes", terms="planned"
    ),
    "heckman-two-step": _Beside(
        estimator="heckman-two-step",
        method="heckman-two-step",
        label="Selection model of missing outcomes, in two steps",
        terms="planned",
    ),
    "weighted": _Beside(
        estimator="weighted",
        method="weighted",
        label="Weighted by the inverse of the chance that the outcome is known",
        terms="planned",
    ),
}


def defaults_of(estimator: str, *, clustered: bool) -> tuple[str, str]:
    """Covariance and degrees of freedom of an estimator where the plan names none; ("", "") of an unknown one."""
    usual = ESTIMATORS[estimator].usual if estimator in ESTIMATORS else None
    return usual[clustered] if usual else ("", "")


def _settled(estimator: str, covariance: str, df: str, *, clustered: bool) -> tuple[str, str]:
    """Covariance and degrees of freedom, the plan's where it names them."""
    own, usual = defaults_of(estimator, clustered=clustered)
    given = covariance or own
    if not df:
        df = (
            usual
            if given == own
            else "satterthwaite"
            if given in ("CR2", "CR3")
            else "clusters"
            if given[:2] == "CR"
            else "residual"
        )
    return given, df


def settled_model(
    file: str,
    model: ModelDefaults,
    *,
    design: IndividualDesign,
    outcomes: Mapping[str, IndividualOutcome],
    terms: Mapping[str, PlannedTerm],
) -> ModelDefaults:
    """The model with all that the design implies; refuses terms that are no covariate and words of `beside` that do
    not apply.
    """
    clustered = bool(design.cluster)
    refuse_unknown(file, "model", "estimator", [model.estimator], offered_to("arms"), "those the studies know")
    for name in model.terms:
        if name not in terms:
            raise PlanError(
                file,
                "model",
                f"has the term {name!r}, which is no covariate of the dictionary.",
                f"{meant(name, terms)}Use one of: {', '.join(sorted(terms))}.",
            )
    if BASELINE in model.terms and not any(outcome.baseline for outcome in outcomes.values()):
        raise PlanError(
            file,
            "model",
            "has the term 'baseline', but no outcome has a baseline.",
            "Give outcomes a baseline column or a wave called baseline, or leave the term out.",
        )
    beside = model.beside
    if beside is None:
        beside = (*(("unadjusted",) if model.terms else ()), STANDARDISED, "cluster-means" if clustered else "welch")
    if STANDARDISED not in beside:  # which figures and the pages about all studies show
        beside = (*beside, STANDARDISED)
    binary = any(outcome.kind == "binary" and outcome.id != RESPONSE for outcome in outcomes.values())
    for word in beside:
        place = f"model beside {word}"
        if word not in BESIDE:
            raise PlanError(
                file, place, "is no analysis that is known.", f"{meant(word, BESIDE)}Known: {', '.join(BESIDE)}."
            )
        entry = BESIDE[word]
        if entry.clusters is not None and entry.clusters != clustered:
            whom = "clusters" if entry.clusters else "people drawn one by one"
            raise PlanError(file, place, f"is for trials of {whom}.", "Leave it out.")
        if entry.binary and not binary:
            raise PlanError(file, place, "is for outcomes of kind binary, and there is none.", "Leave it out.")
        if entry.terms == "strata" and not (design.strata or design.within):
            raise PlanError(file, place, "adjusts for strata, and the design names none.", "Leave it out.")
        endless = [outcome.id for outcome in outcomes.values() if not outcome.range]
        if word == "worst-case-bounds" and endless:
            raise PlanError(
                file,
                place,
                f"needs the ends of the scale of {', '.join(endless)}.",
                "Give an outcome its range = [lowest, highest], or leave the word out.",
            )
    covariance, df = _settled(model.estimator, model.covariance, model.df, clustered=clustered)
    return ModelDefaults(
        estimator=model.estimator,
        terms=model.terms,
        covariance=covariance,
        df=df,
        beside=beside,
        imputations=model.imputations,
        iterations=model.iterations,
        auxiliary=model.auxiliary,
    )


def analyses_of(
    *,
    model: ModelDefaults,
    design: IndividualDesign,
    outcomes: Mapping[str, IndividualOutcome],
    arms: Sequence[Arm],
    given: Sequence[IndividualAnalysis],
    words: Words,
) -> tuple[IndividualAnalysis, ...]:
    """The planned analysis of every outcome and those beside it, each arm against the control.

    Entries of the plan (`given`) replace those of their id and come after the others.
    """
    found: dict[str, IndividualAnalysis] = {}
    for outcome in outcomes.values():
        if outcome.id != RESPONSE:
            for arm in arms[1:]:
                for method, analysis in _of_outcome(outcome, model=model, design=design, words=words):
                    key = f"{outcome.id}/{estimand('itt', arm, arms)}/{method}"
                    found[key] = replace(analysis, id=key, contrast=_contrast(arm, arms))
    covariance, df = defaults_of("ols", clustered=bool(design.cluster))
    for arm in arms[1:]:
        key = f"{RESPONSE}/{estimand('arm_difference', arm, arms)}/{covariance.lower()}"
        found[key] = _analysis(
            id=key,
            kind="exploratory",
            covariance=covariance,
            df=df,
            contrast=_contrast(arm, arms),
            label="Primary outcome known, by arm",
        )
    return tuple((found | {entry.id: entry for entry in given}).values())


def _analysis(**given: Any) -> IndividualAnalysis:
    return IndividualAnalysis(**{"population": RANDOMISED, **given})


def _of_outcome(
    outcome: IndividualOutcome, *, model: ModelDefaults, design: IndividualDesign, words: Words
) -> list[tuple[str, IndividualAnalysis]]:
    """Methods and analyses of one outcome for one pair of arms, the planned one first."""
    clustered, strata = bool(design.cluster), (design.within,) if design.within else design.strata
    terms = tuple(term for term in model.terms if term not in (BASELINE, BASELINE_MISSING) or outcome.baseline)
    planned = _analysis(
        id="",
        kind="planned",
        estimator=model.estimator,
        covariance=model.covariance,
        df=model.df,
        label="Planned analysis",
        terms=terms,
    )
    rows = [(model.covariance.lower() if model.estimator == "ols" else model.estimator, planned)]
    for word in model.beside or ():
        entry = BESIDE[word]
        own = {"none": (), "strata": strata, "planned": terms}[entry.terms]
        is_planned = entry.estimator == model.estimator and own == terms
        if is_planned or (entry.binary and outcome.kind != "binary"):
            continue
        estimator = "hedges-g-clustered" if word == "hedges-g" and clustered else entry.estimator
        covariance, df = defaults_of(estimator, clustered=clustered)
        if {estimator, model.estimator} <= names_of(lambda each: each.least_squares):
            covariance, df = model.covariance, model.df
        method = f"{covariance.lower()}-{entry.method}" if estimator == "ols" else entry.method
        rows.append(
            (
                method,
                _analysis(
                    id="",
                    kind="sensitivity",
                    estimator=estimator,
                    covariance=covariance,
                    df=df,
                    terms=own,
                    label=entry.label.format(clusters=words.cluster[1]),
                ),
            )
        )
    return rows


def estimand(name: str, arm: Arm, arms: Sequence[Arm]) -> str:
    """The estimand of an arm against the control: its own name of two arms, with the arm's id of more."""
    return name if len(arms) == 2 else f"{name}_{arm.id}"


def _contrast(arm: Arm, arms: Sequence[Arm]) -> str:
    return f"{arm.id} minus {arms[0].id}" if len(arms) > 2 else ""


def filled_in(entry: IndividualAnalysis, design: IndividualDesign, ids: Mapping[str, str]) -> IndividualAnalysis:
    """An analysis that the plan writes out, with the defaults of its design and its contrast by the arms of results."""
    covariance, df = _settled(entry.estimator, entry.covariance, entry.df, clustered=bool(design.cluster))
    return replace(
        entry,
        population=entry.population or RANDOMISED,
        covariance=covariance,
        df=df,  # type: ignore[arg-type]
        label=entry.label or entry.id,
        contrast=contrast_by_result(entry.contrast, ids),
    )
