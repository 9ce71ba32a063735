"""Absence over the follow-up, leavers three ways, the baseline year, Bradford scores."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from hhp_stats.errors import InvalidInput, NoObservations, UnknownName
from hhp_stats.measures.absence import absence_rate, exposure, group_rate, trial_absence, working_days
from hhp_stats.measures.baseline_absence import annualised, for_analysis
from hhp_stats.measures.bradford import bradford, bradford_score

LAUNCHES = {"Kent": date(2019, 7, 8), "Bromley": date(2019, 10, 28)}


def staff():
    """Two stayers and two leavers in Kent, one stayer and one leaver after two working days in Bromley."""
    frame = pd.DataFrame(
        {
            "local_authority": ["Kent", "Kent", "Kent", "Kent", "Bromley", "Bromley"],
            "leaving_date": pd.to_datetime([None, None, "2019-09-30", "2019-07-10", None, "2019-10-30"]),
            "illness_days": [2.0, 10.0, 3.0, 1.0, 6.0, 2.0],
        },
        index=list("abcdef"),
    )
    return frame.join(exposure(frame, launches=LAUNCHES))


def test_working_days_leave_out_weekends_and_holidays():
    monday = date(2019, 8, 26)
    assert working_days(monday, date(2019, 9, 2)).item() == 5
    assert working_days(monday, date(2019, 9, 2), holidays=[monday]).item() == 4
    assert working_days(date(2019, 9, 2), monday).item() == 0
    gaps = working_days(monday, pd.Series(pd.to_datetime(["2019-08-28", None])))
    assert gaps[0] == 2 and np.isnan(gaps[1])


def test_exposure_runs_from_each_authoritys_own_launch():
    frame = staff()
    assert (frame["follow_up_days"] == 120).all()  # 24 weeks of five days
    assert frame["exposure_days"].tolist() == [120, 120, 60, 2, 120, 2]
    assert frame["left"].tolist() == [False, False, True, True, False, True]


def test_leaving_after_the_follow_up_is_staying():
    frame = staff().drop(columns=["left", "follow_up_days", "exposure_days"])
    frame["leaving_date"] = pd.Timestamp("2020-06-01")
    assert not exposure(frame, launches=LAUNCHES)["left"].any()


def test_leaving_before_the_launch_is_leaving_without_exposure():
    frame = staff().drop(columns=["left", "follow_up_days", "exposure_days"])
    frame.loc["a", "leaving_date"] = pd.Timestamp("2019-07-01")
    got = exposure(frame, launches=LAUNCHES).loc["a"]
    assert got["left"] and got["exposure_days"] == 0


def test_pro_rata_with_the_floor():
    got = trial_absence(staff(), rule="pro_rata", minimum_exposure=20)
    kent = 12 / 240  # the two stayers of Kent, both arms together
    assert got.days.tolist() == pytest.approx([2, 10, 3 * 120 / 60, 1 + kent * 118, 6, 2 + 6 / 120 * 118])
    assert (got.n, got.leavers, got.floored, got.left_out, got.missing) == (6, 3, 2, 0, 0)
    # Without a floor one day off in two would become sixty.
    assert trial_absence(staff(), rule="pro_rata", minimum_exposure=0).days["d"] == 60


def test_floor_may_leave_out():
    got = trial_absence(staff(), rule="pro_rata", floor="left_out")
    assert got.days[["d", "f"]].isna().all() and got.left_out == 2 and got.n == 4


def test_absent_after_leaving_and_left_out():
    absent = trial_absence(staff(), rule="absent_after_leaving")
    assert absent.days.tolist() == [2, 10, 3 + 60, 1 + 118, 6, 2 + 118]
    left_out = trial_absence(staff(), rule="left_out")
    assert left_out.days[["c", "d", "f"]].isna().all() and left_out.left_out == 3


@pytest.mark.parametrize("rule", ["pro_rata", "absent_after_leaving", "left_out"])
def test_missing_days_stay_missing_and_are_counted(rule):
    frame = staff()
    frame.loc[["a", "c"], "illness_days"] = np.nan
    got = trial_absence(frame, rule=rule)
    assert got.days[["a", "c"]].isna().all() and got.missing == 2
    assert got.n + got.missing + got.left_out == len(frame)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"illness_days": -1.0}, InvalidInput),
        ({"illness_days": 200.0}, InvalidInput),
        ({"exposure_days": 130.0}, InvalidInput),
    ],
)
def test_trial_absence_refuses_impossible_values(change, error):
    with pytest.raises(error):
        trial_absence(staff().assign(**change), rule="pro_rata")


def test_trial_absence_refuses_what_it_does_not_know():
    with pytest.raises(UnknownName):
        trial_absence(staff(), rule="last_observation")
    with pytest.raises(UnknownName):
        trial_absence(staff().drop(columns="left"), rule="pro_rata")


def test_a_leaver_without_a_rate_of_any_stayer_is_not_known_and_counted():
    alone = staff().loc[["a", "b", "f"]]
    got = trial_absence(alone, rule="pro_rata")
    assert got.days.loc[["a", "b"]].tolist() == [2.0, 10.0] and np.isnan(got.days["f"])
    assert (got.n, got.floored) == (2, 1) and "1 of them not known" in got.note
    assert "not known" not in trial_absence(staff(), rule="pro_rata").note


def test_exposure_refuses():
    frame = staff()[["local_authority", "leaving_date"]]
    with pytest.raises(UnknownName, match="Bromley"):
        exposure(frame, launches={"Kent": date(2019, 7, 8)})
    with pytest.raises(InvalidInput):
        exposure(frame, launches=LAUNCHES, weeks=0)


def test_rates():
    rate = absence_rate(pd.Series([4.0, 0, 1]), pd.Series([100.0, 0, 50]))
    assert rate[0] == 4 and np.isnan(rate[1]) and rate[2] == 2
    pooled = group_rate(pd.Series([4.0, 1, np.nan]), pd.Series([100.0, 25, 60]), by=pd.Series(["x", "x", "y"]))
    assert pooled.to_dict() == {"x": 4.0}
    with pytest.raises(InvalidInput):
        absence_rate(pd.Series([9.0]), pd.Series([5.0]))


def baseline():
    return pd.DataFrame(
        {
            "local_authority": ["Kent"] * 4 + ["Bromley"] * 3,
            "illness_days": [8.0, 3.0, 2.0, np.nan, 5.0, 1.0, 4.0],
            "service_months": [24.0, 6.0, 3.0, 30.0, 12.0, 3.5, np.nan],
        }
    )


def test_the_cut_offs_of_the_baseline_year():
    """Exactly three months is too short, exactly twelve needs no scaling (C60)."""
    got = annualised(baseline())
    assert got.days[[0, 1, 4]].tolist() == [8, 6, 5]
    assert got.days[5] == pytest.approx(12 / 3.5) and got.days[6] == 4
    assert got.days[[2, 3]].isna().all()
    assert got.source.tolist() == ["recorded", "scaled", "missing", "missing", "recorded", "scaled", "recorded"]
    assert got.missing_indicator.tolist() == [0, 0, 1, 1, 0, 0, 0]


def test_rules_for_missing_baseline_absence():
    keep = for_analysis(baseline(), rule="multiple_imputation")
    assert keep.days.isna().sum() == 2
    zero = for_analysis(baseline(), rule="zero_with_indicator")
    assert zero.days[[2, 3]].tolist() == [0, 0] and zero.missing_indicator.sum() == 2
    mean = for_analysis(baseline(), rule="mean")
    assert mean.days[[2, 3]].tolist() == [7, 7] and mean.source[2] == "mean"
    assert for_analysis(baseline(), rule="complete_cases").days.isna().sum() == 2


def test_baseline_refuses():
    with pytest.raises(UnknownName):
        for_analysis(baseline(), rule="hot_deck")
    with pytest.raises(UnknownName):
        annualised(baseline().drop(columns="service_months"))
    with pytest.raises(InvalidInput):
        annualised(baseline().assign(illness_days=-1.0))
    with pytest.raises(NoObservations, match="Kent"):
        for_analysis(baseline().assign(illness_days=[np.nan] * 4 + [1.0] * 3), rule="mean")


SPELLS = pd.DataFrame(
    {
        "local_authority": ["Kent", "Kent", "Kent", "Bromley", "Bromley"],
        "illness_spells": [2.0, 0.0, np.nan, 0.0, 3.0],
        "illness_days": [5.0, 0.0, 4.0, 7.0, 3.0],
    }
)


def test_bradford_reads_only_authorities_that_record_spells():
    """Bromley's zero beside seven days is a blank nobody kept, not an error."""
    got = bradford(SPELLS, recording_authorities=["Kent"])
    assert got.scores[:2].tolist() == [20, 0] and got.scores[2:].isna().all()
    assert (got.n, got.not_recorded, got.incomplete) == (2, 2, 1)
    assert got.log_scores[0] == pytest.approx(np.log(21)) and got.log_scores[1] == 0


@pytest.mark.parametrize(
    ("spells", "days"),
    [([0.0], [3.0]), ([2.0], [0.0]), ([1.5], [3.0]), ([-1.0], [3.0]), ([1.0], [-3.0]), ([1.0], [np.inf])],
)
def test_bradford_refuses_torn_records(spells, days):
    with pytest.raises(InvalidInput):
        bradford_score(spells=pd.Series(spells), days=pd.Series(days))


def test_bradford_refuses_unknown_names():
    with pytest.raises(UnknownName):
        bradford(SPELLS, recording_authorities=["Atlantis"])
    with pytest.raises(UnknownName):
        bradford(SPELLS.drop(columns="illness_days"), recording_authorities=["Kent"])
    with pytest.raises(InvalidInput):
        bradford(SPELLS, recording_authorities=["Kent", "Bromley"])
