"""How many teams and people were at each stage of the trial, and why people dropped out of it.

The stages are those of the CONSORT statement's extension to cluster trials (Campbell and others 2012):
clusters and people are counted side by side.
"""

from __future__ import annotations

import pandas as pd

from hhp_stats.errors import HhpError
from hhp_stats.intake.trial import Trial
from hhp_stats.plan.returns_schema import ReturnsPlan
from hhp_stats.studies.goal_setting.sample import Sample

COLUMNS = ("stage", "arm", "label", "teams", "people", "kind")


def participant_flow(trial: Trial, sample: Sample, plan: ReturnsPlan) -> pd.DataFrame:
    """Counts of teams and people by stage and arm; `kind` is `stage`, `loss` (a reason) or `note`.

    Each stage equals the one before minus its losses; a table that does not add up is refused.
    """
    everyone, people = trial.people, sample.people
    rows: list[tuple[str, str, str, int, int, str]] = []

    def add(stage: str, arm: str, label: str, part: pd.DataFrame, kind: str = "stage") -> None:
        rows.append((stage, arm, label, int(part["team_id"].nunique()), len(part), kind))

    listed = everyone.loc[everyone["in_baseline"]]
    add("listed", "all", "Staff on the baseline returns", listed)
    add("listed", "all", "In teams that were not randomised", listed.loc[~listed["randomised"]], "loss")
    add("randomised", "all", "Randomised", people)
    add("randomised", "all", "Joined after the launch: not part of the trial", everyone.loc[everyone["joined"]], "note")
    for arm, code in plan.design.arms.items():
        part = people.loc[people["treatment"] == code]
        add("allocated", arm, plan.design.arm_labels[arm], part)
        add("allocated", arm, "Started the course", part.loc[part["enrolled"] == 1], "note")
        left, traced = part["left"] == 1, part["in_endline"] | (part["left"] == 1)
        add("followed", arm, "Left the authority, counted at their own rate", part.loc[left], "note")
        add("followed", arm, "No endline record", part.loc[~traced], "loss")
        add("followed", arm, "Followed to 24 weeks or leaving", part.loc[traced])
        analysed = part["absence_days"].notna()
        add("analysed", arm, "No absence record", part.loc[traced & ~analysed], "loss")
        add("analysed", arm, "Analysed: absence", part.loc[analysed])
        add("analysed", arm, "Analysed: turnover", part.loc[part["left"].notna()], "note")
        answered = part["responded_t2"]
        add("survey", arm, "Answered the endline survey", part.loc[answered])
        add("survey", arm, "Analysed: wellbeing, complete cases", part.loc[part["wellbeing_t2"].notna()], "note")
    flow = pd.DataFrame(rows, columns=list(COLUMNS))
    _refuse_unbalanced(flow, list(plan.design.arms))
    return flow


def _refuse_unbalanced(flow: pd.DataFrame, arms: list[str]) -> None:
    def people(stage: str, arm: str, kind: str = "stage") -> int:
        found = flow.loc[(flow["stage"] == stage) & (flow["arm"] == arm) & (flow["kind"] == kind), "people"]
        return int(found.sum())

    checks = [people("listed", "all") - people("listed", "all", "loss") == people("randomised", "all")]
    checks.append(sum(people("allocated", arm) for arm in arms) == people("randomised", "all"))
    for arm in arms:
        checks.append(people("allocated", arm) - people("followed", arm, "loss") == people("followed", arm))
        checks.append(people("followed", arm) - people("analysed", arm, "loss") == people("analysed", arm))
    if not all(checks):
        raise HhpError(f"the participant flow does not add up:\n{flow.to_string()}")
