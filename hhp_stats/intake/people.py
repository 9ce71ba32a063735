"""Who took part, and what is known of each? Returns, allocation, course log and surveys joined by pseudonym."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from hhp_stats.intake.dictionary import WAVES, Study
from hhp_stats.intake.linkage import SUFFIX, Answers
from hhp_stats.intake.lists import DRAWN, ListFile
from hhp_stats.intake.order import in_order
from hhp_stats.intake.pseudonym import Pseudonyms
from hhp_stats.intake.return_layout import Return

_FIRST_SEEN = ("team_id", "role", "gender", "service_months", "part_time", "agency")
_DAYS = {
    "baseline": {
        "overall_absence_days": "baseline_overall_days",
        "illness_days": "baseline_illness_days",
        "illness_spells": "baseline_illness_spells",
    },
    "interim": {"illness_days": "interim_illness_days", "illness_spells": "interim_illness_spells"},
    "endline": {"illness_days": "endline_illness_days", "illness_spells": "endline_illness_spells"},
}
_LEAVING = ("left", "leaving_date", "replacement_cost", "start_date")


def build_people(
    *,
    returns: dict[str, dict[str, Return]],
    allocation: ListFile,
    course_log: ListFile,
    answers: list[Answers],
    study: Study,
    pseudonyms: Pseudonyms,
) -> pd.DataFrame:
    """Who took part, and what is known of each?

    One row per person (authority and staff ID) seen in any return, sorted by authority, then teams and people by
    their data (`intake.order`): neither identifiers nor the key of the pseudonyms nor the order of files decides.
    Role, gender, service, hours, agency and team are those of the first return that names the person: the
    randomised team counts. `left` is 1 if any follow-up return says so, 0 if the last return that lists the person
    says no, missing if the person vanished. Staff IDs are dropped.
    """
    parts = [
        _authority(returns[site.local_authority], site.local_authority, pseudonyms)
        for site in study.sites
        if returns.get(site.local_authority)
    ]
    people = pd.concat([part for part in parts if len(part)], ignore_index=True)
    launch = {site.local_authority: pd.Timestamp(site.launch) for site in study.sites}
    people["launch"] = people["local_authority"].map(launch).astype("datetime64[us]")
    teams = allocation.frame.drop_duplicates("team_id").set_index("team_id")
    also = tuple(name for name in allocation.frame if name not in (*DRAWN, "row"))
    for name in ("treatment", *also):
        people[name] = people["team_id"].map(teams[name]).astype(float)
    people["stratum"] = people["team_id"].map(teams["stratum"]).astype("str")
    people["randomised"] = people["in_baseline"] & people["treatment"].notna()
    people["joined"] = ~people["in_baseline"]
    people = _with_course(people, course_log)
    for wave, suffix in SUFFIX.items():
        people = _with_answers(people, next((each for each in answers if each.wave == wave), None), suffix)
    first = [*_LEADING[:_DRAWN_HERE], *also, *_LEADING[_DRAWN_HERE:]]
    people = people[[*first, *(name for name in people if name not in (*first, "staff_id"))]]
    return in_order(people, groups="team_id", first=("local_authority",), without=("person",))


_LEADING = (
    "person",
    "local_authority",
    "team_id",
    "treatment",
    "stratum",
    "randomised",
    "joined",
    "role",
    "gender",
    "service_months",
    "part_time",
    "agency",
    "baseline_overall_days",
    "baseline_illness_days",
    "baseline_illness_spells",
    "interim_illness_days",
    "interim_illness_spells",
    "endline_illness_days",
    "endline_illness_spells",
    "in_baseline",
    "in_interim",
    "in_endline",
    "left",
    "leaving_date",
    "start_date",
    "replacement_cost",
    "launch",
    "interim_date",
    "endline_date",
    "enrolled",
    "modules_completed",
    "responded_t1",
    "responded_t2",
)
_DRAWN_HERE = _LEADING.index("randomised")  # before it stands what else was drawn with the teams


def _authority(waves: dict[str, Return], local_authority: str, pseudonyms: Pseudonyms) -> pd.DataFrame:
    frames = {wave: ret.frame.set_index("staff_id") for wave, ret in waves.items() if ret.readable}
    staff = pd.Index(list(dict.fromkeys(staff for wave in WAVES if wave in frames for staff in frames[wave].index)))
    said = {wave: frame.reindex(staff) for wave, frame in frames.items()}
    columns: dict[str, Any] = {}
    for name in _FIRST_SEEN:
        columns[name] = _first([said[wave][name] for wave in WAVES if wave in said])
    for wave, names in _DAYS.items():
        for source, target in names.items():
            columns[target] = said[wave][source] if wave in said else pd.Series(np.nan, index=staff, dtype=float)
    if {"interim", "endline"} <= frames.keys():
        # A leaver kept on the endline return with blank figures: those of the interim return cover all the time in
        # post.
        gone = said["interim"]["left"].eq(1)
        for name in ("illness_days", "illness_spells"):
            late, early = columns[f"endline_{name}"], columns[f"interim_{name}"]
            columns[f"endline_{name}"] = late.where(late.notna() | ~gone | ~staff.isin(frames["endline"].index), early)
    for wave in WAVES:
        columns[f"in_{wave}"] = staff.isin(frames[wave].index) if wave in frames else np.zeros(len(staff), dtype=bool)
    late_first = [said[wave] for wave in ("endline", "interim") if wave in said]
    for name in _LEAVING:
        missing = pd.Series(np.nan if name in ("left", "replacement_cost") else pd.NaT, index=staff)
        columns[name] = _first([each[name] for each in late_first]) if late_first else missing
    people = pd.DataFrame(columns, index=staff)
    people["left"] = _left(people, late_first)
    for wave in ("interim", "endline"):
        day = waves[wave].date_retrieved if wave in waves else None
        people[f"{wave}_date"] = pd.Series(day if day is not None else pd.NaT, index=staff, dtype="datetime64[us]")
    for name in ("leaving_date", "start_date"):
        people[name] = people[name].astype("datetime64[us]")
    people["local_authority"] = local_authority
    people["person"] = pseudonyms.people(local_authority, staff)
    return people.rename_axis("staff_id").reset_index()


def _first(columns: list[pd.Series]) -> pd.Series:
    """The first value that is not missing, return by return."""
    result = columns[0]
    for column in columns[1:]:
        result = result.where(result.notna(), column)
    return result


def _left(people: pd.DataFrame, late_first: list[pd.DataFrame]) -> pd.Series:
    said = pd.concat([each["left"] for each in late_first], axis=1) if late_first else pd.DataFrame(index=people.index)
    left = said.eq(1).any(axis=1)
    # Who is on the interim return as staying but on no endline return vanished: nobody knows whether they left.
    stayed = people["in_endline"] & ~left
    return pd.Series(np.select([left, stayed], [1.0, 0.0], np.nan), index=people.index)


def _with_course(people: pd.DataFrame, course_log: ListFile) -> pd.DataFrame:
    taken = course_log.frame.dropna(subset=["local_authority", "staff_id"]).drop_duplicates(
        ["local_authority", "staff_id"]
    )
    taken = taken.assign(enrolled=1.0)[["local_authority", "staff_id", "enrolled", "modules_completed"]]
    people = people.merge(taken, on=["local_authority", "staff_id"], how="left", validate="one_to_one")
    return people.fillna({"enrolled": 0.0, "modules_completed": 0.0})


def _with_answers(people: pd.DataFrame, answers: Answers | None, suffix: str) -> pd.DataFrame:
    if answers is None:
        return people.assign(**{f"responded{suffix}": False})
    used = answers.responses["used"] & answers.responses["person"].isin(people["person"])
    items = answers.items[used].add_suffix(suffix)
    items[f"responded{suffix}"] = answers.responses.loc[used, "scale_items"].gt(0)
    items["person"] = answers.responses.loc[used, "person"]
    people = people.merge(items, on="person", how="left", validate="one_to_one")
    people[f"responded{suffix}"] = people[f"responded{suffix}"].eq(True)
    return people


def build_teams(allocation: ListFile, people: pd.DataFrame) -> pd.DataFrame:
    """The allocation list with counts of people per team, in the order of authority and team."""
    counted = {
        "people": people["team_id"].notna(),
        "randomised": people["randomised"],
        "joiners": people["joined"],
        "leavers": people["left"].eq(1) & people["randomised"],
        "enrolled": people["enrolled"].eq(1) & people["randomised"],
        "responded_t1": people["responded_t1"] & people["randomised"],
        "responded_t2": people["responded_t2"] & people["randomised"],
    }
    counts = pd.DataFrame(counted).groupby(people["team_id"]).sum().astype("int64")
    teams = allocation.frame.drop(columns="row").merge(counts, left_on="team_id", right_index=True, how="left")
    teams[list(counted)] = teams[list(counted)].fillna(0).astype("int64")
    return teams.sort_values(["local_authority", "team_id"], ignore_index=True)
