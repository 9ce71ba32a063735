"""May this correction of a trial's plain table be added? Checked against ledger, table and rules before the ledger
changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from hhp_stats.errors import DataError, Problem, refuse_errors
from hhp_stats.intake.correct import Change, in_step, next_id
from hhp_stats.intake.corrections import value_now, worded
from hhp_stats.intake.dictionary import Field
from hhp_stats.intake.ledger import LEDGER, Correction, Ledger, check_schema, read_ledger, studies_on_tables
from hhp_stats.intake.ledger_file import append_lines, ledger_alone
from hhp_stats.intake.manifest import HALF_REPLACED, UNFINISHED, verify_manifest
from hhp_stats.intake.plain_table import broken_rules, read_plain_table
from hhp_stats.intake.raw_files import MANIFEST, studies
from hhp_stats.intake.rules_ledger import UNENDED
from hhp_stats.intake.rules_table import PlainTable
from hhp_stats.intake.spellings import tidy
from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.plan.individual_schema import IndividualPlan
from hhp_stats.plan.table_schema import ARM


def append_table_corrections(
    root: Path,
    *,
    study: str,
    person: str,
    changes: Sequence[Change],
    received_on: str,
    reason: str,
    requested_by: str,
    id: str | None = None,
    dry_run: bool = False,
) -> tuple[Correction, ...]:
    """May these columns of one person of a trial's table be corrected in one step, and under which ids?

    `person` is the identifier of the person; where the plan names no column of identifiers, `row 14` (of an SPSS file
    `case 14`). Otherwise as `correct.append_corrections`: the lines are applied after all earlier ones, the rules are
    run before and after, and the lines are added together, only if all of them fit and break no rule that was kept.

    Refuses with `DataError`, leaving the ledger as it was; ValueError for no change, or one column twice.
    """
    root = Path(root)
    plan = load_individual_plan(root, study)
    assert plan.data is not None
    with ledger_alone(root):
        if (root / UNFINISHED).exists():
            raise DataError([HALF_REPLACED.problem(file=MANIFEST)])
        ledger = read_ledger(root, studies=studies(root))
        refuse_errors(
            [replace(each, severity="error") if each.code == UNENDED.code else each for each in ledger.problems]
        )
        refuse_errors(verify_manifest(root, below=plan.data.file))
        lines = [line for _, line in ledger.lines]
        now = read_plain_table(root, plan, ledger=_ledger(root, lines))
        refuse_errors([each for each in now.problems if not now.readable])
        fields = now.fields
        new = in_step(
            [_worded(each, fields) for each in changes],
            first=Correction(
                id=id or next_id(lines),
                received_on=received_on,
                study=study,
                wave="",
                authority="",
                staff_id=person,
                field="",
                old_value="",
                new_value="",
                reason=reason,
                requested_by=requested_by,
            ),
            last=plan.data.person,
            value_now=lambda field: _value_now(now, plan, person, field),
        )
        before = _problems(root, plan, lines)
        refuse_errors([problem for problem in _problems(root, plan, [*lines, *new]) if problem not in set(before)])
        if not dry_run:
            append_lines(root / LEDGER, new)
    return tuple(new)


def _worded(change: Change, fields: Mapping[str, Field]) -> Change:
    """The change in the words of its column, so that the ledger has those."""
    spec = fields.get(tidy(change.field))
    if spec is None:
        return change
    old = None if change.old_value is None else worded(spec, tidy(change.old_value))
    return replace(change, old_value=old, new_value=worded(spec, tidy(change.new_value)))


def _value_now(table: PlainTable, plan: IndividualPlan, who: str, field: str) -> str | None:
    """What stands in a cell, in the writing of the table: arms, and numbers that it has in words."""
    assert plan.data is not None
    found = value_now(table, staff_id=who, field=field, person=plan.data.person)
    if found is None or field not in plan.columns:
        return found
    column = plan.columns[field]
    written = {arm.id: str(arm.value) for arm in plan.arms} if field == ARM else {}
    written |= dict(zip(("no", "yes"), column.zero_one, strict=False))
    written |= {f"{number:.12g}": word for word, number in reversed(column.scale)}
    return written.get(found, found)


def _ledger(root: Path, lines: Sequence[Correction]) -> Ledger:
    numbered = list(enumerate(lines, start=2))
    known = frozenset(studies(root))
    problems = check_schema(numbered, study=None, studies=known, tables=studies_on_tables(root, known))
    return Ledger(lines=numbered, problems=problems)


def _problems(root: Path, plan: IndividualPlan, lines: Sequence[Correction]) -> list[Problem]:
    """What is wrong with the ledger, and with the table after it was applied?"""
    ledger = _ledger(root, lines)
    table = read_plain_table(root, plan, ledger=ledger)
    return [*ledger.problems, *table.problems, *broken_rules(root, table, plan)]
