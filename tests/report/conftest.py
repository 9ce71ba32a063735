"""A small book, rendered once, and an even smaller one for whatever must fail."""

from __future__ import annotations

import contextlib
import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from book_tools import BOOK, CONFIG, Rendered, WithoutKernel, WriteBook, rendered_once
from frozen_tools import ONLY, small_book, with_results

from hhp_stats.publish import kernels, release, render, warm_kernels
from hhp_stats.publish.execute import Executed
from hhp_stats.publish.source import steps
from hhp_stats.studies.kept import FOLDER, is_kept


@pytest.fixture(scope="session")
def warm() -> Iterator[warm_kernels.WarmProcess | None]:
    """The process that the kernels of all tests are forked from: importing the libraries takes longer than most
    chapters.
    """
    with kernels.warm_process() as process:
        yield process


@pytest.fixture(autouse=True)
def kernels_of_one_process(warm: warm_kernels.WarmProcess | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels are forked also for books of few chapters, unless a test says that nothing can be forked
    (test_kernels).
    """
    monkeypatch.setattr(kernels, "_FORK_FROM", 1)
    monkeypatch.setattr(
        kernels, "warm_process", lambda: contextlib.nullcontext(warm if warm_kernels.can_fork() else None)
    )


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """The fixture book in both formats."""
    return rendered_once(tmp_path_factory)


@pytest.fixture
def write_book(tmp_path: Path) -> WriteBook:
    """Write a two-chapter book whose second chapter, one.qmd, is the given text."""

    def write(
        text: str, *, config: str = CONFIG, index: str = "# Start {#sec-start}\n\nWords.\n", **others: str
    ) -> Path:
        root = tmp_path / "book"
        root.mkdir(exist_ok=True)
        (root / "_quarto.yml").write_text(config, encoding="utf-8")
        (root / "index.qmd").write_text(index, encoding="utf-8")
        (root / "one.qmd").write_text(text, encoding="utf-8")
        shutil.copyfile(BOOK / "report" / "references.bib", root / "references.bib")
        for name, content in others.items():
            (root / f"{name}.qmd").write_text(content, encoding="utf-8")
        return root

    return write


@pytest.fixture
def without_kernel(monkeypatch: pytest.MonkeyPatch) -> WithoutKernel:
    """Let cells print in this process, for tests of what is done with printed text."""

    def install() -> None:
        def execute(project, sources, *, on_outputs, **_) -> list[Executed]:
            found = [
                Executed(outputs=tuple(printed(step) for step in steps(source)), reused=False) for source in sources
            ]
            for at, each in enumerate(found):
                on_outputs(at, each)
            return found

        def printed(step) -> tuple[dict[str, str], ...]:
            text = io.StringIO()
            with contextlib.redirect_stdout(text):
                exec(step.source, {})
            return ({"output_type": "stream", "name": "stdout", "text": text.getvalue()},)

        monkeypatch.setattr(render, "execute", execute)

    return install


@pytest.fixture(scope="session")
def prepared_once(whole_report: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's data in a book of two chapters, with one trial's results."""
    home = small_book(tmp_path_factory.mktemp("prepared") / "project")
    for study in ONLY:  # of the same data and plan
        shutil.copytree(whole_report / FOLDER / study.key, home / FOLDER / study.key)
        assert is_kept(home, study.key, study.key_now(home))
    return with_results(home)


@pytest.fixture(scope="module")
def prepared(prepared_once: Path) -> Iterator[Path]:
    """The same, of which releases are made as if there were that trial alone; copy it before changing anything."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(release, "studies_of", lambda root: ONLY)
        yield prepared_once
