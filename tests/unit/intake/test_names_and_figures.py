"""Names in a plain table that are one in two spellings, values that differ in capitals alone, figures far from all
others or in two units, and covariates that follow from each other.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hhp_stats.errors import DataError
from hhp_stats.intake.plain_table import load_plain_table
from hhp_stats.intake.rules_table_figures import beyond_quartiles
from hhp_stats.intake.rules_table_names import as_heard
from hhp_stats.plan.individual import load_individual_plan

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from table_trials import DICTIONARY, KEY, PLAN, walks, with_a_key, without_other_trials, write_walks


@pytest.fixture(scope="module")
def small(root, tmp_path_factory):
    return without_other_trials(root, tmp_path_factory.mktemp("names") / "project")


@pytest.fixture
def home(small, tmp_path):
    shutil.rmtree(small / "data/tables", ignore_errors=True)
    with with_a_key(tmp_path):
        yield write_walks(small)


def found(home, table, *, plan=PLAN, dictionary=DICTIONARY):
    """Code, place, what was found and remedy of what is found in a table."""
    write_walks(home, table, plan=plan, dictionary=dictionary)
    try:
        rows = load_plain_table(home, load_individual_plan(home, KEY)).problems.to_dict("records")
        return {row["code"]: (row["cell"], row["value"], row["remedy"]) for row in rows}
    except DataError as error:
        return {each.code: (each.cell, each.value, each.remedy) for each in error.problems}


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("School 1", "school 01", True),
        ("School 1", "SCHOOL-1", True),
        ("St. Mary", "St Mary", True),
        ("007", "7", True),
        ("ab-04", "AB4", True),
        ("A1", "A11", False),
        ("1.5", "15", False),
        ("B+", "B-", False),
        ("B-", "B", False),
        ("0", "00", True),
        ("Ward 1 2", "Ward 12", False),
    ],
)
def test_which_names_are_alike(one, other, alike):
    assert (as_heard(one) == as_heard(other)) == alike


def test_one_name_in_two_spellings_is_named_and_a_deviation_lets_it_pass(home):
    """A surgery and a person; what is said stands at the spelling that is used less."""
    table = walks()
    table["surgery"] = table["surgery"].where(table.index != 5, "s-01")
    plan = PLAN.replace("clusters = 24", "clusters = 25")
    cell, value, remedy = found(home, table, plan=plan)["T29"]
    assert cell == "row 7, column C (surgery)"
    assert value == "“s-01” next to “S01” of row 4, column C (surgery), in surgery"
    assert 'rule = "T29"' in remedy
    table = walks()
    table.loc[9, "Patient No"] = "p-4"
    cell, value, _ = found(home, table)["T29"]
    assert (cell, value) == ("row 11, column A (who)", "“p-4” next to “P0004” of row 6, column A (who), in who")
    entry = (
        '\n[[deviation]]\nid = "D901"\nstudy = "walks"\nclause = ""\nanalysis = "data"\naspect = "identifiers"\n'
        'planned = "Each by one number."\ndone = "Two numbers are alike."\nreason = "Two people."\n'
        'decided = "before the analysis"\nbefore_unblinding = true\nrule = "T29"\nunits = ["who"]\n'
    )
    deviations = home / "data/plan/deviations.toml"
    before = deviations.read_text(encoding="utf-8") if deviations.is_file() else ""
    deviations.write_text(before + entry, encoding="utf-8")
    try:
        assert "explained by deviation D901" in found(home, table)["T29"][2]
    finally:
        deviations.write_text(before, encoding="utf-8")


def test_values_that_differ_in_capitals_alone_are_told_apart(home):
    """Genotypes: AA, Aa and aa are three; what is none of them as it stands is refused."""
    table = walks().assign(gene=np.tile(["AA", "Aa", "aa"], 80))
    dictionary = f"{DICTIONARY}gene,Genotype,category,,,,AA|Aa|aa,\n"
    seen = found(home, table, dictionary=dictionary)
    assert seen["T30"][1] == "'Aa', 'aa' next to 'AA' in gene"
    people = load_plain_table(home, load_individual_plan(home, KEY)).people
    assert people["gene"].value_counts().to_dict() == {"AA": 80, "Aa": 80, "aa": 80}
    table.loc[3, "gene"] = "aA"
    assert found(home, table, dictionary=dictionary)["T09"][1].endswith("allowed AA, Aa, aa")


def test_arms_may_be_called_by_words_for_no_value_and_differ_in_capitals(home):
    table = walks().assign(offered=lambda t: t["offered"].replace({"usual care": "NA", "2": "na"}))
    plan = PLAN.replace('value = "usual care"', 'value = "NA"').replace("value = 2", 'value = "na"')
    write_walks(home, table, plan=plan)
    people = load_plain_table(home, load_individual_plan(home, KEY)).people
    assert people["arm"].value_counts().to_dict() == {"leaflet": 88, "coach": 80, "control": 72}


def test_figures_far_from_all_others(home):
    table = walks()
    table.loc[[3, 8], "steps_6"] = [39.0, 0.001]
    cell, value, _ = found(home, table)["T31"]
    low, high = table["steps_6"].quantile([0.25, 0.75])
    assert cell == "row 5, column H (steps_6)"
    assert value == f"39, where half of steps_6 lies between {low:.6g} and {high:.6g}"


@pytest.mark.parametrize("away", [-0.01, 0.01])
def test_the_limit_of_figures_far_from_the_others(home, away):
    """Normal figures, of which some are below zero: the distance of the one in question is computed here."""
    rest = np.linspace(-1, 1, 41)
    low, high = np.quantile([*rest, 9.0], [0.25, 0.75])
    limit = (9.0 - high) / (high - low)
    assert beyond_quartiles(np.array([*rest, 9.0]), limit + away).tolist() == [False] * 41 + [away < 0]
    skewed = np.exp(np.random.default_rng(3).normal(0, 1.5, 400))
    low, high = np.quantile(skewed, [0.25, 0.75])
    assert (skewed > high + 4 * (high - low)).sum() > 5  # which a long tail makes
    assert not beyond_quartiles(skewed, 4.0).any()
    assert not beyond_quartiles(np.array([0.0] * 30 + [1e9]), 4.0).any()  # the quartiles are one number
    assert beyond_quartiles(np.array([*skewed, 1e6]), 4.0).tolist() == [False] * 400 + [True]


@pytest.mark.parametrize("away", [-0.01, 0.01])
def test_hours_among_minutes(home, away):
    table = walks()
    table["steps_6"] = np.where(table.index % 6, table["steps_6"].clip(lower=2), (table["steps_6"] / 60).round(3))
    here = np.sort(table["steps_6"])
    steps = here[40] / here[39]
    limit = f'\n[[thresholds]]\ncode = "T32"\nabout = "a limit"\nlimit = {steps + away}\nleast = 240\n'
    seen = found(home, table, plan=PLAN + limit)
    assert ("T32" in seen) == (away < 0)
    if away < 0:
        said = f"40 from {here[0]:.6g} to {here[39]:.6g} and 200 from {here[40]:.6g} to {here[-1]:.6g} in steps_6"
        assert seen["T32"][:2] == ("column steps_6", said)


def test_covariates_that_follow_from_each_other_are_named_before_anything_is_estimated(home):
    table = walks().assign(coast=lambda t: t["region"].eq("Coast").astype(int))
    dictionary = f"{DICTIONARY}coast,On the coast,0/1,,,,,\n"
    plan = PLAN.replace('"years", "region"]', '"years", "region", "coast"]')
    value = found(home, table, plan=plan, dictionary=dictionary)["T33"][1]
    assert "steps/itt_coach/cr2" in value
    assert "determined exactly by the terms before: coast" in value
    assert "T33" not in found(home, table, dictionary=dictionary)
    unlike = pd.Series(np.where(np.arange(240) % 7, table["coast"], 1 - table["coast"]))
    assert "T33" not in found(home, table.assign(coast=unlike), plan=plan, dictionary=dictionary)


def test_a_unit_typed_behind_a_number_is_read_where_it_is_the_column_s_own(home):
    """Percentages as text, and any unit of the dictionary; another one is refused."""
    table = walks().assign(share=[f"{n / 3:.1f}%" for n in range(240)], weight=[f"{60 + n % 9} kg" for n in range(240)])
    dictionary = f"{DICTIONARY}share,Share done,number,percent,0,100,,\nweight,Weight,number,kg,,,,\n"
    write_walks(home, table, dictionary=dictionary)
    people = load_plain_table(home, load_individual_plan(home, KEY)).people
    assert people["share"].sum() == pytest.approx(sum(float(f"{n / 3:.1f}") for n in range(240)), rel=1e-12)
    assert people["weight"].min() == 60
    table.loc[4, "weight"] = "64 lb"
    assert found(home, table, dictionary=dictionary)["T08"][0] == "row 6, column N (weight)"
