"""Words put together for a sentence. No pandas here: what every start of `hhp render` says is said with these alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hhp_stats.present.marked_text import plain


def listed_words(parts: Sequence[str], *, last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`; "" of nothing. `last` is "or" after a negation. A comma before it keeps apart
    what has an "and" of its own: `a, and b and c`.
    """
    if len(parts) < 2:
        return "".join(parts)
    comma = "," if any(f" {last} " in part for part in parts) else ""
    return f"{', '.join(parts[:-1])}{comma} {last} {parts[-1]}"


def listed_apart(parts: Sequence[str]) -> str:
    """The same with semicolons where a part has a comma of its own: `a; b, before; and c`."""
    if len(parts) < 2 or not any("," in part for part in parts):
        return listed_words(parts)
    return f"{'; '.join(parts[:-1])}{';' if len(parts) > 2 else ''} and {parts[-1]}"


def clauses_named(codes: Iterable[str]) -> str:
    """`Clause P54`, or `Clauses P5, P48 and P54`: each once, in the order of the list of clauses; "" of none."""
    found = sorted(set(codes), key=lambda code: (code.rstrip("0123456789"), len(code), code))
    return f"Clause{'s' if len(found) > 1 else ''} {listed_words(found)}" if found else ""


def opened(text: str) -> str:
    """The beginning of a sentence: no sentence begins with a figure, or with a sign that stands for one."""
    return capital(text) if plain(text)[:1].isalpha() else f"In all, {text}"


def capital(label: str) -> str:
    """A label with its first letter large and the others as they are (`str.capitalize` would spoil abbreviations)."""
    return label[:1].upper() + label[1:]
