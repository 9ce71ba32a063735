"""The synthetic field trials: the same bytes again, answers on their scales, printed figures met by any seed."""

from __future__ import annotations

import csv
import io
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from hhp_stats.consistency.figures import load_figures
from hhp_stats.errors import InvalidInput, PlanError
from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.synthetic.exact_means import Items, Target, adjust, targets
from hhp_stats.synthetic.field_trial import draw_field_trial
from hhp_stats.synthetic.field_trial_assumptions import load_field_trial_assumptions
from hhp_stats.synthetic.field_trial_files import field_trial_files, planted_truth

TRIALS = ("beneficiaries", "swing", "mod_ing")


def rows_of(content):
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


@pytest.fixture(scope="module")
def made(root):
    return {study: field_trial_files(root, study) for study in TRIALS}


@pytest.mark.parametrize("study", TRIALS)
def test_the_files_that_ship_are_the_ones_the_generator_writes(root, made, study):
    for name, content in made[study].items():
        assert (root / name).read_bytes() == content, f"{name} is not what the generator writes"


def test_another_seed_gives_other_people_and_the_same_printed_figures(root):
    draw = draw_field_trial(root, "mod_ing", seed=5)
    assert draw.reached["within"].all()
    assert not draw.people["staff_id"].equals(draw_field_trial(root, "mod_ing").people["staff_id"])


@pytest.mark.parametrize("study", TRIALS)
def test_every_target_is_met_within_its_rounding(root, study):
    draw = draw_field_trial(root, study)
    assert draw.reached["within"].all()
    assert set(planted_truth(draw)["outcomes"]) == set(draw.assumptions.printed)


@pytest.mark.parametrize("study", TRIALS)
def test_answers_are_whole_steps_within_their_scale(root, made, study):
    plan = load_individual_plan(root, study)
    for wave in ("baseline", "endline"):
        head, _, _, *body = rows_of(made[study][f"data/surveys/{study}/{wave}.csv"])
        frame = pd.DataFrame(body, columns=head)
        for scale in plan.scales.values():
            answers = frame[list(scale.items)].replace("", np.nan).astype(float).stack().dropna()
            assert answers.between(scale.low, scale.high).all()
            assert ((answers - scale.low) % scale.step == 0).all()
            assert len(answers.unique()) > 1


@pytest.mark.parametrize("study", TRIALS)
def test_every_file_says_that_it_is_synthetic_and_names_nobody(made, study):
    for name, content in made[study].items():
        rows = rows_of(content)
        mark = next(at for at, text in enumerate(rows[0]) if text.casefold() == "release")
        body = rows[3:] if "surveys" in name else rows[1:]
        assert {row[mark] for row in body} == {"synthetic"}
        text = content.decode("utf-8-sig")
        assert not re.search(r"[\w.]+@(?!example\.invalid)[\w.]+", text)
        if "surveys" in name:
            names = {row[rows[0].index("RecipientLastName")] for row in body}
            assert names == {"Synthetic"}


@pytest.mark.parametrize("study", TRIALS)
def test_the_design_is_that_of_the_plan(root, made, study):
    plan = load_individual_plan(root, study)
    frame = pd.read_csv(io.BytesIO(made[study][f"data/allocation/{study}.csv"]))
    assert len(frame) == plan.design.randomised
    assert frame["arm"].value_counts().to_dict() == {arm.id: arm.randomised for arm in plan.arms}
    if plan.design.within:
        sizes = frame.groupby([plan.design.within, "arm"]).size().unstack()
        assert (sizes["treatment"] - sizes["control"]).abs().max() <= 1
    if "in_post_at_endline" in frame:
        assert (frame["in_post_at_endline"] == "no").mean() == pytest.approx(plan.fact("left"), abs=0.001)


