"""Which keys does Quarto's own schema have? `tools/quarto_keys.py` reads them from a checkout of Quarto."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Pandoc or Quarto act on these top-level keys although Quarto's schema does not name them.
BESIDE_THE_SCHEMA = {
    "bread-crumbs",
    "extensions",
    "kernel",
    "nocite",
    "reader",
    "smart",
    "suppress-bibliography",
    "validate-yaml",
}


@functools.cache
def quarto_keys() -> Mapping[str, Any]:
    """The names of all keys of Quarto's own schema by the place where they may stand, and its `version`."""
    text = Path(__file__).with_name("assets").joinpath("quarto_keys.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found
