"""Rules about whole columns of survey exports and lists: scales, blanks, one value for all, against waves, groups and
items.

As `rules_distribution.py` for returns; the fields are those of the dictionary or of the study's plan, so none is named.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from hhp_stats.intake.distribution import cohens_h, known, share_missing, standardised_difference, times
from hhp_stats.intake.findings import Finding
from hhp_stats.intake.lists import ListFile
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.survey import SurveyFile
from hhp_stats.plan.thresholds import Threshold

NUMBERS = ("number", "integer")
FEWEST_QUESTIONS = 3  # of a survey from which on one can be held against the others


def _figures(table: ListFile | SurveyFile) -> list[str]:
    return [name for name, spec in table.fields.items() if spec.kind in NUMBERS and name in table.frame]


def _answers(survey: SurveyFile) -> pd.DataFrame:
    """The answers of people who agreed."""
    return survey.frame.loc[survey.frame["consent"].eq("agree") & ~survey.meta["preview"]]


def _finding(rule: Rule, table: ListFile | SurveyFile, name: str, value: str, unit: str) -> Finding:
    return Finding(rule=rule, file=table.file, cell=f"column {name}", value=value, units=(unit,))


def _between_waves(surveys: Sequence[SurveyFile], limit: Threshold) -> Iterator[Finding]:
    for earlier, later in itertools.pairwise(surveys):
        for name in _figures(later):
            if name in earlier.frame:
                before, after = (known(_answers(each)[name].to_numpy(dtype=float)) for each in (earlier, later))
                if min(len(before), len(after)) >= limit.least:
                    gap = standardised_difference(after, before)
                    if gap > limit.limit:
                        value = (
                            f"{name} is {after.mean():.3g} on average, at {earlier.wave} {before.mean():.3g} ({gap:.2f}"
                            " standard deviations)"
                        )
                        yield _finding(OTHER_MEAN, later, name, value, f"{name}, {later.wave}")


def _between_groups(surveys: Sequence[SurveyFile], groups: Mapping[str, str], limit: Threshold) -> Iterator[Finding]:
    for survey in surveys:
        answers = _answers(survey)
        group = survey.meta.loc[answers.index, "code"].map(groups)
        sizes = group.value_counts(sort=False)
        members = {str(label): group.eq(label).to_numpy() for label in sizes.index[sizes >= limit.least]}
        grouped = group.notna().to_numpy()
        for name in _figures(survey) if members else ():
            values = answers[name].to_numpy(dtype=float)
            for label, inside in members.items():
                own, others = known(values[inside]), known(values[grouped & ~inside])
                if min(len(own), len(others)) >= limit.least:
                    gap = standardised_difference(own, others)
                    if gap > limit.limit:
                        value = (
                            f"{name} is {own.mean():.3g} on average in {label}, elsewhere {others.mean():.3g}"
                            f" ({gap:.2f} standard deviations)"
                        )
                        yield _finding(OTHER_GROUP, survey, name, value, f"{name}, {survey.wave}, {label}")


def _blanks(surveys: Sequence[SurveyFile], limit: Threshold) -> Iterator[Finding]:
    for survey in surveys:
        answers = _answers(survey)
        names = [name for name in _figures(survey) if survey.fields[name].unit == "points"]
        shares = {name: share_missing(answers[name].to_numpy(dtype=float)) for name in names}
        if len(answers) >= limit.least and len(shares) > 2:
            for name, own in shares.items():
                usual = float(np.median([share for other, share in shares.items() if other != name]))
                if cohens_h(own, usual) > limit.limit:
                    value = f"{name} is blank for {own:.0%}, other questions for {usual:.0%}"
                    yield _finding(BLANK_ITEM, survey, name, value, f"{name}, {survey.wave}")


def _goes_with_no_other(surveys: Sequence[SurveyFile], limit: Threshold) -> Iterator[Finding]:
    """Each question of a scale goes with some other; one that slipped by a line, or was sorted alone, goes with
    none.
    """
    for survey in surveys:
        names = [name for name in _figures(survey) if survey.fields[name].unit == "points"]
        answers = _answers(survey)[names].dropna(axis="columns", how="all")
        if len(answers) < limit.least or len(answers.columns) < FEWEST_QUESTIONS:
            continue
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
                yield _finding(ALONE, survey, str(name), value, f"{name}, {survey.wave}")


def _other_people(surveys: Sequence[SurveyFile], limit: Threshold) -> Iterator[Finding]:
    """Whoever answered twice answers alike: half of the questions correlate at least so much between the surveys."""
    for earlier, later in itertools.pairwise(surveys):
        pairs = [_answers(each).set_index(each.meta.loc[_answers(each).index, "code"]) for each in (earlier, later)]
        before, after = (each.loc[(each.index != "") & ~each.index.duplicated()] for each in pairs)
        both = before.index.intersection(after.index)
        names = [name for name in _figures(later) if name in before and later.fields[name].unit == "points"]
        if len(both) >= limit.least and len(names) >= FEWEST_QUESTIONS:
            found = before.loc[both, names].corrwith(after.loc[both, names]).dropna()
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


def _cut_short(surveys: Sequence[SurveyFile], limit: Threshold) -> Iterator[Finding]:
    for earlier, later in itertools.pairwise(surveys):
        first, second = len(_answers(earlier)), len(_answers(later))
        if max(first, second) >= limit.least and times(first, second) > limit.limit:
            short = earlier if first < second else later
            value = f"{second} people answered at {later.wave}, {first} at {earlier.wave}"
            yield Finding(rule=CUT_SHORT, file=short.file, cell="all rows", value=value, units=(short.wave,))


def survey_findings(
    surveys: Iterable[SurveyFile], groups: Mapping[str, str], thresholds: Mapping[str, Threshold]
) -> list[Finding]:
    """What the columns of the surveys say; `groups` gives the authority or block of a survey code, limits are the
    plan's.
    """
    readable = [survey for survey in surveys if survey.readable and len(survey.frame)]
    found: list[Finding] = []
    if (limit := thresholds.get(OTHER_MEAN.code)) is not None:
        found += _between_waves(readable, limit)
    if (limit := thresholds.get(BLANK_ITEM.code)) is not None:
        found += _blanks(readable, limit)
    if (limit := thresholds.get(OTHER_GROUP.code)) is not None:
        found += _between_groups(readable, groups, limit)
    for rule, find in ((ALONE, _goes_with_no_other), (OTHER_PEOPLE, _other_people), (CUT_SHORT, _cut_short)):
        if (limit := thresholds.get(rule.code)) is not None:
            found += find(readable, limit)
    return found


def list_findings(tables: Iterable[ListFile], thresholds: Mapping[str, Threshold]) -> list[Finding]:
    """What the columns of lists say: one value for nearly all, or hardly any value."""
    found: list[Finding] = []
    for table in tables:
        for name in _figures(table) if table.readable else []:
            values = table.frame[name].to_numpy(dtype=float)
            there = known(values)
            if (limit := thresholds.get(ONE_VALUE.code)) is not None and len(there) >= limit.least:
                value, count = max(zip(*np.unique(there, return_counts=True), strict=True), key=lambda each: each[1])
                if count > limit.limit * len(there):
                    text = f"{name} is {value:g} in {count} of {len(there)} lines"
                    found.append(_finding(ONE_VALUE, table, name, text, f"{name}, {table.file}"))
            limit, share = thresholds.get(FEW_VALUES.code), share_missing(values)
            if limit is not None and len(values) >= limit.least and share > limit.limit:
                text = f"{name} is blank in {share:.0%} of {len(values)} lines"
                found.append(_finding(FEW_VALUES, table, name, text, f"{name}, {table.file}"))
    return found


OTHER_MEAN = Rule(
    code="S35",
    severity="warning",
    rule="The answers to a question should be on average as in the other survey, within the limit of the plan.",
    remedy=(
        "Check how the question was coded in both surveys: turned round, from another number on, or another question."
    ),
)
BLANK_ITEM = Rule(
    code="S36",
    severity="warning",
    rule="A question should be answered as often as the others of its survey, within the limit of the plan.",
    remedy="Check whether the question was shown to everyone, and whether the export is whole.",
)
OTHER_GROUP = Rule(
    code="S37",
    severity="warning",
    rule=(
        "The answers to a question should be on average as in other authorities or blocks, within the limit of the"
        " plan."
    ),
    remedy="Check whether the group had the same questionnaire.",
)
ALONE = Rule(
    code="S38",
    severity="warning",
    rule=(
        "A question of a scale should go with some other: its largest correlation, times the root of the answers, must"
        " not be below the limit of the plan."
    ),
    remedy="Check whether the column slipped by a line, was sorted alone, or belongs to another survey.",
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
CUT_SHORT = Rule(
    code="S40",
    severity="warning",
    rule="About as many people should answer one survey as the other, within the limit of the plan.",
    remedy="Check whether the export is whole, without a filter, and made after the survey closed.",
)
ONE_VALUE = Rule(
    code="L08",
    severity="warning",
    rule="A column of figures of a list should not hold one value in nearly all lines; the limit is the plan's.",
    remedy="Check the list: the value may have been copied down.",
)
FEW_VALUES = Rule(
    code="L09",
    severity="warning",
    rule="A column of figures of a list should not be blank in more lines than the plan allows.",
    remedy="Check whether the list is whole.",
)
ANSWER_RULES = (OTHER_MEAN, BLANK_ITEM, OTHER_GROUP, ALONE, OTHER_PEOPLE, CUT_SHORT)
COLUMN_RULES = (ONE_VALUE, FEW_VALUES)
