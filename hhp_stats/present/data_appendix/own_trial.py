"""The trial on returns, if the report has one."""

from __future__ import annotations

from dataclasses import dataclass

from hhp_stats.errors import UnknownName
from hhp_stats.present.chapter import StudyReport


@dataclass(frozen=True, slots=True, kw_only=True)
class OfReturns:
    """A part of the appendix that is about the trial on returns."""

    own: StudyReport | None  # None where no study is one

    @property
    def report(self) -> StudyReport:
        """The trial on returns; refused (UnknownName) where there is none."""
        if self.own is None:
            raise UnknownName("no study has returns: nothing of this part can be said")
        return self.own
