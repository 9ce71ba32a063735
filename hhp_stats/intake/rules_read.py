"""Which files decided how the raw ones were read? They stand among a study's inputs, with their checksums."""

from __future__ import annotations

from pathlib import Path

from hhp_stats.intake.manifest import sha256_of
from hhp_stats.plan.catalogue import PLANS


def rules_read(root: Path, study: str, *beside: str) -> list[tuple[str, str, int, int]]:
    """The plan of a study and the files `beside` it that exist: path, checksum, bytes, and lines without the headings
    of a table.
    """
    found = []
    for name in (*beside, f"{PLANS}/{study}.toml"):
        path = root / name
        if path.is_file():
            lines = path.read_bytes().count(b"\n") - name.endswith(".csv")
            found.append((name, sha256_of(path), path.stat().st_size, lines))
    return found
