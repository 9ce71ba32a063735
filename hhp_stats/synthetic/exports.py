"""The other raw files: survey exports as the platform writes them, the key, allocation, course log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hhp_stats.intake.dictionary import Field, fields_of
from hhp_stats.synthetic.calibration import Flags, stream
from hhp_stats.synthetic.goal_setting import TrialDraw
from hhp_stats.synthetic.platform_export import SYNTHETIC, csv_text, platform_export, response_row, tokens

ANCHORS: Mapping[str, Mapping[int, str]] = {
    "happiness": {0: "Not at all", 10: "Extremely"},
    "ladder": {0: "Bottom step", 10: "Top step"},
    "caseload": {1: "Not at all", 7: "Completely"},
}
QUESTIONS = {
    "consent": "I agree to take part in the research",
    "comments": "Anything else you would like to say about the study",
}  # where the dictionary's meaning is a remark and not a question
FIRST_BREAK = 3  # a broken-off response holds at least so many answers
COMMENT_SHARE = 0.06
RECONSIDERED = 0.2  # share of answers that differ when somebody answers twice
FIELD_DAYS = {"baseline": (-21, 12), "endline": (168, 17)}  # first day of the survey after launch, and its length


@dataclass(frozen=True, slots=True, kw_only=True)
class _Response:
    person: int  # row of the frame of people, joiners included
    code: str
    day: int  # of the survey
    answers: Mapping[str, str]
    progress: int


def survey_codes(draw: TrialDraw) -> pd.Series:
    """A random token for everybody who was invited, on the staff ID."""
    ids = pd.concat([draw.people["staff_id"], draw.joiners["staff_id"]], ignore_index=True)
    return pd.Series(tokens(len(ids), draw.seed, "survey codes"), index=ids)


def linkage_file(draw: TrialDraw) -> bytes:
    """The authorities' key from survey codes to staff IDs."""
    people = pd.concat([draw.people, draw.joiners], ignore_index=True)
    codes = survey_codes(draw)
    rows = sorted(
        (a, s, codes[s], SYNTHETIC) for a, s in zip(people["local_authority"], people["staff_id"], strict=True)
    )
    return csv_text(["local_authority", "staff_id", "survey_code", "release"], rows)


def course_log_file(draw: TrialDraw) -> bytes:
    """Who enrolled, and how far they got."""
    everyone = pd.concat([draw.people, draw.joiners], ignore_index=True)
    log = everyone[everyone["enrolled"] == 1].sort_values(["local_authority", "staff_id"])
    days = {name: log[name].dt.strftime("%Y-%m-%d") for name in ("enrolled_on", "last_activity_on")}
    rows = zip(
        log["staff_id"],
        log["local_authority"],
        days["enrolled_on"],
        log["modules_completed"],
        days["last_activity_on"],
        [SYNTHETIC] * len(log),
        strict=True,
    )
    header = ["staff_id", "local_authority", "enrolled_on", "modules_completed", "last_activity_on", "release"]
    return csv_text(header, rows)


def allocation_files(draw: TrialDraw) -> tuple[bytes, bytes]:
    """The allocation list, and the log of draws that repeats it (`design.replay`)."""
    teams = draw.teams.sort_values(["local_authority", "team_id"])
    columns = ["team_id", "local_authority", "stratum", "treatment", "coffee"]
    rows = [(*row, SYNTHETIC) for row in teams[columns].itertuples(index=False, name=None)]
    log = [
        # Twelve decimals: the last digits of a p-value depend on the linear-algebra library.
        (
            line.draw,
            "all",
            f"{line.p_role:.12f}",
            f"{line.p_service_years:.12f}",
            str(bool(line.accepted)).lower(),
            draw.allocation.seed,
            SYNTHETIC,
        )
        for line in draw.allocation.log.itertuples()
    ]
    header = ["draw", "local_authority", "p_role", "p_service", "accepted", "seed", "release"]
    return csv_text([*columns, "release"], rows), csv_text(header, log)


def survey_file(*, draw: TrialDraw, fields: tuple[Field, ...], wave: str) -> bytes:
    """The platform's export of one wave: three header rows, then one row a response, in order of arrival.

    Beside the proper responses it holds what every export holds: people who declined, people who agreed and
    stopped, broken-off and doubled responses, skipped items, and codes that nobody knows.
    """
    asked = fields_of(fields, "survey", wave)
    rng = stream(draw.seed, f"survey {wave}")
    responses = _responses(draw, asked, wave, rng)
    identifiers = tokens(len(responses), draw.seed, f"responses {wave}", 15)
    people = pd.concat([draw.people, draw.joiners], ignore_index=True)
    launch = people["launch"].dt.to_pydatetime()
    numbers = stream(draw.seed, "recipients").permutation(len(people)) + 1
    rows = []
    for response, identifier in zip(responses, identifiers, strict=True):
        begun = launch[response.person] + dt.timedelta(
            days=FIELD_DAYS[wave][0] + response.day, seconds=int(rng.integers(8 * 3600, 19 * 3600))
        )
        seconds = max(20, int(rng.lognormal(6.1, 0.45) * response.progress / 100))
        rows.append(
            response_row(
                asked,
                identifier=identifier,
                begun=begun,
                seconds=seconds,
                progress=response.progress,
                person=numbers[response.person],
                code=response.code,
                answers=response.answers,
            )
        )
    return platform_export(asked, rows, question=_question)


