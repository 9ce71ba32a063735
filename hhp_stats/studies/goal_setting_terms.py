"""What the goal-setting trial's estimates and its chapter both name.

A module of its own, beside the estimates: a chapter that needs these words would import all estimators with them,
which takes longer than most chapters' code, and would run again whenever one of them is edited.
"""

from __future__ import annotations

from dataclasses import replace

from hhp_stats.plan.returns_schema import ReturnsAnalysis, ReturnsPlan

# Whose balance is looked at -> column that is known for them.
ANALYSED = {"randomised": "person", "absence": "absence_days", "wellbeing": "wellbeing_t2"}
COVARIATES = {
    "gender_male": "Male",
    "part_time": "Part-time",
    "agency": "Agency staff",
    "service_years": "Service, years",
    "baseline_absence": "Baseline absence, days",
    "coffee": "Arm of another trial",
    "wellbeing_t1": "Baseline wellbeing",
}
# What the surveys ask about the person, in words; age is a number.
PERSONAL = {
    "age_t1": "Age, years",
    "marital_status_t1": "Marital status",
    "children_at_home_t1": "Children at home",
    "health_t1": "Health",
    "contract_t1": "Contract",
}
AGE = "age_t1"
# One planned analysis an outcome: the imputed one where there are three.
FAMILY = (
    "sickness_absence/itt/cr1",
    "turnover/itt/logit-at-means",
    "wellbeing/itt/imputed",
    "time_pressure/itt/imputed",
    "efficacy/itt/imputed",
    "bradford/itt/cr1",
)
HALF_YEAR_WEEKS = 26  # what the printed base rates belong to; follow-up is 24 weeks (C80)


def primary_analysis(plan: ReturnsPlan) -> ReturnsAnalysis:
    """The planned analysis of the primary outcome."""
    primary = next(key for key, outcome in plan.outcomes.items() if outcome.role == "primary")
    return next(one for one in plan.analyses if one.outcome == primary and one.kind == "planned")


def versions_of_baselines(plan: ReturnsPlan) -> tuple[ReturnsAnalysis, ...]:
    """The other analyses of the primary outcome that differ from the planned one in the missing baselines alone.

    The unadjusted difference is among them: it needs no baseline at all.
    """
    planned = primary_analysis(plan)

    def otherwise(one: ReturnsAnalysis) -> ReturnsAnalysis:
        """Without what names an analysis and what it does about baselines."""
        return replace(
            one, id="", label="", kind="planned", clauses=(), decision=(), note="", baseline_absence="", adjusted=True
        )

    return tuple(
        one
        for one in plan.analyses
        if one.outcome == planned.outcome
        and one.id != planned.id
        and (one.baseline_absence, one.adjusted) != (planned.baseline_absence, planned.adjusted)
        and otherwise(one) == otherwise(planned)
    )
