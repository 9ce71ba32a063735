"""Shares beside the counts they are made of: "128 of the 641 (20%)", "20% (128/641)", "a third (32%)"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hhp_stats.consistency.printed import share_fits
from hhp_stats.manuscript.claim import Claim, Judged, claim, shown

_UNITS = [
    "none",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
WORDS = {word: number for number, word in enumerate(_UNITS)} | {
    word: 10 * number for number, word in enumerate(_TENS, start=2)
}
_IN_WORDS = rf"(?:{'|'.join(_TENS)})(?:-(?:{'|'.join(_UNITS[1:10])}))?|{'|'.join(_UNITS)}"
COUNT = rf"(?:(?<![\d.,])\d{{1,3}}(?:,\d{{3}})+|(?<![\d.,])\d+(?![\d.,/]*\d)|\b(?:{_IN_WORDS})\b)"
_PART = rf"(?<!\d/)(?:{COUNT}|\d+(?=/\d))"
_SHARE = (
    r"(?P<about>(?:about|around|roughly|approximately|some|nearly|almost|just"
    r" (?:over|under)|over|under|~|c\.)\s*)?(?P<share>\d+(?:\.\d+)?)"
)
_OF = r"(?: (?:out )?of (?:the |all |a total of |its |our |their )*|/| / )"
_BETWEEN = r"(?: [^\d.;:()%]{0,70}?)?,? ?"
_PATTERNS = (
    re.compile(
        rf"(?P<part>{_PART}){_OF}(?P<whole>{COUNT}){_BETWEEN}(?:[(\[]|, | is |: | or )(?:n ?= ?\d+[,;] ?)?{_SHARE}%",
        re.I,
    ),
    re.compile(rf"{_SHARE}%{_BETWEEN}[(\[](?:n ?= ?)?(?P<part>{_PART}){_OF}(?P<whole>{COUNT})", re.I),
    re.compile(rf"(?P<part>{_PART}) ?[(\[]{_SHARE}%[)\]]{_OF}(?P<whole>{COUNT})", re.I),
    re.compile(rf"(?P<part>{_PART}) ?[(\[]{_SHARE}%{_OF}(?P<whole>{COUNT})", re.I),
)
# "Of the 180 who replied, 99 (55%) were women, and 63 (35%) worked part time": one whole for what follows it.
_WHOLE_FIRST = re.compile(
    rf"(?:^|(?<=[;:(,] )|\band |\bbut )(?:of|among) (?:the |these |those |all |our |a total of )*(?P<whole>{COUNT})"
    r"(?: [^\d.;:()%,]{0,70}?)?, ",
    re.I,
)
_NEXT_PART = re.compile(
    rf"(?P<between>[^\d.;:()%]{{0,60}}?)(?P<part>{_PART})(?: [a-z'\u2019-]+){{0,3}} ?[(\[](?:n ?= ?\d+[,;] ?)?"
    rf"{_SHARE}%[)\],;](?P<own> of\b)?",
    re.I,
)
_ROUGH = 2.5  # percentage points that "about" may be away
# Words for shares: from and to, in per cent, both meant generously.
FRACTIONS: dict[str, tuple[float, float]] = {
    r"(?:a|one)[ -]quarter|(?:a|one) fourth|one in four|1 in 4": (20.5, 29.5),
    r"(?:a|one)[ -]third|one in three|1 in 3": (28.5, 38),
    r"(?:over|more than|just over) (?:a )?half": (50, 100),
    r"(?:under|less than|fewer than|just under|nearly|almost) (?:a )?half": (0, 50),
    r"two[ -]thirds": (61.5, 72),
    r"three[ -]quarters": (70.5, 79.5),
    r"(?:a|one)[ -]fifth|one in five|1 in 5": (17, 23),
    r"(?:a|one)[ -]tenth|one in ten|1 in 10": (7.5, 12.5),
    r"(?:the|a|an? \w+) majority|most (?:of|people|staff|[a-z]+s)": (50, 100),
    r"a minority": (0, 50),
    r"half": (44.5, 55.5),
}
_FRACTION = re.compile(
    r"(?P<modifier>(?:over|more than|just over|under|less than|fewer than|just"
    r" under|nearly|almost|about|around|roughly) )?"
    rf"\b(?P<word>{'|'.join(FRACTIONS)})\b[^\d.;:()%]{{0,80}}\("
    rf"(?:(?P<part>{_PART}){_OF}(?P<whole>{COUNT})(?:[,;:=]? ?\d+(?:\.\d+)?%)?[)\],;]"
    r"|(?P<share>\d+(?:\.\d+)?)%)",
    re.I,
)


def counted(text: str) -> int:
    """A count in digits or in words up to ninety-nine."""
    said = text.lower().replace(",", "")
    if said.isdigit():
        return int(said)
    return sum(WORDS[part] for part in said.split("-"))


def share_claims(sentence: str) -> Iterator[Claim]:
    """Does the share printed beside a count and its whole follow from them, within the rounding of its last digit?"""
    taken: list[tuple[int, int]] = []
    for pattern in _PATTERNS:
        for found in pattern.finditer(sentence):
            if any(found.start() < end and start < found.end() for start, end in taken):
                continue
            part, whole = counted(found["part"]), counted(found["whole"])
            if whole < 1 or _a_year(found["whole"], sentence, found):
                continue
            taken.append(found.span())
            judged = share_judged(part, whole, found["share"], rough=bool(found["about"]))
            yield claim(judged, text=found[0], start=found.start(), end=found.end())
    for first in _WHOLE_FIRST.finditer(sentence):
        yield from _parts_of(counted(first["whole"]), sentence, first.end(), taken)


def _parts_of(whole: int, sentence: str, at: int, taken: list[tuple[int, int]]) -> Iterator[Claim]:
    """Counts with their shares, one after the other, of a whole that was said before them all, or each of the count
    before it: "of 240, 180 (75%) replied and 99 (55%) stayed".
    """
    wholes = [whole]
    while whole > 0 and (found := _NEXT_PART.match(sentence, at)):
        at = found.end()
        if found["own"] or any(found.start() < end and found.end() > start for start, end in taken):
            return
        part = counted(found["part"])
        made = [share_judged(part, of, found["share"], rough=bool(found["about"])) for of in wholes if of]
        judged = next((one for one in made if one.finding == "reproduces"), made[0])
        start = found.start("part")
        yield claim(judged, text=sentence[start : found.end()], start=start, end=found.end())
        wholes = [whole, part]


def _a_year(whole: str, sentence: str, found: re.Match[str]) -> bool:
    return (
        bool(re.fullmatch(r"(?:19|20)\d\d", whole))
        and re.search(
            r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b", found[0]
        )
        is not None
    )


def share_judged(part: int, whole: int, printed: str, *, rough: bool = False) -> Judged:
    """`part` of `whole` against a printed share in per cent."""
    share = 100 * part / whole
    decimals = len(printed.partition(".")[2])
    margin = 0.5 * 10.0**-decimals
    reason = f"{part:,} of {whole:,} is {share:.{decimals + 1}f}%, printed {printed}%."
    if part > whole:
        return Judged("share", "does_not_reproduce", f"{part:,} is more than {whole:,}.")
    if share_fits(part, whole, printed):
        return Judged("share", "reproduces", reason)
    if rough and abs(share - float(printed)) <= _ROUGH:
        return Judged("share", "reproduces", f"{reason} It is said to be about so much.")
    if 0 <= share - float(printed) < 2 * margin:
        return Judged("share", "another_reading", f"{reason} Cut off instead of rounded.")
    return Judged("share", "does_not_reproduce", reason)


def fraction_claims(sentence: str) -> Iterator[Claim]:
    """ "A third (32%)" or "a third (32 of 100)": does the share in digits fit the one in words?"""
    for found in _FRACTION.finditer(sentence):
        if found["whole"] and not counted(found["whole"]):
            continue
        modifier = (found["modifier"] or "").lower()
        word = next(one for one in FRACTIONS if re.fullmatch(one, found["word"], re.I))
        low, high = FRACTIONS[word]
        if modifier.strip() in ("over", "more than", "just over"):
            low, high = (low + high) / 2, 100
        elif modifier.strip() in ("under", "less than", "fewer than", "just under", "nearly", "almost"):
            low, high = 0, (low + high) / 2
        share = float(found["share"]) if found["share"] else 100 * counted(found["part"]) / counted(found["whole"])
        said = f"{found['share']}%" if found["share"] else f"{found['part']} of {found['whole']}"
        fits = low - 1e-9 <= share <= high + 1e-9
        reason = f"\u201c{modifier}{found['word']}\u201d is {shown(low)} to {shown(high)}% at most, printed {said}."
        judged = Judged("word", "reproduces" if fits else "does_not_reproduce", reason)
        yield claim(judged, text=found[0], start=found.start(), end=found.end())
