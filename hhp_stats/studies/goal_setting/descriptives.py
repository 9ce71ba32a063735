"""What the arms look like before any model: means, distributions, balance, attrition, uptake."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from hhp_stats.contrast import EITHER_WAY
from hhp_stats.design.balance import omnibus_balance
from hhp_stats.design.balance_table import BALANCE_COLUMNS, balance_table
from hhp_stats.design.randomisation import Redraws
from hhp_stats.errors import EstimationError, NoObservations
from hhp_stats.estimate.effect_size import hedges_g_clustered
from hhp_stats.estimate.icc import icc_anova, icc_reml
from hhp_stats.plan.returns_schema import ReturnsOutcome, ReturnsPlan
from hhp_stats.ran import name_of, recorded
from hhp_stats.results import Estimate, ResultRow, not_estimated
from hhp_stats.studies.goal_setting.attempts import attempted, lacking
from hhp_stats.studies.goal_setting.sample import LARGEST
from hhp_stats.studies.goal_setting_terms import AGE, ANALYSED, COVARIATES, PERSONAL
from hhp_stats.studies.sources import Sourced, sourced, states_source

DAYS = (
    (0, 0, "0"),
    (0.5, 2, "up to 2"),
    (2.5, 5, "3 to 5"),
    (5.5, 10, "6 to 10"),
    (10.5, 20, "11 to 20"),
    (20.5, math.inf, "over 20"),
)
STREAM, DRAWS = 6, 9_999  # of the plan's seed; further draws that balance is held against
STANDARDISED = "itt/hedges-g"  # estimand and method of the standardised effect of an outcome
BINARY = ("gender_male", "part_time", "agency", "coffee")


@states_source
def clustering_rows(
    people: pd.DataFrame, planned: Mapping[str, Sourced[Estimate]], plan: ReturnsPlan
) -> list[ResultRow]:
    """ICC and Hedges' g of each continuous outcome whose planned effect is given, and the ICC of each planned zero-one
    outcome.

    CONSORT asks for both. Of a zero-one outcome the ICC is that of the analysis of variance on its zeros and ones, with
    Swiger's
    interval (Ridout, Demetrio and Firth 1999): a normal likelihood does not fit them.
    """
    rows = []
    for key, effect in planned.items():
        outcome = plan.outcomes[key]
        known = people.loc[people[outcome.column].notna()]
        y = known[outcome.column].to_numpy(dtype=np.float64)
        arm = known["treatment"].to_numpy(dtype=np.float64)
        likeness = attempted(
            partial(
                sourced,
                partial(icc_reml, outcome=y, clusters=known["team_id"], treatment=arm, conf_level=plan.conf_level),
            )
        )
        if isinstance(likeness, EstimationError):
            tails = [f"{key}/icc/reml", *([f"{key}/{STANDARDISED}"] if outcome.kind == "continuous" else [])]
            rows += lacking(plan, tails, likeness, method="restricted maximum likelihood", source=name_of(icc_reml))
            continue
        icc = likeness.value
        about: dict[str, Any] = {
            "population": "those with a known outcome",
            "analysis": "exploratory",
            "clause": " ".join(outcome.clauses),
        }
        rows.append(
            ResultRow(
                result_id=f"{plan.study}/{key}/icc/reml",
                study=plan.study,
                outcome=key,
                estimand="icc",
                contrast="between teams",
                method="restricted maximum likelihood, profile interval",
                estimate=icc.estimate,
                conf_low=icc.conf_low,
                conf_high=icc.conf_high,
                conf_level=icc.conf_level,
                n=icc.n,
                n_clusters=icc.n_clusters,
                source=likeness.source,
                **about,
            )
        )
        if outcome.kind == "continuous":
            with recorded() as ran:
                size = attempted(
                    partial(
                        hedges_g_clustered,
                        effect.used(),
                        outcome=y,
                        treatment=arm,
                        clusters=known["team_id"],
                        icc=max(likeness.used().estimate, 0.0),
                    )
                )
            if isinstance(size, EstimationError):
                source = name_of(hedges_g_clustered)
                rows += lacking(plan, [f"{key}/{STANDARDISED}"], size, method="Hedges' g", source=source)
                continue
            rows.append(
                size.g.row(
                    result_id=f"{plan.study}/{key}/{STANDARDISED}",
                    contrast=plan.contrast,
                    source=ran.source,
                    **about,
                )
            )
    binary = [outcome for outcome in plan.outcomes.values() if _planned_binary(outcome, plan)]
    return rows + [_binary_icc(people, outcome, plan) for outcome in binary]


def without_effect(planned: Iterable[str], plan: ReturnsPlan) -> list[ResultRow]:
    """The rows of `clustering_rows` of continuous outcomes no planned effect of which could be estimated."""
    wanted = {
        one.outcome
        for one in plan.analyses
        if one.kind == "planned" and plan.outcomes[one.outcome].kind == "continuous"
    }
    error = NoObservations("no planned effect of the outcome could be estimated")
    tails = [f"{key}/{tail}" for key in sorted(wanted - set(planned)) for tail in ("icc/reml", STANDARDISED)]
    return lacking(plan, tails, error, method="see the planned analyses", source=name_of(icc_reml))


def _planned_binary(outcome: ReturnsOutcome, plan: ReturnsPlan) -> bool:
    return outcome.kind == "binary" and any(
        one.outcome == outcome.id and one.kind == "planned" for one in plan.analyses
    )


@states_source
def _binary_icc(people: pd.DataFrame, outcome: ReturnsOutcome, plan: ReturnsPlan) -> ResultRow:
    known = people.loc[people[outcome.column].notna()]
    key = f"{plan.study}/{outcome.id}/icc/anova"
    about: dict[str, Any] = {
        "population": "those with a known outcome",
        "contrast": "between teams",
        "analysis": "exploratory",
        "clause": " ".join(outcome.clauses),
    }
    try:
        icc = icc_anova(
            outcome=known[outcome.column].to_numpy(dtype=np.float64),
            clusters=known["team_id"],
            treatment=known["treatment"].to_numpy(dtype=np.float64),
            interval="swiger",
            conf_level=plan.conf_level,
        )
    except EstimationError as error:  # nobody left, or everybody
        reason = f"{type(error).__name__}: {error}"
        return not_estimated(result_id=key, reason=reason, method="one-way ANOVA within arms", **about)
    return ResultRow(
        result_id=key,
        study=plan.study,
        outcome=outcome.id,
        estimand="icc",
        method=icc.method,
        estimate=icc.estimate,
        conf_low=icc.conf_low,
        conf_high=icc.conf_high,
        conf_level=icc.conf_level,
        n=icc.n,
        n_clusters=icc.n_clusters,
        **about,
    )


def absence_distribution(people: pd.DataFrame, plan: ReturnsPlan) -> pd.DataFrame:
    """Share of each arm by class of days absent: columns arm, bin, people, share."""
    rows = []
    for arm, code in plan.design.arms.items():
        days = people.loc[people["treatment"] == code, "absence_days"].dropna()
        for low, high, label in DAYS:
            inside = int(absence_class(days, low, high).sum())
            share = inside / len(days) if len(days) else math.nan
            rows.append({"arm": arm, "bin": label, "people": inside, "share": share})
    return pd.DataFrame(rows)


def absence_class(days: pd.Series, low: float, high: float) -> pd.Series:
    """Whose days absent fall into a class of `DAYS`? Half days and pro-rata fractions count as the half days they
    reach.
    """
    halves = np.ceil(days * 2 - 1e-9) / 2
    return pd.Series((halves >= low) & (halves <= high) if high > 0 else halves == 0)


def balance(people: pd.DataFrame, plan: ReturnsPlan, *, population: str) -> pd.DataFrame:
    """Covariates by arm with standardised differences; one row a characteristic or level."""
    # What is known of nobody in an arm cannot be compared.
    known = people.groupby("treatment")[[name for name in COVARIATES if name in people]].count().min()
    names = [str(name) for name in known.index[known > 0]]
    table = balance_table(people, continuous=names, categorical=["role"])
    share = (table["kind"] == "level") | table["covariate"].isin(BINARY)
    return table.assign(
        population=population, missing=table["missing_treatment"] + table["missing_control"], share=share
    )


def personal(people: pd.DataFrame) -> pd.DataFrame:
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


def balance_differences(people: pd.DataFrame, plan: ReturnsPlan) -> pd.DataFrame:
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
        found = balance(own, plan, population=group)
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


def interim(people: pd.DataFrame, plan: ReturnsPlan) -> pd.DataFrame:
    """What did the return after twelve weeks hold? Described by arm and not tested. (Clauses P34 and P102; C49.)"""
    rows = []
    for arm, code in plan.design.arms.items():
        days = people.loc[people["treatment"] == code, "interim_illness_days"].dropna()
        rows.append(
            {"arm": arm, "people": len(days), "mean": days.mean(), "sd": days.std(ddof=1), "none": (days == 0).mean()}
        )
    return pd.DataFrame(rows)


def largest_scores(people: pd.DataFrame, plan: ReturnsPlan) -> pd.DataFrame:
    """How much of all Bradford points do the largest one per cent of scores hold? By arm; those who record spells
    only.
    """
    known = people.loc[people["records_spells"] & people["bradford"].notna()]
    limit = known["bradford"].quantile(LARGEST)
    rows = []
    for arm, code in plan.design.arms.items():
        scores = known.loc[known["treatment"] == code, "bradford"]
        above = scores > limit
        rows.append(
            {
                "arm": arm,
                "limit": limit,
                "scores": len(scores),
                "share_of_points": scores[above].sum() / scores.sum(),
                "median": scores.median(),
                "zero": (scores == 0).mean(),
            }
        )
    return pd.DataFrame(rows)


def uptake(people: pd.DataFrame, plan: ReturnsPlan) -> pd.DataFrame:
    """Who took part: from the course log for everyone treated, from the survey for those who answered."""
    treated = people.loc[people["treatment"] == plan.design.arms["treatment"]]
    control = people.loc[people["treatment"] == plan.design.arms["control"]]
    answered = treated.loc[treated["recall_t2"].notna()]
    diary = treated.loc[treated["time_protected_t2"].notna()]
    counts = [
        ("started", "Started the course", "P83", (treated["enrolled"] == 1).sum(), len(treated)),
        ("completed", "Completed all six modules", "P83", (treated["modules_completed"] == 6).sum(), len(treated)),
        ("crossed", "Control staff who started it", "P83", (control["enrolled"] == 1).sum(), len(control)),
        (
            "no_recall",
            "Did not recall it or were unsure",
            "P83",
            answered["recall_t2"].isin(["no", "not sure"]).sum(),
            len(answered),
        ),
        ("protected", "Put time for it into the diary", "P83", (diary["time_protected_t2"] == "yes").sum(), len(diary)),
    ]
    table = pd.DataFrame(counts, columns=["key", "label", "clause", "people", "of"])
    return table.assign(share=table["people"] / table["of"].where(table["of"] > 0))


def modules(people: pd.DataFrame, plan: ReturnsPlan) -> pd.DataFrame:
    """How many of those who started completed how many modules."""
    started = people.loc[(people["treatment"] == plan.design.arms["treatment"]) & (people["enrolled"] == 1)]
    count = started["modules_completed"].value_counts().reindex(range(7), fill_value=0)
    return pd.DataFrame(
        {"modules": count.index, "people": count.to_numpy(), "share": count.to_numpy() / max(1, len(started))}
    )


def attrition(people: pd.DataFrame, plan: ReturnsPlan) -> pd.DataFrame:
    """Response and loss by arm and by authority: people, share with each kind of record."""
    rows = []
    groups = [("arm", plan.design.arm_labels[a], people["treatment"] == c) for a, c in plan.design.arms.items()]
    groups += [
        ("authority", site.local_authority, people["local_authority"] == site.local_authority) for site in plan.sites
    ]
    for kind, label, mask in groups:
        part = people.loc[mask]
        rows.append(
            {
                "kind": kind,
                "label": label,
                "people": len(part),
                "teams": part["team_id"].nunique(),
                "baseline_absence": part["baseline_absence"].notna().mean(),
                "outcome": part["absence_days"].notna().mean(),
                "left": part["left"].mean(),
                "baseline_survey": part["responded_t1"].mean(),
                "endline_survey": part["responded_t2"].mean(),
            }
        )
    return pd.DataFrame(rows)


def attrition_by_wellbeing(people: pd.DataFrame, plan: ReturnsPlan) -> pd.DataFrame:
    """Share who answered at endline, by third of baseline wellbeing and arm; those without a baseline apart."""
    level = wellbeing_level(people, pd.Series(True, index=people.index))
    rows = []
    for name in ("Lowest third", "Middle third", "Highest third", "Not known"):
        for arm, code in plan.design.arms.items():
            part = people.loc[(level == name) & (people["treatment"] == code)]
            rows.append({"level": name, "arm": arm, "people": len(part), "answered": part["responded_t2"].mean()})
    return pd.DataFrame(rows)


def wellbeing_level(people: pd.DataFrame, among: pd.Series) -> pd.Series:
    """The third of baseline wellbeing of each person; the limits are those of the people `among`."""
    before = people["wellbeing_t1"]
    low, high = before[among].quantile([1 / 3, 2 / 3])
    level = pd.Series("Not known", index=people.index).mask(before <= low, "Lowest third")
    return level.mask((before > low) & (before <= high), "Middle third").mask(before > high, "Highest third")


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
