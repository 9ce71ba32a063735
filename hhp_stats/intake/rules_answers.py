"""Rules about whole columns of survey exports and lists: scales, blanks, one value for all, against waves, groups and
items.

As `rules_distribution.py` for returns; the fields are those of the dictionary or of the study's plan, so none is named.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from hhp_stats.intake.distribution import cohens_h, known, share_missing, standardised_difference, times
from hhp_stats.intake.findings import Finding, listed
from hhp_stats.intake.lists import ListFile
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.rules_correlation import (
    ALONE_IN_LIST,
    CORRELATION_RULES,
    about_column,
    answers_of,
    correlation_findings,
    figures_of,
    scores_findings,
)
from hhp_stats.intake.rules_runs import OF_A_LIST, OF_A_SURVEY, run_findings
from hhp_stats.intake.survey import SurveyFile
from hhp_stats.plan.thresholds import Threshold


def _between_waves(surveys: Sequence[SurveyFile], limit: Threshold) -> Iterator[Finding]:
    for earlier, later in itertools.pairwise(surveys):
        answers = answers_of(earlier), answers_of(later)
        for name in figures_of(later):
            if name in earlier.frame:
                before, after = (known(each[name].to_numpy(dtype=float)) for each in answers)
                if min(len(before), len(after)) >= limit.least:
                    gap = standardised_difference(after, before)
                    if gap > limit.limit:
                        value = (
                            f"{name} is {after.mean():.3g} on average, at {earlier.wave} {before.mean():.3g} ({gap:.2f}"
                            " standard deviations)"
                        )
                        yield about_column(OTHER_MEAN, later, name, value, f"{name}, {later.wave}")


def _between_groups(surveys: Sequence[SurveyFile], groups: Mapping[str, str], limit: Threshold) -> Iterator[Finding]:
    for survey in surveys:
        answers = answers_of(survey)
        group = survey.meta.loc[answers.index, "code"].map(groups)
        sizes = group.value_counts(sort=False)
        members = {str(label): group.eq(label).to_numpy() for label in sizes.index[sizes >= limit.least]}
        grouped = group.notna().to_numpy()
        for name in figures_of(survey) if members else ():
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
                        yield about_column(OTHER_GROUP, survey, name, value, f"{name}, {survey.wave}, {label}")


def _blanks(surveys: Sequence[SurveyFile], limit: Threshold) -> Iterator[Finding]:
    for survey in surveys:
        answers = answers_of(survey)
        names = [name for name in figures_of(survey) if survey.fields[name].unit == "points"]
        shares = {name: share_missing(answers[name].to_numpy(dtype=float)) for name in names}
        if len(answers) >= limit.least and len(shares) > 2:
            for name, own in shares.items():
                usual = float(np.median([share for other, share in shares.items() if other != name]))
                if cohens_h(own, usual) > limit.limit:
                    value = f"{name} is blank for {own:.0%}, other questions for {usual:.0%}"
                    yield about_column(BLANK_ITEM, survey, name, value, f"{name}, {survey.wave}")


def _other_answers(surveys: Sequence[SurveyFile], limit: Threshold) -> Iterator[Finding]:
    """Each answer of a scale is as frequent as in the other survey, over all questions on that scale that both asked.

    What was found and replaced over a whole export, such as every 4 by a 2, is an answer that nobody gives any more.
    """
    for earlier, later in itertools.pairwise(surveys):
        scales: dict[tuple[float | None, float | None], list[str]] = {}
        for name in figures_of(later):
            spec = later.fields[name]
            if name in earlier.frame and spec.unit == "points":
                scales.setdefault((spec.minimum, spec.maximum), []).append(name)
        answers = answers_of(earlier), answers_of(later)
        for names in scales.values():
            before, after = (known(each[names].to_numpy(dtype=float).ravel()) for each in answers)
            if min(len(before), len(after)) < limit.least:
                continue
            for answer in np.union1d(before, after):
                old, new = (float((each == answer).mean()) for each in (before, after))
                if cohens_h(old, new) > limit.limit:
                    value = f"{answer:g} is {new:.0%} of the answers to {listed(names)}, at {earlier.wave} {old:.0%}"
                    places = f"columns {names[0]} to {names[-1]}" if len(names) > 1 else f"column {names[0]}"
                    unit = f"{answer:g} of {names[0]}, {later.wave}"
                    yield Finding(rule=OTHER_ANSWERS, file=later.file, cell=places, value=value, units=(unit,))


def _cut_short(surveys: Sequence[SurveyFile], limit: Threshold) -> Iterator[Finding]:
    for earlier, later in itertools.pairwise(surveys):
        first, second = len(answers_of(earlier)), len(answers_of(later))
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
    if (limit := thresholds.get(CUT_SHORT.code)) is not None:
        found += _cut_short(readable, limit)
    if (limit := thresholds.get(OTHER_ANSWERS.code)) is not None:
        found += _other_answers(readable, limit)
    found += run_findings(OF_A_SURVEY, readable, thresholds)
    return found + correlation_findings(readable, thresholds)


def list_findings(
    tables: Collection[ListFile], thresholds: Mapping[str, Threshold], *, drawn: Collection[str] = ()
) -> list[Finding]:
    """What the columns of lists say: one value for nearly all, hardly any value, or values in order of size.

    `drawn` are columns beside those of figures that chance filled: arms, survey codes.
    """
    found: list[Finding] = []
    for table in tables:
        for name in figures_of(table) if table.readable else []:
            values = table.frame[name].to_numpy(dtype=float)
            there = known(values)
            if (limit := thresholds.get(ONE_VALUE.code)) is not None and len(there) >= limit.least:
                value, count = max(zip(*np.unique(there, return_counts=True), strict=True), key=lambda each: each[1])
                if count > limit.limit * len(there):
                    text = f"{name} is {value:g} in {count} of {len(there)} lines"
                    found.append(about_column(ONE_VALUE, table, name, text, f"{name}, {table.file}"))
        if (limit := thresholds.get(FEW_VALUES.code)) is not None and table.readable:
            found += _hardly_any(table, limit)
        if (limit := thresholds.get(SORTED.code)) is not None and table.readable:
            found += _sorted_alone(table, drawn, limit)
    readable = [table for table in tables if table.readable]
    return [*found, *run_findings(OF_A_LIST, readable, thresholds), *scores_findings(readable, thresholds)]


def _hardly_any(table: ListFile, limit: Threshold) -> Iterator[Finding]:
    for name in (each for each in table.fields if each in table.frame):
        values = table.frame[name]
        share = float(values.isna().mean()) if len(values) else 0.0
        if len(values) >= limit.least and share > limit.limit:
            text = f"{name} is blank in {share:.0%} of {len(values)} lines"
            yield about_column(FEW_VALUES, table, name, text, f"{name}, {table.file}")


def _sorted_alone(table: ListFile, drawn: Collection[str], limit: Threshold) -> Iterator[Finding]:
    """Columns that rise, or fall, from line to line in a list whose identifiers rise too."""
    key = next((name for name, spec in table.fields.items() if spec.kind == "identifier" and name in table.frame), None)
    if key is None or len(table.frame) < limit.least or not _rises(table.frame[key].dropna(), limit.limit):
        return
    for name in (*figures_of(table), *(each for each in drawn if each in table.frame and each != key)):
        values = table.frame[name].dropna()
        if len(values) < limit.least or values.nunique() < 2 or _counted_on(values):
            continue
        if _rises(values, limit.limit) or _rises(values[::-1], limit.limit):
            text = f"{name} is in order of size, as {key} is"
            yield about_column(SORTED, table, name, text, f"{name}, {table.file}")


def _rises(values: pd.Series, share: float) -> bool:
    """Whether no more than a share of the values is smaller than the one before."""
    return sum(bool(b < a) for a, b in itertools.pairwise(values)) <= share * (len(values) - 1)


def _counted_on(values: pd.Series) -> bool:
    """Whether they are numbers behind one beginning, such as codes given out one after the other."""
    texts = [str(value) for value in values]
    same = next((n for n, signs in enumerate(zip(*texts, strict=False)) if len(set(signs)) > 1), 0)
    return len(set(texts)) == len(texts) and all(text[same:].isdigit() for text in texts)


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
CUT_SHORT = Rule(
    code="S40",
    severity="warning",
    rule="About as many people should answer one survey as the other, within the limit of the plan.",
    remedy="Check whether the export is whole, without a filter, and made after the survey closed.",
)
OTHER_ANSWERS = Rule(
    code="S52",
    severity="warning",
    rule=(
        "An answer should be as frequent as in the other survey, over all questions on the same scale, within the limit"
        " of the plan."
    ),
    remedy="Check whether one answer was replaced by another over the whole export, or coded otherwise.",
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
    rule="A column of a list should not be blank in more lines than the plan allows.",
    remedy="Check whether the list is whole.",
)
SORTED = Rule(
    code="L10",
    severity="warning",
    rule=(
        "What was drawn or measured should not rise or fall from line to line in a list that is in order of its"
        " identifiers."
    ),
    remedy="Check whether the column was sorted by itself: every value then belongs to another line.",
)
ANSWER_RULES = (OTHER_MEAN, BLANK_ITEM, OTHER_GROUP, CUT_SHORT, OTHER_ANSWERS, OF_A_SURVEY, *CORRELATION_RULES)
COLUMN_RULES = (ONE_VALUE, FEW_VALUES, SORTED, ALONE_IN_LIST, OF_A_LIST)
