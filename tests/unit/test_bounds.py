"""Lee and worst-case bounds: by hand, identities, planted truth, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from hhp_stats.errors import InvalidInput, NoObservations, SingleClusterArm
from hhp_stats.estimate.bounds import imbens_manski, lee_bounds, worst_case_bounds
from hhp_stats.regression.model_matrix import ModelMatrix

NAN = np.nan


def arms(arm: np.ndarray, *others: np.ndarray) -> ModelMatrix:
    names = ("intercept", "treatment", *(f"x{i}" for i in range(len(others))))
    return ModelMatrix(values=np.column_stack([np.ones(len(arm)), arm, *others]), names=names)


def test_lee_by_hand() -> None:
    # Treated: 4 of 5 answer (1, 2, 3, 10); control: 3 of 5 (1, 2, 3). Share trimmed (.8 - .6)/.8 = 1/4: one answer.
    outcome = np.array([1.0, 2, 3, 10, NAN, 1, 2, 3, NAN, NAN])
    treatment = np.repeat([1.0, 0.0], 5)
    found = lee_bounds(outcome=outcome, treatment=treatment, seed=1, draws=200)
    assert_allclose([found.lower.estimate, found.upper.estimate, found.trimmed_share], [2 - 2, 5 - 2, 0.25], rtol=1e-12)
    assert found.trimmed_arm == "treated" and "25.0%" in found.lower.note
    assert found.conf_low < found.lower.estimate <= found.upper.estimate < found.conf_high


def test_lee_counts_part_of_the_answer_at_the_margin() -> None:
    # Six of eight answer against five of eight: a sixth of the answers goes.
    outcome = np.array([1.0, 2, 6, NAN] * 2 + [0.0] * 5 + [NAN] * 3)
    treatment = np.repeat([1.0, 0.0], 8)
    found = lee_bounds(outcome=outcome, treatment=treatment, seed=1, draws=200)
    # Six answers 1 1 2 2 6 6, five kept: (1+1+2+2+6)/5 and (1+2+2+6+6)/5.
    assert_allclose([found.lower.estimate, found.upper.estimate], [12 / 5, 17 / 5], rtol=1e-12)
    tenth = np.array([0.0, 10.0, NAN, NAN, NAN] * 2 + [5.0] * 3 + [NAN] * 7)
    found = lee_bounds(outcome=tenth, treatment=np.repeat([1.0, 0.0], 10), seed=1, draws=200)
    # Answers 0 0 10 10 of which a quarter goes, 3 kept: 10/3 and 20/3.
    assert_allclose([found.lower.estimate, found.upper.estimate], [10 / 3 - 5, 20 / 3 - 5], rtol=1e-12)


def test_lee_with_equal_response_is_the_difference_of_means() -> None:
    rng = np.random.default_rng(2)
    outcome = np.concatenate([rng.normal(size=80), np.full(20, NAN)] * 2)
    found = lee_bounds(outcome=outcome, treatment=np.repeat([1.0, 0.0], 100), seed=3, draws=500)
    difference = np.nanmean(outcome[:100]) - np.nanmean(outcome[100:])
    assert_allclose([found.lower.estimate, found.upper.estimate], difference, rtol=1e-12)
    assert found.trimmed_share == 0 and found.trimmed_arm == "neither"


def test_swapping_the_arms_mirrors_the_bounds() -> None:
    rng = np.random.default_rng(4)
    outcome, treatment = rng.normal(size=300), np.repeat([1.0, 0.0], 150)
    outcome[rng.random(300) < 0.2 + 0.3 * treatment] = NAN
    one = lee_bounds(outcome=outcome, treatment=treatment, seed=1, draws=200)
    other = lee_bounds(outcome=outcome, treatment=1 - treatment, seed=1, draws=200)
    assert_allclose(
        [one.lower.estimate, one.upper.estimate], [-other.upper.estimate, -other.lower.estimate], rtol=1e-12
    )
    assert (one.trimmed_arm, other.trimmed_arm) == ("control", "treated")


def test_lee_contains_the_effect_that_selection_hides() -> None:
    """Answering depends on the unseen outcome and, one way only, on treatment: complete cases are biased."""
    rng = np.random.default_rng(6)
    n = 20_000
    team = rng.integers(0, 1000, n)
    arm = (team % 2).astype(float)
    base = 0.8 * rng.normal(size=1000)[team] + rng.normal(size=n)
    always, if_treated = base + rng.normal(size=n) > 0.2, base + rng.normal(size=n) > 0.6
    answered = always | (if_treated & (arm == 1))
    truth = 0.25
    outcome = np.where(answered, base + truth * arm, NAN)
    found = lee_bounds(outcome=outcome, treatment=arm, clusters=team, seed=7, draws=200)
    assert found.lower.estimate < truth < found.upper.estimate
    assert found.trimmed_arm == "treated" and found.lower.n_clusters == 1000
    by_people = lee_bounds(outcome=outcome, treatment=arm, seed=7, draws=200)
    assert (
        found.lower.std_error > 1.1 * by_people.lower.std_error
    )  # teams of 20 with ICC .4, some of it lost by selection


def test_same_seed_same_interval() -> None:
    outcome = np.concatenate([np.arange(30.0), np.full(5, NAN), np.arange(25.0), np.full(10, NAN)])
    treatment = np.repeat([1.0, 0.0], 35)
    first, second, third = (lee_bounds(outcome=outcome, treatment=treatment, seed=s, draws=150) for s in (1, 1, 2))
    assert first == second and first.conf_low != third.conf_low
    steps: list[tuple[int, int]] = []
    lee_bounds(outcome=outcome, treatment=treatment, seed=1, draws=150, progress=lambda *step: steps.append(step))
    assert steps == [(done, 150) for done in range(1, 151)]


def test_imbens_manski() -> None:
    for width in (0.0, 0.1, 1.0, 50.0):
        low, high = imbens_manski(lower=0.0, upper=width, lower_error=0.5, upper_error=0.4)
        c = -low / 0.5
        assert_allclose((high - width) / 0.4, c, rtol=1e-9)  # one critical value for both ends
        # The defining equation, solved to 1e-12.
        assert_allclose(stats.norm.cdf(c + width / 0.5) - stats.norm.cdf(-c), 0.95, atol=1e-10)
    assert_allclose(-imbens_manski(lower=0.0, upper=0.0, lower_error=1.0, upper_error=1.0)[0], 1.959964, atol=1e-6)
    assert_allclose(-imbens_manski(lower=0.0, upper=50.0, lower_error=1.0, upper_error=1.0)[0], 1.644854, atol=1e-6)
    with pytest.raises(InvalidInput):
        imbens_manski(lower=1.0, upper=0.0, lower_error=1.0, upper_error=1.0)


def test_worst_case_by_hand() -> None:
    outcome = np.array([4.0, 6, NAN, 2, NAN, 3, 5, 7])
    treatment = np.repeat([1.0, 0.0], 4)
    found = worst_case_bounds(outcome=outcome, matrix=arms(treatment), lowest=0, highest=10, clusters=np.arange(8))
    # Treated (4, 6, ?, 2), control (?, 3, 5, 7): worst 3 - 25/4, best 22/4 - 15/4.
    assert_allclose([found.lower.estimate, found.upper.estimate], [3 - 6.25, 5.5 - 3.75], rtol=1e-12)
    # With one missing outcome an arm of four, each side moves by a quarter of the range: width 10/2.
    assert_allclose(found.upper.estimate - found.lower.estimate, 5.0, rtol=1e-12)
    assert "set to 0 or 10" in found.lower.note  # how many is not told: it may be very few


def test_worst_case_holds_for_every_filling() -> None:
    rng = np.random.default_rng(9)
    n = 60
    treatment = np.repeat([1.0, 0.0], 30)
    x = rng.normal(size=n) + 0.8 * treatment
    outcome = rng.uniform(0, 10, n)
    missing = rng.random(n) < 0.3
    matrix = arms(treatment, x)
    seen = np.where(missing, NAN, outcome)
    found = worst_case_bounds(outcome=seen, matrix=matrix, lowest=0, highest=10, clusters=np.arange(n))
    effects = []
    for _ in range(500):
        filled = np.where(missing, rng.choice([0.0, 10.0, 5.0], size=n), outcome)
        effects.append(np.linalg.lstsq(matrix.values, filled, rcond=None)[0][1])
    assert found.lower.estimate <= min(effects) and max(effects) <= found.upper.estimate
    whole = worst_case_bounds(outcome=outcome, matrix=matrix, lowest=0, highest=10, clusters=np.arange(n))
    assert_allclose(whole.lower.estimate, whole.upper.estimate, rtol=1e-12)  # nothing missing: one number


def test_refusals() -> None:
    outcome, treatment = np.array([1.0, 2, NAN, 3, 4, 5]), np.repeat([1.0, 0.0], 3)
    with pytest.raises(InvalidInput, match="0 or 1"):
        lee_bounds(outcome=outcome, treatment=treatment + 1, seed=1)
    with pytest.raises(InvalidInput, match="100"):
        lee_bounds(outcome=outcome, treatment=treatment, seed=1, draws=10)
    with pytest.raises(NoObservations, match="treatment = 1"):
        lee_bounds(outcome=np.where(treatment == 1, NAN, outcome), treatment=treatment, seed=1)
    with pytest.raises(InvalidInput, match="both arms"):
        lee_bounds(outcome=outcome, treatment=treatment, clusters=[1, 2, 3, 1, 2, 3], seed=1)
    with pytest.raises(SingleClusterArm, match="treated"):
        lee_bounds(outcome=outcome, treatment=treatment, clusters=[1, 1, 1, 2, 3, 4], seed=1)
    matrix = arms(treatment)
    with pytest.raises(InvalidInput, match="not within"):
        worst_case_bounds(outcome=outcome, matrix=matrix, lowest=0, highest=4, clusters=np.arange(6))
    with pytest.raises(NoObservations):
        worst_case_bounds(outcome=np.full(6, NAN), matrix=matrix, lowest=0, highest=4, clusters=np.arange(6))
