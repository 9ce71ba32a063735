"""Rules about survey answers: in range, recorded once, given with consent, in time and with thought."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from hhp_stats.intake.findings import Finding, listed
from hhp_stats.intake.rule import Breach, Rule, breach_problems
from hhp_stats.intake.rules_cells import FORM_RULES, KIND_RULES
from hhp_stats.intake.rules_wave import out_of_range
from hhp_stats.intake.survey import SURVEY_MISSING, SurveyFile
from hhp_stats.intake.survey_answers import LABEL
from hhp_stats.intake.survey_questions import Questions, export_problems, wave_problems

LEAST_SECONDS_PER_ITEM = 1.0
_LONG_SCALES = {"need": 8, "burnout": 7, "affect": 6}  # scale -> fewest answers that make a straight line telling


def _unreadable_answer(survey: SurveyFile) -> Iterator[Breach]:
    for rule in KIND_RULES:
        if rule.find is not None:
            yield from rule.find(survey)


def _label_of_another_number(survey: SurveyFile) -> Iterator[Breach]:
    for name, cells in survey.unread.items():
        yield from (Breach(name, position) for position, code in cells.items() if code == LABEL)


def _declined(survey: SurveyFile) -> Iterator[Breach]:
    for name, positions in survey.declined.items():
        mask = pd.Series(False, index=survey.frame.index)
        mask.iloc[positions] = True
        yield from one_for_all(survey, mask, name, f"responses to {name} by an option that is no answer")


def _unknown_kind(survey: SurveyFile) -> Iterator[Breach]:
    yield from one_for_all(survey, survey.meta["unknown_kind"], "Status", "responses of an unknown kind")


def _two_kinds(survey: SurveyFile) -> Iterator[Breach]:
    value = "responses that Status and DistributionChannel call of two kinds"
    yield from one_for_all(survey, survey.meta["two_kinds"], "Status", value)


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
    yield from one_for_all(survey, missing, "consent", "responses without an answer; none of them is used")


def _answered(survey: SurveyFile) -> pd.Series:
    """Whether a response holds an answer to anything but the question about consent."""
    return survey.frame.drop(columns=["row", "consent"]).notna().any(axis=1)


def _answers_without_consent(survey: SurveyFile) -> Iterator[Breach]:
    refused = survey.frame["consent"].eq("disagree") & _answered(survey) & ~survey.meta["preview"]
    yield from one_for_all(survey, refused, "consent", "responses with answers; none of them is used")


def _consent_left_out(survey: SurveyFile) -> Iterator[Breach]:
    left_out = survey.frame["consent"].isna() & _answered(survey) & ~survey.meta["preview"]
    yield from one_for_all(survey, left_out, "consent", "responses with answers and none to consent; none is used")


def _previews(survey: SurveyFile) -> Iterator[Breach]:
    yield from one_for_all(survey, survey.meta["preview"], "ResponseId", "previews, tests or spam left out")


def _without_code(survey: SurveyFile) -> Iterator[Breach]:
    lacking = survey.meta["code"].eq("") & survey.frame["consent"].eq("agree") & ~survey.meta["preview"]
    yield from one_for_all(survey, lacking, "ExternalReference", "responses that cannot be matched")


def _straight_lines(survey: SurveyFile) -> Iterator[Breach]:
    """One answer to every item of a long scale that mixes topics or directions."""
    for scale, fewest in _LONG_SCALES.items():
        names = [name for name in survey.fields if name.rsplit("_", 1)[0] == scale]
        if len(names) < fewest:  # a survey without this scale
            continue
        block = survey.frame[names]
        line = (block.notna().sum(axis=1) >= fewest) & (block.max(axis=1) == block.min(axis=1))
        yield from one_for_all(survey, line, names[0], f"responses with one answer to all of {scale}")


def _too_fast(survey: SurveyFile) -> Iterator[Breach]:
    answered = survey.frame.drop(columns="row").notna().sum(axis=1)
    fast = survey.meta["finished"] & (survey.meta["seconds"] < LEAST_SECONDS_PER_ITEM * answered)
    yield from one_for_all(survey, fast, "ResponseId", "responses of less than a second per answer")


def one_for_all(survey: SurveyFile, mask: pd.Series, name: str, what: str) -> Iterator[Breach]:
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
        code="S10",
        severity="error",
        find=_unreadable_answer,
        rule="An answer must be a number of its scale or one of its options.",
        remedy="Export again with numeric values; further labels can be added to data/spellings.csv.",
    ),
    Rule(
        code="S11",
        severity="error",
        find=_answer_out_of_range,
        rule="An answer must lie on its scale.",
        remedy="Check the recoding of the question in the survey platform.",
    ),
    Rule(
        code="S12",
        severity="error",
        find=_response_twice,
        rule="Every response must have an id of its own.",
        remedy="Export again; do not paste exports together.",
    ),
    Rule(
        code="S13",
        severity="error",
        find=_unreadable_moment,
        rule="Every response must say when it was recorded.",
        remedy="Export again with the date format of the platform.",
    ),
    Rule(
        code="S14",
        severity="note",
        find=_no_consent_answer,
        rule="Only responses with consent are used.",
        remedy="Nothing to do.",
    ),
    Rule(
        code="S50",
        severity="warning",
        find=_consent_left_out,
        rule="People who answered the survey should have answered its question about consent.",
        remedy="Check whether the column was lost; the answers of people who did not agree are not used.",
    ),
    Rule(
        code="S15",
        severity="warning",
        find=_answers_without_consent,
        rule="The survey should end where consent is refused.",
        remedy="Check the branch after the consent question; the answers should be deleted at the source.",
    ),
    Rule(
        code="S16",
        severity="note",
        find=_previews,
        rule="Previews, tests and responses marked as spam are left out.",
        remedy="Nothing to do.",
    ),
    Rule(
        code="S17",
        severity="warning",
        find=_without_code,
        rule="A response should carry the survey code of the person.",
        remedy="Check whether an anonymous link was in use.",
    ),
    Rule(
        code="S18",
        severity="note",
        find=_straight_lines,
        rule="One answer to every item of a long scale may mean that the items were not read.",
        remedy="Nothing to do; the responses are used, and a sensitivity analysis may leave them out.",
    ),
    Rule(
        code="S19",
        severity="note",
        find=_too_fast,
        rule="Less than a second per answer may mean that the items were not read.",
        remedy="Nothing to do; the responses are used.",
    ),
    Rule(
        code="S25",
        severity="warning",
        find=_declined,
        rule="Options such as “prefer not to say” are no answer, whatever their code.",
        remedy="Check the options of the question; nothing to do if they are meant so.",
    ),
    Rule(
        code="S29",
        severity="error",
        find=_unknown_kind,
        rule="The kind of a response (column Status) must be one that the survey platform knows.",
        remedy="Export again with the column as the platform writes it; only responses of people are used.",
    ),
    Rule(
        code="S49",
        severity="warning",
        find=_two_kinds,
        rule="Status and DistributionChannel should say alike whether a response is a preview or test of the survey.",
        remedy="Export again without editing: one of the two columns may have slipped by a line or been sorted alone.",
    ),
    Rule(
        code="S33",
        severity="error",
        find=_label_of_another_number,
        rule="A label next to a number must mean this number, the same in the whole column.",
        remedy="Check the codes of the question in the survey platform: the scale may be coded from another number on.",
    ),
)
NOBODY_ANSWERED = Rule(
    code="S34",
    severity="warning",
    rule="Of an authority or block where many have survey codes someone should have answered.",
    remedy="Check whether its responses are missing from the export, or its codes are those of another list.",
)
SURVEY_EMPTY = Rule(
    code="S07",
    severity="warning",
    rule="A survey should hold responses of people who agreed to take part: with none, no one has answered it.",
    remedy=(
        "Export again, with all responses and no filter, if there are any. Without them every result that needs these"
        " answers has a reason in place of a number."
    ),
)


def questions_of(survey: SurveyFile) -> Questions:
    """What an export says of its questions, beside what the dictionary or the plan says of them."""
    scales = {
        name: (spec.minimum, spec.maximum)
        for name, spec in survey.fields.items()
        if spec.minimum is not None and spec.maximum is not None
    }
    meanings = {name: spec.meaning for name, spec in survey.fields.items()}
    return Questions(file=survey.file, metadata=survey.questions, meanings=meanings, scales=scales)


def check_questions(surveys: Sequence[SurveyFile]) -> None:
    """Adds to the surveys' problems what their heading rows say; the later of two waves is held against the earlier."""
    readable = [survey for survey in surveys if survey.readable]
    for survey in readable:
        survey.problems += export_problems(questions_of(survey))
    for earlier, later in itertools.pairwise(readable):
        later.problems += wave_problems(questions_of(earlier), questions_of(later))


