"""Tables printed as Markdown: captions, numbers and links arrive in both formats as those of other tables do."""

from __future__ import annotations

import lxml.html
import pytest
from book_tools import WithoutKernel, WriteBook, text_of, typst_body
from pypdf import PdfReader

from hhp_stats.publish import render_book

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
    foot = body[body.index("table.footer(repeat: false,") :]
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
    assert (
        "whole: true" in body and "table.footer" not in body and "place.flush" not in body and "continued(" not in body
    )
