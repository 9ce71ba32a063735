"""The CONSORT checklist: complete, pointing to sections and results that exist, and honest about gaps; or refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hhp_stats.errors import PlanError, UnknownName
from hhp_stats.plan.book_sections import book_sections
from hhp_stats.plan.consort import (
    CLUSTER_ITEMS,
    CONSORT,
    ITEMS,
    ChecklistItem,
    checklist_order,
    gaps,
    known_result,
    load_checklist,
)
from hhp_stats.plan.load import load_plan
from hhp_stats.present.consort import COUNTED, STATUS, Checklist, item_name

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path):
    """A copy of the plan's files and of the book's sources that a test may spoil."""
    paths = [*(ROOT / "data/plan").glob("*.toml"), ROOT / "data/published/protocol_clauses.csv"]
    paths += [ROOT / "index.qmd", *(ROOT / "report").glob("*.qmd")]
    for path in paths:
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return tmp_path


def entry(project, item):
    text = (project / CONSORT).read_text(encoding="utf-8")
    return next(part for part in text.split("[[item]]") if f'id = "{item}"' in part)


def refusal(project, item, old, new):
    path, text = project / CONSORT, entry(project, item)
    assert old in text, f"item {item} no longer holds {old!r}"
    path.write_text(path.read_text(encoding="utf-8").replace(text, text.replace(old, new, 1)), encoding="utf-8")
    with pytest.raises(PlanError) as caught:
        load_checklist(project)
    assert caught.value.remedy
    return caught.value


def shown(items=None, **others):
    given = {"study": "goal_setting", "items": items or load_checklist(ROOT), "sections": book_sections(ROOT)}
    results = {f"goal_setting/{name}" for item in given["items"] for name in item.results}
    return Checklist(**{**given, "results": frozenset(results), **others})


# ---------------------------------------------------------------- the data that ship
def test_the_statement_has_thirty_items_and_the_extension_twenty_one():
    numbers = [number for part in ITEMS.values() for number in part]
    assert list(dict.fromkeys(int(number.rstrip("abcd")) for number in numbers)) == list(range(1, 31))
    assert len(numbers) == 42  # with lettered parts
    assert len(CLUSTER_ITEMS) == 21
    assert set(CLUSTER_ITEMS.values()) <= set(numbers)


def test_every_item_has_a_status_and_stands_in_its_place():
    items = load_checklist(ROOT)
    assert tuple(item.id for item in items) == checklist_order()
    assert {item.status for item in items} <= set(STATUS)
    by_id = {item.id: item for item in items}
    assert (by_id["cluster-3a"].extends, by_id["cluster-3a"].part) == ("9", "Methods")
    assert (by_id["9"].extends, by_id["30"].part) == ("", "Discussion")


def test_gaps_are_listed_and_say_what_is_missing():
    found = gaps(load_checklist(ROOT))
    assert {item.status for item in found} == {"gap", "partly"}
    assert all(item.note for item in found)
    # What the documents do not hold cannot be called reported.
    missing = {item.id: item for item in found if item.status == "gap"}
    assert {"15", "18", "27"} <= set(missing)
    # Announced in the protocol, with neither number nor date.
    assert "P92" in next(item.note for item in found if (item.id, item.status) == ("2", "partly"))


def test_sections_and_results_exist():
    sections, plan, items = book_sections(ROOT), load_plan(ROOT, "goal_setting"), load_checklist(ROOT)
    assert {name for item in items for name in item.sections} <= set(sections)
    assert all(known_result(name, plan) for item in items for name in item.results)


def test_wording_is_whole_sentences():
    for item in load_checklist(ROOT):
        assert item.asks.endswith("."), item.id
        assert not item.note or item.note.endswith((".", ".)")), item.id


@pytest.mark.parametrize(
    ("result", "known"),
    [
        ("sickness_absence/itt/cr1", True),
        ("sickness_absence/itt/cr9", False),
        ("sickness_absence/icc/reml", True),
        ("weather/icc/reml", False),
        ("happiness/mean_control/raw", True),
        ("happiness/mean_everyone/raw", False),
        ("happiness/itt/hedges-g", True),
        ("turnover/predicted_treatment/logit-at-means", True),
        ("turnover/predicted_treatment/probit", False),
        ("wellbeing/rho/heckman-ml", True),
        ("wellbeing/lower_bound/lee-bounds", True),
        ("happiness/lower_bound/lee-bounds", False),  # the plan has no such analysis
        ("power/mdes/absence-recruited", True),
        ("power/mdes/joy-recruited", False),
        ("benefit_cost/ratio/programme-30-fieller", True),
        ("benefit_cost/ratio/programme-45", False),
        ("balance/omnibus/randomised", True),
        ("balance/omnibus/everyone", False),
        ("sickness_absence", False),
        ("", False),
    ],
)
def test_known_results(result, known):
    assert known_result(result, load_plan(ROOT, "goal_setting")) is known


# ---------------------------------------------------------------- the tables
def test_every_item_is_shown_once_with_its_sections_as_references():
    checklist = shown()
    printed = "\n".join(checklist.table(part) for part in ITEMS)
    for item in checklist.items:
        assert printed.count(f"| {item_name(item)} |") == 1
    rows = {line.split(" | ")[0].strip("| "): line for line in printed.splitlines() if line.startswith("| ")}
    assert "@sec-gs-randomisation" in rows["Cluster 8b"]
    assert "`sickness_absence/itt/strata`" in rows["Cluster 8b"]
    assert "| not reported |" in rows["27"] and "Nothing was collected." in rows["27"]
    assert "{#tbl-consort-methods}" in printed


def test_sections_without_a_number_are_linked():
    """The summary is unnumbered: a reference to it would have nothing to print."""
    line = next(line for line in shown().table("Title and abstract").splitlines() if line.startswith("| 1b |"))
    assert "[Summary](../index.qmd#sec-summary)" in line
    assert "@sec-summary" not in line


def test_count_adds_up_and_gaps_are_the_gaps():
    checklist = shown()
    assert set(COUNTED) == set(STATUS)
    numbers = [int(word) for word in checklist.count().replace(",", "").split() if word.isdigit()]
    assert numbers[0] == 63 and numbers[1] == 21
    assert sum(numbers[2:]) == 63
    bullets = checklist.gaps().splitlines()
    assert len([line for line in bullets if line.startswith("- **")]) == sum(i.status == "gap" for i in checklist.items)
    whole = [ChecklistItem(id="1a", asks="A.", status="reported", sections=("sec-methods",), results=(), note="")]
    assert "Every item" in shown(items=tuple(whole)).gaps()


def test_a_result_that_this_run_did_not_make_is_named():
    with pytest.raises(UnknownName, match=r"item 1b.*sickness_absence/itt/cr1"):
        shown(results=frozenset()).table("Title and abstract")


def test_an_unknown_part_is_refused():
    with pytest.raises(UnknownName, match="Appendix"):
        shown().table("Appendix")


# ---------------------------------------------------------------- what is refused
@pytest.mark.parametrize(
    ("item", "old", "new", "place", "says"),
    [
        ("9", "sec-gs-design", "sec-gs-weather", "item 9", "'sec-gs-weather'"),
        ("cluster-8b", "sickness_absence/itt/strata", "sickness_absence/itt/strat", "item cluster-8b", "itt/strat'"),
        ("11", 'status = "partly"', 'status = "mostly"', "item 11", "'mostly'"),
        ("9", 'id = "9"', 'id = "31"', "item 31", "does not exist"),
        ("9", 'id = "9"', 'id = "10"', "item 10", "twice"),
        ("cluster-5", 'id = "cluster-5"', 'id = "cluster-5b"', "item cluster-5b", "does not exist"),
        ("18", 'status = "gap"', 'status = "reported"', "item 18", "without a section"),
        ("18", 'status = "gap"', 'status = "partly"', "item 18", "without a section"),
        ("11", 'status = "partly"', 'status = "gap"', "item 11", "is a gap, but points"),
        ("27", 'note = "Nothing was collected."', 'note = ""', "item 27", "without a note"),
        ("20b", 'note = "No one was."', 'note = ""', "item 20b", "without a note"),
        ("27", "asks =", "demands =", "item 27", "'demands'"),
        ("27", "sections = []", 'sections = ["sec-methods"]', "item 27", "is a gap, but points"),
    ],
)
def test_wrong_entry_is_refused(project, item, old, new, place, says):
    error = refusal(project, item, old, new)
    assert (error.file, error.place) == (CONSORT, place)
    assert says in error.rule


def test_missing_and_misplaced_items_are_refused(project):
    path, whole = project / CONSORT, (project / CONSORT).read_text(encoding="utf-8")
    nine, ten = entry(project, "9"), entry(project, "cluster-3a")
    path.write_text(whole.replace(f"[[item]]{nine}", ""), encoding="utf-8")
    with pytest.raises(PlanError, match="item 9: has no entry"):
        load_checklist(project)
    path.write_text(whole.replace(nine, "\n#\n", 1).replace(ten, nine, 1).replace("\n#\n", ten, 1), encoding="utf-8")
    with pytest.raises(PlanError, match="item cluster-3a: stands where 9 belongs"):
        load_checklist(project)


def test_a_heading_that_loses_its_label_is_noticed(project):
    path = project / "report/02-goal-setting.qmd"
    path.write_text(path.read_text(encoding="utf-8").replace("{#sec-gs-flow}", ""), encoding="utf-8")
    with pytest.raises(PlanError, match="sec-gs-flow"):
        load_checklist(project)


# ---------------------------------------------------------------- sections of the book
def test_sections_are_read_outside_code_and_know_their_numbers(tmp_path):
    (tmp_path / "report").mkdir()
    (tmp_path / "index.qmd").write_text(
        "# Summary {#sec-summary .unnumbered}\n\n## Aims {#sec-aims}\n", encoding="utf-8"
    )
    (tmp_path / "report/one.qmd").write_text(
        "# One {#sec-one}\n\n```{python}\n# Not this {#sec-code}\n```\n\n## Two {.unnumbered #sec-two}\n\n## Three\n",
        encoding="utf-8",
    )
    (tmp_path / "report/_part.qmd").write_text("## Part {#sec-part}\n", encoding="utf-8")
    found = book_sections(tmp_path)
    assert {name: section.numbered for name, section in found.items()} == {
        "sec-summary": False,
        "sec-aims": False,
        "sec-one": True,
        "sec-two": False,
    }
    assert (found["sec-one"].title, found["sec-one"].file) == ("One", "report/one.qmd")
    (tmp_path / "report/two.qmd").write_text("# Again {#sec-one}\n", encoding="utf-8")
    with pytest.raises(PlanError, match=r"report/one\.qmd"):
        book_sections(tmp_path)
