"""Numbers of people on either side of the threshold, wherever one can stand: cells, shares, means, rows, sums, bars."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from hhp_stats.disclosure.bars import pooled
from hhp_stats.disclosure.decision import published
from hhp_stats.disclosure.declared import KEPT, Bars, Declared, Row, counted, share, statistic
from hhp_stats.disclosure.system import CountedSet, count_system
from hhp_stats.errors import PlanError
from hhp_stats.plan.disclosure import LEAST, MOST, DisclosureSettings, disclosure_settings
from hhp_stats.results.frame import ResultRow, result_frame
from hhp_stats.results.withheld import WITHHELD

PEOPLE = 60
everyone = np.arange(PEOPLE)


def settings(threshold, zeros="published"):
    return DisclosureSettings(rule="withhold", threshold=threshold, zeros=zeros)


def decided(tables, columns, *, threshold=5, zeros="published", rows=(), declared_rows=None):
    declared = Declared(people=PEOPLE, columns=columns, rows=declared_rows or {})
    return published(
        study="a", tables=tables, results=result_frame(rows), declared=declared, settings=settings(threshold, zeros)
    )


# ---------------------------------------------------------------- a count, a share, a mean
@pytest.mark.parametrize("threshold", [3, 5, 10])
def test_a_count_is_printed_from_the_threshold_on(threshold):
    """Alone in its table: one below the threshold goes and the threshold itself stays, whatever becomes of zeros."""
    for size in range(1, threshold + 2):
        table = pd.DataFrame({"site": ["a"], "people": [size]})
        for zeros in ("published", "withheld"):
            shown = decided(
                {"t": table}, {"t": {"people": counted([everyone < size])}}, threshold=threshold, zeros=zeros
            ).tables["t"]["people"]
            assert (str(shown.iloc[0]) == WITHHELD) is (size < threshold), (size, zeros)


@pytest.mark.parametrize(
    ("part", "of", "gone"), [(4, 20, True), (5, 20, False), (16, 20, True), (15, 20, False), (20, 20, False)]
)
def test_a_share_goes_where_its_part_or_its_rest_is_small(part, of, gone):
    """With 20 people printed beside it, 16 of them tell the other four."""
    table = pd.DataFrame({"site": ["a"], "share": [part / of], "people": [of]})
    columns = {"share": share([everyone < part], [everyone < of]), "people": counted([everyone < of], worth=KEPT)}
    shown = decided({"t": table}, {"t": columns}).tables["t"]
    assert (str(shown["share"].iloc[0]) == WITHHELD) is gone and shown["people"].iloc[0] == of


@pytest.mark.parametrize("size", range(1, 8))
@pytest.mark.parametrize("digits", [None, 2])
def test_a_mean_goes_where_its_group_is_small(size, digits):
    """Of one person alone it is that person's value; it goes for every group below the threshold, rounded or not."""
    column = statistic([everyone < size])
    table = pd.DataFrame({"site": ["a"], "mean": [2.5]})
    shown = decided({"t": table}, {"t": {"mean": column if digits is None else column.rounded(digits)}}).tables["t"]
    assert (str(shown["mean"].iloc[0]) == WITHHELD) is (size < 5)


@pytest.mark.parametrize("size", range(1, 8))
def test_a_row_of_few_people_has_neither_its_n_nor_its_numbers(size):
    row = ResultRow(
        result_id="a/b/mean/raw",
        study="a",
        outcome="b",
        estimand="mean",
        population="",
        contrast="",
        method="",
        analysis="exploratory",
        estimate=2.5,
        std_error=0.5,
        conf_low=1.5,
        conf_high=3.5,
        p_value=0.2,
        df=9.0,
        n=size,
    )
    made = decided({}, {}, rows=[row], declared_rows={row.result_id: Row(n=everyone < size, plain=True)})
    shown = made.results.iloc[0]
    numbers = ["estimate", "std_error", "conf_low", "conf_high", "p_value", "df"]
    if size < 5:
        assert shown["status"] == "withheld" and pd.isna(shown["n"]) and shown[numbers].isna().all() and shown["note"]
    else:
        assert shown["n"] == size and shown[numbers].tolist() == [2.5, 0.5, 1.5, 3.5, 0.2, 9.0] and not shown["note"]
    register = made.register.set_index("column")["people"]
    assert register["n"] == (WITHHELD if size < 5 else str(size))


