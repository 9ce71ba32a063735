"""What number does an answer stand for? Numbers, numbers with a label, labels, and options that say there is no
answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hhp_stats.intake.spellings import same

LABELLED = "a scale label next to the number"
LABEL_ONLY = "a scale label instead of the number"
UNANSWERED = "Qualtrics' code for seen but unanswered"
DECLINED = "an option that says there is no answer"
LABEL = "C14"  # code of the rule that a label and a number together break

_NUMBER_FIRST = re.compile(r"([+-]?\d{1,3})\s*(?:[=:)]|\.(?=\s)|-(?!\d))\s*([^\d]*[a-z][^\d]*)")
_LABEL_FIRST = re.compile(r"([^\d]*?[a-z][^\d]*?)\s*(?:[=:]\s*|\(\s*|\s-\s+)([+-]?\d{1,3})\s*\)?")
_MONTHS = re.compile(r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*")
_NO_ANSWER = re.compile(
    r"\b(?:prefer not|rather not|not to say|no answer|not answered|unanswered|no response|don't know|do not know|dk|not"
    r" applicable|"
    r"n/a|refused?|declined?|skipped|missing)\b"
)


@dataclass(slots=True, kw_only=True)
class Answers:
    """The answers to one question as texts of numbers, by the text found; None where there is none.

    `habit` says how a text was read other than as a number; `conflicts` are texts whose label stands for another
    number.
    """

    number: dict[str, str | None] = field(default_factory=dict)
    habit: dict[str, str] = field(default_factory=dict)
    conflicts: set[str] = field(default_factory=set)


def read_answers(texts: set[str], labels: dict[str, str]) -> Answers:
    """What do the different texts of one question say?

    `labels` gives the number of each known label in comparable form. A label beside a number must stand for it, and an
    unknown label for one number only: a scale that was coded anew shows that way. Signs stay, and ranges, negations and
    dates stay texts, which no number is: they are refused later. Options such as "Prefer not to say (-9)" are no
    answer, whatever their code.
    """
    found = Answers()
    said: dict[str, str] = {}  # unknown label -> number
    for text in sorted(texts):
        number, label, habit = _read(text, labels)
        found.number[text] = number
        if habit:
            found.habit[text] = habit
        if label and number is not None and float(labels.get(label, said.setdefault(label, number))) != float(number):
            found.conflicts.add(text)
    return found


def _read(text: str, labels: dict[str, str]) -> tuple[str | None, str, str]:
    """Number, label beside it and habit of one text."""
    plain = same(text)
    if plain in ("-99", "-99.0"):
        return None, "", UNANSWERED
    if plain in labels:
        return labels[plain], "", LABEL_ONLY
    if _NO_ANSWER.search(plain):
        return None, "", DECLINED
    if (found := _NUMBER_FIRST.fullmatch(plain)) and not _MONTHS.fullmatch(found[2]):
        return found[1], found[2].strip(), LABELLED
    if (found := _LABEL_FIRST.fullmatch(plain)) and not _MONTHS.fullmatch(found[1]):
        return found[2], found[1].strip(), LABELLED
    return text, "", ""
