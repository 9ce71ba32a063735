"""What do rules across returns look at? All returns of a study, paired and matched by staff ID."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from hhp_stats.errors import Problem
from hhp_stats.intake.dictionary import FOLLOW_UPS, Study
from hhp_stats.intake.return_layout import Return
from hhp_stats.intake.rule import Breach, Rule, breach_problems


class Located(NamedTuple):
    """A breach and the return it stands in; a breach of the block above the table has a cell instead."""

    ret: Return
    breach: Breach | None = None
    cell: str = ""
    value: str = ""


@dataclass(slots=True, kw_only=True)
class Returns:
    """All readable returns of a study: authority -> wave -> return, and the teams of the allocation list."""

    study: Study
    by_site: dict[str, dict[str, Return]]
    allocated: frozenset[str] | None = None
    arms: dict[str, float] = field(default_factory=dict)  # team -> arm, of the allocation list
    _positions: dict[int, dict[str, int]] = field(default_factory=dict)
    _matched: dict[tuple[int, int], pd.DataFrame] = field(default_factory=dict)
    _new: dict[tuple[int, int], pd.DataFrame] = field(default_factory=dict)

    def all(self) -> Iterator[Return]:
        """Every readable return, authority by authority, in the order of the waves."""
        for waves in self.by_site.values():
            yield from waves.values()

    def pairs(self, earlier: str, later: str) -> Iterator[tuple[Return, Return]]:
        """The two returns of each authority that has both."""
        for waves in self.by_site.values():
            if earlier in waves and later in waves:
                yield waves[earlier], waves[later]

    def positions(self, ret: Return) -> dict[str, int]:
        """Staff ID -> its (first) position in a return."""
        if id(ret) not in self._positions:
            staff = ret.frame["staff_id"].dropna().drop_duplicates()
            self._positions[id(ret)] = dict(zip(staff, staff.index, strict=True))
        return self._positions[id(ret)]

    def matched(self, earlier: Return, later: Return) -> pd.DataFrame:
        """People of both returns: their values, with suffixes _a and _b, and their positions `at_a` and `at_b`."""
        key = (id(earlier), id(later))
        if key not in self._matched:
            frames = []
            for ret in (earlier, later):
                known = ret.frame["staff_id"].notna() & ~ret.frame["staff_id"].duplicated()
                frames.append(ret.frame.assign(at=np.arange(len(ret.frame))).loc[known])
            self._matched[key] = frames[0].merge(frames[1], on="staff_id", suffixes=("_a", "_b"))
        return self._matched[key]

    def new(self, earlier: Return, later: Return) -> pd.DataFrame:
        """Those rows of the later return whose person is not on the earlier one."""
        key = (id(earlier), id(later))
        if key not in self._new:
            staff = later.frame["staff_id"]
            self._new[key] = later.frame[staff.notna() & ~staff.isin(list(self.positions(earlier)))]
        return self._new[key]


def positions(both: pd.DataFrame, where: pd.Series) -> list[tuple[int, int]]:
    """Where those people of `Returns.matched` stand for whom `where` holds: position in the earlier and in the later
    return.
    """
    # Mostly nobody: the other columns need not be read.
    rows = np.flatnonzero(where.to_numpy(dtype=bool, na_value=False))
    return list(zip(both["at_a"].to_numpy()[rows].tolist(), both["at_b"].to_numpy()[rows].tolist(), strict=True))


def baseline_pairs(returns: Returns) -> Iterator[tuple[Return, Return]]:
    """The baseline return of each authority with each of its follow-up returns."""
    for wave in FOLLOW_UPS:
        yield from returns.pairs("baseline", wave)


def elsewhere(ret: Return, name: str, position: int) -> str:
    """The address of a cell of another return: "baseline A14"."""
    return f"{ret.wave} {ret.cell(name, position)}"


def across_problems(rule: Rule, found: Iterable[Located]) -> list[Problem]:
    """The problems of one rule across returns, return by return."""
    breaches: dict[int, tuple[Return, list[Breach]]] = {}
    problems = []
    for located in found:
        ret = located.ret
        if located.breach is None:
            problems.append(rule.problem(file=ret.file, sheet=ret.sheet, cell=located.cell, value=located.value))
        else:
            breaches.setdefault(id(ret), (ret, []))[1].append(located.breach)
    for ret, listed in breaches.values():
        problems += breach_problems(rule, ret, listed)
    return problems
