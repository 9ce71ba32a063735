"""What a list of a smaller study holds: its name, its file and its columns. Nothing here reads a file."""

from __future__ import annotations

from dataclasses import dataclass

from hhp_stats.intake.dictionary import Field


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSpec:
    """One list: its name for the rules, its path below the project, and its columns."""

    name: str
    file: str
    fields: tuple[Field, ...]


def list_column(
    name: str,
    kind: str,
    *,
    allowed: tuple[str, ...] = (),
    low: float | None = None,
    high: float | None = None,
    required: bool = True,
    meaning: str = "",
    file: str = "list",
    waves: tuple[str, ...] = (),
    unit: str = "",
) -> Field:
    """One column of a list: identifier, category, integer, number, date, yes/no or text."""
    return Field(
        file=file,
        waves=waves,
        name=name,
        label=name,
        kind=kind,
        unit=unit,
        period="",
        minimum=low,
        maximum=high,
        allowed=allowed,
        required=required,
        in_template=False,
        clause="",
        meaning=meaning,
    )
