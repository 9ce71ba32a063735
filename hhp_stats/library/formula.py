"""From a formula and a data frame to the arrays that estimators take, every row kept or its loss said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from formulaic import Formula
from formulaic import ModelMatrix as ModelFrame
from formulaic.errors import FormulaicError

from hhp_stats.errors import ConstantTreatment, InvalidInput, NoObservations, UnknownName
from hhp_stats.regression.model_matrix import ModelMatrix

Missing = Literal["refuse", "drop"]
STRATEGIES = "missing='drop' for complete cases, hs.impute and hs.pool, hs.selection, or hs.bounds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a formula says of a frame: outcome (n,), model matrix (n, k), the columns of the treatment, clusters (n,).

    `dropped` rows had gaps and were left out, as asked.
    """

    formula: str
    outcome: pd.Series
    matrix: ModelMatrix
    treatment: tuple[str, ...]
    clusters: pd.Series | None
    dropped: int

    def term(self, name: str | None) -> str:
        """The column called `name`; without a name that of the treatment, where it has one column only."""
        if name is not None:
            return self.matrix.names[self.matrix.position(name)]
        if len(self.treatment) != 1:
            raise UnknownName(f"the treatment has several columns: name one of {', '.join(self.treatment)}")
        return self.treatment[0]

    def with_outcome(self) -> Model:
        """The rows whose outcome is known, and the columns that vary among them.

        Refuses no rows (NoObservations) and a treatment that does not vary among them (ConstantTreatment).
        """
        known = self.outcome.notna()
        if known.all():
            return self
        x = pd.DataFrame(self.matrix.values, columns=list(self.matrix.names), index=self.outcome.index).loc[known]
        if x.empty:
            raise NoObservations("no observations are left to analyse")
        x = _varying(x, self.treatment, intercept="intercept")
        return replace(
            self,
            outcome=self.outcome.loc[known],
            matrix=ModelMatrix(values=x.to_numpy(dtype=np.float64), names=tuple(x.columns), index=x.index),
            clusters=None if self.clusters is None else self.clusters.loc[known],
            dropped=self.dropped + int((~known).sum()),
        )

    def both_arms(self, name: str | None = None) -> np.ndarray:
        """The treatment as 0 and 1 (n,), refused where it is anything else (InvalidInput)."""
        values = self.matrix.values[:, self.matrix.position(self.term(name))]
        if not np.isin(values, (0.0, 1.0)).all():
            raise InvalidInput(f"{self.term(name)} must be 0 and 1: this question compares two arms")
        return values


def model_of(
    formula: str,
    data: pd.DataFrame,
    *,
    clusters: str | None = None,
    missing: Missing = "refuse",
    unknown_outcomes: bool = False,
) -> Model:
    """Read `outcome ~ treatment + terms | strata`: which arrays does it ask for?

    The first term is the treatment (text of several arms gives a column for each but the first in alphabetical order;
    `C(arm, contr.treatment("control"))` names another). Terms behind the bar enter as one dummy for each level but
    the first, as fixed effects do in pyfixest and linearmodels. The intercept always stays. Covariates that are the
    same for everybody are
    left out: they are the intercept. With `unknown_outcomes` rows may lack the outcome, and nothing else.

    Refuses what is no formula, or one without outcome, treatment or intercept (InvalidInput); columns that the data
    do not have (UnknownName); rows with gaps, saying how many in which column and what can be done (InvalidInput),
    unless `missing="drop"`; no rows (NoObservations); a treatment that does not vary (ConstantTreatment).
    """
    if not isinstance(data, pd.DataFrame):
        raise InvalidInput(f"data must be a pandas DataFrame, not {type(data).__name__}")
    if missing not in ("refuse", "drop"):
        raise UnknownName(f"missing must be 'refuse' or 'drop', not {missing!r}")
    left, right, strata = _parts(formula)
    needed = sorted({name for part in (left, right, strata) if part for name in _variables(part)})
    refuse_unknown([*needed, *([clusters] if clusters else [])], data)
    outcome = _variables(left)
    told = [name for name in needed if not (unknown_outcomes and name in outcome)] + ([clusters] if clusters else [])
    kept = data.loc[_complete(data, told, missing)]
    if kept.empty:
        raise NoObservations("no observations are left to analyse")
    kept = kept.assign(**{name: kept[name].astype("float64") for name in needed if _truth(kept[name])})
    y, x = _evaluated(f"{left} ~ {right}", kept, "ignore" if unknown_outcomes else "raise")
    if y.shape[1] != 1:
        raise InvalidInput(f"the left side of {formula!r} must be one number a row, not {y.shape[1]} columns")
    if "Intercept" not in x.columns:
        raise InvalidInput(f"{formula!r} takes the intercept out: an effect is a difference from it")
    treatment = _first_term(x)
    if strata:
        _, dummies = _evaluated(f"{left} ~ {strata}", kept, "ignore")
        x = pd.concat([x, dummies.drop(columns="Intercept")], axis=1)
    x = _varying(x, treatment, intercept="Intercept")
    names = tuple("intercept" if name == "Intercept" else str(name) for name in x.columns)
    return Model(
        formula=formula,
        outcome=y.iloc[:, 0].rename(left),
        treatment=treatment,
        dropped=len(data) - len(kept),
        matrix=ModelMatrix(values=x.to_numpy(dtype=np.float64), names=names, index=kept.index),
        clusters=kept[clusters] if clusters else None,
    )


