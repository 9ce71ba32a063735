"""Rules across the returns of an authority about people: who leaves, joins, vanishes, or changes their ID."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from hhp_stats.intake.across import Located, Returns, baseline_pairs, elsewhere, positions
from hhp_stats.intake.return_layout import Return
from hhp_stats.intake.rule import Breach, Rule
from hhp_stats.intake.rules_wave import folded


def _leaver_returns(returns: Returns) -> Iterator[Located]:
    """Reported as a leaver at interim, and at endline as somebody who stays."""
    for earlier, later in returns.pairs("interim", "endline"):
        both = returns.matched(earlier, later)
        for a, b in positions(both, both["left_a"].eq(1) & both["left_b"].ne(1)):
            yield Located(later, Breach("staff_id", b, also=elsewhere(earlier, "left", a)))


def _leaver_kept(returns: Returns) -> Iterator[Located]:
    """Many authorities keep their leavers on the later return: with the same date that is no contradiction."""
    for earlier, later in returns.pairs("interim", "endline"):
        both = returns.matched(earlier, later)
        kept = both[both["left_a"].eq(1) & both["left_b"].eq(1)]
        if len(kept):
            value = f"{len(kept)} people who had left by the interim return"
            yield Located(later, Breach("left", int(kept["at_b"].iloc[0]), value))


def _two_leaving_dates(returns: Returns) -> Iterator[Located]:
    for earlier, later in returns.pairs("interim", "endline"):
        both = returns.matched(earlier, later)
        differs = both["leaving_date_a"].notna() & both["leaving_date_b"].notna()
        for a, b in positions(both, differs & (both["leaving_date_a"] != both["leaving_date_b"])):
            yield Located(later, Breach("leaving_date", b, also=elsewhere(earlier, "leaving_date", a)))


def _new_people(returns: Returns) -> Iterator[tuple[Return, Return, pd.DataFrame]]:
    """Baseline, follow-up, and those rows of the follow-up whose person is not on the baseline return."""
    for baseline, later in baseline_pairs(returns):
        yield baseline, later, returns.new(baseline, later)


def _joiner_without_start(returns: Returns) -> Iterator[Located]:
    for _, later, new in _new_people(returns):
        unread = later.unread.get("start_date", {})
        for position in new.index[new["start_date"].isna()]:
            if int(position) not in unread:
                name = "start_date" if "start_date" in later.columns else "staff_id"
                yield Located(
                    later, Breach(name, int(position), "no start date for a person not on the baseline return")
                )


def _old_hand_with_start(returns: Returns) -> Iterator[Located]:
    for baseline, later in baseline_pairs(returns):
        both = returns.matched(baseline, later)
        for a, b in positions(both, both["start_date"].notna()):
            yield Located(later, Breach("start_date", b, also=elsewhere(baseline, "staff_id", a)))


def _started_before_baseline(returns: Returns) -> Iterator[Located]:
    for baseline, later, new in _new_people(returns):
        if baseline.date_retrieved is not None:
            for position in new.index[new["start_date"] <= baseline.date_retrieved]:
                yield Located(later, Breach("start_date", int(position)))


def _started_before_launch(returns: Returns) -> Iterator[Located]:
    for baseline, later, new in _new_people(returns):
        if later.site is not None and baseline.date_retrieved is not None:
            early = new["start_date"] <= pd.Timestamp(later.site.launch)
            for position in new.index[early & (new["start_date"] > baseline.date_retrieved)]:
                yield Located(later, Breach("start_date", int(position)))


def _vanished(returns: Returns) -> Iterator[Located]:
    """On an earlier return, on no later one, and never reported as a leaver."""
    for waves in returns.by_site.values():
        if "endline" not in waves:
            continue
        gone: set[str] = set(returns.positions(waves["endline"]))
        for wave in ("interim", "baseline"):
            if wave in waves:
                ret = waves[wave]
                left = set(ret.frame.loc[ret.frame["left"] == 1, "staff_id"]) if wave == "interim" else set()
                for staff, position in returns.positions(ret).items():
                    if staff not in gone and staff not in left:
                        yield Located(ret, Breach("staff_id", int(position), also="on no later return"))
                gone |= set(returns.positions(ret))


def _skipped_interim(returns: Returns) -> Iterator[Located]:
    for waves in returns.by_site.values():
        if {"baseline", "interim", "endline"} <= waves.keys():
            early, middle = returns.positions(waves["baseline"]), returns.positions(waves["interim"])
            for staff, position in returns.positions(waves["endline"]).items():
                if staff in early and staff not in middle:
                    yield Located(waves["endline"], Breach("staff_id", int(position), also="not on the interim return"))


def _id_written_otherwise(returns: Returns) -> Iterator[Located]:
    for baseline, later, new in _new_people(returns):
        still = set(returns.positions(later))
        absent = {folded(staff): at for staff, at in returns.positions(baseline).items() if staff not in still}
        for position, staff in zip(new.index, new["staff_id"], strict=True):
            at = absent.get(folded(staff))
            if at is not None:
                yield Located(later, Breach("staff_id", int(position), also=elsewhere(baseline, "staff_id", at)))


def _two_start_dates(returns: Returns) -> Iterator[Located]:
    for earlier, later in returns.pairs("interim", "endline"):
        both = returns.matched(earlier, later)
        differs = both["start_date_a"].notna() & both["start_date_b"].notna()
        for a, b in positions(both, differs & (both["start_date_a"] != both["start_date_b"])):
            yield Located(later, Breach("start_date", b, also=elsewhere(earlier, "start_date", a)))


PEOPLE_RULES: tuple[Rule, ...] = (
    Rule(
        code="X06",
        severity="error",
        fields=("left",),
        find=_leaver_returns,
        rule="Those who left before the interim return must not be on the endline return as people who stay.",
        remedy="Enter yes in “left” at endline, or correct “left” and the leaving date at interim.",
    ),
    Rule(
        code="X36",
        severity="note",
        fields=("left",),
        find=_leaver_kept,
        rule="Leavers of the interim return need not be on the endline return; those who are count as leavers once.",
        remedy="Nothing to do.",
    ),
    Rule(
        code="X37",
        severity="error",
        fields=("leaving_date",),
        find=_two_leaving_dates,
        rule="A leaver must have the same leaving date in both follow-up returns.",
        remedy="Correct whichever date is wrong.",
    ),
    Rule(
        code="X07",
        severity="error",
        fields=("start_date",),
        find=_joiner_without_start,
        rule="A person who is not on the baseline return must have a start date.",
        remedy="Enter the start date; if the person was there at baseline, use the same ID as then.",
    ),
    Rule(
        code="X08",
        severity="error",
        fields=("start_date",),
        find=_old_hand_with_start,
        rule="A person who is on the baseline return has no start date after launch.",
        remedy="Delete the start date, or give the new person an ID of their own.",
    ),
    Rule(
        code="X09",
        severity="error",
        fields=("start_date",),
        find=_started_before_baseline,
        rule="A person who is not on the baseline return must have started after it.",
        remedy="Use the ID of the baseline return, or correct the start date.",
    ),
    Rule(
        code="X10",
        severity="note",
        fields=("start_date",),
        find=_started_before_launch,
        rule="A person who started between the baseline return and launch was not randomised and is left out.",
        remedy="Nothing to do if the date is right.",
    ),
    Rule(
        code="X11",
        severity="warning",
        fields=("staff_id",),
        find=_vanished,
        rule="A person should not vanish from the returns without a leaving date.",
        remedy="Ask whether the person left, and when, or whether the ID changed.",
    ),
    Rule(
        code="X12",
        severity="note",
        fields=("staff_id",),
        find=_skipped_interim,
        rule="A person at baseline and endline should be on the interim return.",
        remedy="Ask for the row if the interim figures are needed.",
    ),
    Rule(
        code="X15",
        severity="error",
        fields=("staff_id",),
        find=_id_written_otherwise,
        rule="The same person must have the same ID in every return, written in the same way.",
        remedy="Use the spelling of the baseline return (capitals, signs, leading zeros).",
    ),
    Rule(
        code="X19",
        severity="error",
        fields=("start_date",),
        find=_two_start_dates,
        rule="A joiner must have the same start date in both follow-up returns.",
        remedy="Correct whichever date is wrong.",
    ),
)
