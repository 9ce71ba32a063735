"""Where the project is: the folder that holds `_quarto.yml` and `data/`, from wherever a command is run."""

from __future__ import annotations

from pathlib import Path

from hhp_stats.errors import HhpError


def find_root(start: Path | None = None) -> Path:
    """The nearest folder at or above `start` (default: the working folder) with `_quarto.yml` and `data/`."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "_quarto.yml").is_file() and (folder / "data").is_dir():
            return folder
    raise HhpError(f"{here} is not inside a project: no folder above it holds both _quarto.yml and data/.")
