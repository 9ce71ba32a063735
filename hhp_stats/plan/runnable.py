"""What the field trials' analyses can run: a plan that asks for anything else is refused when it is read.

A plan that reads well and cannot be run would fail in the middle of an analysis, or leave rows out without a word.
"""

from __future__ import annotations

import re
from collections import Counter

from hhp_stats.errors import PlanError
from hhp_stats.plan.estimators import ESTIMATORS, check_df
from hhp_stats.plan.individual_schema import IndividualAnalysis, IndividualPlan
from hhp_stats.plan.runnable_table import COLUMNS, check_condition, check_contrast, check_table, check_terms, check_whom
from hhp_stats.plan.table_plan import NOT_KNOWN

ARMS = ("control", "treatment")  # by code
CONTRAST = "treatment minus control"
WAVES = ("baseline", "endline")
ACHIEVED = "achieved"  # the power entry whose number of people comes from the data


def check_runnable(file: str, plan: IndividualPlan) -> None:
    """Can every entry of a trial's plan be run as it stands?

    Refuses (PlanError, naming file, entry and what is allowed) arms other than a control and a treatment, another
    contrast, scales of one survey, outcomes named like a column, populations nobody can select, estimators that need
    clusters where there are none, planned analyses that ignore the clusters, terms and moderators that an estimator
    leaves aside, and power entries without a number of people.
    """
    if plan.data is None:
        _check_arms(file, plan)
        _check_outcomes(file, plan)
        _check_terms(file, plan)
    else:
        check_table(file, plan)
    _check_primary(file, plan)
    for population in plan.populations.values():
        check_condition(file, plan, population)
    for analysis in plan.analyses:
        _check_analysis(file, plan, analysis)
    _check_planned(file, plan)
    if plan.periods is not None and plan.design.cluster:
        raise PlanError(
            file,
            "periods",
            "asks for effects by time of response, which take people as drawn one by one.",
            "Leave the table [periods] out where clusters were drawn.",
        )
    for entry in plan.power.values():
        place, sized = f"power {entry.id}", entry.analysed is not None or entry.response is not None
        if not sized and entry.id != ACHIEVED:
            raise PlanError(
                file,
                place,
                "says neither how many are analysed nor which share answers.",
                f"Add analysed or response; only the entry {ACHIEVED!r} takes the number from the data.",
            )
        if sized and entry.id == ACHIEVED:
            raise PlanError(file, place, "gives a number of people, which the data give.", "Call it planned.")


def _check_arms(file: str, plan: IndividualPlan) -> None:
    named = {arm.id: arm.code for arm in plan.arms}
    if named != {name: code for code, name in enumerate(ARMS)} or len(plan.arms) != len(ARMS):
        found = ", ".join(f"{arm.id!r} ({arm.code})" for arm in plan.arms) or "none"
        raise PlanError(
            file,
            "arms",
            f"are {found}; the analyses compare two.",
            "Give two, ids 'control' (code 0) and 'treatment' (code 1); `label` holds what is printed.",
        )
    if plan.contrast != CONTRAST:
        raise PlanError(
            file, "contrast", f"is {plan.contrast!r}.", f"Write {CONTRAST!r}: every estimate is of that sign."
        )


def _check_outcomes(file: str, plan: IndividualPlan) -> None:
    for scale in plan.scales.values():
        if sorted(scale.waves) != sorted(WAVES):
            raise PlanError(
                file,
                f"scales {scale.id}",
                f"is asked at {', '.join(scale.waves) or 'no survey'}.",
                f"Scores are made of both surveys: waves = {list(WAVES)}.",
            )
    items = {item: f"an item of {scale.id}" for scale in plan.scales.values() for item in scale.items}
    questions = dict.fromkeys(plan.questions, "a question")
    listed = {term.column: "a covariate" for term in plan.terms.values()}
    drawn = {name: "a column of the design" for name in (plan.design.within, plan.design.cluster) if name}
    taken = dict.fromkeys(COLUMNS, "a column of the analysis") | listed | drawn | questions | items
    for outcome in plan.outcomes.values():
        if outcome.id in taken:
            raise PlanError(
                file,
                f"outcomes {outcome.id}",
                f"has the name of {taken[outcome.id]}.",
                "Call it otherwise: both are columns of one table.",
            )
        if not re.fullmatch(r"[a-z][a-z0-9_]*", outcome.id):
            raise PlanError(
                file, f"outcomes {outcome.id}", "is no name for a result.", "Use small letters, digits and underscores."
            )


def _check_primary(file: str, plan: IndividualPlan) -> None:
    primary = [outcome.id for outcome in plan.outcomes.values() if outcome.role == "primary"]
    if len(primary) != 1:
        raise PlanError(
            file, "outcomes", f"have {len(primary)} of role primary.", "Plan one: response is measured by it."
        )
    if plan.outcomes[primary[0]] not in plan.measured:
        raise PlanError(
            file,
            f"outcomes {primary[0]}",
            "is primary, but no scale measures it.",
            "Name its scales: whoever answered them has responded.",
        )


