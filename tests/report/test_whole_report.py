"""The real book on the real release: one correction moves everything, a flipped trial flips every word, twice is the
same.

The project is rendered once for the tests of several files (`tests/conftest.py`, `whole_report`).
"""

import csv
import hashlib
import re
import shutil
import sys
from dataclasses import replace
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pikepdf
import pytest
from one_value import differing_values
from openpyxl import load_workbook
from whole_tools import hhp, hhp_here
from words_of_pages import (
    begun_with_figures,
    codes,
    ease_of_briefs,
    known_codes,
    own_codes,
    phrases_of_pages,
    read_codes,
    repeated_in_a_section,
)

from hhp_stats.cli.report import declared_inputs
from hhp_stats.intake.gather import gather
from hhp_stats.plan.catalogue import catalogue, study_entry
from hhp_stats.plan.clauses import load_clause_status
from hhp_stats.plan.load import load_plan
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.goal_setting import FIGURES, SENTENCES
from hhp_stats.present.marked_text import plain
from hhp_stats.present.numbers import interval, number
from hhp_stats.processes.progress import silent
from hhp_stats.publish.checks.page_text import read_page
from hhp_stats.publish.execute import execute
from hhp_stats.publish.project import load_project
from hhp_stats.publish.qmd import read_chapter
from hhp_stats.publish.weave import weave
from hhp_stats.results.frame import changed_results, read_results
from hhp_stats.running.run import run_studies, studies_of
from hhp_stats.scaffold.removal import remove
from hhp_stats.studies.kept import input_files
from hhp_stats.studies.output import read_output

ROOT = Path(__file__).resolve().parents[2]
KENT = "data/returns/goal_setting/kent/endline.xlsx"
PLANNED = "goal_setting/sickness_absence/itt/cr1"


def words(page):
    """The visible text of a page."""
    text = re.sub(r"<(script|style).*?</\1>", " ", page.read_text(encoding="utf-8"), flags=re.S)
    text = re.sub(r"<[^>]+>", " ", text)
    return re.sub(r"\s+", " ", text.replace("&gt;", ">").replace("&lt;", "<"))


@pytest.fixture(scope="module")
def rendered(whole_report):
    return whole_report


def test_one_quantity_has_one_value_on_all_pages(rendered):
    """Every marked number is one rounding of the double that its result holds: never of a number that was rounded
    before.
    """
    compared, wrong = differing_values(rendered / "_output", read_results(rendered / ".report/results/results.csv"))
    assert compared > 2_000 and wrong == []


def test_pages_and_results_print_no_number_of_people_that_is_not_public(rendered):
    """Tables (their downloads are made of them), captions, sentences and alternative texts of every page; and
    results.csv.
    """
    sys.path.insert(0, str(ROOT / "tests/disclosure"))
    from disclosure_pages_check import problems_of_pages, problems_of_results
    from disclosure_studies import plans

    printed, wrong = problems_of_pages(rendered, rendered / "first", plans(rendered))
    assert printed > 1_000 and wrong == []
    withheld, found = problems_of_results(rendered, rendered / "first", plans(rendered))
    assert withheld > 20 and found == []


def planned_row(folder):
    return read_results(folder / "results.csv").set_index("result_id").loc[PLANNED]


def test_no_page_shares_a_run_of_words_with_the_documents(rendered):
    sys.path.insert(0, str(ROOT / "tests/prose"))
    from own_words import shared_runs, source_runs

    known = source_runs()
    for page in sorted((rendered / "first").glob("*.html")):
        if page.name == "references.html":  # titles of works that both cite
            continue
        text = read_page(page.read_text(encoding="utf-8"))
        # Answers and roles of the questionnaires and returns are the instruments' own; what each asks is in our words, which
        # the test of the sources reads in the dictionary.
        own = () if page.name == "I-questionnaires.html" else text.tables
        cells = (cell for table in own for row in table.rows for cell in row)
        found = [run for piece in (*text.paragraphs, *cells) for run in shared_runs(piece, known)]
        assert not found, f"{page.name}: {found}"


