"""What is found by moves, kept counts and narrowed ends is what the plain programme says: in random systems, in any
order of questions, and in every study of the release.
"""

from itertools import pairwise

import numpy as np
import pytest
from disclosure_plain import only_one
from disclosure_studies import ROOT, plans
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hhp_stats.disclosure import withholding
from hhp_stats.disclosure.groups import independent
from hhp_stats.disclosure.moves import moves, reduced
from hhp_stats.disclosure.possible import Possible
from hhp_stats.disclosure.system import CountedSet, count_system, groups_left

SEVERAL = settings(max_examples=60, deadline=None, derandomize=True)
WITHHELD = [key for key, raw in plans(ROOT).items() if raw["disclosure"]["rule"] == "withhold"]
MOST = 20  # secondary counts of a study that are printed again
seeds = st.integers(0, 10_000)


def random_sets(rng):
    """Cells, margins and totals of a table of people, and unions of cells; some cells are of imagined people."""
    wide, deep = rng.integers(2, 4, 2)
    sizes = rng.integers(0, 7, (wide, deep))
    row, column = (each.ravel() for each in np.indices((wide, deep)))
    whose = np.concatenate([np.repeat(np.arange(wide * deep), sizes.ravel()), np.arange(wide * deep)])
    tables = [row == at for at in range(wide)] + [column == at for at in range(deep)]
    tables += [np.arange(wide * deep) == at for at in range(wide * deep)]
    tables += [rng.random(wide * deep) < 0.5 for _ in range(rng.integers(0, 4))] + [np.ones(wide * deep, dtype=bool)]
    chosen = [each for each in tables if each.any() and rng.random() < 0.8] or tables[:1]
    sets = [
        CountedSet(label=str(at), members=each[whose], worth=int(rng.integers(0, 4)), public=bool(rng.random() < 0.05))
        for at, each in enumerate(chosen)
    ]
    return sets, int(sizes.sum())


def questions(rng, found, *, threshold, lowest):
    """A system's possible counts asked many things one after the other, as the search asks: where zeros are published,
    none is withheld.
    """
    printed = np.arange(len(found.counts)) < found.printed
    small = (found.counts >= lowest) & (found.counts < threshold) & ~found.public
    primary = printed & small
    may_go = printed & ~found.public & (found.counts > 0)
    possible = Possible(found, threshold=threshold, lowest=lowest, primary=primary)
    for _ in range(6):
        withheld = primary | (may_go & (rng.random(len(printed)) < rng.random()))
        unknown = np.flatnonzero((withheld | ~printed) & ~found.public)
        for at in rng.permutation(unknown)[:6]:
            yield possible, int(at), withheld, bool(rng.random() < 0.6), primary


@SEVERAL
@example(seed=20136)  # here, and in the next, a withheld count that other sums give bounds those that lie within it
@example(seed=20454)
@given(seed=seeds)
def test_other_counts_are_possible_where_the_plain_programme_says_so(seed):
    rng = np.random.default_rng(seed)
    sets, people = random_sets(rng)
    threshold, lowest = int(rng.integers(3, 7)), int(rng.integers(0, 2))
    found = count_system(sets, people=people, threshold=threshold)
    for possible, at, withheld, known, primary in questions(rng, found, threshold=threshold, lowest=lowest):
        plain = only_one(found, at, withheld, threshold=threshold, lowest=lowest, primary=primary, reasons_known=known)
        assert possible.only_one(at, withheld, reasons_known=known) is plain


@SEVERAL
@given(seed=seeds)
def test_groups_left_are_those_of_a_system_of_their_own(seed):
    rng = np.random.default_rng(seed)
    sets, people = random_sets(rng)
    threshold = int(rng.integers(3, 11))
    whole = count_system(sets, people=people, threshold=threshold)
    some = [each for each in sets if rng.random() < 0.7] or sets[:1]
    left = groups_left(some, people=people, threshold=threshold, of=whole)
    own = count_system(some, people=people, threshold=threshold).groups
    assert sorted(each.tobytes() for each in left) == sorted(each.tobytes() for each in own)


def test_a_group_of_more_patterns_than_are_tried_is_found_once_nobody_tells_them_apart():
    """Five people are all less the others. Told apart by sets of each with some others they are five patterns, more than are
    tried; without these sets they are one.
    """
    person = np.arange(30)
    sets = [person >= 0, person >= 5, *((person == at) | (person >= 19 - 2 * at) for at in range(5))]
    sets = [CountedSet(label=str(at), members=members, worth=1) for at, members in enumerate(sets)]
    whole = count_system(sets, people=30, threshold=6)
    assert not any(group[:5].all() for group in whole.groups)
    (left,) = groups_left(sets[:2], people=30, threshold=6, of=whole)
    assert list(np.flatnonzero(left)) == list(range(5))


@SEVERAL
@given(seed=seeds)
def test_moves_leave_every_sum_and_make_up_all_changes_that_do(seed):
    rng = np.random.default_rng(seed)
    sums = rng.integers(-1, 2, (rng.integers(1, 6), 8)).astype(float)
    rows = reduced(np.column_stack([sums, np.zeros(len(sums))]))[:, :-1]
    steps = moves(rows)
    assert not (sums @ steps.T).any() and (steps == np.rint(steps)).all()
    if (rows == np.rint(rows)).all():
        assert np.linalg.matrix_rank(steps) == 8 - len(rows)


@SEVERAL
@given(seed=seeds)
def test_independent_sets_are_those_that_raise_the_rank(seed):
    rng = np.random.default_rng(seed)
    vectors = (rng.random((rng.integers(1, 50), rng.integers(1, 40))) < 0.3).astype(float)
    order = rng.permutation(len(vectors))
    ranks = [0, *(int(np.linalg.matrix_rank(vectors[order[: n + 1]])) for n in range(len(order)))]
    raised = [int(at) for at, (before, after) in zip(order, pairwise(ranks), strict=True) if after > before]
    basis, dependent = independent(vectors, order)
    assert basis == raised and sorted(basis + dependent) == list(range(len(vectors)))


@pytest.mark.parametrize("study", WITHHELD)
def test_guarded_counts_of_the_release_are_judged_as_the_plain_programme_does(output_of, root, monkeypatch, study):
    """With all that is withheld in the end none has only one value; and with secondary ones printed again, one at a
    time, those around it are judged alike.
    """
    searches = []
    run = withholding._Search.run
    monkeypatch.setattr(withholding._Search, "run", lambda search: (run(search), searches.append(search))[0])
    output_of(study).decided(root)
    search, rng = searches[-1], np.random.default_rng(1)

    def judged(at, withheld):
        known = bool(search.defended[at])
        found = search.possible.only_one(int(at), withheld, reasons_known=known)
        assert found is only_one(
            search.system,
            int(at),
            withheld,
            threshold=search.possible.threshold,
            lowest=search.possible.lowest,
            primary=search.primary,
            reasons_known=known,
        )
        return found

    guarded = np.flatnonzero(search.small)
    assert len(guarded) or not search.withheld.any()
    assert not any(judged(at, search.withheld) for at in guarded)
    secondary = np.flatnonzero(search.withheld & ~search.primary & ~search.sticky)
    for spare in rng.permutation(secondary)[:MOST]:  # each question takes the plain programme a tenth of a second
        withheld = search.withheld.copy()
        withheld[spare] = False
        around = np.intersect1d(guarded, search.possible.related(int(spare), search.withheld))
        for at in rng.permutation(around)[:1]:
            judged(at, withheld)
