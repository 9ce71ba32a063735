"""What has to go back to whom? All problems of all returns, or of one workbook, without raising."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from hhp_stats.errors import DataError, Problem
from hhp_stats.intake.across import Returns, across_problems
from hhp_stats.intake.dictionary import (
    WAVES,
    Study,
    load_dictionary,
    load_study,
    returns_planned,
    studies_with_returns,
    study_with_returns,
)
from hhp_stats.intake.gather import check_return, gather
from hhp_stats.intake.hiring import load_hiring
from hhp_stats.intake.load import problem_frame
from hhp_stats.intake.manifest import verify_manifest
from hhp_stats.intake.pilots import load_pilot
from hhp_stats.intake.plain_table import participants_of, read_plain_table
from hhp_stats.intake.raw_files import studies
from hhp_stats.intake.return_layout import Return
from hhp_stats.intake.returns import OTHER_TYPES, RETURN_TYPES, read_return
from hhp_stats.intake.rule import Rule
from hhp_stats.intake.rules_across import ACROSS_RULES
from hhp_stats.intake.rules_file import TWO_RETURNS
from hhp_stats.intake.rules_people import PEOPLE_RULES
from hhp_stats.intake.spellings import Spellings, load_spellings
from hhp_stats.intake.table import Table
from hhp_stats.intake.themes import load_themes, themes_of
from hhp_stats.intake.tolerance import Tolerance, tolerance_frame
from hhp_stats.plan.any_plan import plan_of
from hhp_stats.plan.experiments import ExperimentPlan
from hhp_stats.plan.individual import IndividualPlan
from hhp_stats.plan.pilot_schema import PilotPlan
from hhp_stats.processes.progress import Progress, silent

COPY_MARK = "-to-correct"  # in the name of every copy that goes back, by which a check leaves it out
TRIAL_TEAM = "Trial team"  # whose table holds the lists, surveys, ledger and manifest
NOTHING_TO_CHECK = Rule(
    code="F22",
    severity="error",
    rule="There must be a return to check at this path.",
    remedy="Give the project folder, a folder of returns, or one workbook.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What was found: problems of every severity, tolerances, and which authority each file belongs to."""

    study: str  # "" for all
    problems: tuple[Problem, ...]
    tolerances: tuple[Tolerance, ...]
    inputs: pd.DataFrame  # path, authority, wave, people, sha256
    returns: Mapping[str, Table] = field(default_factory=dict, repr=False)  # file as named in the problems -> as read
    root: Path = field(default=Path(), repr=False)  # the project whose plan applies

    @property
    def ok(self) -> bool:
        """Whether no problem blocks an analysis."""
        return not any(problem.severity == "error" for problem in self.problems)

    def counts(self) -> dict[str, int]:
        """The number of errors, warnings and notes, cell by cell."""
        levels = ("error", "warning", "note")
        return {level: sum(each.cells for each in self.problems if each.severity == level) for level in levels}

    def authority_of(self, file: str) -> str:
        """The authority a file belongs to; lists, surveys and the ledger belong to the trial team."""
        known = self.inputs.loc[self.inputs["path"] == file, "authority"]
        return str(known.iloc[0]) if len(known) else TRIAL_TEAM

    def tables(self) -> dict[str, pd.DataFrame]:
        """One frame of problems per authority with returns, in the order of the plan, then the trial team's."""
        owners = list(dict.fromkeys([*self.inputs["authority"], TRIAL_TEAM]))
        by_owner: dict[str, list[Problem]] = {owner: [] for owner in owners}
        for problem in self.problems:
            by_owner[self.authority_of(problem.file)].append(problem)
        return {owner: problem_frame(problems) for owner, problems in by_owner.items()}

    def tolerance_frame(self) -> pd.DataFrame:
        """The typing habits that were accepted."""
        return tolerance_frame(self.tolerances)

    def below(self, name: str) -> CheckReport:
        """What was found in one file, or in the files of one folder, by its path from the project."""
        own = tuple(each for each in self.problems if each.file == name or each.file.startswith(f"{name}/"))
        return replace(self, problems=own, study=name)

    def to_json(self) -> dict[str, Any]:
        """Everything a program may want, in plain lists and numbers."""
        return {
            "study": self.study,
            "ok": self.ok,
            "counts": self.counts(),
            "problems": [
                {"authority": self.authority_of(problem.file), **row}
                for problem, row in zip(
                    self.problems, problem_frame(self.problems).to_dict(orient="records"), strict=True
                )
            ],
            "tolerances": self.tolerance_frame().to_dict(orient="records"),
            "inputs": self.inputs.to_dict(orient="records"),
        }