def sections_of(html):
    """The visible text below every labelled heading, up to the next one of the same depth or above."""
    html = re.sub(r"<(script|style|svg|template|pre)\b.*?</\1>", " ", html, flags=re.S)
    heads = list(re.finditer(r'<h([1-6])\b[^>]*\bid="([^"]+)"', html))
    found = {}
    for at, head in enumerate(heads):
        end = next((after.start() for after in heads[at + 1 :] if after[1] <= head[1]), len(html))
        found[head[2]] = " ".join(unescape(re.sub(r"<[^>]+>", " ", html[head.start() : end])).split())
    return found


def test_every_clause_is_told_where_the_appendix_points(rendered):
    """Each of the protocol's clauses holds the words that its section must have; the page is read as rendered."""
    clauses = load_clause_status(rendered)
    chapter = rendered / "first" / Path(study_entry(rendered, "goal_setting").chapter).with_suffix(".html").name
    sections = sections_of(chapter.read_text(encoding="utf-8"))
    missing = [
        f"{clause.id} in {clause.section}: {words}"
        for clause in clauses
        for words in clause.says
        if words.casefold() not in sections[clause.section].casefold()
    ]
    assert len(clauses) == 110 and all(clause.says for clause in clauses)
    assert missing == []


def test_pages_are_in_plain_words(rendered):
    """The list of `hhp lint` on what the pages say, sentences of the results included."""
    assert phrases_of_pages(rendered, rendered / "first") == []
    assert repeated_in_a_section(rendered / "first", "no clear difference") == []
    assert begun_with_figures(rendered / "first") == []


def test_every_summary_reads_easily(rendered):
    """Flesch above 60 in every part called "In brief", with its numbers; every study has one."""
    found = ease_of_briefs(rendered / "first")
    chapters = {f"{Path(entry.chapter).stem}.html" for entry in catalogue(rendered)}
    assert set(found) == chapters
    assert {page: round(ease) for page, ease in found.items() if ease <= 60} == {}


def test_every_code_is_a_link_to_its_entry(rendered):
    """Clauses, conflicts, departures, deviations and rules, in prose and tables: what their lists have is linked, and
    each link has its target.
    """
    pages = dict(read_codes(rendered / "first"))
    known = known_codes(rendered)
    loose = [
        f"{name}: {text.strip()[:90]}" for name, page in pages.items() for text in page.texts if known & codes(text)
    ]
    assert loose == []
    links = [(name, link) for name, page in pages.items() for link in page.links]
    assert len(links) > 500
    lost = [
        (name, link)
        for name, link in links
        for page, _, place in [link.partition("#")]
        if place not in pages[page or name].ids
    ]
    assert lost == []
    # A result is named with its study where another study has one of that name, so that it is a link as well.
    results = set(pd.read_csv(rendered / "first/results.csv", usecols=["result_id"])["result_id"])
    results |= {name.partition("/")[2] for name in results}
    assert [(name, text) for name, page in pages.items() for text in page.loose if text in results] == []
    # A clause of a report is called like a rule of the checks: outside the list of rules no link to it ends there.
    taken = {f"code-rule-{code.lower()}" for code in own_codes(rendered)}
    assert [(name, link) for name, link in links if name != "C-data.html" and link.partition("#")[2] in taken] == []
    # In print every code within a volume is a link of the document, and none leads nowhere, or Typst would refuse.
    with pikepdf.open(rendered / "first/appendices.pdf") as pdf:
        within = sum(str(note.get("/Subtype")) == "/Link" for page in pdf.pages for note in page.get("/Annots", []))
    assert within > sum(name[:2] in ("A-", "B-", "C-", "D-", "E-", "F-", "G-", "H-") for name, _ in links)


