"""Disclosure control from sets of people: what must be declared, what is withheld, and what cannot be worked out."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from hhp_stats.disclosure.bars import pooled
from hhp_stats.disclosure.decision import published
from hhp_stats.disclosure.declared import (
    GIVEN_UP,
    KEPT,
    Bars,
    Declared,
    Row,
    counted,
    internal,
    other,
    share,
    statistic,
)
from hhp_stats.disclosure.groups import small_groups
from hhp_stats.disclosure.moves import reduced
from hhp_stats.disclosure.released import Released
from hhp_stats.disclosure.system import CountedSet, count_system
from hhp_stats.disclosure.withholding import withheld_counts, withheld_sets
from hhp_stats.errors import PlanError, UndeclaredCount
from hhp_stats.plan.disclosure import DisclosureSettings, disclosure_settings
from hhp_stats.results.frame import ResultRow, result_frame
from hhp_stats.results.withheld import WITHHELD
from hhp_stats.studies.kept import INTERNAL
from hhp_stats.studies.output import StudyOutput, open_output

FIVE = DisclosureSettings(rule="withhold", threshold=5, zeros="published")
SITE = np.repeat(["a", "b", "c"], 20)  # sixty people at three sites
KNOWN = np.array(([True] * 17 + [False] * 3) + ([True] * 13 + [False] * 7) + [True] * 12 + [False] * 8)


def system(*sets, people=60):
    return count_system(
        [CountedSet(label=name, members=np.asarray(members), worth=worth) for name, members, worth in sets],
        people=people,
        threshold=5,
    )


def hidden(found):
    return {found.labels[at] for at in withheld_counts(found, FIVE)}


# ---------------------------------------------------------------- which groups follow
@pytest.mark.parametrize("seed", range(8))
def test_small_groups_are_those_that_trying_all_subsets_finds(seed):
    """A group follows where its indicator is a combination of the sets'; those made of others are no news."""
    rng = np.random.default_rng(seed)
    vectors, sizes = (rng.random((7, 9)) < 0.5).astype(float), rng.integers(0, 3, 9)
    real = np.flatnonzero(sizes)
    inside = vectors[:, real].T
    follow = []
    for count in range(1, 5):
        for group in combinations(range(len(real)), count):
            wanted = np.isin(np.arange(len(real)), group).astype(float)
            gap = wanted - inside @ np.linalg.lstsq(inside, wanted, rcond=None)[0]
            if sizes[real[list(group)]].sum() < 5 and np.abs(gap).max() < 1e-9:
                follow.append(frozenset(int(real[at]) for at in group))
    # What is left of a group once another is taken away follows too: a union is one of which a part follows.
    alone = {group for group in follow if not any(part < group for part in follow)}
    assert set(map(frozenset, small_groups(vectors, sizes, threshold=5))) == alone


@pytest.mark.parametrize("seed", range(5))
def test_reduced_equations_say_the_same_and_each_first_unknown_stands_in_one(seed):
    rng = np.random.default_rng(seed)
    rows = rng.integers(-1, 2, (12, 16)) * (rng.random((12, 16)) < 0.4)
    rows = np.column_stack([np.vstack([rows, rows[:3] + rows[3:6]]), np.zeros(15)])  # three follow from others
    rows[:, -1] = rows[:, :-1] @ np.arange(16)  # the unknown counts are 0 to 15
    found = reduced(rows.astype(float))
    assert len(found) == np.linalg.matrix_rank(rows) == np.linalg.matrix_rank(np.vstack([rows, found]))
    firsts = [int(np.flatnonzero(row)[0]) for row in found]
    assert firsts == sorted(firsts)
    np.testing.assert_allclose(found[:, firsts], np.eye(len(found)), atol=1e-12)
    np.testing.assert_allclose(
        found[:, :-1] @ np.arange(16), found[:, -1], atol=1e-9
    )  # sums of whole numbers, rounding


def test_a_small_group_follows_from_sets_that_nobody_set_beside_each_other():
    """All known, known outside site a, and the people of site a: three of site a are not known. Nobody wrote that sum
    down.
    """
    found = system(
        ("known", KNOWN, 2),
        ("known outside a", KNOWN & (SITE != "a"), 0),
        ("site a", SITE == "a", KEPT),
        ("all", SITE != "", KEPT),
    )
    assert sorted(found.counts[found.printed :]) == [3]
    np.testing.assert_allclose(found.relations @ found.counts, 0, atol=1e-9)
    assert hidden(found) == {"known outside a"}  # the number that is worth least


