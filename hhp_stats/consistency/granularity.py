"""Can these people have given this mean and spread? Whole-number scales leave only some values. (GRIM, GRIMMER.)"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hhp_stats.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What one person's score can be: from `low` to `high` in steps of `step` (None: no steps known)."""

    low: float
    high: float
    step: float | None = None

    def __post_init__(self) -> None:
        if not self.low < self.high or (self.step is not None and not self.step > 0):
            raise InvalidInput(f"a scale from {self.low} to {self.high} in steps of {self.step} does not exist")


def grim(*, mean: float, n: int, margin: float, step: float = 1.0, low: float = 0.0) -> bool:
    """Can n scores of low, low + step, low + 2 step ... have a mean that rounds to the printed one?

    The sum of steps is a whole number, so the mean lies on a lattice of width step/n; true where a lattice
    point is within `margin` (half a unit of the last digit, rounding either way at the middle). For the mean
    of k items of whole numbers use step = 1/k. With n/step above 1/(2 margin) every mean passes.

    Refuses n < 1 and margins or steps that are not positive (InvalidInput).
    Source: Brown and Heathers (2017), Social Psychological and Personality Science 8, 363-369.
    """
    return bool(_possible_sums(mean=mean, n=n, margin=margin, step=step, low=low))


def grimmer(*, mean: float, mean_margin: float, sd: float, sd_margin: float, n: int, scale: Scale) -> bool:
    """Can n whole-number scores on the scale have this mean and this standard deviation, as rounded?

    Counted in steps from the lower end, scores are whole numbers x with sum S and sum of squares Q. For each
    S that `grim` allows, Q = (n-1) sd^2 + S^2/n must come, for some sd within its rounding, to a whole number
    of the same parity as S, not below the sum of squares of scores as equal as can be, nor above that of
    scores at the two ends. Necessary conditions: false is proof, true is not. Refuses a scale without steps,
    n < 2, and what `grim` refuses (InvalidInput). Source: Anaya (2016), PeerJ Preprints 4:e2400v1; Allard
    (2018), on the analytic form.
    """
    if scale.step is None:
        raise InvalidInput("GRIMMER needs a scale with steps")
    if n < 2 or sd < 0 or not sd_margin > 0:
        raise InvalidInput("a standard deviation needs two scores, a margin, and is not negative")
    top = round((scale.high - scale.low) / scale.step)
    for total in _possible_sums(mean=mean, n=n, margin=mean_margin, step=scale.step, low=scale.low):
        if not 0 <= total <= n * top:
            continue
        least, most = _squares_range(total, n=n, top=top)
        low = max(0.0, sd - sd_margin) / scale.step
        high = (sd + sd_margin) / scale.step
        first = max(math.ceil((n - 1) * low**2 + total**2 / n - 1e-7), least)
        last = min(math.floor((n - 1) * high**2 + total**2 / n + 1e-7), most)
        if any(q % 2 == total % 2 for q in range(first, min(last, first + 1) + 1)):
            return True
    return False


def sd_limits(*, mean: float, n: int, scale: Scale) -> tuple[float, float]:
    """Between which standard deviations (denominator n - 1) do n scores with this mean lie?

    Largest: scores at the two ends only, sqrt((mean - low)(high - mean) n/(n-1)). Smallest: scores on the two
    steps around the mean, step sqrt(f(1-f) n/(n-1)) with f the fraction of a step above the lower; zero
    without steps. Refuses a mean off the scale and n < 2 (InvalidInput). Source: Bhatia and Davis (2000),
    American Mathematical Monthly 107, 353-357, for the upper limit.
    """
    if not scale.low <= mean <= scale.high or n < 2:
        raise InvalidInput(f"a mean of {mean:g} over {n} people is not on a scale of {scale.low:g} to {scale.high:g}")
    factor = n / (n - 1)
    largest = math.sqrt((mean - scale.low) * (scale.high - mean) * factor)
    if scale.step is None:
        return 0.0, largest
    fraction = (mean - scale.low) / scale.step % 1.0
    return scale.step * math.sqrt(fraction * (1 - fraction) * factor), largest


def _possible_sums(*, mean: float, n: int, margin: float, step: float, low: float) -> range:
    """Whole numbers of steps in total whose mean rounds to the printed one."""
    if n < 1 or not margin > 0 or not step > 0:
        raise InvalidInput("n, the margin and the step must be positive")
    room = 1e-9 * max(1.0, abs(mean))  # the printed limits have no exact doubles
    first = math.ceil((mean - margin - low - room) * n / step - 1e-9)
    last = math.floor((mean + margin - low + room) * n / step + 1e-9)
    return range(first, last + 1)


def _squares_range(total: int, *, n: int, top: int) -> tuple[int, int]:
    """Smallest and largest sum of squares of n whole numbers in 0..top that add to `total`."""
    each, left = divmod(total, n)
    least = (n - left) * each**2 + left * (each + 1) ** 2
    full, rest = divmod(total, top) if top else (0, 0)
    return least, full * top**2 + rest**2
