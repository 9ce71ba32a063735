"""What did the survey export say? Qualtrics CSV read without names, e-mail addresses or free text."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from hhp_stats.intake import values as v
from hhp_stats.intake.container import Refused
from hhp_stats.intake.dictionary import Field, fields_of
from hhp_stats.intake.masking import shown, words_of
from hhp_stats.intake.pseudonym import Pseudonyms
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.spellings import Spellings, same, tidy
from hhp_stats.intake.table import Table, empty_frame
from hhp_stats.intake.text_file import likely_delimiter, read_text, split_rows
from hhp_stats.intake.tolerance import Tolerance

HEADER_ROWS = 3
LABELLED = "a scale label beside the number"
LABEL_ONLY = "a scale label instead of the number"
UNANSWERED = "Qualtrics' code for seen but unanswered"
_LABELLED = re.compile(r"(-?\d{1,3})\s*(?:[=:.)]|-(?!\d))\s*\D.*")
_LABEL_FIRST = re.compile(r"\D*[A-Za-z]\D*[\s(=:-]+(\d{1,3})\)?")
_IMPORT_ID = re.compile(r'\s*\{\s*"ImportId"')
# Columns that identify people and are turned into pseudonyms, or never read at all.
CONTACT = ("RecipientEmail", "RecipientLastName", "RecipientFirstName")
NEVER_READ = frozenset({"IPAddress", "LocationLatitude", "LocationLongitude"})
_NEEDED = ("ResponseId", "ExternalReference", "Finished", "RecordedDate")
_META = frozenset({*_NEEDED, *CONTACT, *NEVER_READ, "StartDate", "EndDate", "Status", "Progress",
                   "Duration (in seconds)", "DistributionChannel", "UserLanguage", "Release"})  # fmt: skip

SURVEY_MISSING = Rule(
    code="S01", severity="error",
    rule="The survey export must be there.",
    remedy="Export the survey as CSV and put it in its place.",
)  # fmt: skip
SURVEY_UNREADABLE = Rule(
    code="S02", severity="error",
    rule="A survey export must be a CSV file with Qualtrics' three heading rows (names, questions, import ids).",
    remedy="Export again as CSV with “use numeric values” or labels, all fields, and do not open it in between.",
)  # fmt: skip
SURVEY_COLUMNS = Rule(
    code="S03", severity="error",
    rule="A survey export must hold every question of the dictionary and Qualtrics' own columns, each once.",
    remedy="Export all fields, and name the questions as in data/dictionary.csv.",
)  # fmt: skip
SURVEY_RAGGED = Rule(
    code="S04", severity="error",
    rule="Every line of a survey export must have as many fields as its heading.",
    remedy="Export again; do not edit the file.",
)  # fmt: skip
SURVEY_UNKNOWN = Rule(
    code="S05", severity="note",
    rule="Columns that the dictionary does not know are not read.",
    remedy="Add the question to the dictionary if it is to be analysed.",
)  # fmt: skip

SURVEY_FILE_RULES = (SURVEY_MISSING, SURVEY_UNREADABLE, SURVEY_COLUMNS, SURVEY_RAGGED, SURVEY_UNKNOWN)


@dataclass(slots=True, kw_only=True)
class SurveyFile(Table):
    """One export as read: answers by field, and per response what decides whether it counts.

    `meta` has the columns response, code, contact (pseudonym), recorded, started, seconds, finished, preview;
    it never holds a name, an e-mail address or a free text.
    """

    wave: str
    meta: pd.DataFrame = field(default_factory=pd.DataFrame)
    encoding: str = ""
    synthetic: bool = False
    unmarked: bool = False


def read_survey(
    path: Path, *, file: str, wave: str, fields: tuple[Field, ...], spellings: Spellings, pseudonyms: Pseudonyms
) -> SurveyFile:
    """What does one Qualtrics export say? Problems are collected in the result.

    Encoding is detected (UTF-8, UTF-16, with or without byte order mark). Scales may be numbers, numbers with a
    label ("10 = Extremely") or the printed labels; choices their labels. Names and e-mail addresses become keyed
    pseudonyms here and are dropped; IP addresses, places and free text are never read.
    """
    specs = tuple(spec for spec in fields_of(fields, "survey", wave) if spec.kind != "free text")
    skipped = {spec.name for spec in fields_of(fields, "survey", wave)} - {spec.name for spec in specs}
    result = SurveyFile(
        file=file, path=path, wave=wave, frame=empty_frame(specs, []), fields={spec.name: spec for spec in specs},
        vocabulary=words_of(*(a for spec in specs for a in spec.allowed), *(spec.name for spec in specs), *_META,
                            *(label for spec in specs for label in spellings.accepted(spec))),
    )  # fmt: skip
    if not path.is_file():
        result.problems.append(SURVEY_MISSING.problem(file=file))
        return result
    try:
        text, result.encoding = read_text(path)
        rows = split_rows(text, likely_delimiter(text, lines=1))
    except (Refused, OSError) as refused:
        found = refused.found if isinstance(refused, Refused) else type(refused).__name__
        result.problems.append(SURVEY_UNREADABLE.problem(file=file, value=found))
        return result
    raw_bytes = path.read_bytes()
    result.sha256, result.size = hashlib.sha256(raw_bytes).hexdigest(), len(raw_bytes)
    if len(rows) < HEADER_ROWS or not any(_IMPORT_ID.match(cell) for cell in rows[2]):
        result.problems.append(SURVEY_UNREADABLE.problem(file=file, cell="rows 1 to 3"))
        return result
    heads = [tidy(head) for head in rows[0]]
    wanted = [*_NEEDED, *(spec.name for spec in specs)]
    lacking = [name for name in wanted if heads.count(name) != 1]
    if lacking:
        value = "not once: " + ", ".join(lacking)
        result.problems.append(SURVEY_COLUMNS.problem(file=file, cell="row 1", value=value))
        return result
    unknown = [head for head in heads if head not in _META and head not in result.fields and head not in skipped]
    if unknown:
        result.problems.append(SURVEY_UNKNOWN.problem(file=file, cell="row 1", value=f"{len(unknown)} columns"))
    body = []
    for number, row in enumerate(rows[HEADER_ROWS:], start=HEADER_ROWS + 1):
        if len(row) != len(heads) and any(map(str.strip, row)):
            result.problems.append(SURVEY_RAGGED.problem(file=file, cell=f"row {number}", value=f"{len(row)} fields"))
        elif any(map(str.strip, row)):
            body.append((number, row))
    result.meta = _meta(heads, body, pseudonyms)
    result.frame = empty_frame(specs, [number for number, _ in body])
    result.columns = {name: heads.index(name) + 1 for name in heads if name in result.fields or name in _META}
    for spec in specs:
        column = heads.index(spec.name)
        raw = [row[column] or None for _, row in body]
        if spec.kind in ("integer", "number"):
            raw = _numbers_of_labels(result, spec, raw, spellings)
        result.fill(spec=spec, raw=list(raw), spellings=spellings, typed=False)
    if "Release" in heads:
        marks = {same(row[heads.index("Release")]) for _, row in body}
        result.synthetic, result.unmarked = "synthetic" in marks, bool(marks - {"synthetic"})
    else:
        result.unmarked = True
    return result


def _numbers_of_labels(
    result: SurveyFile, spec: Field, raw: list[str | None], spellings: Spellings
) -> list[str | None]:
    """Scale answers as numbers; labels and Qualtrics' own codes are translated and counted as tolerances."""
    labels = spellings.accepted(spec)
    answers: dict[str | None, tuple[str | None, str]] = {}
    counts: dict[str | None, int] = {}
    for text in set(raw) - {None}:
        answers[text] = _answer(str(text), labels)
    first: dict[str | None, int] = {}
    for position, text in enumerate(raw):
        counts[text] = counts.get(text, 0) + 1
        first.setdefault(text, position)
    for text, (number, habit) in sorted(answers.items(), key=lambda item: first[item[0]]):
        if habit:
            more = f" and {counts[text] - 1} more" if counts[text] > 1 else ""
            result.tolerances.append(
                Tolerance(
                    file=result.file, field=spec.name, habit=habit, count=counts[text],
                    found=shown(text, vocabulary=result.vocabulary), read_as=number or "no value",
                    cell=result.cell(spec.name, first[text]) + more,
                )
            )  # fmt: skip
    return [answers[text][0] if text is not None else None for text in raw]


