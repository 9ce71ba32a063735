"""How long do resampling and simulated trials take? `cases()` lists what the benchmark runner times."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from hhp_stats.design.power import simulate_power
from hhp_stats.design.randomisation import AllocationRule, Redraws
from hhp_stats.design.simulated_trials import TrialDesign, team_sizes
from hhp_stats.infer.randomisation_test import randomisation_test
from hhp_stats.infer.wild_bootstrap import wild_bootstrap
from hhp_stats.regression.linear import LinearFit, ols
from hhp_stats.regression.model_matrix import ModelMatrix

TEAM, AUTHORITIES, COVARIATES = 7, 8, 9
SIZES = (1_850, 100_000, 1_000_000)


def _trial(people: int) -> tuple[LinearFit, np.ndarray, Redraws]:
    """Teams of seven in eight authorities and 64 strata; intercept, arm, 7 authorities, 9 covariates."""
    rng = np.random.default_rng(1)
    team = np.arange(people) // TEAM
    teams = int(team[-1]) + 1
    authority, stratum = np.arange(teams) % AUTHORITIES, np.arange(teams) % 64
    frame = pd.DataFrame(
        {
            "staff_id": np.arange(people),
            "team_id": team,
            "local_authority": authority[team],
            "role": rng.integers(0, 6, people),
            "service_years": rng.gamma(2, 2, people),
        }
    )
    strata = pd.DataFrame({"team_id": np.arange(teams), "stratum": stratum})
    redraws = Redraws.of(people=frame, strata=strata, rule=AllocationRule())
    arm = np.empty(teams)
    arm[np.array(redraws.team_ids, dtype=np.int64)] = redraws(rng, 1)[0]
    dummies = [(authority[team] == i).astype(float) for i in range(1, AUTHORITIES)]
    values = np.column_stack([np.ones(people), arm[team], *dummies, rng.standard_normal((people, COVARIATES))])
    names = ("intercept", "treatment", *(f"x{i}" for i in range(values.shape[1] - 2)))
    fit = ols(outcome=rng.standard_normal(people), matrix=ModelMatrix(values=values, names=names))
    return fit, team, redraws


def _bootstrap(people: int) -> Callable[[], object]:
    fit, team, _ = _trial(people)
    return lambda: wild_bootstrap(fit, clusters=team, draws=9_999, rng=np.random.default_rng(1))


def _randomisation(people: int) -> Callable[[], object]:
    fit, team, redraws = _trial(people)
    labels = team.astype(str)
    return lambda: randomisation_test(
        outcome=fit.outcome,
        matrix=fit.matrix,
        clusters=labels,
        draw=redraws,
        draws=10_000,
        rng=np.random.default_rng(1),
    )


def _power(people: int) -> Callable[[], object]:
    sizes = team_sizes(people=people, mean_size=TEAM, size_cv=0.5)
    design = TrialDesign(
        cluster_sizes=sizes, icc=0.1, baseline_correlation=0.6, strata=tuple(i % 64 for i in range(len(sizes)))
    )
    return lambda: simulate_power(design=design, effect=0.15, trials=1_000, rng=np.random.default_rng(1))


class _Lazy:
    """A case that builds its data when it is first called, and again for nobody."""

    def __init__(self, build: Callable[[int], Callable[[], object]], people: int) -> None:
        self._build, self._people = build, people
        self._run: Callable[[], object] | None = None

    def prepare(self) -> None:
        """Build the data, so that the next call times the method alone."""
        self._run = self._run or self._build(self._people)

    def __call__(self) -> object:
        self.prepare()
        assert self._run is not None
        return self._run()


def cases() -> list[tuple[str, str, Callable[[], object]]]:
    """(name, shape, call) of each row; calling once before timing builds the data."""
    rows: list[tuple[str, str, Callable[[], object]]] = []
    for people in SIZES:
        shape = f"n={people:,}, {-(-people // TEAM):,} teams"
        rows.append(("wild cluster bootstrap, 9,999 draws with interval", shape, _Lazy(_bootstrap, people)))
        rows.append(("randomisation inference, 10,000 redraws with interval", shape, _Lazy(_randomisation, people)))
    rows.append(("simulated power, 1,000 trials", "n=1,850, 264 teams", _Lazy(_power, 1_850)))
    return rows


if __name__ == "__main__":
    from time import perf_counter

    for name, shape, call in cases():
        call.prepare()  # type: ignore[attr-defined]
        start = perf_counter()
        call()
        print(f"{name:<55} {shape:<28} {perf_counter() - start:8.3f} s")
