"""How would estimates move together if other teams had been drawn? Teams resampled within arm and stratum."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from hhp_stats.calls.typed import typed
from hhp_stats.errors import (
    CollinearTerms,
    EstimationError,
    InvalidInput,
    NoObservations,
    SingleClusterArm,
    UnknownName,
)
from hhp_stats.processes.blocks import seed_sequence, workers
from hhp_stats.processes.progress import Progress, silent
from hhp_stats.regression.clusters import refuse_untold_terms
from hhp_stats.regression.inputs import same_people
from hhp_stats.regression.model_matrix import Array, ModelMatrix, as_numbers
from hhp_stats.regression.satterthwaite import IntArray
from hhp_stats.results.frame import checked_level

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


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamCells:
    """Which teams are drawn from which cell: `cells` the teams of each, `rows` the people of each team, in numbers."""

    cells: tuple[IntArray, ...]
    rows: tuple[IntArray, ...]
    people: int


@typed
def team_cells(frame: pd.DataFrame, *, clusters: str, within: Sequence[str], arm: str = "treatment") -> TeamCells:
    """The teams (column `clusters`) of each cell of the columns `within`, once they can be drawn from.

    `arm` says which of `within` is the arm, each of which needs two teams. Refuses unknown columns (UnknownName), no
    rows (NoObservations), missing cells and a team in two cells (InvalidInput), and only cells of one team or an arm
    of one (SingleClusterArm).
    """
    if isinstance(within, str):
        raise InvalidInput(f"within is a list of columns: write [{within!r}]")
    missing = [column for column in (clusters, *within) if column not in frame.columns]
    if missing:
        raise UnknownName(f"no column {', '.join(map(str, missing))}")
    if frame.empty:
        raise NoObservations("no observations are left to analyse")
    if frame[[clusters, *within]].isna().any(axis=None):
        raise InvalidInput("every person needs a team, an arm and a stratum")
    codes = pd.factorize(frame[clusters])[0]
    cell = (
        frame.groupby(list(within), sort=True, observed=True).ngroup().to_numpy()
        if len(within)
        else np.zeros(len(frame))
    )
    pairs = pd.DataFrame({"cluster": codes, "cell": cell}).drop_duplicates()
    if pairs["cluster"].duplicated().any():
        raise InvalidInput("a team is in more than one cell of arm and stratum")
    order = np.argsort(codes, kind="stable")
    rows = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
    cells = tuple(group.to_numpy(dtype=np.intp) for _, group in pairs.groupby("cell")["cluster"])
    if max(map(len, cells)) < 2:
        raise SingleClusterArm("every cell of arm and stratum holds one team: resampling varies nothing")
    if arm in within:
        whole = frame[[clusters, arm]].drop_duplicates()
        for value, teams in whole.groupby(arm, sort=True)[clusters].nunique().items():
            if teams < 2:
                raise SingleClusterArm(
                    f"the arm with {arm} = {value} holds {teams} cluster: drawing it again varies nothing; give the"
                    " unit that was randomised, or randomise more clusters"
                )
    return TeamCells(cells=cells, rows=tuple(rows), people=len(frame))


@typed
def cluster_bootstrap(
    frame: pd.DataFrame,
    *,
    estimator: Estimator,
    clusters: str,
    within: Sequence[str],
    arm: str = "treatment",
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
    (InvalidInput), and only cells of one team or an arm (column `arm`, where it is among `within`) of one team
    (SingleClusterArm). Assumes teams are independent.
    Source: Davison and Hinkley (1997), Bootstrap Methods and their Application, section 3.8.
    """
    _refuse_few(draws)
    teams = team_cells(frame, clusters=clusters, within=within, arm=arm)
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
                delayed(_run)(frame, estimator, clusters, teams, tuple(estimates), batch) for batch in batches if batch
            )
            # Back into the order of the draws, which the four batches took in turn.
            ordered: list[dict[str, float] | None] = [None] * len(part)
            for i, results in enumerate(done):
                ordered[i::4] = results
            found.extend(ordered)
            progress(len(found), draws)
    kept = pd.DataFrame([row for row in found if row is not None], columns=list(estimates))
    return _drawn(estimates, kept, teams, draws=draws, largest_failed_share=largest_failed_share)


