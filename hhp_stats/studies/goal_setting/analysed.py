"""Who is analysed, with which outcome and covariates: the plan's words turned into rows and columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from hhp_stats.design.randomisation import Redraws
from hhp_stats.errors import ImputationRefused, InvalidInput, NoObservations, UnknownName
from hhp_stats.estimate.imputation import Imputations
from hhp_stats.plan.schema import Outcome, Plan, PlannedAnalysis
from hhp_stats.regression.clusters import cluster_codes, refuse_untold_terms
from hhp_stats.regression.model_matrix import Array, ModelMatrix, Term, model_matrix
from hhp_stats.studies.goal_setting.descriptives import LARGEST
from hhp_stats.studies.goal_setting.imputation_model import set_name
from hhp_stats.studies.goal_setting.sample import ABSENCE, leaver_column


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What every analysis draws on: plan, people, completed data sets (`imputation_model.set_name`), redraws of the
    arms.
    """

    plan: Plan
    people: pd.DataFrame
    imputations: Mapping[str, Imputations]
    redraws: Redraws


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One data set ready for an estimator: outcome (n,), model matrix (n, k), and the people (n rows)."""

    outcome: Array
    matrix: ModelMatrix
    people: pd.DataFrame


def _everyone(people: pd.DataFrame) -> pd.Series:
    return pd.Series(True, index=people.index)


def _below_largest(people: pd.DataFrame) -> pd.Series:
    limit = people.loc[people["records_spells"], "bradford"].quantile(LARGEST)
    return pd.Series(people["records_spells"] & (people["bradford"] <= limit), index=people.index)


def _without_coffee(people: pd.DataFrame) -> pd.Series:
    if "coffee" not in people:
        raise UnknownName("the population without_coffee needs the column coffee: name it among the plan's [[terms]]")
    most = people.groupby("local_authority")["coffee"].transform("max")
    return pd.Series((most == 0).to_numpy(dtype=bool), index=people.index)


MISSING = "_missing"  # ends the column that says whose baseline is not recorded
# What is done about outcomes that are not known, where the result counts these people too.
COUNTING_EVERYONE = frozenset({"multiple_imputation", "selection", "bounds"})

POPULATIONS: Mapping[str, Callable[[pd.DataFrame], pd.Series]] = {
    "randomised": _everyone,
    "survey": _everyone,  # complete cases keep those with an answer
    "spells": lambda people: people["records_spells"],
    "spells_trimmed": _below_largest,
    "social_workers": lambda people: people["role"] != "other",
    "without_coffee": _without_coffee,
    "treated": lambda people: people["treatment"] == 1,
}


def model_terms(analysis: PlannedAnalysis, outcome: Outcome, plan: Plan) -> tuple[Term, ...]:
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


def baselines(analysis: PlannedAnalysis, outcome: Outcome) -> tuple[str, ...]:
    """The baseline columns that may be missing: absence, and the outcome's own."""
    own = analysis.baseline or outcome.baseline
    return tuple(dict.fromkeys(("baseline_absence", own) if own else ("baseline_absence",)))


def outcome_column(analysis: PlannedAnalysis, outcome: Outcome, plan: Plan) -> str:
    """The column of the outcome; for absence it depends on how leavers are counted."""
    return leaver_column(analysis.leavers, analysis.leaver_floor, plan) if outcome.column == ABSENCE else outcome.column


def analysed(analysis: PlannedAnalysis, outcome: Outcome, material: Material) -> pd.DataFrame:
    """The people of the analysis, with missing baselines filled as the analysis says (unless imputed).

    Only `missing_outcome = "complete_cases"` drops people without an outcome; selection models,
    weights and imputation need them. Refuses an empty selection (NoObservations).
    """
    if analysis.population not in POPULATIONS:
        raise UnknownName(f"the study does not know how to select the population {analysis.population!r}")
    people = material.people.loc[POPULATIONS[analysis.population](material.people)]
    if people.empty:
        raise NoObservations(f"nobody belongs to those who are analysed: {_population(analysis, material.plan)}")
    if analysis.missing_outcome == "complete_cases":
        people = people.loc[people[outcome_column(analysis, outcome, material.plan)].notna()]
        if people.empty:
            raise NoObservations(f"{lower_first(outcome.label)} is known of nobody who would be analysed")
    rule, needed = analysis.baseline_absence, list(baselines(analysis, outcome))
    if rule.endswith("with_indicator"):
        people = people.assign(**{f"{name}{MISSING}": people[name].isna().astype("float64") for name in needed})
    if rule == "zero_with_indicator":
        people = people.assign(**{name: people[name].fillna(0.0) for name in needed})
    elif rule in ("mean", "mean_with_indicator"):
        for name in needed:
            mean = material.people.groupby("local_authority")[name].mean()
            people = people.assign(**{name: people[name].fillna(people["local_authority"].map(mean))})
    elif rule == "complete_cases":
        people = people.loc[people[needed].notna().all(axis="columns")]
    if people.empty:
        raise NoObservations(f"nobody has both {lower_first(outcome.label)} and what the analysis adjusts for")
    return people


