"""Whole columns against other authorities, waves, questions: each rule just inside and just outside of its limit."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from intake_builder import STUDY, TrialFiles

from hhp_stats.intake.across import Returns
from hhp_stats.intake.dictionary import Site, Study, fields_of, load_dictionary
from hhp_stats.intake.distribution import cohens_h, standardised_difference, times
from hhp_stats.intake.findings import Finding
from hhp_stats.intake.gather import gather
from hhp_stats.intake.list_spec import list_column
from hhp_stats.intake.lists import ListFile
from hhp_stats.intake.return_layout import Return
from hhp_stats.intake.rules_answers import list_findings, survey_findings
from hhp_stats.intake.rules_distribution import Columns, distribution_findings
from hhp_stats.intake.survey import SurveyFile
from hhp_stats.plan.thresholds import Threshold

LAUNCH = date(2019, 7, 1)
PEOPLE = 100
PLACES = ("Aldbury", "Brinton", "Caverley", "Dunmere")


def limits(**found: float) -> dict[str, Threshold]:
    return {code: Threshold(code=code, about="a limit", limit=limit, least=10) for code, limit in found.items()}


def returns(root: Path, change) -> Columns:
    """Three returns of four authorities, alike; `change(authority, wave, frame)` makes one of them unlike."""
    dictionary = load_dictionary(root)
    study = Study(
        name="s",
        sites=tuple(
            Site(local_authority=name, slug=name.lower(), launch=LAUNCH, interim_due=LAUNCH, endline_due=LAUNCH)
            for name in PLACES
        ),
    )
    by_site: dict[str, dict[str, Return]] = {}
    for site in study.sites:
        for wave, months in (("baseline", 0), ("interim", 3), ("endline", 6)):
            specs = {
                spec.name: spec for spec in fields_of(dictionary, "return", wave) if not spec.kind.startswith("header")
            }
            share = 1.0 if wave == "baseline" else months / 12
            frame = pd.DataFrame(
                {
                    "row": range(8, 8 + PEOPLE),
                    "staff_id": [f"{site.slug}-{n:03d}" for n in range(PEOPLE)],
                    "left": 0.0,
                    "service_months": np.linspace(1, 99, PEOPLE) + months,
                    "illness_days": np.tile([0.0, 4.0], PEOPLE // 2) * share,
                    "overall_absence_days": np.tile([20.0, 40.0], PEOPLE // 2) * share,
                    "illness_spells": np.tile([0.0, 1.0], PEOPLE // 2) * share,
                    "replacement_cost": np.nan,
                }
            )
            ret = Return(
                file=f"{site.slug}/{wave}.xlsx",
                path=Path(f"{wave}.xlsx"),
                frame=frame,
                fields=specs,
                wave=wave,
                site=site,
                columns={name: at for at, name in enumerate(specs, start=1)},
            )
            ret.date_retrieved = pd.Timestamp(LAUNCH) + pd.Timedelta(days=round(months * 30.4375))
            change(site.local_authority, ret)
            by_site.setdefault(site.local_authority, {})[wave] = ret
    return Columns(returns=Returns(study=study, by_site=by_site), fields=dictionary, thresholds={})


def found(root: Path, change, **limit: float) -> list[tuple[str, str, tuple[str, ...]]]:
    columns = returns(root, change)
    findings = distribution_findings(
        Columns(returns=columns.returns, fields=columns.fields, thresholds=limits(**limit))
    )
    return [(finding.rule.code, finding.cell, finding.units) for finding in findings]


def of(place: str, wave: str, edit):
    """A change of one return of one authority."""

    def change(authority: str, ret: Return) -> None:
        if authority == place and ret.wave == wave:
            edit(ret)

    return change


def test_returns_that_are_alike_have_nothing(root):
    every = {"X28": 0.5, "X29": 0.5, "X30": 3, "X31": 3, "X32": 3, "X33": 6, "X34": 0, "X35": 39}
    assert found(root, lambda authority, ret: None, **every) == []


@pytest.mark.parametrize("name", ["service_months", "overall_absence_days", "illness_days", "illness_spells"])
@pytest.mark.parametrize(("blank", "seen"), [(6, False), (7, True)])
def test_blanks(root, name, blank, seen):
    """Seven blanks of a hundred against none: h = 2 arcsin sqrt(0.07) = 0.535; six: 0.495."""

    def edit(ret):
        ret.frame.loc[: blank - 1, name] = np.nan

    assert (
        found(root, of("Brinton", "baseline", edit), X28=0.5)
        == [("X28", f"column {name}", ("Brinton, baseline",))] * seen
    )


def test_blanks_that_come_after_the_interim_return_everywhere(root):
    def change(authority, ret):
        if ret.wave == "endline":
            ret.frame.loc[:30, "illness_days"] = np.nan

    assert found(root, change, X28=0.5) == [("X28", "column illness_days", (f"{place}, endline",)) for place in PLACES]


def test_what_an_authority_does_not_record_at_all_is_known(root):
    def change(authority, ret):
        if authority == "Brinton":
            ret.frame["illness_spells"] = np.nan

    assert found(root, change, X28=0.5, X29=0.5) == []

    def days(authority, ret):
        if authority == "Brinton":
            ret.frame["illness_days"] = np.nan

    assert {cell for _, cell, _ in found(root, days, X28=0.5)} == {"column illness_days"}


@pytest.mark.parametrize(("zeros", "seen"), [(6, False), (7, True)])
def test_zeros(root, zeros, seen):
    def edit(ret):
        ret.frame.loc[: zeros - 1, "overall_absence_days"] = 0

    assert (
        found(root, of("Aldbury", "endline", edit), X29=0.5)
        == [("X29", "column overall_absence_days", ("Aldbury, endline",))] * seen
    )


@pytest.mark.parametrize("name", ["service_months", "overall_absence_days", "illness_days"])
@pytest.mark.parametrize("factor", [1 / 12, 1 / 3.1, 1 / 2.9, 2.9, 3.1, 7.4])
def test_units(root, name, factor):
    def edit(ret):
        ret.frame[name] *= factor

    expected = [("X30", f"column {name}", ("Dunmere, baseline",))] if not 1 / 3 <= factor <= 3 else []
    assert found(root, of("Dunmere", "baseline", edit), X30=3) == expected


@pytest.mark.parametrize("name", ["illness_days", "overall_absence_days"])
@pytest.mark.parametrize(("factor", "seen"), [(2.9, False), (3.1, True), (1 / 2.9, False), (1 / 3.1, True)])
def test_absence_a_month_against_the_own_baseline_year(root, name, factor, seen):
    def change(authority, ret):
        if ret.wave == "endline":
            ret.frame[name] *= factor

    assert found(root, change, X31=3) == [("X31", f"column {name}", (f"{place}, endline",)) for place in PLACES] * seen


@pytest.mark.parametrize(("more", "seen"), [(2.9, False), (3.1, True), (-2.9, False), (-3.1, True)])
def test_service_grows_by_the_months_between(root, more, seen):
    def edit(ret):
        ret.frame["service_months"] += more

    assert (
        found(root, of("Caverley", "endline", edit), X32=3)
        == [("X32", "column service_months", ("Caverley, endline",))] * seen
    )


@pytest.mark.parametrize(("more", "seen"), [(5.9, False), (6.1, True), (-6.1, True)])
def test_service_of_one_person(root, more, seen):
    def edit(ret):
        ret.frame.loc[50, "service_months"] += more

    assert (
        found(root, of("Caverley", "interim", edit), X33=6)
        == [("X33", "column service_months", ("Caverley, interim",))] * seen
    )


def test_blank_after_it_was_recorded_but_for_leavers(root):
    def edit(ret):
        ret.frame.loc[4, "illness_days"] = np.nan

    assert found(root, of("Aldbury", "endline", edit), X34=0) == [("X34", "column illness_days", ("Aldbury, endline",))]

    def gone(authority, ret):
        if authority == "Aldbury" and ret.wave != "baseline":
            ret.frame.loc[4, "left"] = 1.0
            ret.frame.loc[4, "illness_days"] = np.nan if ret.wave == "endline" else 1.0

    assert found(root, gone, X34=0) == []


@pytest.mark.parametrize(("weeks", "seen"), [(39, False), (40, True), (52, True)])
def test_a_baseline_of_another_year(root, weeks, seen):
    def edit(ret):
        ret.date_retrieved, ret.date_cell = pd.Timestamp(LAUNCH - timedelta(weeks=weeks)), "B4"

    assert found(root, of("Aldbury", "baseline", edit), X35=39) == [("X35", "B4", ("Aldbury, baseline",))] * seen


def survey(wave: str, **answers) -> SurveyFile:
    rng = np.random.default_rng(5)
    fields = {name: list_column(name, "integer") for name in ("one", "two", "three")}
    fields = {name: _points(spec) for name, spec in fields.items()}
    frame = pd.DataFrame({name: rng.choice([2.0, 4.0], 60) for name in fields} | answers)
    frame["consent"] = "agree"
    meta = pd.DataFrame({"code": [f"c{n}" for n in range(60)], "preview": False})
    return SurveyFile(
        file=f"{wave}.csv",
        path=Path(f"{wave}.csv"),
        frame=frame,
        fields=fields,
        columns={"one": 1},
        wave=wave,
        meta=meta,
    )


def _points(spec):
    return replace(spec, unit="points")


def codes(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.rule.code, finding.cell) for finding in findings]


def test_answers_against_the_other_wave_questions_and_groups():
    low, high, same = np.tile([1.0, 3.0], 30), np.tile([3.0, 5.0], 30), np.tile([2.0, 4.0], 30)
    every = limits(S35=0.5, S36=0.5, S37=1.0)
    groups = {f"c{n}": "A" if n < 20 else "B" for n in range(60)}
    alike = {"one": same, "two": same, "three": same}
    assert codes(survey_findings([survey("baseline", **alike), survey("endline", **alike)], groups, every)) == []
    turned = survey("endline", **(alike | {"two": high}))
    assert codes(survey_findings([survey("baseline", **(alike | {"two": low})), turned], groups, every)) == [
        ("S35", "column two")
    ]
    blank = survey("endline", **(alike | {"three": np.where(np.arange(60) < 6, np.nan, same)}))
    assert codes(survey_findings([blank], groups, every)) == [("S36", "column three")]
    one_group = survey("endline", **(alike | {"one": np.where(np.arange(60) < 20, same + 4, same)}))
    assert codes(survey_findings([one_group], groups, every)) == [("S37", "column one")] * 2


def answered(people: int = 60, *, seed: int, slipped: int = 0, codes_slipped: int = 0) -> tuple[SurveyFile, SurveyFile]:
    """Two surveys of the same people, whose three answers lean on one trait of theirs."""
    rng = np.random.default_rng(seed)
    trait = rng.normal(size=60)
    waves = []
    for wave in ("baseline", "endline"):
        answers = {name: np.round(4 + 1.5 * trait + rng.normal(size=60)) for name in ("one", "two", "three")}
        if wave == "endline":
            answers["two"] = np.roll(answers["two"], slipped)
        waves.append(survey(wave, **answers))
    later = waves[1]
    later.meta["code"] = np.roll(later.meta["code"].to_numpy(), codes_slipped)
    later.frame, later.meta = later.frame.iloc[:people], later.meta.iloc[:people]
    return waves[0], later


def test_a_question_that_goes_with_no_other():
    """S38: correlations of some 0.7, times the root of 60, are above 4; those of a slipped column are not."""
    assert codes(survey_findings(answered(seed=3), {}, limits(S38=4))) == []
    assert codes(survey_findings(answered(seed=3, slipped=1), {}, limits(S38=4))) == [("S38", "column two")]


def test_answers_of_other_people():
    assert codes(survey_findings(answered(seed=3), {}, limits(S39=0.2))) == []
    assert codes(survey_findings(answered(seed=3, codes_slipped=1), {}, limits(S39=0.2))) == [
        ("S39", "column ExternalReference")
    ]


@pytest.mark.parametrize(("people", "seen"), [(38, False), (37, True)])
def test_an_export_cut_short(people, seen):
    """Of 60 people 37.5 is the limit of 1.6 times."""
    found = survey_findings(answered(people, seed=3), {}, limits(S40=1.6))
    assert [(each.rule.code, each.file) for each in found] == [("S40", "endline.csv")] * seen


@pytest.mark.parametrize(("same", "blank", "expected"), [(95, 0, []), (96, 0, ["L08"]), (0, 50, []), (0, 51, ["L09"])])
def test_lists(same, blank, expected):
    values = np.arange(100, dtype=float)
    values[:same] = 7.0
    values[100 - blank :] = np.nan
    table = ListFile(
        file="l.csv",
        path=Path("l.csv"),
        frame=pd.DataFrame({"row": range(100), "minutes": values}),
        kind="list",
        fields={"minutes": list_column("minutes", "integer")},
        columns={"minutes": 1},
    )
    assert [code for code, _ in codes(list_findings([table], limits(L08=0.95, L09=0.5)))] == expected


@pytest.mark.parametrize(("blank", "seen"), [(10, False), (11, True)])  # of 50 lines ten are a fifth
def test_blank_answers_in_words(blank, seen):
    people, answers = [f"P{number:03d}" for number in range(50)], ["yes", "no"] * 25
    answers[:blank] = [None] * blank
    table = listed(person=people, said=answers)
    table.fields["said"] = list_column("said", "category", allowed=("yes", "no"))
    assert codes(list_findings([table], limits(L09=0.2))) == [("L09", "column said")] * seen


def listed(**columns) -> ListFile:
    kinds = {name: "identifier" if name in ("person", "code") else "integer" for name in columns}
    return ListFile(
        file="l.csv",
        path=Path("l.csv"),
        frame=pd.DataFrame({"row": range(len(columns["person"])), **columns}),
        kind="list",
        fields={name: _points(list_column(name, kind)) for name, kind in kinds.items()},
        columns=dict.fromkeys(columns, 1),
    )


@pytest.mark.parametrize(
    ("fallen", "seen"),
    [(0, True), (1, True), (2, False)],  # of 51 lines one step back is within 0.02 of 50, two are not
)
def test_a_column_in_order_of_size_in_a_list_in_order_of_its_identifiers(fallen, seen):
    people = [f"P{number:03d}" for number in range(51)]
    minutes = np.arange(51.0)
    minutes[:fallen] = 60 - np.arange(fallen)
    for values in (minutes, minutes[::-1]):
        found = list_findings([listed(person=people, minutes=values)], limits(L10=0.02))
        assert codes(found) == [("L10", "column minutes")] * seen
    gaps = [None, *people[1:]]
    assert (
        codes(list_findings([listed(person=gaps, minutes=minutes)], limits(L10=0.02)))
        == [("L10", "column minutes")] * seen
    )
    mixed = np.random.default_rng(1).permutation(people)
    assert codes(list_findings([listed(person=mixed, minutes=minutes)], limits(L10=0.02))) == []


@pytest.mark.parametrize(
    ("drawn", "seen"),
    [
        ([f"C{number * number:04d}" for number in range(51)], False),  # given out one after the other
        ([f"{chr(65 + number // 3)}K{number}X" for number in range(51)], True),
    ],
)
def test_codes_in_order_of_size(drawn, seen):
    table = listed(person=[f"P{number:03d}" for number in range(51)], code=drawn)
    assert codes(list_findings([table], limits(L10=0.02))) == []
    assert codes(list_findings([table], limits(L10=0.02), drawn=("code",))) == [("L10", "column code")] * seen


def five(seed: int) -> dict[str, np.ndarray]:
    """Answers of 60 people to five questions that lean on one trait of theirs."""
    rng = np.random.default_rng(seed)
    trait = rng.normal(size=60)
    return {name: np.round(4 + 1.5 * trait + rng.normal(size=60)) for name in ("one", "two", "three", "four", "five")}


def test_a_score_that_goes_with_no_other():
    scores, people = five(3), [f"P{number:03d}" for number in range(60)]
    assert codes(list_findings([listed(person=people, **scores)], limits(L11=4))) == []
    slipped = listed(person=people, **(scores | {"two": np.roll(scores["two"], 1)}))
    assert codes(list_findings([slipped], limits(L11=4))) == [("L11", "column two")]


def asked(wave: str, answers: dict[str, np.ndarray]) -> SurveyFile:
    made = survey(wave)
    fields = {name: _points(list_column(name, "integer")) for name in answers}
    return replace(made, frame=pd.DataFrame(answers).assign(consent="agree"), fields=fields)


@pytest.mark.parametrize(
    "change",
    [
        lambda answers: answers | {"two": np.roll(answers["two"], 1)},
        lambda answers: answers | {"two": np.sort(answers["two"])},
        lambda answers: answers | {"two": 8 - answers["two"]},
    ],
)
def test_a_question_that_goes_with_the_others_otherwise(change):
    """The root of the mean square of four differences of Fisher's z in standard errors, by hand."""
    before, after = five(3), five(4)
    assert survey_findings([asked("baseline", before), asked("endline", after)], {}, limits(S48=1.75)) == []
    changed = change(after)
    gaps = [
        (
            math.atanh(np.corrcoef(changed["two"], changed[name])[0, 1])
            - math.atanh(np.corrcoef(before["two"], before[name])[0, 1])
        )
        / math.sqrt(2 / 57)
        for name in before
        if name != "two"
    ]
    size = math.sqrt(sum(gap * gap for gap in gaps) / 4)
    both = [asked("baseline", before), asked("endline", changed)]
    found = survey_findings(both, {}, limits(S48=size - 0.001))
    assert codes(found) == [("S48", "column two")] and f"by {size:.2f} standard errors" in found[0].value
    assert survey_findings(both, {}, limits(S48=size + 0.001)) == []


