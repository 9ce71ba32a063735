"""Designs other than those of the trials that ship: draws within blocks, adjusted models, clusters, plans that cannot
run.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import re

import numpy as np
import pandas as pd
import pytest

from hhp_stats.errors import EstimationError, InvalidInput, PlanError
from hhp_stats.estimate.effect_size import hedges_g, hedges_g_adjusted
from hhp_stats.plan.estimators import offered_to
from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.present.field_trials import phase_one
from hhp_stats.regression.cluster_robust import coefficient, heteroskedastic_covariance
from hhp_stats.regression.linear import ols
from hhp_stats.regression.model_matrix import Term, model_matrix
from hhp_stats.running.run import run_study
from hhp_stats.studies.estimators import ESTIMATORS, resampling
from hhp_stats.studies.field_trial import draws
from hhp_stats.studies.field_trial.analysed import analysis_data, outcome_column
from hhp_stats.studies.field_trial.arm_rows import power_rows
from hhp_stats.studies.field_trial.clusters import people_of


# ---------------------------------------------------------------- randomisation within the plan's blocks
@pytest.fixture(scope="module")
def pairs_plan(root):
    """A trial of schools drawn in pairs: the plan of coffee with a block."""
    plan = load_individual_plan(root, "coffee")
    return dataclasses.replace(plan, design=dataclasses.replace(plan.design, cluster="school", within="pair"))


def schools(seed=3, pairs=6, size=8):
    """Schools in pairs, one of each treated, pairs far apart; in the last school nobody answers."""
    rng = np.random.default_rng(seed)
    rows = [
        {
            "school": f"s{2 * pair + member:02d}",
            "pair": f"p{pair}",
            "treatment": float((member + pair) % 2),
            "arm": "x",
            "outcome": 3.0 * pair + 0.4 * ((member + pair) % 2) + rng.normal(),
        }
        for pair in range(pairs)
        for member in (0, 1)
        for _ in range(size)
    ]
    return pd.DataFrame(rows)


def rerandomised(analysis, frame, plan):
    """The randomisation test of people whose outcome is in the column of the plan's."""
    people = frame.assign(**{outcome_column(plan, analysis.outcome): frame["outcome"]})
    return resampling.randomisation(analysis_data(analysis, people, plan))[""]


def test_six_pairs_could_have_been_drawn_in_64_ways(pairs_plan):
    draw = draws.drawn_clusters(schools(), pairs_plan)
    every = draw.all_allocations()
    assert draw.count == len(every) == 64 == len(np.unique(every, axis=0))
    by_pair = every.reshape(64, 6, 2)
    assert (by_pair.sum(axis=2) == 1).all()
    whole = dataclasses.replace(pairs_plan, design=dataclasses.replace(pairs_plan.design, within=""))
    assert draws.drawn_clusters(schools(), whole).count == 924
    drawn = draw.redraw(np.random.default_rng(1), 4_000)
    assert {tuple(row) for row in drawn} == {tuple(row) for row in every}
    # Each of 64 ways comes up 62.5 times; four standard deviations of that count.
    assert abs(np.unique(drawn, axis=0, return_counts=True)[1] - 62.5).max() < 4 * math.sqrt(62.5)


def test_the_p_value_is_the_share_of_the_draws_within_pairs(pairs_plan):
    frame = schools()
    analysis = dataclasses.replace(pairs_plan.analysis("subjective_wellbeing/itt/randomisation"), terms=())
    found = rerandomised(analysis, frame, pairs_plan)
    means = frame.groupby("school")["outcome"].mean().to_numpy().reshape(6, 2)
    arms = frame.groupby("school")["treatment"].first().to_numpy().reshape(6, 2)

    def statistic(z):
        """The CR1 t of a plain difference: equal schools, so a t of school means up to a constant factor."""
        z = z.ravel()
        y = means.ravel()
        gap = y[z == 1].mean() - y[z == 0].mean()
        return abs(gap) / math.sqrt(sum(((y[z == k] - y[z == k].mean()) ** 2).sum() for k in (0, 1)))

    every = [np.array([(a, 1 - a) for a in way], dtype=float) for way in itertools.product((0, 1), repeat=6)]
    share = np.mean([statistic(z) >= statistic(arms) * (1 - 1e-9) for z in every])
    assert found.p_value == pytest.approx(share) and "64 all allocations" in found.method
    random = dataclasses.replace(analysis, covariance="random allocations")
    drawn = rerandomised(random, frame, pairs_plan)
    assert "random" in drawn.method and abs(drawn.p_value - share) < 4 * math.sqrt(share * (1 - share) / 9_999)


