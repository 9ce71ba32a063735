"""One damage to a file as bytes, as text, as lines of a plan, or as the questions of a survey's definition."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable
from typing import Any


def _truncated(raw: bytes, rng: random.Random) -> bytes:
    return raw[: rng.randrange(1, len(raw))]


def _flipped(raw: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(raw)
    for _ in range(rng.choice((1, 3, 30))):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    return bytes(damaged)


BYTES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "file cut off": _truncated,
    "bytes changed": _flipped,
    "file emptied": lambda raw, rng: b"",
    "file of zeros": lambda raw, rng: b"\0" * 2000,
    "file of another kind": lambda raw, rng: rng.choice(
        (b"%PDF-1.4\n", b"<html><table></table></html>", b"{}", b"PK\x03\x04rubbish")
    ),
    "file behind a password": lambda raw, rng: (
        bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 99 + "EncryptedPackage".encode("utf-16-le")
    ),
}
TEXTS: dict[str, Callable[[str], bytes]] = {
    "as UTF-16": lambda text: text.encode("utf-16"),
    "as if it were Windows-1252": lambda text: text.encode().decode("cp1252", errors="replace").encode(),
    "as Windows-1252": lambda text: text.encode("cp1252", errors="replace"),
    "with semicolons": lambda text: _delimited(text, ";"),
    "with tabs": lambda text: _delimited(text, "\t"),
    "with line ends of Windows": lambda text: text.replace("\r\n", "\n").replace("\n", "\r\n").encode(),
    "with a byte order mark": lambda text: b"\xef\xbb\xbf" + text.lstrip("\ufeff").encode(),
    "with a NUL": lambda text: (text[:50] + "\0" + text[50:]).encode(),
    "with an open quotation mark": lambda text: (text + '"').encode(),
    "with blank lines first": lambda text: ("\n\n" + text.lstrip("\ufeff")).encode(),
    "with a line on the separator": lambda text: ("sep=,\n" + text.lstrip("\ufeff")).encode(),
    "with one field more": lambda text: "\n".join(
        line + "," if at == 4 else line for at, line in enumerate(text.split("\n"))
    ).encode(),
}


LINES: dict[str, Callable[[list[str], random.Random], list[str]]] = {
    "a line left out": lambda lines, rng: _without(lines, rng),
    "a line doubled": lambda lines, rng: [*lines, rng.choice(lines)],
    "two lines exchanged": lambda lines, rng: _exchanged(lines, rng),
    "a value without its quotation marks": lambda lines, rng: _at_random(
        lines, rng, lambda line: line.replace('"', "")
    ),
    "another value": lambda lines, rng: _at_random(lines, rng, lambda line: f"{line.split('=')[0]}= 7"),
    "another key": lambda lines, rng: _at_random(lines, rng, lambda line: f"x{line}"),
}


def _without(lines: list[str], rng: random.Random) -> list[str]:
    gone = rng.randrange(len(lines))
    return [line for at, line in enumerate(lines) if at != gone]


def _exchanged(lines: list[str], rng: random.Random) -> list[str]:
    one, other = rng.sample(range(len(lines)), 2)
    order = {one: other, other: one}
    return [lines[order.get(at, at)] for at in range(len(lines))]


def _at_random(lines: list[str], rng: random.Random, change: Callable[[str], str]) -> list[str]:
    where = rng.choice([at for at, line in enumerate(lines) if "=" in line])
    return [change(line) if at == where else line for at, line in enumerate(lines)]


def _delimited(text: str, delimiter: str) -> bytes:
    made = io.StringIO(newline="")
    csv.writer(made, delimiter=delimiter, lineterminator="\n").writerows(csv.reader(io.StringIO(text, newline="")))
    return made.getvalue().encode()


Payload = dict[str, Any]


def _questions(change: Callable[[list[Payload], random.Random], list[Payload]]) -> Callable[[str, random.Random], str]:
    """The elements of a definition changed."""

    def damage(text: str, rng: random.Random) -> str:
        whole = json.loads(text)
        whole["SurveyElements"] = change(whole["SurveyElements"], rng)
        return json.dumps(whole)

    return damage


def _of_one(change: Callable[[Payload], None]) -> Callable[[str, random.Random], str]:
    """The payload of one question changed."""

    def damage(elements: list[Payload], rng: random.Random) -> list[Payload]:
        asked = [each["Payload"] for each in elements if each.get("Element") == "SQ"]
        change(rng.choice([each for each in asked if "Choices" in each] or asked))
        return elements

    return _questions(damage)


def _recoded(payload: Payload) -> None:
    codes = payload.get("RecodeValues") or {key: key for key in payload.get("Choices", {})}
    payload["RecodeValues"] = dict(zip(codes, reversed(list(codes.values())), strict=True))


def _texts_exchanged(elements: list[Payload], rng: random.Random) -> list[Payload]:
    one, other = rng.sample([each["Payload"] for each in elements if each.get("Element") == "SQ"], 2)
    one["QuestionText"], other["QuestionText"] = other["QuestionText"], one["QuestionText"]
    return elements


QUESTIONS: dict[str, Callable[[str, random.Random], str]] = {
    "a question left out": _questions(lambda elements, rng: _left_out(elements, rng)),
    "two texts exchanged": _questions(_texts_exchanged),
    "codes the other way round": _of_one(_recoded),
    "choices lost": _of_one(lambda payload: payload.update(Choices={})),
    "a question of another type": _of_one(lambda payload: payload.update(QuestionType="Matrix", Choices=7)),
    "a question of another name": _of_one(lambda payload: payload.update(DataExportTag="Q99")),
}


def _left_out(elements: list[Payload], rng: random.Random) -> list[Payload]:
    gone = rng.randrange(len(elements))
    return [each for at, each in enumerate(elements) if at != gone]
