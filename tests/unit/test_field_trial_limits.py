"""What a field trial says where its data are at their limits: three clusters that answered, arms of one value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hhp_stats.errors import InvalidInput
from hhp_stats.intake.plain_table import participants_of
from hhp_stats.plan.individual import IndividualPlan, load_individual_plan
from hhp_stats.studies.field_trial.arm_rows import ALIKE, arm_rows
from hhp_stats.studies.field_trial.attenuation import attenuation
from hhp_stats.studies.field_trial.clusters import cluster_rows
from hhp_stats.studies.field_trial.sample import build_sample


def _trial(root: Path, study: str) -> tuple[IndividualPlan, pd.DataFrame]:
    plan = load_individual_plan(root, study)
    return plan, build_sample(participants_of(root, plan), plan).people


@pytest.fixture(scope="module")
def clustered(root: Path) -> tuple[IndividualPlan, pd.DataFrame]:
    return _trial(root, "coffee")


@pytest.mark.parametrize(("controls", "status"), [(3, "descriptive"), (2, "not_estimated"), (1, "not_estimated")])
def test_fewer_than_two_clusters_an_arm_detect_nothing(
    clustered: tuple[IndividualPlan, pd.DataFrame], controls: int, status: str
) -> None:
    plan, people = clustered
    unit = plan.design.cluster
    names = {arm: people.loc[people["treatment"] == arm, unit].unique() for arm in (0, 1)}
    part = people.loc[people[unit].isin([*names[1][:1], *names[0][:controls]])]
    rows = {row.estimand: row for row in cluster_rows(part, plan) if row.outcome == plan.measured[0].id}
    asked = [f"mde_{entry}" for entry in plan.power]
    assert asked and {rows[name].status for name in asked} == {status}
    assert rows["icc"].status == ("descriptive" if controls > 1 else "not_estimated")
    if controls == 2:
        assert "1.5 clusters an arm" in rows[asked[0]].note


@pytest.mark.parametrize("study", ["coffee", "swing"])
def test_arms_of_one_value_have_their_mean_alone(root: Path, study: str) -> None:
    plan, people = _trial(root, study)
    outcome = plan.measured[0].id
    rows = [row for row in arm_rows(people.assign(**{outcome: 0.1}), plan) if row.outcome == outcome]
    means = [row for row in rows if row.estimand.startswith("mean_")]
    assert [row.note for row in means] == [ALIKE] * len(plan.arms)
    assert [row.estimate for row in means] == pytest.approx([0.1] * len(plan.arms))
    assert all(np.isnan(row.std_error) and np.isnan(row.conf_low) for row in means)
    assert [row.estimate for row in rows if row.estimand.startswith("sd_")] == [0.0] * len(plan.arms)


def test_answers_that_do_not_vary_have_no_unit(root: Path) -> None:
    plan, people = _trial(root, "beneficiaries")
    outcome = next(one.id for one in plan.outcomes.values() if one.scales and not one.missing)
    rows, _ = attenuation(people.assign(**{outcome: 0.1}), plan)
    own = [row for row in rows if row.outcome == outcome]
    assert own and {row.status for row in own} == {"not_estimated"}
    assert all(InvalidInput.__name__ in row.note and "they have no unit" in row.note for row in own)
