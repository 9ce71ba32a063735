"""How easy is a text to read? Flesch's reading ease: 206.835 - 1.015 words per sentence - 84.6 syllables per word.

Syllables are counted as groups of vowels, a silent e at the end left out: on running English within a few per cent of a
dictionary. Source: Flesch, R. (1948). A new readability yardstick. Journal of Applied Psychology, 32, 221-233, p. 229.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Za-z\u2019']+|\d[\d,.]*")
_SENTENCE = re.compile(r"[.!?]+(?:\s|$)")
_VOWELS = re.compile(r"[aeiouy]+")


def syllables(word: str) -> int:
    """Groups of vowels of a word; at least one. A number counts as two."""
    bare = word.lower().replace("\u2019", "").replace("'", "")
    if not bare.isalpha():
        return 2
    found = len(_VOWELS.findall(bare))
    if re.search(r"[^aeiouyl]e$|[^aeiouytd]ed$|(?<![sxz])(?<!ch)(?<!sh)(?<!c)(?<!g)es$", bare) and found > 1:
        found -= 1
    return max(found, 1)


def reading_ease(text: str) -> float:
    """Flesch's reading ease of running text; above 60 is plain English."""
    words = _WORD.findall(text)
    sentences = max(len(_SENTENCE.findall(text)), 1)
    return 206.835 - 1.015 * len(words) / sentences - 84.6 * sum(map(syllables, words)) / len(words)
