"""What do the data lack, and what did the checks find? Tables for the data appendix: counts, never persons."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from hhp_stats.intake.rule_list import rule_frame
from hhp_stats.intake.trial import Trial
from hhp_stats.plan.returns_schema import ReturnsPlan
from hhp_stats.studies.goal_setting.sample import NEEDS, NEGATIVE, POSITIVE, Sample

# Column of the sample -> (label, where it comes from). Survey answers have a table of their own: item_nonresponse.
VARIABLES: Mapping[str, tuple[str, str]] = {
    "gender": ("Gender", "returns"),
    "role": ("Role", "returns"),
    "service_months": ("Length of service", "returns"),
    "part_time": ("Part-time", "returns"),
    "agency": ("Agency staff", "returns"),
    "baseline_absence": ("Absence in the year before", "returns"),
    "baseline_illness_spells": ("Spells in the year before", "returns"),
    "absence_days": ("Absence over 24 weeks", "returns"),
    "spells": ("Spells over 24 weeks", "returns"),
    "left": ("Leaving", "returns"),
    "responded_t1": ("Baseline survey", "surveys"),
    "responded_t2": ("Endline survey", "surveys"),
}
SCALES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "happiness": ("Happiness", ("happiness",)),
    "ladder": ("Life ladder", ("ladder",)),
    "positive_affect": ("Positive affect", POSITIVE),
    "negative_affect": ("Negative affect", NEGATIVE),
    "time_pressure": ("Time pressure", ("pressure_1", "pressure_2")),
    "autonomy": ("Efficacy: autonomy", NEEDS["autonomy"]),
    "competence": ("Efficacy: competence", NEEDS["competence"]),
    "relatedness": ("Efficacy: relatedness", NEEDS["relatedness"]),
    "burnout": ("Burnout", tuple(f"burnout_{n}" for n in range(1, 9))),
    "intention": ("Intention to leave", tuple(f"intention_{n}" for n in range(1, 4))),
    "satisfaction": ("Satisfaction with the job", ("satisfaction_1", "satisfaction_2")),
}


def data_tables(trial: Trial, sample: Sample, plan: ReturnsPlan) -> dict[str, pd.DataFrame]:
    """Everything the data appendix needs beside what intake hands over."""
    return {
        "rules": rules_fired(trial),
        "missingness": missingness(sample.people, plan),
        "item_nonresponse": item_nonresponse(sample.people),
    }


def rules_fired(trial: Trial) -> pd.DataFrame:
    """Every rule with how often it fired: code, scope, severity, rule, remedy, fired, files.

    `fired` counts entries, of very many cells in one column each; an entry of a survey rule may stand for several
    responses (its value says how many).
    """
    rules = rule_frame()
    found = trial.problems
    fired = found.groupby("code")["cells"].sum() if len(found) else pd.Series(dtype="int64")
    files = found.groupby("code")["file"].nunique() if len(found) else pd.Series(dtype="int64")
    return rules.assign(
        fired=rules["code"].map(fired).fillna(0).astype("int64"),
        files=rules["code"].map(files).fillna(0).astype("int64"),
    )


def missingness(people: pd.DataFrame, plan: ReturnsPlan) -> pd.DataFrame:
    """How many of the randomised lack each variable, by arm and by authority?

    Columns: variable, label, source, kind (arm, authority), group, people, missing. For a survey, those who did not
    answer it are missing.
    """
    groups = [("arm", plan.design.arm_labels[a], people["treatment"] == c) for a, c in plan.design.arms.items()]
    groups += [
        ("authority", site.local_authority, people["local_authority"] == site.local_authority) for site in plan.sites
    ]
    rows = []
    for variable, (label, source) in VARIABLES.items():
        lacking = ~people[variable] if source == "surveys" else people[variable].isna()
        rows += [
            {
                "variable": variable,
                "label": label,
                "source": source,
                "kind": kind,
                "group": group,
                "people": int(mask.sum()),
                "missing": int((lacking & mask).sum()),
            }
            for kind, group, mask in groups
        ]
    return pd.DataFrame(rows)


def item_nonresponse(people: pd.DataFrame) -> pd.DataFrame:
    """How complete are the answers of those who answered a survey at all, scale by scale?

    Columns: wave, scale, label, items, respondents, complete (answered every item), partial, none, and
    missing_share, the share of item answers that are missing, in whole per cent: no count of people follows from it.
    """
    rows = []
    for wave, suffix in (("baseline", "t1"), ("endline", "t2")):
        answered = people.loc[people[f"responded_{suffix}"]]
        for scale, (label, items) in SCALES.items():
            given = answered[[f"{item}_{suffix}" for item in items]].notna()
            number = given.sum(axis="columns")
            rows.append(
                {
                    "wave": wave,
                    "scale": scale,
                    "label": label,
                    "items": len(items),
                    "respondents": len(answered),
                    "complete": int((number == len(items)).sum()),
                    "partial": int(((number > 0) & (number < len(items))).sum()),
                    "none": int((number == 0).sum()),
                    "missing_share": in_whole_percent(float(1 - given.to_numpy().mean()))
                    if len(answered)
                    else float("nan"),
                }
            )
    return pd.DataFrame(rows)


def in_whole_percent(share: float) -> float:
    """A share rounded to whole per cent; one below a per cent and above zero is half a per cent."""
    return 0.005 if 0 < share < 0.01 else round(share, 2)


def linkage_by_wave(linkage: pd.DataFrame) -> pd.DataFrame:
    """What became of the responses to each survey, arms and authorities together."""
    names = ["responses", "consented", "duplicates", "used", "matched", "unmatched"]
    return linkage.groupby("wave", sort=False)[names].sum().reset_index()


def habits(tolerances: pd.DataFrame) -> pd.DataFrame:
    """Habits of typing that were accepted, by file and column: in how many cells. Neither the cells nor what stood in
    them.
    """
    if not len(tolerances):
        return pd.DataFrame(columns=["file", "field", "habit", "count"])
    groups = tolerances.fillna({"field": ""}).groupby(["file", "field", "habit"], sort=False)["count"]
    return groups.sum().reset_index()
