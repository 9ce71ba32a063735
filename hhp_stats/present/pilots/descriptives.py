"""The numbers of a pilot in a table, and one by one for a sentence of its chapter."""

from __future__ import annotations

import pandas as pd
from great_tables import GT

from hhp_stats.errors import UnknownName
from hhp_stats.plan.pilot_schema import STATISTICS, Descriptive
from hhp_stats.present.numbers import (
    WITHHELD,
    count,
    interval,
    level,
    number,
    percent,
    plural_in_words,
    spelled,
    withheld,
    withheld_note,
)
from hhp_stats.present.pilots.report import PilotReport
from hhp_stats.present.study_results import Row
from hhp_stats.present.tables import plain_table
from hhp_stats.results.lacking import note

WHAT, MEAN = "Counted", "Share or mean"


def descriptive(report: PilotReport, key: str) -> Descriptive:
    """An entry of the plan by its id, outcome/estimand."""
    if key not in report.plan.descriptives:
        raise UnknownName(
            f"the plan of {report.plan.study} has no descriptive {key!r}; known: {', '.join(report.plan.descriptives)}"
        )
    return report.plan.descriptives[key]


def _row(report: PilotReport, key: str, statistic: str) -> Row:
    """The row of one statistic of a descriptive; of one that could not be made, the reason is noted."""
    entry = descriptive(report, key)
    if statistic not in entry.statistics:
        raise UnknownName(f"{key} of {report.plan.study} has no {statistic}; it has {', '.join(entry.statistics)}")
    row = report.row(f"{key}/{STATISTICS[statistic]}")
    if row["status"] == "not_estimated":
        note(str(row["note"]))
    return row


def how_many(report: PilotReport, key: str) -> str:
    """A number of people in figures: `usage/logged_on`."""
    return count(_row(report, key, "count")["estimate"])


def in_words(report: PilotReport, key: str) -> str:
    """A number of people in words."""
    return spelled(report.count(key))


def counted(report: PilotReport, key: str) -> str:
    """A number of people in words with what they are: two team managers."""
    noun = descriptive(report, key).noun
    if not noun:
        raise UnknownName(f"{key} of {report.plan.study} has no noun: write it into the plan")
    n = report.count(key)
    return f"{n} {noun[1]}" if isinstance(n, str) else plural_in_words(n, *noun)


def amount(report: PilotReport, key: str) -> str:
    """A sum, a largest value or a mean, without decimals where it is whole."""
    entry = descriptive(report, key)
    about = next((each for each in entry.statistics if each in ("sum", "largest", "mean")), "")
    if not about:
        raise UnknownName(f"{key} of {report.plan.study} is a number of people: use count")
    value = _row(report, key, about)["estimate"]
    return value if isinstance(value, str) else number(value, 0 if about != "mean" else 1)


def in_per_cent(report: PilotReport, key: str) -> str:
    """A share in per cent."""
    return percent(_row(report, key, "share")["estimate"], 0)


def with_interval(report: PilotReport, key: str) -> str:
    """A share in per cent with its exact interval."""
    return _exact(_row(report, key, "share"))


def ratio(report: PilotReport, keys: str) -> str:
    """One sum as a share of another, in per cent: `usage/minutes_of_frequent/usage/minutes`."""
    names = keys.split("/")
    if len(names) != 4:
        raise UnknownName(f"write outcome/estimand of both sums, one after the other; {keys!r} has {len(names)} parts")
    part, whole = (_row(report, "/".join(pair), "sum")["estimate"] for pair in (names[:2], names[2:]))
    if withheld(part) or withheld(whole):
        return WITHHELD
    if not whole:
        note(f"the sum of {'/'.join(names[2:])} is nought")
    return percent(part / whole, 0)


def _exact(row: Row) -> str:
    if withheld(row["estimate"]):
        return WITHHELD
    return (
        f"{percent(row['estimate'], 0)}, {level(row['conf_level'])} CI"
        f" {interval(100 * row['conf_low'], 100 * row['conf_high'], 0)}%"
    )


def numbers(report: PilotReport, outcome: str = "") -> GT:
    """Every number that the plan asks for, all or those of one outcome: of whom, how many, and the share or mean."""
    plan = report.plan
    own = [entry for entry in plan.descriptives.values() if not outcome or entry.id.split("/")[0] == outcome]
    if not own:
        known = ", ".join(dict.fromkeys(each.split("/")[0] for each in plan.descriptives)) or "none"
        raise UnknownName(f"no descriptive of {plan.study} is of {outcome!r}; known: {known}")
    rows, seen, reach = [], [], f"{level(plan.conf_level)} CI"
    for entry in own:
        cells = {WHAT: entry.label, "Of": plan.populations[entry.population].label}
        cells |= dict.fromkeys(("n", "Number", MEAN, reach), "")
        for statistic in entry.statistics:
            row = report.row(f"{entry.id}/{STATISTICS[statistic]}")
            seen.append(row)
            cells["n"] = count(row["n"])
            if row["status"] == "not_estimated":
                cells["Number"] = "not known"
            elif statistic in ("share", "mean"):
                cells[MEAN], cells[reach] = _estimate(row, in_per_cent=statistic == "share")
            else:
                cells["Number"] = count(row["estimate"])
        rows.append(cells)
    made = plain_table(pd.DataFrame(rows), stub=WHAT, notes=withheld_note(pd.DataFrame(seen)))
    return made.cols_align("left", columns=["Of"])


def _estimate(row: Row, *, in_per_cent: bool) -> tuple[str, str]:
    """A share or a mean, and its interval where it has one."""
    if withheld(row["estimate"]):
        return WITHHELD, WITHHELD
    if in_per_cent:
        return percent(row["estimate"], 0), interval(100 * row["conf_low"], 100 * row["conf_high"], 0) + "%"
    known = not pd.isna(row["conf_low"])
    return number(row["estimate"], 1), interval(row["conf_low"], row["conf_high"], 1) if known else ""
