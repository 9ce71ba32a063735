"""No statement of the package keeps a layout of its own: the formatter lays out code, and no line is too long to read."""

from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "hhp_stats"
WIDTH = 120


@pytest.mark.parametrize("marker", ["fmt: skip", "fmt: off"])
def test_the_formatter_lays_out_every_statement(marker):
    kept = [
        str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if f"# {marker}" in path.read_text("utf-8")
    ]

    assert kept == []


def test_no_line_of_the_package_is_wider_than_a_page():
    wide = [
        f"{path.relative_to(PACKAGE)}:{number}"
        for path in PACKAGE.rglob("*.py")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if len(line) > WIDTH
    ]

    assert wide == []
