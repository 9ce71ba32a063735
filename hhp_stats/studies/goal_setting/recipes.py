"""What each result of the goal-setting trial rests on, for second programmes: recipes and the columns that they
name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hhp_stats.consistency.second.frames import AnalysisFrames, Shelf, base_of, stacked, varies
from hhp_stats.consistency.second.recipe import FIELDS, INTERCEPT, Quantity, Recipe, RecipeTerm
from hhp_stats.estimate.cost_benefit import net_turnover_costs
from hhp_stats.plan.conditions import members
from hhp_stats.plan.returns_schema import ReturnsAnalysis
from hhp_stats.results.frame import ResultRow
from hhp_stats.studies.goal_setting.analysed import (
    Material,
    analysed,
    baselines,
    first_sets,
    model_terms,
    outcome_column,
    person_weights,
    without_repetition,
)
from hhp_stats.studies.goal_setting.baselines import BASELINE
from hhp_stats.studies.goal_setting.cost_benefit import bill, priced_leavers
from hhp_stats.studies.goal_setting.imputation_model import set_name
from hhp_stats.studies.goal_setting_terms import primary_analysis
from hhp_stats.studies.planned import sibling

PEOPLE, TEAM, LEAVER_COST, GAP, BOTH = (
    "people",
    "team",
    "leaver_cost",
    "baseline_absence_missing",
    "treatment_and_missing",
)
LINEAR, LOGISTIC, COMPLIER, TWO_STEP = "ols", "logit", "iv", "heckman-two-step"
CORRECTED = "neither library corrects the standard errors of the second step"


def analysis_frames(material: Material, rows: Sequence[ResultRow]) -> AnalysisFrames:
    """The frames and recipes of every estimated row that statsmodels, linearmodels or R can compute."""
    found = _Frames(material, {row.result_id for row in rows if row.status != "not_estimated"})
    for analysis in material.plan.analyses:
        found.add(analysis)
    found.add_balance()
    found.add_leaver_cost()
    return found.finished()


class _Frames:
    def __init__(self, material: Material, made: set[str]) -> None:
        self.material, self.made, self.plan = material, made, material.plan
        self.shelf = Shelf(material.people)
        self.recipes: list[Recipe] = []
        self.filled: dict[str, list[str]] = {}  # imputed columns by set of imputations
        design = material.plan.design
        self.shelf.put_number(TEAM, material.people[design.cluster], "number of the team, in order of appearance")
        self.shelf.put("treatment", material.people["treatment"], "0 control, 1 offered the programme")
        for outcome in self.plan.outcomes.values():
            self.shelf.meanings[outcome.column] = f"{outcome.label} ({outcome.unit})" if outcome.unit else outcome.label

    def add(self, analysis: ReturnsAnalysis) -> None:
        """The recipes of one planned analysis, if another programme can make it."""
        key = self.plan.result_id(analysis)
        if key not in self.made or analysis.estimator not in (LINEAR, LOGISTIC, COMPLIER, TWO_STEP):
            return
        outcome, people = (
            self.plan.outcomes[analysis.outcome],
            analysed(analysis, self.plan.outcomes[analysis.outcome], self.material),
        )
        column = outcome_column(analysis, outcome, self.plan)
        meaning = self.shelf.meanings.get(outcome.column, "")
        answered = self.shelf.put(column, self.material.people[column], meaning)
        imputed = self._imputed(analysis)
        terms = self._terms(analysis, people, answered, imputed)
        known: tuple[str, ...] = () if analysis.estimator == TWO_STEP else (answered,)
        if analysis.baseline_absence == "complete_cases":
            known += tuple(self.shelf.put(name, self.material.people[name]) for name in baselines(analysis, outcome))
        about: dict[str, Any] = {
            "frame": PEOPLE,
            "outcome": answered,
            "terms": terms,
            "known": known,
            "only": self._only(analysis.population),
            "clusters": (TEAM,),
            "covariance": analysis.covariance,
            "df": analysis.df,
            "conf_level": self.plan.conf_level,
            "row_weights": self._weights(analysis, people),
            **imputed,
        }
        if analysis.estimator == LINEAR:
            self._linear(key, analysis, about)
        elif analysis.estimator == LOGISTIC:
            self._logistic(key, analysis, about)
        elif analysis.estimator == COMPLIER:
            takeup = self.shelf.put("enrolled", self.material.people["enrolled"])
            self.recipes.append(Recipe(result_id=key, estimator="two-stage", takeup=takeup, **about))
            uptake = {**about, "outcome": takeup}
            self.recipes.append(Recipe(result_id=sibling(key, "uptake"), estimator="ols", **uptake))
        else:
            self.recipes.append(
                Recipe(
                    result_id=key,
                    estimator="two-step",
                    compared=("estimate",),
                    in_r=("estimate",),
                    shortfall=CORRECTED,
                    **about,
                )
            )

    def _weights(self, analysis: ReturnsAnalysis, people: pd.DataFrame) -> str:
        """The column of the weights; "" where people count alike."""
        outcome = self.plan.outcomes[analysis.outcome]
        weights = person_weights(analysis, outcome, people)
        if weights is None:
            return ""
        if outcome.weight:
            return self.shelf.put(outcome.weight, self.material.people[outcome.weight])
        answered = outcome_column(analysis, outcome, self.plan)
        return self.shelf.put(
            f"team_weight_{answered}_{analysis.population}_{analysis.missing_outcome}",
            weights,
            "one over the number of people of the team who are analysed, over its mean",
        )

    def _linear(self, key: str, analysis: ReturnsAnalysis, about: dict[str, Any]) -> None:
        more: dict[str, Any] = {}
        if analysis.covariance == "two-way":
            more["clusters"] = (TEAM, self.shelf.put("local_authority", self.material.people["local_authority"]))
        elif not analysis.covariance.startswith("CR"):
            more["clusters"] = ()
        if analysis.covariance in ("CR2", "CR3") or analysis.df == "satterthwaite":
            more |= {
                "compared": ("estimate",),
                "shortfall": f"statsmodels has no {analysis.covariance}: R's clubSandwich computes the rest",
            }
        self.recipes.append(Recipe(result_id=key, estimator="ols", **{**about, **more}))

    def _logistic(self, key: str, analysis: ReturnsAnalysis, about: dict[str, Any]) -> None:
        quantities: Mapping[str, Quantity] = {
            "": "change",
            "ratio": "odds_ratio",
            "predicted_control": "probability_0",
            "predicted_treatment": "probability_1",
        }
        about |= {
            "covariance": "G/(G-1)",
            "df": "normal",
            "at": "means" if analysis.summary == "at_means" else "people",
        }
        self.recipes += [
            Recipe(result_id=sibling(key, estimand), estimator="logit", quantity=quantity, **about)
            for estimand, quantity in quantities.items()
        ]

    def _imputed(self, analysis: ReturnsAnalysis) -> dict[str, Any]:
        """Which completed data sets an analysis uses; `filled` follows with its terms."""
        if analysis.baseline_absence not in self.plan.imputation.models:
            return {}
        name = set_name(analysis)
        count = len(first_sets(self.material.imputations[name], analysis.imputations))
        return {"imputed": _file(name), "imputations": count, "filled": ()}

    def _terms(
        self, analysis: ReturnsAnalysis, people: pd.DataFrame, answered: str, imputed: dict[str, Any]
    ) -> tuple[RecipeTerm, ...]:
        """The terms as columns of the frame; those that are imputed are noted in `imputed`."""
        outcome, rule, found = (
            self.plan.outcomes[analysis.outcome],
            analysis.baseline_absence,
            [RecipeTerm(column="treatment")],
        )
        for term in without_repetition(model_terms(analysis, outcome, self.plan), people):
            if (
                term.column in baselines(analysis, outcome)
                and rule
                and rule not in self.plan.imputation.models
                and rule != "complete_cases"
            ):
                column = self.shelf.put(
                    f"{term.column}_{rule.removesuffix('_with_indicator')}",
                    people[term.column],
                    f"{term.column.replace('_', ' ')}, where not recorded filled by the rule {rule.split('_')[0]}",
                )
            elif term.column.endswith("_missing"):
                column = self.shelf.put(
                    term.column,
                    self.material.people[term.column.removesuffix("_missing")].isna(),
                    f"1 where {term.column.removesuffix('_missing').replace('_', ' ')} is not recorded",
                )
            else:
                column = self.shelf.put(term.column, self.material.people[term.column])
            if imputed and term.column in self._completed(analysis):
                imputed["filled"] = (*imputed["filled"], column)
            elif not varies(people[term.column]):
                continue
            found.append(RecipeTerm(column=column, base=base_of(people[term.column], term)))
        if imputed and analysis.missing_outcome == "multiple_imputation" and answered in self._completed(analysis):
            imputed["filled"] = (*imputed["filled"], answered)
        if imputed:
            self._note(set_name(analysis), imputed["filled"])
        return tuple(found)

    def _completed(self, analysis: ReturnsAnalysis) -> set[str]:
        imputations = self.material.imputations[set_name(analysis)]
        return {*imputations.imputed, *(passive.name for passive in imputations.plan.passive)}

    def _note(self, name: str, columns: Sequence[str]) -> None:
        kept = self.filled.setdefault(name, [])
        kept += [column for column in columns if column not in kept]

    def _only(self, population: str) -> tuple[str, ...]:
        inside = members(self.material.people, self.plan.populations[population].where)
        if inside.all():
            return ()
        return (
            self.shelf.put(f"in_{population}", inside.astype(bool), f"1 for {self.plan.populations[population].label}"),
        )

    def add_balance(self) -> None:
        """Differences of baselines between the arms: among recorded, among imputed, among all."""
        analysis = primary_analysis(self.plan)
        name, people = set_name(analysis), self.material.people
        gap = people[BASELINE].isna()
        prefix = f"{self.plan.study}/balance/{BASELINE}"
        if f"{prefix}/all" not in self.made:
            return
        self.shelf.put(BASELINE, people[BASELINE])
        self.shelf.put(GAP, gap, "1 where baseline absence is not recorded")
        self.shelf.put(BOTH, gap * people["treatment"], "treatment times baseline absence missing")
        self._note(name, (BASELINE,))
        about: dict[str, Any] = {
            "estimator": "ols",
            "frame": PEOPLE,
            "outcome": BASELINE,
            "known": (BASELINE,),
            "clusters": (TEAM,),
            "covariance": "CR1",
            "df": "clusters",
            "conf_level": self.plan.conf_level,
            "imputed": _file(name),
            "imputations": len(self.material.imputations[name]),
            "filled": (BASELINE,),
        }
        arm = RecipeTerm(column="treatment")
        cells = (arm, RecipeTerm(column=GAP), RecipeTerm(column=BOTH))
        wanted = {
            "recorded": (cells, {"treatment": 1.0}),
            "imputed": (cells, {"treatment": 1.0, BOTH: 1.0}),
            "all": ((arm,), {"treatment": 1.0}),
        }
        self.recipes += [
            Recipe(result_id=f"{prefix}/{group}", terms=terms, weights=weights, **about)
            for group, (terms, weights) in wanted.items()
            if f"{prefix}/{group}" in self.made
        ]

    def add_leaver_cost(self) -> None:
        """The mean cost of a leaver: a regression on nothing but the intercept."""
        key = f"{self.plan.study}/benefit_cost/leaver_cost/mean"
        if key not in self.made:
            return
        leavers = priced_leavers(self.material.people)
        column = self.shelf.put(
            LEAVER_COST,
            net_turnover_costs(**bill(leavers, self.plan)),
            "cost of a leaver in pounds, net of the days counted after leaving",
        )
        self.recipes.append(
            Recipe(
                result_id=key,
                estimator="ols",
                frame=PEOPLE,
                outcome=column,
                terms=(),
                known=(column,),
                clusters=(TEAM,),
                covariance="CR1",
                df="clusters",
                weights={INTERCEPT: 1.0},
                conf_level=self.plan.conf_level,
                compared=FIELDS,
            )
        )

    def finished(self) -> AnalysisFrames:
        """All frames: that of people, and the completing values of every set of imputations in use."""
        imputed = {}
        for name, columns in self.filled.items():
            imputations = self.material.imputations[name]
            place = pd.Index(self.material.people["person"]).get_indexer(pd.Index(imputations.frame["person"]))
            n, m = len(self.material.people), len(imputations)
            completed, known = {}, {}
            for column in columns:
                values = np.full((m, n), np.nan)
                values[:, place] = imputations.columns(column)
                completed[column] = values
                recorded = self.material.people[column].notna().to_numpy(copy=True)
                recorded[np.setdiff1d(np.arange(n), place)] = True  # not in these data sets: nothing is completed
                known[column] = recorded
            imputed[_file(name)] = stacked(completed, known)
        people = self.shelf.frame()
        meanings = {
            PEOPLE: self.shelf.meanings,
            **{file: {**self.shelf.meanings, "imputation": "number of the completed data set"} for file in imputed},
        }
        return AnalysisFrames(people={PEOPLE: people}, imputed=imputed, meanings=meanings, recipes=tuple(self.recipes))


def _file(name: str) -> str:
    """The file of a set of imputations."""
    return "completed_" + name.replace("/", "_")