def test_measures():
    assert cohens_h(0.5, 0.5) == 0 and cohens_h(0, 1) == pytest.approx(math.pi)
    # Cohen (1988), table 6.2.2: phi(0.50) = 1.571 and phi(0.25) = 1.047, printed to three digits
    assert cohens_h(0.50, 0.25) == pytest.approx(1.571 - 1.047, abs=0.001)
    assert times(2, 6) == times(6, 2) == 3 and times(0, 0) == 1 and times(0, 1) == math.inf
    assert standardised_difference(np.array([1.0, 1.0]), np.array([1.0])) == 0


def test_every_plan_has_the_limits_of_its_files(root):
    from hhp_stats.plan.thresholds import load_thresholds

    expected = {
        "goal_setting": "X28 X29 X30 X31 X32 X33 X34 X35 X38 S24 S35 S36 S37 S38 S39 S40 S48 S51 S52 L08 L09 L10 L12",
        "hiring": "K34 L08 L09 L10 L11 L12",
        "dictation": "L08 L09 L10 L12",
    }
    surveys = "S24 S35 S36 S37 S38 S39 S40 S48 S51 S52 L10 L12"
    expected |= dict.fromkeys(("letters", "coffee", "beneficiaries", "swing", "mod_ing"), surveys)
    for study, needed in expected.items():
        assert set(needed.split()) <= set(load_thresholds(root, study)), study