def test_a_school_in_which_nobody_answered_was_drawn_as_well(pairs_plan):
    frame = schools()
    frame.loc[frame["school"] == "s11", "outcome"] = np.nan
    analysis = dataclasses.replace(pairs_plan.analysis("subjective_wellbeing/itt/randomisation"), terms=())
    found = rerandomised(analysis, frame, pairs_plan)
    assert "64 all allocations" in found.method and found.n_clusters == 11


@pytest.mark.parametrize(("column", "says"), [("treatment", "more than one arm"), ("pair", "more than one stratum")])
def test_a_cluster_of_two_arms_or_blocks_is_refused_by_name(pairs_plan, column, says):
    frame = schools()
    frame.loc[0, column] = {"treatment": 1.0 - frame.loc[0, "treatment"], "pair": "p5"}[column]
    with pytest.raises(EstimationError, match=f"school s00 holds people of {says}"):
        draws.drawn_clusters(frame, pairs_plan)


def test_too_many_allocations_are_drawn_at_random_where_the_plan_says_so(pairs_plan):
    with pytest.raises(InvalidInput, match="random allocations"):
        draws.drawn_clusters(schools(pairs=20, size=2), pairs_plan).all_allocations()


# ---------------------------------------------------------------- effect sizes of the planned model
def test_an_adjusted_effect_size_is_that_of_its_effect():
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"treatment": np.repeat([0.0, 1.0], 40), "x": rng.normal(size=80)})
    frame["y"] = 5 * frame["x"] + 0.5 * frame["treatment"] + rng.normal(size=80)
    y, z = frame["y"].to_numpy(), frame["treatment"].to_numpy()

    def effect(scale, terms):
        fit = ols(outcome=scale * y, matrix=model_matrix(frame, terms))
        return coefficient(fit, heteroskedastic_covariance(fit, kind="HC2"), df="residual")

    plain = hedges_g(outcome=y, treatment=z)
    unadjusted = hedges_g_adjusted(effect(1, ()), outcome=y, treatment=z)
    # Without covariates one number; its variance has 2(n - 2) for 2n in a term of d squared.
    assert unadjusted.g.estimate == pytest.approx(plain.g.estimate, rel=1e-12)
    assert unadjusted.g.std_error == pytest.approx(plain.g.std_error, rel=0.01)
    term = (Term(column="x", kind="continuous"),)
    adjusted = hedges_g_adjusted(effect(1, term), outcome=y, treatment=z)
    assert adjusted.sd_total == pytest.approx(plain.sd_total) and adjusted.g.std_error < 0.5 * plain.g.std_error
    assert adjusted.d == pytest.approx(effect(1, term).estimate / plain.sd_total)
    other_unit = hedges_g_adjusted(effect(7, term), outcome=7 * y, treatment=z)
    assert other_unit.g.estimate == pytest.approx(adjusted.g.estimate) and other_unit.g.p_value == pytest.approx(
        adjusted.g.p_value
    )


@pytest.fixture(scope="module")
def outputs(root):
    return {"letters": run_study(root, "letters"), "coffee": run_study(root, "coffee")}


def test_effect_sizes_of_a_trial_rest_on_its_planned_model(root, outputs):
    plan, rows = load_individual_plan(root, "letters"), outputs["letters"].results.set_index("result_id")
    for outcome in plan.outcomes.values():
        planned = plan.planned(outcome.id)
        if not outcome.scales:
            continue
        assert planned.terms == ("local_authority",)
        effect, g = rows.loc[plan.result_id(planned)], rows.loc[f"letters/{outcome.id}/itt/hedges-g"]
        assert np.sign(effect["estimate"]) == np.sign(g["estimate"]) and effect["method"] in g["method"]
        # The same t up to what the standard deviation's own uncertainty adds.
        assert g["p_value"] == pytest.approx(effect["p_value"], abs=0.005)
    clustered = outputs["coffee"].results.set_index("result_id").loc["coffee/subjective_wellbeing/itt/hedges-g"]
    assert "CR2 by building" in clustered["method"] and clustered["df"] < 12