def test_exports_hold_what_every_export_holds(made):
    head, _, _, *body = rows_of(made["beneficiaries"]["data/surveys/beneficiaries/endline.csv"])
    frame = pd.DataFrame(body, columns=head)
    known = set(pd.read_csv(io.BytesIO(made["beneficiaries"]["data/allocation/beneficiaries.csv"]))["survey_code"])
    assert (frame["consent"] == "Disagree").any()
    assert (frame["Finished"] == "False").any()
    assert frame.loc[frame["ExternalReference"] != "", "ExternalReference"].duplicated().any()
    assert (~frame["ExternalReference"].isin(known)).any()
    assert (frame["Status"] == "Survey Preview").any()


# ---------------------------------------------------------------- moving answers to a mean
ONE_TO_SEVEN = Items(weights=np.full(4, 0.25), low=np.ones(4), high=np.full(4, 7.0), step=np.ones(4), constant=0.0)


def test_answers_are_moved_to_the_wanted_mean_and_standard_error():
    rng = np.random.default_rng(1)
    start = rng.integers(3, 6, (80, 4)).astype(float)
    aim = Target(n=80, mean=4.61, std_error=0.1, mean_margin=0.005, std_error_margin=0.005)
    found = adjust(answers=start, items=ONE_TO_SEVEN, target=aim, rng=rng)
    score = found.answers.mean(axis=1)
    assert found.within
    assert round(score.mean(), 2) == 4.61
    assert round(float(stats.sem(score)), 2) == 0.10
    assert set(np.unique(found.answers)) <= set(range(1, 8))
    assert (start == np.round(start)).all()  # the input is left alone


def test_what_a_scale_cannot_give_is_said():
    rng = np.random.default_rng(2)
    start = np.full((20, 4), 4.0)
    impossible = Target(n=20, mean=6.9, std_error=0.9, mean_margin=0.005, std_error_margin=0.005)
    assert not adjust(answers=start, items=ONE_TO_SEVEN, target=impossible, rng=rng, tries=2000).within


def test_answers_off_the_scale_or_of_another_number_are_refused():
    aim = Target(n=3, mean=4, std_error=0.1, mean_margin=0.005, std_error_margin=0.005)
    with pytest.raises(InvalidInput, match="off its scale"):
        adjust(answers=np.full((3, 4), 9.0), items=ONE_TO_SEVEN, target=aim, rng=np.random.default_rng(1))
    with pytest.raises(InvalidInput, match="for a group of 3"):
        adjust(answers=np.full((4, 4), 4.0), items=ONE_TO_SEVEN, target=aim, rng=np.random.default_rng(1))


def test_targets_lie_within_the_rounding_and_meet_the_p_value_where_it_is_possible(root):
    figures = load_figures(root / "data/published/published_results.csv")
    for prefix, possible in (("BEN-SWB", True), ("BEN-BURN", True), ("BEN-PSW", False), ("SWI-BURN", False)):
        found = targets(figures, prefix, rng=np.random.default_rng(1))
        for arm, letter in (("treatment", "T"), ("control", "C")):
            printed = figures.printed(f"{prefix}-{letter}-M")
            assert abs(found[arm].mean - printed.value) < printed.margin
        t = (found["treatment"].mean - found["control"].mean) / np.hypot(
            found["treatment"].std_error, found["control"].std_error
        )
        p = 2 * stats.t.sf(abs(t), found["treatment"].n + found["control"].n - 2)
        wanted = figures.printed(f"{prefix}-P")
        assert (abs(p - wanted.value) < wanted.margin) == possible


# ---------------------------------------------------------------- assumptions
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('source = "assumed"', 'source = ""'),
        ('source = "R26"', 'source = "R99"'),
        ("common = ", "colour = "),
        ("stability = { value = 0.45", 'stability = { value = "high"'),
        (', note = "the arms are not published; halves"', ""),
    ],
)
def test_an_assumption_must_be_known_and_say_where_it_comes_from(project, old, new):
    path = project / "data/plan/synthetic_mod_ing.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(PlanError):
        load_field_trial_assumptions(project, "mod_ing")
