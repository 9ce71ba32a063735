"""Tables bring the widths of their columns and their size of type, for whoever sets them."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from hhp_stats.present.column_widths import LINE, lay_out
from hhp_stats.present.escaped import EscapedTable
from hhp_stats.present.marked_text import anchored
from hhp_stats.present.marks import ReportTable, shown
from hhp_stats.present.tables import filled, plain_table, text_table
from hhp_stats.publish.html_tables import read_html
from hhp_stats.publish.typst_tables import as_typst

WORDS = "what was found when somebody looked at it again, and what was done about it then "
LONG = pd.DataFrame(
    {
        "Id": ["C01", "C02"],
        "Finding": [WORDS * 4, "nothing"],
        "Consequence": [WORDS * 9, WORDS],
        "95% CI": ["\u22120.21 to 0.33", "\u221211.04 to 12.75"],
    }
)
TABLE = re.compile(r'<table class="gt_table".*?</table>', re.DOTALL)


def widths(html: str) -> list[float]:
    return [float(found) for found in re.findall(r'<col style="width:([\d.]+)%;"/>', html)]


def type_size(html: str) -> float:
    """The size of type in per cent of the text around the table."""
    return float(re.search(r"\.gt_table \{[^}]*font-size: ([\d.]+)%", html)[1])


def typst_of(html: str) -> str:
    return as_typst(read_html(TABLE.search(html)[0], file="one.qmd"))


def test_a_table_of_words_shares_the_line_in_per_cent() -> None:
    html = text_table(LONG, stub="Id").as_raw_html()
    found = widths(html)
    assert sum(found) == pytest.approx(100, abs=0.05)  # four shares, each rounded to a hundredth
    assert found[2] > found[1] > found[3] > found[0]  # the fullest column is the widest
    assert html.count('<table class="gt_table" style="table-layout: auto; width: 100%"') == 1


def test_a_table_that_fits_leaves_its_columns_alone() -> None:
    html = plain_table(pd.DataFrame({"Arm": ["A", "B"], "n": ["12", "7"]}), stub="Arm").as_raw_html()
    assert widths(html) == [] and '<table class="gt_table" data-' in html


def test_notes_do_not_stretch_the_last_column() -> None:
    """Quarto keeps them in the table: its columns get the widths they would have without, and the notes break."""
    cells = pd.DataFrame({"Arm": ["A", "B"], "People": ["1,312", "507"], "n": ["12", "7"]})
    table = plain_table(cells, stub="Arm", notes=["A note that is longer than all the columns of its table. " * 3])
    found = widths(table.as_raw_html())
    assert sum(found) == pytest.approx(60, abs=0.05) and found[1] > found[0]
    assert "columns: (auto, auto, auto,)" in typst_of(table.as_raw_html())  # ours stand below the table


def test_type_is_smaller_than_the_text_and_shrinks_with_the_columns() -> None:
    few = plain_table(pd.DataFrame({"Arm": ["A"], "n": ["12"]}), stub="Arm").as_raw_html()
    many = plain_table(
        pd.DataFrame({"Arm": ["A"]} | {f"{at}": ["\u22121.25 to 3.75"] for at in range(9)}), stub="Arm"
    ).as_raw_html()
    assert 50 < type_size(many) < type_size(few) < 100


def test_print_takes_the_widths_that_the_table_brings() -> None:
    html = text_table(LONG, stub="Id").as_raw_html()
    columns = re.search(r"columns: \(([^)]*)\)", typst_of(html))[1]
    shares = [float(share) for share in re.findall(r"([\d.]+)fr", columns)]
    size = float(re.search(r"size: ([\d.]+)pt", typst_of(html))[1])
    line = LINE / size
    # A share of the line holds the column and the gap of one em beside it; each is rounded to a hundredth.
    assert shares == pytest.approx([percent / 100 * line - 1 for percent in widths(html)], abs=0.02)
    own = html.replace(f"width:{widths(html)[0]:g}%", "width:20%", 1)
    wider = [float(share) for share in re.findall(r"([\d.]+)fr", typst_of(own))]
    assert wider[0] > 4 * shares[0]


def test_decided_widths_give_the_same_layout_again() -> None:
    heads, rows = [list(LONG)], LONG.values.tolist()
    first = lay_out(heads, rows, columns=4)
    again = lay_out(heads, rows, columns=4, percents=first.percents)
    assert (again.size, again.whole, again.tall) == (first.size, first.whole, first.tall)
    assert again.percents == pytest.approx(first.percents, abs=0.02)  # rounded to a hundredth twice


def test_no_line_ends_within_an_interval() -> None:
    """The column of intervals is as wide as its widest one, however little room the words beside it leave."""
    laid = lay_out([list(LONG)], LONG.values.tolist(), columns=4)
    room = laid.percents[3] / 100 * LINE / float(laid.size.removesuffix("pt")) - 1
    assert room > 0.45 * len("\u221211.04 to 12.75")  # figures are half an em wide, blanks and points less
    broken = lay_out([list(LONG)], [[*row[:3], row[3].replace(" to ", " and ")] for row in LONG.values], columns=4)
    assert broken.percents[3] < laid.percents[3]


def test_marks_take_no_room() -> None:
    """The id of a result is longer than any cell: it stands in an attribute, not on the page."""
    frame = LONG.drop(columns="95% CI").assign(People=["1,315", "391"])

    def marked() -> EscapedTable:
        cells = frame.assign(People=[anchored(n, "goal_setting/sickness_absence/itt/cr1") for n in frame["People"]])
        return plain_table(cells, stub="Id")

    report = shown(marked)
    assert isinstance(report, ReportTable)
    html = report.as_raw_html()
    assert html.count('data-result="goal_setting/sickness_absence/itt/cr1"') == 2
    assert widths(html) == widths(plain_table(frame, stub="Id").as_raw_html())


@pytest.mark.parametrize("groups", [None, "Part"])
def test_every_weight_and_face_is_one_that_quarto_knows(groups: str | None) -> None:
    """Quarto sets each cell by the style sheet's rules, and warns of weights and faces that Typst has not."""
    cells = LONG.assign(Part=["one", "two"])
    table = plain_table(cells, stub="Id", groups=groups, spanner=["Finding"], notes=["A note."])
    html = table.as_raw_html()
    used = set(re.findall(r"gt_\w+", " ".join(re.findall(r'class="([^"]*)"', TABLE.search(html)[0]))))
    rules = [(name, rule) for name, rule in re.findall(r"\.(gt_\w+) \{([^}]*)\}", html) if name in used]
    assert len(rules) > 8
    assert {w for _, rule in rules for w in re.findall(r"font-weight: (\S+);", rule)} == {"normal", "bold"}
    assert re.findall(r"font-family:\s*([^;]*);", html) == [""]  # none of its own: the page's
    bold = {name for name, rule in rules if "font-weight: bold" in rule}
    assert "gt_col_heading" in bold and ("gt_group_heading" in bold) == (groups is not None)


def _alignments(table):
    return {column.var: column.column_align for column in table._boxhead}


def test_columns_of_words_are_aligned_left_and_numbers_right():
    cells = pd.DataFrame(
        {
            "Version": ["a", "b"],
            "Kind": ["planned", "\u2014"],
            "df": ["normal", "12.0"],
            "People": ["[c]", "1,315"],
            "Nothing": ["\u2014", ""],
        }
    )
    assert _alignments(plain_table(cells, stub="Version")) == {
        "Version": "left",
        "Kind": "left",
        "df": "right",
        "People": "right",
        "Nothing": "right",
    }


def test_columns_that_no_row_fills_are_left_out():
    cells = pd.DataFrame(
        {"Sample": ["", ""], "Response": ["\u2014", ""], "People": ["391", "\u2014"], "n": ["[c]", ""]}
    )
    assert list(filled(cells, stub="Sample")) == ["Sample", "People", "n"]
