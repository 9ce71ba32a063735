"""Sentences of the chapter's second half: survey outcomes, Bradford, compliers, costs, power, randomisation."""

from __future__ import annotations

from collections.abc import Sequence

from hhp_stats.present import prose
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.goal_setting.baselines import ratio_versions
from hhp_stats.present.goal_setting.more_tables import MEDIATORS, STRATEGIES, WELLBEING
from hhp_stats.present.goal_setting.named import sentence
from hhp_stats.present.numbers import (
    alpha_of,
    apart,
    count,
    interval,
    level,
    limit_of_p,
    lowered,
    number,
    p_clause,
    percent,
    plural,
    spelled,
    withheld,
)
from hhp_stats.results import LACKING
from hhp_stats.studies.goal_setting_terms import FAMILY, HALF_YEAR_WEEKS


def _verdicts(report: StudyReport, outcome: str) -> list[prose.Verdict]:
    better = report.outcome(outcome).better
    rows = [report.row(f"{outcome}/itt/{method}") for method in STRATEGIES]
    return [prose.verdict(row, better=better) for row in rows if row["status"] == "estimated"]


def _strategies_agree(report: StudyReport, outcome: str) -> str:
    found = _verdicts(report, outcome)
    label = report.outcome(outcome).label.lower()
    clear = [verdict for verdict in found if verdict.clear]
    if not clear:
        return (
            f"None of the {spelled(len(found))} ways of dealing with missing answers shows a clear difference in"
            f" {label}"
        )
    sides = {verdict.favours for verdict in clear}
    whom = "goal-setting" if sides == {"treatment"} else "the control arm" if sides == {"control"} else "different arms"
    if len(clear) == len(found):
        return (
            f"All {spelled(len(found))} ways of dealing with missing answers show a clear difference in {label}, in"
            f" favour of {whom}"
        )
    return (
        f"{spelled(len(clear)).capitalize()} of the {spelled(len(found))} ways of dealing with missing answers"
        f" {'shows' if len(clear) == 1 else 'show'} a clear difference in {label}, in favour of {whom}; the conclusion"
        " depends on what is assumed about those who did not answer"
    )


@sentence
def wellbeing(report: StudyReport) -> str:
    """Do the three strategies agree on wellbeing? With the imputed estimate."""
    row = report.row("wellbeing/itt/imputed")
    g = report.row("wellbeing/itt/hedges-g")
    # The score's own points and standard deviations of the score are two units of one difference: both are named.
    own = (
        "" if g["status"] in LACKING else f", which is {number(g['estimate'])} standard deviations of the score itself"
    )
    return (
        f"{_strategies_agree(report, 'wellbeing')}. With imputed answers the difference is {number(row['estimate'])}"
        f" points of a score that adds up three parts in standard deviations ({prose.uncertainty(row)}){own}."
    )


def _clear_outcomes(report: StudyReport, outcomes: Sequence[str]) -> str:
    verdicts = {key: _verdicts(report, key) for key in outcomes}
    clear = [report.outcome(key).label.lower() for key, found in verdicts.items() if any(one.clear for one in found)]
    if not clear:
        return "none of them shows a clear difference in any of the three ways"
    tests, outside = sum(map(len, verdicts.values())), sum(one.clear for found in verdicts.values() for one in found)
    chance = percent(alpha_of(report.plan.conf_level), 0)
    return (
        f"{spelled(outside)} of {count(tests)} intervals {'leaves' if outside == 1 else 'leave'} out zero, for"
        f" {_listed(clear)}; of so many tests without any effect {chance} would, so this is no sign of a difference by"
        " itself"
    )


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


@sentence
def wellbeing_parts(report: StudyReport) -> str:
    """Which parts of wellbeing differ."""
    return f"Of its {spelled(len(WELLBEING) - 1)} parts, {_clear_outcomes(report, WELLBEING[1:])}."


