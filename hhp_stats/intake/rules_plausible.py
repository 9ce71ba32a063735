"""Rules about what files say together: course log against arms, survey codes against staff records, waves against
each other.

Each holds a share or a size against a limit in the plan (`[[thresholds]]`, under the rule's code), since what is too
much is a matter of judgement that a statistician must be able to read and to change. A plan without a limit does not
have the rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from hhp_stats.intake.across import Returns, baseline_pairs
from hhp_stats.intake.dictionary import WAVES, Study
from hhp_stats.intake.findings import Finding, listed, rows_of
from hhp_stats.intake.linkage import Answers
from hhp_stats.intake.lists import ListFile
from hhp_stats.intake.pseudonym import Pseudonyms
from hhp_stats.intake.return_layout import Return
from hhp_stats.intake.rule import Rule
from hhp_stats.plan.thresholds import Threshold

EVERYWHERE = "all authorities"
YES_NO = ("part_time", "agency")  # what a return says of everybody's post in every wave
PAY = "replacement_cost"
AGENCY = "agency"  # the option of the survey's question on the contract, and the field of the return
CONTRACT = "contract"


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """All readable files of a study with teams, after the ledger, and the limits of the plan."""

    study: Study
    returns: Returns
    allocation: ListFile
    course_log: ListFile
    linkage: ListFile
    answers: tuple[Answers, ...]
    pseudonyms: Pseudonyms | None
    thresholds: Mapping[str, Threshold]
    _courses: list[pd.DataFrame] = field(default_factory=list, compare=False)

    def people(self) -> pd.DataFrame:
        """Everyone on a return, once, with authority, staff ID, first wave, team and arm (missing in unlisted
        teams).
        """
        rows = [
            ret.frame[["staff_id", "team_id"]].assign(local_authority=authority, first_wave=wave)
            for authority, waves in self.returns.by_site.items()
            for wave, ret in waves.items()
        ]
        columns = ["staff_id", "team_id", "local_authority", "first_wave"]
        frame = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns)
        frame = frame.dropna(subset=["staff_id"]).drop_duplicates(
            ["local_authority", "staff_id"]
        )  # the earliest wave counts
        return frame.assign(treatment=frame["team_id"].map(self.returns.arms))

    def course(self) -> pd.DataFrame:
        """The course log with the arm of each person (missing where nobody of this ID is on a return: `known`)."""
        if not self._courses:
            people = self.people().assign(known=True)
            frame = self.course_log.frame.dropna(subset=["local_authority", "staff_id"])
            merged = frame.merge(people, on=["local_authority", "staff_id"], how="left")
            self._courses.append(merged.assign(known=merged["known"].eq(True)))
        return self._courses[0]


def _parts(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The whole and each authority."""
    yield EVERYWHERE, frame
    for authority, part in frame.groupby("local_authority", sort=True):
        yield str(authority), part


def _course_in_control(check: Together, limit: Threshold) -> Iterator[Finding]:
    enrolled = check.course().dropna(subset=["treatment"])
    for where, part in _parts(enrolled):
        control = part.loc[part["treatment"] == 0]
        if len(part) >= limit.least and len(control) > limit.limit * len(part):
            value = f"{len(control)} of {len(part)} who started the course are in control teams ({where})"
            yield Finding(
                rule=IN_CONTROL, file=check.course_log.file, cell=rows_of(control["row"]), value=value, units=(where,)
            )


def _started_share(check: Together, limit: Threshold) -> Iterator[Finding]:
    offered, started = (
        frame.loc[(frame["treatment"] == 1) & (frame["first_wave"] == WAVES[0])]
        for frame in (check.people(), check.course())
    )
    if len(offered) >= limit.least and limit.expected is not None:
        share = len(started) / len(offered)
        if abs(share - limit.expected) > limit.limit:
            value = f"{len(started)} of {len(offered)} ({share:.1%}), {limit.expected:.0%} is reported"
            yield Finding(rule=STARTED, file=check.course_log.file, value=value, units=(EVERYWHERE,))
    for authority, part in offered.groupby("local_authority", sort=True):
        if len(part) >= limit.least and not (started["local_authority"] == authority).any():
            value = f"no one of the {len(part)} offered it in {authority}"
            yield Finding(rule=STARTED, file=check.course_log.file, value=value, units=(str(authority),))


