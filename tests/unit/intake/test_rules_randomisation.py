"""Lists, logs and strata that were edited are found, whoever records their checksums; what was drawn comes back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from hhp_stats.design.randomisation import AllocationRule, randomise
from hhp_stats.design.replay import balance_of_draws, drawn_arms, log_differences
from hhp_stats.design.strata import make_strata
from hhp_stats.intake.dictionary import Site, Study, load_dictionary
from hhp_stats.intake.draw_log import log_file, read_draw_log
from hhp_stats.intake.findings import judged
from hhp_stats.intake.lists import read_list
from hhp_stats.intake.rules_randomisation import (
    AGREES,
    RandomisationCheck,
    corrected_strata,
    draws_repeated,
    randomisation_findings,
)
from hhp_stats.intake.spellings import load_spellings
from hhp_stats.plan.conduct import Deviation

STUDY = "trial"
RULE = AllocationRule()
SITES = ("Kent", "Bromley", "Lambeth")
LIST = f"data/allocation/{STUDY}.csv"


def baseline(seed=3, teams=9, size=6):
    """Everyone on the baseline returns of three authorities."""
    rng = np.random.default_rng(seed)
    rows = teams * size
    parts = [
        pd.DataFrame(
            {
                "staff_id": [f"{site}|{n:04d}" for n in range(rows)],
                "team_id": [f"{site[:3].upper()}-T{n // size:02d}" for n in range(rows)],
                "local_authority": site,
                "role": rng.choice(["social worker", "senior practitioner", "other"], rows),
                "agency": rng.choice([0.0, 1.0], rows, p=[0.8, 0.2]),
                "service_years": rng.integers(2, 200, rows) / 12,
                "absence_days": rng.integers(0, 30, rows).astype(float),
            }
        )
        for site in SITES
    ]
    return pd.concat(parts, ignore_index=True)


@dataclass
class Files:
    """List and log of a trial below `root`, to be damaged and read."""

    root: object
    fields: object
    spellings: object
    people: pd.DataFrame
    teams: pd.DataFrame
    log: pd.DataFrame

    def check(self, people="received", corrected=None):
        (self.root / "data/allocation").mkdir(parents=True, exist_ok=True)
        self.teams.to_csv(self.root / LIST, index=False)
        self.log.to_csv(self.root / log_file(STUDY), index=False)
        known = self.people if people == "received" else people
        study = Study(
            name=STUDY,
            sites=tuple(
                Site(local_authority=s, slug=s, launch=None, interim_due=None, endline_due=None) for s in SITES
            ),
        )
        table = read_list(
            self.root / LIST, file=LIST, kind="allocation", fields=self.fields, spellings=self.spellings, study=study
        )
        assert table.readable
        log = read_draw_log(self.root, study=STUDY, rule=RULE, spellings=self.spellings)
        return RandomisationCheck(
            allocation=table, log=log, rule=RULE, received=known, corrected=known if corrected is None else corrected
        )

    def findings(self, **more):
        return randomisation_findings(self.check(**more))

    def codes(self, **more):
        return sorted({finding.rule.code for finding in self.findings(**more)})


@pytest.fixture
def files(root, tmp_path):
    people = baseline()
    made = randomise(people=people, strata=make_strata(people=people), rule=RULE, seed=11)
    fields = load_dictionary(root)
    return Files(
        root=tmp_path,
        fields=fields,
        spellings=load_spellings(root, fields),
        people=people,
        teams=made.teams.assign(coffee=0),
        log=made.log.assign(seed=11),
    )


def test_what_was_drawn_comes_back_in_any_order_and_by_either_name_of_the_column(files):
    assert files.codes() == []
    files.teams = files.teams.sample(frac=1, random_state=1)
    files.people = files.people.sample(frac=1, random_state=2)
    files.log = files.log.rename(columns={"p_service_years": "p_service"}).round(12)
    assert files.codes() == []
    repeated = draws_repeated(files.check(), [])
    assert repeated["agrees"].all() and set(repeated["note"]) == {AGREES}


def flip(files, chosen):
    files.teams.loc[chosen, "treatment"] = 1 - files.teams.loc[chosen, "treatment"]


@pytest.mark.parametrize("chosen", ["all", "authority", "team"])
def test_arms_that_were_not_drawn_are_named(files, chosen):
    mask = {
        "all": files.teams["team_id"].ne(""),
        "authority": files.teams["local_authority"].eq("Kent"),
        "team": files.teams["team_id"].eq("KEN-T03"),
    }[chosen]
    flip(files, mask)
    found = files.findings()
    assert {finding.rule.code for finding in found} == {"A06"}
    assert {unit for finding in found for unit in finding.units} == set(files.teams.loc[mask, "team_id"])
    assert ("like all 27 teams" in found[0].value) == (chosen == "all")
    repeated = draws_repeated(files.check(), found)
    assert not repeated["agrees"].any() and repeated["note"].str.contains("other arm").all()


def test_two_teams_exchanged_are_named(files):
    one, other = (files.teams.index[files.teams["treatment"] == arm][0] for arm in (0, 1))
    flip(files, [one, other])
    (found, *more) = files.findings()
    named = {unit for finding in (found, *more) for unit in finding.units}
    assert named == set(files.teams.loc[[one, other], "team_id"])


def test_exchanged_strata_are_found(files):
    kent = files.teams.index[files.teams["local_authority"] == "Kent"]
    first = kent[0]
    other = next(at for at in kent if files.teams.at[at, "stratum"] != files.teams.at[first, "stratum"])
    files.teams.loc[[first, other], "stratum"] = files.teams.loc[[other, first], "stratum"].to_numpy()
    found = [finding for finding in files.findings() if finding.rule.code == "A07"]
    assert set(found[0].units) == set(files.teams.loc[[first, other], "team_id"])


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        (lambda log: log.assign(seed=12), ["A06", "A08"]),
        (lambda log: log.assign(p_role=0.5), ["A08"]),
        (lambda log: log.assign(p_service_years=log["p_service_years"] + 1e-6), ["A08"]),
        (lambda log: log.assign(accepted=False), ["A08"]),
        (lambda log: pd.concat([log, log.assign(draw=2)]), ["A06", "A08"]),
    ],
)
def test_an_edited_log_is_found(files, change, codes):
    files.log = change(files.log)
    assert files.codes() == codes


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda log: log.assign(seed="x"), "seed"),
        (lambda log: log.assign(p_role="high"), "p_role is no number"),
        (lambda log: log.assign(p_role=1.5), "outside"),
        (lambda log: log.assign(accepted="maybe"), "accepted"),
        (lambda log: log.assign(draw=7), "draw is not 1"),
        (lambda log: log.drop(columns="p_role"), "p_role"),
        (lambda log: pd.concat([log, log.assign(draw=2, seed=5)]), "2 seeds"),
        (lambda log: log.iloc[:0], "no draw"),
    ],
)
def test_a_log_that_cannot_be_read_says_why(files, change, words):
    files.log = change(files.log)
    problems = files.check().log.problems
    assert problems and words in problems[0].value and problems[0].code in ("A05", "L02")


def test_a_missing_log_is_refused(files):
    files.check()
    (files.root / log_file(STUDY)).unlink()
    log = read_draw_log(files.root, study=STUDY, rule=RULE, spellings=files.spellings)
    found = randomisation_findings(replace(files.check(), log=log))
    assert [(finding.rule.code, finding.units) for finding in found] == [("A11", ("log",))]


def later(people):
    """The baseline after a correction that moves a team into another quartile."""
    worst = people["team_id"].eq("KEN-T00")
    return people.assign(
        absence_days=people["absence_days"].mask(worst, 60.0), service_years=people["service_years"] + worst
    )


def test_a_corrected_baseline_is_a_note_and_a_replaced_one_is_not(files):
    corrected = later(files.people)
    check = files.check(corrected=corrected)
    assert randomisation_findings(check) == []
    (note,) = corrected_strata(check)
    assert note.code == "A09" and note.severity == "note" and "KEN-T0" in note.value
    # Lines of the ledger that are older than the draw: the corrected list is what was drawn from.
    made = randomise(people=corrected, strata=make_strata(people=corrected), rule=RULE, seed=11)
    files.teams, files.log = made.teams.assign(coffee=0), made.log.assign(seed=11)
    assert files.codes(corrected=corrected) == []
    # A return that was replaced as a whole: nothing gives what was drawn from, and only a deviation lets it pass.
    assert files.codes() == ["A07", "A08"]


def test_without_every_baseline_return_arms_are_checked_all_the_same(files):
    flip(files, files.teams["team_id"].eq("KEN-T03"))
    assert [
        finding.rule.code for finding in randomisation_findings(replace(files.check(), received=None, corrected=None))
    ] == ["A06"]


ENTRY = Deviation(
    id="X1",
    study=STUDY,
    clause="",
    analysis="data/allocation/teams",
    aspect="randomisation",
    planned="as drawn",
    done="moved",
    reason="The authority merged teams.",
    decided="2019-09-01",
    before_unblinding=True,
    rule="A06",
    units=("KEN-T03",),
)


def test_a_deviation_explains_what_it_names_and_nothing_else(files):
    flip(files, files.teams["team_id"].eq("KEN-T03"))
    (note,) = judged(files.findings(), [ENTRY])
    assert note.severity == "note" and "X1" in note.remedy and "KEN-T03" in note.value
    flip(files, files.teams["team_id"].eq("KEN-T04"))
    assert [problem.severity for problem in judged(files.findings(), [ENTRY])] == ["error"]
    vain = judged([], [ENTRY])
    assert [problem.code for problem in vain] == ["A10"] and "KEN-T03" in vain[0].value


def test_strata_of_a_whole_authority_may_be_explained_by_its_name(files):
    files.people = later(files.people)
    found = files.findings()
    entries = [replace(ENTRY, rule="A07", units=("Kent",)), replace(ENTRY, id="X2", rule="A08", units=("log",))]
    assert {problem.severity for problem in judged(found, entries)} == {"note"}


def test_a_log_of_several_draws_ends_with_the_first_accepted():
    people = baseline(seed=8)
    strata = make_strata(people=people)
    rule = AllocationRule(alpha=0.6, max_redraws=40)
    made = next(
        each
        for seed in range(40)
        if len((each := randomise(people=people, strata=strata, rule=rule, seed=seed)).log) > 2
    )
    draws = len(made.log)
    arms = drawn_arms(made.teams, seed=made.seed, draw=draws)
    assert arms.tolist() == made.teams["treatment"].tolist()

    def again(number):
        return balance_of_draws(people, strata, rule=rule, seed=made.seed, draws=number)

    assert log_differences(made.log, again(draws), rule=rule) == []
    short = log_differences(made.log.iloc[:-1], again(draws - 1), rule=rule)
    assert "without an accepted one" in short[0][2]
    long = again(draws + 1)
    assert any("drawn again" in what for _, _, what in log_differences(long, long, rule=rule))
