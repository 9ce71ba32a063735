"""Is a row of an export a person's response? By the kinds that the survey platform knows; an unknown kind is no
person, an empty cell no kind.

Source: Qualtrics, "Understanding your dataset", table of the values of `Status`: 0 IP Address, 1 Survey Preview, 2
Survey Test, 4 Imported, 8 Spam, 9 Survey Preview Spam, 12 Imported Spam, 16 Offline, 17 Offline Survey Preview, 32
EX, 40 EX Spam, 48 EX Offline.
"""

from __future__ import annotations

COUNTED = frozenset(
    {
        "",
        "0",
        "ip address",
        "4",
        "imported",
        "16",
        "offline",
        "offline response",
        "offline survey",
        "32",
        "ex",
        "48",
        "ex offline",
    }
)
LEFT_OUT = frozenset(
    {
        "1",
        "survey preview",
        "preview",
        "2",
        "survey test",
        "test",
        "8",
        "spam",
        "possible spam",
        "9",
        "survey preview spam",
        "preview spam",
        "12",
        "imported spam",
        "17",
        "offline survey preview",
        "offline preview",
        "40",
        "ex spam",
    }
)
_TEST_CHANNELS = frozenset({"preview", "test"})
# Somebody who makes the survey tries it out: the platform then says so in both columns.
_TRIED = frozenset(kind for kind in LEFT_OUT if kind in {"1", "2", "9", "17"} or "preview" in kind or "test" in kind)


def is_person(status: str, channel: str) -> bool:
    """Whether a response counts as a person's, by kind and way of distribution in lower case; not where the kind is
    unknown.
    """
    return status in COUNTED and channel not in _TEST_CHANNELS


def is_known(status: str) -> bool:
    """Whether the platform knows this kind of response."""
    return status in COUNTED or status in LEFT_OUT


def contradicts(status: str, channel: str) -> bool:
    """Whether one column calls a response a trial of the survey and the other a person's."""
    tried = channel in _TEST_CHANNELS
    return bool(status and channel) and (tried != (status in _TRIED)) and (status in _TRIED or status in COUNTED)
