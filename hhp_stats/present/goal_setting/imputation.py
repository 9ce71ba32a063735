"""The imputation: its models, the team effect in them, how far its draws move the results. Tables and sentences."""

from __future__ import annotations

import pandas as pd
from great_tables import GT

from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.goal_setting.named import sentence, table
from hhp_stats.present.listing import capital
from hhp_stats.present.numbers import apart, count, interval, lowered, number, p_value, percent, plural, side, spelled
from hhp_stats.present.tables import plain_table, text_table
from hhp_stats.results.lacking import as_sentence
from hhp_stats.studies.goal_setting_terms import primary_analysis

WORDS = {
    "gender_male": "gender",
    "role": "role",
    "part_time": "part-time work",
    "service_years": "length of service",
    "coffee": "arm of another trial",
    "local_authority": "authority",
    "agency": "agency staff",
    "left": "leaving",
    "treatment": "arm",
    "absence_days": "days absent over the trial",
    "baseline_absence": "baseline absence",
    "pressure_1": "time pressure, first item",
    "pressure_2": "time pressure, second item",
    "baseline_illness_spells": "spells before",
    "baseline_bradford": "Bradford score before",
}
WAVES = {"_t1": "baseline", "_t2": "endline"}
KINDS = {
    "pmm": "predictive mean matching",
    "continuous": "linear",
    "binary": "logistic",
    "ordered": "proportional odds",
    "unordered": "multinomial",
}
ARMS = {"together": "both together", "apart": "each apart", "ignored": "both together, arm left out"}
BASELINES = {
    "together": "both arms together, arm and outcomes predict",
    "apart": "each arm apart",
    "from_baselines": "both arms together, neither arm nor outcome predicts",
}
OUTCOMES = {"together": "both arms together", "apart": "each arm apart", "none": "not imputed"}


# ---------------------------------------------------------------- the imputation models
def _label(name: str, report: StudyReport) -> str:
    for suffix, wave in WAVES.items():
        if name.endswith(suffix):
            return f"{_label(name.removesuffix(suffix), report)} ({wave})"
    outcomes = {outcome.column.removesuffix("_t2"): outcome for outcome in report.plan.outcomes.values()}
    if name in WORDS:
        return WORDS[name]
    return lowered(outcomes[name].label) if name in outcomes else name.replace("_", " ")


@table
def imputation_model(report: StudyReport) -> GT:
    """Which variable is imputed by which model from which others: the planned imputation."""
    planned = primary_analysis(report.plan)
    table = report.part("imputation_model", planned.baseline_absence, by="set")
    chosen = [str(found).split() for found in table["predictors"]]
    shared = [name for name in chosen[0] if all(name in names for names in chosen)]
    rows = [
        {
            "Variable": capital(_label(row["variable"], report)),
            "Missing": count(row["gaps"]),
            "Model": KINDS[row["kind"]],
            "Arms": ARMS[row["arms"]],
            "Predicted by": (
                "; ".join(_label(name, report) for name in row["predictors"].split() if name not in shared) or "\u2014"
            ),
        }
        for row in table.to_dict("records")
    ]
    first = table.iloc[0]
    effect = "a random effect of the team" if first["team_effect"] else "no effect of the team"
    return text_table(
        pd.DataFrame(rows),
        stub="Variable",
        numeric=["Missing"],
        notes=[
            (
                f"In the order in which variables are visited, {count(first['iterations'])} times round, for each of"
                f" {count(first['m'])} completed data sets ({count(first['people'])} people). Every model has {effect};"
                f" predictive mean matching draws from {count(first['donors'])} donors."
            ),
            (
                f"All are predicted by {', '.join(_label(name, report) for name in shared)}; the column names what"
                " comes to that. Composites are computed from their imputed parts."
            ),
        ],
    )


