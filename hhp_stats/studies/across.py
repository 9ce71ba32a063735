"""Effects of several studies held against each other, two at a time."""

from __future__ import annotations

import math
from itertools import combinations

import pandas as pd

from hhp_stats.errors import InvalidInput
from hhp_stats.infer.multiplicity import holm
from hhp_stats.results.frame import Estimate


def pairwise_differences(effects: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Do the effects of different studies differ from each other by more than chance?

    Estimator: difference d1 - d2 of two independent effects in the same unit, with standard error
    sqrt(s1^2 + s2^2), Student's t on Welch-Satterthwaite degrees of freedom
    (s1^2 + s2^2)^2 / (s1^4 / df1 + s2^4 / df2), infinite where both are; intervals at `conf_level`, p-values adjusted
    by Holm over all pairs.

    `effects`: columns study, estimate, std_error, df, n, and name, which tells the effects of one study apart (default:
    the study). Effects of one study are not held against each other: arms share their control group. Returns one row a
    pair: first, second (names), first_study, second_study, estimate, std_error, df, p_value, p_adjusted, conf_low,
    conf_high, conf_level, n. Assumes that different studies share no people; their populations, times and instruments
    are left as they are, so a difference is no comparison of interventions on the same people.

    Refuses (InvalidInput) a name that stands twice and standard errors or df that are not positive.
    """
    rows = effects.to_dict("records")
    names = [str(row.get("name", row["study"])) for row in rows]
    if len(set(names)) != len(names):
        raise InvalidInput(f"a name stands twice: {', '.join(names)}")
    for row in rows:
        if not (row["std_error"] > 0 and row["df"] > 0):
            raise InvalidInput(f"{row['study']}: a standard error and degrees of freedom above zero are needed")
    found = []
    for (first, one), (second, other) in combinations(zip(names, rows, strict=True), 2):
        if one["study"] == other["study"]:
            continue
        made = Estimate(
            estimate=float(one["estimate"]) - float(other["estimate"]),
            std_error=math.hypot(one["std_error"], other["std_error"]),
            df=_welch_df(one["std_error"], one["df"], other["std_error"], other["df"]),
            n=int(one["n"]) + int(other["n"]),
            n_clusters=None,
            method="difference of independent effects",
            conf_level=conf_level,
        )
        found.append(
            {
                "first": first,
                "second": second,
                "first_study": one["study"],
                "second_study": other["study"],
                "estimate": made.estimate,
                "std_error": made.std_error,
                "df": made.df,
                "p_value": made.p_value,
                "conf_low": made.conf_low,
                "conf_high": made.conf_high,
                "conf_level": made.conf_level,
                "n": made.n,
            }
        )
    columns = ["first", "second", "first_study", "second_study", "estimate", "std_error", "df"]
    frame = pd.DataFrame(found, columns=[*columns, "p_value", "conf_low", "conf_high", "conf_level", "n"])
    return frame.assign(p_adjusted=holm(frame["p_value"].to_numpy()) if found else frame["p_value"])


def _welch_df(first: float, first_df: float, second: float, second_df: float) -> float:
    weight = first**4 / first_df + second**4 / second_df
    return (first**2 + second**2) ** 2 / weight if weight > 0 else math.inf