@sentence
def combination(report: StudyReport) -> str:
    """May wellbeing be one score? The rule and the numbers it rests on."""
    row = report.table("combination").iloc[0]
    other = "the other reading agrees" if row["branch"] == row["by_correlation"] else "the other reading would not"
    verb = "are combined" if row["branch"] == "combined" else "are not combined, and each is reported by itself"
    correlation, threshold = apart(row["correlation"], row["threshold"])
    return (
        f"At baseline the cognitive and the affective part correlate at {correlation} "
        f"(R-squared {number(row['r_squared'])}, {plural(row['n'], 'person', 'people')}) against the threshold of "
        f"{threshold}: the parts {verb}; {other}."
    )


@sentence
def mediators(report: StudyReport) -> str:
    """Time pressure and efficacy."""
    return f"{_strategies_agree(report, 'time_pressure')}. {_strategies_agree(report, 'efficacy')}."


@sentence
def dimensions(report: StudyReport) -> str:
    """The three dimensions of efficacy."""
    return f"Of the three dimensions of efficacy, {_clear_outcomes(report, MEDIATORS[2:])}."


@sentence
def pressure_reliability(report: StudyReport) -> str:
    """Is the mean of two items allowed?"""
    row = report.table("reliability").set_index("scale").loc["time_pressure"]
    enough = row["estimate"] >= report.plan.measures.time_pressure_alpha
    asked = report.plan.measures.time_pressure_alpha
    word = "above" if row["estimate"] > asked else "just" if enough else "below"
    return (
        f"The two items on time pressure have a reliability of {number(row['estimate'], beside=[asked])} "
        f"({interval(row['conf_low'], row['conf_high'])}), {word} the "
        f"{number(asked)} asked for, so their mean is {'used' if enough else 'used with reserve'}."
    )


@sentence
def response(report: StudyReport) -> str:
    """How many answered, by arm."""
    table = report.table("attrition")
    arms = table.loc[table["kind"] == "arm"].set_index("label")
    labels = report.plan.design.arm_labels
    if withheld(*arms["endline_survey"]):
        return "How many answered the endline survey is withheld, because the number of people concerned is very small."
    return (
        f"{percent(arms.at[labels['treatment'], 'endline_survey'])} of the goal-setting arm and "
        f"{percent(arms.at[labels['control'], 'endline_survey'])} of the control arm answered the endline survey."
    )


@sentence
def bounds(report: StudyReport) -> str:
    """What the answers alone can say about wellbeing."""
    lee = [report.row(f"wellbeing/{side}_bound/lee-bounds") for side in ("lower", "upper")]
    worst = [report.row(f"wellbeing/{side}_bound/worst-case") for side in ("lower", "upper")]
    return (
        f"Among those who would answer in either arm, the effect on wellbeing lies between {number(lee[0]['estimate'])}"
        f" and {number(lee[1]['estimate'])} (Lee\u2019s bounds). Without any assumption about those who did not answer"
        f" it lies between {number(worst[0]['estimate'])} and {number(worst[1]['estimate'])}: the answers alone say"
        " very little."
    )


@sentence
def rho(report: StudyReport) -> str:
    """How strongly response and wellbeing are related beyond the covariates."""
    if report.row("wellbeing/itt/heckman-ml")["status"] == "not_estimated":
        return ""
    row = report.row("wellbeing/rho/heckman-ml")
    return (
        "The selection model puts the correlation between answering and wellbeing, beyond the covariates, at"
        f" {number(row['estimate'])} ({level(report.plan.conf_level)} CI {interval(row['conf_low'], row['conf_high'])};"
        " profile likelihood, people taken as"
        f" independent){'' if prose.is_clear(row) else ', so the answers leave even its sign open'}."
    )


@sentence
def tipping(report: StudyReport) -> str:
    """By how much those who did not answer would have to differ in wellbeing."""
    return _tipping(report, "wellbeing")


@sentence
def tipping_mediators(report: StudyReport) -> str:
    """The same for time pressure and efficacy."""
    return (
        f"Time pressure: {lowered(_tipping(report, 'time_pressure'))} Efficacy: {lowered(_tipping(report, 'efficacy'))}"
    )


