"""A small valid trial (two authorities) as raw files, which tests change before writing."""

from __future__ import annotations

import csv
import random
import shutil
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl

from hhp_stats.intake.correct import Change, append_corrections
from hhp_stats.intake.dictionary import WAVES, fields_of, load_dictionary
from hhp_stats.intake.manifest import record_files

PROJECT = Path(__file__).resolve().parents[3]
STUDY = "goal_setting"
SITES = (("Kent", "kent", date(2019, 7, 8)), ("Bromley", "bromley", date(2019, 9, 30)))
ROLES = (
    "student social worker",
    "newly qualified social worker",
    "social worker",
    "senior practitioner",
    "team manager",
    "other",
)
FIRST_DATA_ROW = 8
SURVEY_META = (
    "StartDate",
    "EndDate",
    "Status",
    "Progress",
    "Duration (in seconds)",
    "Finished",
    "RecordedDate",
    "ResponseId",
    "RecipientLastName",
    "RecipientFirstName",
    "RecipientEmail",
    "ExternalReference",
    "DistributionChannel",
    "UserLanguage",
)


@dataclass
class Sheet:
    """One return: block above the table, headings, people as field -> value."""

    authority: str
    day: object
    labels: dict[str, str]
    people: list[dict[str, object]]
    mark: str | None = "SYNTHETIC RELEASE: generated"

    def book(self) -> openpyxl.Workbook:
        book = openpyxl.Workbook()
        sheet = book.active
        sheet.title = "Return"
        sheet["A1"], sheet["A2"] = "Use anonymous codes.", "One person a row."
        sheet["A3"], sheet["B3"] = "Local Authority:", self.authority
        sheet["A4"], sheet["B4"] = "Date data retrieved:", self.day
        sheet["A5"] = self.mark
        for column, label in enumerate(self.labels.values(), start=1):
            sheet.cell(row=7, column=column, value=label)
        for row, person in enumerate(self.people, start=FIRST_DATA_ROW):
            for column, name in enumerate(self.labels, start=1):
                if person.get(name) is not None:
                    sheet.cell(row=row, column=column, value=person[name])
        return book

    def find(self, staff_id: str) -> dict[str, object]:
        return next(person for person in self.people if person["staff_id"] == staff_id)

    def cell(self, staff_id: str, name: str) -> str:
        row = FIRST_DATA_ROW + next(i for i, each in enumerate(self.people) if each["staff_id"] == staff_id)
        return f"{openpyxl.utils.get_column_letter(list(self.labels).index(name) + 1)}{row}"


