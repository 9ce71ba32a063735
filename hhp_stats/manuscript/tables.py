"""The figures of a table against each other: estimates with intervals and p, arms beside each other, shares, sums."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

import numpy as np
from scipy import stats

from hhp_stats.consistency.printed import PrintedFigure, p_fits
from hhp_stats.consistency.typography import NUMBER
from hhp_stats.estimate.two_sample import ArmSummary, welch_p_range
from hhp_stats.manuscript.claim import ENDS, OTHER_RULE, Claim, Judged, claim, figure, number_in, shown, shown_p
from hhp_stats.manuscript.document import Table
from hhp_stats.manuscript.intervals import LEVEL, error_judged, judged
from hhp_stats.manuscript.printed_tests import tests_in_columns
from hhp_stats.manuscript.scales import scale_in, scale_in_caption, scale_in_label, scale_judged
from hhp_stats.manuscript.shares import share_judged
from hhp_stats.manuscript.table_columns import (
    GROUP_N,
    Columns,
    columns_of,
    count_columns,
    count_in,
    p_of,
    relation_claims,
)

_TOTAL = re.compile(r"(?:grand |sub-?)?(?:totals?|sum)\b", re.I)
_ENDS = re.compile(rf"[(\[]?({NUMBER})%?{ENDS}({NUMBER})%?[)\]]?")
_WITH_ENDS = re.compile(rf"({NUMBER})%?\*{{0,3}} ?[(\[](?:{LEVEL}[:,]? ?)?({NUMBER})%?{ENDS}({NUMBER})%?[)\]]")
_WITH_ONE = re.compile(rf"({NUMBER})\*{{0,3}} ?[(\[]({NUMBER})[)\]]")
_N_ROW = re.compile(r"(?:n|number(?: of (?:people|participants))?|participants|people|sample size)", re.I)
_SHARE_CELL = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+) ?[(\[](\d+(?:\.\d+)?)%?[)\]]")
_SHARES_MEANT = re.compile(r"%|per ?cent", re.I)
_MEAN_MEANT = re.compile(r"\b(?:m|mean)\b[^|]{0,12}\b(?:s\.?d\.?|standard deviation)", re.I)
_MISSING_MEANT = re.compile(r"missing|available|varies|vary|not all|incomplete|non-?response", re.I)


def table_claims(table: Table) -> Iterator[Claim]:
    """Everything in a table that its other cells determine."""
    columns = columns_of(table)
    yield from _estimates(table, columns)
    yield from tests_in_columns(table, columns)
    yield from _spreads(table, columns)
    yield from _groups(table, columns)
    yield from _totals(table)
    yield from relation_claims(table)


def _estimates(table: Table, columns: Columns) -> Iterator[Claim]:
    """Rows with an estimate and its interval, or its standard error and p."""
    at = columns.role.get("estimate", columns.role.get("interval", -1))
    if at < 0:
        return
    heading = table.headings[at]
    for number, row in enumerate(table.rows):
        cell = row[at].strip()
        estimate, ends = number_in(cell), None
        combined = _WITH_ENDS.fullmatch(cell)
        beside = _WITH_ONE.fullmatch(cell)
        if combined:
            estimate, ends = figure(combined[1]), (figure(combined[3]), figure(combined[4]))
        elif (found := _ENDS.fullmatch(columns.cell(row, "interval").strip())) and columns.role.get("interval") != at:
            ends = figure(found[1]), figure(found[2])
        elif {"low", "high"} <= set(columns.role):
            low, high = (number_in(columns.cell(row, name)) for name in ("low", "high"))
            ends = (low, high) if low and high else None
        error = number_in(columns.cell(row, "error"))
        if beside and re.search(r"\bS\.?E\.?|standard error", heading, re.I):
            estimate, error = figure(beside[1]), figure(beside[2])
        if estimate is None:
            continue
        p = p_of(columns.cell(row, "p"))
        df = number_in(columns.cell(row, "df"))
        said = " ".join((row[0], table.caption, table.note, *table.headings))
        made: Judged | None = None
        if ends is not None:
            level = re.search(LEVEL, " ".join((*table.headings, cell, table.caption, table.note)), re.I)
            made = judged(
                estimate=estimate,
                low=ends[0],
                high=ends[1],
                level=float(level["level"]) / 100 if level else 0.95,
                p=p,
                df=df.value if df and df.value > 0 else None,
                ratio=columns.ratio,
                other_rule=OTHER_RULE.search(f"{row[0]} {heading}") is not None
                or (OTHER_RULE.search(said) is not None and p is None),
            )
        elif error is not None and error.value > 0 and p is not None and not columns.ratio:
            made = error_judged(
                estimate=estimate,
                error=error,
                p=p,
                df=df.value if df and df.value > 0 else None,
                other_rule=OTHER_RULE.search(row[0]) is not None,
            )
        if made is not None:
            yield claim(made, text=cell, row=number, column=at)
        yield from _statistic(columns, row, number, estimate, error)


def _statistic(
    columns: Columns, row: Sequence[str], number: int, estimate: PrintedFigure, error: PrintedFigure | None
) -> Iterator[Claim]:
    """t = estimate / standard error."""
    printed = number_in(columns.cell(row, "statistic"))
    if printed is None or error is None or error.value <= 0 or columns.ratio:
        return
    sizes = (max(0.0, abs(estimate.value) - estimate.margin), abs(estimate.value) + estimate.margin)
    low, high = sizes[0] / (error.value + error.margin), sizes[1] / max(error.value - error.margin, 1e-12)
    size = abs(printed.value)
    fits = low <= size + printed.margin + 1e-9 and size - printed.margin - 1e-9 <= high
    reason = f"Estimate over standard error is {shown(low)} to {shown(high)}, printed {printed.text}."
    made = Judged("test", "reproduces" if fits else "does_not_reproduce", reason)
    yield claim(made, text=printed.text, row=number, column=columns.role["statistic"])


def _spreads(table: Table, columns: Columns) -> Iterator[Claim]:
    """Standard error = SD / sqrt(n); means and spreads on the scale that the caption or note names."""
    ends = scale_in_caption(f"{table.caption}. {table.note}")
    for number, row in enumerate(table.rows):
        n = count_in(columns.cell(row, "n"))
        sd, error, mean = (number_in(columns.cell(row, name)) for name in ("sd", "error", "mean"))
        if n and n > 1 and sd and error and sd.value > 0 and "estimate" not in columns.role:
            root = math.sqrt(n)
            low, high = (sd.value - sd.margin) / root, (sd.value + sd.margin) / root
            fits = low <= error.high + 1e-9 and error.low - 1e-9 <= high
            reason = f"{sd.text} over the root of {n:,} is {shown(sd.value / root)}, printed {error.text}."
            made = Judged("scale", "reproduces" if fits else "does_not_reproduce", reason)
            yield claim(made, text=error.text, row=number, column=columns.role["error"])
        own = scale_in(row[0]) or scale_in_label(row[0]) or ends
        if mean and own:
            yield claim(scale_judged(mean, sd, n or 0, *own), text=mean.text, row=number, column=columns.role["mean"])


def _groups(table: Table, columns: Columns) -> Iterator[Claim]:
    """Columns of groups whose n stands in the heading or in a row: counts with shares, and two arms against a p."""
    sizes = _group_sizes(table)
    arms = [at for at in sizes if not re.match(r"(?:total|all|overall)\b", table.headings[at], re.I)]
    missing = _MISSING_MEANT.search(f"{table.caption} {table.note}") is not None
    ends = scale_in_caption(f"{table.caption}. {table.note}")
    for number, row in enumerate(table.rows):
        shares, means = {}, {}
        for at, n in sizes.items():
            cell = row[at].strip()
            counted = _SHARE_CELL.fullmatch(cell)
            pair = _WITH_ONE.fullmatch(cell)
            meant = "%" in cell or _SHARES_MEANT.search(f"{row[0]} {table.headings[at]}")
            if counted and meant:
                made = share_judged(int(counted[1].replace(",", "")), n, counted[2])
                if made.finding == "does_not_reproduce" and missing:
                    made = Judged("share", "another_reading", f"{made.reason} Some answers are said to be missing.")
                shares[at] = int(counted[1].replace(",", ""))
                yield claim(made, text=cell, row=number, column=at)
            elif pair and _MEAN_MEANT.search(f"{row[0]} {table.headings[at]} {table.caption} {table.note}"):
                means[at] = (figure(pair[1]), figure(pair[2]))
                if own := scale_in(row[0]) or scale_in_label(row[0]) or ends:
                    # Not all may have answered: the steps that n answers allow say nothing here.
                    yield claim(scale_judged(*means[at], 0, *own), text=cell, row=number, column=at)
        p = p_of(columns.cell(row, "p"))
        if p is not None and len(arms) == 2:
            column = columns.role["p"]
            first, second = arms
            if set(means) >= set(arms):
                made = _means_judged(means[first], sizes[first], means[second], sizes[second], p)
                yield claim(made, text=row[column], row=number, column=column)
            elif set(shares) >= set(arms):
                made = _shares_judged(shares[first], sizes[first], shares[second], sizes[second], p)
                yield claim(made, text=row[column], row=number, column=column)


def _group_sizes(table: Table) -> dict[int, int]:
    sizes = {
        at: int(found[1].replace(",", ""))
        for at, heading in enumerate(table.headings)
        if at and (found := GROUP_N.search(heading))
    }
    if not sizes:
        row = next((row for row in table.rows if _N_ROW.fullmatch(row[0].strip())), None)
        if row is not None:
            sizes = {at: n for at in range(1, len(row)) if (n := count_in(row[at]))}
    return {at: n for at, n in sizes.items() if n > 1}


def _means_judged(
    first: tuple[PrintedFigure, PrintedFigure],
    n: int,
    second: tuple[PrintedFigure, PrintedFigure],
    m: int,
    p: tuple[str, str],
) -> Judged:
    arms = [
        ArmSummary(
            mean=mean.value,
            std_error=max(sd.value, sd.margin) / math.sqrt(size),
            n=size,
            mean_margin=mean.margin,
            std_error_margin=sd.margin / math.sqrt(size),
        )
        for (mean, sd), size in ((first, n), (second, m))
    ]
    reach = welch_p_range(*arms)
    fits = p_fits(*p, reach.low, reach.high)
    reason = f"Welch's test of the two columns gives p {shown_p(reach.low, reach.high)}, printed p {p[0]} {p[1]}."
    if fits:
        return Judged("arms", "reproduces", reason)
    return Judged(
        "arms", "does_not_reproduce", f"{reason} An adjusted model may give another p; then it must be named."
    )


def _shares_judged(a: int, n: int, b: int, m: int, p: tuple[str, str]) -> Judged:
    """Chi-squared with and without correction, and Fisher's test: one of the three must give the p of a line.

    A p of several categories stands beside the first of them, so that a line alone can only confirm it.
    """
    table = np.array([[a, n - a], [b, m - b]])
    if (table < 0).any() or not table.sum(axis=0).all():
        return Judged("arms", "not_checkable", "The counts leave nothing to test.")
    tests = {
        "chi-squared": float(stats.chi2_contingency(table, correction=False).pvalue),
        "with correction": float(stats.chi2_contingency(table, correction=True).pvalue),
        "Fisher": float(stats.fisher_exact(table).pvalue),
    }
    reason = (
        "; ".join(f"{name} p {shown_p(value, value)}" for name, value in tests.items()) + f"; printed p {p[0]} {p[1]}."
    )
    if any(p_fits(*p, value, value) for value in tests.values()):
        return Judged("arms", "reproduces", reason)
    return Judged(
        "arms", "not_checkable", f"{reason} It may be that of all categories together, or of an adjusted model."
    )


def _totals(table: Table) -> Iterator[Claim]:
    """A row called total against the rows above it: those since the last total, all that are none, or the subtotals."""
    totals = [at for at, row in enumerate(table.rows) if _TOTAL.match(row[0].strip())]
    for column in count_columns(table):
        parts: list[int] = []
        since: list[int] = []
        subtotals: list[int] = []
        for at, row in enumerate(table.rows):
            value = count_in(row[column])
            if at not in totals:
                if value is not None:
                    parts.append(value)
                    since.append(value)
                continue
            if value is not None and len(parts) > 1:
                sums = {sum(since), sum(parts), sum(subtotals)}
                made = Judged(
                    "sum",
                    "reproduces" if value in sums else "does_not_reproduce",
                    f"The rows above add up to {sum(since) or sum(parts):,}, printed {value:,}.",
                )
                yield claim(made, text=row[column], row=at, column=column)
                subtotals.append(value)
            since = []