def _question(field: Field) -> str:
    """What was asked, in our own words: the meaning in the dictionary, and the end-points."""
    text = QUESTIONS.get(field.name) or field.meaning.removesuffix(" (reversed)") or field.name.replace("_", " ")
    ends = (
        f" ({field.minimum:g} to {field.maximum:g})" if field.maximum is not None and field.minimum is not None else ""
    )
    period = f", {field.period}" if field.period else ""
    return f"{text[0].upper()}{text[1:]}{period}{ends}"


def _responses(draw: TrialDraw, asked: tuple[Field, ...], wave: str, rng: np.random.Generator) -> list[_Response]:
    a, which = draw.assumptions.survey, 0 if wave == "baseline" else 1
    suffix = ("t1", "t2")[which]
    people = pd.concat([draw.people, draw.joiners], ignore_index=True)
    answers = pd.concat([draw.answers, draw.joiner_answers], ignore_index=True)
    columns = {str(name): answers[name].to_numpy() for name in answers}
    codes = survey_codes(draw).to_numpy()
    responds = people[f"responds_{suffix}"].to_numpy(dtype=bool)
    eligible = ~responds & (people["left"] == 0).to_numpy() & (people.index < len(draw.people))
    others = rng.permutation(np.flatnonzero(eligible))
    declined, abandoned, strangers = np.split(others, np.cumsum([a.declined[which], a.abandoned[which]]))
    unknown = tokens(a.unmatched[which], draw.seed, f"unknown codes {wave}")
    length = FIELD_DAYS[wave][1]
    made: list[_Response] = []

    def add(person: int, code: str, given: Mapping[str, str], progress: int) -> None:
        day = min(int(rng.exponential(length / 3)), length - 5)
        made.append(_Response(person=person, code=str(code), day=day, answers=given, progress=progress))

    def full(person: int) -> dict[str, str]:
        return _answers(columns, person, asked, suffix, a.item_missing, rng)

    again = set(rng.choice(np.flatnonzero(responds), a.duplicates[which], replace=False).tolist())
    broken = responds & (rng.random(len(people)) < a.partial_share)
    for number, person in enumerate(np.flatnonzero(responds).tolist()):
        given = full(person)
        if person in again:
            # Half of those who answer twice broke off the first time; the others changed their mind on some items.
            earlier = _cut(given, asked, rng) if number % 2 else (_reconsidered(given, asked, rng), 100)
            add(person, codes[person], *earlier)
            made.append(_Response(person=person, code=codes[person], day=length - 1, answers=given, progress=100))
        elif broken[person]:
            add(person, codes[person], *_cut(given, asked, rng))
        else:
            add(person, codes[person], given, 100)
    for person in declined.tolist():
        add(person, codes[person], {"consent": "Disagree"}, 100)
    for person in abandoned.tolist():
        add(person, codes[person], {"consent": "Agree"}, 4)
    for person, code in zip(strangers.tolist(), unknown, strict=False):
        add(person, code, full(person), 100)
    return made


def _answers(
    columns: Mapping[str, npt.NDArray[Any]],
    person: int,
    asked: tuple[Field, ...],
    suffix: str,
    missing: float,
    rng: np.random.Generator,
) -> dict[str, str]:
    """One person's answers as the export shows them: labels for choices, numbers for scales, anchors labelled."""
    given = {"consent": "Agree"}
    skipped: Flags = rng.random(len(asked)) < missing
    comment = rng.random() < COMMENT_SHARE
    for field, skip in zip(asked, skipped, strict=True):
        if field.name == "comments":
            given[field.name] = f"Synthetic comment {int(rng.integers(1000)):03d}" if comment else ""
        elif field.name != "consent":
            value: str | float = columns[f"{field.name}_{suffix}"][person]
            given[field.name] = "" if skip or pd.isna(value) else _label(field.name, value)
    return given


def _label(field: str, value: str | float) -> str:
    if isinstance(value, str):
        return value[:1].upper() + value[1:]
    number = float(value)
    text = f"{number:g}"
    return f"{text} - {ANCHORS[field][int(number)]}" if number in ANCHORS.get(field, {}) else text


def _cut(given: Mapping[str, str], asked: tuple[Field, ...], rng: np.random.Generator) -> tuple[dict[str, str], int]:
    """The response broken off after some of its answers, and the share of questions passed."""
    stop = int(rng.integers(1 + FIRST_BREAK, len(asked) - 1))
    return {field.name: given.get(field.name, "") for field in asked[:stop]}, round(100 * stop / len(asked))


def _reconsidered(given: Mapping[str, str], asked: tuple[Field, ...], rng: np.random.Generator) -> dict[str, str]:
    """The same response with some answers to scales one point off, as given on another day."""
    other = dict(given)
    for field in asked:
        number = other.get(field.name, "").split(" ")[0]
        if field.is_scale_item and number and rng.random() < RECONSIDERED and field.minimum is not None:
            step = 1 if float(number) == field.minimum else -1
            other[field.name] = _label(field.name, float(number) + step)
    return other


def corrections_header() -> bytes:
    """An empty ledger of corrections."""
    return csv_text(
        [
            "id",
            "received_on",
            "study",
            "wave",
            "authority",
            "staff_id",
            "field",
            "old_value",
            "new_value",
            "reason",
            "requested_by",
        ],
        [],
    )
