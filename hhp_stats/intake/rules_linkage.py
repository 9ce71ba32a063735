"""Survey codes against the list that links them: unknown, twice, otherwise written, few, none at all."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from hhp_stats.intake.dictionary import Study
from hhp_stats.intake.rule import Breach, Rule, breach_problems
from hhp_stats.intake.rules_survey import NOBODY_ANSWERED, SURVEY_EMPTY, one_for_all
from hhp_stats.intake.rules_wave import folded
from hhp_stats.intake.survey import SurveyFile
from hhp_stats.intake.survey_questions import QUESTION_RULES
from hhp_stats.plan.thresholds import Threshold

OUT_OF_TIME = Rule(
    code="S20",
    severity="warning",
    rule="The baseline survey should be answered by the launch in the authority, the endline survey after it.",
    remedy=(
        "Check whether the exports of the two surveys were exchanged, or whether the column survey_code of the list"
        " slipped by a line."
    ),
)
NOT_LINKED = Rule(
    code="S21",
    severity="warning",
    rule="A survey code should be in linkage.csv.",
    remedy="Ask the authority for the missing codes; the answers cannot be matched without.",
)
DUPLICATES = Rule(
    code="S22",
    severity="note",
    rule=(
        "Of several responses of one person the last finished one counts, else the one with most answers; none "
        "counts if the last answer to the consent question is a refusal."
    ),
    remedy="Nothing to do.",
)
CODE_OTHERWISE = Rule(
    code="S23",
    severity="error",
    rule=(
        "A survey code must be written as in the list that links it to a person: the same capitals, signs and leading"
        " zeros."
    ),
    remedy="Export again without opening the file in between; codes in a spreadsheet must be formatted as text.",
)
FEW_LINKED = Rule(
    code="S24",
    severity="error",
    rule="The codes of the responses must be those of the list, but for a share that the plan allows.",
    remedy="Check whether the list belongs to this survey, and which column holds the codes.",
)
MANY_CODES = 10  # people with codes from which on silence is worth a look
LINK_RULES: tuple[Rule, ...] = (
    OUT_OF_TIME,
    NOT_LINKED,
    DUPLICATES,
    CODE_OTHERWISE,
    FEW_LINKED,
    NOBODY_ANSWERED,
    SURVEY_EMPTY,
    *QUESTION_RULES,
)


def check_codes(
    survey: SurveyFile, codes: pd.Series, groups: pd.Series, used: pd.Series, limit: Threshold | None
) -> None:
    """Adds to a survey's problems what its codes say beside the list of `codes`, whose people belong to `groups`.

    `used` says which responses count. Codes that the list has in another spelling are an error, others a warning unless
    they are more than the plan's limit.
    """
    listed = set(codes.dropna())
    said = survey.meta["code"]
    with_code = used & said.ne("")
    lost = with_code & ~said.isin(listed)
    spelled = {folded(code) for code in listed}
    otherwise = lost & said.map(folded).isin(spelled)
    for mask, rule, what in (
        (otherwise, CODE_OTHERWISE, "whose code the list has in another spelling"),
        (lost & ~otherwise, NOT_LINKED, "with an unknown code"),
    ):
        if mask.any():
            many = int(mask.sum())
            value = f"{many} {'response' if many == 1 else 'responses'} {what}"
            breach = Breach("ExternalReference", int(mask.to_numpy().argmax()), value)
            survey.problems += breach_problems(rule, survey, [breach])
    # Also of responses that do not count: of many under one wrong code, such as 1E+09, a single one would.
    coded = said.ne("") & ~survey.meta["preview"]
    unlisted = coded & ~said.isin(listed)
    most = limit is not None and coded.sum() >= limit.least and unlisted.sum() > limit.limit * coded.sum()
    if most:
        value = f"the codes of {int(unlisted.sum())} of {int(coded.sum())} responses are not on the list"
        breach = Breach("ExternalReference", int(unlisted.to_numpy().argmax()), value)
        survey.problems += breach_problems(FEW_LINKED, survey, [breach])
    answered = set(groups[codes.isin(said[used])])
    for group, size in groups.value_counts(sort=False).items():
        if size >= MANY_CODES and group not in answered and with_code.any() and not otherwise.any() and not most:
            value = f"none of the {size} people with a code in {group}"
            survey.problems.append(NOBODY_ANSWERED.problem(file=survey.file, value=value))


def late_or_early(survey: SurveyFile, authority: pd.Series, study: Study) -> Iterator[Breach]:
    """Responses before or after their time; `authority` is known for matched responses only."""
    launch = authority.map({site.local_authority: pd.Timestamp(site.launch) for site in study.sites})
    day = survey.meta["recorded"].dt.normalize()
    wrong = (day > launch) if survey.wave == "baseline" else (day <= launch)
    yield from one_for_all(survey, wrong.fillna(False), "RecordedDate", "responses outside their time")
