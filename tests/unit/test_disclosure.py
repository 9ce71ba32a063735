"""No small count of people is printed, and none can be worked out from what is."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from hhp_stats.errors import HhpError
from hhp_stats.plan.schema import DisclosureSettings
from hhp_stats.present import withholding
from hhp_stats.present.count_system import CountSystem, Key
from hhp_stats.present.disclosure import blanked, suppress
from hhp_stats.present.numbers import WITHHELD, count, number, percent, withheld, withheld_note
from hhp_stats.present.withholding import withheld_counts

FIVE = DisclosureSettings(threshold=5, zeros="published")
NO_ZEROS = DisclosureSettings(threshold=5, zeros="withheld")
# The bounds are whole numbers; linear programming finds them to about 1e-9.
APART = 1e-6


def known_to_a_reader(system, found, settings_, *, reasons=False):
    """Lowest and highest value of every unknown count that agrees with all that is printed, by linear programming.

    Written from the definition, without the search: the reader knows printed counts, sums, and what is withheld; with
    `reasons` also the threshold and which of the withheld counts are small.
    """
    unknown = [key for key in system.counts if key not in system.printed or key in found]
    place = {key: at for at, key in enumerate(unknown)}
    rows, right = [], []
    for each in system.sums:
        row, value = np.zeros(len(unknown)), 0.0
        for sign, key in [(1.0, each.total), *((-1.0, part) for part in each.parts)]:
            if key in place:
                row[place[key]] += sign
            else:
                value -= sign * system.counts[key]
        rows.append(row)
        right.append(value)
    least = 1 if settings_.zeros == "published" else 0
    limits = {"primary": (least, settings_.threshold - 1), "secondary": (settings_.threshold, None)}
    if not reasons:
        limits = dict.fromkeys(limits, (least, None))
    bounds = [limits[found[key]] if key in found else (0, None) for key in unknown]
    ends = {}
    for key, at in place.items():
        goal = np.zeros(len(unknown))
        goal[at] = 1.0
        low = linprog(goal, A_eq=np.array(rows), b_eq=right, bounds=bounds)
        high = linprog(-goal, A_eq=np.array(rows), b_eq=right, bounds=bounds)
        assert low.status == 0 and high.status in (0, 3)  # 3: no upper end
        ends[key] = (low.fun, np.inf if high.status == 3 else -high.fun)
    return ends


def two_way(counts):
    """A table with its margins, and the same as a system."""
    system = CountSystem()
    frame = pd.DataFrame(counts, columns=[f"c{j}" for j in range(len(counts[0]))])
    frame["all"] = frame.sum(axis="columns")
    frame.insert(0, "row", [f"r{i}" for i in range(len(frame))])
    bottom = frame.drop(columns="row").sum()
    frame = pd.concat([frame, pd.DataFrame([{"row": "all", **bottom}])], ignore_index=True)
    names = [name for name in frame if name != "row"]
    cells = {
        (row["row"], name): system.add(Key("t", row["row"], name), row[name])
        for row in frame.to_dict("records")
        for name in names
    }
    for row in frame["row"]:
        system.total(cells[row, "all"], *(cells[row, name] for name in names if name != "all"))
    for name in names:
        system.total(cells["all", name], *(cells[row, name] for row in frame["row"] if row != "all"))
    return frame, names, system


tables = st.integers(2, 3).flatmap(
    lambda width: st.lists(st.lists(st.integers(0, 12), min_size=width, max_size=width), min_size=2, max_size=3)
)
rules = st.builds(DisclosureSettings, threshold=st.integers(3, 7), zeros=st.sampled_from(["published", "withheld"]))


@settings(max_examples=25, deadline=None)
@given(tables, rules)
def test_no_withheld_count_of_a_two_way_table_can_be_worked_out(counts, rule):
    # Bounds of a two-way table with margins are whole numbers at the corners, so linear programming is exact here.
    frame, names, system = two_way(counts)
    found = withheld_counts(system, rule)
    if found:
        for key, (low, high) in known_to_a_reader(system, found, rule).items():
            if key in found:
                assert high - low > APART, f"{key} must be {low}"
    shown = suppress(frame, name="t", row="row", columns=names, settings=rule, total_row="all", total_column="all")
    least = 1 if rule.zeros == "published" else 0
    for name in names:
        for value in shown.table[name]:
            assert withheld(value) or not least <= value < rule.threshold
    assert {(r.row, r.column) for r in shown.register.itertuples()} == {(key.row, key.column) for key in found}


@settings(max_examples=10, deadline=None)
@given(tables, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_columns_does_not_matter(counts, random):
    _, _, system = two_way(counts)
    shuffled = CountSystem()
    keys = list(system.counts)
    random.shuffle(keys)
    for key in keys:
        shuffled.add(key, system.counts[key])
    sums = list(system.sums)
    random.shuffle(sums)
    for each in sums:
        shuffled.total(each.total, *reversed(each.parts))
    assert withheld_counts(shuffled, FIVE) == withheld_counts(system, FIVE)


@settings(max_examples=20, deadline=None)
@given(tables, rules)
def test_what_single_sums_give_away_the_integer_programme_finds_too(counts, rule):
    _, _, system = two_way(counts)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(withholding._Search, "_follows", lambda *_: False)
        by_programme = withheld_counts(system, rule)
    assert withheld_counts(system, rule) == by_programme


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=4), st.integers(0, 6))
def test_what_is_left_over_is_protected_across_two_tables(groups, shift):
    """Shares of several groups, and the same total in a second table by another division."""
    system = CountSystem()
    parts = []
    for name, (part, others) in enumerate(groups):
        people = system.add(Key("first", f"g{name}", "people"), part + others)
        parts.append(system.add(Key("first", f"g{name}", "left"), part))
        system.rest(people, parts[-1])
    total = system.add(Key("trial", "all", "left"), sum(part for part, _ in groups), printed=False)
    system.total(total, *parts)
    split = min(shift, system.counts[total])
    arms = [system.add(Key("second", arm, "left"), n) for arm, n in (("a", split), ("b", system.counts[total] - split))]
    system.total(total, *arms)
    found = withheld_counts(system, FIVE)
    small = {key for key, n in system.counts.items() if 0 < n < 5}
    assert {key for key, reason in found.items() if reason == "primary"} == small & system.printed
    if small:
        ends = known_to_a_reader(system, found, FIVE)
        for key in small & set(ends):
            assert ends[key][1] - ends[key][0] > APART, key


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=2, max_size=5))
def test_a_reader_who_knows_the_reasons_learns_no_count_of_a_list_with_a_total(counts):
    system = CountSystem()
    parts = [system.add(Key("t", f"r{at}", "n"), n) for at, n in enumerate(counts)]
    system.total(system.add(Key("t", "all", "n"), sum(counts)), *parts)
    found = withheld_counts(system, FIVE)
    if not found or sum(counts) < 5:  # ones in a small total cannot be defended: see below
        return
    for key, (low, high) in known_to_a_reader(system, found, FIVE, reasons=True).items():
        assert high - low > APART, f"{key} must be {low}"


def test_a_table_by_hand():
    table = pd.DataFrame(
        {"role": ["a", "b", "c", "all"], "control": [1, 7, 20, 28], "treated": [6, 8, 30, 44], "both": [7, 15, 50, 72]}
    )
    shown = suppress(table, name="roles", row="role", columns=["control", "treated", "both"], settings=FIVE,
                     total_row="all", total_column="both")  # fmt: skip
    # The single small count needs one partner in its row, one in its column, and the corner they share.
    assert [(r.row, r.column, r.reason) for r in shown.register.itertuples()] == [
        ("a", "control", "primary"), ("a", "treated", "secondary"), ("b", "control", "secondary"), ("b", "treated", "secondary"),
    ]  # fmt: skip
    assert shown.table["both"].tolist() == [7, 15, 50, 72]
    assert table["control"].tolist() == [1, 7, 20, 28], "the table given must stay as it was"


def test_two_small_counts_that_fill_their_total_take_the_total_with_them():
    table = pd.DataFrame({"row": ["a", "b", "all"], "n": [4, 4, 8]})
    shown = suppress(table, name="t", row="row", columns=["n"], settings=FIVE, total_row="all")
    # Who knows that both are below five reads off the total that both are four.
    assert shown.table["n"].tolist() == [WITHHELD] * 3


def test_ones_in_a_small_total_are_protected_while_the_reasons_are_not_told():
    table = pd.DataFrame({"row": ["a", "b", "all"], "n": [1, 1, 2]})
    shown = suppress(table, name="t", row="row", columns=["n"], settings=DisclosureSettings(threshold=3, zeros="published"),
                     total_row="all")  # fmt: skip
    assert shown.table["n"].tolist() == [WITHHELD] * 3


def test_a_partner_at_the_threshold_protects_nothing():
    table = pd.DataFrame({"row": ["a", "b", "c", "all"], "n": [1, 5, 9, 15]})
    shown = suppress(table, name="t", row="row", columns=["n"], settings=FIVE, total_row="all")
    # 1 + 5 = 6 with the five known to be at least five leaves the one no other value: the nine goes instead.
    assert shown.table["n"].tolist() == [WITHHELD, 5, WITHHELD, 15]


def test_without_totals_only_small_counts_go():
    table = pd.DataFrame({"row": ["a", "b", "c"], "n": [1, 5, 0], "share": [0.1, 0.5, 0.0]})
    shown = suppress(table, name="t", row="row", columns=["n"], settings=FIVE, shares={"share": "n"})
    assert shown.table["n"].tolist() == [WITHHELD, 5, 0] and shown.table["share"].tolist() == [WITHHELD, 0.5, 0.0]
    assert suppress(table, name="t", row="row", columns=["n"], settings=NO_ZEROS).table["n"].tolist() == [
        WITHHELD,
        5,
        WITHHELD,
    ]


def test_nothing_is_withheld_from_large_counts():
    table = pd.DataFrame({"row": ["a", "b", "all"], "n": [50, 60, 110]})
    shown = suppress(table, name="t", row="row", columns=["n"], settings=FIVE, total_row="all")
    assert shown.table.equals(table) and shown.register.empty


def test_the_same_people_in_two_tables_are_withheld_in_both():
    system = CountSystem()
    first, second = system.add(Key("one", "r", "n"), 3), system.add(Key("two", "r", "n"), 3)
    system.total(first, second)
    assert withheld_counts(system, FIVE) == {first: "primary", second: "primary"}


def test_a_lesser_count_is_given_up_first():
    system = CountSystem()
    a, b, c = (system.add(Key("t", name, "n"), n) for name, n in (("a", 2), ("b", 8), ("c", 30)))
    system.total(system.add(Key("t", "all", "n"), 40), a, b, c)
    assert withheld_counts(system, FIVE) == {a: "primary", b: "secondary"}
    system.lesser.add(c)
    assert withheld_counts(system, FIVE) == {a: "primary", c: "secondary"}


def test_what_contradicts_itself_is_refused():
    table = pd.DataFrame({"row": ["a", "b", "all"], "n": [4, 4, 9]})
    with pytest.raises(HhpError, match="not the sum"):
        suppress(table, name="t", row="row", columns=["n"], settings=FIVE, total_row="all")
    with pytest.raises(HhpError, match="row twice"):
        suppress(pd.DataFrame({"row": ["a", "a"], "n": [1, 2]}), name="t", row="row", columns=["n"], settings=FIVE)
    system = CountSystem()
    with pytest.raises(HhpError, match="not a count"):
        system.add(Key("t", "a", "n"), 2.5)
    with pytest.raises(HhpError, match="not a count"):
        system.add(Key("t", "a", "n"), -1)
    system.add(Key("t", "a", "n"), 2)
    with pytest.raises(HhpError, match="two counts"):
        system.add(Key("t", "a", "n"), 3)


def test_where_nothing_more_can_be_withheld_it_is_said():
    system = CountSystem()
    total = system.add(Key("t", "all", "n"), 0)
    system.total(total, system.add(Key("t", "a", "n"), 0))
    hidden = system.add(Key("t", "b", "n"), 2, printed=False)
    system.total(hidden, system.add(Key("t", "c", "n"), 0), system.add(Key("t", "d", "n"), 2))
    system.total(hidden, system.add(Key("t", "e", "n"), 2, printed=False))
    assert set(withheld_counts(system, FIVE)) == {Key("t", "d", "n")}


def test_a_withheld_count_is_printed_as_its_mark_and_cannot_be_computed_with():
    assert count(WITHHELD) == percent(WITHHELD) == number(WITHHELD) == WITHHELD
    table = blanked(pd.DataFrame({"n": [1, 20]}), [(0, "n")])
    assert withheld_note(table) and not withheld_note(table.iloc[1:])
    with pytest.raises(TypeError):
        _ = table["n"].iloc[0] / 2
