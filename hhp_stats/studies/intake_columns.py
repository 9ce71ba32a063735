"""What the tables that intake hands over say of people: files read, problems found, habits accepted, corrections."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from hhp_stats.disclosure.declared import Column, Columns, Mask, counted, internal, other

# Files with a line for each person, answer or session; the others hold rules, plans and findings.
PEOPLES = (
    "data/returns/",
    "data/allocation/",
    "data/surveys/",
    "data/course_log/",
    "data/decisions/",
    "data/usage/",
    "data/tables/",
)


# Of the table of corrections, what only the ledger may tell.
_OF_PERSONS = ("person", "old_value", "new_value", "file", "cell", "ledger_line")


def correction_columns() -> Columns:
    """Declarations of the table `corrections`: whose value was corrected, and to what, stays with the team."""
    return dict.fromkeys(_OF_PERSONS, internal())


def intake_columns(inputs: pd.DataFrame, *, known: Mapping[str, Mask]) -> dict[str, Columns]:
    """Declarations of the tables `inputs` and `problems`.

    `known`: whom the lines of a file count, by path. The lines of other files about people are not published: their
    number would say how many were listed and do not take part. A problem's place and value stay with the team.
    """
    paths = [str(path) for path in inputs["path"]]
    lines = counted([known.get(path) for path in paths])
    hidden = tuple(path.startswith(PEOPLES) and path not in known for path in paths)
    return {
        "inputs": {"rows": Column(kind="count", tells=lines.tells, empty=hidden), "bytes": other()},
        "problems": {"sheet": internal(), "cell": internal(), "value": internal(), "cells": internal()},
    }
