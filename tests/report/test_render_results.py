"""Marked numbers, what the site says about them, words to look up, the banner and the citation."""

from __future__ import annotations

import json
import re
import shutil
from functools import partial
from pathlib import Path

import lxml.html
import pytest
from book_tools import BOOK, CONFIG, Rendered, WriteBook, text_of, typst_body

from hhp_stats.errors import HhpError, RenderError
from hhp_stats.plan.glossary import GLOSSARY, read_alike, read_glossary
from hhp_stats.present.explanations import explanations
from hhp_stats.present.marks import Sentence, presented
from hhp_stats.present.prose import uncertainty
from hhp_stats.publish import lint_book, render, render_book
from hhp_stats.publish.digits import ALLOWED_FILE
from hhp_stats.results.frame import read_results, row_of
from hhp_stats.results.traced import Origin, TracedRow

HEAD = "# One {#sec-one}\n\n"
PLANNED = "trial/days/itt/cr1"


def behind(output: Path) -> dict:
    text = (output / "assets" / "results.js").read_text(encoding="utf-8")
    return json.loads(text.removeprefix("window.report=").rstrip().removesuffix(";"))


# ---------------------------------------------------------------- marks


def test_only_numbers_that_were_read_can_be_marked(rendered: Rendered) -> None:
    row = row_of(read_results(rendered.root / "results" / "trial" / "results.csv"), PLANNED)
    assert isinstance(row, TracedRow)
    sentence = presented(uncertainty)(row)
    assert isinstance(sentence, Sentence) and sentence == "95% CI \u22121.33 to \u22120.10, p = .02"
    found = [part.origin for part in sentence.parts if part.origin]
    assert found == [Origin(PLANNED, field) for field in ("conf_low", "conf_high", "p_value")]


# ---------------------------------------------------------------- what the site holds


def test_every_mark_has_an_explanation_and_a_place_in_the_index(rendered: Rendered) -> None:
    page = rendered.page("04-results.html")
    marked = set(page.xpath("//@data-result"))
    known = behind(rendered.output)
    quoted = {key for made in known["figures"].values() for key in made.get("results", [])}
    assert not page.xpath("//@data-results") and len(quoted) == 5
    assert marked | quoted == set(known["results"]) == set(known["places"])
    assert len(marked) == 5
    for place in known["places"].values():
        name, _, anchor = place.partition("#")
        assert rendered.page(name).get_element_by_id(anchor) is not None
    facts = {key: {label: words for label, words, _ in row["facts"]} for key, row in known["results"].items()}
    assert facts[PLANNED]["estimate"] == "\u22120.714" and facts[PLANNED]["std_error"] == "0.310"
    assert ["interval", "\u22121.331 to \u22120.096", "95%"] in known["results"][PLANNED]["facts"]
    assert facts["trial/leaving/itt/logit"]["df"] == "\u221e"
    assert "estimate" not in facts["trial/score/itt/cr1"]


def test_functions_and_cells_are_shown_with_their_source(rendered: Rendered) -> None:
    known = behind(rendered.output)
    ols = known["code"]["hhp_stats.regression.linear.ols"]
    assert ols["file"] == "hhp_stats/regression/linear.py" and ols["line"] > 1
    assert ols["source"].startswith(("def ols(", "@typed\ndef ols(")) and ols["formula"].startswith("Estimator:")
    assert known["code"]["hhp_stats.regression.cluster_robust"]["source"].startswith('"""')
    assert "hhp_stats.present.tables.effects_table" in known["code"]
    lines = (rendered.root / "report" / "04-results.qmd").read_text(encoding="utf-8").splitlines()
    for label, first in (("tbl-effects", "days = "), ("fig-forest", "draw = "), ("tbl-index", "@presented")):
        cell = known["figures"][label]
        assert cell["file"] == "report/04-results.qmd"
        assert lines[cell["line"] - 1] == "```{python}"
        assert cell["code"].startswith(first)


def test_figure_carries_the_results_it_shows(rendered: Rendered) -> None:
    figure = rendered.page("04-results.html").get_element_by_id("fig-forest")
    assert figure.get("data-behind") is not None and figure.get("data-presenter") is None
    assert behind(rendered.output)["figures"]["fig-forest"]["presenter"] == "hhp_stats.present.embed.embed"


def test_paper_prints_the_numbers_without_marks(rendered: Rendered) -> None:
    # These print nothing: the index asks where they stand.
    body = re.sub(r'#(printed|entry-place)\("[^"]+"\)', "", typst_body(rendered.root))
    assert "data-result" not in body and 'trial/days/itt/cr1"' not in body
    row = next(line for line in body.splitlines() if "1\\.33" in line and "table.cell" in line)
    assert "span" not in row and "class" not in row
    assert "sandwich" in body and "term" not in re.findall(r'class="(\w+)"', body)


