"""Published against ours: what counts as a match, and what the table refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hhp_stats.consistency.figures import COLUMNS
from hhp_stats.consistency.reproduction import mismatches, read_mapping, reproduction_table, share_reproduced
from hhp_stats.errors import InvalidInput, UnknownName


def published(*rows):
    blank = dict.fromkeys(COLUMNS, "")
    return pd.DataFrame(
        [blank | {"id": i, "statistic": s, "value": v, "as_printed": p, "source_line": 1} for i, s, v, p in rows]
    )


def mapping(*rows):
    return pd.DataFrame(rows, columns=["published_id", "result_id", "column", "decimals", "factor"])


RESULTS = pd.DataFrame(
    {
        "result_id": ["a/o/mean/raw", "a/o/p/x", "a/o/none/x"],
        "estimate": [5.535, 0.0449999, np.nan],
        "n": [200, 200, 0],
        "note": ["", "", ""],
    }
)


@pytest.mark.parametrize(
    ("value", "text", "ours", "matches"),
    [
        (5.53, "5.53", 5.535, True),  # exactly half a unit away could have been rounded either way
        (5.53, "5.53", 5.5251, True),
        (5.53, "5.53", 5.5249, False),
        (-0.05, "-.05", -0.0449, False),
        (-0.05, "-.05", -0.0451, True),
        (1969, "1,969", 1969.0, True),
        (1969, "1,969", 1968.0, False),
        (2800, "more than 2,800", 3696.0, True),
        (2800, "more than 2,800", 2800.0, False),
    ],
)
def test_a_match_is_within_half_a_unit_of_the_last_printed_digit(value, text, ours, matches):
    decimals = len(text.split(".")[1]) if "." in text else 0
    found = reproduction_table(
        published(("X", "mean", value, text)),
        RESULTS.assign(estimate=[ours, 0, 0]),
        mapping(("X", "a/o/mean/raw", "estimate", decimals, 1)),
    )
    assert found.loc[0, "matches"] == matches
    assert found.loc[0, "ours"] == ours


def test_shares_are_compared_in_per_cent():
    rates = RESULTS.assign(estimate=[0.2326, 0, 0])
    found = reproduction_table(
        published(("X", "response_rate", 23, "23%")), rates, mapping(("X", "a/o/mean/raw", "estimate", 0, 100))
    )
    assert bool(found.loc[0, "matches"])
    assert found.loc[0, "ours"] == pytest.approx(23.26)


def test_a_result_that_was_not_estimated_does_not_match_and_is_kept():
    found = reproduction_table(
        published(("X", "mean", 1.0, "1.0")), RESULTS, mapping(("X", "a/o/none/x", "estimate", 1, 1))
    )
    assert not found.loc[0, "matches"]
    assert np.isnan(found.loc[0, "ours"])
    assert share_reproduced(found) == (0, 1)
    assert mismatches(found, explained=["X"]).empty
    assert len(mismatches(found)) == 1


@pytest.mark.parametrize(
    ("row", "error"),
    [
        (("Y", "a/o/mean/raw", "estimate", 2, 1), UnknownName),  # no such figure
        (("X", "a/o/gone/raw", "estimate", 2, 1), UnknownName),  # no such result
        (("X", "a/o/mean/raw", "note", 2, 1), UnknownName),  # no number
        (("X", "a/o/mean/raw", "std_error", 2, 1), UnknownName),  # no such column
        (("X", "a/o/mean/raw", "estimate", 1, 1), InvalidInput),  # printed with two decimals
    ],
)
def test_a_mapping_that_points_nowhere_is_refused(row, error):
    with pytest.raises(error):
        reproduction_table(published(("X", "mean", 5.53, "5.53")), RESULTS, mapping(row))


def test_two_results_of_one_id_are_refused():
    doubled = pd.concat([RESULTS, RESULTS])
    with pytest.raises(InvalidInput):
        reproduction_table(
            published(("X", "mean", 5.53, "5.53")), doubled, mapping(("X", "a/o/mean/raw", "estimate", 2, 1))
        )


def test_the_mapping_file_is_read_strictly(tmp_path):
    folder = tmp_path / "data/published"
    folder.mkdir(parents=True)
    file = folder / "mapping_g.csv"
    file.write_text("published_id,result_id,column,decimals\nX,a/b/c/d,n,0\n")
    assert read_mapping(tmp_path, "g")["factor"].tolist() == [1.0]
    file.write_text("published_id,result_id,column\nX,a/b/c/d,n\n")
    with pytest.raises(UnknownName):
        read_mapping(tmp_path, "g")
    file.write_text("published_id,result_id,column,decimals\nX,a/b/c/d,n,0\nX,a/b/c/e,n,0\n")
    with pytest.raises(InvalidInput):
        read_mapping(tmp_path, "g")
