"""Individually randomised studies: the allocation list and the two surveys, checked and joined by survey code.

The fields of these files follow from the study's plan (its scales and questions), so nothing here names an item.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from hhp_stats.errors import Problem, refuse_errors
from hhp_stats.intake.dictionary import DICTIONARY, Field, Study, load_dictionary
from hhp_stats.intake.findings import judged
from hhp_stats.intake.linkage import counted_response
from hhp_stats.intake.lists import ListFile, read_list
from hhp_stats.intake.load import problem_frame
from hhp_stats.intake.manifest import study_status, verify_manifest
from hhp_stats.intake.participant_fields import SUFFIX, WAVES, allocation_fields, survey_fields
from hhp_stats.intake.participant_rules import PARTICIPANT_RULES, Check
from hhp_stats.intake.pseudonym import Pseudonyms, load_pseudonyms
from hhp_stats.intake.rule import Breach, at, breach_problems
from hhp_stats.intake.rules_answers import list_findings, survey_findings
from hhp_stats.intake.rules_arms import ArmsCheck, arms_findings
from hhp_stats.intake.rules_cells import FORM_RULES
from hhp_stats.intake.rules_file import MARKED_SYNTHETIC, NOT_MARKED_SYNTHETIC
from hhp_stats.intake.rules_linkage import DUPLICATES, FEW_LINKED, OUT_OF_TIME, check_codes
from hhp_stats.intake.rules_plan import assumption_problems
from hhp_stats.intake.rules_read import rules_read
from hhp_stats.intake.rules_survey import check_answered, check_questions, check_survey, missing_export
from hhp_stats.intake.spellings import SPELLINGS, Spellings, load_spellings
from hhp_stats.intake.survey import SurveyFile, export_file, read_survey
from hhp_stats.plan.any_plan import outcomes_asked
from hhp_stats.plan.conduct import deviations_of_data
from hhp_stats.plan.individual import IndividualPlan
from hhp_stats.plan.thresholds import Threshold, load_thresholds


@dataclass(frozen=True, slots=True, kw_only=True)
class Participants:
    """Everyone randomised with arm, block and answers, and how the files were read.

    `people`: one row a person with `person` (pseudonym), `treatment` (the arm's code), the columns of the
    allocation list, `opened_t1`, `opened_t2` (consented), `recorded_t2`, and every item with `_t1` or `_t2`.
    """

    people: pd.DataFrame
    inputs: pd.DataFrame  # path, sha256, bytes, rows
    problems: pd.DataFrame
    linkage: pd.DataFrame  # wave, responses, consented, duplicates, matched, unmatched
    corrections: pd.DataFrame | None = None  # lines of the ledger that were applied, of a plain table


def load_participants(root: Path, plan: IndividualPlan) -> Participants:
    """Who was randomised to which arm, and what did they answer?

    Reads `data/allocation/<study>.csv` and `data/surveys/<study>/{baseline,endline}.csv` below `root`. Only
    responses with consent count; of several of one person, the last finished one, else the fullest
    (`linkage.counted_response`). Responses under an unknown code are counted and left out.
    Raises DataError, with every problem, where a file is missing, unreadable or breaks a rule.
    """
    status = study_status(root, plan.study)
    pseudonyms = load_pseudonyms(root, status=status)
    fields = (*allocation_fields(plan), *survey_fields(plan))
    spellings = _spellings(root)
    allocation = _read_allocation(root, plan, fields, spellings)
    surveys = [_read_wave(root, plan, wave, fields, spellings, pseudonyms, allocation) for wave in WAVES]
    check_questions(surveys)
    thresholds = load_thresholds(root, plan.study)
    decided: dict[str, pd.DataFrame] = {}  # by wave, which of its responses count
    for survey in surveys:
        if survey.readable or survey.absent:
            decided[survey.wave] = _decided(survey)
            about = partial(outcomes_asked, root, plan.study, wave=survey.wave, suffix=SUFFIX[survey.wave])
            check_answered(survey, decided[survey.wave]["used"], about)
    if allocation.readable:
        for survey in surveys:
            if survey.readable:
                used = decided[survey.wave]["used"]
                _check_codes(survey, allocation, plan, used, thresholds.get(FEW_LINKED.code))
    tables: list[ListFile | SurveyFile] = [allocation, *surveys]
    for table in tables:
        _check_mark(table, synthetic=status == "synthetic")
    known = {table.file: table.sha256 for table in tables if table.sha256}
    check = ArmsCheck(plan=plan, allocation=allocation, surveys=tuple(surveys), thresholds=thresholds)
    of_the_columns = survey_findings(surveys, _groups(allocation, plan), thresholds)
    # Where whole clusters were drawn, a list in order of the clusters is in order of the arms.
    drawn = ("survey_code",) if plan.design.cluster else ("arm", "survey_code")
    of_the_columns += list_findings([allocation], thresholds, drawn=drawn)
    of_the_files = [each for survey in surveys for each in missing_export(survey)]
    of_the_arms = judged([*of_the_files, *arms_findings(check), *of_the_columns], deviations_of_data(root, plan.study))
    found = [
        *verify_manifest(root, known=known, study=plan.study),
        *(each for table in tables for each in table.problems),
        *of_the_arms,
    ]
    refuse_errors(found)
    people, linkage = _joined(plan, allocation, surveys, decided, pseudonyms)
    problems = [*assumption_problems(root, plan.study), *of_the_arms, *pseudonyms.problems]
    problems += [problem for table in tables for problem in table.problems]
    read = [(table.file, table.sha256, table.size, len(table.frame)) for table in tables if table.sha256]
    asked = [survey.definition for survey in surveys if survey.definition is not None]
    read += [(each.file, each.sha256, each.size, len(each.questions)) for each in asked]
    inputs = pd.DataFrame(
        [*read, *rules_read(root, plan.study, DICTIONARY, SPELLINGS)], columns=["path", "sha256", "bytes", "rows"]
    )
    return Participants(people=people, inputs=inputs, problems=problem_frame(problems), linkage=linkage)


def _spellings(root: Path) -> Spellings:
    """The spellings that mean the same in every study: those of scale labels belong to the dictionary's own scales."""
    everywhere = load_spellings(root, load_dictionary(root)).by_field
    return Spellings(
        by_field={name: everywhere[name] for name in ("blank", "consent", "local_authority") if name in everywhere}
    )


def _read_allocation(root: Path, plan: IndividualPlan, fields: tuple[Field, ...], spellings: Spellings) -> ListFile:
    file = f"data/allocation/{plan.study}.csv"
    blocks = Study(name=plan.study, sites=())
    table = read_list(root / file, file=file, kind="allocation", fields=fields, spellings=spellings, study=blocks)
    if table.readable:
        for form in FORM_RULES:
            table.problems += breach_problems(form, table, form.find(table) if form.find else ())
        check = Check(table=table, plan=plan)
        for rule in PARTICIPANT_RULES:
            if rule.find is not None:
                table.problems += breach_problems(rule, table, rule.find(check))
    return table


def _read_wave(
    root: Path,
    plan: IndividualPlan,
    wave: str,
    fields: tuple[Field, ...],
    spellings: Spellings,
    pseudonyms: Pseudonyms,
    allocation: ListFile,
) -> SurveyFile:
    file, both = export_file(root, study=plan.study, wave=wave)
    survey = read_survey(root / file, file=file, wave=wave, fields=fields, spellings=spellings, pseudonyms=pseudonyms)
    survey.problems += both
    check_survey(survey)
    if survey.readable and allocation.readable and wave == "endline":
        survey.problems += breach_problems(OUT_OF_TIME, survey, _too_early(survey, allocation, plan))
    return survey


def _too_early(survey: SurveyFile, allocation: ListFile, plan: IndividualPlan) -> Iterator[Breach]:
    """Endline answers recorded before the survey was opened."""
    opening = opened(allocation.frame, plan)
    day = pd.to_datetime(survey.meta["code"].map(dict(zip(allocation.frame["survey_code"], opening, strict=True))))
    yield from at((survey.meta["recorded"].dt.normalize() < day).fillna(False), "RecordedDate")


def opened(people: pd.DataFrame, plan: IndividualPlan) -> pd.Series:
    """The day on which the endline survey was opened for each person; missing where the plan has none."""
    days = {block.id: pd.Timestamp(block.survey_opened) for block in plan.blocks if block.survey_opened is not None}
    if plan.design.within:
        return pd.to_datetime(people[plan.design.within].map(days))
    return pd.Series(next(iter(days.values()), pd.NaT), index=people.index)


def _check_mark(table: ListFile | SurveyFile, *, synthetic: bool) -> None:
    if not table.readable:
        return
    if synthetic and table.unmarked and len(table.frame):
        table.problems.append(NOT_MARKED_SYNTHETIC.problem(file=table.file))
    elif not synthetic and table.synthetic:
        table.problems.append(MARKED_SYNTHETIC.problem(file=table.file))


def _joined(
    plan: IndividualPlan,
    allocation: ListFile,
    surveys: list[SurveyFile],
    decided: Mapping[str, pd.DataFrame],
    pseudonyms: Pseudonyms,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    listed = allocation.frame.drop(columns="row")
    codes = {arm.id: arm.code for arm in plan.arms}
    people = listed.assign(
        person=[pseudonyms.of(plan.study, staff) for staff in listed["staff_id"]],
        treatment=listed["arm"].map(codes).astype("float64"),
    )
    counts = []
    for survey in surveys:
        suffix, names = SUFFIX[survey.wave], [name for name in survey.fields if name != "consent"]
        of_this = decided[survey.wave]
        known = survey.meta["code"].isin(people["survey_code"])
        used = of_this["used"] & known
        answers = survey.frame.loc[used, names].add_suffix(suffix)
        answers[f"recorded{suffix}"] = survey.meta.loc[used, "recorded"]
        answers.index = pd.Index(survey.meta.loc[used, "code"], name="survey_code")
        people = people.join(answers, on="survey_code")
        people[f"opened{suffix}"] = people["survey_code"].isin(answers.index)
        real = ~survey.meta["preview"]
        counts.append(
            {
                "wave": survey.wave,
                "responses": int(real.sum()),
                "consented": int((survey.frame["consent"].eq("agree") & real).sum()),
                "duplicates": int(of_this["duplicate"].sum()),
                "matched": int(used.sum()),
                "unmatched": int((of_this["used"] & ~known).sum()),
            }
        )
        survey.problems += _notes(survey, of_this)
    return people.drop(columns=["staff_id", "survey_code"]).copy(), pd.DataFrame(counts)


def _notes(survey: SurveyFile, decided: pd.DataFrame) -> list[Problem]:
    """What was set aside: all but one of several responses by one person."""
    mask = decided["duplicate"]
    if not mask.any():
        return []
    breach = Breach("ResponseId", int(mask.to_numpy().argmax()), f"{int(mask.sum())} responses set aside")
    return breach_problems(DUPLICATES, survey, [breach])


def _check_codes(
    survey: SurveyFile, allocation: ListFile, plan: IndividualPlan, used: pd.Series, limit: Threshold | None
) -> None:
    """What the codes of the responses that are `used` say beside the allocation list."""
    listed = allocation.frame.dropna(subset=["survey_code"])
    groups = listed[plan.design.within] if plan.design.within else pd.Series("the list", index=listed.index)
    check_codes(survey, listed["survey_code"], groups, used, limit)


def _groups(allocation: ListFile, plan: IndividualPlan) -> dict[str, str]:
    """The block of each survey code; empty where the plan has no blocks."""
    if not allocation.readable or not plan.design.within:
        return {}
    listed = allocation.frame.dropna(subset=["survey_code", plan.design.within])
    return dict(zip(listed["survey_code"], listed[plan.design.within], strict=True))


def _decided(survey: SurveyFile) -> pd.DataFrame:
    """Which response of each person counts, by the number of answers beside consent."""
    names = [name for name in survey.fields if name != "consent"]
    return counted_response(survey.meta, survey.frame["consent"], survey.frame[names].notna().sum(axis="columns"))
