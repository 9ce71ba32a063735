"""Allocation lists without a log: held against the plan's numbers, the blocks and the sites that were drawn."""

from __future__ import annotations

import pandas as pd
import pytest

from hhp_stats.errors import DataError
from hhp_stats.intake.manifest import record_files
from hhp_stats.intake.participants import load_participants
from hhp_stats.plan.individual import load_individual_plan


def found(project, study, change):
    """The codes and values that a changed and accepted allocation list of a study ends in."""
    path = project / f"data/allocation/{study}.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    change(frame).to_csv(path, index=False)
    record_files(project)
    with pytest.raises(DataError) as refused:
        load_participants(project, load_individual_plan(project, study))
    return [(problem.code, problem.value) for problem in refused.value.problems]


def other_arm(frame, mask):
    arms = sorted(frame["arm"].unique())
    return frame.assign(arm=frame["arm"].where(~mask, frame["arm"].map(dict(zip(arms, arms[::-1], strict=True)))))


def test_people_of_one_arm_in_the_other_are_counted(project):
    codes = found(
        project, "swing", lambda f: other_arm(f, (f["arm"] == "control") & f.groupby("arm").cumcount().lt(59))
    )
    assert codes[0][1].startswith("515 people in control, 574 in the plan")
    assert {code for code, _ in codes} == {"I08", "I09"}


@pytest.mark.parametrize("study", ["letters", "beneficiaries", "swing"])
def test_arms_exchanged_across_blocks_are_found_though_every_total_is_kept(project, study):
    block = load_individual_plan(project, study).design.within

    def change(frame):
        first, last = frame[block].min(), frame[block].max()
        some = ((frame[block] == first) & (frame["arm"] == "control")) | (
            (frame[block] == last) & (frame["arm"] == "treatment")
        )
        return other_arm(frame, some & frame.groupby([block, "arm"]).cumcount().lt(5))

    codes = found(project, study, change)
    assert [code for code, _ in codes] == ["I09", "I09"]


def test_a_person_in_another_block_is_counted(project):
    codes = found(project, "letters", lambda f: f.assign(local_authority=["Dudley", *f["local_authority"][1:]]))
    assert [code for code, _ in codes] == ["I08", "I08"] and "91 people in Bracknell Forest, 92 in the plan" in codes[
        0
    ][1]


def test_a_site_in_two_arms_is_refused(project):
    codes = found(project, "coffee", lambda f: other_arm(f, f.index == 3))
    assert codes == [("I11", "34 treatment, 1 control in Building 01")]
