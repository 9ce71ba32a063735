"""Multiple imputation as a whole: sameness, accounting, composites, diagnostics, refusals."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose

from hhp_stats.errors import CollinearTerms, ImputationRefused, NoObservations, UnknownName
from hhp_stats.estimate.imputation import ImputationPlan, ImputedVariable, PassiveVariable, elimination, impute, linear
from hhp_stats.estimate.imputation.diagnostics import r_hat
from hhp_stats.regression.model_matrix import Term


def staff(n: int = 360, seed: int = 0) -> pd.DataFrame:
    """Two arms, 36 teams, three authorities; every kind of variable, a quarter missing."""
    rng = np.random.default_rng(seed)
    team = rng.integers(0, 36, n)
    x, z = rng.normal(size=(2, n))
    item_1 = np.clip(np.round(3 + x + rng.normal(size=n)), 0, 6)
    frame = pd.DataFrame(
        {
            "treatment": (team % 2).astype(float),
            "team_id": [f"t{t:02d}" for t in team],
            "local_authority": np.array(["A", "B", "C"])[team % 3],
            "age": 40 + 10 * z,
            "wellbeing": 5 + 0.5 * x + 0.4 * (team % 2) + rng.normal(size=n),
            "item_1": item_1,
            "item_2": np.clip(item_1 + rng.integers(-1, 2, n), 0, 6),
            "left": (rng.random(n) < 0.3).astype(float),
            "workload": np.array(["low", "fair", "high"])[np.digitize(z + rng.logistic(size=n), [-0.5, 1])],
            "role": np.array(["adult", "child", "other"])[rng.integers(0, 3, n)],
        },
        index=[f"p{i}" for i in rng.permutation(n)],
    )
    for column in ("wellbeing", "item_1", "item_2", "left", "workload", "role"):
        frame.loc[rng.random(n) < 0.25, column] = None
    return frame


TERMS = (Term(column="age", kind="continuous"), Term(column="local_authority", kind="categorical"))
SCALE = PassiveVariable(name="scale", inputs=("item_1", "item_2"), function=lambda v: v["item_1"] + v["item_2"])
VARIABLES = (
    ImputedVariable(name="wellbeing", kind="continuous", predictors=("age", "local_authority", "left", "scale")),
    ImputedVariable(name="item_1", kind="pmm"),
    ImputedVariable(name="item_2", kind="pmm"),
    ImputedVariable(name="left", kind="binary"),
    ImputedVariable(name="workload", kind="ordered", levels=("low", "fair", "high")),
    ImputedVariable(name="role", kind="unordered"),
)
PLAN = ImputationPlan(
    variables=VARIABLES, terms=TERMS, passive=(SCALE,), clusters="team_id", imputations=4, iterations=3, seed=11
)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return staff()


@pytest.fixture(scope="module")
def imputations(frame: pd.DataFrame):
    return impute(frame, PLAN)


def test_every_set_is_complete_and_keeps_what_was_observed(frame, imputations) -> None:
    sets = list(imputations)
    assert len(sets) == len(imputations) == 4
    for completed in sets:
        assert list(completed.index) == list(frame.index)
        assert completed.notna().all().all()
        for name in frame.columns:
            known = frame[name].notna()
            assert (completed.loc[known, name] == frame.loc[known, name]).all(), name
    missing = frame["wellbeing"].isna()
    assert len({tuple(completed.loc[missing, "wellbeing"]) for completed in sets}) == 4


def test_the_callers_frame_is_untouched(frame) -> None:
    before = frame.copy(deep=True)
    completed = impute(frame, replace(PLAN, imputations=2)).completed(0)
    completed.loc[:, "wellbeing"] = 0.0
    pd.testing.assert_frame_equal(frame, before)


def test_composites_follow_their_items_in_every_set(imputations) -> None:
    for completed in imputations:
        assert (completed["scale"] == completed["item_1"] + completed["item_2"]).all()


def test_matching_only_gives_values_observed_in_the_same_arm(frame, imputations) -> None:
    for completed in imputations:
        for arm, part in completed.groupby("treatment"):
            for item in ("item_1", "item_2"):
                assert set(part[item]) <= set(frame.loc[frame["treatment"] == arm, item].dropna())
        assert set(completed["left"]) == {0.0, 1.0}
        assert set(completed["workload"]) == {"low", "fair", "high"} and set(completed["role"]) == {
            "adult",
            "child",
            "other",
        }


def test_same_seed_same_numbers_in_one_process_or_two(frame, imputations) -> None:
    for other in (impute(frame, PLAN), impute(frame, PLAN, n_jobs=2)):
        for name, imputed in imputations.imputed.items():
            assert np.array_equal(imputed.values, other.imputed[name].values), name
    changed = impute(frame, replace(PLAN, seed=12))
    assert not np.array_equal(changed.imputed["wellbeing"].values, imputations.imputed["wellbeing"].values)


@pytest.mark.parametrize("chains", [1, 3, 50])
def test_same_numbers_however_many_chains_go_side_by_side(frame, imputations, monkeypatch, chains: int) -> None:
    monkeypatch.setattr(import_module("hhp_stats.estimate.imputation.impute"), "BLOCK_CHAINS", chains)
    other = impute(frame, PLAN, n_jobs=1)
    for name, imputed in imputations.imputed.items():
        assert np.array_equal(imputed.values, other.imputed[name].values), name
    for table in ("trace", "convergence", "distributions"):
        pd.testing.assert_frame_equal(
            getattr(other.diagnostics, table), getattr(imputations.diagnostics, table), check_exact=True
        )
    assert other.diagnostics.notes == imputations.diagnostics.notes


def test_one_chain_that_needs_a_ridge_does_not_touch_the_others() -> None:
    """Beside a chain without a factor the others' numbers are to the last bit those that they have alone."""
    good = np.array([[4.0, 1, 1], [1, 3, 0.5], [1, 0.5, 2]])
    bad = np.array([[1.0, 1, 1], [1, 1, 1], [1, 1, 5]])
    with_bad, alone = np.array([good, bad, good]), np.array([good, good])
    assert np.isnan(elimination.lower_factors(with_bad)[1]).all()
    assert np.array_equal(elimination.lower_factors(with_bad)[::2], elimination.lower_factors(alone))
    plain = elimination.eliminate(np.array([[1.0]]))

    def drawn(*grams: np.ndarray) -> tuple[np.ndarray, linear.LinearDraws]:
        together = np.array(grams)
        products = elimination.CrossProducts(
            complete=np.ones((len(grams), 1, 1)), varying=together[:, :, 1:], ridged=np.zeros(len(grams), dtype=bool)
        )
        ridge = linear.needs_ridge(products, plain)
        rngs = [np.random.default_rng(int(gram[2, 2])) for gram in grams]
        return ridge, linear.draw_linear(linear.with_ridge(products, ridge), 30, rngs, plain=plain)

    good[0, 0] = 1.0
    good[0, 1:] = good[1:, 0] = 0.2
    ridge, together = drawn(good, bad, good)
    assert ridge.tolist() == [False, True, False]
    _, without = drawn(good, good)
    assert np.array_equal(together.drawn[::2], without.drawn)


