"""Numbers of figures, tables and equations over the chapters of a book: numbered, unnumbered, appendices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from hhp_stats.errors import RenderError
from hhp_stats.publish.codes import codes_of, linked_codes
from hhp_stats.publish.numbering import number_book
from hhp_stats.publish.project import Chapter
from hhp_stats.publish.source import Line, Source


def source(slug: str, *, appendix: bool = False) -> Source:
    return Source(
        chapter=Chapter(path=f"{slug}.qmd", slug=slug, appendix=appendix),
        pieces=(),
        lines=(Line("#| label: fig-x", f"{slug}.qmd", 4),),
        used_metadata=frozenset(),
    )


def register(names: Sequence[str], *, numbered: bool = True) -> dict[str, Any]:
    """What Pandoc says of a chapter that defines these labels, each the next of its kind."""
    kinds = {"fig": "figure", "tbl": "table", "eq": "equation"}
    counts = dict.fromkeys(kinds, 0)
    entries = []
    for name in names:
        kind = name.partition("-")[0]
        counts[kind] += 1
        number = f"@.{counts[kind]}" if numbered else str(counts[kind])
        entries.append({"id": name, "kind": kinds[kind], "number": number, "heading": False})
    return {"entries": entries, "ids": list(names), "cites": [], "lists": 0, "numbered": numbered}


def numbers(*chapters: tuple[Source, dict[str, Any]]) -> dict[str, str]:
    sources, registers = zip(*chapters, strict=True)
    made = number_book(sources, registers, volumes={})
    assert all(each["defined"] == made[0]["defined"] for each in made)
    return {name: entry["number"] for name, entry in made[0]["defined"].items()}


def test_floats_of_unnumbered_chapters_count_on_from_the_unnumbered_before() -> None:
    """A preface with two figures and an afterword with one: 1, 2, 3, each kind by itself, whatever stands between."""
    found = numbers(
        (source("index"), register(["fig-a", "tbl-a", "fig-b"], numbered=False)),
        (source("one"), register(["fig-c", "fig-d", "tbl-b"])),
        (source("middle"), register(["tbl-c", "eq-a"], numbered=False)),
        (source("two"), register(["fig-e"])),
        (source("after"), register(["fig-f", "tbl-d", "tbl-e", "eq-b"], numbered=False)),
    )
    assert found == {
        "fig-a": "1",
        "fig-b": "2",
        "tbl-a": "1",
        "fig-c": "1.1",
        "fig-d": "1.2",
        "tbl-b": "1.1",
        "tbl-c": "2",
        "eq-a": "1",
        "fig-e": "2.1",
        "fig-f": "3",
        "tbl-d": "3",
        "tbl-e": "4",
        "eq-b": "2",
    }


def test_a_chapter_is_told_how_many_stood_before_it() -> None:
    chapters = [
        (source("index"), register(["fig-a", "tbl-a"], numbered=False)),
        (source("one"), register(["fig-b"])),
        (source("after"), register(["fig-c"], numbered=False)),
    ]
    made = number_book(*zip(*chapters, strict=True), volumes={})
    assert [each["alone"] for each in made] == [
        {"fig": 0, "tbl": 0, "eq": 0},
        {"fig": 1, "tbl": 1, "eq": 0},
        {"fig": 1, "tbl": 1, "eq": 0},
    ]
    assert [each["number"] for each in made] == ["", "1", ""]


def test_appendices_have_letters_and_leave_the_chapters_alone() -> None:
    found = numbers(
        (source("one"), register(["fig-a"])),
        (source("A", appendix=True), register(["fig-b"])),
        (source("note", appendix=True), register(["fig-c"], numbered=False)),
        (source("B", appendix=True), register(["tbl-a"])),
        (source("two"), register(["fig-d"])),
    )
    assert found == {"fig-a": "1.1", "fig-b": "A.1", "fig-c": "1", "tbl-a": "B.1", "fig-d": "2.1"}


def test_a_label_of_two_chapters_is_refused_with_its_place() -> None:
    with pytest.raises(RenderError, match=r"'fig-x' is also used in one\.qmd") as refused:
        numbers((source("one"), register(["fig-x"])), (source("two"), register(["fig-x"])))
    assert (refused.value.file, refused.value.line) == ("two.qmd", 4)


def test_a_result_without_its_study_is_that_of_the_page_or_of_the_only_study_that_has_it() -> None:
    places = ("result-one/x/itt/cr2", "result-two/x/itt/cr2", "result-two/y/itt/cr2")
    pages = dict.fromkeys(places, "F")
    codes = codes_of(pages, {"02": "one", "03": "two", "F": "", "G": "", "H": "three"})
    assert codes["02"]["x/itt/cr2"] == places[0] and codes["03"]["x/itt/cr2"] == places[1]
    assert all("x/itt/cr2" not in codes[slug] for slug in ("F", "G", "H"))
    assert all(codes[slug]["y/itt/cr2"] == places[2] for slug in codes)


def test_codes_with_hyphens_are_links_and_a_rule_of_the_same_name_is_not_meant():
    """A clause and a rule are both called R09, a figure BEN-RR; words in capitals and parts of words are no codes."""
    pages = {"code-r09": "A", "code-rule-r09": "C", "code-rule-r20": "C", "code-ben-rr": "D"}
    codes = codes_of(pages, {"05": "ben", "C": ""})
    assert codes["05"]["R09"] == "code-r09" and codes["C"]["R09"] == "code-rule-r09"
    said = linked_codes(
        "<td>R09, BEN-RR; BEN-RR-GL, CONSORT, xR09</td>", codes["05"], lambda place: f"#{place}", lambda place: False
    )
    assert said == (
        '<td><a class="code" href="#code-r09">R09</a>, <a class="code" href="#code-ben-rr">BEN-RR</a>; BEN-RR-GL,'
        " CONSORT, xR09</td>"
    )


def test_of_two_tables_with_one_entry_the_first_keeps_it():
    """As for a figure that is listed twice in one chapter: an id may stand once."""
    met = []

    def own(place):
        met.append(place)
        return met.count(place) == 1

    row = '<th><span data-anchor="code-ben-rr">BEN-RR</span></th>'
    codes = {"BEN-RR": "code-ben-rr"}
    first, second = (linked_codes(row, codes, lambda place: f"#{place}", own) for _ in range(2))
    assert first == row
    assert second == '<th><span><a class="code" href="#code-ben-rr">BEN-RR</a></span></th>'
