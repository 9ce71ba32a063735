"""Filling absence before the randomisation, and the strata made from it."""

import numpy as np
import pandas as pd
import pytest

from hhp_stats.design.strata import filled_absence, make_strata
from hhp_stats.errors import EstimationError, InvalidInput, NoObservations


def person(team="t1", authority="A", years=5.0, days=4.0, agency=0):
    return {
        "team_id": team,
        "local_authority": authority,
        "service_years": years,
        "absence_days": days,
        "agency": agency,
    }


def frame(*records):
    return pd.DataFrame(records).assign(staff_id=[f"s{i:03d}" for i in range(len(records))])


def test_each_filling_rule():
    people = frame(
        person(days=6),  # full year
        person(years=1.0, days=10),  # exactly twelve months: no scaling
        person(years=0.5, days=3),  # six months: 3 * 12 / 6
        person(years=0.25, days=9),  # exactly three months: mean of full-year staff
        person(years=0.1, days=np.nan),  # short service, nothing recorded: the same mean
        person(years=0.5, days=np.nan),  # in between, nothing recorded
        person(days=np.nan),
        person(days=7, agency=1),
        person(years=0.1, days=1, agency=1),
        person(years=np.nan, days=5),  # the period the days cover is unknown
        person(authority="B", years=0.1, days=2, team="t2"),  # no full-year record in the authority
    )
    nan = np.nan
    expected = [6, 10, 6, 8, 8, nan, nan, nan, nan, nan, nan]
    np.testing.assert_array_equal(filled_absence(people=people), expected)
    zeros = filled_absence(people=people, unrecorded="zero")
    np.testing.assert_array_equal(zeros, np.nan_to_num(expected))


def test_agency_and_short_service_do_not_enter_the_mean():
    people = frame(
        person(days=2), person(days=4), person(days=100, agency=1), person(years=0.9, days=90), person(years=0.2)
    )
    assert filled_absence(people=people).iloc[-1] == 3.0


@pytest.mark.parametrize("change", [{"days": -1.0}, {"years": -0.1}, {"days": np.inf}])
def test_impossible_values_are_refused(change):
    with pytest.raises(InvalidInput):
        filled_absence(people=frame(person(**change)))


def sixteen_teams(authority="A"):
    """Team i of 16 has mean absence i and, in every other team, one agency worker of three."""
    records = []
    for i in range(16):
        team = f"{authority}{i:02d}"
        records += [person(team, authority, days=i - 0.5), person(team, authority, days=i + 0.5)]
        records.append(person(team, authority, days=np.nan, agency=i % 2))
    return frame(*[r | {"absence_days": max(r["absence_days"], 0)} for r in records])


def test_eight_cells_of_two():
    strata = make_strata(people=sixteen_teams())
    assert strata.groupby("stratum").size().tolist() == [2] * 8
    assert strata["absence_quartile"].tolist() == [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4
    assert strata["agency_high"].tolist() == [False, True] * 8
    assert not strata["merged"].any()


def test_splits_are_within_the_authority():
    low, high = sixteen_teams("A"), sixteen_teams("B").assign(absence_days=lambda f: f["absence_days"] + 100)
    both = pd.concat([low, high], ignore_index=True).assign(staff_id=lambda f: [f"p{i}" for i in f.index])
    strata = make_strata(people=both)
    counts = strata.groupby(["local_authority", "absence_quartile"]).size()
    assert (counts == 4).all()
    assert len(counts) == 8


def test_teams_with_the_same_mean_are_not_separated():
    people = frame(*[person(f"t{i}", days=1.0) for i in range(9)], person("t9", days=50.0))
    strata = make_strata(people=people)
    assert strata.loc[strata["mean_absence"] == 1.0, "stratum"].nunique() == 1


def test_a_lone_half_gives_up_the_agency_split_first():
    people = sixteen_teams()
    # Only one team of the lowest quartile keeps its agency worker: that half would hold one team.
    drop = (people["team_id"] == "A01") & (people["agency"] == 1)
    strata = make_strata(people=people.loc[~drop])
    lowest = strata.loc[strata["absence_quartile"] == 1]
    assert lowest["stratum"].unique().tolist() == ["A|q1|agency-all"]
    assert lowest["merged"].all()
    assert not strata.loc[strata["absence_quartile"] > 1, "merged"].any()


def test_a_lone_quartile_joins_its_neighbour():
    people = frame(*[person(f"t{i}", days=float(i)) for i in range(5)])
    strata = make_strata(people=people)
    assert strata.groupby("stratum").size().min() >= 2
    assert make_strata(people=people, min_teams=1)["merged"].any() == False  # noqa: E712


def test_a_team_without_a_record_is_its_own_group_and_joins_a_quartile_when_alone():
    people = pd.concat([sixteen_teams(), frame(person("Z", days=np.nan)).assign(staff_id="z")], ignore_index=True)
    alone = make_strata(people=people).set_index("team_id").loc["Z"]
    assert alone["absence_quartile"] == 0
    assert alone["merged"]
    assert make_strata(people=people, min_teams=1).set_index("team_id").loc["Z", "stratum"].startswith("A|q0|")


def test_an_authority_of_one_team_is_a_stratum():
    strata = make_strata(people=frame(person(), person()))
    assert len(strata) == 1


def test_order_of_rows_does_not_matter():
    people = sixteen_teams()
    pd.testing.assert_frame_equal(make_strata(people=people), make_strata(people=people.sample(frac=1, random_state=4)))


def test_bad_frames_are_refused():
    people = sixteen_teams()
    with pytest.raises(NoObservations):
        make_strata(people=people.iloc[:0])
    with pytest.raises(EstimationError, match="listed twice"):
        make_strata(people=pd.concat([people, people.iloc[:1]]))
    with pytest.raises(EstimationError, match="two authorities"):
        make_strata(people=people.assign(local_authority=lambda f: np.where(f.index == 0, "B", f["local_authority"])))
    with pytest.raises(EstimationError, match="team_id"):
        make_strata(people=people.assign(team_id=lambda f: f["team_id"].where(f.index > 0)))
