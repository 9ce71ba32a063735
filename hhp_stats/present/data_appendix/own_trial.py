"""The trial on returns, if the report has one."""

from __future__ import annotations

from hhp_stats.errors import UnknownName
from hhp_stats.present.chapter import StudyReport


def with_returns(own: StudyReport | None) -> StudyReport:
    """The trial on returns, which most of the appendix is about; refused (UnknownName) where no study is one."""
    if own is None:
        raise UnknownName("no study has returns: nothing of this part can be said")
    return own
