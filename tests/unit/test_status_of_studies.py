"""Synthetic or real, study by study: what pages say of their data follows the manifest, and no page says it by itself."""

import re
import shutil
from pathlib import Path

import pytest

from hhp_stats.errors import PlanError
from hhp_stats.intake.manifest import MANIFEST
from hhp_stats.plan.catalogue import catalogue
from hhp_stats.present.origins import banner_sentence
from hhp_stats.present.release import WHOLE, banners, data_in_words, notice, while_synthetic
from hhp_stats.present.status import read_release
from hhp_stats.publish.project import load_project
from hhp_stats.publish.qmd import read_chapter
from hhp_stats.publish.source import Prose

ROOT = Path(__file__).resolve().parents[2]
KEYS = [entry.study for entry in catalogue(ROOT)]
SAYS = re.compile(r"synthetic", re.IGNORECASE)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Plans and published figures of the project, and a manifest without files."""
    for name in ("data/plan", "data/published"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def with_status(home: Path, *real: str, whole: str = "synthetic") -> Path:
    """The project with some studies real."""
    lines = [f'status = "{whole}"', "release = 2026-01-01", "[status_of]", *(f'{study} = "real"' for study in real)]
    (home / MANIFEST).write_text("\n".join([*lines, "[files]", ""]), encoding="utf-8")
    return home


def test_all_synthetic_as_the_book_says_it(home: Path) -> None:
    with_status(home)
    assert banners(home, "The book's own words.") == {WHOLE: f"The book's own words. {banner_sentence(home)}"}
    for study in ("", *KEYS):
        assert "Every figure in this report is computed from a synthetic release" in notice(study, root=home)
    assert "are synthetic for now" in data_in_words(root=home)


@pytest.mark.parametrize("whole", ["synthetic", "real"])
def test_all_real_without_a_word_of_it(home: Path, whole: str) -> None:
    with_status(home, *(KEYS if whole == "synthetic" else ()), whole=whole)
    assert banners(home) == ""
    said = [notice(study, root=home) for study in ("", *KEYS)]
    said += [while_synthetic(study, "synthetic", root=home) for study in KEYS] + [data_in_words(root=home)]
    assert not [text for text in said if SAYS.search(text)]


@pytest.mark.parametrize("study", [KEYS[0], KEYS[1], KEYS[-1]])
def test_a_real_study_among_synthetic_ones_is_not_called_synthetic(home: Path, study: str) -> None:
    with_status(home, study)
    pages = banners(home)
    assert isinstance(pages, dict)
    for entry in catalogue(home):
        own = [notice(entry.study, root=home), *(pages[page] for page in (entry.chapter, *entry.pages))]
        assert [bool(SAYS.search(text)) for text in own] == [entry.study != study] * len(own)
    entry = next(each for each in catalogue(home) if each.study == study)
    for text in (pages[WHOLE], notice(root=home)):
        assert f"all studies but the {entry.noun} are computed from a synthetic release" in text
    assert f"The data of the {entry.noun} are those that it collected" in data_in_words(root=home)


def test_one_synthetic_study_among_real_ones_is_the_only_one_named(home: Path) -> None:
    with_status(home, *KEYS[1:])
    first = catalogue(home)[0]
    pages = banners(home)
    assert isinstance(pages, dict)
    assert f"figures of the {first.noun} are computed" in pages[WHOLE]
    assert {page for page, words in pages.items() if words} == {WHOLE, first.chapter, *first.pages}


def test_a_word_that_is_no_status_counts_as_synthetic(home: Path) -> None:
    with_status(home, *KEYS[1:])
    manifest = home / MANIFEST
    manifest.write_text(manifest.read_text(encoding="utf-8").replace(f'{KEYS[1]} = "real"', f'{KEYS[1]} = "reel"'))
    assert SAYS.search(notice(KEYS[1], root=home))


def test_a_study_that_no_plan_has_is_refused(home: Path) -> None:
    with_status(home)
    with pytest.raises(Exception, match="no study 'leters'"):
        while_synthetic("leters", "x", root=home)


def test_no_page_calls_its_data_synthetic_by_itself() -> None:
    """Words of the sources outside of code: the release says what the data are."""
    project = load_project(ROOT)
    for chapter in project.chapters:
        for block in read_chapter(project, chapter).pieces:
            if isinstance(block, Prose):
                said = [part for part in block.parts if isinstance(part, str)]
            else:
                said = [str(value) for value in block.options.values()]
            assert not re.search("synthetic", " ".join(said), re.IGNORECASE), (chapter.path, block.line)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "the file: does not exist"),
        ('status = "synthetic', "the file: is not valid TOML"),
        ("release = 2024-05-01\n", "status: is missing"),
        ('status = "synthetic"\n', "release: is missing"),
    ],
)
def test_a_manifest_that_is_missing_or_damaged_is_named(tmp_path: Path, text: str | None, said: str) -> None:
    (tmp_path / "data").mkdir()
    if text is not None:
        (tmp_path / "data/manifest.toml").write_text(text, encoding="utf-8")
    with pytest.raises(PlanError, match=rf"data/manifest\.toml, {said}"):
        read_release(tmp_path)
