"""Letters and coffee: files without an effect, clustered analyses, plans that cite places."""

import dataclasses
import shutil

import numpy as np
import pandas as pd
import pytest

from hhp_stats.design.cluster_draw import ClusterDraw
from hhp_stats.errors import InvalidInput, PlanError
from hhp_stats.intake.participants import load_participants
from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.running.run import run_study
from hhp_stats.studies.field_trial import analyse
from hhp_stats.synthetic.phase_one import draw_phase_one, phase_one_files


@pytest.fixture(scope="module")
def output(root):
    return run_study(root, "coffee")


@pytest.fixture(scope="module")
def rows(output):
    return output.results.set_index("result_id")


@pytest.mark.parametrize("study", ["letters", "coffee"])
def test_the_files_on_disk_are_those_of_the_seed(root, study):
    for path, content in phase_one_files(root, study).items():
        assert (root / path).read_bytes() == content, path


@pytest.mark.parametrize("study", ["letters", "coffee"])
def test_arms_do_not_enter_the_answers(root, study):
    """Answers are drawn whatever the arms: turning every arm round leaves each of them as it was."""
    from hhp_stats.synthetic import phase_one

    draw = draw_phase_one(root, study)
    turned = draw.people.assign(arm=np.where(draw.people["arm"] == "control", "treatment", "control"))
    again = phase_one._answers(turned, draw.plan, draw.assumptions, draw.seed)
    pd.testing.assert_frame_equal(again, draw.answers)


def test_letters_are_drawn_in_halves_within_authorities(root):
    people = draw_phase_one(root, "letters").people
    counts = people.groupby(["block", "arm"]).size().unstack()
    assert len(people) == 391 and len(counts) == 3 and (counts["control"] - counts["treatment"]).between(0, 1).all()


def test_coffee_treats_whole_buildings(root):
    people = draw_phase_one(root, "coffee").people
    assert len(people) == 380 and people.groupby("building")["arm"].nunique().eq(1).all()
    assert people.groupby("building").size().min() >= 25 and people["building"].nunique() == 13


def test_planned_rows_of_records_say_why_they_are_empty(rows):
    for outcome in ("sickness_absence", "turnover"):
        row = rows.loc[f"coffee/{outcome}/itt/cr2"]
        assert row["status"] == "not_estimated" and "records" in row["note"] and row["analysis"] == "planned"


def test_all_ways_agree_on_the_estimate_and_name_the_buildings(rows):
    part = rows.loc[[f"coffee/subjective_wellbeing/itt/{key}" for key in ("cr2", "cr1", "wild-webb", "randomisation")]]
    assert (
        np.ptp(part["estimate"]) < 1e-12 and (part["n_clusters"] == 13).all()
    )  # one regression, four ways to judge it
    assert (part["method"].str.contains("building") | part["method"].str.contains("bootstrap|randomisation")).all()
    assert part.loc["coffee/subjective_wellbeing/itt/cr2", "df"] < 12


def one_draw(*, clusters, treated):
    return ClusterDraw(
        clusters=tuple(map(str, range(clusters))), strata=np.zeros(clusters, dtype=np.intp), treated=(treated,)
    )


def test_randomisation_inference_counts_every_allocation(output, rows):
    found = one_draw(clusters=13, treated=7).all_allocations()
    assert len(found) == 1716 == output.tables["allocations"]["allocations"].iloc[0]
    assert (found.sum(axis=1) == 7).all() and len(np.unique(found, axis=0)) == len(found)
    p = rows.loc["coffee/recognition/itt/randomisation", "p_value"]
    assert p * len(found) == pytest.approx(round(p * len(found)), abs=1e-6)  # a share of whole allocations


@pytest.mark.parametrize(("clusters", "treated"), [(5, 0), (5, 5), (40, 20)])
def test_impossible_or_endless_allocations_are_refused(clusters, treated):
    with pytest.raises(InvalidInput):
        one_draw(clusters=clusters, treated=treated).all_allocations()


def test_means_of_buildings_match_scipy(root, rows):
    from scipy import stats

    from hhp_stats.studies.field_trial.sample import build_sample

    plan = load_individual_plan(root, "coffee")
    people = build_sample(load_participants(root, plan), plan).people.dropna(subset=["recognition"])
    means = people.groupby("building")[["recognition", "treatment"]].mean()
    one, other = (means.loc[means["treatment"] == arm, "recognition"] for arm in (1, 0))
    expected = stats.ttest_ind(one, other, equal_var=False)
    row = rows.loc["coffee/recognition/itt/building-means"]
    assert row["p_value"] == pytest.approx(expected.pvalue, rel=1e-9) and row["n"] == 13  # the same formula


