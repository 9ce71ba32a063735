"""The data of one planned analysis, as every estimator gets them whatever the kind of study."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from hhp_stats.errors import InvalidInput, UnknownName
from hhp_stats.plan.schema import PlannedAnalysis
from hhp_stats.regression.clusters import cluster_codes, refuse_untold_terms
from hhp_stats.regression.model_matrix import Array, ModelMatrix
from hhp_stats.results.frame import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One data set ready for an estimator: outcome (n,), model matrix (n, k), and the people (n rows)."""

    outcome: Array
    matrix: ModelMatrix
    people: pd.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedSets:
    """The m completed data sets of one analysis: what they share, and what differs from set to set.

    `matrix` (n, k) is that of the first set; `varying` holds by term the imputed columns (m, n), `outcomes` (m, n)
    the outcome. One set only where nothing is imputed. `effect` gives the weights of the coefficients whose sum is the
    effect: one of `treatment` unless something else is said.
    """

    matrix: ModelMatrix
    outcomes: Array
    people: pd.DataFrame
    varying: Mapping[str, Array] = field(default_factory=dict)
    effect: Mapping[str, float] = field(default_factory=lambda: {"treatment": 1.0})

    def weighted(self, weights: pd.Series, clusters: pd.Series) -> CompletedSets:
        """The same with every row times the root of its weight: least squares of it are weighted least squares.

        Refuses an arm about which one cluster tells (SingleClusterArm): to be seen here, as weighted columns hold more
        than two values.
        """
        root = np.sqrt(weights.to_numpy(dtype=np.float64))
        codes, _ = cluster_codes(clusters)
        refuse_untold_terms(self.matrix, terms=[self.matrix.position(name) for name in self.effect], codes=codes)
        return replace(
            self,
            matrix=replace(self.matrix, values=self.matrix.values * root[:, None]),
            outcomes=self.outcomes * root,
            varying={name: values * root for name, values in self.varying.items()},
        )

    def __iter__(self) -> Iterator[Model]:
        for number, outcome in enumerate(self.outcomes):
            values = self.matrix.values.copy()
            for name, columns in self.varying.items():
                values[:, self.matrix.position(name)] = columns[number]
            yield Model(outcome=outcome, matrix=replace(self.matrix, values=values), people=self.people)

    def only(self, analysis: str) -> Model:
        """The one data set of an analysis that cannot be pooled; several are refused (UnknownName)."""
        found = list(self)
        if len(found) != 1:
            raise UnknownName(
                f"{analysis}: resampling and penalised profiles need one data set; name another rule than multiple"
                " imputation"
            )
        return found[0]


def _nothing() -> Mapping[str, Any]:
    raise UnknownName("the study does not say how its arms were drawn; randomisation inference needs its rule")


def _no_scale() -> tuple[float, float]:
    raise UnknownName("the plan gives no range for the outcome; bounds need one")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisData:
    """The people of one planned analysis, their outcome and arm, and what an estimator may ask for.

    `people` has a row a person, those without an outcome too where the estimator looks at them; `outcome` and
    `treatment` are columns of it, `cluster` and `second` (a second kind of clusters) the names of columns, "" where
    there are none. Of an experiment of several groups `groups` is the column of them, a category in the order of the
    plan, and `treatment` is one in the groups of one side, zero in those of the other and not known elsewhere. What
    takes time or may be refused is made when it is asked for: the completed data `sets`, the ends of the outcome's
    `scale`, what `randomisation_test` needs to draw the arms again.
    """

    analysis: PlannedAnalysis
    people: pd.DataFrame
    outcome: str
    sets: Callable[[], CompletedSets]
    conf_level: float
    entropy: tuple[int, ...]  # of the random numbers of this analysis
    seed: int  # the same for what takes one whole number
    draws: int  # of the bootstrap behind Lee's bounds
    cluster: str = ""
    called: str = ""  # what a cluster is called in a method, "" for the name of its column
    second: str = ""
    groups: str = ""
    weights: Callable[[], pd.Series | None] = lambda: None
    weighted_by: str = ""
    scale: Callable[[], tuple[float, float]] = _no_scale
    redraws: Callable[[], Mapping[str, Any]] = _nothing
    takeup: str = ""  # column of zeros and ones: who took up the offer
    model: AnalysisData | None = None  # of an effect size: the analysis whose difference it standardises

    @property
    def values(self) -> Array:
        """The outcome (n,), not a number where it is not known."""
        return self.people[self.outcome].to_numpy(dtype=np.float64)

    @property
    def treatment(self) -> Array:
        """Zeros and ones (n,)."""
        return self.people["treatment"].to_numpy(dtype=np.float64)

    @property
    def clusters(self) -> pd.Series | None:
        """The cluster of each person, None where people were drawn one by one."""
        return self.of(self.people)

    def of(self, people: pd.DataFrame) -> pd.Series | None:
        """The clusters of some of the people."""
        return self._named(people) if self.cluster else None

    def _named(self, people: pd.DataFrame) -> pd.Series:
        return people[self.cluster].rename(self.called or self.cluster)

    def units(self, people: pd.DataFrame) -> pd.Series:
        """What was drawn: the cluster of each of some people, or where they were drawn one by one the person."""
        return self._named(people) if self.cluster else pd.Series(range(len(people)), index=people.index)

    def drawn(self, people: pd.DataFrame) -> pd.Series:
        """The same where there must be some; refuses (InvalidInput) people drawn one by one."""
        if not self.cluster:
            raise InvalidInput(f"{self.analysis.id}: {self.analysis.estimator} needs clusters, and none are there")
        return self._named(people)

    def rng(self) -> np.random.Generator:
        """The random numbers of this analysis: another analysis more or less leaves them as they were."""
        return np.random.default_rng(np.random.SeedSequence(list(self.entropy)))

    def without_clusters(self, found: Estimate) -> Estimate:
        """An estimate as it is where clusters were drawn; people drawn one by one are no clusters to count."""
        return found if self.cluster else replace(found, n_clusters=None)