@typed
def linear_bootstrap(
    outcomes: Mapping[str, Array],
    *,
    matrix: ModelMatrix,
    teams: TeamCells,
    draws: int,
    seed: int,
    means: Mapping[str, Array] | None = None,
    term: str = "treatment",
    largest_failed_share: float = 0.05,
) -> BootstrapDraws:
    """How do least-squares coefficients of several outcomes vary together over samples of teams?

    The draws of `cluster_bootstrap`, seed for seed, with as estimator the coefficient of `term` in the regression
    of each outcome on the same terms. A team drawn c times enters every cross-product c times, so a sample's
    regression needs the sums over teams only: X'X = sum of c_g X_g'X_g, X'y likewise.

    `means` holds further quantities (n,), NaN for people without: their mean is drawn from the same samples. A sample
    in which nobody has one has failed.

    Shapes: outcomes (n,) each, NaN where not known: such people are left out of that outcome's regression; matrix
    (n, k); `teams` (`team_cells`) of the same people. Units: those of the outcomes. Terms that
    determine each other in a sample are no matter unless `term` is among them: then the draw has failed.
    Refuses: fewer than two draws, infinite values and outcomes of another length (InvalidInput), and a `term` not
    identified from the data as they are (CollinearTerms). Assumes teams are independent.
    Source: Davison and Hinkley (1997), Bootstrap Methods and their Application, section 3.8.
    """
    _refuse_few(draws)
    same_people(the_model_matrix=matrix, **outcomes, **(means or {}))
    if any(len(values) != teams.people for values in (matrix.values, *outcomes.values(), *(means or {}).values())):
        raise InvalidInput(f"matrix, outcomes and the {teams.people} people of the teams differ in length")
    counts = np.empty((draws, len(teams.rows)))
    for draw, drawn in enumerate(_resampled(teams.cells, seed_sequence(seed).spawn(draws))):
        counts[draw] = np.bincount(drawn, minlength=len(teams.rows))
    place = matrix.position(term)
    # Team after team, so that each is a slice.
    order, sizes = np.concatenate(teams.rows), [len(rows) for rows in teams.rows]
    slices = [slice(end - size, end) for size, end in zip(sizes, np.cumsum(sizes).tolist(), strict=True)]
    codes = np.empty(teams.people, dtype=np.intp)
    codes[order] = np.repeat(np.arange(len(sizes)), sizes)
    estimates, found = {}, {}
    for name, outcome in outcomes.items():
        outcome = as_numbers(outcome, name=name)
        own, known = np.column_stack((matrix.values, outcome)), ~np.isnan(outcome)
        if not known.any():
            raise NoObservations(f"{name} is known for nobody")
        refuse_untold_terms(
            ModelMatrix(values=matrix.values[known], names=matrix.names), terms=[place], codes=codes[known]
        )
        if not np.isfinite(own[known]).all():
            raise InvalidInput(f"infinite values of {name} or missing or infinite ones of the terms")
        own[~known] = 0.0  # adds nothing to any cross-product
        own = own[order]
        sums = np.array([own[team].T @ own[team] for team in slices])
        whole = _coefficients(sums.sum(axis=0)[None], place)
        if np.isnan(whole).any():
            raise CollinearTerms(f"{term} is determined by the other terms among those whose {name} is known")
        estimates[name] = float(whole[0])
        found[name] = _coefficients(np.tensordot(counts, sums, axes=1), place)
    for name, values in (means or {}).items():
        has_one = ~np.isnan(values)
        filled, there = np.where(has_one, values, 0.0), has_one.astype(np.float64)
        filled, there = filled[order], there[order]
        sums = np.array([[filled[team].sum(), there[team].sum()] for team in slices])
        if not sums[:, 1].sum():
            raise NoObservations(f"nobody has a value of {name}")
        estimates[name] = float(sums[:, 0].sum() / sums[:, 1].sum())
        total, people_with = (counts @ sums).T
        found[name] = np.divide(total, people_with, out=np.full(draws, np.nan), where=people_with > 0)
    unknown = np.isnan(list(found.values())).any(axis=0)
    kept = pd.DataFrame({name: drawn[~unknown] for name, drawn in found.items()})
    return _drawn(estimates, kept, teams, draws=draws, largest_failed_share=largest_failed_share)


def _coefficients(grams: Array, place: int) -> Array:
    """The coefficient at `place` (L,) from cross-products of [X y] (L, k + 1, k + 1); NaN where not identified."""
    inner = grams[:, :-1, :-1]
    length = np.sqrt(np.diagonal(inner, axis1=1, axis2=2))
    length = np.where(length > 0, length, 1.0)
    values, vectors = np.linalg.eigh(inner / (length[:, :, None] * length[:, None, :]))
    # Columns of unit length: an eigenvalue of rounding size is a combination of terms that is zero for everybody.
    told = values > 1e-10
    within = (vectors.swapaxes(1, 2) @ (grams[:, :-1, -1] / length)[:, :, None])[:, :, 0]
    found = (vectors[:, place] * np.divide(within, values, out=np.zeros_like(values), where=told)).sum(axis=1)
    aliased = ((vectors[:, place] ** 2) * ~told).sum(axis=1) > 1e-8
    return np.where(aliased, np.nan, found / length[:, place])


def _refuse_few(draws: int) -> None:
    if not isinstance(draws, int | np.integer) or draws < 2:
        raise InvalidInput(f"a bootstrap needs at least two draws, a whole number of them; not {draws!r}")


def _drawn(
    estimates: Mapping[str, float], kept: pd.DataFrame, teams: TeamCells, *, draws: int, largest_failed_share: float
) -> BootstrapDraws:
    failed = draws - len(kept)
    if failed > largest_failed_share * draws:
        raise EstimationError(f"the estimates do not exist in {failed} of {draws} bootstrap samples")
    return BootstrapDraws(
        estimates=estimates,
        draws=kept,
        failed=failed,
        single_team_cells=sum(len(cell) == 1 for cell in teams.cells),
        n=teams.people,
        n_clusters=sum(map(len, teams.cells)),
    )


def _resampled(cells: Sequence[IntArray], streams: Iterable[np.random.SeedSequence]) -> Iterator[IntArray]:
    """The teams of each draw: from each cell as many as it holds, with replacement. A stream a draw."""
    teams, sizes = np.concatenate(cells), np.array([len(cell) for cell in cells])
    first, size = np.repeat(np.cumsum(sizes) - sizes, sizes), np.repeat(sizes, sizes)
    for stream in streams:
        yield teams[first + np.random.default_rng(stream).integers(0, size)]


def _run(
    frame: pd.DataFrame,
    estimator: Estimator,
    clusters: str,
    teams: TeamCells,
    names: tuple[str, ...],
    streams: list[np.random.SeedSequence],
) -> list[dict[str, float] | None]:
    out: list[dict[str, float] | None] = []
    for drawn in _resampled(teams.cells, streams):
        taken = [teams.rows[int(cluster)] for cluster in drawn]
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
