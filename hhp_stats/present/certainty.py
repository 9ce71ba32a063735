"""How sure is the main result of a study? Four questions that its results answer, one mark each.

Were people assigned by chance; was at least a stated share of them analysed; were there as many as planned; and do all
other versions of the analysis lead to the conclusion of the planned one? Marks rank studies; they are no probability.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from hhp_stats.plan.estimators import ESTIMATORS
from hhp_stats.plan.experiments import ExperimentPlan
from hhp_stats.plan.individual import IndividualPlan
from hhp_stats.plan.returns_schema import ReturnsPlan
from hhp_stats.present.prose import is_clear
from hhp_stats.results.frame import LACKING
from hhp_stats.results.traced import traced_records

_NO_VERSION = ("hedges-g", "lee")  # another scale, and bounds without an estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Certainty:
    """The answers to the four questions, and the numbers of people behind them."""

    randomised: int
    analysed: int
    by_chance: bool
    answered: bool  # as large a share of them as asked for is analysed
    as_planned: bool  # at least as many are analysed as were planned for
    robust: bool  # all other versions lead to the same conclusion

    @property
    def met(self) -> int:
        """How many questions are answered with yes."""
        return sum((self.by_chance, self.answered, self.as_planned, self.robust))

    @property
    def asked(self) -> int:
        """How many questions there are."""
        return 4


def certainty(
    results: pd.DataFrame, plan: ReturnsPlan | IndividualPlan | ExperimentPlan, *, enough_response: float
) -> Certainty | None:
    """The four answers for a study's main outcome; None where its planned analysis has no result.

    A share or a sample that nobody planned counts as not met: what is not known makes nothing sure.
    """
    frame = results[results["study"] == plan.study]
    main = _main_rows(frame, plan)
    if main.empty:
        return None
    experiment = isinstance(plan, ExperimentPlan)  # whose n are decisions, several of one person
    most = (main["n_clusters"].fillna(main["n"]) if experiment else main["n"]).max()
    if isinstance(plan, IndividualPlan) and len(plan.offered) > 1:
        most = _in_all(frame, plan) or most
    analysed = 0 if pd.isna(most) else int(most)  # nobody, or a number that is withheld
    randomised, planned = _randomised(frame, plan), _planned(frame, plan)
    return Certainty(
        randomised=randomised,
        analysed=analysed,
        by_chance=True,  # trials and experiments alone are asked
        answered=bool(randomised) and analysed >= enough_response * randomised,
        as_planned=planned is not None and analysed >= planned,
        robust=_robust(frame, main),
    )


def _in_all(frame: pd.DataFrame, plan: IndividualPlan) -> int:
    """How many people several comparisons with one control group rest on, each once; zero where that is withheld."""
    counts = ESTIMATORS[plan.model.estimator].counts  # whether those without an outcome are among its n
    return _value(frame, f"{plan.study}/sample/{'randomised' if counts else 'responded'}/count")


def _main_rows(frame: pd.DataFrame, plan: ReturnsPlan | IndividualPlan | ExperimentPlan) -> pd.DataFrame:
    """The planned analyses of the primary outcome, or of the first experiment."""
    known = frame[(frame["analysis"] == "planned") & ~frame["status"].isin(list(LACKING))]
    known = known.dropna(subset=["p_value", "conf_low", "conf_high", "n"])  # comparisons, not means of arms
    if isinstance(plan, ExperimentPlan):
        return known[known["outcome"] == next(iter(plan.experiments))]
    primary = next(key for key, outcome in plan.outcomes.items() if outcome.role == "primary")
    return known[known["outcome"] == primary]


def _value(frame: pd.DataFrame, result_id: str) -> int:
    found = frame.loc[frame["result_id"] == result_id, "estimate"].dropna()
    return int(found.iloc[0]) if len(found) else 0


def _randomised(frame: pd.DataFrame, plan: ReturnsPlan | IndividualPlan | ExperimentPlan) -> int:
    study = plan.study
    if isinstance(plan, ExperimentPlan):
        return _value(frame, f"{study}/{next(iter(plan.experiments))}/participants/count")
    return _value(frame, f"{study}/sample/randomised/count") or _value(frame, f"{study}/flow/randomised/table")


def _planned(frame: pd.DataFrame, plan: ReturnsPlan | IndividualPlan | ExperimentPlan) -> int | None:
    """How many people were to be analysed, where a plan says so."""
    found = frame[frame["result_id"].str.fullmatch(rf"{plan.study}/power/(?:mde_planned/formula|mdes/[\w-]*-planned)")][
        "n"
    ].dropna()
    return int(found.iloc[0]) if len(found) else None


def _robust(frame: pd.DataFrame, main: pd.DataFrame) -> bool:
    """Whether every other version of the main analyses agrees: as clear, and then on the same side."""
    for row in traced_records(main):
        same = (frame["outcome"] == row["outcome"]) & (frame["estimand"] == row["estimand"])
        others = frame[same & (frame["result_id"] != row["result_id"]) & (frame["status"] == "estimated")]
        others = others[~others["result_id"].str.split("/").str[-1].isin(list(_NO_VERSION))]
        for other in traced_records(others.dropna(subset=["conf_low", "conf_high", "estimate"])):
            if is_clear(other) != is_clear(row):
                return False
            if is_clear(row) and (other["estimate"] > 0) != (row["estimate"] > 0):
                return False
    return True
