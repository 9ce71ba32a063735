"""Do the numbers printed on a rendered page agree with each other? As a careful reader with a calculator would ask.

Checked are tables of estimates (interval against estimate, p against both and df), shares beside their counts, the same
in sentences, and test statistics in running text. What follows no known pattern is not found, so silence is no
proof; what is printed wrongly in a known pattern is found.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from pathlib import Path

from hhp_stats import tails
from hhp_stats.consistency import printed, statcheck, typography
from hhp_stats.consistency.printed import Printed, p_fits, p_range, share_fits
from hhp_stats.consistency.statcheck import find_tests
from hhp_stats.consistency.typography import BETWEEN, NUMBER, P_SIGN, plain
from hhp_stats.errors import SelfCheckFailed
from hhp_stats.files.remember import Remember, code_of, make_again
from hhp_stats.publish import well_formed
from hhp_stats.publish.checks import page_text
from hhp_stats.publish.checks.page_text import PageTable, read_page

# Degrees of freedom granted where none are printed. Those of pooled imputations and of few clusters may be fewer than
# one; at so few the interval has no ends (`infer.pooling.FARTHEST`). An interval leaves out zero where p is below its
# level whatever the df, so this check of words against numbers stands; the digits of p are held against its row by
# `mark_check`.
FEWEST = 0.06
# Rows whose label says that interval or p come from resampling or another rule: see `self_check.EXEMPT`.
OTHER_RULE = re.compile(
    r"bootstrap|randomisation|re-?randomis|fieller|bounds?\b|worst|lee|correlation|rho|icc|"
    r"intraclass|ratio|profile|end-points",
    re.I,
)
# A cell that names a coefficient of a scale: its interval is that of a ratio of variances.
OF_A_SCALE = re.compile(r"\b(?:alpha|omega|spearman|kappa)\b", re.I)
_END = rf"(?:{NUMBER}|[+-]?\u221e)"
_INTERVAL = re.compile(rf"[\[(]?({_END}){BETWEEN}({_END})[\])]?")
_LEVEL = r"(\d+(?:\.\d+)?)% ?(?:CI|confidence interval)"
_EVIDENCE = re.compile(
    rf"{_LEVEL}[ :=,]{{0,3}}[\[(]?({NUMBER}){BETWEEN}({NUMBER})[\])]?[^,;()\d]{{0,20}}[,;)]+ ?\(?{P_SIGN} ?(\d?\.\d+)",
    re.I,
)
_OF_SHARE = re.compile(
    r"(?<![\d,.])(\d[\d,]*) of (?:the |all )?(\d[\d,]*)(?: [^\d.;()]{0,60})?(?:[(\[]| is )(\d+(?:\.\d+)?)%"
)
_COUNT_SHARE = re.compile(r"(\d[\d,]*) ?[(\[](\d+(?:\.\d+)?)%[)\]]")
_COUNT = re.compile(r"\d{1,3}(?:,\d{3})*|\d+")
_P = re.compile(r"(?:p ?)?(<=|>=|[<>=]?) ?(\d?\.\d+)", re.I)
_P_HEADING = re.compile(r"p(?:[ -]values?)?", re.I)
_CONF = re.compile(_LEVEL, re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCheck:
    """How much was checked on the pages of a folder; nothing disagreed, or `check_pages` would have raised."""

    pages: int
    estimates: int  # lines of tables with an interval
    shares: int
    sentences: int
    marks: int = 0  # numbers held against the results they name (`mark_check`)


def check_pages(
    folder: Path, *, quoted: Sequence[str] = (), exempt: Collection[str] = (), remember: Remember = make_again
) -> PageCheck:
    """Do the printed numbers of every page below `folder` agree with each other, within rounding?

    `quoted` names pages that repeat contradictory figures of others on purpose; they are left out. `exempt` are results
    whose interval or p follows another rule than estimate, standard error and df, whatever a plan calls them.
    `remember` may keep what was found on a page, for as long as the page and these checks stay the same.
    Refuses (SelfCheckFailed, naming page and text) any disagreement, and a folder without pages.
    """
    files = [file for file in sorted(folder.glob("*.html")) if file.name not in quoted]
    if not files:
        raise SelfCheckFailed(f"{folder} holds no page to check", [])
    found: list[str] = []
    others = sorted(exempt)
    counts = {"estimates": 0, "shares": 0, "sentences": 0}
    checks = code_of(sys.modules[__name__], page_text, printed, statcheck, tails, typography, well_formed)
    for file in files:
        text = file.read_text(encoding="utf-8")
        made: list[tuple[str, str]] = json.loads(
            remember(["page check", checks, text, *others], partial(_checked, text, others))
        )
        for kind, problem in made:
            counts[kind] += 1
            if problem:
                found.append(f"{file.name}: {problem}")
    if found:
        raise SelfCheckFailed("the rendered pages contradict themselves", found)
    return PageCheck(pages=len(files), **counts)


def _checked(text: str, exempt: Sequence[str]) -> str:
    page = read_page(text)
    return json.dumps(list(_page_problems(page.paragraphs, page.tables, frozenset(exempt))))


def _page_problems(
    paragraphs: Sequence[str], tables: Sequence[PageTable], exempt: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """Every check made, as (kind, problem or "")."""
    for table in tables:
        yield from (("estimates", problem) for problem in table_estimates(table, exempt))
        yield from (("shares", problem) for problem in table_shares(table))
    for paragraph in paragraphs:
        yield from (("shares", problem) for problem in sentence_shares(paragraph))
        yield from (("sentences", problem) for problem in sentence_tests(paragraph))


def table_estimates(table: PageTable, exempt: frozenset[str] = frozenset()) -> Iterator[str]:
    """Lines with estimate, interval and p: is the estimate in the middle, and does p follow from the three?

    The standard error is half the interval over the quantile of t. Without a column df any df from `FEWEST` up is
    granted. Lines with numbers of an `exempt` result are left out.
    """
    table = _plainly(table)
    columns = {name: place for place, name in enumerate(table.headings)}
    reach = next((name for name in columns if _CONF.fullmatch(name)), "")
    middle = next((name for name in ("Difference", "Effect", "Estimate") if name in columns), "")
    if not reach or not middle:
        return
    level = float(reach.split("%")[0]) / 100
    p_column = next((place for name, place in columns.items() if _P_HEADING.fullmatch(name)), None)
    for row, named in zip(table.rows, table.results or repeat(frozenset()), strict=False):
        if len(row) != len(table.headings) or OTHER_RULE.search(row[0]) or any(map(OF_A_SCALE.search, row)):
            continue
        if named & exempt:
            continue
        interval, estimate = _INTERVAL.fullmatch(row[columns[reach]]), _printed(row[columns[middle]])
        ends = [_printed(interval[1]), _printed(interval[2])] if interval else []
        low, high = ends if len(ends) == 2 else (None, None)
        if low is None or high is None or estimate is None:
            continue
        where = f"{row[0]}: {row[columns[middle]]} ({row[columns[reach]]})"
        room = estimate.margin + (low.margin + high.margin) / 2 + 1e-9
        if abs((low.value + high.value) / 2 - estimate.value) > room:
            yield f"{where}: the estimate is not in the middle of its interval"
            continue
        freedom = _freedom(row[columns["df"]]) if "df" in columns else (FEWEST, math.inf)
        p = None if p_column is None else _P.fullmatch(row[p_column])
        if p is None or freedom is None:
            yield ""
            continue
        least, most = p_range(estimate=estimate, low=low, high=high, level=level, freedom=freedom)
        yield (
            ""
            if p_fits(p[1], p[2], least, most)
            else (f"{where}: p {p[0]} is printed, the others give {least:.3f} to {most:.3f}")
        )


def table_shares(table: PageTable) -> Iterator[str]:
    """Shares beside counts: columns People, Of, Share; and cells "130 (22.6%)" with their total in the same row."""
    table = _plainly(table)
    columns = {name: place for place, name in enumerate(table.headings)}
    for row in table.rows:
        if len(row) != len(table.headings):
            continue
        if {"People", "Of", "Share"} <= set(columns):
            part, whole, share = (row[columns[name]] for name in ("People", "Of", "Share"))
            if _COUNT.fullmatch(part) and _COUNT.fullmatch(whole) and share.endswith("%"):
                agree = share_fits(_whole(part), _whole(whole), share.removesuffix("%"))
                yield "" if agree else f"{row[0]}: {part} of {whole} is printed as {share}"
        totals = [cell for cell in row[1:] if _COUNT.fullmatch(cell)]
        for cell in row[1:]:
            found = _COUNT_SHARE.fullmatch(cell)
            whole_cells = [total for total in totals if found and _whole(total) >= _whole(found[1])]
            if found and whole_cells:
                agree = any(share_fits(_whole(found[1]), _whole(total), found[2]) for total in whole_cells)
                yield "" if agree else f"{row[0]}: {cell} is no share of {' or '.join(whole_cells)}"


def sentence_shares(text: str) -> Iterator[str]:
    """ "128 of the 641 treated staff (20.0%)"."""
    for found in _OF_SHARE.finditer(plain(text)):
        agree = share_fits(_whole(found[1]), _whole(found[2]), found[3])
        yield (
            ""
            if agree
            else f"{found[0]}%: {found[1]} of {found[2]} is {100 * _whole(found[1]) / _whole(found[2]):.2f}%"
        )


def sentence_tests(text: str) -> Iterator[str]:
    """ "95% CI a to b, p = .03": does the interval leave out zero where p is below .05? And t(28) = 2.20, p = .04."""
    for test in find_tests(text):
        yield "" if test.outcome == "consistent" else f"{test.text}: its p is {test.p_low:.3f} to {test.p_high:.3f}"
    for sentence in re.split(r"(?<=[.!?:]) (?=[A-Z])", plain(text)):
        if OTHER_RULE.search(sentence):
            continue
        for found in _EVIDENCE.finditer(sentence):
            low, high = _printed(found[2]), _printed(found[3])
            if low is None or high is None:
                continue
            half = Printed(value=(low.value + high.value) / 2, margin=(low.margin + high.margin) / 2)
            least, most = p_range(
                estimate=half, low=low, high=high, level=float(found[1]) / 100, freedom=(FEWEST, math.inf)
            )
            yield (
                ""
                if p_fits(found["sign"], found[5], least, most)
                else f"{found[0]}: the interval gives p {least:.3f} to {most:.3f}"
            )


def _plainly(table: PageTable) -> PageTable:
    """The table with its numbers as the checks read them."""
    return PageTable(
        headings=[plain(heading) for heading in table.headings],
        rows=[[plain(cell).strip() for cell in row] for row in table.rows],
        results=table.results,
    )


def _freedom(cell: str) -> tuple[float, float] | None:
    """The df of a cell with its rounding; "normal" and "> 1,000" as the presenters write them."""
    if cell == "normal":
        return math.inf, math.inf
    if cell.startswith(">"):
        return _whole(cell.removeprefix(">").strip()), math.inf
    printed = _printed(cell)
    return None if printed is None else (max(printed.value - printed.margin, FEWEST), printed.value + printed.margin)


def _printed(cell: str) -> Printed | None:
    if not re.fullmatch(NUMBER, cell):
        return None
    text = cell.replace(",", "")
    decimals = len(text.split(".")[1]) if "." in text else 0
    return Printed(value=float(text), margin=0.5 * 10.0**-decimals)


def _whole(text: str) -> float:
    return float(text.replace(",", ""))
