"""Is it safe to open this file? Type, size, zip expansion, macros and entities, before anything is parsed."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import NamedTuple

MEBIBYTE = 1024 * 1024
MAX_FILE = 64 * MEBIBYTE
MAX_TEXT = 16 * MEBIBYTE  # of a CSV file, whose fields take many times their length in memory
# The parsers take some ten seconds and 300 MB for 100 MiB of cells; a return of 100,000 people has 50.
MAX_EXPANDED = 64 * MEBIBYTE
MAX_CONTENT = 16 * MEBIBYTE  # of the sheets of an .ods file, which are held in memory as a tree
# Elements of the parts that are read as objects: styles, names, relations. Excel itself allows 65,490 formats of cells.
MAX_SETTINGS = 100_000
MAX_RATIO = 200  # a full sheet shrinks 10 to 30 times; a zip bomb a thousand times
RATIO_FROM = 16 * MEBIBYTE  # small parts of repeated blanks compress well and harm nobody
MAX_PARTS = 2000

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # the stream that holds an encrypted workbook
_FORBIDDEN = tuple(
    marker.encode(encoding) for marker in ("<!DOCTYPE", "<!ENTITY") for encoding in ("utf-8", "utf-16-le", "utf-16-be")
)
_BEFORE_XML = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"  # byte order marks, the zeros of UTF-16, blanks
_SAVE_AS = "Open it, save it as “Excel workbook (.xlsx)” and send it again."


class Refused(Exception):
    """A file that must not be opened, or cannot be: what must hold, and what its owner can do."""

    def __init__(self, rule: str, remedy: str, found: str = "") -> None:
        self.rule, self.remedy, self.found = rule, remedy, found
        super().__init__(rule)


class Contents(NamedTuple):
    """What a safe container holds beside its sheets, to be said in the report."""

    external_links: int


def check_size(path: Path, *, most: int | None = None) -> int:
    """The size in bytes of a file that is small enough to be read; refuses others (`Refused`)."""
    size, most = path.stat().st_size, MAX_FILE if most is None else most
    if size == 0:
        raise Refused("A file must not be empty.", "Send the file again.", "0 bytes")
    if size > most:
        raise Refused(
            f"A file of this kind may have at most {most // MEBIBYTE} MiB.",
            "Remove pictures and formatting of empty rows, then save it again.",
            f"{size / MEBIBYTE:.1f} MiB",
        )
    return size


def check_container(path: Path) -> Contents:
    """May this .xlsx or .ods file be parsed?

    Checks size, zip directory (number of parts, declared expansion, which `zipfile` enforces while reading),
    macros, and document type declarations or entities in any XML part. Refuses (`Refused`) with the remedy.
    Nothing is unpacked to disk, and no link, macro or formula is followed.
    """
    check_size(path)
    with path.open("rb") as file:
        head = file.read(8)
    if head == _OLE:
        raise _ole(path)
    if not head.startswith(b"PK"):
        raise Refused("A workbook must be a real .xlsx or .ods file, not another file under that name.", _SAVE_AS)
    try:
        with zipfile.ZipFile(path) as archive:
            return _check_parts(archive)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise _damaged(error) from None
    except Exception as error:  # zlib.error and friends: whatever a damaged archive provokes
        if isinstance(error, Refused):
            raise
        raise _damaged(error) from None


def _ole(path: Path) -> Refused:
    """What a file of the old container is: a workbook of 1997 to 2003, or a newer one behind a password."""
    if _ENCRYPTED in path.read_bytes():
        return Refused(
            "A workbook must not be password-protected.",
            "Open it with its password, take the password off (File, Info, Protect Workbook, Encrypt with Password:"
            " leave it empty), save it and send it again.",
            "a password-protected workbook",
        )
    return Refused("A workbook must not be in the old .xls format.", _SAVE_AS, "a file in the format of 1997 to 2003")


def _damaged(error: Exception) -> Refused:
    return Refused("A workbook must be whole and readable.", _SAVE_AS, f"a damaged file ({type(error).__name__})")


def _check_parts(archive: zipfile.ZipFile) -> Contents:
    parts = archive.infolist()
    expanded = sum(part.file_size for part in parts)
    swollen = any(
        part.file_size > RATIO_FROM and part.file_size > MAX_RATIO * max(part.compress_size, 1) for part in parts
    )
    if len(parts) > MAX_PARTS or expanded > MAX_EXPANDED or swollen:
        raise Refused(
            f"A workbook may unpack to at most {MAX_EXPANDED // MEBIBYTE} MiB in {MAX_PARTS} parts.",
            "Copy the table alone into a new workbook and send that.",
            f"{len(parts)} parts, {expanded / MEBIBYTE:.0f} MiB unpacked",
        )
    names = [part.filename.casefold() for part in parts]
    if not any(name.startswith("xl/") or name == "content.xml" for name in names):
        inside = next((name for name in names if name.endswith((".xlsx", ".xlsm", ".ods"))), "")
        raise Refused(
            "A workbook must be a real .xlsx or .ods file, not another file under that name.",
            "Take the workbook out of the archive and send it alone." if inside else _SAVE_AS,
            "a workbook packed into an archive" if inside else "another kind of file",
        )
    if len(set(names)) != len(names):
        raise Refused("A workbook must hold each of its parts once.", _SAVE_AS)
    if any(name.endswith("vbaproject.bin") or "macrosheets/" in name or "/basic/" in f"/{name}" for name in names):
        raise Refused("A workbook must not hold macros.", "Save it as “Excel workbook (.xlsx)”, which drops macros.")
    settings = 0
    for part in parts:
        name = part.filename.casefold()
        if not name.endswith((".xml", ".rels")):
            continue
        elements = _elements(archive, part)
        if elements is None:
            raise Refused("A workbook must not declare document types or entities.", _SAVE_AS)
        settings += elements if name.endswith((".rels", "styles.xml", "workbook.xml", "[content_types].xml")) else 0
        too_long = name == "content.xml" and part.file_size > MAX_CONTENT
        if settings > MAX_SETTINGS or too_long:
            what = "cells" if too_long else "styles and names"
            raise Refused(
                f"A workbook must not have so many {what}.", "Copy the table alone into a new workbook and send that."
            )
    return Contents(external_links=sum("externallinks/externallink" in name for name in names))


def _elements(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> int | None:
    """About how many elements an XML part has; None where it declares a document type or an entity."""
    tail, count = b"", 0
    with archive.open(part) as stream:
        while chunk := stream.read(MEBIBYTE):
            if not tail and not chunk.lstrip(_BEFORE_XML).startswith(b"<"):
                return None  # an encoding such as EBCDIC, in which a declaration would not be recognised
            window = tail + chunk
            if any(marker in window for marker in _FORBIDDEN):
                return None
            count += chunk.count(b"<")
            tail = window[-32:]
    return count
