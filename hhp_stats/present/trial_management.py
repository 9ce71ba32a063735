"""Tables on how the trial with a printed protocol was run: people and roles, timeline, risks, amendments. All words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hhp_stats.files.project_root import find_root
from hhp_stats.plan.catalogue import study_entry
from hhp_stats.plan.trial_management import TrialManagement, load_trial_management
from hhp_stats.present.listing import capital, listed_words
from hhp_stats.present.markdown import escaped, pipe_table
from hhp_stats.present.numbers import spelled


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagementTables:
    """Each table as Markdown, for a cell with `output: asis`."""

    short: str  # before the labels of the study's tables
    management: TrialManagement

    def people(self) -> str:
        """Who had which part, as the protocol names them."""
        rows = [[person.name, person.post, capital(", ".join(person.parts))] for person in self.management.people]
        return self._table("people", "People and roles in the protocol", ("Name", "Post", "Part"), rows, (22, 48, 30))

    def both_sides(self) -> str:
        """How many people stand both in the team that delivered the programme and in the one that evaluated it."""
        both = [person.name for person in self.management.people if {"delivery", "evaluation"} <= set(person.parts)]
        if not both:
            return "No one is both among those who delivered the programme and among those who evaluated it."
        return (
            f"{capital(spelled(len(both)))} of {spelled(len(self.management.people))} people named stand both among"
            f" those who delivered the programme and among those who evaluated it: {listed_words(both)}."
        )

    def milestones(self) -> str:
        """The timeline with those who led each step."""
        rows = [[milestone.dates, milestone.what, milestone.who] for milestone in self.management.milestones]
        headings = ("When", "What", "Led by")
        return self._table("milestones", "Timeline and who led each step", headings, rows, (28, 42, 30))

    def risks(self) -> str:
        """The risks foreseen, the answer to each, and what is known of it."""
        rows = [[risk.risk, risk.answer, risk.became] for risk in self.management.risks]
        headings = ("Risk", "What was to be done", "What is known today")
        return self._table("risks", "Risks that the protocol names", headings, rows, (30, 38, 32))

    def amendments(self) -> str:
        """What was changed in the protocol."""
        rows = [[amendment.what, amendment.change] for amendment in self.management.amendments]
        return self._table("amendments", "Amendments of the protocol", ("Part", "What changed"), rows, (24, 76))

    def _table(
        self, name: str, caption: str, headings: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[int]
    ) -> str:
        cells = [[escaped(cell) for cell in row] for row in rows]
        return pipe_table(headings, cells, label=f"tbl-{self.short}-{name}", caption=caption, widths=widths)


def tables(*, root: Path | None = None) -> ManagementTables:
    """Open the tables; refuses what `load_trial_management` refuses."""
    home = root or find_root()
    management = load_trial_management(home)
    return ManagementTables(short=study_entry(home, management.study).short, management=management)
