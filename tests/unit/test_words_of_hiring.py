"""Sentences and tables of the hiring experiments on made-up rows in which every number tells whose it is."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from hhp_stats.plan.experiments import load_experiment_plan
from hhp_stats.present.hiring import SENTENCES, TABLES
from hhp_stats.present.hiring.report import HiringReport
from hhp_stats.present.numbers import lowered, number
from hhp_stats.results.frame import ResultRow, result_frame
from hhp_stats.studies.output import StudyOutput

RATES = {"joint_minority": 11.1, "separate_minority": 22.2, "joint_white_british": 33.3, "separate_white_british": 44.4}
SCORES = {"blinded": 10.5, "minority": 12.5, "white_british": 14.5}
FIRST, SECOND = "progression", "evaluation_score"


@pytest.fixture(scope="module")
def plan(root):
    return load_experiment_plan(root, "hiring")


def made(
    plan,
    experiment,
    estimand,
    method,
    estimate,
    *,
    half=1.0,
    p=0.4,
    holm=0.6,
    n=7000,
    clusters=700,
    conf_level=0.95,
    error=0.5,
):
    return ResultRow(
        result_id=plan.row_id(experiment, estimand, method),
        study=plan.study,
        outcome=experiment,
        estimand=estimand,
        population="",
        contrast="",
        method="",
        analysis="planned",
        estimate=estimate,
        std_error=error,
        conf_low=estimate - half,
        conf_high=estimate + half,
        p_value=p,
        p_adjusted=holm,
        n=n,
        n_clusters=clusters,
        conf_level=conf_level,
    )


def report_of(root, plan, changes=None, tables=None, **common):
    """Every row that a sentence can ask for; `changes` by (experiment, estimand) or (experiment, estimand, method)."""
    rows = {}
    for experiment, means in ((FIRST, RATES), (SECOND, SCORES)):
        main = plan.main_method(experiment).id
        for cell, mean in means.items():
            rows[experiment, f"mean_{cell}", main] = {"estimate": mean}
            rows[experiment, f"sd_{cell}", "raw"] = {"estimate": mean / 10}
        for place, contrast in enumerate(plan.contrasts_of(experiment), start=1):
            rows[experiment, f"mdes_{contrast.id}", main] = {"estimate": 90.0 + place}
            for method in plan.methods_of(experiment):
                rows[experiment, contrast.id, method.id] = {"estimate": 3.0 + place}
            if experiment == SECOND:
                rows[experiment, contrast.id, "hedges-g"] = {"estimate": 0.1 * place}
    rows |= {
        (FIRST, "white_british_vs_minority_separate", f"set{n}-cr1"): {"estimate": 60.0 + n, "p": 0.1 * n}
        for n in (1, 2)
    }
    rows |= {
        (FIRST, name, "count"): {"estimate": value, "half": 0.0}
        for name, value in (
            ("participants", 800.0),
            ("rows", 8000.0),
            ("answered", 7600.0),
            ("people_joint", 500.0),
            ("people_separate", 300.0),
        )
    }
    for key, values in (changes or {}).items():
        names = [name for name in rows if name[: len(key)] == key]
        assert names, key
        for name in names:
            rows[name] = rows[name] | values
    results = result_frame([made(plan, *key, **(common | values)) for key, values in rows.items()])
    output = StudyOutput(study=plan.study, results=results, tables=tables or {}, conduct=())
    return HiringReport(root=root, plan=plan, output=output, document="report/x.qmd")


def say(report, name):
    return SENTENCES[name](report)


# ---------------------------------------------------------------- whose number it is
def test_rates_stand_with_their_condition(root, plan):
    report = report_of(root, plan)
    assert (
        "minority ethnic names were shortlisted in 11.1% of decisions. Seen one after the other, they were shortlisted in 22.2%"
        in say(report, "question_1")
    )
    assert (
        "White British names were shortlisted in 33.3% of decisions. Seen one after the other, they were shortlisted in 44.4%"
        in say(report, "question_2")
    )
    table = TABLES["rates"](report)._tbl_data.set_index("Condition and names")["Shortlisted"]
    assert table.to_dict() == {cell.label: f"{number(RATES[cell.id])}%" for cell in plan.cells_of(FIRST)}


def test_scores_stand_with_their_condition(root, plan):
    report = report_of(root, plan)
    for name, first, second in (("score_1", 10.5, 12.5), ("score_2", 10.5, 14.5), ("score_3", 12.5, 14.5)):
        assert re.search(
            rf"was {number(first)} points, with .* {number(second)}\. That is [\d.]+ points (more|less) \(",
            say(report, name),
        ), name
    assert say(report, "score_spread").startswith(
        "The standard deviation of scores is 1.05 points with the name removed, 1.25 with a minority ethnic and 1.45 with"
    )
    table = TABLES["scores"](report)._tbl_data.set_index("Condition")
    for cell in plan.cells_of(SECOND):
        assert table.loc[cell.label, "Mean score"] == number(SCORES[cell.id])
        assert table.loc[cell.label, "Standard deviation"] == number(SCORES[cell.id] / 10)


def test_combinations_of_names_stand_in_their_order(root, plan):
    said = say(report_of(root, plan), "name_sets")
    assert "61.0 points in the first combination (p = .10) and 62.0 points in the second combination (p = .20)" in said


def test_people_by_condition(root, plan):
    report = report_of(root, plan)
    assert "500 saw the applications in pairs and 300 one after the other" in say(report, "sample")
    assert "8,000 decisions, of which 7,600 (95.0%) were answered; the other 400 are not analysed" in say(
        report, "answered"
    )


def test_pairs_by_who_was_put_forward(root, plan):
    shares = {"both": 0.11, "minority ethnic alone": 0.22, "White British alone": 0.33, "neither": 0.34}
    table = pd.DataFrame({"choice": list(shares), "pairs": [11, 22, 33, 34], "share": list(shares.values())})
    said = say(report_of(root, plan, tables={"pair_choices": table}), "pairs")
    assert re.findall(r"(\d+)%", said) == ["11", "34", "22", "33"]
    assert (
        "both candidates were shortlisted and in 34% neither" in said
        and "In 22% of all pairs only the candidate with the minority ethnic name" in said
    )


def test_the_limit_and_who_passed_it(root, plan):
    table = pd.DataFrame(
        {"evaluation": ["all", "joint"], "people": [9, 5], "mean": [4.4, 9.9], "over": [3, 5], "share": [0.33, 0.99]}
    )
    said = say(report_of(root, plan, tables={"chosen_over_limit": table}), "limit")
    assert (
        "shortlist five of the ten candidates at most" in said
        and "On average they shortlisted 4.4, and 33% of them" in said
    )


def test_what_is_detectable_stands_beside_what_was_found(root, plan):
    report = report_of(root, plan)
    table = TABLES["detectable"](report)._tbl_data
    planned = [
        (contrast.label, 90.0 + place, 3.0 + place)
        for experiment in (FIRST, SECOND)
        for place, contrast in enumerate(plan.contrasts_of(experiment), start=1)
        if contrast.planned
    ]
    found = list(table[["Comparison", "Detectable difference", "Difference found"]].itertuples(index=False, name=None))
    assert found == [(label, number(size, 1), number(effect, 1)) for label, size, effect in planned]
    sizes = [size for _, size, _ in planned]
    first, second = sizes[: len(sizes) // 2], sizes[len(sizes) // 2 :]
    said = say(report, "detectable")
    assert f"differences of {number(min(first), 1)} to {number(max(first), 1)} percentage points" in said
    assert f"differences of {number(min(second), 1)} to {number(max(second), 1)} points" in said
    ends = [f"{round(800 * (size / 5.0) ** 2, -2):,.0f}" for size in (min(first), max(first))]
    assert f"between {ends[0]} and {ends[1]} participants" in say(report, "needed")


@pytest.mark.parametrize("name", ["progression", "evaluation", "progression_versions", "evaluation_versions"])
@pytest.mark.parametrize("conf_level", [0.9, 0.95])
def test_every_column_of_a_table_of_comparisons_holds_its_field(root, plan, name, conf_level):
    own = {
        (FIRST, "white_british_vs_minority_separate"): {"p": 0.44}
    }  # those of one combination of names have their own
    report = report_of(root, plan, own, p=0.44, holm=0.22, n=7777, clusters=666, conf_level=conf_level, half=2.0)
    table = TABLES[name](report)._tbl_data
    heading = f"{100 * conf_level:g}% CI"
    assert len(table) >= 3 and set(table["p"]) == {".44"} and set(table["n"]) == {"7,777"}
    if "p (Holm)" in table:
        assert set(table["p (Holm)"]) == {".22"}
    if "Participants" in table:
        assert set(table["Participants"]) == {"666"}
    for row in table.to_dict("records"):
        effect = float(row["Difference"])
        assert row[heading] == f"{number(effect - 2)} to {number(effect + 2)}"


# ---------------------------------------------------------------- directions, clearness, limits
DIRECTED = {
    "question_1": (FIRST, "minority_joint_vs_separate", "more often", "less often"),
    "question_2": (FIRST, "white_british_joint_vs_separate", "more often", "less often"),
    "question_3": (FIRST, "white_british_vs_minority_separate", "more often", "less often"),
    "joint_gap": (FIRST, "minority_vs_white_british_joint", "more often", "less often"),
    "interaction": (FIRST, "interaction", "towards", "away from"),
    "score_1": (SECOND, "blinded_vs_minority", " points more (", " points less ("),
    "score_2": (SECOND, "blinded_vs_white_british", " points more (", " points less ("),
    "score_3": (SECOND, "minority_vs_white_british", " points more (", " points less ("),
}
CLEAR = re.compile("a clear difference")
UNCLEAR = re.compile("could be chance")


@pytest.mark.parametrize("name", DIRECTED)
@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("half", [1.0, 9.0])
def test_words_follow_sign_and_interval(root, plan, name, sign, half):
    experiment, estimand, above, below = DIRECTED[name]
    said = say(report_of(root, plan, {(experiment, estimand): {"estimate": 4.0 * sign, "half": half}}), name)
    assert (above if sign > 0 else below) in said and (below if sign > 0 else above) not in said
    assert re.search(r"\b4\.00? (?:percentage |more |less )?(?:points|than)", said)
    if name != "interaction":
        assert bool(CLEAR.search(said)) == (half == 1.0) and bool(UNCLEAR.search(said)) == (half == 9.0)


@pytest.mark.parametrize("name", ["progression_holm", "score_holm"])
@pytest.mark.parametrize(("p", "before"), [(0.0499, "three"), (0.05, "none"), (0.0501, "none")])
@pytest.mark.parametrize(("holm", "after"), [(0.0499, "three"), (0.05, "none")])
def test_comparisons_below_the_level_are_counted(root, plan, name, p, before, holm, after):
    said = say(report_of(root, plan, p=p, holm=holm), name)
    assert re.search(
        rf"Of three planned comparisons, {before} (have|has) a p-value below \.05; after Holm's adjustment {after} ",
        said,
    )


def test_a_verdict_that_hangs_on_the_method_is_called_so(root, plan):
    key = (SECOND, "blinded_vs_white_british")
    for values, words in (
        ({"hc2": 0.04, "welch": 0.04, "pooled": 0.06}, "two of these lie below .05, so a verdict would depend"),
        ({"hc2": 0.06, "welch": 0.04, "pooled": 0.06}, "one of these lies below .05, so a verdict would depend"),
        ({"hc2": 0.04, "welch": 0.03, "pooled": 0.02}, "all of these lie below .05."),
        ({"hc2": 0.05, "welch": 0.06, "pooled": 0.07}, "none of these lies below .05."),
    ):
        said = say(report_of(root, plan, {(*key, method): {"p": p} for method, p in values.items()}), "score_variance")
        assert words in said
        assert re.search(
            rf"is {number(values['hc2'], 3)[1:4]}\d* with robust .*, {number(values['welch'], 3)[1:4]}\d* by Welch",
            said,
        )


def test_what_clustering_does(root, plan):
    rows = {
        (FIRST, "minority_joint_vs_separate", plan.main_method(FIRST).id): {"error": 3.0},
        (FIRST, "minority_joint_vs_separate", "hc2"): {"error": 1.5},
    }
    said = say(report_of(root, plan, rows), "clustering")
    assert "is 3.00 points with clustering and would be 1.50 without it, smaller by a factor of 2.0" in said


@pytest.mark.parametrize("same", [True, False])
def test_versions_that_agree_are_counted(root, plan, same):
    """A clear difference the other way is no agreement."""
    contrast = next(one for one in plan.contrasts_of(FIRST) if one.planned)
    main = plan.main_method(FIRST).id
    others = [method.id for method in plan.methods_of(FIRST) if method.kind != "planned"]
    rows = {(FIRST, contrast.id): {"estimate": 5.0 if same else -5.0}, (FIRST, contrast.id, main): {"estimate": 5.0}}
    words = ("no", "one", "two", "three", "four", "five", "six", "seven")
    said = say(report_of(root, plan, rows), "progression_robust")
    if same:
        assert said.startswith(f"All {words[len(others)]} sensitivity analyses of each comparison lead to the same")
    else:
        assert f"{lowered(contrast.label)} (none of {words[len(others)]})" in said and "All" not in said


@pytest.mark.parametrize(("holm", "clear"), [(0.0499, True), (0.05, False), (0.15, False)])
def test_a_difference_that_is_clear_only_by_itself_says_so(root, plan, holm, clear):
    said = say(report_of(root, plan, {(SECOND, "blinded_vs_white_british"): {"half": 1.0}}, holm=holm), "score_2")
    assert said.endswith("), a clear difference.") == clear
    assert ("not as one of several comparisons" in said and "after Holm's adjustment" in said) != clear
