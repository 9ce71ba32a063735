"""What an estimate came from is noted while it runs: the outermost estimators, in order, once."""

import numpy as np
import pytest

from hhp_stats.calls.ran import ran_before, recorded
from hhp_stats.calls.typed import typed
from hhp_stats.errors import InvalidInput
from hhp_stats.regression.cluster_robust import coefficient, heteroskedastic_covariance
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import ModelMatrix

MATRIX = ModelMatrix(values=np.column_stack([np.ones(6), [0, 1, 0, 1, 0, 1.0]]), names=("intercept", "treatment"))
OLS = "hhp_stats.regression.linear.ols"
HC = "hhp_stats.regression.cluster_robust.heteroskedastic_covariance"
COEFFICIENT = "hhp_stats.regression.cluster_robust.coefficient"


def effect():
    fit = ols(outcome=np.array([1, 2, 1, 4, 2, 3.0]), matrix=MATRIX)
    return coefficient(fit, heteroskedastic_covariance(fit, kind="HC2"), df="residual")


def test_the_functions_that_ran_are_named_in_their_order_and_once():
    with recorded() as ran:
        effect()
        effect()
    assert ran.source == f"{OLS} + {HC} + {COEFFICIENT}"  # not linear_contrast, which coefficient calls


def test_nothing_is_noted_outside_and_a_failure_ends_the_nesting():
    effect()
    with recorded() as ran:
        with pytest.raises(InvalidInput):
            ols(outcome=np.full(6, np.nan)[:3], matrix=MATRIX)
        effect()
    assert ran.source.startswith(f"{OLS} + {HC}")
    effect()
    assert ran.source == f"{OLS} + {HC} + {COEFFICIENT}"


def test_what_ran_before_and_inside_another_recording_counts():
    @typed
    def outer() -> None:
        ran_before(["not.by.itself"])
        effect()

    with recorded() as all_of_it:
        with recorded() as ran:
            ran_before(["hhp_stats.somewhere.impute"])
            effect()
        outer()
    assert ran.source == f"hhp_stats.somewhere.impute + {OLS} + {HC} + {COEFFICIENT}"
    assert all_of_it.source.startswith(ran.source) and "not.by.itself" not in all_of_it.source
    assert all_of_it.source.endswith("outer")
