"""The hiring experiments: plan, files, contrasts, sentences."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hhp_stats.errors import DataError, InvalidInput, PlanError
from hhp_stats.intake.hiring import decisions_with_conditions, load_hiring, scores_with_conditions
from hhp_stats.intake.manifest import record_files
from hhp_stats.plan.experiments import load_experiment_plan
from hhp_stats.studies.hiring import analyse
from hhp_stats.studies.hiring.cells import weights
from hhp_stats.synthetic.hiring import APPLICATIONS, draw_hiring, hiring_files, name_of, possible_count


@pytest.fixture(scope="module")
def plan(root):
    return load_experiment_plan(root, "hiring")


@pytest.fixture(scope="module")
def frames(root):
    lists = load_hiring(root)
    return decisions_with_conditions(lists), scores_with_conditions(lists)


@pytest.fixture(scope="module")
def results(frames, plan):
    return analyse(*frames, plan).results.set_index("result_id", drop=False)


@pytest.fixture
def copy(root, tmp_path):
    for name in (
        "manifest.toml",
        "dictionary.csv",
        "allocation/hiring.csv",
        "decisions/hiring.csv",
        "decisions/hiring_scores.csv",
    ):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / "data" / name, tmp_path / "data" / name)
    for name in ("plan", "published"):
        shutil.copytree(root / "data" / name, tmp_path / "data" / name)
    return tmp_path


# ---------------------------------------------------------------- synthetic files
def test_the_files_on_disk_are_those_of_the_seed(root):
    for path, content in hiring_files(root).items():
        assert (root / path).read_bytes() == content, path


def test_another_seed_gives_other_people_with_the_same_rates(root):
    one, other = draw_hiring(root), draw_hiring(root, seed=7)
    assert not one.decisions["progressed"].equals(other.decisions["progressed"])
    rates = [
        d.decisions.merge(d.people, on="participant")
        .groupby(["evaluation", "name"])["progressed"]
        .agg(["sum", "count"])
        for d in (one, other)
    ]
    pd.testing.assert_frame_equal(*rates)


def test_names_are_reversed_between_combinations_and_differ_within_pairs():
    for first, second in zip(APPLICATIONS[::2], APPLICATIONS[1::2], strict=True):
        assert name_of(first, 1) != name_of(second, 1) and name_of(first, 1) != name_of(first, 2)


def test_possible_counts_are_the_largest_that_round_as_printed():
    assert possible_count(rate=50.0, margin=0.005, decisions=11) == (10, 5)
    answered, positive = possible_count(rate=84.22, margin=0.005, decisions=760)
    assert f"{100 * positive / answered:.2f}" == "84.22"
    assert all(f"{100 * round(0.8422 * n) / n:.2f}" != "84.22" for n in range(answered + 1, 761))
    with pytest.raises(InvalidInput):
        possible_count(rate=33.333, margin=0.00001, decisions=2)


def test_every_row_says_that_it_is_synthetic(root):
    for path in hiring_files(root):
        assert (pd.read_csv(root / path)["release"] == "synthetic").all()


# ---------------------------------------------------------------- estimates
def test_means_are_plain_means_of_the_decisions(frames, results):
    decisions, scores = frames
    means = decisions.groupby(["evaluation", "name"])["progressed"].mean()
    for (condition, name), mean in means.items():
        row = results.loc[
            f"hiring/progression/mean_{condition}_{'minority' if name.startswith('minority') else 'white_british'}/cr1"
        ]
        assert row["estimate"] == pytest.approx(100 * mean, rel=1e-12)  # a saturated model: only rounding errors
    for shown, mean in scores.groupby("name_shown")["total"].mean().items():
        assert results.loc[f"hiring/evaluation_score/mean_{shown}/hc2", "estimate"] == pytest.approx(mean, rel=1e-12)


def test_contrasts_agree_with_statsmodels(frames, results):
    smf = pytest.importorskip("statsmodels.formula.api")
    decisions, scores = frames
    known = decisions.dropna(subset=["progressed"]).assign(
        y=lambda f: 100 * f["progressed"],
        joint=lambda f: (f["evaluation"] == "joint").astype(float),
        minority=lambda f: (f["name"] == "minority ethnic").astype(float),
    )
    fit = smf.ols("y ~ joint * minority", known).fit(
        cov_type="cluster", cov_kwds={"groups": pd.factorize(known["participant"])[0]}, use_t=True
    )
    test = fit.t_test("joint + joint:minority = 0")
    row = results.loc["hiring/progression/minority_joint_vs_separate/cr1"]
    # Both solve the same equations in double precision.
    assert row["estimate"] == pytest.approx(test.effect.item(), rel=1e-9)
    assert row["std_error"] == pytest.approx(test.sd.item(), rel=1e-9)
    assert row["p_value"] == pytest.approx(float(np.squeeze(test.pvalue)), rel=1e-6)
    second = smf.ols("total ~ C(name_shown, Treatment('minority'))", scores).fit()
    pooled = results.loc["hiring/evaluation_score/blinded_vs_minority/pooled"]
    assert pooled["std_error"] == pytest.approx(second.bse.iloc[1], rel=1e-9)
    robust = second.get_robustcov_results("HC2")
    assert results.loc["hiring/evaluation_score/blinded_vs_minority/hc2", "std_error"] == pytest.approx(
        robust.bse[1], rel=1e-9
    )


def test_a_contrast_is_the_difference_of_its_cells(plan, results):
    for contrast in plan.contrasts.values():
        method = plan.main_method(contrast.experiment).id
        sums = [
            sum(results.loc[f"hiring/{contrast.experiment}/mean_{cell}/{method}", "estimate"] for cell in cells)
            for cells in (contrast.plus, contrast.minus)
        ]
        row = results.loc[f"hiring/{contrast.experiment}/{contrast.id}/{method}"]
        assert row["estimate"] == pytest.approx(sums[0] - sums[1], abs=1e-9)  # sums of numbers near 100


def test_clusters_are_participants_and_order_of_rows_does_not_matter(frames, plan, results):
    decisions, scores = frames
    shuffled = analyse(
        decisions.sample(frac=1, random_state=1), scores.sample(frac=1, random_state=2), plan
    ).results.set_index("result_id")
    row = results.loc["hiring/progression/interaction/cr1"]
    assert row["n_clusters"] == decisions["participant"].nunique() and row["df"] == row["n_clusters"] - 1
    # Sums in another order differ in the last digits.
    np.testing.assert_allclose(shuffled.loc[results.index, "estimate"], results["estimate"], rtol=1e-9, atol=1e-9)


def test_planted_truth_is_found(frames, plan):
    decisions, scores = frames
    rng = np.random.default_rng(5)
    minority, joint = decisions["name"] == "minority ethnic", decisions["evaluation"] == "joint"
    truth = 0.5 + 0.2 * (minority & joint)
    planted = decisions.assign(progressed=(rng.random(len(decisions)) < truth).astype(float))
    shift = scores.assign(total=np.where(scores["name_shown"] == "blinded", 14.0, 12.0) + rng.normal(0, 1, len(scores)))
    found = analyse(planted, shift, plan).results.set_index("result_id")
    # Four standard errors: a correct estimator misses once in sixteen thousand draws, and this draw is fixed.
    for key, value in (
        ("progression/minority_joint_vs_separate/cr1", 20),
        ("progression/white_british_joint_vs_separate/cr1", 0),
        ("progression/interaction/cr1", 20),
        ("evaluation_score/blinded_vs_minority/hc2", 2),
        ("evaluation_score/minority_vs_white_british/hc2", 0),
    ):
        row = found.loc[f"hiring/{key}"]
        assert abs(row["estimate"] - value) < 4 * row["std_error"], key


def test_a_missing_condition_leaves_rows_with_reasons(frames, plan):
    decisions, scores = frames
    found = analyse(
        decisions.assign(progressed=np.where(decisions["name_set"] == 2, np.nan, decisions["progressed"])), scores, plan
    ).results
    lost = found.loc[found["result_id"].str.endswith("/set2-cr1")]
    assert len(lost) == len(plan.contrasts_of("progression")) and (lost["status"] == "not_estimated").all()
    assert lost["note"].str.contains("no decision is left").all()


def test_the_claim_that_no_question_asks_for_is_exploratory_by_every_method(results):
    part = results.loc[results["estimand"] == "minority_vs_white_british_joint"]
    assert set(part["analysis"]) == {"exploratory"} and part["p_adjusted"].isna().all()


def test_weights_of_the_interaction(plan):
    assert weights(plan.contrasts["interaction"], plan) == {"joint_minority": 1.0}


# ---------------------------------------------------------------- what is refused
def _spoil(root, name, change):
    path = root / "data" / name
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    change(frame).to_csv(path, index=False)


def _exchanged(frame, column, rows):
    """The two values of a condition exchanged for the first participants."""
    one, other = sorted(frame[column].unique())
    changed = frame[column].map({one: other, other: one})
    return frame.assign(**{column: [*changed[:rows], *frame[column][rows:]]})


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("decisions/hiring.csv", lambda f: pd.concat([f, f.tail(1)]), "K11"),
        ("decisions/hiring.csv", lambda f: f.iloc[1:], "K14"),
        ("decisions/hiring.csv", lambda f: f.assign(name=["minority ethnic", *f["name"][1:]]), "K13"),
        ("decisions/hiring.csv", lambda f: f.assign(progressed=["2", *f["progressed"][1:]]), "K10"),
        ("decisions/hiring.csv", lambda f: f.assign(participant=["HXXXXX", *f["participant"][1:]]), "K12"),
        ("decisions/hiring_scores.csv", lambda f: f.assign(team=["8", *f["team"][1:]]), "K10"),
        (
            "decisions/hiring_scores.csv",
            lambda f: f.assign(name_shown=f["name_shown"].shift(1).fillna("blinded")),
            "K15",
        ),
        ("allocation/hiring.csv", lambda f: f.assign(release="real"), "F20"),
        ("allocation/hiring.csv", lambda f: _exchanged(f, "evaluation", 2), "K16"),
        ("allocation/hiring.csv", lambda f: _exchanged(f, "evaluation", len(f)), "K16"),
        ("allocation/hiring.csv", lambda f: _exchanged(f, "name_set", 2), "K17"),
        ("allocation/hiring.csv", lambda f: f.assign(name_set="1"), "K17"),
        ("allocation/hiring.csv", lambda f: f.assign(name_shown=["minority", *f["name_shown"][1:]]), "K18"),
        ("decisions/hiring.csv", lambda f: f.iloc[:-10], "K18"),
    ],
)
def test_broken_files_are_refused(copy, name, change, code):
    before = pd.read_csv(copy / "data/decisions/hiring.csv", dtype=str)
    if code == "K13":  # the partner of the first row carries the same kind of name
        first = before.iloc[0]
        at = before.index[(before["participant"] == first["participant"]) & (before["pair"] == first["pair"])]
        _spoil(copy, name, lambda f: f.assign(name=[first["name"] if i in at else v for i, v in enumerate(f["name"])]))
    else:
        _spoil(copy, name, change)
    record_files(copy)
    with pytest.raises(DataError) as refused:
        load_hiring(copy)
    assert code in {problem.code for problem in refused.value.problems}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('minus = ["separate_minority"]\nplanned = true', 'minus = ["joint_minority"]\nplanned = true', "as many"),
        ('clauses = ["R37"]\ndecision = ["C04"]', 'decision = ["C04"]', "cites no clause"),
        ('dummies = ["intercept", "blinded"]', 'dummies = ["blinded"]', "lacks the intercept"),
        ('covariance = "CR1"', 'covariance = "CR9"', "CR9"),
        ('terms = ["this_first"]', 'terms = ["age"]', "age"),
        ('decision = ["C11"]', 'decision = ["C999"]', "C999"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(root, tmp_path, old, new, words):
    shutil.copytree(root / "data/plan", tmp_path / "data/plan")
    shutil.copytree(root / "data/published", tmp_path / "data/published")
    path = tmp_path / "data/plan/hiring.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(PlanError, match=words):
        load_experiment_plan(tmp_path, "hiring")


@pytest.mark.parametrize(
    ("part", "name", "changed"),
    [
        ("experiments", "progression", {"cluster": "participants"}),
        ("cells", "blinded", {"dummies": ("intercept", "blind")}),
        ("cells", "joint_minority", {"id": "joint_minorities"}),
    ],
)
def test_what_the_answers_do_not_have_is_refused_with_the_nearest(frames, plan, part, name, changed):
    other = {key: replace(each, **changed) if key == name else each for key, each in getattr(plan, part).items()}
    with pytest.raises(PlanError, match="Did you mean"):
        analyse(*frames, replace(plan, **{part: other}))
