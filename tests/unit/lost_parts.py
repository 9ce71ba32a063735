"""Parts of a trial that get lost between the authorities and the analysis, one at a time, in simulated people."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from hhp_stats.studies.goal_setting.sample import NEEDS

Loss = Callable[[pd.DataFrame], pd.DataFrame]
LATE = ("endline_illness_days", "endline_illness_spells")
AFFECT = tuple(f"affect_{n}" for n in range(1, 7))
SCALES = {
    "happiness": ("happiness",),
    "ladder": ("ladder",),
    "affect": AFFECT,
    "negative affect": AFFECT[1::2],
    "burnout": tuple(f"burnout_{n}" for n in range(1, 9)),
    "needs": tuple(item for names in NEEDS.values() for item in names),
    "time pressure": ("pressure_1", "pressure_2"),
    "caseload": ("caseload",),
}


def _first(people: pd.DataFrame) -> str:
    return str(people["local_authority"].iloc[0])


def vanished(people: pd.DataFrame) -> pd.DataFrame:
    """One stayer of every authority is on no later return."""
    stay = people.loc[(people["left"] == 0) & people["randomised"]]
    gone = stay.groupby("local_authority").head(1).index
    found = people.copy()
    found.loc[gone, [*LATE, "left"]] = np.nan
    found.loc[gone, "in_endline"] = False
    return found


def without_endline(people: pd.DataFrame) -> pd.DataFrame:
    """The first authority sent no endline return: only who left by the interim return is known to have left."""
    own = people["local_authority"] == _first(people)
    found = people.copy()
    found.loc[own, list(LATE)] = np.nan
    found.loc[own, "in_endline"] = False
    found.loc[own & (people["left"] == 0), "left"] = np.nan
    return found


def without_any_endline(people: pd.DataFrame) -> pd.DataFrame:
    """No authority sent an endline return."""
    found = people.assign(**dict.fromkeys(LATE, np.nan), in_endline=False)
    return found.assign(left=people["left"].where(people["left"] == 1))


def without(*columns: str) -> Loss:
    """Nobody has a value in these columns."""
    return lambda people: people.assign(**dict.fromkeys(columns, np.nan))


def constant(value: float, *columns: str) -> Loss:
    """Everybody who has a value in these columns has this one."""
    return lambda people: people.assign(**{name: people[name].where(people[name].isna(), value) for name in columns})


def unanswered(wave: str, whose: Callable[[pd.DataFrame], pd.Series]) -> Loss:
    """Some people answered nothing at one survey."""

    def lose(people: pd.DataFrame) -> pd.DataFrame:
        lost = whose(people)
        found = people.copy()
        for name in [name for name in people if str(name).endswith(f"_{wave}") and not str(name).startswith("resp")]:
            found[name] = found[name].mask(lost)
        found[f"responded_{wave}"] = found[f"responded_{wave}"] & ~lost
        return found

    return lose


def nobody_left(people: pd.DataFrame) -> pd.DataFrame:
    """Everybody stayed."""
    return people.loc[people["left"] != 1].reset_index(drop=True)


LOSSES: dict[str, Loss] = {
    "people who vanish": vanished,
    "an authority without an endline": without_endline,
    "no endline at all": without_any_endline,
    "no spells at the end": without("endline_illness_spells", "interim_illness_spells"),
    "no absence at the end": without(*LATE, "interim_illness_days", "interim_illness_spells"),
    "no absence before": without("baseline_illness_days", "baseline_illness_spells"),
    "no absence of anybody": constant(0.0, *LATE, "interim_illness_days", "interim_illness_spells"),
    "nobody left": nobody_left,
    "no prices of leavers": without("replacement_cost"),
    "nobody took the course": constant(0.0, "enrolled", "modules_completed"),
    **{
        f"no answers at {wave} of {who}": unanswered(wave, whose)
        for wave in ("t1", "t2")
        for who, whose in {
            "anybody": lambda people: people["randomised"] | True,
            "the treated": lambda people: people["treatment"] == 1,
            "one authority": lambda people: people["local_authority"] == _first(people),
        }.items()
    },
    **{
        f"{scale} {how} at {wave}": lose(*(f"{item}_{wave}" for item in items))
        for wave in ("t1", "t2")
        for scale, items in SCALES.items()
        for how, lose in {
            "not answered": without,
            "answered alike": lambda *names: constant(4.0, *names),
        }.items()
    },
}
