"""The trial's own tables with few people in them: small counts are gone from all of them, and cannot be worked out."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from hhp_stats.errors import HhpError
from hhp_stats.intake.load import load_trial
from hhp_stats.plan.load import load_plan
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.data_appendix import DataAppendix
from hhp_stats.present.goal_setting import figures, sentences, tables
from hhp_stats.present.goal_setting.disclosed import _Counts, disclosed
from hhp_stats.present.numbers import WITHHELD, withheld
from hhp_stats.present.release import notice, read_release
from hhp_stats.results import ResultRow, result_frame
from hhp_stats.studies.goal_setting import allocation
from hhp_stats.studies.goal_setting.analyse import _tables
from hhp_stats.studies.goal_setting.sample import build_sample
from hhp_stats.studies.output import StudyOutput

COUNTED = {
    "flow": ["people"], "uptake": ["people", "of"], "attrition": ["people"], "attrition_wellbeing": ["people"],
    "absence_distribution": ["people"], "modules": ["people"], "strata": ["people_control", "people_treatment"],
    "missingness": ["missing"],
}  # fmt: skip


@pytest.fixture(scope="module")
def plan(root):
    return load_plan(root, "goal_setting")


@pytest.fixture(scope="module")
def trial(root):
    return load_trial(root)


def output_of(trial, plan):
    sample = build_sample(trial, plan)
    made = _tables(trial, sample, plan, pd.DataFrame())
    row = ResultRow(
        result_id="goal_setting/balance/omnibus/randomised", study="goal_setting", outcome="balance", estimand="omnibus",
        population="randomised", contrast="", method="", analysis="planned", estimate=1.0, df=3.0, statistic=1.0, p_value=0.8,
        n=10, status="descriptive", source="test", clause="P17",
    )  # fmt: skip
    return StudyOutput(study="goal_setting", results=result_frame([row]), conduct=(),
                       tables={**made, "strata": allocation.strata_table(trial)})  # fmt: skip


@pytest.fixture(scope="module")
def small(trial, plan):
    """Every eighth team of the trial: authorities with a handful of people in each cell."""
    teams = trial.teams.iloc[::8]
    people = trial.people.loc[trial.people["team_id"].isin(teams["team_id"])].reset_index(drop=True)
    return output_of(replace(trial, people=people, teams=teams), plan)


@pytest.fixture(scope="module")
def safe(small, plan, root):
    return disclosed(small, plan, root)


def test_no_small_count_is_left_in_any_table(safe, small, plan):
    before = 0
    for name, columns in COUNTED.items():
        for column in columns:
            before += int(small.tables[name][column].between(1, plan.disclosure.threshold - 1).sum())
            for value in safe.output.tables[name][column]:
                assert withheld(value) or value == 0 or value >= plan.disclosure.threshold, (name, column, value)
    assert before > 25, "the tables must hold small counts for this test to mean anything"
    assert {"flow", "uptake", "attrition", "strata", "balance"} <= set(safe.register["table"])
    assert set(safe.register["reason"]) == {"primary", "secondary"}


def test_shares_go_with_their_counts(safe):
    for name, count, share in (
        ("uptake", "people", "share"),
        ("modules", "people", "share"),
        ("absence_distribution", "people", "share"),
    ):
        table = safe.output.tables[name]
        assert [withheld(value) for value in table[count]] == [withheld(value) for value in table[share]], name
    balance = safe.output.tables["balance"]
    for row in balance.loc[balance["kind"] == "level"].to_dict("records"):
        hidden = withheld(row["mean_control"]), withheld(row["mean_treatment"])
        # With one arm's share, the difference would give the other one.
        assert withheld(row["std_difference"]) == any(hidden)


def test_small_counts_of_the_whole_system_have_more_than_one_value(safe, small, plan):
    """Against the sums between all tables, by linear programming for each small count that is unknown."""
    counts = _Counts(small.tables, plan).system
    hidden = {(row.row, row.column) for row in safe.register.itertuples()}
    unknown = [key for key in counts.counts if key not in counts.printed or (key.row, key.column) in hidden]
    place = {key: at for at, key in enumerate(unknown)}
    rows, right = np.zeros((len(counts.sums), len(unknown))), np.zeros(len(counts.sums))
    for line, each in enumerate(counts.sums):
        for sign, key in [(1.0, each.total), *((-1.0, part) for part in each.parts)]:
            if key in place:
                rows[line, place[key]] += sign
            else:
                right[line] -= sign * counts.counts[key]
    bounds = [(1 if key in counts.printed else 0, None) for key in unknown]
    checked = 0
    for key in unknown:
        if not 0 < counts.counts[key] < plan.disclosure.threshold:
            continue
        goal = np.zeros(len(unknown))
        goal[place[key]] = 1.0
        ends = [linprog(sign * goal, A_eq=rows, b_eq=right, bounds=bounds, method="highs") for sign in (1.0, -1.0)]
        highest = np.inf if ends[1].status == 3 else -ends[1].fun
        assert highest - ends[0].fun > 0.5, key  # whole numbers: half a person apart is one person apart
        checked += 1
    assert checked > 40


def test_the_pages_print_the_mark_and_no_number_in_its_place(safe, plan, root, tmp_path):
    report = StudyReport(root=tmp_path, plan=plan, output=safe.output, document="report/x.qmd")
    for name in ("uptake", "attrition", "attrition_wellbeing", "balance", "reliability"):
        html = tables.TABLES[name](report).as_raw_html()
        where = safe.output.tables[name]
        assert (WITHHELD in html) == bool((where == WITHHELD).any(axis=None)), name
        assert "nan" not in html
    flow = figures.flow(report)
    hidden = int((safe.output.tables["flow"]["people"] == WITHHELD).sum())
    assert hidden > 2 and flow.alt.count(WITHHELD) == hidden and WITHHELD in flow.caption
    spread = figures.absence_distribution(report)
    assert f"days {WITHHELD}" in spread.alt and "withheld" in spread.caption
    for name in ("sample", "followed", "uptake", "recall", "balance"):
        said = sentences.SENTENCES[name](report)
        assert WITHHELD not in said and "nan" not in said
    assert "withheld" in sentences.uptake(report)


def test_the_appendix_registers_every_place(safe, plan, tmp_path, project):
    report = StudyReport(root=project, plan=plan, output=safe.output, document="report/C-data.qmd")
    appendix = DataAppendix(report=report, register=safe.register, internal=False)
    html = appendix.suppressed().as_raw_html()
    assert html.count("Strata") == int((safe.register["table"] == "strata").sum())
    assert "primary" not in html and "small" not in html  # which of them are small is not told
    figure = appendix.missingness()
    assert "Endline survey: " in figure.alt and "withheld for" in figure.alt
    items = appendix.items("baseline").as_raw_html()
    assert (
        "%" in items
        and "." not in re.sub(r"<style.*?</style>|<[^>]+>", "", items, flags=re.S).split("%")[0].split("missing")[-1]
    )


def test_the_release_itself_is_protected(trial, plan, root):
    whole = output_of(trial, plan)
    found = disclosed(whole, plan, root)
    uptake = found.output.tables["uptake"].set_index("key")
    assert whole.tables["uptake"].set_index("key").loc["crossed", "people"] == 2
    assert uptake.loc["crossed", "people"] == WITHHELD and uptake.loc["started", "people"] == 128
    again = disclosed(whole, plan, root)
    pd.testing.assert_frame_equal(found.register, again.register)


def test_switched_off_everything_is_printed_under_a_mark(small, plan, project):
    manifest = project / "data/manifest.toml"
    text = manifest.read_text(encoding="utf-8")
    assert not read_release(project).internal and "not for publication" not in notice(project)
    for value in ('"Off"', "false", '"no"'):  # a typing error keeps the protection
        manifest.write_text(f"disclosure = {value}\n{text}", encoding="utf-8")
        assert not read_release(project).internal
    manifest.write_text(f'disclosure = "off"\n{text}', encoding="utf-8")
    found = disclosed(small, plan, project)
    assert found.internal and found.register.empty and found.output is small
    assert "Internal: not for publication" in notice(project) and "Synthetic data" in notice(project)
    report = StudyReport(root=project, plan=plan, output=found.output, document="report/C-data.qmd")
    assert "switched off" in DataAppendix(report=report, register=found.register, internal=True).withheld()


def test_tables_that_contradict_each_other_are_refused(small, plan, root):
    modules = small.tables["modules"].assign(people=small.tables["modules"]["people"] + [1, 0, 0, 0, 0, 0, 0])
    with pytest.raises(HhpError, match="started the course"):
        disclosed(replace(small, tables={**small.tables, "modules": modules}), plan, root)


def test_no_person_stands_in_the_appendix(trial, plan, root, project):
    """A correction's value, cell, person and reason, an id that might be a name, and the dates that were typed as text, are in the ledger's frame only."""
    line = {"id": "c1", "received_on": "2020-05-01", "study": "goal_setting", "wave": "endline", "authority": "Kent",
            "person": "canaryperson", "field": "illness_days", "old_value": "9871", "new_value": "9872",
            "reason": "<b>typed</b> twice", "file": "canaryfile", "cell": "Q4711", "ledger_line": 2}  # fmt: skip
    whole = output_of(replace(trial, corrections=pd.DataFrame([line])), plan)
    found = disclosed(whole, plan, root)
    report = StudyReport(root=project, plan=plan, output=found.output, document="report/C-data.qmd")
    appendix = DataAppendix(report=report, register=found.register, internal=False)
    html = "".join(
        table.as_raw_html()
        for table in (appendix.corrections(), appendix.tolerances(), appendix.fired(), appendix.linkage(), appendix.response(),
                      appendix.returns(), appendix.lists())
    )  # fmt: skip
    assert "illness_days" in html and "typed</b>" not in html and "typed&lt;" not in html and ">c1<" not in html
    typed = trial.tolerances.loc[trial.tolerances["habit"].str.startswith("a date typed"), "read_as"]
    assert len(typed) > 2
    for secret in (
        "canary",
        "9871",
        "9872",
        "Q4711",
        *trial.people["person"].head(50),
        *typed[trial.tolerances["field"] == "leaving_date"],
    ):
        assert secret not in html, secret
    assert appendix.corrected().startswith("1 correction was")
    assert "at least 99%" in appendix.matched()
