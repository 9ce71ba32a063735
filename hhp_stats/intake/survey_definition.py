"""What does the survey's own definition (.qsf) say of its questions? Texts, choices, codes and ids.

The platform exports a survey's definition as JSON. Where `<wave>.qsf` lies beside the export of a wave, it is read:
its choices are labels of answers, with the code that the platform gives each, and it is held against the export and
the dictionary (`hhp_stats.intake.rules_definition`). A definition holds questions alone, no answer of anybody.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hhp_stats.intake.container import MEBIBYTE, Refused, check_size
from hhp_stats.intake.spellings import same

SUFFIX = ".qsf"
MOST = 20 * MEBIBYTE
_MARKUP = re.compile(r"<[^<>]*>")
_NO_SURVEY = "A definition must be the file (.qsf) that the platform exports of the survey."
_AGAIN = "Export the survey's definition again (Tools, Import/Export), or take the file away."
_NUMBER = re.compile(r"[+-]?\d{1,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One column of the export as the survey defines it.

    `codes` has the code of every choice by its text in comparable form; empty where people type their answer.
    """

    name: str  # export tag
    import_id: str
    text: str  # in comparable form
    codes: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """The questions of a survey by their names in the export, and the file they come from."""

    file: str
    questions: Mapping[str, Question]
    sha256: str
    size: int


def definition_file(export: str) -> str:
    """Where the definition of the survey of an export lies, if there is one."""
    return f"{export.rpartition('.')[0]}{SUFFIX}"


def read_definition(path: Path, *, file: str) -> Definition:
    """Read a definition; refuses (`Refused`) what is no survey definition, is damaged or too large."""
    check_size(path, most=MOST)
    content = path.read_bytes()
    try:
        whole = json.loads(content.decode("utf-8-sig"))
        elements = whole["SurveyElements"]
        payloads = [each["Payload"] for each in elements if each.get("Element") == "SQ"]
        questions = {found.name: found for payload in payloads for found in _questions(payload)}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Refused(_NO_SURVEY, _AGAIN, type(error).__name__) from None
    if not questions:
        raise Refused(_NO_SURVEY, _AGAIN, "no question")
    return Definition(file=file, questions=questions, sha256=hashlib.sha256(content).hexdigest(), size=len(content))


def _questions(payload: Mapping[str, Any]) -> Iterator[Question]:
    """The columns that one question gives: one, or one a row of a matrix."""
    kind, tag, number = str(payload["QuestionType"]), str(payload["DataExportTag"]), str(payload["QuestionID"])
    text, choices = plain(str(payload.get("QuestionText", ""))), _table(payload.get("Choices"))
    recoded = _table(payload.get("RecodeValues"))
    if kind in ("DB", "Timing", "Captcha"):  # words between questions; nobody answers them
        return
    if kind == "Matrix":
        codes = _codes(_table(payload.get("Answers")), recoded)
        tags = _table(payload.get("ChoiceDataExportTags"))
        for key, row in choices.items():
            name = str(tags.get(key) or f"{tag}_{key}")
            yield Question(name=name, import_id=f"{number}_{key}", text=f"{text} - {plain(_display(row))}", codes=codes)
        return
    typed = kind in ("TE", "Slider")
    yield Question(
        name=tag,
        import_id=f"{number}_TEXT" if kind == "TE" else number,
        text=text,
        codes={} if typed else _codes(choices, recoded),
    )


def _table(value: Any) -> Mapping[str, Any]:
    """Choices by their key; the platform writes a list where they are numbered in order, and false where there are
    none.
    """
    if isinstance(value, Mapping):
        return value
    return {str(key): each for key, each in enumerate(value, start=1)} if isinstance(value, list) else {}


def _display(choice: Any) -> str:
    return str(choice["Display"]) if isinstance(choice, Mapping) else str(choice)


def _codes(choices: Mapping[str, Any], recoded: Mapping[str, Any]) -> Mapping[str, str]:
    return {plain(_display(choice)): str(recoded.get(key, key)) for key, choice in choices.items()}


def plain(text: str) -> str:
    """A text of the platform in comparable form: without markup."""
    return same(html.unescape(_MARKUP.sub(" ", text)))


def number_in(label: str) -> str:
    """The number that begins a label: "0" of "0 = not at all"; "" where none does."""
    found = _NUMBER.match(label)
    return str(int(found[0])) if found else ""
