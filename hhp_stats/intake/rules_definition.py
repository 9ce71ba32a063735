"""Does the definition of a survey say the same as its export, and as the dictionary?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from hhp_stats.errors import Problem
from hhp_stats.intake.container import Refused
from hhp_stats.intake.dictionary import Field
from hhp_stats.intake.masking import shown
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.spellings import same
from hhp_stats.intake.survey_definition import Definition, Question, definition_file, number_in, plain, read_definition
from hhp_stats.intake.survey_questions import Metadata

DEFINITION = Rule(
    code="S41",
    severity="error",
    rule="A definition next to an export must be one of the survey platform (.qsf), whole and readable.",
    remedy="Export the survey's definition again, or take the file away.",
)
NOT_DEFINED = Rule(
    code="S42",
    severity="error",
    rule="A question of an export must be under its name in the definition next to it.",
    remedy="Put the definition there by which this survey was asked, or take the file away.",
)
OTHER_ID = Rule(
    code="S43",
    severity="error",
    rule="The import id of a question must be the one that the definition gives it.",
    remedy="Two columns may have changed their names: correct them in the platform and export again.",
)
OTHER_TEXT = Rule(
    code="S44",
    severity="error",
    rule="The text of a question must not be that of another question of the definition.",
    remedy="Correct the names (export tags) of the questions in the survey platform and export again.",
)
WORDED_ANEW = Rule(
    code="S45",
    severity="warning",
    rule="The text of a question should be that of the definition.",
    remedy="Check whether the survey was changed after its definition was exported.",
)
OTHER_CODES = Rule(
    code="S46",
    severity="error",
    rule="The codes of the answers must be the scale of the dictionary or plan, and the numbers in their labels.",
    remedy="Correct the codes (recode values) in the survey platform and export again.",
)
NOT_OFFERED = Rule(
    code="S47",
    severity="error",
    rule="An answer of the export must be one that the definition offers.",
    remedy="Put the definition there by which this survey was asked, or ask who changed the export.",
)
DEFINITION_RULES = (DEFINITION, NOT_DEFINED, OTHER_ID, OTHER_TEXT, WORDED_ANEW, OTHER_CODES, NOT_OFFERED)
Answers = Mapping[str, list[str | None]]  # of each question, a text a response
_UNANSWERED = "-99"  # the platform's code for seen but unanswered


def definition_of(path: Path, *, file: str) -> tuple[Definition | None, list[Problem]]:
    """The definition beside an export, if there is one, and why it cannot be read."""
    beside = path.with_name(definition_file(path.name))
    name = definition_file(file)
    if not beside.is_file():
        return None, []
    try:
        return read_definition(beside, file=name), []
    except Refused as refused:
        return None, [DEFINITION.problem(file=name, value=refused.found)]
    except OSError as error:
        return None, [DEFINITION.problem(file=name, value=type(error).__name__)]


def definition_problems(
    definition: Definition, *, file: str, said: Metadata, fields: Collection[Field], answers: Answers
) -> Iterator[Problem]:
    """Where does a definition contradict the export `file` with its heads (`said`) and `answers`, or the dictionary?"""
    texts = {question.text: name for name, question in definition.questions.items() if question.text}
    for field in fields:
        question = definition.questions.get(field.name)
        if question is None:
            yield NOT_DEFINED.problem(file=definition.file, value=field.name)
            continue
        found = said.ids.get(field.name, "")
        if found and found.casefold() != question.import_id.casefold():
            owner = next((n for n, q in definition.questions.items() if q.import_id.casefold() == found.casefold()), "")
            value = f"{field.name} has the id of {owner}" if owner else f"{field.name} has an id that is not defined"
            yield OTHER_ID.problem(file=file, cell=f"row 3 ({field.name})", value=value)
        yield from _text_problems(field.name, question, texts, said, file)
        yield from _code_problems(field, question, definition.file)
        yield from _answer_problems(field, question, answers.get(field.name, []), file)


def _text_problems(
    name: str, question: Question, texts: Mapping[str, str], said: Metadata, file: str
) -> Iterator[Problem]:
    text = plain(said.texts.get(name, ""))
    if not text or text == question.text or not question.text:
        return
    if other := texts.get(text):
        yield OTHER_TEXT.problem(file=file, cell=f"row 2 ({name})", value=f"the text of {name} is that of {other}")
    else:
        yield WORDED_ANEW.problem(file=file, cell=f"row 2 ({name})", value=name)


def _code_problems(field: Field, question: Question, file: str) -> Iterator[Problem]:
    if field.kind not in ("integer", "number") or not question.codes:
        return
    for label, code in question.codes.items():
        number = number_in(label)
        if number and _whole(code) != number:
            yield OTHER_CODES.problem(
                file=file, value=f"{field.name}: the answer that begins with {number} has the code {shown(code)}"
            )
            return
    codes = [float(code) for code in question.codes.values() if _whole(code) and code != _UNANSWERED]
    if field.minimum is not None and field.maximum is not None and codes:
        low, high = min(codes), max(codes)
        if (low, high) != (field.minimum, field.maximum):
            meant = f"{field.minimum:g} to {field.maximum:g} in the dictionary or plan"
            yield OTHER_CODES.problem(file=file, value=f"{field.name}: {low:g} to {high:g} in the definition, {meant}")


def _answer_problems(field: Field, question: Question, answers: list[str | None], file: str) -> Iterator[Problem]:
    if not question.codes:
        return
    offered = {*question.codes, *question.codes.values(), *map(_whole, question.codes.values()), _UNANSWERED, ""}
    offered |= {f"{code} = {label}" for label, code in question.codes.items()}
    lacking = [at for at, text in enumerate(answers) if text is not None and same(text) not in offered]
    if lacking:
        value = f"{len(lacking)} answers to {field.name} that no one was offered"
        yield NOT_OFFERED.problem(file=file, cell=f"column {field.name}", value=value)


def _whole(text: str) -> str:
    """A whole number as it is written shortest; "" for any other text."""
    try:
        return str(int(text))
    except ValueError:
        return ""


def labels_of(definition: Definition | None, field: Field) -> dict[str, str]:
    """The codes of the labels of one question, for reading answers that are labels: whole numbers only."""
    question = definition.questions.get(field.name) if definition is not None else None
    if question is None:
        return {}
    return {label: _whole(code) for label, code in question.codes.items() if _whole(code) and not _whole(label)}


def in_words(definition: Definition, fields: Collection[Field], answers: Answers) -> dict[str, list[str | None]]:
    """The answers of questions with choices in words, where the export holds the codes in their place.

    An export holds words or codes throughout: whether this one holds codes is told by the questions whose words and
    codes have nothing in common.
    """
    chosen = {
        field.name: definition.questions[field.name].codes
        for field in fields
        if field.kind in ("category", "yes/no") and field.name in definition.questions
    }
    told: set[bool] = set()
    for name, codes in chosen.items():
        if not set(codes) & set(codes.values()):
            found = {same(text) for text in answers[name] if text is not None}
            told |= {True} if found & set(codes.values()) else set()
            told |= {False} if found & set(codes) else set()
    if told != {True}:
        return {}
    words = {name: {code: label for label, code in codes.items()} for name, codes in chosen.items()}
    return {
        name: [text if text is None else words[name].get(same(text), text) for text in answers[name]] for name in chosen
    }
