"""One figure or statement of a manuscript that others determine, and what they say of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from hhp_stats.consistency.printed import PrintedFigure, printed_figure
from hhp_stats.consistency.typography import BETWEEN, NUMBER, P_SIGN
from hhp_stats.consistency.verdict import Finding

Kind = Literal[
    "test", "interval", "p", "share", "sum", "difference", "arms", "direction", "significance", "scale", "word"
]

KINDS: Mapping[Kind, str] = {
    "test": "test statistic, df and p",
    "interval": "estimate and interval",
    "p": "p against estimate and its error",
    "share": "share against counts",
    "sum": "sum of a table",
    "difference": "difference of two figures",
    "arms": "p against two arms",
    "direction": "direction in words",
    "significance": "significance in words",
    "scale": "mean and spread on a scale",
    "word": "fraction in words",
}
# The fewest degrees of freedom granted where none are printed: trials with fewer print them.
FEWEST_DF = 4.0
# Rules by which interval or p need not follow from estimate and standard error.
OTHER_RULE = re.compile(
    r"bootstrap|randomi[sz]ation (?:test|inference)|permutation|re-?randomi[sz]|fieller|bounds?\b|profile|exact\b|"
    r"firth|penali[sz]ed|bayes|credible|credibility|posterior|wilcoxon|mann|intraclass|\bICCs?\b|correlation|"
    r"\brho\b|kappa|alpha|omega|kruskal|median|quartile|range",
    re.I,
)
RATIO = re.compile(
    r"\b(?:odds|hazards?|risk|rate|incidence rate|prevalence)[ -]ratios?\b|\b(?:a?OR|a?HR|RR|IRR|PR)\b|\brelative risk",
    re.I,
)
ENDS = BETWEEN.removesuffix(")") + r"| and | ?- ?)"
SIGNIFICANT = 0.05
# A printed p with its sign; some write "p = <.01".
P_PRINTED = re.compile(rf"{P_SIGN}\s*(?P<bound>[<>])?\s*(?P<p>\d?\.\d+)", re.I)
SPREAD = re.compile(rf"\b(?P<kind>S\.?D\.?|S\.?E\.?M?\.?)\s*=?\s*(?P<spread>{NUMBER})", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """`start` and `end` are places in the paragraph's text; in a table `row` and `column` name the cell."""

    kind: Kind
    finding: Finding
    text: str
    reason: str
    start: int = 0
    end: int = 0
    row: int = -1
    column: int = -1


class Judged(NamedTuple):
    """What was found of a claim, before it has its place."""

    kind: Kind
    finding: Finding
    reason: str


def claim(judged: Judged, *, text: str, start: int = 0, end: int = 0, row: int = -1, column: int = -1) -> Claim:
    """The claim at its place."""
    return Claim(
        kind=judged.kind,
        finding=judged.finding,
        reason=judged.reason,
        text=text,
        start=start,
        end=end,
        row=row,
        column=column,
    )


def figure(text: str) -> PrintedFigure:
    """A printed number with its rounding. `text` is a number as `typography.plain` writes it."""
    said = text.replace(" ", "")
    return printed_figure(value=float(said.replace(",", "").rstrip("%")), text=said)


def number_in(cell: str) -> PrintedFigure | None:
    """The number of a cell that holds one, stars of significance and a per cent sign beside it; None for another."""
    found = re.fullmatch(rf"({NUMBER})\s*%?\s*(?:\*+|[a-z\u2020\u2021])?", cell.strip())
    return figure(found[1]) if found else None


def shown(value: float) -> str:
    """A recomputed number to four digits, p-values to three decimals."""
    return f"{value:.4g}"


def shown_p(low: float, high: float) -> str:
    """The range of p that rounding leaves."""
    ends = [f"{end:.3f}" if end >= 0.0005 else "< .001" for end in (low, high)]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def is_deviation(kind: str) -> bool:
    """Is a printed spread called a standard deviation, and no standard error?"""
    return kind.replace(".", "").upper() == "SD"