def test_every_published_figure_is_accounted_for(rendered):
    page = words(rendered / "first/D-consistency.html")
    assert "Of 346 figures and claims in the list of published results" in page
    assert (
        re.search(r"\d+ do not match, (each for a reason that|\d+ of them for no other reason than)", page)
        and "The data differ" not in page
    )


def test_the_planned_number_stands_in_sentence_table_and_figure(rendered):
    row = planned_row(rendered / "first")
    page = words(rendered / "first/02-goal-setting.html")
    size = number(abs(row["estimate"]))
    assert re.search(rf"Sickness absence was (lower|higher) by {re.escape(size)} working days", page)
    assert f"CI {interval(row['conf_low'], row['conf_high'])}" in page  # the sentence
    assert page.count(interval(row["conf_low"], row["conf_high"])) >= 3  # sentence, planned table, table of versions
    html = (rendered / "first/02-goal-setting.html").read_text(encoding="utf-8")
    assert f"As planned: {number(row['estimate'])} ({interval(row['conf_low'], row['conf_high'])})" in html  # alt text


def test_rendering_again_runs_nothing_and_gives_the_same_bytes(rendered):
    said = (rendered.parent / "again.txt").read_text(encoding="utf-8")
    assert "Nothing has changed" in said and "running" not in said
    assert digests(rendered / "_output") == digests(rendered / "first")


def test_the_code_of_all_chapters_run_again_prints_the_same(rendered, tmp_path):
    """What is read of the cells by kernels that keep nothing, and the pictures that they write. That a report made of
    the same outputs by another process has the same bytes: test_render_reproducible; of this book that too, below.
    """
    project = tmp_path / "project"
    shutil.copytree(rendered, project, ignore=shutil.ignore_patterns("first", "_output", "volumes", "texts"))
    book = load_project(project)
    sources = [read_chapter(book, chapter) for chapter in book.chapters]

    def printed(*, fresh):
        done = execute(book, sources, declared=declared_inputs(), fresh=fresh)
        assert all(each.reused != fresh for source, each in zip(sources, done, strict=True) if source.has_code)
        return [weave(book, *pair) for pair in zip(sources, done, strict=True)]

    kept = printed(fresh=False)
    shutil.rmtree(project / "report/figures")
    again = printed(fresh=True)
    assert [source.chapter.path for source, *pair in zip(sources, kept, again, strict=True) if pair[0] != pair[1]] == []
    figures, drawn = (digests(home / "report/figures") for home in (rendered, project))
    assert len(kept) > 20 and len(figures) > 50 and drawn == figures


@pytest.mark.slow
def test_chapters_run_again_give_the_same_bytes(rendered, tmp_path):
    """Nothing of the chapters' code and texts is kept. The results are, and the volumes by what they are set from: were
    that another byte, they would be set again and kept too.
    """
    project = tmp_path / "project"
    shutil.copytree(rendered, project, ignore=shutil.ignore_patterns("first", "rendered.json"))
    cache = project / ".report/cache"
    for path in [*cache.glob("*.json"), cache / "texts"]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    volumes = {path.name for path in (cache / "volumes").iterdir()}
    done = hhp(project, "render")
    assert "Nothing has changed" not in done.stderr and len(list(cache.glob("*.json"))) > 20
    assert digests(project / "_output") == digests(rendered / "first")
    assert {path.name for path in (cache / "volumes").iterdir()} == volumes and len(volumes) == 3


