"""The parts of the synthetic release: calibration, absence by day, survey model, assumptions, workbooks, TOML."""

from __future__ import annotations

import datetime as dt
import io
import shutil
import tomllib
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from hhp_stats.errors import InvalidInput, PlanError
from hhp_stats.estimate.icc import icc_anova
from hhp_stats.intake.dictionary import fields_of, load_dictionary
from hhp_stats.measures.baseline_absence import annualised
from hhp_stats.synthetic import absence, calibration, programme
from hhp_stats.synthetic.assumptions import FILE, PROJECT, Assumptions, load_assumptions, overridden
from hhp_stats.synthetic.goal_setting import TrialDraw, draw_trial
from hhp_stats.synthetic.survey_answers import LIMITS, ItemModel, affect, composite, population_values
from hhp_stats.synthetic.toml_text import toml_text
from hhp_stats.synthetic.workbook import Sheet, workbook_bytes


def drawn(seed: int, *, changes: dict[str, object] | None = None, contaminated: int = 0) -> TrialDraw:
    a = overridden(load_assumptions(), changes or {})
    return draw_trial(
        assumptions=a, seed=seed, allocation_seed=seed, n_people=1315, exact=True, contaminated=contaminated
    )


@pytest.fixture(scope="module")
def three() -> list[TrialDraw]:
    """Three draws with the figures of the release and other seeds."""
    return [drawn(seed) for seed in (1, 2, 3)]


@pytest.fixture(scope="module")
def draw() -> TrialDraw:
    a = load_assumptions()
    return drawn(a.release.seed, contaminated=a.programme.contaminated)


# ------------------------------------------------------------------ the release meets its figures
def test_team_sizes(draw: TrialDraw) -> None:
    size = draw.teams["size"]
    assert size.sum() == 1315 and len(draw.people) == 1315
    # Authorities hold whole teams and whole people: a few teams more or less than 1,315 / 7 = 188.
    assert abs(len(size) - 188) <= 4
    assert abs(size.mean() - 7) < 0.15
    assert abs(size.std() / size.mean() - 0.5) < 0.03  # quantiles of the distribution, so little sampling error
    assert size.min() >= 2


@pytest.mark.parametrize("number", [0, 1, 2])
def test_absence_meets_correlation_icc_mean_and_spread(three: list[TrialDraw], number: int) -> None:
    one = three[number]
    days = one.absence.follow_up_days.astype(float)
    # Solved by bisection to 1e-4 of a latent share, and days are whole: two decimals are what can be promised.
    assert abs(np.corrcoef(one.absence.baseline_days, days)[0, 1] - 0.6) < 0.01
    assert abs(icc_anova(outcome=days, clusters=one.people["team_id"]).estimate - 0.1) < 0.01
    assert abs(days.mean() - 3.84) < 0.02  # quantiles at ranks: only rounding is left
    assert abs(one.absence.baseline_days.mean() - 8.32) < 0.02
    assert abs(days.std() - 8.0) < 0.3  # the longest absence, at the last rank, is cut short
    assert 0.45 < (days == 0).mean() < 0.55
    assert np.quantile(days, 0.99) > 30


def test_what_the_analysis_sees_is_close_to_it(draw: TrialDraw) -> None:
    people = draw.people
    base = annualised(people, days="baseline_illness_days", months="service_months").days
    seen = base.notna() & people["endline_illness_days"].notna() & (people["left"] == 0)
    # Gaps, part-year baselines and the programme move the figures a little: two standard errors of .6 in 1,000 are .04.
    assert abs(np.corrcoef(base[seen], people.loc[seen, "endline_illness_days"])[0, 1] - 0.6) < 0.05
    stays = people[(people["left"] == 0) & people["endline_illness_days"].notna()]
    found = icc_anova(outcome=stays["endline_illness_days"].to_numpy(), clusters=stays["team_id"])
    assert abs(found.estimate - 0.1) < 0.03
    assert abs(stays["endline_illness_days"].mean() - 3.84) < 0.5


