"""How would estimates move together if other teams had been drawn? Teams resampled within arm and stratum."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from hhp_stats.blocks import seed_sequence, workers
from hhp_stats.errors import EstimationError, InvalidInput, NoObservations, SingleClusterArm, UnknownName
from hhp_stats.infer.satterthwaite import IntArray
from hhp_stats.progress import Progress, silent
from hhp_stats.results import checked_level

Estimator = Callable[[pd.DataFrame], Mapping[str, float]]

SECONDS = 1e-6  # one person in one draw takes about this long, resampling and regression together
_ROUND = 50  # draws between two reports of progress; the numbers do not depend on it


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapDraws:
    """Joint draws of several estimates: one row a draw, one column an estimate."""

    estimates: Mapping[str, float]  # from the data as they are
    draws: pd.DataFrame  # (draws - failed, estimates)
    failed: int  # draws in which the estimator could not estimate
    single_team_cells: int  # arm-stratum cells of one team, which resampling cannot vary
    n: int
    n_clusters: int

    def interval(self, name: str, *, conf_level: float = 0.95) -> tuple[float, float]:
        """Percentile interval of one estimate."""
        tail = (1 - checked_level(conf_level)) / 2
        low, high = np.quantile(self.draws[name].to_numpy(), [tail, 1 - tail])
        return float(low), float(high)

    def correlation(self, first: str, second: str) -> float:
        """Correlation of two estimates over the draws."""
        return float(np.corrcoef(self.draws[first], self.draws[second])[0, 1])


def cluster_bootstrap(
    frame: pd.DataFrame,
    *,
    estimator: Estimator,
    clusters: str,
    within: Sequence[str],
    draws: int,
    seed: int,
    n_jobs: int | None = None,
    largest_failed_share: float = 0.05,
    progress: Progress = silent,
) -> BootstrapDraws:
    """How do the numbers that `estimator` returns vary together over samples of teams?

    In each cell of the columns `within` (arm and strata) as many teams are drawn with replacement
    as it holds, each with all its people; a team drawn twice counts as two (the column `clusters` is
    renumbered), and `estimator` is run on the frame so made. Because one call returns all
    numbers, their dependence is kept.

    `estimator(frame)` returns the same names each time. Draw b uses the b-th child of `seed`, so the numbers
    are the same however many workers there are. `n_jobs` None follows `joblib.parallel_config`, else takes
    every core for long work.

    A draw in which the estimator raises an EstimationError (for example separation) or returns a number that
    is not finite is counted; more than
    `largest_failed_share` of them are refused, since the rest would be a selected sample.

    Refuses unknown columns (UnknownName), missing cells, a team in two cells, fewer than 2 draws
    (InvalidInput), and only cells of one team (SingleClusterArm). Assumes teams are independent.
    Source: Davison and Hinkley (1997), Bootstrap Methods and their Application, section 3.8.
    """
    missing = [column for column in (clusters, *within) if column not in frame.columns]
    if missing:
        raise UnknownName(f"no column {', '.join(missing)}")
    if frame.empty:
        raise NoObservations("no observations are left to analyse")
    if draws < 2:
        raise InvalidInput("a bootstrap needs at least two draws")
    if frame[[clusters, *within]].isna().any(axis=None):
        raise InvalidInput("every person needs a team, an arm and a stratum")
    cells, rows = _cells(frame, clusters, within)
    if max(map(len, cells)) < 2:
        raise SingleClusterArm("every cell of arm and stratum holds one team: resampling varies nothing")
    estimates = {name: float(value) for name, value in estimator(frame).items()}
    unknown = [name for name, value in estimates.items() if not math.isfinite(value)]
    if unknown:
        raise EstimationError(
            f"the estimator gives no finite number for {', '.join(unknown)} from the data as they are"
        )
    streams = seed_sequence(seed).spawn(draws)
    found: list[dict[str, float] | None] = []
    if n_jobs is None:
        n_jobs = workers(SECONDS * draws * len(frame))
    with Parallel(n_jobs=n_jobs) as parallel:
        for start in range(0, draws, _ROUND):
            part = streams[start : start + _ROUND]
            batches = [part[i::4] for i in range(4)]
            done = parallel(
                delayed(_run)(frame, estimator, clusters, cells, rows, tuple(estimates), batch)
                for batch in batches
                if batch
            )
            # Back into the order of the draws, which the four batches took in turn.
            ordered: list[dict[str, float] | None] = [None] * len(part)
            for i, results in enumerate(done):
                ordered[i::4] = results
            found.extend(ordered)
            progress(len(found), draws)
    kept = [row for row in found if row is not None]
    failed = draws - len(kept)
    if failed > largest_failed_share * draws:
        raise EstimationError(f"the estimates do not exist in {failed} of {draws} bootstrap samples")
    return BootstrapDraws(
        estimates=estimates,
        draws=pd.DataFrame(kept, columns=list(estimates)),
        failed=failed,
        single_team_cells=sum(len(cell) == 1 for cell in cells),
        n=len(frame),
        n_clusters=sum(map(len, cells)),
    )


def _cells(frame: pd.DataFrame, clusters: str, within: Sequence[str]) -> tuple[list[IntArray], list[IntArray]]:
    codes = pd.factorize(frame[clusters])[0]
    cell = frame.groupby(list(within), sort=True, observed=True).ngroup().to_numpy() if within else np.zeros(len(frame))
    pairs = pd.DataFrame({"cluster": codes, "cell": cell}).drop_duplicates()
    if pairs["cluster"].duplicated().any():
        raise InvalidInput("a team is in more than one cell of arm and stratum")
    order = np.argsort(codes, kind="stable")
    rows = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
    return [group.to_numpy(dtype=np.intp) for _, group in pairs.groupby("cell")["cluster"]], rows


def _run(
    frame: pd.DataFrame,
    estimator: Estimator,
    clusters: str,
    cells: list[IntArray],
    rows: list[IntArray],
    names: tuple[str, ...],
    streams: list[np.random.SeedSequence],
) -> list[dict[str, float] | None]:
    out: list[dict[str, float] | None] = []
    for stream in streams:
        rng = np.random.default_rng(stream)
        drawn = np.concatenate([cell[rng.integers(0, len(cell), size=len(cell))] for cell in cells])
        taken = [rows[int(cluster)] for cluster in drawn]
        sample = frame.iloc[np.concatenate(taken)].reset_index(drop=True)
        sample[clusters] = np.repeat(np.arange(len(taken)), [len(part) for part in taken])
        try:
            values = estimator(sample)
        except EstimationError:
            out.append(None)
            continue
        if set(values) != set(names):
            raise InvalidInput(f"the estimator returned {sorted(values)} where {sorted(names)} was expected")
        row = {name: float(values[name]) for name in names}
        out.append(row if all(map(math.isfinite, row.values())) else None)
    return out
