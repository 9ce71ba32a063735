"""Is this a key that nobody can guess? What makes one weak, and how a good one is made."""

from __future__ import annotations

import itertools
import os
import re
import secrets
import stat
from pathlib import Path

SHORTEST_KEY = 32  # bytes
FEWEST_BYTES = 8  # different ones; of 32 random hexadecimal digits fewer occur in one of 50,000
_RANDOM_BYTES = 32
_HEX = re.compile(r"[0-9a-fA-F]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/_=-]+")
_MOST_STEPS = 0.5  # share of neighbours that are alike or next in order; under 0.15 in random text
_MOST_LOWER, _MOST_COMMON = 0.68, 0.55  # of letters: in lower case; among the nine most common of English
_COMMON = frozenset("etaoinshr")  # random base64: 0.50 and 0.35, English words with capitals: 0.75 and 0.65


def weakness(key: bytes) -> str:
    """Why must this key not be used? Empty where nothing is wrong with it.

    A key is random bytes, or random bytes written in hexadecimal or base64; words, patterns and repetitions can be
    guessed, and with the key anybody who knows the staff IDs can tell the pseudonyms. What looks random may still be
    known to others: no rule finds that out.
    """
    if len(key) < SHORTEST_KEY:
        return f"A pseudonym key must have at least {SHORTEST_KEY} bytes."
    if len(set(key)) < FEWEST_BYTES:
        return f"A pseudonym key must not repeat a few signs: it needs at least {FEWEST_BYTES} different ones."
    if _period(key) <= len(key) // 2:
        return "A pseudonym key must not repeat a pattern."
    steps = sum(abs(one - other) <= 1 for one, other in itertools.pairwise(key))
    if steps > _MOST_STEPS * (len(key) - 1):
        return "A pseudonym key must not follow the order of an alphabet."
    try:
        text = key.decode("utf-8")
    except UnicodeDecodeError:
        return ""  # random bytes as they are
    if not _looks_random(text):
        return "A pseudonym key must be random, and not words, names, dates or a number."
    return ""


def _period(key: bytes) -> int:
    """The length of the shortest piece whose repetition gives the key; its own length where nothing repeats."""
    border = [0] * len(key)  # border[i]: the longest proper prefix of key[: i + 1] that also ends it
    for at in range(1, len(key)):
        length = border[at - 1]
        while length and key[at] != key[length]:
            length = border[length - 1]
        border[at] = length + (key[at] == key[length])
    return len(key) - border[-1]


def _looks_random(text: str) -> bool:
    if _HEX.fullmatch(text):
        return not text.isdecimal()
    if not _BASE64.fullmatch(text):
        return False
    if not (re.search("[a-z]", text) and re.search("[A-Z]", text)):
        return False
    letters = [letter for letter in text if letter.isalpha()]
    lower = sum(map(str.islower, letters)) / len(letters)
    common = sum(letter.casefold() in _COMMON for letter in letters) / len(letters)
    return not (lower > _MOST_LOWER and common > _MOST_COMMON)


def open_to_others(path: Path) -> bool:
    """Whether other users of this machine may read the file; where the system has no such rights, False."""
    may_read: int = path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH)
    return os.name == "posix" and may_read != 0


def write_key(path: Path) -> None:
    """Writes a new random key, readable by its owner alone. Never over a file: FileExistsError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(path, flags, stat.S_IRUSR | stat.S_IWUSR), "w", encoding="ascii") as file:
        file.write(f"{secrets.token_hex(_RANDOM_BYTES)}\n")
        file.flush()
        os.fsync(file.fileno())
