"""Commands around the report and its releases, run in this process: what they hand on, say, refuse and leave behind."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click.testing
import pytest
from frozen_tools import CONFIG, ONLY, ROOT, vouch
from typer.testing import CliRunner

from hhp_stats.cli import app
from hhp_stats.cli import releases as release_commands
from hhp_stats.cli import report as report_commands
from hhp_stats.errors import HhpError
from hhp_stats.files.replaced_folder import replaced
from hhp_stats.plan import book_studies
from hhp_stats.plan.imprint import read_imprint
from hhp_stats.present.origins import banner_sentence
from hhp_stats.present.release import WHOLE
from hhp_stats.publish import changes, release
from hhp_stats.publish.blind import draw_blinding, two_armed
from hhp_stats.publish.return_cells import is_return
from hhp_stats.results.frame import read_results
from hhp_stats.running import run as studies

PRIMARY = "goal_setting/sickness_absence/itt/cr1"
KENT = "data/returns/goal_setting/kent/endline.xlsx"


@pytest.fixture
def home(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the prepared project, to stand in; of the returns only Kent's are kept in a release, to save time."""
    monkeypatch.setattr(release, "is_return", lambda name: is_return(name) and "/kent/" in name)
    monkeypatch.setattr(release, "studies_of", lambda root: ONLY)
    monkeypatch.setattr(
        book_studies, "check_book", lambda root: None
    )  # a book of two chapters lists none of the studies
    monkeypatch.setattr(studies, "studies_of", lambda root: ONLY)
    copy = Path(shutil.copytree(prepared, tmp_path / "project"))
    vouch(copy)
    monkeypatch.chdir(copy)
    return copy


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small book, the manifest and the imprint: for commands whose work is replaced, so that no result is needed."""
    copy = tmp_path / "book"
    (copy / "data").mkdir(parents=True)
    for name in ("manifest.toml", "imprint.toml"):
        shutil.copy(ROOT / "data" / name, copy / "data")
    for name in ("plan", "published"):  # which effects are invented
        shutil.copytree(ROOT / "data" / name, copy / "data" / name)
    config, said = CONFIG.replace(", report/H-changes.qmd", ""), read_imprint(ROOT)
    for own, imprinted in (("2024-01-02", str(said.date)), ("Evaluation team", said.authors[0].name)):
        assert own in config
        config = config.replace(own, imprinted)
    (copy / "_quarto.yml").write_text(config, encoding="utf-8")
    (copy / "index.qmd").write_text("# Summary {#sec-summary}\n\nWords.\n", encoding="utf-8")
    monkeypatch.chdir(copy)
    return copy


@pytest.fixture
def studies_run(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """How often the studies were asked to run, and whether afresh; they do not run."""
    asked: list[bool] = []
    for module in (release_commands, report_commands):
        monkeypatch.setattr(
            module, "run_all_studies", lambda root, *, fresh, on_estimated=None, dask=None: asked.append(fresh)
        )
    return asked


def run(*words: str) -> click.testing.Result:
    return CliRunner().invoke(app, list(words), terminal_width=200)


def done(*words: str) -> click.testing.Result:
    result = run(*words)
    assert result.exit_code == 0, (result.output, result.exception)
    return result


def said(result: click.testing.Result) -> str:
    return " ".join(result.output.split())


# ---------------------------------------------------------------- releases
def test_a_release_is_frozen_once_and_compared_with_now(home: Path) -> None:
    rows = len(read_results(home / ".report/results/results.csv"))
    named = tomllib.loads((home / "data/manifest.toml").read_text(encoding="utf-8"))["release"]
    first = done("release")
    assert (home / f"data/releases/{named}/report.zip").is_file() and f"froze {rows} results" in said(first)
    again = run("release")
    assert again.exit_code == 2 or isinstance(again.exception, release.ReleaseTaken)
    done("release", "--date", "2027-01-02", "--no-report")
    assert not list((home / "data/releases/2027-01-02").glob("report*"))

    told = json.loads(done("changes", "--json").stdout)
    assert told == json.loads(json.dumps(changes.compare_releases(home, None, "now").record(), default=str))
    between = json.loads(done("changes", str(named), "2027-01-02", "--json").stdout)
    assert between == json.loads(
        json.dumps(changes.compare_releases(home, str(named), "2027-01-02").record(), default=str)
    )


def test_values_of_people_are_shown_when_they_are_asked_for(home: Path) -> None:
    from openpyxl import load_workbook

    done("release", "--no-report")
    book = load_workbook(home / KENT)
    sheet = book["Return"]
    top = next(row for row in range(1, 12) if sheet.cell(row, 1).value == "Unique Staff ID")
    column = next(cell.column for cell in sheet[top] if cell.value and "Illness related absence" in str(cell.value))
    who, was = sheet.cell(top + 3, 1).value, sheet.cell(top + 3, column).value
    sheet.cell(top + 3, column).value = was + 1
    overall = next(cell.column for cell in sheet[top] if cell.value and "Overall absence" in str(cell.value))
    sheet.cell(top + 3, overall).value += 1
    spells = next(cell.column for cell in sheet[top] if cell.value and "spells" in str(cell.value))
    sheet.cell(top + 3, spells).value = max(1, sheet.cell(top + 3, spells).value or 0)
    book.save(home / KENT)
    from hhp_stats.intake.manifest import record_files

    record_files(home)
    vouch(home)
    plain, private = done("changes"), done("changes", "--cells")
    assert "Cells of returns" not in plain.output and "Cells of returns (" in private.stdout
    assert re.search(rf"illness_days Was: {was:g} Is: {was + 1:g}\b", said(private)) and str(who) not in private.output
    assert "must not leave this machine" in private.stderr and "must not leave" not in private.stdout
    assert plain.stdout.strip() in private.stdout


@pytest.mark.parametrize(("later", "asked"), [("now", [False]), ("2027-01-02", [])])
def test_studies_run_only_where_the_present_is_compared(
    book: Path, studies_run: list[bool], monkeypatch: pytest.MonkeyPatch, later: str, asked: list[bool]
) -> None:
    compared: list[tuple[Any, ...]] = []
    monkeypatch.setattr(
        changes, "compare_releases", lambda *given: compared.append(given) or SimpleNamespace(record=dict)
    )
    assert run("changes", "2026-01-01", later, "--json").exit_code == 2 and not (studies_run or compared)
    for name in ("2026-01-01", "2027-01-02"):
        (book / "data/releases" / name).mkdir(parents=True)
    done("changes", "2026-01-01", later, "--json")
    assert studies_run == asked and compared == [(book, "2026-01-01", later)]


def test_cells_and_json_exclude_each_other(book: Path, studies_run: list[bool]) -> None:
    result = run("changes", "--cells", "--json")
    assert result.exit_code == 2 and result.stdout == "" and not studies_run


def test_bundles_for_a_reviewer(home: Path, tmp_path: Path) -> None:
    target = tmp_path / "review.zip"
    first = done("bundle", str(target))
    with zipfile.ZipFile(target) as archive:
        assert f"{len(archive.namelist())} files" in said(first)
    assert "Keep from the reviewer" not in first.output
    done("bundle", str(target))  # its own earlier file
    (tmp_path / "letter.zip").write_bytes(b"somebody's own")
    refused = run("bundle", str(tmp_path / "letter.zip"))
    assert refused.exit_code == 2 and (tmp_path / "letter.zip").read_bytes() == b"somebody's own"
    done("bundle", str(tmp_path / "letter.zip"), "--force", str(tmp_path / "letter.zip"))
    assert zipfile.is_zipfile(tmp_path / "letter.zip")


@pytest.mark.parametrize("more", [[], ["--force", "blind.zip"]])
def test_a_blind_bundle_needs_its_seed(book: Path, more: list[str]) -> None:
    refused = run("bundle", "blind.zip", "--blind", *more)
    assert refused.exit_code == 2 and "needs --seed" in said(refused) and not (book / "blind.zip").exists()


def test_a_blind_bundle_tells_the_arms_beside_the_output(home: Path, tmp_path: Path) -> None:
    frame = read_results(home / ".report/results/results.csv")
    for seed in (1, 2):
        target = tmp_path / f"{seed}.zip"
        made = done("bundle", str(target), "--blind", "--seed", str(seed))
        treated = draw_blinding(two_armed(frame), seed=seed).arms["goal_setting"]["treatment"]
        assert (
            f"goal_setting: treatment is {treated}" in " ".join(made.stderr.split())
            and "treatment is" not in made.stdout
        )
        with zipfile.ZipFile(target) as archive:
            assert not any("report-rendered" in name for name in archive.namelist())


# ---------------------------------------------------------------- preview
@dataclass
class Served:
    """Stands for a preview: what was asked of it, and how it ends."""

    ends: BaseException
    given: dict[str, Any] = field(default_factory=dict)
    called: list[str] = field(default_factory=list)
    address: str = "http://127.0.0.1:8000/"

    def start(self) -> None:
        self.called.append("start")

    def wait(self) -> None:
        raise self.ends

    def stop(self) -> None:
        self.called.append("stop")


def asked_to_end(status: int | None) -> KeyboardInterrupt:
    asked = KeyboardInterrupt()
    if status is not None:
        asked.status = status  # type: ignore[attr-defined]
    return asked


@pytest.mark.parametrize(("status", "exit_code"), [(None, 0), (130, 0), (143, 143)])
def test_a_preview_stops_when_it_is_asked_to(
    book: Path, studies_run: list[bool], monkeypatch: pytest.MonkeyPatch, status: int | None, exit_code: int
) -> None:
    from hhp_stats.publish import preview

    served = Served(ends=asked_to_end(status))
    monkeypatch.setattr(preview, "preview_of", lambda root, **given: served.given.update(given, root=root) or served)
    result = run("preview", "--port", "8000")
    assert result.exit_code == exit_code and served.called == ["start", "stop"] and served.address in result.output
    assert studies_run == [False]
    assert served.given["port"] == 8000 and served.given["root"] == book
    assert served.given["banner"] == report_commands.shown_in_pages(book)["banner"] != ""  # synthetic data
    assert served.given["attachments"] == [book / ".report/results/results.csv"]


# ---------------------------------------------------------------- render
@dataclass
class Made:
    """What a rendering was given, and what it says it made."""

    given: dict[str, Any] = field(default_factory=dict)
    pages: tuple[str, ...] = ("index.html", "one.html")
    pdf: str | None = "_output/report.pdf"
    printed: tuple[str, ...] = ("_output/report.pdf", "_output/appendices.pdf")
    unprinted: tuple[str, ...] = ()
    checked: list[Path] = field(default_factory=list)


@pytest.fixture
def rendering(book: Path, studies_run: list[bool], monkeypatch: pytest.MonkeyPatch) -> Made:
    from hhp_stats.publish import render
    from hhp_stats.publish.checks import self_check

    made = Made()

    def render_book(**given: Any) -> Made:
        made.given = given
        with replaced(given["output"], given["guard"]) as building:  # as a rendering does
            (building / "index.html").write_text("<!doctype html>", encoding="utf-8")
        given["progress"].stage("site", None)
        given["progress"].stage("site", 1.25)
        given["progress"].chapter("index.qmd", "reused", 1, 2)
        if given["inspect"] is not None:
            given["inspect"](given["output"])
        return made

    monkeypatch.setattr(render, "render_book", render_book)
    monkeypatch.setattr(self_check, "check_report", lambda root, pages, *, remember: made.checked.append(pages))
    return made


@pytest.mark.parametrize(
    ("words", "formats", "fresh"),
    [
        ((), ("html", "pdf"), False),
        (("--format", "html"), ("html",), False),
        (("--format", "pdf", "--fresh"), ("pdf",), True),
        (("--format", "pdf", "--format", "html"), ("pdf", "html"), False),
    ],
)
def test_a_rendering_is_asked_for_in_full(
    book: Path, rendering: Made, studies_run: list[bool], words: tuple[str, ...], formats: tuple[str, ...], fresh: bool
) -> None:
    result = done("render", *words)
    given = rendering.given
    assert (given["root"], given["output"], given["formats"], given["engine"], given["fresh"]) == (
        book,
        book / "_output",
        formats,
        "embedded",
        fresh,
    )
    assert studies_run == [fresh]
    assert given["attachments"] == [book / ".report/results/results.csv"]
    assert given["banner"] == report_commands.shown_in_pages(book)["banner"] != ""
    assert given["declared"] and all(path.is_dir() for path in given["declared"])
    # Only pages can be checked against the results.
    assert rendering.checked == [book / "_output"] * ("html" in formats)
    assert "Rendered 2 pages and _output/report.pdf and _output/appendices.pdf" in said(result)
    assert "site 1.2 s" in said(result) and "index.qmd reused (1/2)" in said(result)


def test_an_unchanged_report_stands_and_any_other_is_made(
    book: Path, rendering: Made, studies_run: list[bool], tmp_path: Path
) -> None:
    done("render")
    assert "Nothing has changed" in said(done("render")) and studies_run == [False]
    done("render", "--fresh")
    done("render", "--format", "html")
    done("render", "--output", str(tmp_path / "elsewhere"))
    assert studies_run == [False, True, False, False] and rendering.given["output"] == tmp_path / "elsewhere"
    (book / "index.qmd").write_text("# Other {#sec-other}\n", encoding="utf-8")
    done("render")
    assert len(studies_run) == 5


def test_what_a_rendering_could_not_print_is_named(rendering: Made) -> None:
    rendering.unprinted, rendering.pdf, rendering.printed = ("\U0001f600",), None, ()
    result = done("render")
    assert "‹U+1F600›" in said(result) and "Rendered 2 pages The PDF" in said(result)


@pytest.mark.parametrize("words", [("--engine", "word"), ("--format", "odt"), ("--format", "html", "--format", "epub")])
def test_unknown_engines_and_formats_are_wrong_use(
    rendering: Made, studies_run: list[bool], words: tuple[str, ...]
) -> None:
    assert run("render", *words).exit_code == 2 and not studies_run


def test_a_folder_of_somebody_else_is_not_rendered_into(
    rendering: Made, studies_run: list[bool], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("mine", encoding="utf-8")
    assert run("render", "--output", str(other)).exit_code == 2 and not studies_run
    assert (other / "letter.txt").read_text(encoding="utf-8") == "mine"


def test_real_data_are_shown_without_a_banner_and_synthetic_with_theirs(book: Path) -> None:
    with (book / "_quarto.yml").open("a", encoding="utf-8") as config:
        config.write("synthetic-banner: Made-up numbers.\n")
    notice = report_commands.shown_in_pages(book)["banner"]
    assert notice == {
        WHOLE: f"Made-up numbers. {banner_sentence(book)}"
    } and "goal-setting, letters or coffee" in banner_sentence(book)
    manifest = book / "data/manifest.toml"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace('"synthetic"', '"real"', 1), encoding="utf-8")
    assert report_commands.shown_in_pages(book)["banner"] == ""


# ---------------------------------------------------------------- results, explain, lint, audit, synthesise
def test_results_say_which_studies_stand(home: Path) -> None:
    result = done("results")
    rows = read_results(home / ".report/results/results.csv")
    assert "goal setting: unchanged since the last run" in said(result)
    assert f"Results: {len(rows)} rows, {(rows['status'] == 'estimated').sum()} of them estimates" in said(result)
    assert "Second programme:" in said(result)


@pytest.mark.parametrize(("words", "fresh"), [((), False), (("--fresh",), True)])
def test_results_run_afresh_when_asked(
    book: Path, studies_run: list[bool], words: tuple[str, ...], fresh: bool
) -> None:
    done("results", *words)
    assert studies_run == [fresh]


def test_a_row_is_explained_in_words_as_json_and_as_a_programme(home: Path) -> None:
    row = read_results(home / ".report/results/results.csv").set_index("result_id").loc[PRIMARY]
    assert PRIMARY in done("explain", PRIMARY).output
    record = json.loads(done("explain", PRIMARY, "--json").stdout)
    assert record["result"]["estimate"] == row["estimate"] and record["result"]["n"] == row["n"]
    compile(done("explain", PRIMARY, "--code", "python").stdout, "programme", "exec")
    assert (
        "library(" in done("explain", PRIMARY, "--code", "r").stdout
        or "<-" in done("explain", PRIMARY, "--code", "r").stdout
    )


@pytest.mark.parametrize("words", [("--code", "pascal"), ("--code", "r", "--json")])
def test_a_programme_is_in_a_known_language_and_is_text(book: Path, words: tuple[str, ...]) -> None:
    result = run("explain", PRIMARY, *words)
    assert result.exit_code == 2 and result.stdout == ""


def test_an_unknown_row_is_refused(home: Path) -> None:
    refused = run("explain", "goal_setting/no/such/id")
    assert refused.exit_code == 2 and "Traceback" not in said(refused)
    assert "'goal_setting/no/such/id'; see the list in appendix F" in said(refused)


def test_lint_lists_problems_with_their_place_or_says_that_there_is_none(book: Path) -> None:
    assert "inside the syntax" in said(done("lint"))
    (book / "index.qmd").write_text("# Summary {#sec-summary}\n\nWords.\n\n::: {.aside}\nNo.\n:::\n", encoding="utf-8")
    result = run("lint")
    assert isinstance(result.exception, HhpError) and "index.qmd" in said(result) and "line 5" in said(result)


@pytest.mark.parametrize("status", [0, 1])
def test_the_audit_ends_with_its_status(book: Path, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    from hhp_stats.consistency import command

    (book / "mine.csv").touch()
    asked: list[Any] = []
    shown: list[bool] = []
    report = SimpleNamespace(
        exit_status=status,
        record=lambda: {"figures": status},
        show=lambda console, *, everything: shown.append(everything),
    )
    monkeypatch.setattr(command, "run_audit", lambda root, file: asked.append((root, file)) or report)
    words: Callable[..., Any] = lambda *more: run("audit", *more)  # noqa: E731
    assert words("mine.csv", "--json").exit_code == status and json.loads(words("--json").stdout) == {"figures": status}
    assert words("--all").exit_code == words().exit_code == status and shown == [True, False]
    assert asked == [(book, Path("mine.csv")), (book, None), (book, None), (book, None)]


def test_a_synthetic_release_is_written_from_its_seed(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hhp_stats.synthetic import release as synthetic

    asked: list[Any] = []

    def write(root: Path, *, seed: int | None, force: tuple[Path, ...], progress: Callable[[int, int], None]) -> Any:
        asked.append((root, seed, force))
        progress(1, 2)
        return SimpleNamespace(
            files=["a", "b", "c"], size=2_500_000, release="2031-01-01", seed=seed, studies=["swing"]
        )

    monkeypatch.setattr(synthetic, "synthesise", write)
    result = done("synthesise", "--seed", "7", "--force", "data/x.csv")
    assert asked == [(book, 7, (Path("data/x.csv"),))]
    assert "Wrote 3 files (2.5 MB) of release 2031-01-01 from seed 7: swing." in said(result)
    done("synthesise")
    assert asked[1] == (book, None, ())
