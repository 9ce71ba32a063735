"""Every study says which files it read: raw ones, and those that decided how they were read."""

from __future__ import annotations

from pathlib import Path

import pytest

from hhp_stats.intake.gather import gather
from hhp_stats.intake.hiring import load_hiring
from hhp_stats.intake.manifest import sha256_of
from hhp_stats.intake.participants import load_participants
from hhp_stats.intake.pilots import load_pilot
from hhp_stats.plan.any_plan import plan_of
from hhp_stats.plan.catalogue import StudyEntry, catalogue
from hhp_stats.plan.experiments import ExperimentPlan
from hhp_stats.plan.individual_schema import IndividualPlan
from hhp_stats.plan.pilot_schema import PilotPlan

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("entry", catalogue(ROOT), ids=lambda entry: entry.study)
def test_every_study_names_its_plan_among_the_files_it_read(entry: StudyEntry) -> None:
    plan = plan_of(ROOT, entry.study)
    if isinstance(plan, PilotPlan):
        read = load_pilot(ROOT, plan).inputs
    elif isinstance(plan, IndividualPlan):
        read = load_participants(ROOT, plan).inputs
    elif isinstance(plan, ExperimentPlan):
        read = load_hiring(ROOT).inputs
    else:
        read = gather(ROOT, entry.study).inputs()
    files = read.set_index("path")
    own = f"data/plan/{entry.study}.toml"
    assert files.loc[own, "sha256"] == sha256_of(ROOT / own)
    assert files.loc[own, "rows"] == (ROOT / own).read_bytes().count(b"\n") and files.index.is_unique
