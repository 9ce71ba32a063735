"""What was found in a manuscript: on the screen, as JSON, and as a page with every figure marked."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Lines

from hhp_stats.consistency.verdict import FINDINGS, Finding
from hhp_stats.manuscript.checks import Checked, check_manuscript
from hhp_stats.manuscript.claim import KINDS, Claim
from hhp_stats.manuscript.document import Paragraph, Table
from hhp_stats.manuscript.reading import read_manuscript

_NEED_A_WORD = ("does_not_reproduce", "another_reading")
_STYLE = {"does_not_reproduce": "red", "another_reading": "yellow"}
_WORST: Sequence[Finding] = ("does_not_reproduce", "another_reading", "not_checkable", "reproduces")
_CSS = """
body { font: 1rem/1.55 Georgia, serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem }
body { color: #1b1b1b; background: #fff }
h1, th, .summary, .place, .why { font-family: system-ui, sans-serif }
table { border-collapse: collapse; margin: 1rem 0; font-size: .92rem } caption { text-align: left; font-weight: 600 }
th, td { border: 1px solid #c9c9c9; padding: .25rem .5rem; text-align: left; vertical-align: top }
mark { color: inherit; padding: 0 .1em; border-bottom: 2px solid }
mark.does_not_reproduce { background: #ffd9d4; border-color: #b3261e }
mark.another_reading { background: #fff0c2; border-color: #8a6100 }
mark.not_checkable { background: #ececec; border-color: #6b6b6b }
mark.reproduces { background: #ddf1df; border-color: #2f6b36 }
.place { color: #595959; font-size: .8rem } .why { font-size: .85rem; margin: .3rem 0 1rem; padding-left: 1.2rem }
.scroll { overflow-x: auto }
@media (prefers-color-scheme: dark) {
  body { color: #ececec; background: #161616 } th, td { border-color: #4a4a4a } .place { color: #b5b5b5 }
  mark.does_not_reproduce { background: #5c1a15; border-color: #ff8f86 }
  mark.another_reading { background: #4d3a05; border-color: #ffd35c }
  mark.not_checkable { background: #333; border-color: #aaa }
  mark.reproduces { background: #17391c; border-color: #7fd08a }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManuscriptReport:
    """Every block of a manuscript with its claims; `remarks` say what of the file could not be read as it looks."""

    file: str
    checked: tuple[Checked, ...]
    remarks: tuple[str, ...]

    @property
    def claims(self) -> tuple[Claim, ...]:
        """All claims in reading order."""
        return tuple(claim for checked in self.checked for claim in checked.claims)

    @property
    def counts(self) -> dict[str, int]:
        """How many claims have each finding; all four, also where none has."""
        found = Counter(claim.finding for claim in self.claims)
        return {finding: found[finding] for finding in FINDINGS}

    @property
    def exit_status(self) -> int:
        """1 where a figure does not reproduce, else 0."""
        return 1 if self.counts["does_not_reproduce"] else 0

    def record(self) -> dict[str, Any]:
        """The same for a program."""
        return {
            "file": self.file,
            "counts": self.counts,
            "remarks": list(self.remarks),
            "figures": [
                {
                    "place": _place(checked, claim),
                    "kind": claim.kind,
                    "printed": claim.text,
                    "verdict": claim.finding,
                    "reason": claim.reason,
                }
                for checked in self.checked
                for claim in checked.claims
            ],
        }

    def show(self, console: Console, *, everything: bool = False) -> None:
        """Print the figures that fail or need another reading, or `everything`, and the counts."""
        lines = Lines(show_lines=True, expand=True)
        lines.add_column("Place", max_width=28)
        lines.add_column("Printed", ratio=1)
        lines.add_column("Verdict", max_width=18)
        lines.add_column("Why", ratio=2)
        for checked in self.checked:
            for claim in checked.claims:
                if everything or claim.finding in _NEED_A_WORD:
                    cells = (_place(checked, claim), claim.text, FINDINGS[claim.finding], claim.reason)
                    lines.add_row(*(cell.replace("[", "\\[") for cell in cells), style=_STYLE.get(claim.finding, ""))
        if lines.row_count:
            console.print(lines)
        for remark in self.remarks:
            console.print(f"Note: {remark}", markup=False)
        console.print(self.summary(), markup=False)

    def summary(self) -> str:
        """One line of counts, which says too that what was not found was not checked."""
        counts = self.counts
        if not self.claims:
            return f"{self.file}: no figure that others determine was found, which is no proof that all are right."
        said = "; ".join(f"{counts[finding]} {words}" for finding, words in _PLURAL.items())
        return (
            f"{self.file}: {len(self.claims)} figures that others determine: {said}. Silence about the rest is no"
            " proof."
        )

    def page(self) -> str:
        """A page of the manuscript's words with each figure marked, its verdict and reason below."""
        title = f"Audit of {html.escape(Path(self.file).name)}"
        body = "\n".join(_block(checked) for checked in self.checked)
        notes = "".join(f"<p class='summary'>{html.escape(remark)}</p>" for remark in self.remarks)
        legend = " ".join(f"<mark class='{finding}'>{html.escape(words)}</mark>" for finding, words in FINDINGS.items())
        return (
            "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
            "<meta name='viewport' content='width=device-width, initial-scale=1'>"
            f"<title>{title}</title><style>{_CSS}</style></head><body><main><h1>{title}</h1>"
            f"<p class='summary'>{html.escape(self.summary())}</p><p class='summary'>{legend}</p>{notes}\n{body}\n"
            "</main></body></html>\n"
        )


_PLURAL: dict[Finding, str] = {
    "reproduces": "reproduce",
    "another_reading": "reproduce under another reading",
    "does_not_reproduce": "do not reproduce",
    "not_checkable": "cannot be checked",
}


def audit_manuscript(file: Path) -> ManuscriptReport:
    """Which figures of a manuscript follow from the others beside them? Raises DataError as `read_manuscript` does."""
    document = read_manuscript(file)
    return ManuscriptReport(file=document.file, checked=check_manuscript(document), remarks=document.remarks)


def _place(checked: Checked, claim: Claim) -> str:
    if isinstance(checked.block, Paragraph):
        return checked.block.place
    row = checked.block.rows[claim.row]
    column = checked.block.headings[claim.column]
    return f"{checked.block.place}, row \u201c{row[0]}\u201d, column \u201c{column}\u201d"


def _block(checked: Checked) -> str:
    if isinstance(checked.block, Table):
        shown = _table(checked.block, checked.claims)
    else:
        shown = f"<p>{_marked(checked.block.text, checked.claims)}</p>"
    if not checked.claims:
        return shown
    said = "".join(
        f"<li><mark class='{claim.finding}'>{html.escape(FINDINGS[claim.finding])}</mark>"
        f" {html.escape(KINDS[claim.kind])}: {html.escape(claim.text)}. {html.escape(claim.reason)}</li>"
        for claim in checked.claims
    )
    return f"<p class='place'>{html.escape(checked.block.place)}</p>{shown}<ul class='why'>{said}</ul>"


def _marked(text: str, claims: Sequence[Claim]) -> str:
    """The text with the words of each claim marked; where claims overlap, each stretch shows the worst of its own."""
    edges = sorted({0, len(text), *(edge for claim in claims for edge in (claim.start, claim.end))})
    return "".join(_stretch(text, claims, start, end) for start, end in pairwise(edges))


def _stretch(text: str, claims: Sequence[Claim], start: int, end: int) -> str:
    own = [claim for claim in claims if claim.start <= start and end <= claim.end]
    return _mark(html.escape(text[start:end]), own)


def _mark(text: str, claims: Sequence[Claim]) -> str:
    worst = next((finding for finding in _WORST if any(claim.finding == finding for claim in claims)), None)
    return f"<mark class='{worst}'>{text}</mark>" if worst and text else text


def _table(table: Table, claims: Sequence[Claim]) -> str:
    def cells() -> Iterator[str]:
        for at, row in enumerate(table.rows):
            own = (
                _mark(html.escape(cell), [claim for claim in claims if (claim.row, claim.column) == (at, column)])
                for column, cell in enumerate(row)
            )
            yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in own) + "</tr>"

    head = "".join(f"<th scope='col'>{html.escape(heading)}</th>" for heading in table.headings)
    note = f"<p>{html.escape(table.note)}</p>" if table.note else ""
    return (
        "<div class='scroll'"
        f" tabindex='0'><table><caption>{html.escape(table.caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(cells())}</tbody></table></div>{note}"
    )
