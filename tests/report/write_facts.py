"""Write `facts.json` anew after a wanted change; read the difference before committing it.

python tests/report/write_facts.py
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from book_tools import facts, render_copy

with tempfile.TemporaryDirectory() as folder:
    found = facts(render_copy(Path(folder)))
Path(__file__).with_name("facts.json").write_text(
    json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
)
