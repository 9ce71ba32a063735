"""The prose is ours: no run of eight or more words is shared with the source documents, names and titles aside."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from own_words import FILE, NAMES, digests, shared_runs, source_runs, texts, words

ROOT = Path(__file__).resolve().parents[2]
PATTERNS = (
    "index.qmd",
    "report/*.qmd",
    "report/glossary.toml",
    "*.md",
    "data/*.md",
    "data/*.csv",
    "data/plan/*.toml",
    "data/qualitative/*.csv",
    "data/published/*.csv",
    "hhp_stats/**/*.py",
    "hhp_stats/publish/assets/*.json",
)


@pytest.fixture(scope="module")
def known() -> frozenset[bytes]:
    return source_runs()


def test_digests_are_those_of_the_documents(known):
    # The documents hold tens of thousands of runs, the title page of the second phase among them.
    assert len(known) > 40_000 and FILE.stat().st_size < 400_000
    title = "randomised controlled trials and pilots conducted with public sector workforces"
    assert next(digests(title.split())) in known
    assert not set(digests(words("Nobody has ever written these words in that order before."))) & known


def test_a_shared_run_is_found_in_the_middle_of_other_words(known):
    # A title is the only run of the documents that may stand in this file.
    whole = "randomised controlled trials and pilots conducted with public sector workforces"
    assert shared_runs(f"We read {whole} twice.", known) == [whole]
    assert shared_runs(f"Phase two {whole}", known) == [] and NAMES
    assert words("Children\u2019s social-care teams, 1,315") == ["children's", "social", "care", "teams", "1", "315"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_run_is_shared_with_the_documents(known, pattern):
    files = sorted(ROOT.glob(pattern))
    assert files
    found = [
        f"{file.relative_to(ROOT)}: {run}" for file in files for text in texts(file) for run in shared_runs(text, known)
    ]
    assert not found, "\n".join(found)
