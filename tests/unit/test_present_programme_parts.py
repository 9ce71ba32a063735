"""Chapters 1 and 11 and appendix D: what their sentences claim follows from the printed figures and the results."""

import dataclasses
import math
import re
from pathlib import Path

import pytest

from hhp_stats.errors import HhpError, UnknownName
from hhp_stats.present import consistency, consistency_recomputed, discussion, programme
from hhp_stats.present.consistency_report import ConsistencyReport
from hhp_stats.present.programme import Programme
from hhp_stats.results.frame import Estimate, result_frame, write_results

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def con() -> ConsistencyReport:
    return consistency.chapter(root=ROOT)


@pytest.fixture(scope="module")
def hhp() -> Programme:
    return programme.chapter(root=ROOT)


# ---------------------------------------------------------------- appendix D
def test_worst_results_are_as_the_prose_has_them(con: ConsistencyReport) -> None:
    worth, bond = con.test("BEN-PSW-P"), con.test("MOD-CONN-P")
    said = {key: float(con.figures.row(key)["value"]) for key in ("BEN-PSW-DIR", "MOD-CONN-DIR")}
    assert (worth.direction, bond.direction) == ("lower", "lower") and set(said.values()) == {1.0}
    assert (worth.gap, worth.p, worth.in_hundred, worth.in_hundred_low) == ("0.08", ".57", "57", "50")
    assert float(worth.times) > 1 and worth.first_needed == "5.89"  # 5.61 + 1.966 * 0.1414
    # "A small difference the other way would fit": the gap the printed p asks for is smaller than the printed gap.
    assert float(bond.gap_needed) < float(bond.gap)


def test_printed_errors_of_the_first_experiment_are_below_the_least(con: ConsistencyReport) -> None:
    cells = con.rates()
    assert len(cells) == 4 and len({cell.printed for cell in cells}) == 1
    assert all(cell.std_error < cell.least < cell.binomial for cell in cells)
    # sqrt(.8422 * .1578): the spread of a single yes or no, by hand
    assert cells[0].yes_or_no == pytest.approx(0.36455, abs=5e-6)


def test_three_p_values_and_their_readings(con: ConsistencyReport) -> None:
    apart, ethnic, british = (con.test(key) for key in ("DIVJ-RQ3-P", "DIVJ-ME-P", "DIVJ-WB-P"))
    assert (apart.p, apart.p_tenfold, apart.p_decisions) == (".012", ".80", ".60")
    assert (ethnic.p_tenfold, british.p_tenfold) == (".022", ".013")
    assert ethnic.printed == british.printed == "<0.01"
    assert ethnic.p_decisions == british.p_decisions == "< .001"


def test_counts_add_up(con: ConsistencyReport) -> None:
    numbers = [
        int(con.say(key).replace(",", ""))
        for key in ("reproduces", "another_reading", "does_not_reproduce", "not_checkable")
    ]
    assert sum(numbers) == int(con.say("figures")) == len(con.verdicts)
    assert sum(numbers[:3]) == int(con.say("checked"))
    assert con.say("does_not_reproduce") in con.say("counts")


@pytest.mark.parametrize("name", sorted(set(consistency.TABLES) - {"every"}))
def test_tables_of_the_appendix(con: ConsistencyReport, name: str) -> None:
    html = con.table(name).as_raw_html()
    assert html.count("<tr") > 3 and "nan" not in re.sub(r"<[^>]+>", " ", html).lower().split()


def test_every_checkable_figure_is_shown_once(con: ConsistencyReport) -> None:
    source = (ROOT / "report/D-consistency.qmd").read_text(encoding="utf-8")
    shown = set(re.findall(r'con\.table\("every/(\w+)"\)', source))
    assert shown == set(con.verdicts.loc[con.verdicts["kind"] != "none", "trial"])


def test_all_conflicts_outside_the_goal_setting_trial_are_listed(con: ConsistencyReport) -> None:
    html = con.table("conflicts").as_raw_html()
    from hhp_stats.plan.conflicts import load_conflicts, load_departures

    others = [entry.id for entry in load_conflicts(ROOT) if entry.study != "goal_setting"]
    assert {f"C{n:02}" for n in range(1, 44)} <= set(others)
    assert all(f">{key}<" in html for key in others) and ">C55<" not in html
    departures = con.table("departures").as_raw_html()
    assert all((f">{d.id}<" in departures) == (d.study != "goal_setting") for d in load_departures(ROOT))


def test_unknown_names_are_refused(con: ConsistencyReport, hhp: Programme) -> None:
    for call in (
        lambda: con.table("no"),
        lambda: con.say("no"),
        lambda: con.test("no"),
        lambda: con.table("every/no"),
        lambda: hhp.table("no"),
        lambda: hhp.say("no"),
        lambda: hhp.conflict("no"),
        lambda: hhp.derived("no"),
        lambda: hhp.fact("no"),
    ):
        with pytest.raises(UnknownName):
            call()


# ---------------------------------------------------------------- chapter 1
def test_every_slot_is_a_printed_fact(hhp: Programme) -> None:
    for phase, studies in (("first", 3), ("second", 6)):
        table = hhp.studies(phase)
        assert table.count("\n|") == studies + 1 and "{" not in table.split("{#tbl-")[0]
    assert "1,315 people in 8 authorities (1,850 planned)" in hhp.studies("first")
    assert "1,969 people in 7 authorities; 428 answered" in hhp.studies("second")


