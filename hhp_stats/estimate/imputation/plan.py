"""What is imputed, from what, how often: the plan's imputation model as records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from hhp_stats.errors import ImputationRefused, UnknownName
from hhp_stats.processes.blocks import seed_sequence
from hhp_stats.regression.model_matrix import Array, Term

VariableKind = Literal["continuous", "pmm", "binary", "ordered", "unordered"]
KINDS: tuple[VariableKind, ...] = ("continuous", "pmm", "binary", "ordered", "unordered")
Score = Callable[[Mapping[str, npt.NDArray[Any]]], Array]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImputedVariable:
    """One incomplete variable and the model that draws its missing values.

    kind: `continuous` Bayesian linear regression with normal draws; `pmm` predictive mean matching
    (also for counts and bounded scores: only observed values are ever imputed); `binary` logistic
    regression (values 0 and 1); `ordered` proportional odds (needs `levels` in order); `unordered`
    multinomial logistic regression.
    predictors: names of complete terms, imputed and passive variables; None takes all complete terms
    and all other imputed variables (passive ones only when named).
    within: a column (the arm) whose groups have models of their own for this variable, in a plan that imputes
    all together: an outcome, whose every association may then differ between arms. Numeric kinds only.
    """

    name: str
    kind: VariableKind
    predictors: tuple[str, ...] | None = None
    levels: tuple[str, ...] = ()
    donors: int = 5  # for pmm
    within: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassiveVariable:
    """A composite that is computed from `inputs`, never imputed apart.

    `function` gets a mapping from each input's name to its values (n,) and returns the composite
    (n,), person by person: it is called on one arm at a time, or on several completed sets of an arm
    end to end. It is applied again whenever an input was imputed, so the composite agrees with its
    items in every completed data set.
    """

    name: str
    inputs: tuple[str, ...]
    function: Score


@dataclass(frozen=True, slots=True, kw_only=True)
class ImputationPlan:
    """The imputation model of one analysis.

    terms: complete covariates (as in the analysis model, local authority as a categorical term).
    within: a column whose groups (arms) are imputed apart, so that every association may differ
    between arms; None imputes all together (but for variables with a `within` of their own), and the arm then
    belongs into `terms`.
    clusters: the column naming the team. With `random_intercept`, continuous and pmm variables get a
    team effect drawn from its posterior; categorical ones get the share of the observed team-mates in
    each level instead. With `cluster_means`, leave-one-out team means of all numeric predictors enter.
    """

    variables: tuple[ImputedVariable, ...]
    terms: tuple[Term, ...] = ()
    passive: tuple[PassiveVariable, ...] = ()
    within: str | None = "treatment"
    clusters: str | None = None
    random_intercept: bool = True
    cluster_means: bool = False
    imputations: int = 50
    iterations: int = 10
    seed: int

    def __post_init__(self) -> None:
        counts = (self.imputations, self.iterations)
        if not all(isinstance(count, int | np.integer) for count in counts):
            raise ImputationRefused(f"imputations and iterations are counted in whole numbers, not {counts}")
        parts: tuple[tuple[Sequence[object], type], ...] = (
            (self.variables, ImputedVariable),
            (self.terms, Term),
            (self.passive, PassiveVariable),
        )
        wrong = [part for listed, kind in parts for part in listed if not isinstance(part, kind)]
        if wrong:
            raise ImputationRefused(
                f"variables, terms and passive hold ImputedVariable, Term and PassiveVariable, not {wrong[0]!r}"
            )
        if self.imputations < 2 or self.iterations < 1:
            raise ImputationRefused("multiple imputation needs two imputations and one iteration at least")
        seed_sequence(self.seed)  # refused where the draws could not be repeated
        if not self.variables:
            raise ImputationRefused("the plan names no variable to impute")
        names = [*(v.name for v in self.variables), *(t.column for t in self.terms), *(p.name for p in self.passive)]
        doubled = {name for name in names if names.count(name) > 1}
        if doubled:
            raise ImputationRefused(f"named twice in the imputation plan: {', '.join(sorted(doubled))}")
        if self.within in names:
            raise ImputationRefused(
                f"{self.within} separates the groups that are imputed apart; it cannot be a term too"
            )
        imputed = {v.name for v in self.variables}
        for passive in self.passive:
            strange = set(passive.inputs) - imputed - {t.column for t in self.terms}
            if strange:
                raise UnknownName(f"{passive.name} is computed from {_listed(strange)}, not in the imputation plan")
        for variable in self.variables:
            self._check(variable, set(names))

    def _check(self, variable: ImputedVariable, names: set[str]) -> None:
        if variable.kind not in KINDS:
            raise UnknownName(f"{variable.name}: no imputation model {variable.kind!r}; there are {', '.join(KINDS)}")
        if variable.kind == "ordered" and len(variable.levels) < 2:
            raise ImputationRefused(f"{variable.name} is ordered: the plan must give its levels in order")
        if variable.donors < 1:
            raise ImputationRefused(f"{variable.name}: predictive mean matching needs one donor at least")
        chosen = set(variable.predictors or ())
        if chosen - names:
            raise UnknownName(f"{variable.name} is predicted by {_listed(chosen - names)}, not in the imputation plan")
        if variable.within and self.within:
            raise ImputationRefused(f"{variable.name}: {self.within} already separates the groups of the whole plan")
        if variable.within and variable.kind not in ("continuous", "pmm"):
            raise ImputationRefused(
                f"{variable.name}: only continuous and pmm variables may have a model for each group"
            )
        if variable.name in chosen:
            raise ImputationRefused(f"{variable.name} cannot predict itself")
        circular = [p.name for p in self.passive if p.name in chosen and variable.name in p.inputs]
        if circular:
            raise ImputationRefused(f"{variable.name} is an item of {_listed(circular)}, which cannot predict it")


def _listed(names: set[str] | list[str]) -> str:
    return ", ".join(sorted(names))
