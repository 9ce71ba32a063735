"""The tables of the field-trial chapters."""

from __future__ import annotations

from collections.abc import Callable

from great_tables import GT

from hhp_stats.present.field_trials.participant_tables import balance, cohorts, periods, response
from hhp_stats.present.field_trials.published_tables import published, unmatched
from hhp_stats.present.field_trials.results_tables import all_versions, measures, outcomes, power, version_table

TABLES: dict[str, Callable[..., GT]] = {
    "outcomes": outcomes,
    "versions": version_table,
    "all_versions": all_versions,
    "measures": measures,
    "response": response,
    "balance": balance,
    "power": power,
    "periods": periods,
    "cohorts": cohorts,
    "published": published,
    "unmatched": unmatched,
}