def test_context_sentences(hhp: Programme) -> None:
    assert "0.90 and 2.39 points" in hhp.say("survey") and "lower" in hhp.say("survey")  # 21.34 - 20.44, 77.98 - 75.59
    assert "\u00a31,146 to \u00a32,063" in hhp.say("schwartz") and "57 to 103" in hhp.say("schwartz")
    assert "3,696 people were randomised" in hhp.say("totals") and "1,096" in hhp.say("totals")
    assert hhp.say("answered").startswith("21.7% in Beneficiaries, 23.3% in SWING and 35.5% in MoD-ING")


def test_schwartz_totals_are_recomputed(hhp: Programme) -> None:
    html = hhp.table("schwartz").as_raw_html()
    assert html.count("1,146") == 2 and html.count("2,063") == 2  # printed and recomputed
    assert "57 (56\u201359)" in html  # 1,145.5 / 20.5 and 1,146.5 / 19.5


def test_survey_change_in_standard_deviations(hhp: Programme) -> None:
    assert "\u22120.26" in hhp.table("survey").as_raw_html()  # -0.90 / sqrt((3.59^2 + 3.42^2) / 2) = -0.2567


# ---------------------------------------------------------------- chapter 11
def project(folder: Path, effects: dict[str, tuple[float, float]], *, conf_level: float = 0.95) -> Path:
    """A project with the real plans and planted effects (g, standard error) of studies; the letters' are in no tally."""
    folder.mkdir(exist_ok=True)
    (folder / "data").symlink_to(ROOT / "data")
    for key, (effect, error) in effects.items():
        study, outcome = key.split("/")
        made = Estimate(
            estimate=effect,
            std_error=error,
            df=math.inf,
            n=200,
            n_clusters=None,
            method="Hedges' g, total SD",
            conf_level=conf_level,
        )
        row = made.row(
            result_id=f"{study}/{outcome}/itt/hedges-g",
            population="",
            contrast="",
            analysis="exploratory",
            clause="",
            source="",
        )
        target = folder / ".report/results" / study
        target.mkdir(parents=True)
        write_results(result_frame([row]), target / "results.csv")
    return folder


def test_lower_burnout_counts_as_better(tmp_path: Path) -> None:
    side = discussion.chapter(root=project(tmp_path, {"swing/burnout": (-0.5, 0.1)}))
    row = side.effects.iloc[0]
    assert (row["estimate"], row["label"]) == (0.5, "Burnout")
    assert row["conf_low"] < row["estimate"] < row["conf_high"] and row["conf_low"] > 0
    assert "One is clearly different from no effect (one for the better);" in side.say("overview")
    assert "SWING on burnout (for the better)" in side.say("conclusion")


def test_no_clear_effect_is_said_to_be_none(tmp_path: Path) -> None:
    """Of two trials with published effects; the letters, whose effects are invented, are shown and not counted."""
    effects = {"swing": (0.1, 0.1), "mod_ing": (0.05, 0.1), "letters": (0.4, 0.1)}
    side = discussion.chapter(
        root=project(tmp_path, {f"{study}/subjective_wellbeing": effect for study, effect in effects.items()})
    )
    assert "None of the 2 effects in two trials is clearly different from no effect:" in side.say("overview")
    assert "The one pair of trials that count does not differ by more than chance explains." in side.say("compared")
    assert "Letters is not counted: its effects are invented." in side.say("overview")
    assert "no interval for wellbeing excludes it" in side.say("excluded")
    assert "none of 2 intervals exclude zero; grey with open marks" in side.figure().caption
    assert "invented effects, which are not counted" in side.figure().caption


def test_pairs_that_differ_are_counted(tmp_path: Path) -> None:
    side = discussion.chapter(
        root=project(tmp_path, {"swing/subjective_wellbeing": (-0.4, 0.1), "mod_ing/subjective_wellbeing": (0.4, 0.1)})
    )
    assert "one differs" in side.say("compared") and "SWING and MoD-ING" in side.table("pairs").as_raw_html()
    assert "excludes that effect in SWING" in side.say("excluded")


def test_chapter_11_calls_every_interval_by_the_level_of_its_rows(tmp_path: Path) -> None:
    """At 90%: headings, alternative text, and the level that p values are held against (p = .07 differs there)."""
    effects = {"swing/subjective_wellbeing": (0.25, 0.1), "mod_ing/subjective_wellbeing": (-0.01, 0.1)}
    usual = discussion.chapter(root=project(tmp_path / "usual", effects))
    wider = discussion.chapter(root=project(tmp_path / "wider", effects, conf_level=0.9))
    for side, own, other in ((usual, "95%", "90%"), (wider, "90%", "95%")):
        for name in ("effects", "pairs"):
            html = side.table(name).as_raw_html()
            assert f"{own} CI" in html and f"{other} CI" not in html
        assert own in side.figure().alt and other not in side.figure().alt
    assert "does not differ" in usual.say("compared") and "one differs" in wider.say("compared")
    assert usual.say("overview") != wider.say("overview")  # as many as chance makes leave out zero, at each level


def test_without_results_the_chapter_refuses(tmp_path: Path) -> None:
    with pytest.raises(HhpError, match="no trial has results"):
        discussion.chapter(root=project(tmp_path, {}))


def test_recomputed_quantities_have_no_exponents(con: ConsistencyReport, monkeypatch: pytest.MonkeyPatch) -> None:
    made = consistency_recomputed.recompute_relations(con.figures, con.relations)
    changed = [dataclasses.replace(made[0], value=123456.7), dataclasses.replace(made[1], value=0.0000123)]
    monkeypatch.setattr(consistency_recomputed, "recompute_relations", lambda *_: changed)
    text = con.table("rates").as_raw_html()
    assert "123,457" in text and "under 0.0001" in text and not re.search(r">[^<]*\de[+-]\d[^<]*</td>", text)