def test_groups_are_exact_against_every_subset():
    """Random sets: the groups found are those subsets of up to four people whose indicator is a combination of the
    sets'.
    """
    rng = np.random.default_rng(3)
    members = rng.random((6, 9)) < 0.5
    found = count_system(
        [CountedSet(label=str(at), members=row, worth=1) for at, row in enumerate(members)], people=9, threshold=5
    )
    rank = np.linalg.matrix_rank(members.astype(float))
    derivable = set()
    for code in range(1, 2**9):
        group = np.array([code >> at & 1 for at in range(9)], dtype=float)
        if group.sum() < 5 and np.linalg.matrix_rank(np.vstack([members, group])) == rank:
            derivable.add(tuple(np.flatnonzero(group)))
    parts = [set(group) for group in derivable]
    minimal = [group for group in parts if not any(part < group and (group - part) in parts for part in parts)]
    printed = {tuple(np.flatnonzero(row)) for row in members}
    assert len(found.counts) - found.printed == sum(tuple(sorted(group)) not in printed for group in minimal)


def test_what_only_happened_not_to_occur_is_no_relation():
    """Everyone who answered the second scale answered the first too, but somebody might not have: no reader knows
    better.
    """
    first, second = np.arange(20) < 15, np.arange(20) < 13
    both = system(("first", first, 2), ("second", second, 2), people=20)
    assert list(both.counts[both.printed :]) == [2]
    imagined = np.array([False]), np.array([True])  # a person with the second scale alone
    wider = system(
        ("first", np.append(first, imagined[0]), 2), ("second", np.append(second, imagined[1]), 2), people=20
    )
    assert wider.printed == len(wider.counts)


def test_the_same_person_may_follow_in_several_ways():
    """One person left out two scales: whoever prints all who answered may print neither of the two numbers."""
    everyone = np.ones(22, dtype=bool)  # twenty people, and two imagined who left out one scale alone
    second, third = np.arange(22) > 0, np.arange(22) > 0
    second[20], third[21] = False, False
    sets = [
        CountedSet(label=label, members=members, worth=worth)
        for label, members, worth in (("all", everyone, KEPT), ("second", second, 1), ("third", third, 1))
    ]
    gone = {sets[at].label for at in withheld_sets(sets, FIVE, people=20)}
    assert gone in ({"second", "third"}, {"all"})


# ---------------------------------------------------------------- what is withheld
def test_a_small_count_takes_a_second_one_with_it():
    names = {"a": np.arange(30) < 3, "b": (np.arange(30) >= 3) & (np.arange(30) < 13), "c": np.arange(30) >= 13}
    found = system(
        *((name, members, 2) for name, members in names.items()), ("all", np.ones(30, dtype=bool), KEPT), people=30
    )
    assert hidden(found) == {"a", "b"}


def test_two_small_counts_that_fill_their_total_take_the_total_with_them():
    a, b = np.arange(30) < 1, np.arange(30) == 1
    found = system(("a", a, 2), ("b", b, 2), ("both", a | b, KEPT), ("all", np.ones(30, dtype=bool), KEPT), people=30)
    assert hidden(found) == {"a", "b", "both"}


def test_planned_numbers_stay_where_others_can_go():
    found = system(
        ("planned", KNOWN, KEPT),
        ("sensitivity", KNOWN & ~((SITE == "a") & (np.arange(60) < 2)), GIVEN_UP),
        ("all", SITE != "", KEPT),
    )
    assert hidden(found) == {"sensitivity"}


def test_the_order_of_sets_does_not_matter():
    sets = [
        ("known", KNOWN, 2),
        ("known a", KNOWN & (SITE == "a"), 1),
        ("site a", SITE == "a", KEPT),
        ("known b", KNOWN & (SITE == "b"), 1),
        ("site b", SITE == "b", KEPT),
        ("all", SITE != "", KEPT),
    ]
    assert hidden(system(*sets)) == hidden(system(*reversed(sets)))


