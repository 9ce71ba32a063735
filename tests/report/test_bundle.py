"""One zip with all a reviewer needs; its index leads from labels to functions that are there."""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
from pathlib import Path

import pytest
from frozen_tools import vouch

from hhp_stats.publish.bundle import TOP, index_of, write_bundle
from hhp_stats.publish.release import ReleaseRefused
from hhp_stats.results import read_results

FIGURE = (
    '<figure id="tbl-gs-primary" class="float tbl">\n<figcaption><span class="float-label">Table&nbsp;1.1</span> '
    "Planned <em>analysis</em></figcaption></figure>"
    '<figure id="fig-gs-absence-versions" class="float fig"><svg/><figcaption><span class="float-label">Figure&nbsp;1.1'
    "</span> All versions</figcaption></figure>"
)


@pytest.fixture
def home(prepared: Path, tmp_path: Path) -> Path:
    copy = Path(shutil.copytree(prepared, tmp_path / "project"))
    (copy / "_output/index.html").write_text(FIGURE, encoding="utf-8")
    (copy / "README.md").write_text("# Readme\n", encoding="utf-8")
    (copy / "hhp_stats/__pycache__").mkdir(parents=True)
    (copy / "hhp_stats/__init__.py").write_text("", encoding="utf-8")
    (copy / "hhp_stats/__pycache__/x.pyc").write_bytes(b"compiled")
    (copy / "data/releases/2026-01-01").mkdir(parents=True)
    for name in ("returns.csv.gz", "report.zip", "results.csv"):
        (copy / "data/releases/2026-01-01" / name).write_bytes(b"x")
    vouch(copy)
    return copy


def names(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return {name.removeprefix(f"{TOP}/") for name in archive.namelist()}


def read(path: Path, name: str) -> str:
    with zipfile.ZipFile(path) as archive:
        return archive.read(f"{TOP}/{name}").decode()


def test_everything_is_in_it_and_nothing_else(home: Path, tmp_path: Path) -> None:
    made = write_bundle(home, tmp_path / "out/review.zip", output=home / "_output")
    found = names(made.path)
    assert {"READ-ME-FIRST.md", "INDEX.md", "index.csv", "index-results.csv", "README.md", "_quarto.yml", "index.qmd",
            "report/H-changes.qmd", "hhp_stats/__init__.py", "data/manifest.toml", "data/plan/goal_setting.toml",
            "data/returns/goal_setting/kent/endline.xlsx", "results/results.csv", "results/goal_setting/results.csv",
            "report-rendered/index.html", "data/releases/2026-01-01/results.csv"} <= found  # fmt: skip
    assert not [name for name in found if "__pycache__" in name or ".report" in name or "_output" in name]
    assert not {"data/releases/2026-01-01/returns.csv.gz", "data/releases/2026-01-01/report.zip"} & found
    assert (made.files, made.size) == (len(found), made.path.stat().st_size)
    commands = read(made.path, "READ-ME-FIRST.md").split("```")[1]
    assert [line.split("#")[0].strip() for line in commands.strip().splitlines()] == ["make report", "make test"]


def test_the_index_leads_to_functions_that_are_there(home: Path, root: Path, tmp_path: Path) -> None:
    made = write_bundle(home, tmp_path / "review.zip", output=home / "_output")
    lines = {line["label"]: line for line in csv.DictReader(io.StringIO(read(made.path, "index.csv")))}
    primary = lines["tbl-gs-primary"]
    assert (primary["number"], primary["caption"], primary["kind"]) == ("Table 1.1", "Planned analysis", "table")
    figure = lines["gs.figure('absence_versions')"]
    assert (figure["number"], figure["caption"], figure["kind"]) == ("Figure 1.1", "All versions", "figure")
    assert lines["gs.say('primary')"]["function"] == "hhp_stats.present.goal_setting.sentences.primary"
    assert "`tbl-gs-primary`" in read(made.path, "INDEX.md")
    results = list(csv.DictReader(io.StringIO(read(made.path, "index-results.csv"))))
    assert [row["result_id"] for row in results] == list(read_results(home / ".report/results/results.csv")["result_id"])
    for place in {line["code"] for line in lines.values()} | {part for row in results for part in row["code"].split(" + ")}:
        file, _, number = place.rpartition(":")
        text = (root / file).read_text(encoding="utf-8").splitlines()
        assert 1 <= int(number) <= len(text), place


def test_every_table_of_the_real_book_has_its_function(root: Path) -> None:
    lines = index_of(root)
    assert {line.kind for line in lines} == {"table", "figure", "sentence"}
    for line in lines:
        file, _, number = line.code.rpartition(":")
        text = (root / file).read_text(encoding="utf-8").splitlines()[int(number) - 1 : int(number) + 3]
        name = line.function.rpartition(".")[2]
        assert name == "<lambda>" or any(f"def {name}(" in each for each in text), line


def test_the_same_project_gives_the_same_bytes(home: Path, tmp_path: Path) -> None:
    first = write_bundle(home, tmp_path / "a.zip", output=home / "_output").path.read_bytes()
    copy = Path(shutil.copytree(home, tmp_path / "elsewhere"))
    (copy / "index.qmd").touch()
    assert write_bundle(copy, tmp_path / "b.zip", output=copy / "_output").path.read_bytes() == first


def test_real_raw_data_are_never_packed(home: Path, tmp_path: Path) -> None:
    manifest = home / "data/manifest.toml"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace('"synthetic"', '"real"', 1), encoding="utf-8")
    vouch(home)
    made = write_bundle(home, tmp_path / "review.zip", output=home / "_output")
    assert len(made.left_out) > 20
    raw = ("data/returns/", "data/surveys/", "data/allocation/", "data/course_log/")
    assert not [name for name in names(made.path) if name.startswith(raw)]
    assert f"{len(made.left_out)} raw files are left out" in read(made.path, "READ-ME-FIRST.md")


def test_stale_results_are_not_packed(home: Path, tmp_path: Path) -> None:
    (home / ".report/results/goal_setting/key.txt").write_text("other\n", encoding="ascii")
    with pytest.raises(ReleaseRefused, match="older than their inputs"):
        write_bundle(home, tmp_path / "review.zip", output=home / "_output")
    assert not (tmp_path / "review.zip").exists()
