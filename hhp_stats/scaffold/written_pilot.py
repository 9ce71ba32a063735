"""The texts that a new pilot begins with: a plan that counts every category and averages every number of its table, and
a chapter.
"""

from __future__ import annotations

from hhp_stats.plan.book_studies import TO_CONFIRM
from hhp_stats.plan.pilot_schema import OWN_TABLES
from hhp_stats.scaffold.column_kinds import Column
from hhp_stats.scaffold.columns import TableGuess
from hhp_stats.scaffold.parts import Head, cell, head_lines, heading, lines_as_text, printed, quoted, table, table_lines

TABLED = ("category", "0/1")


def pilot_plan_text(head: Head, guess: TableGuess) -> str:
    """The plan with what can be guessed filled in and the rest as comments that say what may stand there."""
    numbers = [column for column in guess.columns if column.kind == "number"]
    return lines_as_text(
        [
            *head_lines(
                head,
                purpose="what will be counted",
                seed=None,
                design="Pilot without a control group",
                participants=f"{guess.people:,} people",
                outcomes=", ".join(column.name.replace("_", " ") for column in guess.columns if column.kind in TABLED),
            ),
            "[design]",
            f"kind = {quoted(head.kind)}",
            f"people = {guess.people}  # on the table",
            "",
            *table_lines(head, guess),
            "# ---------------------------------------------------------------- whom the numbers are about",
            "# [[populations]]",
            '# id = "adults"',
            '# label = "Adults"',
            '# where = "age >= 18"  # a condition on columns of the dictionary; everybody is there without one',
            "",
            "# ---------------------------------------------------------------- numbers: each a row of the results",
            "[[descriptives]]",
            'id = "sample/people"',
            'label = "People"',
            "",
            *(line for column in guess.columns if column.kind == "0/1" for line in _share(column)),
            *(line for column in numbers for line in _mean(column)),
            "# ---------------------------------------------------------------- tables: a line for each class",
            *(line for column in guess.columns if column.kind in TABLED for line in _classes(column)),
            '# classes = [{ label = "under 40", where = "age < 40" }, ...]  # in place of column',
            '# sums = ["minutes"]  # a column more, added up over each class',
            "",
        ]
    )


def _label(column: Column) -> str:
    return quoted(f"{column.heading} {TO_CONFIRM}")


def _share(column: Column) -> list[str]:
    return [
        "[[descriptives]]",
        f"id = {quoted(f'{column.name}/yes')}",
        f"label = {_label(column)}",
        f"where = {quoted(f'{column.name} == 1')}  # whom it counts",
        f"known = {quoted(column.name)}  # of those of whom this is known",
        'statistics = ["count", "share"]  # or "sum", "largest", "mean" of a column',
        "",
    ]


def _mean(column: Column) -> list[str]:
    return [
        "[[descriptives]]",
        f"id = {quoted(f'{column.name}/mean')}",
        f"label = {_label(column)}",
        'statistics = ["mean"]',
        f"column = {quoted(column.name)}",
        "",
    ]


def _classes(column: Column) -> list[str]:
    return [
        "[[tables]]",
        f"id = {quoted(table_id(column))}",
        f"label = {_label(column)}",
        f"column = {quoted(column.name)}",
        "",
    ]


def table_id(column: Column) -> str:
    """The name of a column's table: its own, unless every study writes a table of that name."""
    return f"{column.name}_classes" if column.name in OWN_TABLES else column.name


def pilot_chapter_text(head: Head, guess: TableGuess) -> str:
    """The chapter with every standard part; its words are for the author, its numbers come from the results."""
    s = head.short
    parts = [
        heading(head),
        printed(f'release.notice("{head.study}")', before="from hhp_stats.present import release\n\n"),
        cell(
            "from hhp_stats.present import pilots, standard_parts\n\n"
            f'pilot = pilots.chapter("{head.study}")\nparts = standard_parts.parts("{head.study}")'
        ),
        f"## In brief {{#sec-{s}-summary}}\n",
        '`{python} pilot.say("people")` No one was randomised and nothing is compared, so this chapter counts and'
        " describes.\n",
        printed(f'at_a_glance.box("{head.study}")', before="from hhp_stats.present import at_a_glance\n\n"),
        f"## Results {{#sec-{s}-results}}\n",
        table('pilot.table("numbers")', label=f"{s}-numbers", caption="What was counted"),
        *(
            part
            for column in guess.columns
            if column.kind in TABLED
            for part in (
                table(
                    f'pilot.table("classes/{table_id(column)}")',
                    label=f"{s}-{column.name.replace('_', '-')}",
                    caption=column.heading,
                ),
                cell(f'pilot.figure("classes/{table_id(column)}")'),
            )
        ),
        f"## Limits {{#sec-{s}-limits}}\n",
        "Without a comparison we do not know what would have happened otherwise. An interval shows how little a number"
        " pins down, as if the people were a random sample of many like them.\n",
        f"## The data {{#sec-{s}-data}}\n",
        "`{python} parts.provenance()` `{python} parts.corrections()` @sec-reproducibility-inputs lists the checksums"
        " of all files, @sec-reproducibility-results every result with its identifier.\n",
        table("parts.dictionary()", label=f"{s}-dictionary", caption="What each column of the table holds"),
        "`{python} parts.disclosure()`\n",
    ]
    return "\n".join(parts)
