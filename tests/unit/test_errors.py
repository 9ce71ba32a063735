"""Errors reach the caller whole from another process."""

import pickle

import pytest

from hhp_stats.errors import DataError, PlanError, Problem, RenderError, SelfCheckFailed

PROBLEM = Problem(
    code="R07", severity="error", file="a.xlsx", rule="Days are days.", remedy="Ask.", cell="G14", value="x"
)


@pytest.mark.parametrize(
    "error",
    [
        DataError([PROBLEM, PROBLEM]),
        PlanError("plan.toml", "seed", "is missing.", "Add it."),
        RenderError("one.qmd", 3, "no"),
        RenderError("one.qmd", None, "no"),
        SelfCheckFailed("they disagree", ["a", "b"]),
        SelfCheckFailed("they disagree", []),
    ],
)
def test_errors_survive_the_way_between_processes(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error) and str(again) == str(error) and vars(again) == vars(error)
