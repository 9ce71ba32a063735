"""The planned analyses recover what is planted: absence without bias and with its coverage, wellbeing after imputation.

Trials are drawn by the synthetic release's own model, with the plan's rule of randomisation, missing
baselines, leavers and non-response that depends on wellbeing. Fewer imputations than the plan's hundred: the
pooled interval allows for that.
"""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from joblib import Parallel, delayed

from hhp_stats.estimate.imputation import impute
from hhp_stats.intake.trial import Trial
from hhp_stats.plan.load import load_plan
from hhp_stats.studies.estimators.linear import ordinary
from hhp_stats.studies.goal_setting.analysed import Material, analysis_data
from hhp_stats.studies.goal_setting.imputation_model import imputation_plan
from hhp_stats.studies.goal_setting.sample import build_sample
from hhp_stats.synthetic.assumptions import load_assumptions
from hhp_stats.synthetic.simulate import simulate_trial

WELLBEING = ("happiness", "ladder", "positive_affect", "negative_affect")
PEOPLE = 600


def one_trial(seed, *, plan, assumptions, scores, absence_effect, wellbeing_effect):
    """Planned absence; wellbeing among everyone (known in a simulation), by complete cases, and imputed."""
    drawn = {}
    for nonresponse in (True, False):
        sim = simulate_trial(
            seed,
            n_people=PEOPLE,
            effect=absence_effect,
            nonresponse=nonresponse,
            assumptions=assumptions,
            changes={"effects.wellbeing_sd": wellbeing_effect, "programme.uptake": 1.0},
        )
        nothing = pd.DataFrame()
        trial = Trial(
            study="goal_setting",
            people=sim.people,
            teams=sim.teams,
            inputs=nothing,
            problems=nothing,
            corrections=nothing,
            tolerances=nothing,
            linkage=nothing,
        )
        drawn[nonresponse] = build_sample(trial, plan).people
    people = drawn[True]
    settings = replace(
        imputation_plan(people, plan, plan.imputation.models["multiple_imputation"], scores=scores),
        imputations=6,
        iterations=4,
        seed=seed,
    )
    material = Material(
        plan=plan, people=people, imputations={"multiple_imputation": impute(people, settings)}, redraws=None
    )
    absence = ordinary(analysis_data(plan.analysis("sickness_absence/itt/cr1"), material))[""]
    found = {
        "absence": absence.estimate,
        "std_error": absence.std_error,
        "covered": absence.conf_low <= absence_effect <= absence.conf_high,
    }
    if scores:
        arm = people["treatment"].to_numpy() == 1
        for name, value in (("everyone", drawn[False]), ("answered", people)):
            y = value["happiness_t2"]
            found[f"mean_{name}"] = y.mean()
        completed = np.mean(
            [material.imputations["multiple_imputation"].column("happiness_t2", m).mean() for m in range(6)]
        )
        imputed = ordinary(analysis_data(plan.analysis("happiness/itt/imputed"), material))[""]
        whole = drawn[False]["happiness_t2"]
        found |= {
            "mean_imputed": completed,
            "imputed": imputed.estimate,
            "whole": whole[arm].mean() - whole[~arm].mean(),
            "reach": imputed.std_error,
        }
    return found


def trials(count, **given):
    plan, assumptions = load_plan(given.pop("root"), "goal_setting"), load_assumptions()
    rows = Parallel(n_jobs=given.pop("n_jobs"))(
        delayed(one_trial)(seed, plan=plan, assumptions=assumptions, **given) for seed in range(5_000, 5_000 + count)
    )
    return pd.DataFrame(rows)


def check_absence(found, effect):
    """Bias within three Monte Carlo standard errors; coverage within three binomial ones of 95%."""
    error = found["absence"].std(ddof=1) / math.sqrt(len(found))
    assert abs(found["absence"].mean() - effect) < 3 * error
    slack = 3 * math.sqrt(0.95 * 0.05 / len(found))
    assert found["covered"].mean() > 0.95 - slack
    # The standard error has to be of the size of the spread: a quarter either way is three sampling errors at 20
    # trials.
    assert 0.7 < found["std_error"].mean() / found["absence"].std(ddof=1) < 1.5


def check_wellbeing(found):
    """Those who answer feel better than everyone; imputation takes away a good part of that gap."""
    answered = (found["mean_answered"] - found["mean_everyone"]).mean()
    imputed = (found["mean_imputed"] - found["mean_everyone"]).mean()
    assert answered > 0.1, "the planted non-response does not show, so the test would show nothing"
    assert abs(imputed) < 0.75 * answered
    off = found["imputed"] - found["whole"]
    assert (
        abs(off.mean()) < 3 * off.std(ddof=1) / math.sqrt(len(found)) + 0.02
    )  # the covariates' adjustment is random too


def test_planned_analyses_recover_what_is_planted_in_a_few_trials(root):
    found = trials(16, root=root, n_jobs=1, scores=WELLBEING, absence_effect=-0.8, wellbeing_effect=0.3)
    check_absence(found, -0.8)
    check_wellbeing(found)


@pytest.mark.slow
@pytest.mark.parametrize("effect", [-1.0, 0.0])
def test_planned_analyses_recover_what_is_planted_in_two_hundred_trials(root, effect):
    found = trials(200, root=root, n_jobs=2, scores=WELLBEING, absence_effect=effect, wellbeing_effect=0.3)
    check_absence(found, effect)
    check_wellbeing(found)
