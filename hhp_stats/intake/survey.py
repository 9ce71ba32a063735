"""What did the survey export say? Qualtrics CSV or SPSS read without names, email addresses or free text."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from hhp_stats.errors import Problem
from hhp_stats.intake import values as v
from hhp_stats.intake.columns import Manner
from hhp_stats.intake.container import Refused
from hhp_stats.intake.days import day_of, month_first
from hhp_stats.intake.dictionary import Field, fields_of
from hhp_stats.intake.masking import shown, words_of
from hhp_stats.intake.pseudonym import Pseudonyms
from hhp_stats.intake.response_kinds import contradicts, is_known, is_person
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.rules_definition import definition_of, definition_problems, in_words, labels_of
from hhp_stats.intake.spellings import Spellings, same, tidy
from hhp_stats.intake.survey_answers import DECLINED, LABEL, read_answers
from hhp_stats.intake.survey_definition import Definition
from hhp_stats.intake.survey_export import EXPORT_TYPES, Export, read_csv_export, read_sav_export
from hhp_stats.intake.survey_questions import LOCAL_TIME, Metadata, zone_of
from hhp_stats.intake.table import Table, comma_in_numbers, empty_frame
from hhp_stats.intake.tolerance import Tolerance

DECLARED_MISSING = "a code that the SPSS file declares to be missing"
OTHER_ENCODING = "another character encoding than UTF-8"
SPSS_FILE = "an SPSS file instead of a CSV file"
OTHER_TIME = "moments in another time zone"
# Columns that identify people and are turned into pseudonyms, or never read at all.
CONTACT = ("RecipientEmail", "RecipientLastName", "RecipientFirstName")
NEVER_READ = frozenset({"IPAddress", "LocationLatitude", "LocationLongitude"})
_NEEDED = ("ResponseId", "ExternalReference", "Finished", "RecordedDate")
_META = frozenset(
    {
        *_NEEDED,
        *CONTACT,
        *NEVER_READ,
        "StartDate",
        "EndDate",
        "Status",
        "Progress",
        "Duration (in seconds)",
        "DistributionChannel",
        "UserLanguage",
        "Release",
    }
)

SURVEY_MISSING = Rule(
    code="S01",
    severity="error",
    rule="The survey export must be there.",
    remedy="Export the survey as CSV and put it in its place; a survey without answers has its heading rows only.",
)
SURVEY_UNREADABLE = Rule(
    code="S02",
    severity="error",
    rule="A survey export must be a CSV file with Qualtrics' three heading rows (names, questions, import ids), or an "
    "SPSS file (.sav).",
    remedy="Export again with numeric values or labels, all fields, and do not open it in between.",
)
SURVEY_COLUMNS = Rule(
    code="S03",
    severity="error",
    rule="A survey export must hold every question of the dictionary and Qualtrics' own columns, each once.",
    remedy="Export all fields, and name the questions as in data/dictionary.csv.",
)
SURVEY_RAGGED = Rule(
    code="S04",
    severity="error",
    rule="Every line of a survey export must have as many fields as its heading.",
    remedy="Export again; do not edit the file.",
)
SURVEY_UNKNOWN = Rule(
    code="S05",
    severity="note",
    rule="Columns that the dictionary does not know are not read.",
    remedy="Add the question to the dictionary if it is to be analysed.",
)

TWO_EXPORTS = Rule(
    code="S06",
    severity="error",
    rule="There must be one export per survey and wave.",
    remedy="Keep the CSV file or the SPSS file and remove the other.",
)

SURVEY_FILE_RULES = (
    SURVEY_MISSING,
    SURVEY_UNREADABLE,
    SURVEY_COLUMNS,
    SURVEY_RAGGED,
    SURVEY_UNKNOWN,
    TWO_EXPORTS,
)


@dataclass(slots=True, kw_only=True)
class SurveyFile(Table):
    """One export as read: answers by field, and per response what decides whether it counts.

    `meta` has the columns response, code, contact (pseudonym), recorded, started, seconds, finished, preview (no
    person's response), unknown_kind, two_kinds (one column says that it is a preview, another not); it never holds a
    name, an email address or a free text. `declined` are the positions of options that say there is no answer, by
    field.
    """

    wave: str
    questions: Metadata = field(default_factory=Metadata)
    definition: Definition | None = None  # of the survey, where it lies beside the export
    declined: dict[str, list[int]] = field(default_factory=dict)
    meta: pd.DataFrame = field(default_factory=pd.DataFrame)
    encoding: str = ""
    absent: bool = False  # there is no file
    synthetic: bool = False
    unmarked: bool = False


def export_file(root: Path, *, study: str, wave: str) -> tuple[str, list[Problem]]:
    """Which file below `root` is the export of a wave: the CSV file, else an SPSS file; both at once are refused."""
    names = [f"data/surveys/{study}/{wave}{suffix}" for suffix in EXPORT_TYPES]
    there = [name for name in names if (root / name).is_file()] or names[:1]
    both = [TWO_EXPORTS.problem(file=there[0], value=f"also {there[1].rsplit('/', 1)[1]}")] if len(there) > 1 else []
    return there[0], both


def read_survey(
    path: Path, *, file: str, wave: str, fields: tuple[Field, ...], spellings: Spellings, pseudonyms: Pseudonyms
) -> SurveyFile:
    """What does one Qualtrics export (CSV or SPSS) say? Problems are collected in the result.

    The encoding of a CSV is detected (UTF-8, UTF-16, with or without byte order mark, Windows-1252). Of an SPSS file
    the labels of its values count, else the numbers. Whether a missing file may be missing is for the caller to say
    (`rules_survey.unanswered`). Scales may be numbers, numbers with a label ("10 = Extremely")
    or the printed labels; choices their labels. Names and email addresses become keyed pseudonyms here and are
    dropped; IP addresses, places and free text are never read.
    """
    specs = tuple(spec for spec in fields_of(fields, "survey", wave) if spec.kind != "free text")
    skipped = {spec.name for spec in fields_of(fields, "survey", wave)} - {spec.name for spec in specs}
    result = SurveyFile(
        file=file,
        path=path,
        wave=wave,
        frame=empty_frame(specs, []),
        fields={spec.name: spec for spec in specs},
        vocabulary=words_of(
            *(a for spec in specs for a in spec.allowed),
            *(spec.name for spec in specs),
            *_META,
            *(label for spec in specs for label in spellings.accepted(spec)),
        ),
    )
    if not path.is_file():
        result.absent, result.meta = True, _meta([], [], pseudonyms, {})
        return result
    try:
        if path.suffix.casefold() == ".sav":
            export = read_sav_export(path, wanted=frozenset(result.fields) | (_META - NEVER_READ))
        else:
            export = read_csv_export(path)
        raw_bytes = path.read_bytes()
    except Refused as refused:
        result.problems.append(SURVEY_UNREADABLE.refused(file=file, refused=refused))
        return result
    except OSError as error:
        result.problems.append(SURVEY_UNREADABLE.problem(file=file, value=type(error).__name__))
        return result
    result.encoding = export.encoding
    result.sha256, result.size = hashlib.sha256(raw_bytes).hexdigest(), len(raw_bytes)
    _say_format(result, export)
    heads, body = export.heads, export.body
    wanted = [*_NEEDED, *(spec.name for spec in specs)]
    lacking = [name for name in wanted if heads.count(name) != 1]
    if lacking:
        value = "not once: " + ", ".join(lacking)
        result.problems.append(SURVEY_COLUMNS.problem(file=file, cell="row 1", value=value))
        return result
    unknown = [head for head in heads if head not in _META and head not in result.fields and head not in skipped]
    if unknown:
        result.problems.append(SURVEY_UNKNOWN.problem(file=file, cell="row 1", value=f"{len(unknown)} columns"))
    result.problems += [
        SURVEY_RAGGED.problem(file=file, cell=f"row {number}", value=f"{fields} fields")
        for number, fields in export.ragged
    ]
    result.questions = export.metadata
    result.meta = _meta(heads, body, pseudonyms, export.metadata.zones)
    if any(zone_of(zone) not in (None, ZoneInfo(LOCAL_TIME)) for zone in export.metadata.zones.values()):
        zones = ", ".join(sorted(set(export.metadata.zones.values())))
        result.tolerances.append(
            Tolerance(
                file=file,
                cell="row 3",
                field="RecordedDate",
                habit=OTHER_TIME,
                count=len(body),
                found=zones if len(zones) <= 40 else "several time zones",
                read_as=LOCAL_TIME,
            )
        )
    result.frame = empty_frame(specs, [number for number, _ in body])
    result.definition, refused_definition = definition_of(path, file=file)
    result.problems += refused_definition
    result.columns = {name: heads.index(name) + 1 for name in heads if name in result.fields or name in _META}
    answers = {spec.name: [row[heads.index(spec.name)] or None for _, row in body] for spec in specs}
    if result.definition is not None:
        result.problems += definition_problems(
            result.definition, file=file, said=export.metadata, fields=specs, answers=answers
        )
        answers |= in_words(result.definition, specs, answers)
    manner = Manner(typed=False, decimal_comma=comma_in_numbers((spec, answers[spec.name]) for spec in specs))
    for spec in specs:
        raw, conflicts = answers[spec.name], dict[int, str]()
        if spec.kind in ("integer", "number"):
            raw, conflicts = _numbers_of_labels(result, spec, raw, spellings)
        result.fill(spec=spec, raw=list(raw), spellings=spellings, manner=manner, refused=conflicts)
    if "Release" in heads:
        marks = {same(row[heads.index("Release")]) for _, row in body}
        result.synthetic, result.unmarked = "synthetic" in marks, bool(marks - {"synthetic"})
    else:
        result.unmarked = True
    return result


def _say_format(result: SurveyFile, export: Export) -> None:
    """How the file differs from a CSV in UTF-8, for the list of tolerances."""

    def say(habit: str, found: str, *, read_as: str, count: int = 1, name: str = "") -> None:
        result.tolerances.append(
            Tolerance(
                file=result.file, cell="whole file", field=name, habit=habit, found=found, read_as=read_as, count=count
            )
        )

    if export.encoding == "SPSS":
        say(SPSS_FILE, "value labels of the file", read_as="labels")
    elif not export.encoding.startswith("UTF-8"):
        say(OTHER_ENCODING, export.encoding, read_as="text")
    for name, positions in export.declared_missing.items():
        if name in result.fields:
            say(DECLARED_MISSING, f"{len(positions)} cells", read_as="no value", count=len(positions), name=name)


def _numbers_of_labels(
    result: SurveyFile, spec: Field, raw: list[str | None], spellings: Spellings
) -> tuple[list[str | None], dict[int, str]]:
    """Scale answers as numbers, and positions whose label contradicts; what was translated is counted as tolerances."""
    labels = labels_of(result.definition, spec) | spellings.accepted(spec)
    found = read_answers({text for text in raw if text is not None}, labels)
    places: dict[str, list[int]] = {}
    for position, text in enumerate(raw):
        if text is not None:
            places.setdefault(text, []).append(position)
    for text, at in places.items():
        habit = found.habit.get(text, "")
        if habit and text not in found.conflicts:
            more = f" and {len(at) - 1} more" if len(at) > 1 else ""
            result.tolerances.append(
                Tolerance(
                    file=result.file,
                    field=spec.name,
                    habit=habit,
                    count=len(at),
                    found=shown(text, vocabulary=result.vocabulary),
                    read_as=found.number[text] or "no value",
                    cell=result.cell(spec.name, at[0]) + more,
                )
            )
        if habit == DECLINED:
            result.declined.setdefault(spec.name, []).extend(at)
    conflicts = {at: LABEL for text in found.conflicts for at in places[text]}
    numbers = [None if text is None else found.number[text] for text in raw]
    return [raw[at] if at in conflicts else number for at, number in enumerate(numbers)], conflicts


def _meta(
    heads: list[str], body: list[tuple[int, list[str]]], pseudonyms: Pseudonyms, zones: Mapping[str, str]
) -> pd.DataFrame:
    def column(name: str) -> list[str]:
        at = heads.index(name) if name in heads else None
        return ["" if at is None else tidy(row[at]) for _, row in body]

    contact = [
        pseudonyms.of("contact", *map(str.casefold, parts)) if any(parts) else ""
        for parts in zip(*(column(name) for name in CONTACT), strict=True)
    ]
    channel = _lower(column("DistributionChannel"))
    status = _lower(column("Status")) if "Status" in heads else ["0"] * len(body)
    return pd.DataFrame(
        {
            "response": pd.Series(column("ResponseId"), dtype="str"),
            "code": pd.Series(column("ExternalReference"), dtype="str"),
            "contact": pd.Series(contact, dtype="str"),
            "recorded": _moments(column("RecordedDate"), zones.get("RecordedDate", "")),
            "started": _moments(column("StartDate"), zones.get("StartDate", "")),
            "seconds": pd.to_numeric(pd.Series(column("Duration (in seconds)"), dtype=object), errors="coerce").astype(
                float
            ),
            # Said by name: of no response the kind of column would not follow from what is in it.
            "finished": pd.Series([each in ("true", "1", "yes") for each in _lower(column("Finished"))], dtype="bool"),
            "preview": pd.Series([not is_person(*kinds) for kinds in zip(status, channel, strict=True)], dtype="bool"),
            "unknown_kind": pd.Series([not is_known(kind) for kind in status], dtype="bool"),
            "two_kinds": pd.Series([contradicts(*kinds) for kinds in zip(status, channel, strict=True)], dtype="bool"),
        }
    )


def _lower(texts: list[str]) -> list[str]:
    return [text.casefold() for text in texts]


def _moments(texts: list[str], zone: str) -> pd.Series:
    """Moments in the plans' own time; Qualtrics writes 2019-12-20 14:03:05, days alone or in British order are
    midnight.

    Where texts with the month first stand among them, or days in British order among Qualtrics' own, nobody can tell
    the
    order of the others: those that are not Qualtrics' own stay missing.
    """
    moments = pd.to_datetime(pd.Series(texts, dtype=object), format="%Y-%m-%d %H:%M:%S", errors="coerce")
    others = np.flatnonzero(moments.isna().to_numpy()).tolist()
    days = [same(texts[position]).split(" ")[0] for position in others]
    mixed = any(map(month_first, days)) or (len(others) < len(texts) and any("/" in day for day in days))
    for position, day in zip(others, days, strict=True):
        if day and not mixed:
            try:
                moments.iloc[position] = pd.Timestamp(day_of(day)[0])
            except v.Unreadable:
                continue
    there = zone_of(zone) if zone else None
    moments = moments.astype("datetime64[us]")
    if there is not None:
        known = moments.dt.tz_localize(there, ambiguous=np.zeros(len(moments), dtype=bool), nonexistent="shift_forward")
        moments = known.dt.tz_convert(ZoneInfo(LOCAL_TIME)).dt.tz_localize(None).astype("datetime64[us]")
    return moments
