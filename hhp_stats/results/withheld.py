"""The words that stand where a number is withheld: in tables, and in the note of a row of results."""

from __future__ import annotations

import re

WITHHELD = "[c]"  # in a table, in place of a number; the mark that official statistics use
NOTE = "Withheld to protect a count of very few people: "  # in the note of a result, followed by what is withheld
DECIMALS = "decimals beyond "  # in that note, followed by how many are kept
NUMBERS = (
    "estimate",
    "std_error",
    "df",
    "statistic",
    "p_value",
    "p_adjusted",
    "conf_low",
    "conf_high",
    "mc_error",
    "mc_error_p",
)  # of a result


def decimals_kept(note: str) -> int | None:
    """How many decimals of a row's estimate are published; None where it is exact."""
    found = re.search(rf"{re.escape(NOTE)}.*{re.escape(DECIMALS)}(\d+)", note)
    return None if found is None else int(found[1])
