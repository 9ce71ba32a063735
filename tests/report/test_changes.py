"""What changed between two releases: planted changes of every kind are found, nothing else is."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from frozen_tools import ROOT, vouch, with_results
from openpyxl import load_workbook
from rich.console import Console

from hhp_stats.intake.manifest import record_files
from hhp_stats.intake.raw_places import RawPlace
from hhp_stats.plan.primary import primary_outcomes
from hhp_stats.present.numbers import number
from hhp_stats.publish import changes_page as changes_page
from hhp_stats.publish.changes import ChangeReport, compare, compare_releases, private_cells
from hhp_stats.publish.changes_text import terminal, terminal_cells
from hhp_stats.publish.input_changes import FieldCount, InputChanges, changed_cells
from hhp_stats.publish.printed import printed, requests
from hhp_stats.publish.release import ReleaseRefused, Snapshot, freeze_release, read_snapshot
from hhp_stats.publish.result_changes import flips, largest, result_changes
from hhp_stats.publish.row_marks import unpacked_marks
from hhp_stats.results.frame import Estimate, not_estimated, read_results, result_frame

DATE = "2026-05-31"
BROMLEY = "data/returns/goal_setting/bromley/endline.xlsx"
KENT = "data/returns/goal_setting/kent/endline.xlsx"
PLANNED = "goal_setting/sickness_absence/itt/cr1"


@pytest.fixture(scope="module")
def frozen(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Path(shutil.copytree(prepared, tmp_path_factory.mktemp("frozen") / "project"))
    vouch(home)
    freeze_release(home, date=DATE, output=home / "_output", with_report=False)
    return home


def columns_of(sheet) -> tuple[int, dict[str, int]]:
    top = next(row for row in range(1, 12) if sheet.cell(row, 1).value == "Unique Staff ID")
    return top, {str(cell.value).split(" (")[0]: cell.column for cell in sheet[top] if cell.value}


def shown(report: ChangeReport) -> str:
    return rendered_text(terminal(report))


def rendered_text(what, *, width: int = 220) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(what)
    return console.export_text()


@pytest.fixture(scope="module")
def corrected(frozen: Path) -> tuple[Path, dict[str, object]]:
    """Kent sends a corrected workbook and Bromley a correction: sixty days each."""
    home = frozen.parent / "corrected"
    shutil.copytree(frozen, home)
    planted: dict[str, object] = {}
    book = load_workbook(home / KENT)
    sheet = book["Return"]
    top, at = columns_of(sheet)
    total, ill = (
        next(c for name, c in at.items() if name.startswith(word)) for word in ("Overall abs", "Illness related abs")
    )
    row = next(
        r
        for r in range(top + 1, sheet.max_row)
        if isinstance(sheet.cell(r, ill).value, int | float)
        and sheet.cell(r, ill).value >= 2
        and isinstance(sheet.cell(r, total).value, int | float)
    )
    planted["row"], planted["old"] = row, (sheet.cell(row, total).value, sheet.cell(row, ill).value)
    for column in (total, ill):
        sheet.cell(row, column).value += 30
    book.save(home / KENT)
    record_files(home, names=[KENT])
    entry = [sheet.cell(row, 1).value, sheet.cell(row, ill).value]

    source = load_workbook(home / BROMLEY, data_only=True)["Return"]
    top, at = columns_of(source)
    total, ill = (
        next(c for name, c in at.items() if name.startswith(word)) for word in ("Overall abs", "Illness related abs")
    )
    left = next(c for name, c in at.items() if "Left the authority" in name)
    line = next(
        r
        for r in range(top + 1, source.max_row)
        if isinstance(source.cell(r, ill).value, int | float)
        and 3 <= source.cell(r, ill).value <= 20
        and str(source.cell(r, left).value).lower() == "no"
        and isinstance(source.cell(r, total).value, int | float)
    )
    staff = source.cell(line, 1).value
    with (home / "data/corrections.csv").open("a", encoding="utf-8", newline="") as stream:
        ledger = csv.writer(stream, lineterminator="\n")
        for name, field, column in (("K1", "overall_absence_days", total), ("K2", "illness_days", ill)):
            value = source.cell(line, column).value
            ledger.writerow(
                [
                    name,
                    "2026-06-02",
                    "goal_setting",
                    "endline",
                    "Bromley",
                    staff,
                    field,
                    f"{value:g}",
                    f"{value + 60:g}",
                    "long illness missed",
                    "authority",
                ]
            )
    planted["kent_ledger"] = entry
    with_results(home)
    return home, planted


def test_nothing_changed_says_so(frozen: Path) -> None:
    vouch(frozen)
    report = compare_releases(frozen)
    assert report.same and not report.inputs.files and not report.flips
    assert report.headline() == f"No number and no sentence changed between {DATE} and now."
    assert report.causes() in (
        "No input, no code and no software changed.",
        "Changed: the code of the analyses or the report.",
    )
    assert json.loads(json.dumps(report.record()))["results"] == []


def test_a_replaced_workbook_is_counted_by_field_and_its_cells_are_shown_on_demand(corrected) -> None:
    home, planted = corrected
    vouch(home)
    report = compare_releases(home)
    assert {(each.path, each.change) for each in report.inputs.files} == {
        (KENT, "changed"),
        ("data/corrections.csv", "changed"),
    }
    assert {(each.place.here, each.field, each.cells, each.explained) for each in report.inputs.fields} == {
        (KENT, "overall_absence_days", 1, 0),
        (KENT, "illness_days", 1, 0),
    }
    assert "2 cells of raw files (the ledger explains none of them)" in report.causes(exact=True)
    old_total, old_ill = planted["old"]
    row = str(planted["row"])
    cells = private_cells(home)
    assert {(each.path, each.row, each.field, each.old, each.new, each.ledger) for each in cells} == {
        (KENT, row, "overall_absence_days", f"{old_total:g}", f"{old_total + 30:g}", ""),
        (KENT, row, "illness_days", f"{old_ill:g}", f"{old_ill + 30:g}", ""),
    }
    assert f"{old_total + 30:g}" in rendered_text(terminal_cells(cells))


def test_what_travels_names_no_authority_and_no_small_number(corrected) -> None:
    home, _ = corrected
    vouch(home)
    report = compare_releases(home)
    page = changes_page.ChangesPage(report=report)
    public = json.dumps(report.record()["cells"]) + json.dumps(report.record()["inputs"]) + report.causes()
    public += "".join(page.rows(name).to_csv() for name in ("inputs", "cells", "ledger"))
    for secret in ("kent", "bromley", "Kent", "Bromley", "endline,", "long illness", "missed"):
        assert secret not in public, secret
    assert report.public_inputs() == [
        {
            "what": "returns of goal_setting, endline",
            "field": "other columns",
            "cells": "fewer than five",
            "explained": "none",
        }
    ]
    assert [list(row) for row in page.rows("ledger").to_numpy()] == [
        ["K1 (added)", "2026-06-02", "overall_absence_days", "1"],
        ["K2 (added)", "2026-06-02", "illness_days", "1"],
    ]


def test_ledger_lines_results_and_print_are_listed_without_the_person(
    corrected: tuple[Path, dict[str, object]],
) -> None:
    home, _ = corrected
    vouch(home)
    report = compare_releases(home)
    assert [(each.change, each.id, each.field) for each in report.inputs.ledger] == [
        ("added", "K1", "overall_absence_days"),
        ("added", "K2", "illness_days"),
    ]
    old, new = (
        read_results(place)
        for place in (home / f"data/releases/{DATE}/results.csv", home / ".report/results/results.csv")
    )
    was, now = (frame.set_index("result_id").at[PLANNED, "estimate"] for frame in (old, new))
    moved = next(each for each in report.results if each.result_id == PLANNED)
    assert (moved.old, moved.new, moved.analysis, moved.change) == (was, now, "planned", "moved")
    assert moved.absolute == now - was and moved.relative == (now - was) / abs(was)
    assert {"estimate", "std_error", "p_value"} <= set(moved.columns)
    sentence = next(each for each in report.sentences if any("primary" in place for place in each.places))
    assert number(abs(was)) in sentence.old and number(abs(now)) in sentence.new
    cell = next(each for each in report.figures if each.cell.endswith("/ Difference"))
    assert (cell.old, cell.new) == (number(was), number(now))
    text = shown(report)
    assert report.headline() in text and "K1" in text and PLANNED in text
    staff = (home / "data/corrections.csv").read_text(encoding="utf-8").splitlines()[-1].split(",")[5]
    everything = text + json.dumps(report.record()) + changes_page.ChangesPage(report=report).sections()
    assert staff not in everything, "a staff ID was shown"


def test_a_cell_that_the_ledger_asks_for_carries_its_line(corrected, tmp_path: Path) -> None:
    home = Path(shutil.copytree(corrected[0], tmp_path / "project"))
    staff, value = corrected[1]["kent_ledger"]
    with (home / "data/corrections.csv").open("a", encoding="utf-8") as ledger:
        ledger.write(
            f"K9,2026-06-03,goal_setting,endline,Kent,{staff},illness_days,1,{value},replaced since,authority\n"
        )
    vouch(home)
    report = compare_releases(home)
    assert {each.field: each.ledger for each in private_cells(home)} == {
        "overall_absence_days": "",
        "illness_days": "K9",
    }
    assert {each.field: each.explained for each in report.inputs.fields} == {
        "overall_absence_days": 0,
        "illness_days": 1,
    }
    assert "2 cells of raw files (the ledger explains one of them)" in report.causes(exact=True)
    assert "fewer than five cells of raw files (the ledger explains some of them)" in report.causes()


def test_the_page_of_the_report(frozen: Path, corrected) -> None:
    vouch(frozen)
    empty = Path(shutil.copytree(frozen, frozen.parent / "first", ignore=shutil.ignore_patterns("releases")))
    first = changes_page.page(root=empty)
    assert first.headline().startswith("This is the first release") and first.sections() == "" and first.since() == ""
    vouch(corrected[0])
    page = changes_page.page(root=corrected[0])
    text = page.sections()
    for name in ("inputs", "cells", "ledger", "results", "sentences", "figures"):
        assert f"{{#tbl-h-{name}}}" in text
    assert page.since().startswith(f"Compared with the release of {DATE}.")
    assert len(page.rows("results")) == len(page.report.results) > 10


def test_the_page_does_not_depend_on_the_words_of_other_chapters(corrected, tmp_path: Path) -> None:
    home = Path(shutil.copytree(corrected[0], tmp_path / "project"))
    vouch(home)
    before = changes_page.page(root=home).sections()
    index = home / "index.qmd"
    text = index.read_text(encoding="utf-8")
    index.write_text(
        text.replace('`{python} gs.say("sample")`', '`{python} gs.say("uptake")` More words.'), encoding="utf-8"
    )
    assert changes_page.page(root=home).sections() == before
    assert any("uptake" in each.places[0] for each in compare_releases(home).sentences)  # the command sees it


def test_damaged_or_missing_releases_are_refused(prepared: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(prepared, tmp_path / "project"))
    with pytest.raises(ReleaseRefused, match="no earlier release"):
        compare_releases(home)
    with pytest.raises(ReleaseRefused, match="there are: none yet"):
        compare_releases(home, "2020-01-01")


def test_two_frozen_releases_can_be_compared(corrected, tmp_path: Path) -> None:
    home = Path(shutil.copytree(corrected[0], tmp_path / "project"))
    vouch(home)
    freeze_release(home, date="2026-07-01", output=home / "_output", with_report=False)
    (home / KENT).unlink()  # nothing but the frozen files may be needed
    report = compare_releases(home, b="2026-07-01")
    assert (report.a, report.b) == (DATE, "2026-07-01")
    assert len(private_cells(home, b="2026-07-01")) == 2 and any(each.result_id == PLANNED for each in report.results)


def test_file_that_came_or_went_and_people_who_went(frozen: Path) -> None:
    old = read_snapshot(frozen, DATE)
    cells = old.cells(KENT)
    inputs = {name: digest for name, digest in old.inputs.items() if name != BROMLEY}
    stub = _Stub(replace(old, name="later", inputs=inputs | {KENT: "other", "data/new.csv": "x"}), cells.iloc[6:])
    report = compare(old, stub)  # type: ignore[arg-type]
    assert {(f.path, f.change) for f in report.inputs.files} == {
        (BROMLEY, "gone"),
        ("another file below data/", "new"),
        (KENT, "changed"),
    }
    assert [(each.place.here, each.added, each.gone) for each in report.inputs.rows] == [(KENT, 0, 6)]
    assert report.public_inputs() == [
        {"what": "returns of goal_setting, endline", "field": "people or lines gone", "cells": "6", "explained": ""}
    ]
    few = compare(old, _Stub(stub.snapshot, cells.iloc[1:]))  # type: ignore[arg-type]
    assert few.public_inputs()[0]["cells"] == "fewer than five"
    assert [(c.field, c.old, c.new) for c in changed_cells(old, stub)] == [("person", "in the return", "")] * 6


def counted(cells: dict[str, tuple[int, int]]) -> ChangeReport:
    place = RawPlace(kind="returns", here="kent", public="returns")
    fields = tuple(FieldCount(place=place, field=name, cells=n, explained=k) for name, (n, k) in cells.items())
    found = InputChanges(files=(), fields=fields, rows=(), ledger=(), unknown=())
    return ChangeReport(
        a="a",
        b="b",
        inputs=found,
        threshold=5,
        results=(),
        flips=(),
        figures=(),
        sentences=(),
        software={},
        code_changed=False,
    )


@pytest.mark.parametrize(
    ("cells", "public"),
    [
        ({"role": (7, 7)}, [("role", "7", "all")]),
        ({"role": (7, 6)}, [("role", "7", "some")]),  # the one that is not explained would follow
        ({"role": (20, 8)}, [("role", "20", "eight")]),
        ({"role": (3, 0), "left": (4, 0)}, [("other columns", "7", "none")]),
        ({"role": (3, 0)}, [("other columns", "fewer than five", "none")]),
        (
            {"role": (3, 0), "left": (9, 0), "hours": (30, 0)},
            [("hours", "30", "none"), ("other columns", "12", "none")],
        ),
        ({"role": (3, 0), "left": (9, 0)}, [("other columns", "12", "none")]),
    ],
)
def test_small_numbers_are_pooled_so_that_no_sum_gives_them_back(cells, public) -> None:
    assert [(row["field"], row["cells"], row["explained"]) for row in counted(cells).public_inputs()] == public


def test_surveys_and_lists_are_compared_by_row_without_keeping_what_they_say(frozen: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(frozen, tmp_path / "project"))
    survey, allocation = "data/surveys/swing/endline.csv", "data/allocation/swing.csv"
    lines = (home / survey).read_text(encoding="utf-8-sig").splitlines(keepends=True)
    rows = list(csv.reader(lines))
    at = rows[0].index("burnout_1")
    planted = [row for row in rows[3:] if row[at] not in ("", "0")][:6]
    for row in planted:
        row[at] = "0"
    rows.append(list(rows[3]))
    rows[-1][rows[0].index("ResponseId")] = "R_new"
    rows[3:] = reversed(rows[3:])  # the order of rows is no change
    with (home / survey).open("w", encoding="utf-8-sig", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)
    people = (home / allocation).read_text(encoding="utf-8").splitlines(keepends=True)
    (home / allocation).write_text("".join(people[:-2]), encoding="utf-8")
    vouch(home)
    report = compare_releases(home)
    assert {(each.place.here, each.field, each.cells, each.explained) for each in report.inputs.fields} == {
        (survey, "burnout_1", 6, 0)
    }
    assert {(each.place.here, each.added, each.gone) for each in report.inputs.rows} == {
        (survey, 1, 0),
        (allocation, 0, 2),
    }
    assert private_cells(home) == []
    kept = unpacked_marks((home / f"data/releases/{DATE}/private/marks.json.gz").read_bytes())
    text = json.dumps({name: {"fields": each.fields, "rows": dict(each.rows)} for name, each in kept.items()})
    assert not any(cell in text for row in rows[3:] for cell in row if len(cell) > 7)


def test_without_its_private_part_a_release_is_read_and_says_what_is_not_compared(corrected, tmp_path: Path) -> None:
    home = Path(shutil.copytree(corrected[0], tmp_path / "project"))
    shutil.rmtree(home / f"data/releases/{DATE}/private")
    plan = home / "data/plan/coffee.toml"
    plan.write_text(plan.read_text(encoding="utf-8") + "\n# a remark\n", encoding="utf-8")
    vouch(home)
    report = compare_releases(home)
    assert [each.path for each in report.inputs.files] == ["data/plan/coffee.toml"]
    assert "is not on this machine: raw files and ledger are not compared" in report.causes()
    assert any(each.result_id == PLANNED for each in report.results)
    with pytest.raises(ReleaseRefused, match="not on this machine"):
        private_cells(home)


def test_values_never_go_into_json(frozen: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hhp_stats", "changes", "--cells", "--json"],
        cwd=frozen,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 2 and done.stdout == "" and "cannot be combined" in done.stderr


def test_box_and_tables_fit_a_narrow_window(corrected) -> None:
    vouch(corrected[0])
    report = compare_releases(corrected[0])
    text = rendered_text(terminal(report), width=80)
    assert max(map(len, text.splitlines())) <= 80
    words = " ".join(text.replace("\u2502", " ").split())
    assert report.headline() in words and report.causes(exact=True) in words


class _Stub:
    """A snapshot with other cells."""

    def __init__(self, snapshot: Snapshot, cells: pd.DataFrame) -> None:
        self.snapshot, self.found = snapshot, cells

    def __getattr__(self, name: str):
        return getattr(self.snapshot, name)

    def cells(self, file: str) -> pd.DataFrame:
        return self.found


# ------------------------------------------------------------------ conclusions, on made-up frames
def row(result_id: str, estimate: float, std_error: float = 1.0, **other):
    made = Estimate(estimate=estimate, std_error=std_error, df=math.inf, n=100, n_clusters=10, method="m")
    words = {"population": "all", "contrast": "a minus b", "analysis": "planned", "clause": "P1", "source": "x.y"}
    return made.row(result_id=result_id, **words | other)


def flipped(old, new) -> set[tuple[str, str, str, str]]:
    return {(each.result_id, each.kind, each.was, each.now) for each in flips(result_frame(old), result_frame(new))}


def test_each_kind_of_flip_is_found_and_told_apart() -> None:
    name = "trial/days/itt/ols"
    assert flipped([row(name, 1.0)], [row(name, 1.5)]) == set()
    assert flipped([row(name, 1.0)], [row(name, -1.0)]) == set()  # of either nothing is concluded
    assert flipped([row(name, 1.0)], [row(name, -3.0)]) == {(name, "direction", "higher", "lower")}
    assert flipped([row(name, 3.0)], [row(name, 1.0)]) == {(name, "interval", "excludes 0", "includes 0")}
    test = [replace(row(name, 1.0), conf_low=math.nan, conf_high=math.nan, p_value=p) for p in (0.04, 0.06)]
    assert flipped([test[0]], [test[1]]) == {(name, "significance", "p < .05", "p ≥ .05")}
    missing = not_estimated(
        result_id=name,
        reason="separation",
        population="all",
        contrast="a minus b",
        method="m",
        analysis="planned",
        clause="P1",
        source="x.y",
    )
    assert flipped([row(name, 1.0)], [missing]) == {(name, "estimable", "estimated", "not estimated")}
    assert flipped([missing], [missing]) == set()


def test_a_ratio_is_judged_against_one_and_arms_conclude_nothing() -> None:
    ratio, mean = "trial/benefit_cost/ratio/printed", "trial/days/mean_control/raw"
    old, new = [row(ratio, 1.5, 0.2), row(mean, 5.0)], [row(ratio, 0.5, 0.2), row(mean, -0.5)]
    assert flipped(old, new) == {(ratio, "direction", "higher", "lower")}


def test_the_order_of_interventions_is_a_conclusion() -> None:
    names = [f"{study}/days/itt/ols" for study in ("letters", "coffee", "goals")]
    old = [row(name, size) for name, size in zip(names, (0.1, 0.2, 0.3), strict=True)]
    new = [row(name, size) for name, size in zip(names, (0.1, 0.4, 0.3), strict=True)]
    assert flipped(old, new) == set()  # by chance alone they stand in this order
    new = [row(name, size, 0.01) for name, size in zip(names, (0.1, 0.4, 0.3), strict=True)]
    found = {each for each in flipped(old, new) if each[1] == "rank"}
    assert found == {(names[0], "rank", "goals > coffee > letters", "coffee > goals > letters")}
    assert flipped(old, old) == set()


def test_rounding_noise_is_no_change_and_planned_results_come_first() -> None:
    old = [
        row("t/a/itt/x", 2.0, analysis="sensitivity"),
        row("t/a/itt/y", 2.0, 0.5, analysis="exploratory"),
        row("t/b/itt/x", 1.0),
        row("t/c/itt/x", 0.1),
        row("t/d/itt/x", 4.0),
        row("t/f/itt/x", 1.0, 0.1),
        row("t/p/itt/x", 8.0),
    ]
    new = [
        row("t/a/itt/x", 9.0, analysis="sensitivity"),
        row("t/a/itt/y", 8.0, 0.5, analysis="exploratory"),
        row("t/b/itt/x", 1.0 * (1 + 1e-13)),
        row("t/c/itt/x", 0.9),
        row("t/e/itt/x", 0.0),
        row("t/f/itt/x", 1.2, 0.1),
        row("t/p/itt/x", 8.1),
    ]
    found = largest(result_changes(result_frame(old), result_frame(new), primary={("t", "p")}))
    assert [(each.result_id, each.change) for each in found] == [
        ("t/p/itt/x", "moved"),  # of a primary outcome: first, however little it moved
        ("t/d/itt/x", "gone"),
        ("t/e/itt/x", "new"),
        ("t/f/itt/x", "moved"),  # two standard errors, and a fifth of its size
        ("t/c/itt/x", "moved"),  # less than one, and nine times its size
        ("t/a/itt/y", "moved"),
        ("t/a/itt/x", "moved"),
    ]
    moved = found[3]
    assert moved.in_std_errors == pytest.approx(2) and moved.relative == pytest.approx(0.2)  # floating point
    assert math.isnan(found[1].new) and math.isnan(found[1].relative)


def test_primary_outcomes_are_those_of_the_plans() -> None:
    found = primary_outcomes(ROOT)
    assert ("goal_setting", "sickness_absence") in found and {study for study, _ in found} >= {"swing", "letters"}
    assert not found & {("goal_setting", "wellbeing"), ("goal_setting", "turnover")}


# ------------------------------------------------------------------ what is printed
def test_print_is_found_in_the_sources(prepared: Path) -> None:
    asked = [(each.chapter, each.method, each.arguments[0]) for each in requests(prepared)]
    assert asked == [
        ("index.qmd", "say", ("primary",)),
        ("index.qmd", "say", ("sample",)),
        ("index.qmd", "table", ("primary",)),
        ("index.qmd", "figure", ("absence_versions",)),
    ]
    said = printed(prepared)
    assert set(said.sentences) == {"index.qmd gs.say('primary')", "index.qmd gs.say('sample')"}
    assert not [text for text in said.sentences.values() if any("\ue000" <= c <= "\uf8ff" for c in text)]


def test_the_real_book_is_read_as_well(root: Path) -> None:
    found = requests(root)
    assert {"index.qmd", "report/02-goal-setting.qmd"} <= {each.chapter for each in found}
    assert sum(each.method == "say" for each in found) > 10 and sum(each.method == "table" for each in found) > 10
