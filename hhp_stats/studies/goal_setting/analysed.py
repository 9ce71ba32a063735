"""Who is analysed, with which outcome and covariates: the plan's words turned into rows and columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from hhp_stats.design.randomisation import Redraws
from hhp_stats.errors import ImputationRefused, InvalidInput, NoObservations, NothingUnknown, UnknownName
from hhp_stats.estimate.imputation import Imputations
from hhp_stats.plan.conditions import members
from hhp_stats.plan.returns_schema import ReturnsAnalysis, ReturnsOutcome, ReturnsPlan
from hhp_stats.regression.model_matrix import Term, model_matrix
from hhp_stats.studies.estimators.analysis_data import AnalysisData, CompletedSets
from hhp_stats.studies.goal_setting.imputation_model import set_name
from hhp_stats.studies.goal_setting.sample import ABSENCE, leaver_column, wellbeing_range


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What every analysis draws on: plan, people, completed data sets (`imputation_model.set_name`), redraws of the
    arms.
    """

    plan: ReturnsPlan
    people: pd.DataFrame
    imputations: Mapping[str, Imputations]
    redraws: Redraws


# Streams of the plan's seed, so that an analysis more or less leaves the random numbers of the others as they were.
STREAMS: Mapping[str, int] = {"wild-bootstrap": 1, "randomisation": 2, "lee-bounds": 3}
BOOTSTRAP_DRAWS = 1_000  # behind Lee's bounds
TAKEUP, WELLBEING = "enrolled", "wellbeing_"
MISSING = "_missing"  # ends the column that says whose baseline is not recorded
# What is done about outcomes that are not known, where the result counts these people too.
COUNTING_EVERYONE = frozenset({"multiple_imputation", "selection", "bounds"})


def model_terms(analysis: ReturnsAnalysis, outcome: ReturnsOutcome, plan: ReturnsPlan) -> tuple[Term, ...]:
    """The equation of clause P54 with what the outcome and the analysis add to it.

    Outcomes with a baseline value get it as a covariate (P71, P78, P79). Zero or mean with indicator adds
    one indicator a baseline. Stratum dummies take the place of those of the authority, which they contain. An
    unadjusted analysis has no term beside the arm.
    """
    if not analysis.adjusted:
        return ()
    terms = list(plan.terms)
    own = analysis.baseline or outcome.baseline
    if own and own not in {term.column for term in terms}:
        terms.append(Term(column=own, kind="continuous"))
    if analysis.baseline_absence.endswith("with_indicator"):
        terms += [Term(column=f"{name}{MISSING}", kind="binary") for name in baselines(analysis, outcome)]
    if analysis.strata:
        terms = [term for term in terms if term.column != "local_authority"]
        terms.append(Term(column="stratum", kind="categorical"))
    return tuple(terms)


def without_repetition(terms: Sequence[Term], people: pd.DataFrame) -> tuple[Term, ...]:
    """The terms without an indicator of a missing baseline that says of everybody what an earlier one says.

    Two baselines may be missing for the very same people (too little service for a year of either); then one indicator
    is both.
    """
    kept: list[Term] = []
    for term in terms:
        indicators = [each.column for each in kept if each.column.endswith(MISSING)]
        if term.column.endswith(MISSING) and any(people[term.column].equals(people[name]) for name in indicators):
            continue
        kept.append(term)
    return tuple(kept)


def baselines(analysis: ReturnsAnalysis, outcome: ReturnsOutcome) -> tuple[str, ...]:
    """The baseline columns that may be missing: absence, and the outcome's own."""
    own = analysis.baseline or outcome.baseline
    return tuple(dict.fromkeys(("baseline_absence", own) if own else ("baseline_absence",)))


def outcome_column(analysis: ReturnsAnalysis, outcome: ReturnsOutcome, plan: ReturnsPlan) -> str:
    """The column of the outcome; for absence it depends on how leavers are counted."""
    return leaver_column(analysis.leavers, analysis.leaver_floor, plan) if outcome.column == ABSENCE else outcome.column


