"""Answers to the survey: latent wellbeing, the factors of each scale, items, and what they imply.

Wellbeing has a team part, a stable personal part and a part of the wave. Each factor correlates with
it as stated in the assumptions; each item is a rounded linear function of its factor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from hhp_stats.measures.reliability import cronbach_alpha
from hhp_stats.synthetic.assumptions import Assumptions, ItemAssumptions
from hhp_stats.synthetic.calibration import Array, stream

WAVES = ("t1", "t2")
COGNITIVE = ("happiness", "ladder")
NEEDS = tuple(f"need_{number}" for number in range(1, 11))
PRESSURE = ("pressure_1", "pressure_2")
SIZE = 40_000  # people simulated for the implied population values: standard errors below .006
LIMITS: Mapping[str, tuple[int, int]] = {
    "happiness": (0, 10),
    "ladder": (0, 10),
    "affect": (1, 5),
    "intention": (1, 7),
    "satisfaction": (1, 7),
    "need": (1, 7),
    "burnout": (1, 6),
    "pressure": (1, 7),
}

Shifts = Mapping[str, Array | float]  # factor -> shift at endline, in SD of the factor


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemModel:
    """How answers depend on wellbeing: what `draw_answers` needs of the assumptions, hashable."""

    factors: tuple[tuple[str, float], ...]  # correlation of each factor with wellbeing
    items: tuple[tuple[str, ItemAssumptions], ...]
    stability: float  # of wellbeing
    specific_stability: float
    seed: int  # of the simulated population values

    @classmethod
    def of(cls, assumptions: Assumptions) -> ItemModel:
        """The item model of these assumptions."""
        return cls(
            factors=tuple(assumptions.factors.items()),
            items=tuple(assumptions.items.items()),
            stability=assumptions.wellbeing.stability,
            specific_stability=assumptions.wellbeing.specific_stability,
            seed=assumptions.release.seed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wellbeing:
    """Latent wellbeing, each part standard normal over people."""

    stable: Array  # what both waves share
    t1: Array
    t2: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationValues:
    """What the item model implies, by simulation of `SIZE` people; all of it for the observed scores."""

    r_squared: tuple[float, float]  # cognitive with affective part, baseline and endline
    alpha: Mapping[str, float]  # of each scale at baseline
    pressure_correlation: float  # between its two items
    need_alpha: float  # all ten items
    stability: float  # composite, baseline with endline
    composite_wellbeing: float  # correlation of the composite with latent wellbeing
    per_shift: Mapping[
        str, float
    ]  # SD of the observed score for one SD of the factors: wellbeing, time_pressure, efficacy


def draw_wellbeing(*, team: np.ndarray, team_share: float, stability: float, rng: np.random.Generator) -> Wellbeing:
    """How well is each person, lastingly and at each wave?"""
    n = len(team)
    shared = np.sqrt(team_share) * rng.standard_normal(int(team.max()) + 1)[team]
    shared += np.sqrt(stability - team_share) * rng.standard_normal(n)
    t1, t2 = (shared + np.sqrt(1 - stability) * rng.standard_normal(n) for _ in WAVES)
    return Wellbeing(stable=shared / np.sqrt(stability), t1=t1, t2=t2)


def draw_answers(*, wellbeing: Wellbeing, shifts: Shifts, model: ItemModel, rng: np.random.Generator) -> pd.DataFrame:
    """What would each person answer to every item at both waves, if they answered?

    `shifts` moves factors at endline (the programme's effect). Columns `<field>_t1`, `<field>_t2`.
    """
    n, keep = len(wellbeing.t1), model.specific_stability

    def lasting() -> tuple[Array, Array]:
        own = np.sqrt(keep) * rng.standard_normal(n)
        t1, t2 = (own + np.sqrt(1 - keep) * rng.standard_normal(n) for _ in WAVES)
        return t1, t2

    factors: dict[str, tuple[Array, Array]] = {}
    for name, loading in model.factors:
        t1, t2 = lasting()
        rest = np.sqrt(1 - loading**2)
        factors[name] = (
            loading * wellbeing.t1 + rest * t1,
            loading * wellbeing.t2 + rest * t2 + shifts.get(name, 0.0),
        )
    columns: dict[str, Array] = {}
    for _, item in model.items:
        specific = lasting() if item.specific else (np.zeros(n), np.zeros(n))
        error = np.sqrt(1 - item.loading**2 - item.specific**2)
        for field in item.fields:
            low, high = LIMITS[field.split("_")[0]]
            for wave in (0, 1):
                score = (
                    item.loading * factors[item.factor][wave] + np.sign(item.loading) * item.specific * specific[wave]
                )
                score = item.mean + item.sd * (score + error * rng.standard_normal(n))
                columns[f"{field}_{WAVES[wave]}"] = np.clip(np.rint(score), low, high) + 0.0  # no -0
    return pd.DataFrame({name: columns[name] for wave in WAVES for name in columns if name.endswith(wave)})


def composite(answers: pd.DataFrame, wave: str) -> Array:
    """The observed wellbeing composite: standardised happiness, ladder, positive and reversed negative affect,
    summed.
    """
    positive, negative = affect(answers, wave)
    parts = [answers[f"{field}_{wave}"].to_numpy() for field in COGNITIVE] + [positive, -negative]
    return np.asarray(sum((part - part.mean()) / part.std() for part in parts), dtype=np.float64)


def affect(answers: pd.DataFrame, wave: str) -> tuple[Array, Array]:
    """Positive and negative affect: means of their three items."""
    values = [answers[f"affect_{number}_{wave}"].to_numpy() for number in range(1, 7)]
    return sum(values[0::2]) / 3, sum(values[1::2]) / 3  # type: ignore[return-value]


def _scores(answers: pd.DataFrame, wave: str) -> dict[str, Array]:
    return {
        "wellbeing": composite(answers, wave),
        "time_pressure": answers[[f"{field}_{wave}" for field in PRESSURE]].to_numpy().mean(axis=1),
        "efficacy": answers[[f"{field}_{wave}" for field in NEEDS]].to_numpy().mean(axis=1),
    }


SHIFTED: Mapping[str, tuple[str, ...]] = {
    "wellbeing": ("cognitive", "affective"),
    "time_pressure": ("pressure",),
    "efficacy": ("autonomy", "competence", "relatedness"),
}


@lru_cache(maxsize=8)
def population_values(model: ItemModel) -> PopulationValues:
    """What reliabilities, correlations and effect sizes does the item model imply for observed scores?

    Simulates `SIZE` people with a seed of its own, twice with the same noise: without and with every
    factor moved by half its SD at endline (about the shift of a starter).
    """
    step = 0.5
    rng = stream(model.seed, "population wellbeing")
    alone = np.arange(SIZE)
    wellbeing = draw_wellbeing(team=alone, team_share=0.0, stability=model.stability, rng=rng)
    plain, moved = (
        draw_answers(
            wellbeing=wellbeing,
            shifts=dict.fromkeys(dict(model.factors), value),
            model=model,
            rng=stream(model.seed, "population answers"),
        )
        for value in (0.0, step)
    )
    r_squared = []
    for wave in WAVES:
        positive, negative = affect(plain, wave)
        cognitive = sum(
            (plain[f"{f}_{wave}"] - plain[f"{f}_{wave}"].mean()) / plain[f"{f}_{wave}"].std() for f in COGNITIVE
        )
        r_squared.append(float(np.corrcoef(cognitive, positive - negative)[0, 1] ** 2))
    alpha = {
        key: cronbach_alpha(plain[[f"{field}_t1" for field in item.fields]]).estimate
        for key, item in model.items
        if len(item.fields) > 1
    }
    before, after = _scores(plain, "t2"), _scores(moved, "t2")
    shift = {
        key: float((after[key] - before[key]).mean() / before[key].std()) / step
        for key in ("time_pressure", "efficacy")
    }
    shift["wellbeing"] = _composite_shift(plain, moved) / step
    return PopulationValues(
        r_squared=(r_squared[0], r_squared[1]),
        alpha=alpha,
        pressure_correlation=float(np.corrcoef(plain["pressure_1_t1"], plain["pressure_2_t1"])[0, 1]),
        need_alpha=cronbach_alpha(plain[[f"{field}_t1" for field in NEEDS]]).estimate,
        stability=float(np.corrcoef(composite(plain, "t1"), composite(plain, "t2"))[0, 1]),
        composite_wellbeing=float(np.corrcoef(composite(plain, "t1"), wellbeing.t1)[0, 1]),
        per_shift=shift,
    )


def _composite_shift(plain: pd.DataFrame, moved: pd.DataFrame) -> float:
    """Shift of the composite in its own SD: standardised on the unmoved answers, unlike `composite`."""
    gain = 0.0
    for field in COGNITIVE:
        name = f"{field}_t2"
        gain += float((moved[name] - plain[name]).mean() / plain[name].std())
    for sign, before, after in zip((1, -1), affect(plain, "t2"), affect(moved, "t2"), strict=True):
        gain += sign * float((after - before).mean() / before.std())
    return gain / float(composite(plain, "t2").std())
