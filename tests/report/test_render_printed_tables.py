"""Tables printed as Markdown: captions, numbers and links arrive in both formats as those of other tables do."""

from __future__ import annotations

import re
from dataclasses import replace

import lxml.html
import pytest
from book_tools import WithoutKernel, WriteBook, text_of, typst_body
from pypdf import PdfReader

from hhp_stats.publish import render_book
from hhp_stats.publish.html_tables import Cell, Table
from hhp_stats.publish.typst_tables import as_typst

PAGE = """\
# One {#sec-one}

See @tbl-x.

```{python}
#| output: asis
from hhp_stats.plan.book_sections import BookSection
from hhp_stats.present.markdown import code, escaped, pipe_table, section_reference
two = BookSection(id="sec-two", title="Two", file="one.qmd", numbered=True)
start = BookSection(id="sec-start", title="Start", file="index.qmd", numbered=False)
cells = [section_reference(section, document="one.qmd") for section in (two, start)]
print(pipe_table(["Item", "Where"], [["a", ", ".join(cells)], [escaped("x_y @z"), code("a_b/c")]],
                 label="tbl-x", caption="Printed", widths=[10, 30]))
```

## Two {#sec-two}

Words.
"""


def test_printed_table_has_number_caption_and_links(write_book: WriteBook, without_kernel: WithoutKernel) -> None:
    pikepdf = pytest.importorskip("pikepdf", reason="reads the links of the PDF")
    root = write_book(PAGE, index="# Start {#sec-start .unnumbered}\n\nWords.\n")
    without_kernel()
    report = render_book(root=root, output=root / "_output")
    article = lxml.html.fromstring((root / "_output/one.html").read_bytes()).find(".//article")
    assert [text_of(caption) for caption in article.iter("figcaption")] == [
        "Table\u00a01.1 Printed".replace("\u00a0", " ")
    ]
    links = {text_of(link): link.get("href") for link in article.xpath(".//td//a | .//p/a")}
    assert links == {"Table 1.1": "#tbl-x", "Section 1.1": "#sec-two", "Start": "index.html#sec-start"}
    rows = [[text_of(cell) for cell in row] for row in article.iter("tr")]
    assert rows == [["Item", "Where"], ["a", "Section 1.1, Start"], ["x_y @z", "a_b/c"]]
    with pikepdf.open(report.pdf) as pdf:  # the chapter is the last page but the list of tables, which names one
        linked = [
            [str(annotation.Contents) for annotation in page.get("/Annots", ()) if annotation.Subtype == "/Link"]
            for page in pdf.pages
        ]
    # What a reader of screens is told of the three: where an unnumbered section begins, its page is its number.
    assert linked[-2:] == [["Table 1.1", "Section 1.1", "Section, page 3"], ["Table 1.1"]]


def test_a_long_table_keeps_its_last_rows_together_and_says_that_it_goes_on(write_book: WriteBook) -> None:
    lines = "\n".join(f"| {number} | words |" for number in range(60))
    root = write_book(f"# One {{#sec-one}}\n\n| A | B |\n|---|---|\n{lines}\n\n: Long {{#tbl-long}}\n")
    render_book(root=root, output=root / "_output", formats=["pdf"])
    body = typst_body(root)
    assert '#let float = ("tbl-long", [Table 2.1, continued])' in body and "#continued(float)" in body
    foot = body[body.index("  foot: (") :]
    assert foot.count("[words]") == 3 and body.count("[words]") == 60
    assert body.index("#place.flush()") < body.index("#figure(kind: table")
    # The word stands on the second page, in the margin above the table; a short table has none of it.
    pages = [page.extract_text() for page in PdfReader(root / "_output" / "report.pdf").pages]
    assert [number for number, text in enumerate(pages) if "Table 2.1, continued" in text] == [
        number for number, text in enumerate(pages) if "59" in text and "words" in text
    ]


