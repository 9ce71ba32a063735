"""Whom do the numbers of the goal-setting trial's tables count? Declarations for disclosure control."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from hhp_stats.disclosure.crowd import Crowd, crowd
from hhp_stats.disclosure.declared import (
    GIVEN_UP,
    KEPT,
    LESSER,
    Columns,
    Mask,
    cells,
    counted,
    other,
    share,
    statistic,
)
from hhp_stats.intake.trial import Trial
from hhp_stats.plan.returns_schema import ReturnsPlan
from hhp_stats.studies.goal_setting.balance_members import balance, differences, in_arms, in_groups
from hhp_stats.studies.goal_setting.data_quality import SCALES, linkage_by_wave
from hhp_stats.studies.goal_setting.descriptives import DAYS, absence_class
from hhp_stats.studies.goal_setting.imputation_model import SPELLS
from hhp_stats.studies.goal_setting.survey_members import (
    LAST_NEED,
    by_wellbeing,
    combination,
    items,
    linkage,
    missingness,
    reliability,
)
from hhp_stats.studies.intake_columns import correction_columns, intake_columns

# Scale -> scores that need its items.
SCORES: Mapping[str, tuple[str, ...]] = {
    "happiness": ("happiness", "cognitive", "wellbeing"),
    "ladder": ("ladder", "cognitive", "wellbeing"),
    "positive_affect": ("positive_affect", "balance", "wellbeing"),
    "negative_affect": ("negative_affect", "balance", "wellbeing"),
    "time_pressure": ("time_pressure",),
    "autonomy": ("autonomy", "efficacy", "efficacy_nine"),
    "competence": ("competence", "efficacy", "efficacy_nine"),
    "relatedness": ("relatedness", "efficacy", "efficacy_nine"),
    "burnout": ("burnout",),
    "intention": ("intention",),
    "satisfaction": ("satisfaction",),
}


def everyone(trial: Trial, people: pd.DataFrame) -> Crowd:
    """Everybody on any return, the randomised first, and responses that belong to nobody known.

    Imagined: in each arm and authority, people who answered a survey but for the items of one scale, or for the last
    item on needs; without them a scale that nobody left out alone would look as if it could not be.
    """
    rest = trial.people.loc[~trial.people["randomised"]]
    listed = pd.concat([people, rest.assign(records_spells=False)], ignore_index=True) if len(rest) else people
    blocks: dict[str, int] = {}
    for row in linkage_by_wave(trial.linkage).to_dict("records"):
        parts = {
            "refused": row["responses"] - row["consented"],
            "duplicates": row["duplicates"],
            "unmatched": row["unmatched"],
        }
        answered = people[f"responded_{'t1' if row['wave'] == 'baseline' else 't2'}"].sum()
        blocks |= {f"{row['wave']} {name}": int(size) for name, size in parts.items()}
        blocks[f"{row['wave']} matched, not randomised"] = int(row["matched"] - answered)
    return crowd(listed, imagined=_imagined(people), anonymous=blocks)


def _imagined(people: pd.DataFrame) -> pd.DataFrame:
    found = []
    for wave in ("t1", "t2"):
        answered = people.loc[people[f"responded_{wave}"]].drop_duplicates(["treatment", "local_authority"])
        items = {f"{item}_{wave}" for _, names in SCALES.values() for item in names}
        scores = {f"{score}_{wave}" for names in SCORES.values() for score in names}
        full = answered.assign(**dict.fromkeys(sorted(items | scores), 1.0))
        lost = {name: ([f"{item}_{wave}" for item in SCALES[name][1]], SCORES[name]) for name in SCORES}
        lost["last need"] = ([f"{LAST_NEED}_{wave}"], ("relatedness", "efficacy"))
        for columns, names in lost.values():
            gone = [*columns, *(f"{name}_{wave}" for name in names)]
            found.append(full.assign(**dict.fromkeys(gone, np.nan)))
    return pd.concat(found, ignore_index=True) if found else people.iloc[:0]


def columns(c: Crowd, trial: Trial, plan: ReturnsPlan, tables: Mapping[str, pd.DataFrame]) -> dict[str, Columns]:
    """The declarations of every table of the trial that has numbers."""
    made: Mapping[str, Callable[[], Columns]] = {
        "flow": lambda: _flow(c, plan),
        "balance": lambda: balance(c, plan, tables["balance"]),
        "personal": lambda: balance(c, plan, tables["personal"], among="responded_t1", worth=GIVEN_UP),
        "balance_differences": lambda: differences(c, plan, tables["balance_differences"]),
        "team_balance": lambda: _teams(c, plan, tables["team_balance"]),
        "interim": lambda: _interim(c, plan),
        "largest_scores": lambda: _largest(c, plan),
        "absence_distribution": lambda: _distribution(c, plan),
        "uptake": lambda: _uptake(c, plan),
        "modules": lambda: _modules(c, plan),
        "attrition": lambda: _attrition(c, plan),
        "attrition_wellbeing": lambda: by_wellbeing(c, plan),
        "reliability": lambda: reliability(c, tables["reliability"]),
        "combination": lambda: combination(c),
        "imputation": lambda: _others(tables["imputation"]),
        "corrections": correction_columns,
        "linkage": lambda: linkage(c, tables["linkage"]),
        "tolerances": lambda: {"count": cells(plan.disclosure.threshold)},
        "rules": lambda: {"fired": cells(plan.disclosure.threshold), "files": other()},
        "missingness": lambda: missingness(c, plan),
        "item_nonresponse": lambda: items(c, tables["item_nonresponse"]),
        "acceptability": lambda: _others(tables["acceptability"]),
        "tipping": lambda: _others(tables["tipping"]),
        "strata": lambda: _strata(c, tables["strata"]),
        "assignment": lambda: _others(tables["assignment"]),
        "assignment_map": lambda: _others(tables["assignment_map"]),
        "strata_if_zero": lambda: _others(tables["strata_if_zero"]),
        "selection": lambda: _selection(c, tables["selection"], plan),
        "cost_parts": lambda: _costs(c, tables["cost_parts"]),
        "replay": lambda: _others(tables["replay"]),
        "baseline_balance": lambda: _recorded(c, plan, tables["baseline_balance"]),
        "imputation_model": lambda: _model(c, tables["imputation_model"]),
        "monte_carlo": lambda: _others(tables["monte_carlo"]),
        "cost_versions": lambda: _others(tables["cost_versions"]),
        "maxima": lambda: _others(tables["maxima"]),
    }
    found = intake_columns(tables["inputs"], known=_files(c, trial))
    return found | {name: make() for name, make in made.items() if name in tables and len(tables[name].columns)}


def _others(table: pd.DataFrame) -> Columns:
    """Settings, draws and fits of models: nothing in them counts people."""
    return {
        str(name): other()
        for name in table.columns
        if pd.api.types.is_numeric_dtype(table[name]) and table[name].dtype != bool
    }


def _files(c: Crowd, trial: Trial) -> dict[str, Mask]:
    """Whom the lines of the returns list, and of the list of survey codes."""
    p, found = c.frame, {}
    real = np.arange(len(p)) < c.people
    for row in trial.inputs.to_dict("records"):
        wave = row.get("wave")
        if isinstance(wave, str) and f"in_{wave}" in p:
            own = c.of(real & (p["local_authority"] == row["local_authority"]) & p[f"in_{wave}"].astype(bool))
            if int(own[: c.there].sum()) == row["rows"]:
                found[str(row["path"])] = own
    return found


def _flow(c: Crowd, plan: ReturnsPlan) -> Columns:
    """Row by row as `participant_flow` counts them."""
    p = c.frame
    randomised = p["randomised"].astype(bool)
    rows = [p["in_baseline"], p["in_baseline"] & ~randomised, randomised, p["joined"]]
    worth = [KEPT, 2, KEPT, 2]
    for own in in_arms(c, plan):
        left, traced, known = p["left"] == 1, p["in_endline"].astype(bool) | (p["left"] == 1), p["absence_days"].notna()
        rows += [
            own,
            own & (p["enrolled"] == 1),
            own & left,
            own & ~traced,
            own & traced,
            own & traced & ~known,
            own & known,
            own & p["left"].notna(),
            own & p["responded_t2"],
            own & p["wellbeing_t2"].notna(),
        ]
        worth += [KEPT, 2, 2, 2, 2, 2, KEPT, KEPT, 2, 2]
    return {"people": counted([c.of(each) for each in rows], worth=worth), "teams": other()}


def _teams(c: Crowd, plan: ReturnsPlan, table: pd.DataFrame) -> Columns:
    arms = dict(zip(plan.design.arms, in_arms(c, plan), strict=True))
    known = {"size": None, "absence": "baseline_absence", "agency": "agency"}
    rows = [
        arms[row["arm"]]
        & (True if known[row["characteristic"]] is None else c.frame[known[row["characteristic"]]].notna())
        for row in table.to_dict("records")
    ]
    means = statistic([c.of(each) for each in rows]).rounded(3)  # of teams' means: not a sum over people
    return {"teams": other(), "mean": means, "sd": means}


def _interim(c: Crowd, plan: ReturnsPlan) -> Columns:
    days = c.frame["interim_illness_days"]
    own = [c.of(each & days.notna()) for each in in_arms(c, plan)]
    return {
        "people": counted(own),
        "mean": statistic(own),
        "sd": statistic(own),
        "none": share([c.of(each & (days == 0)) for each in in_arms(c, plan)], own),
    }


def _largest(c: Crowd, plan: ReturnsPlan) -> Columns:
    p = c.frame
    scored = [c.of(each & p["records_spells"] & p["bradford"].notna()) for each in in_arms(c, plan)]
    zero = [c.of(each & p["records_spells"] & (p["bradford"] == 0)) for each in in_arms(c, plan)]
    return {
        "limit": other(),
        "scores": counted(scored),
        "share_of_points": statistic(scored),
        "median": statistic(scored),
        "zero": share(zero, scored),
    }


def _distribution(c: Crowd, plan: ReturnsPlan) -> Columns:
    rows, whole = [], []
    for own in in_arms(c, plan):
        known = own & c.frame["absence_days"].notna()
        rows += [c.of(known & absence_class(c.frame["absence_days"], low, high)) for low, high, _ in DAYS]
        whole += [c.of(known)] * len(DAYS)
    return {"people": counted(rows), "share": share(rows, whole)}


def _uptake(c: Crowd, plan: ReturnsPlan) -> Columns:
    p = c.frame
    arms = dict(zip(plan.design.arms, in_arms(c, plan), strict=True))
    treated, control = arms["treatment"], arms["control"]
    answered, diary = treated & p["recall_t2"].notna(), treated & p["time_protected_t2"].notna()
    parts = [
        treated & (p["enrolled"] == 1),
        treated & (p["modules_completed"] == 6),
        control & (p["enrolled"] == 1),
        answered & p["recall_t2"].isin(["no", "not sure"]),
        diary & (p["time_protected_t2"] == "yes"),
    ]
    people, of = [c.of(each) for each in parts], [c.of(each) for each in (treated, treated, control, answered, diary)]
    return {"people": counted(people), "of": counted(of), "share": share(people, of)}


def _modules(c: Crowd, plan: ReturnsPlan) -> Columns:
    p = c.frame
    started = dict(zip(plan.design.arms, in_arms(c, plan), strict=True))["treatment"] & (p["enrolled"] == 1)
    people = [c.of(started & (p["modules_completed"] == number)) for number in range(7)]
    return {"modules": other(), "people": counted(people), "share": share(people, [c.of(started)] * 7)}


def _attrition(c: Crowd, plan: ReturnsPlan) -> Columns:
    p = c.frame
    groups = in_groups(c, plan)
    whole = [c.of(each) for each in groups]
    parts = {
        "baseline_absence": p["baseline_absence"].notna(),
        "outcome": p["absence_days"].notna(),
        "baseline_survey": p["responded_t1"],
        "endline_survey": p["responded_t2"],
    }
    shares = {name: share([c.of(each & members) for each in groups], whole) for name, members in parts.items()}
    left = share(
        [c.of(each & (p["left"] == 1)) for each in groups], [c.of(each & p["left"].notna()) for each in groups]
    )
    return {"people": counted(whole, worth=KEPT), "teams": other(), "left": left, **shares}


def _strata(c: Crowd, table: pd.DataFrame) -> Columns:
    found: Columns = {"teams_control": other(), "teams_treatment": other()}
    for arm, code in (("control", 0), ("treatment", 1)):
        own = c.frame["randomised"] & (c.frame["treatment"] == code)
        found[f"people_{arm}"] = counted([c.of(own & (c.frame["stratum"] == stratum)) for stratum in table["stratum"]])
    return found


def _recorded(c: Crowd, plan: ReturnsPlan, table: pd.DataFrame) -> Columns:
    """Baselines that were recorded, imputed, and both, by arm."""
    known = c.frame["baseline_absence"].notna()
    arms = dict(zip(plan.design.arms, in_arms(c, plan), strict=True))
    parts = {"recorded": known, "imputed": ~known}
    rows = [c.of(arms[row["arm"]] & parts.get(row["group"], known | ~known)) for row in table.to_dict("records")]
    return {"people": counted(rows), "mean": statistic(rows), "sd": statistic(rows)}


def _model(c: Crowd, table: pd.DataFrame) -> Columns:
    """Gaps that each variable had, among those imputed together."""
    gaps, people = [], []
    everyone = c.frame["randomised"].astype(bool)
    for row in table.to_dict("records"):
        among = (
            everyone & c.frame["records_spells"].astype(bool) if str(row["set"]).endswith(f"/{SPELLS}") else everyone
        )
        gaps.append(c.of(among & c.frame[row["variable"]].isna()))
        people.append(c.of(among))
    rest = {name: other() for name in ("donors", "m", "iterations")}
    return {"gaps": counted(gaps, worth=LESSER), "people": counted(people), **rest}


def _selection(c: Crowd, table: pd.DataFrame, plan: ReturnsPlan) -> Columns:
    known = [c.of(c.frame["randomised"] & c.frame[plan.outcomes[key].column].notna()) for key in table["outcome"]]
    people = [c.of(c.frame["randomised"])] * len(table)
    return {
        "condition_number": other(),
        "variance_inflation": other(),
        "answered": counted(known),
        "people": counted(people),
    }


def _costs(c: Crowd, table: pd.DataFrame) -> Columns:
    p = c.frame
    left = p["randomised"] & (p["left"] == 1)
    priced = left & p["replacement_cost"].notna() & p["absence_days"].notna()
    count = len(table)
    return {
        **{name: other() for name in ("absence", "turnover", "cost", "days", "daily_rate", "priced_authorities")},
        "turnover_cost": statistic([c.of(priced)] * count),
        "leavers": counted([c.of(left)] * count),
        "priced": counted([c.of(priced)] * count),
    }


def known_people(c: Crowd, column: str) -> Any:
    """The randomised for whom a column is known."""
    return c.frame["randomised"].astype(bool) & c.frame[column].notna()
