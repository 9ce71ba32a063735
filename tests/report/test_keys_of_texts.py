"""What is kept under a key is found again for the very same parts alone: texts, and results that a deviation lets
pass.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hhp_stats.publish.kept_text import KeptTexts, read_checked, write_checked
from hhp_stats.running.run import studies_of

ROOT = Path(__file__).resolve().parents[2]
STUDIES = studies_of(ROOT)
TRIAL = next(study for study in STUDIES if study.key == "goal_setting")
ENTRY = """
[[deviation]]
id = "X-A06"
study = "{study}"
rule = "{rule}"
units = ["KEN-T01"]
reason = "{reason}"
"""


# ---------------------------------------------------------------- texts
@pytest.mark.parametrize(
    "other",
    [
        ["xy", "w"],
        ["x", "yw"],
        ["xyz"],
        ["x", "yz"],
        ["xy", "z", ""],
        ["", "xy", "z"],
        ["z", "xy"],
        ["xy"],
        ["xy\0", "z"],
        ["xy", "Z"],
    ],
)
def test_a_text_stands_for_its_parts_alone(tmp_path: Path, other: list[str]) -> None:
    """Neither other words, nor the same letters cut elsewhere, nor another order."""
    kept = KeptTexts(tmp_path)
    assert kept.text(["xy", "z"], lambda: "one") == "one"
    assert kept.text(["xy", "z"], lambda: "again") == "one"
    assert kept.text(other, lambda: "two") == "two" and kept.text(["xy", "z"], lambda: "again") == "one"


def test_a_fresh_run_reads_nothing_that_was_kept_before(tmp_path: Path) -> None:
    KeptTexts(tmp_path).text(["a"], lambda: "old")
    fresh = KeptTexts(tmp_path, fresh=True)
    assert fresh.text(["a"], lambda: "new") == "new" and fresh.text(["a"], lambda: "newer") == "new"
    assert KeptTexts(tmp_path).text(["a"], lambda: "newest") == "new"


def test_a_damaged_text_is_made_again(tmp_path: Path) -> None:
    kept = KeptTexts(tmp_path)
    kept.text(["a"], lambda: "whole")
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    assert read_checked(file) is None and kept.text(["a"], lambda: "made again") == "made again"
    write_checked(file, b"x")
    assert read_checked(file) == b"x" and read_checked(tmp_path / "none") is None


# ---------------------------------------------------------------- results
@pytest.fixture
def data(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "data", tmp_path / "data", ignore=shutil.ignore_patterns("releases"))
    return tmp_path


def test_results_do_not_stand_after_a_change_of_what_explains_the_data(data: Path) -> None:
    """An entry about this study's files, its reason, or another such file counts; one about another study or an
    analysis does not.
    """
    path = data / "data/plan/deviations-data.toml"
    keys = [TRIAL.key_now(data)]

    def after(text: str) -> str:
        path.write_text(text, encoding="utf-8")
        return TRIAL.key_now(data)

    for reason in ("Teams were merged.", "Teams were split."):
        keys.append(after(ENTRY.format(study="goal_setting", rule="A06", reason=reason)))
    keys.append(after(ENTRY.format(study="goal_setting", rule="A07", reason="Teams were split.")))
    assert len(set(keys)) == 4
    assert after(ENTRY.format(study="swing", rule="A06", reason="Teams were merged.")) == keys[0]
    assert after(ENTRY.format(study="goal_setting", rule="", reason="An analysis.")) == keys[0]


def test_what_the_manifest_says_counts_for_its_own_study(data: Path) -> None:
    manifest = data / "data/manifest.toml"
    text = manifest.read_text(encoding="utf-8")
    key = TRIAL.key_now(data)

    def after(old: str, new: str) -> str:
        assert old in text
        manifest.write_text(text.replace(old, new, 1), encoding="utf-8")
        return TRIAL.key_now(data)

    assert after('status = "synthetic"', 'status = "real"') != key
    line = next(each for each in text.splitlines() if "returns/goal_setting" in each)
    assert after(line, line.replace(line[-10:-2], "00000000")) != key
    other = next(each for each in text.splitlines() if "allocation/swing" in each)
    assert after(other, other.replace(other[-10:-2], "00000000")) == key
    assert after(text, text) == key


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.key)
def test_every_study_has_a_key_of_its_own(data: Path, study) -> None:  # type: ignore[no-untyped-def]
    """Each raw file of a study moves its key, and no file of another study."""
    before = {each.key: each.key_now(data) for each in STUDIES}
    assert len(set(before.values())) == len(before)
    from hhp_stats.intake.raw_files import raw_files_of

    name = next(iter(raw_files_of(data, study.key)))
    (data / name).write_bytes((data / name).read_bytes() + b"\n")
    moved = {each.key for each in STUDIES if each.key_now(data) != before[each.key]}
    assert study.key in moved and moved <= {
        study.key,
        *(each.key for each in STUDIES if name in raw_files_of(data, each.key)),
    }
