"""Chapter 11: every number in the column of its study and field, words that follow intervals, levels and limits."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pandas as pd
import pytest

from hhp_stats.plan.catalogue import catalogue
from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.present import discussion
from hhp_stats.present.discussion import Discussion
from hhp_stats.present.numbers import MISSING, number
from hhp_stats.results.frame import Estimate, ResultRow, result_frame

WELLBEING = {"goal_setting": "wellbeing"}
STUDIES = ("goal_setting", "letters", "coffee", "beneficiaries", "swing", "mod_ing")


def effect_row(study, outcome, estimate, *, error=0.1, n=100, df=math.inf, conf_level=0.95, better="higher"):
    made = Estimate(
        estimate=estimate, std_error=error, df=df, n=n, n_clusters=None, method="Hedges' g", conf_level=conf_level
    )
    row = made.row(
        result_id=f"{study}/{outcome}/itt/hedges-g",
        population="",
        contrast="",
        analysis="exploratory",
        clause="",
        source="",
    )
    construct = "wellbeing" if "wellbeing" in outcome else ""
    return row, {"label": f"Label of {outcome}", "better": better, "construct": construct, "arm": ""}


def side(rows, *, root, power=()):
    """The chapter as if these were all results: effects, and rows of power beside them."""
    made, about = zip(*rows, strict=True)
    effects = result_frame(made).assign(
        **{name: [one[name] for one in about] for name in ("label", "better", "construct", "arm")}
    )
    results = pd.concat([effects[result_frame([]).columns], result_frame(power)])
    studies = {entry.study: entry for entry in catalogue(root) if entry.study in set(results["study"])}
    return Discussion(root=root, results=results, studies=studies, effects=effects)


def wellbeing(study):
    return WELLBEING.get(study, "subjective_wellbeing")


def power_row(study, name, *, n, estimate):
    tail = f"mdes/absence-{name}" if study == "goal_setting" else f"mde_{name}/formula"
    return ResultRow(
        result_id=f"{study}/power/{tail}",
        study=study,
        outcome="power",
        estimand=tail.split("/")[0],
        population="",
        contrast="",
        method="",
        analysis="exploratory",
        estimate=estimate,
        n=n,
        status="descriptive",
    )


def cells(table):
    return table._tbl_data


# ---------------------------------------------------------------- columns
def test_planned_and_analysed_samples_stand_in_their_columns(root):
    power = []
    for place, study in enumerate(STUDIES, start=1):
        power += [
            power_row(study, "planned", n=1000 + place, estimate=0.1 + place / 100),
            power_row(study, "achieved", n=500 + place, estimate=0.3 + place / 100),
        ]
    made = side([effect_row(study, wellbeing(study), 0.1) for study in STUDIES], root=root, power=power)
    table = cells(discussion.samples(made)).set_index("Study")
    for place, study in enumerate(STUDIES, start=1):
        row = table.loc[made.names[study]]
        assert row["People, planned"] == f"1,00{place}" and row["People, analysed"] == f"50{place}", study
        assert row["Found by planned people"] == number(0.1 + place / 100), study
        assert row["Found by those analysed"] == number(0.3 + place / 100), study
        if study == "goal_setting":
            assert row["Effect aimed at"] == row["Found by planned people"]
        else:
            aims = load_individual_plan(root, study).power
            assert row["Effect aimed at"] == (number(aims["planned"].printed) if "planned" in aims else MISSING), study


def test_without_power_rows_cells_are_empty_and_nothing_is_counted(root):
    made = side([effect_row("swing", "subjective_wellbeing", 0.1)], root=root)
    row = cells(discussion.samples(made)).iloc[0]
    assert row["People, planned"] == row["People, analysed"] == row["Found by those analysed"] == MISSING
    assert made.say("fewer") == "No trial here has a published target."


SMALLER = "fewer people are analysed than planned, and a smaller sample can only detect larger effects."
ENOUGH = "at least as many people are analysed as planned."


@pytest.mark.parametrize(("analysed", "says"), [(799, SMALLER), (800, ENOUGH), (801, ENOUGH)])
def test_only_smaller_samples_are_fewer(root, analysed, says):
    power = [
        power_row("swing", "planned", n=800, estimate=0.2),
        power_row("swing", "achieved", n=analysed, estimate=0.2),
    ]
    made = side([effect_row("swing", "subjective_wellbeing", 0.1)], root=root, power=power)
    assert made.say("fewer") == f"In the one trial with a published target, {says}"


@pytest.mark.parametrize(
    ("analysed", "says"),
    [
        ((799, 800), f"In one of the two trials with a published target, {SMALLER}"),
        ((799, 799), f"In both trials with a published target, {SMALLER}"),
        ((800, 800), f"In both trials with a published target, {ENOUGH}"),
        ((799, 799, 800), f"In two of the three trials with a published target, {SMALLER}"),
        ((799, 799, 799), f"In all three trials with a published target, {SMALLER}"),
    ],
)
def test_trials_with_smaller_samples_are_counted_in_english(root, analysed, says):
    power = []
    studies = ("beneficiaries", "swing", "mod_ing")[: len(analysed)]
    for study, n in zip(studies, analysed, strict=True):
        power += [power_row(study, "planned", n=800, estimate=0.2), power_row(study, "achieved", n=n, estimate=0.2)]
    made = side([effect_row(study, wellbeing(study), 0.1) for study in studies], root=root, power=power)
    assert made.say("fewer") == says


def test_each_number_of_an_effect_stands_in_its_column(root):
    made = side(
        [
            effect_row("swing", "burnout", 0.25, error=0.05, n=321, df=17.5),
            effect_row("letters", "belonging", -0.5, error=0.2, n=99),
        ],
        root=root,
    )
    for row, shown in zip(
        made.effects.to_dict("records"), cells(discussion.effects_table(made)).to_dict("records"), strict=True
    ):
        assert shown["Outcome"] == row["label"] and shown["of"] == made.names[row["study"]]
        assert shown["Effect"] == number(row["estimate"]) and shown["People"] == str(row["n"])
        assert shown["95% CI"] == f"{number(row['conf_low'])} to {number(row['conf_high'])}"
        assert shown["df"] == ("17.5" if row["study"] == "swing" else "normal")


# ---------------------------------------------------------------- levels
@pytest.mark.parametrize("conf_level", [0.9, 0.95, 0.99])
def test_words_headings_and_intervals_follow_the_level(root, conf_level):
    made = side(
        [
            effect_row("swing", "subjective_wellbeing", 0.4, conf_level=conf_level),
            effect_row("letters", "subjective_wellbeing", 0.1, conf_level=conf_level),
        ],
        root=root,
    )
    said = f"{100 * conf_level:g}%"
    for table in (discussion.effects_table(made), discussion.pairs(made)):
        assert [name for name in cells(table).columns if name.endswith("CI")] == [f"{said} CI"]
    # 0.3 with a standard error of 0.1 times the root of two, by the normal quantile of the level
    reach = {0.9: 1.6448536, 0.95: 1.9599640, 0.99: 2.5758293}[conf_level] * math.sqrt(0.02)
    assert cells(discussion.pairs(made)).iloc[0][f"{said} CI"] == f"{number(0.3 - reach)} to {number(0.3 + reach)}"
    assert f"with {said} intervals" in made.figure().alt
    assert f"{number(2 * (1 - conf_level), 1)} would be expected by chance" in made.say("overview")


# ---------------------------------------------------------------- directions
@pytest.mark.parametrize(
    ("conf_level", "said"), [(0.95, "The one pair of trials does not differ by more"), (0.9, "one differs")]
)
def test_pairs_are_held_against_the_level_of_their_intervals(root, conf_level, said):
    """p = .066 is below .10 and not below .05."""
    rows = [
        effect_row("swing", "subjective_wellbeing", 0.25, conf_level=conf_level),
        effect_row("letters", "subjective_wellbeing", -0.01, conf_level=conf_level),
    ]
    assert said in side(rows, root=root).say("compared")


def turned(made):
    effects = made.effects.assign(
        estimate=-made.effects["estimate"], conf_low=-made.effects["conf_high"], conf_high=-made.effects["conf_low"]
    )
    return replace(made, effects=effects)


def test_turned_effects_turn_every_word(root):
    made = side(
        [
            effect_row("swing", "burnout", 0.5),
            effect_row("letters", "belonging", 0.02),
            effect_row("coffee", "subjective_wellbeing", 0.3),
        ],
        root=root,
    )
    assert "three lean towards benefit and none towards harm" in made.say(
        "overview"
    ) and "Two are clearly different from no effect (two for the better)" in made.say("overview")
    assert "none leans towards benefit and three towards harm" in turned(made).say(
        "overview"
    ) and "Two are clearly different from no effect (two for the worse)" in turned(made).say("overview")
    for chapter, word in ((made, "better"), (turned(made), "worse")):
        assert re.findall(r"for the (\w+)", chapter.say("conclusion")) == [word, word]


def test_trials_are_compared_on_what_their_plans_say_they_measure(root):
    rows = [effect_row("letters", "subjective_wellbeing", 0.5), effect_row("swing", "burnout", 0.1)]
    made = side([(row, {**about, "construct": "energy"}) for row, about in rows], root=root)
    assert made.say("shared") == "On energy, the outcome that all trials share,"
    assert len(cells(discussion.pairs(made))) == 1 and "For energy, which all of them measured" in made.say("largest")
    nameless = side([(row, {**about, "construct": ""}) for row, about in rows], root=root)
    assert nameless.construct == "" and nameless.comparable().empty
    assert nameless.say("compared").startswith("No trial has a result on an outcome that trials share")
    assert nameless.say("shared") == "Where trials share an outcome,"


def test_pairs_are_the_first_minus_the_second(root):
    made = side(
        [effect_row("letters", "subjective_wellbeing", 0.5), effect_row("swing", "subjective_wellbeing", 0.1)],
        root=root,
    )
    row = cells(discussion.pairs(made)).iloc[0]
    assert (row["Difference between"], row["Difference"]) == ("Letters and SWING", "0.40")
    assert cells(discussion.pairs(turned(made))).iloc[0]["Difference"] == "\u22120.40"


def test_holm_p_is_the_adjusted_one(root):
    made = side(
        [
            effect_row(study, "subjective_wellbeing", effect)
            for study, effect in (("letters", 0.5), ("swing", 0.2), ("coffee", 0.19))
        ],
        root=root,
    )
    first = cells(discussion.pairs(made)).set_index("Difference between").loc["Letters and SWING"]
    # z = 0.31 / 0.1414: p = .0284, times three; 0.3 / 0.1414: p = .0339, times two is less than that.
    assert (first["p"], first["Holm p"]) == (".03", ".09")


# ---------------------------------------------------------------- limits
@pytest.mark.parametrize(("apart", "out"), [(-0.001, True), (0.0, False), (0.001, False)])
def test_an_interval_that_ends_at_the_target_does_not_leave_it_out(root, apart, out):
    target = load_individual_plan(root, "swing").power["planned"].printed
    made = side([effect_row("swing", "subjective_wellbeing", 0.0)], root=root)
    made = replace(made, effects=made.effects.assign(conf_high=target + apart, conf_low=-0.1))
    assert ("excludes that effect in SWING" in made.say("excluded")) is out


def test_the_narrowest_and_the_widest_are_named(root):
    made = side(
        [
            effect_row("swing", "subjective_wellbeing", 0.0, error=0.3),
            effect_row("letters", "subjective_wellbeing", 0.1, error=0.05),
        ],
        root=root,
    )
    low, high = made.effects["conf_low"].min(), made.effects["conf_high"].max()
    assert f"effects between {number(low)} and {number(high)} standard deviations" in made.say("largest")
    assert "The narrowest interval, that of Letters, runs from 0.002 to 0.198" in made.say("largest")