@dataclass
class TrialFiles:
    """All raw files of a small trial in memory; `write` puts them below a project root."""

    root: Path
    returns: dict[tuple[str, str], Sheet]
    allocation: list[dict[str, object]]
    course_log: list[dict[str, object]]
    linkage: list[dict[str, object]]
    surveys: dict[str, list[dict[str, object]]]
    survey_fields: dict[str, list[str]]
    ledger: list[dict[str, str]] = field(default_factory=list)
    status: str = "synthetic"
    ready: dict[tuple[str, str], tuple[Sheet, Path]] = field(default_factory=dict)

    def write(self) -> Path:
        root = self.root
        for folder in ("data/plan", "data/allocation", "data/course_log", f"data/surveys/{STUDY}"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        for name in ("dictionary.csv", "spellings.csv"):
            shutil.copy(PROJECT / "data" / name, root / "data" / name)
        sites = "".join(
            f'[[sites]]\nlocal_authority = "{la}"\nslug = "{slug}"\nlaunch = {launch}\n' for la, slug, launch in SITES
        )
        plan = f'study = "{STUDY}"\n[design.follow_up]\nbaseline_months = 12\ninterim_weeks = 12\nendline_weeks = 24\n'
        plan += '[[terms]]\ncolumn = "coffee"\nkind = "binary"\n'
        (root / f"data/plan/{STUDY}.toml").write_text(plan + sites, encoding="utf-8")
        for (slug, wave), sheet in self.returns.items():
            path = self.return_path(slug, wave)
            path.parent.mkdir(parents=True, exist_ok=True)
            ready = self.ready.get((slug, wave))
            if ready is not None and ready[0] == sheet:
                shutil.copy(ready[1], path)  # written once for all tests that leave this return as it is
            else:
                sheet.book().save(path)
        write_csv(root / f"data/allocation/{STUDY}.csv", self.allocation)
        write_csv(root / f"data/course_log/{STUDY}.csv", self.course_log)
        write_csv(root / f"data/surveys/{STUDY}/linkage.csv", self.linkage)
        for wave in self.surveys:
            self.write_survey(wave)
        if self.ledger:
            write_csv(root / "data/corrections.csv", self.ledger)
        self.seal()
        return root

    def seal(self) -> None:
        """Records the checksums of the files as they are now."""
        record_files(self.root, status=self.status, release="2026-01-01")

    def return_path(self, slug: str, wave: str) -> Path:
        return self.root / f"data/returns/{STUDY}/{slug}/{wave}.xlsx"

    def survey_path(self, wave: str) -> Path:
        return self.root / f"data/surveys/{STUDY}/{wave}.csv"

    def write_survey(self, wave: str, encoding: str = "utf-8-sig", delimiter: str = ",") -> None:
        names = [*SURVEY_META, *self.survey_fields[wave], "Release"]
        with self.survey_path(wave).open("w", encoding=encoding, newline="") as file:
            writer = csv.writer(file, delimiter=delimiter)
            writer.writerow(names)
            writer.writerow([f"Question {name}, in words" for name in names])
            writer.writerow([f'{{"ImportId":"{name}"}}' for name in names])
            writer.writerows([[row.get(name, "") for name in names] for row in self.surveys[wave]])


def write_csv(path: Path, rows: list[dict[str, object]], columns: tuple[str, ...] = ()) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(columns or rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def small_trial(root: Path, *, seed: int = 7, teams: int = 4, size: int = 5) -> TrialFiles:
    """Two authorities of four teams of five, one leaver per wave, one joiner, a survey at both ends."""
    rng = random.Random(seed)
    fields = load_dictionary(PROJECT)
    labels = {
        wave: {
            each.name: each.label for each in fields_of(fields, "return", wave) if not each.kind.startswith("header")
        }
        for wave in WAVES
    }
    returns: dict[tuple[str, str], Sheet] = {}
    allocation, course, linkage = [], [], []
    responses: dict[str, list[dict[str, object]]] = {"baseline": [], "endline": []}
    items = {wave: list(fields_of(fields, "survey", wave)) for wave in responses}
    for authority, slug, launch in SITES:
        letters = authority[:3].upper()
        days = {
            "baseline": date(2019, 4, 29),
            "interim": launch + timedelta(weeks=12),
            "endline": launch + timedelta(weeks=24),
        }
        people = []
        for team in range(1, teams + 1):
            team_id = f"{letters}-T{team:02d}"
            allocation.append(
                {
                    "team_id": team_id,
                    "local_authority": authority,
                    "stratum": f"{letters} low",
                    "treatment": team % 2,
                    "coffee": 0,
                    "release": "synthetic",
                }
            )
            for _ in range(size):
                people.append({"staff_id": f"{letters}-{len(people) + 1:04d}", "team_id": team_id})
        waves: dict[str, list[dict[str, object]]] = {wave: [] for wave in WAVES}
        for index, person in enumerate(people):
            months = rng.randint(3, 200)
            base = {
                **person,
                "role": ROLES[index % 6],
                "gender": rng.choice(("female", "male")),
                "part_time": "no",
                "agency": rng.choice(("yes", "no")),
            }
            ill = rng.choice((0, 0, 1, 2, 3.5, 8))
            waves["baseline"].append(
                {
                    **base,
                    "service_months": months,
                    "overall_absence_days": ill + rng.randint(5, 25),
                    "illness_days": ill,
                    "illness_spells": 0 if ill == 0 else 1,
                }
            )
            early, late = rng.choice((0, 0, 1, 2)), rng.choice((0, 1, 3))
            for wave, ill, more in (("interim", early, 3), ("endline", early + late, 6)):
                waves[wave].append(
                    {
                        **base,
                        "service_months": months + more,
                        "overall_absence_days": ill + more,
                        "illness_days": ill,
                        "illness_spells": 0 if ill == 0 else 1 + (wave == "endline"),
                        "left": "no",
                    }
                )
        # The second person leaves before the interim return, the third after it; a joiner comes in the third week.
        waves["endline"] = [each for each in waves["endline"] if each["staff_id"] != f"{letters}-0002"]
        for wave, staff, weeks in (("interim", f"{letters}-0002", 10), ("endline", f"{letters}-0003", 20)):
            leaver = next(each for each in waves[wave] if each["staff_id"] == staff)
            leaver |= {
                "left": "yes",
                "leaving_date": _moment(launch + timedelta(weeks=weeks)),
                "replacement_cost": 4000,
            }
        joiner = {
            "staff_id": f"{letters}-9001",
            "team_id": f"{letters}-T01",
            "role": "other",
            "gender": "female",
            "service_months": 2,
            "part_time": "yes",
            "agency": "no",
            "left": "no",
            "illness_days": 0,
            "illness_spells": 0,
            "overall_absence_days": 1,
            "start_date": _moment(launch + timedelta(weeks=3)),
        }
        for wave in ("interim", "endline"):
            waves[wave].append({**joiner, "service_months": 2 if wave == "interim" else 5})
        for wave in WAVES:
            returns[slug, wave] = Sheet(authority, _moment(days[wave]), labels[wave], waves[wave])
        treated = [each for each in people if int(each["team_id"][-2:]) % 2]
        for person in treated[:3]:
            course.append(
                {
                    "staff_id": person["staff_id"],
                    "local_authority": authority,
                    "enrolled_on": launch + timedelta(days=4),
                    "modules_completed": rng.randint(1, 6),
                    "last_activity_on": launch + timedelta(days=40),
                    "release": "synthetic",
                }
            )
        for person in people:
            code = f"sv{len(linkage):05d}x"
            linkage.append(
                {
                    "local_authority": authority,
                    "staff_id": person["staff_id"],
                    "survey_code": code,
                    "release": "synthetic",
                }
            )
            for wave, day in (("baseline", launch - timedelta(days=20)), ("endline", launch + timedelta(days=170))):
                if rng.random() < 0.6:
                    responses[wave].append(response(len(responses[wave]), code, day, items[wave], rng))
    names = {wave: [each.name for each in specs] for wave, specs in items.items()}
    return TrialFiles(root, returns, allocation, course, linkage, responses, names)


def response(number: int, code: str, day: date, specs: list, rng: random.Random) -> dict[str, object]:
    """One finished response with consent and an answer to every question."""
    stamp = f"{day} 10:00:00"
    row: dict[str, object] = dict.fromkeys(SURVEY_META, "")
    row |= {
        "StartDate": stamp,
        "EndDate": stamp,
        "RecordedDate": stamp,
        "Status": "IP Address",
        "Progress": 100,
        "Duration (in seconds)": 600,
        "Finished": "True",
        "ResponseId": f"R_{day:%m}{number:05d}",
        "RecipientLastName": "Synthetic",
        "RecipientFirstName": f"Person {number:04d}",
        "RecipientEmail": f"person-{number:04d}@example.invalid",
        "ExternalReference": code,
        "DistributionChannel": "email",
        "UserLanguage": "EN",
        "Release": "synthetic",
    }
    for spec in specs:
        if spec.name == "consent":
            row[spec.name] = "agree"
        elif spec.allowed:
            row[spec.name] = rng.choice(spec.allowed)
        elif spec.kind in ("integer", "number"):
            row[spec.name] = rng.randint(int(spec.minimum), int(spec.maximum))
    if row["happiness"] == 10:
        row["happiness"] = "10 = Extremely"
    return row


def _moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)


def append_correction(root, *, field, old_value, new_value, **more):
    """One correction of one field, its old value given."""
    (line,) = append_corrections(root, changes=[Change(field=field, new_value=new_value, old_value=old_value)], **more)
    return line
