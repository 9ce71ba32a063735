"""Frames as they come: rows named twice, numbers read as objects, levels that nobody has, products with the treatment.

Each gives the number of the plain frame, or an error that says what to do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

import hhp_stats as hs
from hhp_stats.errors import EstimationError, ImputationRefused, InvalidInput, UnknownName
from hhp_stats.estimate.imputation import Imputations
from hhp_stats.estimate.tipping import tipping_points
from hhp_stats.library.columns import as_held
from hhp_stats.results.frame import Estimate

SAME = 1e-12  # the same rows, in the same order


@pytest.fixture(scope="module")
def trial() -> pd.DataFrame:
    return hs.example_trial()


@pytest.fixture(scope="module")
def known(trial: pd.DataFrame) -> pd.DataFrame:
    return trial.dropna(ignore_index=True)


def _answering(frame: pd.DataFrame) -> Estimate:
    return hs.selection("absence ~ treatment + baseline", frame, answering="treatment + baseline + C(role)").effect()


def _drawn(frame: pd.DataFrame, clusters: str | None, strata: str | None) -> Estimate:
    asked: dict[str, Any] = {"clusters": clusters, "strata": strata, "draws": 199, "seed": 1, "missing": "drop"}
    return hs.randomisation_test("absence ~ treatment", frame, **asked).estimate


QUESTIONS: dict[str, Callable[[pd.DataFrame], Estimate]] = {
    "complier": lambda frame: (
        hs.complier("absence ~ treatment + baseline", frame, takeup="took_part", clusters="team", missing="drop").effect
    ),
    "selection": _answering,
    "teams drawn": lambda frame: _drawn(frame, "team", "authority"),
    "people drawn": lambda frame: _drawn(frame, None, None),
    "linear": lambda frame: hs.linear(
        "absence ~ treatment | authority", frame, clusters="team", missing="drop"
    ).effect(),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_rows_named_twice_are_two_rows(trial: pd.DataFrame, question: str) -> None:
    ask = QUESTIONS[question]
    plain, twice = ask(trial), ask(trial.set_axis(np.arange(len(trial)) % 7))
    for name in ("estimate", "std_error", "p_value", "conf_low"):
        assert getattr(twice, name) == pytest.approx(getattr(plain, name), rel=SAME)
    assert (twice.n, twice.n_clusters) == (plain.n, plain.n_clusters)


@pytest.mark.parametrize("made_of", [object, Decimal], ids=["objects", "decimals"])
@pytest.mark.parametrize("column", ["absence", "baseline", "treatment"])
def test_numbers_read_as_objects_are_numbers(known: pd.DataFrame, column: str, made_of: type) -> None:
    values = known[column].astype(object) if made_of is object else known[column].map(lambda v: Decimal(str(v)))
    asked = "absence ~ treatment + baseline"
    plain = hs.linear(asked, known, clusters="team").effect()
    found = hs.linear(asked, known.assign(**{column: values}), clusters="team").effect()
    assert (found.estimate, found.std_error) == pytest.approx((plain.estimate, plain.std_error), rel=SAME)


def test_imputation_takes_objects_for_what_they_hold(trial: pd.DataFrame) -> None:
    def imputed(frame: pd.DataFrame) -> Imputations:
        return hs.impute(frame, columns=["absence"], predictors=["treatment", "baseline"], m=2, seed=1)

    plain = imputed(trial)
    found = imputed(trial.astype({"absence": object, "baseline": object, "treatment": bool}))
    assert found.plan == plain.plan and found.plan.variables[0].kind == "pmm"
    assert np.array_equal(found.completed(1)["absence"], plain.completed(1)["absence"])
    flags = trial.assign(absence=(trial["absence"] > 4).astype(object).mask(trial["absence"].isna()))
    assert imputed(flags).plan.variables[0].kind == "binary"


def test_balance_takes_objects_for_what_they_hold(trial: pd.DataFrame) -> None:
    found = hs.balance_table(trial.astype({"baseline": object}), ["baseline"])
    assert found["kind"].tolist() == ["continuous"]
    pd.testing.assert_frame_equal(found, hs.balance_table(trial, ["baseline"]))


def test_text_among_numbers_is_refused(known: pd.DataFrame) -> None:
    mixed = known.assign(baseline=known["baseline"].astype(object).where(known.index > 0, "7"))
    with pytest.raises(InvalidInput, match="baseline holds text and numbers"):
        hs.linear("absence ~ treatment + baseline", mixed)
    with pytest.raises(InvalidInput, match="baseline must be numbers"):
        as_held(pd.Series([1, [2]], dtype=object, name="baseline"))


def test_dates_are_no_levels(trial: pd.DataFrame) -> None:
    dated = trial.assign(joined=pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(len(trial)) // 2, "D"))
    with pytest.raises(InvalidInput, match="joined holds dates"):
        hs.impute(dated, columns=["absence"], seed=1)
    with pytest.raises(InvalidInput, match="joined holds dates"):
        hs.balance_table(dated, ["joined"])


def test_levels_that_nobody_has_are_no_columns(known: pd.DataFrame) -> None:
    arms = pd.Categorical(np.where(known["treatment"] == 1, "film", "none"), categories=["all", "none", "film", "x"])
    roles = pd.Categorical(known["role"], categories=["chief", *sorted(known["role"].unique())])
    found = hs.linear("absence ~ arm + role", known.assign(arm=arms, role=roles), clusters="team")
    plain = hs.linear("absence ~ treatment + role", known, clusters="team").effect()
    assert found.model.treatment == ("arm[T.film]",)
    assert found.effect().std_error == pytest.approx(plain.std_error, rel=SAME)


PRODUCTS = ["absence ~ treatment * baseline", "absence ~ treatment + baseline + np.sqrt(treatment + baseline)"]


@pytest.mark.parametrize("formula", PRODUCTS)
def test_what_moves_the_treatment_alone_refuses_terms_that_move_with_it(known: pd.DataFrame, formula: str) -> None:
    ill = known.assign(absence=(known["absence"] > 6).astype(int))
    fits = [hs.logit(formula, ill, clusters="team", penalised=penalised) for penalised in (False, True)]
    asks: list[Callable[[], object]] = [
        *(fit.effect for fit in fits),
        *(lambda fit=fit: fit.effect(at="means") for fit in fits),
        lambda: hs.complier(formula, known, takeup="took_part", clusters="team"),
        lambda: hs.randomisation_test(formula, known, clusters="team", seed=1, draws=99),
    ]
    for ask in asks:
        with pytest.raises(InvalidInput, match="would stay behind"):
            ask()
    assert fits[0].log_odds().std_error > 0 and hs.linear(formula, known).effect().std_error > 0


def test_a_gap_that_a_formula_makes_is_no_missing_answer(trial: pd.DataFrame) -> None:
    above = trial.assign(absence=trial["absence"] - 4.05)
    with pytest.raises(InvalidInput, match=r"np.log\(absence\) has no value for \d+ rows whose absence are known"):
        hs.bounds("np.log(absence) ~ treatment", above, clusters="team", seed=1)
    with pytest.raises(InvalidInput, match="has no value"):
        hs.selection("np.log(absence) ~ treatment + baseline", above)


def test_who_was_drawn_from_no_stratum_is_asked_about(known: pd.DataFrame) -> None:
    some = known.assign(authority=known["authority"].where(known["authority"] != "Birch"))
    for kind in ("str", "category", object):
        with pytest.raises(InvalidInput, match="people have no stratum"):
            _drawn(some.astype({"authority": kind}), "team", "authority")


def test_two_clusters_that_look_alike_are_two(known: pd.DataFrame) -> None:
    number = pd.factorize(known["team"])[0]
    alike = pd.Series(number, dtype=object).where(number != 3, "5")  # the text beside the number 5
    with pytest.raises(InvalidInput, match="written alike"):
        _drawn(known.assign(team=alike), "team", None)


def test_gaps_in_what_predicts_answering_are_dropped_where_asked(trial: pd.DataFrame) -> None:
    gaps = trial.assign(reminders=np.where(trial.index < 5, np.nan, trial.index % 3))
    asked: dict[str, Any] = {"answering": "treatment + baseline + reminders"}
    with pytest.raises(InvalidInput, match=r"reminders \(5\)"):
        hs.selection("absence ~ treatment + baseline", gaps, **asked)
    found = hs.selection("absence ~ treatment + baseline", gaps, missing="drop", **asked)
    assert found.model.dropped == 5 and found.fit.n == len(trial) - 5


def test_tipping_points_need_arms_of_nought_and_one(trial: pd.DataFrame) -> None:
    named = trial.assign(arm=np.where(trial["treatment"] == 1, "film", "control")).drop(columns="treatment")
    sets = hs.impute(named, columns=["absence"], predictors=["arm", "baseline"], m=2, seed=1)
    with pytest.raises(InvalidInput, match=r"column of 0 and 1, not arm\[T.film\]"):
        hs.tipping_points(sets, "absence ~ arm", deltas=[-1, 1])
    with pytest.raises(UnknownName, match="no column treatment"):
        tipping_points(
            sets, outcome="absence", deltas=[1.0], fit=lambda frame: hs.linear("absence ~ arm", frame).effect()
        )


def test_a_model_without_an_effect_shows_why(known: pd.DataFrame) -> None:
    offered = known.assign(offered=(known["team"] == "T01").astype(int))
    fit = hs.linear("absence ~ offered + baseline", offered, clusters="team")
    with pytest.raises(EstimationError):
        fit.effect()
    assert "no estimate: the treated arm with offered = 1 holds 1 cluster" in repr(fit)
    assert math.isnan(fit.tidy().set_index("term").loc["offered", "std_error"])


@pytest.mark.parametrize("unit", [1e-200, 1e200])
@pytest.mark.parametrize("column", ["absence", "baseline"])
def test_what_cannot_be_squared_is_not_imputed(trial: pd.DataFrame, column: str, unit: float) -> None:
    asked: dict[str, Any] = {"columns": ["absence"], "predictors": ["treatment", "baseline"], "m": 2, "seed": 1}
    with pytest.raises(ImputationRefused, match=f"{column} has .*values too (small|large) to be squared"):
        hs.impute(trial.assign(**{column: trial[column] * unit}), **asked)
    small = hs.impute(trial.assign(**{column: trial[column] * 1e-100}), **asked).completed(0)["absence"]
    plain = hs.impute(trial, **asked).completed(0)["absence"]
    assert np.allclose(small * (1e100 if column == "absence" else 1), plain, rtol=1e-9)


def test_two_columns_of_one_name_are_refused(trial: pd.DataFrame, known: pd.DataFrame) -> None:
    asks: dict[str, Callable[[], object]] = {
        "baseline": lambda: hs.linear(
            "absence ~ treatment + baseline", pd.concat([known, known[["baseline"]]], axis=1)
        ),
        "absence": lambda: hs.icc("absence", pd.concat([trial, trial[["absence"]]], axis=1), clusters="team"),
        "role": lambda: hs.impute(pd.concat([trial, trial[["role"]]], axis=1), seed=1),
    }
    for name, ask in asks.items():
        with pytest.raises(InvalidInput, match=f"two columns called {name}"):
            ask()


def test_what_is_no_frame_and_no_name_is_said(known: pd.DataFrame) -> None:
    names: Any = ["team", "role"]
    with pytest.raises(InvalidInput, match=r"by its name, not \['team', 'role'\]"):
        hs.linear("absence ~ treatment", known, clusters=names)
    rows: Any = known.to_dict("records")
    for ask in (lambda: hs.impute(rows, seed=1), lambda: hs.icc("absence", rows, clusters="team")):
        with pytest.raises(InvalidInput, match="must be a pandas DataFrame, not list"):
            ask()
