"""Trials on plain tables from file to chapter: two public ones against other software, and a made-up one of three
arms.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from table_trials import KEY, PLAN, everything_said, walks, with_a_key, without_other_trials, write_trial, write_walks

from hhp_stats.present import field_trials
from hhp_stats.results.frame import row_of
from hhp_stats.studies.field_trial import run_field_trial

EXACT = {"rel": 1e-9}  # the same sums in another order, with condition numbers below 1e4
# Words of the programme's own trials, which no other trial may get.
NOT_OURS = re.compile(r"\b(survey|answered|staff|team|teams|respondents?|authority|treated|HHP)\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def small(root, tmp_path_factory):
    """A project without raw files of other trials."""
    return without_other_trials(root, tmp_path_factory.mktemp("tables") / "project")


@pytest.fixture(scope="module")
def home(small, tmp_path_factory):
    """The same with a key for identifiers."""
    with with_a_key(tmp_path_factory.mktemp("key")):
        yield small


@pytest.fixture(scope="module")
def made_up(home):
    """The made-up trial: its output, written below its project."""
    output = run_field_trial(write_walks(home), KEY)
    output.write(home)
    return output


def estimates(output):
    return output.results.set_index("result_id")


# ---------------------------------------------------------------- three arms
def test_every_comparison_has_its_row_and_what_cannot_be_estimated_says_why(made_up):
    rows = estimates(made_up)
    planned = rows.loc[rows["analysis"] == "planned"]
    assert set(planned.index) == {
        f"{KEY}/{outcome}/itt_{arm}/cr2"
        for outcome in ("steps", "steps_month_6", "pain", "fell")
        for arm in ("leaflet", "coach")
    }
    lost = planned.loc[planned["status"] == "not_estimated"]
    assert list(lost.index) == [f"{KEY}/pain/itt_leaflet/cr2"]
    assert "Pain (NRS) is known for nobody in \u201cGP leaflet\u201d" in lost["note"].iloc[0]
    everything = rows.loc[rows["status"] == "not_estimated"]
    assert everything["note"].str.len().gt(10).all()
    assert set(everything["outcome"]) == {"pain"}
    assert planned["p_adjusted"].notna().sum() == 7  # Holm's family: every comparison that there is
    assert (planned["p_adjusted"].dropna() >= planned["p_value"].dropna()).all()


def test_the_planted_effect_comes_back(made_up):
    rows = estimates(made_up)
    coach, leaflet = (rows.loc[f"{KEY}/steps_month_6/itt_{arm}/cr2"] for arm in ("coach", "leaflet"))
    assert coach["conf_low"] < 2 < coach["conf_high"]
    assert coach["conf_low"] > 0
    assert leaflet["conf_low"] < 0 < leaflet["conf_high"]
    apart = rows.loc[f"{KEY}/steps/itt_older/cr2"]
    assert apart["contrast"] == "coach minus leaflet"
    assert apart["n"] < 60


def test_a_comparison_is_that_of_its_two_arms_alone(made_up):
    table = walks().rename(columns={"steps.before": "before"})
    table["years"] = table["years"].replace(-9, np.nan)
    two = table.loc[table["offered"] != "2"].assign(coach=lambda t: (t["offered"] == "coach").astype(float))
    known = two.assign(
        years=two["years"].fillna(two["years"].mean()), before=two["before"].fillna(two["before"].mean())
    )
    fit = smf.ols("steps_12 ~ coach + before + years + region", data=known.loc[known["steps_12"].notna()]).fit()
    row = estimates(made_up).loc[f"{KEY}/steps/itt_coach/cr2"]
    assert row["estimate"] == pytest.approx(fit.params["coach"], **EXACT)
    assert row["n"] == fit.nobs
    assert "years" in row["note"]


def test_neither_the_order_of_rows_nor_names_move_a_number(home, made_up):
    table = walks().sample(frac=1, random_state=3)
    table["Patient No"] = table["Patient No"].sample(frac=1, random_state=4).to_numpy()
    table["surgery"] = "Z" + table["surgery"]
    plan = PLAN.replace("NHS coach", "a walking coach").replace('["surgery", "surgeries"]', '["practice", "practices"]')
    again = run_field_trial(write_walks(home, table, plan=plan), KEY)
    write_walks(home)
    numbers = ["estimate", "std_error", "df", "p_value", "conf_low", "conf_high"]
    pd.testing.assert_frame_equal(estimates(again)[numbers], estimates(made_up)[numbers], rtol=1e-12)


def test_every_name_of_a_chapter_speaks_in_the_words_of_the_trial(home, made_up):
    write_walks(home)
    said = everything_said(field_trials.chapter(KEY, root=home))
    assert all(text.strip() and "nan" not in text.lower().split() for text in said)
    for text in said:
        assert not NOT_OURS.search(text), text
    whole = " ".join(said)
    for label in ("GP leaflet", "NHS coach", "Pain (NRS)", "surgeries", "patients"):
        assert label in whole
    assert "gP" not in whole
    assert "nHS" not in whole


def test_a_surgery_of_two_is_withheld(home, made_up):
    table = pd.read_csv(home / f".report/results/{KEY}/clusters.csv")
    sizes = dict(zip(table["cluster"], table["people"].astype(str), strict=True))
    assert "2" not in sizes.values()
    assert made_up.tables["clusters"]["people"].min() == 2
    assert table["cluster"].str.startswith("surgery ").all()


def test_an_unknown_arm_or_outcome_is_refused_by_name(home, made_up):
    chapter = field_trials.chapter(KEY, root=home)
    for name in ("effect/steps/physio", "effect/stairs", "table"):
        with pytest.raises(Exception, match=r"there are leaflet, coach|has no outcome|nothing is called"):
            chapter.say(name)


# ---------------------------------------------------------------- designs
def paired(seed=3):
    """Twelve clusters in six pairs, five people each, one of each pair treated."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(12), 5)
    return pd.DataFrame(
        {
            "arm": np.where(cluster % 2 == 1, "new", "old"),
            "class": [f"c{c}" for c in cluster],
            "pair": [f"p{c // 2}" for c in cluster],
            "score": rng.normal(size=60).round(3),
        }
    )


