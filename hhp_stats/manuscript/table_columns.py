"""What the columns of a table hold, told by their headings, and the relations that most of its rows follow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from hhp_stats.consistency.printed import PrintedFigure
from hhp_stats.manuscript.claim import RATIO, Claim, Judged, claim, number_in, shown
from hhp_stats.manuscript.document import Table
from hhp_stats.manuscript.intervals import LEVEL
from hhp_stats.manuscript.shares import share_judged

_ROLES: Mapping[str, re.Pattern[str]] = {
    "p": re.compile(r"(?:p|p[- ]?values?|sig\.?|significance|pr ?\(>\|?t\|?\))", re.I),
    "error": re.compile(
        r"(?:robust |clustered |cluster-robust )?(?:s\.?e\.?|std\.? ?err(?:or)?\.?|standard errors?)", re.I
    ),
    "statistic": re.compile(r"(?:t|z|t[- ](?:statistic|value|ratio)|wald z)", re.I),
    "df": re.compile(r"(?:df|d\.f\.|degrees of freedom)", re.I),
    "low": re.compile(rf"(?:{LEVEL} )?(?:low(?:er)?(?: (?:limit|bound|end))?|lcl|ll|2\.5 ?%)", re.I),
    "high": re.compile(rf"(?:{LEVEL} )?(?:high(?:er)?|upper(?: (?:limit|bound|end))?|ucl|ul|97\.5 ?%)", re.I),
    "sd": re.compile(r"(?:s\.?d\.?|std\.? ?dev(?:iation)?\.?|standard deviation)", re.I),
    "n": re.compile(r"(?:n|people|participants|respondents|sample(?: size)?|obs(?:ervations)?\.?|number)", re.I),
    "mean": re.compile(r"(?:m|mean|average|mean score)", re.I),
    "interval": re.compile(rf"[(\[]?{LEVEL}[)\]]?", re.I),
    "estimate": re.compile(
        r"(?:(?:mean|adjusted|unadjusted|estimated|average|treatment|raw)"
        r" )*(?:differences?|effects?|estimates?|coefficients?|coef\.?|"
        r"b|\u03b2|beta|odds ratio|a?or|hazard ratio|a?hr|risk ratio|rr|rate ratio|irr|cohen's d|hedges'"
        r" g|d|g|slope|change)"
        rf"(?: ?[(\[](?:{LEVEL}|SE|s\.e\.|standard error)[)\]])?",
        re.I,
    ),
}
_MEAN_LIKE = re.compile(
    r"\b(?:means?|medians?|averages?|rates?|per|sd|se|age|years?|score|index|ratio|p|df|estimate|coefficient|"
    r"difference|effect|"
    r"range|min|max|icc|cost per|rank)\b",
    re.I,
)
_APART = re.compile(r"\bdifference|\bgap\b|\bchange\b", re.I)
_STANDARDISED = re.compile(
    r"\bstd\b|\bstandardi[sz]ed|\bSMD\b|\bin SDs?\b", re.I
)  # differences over a standard deviation
_PER_CENT = re.compile(r"%|\bper ?cent|\bpercentage|\bshare\b|\brate\b|\bproportion", re.I)
_COUNT = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)(?: ?[(\[]\d+(?:\.\d+)?%?[)\]])?")
_WITH_SHARE = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d+) ?[(\[](\d+(?:\.\d+)?)%?[)\]]")
GROUP_N = re.compile(r"\bn ?= ?(\d[\d,]*)", re.I)
_P = re.compile(r"(?:p ?)?(<=|>=|[<>=]?) ?(\d?\.\d+)\*{0,3}", re.I)
_WHOLE = re.compile(r"(?:grand )?(?:totals?|all|overall|everyone|n)\b", re.I)
_FOLLOWED = 0.5  # share of the rows that must follow a relation before the others are held against it
_FEWEST_ROWS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which column plays which part; -1 where none does."""

    role: Mapping[str, int]
    ratio: bool

    def cell(self, row: Sequence[str], role: str) -> str:
        """The row's cell in this part, "" where the table has none."""
        at = self.role.get(role, -1)
        return row[at] if at >= 0 else ""


