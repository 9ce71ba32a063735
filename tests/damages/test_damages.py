"""A few damages of the programme beside: each study's files, none of which may crash a reader or move a number in
silence.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from damage_files import BAD, run, table


@pytest.mark.parametrize("studies", [("letters", "hiring", "dictation", "flexitime")])
def test_a_few_damages(studies):
    results = run(damages=14, seed=20, only=studies)
    bad = [result for result in results if result.outcome in BAD]
    assert not bad, table(results)
    assert sum(result.outcome == "refused" for result in results) > 2


@pytest.mark.slow
def test_many_damages():
    results = run(damages=300, seed=21)
    bad = [result for result in results if result.outcome in BAD]
    assert not bad, bad
