"""How pages of the PDF are laid out: columns as wide as their words, tables that break, values that stay together."""

from __future__ import annotations

import re

import pikepdf
import pytest
from book_tools import Rendered, WriteBook, typst_bodies, typst_body

LINE = 453  # points: the text width of the page
WORDS = "Completion of the survey by arm is reported with its own rates, as the documents print them. " * 4
UNEVEN = f"""# One {{#sec-one}}

| Id | Topic | What conflicts | Also run |
|:---|:------|:---------------|:---------|
| C1 | Administrative data | {WORDS} | Regressions with authority terms |
| C2 | Randomisation | {WORDS} | |
| C3 | TO:goal_setting_baseline_total_absence_of_everyone | {WORDS} | |

: Uneven {{#tbl-x}}
"""


def shares(body: str) -> tuple[list[float], float]:
    """Widths of the columns of the first table that shares the line, in points, and its size of type."""
    found = re.search(r"report-table\(columns: \(([^)]*fr[^)]*)\).*?size: ([\d.]+)pt", body)
    assert found, "no table shares the width of the page"
    sizes, em = [float(width.strip().removesuffix("fr")) for width in found[1].strip(",").split(",")], float(found[2])
    room = LINE - em * (len(sizes) - 1)  # an em between two columns
    return [room * size / sum(sizes) for size in sizes], em


def test_no_column_is_narrower_than_its_longest_word(write_book: WriteBook) -> None:
    widths, size = shares(typst_body(write_book(UNEVEN)))
    # Half an em a letter is what this face takes on average.
    for width, word in zip(widths, ("C1", "Administrative", "documents", "Regressions"), strict=True):
        assert width >= size * 0.45 * len(word), word
    assert widths[2] == max(widths)


def test_a_long_identifier_may_break_and_does_not_take_the_line(write_book: WriteBook) -> None:
    body = typst_body(write_book(UNEVEN))
    widths, size = shares(body)
    assert "goal\\_\u200bsetting\\_\u200b" in body
    assert widths[1] < size * 0.45 * len("TO:goal_setting_baseline_total_absence_of_everyone")


@pytest.mark.parametrize(("rows", "whole"), [(3, "true"), (60, "false")])
def test_a_table_stays_in_one_piece_only_if_a_page_has_room(write_book: WriteBook, rows: int, whole: str) -> None:
    lines = "\n".join(f"| {at} | {WORDS[:90]} | {WORDS[:200]} |" for at in range(rows))
    text = f"# One {{#sec-one}}\n\n| N | One | Two |\n|---|:---|:---|\n{lines}\n\n: Rows {{#tbl-x}}\n"
    assert re.findall(r"whole: (\w+)", typst_body(write_book(text))) == [whole]


def test_a_bound_is_not_cut_either(write_book: WriteBook) -> None:
    body = typst_body(write_book("# One {#sec-one}\n\nAdjusted values < .001, < .001 and > 5, but a < b.\n"))
    assert len(re.findall(r"\\?<~\.001", body)) == 2 and re.search(r"\\?>~5", body) and not re.search(r"\\?<~b", body)


def test_a_p_value_is_not_cut_by_the_end_of_a_line(rendered: Rendered) -> None:
    page = rendered.page("04-results.html")
    text = page.find(".//article").text_content()
    clauses = re.findall(r"\bp\s[=<>]\s\.\d+", text)
    assert len(clauses) >= 2
    assert all(re.fullmatch("p\u00a0[=<>]\u00a0\\.\\d+", clause) for clause in clauses)
    assert re.search(r"p~\\?=~", typst_body(rendered.root))  # a tilde is Typst's space without a break


def test_the_index_leads_to_the_pages_that_print_a_result(rendered: Rendered) -> None:
    body = typst_body(rendered.root)
    marks = re.findall(r'#printed\("([^"]+)"\)', body)
    assert "trial/days/itt/cr1" in marks
    in_pages = {
        mark.get("data-result")
        for name in rendered.report.pages
        for mark in rendered.page(name).xpath("//article//span[@data-result and not(ancestor::figcaption)]")
    }
    assert set(marks) == in_pages
    for volume, text in typst_bodies(rendered.root).items():
        own = set(re.findall(r'#printed\("([^"]+)"\)', text))
        with pikepdf.open(rendered.output / volume) as pdf:
            with pdf.open_outline() as outline:
                titles = [item.title for item in outline.root]
            assert (titles[-1] == "Index of results") is bool(own)
            links = [note for note in pdf.pages[-1].get("/Annots", ()) if note.Subtype == "/Link"]
        assert len(links) >= len(own)  # each id has a page at least


def test_a_caption_counts_once(write_book: WriteBook) -> None:
    text = (
        "# One {#sec-one}\n\n::: {#tbl-x}\n\n| A | B |\n|---|---|\n| 1 | 2 |\n\nCaption with [3]{.result"
        ' data-result="a/b/c/d"}\n:::\n'
    )
    body = typst_body(write_book(text))
    assert "caption: [Caption with 3]" in body
    assert "#printed" not in body
