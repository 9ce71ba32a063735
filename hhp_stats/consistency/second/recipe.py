"""What one result rests on: outcome, terms, rows, covariance and degrees of freedom, as data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Estimator = Literal["ols", "logit", "two-stage", "two-step", "welch"]
Quantity = Literal["contrast", "odds_ratio", "change", "probability_0", "probability_1"]
Field = Literal["estimate", "std_error", "df", "p_value", "conf_low", "conf_high"]

FIELDS: tuple[Field, ...] = ("estimate", "std_error", "df", "p_value", "conf_low", "conf_high")
INTERCEPT = "intercept"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeTerm:
    """A column of the frame on the right-hand side; with `base` it is a factor and enters as dummies of its other
    levels.
    """

    column: str
    base: str = ""

    @property
    def quoted(self) -> str:
        """The base level as a text of Python or R."""
        return json.dumps(self.base, ensure_ascii=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one row of the result frame follows from an analysis frame.

    `known` columns must be known and `only` columns be 1 for a person to take part. `imputed` names the frame of
    completed values, of which the first `imputations` data sets are used, in the columns `filled`; empty where
    nothing is imputed. The right-hand side is an intercept and `terms`; `row_weights` names the column of the weights
    of weighted least squares.
    `quantity`: a `contrast` of coefficients with `weights` by term; the
    `odds_ratio` of the treatment; its `change` of the probability from 0 to 1 or the `probability_0` without and
    `probability_1` with it, covariates `at` their means or as they are. `compared` are the fields that statsmodels
    and linearmodels can compute, `in_r` those that R can; `shortfall` says why there are fewer.
    """

    result_id: str
    estimator: Estimator
    frame: str
    outcome: str
    terms: tuple[RecipeTerm, ...]
    known: tuple[str, ...]
    only: tuple[str, ...] = ()
    imputed: str = ""
    imputations: int = 0
    filled: tuple[str, ...] = ()
    row_weights: str = ""
    clusters: tuple[str, ...] = ()
    covariance: str  # classical, HC0 to HC3, CR0 to CR3, two-way, G/(G-1), by arm
    df: str  # clusters, residual, satterthwaite, normal
    quantity: Quantity = "contrast"
    weights: Mapping[str, float] = field(default_factory=lambda: {"treatment": 1.0})
    at: Literal["", "means", "people"] = ""
    treatment: str = "treatment"
    takeup: str = ""
    conf_level: float
    compared: tuple[Field, ...] = FIELDS
    in_r: tuple[Field, ...] = FIELDS
    shortfall: str = ""

    def record(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Recipe:
        """From what `record` gave."""
        lists = {name: tuple(value) for name, value in record.items() if isinstance(value, list) and name != "terms"}
        terms = tuple(RecipeTerm(**term) for term in record["terms"])
        return cls(**{**record, **lists, "terms": terms})

    @property
    def fit_key(self) -> str:
        """What is fitted to which data: recipes of one fit take different quantities from it."""
        told = {"result_id": "", "quantity": "", "weights": {}, "at": "", "compared": (), "in_r": (), "shortfall": ""}
        return json.dumps(self.record() | told)

    @property
    def categories(self) -> tuple[str, ...]:
        """The columns whose values are names, though they may look like numbers, gaps or logical values."""
        return tuple(dict.fromkeys(term.column for term in self.terms if term.base))

    def right_side(self) -> str:
        """The right-hand side as a formula of patsy and formulaic."""
        found = [f"C({term.column}, Treatment({term.quoted}))" if term.base else term.column for term in self.terms]
        return " + ".join(found) or "1"

    def coefficient(self, name: str) -> str:
        """What statsmodels calls the coefficient of a term of the weights."""
        return "Intercept" if name == INTERCEPT else name
