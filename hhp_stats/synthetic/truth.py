"""What was planted in the synthetic goal-setting trial, and what this draw made of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from hhp_stats.estimate.icc import icc_anova
from hhp_stats.synthetic.goal_setting import TrialDraw
from hhp_stats.synthetic.programme import MODULES
from hhp_stats.synthetic.survey_answers import ItemModel, affect, composite, population_values


def planted_truth(draw: TrialDraw) -> dict[str, Any]:
    """The planted parameters, the population values they imply, and the figures realised in this draw.

    `effects` are of the offer (intention to treat) and of starting the course (complier effect: the
    former over the uptake). `realised` are figures of this finite sample, before rounding.
    """
    a, model = draw.assumptions, ItemModel.of(draw.assumptions)
    implied, uptake = population_values(model), a.programme.uptake
    effects = {
        "sickness_absence": (a.effects.absence_days, "working days over 24 weeks"),
        "wellbeing": (a.effects.wellbeing_sd, "standard deviations of the observed composite"),
        "time_pressure": (a.effects.time_pressure_sd, "standard deviations of the observed mean"),
        "efficacy": (a.effects.efficacy_sd, "standard deviations of the observed mean of ten items"),
    }
    survey = a.survey
    return {
        "seed": draw.seed,
        "allocation_seed": draw.allocation.seed,
        "people": len(draw.people),
        "teams": len(draw.teams),
        "effects": {
            **{
                name: {"itt": effect, "complier": effect / uptake, "unit": unit}
                for name, (effect, unit) in effects.items()
            },
            "turnover": {
                "itt": _turnover_itt(draw),
                "starter_log_odds": a.effects.turnover_log_odds,
                "unit": "probability of leaving within 24 weeks",
            },
        },
        "absence": {
            "mean_days_24_weeks": a.absence.mean_days_24_weeks,
            "mean_days_12_months": a.absence.mean_days_12_months,
            "sd_days_24_weeks": a.absence.sd_days_24_weeks,
            "sd_days_12_months": a.absence.sd_days_12_months,
            "icc": a.absence.icc,
            "correlation": a.absence.correlation,
        },
        "turnover": {"share_24_weeks": a.turnover.share_24_weeks},
        "programme": {
            "uptake": uptake,
            "completed": a.programme.completed,
            "contaminated": a.programme.contaminated,
            "recalled": a.programme.recalled,
            "scheduled": a.programme.scheduled,
        },
        "response": {
            "baseline": survey.response_baseline,
            "endline": survey.response_endline,
            "wellbeing_log_odds": survey.wellbeing_log_odds,
            "treatment_log_odds": survey.treatment_log_odds,
            "agency_log_odds": survey.agency_log_odds,
            "part_time_log_odds": survey.part_time_log_odds,
            "habit_sd": survey.habit_sd,
        },
        "wellbeing": {
            "team_icc": a.wellbeing.team_icc,
            "latent_stability": a.wellbeing.stability,
            "composite_stability": implied.stability,
            "r_squared_baseline": implied.r_squared[0],
            "r_squared_endline": implied.r_squared[1],
            "pressure_correlation": implied.pressure_correlation,
            "alpha": {**implied.alpha, "ten_needs": implied.need_alpha},
        },
        "realised": _realised(draw),
    }


def _turnover_itt(draw: TrialDraw) -> float:
    """Zero where no effect is planted; else the planted shift of a starter's chance, averaged over the arm."""
    a = draw.assumptions
    p, shift = a.turnover.share_24_weeks, a.effects.turnover_log_odds
    moved = p * np.exp(shift) / (1 - p + p * np.exp(shift))
    return float(a.programme.uptake * (moved - p))


def _realised(draw: TrialDraw) -> dict[str, Any]:
    people, absence = draw.people, draw.absence
    team = pd.factorize(people["team_id"].to_numpy())[0].astype(np.int64)
    days = absence.follow_up_days.astype(np.float64)
    treated = people["treatment"] == 1
    size = draw.teams["size"]
    waves: dict[str, Any] = {}
    for wave, name in (("t1", "baseline"), ("t2", "endline")):
        answered = people[f"responds_{wave}"].to_numpy(dtype=bool)
        given = draw.answers[answered]
        positive, negative = affect(given, wave)
        happiness, ladder = given[f"happiness_{wave}"], given[f"ladder_{wave}"]
        cognitive = happiness / happiness.std() + ladder / ladder.std()
        level = getattr(draw.wellbeing, wave)
        waves[name] = {
            "responses": int(answered.sum()),
            "r_squared": float(np.corrcoef(cognitive, positive - negative)[0, 1] ** 2),
            "latent_wellbeing_of_respondents": float(level[answered].mean()),
            "latent_wellbeing_of_others": float(level[~answered].mean()),
            "composite_icc": icc_anova(outcome=composite(draw.answers, wave), clusters=team).estimate,
        }
    return {
        "team_size_mean": float(size.mean()),
        "team_size_cv": float(size.std() / size.mean()),
        "treated_teams": int(draw.teams["treatment"].sum()),
        "treated_people": int(treated.sum()),
        "agency_share": float(people["agency"].mean()),
        "absence_mean_days": float(days.mean()),
        "absence_sd_days": float(days.std()),
        "absence_icc": icc_anova(outcome=days, clusters=team).estimate,
        "absence_correlation": float(np.corrcoef(absence.baseline_days, days)[0, 1]),
        "no_absence_share": float((days == 0).mean()),
        "leavers": int(people["left"].sum()),
        "joiners": len(draw.joiners),
        "started": int(people.loc[treated, "enrolled"].sum()),
        "started_in_control": int(people.loc[~treated, "enrolled"].sum()),
        "completed": int((people.loc[treated, "modules_completed"] == MODULES).sum()),
        "baseline_absence_unrecorded": int(people["baseline_illness_days"].isna().sum()),
        "survey": waves,
    }
