"""What each mean and contrast of the hiring experiments rests on, for second programmes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from hhp_stats.consistency.second.frames import AnalysisFrames, Shelf, base_of, varies
from hhp_stats.consistency.second.recipe import FIELDS, Recipe, RecipeTerm
from hhp_stats.plan.conditions import members as in_population
from hhp_stats.plan.experiments import CellContrast, Experiment, ExperimentMethod, ExperimentPlan
from hhp_stats.studies.hiring.cells import analysed, dummies, weights

NUMBER = "participant_number"
NO_TEST = tuple(name for name in FIELDS if name != "p_value")  # nobody asks whether a mean is zero
COVERED = ("ols", "pooled", "welch")


def analysis_frames(frames: Mapping[str, pd.DataFrame], plan: ExperimentPlan, results: pd.DataFrame) -> AnalysisFrames:
    """A frame for each experiment, one row a decision or a person, and the recipes of every estimated row of
    `results`.
    """
    made = set(results.loc[results["status"] == "estimated", "result_id"])
    people, meanings, recipes = {}, {}, []
    for experiment in plan.experiments.values():
        shelf = Shelf(frames[experiment.id])
        recipes += _Recipes(frames[experiment.id], experiment, plan, shelf).all(made)
        people[experiment.id], meanings[experiment.id] = shelf.frame(), shelf.meanings
    return AnalysisFrames(people=people, meanings=meanings, recipes=tuple(recipes))


class _Recipes:
    def __init__(self, frame: pd.DataFrame, experiment: Experiment, plan: ExperimentPlan, shelf: Shelf) -> None:
        self.frame, self.experiment, self.plan, self.shelf = frame, experiment, plan, shelf
        self.outcome = shelf.put("outcome", frame["outcome"], f"{experiment.label} ({experiment.unit})")
        for name in dummies(plan, experiment):
            shelf.put(name, frame[name])

    def all(self, made: Collection[str]) -> list[Recipe]:
        """Every contrast by every method, and the mean of every cell by the planned one, as far as they were `made`."""
        plan, experiment = self.plan, self.experiment

        def was_made(estimand: str, method: ExperimentMethod) -> bool:
            return plan.row_id(experiment.id, estimand, method.id) in made

        main = plan.main_method(experiment.id)
        found = [
            self._model(f"mean_{cell.id}", main, dict.fromkeys(cell.dummies, 1.0), compared=NO_TEST, in_r=NO_TEST)
            for cell in plan.cells_of(experiment.id)
            if was_made(f"mean_{cell.id}", main)
        ]
        for method in plan.methods_of(experiment.id):
            if method.estimator not in COVERED:
                continue
            for contrast in plan.contrasts_of(experiment.id):
                if not was_made(contrast.id, method):
                    continue
                if method.estimator == "welch":
                    found.append(self._welch(contrast, method))
                else:
                    found.append(self._model(contrast.id, method, weights(contrast, plan)))
        return found

    def _model(self, estimand: str, method: ExperimentMethod, combined: Mapping[str, float], **more: Any) -> Recipe:
        known = analysed(self.frame, method, self.plan)
        terms = [RecipeTerm(column=name) for name in dummies(self.plan, self.experiment)]
        for name in method.terms:
            term = self.plan.terms[name].term
            if varies(known[term.column]):
                terms.append(
                    RecipeTerm(
                        column=self.shelf.put(term.column, self.frame[term.column]),
                        base=base_of(known[term.column], term),
                    )
                )
        one_variance = method.estimator == "pooled"
        if method.covariance.startswith("CR"):
            cluster = self.frame[self.experiment.cluster]
            more["clusters"] = (self.shelf.put_number(NUMBER, cluster, f"number of the {self.experiment.cluster}"),)
        if method.covariance in ("CR2", "CR3") or method.df == "satterthwaite":
            more |= {
                "compared": ("estimate",),
                "shortfall": f"statsmodels has no {method.covariance}: R's clubSandwich computes the rest",
            }
        return Recipe(
            result_id=self.plan.row_id(self.experiment.id, estimand, method.id),
            estimator="ols",
            frame=self.experiment.id,
            outcome=self.outcome,
            terms=tuple(terms),
            known=(self.outcome,),
            only=self._only(method),
            weights=combined,
            covariance="classical" if one_variance else method.covariance,
            df="residual" if one_variance else method.df,
            conf_level=self.plan.conf_level,
            **more,
        )

    def _welch(self, contrast: CellContrast, method: ExperimentMethod) -> Recipe:
        cell = self.frame["cell"]
        side = cell.isin(contrast.plus).astype("float64").where(cell.isin([*contrast.plus, *contrast.minus]))
        column = self.shelf.put(f"side_{contrast.id}", side, f"{contrast.label}: 1 first, 0 second, empty neither")
        return Recipe(
            result_id=self.plan.row_id(self.experiment.id, contrast.id, method.id),
            estimator="welch",
            frame=self.experiment.id,
            outcome=self.outcome,
            terms=(RecipeTerm(column=column),),
            known=(self.outcome, column),
            only=self._only(method),
            treatment=column,
            covariance="by arm",
            df="satterthwaite",
            conf_level=self.plan.conf_level,
        )

    def _only(self, method: ExperimentMethod) -> tuple[str, ...]:
        population = self.plan.populations[method.population]
        if not population.where:
            return ()
        inside = in_population(self.frame, population.where)
        return (self.shelf.put(f"in_{population.id}", inside, f"1 for: {population.label}"),)
