"""How many planned results statsmodels and linearmodels have computed again, read from what the studies wrote."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hhp_stats.studies.kept import FOLDER

if TYPE_CHECKING:
    import pandas as pd

TABLE = "second_programme"
COLUMNS = ("result_id", "programme", "compared", "gap", "field", "reason")
UNKNOWN = "its method has no second programme"

# Planned rows that neither library can compute, by words of their method or status; each with its reason.
REASONS: Mapping[str, str] = {
    "Heckman maximum likelihood": (
        "neither library fits the selection model by maximum likelihood; the reference numbers of this "
        "appendix are those of other software"
    ),
    "minimum detectable effect": "a formula of the design, not an estimate from people",
    "d-squared on cluster totals": (
        "neither library has the omnibus test of balance; its reference numbers come from R's RItools"
    ),
    "joint test, D1": "neither library pools a joint test over imputations; its reference numbers come from R's mice",
    "difference of means in standard deviations": "another row divided by a standard deviation",
    "interval end-points substituted": "arithmetic of other rows",
    "standard deviation, n - 1": "a description, not a model",
    "count": "a count",
    "wild cluster bootstrap": "neither library resamples clusters",
    "randomisation inference": "neither library redraws the allocation",
    "Firth": "neither library fits Firth's penalised likelihood",
    "bound": "neither library has bounds",
    "logit, model-based": (
        "the second programme fits logits with clusters alone; the reference numbers of this appendix are those of "
        "other software"
    ),
    "Welch's t": "means of clusters, each counted once: they are no rows of the frame of people",
    "Hedges": "neither library gives the interval of the standardised effect that is reported",
}


def why_not(row: Mapping[str, object]) -> str:
    """Why neither library computes a row of the result frame; `UNKNOWN` where nothing is written about its method."""
    if row["status"] == "not_estimated":
        return "no estimate: the row holds the reason"
    words = str(row["method"])
    return next((why for name, why in REASONS.items() if name in words), UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The tables of all studies below each other: one row a planned result, as `second_programme.checked` makes
    them.
    """

    table: pd.DataFrame

    @property
    def covered(self) -> pd.DataFrame:
        """The results that a library has computed again; all agree, or there would be no table."""
        return self.table.loc[self.table["programme"] != ""]

    @property
    def whole(self) -> pd.DataFrame:
        """Those of them of which every number was compared."""
        return self.covered.loc[self.covered["reason"] == ""]

    @property
    def estimated(self) -> pd.DataFrame:
        """Planned results that exist."""
        return self.table.loc[~self.table["reason"].str.startswith("no estimate")]

    @property
    def gap(self) -> float:
        """The largest relative difference; NaN where nothing was compared."""
        return float(self.covered["gap"].max())


def coverage(root: Path) -> Coverage:
    """Read the tables of every study below `.report/results/`."""
    import pandas as pd

    texts = ["result_id", "programme", "compared", "field", "reason"]
    # A column of which every cell is empty would be read as numbers.
    kinds = dict.fromkeys(texts, "str")
    parts = [pd.read_csv(path, dtype=kinds) for path in _paths(root)]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))
    return Coverage(table=table.assign(**{name: table[name].fillna("") for name in texts}))


def _paths(root: Path) -> list[Path]:
    return sorted((root / FOLDER).glob(f"*/{TABLE}.csv"))


def coverage_in_words(root: Path) -> str:
    """The same counts for the terminal, without pandas: to import it takes many times as long as to read the tables."""
    lines = []
    for path in _paths(root):
        with path.open(encoding="utf-8", newline="") as file:
            lines += list(csv.DictReader(file))
    covered = [line for line in lines if line["programme"]]
    estimated = [line for line in lines if not line["reason"].startswith("no estimate")]
    libraries = " and ".join(sorted({line["programme"] for line in covered})) or "none"
    gap = max((float(line["gap"]) for line in covered), default=math.nan)
    return (
        f"{len(covered)} of {len(estimated)} planned results computed again by {libraries}, all agree; "
        f"largest relative difference {gap:.1e}"
    )
