"""Two frozen releases between which one person's record was corrected: neither gives away what the other one
withholds.
"""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from disclosure_two_releases import TwoReleases

from hhp_stats.disclosure.crowd import crowd
from hhp_stats.disclosure.decision import published
from hhp_stats.disclosure.declared import KEPT, Declared, Row, counted
from hhp_stats.disclosure.released import COLUMNS, FILE, RELEASES, last_released
from hhp_stats.plan.disclosure import DisclosureSettings
from hhp_stats.results.frame import ResultRow, result_frame

SITES = ("a", "b", "c")
STATES = pd.DataFrame(list(product(SITES, (True, False), (True, False))), columns=["site", "first", "second"])
SETTINGS = DisclosureSettings(rule="withhold", threshold=5, zeros="published")
SECRETS = {"lacking": lambda p: ~p["first"], "lacking_second": lambda p: ~p["second"]}


def study(people):
    """A table of three sites with those whose outcomes lack, and the n of three analyses."""
    everyone = crowd(people, imagined=STATES)
    p = everyone.frame
    columns = {"people": counted([everyone.of(p["site"] == site) for site in SITES], worth=KEPT)}
    table = {"site": list(SITES), "people": [int((people["site"] == site).sum()) for site in SITES]}
    for name, lacks in SECRETS.items():
        columns[name] = counted([everyone.of((p["site"] == site) & lacks(p)) for site in SITES])
        table[name] = [int(((people["site"] == site) & lacks(people)).sum()) for site in SITES]
    analyses = {"planned": lambda p: p["first"], "second": lambda p: p["second"]}
    rows = {
        f"trial/days/itt/{name}": (everyone.of(inside(p)), int(inside(people).sum()))
        for name, inside in analyses.items()
    }
    results = result_frame(
        [
            ResultRow(
                result_id=key,
                study="trial",
                outcome="days",
                estimand="itt",
                population="",
                contrast="",
                method="OLS",
                analysis="planned",
                estimate=1.0,
                std_error=1.0,
                n=n,
                note="",
                source="test",
            )
            for key, (_, n) in rows.items()
        ]
    )
    declared = Declared(
        people=everyone.there,
        columns={"sites": columns},
        rows={key: Row(n=mask, worth=KEPT) for key, (mask, _) in rows.items()},
    )
    return {"sites": pd.DataFrame(table)}, results, declared


def states_of_places():
    """For each place of the list, the states it counts: the reader's own account."""
    found = {}
    for site in SITES:
        at = STATES["site"] == site
        found |= {
            ("sites", site, column): members
            for column, members in {
                "people": at,
                "lacking": at & ~STATES["first"],
                "lacking_second": at & ~STATES["second"],
            }.items()
        }
    found |= {
        ("results", f"trial/days/itt/{name}", "n"): STATES[column]
        for name, column in (("planned", "first"), ("second", "second"))
    }
    return {where: members.to_numpy().astype(float) for where, members in found.items()}


def by_state(people):
    return STATES.merge(people.value_counts().rename("n").reset_index(), how="left")["n"].fillna(0).to_numpy()


def decide(people, last=None):
    tables, results, declared = study(people)
    return published(study="trial", tables=tables, results=results, declared=declared, settings=SETTINGS, last=last)


def freeze(root, found):
    """The release's list of places as `hhp release` writes it."""
    folder = root / RELEASES / "2020-01-31"
    folder.mkdir(parents=True)
    found.register.assign(study="trial")[list(COLUMNS)].to_csv(folder / FILE, index=False, lineterminator="\n")
    return last_released(root, "trial")


def drawn(seed):
    """Sixty people at three sites; then one of one site whose first outcome is found, or turns out to be lost."""
    rng = np.random.default_rng(seed)
    lost = {site: rng.permutation([0.15, 0.4, 0.4])[0] for site in SITES}
    before = pd.DataFrame({"site": np.repeat(SITES, 20)})
    before["first"] = rng.random(60) > before["site"].map(lost)
    before["second"] = rng.random(60) > 0.35
    after = before.copy()
    after.loc[int(rng.integers(60)), "first"] ^= True
    return before, after


def attack(first, second, before, after):
    """Both releases, and whose file the change report names."""
    site = before.loc[(before != after).any(axis=1), "site"].iloc[0]
    reader = TwoReleases(
        sets=states_of_places(),
        first=first.register,
        second=second.register,
        moved=(STATES["site"] == site).to_numpy().astype(float),
    )
    return reader.found_out([by_state(before), by_state(after)])


@pytest.mark.parametrize("seed", [*range(8), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(8, 30))])
def test_nothing_withheld_follows_from_two_releases(tmp_path, seed):
    before, after = drawn(seed)
    first = decide(before)
    second = decide(after, freeze(tmp_path, first))
    assert second.undefended == ()
    assert attack(first, second, before, after) == {}


def test_without_the_last_release_withheld_numbers_follow():
    found = {}
    for seed in range(8):
        before, after = drawn(seed)
        found |= {(seed, *key): n for key, n in attack(decide(before), decide(after), before, after).items()}
    assert found
