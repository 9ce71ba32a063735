"""Blind means blind: what depends on the key is a sign or a letter, and nothing a reader may know gives the key
away.
"""

from __future__ import annotations

import math
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from frozen_tools import vouch

from hhp_stats.errors import InvalidInput
from hhp_stats.estimate.effect_size import hedges_g
from hhp_stats.estimate.two_sample import welch
from hhp_stats.publish.blind import (
    BLIND_CHANGE,
    BLIND_CONTRAST,
    HALF,
    OTHER_DESIGN,
    SHARE,
    Blinding,
    blind_figure,
    blind_summary,
    blinded_results,
    draw_blinding,
    two_armed,
)
from hhp_stats.publish.blind_bundle import write_blind_bundle, write_blinded
from hhp_stats.publish.bundle import TOP
from hhp_stats.results.contrast import ARMS, CONTROL, EITHER_WAY, TREATMENT
from hhp_stats.results.frame import COLUMNS, ResultRow, read_results, result_frame
from hhp_stats.running.run import run_study

STUDIES = ("swing", "mod_ing", "coffee", "hiring")
DEPENDS = {"blinded/results.csv", "blinded/summary.md", "blinded/differences.svg"}
TURNED = ("estimate", "statistic", "conf_low", "conf_high")
STANDING = [name for name in COLUMNS if name not in TURNED]


@pytest.fixture(scope="module")
def frame(root: Path) -> pd.DataFrame:
    """Results of trials of people, of clusters and of an experiment with several arms."""
    outputs = [run_study(root, study) for study in STUDIES]
    return pd.concat([output.results for output in outputs], ignore_index=True)


@pytest.fixture(scope="module")
def home(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = Path(shutil.copytree(prepared, tmp_path_factory.mktemp("blind") / "project"))
    vouch(copy)
    return copy


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name.removeprefix(f"{TOP}/"): archive.read(name) for name in archive.namelist()}