def test_the_parallel_configuration_in_force_is_respected(frame, imputations) -> None:
    """Whatever runs the chains (a thread pool here, Dask elsewhere), the numbers are those of one process."""
    with parallel_config(backend="threading", n_jobs=2):
        other = impute(frame, PLAN)
    for name, imputed in imputations.imputed.items():
        assert np.array_equal(imputed.values, other.imputed[name].values), name


def test_more_imputations_leave_the_first_ones_as_they_were(frame, imputations) -> None:
    more = impute(frame, replace(PLAN, imputations=6))
    assert more.imputed["wellbeing"].values.shape[0] == 6
    for name, imputed in imputations.imputed.items():
        assert np.array_equal(imputed.values, more.imputed[name].values[:4]), name


def test_an_arm_is_imputed_without_looking_at_the_other(frame, imputations) -> None:
    """Changing the outcomes of one arm must not change what is imputed in the other."""
    other = frame.copy()
    treated = other["treatment"] == 1
    other.loc[treated, "wellbeing"] = other.loc[treated, "wellbeing"] * 3 + 100
    changed = impute(other, PLAN)
    for before, after in zip(imputations, changed, strict=True):
        pd.testing.assert_series_equal(before.loc[~treated, "wellbeing"], after.loc[~treated, "wellbeing"])
        assert (after.loc[treated, "wellbeing"] > 80).all()