def _tipping(report: StudyReport, outcome: str) -> str:
    # Higher scores mean better only where the outcome says so, so scores are called higher and lower.
    parts = []
    for arm, whom in (
        ("treated", "only the goal-setting staff who did not answer"),
        ("control", "only the control staff who did not answer"),
    ):
        found = []
        for side in ("low", "high"):
            row = report.row(f"{outcome}/tipping/{arm}-{side}")
            if row["status"] not in LACKING:
                word = "lower" if row["estimate"] < 0 else "higher"
                found.append(f"{number(abs(row['estimate']))} standard deviations {word}")
        limit = max(abs(delta) for delta in report.plan.tipping.deltas)
        parts.append(
            f"would change if {whom} scored {' or '.join(found)} than imputed"
            if found
            else (
                f"would not change even if {whom} scored {number(limit, 1)} standard deviations higher or lower than"
                " imputed"
            )
        )
    row = report.row(f"{outcome}/itt/imputed")
    verdict = prose.verdict(row, better=report.outcome(outcome).better)
    kind = "a clear difference" if verdict.clear else "no clear difference"
    return f"The conclusion with imputed answers ({kind}) {parts[0]}, and it {parts[1]}."


@sentence
def bradford(report: StudyReport) -> str:
    """The planned effect on the Bradford score."""
    return prose.difference(
        report.planned("bradford"), report.outcome("bradford"), offer=prose.offer_of(report.plan), digits=1
    )


@sentence
def bradford_influence(report: StudyReport) -> str:
    """How much the largest scores matter."""
    whole, trimmed = report.row("bradford/itt/cr1"), report.row("bradford/itt/without-largest")
    without, all_of = apart(trimmed["estimate"], whole["estimate"], digits=1)
    return f"Without the largest one per cent of scores the difference is {without} instead of {all_of}."


@sentence
def complier(report: StudyReport) -> str:
    """The effect of starting on absence."""
    row, outcome = report.row("sickness_absence/cace/iv"), report.outcome("sickness_absence")
    if row["status"] in LACKING:
        return prose.not_estimated(row)
    found = prose.verdict(row, better=outcome.better)
    head = f"absence was {found.direction} by {number(abs(row['estimate']))} working days"
    return (
        "Among those whom the offer moved to start the course,"
        f" {head if found.direction != 'the same' else 'absence was the same'} through starting it"
        f" ({prose.uncertainty(row)}): {'a clear' if found.clear else 'no clear'} difference."
    )


@sentence
def ratio(report: StudyReport) -> str:
    """The ratio in the planned scenario."""
    row = report.row("benefit_cost/ratio/programme-30")
    joint = report.row("benefit_cost/ratio/programme-30-bootstrap")
    clear = prose.is_clear(joint, null=1)
    verdict = "excludes" if clear else "includes"
    reaches = [interval(one["conf_low"], one["conf_high"], null=1) for one in (row, joint)]
    done = "returned" if row["estimate"] >= 0 else "went with a further loss of"
    return (
        f"With half an hour a week costed, each pound of staff time {done} {number(abs(row['estimate']))} pounds "
        f"(interval as printed {reaches[0]}; from teams resampled "
        f"{reaches[1]}). The second interval {verdict} breaking even. {ratio_versions(report)}"
    )


@sentence
def printed_days(report: StudyReport) -> str:
    """The ratio under the printed 11.75 days."""
    row = report.row("benefit_cost/ratio/printed-days")
    days = {scenario.key: scenario.days for scenario in report.plan.cost_benefit.scenarios}
    return (
        f"Under the {number(days['printed-days'])} days that the protocol prints,"
        f" {number(days['printed-days'] / days['programme-60'], 0)} to"
        f" {number(days['printed-days'] / days['programme-30'], 0)} times the time of the programme, the ratio shrinks"
        f" to {number(row['estimate'])} ({interval(row['conf_low'], row['conf_high'])})."
    )