@pytest.mark.slow
def test_rendering_afresh_gives_the_same_bytes(rendered, tmp_path):
    """Results, chapters and volumes; the results of a study to the last digit, and both formats of a small book, are in
    the fast tests too.
    """
    project = tmp_path / "project"
    shutil.copytree(rendered, project, ignore=shutil.ignore_patterns("first"))
    hhp(project, "render", "--fresh")
    assert digests(project / "_output") == digests(rendered / "first")


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def corrected(rendered, tmp_path_factory):
    """One member of staff in Bromley was absent for sixty more days than first returned.

    Their baseline is recorded: an imputed one would move with the outcome and swallow most of the change.
    """
    project = tmp_path_factory.mktemp("corrected") / "project"
    shutil.copytree(rendered, project, ignore=shutil.ignore_patterns("first"))
    first_return = load_workbook(project / "data/returns/goal_setting/bromley/baseline.xlsx", data_only=True)["Return"]
    head = next(row for row in first_return.iter_rows(values_only=True) if row[0] == "Unique Staff ID")
    days = next(n for n, label in enumerate(head) if label and "Illness related absence" in str(label))
    recorded = {
        row[0] for row in first_return.iter_rows(min_row=8, values_only=True) if isinstance(row[days], int | float)
    }
    sheet = load_workbook(project / "data/returns/goal_setting/bromley/endline.xlsx", data_only=True)["Return"]
    head = next(row for row in sheet.iter_rows(values_only=True) if row[0] == "Unique Staff ID")
    place = next(n for n, label in enumerate(head) if label and "Illness related absence" in str(label))
    left = next(n for n, label in enumerate(head) if label and "Left the authority" in str(label))
    total = next(n for n, label in enumerate(head) if label and "Overall absence" in str(label))
    started = next(n for n, label in enumerate(head) if label and "Start date" in str(label))
    for row in sheet.iter_rows(min_row=8, values_only=True):
        fits = isinstance(row[place], int | float) and 3 <= row[place] <= 20 and str(row[left]).lower() == "no"
        if fits and row[0] in recorded and row[started] is None and isinstance(row[total], int | float):
            break
    else:
        pytest.fail("nobody in Bromley has the pattern that this test corrects")
    staff, old, whole = row[0], row[place], row[total]
    with (project / "data/corrections.csv").open("a", encoding="utf-8", newline="") as stream:
        line = csv.writer(stream, lineterminator="\n")
        common = ["2020-04-20", "goal_setting", "endline", "Bromley", staff]
        line.writerow(
            ["K1", *common, "overall_absence_days", f"{whole:g}", f"{whole + 60:g}", "long illness missed", "authority"]
        )
        line.writerow(["K2", *common, "illness_days", f"{old:g}", f"{old + 60:g}", "long illness missed", "authority"])
    hhp(project, "results")
    return project


def test_one_correction_moves_results_sentences_tables_and_figures_together(rendered, corrected):
    results = corrected / ".report/results"
    old, new = planned_row(rendered / "first"), planned_row(results)
    assert abs(new["estimate"] - old["estimate"]) > 0.01  # sixty days over 1,290 people are 0.1 days an arm
    # That a page follows what its code prints, and its code what it read: test_render_cache, test_unchanged, test_leaks.
    chapter, front = printed_again(corrected, "report/02-goal-setting.qmd", "index.qmd")
    assert interval(new["conf_low"], new["conf_high"]) in chapter.words
    assert interval(old["conf_low"], old["conf_high"]) not in chapter.words, (
        "a number of the last results is still there"
    )
    before = {path.name for path in (rendered / "report/figures").glob("*.svg")}
    moved = {name.rsplit("-", 1)[0] for name in (chapter.figures | front.figures) - before}
    assert before & (chapter.figures | front.figures), "every figure has another name"
    for figure in ("absence-versions", "front-primary"):  # the second is on the first page
        assert any(figure in name for name in moved), f"the figure {figure} did not change"
    frames = (read_results(folder / "results.csv") for folder in (rendered / "first", results))
    changes = changed_results(*frames)
    assert PLANNED in set(changes["result_id"]) and set(changes["change"]) == {"moved"}


def test_the_correction_is_listed_with_its_person_hidden(corrected):
    table = pd.read_csv(corrected / ".report/results/goal_setting/corrections.csv")
    assert list(table["id"]) == ["K1", "K2"]


