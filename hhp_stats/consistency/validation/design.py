"""Randomisation: the balance rule, re-randomisation, filled absences, strata."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from hhp_stats.consistency.validation import data
from hhp_stats.consistency.validation.case import ValidationCase
from hhp_stats.design.enumeration import count_allocations, enumerate_allocations
from hhp_stats.design.randomisation import AllocationRule
from hhp_stats.design.rerandomisation import mahalanobis_rerandomisation
from hhp_stats.design.strata import filled_absence
from hhp_stats.design.team_sums import TeamSums

MORGAN = "Morgan and Rubin (2012)"
STUDENT = "Student’s sleep data, R’s t.test"
BY_HAND = "arithmetic"


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
        quantity="Balance test of a continuous covariate, p-value",
        printed="0.07919",
        source=STUDENT,
        compute=partial(_balance_p, "service_years"),
    ),
    ValidationCase(
        method="randomisation",
        quantity="Balance test of a category, 3 of 10 against 7 of 10, p-value",
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


CASES = RANDOMISATION
