"""The flexitime pilot (chapter 10): counts interviewees and gathers the themes. It tests nothing."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from hhp_stats.disclosure.crowd import crowd
from hhp_stats.disclosure.declared import Declared, other
from hhp_stats.intake.pilot_lists import EXPERIENCES, FLEXITIME_ROLES
from hhp_stats.intake.pilots import load_flexitime
from hhp_stats.intake.themes import load_themes
from hhp_stats.plan.catalogue import only_for
from hhp_stats.plan.individual import IndividualPlan, load_individual_plan
from hhp_stats.processes.progress import Progress, silent
from hhp_stats.results.frame import ResultRow, result_frame
from hhp_stats.studies.intake_columns import intake_columns
from hhp_stats.studies.output import StudyOutput
from hhp_stats.studies.pilot_members import classes, rows_of
from hhp_stats.studies.pilot_rows import count_row

STUDY = "flexitime"
KEYS = {"over one year": "long_term_users", "up to one year": "recent_users", "none": "non_users"}


def run(root: Path, study: str = STUDY, *, progress: Progress = silent) -> StudyOutput:
    """Read the pilot's files below `root` and return counts and tables."""
    only_for(STUDY, study)
    plan = load_individual_plan(root, study)
    lists, themes = load_flexitime(root), load_themes(root, STUDY)
    people = lists.frames["interviewees"]
    progress(1, 1)
    return StudyOutput(
        study=STUDY,
        results=result_frame(interviewee_rows(people, plan)),
        conduct=(),
        declared=_declared(people, lists.inputs, themes.inputs),
        tables={
            "roles": _by(people, "role", FLEXITIME_ROLES),
            "experience": _by(people, "experience", EXPERIENCES),
            "themes": themes.frame,
            "inputs": pd.concat([lists.inputs, themes.inputs], ignore_index=True),
            "problems": lists.problems,
        },
    )


def interviewees(people: pd.DataFrame) -> dict[str, pd.Series]:
    """Groups of interviewees, by the estimand of the row that counts them."""
    role = people["role"]
    groups = {
        "interviewees": role.notna() | True,
        "social_workers": role.isin(["social worker", "senior practitioner"]),
        "senior_practitioners": role == "senior practitioner",
        "team_managers": role == "team manager",
        "service_leads": role == "service lead",
    }
    return groups | {key: people["experience"] == name for name, key in KEYS.items()}


def interviewee_rows(people: pd.DataFrame, plan: IndividualPlan) -> list[ResultRow]:
    """How many were interviewed, by role and by experience with the policy."""
    return [
        count_row(plan, f"sample/{key}", int(members.sum()), of=len(people), population="Interviewees")
        for key, members in interviewees(people).items()
    ]


def _declared(people: pd.DataFrame, inputs: pd.DataFrame, themes: pd.DataFrame) -> Declared:
    """Whom the tables and rows count."""
    c, groups = crowd(people), interviewees(people)
    listed = {f"data/allocation/{STUDY}.csv": c.everyone()}
    columns = {
        **intake_columns(pd.concat([inputs, themes], ignore_index=True), known=listed),
        "themes": {"people": other()},
        "roles": classes(c, people["role"], FLEXITIME_ROLES),
        "experience": classes(c, people["experience"], EXPERIENCES),
    }
    counts = {f"sample/{key}": (members, groups["interviewees"]) for key, members in groups.items()}
    return Declared(people=c.there, columns=columns, rows=rows_of(c, counts, {}, study=STUDY))


def _by(people: pd.DataFrame, column: str, options: tuple[str, ...]) -> pd.DataFrame:
    counts = people[column].value_counts().reindex(list(options), fill_value=0)
    return pd.DataFrame({column: list(options), "people": counts.to_numpy()})
