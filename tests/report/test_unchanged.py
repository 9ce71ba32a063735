"""Nothing is made again that nothing changed for: the whole report, the results, parts of files, kept texts."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from book_tools import WriteBook

from hhp_stats.files.file_parts import as_part, digest_now, digest_of
from hhp_stats.plan.book_sections import book_sections
from hhp_stats.plan.catalogue import catalogue
from hhp_stats.present.status import read_release
from hhp_stats.publish import RenderReport, render_book
from hhp_stats.publish.dependencies import digest_names
from hhp_stats.publish.digests import digest_environment
from hhp_stats.publish.kept_text import KeptTexts
from hhp_stats.publish.unchanged import NOTE, note_report, report_key, still_stands
from hhp_stats.running.run import studies_of

ROOT = Path(__file__).resolve().parents[2]
CODE = """\
# One {#sec-one}

Words.

```{python}
from pathlib import Path
read = Path("data/a.csv").read_text().strip()
other = len(list(Path("data").glob("*.csv")))
```

It says `{python} read`, of `{python} other`.
"""


def render(root: Path) -> RenderReport:
    return render_book(root=root, output=root / "_output", formats=["html"])


@pytest.fixture
def book(write_book: WriteBook) -> Path:
    root = write_book(CODE)
    (root / "data").mkdir()
    for name in "ab":
        (root / f"data/{name}.csv").write_text(f"{name}\n", encoding="utf-8")
    return root


def test_a_chapter_runs_again_for_the_files_it_read_and_no_other(book: Path) -> None:
    assert render(book).executed == ("one.qmd",)
    (book / "data/b.csv").write_text("of no interest\n", encoding="utf-8")
    assert render(book).executed == ()
    (book / "data/a.csv").write_text("changed\n", encoding="utf-8")
    assert render(book).executed == ("one.qmd",)
    assert "It says changed, of 2." in (book / "_output/one.html").read_text(encoding="utf-8")
    (book / "data/c.csv").write_text("a new file that it might have asked for\n", encoding="utf-8")
    assert render(book).executed == ("one.qmd",)
    assert "of 3." in (book / "_output/one.html").read_text(encoding="utf-8")


def test_going_back_to_an_earlier_state_runs_nothing(book: Path) -> None:
    render(book)
    (book / "data/a.csv").write_text("changed\n", encoding="utf-8")
    render(book)
    (book / "data/a.csv").write_text("a\n", encoding="utf-8")
    assert render(book).executed == ()
    assert "It says a, of 2." in (book / "_output/one.html").read_text(encoding="utf-8")


def test_a_module_of_the_package_counts_when_a_chapter_imports_it(write_book: WriteBook) -> None:
    from hhp_stats.publish.dependencies import Files

    root = write_book(
        "# One {#sec-one}\n\n```{python}\nfrom hhp_stats.present.numbers import number\n```\n\n`{python} number(1.0)`\n"
    )
    render(root)
    (kept,) = (root / ".report/cache").glob("one-*.json")
    noted = json.loads(kept.read_bytes().partition(b"\n")[2])["read"]
    assert "package:present/numbers.py" in noted and not any("publish/" in name for name in noted)
    assert Files(root).unchanged(noted)
    assert not Files(root).unchanged({**noted, "package:present/numbers.py": "another"})
    assert not Files(root).unchanged({**noted, "project:gone.csv": "a"})


def test_a_part_of_a_file_counts_and_not_the_file(write_book: WriteBook) -> None:
    code = (
        "# One {#sec-one}\n\n```{python}\nfrom pathlib import Path\nfrom hhp_stats.present.status import"
        ' read_release\nstatus = read_release(Path(".")).status\n```\n\nThey are `{python} status`.\n'
    )
    root = write_book(code)
    manifest = root / "data/manifest.toml"
    manifest.parent.mkdir()
    manifest.write_text('status = "synthetic"\nrelease = "2020-01-01"\n', encoding="utf-8")
    assert render(root).executed == ("one.qmd",)
    manifest.write_text('status = "synthetic"\nrelease = "2020-01-01"\n[files]\na = "checksum"\n', encoding="utf-8")
    assert render(root).executed == ()
    manifest.write_text('status = "real"\nrelease = "2020-01-01"\n', encoding="utf-8")
    assert render(root).executed == ("one.qmd",)
    assert "They are real." in (root / "_output/one.html").read_text(encoding="utf-8")


def test_every_part_can_be_read_again() -> None:
    root = Path(__file__).resolve().parents[2]
    for read in (catalogue, read_release, book_sections):
        assert hasattr(read, "__wrapped__"), "it is no part"
        name = f"{read.__module__}:{read.__qualname__}"
        assert digest_now(name, root) == digest_of(read(root)) != "missing"
        assert digest_now(name, root / "nowhere") in ("missing", digest_of({}))
    with pytest.raises(TypeError, match="read again"):
        as_part(lambda root: root)


def test_the_whole_report_stands_only_while_inputs_and_outputs_are_the_same(book: Path) -> None:
    output = book / "_output"

    def key() -> str:
        return report_key(book, formats=["html"], engine="embedded")

    assert not still_stands(book, output, key())
    render(book)
    note_report(book, output, key())
    assert still_stands(book, output, key())
    assert not still_stands(book, output, report_key(book, formats=["html", "pdf"], engine="embedded"))
    assert not still_stands(book, book / "elsewhere", key())
    for name in ("one.qmd", "_quarto.yml", "data/b.csv"):
        text = (book / name).read_bytes()
        (book / name).write_bytes(text + b"\n\n")
        assert not still_stands(book, output, key()), name
        (book / name).write_bytes(text)
    page = (output / "one.html").read_bytes()
    (output / "one.html").write_bytes(page.replace(b"Words", b"words"))
    assert not still_stands(book, output, key())
    (output / "one.html").write_bytes(page)
    assert still_stands(book, output, key())
    (book / NOTE).write_text("{", encoding="utf-8")
    assert not still_stands(book, output, key())


def test_kept_texts_are_made_again_when_damaged_or_asked_afresh(tmp_path: Path) -> None:
    made: list[str] = []

    def make() -> str:
        made.append("made")
        return f"text {len(made)}"

    kept = KeptTexts(tmp_path)
    assert kept.text(["a", "b"], make) == kept.text(["a", "b"], make) == "text 1"
    assert kept.text(["ab", ""], make) == "text 2"  # where one part ends counts
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[:-1])
    assert kept.text(["a", "b"], make) == "text 3"
    assert KeptTexts(tmp_path, fresh=True).text(["a", "b"], make) == "text 4"
    assert kept.text(["a", "b"], make) == "text 4"


def test_what_is_installed_does_not_depend_on_what_was_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digest_environment()
    (tmp_path / "vendored-1.0.dist-info").mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])  # as setuptools does when something imports it
    assert digest_environment() == before


def test_figures_that_a_chapter_writes_aside_do_not_make_it_run_again(tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report/one.qmd").write_text("", encoding="utf-8")
    before = digest_names(tmp_path)
    for name in ("figures", "__pycache__"):
        (tmp_path / "report" / name).mkdir()
        (tmp_path / "report" / name / "made.svg").write_text("", encoding="utf-8")
    assert digest_names(tmp_path) == before
    (tmp_path / "report/two.qmd").write_text("", encoding="utf-8")
    assert digest_names(tmp_path) != before


def test_a_correction_or_a_new_return_concerns_the_study_that_reads_it_alone(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "data", tmp_path / "data", ignore=shutil.ignore_patterns("releases"))
    manifest = tmp_path / "data/manifest.toml"

    def changed(before: dict[str, str]) -> set[str]:
        return {study.key for study in studies_of(ROOT) if study.key_now(tmp_path) != before[study.key]}

    def keys() -> dict[str, str]:
        return {study.key: study.key_now(tmp_path) for study in studies_of(ROOT)}

    first = keys()
    assert changed(first) == set()
    with (tmp_path / "data/corrections.csv").open("a", encoding="utf-8") as ledger:
        ledger.write("K1,2020-04-20,goal_setting,endline,Bromley,BR1,overall_absence_days,1,2,missed,authority\n")
    assert changed(first) == {"goal_setting"}
    second, lines = keys(), manifest.read_text(encoding="utf-8").splitlines()
    at = next(n for n, line in enumerate(lines) if "surveys/letters" in line)
    lines[at] = lines[at].split(" = ")[0] + ' = "0"'
    manifest.write_text("\n".join(lines), encoding="utf-8")
    assert changed(second) == {"letters"}
    text = manifest.read_text(encoding="utf-8").replace('status = "synthetic"', 'status = "real"')
    manifest.write_text(text, encoding="utf-8")
    assert changed(second) == {study.key for study in studies_of(ROOT)}