def test_flipping_the_arms_flips_words_titles_and_alternative_texts(rendered, tmp_path):
    project = tmp_path / "flipped"
    shutil.copytree(rendered, project, ignore=shutil.ignore_patterns("first", "_output"))  # results and texts are kept
    path = project / "data/allocation/goal_setting.csv"
    teams = pd.read_csv(path)
    teams["treatment"] = 1 - teams["treatment"]
    teams.to_csv(path, index=False, lineterminator="\n")
    refresh_manifest(project, path)
    refused = hhp_here(project, "results")
    assert refused.returncode == 1 and "[A06]" in refused.stderr and "[G05]" in refused.stderr
    explain_findings(project)
    hhp(project, "results")
    chapter, appendix = printed_again(project, "report/02-goal-setting.qmd", "report/A-deviations.qmd")
    assert "X-A06" in appendix.words and "the arms were sent out exchanged" in appendix.words
    old, new = planned_row(rendered / "first"), planned_row(project / ".report/results")
    assert old["estimate"] * new["estimate"] < 0
    direction = "higher" if new["estimate"] > 0 else "lower"
    assert f"Sickness absence was {direction} by" in chapter.words
    assert f"As planned: {number(new['estimate'])} (" in chapter.words  # alternative text


class Printed(NamedTuple):
    """What a chapter says, figures by their alternative texts, on one line; and the names of its figures' files, which follow their content."""

    words: str
    figures: set[str]


def printed_again(project, *paths):
    """What these chapters print on the results of now: their code is run where what it read has changed."""
    book = load_project(project)
    sources = [read_chapter(book, chapter) for path in paths for chapter in book.chapters if chapter.path == path]
    woven = [weave(book, *pair) for pair in zip(sources, execute(book, sources), strict=True)]
    assert len(woven) == len(paths)
    return [
        Printed(
            words=" ".join(plain(each.markdown + "".join(each.tables.values())).split()),
            figures=set(re.findall(r"[\w-]+\.svg", each.markdown)),
        )
        for each in woven
    ]


def explain_findings(project):
    """A deviation for everything that stops the trial now, as if it had really been so."""
    found = {}
    for problem in gather(project, "goal_setting").all_problems():
        if problem.severity == "error":
            found.setdefault(problem.code, set()).update(units_of(problem))
    entries = "".join(
        f'\n[[deviation]]\nid = "X-{code}"\nstudy = "goal_setting"\nclause = ""\nanalysis ='
        f' "data/allocation/arms"\naspect = "randomisation"\nrule = "{code}"\nunits = {sorted(units)}\nplanned = "as'
        ' drawn"\ndone = "exchanged"\nreason = "In this copy the arms were sent out exchanged."\ndecided = "for a'
        ' test"\nbefore_unblinding = false\n'
        for code, units in found.items()
    )
    file = project / "data/plan/deviations.toml"
    file.write_text(file.read_text(encoding="utf-8") + entries.replace("'", '"'), encoding="utf-8")


def units_of(problem):
    """What a finding about the trial's teams and course is about, as its message names it."""
    if "; units: " in problem.value:
        return problem.value.split("; units: ")[1].split(", ")
    if problem.code == "G05":
        return [problem.value.rsplit("(", 1)[1].rstrip(")")]
    if problem.code == "G06":
        return [problem.value.rsplit(" in ", 1)[1]]
    return re.findall(r"[A-Z]{3}-T\d+", problem.value)


OPPOSITE = {"lower": "higher", "lowered": "raised", "fewer": "more"}
OPPOSITE |= {new: old for old, new in OPPOSITE.items()}
FAVOURS = {
    "in favour of the goal-setting group": "in favour of the control group",
    "in favour of the control group": "in favour of the goal-setting group",
}
EFFECTS = ("itt", "cace")


def clear(results):
    """The same estimates with a tenth of their uncertainty, so that most effects are clear."""
    found = results.copy()
    for side in ("conf_low", "conf_high"):
        found[side] = found["estimate"] + (found[side] - found["estimate"]) / 10
    return found.assign(p_value=found["p_value"].where(~found["estimand"].isin(EFFECTS), 0.001))


