"""Are there enough imputations? The Monte Carlo errors of the planned results against the plan's limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from hhp_stats.plan.returns_schema import ReturnsPlan
from hhp_stats.results.frame import ResultRow

WARNING = "Monte Carlo error above the plan's limit: more imputations are needed."


def monte_carlo_table(rows: Sequence[ResultRow], plan: ReturnsPlan) -> pd.DataFrame:
    """How far would the planned results move if the imputation were made again? One row an imputed planned analysis.

    Columns result_id, mc_error, share (of the standard error), mc_error_p, limit_p, and `holds`: both within the
    limits of
    `plan.imputation.monte_carlo`. Source: White, Royston and Wood (2011), Statistics in Medicine 30, 377-399, section
    7.
    """
    limits = plan.imputation.monte_carlo
    imputed = {
        plan.result_id(analysis): analysis
        for analysis in plan.analyses
        if analysis.kind == "planned" and analysis.baseline_absence in plan.imputation.models
    }
    found = []
    for row in rows:
        if row.result_id not in imputed or row.status != "estimated":
            continue
        share, limit = row.mc_error / row.std_error, limits.of_p(row.p_value)
        found.append(
            {
                "result_id": row.result_id,
                "mc_error": row.mc_error,
                "share": share,
                "mc_error_p": row.mc_error_p,
                "limit_p": limit,
                # Not known is not within the limits.
                "holds": bool(share <= limits.estimate and row.mc_error_p <= limit),
            }
        )
    return pd.DataFrame(found, columns=["result_id", "mc_error", "share", "mc_error_p", "limit_p", "holds"])


def with_warnings(rows: Sequence[ResultRow], table: pd.DataFrame) -> list[ResultRow]:
    """The rows, with a warning in the note of those whose Monte Carlo error is above the limit."""
    failing = set(table.loc[~table["holds"].astype(np.bool_), "result_id"])
    return [
        replace(row, note=" ".join(filter(None, (row.note, WARNING)))) if row.result_id in failing else row
        for row in rows
    ]
