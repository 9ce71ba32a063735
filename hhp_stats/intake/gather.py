"""What is there, and what is wrong with it? Every raw file of a study read and checked, nothing raised yet."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pandas as pd

from hhp_stats.errors import DataError, Problem
from hhp_stats.intake.across import Returns, across_problems
from hhp_stats.intake.corrections import apply_ledger
from hhp_stats.intake.dictionary import WAVES, fields_of, load_dictionary, load_study
from hhp_stats.intake.draw_log import allocation_rule, read_draw_log
from hhp_stats.intake.findings import Finding, judged
from hhp_stats.intake.gathered import SURVEY_WAVES, Gathered
from hhp_stats.intake.ledger import read_ledger
from hhp_stats.intake.linkage import SUFFIX, link
from hhp_stats.intake.lists import ListFile, read_list
from hhp_stats.intake.manifest import study_status, verify_manifest
from hhp_stats.intake.pseudonym import Pseudonyms, load_pseudonyms
from hhp_stats.intake.raw_places import raw_names
from hhp_stats.intake.return_layout import Return
from hhp_stats.intake.returns import OTHER_TYPES, RETURN_TYPES, read_return
from hhp_stats.intake.rule import breach_problems
from hhp_stats.intake.rules_absence import ABSENCE_RULES
from hhp_stats.intake.rules_across import ACROSS_RULES
from hhp_stats.intake.rules_answers import list_findings, survey_findings
from hhp_stats.intake.rules_cells import CELL_RULES
from hhp_stats.intake.rules_distribution import Columns, distribution_findings
from hhp_stats.intake.rules_file import (
    MARKED_SYNTHETIC,
    MISSING_FOLLOW_UP,
    MISSING_RETURN,
    NOT_MARKED_SYNTHETIC,
    STRAY_FILE,
    TWO_RETURNS,
    WRONG_AUTHORITY,
)
from hhp_stats.intake.rules_linkage import FEW_LINKED
from hhp_stats.intake.rules_lists import check_list
from hhp_stats.intake.rules_people import PEOPLE_RULES
from hhp_stats.intake.rules_plan import assumption_problems
from hhp_stats.intake.rules_plausible import (
    COURSE_SHARE_RULES,
    LINKED_RULES,
    PLAUSIBILITY_RULES,
    Together,
    together_findings,
)
from hhp_stats.intake.rules_randomisation import (
    RandomisationCheck,
    baseline_list,
    corrected_strata,
    draws_repeated,
    randomisation_findings,
)
from hhp_stats.intake.rules_survey import check_answered, check_questions, check_survey, missing_export
from hhp_stats.intake.rules_wave import WAVE_RULES
from hhp_stats.intake.spellings import load_spellings
from hhp_stats.intake.survey import SurveyFile, export_file, read_survey
from hhp_stats.intake.team_names import shared_names, told_apart
from hhp_stats.plan.any_plan import outcomes_asked
from hhp_stats.plan.conduct import deviations_of_data
from hhp_stats.plan.thresholds import load_thresholds
from hhp_stats.processes.progress import Progress, silent


def gather(root: Path, study: str, *, progress: Progress = silent) -> Gathered:
    """Reads and checks every raw file of a study.

    Problems of the files are collected in the result. Raises only where nothing can be judged: a damaged
    dictionary or mapping (`DataError`), a damaged plan (`PlanError`).
    """
    fields = load_dictionary(root)
    spellings = load_spellings(root, fields)
    result = Gathered(root=root, study=load_study(root, study), fields=fields, spellings=spellings, pseudonyms=None)
    status = _status(result)
    _read_returns(result, progress)
    _read_lists(result)
    result.ledger = read_ledger(root, study=result.study, studies=_studies(root))
    received = _baselines(result.returns)
    readable = {
        site: {wave: ret for wave, ret in waves.items() if ret.readable} for site, waves in result.returns.items()
    }
    result.applied = apply_ledger(result.ledger, readable, study=result.study, spellings=spellings)
    allocation = result.lists["allocation"]
    for waves in readable.values():
        for ret in waves.values():
            check_return(ret)
    received = _teams_told_apart(result, readable, received)
    returns = Returns(
        study=result.study,
        by_site=readable,
        allocated=frozenset(allocation.frame["team_id"].dropna()) if allocation.readable else None,
        arms=_arms(allocation),
    )
    for rule in (*ACROSS_RULES, *PEOPLE_RULES):
        if rule.find is not None:
            result.problems += across_problems(rule, rule.find(returns))
    for table in result.lists.values():
        check_list(table, returns)
    if result.pseudonyms is not None:
        _read_surveys(result, result.pseudonyms)
    if status:
        _check_marks(result, synthetic=status == "synthetic")
        known = {table.file: table.sha256 for table in result.tables() if table.sha256}
        result.problems += defended(result, received=received, returns=returns)
        result.problems += verify_manifest(root, known=known, study=study)
        result.problems += assumption_problems(root, study)
    return result


def _teams_told_apart(
    result: Gathered, readable: dict[str, dict[str, Return]], received: dict[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Names of teams that several authorities use get their authority, in returns and allocation list; gives the
    baselines as received with the same names.
    """
    frames = {site: [ret.frame["team_id"] for ret in waves.values()] for site, waves in readable.items()}
    shared = shared_names(frames, result.spellings)
    for site, waves in readable.items():
        for ret in waves.values():
            ret.frame = told_apart(ret.frame, site, shared)
    allocation = result.lists["allocation"]
    if allocation.readable:
        allocation.frame = told_apart(allocation.frame, allocation.frame["local_authority"], shared)
    return {site: told_apart(frame, site, shared) for site, frame in received.items()}


