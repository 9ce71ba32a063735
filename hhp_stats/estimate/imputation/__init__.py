"""Multiple imputation by chained equations that respects arms, authorities and teams."""

from hhp_stats.estimate.imputation.completed import Imputations
from hhp_stats.estimate.imputation.impute import impute, impute_together
from hhp_stats.estimate.imputation.plan import ImputationPlan, ImputedVariable, PassiveVariable

__all__ = ["ImputationPlan", "Imputations", "ImputedVariable", "PassiveVariable", "impute", "impute_together"]
