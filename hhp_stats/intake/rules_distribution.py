"""Rules about whole columns of returns: units, blanks, zeros and growth, against other authorities and the own
earlier wave.

Each holds a measure of `distribution.py` against a limit of the plan (`[[thresholds]]`, under the rule's code), for
every field of the dictionary that is a number. What may be so, such as many blanks, is a warning; what cannot be of
one unit is an error, which a deviation may explain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hhp_stats.intake.across import Returns, baseline_pairs
from hhp_stats.intake.dictionary import Field
from hhp_stats.intake.distribution import Figures, cohens_h, known, share_missing, share_zero, times
from hhp_stats.intake.findings import Finding, listed
from hhp_stats.intake.return_layout import Return
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.rules_runs import OF_A_RETURN, run_findings
from hhp_stats.plan.thresholds import Threshold

SERVICE = "service_months"
DAYS_A_MONTH = 365.25 / 12
FEWEST_OTHERS = 2  # other authorities from which on there is something to be like


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """All readable returns of a study and the limits of its plan."""

    returns: Returns
    fields: tuple[Field, ...]  # of the dictionary
    thresholds: Mapping[str, Threshold]

    def figures(self) -> tuple[str, ...]:
        """The names of all fields of a return that are numbers."""
        return tuple(
            dict.fromkeys(f.name for f in self.fields if f.file == "return" and f.kind in ("number", "integer"))
        )

    def of_a_period(self) -> tuple[str, ...]:
        """Those of them that count what happened in a period: days and spells of absence."""
        return tuple(
            dict.fromkeys(f.name for f in self.fields if f.file == "return" and f.period and f.name in self.figures())
        )

    def unrecorded(self, name: str) -> bool:
        """Whether the dictionary says that an authority may not record this at all."""
        return any("blank throughout" in f.meaning for f in self.fields if f.file == "return" and f.name == name)

    def with_others(self, name: str) -> Iterator[tuple[Return, Figures, list[Figures]]]:
        """Each return that has the column, its figures, and those of the same wave of every other authority."""
        by_wave: dict[str, list[tuple[Return, Figures]]] = {}
        for ret in self.returns.all():
            if name in ret.columns:
                by_wave.setdefault(ret.wave, []).append((ret, ret.frame[name].to_numpy(dtype=float)))
        for group in by_wave.values():
            for ret, values in group:
                yield ret, values, [other for each, other in group if each is not ret]

    def nowhere(self, ret: Return, name: str) -> bool:
        """Whether no return of the authority has a figure in this column."""
        site = "" if ret.site is None else ret.site.local_authority
        return all(
            each.frame[name].isna().all() for each in self.returns.by_site.get(site, {}).values() if name in each.frame
        )


def _place(ret: Return) -> str:
    return f"{ret.local_authority if ret.site is None else ret.site.local_authority}, {ret.wave}"


def _finding(rule: Rule, ret: Return, name: str, value: str) -> Finding:
    return Finding(rule=rule, file=ret.file, cell=f"column {name}", value=value, units=(_place(ret),))


def _shares(
    columns: Columns, limit: Threshold, rule: Rule, share: Callable[[Figures], float], word: str
) -> Iterator[Finding]:
    for name in columns.figures():
        for ret, values, others in columns.with_others(name):
            measured = [
                other for other in others if len(other) >= limit.least and (word == "blank" or len(known(other)))
            ]
            enough = len(values) >= limit.least and len(measured) >= FEWEST_OTHERS
            if (
                not enough
                or (columns.nowhere(ret, name) and columns.unrecorded(name))
                or (word == "zero" and not len(known(values)))
            ):
                continue
            own, usual = share(values), float(np.median([share(other) for other in measured]))
            if cohens_h(own, usual) > limit.limit:
                yield _finding(rule, ret, name, f"{name} is {word} for {own:.0%}, in other authorities for {usual:.0%}")


def _blanks(columns: Columns, limit: Threshold) -> Iterator[Finding]:
    yield from _shares(columns, limit, BLANKS, share_missing, "blank")
    for earlier, later in columns.returns.pairs("interim", "endline"):
        for name in columns.figures():
            if name in earlier.columns and name in later.columns and len(later.frame) >= limit.least:
                before, after = (share_missing(ret.frame[name].to_numpy(dtype=float)) for ret in (earlier, later))
                if cohens_h(before, after) > limit.limit:
                    yield _finding(BLANKS, later, name, f"{name} is blank for {after:.0%}, at interim for {before:.0%}")


def _zeros(columns: Columns, limit: Threshold) -> Iterator[Finding]:
    yield from _shares(columns, limit, ZEROS, share_zero, "zero")


def _unit(columns: Columns, limit: Threshold) -> Iterator[Finding]:
    for name in columns.figures():
        for ret, values, others in columns.with_others(name):
            own = known(values)
            measured = [known(other) for other in others if len(known(other)) >= limit.least]
            if len(own) >= limit.least and len(measured) >= FEWEST_OTHERS:
                usual = float(np.median([other.mean() for other in measured]))
                if times(float(own.mean()), usual) > limit.limit:
                    value = f"{name} is {own.mean():.3g} on average, in other authorities {usual:.3g}"
                    yield _finding(OTHER_UNIT, ret, name, value)


def _months_covered(ret: Return) -> float:
    """How many months the days of absence of a return cover; missing where its day is unknown."""
    if ret.wave == "baseline":
        return 12.0
    if ret.site is None or ret.date_retrieved is None:
        return float("nan")
    return (ret.date_retrieved - pd.Timestamp(ret.site.launch)).days / DAYS_A_MONTH


def _own_rate(columns: Columns, limit: Threshold) -> Iterator[Finding]:
    for baseline, later in baseline_pairs(columns.returns):
        for name in columns.of_a_period():
            before, after = (known(ret.frame[name].to_numpy(dtype=float)) for ret in (baseline, later))
            months = _months_covered(later)
            if min(len(before), len(after)) >= limit.least and months > 0:
                early, late = float(before.mean()) / 12, float(after.mean()) / months
                if times(early, late) > limit.limit:
                    value = f"{name} is {late:.3g} a month on average, in the baseline year {early:.3g}"
                    yield _finding(OWN_RATE, later, name, value)


def _elapsed(baseline: Return, later: Return) -> float:
    if baseline.date_retrieved is None or later.date_retrieved is None:
        return float("nan")
    return (later.date_retrieved - baseline.date_retrieved).days / DAYS_A_MONTH


def _growth(returns: Returns, baseline: Return, later: Return) -> pd.DataFrame:
    """People of both returns with `beyond`: by how many months their service grew more than time went by."""
    both = returns.matched(baseline, later)[["at_a", "at_b", f"{SERVICE}_a", f"{SERVICE}_b"]]
    grown = both[f"{SERVICE}_b"] - both[f"{SERVICE}_a"]
    return both.assign(beyond=grown - _elapsed(baseline, later)).dropna(subset=["beyond"])


def _service_grows(columns: Columns, limit: Threshold) -> Iterator[Finding]:
    for baseline, later in baseline_pairs(columns.returns):
        both = _growth(columns.returns, baseline, later)
        if len(both) >= limit.least and abs(float(both["beyond"].median())) > limit.limit:
            grown = float((both[f"{SERVICE}_b"] - both[f"{SERVICE}_a"]).median())
            value = (
                f"{SERVICE} grew by {grown:.3g} (median) since the baseline return, in {_elapsed(baseline, later):.1f}"
                " months"
            )
            yield _finding(SERVICE_GROWS, later, SERVICE, value)


def _service_of_a_person(columns: Columns, limit: Threshold) -> Iterator[Finding]:
    for baseline, later in baseline_pairs(columns.returns):
        both = _growth(columns.returns, baseline, later)
        odd = both.loc[both["beyond"].abs() > limit.limit]
        if len(odd):
            people = listed(
                f"{later.cell(SERVICE, int(b))} ({after:g}, baseline {baseline.cell(SERVICE, int(a))} {before:g})"
                for a, b, before, after in zip(
                    odd["at_a"], odd["at_b"], odd[f"{SERVICE}_a"], odd[f"{SERVICE}_b"], strict=True
                )
            )
            value = f"{len(odd)} people, in {_elapsed(baseline, later):.1f} months: {people}"
            yield _finding(SERVICE_OF_ONE, later, SERVICE, value)


def _blank_after_recorded(columns: Columns, limit: Threshold) -> Iterator[Finding]:
    for earlier, later in columns.returns.pairs("interim", "endline"):
        both = columns.returns.matched(earlier, later)
        there = both["left_a"].ne(1).to_numpy(dtype=bool)
        for name in columns.figures():
            if name not in earlier.columns or name not in later.columns or f"{name}_a" not in both:
                continue
            known_before = both[f"{name}_a"].notna().to_numpy() & there
            gone = known_before & both[f"{name}_b"].isna().to_numpy()
            unread = later.unread.get(name, {})
            cells = [at for at in both["at_b"].to_numpy()[gone].tolist() if at not in unread]
            before = int(known_before.sum())
            if before >= limit.least and len(cells) > limit.limit * before:
                found = listed(later.cell(name, at) for at in cells)
                yield _finding(
                    BLANK_AFTER,
                    later,
                    name,
                    f"{name} of {len(cells)} people is known at interim and blank now: {found}",
                )


def _early_baseline(columns: Columns, limit: Threshold) -> Iterator[Finding]:
    for ret in columns.returns.all():
        if ret.wave == "baseline" and ret.site is not None and ret.date_retrieved is not None:
            weeks = (pd.Timestamp(ret.site.launch) - ret.date_retrieved).days / 7
            if weeks > limit.limit:
                value = f"{ret.date_retrieved:%Y-%m-%d}, {weeks:.0f} weeks before the launch"
                yield Finding(rule=EARLY, file=ret.file, cell=ret.date_cell, value=value, units=(_place(ret),))


BLANKS = Rule(
    code="X28",
    severity="warning",
    rule=(
        "The share of blanks in a column should be like that of other authorities and of the interim return, within the"
        " plan's limit."
    ),
    remedy="Ask the authority whether blanks mean zero, or are not recorded: they count as unknown.",
)
ZEROS = Rule(
    code="X29",
    severity="warning",
    rule="The share of zeros in a column should be like that of other authorities, within the plan's limit.",
    remedy="Ask the authority whether zeros stand for what is not known, or blanks for zero.",
)
OTHER_UNIT = Rule(
    code="X30",
    severity="error",
    rule="The mean of a column must be of the size of other authorities', within the plan's limit: it has one unit.",
    remedy="Ask the authority for the unit and the period: days and not hours or shares, months and not years.",
)
OWN_RATE = Rule(
    code="X31",
    severity="error",
    rule="Absence a month must be of the size of the authority's own baseline year, within the plan's limit.",
    remedy="Ask the authority for the unit and the period: days since launch and not of a year, and not hours.",
)
SERVICE_GROWS = Rule(
    code="X32",
    severity="error",
    fields=(SERVICE,),
    rule="The length of employment must grow by the months between two returns, within the plan's limit.",
    remedy="Ask the authority for the unit (months) and the day to which it was counted.",
)
SERVICE_OF_ONE = Rule(
    code="X33",
    severity="warning",
    fields=(SERVICE,),
    rule="A person's length of employment should grow by the months between two returns, within the plan's limit.",
    remedy="Check both figures, their unit (months), and whether the ID belongs to the same person.",
)
BLANK_AFTER = Rule(
    code="X34",
    severity="warning",
    rule=(
        "A figure that the interim return has should not be blank in the endline return, but for the share in the plan."
    ),
    remedy="Ask for the figure: blank counts as unknown, also where zero is meant.",
)
EARLY = Rule(
    code="X35",
    severity="error",
    fields=("date_retrieved",),
    rule="A baseline return must be drawn within the weeks before launch that the plan allows.",
    remedy="Correct the date above the table; if it is right, the return covers another year than planned.",
)
DISTRIBUTION_RULES = (
    BLANKS,
    ZEROS,
    OTHER_UNIT,
    OWN_RATE,
    SERVICE_GROWS,
    SERVICE_OF_ONE,
    BLANK_AFTER,
    EARLY,
    OF_A_RETURN,
)
_FINDERS: Mapping[str, Callable[[Columns, Threshold], Iterator[Finding]]] = {
    "X28": _blanks,
    "X29": _zeros,
    "X30": _unit,
    "X31": _own_rate,
    "X32": _service_grows,
    "X33": _service_of_a_person,
    "X34": _blank_after_recorded,
    "X35": _early_baseline,
}


def distribution_findings(columns: Columns) -> list[Finding]:
    """Everything that the rules find, each where the plan has its limit."""
    found: list[Finding] = []
    for code, find in _FINDERS.items():
        limit = columns.thresholds.get(code)
        if limit is not None:
            found += find(columns, limit)
    returns = list(columns.returns.all())
    return found + run_findings(OF_A_RETURN, returns, columns.thresholds, columns=columns.figures())