PAIRED = """study = "pairs"
title = "Pairs"
chapter = "report/12-pairs.qmd"
name = "Pairs"
short = "pairs"
phase = "second"
order = 21
seed = 1
[design]
kind = "cluster trial"
randomised = 60
cluster = "class"
strata = ["pair"]
[disclosure]
rule = "withhold"
threshold = 5
zeros = "published"
[data]
file = "data/tables/pairs.csv"
[[arms]]
id = "old"
label = "Old"
[[arms]]
id = "new"
label = "New"
[[outcomes]]
id = "score"
label = "Score"
role = "primary"
better = "higher"
column = "score"
[model]
beside = ["randomisation"]
"""
OF_PAIRS = """column,meaning,kind,unit,minimum,maximum,allowed,missing
arm,Arm,arm,,,,,
class,Class,cluster,,,,,
pair,Pair,category,,,,,
score,Score,number,points,,,,
"""


def test_the_randomisation_test_redraws_within_pairs(home):
    output = run_field_trial(write_trial(home, key="pairs", plan=PAIRED, dictionary=OF_PAIRS, table=paired()), "pairs")
    assert output.tables["allocations"]["allocations"].tolist() == [2**6]
    row = estimates(output).loc["pairs/score/itt/randomisation"]
    assert "64 all allocations" in row["method"]
    assert row["p_value"] * 64 == pytest.approx(round(row["p_value"] * 64), abs=1e-9)  # a share of the allocations


def test_exchanging_the_arms_turns_the_sign(home):
    first = run_field_trial(write_trial(home, key="pairs", plan=PAIRED, dictionary=OF_PAIRS, table=paired()), "pairs")
    old, new = '[[arms]]\nid = "old"\nlabel = "Old"\n', '[[arms]]\nid = "new"\nlabel = "New"\n'
    turned = PAIRED.replace(old + new, new + old)
    assert turned != PAIRED
    second = run_field_trial(write_trial(home, key="pairs", plan=turned, dictionary=OF_PAIRS, table=paired()), "pairs")
    one, two = (estimates(output).loc["pairs/score/itt/cr2"] for output in (first, second))
    assert one["estimate"] == pytest.approx(-two["estimate"], **EXACT)
    assert one["std_error"] == pytest.approx(two["std_error"], **EXACT)
    assert one["contrast"] == two["contrast"] == "treatment minus control"


