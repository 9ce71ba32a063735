"""Rules about the hiring experiments: what was shown follows from what was drawn, so decisions tell whether a
condition was changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from hhp_stats.intake.findings import Finding, listed, rows_of
from hhp_stats.intake.plain_lists import Lists
from hhp_stats.intake.rule import Rule
from hhp_stats.plan.experiments import ExperimentPlan
from hhp_stats.plan.thresholds import Threshold

EVERYONE = "everyone"  # the unit of a finding about a list as a whole
JOINT = "joint"


def _found(rule: Rule, lists: Lists, people: pd.Series, what: str) -> Iterator[Finding]:
    """One finding about these participants of the list."""
    frame = lists["participants"].frame
    rows = frame.loc[frame["participant"].isin(people)]
    if len(rows):
        value = f"{len(rows)} of {len(frame)} participants {what}: {listed(rows['participant'])}"
        yield Finding(
            rule=rule,
            file=lists["participants"].file,
            cell=rows_of(rows["row"]),
            value=value,
            units=tuple(rows["participant"]),
        )


def _shown_otherwise(lists: Lists) -> Iterator[Finding]:
    """Side by side, the two applications of a pair stand at positions 1 and 2, 3 and 4, ...; one after the other,
    they are mixed.
    """
    decisions = lists["decisions"].frame
    block = (decisions["position"] + 1) // 2
    whole = decisions.groupby(["participant", block])["pair"].nunique().eq(1).groupby("participant").all()
    people = lists["participants"].frame.drop_duplicates("participant").set_index("participant")
    side_by_side = whole.reindex(people.index)
    wrong = people.index[side_by_side.notna() & (side_by_side.eq(True) != people["evaluation"].eq(JOINT))]
    yield from _found(SHOWN_OTHERWISE, lists, pd.Series(wrong), "decided in another order than their condition shows")


def _other_set(lists: Lists) -> Iterator[Finding]:
    """Each set says which application carries which kind of name; what most of a set saw is what the set says."""
    people = lists["participants"].frame.drop_duplicates("participant")[["participant", "name_set"]]
    seen = lists["decisions"].frame.merge(people, on="participant").dropna(subset=["name"])
    usual = seen.groupby(["name_set", "application"])["name"].agg(lambda names: names.mode().iloc[0]).rename("usual")
    seen = seen.join(usual, on=["name_set", "application"])
    other = seen.loc[seen["name"] != seen["usual"], "participant"]
    yield from _found(OTHER_SET, lists, other, "saw names that are not those of their set")
    if (usual.groupby("application").nunique() < usual.groupby("application").size()).any():
        value = "the sets show the same kind of name on one application: they are mixed up in the list"
        yield Finding(
            rule=OTHER_SET,
            file=lists["participants"].file,
            cell="column name_set",
            value=f"{value} ({EVERYONE})",
            units=(EVERYONE,),
        )


def _whatever_application(lists: Lists, limit: Threshold) -> Iterator[Finding]:
    """Pearson's chi-squared of the decisions by application, by its degrees of freedom: about one where decisions do
    not depend on what was decided about, as when the column slipped by a line.
    """
    table = lists["decisions"]
    decided = table.frame.dropna(subset=["application", "progressed"])
    counts = pd.crosstab(decided["application"], decided["progressed"]).to_numpy(dtype=float)
    if len(decided) < limit.least or min(counts.shape) < 2:
        return
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    size = float(((counts - expected) ** 2 / expected).sum() / ((counts.shape[0] - 1) * (counts.shape[1] - 1)))
    if size < limit.limit:
        yield Finding(
            rule=WHATEVER,
            file=table.file,
            cell="column progressed",
            value=f"progressed depends on the application by a chi-squared of {size:.1f} times its degrees of freedom",
            units=(EVERYONE,),
        )


def _numbers(lists: Lists, plan: ExperimentPlan) -> Iterator[Finding]:
    people, decisions = lists["participants"].frame, lists["decisions"].frame
    file = lists["participants"].file
    for cell in plan.cells.values():
        there = int((people["name_shown"] == cell.id).sum())
        if cell.people is not None and there != cell.people:
            yield Finding(
                rule=NUMBERS,
                file=file,
                cell="column name_shown",
                units=(cell.id,),
                value=f"{there} people in {cell.id}, {cell.people} in the plan",
            )
    for experiment in plan.experiments.values():
        of = {"participants": len(people), "decisions": len(decisions if experiment.cluster else lists["scores"].frame)}
        for what, there in of.items():
            if there != getattr(experiment, what):
                yield Finding(
                    rule=NUMBERS,
                    file=file,
                    units=(experiment.id,),
                    value=f"{there} {what} of {experiment.id}, {getattr(experiment, what)} in the plan",
                )


SHOWN_OTHERWISE = Rule(
    code="K16",
    severity="error",
    fields=("evaluation",),
    rule="Those who saw applications side by side must have decided on them in pairs, and no one else.",
    remedy="Check the list of participants against the questionnaire: conditions may be exchanged.",
)
OTHER_SET = Rule(
    code="K17",
    severity="error",
    fields=("name_set",),
    rule="The names on the applications must be those of the set that the participant was assigned.",
    remedy="Check the list of participants against the questionnaire: sets may be exchanged.",
)
NUMBERS = Rule(
    code="K18",
    severity="error",
    rule="Participants, decisions and the people of a condition must be as many as the plan says.",
    remedy="Export the lists again, or ask who was left out.",
)


WHATEVER = Rule(
    code="K34",
    severity="warning",
    fields=("progressed",),
    rule="Decisions should depend on the application that they are about, by more than the limit of the plan.",
    remedy="Check whether the column slipped by a line or was sorted by itself.",
)


def conditions_findings(lists: Lists, plan: ExperimentPlan, thresholds: Mapping[str, Threshold]) -> Iterator[Finding]:
    """Everything that the rules find; limits are the plan's."""
    if (limit := thresholds.get(WHATEVER.code)) is not None:
        yield from _whatever_application(lists, limit)
    yield from _shown_otherwise(lists)
    yield from _other_set(lists)
    yield from _numbers(lists, plan)
