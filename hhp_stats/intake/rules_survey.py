"""Rules about survey answers: in range, recorded once, given with consent, in time and with thought."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from hhp_stats.intake.dictionary import Study
from hhp_stats.intake.rule import Breach, Rule, breach_problems
from hhp_stats.intake.rules_cells import CELL_RULES
from hhp_stats.intake.rules_wave import out_of_range
from hhp_stats.intake.survey import SurveyFile

LEAST_SECONDS_PER_ITEM = 1.0
_LONG_SCALES = {"need": 8, "burnout": 7, "affect": 6}  # scale -> fewest answers that make a straight line telling


def _unreadable_answer(survey: SurveyFile) -> Iterator[Breach]:
    for rule in CELL_RULES:
        if rule.find is not None:
            yield from rule.find(survey)


def _answer_out_of_range(survey: SurveyFile) -> Iterator[Breach]:
    yield from out_of_range(survey)


def _response_twice(survey: SurveyFile) -> Iterator[Breach]:
    ids = survey.meta["response"]
    for position in np.flatnonzero((ids.eq("") | ids.duplicated()).to_numpy()):
        yield Breach(
            "ResponseId", int(position), "no response id" if not ids.to_numpy()[position] else "a response id again"
        )


def _unreadable_moment(survey: SurveyFile) -> Iterator[Breach]:
    for position in np.flatnonzero(survey.meta["recorded"].isna().to_numpy()):
        yield Breach("RecordedDate", int(position), "no readable date")


def _no_consent_answer(survey: SurveyFile) -> Iterator[Breach]:
    missing = survey.frame["consent"].isna() & ~survey.meta["preview"]
    yield from _one_for_all(survey, missing, "consent", "responses without an answer; none of them is used")


def _answers_without_consent(survey: SurveyFile) -> Iterator[Breach]:
    answered = survey.frame.drop(columns=["row", "consent"]).notna().any(axis=1)
    refused = survey.frame["consent"].eq("disagree") & answered
    yield from _one_for_all(survey, refused, "consent", "responses with answers; none of them is used")


def _previews(survey: SurveyFile) -> Iterator[Breach]:
    yield from _one_for_all(survey, survey.meta["preview"], "ResponseId", "previews, tests or spam left out")


def _without_code(survey: SurveyFile) -> Iterator[Breach]:
    lacking = survey.meta["code"].eq("") & survey.frame["consent"].eq("agree")
    yield from _one_for_all(survey, lacking, "ExternalReference", "responses that cannot be matched")


def _straight_lines(survey: SurveyFile) -> Iterator[Breach]:
    """One answer to every item of a long scale that mixes topics or directions."""
    for scale, fewest in _LONG_SCALES.items():
        names = [name for name in survey.fields if name.rsplit("_", 1)[0] == scale]
        if len(names) < fewest:  # a survey without this scale
            continue
        block = survey.frame[names]
        line = (block.notna().sum(axis=1) >= fewest) & (block.max(axis=1) == block.min(axis=1))
        yield from _one_for_all(survey, line, names[0], f"responses with one answer to all of {scale}")


def _too_fast(survey: SurveyFile) -> Iterator[Breach]:
    answered = survey.frame.drop(columns="row").notna().sum(axis=1)
    fast = survey.meta["finished"] & (survey.meta["seconds"] < LEAST_SECONDS_PER_ITEM * answered)
    yield from _one_for_all(survey, fast, "ResponseId", "responses of less than a second per answer")


def _one_for_all(survey: SurveyFile, mask: pd.Series, name: str, what: str) -> Iterator[Breach]:
    """One line for many responses: notes about single answers would bury the problems that need action."""
    positions = np.flatnonzero(mask.to_numpy(dtype=bool))
    if len(positions):
        rows = ", ".join(str(row) for row in survey.frame["row"].to_numpy()[positions[1:6]])
        more = "" if len(positions) < 2 else f"also rows {rows}" + (" and others" if len(positions) > 6 else "")
        if len(positions) == 1:
            what = what.replace("responses", "response", 1)
        yield Breach(name, int(positions[0]), f"{len(positions)} {what}", also=more)


SURVEY_RULES: tuple[Rule, ...] = (
    Rule(
        code="S10", severity="error", find=_unreadable_answer,
        rule="An answer must be a number of its scale or one of its options.",
        remedy="Export again with numeric values; further labels can be added to data/spellings.csv.",
    ),
    Rule(
        code="S11", severity="error", find=_answer_out_of_range,
        rule="An answer must lie on its scale.",
        remedy="Check the recoding of the question in the survey platform.",
    ),
    Rule(
        code="S12", severity="error", find=_response_twice,
        rule="Every response must have an id of its own.",
        remedy="Export again; do not paste exports together.",
    ),
    Rule(
        code="S13", severity="error", find=_unreadable_moment,
        rule="Every response must say when it was recorded.",
        remedy="Export again with the date format of the platform.",
    ),
    Rule(
        code="S14", severity="note", find=_no_consent_answer,
        rule="Only responses with consent are used.",
        remedy="Nothing to do.",
    ),
    Rule(
        code="S15", severity="warning", find=_answers_without_consent,
        rule="The survey should end where consent is refused.",
        remedy="Check the branch after the consent question; the answers should be deleted at the source.",
    ),
    Rule(
        code="S16", severity="note", find=_previews,
        rule="Previews, tests and responses marked as spam are left out.",
        remedy="Nothing to do.",
    ),
    Rule(
        code="S17", severity="warning", find=_without_code,
        rule="A response should carry the survey code of the person.",
        remedy="Check whether an anonymous link was in use.",
    ),
    Rule(
        code="S18", severity="note", find=_straight_lines,
        rule="One answer to every item of a long scale may mean that the items were not read.",
        remedy="Nothing to do; the responses are used, and a sensitivity analysis may leave them out.",
    ),
    Rule(
        code="S19", severity="note", find=_too_fast,
        rule="Less than a second per answer may mean that the items were not read.",
        remedy="Nothing to do; the responses are used.",
    ),
)  # fmt: skip

OUT_OF_TIME = Rule(
    code="S20", severity="warning",
    rule="The baseline survey should be answered by the launch in the authority, the endline survey after it.",
    remedy="Check whether the exports of the two surveys were exchanged.",
)  # fmt: skip
NOT_LINKED = Rule(
    code="S21", severity="warning",
    rule="A survey code should stand in linkage.csv.",
    remedy="Ask the authority for the missing codes; the answers cannot be matched without.",
)  # fmt: skip
DUPLICATES = Rule(
    code="S22", severity="note",
    rule="Of several responses of one person the last finished one counts, else the one with most answers; none "
    "counts if the last answer to the consent question is a refusal.",
    remedy="Nothing to do.",
)  # fmt: skip

LINK_RULES: tuple[Rule, ...] = (OUT_OF_TIME, NOT_LINKED, DUPLICATES)


def check_survey(survey: SurveyFile) -> None:
    """Adds to the survey's problems what the rules find."""
    if survey.readable:
        for rule in SURVEY_RULES:
            if rule.find is not None:
                survey.problems += breach_problems(rule, survey, rule.find(survey))


def late_or_early(survey: SurveyFile, authority: pd.Series, study: Study) -> Iterator[Breach]:
    """Responses before or after their time; `authority` is known for matched responses only."""
    launch = authority.map({site.local_authority: pd.Timestamp(site.launch) for site in study.sites})
    day = survey.meta["recorded"].dt.normalize()
    wrong = (day > launch) if survey.wave == "baseline" else (day <= launch)
    yield from _one_for_all(survey, wrong.fillna(False), "RecordedDate", "responses outside their time")
