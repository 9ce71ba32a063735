"""What stands behind a number: panels, sources, words to look up, tables to take away."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from hhp_stats.files.spreadsheet import runs, to_csv

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
PAGE = "04-results.html"
PLANNED = "trial/days/itt/cr1"


def rows(site) -> dict[str, dict[str, str]]:
    with (site.output / "results.csv").open(encoding="utf-8", newline="") as stream:
        return {row["result_id"]: row for row in csv.DictReader(stream)}


def facts(dialog) -> dict[str, str]:
    names = dialog.locator(".facts dt").all_inner_texts()
    return dict(zip(names, dialog.locator(".facts dd").all_inner_texts(), strict=True))


def as_number(text: str) -> float:
    return float(text.replace("\u2212", "-").replace(",", ""))


def violations(page) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert len(found["passes"]) > 15
    return [f"{item['id']}: {item['nodes'][0]['html'][:160]}" for item in found["violations"]]


@pytest.mark.parametrize("key", ["Enter", " "])
def test_panel_opens_by_key_and_says_what_the_results_file_says(open_page, site, key: str) -> None:
    page = open_page(PAGE).page
    number = page.locator(f'p .result[data-result="{PLANNED}"][tabindex]').first
    expect(number).to_have_attribute("role", "button")
    number.focus()
    page.keyboard.press(key)
    dialog = page.get_by_role("dialog", name="Where this number comes from")
    expect(dialog).to_be_visible()
    expect(dialog.locator(".result-id")).to_have_text(PLANNED)
    row, shown = rows(site)[PLANNED], facts(dialog)
    # Three digits of the standard error are worth reading; the file has all of them.
    places = 2 - math.floor(math.log10(float(row["std_error"])))
    for name, column in (("Estimate", "estimate"), ("Standard error", "std_error")):
        assert shown[name] == f"{float(row[column]):.{places}f}".replace("-", "\u2212")
    assert shown["p value"] == ".02" and round(float(row["p_value"]), 2) == 0.02
    assert as_number(shown["Degrees of freedom"]) == pytest.approx(float(row["df"]), abs=0.05)
    assert as_number(shown["n"]) == int(row["n"]) and as_number(shown["Clusters"]) == int(row["n_clusters"])
    low, high = shown["95% interval"].split(" to ")
    assert (as_number(low), as_number(high)) == tuple(
        round(float(row[end]), places) for end in ("conf_low", "conf_high")
    )
    assert shown["Method"] == row["method"]
    assert shown["Estimand"] == "Effect of the offer (intention to treat)"  # not "itt"
    clauses = dialog.locator(".clauses")
    expect(clauses).to_contain_text("Does the offer lower days of absence.")
    expect(clauses).to_contain_text("The model adjusts for role & service.")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(number).to_be_focused()


def test_panel_shows_formula_source_and_inputs(open_page) -> None:
    page = open_page(PAGE).page
    page.locator(f'.result[data-result="{PLANNED}"][tabindex]').first.click()
    dialog = page.get_by_role("dialog")
    code = dialog.locator(".code-place").first
    expect(code).to_contain_text("hhp_stats.regression.linear.ols")
    expect(code).to_contain_text(re.compile(r"hhp_stats/regression/linear\.py:\d+"))
    expect(code.locator(".formula")).to_contain_text("Estimator:")
    code.get_by_text("Show the source").click()
    expect(code.locator("pre")).to_be_visible()
    expect(code.locator("pre")).to_contain_text("def ols(")
    assert dialog.locator(".inputs").first.locator("li").count() == 4
    dialog.get_by_text("All files (6)").click()
    expect(dialog.get_by_text("data/returns/croydon.xlsx")).to_be_visible()
    expect(dialog.locator(".inputs li").first).to_contain_text("SHA-256 " + hashlib.sha256(b"barnet").hexdigest()[:16])


def test_panel_leads_to_the_row_in_the_index(open_page) -> None:
    page = open_page(PAGE).page
    page.locator(f'#tbl-effects .result[data-result="{PLANNED}"][tabindex]').first.click()
    page.get_by_role("link", name="Row in the list of all results").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    target = page.evaluate("document.querySelector(':target').textContent")
    assert target == PLANNED
    assert page.evaluate("document.querySelector(':target').closest('figure').id") == "tbl-index"


def test_every_marked_number_opens_and_the_table_is_one_stop(open_page) -> None:
    page = open_page(PAGE).page
    marks, stops = page.locator("#tbl-effects tbody .result"), page.locator("#tbl-effects tbody .result[tabindex]")
    assert marks.count() > 10
    assert stops.count() == marks.count()  # each can take the focus, and one of them takes part in tabbing
    assert page.locator("#tbl-effects [tabindex='0']").count() == 1
    last = marks.nth(5)
    last.click()
    expect(page.get_by_role("dialog")).to_contain_text("trial/days/itt/cr1")
    page.keyboard.press("Escape")


def test_source_of_table_and_figure(open_page) -> None:
    page = open_page(PAGE).page
    button = page.get_by_role("button", name="Source: Table 4.1")
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Source: Table 4.1")
    expect(dialog).to_contain_text("report/04-results.qmd:")
    expect(dialog).to_contain_text("presented(effects_table)(days")
    expect(dialog).to_contain_text("hhp_stats.present.tables.effects_table")
    expect(dialog).to_contain_text("Results shown (3)")
    dialog.get_by_role("button", name="trial/days/itt/cr2").click()
    expect(page.get_by_role("dialog")).to_contain_text("OLS, CR2 by team")
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    page.get_by_role("button", name="Source: Figure 4.1").click()
    expect(page.get_by_role("dialog")).to_contain_text("def embed(")


def test_table_is_downloaded_as_csv(open_page) -> None:
    page = open_page(PAGE).page
    with page.expect_download() as waiting:
        page.locator("#tbl-effects button.csv").click()
    download = waiting.value
    assert download.suggested_filename == "tbl-effects.csv"
    text = Path(download.path()).read_text(encoding="utf-8-sig")
    caption, _, rest = text.partition("\n")
    assert caption.startswith("Table 4.1 ")
    cells, _, notes = rest.partition("\n\n")
    found = list(csv.DictReader(io.StringIO(cells)))
    assert [line["Version"] for line in found] == ["Planned", "Another", "Score"]
    assert float(found[0]["treated minus control: Difference"]) == -0.71
    assert float(found[0]["treated minus control: 95% CI: low"]) == -1.33
    assert float(found[0]["treated minus control: 95% CI: high"]) == -0.10
    assert int(found[0]["Analysed: People"]) == 1218
    assert found[2]["treated minus control: Difference"] == "\u2014"
    note = page.locator("#tbl-effects tfoot tr").first.inner_text().strip()
    assert notes.startswith("Notes\n") and note in notes.replace('""', '"')


def test_what_stands_together_in_a_cell_becomes_columns_of_numbers(open_page) -> None:
    page = open_page("01-tables.html").page
    text = page.evaluate(
        """(rows) => {
        const table = document.createElement("table");
        const row = (cells) => { const line = document.createElement("tr");
            cells.forEach((cell) => { line.appendChild(document.createElement("td")).textContent = cell; }); return line; };
        table.createTHead().append(row(["Name", "Effect", "People", "Share", "Mixed"]));
        table.createTBody().append(...rows.map(row));
        return tableAsCsv(table);
    }""",
        [
            ["a", "\u22120.35 (\u22120.60 to 0.10)", "1,200 (12.5%)", "12.5%", "4.6 (5.5)"],
            ["b", "\u2014", "[c]", "0.0%", "17.7%"],
            ["c", "0.10 (0.05 to 0.15)", "3 (0.1%)", "", "words"],
        ],
    )
    assert list(csv.reader(io.StringIO(text))) == [
        ["Name", "Effect", "Effect: low", "Effect: high", "People", "People: in brackets (%)", "Share (%)", "Mixed"],
        ["a", "-0.35", "-0.60", "0.10", "1200", "12.5", "12.5", "4.6 (5.5)"],
        ["b", "\u2014", "", "", "[c]", "", "0.0", "17.7%"],
        ["c", "0.10", "0.05", "0.15", "3", "0.1", "", "words"],
    ]


def test_csv_names_groups_and_columns_below_a_common_heading(open_page) -> None:
    page = open_page("01-tables.html").page
    text = page.evaluate("tableAsCsv(document.querySelector('#tbl-primary table'))")
    found = list(csv.reader(io.StringIO(text)))
    assert found[0][0].startswith("Table 1.")
    assert found[1] == ["group", "Outcome", "Effect", "95% interval: Low", "95% interval: High", "n"]
    assert found[2] == ["Primary", "Sickness absence", "-0.31", "-0.52", "-0.10", "1218"]
    assert found[4][0] == "Secondary"
    assert found[5:6] in ([], [[]])  # nothing but notes below


PLANTED = (
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-A1",
    "-2+3+cmd|'x'!A0",
    "@SUM(A1)",
    "\uff1d1+1",
    "\u22122+A1",
    "'=1+1",
    "-0.35*A1",
    "-1-2",
    "-0.35",
    "\u22120.35",
    "\u22120.35 to 0.10",
    "\u22120.35 (\u22120.60 to 0.10)",
    "\u2212\u221e",
    "+5%",
    "\u2014",
    "a=b",
    "C001.1/2",
)


def test_no_cell_of_a_download_is_run_by_a_spreadsheet(open_page) -> None:
    page = open_page("01-tables.html").page
    text = page.evaluate(
        """(cells) => {
        const table = document.createElement("table");
        const row = (cells) => { const line = document.createElement("tr");
            cells.forEach((cell) => { line.appendChild(document.createElement("td")).textContent = cell; }); return line; };
        table.createTHead().append(row(["=heading"]));
        const body = table.createTBody();
        const group = row(["=group"]);
        group.classList.add("gt_group_heading_row");
        body.append(group, ...cells.map((cell) => row([cell])));
        return tableAsCsv(table);
    }""",
        list(PLANTED),
    )
    heading, *lines = csv.reader(io.StringIO(text, newline=""))
    assert heading == ["group", "'=heading"] and {line[0] for line in lines} == {"'=group"}
    found = [line[1] for line in lines]
    assert not any(map(runs, found))
    # The rule of the CSV files that Python writes, after a typographic minus before a number became a sign.
    assert found == [to_csv(cell.replace("\u2212", "-")) if cell != "\u22122+A1" else cell for cell in PLANTED]
    assert found[PLANTED.index("\u22120.35")] == "-0.35"


def test_sorting_goes_up_down_and_back(open_page) -> None:
    page = open_page(PAGE).page
    column = page.locator("#tbl-index tbody tr td:nth-child(2)")
    original = column.all_inner_texts()
    head = page.locator("#tbl-index thead th").nth(1)
    button = head.get_by_role("button")
    button.focus()
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "ascending")
    known = [as_number(text) for text in original if text != "\u2014"]
    assert [as_number(text) for text in column.all_inner_texts()[:-1]] == sorted(known)
    assert column.all_inner_texts()[-1] == "\u2014"  # what is missing comes last either way
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    assert [as_number(text) for text in column.all_inner_texts()[:-1]] == sorted(known, reverse=True)
    page.keyboard.press("Enter")
    expect(head).not_to_have_attribute("aria-sort", "descending")
    assert column.all_inner_texts() == original
    expect(page.locator("#tbl-primary .sort")).to_have_count(0)


COMMON = """() => {
    document.querySelector("#tbl-effects table").outerHTML = `<table><thead>
        <tr><th rowspan="2">Version</th><th colspan="2">Effect</th></tr><tr><th>Low</th><th>High</th></tr></thead><tbody>
        ${[3, 1, 4, 2].map(n => `<tr><th>${"MARK"}${n}</th><td>\u2212${n}.0</td><td>${n}</td></tr>`).join("")}</tbody></table>`;
}"""


@pytest.mark.parametrize(("mark", "sorts"), [("v", 3), ("\u2003", 0)])
def test_columns_below_a_common_heading_sort_but_not_lines_that_belong_together(
    open_page, mark: str, sorts: int
) -> None:
    page = open_page(PAGE).page
    page.evaluate(COMMON.replace("MARK", mark))
    page.add_script_tag(path=Path(__file__).parents[2] / "hhp_stats/publish/assets/tables.js")
    expect(page.locator("#tbl-effects .sort")).to_have_count(sorts)
    if sorts:
        page.locator("#tbl-effects .sort", has_text="Low").click()
        assert page.locator("#tbl-effects tbody th").all_inner_texts() == ["v4", "v3", "v2", "v1"]


def test_first_mention_of_a_term_is_explained(open_page) -> None:
    page = open_page(PAGE).page
    terms = page.locator(".term-word")
    assert terms.all_inner_texts() == ["95% CI", "sandwich"]  # once a chapter, not in bold, code or tables
    note = page.locator(".term-note").nth(1)
    expect(note).to_be_hidden()
    terms.nth(1).focus()
    expect(note).to_be_visible()
    expect(note).to_have_text('A way to get standard errors; <b>not</b> "bread".')
    assert terms.nth(1).get_attribute("aria-describedby") == note.get_attribute("id")
    page.keyboard.press("Escape")
    expect(note).to_be_hidden()
    terms.nth(1).hover()
    expect(note).to_be_visible()
    note.hover()  # the pointer may move onto the note without losing it
    expect(note).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280])
def test_notes_stay_on_the_screen(open_page, width: int) -> None:
    page = open_page(PAGE, width=width).page
    for at in range(2):
        page.locator(".term-word").nth(at).focus()
        box = page.locator(".term-note").nth(at).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_open_panels(open_page, theme: str) -> None:
    page = open_page(PAGE, theme=theme).page
    page.locator(f'.result[data-result="{PLANNED}"][tabindex]').first.click()
    page.evaluate("document.querySelectorAll('.panel details').forEach(details => { details.open = true; })")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Source: Table 4.1").click()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.locator(".term-word").first.focus()
    assert violations(page) == []


def test_without_scripts_numbers_and_terms_are_plain_text(open_page) -> None:
    page = open_page(PAGE, script=False).page
    expect(page.locator("dialog.panel")).to_be_hidden()
    expect(page.locator('.result[role="button"]')).to_have_count(0)
    expect(page.locator(".tools")).to_have_count(0)
    title = page.locator(".term").first.get_attribute("title")
    assert title == "A range of effects that the data are compatible with."


def test_citation_can_be_copied(open_page) -> None:
    page = open_page("index.html").page
    block = page.get_by_role("region", name="Cite this report")
    expect(block).to_contain_text("Evaluation team (2024).")
    block.get_by_text("BibTeX").click()
    expect(block.locator("pre")).to_contain_text("@report{a-small-book")
    assert json.dumps(block.locator("pre").inner_text()).count("{") == block.locator("pre").inner_text().count("}")
