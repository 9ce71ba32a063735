"""What the release says about itself: synthetic or real, from when, and whether a render is for the team alone.

`disclosure = "off"` in `data/manifest.toml` prints every count of people, small ones too, and puts a mark at the head
of every chapter. It stands in the manifest, not in the environment, because what a chapter's cells printed is kept
between renders under a key made of files: a switch outside them could leave an internal page in a published report.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from hhp_stats.files.file_parts import as_part
from hhp_stats.files.project_root import find_root
from hhp_stats.plan.disclosure import switched_off

MANIFEST = "data/manifest.toml"


_INTERNAL = (
    '::: {.callout-warning title="Internal: not for publication"}\n'
    "Disclosure control is switched off: counts of very few people are shown.\n"
    ":::\n"
)
_SYNTHETIC = (
    '::: {.callout-important title="Synthetic data"}\n'
    "Every figure in this report is computed from a synthetic release: data drawn by a computer from a seed, "
    "shaped after the published documents. No record describes a real person, team or authority, "
    "and no result here is a finding about the programme.\n"
    ":::\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Status and date of the data release, from `data/manifest.toml`."""

    status: str  # "synthetic" or "real"
    date: str
    internal: bool = False  # small counts are shown: not for publication

    @property
    def synthetic(self) -> bool:
        """Anything but a plain "real" counts as synthetic: the notice must never go missing by a typing error."""
        return self.status != "real"


@as_part
def read_release(root: Path) -> Release:
    """The release the report is rendered from."""
    raw = tomllib.loads((root / MANIFEST).read_text(encoding="utf-8"))
    return Release(status=str(raw["status"]), date=str(raw["release"]), internal=switched_off(root))


def notice(root: Path | None = None) -> str:
    """The Markdown notices at the head of every chapter; empty once the data are real and small counts withheld."""
    release = read_release(root or find_root())
    notices = ([_INTERNAL] if release.internal else []) + ([_SYNTHETIC] if release.synthetic else [])
    return "\n".join(notices)
