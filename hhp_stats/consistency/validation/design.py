"""Randomisation and what rests on it: balance rule, redraws, wild bootstrap, multiplicity, detectable effects."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cache, partial

import numpy as np
import pandas as pd

from hhp_stats.consistency.validation import data
from hhp_stats.consistency.validation.case import ValidationCase
from hhp_stats.consistency.validation.linear import GRUNFELD, grunfeld
from hhp_stats.design.detectable_effect import (
    Clustering,
    cluster_detectable_effect,
    clusters_needed,
    detectable_proportion,
    individual_detectable_effect,
    people_needed,
    power_of,
)
from hhp_stats.design.enumeration import count_allocations, enumerate_allocations
from hhp_stats.design.randomisation import AllocationRule
from hhp_stats.design.rerandomisation import mahalanobis_rerandomisation
from hhp_stats.design.strata import filled_absence
from hhp_stats.design.team_sums import TeamSums
from hhp_stats.infer.multiplicity import holm, westfall_young
from hhp_stats.infer.randomisation_test import randomisation_statistics, randomisation_test
from hhp_stats.infer.resampling import Alternative, ResamplingTest
from hhp_stats.infer.wild_bootstrap import wild_bootstrap
from hhp_stats.regression.model_matrix import ModelMatrix

MORGAN = "Morgan and Rubin (2012)"
STUDENT = "Student’s sleep data, R’s t.test"
VILLAGES = "seven villages, all 21 assignments listed"
P_ADJUST = "R 4.2.2, p.adjust"
CLUSTERSAMPSI = "Stata, clustersampsi"
PUBLISHED = "printed by the programme"
BY_HAND = "arithmetic"

# ------------------------------------------------------------------- stratified randomisation


def _balance_p(column: str) -> float:
    """The rule's p value for an allocation that treats exactly the second drug group of Student's sleep data."""
    frame = data.extra_sleep()
    names = [f"{number:02d}" for number in range(len(frame))]
    people = pd.DataFrame(
        {
            "staff_id": names,
            "team_id": names,
            "local_authority": "one",
            "service_years": frame["extra"],
            # Three of ten in the first group, seven of ten in the second.
            "role": ["a"] * 3 + ["b"] * 7 + ["a"] * 7 + ["b"] * 3,
        }
    )
    strata = pd.DataFrame({"team_id": names, "stratum": "all"})
    rule = AllocationRule()
    p_values = TeamSums.of(people, strata, rule).p_values(frame[["drug"]].to_numpy(dtype=np.uint8))
    return float(p_values[0, rule.tests.index(f"p_{column}")])


def _filled(service: float) -> float:
    """Three days recorded after `service` years, beside full-year colleagues with 4 and 10 days."""
    people = pd.DataFrame(
        {
            "local_authority": "one",
            "service_years": [service, 2.0, 3.0],
            "agency": 0,
            "absence_days": [3.0, 4.0, 10.0],
        }
    )
    return float(filled_absence(people=people).iloc[0])


def _chance_of_each() -> float:
    """The chance of an allocation of four teams of one stratum whose people are all alike: none is rejected."""
    names = list("abcd")
    people = pd.DataFrame(
        {
            "staff_id": names,
            "team_id": names,
            "local_authority": "one",
            "service_years": 2.0,
            "role": "same",
        }
    )
    strata = pd.DataFrame({"team_id": names, "stratum": "all"})
    _, probabilities, _ = enumerate_allocations(people=people, strata=strata, rule=AllocationRule())
    return float(probabilities[0]) if np.ptp(probabilities) == 0 else float("nan")


def _rerandomised(quantity: str, printed: str, compute: Callable[[], float]) -> ValidationCase:
    return ValidationCase(method="randomisation", quantity=quantity, printed=printed, source=MORGAN, compute=compute)


RANDOMISATION = (
    _rerandomised(
        "Three covariates, one in a hundred accepted: threshold",
        "0.11483",
        lambda: mahalanobis_rerandomisation(covariates=3, acceptance=0.01).threshold,
    ),
    _rerandomised(
        "Three covariates, one in a hundred accepted: variance kept",
        "0.02282",
        lambda: mahalanobis_rerandomisation(covariates=3, acceptance=0.01).variance_factor,
    ),
    _rerandomised(
        "Ten covariates, one in ten accepted: threshold",
        "4.86518",
        lambda: mahalanobis_rerandomisation(covariates=10, acceptance=0.1).threshold,
    ),
    _rerandomised(
        "Ten covariates, one in ten accepted: variance kept",
        "0.37669",
        lambda: mahalanobis_rerandomisation(covariates=10, acceptance=0.1).variance_factor,
    ),
    ValidationCase(
        method="randomisation",
        quantity="Balance test of a continuous covariate, p value",
        printed="0.07919",
        source=STUDENT,
        compute=partial(_balance_p, "service_years"),
    ),
    ValidationCase(
        method="randomisation",
        quantity="Balance test of a category, 3 of 10 against 7 of 10, p value",
        printed="0.0736",
        source="arithmetic: chi-squared(1) of 3.2",
        compute=partial(_balance_p, "role"),
    ),
    ValidationCase(
        method="randomisation",
        quantity="Three days in half a year of service, days a year",
        printed="6",
        source=BY_HAND,
        compute=partial(_filled, 0.5),
        exact=True,
    ),
    ValidationCase(
        method="randomisation",
        quantity="Service of two months: mean of full-year colleagues with 4 and 10 days",
        printed="7",
        source=BY_HAND,
        compute=partial(_filled, 2 / 12),
        exact=True,
    ),
    ValidationCase(
        method="randomisation",
        quantity="Strata of 4, 4 and 3 teams: possible allocations",
        printed="216",
        source="arithmetic: 6 × 6 × (2 × 3)",
        compute=lambda: float(count_allocations([*"aaaabbbbccc"])),
        exact=True,
    ),
    ValidationCase(
        method="randomisation",
        quantity="Four teams of people alike: chance of each allocation",
        printed="1/6",
        source="arithmetic: 4!/(2! 2!) = 6",
        compute=_chance_of_each,
    ),
)

# ------------------------------------------------------------------- randomisation inference

HEADS = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
BUDGETS = (15.0, 15.0, 20.0, 20.0, 10.0, 15.0, 30.0)


def _villages() -> tuple[np.ndarray, ModelMatrix, np.ndarray]:
    """Outcome, model and every assignment of two treated villages out of seven."""
    matrix = ModelMatrix(values=np.column_stack([np.ones(7), HEADS]), names=("intercept", "treatment"))
    every = np.zeros((21, 7), dtype=np.uint8)
    for row, pair in enumerate(itertools.combinations(range(7), 2)):
        every[row, list(pair)] = 1
    return np.array(BUDGETS), matrix, every


@cache
def _villages_test(alternative: Alternative) -> ResamplingTest:
    outcome, matrix, every = _villages()
    return randomisation_test(
        outcome=outcome,
        matrix=matrix,
        clusters=np.arange(7),
        assignments=every,
        draw_clusters=range(7),
        statistic="difference",
        alternative=alternative,
        interval=False,
    )


def _villages_stepdown() -> float:
    """Westfall and Young's p value of one outcome given twice: no more than the raw one."""
    outcome, matrix, every = _villages()
    same = (outcome, matrix, np.arange(7))
    observed, drawn, weights = randomisation_statistics([same, same], assignments=every, draw_clusters=range(7))
    single, drawn_single, _ = randomisation_statistics([same], assignments=every, draw_clusters=range(7))
    raw = westfall_young(statistics=single, drawn=drawn_single, weights=weights)
    return float(westfall_young(statistics=observed, drawn=drawn, weights=weights)[1] - raw[0])


