"""Which team is "Team 1"? Several authorities have one; a team is known by its authority and its name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

import pandas as pd

from hhp_stats.intake.returns import TEAM_WORDS
from hhp_stats.intake.spellings import Spellings

_PARTS = re.compile(r"[^\W\d_]+|\d+")
_LETTERS = 1  # of what is no word: Team A, T01


def shared_names(teams: Mapping[str, Iterable[pd.Series]], spellings: Spellings) -> frozenset[str]:
    """Names of teams that several authorities (the keys of `teams`) use, made of words for teams, letters and numbers.

    Any other ID that two authorities use has letters of one of them, and stands in the wrong return (rule X04).
    """
    words = {each.casefold() for each in spellings.of(TEAM_WORDS)}
    owners: dict[str, set[str]] = {}
    for authority, columns in teams.items():
        for column in columns:
            for name in column.dropna().unique():
                owners.setdefault(str(name), set()).add(authority)
    return frozenset(name for name, whose in owners.items() if len(whose) > 1 and _ordinary(name, words))


def _ordinary(name: str, words: Collection[str]) -> bool:
    parts = _PARTS.findall(name.casefold())
    return all(part.isdigit() or len(part) <= _LETTERS or part in words for part in parts)


def told_apart(frame: pd.DataFrame, authority: str | pd.Series, shared: Collection[str]) -> pd.DataFrame:
    """The frame with shared names followed by their authority: "Team 1 of Kent"."""
    if not shared:
        return frame
    of = authority if isinstance(authority, pd.Series) else pd.Series(authority, index=frame.index, dtype="str")
    doubted = frame["team_id"].isin(list(shared)) & of.notna()
    return frame.assign(team_id=frame["team_id"].where(~doubted, frame["team_id"].astype("str") + " of " + of))


def as_returned(teams: pd.DataFrame) -> pd.Series:
    """Names of teams as their authority writes them, from frames with `team_id` and `local_authority`."""
    pairs = zip(teams["team_id"], teams["local_authority"], strict=True)
    return pd.Series([team.removesuffix(f" of {of}") for team, of in pairs], index=teams.index, dtype="str")
