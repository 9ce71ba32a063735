"""Balance of the arms: characteristics, differences, and one test of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from hhp_stats.design.balance import omnibus_balance
from hhp_stats.design.balance_table import BALANCE_COLUMNS, balance_table
from hhp_stats.design.randomisation import Redraws
from hhp_stats.plan.returns_schema import ReturnsPlan
from hhp_stats.results.contrast import EITHER_WAY
from hhp_stats.results.frame import ResultRow
from hhp_stats.studies.goal_setting_terms import AGE, ANALYSED, COVARIATES, PERSONAL
from hhp_stats.studies.sources import states_source

STREAM, DRAWS = 6, 9_999  # of the plan's seed; further draws that balance is held against
BINARY = ("gender_male", "part_time", "agency", "coffee")
Levels = Mapping[str, Sequence[str]]  # of columns, in the order in which they are listed


def balance(people: pd.DataFrame, plan: ReturnsPlan, *, population: str, levels: Levels) -> pd.DataFrame:
    """Covariates by arm with standardised differences; one row a characteristic or level."""
    # What is known of nobody in an arm cannot be compared.
    known = people.groupby("treatment")[[name for name in COVARIATES if name in people]].count().min()
    names = [str(name) for name in known.index[known > 0]]
    table = balance_table(people, continuous=names, categorical=["role"], levels=levels)
    share = (table["kind"] == "level") | table["covariate"].isin(BINARY)
    return table.assign(
        population=population, missing=table["missing_treatment"] + table["missing_control"], share=share
    )


def personal(people: pd.DataFrame, levels: Levels) -> pd.DataFrame:
    """Who answered the baseline survey, by what it asks about the person: as `balance`, one row a characteristic or
    level.

    A characteristic that is known of nobody in an arm is left out.
    """
    own = people.loc[people["randomised"].astype(bool) & people["responded_t1"].astype(bool)]
    known = own.groupby("treatment")[list(PERSONAL)].count().min()
    names = [str(name) for name in known.index[known > 0]] if own["treatment"].nunique() == 2 else []
    table = (
        balance_table(
            own,
            continuous=[name for name in names if name == AGE],
            categorical=[name for name in names if name != AGE],
            levels=levels,
        )
        if names
        else pd.DataFrame(columns=list(BALANCE_COLUMNS))
    )
    return table.assign(missing=table["missing_treatment"] + table["missing_control"], share=table["kind"] == "level")


@states_source
def balance_test(people: pd.DataFrame, plan: ReturnsPlan, redraws: Redraws, *, name: str) -> ResultRow:
    """One test of all covariates that does not depend on how many there are to look at, against the trial's own further
    draws.

    All groups are held against the same draws, of all teams; of a group, the teams that have anybody in it count.
    """
    mean = people["baseline_absence"].mean()
    frame = people.assign(
        baseline_missing=people["baseline_absence"].isna(), baseline_absence=people["baseline_absence"].fillna(mean)
    )
    columns = ["gender_male", "part_time", "agency", "service_years", "baseline_absence", "baseline_missing"]
    dummies = pd.get_dummies(frame["role"], drop_first=True, dtype="float64")
    test = omnibus_balance(
        covariates=frame[columns].astype("float64").join(dummies),
        treatment=frame["treatment"],
        clusters=frame["team_id"],
        strata=frame["stratum"],
        draw=redraws,
        draws=DRAWS,
        rng=np.random.default_rng([plan.seed, STREAM]),
    )
    return ResultRow(
        result_id=f"{plan.study}/balance/omnibus/{name}",
        study=plan.study,
        outcome="balance",
        estimand="omnibus",
        population=name,
        contrast=EITHER_WAY,
        method=test.method,
        analysis="planned",
        estimate=test.statistic,
        statistic=test.statistic,
        p_value=test.p_value,
        mc_error_p=test.mc_error_p,
        n=test.n,
        n_clusters=test.n_clusters,
        clause="P17",
        status="descriptive",
    )


def balance_differences(people: pd.DataFrame, plan: ReturnsPlan, levels: Levels) -> pd.DataFrame:
    """Are those analysed still alike? Standardised differences among three groups of staff; one row a characteristic
    or level.

    Columns `covariate`, `level`, `kind`, and for each group of `ANALYSED` its standardised difference and
    `least_<group>`: the smallest count of people, of either arm, that the difference is made of (missing for means of
    continuous variables).
    """
    table: pd.DataFrame | None = None
    for group, known in ANALYSED.items():
        own = people.loc[people[known].notna()]
        if table is not None and own["treatment"].nunique() < 2:  # of an arm nobody is left to compare
            table = table.assign(**{group: np.nan, f"least_{group}": np.nan})
            continue
        found = balance(own, plan, population=group, levels=levels)
        counts = pd.concat(
            [found[f"n_{arm}"] * found[f"mean_{arm}"] for arm in plan.design.arms], axis="columns"
        ).round()
        rest = pd.concat([found[f"n_{arm}"] for arm in plan.design.arms], axis="columns").to_numpy() - counts.to_numpy()
        least = np.minimum(counts.to_numpy(), rest).min(axis=1)
        shares = (found["kind"] == "level") | found["covariate"].isin(BINARY)
        part = pd.DataFrame({group: found["std_difference"], f"least_{group}": pd.Series(least).where(shares)})
        keys = found[["covariate", "level", "kind"]]
        part = keys.join(part)
        table = part if table is None else table.merge(part, on=["covariate", "level", "kind"], how="left")
    assert table is not None
    return table


def team_balance(people: pd.DataFrame, plan: ReturnsPlan) -> pd.DataFrame:
    """Teams by arm: size, mean baseline absence and share of agency staff (mean and standard deviation over teams)."""
    teams = people.groupby(["treatment", "team_id"]).agg(
        size=("person", "size"), absence=("baseline_absence", "mean"), agency=("agency", "mean")
    )
    rows = []
    for arm, code in plan.design.arms.items():
        part = teams.loc[code]
        for name in ("size", "absence", "agency"):
            values = part[name].dropna()
            rows.append(
                {
                    "arm": arm,
                    "characteristic": name,
                    "teams": len(values),
                    "mean": values.mean(),
                    "sd": values.std(ddof=1),
                }
            )
    return pd.DataFrame(rows)
