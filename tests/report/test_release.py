"""A release is frozen whole or not at all, once, and the same inputs give the same bytes."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest
from frozen_tools import as_real, vouch

from hhp_stats.intake.manifest import sha256_of
from hhp_stats.publish import release
from hhp_stats.publish.release import ReleaseRefused, freeze_release, read_snapshot, releases
from hhp_stats.publish.return_cells import is_return, return_cells

DATE = "2026-05-31"
PUBLIC = {"README.md", "people.csv", "results.csv", "manifest.toml", "printed.json"}
PRIVATE = {f"private/{name}" for name in ("corrections.csv", "returns.csv.gz", "marks.json.gz", "inputs.toml")}
KENT = "data/returns/goal_setting/kent/endline.xlsx"


@pytest.fixture
def home(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The prepared project; of the returns only Kent's are kept, to save time (test_changes keeps all)."""
    monkeypatch.setattr(release, "is_return", lambda name: is_return(name) and "/kent/" in name)
    copy = Path(shutil.copytree(prepared, tmp_path / "project"))
    vouch(copy)
    return copy


def frozen_files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_release_holds_results_manifest_print_and_report(home: Path) -> None:
    made = freeze_release(home, date=DATE, output=home / "_output")
    assert set(made.files) == PUBLIC | PRIVATE | {"report.pdf", "report.zip"}
    assert made.size == sum(path.stat().st_size for path in made.folder.rglob("*") if path.is_file())
    manifest = tomllib.loads((made.folder / "manifest.toml").read_text(encoding="utf-8"))
    assert (manifest["release"], manifest["status"]) == (DATE, "synthetic")
    raw = tomllib.loads((made.folder / "private/inputs.toml").read_text(encoding="utf-8"))
    assert raw["inputs"][KENT] == sha256_of(home / KENT)
    assert not [
        name
        for name in manifest["inputs"]
        if not name.startswith(("data/plan/", "data/published/", "data/dictionary", "data/spellings"))
    ]
    assert {"Python", "numpy", "pandas", "statsmodels"} <= set(manifest["software"])
    assert set(manifest["private_files"]) == PRIVATE
    for name, digest in (manifest["release_files"] | manifest["private_files"]).items():
        assert sha256_of(made.folder / name) == digest
    assert (made.folder / "results.csv").read_bytes() == (home / ".report/results/results.csv").read_bytes()
    said = json.loads((made.folder / "printed.json").read_text(encoding="utf-8"))
    assert said["sentences"]["index.qmd gs.say('primary')"].startswith("Sickness absence was ")
    assert len(said["tables"]["index.qmd tbl-gs-primary"]) >= 7
    with zipfile.ZipFile(made.folder / "report.zip") as site:
        assert site.namelist() == ["assets/page.css", "index.html", "results.csv"]
        assert {entry.date_time for entry in site.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_no_survey_answer_and_no_personal_text_is_kept(home: Path) -> None:
    made = freeze_release(home, date=DATE, output=home / "_output", with_report=False)
    assert set(made.files) == PUBLIC | PRIVATE
    everything = b"".join(
        gzip.decompress(content) if name.endswith(".gz") else content
        for name, content in frozen_files(made.folder).items()
    )
    export = (home / "data/surveys/goal_setting/endline.csv").read_text(encoding="utf-8")
    address = next(word for word in export.replace('"', ",").split(",") if "@" in word)
    assert address.encode() not in everything


def test_a_release_without_the_report_needs_none(home: Path) -> None:
    with_pages = freeze_release(home, date=DATE, output=home / "_output", with_report=False)
    frozen = frozen_files(with_pages.folder)
    shutil.rmtree(home / "data/releases")
    shutil.rmtree(home / "_output")
    assert frozen_files(freeze_release(home, date=DATE, output=home / "_output", with_report=False).folder) == frozen
    with pytest.raises(ReleaseRefused, match=r"_output/index\.html is missing: run `hhp render` first"):
        freeze_release(home, date="2027-01-02", output=home / "_output")


def test_with_real_data_version_control_passes_over_the_private_part(home: Path) -> None:
    as_real(home)
    folder = freeze_release(home, date=DATE, output=home / "_output", with_report=False).folder
    git = ["git", "-c", "init.defaultBranch=main", "-C", str(home)]
    subprocess.run([*git, "init", "-q"], check=True)
    listed = subprocess.run(
        [*git, "ls-files", "--others", "--exclude-standard", str(folder)], capture_output=True, text=True, check=True
    )
    assert {Path(name).name for name in listed.stdout.splitlines()} == PUBLIC
    assert "private/" in (folder / "README.md").read_text(encoding="utf-8")
    assert read_snapshot(home, DATE).private


def test_the_same_inputs_give_the_same_bytes_whatever_the_time(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = frozen_files(freeze_release(home, date=DATE, output=home / "_output").folder)
    shutil.rmtree(home / "data/releases")
    monkeypatch.setattr("time.time", lambda: 4e9)
    (home / "_output/index.html").touch()
    assert frozen_files(freeze_release(home, date=DATE, output=home / "_output").folder) == first


def test_cells_of_a_return_come_back_as_they_were_read(home: Path) -> None:
    freeze_release(home, date=DATE, output=home / "_output", with_report=False)
    kept = read_snapshot(home, DATE).cells(KENT)
    now = return_cells(home, KENT)
    assert len(now) > 50
    assert kept[now.columns.tolist()].equals(now)


def test_a_release_is_never_overwritten_and_needs_a_date(home: Path) -> None:
    folder = freeze_release(home, date=DATE, output=home / "_output").folder
    before = frozen_files(folder)
    with pytest.raises(ReleaseRefused, match="never overwritten"):
        freeze_release(home, date=DATE, output=home / "_output")
    assert frozen_files(folder) == before
    for name in ("31.5.2026", "2026-02-30", "2026-5-31", "../2026-05-31"):
        with pytest.raises(ReleaseRefused, match="named by its date"):
            freeze_release(home, date=name, output=home / "_output")
    assert releases(home) == [DATE]


def test_stale_results_and_another_report_are_refused(home: Path) -> None:
    results = home / "_output/results.csv"
    before = results.read_bytes()
    results.write_bytes(before + b"\n")
    with pytest.raises(ReleaseRefused, match="rendered from other results"):
        freeze_release(home, date=DATE, output=home / "_output")
    results.write_bytes(before)
    (home / "_output/report.pdf").unlink()
    with pytest.raises(ReleaseRefused, match=r"report\.pdf is missing"):
        freeze_release(home, date=DATE, output=home / "_output")
    with (home / "data/corrections.csv").open("a", encoding="utf-8") as ledger:
        ledger.write("\n")
    with pytest.raises(ReleaseRefused, match="goal_setting are older than their inputs: run `hhp results` first"):
        freeze_release(home, date=DATE, output=home / "_output", with_report=False)
    assert releases(home) == []


def test_a_full_disk_leaves_no_half_release(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(release, "write_zip", full)
        with pytest.raises(OSError, match="No space left"):
            freeze_release(home, date=DATE, output=home / "_output")
    assert releases(home) == [] and list((home / "data/releases").iterdir()) == []
    left = home / f"data/releases/.{DATE}.partial"  # what a killed process leaves
    left.mkdir()
    (left / "results.csv").write_text("half", encoding="utf-8")
    assert releases(home) == []
    made = freeze_release(home, date=DATE, output=home / "_output")
    assert not left.exists() and (made.folder / "results.csv").stat().st_size > 1000


def test_a_release_that_was_edited_is_not_believed(home: Path) -> None:
    folder = freeze_release(home, date=DATE, output=home / "_output", with_report=False).folder
    text = (folder / "results.csv").read_text(encoding="utf-8")
    (folder / "results.csv").write_text(text.replace("0.95", "0.90", 1), encoding="utf-8")
    with pytest.raises(ReleaseRefused, match=r"results\.csv was changed after the release"):
        read_snapshot(home, DATE)
    (folder / "manifest.toml").write_text("release = ", encoding="utf-8")
    with pytest.raises(ReleaseRefused, match="damaged"):
        read_snapshot(home, DATE)
    with pytest.raises(ReleaseRefused, match=f"there are: {DATE}"):
        read_snapshot(home, "2020-01-01")


def test_zips_depend_on_names_and_contents_alone(tmp_path: Path) -> None:
    release.write_zip(tmp_path / "a.zip", {"b": b"2", "a": b"1"})
    release.write_zip(tmp_path / "c.zip", {"a": b"1", "b": b"2"})
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "c.zip").read_bytes()
    assert zipfile.ZipFile(io.BytesIO((tmp_path / "a.zip").read_bytes())).namelist() == ["a", "b"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "c.zip"]
