"""The Bradford score: many short spells of sickness weigh more than one long one. (Clauses P79-P81.)"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hhp_stats.calls.typed import typed
from hhp_stats.errors import InvalidInput, UnknownName
from hhp_stats.measures.baseline_absence import annualised
from hhp_stats.regression.inputs import numbers, with_columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Bradford:
    """Scores of those whose authority records spells, and who was left out for which reason."""

    scores: pd.Series  # missing where it cannot be computed, in the index of the input
    log_scores: pd.Series  # log(1 + score), since a few people drive the mean
    n: int
    not_recorded: int  # persons in authorities that do not record spells
    incomplete: int  # persons in recording authorities without days or spells, or with too little service for a year's


@typed
def bradford_score(*, spells: pd.Series, days: pd.Series) -> pd.Series:
    """How disruptive is each person's sickness absence?

    B = S squared times D: S spells and D days over the same period (clause P81). Ten days score 10
    as one spell and 1000 as ten. Missing where either is missing.

    Refuses negative or fractional spells, negative days, days without a spell, a spell without
    days, and different indexes (InvalidInput). Half days are allowed, so spells may exceed days.
    """
    s, d = numbers(spells, name="spells"), numbers(days, name="days")
    if not s.index.equals(d.index):
        raise InvalidInput("spells and days must describe the same persons in the same order")
    known = s.notna() & d.notna()
    if (s[s.notna()] < 0).any() or (s[s.notna()] % 1 != 0).any():
        raise InvalidInput("spells must be whole numbers from zero")
    if (d[d.notna()] < 0).any() or np.isinf(d).any() or np.isinf(s).any():
        raise InvalidInput("days must be finite numbers from zero")
    torn = known & ((s == 0) != (d == 0))
    if torn.any():
        first = torn.index[int(torn.to_numpy().argmax())]
        raise InvalidInput(
            f"{int(torn.sum())} persons have days without a spell or a spell without days, first in row {first}"
        )
    return (s**2 * d).rename("bradford_score")


@typed
def bradford(
    frame: pd.DataFrame,
    *,
    recording_authorities: Collection[str],
    spells: str = "illness_spells",
    days: str = "illness_days",
    local_authority: str = "local_authority",
    months: str | None = None,
) -> Bradford:
    """What is the score of everyone whose authority routinely records spells? (Clause P80.)

    Scores are computed only for persons of `recording_authorities`; elsewhere a blank or a zero
    means that nobody wrote spells down, so what stands there is not read. Counts of both kinds of
    missing score come back with it.

    `months`: a column of months of service, for scores of the year before. Of people there for m of the twelve months,
    over
    three, spells and days are taken to a year at their own rate, as the days are (clause P45):
    B = (12 S/m)^2 (12 D/m); with three months or fewer the score is missing (`baseline_absence.annualised`). As scores
    grow with the cube of the time they are counted over, scores of parts of a year are not comparable without it.

    Refuses an unknown column or authority (UnknownName), negative months, and what `bradford_score` refuses
    (InvalidInput).
    """
    with_columns(frame, (spells, days, local_authority, *([months] if months else [])))
    if isinstance(recording_authorities, str):
        raise InvalidInput(f"recording_authorities is a list of names, not the one {recording_authorities!r}")
    strange = sorted(map(str, set(recording_authorities).difference(frame[local_authority].unique())))
    if strange:
        raise UnknownName(f"no returns from {', '.join(strange)}")
    records = frame[local_authority].isin(list(recording_authorities))
    own = bradford_score(spells=frame.loc[records, spells], days=frame.loc[records, days])
    scores = pd.Series(np.nan, index=frame.index, name=own.name)
    scores[records.to_numpy()] = own.to_numpy()  # by place: an index may name two people alike
    if months:  # the counts as they were recorded were looked at; a year's are no whole numbers any more
        a_year = {name: annualised(frame, days=name, months=months).days for name in (spells, days)}
        scores = (a_year[spells] ** 2 * a_year[days]).where(scores.notna()).rename("bradford_score")
    return Bradford(
        scores=scores,
        log_scores=pd.Series(np.log1p(scores), name="log_bradford_score"),
        n=int(scores.notna().sum()),
        not_recorded=int((~records).sum()),
        incomplete=int(records.sum() - scores.notna().sum()),
    )
