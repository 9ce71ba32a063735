"""Would every file of the plans be read as it stands?

A study's plan is read whenever the study is checked. What stands beside the plans (facts of the studies, checklists,
conflicts, commitments) is asked for by single pages of the report; here each is read by the reader of its page, so that
a slip in it is said by the check and not by a cell of a chapter an hour later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from hhp_stats.errors import PlanError
from hhp_stats.plan.any_plan import plan_of
from hhp_stats.plan.assumed import CONFIRMED, confirmations
from hhp_stats.plan.catalogue import PLANS, catalogue
from hhp_stats.plan.clauses import CLAUSE_STATUS, load_clause_status
from hhp_stats.plan.conduct import COMMITMENTS, DEVIATIONS, load_commitments, load_deviations
from hhp_stats.plan.conflicts import CONFLICTS, DEPARTURES, SOURCES, load_conflicts, load_departures, load_sources
from hhp_stats.plan.consort import CONSORT, load_checklist
from hhp_stats.plan.consort_trials import CONSORT_TRIALS, studies_answered, trial_answers
from hhp_stats.plan.estimands import ESTIMANDS, load_estimands
from hhp_stats.plan.glance import study_glance
from hhp_stats.plan.glossary import GLOSSARY, read_abbreviations, read_alike, read_glossary
from hhp_stats.plan.imprint import IMPRINT, read_imprint
from hhp_stats.plan.logic_model import LOGIC_MODELS, load_logic_models
from hhp_stats.plan.nearest import meant
from hhp_stats.plan.programme import PROGRAMME, programme_plan
from hhp_stats.plan.records import read_plan_file
from hhp_stats.plan.reporting import CHEERS, COREQ, INTERVENTIONS, load_cheers, load_coreq, load_interventions
from hhp_stats.plan.study_facts import STUDY_FACTS, load_questions, load_study_facts
from hhp_stats.plan.trial_management import TRIAL_MANAGEMENT, load_trial_management

Reader = Callable[[Path], object]
DRAWN = "synthetic_"  # begins the file that the synthetic data of a study are drawn from: `hhp synthesise` reads it


def _each(read: Callable[[Path, str], object]) -> Reader:
    return lambda root: [read(root, entry.study) for entry in catalogue(root)]


def _facts(root: Path) -> None:
    load_study_facts(root)
    _each(load_questions)(root)


def _answers(root: Path) -> None:
    for entry in studies_answered(root):
        trial_answers(root, entry.study)


def _words(root: Path) -> None:
    for read in (read_glossary, read_abbreviations, read_alike):
        read(root)


BESIDE: Mapping[str, Reader] = {
    PROGRAMME: programme_plan,
    SOURCES: load_sources,
    CONFLICTS: load_conflicts,
    DEPARTURES: load_departures,
    COMMITMENTS: load_commitments,
    DEVIATIONS: load_deviations,
    CLAUSE_STATUS: load_clause_status,
    ESTIMANDS: load_estimands,
    STUDY_FACTS: _facts,
    INTERVENTIONS: load_interventions,
    LOGIC_MODELS: load_logic_models,
    TRIAL_MANAGEMENT: load_trial_management,
    CONSORT: load_checklist,
    CONSORT_TRIALS: _answers,
    COREQ: load_coreq,
    CHEERS: load_cheers,
    CONFIRMED: confirmations,
    IMPRINT: read_imprint,
    GLOSSARY: _words,
}
"""Who reads what no study's plan holds, by its place or a pattern of places."""


def check_plan_files(root: Path) -> None:
    """Is every file of the plans one that its reader takes?

    Raises PlanError (RenderError for the glossary), naming file, place, what is allowed and the nearest known name,
    for whatever the readers of the report refuse, and for a file below `data/plan` that nothing reads.
    """
    for read in readings(root).values():
        read(root)


def readings(root: Path) -> dict[str, Reader]:
    """The reader of each file of the plans that exists, by its place; raises PlanError for a file that has none.

    A file that holds nothing any more, since all studies that it told of have gone, needs no reading.
    """
    studies = {f"{PLANS}/{entry.study}.toml": entry.study for entry in catalogue(root)}
    drawn = [f"{PLANS}/{DRAWN}{study}.toml" for study in studies.values()]
    found: dict[str, Reader] = {}
    for file in _files(root):
        if file in studies:
            found[file] = _plan(studies[file])
        elif file not in drawn and read_plan_file(root, file):
            found[file] = _beside(file, [*BESIDE, *studies, *drawn])
    return found


def _files(root: Path) -> Iterator[str]:
    for path in sorted((root / PLANS).glob("*.toml")):
        yield f"{PLANS}/{path.name}"
    yield from (file for file in BESIDE if not file.startswith(PLANS) and (root / file).is_file())


def _plan(study: str) -> Reader:
    def read(root: Path) -> None:
        plan_of(root, study)
        study_glance(root, study)

    return read


def _beside(file: str, known: Iterable[str]) -> Reader:
    for pattern, read in BESIDE.items():
        if Path(file).match(pattern):
            return read
    raise PlanError(
        file,
        "the file",
        "is read by nothing.",
        f"{meant(file, known)}Call it as the file of its kind is called, or take it away. The plan of a study has a"
        " table [design].",
    )
