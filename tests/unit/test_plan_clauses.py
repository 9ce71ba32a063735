"""What became of each clause of the protocol: complete, consistent with plan and conflicts, or refused."""

from __future__ import annotations

import ast
import csv
import shutil
import tomllib
from pathlib import Path

import pytest

from hhp_stats.errors import PlanError
from hhp_stats.plan.book_sections import book_sections
from hhp_stats.plan.clauses import load_clause_status, plan_entry
from hhp_stats.plan.conflicts import load_conflicts, load_departures

ROOT = Path(__file__).parents[2]
STATUS = "data/plan/clause_status.toml"
PLAN = "data/plan/goal_setting.toml"


@pytest.fixture
def project(tmp_path):
    """A copy of the plan's files that a test may spoil."""
    for path in [*(ROOT / "data/plan").glob("*.toml"), ROOT / "data/published/protocol_clauses.csv"]:
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return tmp_path


def entry_text(project, clause):
    """The lines of one entry, to spoil just that one."""
    parts = (project / STATUS).read_text(encoding="utf-8").split("[[clause]]")
    return next(part for part in parts if f'id = "{clause}"' in part)


def spoil(project, clause, old, new):
    """Change one entry of the copy; it must hold `old`."""
    path, entry = project / STATUS, entry_text(project, clause)
    assert old in entry
    path.write_text(path.read_text(encoding="utf-8").replace(entry, entry.replace(old, new, 1)), encoding="utf-8")


def refusal(project):
    with pytest.raises(PlanError) as caught:
        load_clause_status(project)
    return caught.value


def test_every_clause_of_the_protocol_has_one_entry_and_no_other():
    with (ROOT / "data/published/protocol_clauses.csv").open(encoding="utf-8", newline="") as stream:
        protocol = [row["clause_id"] for row in csv.DictReader(stream) if row["clause_id"].startswith("P")]
    assert len(protocol) == 110
    assert [entry.id for entry in load_clause_status(ROOT)] == protocol


def test_conflicts_and_departures_of_every_clause_are_recorded():
    conflicts = {conflict.id for conflict in load_conflicts(ROOT)}
    departures = {departure.id: departure for departure in load_departures(ROOT)}
    entries = load_clause_status(ROOT)
    assert {name for entry in entries for name in entry.conflicts} <= conflicts
    named = {name for entry in entries for name in entry.departures}
    assert named == {name for name, departure in departures.items() if departure.study == "goal_setting"}


def test_statuses_have_their_grounds():
    entries = {entry.id: entry for entry in load_clause_status(ROOT)}
    assert entries["P55"].status == "conflict"
    assert entries["P43"].status == "not_done"
    assert "no items" in entries["P43"].note
    assert entries["P93"].status == "context"
    assert entries["P106"].departures[0] == "D45"
    assert all(
        entry.where for entry in entries.values() if entry.status == "done" and entry.section == "sec-gs-absence"
    )


def test_every_planned_analysis_serves_a_clause():
    """An analysis may cite a clause only if the clause is not mere context."""
    plan = tomllib.loads((ROOT / PLAN).read_text(encoding="utf-8"))
    status = {entry.id: entry.status for entry in load_clause_status(ROOT)}
    cited = {clause for analysis in plan["analyses"] for clause in analysis.get("clauses", ())}
    assert "P54" in cited
    assert {clause for clause in cited if status.get(clause, "context") in ("context", "not_done")} == set()


def test_what_the_plan_holds_is_shown_by_a_test_and_nothing_needs_one_without_reason():
    entries = {entry.id: entry for entry in load_clause_status(ROOT)}
    without = {
        name for name, entry in entries.items() if not entry.tests and entry.status not in ("context", "not_done")
    }
    assert without == {"P98", "P100"}  # the clocks after which data are destroyed: nothing here can show it


