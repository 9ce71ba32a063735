"""Every study whose plan says how people are protected, run with what draws left out: the same people in every
analysis.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

from hhp_stats.intake.load import load_trial
from hhp_stats.intake.plain_table import participants_of
from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.plan.load import load_plan
from hhp_stats.running.run import run_study
from hhp_stats.studies.field_trial import analyse as analyse_field_trial
from hhp_stats.studies.field_trial.sample import build_sample
from hhp_stats.studies.goal_setting.analyse import analyse
from hhp_stats.studies.goal_setting.sample import build_sample as build_trial_sample


def plans(root):
    """The plans of studies, by key: every file that decides how small counts are protected."""
    read = {
        path.stem: tomllib.loads(path.read_text(encoding="utf-8"))
        for path in sorted((root / "data/plan").glob("*.toml"))
    }
    return {key: raw for key, raw in read.items() if "disclosure" in raw}


def kind_of(raw):
    """What kind of study is it, by what its plan holds?"""
    if "imputation" in raw:
        return "cluster trial"
    return "field trial" if "arms" in raw else "other"


ROOT = Path(__file__).resolve().parents[2]
TRIALS = tuple(key for key, raw in plans(ROOT).items() if kind_of(raw) == "field trial")
EVERY = {"letters": 9, "coffee": 3, "beneficiaries": 12, "swing": 5, "mod_ing": 4}  # persons left out of a small trial


def field_trial(root, study, *, every=1):
    """Output, people and plan of a field trial, or of one person in `every`."""
    plan = load_individual_plan(root, study)
    participants = participants_of(root, plan)
    people = participants.people.iloc[::every].reset_index(drop=True)
    linkage = participants.linkage
    if every > 1:
        matched = {"baseline": people["opened_t1"].sum(), "endline": people["opened_t2"].sum()}
        used = linkage["wave"].map(matched)
        linkage = linkage.assign(
            matched=used,
            consented=used + linkage["duplicates"] + linkage["unmatched"],
            responses=used + linkage["duplicates"] + linkage["unmatched"] + 2,
        )
        inputs = participants.inputs
        listed = inputs["path"] == f"data/allocation/{study}.csv"
        participants = replace(participants, inputs=inputs.assign(rows=inputs["rows"].mask(listed, len(people))))
    cheap = tuple(
        each
        for each in plan.analyses
        if each.estimator not in ("lee-bounds", "wild-bootstrap", "randomisation", "logit")
    )
    plan = replace(plan, analyses=cheap)
    if every > 1 and plan.periods:
        plan = replace(plan, periods=replace(plan.periods, minimum=2))
    output = analyse_field_trial(replace(participants, people=people, linkage=linkage), plan)
    return output, build_sample(replace(participants, people=people), plan).people, plan


def quick(plan):
    """The plan with few imputations and without what draws: the same people in every analysis."""
    slow = ("wild-bootstrap", "randomisation", "heckman", "lee-bounds", "firth")
    analyses = tuple(each for each in plan.analyses if each.estimator not in slow)
    models = {key: replace(model, m=2) for key, model in plan.imputation.models.items()}
    return replace(
        plan,
        analyses=analyses,
        imputation=replace(plan.imputation, models=models, iterations=1),
        cost_benefit=replace(plan.cost_benefit, draws=20),
        tipping=replace(plan.tipping, imputations=2),
    )


def cluster_trial(root, study):
    """Output, people analysed, everyone listed, and plan of a trial from returns."""
    plan = quick(load_plan(root, study))
    found = load_trial(root)
    return analyse(found, plan), build_trial_sample(found, plan).people, found.people, plan


def other_study(root, study):
    """Output of a study without imputations or drawn analyses, as it is."""
    return run_study(root, study)
