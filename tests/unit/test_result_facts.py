"""What a reader who clicks a number sees of its row."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from hhp_stats.present.result_facts import facts_of, places_of, plan_labels, words_of_code
from hhp_stats.results.withheld import WITHHELD

ROW = {
    "outcome": "days",
    "estimand": "itt",
    "population": "everyone",
    "contrast": "none",
    "method": "OLS",
    "analysis": "planned",
    "estimate": -0.71351,
    "std_error": 0.31501,
    "df": 42.25,
    "statistic": -2.26503,
    "p_value": 0.0288,
    "p_adjusted": math.nan,
    "conf_low": -1.3491,
    "conf_high": -0.0779,
    "conf_level": 0.95,
    "mc_error": 0.01234,
    "mc_error_p": math.nan,
    "n": 1218,
    "n_clusters": None,
    "status": "estimated",
    "note": None,
}


def said(**changes: object) -> dict[str, str]:
    return {before + label: words for label, words, before in facts_of({**ROW, **changes}, {"days": "Days of absence"})}


def test_digits_follow_the_standard_error_and_codes_are_words() -> None:
    assert said() == {
        "estimate": "\u22120.714",
        "95%interval": "\u22121.349 to \u22120.078",
        "std_error": "0.315",
        "statistic": "\u22122.27",
        "df": "42.2",
        "p": ".03",
        "mc_error": "0.012",
        "people": "1,218",
        "outcome": "Days of absence",
        "estimand": "Effect of the offer (intention to treat)",
        "population": "Everyone",
        "method": "OLS",
        "analysis": "Planned",
    }


@pytest.mark.parametrize(
    ("estimate", "error", "places"),
    [(1234.5, 150.0, 0), (0.0123, 0.00321, 5), (3.5712, None, 3), (657.0, None, 0), (0.17234, math.nan, 4)],
)
def test_places(estimate: float, error: float | None, places: int) -> None:
    assert places_of({"estimate": estimate, "std_error": error}) == places


def test_what_is_withheld_or_infinite_or_not_estimated_is_said() -> None:
    found = said(estimate=WITHHELD, std_error=WITHHELD, conf_low=WITHHELD, conf_high=WITHHELD, n=WITHHELD)
    assert {found[key] for key in ("estimate", "95%interval", "std_error", "people")} == {WITHHELD}
    assert said(df=math.inf, conf_high=math.inf)["95%interval"] == "\u22121.349 to \u221e"
    empty = dict.fromkeys(("estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high"), math.nan)
    found = said(**empty, status="not_estimated", note="Too few.")
    assert found["analysis"] == "Planned, not estimated" and found["note"] == "Too few." and "estimate" not in found


def test_abbreviations_are_spelt_out() -> None:
    assert words_of_code("mean_control") == "Mean control"
    assert words_of_code("sd_of_days") == "Standard deviation of days"
    assert words_of_code("icc") == "Intraclass correlation"


def test_what_a_plan_names_is_called_by_its_label(root: Path) -> None:
    labels = plan_labels(root, "hiring")
    assert words_of_code("sd_white_british", labels) == "Standard deviation: White British name"
    assert words_of_code("interaction", labels) == "Change of the gap between names, joint minus separate"
    assert words_of_code("white_british_joint_vs_separate", labels) == "White British names: joint minus separate"
    assert words_of_code("mean_others", labels) == "Mean others"


def test_outcomes_are_called_as_in_their_plan(root: Path, tmp_path: Path) -> None:
    assert plan_labels(root, "goal_setting")["sickness_absence"] == "Sickness absence"
    assert plan_labels(tmp_path, "goal_setting") == {}  # a book without plans: the code's own words
