"""From printed classes, numbers, means and spreads no bar of few people can be worked out; from narrower ones they
can.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from disclosure_bars import classes_of, found_out, from_moments, possible, split, ways

from hhp_stats.disclosure.bars import pooled
from hhp_stats.disclosure.declared import Bars
from hhp_stats.intake.hiring import decisions_with_conditions, load_hiring, scores_with_conditions
from hhp_stats.plan.experiments import load_experiment_plan
from hhp_stats.studies.hiring import STUDY, analyse


@pytest.fixture(scope="module")
def hiring(root):
    """The whole output, what of it is public, and the plan."""
    lists = load_hiring(root)
    plan = load_experiment_plan(root, STUDY)
    output = analyse(decisions_with_conditions(lists), scores_with_conditions(lists), plan)
    return output, output.decided(root), plan


def truth_of(output, table, group, value, name):
    rows = output.tables[table]
    rows = rows.loc[rows[group] == name]
    return dict(zip(rows[value].astype(int), rows["people"].astype(int), strict=True))


def moments_of_scores(public, cell):
    rows = public.results.loc[public.results["outcome"] == "evaluation_score"].set_index("estimand")["estimate"]
    flow = public.tables["flow"]
    n = flow.loc[(flow["experiment"] == "evaluation_score") & (flow["condition"] == cell), "answered"].iloc[0]
    mean, sd = (rows.loc[f"{word}_{cell}"] for word in ("mean", "sd"))
    return from_moments(int(n), *(float(each.iloc[0] if isinstance(each, pd.Series) else each) for each in (mean, sd)))


def scores(public, plan):
    for cell, table in public.tables["score_distribution"].groupby("cell"):
        yield cell, classes_of(table), moments_of_scores(public, cell)


def chosen(output, public, plan):
    """Printed: classes, exact means, and how many passed the limit. The sum of squares is granted to the reader:
    standard errors
    by participant, printed unrounded for each kind of name and for their difference, are made of it."""
    over = public.tables["chosen_over_limit"].set_index("evaluation")
    for name, table in public.tables["chosen_per_person"].groupby("evaluation"):
        truth = truth_of(output, "chosen_per_person", "evaluation", "chosen", name)
        total = over.loc[name, "mean"] * over.loc[name, "people"]
        assert round(total) == sum(value * n for value, n in truth.items())
        squares = sum(value**2 * n for value, n in truth.items())
        above = [value for value in truth if value > plan.fact("limit")]
        yield name, truth, list(split(classes_of(table), above, int(over.loc[name, "over"]))), (round(total), squares)


def test_no_bar_of_the_scores_can_be_worked_out(hiring):
    output, public, plan = hiring
    guarded = 0
    for cell, classes, sums in scores(public, plan):
        truth = truth_of(output, "score_distribution", "cell", "score", cell)
        assert found_out(possible(classes, sums), truth, threshold=plan.disclosure.threshold) == {}, cell
        guarded += sum(0 < n < plan.disclosure.threshold for n in truth.values())
    assert guarded > 5


def test_no_bar_of_those_put_forward_can_be_worked_out(hiring):
    output, public, plan = hiring
    guarded = 0
    for name, truth, classes, sums in chosen(output, public, plan):
        assert found_out(possible(classes, sums), truth, threshold=plan.disclosure.threshold) == {}, name
        guarded += sum(0 < n < plan.disclosure.threshold for n in truth.values())
    assert guarded >= 2


# ---------------------------------------------------------------- the attack finds what can be found
def test_withheld_single_bars_could_be_solved_for(hiring):
    """As it used to be: bars of their own, the small ones withheld, beside number, mean and standard deviation."""
    output, public, plan = hiring
    found = {}
    for cell, _, sums in scores(public, plan):
        truth = truth_of(output, "score_distribution", "cell", "score", cell)
        small = tuple(score for score, n in truth.items() if 0 < n < 5)
        classes = [((score,), n) for score, n in truth.items() if score not in small]
        classes.append((small, sum(truth[score] for score in small)))
        found |= {(cell, score): n for score, n in found_out(possible(classes, sums, within=(1, 4)), truth).items()}
    assert found


def test_classes_that_only_hold_enough_people_could_be_solved_for(hiring):
    """Closed as soon as they hold five, without a look at mean and spread."""
    output, public, plan = hiring
    found = {}
    for cell, _, sums in scores(public, plan):
        truth = truth_of(output, "score_distribution", "cell", "score", cell)
        found |= {(cell, score): n for score, n in found_out(possible(narrow(truth), sums), truth).items()}
    for name, truth, _, sums in chosen(output, public, plan):
        found |= {(name, value): n for value, n in found_out(possible(narrow(truth), sums), truth).items()}
    assert found


def narrow(truth, threshold=5):
    classes, values, people = [], (), 0
    for value, n in sorted(truth.items()):
        values, people = (*values, value), people + n
        if people >= threshold:
            classes.append((values, people))
            values, people = (), 0
    if values:
        last, n = classes.pop()
        classes.append(((*last, *values), n + people))
    return classes


def test_a_number_printed_beside_that_cuts_a_class_is_reckoned_with():
    """Values 1 to 6; besides, how many lie above 3 is printed."""
    counts = {1: 6, 2: 7, 3: 2, 4: 4, 5: 8, 6: 9}
    values = np.repeat(list(counts), list(counts.values()))
    frame = pd.DataFrame([{"cell": "a", "value": v, "people": n, "share": n / len(values)} for v, n in counts.items()])
    bars = Bars(group="cell", value="value", members=tuple(values == v for v in counts), moments=2)
    sums = [int((values**power).sum()) for power in (1, 2)]
    above = (4, 5, 6)
    without = list(split(classes_of(pooled(frame, bars, threshold=5).table), above, 21))
    assert found_out(possible(without, sums), counts)
    known = replace(bars, known=(frozenset(above),))
    reckoned = list(split(classes_of(pooled(frame, known, threshold=5).table), above, 21))
    assert reckoned and found_out(possible(reckoned, sums), counts) == {}


def test_ways_are_all_ways():
    rows = ways(4, 3)
    assert len(rows) == 15 and len(np.unique(rows, axis=0)) == 15 and (rows.sum(axis=1) == 4).all()


@pytest.mark.parametrize("seed", range(12))
def test_bars_of_any_shape_are_protected(seed):
    """Small groups over few values: what the protection calls safe leaves several numbers for each small bar, all
    ways counted out.
    """
    rng = np.random.default_rng(seed)
    counts = dict(enumerate(rng.choice([0, 1, 2, 3, 4, 6, 9], size=8).tolist()))
    values = np.repeat(list(counts), list(counts.values()))
    frame = pd.DataFrame([{"cell": "a", "value": v, "people": n, "share": n / len(values)} for v, n in counts.items()])
    bars = Bars(group="cell", value="value", members=tuple(values == v for v in counts), moments=2)
    shown = pooled(frame, bars, threshold=5)
    if shown.table.empty:
        assert len(shown.exposed)
        return
    sums = [int((values**power).sum()) for power in (1, 2)]
    assert found_out(possible(classes_of(shown.table), sums), counts) == {}