@pytest.mark.parametrize(("kind", "code"), [("course_log", "G09"), ("linkage", "K05")])
def test_staff_ids_of_lists_in_another_spelling_are_errors(trial_files: TrialFiles, kind, code):
    rows = getattr(trial_files, kind)
    rows[0]["staff_id"] = str(rows[0]["staff_id"]).lower()
    rows[1]["staff_id"] = str(rows[1]["staff_id"]).replace("-000", "-")
    rows[2]["staff_id"] = "KEN-7777"
    problems = [p for p in gather(trial_files.write(), STUDY).all_problems() if p.code in (code, "G02", "K03")]
    assert [p.code for p in problems] == [code, code, {"G09": "G02", "K05": "K03"}[code]]


def test_a_team_in_another_spelling_is_an_error(trial_files):
    for person in trial_files.returns["kent", "endline"].people[:2]:
        person["team_id"] = "ken-t1"
    problems = [p for p in gather(trial_files.write(), STUDY).all_problems() if p.code in ("X18", "X27")]
    assert [p.code for p in problems] == ["X27"]


def _kept(files: TrialFiles, **values) -> None:
    leaver = dict(files.returns["kent", "interim"].find("KEN-0002"))
    files.returns["kent", "endline"].people.append(leaver | values)


def test_leavers_kept_on_the_endline_return(trial_files):
    _kept(trial_files, illness_days=None, overall_absence_days=None, illness_spells=None)
    found = gather(trial_files.write(), STUDY)
    assert [(p.code, p.severity) for p in found.all_problems() if p.code.startswith("X")] == [("X36", "note")]


@pytest.mark.parametrize(
    ("values", "code"),
    [({"left": "no", "leaving_date": None}, "X06"), ({"leaving_date": pd.Timestamp("2019-09-17")}, "X37")],
)
def test_leavers_who_are_kept_otherwise(trial_files, values, code):
    _kept(trial_files, **values)
    assert code in {p.code for p in gather(trial_files.write(), STUDY).all_problems() if p.severity == "error"}
