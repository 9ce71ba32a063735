"""One synthetic release in a folder of its own, written once for all tests that read it. Do not write into it."""

from __future__ import annotations

import shutil
from pathlib import Path

import joblib
import pandas as pd
import pytest
from profiles import profiled
from small_plans import few_draws

from hhp_stats.intake.trial import Trial
from hhp_stats.plan.load import load_plan
from hhp_stats.present.chapter import StudyReport
from hhp_stats.studies.estimators import resampling
from hhp_stats.studies.goal_setting import allocation, multiplicity
from hhp_stats.studies.goal_setting.analyse import analyse
from hhp_stats.synthetic.assumptions import PROJECT, load_assumptions
from hhp_stats.synthetic.release import synthesise
from hhp_stats.synthetic.simulate import simulate_trial

FILES = ("data/dictionary.csv", "data/spellings.csv")
FOLDERS = ("data/plan", "data/published", "data/qualitative")


def new_project(root: Path) -> Path:
    """A project folder with everything that synthesising reads, and nothing else."""
    for name in FOLDERS:
        shutil.copytree(PROJECT / name, root / name)
    for name in FILES:
        shutil.copy(PROJECT / name, root / name)
    return root


@pytest.fixture(scope="session")
def synthetic_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = new_project(tmp_path_factory.mktemp("synthetic"))
    synthesise(root)
    return root


@pytest.fixture
def empty_project(tmp_path: Path) -> Path:
    return new_project(tmp_path / "project")


@pytest.fixture(scope="session")
def goal_setting_report(goal_setting_run: tuple[StudyReport, frozenset[str]]) -> StudyReport:
    """The goal-setting trial as its chapter reads it, of 600 simulated people."""
    return goal_setting_run[0]


@pytest.fixture(scope="session")
def goal_setting_run(root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyReport, frozenset[str]]:
    """The same, and the full names of all functions of the package that its analyses entered."""
    plan = few_draws(load_plan(root, "goal_setting"))
    drawn = simulate_trial(11, n_people=600, effect=-0.5, nonresponse=True, assumptions=load_assumptions())
    days = pd.DataFrame(
        [
            {
                "local_authority": site.local_authority,
                "wave": wave,
                "retrieved": day,
                "rows": -1,
                "path": f"{site.slug}/{wave}",
            }
            for site in plan.sites
            for wave, day in (("baseline", "2019-05-01"), ("interim", "2019-10-02"), ("endline", "2020-02-03"))
        ]
    )
    replay = pd.DataFrame(
        [{"draw": 1, "p_role": 0.31, "p_service": 0.57, "accepted": True, "agrees": True, "note": ""}]
    )
    nothing = pd.DataFrame()
    counts = dict.fromkeys(("people", "responses", "consented", "duplicates", "used", "matched", "unmatched"), 600) | {
        "duplicates": 0,
        "unmatched": 0,
    }
    linkage = pd.DataFrame(
        [
            {"wave": wave, "local_authority": plan.sites[0].local_authority, "treatment": 1.0, **counts}
            for wave in ("baseline", "endline")
        ]
    )
    trial = Trial(
        study="goal_setting",
        people=drawn.people,
        teams=drawn.teams,
        inputs=days,
        problems=nothing,
        corrections=nothing,
        tolerances=nothing,
        linkage=linkage,
        draws=replay,
    )
    with pytest.MonkeyPatch.context() as patched, joblib.parallel_config(n_jobs=1):
        for module, name, value in (
            (multiplicity, "DRAWS", 99),
            (resampling, "DRAWS", 99),
            (allocation, "PROBABILITY_DRAWS", 50),
        ):
            patched.setattr(module, name, value)
        # Whom numbers count is the disclosure tests' matter; a simulated trial has no lists to tell it from.
        patched.setattr("hhp_stats.studies.goal_setting.analyse.row_members", lambda *_, **__: {})
        output, entered = profiled(lambda: analyse(trial, plan))
    home = tmp_path_factory.mktemp("goal_setting")
    # Sentences about data follow the status in the manifest; which of the plan's values are assumed stands in the plan.
    shutil.copytree(root / "data/plan", home / "data/plan")
    (home / "data/published").mkdir()
    for name in ("manifest.toml", "published/protocol_clauses.csv"):
        shutil.copy(root / "data" / name, home / "data" / name)
    return StudyReport(root=home, plan=plan, output=output, document="report/02-goal-setting.qmd"), entered