def test_unknown_results_and_functions_fail(rendered: Rendered) -> None:
    with pytest.raises(HhpError, match="no result 'trial/days/itt/none'"):
        explanations(rendered.root, results=["trial/days/itt/none"], functions=[])
    with pytest.raises(HhpError, match="are not ready"):
        explanations(rendered.root, results=["other/days/itt/none"], functions=[])
    with pytest.raises(HhpError, match="nothing does not exist"):
        explanations(rendered.root, results=[], functions=["hhp_stats.regression.linear.nothing"])


def test_a_mark_that_no_study_made_fails_the_rendering(write_book: WriteBook) -> None:
    root = write_book(HEAD + 'The effect is [two]{.result data-result="trial/a/b/c"}.\n')
    shutil.copytree(BOOK / "data", root / "data")
    with pytest.raises(HhpError, match="results of trial are not ready"):
        render_book(root=root, output=root / "_output", formats=["html"], explain=partial(explanations, root))
    assert not (root / "_output").exists()


# ---------------------------------------------------------------- typed digits

REFUSED = {
    "integer": ("There were 12 teams.", "12"),
    "decimal": ("It fell by 0.31 days.", "0.31"),
    "p value": ("It was clear (p = .03).", ".03"),
    "share": ("About 40% answered.", "40%"),
    "range": ("From 0 to 10.", "0"),
    "thousand": ("We asked 1,950 people.", "1,950"),
    "year with unit": ("It cost 2000% more.", "2000%"),
    "level inside": ("It was 195% of it.", "195%"),
    "level and a digit": ("It was 50% of it.", "50%"),
    "level of another kind": ("It was 95.5% of it.", "95.5%"),
    "other levels": ("It was a 99% interval.", "99%"),
    "list item": ("1. Of 7 teams", "7"),
    "emphasis": ("It was **12** days.", "12"),
    "link text": ("See [the 12 teams](index.qmd).", "12"),
    "note": ("Words.[^a]\n\n[^a]: There were 12.", "12"),
    "definition": ("Term\n:   Lasts 12 weeks.", "12"),
    "heading": ("## The 12 teams {#sec-a}", "12"),
}
ALLOWED = {
    "years": "In 2019, from 1998 to 2020/21, the 1990s and 2019\u20132020.",
    "dates": "On 3 July 2019 and in October 2020, or June 5, 2018.",
    "references": "See @sec-one and [@bell2002, pp. 12-14; @pustejovsky2018, p. 4].",
    "levels": "95% intervals, the 5% level and a share from 0 to 1.",
    "code": "`x = 12` and `{python} 12` and `hhp_2`.",
    "formula": "It is $x_1 + 12$.\n\n$$\\sum_{i=1}^{12} x_i$$",
    "table": "| a | b |\n|---|---|\n| 1 | 2 |",
    "list": "1. First\n2. Second",
    "address": "<https://example.org/12> and [this](https://example.org/a1) and a1@b2.org",
    "ids": "## A heading {#sec-a1 .x2}\n\nWords.[^n1]\n\n[^n1]: A note.",
    "attributes": '::: {layout-ncol="2"}\nx\n:::',
    "code block": "```python\nx = 12\n```",
    "comment": "<!-- 12 -->",
}
REFS = "\n\n::: {#refs}\n:::\n"


@pytest.mark.parametrize("name", REFUSED)
def test_a_typed_number_fails_with_its_line(write_book: WriteBook, name: str) -> None:
    text, number = REFUSED[name]
    root = write_book(HEAD + text + "\n")
    with pytest.raises(RenderError, match="is typed into the prose") as caught:
        render_book(root=root, output=root / "_output", formats=["html"])
    line = next(at for at, content in enumerate((HEAD + text).split("\n"), 1) if number in content)
    assert (caught.value.file, caught.value.line) == ("one.qmd", line)
    assert f"the number '{number}'" in caught.value.message


@pytest.mark.parametrize("name", ALLOWED)
def test_allowed_kinds_of_digits_pass(write_book: WriteBook, name: str) -> None:
    assert lint_book(write_book(HEAD + ALLOWED[name] + REFS)) == []


def test_the_projects_own_allowances_need_reasons(write_book: WriteBook) -> None:
    root = write_book(HEAD + "We use CR2 throughout.\n\nThere are 12 teams.\n")
    file = root / ALLOWED_FILE
    file.parent.mkdir()
    file.write_text("# head\n\n\\bCR[0-3]\\b  # names of covariances\n", encoding="utf-8")
    assert [(found.file, found.cell) for found in lint_book(root)] == [("one.qmd", "line 5")]
    file.write_text("\\bCR[0-3]\\b\n[  # broken\n.*  # all\n\\d+  # all numbers\n", encoding="utf-8")
    found = {(problem.cell, problem.rule) for problem in lint_book(root) if problem.file == ALLOWED_FILE}
    assert {cell for cell, _ in found} == {"line 1", "line 2", "line 3", "line 4"}
    text = " ".join(rule for _, rule in found)
    assert "needs a reason" in text and "regular expression" in text and "allow any digit" in text


