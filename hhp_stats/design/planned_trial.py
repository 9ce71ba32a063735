"""What could a trial detect of which only totals are known? By the closed formulas, and in simulated trials."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hhp_stats.calls.typed import check_fields
from hhp_stats.design.detectable_by_t import cluster_detectable_effect_t
from hhp_stats.design.detectable_effect import (
    Clustering,
    ErrorRates,
    cluster_detectable_effect,
    detectable_proportion,
)
from hhp_stats.design.power import simulate_power, simulated_detectable_effect
from hhp_stats.design.simulated_trials import TrialDesign, team_sizes
from hhp_stats.errors import EstimationError, InvalidInput
from hhp_stats.processes.progress import Progress, silent

_DIRECTIONS: tuple[tuple[str, Literal["decrease", "increase"]], ...] = (("fall", "decrease"), ("rise", "increase"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTrial:
    """Two equal arms of `people` together, of whom the share `attrition` is lost.

    `cluster_size` people analysed a team on average, 1 for individual randomisation; `size_cv` standard deviation of
    team sizes over their mean; `baseline` the proportion of the control arm where the outcome is binary.
    Refuses (InvalidInput) an attrition outside 0..1, and what `Clustering` refuses.
    """

    people: int
    cluster_size: float = 1.0
    icc: float = 0.0
    size_cv: float = 0.0
    correlation: float = 0.0
    attrition: float = 0.0
    baseline: float | None = None
    rates: ErrorRates

    def __post_init__(self) -> None:
        check_fields(self)
        if not 0 <= self.attrition < 1:
            raise InvalidInput("attrition must lie in 0..1")

    @property
    def analysed(self) -> float:
        """People whose outcome is known."""
        return self.people * (1 - self.attrition)

    @property
    def teams(self) -> Clustering:
        """The teams of those analysed, each arm counting all of its own (K, not K - 1)."""
        return Clustering.of_total(
            people=self.analysed, mean_size=self.cluster_size, icc=self.icc, size_cv=self.size_cv, lost_clusters=0
        )

    def detectable(self) -> dict[str, float]:
        """By the closed formulas, with normal quantiles: "sd" in standard deviations, and "sd_t" by Student's t on two
        degrees of freedom less than teams; of a proportion the values "fall" and "rise" to.

        Not a number where even a fall to 0, or a rise to 1, could not be told from chance; refused where neither could
        (EstimationError).
        """
        if self.baseline is None:
            found = cluster_detectable_effect(
                clustering=self.teams, rates=self.rates, baseline_correlation=self.correlation
            )
            by_t = cluster_detectable_effect_t(
                clustering=self.teams, rates=self.rates, baseline_correlation=self.correlation
            )
            return {"sd": found, "sd_t": by_t}
        values, refused = {}, []
        for name, direction in _DIRECTIONS:
            try:
                values[name] = detectable_proportion(
                    control=self.baseline,
                    direction=direction,
                    effective_per_arm=self.teams.effective_per_arm,
                    rates=self.rates,
                    baseline_correlation=self.correlation,
                )
            except InvalidInput:
                raise
            except EstimationError as problem:
                values[name] = math.nan
                refused.append(problem)
        if len(refused) == len(_DIRECTIONS):
            raise refused[0]
        return values

    def simulated(
        self, *, trials: int, rng: np.random.Generator, progress: Progress = silent
    ) -> dict[str, tuple[float, float]]:
        """The same in simulated trials, analysed by CR1 and t on teams - 1, and the simulation's standard error.

        "sd": the effect that the wanted share of trials finds, with the standard error of that share turned into one of
        the effect by the slope of the normal power curve there. Of a proportion, "fall" and "rise": the share of trials
        that find what the closed formula says is detectable. Team sizes are quantiles of a gamma distribution.
        """
        binary = self.baseline is not None
        design = TrialDesign(
            cluster_sizes=team_sizes(people=round(self.analysed), mean_size=self.cluster_size, size_cv=self.size_cv),
            icc=self.icc,
            baseline_correlation=self.correlation,
            outcome="binary" if binary else "continuous",
            control_rate=self.baseline,
        )
        alpha, power = self.rates.alpha, self.rates.power
        if self.baseline is None:
            effect = simulated_detectable_effect(
                design=design, power=power, trials=trials, alpha=alpha, rng=rng, progress=progress
            )
            share = math.sqrt(power * (1 - power) / trials)
            return {"sd": (effect, share * effect / self.rates.steepness)}
        found = {}
        for name, value in self.detectable().items():
            if math.isnan(value):
                continue
            got = simulate_power(
                design=design, effect=value - self.baseline, trials=trials, alpha=alpha, rng=rng, progress=progress
            )
            found[name] = (got.power, got.std_error)
        return found
