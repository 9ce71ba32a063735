"""Least squares and its covariances: NIST, Wooldridge, Petersen, Grunfeld, R's sandwich and clubSandwich."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from hhp_stats.consistency.validation import data
from hhp_stats.consistency.validation.case import ValidationCase
from hhp_stats.infer.repeated_regression import repeated_regression
from hhp_stats.infer.wald import WaldTest, wald_test
from hhp_stats.regression.cluster_robust import (
    ClusterKind,
    HeteroskedasticKind,
    cluster_covariance,
    coefficient,
    heteroskedastic_covariance,
    two_way_covariance,
)
from hhp_stats.regression.linear import LinearFit, ols
from hhp_stats.regression.model_matrix import ModelMatrix
from hhp_stats.results.frame import Estimate

NIST = "NIST certified values"
WOOLDRIDGE_15_1 = "Wooldridge (2010), table 15.1"
PETERSEN = "Petersen, published results"
GRUNFELD = "published results, seven digits"
SANDWICH = "R 4.2.2, sandwich 3.0-2"
CLUB_SANDWICH = "R 4.2.2, clubSandwich 0.5.8"

WORK = "nwifeinc educ exper expersq age kidslt6 kidsge6"


@cache
def _longley() -> LinearFit:
    frame = data.longley()
    matrix = data.matrix_of(frame, "GNPDEFL GNP UNEMP ARMED POP YEAR")
    return ols(outcome=frame["TOTEMP"].to_numpy(dtype=np.float64), matrix=matrix)


@cache
def _work() -> LinearFit:
    frame = data.married_women()
    return ols(outcome=frame["inlf"].to_numpy(dtype=np.float64), matrix=data.matrix_of(frame, WORK))


@cache
def petersen() -> LinearFit:
    """Petersen's regression of y on x."""
    frame = data.petersen()
    return ols(outcome=frame["y"].to_numpy(), matrix=data.matrix_of(frame, "x"))


@cache
def grunfeld() -> LinearFit:
    """Grunfeld's regression of investment on value and capital."""
    frame = data.grunfeld()
    return ols(outcome=frame["invest"].to_numpy(dtype=np.float64), matrix=data.matrix_of(frame, "value capital"))


def _slope(fit: LinearFit, term: str) -> float:
    return float(fit.coefficients[fit.matrix.position(term)])


def _work_error(term: str) -> float:
    covariance = heteroskedastic_covariance(_work(), kind="HC1")
    return coefficient(_work(), covariance, term=term, df="residual").std_error


def _by(group: str, term: str, *, kind: ClusterKind = "CR1") -> Estimate:
    covariance = cluster_covariance(petersen(), clusters=data.petersen()[group], kind=kind)
    df = "satterthwaite" if kind == "CR2" else "clusters"
    return coefficient(petersen(), covariance, term=term, df=df)  # type: ignore[arg-type]


def _both_ways(term: str) -> float:
    frame = data.petersen()
    covariance = two_way_covariance(petersen(), clusters=frame["firm"], second=frame["year"])
    return coefficient(petersen(), covariance, term=term).std_error


def _heteroskedastic(kind: HeteroskedasticKind) -> float:
    covariance = heteroskedastic_covariance(petersen(), kind=kind)
    return coefficient(petersen(), covariance, term="x", df="residual").std_error


def _firm(term: str, *, kind: ClusterKind = "CR1") -> Estimate:
    covariance = cluster_covariance(grunfeld(), clusters=data.grunfeld()["firm"], kind=kind)
    df = "satterthwaite" if kind == "CR2" else "clusters"
    return coefficient(grunfeld(), covariance, term=term, df=df)  # type: ignore[arg-type]


def _at_once() -> Estimate:
    """Value as the treatment in two data sets, of which capital differs in name only."""
    frame, matrix = data.grunfeld(), grunfeld().matrix
    named = ModelMatrix(values=matrix.values, names=tuple("treatment" if n == "value" else n for n in matrix.names))
    twice = np.repeat(frame[["invest", "capital"]].to_numpy(dtype=np.float64), 2, axis=1)
    same = repeated_regression(matrix=named, varying={"capital": twice[:, 2:]}, sets=2, clusters=frame["firm"])
    return same.effects(twice[:, :2])[1]


def _joint() -> WaldTest:
    covariance = cluster_covariance(grunfeld(), clusters=data.grunfeld()["firm"], kind="CR2")
    return wald_test(grunfeld(), covariance, terms=("value", "capital"), reference="htz")


def _linear(quantity: str, printed: str, source: str, term: str) -> ValidationCase:
    fit = _longley if source == NIST else _work
    return ValidationCase(
        method="linear", quantity=quantity, printed=printed, source=source, compute=lambda: _slope(fit(), term)
    )


LINEAR = (
    _linear("Longley: intercept", "-3482258.6", NIST, "intercept"),
    _linear("Longley: GNP deflator", "15.06187", NIST, "GNPDEFL"),
    _linear("Longley: GNP", "-0.03581918", NIST, "GNP"),
    _linear("Longley: unemployed", "-2.020230", NIST, "UNEMP"),
    _linear("Longley: armed forces", "-1.033227", NIST, "ARMED"),
    _linear("Longley: population", "-0.05110411", NIST, "POP"),
    _linear("Longley: year", "1829.151", NIST, "YEAR"),
    _linear("Mroz, linear probability of paid work: years of schooling", "0.038", WOOLDRIDGE_15_1, "educ"),
    _linear("Mroz, linear probability of paid work: children under six", "-0.262", WOOLDRIDGE_15_1, "kidslt6"),
    ValidationCase(
        method="linear",
        quantity="Mroz, linear probability of paid work: robust SE of children under six",
        printed="0.032",
        source=WOOLDRIDGE_15_1,
        compute=lambda: _work_error("kidslt6"),
    ),
)