def test_the_reports_own_sources_have_no_typed_numbers() -> None:
    root = Path(__file__).parents[2]
    assert (root / ALLOWED_FILE).is_file()
    assert [str(problem) for problem in lint_book(root) if "typed into the prose" in problem.rule] == []


# ---------------------------------------------------------------- glossary


def test_first_mention_is_marked_on_the_site_alone(rendered: Rendered) -> None:
    page = rendered.page("04-results.html")
    assert [text_of(term) for term in page.xpath("//*[@class='term']")] == ["95% CI", "sandwich"]
    assert page.xpath("//*[@class='term']")[1].get("title") == 'A way to get standard errors; <b>not</b> "bread".'
    appendix = rendered.page("A-methods.html")
    assert [text_of(term) for term in appendix.xpath("//*[@class='term']")] == ["sandwich"]  # once in each chapter


def test_punctuation_and_line_ends_do_not_hide_a_term(write_book: WriteBook) -> None:
    root = write_book(HEAD + "## A sandwich {#sec-a}\n\n(Confidence\nintervals), and the *Sandwich*; a Sandwich.\n")
    (root / "report").mkdir()
    source = Path(__file__).parent / "book" / GLOSSARY
    (root / GLOSSARY).write_bytes(source.read_bytes())
    render_book(root=root, output=root / "_output", formats=["html"])
    page = lxml.html.fromstring((root / "_output" / "one.html").read_bytes())
    assert [text_of(term) for term in page.xpath("//*[@class='term']")] == ["Confidence intervals", "Sandwich"]
    assert "(Confidence intervals), and the Sandwich; a Sandwich." in text_of(page.find(".//article"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[term]\n", "not valid TOML"),
        ('[[term]]\nname = "x"\n', "needs a name and words"),
        ('[[term]]\nname = "x"\nwords = "y"\nform = ["z"]\n', "an unknown key 'form'"),
        ('[[term]]\nname = "x"\nwords = "y"\nforms = [" "]\n', "a form that is no word: ' '"),
        ('[[term]]\nname = "x"\nwords = "y"\nforms = [3]\n', "a form that is no word: 3"),
        ('[[term]]\nname = "x"\nwords = "y"\n[[term]]\nname = "X"\nwords = "z"\n', "belongs to both"),
    ],
)
def test_broken_glossary_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / GLOSSARY).write_text(text, encoding="utf-8")
    with pytest.raises(RenderError, match=message):
        read_glossary(tmp_path)


def test_the_reports_glossary_can_be_read() -> None:
    terms = read_glossary(Path(__file__).parents[2])
    assert len(terms) >= 20
    assert all(len(term.words) > 30 for term in terms)


# ---------------------------------------------------------------- banner and citation

BANNERED = CONFIG + "synthetic-banner: Made-up numbers.\n"


@pytest.mark.parametrize(("banner", "shown"), [(None, "Made-up numbers."), ("", ""), ("Draft.", "Draft.")])
def test_banner_follows_the_caller(
    write_book: WriteBook, monkeypatch: pytest.MonkeyPatch, banner: str | None, shown: str
) -> None:
    root = write_book(HEAD + "Words.\n", config=BANNERED)
    printed: list[str] = []
    original = render.write_pdf
    monkeypatch.setattr(
        render, "write_pdf", lambda project, *a, **k: (printed.append(project.banner), original(project, *a, **k))[1]
    )
    render_book(root=root, output=root / "_output", banner=banner)
    for name in ("index.html", "one.html"):
        text = (root / "_output" / name).read_text(encoding="utf-8")
        assert ("data-notice" in text) == bool(shown)
        # At the top and at the foot; on the first page also in the line to cite, and in its BibTeX entry.
        places = 4 if name == "index.html" else 2
        assert text.count("Made-up numbers.") == (places if banner is None else 0)
        assert text.count("Draft.") == (places if shown == "Draft." else 0)
    assert printed == [shown]


def test_citation_stands_on_the_first_page_alone(rendered: Rendered) -> None:
    blocks = {name: rendered.page(name).xpath("//section[@class='cite-report']") for name in rendered.report.pages}
    assert [name for name, found in blocks.items() if found] == ["index.html"]
    text = text_of(blocks["index.html"][0])
    assert "Evaluation team (2024). A small book: costs under $5 and other tests." in text
    assert "1 March 2024" in text and "date = {2024-03-01}" in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[alike]]\nwords = ["one"]', "needs two words"),
        ('[[alike]]\nwords = "one"', "needs two words"),
        ('[[alike]]\nwords = ["a", "B"]\n[[alike]]\nwords = ["b", "c"]', "'b' stands in two groups"),
        ("[[alike]\n", "not valid TOML"),
    ],
)
def test_words_that_mean_the_same_are_checked(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / GLOSSARY).write_text(text, encoding="utf-8")
    with pytest.raises(RenderError, match=said):
        read_alike(tmp_path)
    (tmp_path / GLOSSARY).write_text('[[alike]]\nwords = ["a", "B"]', encoding="utf-8")
    assert read_alike(tmp_path) == [["a", "b"]]
