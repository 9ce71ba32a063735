"""A column that the file does not have is like one that is read and holds nothing, whatever the kind of its field."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from hhp_stats.intake.columns import Manner, empty_column, read_column
from hhp_stats.intake.dictionary import load_dictionary
from hhp_stats.intake.spellings import load_spellings

ROOT = Path(__file__).resolve().parents[3]
FIELDS = {field.kind: field for field in load_dictionary(ROOT)}


@pytest.mark.parametrize("kind", sorted(FIELDS))
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_an_absent_column_is_like_a_blank_one(kind, rows):
    field = FIELDS[kind]
    spellings = load_spellings(ROOT, load_dictionary(ROOT))
    read = read_column(
        spec=replace(field, required=False), raw=[None] * rows, spellings=spellings, manner=Manner(typed=False)
    )
    pd.testing.assert_series_equal(empty_column(field, rows), read.values)
    assert not read.unread
