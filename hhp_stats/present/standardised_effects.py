"""The standardised effects of all trials side by side, from the results that exist when the report is rendered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pandas as pd

from hhp_stats.errors import HhpError, UnknownName
from hhp_stats.plan.any_plan import plan_of
from hhp_stats.plan.catalogue import StudyEntry, catalogue
from hhp_stats.plan.experiments import ExperimentPlan
from hhp_stats.plan.individual import IndividualPlan
from hhp_stats.plan.returns_schema import ReturnsPlan
from hhp_stats.plan.table_analyses import estimand
from hhp_stats.present.numbers import lowered
from hhp_stats.present.origins import invented, sign_note, signed, uncounted
from hhp_stats.present.prose import is_clear
from hhp_stats.results.frame import read_results
from hhp_stats.studies.output import FOLDER

_SUBSCALE = "subscale"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeName:
    """An outcome as its study's plan has it."""

    label: str
    better: str  # lower or higher
    construct: str = ""  # what it measures, in the words of all trials that measure it


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardisedEffects:
    """The standardised effects of all studies whose results exist, turned so that above zero is better."""

    root: Path
    results: pd.DataFrame
    studies: Mapping[str, StudyEntry]  # those whose results exist, by key
    effects: pd.DataFrame  # rows of the result frame with label, arm and construct; estimate and interval turned
    invented: frozenset[str] = frozenset()  # studies whose effects are made up: shown with a sign, counted nowhere

    @property
    def names(self) -> Mapping[str, str]:
        """What the studies are called, with a sign where their effects are invented."""
        return {key: signed(entry.name) if key in self.invented else entry.name for key, entry in self.studies.items()}

    @property
    def counted(self) -> pd.DataFrame:
        """The effects that tallies, ranges and conclusions rest on: those that nobody invented."""
        return self.effects[~self.effects["study"].isin(self.invented)]

    @property
    def construct(self) -> str:
        """What most trials measure, so that they can be compared on it; of several the first in the report. Empty where
        no plan says what its outcomes measure.
        """
        named = self.effects[self.effects["construct"] != ""]
        trials = named.groupby("construct", sort=False)["study"].nunique()
        return "" if trials.empty else str(trials.idxmax())

    @property
    def shared(self) -> str:
        """The same in a sentence that has nothing to say where no plan names it."""
        return self.construct or "an outcome that trials share"

    def comparable(self) -> pd.DataFrame:
        """The effect on what most trials measure, one row a trial and arm."""
        return self._about(self.effects)

    def counted_comparable(self) -> pd.DataFrame:
        """The same of the studies that are counted."""
        return self._about(self.counted)

    def _about(self, rows: pd.DataFrame) -> pd.DataFrame:
        found = rows[(rows["construct"] == self.construct) & (rows["construct"] != "")]
        names = [self.names[study] + (f", {arm}" if arm else "") for study, arm in found[["study", "arm"]].to_numpy()]
        # A trial may measure one thing in two ways.
        labelled = zip(names, found["label"], strict=True)
        return found.assign(name=[f"{name}: {own}" if names.count(name) > 1 else name for name, own in labelled])

    def plan(self, study: str) -> ReturnsPlan | IndividualPlan:
        """The plan of a trial."""
        found = plan_of(self.root, study)
        if isinstance(found, ExperimentPlan):
            raise UnknownName(f"{study} compares no arms")
        return found

    def primary(self, study: str) -> OutcomeName:
        """The primary outcome of a trial."""
        found = next(outcome for outcome in self.plan(study).outcomes.values() if outcome.role == "primary")
        return OutcomeName(label=found.label, better=found.better, construct=found.construct)

    def inside(self, study: str, label: str) -> str:
        """The label of an outcome in a sentence: of a trial on a plain table as its plan has it."""
        return label if self.studies[study].on_table else lowered(label)

    def sign_note(self) -> str:
        """A sentence, after a blank, on the trials whose effects are invented; "" where there are none."""
        shown_here = self.invented & set(self.effects["study"])
        return f" {sign_note(self.root, shown_here)}" if shown_here else ""

    def uncounted(self) -> str:
        """The same, for a sentence that counts trials."""
        left_out = self.invented & set(self.effects["study"])
        return f" {uncounted(self.root, left_out)}" if left_out else ""

    def outcomes_compared(self, study: str) -> tuple[str, ...]:
        """Ids of the outcomes of a trial that measure what most trials measure."""
        found = self.plan(study).outcomes
        return tuple(key for key, outcome in found.items() if outcome.construct == self.construct != "")


def clear_effects(rows: pd.DataFrame) -> pd.Series:
    """Which effects differ from none at the level of their own interval?"""
    found = [
        is_clear({"conf_low": low, "conf_high": high})
        for low, high in zip(rows["conf_low"], rows["conf_high"], strict=True)
    ]
    return pd.Series(found, index=rows.index, dtype="bool")


def outcome_names(root: Path, study: str) -> dict[str, OutcomeName]:
    """The outcomes of a study's plan by key, subscales left out."""
    plan = plan_of(root, study)
    if isinstance(plan, ExperimentPlan):
        return {}  # what it compares are ways of which none is the better
    return {
        key: OutcomeName(label=o.label, better=o.better, construct=o.construct)
        for key, o in plan.outcomes.items()
        if o.role != _SUBSCALE
    }


def compared_arms(root: Path, study: str) -> Mapping[str, str]:
    """The estimands that compare an arm with the control, and the label of the arm where there are several, else ""."""
    plan = plan_of(root, study)
    if not isinstance(plan, IndividualPlan) or len(plan.offered) < 2:
        return {"itt": ""}
    return {estimand("itt", arm, plan.arms): arm.label for arm in plan.offered}


Effects = TypeVar("Effects", bound=StandardisedEffects)


def gathered(root: Path, kind: type[Effects]) -> Effects:
    """Gather the standardised effects of every study below `.report/results/`; refuses if there is none (HhpError)."""
    frames, parts, studies = [], [], {}
    for entry in catalogue(root):
        study = entry.study
        file = root / FOLDER / study / "results.csv"
        if not file.is_file():
            continue
        frame, names = read_results(file), outcome_names(root, study)
        if not names:
            continue
        studies[study] = entry
        frames.append(frame)
        arms = compared_arms(root, study)
        own = frame[frame["result_id"].str.endswith("/hedges-g") & frame["estimand"].isin(list(arms))]
        own = own[own["outcome"].isin(list(names)) & (own["status"] == "estimated")]
        turn = own["outcome"].map(lambda key, known=names: -1.0 if known[key].better == "lower" else 1.0)
        low, high = own["conf_low"] * turn, own["conf_high"] * turn
        parts.append(
            own.assign(
                label=[
                    f"{names[outcome].label}, {arms[aim]}" if arms[aim] else names[outcome].label
                    for outcome, aim in zip(own["outcome"], own["estimand"], strict=True)
                ],
                arm=[arms[aim] for aim in own["estimand"]],
                construct=[names[outcome].construct for outcome in own["outcome"]],
                estimate=own["estimate"] * turn,
                conf_low=low.where(turn > 0, high),
                conf_high=high.where(turn > 0, low),
            )
        )
    if not parts or all(part.empty for part in parts):
        raise HhpError("no trial has results: run `hhp results` (or `make report`) first")
    return kind(
        root=root,
        studies=studies,
        results=pd.concat(frames, ignore_index=True),
        effects=pd.concat(parts, ignore_index=True),
        invented=frozenset(entry.study for entry in invented(root)),
    )