def test_planted_effect_on_absence_is_that_of_this_sample() -> None:
    big = drawn(11, changes={"effects.absence_days": -0.7, "programme.uptake": 0.5})
    none = drawn(11, changes={"effects.absence_days": 0.0, "programme.uptake": 0.5})
    treated = (big.people["treatment"] == 1) & (big.people["left"] == 0)
    gain = (big.people["endline_illness_days"] - none.people["endline_illness_days"])[treated]
    # Thinning is random: one standard error of the mean over 640 people is about .04.
    assert abs(gain.mean() + 0.7) < 0.15
    untouched = big.people["enrolled"] == 0
    same = big.people.loc[untouched, "endline_illness_days"].fillna(-1)
    # Days are placed by one stream, so only those who started may differ in number of days.
    assert (big.absence.follow_up_days == none.absence.follow_up_days).all()
    stayers = untouched & (big.people["left"] == 0)
    assert (same[stayers] == none.people.loc[stayers, "endline_illness_days"].fillna(-1)).mean() > 0.99


def test_shares_are_met_to_the_person(draw: TrialDraw) -> None:
    people = draw.people
    assert people["left"].sum() == round(1315 * 0.076 * 24 / 26) == 92
    assert people["responds_t1"].sum() == round(0.55 * 1315)
    assert people["responds_t2"].sum() == round(0.40 * (1315 - 92))
    assert (people["gender"] == "female").sum() == round(0.82 * 1315)
    assert people["part_time"].sum() == round(0.25 * 1315)
    assert people["agency"].sum() == round(0.12 * 1315)
    treated = people["treatment"] == 1
    assert people.loc[treated, "enrolled"].sum() == round(0.20 * treated.sum())
    assert people.loc[~treated, "enrolled"].sum() == 2
    assert people["service_months"].skew() > 1


def test_leaving_depends_on_absence(three: list[TrialDraw]) -> None:
    found = []
    for one in three:
        leaves = one.people["left"].to_numpy()
        found.append(one.absence.stable[leaves == 1].mean() - one.absence.stable[leaves == 0].mean())
    # Planted log odds of .35 (team part and other terms draw it towards zero); .1 is the standard error of one draw.
    assert 0.15 < np.mean(found) < 0.55


@pytest.mark.parametrize(("wave", "column"), [("t1", "responds_t1"), ("t2", "responds_t2")])
def test_response_depends_on_wellbeing(three: list[TrialDraw], wave: str, column: str) -> None:
    """The planted log odds come back, drawn towards zero by the readiness to answer that is not in the model."""
    slopes = []
    for one in three:
        stays = (one.people["left"] == 0).to_numpy()
        terms = np.column_stack(
            [getattr(one.wellbeing, wave), one.people["agency"], one.people["part_time"], one.people["treatment"]]
        )
        fit = sm.Logit(one.people[column].astype(float)[stays], sm.add_constant(terms[stays])).fit(disp=0)
        slopes.append(fit.params.iloc[1])
    planted = load_assumptions().survey
    # Zeger, Liang and Albert (1988): the slope shrinks by sqrt(1 + c^2 sd^2), c = 16 sqrt(3) / (15 pi).
    shrunk = planted.wellbeing_log_odds / np.sqrt(1 + (16 * np.sqrt(3) / (15 * np.pi)) ** 2 * planted.habit_sd**2)
    assert abs(np.mean(slopes) - shrunk) < 0.10  # standard error of the mean of three is .035


def test_response_model_can_be_switched_off() -> None:
    flat = {"survey.wellbeing_log_odds": 0.0}
    gaps = []
    for seed in range(3):
        one = drawn(seed, changes=flat)
        answered = one.people["responds_t2"].to_numpy()
        gaps.append(one.wellbeing.t2[answered].mean() - one.wellbeing.t2[~answered].mean())
    assert abs(np.mean(gaps)) < 0.12  # three standard errors of .035; with the planted slope the gap is about .4


def test_wellbeing_parts_share_more_than_half_of_their_variance(draw: TrialDraw) -> None:
    implied = population_values(ItemModel.of(load_assumptions()))
    assert min(implied.r_squared) > 0.55 and max(implied.r_squared) < 0.61
    for wave in ("t1", "t2"):
        given_ = draw.answers[draw.people[f"responds_{wave}"].to_numpy()]
        positive, negative = affect(given_, wave)
        cognitive = sum(stats.zscore(given_[f"{name}_{wave}"]) for name in ("happiness", "ladder"))
        # One standard error of an R-squared of .58 in 490 answers is .03.
        assert np.corrcoef(cognitive, positive - negative)[0, 1] ** 2 > 0.50


def test_scales_are_as_reliable_as_real_ones() -> None:
    implied = population_values(ItemModel.of(load_assumptions()))
    assert all(0.75 <= alpha <= 0.90 for alpha in implied.alpha.values()), implied.alpha
    assert abs(implied.pressure_correlation - 0.65) < 0.02
    assert 0.5 < implied.stability < 0.75


