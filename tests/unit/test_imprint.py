"""Who answers for the report: typed reading, agreement with the book, placeholders refused for real data, the citation."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from hhp_stats.cli import report as report_commands
from hhp_stats.errors import PlanError, RenderError
from hhp_stats.plan.book_studies import TO_CONFIRM
from hhp_stats.plan.imprint import IMPRINT, read_imprint, refuse_unconfirmed, unconfirmed
from hhp_stats.present import imprint as shown
from hhp_stats.publish.cite import bibtex, citation
from hhp_stats.publish.pandoc import words_of
from hhp_stats.publish.project import load_project

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """What says who answers for the report, and what the data are."""
    for name in ("report", "data/plan", "data/published"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("figures"))
    for name in ("_quarto.yml", "index.qmd", IMPRINT, "data/manifest.toml"):
        shutil.copy(PROJECT / name, tmp_path / name)
    return tmp_path


def edited(home: Path, old: str, new: str, *, file: str = IMPRINT) -> None:
    path = home / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_book_and_its_imprint_agree() -> None:
    project = load_project(PROJECT)
    assert project.imprint is not None
    assert project.authors == tuple(author.name for author in project.imprint.authors)
    assert project.date == project.imprint.date


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'author: "The hhp_stats contributors"',
            'author: "Somebody else"',
            "'book.author' must be what data/imprint.toml",
        ),
        ("date: 2026-11-21", "date: 2026-11-22", "'book.date' must be what data/imprint.toml says: 2026-11-21"),
    ],
)
def test_a_book_that_says_otherwise_is_refused(home: Path, old: str, new: str, said: str) -> None:
    edited(home, old, new, file="_quarto.yml")
    with pytest.raises(RenderError, match=said):
        load_project(home)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('version = "0.1.0"\n', "", "lacks 'version'"),
        ('version = "0.1.0"', "version = 1", "has 1 under 'version'"),
        ('licence = "MIT"', 'licence = "MIT"\nlicense = "MIT"', "'license'"),
        ('doi = "[to be confirmed]"', 'doi = "doi:10.1"', "Write one such as 10.1234/abcd"),
        ('isbn = "[to be confirmed]"', 'isbn = "12"', "Write one such as 978"),
        ("[[author]]", "[[writer]]", "unknown key 'writer'"),
        ('part = "academic collaborator"', 'part = "friend"', "friend"),
    ],
)
def test_what_is_wrong_is_refused_by_file_and_key(home: Path, old: str, new: str, said: str) -> None:
    edited(home, old, new)
    with pytest.raises(PlanError, match=said) as refused:
        read_imprint(home)
    assert IMPRINT in str(refused.value)


def test_placeholders_are_refused_once_any_study_is_real(home: Path) -> None:
    report_commands._answered_for(home)  # synthetic: they may stand
    edited(home, "[files]", '[status_of]\nswing = "real"\n\n[files]', file="data/manifest.toml")
    with pytest.raises(PlanError, match="publisher") as refused:
        report_commands._answered_for(home)
    for key in unconfirmed(read_imprint(home)):
        assert key in str(refused.value)
    path = home / IMPRINT
    text = path.read_text(encoding="utf-8")
    for key, value in (("doi", "10.1234/hhp"), ("isbn", "978-0-306-40615-7")):
        text = text.replace(f'{key} = "{TO_CONFIRM}"', f'{key} = "{value}"')
    path.write_text(text.replace(TO_CONFIRM, "Known"), encoding="utf-8")
    report_commands._answered_for(home)
    path.unlink()
    with pytest.raises(PlanError, match="does not exist"):
        refuse_unconfirmed(home)


@pytest.mark.parametrize(("data", "older"), [("2026-11-20", 0), ("2026-11-21", 0), ("2026-11-22", 1), ("second", 0)])
def test_a_report_older_than_its_data_is_refused(home: Path, data: str, older: int) -> None:
    edited(home, "release = 2026-11-21", f'release = "{data}"', file="data/manifest.toml")
    if not older:
        report_commands._answered_for(home)
        return
    with pytest.raises(PlanError, match="before the data of 2026-11-22"):
        report_commands._answered_for(home)


def test_nobody_of_the_documents_is_an_author_of_the_report() -> None:
    found = read_imprint(PROJECT)
    assert not {person.name for person in found.people} & {author.name for author in found.authors}
    text = shown.about(root=PROJECT)
    assert "They did not write this report." in text
    assert all(person.name in text and person.affiliation in text for person in found.people)
    assert all(funder.name in text and funder.grant in text for funder in found.funders)


def test_a_report_may_have_no_identifiers(home: Path) -> None:
    """Not every report of real data has an ISBN or a DOI: "none" says so, and nothing of it is printed."""
    edited(home, f'isbn = "{TO_CONFIRM}"', 'isbn = "none"')
    assert "isbn" not in unconfirmed(read_imprint(home))
    assert f"**Identifiers.** DOI {TO_CONFIRM}" in shown.about(root=home).replace("\\", "")
    edited(home, f'doi = "{TO_CONFIRM}"', 'doi = "none"')
    assert "Identifiers" not in shown.about(root=home) and "none" not in bibtex(load_project(home))


def test_the_citation_leaves_out_what_is_open_and_says_what_the_data_are(home: Path) -> None:
    project = replace(load_project(home), banner="Made-up numbers.")
    entry = bibtex(project)
    assert "author = {{The hhp_stats contributors}}" in entry and "version = {0.1.0}" in entry
    assert "note = {Made-up numbers.}" in entry and TO_CONFIRM not in entry and "doi" not in entry
    section = citation(project, words_of(project))
    assert "Made-up numbers." in section and "Version 0.1.0" in section and TO_CONFIRM not in section
    edited(home, f'doi = "{TO_CONFIRM}"', 'doi = "10.1234/hhp"')
    edited(home, f'publisher = "{TO_CONFIRM}"', 'publisher = "The Press"')
    known = load_project(home)
    assert "doi = {10.1234/hhp}" in bibtex(known) and "institution = {The Press}" in bibtex(known)
    assert "https://doi.org/10.1234/hhp" in citation(known, words_of(known))
