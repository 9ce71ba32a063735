"""Does a printed test statistic give the reported p-value? Reads "t(28) = 2.20, p = .03" in running text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from hhp_stats.consistency.printed import PrintedFigure, printed_figure
from hhp_stats.consistency.typography import P_SIGN, plain
from hhp_stats.errors import InvalidInput
from hhp_stats.tails import chi2_tail, f_tail, normal_tail, student_tail

Outcome = Literal["consistent", "error", "decision_error"]

_VALUE = r"([+-]?\s*(?:\d[\d,]*\.?\d*|\.\d+))"
_TEST = re.compile(
    r"(?P<kind>\bt|\bF|\br|\bz|\bQ|χ2|χ²|\bchi2|\bchi-?square[d]?|X2)\s*"
    r"(?:[\(\[]\s*(?P<df1>\d+(?:\.\d+)?)\s*(?:,\s*(?:N\s*=\s*)?(?P<df2>\d[\d,]*(?:\.\d+)?))?\s*[\)\]])?\s*"
    rf"=\s*(?P<statistic>{_VALUE[1:-1]})\s*[,;]\s*"
    rf"(?:{P_SIGN}\s*(?P<p>\d?\.\d+|[01]\b(?!\.\d))|(?P<ns>n\.?s\.?))",
    re.IGNORECASE,
)


_NEEDED = {"t": 1, "r": 1, "chi2": 1, "F": 2, "z": 0}  # how many degrees of freedom the p of each test needs
# Whether p in [low, high] can meet a printed bound.
_BOUNDS: Mapping[str, Callable[[float, float, float], bool]] = {
    "<": lambda low, high, bound: low < bound,
    "<=": lambda low, high, bound: low <= bound,
    ">": lambda low, high, bound: high > bound,
    ">=": lambda low, high, bound: high >= bound,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedTest:
    """One test found in text, its p-value recomputed, and the verdict."""

    text: str
    kind: str  # "t", "F", "r", "z", "chi2"
    df1: float
    df2: float
    statistic: PrintedFigure
    sign: str  # how p is printed: "=", "<", "<=", ">", ">=" or "ns"
    printed_p: PrintedFigure | None
    p_value: float  # two-sided, from the statistic as printed
    p_low: float  # over the rounding of the statistic
    p_high: float
    outcome: Outcome
    one_sided: bool  # is the printed p right for a one-sided test?
    impossible: str = ""  # why no test can have this statistic or these degrees of freedom


def p_from_statistic(*, kind: str, statistic: float, df1: float = math.nan, df2: float = math.nan) -> float:
    """Two-sided p-value of t(df), r(df), z, or the upper tail of F(df1, df2) and chi-squared(df).

    r is tested through t = r sqrt(df / (1 - r^2)). Refuses unknown kinds, missing or non-positive degrees
    of freedom, |r| > 1 and a negative F or chi-squared (InvalidInput).
    """
    if kind not in _NEEDED:
        raise InvalidInput(f"no test {kind!r}")
    for df in (df1, df2)[: _NEEDED[kind]]:
        if not df > 0:
            raise InvalidInput(f"{kind} needs positive degrees of freedom, not {df}")
    if kind == "z":
        return 2 * normal_tail(abs(statistic))
    if kind == "t":
        return float(2 * student_tail(abs(statistic), df1))
    if kind == "r":
        if abs(statistic) > 1:
            raise InvalidInput(f"a correlation of {statistic} does not exist")
        if abs(statistic) == 1:
            return 0.0
        return float(2 * student_tail(abs(statistic) * math.sqrt(df1 / (1 - statistic**2)), df1))
    if statistic < 0:
        raise InvalidInput(f"{kind} cannot be negative")
    return f_tail(statistic, df1, df2) if kind == "F" else chi2_tail(statistic, df1)


def find_tests(text: str, *, alpha: float = 0.05) -> list[ReportedTest]:
    """Which tests does a text report, and do their p-values follow from their statistics?

    For each "statistic(df) = value, p = value": p over the rounding of the statistic, against the rounding of
    the reported p. "error" where they do not meet; "decision_error" where besides one is significant at
    `alpha` and the other is not; a printed bound (p < .05) is wrong only where it cannot hold. Tests are
    taken as two-sided; signs, spaces and letters are read as typesetters write them (`typography.plain`); `one_sided`
    says whether half the p would fit, which is for the reader to judge. A statistic that no test can have (a
    correlation above 1, a negative F, no degrees of freedom) is an "error" that says so under `impossible`. Text that
    does not follow the pattern, and a statistic without the degrees of freedom that its p needs, is not found: finding
    nothing is no proof of consistency.

    Source: Nuijten, Hartgerink, van Assen, Epskamp and Wicherts (2016), Behavior Research Methods 48,
    1205-1226.
    """
    return [
        _check(match, kind, df, alpha)
        for match in _TEST.finditer(plain(text))
        for kind in [_kind(match["kind"])]
        for df in [_degrees(kind, match["df1"], match["df2"])]
        if not any(math.isnan(one) for one in df[: _NEEDED[kind]])
    ]


def _check(match: re.Match[str], kind: str, df: tuple[float, float], alpha: float) -> ReportedTest:
    df1, df2 = df
    raw = match["statistic"].replace(" ", "")
    statistic = printed_figure(value=float(raw.replace(",", "")), text=raw)
    sign = "ns" if match["ns"] else match["sign"]
    printed = None if sign == "ns" else printed_figure(value=float(match["p"]), text=match["p"])
    test = partial(
        ReportedTest,
        text=match[0],
        kind=kind,
        df1=df1,
        df2=df2,
        statistic=statistic,
        sign=sign,
        printed_p=printed,
    )
    try:
        p = p_from_statistic(kind=kind, statistic=statistic.value, df1=df1, df2=df2)
    except InvalidInput as error:
        said = str(error)
        return test(
            p_value=math.nan,
            p_low=math.nan,
            p_high=math.nan,
            outcome="error",
            one_sided=False,
            impossible=f"{said[:1].upper()}{said[1:]}.",
        )
    size = abs(statistic.value)
    ends = [max(size - statistic.margin, 0.0), size + statistic.margin]
    if kind == "r":
        ends = [min(end, 1.0) for end in ends]
    low, high = sorted(p_from_statistic(kind=kind, statistic=end, df1=df1, df2=df2) for end in ends)
    fits = _fits(sign, printed, low, high, alpha)
    halved = _fits(sign, printed, low / 2, high / 2, alpha)
    outcome: Outcome = "consistent" if fits else "error"
    claimed = _claims_significance(sign, printed, alpha)
    if not fits and claimed is not None and claimed != (p < alpha):
        outcome = "decision_error"
    return test(
        p_value=p,
        p_low=low,
        p_high=high,
        outcome=outcome,
        one_sided=not fits and halved and kind in ("t", "z", "r"),
    )


def _degrees(kind: str, first: str | None, second: str | None) -> tuple[float, float]:
    if kind in ("t", "r") and first and second and len(second) == 3:  # t(1,234): a thousands comma, not two numbers
        first, second = first + second, None
    one, two = (float(part.replace(",", "")) if part else math.nan for part in (first, second))
    return one, two


def _fits(sign: str, printed: PrintedFigure | None, low: float, high: float, alpha: float) -> bool:
    if printed is None:
        return high >= alpha
    if sign in _BOUNDS:
        return _BOUNDS[sign](low, high, printed.value)
    return printed.agrees(low, high)


def _claims_significance(sign: str, printed: PrintedFigure | None, alpha: float) -> bool | None:
    """What the reported p says about significance; None where it says nothing (p < .10, p > .01)."""
    if printed is None:
        return False
    if sign in ("<", "<="):
        return True if printed.value <= alpha else None
    if sign in (">", ">="):
        return False if printed.value >= alpha else None
    return printed.value < alpha


def _kind(token: str) -> str:
    if token.lower().startswith(("chi", "x", "χ")) or token == "Q":
        return "chi2"
    return "F" if token in ("F", "f") else token.lower()
