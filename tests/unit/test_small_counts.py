"""Small counts of the other chapters: gone from every table, and not to be worked out from what is left."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from hhp_stats.errors import HhpError
from hhp_stats.present.numbers import WITHHELD, count_of, withheld
from hhp_stats.present.small_counts import _Counts, disclosed_study, disclosure_settings, public_small_counts
from hhp_stats.results import ResultRow, result_frame
from hhp_stats.studies.output import StudyOutput


def output(study, rows=(), **tables):
    return StudyOutput(study=study, results=result_frame(list(rows)), conduct=(), tables=tables)


def row(result_id, estimate):
    study, outcome, estimand, _ = result_id.split("/")
    return ResultRow(result_id=result_id, study=study, outcome=outcome, estimand=estimand, population="", contrast="", method="count",
                     analysis="exploratory", estimate=estimate, n=11, status="descriptive", source="test")  # fmt: skip


def trial():
    """Two arms of sixty; three treated and eight controls began without answering the primary outcome; small blocks."""
    flow = [("randomised", "all", "Randomised", 120, "stage")]
    attrition, losses = [], {"control": 8, "treatment": 3}
    for arm, began in (("control", 40), ("treatment", 35)):
        flow += [
            ("allocated", arm, f"The {arm}", 60, "stage"), ("survey", arm, "Did not answer", 60 - began, "loss"),
            ("survey", arm, "Began the endline survey", began, "stage"),
            ("analysed", arm, "Primary outcome not answered", losses[arm], "loss"),
            ("analysed", arm, "Analysed: primary outcome", began - losses[arm], "stage"),
            ("analysed", arm, "Analysed: belonging", began - losses[arm] - 1, "note"),
        ]  # fmt: skip
        attrition.append(
            {
                "kind": "arm",
                "label": f"The {arm}",
                "people": 60,
                "baseline": 30,
                "responded": began - losses[arm],
                "left": 0.1,
            }
        )
    for label, people, baseline, responded, left in (("North", 100, 57, 58, 10), ("South", 20, 3, 6, 2)):
        attrition.append(
            {
                "kind": "block",
                "label": label,
                "people": people,
                "baseline": baseline,
                "responded": responded,
                "left": left / people,
            }
        )
    linkage = [{"wave": "endline", "responses": 90, "consented": 80, "duplicates": 3, "matched": 75, "unmatched": 2}]
    recall = [{"answer": "yes", "people": 28, "of": 30}, {"answer": "no", "people": 2, "of": 30}]
    return output("letters", flow=pd.DataFrame(flow, columns=["stage", "arm", "label", "people", "kind"]), attrition=pd.DataFrame(attrition),
                  linkage=pd.DataFrame(linkage), recall=pd.DataFrame(recall))  # fmt: skip


def test_no_small_count_is_left_and_none_can_be_worked_out(root):
    whole = trial()
    safe = disclosed_study(whole, root)
    threshold = disclosure_settings(root).threshold
    for name, columns in {"flow": ["people"], "attrition": ["baseline", "responded"], "linkage": ["duplicates", "unmatched"],
                          "recall": ["people"]}.items():  # fmt: skip
        for column in columns:
            for value in safe.output.tables[name][column]:
                assert withheld(value) or value == 0 or value >= threshold, (name, column, value)
    assert safe.output.tables["attrition"]["left"].iloc[3] == WITHHELD  # two of twenty
    found = _Counts(whole.tables)
    for part in (found.flow, found.attrition, found.linkage, found.recall):
        part()
    system, hidden = found.system, {(each.row, each.column) for each in safe.register.itertuples()}
    unknown = [key for key in system.counts if key not in system.printed or (key.row, key.column) in hidden]
    place = {key: at for at, key in enumerate(unknown)}
    rows, right = np.zeros((len(system.sums), len(unknown))), np.zeros(len(system.sums))
    for line, each in enumerate(system.sums):
        for sign, key in [(1.0, each.total), *((-1.0, part) for part in each.parts)]:
            if key in place:
                rows[line, place[key]] += sign
            else:
                right[line] -= sign * system.counts[key]
    checked = 0
    for key in unknown:
        if not 0 < system.counts[key] < threshold:
            continue
        goal = np.zeros(len(unknown))
        goal[place[key]] = 1.0
        ends = [linprog(sign * goal, A_eq=rows, b_eq=right, bounds=(0, None), method="highs") for sign in (1.0, -1.0)]
        highest = np.inf if ends[1].status == 3 else -ends[1].fun
        assert highest - ends[0].fun > 0.5, key
        checked += 1
    assert checked >= 6


def test_the_number_behind_an_estimate_is_never_the_partner(root):
    flow = disclosed_study(trial(), root).output.tables["flow"]
    assert not any(map(withheld, flow.loc[flow["label"].str.startswith("Analysed"), "people"]))
    treated = flow.loc[flow["arm"] == "treatment"].set_index("label")["people"]
    assert withheld(treated["Primary outcome not answered"]) and withheld(treated["Began the endline survey"])


def test_values_of_few_people_are_pooled_with_their_neighbours(root):
    counts = (0, 1, 0, 3, 16, 2, 4, 20, 0, 1)
    table = pd.DataFrame([{"cell": "a", "score": n, "people": p, "share": p / 47} for n, p in enumerate(counts)])
    safe = disclosed_study(output("hiring", score_distribution=table), root)
    shown = safe.output.tables["score_distribution"]
    assert shown[["low", "high", "people"]].to_numpy().tolist() == [[0, 4, 20], [5, 6, 6], [7, 9, 21]]
    assert (shown["share"] * (shown["high"] - shown["low"] + 1)).sum() == pytest.approx(1)
    assert safe.register["column"].tolist() == [
        "score 0 to 4 together",
        "score 5 to 6 together",
        "score 7 to 9 together",
    ]
    few = pd.DataFrame([{"cell": "a", "score": 1, "people": 4, "share": 1.0}])
    assert disclosed_study(output("hiring", score_distribution=few), root).output.tables["score_distribution"].empty


def sums_of(low, high, people):
    """Sum and sum of squares of every way in which so many people can have values from `low` to `high`."""
    found = {(0, 0, 0)}
    for value in range(low, high + 1):
        found = {(n + x, a + x * value, b + x * value * value) for n, a, b in found for x in range(people - n + 1)}
    return {(a, b) for n, a, b in found if n == people}


def test_mean_and_spread_do_not_give_a_pooled_value_away(root):
    counts = {3: 0, 4: 1, 5: 2, 6: 4, 7: 12, 8: 3, 9: 12, 10: 2, 11: 5}
    values = np.repeat(list(counts), list(counts.values()))
    table = pd.DataFrame([{"cell": "a", "score": s, "people": p, "share": p / len(values)} for s, p in counts.items()])
    shown = disclosed_study(output("hiring", score_distribution=table), root).output.tables["score_distribution"]
    printed = round(values.mean(), 2), round(values.std(ddof=1), 2)
    first, *others = shown[["low", "high", "people"]].to_numpy().tolist()
    rest = {(0, 0)}
    for low, high, people in others:
        rest = {(a + c, b + d) for a, b in rest for c, d in sums_of(low, high, people)}
    possible = set()
    for fives in range(first[2] + 1):
        for fours in range(first[2] - fives + 1):
            left = first[2] - fives - fours
            for threes in range(left + 1):
                sixes = left - threes
                a0 = 3 * threes + 4 * fours + 5 * fives + 6 * sixes
                b0 = 9 * threes + 16 * fours + 25 * fives + 36 * sixes
                for a, b in rest:
                    mean = (a0 + a) / len(values)
                    spread = ((b0 + b - len(values) * mean**2) / (len(values) - 1)) ** 0.5
                    if (round(mean, 2), round(spread, 2)) == printed:
                        possible.add((threes, fours, fives, sixes))
    assert (0, 1, 2, 4) in possible
    assert all(len({each[at] for each in possible}) > 1 for at in range(1, 4))


def test_switched_off_everything_stays(project):
    manifest = project / "data/manifest.toml"
    manifest.write_text(f'disclosure = "off"\n{manifest.read_text(encoding="utf-8")}', encoding="utf-8")
    whole = trial()
    found = disclosed_study(whole, project)
    assert found.internal and found.output is whole and found.register.empty


def test_tables_that_contradict_each_other_are_refused(root):
    whole = trial()
    whole.tables["flow"].loc[2, "people"] = 21
    with pytest.raises(HhpError, match="not the sum"):
        disclosed_study(whole, root)


def test_a_small_count_of_a_pilot_must_have_been_printed_before(root):
    known = [row("flexitime/sample/service_leads/count", 1.0), row("flexitime/sample/senior_practitioners/count", 1.0)]
    found = public_small_counts(output("flexitime", known), root)
    assert dict(zip(found["count"].str.split("/").str[2], found["figure"], strict=True)) == {
        "service_leads": "FLX-SL", "senior_practitioners": "FLX-SW"}  # fmt: skip
    for secret in ([row("flexitime/sample/service_leads/count", 2.0)], [row("flexitime/sample/dismissed/count", 3.0)]):
        with pytest.raises(HhpError, match="very few people"):
            public_small_counts(output("flexitime", secret), root)


def test_a_count_with_its_share_goes_as_a_whole():
    assert count_of(30, 60) == "30 (50.0%)" and count_of(WITHHELD, 60) == count_of(30, WITHHELD) == WITHHELD
