"""What the engines would not both honour is refused by name, file and line, before any code runs."""

from __future__ import annotations

import pytest
from book_tools import BOOK, CONFIG, WithoutKernel, WriteBook

from hhp_stats.errors import RenderError
from hhp_stats.publish import lint_book, render_book

HEAD = "# One {#sec-one}\n\n"  # what follows begins on line 3
FIGURE = "```{{python}}\n#| label: fig-a\n{0}\n1\n```\n"

CASES = {
    "cell option": (HEAD + "```{python}\n#| fig-width: 3\n1\n```\n", 4, "unknown cell option 'fig-width'"),
    "option value": (HEAD + "```{python}\n#| echo: fenced\n1\n```\n", 4, "'echo' must be true or false"),
    "option twice": (HEAD + "```{python}\n#| echo: true\n#| echo: true\n1\n```\n", 5, "given twice"),
    "option YAML": (HEAD + "```{python}\n#| echo: [true\n1\n```\n", None, "not valid YAML"),
    "language": (HEAD + "```{r}\n1\n```\n", 3, "'{r}' cannot be executed"),
    "inline language": (HEAD + "Value `{r} x`.\n", 3, "'{r}' cannot be executed"),
    "shortcode": (HEAD + "Words.\n{{< video x.mp4 >}}\n", 4, "shortcode 'video x.mp4' is not supported"),
    "empty shortcode": (HEAD + "Words {{< >}}.\n", 3, "shortcode '' is not supported"),
    "meta": (HEAD + "{{< meta no.such >}}\n", 3, "'meta no.such' finds no single value"),
    "include": (HEAD + "{{< include no.qmd >}}\n", 3, "'no.qmd' does not exist"),
    "include outside": (HEAD + "{{< include ../no.qmd >}}\n", 3, "outside the project"),
    "include in text": (HEAD + "Words {{< include a.qmd >}}\n", 3, "must stand alone"),
    "open fence": (HEAD + "```python\nx\n", 3, "never closed"),
    "raw block": (HEAD + "```{=html}\n<b>x</b>\n```\n", 3, "show in one format only"),
    "raw HTML": (HEAD + "Words <br> more.\n", 3, "raw HTML '<br>'"),
    "raw LaTeX": (HEAD + "Words \\newpage more.\n", 3, "raw LaTeX '\\newpage'"),
    "dollar": (HEAD + "It costs $5 each.\n", 3, "must be written '\\$'"),
    "front matter": ("---\ntitle: x\n---\n\n# One {#sec-one}\n", 2, "front matter key 'title'"),
    "figure without alt": (HEAD + FIGURE.format("#| fig-cap: x"), 3, "'fig-a' has no fig-alt"),
    "figure without caption": (HEAD + FIGURE.format("#| fig-alt: x"), 3, "'fig-a' has no fig-cap"),
    "caption without label": (HEAD + "```{python}\n#| tbl-cap: x\n1\n```\n", 3, "tbl-cap needs a label"),
    "image without alt": (HEAD + "![](a.png)\n", 3, "has no fig-alt"),
    "labelled image without alt": (HEAD + "![Caption](a.png){#fig-a}\n", 3, "has no fig-alt"),
    "reference": (HEAD + "See @fig-none.\n", 3, "'@fig-none' refers to nothing"),
    "reference twice": (HEAD + "See Section @sec-one.\n", 3, "leave out 'Section'"),
    "label twice": (HEAD + "## A {#sec-a}\n\nWords.\n\n## B {#sec-a}\n", 7, "'sec-a' is also used in one.qmd:3"),
    "citation": (HEAD + "As @nobody1999 says.\n", 3, "'@nobody1999' is not in the bibliography"),
    "citation without list": (HEAD + "As @bell2002 says.\n", 3, "no chapter has a block '::: {#refs}'"),
    "second list": (HEAD + "::: {#refs}\n:::\n\n::: {#refs}\n:::\n", 6, "a second list of references"),
    "footnote": (HEAD + "Words.[^a]\n", 3, "'[^a]' is not in this chapter"),
    "unused footnote": (HEAD + "Words.\n\n[^a]: Note.\n", 5, "'[^a]' is not used"),
    "format": (HEAD + '::: {.content-visible when-format="pdf"}\nx\n:::\n', 3, "'html' only"),
    "margin": (HEAD + "::: {.column-margin}\nx\n:::\n", 3, "margin and wide columns"),
    "layout": (HEAD + '::: {layout="[1,2]"}\nx\n:::\n', 3, "only layout-ncol"),
    "callout": (HEAD + "::: {.callout-danger}\nx\n:::\n", 3, "unknown callout"),
    "theorem": (HEAD + "::: {#thm-a}\nx\n:::\n", 3, "only figures, tables, equations and sections"),
    "annotation": (HEAD + "```{python}\nx = 1  # <1>\n```\n", 4, "code annotations"),
    "emoji": (HEAD + "Words \U0001f600.\n", 3, "U+1F600"),
    "no title": ("Words.\n", 1, "no title"),
    "second title": (HEAD + "# Two {#sec-two}\n", 3, "a second level-one heading"),
    "hyphen for a minus": (HEAD + "About -5% less.\n", 3, "the hyphen of '-5' is no minus"),
    "hyphen in brackets": (HEAD + "Less (-5%).\n", 3, "the hyphen of '-5' is no minus"),
    "section from a page without number": (
        "# One {.unnumbered}\n\nSee @sec-start.\n",
        3,
        "'@sec-start' stands in a chapter without a number",
    ),
    "title without label": ("# One\n", 1, "needs a label"),
}