@sentence
def power(report: StudyReport) -> str:
    """What was planned, and what the sample allowed."""
    planned, recruited, lost = (
        report.row(f"power/mdes/absence-{key}") for key in ("planned", "recruited", "recruited-attrition")
    )
    achieved = report.row("power/mdes/absence-achieved")
    return (
        f"The trial was planned to detect {number(planned['estimate'], 3)} standard deviations of absence (printed as"
        f" {number(report.plan.power['absence'].printed)}). With the {count(recruited['n'])} people recruited it could"
        f" detect {number(recruited['estimate'], 3)}, after the planned attrition {number(lost['estimate'], 3)}; with"
        f" the team sizes, clustering and baseline correlation found in the data, {number(achieved['estimate'], 3)}."
    )


@sentence
def power_slip(report: StudyReport) -> str:
    """The unit slip of the printed value."""
    assumed = report.plan.power["absence"]
    days = report.row("sickness_absence/sd_control/raw")["estimate"]
    achieved = report.row("power/mdes/absence-achieved")["estimate"]
    baseline = assumed.baseline or 0.0
    return (
        f"The protocol adds that {number(assumed.printed)} is {number(100 * assumed.printed / baseline, 1)} per cent of"
        f" the baseline: the standardised value divided by {number(baseline)} days, as if it were days. In days it has"
        f" to be multiplied by the standard deviation: with the {number(days, 1)} days found among the controls the"
        f" trial could detect {number(achieved * days, 1)} days."
    )


@sentence
def power_weeks(report: StudyReport) -> str:
    """The base rates restated for the length of follow-up."""
    absence, turnover, weeks = (
        report.plan.power["absence"],
        report.plan.power["turnover"],
        report.plan.design.endline_weeks,
    )
    restated = report.row("power/mdes/turnover-fall-24-weeks")
    share = weeks / HALF_YEAR_WEEKS
    days, left = absence.baseline or 0.0, turnover.baseline or 0.0
    return (
        f"The printed base rates, {number(days)} days and {percent(left)} leaving, belong to {HALF_YEAR_WEEKS} weeks;"
        f" over the {weeks} weeks of follow-up they are {number(share * days)} days and {percent(share * left)}. With"
        " that, and without a correlation of leaving with a baseline that nobody has, the detectable fall in turnover"
        f" is {number(100 * restated['estimate'], 1)} points."
    )


@sentence
def replay(report: StudyReport) -> str:
    """Does the log repeat?"""
    table = report.table("replay")
    last = table.iloc[-1]
    agreed = (
        "gives the same strata, p values and arms"
        if last["agrees"]
        else f"differs from the list on file: {last['note']}"
    )
    return (
        f"The log holds {plural(len(table), 'draw')}; the last was"
        f" {'accepted' if last['accepted'] else 'kept without being accepted'} (role {p_clause(last['p_role'])},"
        f" service {p_clause(last['p_service'])}). Repeating it from its seed and the baseline returns {agreed}."
    )


@sentence
def assignment(report: StudyReport) -> str:
    """Even chances?"""
    row = report.table("assignment").iloc[0]
    return (
        f"Over {count(row['draws'])} further draws by the same rule each team is treated in"
        f" {percent(row['smallest'], 0)} to {percent(row['largest'], 0)} of them, around the one half that symmetry"
        f" demands, and {percent(row['accepted'], 0)} of the draws kept pass both tests."
    )


@sentence
def multiplicity(report: StudyReport) -> str:
    """Does any outcome stand out once there are several?"""
    rows = [report.row(key) for key in FAMILY]
    alpha = alpha_of(report.plan.conf_level)
    unadjusted = sum(row["p_value"] < alpha for row in rows)
    adjusted = [report.outcome(row["outcome"]).label.lower() for row in rows if row["p_adjusted"] < alpha]
    tail = (
        f"after Holm\u2019s adjustment {_listed(adjusted)} {'stands' if len(adjusted) == 1 else 'stand'} out"
        if adjusted
        else ("after Holm\u2019s adjustment none does")
    )
    subject = "None" if unadjusted == 0 else spelled(unadjusted).capitalize()
    verb = "have" if unadjusted > 1 else "has"
    whole = spelled(len(rows))
    return f"{subject} of the {whole} outcomes {verb} an unadjusted p value below {limit_of_p(alpha)}; {tail}."
