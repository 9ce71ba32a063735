"""What the plans and chapters of all kinds begin with, as a new study has them: the head, the rule on small counts, the
table; and the cells of a chapter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from hhp_stats.plan.book_studies import TO_CONFIRM
from hhp_stats.plan.catalogue import Kind
from hhp_stats.present.markdown import escaped
from hhp_stats.scaffold.columns import TableGuess


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What the catalogue needs of a new study."""

    study: str
    title: str
    name: str
    short: str
    phase: str  # "" for none
    phases: tuple[str, ...]  # those that there are
    order: int
    kind: Kind
    chapter: str
    file: str  # its table, below the project
    dictionary: str


def quoted(text: str) -> str:
    """A text as TOML writes it."""
    return json.dumps(text, ensure_ascii=False)


def head_lines(
    head: Head, *, purpose: str, seed: int | None, design: str, participants: str, outcomes: str
) -> list[str]:
    """The first lines of a plan: what it is for, the catalogue's keys, and its line in the table of studies."""
    drawn = "# of everything that is drawn at random in the analysis"
    return [
        f"# The plan of this study as data: {purpose}, fixed before the data are looked at. Words in {TO_CONFIRM}",
        "# are guesses from the table; correct each and take the mark out: nothing is computed while one is left.",
        "",
        f"study = {quoted(head.study)}",
        f"title = {quoted(head.title)}",
        f"chapter = {quoted(head.chapter)}",
        f"name = {quoted(head.name)}  # in tables and sentences",
        f"short = {quoted(head.short)}  # before the labels of its figures and sections",
        _phase_line(head),
        f"order = {head.order}  # its place among the studies",
        *([] if seed is None else [f"seed = {seed}  {drawn}"]),
        "",
        "[glance]  # its line in the table of studies",
        f"asks = {quoted(f'What does {head.name} change? {TO_CONFIRM}')}",
        f"design = {quoted(f'{design} {TO_CONFIRM}')}",
        f"participants = {quoted(f'{participants} {TO_CONFIRM}')}",
        f"outcomes = {quoted(f'{outcomes} {TO_CONFIRM}'.strip())}",
        'known = "Nothing before this report"',
        "",
    ]


def _phase_line(head: Head) -> str:
    """The phase of the programme, or how to say it."""
    if head.phase:
        return f"phase = {quoted(head.phase)}  # of data/plan/programme.toml: where chapter 1 lists it"
    return f"# phase = {quoted(head.phases[-1])}  # of data/plan/programme.toml; without one a further study"


def table_lines(head: Head, guess: TableGuess) -> list[str]:
    """The rule on small counts, the words for people and groups, and where the table lies."""
    renamed = [(each.name, each.heading) for each in guess.columns if each.name != each.heading and each.kind != "text"]
    group = guess.cluster.replace("_", " ")
    named = "# the column that names everybody"
    return [
        "[disclosure]  # which counts of people are not printed",
        'rule = "withhold"',
        "threshold = 5  # counts from one to four, and what would give them away",
        'zeros = "published"  # or "withheld"',
        "",
        "[words]  # singular and plural",
        'person = ["person", "people"]',
        *([f"cluster = [{quoted(group)}, {quoted(f'{_plural(group)} {TO_CONFIRM}')}]"] if group else []),
        "",
        "[data]",
        f"file = {quoted(head.file)}",
        f"dictionary = {quoted(head.dictionary)}",
        f"person = {quoted(guess.person)}  {named}; it is pseudonymised"
        if guess.person
        else f'# person = "column"  {named}; without one a row is a person',
        *(["", "[data.columns]  # name in the plan = heading in the file, where they differ"] if renamed else []),
        *(f"{name} = {quoted(heading)}" for name, heading in renamed),
        "",
    ]


def _plural(word: str) -> str:
    """The plural of most English words."""
    if re.search(r"(s|x|z|ch|sh)$", word):
        return f"{word}es"
    return f"{word[:-1]}ies" if re.search(r"[^aeiou]y$", word) else f"{word}s"


def lines_as_text(lines: Iterable[str]) -> str:
    """The lines of a plan, comments after two spaces."""
    return "\n".join(
        re.sub(r" {2,}#", "  #", line) if "#" in line and not line.startswith("#") else line for line in lines
    )


def cell(code: str, *options: str) -> str:
    """A cell of a chapter that shows what it makes, not its code."""
    head = "".join(f"#| {option}\n" for option in ("echo: false", *options))
    return f"```{{python}}\n{head}{code}\n```\n"


def printed(code: str, *, before: str = "") -> str:
    """A cell that prints Markdown."""
    return cell(f"{before}print({code})", "output: asis")


def table(code: str, *, label: str, caption: str) -> str:
    """A cell with a table; the caption is plain text."""
    return cell(code, f"label: tbl-{label}", f"tbl-cap: {quoted(escaped(caption))}")


def heading(head: Head) -> str:
    """The title of a chapter, up to its colon, with its label."""
    return f"# {escaped(head.title.split(':')[0])} {{#sec-{head.study.replace('_', '-')}}}\n"
