"""Conflicts, departures and source documents: the data that ship, and what the loaders refuse."""

from __future__ import annotations

import csv
import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest

from hhp_stats.errors import PlanError
from hhp_stats.plan.conflicts import load_conflicts, load_departures, load_sources

ROOT = Path(__file__).parents[2]
CONFLICTS = "data/plan/conflicts.toml"
DEPARTURES = "data/plan/departures.toml"
SOURCES = "data/plan/sources.toml"


@pytest.fixture
def project(tmp_path):
    """A copy of the plan's files that a test may spoil."""
    shutil.copytree(ROOT / "data/plan", tmp_path / "data/plan")
    (tmp_path / "data/published").mkdir()
    shutil.copyfile(ROOT / "data/published/protocol_clauses.csv", tmp_path / "data/published/protocol_clauses.csv")
    return tmp_path


def spoil(project, file, old, new):
    """Replace the first `old` in a file of the copy; the original must hold it."""
    path = project / file
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{file} no longer holds {old!r}"
    path.chmod(0o644)
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def refusal(load, project):
    with pytest.raises(PlanError) as caught:
        load(project)
    assert caught.value.remedy  # a reader must be told what to do
    return caught.value


# ---------------------------------------------------------------- the data that ship
def test_every_conflict_and_departure_is_there_in_order():
    assert [conflict.id for conflict in load_conflicts(ROOT)] == [f"C{n:02d}" for n in range(1, 93)]
    assert [departure.id for departure in load_departures(ROOT)] == [f"D{n:02d}" for n in range(1, 54)]
    assert [document.code for document in load_sources(ROOT)] == ["000", "001", "002", "003", "004"]


def test_clauses_and_conflicts_name_each_other():
    with (ROOT / "data/published/protocol_clauses.csv").open(encoding="utf-8", newline="") as stream:
        printed = {
            (row["clause_id"], name)
            for row in csv.DictReader(stream)
            for name in row["conflicts_with"].split(";")
            if name
        }
    held = {(clause, conflict.id) for conflict in load_conflicts(ROOT) for clause in conflict.clauses}
    assert len(printed) > 100
    assert printed <= held


def test_what_is_used_and_what_else_is_run_are_short_enough_for_a_column_of_a_table():
    long = {(c.id, len(t)) for c in load_conflicts(ROOT) for t in (c.reading, c.sensitivity) if len(t) > 380}
    assert long == set()


def test_text_is_whole_sentences_without_line_breaks():
    texts = [(c.id, t) for c in load_conflicts(ROOT) for t in (c.finding, c.consequence, c.reading, c.sensitivity) if t]
    texts += [(d.id, t) for d in load_departures(ROOT) for t in (d.planned, d.done, d.consequence)]
    for name, text in texts:
        assert "\n" not in text
        assert "  " not in text, name
        assert text[0].isupper() or text[0].isdigit(), (name, text)
        assert text.endswith((".", '."')), (name, text)


def test_readings_that_change_the_primary_analysis():
    by_id = {conflict.id: conflict for conflict in load_conflicts(ROOT)}
    assert by_id["C56"].grade == "high"
    assert by_id["C56"].clauses == ("P55", "P65", "P67")
    assert {"000:337", "000:352", "000:356"} <= set(by_id["C56"].sources)
    assert "CR2" in by_id["C56"].sensitivity
    assert by_id["C57"].study == "goal_setting"


def test_every_decision_of_a_plan_is_a_conflict_that_is_recorded():
    known = {conflict.id for conflict in load_conflicts(ROOT)}
    cited = {}
    for path in sorted((ROOT / "data/plan").glob("*.toml")):
        stack = [tomllib.loads(path.read_text(encoding="utf-8"))]
        while stack:
            here = stack.pop()
            if isinstance(here, dict):
                decision = here.get("decision", [])
                for name in decision if isinstance(decision, list) else []:
                    cited.setdefault(name, path.name)
                stack.extend(here.values())
            elif isinstance(here, list):
                stack.extend(here)
    assert "C56" in cited
    assert {name: file for name, file in cited.items() if name not in known} == {}


def test_bibliography_has_each_key_once_and_every_source_document():
    bib = (ROOT / "report/references.bib").read_text(encoding="utf-8")
    keys = re.findall(r"^@\w+\{([^,\s]+),$", bib, flags=re.MULTILINE)
    assert len(keys) == len(re.findall(r"^@", bib, flags=re.MULTILINE))
    assert len(keys) == len(set(keys))
    assert {document.cite for document in load_sources(ROOT)} <= set(keys)
    dois = re.findall(r"^\s*doi\s*=\s*\{(.*)\}", bib, flags=re.MULTILINE)
    assert len(dois) == len(set(dois)) > 50
    assert all(re.fullmatch(r"10\.\d{4,}/\S+", doi) for doi in dois)


