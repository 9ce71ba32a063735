"""The file of the corrections ledger: lines are added at its end, whole or not at all, by one process at a time."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hhp_stats.files.spreadsheet import to_csv
from hhp_stats.intake.ledger import LEDGER_COLUMNS, Correction
from hhp_stats.intake.text_file import read_text
from hhp_stats.processes.at_work import LEDGER_WORK, at_work

LONGEST_WAIT = 120.0  # seconds; a correction is checked within a few


@contextmanager
def ledger_alone(root: Path) -> Iterator[None]:
    """Nobody else writes the ledger within this block; others wait. Raises ProjectBusy after `LONGEST_WAIT` seconds."""
    with at_work(root, LEDGER_WORK, wait=LONGEST_WAIT, kept="The ledger stays as it was."):
        yield


def append_lines(path: Path, lines: Iterable[Correction]) -> None:
    """Adds lines at the end of the ledger, which is made where there is none. Call it within `ledger_alone`.

    What stood there stays byte for byte (a file in another encoding than UTF-8 is written in UTF-8 from now on). The
    new file is complete on the disk before it takes the place of the old one: whatever interrupts, the old ledger or
    the new one is there.
    """
    before, ending = b"", "\n"
    if path.exists():
        text, encoding = read_text(path)
        before = path.read_bytes() if encoding.startswith("UTF-8") else text.encode("utf-8")
        ending = "\r\n" if b"\r\n" in before else "\n"
    added = io.StringIO()
    writer = csv.writer(added, lineterminator=ending)
    if not before.strip():
        before = b""
        writer.writerow(LEDGER_COLUMNS)
    elif not before.endswith((b"\n", b"\r")):  # a heading alone; half a correction is refused before
        added.write(ending)
    # Ledgers are looked at in spreadsheets: a reason that begins like a formula must stay a text there.
    writer.writerows([to_csv(getattr(line, name)) for name in LEDGER_COLUMNS] for line in lines)
    _replace(path, before + added.getvalue().encode("utf-8"))


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            partial.chmod(path.stat().st_mode & 0o777)
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    if os.name == "posix":  # the new name too must survive a power cut; other systems see to it themselves
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
