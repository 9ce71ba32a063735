"""Passages about single studies: what stands there while the study does, what is left when it goes, and which marks
are wrong.
"""

import re
from pathlib import Path

import pytest

from hhp_stats.plan.catalogue import catalogue
from hhp_stats.plan.passages import UnevenMarks, check_passages, passages, unmarked, unmarked_line, without
from hhp_stats.plan.programme import programme_plan

ROOT = Path(__file__).resolve().parents[2]
SHARED = tuple(page for page in programme_plan(ROOT).pages if page != "report/references.qmd")

INLINE = "One <!-- study: a -->(of A) <!-- end of study -->two<!-- study: b -->, three of B<!-- end of study -->."
BLOCKS = "Before.\n\n<!-- study: a -->\n## A {#sec-a}\n\nOf A.\n<!-- end of study -->\n\nAfter.\n"
ITEMS = "- one\n<!-- study: a -->\n- of A\n<!-- end of study -->\n- two\n"
INSTEAD = "The <!-- study: a b -->three<!-- end of study, else: other --> trials."
NESTED = "x<!-- study: a -->, A<!-- study: b --> and B<!-- end of study --> too<!-- end of study -->."


@pytest.mark.parametrize(
    ("text", "study", "left"),
    [
        (INLINE, "a", "One two<!-- study: b -->, three of B<!-- end of study -->."),
        (INLINE, "b", "One <!-- study: a -->(of A) <!-- end of study -->two."),
        (INLINE, "c", INLINE),
        (BLOCKS, "a", "Before.\n\nAfter.\n"),
        (ITEMS, "a", "- one\n- two\n"),
        (INSTEAD, "a", "The other trials."),
        (INSTEAD, "b", "The other trials."),
        (NESTED, "a", "x."),
        (NESTED, "b", "x<!-- study: a -->, A too<!-- end of study -->."),
    ],
)
def test_what_is_left_when_a_study_goes(text: str, study: str, left: str) -> None:
    assert without(text, study) == left
    assert without(left, study) == left  # nothing of it is left to go


def test_marks_are_no_text() -> None:
    assert unmarked(INLINE) == "One (of A) two, three of B."
    assert unmarked(BLOCKS) == "Before.\n\n## A {#sec-a}\n\nOf A.\n\nAfter.\n"
    assert [
        unmarked_line(line) for line in ("plain", "<!-- study: a -->", "a <!-- end of study -->b", "<!-- note -->")
    ] == [
        "plain",
        None,
        "a b",
        "<!-- note -->",
    ]
    assert [passage.studies for passage in passages(NESTED)] == [("b",), ("a",)]


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ("a\n<!-- study: x -->b", "does not end", 2),
        ("a <!-- end of study -->", "does not begin", 1),
        ("\n\n<!-- study: -->a<!-- end of study -->", "names no study", 3),
        ("<!-- study: x\n-->a<!-- end of study -->", "not on one line", 1),
        ("<!-- study: x -->a<!-- end of study: y -->", "not on one line", 1),
    ],
)
def test_a_mark_without_its_fellow_is_refused(text: str, words: str, line: int) -> None:
    with pytest.raises(UnevenMarks, match=words) as raised:
        passages(text)
    assert raised.value.line == line
    told: list[tuple[str, int, str]] = []
    check_passages("a.qmd", text, ["x"], lambda *found: told.append(found))
    assert told[0][:2] == ("a.qmd", line)


def test_a_passage_about_an_unknown_study_is_told_with_the_nearest() -> None:
    told: list[str] = []
    check_passages(
        "a.qmd",
        "<!-- study: swnig -->a<!-- end of study -->",
        ["swing", "coffee"],
        lambda *found: told.append(found[2]),
    )
    assert len(told) == 1 and "Did you mean 'swing'" in told[0]


@pytest.mark.parametrize("file", SHARED)
def test_pages_about_no_single_study_name_one_in_its_passages_only(file: str) -> None:
    """A name, a section or a chapter's variable outside of the study's passages would stay when the study goes."""
    text = (ROOT / file).read_text(encoding="utf-8")
    for entry in catalogue(ROOT):
        left = without(text, entry.study)
        slug = entry.study.replace("_", "-")
        words = [
            rf"\b{re.escape(entry.name)}\b",
            rf"@sec-{slug}\b",
            rf"\b{entry.study}\.chapter",
            rf"/{entry.study}\b",
            re.escape(entry.title),
        ]
        words += [rf"(?i)\b{re.escape(entry.noun)}"]
        words += [rf"@(?:sec|tbl|fig)-{re.escape(entry.short)}-"] + [
            rf"\b{re.escape(trial)}\b" for trial in entry.published
        ]
        found = [word for word in words if re.search(word, left)]
        assert not found, (file, entry.study, found)
