"""Limits that the plan sets for files held against each other: on the limit passes, the next case beyond it does
not.
"""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from hhp_stats.intake import rules_plausible as rules
from hhp_stats.plan.thresholds import Threshold

FILE = SimpleNamespace(file="a.csv")


def found(rule, *, limit, least=1, expected=None, **check):
    """Severity and units of what a rule finds with a limit; nothing is found where the plan has none."""
    threshold = Threshold(code=rule.code, about="a limit", limit=limit, least=least, expected=expected)
    given = {"course_log": FILE, "linkage": FILE, **check}
    assert list(rule.find(SimpleNamespace(thresholds={}, **given))) == []
    findings = list(rule.find(SimpleNamespace(thresholds={rule.code: threshold}, **given)))
    assert all(finding.rule is rule and finding.problem().severity == "error" for finding in findings)
    return [finding.units for finding in findings]


def course(*, kent, bromley, column):
    """Entries of two authorities, of which so many (first of each pair) have the mark."""
    rows = [
        (authority, n < marked)
        for authority, (marked, all_of) in (("Kent", kent), ("Bromley", bromley))
        for n in range(all_of)
    ]
    frame = pd.DataFrame(rows, columns=["local_authority", column]).assign(row=range(2, len(rows) + 2))
    return lambda: frame


@pytest.mark.parametrize(
    ("kent", "units"),
    [((2, 4), []), ((3, 5), [("Kent",)]), ((3, 3), []), ((4, 4), [("Kent",)])],
    ids=["half", "more", "too few", "all"],
)
def test_those_who_start_in_control_teams(kent, units):
    made = course(kent=kent, bromley=(0, 6), column="control")().assign(first_wave="baseline")
    made["treatment"] = 1.0 - made["control"]
    assert found(rules.IN_CONTROL, limit=0.5, least=4, course=lambda: made) == units


@pytest.mark.parametrize(
    ("started", "beyond"), [(0, True), (4, True), (5, False), (10, False), (15, False), (16, True)]
)
def test_as_many_start_as_are_reported(started, beyond):
    """A half is reported, a quarter either way allowed: of twenty, five to fifteen."""
    offered = pd.DataFrame({"treatment": [1] * 20 + [0], "first_wave": "baseline", "local_authority": "Kent"})
    begun = offered.head(started)
    late = offered.assign(first_wave="interim")  # who joined later was not offered it
    check = {"people": lambda: pd.concat([offered, late]), "course": lambda: pd.concat([begun, late])}
    expected = [(rules.EVERYWHERE,)] * beyond + [("Kent",)] * (started == 0)
    assert found(rules.STARTED, limit=0.25, least=5, expected=0.5, **check) == expected


@pytest.mark.parametrize(("offered", "units"), [(4, []), (5, [("Kent",)])])
def test_an_authority_without_any_entry_is_named_from_the_least_number_on(offered, units):
    people = pd.DataFrame(
        {"treatment": 1, "first_wave": "baseline", "local_authority": ["Kent"] * offered + ["Bromley"] * 20}
    )
    begun = people.tail(10)
    assert found(rules.STARTED, limit=0.9, least=5, expected=0.5, people=lambda: people, course=lambda: begun) == units


@pytest.mark.parametrize(
    ("kent", "units"),
    [((1, 4), []), ((2, 8), []), ((3, 8), [("Kent",)]), ((1, 3), [])],
    ids=["one", "a quarter", "more", "too few"],
)
def test_enrolled_who_are_on_no_return(kent, units):
    made = course(kent=kent, bromley=(0, 20), column="unknown")()
    made["known"] = ~made["unknown"]
    assert found(rules.KNOWN, limit=0.25, least=2, course=lambda: made) == units


@pytest.mark.parametrize(("both", "units"), [(4, []), (3, [(rules.EVERYWHERE,), ("Kent",)])])
@pytest.mark.parametrize(("least", "enough"), [(8, True), (9, False)])
def test_agency_staff_by_survey_and_return(both, units, least, enough):
    """Eight are agency staff by either: four by both are the half that is asked for; three are not."""
    people = [f"p{n}" for n in range(10)]
    returned = [1.0] * both + [0.0] * 2 + [1.0] * (6 - both) + [0.0, 0.0]
    says = ["agency"] * (both + 2) + ["permanent"] * (8 - both)
    ret = SimpleNamespace(frame=pd.DataFrame({"staff_id": people, "agency": returned}))
    responses = pd.DataFrame({"person": people, "local_authority": "Kent", "used": True})
    answers = SimpleNamespace(wave="baseline", items=pd.DataFrame({"contract": says}), responses=responses)
    check = {
        "returns": SimpleNamespace(by_site={"Kent": {"baseline": ret}}),
        "answers": (answers,),
        "pseudonyms": SimpleNamespace(people=lambda authority, staff: list(staff)),
    }
    assert found(rules.LINKED_AGREE, limit=0.5, least=least, **check) == units * enough


def returns_with(*shares):
    """Returns of authorities with these shares of part-time staff, of eight people each; nobody is agency staff."""
    made = []
    for number, share in enumerate(shares):
        frame = pd.DataFrame({"part_time": [1.0] * int(8 * share) + [0.0] * (8 - int(8 * share)), "agency": 0.0})
        made.append(
            SimpleNamespace(
                frame=frame,
                site=SimpleNamespace(local_authority=f"L{number}"),
                wave="baseline",
                file=f"{number}.xlsx",
                columns={},
            )
        )
    return SimpleNamespace(all=lambda: made)


@pytest.mark.parametrize(
    ("share", "units"),
    [(0.5, []), (0.75, []), (0.875, [("L3, baseline",)]), (0.25, []), (0.0, [])],
    ids=["alike", "by the limit", "beyond", "below", "far below"],
)
def test_shares_unlike_those_of_other_authorities(share, units):
    """The others have a quarter: by the half that is allowed they may differ."""
    assert found(rules.UNLIKE, limit=0.5, least=8, returns=returns_with(0.25, 0.25, 0.25, share)) == units
    assert found(rules.UNLIKE, limit=0.5, least=9, returns=returns_with(0.25, 0.25, 0.25, share)) == []


@pytest.mark.parametrize(("changed", "units"), [(2, []), (3, [("L1, baseline",)])])
def test_yes_and_no_that_change_for_more_than_is_allowed(monkeypatch, changed, units):
    both = pd.DataFrame(
        {"part_time_a": 1.0, "part_time_b": [0.0] * changed + [1.0] * (8 - changed), "agency_a": 0.0, "agency_b": 0.0}
    )
    earlier, later = returns_with(0.5, 0.5).all()
    monkeypatch.setattr(rules, "baseline_pairs", lambda returns: [(earlier, later)])
    check = {"returns": SimpleNamespace(matched=lambda one, other: both)}
    assert found(rules.TURNED, limit=0.25, least=8, **check) == units
    assert found(rules.TURNED, limit=0.25, least=9, **check) == []
