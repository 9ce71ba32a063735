"""Complier effects: planted truth, refusals, what a confidence set calls itself."""

import math

import numpy as np
import pandas as pd
import pytest

from hhp_stats.errors import ConstantTreatment, EstimationError, InvalidInput, SingleClusterArm, UnknownName
from hhp_stats.estimate.anderson_rubin import ReducedForms, anderson_rubin_set
from hhp_stats.estimate.complier import complier_effect
from hhp_stats.estimate.confidence_set import ConfidenceSet, where_quadratic_not_positive
from hhp_stats.regression.model_matrix import ModelMatrix, Term, model_matrix


def trial(teams=60, size=10, takeup=0.5, effect=3.0, seed=11):
    rng = np.random.default_rng(seed)
    team = np.repeat(np.arange(teams), size)
    frame = pd.DataFrame({"team_id": team, "treatment": (team % 2).astype(float), "x": rng.normal(size=len(team))})
    willing = rng.random(len(team)) < takeup
    frame["takeup"] = (willing & (frame["treatment"] == 1)).astype(float)
    # The willing are better off anyway: comparing takers with others would find 5, not 3.
    noise = 0.5 * rng.normal(size=teams)[team] + rng.normal(size=len(team))
    frame["y"] = effect * frame["takeup"] + 2.0 * willing + 0.5 * frame["x"] + noise
    return frame


def estimate(frame, **changes):
    arguments = {
        "outcome": frame["y"].to_numpy(),
        "takeup": frame["takeup"].to_numpy(),
        "matrix": model_matrix(frame, [Term(column="x", kind="continuous")]),
        "clusters": frame["team_id"],
    }
    return complier_effect(**(arguments | changes))


def test_planted_effect_is_recovered_and_self_selection_removed():
    got = estimate(trial(teams=400))
    assert got.effect.estimate == pytest.approx(
        3, abs=3 * got.effect.std_error
    )  # three standard errors, one fixed seed
    assert got.effect.std_error < 0.2
    assert got.strong and got.anderson_rubin.kind == "interval"
    assert got.takeup_control == 0 and got.takeup_treatment == pytest.approx(0.5, abs=0.05)  # 2,000 people a arm


def test_naming_and_counts():
    got = estimate(trial())
    assert got.effect.n == 600 and got.effect.n_clusters == 60 and got.effect.df == 59
    assert "two-stage" in got.effect.method


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"takeup": np.zeros(600)}, InvalidInput),
        ({"takeup": np.full(600, np.nan)}, InvalidInput),
        ({"takeup": np.ones(5)}, InvalidInput),
        ({"clusters": np.repeat([1, 2], 300)}, None),
        ({"clusters": np.ones(600)}, EstimationError),
        ({"clusters": np.ones(5)}, InvalidInput),
        ({"instruments": ("assignment",)}, UnknownName),
        ({"instruments": ()}, InvalidInput),
        ({"instruments": ("treatment", "treatment")}, InvalidInput),
        ({"outcome": np.full(600, np.nan)}, EstimationError),
    ],
)
def test_refusals(change, error):
    frame = trial()
    if error is None:  # clusters that cut across teams are allowed: the arm varies within them
        assert math.isfinite(estimate(frame, **change).effect.std_error)
        return
    with pytest.raises(error):
        estimate(frame, **change)


def test_one_cluster_in_an_arm():
    frame = trial(teams=2)
    with pytest.raises(SingleClusterArm):
        estimate(frame)


def test_one_arm():
    with pytest.raises(ConstantTreatment):
        estimate(trial().assign(treatment=1.0))


def test_no_compliers_at_all():
    frame = trial(teams=4, size=2).assign(takeup=[0.0, 1.0] * 4, x=0.0)
    with pytest.raises(EstimationError, match="no compliers"):
        estimate(frame)


@pytest.mark.parametrize(
    ("square", "linear", "constant", "kind", "parts"),
    [
        (1, 0, -4, "interval", ((-2, 2),)),
        (-1, 0, 4, "complement", ((-math.inf, -2), (2, math.inf))),
        (1, 0, 4, "empty", ()),
        (-1, 0, -4, "whole_line", ((-math.inf, math.inf),)),
        (0, 2, -4, "half_line", ((-math.inf, 2),)),
        (0, -2, -4, "half_line", ((-2, math.inf),)),
        (0, 0, -1, "whole_line", ((-math.inf, math.inf),)),
        (0, 0, 1, "empty", ()),
        (1, 0, 0, "interval", ((0, 0),)),
        (-1, 4, -4, "whole_line", ((-math.inf, math.inf),)),
        (1, -1e8, 1, "interval", ((1e-8, 1e8),)),
    ],
)
def test_quadratic_sets(square, linear, constant, kind, parts):
    got = where_quadratic_not_positive(square=square, linear=linear, constant=constant, conf_level=0.95, method="test")
    assert got.kind == kind
    assert len(got.parts) == len(parts)
    for found, wanted in zip(got.parts, parts, strict=True):
        assert found == pytest.approx(wanted, rel=1e-12)  # the small root of the last case dies in a naive formula


def test_sets_in_words():
    def words(*parts):
        return ConfidenceSet(parts=parts, conf_level=0.95, method="test").in_words(digits=1)

    assert words((1, 2)) == "1.0 to 2.0"
    assert "empty" in words()
    assert words((-math.inf, 1), (2, math.inf)) == "unbounded: all values up to 1.0 and from 2.0 on"
    assert words((-math.inf, math.inf)) == "unbounded: no value is rejected"
    assert words((1, 2), (3, 4)) == "1.0 to 2.0 and 3.0 to 4.0"
    assert words((3, math.inf)) == "unbounded: from 3.0 on"


def test_sets_refuse_disorder_and_an_empty_hull():
    with pytest.raises(InvalidInput):
        ConfidenceSet(parts=((2, 1),), conf_level=0.95, method="test")
    with pytest.raises(InvalidInput):
        _ = ConfidenceSet(parts=(), conf_level=0.95, method="test").hull
    with pytest.raises(InvalidInput):
        where_quadratic_not_positive(square=math.nan, linear=0, constant=0, conf_level=0.95, method="test")


def test_many_instruments_are_refused_not_rounded():
    q = 7
    forms = ReducedForms(
        on_outcome=np.ones(q),
        on_takeup=np.ones(q),
        outcome_covariance=np.eye(q),
        takeup_covariance=np.eye(q),
        cross=np.zeros((q, q)),
        df=30,
    )
    with pytest.raises(InvalidInput):
        anderson_rubin_set(forms)


def test_unknown_instrument_among_several():
    frame = trial()
    matrix = ModelMatrix(values=np.column_stack([np.ones(600), frame["treatment"]]), names=("intercept", "treatment"))
    with pytest.raises(UnknownName):
        estimate(frame, matrix=matrix, instruments=("treatment", "z2"))
