"""Who was allocated where, who took the course, whose code is it? The lists that the trial team keeps as CSV."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from hhp_stats.intake.columns import Manner
from hhp_stats.intake.container import Refused
from hhp_stats.intake.dictionary import Field, Study, fields_of
from hhp_stats.intake.masking import words_of
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.spellings import Spellings, same
from hhp_stats.intake.table import Table, comma_in_numbers, empty_frame
from hhp_stats.intake.text_file import likely_delimiter, read_text, split_rows

LINKAGE_FIELDS = ("local_authority", "staff_id", "survey_code")
DRAWN = ("team_id", "local_authority", "stratum", "treatment")  # what every allocation list of teams holds


@dataclass(slots=True, kw_only=True)
class ListFile(Table):
    """A CSV list as read; `synthetic` says whether its release column marks every line as synthetic."""

    kind: str
    synthetic: bool = False
    unmarked: bool = False


LIST_MISSING = Rule(
    code="L01",
    severity="error",
    rule="The list must be there.",
    remedy="Put the file in its place; a list without entries holds its heading line only.",
)
LIST_UNREADABLE = Rule(
    code="L02",
    severity="error",
    rule="A list must be a CSV file with the columns of the dictionary in its first line.",
    remedy="Restore the heading line, and save as “CSV UTF-8”.",
)
LIST_RAGGED = Rule(
    code="L03",
    severity="error",
    rule="Every line of a list must have as many fields as its heading line.",
    remedy="Complete the line, or put texts with commas in quotation marks.",
)

FILE_OF_LIST_RULES = (LIST_MISSING, LIST_UNREADABLE, LIST_RAGGED)


def also_drawn(fields: tuple[Field, ...], study: Study) -> tuple[str, ...]:
    """Which columns of teams does this trial alone have? Those of the dictionary that its equation names."""
    own = (each.name for each in fields_of(fields, "allocation") if each.name not in DRAWN)
    return tuple(name for name in own if name in study.terms)


def list_fields(fields: tuple[Field, ...], kind: str, study: Study) -> tuple[Field, ...]:
    """The fields of a list; those of the linkage list, which only intake sees, stand here and not in the dictionary.

    Of an allocation list of teams those of `DRAWN`, and what the study's equation names.
    """
    if kind == "allocation" and study.sites:
        wanted = {*DRAWN, *also_drawn(fields, study)}
        return tuple(each for each in fields_of(fields, kind) if each.name in wanted)
    if kind != "linkage":
        return fields_of(fields, kind)
    return tuple(
        Field(
            file="linkage",
            waves=(),
            name=name,
            label=name,
            kind="text" if name == "local_authority" else "identifier",
            unit="",
            period="",
            minimum=None,
            maximum=None,
            allowed=(),
            required=True,
            in_template=False,
            clause="",
            meaning="",
        )
        for name in LINKAGE_FIELDS
    )


def read_list(
    path: Path, *, file: str, kind: str, fields: tuple[Field, ...], spellings: Spellings, study: Study
) -> ListFile:
    """What does a list (allocation, course_log or linkage) say? Problems are collected in the result."""
    specs = list_fields(fields, kind, study)
    result = ListFile(
        file=file,
        path=path,
        kind=kind,
        frame=empty_frame(specs, []),
        fields={each.name: each for each in specs},
        vocabulary=words_of(*study.authorities, *(each.name.replace("_", " ") for each in specs)),
    )
    if not path.is_file():
        result.problems.append(LIST_MISSING.problem(file=file))
        return result
    try:
        text = read_text(path).text
        rows = split_rows(text, likely_delimiter(text, lines=1))
    except (Refused, OSError) as refused:
        found = refused.found if isinstance(refused, Refused) else type(refused).__name__
        result.problems.append(LIST_UNREADABLE.problem(file=file, value=found))
        return result
    raw_bytes = path.read_bytes()
    result.sha256, result.size = hashlib.sha256(raw_bytes).hexdigest(), len(raw_bytes)
    heads = [same(each).replace(" ", "_") for each in rows[0]] if rows else []
    lacking = [each.name for each in specs if heads.count(each.name) != 1]
    if lacking:
        result.problems.append(
            LIST_UNREADABLE.problem(file=file, cell="row 1", value=f"not once: {', '.join(lacking)}")
        )
        return result
    numbered = [(number, row) for number, row in enumerate(rows[1:], start=2) if any(map(str.strip, row))]
    for number, row in numbered:
        if len(row) != len(heads):
            result.problems.append(LIST_RAGGED.problem(file=file, cell=f"row {number}", value=f"{len(row)} fields"))
    body = [(number, (row + [""] * len(heads))[: len(heads)]) for number, row in numbered]
    result.frame = empty_frame(specs, [number for number, _ in body])
    result.columns = {each.name: heads.index(each.name) + 1 for each in specs}
    columns = {each.name: [row[result.columns[each.name] - 1] or None for _, row in body] for each in specs}
    manner = Manner(typed=False, decimal_comma=comma_in_numbers((each, columns[each.name]) for each in specs))
    for each in specs:
        column = columns[each.name]
        if each.name == "local_authority":
            column = [_authority(value, study, spellings) for value in column]
        result.fill(spec=each, raw=column, spellings=spellings, manner=manner)
    if "release" in heads:
        marks = {same(row[heads.index("release")]) for _, row in body}
        result.synthetic, result.unmarked = "synthetic" in marks, bool(marks - {"synthetic"})
    else:
        result.unmarked = True
    return result


def _authority(value: str | None, study: Study, spellings: Spellings) -> str | None:
    if value is None:
        return None
    known = {same(name): name for name in study.authorities} | spellings.of("local_authority")
    return known.get(same(value), value)
