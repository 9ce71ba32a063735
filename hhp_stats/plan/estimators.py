"""Every estimator that a plan may ask for by name: which covariances and degrees of freedom it has, and what it needs.

One list for every kind of plan. A study's `ESTIMATORS` says which function answers to a name; a test compares both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from hhp_stats.plan.nearest import refuse_unknown

Asker = Literal["returns", "arms", "contrasts"]  # a trial on returns, one of arms, experiments of contrasts
Choices = Mapping[str, tuple[str, ...]]  # the degrees of freedom that go with each covariance

_HC: Choices = dict.fromkeys(("HC0", "HC1", "HC2", "HC3"), ("residual", "normal"))
_CR: Choices = dict.fromkeys(("CR0", "CR1", "CR2", "CR3"), ("satterthwaite", "clusters", "normal"))
_BY_ARM: Choices = {"by arm": ("satterthwaite",)}
_STANDARDISED: Choices = {"pooled": ("normal",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimator:
    """What one estimator offers to each kind of plan, and what it needs.

    `usual`: covariance and degrees of freedom where a plan on a plain table names none, of people and of clusters.
    """

    offers: Mapping[Asker, Choices]
    usual: tuple[tuple[str, str], tuple[str, str]] | None = None
    clusters: bool = False  # there must be some
    aware: bool = False  # its standard errors take clusters into account whatever its covariance is called
    terms: bool = True  # it may have covariates
    probability: bool = False  # of an outcome of zeros and ones
    everyone: bool = False  # it looks at those without an outcome too
    counts: bool = False  # and its n counts them
    weighs: bool = False  # people may count differently
    imputes: bool = False  # in data sets whose missing outcomes were drawn
    response: bool = False  # it models who answered
    takeup: bool = False  # it needs a column of who took up the offer
    effect_size: bool = False  # the planned effect in standard deviations
    least_squares: bool = False  # takes the planned model's covariance
    all_groups: bool = False  # it looks at the groups of an experiment that a contrast leaves out too


ESTIMATORS: Mapping[str, Estimator] = {
    "ols": Estimator(
        offers={
            "returns": {**_HC, **_CR, "two-way": ("clusters", "normal")},
            "arms": {**_HC, **_CR},
            "contrasts": {**_HC, **_CR},
        },
        usual=(("HC2", "residual"), ("CR2", "satterthwaite")),
        weighs=True,
        least_squares=True,
        all_groups=True,
    ),
    "imputation": Estimator(
        offers={"arms": {**_HC, **_CR}},
        usual=(("HC2", "residual"), ("CR2", "satterthwaite")),
        everyone=True,
        counts=True,
        imputes=True,
        least_squares=True,
    ),
    "welch": Estimator(
        offers={"arms": _BY_ARM, "contrasts": _BY_ARM}, usual=(("by arm", "satterthwaite"),) * 2, terms=False
    ),
    "pooled": Estimator(offers={"contrasts": {"one variance": ("residual",)}}, terms=False, all_groups=True),
    "cluster-means": Estimator(
        offers={"arms": _BY_ARM}, usual=(("by arm", "satterthwaite"),) * 2, clusters=True, aware=True, terms=False
    ),
    "hedges-g": Estimator(
        offers={"arms": _STANDARDISED, "contrasts": _STANDARDISED},
        usual=(("pooled", "normal"),) * 2,
        terms=False,
        effect_size=True,
    ),
    "hedges-g-clustered": Estimator(
        offers={"arms": {"CR2": ("satterthwaite",)}},
        usual=(("CR2", "satterthwaite"),) * 2,
        clusters=True,
        aware=True,
        terms=False,
        effect_size=True,
    ),
    # Tests by resampling report the degrees of freedom of the standard error beside them.
    "wild-bootstrap": Estimator(
        offers={"returns": {"CR1": ("clusters",)}, "arms": dict.fromkeys(("webb", "rademacher"), ("clusters",))},
        usual=(("webb", "clusters"),) * 2,
        clusters=True,
        aware=True,
    ),
    "randomisation": Estimator(
        offers={
            "returns": {"CR1": ("clusters",)},
            "arms": dict.fromkeys(("all allocations", "random allocations", "allocations"), ("clusters",)),
        },
        usual=(("allocations", "clusters"),) * 2,
        aware=True,
        everyone=True,
    ),
    "logit": Estimator(
        offers={"returns": {"CR1": ("normal",)}, "arms": dict.fromkeys(("CR1", "model-based"), ("normal",))},
        usual=(("model-based", "normal"), ("CR1", "normal")),
        probability=True,
    ),
    "firth": Estimator(
        offers={"returns": {"design_effect": ("clusters",)}, "arms": {"profile": ("normal",)}},
        usual=(("profile", "normal"),) * 2,
        aware=True,
        probability=True,
    ),
    "heckman": Estimator(
        offers={"returns": {"CR1": ("normal",)}, "arms": dict.fromkeys(("CR1", "model-based"), ("normal",))},
        usual=(("model-based", "normal"), ("CR1", "normal")),
        everyone=True,
        counts=True,
        response=True,
    ),
    "heckman-two-step": Estimator(
        offers={"returns": {"corrected": ("normal",)}, "arms": {"corrected": ("normal",)}},
        usual=(("corrected", "normal"),) * 2,
        everyone=True,
        counts=True,
        response=True,
    ),
    "weighted": Estimator(
        offers={"returns": {"CR1": ("clusters",)}, "arms": dict.fromkeys(("CR1", "HC1"), ("clusters",))},
        usual=(("HC1", "clusters"), ("CR1", "clusters")),
        everyone=True,
        response=True,
    ),
    # Means of two arms have as many parameters: G - 2.
    "lee-bounds": Estimator(
        offers={"returns": {"bootstrap": ("clusters_less_two",)}, "arms": {"bootstrap": ("normal",)}},
        usual=(("bootstrap", "normal"),) * 2,
        aware=True,
        terms=False,
        everyone=True,
        counts=True,
    ),
    "worst-case-bounds": Estimator(
        offers={"returns": {"CR1": ("clusters",)}, "arms": dict.fromkeys(("CR1", "HC1"), ("clusters",))},
        usual=(("HC1", "clusters"), ("CR1", "clusters")),
        terms=False,
        everyone=True,
        counts=True,
    ),
    "iv": Estimator(
        offers={"returns": {"CR1": ("clusters",)}, "arms": dict.fromkeys(("CR1", "HC1"), ("clusters",))},
        usual=(("HC1", "clusters"), ("CR1", "clusters")),
        takeup=True,
    ),
}


def names_of(has: Callable[[Estimator], bool]) -> frozenset[str]:
    """The estimators of which something holds."""
    return frozenset(name for name, entry in ESTIMATORS.items() if has(entry))


def offered_to(asker: Asker) -> frozenset[str]:
    """The estimators that a kind of plan may name."""
    return names_of(lambda entry: asker in entry.offers)


def check_estimator(file: str, place: str, asker: Asker, *, estimator: str, covariance: str) -> None:
    """Refuses (PlanError) an estimator that is not there for this kind of plan, and a covariance that it has not."""
    refuse_unknown(file, place, "estimator", [estimator], offered_to(asker), "those the studies know")
    refuse_unknown(
        file, place, "covariance", [covariance], ESTIMATORS[estimator].offers[asker], f"those of {estimator}"
    )


def check_df(file: str, place: str, asker: Asker, *, estimator: str, covariance: str, df: str) -> None:
    """Refuses (PlanError) degrees of freedom that do not go with a covariance."""
    known = ESTIMATORS[estimator].offers[asker][covariance]
    refuse_unknown(file, place, f"df rule of {estimator}", [df], known, f"those of {covariance}")
