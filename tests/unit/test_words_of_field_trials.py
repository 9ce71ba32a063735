"""Sentences of the field-trial chapters on made-up rows: favour, direction, counts and limits, for outcomes of either
kind.
"""

from __future__ import annotations

import re

import pytest
from made_trials import made, report_of

from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.present.field_trials.conclusions import (
    attenuation_hint,
    attenuation_test,
    bounds,
    by_block,
    inconclusive,
    reach,
)
from hhp_stats.present.field_trials.effect_sentences import effect, short, spread, towards, verdict
from hhp_stats.present.field_trials.report import group_of
from hhp_stats.present.numbers import number

STUDIES = ("beneficiaries", "swing", "mod_ing")


def outcomes(root):
    for study in STUDIES:
        for outcome in load_individual_plan(root, study).outcomes.values():
            if outcome.scales:
                yield study, outcome


@pytest.mark.parametrize("sign", [-1, 1])
def test_favour_and_direction_follow_the_sign_and_what_is_better(root, sign):
    """For every measured outcome: a clear effect one way favours the group with the offer, the other way the control
    group.
    """
    seen = set()
    for study, outcome in outcomes(root):
        report = report_of(root, study, {outcome.id: (0.4 * sign, 0.1, 0.001, 0.001)})
        helps = (sign > 0) == (outcome.better == "higher")
        direction = "higher" if sign > 0 else "lower"
        said = effect(report, outcome.id)
        offered, control = (group_of(report, arm) for arm in (report.treatment, report.control))
        favoured = offered if helps else control
        assert control == "control group" and offered != control and offered.endswith(" group")
        assert f"was 0.40 points {direction} in the {offered} (" in said
        assert f": a clear difference in favour of the {favoured}." in said
        assert f"clearly {direction} in the {offered} (" in short(report, outcome.id)
        assert re.search(rf"{outcome.label}.* better in the {favoured}", towards(report), re.IGNORECASE)
        seen.add(helps)
    assert seen == {True, False}


def test_an_unclear_effect_is_called_so(root):
    for study, outcome in outcomes(root):
        report = report_of(root, study, {outcome.id: (-0.2, 0.3, 0.2, 0.6)})
        said = effect(report, outcome.id)
        assert said.count("a difference that could be chance") == 1 and "in favour" not in said
        assert re.search(r": lower in the \w.* group \(.*\), but this could be chance\.$", short(report, outcome.id))


@pytest.mark.parametrize(("holm", "kept"), [(0.0499, "one"), (0.05, "none"), (0.0501, "none")])
def test_clear_differences_are_counted_before_and_after_adjustment(root, holm, kept):
    for study in STUDIES:
        names = [outcome.id for of, outcome in outcomes(root) if of == study]
        report = report_of(root, study, {names[0]: (0.5, 0.2, 0.01, holm), names[1]: (0.5, 0.2, 0.02, 0.4)})
        said = verdict(report)
        assert said.startswith("We found a clear effect on two of the ")
        assert said.endswith(f" outcomes, {kept} remains.")
        first = report.outcome(names[0]).label.lower()
        assert f"(smallest p = .01, for {first})" in said.lower()
        assert "chance" not in towards(report)


@pytest.mark.parametrize("study", STUDIES)
def test_nothing_clear_is_none_and_chance(root, study):
    report = report_of(root, study, {})
    assert verdict(report).startswith("We found no clear effect on any of the")
    assert towards(report).endswith("All of this could be chance.")