@pytest.mark.parametrize("test", sorted({test for entry in load_clause_status(ROOT) for test in entry.tests}))
def test_every_test_that_is_named_exists(test):
    file, function = test.split("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_survey_outcome_has_the_three_planned_analyses():
    """Clauses P72 to P76: wellbeing, its parts, the mediators and the dimensions, each with all three strategies."""
    plan = tomllib.loads((ROOT / PLAN).read_text(encoding="utf-8"))
    entries = {entry.id: entry for entry in load_clause_status(ROOT)}
    named = [path.removeprefix("outcomes.") for clause in ("P72", "P77") for path in entries[clause].where]
    assert {"happiness", "autonomy", "time_pressure"} <= set(named)
    planned = {
        (analysis["id"], analysis["missing_outcome"])
        for analysis in plan["analyses"]
        if analysis["kind"] == "planned" and "missing_outcome" in analysis
    }
    complete = {
        analysis["id"]
        for analysis in plan["analyses"]
        if analysis["population"] == "survey"
        and analysis["kind"] == "planned"
        and analysis["baseline_absence"] == "complete_cases"
    }
    for outcome in ("wellbeing", *named):
        assert f"{outcome}/itt/complete-cases" in complete
        assert (f"{outcome}/itt/heckman-ml", "selection") in planned
        assert (f"{outcome}/itt/imputed", "multiple_imputation") in planned


def test_every_section_is_a_heading_of_the_report():
    sections = book_sections(ROOT)
    for entry in load_clause_status(ROOT):
        assert sections[entry.section].file == "report/02-goal-setting.qmd"


def test_missing_entry_is_refused(project):
    path = project / STATUS
    path.write_text(path.read_text(encoding="utf-8").replace("[[clause]]" + entry_text(project, "P66"), ""), "utf-8")
    error = refusal(project)
    assert (error.file, error.place) == (STATUS, "clause P66")
    assert "no entry" in error.rule


@pytest.mark.parametrize(
    ("clause", "old", "new", "place", "says"),
    [
        ("P66", 'id = "P66"', 'id = "P366"', "clause P366", "does not exist"),
        ("P66", 'id = "P66"', 'id = "P65"', "clause P65", "twice"),
        ("P66", 'status = "done"', 'status = "finished"', "clause P66", "'finished'"),
        ("P66", 'status = "done"', 'status = "deviated"', "clause P66", "without a departure"),
        ("P66", 'status = "done"', 'status = "conflict"', "clause P66", "without a conflict"),
        ("P66", 'status = "done"', 'status = "not_done"', "clause P66", "without a reason"),
        ("P66", 'status = "done"', 'status = "context"', "clause P66", "the plan holds it"),
        ("P66", 'where = ["terms"]', 'where = ["terms.shoe_size"]', "clause P66", "'terms.shoe_size'"),
        ("P66", 'where = ["terms"]', 'where = "terms"', "clause P66", "'terms'"),
        ("P66", "sec-gs-absence", "sec-gs-weather", "clause P66", "'sec-gs-weather'"),
        ("P66", "conflicts = []", 'conflicts = ["C56"]', "clause P66", "C56"),
        ("P65", 'conflicts = ["C56"]', "conflicts = []", "clause P65", "C56"),
        ("P106", '"D45"', '"D99"', "clause P106", "'D99'"),
        ("P66", "commitment =", "promise =", "clause P66", "'promise'"),
        ("P66", "::test_changing", "::changing", "clause P66", "::changing"),
        ("P66", "test_plan_conduct.py::", "test_plan_conduct::", "clause P66", "as a test"),
        ("P66", "\ntests = [", "\n# tests = [", "clause P66", "without a test"),
    ],
)
def test_wrong_entry_is_refused(project, clause, old, new, place, says):
    spoil(project, clause, old, new)
    error = refusal(project)
    assert (error.file, error.place) == (STATUS, place)
    assert says in error.rule
    assert error.remedy


def test_missing_sections_are_refused(project):
    path = project / STATUS
    path.write_text(path.read_text(encoding="utf-8").replace("sections = [", "chapters = [", 1), encoding="utf-8")
    assert refusal(project).place == "sections"


def test_plan_entry_finds_tables_in_lists_by_name():
    plan = {
        "terms": [{"column": "role", "base": "student"}, {"column": "coffee"}],
        "analyses": [
            {"id": "absence/itt/cr1", "covariance": "CR1"},
            {"id": "absence/itt/cr1.5", "covariance": "CR1.5"},
        ],
        "power": {"absence": {"icc": 0.1}},
        "scenarios": [{"key": "cheap", "days": 1}],
        "clauses": ["P01"],
    }
    assert plan_entry(plan, "power.absence.icc") == 0.1
    assert plan_entry(plan, "terms.role.base") == "student"
    assert plan_entry(plan, "scenarios.cheap.days") == 1
    assert plan_entry(plan, "analyses.absence/itt/cr1.covariance") == "CR1"
    assert plan_entry(plan, "analyses.absence/itt/cr1.5.covariance") == "CR1.5"  # the longer id wins
    for path in ("power.turnover", "terms.role.levels", "clauses.P01", "power.absence.icc.unit", "analyses.absence"):
        with pytest.raises(KeyError) as caught:
            plan_entry(plan, path)
        assert caught.value.args == (path,)