def _with_controls_at(participants, value):
    people = participants.people.copy()
    items = [f"recognition_{i}_t2" for i in (1, 2, 3)]
    people[items] = people[items].where(
        people["treatment"] == 1, people[items] * 0 + value.reindex(people.index).to_numpy()[:, None]
    )
    return dataclasses.replace(participants, people=people)


def test_a_planted_effect_on_buildings_is_found(root):
    """Controls who answer with the lowest two marks in turn lie clearly below the treated."""
    plan = load_individual_plan(root, "coffee")
    participants = load_participants(root, plan)
    low = pd.Series(np.arange(len(participants.people)) % 2 + 1.0, index=participants.people.index)
    found = analyse(_with_controls_at(participants, low), plan).results.set_index("result_id")
    for key in ("cr2", "wild-webb", "randomisation", "building-means"):
        row = found.loc[f"coffee/recognition/itt/{key}"]
        assert row["estimate"] > 2 and row["p_value"] < 0.05, key  # treated answer above four on average


def test_an_arm_without_variation_has_its_mean_and_says_why_nothing_else(root):
    plan = load_individual_plan(root, "coffee")
    participants = load_participants(root, plan)
    same = pd.Series(1.0, index=participants.people.index)
    found = analyse(_with_controls_at(participants, same), plan).results.set_index("result_id")
    row = found.loc["coffee/recognition/mean_control/raw"]
    assert (row["status"], row["estimate"]) == ("descriptive", 1.0)
    assert np.isnan(row["std_error"]) and "All values are the same" in row["note"]


def test_plans_without_clauses_need_places(root, tmp_path):
    shutil.copytree(root / "data/plan", tmp_path / "data/plan")
    shutil.copytree(root / "data/published", tmp_path / "data/published")
    path = tmp_path / "data/plan/letters.toml"
    text = path.read_text()
    path.write_text(text.replace('better = "higher"\nsources = ["003:512"]', 'better = "higher"'))
    assert path.read_text() != text
    with pytest.raises(PlanError, match="cites no clause"):
        load_individual_plan(tmp_path, "letters")


def test_letters_analyse_within_authorities(root):
    found = run_study(root, "letters")
    rows = found.results.set_index("result_id")
    terms = {entry.analysis: entry.value for entry in found.conduct if entry.aspect == "terms"}
    assert terms["recognition/itt/hc2"] == "local_authority" and terms["recognition/itt/unadjusted-hc2"] == ""
    assert rows.loc["letters/recognition/itt/hc2", "df"] == rows.loc["letters/recognition/itt/hc2", "n"] - 4


def _rejections(root, seeds):
    """How often do the planned and the naive analysis call the null draws of coffee a difference?"""
    from hhp_stats.regression.cluster_robust import cluster_covariance, coefficient
    from hhp_stats.regression.linear import ols
    from hhp_stats.regression.model_matrix import model_matrix

    found = 0
    for seed in seeds:
        draw = draw_phase_one(root, "coffee", seed=seed)
        people = draw.people.assign(
            outcome=draw.answers[[f"recognition_{i}_t2" for i in (1, 2, 3)]].mean(axis="columns"),
            treatment=(draw.people["arm"] == "treatment").astype(float),
        )
        people = people.loc[people["responds_t2"] & people["outcome"].notna()]
        fit = ols(outcome=people["outcome"].to_numpy(), matrix=model_matrix(people, ()))
        covariance = cluster_covariance(fit, clusters=people["building"], kind="CR2")
        found += coefficient(fit, covariance, df="satterthwaite").p_value < 0.05
    return found


def test_null_draws_are_rarely_called_a_difference(root):
    # Binomial(30, .05): 6 or more has probability .003; the seeds are fixed.
    assert _rejections(root, range(30)) < 6


@pytest.mark.slow
def test_null_draws_are_called_a_difference_in_about_one_of_twenty(root):
    # Binomial(600, .05) has mean 30 and standard deviation 5.3: three of these each way.
    assert 14 <= _rejections(root, range(1000, 1600)) <= 46
