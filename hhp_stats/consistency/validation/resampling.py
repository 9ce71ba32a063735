"""Tests by redraws and by resampled signs, and what adjusts families of them."""

from __future__ import annotations

import itertools
from functools import cache, partial

import numpy as np

from hhp_stats.consistency.validation import data
from hhp_stats.consistency.validation.case import ValidationCase
from hhp_stats.consistency.validation.linear import GRUNFELD, grunfeld
from hhp_stats.infer.multiplicity import holm, westfall_young
from hhp_stats.infer.randomisation_test import randomisation_statistics, randomisation_test
from hhp_stats.infer.resampling import Alternative, ResamplingTest
from hhp_stats.infer.wild_bootstrap import wild_bootstrap
from hhp_stats.regression.model_matrix import ModelMatrix

VILLAGES = "seven villages, all 21 assignments listed"


P_ADJUST = "R 4.2.2, p.adjust"


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


P_VALUES = (0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216, 0.222, 0.251, 0.269, 0.275, 0.34)


def _holm(place: int) -> float:
    return float(holm(P_VALUES)[place])


MULTIPLICITY = (
    *(
        ValidationCase(
            method="multiplicity",
            quantity=f"Holm, fifteen p-values: number {place + 1}, {P_VALUES[place]:g}",
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

CASES = (*REDRAWS, *WILD, *MULTIPLICITY)