# ---------------------------------------------------------------- words, tables and figures by design
@pytest.fixture(scope="module")
def home(root, outputs, tmp_path_factory):
    import shutil

    home = tmp_path_factory.mktemp("designs")
    shutil.copytree(root / "data", home / "data")
    for output in outputs.values():
        output.write(home)
    return home


def test_raw_means_beside_an_adjusted_difference_are_called_so(home):
    adjusted, plain = (phase_one.chapter(study, root=home) for study in ("letters", "coffee"))
    said = adjusted.say("effect/recognition")
    assert "Feeling valued and recognised, adjusted for local authority, was" in said
    assert "adjusted" not in plain.say("effect/recognition")
    notes = [chapter.table("outcomes").as_raw_html() for chapter in (adjusted, plain)]
    assert "Arms: raw mean" in notes[0] and "adjusted for local authority." in notes[0]
    assert "raw mean" not in notes[1]
    assert "once adjusted for local authority" in adjusted.figure("arms/recognition").caption
    assert "unadjusted" in plain.figure("arms/recognition").caption


def test_detectable_effects_are_those_of_the_design(home, outputs):
    chapter = phase_one.chapter("coffee", root=home)
    rows = outputs["coffee"].results.set_index("result_id")["estimate"]
    own, people = rows["coffee/subjective_wellbeing/mde_achieved/clustered"], rows["coffee/power/mde_achieved/formula"]
    assert own > 1.2 * people
    table, figure = chapter.table("power").as_raw_html(), chapter.figure("effects")
    assert f"{own:.2f}" in table and f"{people:.2f}" not in table and "its people as similar as found here" in table
    assert f"below {own:.2f}" in figure.alt
    free = phase_one.chapter("letters", root=home)
    assert "equal arms, no covariates" in free.table("power").as_raw_html()


def test_what_was_randomised_is_named(home):
    coffee_chapter, letters_chapter = (phase_one.chapter(study, root=home) for study in ("coffee", "letters"))
    assert re.match(
        r"In all, \d+ buildings with \d+ people were randomly assigned: \d+ buildings with",
        coffee_chapter.say("sample"),
    )
    assert "buildings with 380 people randomised" in coffee_chapter.figure("flow").caption
    assert "people were randomly assigned" in letters_chapter.say("sample") and "building" not in letters_chapter.say(
        "sample"
    )


def test_an_expected_response_counts_in_both_designs(root, outputs):
    plan = load_individual_plan(root, "coffee")
    entry = dataclasses.replace(plan.power["recruited"], analysed=None, response=0.5)
    assert people_of(entry, plan, answered=7) == 190
    people = pd.DataFrame({"responded": np.ones(10)})
    with_response = dataclasses.replace(plan, power={"planned": dataclasses.replace(entry, id="planned")})
    assert power_rows(people, with_response)[0].n == 190


# ---------------------------------------------------------------- what cannot be run is refused when the plan is read
def test_the_plan_knows_the_estimators_that_run(root):
    assert set(ESTIMATORS) == offered_to("arms") | offered_to("returns") | offered_to("contrasts")
    assert {"cohort_1": "cohort == 'Cohort 1'", "responders": ""}.items() <= {
        key: population.where for key, population in load_individual_plan(root, "swing").populations.items()
    }.items()


WOMEN = '''[[populations]]
id = "women"
label = "Women"
rule = "on the allocation list as women"
sources = ["003:515"]

[[populations]]
id = "randomised"'''
THIRD_ARM = '''[[arms]]
id = "both"
code = 2
label = "Both"

[[arms]]
id = "control"'''


