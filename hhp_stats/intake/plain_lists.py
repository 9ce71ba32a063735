"""Lists of the smaller studies: participants, decisions, usage logs, themes. Read with the same checks everywhere.

A study says which columns a list has (`list_column`); `read_plain_lists` reads all of its lists, applies the rules
about cells and the study's own rules, and raises everything that is wrong at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hhp_stats.errors import refuse_errors
from hhp_stats.intake.dictionary import Study
from hhp_stats.intake.findings import Finding, judged
from hhp_stats.intake.list_spec import ListSpec
from hhp_stats.intake.lists import ListFile, read_list
from hhp_stats.intake.load import problem_frame
from hhp_stats.intake.manifest import study_status, verify_manifest
from hhp_stats.intake.order import in_order, numbered
from hhp_stats.intake.rule import Breach, Rule, breach_problems
from hhp_stats.intake.rules_answers import list_findings
from hhp_stats.intake.rules_cells import FORM_RULES, KIND_RULES
from hhp_stats.intake.rules_file import MARKED_SYNTHETIC, NOT_MARKED_SYNTHETIC
from hhp_stats.intake.rules_plan import assumption_problems
from hhp_stats.intake.rules_read import rules_read
from hhp_stats.intake.rules_wave import blank_required, converted_identifiers, out_of_range
from hhp_stats.intake.spellings import Spellings
from hhp_stats.plan.conduct import deviations_of_data
from hhp_stats.plan.thresholds import load_thresholds

Lists = Mapping[str, ListFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRule:
    """A rule of one list that may look at the others; the breaches are places in the list named."""

    about: str
    rule: Rule
    find: Callable[[Lists], Iterable[Breach]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainLists:
    """The frames by the names of their lists, and how the files were read."""

    frames: Mapping[str, pd.DataFrame]
    inputs: pd.DataFrame  # path, sha256, bytes, rows
    problems: pd.DataFrame  # warnings and notes; errors are raised


def _cells(table: ListFile) -> Iterator[Breach]:
    for rule in KIND_RULES:
        if rule.find is not None:
            yield from rule.find(table)
    yield from out_of_range(table)
    yield from converted_identifiers(table)


CELLS = Rule(
    code="K10",
    severity="error",
    rule="A value must be of the kind that its column holds, and lie within its limits.",
    remedy="Correct the value, or ask who made the list.",
)
BLANK = Rule(
    code="K19",
    severity="error",
    rule="A value must be filled in where its column needs one.",
    remedy=(
        "Fill it in, or ask who made the list. Where nobody knows it, delete the line: people or answers of which that"
        " is not known have none."
    ),
)

EMPTY = Rule(
    code="K20",
    severity="warning",
    rule="A list should have entries below its headings: with none, there is nobody of whom it tells.",
    remedy=(
        "Export it again, if there are any. Without them every result that needs this list has a reason in place of a"
        " number."
    ),
)


def read_plain_lists(
    root: Path,
    *,
    study: str,
    specs: Sequence[ListSpec],
    rules: Iterable[ListRule],
    found: Callable[[Lists], Iterable[Finding]] = lambda lists: (),
) -> PlainLists:
    """What do the lists of a study say? Raises DataError, with every problem, where one breaks a rule.

    Rules between lists, and `found`, which gives what a deviation may explain, are looked at only if all could be read.
    The frames are in the order of their content, with numbers in the place of identifiers (`intake.order`).
    """
    synthetic = study_status(root, study) == "synthetic"
    tables: dict[str, ListFile] = {}
    for spec in specs:
        # The columns of these lists are the study's own, so no list of fields from the dictionary is consulted.
        table = read_list(
            root / spec.file,
            file=spec.file,
            kind="list",
            fields=spec.fields,
            spellings=Spellings(by_field={}),
            study=Study(name=study, sites=()),
        )
        if table.readable:
            table.problems += breach_problems(CELLS, table, _cells(table))
            table.problems += breach_problems(BLANK, table, blank_required(table))
            for form in FORM_RULES:
                table.problems += breach_problems(form, table, form.find(table) if form.find else ())
            if not len(table.frame):
                table.problems.append(EMPTY.problem(file=table.file, value="headings alone"))
            if synthetic and table.unmarked and len(table.frame):
                table.problems.append(NOT_MARKED_SYNTHETIC.problem(file=table.file))
            elif not synthetic and table.synthetic:
                table.problems.append(MARKED_SYNTHETIC.problem(file=table.file))
        tables[spec.name] = table
    if all(table.readable for table in tables.values()):
        for entry in rules:
            table = tables[entry.about]
            table.problems += breach_problems(entry.rule, table, entry.find(tables))
        of_the_columns = list_findings(list(tables.values()), load_thresholds(root, study))
        of_the_study = judged([*found(tables), *of_the_columns], deviations_of_data(root, study))
    else:
        of_the_study = []
    known = {table.file: table.sha256 for table in tables.values() if table.sha256}
    problems = verify_manifest(root, known=known, study=study)
    problems += [
        *assumption_problems(root, study),
        *of_the_study,
        *(problem for table in tables.values() for problem in table.problems),
    ]
    refuse_errors(problems)
    frames = {name: table.frame.drop(columns="row") for name, table in tables.items()}
    keys = dict.fromkeys(each.name for spec in specs for each in spec.fields if each.kind == "identifier")
    for key in keys:
        frames |= numbered({name: frame for name, frame in frames.items() if key in frame}, key, without=keys)
    frames |= {name: in_order(frame) for name, frame in frames.items() if not keys.keys() & set(frame)}
    return PlainLists(
        frames=frames,
        inputs=pd.DataFrame(
            [
                *((table.file, table.sha256, table.size, len(table.frame)) for table in tables.values()),
                *rules_read(root, study),
            ],
            columns=["path", "sha256", "bytes", "rows"],
        ),
        problems=problem_frame(problems),
    )
