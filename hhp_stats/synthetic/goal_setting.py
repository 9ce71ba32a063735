"""The synthetic goal-setting trial: everything that happens to its people, before anybody writes it down.

`returns.py` and `exports.py` write it down as raw files; `simulate.py` as the analysis frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from hhp_stats.design.randomisation import Allocation, AllocationRule, randomise
from hhp_stats.design.strata import make_strata
from hhp_stats.synthetic.absence import SPELLS_MOST, Absence, day_pattern, draw_absence
from hhp_stats.synthetic.assumptions import Assumptions
from hhp_stats.synthetic.calibration import Array, Flags, stream
from hhp_stats.synthetic.leaving import draw_joiners, draw_leaving, replacement_costs
from hhp_stats.synthetic.people import draw_people, draw_teams
from hhp_stats.synthetic.programme import absence_with_programme, draw_course_log, draw_starters, starters_absence
from hhp_stats.synthetic.records import Column, baseline_records, follow_up_returns, working_days
from hhp_stats.synthetic.response import draw_context, draw_engagement, draw_responses
from hhp_stats.synthetic.survey_answers import (
    SHIFTED,
    ItemModel,
    Wellbeing,
    draw_answers,
    draw_wellbeing,
    population_values,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrialDraw:
    """One drawn trial. Frames share their index within each of the two groups of people."""

    assumptions: Assumptions
    seed: int
    teams: pd.DataFrame  # team_id, local_authority, slug, size, building, stratum, treatment, coffee
    allocation: Allocation
    people: pd.DataFrame  # on the baseline lists: facts of every wave
    answers: pd.DataFrame  # what people would answer, <field>_t1 and <field>_t2
    wellbeing: Wellbeing  # latent
    absence: Absence  # potential, without the programme
    joiners: pd.DataFrame  # the follow-up columns of `people`
    joiner_answers: pd.DataFrame


def draw_trial(
    *,
    assumptions: Assumptions,
    seed: int,
    allocation_seed: int,
    n_people: int,
    exact: bool,
    contaminated: int = 0,
) -> TrialDraw:
    """What happens to everybody on the baseline lists, and to those who join?

    With `exact` the sample meets the assumptions' figures (shares to the person; the correlation and
    ICC of absence to rounding); without it the figures are the population's and people are drawn
    independently given their teams, as a simulation of an estimator needs. The same arguments give
    the same trial.
    """
    a = assumptions
    teams = draw_teams(assumptions=a, n_people=n_people, rng=stream(seed, "teams"))
    people = draw_people(teams=teams, assumptions=a, rng=stream(seed, "people"), exact=exact)
    team = pd.factorize(people["team_id"].to_numpy())[0].astype(np.int64)
    model = ItemModel.of(a)
    implied = population_values(model)
    wellbeing = draw_wellbeing(
        team=team,
        team_share=a.wellbeing.team_icc / implied.composite_wellbeing**2,
        stability=a.wellbeing.stability,
        rng=stream(seed, "wellbeing"),
    )
    days = working_days(a, a.plan.design.endline_weeks)
    absence = draw_absence(
        people=people,
        team=team,
        wellbeing=wellbeing.stable,
        assumptions=a.absence,
        working_days=days,
        rng=stream(seed, "absence"),
        exact=exact,
    )
    people = people.assign(**baseline_records(people, absence, a, stream(seed, "baseline records")))
    allocation = _allocate(people, a, allocation_seed)
    placed = allocation.teams.set_index("team_id").loc[teams["team_id"]]
    teams = teams.assign(stratum=placed["stratum"].to_numpy(), treatment=placed["treatment"].to_numpy())
    people = people.assign(stratum=teams["stratum"].to_numpy()[team], treatment=teams["treatment"].to_numpy()[team])
    people = people.assign(**_follow_up(people, team, wellbeing, absence, a, seed, days, contaminated, exact))
    starts = people["enrolled"].to_numpy() == 1
    stays = (people["left"] == 0).to_numpy()
    responds = draw_responses(
        people=people, wellbeing=wellbeing, stays=stays, assumptions=a, rng=stream(seed, "response"), exact=exact
    )
    answers = draw_answers(
        wellbeing=wellbeing, shifts=_shifts(starts, a, implied.per_shift), model=model, rng=stream(seed, "answers")
    )
    engagement = draw_engagement(
        treatment=people["treatment"].to_numpy(),
        starts=starts,
        modules=people["modules_completed"].to_numpy(),
        asked=responds[1],
        assumptions=a.programme,
        rng=stream(seed, "engagement"),
    )
    context = draw_context(people=people, wellbeing=wellbeing, rng=stream(seed, "context"))
    answers = pd.concat([answers, context, engagement.add_suffix("_t2")], axis=1)
    people = people.assign(responds_t1=responds[0], responds_t2=responds[1])
    joiners, joiner_answers = _joiners(people, teams, a, seed, days)
    return TrialDraw(
        assumptions=a,
        seed=seed,
        teams=teams,
        allocation=allocation,
        people=people,
        answers=answers,
        wellbeing=wellbeing,
        absence=absence,
        joiners=joiners,
        joiner_answers=joiner_answers,
    )


def allocation_rule(assumptions: Assumptions) -> AllocationRule:
    """The plan's acceptance rule."""
    design = assumptions.plan.design
    return AllocationRule(max_redraws=design.max_redraws, alpha=design.balance_alpha)


def randomisation_list(people: pd.DataFrame) -> pd.DataFrame:
    """The columns of the baseline list that strata and balance tests use."""
    return pd.DataFrame(
        {
            "staff_id": people["staff_id"],
            "team_id": people["team_id"],
            "local_authority": people["local_authority"],
            "role": people["role"],
            "agency": people["agency"],
            "service_years": people["service_months"] / 12,
            "absence_days": people["baseline_illness_days"],
        }
    )