def check_returns(
    path: Path, *, root: Path | None = None, study: str | None = None, progress: Progress = silent
) -> CheckReport:
    """What has to go back to whom?

    `path` is a project folder (with data/plan below it): everything is checked as `load_trial` would, including
    lists, surveys, ledger and manifest. Otherwise it is one workbook, or a folder of workbooks, that need not lie in
    the project; `root` is then the project whose dictionary and plan apply. Files are told apart by the authority
    they name and by "baseline", "interim" or "endline" in their name. Without `study` the returns are those of the
    first study that plans any, if one does, and the raw files of every study are checked too, the manifest with them.
    Never raises for what is wrong with the files.
    """
    path = Path(path)
    if (path / "data" / "plan").is_dir():
        return replace(_check_project(path, study, progress), root=path)
    if root is None:
        root = next((up for up in path.resolve().parents if (up / "data" / "plan").is_dir()), Path())
    study = study or study_with_returns(Path(root))
    return replace(_check_files(path, Path(root), study, progress), root=Path(root))


def _check_project(root: Path, asked: str | None, progress: Progress) -> CheckReport:
    study = asked or next(iter(studies_with_returns(root)), "")
    if not study:
        return _check_files_of(root, *studies(root))
    if not returns_planned(root, study):
        return _check_files_of(root, study)
    found = gather(root, study, progress=progress)
    if asked is None:
        found.problems += verify_manifest(root)
        for other in studies(root):
            if other != study:
                found.problems += _in_the_files(root, other)
    returns = [ret for waves in found.returns.values() for ret in waves.values()]
    expected = [
        (f"data/returns/{study}/{site.slug}/{wave}.xlsx", site.local_authority, wave, 0, "")
        for site in found.study.sites
        for wave in WAVES
        if wave not in found.returns.get(site.local_authority, {})
    ]
    return _report(
        study=study,
        problems=found.all_problems(),
        tolerances=[each for table in found.tables() for each in table.tolerances],
        returns=returns,
        study_plan=found.study,
        missing=expected,
    )


def _check_files_of(root: Path, *own: str) -> CheckReport:
    """Of a study without returns, or of all where none has any: whether the raw files are those that the manifest
    records, and what breaks a rule in them.
    """
    inputs = pd.DataFrame(columns=["path", "authority", "wave", "people", "sha256"])
    one = own[0] if len(own) == 1 else None
    found = [*verify_manifest(root, study=one), *(each for study in own for each in _in_the_files(root, study))]
    tables = {file: table for study in own for file, table in _table_of(root, study).items()}
    problems = tuple(dict.fromkeys(found))
    return CheckReport(study=one or "", problems=problems, tolerances=(), inputs=inputs, returns=tables)


def _table_of(root: Path, study: str) -> dict[str, Table]:
    """The plain table of a trial as read, by its file: what a marked copy of it is made from."""
    plan = plan_of(root, study)
    if not isinstance(plan, IndividualPlan) or plan.data is None:
        return {}
    table = read_plain_table(root, plan)
    return {table.file: table}


def _in_the_files(root: Path, study: str) -> list[Problem]:
    """What the reader of a study's lists, exports or table finds; a damaged plan is said by the other commands."""
    try:
        tables = _problems_read(root, study)
    except DataError as error:
        return [*error.problems, *error.beside]
    known = {field.name for field in fields(Problem)}
    return [
        Problem(**{str(key): value for key, value in row.items() if key in known})
        for table in tables
        for row in table.to_dict("records")
    ]


