"""Code runs again when something it depends on changed, and only then."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from book_tools import WriteBook

from hhp_stats.errors import RenderError
from hhp_stats.publish import RenderReport, kernels, render_book
from hhp_stats.publish.digests import digest_files

INDEX = "# Start {#sec-start}\n\n```{python}\nx = 1\n```\n\nFirst `{python} x`.\n"
ONE = """\
# One {#sec-one}

Words.

```{python}
#| label: words
y = open("data.txt").read().strip()
```

Second `{python} y`.
"""


def render(root: Path, *, declared: Sequence[Path] = (), fresh: bool = False) -> RenderReport:
    return render_book(root=root, output=root / "_output", formats=["html"], declared=declared, fresh=fresh)


def test_only_what_changed_runs_again(write_book: WriteBook, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_book(ONE, index=INDEX)
    data = root / "data.txt"
    data.write_text("old\n", encoding="utf-8")
    declared = [data]
    both = ("index.qmd", "one.qmd")

    first = render(root, declared=declared)
    assert (first.executed, first.reused) == (both, ())
    assert "Second old." in (root / "_output" / "one.html").read_text(encoding="utf-8")

    with monkeypatch.context() as patched:

        def no_kernel(*_: object, **__: object) -> None:
            raise AssertionError("a kernel was started although nothing changed")

        for start in ("_started", "_forked"):
            patched.setattr(kernels, start, no_kernel)
        again = render(root, declared=declared)
        assert (again.executed, again.reused) == ((), both)

        edited = ONE.replace("Words.", "Other words.").replace("label: words", "label: other\n#| echo: true")
        write_book(edited, index=INDEX)
        prose = render(root, declared=declared)
        assert prose.executed == ()
        page = (root / "_output" / "one.html").read_text(encoding="utf-8")
        assert "Other words." in page and "data.txt" in page  # shown code comes from the source

    write_book(ONE.replace(".strip()", ".strip().upper()"), index=INDEX)
    code = render(root, declared=declared)
    assert (code.executed, code.reused) == (("one.qmd",), ("index.qmd",))

    data.write_text("new\n", encoding="utf-8")
    assert render(root, declared=declared).executed == both
    assert "Second NEW." in (root / "_output" / "one.html").read_text(encoding="utf-8")


def test_inline_code_is_code(write_book: WriteBook) -> None:
    root = write_book("# One {#sec-one}\n\nIt is `{python} 1 + 1`.\n")
    assert render(root).executed == ("one.qmd",)
    assert render(root).executed == ()
    write_book("# One {#sec-one}\n\nIt is `{python} 1 + 2`.\n")
    assert render(root).executed == ("one.qmd",)
    assert "It is 3." in (root / "_output" / "one.html").read_text(encoding="utf-8")
    assert render(root, fresh=True).executed == ("one.qmd",)


def test_digest_takes_names_and_bytes_but_not_the_place(tmp_path: Path) -> None:
    digests = []
    for place in ("here", "there"):
        folder = tmp_path / place / "package"
        (folder / "__pycache__").mkdir(parents=True)
        (folder / "a.py").write_text("1", encoding="utf-8")
        (folder / "__pycache__" / "a.pyc").write_text(place, encoding="utf-8")
        digests.append(digest_files(tmp_path / place, [Path("package")]))
    assert digests[0] == digests[1]
    (folder / "b.py").write_text("", encoding="utf-8")
    added = digest_files(tmp_path / "there", [Path("package")])
    (folder / "b.py").rename(folder / "c.py")
    renamed = digest_files(tmp_path / "there", [Path("package")])
    assert len({digests[0], added, renamed}) == 3
    with pytest.raises(RenderError, match="does not exist"):
        digest_files(tmp_path, [Path("nowhere")])


def test_pictures_written_aside_are_missed_when_they_are_gone(write_book: WriteBook) -> None:
    code = (
        "from pathlib import Path\nfrom IPython.display import Markdown\nPath('aside').mkdir(exist_ok=True)\nsvg ="
        ' \'<svg xmlns="http://www.w3.org/2000/svg" width="30pt" height="15pt"><path fill="#1f2a30" d="M0'
        " 0h9v9z\"/></svg>'\nPath('aside/dot.svg').write_text(svg)\nMarkdown(':::"
        ' {#fig-dot}\\n\\n![](aside/dot.svg){fig-alt="A dot"}\\n\\nA dot\\n\\n:::\\n\')\n'
    )
    root = write_book(f"# One {{#sec-one}}\n\nSee @fig-dot.\n\n```{{python}}\n{code}```\n")
    assert render(root).executed == ("one.qmd",)
    assert render(root).reused == ("one.qmd",)
    page = (root / "_output" / "one.html").read_text(encoding="utf-8")
    assert 'width="40" height="20"' in page and "-dark.svg" in page
    (root / "aside" / "dot.svg").unlink()
    assert render(root).executed == ("one.qmd",)
