"""Read HTML that is known to be well formed: our own pages, and great_tables' tables.

The standard library's reader forgives every mistake that is found on the web, and takes several times as long. Here
every `<` before a letter begins a tag that ends, and attributes stand in quotes or have no value.
"""

from __future__ import annotations

import re
from html import unescape

# What is read at once stands in one class of signs: an alternative for each sign takes twice as long.
_TOKEN = re.compile(
    r"<!--.*?-->|<![^>]*>|<(/?)([A-Za-z][A-Za-z0-9:-]*)([^>\"']*(?:(?:\"[^\"]*\"|'[^']*')[^>\"']*)*)>"
    r"|((?:[^<]+|<(?![A-Za-z/!]))+)",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([^\s=\"'/>]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'))?")
_RAW = re.compile(r"</(?:script|style)\s*>", re.IGNORECASE)


class Reader:
    """Calls its methods for every tag and text in order, as `html.parser.HTMLParser` does."""

    def feed(self, html: str) -> None:
        """Read the whole text. Raises ValueError, with the place, where something is no tag, comment or text."""
        at = 0
        while at < len(html):
            token = _TOKEN.match(html, at)
            if token is None:
                raise ValueError(f"not well formed: {html[at : at + 60]!r}")
            at = token.end()
            closing, name, attributes, text = token.groups()
            if text is not None:
                self.handle_data(unescape(text) if "&" in text else text)
            elif name is not None:
                name = name.lower()
                if closing:
                    self.handle_endtag(name)
                    continue
                self.handle_starttag(name, _attributes(attributes) if attributes else {})
                if name in ("script", "style"):
                    end = _RAW.search(html, at)
                    at = end.start() if end else len(html)

    def handle_starttag(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""

    def handle_data(self, data: str) -> None:
        """Text between tags."""


def _attributes(text: str) -> dict[str, str]:
    return {
        name.lower(): unescape(double or single) for name, double, single in _ATTRIBUTE.findall(text) if name != "/"
    }
