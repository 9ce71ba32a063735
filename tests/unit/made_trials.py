"""Reports of field trials on made-up rows, for tests of what their sentences and tables say."""

from __future__ import annotations

import pandas as pd

from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.present.field_trials.report import FieldTrialReport
from hhp_stats.results.frame import ResultRow, result_frame
from hhp_stats.studies.output import StudyOutput


def made(study, key, estimate, *, half=0.1, p=0.5, holm=0.5, n=100, status="estimated", note=""):
    outcome, estimand, _ = key.split("/")
    return ResultRow(
        result_id=f"{study}/{key}",
        study=study,
        outcome=outcome,
        estimand=estimand,
        population="",
        contrast="",
        method="",
        analysis="planned",
        estimate=estimate,
        conf_low=estimate - half,
        conf_high=estimate + half,
        std_error=half / 2,
        p_value=p,
        p_adjusted=holm,
        n=n,
        status=status,
        note=note,
    )


def report_of(root, study, effects, *more, **tables):
    """A report in which each measured outcome has the effect of its name: (estimate, half its interval, p, adjusted
    p).
    """
    plan = load_individual_plan(root, study)
    rows = []
    for outcome in plan.outcomes.values():
        if not outcome.scales:
            continue
        estimate, half, p, holm = effects.get(outcome.id, (0.01, 0.5, 0.9, 1.0))
        planned = next(a for a in plan.analyses if a.outcome == outcome.id and a.kind == "planned")
        rows += [
            made(study, planned.id, estimate, half=half, p=p, holm=holm),
            made(study, f"{outcome.id}/itt/hedges-g", estimate, half=half),
        ]
        for arm in plan.arms:
            rows += [
                made(study, f"{outcome.id}/mean_{arm.id}/raw", 30.0 + arm.code),
                made(study, f"{outcome.id}/sd_{arm.id}/raw", 5.0 + arm.code),
            ]
    output = StudyOutput(
        study=study,
        results=result_frame([*rows, *more]),
        tables={"periods": pd.DataFrame({"period": [1, 2]}), **tables},
        conduct=(),
    )
    return FieldTrialReport(root=root, plan=plan, output=output, document="report/x.qmd")
