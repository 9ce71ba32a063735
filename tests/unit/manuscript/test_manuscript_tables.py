"""Figures of a table against each other: estimates, arms, shares, sums, differences, scales."""

import pytest

from hhp_stats.manuscript.document import Table
from hhp_stats.manuscript.tables import table_claims


def table(headings, *rows, caption="", note=""):
    return Table(place="table 1", caption=caption, headings=tuple(headings), rows=tuple(rows), note=note)


def wrong(made):
    return {
        (claim.row, claim.column, claim.kind) for claim in table_claims(made) if claim.finding == "does_not_reproduce"
    }


def right(made):
    return {(claim.row, claim.column, claim.kind) for claim in table_claims(made) if claim.finding == "reproduces"}


@pytest.mark.parametrize(
    ("headings", "row", "column", "bad"),
    [
        (("Outcome", "Difference", "95% CI", "p"), ("Wellbeing", "0.28", "0.05 to 0.51", ".018"), 1, {3: ".18"}),
        (("Outcome", "Difference", "95% CI", "p"), ("Wellbeing", "0.28", "0.05 to 0.51", ".018"), 1, {1: "0.38"}),
        (("Outcome", "Estimate (95% CI)", "P value"), ("Wellbeing", "0.28 (0.05, 0.51)", "0.018"), 1, {2: "0.18"}),
        (("Outcome", "Effect", "Lower", "Upper"), ("Wellbeing", "0.28", "0.05", "0.51"), 1, {3: "0.71"}),
        (("Outcome", "OR", "95% CI", "p"), ("Left", "1.50", "1.10 to 2.05", ".011"), 1, {3: ".11"}),
        (("Outcome", "b", "SE", "p"), ("Wellbeing", "0.28", "0.11", ".012"), 1, {3: ".12"}),
        (("Outcome", "Coefficient (SE)", "p"), ("Wellbeing", "0.28 (0.11)", ".012"), 1, {2: ".12"}),
    ],
)
def test_estimate_interval_error_and_p(headings, row, column, bad):
    assert wrong(table(headings, row)) == set() and (0, column) in {at[:2] for at in right(table(headings, row))}
    spoiled = tuple(bad.get(at, cell) for at, cell in enumerate(row))
    assert {at[:2] for at in wrong(table(headings, spoiled))} == {(0, column)}


def test_a_statistic_is_the_estimate_over_its_error():
    headings = ("Outcome", "b", "SE", "t", "p")
    assert (0, 3, "test") in right(table(headings, ("Wellbeing", "0.28", "0.11", "2.55", ".011")))
    assert wrong(table(headings, ("Wellbeing", "0.28", "0.11", "3.55", ".011"))) == {(0, 3, "test")}


def test_arms_beside_each_other():
    headings = ("", "Control (n = 120)", "Treated (n = 115)", "p")
    rows = [
        ("Age, mean (SD)", "41.2 (10.1)", "43.9 (10.4)", ".044"),
        ("Female, n (%)", "96 (80.0)", "89 (77.4)", ".63"),
    ]
    made = table(headings, *rows)
    assert wrong(made) == set() and {(0, 3, "arms"), (1, 1, "share"), (1, 2, "share"), (1, 3, "arms")} <= right(made)
    assert wrong(table(headings, ("Age, mean (SD)", "41.2 (10.1)", "43.9 (10.4)", ".44"), rows[1])) == {(0, 3, "arms")}
    assert wrong(table(headings, rows[0], ("Female, n (%)", "96 (86.0)", "89 (77.4)", ".63"))) == {(1, 1, "share")}


def test_sums_of_rows_and_columns():
    headings = ("Authority", "Control", "Treated", "Total")
    rows = [
        ("Kent", "40", "38", "78"),
        ("Brent", "25", "31", "56"),
        ("Bury", "19", "17", "36"),
        ("Total", "84", "86", "170"),
    ]
    made = table(headings, *rows)
    assert wrong(made) == set() and {(3, 1, "sum"), (3, 3, "sum"), (0, 3, "sum")} <= right(made)
    assert wrong(table(headings, *rows[:3], ("Total", "85", "86", "171"))) == {(3, 1, "sum"), (3, 3, "sum")}
    assert wrong(table(headings, rows[0], ("Brent", "25", "31", "65"), *rows[2:])) == {(1, 3, "sum"), (3, 3, "sum")}


def test_subtotals_and_a_grand_total():
    rows = [
        ("a", "4"),
        ("b", "6"),
        ("Subtotal", "10"),
        ("c", "3"),
        ("d", "2"),
        ("Subtotal", "5"),
        ("Grand total", "15"),
    ]
    assert wrong(table(("Group", "People"), *rows)) == set()
    assert wrong(table(("Group", "People"), *rows[:-1], ("Grand total", "16"))) == {(6, 1, "sum")}


def test_rows_are_held_against_the_rule_that_the_others_follow():
    headings = ("Trial", "Invited", "Answered", "Response rate", "Before", "After", "Difference")
    rows = [
        ("A", "1,969", "428", "21.7%", "4.1", "4.6", "0.5"),
        ("B", "1,148", "267", "23.3%", "3.0", "2.4", "-0.6"),
        ("C", "276", "98", "35.5%", "2.2", "2.5", "0.3"),
    ]
    assert wrong(table(headings, *rows)) == set()
    spoiled = ("D", "200", "50", "35.0%", "2.0", "2.5", "0.9")
    assert wrong(table(headings, *rows, spoiled)) == {(3, 3, "share"), (3, 6, "difference")}


