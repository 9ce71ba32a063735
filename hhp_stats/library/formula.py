"""From a formula and a data frame to the arrays that estimators take, every row kept or its loss said."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from formulaic import Formula
from formulaic import ModelMatrix as ModelFrame
from formulaic.errors import FormulaicError

from hhp_stats.errors import ConstantTreatment, InvalidInput, NoObservations, UnknownName
from hhp_stats.library.columns import as_held
from hhp_stats.regression.model_matrix import ModelMatrix
from hhp_stats.regression.satterthwaite import IntArray

Missing = Literal["refuse", "drop"]
STRATEGIES = "missing='drop' for complete cases, hs.impute and hs.pool, hs.selection, or hs.bounds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a formula says of a frame: outcome (n,), model matrix (n, k), the columns of the treatment, clusters (n,).

    `rows` (n,) are their places in the frame, whatever its index. `dropped` rows had gaps and were left out, as asked.
    `moving` are the columns of other terms that change with the treatment, such as its product with a covariate.
    """

    formula: str
    outcome: pd.Series
    matrix: ModelMatrix
    treatment: tuple[str, ...]
    clusters: pd.Series | None
    rows: IntArray
    dropped: int
    moving: tuple[str, ...] = ()

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
        known = self.outcome.notna().to_numpy()
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
            rows=self.rows[known],
            dropped=self.dropped + int((~known).sum()),
        )

    def refuse_moving(self, question: str) -> None:
        """Refuses terms that change with the treatment (InvalidInput): `question` moves its own column alone."""
        if self.moving:
            raise InvalidInput(
                f"{question} changes {', '.join(self.treatment)} alone, and {', '.join(self.moving)} would stay behind:"
                " leave such terms out, or take the coefficients of hs.linear or the log odds of hs.logit"
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
    refuse_unknown([], data)
    if missing not in ("refuse", "drop"):
        raise UnknownName(f"missing must be 'refuse' or 'drop', not {missing!r}")
    left, right, strata = _parts(formula)
    needed = sorted({name for part in (left, right, strata) if part for name in variables_of(part)})
    refuse_unknown([*needed, *([clusters] if clusters else [])], data)
    outcome = variables_of(left)
    told = [name for name in needed if not (unknown_outcomes and name in outcome)] + ([clusters] if clusters else [])
    complete = complete_rows(data, told, missing)
    kept = data.loc[complete]
    if kept.empty:
        raise NoObservations("no observations are left to analyse")
    kept = kept.assign(**{name: as_held(kept[name]) for name in needed})
    y, x = _evaluated(f"{left} ~ {right}", kept, "ignore" if unknown_outcomes else "raise")
    if y.shape[1] != 1:
        raise InvalidInput(f"the left side of {formula!r} must be one number a row, not {y.shape[1]} columns")
    made = y.iloc[:, 0].isna().to_numpy() & kept[sorted(outcome)].notna().all(axis="columns").to_numpy()
    if made.any():
        raise InvalidInput(
            f"{left} has no value for {int(made.sum())} rows whose {', '.join(sorted(outcome))} are known"
        )
    if "Intercept" not in x.columns:
        raise InvalidInput(f"{formula!r} takes the intercept out: an effect is a difference from it")
    treatment, moving = _first_term(x)
    if strata:
        _, dummies = _evaluated(f"{left} ~ {strata}", kept, "ignore")
        x = pd.concat([x, dummies.drop(columns="Intercept")], axis=1)
    x = _varying(x, treatment, intercept="Intercept")
    names = tuple("intercept" if name == "Intercept" else str(name) for name in x.columns)
    return Model(
        formula=formula,
        outcome=y.iloc[:, 0].rename(left),
        treatment=treatment,
        rows=np.flatnonzero(complete),
        dropped=len(data) - len(kept),
        moving=moving,
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


def variables_of(part: str) -> set[str]:
    """The columns that a side of a formula names; refuses what is no formula (InvalidInput)."""
    try:
        return {str(name) for name in Formula(part).required_variables}
    except FormulaicError as problem:
        raise InvalidInput(f"{part!r} is no part of a formula: {problem}") from problem


def refuse_unknown(names: Sequence[str], data: pd.DataFrame) -> None:
    """Refuses data that are no frame, what is no name of a column, two columns with one name (InvalidInput), and names
    that are no columns of the data (UnknownName), saying which there are.
    """
    if not isinstance(data, pd.DataFrame):
        raise InvalidInput(f"data must be a pandas DataFrame, not {type(data).__name__}")
    wrong = next((name for name in names if not isinstance(name, Hashable)), None)
    if wrong is not None:
        raise InvalidInput(f"one column is asked for by its name, not {wrong!r}")
    twice = [str(name) for name in dict.fromkeys(names) if (data.columns == name).sum() > 1]
    if twice:
        raise InvalidInput(f"the data have two columns called {', '.join(twice)}: rename or drop one")
    absent = [name for name in names if name not in data.columns]
    if absent:
        raise UnknownName(f"the data have no column {', '.join(absent)}; they have {', '.join(map(str, data.columns))}")


def complete_rows(data: pd.DataFrame, names: Sequence[str], missing: Missing) -> npt.NDArray[np.bool_]:
    """Which rows (n,) have all of these columns? Refuses rows with gaps (InvalidInput) unless they may be dropped."""
    gaps = data[list(names)].isna()
    rows = gaps.any(axis=1)
    if rows.any() and missing == "refuse":
        where = ", ".join(f"{name} ({count})" for name, count in gaps.sum().items() if count)
        raise InvalidInput(f"{int(rows.sum())} of {len(data)} rows have gaps, in {where}; choose {STRATEGIES}")
    return ~rows.to_numpy()


def _first_term(x: ModelFrame) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns of the first term that is not the intercept, and those of others that use a column of the frame with
    it.
    """
    spec = x.model_spec
    terms = [term for term in spec.term_indices if str(term) != "1"]
    if not terms:
        raise InvalidInput("the formula names no treatment")

    def columns(term: object) -> tuple[str, ...]:
        return tuple(str(x.columns[place]) for place in spec.term_indices[term])

    def used(term: object) -> set[str]:
        return {str(name) for name in spec.term_variables[term] if name.source == "data"}

    own = used(terms[0])
    return columns(terms[0]), tuple(name for term in terms[1:] if own & used(term) for name in columns(term))


def _evaluated(formula: str, data: pd.DataFrame, gaps: Literal["raise", "ignore"]) -> tuple[ModelFrame, ModelFrame]:
    """Both sides of a formula, in the order in which its terms were written."""
    try:
        with np.errstate(divide="ignore", invalid="ignore"):  # what comes of it is refused, in words
            found = Formula(formula, _ordering="none").get_model_matrix(data, na_action=gaps)
    except (FormulaicError, ValueError, TypeError) as problem:
        raise InvalidInput(f"{formula!r} cannot be computed: {problem}") from problem
    return found.lhs, found.rhs
