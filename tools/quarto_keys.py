"""Write `hhp_stats/publish/assets/quarto_keys.json`: which keys Quarto's own schema has, from a checkout of Quarto.

    python tools/quarto_keys.py PATH/TO/quarto-cli 1.9.38

Needed when a new version of Quarto is to be supported. Only names are kept: what a key means stands in Quarto's manual.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

TARGET = Path(__file__).resolve().parents[1] / "hhp_stats/publish/assets/quarto_keys.json"
FORMATS = ("html", "typst")
ABOVE = ("execute", "format", "metadata-files", "profile")  # keys that the schema adds in code


def _read(schema: Path, name: str) -> Any:
    return yaml.safe_load((schema / name).read_text(encoding="utf-8"))


def _formats(names: list[str], aliases: dict[str, list[str]]) -> set[str]:
    """The formats that a list of names stands for; `$name` is a list of its own."""
    found: set[str] = set()
    for name in names:
        found |= _formats(aliases[name[1:]], aliases) if name.startswith("$") else {name}
    return found


def _honours(entry: dict[str, Any], target: str, aliases: dict[str, list[str]]) -> bool:
    """Whether the schema offers a document's key in this format."""
    named = (entry.get("tags") or {}).get("formats")
    if not named:
        return True
    without = [name[1:] for name in named if name.startswith("!")]
    only = [name for name in named if not name.startswith("!")]
    return target not in _formats(without, aliases) and (not only or target in _formats(only, aliases))


def _properties(node: Any, definitions: dict[str, Any]) -> set[str]:
    """The keys of an object of the schema, with those that it takes over from others."""
    if isinstance(node, list):
        return set().union(*(_properties(item, definitions) for item in node))
    if not isinstance(node, dict):
        return set()
    if "resolveRef" in node:
        return _properties(definitions[node["resolveRef"]], definitions)
    inner = node.get("object", node.get("schema", node))
    if inner is not node:
        return _properties(inner, definitions)
    return set(node.get("properties", {})) | _properties(node.get("super", []), definitions)


def keys(schema: Path, version: str) -> dict[str, Any]:
    """All names, by the place where they may stand."""
    definitions = {entry["id"]: entry.get("schema", entry) for entry in _read(schema, "definitions.yml")}
    project = {entry["name"]: entry["schema"] for entry in _read(schema, "project.yml")}
    aliases = _read(schema, "format-aliases.yml")["aliases"]
    document = [entry for file in sorted(schema.glob("document-*.yml")) for entry in _read(schema, file.name)]
    cells = [entry for file in sorted(schema.glob("cell-*.yml")) for entry in _read(schema, file.name)]
    # Some options of cells may be set for the whole document.
    contexts = {entry["name"]: (entry.get("tags") or {}).get("contexts", []) for entry in cells}
    document += [e for e in cells if any(c.startswith("document-") for c in contexts[e["name"]])]
    everywhere = {name for name, found in contexts.items() if "document-execute" in found}
    names = {target: {e["name"] for e in document if _honours(e, target, aliases)} for target in FORMATS}
    return {
        "version": version,
        "top": sorted({*project, *(entry["name"] for entry in document), *ABOVE}),
        "project": sorted(_properties(project["project"], definitions)),
        "book": sorted(_properties(project["book"], definitions)),
        "execute": sorted({entry["name"] for entry in _read(schema, "document-execute.yml")} | everywhere),
        "cell": sorted({entry["name"] for entry in cells}),
        **{f"format.{target}": sorted(names[target]) for target in FORMATS},
    }


if __name__ == "__main__":
    found = keys(Path(sys.argv[1]) / "src/resources/schema", sys.argv[2])
    TARGET.write_text(json.dumps(found, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")
