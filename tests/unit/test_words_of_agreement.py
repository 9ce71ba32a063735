"""Sentences that count or compare versions: what agrees, what lies between, what is not said where there is none."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations

import pandas as pd
import pytest

from hhp_stats.plan.consort import ChecklistItem
from hhp_stats.present import prose
from hhp_stats.present.consort import COUNTED, STATUS, Checklist
from hhp_stats.present.goal_setting import SENTENCES
from hhp_stats.present.numbers import number


def row(name, estimate, half, status="estimated"):
    return {
        "result_id": f"a/b/itt/{name}",
        "estimate": estimate,
        "conf_low": estimate - half,
        "conf_high": estimate + half,
        "status": status,
    }


PLANNED = {
    "clear below": row("planned", -2.0, 1.0),
    "clear above": row("planned", 2.0, 1.0),
    "unclear below": row("planned", -2.0, 3.0),
}
VERSIONS = {
    "clear, same way": (-3.0, 1.0),
    "clear, other way": (3.0, 1.0),
    "unclear, same way": (-0.5, 1.0),
    "unclear, other way": (0.5, 1.0),
}
# planned: versions that point the same way, versions that lead to the same conclusion
AGREE = {
    "clear below": ({"clear, same way", "unclear, same way"}, {"clear, same way"}),
    "clear above": ({"clear, other way", "unclear, other way"}, {"clear, other way"}),
    "unclear below": ({"clear, same way", "unclear, same way"}, {"unclear, same way", "unclear, other way"}),
}
COUNTS = ("no", "one", "two", "three", "four")


@pytest.mark.parametrize("better", ["lower", "higher"])
@pytest.mark.parametrize("planned", PLANNED)
def test_versions_agree_where_direction_and_clearness_do(planned, better):
    """Every choice of the four versions: a clear difference the other way is no agreement, whatever is better."""
    base = PLANNED[planned]
    way, conclusion = AGREE[planned]
    for size in range(1, 5):
        for chosen in combinations(VERSIONS, size):
            rows = [
                base,
                *(row(f"v{n}", *VERSIONS[name]) for n, name in enumerate(chosen)),
                row("none", float("nan"), 1, "not_estimated"),
            ]
            said = prose.agreement(pd.DataFrame(rows), base, better=better)
            same, alike = len(way & set(chosen)), len(conclusion & set(chosen))
            assert said == expected(size, same, alike)


def expected(size, same, alike):
    """The sentence about `size` versions, of which `same` point the same way and `alike` lead to the conclusion."""
    if size == 1:
        way = "points in the same direction" if same else "points in the other direction"
        return f"The one sensitivity analysis {way} and leads to {'the same' if alike else 'another'} conclusion."
    whole = "Both" if size == 2 else f"All {COUNTS[size]}"
    if same == alike == size:
        return f"{whole} sensitivity analyses point in the same direction and lead to the same conclusion."
    lead, point = ("all" if n == size else COUNTS[n] if n else "none" for n in (alike, same))
    if alike == size:
        verb = "point" if same > 1 else "points"
        return f"{whole} sensitivity analyses lead to the same conclusion; {point} {verb} in the same direction."
    return (
        f"Of {COUNTS[size]} sensitivity analyses, {lead} {'lead' if alike > 1 else 'leads'} to the same conclusion and"
        f" {point} {'point' if same > 1 else 'points'} in the same direction."
    )


def test_without_other_versions_nothing_is_counted():
    planned = PLANNED["clear below"]
    assert "no other version" in prose.agreement(pd.DataFrame([planned]), planned, better="lower")


def test_factors_of_the_printed_days_stand_in_their_order(goal_setting_report):
    """11.75 printed days are so many times the programme of an hour, and twice as many times that of half an hour."""
    plan = goal_setting_report.plan
    moved = {"printed-days": 12.0, "programme-60": 3.0, "programme-30": 1.5}
    scenarios = tuple(replace(each, days=moved.get(each.key, each.days)) for each in plan.cost_benefit.scenarios)
    report = replace(
        goal_setting_report, plan=replace(plan, cost_benefit=replace(plan.cost_benefit, scenarios=scenarios))
    )
    said = SENTENCES["printed_days"](report)
    assert "time as 12.00 days, 4 to 8 times its length" in said
    own = report.row("benefit_cost/ratio/printed-days")
    assert f"the ratio is only {number(own['estimate'])} (" in said


def item(place, status):
    return ChecklistItem(id=f"{place}a", asks="Something.", status=status, sections=(), results=(), note="")


@pytest.mark.parametrize("status", sorted(STATUS))
def test_only_statuses_that_occur_are_counted(status):
    """Of one item, of two of a kind, of all kinds together: a kind without items is not spoken of."""
    others = [item(place, name) for place, name in enumerate(STATUS) if name != status]
    for items in ([item(8, status)], [item(8, status), item(9, status)], others, [*others, item(8, status)]):
        said = Checklist(study="goal_setting", items=tuple(items), sections={}, results=frozenset()).count()
        assert said.startswith(f"Of {len(items)} items, ")  # none of them extends the list to cluster trials
        counted = re.split(r", | and ", said.removesuffix(".").partition(", ")[2])
        numbers = {name: sum(one.status == name for one in items) for name in STATUS}
        assert counted == [f"{n} {words[n > 1]}" for name, words in COUNTED.items() if (n := numbers[name])]
