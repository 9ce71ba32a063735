"""Populations as conditions on columns: `site == 'A' and (age >= 18 or consent == 1)`. Read by a grammar, never
evaluated as code.

    condition   = conjunction { "or" conjunction }
    conjunction = part { "and" part }
    part        = "(" condition ")" | column comparison value | column "is" ["not"] "known"
    comparison  = "==" | "!=" | "<" | "<=" | ">" | ">="
    value       = number | text in quotation marks

A comparison with a value that is not known does not hold: who cannot be placed is not in the population.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal

import pandas as pd

from hhp_stats.errors import PlanError, UnknownName
from hhp_stats.plan.nearest import meant

_TOKEN = re.compile(
    r"\s*(?:(?P<number>-?\d+(?:\.\d+)?)|(?P<text>'[^']*'|\"[^\"]*\")|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>==|!=|<=|>=|<|>|\(|\)))"
)
COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
KNOWN, UNKNOWN = "is known", "is not known"
GRAMMAR = (
    "Write column, comparison (== != < <= > >=) and value, or column is known, joined by and, or: site == 'A' and age"
    " >= 18."
)


class ConditionError(ValueError):
    """A condition that the grammar does not know; the message says where."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One column against one value, or whether it is known."""

    column: str
    sign: str
    value: str | float = ""

    @property
    def of_value(self) -> bool:
        """Is the column compared with a value?"""
        return self.sign in COMPARISONS

    def holds(self, frame: pd.DataFrame) -> pd.Series:
        """For whom of the frame it holds."""
        column = frame[self.column]
        if not self.of_value:
            return column.notna() if self.sign == KNOWN else column.isna()
        found = COMPARISONS[self.sign](column, self.value)
        return pd.Series(found, index=frame.index).fillna(False).astype(bool) & column.notna()

    def comparisons(self) -> Iterator[Comparison]:
        """Itself."""
        yield self

    def written(self) -> str:
        """The text that states it."""
        if not self.of_value:
            return f"{self.column} {self.sign}"
        if isinstance(self.value, float):
            return f"{self.column} {self.sign} {self.value:.15g}"
        quote = '"' if "'" in self.value else "'"
        return f"{self.column} {self.sign} {quote}{self.value}{quote}"


@dataclass(frozen=True, slots=True)
class Joined:
    """Several conditions of which all, or any, must hold."""

    word: Literal["and", "or"]
    parts: tuple[Condition, ...]

    def holds(self, frame: pd.DataFrame) -> pd.Series:
        """For whom of the frame it holds."""
        found = [part.holds(frame) for part in self.parts]
        return reduce(operator.and_ if self.word == "and" else operator.or_, found)

    def comparisons(self) -> Iterator[Comparison]:
        """Every comparison in it."""
        for part in self.parts:
            yield from part.comparisons()

    def written(self) -> str:
        """The text that states it."""
        parts = (f"({part.written()})" if isinstance(part, Joined) else part.written() for part in self.parts)
        return f" {self.word} ".join(parts)


Condition = Comparison | Joined


def parse_condition(text: str) -> Condition:
    """The condition that a text states; refuses (ConditionError) what the grammar does not know, naming the place."""
    reader = _Reader(text)
    found = reader.condition()
    if reader.kind:
        raise ConditionError(f"has {reader.token!r} where the condition should end")
    return found


def condition_of(file: str, place: str, where: str) -> Condition:
    """The condition at a place of a plan; refuses (PlanError, naming the place) what the grammar does not know."""
    try:
        return parse_condition(where)
    except ConditionError as error:
        raise PlanError(file, place, f"has a condition that {error}.", GRAMMAR) from None


def in_codes(file: str, place: str, where: str, words: Mapping[str, tuple[str, str]]) -> str:
    """The same condition asked of zeros and ones: a comparison of a column with the word for one of them becomes one
    with 0 or 1, which may be written too.

    `words` has, for each such column, what stands for zero and for one. Refuses (PlanError, naming the column's words)
    a word that is neither, a comparison of words by size, and a number of which nobody can tell whether it is meant as
    a word, as 1 where the words are 1 and 2.
    """
    if not where:
        return where
    found = condition_of(file, place, where)
    if not any(part.column in words and part.of_value for part in found.comparisons()):
        return where
    return _recoded(found, lambda part: _in_codes(file, place, part, words.get(part.column, ()))).written()


