"""Who is behind the counts of the surveys: answers, links, items, people who differ by wellbeing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from hhp_stats.disclosure.crowd import Crowd
from hhp_stats.disclosure.declared import (
    KEPT,
    LESSER,
    Columns,
    Mask,
    counted,
    internal,
    other,
    share,
    statistic,
)
from hhp_stats.plan.returns_schema import ReturnsPlan
from hhp_stats.studies.goal_setting.balance_members import in_arms, in_groups
from hhp_stats.studies.goal_setting.data_quality import SCALES, VARIABLES
from hhp_stats.studies.goal_setting.descriptives import wellbeing_level
from hhp_stats.studies.goal_setting.sample import NEEDS

LAST_NEED = "need_10"  # of which nine of the ten items do without
LINKED = ("refused", "duplicates", "unmatched")


def by_wellbeing(c: Crowd, plan: ReturnsPlan) -> Columns:
    """Who answered at the end, by arm and level of wellbeing at the start."""
    level = wellbeing_level(c.frame, c.frame["randomised"].astype(bool) & (np.arange(len(c.frame)) < c.people))
    people, answered = [], []
    for name in ("Lowest third", "Middle third", "Highest third", "Not known"):
        for own in in_arms(c, plan):
            people.append(c.of(own & (level == name)))
            answered.append(c.of(own & (level == name) & c.frame["responded_t2"]))
    return {"people": counted(people), "answered": share(answered, people)}


def reliability(c: Crowd, table: pd.DataFrame) -> Columns:
    """Who answered the items of each scale, by wave."""
    items: Mapping[str, tuple[str, ...]] = {
        **{name: SCALES[name][1] for name in ("positive_affect", "negative_affect", "time_pressure")},
        **NEEDS,
        "affect": (*SCALES["positive_affect"][1], *SCALES["negative_affect"][1]),
        "efficacy": tuple(f"need_{n}" for n in range(1, 11)),
    }
    rows = [
        c.of(c.frame["randomised"] & c.frame[[f"{item}_t1" for item in items[name]]].notna().all(axis="columns"))
        for name in table["scale"]
    ]
    inside = statistic(rows)
    return {
        "n": counted(rows, worth=LESSER),
        "estimate": inside,
        "conf_low": inside,
        "conf_high": inside,
        "items": other(),
    }


def combination(c: Crowd) -> Columns:
    """Whose two halves of wellbeing are known at the start."""
    known = [c.of(c.frame["randomised"] & c.frame["cognitive_t1"].notna() & c.frame["balance_t1"].notna())]
    return {"n": counted(known), "correlation": statistic(known), "r_squared": statistic(known), "threshold": other()}


def linkage(c: Crowd, table: pd.DataFrame) -> Columns:
    """Responses of each wave on their way to a person."""
    names: dict[str, list[Mask]] = {
        name: [] for name in ("responses", "consented", "duplicates", "used", "matched", "unmatched")
    }
    for wave in table["wave"]:
        answered = c.frame["randomised"] & c.frame["responded_t1" if wave == "baseline" else "responded_t2"]
        refused, twice, unknown = (f"{wave} {name}" for name in LINKED)
        elsewhere = f"{wave} matched, not randomised"
        names["responses"].append(c.of(answered, elsewhere, refused, twice, unknown))
        names["consented"].append(c.of(answered, elsewhere, twice, unknown))
        names["duplicates"].append(c.nobody(twice))
        names["used"].append(c.of(answered, elsewhere, unknown))
        names["matched"].append(c.of(answered, elsewhere))
        names["unmatched"].append(c.nobody(unknown))
    return {name: counted(members, worth=LESSER) for name, members in names.items()}


def missingness(c: Crowd, plan: ReturnsPlan) -> Columns:
    """Of whom each variable is missing, by arm and site."""
    people, missing = [], []
    for variable, (_, source) in VARIABLES.items():
        lacking = ~c.frame[variable].astype(bool) if source == "surveys" else c.frame[variable].isna()
        for own in in_groups(c, plan):
            people.append(c.of(own))
            missing.append(c.of(own & lacking))
    return {"people": counted(people, worth=KEPT), "missing": counted(missing)}


def items(c: Crowd, table: pd.DataFrame) -> Columns:
    """Who answered each item."""
    own = [
        c.of(c.frame["randomised"] & c.frame[f"responded_{'t1' if wave == 'baseline' else 't2'}"])
        for wave in table["wave"]
    ]
    return {
        "items": other(),
        "respondents": counted(own),
        "complete": internal(),
        "partial": internal(),
        "none": internal(),
        "missing_share": statistic(own).rounded(3),
    }
