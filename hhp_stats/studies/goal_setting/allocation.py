"""The randomisation by the plan's rule: strata, further draws, chances of treatment, and a new draw. (P14-P22.)

That the list on file is what was drawn is checked where it is read (`hhp_stats.intake.rules_randomisation`).
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from hhp_stats.design.randomisation import (
    Allocation,
    AllocationRule,
    Redraws,
    assignment_probabilities,
    randomise,
)
from hhp_stats.design.strata import make_strata
from hhp_stats.intake.trial import Trial
from hhp_stats.plan.returns_schema import ReturnsPlan
from hhp_stats.tails import student_quantile

PROBABILITY_DRAWS = 2_000
STREAM = 4


def rule_of(plan: ReturnsPlan) -> AllocationRule:
    """The plan's acceptance rule."""
    return AllocationRule(max_redraws=plan.design.max_redraws, alpha=plan.design.balance_alpha)


def listed(people: pd.DataFrame) -> pd.DataFrame:
    """The randomisation list: everyone on a baseline return, with what strata and balance tests use."""
    return pd.DataFrame(
        {
            "staff_id": people["person"],
            "team_id": people["team_id"],
            "local_authority": people["local_authority"],
            "role": people["role"],
            "agency": people["agency"],
            "service_years": people["service_months"] / 12,
            "absence_days": people["baseline_illness_days"],
        }
    )


def redraws(people: pd.DataFrame, plan: ReturnsPlan) -> Redraws:
    """Further allocations by the trial's own rule, for randomisation inference."""
    strata = people[["team_id", "stratum"]].drop_duplicates()
    return Redraws.of(people=listed(people), strata=strata, rule=rule_of(plan))


def strata_table(trial: Trial) -> pd.DataFrame:
    """Teams and people by stratum and arm."""
    people = trial.people.loc[trial.people["randomised"]]
    keys = ["local_authority", "stratum"]
    parts = []
    for arm, code in (("control", 0), ("treatment", 1)):
        part = people.loc[people["treatment"] == code].groupby(keys)
        parts.append(part["team_id"].nunique().rename(f"teams_{arm}"))
        parts.append(part["person"].size().rename(f"people_{arm}"))
    return pd.concat(parts, axis="columns").fillna(0).astype("int64").sort_index().reset_index()


def strata_if_zero(people: pd.DataFrame) -> pd.DataFrame:
    """What if "null imputed" (clause P47, C59) meant zero: how many teams would be in another quartile or stratum?
    One row.

    `agency_with_absence` and `agency_with_absence_if_zero` are the correlations, over teams, of the share of agency
    staff with the mean absence that makes the quartiles: what entangles the two stratifying variables.
    """
    inside = listed(people.loc[people["in_baseline"]])
    used = make_strata(people=inside).set_index("team_id")
    zero = make_strata(people=inside, unrecorded="zero").set_index("team_id").loc[used.index]
    return pd.DataFrame(
        [
            {
                "teams": len(used),
                "other_quartile": int((used["absence_quartile"] != zero["absence_quartile"]).sum()),
                "other_stratum": int((used["stratum"] != zero["stratum"]).sum()),
                "agency_with_absence": used["agency_share"].corr(used["mean_absence"]),
                "agency_with_absence_if_zero": zero["agency_share"].corr(zero["mean_absence"]),
            }
        ]
    )


def probabilities(people: pd.DataFrame, plan: ReturnsPlan) -> tuple[pd.DataFrame, pd.DataFrame]:
    """How often each team would be treated under the rule: summary in one row, and the map with one row a team.

    The map has `local_authority`, `stratum`, `probability` and `std_error` (of the simulation), and no name of a team.
    """
    strata = people[["team_id", "stratum", "local_authority"]].drop_duplicates()
    found = assignment_probabilities(
        people=listed(people),
        strata=strata[["team_id", "stratum"]],
        rule=rule_of(plan),
        draws=PROBABILITY_DRAWS,
        rng=np.random.default_rng([plan.seed, STREAM]),
        pairs=0,
    )
    share = found.teams["probability"]
    reach = float(student_quantile(0.5 + plan.conf_level / 2, math.inf)) * np.sqrt(0.25 / found.draws)
    summary = pd.DataFrame(
        [
            {
                "teams": len(share),
                "draws": found.draws,
                "accepted": found.accepted,
                "smallest": share.min(),
                "largest": share.max(),
                "mean": share.mean(),
                "beyond_chance": int((np.abs(share - 0.5) > reach).sum()),
            }
        ]
    )
    places = strata.set_index("team_id")["local_authority"]
    teams = found.teams.assign(local_authority=found.teams["team_id"].map(places))
    teams = teams.sort_values(["local_authority", "stratum", "probability"], ignore_index=True)
    return summary, teams[["local_authority", "stratum", "probability", "std_error"]]


def drawn(listed_people: pd.DataFrame, plan: ReturnsPlan, *, seed: int) -> Allocation:
    """A new allocation of the teams of a randomisation list (`intake.rules_randomisation.baseline_list`), by the
    plan's rule.
    """
    return randomise(people=listed_people, strata=make_strata(people=listed_people), rule=rule_of(plan), seed=seed)
