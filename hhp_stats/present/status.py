"""Synthetic or real, study by study, as `data/manifest.toml` says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hhp_stats.errors import PlanError
from hhp_stats.files.file_parts import as_part
from hhp_stats.intake.raw_files import MANIFEST
from hhp_stats.plan.disclosure import switched_off
from hhp_stats.plan.records import read_plan_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Status and date of the data release, from `data/manifest.toml`."""

    status: str  # "synthetic" or "real": that of every study which has none of its own
    date: str
    internal: bool = False  # small counts are shown: not for publication
    status_of: tuple[tuple[str, str], ...] = ()  # studies with a status of their own, by key

    @property
    def synthetic(self) -> bool:
        """Whether studies without a status of their own are synthetic. Anything but a plain "real" counts as synthetic:
        the notice must never go missing by a typing error.
        """
        return self.status != "real"

    def is_synthetic(self, study: str) -> bool:
        """Whether the data of one study are synthetic."""
        return dict(self.status_of).get(study, self.status) != "real"


@as_part
def read_release(root: Path) -> Release:
    """The release the report is rendered from. Raises PlanError where the manifest is missing or damaged."""
    raw = read_plan_file(root, MANIFEST)
    for key in ("status", "release"):
        if key not in raw:
            raise PlanError(MANIFEST, key, "is missing.", "Restore the line, or the file.")
    own = tuple(sorted((str(study), str(status)) for study, status in raw.get("status_of", {}).items()))
    return Release(status=str(raw["status"]), date=str(raw["release"]), internal=switched_off(root), status_of=own)
