"""Where does an allocation on file differ from what its seed, its strata and its rule give?

Three questions, apart from each other, since their answers mean different things. Arms follow from strata, seed and
number of draws alone, whatever became of the returns: a difference there is a list that was changed. Strata and
p-values follow
from the baseline returns: a difference there may be a return that was corrected after the randomisation.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from hhp_stats.design.randomisation import AllocationRule
from hhp_stats.design.team_sums import Assignments, StratifiedDraw, TeamSums

TOLERANCE = 1e-9  # p-values pass through a linear-algebra library whose sums differ in the last digits by machine
TEAM = ["local_authority", "team_id"]


def drawn_arms(teams: pd.DataFrame, *, seed: int, draw: int) -> pd.Series:
    """Which arm does draw number `draw` of this seed give each team, within the strata on file?

    `teams` has `team_id`, `local_authority` and `stratum`, one row a team in any order; returns 0 and 1 on its index.
    """
    ordered = teams.astype(dict.fromkeys([*TEAM, "stratum"], "str")).sort_values(TEAM, kind="stable")
    arms = _candidate(StratifiedDraw.of(ordered["stratum"]), seed, draw)
    return pd.Series(arms[:, 0].astype(np.int64), index=ordered.index).reindex(teams.index)


def balance_of_draws(
    people: pd.DataFrame, strata: pd.DataFrame, *, rule: AllocationRule, seed: int, draws: int
) -> pd.DataFrame:
    """The p-values of the balance tests in the first draws of this seed: `draw`, one column a test, `accepted`.

    `people` and `strata` as in `randomisation.randomise`, which says what is refused. Raises nothing where draws follow
    an accepted one: that is for the caller to see.
    """
    layout = TeamSums.of(people, strata, rule)
    rows = []
    for number in range(1, draws + 1):
        p_values = layout.p_values(_candidate(layout.draw, seed, number))[0]
        rows.append(
            {
                "draw": number,
                **dict(zip(rule.tests, p_values.tolist(), strict=True)),
                "accepted": bool(np.all(p_values > rule.alpha)),
            }
        )
    return pd.DataFrame(rows)


def _candidate(draw: StratifiedDraw, seed: int, number: int) -> Assignments:
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(number,))))
    return draw.candidates(rng, 1)


def log_differences(log: pd.DataFrame, again: pd.DataFrame, *, rule: AllocationRule) -> list[tuple[int, str, str]]:
    """What differs between a log and the draws repeated: (draw, column, what), in order.

    A log is whole if it ends with the first accepted draw, or with the last that the rule allows.
    """
    found = []
    for row, other in zip(log.to_dict("records"), again.to_dict("records"), strict=True):
        number = int(other["draw"])
        found += [
            (number, test, f"{row[test]:.6g}, repeated {other[test]:.6g}")
            for test in rule.tests
            if not abs(float(row[test]) - other[test]) <= TOLERANCE
        ]
        if bool(row["accepted"]) != other["accepted"]:
            words = {True: "accepted", False: "not accepted"}
            found.append((number, "accepted", f"{words[bool(row['accepted'])]}, repeated {words[other['accepted']]}"))
    early = again.loc[again["accepted"], "draw"]
    if len(early) and int(early.iloc[0]) < len(again):
        found.append((int(early.iloc[0]) + 1, "draw", f"drawn again after draw {int(early.iloc[0])} was accepted"))
    if not len(early) and len(again) < rule.max_redraws + 1:
        found.append((len(again), "draw", f"the log ends after {len(again)} draws without an accepted one"))
    if len(again) > rule.max_redraws + 1:
        found.append((len(again), "draw", f"{len(again)} draws, the rule allows {rule.max_redraws + 1}"))
    return found
