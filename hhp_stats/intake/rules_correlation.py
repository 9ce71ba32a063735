"""Rules about how the answers of a survey go together: a question with the others, people with themselves.

A column that slipped by a line, was sorted by itself, turned round or exchanged with another keeps its mean and its
blanks; its correlations give it away.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from hhp_stats.intake.findings import Finding
from hhp_stats.intake.lists import ListFile
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.survey import SurveyFile
from hhp_stats.plan.thresholds import Threshold

NUMBERS = ("number", "integer")
FEWEST_QUESTIONS = 3  # of a survey from which on one can be held against the others
FEWEST_PAIRS = 10  # of people who answered two questions from which on their correlation says something
NEARLY_ONE = 0.99  # two wordings of one question: Fisher's z has no limit there


def figures_of(table: ListFile | SurveyFile) -> list[str]:
    """The columns that hold numbers."""
    return [name for name, spec in table.fields.items() if spec.kind in NUMBERS and name in table.frame]


def answers_of(survey: SurveyFile) -> pd.DataFrame:
    """The answers of people who agreed."""
    return survey.frame.loc[_agreed(survey)]


def _agreed(survey: SurveyFile) -> pd.Series:
    return survey.frame["consent"].eq("agree") & ~survey.meta["preview"]


def about_column(rule: Rule, table: ListFile | SurveyFile, name: str, value: str, unit: str) -> Finding:
    """A finding about one column of a file."""
    return Finding(rule=rule, file=table.file, cell=f"column {name}", value=value, units=(unit,))


def _goes_with_no_other(surveys: Sequence[SurveyFile], limit: Threshold) -> Iterator[Finding]:
    """Each question of a scale goes with some other; one that slipped by a line, or was sorted alone, goes with
    none.
    """
    for survey in surveys:
        yield from _alone(ALONE, survey, answers_of(survey), limit, survey.wave)


def scores_findings(tables: Iterable[ListFile], thresholds: Mapping[str, Threshold]) -> list[Finding]:
    """The same of scores in a list: several columns in points of one person, or of one thing that was judged."""
    limit = thresholds.get(ALONE_IN_LIST.code)
    if limit is None:
        return []
    return [each for table in tables for each in _alone(ALONE_IN_LIST, table, table.frame, limit, table.file)]


def _alone(
    rule: Rule, table: ListFile | SurveyFile, rows: pd.DataFrame, limit: Threshold, where: str
) -> Iterator[Finding]:
    names = [name for name in figures_of(table) if table.fields[name].unit == "points"]
    answers = rows[names].astype("float64").dropna(axis="columns", how="all")
    if len(answers) < limit.least or len(answers.columns) < FEWEST_QUESTIONS:
        return
    strength = answers.corr(min_periods=3).abs().to_numpy(copy=True)
    np.fill_diagonal(strength, 0)
    for at, name in enumerate(answers):
        answered = int(answers[name].notna().sum())
        best = float(np.nanmax(strength[at], initial=0.0)) * np.sqrt(answered)
        if answers[name].max() > answers[name].min() and best < limit.limit:
            value = (
                f"{name} goes with no other question: its largest correlation is {best / np.sqrt(answered):.2f}"
                f" ({answered} answers)"
            )
            yield about_column(rule, table, str(name), value, f"{name}, {where}")


def _goes_otherwise(surveys: Sequence[SurveyFile], limit: Threshold) -> Iterator[Finding]:
    """Each question goes with the others as in the other survey.

    Of each pair of questions the correlations of both surveys as Fisher's z = artanh r, and their difference in
    standard errors, sqrt(1 / (n - 3) + 1 / (m - 3)); of each question the root of the mean square over all its pairs,
    which is about one where nothing but chance differs (R. A. Fisher, Metron 1, 1921).
    """
    for earlier, later in itertools.pairwise(surveys):
        before, after = (answers_of(each) for each in (earlier, later))
        names = [
            name
            for name in figures_of(later)
            if name in before and later.fields[name].unit == "points"
            if before[name].notna().any() and after[name].notna().any()
        ]
        if min(len(before), len(after)) < limit.least or len(names) <= FEWEST_QUESTIONS:
            continue
        (old, n), (new, m) = (_fisher(each[names]) for each in (before, after))
        with np.errstate(divide="ignore", invalid="ignore"):  # a pair that too few answered has no error
            gaps = (new - old) / np.sqrt(1 / (n - 3) + 1 / (m - 3))
        np.fill_diagonal(gaps, np.nan)
        for name, own in zip(names, gaps, strict=True):
            known = own[np.isfinite(own)]
            size = float(np.sqrt(np.mean(known**2))) if len(known) >= FEWEST_QUESTIONS else 0.0
            if size > limit.limit:
                value = (
                    f"{name} goes with the other questions otherwise than at {earlier.wave}: its correlations differ by"
                    f" {size:.2f} standard errors (root mean square of {len(known)})"
                )
                yield about_column(OTHERWISE, later, name, value, f"{name}, {later.wave}")


def _fisher(answers: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Fisher's z of every pair of questions, missing where too few answered both, and how many did."""
    there = answers.notna().to_numpy(dtype=float)
    correlations = answers.astype("float64").corr(min_periods=FEWEST_PAIRS).to_numpy()
    return np.arctanh(np.clip(correlations, -NEARLY_ONE, NEARLY_ONE)), there.T @ there


