"""Everything that a draw of teams and its balance tests need, as sums over teams.

Kept apart from the rule (`randomisation.py`) so that thousands of draws are one matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special

from hhp_stats.design.strata import sorted_people
from hhp_stats.errors import EstimationError, InvalidInput, UnknownName
from hhp_stats.regression.inputs import with_columns
from hhp_stats.regression.model_matrix import as_numbers

Array = npt.NDArray[np.float64]
Assignments = npt.NDArray[np.uint8]

ONE_CORE = 1 << 18  # multiplications below which OpenBLAS does not wake further threads; also bounds memory


class BalanceTests(Protocol):
    """The part of an allocation rule that names the tested columns."""

    @property
    def categorical(self) -> tuple[str, ...]:
        """Columns tested by chi-squared."""
        ...

    @property
    def continuous(self) -> tuple[str, ...]:
        """Columns tested by t."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StratifiedDraw:
    """Half of each stratum treated, the extra team of an odd stratum in either arm: no balance tests.

    Called with `(rng, size)` it returns (size, teams) of 0/1, teams in the order of the labels given.
    """

    steps: tuple[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]], ...]  # p-th members: team rows, their strata
    sizes: npt.NDArray[np.int64]  # teams per stratum

    @classmethod
    def of(cls, strata: ArrayLike) -> StratifiedDraw:
        """From the stratum label of each team."""
        labels = pd.Series(np.asarray(strata))
        codes, names = pd.factorize(labels.to_numpy(), sort=True)
        place = labels.groupby(codes).cumcount().to_numpy()
        by_stratum = np.lexsort((place, codes))
        steps = tuple(
            (rows := by_stratum[place[by_stratum] == p], codes[rows]) for p in range(int(place.max(initial=-1)) + 1)
        )
        return cls(steps=steps, sizes=np.bincount(codes, minlength=len(names)))

    def __call__(self, rng: np.random.Generator, size: int) -> Assignments:
        """`size` independent allocations, (size, teams) 0/1."""
        return self.candidates(rng, size).T

    def candidates(self, rng: np.random.Generator, columns: int) -> Assignments:
        """Stratified draws without the balance tests, (teams, columns).

        Selection sampling (Knuth, The Art of Computer Programming, volume 2, 3.4.2, algorithm S): the
        p-th team of a stratum is treated with chance places left / teams left. Chances are integers
        over 2^32, so an allocation depends on the seed alone, not on rounding.
        """
        odd = self.sizes % 2
        places = np.repeat((self.sizes // 2)[:, None], columns, axis=1)
        places[odd == 1] += _words(rng, int(odd.sum()), columns) >> 31
        drawn = np.empty((int(self.sizes.sum()), columns), dtype=np.uint8)
        for p, (rows, strata) in enumerate(self.steps):
            left = (self.sizes[strata] - p)[:, None]
            everyone = len(strata) == len(places)
            now = places if everyone else places[strata]
            treated = ((_words(rng, len(rows), columns) * left) >> 32) < now
            drawn[rows] = treated
            if everyone:
                places -= treated
            else:
                places[strata] = now - treated
        return drawn


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TeamSums:
    """Team-level sums in sorted order: all that a draw and its balance tests need."""

    teams: pd.DataFrame
    draw: StratifiedDraw
    sums: Array  # (rows, teams): per categorical its level counts, per continuous n and centred sum
    tests: tuple[tuple[slice, Array], ...]  # rows of `sums`, with totals (and total sum of squares) of all
    categorical: int

    @classmethod
    def of(cls, people: pd.DataFrame, strata: pd.DataFrame, rule: BalanceTests) -> TeamSums:
        """Sort people and teams and sum up; what is refused is said in `randomisation.randomise`."""
        absent = [name for name in (*rule.categorical, *rule.continuous) if name not in people.columns]
        if absent:
            raise UnknownName(f"people have no column {', '.join(absent)}, which the rule tests")
        ordered = sorted_people(people)
        teams = ordered[["local_authority", "team_id"]].drop_duplicates(ignore_index=True)
        with_columns(strata, ("team_id", "stratum"))
        given = strata.astype({"team_id": "str", "stratum": "str"}).set_index("team_id")["stratum"]
        if given.index.duplicated().any():
            raise EstimationError("a team has two strata")
        unmatched = set(given.index) ^ set(teams["team_id"])
        if unmatched or given.isna().any():
            raise EstimationError(f"people and strata hold different teams: {', '.join(sorted(unmatched)[:5])}")
        if len(teams) < 2:
            raise EstimationError("randomising teams needs at least two of them")
        teams["stratum"] = given.loc[teams["team_id"]].to_numpy()
        team = pd.factorize(ordered["team_id"])[0]
        sums, tests = _balance_sums(ordered, team, len(teams), rule)
        return cls(
            teams=teams[["team_id", "local_authority", "stratum"]],
            draw=StratifiedDraw.of(teams["stratum"]),
            sums=sums,
            tests=tests,
            categorical=len(rule.categorical),
        )

    def p_values(self, candidates: Assignments) -> Array:
        """p-values of the balance tests, (draws, tests); 0 where an arm has nobody to test."""
        treated = np.zeros((len(self.sums), candidates.shape[1]))
        step = max(16, ONE_CORE // max(treated.size, 1))  # no tests, no sums
        for start in range(0, len(candidates), step):
            part = slice(start, start + step)
            treated += self.sums[:, part] @ candidates[part].astype(np.float64)
        out = np.empty((candidates.shape[1], len(self.tests)))
        for number, (rows, totals) in enumerate(self.tests):
            test = _chi_squared_p if number < self.categorical else _t_p
            out[:, number] = test(treated[rows], totals)
        return out


def _words(rng: np.random.Generator, rows: int, columns: int) -> npt.NDArray[np.int64]:
    """Uniform integers below 2^32, from bytes: the same on every machine."""
    return np.frombuffer(rng.bytes(4 * rows * columns), dtype="<u4").reshape(rows, columns).astype(np.int64)


def _balance_sums(
    people: pd.DataFrame, team: npt.NDArray[np.intp], n_teams: int, rule: BalanceTests
) -> tuple[Array, tuple[tuple[slice, Array], ...]]:
    rows: list[Array] = []
    tests: list[tuple[slice, Array]] = []
    for column in rule.categorical:
        codes, levels = pd.factorize(people[column], sort=True)
        if not len(levels):
            raise EstimationError(f"{column} is missing for everybody: balance cannot be tested")
        known = codes >= 0
        counts = np.bincount(team[known] * len(levels) + codes[known], minlength=n_teams * len(levels))
        block = counts.reshape(n_teams, len(levels)).T.astype(np.float64)
        tests.append((slice(len(rows), len(rows) + len(block)), block.sum(axis=1)))
        rows.extend(block)
    for column in rule.continuous:
        value = as_numbers(people[column], name=column)
        if np.isinf(value).any():
            raise InvalidInput(f"{column} holds infinite values: balance cannot be tested")
        known = ~np.isnan(value)
        if not known.any():
            raise EstimationError(f"{column} is missing for everybody: balance cannot be tested")
        centred = np.where(known, value - value[known].mean(), 0.0)  # centring keeps the sums of squares exact
        block = np.array([np.bincount(team, w, minlength=n_teams) for w in (known.astype(np.float64), centred)])
        tests.append((slice(len(rows), len(rows) + 2), np.array([*block.sum(axis=1), centred @ centred])))
        rows.extend(block)
    return np.array(rows).reshape(len(rows), n_teams), tuple(tests)


def _chi_squared_p(treated: Array, totals: Array) -> Array:
    """Pearson's chi-squared of level counts by arm: sum of (t - f n)^2 / (n f (1 - f)), f the treated share."""
    if len(totals) == 1:
        return np.ones(treated.shape[1])  # one role only: nothing can be imbalanced
    share = treated.sum(axis=0) / totals.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = ((treated - share * totals[:, None]) ** 2 / totals[:, None]).sum(axis=0) / (share * (1 - share))
        p: Array = special.chdtrc(len(totals) - 1, statistic)
    return np.where((share > 0) & (share < 1), p, 0.0)


def _t_p(treated: Array, totals: Array) -> Array:
    """Two-sided Student t with pooled variance from counts and centred sums of the treated arm."""
    n, total, squares = totals
    n1, sum1 = treated
    n0, sum0 = n - n1, total - sum1
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = sum1 / n1 - sum0 / n0
        within = np.maximum(squares - sum1**2 / n1 - sum0**2 / n0, 0.0)
        t = np.abs(gap) / np.sqrt(within / (n - 2) * (1 / n1 + 1 / n0))
        p: Array = 2 * special.stdtr(n - 2, -t)
    p = np.where((within <= 0) & (gap == 0), 1.0, p)  # everyone has the same value
    return np.where((n1 > 0) & (n0 > 0) & (n > 2), p, 0.0)
