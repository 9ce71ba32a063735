"""Who is this, without saying who? Keyed pseudonyms for staff, names and email addresses."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable
from pathlib import Path

from hhp_stats.errors import DataError, Problem
from hhp_stats.intake.key import open_to_others, weakness
from hhp_stats.intake.rule import Rule

KEY_VARIABLE = "HHP_PSEUDONYM_KEY_FILE"
DEVELOPMENT_KEY = b"hhp_stats development key: for synthetic data only"
LENGTH = 16
_SEPARATOR = "\x1f"
_REMEDY = (
    f"Make a key once with `hhp key FILE`, set {KEY_VARIABLE} to that file, keep it safe, and always use the same."
)
KEY_OPEN = Rule(
    code="P02",
    severity="warning",
    rule="The file of the pseudonym key should be readable by its owner alone.",
    remedy="Take the right to read it from group and others: chmod 600 FILE.",
)


class Pseudonyms:
    """Turns identifiers into pseudonyms with a key that is shown nowhere, not even in `repr`.

    pseudonym = first 16 hex digits of HMAC-SHA256(key, parts joined by the unit separator).
    """

    __slots__ = ("_key", "development", "problems")

    def __init__(self, key: bytes, *, development: bool = False, problems: tuple[Problem, ...] = ()) -> None:
        self._key, self.development, self.problems = key, development, problems

    def __repr__(self) -> str:
        return f"Pseudonyms(development={self.development})"

    def __reduce__(self) -> str:
        raise TypeError("a pseudonym key is never stored")

    def of(self, *parts: str) -> str:
        """The pseudonym of an identifier within its context, such as (authority, staff ID)."""
        message = _SEPARATOR.join(parts).encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, message, hashlib.sha256).hex()[:LENGTH]

    def people(self, local_authority: str, staff_ids: Iterable[str]) -> list[str]:
        """The pseudonyms of staff of one authority."""
        return [self.of(local_authority, staff_id) for staff_id in staff_ids]


def load_pseudonyms(root: Path, *, status: str) -> Pseudonyms:
    """Which key turns identifiers into pseudonyms?

    The file named by the environment variable HHP_PSEUDONYM_KEY_FILE, which must lie outside the project and hold
    at least 32 random bytes, as they are, in hexadecimal or in base64 (`key.weakness`). Without it the development key,
    which is public, and only while the manifest says "synthetic": real data without a key are refused (`DataError`).
    A file that others may read gives a warning among the `problems`.
    """
    named = os.environ.get(KEY_VARIABLE, "")
    if not named:
        if status == "synthetic":
            return Pseudonyms(DEVELOPMENT_KEY, development=True)
        raise _refused(f"Real data need a secret pseudonym key: set {KEY_VARIABLE} to the path of a key file.")
    path = Path(named).expanduser()
    if path.resolve().is_relative_to(root.resolve()):
        raise _refused("The pseudonym key must lie outside the project folder, so that it is never shared with it.")
    try:
        key = path.read_bytes().strip()
        problems = (KEY_OPEN.problem(file=KEY_VARIABLE),) if open_to_others(path) else ()
    except OSError as error:
        raise _refused(f"The pseudonym key file cannot be read ({type(error).__name__}).") from None
    if key == DEVELOPMENT_KEY:
        if status == "synthetic":
            return Pseudonyms(key, development=True, problems=problems)
        raise _refused("The development key is public and must not be used for real data.")
    if weak := weakness(key):
        raise _refused(weak)
    return Pseudonyms(key, problems=problems)


def _refused(rule: str) -> DataError:
    return DataError([Problem(code="P01", severity="error", file=KEY_VARIABLE, rule=rule, remedy=_REMEDY)])
