"""What the arms look like before any model: means, distributions, balance, attrition, uptake."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from hhp_stats.plan.returns_schema import ReturnsPlan
from hhp_stats.studies.goal_setting.sample import LARGEST

DAYS = (
    (0, 0, "0"),
    (0.5, 2, "up to 2"),
    (2.5, 5, "3 to 5"),
    (5.5, 10, "6 to 10"),
    (10.5, 20, "11 to 20"),
    (20.5, math.inf, "over 20"),
)


def absence_distribution(people: pd.DataFrame, plan: ReturnsPlan) -> pd.DataFrame:
    """Share of each arm by class of days absent: columns arm, bin, people, share."""
    rows = []
    for arm, code in plan.design.arms.items():
        days = people.loc[people["treatment"] == code, "absence_days"].dropna()
        for low, high, label in DAYS:
            inside = int(absence_class(days, low, high).sum())
            share = inside / len(days) if len(days) else math.nan
            rows.append({"arm": arm, "bin": label, "people": inside, "share": share})
    return pd.DataFrame(rows)


def absence_class(days: pd.Series, low: float, high: float) -> pd.Series:
    """Whose days absent fall into a class of `DAYS`? Half days and pro-rata fractions count as the half days they
    reach.
    """
    halves = np.ceil(days * 2 - 1e-9) / 2
    return pd.Series((halves >= low) & (halves <= high) if high > 0 else halves == 0)


def interim(people: pd.DataFrame, plan: ReturnsPlan) -> pd.DataFrame:
    """What did the return after twelve weeks hold? Described by arm and not tested. (Clauses P34 and P102; C49.)"""
    rows = []
    for arm, code in plan.design.arms.items():
        days = people.loc[people["treatment"] == code, "interim_illness_days"].dropna()
        rows.append(
            {"arm": arm, "people": len(days), "mean": days.mean(), "sd": days.std(ddof=1), "none": (days == 0).mean()}
        )
    return pd.DataFrame(rows)


def largest_scores(people: pd.DataFrame, plan: ReturnsPlan) -> pd.DataFrame:
    """How much of all Bradford points do the largest one per cent of scores hold? By arm; those who record spells
    only. No share where nobody has a point.
    """
    known = people.loc[people["records_spells"] & people["bradford"].notna()]
    limit = known["bradford"].quantile(LARGEST)
    rows = []
    for arm, code in plan.design.arms.items():
        scores = known.loc[known["treatment"] == code, "bradford"]
        above = scores > limit
        points = scores.sum()
        rows.append(
            {
                "arm": arm,
                "limit": limit,
                "scores": len(scores),
                "share_of_points": scores[above].sum() / points if points else math.nan,
                "median": scores.median(),
                "zero": (scores == 0).mean(),
            }
        )
    return pd.DataFrame(rows)


def uptake(people: pd.DataFrame, plan: ReturnsPlan) -> pd.DataFrame:
    """Who took part: from the course log for everyone treated, from the survey for those who answered."""
    treated = people.loc[people["treatment"] == plan.design.arms["treatment"]]
    control = people.loc[people["treatment"] == plan.design.arms["control"]]
    answered = treated.loc[treated["recall_t2"].notna()]
    diary = treated.loc[treated["time_protected_t2"].notna()]
    counts = [
        ("started", "Started the course", "P83", (treated["enrolled"] == 1).sum(), len(treated)),
        ("completed", "Completed all six modules", "P83", (treated["modules_completed"] == 6).sum(), len(treated)),
        ("crossed", "Control staff who started it", "P83", (control["enrolled"] == 1).sum(), len(control)),
        (
            "no_recall",
            "Did not recall it or were unsure",
            "P83",
            answered["recall_t2"].isin(["no", "not sure"]).sum(),
            len(answered),
        ),
        ("protected", "Put time for it into the diary", "P83", (diary["time_protected_t2"] == "yes").sum(), len(diary)),
    ]
    table = pd.DataFrame(counts, columns=["key", "label", "clause", "people", "of"])
    return table.assign(share=table["people"] / table["of"].where(table["of"] > 0))


def modules(people: pd.DataFrame, plan: ReturnsPlan) -> pd.DataFrame:
    """How many of those who started completed how many modules."""
    started = people.loc[(people["treatment"] == plan.design.arms["treatment"]) & (people["enrolled"] == 1)]
    count = started["modules_completed"].value_counts().reindex(range(7), fill_value=0)
    return pd.DataFrame(
        {"modules": count.index, "people": count.to_numpy(), "share": count.to_numpy() / max(1, len(started))}
    )


def attrition(people: pd.DataFrame, plan: ReturnsPlan) -> pd.DataFrame:
    """Response and loss by arm and by authority: people, share with each kind of record."""
    rows = []
    groups = [("arm", plan.design.arm_labels[a], people["treatment"] == c) for a, c in plan.design.arms.items()]
    groups += [
        ("authority", site.local_authority, people["local_authority"] == site.local_authority) for site in plan.sites
    ]
    for kind, label, mask in groups:
        part = people.loc[mask]
        rows.append(
            {
                "kind": kind,
                "label": label,
                "people": len(part),
                "teams": part["team_id"].nunique(),
                "baseline_absence": part["baseline_absence"].notna().mean(),
                "outcome": part["absence_days"].notna().mean(),
                "left": part["left"].mean(),
                "baseline_survey": part["responded_t1"].mean(),
                "endline_survey": part["responded_t2"].mean(),
            }
        )
    return pd.DataFrame(rows)


def attrition_by_wellbeing(people: pd.DataFrame, plan: ReturnsPlan) -> pd.DataFrame:
    """Share who answered at endline, by third of baseline wellbeing and arm; those without a baseline apart."""
    level = wellbeing_level(people, pd.Series(True, index=people.index))
    rows = []
    for name in ("Lowest third", "Middle third", "Highest third", "Not known"):
        for arm, code in plan.design.arms.items():
            part = people.loc[(level == name) & (people["treatment"] == code)]
            rows.append({"level": name, "arm": arm, "people": len(part), "answered": part["responded_t2"].mean()})
    return pd.DataFrame(rows)


def wellbeing_level(people: pd.DataFrame, among: pd.Series) -> pd.Series:
    """The third of baseline wellbeing of each person; the limits are those of the people `among`."""
    before = people["wellbeing_t1"]
    low, high = before[among].quantile([1 / 3, 2 / 3])
    level = pd.Series("Not known", index=people.index).mask(before <= low, "Lowest third")
    return level.mask((before > low) & (before <= high), "Middle third").mask(before > high, "Highest third")
