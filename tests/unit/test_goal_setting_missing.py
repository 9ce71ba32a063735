"""What gets lost between the authorities and the analysis stops nothing: every row of the whole trial is there, with its
reason where it has no number, and every sentence, table and figure of the chapter is made.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from functools import cache, partial

import joblib
import matplotlib.pyplot as plt
import pandas as pd
import pytest
from lost_parts import LOSSES
from presented import _arguments
from small_plans import few_draws

from hhp_stats.intake.trial import Trial
from hhp_stats.plan.conduct import check_deviations, differences, load_commitments, load_deviations
from hhp_stats.plan.load import load_plan
from hhp_stats.present import embed
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.goal_setting import FIGURES, SENTENCES, TABLES
from hhp_stats.present.marks import shown
from hhp_stats.present.stand_in import HEAD, drawn_or_said, stand_in
from hhp_stats.results.frame import not_estimated, result_frame, row_of
from hhp_stats.studies.estimators import resampling
from hhp_stats.studies.goal_setting import allocation, arm_balance, multiplicity
from hhp_stats.studies.goal_setting.analyse import analyse
from hhp_stats.synthetic.assumptions import load_assumptions
from hhp_stats.synthetic.simulate import simulate_trial

FAST = (
    "people who vanish",
    "an authority without an endline",
    "no absence before",
    "no answers at t2 of anybody",
    "time pressure not answered at t1",
)
# A number that does not exist, and counts of nothing, in a sentence.
NO_SENTENCE = re.compile(r"\u2014|\bnan\b|\binf\b|\b(?:the|all) (?:no|one) (?:ways|outcomes|differences)\b")


@pytest.fixture(scope="module")
def run(root):
    """From people to the report of the chapter, with few draws: the same trial whatever of it is lost."""
    plan = few_draws(load_plan(root, "goal_setting"))
    drawn = simulate_trial(11, n_people=600, effect=-0.5, nonresponse=True, assumptions=load_assumptions())
    returned = [
        {
            "local_authority": site.local_authority,
            "wave": wave,
            "retrieved": day,
            "rows": -1,
            "path": f"{site.slug}/{wave}",
        }
        for site in plan.sites
        for wave, day in (("baseline", "2019-05-01"), ("interim", "2019-10-02"), ("endline", "2020-02-03"))
    ]
    counts = dict.fromkeys(("people", "responses", "consented", "used", "matched"), 600)
    about = {"local_authority": plan.sites[0].local_authority, "treatment": 1.0, "duplicates": 0, "unmatched": 0}
    nothing = pd.DataFrame()
    trial = partial(
        Trial,
        study="goal_setting",
        teams=drawn.teams,
        inputs=pd.DataFrame(returned),
        problems=nothing,
        corrections=nothing,
        tolerances=nothing,
        linkage=pd.DataFrame([{"wave": wave, **about, **counts} for wave in ("baseline", "endline")]),
        draws=pd.DataFrame(
            [{"draw": 1, "p_role": 0.31, "p_service": 0.57, "accepted": True, "agrees": True, "note": ""}]
        ),
    )

    @cache  # nobody edits a report
    def report(loss) -> StudyReport:
        output = analyse(trial(people=loss(drawn.people)), plan)
        return StudyReport(root=root, plan=plan, output=output, document="report/02-goal-setting.qmd")

    with pytest.MonkeyPatch.context() as patched, joblib.parallel_config(n_jobs=1):
        for module, name, value in (
            (multiplicity, "DRAWS", 99),
            (resampling, "DRAWS", 99),
            (arm_balance, "DRAWS", 99),
            (allocation, "PROBABILITY_DRAWS", 50),
        ):
            patched.setattr(module, name, value)
        # A simulated trial has no lists to tell whom a number counts from.
        patched.setattr("hhp_stats.studies.goal_setting.analyse.row_members", lambda *_, **__: {})
        patched.setattr(embed, "svg_bytes", lambda figure: (plt.close(figure), b"drawing")[1])
        patched.setattr(embed.Path, "write_bytes", lambda *_: None)
        patched.setattr(embed.Path, "replace", lambda *_: None)
        yield report


@pytest.fixture(scope="module")
def whole(run, goal_setting_report: StudyReport) -> StudyReport:
    """The trial of which parts are lost: of the same people and plan."""
    return goal_setting_report


def made(report: StudyReport) -> dict[str, str]:
    """What each presenter of the chapter gives, or the failure it ended with."""
    found = {}
    for kind, registry in {"say": SENTENCES, "table": TABLES, "figure": FIGURES}.items():
        for name, function in registry.items():
            for arguments in _arguments(function, report):
                call = partial(shown, function, report, *arguments)
                if kind == "figure":
                    call = partial(drawn_or_said, call, root=report.root, document="", label=lambda name=name: name)
                try:
                    given = call()
                    wrong = kind == "say" and NO_SENTENCE.search(str(given))
                    found[f"{kind} {name} {arguments}"] = f"failed: {given}" if wrong else type(given).__name__
                except Exception as error:
                    found[f"{kind} {name} {arguments}"] = f"failed: {type(error).__name__}: {error}"
    return found


@pytest.mark.parametrize(
    "name", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in LOSSES]
)
def test_what_is_lost_has_its_reason_and_stops_nothing(run, whole, name):
    report = run(LOSSES[name])
    before, after = whole.output.results, report.output.results
    assert sorted(set(before["result_id"]) - set(after["result_id"])) == []
    lacking = after.loc[after["status"] == "not_estimated"]
    assert lacking["note"].str.len().min() > 10 and lacking["estimate"].isna().all()
    assert {key: each for key, each in made(report).items() if each.startswith("failed")} == {}
    # What these data do not allow to be done as planned is no departure from the plan.
    root, study = report.root, report.plan.study
    planned = [entry for entry in load_commitments(root) if entry.study == study]
    check_deviations(differences(planned, report.output.conduct), load_deviations(root), study=study)


def test_those_who_vanish_stay_in_the_trial_and_are_imputed_for_the_others(run, whole):
    report = run(LOSSES["people who vanish"])
    randomised, lost = (
        [int(flow.loc[flow["label"] == label, "people"].sum()) for flow in (whole.table("flow"), report.table("flow"))]
        for label in ("Randomised", "No endline record")
    )
    sites = len(report.plan.sites)
    assert randomised[0] == randomised[1] and lost[1] == lost[0] + sites
    model = report.table("imputation_model")
    everybody = (model["variable"] == "left") & ~model["set"].str.endswith("/spells")
    assert everybody.any() and model.loc[everybody, "gaps"].eq(sites).all()
    known = [int(each.row("turnover/itt/linear")["n"]) for each in (whole, report)]
    assert known[0] - known[1] == sites  # of leaving nothing is known of them; nobody is taken to have stayed


def test_of_an_authority_without_an_endline_no_outcome_is_known_of_anybody(run, whole):
    report = run(LOSSES["an authority without an endline"])
    first = report.plan.sites[0].local_authority
    lines = [each.lines("attrition", by="label")[first] for each in (whole, report)]
    assert lines[0]["outcome"] > 0.5 and lines[1]["outcome"] == 0 and pd.isna(lines[1]["left"])
    # The others are analysed as before: intention to treat, among those whose outcome is known.
    assert report.row("sickness_absence/itt/cr1")["status"] == "estimated"


# ---------------------------------------------------------------- what the unknown could change
def test_bounds_of_what_is_not_known_count_everybody_and_set_it_to_both_ends(run, whole):
    report = run(LOSSES["an authority without an endline"])
    for key, highest in (("turnover", 1.0), ("sickness_absence", 120.0)):
        rows = {end: report.row(f"{key}/{end}/worst-case") for end in ("itt", "lower_bound", "upper_bound")}
        arms = {arm: report.row(f"{key}/mean_{arm}/raw") for arm in ("control", "treatment")}
        sizes = {label: line["people"] for label, line in report.lines("attrition", by="label").items()}
        everyone = {arm: sizes[label] for arm, label in report.plan.design.arm_labels.items()}
        # By hand: the known sum, and those not known at one end or the other.
        ends = {
            arm: [
                (row["n"] * row["estimate"] + (everyone[arm] - row["n"]) * end) / everyone[arm]
                for end in (0.0, highest)
            ]
            for arm, row in arms.items()
        }
        assert rows["lower_bound"]["estimate"] == pytest.approx(ends["treatment"][0] - ends["control"][1], abs=1e-9)
        assert rows["upper_bound"]["estimate"] == pytest.approx(ends["treatment"][1] - ends["control"][0], abs=1e-9)
        assert rows["itt"]["n"] == sum(everyone.values()) > sum(row["n"] for row in arms.values())
    said = str(shown(SENTENCES["unknown_outcomes"], report))
    known = sum(report.row(f"turnover/mean_{arm}/raw")["n"] for arm in ("control", "treatment"))
    assert f"Turnover is known for {known} of 600 people. Whatever it was for the others" in said
    assert "so what is not known could reverse the direction" in said
    # Of the whole trial everybody's leaving is known: the row says so, and so does the sentence.
    row = whole.row("turnover/itt/worst-case")
    assert row["status"] == "not_estimated" and row["note"].startswith("NothingUnknown: turnover is known for everyone")
    said = str(shown(SENTENCES["unknown_outcomes"], whole))
    assert "Turnover is known for everyone, so that nothing unknown can change it." in said
    assert "Sickness absence is known for" in said
    table = shown(TABLES["unknown_outcomes"], whole).as_raw_html()
    assert "Turnover: Turnover is known for everyone" in table and "Whatever the others are" in table


def test_so_few_unknown_that_their_number_is_withheld_have_the_most_that_they_could_change(run, whole):
    frame = whole.output.results
    own = frame["result_id"].str.fullmatch(r"goal_setting/turnover/(itt|lower_bound|upper_bound)/worst-case")
    frame = frame.assign(status=frame["status"].mask(own, "withheld"))
    report = replace(whole, output=replace(whole.output, results=frame))
    lines = report.lines("attrition", by="label")
    most = sum(100 * 5 / lines[label]["people"] for label in report.plan.design.arm_labels.values())
    said = str(shown(SENTENCES["unknown_outcomes"], report))
    assert f"Fewer than 5 in each arm could move the difference by less than {most:.1f} percentage points." in said


# ---------------------------------------------------------------- what stands in for what cannot be shown
def lacking_row():
    row = not_estimated(
        result_id="a/b/itt/ols",
        reason="NoObservations: nobody answered",
        population="all",
        contrast="x minus y",
        method="ols",
        analysis="planned",
        clause="",
        source="x.y",
    )
    return result_frame([row])


def sentence(frame: pd.DataFrame) -> str:
    row = row_of(frame, "a/b/itt/ols")
    return {"estimated": "it is there"}[str(row["status"])]


def test_a_sentence_about_what_is_lacking_says_why_and_a_fault_stays_a_fault():
    assert shown(sentence, lacking_row()) == f"({HEAD}. Nobody answered.)"

    def fault() -> str:
        raise KeyError("a slip of the pen")

    with pytest.raises(KeyError):
        shown(fault)
    with pytest.raises(KeyError):  # what is shown of it cannot be told: neither a sentence nor a table
        shown(lambda: sentence(lacking_row()))


def test_a_table_of_what_is_lacking_has_the_reason_as_its_line():
    def table() -> GT:  # noqa: F821  read as text
        raise AssertionError

    found = stand_in(table, ["nobody <b>answered</b>"])
    assert "Nobody" in found.as_raw_html() and "<b>" not in found.as_raw_html()
    assert "GT" in inspect.signature(table).return_annotation
