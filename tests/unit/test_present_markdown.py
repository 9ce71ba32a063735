"""Tables printed as Markdown, and the table of clauses: nothing in a cell may break the table or be read as markup."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from hhp_stats.errors import PlanError
from hhp_stats.plan.book_sections import BookSection, book_sections
from hhp_stats.plan.clauses import load_clause_status
from hhp_stats.present.clause_table import FEW, STATUS, clause_table
from hhp_stats.present.listing import clauses_named, listed_words
from hhp_stats.present.markdown import code, escaped, pipe_table, section_reference

ROOT = Path(__file__).parents[2]
RESULTS = pd.DataFrame(
    {
        "result_id": [f"goal_setting/sickness_absence/itt/v{n}" for n in range(6)] + ["goal_setting/turnover/itt/one"],
        "clause": ["P54 P67"] * 6 + ["P540"],
        "study": "goal_setting",
    }
)


def table_of(text):
    """The cells that Pandoc's own reader finds, as plain text."""
    pypandoc = pytest.importorskip("pypandoc", reason="an extra of the report")
    html = pypandoc.convert_text(text, "html", format="markdown-citations-smart")
    lxml = pytest.importorskip("lxml.html")
    rows = lxml.fromstring(f"<div>{html}</div>").iter("tr")
    return [[" ".join(cell.text_content().split()) for cell in row] for row in rows]


def test_plain_text_survives_pandoc():
    awkward = "a_b *c* [d](e) <f> $g$ ~h~ ^i^ @sec-j `k` l\\m | n # o {p}"
    printed = pipe_table(["One", "Two"], [[escaped(awkward), code("x_y/z")]], label="tbl-x", caption="C", widths=[5, 5])
    assert table_of(printed) == [["One", "Two"], [awkward, "x_y/z"]]


def test_widths_label_and_caption():
    printed = pipe_table(["A", "B"], [["1", "2"]], label="tbl-a-b", caption="Words", widths=[4, 12])
    assert printed.splitlines()[1] == "|:----|:------------|"
    assert ": Words {#tbl-a-b}" in printed


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"label": "fig-x"}, "tbl-name"),
        ({"label": "tbl-x-"}, "tbl-name"),
        ({"rows": []}, "no rows"),
        ({"rows": [["1"]]}, "1 cells under 2"),
        ({"widths": [1]}, "under 2 headings"),
        ({"rows": [["1\n2", "3"]]}, "line break"),
        ({"rows": [["1 | 2", "3"]]}, "bar"),
    ],
)
def test_tables_that_would_break_are_refused(change, says):
    given = {"rows": [["1", "2"]], "label": "tbl-x", "caption": "C", "widths": [5, 5], **change}
    with pytest.raises(ValueError, match=says):
        pipe_table(["A", "B"], given.pop("rows"), **given)


@pytest.mark.parametrize("text", ["a`b", "a|b"])
def test_code_that_would_end_is_refused(text):
    with pytest.raises(ValueError, match="code"):
        code(text)


def test_references_and_links():
    numbered = BookSection(id="sec-a", title="A", file="report/a.qmd", numbered=True)
    without = BookSection(id="sec-b", title="B_b", file="index.qmd", numbered=False)
    assert section_reference(numbered, document="report/c.qmd") == "@sec-a"
    assert section_reference(without, document="report/c.qmd") == "[B\\_b](../index.qmd#sec-b)"
    assert section_reference(without, document="index.qmd") == "[B\\_b](index.qmd#sec-b)"


# ---------------------------------------------------------------- clauses
def clauses(entries=None, **others):
    given = {
        "study": "goal_setting",
        "results": RESULTS,
        "sections": book_sections(ROOT),
        "document": "report/A-deviations.qmd",
        "label": "tbl-a-clauses",
        "caption": "Clauses",
    }
    return clause_table(entries or load_clause_status(ROOT), **{**given, **others})


def test_every_clause_has_a_line_with_its_section_plan_results_tests_and_conflicts():
    entries = load_clause_status(ROOT)
    rows = {row[0]: row for row in table_of(clauses())[1:]}
    assert list(rows) == [entry.id for entry in entries]
    for entry in entries:
        _, commitment, outcome, where = rows[entry.id]
        assert commitment == entry.commitment
        assert outcome.startswith(STATUS[entry.status].capitalize())
        assert all(name in outcome for name in (*entry.conflicts, *entry.departures))
        assert where.startswith(f"@{entry.section}.")
        assert all(path in where for path in entry.where)
        assert all(function in where for function in (test.split("::")[1] for test in entry.tests))


def test_a_result_whose_name_another_study_has_as_well_keeps_its_study():
    """Else a link could not know which is meant; results of the other study do not stand here."""
    twin = RESULTS.iloc[[0]].assign(result_id="coffee/sickness_absence/itt/v0", study="coffee")
    found = {row[0]: row[3] for row in table_of(clauses(results=pd.concat([RESULTS, twin])))[1:]}["P67"]
    assert "Results: goal_setting/sickness_absence/itt/v0, sickness_absence/itt/v1," in found and "coffee" not in found


def test_results_are_those_that_cite_the_clause_and_long_lists_are_counted():
    rows = {row[0]: row for row in table_of(clauses())[1:]}
    assert f"sickness_absence/itt/v{FEW - 1} and 2 more" in rows["P54"][3]
    assert "sickness_absence/itt/v0" in rows["P67"][3]
    assert "turnover/itt/one" not in rows["P54"][3]  # P540 is another clause
    assert "Results:" not in rows["P66"][3]


def test_a_section_that_no_source_has_is_refused():
    cited = load_clause_status(ROOT)[0].section
    sections = {name: section for name, section in book_sections(ROOT).items() if name != cited}
    with pytest.raises(PlanError, match=cited):
        clauses(sections=sections)


def test_a_blank_that_holds_words_together_stays():
    assert escaped("Free coffee\u00a0\u2020 \n and  tea ") == "Free coffee\u00a0\u2020 and tea"


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ([], ""),
        (["P54"], "Clause P54"),
        (["P54", "P6", "P54", "P100"], "Clauses P6, P54 and P100"),
        (["R29", "R27"], "Clauses R27 and R29"),
    ],
)
def test_clauses_are_named_in_their_order(codes, said):
    assert clauses_named(codes) == said


def test_words_after_a_negation_are_joined_by_or():
    assert listed_words(["a", "b and c"]) == "a, and b and c" and listed_words(["a and b"]) == "a and b"
    assert listed_words(["a", "b", "c"], last="or") == "a, b or c" and listed_words(["a"], last="or") == "a"
