"""One zip with all a reviewer needs; its index leads from labels to functions that are there."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from frozen_tools import as_real, vouch

from hhp_stats.publish.blind_bundle import write_blind_bundle
from hhp_stats.publish.bundle import TOP, index_of, write_bundle
from hhp_stats.publish.packing import REVIEW, pack, private_digests, themes_of_documents
from hhp_stats.publish.release import ReleaseRefused
from hhp_stats.results.frame import read_results

RAW = (
    "data/returns/",
    "data/surveys/",
    "data/allocation/",
    "data/course_log/",
    "data/decisions/",
    "data/usage/",
    "data/corrections.csv",
    "data/synthetic_truth.toml",
)
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
    (copy / "data/releases/2026-01-01/private").mkdir(parents=True)
    for name in ("private/returns.csv.gz", "report.zip", "results.csv"):
        (copy / "data/releases/2026-01-01" / name).write_bytes(name.encode())
    vouch(copy)
    return copy


def names(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return {name.removeprefix(f"{TOP}/") for name in archive.namelist()}


def read(path: Path, name: str) -> str:
    with zipfile.ZipFile(path) as archive:
        return archive.read(f"{TOP}/{name}").decode()


def test_what_a_reviewer_needs_is_in_it_and_nothing_else(home: Path, tmp_path: Path) -> None:
    made = write_bundle(home, tmp_path / "out/review.zip", output=home / "_output")
    found = names(made.path)
    assert {
        "READ-ME-FIRST.md",
        "INDEX.md",
        "index.csv",
        "index-results.csv",
        "README.md",
        "_quarto.yml",
        "index.qmd",
        "report/H-changes.qmd",
        "hhp_stats/__init__.py",
        "data/manifest.toml",
        "data/plan/goal_setting.toml",
        "results/results.csv",
        "report-rendered/index.html",
        "data/releases/2026-01-01/results.csv",
        "data/qualitative/coffee.csv",
    } <= found
    assert not [name for name in found if "__pycache__" in name or ".report" in name or "_output" in name]
    assert not [name for name in found if name.startswith(RAW) or "private" in name or "corrections" in name]
    assert {name for name in found if name.startswith("results/")} == {"results/results.csv"}
    assert (made.files, made.size) == (len(found), made.path.stat().st_size)
    commands = read(made.path, "READ-ME-FIRST.md").split("```")[1]
    assert [line.split("#")[0].strip() for line in commands.strip().splitlines()] == [
        "make data",
        "make report",
        "make test",
    ]


def test_the_index_leads_to_functions_that_are_there(home: Path, root: Path, tmp_path: Path) -> None:
    made = write_bundle(home, tmp_path / "review.zip", output=home / "_output")
    lines = {line["label"]: line for line in csv.DictReader(io.StringIO(read(made.path, "index.csv")))}
    primary = lines["tbl-gs-primary"]
    assert (primary["number"], primary["caption"], primary["kind"]) == ("Table 1.1", "Planned analysis", "table")
    figure = lines["gs.figure('absence_versions')"]
    assert (figure["number"], figure["caption"], figure["kind"]) == ("Figure 1.1", "All versions", "figure")
    assert lines["gs.say('primary')"]["function"] == "hhp_stats.present.goal_setting.absence.primary"
    assert "`tbl-gs-primary`" in read(made.path, "INDEX.md")
    results = list(csv.DictReader(io.StringIO(read(made.path, "index-results.csv"))))
    assert [row["result_id"] for row in results] == list(
        read_results(home / ".report/results/results.csv")["result_id"]
    )
    for place in {line["code"] for line in lines.values()} | {
        part for row in results for part in row["code"].split(" + ")
    }:
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


HIDING_PLACES = (
    "data/returns/goal_setting/kent/README.md",
    "data/returns/notes.md",
    "data/surveys/swing/.endline.csv",
    "data/returns/goal_setting/kent/~$endline.xlsx",
    "data/corrections.csv.bak",
    "data/plan/goal_setting.toml.bak",
    "data/plan/.kent.toml",
    "data/plan/kent.csv",
    "data/published/kent.xlsx",
    "data/published/old/kent.csv",
    "data/extra/people.csv",
    "data/releases/2026-01-01/private/corrections.csv",
    "data/releases/2026-01-01/corrections.csv",
    "data/releases/2026-01-01/extra/results.csv",
    "report/figures/x.svg",
    "report/kent.xlsx",
    "hhp_stats/kent.csv",
    "tests/unit/kent.csv",
    "tests/reference/x/kent.xlsx",
    "tests/report/book/kent.csv",
    "benchmarks/kent.json",
    "kent.csv",
    "tools/x.csv",
    "_output/kent.csv",
    "_output/assets/kent.xlsx",
    "_output/data/kent.html",
    "hhp_stats/.cache/x.py",
)


@pytest.mark.parametrize("status", ["synthetic", "real"])
def test_nothing_raw_is_packed_whatever_its_name_and_place(home: Path, tmp_path: Path, status: str) -> None:
    secret = b"Zebedee Quillfeather"
    for name in HIDING_PLACES:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(secret)
    ledger = "id,received_on\nK1,Zebedee Quillfeather\n"
    (home / "data/corrections.csv").write_text(ledger, encoding="utf-8")
    (home / "data/published/copy.csv").write_text(ledger, encoding="utf-8")  # an allowed name, the bytes of a raw file
    (home / "tests/reference/x/data.csv").write_text(ledger, encoding="utf-8")
    for link in ("data/plan/linked.toml", "report/linked.qmd", "data/published/linked.csv", "README.md"):
        (home / link).unlink(missing_ok=True)
        (home / link).symlink_to(home / "data/returns/notes.md")
    (home / "tests/published").symlink_to(home / "data/returns", target_is_directory=True)
    (home / "_output/assets/linked.svg").symlink_to(home / "data/returns/notes.md")
    themes = home / "data/qualitative/coffee.csv"
    themes.write_text(
        themes.read_text(encoding="utf-8") + "C99,q,t,Zebedee Quillfeather,,,,benefit,,interviews\n", encoding="utf-8"
    )
    if status == "real":
        as_real(home)
    vouch(home)
    made = write_bundle(home, tmp_path / "review.zip", output=home / "_output")
    blind = write_blind_bundle(home, tmp_path / "blind.zip", seed=1)
    for path in (made.path, blind.path):
        with zipfile.ZipFile(path) as archive:
            assert not [name for name in archive.namelist() if secret in archive.read(name)]
    found = names(made.path)
    assert not [
        name
        for name in found
        if name.startswith(("data/returns", "data/surveys", "data/allocation", "data/course", "data/dec"))
    ]
    assert {name for name in HIDING_PLACES if name.startswith("data/")} <= set(made.left_out) | {
        name for name in HIDING_PLACES if "/." in name
    }
    assert ("data/qualitative/flexitime.csv" in found) == (status == "synthetic")
    said = read(made.path, "READ-ME-FIRST.md")
    assert ("make data" in said) == (status == "synthetic") and "files below `data/` are left out" in said
    assert "data/" not in read(made.path, "data/manifest.toml")


def test_every_file_under_version_control_is_packed_or_raw(root: Path) -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not under version control")
    held = {name for name in listed.stdout.splitlines() if (root / name).is_file()}
    missing = held - set(pack(root, REVIEW, private=private_digests(root)).files)
    raw = (*RAW, "data/manifest.toml", "data/synthetic_truth.toml", "data/qualitative/")
    undecided = sorted(name for name in missing if not name.startswith(raw))
    assert undecided == [], "say in hhp_stats/publish/packing.py whether these may be packed"
    assert set(themes_of_documents(root)) == {name for name in held if name.startswith("data/qualitative/")}


def test_a_report_is_needed_and_it_must_be_of_these_results(home: Path, tmp_path: Path) -> None:
    results = home / "_output/results.csv"
    results.write_bytes(results.read_bytes() + b"\n")
    with pytest.raises(ReleaseRefused, match="rendered from other results"):
        write_bundle(home, tmp_path / "review.zip", output=home / "_output")
    with pytest.raises(ReleaseRefused, match="run `hhp render` first"):
        write_bundle(home, tmp_path / "review.zip", output=home / "nothing")


def test_stale_results_are_not_packed(home: Path, tmp_path: Path) -> None:
    (home / ".report/results/goal_setting/key.txt").write_text("other\n", encoding="ascii")
    with pytest.raises(ReleaseRefused, match="older than their inputs"):
        write_bundle(home, tmp_path / "review.zip", output=home / "_output")
    assert not (tmp_path / "review.zip").exists()
