"""The three returns of every authority as workbooks, with the typing habits that authorities have."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from hhp_stats.intake.dictionary import WAVES, Field, Wave, fields_of
from hhp_stats.synthetic.calibration import stream
from hhp_stats.synthetic.goal_setting import TrialDraw
from hhp_stats.synthetic.workbook import Cell, Sheet, workbook_bytes

SHEET = "Return"
FIRST_RETRIEVAL, LAST_RETRIEVAL = dt.date(2019, 4, 23), dt.date(2019, 5, 3)  # the printed deadline is the last
DAYS_A_MONTH = 30.4375
FULL_YEAR_MONTHS = 12
NEWLY_QUALIFIED, QUALIFIED = "newly qualified social worker", "social worker"

INSTRUCTIONS = {
    "baseline": "Please enter one line for every member of the children's social work teams taking part.",
    "interim": "Please enter one line for everyone in the teams since launch, up to the day of this return.",
    "endline": (
        "Please enter one line for everyone in the teams since the interim return, up to the day of this return."
    ),
}
IDS = (
    "Use the same anonymous staff IDs in all three returns and keep the key to yourselves; "
    "please send no names. Columns marked [extra] are not in the printed template."
)

Rows = list[list[Cell]]
Habit = Callable[[Rows, Mapping[str, int]], None]


def _trailing_blanks(rows: Rows, column: Mapping[str, int]) -> None:
    for row in rows[::9]:
        row[column["role"]] = f"{row[column['role']]} "


def _capital_roles(rows: Rows, column: Mapping[str, int]) -> None:
    for row in rows:
        if row[column["role"]] == NEWLY_QUALIFIED:
            row[column["role"]] = "Newly qualified social worker"


def _not_recorded(rows: Rows, column: Mapping[str, int]) -> None:
    for row in rows:
        if row[column["illness_days"]] is None:
            row[column["illness_days"]] = "N/A"


def _capital_answers(rows: Rows, column: Mapping[str, int]) -> None:
    for row in rows[::5]:
        row[column["part_time"]] = str(row[column["part_time"]]).capitalize()
        row[column["gender"]] = str(row[column["gender"]]).capitalize()


def _dates_as_text(rows: Rows, column: Mapping[str, int]) -> None:
    for row in rows:
        value = row[column["leaving_date"]]
        if isinstance(value, dt.date):
            row[column["leaving_date"]] = value.strftime("%d/%m/%Y")


HABITS: Mapping[tuple[str, Wave], tuple[str, Habit]] = {
    ("wolverhampton", "baseline"): ("blanks after some roles", _trailing_blanks),
    ("bromley", "baseline"): ("the role of newly qualified staff with a capital letter", _capital_roles),
    ("lambeth", "baseline"): ("N/A where absence was not recorded", _not_recorded),
    ("central-bedfordshire", "interim"): ("some answers with a capital letter", _capital_answers),
    ("north-tyneside", "endline"): ("leaving dates typed as text", _dates_as_text),
}
TEXT_HEADER_DATE = ("telford-and-wrekin", "interim")  # retrieval date typed as text


def return_files(*, draw: TrialDraw, fields: tuple[Field, ...], release: dt.date) -> dict[str, bytes]:
    """Every return workbook: path below `data/returns/goal_setting/` -> bytes.

    Columns and their headings come from the data dictionary, rows from the draw.
    """
    retrieved = _retrieval_dates(draw)
    files = {}
    for site in draw.assumptions.plan.sites:
        for wave in WAVES:
            columns = tuple(f for f in fields_of(fields, "return", wave) if f.kind not in ("header", "header date"))
            people = _listed(draw, site.slug, wave)
            day = retrieved[site.slug, wave]
            rows = _rows(people, columns, wave, retrieved[site.slug, "baseline"], day, draw)
            if (site.slug, wave) in HABITS:
                HABITS[site.slug, wave][1](rows, {field.name: number for number, field in enumerate(columns)})
            shown: Cell = day.strftime("%d/%m/%Y") if (site.slug, wave) == TEXT_HEADER_DATE else day
            marker = f"SYNTHETIC RELEASE {release.isoformat()}: made by a program; it describes no real person"
            above: list[list[Cell]] = [
                [INSTRUCTIONS[wave]],
                [IDS],
                ["Local Authority:", site.local_authority],
                ["Date data retrieved:", shown],
                [marker],
                [None],
            ]
            files[f"{site.slug}/{wave}.xlsx"] = workbook_bytes(
                sheet=Sheet(name=SHEET, above=above, headings=[f.label for f in columns], rows=rows),
                title=f"SYNTHETIC return, {site.local_authority}, {wave}",
                subject="SYNTHETIC RELEASE",
                description=marker,
                written=release,
            )
    return files


def _retrieval_dates(draw: TrialDraw) -> dict[tuple[str, str], dt.date]:
    """Baseline: a working day up to the printed deadline. Follow-ups: weeks after the authority's launch."""
    rng = stream(draw.seed, "retrieval")
    plan = draw.assumptions.plan
    span = int(np.busday_count(FIRST_RETRIEVAL, LAST_RETRIEVAL)) + 1
    dates: dict[tuple[str, str], dt.date] = {}
    for site in plan.sites:
        back = int(rng.integers(0, span))
        dates[site.slug, "baseline"] = np.busday_offset(FIRST_RETRIEVAL, back, roll="forward").astype(object)
        dates[site.slug, "interim"] = site.launch + dt.timedelta(weeks=plan.design.interim_weeks)
        dates[site.slug, "endline"] = site.launch + dt.timedelta(weeks=plan.design.endline_weeks)
    return dates


