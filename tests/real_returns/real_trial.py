"""A made-up trial whose truth is known: authorities, teams, people, what they missed, who left, what they answered.

Nothing of the package is used: what `plain_analysis` finds in these frames is held against what the commands find in
the files that `real_files` makes of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

ROLES = (
    "student social worker",
    "newly qualified social worker",
    "social worker",
    "senior practitioner",
    "team manager",
    "other",
)
WEEKS = 24
# Name, folder, launch, whether spells are recorded.
AUTHORITIES = (
    ("Amberwick", "amberwick", date(2022, 1, 10), True),
    ("King's Marsh", "kings-marsh", date(2022, 1, 17), True),
    ("Upper and Lower Wold", "upper-and-lower-wold", date(2022, 2, 7), False),
    ("Stoke-on-Tees", "stoke-on-tees", date(2022, 2, 28), True),
    ("Dunmere", "dunmere", date(2022, 3, 14), True),
    ("Eastholt", "eastholt", date(2022, 4, 4), True),
    ("Fenbridge", "fenbridge", date(2022, 4, 25), True),
    ("Garrowdale", "garrowdale", date(2022, 5, 9), True),
    ("Holmsted", "holmsted", date(2022, 5, 23), True),
    ("Inglestow", "inglestow", date(2022, 6, 6), False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """`people` has one row a randomised person or joiner; arms are entered once the teams have been drawn."""

    people: pd.DataFrame
    authorities: tuple[tuple[str, str, date, bool], ...]
    seed: int

    def launch(self) -> dict[str, date]:
        return {name: launch for name, _, launch, _ in self.authorities}


def before_the_draw(*, authorities: int, teams: int, seed: int) -> Truth:
    """Everyone on the baseline returns, with the baseline year."""
    rng = np.random.default_rng(seed)
    rows = []
    chosen = AUTHORITIES[:authorities]
    for place, (name, _, _, spells) in enumerate(chosen):
        number = 0
        for team in range(1, teams + 1):
            level = rng.normal(0, 0.25)
            for _ in range(int(rng.integers(5, 10))):
                number += 1
                service = int(rng.integers(1, 300)) if rng.random() > 0.08 else int(rng.integers(1, 12))
                rate = np.exp(2.1 + level + rng.normal(0, 0.8))
                days = 0.0 if rng.random() < 0.25 else min(np.round(rate * 2) / 2, 90)
                days = min(days, np.floor(service * 20 / 12 * 2) / 2) if service < 12 else days
                rows.append(
                    {
                        "authority": name,
                        "staff": f"{place + 1}{number:03d}",
                        "team": team,
                        "role": ROLES[rng.choice(6, p=[0.05, 0.12, 0.5, 0.15, 0.1, 0.08])],
                        "male": float(rng.random() < 0.18),
                        "service": service,
                        "part_time": float(rng.random() < 0.22),
                        "agency": float(rng.random() < 0.15),
                        "base_days": days if rng.random() > 0.08 else np.nan,
                        "propensity": np.log1p(days),
                        "spells_known": spells,
                    }
                )
    people = pd.DataFrame(rows)
    people["base_spells"] = _spells(people["base_days"]).where(people["spells_known"])
    return Truth(people=people, authorities=chosen, seed=seed)


def _spells(days: pd.Series) -> pd.Series:
    """One spell for every four days, so that no wave has fewer than the one before."""
    return np.ceil(days / 4)


def followed(truth: Truth, arms: dict[tuple[str, int], int], *, effect: float = -1.2) -> Truth:
    """What happened after the launch, once `arms` (authority and team -> 0 or 1) are known."""
    rng = np.random.default_rng(truth.seed + 1)
    people = truth.people.assign(
        treatment=[float(arms[key]) for key in zip(truth.people["authority"], truth.people["team"], strict=True)]
    )
    launch = people["authority"].map(truth.launch())
    n = len(people)
    left = rng.random(n) < 0.08 - 0.02 * people["treatment"]
    day = rng.integers(10, WEEKS * 7 - 3, n)
    leaving = [begin + timedelta(days=int(k)) for begin, k in zip(launch, day, strict=True)]
    people["leaving"] = [monday_to_friday(each) if gone else None for each, gone in zip(leaving, left, strict=True)]
    people["left"] = left.astype(float)
    share = np.where(left, day / (WEEKS * 7), 1.0)
    wanted = np.exp(0.6 + 0.35 * people["propensity"] + rng.normal(0, 0.7, n)) + effect * people["treatment"]
    total = np.floor(np.clip(wanted, 0, 40) * share * 2) / 2
    early = np.floor(total * rng.uniform(0.2, 0.8, n) * 2) / 2
    interim_day = [begin + timedelta(weeks=12) for begin in launch]
    gone_early = [each is not None and each < there for each, there in zip(people["leaving"], interim_day, strict=True)]
    people["gone_early"] = gone_early
    early = np.where(gone_early, total, early)
    people["interim_days"], people["endline_days"] = early, total
    for wave in ("interim", "endline"):
        people[f"{wave}_spells"] = _spells(people[f"{wave}_days"]).where(people["spells_known"])
    people["started"] = (people["treatment"] == 1) & (rng.random(n) < 0.2)
    base = rng.normal(0, 1, n)
    for wave, suffix in (("baseline", 1), ("endline", 2)):
        gain = 0.3 * people["treatment"] if wave == "endline" else 0.0
        answered = rng.random(n) < (0.62 if wave == "baseline" else 0.55)
        people[f"answered_{suffix}"] = answered & (people["left"].eq(0) | (wave == "baseline"))
        people[f"mood_{suffix}"] = 0.75 * base + rng.normal(0, 0.6, n) + gain
    return Truth(people=people, authorities=truth.authorities, seed=truth.seed)


def monday_to_friday(day: date) -> date:
    """The same day, or the Monday after a weekend."""
    return day + timedelta(days=(7 - day.weekday()) % 7 if day.weekday() > 4 else 0)