REDRAWS = (
    ValidationCase(
        method="randomisation-inference",
        quantity="Village heads: difference of means",
        printed="6.5",
        source=VILLAGES,
        compute=lambda: _villages_test("two-sided").estimate.estimate,
        exact=True,
    ),
    ValidationCase(
        method="randomisation-inference",
        quantity="Village heads: one-sided p",
        printed="5/21",
        source=VILLAGES,
        compute=lambda: _villages_test("greater").p_weak,
    ),
    ValidationCase(
        method="randomisation-inference",
        quantity="Village heads: two-sided p",
        printed="8/21",
        source=VILLAGES,
        compute=lambda: _villages_test("two-sided").p_weak,
    ),
)

# ------------------------------------------------------------------- wild cluster bootstrap


@cache
def _wild() -> ResamplingTest:
    return wild_bootstrap(
        grunfeld(),
        clusters=data.grunfeld()["firm"],
        term="value",
        draws=1_024,
        rng=np.random.default_rng(1),
        interval=False,
    )


WILD = (
    ValidationCase(
        method="wild-bootstrap",
        quantity="Grunfeld, value, by firm: CR1 t",
        printed="7.270650",
        source=GRUNFELD,
        compute=lambda: _wild().estimate.statistic,
    ),
    ValidationCase(
        method="wild-bootstrap",
        quantity="Grunfeld, all 1,024 sign vectors: p, ties not counted",
        printed="2/1024",
        source="full enumeration, strict inequality",
        compute=lambda: _wild().p_strict,
    ),
    ValidationCase(
        method="wild-bootstrap",
        quantity="Grunfeld, all 1,024 sign vectors: p, ties counted",
        printed="4/1024",
        source="full enumeration, weak inequality",
        compute=lambda: _wild().p_weak,
    ),
)

# ------------------------------------------------------------------- multiplicity

P_VALUES = (0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216, 0.222, 0.251, 0.269, 0.275, 0.34)


def _holm(place: int) -> float:
    return float(holm(P_VALUES)[place])


MULTIPLICITY = (
    *(
        ValidationCase(
            method="multiplicity",
            quantity=f"Holm, fifteen p values: number {place + 1}, {P_VALUES[place]:g}",
            printed=printed,
            source=P_ADJUST,
            compute=partial(_holm, place),
        )
        for place, printed in enumerate(("0.015", "0.112", "0.507", "0.507", "0.507", "0.600", "0.666"))
    ),
    ValidationCase(
        method="multiplicity",
        quantity="Westfall–Young, one outcome given twice: adjusted less unadjusted p",
        printed="0",
        source="identity",
        compute=_villages_stepdown,
        exact=True,
    ),
)

# ------------------------------------------------------------------- detectable effects

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

CASES = (*RANDOMISATION, *REDRAWS, *WILD, *MULTIPLICITY, *POWER)
