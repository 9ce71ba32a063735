"""hhp start-real: what goes, what stays, what is listed, and the way back."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from pathlib import Path

import pytest

from hhp_stats.errors import UnknownName
from hhp_stats.intake.manifest import MANIFEST, read_manifest, record_files, status_of, verify_manifest
from hhp_stats.intake.raw_files import raw_files
from hhp_stats.intake.rules_plan import UNCONFIRMED, assumption_problems
from hhp_stats.plan.assumed import CONFIRMED, assumed, confirm, unconfirmed
from hhp_stats.plan.catalogue import catalogue
from hhp_stats.scaffold.start_real import KEPT, StartRefused, start_real, undo

ROOT = Path(__file__).resolve().parents[3]
STUDIES = [entry.study for entry in catalogue(ROOT)]
DAY = dt.date(2026, 11, 30)
ONE_OF_A_KIND = [
    study if quick else pytest.param(study, marks=pytest.mark.slow)
    for study, quick in ((each, each in ("goal_setting", "hiring", "dictation")) for each in STUDIES)
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The data, and what the catalogue looks at."""
    shutil.copytree(ROOT / "data", tmp_path / "data", ignore=shutil.ignore_patterns("releases", ".*"))
    shutil.copy(ROOT / "index.qmd", tmp_path)
    return tmp_path


def contents(home: Path) -> dict[str, bytes]:
    return {path.relative_to(home).as_posix(): path.read_bytes() for path in home.rglob("*") if path.is_file()}


@pytest.mark.parametrize("study", ONE_OF_A_KIND)
def test_one_study_goes_and_comes_back(home: Path, study: str) -> None:
    before = contents(home)
    found = start_real(home, study)
    manifest = read_manifest(home)
    assert {key: status_of(manifest, key) for key in STUDIES} == dict.fromkeys(STUDIES, "synthetic") | {study: "real"}
    assert set(found.others) == set(STUDIES) - {study}
    assert found.moved and all((home / KEPT / study / name).read_bytes() == before[name] for name in found.moved)
    assert not set(found.moved) & set(raw_files(home)) and not verify_manifest(home)
    asked = {name for step in found.steps for name in step.missing}
    assert set(found.moved) <= asked  # what the synthetic release had is what real data need
    assert start_real(home, study).moved == ()  # again: nothing more goes
    undo(home, study)
    assert contents(home) == before


def test_when_the_last_study_is_real_so_is_the_release(home: Path) -> None:
    before = contents(home)
    for study in STUDIES:
        start_real(home, study)
    manifest = read_manifest(home)
    assert (manifest.status, manifest.other.get("seed"), manifest.other.get("status_of")) == ("real", None, None)
    for study in reversed(STUDIES):
        undo(home, study)
    assert contents(home)[MANIFEST] == before[MANIFEST]


def test_files_that_came_in_stay_and_stand_in_the_way_back(home: Path) -> None:
    early = home / "data/returns/goal_setting/kent/endline.csv"
    early.write_text("what Kent sent\n", encoding="utf-8")
    changed = home / "data/surveys/goal_setting/endline.csv"
    changed.write_text("what the platform exported\n", encoding="utf-8")
    found = start_real(home, "goal_setting")
    assert early.read_text("utf-8") == "what Kent sent\n" and "endline.csv" not in " ".join(found.moved)
    states = {name: state for step in found.steps for name, state in step.files.items()}
    assert states["data/returns/goal_setting/kent/endline.csv"] == "not recorded"
    assert states["data/surveys/goal_setting/endline.csv"] == "changed since it was recorded"
    record_files(home)
    states = {name: state for step in start_real(home, "goal_setting").steps for name, state in step.files.items()}
    assert states["data/returns/goal_setting/kent/endline.csv"] == "recorded"
    with pytest.raises(StartRefused, match="is in the way"):
        undo(home, "goal_setting")


def test_an_interrupted_start_is_finished_by_the_next(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            start_real(home, "swing")
    assert status_of(read_manifest(home), "swing") == "real"
    assert len(start_real(home, "swing").moved) == 3 and not verify_manifest(home)


def test_an_assumed_entry_is_listed_until_it_is_confirmed_as_it_stands(home: Path) -> None:
    entry = assumed(home, "goal_setting")[0]
    assert assumption_problems(home, "goal_setting") == []  # synthetic data were drawn so
    start_real(home, "goal_setting")
    open_before = unconfirmed(home, "goal_setting")
    assert entry in open_before
    found = assumption_problems(home, "goal_setting")
    assert [each.cell for each in found] == [each.place for each in open_before]
    assert {(each.code, each.severity) for each in found} == {(UNCONFIRMED.code, "warning")}
    confirm(home, "goal_setting", [entry.place], source="launch log", on=DAY)
    assert unconfirmed(home, "goal_setting") == open_before[1:]
    plan = home / "data/plan/goal_setting.toml"
    (value,) = entry.values.values()
    plan.write_text(plan.read_text("utf-8").replace(value, "2020-02-03", 1), encoding="utf-8")
    assert [each.place for each in unconfirmed(home, "goal_setting")] == [each.place for each in open_before]
    confirm(home, "goal_setting", [entry.place], source="letter of the authority", on=DAY)
    assert (home / CONFIRMED).read_text("utf-8").count("[[confirmed]]") == 1
    with pytest.raises(UnknownName, match="Did you mean"):
        confirm(home, "goal_setting", [f"{entry.place}s"], source="launch log", on=DAY)


@pytest.mark.parametrize("study", STUDIES)
def test_everything_that_a_plan_calls_assumed_is_asked_for(study: str) -> None:
    """Words of a plan that say so (`basis`, `note`) stand in entries that the command lists."""
    text = (ROOT / f"data/plan/{study}.toml").read_text("utf-8")
    said = [line for line in text.splitlines() if line.startswith(("basis =", "note =")) and "assumed" in line]
    assert len(said) == sum("assumed" in entry.why for entry in assumed(ROOT, study))


def test_real_files_are_not_tracked(home: Path) -> None:
    if not shutil.which("git"):
        pytest.skip("no git on this machine")

    def git(*words: str) -> str:
        who = ("-c", "user.name=t", "-c", "user.email=t@example.invalid")
        return subprocess.run(["git", *who, *words], cwd=home, capture_output=True, text=True, check=True).stdout

    shutil.copy(ROOT / ".gitignore", home)
    git("init", "--quiet")
    git("add", "--force", ".")
    git("commit", "--quiet", "-m", "x")
    moved = start_real(home, "swing").moved
    elsewhere = ["data/letters.csv", "data/diaries/swing.ods", "data/surveys/swing/baseline.qsf", "out/kent.xlsx"]
    for name in (*moved, *elsewhere):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("real answers\n", encoding="utf-8")
    own = "data/plan/new.toml"
    (home / own).write_text("", encoding="utf-8")
    git("add", "--all")
    tracked = set(git("ls-files").split("\n"))
    assert not tracked & {*moved, *elsewhere, "data/corrections.csv"} and own in tracked
