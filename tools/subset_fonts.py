"""Make the fonts of `hhp_stats/publish/assets/fonts/` from their full open-licensed originals.

The originals are not committed. They are, with the packages that hold them:

    SourceSans3[wght].ttf, SourceSans3-Italic[wght].ttf        PyPI `fontpkg-source-sans-3` 3.52
    SourceSerif4[opsz,wght].ttf, SourceSerif4-Italic[...].ttf  PyPI `fontpkg-source-serif-4` 4.4
    STIXMath-Regular.otf                                       Debian `fonts-stix` 1.1.1

Put them into one folder and run (needs `fonttools` and `brotli`):

    python tools/subset_fonts.py FOLDER hhp_stats/publish/assets/fonts

The families are renamed "Report Sans", "Report Serif" and "Report Math", because the Open Font
License forbids modified versions to carry a reserved name ("Source", "STIX Fonts").
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

TEXT = [
    *range(0x20, 0x250),  # Latin with its extensions A and B
    *range(0x2B0, 0x370),  # modifiers and combining accents
    *range(0x370, 0x400),  # Greek
    *range(0x1E00, 0x1F00),  # Latin extended additional
    *range(0x2000, 0x20C0),  # punctuation, superscripts, subscripts, currencies
    *range(0x2100, 0x2400),  # letter-like, arrows, mathematical operators, technical
    *range(0x2500, 0x27C0),  # shapes, ticks
    *range(0xFB00, 0xFB07),  # ligatures
]
MATH = [*TEXT, *range(0x27C0, 0x2B00), *range(0x1D400, 0x1D800)]
# What English pages need: the screen loads the other half of a face only for a page that has one of its characters.
ENGLISH = {*range(0x20, 0x100), *range(0x2000, 0x20C0), 0x2122, *range(0x2190, 0x2196), 0x21A9, 0x2212, 0x221A, 0x221E}
ENGLISH |= {0x2248, 0x2260, 0x2264, 0x2265, 0xFB01, 0xFB02}
FEATURES = ["kern", "liga", "lnum", "tnum", "pnum", "onum", "sups", "subs", "ccmp", "locl", "mark", "mkmk", "case"]
SCREEN = ["kern", "liga", "lnum", "tnum", "ccmp", "locl", "mark", "mkmk"]  # what page.css asks for
TEXT_WEIGHTS = {"wght": (400, 700)}


def renamed(font: TTFont, *, family: str, style: str) -> TTFont:
    """Give the font its new name everywhere that a name is stored."""
    names = font["name"]
    postscript = f"{family}-{style}".replace(" ", "")
    values = {1: family, 2: style, 3: f"subset;{postscript}", 4: f"{family} {style}", 6: postscript}
    keep = {0, 5, 7, 13, 14}  # copyright, version, trademark, licence and its address
    for record in list(names.names):
        if record.nameID not in keep:
            names.removeNames(nameID=record.nameID)
    for number, value in values.items():
        names.setName(value, number, 3, 1, 0x409)
    if "CFF " in font:
        table = font["CFF "].cff
        table.fontNames[0] = postscript
        table[0].FullName, table[0].FamilyName = f"{family} {style}", family
    return font


def write(
    source: Path,
    target: Path,
    *,
    family: str,
    style: str,
    axes: dict[str, float | tuple[float, float]],
    math: bool = False,
) -> None:
    """Subset one original, pin or narrow its axes, rename it and write it."""
    font = TTFont(source, recalcTimestamp=False)
    options = Options()
    options.layout_features = ["*"] if math else FEATURES
    options.notdef_outline = True
    options.name_IDs = ["*"]
    options.hinting = False
    if math:
        options.drop_tables = [*options.drop_tables, "GPOS"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=MATH if math else TEXT)
    subsetter.subset(font)
    if axes:
        font = instantiateVariableFont(font, axes)
    renamed(font, family=family, style=style)
    if "STAT" in font and "fvar" not in font:
        del font["STAT"]
    if not math and "fvar" not in font:
        weight = int(axes.get("wght", 400))  # type: ignore[arg-type]
        font["OS/2"].usWeightClass = weight
        bold, italic = weight >= 700, "Italic" in style
        font["OS/2"].fsSelection = (font["OS/2"].fsSelection & ~0b1100001) | (
            (0b100000 if bold else 0) | (0b1 if italic else 0) | (0 if bold or italic else 0b1000000)
        )
        font["head"].macStyle = (1 if bold else 0) | (2 if italic else 0)
    font.flavor = "woff2" if target.suffix == ".woff2" else None
    font.save(target)
    sys.stdout.write(f"{target.name}: {target.stat().st_size} bytes\n")


def split(file: Path) -> None:
    """Split a face of the screen in two: the characters of English pages, and `NAME-more` with all others.

    page.css names both with their ranges of characters.
    """
    known = set(TTFont(file).getBestCmap())
    whole = file.read_bytes()
    for target, characters in (
        (file.with_name(f"{file.stem}-more.woff2"), known - ENGLISH),
        (file, known & ENGLISH),
    ):
        options = Options()
        options.layout_features = SCREEN
        options.notdef_outline = True
        options.name_IDs = ["*"]
        font = TTFont(BytesIO(whole), recalcTimestamp=False)
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=characters)
        subsetter.subset(font)
        font.flavor = "woff2"
        font.save(target)
        sys.stdout.write(f"{target.name}: {target.stat().st_size} bytes\n")


def main(originals: Path, target: Path) -> None:
    """Write all fonts of the report into the target folder."""
    sans, sans_italic = originals / "SourceSans3[wght].ttf", originals / "SourceSans3-Italic[wght].ttf"
    serif, serif_italic = originals / "SourceSerif4[opsz,wght].ttf", originals / "SourceSerif4-Italic[opsz,wght].ttf"
    screen = {"opsz": 14.0, **TEXT_WEIGHTS}
    write(sans, target / "report-sans.woff2", family="Report Sans", style="Regular", axes=dict(TEXT_WEIGHTS))
    write(
        sans_italic, target / "report-sans-italic.woff2", family="Report Sans", style="Italic", axes=dict(TEXT_WEIGHTS)
    )
    write(serif, target / "report-serif.woff2", family="Report Serif", style="Regular", axes=dict(screen))
    write(serif_italic, target / "report-serif-italic.woff2", family="Report Serif", style="Italic", axes=dict(screen))
    for name in ("sans", "sans-italic", "serif", "serif-italic"):
        split(target / f"report-{name}.woff2")
    for style, weight, source in [
        ("Regular", 400, sans),
        ("SemiBold", 600, sans),
        ("Bold", 700, sans),
        ("Italic", 400, sans_italic),
    ]:
        name = f"ReportSans-{style}.ttf"
        write(source, target / name, family="Report Sans", style=style, axes={"wght": float(weight)})
    math = originals / "STIXMath-Regular.otf"
    write(math, target / "report-math.woff2", family="Report Math", style="Regular", axes={}, math=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