def mirrored(results):
    """What the results would be had the effects the opposite sign: estimates negated, intervals turned round, arms
    exchanged.
    """
    found = results.copy()
    turned = found["estimand"].isin(EFFECTS) | ((found["outcome"] == "benefit_cost") & (found["estimand"] == "ratio"))
    low, high = found["conf_low"].copy(), found["conf_high"].copy()
    found.loc[turned, "estimate"] *= -1
    found.loc[turned, "statistic"] *= -1
    found.loc[turned, "conf_low"], found.loc[turned, "conf_high"] = -high[turned], -low[turned]
    odds = (found["outcome"] == "turnover") & (found["estimand"] == "ratio")
    found.loc[odds, "estimate"] = 1 / found.loc[odds, "estimate"]
    found.loc[odds, "conf_low"], found.loc[odds, "conf_high"] = 1 / high[odds], 1 / low[odds]
    for what in ("mean", "predicted"):
        control, treatment = (found["estimand"] == f"{what}_{arm}" for arm in ("control", "treatment"))
        for one, other in ((control, treatment), (treatment, control)):
            key = results.loc[other].set_index(["outcome", results.loc[other, "result_id"].str.split("/").str[-1]])[
                "estimate"
            ]
            place = list(
                zip(found.loc[one, "outcome"], found.loc[one, "result_id"].str.split("/").str[-1], strict=True)
            )
            found.loc[one, "estimate"] = key.reindex(place).to_numpy()
    return found


def directions(text):
    """The words of direction in a sentence, in order."""
    for words in FAVOURS:
        text = text.replace(words, words.replace(" ", "_"))
    known = {*OPPOSITE, *(words.replace(" ", "_") for words in FAVOURS)}
    return [word for word in re.findall(r"[\w-]+", text) if word in known]


def opposite(words):
    swapped = {old.replace(" ", "_"): new.replace(" ", "_") for old, new in FAVOURS.items()} | OPPOSITE
    return [swapped[word] for word in words]


@cache
def read_once(rendered):
    """The trial's output and plan, read for all tests of its words: nobody edits them."""
    return read_output(rendered, "goal_setting"), load_plan(rendered, "goal_setting")


def report_of(rendered, results):
    output, plan = read_once(rendered)
    return StudyReport(
        root=rendered,
        plan=plan,
        output=replace(output, results=results),
        document="report/02-goal-setting.qmd",
    )


# Sentences about effects. The others are about people, records, the design or what is put in the place of missing
# values.
DIRECTED = (
    "primary",
    "turnover",
    "meaning",
    "absence_robustness",
    "wellbeing",
    "mediators",
    "bradford",
    "complier",
    "absence_rate",
    "exploratory_outcomes",
)


# Left out: an interval on both sides of zero is told from its low to its high end whatever the sign, and versions
# that all agree, and exploratory outcomes of which none is clear, are counted without a direction.
@pytest.mark.parametrize(
    ("name", "sure"),
    [
        (n, s)
        for n in DIRECTED
        for s in (False, True)
        if (n, s) not in (("meaning", False), ("absence_robustness", True), ("exploratory_outcomes", False))
    ],
)
def test_a_mirrored_effect_mirrors_the_words(rendered, name, sure):
    results = read_once(rendered)[0].results
    results = clear(results) if sure else results
    say = SENTENCES[name]
    before, after = say(report_of(rendered, results)), say(report_of(rendered, mirrored(results)))
    assert directions(after) == opposite(directions(before)), (before, after)
    assert directions(before) or not sure, "a clear effect has a direction"
    # Words without numbers about no clear difference have no sign to turn, nor has a count of versions without one.
    turns = re.search(r"\d", before) and (name != "absence_robustness" or directions(before))
    assert before != after or not turns