def columns_of(table: Table) -> Columns:
    """The first column that a heading names for each part; a table of ratios says so in heading or caption."""
    role: dict[str, int] = {}
    for at, heading in enumerate(table.headings):
        for name, pattern in _ROLES.items():
            if name not in role and pattern.fullmatch(heading.strip()):
                role[name] = at
                break
    ratio = any(RATIO.search(text) for text in (table.caption, *(table.headings[at] for at in role.values())))
    return Columns(role=role, ratio=ratio)


def count_in(cell: str) -> int | None:
    """The count of a cell that holds one, alone or with its share in brackets."""
    found = _COUNT.fullmatch(cell.strip())
    return int(found[1].replace(",", "")) if found else None


def p_of(cell: str) -> tuple[str, str] | None:
    """Sign and digits of a cell that holds a p-value."""
    found = _P.fullmatch(cell.strip())
    return (found[1] or "=", found[2]) if found else None


def count_columns(table: Table) -> list[int]:
    """Columns of counts: whole numbers in every filled cell, under no heading of a mean, rate or estimate. Under one of
    a share where the cells are counts with their share in brackets.
    """
    beside = _columns_with_shares(table)
    return [
        at
        for at, heading in enumerate(table.headings)
        if at
        and not _MEAN_LIKE.search(heading)
        and (at in beside or not _PER_CENT.search(heading))
        and (cells := [row[at] for row in table.rows if row[at].strip()])
        and sum(count_in(cell) is not None for cell in cells) >= max(2, 0.7 * len(cells))
    ]


def _columns_with_shares(table: Table) -> list[int]:
    """Columns whose cells are counts with their share in brackets, under a heading that says so."""
    filled = [[cell for row in table.rows if (cell := row[at].strip())] for at in range(len(table.headings))]
    return [
        at
        for at, cells in enumerate(filled)
        if at
        and _PER_CENT.search(table.headings[at])
        and sum(_WITH_SHARE.fullmatch(cell) is not None for cell in cells) >= max(2, 0.7 * len(cells))
    ]


def relation_claims(table: Table) -> Iterator[Claim]:
    """Shares of two columns, differences of two and sums of several, where at least half of three rows or more follow
    them: the rows that do not are held against the rule of the others.
    """
    numbers = [[number_in(cell) for cell in row] for row in table.rows]
    width = len(table.headings)
    counts = count_columns(table)
    shares = [at for at in range(1, width) if _PER_CENT.search(table.headings[at]) and at not in counts]
    for share in shares:
        rules = [_share_of(table, part, whole, share) for part, whole in permutations(counts, 2)]
        rules += [
            _share_of_all(table, part, all_of_them, share)
            for part in counts
            for all_of_them in (*_wholes(table, part), *_group_of_both(table, part, share))
        ]
        yield from next((held for rule in rules if (held := _held(table, share, rule))), [])
    for both in _columns_with_shares(table):
        # The number of all stands before it, as a rule in the column beside it.
        wholes = [at for at in reversed(counts) if at < both and at not in shares]
        rules = [_share_of(table, both, whole, both) for whole in wholes]
        yield from next((held for rule in rules if (held := _held(table, both, rule))), [])
    apart = [
        at for at, heading in enumerate(table.headings) if _APART.search(heading) and not _STANDARDISED.search(heading)
    ]
    for difference in apart:
        others = [at for at in range(1, width) if at != difference and sum(row[at] is not None for row in numbers) > 1]
        for first, second in permutations(others, 2):
            if held := _held(table, difference, _difference_of(numbers, first, second, difference)):
                yield from held
                break
    totals = [at for at in counts if re.match(r"(?:grand )?(?:total|all|overall|sum|both)\b", table.headings[at], re.I)]
    for total in totals[:1]:
        parts = [at for at in counts if at != total]
        if len(parts) > 1:
            yield from _held(table, total, _sum_of(table, parts, total))


