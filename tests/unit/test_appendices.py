"""The appendices, in this process: each cell of their tables and each number of their sentences is that of its row."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from presented import FIELDS, with_fields

from hhp_stats.plan.catalogue import study_names
from hhp_stats.plan.citations import known_clauses
from hhp_stats.plan.clauses import load_clause_status
from hhp_stats.plan.conduct import load_deviations
from hhp_stats.present.appendices import Appendix
from hhp_stats.present.marked_text import plain
from hhp_stats.present.numbers import interval, number, p_value
from hhp_stats.present.report_clauses import report_clauses
from hhp_stats.results.withheld import NOTE, decimals_kept

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def appendix(root, goal_setting_report):
    return Appendix(root=root, outputs={"goal_setting": goal_setting_report.output}, protocol="goal_setting")


def test_results_stand_in_the_column_of_their_field(appendix):
    table = replace(appendix, outputs={"goal_setting": with_fields(appendix.output)}).results("goal_setting")._tbl_data
    rows = appendix.everything
    assert len(table) == len(rows)
    expected = {
        "Estimate": number(FIELDS["estimate"], 3),
        "95% CI": interval(FIELDS["conf_low"], FIELDS["conf_high"], 3),
        "p": p_value(FIELDS["p_value"]),
        "n": "7,777",
    }
    for heading, text in expected.items():
        found = {cell for cell in table[heading].map(str) if any(sign.isdigit() for sign in cell)}
        assert found and all(text in cell for cell in found), (heading, found)


def test_an_estimate_that_is_published_rounded_shows_no_decimals_beyond(appendix):
    """Rounded so that nobody can be counted from it: a third decimal would be a nought that says nothing."""
    frame = appendix.everything.reset_index(drop=True)
    rows = frame.index[frame["estimate"].notna() & ~frame["result_id"].str.endswith("/count")][:2]
    frame.loc[rows, "estimate"] = [7.1, 7.1234]
    frame.loc[rows, "note"] = [f"By hand. {NOTE}n, and decimals beyond 2.", ""]
    output = replace(appendix.output, results=frame)
    shown = replace(appendix, outputs={"goal_setting": output}).results("goal_setting")._tbl_data["Estimate"]
    assert [re.sub(r"[^\d.]", "", plain(str(shown.iloc[at]))) for at in rows] == ["7.10", "7.123"]
    assert decimals_kept(str(frame.loc[rows[0], "note"])) == 2 and decimals_kept("all its numbers") is None


def test_a_deviation_shows_the_planned_estimate_and_the_one_made_instead(root, appendix):
    chosen = [
        one for one in load_deviations(root) if one.planned_result and one.done_result and one.study == "goal_setting"
    ]
    ids = set(appendix.output.results["result_id"])
    chosen = [one for one in chosen if {one.planned_result, one.done_result} <= ids]
    assert chosen
    for one in chosen:
        frame = appendix.output.results.copy()
        for result_id, value in ((one.planned_result, 1.25), (one.done_result, 7.75)):
            frame.loc[frame["result_id"] == result_id, ["estimate", "conf_low", "conf_high"]] = (
                value,
                value - 1,
                value + 1,
            )
            frame.loc[frame["result_id"] == result_id, "status"] = "estimated"
        table = (
            replace(appendix, outputs={"goal_setting": replace(appendix.output, results=frame)})
            .deviations()
            ._tbl_data.assign(Id=lambda cells: cells["Id"].map(plain))
            .set_index("Id")
        )
        row = table.loc[one.id].map(plain)
        planned, _, done = row["Planned, and done"].partition("Done: ")
        assert "1.25 (0.25 to 2.25)" in planned and "7.75 (6.75 to 8.75)" in done and "_" not in planned + done


def test_a_deviation_says_whether_it_was_decided_before_unblinding(root, appendix):
    cells = appendix.deviations()._tbl_data
    table = cells.assign(Id=cells["Id"].map(plain)).set_index("Id")["Reason"]
    first = {one.id: one for one in reversed(load_deviations(root))}
    for key, one in first.items():
        assert table[key].endswith("before unblinding." if one.before_unblinding else "after unblinding."), key


def test_the_run_is_counted(appendix):
    """Every row by its status: one that is withheld is no descriptive figure, and what failed need not be planned."""

    def said(*status: str) -> str:
        rows = appendix.output.results.head(len(status)).assign(status=list(status))
        tables = {**appendix.output.tables, "inputs": pd.DataFrame({"path": ["a", "b", "b"]})}
        return replace(
            appendix, outputs={"goal_setting": replace(appendix.output, results=rows, tables=tables)}
        ).counts()

    every = ["estimated"] * 4 + ["descriptive"] * 3 + ["withheld"] * 2 + ["not_estimated"]
    assert (
        said(*every) == "This run computed 10 results from 2 files: 4 estimates, 3 descriptive figures, 2 results"
        " withheld to protect a count of very few people and 1 estimate that the data do not allow."
    )
    assert (
        said("estimated", "descriptive")
        == "This run computed 2 results from 2 files: 1 estimate and 1 descriptive figure."
    )


@pytest.mark.parametrize("name", ["maxima", "versions"])
def test_tables_of_the_versions(appendix, name):
    table = getattr(appendix, name)(*(["sickness_absence"] if name == "versions" else []))._tbl_data
    assert len(table) > 5 and not table.astype("str").map(lambda text: "nan" in text).to_numpy().any()


def test_the_reported_maximum_comes_with_its_own_numbers(appendix):
    rows = appendix.output.tables["maxima"]
    table = appendix.maxima()._tbl_data
    for row, shown in zip(rows.to_dict("records"), table.to_dict("records"), strict=True):
        assert shown["Effect"].strip().startswith(number(row["estimate"], 3))
        assert (shown["Maximum"] == "reported") == bool(row["reported"])
        if row["reported"]:
            assert shown["p"] == p_value(row["p_value"])


def test_every_clause_without_a_fate_of_its_own_is_in_the_register_of_reports():
    """Each once, by study; results that cite it with planned ones first, conflicts and deviations about it."""
    results = pd.DataFrame(
        [
            {"result_id": "swing/sample/randomised/count", "clause": "R16 R06", "analysis": "descriptive"},
            {"result_id": "swing/response/itt/hc2", "clause": "R06", "analysis": "planned"},
            {"result_id": "mod_ing/response/itt/hc2", "clause": "R06", "analysis": "planned"},
            {"result_id": "mod_ing/burnout/itt/hc2", "clause": "R066", "analysis": "planned"},
        ]
    )
    rows = report_clauses(ROOT, results)._tbl_data.set_index("Clause")
    told = {entry.id for entry in load_clause_status(ROOT)}
    assert len(rows) == len(known_clauses(ROOT) - told) > 40 and set(rows.index) == known_clauses(ROOT) - told
    assert rows.loc["R06", "Results"] == "swing/response/itt/hc2, mod_ing/response/itt/hc2 and 1 more"
    assert rows.loc["R16", "Results"] == "swing/sample/randomised/count" and rows.loc["R08", "Results"] == "none"
    assert rows.loc["R27", "See"] == "C27, V-MOD-1" and rows.loc["R06", "of"] == "Several studies"
    assert all(text.endswith(".") for text in rows["What the report says"])


def test_a_clause_about_a_study_that_has_gone_is_not_in_the_register(monkeypatch):
    names = {key: name for key, name in study_names(ROOT).items() if key not in ("swing", "goal_setting")}
    monkeypatch.setattr("hhp_stats.present.report_clauses.study_names", lambda root: names)
    monkeypatch.setattr("hhp_stats.present.report_clauses.load_clause_status", lambda root: ())
    found = report_clauses(ROOT, pd.DataFrame(columns=["result_id", "clause", "analysis"]))._tbl_data
    assert "R10" in set(found["Clause"]) and not {"R16", "P54"} & set(found["Clause"])