@table
def imputation_models(report: StudyReport) -> GT:
    """The imputation models of the plan side by side."""
    name = "imputation_model"
    table = report.table(name).groupby("set", sort=False)[["team_effect", "m", "iterations"]].first()
    rows = []
    for each, line in table.iterrows():
        key, _, part = str(each).partition("/")
        model = report.plan.imputation.models[key]
        rows.append(
            {
                "Model": _set_label(report, str(each)),
                "Baselines": BASELINES[model.baselines],
                "Endline answers": "not imputed" if part else OUTCOMES[model.outcomes],
                "Team effect": "yes" if line["team_effect"] else "no",
                "Data sets": count(line["m"]),
                "Rounds": count(line["iterations"]),
            }
        )
    lost = [f"{_set_label(report, key)}: not made. {as_sentence(why)}" for key, why in report.not_made(name).items()]
    return text_table(pd.DataFrame(rows), stub="Model", numeric=["Data sets", "Rounds"], notes=lost)


def _set_label(report: StudyReport, name: str) -> str:
    key, _, part = name.partition("/")
    return report.plan.imputation.models[key].label + (" (those with records of spells)" if part else "")


@sentence
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
        "The interval of that correlation includes zero, so the answers do not tell which of the two models is right."
        if side(icc["conf_low"]) <= 0
        else "The interval of that correlation is above zero, which supports the team effect."
    )
    other, own = apart(without["estimate"], having["estimate"])
    return (
        "The imputation model gives each team an effect of its own, so that missing answers resemble those of the"
        f" same team. Without it the difference in wellbeing is {other}"
        f" ({interval(without['conf_low'], without['conf_high'])}) instead of {own}"
        f" ({interval(having['conf_low'], having['conf_high'])}). That is {share} of a standard error and {chance}"
        f" (Monte Carlo errors {number(without['mc_error'], 3)} and {number(having['mc_error'], 3)}). The intraclass"
        f" correlation among those who answered is {number(icc['estimate'], 3)}"
        f" ({interval(icc['conf_low'], icc['conf_high'], 3)}). With a team effect, a team\u2019s deviation is also"
        " imputed to its members who did not answer; without it, every deviation from the covariates"
        f" counts as the person\u2019s own. {told}"
    )


# ---------------------------------------------------------------- how far the draws move
@table
def monte_carlo(report: StudyReport) -> GT:
    """Monte Carlo errors of the planned results that rest on imputation."""
    limits = report.plan.imputation.monte_carlo
    rows = []
    for line in report.table("monte_carlo").to_dict("records"):
        row = report.row(str(line["result_id"]).split("/", 1)[1])
        rows.append(
            {
                "Outcome": report.outcome(row["outcome"]).label,
                "Estimate": number(row["estimate"], 3),
                "Its error": number(row["mc_error"], 4),
                "Share of the standard error": percent(line["share"]),
                "p": p_value(row["p_value"]),
                "Error of p": number(row["mc_error_p"], 3),
                "Limit": number(line["limit_p"], 3),
                "Enough": "yes" if line["holds"] else "no",
            }
        )
    return plain_table(
        pd.DataFrame(rows),
        stub="Outcome",
        notes=[
            (
                f"Limits: of the estimate {percent(limits.estimate, 0)} of its standard error; of p"
                f" {number(limits.p_value)}, or {percent(limits.share, 0)} of p where that is more. Errors are standard"
                " deviations over repetitions of the imputation on the same data."
            ),
        ],
    )


@sentence
def enough_imputations(report: StudyReport) -> str:
    """Are there enough imputations for every planned result?"""
    table = report.table("monte_carlo")
    failing = table.loc[~table["holds"].astype(bool)]
    primary = report.planned("sickness_absence")
    head = (
        "With other random numbers, the imputation would change the planned difference in absence by about"
        f" {number(primary['mc_error'], 3)} days and its p-value by about {number(primary['mc_error_p'], 3)}."
    )
    if failing.empty:
        return (
            f"{head} All {plural(len(table), 'planned result')} that depend on imputation are within the limits"
            " that the"
            " plan sets."
        )
    names = [report.outcome(str(key).split("/")[1]).label.lower() for key in failing["result_id"]]
    return (
        f"{head} **Warning:** {spelled(len(names))} of {plural(len(table), 'planned result')}"
        f" {'is' if len(names) == 1 else 'are'} outside the limits ({', '.join(names)}), so more imputations"
        " are needed."
    )
