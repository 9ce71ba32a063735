"""A fitted model as a table, one row a term, with the columns that broom and pyfixest give."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from hhp_stats.errors import EstimationError
from hhp_stats.library.formula import Model
from hhp_stats.results.frame import Estimate

COLUMNS = ("estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high")


class Tidied:
    """What fitted models have in common: `effect`, `tidy` and a short representation."""

    model: Model

    def effect(self, term: str | None = None) -> Estimate:
        """The effect of the treatment."""
        raise NotImplementedError

    def _coefficient(self, term: str) -> Estimate:
        return self.effect(term)

    def tidy(self) -> pd.DataFrame:
        """One row a column of the model: term, estimate, std_error, statistic, df, p_value, conf_low, conf_high.

        A term about which too few clusters tell has no numbers (NaN): `effect(term)` says why.
        """
        rows: list[dict[str, Any]] = []
        for name in self.model.matrix.names:
            try:
                found = self._coefficient(name)
                rows.append({"term": name, **{column: getattr(found, column) for column in COLUMNS}})
            except EstimationError:
                rows.append({"term": name, **dict.fromkeys(COLUMNS, math.nan)})
        return pd.DataFrame(rows, columns=["term", *COLUMNS])

    def _shown(self, term: str) -> str:
        try:
            return repr(self._coefficient(term))
        except EstimationError as problem:
            return f"no estimate: {problem}"

    def __repr__(self) -> str:
        model, kind = self.model, type(self).__name__
        clusters = "" if model.clusters is None else f", {model.clusters.nunique()} clusters of {model.clusters.name}"
        dropped = f", {model.dropped} rows with gaps left out" if model.dropped else ""
        effects = "".join(f"\n  {name}: {self._shown(name)}" for name in model.treatment)
        return f"{kind}({model.formula}; n = {len(model.outcome)}{clusters}{dropped}){effects}"
