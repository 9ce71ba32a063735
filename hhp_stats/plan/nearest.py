"""What did somebody mean who wrote a name that does not exist?"""

from __future__ import annotations

from collections.abc import Collection, Iterable

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


def refuse_unknown(file: str, place: str, what: str, given: Iterable[str], known: Collection[str], where: str) -> None:
    """Refuses (PlanError) the first name that is not among those known, naming them and the nearest."""
    for name in given:
        if name not in known:
            names = sorted(known)
            some = ", ".join(names[:12]) or "none yet"
            raise PlanError(
                file,
                place,
                f"names {what} {name!r}, which does not exist.",
                f"{meant(name, names)}Use one of {where}: {some}{', ...' if len(names) > 12 else ''}.",
            )
