"""New trials from their tables to pages, PDF and bundles, with plans of at most 60 lines and no Python: two public
trials, a made-up one of three arms in other words with an outcome that is all missing in one arm and a surgery of
two, one in another country's file with signs and digits in its names, and a pilot with the plan as it is written for
it.

Everything is done by commands, in a copy of the project that keeps its pilots; one rendering serves all tests.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pikepdf
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))
from table_trials import DICTIONARY, PLAN, walks
from test_pilot_plan import diary
from test_trials_on_tables import HERE, from_r, lines

from hhp_stats.plan.catalogue import catalogue

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow
KINDS = {"walks": "cluster trial", "btheb": "individual trial", "awards": "cluster trial"}
TITLES = {
    "walks": "Walks on prescription: cluster trial of surgeries",
    "btheb": "Beat the Blues: individually randomised trial",
    "awards": "Achievement Awards: cluster randomised trial of schools",
}
PARTS = (
    "summary", "design", "participants", "balance", "outcomes", "results", "versions", "missing", "sensitivities",
    "deviations", "limits", "data", "consort",
)  # fmt: skip


@dataclass(frozen=True)
class Whole:
    """The project with all three, rendered, and how its chapters are called."""

    home: Path
    chapters: dict[str, str]
    short: dict[str, str]

    def page(self, name: str) -> str:
        """The visible words of a page."""
        text = (self.home / "_output" / f"{name}.html").read_text(encoding="utf-8")
        text = re.sub(r"<(script|style).*?</\1>", " ", text, flags=re.DOTALL)
        text = text.replace("<wbr>", "")  # where a line may end within a word
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", text)).split())

    def chapter(self, study: str) -> str:
        """The visible words of a trial's chapter."""
        return self.page(Path(self.chapters[study]).stem)


CLASSES = "Kinder & <Klassen> 2 | $1_x"
ARM, LABEL = "L'école & <plus> | $5 to $10", "Reads *alone* <b> [1]"