def _population(analysis: PlannedAnalysis, plan: Plan) -> str:
    return lower_first(plan.populations[analysis.population].label)


def lower_first(label: str) -> str:
    """A label of the plan inside a sentence."""
    return f"{label[:1].lower()}{label[1:]}"


def counted(analysis: PlannedAnalysis, outcome: Outcome, material: Material) -> pd.DataFrame:
    """Whom does the n of a result of this analysis count, of those analysed?

    Everyone where outcomes that are not known are filled in or modelled (imputation, selection models, bounds); else
    those
    whose outcome is known, also where weights let them stand for the others.
    """
    people = analysed(analysis, outcome, material)
    if analysis.missing_outcome in COUNTING_EVERYONE:
        return people
    return people.loc[people[outcome_column(analysis, outcome, material.plan)].notna()]


def person_weights(analysis: PlannedAnalysis, outcome: Outcome, people: pd.DataFrame) -> pd.Series | None:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedSets:
    """The m completed data sets of one analysis: what they share, and what differs from set to set.

    `matrix` (n, k) is that of the first set; `varying` holds by term the imputed columns (m, n), `outcomes` (m, n)
    the outcome. One set only where nothing is imputed.
    """

    matrix: ModelMatrix
    varying: Mapping[str, Array]
    outcomes: Array
    people: pd.DataFrame

    def weighted(self, weights: pd.Series) -> CompletedSets:
        """The same with every row times the root of its weight: least squares of it are weighted least squares.

        Refuses an arm about which one team tells (SingleClusterArm): to be seen here, as weighted columns hold more
        than
        two values.
        """
        root = np.sqrt(weights.to_numpy(dtype=np.float64))
        codes, _ = cluster_codes(self.people["team_id"])
        refuse_untold_terms(self.matrix, terms=[self.matrix.position("treatment")], codes=codes)
        return replace(
            self,
            matrix=replace(self.matrix, values=self.matrix.values * root[:, None]),
            outcomes=self.outcomes * root,
            varying={name: values * root for name, values in self.varying.items()},
        )

    def __iter__(self) -> Iterator[Model]:
        for number, outcome in enumerate(self.outcomes):
            values = self.matrix.values.copy()
            for name, columns in self.varying.items():
                values[:, self.matrix.position(name)] = columns[number]
            yield Model(outcome=outcome, matrix=replace(self.matrix, values=values), people=self.people)


def first_sets(imputations: Imputations, count: int) -> Imputations:
    """The first `count` of the completed data sets; all of them for 0, or where there are no more."""
    if not 0 < count < len(imputations):
        return imputations
    return replace(imputations, plan=replace(imputations.plan, imputations=count))


def models(analysis: PlannedAnalysis, outcome: Outcome, material: Material) -> CompletedSets:
    """Every completed data set of the analysis; one only where nothing is imputed.

    The matrix is built once; each completed data set replaces the columns that hold imputed values.
    """
    people = analysed(analysis, outcome, material)
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
        raise ImputationRefused(f"{names} cannot be imputed: not known of anybody, or the same of all, in an arm")
    columns = {term.column: imputations.columns(term.column)[:, place] for term in terms if term.column in filled}
    matrix = model_matrix(people.assign(**{name: values[0] for name, values in columns.items()}), terms)
    outcomes = np.broadcast_to(known, (len(imputations), len(known)))
    if analysis.missing_outcome == "multiple_imputation":
        if answered not in filled and people[answered].isna().any():
            what = lower_first(outcome.label)
            raise ImputationRefused(f"{what} cannot be imputed: not known of anybody, or the same of all, in an arm")
        outcomes = imputations.columns(answered)[:, place]
    return CompletedSets(
        matrix=matrix,
        varying={name: values for name, values in columns.items() if name in matrix.names},
        outcomes=outcomes,
        people=people,
    )


def only_model(analysis: PlannedAnalysis, outcome: Outcome, material: Material) -> Model:
    """The one data set of an analysis that cannot be pooled; several are refused (UnknownName)."""
    found = list(models(analysis, outcome, material))
    if len(found) != 1:
        raise UnknownName(
            f"{analysis.id}: resampling and penalised profiles need one data set; name another rule than multiple"
            " imputation"
        )
    return found[0]
