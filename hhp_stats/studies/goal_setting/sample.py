"""From validated returns and survey answers to the frame that the analyses read: one row a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import get_args

import pandas as pd

from hhp_stats.errors import EstimationError
from hhp_stats.intake.order import by_appearance, in_order
from hhp_stats.intake.trial import Trial
from hhp_stats.measures.absence import LeaverRule, TrialAbsence, absence_rate, exposure, trial_absence
from hhp_stats.measures.baseline_absence import annualised
from hhp_stats.measures.bradford import bradford
from hhp_stats.measures.reliability import Reliability, cronbach_alpha, spearman_brown
from hhp_stats.measures.scales import CombinationRule, combination_rule, composite, reverse_scored, undecided
from hhp_stats.plan.conditions import parse_condition
from hhp_stats.plan.nearest import refuse_unknown
from hhp_stats.plan.returns_schema import ReturnsPlan
from hhp_stats.regression.spread import spread
from hhp_stats.studies.goal_setting.attempts import attempted

NEEDS: Mapping[str, tuple[str, ...]] = {
    "autonomy": ("need_1", "need_2", "need_3"),
    "competence": ("need_4", "need_5", "need_6", "need_7"),
    "relatedness": ("need_8", "need_9", "need_10"),
}
POSITIVE, NEGATIVE = ("affect_1", "affect_3", "affect_5"), ("affect_2", "affect_4", "affect_6")
WAVES = ("t1", "t2")
ABSENCE = "absence_days"
LARGEST = 0.99  # the quantile beyond which a Bradford score counts as one of the largest
PARTS = ("happiness", "ladder", "balance")  # of the composite of wellbeing


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The randomised staff with outcomes and covariates, and how the outcomes were made."""

    people: pd.DataFrame
    absence: Mapping[str, TrialAbsence]  # by rule for leavers
    combination: CombinationRule  # may wellbeing be one score? decided at baseline
    reliability: Mapping[str, Reliability | EstimationError]  # by scale; or why it has none
    recording_authorities: tuple[str, ...]  # that record spells


def build_sample(trial: Trial, plan: ReturnsPlan) -> Sample:
    """Add every outcome and covariate of the plan to the randomised staff of `trial`.

    Joiners and staff of teams that were not allocated are left out (clause P52); `flow` counts
    them. Survey scores are standardised on all baseline respondents, both arms together, so that
    both waves share one unit and the arms' difference stays in it.
    """
    people = trial.people.loc[trial.people["randomised"]]
    people = in_order(people, groups="team_id", first=("local_authority",), without=("person",))
    frame = _without_unfollowed(people).assign(
        # Teams by number, in the order that their data give (`intake.order`): what is drawn at random, or sorted by
        # team, must not hang on how an authority spells its teams.
        team_id=by_appearance(people["team_id"]),
        treatment=people["treatment"].astype("float64"),
        gender_male=(people["gender"] == "male").astype("float64").where(people["gender"].notna()),
        service_years=people["service_months"] / 12,
        responded=people["responded_t2"].astype("float64"),
    )
    if "coffee" in frame:
        frame["coffee_in_authority"] = frame.groupby("local_authority")["coffee"].transform("max").astype("float64")
    frame, absence = _absence(frame, plan)
    frame, recording = _bradford(frame)
    frame = _chosen_answers(_survey_scores(frame), plan)
    frame, rule = _wellbeing(frame, plan)
    # Many columns were added one by one: a copy lays them side by side again.
    frame = frame.copy()
    refuse_unknown_columns(frame, plan)
    return Sample(
        people=frame,
        absence=absence,
        combination=rule,
        reliability=_reliability(frame),
        recording_authorities=recording,
    )


def refuse_unknown_columns(people: pd.DataFrame, plan: ReturnsPlan) -> None:
    """Refuses (PlanError) an outcome, covariate or weight in a column that nobody has."""
    named: list[tuple[str, tuple[str, ...]]] = [
        (f"outcomes.{o.id}", (o.column, o.baseline, o.weight)) for o in plan.outcomes.values()
    ]
    named += [(f"terms {term.column}", (term.column,)) for term in plan.terms]
    named += [(f"analyses {analysis.id}", (analysis.baseline,)) for analysis in plan.analyses]
    for key in dict.fromkeys(analysis.population for analysis in plan.analyses):
        where = plan.populations[key].where
        asked = (part.column for part in parse_condition(where).comparisons()) if where else ()
        named.append((f"populations.{key}", tuple(asked)))
    for place, columns in named:
        used, file = filter(None, columns), f"data/plan/{plan.study}.toml"
        refuse_unknown(file, place, "the column", used, list(people.columns), "those of the people analysed")


def _without_unfollowed(people: pd.DataFrame) -> pd.DataFrame:
    """Nothing is known at the end of anybody whose authority sent no endline return.

    Of those of them who had left by the interim return leaving and days are known, of the others not: an outcome that
    is known because somebody left would make leavers of the whole authority.
    """
    followed = people.groupby("local_authority")["in_endline"].transform("any")
    return people.assign(
        **{name: people[name].where(followed) for name in ("left", "leaving_date", "replacement_cost")}
    )


