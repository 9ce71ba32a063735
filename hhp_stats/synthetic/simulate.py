"""A synthetic trial in memory, in the columns that intake returns: for checking estimators many times over."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hhp_stats.errors import InvalidInput
from hhp_stats.synthetic.assumptions import Assumptions, load_assumptions, overridden
from hhp_stats.synthetic.goal_setting import TrialDraw, draw_trial

SMALLEST = 120  # people: fewer leave some authority without two teams to randomise
FACTS = (
    "baseline_overall_days",
    "baseline_illness_days",
    "baseline_illness_spells",
    "interim_illness_days",
    "interim_illness_spells",
    "endline_illness_days",
    "endline_illness_spells",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedTrial:
    """One simulated trial: what `intake.load_trial` would give for it, and what was planted."""

    people: pd.DataFrame  # columns of Trial.people; joiners are not simulated
    teams: pd.DataFrame  # team_id, local_authority, stratum, treatment, coffee, staff
    truth: Mapping[str, float]
    seed: int


def simulate_trial(
    seed: int,
    *,
    n_people: int | None = None,
    effect: float | None = None,
    nonresponse: bool = True,
    changes: Mapping[str, object] | None = None,
    assumptions: Assumptions | None = None,
) -> SimulatedTrial:
    """What would one trial look like, if the assumptions held, with known effects?

    Teams, people, allocation by the plan's own rule, programme, absence, leaving and survey answers
    are drawn afresh for every `seed`; figures of the assumptions hold in expectation, not in each
    sample. `n_people` (default: as recruited) scales all authorities; `effect` is the planted effect on
    absence (days over 24 weeks, intention to treat); `nonresponse=False` lets everybody answer both
    surveys, leavers too; `changes` overrides other assumptions by name, for example
    {"absence.icc": 0.0, "effects.wellbeing_sd": 0.3, "programme.uptake": 1.0}.

    `truth` holds the planted effects in the units of `data/synthetic_truth.toml`: sickness_absence,
    wellbeing, time_pressure, efficacy (intention to treat), turnover_log_odds (of starters), uptake,
    and sickness_absence_complier. Effects are homogeneous only in expectation: a starter's days fall by
    a share, so a starter with no days gains nothing.

    Refuses fewer than 120 people (InvalidInput), an effect that cannot pass through the starters
    (InvalidInput), unknown changes (PlanError).
    """
    a = load_assumptions() if assumptions is None else assumptions
    overrides = dict(changes or {})
    if effect is not None:
        overrides["effects.absence_days"] = float(effect)
    a = overridden(a, overrides) if overrides else a
    n = a.plan.design.recruited if n_people is None else n_people
    if n < SMALLEST:
        raise InvalidInput(f"a simulated trial needs at least {SMALLEST} people, not {n}")
    draw = draw_trial(assumptions=a, seed=seed, allocation_seed=seed, n_people=n, exact=False)
    uptake = a.programme.uptake
    truth = {
        "sickness_absence": a.effects.absence_days,
        "sickness_absence_complier": a.effects.absence_days / uptake,
        "wellbeing": a.effects.wellbeing_sd,
        "time_pressure": a.effects.time_pressure_sd,
        "efficacy": a.effects.efficacy_sd,
        "turnover_log_odds": a.effects.turnover_log_odds,
        "uptake": uptake,
    }
    return SimulatedTrial(
        people=people_frame(draw, nonresponse=nonresponse), teams=team_frame(draw), truth=truth, seed=seed
    )


def people_frame(draw: TrialDraw, *, nonresponse: bool = True) -> pd.DataFrame:
    """The people of a draw in the columns of `Trial.people`, joiners left out."""
    p = draw.people
    design = draw.assumptions.plan.design
    person = [hashlib.sha256(text.encode()).hexdigest()[:16] for text in p["local_authority"] + "|" + p["staff_id"]]
    columns: dict[str, object] = {
        "person": person,
        "local_authority": p["local_authority"],
        "team_id": p["team_id"],
        "treatment": p["treatment"].astype("float64"),
        "stratum": p["stratum"],
        "coffee": p["coffee"].astype("float64"),
        "randomised": np.ones(len(p), dtype=bool),
        "joined": np.zeros(len(p), dtype=bool),
        "role": p["role"],
        "gender": p["gender"],
        **{name: p[name].astype("float64") for name in ("service_months", "part_time", "agency", *FACTS)},
        "in_baseline": np.ones(len(p), dtype=bool),
        "in_interim": p["in_interim"].astype(bool),
        "in_endline": p["in_endline"].astype(bool),
        "left": p["left"],
        "leaving_date": p["leaving_date"],
        "start_date": p["start_date"],
        "replacement_cost": p["replacement_cost"],
        "launch": p["launch"],
        "interim_date": p["launch"] + dt.timedelta(weeks=design.interim_weeks),
        "endline_date": p["launch"] + dt.timedelta(weeks=design.endline_weeks),
        "enrolled": p["enrolled"],
        "modules_completed": p["modules_completed"].astype("float64"),
    }
    answered = {wave: p[f"responds_{wave}"].to_numpy(dtype=bool) | (not nonresponse) for wave in ("t1", "t2")}
    columns |= {f"responded_{wave}": flag for wave, flag in answered.items()}
    for name in draw.answers.columns.astype(str):
        values = draw.answers[name]
        if values.dtype == "float64":
            columns[name] = values.where(answered[name[-2:]])
        else:
            text = values.astype("str")
            columns[name] = text.where(answered[name[-2:]] & (text != "").to_numpy())
    frame = pd.DataFrame(columns, index=p.index)
    frame = frame.astype(dict.fromkeys(("person", "local_authority", "team_id", "stratum", "role", "gender"), "str"))
    return frame.sort_values(["local_authority", "team_id", "person"], ignore_index=True)


def team_frame(draw: TrialDraw) -> pd.DataFrame:
    """The allocation list of a draw with the number of staff on the baseline list."""
    columns = ["team_id", "local_authority", "stratum", "treatment", "coffee", "size"]
    return draw.teams[columns].rename(columns={"size": "staff"})
