"""Completeness of the data, the imputation's sentences and the counts of reproduced figures, worked out on paper."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hhp_stats.plan.load import load_plan
from hhp_stats.present import reproduction
from hhp_stats.present.goal_setting import imputation
from hhp_stats.present.reproduction import Reproduction
from hhp_stats.studies.goal_setting import data_quality

NAN = np.nan


@pytest.fixture(scope="module")
def plan(root):
    return load_plan(root, "goal_setting")


# ---------------------------------------------------------------- completeness
def people_of():
    base = {name: [1.0, NAN, 1.0, 1.0] for name, (_, source) in data_quality.VARIABLES.items() if source == "returns"}
    return pd.DataFrame(
        {
            **base,
            "treatment": [1.0, 1.0, 0.0, 0.0],
            "local_authority": ["Kent", "Kent", "Kent", "Bromley"],
            "left": [0.0, 1.0, NAN, 0.0],
            "responded_t1": [True, False, False, True],
            "responded_t2": [True, True, True, False],
        }
    )


def test_who_lacks_what_by_arm_and_authority(plan):
    table = data_quality.missingness(people_of(), plan).set_index(["variable", "kind", "group"])[["people", "missing"]]
    arms = plan.design.arm_labels
    found = {key: tuple(row) for key, row in table.iterrows()}
    assert found["baseline_absence", "arm", arms["treatment"]] == (2, 1) and found[
        "baseline_absence", "arm", arms["control"]
    ] == (2, 0)
    assert found["left", "arm", arms["treatment"]] == (2, 0) and found["left", "arm", arms["control"]] == (2, 1)
    assert found["left", "authority", "Kent"] == (3, 1) and found["left", "authority", "Bromley"] == (1, 0)
    # For a survey those are missing who did not answer it.
    assert found["responded_t1", "arm", arms["treatment"]] == (2, 1) and found[
        "responded_t1", "arm", arms["control"]
    ] == (2, 1)
    assert found["responded_t2", "arm", arms["treatment"]] == (2, 0) and found[
        "responded_t2", "authority", "Bromley"
    ] == (1, 1)


def test_answers_scale_by_scale():
    """Four answered at the baseline: all, half, none and all of the two items on time pressure; one did not answer at
    all.
    """
    items = sorted({item for _, names in data_quality.SCALES.values() for item in names})
    frame = pd.DataFrame({f"{item}_{wave}": [1.0] * 5 for item in items for wave in ("t1", "t2")})
    frame["responded_t1"], frame["responded_t2"] = [True, True, True, True, False], [False] * 5
    frame["pressure_1_t1"], frame["pressure_2_t1"] = [1.0, 1.0, NAN, 1.0, NAN], [1.0, NAN, NAN, 1.0, NAN]
    table = data_quality.item_nonresponse(frame).set_index(["wave", "scale"])
    row = table.loc[("baseline", "time_pressure")]
    assert row[["items", "respondents", "complete", "partial", "none", "missing_share"]].tolist() == [
        2,
        4,
        2,
        1,
        1,
        0.38,
    ]  # 3 of 8
    other = table.loc[("baseline", "burnout")]
    assert other[["items", "complete", "partial", "none", "missing_share"]].tolist() == [8, 4, 0, 0, 0]
    assert table.loc["endline", "respondents"].eq(0).all() and table.loc["endline", "missing_share"].isna().all()
    sizes = {scale: len(names) for scale, (_, names) in data_quality.SCALES.items()}
    assert table.loc["baseline", "items"].to_dict() == sizes and sizes["burnout"] == 8 and sizes["intention"] == 3


@pytest.mark.parametrize(
    ("share", "shown"), [(0, 0), (0.0001, 0.005), (0.0099, 0.005), (0.01, 0.01), (0.014, 0.01), (0.016, 0.02), (1, 1)]
)
def test_shares_are_given_in_whole_per_cent(share, shown):
    assert data_quality.in_whole_percent(share) == shown


def test_responses_and_habits_are_added_up():
    names = ["responses", "consented", "duplicates", "used", "matched", "unmatched"]
    linkage = pd.DataFrame(
        [
            ("baseline", "Kent", *range(1, 7)),
            ("baseline", "Bromley", *range(11, 17)),
            ("endline", "Kent", *range(21, 27)),
        ],
        columns=["wave", "local_authority", *names],
    )
    assert data_quality.linkage_by_wave(linkage).to_numpy().tolist() == [
        ["baseline", 12, 14, 16, 18, 20, 22],
        ["endline", *range(21, 27)],
    ]
    habits = pd.DataFrame(
        {"file": ["a", "a", "b"], "field": ["x", "x", None], "habit": ["text", "text", "text"], "count": [1, 2, 4]}
    )
    assert data_quality.habits(habits).to_numpy().tolist() == [["a", "x", "text", 3], ["b", "", "text", 4]]


# ---------------------------------------------------------------- words of the imputation
@dataclass(frozen=True)
class Report:
    plan: Any
    rows: dict[str, dict[str, Any]]
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    def row(self, key: str) -> dict[str, Any]:
        return {"status": "estimated", **self.rows[key]}

    def planned(self, outcome: str) -> dict[str, Any]:
        return self.rows[outcome]

    def outcome(self, key: str) -> Any:
        return self.plan.outcomes[key]

    def table(self, name: str) -> pd.DataFrame:
        return self.tables[name]


@pytest.mark.parametrize(
    ("gap", "chance"),
    [(0.19, "within what the draws alone can make"), (-0.19, "within what"), (0.21, "more than the draws alone make")],
)
@pytest.mark.parametrize(("low", "told"), [(0.0, "includes zero"), (-0.01, "includes zero"), (0.01, "is above zero")])
def test_what_the_team_effect_does(plan, gap, chance, low, told):
    """Monte Carlo errors of .06 and .08 make one of .1 for the difference: .2 is twice that."""
    rows = {
        "wellbeing/itt/imputed": {
            "estimate": 0.3,
            "conf_low": 0.1,
            "conf_high": 0.5,
            "std_error": 0.4,
            "mc_error": 0.06,
        },
        "wellbeing/itt/imputed-without-team-effect": {
            "estimate": 0.3 + gap,
            "conf_low": -0.6,
            "conf_high": 0.7,
            "mc_error": 0.08,
        },
        "wellbeing/icc/reml": {"estimate": 0.05, "conf_low": low, "conf_high": 0.2},
    }
    said = imputation.team_effect(Report(plan, rows))
    assert (
        chance in said
        and told in said
        and f"is {0.3 + gap:.2f} (\u22120.60 to 0.70) instead of 0.30 (0.10 to 0.50)" in said
    )
    assert (
        f"That is {100 * abs(gap) / 0.4:.0f}% of a standard error" in said
        and "(Monte Carlo errors 0.080 and 0.060)" in said
    )


@pytest.mark.parametrize("holds", [[True, True], [True, False], [False, False]])
def test_whether_there_are_enough_imputations(plan, holds):
    keys = ["goal_setting/wellbeing/itt/x", "goal_setting/turnover/itt/x"]
    table = pd.DataFrame({"result_id": keys, "share": [0.05, 0.11], "limit_p": [0.01, 0.02], "holds": holds})
    rows = {
        key.split("/", 1)[1]: {
            "outcome": key.split("/")[1],
            "estimate": 1.0,
            "mc_error": 0.01,
            "p_value": 0.4,
            "mc_error_p": 0.02,
        }
        for key in keys
    }
    report = Report(
        plan, {**rows, "sickness_absence": {"mc_error": 0.044, "mc_error_p": 0.033}}, {"monte_carlo": table}
    )
    said = imputation.enough_imputations(report)
    assert "by about 0.044 days and its p-value by about 0.033" in said
    words = (
        "All 2 planned results"
        if all(holds)
        else f"**Warning:** {('no', 'one', 'two')[holds.count(False)]} of 2 planned results"
    )
    assert words in said and ("subjective wellbeing" in said) is (not holds[0])
    shown = imputation.monte_carlo(report)._tbl_data
    assert shown["Enough"].tolist() == ["yes" if each else "no" for each in holds]
    assert (
        shown["Its error"].tolist() == ["0.0100"] * 2
        and shown["Error of p"].tolist() == ["0.020"] * 2
        and shown["Limit"].tolist() == ["0.010", "0.020"]
    )
    assert shown["Share of the standard error"].tolist() == ["5.0%", "11.0%"]


# ---------------------------------------------------------------- published against ours
def test_figures_that_come_back_are_counted(root):
    standings = ["reproduced"] * 6 + ["other_reading"] * 3 + ["not_reproduced"] + ["not_compared"] * 5
    ledger = pd.DataFrame(
        {
            "id": [f"SWI-A{n}-T-M" for n in range(15)],
            "trial": "swing",
            "standing": standings,
            "statistic": ["mean"] * 9 + ["p"] * 6,
            "reason": "a reason",
            "conflict": "",
            "said": "",
            "as_printed": "1.0",
            "ours": 1.0,
            "outcome": "x",
        }
    )
    report = Reproduction(root=root, ledger=ledger)
    said = reproduction.share(report)
    assert said.startswith(
        "Of 15 figures and claims in the list of published results, we can compare 10 with a number that we compute."
    )
    assert (
        "Of these, 6 (60%) match;" in said
        and "3 more match if they are read" in said
        and "1 do not match" in said
        and "For the other 5 there is nothing" in said
    )
    line = reproduction._counts([("All", ledger)], stub="Study")._tbl_data.iloc[0]
    assert line.to_dict() == {
        "Study": "All",
        "Figures": "15",
        "Comparable": "10",
        "Match": "6",
        "Read otherwise": "3",
        "Not": "1",
        "Match, share": "60%",
    }
    assert (reproduction.arms(report), reproduction.arms_back(report)) == ("9", "all match")


@pytest.mark.parametrize(
    ("statistic", "printed", "ours", "shown"),
    [
        ("mean", "1.2", 1.249, "1.25"),
        ("mean", "1", 1.249, "1.2"),
        ("p", ".03", 0.0349, ".035"),
        ("p", "<0.01", 0.00004, "< .001"),
        ("n", "12", 13.0, "13"),
        ("percent", "40%", 40.44, "40.4%"),
    ],
)
def test_ours_has_one_digit_more_than_was_printed(statistic, printed, ours, shown):
    row = {"said": "", "reason": "", "statistic": statistic, "as_printed": printed, "ours": ours}
    assert reproduction._ours(row) == shown
    assert reproduction._ours({**row, "said": "higher"}) == "higher"
    assert reproduction._ours({**row, "reason": reproduction.WITHHELD_HERE}) == reproduction.WITHHELD
