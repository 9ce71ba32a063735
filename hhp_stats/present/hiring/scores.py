"""Sentences of the second experiment: scores of applications with and without a name."""

from __future__ import annotations

from hhp_stats.present.hiring.phrases import evidence, holm_adjusted, towards, verdict
from hhp_stats.present.hiring.report import HiringReport
from hhp_stats.present.numbers import alpha_of, apart, count, interval, limit_of_p, number, p_value, spelled

SMALL_DIFFERENCE = 5.0  # percentage points, for the recommendation on further trials


def _score(report: HiringReport, estimand: str, method: str = "") -> str:
    row = report.result("evaluation_score", estimand, method)
    contrast = report.plan.contrasts[estimand]
    first, second = (report.plan.cells[cells[0]] for cells in (contrast.plus, contrast.minus))
    means = apart(*(report.result("evaluation_score", f"mean_{cell.id}")["estimate"] for cell in (first, second)))
    names = [cell.label.lower().replace("british", "British").replace("white", "White") for cell in (first, second)]
    return (
        # The interval is that of the difference, so it stands beside it and not beside a mean.
        f"With “{names[0]}” the average score was {means[0]} points, with “{names[1]}” {means[1]}. That is"
        f" {number(abs(row['estimate']))} points {towards(row, words=('more', 'less'))} ({evidence(row, digits=2)}),"
        f" {verdict(row)}."
    )


def score_1(report: HiringReport) -> str:
    """Blinded against minority."""
    return _score(report, "blinded_vs_minority")


def score_2(report: HiringReport) -> str:
    """Blinded against White British."""
    return _score(report, "blinded_vs_white_british")


def score_3(report: HiringReport) -> str:
    """Minority against White British."""
    return _score(report, "minority_vs_white_british")


def score_holm(report: HiringReport) -> str:
    """What adjusting for three comparisons changes."""
    return holm_adjusted(report, "evaluation_score")


def score_variance(report: HiringReport) -> str:
    """How the second contrast hangs on the variance."""
    found = {
        key: report.result("evaluation_score", "blinded_vs_white_british", key) for key in ("hc2", "welch", "pooled")
    }
    alpha = alpha_of(found["hc2"]["conf_level"])
    below = [key for key, row in found.items() if row["p_value"] < alpha]
    limit = limit_of_p(alpha)
    if len(below) in (0, len(found)):
        where = f"{'all' if below else 'none'} of these {'lie' if below else 'lies'} below {limit}"
    else:
        lie = "lies" if len(below) == 1 else "lie"
        where = f"{spelled(len(below))} of these {lie} below {limit}, so a verdict would depend on the method"
    p = {key: p_value(row["p_value"], alpha=alpha) for key, row in found.items()}
    return (
        f"Against White British names the p-value is {p['hc2']} with robust standard errors, "
        f"{p['welch']} by Welch's test of the two conditions alone and {p['pooled']} if one variance is "
        f"taken for all three; {where}."
    )


def score_spread(report: HiringReport) -> str:
    """Do the spreads of the arms differ?"""
    spread = {
        cell.id: report.result("evaluation_score", f"sd_{cell.id}", "raw")["estimate"]
        for cell in report.plan.cells_of("evaluation_score")
    }
    return (
        f"The standard deviation of scores is {number(spread['blinded'])} points with the name removed,"
        f" {number(spread['minority'])} with a minority ethnic and {number(spread['white_british'])} with a"
        " White British"
        " name."
    )


def score_sizes(report: HiringReport) -> str:
    """The differences in standard deviations."""
    rows = [
        report.result("evaluation_score", contrast.id, "hedges-g")
        for contrast in report.plan.contrasts_of("evaluation_score")
    ]
    return (
        "In standard deviations the three differences are "
        + ", ".join(f"{number(row['estimate'])} ({interval(row['conf_low'], row['conf_high'])})" for row in rows)
        + "."
    )


def detectable(report: HiringReport) -> str:
    """What the experiments could have found."""
    first = [
        report.result("progression", f"mdes_{c.id}")["estimate"]
        for c in report.plan.contrasts_of("progression")
        if c.planned
    ]
    second = [
        report.result("evaluation_score", f"mdes_{c.id}")["estimate"]
        for c in report.plan.contrasts_of("evaluation_score")
    ]
    return (
        f"With samples of this size, the first experiment can detect differences of {number(min(first), 1)} to"
        f" {number(max(first), 1)} percentage points and the second differences of {number(min(second), 1)} to"
        f" {number(max(second), 1)} points, each in four cases out of five."
    )


def needed(report: HiringReport) -> str:
    """How many participants a smaller difference would take."""
    aim = SMALL_DIFFERENCE
    found = [
        report.result("progression", f"mdes_{c.id}")["estimate"]
        for c in report.plan.contrasts_of("progression")
        if c.planned
    ]
    people = report.count("progression", "participants")
    return (
        f"To find a difference of {number(aim, 0)} percentage points with the variation seen here, such a trial would"
        f" need between {count(round(people * (min(found) / aim) ** 2, -2))} and"
        f" {count(round(people * (max(found) / aim) ** 2, -2))} participants."
    )
