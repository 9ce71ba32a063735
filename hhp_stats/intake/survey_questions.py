"""What does an export say of its own columns? Question texts, import ids, scales and time zones, held against the
dictionary.

Qualtrics writes the text of each question below its name, and below that an id that stays when a question is renamed,
with the time zone of moments. The same question must have the same text in both surveys: where two names are
exchanged, the texts go with the answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hhp_stats.errors import Problem
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.spellings import same

LOCAL_TIME = "Europe/London"  # in which the days of the plans are meant
# What the platform calls its own columns in the row of import ids, by their names in the first row.
PLATFORM_IDS: Mapping[str, str] = {
    "StartDate": "startdate",
    "EndDate": "enddate",
    "Status": "status",
    "Progress": "progress",
    "Finished": "finished",
    "Duration (in seconds)": "duration",
    "RecordedDate": "recordeddate",
    "ResponseId": "_recordid",
    "RecipientLastName": "recipientlastname",
    "RecipientFirstName": "recipientfirstname",
    "RecipientEmail": "recipientemail",
    "ExternalReference": "externaldatareference",
    "DistributionChannel": "distributionchannel",
    "UserLanguage": "userlanguage",
}
_RANGE = re.compile(r"\((-?\d+) (?:to|-) (-?\d+)\)")
_BRACKETS = re.compile(r"\([^()]*\)")


@dataclass(slots=True, kw_only=True)
class Metadata:
    """The second and third heading row by the names of the first: question texts, import ids, time zones of moments."""

    texts: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    zones: dict[str, str] = field(default_factory=dict)


def metadata(heads: list[str], texts: list[str], ids: list[str]) -> Metadata:
    """What the heading rows say; a cell that is no id is left out."""
    found = Metadata(texts={head: same(text) for head, text in zip(heads, texts, strict=False) if text.strip()})
    for head, text in zip(heads, ids, strict=False):
        try:
            said = json.loads(text)
        except ValueError:
            continue
        if isinstance(said, dict):
            found.ids[head] = str(said.get("ImportId", ""))
            if said.get("timeZone"):
                found.zones[head] = str(said["timeZone"])
    return found


def zone_of(name: str) -> ZoneInfo | None:
    """The time zone of this name, or None where there is none."""
    if name.casefold() in ("z", "utc", "gmt"):
        name = "UTC"
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


QUESTION = Rule(
    code="S26",
    severity="error",
    rule=(
        "The text of a question must be that of its name: two questions must not be exchanged, in one survey or from"
        " one to the next."
    ),
    remedy="Correct the names (export tags) of the questions in the survey platform and export again.",
)
WORDING = Rule(
    code="S27",
    severity="warning",
    rule="A question should have the same text and import id in both surveys.",
    remedy="Check that both surveys ask the same under this name.",
)
SCALE = Rule(
    code="S28",
    severity="error",
    rule="The scale in the text of a question must be that of the dictionary or the plan.",
    remedy=(
        "Check how the question was coded; correct the codes in the survey platform, or the scale in the dictionary or"
        " plan."
    ),
)
IMPORT_IDS = Rule(
    code="S30",
    severity="error",
    rule="Every column of an export must have an import id of its own, and the platform's columns their own names.",
    remedy="Export again, and do not rename or move columns in the file.",
)
TIME_ZONE = Rule(
    code="S31",
    severity="error",
    rule="The time zone that an export names must exist.",
    remedy="Export again with the time zone of the account set.",
)
QUESTION_RULES = (QUESTION, WORDING, SCALE, IMPORT_IDS, TIME_ZONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """The metadata of one survey beside what the dictionary says of its questions."""

    file: str
    metadata: Metadata
    meanings: Mapping[str, str]  # question -> meaning
    scales: Mapping[str, tuple[float, float]]  # question -> lowest and highest answer

    def named(self) -> dict[str, str]:
        """The texts of the questions that are read."""
        return {name: text for name, text in self.metadata.texts.items() if name in self.meanings}


def export_problems(survey: Questions) -> Iterator[Problem]:
    """What is wrong within one export: ids, scales, texts that another question of the dictionary has."""
    yield from _ids(survey)
    for head, name in survey.metadata.zones.items():
        if zone_of(name) is None:
            yield TIME_ZONE.problem(file=survey.file, cell=f"row 3 ({head})", value="a time zone that is not known")
    for name, text in survey.named().items():
        if name in survey.scales and (found := _RANGE.search(text)):
            said, meant = (float(found[1]), float(found[2])), survey.scales[name]
            if said != meant:
                value = (
                    f"{name}: {said[0]:g} to {said[1]:g} in the text, {meant[0]:g} to {meant[1]:g} in the dictionary or"
                    " plan"
                )
                yield SCALE.problem(file=survey.file, cell=f"row 2 ({name})", value=value)
    meanings = {name: _plain(meaning) for name, meaning in survey.meanings.items() if meaning.strip()}
    for name, text in survey.named().items():
        padded = f" {_plain(text)} "
        if f" {meanings.get(name, '')} " in padded:
            continue
        other = next((each for each, meaning in meanings.items() if each != name and f" {meaning} " in padded), "")
        if other:
            yield QUESTION.problem(
                file=survey.file, cell=f"row 2 ({name})", value=f"the text of {name} is that of {other}"
            )


def _ids(survey: Questions) -> Iterator[Problem]:
    owner: dict[str, str] = {}
    meant = {name: head for head, name in PLATFORM_IDS.items()}
    for head, name in survey.metadata.ids.items():
        plain = name.casefold()
        first = owner.setdefault(plain, head) if plain else head
        other = meant.get(plain, head)
        if first != head:
            yield IMPORT_IDS.problem(
                file=survey.file, cell=f"row 3 ({head})", value=f"{head} has the import id of {first}"
            )
        elif other != head:
            yield IMPORT_IDS.problem(
                file=survey.file, cell=f"row 3 ({head})", value=f"{head} has the import id of {other}"
            )


def wave_problems(earlier: Questions, later: Questions) -> Iterator[Problem]:
    """What differs between two surveys: texts exchanged between questions, texts in other words, ids exchanged."""
    before, after = earlier.named(), later.named()
    shared = [name for name in after if name in before]
    for name in shared:
        if after[name] == before[name]:
            continue
        other = next((each for each in shared if each != name and before[each] == after[name]), "")
        if other:
            value = f"the text of {name} is that of {other} in {earlier.file.rsplit('/', 1)[-1]}"
            yield QUESTION.problem(file=later.file, cell=f"row 2 ({name})", value=value)
        else:
            value = f"{name}: another text than in {earlier.file.rsplit('/', 1)[-1]}"
            yield WORDING.problem(file=later.file, cell=f"row 2 ({name})", value=value)
    ids, known = later.metadata.ids, earlier.metadata.ids
    for name in shared:
        if after[name] == before[name] and ids.get(name) and ids[name] != known.get(name):
            other = next((each for each in shared if each != name and known.get(each) == ids[name]), "")
            if other and ids.get(other) == known.get(name):
                value = f"{name} has the import id that {other} has in {earlier.file.rsplit('/', 1)[-1]}"
                yield WORDING.problem(file=later.file, cell=f"row 3 ({name})", value=value)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", _BRACKETS.sub(" ", same(text))))