def _recoded(condition: Condition, code: Callable[[Comparison], Comparison]) -> Condition:
    if isinstance(condition, Comparison):
        return code(condition)
    return Joined(condition.word, tuple(_recoded(part, code) for part in condition.parts))


def _in_codes(file: str, place: str, part: Comparison, words: Sequence[str]) -> Comparison:
    if not words or not part.of_value:
        return part
    text = part.value if isinstance(part.value, str) else f"{part.value:g}"
    at = next((code for code, word in enumerate(words) if word.casefold() == text.strip().casefold()), None)
    said = f"asks for {part.column} {part.sign} {text if isinstance(part.value, float) else repr(text)}"
    ways = f"{part.column} is {words[0]!r} (0) or {words[1]!r} (1)"
    if isinstance(part.value, float):
        if at is not None and part.value in (0.0, 1.0) and part.value != at:
            raise PlanError(file, place, f"{said}, which may be a word or a code.", f"{ways}: put words in quotes.")
        if at is None and part.value not in (0.0, 1.0) and part.sign in ("==", "!="):
            raise PlanError(file, place, f"{said}, which it never is.", f"{ways}: write one of them.")
        return part if at is None else Comparison(part.column, part.sign, float(at))
    if part.sign not in ("==", "!="):
        raise PlanError(file, place, f"{said}.", "Of words ask == or != only.")
    if at is None:
        raise PlanError(file, place, f"{said}, which it never is.", f"{meant(text, words)}{ways}: write one of them.")
    return Comparison(part.column, part.sign, float(at))


def members(people: pd.DataFrame, where: str) -> pd.Series:
    """Who of the people is in a population: for whom the condition holds, everybody where there is none.

    Refuses (UnknownName) a condition on a column that the people do not have.
    """
    if not where:
        return pd.Series(True, index=people.index)
    condition = parse_condition(where)
    for part in condition.comparisons():
        if part.column not in people:
            raise UnknownName(f"the population with {where} needs the column {part.column}, which the people lack")
    return condition.holds(people)


class _Reader:
    """The signs of a text, one after the other."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.kind, self.token = "", ""
        self.next()

    def next(self) -> None:
        if not self.text[self.at :].strip():
            self.kind, self.token = "", ""
            return
        match = _TOKEN.match(self.text, self.at)
        if match is None:
            raise ConditionError(f"cannot be read from {self.text[self.at :].strip()[:20]!r} on")
        self.kind, self.token, self.at = str(match.lastgroup), match[str(match.lastgroup)], match.end()

    def condition(self) -> Condition:
        return self.joined("or", self.conjunction)

    def conjunction(self) -> Condition:
        return self.joined("and", self.part)

    def joined(self, word: Literal["and", "or"], part: Callable[[], Condition]) -> Condition:
        parts = [part()]
        while self.kind == "word" and self.token == word:
            self.next()
            parts.append(part())
        return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))

    def part(self) -> Condition:
        if self.token == "(" and self.kind == "sign":
            self.next()
            found = self.condition()
            self.take("sign", ")", "a closing bracket")
            return found
        column = self.take("word", "", "a column")
        if self.kind == "word" and self.token == "is":
            return self.whether_known(column)
        sign = self.token
        if self.kind != "sign" or sign not in COMPARISONS:
            raise ConditionError(f"has {sign or 'nothing'!r} where a comparison should stand, after {column!r}")
        self.next()
        if self.kind not in ("number", "text"):
            raise ConditionError(f"has {self.token or 'nothing'!r} where a value should stand, after {column} {sign}")
        value = float(self.token) if self.kind == "number" else self.token[1:-1]
        self.next()
        return Comparison(column, sign, value)

    def whether_known(self, column: str) -> Condition:
        self.next()
        sign = KNOWN
        if self.token == "not":
            sign = UNKNOWN
            self.next()
        if self.token != "known":
            raise ConditionError(f"has {self.token or 'nothing'!r} where known should stand, after {column} is")
        self.next()
        return Comparison(column, sign)

    def take(self, kind: str, token: str, what: str) -> str:
        if self.kind != kind or (token and self.token != token) or self.token in ("and", "or"):
            raise ConditionError(f"has {self.token or 'nothing'!r} where {what} should stand")
        found = self.token
        self.next()
        return found
