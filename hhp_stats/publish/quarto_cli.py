"""The other engine: the same sources through the Quarto command line, where a user has it.

Quarto runs all code again, once for each format. What it leaves between the sources, and where its output goes, is
known here, so that neither engine takes the other's files for its own.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from hhp_stats.errors import RenderError
from hhp_stats.processes import children

OLDEST = (1, 9)
"""The first version with a Typst format for books."""

FOLDER = "_output_quarto"
"""Where `hhp render --engine quarto` writes; plain `quarto render` writes where `_quarto.yml` says."""

IGNORED_BY_QUARTO = ("/.quarto/", "**/*.quarto_ipynb")
"""Lines that Quarto wants in `.gitignore`, to the letter."""

TARGETS = {"html": "html", "pdf": "typst"}
REMEDY = (
    "Install it with `pip install hhp_stats[quarto]`, or from https://quarto.org/docs/download, or render with the"
    " embedded engine (`hhp render`), which needs nothing else."
)
_NAMES = re.compile(r".+_files|.+\.quarto_ipynb|site_libs|_book|_output\w*|\.quarto")
_VERSION = re.compile(rb"(\d+)\.(\d+)(?:\.\d+)*")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_ERROR = re.compile(r"(?:ERROR|error|Traceback|Error)\b")
_WARNING = re.compile(r"(?:\(W\)|WARN(?:ING)?\b|warning\b|\(\s*\d+ times\))")
_LONGEST = 3000  # characters of an error


def left_by_quarto(name: str) -> bool:
    """Whether a file or folder of this name is what Quarto writes, or leaves when it is interrupted."""
    return _NAMES.fullmatch(name) is not None


def check_ignored(root: Path, refuse: Callable[[str, int, str], None]) -> None:
    """Quarto adds lines to the list of what git leaves out, in each run in which it does not find them."""
    file = root / ".gitignore"
    if not file.is_file():
        return
    lines = {line.strip() for line in file.read_text(encoding="utf-8").splitlines()}
    for needed in IGNORED_BY_QUARTO:
        if needed not in lines:
            refuse(file.name, 0, f"the line '{needed}' is missing, and each run of Quarto would add it")


def find_quarto(root: Path) -> str:
    """The command line of Quarto. Raises RenderError where there is none, or one that is too old."""
    quarto = shutil.which("quarto")
    if quarto is None:
        raise RenderError("_quarto.yml", None, f"the Quarto CLI is not installed. {REMEDY}")
    done = children.run([quarto, "--version"], folder=root, tied=True)
    found = _VERSION.search(done.stdout)
    if done.returncode or found is None:
        said = _shown(done.stderr.decode(errors="replace"))
        raise RenderError("_quarto.yml", None, f"'{quarto} --version' names no version: {said} {REMEDY}")
    if (int(found[1]), int(found[2])) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise RenderError(
            "_quarto.yml", None, f"this is Quarto {found[0].decode()}; the book needs {oldest} or later. {REMEDY}"
        )
    return quarto


def render_format(quarto: str, root: Path, output: Path, *, target: str) -> None:
    """Render the book in one of Quarto's formats into the folder `output`.

    The chapters run in the Python that runs this. Raises RenderError with Quarto's error, without its warnings.
    """
    done = children.run(
        [quarto, "render", str(root), "--to", target, "--output-dir", str(output), "--no-clean"],
        folder=root,
        tied=True,
        settings={"QUARTO_PYTHON": sys.executable},
    )
    if done.returncode:
        said = errors_in(done.stderr.decode(errors="replace") or done.stdout.decode(errors="replace"))
        raise RenderError("_quarto.yml", None, f"quarto render --to {target} failed:\n{said}")


def errors_in(said: str) -> str:
    """What Quarto says of an error, from its first line on; where it names none, all that is no warning."""
    lines = _shown(said).splitlines()
    first = next((at for at, line in enumerate(lines) if _ERROR.match(line.lstrip())), 0)
    kept: list[str] = []
    warned = False
    for line in lines[first:]:
        # A warning goes on in the lines that are indented below it.
        warned = bool(_WARNING.match(line.lstrip())) or (warned and line[:1] in (" ", "\t", "│", "┌", "="))
        if not warned:
            kept.append(line)
    return "\n".join(kept).strip()[:_LONGEST] or "it says nothing"


def _shown(said: str) -> str:
    return _COLOUR.sub("", said).replace("\r", "\n").strip()


def pages_of(output: Path) -> Sequence[str]:
    """The pages that Quarto has written, as names within the folder."""
    return sorted(file.relative_to(output).as_posix() for file in output.rglob("*.html"))