def _absence(frame: pd.DataFrame, plan: ReturnsPlan) -> tuple[pd.DataFrame, dict[str, TrialAbsence]]:
    base = annualised(frame, days="baseline_illness_days", months="service_months")
    # Whoever left before the interim return is absent from the endline one: the interim days are all there are. Of
    # somebody who has vanished since, or whose authority sent no endline return, they are only a part: not known.
    whole = ~frame["in_endline"] & (frame["left"] == 1)
    days = frame["endline_illness_days"].fillna(frame["interim_illness_days"].where(whole))
    spells = frame["endline_illness_spells"].fillna(frame["interim_illness_spells"].where(whole))
    launches = {site.local_authority: site.launch for site in plan.sites}
    followed = exposure(frame, launches=launches, weeks=plan.design.endline_weeks)
    frame = frame.assign(
        baseline_absence=base.days,
        baseline_source=base.source,
        recorded_days=days,
        spells=spells,
        follow_up_days=followed["follow_up_days"],
        exposure_days=followed["exposure_days"],
        left=frame["left"].astype("float64"),
    )
    counted = frame.assign(left=frame["left"] == 1)
    versions = {}
    for rule, floor in leaver_rules(plan):
        found = trial_absence(counted, rule=rule, minimum_exposure=floor, days="recorded_days")
        column = leaver_column(rule, floor, plan)
        versions[column.removeprefix(f"{ABSENCE}_")] = found
        frame[column] = found.days
    rate = absence_rate(frame["recorded_days"], frame["exposure_days"])
    planned = leaver_column(plan.measures.leaver_rule, plan.measures.leaver_floor_days, plan)
    return frame.assign(**{ABSENCE: frame[planned], "absence_rate": rate}), versions


def leaver_rules(plan: ReturnsPlan) -> tuple[tuple[LeaverRule, float], ...]:
    """How leavers are counted: every rule with the plan's floor, and the other floors that its analyses name."""
    usual = [(rule, plan.measures.leaver_floor_days) for rule in get_args(LeaverRule)]
    named = [(analysis.leavers, analysis.leaver_floor) for analysis in plan.analyses]
    return tuple(dict.fromkeys((*usual, *named)))


def leaver_column(rule: str, floor: float, plan: ReturnsPlan) -> str:
    """The column of days absent under one rule for leavers; the floor is in its name where it is not the plan's."""
    name = f"{ABSENCE}_{rule}"
    return name if floor == plan.measures.leaver_floor_days else f"{name}_floor_{floor:g}".replace(".", "_")