def _check_analysis(file: str, plan: IndividualPlan, analysis: IndividualAnalysis) -> None:
    place, cluster, estimator = f"analyses {analysis.id}", plan.design.cluster, ESTIMATORS[analysis.estimator]
    if not cluster and (estimator.clusters or analysis.covariance.startswith("CR")):
        raise PlanError(
            file,
            place,
            "needs clusters, and the design names none.",
            "Name their column in design.cluster, or choose an estimator for people drawn one by one.",
        )
    if analysis.terms and not estimator.terms:
        raise PlanError(
            file,
            place,
            f"names terms, which {analysis.estimator} does not take.",
            "Leave terms out; an effect size has those of the planned analysis of its outcome.",
        )
    if analysis.moderator and analysis.estimator != "ols":
        raise PlanError(
            file,
            place,
            f"has a moderator, which {analysis.estimator} does not take.",
            "Leave it out, or set estimator = 'ols'.",
        )
    if plan.data is not None:
        check_contrast(file, plan, analysis)
        check_terms(file, plan, analysis)
        check_whom(file, plan, analysis)
    elif analysis.contrast and not analysis.moderator:
        raise PlanError(
            file,
            place,
            f"has the contrast {analysis.contrast!r} without a moderator.",
            f"Leave it out: the contrast is {CONTRAST!r}.",
        )
    if "baseline_missing" in analysis.terms and "baseline" not in analysis.terms:
        raise PlanError(file, place, "has the indicator baseline_missing without baseline.", "Add the term 'baseline'.")
    outcome = plan.outcomes[analysis.outcome]
    if "baseline" in analysis.terms and not (outcome.scales or outcome.baseline):
        raise PlanError(
            file,
            place,
            "adjusts for a baseline that nobody measured.",
            "Leave the term 'baseline' out, or give the outcome one.",
        )
    if estimator.probability and outcome.kind != "binary":
        raise PlanError(
            file,
            place,
            f"asks {analysis.estimator} of a {outcome.kind} outcome.",
            "Choose ols, or an outcome of kind binary.",
        )
    if analysis.estimator == "worst-case-bounds" and not outcome.range:
        raise PlanError(
            file, place, "needs the ends of the outcome's scale.", "Give the outcome range = [lowest, highest]."
        )
    if estimator.takeup and not plan.design.takeup:
        raise PlanError(
            file,
            place,
            "needs to know who took up the offer.",
            'Name the column of zeros and ones under [design]: takeup = "column".',
        )
    check_df(
        file,
        place,
        "arms",
        estimator=analysis.estimator,
        covariance=analysis.covariance,
        df=analysis.df,
    )
    two = [level for level in plan.terms[analysis.moderator].levels if level != NOT_KNOWN] if analysis.moderator else []
    if analysis.moderator and len(two) != len(ARMS):
        raise PlanError(
            file,
            place,
            f"has the moderator {analysis.moderator!r} of other than two levels.",
            "Choose a categorical term of two levels.",
        )


def _check_terms(file: str, plan: IndividualPlan) -> None:
    for term in plan.terms.values():
        if not term.column.startswith("baseline") and term.kind != "categorical":
            raise PlanError(
                file,
                f"terms {term.column}",
                f"is {term.kind}; an allocation list holds categories.",
                "Set kind = 'categorical' with its levels.",
            )


def _check_planned(file: str, plan: IndividualPlan) -> None:
    planned = [analysis for analysis in plan.analyses if analysis.kind == "planned" and not analysis.moderator]
    pairs = Counter((analysis.outcome, plan.compared(analysis)) for analysis in planned)
    several = [outcome for (outcome, _), n in pairs.items() if n > 1]
    if several:
        raise PlanError(
            file,
            f"outcomes {several[0]}",
            "has several planned analyses.",
            "Plan one; the others are of kind sensitivity.",
        )
    for analysis in planned:
        aware = ESTIMATORS[analysis.estimator].aware or analysis.covariance.startswith("CR")
        if plan.design.cluster and not aware:
            raise PlanError(
                file,
                f"analyses {analysis.id}",
                f"is planned, and ignores that each {plan.design.cluster} was drawn whole.",
                "Take a covariance of clusters (CR0, CR1, CR2, CR3), or make it kind = 'sensitivity'.",
            )
    for outcome in plan.measured:
        if not outcome.missing and outcome.id not in {analysis.outcome for analysis in planned}:
            raise PlanError(
                file,
                f"outcomes {outcome.id}",
                "has no planned analysis.",
                f"Add one: id = '{outcome.id}/itt/...', kind = 'planned'.",
            )
