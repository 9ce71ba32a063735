"""Every check of a manuscript: its paragraphs sentence by sentence, its tables cell by cell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hhp_stats.manuscript.arms import arm_claims
from hhp_stats.manuscript.claim import Claim
from hhp_stats.manuscript.document import Block, Document, Paragraph
from hhp_stats.manuscript.intervals import error_claims, interval_claims
from hhp_stats.manuscript.printed_tests import tests_in_words
from hhp_stats.manuscript.scales import scale_claims
from hhp_stats.manuscript.shares import fraction_claims, share_claims
from hhp_stats.manuscript.tables import table_claims
from hhp_stats.manuscript.wording import change_claims, significance_claims

_ABBREVIATED = "".join(
    rf"(?<!\b{word}\.)" for word in (r"et\ al", r"e\.g", r"i\.e", "vs", "Fig", "No", r"S\.E", "approx")
)
_SENTENCE = re.compile(rf"(?<=[.!?]){_ABBREVIATED}[\"')\]\u201d\u2019]* (?=[A-Z(\"'\u201c\u2018])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One block of the manuscript with what was found of its figures."""

    block: Block
    claims: tuple[Claim, ...]


def check_manuscript(document: Document) -> tuple[Checked, ...]:
    """All blocks in order. What follows no known pattern is not found: silence is no proof."""
    return tuple(Checked(block=block, claims=tuple(_claims(block))) for block in document.blocks)


def _claims(block: Block) -> Iterator[Claim]:
    if isinstance(block, Paragraph):
        yield from text_claims(block.text)
    else:
        yield from table_claims(block)


def text_claims(text: str) -> list[Claim]:
    """The claims of one paragraph, by place."""
    found = [
        replace(made, start=made.start + start, end=made.end + start)
        for start, sentence in _sentences(text)
        for made in _of_sentence(sentence, text)
    ]
    return sorted(found, key=lambda one: (one.start, one.end))


def _of_sentence(sentence: str, paragraph: str) -> Iterator[Claim]:
    yield from tests_in_words(sentence)
    yield from interval_claims(sentence, paragraph)
    yield from error_claims(sentence)
    yield from arm_claims(sentence)
    yield from share_claims(sentence)
    yield from fraction_claims(sentence)
    yield from significance_claims(sentence)
    yield from change_claims(sentence)
    yield from scale_claims(sentence, paragraph)


def _sentences(text: str) -> Iterator[tuple[int, str]]:
    at = 0
    for gap in _SENTENCE.finditer(text):
        yield at, text[at : gap.end()]
        at = gap.end()
    yield at, text[at:]