def _baselines(returns: dict[str, dict[str, Return]]) -> dict[str, pd.DataFrame]:
    """The tables of the baseline returns as they are now: what the ledger changes later, these do not show."""
    return {
        site: waves["baseline"].frame.copy()
        for site, waves in returns.items()
        if "baseline" in waves and waves["baseline"].readable
    }


def defended(result: Gathered, *, received: dict[str, pd.DataFrame], returns: Returns) -> list[Problem]:
    """What is found about randomisation and plausibility, where no deviation explains it.

    How teams were drawn, and the limits of what is plausible, are data of the plan: a plan that does not say how
    teams were drawn has no draws to repeat. `received` are the baseline returns before the ledger.
    """
    rule = allocation_rule(result.root, result.study.name)
    needed = [] if rule is None else [each.code for each in (*COURSE_SHARE_RULES, *LINKED_RULES, *PLAUSIBILITY_RULES)]
    thresholds = load_thresholds(result.root, result.study.name, needed=needed)
    findings: list[Finding] = []
    notes: list[Problem] = []
    if rule is not None:
        result.log = read_draw_log(result.root, study=result.study.name, rule=rule, spellings=result.spellings)
        notes += result.log.problems
        whole = len(received) == len(result.study.sites)
        check = RandomisationCheck(
            allocation=result.lists["allocation"],
            log=result.log,
            rule=rule,
            received=baseline_list(received) if whole else None,
            corrected=baseline_list(_baselines(result.returns)) if whole else None,
        )
        of_the_draw = randomisation_findings(check)
        findings += of_the_draw
        notes += corrected_strata(check)
        result.draws = draws_repeated(check, of_the_draw)
    together = Together(
        study=result.study,
        returns=returns,
        allocation=result.lists["allocation"],
        course_log=result.lists["course_log"],
        linkage=result.lists["linkage"],
        answers=tuple(result.answers),
        pseudonyms=result.pseudonyms,
        thresholds=thresholds,
    )
    findings += together_findings(together)
    findings += distribution_findings(Columns(returns=returns, fields=result.fields, thresholds=thresholds))
    known = result.lists["linkage"].frame.dropna(subset=["survey_code", "local_authority"])
    groups = dict(zip(known["survey_code"], known["local_authority"], strict=True))
    findings += survey_findings(result.surveys.values(), groups, thresholds)
    findings += list_findings([result.lists["course_log"], result.lists["linkage"]], thresholds, drawn=("survey_code",))
    findings += [each for survey in result.surveys.values() for each in missing_export(survey)]
    return [*notes, *judged(findings, deviations_of_data(result.root, result.study.name))]


def _arms(allocation: ListFile) -> dict[str, float]:
    if not allocation.readable:
        return {}
    known = allocation.frame.dropna(subset=["team_id", "treatment"]).drop_duplicates("team_id")
    return dict(zip(known["team_id"], known["treatment"], strict=True))


def _status(result: Gathered) -> str:
    """The manifest's status and the pseudonym key, or the problems that keep us from either."""
    try:
        status = study_status(result.root, result.study.name)
        result.pseudonyms = load_pseudonyms(result.root, status=status)
        result.problems += result.pseudonyms.problems
    except DataError as error:
        result.problems += error.problems
        return ""
    return status


def _studies(root: Path) -> list[str]:
    return [path.stem for path in (root / "data/plan").glob("*.toml")]


