"""What was corrected after the returns arrived? The ledger: checked, applied in order, refused where it does not fit.

Fields of one person that only make sense together (left and leaving_date, days and spells) are corrected in one step:
its lines carry the ids C003.1/2 and C003.2/2, and all of them are applied or none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from hhp_stats.errors import Problem
from hhp_stats.intake.columns import Manner, read_column
from hhp_stats.intake.dictionary import Field, Study
from hhp_stats.intake.grid import NO_STORED_VALUE, CellError
from hhp_stats.intake.ledger import LEDGER, LEDGER_COLUMNS, ROW_OF_TABLE, Correction, Ledger, steps
from hhp_stats.intake.masking import shown
from hhp_stats.intake.return_layout import Return
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.rules_ledger import (
    BAD_FIELD,
    BAD_NEW,
    NO_CHANGE,
    NO_RETURN,
    OTHER_OLD,
    UNKNOWN_STAFF,
)
from hhp_stats.intake.spellings import Spellings, same
from hhp_stats.intake.table import Table

APPLIED_COLUMNS = (
    "id",
    "received_on",
    "study",
    "wave",
    "authority",
    "person",
    "field",
    "old_value",
    "new_value",
    "reason",
    "file",
    "cell",
    "ledger_line",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A correction that was applied, with the file and cell it changed."""

    correction: Correction
    line: int
    file: str
    cell: str
    position: int  # of the row in the frame


def apply_ledger(
    ledger: Ledger, returns: dict[str, dict[str, Return]], *, study: Study, spellings: Spellings
) -> list[Applied]:
    """Applies the study's corrections in the order of the ledger to the frames of the returns.

    `returns` is authority -> wave -> return. A line is applied only where its old value is what stands in the cell,
    as typed or as read; everything that does not fit is added to `ledger.problems`, with the ledger line, the cell
    and both values. Of a step of several lines all are applied, or none. The files themselves are never touched.
    """

    def place(line: Correction) -> Table | None:
        ret = returns.get(line.authority, {}).get(line.wave)
        return ret if ret is not None and ret.readable else None

    return _applied(ledger, place, study=study.name, spellings=spellings, person="staff_id")


def apply_to_table(ledger: Ledger, table: Table, *, study: str, spellings: Spellings, person: str) -> list[Applied]:
    """The same for a trial whose data are one table: `person` is its column of identifiers, "" where rows are people
    and a line names `row 14` (of an SPSS file `case 14`).
    """
    return _applied(
        ledger, lambda line: table if table.readable else None, study=study, spellings=spellings, person=person
    )


def _applied(
    ledger: Ledger, place: Callable[[Correction], Table | None], *, study: str, spellings: Spellings, person: str
) -> list[Applied]:
    flawed = {problem.cell for problem in ledger.problems if problem.severity == "error"}
    applied: list[Applied] = []
    for step in steps(ledger.lines):
        if any(line.study != study or f"row {number}" in flawed for number, line in step):
            continue
        changes: list[_Change] = []
        for number, line in step:
            done = _apply(line, number, place(line), spellings, ledger.problems, person)
            changes += [done] if done else []
        if len(changes) == len(step):
            applied += [each.applied for each in changes]
        else:
            for each in reversed(changes):
                each.undo()
    return applied


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """One cell of a return changed, with what is needed to change it back."""

    applied: Applied
    table: Table
    position: int
    column: pd.Series
    raw: Any
    unread: str | None

    def undo(self) -> None:
        name = self.applied.correction.field
        self.table.frame[name] = self.column
        self.table.raw[name][self.position] = self.raw
        if self.unread is not None:
            self.table.unread[name][self.position] = self.unread


def _rows_of(table: Table, who: str, person: str) -> pd.Index:
    """The rows of a person: by the column of identifiers, or by the number of the row."""
    if person:
        return table.frame.index[table.frame[person] == who]
    found = ROW_OF_TABLE.fullmatch(who)
    return table.frame.index[table.frame["row"] == (int(found["row"]) if found else -1)]


