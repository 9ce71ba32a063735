"""What a study hands to the report: its result rows, its descriptive tables, and what it really did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pandas as pd

from hhp_stats.errors import HhpError
from hhp_stats.plan.conduct import Conduct
from hhp_stats.results import read_results, write_results
from hhp_stats.spreadsheet import frame_from_csv, write_frame
from hhp_stats.studies.kept import FOLDER

__all__ = ["FOLDER", "StudyOutput", "open_output", "read_output", "ready_folder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOutput:
    """Everything the chapters of one study read. Tables hold counts and shares, never persons."""

    study: str
    results: pd.DataFrame  # the study's part of the result frame
    tables: Mapping[str, pd.DataFrame]
    conduct: tuple[Conduct, ...]

    def write(self, root: Path) -> None:
        """Write results, tables and conduct as CSV below `.report/results/<study>/`; whole or not at all."""
        folder = root / FOLDER / self.study
        partial, old = (folder.with_name(f"{folder.name}.{word}") for word in ("partial", "old"))
        for left in (partial, old):  # of a run that was killed
            _remove(left)
        partial.mkdir(parents=True)
        write_results(self.results, partial / "results.csv")
        conduct = pd.DataFrame(
            [asdict(entry) for entry in self.conduct], columns=["study", "analysis", "aspect", "value"]
        )
        for name, table in {**self.tables, "conduct": conduct}.items():
            write_frame(table, partial / f"{name}.csv")
        if folder.exists():
            folder.rename(old)
            partial.rename(folder)
            _remove(old)
        else:
            partial.rename(folder)


def _remove(folder: Path) -> None:
    if folder.exists():
        for file in folder.glob("*"):
            file.unlink()
        folder.rmdir()


def ready_folder(root: Path, study: str) -> Path:
    """Where the results of a study are; refuses a study whose results are not ready (HhpError)."""
    folder = root / FOLDER / study
    if not (folder / "results.csv").is_file():
        raise HhpError(f"the results of {study} are not ready: run `hhp results` (or `make report`) first")
    return folder


def read_output(root: Path, study: str) -> StudyOutput:
    """Read what `StudyOutput.write` left; refuses a study whose results are not ready (HhpError)."""
    output = open_output(root, study)
    return replace(output, tables=dict(output.tables))


def open_output(root: Path, study: str) -> StudyOutput:
    """As `read_output`, but a table is read when it is asked for: appendices need few of each study."""
    folder = ready_folder(root, study)
    conduct = tuple(
        Conduct(**{str(k): str(v) for k, v in row.items()})
        for row in frame_from_csv(pd.read_csv(folder / "conduct.csv")).fillna("").to_dict("records")
    )
    return StudyOutput(
        study=study, results=read_results(folder / "results.csv"), tables=_Tables(folder), conduct=conduct
    )


class _Tables(Mapping[str, pd.DataFrame]):
    """The descriptive tables in a folder of results by name, each read once."""

    def __init__(self, folder: Path) -> None:
        self.paths = {path.stem: path for path in sorted(folder.glob("*.csv"))}
        del self.paths["results"], self.paths["conduct"]
        self.read: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self.read:
            self.read[name] = frame_from_csv(pd.read_csv(self.paths[name]))
        return self.read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)