def both_ways(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    one = draw_blinding(two_armed(frame), seed=0)
    return blinded_results(frame, one).results, blinded_results(frame, one.exchanged()).results


# ------------------------------------------------------------------ the key
def test_the_key_is_drawn_fairly_and_for_each_trial_by_itself() -> None:
    names = ("coffee", "swing")
    drawn = [tuple(draw_blinding(names, seed=seed).flipped(name) for name in names) for seed in range(400)]
    for pair in ((False, False), (False, True), (True, False), (True, True)):
        assert 57 < drawn.count(pair) < 143  # 100 expected; five standard deviations of 400 draws are 43
    assert draw_blinding(names, seed=7) == draw_blinding(reversed(names), seed=7)
    assert draw_blinding(("swing",), seed=7).arms["swing"] == draw_blinding(names, seed=7).arms["swing"]
    with pytest.raises(InvalidInput, match="whole number"):
        draw_blinding(names, seed=-1)


def test_exchanging_the_arms_turns_signs_and_letters_and_changes_nothing_else(frame: pd.DataFrame) -> None:
    one, other = both_ways(frame)
    assert len(one) > 90
    assert list(one["result_id"]) == list(other["result_id"]), "the order or the set of rows depends on the key"
    lettered = one["contrast"].isin(("arm A", "arm B"))
    turned = one["contrast"].isin((BLIND_CONTRAST, BLIND_CHANGE))
    assert lettered.any() and turned.any() and (one["contrast"] == BLIND_CHANGE).any()
    pd.testing.assert_frame_equal(one[~lettered & ~turned], other[~lettered & ~turned])
    assert set(one.loc[~lettered & ~turned, "contrast"]) == {EITHER_WAY}
    pd.testing.assert_frame_equal(one.loc[turned, STANDING], other.loc[turned, STANDING])
    for left, right in (("estimate", "estimate"), ("statistic", "statistic"), ("conf_low", "conf_high")):
        np.testing.assert_array_equal(one.loc[turned, left], -other.loc[turned, right])
    keys = one["result_id"].str.replace("/mean_a/", "/mean_b/", regex=False)
    exchanged = dict(zip(other["result_id"], other["estimate"], strict=True))
    for row, mirror in zip(one[lettered].to_dict("records"), keys[lettered], strict=True):
        if "/mean_a/" in row["result_id"]:
            assert row["estimate"] == exchanged[mirror]
    rest = [name for name in STANDING if name not in ("result_id", "estimand", "contrast")]
    pd.testing.assert_frame_equal(one.loc[lettered, rest], other.loc[lettered, rest])


def test_no_zero_shows_a_sign(frame: pd.DataFrame) -> None:
    zero = (
        frame.loc[frame["contrast"] == ARMS].head(1).assign(estimate=0.0, statistic=0.0, conf_low=-1.0, conf_high=1.0)
    )
    for made in both_ways(zero):
        assert not re.search(r"(?<![\d.])-0(\.0*)?(?![\d.])", made.to_csv())


def test_a_difference_keeps_its_size(frame: pd.DataFrame) -> None:
    one, _ = both_ways(frame)
    was = frame.set_index("result_id")
    for row in one.loc[one["contrast"] == BLIND_CONTRAST].to_dict("records"):
        old = was.loc[row["result_id"]]
        if old["status"] == "estimated" and old["std_error"] > 0:
            # Rounded to the second digit of the standard error: half a unit is at most a twentieth of it.
            assert abs(abs(row["estimate"]) - abs(old["estimate"])) <= 0.051 * old["std_error"], row["result_id"]
            assert row["std_error"] == pytest.approx(old["std_error"], rel=0.051)


# ------------------------------------------------------------------ attacks
def test_quantities_without_direction_are_never_turned(frame: pd.DataFrame) -> None:
    was = frame.set_index("result_id")
    for made in both_ways(frame):
        rows = made.loc[made["contrast"] == EITHER_WAY]
        assert {"people_needed_achieved", "mde_achieved", "icc"} <= set(rows["estimand"])
        for row in rows.to_dict("records"):
            assert row["estimate"] == pytest.approx(was.loc[row["result_id"], "estimate"], rel=1e-3)


def test_numbers_of_people_of_an_arm_are_nowhere(frame: pd.DataFrame) -> None:
    for made in both_ways(frame):
        assert made["df"].isna().all()
        arms = made["contrast"].isin(("arm A", "arm B"))
        assert made.loc[arms, ["n", "n_clusters", "std_error", "conf_low", "conf_high"]].isna().all(axis=None)
        assert (
            not made["estimand"]
            .str.contains("sd_|predicted|cace|uptake|bound|arm_difference|left_|responded|randomised")
            .any()
        )
        words = made[["result_id", "estimand", "contrast", "method", "note", "population"]].to_csv().lower()
        assert not re.search(r"treat|control|complier|trimmed", words)
        assert set(made["note"]) <= {"", "withheld while blind"}


def trial(sizes: dict[str, int], *, seed: int, share: float | None = None) -> pd.DataFrame:
    """A made-up trial with an outcome in whole numbers, or of yes and no, by the project's own estimators."""
    rng = np.random.default_rng(seed)
    values = {
        arm: rng.integers(0, 8, n).astype(float) if share is None else (rng.random(n) < share).astype(float)
        for arm, n in sizes.items()
    }
    y = np.concatenate(list(values.values()))
    arm = np.concatenate([np.full(len(v), float(name == TREATMENT)) for name, v in values.items()])
    about = {"population": "everyone", "analysis": "planned", "clause": "", "source": "x.y"}
    rows = [
        welch(outcome=y, treatment=arm).row(result_id="made_up/days/itt/welch", contrast=ARMS, **about),
        hedges_g(outcome=y, treatment=arm).g.row(result_id="made_up/days/itt/hedges-g", contrast=ARMS, **about),
    ]
    for name, own in values.items():
        for what, value in (("mean", own.mean()), ("sd", own.std(ddof=1))):
            rows.append(
                ResultRow(
                    result_id=f"made_up/days/{what}_{name}/raw",
                    study="made_up",
                    outcome="days",
                    estimand=f"{what}_{name}",
                    contrast=name,
                    method="raw",
                    estimate=float(value),
                    n=len(own),
                    status="descriptive",
                    **about,
                )
            )
    return result_frame(rows)


def possible(value: float, unit: float, n: int) -> bool:
    """Whether a mean of n whole numbers can be shown as this value."""
    return math.floor((value + unit / 2) * n + 1e-9) >= math.ceil((value - unit / 2) * n - 1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_who_knows_the_sizes_of_the_arms_cannot_attribute_the_means(seed: int) -> None:
    sizes = {CONTROL: 74, TREATMENT: 92}
    frame = trial(sizes, seed=seed)
    raw = frame.loc[frame["estimand"].str.startswith("mean_")].set_index("contrast")["estimate"]
    assert not possible(raw[TREATMENT], 1e-9, 74) or not possible(raw[CONTROL], 1e-9, 92), "unrounded, the attack works"
    made, _ = both_ways(frame)
    means = made.loc[made["contrast"].isin(("arm A", "arm B"))]
    assert len(means) == 2
    for row in means.to_dict("records"):
        unit = float(re.search(r"to (\S+)$", row["method"])[1])
        assert possible(row["estimate"], unit, 74) and possible(row["estimate"], unit, 92)
    difference = made.loc[made["result_id"].str.endswith("/itt/welch")].iloc[0]
    fits = [sizes_fit(difference, means, pair) for pair in ((74, 92), (92, 74))]
    assert fits == [True, True]


def sizes_fit(difference, means: pd.DataFrame, sizes: tuple[int, int]) -> bool:
    """Is there a pair of means of whole numbers, of arms of these sizes, that gives what is shown of both and of
    their difference?
    """
    by = means.set_index("contrast")["estimate"]
    unit = float(re.search(r"to (\S+)$", means.iloc[0]["method"])[1])
    decimals = max(
        len(f"{difference['estimate']:g}".partition(".")[2]), len(f"{difference['std_error']:g}".partition(".")[2])
    )
    a, b = (
        np.arange(math.ceil((by[arm] - unit / 2) * n), math.floor((by[arm] + unit / 2) * n) + 1) / n
        for arm, n in zip(("arm A", "arm B"), sizes, strict=True)
    )
    return bool((np.abs(b[:, None] - a[None, :] - difference["estimate"]) <= 0.51 * 10.0**-decimals).any())


def test_means_of_yes_and_no_are_withheld_since_a_share_gives_its_own_variance() -> None:
    found = blinded_results(
        trial({CONTROL: 100, TREATMENT: 300}, seed=3, share=0.2), draw_blinding(("made_up",), seed=1)
    )
    assert not found.results["estimand"].str.startswith("mean_").any()
    assert found.withheld.set_index("reason").loc[SHARE, "results"] == 2


def test_an_arm_without_its_counterpart_is_withheld() -> None:
    frame = trial({CONTROL: 40, TREATMENT: 60}, seed=5)
    one = frame.loc[frame["estimand"] != f"mean_{CONTROL}"].reset_index(drop=True)
    found = blinded_results(one, draw_blinding(("made_up",), seed=1))
    assert found.withheld.set_index("reason").loc[HALF, "results"] == 1
    assert not found.results["estimand"].str.startswith("mean_").any()


def test_every_result_is_there_or_counted_with_its_reason(frame: pd.DataFrame) -> None:
    found = blinded_results(frame, draw_blinding(two_armed(frame), seed=2))
    assert len(found.results) + found.withheld["results"].sum() == len(frame)
    assert list(found.withheld.loc[found.withheld["study"] == "hiring", "reason"]) == [OTHER_DESIGN]
    assert "hiring" not in set(found.results["study"])
    other = blinded_results(frame, draw_blinding(two_armed(frame), seed=2).exchanged())
    pd.testing.assert_frame_equal(found.withheld, other.withheld)


def test_only_signed_differences_carry_a_contrast_that_turns(frame: pd.DataFrame) -> None:
    """A property of the row, set where it is made: sizes, correlations and tests of balance are no differences."""
    assert set(frame.loc[frame["contrast"] == ARMS, "estimand"].str.replace(r"_\d+$", "", regex=True)) <= {
        "itt",
        "itt_cohort",
        "period",
    }
    means = frame.loc[frame["estimand"].str.startswith("mean_") & frame["contrast"].isin((CONTROL, TREATMENT))]
    table = means.pivot_table(index=["study", "outcome"], columns="contrast", values="estimate")
    for (study, outcome), row in table.iterrows():
        plain = frame.loc[
            (frame["study"] == study) & (frame["outcome"] == outcome) & frame["result_id"].str.endswith("/itt/welch")
        ]
        for found in plain["estimate"]:
            assert found == pytest.approx(row[TREATMENT] - row[CONTROL], rel=1e-9)


# ------------------------------------------------------------------ the bundle
@pytest.fixture(scope="module")
def bundles(home: Path) -> tuple[dict[str, bytes], dict[str, bytes], pd.DataFrame]:
    frame = read_results(home / ".report/results/results.csv")
    one = draw_blinding(two_armed(frame), seed=4)
    made = [
        write_blinded(home, home.parent / f"{n}.zip", frame=frame, blinding=key)
        for n, key in enumerate((one, one.exchanged()))
    ]
    return members(made[0].path), members(made[1].path), frame


def test_what_depends_on_the_key_is_in_three_files_and_is_mirrored(bundles) -> None:
    one, other, _ = bundles
    assert list(one) == list(other)
    assert {name for name in one if one[name] != other[name]} == DEPENDS
    exchange = str.maketrans({"A": "B", "B": "A"})
    for left, right in zip(
        one["blinded/summary.md"].decode().splitlines(), other["blinded/summary.md"].decode().splitlines(), strict=True
    ):
        if left.startswith("- `"):
            name, verdict = left.split(": ", 1)
            side = re.match(r"higher in arm [AB]", verdict)
            assert side and right.split(": ", 1)[1].startswith(side[0].translate(exchange)) and right.startswith(name)
    for bundle in (one, other):
        summary = bundle["blinded/summary.md"].decode()
        assert not re.search("treat|control|offer", summary, re.IGNORECASE) and "](differences.svg)" in summary
        assert not re.search(rb"treat|control", bundle["blinded/differences.svg"])


def test_nothing_else_in_it_speaks_of_results(bundles) -> None:
    one, _, frame = bundles
    paths = set(one) - DEPENDS
    for start in (
        "report",
        "index.qmd",
        "CHANGELOG",
        "benchmarks/",
        "tests/published",
        "tests/report",
        "tests/unit",
        "tests/simulation",
        "results/",
        "hhp_stats/synthetic/",
        "hhp_stats/consistency/validation",
        "hhp_stats/consistency/comparisons",
        "hhp_stats/consistency/ledger",
        "hhp_stats/present/",
        "data/manifest",
        "data/synthetic",
        "data/plan/synthetic",
        "data/plan/deviations",
        "data/plan/conflicts",
        "data/releases",
        "data/qualitative",
        "data/published/published_results",
        "data/allocation",
    ):
        assert not [name for name in paths if name.startswith(start)], start
    known = {
        f"{abs(value):.5g}"
        for value in frame["estimate"].dropna()
        if len(f"{abs(value):.5g}".replace(".", "").lstrip("0")) == 5
    }
    assert len(known) > 100
    for name in paths:
        if name.startswith("tests/reference/"):  # numbers of other programs
            continue
        said = {word[: len(word)] for word in re.findall(r"\d+\.\d{3,}", one[name].decode("utf-8", "ignore"))}
        assert not {word for word in said if f"{float(word):.5g}" in known}, name


def test_sources_and_tests_that_are_packed_are_enough_for_the_packed_tests(bundles, root: Path) -> None:
    one, _, _ = bundles
    modules = {
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in one
        if name.startswith("hhp_stats/")
    }
    for name, content in one.items():
        if name.endswith(".py") and name.startswith(("tests/", "hhp_stats/")):
            for module in re.findall(rb"^\s*from (hhp_stats[\w.]*) import", content, re.MULTILINE):
                assert module.decode() in modules, f"{name} imports {module.decode()}"


def test_the_same_seed_gives_the_same_bytes_and_says_what_is_withheld(home: Path, tmp_path: Path) -> None:
    made = [write_blind_bundle(home, tmp_path / f"{n}.zip", seed=11) for n in range(2)]
    assert made[0].path.read_bytes() == made[1].path.read_bytes()
    assert isinstance(made[0].blinding, Blinding)
    found = members(made[0].path)
    withheld = found["blinded/withheld.csv"].decode()
    assert "bounds, which trim or fill one arm" in withheld and "ratio of the two arms" in withheld
    assert "none of them silently" in found["INDEX.md"].decode()
    with zipfile.ZipFile(made[0].path) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_summary_and_figure_come_from_blinded_numbers_alone(frame: pd.DataFrame) -> None:
    one, other = both_ways(frame)
    numbers = [sorted(re.findall(r"\d+\.\d+", blind_summary(made))) for made in (one, other)]
    assert numbers[0] == numbers[1] != []
    assert blind_figure(one) != blind_figure(other)
