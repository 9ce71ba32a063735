"""The flexitime pilot (chapter 10): counts interviewees and gathers the themes. It tests nothing."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from hhp_stats.intake.pilots import EXPERIENCES, FLEXITIME_ROLES, load_flexitime
from hhp_stats.intake.themes import load_themes
from hhp_stats.plan.individual import IndividualPlan, load_individual_plan
from hhp_stats.progress import Progress, silent
from hhp_stats.results import ResultRow, result_frame
from hhp_stats.studies.output import StudyOutput
from hhp_stats.studies.pilot_rows import count_row

STUDY = "flexitime"
KEYS = {"over one year": "long_term_users", "up to one year": "recent_users", "none": "non_users"}


def run(root: Path, *, progress: Progress = silent) -> StudyOutput:
    """Read the pilot's files below `root` and return counts and tables."""
    plan = load_individual_plan(root, STUDY)
    lists, themes = load_flexitime(root), load_themes(root, STUDY)
    people = lists.frames["interviewees"]
    progress(1, 1)
    return StudyOutput(
        study=STUDY, results=result_frame(interviewee_rows(people, plan)), conduct=(),
        tables={
            "roles": _by(people, "role", FLEXITIME_ROLES), "experience": _by(people, "experience", EXPERIENCES), "themes": themes.frame,
            "inputs": pd.concat([lists.inputs, themes.inputs], ignore_index=True), "problems": lists.problems,
        },
    )  # fmt: skip


def interviewee_rows(people: pd.DataFrame, plan: IndividualPlan) -> list[ResultRow]:
    """How many were interviewed, by role and by experience with the policy."""
    n = len(people)
    counts = {"interviewees": n, "social_workers": int(people["role"].isin(["social worker", "senior practitioner"]).sum()),
              "senior_practitioners": int((people["role"] == "senior practitioner").sum()),
              "team_managers": int((people["role"] == "team manager").sum()), "service_leads": int((people["role"] == "service lead").sum())}  # fmt: skip
    counts |= {key: int((people["experience"] == name).sum()) for name, key in KEYS.items()}
    return [count_row(plan, f"sample/{key}", value, of=n, population="Interviewees") for key, value in counts.items()]


def _by(people: pd.DataFrame, column: str, options: tuple[str, ...]) -> pd.DataFrame:
    counts = people[column].value_counts().reindex(list(options), fill_value=0)
    return pd.DataFrame({column: list(options), "people": counts.to_numpy()})
