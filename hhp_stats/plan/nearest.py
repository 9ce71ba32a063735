"""What did somebody mean who wrote a name that does not exist?"""

from __future__ import annotations

from collections.abc import Iterable


def allowed(known: Iterable[str], given: object = "") -> str:
    """`Allowed: a, b, c. Did you mean b?`: every name there is, and the one most like what was given, if one is like it."""
    names = list(known)
    # Only here: the module is slow to import, and no start of a command needs it.
    from difflib import get_close_matches

    close = get_close_matches(str(given), names, n=1)
    return f"Allowed: {', '.join(names) or 'none yet'}." + (f" Did you mean {close[0]!r}?" if close else "")