def test_a_mirrored_effect_mirrors_figures_in_title_and_alternative_text(rendered, tmp_path):
    project = tmp_path / "project"  # figures are written where they are drawn: not among those of the report
    shutil.copytree(rendered, project, ignore=shutil.ignore_patterns("first", "_output", "cache"))
    results = clear(read_once(rendered)[0].results)
    before, after = (FIGURES["absence_versions"](report_of(project, found)) for found in (results, mirrored(results)))
    assert {"lower with goal-setting", "higher with goal-setting"} == {
        next(words for words in ("lower with goal-setting", "higher with goal-setting") if words in figure.caption)
        for figure in (before, after)
    }
    row = mirrored(results).set_index("result_id").loc[PLANNED]
    assert f"As planned: {number(row['estimate'])} ({interval(row['conf_low'], row['conf_high'])})" in after.alt
    for name in ("wellbeing_versions",):
        old, new = (FIGURES[name](report_of(project, found)).alt for found in (results, mirrored(results)))
        signs = [re.findall(r": (\u2212?)(\d+\.\d+) \(", alt) for alt in (old, new)]
        assert len(signs[0]) > 15
        for (one, size), (other, same) in zip(*signs, strict=True):
            assert size == same and (one != other or float(size) == 0)


def test_every_sentence_about_an_effect_is_among_the_directed_ones(rendered):
    """A sentence whose words turn with the sign and that no test above looks at would go unnoticed."""
    results = clear(read_once(rendered)[0].results)
    before, after = report_of(rendered, results), report_of(rendered, mirrored(results))
    turned = {name for name, say in SENTENCES.items() if directions(say(before)) != directions(say(after))}
    assert turned <= set(DIRECTED) | {"wellbeing_parts"}, turned


DAMAGES = {
    "wrong header": ("heading", "Unique Staff ID", "Person number"),
    "a name for an ID": ("id", None, "Ann Other"),
    "negative absence": ("days", None, -3),
    "duplicated person": ("id", None, "copy"),
}


@pytest.fixture
def kent(rendered, tmp_path):
    """A copy of the rendered project whose last return of Kent a test may damage: the project, the file, its workbook
    and the row of its headings.
    """
    project = tmp_path / "project"
    shutil.copytree(rendered, project, ignore=shutil.ignore_patterns("first"))
    path = project / KENT
    book = load_workbook(path)
    top = next(row for row in range(1, 12) if book["Return"].cell(row, 1).value == "Unique Staff ID")
    return project, path, book, top


def damage(kent, name):
    """Put a damage into the workbook; its cell."""
    project, path, book, top = kent
    sheet = book["Return"]
    days = next(cell for cell in sheet[top] if cell.value and "Illness related absence" in str(cell.value))
    kind, _, value = DAMAGES[name]
    cell = {"heading": sheet.cell(top, 1), "id": sheet.cell(top + 3, 1), "days": sheet.cell(top + 3, days.column)}[kind]
    cell.value = sheet.cell(top + 2, 1).value if value == "copy" else value
    book.save(path)
    refresh_manifest(project, path)
    return cell.coordinate


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_workbook_is_refused_with_its_cell(kent, name):
    place = damage(kent, name)
    done = hhp_here(kent[0], "results")
    assert done.returncode == 1 and KENT in done.stderr
    if DAMAGES[name][0] != "heading":
        assert place in done.stderr
    assert "Other" not in done.stderr, "a name was shown"


def test_where_a_workbook_is_damaged_nothing_is_rendered(kent):
    project = kent[0]
    kept = digests(project / "_output")
    place = damage(kent, "a name for an ID")
    done = hhp(project, "render", check=False)
    assert done.returncode == 1 and "Traceback" not in done.stderr and "Other" not in done.stderr
    assert KENT in done.stderr and place in done.stderr
    assert digests(project / "_output") == kept, "the last good report was touched"