def enter_classes(home: Path, folder: Path, hhp: Callable[..., str]) -> None:
    """A cluster trial from a file in Windows-1252, with semicolons and dates of its country, in strata with numbers for
    names; the plan is that of `hhp new` but for words, and for versions of the analysis of every shape.
    """
    rng = np.random.default_rng(11)
    school = np.repeat(np.arange(16), 18)
    arm = np.where(school % 2, ARM, "Übliche Förderung")
    before, after = rng.integers(0, 2, len(school)), rng.random(len(school)) < 0.4 + 0.2 * (school % 2)
    frame = pd.DataFrame(
        {
            "Kind_Nr": np.arange(len(school)) + 1,
            "Klasse": [f"Kl. {c}" for c in school],
            "Gruppe": arm,
            "Bezirk": school // 8 + 1,
            "liest_pre": before,
            "liest_post": after.astype(int),
            "Prüfung": pd.Timestamp("2024-03-05").strftime("%d.%m.%Y"),
        }
    )
    path = folder / "classes2.csv"
    frame.to_csv(path, sep=";", index=False, encoding="cp1252")
    hhp(
        "new", "classes2", "--kind", "cluster trial", "--data", str(path), "--title", f"{CLASSES}: trial",
        "--arm", "Gruppe",
    )  # fmt: skip
    plan = home / "data/plan/classes2.toml"
    text = plan.read_text(encoding="utf-8")
    for old, new in (
        (" [to be confirmed]", ""),
        ('["klasse", "klasses"]', '["class", "classes"]'),
        ('["person", "people"]', '["child", "children"]'),
        ("Groups (klasse)", "Classes"),
        ('label = "liest"', f'label = "{LABEL}"'),
        ('# strata = ["column"]', 'strata = ["bezirk"]'),
        ('terms = ["baseline"]', 'terms = ["baseline", "bezirk"]'),
        ("# beside = [", 'beside = ["unadjusted", "firth", "logit", "lee-bounds", "randomisation"]  # ['),
    ):
        assert old in text, old
        text = text.replace(old, new)
    plan.write_text(text, encoding="utf-8")
    described = plan.with_name("classes2.dictionary.csv")
    lines = described.read_text(encoding="utf-8").replace(" [to be confirmed]", "")
    assert "bezirk,Bezirk,number,,1,2,," in lines and "prufung,Prüfung,date" in lines
    described.write_text(
        lines.replace("bezirk,Bezirk,number,,1,2,,", "bezirk,Bezirk,category,,,,1|2,"), encoding="utf-8"
    )
    hhp("check", "classes2")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """What a statistician does: enter each table, put the plan and the dictionary in, check, render, pack."""
    folder = tmp_path_factory.mktemp("trials")
    home = folder / "project"
    home.mkdir()
    for name in ("data", "report"):
        shutil.copytree(ROOT / name, home / name, ignore=shutil.ignore_patterns("figures", "releases"))
    for path in ROOT.iterdir():
        if path.is_file() and path.suffix in (".yml", ".qmd", ".lock", ".toml", ".md", "") and path.name[0] != ".":
            shutil.copy(path, home)
    imprint = home / "data/imprint.toml"
    said = imprint.read_text(encoding="utf-8")
    for mark, words in (
        ('doi = "[to be confirmed]"', 'doi = "10.1234/abcd"'),
        ('isbn = "[to be confirmed]"', 'isbn = "978-0-306-40615-7"'),
    ):
        said = said.replace(mark, words)
    imprint.write_text(said.replace("[to be confirmed]", "An office"), encoding="utf-8")

    def hhp(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "hhp_stats", *words],
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "HHP_PSEUDONYM_KEY_FILE": str(folder / "key")},
        )
        assert done.returncode == 0, f"{words}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    hhp("key", str(folder / "key"))
    for entry in catalogue(ROOT):
        if entry.kind != "pilot":  # the pilots stay, on synthetic data; the others would draw for minutes
            hhp("remove", entry.study, "--yes")
    tables = {
        "walks": walks(),
        "btheb": from_r("HSAUR3", "BtheB", folder),
        "awards": from_r("clubSandwich", "AchievementAwardsRCT", folder, subset='d[d$year == "2001", ]'),
    }
    chapters, short = {}, {}
    for study, table in tables.items():
        table.to_csv(folder / f"{study}.csv", index=False)
        arm = ["--arm", "offered"] if study == "walks" else []
        hhp(
            "new", study, "--kind", KINDS[study], "--data", str(folder / f"{study}.csv"), "--title", TITLES[study], *arm
        )
        own = (home / f"data/plan/{study}.toml").read_text(encoding="utf-8")
        head = {
            key: re.search(rf"^{key} = (.*?) *(#.*)?$", own, re.MULTILINE)[0] for key in ("chapter", "short", "order")
        }
        chapters[study] = head["chapter"].split('"')[1]
        short[study] = head["short"].split('"')[1]
        plan = PLAN if study == "walks" else (HERE / f"{study}.toml").read_text(encoding="utf-8")
        for key, line in head.items():
            plan = re.sub(rf"^{key} = .*$", line, plan, flags=re.MULTILINE)
        assert study == "walks" or lines(plan) <= 60
        described = DICTIONARY if study == "walks" else (HERE / f"{study}.dictionary.csv").read_text(encoding="utf-8")
        (home / f"data/plan/{study}.toml").write_text(plan, encoding="utf-8")
        (home / f"data/plan/{study}.dictionary.csv").write_text(described, encoding="utf-8")
        hhp("check", study)
    enter_classes(home, folder, hhp)
    diary().drop(columns="Release").to_csv(folder / "diary.csv", index=False)
    hhp("new", "diary", "--kind", "pilot", "--data", str(folder / "diary.csv"), "--title", "Sleep diary: a pilot")
    for name in ("diary.toml", "diary.dictionary.csv"):
        path = home / "data/plan" / name
        path.write_text(path.read_text(encoding="utf-8").replace(" [to be confirmed]", ""), encoding="utf-8")
    hhp("check", "diary")
    hhp("render")
    hhp("bundle", "review.zip")
    hhp("bundle", "blind.zip", "--blind", "--seed", "20261121")
    return Whole(home=home, chapters=chapters, short=short)


@pytest.mark.parametrize("study", KINDS)
def test_the_chapter_has_every_standard_part_in_the_words_of_its_trial(whole: Whole, study: str) -> None:
    source = (whole.home / "_output" / f"{Path(whole.chapters[study]).stem}.html").read_text(encoding="utf-8")
    assert not [part for part in PARTS if f'id="sec-{whole.short[study]}-{part}"' not in source]
    text = whole.chapter(study)
    assert "CONSORT items: where the chapter answers each" in text and "SHA" not in text
    assert ("Cluster 3a" in text) == (KINDS[study] == "cluster trial")
    assert f"data/tables/{study}.csv" in text and "computed a second time" in text
    assert not re.search(r"\bnan\b|synthetic", text, re.IGNORECASE)  # the trials are real


def test_three_arms_and_what_cannot_be_estimated_is_said(whole: Whole) -> None:
    text = whole.chapter("walks")
    for label in ("GP leaflet", "NHS coach", "Usual care", "surgeries", "patients"):
        assert label in text
    assert "Pain (NRS): GP leaflet could not be analysed" in text
    assert "is known for nobody in \u201cGP leaflet\u201d" in text
    assert text.count("Steps a day: NHS coach") > 1


