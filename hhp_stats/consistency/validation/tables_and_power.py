"""Tests of tables, power by t, joint tests over imputations, and effects on the total variance: R, and closed forms."""

from __future__ import annotations

import numpy as np

from hhp_stats.consistency.validation.case import ValidationCase
from hhp_stats.design.individual_power import individual_detectable_effect_t, individual_power
from hhp_stats.estimate.total_variance import icc_binary, total_variance_effect
from hhp_stats.infer.contingency import chi_squared_test, fisher_exact_test
from hhp_stats.infer.pooled_ratios import pool_likelihood_ratios, pool_statistics
from hhp_stats.results.frame import Estimate

R = "R 4.2.2"
MICE = "R 4.2.2, mice 3.15.0"
# Of five imputations of mice's nhanes, bmi on age with and without hyp and chl: Wald statistics, likelihood ratios at
# each imputation's estimates, and at the averaged ones.
_WALD = np.array(
    [8.3227938390038609, 15.6027215082633592, 29.8678674997722382, 15.9360042993536695, 7.1522510281921647]
)
_RATIO = np.array(
    [8.3460680644893444, 13.8900039517184553, 22.1177249911551428, 14.1166090970336597, 7.3276219785681462]
)
_HELD = np.array(
    [7.4361090196738076, 13.6279493725212006, 20.3652907361577888, 13.7722005991479080, 2.9734055260294951]
)
_PAIRS = np.array([1.0, 1, 0, 0, 1, 0, 0, 1])


def _on_total_variance() -> float:
    """An effect of 2 where every pair of people is (-1, 1) about its arm's mean: nothing lies between pairs."""
    effect = Estimate(estimate=2.0, std_error=1.0, df=4, n=16, n_clusters=8, method="a difference")
    found = total_variance_effect(
        effect, outcome=np.tile([-1.0, 1.0], 8), treatment=np.repeat([0.0, 1.0], 8), clusters=np.repeat(np.arange(8), 2)
    )
    return found.sd_total**2


CASES = (
    ValidationCase(
        method="firth",
        quantity="5 of 75 against none of 72: Fisher's exact p",
        printed="0.05852043",
        source=R,
        compute=lambda: fisher_exact_test(np.array([[5, 70], [0, 72]])).p_value,
    ),
    ValidationCase(
        method="firth",
        quantity="5 of 75 against none of 72: chi-squared",
        printed="4.96901408",
        source=R,
        compute=lambda: chi_squared_test(np.array([[5, 70], [0, 72]])).statistic,
    ),
    ValidationCase(
        method="power",
        quantity="Power by t, 10 an arm, effect .8",
        printed="0.39506921",
        source=R,
        compute=lambda: individual_power(effect=0.8, n_treatment=10, n_control=10),
    ),
    ValidationCase(
        method="power",
        quantity="Detectable effect by t, 10 an arm",
        printed="1.324947",
        source=R,
        compute=lambda: individual_detectable_effect_t(n_treatment=10, n_control=10),
    ),
    ValidationCase(
        method="imputation",
        quantity="nhanes, hyp and chl together: D2",
        printed="2.2035863",
        source=MICE,
        compute=lambda: pool_statistics(statistics=_WALD, parameters=2).statistic,
    ),
    ValidationCase(
        method="imputation",
        quantity="nhanes, hyp and chl together: D3",
        printed="2.7140665",
        source=MICE,
        compute=lambda: pool_likelihood_ratios(statistics=_RATIO, at_pooled=_HELD, parameters=2).statistic,
    ),
    ValidationCase(
        method="effect-size",
        quantity="Correlation of the 0/1 pairs (1, 1), (0, 0), (1, 0), (0, 1)",
        printed="1/7",
        source="mean squares 1/3 and 1/4 by hand",
        compute=lambda: icc_binary(outcome=_PAIRS, clusters=np.repeat(np.arange(4), 2)).estimate,
    ),
    ValidationCase(
        method="effect-size",
        quantity="Total variance, pairs (-1, 1) in both arms",
        printed="8/7",
        source="16 squares of one on 14 degrees of freedom",
        compute=_on_total_variance,
    ),
)