def test_wellbeing_has_the_stated_icc(three: list[TrialDraw]) -> None:
    found = [icc_anova(outcome=composite(one.answers, "t1"), clusters=one.people["team_id"]).estimate for one in three]
    assert abs(np.mean(found) - 0.05) < 0.036  # standard error of one ICC is about .02, of three .012


def test_limits_of_the_items_are_those_of_the_dictionary() -> None:
    items = [field for field in fields_of(load_dictionary(PROJECT), "survey", "baseline") if field.is_scale_item]
    named = {name for item in load_assumptions().items.values() for name in item.fields}
    assert named == {field.name for field in items} - {"caseload"}
    for field in items:
        if field.name != "caseload":
            assert LIMITS[field.name.split("_")[0]] == (field.minimum, field.maximum), field.name


# ------------------------------------------------------------------ calibration
def test_latent_correlation_gives_the_counts_the_wanted_one() -> None:
    one, other = (8.32, 14.0, 200), (3.84, 8.0, 112)
    rho = calibration.latent_correlation(target=0.6, one=one, other=other)
    rng = np.random.default_rng(1)
    z = rng.standard_normal((2, 1_000_000))
    z[1] = rho * z[0] + np.sqrt(1 - rho**2) * z[1]
    x, y = (
        calibration.counts(special.ndtr(v), mean=m, sd=s, longest=k)
        for v, (m, s, k) in zip(z, (one, other), strict=True)
    )
    assert (
        abs(np.corrcoef(x, y)[0, 1] - 0.6) < 0.01
    )  # heavy tails: standard error about .002 over a million, plus the cut
    assert abs(x.mean() - 8.32) < 0.06 and abs(y.mean() - 3.84) < 0.04
    with pytest.raises(InvalidInput):
        calibration.latent_correlation(target=0.999, one=one, other=(0.1, 1.0, 50))
    with pytest.raises(InvalidInput):
        calibration.latent_correlation(target=-0.2, one=one, other=other)


def test_mean_of_a_count_given_a_correlated_normal() -> None:
    rng = np.random.default_rng(2)
    z = rng.standard_normal(400_000)
    own = -0.5 * z + np.sqrt(0.75) * rng.standard_normal(len(z))
    days = calibration.counts(special.ndtr(own), mean=3.84, sd=8.0, longest=112)
    for value in (-1.0, 0.0, 1.5):
        near = np.abs(z - value) < 0.05
        found = calibration.mean_given(np.array([value]), correlation=-0.5, mean=3.84, sd=8.0, longest=112)[0]
        # Standard error of the local mean: spread of days over the root of its number.
        assert abs(days[near].mean() - found) < 4 * days[near].std() / np.sqrt(near.sum())


def test_count_table_is_the_negative_binomial() -> None:
    table = calibration.count_table(3.84, 8.0, 112)
    size = 3.84**2 / (64 - 3.84)
    draws = stats.nbinom(size, size / (size + 3.84))
    np.testing.assert_allclose(table[:-1], draws.cdf(np.arange(112)), rtol=1e-12)  # the same formula in scipy
    with pytest.raises(InvalidInput):
        calibration.count_table(4.0, 1.0, 100)


