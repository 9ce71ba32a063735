"""The dictation pilot (chapter 9): counts use and answers, and gathers the themes. It tests nothing."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from hhp_stats.disclosure.crowd import crowd
from hhp_stats.disclosure.declared import Declared, other
from hhp_stats.intake.pilot_lists import CONTINUES, FREQUENCIES
from hhp_stats.intake.pilots import load_dictation
from hhp_stats.intake.themes import load_themes
from hhp_stats.plan.catalogue import only_for
from hhp_stats.plan.individual import IndividualPlan, load_individual_plan
from hhp_stats.processes.progress import Progress, silent
from hhp_stats.results.frame import ResultRow, result_frame
from hhp_stats.studies.intake_columns import intake_columns
from hhp_stats.studies.output import StudyOutput
from hhp_stats.studies.pilot_members import classes, rows_of
from hhp_stats.studies.pilot_rows import count_row, share_row

STUDY = "dictation"
# One class, so that the table holds no count below five that the published report does not print itself.
SELDOM = dict.fromkeys(FREQUENCIES[:2], "less than once a week, or never")
BRENT, COVENTRY, ANSWERED = "Participants in Brent", "Participants in Coventry", "Survey respondents in Coventry"


def run(root: Path, study: str = STUDY, *, progress: Progress = silent) -> StudyOutput:
    """Read the pilot's files below `root` and return counts, shares and tables."""
    only_for(STUDY, study)
    plan = load_individual_plan(root, study)
    lists, themes = load_dictation(root), load_themes(root, STUDY)
    people, sessions, survey = (lists.frames[name] for name in ("participants", "sessions", "survey"))
    used = usage_by_person(people, sessions)
    rows = [
        *usage_rows(used, plan),
        *survey_rows(people, survey, plan),
        count_row(plan, "sample/access", len(people), of=len(people), population="Everyone given access"),
    ]
    progress(1, 1)
    declared = _declared(people, used, survey, plan, pd.concat([lists.inputs, themes.inputs], ignore_index=True))
    return StudyOutput(
        study=STUDY,
        results=result_frame(rows),
        conduct=(),
        declared=declared,
        tables={
            "usage": usage_classes(used, often=int(plan.fact("often"))),
            "minutes": minute_classes(used),
            "frequency": _answers(
                survey["frequency"].replace(SELDOM),
                tuple(dict.fromkeys(SELDOM.get(answer, answer) for answer in FREQUENCIES)),
            ),
            "would_continue": _answers(survey["would_continue"], CONTINUES),
            "roles": _roles(people),
            "themes": themes.frame,
            "inputs": pd.concat([lists.inputs, themes.inputs], ignore_index=True),
            "problems": lists.problems,
        },
    )


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
    table = used.groupby(use_classes(used["sessions"], often=often), observed=False).agg(
        people=("sessions", "size"), sessions=("sessions", "sum"), minutes=("minutes", "sum")
    )
    table = table.reset_index(names="use").astype({"use": "str"})
    return table.assign(share=table["people"] / len(used), share_of_minutes=table["minutes"] / used["minutes"].sum())


def use_classes(sessions: pd.Series, *, often: int) -> pd.Series:
    """How often each person used the app, in words."""
    return pd.cut(
        sessions,
        [-1, 0, often, 10_000],
        labels=["not at all", f"up to {often} sessions", f"more than {often} sessions"],
    )


def minute_class(minutes: pd.Series) -> pd.Series:
    """How long each person used the app, in words."""
    return pd.cut(minutes, [-1, 0, 4, 9, 100_000], labels=["none", "1 to 4", "5 to 9", "10 or more"])


def minute_classes(used: pd.DataFrame) -> pd.DataFrame:
    """People by minutes in the app over the pilot."""
    counts = minute_class(used["minutes"]).value_counts().sort_index()
    return pd.DataFrame(
        {"minutes": counts.index.astype(str), "people": counts.to_numpy(), "share": counts.to_numpy() / len(used)}
    )


def usage_rows(used: pd.DataFrame, plan: IndividualPlan) -> list[ResultRow]:
    """Use of the app in Brent, from its logs."""
    n, often = len(used), used["sessions"] > plan.fact("often")
    others = used.loc[~often]
    counts = {
        "access_brent": n,
        "logged_on": int((used["sessions"] > 0).sum()),
        "frequent": int(often.sum()),
        "minutes": int(used["minutes"].sum()),
        "most_minutes_of_others": int(others["minutes"].max()) if len(others) else 0,
        "minutes_of_frequent": int(used.loc[often, "minutes"].sum()),
    }
    rows = [
        count_row(
            plan, f"usage/{key}", value, of=n, population=BRENT, method="minutes" if "minutes" in key else "count"
        )
        for key, value in counts.items()
    ]
    return [
        *rows,
        share_row(plan, "usage/logged_on", counts["logged_on"], of=n, population=BRENT),
        share_row(plan, "usage/frequent", counts["frequent"], of=n, population=BRENT),
    ]