def _read_returns(result: Gathered, progress: Progress) -> None:
    base = f"data/returns/{result.study.name}"
    total = len(result.study.sites) * len(WAVES)
    expected = set()
    for index, site in enumerate(result.study.sites):
        waves = result.returns.setdefault(site.local_authority, {})
        for step, wave in enumerate(WAVES):
            names = [f"{base}/{site.slug}/{wave}{suffix}" for suffix in RETURN_TYPES]
            there = [name for name in names if (result.root / name).is_file()]
            if not there:  # sent in another format: the right remedy is to save it in one that is read
                others = [f"{base}/{site.slug}/{wave}{suffix}" for suffix in OTHER_TYPES]
                there = [name for name in others if (result.root / name).is_file()][:1]
            expected.update(there)
            if not there:
                rule = MISSING_RETURN if wave == WAVES[0] else MISSING_FOLLOW_UP
                result.problems.append(rule.problem(file=names[0]))
            elif len(there) > 1:
                result.problems.append(TWO_RETURNS.problem(file=there[0], value=f"also {there[1].rsplit('/', 1)[1]}"))
            else:
                ret = read_return(
                    result.root / there[0],
                    file=there[0],
                    wave=wave,
                    study=result.study,
                    fields=result.fields,
                    spellings=result.spellings,
                    site=site,
                )
                if ret.local_authority and ret.local_authority != site.local_authority:
                    ret.problems.append(
                        WRONG_AUTHORITY.problem(
                            file=ret.file,
                            sheet=ret.sheet,
                            cell=ret.authority_cell,
                            value=f"{ret.local_authority} in the folder of {site.local_authority}",
                        )
                    )
                waves[wave] = ret
            progress(index * len(WAVES) + step + 1, total)
    folder, named = result.root / base, raw_names(result.root)
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        name = path.relative_to(result.root).as_posix()
        if path.is_file() and name not in expected and not path.name.startswith((".", "~$")):
            result.problems.append(STRAY_FILE.problem(file=named.masked(name)))


def check_return(ret: Return) -> None:
    """Adds to a return's problems what the rules for cells and for one wave find."""
    for rule in (*CELL_RULES, *WAVE_RULES, *ABSENCE_RULES):
        if rule.find is not None:
            ret.problems += breach_problems(rule, ret, rule.find(ret))


def _read_lists(result: Gathered) -> None:
    name = result.study.name
    for kind, file in (
        ("allocation", f"data/allocation/{name}.csv"),
        ("course_log", f"data/course_log/{name}.csv"),
        ("linkage", f"data/surveys/{name}/linkage.csv"),
    ):
        result.lists[kind] = read_list(
            result.root / file,
            file=file,
            kind=kind,
            fields=result.fields,
            spellings=result.spellings,
            study=result.study,
        )


def _read_surveys(result: Gathered, pseudonyms: Pseudonyms) -> None:
    limit = load_thresholds(result.root, result.study.name).get(FEW_LINKED.code)
    for wave in SURVEY_WAVES:
        if not fields_of(result.fields, "survey", wave):
            continue
        file, both = export_file(result.root, study=result.study.name, wave=wave)
        result.problems += both
        survey = read_survey(
            result.root / file,
            file=file,
            wave=wave,
            fields=result.fields,
            spellings=result.spellings,
            pseudonyms=pseudonyms,
        )
        check_survey(survey)
        if survey.readable or survey.absent:
            answers = link(survey, result.lists["linkage"], study=result.study, pseudonyms=pseudonyms, limit=limit)
            result.answers.append(answers)
            about = partial(outcomes_asked, result.root, result.study.name, wave=wave, suffix=SUFFIX[wave])
            check_answered(survey, answers.responses["used"], about)
        result.surveys[wave] = survey
    check_questions(list(result.surveys.values()))


def _check_marks(result: Gathered, *, synthetic: bool) -> None:
    """Synthetic and real files must not be mixed: the report says on every page which it shows."""
    for table in result.tables():
        if not table.readable:
            continue
        if isinstance(table, Return):
            marked, unmarked = table.synthetic, not table.synthetic
        elif isinstance(table, ListFile | SurveyFile):
            marked, unmarked = table.synthetic, table.unmarked and len(table.frame) > 0
        else:
            continue
        if synthetic and unmarked:
            table.problems.append(NOT_MARKED_SYNTHETIC.problem(file=table.file, sheet=table.sheet))
        elif not synthetic and marked:
            table.problems.append(MARKED_SYNTHETIC.problem(file=table.file, sheet=table.sheet))
