"""The files in which ten authorities, a survey platform and a trial team hand over the made-up trial.

Every authority has habits of its own (`HABITS`), as real ones have: what a person reads the same way must be read so,
and what nobody can read is refused and sent again.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
from openpyxl.comments import Comment
from real_trial import Truth

META = (
    "StartDate",
    "EndDate",
    "Status",
    "Progress",
    "Duration (in seconds)",
    "Finished",
    "RecordedDate",
    "ResponseId",
    "ExternalReference",
    "DistributionChannel",
    "UserLanguage",
)
WAVES = ("baseline", "interim", "endline")
Record = dict[str, Any]


def labels(root: Path, wave: str) -> dict[str, str]:
    """Field -> heading of a return, as the project's dictionary prints them."""
    with (root / "data/dictionary.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["file"] == "return"]
    own = [row for row in rows if row["wave"] == "all" or wave in row["wave"].split("|")]
    return {row["field"]: row["column_label"] for row in own if not row["kind"].startswith("header")}


def team_name(slug: str, team: int) -> str:
    """How an authority calls a team: by a code, or as people do."""
    return f"Team {team}" if slug in ("kings-marsh", "garrowdale") else f"{slug[:3].upper()}-T{team:02d}"


def staff_id(slug: str, staff: str) -> str | int:
    """How an authority numbers its staff: Fenbridge with a number and nothing else."""
    return int(staff) if slug == "fenbridge" else f"{slug[:3].upper()}{staff}"


def drawn_on(launch: date, wave: str, slug: str) -> date:
    """The day on which the records were drawn; Garrowdale was three weeks late with the last ones."""
    late = timedelta(weeks=3) if (slug, wave) == ("garrowdale", "endline") else timedelta(0)
    return (
        launch
        + {"baseline": timedelta(weeks=-8), "interim": timedelta(weeks=12), "endline": timedelta(weeks=24)}[wave]
        + late
    )


def vanished(truth: Truth) -> list[tuple[str, str]]:
    """Six stayers of Fenbridge whom the endline return forgot, without a word on whether they left.

    Of fewer, the numbers of people would tell which they are, and be withheld.
    """
    own = truth.people[(truth.people["authority"] == "Fenbridge") & (truth.people["left"] == 0)]
    return list(zip(own["authority"], own["staff"], strict=True))[3:9]


def records(truth: Truth, authority: str, slug: str, wave: str) -> list[Record]:
    """The people of one return, clean: field -> value."""
    own = truth.people[truth.people["authority"] == authority]
    launch = truth.launch()[authority]
    months = {"baseline": 0, "interim": 5, "endline": 7}[wave]
    lost = vanished(truth) if wave == "endline" else []
    rows: list[Record] = []
    for person in own.to_dict("records"):
        gone = wave != "baseline" and person["leaving"] is not None and person["leaving"] < drawn_on(launch, wave, slug)
        if wave == "endline" and person["gone_early"] and slug != "dunmere":
            continue  # Dunmere alone keeps leavers on later returns
        if wave == "interim" and slug == "holmsted" and person["team"] % 2 and not gone:
            continue  # Holmsted sent half of it
        if (authority, person["staff"]) in lost:
            continue
        ill, spells = (
            (person["base_days"], person["base_spells"])
            if wave == "baseline"
            else (
                person[f"{wave}_days"],
                person[f"{wave}_spells"],
            )
        )
        row = {
            "staff_id": staff_id(slug, person["staff"]),
            "team_id": team_name(slug, person["team"]),
            "role": person["role"],
            "gender": "male" if person["male"] else "female",
            "service_months": person["service"] + months,
            "overall_absence_days": None if np.isnan(ill) else ill + {"baseline": 12, "interim": 5, "endline": 9}[wave],
            "illness_days": None if np.isnan(ill) else ill,
            "illness_spells": None if np.isnan(spells) else int(spells),
            "part_time": "yes" if person["part_time"] else "no",
            "agency": "yes" if person["agency"] else "no",
        }
        if wave != "baseline":
            row |= {"left": "yes" if gone else "no", "leaving_date": person["leaving"] if gone else None}
            known = gone and slug not in ("amberwick", "inglestow")
            row["replacement_cost"] = 3000 + 100 * (int(person["staff"]) % 30) if known else None
        rows.append(row)
    if wave != "baseline":
        rows.append(
            {
                **rows[0],
                "staff_id": f"{slug[:3].upper()}J01",
                "service_months": months - 3,
                "illness_days": 0,
                "left": "no",
            }
            | {
                "overall_absence_days": 1,
                "illness_spells": None,
                "leaving_date": None,
                "start_date": launch + timedelta(weeks=3),
            }
        )
    return rows


# ---------------------------------------------------------------- the habits of authorities
def _second_sheet(book: openpyxl.Workbook, sheet: Any, rows: int) -> None:
    """A sheet of guidance in front, lists for drop-downs on a hidden one, totals below the table."""
    book.create_sheet("Guidance", 0)["A1"] = "Please fill in the sheet behind this one."
    hidden = book.create_sheet("Lists")
    hidden["A1"], hidden.sheet_state = "yes", "hidden"
    sheet.cell(row=8 + rows, column=1, value="Total")
    sheet.cell(row=8 + rows, column=7, value=f"=SUM(G8:G{7 + rows})")


def _remarks(book: openpyxl.Workbook, sheet: Any, rows: int) -> None:
    sheet["A9"].comment = Comment("on secondment until June", "HR")
    sheet.column_dimensions["C"].width = 40


def _subtotals(book: openpyxl.Workbook, sheet: Any, rows: int) -> None:
    sheet.cell(row=9 + rows, column=1, value="Grand total")
    sheet.cell(row=9 + rows, column=5, value=rows)


def _as_text(value: Any) -> Any:
    return value.strftime("%d/%m/%Y") if isinstance(value, date) else value


def _by_month(value: Any) -> Any:
    return value.strftime("%d %b %Y") if isinstance(value, date) else value


Habit = Callable[[Record], Record]
VALUES: dict[str, Habit] = {
    "kings-marsh": lambda row: {
        **row,
        "role": f"{row['role'].capitalize()} ",
        **{name: "N/A" for name in ("illness_days", "overall_absence_days") if row.get(name) is None},
    },
    "stoke-on-tees": lambda row: {key: _as_text(value) for key, value in row.items()},
    "eastholt": lambda row: {key: _by_month(value) for key, value in row.items()},
    "dunmere": lambda row: {**row, "role": {"newly qualified social worker": "NQSW"}.get(row["role"], row["role"])},
    "inglestow": lambda row: {
        **row,
        "gender": row["gender"][0].upper(),
        **{key: row[key][0].upper() for key in ("part_time", "agency", "left") if key in row},
    },
}
LAYOUT = {"amberwick": _second_sheet, "stoke-on-tees": _remarks, "dunmere": _subtotals}


def write_return(root: Path, study: str, truth: Truth, slug: str, wave: str, *, hours: bool = False) -> Path:
    """One return as its authority sends it; with `hours` one figure is in hours, which nobody can turn into days."""
    name, _, launch, _ = next(each for each in truth.authorities if each[1] == slug)
    heads = labels(root, wave)
    rows = [VALUES.get(slug, dict)(row) for row in records(truth, name, slug, wave)]
    if hours:
        rows[4]["illness_days"] = "22.5 hrs"
    day = drawn_on(launch, wave, slug)
    folder = root / f"data/returns/{study}/{slug}"
    folder.mkdir(parents=True, exist_ok=True)
    if slug == "upper-and-lower-wold":  # exports a list, with semicolons, in the code page of its computers
        path = folder / f"{wave}.csv"
        with path.open("w", encoding="cp1252", newline="") as stream:
            out = csv.writer(stream, delimiter=";")
            out.writerows([["Local Authority:", name], ["Date data retrieved:", day.isoformat()], []])
            out.writerow(heads.values())
            out.writerows([["" if row.get(key) is None else row[key] for key in heads] for row in rows])
        return path
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Return"
    sheet["A3"], sheet["B3"] = "Local Authority:", name
    sheet["A4"], sheet["B4"] = "Date data retrieved:", datetime.combine(day, datetime.min.time())
    for column, label in enumerate(heads.values(), start=1):
        sheet.cell(row=7, column=column, value=label)
    for number, row in enumerate(rows, start=8):
        for column, key in enumerate(heads, start=1):
            value = row.get(key)
            if value is not None:
                sheet.cell(row=number, column=column, value=value)
    if slug in LAYOUT:
        LAYOUT[slug](book, sheet, len(rows))
    path = folder / f"{wave}.xlsx"
    book.save(path)
    return path


# ---------------------------------------------------------------- surveys and lists
def survey_fields(root: Path, wave: str) -> list[dict[str, str]]:
    """The questions of a survey, as the dictionary lists them."""
    with (root / "data/dictionary.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["file"] == "survey"]
    return [row for row in rows if wave in row["wave"].split("|")]


def _answers(person: Record, suffix: int, fields: list[dict[str, str]], rng: np.random.Generator) -> Record:
    mood = person[f"mood_{suffix}"]
    row: Record = {}
    for field in fields:
        name = field["field"]
        if name == "consent":
            row[name] = "agree"
        elif name == "comments":
            row[name] = "Too busy, sorry; ask my manager" if rng.random() < 0.1 else ""
        elif field["allowed"]:
            choices = field["allowed"].split("|")
            at = int(person["staff"]) % len(choices)
            row[name] = choices[at] if name not in ("contract",) else ("agency" if person["agency"] else "permanent")
        else:
            low, high = float(field["minimum"]), float(field["maximum"])
            row[name] = int(
                np.clip(np.round((low + high) / 2 + (high - low) / 5 * (mood + rng.normal(0, 0.5))), low, high)
            )
    return row


def write_surveys(root: Path, study: str, truth: Truth) -> pd.DataFrame:
    """Both exports and the list of codes; gives what was answered, by authority and staff, as a person would read it."""
    rng = np.random.default_rng(truth.seed + 2)
    folder = root / f"data/surveys/{study}"
    folder.mkdir(parents=True, exist_ok=True)
    slugs = {name: slug for name, slug, _, _ in truth.authorities}
    people = truth.people.to_dict("records")
    codes = {index: f"Q{index:04d}{'ABCDEFGH'[index % 8]}" for index in range(len(people))}
    with (folder / "linkage.csv").open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(["local_authority", "staff_id", "survey_code"])
        out.writerows(
            [p["authority"], staff_id(slugs[p["authority"]], p["staff"]), codes[i]] for i, p in enumerate(people)
        )
    known = [{"authority": p["authority"], "staff": p["staff"]} for p in people]
    for wave, suffix in (("baseline", 1), ("endline", 2)):
        fields = survey_fields(root, wave)
        names = [*META, *(field["field"] for field in fields)]
        lines = []
        for index, person in enumerate(people):
            if not person[f"answered_{suffix}"]:
                continue
            day = truth.launch()[person["authority"]] + timedelta(days=-20 if wave == "baseline" else 170)
            row = _meta(len(lines), day, codes[index]) | _answers(person, suffix, fields, rng)
            lines.append(row)
            known[index] |= {
                f"happiness_{suffix}": row["happiness"],
                f"time_pressure_{suffix}": (row["pressure_1"] + row["pressure_2"]) / 2,
            }
        lines.append({**lines[0], "Status": "Survey Preview", "ResponseId": "R_preview", "ExternalReference": ""})
        lines.append(
            {**lines[1], "consent": "disagree", "ResponseId": "R_declined", "ExternalReference": codes[len(codes) - 1]}
        )
        with (folder / f"{wave}.csv").open("w", encoding="utf-8-sig", newline="") as stream:
            out = csv.writer(stream)
            out.writerow(names)
            out.writerow([f"Question on {name}, in words" for name in names])
            out.writerow([f'{{"ImportId":"QID{n}","timeZone":"Europe/London"}}' for n, _ in enumerate(names)])
            out.writerows([[row.get(name, "") for name in names] for row in lines])
    return pd.DataFrame(known)


def _meta(number: int, day: date, code: str) -> Record:
    stamp = f"{day} 10:{number % 60:02d}:00"
    return {
        "StartDate": stamp,
        "EndDate": stamp,
        "RecordedDate": stamp,
        "Status": "IP Address",
        "Progress": 100,
        "Duration (in seconds)": 500,
        "Finished": "True",
        "ResponseId": f"R_{day:%m%d}{number:05d}",
        "ExternalReference": code,
        "DistributionChannel": "email",
        "UserLanguage": "EN",
    }


def write_course_log(root: Path, study: str, truth: Truth) -> None:
    """Who started the course, as the platform lists them."""
    path = root / f"data/course_log/{study}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    slugs = {name: slug for name, slug, _, _ in truth.authorities}
    with path.open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(["staff_id", "local_authority", "enrolled_on", "modules_completed", "last_activity_on"])
        for person in truth.people[truth.people["started"]].to_dict("records"):
            launch = truth.launch()[person["authority"]]
            days = int(person["staff"]) % 9
            out.writerow(
                [
                    staff_id(slugs[person["authority"]], person["staff"]),
                    person["authority"],
                    launch + timedelta(days=days),
                    1 + int(person["staff"]) % 6,
                    launch + timedelta(days=30 + days),
                ]
            )


def write_plan(root: Path, study: str, truth: Truth) -> None:
    """The trial's own plan: the shipped one with other authorities, launches and numbers, and fewer draws."""
    path = root / f"data/plan/{study}.toml"
    head, _, rest = path.read_text(encoding="utf-8").partition("# Launch dates:")
    rest = rest[rest.index("[populations.randomised]") :]
    sites = "".join(
        f'[[sites]]\nlocal_authority = "{name}"\nslug = "{slug}"\nlaunch = {launch}\nlaunch_printed = true\n\n'
        for name, slug, launch, _ in truth.authorities
    )
    old = rest[rest.index('levels = ["Bromley"') :].splitlines()[0]
    names = ", ".join(f'"{name}"' for name, *_ in truth.authorities)
    rest = rest.replace(old, f"levels = [{names}]").replace('base = "Bromley"', f'base = "{truth.authorities[0][0]}"')
    for before, after in (("m = 100", "m = 4"), ("m = 40", "m = 3"), ("iterations = 10", "iterations = 2")):
        rest = rest.replace(before, after)
    rest = rest.replace("imputations = 20", "imputations = 3").replace("draws = 1000", "draws = 60")
    head = head.replace("recruited = 1315", f"recruited = {len(truth.people)}")
    path.write_text(head + sites + rest, encoding="utf-8")


def write_imprint(root: Path) -> None:
    """Decide what the imprint leaves open: a report with real data says who answers for it."""
    path = root / "data/imprint.toml"
    text = path.read_text(encoding="utf-8")
    for key, value in (("doi", "10.1234/abcd"), ("isbn", "978-0-306-40615-7")):
        text = text.replace(f'{key} = "[to be confirmed]"', f'{key} = "{value}"')
    head, begin, rest = text.partition("\nversion = ")  # the remark above speaks of the mark
    path.write_text(head + begin + rest.replace("[to be confirmed]", "The trial team"), encoding="utf-8")
