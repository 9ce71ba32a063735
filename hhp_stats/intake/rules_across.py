"""Rules across returns about dates, teams and figures, within an authority and between authorities."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pandas as pd

from hhp_stats.intake.across import Located, Returns, baseline_pairs, elsewhere, positions
from hhp_stats.intake.return_layout import Return
from hhp_stats.intake.rule import Breach, Rule
from hhp_stats.intake.rules_wave import folded

INTERIM_SLACK = timedelta(days=28)
ENDLINE_SLACK = timedelta(days=42)
_WHOLE_COPY = 0.95
_COPY_FROM = 20


def _dates_in_order(returns: Returns) -> Iterator[Located]:
    for waves in returns.by_site.values():
        previous = None
        for ret in waves.values():
            if ret.date_retrieved is None or ret.site is None:
                continue
            launch = pd.Timestamp(ret.site.launch)
            day = ret.date_retrieved
            if ret.wave == "baseline" and day > launch:
                yield Located(ret, cell=ret.date_cell, value=f"{day:%Y-%m-%d}, after the launch on {launch:%Y-%m-%d}")
            elif ret.wave != "baseline" and day <= launch:
                yield Located(ret, cell=ret.date_cell, value=f"{day:%Y-%m-%d}, not after launch on {launch:%Y-%m-%d}")
            elif previous is not None and day <= previous:
                yield Located(ret, cell=ret.date_cell, value=f"{day:%Y-%m-%d}, an earlier return: {previous:%Y-%m-%d}")
            previous = day


def _dates_as_planned(returns: Returns) -> Iterator[Located]:
    for ret in returns.all():
        if ret.date_retrieved is None or ret.site is None or ret.wave == "baseline":
            continue
        day = ret.date_retrieved.date()
        due = ret.site.interim_due if ret.wave == "interim" else ret.site.endline_due
        too_early = day < (due if ret.wave == "endline" else due - INTERIM_SLACK)
        too_late = day > due + (ENDLINE_SLACK if ret.wave == "endline" else INTERIM_SLACK)
        if too_early or too_late:
            yield Located(ret, cell=ret.date_cell, value=f"{day}, due on {due}")


def _person_in_two_authorities(returns: Returns) -> Iterator[Located]:
    """IDs with letters only: authorities that number their staff plainly may use the same numbers."""
    yield from _in_two_authorities(returns, "staff_id", plain_numbers=False)


def _team_in_two_authorities(returns: Returns) -> Iterator[Located]:
    yield from _in_two_authorities(returns, "team_id", plain_numbers=True)


def _in_two_authorities(returns: Returns, name: str, *, plain_numbers: bool) -> Iterator[Located]:
    seen: dict[str, tuple[str, Return, int]] = {}
    for authority, waves in returns.by_site.items():
        told: set[str] = set()
        for ret in waves.values():
            ids = ret.frame[name].dropna().drop_duplicates()
            for position, identifier in zip(ids.index, ids, strict=True):
                if not plain_numbers and identifier.isdigit():
                    continue
                first, other, at = seen.setdefault(identifier, (authority, ret, position))
                if first != authority and identifier not in told:
                    told.add(identifier)
                    yield Located(ret, Breach(name, int(position), also=f"and in {other.file} {other.cell(name, at)}"))


def _changed_team(returns: Returns) -> Iterator[Located]:
    for earlier, later in baseline_pairs(returns):
        both = returns.matched(earlier, later)
        moved = (both["team_id_a"] != both["team_id_b"]) & both["team_id_a"].notna() & both["team_id_b"].notna()
        for a, b in positions(both, moved):
            yield Located(later, Breach("team_id", b, also=elsewhere(earlier, "team_id", a)))


def _changed_arm(returns: Returns) -> Iterator[Located]:
    for earlier, later in baseline_pairs(returns):
        both = returns.matched(earlier, later)
        before, after = both["team_id_a"].map(returns.arms), both["team_id_b"].map(returns.arms)
        for a, b in positions(both, before.notna() & after.notna() & (before != after)):
            yield Located(later, Breach("team_id", b, also=elsewhere(earlier, "team_id", a)))


def _days_shrink(returns: Returns) -> Iterator[Located]:
    for name in ("illness_days", "overall_absence_days"):
        yield from _shrinks(returns, name)


def _spells_shrink(returns: Returns) -> Iterator[Located]:
    yield from _shrinks(returns, "illness_spells")


def _shrinks(returns: Returns, name: str) -> Iterator[Located]:
    for earlier, later in returns.pairs("interim", "endline"):
        both = returns.matched(earlier, later)
        for a, b in positions(both, both[f"{name}_a"] > both[f"{name}_b"]):
            before, after = earlier.frame[name].iloc[a], later.frame[name].iloc[b]
            found = f"{after:g} at endline, {before:g} at interim"
            yield Located(later, Breach(name, b, found, also=elsewhere(earlier, name, a)))


def _changed_gender(returns: Returns) -> Iterator[Located]:
    for earlier, later in baseline_pairs(returns):
        both = returns.matched(earlier, later)
        differs = (both["gender_a"] != both["gender_b"]) & both["gender_a"].notna() & both["gender_b"].notna()
        for a, b in positions(both, differs):
            yield Located(later, Breach("gender", b, also=elsewhere(earlier, "gender", a)))


def _shrinking_service(returns: Returns) -> Iterator[Located]:
    name = "service_months"
    for earlier, later in baseline_pairs(returns):
        both = returns.matched(earlier, later)
        for a, b in positions(both, both[f"{name}_b"] < both[f"{name}_a"]):
            found = f"{later.frame[name].iloc[b]:g} months, {earlier.frame[name].iloc[a]:g} at baseline"
            also = elsewhere(earlier, name, a)
            yield Located(later, Breach(name, b, found, also=also))


def _new_team(returns: Returns) -> Iterator[Located]:
    for baseline, later in baseline_pairs(returns):
        known = set(baseline.frame["team_id"].dropna()) | (returns.allocated or frozenset())
        teams = later.frame["team_id"].dropna().drop_duplicates()
        spelled = {folded(team) for team in known}
        for position in teams.index[~teams.isin(known) & ~teams.map(folded).isin(spelled)]:
            yield Located(later, Breach("team_id", int(position)))


def _team_otherwise(returns: Returns) -> Iterator[Located]:
    for baseline, later in baseline_pairs(returns):
        known = set(baseline.frame["team_id"].dropna()) | (returns.allocated or frozenset())
        spelled = {folded(team) for team in known}
        teams = later.frame["team_id"].dropna().drop_duplicates()
        for position in teams.index[~teams.isin(known) & teams.map(folded).isin(spelled)]:
            yield Located(later, Breach("team_id", int(position)))


def _team_not_allocated(returns: Returns) -> Iterator[Located]:
    for waves in returns.by_site.values():
        if returns.allocated is not None and "baseline" in waves:
            ret = waves["baseline"]
            teams = ret.frame["team_id"].dropna().drop_duplicates()
            for position in teams.index[~teams.isin(returns.allocated)]:
                yield Located(ret, Breach("team_id", int(position)))


def _endline_copies_interim(returns: Returns) -> Iterator[Located]:
    for earlier, later in returns.pairs("interim", "endline"):
        both = returns.matched(earlier, later)
        known = both[both["overall_absence_days_a"].gt(0) | both["illness_days_a"].gt(0)]
        names = ("overall_absence_days", "illness_days")
        same = [known[f"{n}_a"].eq(known[f"{n}_b"]) | (known[f"{n}_a"].isna() & known[f"{n}_b"].isna()) for n in names]
        if len(known) >= _COPY_FROM and (same[0] & same[1]).mean() >= _WHOLE_COPY:
            yield Located(later, value=f"the same days of absence as at interim for {(same[0] & same[1]).sum()} people")


def _same_file_twice(returns: Returns) -> Iterator[Located]:
    seen: dict[str, Return] = {}
    for ret in returns.all():
        first = seen.setdefault(ret.sha256, ret)
        if first is not ret:
            yield Located(ret, value=f"the same content as {first.file}")


ACROSS_RULES: tuple[Rule, ...] = (
    Rule(
        code="X01",
        severity="error",
        fields=("date_retrieved",),
        find=_dates_in_order,
        rule="Baseline records must be extracted by the day of launch, interim and endline after it and in this order.",
        remedy="Correct the date above the table, or put the file under the wave it belongs to.",
    ),
    Rule(
        code="X02",
        severity="warning",
        fields=("date_retrieved",),
        find=_dates_as_planned,
        rule="Interim should be drawn about 12 weeks, endline 24 weeks or a little more after launch.",
        remedy="Check the date; if it is right, the days cover another period than planned.",
    ),
    Rule(
        code="X03",
        severity="error",
        fields=("staff_id",),
        find=_person_in_two_authorities,
        rule="No one changes authority: a staff ID that is not a plain number belongs to one authority.",
        remedy="Remove the person from the wrong return, or put the authority's prefix before its IDs.",
    ),
    Rule(
        code="X04",
        severity="error",
        fields=("team_id",),
        find=_team_in_two_authorities,
        rule="A team ID belongs to one authority.",
        remedy="Put the authority's prefix before its team IDs, in the returns and the allocation list.",
    ),
    Rule(
        code="X05",
        severity="note",
        fields=("team_id",),
        find=_changed_team,
        rule="A person who changes team is analysed in the team of the baseline return.",
        remedy="Nothing to do if the person moved; otherwise correct the team.",
    ),
    Rule(
        code="X13",
        severity="error",
        fields=("illness_days", "overall_absence_days"),
        find=_days_shrink,
        rule="Days since launch cannot become fewer from interim to endline.",
        remedy="Give the days since launch in both returns, not since the last return.",
    ),
    Rule(
        code="X14",
        severity="error",
        fields=("illness_spells",),
        find=_spells_shrink,
        rule="Spells since launch cannot become fewer from interim to endline.",
        remedy="Give the spells since launch in both returns, not since the last return.",
    ),
    Rule(
        code="X16",
        severity="warning",
        fields=("gender",),
        find=_changed_gender,
        rule="Gender should agree between returns.",
        remedy="Check whether the ID belongs to the same person.",
    ),
    Rule(
        code="X17",
        severity="warning",
        fields=("service_months",),
        find=_shrinking_service,
        rule="Length of employment should not become shorter from one return to the next.",
        remedy="Check whether the ID belongs to the same person, and the unit (months).",
    ),
    Rule(
        code="X18",
        severity="warning",
        fields=("team_id",),
        find=_new_team,
        rule="A team should be known from the baseline return or the allocation list.",
        remedy="Check whether the team is new or its ID was written in another way.",
    ),
    Rule(
        code="X27",
        severity="error",
        fields=("team_id",),
        find=_team_otherwise,
        rule="The same team must have the same ID in every return and list, written in the same way.",
        remedy="Use the spelling of the baseline return (capitals, signs, leading zeros).",
    ),
    Rule(
        code="X20",
        severity="warning",
        find=_endline_copies_interim,
        rule="An endline return should not repeat the days of the interim return for nearly everyone.",
        remedy="Ask whether the days were brought up to date.",
    ),
    Rule(
        code="X21",
        severity="error",
        find=_same_file_twice,
        rule="Two returns must not be the same file.",
        remedy="Put the right file in its place.",
    ),
    Rule(
        code="X23",
        severity="warning",
        fields=("team_id",),
        find=_changed_arm,
        rule="No one should move to a team of the other arm; any who do are analysed in the arm of the baseline team.",
        remedy="Check the team; if the person moved, nothing is to be corrected.",
    ),
    Rule(
        code="X22",
        severity="error",
        fields=("team_id",),
        find=_team_not_allocated,
        rule="Every team of a baseline return must be on the allocation list.",
        remedy="Compare the team IDs of the return with those of the list.",
    ),
)
