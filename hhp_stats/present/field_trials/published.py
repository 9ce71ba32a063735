"""Sentences that set the published figures beside those of this release."""

from __future__ import annotations

from scipy import stats

from hhp_stats.consistency.comparisons import find_comparisons, recompute
from hhp_stats.present.conflicts import conflict_in_words
from hhp_stats.present.field_trials.report import GROUP, FieldTrialReport, in_words
from hhp_stats.present.marked_text import plain
from hhp_stats.present.numbers import count, matching, number, p_value, plural
from hhp_stats.present.status import read_release


def conflict(report: FieldTrialReport, key: str) -> str:
    """What the documents contradict, and what is used."""
    return conflict_in_words(report.root, key)


def printed_p(report: FieldTrialReport, outcome: str) -> str:
    """The printed p-value of an outcome, and the one that the arms of this release give."""
    row = report.planned(outcome)
    own = report.counterparts()[(str(row["result_id"]), "p_value")]
    here, printed = _bare(row["p_value"]), _from_printed_arms(report, str(own["published_id"]))
    # The arms of this release round to the published ones, and that may move the last digit of p.
    source = f"from the arms it is {here}"
    if printed not in ("", plain(here)):
        source = f"from the published arms, as they are rounded, it is {printed}, from the data of this release {here}"
    text = f"The published p-value is {_bare(float(own['published']))}; {source}"
    return f"{text}, which agrees." if own["matches"] else f"{text}: the two do not agree."


def _from_printed_arms(report: FieldTrialReport, figure_id: str) -> str:
    """The p-value that the published arms give as printed, "" where no pair of arms belongs to the figure."""
    figures = report.published()
    found = [one for one in find_comparisons(figures) if one.p_id == figure_id]
    return _bare(recompute(figures, found[0]).test.p_value) if found else ""


def gap_needed(report: FieldTrialReport, outcome: str) -> str:
    """How far apart would the means have to be for the published p-value, in words for readers without statistics?"""
    row = report.planned(outcome)
    own = report.counterparts()[(str(row["result_id"]), "p_value")]
    p, ours = float(own["published"]), row["p_value"]
    needed = float(stats.t.isf(p / 2, row["df"])) * row["std_error"]
    return (
        f"If the programme had no effect, chance alone would produce a gap of {number(abs(row['estimate']))} points or"
        f" more in about {in_words(round(100 * ours))} of a hundred trials like this one. A p-value of {_bare(p)} says"
        f" that it would in only {in_words(round(100 * p))}. With the published standard errors, that would take means"
        f" that are {number(needed)} points apart."
    )


def _bare(p: float) -> str:
    return p_value(p)


def reproduced(report: FieldTrialReport) -> str:
    """How many of the published figures of this trial match ours."""
    table = report.reproduction(GROUP)
    synthetic = read_release(report.root).is_synthetic(report.plan.study)
    calibrated = " The synthetic data were made to match them." if synthetic else ""
    arms = table.loc[table["result_id"].str.contains("/mean_")]
    same, of = int(arms["matches"].sum()), len(arms)
    which = f"all {count(of)}" if same == of else f"{count(same)} of {count(of)}"
    return (
        f"We could compare {plural(len(table), 'published figure')} with ours;"
        f" {matching(int(table['matches'].sum()), len(table))},"
        f" including {which} group sizes, means and standard errors.{calibrated}"
    )