def _listed(draw: TrialDraw, slug: str, wave: Wave) -> pd.DataFrame:
    """Whom the return lists, by team and staff ID: the baseline list, or those in post since the last return."""
    people = draw.people.assign(joined=False)
    if wave != "baseline":
        people = pd.concat([people, draw.joiners.assign(joined=True)], ignore_index=True)
        people = people[people[f"in_{wave}"].astype(bool)]
    people = people[people["slug"] == slug]
    return people.sort_values(["team_id", "staff_id"], kind="stable")


def _rows(
    people: pd.DataFrame, columns: tuple[Field, ...], wave: Wave, first: dt.date, day: dt.date, draw: TrialDraw
) -> Rows:
    """The cells of one return, in the order of the dictionary; None is an empty cell."""
    months = people["service_months"].to_numpy()
    role = people["role"].to_numpy(dtype=object)
    if wave != "baseline":
        end = pd.Timestamp(day)
        last = people["leaving_date"].where(people["leaving_date"] < end, end)
        since = people["start_date"].fillna(pd.Timestamp(first))
        months = np.floor(months + (last - since).dt.days.to_numpy() / DAYS_A_MONTH)
        promoted = _promoted(people, draw) & (months > FULL_YEAR_MONTHS) & (wave == "endline")
        role = np.where(promoted, QUALIFIED, role)
    gone = people[f"left_by_{wave}"].to_numpy(dtype=bool) if wave != "baseline" else np.zeros(len(people), dtype=bool)
    values: dict[str, list[Cell]] = {
        "staff_id": people["staff_id"].tolist(),
        "team_id": people["team_id"].tolist(),
        "role": role.tolist(),
        "gender": people["gender"].tolist(),
        "service_months": [int(value) for value in months],
        "overall_absence_days": _numbers(people[f"{wave}_overall_days"]),
        "illness_days": _numbers(people[f"{wave}_illness_days"]),
        "illness_spells": _numbers(people[f"{wave}_illness_spells"]),
        "part_time": _yes_no(people["part_time"]),
        "agency": _yes_no(people["agency"]),
    }
    if wave != "baseline":
        values |= {
            "start_date": _dates(people["start_date"]),
            "left": ["yes" if value else "no" for value in gone],
            "leaving_date": _dates(people["leaving_date"].where(gone)),
            "replacement_cost": _numbers(people["replacement_cost"].where(gone)),
        }
    return [list(row) for row in zip(*(values[field.name] for field in columns), strict=True)]


def _promoted(people: pd.DataFrame, draw: TrialDraw) -> np.ndarray:
    """Newly qualified staff who are social workers once their first year is over."""
    lots = stream(draw.seed, "promotion").random(len(draw.people))
    lot = pd.Series(lots, index=draw.people["staff_id"]).reindex(people["staff_id"]).to_numpy()
    chosen = lot < draw.assumptions.people.promoted_share  # joiners have no lot: comparison with NaN is false
    return (people["role"] == NEWLY_QUALIFIED).to_numpy() & chosen


def _numbers(values: pd.Series) -> list[Cell]:
    return [None if np.isnan(v) else int(v) if float(v).is_integer() else float(v) for v in values.astype("float64")]


def _yes_no(values: pd.Series) -> list[Cell]:
    return ["yes" if value == 1 else "no" for value in values]


def _dates(values: pd.Series) -> list[Cell]:
    return [None if pd.isna(value) else value.date() for value in values]