def test_a_leaving_date_before_the_start_is_refused(kent):
    project, path, book, top = kent
    sheet = book["Return"]
    label = {str(cell.value): cell.column for cell in sheet[top] if cell.value}
    date = next(column for name, column in label.items() if "Leaving date" in name)
    row = next(r for r in range(top + 1, sheet.max_row + 1) if sheet.cell(r, date).value)
    sheet.cell(row, date).value = pd.Timestamp("2018-01-05").to_pydatetime()
    book.save(path)
    refresh_manifest(project, path)
    done = hhp_here(project, "results")
    assert done.returncode == 1 and sheet.cell(row, date).coordinate in done.stderr


def refresh_manifest(project, path):
    """A file that was replaced on purpose: the manifest says so."""
    manifest = project / "data/manifest.toml"
    name = re.escape(path.relative_to(project).as_posix())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    text, found = re.subn(rf'("{name}" = )"\w+"', rf'\1"{digest}"', manifest.read_text(encoding="utf-8"))
    assert found == 1
    manifest.write_text(text, encoding="utf-8")


def without_study(rendered, home, study):
    """A copy of the rendered project, its results and texts kept, out of which one study was taken."""
    home.mkdir()
    for name in ("data", "report", ".report"):
        shutil.copytree(rendered / name, home / name, ignore=shutil.ignore_patterns("figures", "*.lock"))
    for name in ("_quarto.yml", "index.qmd", "requirements.lock"):
        shutil.copy(rendered / name, home / name)
    remove(home, study)
    return home


def _one_of_each_kind() -> list[Any]:
    """Every study; those whose kind came before take their time in the slow tests."""
    kinds: set[str] = set()
    studies = []
    for entry in catalogue(ROOT):
        studies.append(pytest.param(entry.study, marks=[pytest.mark.slow] if entry.kind in kinds else []))
        kinds.add(entry.kind)
    return studies


def _first_study() -> list[Any]:
    """Every study; but for the first, a whole rendering without it is a slow test."""
    first, *others = (entry.study for entry in catalogue(ROOT))
    return [first, *(pytest.param(study, marks=pytest.mark.slow) for study in others)]


@pytest.mark.parametrize("study", _one_of_each_kind())
def test_without_any_one_study_the_results_of_the_others_stand(rendered, tmp_path, study):
    project = without_study(rendered, tmp_path / "project", study)
    before = read_results(rendered / ".report/results/results.csv")
    changed = {
        one.key
        for one in studies_of(project)
        for path in input_files(project, one.patterns)
        if path.read_bytes() != (rendered / path.relative_to(project)).read_bytes()
    }
    ran = run_studies(project, progress=lambda key: silent, workers=1)
    assert set(ran.studies) <= changed  # who read something that named what went runs again, and nobody else
    after = read_results(project / ".report/results/results.csv")
    # The protocol of one trial compares it with others by name: that row goes with the other.
    gone = (before["study"] == study) | before["result_id"].str.endswith(f"/comparison/{study}")
    expected = before.loc[~gone].reset_index(drop=True)
    # Numbers stand to the last digit; a population that is told apart by the other trial is called without its name.
    pd.testing.assert_frame_equal(
        after.drop(columns="population"), expected.drop(columns="population"), check_exact=True
    )
    renamed = expected.loc[after["population"] != expected["population"], "population"]
    assert all(study_entry(ROOT, study).name.lower() in population.lower() for population in renamed)
    assert not (project / ".report/results" / study).exists()


@pytest.mark.parametrize("study", _first_study())
def test_without_a_study_no_page_has_a_word_of_it(rendered, tmp_path, study):
    entry = study_entry(ROOT, study)
    project = without_study(rendered, tmp_path / "project", study)
    hhp(project, "render", "--format", "html")
    pages = sorted((project / "_output").glob("*.html"))
    assert len(pages) == len(list((rendered / "_output").glob("*.html"))) - 1 - len(entry.pages)
    said = [entry.name, entry.title, entry.title.split(":")[0], study, entry.noun, f"{study.replace('_', '-')} "]
    for page in pages:
        text = words(page)
        found = [word for word in said if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text, re.IGNORECASE)]
        assert not found, (page.name, found)
