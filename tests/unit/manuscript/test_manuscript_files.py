"""The same manuscript as Word, OpenDocument, HTML, Markdown, LaTeX and PDF gives the same findings; damaged files are
refused by rule; the page marks every figure.
"""

import json
import re

import pypandoc
import pytest
import typst
from typer.testing import CliRunner

from hhp_stats.cli import app
from hhp_stats.errors import DataError
from hhp_stats.manuscript.document import Table
from hhp_stats.manuscript.reading import read_manuscript
from hhp_stats.manuscript.report import audit_manuscript

TEXT = """# Results

Take-up was low: 128 of the 641 staff (20.0%) began. Absence fell by 0.78 days (95% CI −1.62 to 0.06, *p* = .07).

Scores were higher, *t*(28) = 2.20, *p* = .36.[^1]

[^1]: Of all, 17 out of 22 (97%) would continue.

| Authority | Control | Treated |
|-----------|--------:|--------:|
| Kent      |      40 |      38 |
| Brent     |      25 |      31 |
| Total     |      66 |      69 |

: Table 1. People by arm
"""
WRONG = [("test", "t(28) = 2.20, p = .36"), ("share", "17 out of 22 (97%"), ("sum", "66")]


def written(folder, suffix):
    path = folder / f"manuscript{suffix}"
    if suffix == ".pdf":
        source = folder / "manuscript.typ"
        pypandoc.convert_text(TEXT, "typst", format="markdown", outputfile=str(source), extra_args=["--standalone"])
        typst.compile(source, output=path)
    elif suffix == ".md":
        path.write_text(TEXT, encoding="utf-8")
    else:
        to = {".htm": "html", ".tex": "latex"}.get(suffix, suffix.removeprefix("."))
        pypandoc.convert_text(TEXT, to, format="markdown", outputfile=str(path), extra_args=["--standalone"])
    return path


@pytest.mark.parametrize("suffix", [".docx", ".odt", ".html", ".md", ".tex", ".pdf"])
def test_every_kind_of_file_says_the_same(tmp_path, suffix):
    report = audit_manuscript(written(tmp_path, suffix))
    wrong = {(one.kind, one.text) for one in report.claims if one.finding == "does_not_reproduce"}
    assert wrong == set(WRONG)
    assert report.exit_status == 1 and bool(report.remarks) == (suffix == ".pdf")
    assert any(one.finding == "reproduces" and one.kind == "interval" for one in report.claims)


def test_a_table_keeps_caption_heading_and_place(tmp_path):
    document = read_manuscript(written(tmp_path, ".docx"))
    (table,) = (block for block in document.blocks if isinstance(block, Table))
    assert table.headings == ("Authority", "Control", "Treated") and table.caption == "Table 1. People by arm"
    assert table.place == "table 1, under “Results”" and table.rows[-1] == ("Total", "66", "69")


def test_struck_words_and_raised_marks_are_not_digits(tmp_path):
    path = tmp_path / "draft.md"
    path.write_text("~~128~~ 120 of the 600^2^ staff (20.0%) began.\n", encoding="utf-8")
    assert [one.finding for one in audit_manuscript(path).claims] == ["reproduces"]


def test_lines_with_tabs_are_a_table(tmp_path):
    path = tmp_path / "draft.txt"
    path.write_text("Table 1. People\nGroup\tn\nKent\t40\nBrent\t25\nTotal\t66\n", encoding="utf-8")
    report = audit_manuscript(path)
    assert [(one.kind, one.finding) for one in report.claims] == [("sum", "does_not_reproduce")]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("gone.docx", None, "B01"),
        ("old.doc", b"\xd0\xcf\x11\xe0", "B14"),
        ("broken.docx", b"PK no archive", "B15"),
        ("broken.pdf", b"%PDF-1.7 nothing", "B15"),
        ("latin.txt", "Stärke".encode("latin-1"), "B02"),
        ("empty.md", b"\n", "B16"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_rule(tmp_path, name, content, code):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as refused:
        read_manuscript(tmp_path / name)
    assert [problem.code for problem in refused.value.problems] == [code]
    assert refused.value.problems[0].remedy


def test_the_page_marks_every_figure_and_is_safe(tmp_path):
    path = tmp_path / "draft.md"
    path.write_text(TEXT.replace("Take-up", "<script>x</script> `<b>` Take-up"), encoding="utf-8")
    report = audit_manuscript(path)
    page = report.page()
    assert "<script" not in page and "&lt;b&gt;" in page
    marked = re.findall(r"<mark class='(\w+)'>([^<]*)</mark>", page)
    for claim in report.claims:
        assert any(finding == claim.finding and said and said in claim.text for finding, said in marked)
        assert page.count("<li>") == len(report.claims)


def test_the_command_reads_manuscripts_anywhere(tmp_path, monkeypatch):
    path = written(tmp_path, ".docx")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["audit", path.name, "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["counts"]["does_not_reproduce"] == len(WRONG)
    done = CliRunner().invoke(app, ["audit", path.name, "--page", "audit.html"])
    assert done.exit_code == 1 and (tmp_path / "audit.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    done = CliRunner().invoke(app, ["audit", "figures.csv", "--page", "audit.html"])
    assert done.exit_code == 2


def test_nothing_is_left_beside_a_manuscript_outside_a_project(tmp_path, monkeypatch):
    path = written(tmp_path, ".md")
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["audit", path.name, "--page", "audit.html"]).exit_code == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == ["audit.html", "manuscript.md"]
    (tmp_path / "audit.html").write_text("mine", encoding="utf-8")
    CliRunner().invoke(app, ["audit", path.name, "--page", "audit.html"])
    assert (tmp_path / "audit.html").read_text(encoding="utf-8") == "mine"
