"""Where the project is: the folder that holds `_quarto.yml` and `data/`, from wherever a command is run."""

from __future__ import annotations

from pathlib import Path

from hhp_stats.errors import HhpError


def root_above(start: Path | None = None) -> Path | None:
    """The nearest folder at or above `start` (default: the working folder) with `_quarto.yml` and `data/`, if any."""
    here = (start or Path.cwd()).resolve()
    folders = (here, *here.parents)
    return next((each for each in folders if (each / "_quarto.yml").is_file() and (each / "data").is_dir()), None)


def find_root(start: Path | None = None) -> Path:
    """The project's folder, as `root_above` finds it; refuses (HhpError) a place outside any project."""
    found = root_above(start)
    if found is None:
        here = (start or Path.cwd()).resolve()
        raise HhpError(f"{here} is not inside a project: no folder above it holds both _quarto.yml and data/.")
    return found
