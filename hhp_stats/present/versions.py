"""Every planned and every other analysis of a study side by side: which conclusions depend on a choice?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

import pandas as pd
from great_tables import GT

from hhp_stats.errors import UnknownName
from hhp_stats.plan.any_plan import AnyPlan, plan_of
from hhp_stats.plan.catalogue import catalogue
from hhp_stats.plan.experiments import ExperimentPlan
from hhp_stats.plan.individual import IndividualPlan
from hhp_stats.present.listing import listed_words
from hhp_stats.present.markdown import escaped, printed_table
from hhp_stats.present.marks import presented
from hhp_stats.present.numbers import lowered
from hhp_stats.present.prose import contrast_of
from hhp_stats.present.tables import ANALYSED, effects_table
from hhp_stats.results.frame import LACKING

PLANNED = "planned"
OF_CONTRASTS = ("Rows", "Clusters")  # what an analysis of an experiment counts: decisions or people


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One analysis that a plan names: its result, what it is called, and what it is an analysis of."""

    result_id: str
    label: str
    group: str
    outcome: str  # its id
    subject: str  # the same in words, without its unit
    arms: str = ""  # which two of several are compared


def versions_in(plan: AnyPlan) -> tuple[Version, ...]:
    """Every analysis that a plan names, by outcome, or for experiments by contrast; none of a pilot."""
    if isinstance(plan, ExperimentPlan):
        return tuple(
            Version(
                result_id=plan.result_id(plan.analysis(contrast, method)),
                label=method.label,
                group=f"{contrast.label} ({lowered(plan.experiments[contrast.experiment].label)})",
                outcome=contrast.experiment,
                subject=plan.experiments[contrast.experiment].label,
            )
            for contrast in plan.contrasts.values()
            for method in plan.methods_of(contrast.experiment)
        )
    order = list(plan.outcomes)
    found = []
    several = {each.id: plan.compared(each) for each in plan.analyses} if _of_several_arms(plan) else {}
    for analysis in sorted(plan.analyses, key=lambda each: order.index(each.outcome)):
        outcome = plan.outcomes[analysis.outcome]
        pair = " against ".join(arm.label for arm in several.get(analysis.id, ()))
        found.append(
            Version(
                result_id=plan.result_id(analysis),
                label=analysis.label,
                group=f"{outcome.label} ({outcome.unit}){f': {pair}' if pair else ''}",
                outcome=analysis.outcome,
                subject=outcome.label,
                arms=pair,
            )
        )
    groups = list(dict.fromkeys(each.group for each in found))
    return tuple(sorted(found, key=lambda each: groups.index(each.group)))


def _of_several_arms(plan: AnyPlan) -> TypeGuard[IndividualPlan]:
    return isinstance(plan, IndividualPlan) and len(plan.arms) > 2


@presented
def versions_table(
    plan: AnyPlan, results: pd.DataFrame, versions: Sequence[Version], *, notes: Sequence[str] = ()
) -> GT:
    """Every one of some analyses, planned ones marked, with the methods of the planned ones in the notes.

    Refuses (UnknownName) an analysis without a row among the results.
    """
    rows = results.set_index("result_id", drop=False)
    lost = [each.result_id for each in versions if each.result_id not in rows.index]
    if lost:
        raise UnknownName(f"the results have no row {lost[0]}, which the plan of {plan.study} names")
    rows = rows.loc[[each.result_id for each in versions]]
    planned = list(rows["analysis"] == PLANNED)
    said: dict[str, list[Version]] = {}
    for version, row, is_planned in zip(versions, rows.to_dict("records"), planned, strict=True):
        if is_planned and row["status"] not in LACKING:
            said.setdefault(row["method"], []).append(version)
    return effects_table(
        rows.reset_index(drop=True),
        contrast=_contrast(plan),
        labels=[_marked(each.label, is_planned=own) for each, own in zip(versions, planned, strict=True)],
        stub="Version",
        groups=[each.group for each in versions],
        subjects=[f"{each.subject}: {each.arms}" if each.arms else each.subject for each in versions],
        digits=3,
        notes=[*(f"{_planned_by(own, said)}: {method}." for method, own in said.items()), *notes],
        analysed=_counted(plan, rows),
    )


def _planned_by(own: Sequence[Version], said: Mapping[str, Sequence[Version]]) -> str:
    """What the planned analyses by one method are called: all of them, the way that each outcome is analysed in among
    others, or the outcomes that are analysed by it.
    """
    if len(said) == 1:
        return "Planned"
    everything = {version.subject for versions in said.values() for version in versions}
    if {version.subject for version in own} == everything:
        return listed_words(list(dict.fromkeys(_marked(version.label, is_planned=True) for version in own)))
    subjects = list(dict.fromkeys(version.subject for version in own))
    return f"Planned for {listed_words([lowered(subject) for subject in subjects])}"


def _marked(label: str, *, is_planned: bool) -> str:
    """What a version is called: `planned` is said of the row, not of the method, which may estimate other contrasts."""
    own = label.removeprefix("Planned: ")
    own = f"{own[:1].upper()}{own[1:]}"
    return f"{own} (planned)" if is_planned and not own.startswith("As planned") else own


def _contrast(plan: AnyPlan) -> str:
    if isinstance(plan, ExperimentPlan):
        return "Difference"
    if isinstance(plan, IndividualPlan):
        return "Difference" if len(plan.arms) > 2 else f"{plan.offered[0].label} minus {lowered(plan.control.label)}"
    return contrast_of(plan)


def _counted(plan: AnyPlan, rows: pd.DataFrame) -> tuple[str, ...]:
    """What the two counts of an analysis are called; one where no row has clusters."""
    names = ANALYSED
    if isinstance(plan, ExperimentPlan):
        names = OF_CONTRASTS
    elif isinstance(plan, IndividualPlan):
        names = (plan.words.person[1].capitalize(), plan.words.cluster[1].capitalize())
    return names if rows["n_clusters"].notna().any() else names[:1]


def every_study(root: Path, results: pd.DataFrame, *, without: str = "") -> str:
    """A section and a table for every study whose plan names analyses, but for the one that has sections of its own;
    Markdown.
    """
    parts = []
    for entry in catalogue(root):
        versions = () if entry.study == without else versions_in(plan_of(root, entry.study))
        if not versions:
            continue
        slug = entry.study.replace("_", "-")
        heading = f"{entry.name} {entry.sort}" if entry.kind == "experiment" else entry.name
        parts.append(f"## {escaped(heading)} {{#sec-sensitivity-{slug}}}\n")
        table = versions_table(plan_of(root, entry.study), results, versions)
        parts.append(printed_table(table, label=f"tbl-b-{slug}", caption=f"{heading}: every version of every analysis"))
    return "\n".join(parts)
