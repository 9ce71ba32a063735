"""One study of the report: what runs it, what its results depend on, and what a run of studies leaves."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from hhp_stats.plan.catalogue import StudyEntry
from hhp_stats.processes.progress import Progress, silent
from hhp_stats.studies.kept import study_key

if TYPE_CHECKING:
    from hhp_stats.studies.output import StudyOutput

TOPICS = "hhp_stats.studies"  # the package with the modules of single studies
GENERAL = "hhp_stats.studies.field_trial:run_field_trial"  # runs every study that names no topic
PILOT = "hhp_stats.studies.pilot:run_pilot"  # and compares nothing
COMMON = ("data/dictionary.csv", "data/spellings.csv", "data/published/protocol_clauses.csv")  # beside the manifest
LEDGER = "data/corrections.csv"  # of returns and plain tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One study of the report: what runs it, and what it reads beside its raw files."""

    key: str
    runs: str  # module and function
    patterns: tuple[str, ...]

    @property
    def module(self) -> str:
        """The module that runs it."""
        return self.runs.partition(":")[0]

    def key_now(self, root: Path) -> str:
        """The digest of everything its results depend on, as it is now."""
        return study_key(root, study=self.key, module=self.module, patterns=self.patterns)

    def run(self, root: Path, progress: Progress = silent) -> StudyOutput:
        """Read the raw files and estimate everything the plan asks for."""
        module, _, function = self.runs.partition(":")
        output: StudyOutput = getattr(import_module(module), function)(root, self.key, progress=progress)
        return output


def runnable(entry: StudyEntry) -> Study:
    """How a study of the catalogue is run: by its topic, or else as a pilot, or a trial of individuals or clusters."""
    runs = f"{TOPICS}.{entry.topic}:run" if entry.topic else PILOT if entry.kind == "pilot" else GENERAL
    ledger = (LEDGER,) if entry.on_table else ()
    return Study(key=entry.study, runs=runs, patterns=(f"data/plan/{entry.study}.*", *entry.reads, *ledger, *COMMON))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What stands in the result frame now, and which studies had to run for it."""

    rows: int
    estimated: int
    studies: tuple[str, ...]