def test_bibliography_is_read_whole_by_the_renderer():
    pypandoc = pytest.importorskip("pypandoc", reason="an extra of the report")
    bib = (ROOT / "report/references.bib").read_text(encoding="utf-8")
    items = json.loads(pypandoc.convert_text(bib, "csljson", format="bibtex"))
    assert len(items) == len(re.findall(r"^@", bib, flags=re.MULTILINE))
    assert [item["id"] for item in items if not item.get("author") or not item.get("title")] == []
    undated = [item["id"] for item in items if not item.get("issued")]
    assert undated == ["wwcsc_protocol"]  # the protocol bears no date


# ---------------------------------------------------------------- what is refused
def test_unknown_key_is_refused_with_file_and_place(project):
    spoil(project, CONFLICTS, 'grade = "high"', 'grade = "high"\nseverity = "high"')
    error = refusal(load_conflicts, project)
    assert error.file == CONFLICTS
    assert error.place == "conflict C01"
    assert "'severity'" in error.rule


def test_missing_key_is_refused(project):
    spoil(project, DEPARTURES, 'status = "stated"\n', "")
    error = refusal(load_departures, project)
    assert error.place == "departure D01"
    assert "'status'" in error.rule


@pytest.mark.parametrize(
    ("file", "load", "old", "new", "place", "says"),
    [
        (CONFLICTS, load_conflicts, 'study = "beneficiaries"', 'study = "tea"', "conflict C01", "'tea'"),
        (CONFLICTS, load_conflicts, 'grade = "high"', 'grade = "grave"', "conflict C01", "'grave'"),
        (CONFLICTS, load_conflicts, '"P55", "P65"', '"P55", "P999"', "conflict C56", "'P999'"),
        (CONFLICTS, load_conflicts, '"P55", "P65"', '"P65", "P65"', "conflict C56", "repeats"),
        (CONFLICTS, load_conflicts, 'id = "C02"', 'id = "C01"', "conflict C01", "twice"),
        (CONFLICTS, load_conflicts, 'id = "C02"', 'id = "K02"', "conflict K02", "form"),
        (CONFLICTS, load_conflicts, '["001:629"]', "[]", "conflict C02", "no source"),
        (CONFLICTS, load_conflicts, '["001:629"]', '["629"]', "conflict C02", "'629'"),
        (CONFLICTS, load_conflicts, '["001:629"]', '["009:629"]', "conflict C02", "'009:629'"),
        (CONFLICTS, load_conflicts, '["001:629"]', '["001:99999"]', "conflict C02", "1458 lines"),
        (CONFLICTS, load_conflicts, '["001:629"]', '"001:629"', "conflict C02", "'001:629'"),
        (DEPARTURES, load_departures, 'status = "stated"', 'status = "guessed"', "departure D01", "'guessed'"),
        (DEPARTURES, load_departures, '["C21"]', '["C99"]', "departure D01", "'C99'"),
        (DEPARTURES, load_departures, 'id = "D02"', 'id = "D01"', "departure D01", "twice"),
        (SOURCES, load_sources, "lines = 780", "lines = 0", "source 000", "0 lines"),
        (SOURCES, load_sources, "lines = 780", "lines = true", "source 000", "True"),
        (SOURCES, load_sources, 'code = "000"', 'code = "A"', "source A", "form"),
    ],
)
def test_wrong_value_is_refused(project, file, load, old, new, place, says):
    spoil(project, file, old, new)
    error = refusal(load, project)
    assert error.file == file
    assert error.place == place
    assert says in error.rule


def test_blank_text_is_refused_where_text_is_needed(project):
    spoil(project, CONFLICTS, 'topic = "Perceived social worth: direction and p-value"', 'topic = " "')
    assert "'topic'" in refusal(load_conflicts, project).rule


def test_consequence_and_sensitivity_may_be_empty():
    conflicts = load_conflicts(ROOT)
    assert any(conflict.consequence == "" for conflict in conflicts)
    assert any(conflict.sensitivity == "" for conflict in conflicts)


def test_missing_file_broken_file_and_empty_list_are_refused(project):
    path = project / SOURCES
    path.write_text("[[source", encoding="utf-8")
    assert "not valid TOML" in refusal(load_sources, project).rule
    path.write_text("[other]\n", encoding="utf-8")
    assert "'other'" in refusal(load_sources, project).rule
    path.write_text("source = []\n", encoding="utf-8")
    assert refusal(load_sources, project).place == "[[source]]"
    path.unlink()
    assert "does not exist" in refusal(load_sources, project).rule