def _other_people(surveys: Sequence[SurveyFile], limit: Threshold) -> Iterator[Finding]:
    """Whoever answered twice answers alike: half of the questions correlate at least so much between the surveys."""
    for earlier, later in itertools.pairwise(surveys):
        names = [name for name in figures_of(later) if name in earlier.frame and later.fields[name].unit == "points"]
        pairs = [answers_of(each)[names].set_index(each.meta["code"].loc[_agreed(each)]) for each in (earlier, later)]
        before, after = (each.loc[(each.index != "") & ~each.index.duplicated()] for each in pairs)
        both = before.index.intersection(after.index)
        if len(both) >= limit.least and len(names) >= FEWEST_QUESTIONS:
            found = before.loc[both].corrwith(after.loc[both]).dropna()
            if len(found) and float(found.median()) < limit.limit:
                value = (
                    f"{len(both)} people answered both surveys under one code; their answers correlate by"
                    f" {found.median():.2f} (median)"
                )
                yield Finding(
                    rule=OTHER_PEOPLE,
                    file=later.file,
                    cell="column ExternalReference",
                    value=value,
                    units=(later.wave,),
                )


def correlation_findings(readable: Sequence[SurveyFile], thresholds: Mapping[str, Threshold]) -> list[Finding]:
    """What the correlations of the surveys of a study say; limits are the plan's."""
    found: list[Finding] = []
    for rule, find in _FIND:
        if (limit := thresholds.get(rule.code)) is not None:
            found += find(readable, limit)
    return found


ALONE = Rule(
    code="S38",
    severity="warning",
    rule=(
        "A question of a scale should go with some other: its largest correlation, times the root of the answers, must"
        " not be below the limit of the plan."
    ),
    remedy="Check whether the column slipped by a line, was sorted alone, or belongs to another survey.",
)
ALONE_IN_LIST = Rule(
    code="L11",
    severity="warning",
    rule=(
        "A score of a list should go with some other: its largest correlation, times the root of the lines, must not"
        " be below the limit of the plan."
    ),
    remedy="Check whether the column slipped by a line or was sorted by itself.",
)
OTHER_PEOPLE = Rule(
    code="S39",
    severity="warning",
    rule=(
        "People who answered both surveys should answer alike: the median correlation must not be below the limit of"
        " the plan."
    ),
    remedy="Check the survey codes: they may have slipped by a line, or belong to other people.",
)
OTHERWISE = Rule(
    code="S48",
    severity="warning",
    rule="A question should go with the others as in the other survey, within the limit of the plan.",
    remedy=(
        "Check in both exports whether the column slipped by a line, was sorted alone, turned round or exchanged with"
        " another."
    ),
)
_FIND: tuple[tuple[Rule, Callable[[Sequence[SurveyFile], Threshold], Iterator[Finding]]], ...] = (
    (ALONE, _goes_with_no_other),
    (OTHER_PEOPLE, _other_people),
    (OTHERWISE, _goes_otherwise),
)
CORRELATION_RULES = tuple(rule for rule, _ in _FIND)
