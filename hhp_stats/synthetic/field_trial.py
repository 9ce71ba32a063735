"""Draw the people and answers of a field trial so that its printed arm means and standard errors come back.

People, arms and response are drawn by the design. Answers to whole-number items come from latent scores; those
of the endline survey are then adjusted within each arm (`exact_means.adjust`) to the printed figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from hhp_stats.consistency.figures import load_figures
from hhp_stats.errors import InvalidInput
from hhp_stats.measures.scales import composite
from hhp_stats.plan.individual import IndividualOutcome, IndividualPlan, Scale, load_individual_plan
from hhp_stats.synthetic.calibration import Array, Flags, counts, stream
from hhp_stats.synthetic.exact_means import Items, Reached, Target, adjust, targets
from hhp_stats.synthetic.field_trial_assumptions import FieldTrialAssumptions, load_field_trial_assumptions

PUBLISHED = "data/published/published_results.csv"
ARMS = ("treatment", "control")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldTrialDraw:
    """One drawn trial. `people` holds arm, block, who answered and when; `answers` the items by wave (`_t1`, `_t2`)."""

    plan: IndividualPlan
    assumptions: FieldTrialAssumptions
    seed: int
    people: pd.DataFrame
    answers: pd.DataFrame
    reached: pd.DataFrame  # outcome, arm, target and reached mean and standard error, within, moves


def draw_field_trial(root: Path, study: str, *, seed: int | None = None) -> FieldTrialDraw:
    """A trial with the design of `data/plan/<study>.toml` and the printed figures of its arms.

    The same seed gives the same trial; without one, that of `data/plan/synthetic_<study>.toml`. Only this
    generator reads printed results; the analysis never does.
    """
    plan, a = load_individual_plan(root, study), load_field_trial_assumptions(root, study)
    seed = a.seed if seed is None else seed
    figures = load_figures(root / PUBLISHED)
    aims = {
        outcome: targets(figures, prefix, rng=stream(seed, f"target {outcome}"))
        for outcome, prefix in a.printed.items()
    }
    people = _people(plan, a, aims, seed)
    latent = _latent(plan, a, people, seed)
    before = _baseline(plan, a, people, latent, seed)
    after, reached = _endline(plan, a, people, latent, before, aims, seed)
    return FieldTrialDraw(
        plan=plan,
        assumptions=a,
        seed=seed,
        people=people,
        reached=reached,
        answers=pd.concat([before.add_suffix("_t1"), after.add_suffix("_t2")], axis="columns"),
    )


def _people(
    plan: IndividualPlan, a: FieldTrialAssumptions, aims: dict[str, dict[str, Target]], seed: int
) -> pd.DataFrame:
    rng = stream(seed, "people")
    parts = []
    for block, size in a.block_sizes.items():
        arms = np.array(["control"] * size, dtype=object)
        arms[rng.permutation(size)[: a.block_treated[block]]] = "treatment"
        parts.append(pd.DataFrame({"block": block, "arm": arms}))
    people = pd.concat(parts, ignore_index=True)
    people["staff_id"] = [f"P{number:05d}" for number in rng.permutation(90_000)[: len(people)] + 10_000]
    people["military"] = rng.random(len(people)) < a.military_share
    people["left"] = False
    for arm in ARMS:
        inside = np.flatnonzero(people["arm"] == arm)
        gone = rng.permutation(inside)[: round(a.left_share * len(inside))]
        people.loc[gone, "left"] = True
    people["order_t2"] = _responders(a, people, aims, rng)
    people["responds_t2"] = people["order_t2"] >= 0
    people["responds_t1"] = _baseline_responders(a, people, rng)
    people["week"] = -1
    who = rng.permutation(np.flatnonzero(people["responds_t2"]))
    weeks = np.repeat(np.arange(len(a.responses_by_week)), a.responses_by_week)
    if len(weeks) != len(who):
        raise InvalidInput(f"{len(weeks)} responses by week for {len(who)} respondents")
    people.loc[who, "week"] = weeks
    return people


def _responders(
    a: FieldTrialAssumptions, people: pd.DataFrame, aims: dict[str, dict[str, Target]], rng: np.random.Generator
) -> Array:
    """Place of each endline respondent within the arm (from 0), -1 for all others; the last ones break off."""
    order = np.full(len(people), -1)
    weight = people["block"].map(a.block_response).to_numpy(dtype=np.float64)
    for arm in ARMS:
        wanted = max(aim[arm].n for aim in aims.values())
        inside = np.flatnonzero((people["arm"] == arm) & ~people["left"])
        if a.block_responders:
            chosen = np.concatenate(
                [
                    rng.choice(
                        inside[people["block"].to_numpy()[inside] == block],
                        a.block_responders[block][arm],
                        replace=False,
                    )
                    for block in a.block_sizes
                ]
            )
            chosen = rng.permutation(chosen)
        else:
            chosen = rng.choice(inside, wanted, replace=False, p=weight[inside] / weight[inside].sum())
        if len(chosen) != wanted:
            raise InvalidInput(f"{len(chosen)} respondents by block in the {arm} arm, {wanted} printed")
        order[chosen] = np.arange(wanted)
    return order


def _baseline_responders(a: FieldTrialAssumptions, people: pd.DataFrame, rng: np.random.Generator) -> Flags:
    again = np.flatnonzero(people["responds_t2"])
    first = rng.choice(again, round(a.both_surveys * len(again)), replace=False)
    others = rng.choice(np.flatnonzero(~people["responds_t2"]), a.baseline_responses - len(first), replace=False)
    flags = np.zeros(len(people), dtype=bool)
    flags[np.concatenate([first, others])] = True
    return flags


def _latent(plan: IndividualPlan, a: FieldTrialAssumptions, people: pd.DataFrame, seed: int) -> dict[str, Array]:
    """Standard normal scores (people, 2) of each scale at both surveys; burnout and absence count backwards."""
    rng = stream(seed, "latent")
    n = len(people)
    general = rng.standard_normal(n)
    worse = {s for outcome in plan.outcomes.values() if outcome.better == "lower" for s in outcome.scales}
    found = {}
    for scale in plan.scales:
        stable, passing = rng.standard_normal(n), rng.standard_normal((n, 2))
        own = np.sqrt(a.stability) * stable[:, None] + np.sqrt(1 - a.stability) * passing
        sign = -1.0 if scale in worse else 1.0
        found[scale] = sign * a.common * general[:, None] + np.sqrt(1 - a.common**2) * own
    return found


def _baseline(
    plan: IndividualPlan, a: FieldTrialAssumptions, people: pd.DataFrame, latent: dict[str, Array], seed: int
) -> pd.DataFrame:
    rng = stream(seed, "baseline answers")
    parts = []
    for scale in plan.scales.values():
        score = a.scale_means[scale.id] + a.scale_sds[scale.id] * latent[scale.id][:, 0]
        if scale.id in a.count_scales:
            score = counts(
                stats.norm.cdf(latent[scale.id][:, 0]),
                mean=a.scale_means[scale.id],
                sd=a.scale_sds[scale.id],
                longest=int(scale.high),
            ).astype(np.float64)
        parts.append(_items(scale, score, a, rng))
    answers = pd.concat(parts, axis="columns")
    blank = rng.random(answers.shape) < a.item_missing
    return answers.mask(blank | ~people["responds_t1"].to_numpy()[:, None])


def _items(scale: Scale, score: Array, a: FieldTrialAssumptions, rng: np.random.Generator) -> pd.DataFrame:
    """Answers to the items of a scale whose mean follows `score`: on the steps of the scale, within its ends."""
    k = len(scale.items)
    noise = rng.standard_normal((len(score), k)) * a.item_noise * scale.step
    noise -= noise.mean(axis=1, keepdims=True)
    whole = scale.low + np.round((score[:, None] + noise - scale.low) / scale.step) * scale.step
    values = np.clip(whole, scale.low, scale.high)
    frame = pd.DataFrame(values, columns=list(scale.items))
    for item in scale.reverse:
        frame[item] = scale.low + scale.high - frame[item]
    return frame


def _endline(
    plan: IndividualPlan,
    a: FieldTrialAssumptions,
    people: pd.DataFrame,
    latent: dict[str, Array],
    before: pd.DataFrame,
    aims: dict[str, dict[str, Target]],
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = stream(seed, "endline answers")
    items = [item for scale in plan.scales.values() for item in scale.items]
    answers = pd.DataFrame(np.nan, index=people.index, columns=items)
    reached = []
    for outcome_id, aim in aims.items():
        outcome = plan.outcomes[outcome_id]
        score = _scoring(plan, outcome, before)
        columns = [item for name in outcome.scales for item in plan.scales[name].items]
        for arm in ARMS:
            rows = np.flatnonzero(
                (people["arm"] == arm) & (people["order_t2"] >= 0) & (people["order_t2"] < aim[arm].n)
            )
            drawn = _drawn(
                plan,
                outcome,
                a,
                people.iloc[rows],
                {s: latent[s][rows, 1] for s in outcome.scales},
                aim[arm],
                before,
                rng,
            )
            result = adjust(answers=drawn[columns].to_numpy(dtype=np.float64), items=score, target=aim[arm], rng=rng)
            answers.loc[rows, columns] = result.answers
            reached.append(_said(outcome_id, arm, aim[arm], result))
    return answers, pd.DataFrame(reached)


def _said(outcome: str, arm: str, aim: Target, result: Reached) -> dict[str, object]:
    return {
        "outcome": outcome,
        "arm": arm,
        "n": aim.n,
        "target_mean": aim.mean,
        "mean": result.mean,
        "target_std_error": aim.std_error,
        "std_error": result.std_error,
        "within": result.within,
        "moves": result.moves,
    }


def _drawn(
    plan: IndividualPlan,
    outcome: IndividualOutcome,
    a: FieldTrialAssumptions,
    people: pd.DataFrame,
    latent: dict[str, Array],
    aim: Target,
    before: pd.DataFrame,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """First answers of one arm to the items of one outcome, near the target."""
    z = np.mean(list(latent.values()), axis=0)
    if (people["arm"] == "treatment").all() and any(a.fading):
        towards = 1.0 if outcome.better == "higher" else -1.0
        z = z / z.std() + towards * np.array(a.fading)[people["week"].to_numpy()]
    z = (z - z.mean()) / z.std(ddof=1)
    sd = aim.std_error * np.sqrt(aim.n)
    scales = [plan.scales[name] for name in outcome.scales]
    if scales[0].id in a.count_scales:
        score = counts(stats.norm.cdf(z), mean=aim.mean, sd=sd, longest=int(scales[0].high))
        return _items(scales[0], score.astype(np.float64), a, rng)
    total = aim.mean + sd * z
    if len(scales) == 1:
        return _items(scales[0], total, a, rng)
    # Two parts whose sum is the total: the spread of their difference sets how alike they are.
    spread = a.part_spread or float(np.sqrt(max(4 - sd**2, 0.2)))
    apart = spread * rng.standard_normal(len(total))
    parts = [(total + apart) / 2, (total - apart) / 2]
    if outcome.combine == "standardised_sum":
        units = reference_units(plan, outcome, before)
        parts = [mean + unit * part for part, (mean, unit) in zip(parts, units, strict=True)]
    return pd.concat([_items(scale, part, a, rng) for scale, part in zip(scales, parts, strict=True)], axis="columns")


def scale_score(scale: Scale, answers: pd.DataFrame) -> pd.Series:
    """The score of one scale; missing where an item is."""
    return composite(answers, items=scale.items, rule=scale.rule, low=scale.low, high=scale.high, reverse=scale.reverse)


def reference_units(
    plan: IndividualPlan, outcome: IndividualOutcome, before: pd.DataFrame
) -> list[tuple[float, float]]:
    """Mean and standard deviation of each part among those who answered all parts at baseline."""
    parts = pd.DataFrame({name: scale_score(plan.scales[name], before) for name in outcome.scales}).dropna()
    return [(float(parts[name].mean()), float(parts[name].std(ddof=1))) for name in outcome.scales]


def _scoring(plan: IndividualPlan, outcome: IndividualOutcome, before: pd.DataFrame) -> Items:
    """The outcome as a weighted sum of its items."""
    units = [(0.0, 1.0)] * len(outcome.scales)
    if outcome.combine == "standardised_sum":
        units = reference_units(plan, outcome, before)
    weights: list[float] = []
    ends: list[tuple[float, float, float]] = []
    constant = 0.0
    for name, (mean, unit) in zip(outcome.scales, units, strict=True):
        scale = plan.scales[name]
        each = 1 / (unit * (len(scale.items) if scale.rule == "mean" else 1))
        constant -= mean / unit
        for item in scale.items:
            turned = item in scale.reverse
            weights.append(-each if turned else each)
            constant += each * (scale.low + scale.high) if turned else 0.0
            ends.append((scale.low, scale.high, scale.step))
    low, high, step = (np.array(column, dtype=np.float64) for column in zip(*ends, strict=True))
    return Items(weights=np.array(weights), low=low, high=high, step=step, constant=constant)
