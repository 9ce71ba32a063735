"""What a study's files say, and its planned comparisons by plain least squares: enough to see whether a number has
moved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from hhp_stats.intake.hiring import decisions_with_conditions, load_hiring, scores_with_conditions
from hhp_stats.intake.load import load_trial
from hhp_stats.intake.pilots import load_pilot
from hhp_stats.intake.plain_table import participants_of
from hhp_stats.intake.themes import load_themes
from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.plan.load import load_plan
from hhp_stats.plan.pilot_checks import columns_of
from hhp_stats.plan.pilot_plan import load_pilot_plan
from hhp_stats.studies.field_trial.sample import build_sample as field_sample
from hhp_stats.studies.goal_setting.sample import build_sample


@dataclass(slots=True)
class Reading:
    """The frame that the analyses begin with, warnings and notes, and how to get the estimates from it."""

    frame: pd.DataFrame
    problems: pd.DataFrame
    estimates: Callable[[], dict[str, tuple[float, float]]] = field(repr=False)


def _effect(frame: pd.DataFrame, outcome: str, terms: list[str], clusters: str = "") -> tuple[float, float]:
    """Least squares of an outcome on the arm and terms: coefficient and standard error (CR1 by clusters, else HC1)."""
    used = frame.dropna(subset=[outcome, "treatment", *terms])
    wide = pd.get_dummies(used[terms], drop_first=True, dtype=float) if terms else pd.DataFrame(index=used.index)
    x = np.column_stack([np.ones(len(used)), used["treatment"].to_numpy(float), wide.to_numpy(float)])
    y = used[outcome].to_numpy(float)
    inverse = np.linalg.pinv(x.T @ x)
    beta = inverse @ x.T @ y
    scores = pd.DataFrame(x * (y - x @ beta)[:, None])
    if clusters:
        scores = scores.groupby(used[clusters].to_numpy()).sum()
    meat = scores.to_numpy().T @ scores.to_numpy()
    return float(beta[1]), float(np.sqrt((inverse @ meat @ inverse)[1, 1]))


def _mean(values: pd.Series) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(max(values.notna().sum(), 1)))


def goal_setting(root: Path) -> Reading:
    """Absence, turnover and every score of the endline survey on the arm, with the planned terms."""
    trial = load_trial(root)

    def estimates() -> dict[str, tuple[float, float]]:
        people = build_sample(trial, load_plan(root, "goal_setting")).people
        people = people.assign(
            base=people["baseline_absence"].fillna(0.0), unknown=people["baseline_absence"].isna().astype(float)
        )
        terms = ["role", "gender_male", "service_years", "part_time", "local_authority", "coffee"]
        outcomes = [
            "absence_days",
            "left",
            "responded",
            *(
                name
                for name in people
                if name.endswith("_t2")
                and name[:-3] in ("wellbeing", "burnout", "efficacy", "time_pressure", "satisfaction", "intention")
            ),
        ]
        return {
            name: _effect(people, name, terms + (["base", "unknown"] if name == "absence_days" else []), "team_id")
            for name in outcomes
        }

    return Reading(trial.people.drop(columns="person"), trial.problems, estimates)


def _pair(people: pd.DataFrame, code: float) -> pd.DataFrame:
    """The first arm and another one, as zeros and ones."""
    return people[people["treatment"].isin([0, code])].assign(treatment=people["treatment"].eq(code).astype(float))


def individual(study: str) -> Callable[[Path], Reading]:
    """Every outcome of an individually randomised study on the arm, within blocks."""

    def read(root: Path) -> Reading:
        plan = load_individual_plan(root, study)
        found = participants_of(root, plan)

        def estimates() -> dict[str, tuple[float, float]]:
            people = field_sample(found, plan).people
            terms = [plan.design.within] if plan.design.within else []
            columns = [each.id if each.scales else each.column for each in plan.outcomes.values()]
            # What is asked of one arm only, or of nearly nobody, is compared by no analysis.
            compared = [
                name
                for name in dict.fromkeys(column for column in columns if column)
                if people.groupby("treatment")[name].count().min() > 5
            ]
            return {
                f"{name}, arm {code:g}": _effect(_pair(people, code), name, terms, plan.design.cluster or "")
                for name in ["responded", *compared]
                for code in sorted(people["treatment"].unique())[1:]
            }

        return Reading(found.people.drop(columns="person"), found.problems, estimates)

    return read


def hiring(root: Path) -> Reading:
    """Shares put forward by name and evaluation; mean scores by the name shown."""
    lists = load_hiring(root)
    decisions, scores = decisions_with_conditions(lists), scores_with_conditions(lists)

    def estimates() -> dict[str, tuple[float, float]]:
        shares = {f"{key}": _mean(part["progressed"]) for key, part in decisions.groupby(["name", "evaluation"])}
        return shares | {str(key): _mean(part["total"]) for key, part in scores.groupby("name_shown")}

    frame = pd.concat([decisions.drop(columns="participant"), scores.drop(columns="participant")], axis="columns")
    return Reading(frame, lists.problems, estimates)


def pilot(study: str) -> Callable[[Path], Reading]:
    """Numbers of the people of a pilot on average, and the share of each answer."""

    def read(root: Path) -> Reading:
        plan = load_pilot_plan(root, study)
        found = load_pilot(root, plan)
        load_themes(root, study)
        shown = found.people[[name for name, (kind, _) in columns_of(plan).items() if kind != "identifier"]]

        def estimates() -> dict[str, tuple[float, float]]:
            said = {"people": (float(len(shown)), 1.0)}
            for name in shown:
                values = shown[name].dropna()
                if pd.api.types.is_numeric_dtype(values):
                    said[str(name)] = _mean(values.astype("float64"))
                else:
                    said |= {f"{name} {each}": _mean(values.eq(each).astype(float)) for each in values.unique()}
            return said

        return Reading(shown, found.problems, estimates)

    return read


READERS: dict[str, Callable[[Path], Reading]] = {
    "goal_setting": goal_setting,
    "hiring": hiring,
    **{study: pilot(study) for study in ("dictation", "flexitime")},
    **{study: individual(study) for study in ("letters", "coffee", "beneficiaries", "swing", "mod_ing", "walks")},
}