@given(st.integers(1, 60), st.floats(0, 1), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_top_share_draws_exactly_the_share(n: int, share: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    chosen = calibration.top_share(log_odds=rng.normal(size=n), noise=rng.logistic(size=n), share=share)
    assert chosen.sum() == round(share * n)


def test_expected_share_keeps_odds_and_share() -> None:
    rng = np.random.default_rng(4)
    x = rng.standard_normal(200_000)
    chosen = calibration.expected_share(log_odds=0.8 * x, noise=rng.logistic(size=len(x)), share=0.2)
    assert abs(chosen.mean() - 0.2) < 0.004  # four standard errors
    fit = sm.Logit(chosen.astype(float), sm.add_constant(x)).fit(disp=0)
    assert abs(fit.params[1] - 0.8) < 0.03
    flat = np.zeros(10)
    assert calibration.expected_share(log_odds=flat, noise=flat, share=1.0).all()
    assert not calibration.expected_share(log_odds=flat, noise=flat, share=0.0).any()
    with pytest.raises(InvalidInput):
        calibration.top_share(log_odds=flat, noise=flat, share=1.2)


def test_streams_are_repeatable_and_apart() -> None:
    first, again, other = (calibration.stream(3, topic).random(4) for topic in ("a", "a", "b"))
    assert (first == again).all() and not (first == other).any()
    assert not (first == calibration.stream(4, "a").random(4)).any()


# ------------------------------------------------------------------ absence by day
@given(st.lists(st.integers(0, 112), min_size=1, max_size=30), st.integers(0, 999), st.floats(0, 1))
@settings(max_examples=80, deadline=None)
def test_day_pattern_holds_the_days_and_spells_apart(days: list[int], seed: int, split: float) -> None:
    wanted = np.array(days)
    pattern = absence.day_pattern(wanted, working_days=120, split=split, rng=np.random.default_rng(seed))
    assert pattern.shape == (len(days), 120)
    assert (pattern.sum(axis=1) == wanted).all()
    everything = absence.in_window(pattern, start=np.zeros_like(wanted), stop=np.full_like(wanted, 120))
    assert (everything[0] == wanted).all()
    assert ((everything[1] == 0) == (wanted == 0)).all()
    assert (everything[1] <= 1 + absence.SPELLS_MOST).all() and (everything[1] <= wanted).all()
    if split == 0:
        assert (everything[1] == (wanted > 0)).all()


def test_every_stretch_holds_its_share_of_the_days() -> None:
    rng = np.random.default_rng(5)
    days = calibration.counts(rng.random(60_000), mean=3.84, sd=8.0, longest=112)
    pattern = absence.day_pattern(days, working_days=120, split=0.15, rng=rng)
    by_week = pattern.mean(axis=0).reshape(24, 5).mean(axis=1)
    inner = by_week[2:-2]
    # Long spells cannot begin near the end, so the edges are thinner; half of the period must hold half of the days.
    assert abs(pattern[:, :60].sum() / pattern.sum() - 0.5) < 0.01
    assert inner.max() / inner.min() < 1.25


def test_half_days_never_fall_below_a_day_a_spell() -> None:
    days, spells = np.array([0.0, 1, 2, 2, 5]), np.array([0.0, 1, 1, 2, 1])
    flagged = np.ones(5, dtype=bool)
    np.testing.assert_array_equal(absence.half_days(days, spells, flagged), [0, 1, 1.5, 2, 4.5])
    np.testing.assert_array_equal(absence.half_days(days, spells, ~flagged), days)


def test_thinning_takes_the_stated_share() -> None:
    days = np.full(100_000, 10)
    kept = absence.thinned(days, chance=np.full(len(days), 0.7), rng=np.random.default_rng(0))
    assert abs(kept.mean() - 7) < 0.02  # four standard errors of .0046
    assert (kept <= days).all()


def test_starters_absence_matches_a_simulation() -> None:
    a = overridden(load_assumptions(), {"programme.uptake_wellbeing_log_odds": 1.0})
    rng = np.random.default_rng(6)
    n, rho = 400_000, -0.4
    wellbeing = rng.standard_normal(n)
    own = rho * wellbeing + np.sqrt(1 - rho**2) * rng.standard_normal(n)
    days = calibration.counts(special.ndtr(own), mean=3.84, sd=8.0, longest=112)
    log_odds = wellbeing + a.programme.uptake_team_sd * rng.standard_normal(n)
    starts = calibration.expected_share(log_odds=log_odds, noise=rng.logistic(size=n), share=0.2)
    found = programme.starters_absence(absence=a.absence, programme=a.programme, correlation=rho, longest=112)
    assert found < 3.0  # starters are better off, so the ratio matters
    assert abs(days[starts].mean() - found) < 0.08  # four standard errors of .02


def test_effects_that_cannot_be_are_refused() -> None:
    with pytest.raises(InvalidInput, match="cannot pass through the starters"):
        drawn(1, changes={"effects.absence_days": -2.0})
    worse = drawn(1, changes={"effects.absence_days": 1.0}).people
    assert (
        worse.loc[worse["treatment"] == 1, "endline_illness_days"].mean()
        > worse.loc[worse["treatment"] == 0, "endline_illness_days"].mean()
    )


# ------------------------------------------------------------------ assumptions
def project_with(tmp_path: Path, old: str, new: str) -> Path:
    for name in ("data/plan", "data/published"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    path = tmp_path / FILE
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('icc = { value = 0.1, source = "P24"', 'icc = { value = 0.1, source = "P999"', "absence.icc"),
        ('icc = { value = 0.1, source = "P24"', 'icc = { value = "high", source = "P24"', "absence.icc"),
        ("icc = { value = 0.1,", "icd = { value = 0.1,", "absence.icc|absence.icd"),
        (
            'female_share = { value = 0.82, source = "assumed", note = "" }',
            "female_share = { value = 0.82 }",
            "people.female_share",
        ),
        ("kent = 430", "kent = 431", "authority_sizes"),
        ("kent = 430", "solihull = 430", "authority_sizes"),
        ('no_spells_authorities = { value = ["greenwich"', 'no_spells_authorities = { value = ["atlantis"', "atlantis"),
        ('factor = "cognitive", loading = 0.90', 'factor = "cognition", loading = 0.90', "items.happiness"),
        ("loading = 0.90, specific = 0.0", "loading = 0.90, specific = 0.9", "items.happiness"),
        ("[coffee]", "[tea]", "coffee"),
        ("[effects]", "[extra]\n[effects]", "extra"),
    ],
)
def test_wrong_assumptions_are_refused_by_name(tmp_path: Path, old: str, new: str, place: str) -> None:
    with pytest.raises(PlanError, match=place):
        load_assumptions(project_with(tmp_path, old, new))


def test_missing_assumptions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="does not exist"):
        load_assumptions(tmp_path)


