"""Appendix B: every analysis that a plan names stands in its table, once, with the number of its row."""

from __future__ import annotations

from pathlib import Path

import pytest

from hhp_stats.errors import UnknownName
from hhp_stats.plan.any_plan import plan_of
from hhp_stats.plan.catalogue import catalogue
from hhp_stats.present.versions import versions_in, versions_table
from hhp_stats.results.withheld import NOTE, WITHHELD
from hhp_stats.running.run import run_study

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("study", [entry.study for entry in catalogue(ROOT)])
def test_every_analysis_that_a_plan_names_is_listed_once(study: str) -> None:
    plan, found = plan_of(ROOT, study), [version.result_id for version in versions_in(plan_of(ROOT, study))]
    assert len(found) == len(set(found))
    planned = getattr(plan, "analyses", None)
    if planned is None:
        assert len(found) == sum(len(plan.methods_of(contrast.experiment)) for contrast in plan.contrasts.values())
    else:
        assert set(found) == {plan.result_id(analysis) for analysis in planned}


@pytest.mark.parametrize("study", ["coffee", "hiring", "swing"])
def test_the_table_has_a_line_for_each_and_the_clusters_where_there_are_some(study: str) -> None:
    plan, results = plan_of(ROOT, study), run_study(ROOT, study).results
    versions = versions_in(plan)
    cells = versions_table(plan, results, versions)._tbl_data
    assert list(cells["group"]) == [version.group for version in versions]
    planned = results.set_index("result_id").loc[[version.result_id for version in versions], "analysis"] == "planned"
    assert [label.endswith("(planned)") for label in cells["Version"]] == list(planned)
    assert ("Buildings" in cells, "Clusters" in cells) == (study == "coffee", study == "hiring")
    with pytest.raises(UnknownName, match="have no row"):
        versions_table(plan, results.iloc[:0], versions)


def test_a_withheld_number_of_people_has_its_mark_and_one_that_there_is_not_a_dash() -> None:
    plan, results = plan_of(ROOT, "coffee"), run_study(ROOT, "coffee").results.copy()
    versions = versions_in(plan)
    hidden = results["result_id"] == versions[0].result_id
    results["n"] = results["n"].astype("float")
    results.loc[hidden, "n"] = float("nan")
    results.loc[hidden, "note"] = f"{NOTE}n."
    table = versions_table(plan, results, versions)
    cells = table._tbl_data
    assert cells["People"].iloc[0] == WITHHELD and WITHHELD not in set(cells["People"].iloc[1:])
    assert f"{WITHHELD}: withheld to protect" in table.as_raw_html()
    assert "withheld to protect" not in versions_table(plan, run_study(ROOT, "coffee").results, versions).as_raw_html()


def test_notes_tell_planned_analyses_apart() -> None:
    """By outcome where each is planned one way, by way where each outcome is planned in several."""
    hiring = versions_table(
        plan_of(ROOT, "hiring"), run_study(ROOT, "hiring").results, versions_in(plan_of(ROOT, "hiring"))
    )
    notes = [str(note) for note in hiring._source_notes]
    assert any(note.startswith("Planned for evaluation score: OLS, HC2") for note in notes)
    swing = versions_table(
        plan_of(ROOT, "swing"), run_study(ROOT, "swing").results, versions_in(plan_of(ROOT, "swing"))
    )
    assert next(map(str, swing._source_notes)).startswith("Planned: OLS, HC2")
