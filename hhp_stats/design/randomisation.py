"""Which teams were offered the intervention, and could anybody have steered it? (protocol P14-P22)

Teams are drawn within strata; the draw is repeated until role and length of service do not differ
significantly between the arms. Everything that a redraw needs is a team-level sum, so a draw costs a
small matrix product and thousands of redraws (for randomisation inference) are cheap.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from hhp_stats.calls.typed import check_fields, typed
from hhp_stats.design.team_sums import Array, Assignments, TeamSums
from hhp_stats.errors import ConstantTreatment, InvalidInput
from hhp_stats.processes.blocks import seed_sequence
from hhp_stats.processes.progress import Progress, silent

CANDIDATE_BYTES = 32_000_000  # memory for one batch of candidate draws, one byte a team


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationRule:
    """The protocol's acceptance rule; the defaults are its readings (contradiction C66).

    A draw is accepted when every balance test has p > `alpha`. The first draw may be followed by
    `max_redraws` further ones; if none is accepted the last is kept. `categorical` columns are tested
    with Pearson's chi-squared without continuity correction, `continuous` ones with Student's t with
    pooled variance, both on people, as printed (no allowance for teams). Without any column every draw is accepted:
    plain stratified randomisation.
    """

    max_redraws: int = 100
    alpha: float = 0.05
    categorical: tuple[str, ...] = ("role",)
    continuous: tuple[str, ...] = ("service_years",)

    def __post_init__(self) -> None:
        check_fields(self)
        if self.max_redraws < 0 or not 0 <= self.alpha < 1:
            raise InvalidInput("max_redraws must be a whole number from zero, and alpha in 0..1")

    @property
    def tests(self) -> tuple[str, ...]:
        """Names of the p-value columns of the log."""
        return tuple(f"p_{column}" for column in (*self.categorical, *self.continuous))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Allocation:
    """One randomisation: who got what, how often it was redrawn, and what repeats it."""

    teams: pd.DataFrame  # team_id, local_authority, stratum, treatment (0/1), sorted by authority and team
    log: pd.DataFrame  # draw (from 1), one p-value per balance test, accepted; the last row was kept
    rule: AllocationRule
    seed: int

    @property
    def digest(self) -> str:
        """SHA-256 of the allocation as CSV: equal digests are equal allocations."""
        return hashlib.sha256(self.teams.to_csv(index=False, lineterminator="\n").encode()).hexdigest()


@typed
def randomise(*, people: pd.DataFrame, strata: pd.DataFrame, rule: AllocationRule, seed: int) -> Allocation:
    """Which teams are treated?

    Estimator: half of the teams of each stratum are treated; in a stratum of odd size the extra team
    goes to either arm with equal chance. Draws are repeated under `rule`. Draw j uses the j-th child
    of `seed`, so any one of them can be repeated alone.

    Shapes: `people` one row a person with `staff_id, team_id, local_authority` and the columns that
    the rule tests (missing values leave that person out of that test); `strata` one row a team with
    `team_id, stratum` (see `make_strata`). Rows may come in any order. For authorities randomised on
    different days call it once for each batch.

    Refuses a seed that is no whole number, tested columns that are not there or not finite (InvalidInput,
    UnknownName), people and strata with different teams, fewer than two teams (EstimationError), and a
    last draw that leaves an arm empty (ConstantTreatment).
    Source: protocol P14-P20; Morgan and Rubin (2012) on acceptance rules in general.
    """
    seed_sequence(seed)  # refused where the draw could not be repeated
    layout = TeamSums.of(people, strata, rule)
    records = []
    for number in range(1, rule.max_redraws + 2):
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(number,))))
        candidate = layout.draw.candidates(rng, 1)
        p_values = layout.p_values(candidate)[0]
        accepted = bool(np.all(p_values > rule.alpha))
        records.append({"draw": number, **dict(zip(rule.tests, p_values.tolist(), strict=True)), "accepted": accepted})
        if accepted:
            break
    treatment = candidate[:, 0]
    if np.ptp(treatment) == 0:
        raise ConstantTreatment(f"the last of {number} draws leaves an arm without teams; merge strata")
    teams = layout.teams.assign(treatment=treatment.astype(np.int64))
    return Allocation(teams=teams, log=pd.DataFrame(records), rule=rule, seed=seed)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Redraws:
    """Further allocations by the same rule, acceptance included: a `draw` for randomisation inference.

    Calling it with `(rng, size)` returns a (size, teams) array of 0/1 in the order of `team_ids`. Each
    row is one complete run of the rule: candidates until one is accepted, or the last of
    1 + max_redraws. Rows are independent.
    """

    team_ids: tuple[str, ...]
    stratum: tuple[str, ...]
    rule: AllocationRule
    _sums: TeamSums = field(repr=False)

    @classmethod
    def of(cls, *, people: pd.DataFrame, strata: pd.DataFrame, rule: AllocationRule) -> Redraws:
        """Prepare redraws for the same inputs as `randomise`."""
        layout = TeamSums.of(people, strata, rule)
        return cls(
            team_ids=tuple(layout.teams["team_id"]), stratum=tuple(layout.teams["stratum"]), rule=rule, _sums=layout
        )

    def __call__(self, rng: np.random.Generator, size: int) -> Assignments:
        """`size` independent allocations, (size, teams) 0/1."""
        limit = self.rule.max_redraws + 1
        most = max(1, CANDIDATE_BYTES // len(self.team_ids))
        kept: list[Assignments] = []
        found, rejected, batch = 0, 0, min(most, size + size // 8 + 2)
        while found < size:
            candidates = self._sums.draw.candidates(rng, batch)
            accepted = np.all(self._sums.p_values(candidates) > self.rule.alpha, axis=1)
            chosen, rejected = _chosen(accepted, rejected, limit)
            kept.append(candidates if len(chosen) == batch else candidates[:, chosen])
            found += len(chosen)
            share = max(len(chosen) / batch, 1 / limit)
            batch = min(most, max(1, int(1.1 * (size - found) / share) + 2))
        return (kept[0] if len(kept) == 1 else np.concatenate(kept, axis=1))[:, :size].T


def _chosen(accepted: npt.NDArray[np.bool_], rejected: int, limit: int) -> tuple[npt.NDArray[np.intp], int]:
    """Which candidates of a running sequence end a run of the rule? Also the open run's length.

    A run ends at an accepted candidate or at its `limit`-th. `rejected` candidates of the current run
    came before the first one here.
    """
    passed = np.flatnonzero(accepted)
    gaps = np.diff(passed, prepend=-1 - rejected, append=len(accepted))
    if gaps.max() <= limit:  # every run ended by an acceptance: nearly always so
        return passed, int(gaps[-1]) - 1
    ends: list[int] = []
    start = -rejected  # position of the first candidate of the current run
    for position in (*passed.tolist(), None):
        stop = len(accepted) if position is None else position
        exhausted = range(start + limit - 1, stop, limit)
        ends.extend(exhausted)
        if len(exhausted):
            start = exhausted[-1] + 1
        if position is not None:
            ends.append(position)
            start = position + 1
    return np.array(ends, dtype=np.intp), len(accepted) - start


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AssignmentProbabilities:
    """How the acceptance rule bends the chances of treatment, estimated by redrawing."""

    teams: pd.DataFrame  # team_id, stratum, probability, std_error (of the simulation)
    pairs: pd.DataFrame  # the team pairs whose chance of sharing an arm moved most, most separated first
    accepted: float  # share of kept allocations that pass the balance tests
    draws: int


@typed
def assignment_probabilities(
    *,
    people: pd.DataFrame,
    strata: pd.DataFrame,
    rule: AllocationRule,
    rng: np.random.Generator,
    draws: int = 10_000,
    pairs: int = 10,
    progress: Progress = silent,
) -> AssignmentProbabilities:
    """Did every team have an even chance, and did the rule tie any teams together?

    Estimator: shares over `draws` allocations by the rule. Swapping the arms leaves both balance tests
    unchanged, so every team's own chance is exactly one half whatever the rule does: the first table
    checks the machinery. What the rule does change is which teams go together: for pairs of teams in
    different strata (even chance of sharing an arm without the rule) `same_arm` is the share of draws
    in which they do, and `z` its distance from one half in simulation standard errors; expect |z| of 3
    to 4 by chance alone among thousands of pairs. Only the `pairs` most separated and most joined are
    listed; above 5,000 teams none are (the table of pairs would not fit in memory).
    Refuses fewer than two draws (InvalidInput).
    Source: Morgan and Rubin (2012), section 2.2, on symmetry in the arms.
    """
    if draws < 2:
        raise InvalidInput("assignment probabilities need at least two draws")
    redraws = Redraws.of(people=people, strata=strata, rule=rule)
    n_teams = len(redraws.team_ids)
    joint = np.zeros((n_teams, n_teams)) if n_teams <= 5_000 else None
    treated, passed, done = np.zeros(n_teams), 0, 0
    while done < draws:
        size = min(draws - done, max(1, CANDIDATE_BYTES // (8 * n_teams)))
        block = redraws(rng, size).T
        passed += int(np.all(redraws._sums.p_values(block) > rule.alpha, axis=1).sum())
        treated += block.sum(axis=1, dtype=np.float64)
        if joint is not None:
            signs = block.astype(np.float64) * 2 - 1
            joint += signs @ signs.T
        done += size
        progress(done, draws)
    probability = treated / draws
    teams = pd.DataFrame(
        {
            "team_id": redraws.team_ids,
            "stratum": redraws.stratum,
            "probability": probability,
            "std_error": np.sqrt(probability * (1 - probability) / draws),
        }
    )
    extremes = _extreme_pairs(teams, joint, draws, pairs)
    return AssignmentProbabilities(teams=teams, pairs=extremes, accepted=passed / draws, draws=draws)


def _extreme_pairs(teams: pd.DataFrame, joint: Array | None, draws: int, pairs: int) -> pd.DataFrame:
    if joint is None:
        return pd.DataFrame(columns=["team_id", "other_team_id", "same_arm", "z"])
    codes = pd.factorize(teams["stratum"])[0]
    first, second = np.nonzero(np.triu(codes[:, None] != codes[None, :]))
    same = (joint[first, second] / draws + 1) / 2
    order = np.argsort(same, kind="stable")
    order = order if len(order) <= 2 * pairs else np.r_[order[:pairs], order[len(order) - pairs :]]
    ids = teams["team_id"].to_numpy()
    return pd.DataFrame(
        {
            "team_id": ids[first[order]],
            "other_team_id": ids[second[order]],
            "same_arm": same[order],
            "z": (same[order] - 0.5) * 2 * np.sqrt(draws),
        }
    )
