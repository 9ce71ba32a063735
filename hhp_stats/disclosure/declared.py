"""How a study says whom each of its numbers counts: one declaration for every column of numbers and every row of
results.

Nothing is counted by hand here. A declaration names sets of people, and the number beside it must be theirs; what was
not declared cannot be written (`decision`). Sets are masks over the people a study knows of, the same order in all of
them; behind those there may be imagined people (`declared` with `imagined`), who stand for combinations of answers
that are possible though nobody gave them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Sets = tuple[Mask, ...]
Kind = Literal["count", "share", "statistic", "other", "internal"]

GIVEN_UP, LESSER, ORDINARY, KEPT = (
    0,
    1,
    2,
    3,
)  # what a number is worth: sensitivity, side table, table, planned or total


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What one column of a table says of people, row by row.

    `tells`: the sets whose numbers a reader can read off the cell. `goes_with`: sets with whose numbers the cell must
    go, too.
    `describes`: the groups that a mean or another statistic is about; it goes where such a group is small or its
    number withheld.
    `digits`: what is published is rounded so far, row by row or all rows alike. `least`: numbers above zero and below
    it are not published (counts of cells, not of people). `empty`: rows of which the cell is not published.
    """

    kind: Kind
    tells: tuple[Sets, ...] = ()
    goes_with: tuple[Sets, ...] = ()
    describes: tuple[Sets, ...] = ()
    worth: int | tuple[int, ...] = ORDINARY
    digits: int | tuple[int, ...] | None = None
    least: int = 0
    empty: tuple[bool, ...] = ()

    def rounded(self, digits: int | Sequence[int]) -> Column:
        """The same column, published with so many decimals: what it describes can then not be counted from it."""
        return replace(self, digits=digits if isinstance(digits, int) else tuple(digits))

    def with_(self, *others: Sequence[Any]) -> Column:
        """The same column, which also goes where one of these sets (row by row) is withheld."""
        rows = _rows(*others)
        before = self.goes_with or tuple(() for _ in rows)
        return replace(self, goes_with=tuple(old + new for old, new in zip(before, rows, strict=True)))


Columns = dict[str, Column]  # of one table, by name


def counted(members: Iterable[Any], *, worth: int | Sequence[int] = ORDINARY) -> Column:
    """A column of numbers of people; `members` row by row, None where a row counts nobody."""
    return Column(kind="count", tells=_rows(list(members)), worth=worth if isinstance(worth, int) else tuple(worth))


def share(part: Iterable[Any], of: Iterable[Any], *, worth: int = ORDINARY) -> Column:
    """A column of exact shares: as good as the number of both `part` and `of`. Also for the mean of zeros and ones."""
    return Column(kind="share", tells=_rows(list(part), list(of)), worth=worth)


def statistic(*of: Iterable[Any]) -> Column:
    """A column of means, deviations and the like of a group; a row may be about several groups.

    Unless it is `rounded`, an exact mean is taken to be as good as the number of people: the one has the other as
    denominator.
    """
    return Column(kind="statistic", describes=_rows(*(list(each) for each in of)))


def other() -> Column:
    """A column of numbers that are not about people: settings, numbers of teams, models' diagnostics."""
    return Column(kind="other")


def cells(least: int) -> Column:
    """A column of numbers of cells in which something was found: few of them may be one person's."""
    return Column(kind="other", least=least)


def internal() -> Column:
    """A column that is kept for the team and never published."""
    return Column(kind="internal")


def _rows(*columns: Sequence[Any]) -> tuple[Sets, ...]:
    return tuple(tuple(mask(each) for each in row if each is not None) for row in zip(*columns, strict=True))


def mask(members: Any) -> Mask:
    """Members as an array of yes and no."""
    return np.asarray(members, dtype=np.bool_)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one row of the result frame says of people.

    `n`: whom the row's n counts, None where it is no number of people there are (a design's). `part`: the estimate is
    the number of these people (`share` false) or their share of `n`. `plain`: n or numbers behind it follow from the
    row's exact figures (means, differences without covariates, degrees of freedom that count people). `goes_with`:
    sets with whose numbers the row goes, such as those of an arm with a zero-one outcome where the row is the plain
    difference of shares.
    `digits`: of a `plain` row whose n is withheld the estimate is published with so many decimals, if n does not follow
    from
    them, and no other number; without it the whole row goes with its n.
    """

    n: Mask | None
    part: Mask | None = None
    share: bool = False
    plain: bool = False
    goes_with: Sets = ()
    digits: int | None = None
    worth: int = GIVEN_UP


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """A distribution over whole numbers: pooled into classes before it is published, never with single bars withheld.

    `group`, `value`: columns; `members` row by row. `moments`: how many moments of each group are published, 1 for the
    mean, 2 for mean and standard deviation. `known`: values whose people are counted together somewhere else, such as
    all above a limit. Other columns `people` and `share`.
    """

    group: str
    value: str
    members: tuple[Mask, ...]
    moments: int
    known: tuple[frozenset[int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """All declarations of one study: by table and column, by result id, and the distributions.

    `people` of the masks' places are there, the rest imagined. `withdrawn` tables stay with the team.
    """

    people: int
    columns: Mapping[str, Mapping[str, Column]] = field(default_factory=dict)
    rows: Mapping[str, Row] = field(default_factory=dict)
    bars: Mapping[str, Bars] = field(default_factory=dict)
    withdrawn: frozenset[str] = frozenset()
