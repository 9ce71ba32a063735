"""Is this trial fit to be analysed? Everything read, checked and joined, or one error with all problems."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path

import pandas as pd

from hhp_stats.errors import DataError, Problem
from hhp_stats.intake.corrections import applied_frame
from hhp_stats.intake.dictionary import fields_of, study_with_returns
from hhp_stats.intake.gather import gather
from hhp_stats.intake.gathered import Gathered
from hhp_stats.intake.linkage import SUFFIX, linkage_frame
from hhp_stats.intake.people import build_people, build_teams
from hhp_stats.intake.pseudonym import Pseudonyms
from hhp_stats.intake.tolerance import tolerance_frame
from hhp_stats.intake.trial import Trial
from hhp_stats.processes.progress import Progress, silent


def load_trial(root: Path, study: str | None = None, *, progress: Progress = silent) -> Trial:
    """Is this trial fit to be analysed, and what are its data?

    Reads returns, allocation list, course log, survey exports, linkage and corrections ledger below `root`/data,
    applies the ledger, checks every rule and joins what remains by pseudonym.

    Refuses, in one `DataError` with all problems of severity error over all files: whatever breaks such a rule.
    Warnings and notes are returned in `Trial.problems`. Raises `PlanError` for a plan that cannot be read.
    """
    gathered = gather(Path(root), study or study_with_returns(Path(root)), progress=progress)
    problems = gathered.all_problems()
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors or gathered.pseudonyms is None:
        raise DataError(errors)
    return _trial(gathered, gathered.pseudonyms, problems)


def _trial(gathered: Gathered, pseudonyms: Pseudonyms, problems: list[Problem]) -> Trial:
    people = build_people(
        returns=gathered.returns,
        allocation=gathered.lists["allocation"],
        course_log=gathered.lists["course_log"],
        answers=gathered.answers,
        study=gathered.study,
        pseudonyms=pseudonyms,
    )
    corrected = {}
    for each in gathered.applied:
        line = each.correction
        staff = line.new_value if line.field == "staff_id" else line.staff_id
        corrected[line.id] = pseudonyms.of(line.authority, staff)
    return Trial(
        study=gathered.study.name,
        people=people,
        teams=build_teams(gathered.lists["allocation"], people),
        inputs=_dated(gathered.inputs(), gathered),
        problems=problem_frame(problems),
        corrections=applied_frame(gathered.applied, people=corrected),
        tolerances=tolerance_frame(each for table in gathered.tables() for each in table.tolerances),
        linkage=linkage_frame(gathered.answers, people),
        draws=gathered.draws,
        levels=_levels(gathered),
    )


def _levels(gathered: Gathered) -> dict[str, tuple[str, ...]]:
    """The levels of the columns of people, in the order of the dictionary, which is seldom that of the alphabet."""
    found = {field.name: field.allowed for field in fields_of(gathered.fields, "return") if field.allowed}
    for wave, suffix in SUFFIX.items():
        asked = fields_of(gathered.fields, "survey", wave)
        found |= {f"{field.name}{suffix}": field.allowed for field in asked if field.allowed}
    return found


def _dated(inputs: pd.DataFrame, gathered: Gathered) -> pd.DataFrame:
    """The files read, returns with authority, wave and the day on which the records were drawn."""
    about = {
        ret.file: (name, wave, "" if ret.date_retrieved is None else ret.date_retrieved.date().isoformat())
        for name, waves in gathered.returns.items()
        for wave, ret in waves.items()
    }
    known = [about.get(path, ("", "", "")) for path in inputs["path"]]
    columns = pd.DataFrame(known, columns=["local_authority", "wave", "retrieved"], index=inputs.index).astype("str")
    return pd.concat([inputs, columns], axis="columns")


def problem_frame(problems: Iterable[Problem]) -> pd.DataFrame:
    """Problems as a frame with the fields of `errors.Problem`: texts, and the number of cells."""
    names = [each.name for each in fields(Problem)]
    found = pd.DataFrame([asdict(each) for each in problems], columns=names)
    return found.astype({name: "int64" if name == "cells" else "str" for name in names})
