"""The result frame: one row per planned estimate, including those that could not be made.

`Estimate` is what every estimator returns for one number. A study adds what the number is about
(`Estimate.row`) and stacks the rows (`result_frame`). Floats stay unrounded; `present/` rounds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from numbers import Real
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from hhp_stats.calls.typed import check_fields
from hhp_stats.errors import EstimationError, HhpError, InvalidInput
from hhp_stats.files.spreadsheet import frame_from_csv, write_frame
from hhp_stats.results.lacking import note
from hhp_stats.results.traced import TracedRow
from hhp_stats.results.withheld import NOTE, WITHHELD
from hhp_stats.tails import student_quantile, student_tail

Analysis = Literal["planned", "sensitivity", "exploratory"]
Status = Literal["estimated", "not_estimated", "descriptive", "withheld"]
LACKING = ("not_estimated", "withheld")  # statuses of rows without numbers; the note says why

RESULT_ID = re.compile(r"[a-z0-9_]+(/[a-z0-9_.:-]+){2,4}")


class ResultError(HhpError):
    """A row or frame of results contradicts itself."""


class UnknownResult(ResultError):
    """Somebody asked for a result that no study made."""

    exit_status = 2


# What these data do not allow ends in one of these: refused by an estimator, a number that is none, a singular matrix.
NOT_ALLOWED: tuple[type[Exception], ...] = (EstimationError, ResultError, np.linalg.LinAlgError)


def checked_level(conf_level: float) -> float:
    """A level of confidence, refused outside 0 to 1 (InvalidInput): .95, never 95."""
    if not isinstance(conf_level, Real) or not 0 < conf_level < 1:
        raise InvalidInput(f"conf_level must lie between 0 and 1, not {conf_level}")
    return conf_level


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Estimate:
    """One estimated number with its uncertainty.

    Unless an estimator supplies its own (bootstrap, Fieller), the test statistic is
    estimate / std_error, its reference distribution Student's t with `df` degrees of freedom
    (`math.inf` for the normal), and the interval estimate +- t(1 - alpha/2, df) * std_error.
    `conf_low` and `conf_high` may be infinite: an unbounded interval is a result.

    Where the computation itself draws at random (imputation, resampling), `mc_error` and `mc_error_p` are the Monte
    Carlo
    errors of estimate and p value: their standard deviations over repetitions on the same data with other seeds. NaN
    where nothing is drawn, or where it is not known.
    """

    estimate: float
    std_error: float
    df: float
    n: int
    n_clusters: int | None
    method: str  # in words, for example "OLS, CR1 by team, t(G-1)"
    conf_level: float = 0.95
    statistic: float = math.nan
    p_value: float = math.nan
    conf_low: float = math.nan
    conf_high: float = math.nan
    note: str = ""
    mc_error: float = math.nan
    mc_error_p: float = math.nan

    def __post_init__(self) -> None:
        check_fields(self)
        checked_level(self.conf_level)
        if not math.isfinite(self.estimate):
            raise ResultError("an estimate must be a finite number; report a row of status not_estimated")
        if not self.df > 0:
            raise ResultError(f"degrees of freedom must be positive, not {self.df}")
        if self.std_error < 0:
            raise ResultError(f"a standard error cannot be negative: {self.std_error}")
        fill: dict[str, float] = {}
        if self.std_error > 0:
            if math.isnan(self.statistic):
                fill["statistic"] = self.estimate / self.std_error
            if math.isnan(self.p_value):
                t = fill.get("statistic", self.statistic)
                fill["p_value"] = float(2 * student_tail(abs(t), self.df))
            if math.isnan(self.conf_low) and math.isnan(self.conf_high):
                reach = float(student_quantile(0.5 + self.conf_level / 2, self.df)) * self.std_error
                fill["conf_low"] = float(self.estimate - reach)
                fill["conf_high"] = float(self.estimate + reach)
        for name, value in fill.items():
            object.__setattr__(self, name, value)
        if not math.isnan(self.p_value) and not 0 <= self.p_value <= 1:
            raise ResultError(f"p_value outside 0..1: {self.p_value}")

    def __repr__(self) -> str:
        """Short, for a notebook: `method`, `n` and `note` are fields."""
        df = "normal" if math.isinf(self.df) else f"df {self.df:.3g}"
        said = [
            f"{self.estimate:.4g}",
            f"SE {self.std_error:.4g}",
            df,
            f"p = {self.p_value:.2g}",
            f"{self.conf_level:.0%} {self.conf_low:.4g} to {self.conf_high:.4g}",
        ]
        return f"{type(self).__name__}({', '.join(said)})"

    def scaled(self, factor: float) -> Estimate:
        """The same estimate in other units: every quantity in units of the outcome times `factor`.

        Refuses a factor of zero, or one that is not finite (InvalidInput): nothing has such units.
        """
        if factor == 0 or not math.isfinite(factor):
            raise InvalidInput(
                f"an estimate can be put in other units by a finite factor other than zero, not {factor}"
            )
        low, high = sorted((self.conf_low * factor, self.conf_high * factor))
        return replace(
            self,
            estimate=self.estimate * factor,
            std_error=self.std_error * abs(factor),
            statistic=self.statistic * math.copysign(1, factor),
            conf_low=low,
            conf_high=high,
            mc_error=self.mc_error * abs(factor),
        )

    def row(
        self,
        *,
        result_id: str,
        population: str,
        contrast: str,
        analysis: Analysis,
        clause: str,
        source: str = "",
        note: str = "",
    ) -> ResultRow:
        """The row of the result frame for this estimate; study, outcome, estimand come from the id."""
        study, outcome, estimand = _parts(result_id)
        return ResultRow(
            result_id=result_id,
            study=study,
            outcome=outcome,
            estimand=estimand,
            population=population,
            contrast=contrast,
            method=self.method,
            analysis=analysis,
            estimate=self.estimate,
            std_error=self.std_error,
            df=self.df,
            statistic=self.statistic,
            p_value=self.p_value,
            conf_low=self.conf_low,
            conf_high=self.conf_high,
            conf_level=self.conf_level,
            mc_error=self.mc_error,
            mc_error_p=self.mc_error_p,
            n=self.n,
            n_clusters=self.n_clusters,
            clause=clause,
            status="estimated",
            note=" ".join(filter(None, (self.note, note))),
            source=source,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """One row of the result frame; the fields are its columns, in this order."""

    result_id: str
    study: str
    outcome: str
    estimand: str
    population: str
    contrast: str
    method: str
    analysis: Analysis
    estimate: float = math.nan
    std_error: float = math.nan
    df: float = math.nan
    statistic: float = math.nan
    p_value: float = math.nan
    p_adjusted: float = math.nan
    conf_low: float = math.nan
    conf_high: float = math.nan
    conf_level: float = 0.95
    mc_error: float = math.nan  # of the estimate
    mc_error_p: float = math.nan  # of the p value
    n: int | None = None
    n_clusters: int | None = None
    clause: str = ""
    status: Status = "estimated"
    note: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if not RESULT_ID.fullmatch(self.result_id):
            raise ResultError(f"result_id {self.result_id!r} must look like study/outcome/estimand/method")
        if (self.study, self.outcome, self.estimand) != _parts(self.result_id):
            raise ResultError(f"{self.result_id}: study, outcome and estimand must agree with the id")
        if self.status in LACKING and not self.note:
            raise ResultError(f"{self.result_id}: a row without numbers must say why in its note")
        if self.status not in LACKING and math.isnan(self.estimate):
            raise ResultError(f"{self.result_id}: status {self.status} without an estimate")
        if self.status in LACKING and not math.isnan(self.estimate):
            raise ResultError(f"{self.result_id}: status {self.status} with an estimate")
        if self.mc_error < 0 or self.mc_error_p < 0:
            raise ResultError(f"{self.result_id}: a Monte Carlo error cannot be negative")
        inside = self.conf_low <= self.estimate <= self.conf_high
        known = not (math.isnan(self.conf_low) or math.isnan(self.conf_high))
        if known and not inside:
            raise ResultError(f"{self.result_id}: the interval does not contain the estimate")


COLUMNS: tuple[str, ...] = tuple(field.name for field in fields(ResultRow))
_TEXT = (
    "result_id",
    "study",
    "outcome",
    "estimand",
    "population",
    "contrast",
    "method",
    "analysis",
    "clause",
    "status",
    "note",
    "source",
)
_COUNTS = ("n", "n_clusters")
LATER = ("mc_error", "mc_error_p")  # columns that frames of earlier releases do not have


def _parts(result_id: str) -> tuple[str, str, str]:
    study, outcome, estimand, *_ = [*result_id.split("/"), "", ""]
    return study, outcome, estimand


def not_estimated(
    *,
    result_id: str,
    reason: str,
    population: str,
    contrast: str,
    method: str,
    analysis: Analysis,
    clause: str,
    source: str = "",
) -> ResultRow:
    """The row for a planned estimate that these data do not allow: it stays visible, with the reason."""
    study, outcome, estimand = _parts(result_id)
    return ResultRow(
        result_id=result_id,
        study=study,
        outcome=outcome,
        estimand=estimand,
        population=population,
        contrast=contrast,
        method=method,
        analysis=analysis,
        clause=clause,
        status="not_estimated",
        note=reason,
        source=source,
    )


def result_frame(rows: Iterable[ResultRow]) -> pd.DataFrame:
    """Stack rows into the long frame, in the given order, refusing two rows of one id."""
    frame = pd.DataFrame([asdict(row) for row in rows], columns=list(COLUMNS))
    doubled = frame.loc[frame["result_id"].duplicated(), "result_id"].unique()
    if len(doubled):
        raise ResultError(f"result_id used twice: {', '.join(doubled)}")
    return _typed(frame)


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    kinds: dict[str, Any] = dict.fromkeys(COLUMNS, "float64")
    kinds.update(dict.fromkeys(_TEXT, "str"), **dict.fromkeys(_COUNTS, "Int64"))
    # To ask a column for the type it has copies it all the same.
    return frame.astype({name: kind for name, kind in kinds.items() if frame[name].dtype != kind})


def write_results(frame: pd.DataFrame, path: Path) -> None:
    """Write the frame as CSV that reads back to the same floats; replaces `path` only when whole."""
    partial = path.with_name(path.name + ".partial")
    write_frame(frame, partial)
    partial.replace(path)


def read_results(path: Path) -> pd.DataFrame:
    """Read a frame written by `write_results`, with its types; frames of releases made before a column was added lack
    it.
    """
    frame = pd.read_csv(
        path,
        keep_default_na=False,
        na_values={c: [""] for c in COLUMNS if c not in _TEXT},
        dtype=dict.fromkeys(_TEXT, "str"),
    )
    later = [name for name in LATER if name not in frame.columns]
    if list(frame.columns) == [name for name in COLUMNS if name not in later]:
        frame = frame.reindex(columns=list(COLUMNS))
    if list(frame.columns) != list(COLUMNS):
        raise ResultError(f"{path}: columns differ from the result frame: {list(frame.columns)}")
    return _typed(frame_from_csv(frame))


def row_of(frame: pd.DataFrame, result_id: str) -> Mapping[str, Any]:
    """One row of a result frame by its id; raises where there is none."""
    # As an array: a chapter asks for hundreds of rows, and pandas would copy all columns for each.
    found = np.flatnonzero(frame["result_id"].to_numpy() == result_id)
    if not len(found):
        raise UnknownResult(f"no result {result_id!r}; see the list in appendix F")
    row = shown({str(name): value for name, value in frame.iloc[found[0]].to_dict().items()})
    note_lacking(row)
    return TracedRow(row)


def note_lacking(row: Mapping[str, Any]) -> None:
    """Note why a row has no numbers, where it has none; of one that is withheld not what else its note says."""
    if row.get("status") in LACKING:
        why = str(row["note"])
        note(why[max(why.find(NOTE), 0) :])


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as tables and sentences read it: `WITHHELD` in place of an n that is not published."""
    whole = dict(row)
    if pd.isna(whole["n"]) and NOTE in str(whole["note"]):
        whole["n"] = WITHHELD
    return whole


def changed_results(old: pd.DataFrame, new: pd.DataFrame, *, tolerance: float = 0.0) -> pd.DataFrame:
    """Which results moved between two frames? One row per id that appeared, vanished or changed."""
    numbers = [c for c in COLUMNS if c not in _TEXT]
    left, right = (frame.set_index("result_id") for frame in (old, new))
    found = []
    for result_id in left.index.union(right.index, sort=False):
        if result_id not in right.index or result_id not in left.index:
            kind = "gone" if result_id not in right.index else "new"
            found.append({"result_id": result_id, "change": kind, "column": ""})
            continue
        for column in numbers:
            was: Any = left.at[result_id, column]
            now: Any = right.at[result_id, column]
            if pd.isna(was) and pd.isna(now):
                continue
            if pd.isna(was) or pd.isna(now) or not np.isclose(float(was), float(now), rtol=tolerance, atol=0):
                found.append({"result_id": result_id, "change": "moved", "column": column, "old": was, "new": now})
    return pd.DataFrame(found, columns=["result_id", "change", "column", "old", "new"])
