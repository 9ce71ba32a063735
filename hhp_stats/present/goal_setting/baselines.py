"""Missing baselines and imputation: balance, the models, how much the choice moves, how far the draws do. Tables and sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from great_tables import GT

from hhp_stats.present import prose
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.numbers import (
    capital,
    count,
    interval,
    lowered,
    number,
    p_clause,
    p_value,
    percent,
    plural,
    spelled,
)
from hhp_stats.present.tables import plain_table, text_table
from hhp_stats.studies.goal_setting_terms import primary_analysis, versions_of_baselines

REACHES_ZERO = 0.0005  # an end that is printed as zero
GROUPS = {"recorded": "Recorded", "imputed": "Imputed", "all": "All"}
WORDS = {
    "gender_male": "gender", "role": "role", "part_time": "part-time work", "service_years": "length of service",
    "coffee": "coffee trial arm", "local_authority": "authority", "agency": "agency staff", "left": "leaving",
    "treatment": "arm", "absence_days": "days absent over the trial", "baseline_absence": "baseline absence",
    "pressure_1": "time pressure, first item", "pressure_2": "time pressure, second item",
    "baseline_illness_spells": "spells before", "baseline_bradford": "Bradford score before",
}  # fmt: skip
WAVES = {"_t1": "baseline", "_t2": "endline"}
KINDS = {"pmm": "predictive mean matching", "continuous": "linear", "binary": "logistic",
         "ordered": "proportional odds", "unordered": "multinomial"}  # fmt: skip
ARMS = {"together": "both together", "apart": "each apart", "ignored": "both together, arm left out"}
BASELINES = {"together": "both arms together, arm and outcomes predict", "apart": "each arm apart",
             "from_baselines": "both arms together, neither arm nor outcome predicts"}  # fmt: skip
OUTCOMES = {"together": "both arms together", "apart": "each arm apart", "none": "not imputed"}


# ---------------------------------------------------------------- balance
def imputed_balance(report: StudyReport) -> GT:
    """Recorded and imputed baseline absence by arm, with the differences and their test."""
    table, labels = report.table("baseline_balance"), report.plan.design.arm_labels
    cells = []
    for group, label in GROUPS.items():
        lines = table.loc[table["group"] == group].set_index("arm")
        line = {"Baseline absence": label} | {
            name: f"{number(lines.at[arm, 'mean'], 1)} ({count(lines.at[arm, 'people'])})" for arm, name in labels.items()
        }  # fmt: skip
        row, std = _difference(report, group)
        line |= {
            "Difference": number(row["estimate"], 1) if row else "\u2014",
            "95% CI": interval(row["conf_low"], row["conf_high"], 1) if row else "\u2014",
            "p": p_value(row["p_value"]) if row else "\u2014", "Standardised": number(std["estimate"]) if std else "\u2014",
        }  # fmt: skip
        cells.append(line)
    planned = primary_analysis(report.plan)
    model, criterion = report.plan.imputation.models[planned.baseline_absence], report.plan.imputation.balance
    notes = [
        f"Mean days in the twelve months before (people). Imputed: mean over the {count(model.m)} completed data sets of the planned analysis. "
        "Differences: goal-setting minus control, clustered by team, pooled; standardised: in standard deviations.",
        f"Criterion, set when this report was written: no standardised difference of imputed baselines above {number(criterion.std_difference)}, "
        f"and no p below {number(criterion.alpha)}.",
    ]
    joint = _joint(report)
    if joint:
        notes.append(
            f"Both differences together: F = {number(joint['statistic'])}, {p_clause(joint['p_value'])} ({joint['method']})."
        )
    return plain_table(pd.DataFrame(cells), stub="Baseline absence", spanner=list(labels.values()), notes=notes)


def _found(report: StudyReport, key: str) -> Mapping[str, Any] | None:
    """A row that is there, and estimated, only where enough baselines were imputed in both arms."""
    ids = set(report.output.results["result_id"])
    row = report.row(key) if f"{report.plan.study}/{key}" in ids else None
    return None if row is None or row["status"] == "not_estimated" else row


def _difference(report: StudyReport, group: str) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    return _found(report, f"balance/baseline_absence/{group}"), _found(report, f"balance/baseline_absence_std/{group}")


def _joint(report: StudyReport) -> Mapping[str, Any] | None:
    return _found(report, "balance/baseline_absence/joint")


def baseline_balance(report: StudyReport) -> str:
    """Does the check of balance hold, and what follows where it does not?"""
    row, std = _difference(report, "imputed")
    if row is None or std is None:
        return "In one of the arms too few baselines had to be imputed for a comparison."
    criterion, joint = report.plan.imputation.balance, _joint(report)
    wide = abs(std["estimate"]) > criterion.std_difference
    unlikely = row["p_value"] < criterion.alpha or (joint is not None and joint["p_value"] < criterion.alpha)
    evidence = f"({number(std['estimate'])} standard deviations, {p_clause(row['p_value'])})"
    if not wide and not unlikely:
        return f"The imputed baselines of both arms are as alike as the criterion asks {evidence}."
    what = "are further apart than the criterion allows" if wide else "differ more than chance explains"
    return (
        f"The imputed baselines of the arms {what} {evidence}. The planned analysis must then not be read alone: what can be said is what "
        f"the other ways with missing baselines bear out. {baseline_versions(report)}"
    )


# ---------------------------------------------------------------- how much the choice moves
def _versions(report: StudyReport) -> list[tuple[str, Mapping[str, Any]]]:
    """The other ways with missing baselines: label and row, those that could be estimated."""
    found = [(one.label, report.row(one.id)) for one in versions_of_baselines(report.plan)]
    return [(label, row) for label, row in found if row["status"] == "estimated"]


def _named(label: str) -> str:
    return lowered(label.removeprefix("Missing baseline: "))


def baseline_versions(report: StudyReport) -> str:
    """The effect on absence under every other way with missing baselines, and whether the conclusion stands."""
    planned, found = report.planned("sickness_absence"), _versions(report)
    better = report.outcome("sickness_absence").better
    if planned["status"] != "estimated" or not found:
        return "The other ways with missing baselines have nothing to be compared with."
    base = prose.verdict(planned, better=better)
    values = "; ".join(
        f"{_named(label)} {number(row['estimate'])} ({interval(row['conf_low'], row['conf_high'])})"
        for label, row in found
    )
    other = [
        _named(label)
        for label, row in found
        if (verdict := prose.verdict(row, better=better)).clear != base.clear
        or (verdict.clear and verdict.direction != base.direction)
    ]
    kind = "a clear difference" if base.clear else "no clear difference"
    stands = (
        f"None of them changes the conclusion ({kind})."
        if not other
        else f"The conclusion ({kind}) does not stand with {spelled(len(other))} of them: {', '.join(other)}."
    )
    return f"How missing baselines are dealt with moves the estimate of {number(planned['estimate'])} days (planned). Other ways give: {values}. {stands}"


def baseline_range(report: StudyReport) -> str:
    """The same in one sentence: from where to where the estimates lie, and whether the conclusion stands."""
    planned, found = report.planned("sickness_absence"), _versions(report)
    better = report.outcome("sickness_absence").better
    if planned["status"] != "estimated" or not found:
        return "The other ways with missing baselines have nothing to be compared with."
    low, high = min(found, key=lambda one: one[1]["estimate"]), max(found, key=lambda one: one[1]["estimate"])
    base = prose.verdict(planned, better=better)
    same = sum(
        prose.verdict(row, better=better).clear == base.clear
        and (not base.clear or prose.verdict(row, better=better).direction == base.direction)
        for _, row in found
    )
    outcome = "all" if same == len(found) else spelled(same)
    return (
        f"Baseline absence is missing for some staff. Beside the planned way, {spelled(len(found))} others of dealing with that give differences from "
        f"{number(low[1]['estimate'])} days ({_named(low[0])}) to {number(high[1]['estimate'])} ({_named(high[0])}); {outcome} lead to the same conclusion."
    )


def baseline_handling(report: StudyReport) -> str:
    """Why the missing baselines matter, and what the planned analysis does about them."""
    row = _found(report, "balance/baseline_absence/all")
    table = report.table("baseline_balance")
    missing = int(table.loc[table["group"] == "imputed", "people"].sum())
    unadjusted, planned = report.row("sickness_absence/itt/unadjusted"), report.planned("sickness_absence")
    if row is None:
        return f"For {count(missing)} people no usable baseline is recorded, so that what is put in its place matters."
    side = "more" if row["estimate"] > 0 else "fewer"
    return (
        f"In the year before, staff offered goal-setting had on average {number(abs(row['estimate']), 1)} days of absence {side} than control staff, "
        f"missing values imputed; the adjustment therefore moves the comparison from {number(unadjusted['estimate'])} days (unadjusted) to "
        f"{number(planned['estimate'])}. For {count(missing)} people no usable baseline is recorded, so that what is put in its place "
        "matters."
    )


# ---------------------------------------------------------------- the imputation models
def _label(name: str, report: StudyReport) -> str:
    for suffix, wave in WAVES.items():
        if name.endswith(suffix):
            return f"{_label(name.removesuffix(suffix), report)} ({wave})"
    outcomes = {outcome.column.removesuffix("_t2"): outcome for outcome in report.plan.outcomes.values()}
    if name in WORDS:
        return WORDS[name]
    return lowered(outcomes[name].label) if name in outcomes else name.replace("_", " ")


def imputation_model(report: StudyReport) -> GT:
    """Which variable is imputed by which model from which others: the planned imputation."""
    planned = primary_analysis(report.plan)
    table = report.table("imputation_model")
    table = table.loc[table["set"] == planned.baseline_absence]
    chosen = [str(found).split() for found in table["predictors"]]
    shared = [name for name in chosen[0] if all(name in names for names in chosen)]
    rows = [
        {
            "Variable": capital(_label(row["variable"], report)), "Missing": count(row["gaps"]),
            "Model": KINDS[row["kind"]], "Arms": ARMS[row["arms"]],
            "Predicted by": "; ".join(_label(name, report) for name in row["predictors"].split() if name not in shared) or "\u2014",
        }
        for row in table.to_dict("records")
    ]  # fmt: skip
    first = table.iloc[0]
    effect = "a random effect of the team" if first["team_effect"] else "no effect of the team"
    return text_table(pd.DataFrame(rows), stub="Variable", numeric=["Missing"], notes=[
        f"In the order in which variables are visited, {count(first['iterations'])} times round, for each of {count(first['m'])} completed data sets "
        f"({count(first['people'])} people). Every model has {effect}; predictive mean matching draws from {count(first['donors'])} donors.",
        f"All are predicted by {', '.join(_label(name, report) for name in shared)}; the column names what comes to that. Composites are computed from "
        "their imputed parts.",
    ])  # fmt: skip


def imputation_models(report: StudyReport) -> GT:
    """The imputation models of the plan side by side."""
    table = report.table("imputation_model").groupby("set", sort=False)[["team_effect", "m", "iterations"]].first()
    rows = []
    for name, line in table.iterrows():
        key, _, part = str(name).partition("/")
        model = report.plan.imputation.models[key]
        rows.append({
            "Model": model.label + (" (those with records of spells)" if part else ""), "Baselines": BASELINES[model.baselines],
            "Endline answers": "not imputed" if part else OUTCOMES[model.outcomes],
            "Team effect": "yes" if line["team_effect"] else "no",
            "Data sets": count(line["m"]), "Rounds": count(line["iterations"]),
        })  # fmt: skip
    return text_table(pd.DataFrame(rows), stub="Model", numeric=["Data sets", "Rounds"])


def team_effect(report: StudyReport) -> str:
    """What the team effect in the imputation model does to the difference in wellbeing, and why."""
    having, without = (report.row(f"wellbeing/itt/{name}") for name in ("imputed", "imputed-without-team-effect"))
    if "not_estimated" in (having["status"], without["status"]):
        return "Imputation with and without a team effect could not be compared."
    icc = report.row("wellbeing/icc/reml")
    gap = without["estimate"] - having["estimate"]
    noise = (having["mc_error"] ** 2 + without["mc_error"] ** 2) ** 0.5
    chance = "within what the draws alone can make" if abs(gap) < 2 * noise else "more than the draws alone make"
    share = percent(abs(gap) / having["std_error"], 0)
    told = (
        "The interval of that likeness reaches zero, so that the answers do not tell which of the two models is right."
        if icc["conf_low"] < REACHES_ZERO
        else "The interval of that likeness stays above zero, which speaks for the team effect."
    )
    return (
        f"The imputation model gives each team an effect of its own, so that missing answers take after those of teammates. Without it the difference in "
        f"wellbeing is {number(without['estimate'])} ({interval(without['conf_low'], without['conf_high'])}) instead of {number(having['estimate'])} "
        f"({interval(having['conf_low'], having['conf_high'])}). That is {share} of a standard error and {chance} (Monte Carlo errors "
        f"{number(without['mc_error'], 3)} and {number(having['mc_error'], 3)}). The likeness of teammates among those who answered is "
        f"{number(icc['estimate'], 3)} ({interval(icc['conf_low'], icc['conf_high'], 3)}): with a team effect, the teams\u2019 own deviations count as theirs and "
        f"are carried to members who did not answer; without it every deviation from the covariates counts as the person\u2019s. {told}"
    )


# ---------------------------------------------------------------- how far the draws move
def monte_carlo(report: StudyReport) -> GT:
    """Monte Carlo errors of the planned results that rest on imputation."""
    limits = report.plan.imputation.monte_carlo
    rows = []
    for line in report.table("monte_carlo").to_dict("records"):
        row = report.row(str(line["result_id"]).split("/", 1)[1])
        rows.append({
            "Outcome": report.outcome(row["outcome"]).label, "Estimate": number(row["estimate"], 3),
            "Its error": number(row["mc_error"], 4), "Share of the standard error": percent(line["share"]),
            "p": p_value(row["p_value"]), "Error of p": number(row["mc_error_p"], 3), "Limit": number(line["limit_p"], 3),
            "Enough": "yes" if line["holds"] else "no",
        })  # fmt: skip
    return plain_table(pd.DataFrame(rows), stub="Outcome", notes=[
        f"Limits: of the estimate {percent(limits.estimate, 0)} of its standard error; of p {number(limits.p_value)}, or {percent(limits.share, 0)} of p where that is "
        "more. Errors are standard deviations over repetitions of the imputation on the same data.",
    ])  # fmt: skip


def enough_imputations(report: StudyReport) -> str:
    """Are there enough imputations for every planned result?"""
    table = report.table("monte_carlo")
    failing = table.loc[~table["holds"].astype(bool)]
    primary = report.planned("sickness_absence")
    head = (
        f"Made again with other random numbers, the imputation would move the planned difference in absence by about {number(primary['mc_error'], 3)} days and "
        f"its p value by about {number(primary['mc_error_p'], 3)}."
    )
    if failing.empty:
        return f"{head} All {plural(len(table), 'planned result')} that rest on imputation keep within the limits that the plan sets."
    names = [report.outcome(str(key).split("/")[1]).label.lower() for key in failing["result_id"]]
    return (
        f"{head} **Warning:** for {spelled(len(names))} of {plural(len(table), 'planned result')} the limits are passed ({', '.join(names)}), so that more imputations "
        "are needed."
    )


# ---------------------------------------------------------------- the benefit-cost ratio
def ratio_versions(report: StudyReport) -> str:
    """Does the ratio stay above breaking even under the other ways with missing baselines?"""
    table = report.table("cost_versions")
    rows = [report.row(str(key).split("/", 1)[1]) for key in table["result_id"].iloc[1:]]
    if not rows:
        return "No other way with missing baselines was applied to the ratio."
    low, high = min(row["estimate"] for row in rows), max(row["estimate"] for row in rows)
    above = [row for row in rows if row["conf_low"] > 1]
    below = [row for row in rows if row["conf_high"] < 1]
    included = len(rows) - len(above) - len(below)
    shares = table["above_break_even"]
    said = (
        "all of their intervals include breaking even" if included == len(rows)
        else f"{spelled(included)} of their intervals include breaking even" if included
        else "none of their intervals includes breaking even"
    )  # fmt: skip
    return (
        f"Under the {spelled(len(rows))} other ways with missing baselines the ratio lies between {number(low)} and {number(high)}, and {said}. The share of "
        f"resamples above it runs from {percent(shares.min(), 0)} to {percent(shares.max(), 0)} over all ways."
    )


def cost_versions(report: StudyReport) -> GT:
    """The ratio under each way with missing baselines."""
    rows = []
    for line in report.table("cost_versions").to_dict("records"):
        row = report.row(str(line["result_id"]).split("/", 1)[1])
        rows.append({
            "Missing baselines": capital(str(line["label"]).removeprefix("Missing baseline: ")), "Ratio": number(row["estimate"]),
            "95% CI": interval(row["conf_low"], row["conf_high"]), "Above breaking even": percent(line["above_break_even"], 0),
        })  # fmt: skip
    scenario = report.plan.cost_benefit.scenarios[0]
    return plain_table(pd.DataFrame(rows), stub="Missing baselines", notes=[
        f"{scenario.label}. Teams resampled, absence, turnover (linear probability) and the cost of a leaver re-estimated together; both "
        "effects under the same way with missing baselines.",
    ])  # fmt: skip


BASELINE_TABLES: dict[str, Callable[[StudyReport], GT]] = {
    "imputed_balance": imputed_balance, "imputation_model": imputation_model, "imputation_models": imputation_models,
    "monte_carlo": monte_carlo, "cost_versions": cost_versions,
}  # fmt: skip
BASELINE_SENTENCES: dict[str, Callable[[StudyReport], str]] = {
    "baseline_handling": baseline_handling, "baseline_balance": baseline_balance, "baseline_versions": baseline_versions,
    "baseline_range": baseline_range, "team_effect": team_effect, "enough_imputations": enough_imputations,
    "ratio_versions": ratio_versions,
}  # fmt: skip
