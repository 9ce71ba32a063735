"""One honest window for the means of an outcome: how large a difference looks does not hang on its interval.

An axis that is cut to the intervals makes every difference fill it. Here it reaches `REACH` standard deviations of the
control arm to either side of the control mean, in every chapter, and marks say where it is cut.
"""

from __future__ import annotations

from collections.abc import Iterable

from matplotlib.axes import Axes

from hhp_stats.present.style import INK

REACH = 0.6  # standard deviations of the control arm


def window(axes: Axes, *, mean: float, sd: float, shown: Iterable[float]) -> tuple[float, float]:
    """Set the ends of the horizontal axis to `mean` plus and minus `REACH` times `sd`, and mark both as cut.

    It is widened, evenly, where one of the values `shown` lies outside. Returns the ends.
    """
    half = max([REACH * sd, *(1.05 * abs(value - mean) for value in shown)])
    low, high = mean - half, mean + half
    axes.set_xlim(low, high)
    for end in (0.0, 1.0):
        for shift in (-0.004, 0.004):
            axes.plot(
                [end + shift - 0.006, end + shift + 0.006],
                [-0.03, 0.03],
                transform=axes.transAxes,
                color=INK,
                linewidth=0.8,
                clip_on=False,
            )
    return low, high


WINDOW_WORDS = f"the axis reaches {REACH:g} standard deviations to either side of the control mean and is cut there"