def missing_export(survey: SurveyFile) -> list[Finding]:
    """An export that is not there: refused, unless a deviation of the plan says that this survey has none."""
    if not survey.absent:
        return []
    value = f"no file of the {survey.wave} survey"
    return [Finding(rule=SURVEY_MISSING, file=survey.file, value=value, units=(survey.wave,))]


def check_answered(survey: SurveyFile, used: pd.Series, about: Callable[[], Sequence[str]]) -> None:
    """Adds to a survey's problems that no response of it counts, and which outcomes of the plan it was to tell of.

    `used` says which responses count, `about` names the outcomes when they are asked for.
    """
    if (survey.readable or survey.absent) and not used.any():
        there = "no export" if survey.absent else f"{len(used)} responses" if len(used) else "headings alone"
        outcomes = about()
        blocked = f"; without answers: {listed(outcomes)}" if outcomes else ""
        value = f"{there}, no response that counts{blocked}"
        survey.problems.append(SURVEY_EMPTY.problem(file=survey.file, value=value))


def check_survey(survey: SurveyFile) -> None:
    """Adds to the survey's problems what the rules find."""
    if survey.readable:
        for rule in (*FORM_RULES, *SURVEY_RULES):
            if rule.find is not None:
                survey.problems += breach_problems(rule, survey, rule.find(survey))