def _apply(
    line: Correction,
    number: int,
    ret: Table | None,
    spellings: Spellings,
    problems: list[Problem],
    person: str,
) -> _Change | None:
    def refuse(rule: Rule, value: str = "") -> None:
        problems.append(rule.problem(file=LEDGER, cell=f"row {number}", value=value))

    if ret is None:
        refuse(NO_RETURN, f"{line.wave} of {line.authority}" if line.authority else line.study)
        return None
    spec = ret.fields.get(line.field)
    if spec is None or line.field not in ret.columns:
        refuse(BAD_FIELD, shown(line.field, vocabulary=ret.vocabulary))
        return None
    where = _rows_of(ret, line.staff_id, person)
    if len(where) != 1:
        called = "staff ID" if person == "staff_id" else person
        refuse(UNKNOWN_STAFF, f"{called} {shown(line.staff_id)} in {len(where)} rows of {ret.file}")
        return None
    position = int(where[0])
    cell = ret.cell(line.field, position)
    wanted, allowed = worded(spec, line.new_value), f", allowed {' or '.join(spec.allowed)}" if spec.allowed else ""
    if not _stands_there(worded(spec, line.old_value), ret, spec, position, spellings):
        found = ret.quote(line.field, position)
        refuse(
            OTHER_OLD,
            f"{shown(line.old_value or None, vocabulary=ret.vocabulary)} in the ledger, {found} in {ret.file} {cell}",
        )
        return None
    new = read_column(spec=spec, raw=[wanted or None], spellings=spellings, manner=Manner(typed=False))
    if new.unread:
        refuse(BAD_NEW, f"{shown(wanted, vocabulary=ret.vocabulary)} for {ret.file} {cell}{allowed}")
        return None
    old = ret.frame[line.field].copy()
    unread, raw = ret.unread[line.field].get(position), ret.raw[line.field][position]
    if unread is None and _equal(old.iloc[position], new.values.iloc[0]):
        refuse(NO_CHANGE, f"{shown(wanted or None, vocabulary=ret.vocabulary)} for {ret.file} {cell}")
        return None
    column = old.copy()
    column.iloc[position] = new.values.iloc[0]
    ret.frame[line.field] = column
    ret.raw[line.field][position] = wanted or None
    ret.unread[line.field].pop(position, None)
    applied = Applied(correction=line, line=number, file=ret.file, cell=cell, position=position)
    return _Change(applied=applied, table=ret, position=position, column=old, raw=raw, unread=unread)


def worded(spec: Field, value: str) -> str:
    """A value as the column writes it: 0 or 1 of a column that has words for them becomes the word; else unchanged.

    Where 0 or 1 is itself one of the words, it is that word.
    """
    if spec.kind != "yes/no" or value not in ("0", "1") or not spec.allowed or value in spec.allowed:
        return value
    return spec.no_yes[int(value)]


def value_now(ret: Table, *, staff_id: str, field: str, person: str = "staff_id") -> str | None:
    """What stands in a cell of the return, in the words in which the ledger names an old value; None where it cannot.

    A number, an ISO date, yes or no (or the column's own words for them), or an allowed value; where the cell could not
    be read, what `shown` says of it.
    """
    where = _rows_of(ret, staff_id, person)
    if field not in ret.fields or field not in ret.columns or len(where) != 1:
        return None
    position = int(where[0])
    raw, value = ret.raw[field][position], ret.frame[field].iloc[position]
    if isinstance(raw, CellError):
        return raw.text
    if position in ret.unread[field]:
        return None if raw is NO_STORED_VALUE else shown(raw).strip("“”")
    if pd.isna(value):
        return ""
    if ret.fields[field].kind == "yes/no":
        return ret.fields[field].no_yes[int(value)]
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    if isinstance(value, float | int):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    return str(value)


def _stands_there(old: str, ret: Table, spec: Field, position: int, spellings: Spellings) -> bool:
    raw = ret.raw[spec.name][position]
    if isinstance(raw, CellError) or raw is NO_STORED_VALUE:
        return isinstance(raw, CellError) and old == raw.text
    if raw is None:
        return old == ""
    if isinstance(raw, str) and same(raw) == same(old):
        return True
    if position in ret.unread[spec.name]:
        return shown(raw).strip("“”") == old
    meant = read_column(spec=spec, raw=[old or None], spellings=spellings, manner=Manner(typed=False))
    return not meant.unread and _equal(ret.frame[spec.name].iloc[position], meant.values.iloc[0])


def _equal(one: Any, other: Any) -> bool:
    return bool(one == other or (pd.isna(one) and pd.isna(other)))


def applied_frame(applied: Iterable[Applied], *, people: dict[str, str], person: str = "staff_id") -> pd.DataFrame:
    """The corrections that were applied; `people` maps their ids to pseudonyms, since identifiers (the field `person`)
    are not published.
    """
    rows = [
        {
            **{name: getattr(each.correction, name) for name in LEDGER_COLUMNS if name in APPLIED_COLUMNS},
            "old_value": _publishable(each.correction.field, each.correction.old_value, person),
            "new_value": _publishable(each.correction.field, each.correction.new_value, person),
            "person": people.get(each.correction.id, ""),
            "file": each.file,
            "cell": each.cell,
            "ledger_line": each.line,
        }
        for each in applied
    ]
    frame = pd.DataFrame(rows, columns=list(APPLIED_COLUMNS))
    return frame.astype({name: "int64" if name == "ledger_line" else "str" for name in APPLIED_COLUMNS})


def _publishable(field: str, value: str, person: str) -> str:
    if field == person:
        return "a staff ID" if person == "staff_id" else "an identifier"
    return shown(value).strip("“”") if value else ""
