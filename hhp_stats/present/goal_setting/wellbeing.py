"""What the surveys measured: wellbeing, its parts, the mediators, how reliable they are. Tables, figure, sentences."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from great_tables import GT

from hhp_stats.present import prose
from hhp_stats.present.chapter import StudyReport
from hhp_stats.present.embed import EmbeddedFigure, embed
from hhp_stats.present.figures import forest
from hhp_stats.present.goal_setting.named import figure, sentence, table
from hhp_stats.present.listing import capital, listed_words
from hhp_stats.present.numbers import (
    alpha_of,
    apart,
    count,
    interval,
    level,
    lowered,
    number,
    percent,
    plural,
    spelled,
    withheld_note,
)
from hhp_stats.present.prose import contrast_of
from hhp_stats.present.tables import effects_table, plain_table
from hhp_stats.results.frame import LACKING
from hhp_stats.results.lacking import as_sentence

STRATEGIES = {"complete-cases": "Complete cases", "heckman-ml": "Heckman selection", "imputed": "Multiple imputation"}


WELLBEING = ("wellbeing", "cognitive", "affect_balance", "happiness", "ladder", "positive_affect", "negative_affect")


MEDIATORS = ("time_pressure", "efficacy", "autonomy", "competence", "relatedness")


SCALES = {
    "positive_affect": "Positive affect",
    "negative_affect": "Negative affect",
    "affect": "All six affect items",
    "time_pressure": "Time pressure",
    "efficacy": "Workplace efficacy",
    "autonomy": "Autonomy",
    "competence": "Competence",
    "relatedness": "Relatedness",
}


COEFFICIENTS = {"alpha": "Cronbach\u2019s alpha", "spearman_brown": "Spearman-Brown"}


def versions(report: StudyReport, outcome: str, *, bounds: bool = False) -> pd.DataFrame:
    """Rows of all analyses of an outcome that the plan names, in its order.

    Bounds, whose middle is no estimate, only where asked for.
    """
    rows = report.rows(outcome)
    named = {
        report.plan.result_id(analysis)
        for analysis in report.plan.analyses
        if bounds or analysis.missing_outcome != "bounds"
    }
    return rows.loc[rows["result_id"].isin(named)]


def _monte_carlo(rows: pd.DataFrame) -> str:
    """From the smallest to the largest Monte Carlo error among rows, in standard errors."""
    share = (rows["mc_error"] / rows["std_error"]).dropna()
    if share.empty:
        return "none"
    return f"{percent(share.min(), 0)} to {percent(share.max(), 0)} of their standard errors"


def strategies(report: StudyReport, outcomes: Sequence[str]) -> GT:
    """The three planned ways with missing answers, outcome by outcome."""
    pairs = [(key, method) for key in outcomes for method in STRATEGIES]
    rows = pd.DataFrame([report.row(f"{key}/itt/{method}") for key, method in pairs])
    return effects_table(
        rows,
        contrast=contrast_of(report.plan),
        labels=[STRATEGIES[method] for _, method in pairs],
        stub="Missing answers",
        groups=[f"{report.outcome(key).label} ({report.outcome(key).unit})" for key, _ in pairs],
        notes=[
            (
                "Differences, goal-setting minus control, adjusted as the absence analysis and for the baseline of the"
                " outcome. Composites are in standard deviations of the baseline respondents."
            ),
            (
                "Complete cases and imputation: least squares, standard errors CR1 by team, t. Selection: maximum"
                " likelihood at its highest maximum, clustered by team. The selection model has no variable that"
                " predicts response alone; it depends on its form."
            ),
            f"Monte Carlo errors of the imputed differences: {_monte_carlo(rows)}.",
        ],
    )


@table
def wellbeing_table(report: StudyReport) -> GT:
    """Wellbeing and its parts."""
    return strategies(report, WELLBEING)


@table
def mediators_table(report: StudyReport) -> GT:
    """Time pressure, efficacy and its dimensions."""
    return strategies(report, MEDIATORS)


@table
def reliability(report: StudyReport) -> GT:
    """How consistent the scales are among baseline respondents."""
    table, lost = report.table("reliability"), report.not_made("reliability")
    rows = table.to_dict("records")
    cells = pd.DataFrame(
        {
            "Scale": [SCALES[row["scale"]] for row in rows],
            "Items": [count(row["items"]) for row in rows],
            "Coefficient": [COEFFICIENTS[row["coefficient"]] for row in rows],
            "Estimate": [number(row["estimate"]) for row in rows],
            f"{level(report.plan.conf_level)} CI": [interval(row["conf_low"], row["conf_high"]) for row in rows],
            "People": [count(row["n"]) for row in rows],
        }
    )
    return plain_table(
        cells,
        stub="Scale",
        notes=[
            "Baseline respondents who answered every item of the scale, both arms.",
            *(f"{SCALES[scale]}: not computed. {as_sentence(reason)}" for scale, reason in lost.items()),
            *withheld_note(table),
        ],
    )


def _verdicts(report: StudyReport, outcome: str) -> list[prose.Verdict]:
    better = report.outcome(outcome).better
    rows = [report.row(f"{outcome}/itt/{method}") for method in STRATEGIES]
    return [prose.verdict(row, better=better) for row in rows if row["status"] == "estimated"]


def _strategies_agree(report: StudyReport, outcome: str) -> str:
    found = _verdicts(report, outcome)
    label, every = report.outcome(outcome).label.lower(), spelled(len(STRATEGIES))
    clear = [verdict for verdict in found if verdict.clear]
    if not found:
        why = prose.reason(report.row(f"{outcome}/itt/{next(iter(STRATEGIES))}")).rstrip(".")
        return f"In none of the {every} methods for missing answers could {label} be analysed. {why}"
    if len(found) == 1:
        return (
            f"Only one of the {every} methods for missing answers could be used; it shows"
            f" {'a' if clear else 'no'} clear difference in {label}"
        )
    ways = "methods for missing answers"
    if len(found) < len(STRATEGIES):
        ways += f" that could be used, of {every},"
    if not clear and len(found) == len(STRATEGIES):
        return f"However we handle missing answers, we find no clear effect on {label}"
    if not clear:
        return f"None of the {spelled(len(found))} {ways} shows a clear difference in {label}"
    sides = {verdict.favours for verdict in clear}
    whom = (
        "the goal-setting group"
        if sides == {"treatment"}
        else "the control group"
        if sides == {"control"}
        else "different groups"
    )
    if len(clear) == len(found):
        if len(found) == len(STRATEGIES):
            return f"However we handle missing answers, we find a clear difference in {label}, in favour of {whom}"
        return f"All {spelled(len(found))} {ways} show a clear difference in {label}, in favour of {whom}"
    return (
        f"{spelled(len(clear)).capitalize()} of the {spelled(len(found))} {ways}"
        f" {'shows' if len(clear) == 1 else 'show'} a clear difference in {label}, in favour of {whom}; the conclusion"
        " depends on what is assumed about those who did not answer"
    )


@sentence
def wellbeing(report: StudyReport) -> str:
    """Do the three strategies agree on wellbeing? With the imputed estimate."""
    row = report.row("wellbeing/itt/imputed")
    g = report.row("wellbeing/itt/hedges-g")
    # The score's own points and standard deviations of the score are two units of one difference: both are named.
    own = "" if g["status"] in LACKING else f", or {number(g['estimate'])} standard deviations"
    if row["status"] in LACKING:
        return f"{_strategies_agree(report, 'wellbeing')}. With imputed answers: {lowered(prose.not_estimated(row))}"
    return (
        f"{_strategies_agree(report, 'wellbeing')}. With imputed answers, the difference on the combined score is"
        f" {number(row['estimate'])} points ({prose.uncertainty(row)}){own}."
    )


def _clear_outcomes(report: StudyReport, outcomes: Sequence[str]) -> str:
    verdicts = {key: _verdicts(report, key) for key in outcomes}
    clear = [report.outcome(key).label.lower() for key, found in verdicts.items() if any(one.clear for one in found)]
    if not any(verdicts.values()):
        why = prose.reason(report.row(f"{outcomes[0]}/itt/{next(iter(STRATEGIES))}")).rstrip(".")
        return f"none could be analysed. {why}"
    if any(len(found) < len(STRATEGIES) for found in verdicts.values()) and not clear:
        return "none shows a clear difference with any method for missing answers that could be used"
    if not clear:
        return "none shows a clear effect with any method"
    tests, outside = sum(map(len, verdicts.values())), sum(one.clear for found in verdicts.values() for one in found)
    chance = percent(alpha_of(report.plan.conf_level), 0)
    return (
        f"{spelled(outside)} of {count(tests)} intervals {'excludes' if outside == 1 else 'exclude'} zero, for"
        f" {listed_words(clear)}; without any effect {chance} of them would, so this alone does not show a"
        " difference"
    )


@sentence
def wellbeing_parts(report: StudyReport) -> str:
    """Which parts of wellbeing differ."""
    return f"Of its {spelled(len(WELLBEING) - 1)} parts, {_clear_outcomes(report, WELLBEING[1:])}."


@sentence
def combination(report: StudyReport) -> str:
    """May wellbeing be one score? The rule and the numbers it rests on."""
    row = report.table("combination").iloc[0]
    if pd.isna(row["correlation"]):
        return (
            "At baseline too few answered, or all alike, to tell whether the parts belong together: each is reported by"
            " itself."
        )
    other = "the other reading agrees" if row["branch"] == row["by_correlation"] else "the other reading would not"
    verb = "are combined" if row["branch"] == "combined" else "are not combined, and each is reported by itself"
    correlation, threshold = apart(row["correlation"], row["threshold"])
    return (
        f"At baseline the correlation of the cognitive and the affective part is {correlation} "
        f"(R-squared {number(row['r_squared'])}, {plural(row['n'], 'person', 'people')}); the threshold is "
        f"{threshold}. The parts {verb}; {other}."
    )


@sentence
def mediators(report: StudyReport) -> str:
    """Time pressure, efficacy and its dimensions: one sentence where nothing is clear."""
    if not any(verdict.clear for key in MEDIATORS for verdict in _verdicts(report, key)):
        names = [lowered(report.outcome(key).label) for key in MEDIATORS[:2]]
        parts = f"the {spelled(len(MEDIATORS) - 2)} dimensions of {names[-1]}"
        return f"However we handle missing answers, we find no clear effect on {', '.join(names)} or {parts}."
    return (
        f"{_strategies_agree(report, 'time_pressure')}. {_strategies_agree(report, 'efficacy')}. Of the three"
        " dimensions"
        f" of efficacy, {_clear_outcomes(report, MEDIATORS[2:])}."
    )


@sentence
def pressure_reliability(report: StudyReport) -> str:
    """Is the mean of two items allowed?"""
    row = report.line("reliability", "time_pressure", by="scale")
    enough = row["estimate"] >= report.plan.measures.time_pressure_alpha
    asked = report.plan.measures.time_pressure_alpha
    word = "above" if row["estimate"] > asked else "just" if enough else "below"
    return (
        f"The two items on time pressure have a reliability of {number(row['estimate'], beside=[asked])} "
        f"({interval(row['conf_low'], row['conf_high'])}), {word} the "
        f"{number(asked)} asked for, so their mean is {'used' if enough else 'used with reserve'}."
    )


def _leaving_out(rows: pd.DataFrame) -> str:
    """`None of 9`: how many intervals exclude zero."""
    out = int(((rows["conf_low"] > 0) | (rows["conf_high"] < 0)).sum())
    return f"{capital(spelled(out)) if out else 'None'} of {len(rows)}"


REACH = 0.75  # standard deviations that the strip of survey outcomes shows; what lies beyond is printed beside it


@figure
def wellbeing_versions(report: StudyReport) -> EmbeddedFigure:
    """Every way of dealing with missing answers, for wellbeing and the two mediators, in standard deviations of the
    outcome.
    """
    parts, labels = [], []
    for key in ("wellbeing", "time_pressure", "efficacy"):
        rows = versions(report, key, bounds=True)
        scale = float(report.row(f"{key}/sd_control/raw")["estimate"])
        parts.append(rows.assign(**{name: rows[name] / scale for name in ("estimate", "conf_low", "conf_high")}))
        labels += [f"{report.outcome(key).label}: {lowered(label)}" for label in report.labels(rows)]
    rows = pd.concat(parts, ignore_index=True)
    # Worst-case bounds reach far beyond the others and would flatten them: they are in the words, not in the figure.
    shown = ~rows["result_id"].str.endswith("worst-case")
    words = "; ".join(
        f"{label}: {number(row['estimate'])} ({interval(row['conf_low'], row['conf_high'])})"
        for label, row in zip(labels, rows.to_dict("records"), strict=True)
    )
    kept = [label for label, keep in zip(labels, shown, strict=True) if keep]
    return embed(
        lambda width: forest(
            rows.loc[shown],
            labels=kept,
            unit="standard deviations",
            contrast=prose.contrast_of(report.plan).lower(),
            limits=(-REACH, REACH),
            planned=set(rows.loc[rows["analysis"] == "planned", "result_id"]),
            width=width,
        ),
        root=report.root,
        document=report.document,
        label="gs-wellbeing-versions",
        conclusion=(
            f"{_leaving_out(rows.loc[rows['analysis'] == 'planned'])} of the planned intervals for wellbeing, time"
            " pressure and efficacy exclude zero"
        ),
        alt=(
            f"Estimates and {level(report.plan.conf_level)} intervals in standard deviations of the control group, by"
            f" method for missing answers. {words}."
        ),
        caption=(
            "Wellbeing, time pressure and efficacy under every method for missing answers (diamonds: planned)."
            " In standard deviations of the control group, where tables are in points."
            " Worst-case bounds are too wide to be drawn; an arrow marks an interval that goes on"
        ),
    )