def test_every_assumption_has_a_source() -> None:
    raw = tomllib.loads((PROJECT / FILE).read_text(encoding="utf-8"))
    entries = {f"{section}.{key}": entry for section, table in raw.items() for key, entry in table.items()}
    assert len(entries) > 90
    assert all(set(entry) == {"value", "source", "note"} for entry in entries.values())
    sources = {entry["source"].split(":")[0] for entry in entries.values()}
    assert {"assumed", "document", "P24"} <= sources


def test_overrides_change_one_value_only() -> None:
    a = load_assumptions()
    b = overridden(a, {"absence.icc": 0.02, "effects.wellbeing_sd": 0.3})
    assert (b.absence.icc, b.effects.wellbeing_sd, a.absence.icc) == (0.02, 0.3, 0.1)
    assert b.people is a.people and isinstance(b, Assumptions)
    for wrong in ("absence.luck", "luck.icc", "plan.seed", "icc"):
        with pytest.raises(PlanError):
            overridden(a, {wrong: 1.0})


# ------------------------------------------------------------------ files
def test_workbooks_of_the_same_content_are_the_same_bytes() -> None:
    rows = [["A", 1, 2.5, dt.date(2019, 7, 8), None]]
    sheet = Sheet(name="Return", above=[["note"], [None]], headings=list("abcde"), rows=rows)
    about = {"title": "t", "subject": "s", "description": "d", "written": dt.date(2020, 1, 2)}
    first = workbook_bytes(sheet=sheet, **about)
    assert first == workbook_bytes(sheet=sheet, **about)
    assert first != workbook_bytes(sheet=sheet, **about | {"title": "other"})
    book = openpyxl.load_workbook(io.BytesIO(first))
    page = book["Return"]
    assert [cell.value for cell in page[3]] == list("abcde")
    assert [cell.value for cell in page[4]] == ["A", 1, 2.5, dt.datetime(2019, 7, 8), None]
    assert page["D4"].is_date and book.properties.modified == dt.datetime(2020, 1, 2)


values = st.one_of(
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.dates(),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12),
    st.floats(-1e6, 1e6).map(lambda x: float(f"{x:.6g}")),
)
keys = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=8)
tables = st.recursive(
    st.dictionaries(keys, values | st.lists(st.integers(0, 9), max_size=3), max_size=4),
    lambda inner: st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)


@given(tables)
@settings(max_examples=120, deadline=None)
def test_toml_reads_back_as_written(table: dict) -> None:
    assert tomllib.loads(toml_text(table, above="a note\nin two lines")) == table


def test_toml_has_no_form_for_nothing() -> None:
    with pytest.raises(TypeError):
        toml_text({"a": None})


def test_frames_keep_their_people_in_one_order(draw: TrialDraw) -> None:
    assert draw.people.index.equals(pd.RangeIndex(1315)) and draw.answers.index.equals(draw.people.index)
    keys = list(zip(draw.people["local_authority"], draw.people["team_id"], draw.people["staff_id"], strict=True))
    assert keys == sorted(keys)