def survey_rows(people: pd.DataFrame, survey: pd.DataFrame, plan: IndividualPlan) -> list[ResultRow]:
    """Use as reported in Coventry, and who would go on; of respondents, and of everybody given access."""
    access, n = int((people["local_authority"] == "Coventry").sum()), len(survey)
    said, decided = (int(survey[name].notna().sum()) for name in ("frequency", "would_continue"))
    seldom = int(survey["frequency"].isin(FREQUENCIES[:3]).sum())
    several = int(survey["frequency"].isin(FREQUENCIES[3:]).sum())
    found = {answer: int((survey["would_continue"] == answer).sum()) for answer in CONTINUES}
    rows = [
        count_row(plan, "survey/access_coventry", access, of=access, population=COVENTRY),
        count_row(plan, "survey/respondents", n, of=access, population=COVENTRY),
        count_row(
            plan, "survey/most_days", int((survey["frequency"] == "most days").sum()), of=said, population=ANSWERED
        ),
        *(
            count_row(plan, f"survey/continue_{answer.replace(' ', '_')}", value, of=decided, population=ANSWERED)
            for answer, value in found.items()
        ),
    ]
    shares = {
        "once_a_week_or_less": (seldom, said),
        "several_times_a_week": (several, said),
        "continue": (found["yes"], decided),
    }
    rows += [share_row(plan, f"survey/{key}", part, of=of, population=ANSWERED) for key, (part, of) in shares.items()]
    return [
        *rows,
        share_row(plan, "survey/continue_of_access", found["yes"], of=access, population=COVENTRY),
        share_row(plan, "survey/response", n, of=access, population=COVENTRY),
    ]


def _declared(
    people: pd.DataFrame, used: pd.DataFrame, survey: pd.DataFrame, plan: IndividualPlan, inputs: pd.DataFrame
) -> Declared:
    """Whom the tables and rows count."""
    frame = people.merge(used[["participant", "sessions", "minutes"]], on="participant", how="left")
    answers = survey[["participant", "frequency", "would_continue"]].assign(answered=True)
    frame = frame.merge(answers, on="participant", how="left")
    c, often = crowd(frame), int(plan.fact("often"))
    brent, coventry = frame["local_authority"] == "Brent", frame["local_authority"] == "Coventry"
    answered, given = frame["answered"].notna(), frame["frequency"]
    said, decided = given.notna(), frame["would_continue"].notna()
    use, minutes = (
        found.astype("object").where(brent)
        for found in (use_classes(frame["sessions"], often=often), minute_class(frame["minutes"]))
    )
    usage = classes(c, use, ["not at all", f"up to {often} sessions", f"more than {often} sessions"], of=brent)
    columns = {
        **intake_columns(inputs, known={f"data/allocation/{STUDY}.csv": c.everyone()}),
        "themes": {"people": other()},
        "usage": {**usage, "sessions": other(), "minutes": other(), "share_of_minutes": other()},
        "minutes": classes(c, minutes, ["none", "1 to 4", "5 to 9", "10 or more"], of=brent),
        "frequency": classes(
            c, given.replace(SELDOM), dict.fromkeys(SELDOM.get(answer, answer) for answer in FREQUENCIES), of=said
        ),
        "would_continue": classes(c, frame["would_continue"], CONTINUES, of=decided),
        "roles": classes(c, frame["role"], _roles(people)["role"]),
    }
    frequent = brent & (frame["sessions"] > often)
    counts = {
        "usage/access_brent": (brent, brent),
        "usage/logged_on": (brent & (frame["sessions"] > 0), brent),
        "usage/frequent": (frequent, brent),
        "survey/access_coventry": (coventry, coventry),
        "survey/respondents": (answered, coventry),
        "survey/response": (answered, coventry),
        "survey/most_days": (given == "most days", said),
        "survey/once_a_week_or_less": (given.isin(FREQUENCIES[:3]), said),
        "survey/several_times_a_week": (given.isin(FREQUENCIES[3:]), said),
        "survey/continue": (frame["would_continue"] == "yes", decided),
        "survey/continue_of_access": (frame["would_continue"] == "yes", coventry),
        "sample/access": (brent | coventry, brent | coventry),
        **{
            f"survey/continue_{answer.replace(' ', '_')}": (frame["would_continue"] == answer, decided)
            for answer in CONTINUES
        },
    }
    sums = {
        "usage/minutes": (brent, brent),
        "usage/most_minutes_of_others": (brent & ~frequent, brent),
        "usage/minutes_of_frequent": (frequent, brent),
    }
    return Declared(people=c.there, columns=columns, rows=rows_of(c, counts, sums, study=STUDY))


def _answers(given: pd.Series, options: tuple[str, ...]) -> pd.DataFrame:
    counts = given.value_counts().reindex(list(options), fill_value=0)
    known = float(given.notna().sum()) or float("nan")  # of nobody there is no share
    return pd.DataFrame({"answer": list(options), "people": counts.to_numpy(), "share": counts.to_numpy() / known})


def _roles(people: pd.DataFrame) -> pd.DataFrame:
    """By role in both authorities together: by authority some roles would hold one or two people."""
    return people.groupby("role").size().reset_index(name="people").sort_values("people", ascending=False)