def _clusters(quantity: str, printed: str, source: str, compute: Callable[[], float]) -> ValidationCase:
    return ValidationCase(method="clusters", quantity=quantity, printed=printed, source=source, compute=compute)


CLUSTERS = (
    _clusters("Petersen: intercept", "0.029680", PETERSEN, lambda: _slope(petersen(), "intercept")),
    _clusters("Petersen: slope of x", "1.034833", PETERSEN, lambda: _slope(petersen(), "x")),
    _clusters(
        "Petersen, by firm, CR1: SE of intercept", "0.067013", PETERSEN, lambda: _by("firm", "intercept").std_error
    ),
    _clusters("Petersen, by firm, CR1: SE of x", "0.050596", PETERSEN, lambda: _by("firm", "x").std_error),
    _clusters(
        "Petersen, by year, CR1: SE of intercept", "0.023387", PETERSEN, lambda: _by("year", "intercept").std_error
    ),
    _clusters("Petersen, by year, CR1: SE of x", "0.033389", PETERSEN, lambda: _by("year", "x").std_error),
    _clusters("Petersen, by firm and year: SE of intercept", "0.065064", PETERSEN, lambda: _both_ways("intercept")),
    _clusters("Petersen, by firm and year: SE of x", "0.053558", PETERSEN, lambda: _both_ways("x")),
    _clusters(
        "Petersen, by year, CR2: SE of x", "0.033396082", CLUB_SANDWICH, lambda: _by("year", "x", kind="CR2").std_error
    ),
    _clusters(
        "Petersen, by year, CR2: Satterthwaite df of x",
        "8.98944",
        CLUB_SANDWICH,
        lambda: _by("year", "x", kind="CR2").df,
    ),
    _clusters(
        "Petersen, by year, CR3: SE of x", "0.03521420", CLUB_SANDWICH, lambda: _by("year", "x", kind="CR3").std_error
    ),
    _clusters("Petersen, HC0: SE of x", "0.02838948", SANDWICH, lambda: _heteroskedastic("HC0")),
    _clusters("Petersen, HC1: SE of x", "0.02839516", SANDWICH, lambda: _heteroskedastic("HC1")),
    _clusters("Petersen, HC2: SE of x", "0.02840079", SANDWICH, lambda: _heteroskedastic("HC2")),
    _clusters("Petersen, HC3: SE of x", "0.02841210", SANDWICH, lambda: _heteroskedastic("HC3")),
    _clusters("Grunfeld: coefficient of value", "0.1155622", GRUNFELD, lambda: _slope(grunfeld(), "value")),
    _clusters("Grunfeld: coefficient of capital", "0.2306785", GRUNFELD, lambda: _slope(grunfeld(), "capital")),
    _clusters("Grunfeld: intercept", "-42.71437", GRUNFELD, lambda: _slope(grunfeld(), "intercept")),
    _clusters("Grunfeld, by firm, CR1: SE of value", "0.0158943", GRUNFELD, lambda: _firm("value").std_error),
    _clusters("Grunfeld, by firm, CR1: SE of capital", "0.0849671", GRUNFELD, lambda: _firm("capital").std_error),
    _clusters("Grunfeld, by firm, CR1: SE of intercept", "20.42520", GRUNFELD, lambda: _firm("intercept").std_error),
    _clusters(
        "Grunfeld, two data sets at once: coefficient of value", "0.1155622", GRUNFELD, lambda: _at_once().estimate
    ),
    _clusters(
        "Grunfeld, two data sets at once, by firm, CR1: SE of value",
        "0.0158943",
        GRUNFELD,
        lambda: _at_once().std_error,
    ),
    _clusters(
        "Grunfeld, by firm, CR2: SE of value", "0.01624508", CLUB_SANDWICH, lambda: _firm("value", kind="CR2").std_error
    ),
    _clusters(
        "Grunfeld, by firm, CR2: Satterthwaite df of value",
        "2.342616",
        CLUB_SANDWICH,
        lambda: _firm("value", kind="CR2").df,
    ),
    _clusters(
        "Grunfeld, by firm, CR2: SE of capital",
        "0.1104676",
        CLUB_SANDWICH,
        lambda: _firm("capital", kind="CR2").std_error,
    ),
    _clusters(
        "Grunfeld, by firm, CR2: Satterthwaite df of capital",
        "2.863485",
        CLUB_SANDWICH,
        lambda: _firm("capital", kind="CR2").df,
    ),
    _clusters("Grunfeld, by firm, HTZ: F of value and capital", "24.94358", CLUB_SANDWICH, lambda: _joint().statistic),
    _clusters("Grunfeld, by firm, HTZ: denominator df", "1.385700", CLUB_SANDWICH, lambda: _joint().df_denominator),
)

CASES = (*LINEAR, *CLUSTERS)