def analysed(analysis: ReturnsAnalysis, outcome: ReturnsOutcome, material: Material) -> pd.DataFrame:
    """The people of the analysis, with missing baselines filled as the analysis says (unless imputed).

    Refuses an empty selection (NoObservations).
    """
    rule, needed = analysis.baseline_absence, list(baselines(analysis, outcome))
    people = material.people.loc[_selected(analysis, outcome, material)]
    if rule.endswith("with_indicator"):
        people = people.assign(**{f"{name}{MISSING}": people[name].isna().astype("float64") for name in needed})
    if rule == "zero_with_indicator":
        people = people.assign(**{name: people[name].fillna(0.0) for name in needed})
    elif rule in ("mean", "mean_with_indicator"):
        for name in needed:
            mean = material.people.groupby("local_authority")[name].mean()
            people = people.assign(**{name: people[name].fillna(people["local_authority"].map(mean))})
    return people


def _selected(analysis: ReturnsAnalysis, outcome: ReturnsOutcome, material: Material) -> pd.Series:
    """Who of the people is analysed, as booleans.

    Only `missing_outcome = "complete_cases"` drops people without an outcome; selection models, weights and imputation
    need them. Refuses an empty selection (NoObservations).
    """
    people = material.people
    inside = members(people, material.plan.populations[analysis.population].where)
    if not inside.any():
        raise NoObservations(f"nobody belongs to those who are analysed: {_population(analysis, material.plan)}")
    if analysis.missing_outcome == "complete_cases":
        inside = inside & people[outcome_column(analysis, outcome, material.plan)].notna()
        if not inside.any():
            raise NoObservations(f"{lower_first(outcome.label)} is known for no one who would be analysed")
    if analysis.baseline_absence == "complete_cases":
        inside = inside & people[list(baselines(analysis, outcome))].notna().all(axis="columns")
        if not inside.any():
            raise NoObservations(f"nobody has both {lower_first(outcome.label)} and what the analysis adjusts for")
    return inside


def _population(analysis: ReturnsAnalysis, plan: ReturnsPlan) -> str:
    return lower_first(plan.populations[analysis.population].label)


def lower_first(label: str) -> str:
    """A label of the plan inside a sentence."""
    return f"{label[:1].lower()}{label[1:]}"


def counted(analysis: ReturnsAnalysis, outcome: ReturnsOutcome, material: Material) -> pd.Series:
    """Whom of the people does the n of a result of this analysis count, of those analysed?

    Everyone where outcomes that are not known are filled in or modelled (imputation, selection models, bounds); else
    those whose outcome is known, also where weights let them stand for the others. Refuses an empty selection
    (NoObservations).
    """
    inside = _selected(analysis, outcome, material)
    if analysis.missing_outcome not in COUNTING_EVERYONE:
        inside = inside & material.people[outcome_column(analysis, outcome, material.plan)].notna()
    return inside


def person_weights(analysis: ReturnsAnalysis, outcome: ReturnsOutcome, people: pd.DataFrame) -> pd.Series | None:
    """How much each of the people analysed counts, with a mean of one; None where all count alike.

    By the outcome's own weight (a rate counts by its denominator), or, where the effect is averaged over teams, by one
    over
    the number of people of the team who are analysed, so that every team counts alike.
    """
    if outcome.weight:
        weights = people[outcome.weight].astype("float64")
    elif analysis.average == "teams":
        weights = 1 / people.groupby("team_id", observed=True)["team_id"].transform("size")
    else:
        return None
    if not (weights > 0).all():
        raise InvalidInput(f"{analysis.id}: someone analysed counts for nothing, or for an unknown amount")
    return weights / weights.mean()


def first_sets(imputations: Imputations, count: int) -> Imputations:
    """The first `count` of the completed data sets; all of them for 0, or where there are no more."""
    if not 0 < count < len(imputations):
        return imputations
    return replace(imputations, plan=replace(imputations.plan, imputations=count))


def models(analysis: ReturnsAnalysis, outcome: ReturnsOutcome, material: Material) -> CompletedSets:
    """Every completed data set of the analysis; one only where nothing is imputed.

    The matrix is built once; each completed data set replaces the columns that hold imputed values.
    """
    return _sets_of(analysed(analysis, outcome, material), analysis, outcome, material)


