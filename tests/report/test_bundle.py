"""One zip with all a reviewer needs; its index leads from labels to functions that are there."""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from frozen_tools import vouch

from hhp_stats.errors import InvalidInput
from hhp_stats.publish.blind import BLIND_CONTRAST, blinded_results, draw_blinding
from hhp_stats.publish.bundle import TOP, index_of, write_blind_bundle, write_bundle
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


def test_real_raw_data_are_never_packed(home: Path, tmp_path: Path) -> None:
    manifest = home / "data/manifest.toml"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace('"synthetic"', '"real"', 1), encoding="utf-8")
    vouch(home)
    made = write_bundle(home, tmp_path / "review.zip", output=home / "_output")
    assert len(made.left_out) > 20
    data = {name for name in names(made.path) if name.startswith("data/")}
    assert {name.split("/")[1] for name in data} <= {"plan", "published", "releases", "dictionary.csv", "spellings.csv",
                                                     "manifest.toml", "README.md"}  # fmt: skip
    assert f"{len(made.left_out)} files are left out" in read(made.path, "READ-ME-FIRST.md")


def test_stale_results_are_not_packed(home: Path, tmp_path: Path) -> None:
    (home / ".report/results/goal_setting/key.txt").write_text("other\n", encoding="ascii")
    with pytest.raises(ReleaseRefused, match="older than their inputs"):
        write_bundle(home, tmp_path / "review.zip", output=home / "_output")
    assert not (tmp_path / "review.zip").exists()


# ------------------------------------------------------------------ blind
SEEDS = {draw_blinding(seed=seed).flipped: seed for seed in range(20)}
PLANNED = "goal_setting/sickness_absence/itt/cr1"


def test_both_ways_of_naming_the_arms_are_drawn_fairly() -> None:
    flipped = sum(draw_blinding(seed=seed).flipped for seed in range(400))
    assert 150 < flipped < 250  # 5 standard deviations of 400 fair draws
    assert draw_blinding(seed=7) == draw_blinding(seed=7)
    with pytest.raises(InvalidInput, match="whole number"):
        draw_blinding(seed=-1)


@pytest.mark.parametrize("flipped", [False, True])
def test_blind_results_are_the_results_under_other_names(home: Path, flipped: bool) -> None:
    frame = read_results(home / ".report/results/results.csv").set_index("result_id")
    blind = blinded_results(frame.reset_index(), draw_blinding(seed=SEEDS[flipped])).set_index("result_id")
    sign = -1 if flipped else 1
    was, now = frame.loc[PLANNED], blind.loc[PLANNED]
    assert (now["estimate"], now["contrast"]) == (sign * was["estimate"], BLIND_CONTRAST)
    assert sorted([now["conf_low"], now["conf_high"]]) == [now["conf_low"], now["conf_high"]]
    assert {abs(now["conf_low"]), abs(now["conf_high"])} == {abs(was["conf_low"]), abs(was["conf_high"])}
    assert now["p_value"] == was["p_value"] and now["std_error"] == was["std_error"]
    arms = {letter: blind.loc[f"goal_setting/sickness_absence/mean_{letter}/raw", "estimate"] for letter in "ab"}
    means = {
        arm: frame.loc[f"goal_setting/sickness_absence/mean_{arm}/raw", "estimate"] for arm in ("control", "treatment")
    }
    assert (arms["a"], arms["b"]) == (
        (means["treatment"], means["control"]) if flipped else (means["control"], means["treatment"])
    )


def test_nothing_in_the_blind_results_tells_the_arms_apart(home: Path) -> None:
    frame = read_results(home / ".report/results/results.csv")
    blind = [blinded_results(frame, draw_blinding(seed=SEEDS[flipped])) for flipped in (False, True)]
    assert list(blind[0]["result_id"]) == list(blind[1]["result_id"]), "the order or the set of rows names the arms"
    assert len(blind[0]) > 100
    for each in blind:
        words = (
            each[["result_id", "estimand", "contrast", "method", "note", "population"]]
            .to_csv()
            .replace("goal_setting/", "")
        )
        for word in ("treat", "control", "goal", "offer", "complier"):
            assert word not in words.lower(), word
        assert each.loc[each["estimand"].str.match("mean_|sd_|predicted_"), "n"].isna().all()
    same = [column for column in ("method", "note", "population", "n", "p_value", "status") if column in blind[0]]
    comparisons = [each.loc[each["contrast"] == BLIND_CONTRAST, same].reset_index(drop=True) for each in blind]
    pd.testing.assert_frame_equal(*comparisons)


def test_the_blind_bundle_has_no_data_and_no_mapping(home: Path, tmp_path: Path) -> None:
    made = [write_blind_bundle(home, tmp_path / f"{flipped}.zip", seed=SEEDS[flipped]) for flipped in (False, True)]
    found = names(made[0].path)
    assert {
        "blinded/results.csv",
        "blinded/summary.md",
        "blinded/differences.svg",
        "READ-ME-FIRST.md",
        "INDEX.md",
        "data/plan/goal_setting.toml",
    } <= found
    assert not [name for name in found if name.startswith(("data/returns", "data/surveys", "data/allocation", "data/course",
                "data/releases", "data/manifest", "data/synthetic", "results/", "report-rendered/"))]  # fmt: skip
    assert [each.blinding.flipped for each in made] == [False, True]
    assert found == names(made[1].path)
    texts = [name for name in found if not name.endswith((".xlsx", ".png", ".ttf"))]
    other = {name for name in texts if read(made[0].path, name) != read(made[1].path, name)}
    assert other == {"blinded/results.csv", "blinded/summary.md", "blinded/differences.svg"}
    summaries = [read(each.path, "blinded/summary.md") for each in made]
    for summary in summaries:
        picture = summary[summary.index("![") :]
        assert PLANNED in picture and picture.endswith("](differences.svg)\n")
        assert not [word for word in ("treat", "control", "offer") if word in summary.lower()]
    line = next(line for line in summaries[0].splitlines() if PLANNED in line)
    assert ("arm A" in line) != ("arm B" in line)
    exchange = {"arm A": "arm B", "arm B": "arm A"}
    mirrored = next(text for text in summaries[1].splitlines() if PLANNED in text)
    head = line.split(" (")[0]
    letter = next(each for each in exchange if each in head)
    assert mirrored.startswith(head.replace(letter, exchange[letter]))
    again = write_blind_bundle(home, tmp_path / "again.zip", seed=SEEDS[True]).path.read_bytes()
    assert again == made[1].path.read_bytes()