@pytest.mark.parametrize(
    ("study", "old", "new", "says", "allowed"),
    [
        (
            "letters",
            'estimator = "welch"\ncovariance = "by arm"',
            'estimator = "probit"\ncovariance = "model"',
            "'probit'",
            "ols",
        ),
        (
            "letters",
            'estimator = "welch"\ncovariance = "by arm"',
            'estimator = "logit"\ncovariance = "model-based"',
            "logit of a continuous",
            "kind binary",
        ),
        (
            "letters",
            '[[populations]]\nid = "randomised"',
            WOMEN,
            "populations women",
            "Add where",
        ),
        (
            "letters",
            '[[populations]]\nid = "randomised"',
            WOMEN.replace('rule = "on', 'where = "local_autority == \'Dudley\'"\nrule = "on'),
            "local_autority",
            "local_authority",
        ),
        (
            "letters",
            '[[populations]]\nid = "randomised"',
            WOMEN.replace('rule = "on', 'where = "local_authority == \'Dudly\'"\nrule = "on'),
            "Dudly",
            "Dudley",
        ),
        ("letters", '[[arms]]\nid = "control"', THIRD_ARM, "compare two", "'treatment' (code 1)"),
        (
            "letters",
            'id = "treatment"\ncode = 1',
            'id = "Treatment"\ncode = 1',
            "'Treatment' (1)",
            "'treatment' (code 1)",
        ),
        ("letters", 'id = "treatment"\ncode = 1', 'id = "letter"\ncode = 1', "'letter' (1)", "'treatment' (code 1)"),
        (
            "letters",
            'contrast = "treatment minus control"',
            'contrast = "letter minus none"',
            "'letter minus none'",
            "treatment minus control",
        ),
        (
            "letters",
            '"recognition_1"',
            '"recognition"',
            "outcomes recognition: has the name of an item of recognition",
            "otherwise",
        ),
        (
            "letters",
            'label = "Sense of belonging"\nitems',
            'label = "Sense of belonging"\nwaves = ["endline"]\nitems',
            "asked at endline",
            "baseline",
        ),
        (
            "letters",
            'estimator = "ols"\ncovariance = "HC2"',
            'estimator = "ols"\ncovariance = "CR2"',
            "needs clusters",
            "design.cluster",
        ),
        (
            "letters",
            'estimator = "welch"\ncovariance = "by arm"',
            'estimator = "cluster-means"\ncovariance = "by arm"',
            "needs clusters",
            "design.cluster",
        ),
        ("letters", 'df = "residual"', 'df = "satterthwaite"', "'satterthwaite'", "residual"),
        (
            "letters",
            'id = "recruited"\nlabel = "If everyone had answered"\nalpha = 0.05\npower = 0.8\nanalysed = 391',
            'id = "planned"\nlabel = "Planned"\nalpha = 0.05\npower = 0.8',
            "neither how many",
            "analysed or response",
        ),
        ("letters", 'role = "primary"', 'role = "secondary"', "0 of role primary", "one"),
        (
            "coffee",
            'estimator = "ols"\ncovariance = "CR2"',
            'estimator = "ols"\ncovariance = "HC2"',
            "'satterthwaite'",
            "residual",
        ),
        (
            "coffee",
            'estimator = "ols"\ncovariance = "CR2"\ndf = "satterthwaite"',
            'estimator = "ols"\ncovariance = "HC2"\ndf = "residual"',
            "ignores that each building",
            "CR2",
        ),
        (
            "coffee",
            'estimator = "cluster-means"\ncovariance = "by arm"\ndf = "satterthwaite"',
            (
                'estimator = "cluster-means"\ncovariance = "by arm"\ndf = "satterthwaite"\nterms = ["baseline",'
                ' "baseline_missing"]'
            ),
            "does not take",
            "Leave terms out",
        ),
        (
            "coffee",
            'terms = ["baseline", "baseline_missing"]',
            'terms = ["baseline_missing"]',
            "without baseline",
            "baseline",
        ),
        ("swing", 'population = "cohort_1"', 'population = "cohort_3"', "cohort_3", "cohort_1"),
        (
            "swing",
            'contrast = "effect in cohort 2 minus effect in cohort 1"\n',
            'contrast = "later minus earlier"\n',
            "",
            "",
        ),
    ],
)
def test_what_cannot_be_run_is_refused_when_the_plan_is_read(project, study, old, new, says, allowed):
    path = project / f"data/plan/{study}.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.chmod(0o644)
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    if not says:
        assert load_individual_plan(project, study).study == study
        return
    with pytest.raises(PlanError) as caught:
        load_individual_plan(project, study)
    message = str(caught.value)
    assert f"data/plan/{study}.toml" in message and says in message and allowed in message, message
