"""Are we as fast as others? Least squares and the logit by team, from a plain frame with a formula, whole calls.

Peers are statsmodels and linearmodels, which the report has anyway, and pyfixest (`pip install -e '.[bench]'`); one
that is not installed is left out. The name of a case ends with whose it is, and the table has the ratio to ours.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

import pandas as pd

import hhp_stats as hs
from benchmarks.bench_linear import SIZES, Case, trial

TERMS = "treatment + role + service + authority + coffee"
ABSENCE, LEFT = f"absence ~ {TERMS}", f"left ~ {TERMS}"
LEAST_SQUARES, LOGIT = "from a frame: OLS, CR1", "from a frame: logit, clustered"

Call = Callable[[pd.DataFrame], object]


def ours(frame: pd.DataFrame) -> object:
    """Least squares by this package."""
    return hs.linear(ABSENCE, frame, clusters="team_id", covariance="CR1").effect()


def ours_logit(frame: pd.DataFrame) -> object:
    """The logit by this package, with the change of the probability that the others do not make."""
    return hs.logit(LEFT, frame, clusters="team_id").effect()


def statsmodels(frame: pd.DataFrame) -> object:
    """Least squares by statsmodels."""
    from statsmodels.formula.api import ols

    return ols(ABSENCE, frame).fit(cov_type="cluster", cov_kwds={"groups": frame["team_id"]}).bse["treatment"]


def statsmodels_logit(frame: pd.DataFrame) -> object:
    """The logit by statsmodels."""
    from statsmodels.formula.api import logit

    found = logit(LEFT, frame).fit(disp=0, cov_type="cluster", cov_kwds={"groups": frame["team_id"]})
    return found.bse["treatment"]


def linearmodels(frame: pd.DataFrame) -> object:
    """Least squares by linearmodels."""
    from linearmodels.iv import IV2SLS

    model = IV2SLS.from_formula(f"absence ~ 1 + {TERMS}", frame)
    return model.fit(cov_type="clustered", clusters=frame["team_id"], debiased=True).std_errors["treatment"]


def pyfixest(frame: pd.DataFrame) -> object:
    """Least squares by pyfixest, authority and role as columns like the others."""
    from pyfixest.estimation import feols

    return feols(ABSENCE, frame, vcov={"CRV1": "team_id"}).se()["treatment"]


PEERS: tuple[tuple[str, str, Call], ...] = (
    (LEAST_SQUARES, "statsmodels", statsmodels),
    (LEAST_SQUARES, "linearmodels", linearmodels),
    (LEAST_SQUARES, "pyfixest", pyfixest),
    (LOGIT, "statsmodels", statsmodels_logit),
)


def cases(sizes: tuple[tuple[int, int], ...] = SIZES) -> list[Case]:
    """Every case to be timed: name, shape, call; the peers that are installed come after ours."""
    found: list[Case] = []
    for people, teams in sizes:
        frame, matrix = trial(people, teams)
        shape = f"n={people:,} G={teams:,} k={matrix.values.shape[1]}"
        calls = [
            (LEAST_SQUARES, ours),
            (LOGIT, ours_logit),
            *((f"{name}, {peer}", call) for name, peer, call in PEERS if find_spec(peer)),
        ]
        found += [(name, shape, partial(call, frame)) for name, call in calls]
    return found