# ---------------------------------------------------------------- declarations
def table():
    return pd.DataFrame(
        {"site": ["a", "b", "c"], "people": [20, 20, 20], "lacking": [3, 7, 8], "mean": [1.25, 2.5, 3.0]}
    )


def columns(**change):
    sites = [name == SITE for name in "abc"]
    known = {
        "people": counted(sites, worth=KEPT),
        "lacking": counted([site & ~KNOWN for site in sites]),
        "mean": statistic([site & KNOWN for site in sites]),
    }
    return {name: entry for name, entry in (known | change).items() if entry is not None}


def results(**change):
    row = {
        "result_id": "trial/days/itt/cr1",
        "study": "trial",
        "outcome": "days",
        "estimand": "itt",
        "population": "",
        "contrast": "",
        "method": "OLS",
        "analysis": "planned",
        "estimate": 1.0,
        "std_error": 2.0,
        "n": 42,
        "note": "a note.",
        "source": "test",
    }
    return result_frame([ResultRow(**(row | change))])


def decide(*, frame=None, declared=None, rows=None, found=None, settings=FIVE, **more):
    return published(
        study="trial",
        tables={"sites": table() if frame is None else frame},
        results=results() if found is None else found,
        settings=settings,
        declared=Declared(
            people=60,
            columns={"sites": columns() if declared is None else declared},
            rows={"trial/days/itt/cr1": Row(n=KNOWN)} if rows is None else rows,
        ),
        **more,
    )


def test_a_column_that_nobody_declared_stops_the_study():
    for column in ("people", "lacking", "mean"):
        with pytest.raises(UndeclaredCount, match=f"table sites, column {column}"):
            decide(declared=columns(**{column: None}))
    with pytest.raises(UndeclaredCount, match="trial/days/itt/cr1"):
        decide(rows={})
    with pytest.raises(UndeclaredCount, match="is not there"):
        decide(declared=columns(more=other()))


def test_a_number_that_is_not_that_of_its_people_stops_the_study():
    with pytest.raises(UndeclaredCount, match="are 3, the cell holds 4"):
        decide(frame=table().assign(lacking=[4, 7, 8]))
    with pytest.raises(UndeclaredCount, match="are 42, n is 41"):
        decide(found=results(n=41))
    shares = share([(name == SITE) & KNOWN for name in "abc"], [name == SITE for name in "abc"])
    with pytest.raises(UndeclaredCount, match="17 of 20"):
        decide(frame=table().assign(mean=[0.8, 0.65, 0.6]), declared=columns(mean=shares))


def test_a_withheld_count_goes_from_every_place_with_what_is_made_of_it():
    found = decide()
    shown = found.tables["sites"]
    gone = shown["lacking"] == WITHHELD
    assert gone[0] and gone.sum() == 2  # with one more, since both sites together follow from the others
    assert list(shown["mean"] == WITHHELD) == list(gone)  # an exact mean is as good as the number of the known
    assert list(shown["people"]) == [20, 20, 20]  # those who take part are worth more
    listed = found.register.loc[found.register["people"] == WITHHELD]
    places = set(zip(listed["row"], listed["column"], strict=True))
    assert places == {(site, column) for site in shown.loc[gone, "site"] for column in ("lacking", "mean")}


def test_a_mean_of_few_people_is_not_published():
    few = [np.arange(60) < 4, SITE == "b", SITE == "c"]
    shown = decide(declared=columns(mean=statistic(few).rounded(1))).tables["sites"]
    assert list(shown["mean"]) == [WITHHELD, 2.5, 3.0]


