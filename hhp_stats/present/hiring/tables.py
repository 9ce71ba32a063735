"""The tables of the chapter on the hiring experiments."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
from great_tables import GT

from hhp_stats.consistency.ledger import DATA_DIFFER, read_lists
from hhp_stats.present.hiring.report import GROUP, HiringReport
from hhp_stats.present.numbers import MISSING, count, interval, level, number, p_value, percent
from hhp_stats.present.published_names import group_in_words, in_the_style_of, published_names, statistic_in_words
from hhp_stats.present.tables import filled, plain_table, text_table
from hhp_stats.results.traced import traced_records


def conditions(report: HiringReport) -> GT:
    """Who was in which condition, and how much they answered."""
    table = report.table("conditions")
    titles = {key: experiment.title for key, experiment in report.plan.experiments.items()}
    rows = pd.DataFrame(
        {
            "Condition": table["label"],
            "Experiment": table["experiment"].map(titles),
            "Participants": [count(n) for n in table["people"]],
            "Judgements": [count(n) for n in table["rows"]],
            "Answered": [count(n) for n in table["answered"]],
        }
    )
    note = (
        "In the first experiment every participant judges applications with both kinds of name, so the participants of"
        " a condition are counted twice."
    )
    return plain_table(rows, stub="Condition", groups="Experiment", notes=[note])


def rates(report: HiringReport) -> GT:
    """Rate of each cell with its clustered interval."""
    cells = []
    for cell in report.plan.cells_of("progression"):
        row = report.result("progression", f"mean_{cell.id}")
        cells.append(
            {
                "Condition and names": cell.label,
                "Shortlisted": f"{number(row['estimate'])}%",
                f"{level(row['conf_level'])} CI": interval(row["conf_low"], row["conf_high"], 1),
                "Standard error": number(row["std_error"]),
                "Decisions": count(row["n"]),
                "Participants": count(row["n_clusters"]),
            }
        )
    notes = ["Least squares on the four cells; standard errors in percentage points, clustered by participant (CR1)."]
    return plain_table(pd.DataFrame(cells), stub="Condition and names", notes=notes)


def _contrast_cells(report: HiringReport, rows: pd.DataFrame, *, digits: int) -> pd.DataFrame:
    cells = []
    for row in traced_records(rows):
        contrast = report.plan.contrasts[row["estimand"]]
        adjusted = MISSING if pd.isna(row["p_adjusted"]) else p_value(row["p_adjusted"])
        cells.append(
            {
                "Comparison": contrast.label,
                "Question": contrast.question,
                "Difference": number(row["estimate"], digits),
                f"{level(row['conf_level'])} CI": interval(row["conf_low"], row["conf_high"], digits),
                "p": p_value(row["p_value"]),
                "p (Holm)": adjusted,
                "n": count(row["n"]),
            }
        )
    return pd.DataFrame(cells)


def progression(report: HiringReport) -> GT:
    """The contrasts of experiment 1, planned and not."""
    rows = report.contrasts("progression")
    notes = [
        (
            "Differences in percentage points; n counts answered decisions. Holm's adjustment covers the three planned"
            " comparisons."
        ),
        f"Clustered by {count(rows['n_clusters'].iloc[0])} participants (CR1, t with one degree of freedom less).",
    ]
    return plain_table(_contrast_cells(report, rows, digits=2), stub="Comparison", groups="Question", notes=notes)


def scores(report: HiringReport) -> GT:
    """Mean and spread of the scores of each arm."""
    cells = []
    for cell in report.plan.cells_of("evaluation_score"):
        row, spread = (
            report.result("evaluation_score", f"mean_{cell.id}"),
            report.result("evaluation_score", f"sd_{cell.id}", "raw"),
        )
        cells.append(
            {
                "Condition": cell.label,
                "Participants": count(row["n"]),
                "Mean score": number(row["estimate"]),
                f"{level(row['conf_level'])} CI": interval(row["conf_low"], row["conf_high"]),
                "Standard deviation": number(spread["estimate"]),
                "Standard error": number(row["std_error"]),
            }
        )
    return plain_table(pd.DataFrame(cells), stub="Condition", notes=["Sum of three scores from 1 to 7."])


def evaluation(report: HiringReport) -> GT:
    """The contrasts of experiment 2."""
    rows = report.contrasts("evaluation_score")
    notes = [
        "Least squares on the three conditions, heteroskedasticity-robust (HC2). Holm's adjustment covers the three"
        " comparisons."
    ]
    return plain_table(_contrast_cells(report, rows, digits=2), stub="Comparison", groups="Question", notes=notes)


def _unplanned(label: str) -> str:
    """The label of the planned method where the comparison itself was not planned."""
    plain = label.removeprefix("Planned: ")
    return plain[:1].upper() + plain[1:]


def _versions(report: HiringReport, experiment: str) -> GT:
    cells = []
    for contrast in report.plan.contrasts_of(experiment):
        heading = contrast.label if contrast.planned else f"{contrast.label} (not planned)"
        for method in report.plan.methods_of(experiment):
            label = method.label if contrast.planned else _unplanned(method.label)
            row = report.result(experiment, contrast.id, method.id)
            estimated = row["status"] == "estimated"
            cells.append(
                {
                    "Version": label,
                    "Comparison": heading,
                    "Difference": number(row["estimate"]),
                    f"{level(row['conf_level'])} CI": (
                        interval(row["conf_low"], row["conf_high"]) if estimated else MISSING
                    ),
                    "p": p_value(row["p_value"]),
                    "n": count(row["n"]),
                    "Participants": count(row["n_clusters"]),
                }
            )
    return plain_table(filled(pd.DataFrame(cells), stub="Version"), stub="Version", groups="Comparison")


def progression_versions(report: HiringReport) -> GT:
    """Every contrast of experiment 1 by every method."""
    return _versions(report, "progression")


def evaluation_versions(report: HiringReport) -> GT:
    """Every contrast of experiment 2 by every method."""
    return _versions(report, "evaluation_score")


def name_sets(report: HiringReport) -> GT:
    """Rates by combination of names."""
    table = report.table("name_sets")
    rows = pd.DataFrame(
        {
            "Condition": table["evaluation"].str.capitalize() + ", combination " + table["name_set"].astype(str),
            "Participants": [count(n) for n in table["people"]],
            "Minority ethnic names": [f"{number(v, 1)}%" for v in table["minority"]],
            "White British names": [f"{number(v, 1)}%" for v in table["white_british"]],
        }
    )
    return plain_table(rows, stub="Condition")


def pairs(report: HiringReport) -> GT:
    """What was done with the pairs of the joint condition."""
    table = report.table("pair_choices")
    rows = pd.DataFrame(
        {
            "Shortlisted": table["choice"].str[:1].str.upper() + table["choice"].str[1:],
            "Pairs": [count(n) for n in table["pairs"]],
            "Share": [percent(v) for v in table["share"]],
        }
    )
    return plain_table(rows, stub="Shortlisted")


def detectable(report: HiringReport) -> GT:
    """What each planned comparison could have found."""
    cells = []
    for experiment in report.plan.experiments.values():
        for contrast in report.plan.contrasts_of(experiment.id):
            if contrast.planned:
                row = report.result(experiment.id, f"mdes_{contrast.id}")
                effect = report.result(experiment.id, contrast.id)
                cells.append(
                    {
                        "Comparison": contrast.label,
                        "Experiment": experiment.title,
                        "Detectable difference": number(row["estimate"], 1),
                        "Difference found": number(effect["estimate"], 1),
                    }
                )
    notes = [
        f"Percentage points in the first experiment, points of the score in the second; {100 * report.plan.power:g}%"
        f" power, {100 * report.plan.alpha:g}% two-sided, with the standard errors of these data."
    ]
    return plain_table(pd.DataFrame(cells), stub="Comparison", groups="Experiment", notes=notes)


def published(report: HiringReport) -> GT:
    """Every printed figure beside ours."""
    cells, lists, names = [], read_lists(report.root), published_names(report.root)
    for row in report.reproduction(GROUP).to_dict("records"):
        figure = report.published().row(row["published_id"])
        key, statistic = row["published_id"], str(figure["statistic"])
        # Where nothing explains a miss the cell says so: an empty one would read as if it came back.
        conflict = lists.readings.get(key, ("", ""))[0] if row["matches"] else lists.unmatched.get(key, DATA_DIFFER)
        cells.append(
            {
                "Published figure": key,
                "What": f"{statistic_in_words(statistic)}: {group_in_words(names, str(figure['group']))}",
                "Published": str(figure["as_printed"]),
                "Here": in_the_style_of(str(figure["as_printed"]), float(row["ours"]), statistic=statistic),
                "Same": "yes" if row["matches"] else "no",
                "Conflict": conflict,
            }
        )
    return text_table(pd.DataFrame(cells), stub="Published figure", numeric=("Published", "Here"))


TABLES: dict[str, Callable[[HiringReport], GT]] = {
    "conditions": conditions,
    "rates": rates,
    "progression": progression,
    "scores": scores,
    "evaluation": evaluation,
    "progression_versions": progression_versions,
    "evaluation_versions": evaluation_versions,
    "name_sets": name_sets,
    "pairs": pairs,
    "detectable": detectable,
    "published": published,
}