def _course_out_of_time(check: Together, limit: Threshold) -> Iterator[Finding]:
    ends = {site.local_authority: pd.Timestamp(site.endline_due) for site in check.study.sites}
    frame = check.course()
    last = frame["local_authority"].map(ends) + pd.Timedelta(weeks=limit.limit)
    late = frame.loc[(frame["enrolled_on"] > last) | (frame["last_activity_on"] > last)]
    for authority, part in late.groupby("local_authority", sort=True):
        day = part[["enrolled_on", "last_activity_on"]].max().max()
        value = (
            f"{len(part)} entries of {authority}, up to {day:%Y-%m-%d}; the trial ended there on"
            f" {ends[str(authority)]:%Y-%m-%d}"
        )
        yield Finding(
            rule=IN_TIME, file=check.course_log.file, cell=rows_of(part["row"]), value=value, units=(str(authority),)
        )


def _unknown_enrolled(check: Together, limit: Threshold) -> Iterator[Finding]:
    for where, part in _parts(check.course()):
        unknown = part.loc[~part["known"]]
        if len(unknown) >= limit.least and len(unknown) > limit.limit * len(part):
            value = f"{len(unknown)} of {len(part)} enrolled are on no return ({where})"
            yield Finding(
                rule=KNOWN, file=check.course_log.file, cell=rows_of(unknown["row"]), value=value, units=(where,)
            )


def _other_contract(check: Together, limit: Threshold) -> Iterator[Finding]:
    """Who says in the survey to be agency staff is on the return as such, and the other way round."""
    if check.pseudonyms is None:
        return
    recorded: dict[str, float] = {}
    for authority, waves in check.returns.by_site.items():
        for ret in waves.values():
            known = ret.frame.dropna(subset=["staff_id", AGENCY])
            for person, said in zip(check.pseudonyms.people(authority, known["staff_id"]), known[AGENCY], strict=True):
                recorded.setdefault(person, said)
    for answers in check.answers:
        if CONTRACT not in answers.items:
            continue
        frame = answers.responses.assign(
            says=answers.items[CONTRACT], is_agency=answers.responses["person"].map(recorded)
        )
        frame = frame.loc[frame["used"] & frame["says"].notna() & frame["is_agency"].notna()]
        either = frame.loc[frame["says"].eq(AGENCY) | frame["is_agency"].eq(1)]
        for where, part in _parts(either):
            both = int((part["says"].eq(AGENCY) & part["is_agency"].eq(1)).sum())
            if len(part) >= limit.least and both < limit.limit * len(part):
                value = (
                    f"{both} of the {len(part)} who are agency staff by the {answers.wave} survey or by the return are"
                    f" so by both ({where})"
                )
                yield Finding(rule=LINKED_AGREE, file=check.linkage.file, value=value, units=(where,))


def _turned_round(check: Together, limit: Threshold) -> Iterator[Finding]:
    for baseline, later in baseline_pairs(check.returns):
        both = check.returns.matched(baseline, later)
        for name in YES_NO:
            known = both[[f"{name}_a", f"{name}_b"]].dropna()
            other = int((known[f"{name}_a"] != known[f"{name}_b"]).sum())
            if len(known) >= limit.least and other > limit.limit * len(known):
                value = f"{name} differs from the baseline return for {other} of {len(known)} people"
                yield Finding(
                    rule=TURNED, file=later.file, cell=_column(later, name), value=value, units=(_place(later),)
                )


def _unlike_others(check: Together, limit: Threshold) -> Iterator[Finding]:
    returns = [ret for ret in check.returns.all() if len(ret.frame) >= limit.least]
    for name in YES_NO:
        shares = {id(ret): float(ret.frame[name].mean()) for ret in returns if ret.frame[name].notna().any()}
        for ret in returns:
            others = [shares[id(other)] for other in returns if id(other) in shares and other.site is not ret.site]
            if id(ret) in shares and others:
                usual = float(pd.Series(others).median())
                if abs(shares[id(ret)] - usual) > limit.limit:
                    value = f"{name} is yes for {shares[id(ret)]:.0%}, in other authorities for {usual:.0%}"
                    yield Finding(
                        rule=UNLIKE, file=ret.file, cell=_column(ret, name), value=value, units=(_place(ret),)
                    )