def test_a_result_whose_n_is_withheld_says_so():
    inside = KNOWN & (np.arange(60) > 0)  # one less than all known
    rows, two = (
        {"trial/days/itt/cr1": Row(n=KNOWN), "trial/days/itt/less": Row(n=inside)},
        pd.concat(
            [results(), results(result_id="trial/days/itt/less", n=41, analysis="sensitivity")], ignore_index=True
        ),
    )
    row = decide(rows=rows, found=two).results.iloc[1]
    assert pd.isna(row["n"]) and row["estimate"] == 1.0 and row["status"] == "estimated"
    assert row["note"] == "a note. Withheld to protect a count of very few people: n."
    row = decide(rows=rows | {"trial/days/itt/less": Row(n=inside, plain=True)}, found=two).results.iloc[1]
    assert pd.isna(row["n"]) and pd.isna(row["estimate"]) and pd.isna(row["std_error"]) and row["status"] == "withheld"
    assert decide(rows=rows, found=two).results.iloc[0]["n"] == 42
    # A mean that is printed with few digits stays, with those digits and nothing more exact beside it.
    mean = two.assign(estimate=[1.0, 123.4567])
    row = decide(rows=rows | {"trial/days/itt/less": Row(n=inside, plain=True, digits=2)}, found=mean).results.iloc[1]
    assert (
        pd.isna(row["n"]) and row["estimate"] == 123.46 and pd.isna(row["std_error"]) and row["status"] == "estimated"
    )
    assert row["note"].endswith("n, and decimals beyond 2.")
    row = decide(rows=rows | {"trial/days/itt/less": Row(n=inside, digits=2)}, found=mean).results.iloc[1]
    assert row["estimate"] == 123.4567  # no n follows from it


def test_an_internal_column_and_withdrawn_tables_are_not_published():
    found = published(
        study="trial",
        tables={"sites": table(), "team": table()},
        results=results(),
        settings=FIVE,
        declared=Declared(
            people=60,
            columns={"sites": columns(lacking=internal())},
            rows={"trial/days/itt/cr1": Row(n=None)},
            withdrawn=frozenset({"team"}),
        ),
    )
    assert set(found.tables) == {"sites"} and "lacking" not in found.tables["sites"]


def test_without_protection_everything_is_published():
    found = decide(settings=replace(FIVE, rule="none", reason="made up"))
    pd.testing.assert_frame_equal(found.tables["sites"], table())
    assert not (found.register["people"] == WITHHELD).any()


def test_a_small_count_of_a_pilot_is_withheld_unless_it_was_printed_before():
    before = replace(FIVE, rule="printed before")
    pd.testing.assert_frame_equal(decide(settings=before).tables["sites"], decide().tables["sites"])
    assert decide(settings=before).tables["sites"]["lacking"].iloc[0] == WITHHELD
    rows = {"trial/days/itt/cr1": Row(n=np.ones(60, dtype=bool), part=(SITE == "a") & ~KNOWN)}
    found = decide(settings=before, rows=rows, found=results(n=60, estimate=3.0), public=["trial/days/itt/cr1"])
    assert list(found.tables["sites"]["lacking"]) == [3, 7, 8]


# ---------------------------------------------------------------- two releases
def test_what_the_last_release_withheld_stays_withheld():
    last = Released(printed={}, withheld=frozenset({("sites", "c", "lacking")}))
    shown = decide(last=last).tables["sites"]["lacking"]
    assert shown[0] == WITHHELD and shown[2] == WITHHELD and shown[1] == 7  # and then protects the small one, too


def test_what_the_last_release_printed_cannot_hide_anything():
    """Site b's number was printed and is the same: withholding it now protects nothing, so site c's has to go."""
    last = Released(printed={("sites", "b", "lacking"): 7, ("sites", "b", "mean"): 13})
    shown = decide(last=last).tables["sites"]["lacking"]
    assert shown[0] == WITHHELD and shown[1] == 7 and shown[2] == WITHHELD


# ---------------------------------------------------------------- distributions
def bars_of(counts):
    values = np.repeat(list(counts), list(counts.values()))
    frame = pd.DataFrame([{"cell": "a", "score": s, "people": p, "share": p / len(values)} for s, p in counts.items()])
    return frame, Bars(group="cell", value="score", members=tuple(values == s for s in counts), moments=2), values


