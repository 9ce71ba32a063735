"""Who answers which survey, and what they say about themselves and about the programme."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from hhp_stats.synthetic.assumptions import Assumptions, ProgrammeAssumptions
from hhp_stats.synthetic.calibration import Array, Flags, threshold, top_share
from hhp_stats.synthetic.survey_answers import Wellbeing

MARITAL = (
    "married or domestic partner",
    "single or never married",
    "divorced",
    "separated",
    "widowed",
    "prefer not to say",
)
MARITAL_SHARES = (0.56, 0.26, 0.09, 0.04, 0.02, 0.03)
CHILDREN = ("0", "1", "2", "3", "4 or more", "prefer not to say")
CHILDREN_SHARES = (0.47, 0.19, 0.22, 0.07, 0.02, 0.03)
HEALTH = ("poor", "fair", "good", "excellent")
HEALTH_CUTS = (-1.6, -0.5, 0.9)


def draw_responses(
    *,
    people: pd.DataFrame,
    wellbeing: Wellbeing,
    stays: Flags,
    assumptions: Assumptions,
    rng: np.random.Generator,
    exact: bool,
) -> tuple[Flags, Flags]:
    """Who answers the baseline and the endline survey?

    Log odds: wellbeing at that wave (so answers are missing not at random), agency, part-time, a
    readiness of the person shared by both waves and, at endline, the arm. Leavers get no endline survey.
    """
    a, n = assumptions.survey, len(people)
    common = (
        a.agency_log_odds * people["agency"].to_numpy()
        + a.part_time_log_odds * people["part_time"].to_numpy()
        + a.habit_sd * rng.standard_normal(n)
    )
    first = common + a.wellbeing_log_odds * wellbeing.t1
    second = common + a.wellbeing_log_odds * wellbeing.t2 + a.treatment_log_odds * people["treatment"].to_numpy()
    t1 = threshold(log_odds=first, noise=rng.logistic(size=n), share=a.response_baseline, exact=exact)
    noise = rng.logistic(size=n)
    t2 = np.zeros(n, dtype=bool)
    t2[stays] = threshold(log_odds=second[stays], noise=noise[stays], share=a.response_endline, exact=exact)
    return t1, t2


def draw_context(*, people: pd.DataFrame, wellbeing: Wellbeing, rng: np.random.Generator) -> pd.DataFrame:
    """What would each person answer about age, family, health, contract, hours and caseload, at both waves?"""
    n = len(people)
    years = people["service_months"].to_numpy() / 12
    age = np.clip(np.rint(22 + 0.7 * years + rng.gamma(2.4, 6.0, n)), 22, 68)
    marital = np.array(MARITAL, dtype=object)[rng.choice(len(MARITAL), n, p=MARITAL_SHARES)]
    children = np.array(CHILDREN, dtype=object)[rng.choice(len(CHILDREN), n, p=CHILDREN_SHARES)]
    contract = np.where(rng.random(n) < 0.06, "fixed term or temporary", "permanent").astype(object)
    contract[people["agency"].to_numpy() == 1] = "agency"
    columns: dict[str, npt.NDArray[np.generic]] = {}
    for wave, level in (("t1", wellbeing.t1), ("t2", wellbeing.t2)):
        health = np.searchsorted(HEALTH_CUTS, 0.45 * level + 0.9 * rng.standard_normal(n))
        columns |= {
            f"age_{wave}": age,
            f"marital_status_{wave}": marital,
            f"children_at_home_{wave}": children,
            f"health_{wave}": np.array(HEALTH, dtype=object)[health],
            f"contract_{wave}": contract,
            f"extra_hours_{wave}": np.round(np.clip(rng.gamma(1.3, 3.2, n), 0, 30) * 2) / 2,
            f"caseload_{wave}": np.clip(np.rint(3.9 + 0.6 * level + 1.3 * rng.standard_normal(n)), 1, 7),
        }
    return pd.DataFrame(columns)


def draw_engagement(
    *,
    treatment: npt.NDArray[np.int64],
    starts: Flags,
    modules: npt.NDArray[np.int64],
    asked: Flags,
    assumptions: ProgrammeAssumptions,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """What do endline respondents remember of the programme? Empty for those not asked.

    recall (yes, no, not sure), time_protected (yes, no), modules_reported. The shares of treated
    respondents who remember it and who put it into the diary are met to the person.
    """
    a, n = assumptions, len(treatment)
    keen = 3.0 * starts
    recall = np.full(n, "", dtype=object)
    protected = np.full(n, "", dtype=object)
    remembers = np.zeros(n, dtype=bool)
    treated, control = asked & (treatment == 1), asked & (treatment == 0)
    noise, again, unsure = rng.logistic(size=n), rng.logistic(size=n), rng.random(n) < a.unsure_of_rest
    for group, share, diary in ((treated, a.recalled, a.scheduled), (control, a.recalled_control, 0.0)):
        remembers[group] = top_share(log_odds=keen[group], noise=noise[group], share=share)
        protected[group] = np.where(
            top_share(log_odds=(keen + 4.0 * remembers)[group], noise=again[group], share=diary), "yes", "no"
        )
    recall[asked] = np.where(remembers, "yes", np.where(unsure, "not sure", "no"))[asked]
    slip = rng.choice([-1, 0, 0, 0, 1], n)
    reported: Array = np.where(starts, np.clip(modules + slip, 0, 6), 0).astype(np.float64)
    return pd.DataFrame(
        {"recall": recall, "time_protected": protected, "modules_reported": np.where(asked, reported, np.nan)}
    )