@pytest.mark.parametrize("name", CASES)
def test_source_is_refused_by_line(write_book: WriteBook, name: str) -> None:
    text, line, message = CASES[name]
    root = write_book(text)
    with pytest.raises(RenderError) as caught:
        render_book(root=root, output=root / "_output")
    assert message in caught.value.message
    assert caught.value.file == "one.qmd"
    if line is not None:
        assert caught.value.line == line
    problems = lint_book(root)
    assert any(message.lower() in problem.rule.lower() and problem.file == "one.qmd" for problem in problems)


CONFIG_CASES = {
    "unknown section key": ("  date: 2024-01-02", "  date: 2024-01-02\n  sharing: [twitter]", 7, "'book.sharing'"),
    "Quarto's key": ("lang: en-GB", "freeze: auto\nlang: en-GB", 10, "'freeze' is not honoured"),
    "misspelt key": ("lang: en-GB", "bibliograhpy: x\nlang: en-GB", 10, "unknown key 'bibliograhpy'"),
    "moving date": ("2024-01-02", "today", 6, "must be a fixed date"),
    "other format": ("html: default", "html: default\n  docx: default", 16, "'format.docx'"),
    "Typst's citations": ("    citeproc: true", "    citeproc: false", 16, "citeproc: true' is needed"),
    "cache": ("  echo: false", "  echo: false\n  cache: true", 14, "'execute.cache'"),
    "missing chapter": ("one.qmd]", "two.qmd]", 7, "'two.qmd' does not exist"),
    "missing bibliography": ("references.bib", "none.bib", 9, "'none.bib' does not exist"),
    "key twice": ("lang: en-GB", "lang: en-GB\nlang: de", 11, "given twice"),
    "execute directory": ("execute-dir: project", "execute-dir: file", 3, "must be 'project'"),
    "author": ('  author: "Evaluation team"\n', "", 4, "no PDF of a book without one"),
    "empty author": ('author: "Evaluation team"', "author:", 8, "'book.author' is missing"),
    "nobody's key": ("  date: 2024-01-02", "  subtitel: x\n  date: 2024-01-02", 6, "did you mean 'subtitle'"),
    "nobody's format key": (
        "    citeproc: true",
        "    citeproc: true\n    cite: x",
        18,
        "has no key 'format.typst.cite'",
    ),
    "header that is not there": (
        "    citeproc: true",
        "    citeproc: true\n    include-in-header: no.typ",
        18,
        "'no.typ' does not exist",
    ),
    "header as text": (
        "    citeproc: true",
        "    citeproc: true\n    include-in-header:\n      text: x",
        18,
        "takes files only",
    ),
}


@pytest.mark.parametrize("name", CONFIG_CASES)
def test_configuration_is_refused_by_line(write_book: WriteBook, name: str) -> None:
    old, new, line, message = CONFIG_CASES[name]
    assert old in CONFIG
    root = write_book("# One {#sec-one}\n", config=CONFIG.replace(old, new, 1))
    with pytest.raises(RenderError) as caught:
        render_book(root=root, output=root / "_output")
    assert (caught.value.file, caught.value.line) == ("_quarto.yml", line)
    assert message in caught.value.message


