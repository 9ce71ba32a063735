"""Plans with as few draws as run at all, for tests of anything but their numbers."""

from dataclasses import replace

from hhp_stats.plan.returns_schema import ReturnsPlan


def few_draws(whole: ReturnsPlan) -> ReturnsPlan:
    """The plan with as few draws and completed data sets as run at all: only the shape of the output counts here."""
    sets = {key: replace(model, m=2) for key, model in whole.imputation.models.items()}
    return replace(
        whole,
        cost_benefit=replace(whole.cost_benefit, draws=40),
        imputation=replace(whole.imputation, iterations=2, models=sets),
        tipping=replace(whole.tipping, deltas=(-1.0, 1.0), imputations=2),
    )
