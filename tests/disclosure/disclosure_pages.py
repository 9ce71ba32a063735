"""What rendered pages print of people: whole numbers in cells of tables (which are the CSV downloads, too),
sentences, captions, alt texts.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from math import ceil
from pathlib import Path

import pandas as pd

from hhp_stats.publish.checks.page_text import read_page

NUMBER = r"(?<![\d.,\u2212\u00a3-])(\d{1,3}(?:,\d{3})+|\d+)(?![\d.,]*\d)(?!%)"
PEOPLE = "people|persons?|participants|respondents|members of staff|staff|leavers|members|employees|volunteers|managers"
IN_WORDS = re.compile(rf"{NUMBER} (?:of (?:the |all )?{NUMBER} )?(?:\w+ )?(?:{PEOPLE})\b")
# A cell that is a number, a number with its share, or a mean with its error and a number of people.
IN_CELL = (
    re.compile(rf"^{NUMBER}$"),
    re.compile(rf"^{NUMBER} \([\d.]+%?\)$"),
    re.compile(rf"^\S+ \([\d.]+\), {NUMBER}$"),
    re.compile(rf"^{NUMBER} of {NUMBER}$"),
)
HEADING = re.compile(rf"\b(?:{PEOPLE}|n|answered|randomised|analysed|missing|left|baseline|endline)\b", re.IGNORECASE)
_OTHERS = re.compile(
    r"\b(?:teams|buildings|clusters|rows|scales|items)\b", re.IGNORECASE
)  # columns that count no people
ALT = re.compile(r"""\balt=(?:"([^"]*)"|'([^']*)')""")
IN_FLOW = re.compile(rf": {NUMBER}(?=[;.])")  # "Analysed: 87; not answered: 5."


def people_in_words(text: str) -> Iterator[int]:
    """Numbers of people in a sentence, a caption or an alternative text."""
    for found in (*IN_WORDS.finditer(text), *(IN_FLOW.finditer(text) if "participants" in text else ())):
        yield from (int(number.replace(",", "")) for number in found.groups() if number)


def people_in_prose(page: str) -> Iterator[tuple[int, str]]:
    """Numbers of people in paragraphs and captions, and where they stand."""
    for text in read_page(page).paragraphs:
        yield from ((number, text[:120]) for number in people_in_words(text))


def people_in_tables(page: str) -> Iterator[tuple[int, str]]:
    """Numbers of people in alternative texts and in tables, and where they stand."""
    read = read_page(page)
    for text in (html.unescape(one or other) for one, other in ALT.findall(page)):
        yield from ((number, text[:120]) for number in people_in_words(text))
    for table in read.tables:
        for row in table.rows:
            for heading, cell in zip(table.headings or [""] * len(row), row, strict=False):
                numbers = [
                    int(part.replace(",", ""))
                    for shape in IN_CELL
                    if (found := shape.match(cell))
                    for part in found.groups()
                ]
                if _OTHERS.search(heading):
                    continue
                if numbers and (HEADING.search(heading) or "(" in cell):
                    yield from ((number, f"{row[0]}, {heading}: {cell}") for number in numbers)
                else:
                    yield from ((number, f"{row[0]}, {heading}: {cell}") for number in people_in_words(cell))


def people_listed(root: Path, study: str) -> set[int]:
    """The numbers of people that a study's list of places prints."""
    listed = pd.read_csv(root / ".report/results" / study / "people.csv", dtype=str, keep_default_na=False)["people"]
    return {int(number) for number in listed if number.isdigit()}


def numbers_of_study(root: Path, study: str, *, threshold: int) -> set[int]:
    """What pages may print as a number of people: what the list of places prints; and numbers that count none of the
    study's people,
    if they are not small: planned ones, those of documents, decisions, and other whole numbers of the public frames."""
    folder, printed = root / ".report/results" / study, people_listed(root, study)
    documents = pd.read_csv(root / "data/published/published_results.csv")
    said = documents.loc[documents["trial"] == study, "value"]
    words = "".join((root / f"data/plan/{name}.toml").read_text(encoding="utf-8") for name in (study, "conflicts"))
    others = {int(number.replace("_", "").replace(",", "")) for number in re.findall(r"\d[\d,_]*", words)}
    others |= {
        ceil(value) for value in pd.to_numeric(_column(folder / "results.csv", "estimate"), errors="coerce").dropna()
    }  # people needed
    others |= {int(value) for value in pd.to_numeric(said, errors="coerce").dropna() if float(value).is_integer()}
    for path in folder.glob("*.csv"):  # not the folder of internal frames
        values = pd.to_numeric(pd.Series(pd.read_csv(path, dtype=str).to_numpy().ravel()), errors="coerce").dropna()
        others |= {int(value) for value in values if float(value).is_integer()}
    return printed | {number for number in others | _rests(folder) if number >= threshold}


def _rests(folder: Path) -> set[int]:
    """Of each arm the people allocated less those analysed, and less those who left: differences of public numbers, which
    the diagram prints where the steps between are withheld.
    """
    if not (folder / "flow.csv").is_file():
        return set()
    flow, found = pd.read_csv(folder / "flow.csv", dtype=str), set()
    if not {"arm", "stage", "kind", "people"} <= set(flow):
        return set()
    for _, own in flow.groupby("arm"):
        people = pd.to_numeric(own["people"], errors="coerce")
        ends = [people[(own["stage"] == stage) & (own["kind"] == "stage")] for stage in ("allocated", "analysed")]
        if any(len(end) != 1 or end.isna().any() for end in ends):
            continue
        rest = int(ends[0].iloc[0] - ends[1].iloc[0])
        gone = people[(own["kind"] == "loss") & own["label"].str.startswith("Left")].dropna()
        found |= {rest, rest - int(gone.sum())}
    return found


def withheld_results(root: Path, study: str) -> list[tuple[str, str]]:
    """Result id and column of every number of people that a study withholds."""
    places = pd.read_csv(root / ".report/results" / study / "people.csv", dtype=str, keep_default_na=False)
    gone = places.loc[(places["table"] == "results") & (places["people"] == "[c]")]
    return list(zip(gone["row"], gone["column"], strict=True))


def _column(path: Path, name: str) -> pd.Series:
    return pd.read_csv(path, dtype=str)[name]


def numbers_of_sources(root: Path, *, threshold: int) -> set[int]:
    """Numbers in the report's sources (other people's studies, costs, settings): prose may name them, where they are
    not small.
    """
    files = [
        *(root / "data/plan").glob("*.toml"),
        *(root / "data/published").glob("*.csv"),
        *(root / "report").glob("*.qmd"),
    ]
    words = "\n".join(path.read_text(encoding="utf-8") for path in files)
    found = {int(number.replace("_", "").replace(",", "")) for number in re.findall(r"\d[\d,_]*", words)}
    return {number for number in found if number >= threshold}


def not_among(printed: Iterable[tuple[int, str]], allowed: set[int]) -> list[tuple[int, str]]:
    """Numbers of people that are printed and that nothing allows."""
    return sorted({(number, where) for number, where in printed if number not in allowed})