# ---------------------------------------------------------------- public trials
def from_r(package, data, tmp_path, *, subset="d"):
    """A data set of an R package as a frame; skipped where R or the package is missing."""
    if shutil.which("Rscript") is None:
        pytest.skip("needs Rscript")
    path = tmp_path / f"{data}.csv"
    code = (
        f'if (!requireNamespace("{package}", quietly = TRUE)) quit(status = 9); data("{data}", package = "{package}"); '
        f'd <- as.data.frame({data}); write.csv({subset}, "{path}", row.names = FALSE, na = "")'
    )
    done = subprocess.run(
        ["Rscript", "--vanilla", "-e", code], capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        pytest.skip(f"needs the R package {package}")
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def lines(text: str) -> int:
    return sum(bool(line.strip()) for line in text.splitlines())


HERE = Path(__file__).parent / "public_trials"


def test_beat_the_blues_against_statsmodels(home, tmp_path):
    table = from_r("HSAUR3", "BtheB", tmp_path)
    plan, dictionary = ((HERE / f"btheb.{ending}").read_text(encoding="utf-8") for ending in ("toml", "dictionary.csv"))
    assert lines(plan) <= 60
    output = run_field_trial(write_trial(home, key="btheb", plan=plan, dictionary=dictionary, table=table), "btheb")
    output.write(home)
    numbers = table[["bdi.pre", "bdi.8m"]].apply(pd.to_numeric).set_axis(["before", "after"], axis="columns")
    frame = numbers.assign(
        arm=(table["treatment"] == "BtheB").astype(float), drug=table["drug"], length=table["length"]
    )
    fit = smf.ols("after ~ arm + before + drug + length", data=frame.dropna()).fit(cov_type="HC2", use_t=True)
    row = estimates(output).loc["btheb/bdi/itt/hc2"]
    assert row["estimate"] == pytest.approx(fit.params["arm"], **EXACT)
    assert row["std_error"] == pytest.approx(fit.bse["arm"], **EXACT)
    assert row["p_value"] == pytest.approx(fit.pvalues["arm"], **EXACT)
    assert (row["conf_low"], row["conf_high"]) == pytest.approx(tuple(fit.conf_int().loc["arm"]), **EXACT)
    assert row["n"] == 52
    said = field_trials.chapter("btheb", root=home).say("effect/bdi")
    assert "8.85" in said  # the raw means, and beside them the adjusted difference
    assert "13.60" in said
    assert "3.08 lower in \u201cBeat the Blues\u201d" in said


def test_achievement_awards_against_club_sandwich(home, tmp_path):
    table = from_r("clubSandwich", "AchievementAwardsRCT", tmp_path, subset='d[d$year == "2001", ]')
    plan, dictionary = (
        (HERE / f"awards.{ending}").read_text(encoding="utf-8") for ending in ("toml", "dictionary.csv")
    )
    assert lines(plan) <= 60
    output = run_field_trial(write_trial(home, key="awards", plan=plan, dictionary=dictionary, table=table), "awards")
    output.write(home)
    rows = estimates(output)
    row = rows.loc["awards/matriculation/itt/cr2"]
    # coef_test(lm(Bagrut_status ~ treated + factor(pair)), vcov = "CR2", cluster = school_id) of clubSandwich, as it
    # prints them.
    assert row["estimate"] == pytest.approx(0.0304683996, abs=5e-11)
    assert row["std_error"] == pytest.approx(0.0508362946, abs=5e-11)
    assert row["df"] == pytest.approx(13.8783, abs=5e-5)
    assert (row["n"], row["n_clusters"]) == (3821, 39)
    assert row_of(output.results, "awards/matriculation/mde_achieved/clustered")["estimate"] == pytest.approx(
        0.384, abs=5e-4
    )
    # One school of a pair was drawn in 18 pairs, and two of three in the other: 2^18 * 3.
    assert output.tables["allocations"]["allocations"].tolist() == [2**18 * 3]
    said = field_trials.chapter("awards", root=home).say("sample")
    assert "39 schools with 3,821 pupils were randomised" in said
