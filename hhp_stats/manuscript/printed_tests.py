"""Test statistics with their degrees of freedom against their p-values, in sentences and in columns of tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hhp_stats.consistency.printed import PrintedFigure
from hhp_stats.consistency.statcheck import ReportedTest, find_tests
from hhp_stats.consistency.typography import NUMBER, P_SIGN
from hhp_stats.consistency.verdict import Finding
from hhp_stats.manuscript.claim import Claim, Judged, claim, figure, number_in, shown_p
from hhp_stats.manuscript.document import Table
from hhp_stats.manuscript.intervals import error_judged
from hhp_stats.manuscript.table_columns import Columns, p_of

_OUTCOMES: dict[str, Finding] = {
    "consistent": "reproduces",
    "error": "does_not_reproduce",
    "decision_error": "does_not_reproduce",
}
_STATISTIC = re.compile(
    r"(?P<kind>t|z|F|r|\u03c7 ?[2\u00b2]|chi[- ]?squared?)(?:[- ](?:statistic|value|ratio|test))?"
    r" ?(?:[(\[](?P<df>\d+(?:\.\d+)?(?:, ?\d+(?:\.\d+)?)?)[)\]])?",
    re.I,
)
_T_ALONE = re.compile(rf"(?<![\w(])t\s*=\s*(?P<t>{NUMBER})\s*[,;]\s*{P_SIGN}\s*(?P<p>\d?\.\d+)")
_DF = re.compile(r"\d+(?:\.\d+)?(?:, ?\d+(?:\.\d+)?)?")


def tests_in_words(sentence: str) -> Iterator[Claim]:
    """Every "statistic(df) = value, p = value" of a sentence."""
    at = 0
    for test in find_tests(sentence):
        start = sentence.find(test.text, at)
        at = start + len(test.text)
        yield claim(_judged(test), text=test.text, start=start, end=at)
    for found in _T_ALONE.finditer(sentence):
        # Without its df a t still bounds its p.
        exact = PrintedFigure(value=1.0, text="", margin=0.0, bound="none")
        made = error_judged(
            estimate=figure(found["t"]), error=exact, p=(found["sign"], found["p"]), df=None, given="This t gives"
        )
        yield claim(made._replace(kind="test"), text=found[0], start=found.start(), end=found.end())


def tests_in_columns(table: Table, columns: Columns) -> Iterator[Claim]:
    """Every row of a table that has a statistic, its df (in a column or in the heading, as "t(82)") and a p."""
    heads = [
        (at, found) for at, heading in enumerate(table.headings) if (found := _STATISTIC.fullmatch(heading.strip()))
    ]
    if len(heads) != 1:
        return
    at, head = heads[0]
    for number, row in enumerate(table.rows):
        printed, p = number_in(row[at]), p_of(columns.cell(row, "p"))
        df = head["df"] or columns.cell(row, "df").strip()
        kind = "\u03c72" if head["kind"][0].lower() in "c\u03c7" else head["kind"]
        if printed is None or p is None or (kind.lower() != "z" and not _DF.fullmatch(df)):
            continue
        written = f"{kind}({df})" if kind.lower() != "z" else "z"
        for test in find_tests(f"{written} = {printed.text}, p {p[0]} {p[1]}"):
            yield claim(_judged(test), text=row[at], row=number, column=at)


def _judged(test: ReportedTest) -> Judged:
    if test.impossible:
        return Judged("test", "does_not_reproduce", test.impossible)
    reason = f"The statistic and its df give p {shown_p(test.p_low, test.p_high)}."
    if test.outcome != "consistent" and test.one_sided:
        return Judged(
            "test", "another_reading", f"{reason} Half of it fits: right for a one-sided test, which must be said."
        )
    if test.outcome == "decision_error":
        reason += " The two are on different sides of .05."
    return Judged("test", _OUTCOMES[test.outcome], reason)
