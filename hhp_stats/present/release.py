"""What the release says about itself: synthetic or real, and from when."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from hhp_stats.project_root import find_root

MANIFEST = "data/manifest.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Status and date of the data release, from `data/manifest.toml`."""

    status: str  # "synthetic" or "real"
    date: str

    @property
    def synthetic(self) -> bool:
        """Anything but a plain "real" counts as synthetic: the notice must never go missing by a typing error."""
        return self.status != "real"


def read_release(root: Path) -> Release:
    """The release the report is rendered from."""
    raw = tomllib.loads((root / MANIFEST).read_text(encoding="utf-8"))
    return Release(status=str(raw["status"]), date=str(raw["release"]))


def notice(root: Path | None = None) -> str:
    """The Markdown notice at the head of every chapter; empty once the data are real."""
    release = read_release(root or find_root())
    if not release.synthetic:
        return ""
    return (
        '::: {.callout-important title="Synthetic data"}\n'
        "Every figure in this report is computed from a synthetic release: data drawn by a computer from a seed, "
        "shaped after the published documents. No record describes a real person, team or authority, "
        "and no result here is a finding about the programme.\n"
        ":::\n"
    )
