"""What is printed of each kind of study, and whom it counts: the reader's own account of tables and results."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
from disclosure_attack import WITHHELD, Reader, joined

ARMS = {"control": 0.0, "treatment": 1.0}


def of(number, whole):
    """A share of a known number as a number of people; withheld where either is."""
    return WITHHELD if WITHHELD in (number, whole) or pd.isna(number) else number * whole


def with_answers_left_out(people, plan):
    """Beside `people` those who began the second survey and left it at some scale, or answered none: nothing forbids
    it.
    """
    rng = np.random.default_rng(0)
    names = [outcome.id for outcome in plan.outcomes.values() if outcome.scales]
    primary = next(outcome.id for outcome in plan.outcomes.values() if outcome.role == "primary")
    began = people.loc[people["opened_t2"].astype(bool)]
    made = []
    for lost in (rng.random((len(began), len(names))) < 0.5, np.ones((len(began), len(names)), dtype=bool)):
        left = began.copy()
        left[names] = began[names].mask(lost)
        made.append(left.assign(responded=left[primary].notna().astype(float)))
    return pd.concat([people, *made], ignore_index=True).infer_objects()


def read_field_trial(published, people, plan):
    """Flow, response, balance, recall, clusters, periods and every n of a field trial."""
    second = [
        name
        for name in people
        if name.endswith("_t2") or name in {*plan.outcomes, "responded", "week", "in_post_at_endline"}
    ]
    first = [name for name in people if name.endswith("_t1")]
    p = with_answers_left_out(joined(people, [first, second], keep=["arm"], copies=6), plan)
    reader, tables, results = Reader(people=len(people)), published.tables, published.results
    answered, began = p["responded"] == 1, p["opened_t2"].astype(bool)
    arms = {arm.id: p["arm"] == arm.id for arm in plan.arms}
    labels = {arm.label: p["arm"] == arm.id for arm in plan.arms}
    within = plan.design.within
    labels |= {block.label: p[within] == block.id for block in plan.blocks} if within else {}
    scored = {
        f"Analysed: {o.label[0].lower()}{o.label[1:]}": p[o.id].notna() for o in plan.outcomes.values() if o.scales
    }
    gone = (p["in_post_at_endline"] == "no") & ~began if "in_post_at_endline" in p else pd.Series(False, index=p.index)
    steps = {
        "Left before the endline survey": gone,
        "Did not answer": ~began & ~gone,
        "Began the endline survey": began,
        "Primary outcome not answered": began & ~answered,
        "Analysed: primary outcome": answered,
        **scored,
    }
    for row in tables["flow"].to_dict("records"):
        own = arms.get(row["arm"], pd.Series(True, index=p.index))
        reader.read(f"flow {row['arm']} {row['label']}", own & steps.get(row["label"], own), row["people"])
    for row in tables["attrition"].to_dict("records"):
        own = labels[row["label"]]
        reader.read(f"attrition {row['label']}", own, row["people"])
        reader.read(f"first survey {row['label']}", own & p["opened_t1"].astype(bool), row["baseline"])
        reader.read(f"answered {row['label']}", own & answered, row["responded"])
        reader.aim(f"did not answer: {row['label']}", own & ~answered)
        reader.aim(f"began, no answer: {row['label']}", own & began & ~answered)
    for row in tables["balance"].to_dict("records"):
        if row["kind"] == "level" and row["population"] == "responders":
            for arm, own in arms.items():
                inside = own & answered
                number = row[f"mean_{arm}"]
                size = int(inside[: len(people)].sum())
                reader.read(
                    f"{row['level']}, {arm}",
                    inside & (p[row["covariate"]] == row["level"]),
                    WITHHELD if number == WITHHELD else round(float(number) * size),
                )
    for row in tables["recall"].to_dict("records"):
        asked = arms["treatment"] & answered & p["recall_t2"].notna()
        reader.read(f"recall {row['answer']}", asked & (p["recall_t2"] == row["answer"]), row["people"])
        reader.read("recall asked", asked, row["of"])
    for row in tables.get("clusters", pd.DataFrame()).to_dict("records"):
        own = p[plan.design.cluster] == row["cluster"]
        reader.read(f"cluster {row['cluster']}", own, row["people"])
        reader.read(f"answered, cluster {row['cluster']}", own & answered, row["responded"])
        reader.aim(f"no answer, cluster {row['cluster']}", own & ~answered)
    for row in tables.get("periods", pd.DataFrame()).to_dict("records"):
        own = answered & p["week"].between(row["first_week"] - 1, row["last_week"] - 1)
        reader.read(f"period {row['period']}", own, row["responses"])
        for arm, members in arms.items():
            reader.read(f"period {row['period']}, {arm}", own & members, row[arm])
    for outcome, (arm, own) in product(plan.outcomes.values(), arms.items()):
        if outcome.scales:
            row = results.loc[results["result_id"] == f"{plan.study}/{outcome.id}/mean_{arm}/raw"]
            if len(row):
                reader.read(f"n of {outcome.id}, {arm}", own & p[outcome.id].notna(), row["n"].iloc[0])
            reader.aim(f"began, no {outcome.id}, {arm}", own & began & p[outcome.id].isna())
    for row in results.to_dict("records"):
        if (
            row["estimand"] == "itt"
            and row["analysis"] == "planned"
            and row["outcome"] in plan.outcomes
            and plan.outcomes[row["outcome"]].scales
        ):
            reader.read(f"n of {row['result_id']}", p[row["outcome"]].notna(), row["n"])
    return reader


def read_goal_setting(published, people, everyone, plan):
    """Flow, records, missing values, strata, uptake, characteristics, and every n of analyses of absence."""
    returns = [
        "absence_days",
        "left",
        "in_endline",
        "in_interim",
        "absence_days_left_out",
        "spells",
        "baseline_absence",
        "baseline_illness_spells",
    ]
    survey = [name for name in people if name.endswith("_t2")]
    p = joined(people, [returns, survey, ["enrolled", "modules_completed"], ["role"]], keep=["treatment"], copies=1)
    reader, tables, results = Reader(people=len(people)), published.tables, published.results.set_index("result_id")
    arms = {arm: p["treatment"] == code for arm, code in ARMS.items()}
    known, left = p["absence_days"].notna(), p["left"] == 1
    groups = {plan.design.arm_labels[arm]: own for arm, own in arms.items()} | {
        site.local_authority: p["local_authority"] == site.local_authority for site in plan.sites
    }
    traced = p["in_endline"].astype(bool) | left
    steps = {
        "Started the course": p["enrolled"] == 1,
        "Left the authority, counted at their own rate": left,
        "No endline record": ~traced,
        "Followed to 24 weeks or leaving": traced,
        "No absence record": traced & ~known,
        "Analysed: absence": known,
        "Analysed: turnover": p["left"].notna(),
        "Answered the endline survey": p["responded_t2"].astype(bool),
        "Analysed: wellbeing, complete cases": p["wellbeing_t2"].notna(),
    }
    for row in tables["flow"].to_dict("records"):
        if row["arm"] in arms:
            own = arms[row["arm"]]
            reader.read(f"flow {row['arm']} {row['label']}", own & steps.get(row["label"], own), row["people"])
    for row in tables["attrition"].to_dict("records"):
        own, size = groups[row["label"]], row["people"]
        reader.read(f"people of {row['label']}", own, size)
        for column, members in {
            "outcome": known,
            "left": left,
            "endline_survey": p["responded_t2"].astype(bool),
            "baseline_absence": p["baseline_absence"].notna(),
        }.items():
            number = of(row[column], int((own & p["left"].notna())[: len(people)].sum()) if column == "left" else size)
            reader.read(f"{column} of {row['label']}", own & members, number)
        reader.aim(f"without a record: {row['label']}", own & ~known)
    for row in tables["missingness"].to_dict("records"):
        if row["variable"] in ("absence_days", "spells", "baseline_absence", "baseline_illness_spells"):
            reader.read(
                f"{row['variable']} missing, {row['group']}",
                groups[row["group"]] & p[row["variable"]].isna(),
                row["missing"],
            )
    for row in tables["strata"].to_dict("records"):
        for arm, own in arms.items():
            reader.read(
                f"stratum {row['stratum']}, {arm}", own & (p["stratum"] == row["stratum"]), row[f"people_{arm}"]
            )
    uptake = {
        "started": arms["treatment"] & (p["enrolled"] == 1),
        "completed": arms["treatment"] & (p["modules_completed"] == 6),
        "crossed": arms["control"] & (p["enrolled"] == 1),
    }
    for row in tables["uptake"].to_dict("records"):
        if row["key"] in uptake:
            reader.read(f"uptake {row['key']}", uptake[row["key"]], row["people"])
    for row in tables["modules"].to_dict("records"):
        reader.read(
            f"{row['modules']} modules", uptake["started"] & (p["modules_completed"] == row["modules"]), row["people"]
        )
    for row in tables["balance"].to_dict("records"):
        if row["kind"] == "level":
            for arm, own in arms.items():
                size = int((own & p["role"].notna())[: len(people)].sum())
                reader.read(
                    f"role {row['level']}, {arm}", own & (p["role"] == row["level"]), of(row[f"mean_{arm}"], size)
                )
    recording = (
        people.groupby("local_authority")[["baseline_illness_spells", "spells"]].count().gt(0).all(axis="columns")
    )
    analyses = {
        "cr1": known,
        "spells-authorities": known & p["local_authority"].isin(recording.index[recording]),
        "leavers-out": p["absence_days_left_out"].notna(),
        "social-workers": known & (p["role"] != "other"),
        "without-kent": known
        & p["local_authority"].isin(
            people.groupby("local_authority")["coffee"].max().loc[lambda most: most == 0].index
        ),
        "baseline-complete": known & p["baseline_absence"].notna(),
    }
    for name, members in analyses.items():
        key = f"goal_setting/sickness_absence/itt/{name}"
        if key in results.index:
            reader.read(f"n of {name}", members, results.loc[key, "n"])
    for arm, own in arms.items():
        reader.read(
            f"n of the {arm} mean", own & known, results.loc[f"goal_setting/sickness_absence/mean_{arm}/raw", "n"]
        )
        reader.read(
            f"leavers, {arm}",
            own & left,
            of(
                results.loc[f"goal_setting/turnover/mean_{arm}/raw", "estimate"],
                int((own & p["left"].notna())[: len(people)].sum()),
            ),
        )
        row = tables["absence_distribution"]
        for line in row.loc[row["arm"] == arm].to_dict("records"):
            if line["bin"] == "0":
                reader.read(f"no day, {arm}", own & (p["absence_days"] <= 0), line["people"])
    reader.aim("without a record: left", left & ~known)
    reader.aim("without a record: role other", (p["role"] == "other") & ~known)
    assert len(everyone) >= len(people) and np.isfinite(len(p))
    return reader
