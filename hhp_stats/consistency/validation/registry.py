"""Do the estimators give the numbers that others have published? All validation cases, computed in this run.

Appendix E prints the table; a case that does not agree stops the rendering.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from hhp_stats.consistency.validation import (
    design,
    effects,
    linear,
    logistic,
    measures,
    missing,
    power,
    recomputation,
    resampling,
    tables_and_power,
)
from hhp_stats.consistency.validation.case import Comparison, ValidationCase
from hhp_stats.errors import ValidationFailed

CASES: tuple[ValidationCase, ...] = (
    *linear.CASES,
    *logistic.CASES,
    *missing.CASES,
    *design.CASES,
    *resampling.CASES,
    *power.CASES,
    *effects.CASES,
    *measures.CASES,
    *recomputation.CASES,
    *tables_and_power.CASES,
)

COLUMNS = ("method", "section", "quantity", "printed", "reference", "ours", "gap", "digits", "ok", "source")


@dataclass(frozen=True, slots=True, kw_only=True)
class FurtherTests:
    """A test file outside this registry that checks a method against something independent."""

    path: str  # from the project's root
    against: str  # in words


def _tests(path: str, against: str) -> FurtherTests:
    return FurtherTests(path=path, against=against)


_HARD_CASES = _tests("tests/invariants/test_estimator_invariants.py", "identities")

# More data than a report should carry is checked in the tests; each method's table names them.
FURTHER_TESTS: Mapping[str, tuple[FurtherTests, ...]] = {
    "linear": (_HARD_CASES,),
    "clusters": (
        _tests(
            "tests/reference/cluster_robust/test_cluster_robust_reference.py", "R: clubSandwich, sandwich, estimatr"
        ),
        _tests("tests/reference/satterthwaite/test_satterthwaite_reference.py", "R: clubSandwich"),
        _tests("tests/simulation/test_cluster_robust_size.py", "simulated size and coverage"),
    ),
    "logit": (_tests("tests/reference/logistic/test_logistic_reference.py", "R: glm, sandwich; gretl"),),
    "firth": (_tests("tests/reference/firth/test_firth_reference.py", "R: penalised likelihood, profile intervals"),),
    "selection": (
        _tests("tests/reference/heckman/test_heckman_reference.py", "gretl"),
        _tests("tests/simulation/test_missing_data.py", "simulated truth"),
    ),
    "imputation": (
        _tests("tests/reference/imputation/test_imputation_reference.py", "R: mice, pan, lme4"),
        _tests("tests/reference/rubin/test_rubin_reference.py", "R: mice, mitml"),
        _tests("tests/simulation/test_missing_data.py", "simulated truth"),
    ),
    "nonresponse": (
        _tests("tests/reference/weights/test_weights_reference.py", "R: glm, sandwich"),
        _tests("tests/reference/bounds/test_bounds_reference.py", "base R"),
        _tests("tests/unit/test_tipping.py", "closed forms"),
    ),
    "randomisation": (
        _tests("tests/reference/randomisation/test_randomisation_reference.py", "R: balance tests"),
        _tests("tests/reference/rerandomisation/test_rerandomisation_reference.py", "base R"),
        _tests("tests/unit/test_randomisation.py", "the rule, case by case"),
    ),
    "randomisation-inference": (
        _tests("tests/reference/randomisation/test_randomisation_reference.py", "R: every allocation refitted"),
        _tests("tests/simulation/test_design_simulation.py", "uniform p-values under the null"),
    ),
    "wild-bootstrap": (
        _tests("tests/reference/wild_bootstrap/test_wild_bootstrap_reference.py", "R: every draw refitted"),
        _tests("tests/simulation/test_design_simulation.py", "simulated size"),
    ),
    "multiplicity": (
        _tests("tests/reference/multiplicity/test_multiplicity_reference.py", "R: p.adjust, step-down by definition"),
    ),
    "power": (
        _tests("tests/reference/mdes/test_mdes_reference.py", "base R"),
        _tests("tests/simulation/test_design_simulation.py", "simulated power"),
    ),
    "compliers": (
        _tests("tests/reference/iv/test_iv_reference.py", "R: AER, sandwich"),
        _tests("tests/simulation/test_effects_simulation.py", "simulated coverage"),
    ),
    "scales": (_tests("tests/reference/scales/test_scales_reference.py", "R: factanal, cor.test"),),
    "absence": (
        _tests("tests/unit/test_absence.py", "the rules, case by case"),
        _tests("tests/reference/bradford/test_bradford_reference.py", "arithmetic"),
    ),
    "effect-size": (
        _tests("tests/reference/effect_size/test_effect_size_reference.py", "R, clustered formulas included"),
        _tests("tests/reference/icc/test_icc_reference.py", "R: lme4"),
        _tests("tests/reference/balance/test_balance_reference.py", "R: sandwich, lmtest"),
    ),
    "cost-benefit": (
        _tests("tests/reference/fieller/test_fieller_reference.py", "base R"),
        _tests("tests/unit/test_cost_benefit.py", "joint bootstrap, identities"),
    ),
    "recomputation": (_tests("tests/reference/two_sample/test_two_sample_reference.py", "R: t.test"),),
}

METHODS: Mapping[str, str] = {
    "linear": "Linear intention to treat",
    "clusters": "Clustered covariances",
    "logit": "Logit and change of probability",
    "firth": "Firth’s penalty",
    "selection": "Heckman’s selection model",
    "imputation": "Multiple imputation and pooling",
    "nonresponse": "Weights, tipping points, bounds",
    "randomisation": "Stratified randomisation",
    "randomisation-inference": "Randomisation inference",
    "wild-bootstrap": "Wild cluster bootstrap",
    "multiplicity": "Multiplicity",
    "power": "Detectable effects and power",
    "compliers": "Compliers",
    "scales": "Scales and reliability",
    "absence": "Absence, leavers, Bradford",
    "effect-size": "Effect size, correlation, balance",
    "cost-benefit": "Benefit-cost ratio",
    "recomputation": "Recomputation of published figures",
}


def compare(case: ValidationCase) -> Comparison:
    """What do we get for one case? Raises ValidationFailed, naming it, where nothing can be computed."""
    try:
        ours = float(case.compute())
    except Exception as error:  # whatever went wrong, the report must name the case
        raise ValidationFailed(
            f"{case.method}: {case.quantity}: not computed ({type(error).__name__}: {error})"
        ) from error
    return Comparison(case=case, ours=ours)


def validation_table(cases: Sequence[ValidationCase] = CASES) -> pd.DataFrame:
    """Does every estimator still give the reference numbers? One row a case, computed now.

    Columns: `method`, `section` (anchor in appendix E), `quantity`, `printed` and `reference` (the number
    as text and as a float), `ours`, `gap` (absolute), `digits` (significant digits of agreement), `ok`
    (agreement at the printed digits), `source`.
    Refuses a case that disagrees or cannot be computed (ValidationFailed, naming all that disagree), so
    that no report can print a failing validation.
    """
    found = [compare(case) for case in cases]
    wrong = [one for one in found if not one.ok]
    if wrong:
        listed = "; ".join(
            f"{one.case.method}: {one.case.quantity}: {one.ours!r} instead of {one.case.printed} ({one.case.source})"
            for one in wrong
        )
        raise ValidationFailed(f"{len(wrong)} of {len(found)} validation cases disagree: {listed}")
    rows = [
        {
            "method": one.case.method,
            "section": one.case.section,
            "quantity": one.case.quantity,
            "printed": one.case.printed,
            "reference": one.case.reference,
            "ours": one.ours,
            "gap": one.gap,
            "digits": one.digits,
            "ok": one.ok and math.isfinite(one.ours),
            "source": one.case.source,
        }
        for one in found
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def cases_of(method: str) -> tuple[ValidationCase, ...]:
    """The cases of one method, in the order of the table; refuses a method without any (ValidationFailed)."""
    found = tuple(case for case in CASES if case.method == method)
    if not found:
        raise ValidationFailed(f"no validation cases for {method!r}; there are {', '.join(METHODS)}")
    return found
