"""Two printed volumes: what stands in which, what leads from one to the other, and what is set again."""

from __future__ import annotations

import re
from pathlib import Path

import pikepdf
import pytest
from book_tools import CONFIG, Rendered, WriteBook, typst_bodies

from hhp_stats.publish import pdf
from hhp_stats.publish.render import render_book

TWO = CONFIG.replace("chapters: [index.qmd, one.qmd]", "chapters: [index.qmd, one.qmd]\n  appendices: [more.qmd]")
ONE = "# One {#sec-one}\n\nSee @sec-more, @tbl-more and [the appendix](more.qmd), and @sec-one.\n"
MORE = "# More {#sec-more}\n\nBack to @sec-one.\n\n| A | B |\n|---|---|\n| 1 | 2 |\n\n: Much {#tbl-more}\n"


@pytest.fixture
def book(write_book: WriteBook) -> Path:
    root = write_book(ONE, config=TWO)
    (root / "more.qmd").write_text(MORE, encoding="utf-8")
    return root


def test_references_say_the_volume_and_open_its_file(book: Path) -> None:
    render_book(root=book, output=book / "_output", formats=("pdf",))
    found = typst_bodies(book)
    report, appendices = found["report.pdf"], found["appendices.pdf"]
    said = re.findall(r'#link\("appendices\.pdf"\)\[(.*?)\]( \(?(?:of )?volume\u00a02\)?)', report)
    assert [tail for _, tail in said] == [" of volume\u00a02", " (volume\u00a02)"]  # once of two side by side
    assert re.search(r'\[Appendix A\], #link\("appendices.pdf"\)\[Table A\.1\] of volume\u00a02 and', readable(report))
    assert report.count('#link("appendices.pdf")') == 3 and report.count('#link(label("sec-one"))') == 1
    assert appendices.count('#link("report.pdf")') == 1 and "of volume\u00a01" in appendices
    assert 'label("sec-more")' not in report.replace('#label("sec-more")', "")


def readable(typst: str) -> str:
    return typst.replace("\u00a0", " ").replace("\\", "").replace("of volume ", "of volume\u00a0")


def test_a_volume_is_named_behind_each_reference_that_does_not_stand_beside_one_to_the_same(write_book) -> None:
    words = "See @sec-more and @tbl-more, then @sec-one, @sec-more; or @tbl-more. But @sec-more. @tbl-more ends.\n"
    root = write_book(f"# One {{#sec-one}}\n\n{words}", config=TWO)
    (root / "more.qmd").write_text(MORE, encoding="utf-8")
    render_book(root=root, output=root / "_output", formats=("pdf",))
    text = re.sub(r"#link\([^()]*(?:\([^()]*\))?\)", "", readable(typst_bodies(root)["report.pdf"]))
    said = [line for line in text.splitlines() if line.startswith("See")]
    assert said == [
        "See [Appendix A] and [Table A.1] of volume\u00a02, then [Chapter 2], [Appendix A] of volume\u00a02; or"
        " [Table A.1] of volume\u00a02. But [Appendix A] of volume\u00a02. [Table A.1] of volume\u00a02 ends."
    ]


def test_each_volume_has_its_own_pages_contents_and_title(book: Path) -> None:
    made = render_book(root=book, output=book / "_output", formats=("pdf",))
    assert [path.name for path in made.printed] == ["report.pdf", "appendices.pdf"] and made.pdf == made.printed[0]
    outlines = []
    for path in made.printed:
        with pikepdf.open(path) as document, document.open_outline() as outline:
            outlines.append([item.title for item in outline.root])
            assert str(document.docinfo["/Title"]).startswith("Small. Volume ")
            notes = [note.A for page in document.pages for note in page.get("/Annots", ()) if "/A" in note]
            files = {str(action.URI) for action in notes if "/URI" in action}
            assert files == {"appendices.pdf" if path.name == "report.pdf" else "report.pdf"}
    assert any("One" in title for title in outlines[0]) and not any("More" in title for title in outlines[0])
    assert any("More" in title for title in outlines[1]) and outlines[1][-1] == "Tables"


def test_a_book_without_appendices_is_one_volume(write_book: WriteBook) -> None:
    root = write_book("# One {#sec-one}\n\nSee @sec-one.\n")
    made = render_book(root=root, output=root / "_output", formats=("pdf",))
    assert [path.name for path in made.printed] == ["report.pdf"]
    with pikepdf.open(made.printed[0]) as document:
        assert str(document.docinfo["/Title"]) == "Small"
    assert "volume" not in typst_bodies(root)["report.pdf"]


def test_only_the_volume_that_changed_is_set_again(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_again: list[str] = []
    original = pdf._set
    monkeypatch.setattr(pdf, "_set", lambda *a, **k: (set_again.append(k["file"]), original(*a, **k))[1])

    def rendered(**how: bool) -> dict[str, bytes]:
        set_again.clear()
        made = render_book(root=book, output=book / "_output", formats=("pdf",), **how)
        return {path.name: path.read_bytes() for path in made.printed}

    first = rendered()
    assert sorted(set_again) == ["appendices.pdf", "report.pdf"]
    assert rendered() == first and set_again == []
    (book / "more.qmd").write_text(MORE.replace("Back", "Now back"), encoding="utf-8")
    second = rendered()
    assert set_again == ["appendices.pdf"]
    assert second["report.pdf"] == first["report.pdf"] and second["appendices.pdf"] != first["appendices.pdf"]
    assert rendered(fresh=True) == second and len(set_again) == 2
    kept = next((book / ".report/cache/volumes").iterdir())
    kept.write_bytes(kept.read_bytes()[:-9])  # a damaged one is set again
    assert rendered() == second


def test_both_volumes_are_offered(rendered: Rendered) -> None:
    links = rendered.page("index.html").xpath("//ul[@class='downloads']//a")
    assert {link.get("href"): link.text for link in links}["appendices.pdf"] == "Appendices as PDF"