def _cost_in_other_unit(check: Together, limit: Threshold) -> Iterator[Finding]:
    returns = [ret for ret in check.returns.all() if PAY in ret.frame]
    costs = pd.concat([ret.frame[PAY] for ret in returns], ignore_index=True) if returns else pd.Series(dtype="float64")
    costs = costs[costs > 0]
    for ret in returns:
        own = ret.frame[PAY]
        # Against the others, so that one return with many leavers does not set the measure for itself.
        others = pd.concat([each.frame[PAY] for each in returns if each is not ret] or [costs.iloc[:0]])
        others = others[others > 0]
        if len(others) < limit.least:
            continue
        usual = float(others.median())
        odd = own[(own > 0) & ((own * limit.limit < usual) | (own > usual * limit.limit))]
        if len(odd):
            cells = listed(ret.cell(PAY, int(position)) for position in odd.index)
            value = f"\u00a3 {listed(f'{cost:g}' for cost in odd)}; elsewhere about {usual:g}"
            yield Finding(rule=UNIT_OF_COST, file=ret.file, cell=cells, value=value, units=(_place(ret),))


def _place(ret: Return) -> str:
    """A return as a unit of a finding: "Kent, endline"."""
    return f"{ret.local_authority if ret.site is None else ret.site.local_authority}, {ret.wave}"


def _column(ret: Return, name: str) -> str:
    return f"column {name}" if name in ret.columns else ""


def _find(
    with_limit: Callable[[Together, Threshold], Iterator[Finding]], code: str
) -> Callable[[Together], Iterator[Finding]]:
    """The rule's function with its limit of the plan; nothing is found where the plan has none."""

    def find(check: Together) -> Iterator[Finding]:
        limit = check.thresholds.get(code)
        if limit is not None:
            yield from with_limit(check, limit)

    return find


IN_CONTROL = Rule(
    code="G05",
    severity="error",
    find=_find(_course_in_control, "G05"),
    rule="Those who start the course must be in teams that were offered it, but for a share that the plan allows.",
    remedy="Compare the allocation list with the one that was sent out: its arms may be exchanged.",
)
STARTED = Rule(
    code="G06",
    severity="error",
    find=_find(_started_share, "G06"),
    rule=(
        "As many of those offered the course must be in its log as are reported to have started, within the limit of"
        " the plan."
    ),
    remedy="Export the log again: part of it may be missing.",
)
IN_TIME = Rule(
    code="G07",
    severity="error",
    find=_find(_course_out_of_time, "G07"),
    rule="The course log must end with the trial in the authority, but for the weeks that the plan allows.",
    remedy="Correct the dates, or the launch in the plan.",
)
KNOWN = Rule(
    code="G08",
    severity="error",
    find=_find(_unknown_enrolled, "G08"),
    rule="The enrolled must be on the returns of their authority, but for a share that the plan allows.",
    remedy="Check how the staff IDs were exported: leading zeros, prefixes, or another list's IDs.",
)
LINKED_AGREE = Rule(
    code="K04",
    severity="error",
    find=_find(_other_contract, "K04"),
    rule="Of those whom survey or return calls agency staff, at least the share in the plan must be so in both.",
    remedy="Check the linkage list: its codes may have slipped by a line, or belong to another authority.",
)
TURNED = Rule(
    code="X24",
    severity="error",
    fields=YES_NO,
    find=_find(_turned_round, "X24"),
    rule="Working hours and agency work must not change for more of an authority's staff than the plan allows.",
    remedy="Ask the authority: yes and no, or two columns, may be exchanged in one of the returns.",
)
UNLIKE = Rule(
    code="X25",
    severity="error",
    fields=YES_NO,
    find=_find(_unlike_others, "X25"),
    rule=(
        "The shares of part-time and agency staff must be like those of other authorities, within the limit of the"
        " plan."
    ),
    remedy="Ask the authority: yes and no, or two columns, may be exchanged.",
)
UNIT_OF_COST = Rule(
    code="X26",
    severity="error",
    fields=(PAY,),
    find=_find(_cost_in_other_unit, "X26"),
    rule="A replacement cost must be of the size of the others: the unit is £.",
    remedy="Ask the authority: the cost may be in thousands or in pence.",
)

COURSE_SHARE_RULES: tuple[Rule, ...] = (IN_CONTROL, STARTED, IN_TIME, KNOWN)
LINKED_RULES: tuple[Rule, ...] = (LINKED_AGREE,)
PLAUSIBILITY_RULES: tuple[Rule, ...] = (TURNED, UNLIKE, UNIT_OF_COST)


def together_findings(check: Together) -> list[Finding]:
    """Everything that the rules find; lists that could not be read are left to the rules that say so."""
    rules = [*PLAUSIBILITY_RULES]
    if check.course_log.readable and check.allocation.readable:
        rules += COURSE_SHARE_RULES
    if check.linkage.readable:
        rules += LINKED_RULES
    return [finding for rule in rules if rule.find is not None for finding in rule.find(check)]
