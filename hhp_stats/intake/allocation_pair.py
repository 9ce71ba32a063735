"""An allocation list and the log of its draws, written together and never over anything."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from hhp_stats.files.output_guard import OutputGuard, OutputRefused
from hhp_stats.files.spreadsheet import write_frame
from hhp_stats.files.unfinished import LOG, noted, put_right


class AllocationPair:
    """The list at `path` and the log beside it; a trial is randomised once, so neither is ever overwritten.

    Raises OutputRefused where `path` is a folder.
    """

    def __init__(self, path: Path, guard: OutputGuard) -> None:
        if not path.name or path.is_dir():
            guard.file(path)  # refuses it
        self.list, self.guard = path, guard
        self.log = path.with_name(f"{path.stem}{LOG}{path.suffix}")

    def check(self) -> None:
        """Raises OutputRefused where either is there already, or must not be written there."""
        put_right(self.guard.root)  # a log whose list a killed run did not come to write
        for path in (self.list, self.log):
            if os.path.lexists(path) and not path.is_dir():
                raise OutputRefused(
                    path,
                    "an allocation is never overwritten, nor is its log",
                    "Give another path, or move both away yourself.",
                )
            self.guard.file(path)

    def write(self, teams: pd.DataFrame, log: pd.DataFrame) -> None:
        """Write both; the list, which is what is used, comes last. Raises OutputRefused as `check` does."""
        self.check()
        with noted(self.guard.root, self.log.resolve(), kind="log"), self.guard.written(self.list) as of_list:
            write_frame(teams, of_list)
            with self.guard.written(self.log) as of_log:
                write_frame(log, of_log)