def _problems_read(root: Path, study: str) -> list[pd.DataFrame]:
    plan = plan_of(root, study)
    if (root / themes_of(study)).is_file():
        load_themes(root, study)
    if isinstance(plan, PilotPlan):
        return [load_pilot(root, plan).problems]
    if isinstance(plan, IndividualPlan):
        return [participants_of(root, plan).problems]
    return [load_hiring(root).problems] if isinstance(plan, ExperimentPlan) else []


def _check_files(path: Path, root: Path, study_name: str, progress: Progress) -> CheckReport:
    fields = load_dictionary(root)
    spellings = load_spellings(root, fields)
    study = load_study(root, study_name)
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if may_be_return(each))
    returns: list[Return] = []
    problems: list[Problem] = []
    if not files:
        problems.append(NOTHING_TO_CHECK.problem(file=path.name))
    for step, each in enumerate(files, start=1):
        name = each.name if path.is_file() else each.relative_to(path).as_posix()
        ret = _read_any(each, name, study, fields, spellings)
        if ret.readable:
            check_return(ret)
        returns.append(ret)
        progress(step, len(files))
    by_site: dict[str, dict[str, Return]] = {}
    for wave in WAVES:
        for ret in returns:
            if ret.wave == wave and ret.readable and ret.site is not None:
                first = by_site.setdefault(ret.site.local_authority, {}).setdefault(wave, ret)
                if first is not ret:
                    ret.problems.append(TWO_RETURNS.problem(file=ret.file, value=f"also {first.file}"))
    together = Returns(study=study, by_site=by_site)
    for rule in (*ACROSS_RULES, *PEOPLE_RULES):
        if rule.find is not None:
            problems += across_problems(rule, rule.find(together))
    return _report(
        study=study_name,
        problems=[*(problem for ret in returns for problem in ret.problems), *problems],
        tolerances=[each for ret in returns for each in ret.tolerances],
        returns=returns,
        study_plan=study,
        missing=[],
    )


def may_be_return(path: Path) -> bool:
    """Every table and document of a folder, so that a return sent in another format is refused and not overlooked."""
    sent = path.suffix.casefold() in (*RETURN_TYPES, *OTHER_TYPES)
    return sent and path.is_file() and COPY_MARK not in path.stem and not path.name.startswith((".", "~$"))


def _read_any(path: Path, name: str, study: Study, fields: Any, spellings: Spellings) -> Return:
    """A workbook from anywhere: its wave from its name, else the wave whose headings fit best; its site as named."""
    named = [wave for wave in WAVES if wave in path.stem.casefold()]
    candidates = named[:1] or list(WAVES)
    read = [
        read_return(path, file=name, wave=wave, study=study, fields=fields, spellings=spellings) for wave in candidates
    ]
    best = min(read, key=lambda ret: (sum(p.severity == "error" for p in ret.problems), -len(ret.columns)))
    best.site = study.site(best.local_authority)
    return best


def _report(
    *,
    study: str,
    problems: list[Problem],
    tolerances: list[Tolerance],
    returns: list[Return],
    study_plan: Study,
    missing: Sequence[tuple[str, str, str, int, str]],
) -> CheckReport:
    order = {name: index for index, name in enumerate(study_plan.authorities)}
    rows = [
        (ret.file, ret.site.local_authority if ret.site else "Unknown authority", ret.wave, len(ret.frame), ret.sha256)
        for ret in returns
    ]
    rows = sorted([*rows, *missing], key=lambda row: (order.get(row[1], len(order)), WAVES.index(row[2])))
    rank = {"error": 0, "warning": 1, "note": 2}
    return CheckReport(
        study=study,
        problems=tuple(sorted(dict.fromkeys(problems), key=lambda each: (rank[each.severity], each.file))),
        tolerances=tuple(tolerances),
        inputs=pd.DataFrame(rows, columns=["path", "authority", "wave", "people", "sha256"]),
        returns={ret.file: ret for ret in returns},
    )