def test_mean_and_spread_do_not_give_a_pooled_value_away():
    """Every way to fill the classes with the same mean and deviation, counted out: each small bar has several
    numbers.
    """
    counts = {3: 0, 4: 1, 5: 2, 6: 4, 7: 12, 8: 3, 9: 12, 10: 2, 11: 5}
    frame, bars, values = bars_of(counts)
    shown = pooled(frame, bars, threshold=5).table
    possible = {(0, 0): [()]}
    for row in shown.to_dict("records"):
        own = {}

        def fill(left, scores, made=()):
            if len(scores) == 1:
                yield (*made, left)
            else:
                for n in range(left + 1):
                    yield from fill(left - n, scores[1:], (*made, n))

        scores = range(row["low"], row["high"] + 1)
        for way in fill(row["people"], scores):
            key = (
                sum(n * s for n, s in zip(way, scores, strict=True)),
                sum(n * s * s for n, s in zip(way, scores, strict=True)),
            )
            own.setdefault(key, []).append(way)
        merged = {}
        for (first, second), ways in possible.items():
            for (more, squares), others in own.items():
                merged.setdefault((first + more, second + squares), []).extend(
                    (*one, *two) for one in ways[:40] for two in others[:40]
                )
        possible = merged
    fits = possible[int(values.sum()), int((values**2).sum())]
    for at, number in enumerate(counts.values()):
        if 0 < number < 5:
            assert len({way[at] for way in fits}) > 1, at


def test_classes_are_joined_until_nothing_follows_and_a_small_group_has_none():
    frame, bars, _ = bars_of({1: 6, 2: 1, 3: 6})  # of two classes the mean gives the two: they are joined
    shown = pooled(frame, bars, threshold=5)
    assert shown.table[["low", "high", "people"]].to_numpy().tolist() in ([[1, 3, 13]], []) and (
        len(shown.table) or len(shown.exposed)
    )
    frame, bars, _ = bars_of({1: 4})
    assert pooled(frame, bars, threshold=5).table.empty


# ---------------------------------------------------------------- plan and files
def test_a_plan_without_a_decision_is_refused():
    for raw, words in (
        ({}, "is missing"),
        ({"disclosure": {"rule": "withhold", "threshold": 1, "zeros": "published"}}, "threshold of 1"),
        ({"disclosure": {"rule": "none", "threshold": 5, "zeros": "published"}}, "without a reason"),
        ({"disclosure": {"rule": "hide", "threshold": 5, "zeros": "published"}}, "hide"),
        ({"disclosure": {"threshold": 5, "zeros": "published"}}, "rule"),
    ):
        with pytest.raises(PlanError, match=words):
            disclosure_settings(raw, file="data/plan/trial.toml")


def test_chapters_read_what_is_published_and_the_rest_lies_apart(project):
    (project / "data/plan/trial.toml").write_text(
        '[disclosure]\nrule = "withhold"\nthreshold = 5\nzeros = "published"\n', encoding="utf-8"
    )
    declared = Declared(people=60, columns={"sites": columns()}, rows={"trial/days/itt/cr1": Row(n=KNOWN)})
    StudyOutput(study="trial", results=results(), tables={"sites": table()}, conduct=(), declared=declared).write(
        project
    )
    folder = project / ".report/results/trial"
    assert (
        "3,1.25" in (folder / INTERNAL / "sites.csv").read_text() and "3,1.25" not in (folder / "sites.csv").read_text()
    )
    shown = open_output(project, "trial").tables["sites"]
    assert shown["lacking"][0] == WITHHELD and sorted(shown["lacking"].map(type).map(str).unique()) == [
        "<class 'int'>",
        "<class 'str'>",
    ]


def test_nothing_that_prints_opens_the_internal_folder(root):
    """Only the module that writes it knows its name, and the key that covers every file."""
    named = [
        path
        for path in (root / "hhp_stats").rglob("*.py")
        if "INTERNAL" in path.read_text(encoding="utf-8").split()
        or "kept import FOLDER, INTERNAL" in path.read_text(encoding="utf-8")
    ]
    assert {path.relative_to(root).as_posix() for path in named} <= {
        "hhp_stats/studies/output.py",
        "hhp_stats/studies/kept.py",
    }
    for path in [*(root / "hhp_stats").rglob("*.py"), *(root / "report").glob("*.qmd"), root / "index.qmd"]:
        text = path.read_text(encoding="utf-8")
        assert "/internal" not in text and '"internal"' not in text.replace('kind="internal"', "").replace(
            '== "internal"', ""
        ).replace('Literal["count", "share", "statistic", "other", "internal"]', "").replace(
            '!= "internal"', ""
        ).replace('INTERNAL = "internal"', ""), path
