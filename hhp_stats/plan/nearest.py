"""What did somebody mean who wrote a name that does not exist?"""

from __future__ import annotations

from collections.abc import Iterable

from hhp_stats.errors import PlanError


def meant(given: object, known: Iterable[str]) -> str:
    """`Did you mean b? `: the known name that is most like a wrong one, as the beginning of a remedy; "" if none is
    like it.
    """
    # Only here: the module is slow to import, and no start of a command needs it.
    from difflib import get_close_matches

    close = get_close_matches(str(given).casefold(), [str(each) for each in known], n=1)
    return f"Did you mean {close[0]!r}? " if close else ""


def allowed(known: Iterable[str], given: object = "") -> str:
    """`Allowed: a, b, c. Did you mean b?`: every name there is, and the one most like what was given, if one is like
    it.
    """
    names = list(known)
    return f"Allowed: {', '.join(names) or 'none yet'}. {meant(given, names)}".rstrip()


def among(file: str, place: str, what: str, given: str, known: Iterable[str], where: str) -> None:
    """Refuses (PlanError) a name that is not among those known, naming them and the nearest."""
    names = sorted(known)
    if given not in names:
        raise PlanError(
            file, place, f"has the {what} {given!r}.", f"{meant(given, names)}Use one of {where}: {', '.join(names)}."
        )
