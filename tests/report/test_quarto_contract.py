"""What the Quarto command line needs of the real book, by the facts of quarto_facts.toml.

The program cannot be installed where these tests run. So what its sources say is written down with the version, and
the book, not a small one made for the tests, is held against it. What only the outputs of the chapters show is
tested with the whole report (test_whole_report.py).
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pikepdf
import pytest
import typst
import yaml

from hhp_stats.present import column_widths
from hhp_stats.publish import lint_book
from hhp_stats.publish.project import _FORMAT_HONOURED, _HONOURED, EXECUTE_OPTIONS, load_project
from hhp_stats.publish.qmd import CELL_OPTIONS
from hhp_stats.publish.quarto_cli import FOLDER, IGNORED_BY_QUARTO, left_by_quarto
from hhp_stats.publish.quarto_keys import quarto_keys
from hhp_stats.publish.site import PDF_NAME

ROOT = Path(__file__).resolve().parents[2]
FACTS = tomllib.loads(Path(__file__).with_name("quarto_facts.toml").read_text(encoding="utf-8"))
BOOK = yaml.safe_load((ROOT / "_quarto.yml").read_text(encoding="utf-8"))


def test_every_fact_says_where_it_was_read() -> None:
    facts = {name: fact for name, fact in FACTS.items() if name != "version"}
    assert len(facts) > 10 and all(fact["file"].startswith("src/") and fact["fact"] for fact in facts.values())
    assert quarto_keys()["version"] == FACTS["version"]


def test_the_book_has_no_problem() -> None:
    """Author, references of pages without a number, labels of sources, keys: rules of `hhp lint`, each tested by
    itself.
    """
    assert lint_book(ROOT) == []


def test_the_book_names_an_author_and_its_pdf() -> None:
    assert BOOK["book"]["author"].strip()
    assert f"{BOOK['book']['output-file']}.pdf" == PDF_NAME


def test_keys_that_are_honoured_are_keys_of_quarto() -> None:
    schema = quarto_keys()
    for section, keys in _HONOURED.items():
        assert section == "format" or keys <= set(schema[section]), section
    for name, keys in _FORMAT_HONOURED.items():
        assert keys <= set(schema[f"format.{name}"]), name
    assert set(schema["execute"]) >= EXECUTE_OPTIONS and set(CELL_OPTIONS) <= set(schema["cell"])


def test_each_engine_writes_where_the_other_does_not() -> None:
    assert BOOK["project"]["output-dir"] not in ("_output", FOLDER)
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    for folder in (BOOK["project"]["output-dir"], FOLDER):
        assert f"/{folder}/" in ignored and left_by_quarto(folder)
    assert set(FACTS["gitignore"]["lines"]) == set(IGNORED_BY_QUARTO) <= set(ignored)


def test_widths_are_reckoned_for_quartos_line() -> None:
    line = FACTS["line"]
    points = (line["page"] - 2 * line["margin"]) / 2.54 * 72
    assert pytest.approx(points, abs=1) == column_widths._QUARTO_LINE
    assert line["size"] == column_widths._QUARTO_TEXT


def test_both_engines_list_headings_as_deep() -> None:
    project = load_project(ROOT)
    for name in ("html", "typst"):
        assert project.toc_depth[name] == BOOK["format"][name]["toc-depth"]


def test_every_table_brings_its_widths_and_type() -> None:
    """Nothing makes a plain table of great_tables: all go through `EscapedTable` (test_table_widths.py says what it
    brings).
    """
    texts = {
        path: path.read_text(encoding="utf-8")
        for path in [*(ROOT / "hhp_stats").rglob("*.py"), *ROOT.glob("*.qmd"), *(ROOT / "report").glob("*.qmd")]
    }
    makes = re.compile(r"(?<![\w.])(?:great_tables\.)?GT\(")
    plain = [path.relative_to(ROOT).as_posix() for path, text in texts.items() for _ in makes.finditer(text)]
    assert plain == [] and makes.search("table = GT(cells)") and not makes.search("class EscapedTable(GT):")
    assert sum(text.count("EscapedTable(") for text in texts.values()) > 2


HEADER = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in load_project(ROOT).typst_header)
PAPER = '#set page(paper: "a4")\n#set table(inset: 6pt, stroke: none)\n'


def pages(folder: Path, text: str) -> int:
    """How many pages Typst makes of a text."""
    (folder / "a.typ").write_text(text, encoding="utf-8")
    typst.compile(str(folder / "a.typ"), output=str(folder / "a.pdf"), root=str(folder))
    with pikepdf.open(folder / "a.pdf") as pdf:
        return len(pdf.pages)


def test_a_long_table_goes_on_on_the_next_page(tmp_path: Path) -> None:
    kind = FACTS["float-kind"]["kind"]
    cells = ", ".join(f"[{at}], [words]" for at in range(200))
    long = f'#figure([#table(columns: 2, {cells})], caption: [Long], kind: "{kind}", supplement: "Table")\n'
    assert pages(tmp_path, PAPER + long) == 1  # without the rule it prints over the foot of the page
    assert pages(tmp_path, PAPER + HEADER + long) > 3
    assert pages(tmp_path, PAPER + HEADER + long.replace(kind, "quarto-float-fig")) == 1  # a picture stays whole


def test_identifiers_in_tables_may_end_their_line(tmp_path: Path) -> None:
    """Whole, the identifier takes one line and prints over the next column; broken, the row is higher."""
    kind = FACTS["float-kind"]["kind"]
    table = f'#figure(table(columns: (3cm,), raw("sickness_absence_over_all_weeks")), kind: "{kind}", supplement: "T")'
    probe = f"#set page(width: 10cm)\n#context assert(measure([{table}], width: 8cm).height > 1cm)\n"
    assert pages(tmp_path, PAPER + HEADER + probe) == 1
    with pytest.raises(typst.TypstError):
        pages(tmp_path, PAPER + probe)


def test_cells_have_the_room_that_the_widths_count_on(tmp_path: Path) -> None:
    """Two columns of a table have at most the gap between them that was reckoned: one em, of many columns 0.68."""
    probe = (
        "#set text(size: 10pt)\n#context { let wide = measure(table(columns: 2, [a], [a])).width\n"
        "let bare = measure(table(columns: 2, inset: 0pt, [a], [a])).width\n"
        "assert((wide - bare) / 2 <= 0.68em.to-absolute() + 0.01pt) }\n"
    )
    assert pages(tmp_path, PAPER + HEADER + probe) == 1
    with pytest.raises(typst.TypstError):
        pages(tmp_path, PAPER + probe)


def test_a_reference_to_an_equation_is_as_wide_without_parentheses(tmp_path: Path) -> None:
    text = (
        '#set math.equation(numbering: n => numbering("(A.1)", 5, n))\n'
        "#math.equation(block: true, [$ x = 1 $])<eq-a>\n"
        "#context assert(measure(ref(<eq-a>, supplement: [Equation])).width < measure([Equation (E.1)]).width - 1pt)\n"
        "#context assert(measure(ref(<eq-a>, supplement: [Equation])).width > measure([Equation E]).width + 1pt)\n"
    )
    assert pages(tmp_path, HEADER + text) == 1
    with pytest.raises(typst.TypstError):
        pages(tmp_path, text)
