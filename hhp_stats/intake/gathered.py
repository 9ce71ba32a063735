"""Everything that was read of one study: returns, lists, surveys and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from hhp_stats.errors import Problem
from hhp_stats.intake.corrections import Applied
from hhp_stats.intake.dictionary import DICTIONARY, Field, Study
from hhp_stats.intake.draw_log import DrawLog
from hhp_stats.intake.ledger import Ledger
from hhp_stats.intake.linkage import Answers
from hhp_stats.intake.lists import ListFile
from hhp_stats.intake.pseudonym import Pseudonyms
from hhp_stats.intake.return_layout import Return
from hhp_stats.intake.rules_read import rules_read
from hhp_stats.intake.spellings import SPELLINGS, Spellings
from hhp_stats.intake.survey import SurveyFile
from hhp_stats.intake.table import Table

SURVEY_WAVES = ("baseline", "endline")


@dataclass(slots=True, kw_only=True)
class Gathered:
    """Everything read for one study, after the corrections ledger, with all problems found."""

    root: Path
    study: Study
    fields: tuple[Field, ...]
    spellings: Spellings
    pseudonyms: Pseudonyms | None
    returns: dict[str, dict[str, Return]] = field(default_factory=dict)
    lists: dict[str, ListFile] = field(default_factory=dict)
    surveys: dict[str, SurveyFile] = field(default_factory=dict)
    answers: list[Answers] = field(default_factory=list)
    ledger: Ledger = field(default_factory=lambda: Ledger(lines=[], problems=[]))
    applied: list[Applied] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)  # those that belong to no single table
    log: DrawLog | None = None  # of the randomisation, where the plan says how teams were drawn
    draws: pd.DataFrame = field(default_factory=pd.DataFrame)  # its draws repeated, see `draws_repeated`

    def tables(self) -> list[Table]:
        """Every file read: returns, lists, surveys."""
        returns: list[Table] = [ret for waves in self.returns.values() for ret in waves.values()]
        return [*returns, *self.lists.values(), *self.surveys.values()]

    def all_problems(self) -> list[Problem]:
        """All problems found, errors first, then by file."""
        found = [*self.problems, *self.ledger.problems]
        for table in self.tables():
            found += table.problems
        rank = {"error": 0, "warning": 1, "note": 2}
        return sorted(dict.fromkeys(found), key=lambda each: (rank[each.severity], each.file))

    def inputs(self) -> pd.DataFrame:
        """path, sha256, bytes, rows of every raw file read."""
        rows = [(table.file, table.sha256, table.size, len(table.frame)) for table in self.tables() if table.sha256]
        asked = [survey.definition for survey in self.surveys.values() if survey.definition is not None]
        rows += [(each.file, each.sha256, each.size, len(each.questions)) for each in asked]
        if self.ledger.sha256:
            rows.append(("data/corrections.csv", self.ledger.sha256, self.ledger.size, len(self.ledger.lines)))
        if self.log is not None and self.log.sha256:
            rows.append(
                (self.log.file, self.log.sha256, (self.root / self.log.file).stat().st_size, len(self.log.draws))
            )
        rows += rules_read(self.root, self.study.name, DICTIONARY, SPELLINGS)
        frame = pd.DataFrame(sorted(rows), columns=["path", "sha256", "bytes", "rows"])
        return frame.astype({"path": "str", "sha256": "str", "bytes": "int64", "rows": "int64"})