def _bradford(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    held = frame.groupby("local_authority")[["baseline_illness_spells", "spells"]].count()
    recording = tuple(held.index[(held > 0).all(axis="columns")])
    before = bradford(
        frame,
        recording_authorities=recording,
        spells="baseline_illness_spells",
        days="baseline_illness_days",
        months="service_months",
    )
    # Spells before are those of a year, as the days are: what was recorded over part of it is scaled.
    spells = annualised(frame, days="baseline_illness_spells", months="service_months").days
    recorded = bradford(
        frame, recording_authorities=recording, spells="baseline_illness_spells", days="baseline_illness_days"
    )
    after = bradford(frame, recording_authorities=recording, spells="spells", days="recorded_days")
    scores = after.scores.where(frame["local_authority"].isin(recording))
    return frame.assign(
        records_spells=frame["local_authority"].isin(recording),
        baseline_illness_spells=spells,
        baseline_bradford=before.scores,
        baseline_bradford_recorded=recorded.scores,
        bradford=after.scores,
        **{f"bradford_below_p{100 * LARGEST:.0f}": scores <= scores.quantile(LARGEST)},
        log_bradford=after.log_scores,
        baseline_log_bradford=before.log_scores,
    ), recording


def _survey_scores(frame: pd.DataFrame) -> pd.DataFrame:
    scores = {}
    for wave in WAVES:
        negative = [f"{item}_{wave}" for item in NEGATIVE]
        scores[f"positive_affect_{wave}"] = _mean(frame, POSITIVE, wave, 1, 5)
        scores[f"negative_affect_{wave}"] = composite(frame, items=negative, rule="mean", low=1, high=5)
        scores[f"time_pressure_{wave}"] = _mean(frame, ("pressure_1", "pressure_2"), wave, 1, 7)
        scores[f"efficacy_{wave}"] = _mean(frame, tuple(f"need_{n}" for n in range(1, 11)), wave, 1, 7)
        scores[f"efficacy_nine_{wave}"] = _mean(frame, tuple(f"need_{n}" for n in range(1, 10)), wave, 1, 7)
        for dimension, items in NEEDS.items():
            scores[f"{dimension}_{wave}"] = _mean(frame, items, wave, 1, 7)
        scores[f"burnout_{wave}"] = _mean(frame, tuple(f"burnout_{n}" for n in range(1, 9)), wave, 1, 6)
        scores[f"intention_{wave}"] = _mean(frame, ("intention_1", "intention_2", "intention_3"), wave, 1, 7)
        scores[f"satisfaction_{wave}"] = _mean(frame, ("satisfaction_1", "satisfaction_2"), wave, 1, 7)
    return pd.concat([frame, pd.DataFrame(scores, index=frame.index)], axis="columns")


def _mean(frame: pd.DataFrame, items: tuple[str, ...], wave: str, low: float, high: float) -> pd.Series:
    return composite(frame, items=[f"{item}_{wave}" for item in items], rule="mean", low=low, high=high)


def _chosen_answers(frame: pd.DataFrame, plan: ReturnsPlan) -> pd.DataFrame:
    """Zeros and ones: who chose one of the answers in words that an outcome of the plan is about, at each wave."""
    columns = {}
    for outcome in plan.outcomes.values():
        for name in (outcome.column, outcome.baseline) if outcome.question else ():
            given = frame[f"{outcome.question}_{name.rsplit('_', 1)[1]}"]
            columns[name] = given.isin(outcome.answers).astype("float64").where(given.notna())
    return frame.assign(**columns)


def _wellbeing(frame: pd.DataFrame, plan: ReturnsPlan) -> tuple[pd.DataFrame, CombinationRule]:
    """The composite of clause P36: happiness, ladder and affect balance, each in baseline standard deviations.

    One composite only where the rule of clause P37 allows it; the study reports each part otherwise.
    """
    for wave in WAVES:
        turned = reverse_scored(frame[f"negative_affect_{wave}"], low=1, high=5)
        frame[f"balance_{wave}"] = frame[f"positive_affect_{wave}"] + turned
    units = baseline_units(frame)
    for wave in WAVES:
        frame[f"wellbeing_{wave}"] = _in_baseline_units(frame, wave, units)
        frame[f"cognitive_{wave}"] = _in_baseline_units(
            frame, wave, {part: units[part] for part in ("happiness", "ladder")}
        )
    reading, threshold = plan.measures.wellbeing_rule, plan.measures.wellbeing_threshold
    try:
        rule = combination_rule(frame["cognitive_t1"], frame["balance_t1"], reading=reading, threshold=threshold)
    except EstimationError:  # nobody answered, or all alike: the rule decides nothing
        rule = undecided(frame["cognitive_t1"], frame["balance_t1"], reading=reading, threshold=threshold)
    return frame, rule


def baseline_units(people: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation at baseline of the parts of wellbeing, among those who answered all three there.

    The one unit of every composite, recorded or imputed.
    """
    known = people[[f"{part}_t1" for part in PARTS]].notna().all(axis="columns")
    before = {part: people.loc[known, f"{part}_t1"] for part in PARTS}
    return {part: (float(values.mean()), spread(values)) for part, values in before.items()}


def _in_baseline_units(frame: pd.DataFrame, wave: str, units: Mapping[str, tuple[float, float]]) -> pd.Series:
    """Sum of the parts of one wave, each in its unit."""
    total = pd.Series(0.0, index=frame.index)
    for part, (mean, deviation) in units.items():
        # A part that did not vary, or that nobody answered, has no unit: then nothing can be added up.
        total = total + (frame[f"{part}_{wave}"] - mean) / (deviation if deviation > 0 else float("nan"))
    return total


def wellbeing_range(people: pd.DataFrame) -> tuple[float, float]:
    """The lowest and highest wellbeing that the answers allow, in the units of the composite."""
    units = baseline_units(people)
    ends = {"happiness": (0.0, 10.0), "ladder": (0.0, 10.0), "balance": (2.0, 10.0)}
    low, high = (
        sum((ends[part][at] - mean) / (deviation or float("nan")) for part, (mean, deviation) in units.items())
        for at in (0, 1)
    )
    return float(low), float(high)


def _reliability(frame: pd.DataFrame) -> dict[str, Reliability | EstimationError]:
    def items(names: tuple[str, ...]) -> pd.DataFrame:
        return frame[[f"{name}_t1" for name in names]]

    affect = items(POSITIVE).join(
        pd.DataFrame({f"{item}_t1": reverse_scored(frame[f"{item}_t1"], low=1, high=5) for item in NEGATIVE})
    )
    measures: dict[str, tuple[Callable[[pd.DataFrame], Reliability], pd.DataFrame]] = {
        "positive_affect": (cronbach_alpha, items(POSITIVE)),
        "negative_affect": (cronbach_alpha, items(NEGATIVE)),
        "affect": (cronbach_alpha, affect),
        "time_pressure": (spearman_brown, items(("pressure_1", "pressure_2"))),
        "efficacy": (cronbach_alpha, items(tuple(f"need_{n}" for n in range(1, 11)))),
        **{dimension: (cronbach_alpha, items(names)) for dimension, names in NEEDS.items()},
    }
    return {scale: attempted(partial(measure, answers)) for scale, (measure, answers) in measures.items()}
