"""How do all figures of the report look? One palette, one face, one set of sizes.

`apply_style()` is called once in a chapter's first cell (or by the figure functions themselves).
Colours are those of Okabe and Ito, darkened where a thin line or small text must reach a contrast
of 4.5 to 1 on white; each has a counterpart for the dark theme, so that `dark_svg` can turn a finished
figure by exchanging colours alone.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

FACE = "Report Sans"
_FONTS = Path(__file__).resolve().parent.parent / "publish" / "assets" / "fonts"

PAPER = "#ffffff"
INK = "#1f2a30"  # text, axes
QUIET = "#5b6770"  # secondary text, reference lines
GRID = "#dfe4e8"

TREATMENT = "#0b5c8a"  # intervention arm
CONTROL = "#8a5a00"  # comparison arm
PALETTE = (TREATMENT, CONTROL, "#00735a", "#a8457b", "#b2480a", "#4a5fb0", "#5b6770")
"""Categorical colours, in order of use; told apart by lightness too, so that a grey print still reads."""
PLANNED = PALETTE[4]
MEANINGS = {
    "the group that was offered the programme, or its effect": TREATMENT,
    "the control group": CONTROL,
    "the planned analysis among others": PLANNED,
    "a version that was not planned, an invented effect, a line of reference": QUIET,
    "applicants with a minority ethnic name": PALETTE[3],
    "applicants with a White British name": PALETTE[2],
    "applicants without a name": PALETTE[5],
    "neither group: a condition, a scenario, use": INK,
}
"""What each colour stands for in the whole report; no colour has two meanings. Figures take colours from here."""
TINTS = ("#cfe3ef", "#f1dfb8", "#c9e6dc", "#efd3e1")
"""Light fills (bands, intervals) of the first four colours."""

WIDTH = 6.3  # inches: the text width of an A4 page
PHONE = 3.3  # inches: the text width of a telephone, 317 pixels
HEIGHT = 3.6
SVG_SALT = "report"

# Every colour above, and what stands for it on the dark page.
_DARK = {
    PAPER: "#171d21",
    INK: "#e4e9ec",
    QUIET: "#a3afb7",
    GRID: "#37424a",
    TREATMENT: "#74b9e3",
    CONTROL: "#e3b04a",
    "#00735a": "#4fc3a1",
    "#a8457b": "#e297bf",
    "#b2480a": "#f0925a",
    "#4a5fb0": "#a2b2f2",
    TINTS[0]: "#1d3f54",
    TINTS[1]: "#4d3a12",
    TINTS[2]: "#14443a",
    TINTS[3]: "#4f2b40",
    "#000000": "#e4e9ec",
}
_COLOUR = re.compile("|".join(_DARK), re.IGNORECASE)


def apply_style() -> None:
    """Set matplotlib's defaults for this report; the same bytes for the same data each time.

    Sizes are those of the printed page: a figure is at most `WIDTH` inches wide and its text then
    stands in the same size as the table text beside it. Layout is constrained: nothing is cut off.
    """
    import matplotlib
    from cycler import cycler
    from matplotlib import font_manager

    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    for file in sorted(_FONTS.glob("*.ttf")):
        if str(file) not in known:  # each figure asks; another entry would be searched with every text
            font_manager.fontManager.addfont(str(file))
    matplotlib.rcParams.update(
        {
            "axes.axisbelow": True,
            "axes.edgecolor": INK,
            "axes.facecolor": "none",
            "axes.grid": False,
            "axes.labelcolor": INK,
            "axes.labelsize": 9,
            "axes.linewidth": 0.7,
            "axes.prop_cycle": cycler(color=PALETTE),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlelocation": "left",
            "axes.titlesize": 9.5,
            "axes.titleweight": 600,
            "errorbar.capsize": 0,
            "figure.autolayout": False,
            "figure.constrained_layout.use": True,
            "figure.dpi": 100,
            "figure.edgecolor": PAPER,
            "figure.facecolor": PAPER,
            "figure.figsize": (WIDTH, HEIGHT),
            "font.family": [FACE, "DejaVu Sans"],
            "font.size": 9,
            "grid.color": GRID,
            "grid.linewidth": 0.7,
            "legend.fontsize": 8.5,
            "legend.frameon": False,
            "lines.linewidth": 1.6,
            "lines.markersize": 5,
            "patch.linewidth": 0.7,
            "savefig.facecolor": PAPER,
            "svg.fonttype": "path",
            "svg.hashsalt": SVG_SALT,
            "text.color": INK,
            "text.parse_math": False,  # labels of a plan may hold dollars
            "xtick.color": INK,
            "xtick.labelsize": 8.5,
            "xtick.major.width": 0.7,
            "ytick.color": INK,
            "ytick.labelsize": 8.5,
            "ytick.major.width": 0.7,
        }
    )


def narrow(width: float) -> bool:
    """Whether a figure of so many inches is one for a telephone: names of rows then stand above their rows."""
    return width < (PHONE + WIDTH) / 2


def letters(width: float, size: float) -> int:
    """About how many letters of `size` points stand side by side on `width` inches; most are narrower than that."""
    return max(1, int(72 * width / (0.45 * size)))


def broken(words: str, room: int) -> list[str]:
    """Words in as few lines of `room` letters as they need, all about as long: none holds a last word alone."""
    lines = textwrap.wrap(words, room) or [""]
    while room > 1 and len(tighter := textwrap.wrap(words, room - 1)) == len(lines):
        lines, room = tighter, room - 1
    return lines


def fitted(words: str, width: float, *, size: float = 9) -> str:
    """Words broken into lines where they would be wider than a figure of `width` inches."""
    return "\n".join(broken(words, letters(width - 0.5, size)))


def dark_svg(svg: str) -> str:
    """A finished figure for the dark theme: the style's colours exchanged, all others kept.

    matplotlib leaves out a fill that is black, so the outline of letters drawn in pure black would
    stay dark; the style never draws in pure black.
    """
    return _COLOUR.sub(lambda found: _DARK[found[0].lower()], svg)
