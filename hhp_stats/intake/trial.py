"""The trial as data: one row per person, the teams, and the account of how they came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What intake hands to the analysis. No frame holds a name, an email address, a staff ID or free text."""

    study: str
    people: pd.DataFrame  # one row per person seen in any return
    teams: pd.DataFrame  # allocation list and counts
    inputs: pd.DataFrame  # path, sha256, bytes, rows of every file read; authority, wave, day drawn of returns
    problems: pd.DataFrame  # warnings and notes: the fields of errors.Problem
    corrections: pd.DataFrame  # ledger lines applied
    tolerances: pd.DataFrame  # typing habits accepted
    linkage: pd.DataFrame  # survey responses by wave, authority and arm
    draws: pd.DataFrame = field(default_factory=pd.DataFrame)  # the log of the randomisation and whether it repeats
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of columns of people, as the dictionary lists
