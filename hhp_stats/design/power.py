"""Would the trial as designed find the effect? Simulated trials, analysed as the protocol says.

The closed formulas of `detectable_effect` assume many equal teams and normal quantiles. Here teams
have their own sizes, arms are drawn within strata, and each simulated trial goes through least squares
with CR1 standard errors and t(G-1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from hhp_stats.calls.typed import typed
from hhp_stats.design.simulated_trials import Array, Draw, TrialDesign, simulated_block
from hhp_stats.design.team_sums import StratifiedDraw
from hhp_stats.errors import InvalidInput
from hhp_stats.processes.blocks import block_sizes, child_seeds, in_blocks
from hhp_stats.processes.progress import Progress, silent

TRIALS_AT_ONCE = 25
SECONDS = 6e-8  # a simulated person takes about this long
TRIALS_BYTES = 64_000_000  # memory of one array of a block of simulated people


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedPower:
    """What happened in the simulated trials; `std_error` and the interval are the simulation's own."""

    effect: float
    power: float
    std_error: float
    conf_low: float  # Wilson, 95%
    conf_high: float
    trials: int
    mean_estimate: float
    estimate_std_dev: float  # what the standard errors should be on average
    mean_std_error: float
    coverage: float  # share of intervals that contain `effect`


@typed
def simulate_power(
    *,
    design: TrialDesign,
    effect: float,
    trials: int = 1_000,
    alpha: float = 0.05,
    rng: np.random.Generator,
    draw: Draw | None = None,
    progress: Progress = silent,
) -> SimulatedPower:
    """In what share of trials like this one would `effect` be found significant?

    Estimator: `trials` times: draw arms (`draw(rng, size)` -> (size, teams), by default half of each
    stratum), draw people, lose some, regress the outcome on treatment (and baseline, and stratum
    dummies where the design says so) and test with CR1 and t(G-1).

    Data: continuous outcomes are normal with unit variance within strata, so `effect` is in standard
    deviations: baseline x and noise w each have team and person parts in the shares icc and 1 - icc,
    y = r x + sqrt(1 - r^2) w + effect * treatment. Binary outcomes are Bernoulli with team rates from
    a beta distribution with mean p and variance icc p (1 - p), which makes icc the correlation of two
    members' outcomes; `effect` is the change of p.

    Same numbers for the same seed whatever joblib backend runs the blocks.
    Refuses a rate outside 0..1, an effect that is not finite and alpha outside 0..1 (InvalidInput).
    Source for the beta-binomial: Crowder (1978), Applied Statistics 27, 34-37.
    """
    estimates, std_errors, df = _simulate(design, effect, trials, rng, draw, progress)
    return _summary(estimates, std_errors, df, effect, alpha)


@typed
def simulated_detectable_effect(
    *,
    design: TrialDesign,
    power: float = 0.8,
    trials: int = 1_000,
    alpha: float = 0.05,
    rng: np.random.Generator,
    draw: Draw | None = None,
    progress: Progress = silent,
) -> float:
    """What effect would simulated trials find with the given power? For continuous outcomes.

    Estimator: the effect at which the share of significant trials first reaches `power`, by bisection
    on one set of trials, to 1e-6 of a standard deviation: adding a constant to the treated moves every estimate by it
    and no standard error, so one set serves all effects.
    Refuses a binary outcome and a power outside alpha..1 (InvalidInput).
    """
    if design.outcome != "continuous":
        raise InvalidInput("use simulate_power for a binary outcome")
    if not alpha < power < 1:
        raise InvalidInput("power must lie between alpha and 1")
    estimates, std_errors, df = _simulate(design, 0.0, trials, rng, draw, progress)
    low, high = 0.0, float(20 * std_errors.max())
    while high - low > 1e-6:
        middle = (low + high) / 2
        if _summary(estimates + middle, std_errors, df, middle, alpha).power < power:
            low = middle
        else:
            high = middle
    return high


def _summary(estimates: Array, std_errors: Array, df: Array, effect: float, alpha: float) -> SimulatedPower:
    if not math.isfinite(effect) or not 0 < alpha < 1:
        raise InvalidInput(f"power needs a finite effect and alpha between 0 and 1, not {effect} and {alpha}")
    critical = stats.t.isf(alpha / 2, df)
    significant = np.abs(estimates) > critical * std_errors
    covered = np.abs(estimates - effect) <= critical * std_errors
    trials = len(estimates)
    power = float(significant.mean())
    interval = stats.binomtest(int(significant.sum()), trials).proportion_ci(method="wilson")
    return SimulatedPower(
        effect=effect,
        power=power,
        std_error=math.sqrt(power * (1 - power) / trials),
        conf_low=float(interval.low),
        conf_high=float(interval.high),
        trials=trials,
        mean_estimate=float(estimates.mean()),
        estimate_std_dev=float(estimates.std(ddof=1)) if trials > 1 else math.nan,
        mean_std_error=float(std_errors.mean()),
        coverage=float(covered.mean()),
    )


def _simulate(
    design: TrialDesign, effect: float, trials: int, rng: np.random.Generator, draw: Draw | None, progress: Progress
) -> tuple[Array, Array, Array]:
    """Estimates, standard errors and degrees of freedom of every trial, (trials,) each."""
    if design.outcome == "binary" and design.control_rate is not None and not 0 <= design.control_rate + effect <= 1:
        raise InvalidInput(f"a change of {effect:g} takes the rate outside 0..1")
    draw = draw or StratifiedDraw.of(design.strata or (0,) * len(design.cluster_sizes))
    block = max(1, min(TRIALS_AT_ONCE, TRIALS_BYTES // (8 * design.people)))
    sizes = block_sizes(trials, block)
    jobs: list[tuple[object, ...]] = [
        (design, effect, draw, seed, size) for size, seed in zip(sizes, child_seeds(rng, len(sizes)), strict=True)
    ]
    estimates, std_errors, df = np.concatenate(
        in_blocks(simulated_block, jobs, progress, seconds=SECONDS * trials * design.people), axis=1
    )
    return estimates, std_errors, df