def test_fixture_book_and_a_plain_chapter_have_no_problems(write_book: WriteBook) -> None:
    assert lint_book(BOOK) == []
    fine = "It costs \\$ and time, $x < 5$ and p < 5%; mail a@b.org, see <https://example.org/a_b> and `<br> $1 @x`.\n"
    assert lint_book(write_book(HEAD + fine)) == []


LATE_IN_SOURCE = {
    "character": ("Words \u2d30 here.\n", "pdf", "no font of the report has '\u2d30' (U+2D30)"),
    "TeX": ("Here $\\notacommand{x}$.\n", "html", "this TeX is not understood: \\notacommand{x}"),
    "link": ("See [this](no.qmd).\n", "html", "the link to 'no.qmd' has no target"),
    "image": ("![A picture](no.png)\n", "html", "the image 'no.png' does not exist"),
    "image elsewhere": ("![A picture](https://example.org/a.png)\n", "html", "no network requests"),
    "caption note": ("| a | b |\n|---|---|\n| 1 | 2 |\n\n: Cap^[Note.] {#tbl-a}\n", "html", "footnote cannot stand in"),
    "nothing to number": ("## A {#sec-a .unnumbered}\n\nSee @sec-a.\n", "html", "something without a number"),
    "mixed brackets": ("See [@sec-one; @bell2002].\n\n::: {#refs}\n:::\n", "html", "both references and citations"),
}


@pytest.mark.parametrize("name", LATE_IN_SOURCE)
def test_what_the_writers_find_is_traced_to_its_line(write_book: WriteBook, name: str) -> None:
    text, target, message = LATE_IN_SOURCE[name]
    root = write_book(HEAD + text)
    with pytest.raises(RenderError) as caught:
        render_book(root=root, output=root / "_output", formats=[target])
    assert message in caught.value.message
    assert caught.value.file == "one.qmd"
    assert caught.value.line in (3, 5, 7)


# What only Pandoc can see, or what printed Markdown brings.
LATE = {
    "html in printed text": ("print('Words <b>x</b>')", "raw html"),
    "reference in printed text": ("print('See @fig-nowhere.')", "'@fig-nowhere' refers to nothing"),
    "label in printed text": ("print('## Again {#sec-start}')", "'sec-start' is also used"),
    "image in printed text": ("print('![](dot.png)')", "has no fig-alt"),
    "unpaired div": ("print('::: {.callout-note}')", "does not close its ':::'"),
    "extra div": ("print('Words\\n\\n:::\\n\\nWords')", "does not close its ':::'"),
}


@pytest.mark.parametrize("name", LATE)
def test_printed_markdown_is_checked_too(write_book: WriteBook, name: str, without_kernel: WithoutKernel) -> None:
    code, message = LATE[name]
    root = write_book(HEAD + f"```{{python}}\n#| output: asis\n{code}\n```\n")
    (root / "dot.png").write_bytes(b"")
    without_kernel()
    with pytest.raises(RenderError) as caught:
        render_book(root=root, output=root / "_output", formats=["html"])
    assert message.lower() in caught.value.message.lower()
    assert caught.value.file in ("one.qmd", "index.qmd")


def test_a_printed_reference_to_a_section_needs_a_chapter_with_a_number(
    write_book: WriteBook, without_kernel: WithoutKernel
) -> None:
    """Quarto would print the whole title of the section; a figure's or table's number it prints anywhere."""
    printed = "\n\n```{python}\n#| output: asis\nprint('See @sec-start.')\n```\n"
    without_kernel()
    root = write_book("# One {.unnumbered}" + printed)
    with pytest.raises(RenderError, match="stands in a chapter without a number") as caught:
        render_book(root=root, output=root / "_output", formats=["html"])
    assert caught.value.file == "one.qmd"
    root = write_book("# One {#sec-one}" + printed)
    assert render_book(root=root, output=root / "_output", formats=["html"]).pages


def test_lines_that_quarto_adds_to_gitignore_are_there_before(write_book: WriteBook) -> None:
    root = write_book(HEAD + "Words.\n")
    assert lint_book(root) == []  # without the file Quarto makes one of its own
    (root / ".gitignore").write_text(".quarto/\n**/*.quarto_ipynb\n", encoding="utf-8")
    (problem,) = lint_book(root)
    assert problem.file == ".gitignore" and "'/.quarto/'" in problem.rule
    (root / ".gitignore").write_text("/.quarto/\n**/*.quarto_ipynb\n", encoding="utf-8")
    assert lint_book(root) == []