def _sets_of(
    people: pd.DataFrame, analysis: ReturnsAnalysis, outcome: ReturnsOutcome, material: Material
) -> CompletedSets:
    terms = without_repetition(model_terms(analysis, outcome, material.plan), people)
    people = people.assign(team_id=people["team_id"].astype("category"))  # numbered once, not in every fit
    answered = outcome_column(analysis, outcome, material.plan)
    known = people[answered].to_numpy(dtype=np.float64)
    if analysis.baseline_absence not in material.plan.imputation.models:
        return CompletedSets(matrix=model_matrix(people, terms), varying={}, outcomes=known[None], people=people)
    imputations = first_sets(material.imputations[set_name(analysis)], analysis.imputations)
    place = pd.Index(imputations.frame["person"]).get_indexer(pd.Index(people["person"]))
    filled = {*imputations.imputed, *(passive.name for passive in imputations.plan.passive)}
    blank = [term.column for term in terms if term.column not in filled and people[term.column].isna().any()]
    if blank:
        names = " and ".join(name.replace("_", " ") for name in blank)
        raise ImputationRefused(f"{names} cannot be imputed: not known for anyone, or the same of all, in an arm")
    columns = {term.column: imputations.columns(term.column)[:, place] for term in terms if term.column in filled}
    matrix = model_matrix(people.assign(**{name: values[0] for name, values in columns.items()}), terms)
    outcomes = np.broadcast_to(known, (len(imputations), len(known)))
    if analysis.missing_outcome == "multiple_imputation":
        if answered not in filled and people[answered].isna().any():
            what = lower_first(outcome.label)
            raise ImputationRefused(f"{what} cannot be imputed: not known for anyone, or the same of all, in an arm")
        outcomes = imputations.columns(answered)[:, place]
    return CompletedSets(
        matrix=matrix,
        varying={name: values for name, values in columns.items() if name in matrix.names},
        outcomes=outcomes,
        people=people,
    )


def outcome_range(outcome: ReturnsOutcome, material: Material) -> tuple[float, float]:
    """The ends of what is possible: zero and one, the plan's scale, for wellbeing those of its parts, for days absent
    none and all working days of the follow-up (a return may round a day up).
    """
    if outcome.kind == "binary":
        return 0.0, 1.0
    if outcome.column == ABSENCE:
        return 0.0, float(material.people[["follow_up_days", ABSENCE]].max().max())
    if outcome.range:
        low, high = outcome.range
        return low, high
    if outcome.column.startswith(WELLBEING):
        return wellbeing_range(material.people)
    raise UnknownName(f"the plan gives no range for {outcome.id}; bounds need one")


def analysis_data(analysis: ReturnsAnalysis, material: Material) -> AnalysisData:
    """The data of one planned analysis. Refuses an empty selection (NoObservations)."""
    plan, outcome = material.plan, material.plan.outcomes[analysis.outcome]
    people = analysed(analysis, outcome, material)
    column = outcome_column(analysis, outcome, plan)
    if analysis.missing_outcome == "bounds" and people[column].notna().all():
        raise NothingUnknown(
            f"{lower_first(outcome.label)} is known for everyone, so that nothing unknown can change it"
        )
    entropy = (plan.seed, STREAMS.get(analysis.estimator, 0))
    return AnalysisData(
        analysis=analysis,
        people=people,
        outcome=column,
        sets=lambda: _sets_of(people, analysis, outcome, material),
        conf_level=plan.conf_level,
        entropy=entropy,
        seed=int(np.random.SeedSequence(entropy).generate_state(1)[0]),
        draws=BOOTSTRAP_DRAWS,
        cluster=plan.design.cluster,
        second=plan.design.within,
        weights=lambda: person_weights(analysis, outcome, people),
        weighted_by=(
            f"weighted by {outcome.weight.replace('_', ' ')}" if outcome.weight else "every team weighted alike"
        ),
        scale=lambda: outcome_range(outcome, material),
        redraws=lambda: {"draw": material.redraws},
        takeup=TAKEUP,
    )
