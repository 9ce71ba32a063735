"""The dictation pilot (chapter 9): counts use and answers, and gathers the themes. It tests nothing."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from hhp_stats.intake.pilots import CONTINUES, FREQUENCIES, load_dictation
from hhp_stats.intake.themes import load_themes
from hhp_stats.plan.individual import IndividualPlan, load_individual_plan
from hhp_stats.progress import Progress, silent
from hhp_stats.results import ResultRow, result_frame
from hhp_stats.studies.output import StudyOutput
from hhp_stats.studies.pilot_rows import count_row, share_row

STUDY = "dictation"
# One class, so that the table holds no count below five that the published report does not print itself.
SELDOM = dict.fromkeys(FREQUENCIES[:2], "less than once a week, or never")
BRENT, COVENTRY, ANSWERED = "Participants in Brent", "Participants in Coventry", "Survey respondents in Coventry"


def run(root: Path, *, progress: Progress = silent) -> StudyOutput:
    """Read the pilot's files below `root` and return counts, shares and tables."""
    plan = load_individual_plan(root, STUDY)
    lists, themes = load_dictation(root), load_themes(root, STUDY)
    people, sessions, survey = (lists.frames[name] for name in ("participants", "sessions", "survey"))
    used = usage_by_person(people, sessions)
    rows = [
        *usage_rows(used, plan),
        *survey_rows(people, survey, plan),
        count_row(plan, "sample/access", len(people), of=len(people), population="Everyone given access"),
    ]
    progress(1, 1)
    return StudyOutput(
        study=STUDY, results=result_frame(rows), conduct=(),
        tables={
            "usage": usage_classes(used, often=int(plan.fact("often"))), "minutes": minute_classes(used), "frequency": _answers(survey["frequency"].replace(SELDOM), tuple(dict.fromkeys(SELDOM.get(answer, answer) for answer in FREQUENCIES))),
            "would_continue": _answers(survey["would_continue"], CONTINUES), "roles": _roles(people),
            "themes": themes.frame, "inputs": pd.concat([lists.inputs, themes.inputs], ignore_index=True), "problems": lists.problems,
        },
    )  # fmt: skip


def usage_by_person(people: pd.DataFrame, sessions: pd.DataFrame) -> pd.DataFrame:
    """Sessions, days and minutes of everyone in Brent, those without a session included, most minutes first."""
    own = people.loc[people["local_authority"] == "Brent", ["participant"]]
    sums = sessions.groupby("participant").agg(
        sessions=("minutes", "size"), days=("day", "nunique"), minutes=("minutes", "sum")
    )
    found = own.merge(sums, left_on="participant", right_index=True, how="left").fillna(
        {"sessions": 0, "days": 0, "minutes": 0}
    )
    found = found.astype({"sessions": "int64", "days": "int64", "minutes": "int64"})
    found = found.sort_values(["minutes", "sessions", "participant"], ascending=[False, False, True])
    return found.reset_index(drop=True).assign(rank=lambda frame: frame.index + 1)


def usage_classes(used: pd.DataFrame, *, often: int) -> pd.DataFrame:
    """People, sessions and minutes by how often the app was used: no line is one person's."""
    classes = pd.cut(
        used["sessions"],
        [-1, 0, often, 10_000],
        labels=["not at all", f"up to {often} sessions", f"more than {often} sessions"],
    )
    table = used.groupby(classes, observed=False).agg(
        people=("sessions", "size"), sessions=("sessions", "sum"), minutes=("minutes", "sum")
    )
    table = table.reset_index(names="use").astype({"use": "str"})
    return table.assign(share=table["people"] / len(used), share_of_minutes=table["minutes"] / used["minutes"].sum())


def minute_classes(used: pd.DataFrame) -> pd.DataFrame:
    """People by minutes in the app over the pilot."""
    classes = pd.cut(used["minutes"], [-1, 0, 4, 9, 100_000], labels=["none", "1 to 4", "5 to 9", "10 or more"])
    counts = classes.value_counts().sort_index()
    return pd.DataFrame(
        {"minutes": counts.index.astype(str), "people": counts.to_numpy(), "share": counts.to_numpy() / len(used)}
    )


def usage_rows(used: pd.DataFrame, plan: IndividualPlan) -> list[ResultRow]:
    """Use of the app in Brent, from its logs."""
    n, often = len(used), used["sessions"] > plan.fact("often")
    others = used.loc[~often]
    counts = {"access_brent": n, "logged_on": int((used["sessions"] > 0).sum()), "frequent": int(often.sum()),
              "minutes": int(used["minutes"].sum()), "most_minutes_of_others": int(others["minutes"].max()),
              "minutes_of_frequent": int(used.loc[often, "minutes"].sum())}  # fmt: skip
    rows = [count_row(plan, f"usage/{key}", value, of=n, population=BRENT, method="minutes" if "minutes" in key else "count")
            for key, value in counts.items()]  # fmt: skip
    return [*rows, share_row(plan, "usage/logged_on", counts["logged_on"], of=n, population=BRENT),
            share_row(plan, "usage/frequent", counts["frequent"], of=n, population=BRENT)]  # fmt: skip


def survey_rows(people: pd.DataFrame, survey: pd.DataFrame, plan: IndividualPlan) -> list[ResultRow]:
    """Use as reported in Coventry, and who would go on; of respondents, and of everybody given access."""
    access, n = int((people["local_authority"] == "Coventry").sum()), len(survey)
    seldom = int(survey["frequency"].isin(FREQUENCIES[:3]).sum())
    several = int(survey["frequency"].isin(FREQUENCIES[3:]).sum())
    found = {answer: int((survey["would_continue"] == answer).sum()) for answer in CONTINUES}
    rows = [
        count_row(plan, "survey/access_coventry", access, of=access, population=COVENTRY),
        count_row(plan, "survey/respondents", n, of=access, population=COVENTRY),
        count_row(plan, "survey/most_days", int((survey["frequency"] == "most days").sum()), of=n, population=ANSWERED),
        *(count_row(plan, f"survey/continue_{answer.replace(' ', '_')}", value, of=n, population=ANSWERED) for answer, value in found.items()),
    ]  # fmt: skip
    shares = {"once_a_week_or_less": seldom, "several_times_a_week": several, "continue": found["yes"]}
    rows += [share_row(plan, f"survey/{key}", value, of=n, population=ANSWERED) for key, value in shares.items()]
    return [*rows, share_row(plan, "survey/continue_of_access", found["yes"], of=access, population=COVENTRY),
            share_row(plan, "survey/response", n, of=access, population=COVENTRY)]  # fmt: skip


def _answers(given: pd.Series, options: tuple[str, ...]) -> pd.DataFrame:
    counts = given.value_counts().reindex(list(options), fill_value=0)
    return pd.DataFrame({"answer": list(options), "people": counts.to_numpy(), "share": counts.to_numpy() / len(given)})


def _roles(people: pd.DataFrame) -> pd.DataFrame:
    """By role in both authorities together: by authority some roles would hold one or two people."""
    return people.groupby("role").size().reset_index(name="people").sort_values("people", ascending=False)
