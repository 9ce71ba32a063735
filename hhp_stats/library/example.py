"""A small made-up trial for the examples: teams drawn within authorities, with gaps, leavers and partial take-up."""

from __future__ import annotations

import numpy as np
import pandas as pd

TEAMS, AUTHORITIES = 48, ("Ashdown", "Birch", "Cedar")


def example_trial(*, seed: int = 1) -> pd.DataFrame:
    """A trial of 48 teams in three places, which nobody ran; one row a person.

    person, authority, team, treatment (0/1, drawn by team within authority), role, baseline and absence (days; a
    tenth of the absences are missing, more of them in the control arm), left (0/1) and took_part (0/1, offered to the
    treated only). The planted effect on absence is -1 day.

    >>> import hhp_stats as hs
    >>> hs.example_trial().shape
    (288, 9)
    """
    rng = np.random.default_rng(seed)
    team = np.arange(TEAMS)
    authority = team % len(AUTHORITIES)
    treated = np.zeros(TEAMS, dtype=np.int64)
    for stratum in range(len(AUTHORITIES)):
        places = np.flatnonzero(authority == stratum)
        treated[rng.permutation(places)[: len(places) // 2]] = 1
    sizes = rng.permutation(np.resize((4, 5, 6, 6, 7, 8), TEAMS))
    of = np.repeat(team, sizes)
    n = len(of)
    arm = treated[of]
    baseline = rng.gamma(2.0, 2.0, size=n).round(1)
    own = rng.normal(0, 0.8, size=TEAMS)[of]
    absence = (3.5 + 0.4 * baseline - arm + own + rng.normal(0, 2.5, size=n)).round(1)
    absence[rng.random(n) < np.where(arm == 1, 0.06, 0.14)] = np.nan
    return pd.DataFrame(
        {
            "person": [f"P{number:03d}" for number in range(1, n + 1)],
            "authority": np.array(AUTHORITIES)[authority[of]],
            "team": [f"T{number:02d}" for number in of + 1],
            "treatment": arm,
            "role": rng.choice(["manager", "practitioner", "student"], size=n, p=[0.2, 0.6, 0.2]),
            "baseline": baseline,
            "absence": absence,
            "left": (rng.random(n) < 0.12 - 0.04 * arm).astype(np.int64),
            "took_part": ((rng.random(n) < 0.7) & (arm == 1)).astype(np.int64),
        }
    )
