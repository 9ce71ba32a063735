"""Detectable effects and power of trials by teams and by individuals."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hhp_stats.consistency.validation.case import ValidationCase
from hhp_stats.design.detectable_effect import (
    Clustering,
    cluster_detectable_effect,
    clusters_needed,
    detectable_proportion,
    individual_detectable_effect,
    people_needed,
    power_of,
)

CLUSTERSAMPSI = "Stata, clustersampsi"


PUBLISHED = "printed by the programme"


_SMALL = Clustering(mean_size=10, clusters_per_arm=20, icc=0.05)


def _clustered(*, size_cv: float = 0.0, correlation: float = 0.0) -> float:
    design = Clustering(mean_size=8, clusters_per_arm=50, icc=0.05, size_cv=size_cv)
    return cluster_detectable_effect(clustering=design, baseline_correlation=correlation)


def _proportion(increase: bool) -> float:
    return detectable_proportion(
        control=0.2, direction="increase" if increase else "decrease", effective_per_arm=_SMALL.effective_per_arm
    )


def _absence_trial() -> float:
    """The protocol's primary outcome: 1,665 people in teams of 7, variation .5, correlation .1, r .6."""
    design = Clustering.of_total(people=1_665, mean_size=7, icc=0.1, size_cv=0.5, lost_clusters=0)
    return cluster_detectable_effect(clustering=design, baseline_correlation=0.6)


def _power(
    quantity: str, printed: str, source: str, compute: Callable[[], float], *, exact: bool = False, figure: str = ""
) -> ValidationCase:
    return ValidationCase(
        method="power", quantity=quantity, printed=printed, source=source, compute=compute, exact=exact, figure=figure
    )


POWER = (
    _power(
        "Teams of 10, 20 an arm, correlation .05: variance inflation",
        "1.45",
        CLUSTERSAMPSI,
        lambda: _SMALL.variance_inflation,
        exact=True,
    ),
    _power(
        "Teams of 10, 20 an arm, correlation .05: detectable effect",
        "0.346119",
        CLUSTERSAMPSI,
        lambda: cluster_detectable_effect(clustering=_SMALL),
    ),
    _power(
        "400 individuals: detectable effect",
        "0.280159",
        CLUSTERSAMPSI,
        lambda: individual_detectable_effect(people=400),
    ),
    _power("Teams of 8, 50 an arm: detectable effect", "0.232511", CLUSTERSAMPSI, _clustered),
    _power("The same, team sizes varying by .5", "0.240968", CLUSTERSAMPSI, partial(_clustered, size_cv=0.5)),
    _power(
        "The same, and a baseline correlation of .6",
        "0.192775",
        CLUSTERSAMPSI,
        partial(_clustered, size_cv=0.5, correlation=0.6),
    ),
    _power("Proportion .2, teams of 10, 20 an arm: increase to", "0.352498", CLUSTERSAMPSI, partial(_proportion, True)),
    _power(
        "Proportion .2, teams of 10, 20 an arm: decrease to", "0.081411", CLUSTERSAMPSI, partial(_proportion, False)
    ),
    _power("Goal-setting, sickness absence", "0.15", PUBLISHED, _absence_trial, figure="GS-MDES-ABS"),
    _power(
        "Beneficiaries, 428 people",
        "0.27",
        PUBLISHED,
        lambda: individual_detectable_effect(people=428),
        figure="BEN-MDES-ACH",
    ),
    _power(
        "Beneficiaries, 944 people planned",
        "0.18",
        PUBLISHED,
        lambda: individual_detectable_effect(people=944),
        figure="BEN-MDES-PLAN",
    ),
    _power(
        "Swing, 267 people", "0.34", PUBLISHED, lambda: individual_detectable_effect(people=267), figure="SWI-MDES-ACH"
    ),
    _power("Mod, 98 people", "0.57", PUBLISHED, lambda: individual_detectable_effect(people=98), figure="MOD-MDES-ACH"),
    _power(
        "Power at the detectable effect of teams of 10",
        "0.8",
        "identity",
        lambda: power_of(
            effect=cluster_detectable_effect(clustering=_SMALL), effective_per_arm=_SMALL.effective_per_arm
        ),
        exact=True,
    ),
    _power(
        "Teams an arm needed for the detectable effect of teams of 10",
        "20",
        "identity",
        lambda: clusters_needed(effect=cluster_detectable_effect(clustering=_SMALL), mean_size=10, icc=0.05),
        exact=True,
    ),
    _power(
        "People needed for the detectable effect of 400",
        "400",
        "identity",
        lambda: people_needed(effect=individual_detectable_effect(people=400)),
        exact=True,
    ),
)

CASES = POWER
