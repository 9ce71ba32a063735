"""The programmes that a reviewer runs read names of categories as names, whatever they look like."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from hhp_stats.consistency.second.frames import AnalysisFrames, read_frames
from hhp_stats.consistency.second.python import python_programme
from hhp_stats.consistency.second.r import r_programme
from hhp_stats.consistency.second.recipe import FIELDS, Recipe, RecipeTerm

LEVELS = ["01", "NA", "T", 'L\'école "x" + y']


@pytest.mark.parametrize("language", ["python", "r"])
def test_levels_that_look_like_numbers_gaps_or_quotes_are_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    if language == "r" and (
        shutil.which("Rscript") is None
        or subprocess.run(["Rscript", "-e", "library(sandwich)"], check=False).returncode
    ):
        pytest.skip("R is not installed, or has no sandwich")
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"person": np.arange(80), "treatment": np.tile([0.0, 1.0], 40), "site": np.repeat(LEVELS, 20)})
    frame["y"] = frame["treatment"] + frame["site"].map(dict(zip(LEVELS, range(4), strict=True))) + rng.normal(size=80)
    recipe = Recipe(
        result_id="walks/y/itt/hc2",
        estimator="ols",
        frame="people",
        outcome="y",
        terms=(RecipeTerm(column="treatment"), RecipeTerm(column="site", base=LEVELS[3])),
        covariance="HC2",
        df="residual",
        known=("y",),
        conf_level=0.95,
    )
    folder = tmp_path / ".report/results/walks"
    AnalysisFrames(people={"people": frame}, recipes=(recipe,)).write(folder / "analysis", dictionary=tmp_path / "none")
    expected = smf.ols("y ~ treatment + C(site)", frame).fit(cov_type="HC2").params["treatment"]
    assert list(read_frames(folder).people["people"]["site"]) == list(frame["site"])
    monkeypatch.chdir(tmp_path)
    made = tmp_path / f"programme.{language}"
    made.write_text({"python": python_programme, "r": r_programme}[language](recipe), encoding="utf-8")
    command = [sys.executable, str(made)] if language == "python" else ["Rscript", str(made)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    printed = dict(line.split() for line in done.stdout.strip().splitlines())
    assert list(printed) == list(FIELDS) and float(printed["estimate"]) == pytest.approx(expected, rel=1e-9)