def _answer(text: str, labels: dict[str, str]) -> tuple[str | None, str]:
    plain = same(text)
    if plain in ("-99", "-99.0"):
        return None, UNANSWERED
    if plain in labels:
        return labels[plain], LABEL_ONLY
    if found := _LABELLED.fullmatch(plain):
        return found[1], LABELLED
    if found := _LABEL_FIRST.fullmatch(plain):
        return found[1], LABELLED
    return text, ""


def _meta(heads: list[str], body: list[tuple[int, list[str]]], pseudonyms: Pseudonyms) -> pd.DataFrame:
    def column(name: str) -> list[str]:
        at = heads.index(name) if name in heads else None
        return ["" if at is None else tidy(row[at]) for _, row in body]

    contact = [
        pseudonyms.of("contact", *map(str.casefold, parts)) if any(parts) else ""
        for parts in zip(*(column(name) for name in CONTACT), strict=True)
    ]
    status, channel = map(_lower, (column("Status"), column("DistributionChannel")))
    return pd.DataFrame(
        {
            "response": pd.Series(column("ResponseId"), dtype="str"),
            "code": pd.Series(column("ExternalReference"), dtype="str"),
            "contact": pd.Series(contact, dtype="str"),
            "recorded": _moments(column("RecordedDate")),
            "started": _moments(column("StartDate")),
            "seconds": pd.to_numeric(pd.Series(column("Duration (in seconds)"), dtype=object), errors="coerce").astype(
                float
            ),
            "finished": [each in ("true", "1", "yes") for each in _lower(column("Finished"))],
            "preview": [
                one in ("survey preview", "1", "survey test", "2", "spam", "8") or other in ("preview", "test")
                for one, other in zip(status, channel, strict=True)
            ],
        }
    )


def _lower(texts: list[str]) -> list[str]:
    return [text.casefold() for text in texts]


def _moments(texts: list[str]) -> pd.Series:
    """Qualtrics writes 2019-12-20 14:03:05; days alone or in British order are read as midnight."""
    moments = pd.to_datetime(pd.Series(texts, dtype=object), format="%Y-%m-%d %H:%M:%S", errors="coerce")
    for position in np.flatnonzero(moments.isna().to_numpy()).tolist():
        if texts[position]:
            try:
                moments.iloc[position] = pd.Timestamp(v.day_of(same(texts[position]).split(" ")[0])[0])
            except v.Unreadable:
                continue
    return moments.astype("datetime64[us]")
