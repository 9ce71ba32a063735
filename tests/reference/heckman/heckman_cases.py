"""Data whose selection likelihood has several maxima: people, terms, outcome and teams, for gretl and for the tests."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from linearmodels.datasets import mroz

from hhp_stats.intake.load import load_trial
from hhp_stats.plan.load import load_plan
from hhp_stats.plan.returns_schema import ReturnsPlan
from hhp_stats.regression.model_matrix import ModelMatrix
from hhp_stats.studies.estimators.analysis_data import Model
from hhp_stats.studies.goal_setting.analysed import Material, models
from hhp_stats.studies.goal_setting.sample import build_sample

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
# Outcomes of the trial whose likelihood has two maxima inside.
TRIAL_CASES = ("relatedness", "competence", "positive_affect", "efficacy")


@dataclass(frozen=True, kw_only=True)
class People:
    """The second outcome term is the one of interest; `team` None where people are independent."""

    outcome_terms: pd.DataFrame
    response_terms: pd.DataFrame
    y: np.ndarray
    team: np.ndarray | None

    def arguments(self) -> dict[str, object]:
        """As `heckman_likelihood` takes them."""
        matrices = {
            name: ModelMatrix(values=terms.to_numpy(dtype=float), names=tuple(terms.columns))
            for name, terms in (("matrix", self.outcome_terms), ("selection_matrix", self.response_terms))
        }
        return {"outcome": self.y, "clusters": self.team, **matrices}


def mroz_wages() -> People:
    """Greene's example: wages of married women; the textbook's maximum lies inside, a higher one at the edge."""
    frame = mroz.load()
    frame = frame.assign(
        intercept=1.0,
        age2=frame["age"] ** 2 / 100,
        exper2=frame["exper"] ** 2 / 100,
        faminc=frame["faminc"] / 10_000,
        kids=(frame["kidslt6"] + frame["kidsge6"] > 0).astype(float),
    )
    return People(
        outcome_terms=frame[["intercept", "exper", "exper2", "educ", "city"]],
        response_terms=frame[["intercept", "age", "age2", "faminc", "kids", "educ"]],
        y=frame["wage"].where(frame["inlf"] == 1).to_numpy(),
        team=None,
    )


def made_people() -> People:
    """Those of the case `form_alone_cluster`, whose lower maximum gretl's `heckit` reports."""
    frame = pd.read_csv(HERE / "data.csv")
    frame = frame[frame["data"] == "made"].assign(intercept=1.0)
    terms = frame[["intercept", "treatment", "x1", "x2"]]
    return People(outcome_terms=terms, response_terms=terms, y=frame["y"].to_numpy(), team=frame["team"].to_numpy())


@cache
def trial_plan_and_people() -> tuple[ReturnsPlan, pd.DataFrame]:
    """The goal-setting trial as it stands in the project."""
    plan = load_plan(ROOT, "goal_setting")
    return plan, build_sample(load_trial(ROOT, "goal_setting"), plan).people


def trial_people(outcome: str) -> People:
    """An outcome of the goal-setting trial, as its plan's selection model takes it."""
    plan, people = trial_plan_and_people()
    analysis = plan.analysis(f"{outcome}/itt/heckman-ml")
    material = Material(plan=plan, people=people, imputations={}, redraws=None)
    (model,) = models(analysis, plan.outcomes[outcome], material)
    return people_of_model(model)


def people_of_model(model: Model) -> People:
    """One data set of the trial, the same terms on both sides."""
    terms = pd.DataFrame(model.matrix.values, columns=list(model.matrix.names))
    assert list(terms).index("treatment") == 1
    return People(
        outcome_terms=terms, response_terms=terms, y=model.outcome, team=pd.factorize(model.people["team_id"])[0]
    )