def test_diagnostics_hold_every_chain_and_variable(imputations) -> None:
    found = imputations.diagnostics
    assert len(found.trace) == 2 * 6 * 4 * 3  # arms, variables, imputations, iterations
    assert found.trace[["mean", "std_dev"]].notna().all().all()
    assert len(found.convergence) == 12
    rows = found.distributions
    assert set(rows["source"]) == {"observed", "imputed"}
    shares = rows[rows["variable"] == "role"].groupby(["group", "source"])["share"].sum()
    assert_allclose(shares, 1.0, rtol=1e-12)  # shares of one total
    last = found.trace.query("variable == 'item_1' and group == 'treatment=1.0' and imputation == 2 and iteration == 3")
    gaps = imputations.frame["item_1"].isna() & (imputations.frame["treatment"] == 1)
    assert_allclose(
        last["mean"].item(), imputations.completed(1).loc[gaps, "item_1"].mean(), rtol=1e-12
    )  # the same mean


def test_r_hat() -> None:
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(20, 400))
    assert 0.98 < r_hat(mixed) < 1.02
    stuck = mixed + np.arange(20)[:, None]
    assert r_hat(stuck) > 3
    # By hand: second halves (1, 3) and (5, 7): W = 2, variance of means 8, so sqrt((1/2 2 + 8)/2).
    assert_allclose(r_hat(np.array([[9.0, 9, 1, 3], [0, 0, 5, 7]])), np.sqrt(4.5), rtol=1e-12)
    assert np.isnan(r_hat(np.ones((3, 10)))) and np.isnan(r_hat(np.ones((3, 2))))


def test_progress_counts_every_chain(frame) -> None:
    said: list[tuple[int, int]] = []
    impute(frame, PLAN, progress=lambda done, total: said.append((done, total)))
    assert said == [(i, 8) for i in range(1, 9)]


def test_predictors_that_determine_each_other_get_a_noted_ridge(frame) -> None:
    doubled = frame.assign(age_in_months=12 * frame["age"])
    plan = ImputationPlan(
        variables=(ImputedVariable(name="wellbeing", kind="continuous"),),
        terms=(*TERMS, Term(column="age_in_months", kind="continuous")),
        imputations=2,
        iterations=2,
        seed=1,
    )
    found = impute(doubled, plan)
    assert any("ridge in 4 of 4 fits" in note for note in found.diagnostics.notes)
    assert found.completed(0)["wellbeing"].between(-10, 20).all()
    assert not impute(doubled, replace(plan, terms=TERMS)).diagnostics.notes


def test_what_does_not_vary_in_an_arm_is_noted_and_left_out(frame) -> None:
    coffee = frame.assign(coffee=frame["treatment"])
    plan = replace(PLAN, terms=(*TERMS, Term(column="coffee", kind="binary")), imputations=2, iterations=1)
    notes = impute(coffee, plan).diagnostics.notes
    assert [note for note in notes if "coffee does not vary" in note] == [
        "treatment=0.0: coffee does not vary and predicts nothing",
        "treatment=1.0: coffee does not vary and predicts nothing",
    ]


def test_nothing_missing_in_an_arm_is_fine_and_noted(frame) -> None:
    part = frame[frame["wellbeing"].notna() | (frame["treatment"] == 1)]
    plan = replace(PLAN, variables=(ImputedVariable(name="wellbeing", kind="pmm"),), passive=())
    found = impute(part, plan)
    assert "treatment=0.0: nothing of wellbeing is missing" in found.diagnostics.notes
    assert found.completed(3)["wellbeing"].notna().all()


def test_integer_and_categorical_columns_come_back_usable(frame) -> None:
    typed = frame.assign(
        item_1=frame["item_1"].astype("Int64"),
        role=frame["role"].astype("category"),
    )
    first, second = impute(frame, PLAN).completed(1), impute(typed, PLAN).completed(1)
    assert (first["item_1"] == second["item_1"]).all()
    assert isinstance(second["role"].dtype, pd.CategoricalDtype)
    assert (first["role"].to_numpy(dtype=object) == second["role"].to_numpy(dtype=object)).all()


