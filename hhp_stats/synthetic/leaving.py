"""Who leaves during the follow-up, when, and at what cost; and who joins after launch."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hhp_stats.synthetic.absence import Days, day_pattern
from hhp_stats.synthetic.assumptions import Assumptions, TurnoverAssumptions
from hhp_stats.synthetic.calibration import Array, Flags, counts, threshold

SHORT_SERVICE_MONTHS = 24
JOINER_LEAVES = 0.04  # share of joiners who leave again before the end


def draw_leaving(
    *,
    people: pd.DataFrame,
    team: Days,
    stable_absence: Array,
    wellbeing: Array,
    starts: Flags,
    effect: float,
    assumptions: TurnoverAssumptions,
    working_days: int,
    rng: np.random.Generator,
    exact: bool,
) -> Array:
    """On which working day after launch was each person first out of post? NaN for those who stay.

    Log odds of leaving: stable absence, stable wellbeing, agency, short service, a team part, and
    `effect` for those who start the course. Leaving days are spread evenly over the follow-up.
    """
    a, n = assumptions, len(people)
    log_odds = (
        a.absence_log_odds * stable_absence
        + a.wellbeing_log_odds * wellbeing
        + a.agency_log_odds * people["agency"].to_numpy()
        + a.short_service_log_odds * (people["service_months"].to_numpy() < SHORT_SERVICE_MONTHS)
        + a.team_sd * rng.standard_normal(int(team.max()) + 1)[team]
    )
    # The effect is added after the threshold is set, so it moves the share that leaves.
    noise = rng.logistic(size=n) + (0.0 if exact else effect * starts)
    if exact:
        log_odds = log_odds + effect * starts
    leaves = threshold(log_odds=log_odds, noise=noise, share=a.share_24_weeks, exact=exact)
    return np.where(leaves, rng.integers(1, working_days, n), np.nan)


def replacement_costs(*, leaves: Flags, assumptions: TurnoverAssumptions, rng: np.random.Generator) -> Array:
    """What did recruitment and cover cost, where the authority knew? Pounds, to the nearest 50."""
    a = assumptions
    cost = np.round(a.cost_median * np.exp(a.cost_log_sd * rng.standard_normal(len(leaves))) / 50) * 50
    return np.where(leaves & (rng.random(len(leaves)) < a.cost_known_share), cost, np.nan)


def draw_joiners(
    *, people: pd.DataFrame, teams: pd.DataFrame, assumptions: Assumptions, working_days: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, Array, Array, Flags]:
    """Who joins after launch? People, their first working day, day of leaving (NaN), and days of absence.

    New IDs follow on from the authority's last. Joiners are no part of the analysis (P52).
    """
    a = assumptions
    n = round(a.people.joiner_share * len(people))
    team = rng.choice(len(teams), n, p=teams["size"].to_numpy() / teams["size"].sum())
    start = rng.integers(1, working_days - 3, n).astype(np.float64)
    order = np.lexsort((start, team))
    team, start = team[order], start[order]
    shares = np.array(list(a.people.role_shares.values()))
    authority = teams["local_authority"].to_numpy()[team]
    ids = np.empty(n, dtype=object)
    for name in pd.unique(authority):
        rows = np.flatnonzero(authority == name)
        known = int((people["local_authority"] == name).sum())
        for row, number in zip(rows, rng.permutation(len(rows)) + 1 + known, strict=True):
            ids[row] = f"{name[:3].upper()}-{number:04d}"
    frame = pd.DataFrame(
        {
            "staff_id": ids,
            **{
                key: teams[key].to_numpy()[team]
                for key in ("local_authority", "slug", "launch", "team_id", "coffee", "stratum", "treatment")
            },
            "role": np.array(list(a.people.role_shares), dtype=object)[
                rng.choice(len(shares), n, p=shares / shares.sum())
            ],
            "gender": np.where(rng.random(n) < a.people.female_share, "female", "male"),
            "part_time": (rng.random(n) < a.people.part_time_share).astype(np.float64),
            "agency": (rng.random(n) < a.people.agency_share).astype(np.float64),
            "service_months": 0.0,
        }
    )
    again = rng.random(n) < JOINER_LEAVES
    leave = np.where(again, np.minimum(start + 1 + rng.integers(0, working_days, n), working_days - 1), np.nan)
    leave = np.where(leave > start, leave, np.nan)
    days = counts(
        rng.random(n),
        mean=a.absence.mean_days_24_weeks,
        sd=a.absence.sd_days_24_weeks,
        longest=working_days - 8,
    )
    return frame, start, leave, day_pattern(days, working_days=working_days, split=a.absence.spell_split, rng=rng)