def _allocate(people: pd.DataFrame, a: Assumptions, seed: int) -> Allocation:
    listed = randomisation_list(people)
    return randomise(people=listed, strata=make_strata(people=listed), rule=allocation_rule(a), seed=seed)


def _follow_up(
    people: pd.DataFrame,
    team: npt.NDArray[np.int64],
    wellbeing: Wellbeing,
    absence: Absence,
    a: Assumptions,
    seed: int,
    days: int,
    contaminated: int,
    exact: bool,
) -> Mapping[str, Column]:
    """The programme, absence, leaving: the columns of the two follow-up returns and of the course log."""
    treatment = people["treatment"].to_numpy()
    starts = draw_starters(
        treatment=treatment,
        team=team,
        wellbeing=wellbeing.t1,
        assumptions=a.programme,
        contaminated=contaminated,
        rng=stream(seed, "starters"),
        exact=exact,
    )
    longest = days - SPELLS_MOST - 1
    if exact:  # the planted effect is that of this very sample
        offered = starts & (treatment == 1)
        starters_days = float(absence.follow_up_days[offered].mean())
        uptake = float(offered.sum() / (treatment == 1).sum())
    else:
        correlation = absence.wellbeing_correlation * np.sqrt(a.wellbeing.stability)
        starters_days = starters_absence(
            absence=a.absence, programme=a.programme, correlation=correlation, longest=longest
        )
        uptake = a.programme.uptake
    sick = absence_with_programme(
        days=absence.follow_up_days,
        starts=starts,
        effect=a.effects.absence_days,
        uptake=uptake,
        starters_days=starters_days,
        longest=longest,
        rng=stream(seed, "programme"),
    )
    pattern = day_pattern(sick, working_days=days, split=a.absence.spell_split, rng=stream(seed, "pattern"))
    leave = draw_leaving(
        people=people,
        team=team,
        stable_absence=absence.stable,
        wellbeing=wellbeing.stable,
        starts=starts,
        effect=a.effects.turnover_log_odds,
        assumptions=a.turnover,
        working_days=days,
        rng=stream(seed, "leaving"),
        exact=exact,
    )
    completers = round(a.programme.completed * int((treatment == 1).sum()))
    log = draw_course_log(
        starts=starts,
        completers=completers,
        leave_day=leave,
        launch=people["launch"],
        assumptions=a.programme,
        rng=stream(seed, "course log"),
    ).reindex(people.index)
    leaves = ~np.isnan(leave)
    costs = replacement_costs(leaves=leaves, assumptions=a.turnover, rng=stream(seed, "costs"))
    first = np.zeros(len(people))
    return {
        "enrolled": starts.astype(np.float64),
        "enrolled_on": log["enrolled_on"],
        "modules_completed": log["modules_completed"].fillna(0).to_numpy(dtype=np.int64),
        "last_activity_on": log["last_activity_on"],
        "replacement_cost": costs,
        **follow_up_returns(people, pattern, first, leave, a, stream(seed, "follow-up records")),
    }


def _shifts(starts: Flags, a: Assumptions, per_shift: Mapping[str, float]) -> dict[str, Array]:
    """Shift of each factor at endline: the effect of the offer over the uptake, for those who start."""
    effects = {
        "wellbeing": a.effects.wellbeing_sd,
        "time_pressure": a.effects.time_pressure_sd,
        "efficacy": a.effects.efficacy_sd,
    }
    return {
        factor: np.asarray(starts * (effects[score] / a.programme.uptake / per_shift[score]), dtype=np.float64)
        for score, factors in SHIFTED.items()
        for factor in factors
    }


def _joiners(
    people: pd.DataFrame, teams: pd.DataFrame, a: Assumptions, seed: int, days: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = stream(seed, "joiners")
    joiners, start, leave, pattern = draw_joiners(people=people, teams=teams, assumptions=a, working_days=days, rng=rng)
    facts = follow_up_returns(joiners, pattern, start, leave, a, rng)
    starts = (joiners["treatment"].to_numpy() == 1) & (rng.random(len(joiners)) < a.programme.joiner_uptake)
    starts &= np.isnan(leave) & (start + 60 < days)  # time left to enrol
    first_day = pd.Series(np.asarray(facts["start_date"]), index=joiners.index)
    log = draw_course_log(
        starts=starts, completers=0, leave_day=leave, launch=first_day, assumptions=a.programme, rng=rng
    ).reindex(joiners.index)
    joiners = joiners.assign(
        enrolled=starts.astype(np.float64),
        enrolled_on=log["enrolled_on"],
        modules_completed=log["modules_completed"].fillna(0).to_numpy(dtype=np.int64),
        last_activity_on=log["last_activity_on"],
        replacement_cost=np.nan,
        **facts,
    )
    wellbeing = draw_wellbeing(team=np.arange(len(joiners)), team_share=0.0, stability=a.wellbeing.stability, rng=rng)
    answers = draw_answers(wellbeing=wellbeing, shifts={}, model=ItemModel.of(a), rng=rng)
    responds = (joiners["left"] == 0).to_numpy() & (rng.random(len(joiners)) < a.survey.joiner_response)
    engagement = draw_engagement(
        treatment=np.zeros(len(joiners), dtype=np.int64),
        starts=starts,
        modules=joiners["modules_completed"].to_numpy(),
        asked=responds,
        assumptions=a.programme,
        rng=rng,
    )
    context = draw_context(people=joiners, wellbeing=wellbeing, rng=rng)
    answers = pd.concat([answers, context, engagement.add_suffix("_t2")], axis=1)
    return joiners.assign(responds_t1=False, responds_t2=responds), answers