def test_a_short_table_stays_in_one_piece(write_book: WriteBook) -> None:
    root = write_book("# One {#sec-one}\n\n| A | B |\n|---|---|\n| 1 | 2 |\n\n: Short {#tbl-short}\n")
    render_book(root=root, output=root / "_output", formats=["pdf"])
    body = typst_body(root)
    assert "whole: true" in body and "  foot: (" not in body and "place.flush" not in body and "continued(" not in body


def grouped(*groups: tuple[str, int], note: str = "") -> Table:
    """A table of two columns whose rows stand in groups, each with a name and a number of rows."""
    rows = []
    for name, many in groups:
        rows.append([Cell(text=name, plain=name, columns=2)])
        rows += [[Cell(text=f"{name}{at}", plain=f"{name}{at}"), Cell(text="1", plain="1")] for at in range(many)]
    head = [[Cell(text="A", plain="A"), Cell(text="B", plain="B")]]
    notes = [Cell(text=note, plain=note)] if note else []
    return Table(columns=2, sides=("left", "right"), head=head, rows=rows, notes=notes)


def test_names_of_groups_head_their_rows_on_every_page() -> None:
    typst = as_typst(grouped(("One", 20), ("Two", 20), note="N"))
    body, foot = typst.split("  foot: (")
    assert "whole: false" in body and re.findall(r"group-head\((again: false, )?.*?\[(\w+)\]", body) == [
        ("", "One"),
        ("", "Two"),
    ]
    assert foot.count("table.cell") == 6 and "Two19" in foot


def test_a_foot_that_opens_a_group_ends_the_one_before() -> None:
    body, foot = as_typst(grouped(("One", 20), ("Two", 20), ("Three", 3))).split("  foot: (")
    assert re.findall(r"group-head\((again: false, )?.*?\[(\w+)\]", body) == [("", "One"), ("again: false, ", "Two")]
    assert "row-group[Three]" in foot and "group-head" not in foot


def test_one_high_row_at_the_end_still_keeps_the_notes() -> None:
    table = grouped(("One", 60), note="N")
    long = "word " * 100
    rows = [*table.rows[:-1], [Cell(text=long, plain=long), Cell(text="1", plain="1")]]
    assert as_typst(replace(table, rows=rows)).split("  foot: (")[1].count("table.cell") == 2
    longer = "word " * 400
    rows = [*table.rows[:-1], [Cell(text=longer, plain=longer), Cell(text="1", plain="1")]]
    assert "  foot: (" not in as_typst(replace(table, rows=rows))


def test_a_label_in_a_cell_takes_no_width(write_book: WriteBook) -> None:
    line = f"| [P01]{{#{'place-' * 8}}} | {'many words ' * 30} |"
    root = write_book(f"# One {{#sec-one}}\n\n| A | B |\n|---|---|\n{line}\n\n: Long {{#tbl-long}}\n")
    render_book(root=root, output=root / "_output", formats=["pdf"])
    first, second = re.findall(r"([\d.]+)fr", typst_body(root))
    assert float(first) < 4 < 30 < float(second)


def test_a_picture_bears_its_name_where_it_moves_to(write_book: WriteBook) -> None:
    root = write_book("# One {#sec-one}\n\n![Words](a.svg){#fig-a fig-alt='A line'}\n\nSee @fig-a.\n")
    (root / "a.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    render_book(root=root, output=root / "_output", formats=["pdf"])
    body = typst_body(root)
    assert '#entry-place("fig-a")#image' in body and '#label("float-fig-a")' in body
    assert '#link(label("fig-a"))' in body


def test_what_announces_a_list_keeps_to_it_and_long_code_may_break(write_book: WriteBook) -> None:
    root = write_book("# One {#sec-one}\n\nThese:\n\n- a\n\nWords with `hhp_stats.infer.wald` and `short.py`.\n")
    render_book(root=root, output=root / "_output", formats=["pdf"])
    body = typst_body(root)
    assert re.search(r"#block\(sticky: true\)\[\s*These:\s*\]", body) and body.count("sticky: true") == 1
    assert "`hhp_\u200bstats.\u200binfer.\u200bwald`" in body and "`short.py`" in body