# ---------------------------------------------------------------- what follows from sums
@pytest.mark.parametrize("threshold", [3, 5, 10])
def test_a_difference_of_two_numbers_is_guarded_below_the_threshold(threshold):
    """Of all and of those known: the others are as few as the difference, and are found up to one below the
    threshold.
    """
    for fewer in range(1, threshold + 2):
        sets = [
            CountedSet(label="all", members=everyone >= 0, worth=KEPT),
            CountedSet(label="known", members=everyone >= fewer, worth=1),
        ]
        found = count_system(sets, people=PEOPLE, threshold=threshold)
        assert found.counts[found.printed :].tolist() == ([fewer] if fewer < threshold else [])


@pytest.mark.parametrize("parts", [(2, 2), (1, 3), (1, 1, 2), (1, 1, 1, 1), (2, 3), (1, 1, 3), (1, 1, 1, 2)])
def test_a_group_made_of_several_kinds_of_people_is_guarded_below_the_threshold(parts):
    """People whom other printed numbers tell apart, of which only the sum follows: four are few, five are not."""
    ends = np.cumsum([0, *parts])
    total = int(ends[-1])
    sets = [
        CountedSet(label="all", members=everyone >= 0, worth=KEPT),
        CountedSet(label="known", members=everyone >= total, worth=1),
    ]
    # Each kind with other people: no sum gives the kind by itself.
    for place, (low, high) in enumerate(pairwise(ends)):
        kind = (everyone >= low) & (everyone < high)
        with_others = kind | ((everyone >= 20 + 8 * place) & (everyone < 28 + 8 * place))
        sets.append(CountedSet(label=str(place), members=with_others, worth=1))
    found = count_system(sets, people=PEOPLE, threshold=5)
    assert found.counts[found.printed :].tolist() == ([total] if total < 5 else [])


@pytest.mark.parametrize(("small", "gone"), [(4, ["a", "b"]), (5, [])])
def test_a_part_of_a_printed_total_takes_the_smallest_other_with_it(small, gone):
    sizes = {"a": small, "b": 13, "c": 60 - 13 - small}
    ends = np.cumsum([0, *sizes.values()])
    members = [(everyone >= low) & (everyone < high) for low, high in pairwise(ends)]
    table = pd.DataFrame({"site": list(sizes), "people": list(sizes.values())})
    total = pd.DataFrame({"who": ["all"], "people": [60]})
    shown = decided(
        {"t": table, "total": total},
        {"t": {"people": counted(members)}, "total": {"people": counted([everyone >= 0], worth=KEPT)}},
    )
    people = shown.tables["t"].set_index("site")["people"]
    assert [site for site in sizes if people[site] == WITHHELD] == gone and shown.tables["total"][
        "people"
    ].tolist() == [60]
    assert all(people[site] == sizes[site] for site in sizes if site not in gone)


# ---------------------------------------------------------------- bars
@pytest.mark.parametrize(
    ("people", "classes"),
    [
        ([5, 5, 5], [(0, 0), (1, 1), (2, 2)]),
        ([5, 4, 6], [(0, 0), (1, 2)]),
        ([5, 5, 4], [(0, 0), (1, 2)]),
        ([6, 6, 6], [(0, 0), (1, 1), (2, 2)]),
    ],
)
def test_a_class_is_closed_when_it_holds_the_threshold(people, classes):
    table = pd.DataFrame({"arm": "a", "value": [0, 1, 2], "people": people, "share": np.array(people) / sum(people)})
    ends = np.cumsum([0, *people])
    members = tuple((everyone >= low) & (everyone < high) for low, high in pairwise(ends))
    found = pooled(table, Bars(group="arm", value="value", members=members, moments=0), threshold=5)
    assert list(zip(found.table["low"], found.table["high"], strict=True)) == classes
    assert (
        found.table["people"].tolist() == [sum(people[low : high + 1]) for low, high in classes] and not found.exposed
    )


# ---------------------------------------------------------------- the plan's word
@pytest.mark.parametrize(("threshold", "fine"), [(LEAST - 1, False), (LEAST, True), (MOST, True), (MOST + 1, False)])
def test_thresholds_that_a_plan_may_have(threshold, fine):
    raw = {"disclosure": {"rule": "withhold", "threshold": threshold, "zeros": "published"}}
    if fine:
        assert disclosure_settings(raw, file="a.toml").threshold == threshold
    else:
        with pytest.raises(PlanError, match=f"a threshold of {threshold}"):
            disclosure_settings(raw, file="a.toml")


def test_nothing_is_withheld_where_the_plan_switches_it_off():
    table = pd.DataFrame({"site": ["a"], "people": [1]})
    declared = Declared(people=PEOPLE, columns={"t": {"people": counted([everyone < 1])}})
    off = replace(settings(5), rule="none", reason="an internal render")
    made = published(study="a", tables={"t": table}, results=result_frame([]), declared=declared, settings=off)
    assert made.tables["t"]["people"].tolist() == [1] and made.register["people"].tolist() == ["1"]