@pytest.mark.parametrize("study", STUDIES)
def test_the_widest_ends_are_turned_so_that_above_is_better(root, study):
    """A wide interval on the side of benefit is the high end, on the side of harm the low one; the others run from
    -0.49 to 0.51.
    """
    measured = [outcome for of, outcome in outcomes(root) if of == study]
    for outcome in measured:
        sign = 1 if outcome.better == "higher" else -1
        others = [each.better for each in measured if each is not outcome]
        low, high = ("lower" in others) * 0.02 + 0.49, 0.51 - ("higher" not in others) * 0.02
        report = report_of(root, study, {outcome.id: (sign * 2.0, 1.0, 0.1, 0.1)})
        worse = f"standard deviations (worse for the {group_of(report, report.treatment)})"
        assert f"run from {number(-low)} {worse} to {number(3.0)} (better)" in reach(report)
        said = reach(report_of(root, study, {outcome.id: (-sign * 2.0, 1.0, 0.1, 0.1)}))
        assert f"run from {number(-3.0)} {worse} to {number(high)} (better)" in said


@pytest.mark.parametrize("study", STUDIES)
def test_both_are_open_where_the_benefit_planned_for_lies_inside(root, study):
    """The benefit, not the harm of the same size: for burnout that is a fall. On the ends of the interval both still
    count.
    """
    plan = load_individual_plan(root, study)
    target = plan.power["planned"].printed
    measured = [outcome for outcome in plan.outcomes.values() if outcome.scales]
    for wanted in measured:
        for benefit, found in ((target, True), (target - 1e-6, False)):
            effects = {}
            for outcome in measured:
                sign = 1 if outcome.better == "higher" else -1
                half = benefit / 2 if outcome is wanted else 0.001
                centre = half if outcome is wanted else 1.0  # the others are clear and small
                effects[outcome.id] = (sign * centre, half, 0.1, 0.1)
            said = inconclusive(report_of(root, study, effects))
            assert (
                said.startswith(
                    f"For one of the {('no', 'one', 'two', 'three', 'four', 'five')[len(measured)]} outcomes"
                )
                is found
            ), (wanted.id, said)


@pytest.mark.parametrize(
    ("estimate", "half", "word", "hint"),
    [
        (-0.2, 0.1, "falls", "fades"),
        (0.2, 0.1, "rises", "grows"),
        (-0.2, 0.3, "falls", "no clear change"),
        (0.2, 0.3, "rises", "no clear change"),
    ],
)
def test_a_change_over_time_has_its_direction(root, estimate, half, word, hint):
    report = report_of(
        root, "beneficiaries", {}, made("beneficiaries", "average/arm_by_week/cr1-sd", estimate, half=half)
    )
    assert f"The average effect {word} by 0.20" in attenuation_test(report) and hint in attenuation_hint(report)
    assert ("it is not a finding" in attenuation_test(report)) == (half < 0.2)


def test_cohorts_stand_in_their_order(root):
    name = next(outcome.id for study, outcome in outcomes(root) if study == "swing")
    rows = [
        made("swing", f"{name}/itt_cohort_1/hc2", 0.11),
        made("swing", f"{name}/itt_cohort_2/hc2", 0.22),
        made("swing", f"{name}/arm_by_cohort/hc2", 0.11, half=0.2, p=0.33),
    ]
    said = by_block(report_of(root, "swing", {}, *rows), name)
    assert (
        "0.11 in the first cohort (0.01 to 0.21) and 0.22 in the second (0.12 to 0.32), a difference that could be"
        " chance (p = .33)" in said
    )


@pytest.mark.parametrize(("half", "word"), [(0.1, "excludes"), (0.3, "includes")])
def test_bounds_stand_in_their_order_and_say_whether_zero_is_inside(root, half, word):
    for study in STUDIES:
        name = next(outcome.id for of, outcome in outcomes(root) if of == study)
        rows = [
            made(study, f"{name}/itt/lee", 0.2, half=half),
            made(study, f"{name}/lower_bound/lee", 0.15),
            made(study, f"{name}/upper_bound/lee", 0.25),
        ]
        said = bounds(report_of(root, study, {}, *rows))
        assert "lies between 0.15 and 0.25" in said and f"which {word} zero" in said


def test_spreads_stand_with_their_arm(root):
    for study, outcome in outcomes(root):
        report = report_of(root, study, {})
        group = group_of(report, report.treatment)
        assert spread(report, outcome.id) == f"6.00 in the {group} and 5.00 in the control group"