def test_spread_and_scale():
    headings = ("Outcome", "n", "Mean", "SD", "SE")
    caption = "Scores from 1 to 7"
    assert wrong(table(headings, ("Worth", "200", "5.53", "1.41", "0.10"), caption=caption)) == set()
    assert wrong(table(headings, ("Worth", "200", "5.53", "1.41", "0.20"), caption=caption)) == {(0, 4, "scale")}
    assert wrong(table(headings, ("Worth", "200", "7.53", "1.41", "0.10"), caption=caption)) == {(0, 2, "scale")}
    assert wrong(table(headings, ("Worth", "200", "5.53", "4.41", "0.31"), caption=caption)) == {(0, 2, "scale")}


def test_columns_that_are_no_sums_are_left_alone():
    rows = [("Kent", "41", "3"), ("Brent", "39", "2"), ("Total", "40", "3")]
    assert wrong(table(("Authority", "Mean age", "Median days"), *rows)) == set()


@pytest.mark.parametrize(
    ("headings", "row", "bad"),
    [
        (("Test", "t", "df", "p"), ("Mood", "2.00", "82", ".049"), ".03"),
        (("Test", "t value", "df", "p"), ("Mood", "-3.20", "82", ".002"), ".02"),
        (("Test", "F", "df", "P value"), ("Mood", "4.56", "2, 147", "0.012"), "0.12"),
        (("Test", "F(2, 147)", "p"), ("Mood", "4.56", ".012"), ".12"),
        (("Test", "\u03c7\u00b2", "df", "p"), ("Mood", "7.82", "3", ".050"), "< .01"),
        (("Pair", "r(60)", "p"), ("Age", "-.34", ".007"), ".07"),
        (("Test", "z", "p"), ("Mood", "2.05", ".040"), ".40"),
    ],
)
def test_statistics_in_columns_with_their_df(headings, row, bad):
    assert (0, 1, "test") in right(table(headings, row)) and wrong(table(headings, row)) == set()
    assert wrong(table(headings, (*row[:-1], bad))) == {(0, 1, "test")}


def test_no_statistic_is_judged_without_its_df():
    assert right(table(("Test", "t", "p"), ("Mood", "2.00", ".03"))) == set()
    assert wrong(table(("Test", "t", "p"), ("Mood", "2.00", ".03"))) == set()


def test_shares_of_a_row_of_all():
    headings = ("Characteristic", "n", "%")
    rows = [("Female", "240", "80%"), ("Part-time", "60", "20%"), ("All", "300", "100%")]
    assert {at[:2] for at in right(table(headings, *rows))} >= {(0, 2), (1, 2), (2, 2)}
    assert wrong(table(headings, rows[0], ("Part-time", "60", "25%"), rows[2])) == {(1, 2, "share")}
    # Shares within groups follow no rule of all.
    within = [("Women, ill", "60", "50%"), ("Men, ill", "45", "25%"), ("All", "300", "100%")]
    assert wrong(table(headings, *within)) == set()


def test_means_of_arms_on_the_scale_of_their_row():
    headings = ("Outcome", "Control mean (SD), n = 42", "Offered mean (SD), n = 42")
    assert wrong(table(headings, ("Mood (1 to 5)", "3.1 (0.8)", "4.4 (0.5)"))) == set()
    assert wrong(table(headings, ("Mood (1\u20135)", "3.1 (0.8)", "5.4 (0.9)"))) == {(0, 2, "scale")}
    assert wrong(table(headings, ("Mood (2019)", "3.1 (0.8)", "5.4 (0.9)"))) == set()


def test_counts_and_shares_in_columns_of_one_group():
    """474 people in the heading above both columns: 22 of them are 4.6%, not 5.7%."""
    head = ("Outcome", "App (n=474) Events", "App (n=474) %")
    rows = [("Primary", "61", "12.9%"), ("Admission", "40", "8.4%"), ("Stroke", "9", "1.9%")]
    assert right(table(head, *rows)) == {(at, 2, "share") for at in range(3)}
    assert wrong(table(head, *rows, ("Surgery", "22", "5.7%"))) == {(3, 2, "share")}


def test_counts_with_shares_beside_the_number_of_all():
    head = ("Area", "Households", "Answered (%)")
    rows = [("North", "900", "405 (45.0)"), ("South", "800", "390 (48.8)"), ("East", "500", "205 (41.0)")]
    assert right(table(head, *rows)) == {(at, 2, "share") for at in range(3)}
    total = ("Total", "2,200", "1,100 (50.0)")
    assert wrong(table(head, *rows, ("West", "900", "420 (49.7)"))) == {(3, 2, "share")}
    assert wrong(table(head, *rows, total)) == {(3, 2, "sum")}  # 1,000 answered


def test_a_scale_that_the_caption_names():
    made = table(("Item", "Mean", "SD"), ("Joy", "5.20", "0.60"), caption="Table 1. Wellbeing (from 1 to 5)")
    assert wrong(made) == {(0, 1, "scale")}
    ages = table(("Item", "Mean", "SD"), ("Age", "41.2", "9.8"), caption="Table 1. Staff aged from 18 to 65")
    assert wrong(ages) == set()


def test_a_standardised_difference_is_no_difference_of_two_columns():
    rows = [("North", "48.3", "49.0", "-0.01"), ("East", "1.2", "1.2", "0.00"), ("South", "0.5", "0.5", "0.00")]
    assert wrong(table(("Site", "Treated", "Control", "Difference"), *rows)) == {(0, 3, "difference")}
    for heading in ("Std. difference", "Standardised difference", "Difference in SDs", "SMD (difference)"):
        assert wrong(table(("Site", "Treated", "Control", heading), *rows)) == set()