_Rule = Callable[[int], Judged | None]


def _held(table: Table, column: int, rule: _Rule) -> list[Claim]:
    """The claims of a rule that enough rows follow; none of one that is no rule of this table."""
    judged = {at: found for at in range(len(table.rows)) if (found := rule(at)) is not None}
    follow = sum(found.finding == "reproduces" for found in judged.values())
    if len(judged) < _FEWEST_ROWS or follow < max(2, _FOLLOWED * len(judged)):
        return []
    return [claim(found, text=table.rows[at][column], row=at, column=column) for at, found in judged.items()]


def _share_of(table: Table, part: int, whole: int, share: int) -> _Rule:
    def judge(at: int) -> Judged | None:
        row = table.rows[at]
        counted, total, printed = count_in(row[part]), count_in(row[whole]), _share_in(row[share])
        if not counted or not total or not re.fullmatch(r"\d+(?:\.\d+)?", printed):
            return None
        return share_judged(counted, total, printed)

    return judge


def _share_in(cell: str) -> str:
    """The share of a cell, alone or in brackets after its count."""
    beside = _WITH_SHARE.fullmatch(cell.strip())
    return beside[1] if beside else cell.strip().removesuffix("%").strip()


def _group_of_both(table: Table, part: int, share: int) -> list[int]:
    """The number of people that the headings of both columns name: "Treated (n = 474)" above "Events" and "%"."""
    named = [found[1] for at in (part, share) if (found := GROUP_N.search(table.headings[at]))]
    return [int(named[0].replace(",", ""))] if len(named) == 2 and len(set(named)) == 1 else []


def _wholes(table: Table, part: int) -> list[int]:
    """The number of all, where one row of a column of counts is that of all and none is larger."""
    found = [count_in(row[part]) for row in table.rows if _WHOLE.match(row[0].strip())]
    counts = [n for row in table.rows if (n := count_in(row[part])) is not None]
    return [n for n in found if n is not None and len(found) == 1 and n == max(counts)]


def _share_of_all(table: Table, part: int, whole: int, share: int) -> _Rule:
    def judge(at: int) -> Judged | None:
        counted, printed = count_in(table.rows[at][part]), _share_in(table.rows[at][share])
        if not counted or not re.fullmatch(r"\d+(?:\.\d+)?", printed):
            return None
        return share_judged(counted, whole, printed)

    return judge


def _difference_of(
    numbers: Sequence[Sequence[PrintedFigure | None]], first: int, second: int, difference: int
) -> _Rule:
    def judge(at: int) -> Judged | None:
        one, other, printed = (numbers[at][column] for column in (first, second, difference))
        if one is None or other is None or printed is None or max(one.margin, other.margin) > 10.5 * printed.margin:
            return None  # figures so much coarser than their difference are no figures of it
        gap = one.value - other.value
        fits = abs(gap - printed.value) <= one.margin + other.margin + printed.margin + 1e-9
        reason = f"{one.text} less {other.text} is {shown(gap)}, printed {printed.text}; other rows follow this rule."
        return Judged("difference", "reproduces" if fits else "does_not_reproduce", reason)

    return judge


def _sum_of(table: Table, parts: Sequence[int], total: int) -> _Rule:
    def judge(at: int) -> Judged | None:
        counts = [count_in(table.rows[at][column]) for column in parts]
        printed = count_in(table.rows[at][total])
        if printed is None or any(count is None for count in counts):
            return None
        whole = sum(count or 0 for count in counts)
        reason = f"The columns add up to {whole:,}, printed {printed:,}."
        return Judged("sum", "reproduces" if whole == printed else "does_not_reproduce", reason)

    return judge
