"""Reading chapters and putting outputs back, piece by piece."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from book_tools import WriteBook

from hhp_stats.errors import RenderError
from hhp_stats.publish.execute import Executed
from hhp_stats.publish.kernels import INLINE_MIME
from hhp_stats.publish.project import load_project
from hhp_stats.publish.qmd import read_chapter
from hhp_stats.publish.source import Cell, Inline, Source, prose_lines, steps
from hhp_stats.publish.weave import Woven, weave

HEAD = "# One {#sec-one}\n\n"


def read(root: Path) -> Source:
    project = load_project(root)
    return read_chapter(project, project.chapters[1])


def woven(root: Path, *outputs: list[dict[str, Any]]) -> Woven:
    return weave(
        load_project(root), read(root), Executed(outputs=tuple(tuple(found) for found in outputs), reused=False)
    )


def shown(data: dict[str, str]) -> dict[str, Any]:
    return {"output_type": "display_data", "data": data}


def test_cells_inline_code_and_literal_code_are_told_apart(write_book: WriteBook) -> None:
    text = (
        HEAD
        + "A `{python} 1` and `` `{python} 2` `` and \\`{python} 3` and <!-- `{python} 4` --> end.\n\n"
        + "~~~~ {.python}\n```{python}\n5\n```\n~~~~\n\n"
        + "- item\n\n  ```{python}\n  6\n  ```\n"
    )
    found = steps(read(write_book(text)))
    assert [step.expression if isinstance(step, Inline) else step.source for step in found] == ["1", "6"]


def test_lines_keep_their_file_through_nested_includes(write_book: WriteBook) -> None:
    root = write_book(
        HEAD + "{{< include a.qmd >}}\n\n```{python}\nlast\n```\n",
        a="In a.\n\n{{< include b.qmd >}}\n",
        b="\n\n```{python}\n#| echo: true\nin_b\n```\n",
    )
    cells = [piece for piece in read(root).pieces if isinstance(piece, Cell)]
    assert [(cell.file, cell.line, cell.code[0].number) for cell in cells] == [("b.qmd", 3, 5), ("one.qmd", 5, 6)]


def test_a_file_that_includes_itself_is_refused(write_book: WriteBook) -> None:
    root = write_book(HEAD + "{{< include a.qmd >}}\n", a="{{< include one.qmd >}}\n")
    with pytest.raises(RenderError, match=r"a\.qmd:1: 'one\.qmd' includes itself"):
        read(root)


def test_options_come_from_cell_chapter_and_project(write_book: WriteBook) -> None:
    text = (
        "---\nexecute:\n  echo: true\n---\n\n" + HEAD + "```{python}\n1\n```\n\n```{python}\n#| echo: false\n2\n```\n"
    )
    assert [cell.options["echo"] for cell in read(write_book(text)).cells] == [True, False]
    assert read(write_book(HEAD + "```{python}\n1\n```\n")).cells[0].options["echo"] is False  # the project's


def test_prose_lines_blank_out_code_but_keep_places(write_book: WriteBook) -> None:
    lines = list(prose_lines(read(write_book(HEAD + "Word `code` word.\n\n```python\ncode\n```\n\nEnd.\n")).lines))
    assert [(line.number, line.text) for line in lines if line.text.strip()] == [
        (1, "# One {#sec-one}"),
        (3, "Word        word."),
        (9, "End."),
    ]


def test_inline_strings_are_escaped_markdown_is_not(write_book: WriteBook) -> None:
    root = write_book(HEAD + "Now `{python} a` and `{python} b`.\n")
    text = woven(
        root,
        [shown({INLINE_MIME: {"markdown": "2*3*4 [x] $5 @me", "escape": True}})],
        [shown({INLINE_MIME: {"markdown": "**bold**", "escape": False}})],
    ).markdown
    assert "Now 2\\*3\\*4 \\[x\\] \\$5 \\@me and **bold**." in text


@pytest.mark.parametrize("value", ["", " ", "\n"])
@pytest.mark.parametrize("escape", [True, False])
def test_an_inline_value_says_something(write_book: WriteBook, value: str, escape: bool) -> None:
    """Quarto prints the code in the place of an empty value."""
    root = write_book(HEAD + "Words.\n\nNow `{python} x`.\n")
    with pytest.raises(RenderError, match="gives an empty text") as caught:
        woven(root, [shown({INLINE_MIME: {"markdown": value, "escape": escape}})])
    assert (caught.value.file, caught.value.line) == ("one.qmd", 5)


@pytest.mark.parametrize(
    ("options", "outputs", "message"),
    [
        ("", [shown({"text/html": "<div><table class='dataframe'></table></div>"})], "no great_tables table"),
        ("", [shown({"image/svg+xml": "<svg/>"})], "give it a label"),
        ("#| label: tbl-a\n#| tbl-cap: x\n", [], "shows 0 tables"),
        (
            "#| label: fig-a\n#| fig-cap: x\n#| fig-alt: y\n",
            [shown({"image/svg+xml": "<svg/>"}), shown({"image/svg+xml": "<svg/>"})],
            "shows 2 figures",
        ),
        (
            "#| label: tbl-a\n#| tbl-cap: x\n",
            [shown({"text/html": '<table class="gt_table"><th class="gt_heading gt_title">T</th></table>'})],
            "title of its own",
        ),
    ],
)
def test_outputs_that_cannot_be_shown_are_refused(
    write_book: WriteBook, options: str, outputs: list[dict[str, Any]], message: str
) -> None:
    root = write_book(HEAD + "```{python}\n" + options + "1\n```\n")
    with pytest.raises(RenderError, match=message) as caught:
        woven(root, outputs)
    assert (caught.value.file, caught.value.line) == ("one.qmd", 3)


def test_printed_text_keeps_nothing_of_the_run(write_book: WriteBook) -> None:
    root = write_book(HEAD + "```{python}\n#| warning: true\n1\n```\n")
    text = woven(
        root,
        [
            {"output_type": "stream", "name": "stderr", "text": "<ipython-input-2-0f3a>:1: UserWarning: careful\n"},
            {"output_type": "stream", "name": "stderr", "text": f"/x/site-packages/lib/a.py:3: in {root}/b.py\n"},
            shown({"text/plain": "<object at 0x7f00ab>"}),
        ],
    ).markdown
    assert "UserWarning: careful" in text and "lib/a.py:3: in b.py" in text and "<object>" in text
    assert "ipython" not in text and "0x7f" not in text and str(root) not in text


def test_same_words_in_two_headings_and_their_links(write_book: WriteBook) -> None:
    from book_tools import typst_body

    root = write_book(
        HEAD + "## Aim\n\nSee [here](#aim) and [there](index.qmd#aim).\n",
        index="# Start {#sec-start}\n\n## Aim\n\nSee [here](#aim).\n",
    )
    body = typst_body(root)
    assert '[Aim]#label("aim")' in body and '[Aim]#label("one-aim")' in body
    assert '#link(label("one-aim"))[here] and #link(label("aim"))[there]' in body