def _varying(x: pd.DataFrame, treatment: Sequence[str], *, intercept: str) -> pd.DataFrame:
    """The intercept, and the columns that are not the same for everybody."""
    varies = (x.max() - x.min()) > 0
    if constant := [name for name in treatment if not varies[name]]:
        raise ConstantTreatment(f"everyone analysed has {constant[0]} = {x[constant[0]].iloc[0]:g}")
    return x.loc[:, varies | (x.columns == intercept)]


def _parts(formula: str) -> tuple[str, str, str]:
    """The outcome, the terms and the strata of a formula."""
    if not isinstance(formula, str) or formula.count("~") != 1:
        raise InvalidInput(f"a formula looks like 'outcome ~ treatment + baseline | stratum', not {formula!r}")
    left, right = (side.strip() for side in formula.split("~"))
    right, _, strata = (part.strip() for part in right.partition("|"))
    if not left or not right or "|" in strata:
        raise InvalidInput(f"{formula!r} needs an outcome and a treatment, and at most one bar before the strata")
    strata = " + ".join(
        f"C({name})" if name.isidentifier() else name for name in map(str.strip, strata.split("+")) if name
    )
    return left, right, strata


def _variables(part: str) -> set[str]:
    try:
        return {str(name) for name in Formula(part).required_variables}
    except FormulaicError as problem:
        raise InvalidInput(f"{part!r} is no part of a formula: {problem}") from problem


def refuse_unknown(names: Sequence[str], data: pd.DataFrame) -> None:
    """Refuses names that are no columns of the data (UnknownName), saying which there are."""
    absent = [name for name in names if name not in data.columns]
    if absent:
        raise UnknownName(f"the data have no column {', '.join(absent)}; they have {', '.join(map(str, data.columns))}")


def _complete(data: pd.DataFrame, names: Sequence[str], missing: Missing) -> pd.Series:
    gaps = data[list(names)].isna()
    rows = gaps.any(axis=1)
    if rows.any() and missing == "refuse":
        where = ", ".join(f"{name} ({count})" for name, count in gaps.sum().items() if count)
        raise InvalidInput(f"{int(rows.sum())} of {len(data)} rows have gaps, in {where}; choose {STRATEGIES}")
    return ~rows


def _truth(values: pd.Series) -> bool:
    return pd.api.types.is_bool_dtype(values)


def _first_term(x: ModelFrame) -> tuple[str, ...]:
    """The columns of the first term that is not the intercept."""
    terms = {str(term): places for term, places in x.model_spec.term_indices.items() if str(term) != "1"}
    if not terms:
        raise InvalidInput("the formula names no treatment")
    return tuple(str(x.columns[place]) for place in next(iter(terms.values())))


def _evaluated(formula: str, data: pd.DataFrame, gaps: Literal["raise", "ignore"]) -> tuple[ModelFrame, ModelFrame]:
    """Both sides of a formula, in the order in which its terms were written."""
    try:
        found = Formula(formula, _ordering="none").get_model_matrix(data, na_action=gaps)
    except (FormulaicError, ValueError, TypeError) as problem:
        raise InvalidInput(f"{formula!r} cannot be computed: {problem}") from problem
    return found.lhs, found.rhs
