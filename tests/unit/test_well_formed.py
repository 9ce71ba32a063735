"""The reader of well-formed HTML gives what the standard library's reader gives, and refuses the rest."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from hhp_stats.publish.well_formed import Reader

PAGE = """<!DOCTYPE html>
<html lang="en"><head><!-- <b>no</b> --><title>A &amp; B</title><script>if (1 < 2) { x = "<p>"; }</script></head>
<body><p class="one two" data-x='it "is"' hidden>Five &lt; six < 7&nbsp;&#x2212;1<br>next<br/> <IMG SRC="a>b.svg" alt="a &quot;b&quot;"></p>
<table><tr><td colspan="2">1</td></tr></table></body></html>
"""


class Ours(Reader):
    def __init__(self) -> None:
        self.seen: list[tuple[object, ...]] = []

    def handle_starttag(self, tag: str, attributes: dict[str, str]) -> None:
        self.seen.append(("start", tag, attributes))

    def handle_endtag(self, tag: str) -> None:
        self.seen.append(("end", tag))

    def handle_data(self, data: str) -> None:
        self.seen.append(("data", data))


class Theirs(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[tuple[object, ...]] = []
        self.raw = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.raw = tag == "script"
        self.seen.append(("start", tag, {name: value or "" for name, value in attrs}))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self.raw = False
        self.seen.append(("end", tag))

    def handle_data(self, data: str) -> None:
        if not self.raw:  # ours passes over scripts
            self.seen.append(("data", data))


def joined(seen: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Pieces of one text put together: the library hands over a text with a `<` in two."""
    found: list[tuple[object, ...]] = []
    for what, *given in seen:
        if what == "data" and found and found[-1][0] == "data":
            found[-1] = ("data", f"{found[-1][1]}{given[0]}")
        else:
            found.append((what, *given))
    return found


def test_the_same_tags_attributes_and_texts() -> None:
    ours, theirs = Ours(), Theirs()
    ours.feed(PAGE)
    theirs.feed(PAGE)
    theirs.close()
    assert joined(ours.seen) == joined(theirs.seen)
    assert ("start", "img", {"src": "a>b.svg", "alt": 'a "b"'}) in ours.seen


@pytest.mark.parametrize("text", ["<p>x</p", '<p class="open>x', "</>"])
def test_what_is_not_well_formed_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(ValueError, match="not well formed: '<"):
        Ours().feed(text)