def test_refusals_by_the_plan() -> None:
    one = (ImputedVariable(name="y", kind="pmm"),)
    for changes, error, words in (
        ({"imputations": 1}, ImputationRefused, "two imputations"),
        ({"iterations": 0}, ImputationRefused, "one iteration"),
        ({"variables": ()}, ImputationRefused, "no variable"),
        ({"variables": one * 2}, ImputationRefused, "twice"),
        ({"variables": (ImputedVariable(name="y", kind="mean"),)}, UnknownName, "'mean'"),  # type: ignore[arg-type]
        ({"variables": (ImputedVariable(name="y", kind="ordered"),)}, ImputationRefused, "levels in order"),
        ({"variables": (ImputedVariable(name="y", kind="pmm", predictors=("ghost",)),)}, UnknownName, "ghost"),
        ({"variables": (ImputedVariable(name="y", kind="pmm", predictors=("y",)),)}, ImputationRefused, "itself"),
        ({"variables": (ImputedVariable(name="y", kind="pmm", donors=0),)}, ImputationRefused, "one donor"),
        ({"terms": (Term(column="treatment", kind="binary"),)}, ImputationRefused, "apart"),
        ({"passive": (PassiveVariable(name="s", inputs=("q",), function=lambda v: v["q"]),)}, UnknownName, "q"),
    ):
        with pytest.raises(error, match=words):
            ImputationPlan(**{"variables": one, "seed": 1} | changes)


def test_an_item_cannot_be_predicted_by_its_own_composite() -> None:
    with pytest.raises(ImputationRefused, match="item of scale"):
        replace(PLAN, variables=(*VARIABLES[2:], replace(VARIABLES[1], predictors=("scale",))))


def with_only(frame: pd.DataFrame, kind: str, **columns: object):
    plan = replace(PLAN, variables=(ImputedVariable(name="wellbeing", kind=kind),), passive=())  # type: ignore[arg-type]
    return lambda: impute(frame.assign(**columns), plan)


def test_refusals_by_the_data(frame) -> None:
    treated = frame["treatment"] == 1
    constant = frame["wellbeing"].where(frame["wellbeing"].isna(), 4.0)
    infinite = frame["wellbeing"].where(frame["wellbeing"] < 6, np.inf)
    for attempt, error, words in (
        (with_only(frame, "pmm", wellbeing=np.nan), NoObservations, "all values of wellbeing"),
        (with_only(frame, "pmm", wellbeing=frame["wellbeing"].where(~treated)), NoObservations, "treatment=1"),
        (with_only(frame, "pmm", wellbeing=constant), ImputationRefused, "constant"),
        (with_only(frame, "pmm", wellbeing=infinite), ImputationRefused, "infinite"),
        (with_only(frame, "pmm", wellbeing=frame["role"]), ImputationRefused, "text"),
        (with_only(frame, "binary"), ImputationRefused, "binary but holds"),
        (with_only(frame, "pmm", age=frame["wellbeing"]), ImputationRefused, "age has"),
        (with_only(frame, "pmm", treatment=frame["left"]), ImputationRefused, "unknown arm"),
        (with_only(frame, "pmm", team_id=frame["role"]), ImputationRefused, "team_id is missing"),
        (with_only(frame.drop(columns="age"), "pmm"), UnknownName, "no column age"),
        (with_only(frame.iloc[:0], "pmm"), NoObservations, "no observations"),
        (with_only(frame.groupby("treatment").head(6), "continuous"), CollinearTerms, "cannot identify"),
    ):
        with pytest.raises(error, match=words):
            attempt()
    strange = replace(PLAN, variables=(replace(VARIABLES[4], levels=("low", "high")),), passive=())
    with pytest.raises(ImputationRefused, match="does not name: fair"):
        impute(frame, strange)
    broken = replace(PLAN, passive=(replace(SCALE, function=lambda v: v["item_1"].sum()),))
    with pytest.raises(ImputationRefused, match="one number for each"):
        impute(frame, broken)


def test_a_set_that_does_not_exist_is_refused(imputations) -> None:
    with pytest.raises(IndexError, match="counted from 0"):
        imputations.completed(4)
    with pytest.raises(UnknownName, match="age was not imputed"):
        imputations.column("age", 0)