def test_numbers_of_the_public_trials_are_those_of_other_software(whole: Whole) -> None:
    assert "3.08 lower in \u201cBeat the Blues\u201d" in whole.chapter("btheb")
    awards = whole.chapter("awards")
    assert "3.0 percentage points higher in \u201cAward programme\u201d" in awards and "39 schools" in awards


def test_signs_of_names_and_labels_stand_on_every_page_as_in_the_plan(whole: Whole) -> None:
    (page,) = (path.stem for path in (whole.home / "_output").glob("*-classes2.html"))
    text = whole.page(page)
    assert CLASSES in text and f"“{ARM.replace(chr(39), chr(0x2019))}”" in text and LABEL in text
    assert "16 classes with 288 children were" in text and "within strata of Bezirk" in text and "klasse" not in text
    assert "CR2 by class" in text and "Firth" in text and "In standard deviations" in text
    for other in ("index", "01-programme", "11-discussion", "B-sensitivity", "C-data", "G-consort"):
        assert CLASSES in whole.page(other), other
    with pikepdf.open(whole.home / "_output/report.pdf") as pdf, pdf.open_outline() as outline:
        assert any(CLASSES in str(item.title) for item in outline.root)


@pytest.mark.parametrize("study", KINDS)
def test_every_page_about_all_studies_has_the_new_ones(whole: Whole, study: str) -> None:
    name = re.search(
        r'^name = "(.*?)"', (whole.home / f"data/plan/{study}.toml").read_text(encoding="utf-8"), re.MULTILINE
    )[1]
    for page in ("11-discussion", "C-data", "E-methods", "F-reproducibility"):
        assert name in whole.page(page), (page, name)
    assert f"data/tables/{study}.csv" in whole.page("F-reproducibility")


def test_a_pilot_has_its_numbers_classes_and_data(whole: Whole) -> None:
    (page,) = (path.stem for path in (whole.home / "_output").glob("*-diary.html"))
    text = whole.page(page)
    assert "60 people took part in this pilot" in text and "those that the pilot collected" in text
    assert re.search(r"Used it All people 48 33 69 ?% 54 to 81 ?%", text) and "Not known 12 20%" in text
    assert not re.search(r"\bnan\b|synthetic|p-value|CONSORT", text)
    assert "data/tables/diary.csv" in whole.page("F-reproducibility") and "Sleep diary" in whole.page("11-discussion")


def test_what_is_said_of_the_data_follows_each_study(whole: Whole) -> None:
    front = whole.page("index")
    assert "Synthetic data in part" in front
    assert "this chapter is computed from a synthetic release" in whole.page("09-dictation")


def test_no_page_has_a_word_of_the_studies_that_went(whole: Whole) -> None:
    gone = [entry for entry in catalogue(ROOT) if entry.kind != "pilot"]
    for page in sorted((whole.home / "_output").glob("*.html")):
        text = whole.page(page.stem)
        found = [
            e.noun for e in gone if re.search(rf"(?<![\w-])({e.name}|{e.noun})(?![\w-])", text) and e.study != "letters"
        ]
        assert not found, (page.name, found)
        assert "letters trial" not in text


def test_the_print_holds_the_chapters(whole: Whole) -> None:
    with pikepdf.open(whole.home / "_output/report.pdf") as pdf, pdf.open_outline() as outline:
        titles = [str(item.title) for item in outline.root]
    for study in KINDS:
        assert any(TITLES[study].split(":")[0] in title for title in titles), (study, titles)


def test_the_bundles_hold_plans_and_no_data_and_the_blind_one_no_arm(whole: Whole) -> None:
    review, blind = (zipfile.ZipFile(whole.home / name) for name in ("review.zip", "blind.zip"))
    names, hidden = review.namelist(), blind.namelist()
    for study in KINDS:
        assert any(name.endswith(f"data/plan/{study}.toml") for name in names)
        assert any(name.endswith(f"data/plan/{study}.dictionary.csv") for name in names)
        assert any(name.endswith(whole.chapters[study]) for name in names)
        assert not [name for name in (*names, *hidden) if "data/tables" in name]
        assert not [name for name in hidden if name.endswith(whole.chapters[study])]
    for study in ("btheb", "awards"):  # of two arms: the plan is read with its dictionary
        assert any(name.endswith(f"data/plan/{study}.dictionary.csv") for name in hidden)
    results = next(name for name in hidden if name.endswith("blinded/results.csv"))
    told = blind.read(results).decode()
    assert "btheb/bdi/itt/hc2" in told and "walks/steps/itt" not in told  # three arms cannot be called A and B
    assert not re.search(r"mean_(control|treatment)|Beat the Blues|Award programme|No award|Treatment as usual", told)
    kept = "".join(blind.read(name).decode("utf-8", "ignore") for name in hidden if "blinded/" in name)
    assert "usual care" not in kept and "NHS coach" not in kept
