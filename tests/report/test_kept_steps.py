"""Of an edited chapter only what may show something else runs: the edited step and what it rests on. The outputs are
those of running everything.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from book_tools import WriteBook

from hhp_stats.publish import execute as execution
from hhp_stats.publish.kept_outputs import CACHE
from hhp_stats.publish.project import load_project
from hhp_stats.publish.qmd import read_chapter
from hhp_stats.publish.showing import keys_of
from hhp_stats.publish.source import Cell, steps

HEAD = "# One {#sec-one}\n\n```{python}\nfrom hhp_stats.present.numbers import count, percent\nn = count(5)\n```\n\n"
CHAPTER = (
    HEAD + "`{python} n` people, `{python} percent(0.25)`%.\n\n"
    "```{python}\n#| output: asis\nprint(count(1000), n)\n```\n\n"
    "```{python}\nfound = [n]\n```\n\n"
    "`{python} percent(0.5)`% and `{python} len(found)`.\n"
)


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The code of the steps of each chapter that ran."""
    told: list[list[str]] = []
    run_all = execution.run_all

    def noted(project: Any, chapters: Sequence[Any], *given: Any) -> Any:
        told.extend(
            [each.source if isinstance(each, Cell) else each.expression for each in planned] for _, planned in chapters
        )
        return run_all(project, chapters, *given)

    monkeypatch.setattr(execution, "run_all", noted)
    return told


def outputs(root: Path, *, fresh: bool = False) -> list[str]:
    """What every step of the chapter showed."""
    project = load_project(root)
    sources = [read_chapter(project, chapter) for chapter in project.chapters]
    done = execution.execute(project, sources, fresh=fresh)
    shown = next(each for each, source in zip(done, sources, strict=True) if source.chapter.slug == "one").outputs
    return [json.dumps([each.get("data") or each.get("text") for each in step]) for step in shown]


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("print(count(1000), n)", "print(count(2000), n)", ["print(count(2000), n)"]),
        ("percent(0.5)", "percent(0.75)", ["found = [n]", "percent(0.75)"]),
        ("`{python} percent(0.25)`%", "`{python} percent(0.5)`% or `{python} percent(0.25)`%", ["percent(0.5)"]),
    ],
)
def test_an_edited_step_runs_with_what_it_rests_on_and_no_other(
    write_book: WriteBook, ran: list[list[str]], old: str, new: str, again: list[str]
) -> None:
    root = write_book(CHAPTER)
    outputs(root)
    assert len(ran.pop()) == 7
    write_book(CHAPTER.replace(old, new))
    kept = outputs(root)
    setup, *others = ran.pop()
    assert setup.startswith("from hhp_stats.present") and others == again
    assert kept == outputs(root, fresh=True)
    assert len(ran.pop()) == len(kept)


def test_a_step_that_binds_something_else_runs_all_after_it(write_book: WriteBook, ran: list[list[str]]) -> None:
    root = write_book(CHAPTER)
    outputs(root)
    write_book(CHAPTER.replace("n = count(5)", "n = count(6)"))
    assert "6" in outputs(root)[1] and len(ran[-1]) == 7


def test_a_removed_or_moved_step_runs_nothing(write_book: WriteBook, ran: list[list[str]]) -> None:
    root = write_book(CHAPTER)
    whole = outputs(root)
    write_book(CHAPTER.replace("`{python} n` people, ", ""))
    assert outputs(root) == [whole[0], *whole[2:]] and ran[-1] == []
    write_book(
        CHAPTER.replace("`{python} n` people, `{python} percent(0.25)`%", "`{python} percent(0.25)`%, `{python} n`")
    )
    assert outputs(root) == [whole[0], whole[2], whole[1], *whole[3:]] and ran[-1] == []


def test_a_changed_file_runs_everything(write_book: WriteBook, ran: list[list[str]]) -> None:
    reads = "`{python} str(count(int(open('data.txt').read())))`\n"
    root = write_book(CHAPTER)
    (root / "data.txt").write_text("7", encoding="utf-8")
    write_book(CHAPTER + reads)
    assert "7" in outputs(root)[-1]
    (root / "data.txt").write_text("8", encoding="utf-8")
    write_book(CHAPTER.replace("percent(0.5)", "percent(0.75)") + reads)
    assert "8" in outputs(root)[-1] and len(ran[-1]) == 8


def test_damaged_or_missing_outputs_run_everything(write_book: WriteBook, ran: list[list[str]]) -> None:
    root = write_book(CHAPTER)
    outputs(root)
    for file in (root / CACHE).glob("one-*.json"):
        file.write_bytes(file.read_bytes()[:-9])
    write_book(CHAPTER.replace("percent(0.5)", "percent(0.75)"))
    outputs(root)
    assert len(ran[-1]) == 7


SHOWS = [
    ("gs.table('primary')", True),
    ("gs.figure(\n    'flow', caption='a' + release.while_synthetic('x', 'y')\n)", True),
    ("print(parts.consort())", True),
    ("print(gs.say('a'))\nprint(gs.say('b'))", True),
    ("f'{gs.say(\"a\"):>3}'", True),
    ("x = gs.table('primary')", False),
    ("from hhp_stats.present import hiring\nprint(hiring)", False),
    ("other.table('primary')", False),
    ("found.append(gs.table('a'))", False),
    ("gs.report.table('a').drop(columns='b', inplace=True)", False),
    ("print(gs.say('a'), file=out)", False),
    ("gs.__dict__", False),
    ("[gs.say(each) for each in 'ab']", False),
    ("(y := gs.say('a'))", False),
    ("open('file.txt', 'w')", False),
    ("%matplotlib inline", False),
    ("exec('gs = 1')", False),
    ("gs.report.table('a').pop('b')", False),
    ("gs.report.table('a').to_csv('file.csv')", False),
    ("", False),
]


@pytest.mark.parametrize(("code", "shows"), SHOWS)
def test_what_only_shows(write_book: WriteBook, code: str, shows: bool) -> None:
    head = (
        "from hhp_stats.present import goal_setting, release, standard_parts\nimport other\n"
        "gs = goal_setting.chapter()\nparts = standard_parts.parts('x')\nfound = []\nout = None"
    )
    assert shown_last(write_book, head, code) == shows


@pytest.mark.parametrize(
    "between",
    [
        "gs = 1",
        "def gs(): pass",
        "import gs",
        "for gs in []: pass",
        "del gs",
        "gs.x = 1",
        "setattr(gs, 'x', 1)",
        "%run x",
    ],
)
def test_what_a_name_stands_for_is_not_known_after_it_was_bound_or_touched(write_book: WriteBook, between: str) -> None:
    head = "from hhp_stats.present import goal_setting\ngs = goal_setting.chapter()"
    assert shown_last(write_book, head, "gs.table('a')")
    assert not shown_last(write_book, head, between, "gs.table('a')")


def shown_last(write_book: WriteBook, *cells: str) -> bool:
    """Whether the last of the cells only shows."""
    root = write_book("# One {#sec-one}\n\n" + "\n".join(f"```{{python}}\n{code}\n```\n" for code in cells))
    project = load_project(root)
    source = next(read_chapter(project, chapter) for chapter in project.chapters if chapter.slug == "one")
    return keys_of(steps(source))[-1][1]
