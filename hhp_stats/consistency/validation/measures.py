"""Scales, reliability, absence, leavers and Bradford scores: published examples and arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

import numpy as np
import pandas as pd

from hhp_stats.consistency.validation import data
from hhp_stats.consistency.validation.case import ValidationCase
from hhp_stats.measures.absence import LeaverRule, exposure, trial_absence
from hhp_stats.measures.baseline_absence import MissingBaseline, for_analysis
from hhp_stats.measures.bradford import bradford_score
from hhp_stats.measures.reliability import cronbach_alpha, mcdonald_omega, one_factor, spearman_brown
from hhp_stats.measures.scales import combination_rule, composite, reverse_scored, standardise, standardised_sum

SHROUT = "Shrout and Fleiss (1979), ICC(3,4)"
TRIADS = "method of triads: √(.56 × .48/.42)"
BY_HAND = "arithmetic"


def _items(correlations: np.ndarray, n: int = 50) -> pd.DataFrame:
    """Items whose sample correlations are exactly these: orthonormal columns turned by a Cholesky root."""
    k = len(correlations)
    basis, _ = np.linalg.qr(np.column_stack([np.ones(n), np.random.default_rng(3).standard_normal((n, k))]))
    return pd.DataFrame(basis[:, 1:] @ np.linalg.cholesky(correlations).T, columns=["one", "two", "three"][:k])


def _correlated(r: float) -> pd.DataFrame:
    return _items(np.array([[1.0, r], [r, 1.0]]))


_ONE_FACTOR = np.array([[1.0, 0.56, 0.48], [0.56, 1.0, 0.42], [0.48, 0.42, 1.0]])


def _loading() -> float:
    return float(one_factor(_ONE_FACTOR).loadings[0])


def _omega() -> float:
    return mcdonald_omega(_items(_ONE_FACTOR), method="minres", standardised=True).estimate


def _sum_score() -> float:
    answers = pd.DataFrame({"a": [5.0], "b": [np.nan], "c": [2.0]})
    score = composite(answers, items=["a", "b", "c"], rule="sum", low=1, high=7, reverse=["c"], minimum_share=0.6)
    return float(score.iloc[0])


def _standardised() -> float:
    scores = pd.Series([1.0, 2.0, 3.0, 5.0])
    reference = pd.Series([True, True, True, False])
    return float(standardise(scores, reference=reference, sample="first three").values.iloc[3])


def _standardised_sum() -> float:
    scores = pd.DataFrame({"a": [1.0, 2.0, 3.0, 5.0], "b": [10.0, 20.0, 30.0, 10.0]})
    reference = pd.Series([True, True, True, False])
    total = standardised_sum(scores, columns=["a", "b"], reference=reference, sample="first three")
    return float(total.iloc[3])


def _combined(r: float) -> float:
    pair = _correlated(r)
    return 1.0 if combination_rule(pair["one"], pair["two"]).branch == "combined" else 0.0


def _scale(
    quantity: str, printed: str, source: str, compute: Callable[[], float], *, exact: bool = True
) -> ValidationCase:
    return ValidationCase(
        method="scales", quantity=quantity, printed=printed, source=source, compute=compute, exact=exact
    )


SCALES = (
    _scale(
        "Six targets, four judges: Cronbach’s alpha",
        "0.91",
        SHROUT,
        lambda: cronbach_alpha(data.judges()).estimate,
        exact=False,
    ),
    _scale(
        "Two items correlated .5: Spearman–Brown",
        "2/3",
        "arithmetic: 2 × .5/(1 + .5)",
        lambda: spearman_brown(_correlated(0.5)).estimate,
    ),
    _scale("Correlations .56, .48, .42: first loading", "0.8000", TRIADS, _loading, exact=False),
    _scale("Correlations .56, .48, .42: omega", "0.744932", "arithmetic: 2.1²/(2.1² + 1.51)", _omega, exact=False),
    _scale(
        "An answer of 2 on a scale from 1 to 7, reversed",
        "6",
        BY_HAND,
        lambda: float(reverse_scored(pd.Series([2.0]), low=1, high=7).iloc[0]),
    ),
    _scale("Sum of three items, answers 5, none, 2 reversed", "33/2", "arithmetic: 3 × (5 + 6)/2", _sum_score),
    _scale("A score of 5 in SDs of a sample of 1, 2, 3", "3", "arithmetic: (5 − 2)/1", _standardised),
    _scale("Sum of two standardised scores", "2", "arithmetic: 3 − 1", _standardised_sum),
    ValidationCase(
        method="scales",
        quantity="Two parts correlated .72 are combined",
        printed="1",
        source=".72² = .5184 exceeds .50",
        compute=partial(_combined, 0.72),
        truth=True,
    ),
    ValidationCase(
        method="scales",
        quantity="Two parts correlated .70 are combined",
        printed="0",
        source=".70² = .49 does not exceed .50",
        compute=partial(_combined, 0.70),
        truth=True,
    ),
)

# ------------------------------------------------------------------- absence, leavers, Bradford

LAUNCH = date(2019, 9, 2)  # a Monday: 24 weeks hold 120 working days


def _people() -> pd.DataFrame:
    """A stayer with 3 days, a leaver after twelve weeks with 5, one after one week with 1, of one authority."""
    frame = pd.DataFrame(
        {
            "local_authority": "one",
            "illness_days": [3.0, 5.0, 1.0],
            "leaving_date": [pd.NaT, pd.Timestamp(2019, 11, 25), pd.Timestamp(2019, 9, 9)],
        }
    )
    return frame.join(exposure(frame, launches={"one": LAUNCH}, weeks=24))


def _days(rule: LeaverRule, person: int) -> float:
    return float(trial_absence(_people(), rule=rule).days.iloc[person])


def _baseline(rule: MissingBaseline, person: int) -> float:
    frame = pd.DataFrame(
        {
            "local_authority": "one",
            "illness_days": [3.0, 6.0, 2.0],
            "service_months": [6.0, 24.0, 2.0],
        }
    )
    return float(for_analysis(frame, rule=rule).days.iloc[person])


def _bradford(spells: float) -> float:
    return float(bradford_score(spells=pd.Series([spells]), days=pd.Series([10.0])).iloc[0])


def _absence(quantity: str, printed: str, source: str, compute: Callable[[], float]) -> ValidationCase:
    return ValidationCase(
        method="absence", quantity=quantity, printed=printed, source=source, compute=compute, exact=True
    )


ABSENCE = (
    _absence(
        "Working days in 24 weeks from a Monday",
        "120",
        "arithmetic: 24 × 5",
        lambda: float(_people()["follow_up_days"].iloc[0]),
    ),
    _absence(
        "Left after twelve weeks: working days in post",
        "60",
        "arithmetic: 12 × 5",
        lambda: float(_people()["exposure_days"].iloc[1]),
    ),
    _absence(
        "Left after twelve weeks with 5 days: own rate", "10", "arithmetic: 5/60 × 120", partial(_days, "pro_rata", 1)
    ),
    _absence(
        "Left after one week with 1 day: rate of stayers (3 days in 120)",
        "31/8",
        "arithmetic: 1 + 115 × 3/120",
        partial(_days, "pro_rata", 2),
    ),
    _absence(
        "Left after twelve weeks with 5 days: absent after leaving",
        "65",
        "arithmetic: 5 + 60",
        partial(_days, "absent_after_leaving", 1),
    ),
    _absence(
        "Baseline of 3 days in six months, a year", "6", "arithmetic: 3 × 12/6", partial(_baseline, "complete_cases", 0)
    ),
    _absence(
        "Baseline after two months: mean of the authority", "6", "arithmetic: (6 + 6)/2", partial(_baseline, "mean", 2)
    ),
    _absence("Baseline after two months: zero", "0", "rule", partial(_baseline, "zero_with_indicator", 2)),
    *(
        _absence(
            f"Bradford score of ten days in {spells} spell{'s' if spells > 1 else ''}",
            printed,
            f"arithmetic: {spells}² × 10",
            partial(_bradford, float(spells)),
        )
        for spells, printed in ((1, "10"), (3, "90"), (5, "250"), (10, "1000"))
    ),
)

CASES = (*SCALES, *ABSENCE)
