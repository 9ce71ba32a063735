"""What the goal-setting trial's estimates and its chapter both name.

A module of its own, beside the estimates: a chapter that needs these words would import all estimators with them,
which takes longer than most chapters' code, and would run again whenever one of them is edited.
"""

from __future__ import annotations

# Whose balance is looked at -> column that is known for them.
ANALYSED = {"randomised": "person", "absence": "absence_days", "wellbeing": "wellbeing_t2"}
COVARIATES = {
    "gender_male": "Male",
    "part_time": "Part-time",
    "agency": "Agency staff",
    "service_years": "Service, years",
    "baseline_absence": "Baseline absence, days",
    "coffee": "Coffee trial arm",
    "wellbeing_t1": "Baseline wellbeing",
}
# One planned analysis an outcome: the imputed one where there are three.
FAMILY = (
    "sickness_absence/itt/cr1", "turnover/itt/logit-at-means", "wellbeing/itt/imputed", "time_pressure/itt/imputed",
    "efficacy/itt/imputed", "bradford/itt/cr1",
)  # fmt: skip
HALF_YEAR_WEEKS = 26  # what the printed base rates belong to; follow-up is 24 weeks (C80)
