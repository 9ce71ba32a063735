"""A trial on a plain table, with a surgery of two patients and an outcome that one arm lacks: no small number can be
found out.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from disclosure_declared import read_everything

from hhp_stats.intake.manifest import MANIFEST
from hhp_stats.intake.pseudonym import KEY_VARIABLE
from hhp_stats.studies.field_trial import run_field_trial

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))
from table_trials import KEY, walks, write_walks

THRESHOLD = 5  # of its plan


@pytest.fixture
def home(root, tmp_path, monkeypatch):
    for part in ("data/plan", "data/published"):
        shutil.copytree(root / part, tmp_path / part)
    for name in ("data/dictionary.csv", "data/spellings.csv"):
        shutil.copy(root / name, tmp_path / name)
    (tmp_path / MANIFEST).write_text('status = "real"\n\n[files]\n', encoding="utf-8")
    key = tmp_path.parent / f"{tmp_path.name}.key"
    key.write_bytes(np.random.default_rng(1).bytes(48))
    key.chmod(0o600)
    monkeypatch.setenv(KEY_VARIABLE, str(key))
    return tmp_path


def few_gaps():
    """Three patients of one arm lack the last wave: few, and so are those whose covariate is not known."""
    table = walks()
    complete = walks().assign(steps_12=table["steps_6"], years=table["years"].replace(-9, 50))
    control = complete.index[complete["offered"] == "usual care"]
    complete.loc[control[:3], "steps_12"] = np.nan
    complete.loc[control[10:12], "years"] = -9
    return complete


@pytest.mark.parametrize("table", [walks, few_gaps], ids=["as it is", "few gaps"])
def test_no_small_number_follows_from_what_is_published(home, table):
    output = run_field_trial(write_walks(home, table()), KEY)
    public = output.decided(home)
    reader = read_everything(output, public)
    assert len(reader.facts) > 100
    assert reader.found_out(threshold=THRESHOLD, whole=True) == {}


def test_notes_hold_no_small_number(home):
    output = run_field_trial(write_walks(home, few_gaps()), KEY)
    results = output.decided(home).results
    shown = results.loc[(results["status"] != "withheld") & results["method"].str.contains("imputations|OLS")]
    assert shown["note"].str.contains("years").any()
    assert not shown["note"].str.contains(r"\b[234]\b").any()
