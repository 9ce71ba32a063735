"""The synthetic data as if they were real, with words planted that may be in no output."""

from __future__ import annotations

import csv
import io
import random
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import openpyxl
from openpyxl.comments import Comment
from openpyxl.workbook.defined_name import DefinedName

from hhp_stats.intake.manifest import record_files
from hhp_stats.plan.book_studies import TO_CONFIRM

NAME, ADDRESS = "Zebedee Quillfeather", "zebedee.quillfeather@example.invalid"
IDENTIFIERS = ("staff_id", "survey_code", "participant", "interviewee", "ResponseId", "ExternalReference")


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """What may be found nowhere: words in small letters, and identifiers of people as they are written."""

    words: tuple[str, ...]
    identifiers: frozenset[str]

    def found(self, content: bytes) -> set[str]:
        """The planted words and identifiers in a content and everything packed within it."""
        hits: set[str] = set()
        for part in unpacked(content):
            for encoding in ("utf-8", "utf-16-le"):
                text = part.decode(encoding, "ignore").replace("<wbr>", "")  # where a line may end, a word does not
                low = text.lower()
                hits |= {word for word in self.words if word in low}
                hits |= self.identifiers.intersection(re.findall(r"[A-Za-z0-9_-]{5,}", text))
        return hits


def unpacked(content: bytes) -> Iterator[bytes]:
    """A content, and what is packed in it: members of zips and workbooks with their names, compressed streams of PDFs
    and gzip files.
    """
    yield content
    if content[:2] == b"PK" and zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield from unpacked(archive.read(name))
    elif content[:2] == b"\x1f\x8b":
        yield zlib.decompress(content, 47)
    elif content[:5] == b"%PDF-":
        for start in re.finditer(rb"stream\r?\n", content):
            try:
                yield zlib.decompressobj().decompress(content[start.end() :])
            except zlib.error:
                continue


def made_real(project: Path) -> Planted:
    """Take the synthetic marks out of all raw files, plant the words in each, and say that the data are real."""
    identifiers: set[str] = set()
    planted = random.Random(20261130)
    for path in sorted((project / "data").rglob("*.xlsx")):
        identifiers |= _plant_in_workbook(path)
    for kind in ("surveys", "allocation", "course_log", "decisions", "usage", "qualitative"):
        for path in sorted((project / "data" / kind).rglob("*.csv")):
            identifiers |= _plant_in_list(path, planted)
    for folder in (
        "returns",
        "returns/goal_setting/kent",
        "surveys/swing",
        "allocation",
        "decisions",
        "qualitative",
        "plan",
    ):
        place = project / "data" / folder
        for name in ("README.md", f".{NAME}.csv", f"~${NAME}.csv", f"{NAME}.csv.bak"):
            (place / name).write_text(f"ask {NAME}\n", encoding="utf-8")
    extra = project / "data" / NAME
    extra.mkdir()
    (extra / f"{NAME}.csv").write_text(f"{NAME}\n{ADDRESS}\n", encoding="utf-8")
    (project / "data/synthetic_truth.toml").unlink()
    imprint = project / "data/imprint.toml"  # a report with real data says who answers for it
    lines = imprint.read_text(encoding="utf-8")
    for key, value in (("doi", "10.1234/abcd"), ("isbn", "978-0-306-40615-7")):
        lines = lines.replace(f'{key} = "{TO_CONFIRM}"', f'{key} = "{value}"')
    imprint.write_text(lines.replace(TO_CONFIRM, "The trial team"), encoding="utf-8")
    manifest = project / "data/manifest.toml"
    head = manifest.read_text(encoding="utf-8").partition("[files]")[0]
    head = "\n".join(line for line in head.splitlines() if not line.startswith(("seed", "generator")))
    manifest.write_text(head.replace('"synthetic"', '"real"') + "\n[files]\n", encoding="utf-8")
    record_files(project)
    return Planted(words=("zebedee", "quillfeather"), identifiers=frozenset(identifiers))


def _plant_in_workbook(path: Path) -> set[str]:
    """Everywhere beside the cells of the table, so that it is read as before."""
    book = openpyxl.load_workbook(path)
    sheet = book["Return"]
    staff = set()
    for row in sheet.iter_rows():
        for cell in row:
            if isinstance(cell.value, str) and "synthetic" in cell.value.lower():
                cell.value = f"Filled in by {NAME}"
            elif cell.column == 1 and isinstance(cell.value, str) and re.fullmatch(r"[A-Z]{3}-\d{4}", cell.value):
                staff.add(cell.value)
    top = next(row for row in range(1, 15) if sheet.cell(row, 1).value == "Unique Staff ID")
    sheet.cell(top + 1, 1).comment = Comment(f"ask {NAME}", NAME)
    sheet.cell(top + 2, 1).hyperlink = f"mailto:{ADDRESS}"
    sheet.oddHeader.center.text = NAME
    book.create_sheet(NAME)["A1"] = NAME
    properties = book.properties
    properties.creator = properties.lastModifiedBy = properties.title = properties.description = properties.keywords = (
        NAME
    )
    book.defined_names["who"] = DefinedName("who", attr_text=f'"{NAME}"')
    book.save(path)
    return staff


def _plant_in_list(path: Path, chance: random.Random) -> set[str]:
    """Names, addresses and free text in the columns for them, and one column more that is called after somebody."""
    raw = path.read_bytes()
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
    heads = rows[0]
    export = len(rows) > 2 and any("ImportId" in cell for cell in rows[2])
    found: set[str] = set()
    for number, row in enumerate(rows[3 if export else 1 :]):
        for at, head in enumerate(heads):
            if head in IDENTIFIERS:
                found.add(row[at])
            if head.lower() == "release" and row[at] == "synthetic":
                row[at] = ""
            elif head in ("RecipientLastName", "RecipientFirstName"):
                row[at] = NAME.split()[head == "RecipientLastName"] + f" {number}"
            elif head == "RecipientEmail":
                row[at] = f"{number}.{ADDRESS}"
            elif head == "comments" and chance.random() < 0.3:
                row[at] = f"{NAME} knows"
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    path.write_bytes((b"\xef\xbb\xbf" if raw[:3] == b"\xef\xbb\xbf" else b"") + text.getvalue().encode())
    return {identifier for identifier in found if len(identifier) >= 5}
