"""From empty folders to results and report by the commands of the README, with files as they really come.

The truth of the trial is known; what the project finds must be what `plain_analysis` finds in the clean truth.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import plain_analysis
import pytest
import real_files
import real_trial
from real_trial import Truth
from typer.testing import CliRunner

import hhp_stats as hs
from hhp_stats.cli import app
from hhp_stats.intake.load import load_trial
from hhp_stats.plan.load import load_plan
from hhp_stats.results.frame import read_results
from hhp_stats.studies.goal_setting.sample import build_sample

ROOT = Path(__file__).resolve().parents[2]
STUDY = "goal_setting"
# Two programmes for the same least squares: what they differ by is rounding in double precision.
ROUNDING = 1e-8
Run = Callable[..., str]


def fresh(home: Path, *more: str) -> Path:
    """A fresh clone, without code."""
    for name in ("data", "report"):
        shutil.copytree(ROOT / name, home / name, ignore=shutil.ignore_patterns("releases", ".*", "figures"))
    for name in ("index.qmd", "_quarto.yml", *more):
        shutil.copy(ROOT / name, home)
    return home


def until_the_files_are_there(home: Path, hhp: Run, *, authorities: int, teams: int) -> tuple[Truth, pd.DataFrame]:
    """The README's commands: status, plan, baselines, draw, follow-up, what is refused and sent again."""
    truth = real_trial.before_the_draw(authorities=authorities, teams=teams, seed=5)
    slugs = {name: slug for name, slug, *_ in truth.authorities}
    assert "missing: data/returns" in hhp("start-real", STUDY)
    real_files.write_plan(home, STUDY, truth)
    listed = hhp("start-real", STUDY)
    assert all(f"{slug}/baseline.xlsx" in listed for slug in slugs.values())
    for slug in slugs.values():
        real_files.write_return(home, STUDY, truth, slug, "baseline")
    hhp("accept", "--yes")
    hhp("randomise", "--seed", "11", "--to", f"data/allocation/{STUDY}.csv")
    drawn = pd.read_csv(home / f"data/allocation/{STUDY}.csv").set_index(["local_authority", "team_id"])["treatment"]
    arms = {
        (name, team): int(drawn[name, real_files.team_name(slug, team)])
        for name, slug in slugs.items()
        for team in range(1, teams + 1)
    }
    truth = real_trial.followed(truth, arms)
    in_hours = list(slugs.values())[-1]
    for slug in slugs.values():
        for wave in ("interim", "endline"):
            hours = (slug, wave) == (in_hours, "endline")
            real_files.write_return(home, STUDY, truth, slug, wave, hours=hours)
    answers = real_files.write_surveys(home, STUDY, truth)
    real_files.write_course_log(home, STUDY, truth)
    hhp("accept", "--yes")
    said = hhp("check", STUDY, "--json", status=1)
    assert said.count('"severity": "error"') == 1 and "22.5 hrs" in said  # nobody turns hours into days for them
    real_files.write_return(home, STUDY, truth, in_hours, "endline")  # asked, they send the return again
    hhp("accept", "--yes")
    hhp("check", STUDY)
    return truth, answers


def clean(truth: Truth, answers: pd.DataFrame) -> pd.DataFrame:
    """The truth as an analyst would have it: nobody knows the outcome of those whom a return forgot."""
    lost = set(real_files.vanished(truth))
    people = truth.people
    forgotten = [key in lost for key in zip(people["authority"], people["staff"], strict=True)]
    known = people.assign(endline_days=people["endline_days"].mask(np.array(forgotten)))
    return plain_analysis.outcomes(Truth(people=known, authorities=truth.authorities, seed=truth.seed), answers)


def test_messy_returns_give_the_clean_estimates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three authorities, as far as the analysis frame; each equation by the library."""
    home = fresh(tmp_path / "project")
    monkeypatch.chdir(home)
    monkeypatch.setenv("HHP_PSEUDONYM_KEY_FILE", str(tmp_path / "hhp.key"))

    def hhp(*words: str, status: int = 0) -> str:
        done = CliRunner().invoke(app, list(words))
        assert done.exit_code == status, (words, done.output, done.exception)
        return str(done.output)

    hhp("key", str(tmp_path / "hhp.key"))
    truth, answers = until_the_files_are_there(home, hhp, authorities=3, teams=8)
    plan = load_plan(home, STUDY)
    sample = build_sample(load_trial(home, STUDY), plan).people
    expected = plain_analysis.estimates(clean(truth, answers))
    filled = sample.assign(
        unknown=sample["baseline_absence"].isna().astype(float), base=sample["baseline_absence"].fillna(0)
    )
    terms = "gender_male + C(role) + part_time + service_years | local_authority"
    for key, formula, frame in (
        ("sickness_absence/itt/baseline-zero", f"absence_days ~ treatment + base + unknown + {terms}", filled),
        ("sickness_absence/itt/baseline-complete", f"absence_days ~ treatment + baseline_absence + {terms}", sample),
        ("sickness_absence/itt/unadjusted", "absence_days ~ treatment", sample),
        (
            "happiness/itt/complete-cases",
            f"happiness_t2 ~ treatment + baseline_absence + happiness_t1 + {terms}",
            sample,
        ),
        (
            "time_pressure/itt/complete-cases",
            f"time_pressure_t2 ~ treatment + baseline_absence + time_pressure_t1 + {terms}",
            sample,
        ),
    ):
        found = hs.linear(formula, frame, clusters="team_id", missing="drop", covariance="CR1").effect()
        assert (found.estimate, found.std_error) == pytest.approx(expected[key][:2], rel=ROUNDING), key
        assert found.n == expected[key][2], key


@pytest.mark.slow
def test_ten_authorities_from_empty_folders_to_the_report(tmp_path: Path) -> None:
    """The whole way, each command a process of its own."""
    home = fresh(tmp_path / "project", "pyproject.toml")
    key = tmp_path / "hhp.key"
    environment = {**os.environ, "HHP_PSEUDONYM_KEY_FILE": str(key)}

    def hhp(*words: str, status: int = 0) -> str:
        command = [sys.executable, "-m", "hhp_stats", *words]
        done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True)
        assert done.returncode == status, (words, done.stdout[-2000:], done.stderr[-2000:])
        return done.stdout

    hhp("key", str(key))
    truth, answers = until_the_files_are_there(home, hhp, authorities=10, teams=12)
    hhp("results")
    rows = read_results(home / f".report/results/{STUDY}/results.csv").set_index("result_id")
    for tail, (estimate, std_error, n) in plain_analysis.estimates(clean(truth, answers)).items():
        row = rows.loc[f"{STUDY}/{tail}"]
        assert (row["estimate"], row["std_error"]) == pytest.approx((estimate, std_error), rel=ROUNDING), tail
        assert int(row["n"]) == n, tail
    real_files.write_imprint(home)
    hhp("render")
    chapter = (home / "_output/02-goal-setting.html").read_text(encoding="utf-8")
    sites = chapter[chapter.index('id="tbl-gs-sites"') :].partition("</figure>")[0]
    assert "Upper and Lower Wold" in sites and "Wolverhampton" not in sites  # the text tells of the documents' own
    pages = "".join(path.read_text(encoding="utf-8") for path in (home / "_output").rglob("*.html"))
    assert not [code for code in truth.people["staff"] if f"AMB{code}" in pages]
