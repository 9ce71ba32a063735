"""Which teams are alike before the trial? Strata from the baseline returns (protocol P15, P16).

The protocol splits teams by quartile of the team's mean absence and by the median share of agency
staff. Authorities launched months apart, so both splits are made within the authority (C65).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from hhp_stats.calls.typed import typed
from hhp_stats.errors import EstimationError, InvalidInput, NoObservations, UnknownName
from hhp_stats.regression.inputs import with_columns
from hhp_stats.regression.model_matrix import as_numbers

NO_RECORD = 0  # the "quartile" of a team nobody of whom has a usable absence record

SHORT_SERVICE_YEARS = 0.25
FULL_YEAR = 1.0


@typed
def filled_absence(
    *, people: pd.DataFrame, absence: str = "absence_days", unrecorded: Literal["missing", "zero"] = "missing"
) -> pd.Series:
    """What absence over twelve months does the randomisation assume for each person?

    Estimator (the protocol's rules for the randomisation stage only; the analysis imputes):

    - service of a year or more: the days recorded;
    - over three months and under a year: days recorded * 12 / months in post (C60: exactly twelve
      months needs no scaling);
    - three months or less: mean over full-year staff with a record in the same authority (C58, C60);
    - agency staff, staff without a record, staff whose service is unknown: left missing (C59), or
      zero with `unrecorded="zero"` (the sensitivity reading of "null imputed").

    Shapes and units: `people` one row a person with `local_authority`, `service_years` (years),
    `agency` (0/1) and the column named by `absence` (days in the last twelve months); returns days,
    on the index of `people`. An authority without a single full-year record leaves its short-service
    staff missing.

    Refuses negative or infinite days or years (InvalidInput).
    Source: protocol, missing data at randomisation; contradictions C58, C59, C60.
    """
    with_columns(people, (absence, "service_years", "agency", "local_authority"))
    days = as_numbers(people[absence], name=absence).copy()
    years = as_numbers(people["service_years"], name="service_years")
    agency = as_numbers(people["agency"], name="agency") == 1
    if unrecorded not in ("missing", "zero"):
        raise UnknownName(f"no rule {unrecorded!r} for what is not recorded; there are missing, zero")
    for name, column in ((absence, days), ("service_years", years)):
        if np.any(column < 0) or np.any(np.isinf(column)):
            raise InvalidInput(f"{name} must be zero or more, and finite")
    full_year = (years >= FULL_YEAR) & ~np.isnan(days) & ~agency
    authority_mean = (
        pd.Series(np.where(full_year, days, np.nan)).groupby(people["local_authority"].to_numpy()).transform("mean")
    )
    part_year = (years > SHORT_SERVICE_YEARS) & (years < FULL_YEAR)
    short = years <= SHORT_SERVICE_YEARS
    filled = np.where(part_year, days / np.where(part_year, years, 1.0), days)
    filled = np.where(short, authority_mean.to_numpy(), filled)
    filled = np.where(agency | np.isnan(years), np.nan, filled)
    if unrecorded == "zero":
        filled = np.where(np.isnan(filled), 0.0, filled)
    return pd.Series(filled, index=people.index, name="filled_absence")


@typed
def make_strata(
    *,
    people: pd.DataFrame,
    absence: str = "absence_days",
    min_teams: int = 2,
    unrecorded: Literal["missing", "zero"] = "missing",
) -> pd.DataFrame:
    """In which stratum is each team?

    Estimator: within each authority, the quartile of the team's mean `filled_absence` (mean over
    members who have one) crossed with "share of agency staff above the authority's median". Quartile
    cut points are linear-interpolation quantiles of the team means; a team on a cut point belongs to
    the lower quartile, so equal teams are never separated. A team without any usable absence record
    is in group 0, not in a quartile.

    Thin strata: a stratum of fewer than `min_teams` teams cannot hold both arms and is merged, never
    across authorities. First the agency split is given up in that quartile (absence is the primary
    outcome, so its split is kept longest). A quartile that is still too small joins its smaller
    neighbour (the lower one when equal), smallest quartile first; group 0 joins the smallest
    quartile. `min_teams=1` keeps the eight cells as printed.

    Shapes: `people` one row a person with `staff_id`, `team_id`, `local_authority`, `service_years`,
    `agency`, and `absence`. Returns one row a team, sorted by authority and team: `team_id,
    local_authority, staff, mean_absence` (days), `agency_share, absence_quartile, agency_high,
    stratum, merged` (true where the stratum is not one of the eight printed cells). The result does
    not depend on the order of the rows of `people`.

    Refuses no people (NoObservations), a person listed twice, a team in two authorities, missing
    identifiers (EstimationError).
    Source: protocol P15, P16; C65 for "within the authority".
    """
    if not isinstance(min_teams, int | np.integer) or min_teams < 1:
        raise InvalidInput(f"min_teams must be a whole number from one, not {min_teams!r}")
    ordered = sorted_people(people)
    ordered["filled"] = filled_absence(people=ordered, absence=absence, unrecorded=unrecorded)
    ordered["agency"] = ordered["agency"].astype("float64")
    teams = ordered.groupby(["local_authority", "team_id"], sort=True, as_index=False).agg(
        staff=("staff_id", "size"), mean_absence=("filled", "mean"), agency_share=("agency", "mean")
    )
    parts = [_authority_strata(part, min_teams) for _, part in teams.groupby("local_authority", sort=True)]
    strata = pd.concat(parts, ignore_index=True)
    columns = ["team_id", "local_authority", "staff", "mean_absence", "agency_share"]
    return strata[[*columns, "absence_quartile", "agency_high", "stratum", "merged"]]


@typed
def sorted_people(people: pd.DataFrame) -> pd.DataFrame:
    """A copy of `people` in the order that every random step uses: authority, team, person."""
    keys = ["local_authority", "team_id", "staff_id"]
    if with_columns(people, keys).empty:
        raise NoObservations("nobody to randomise")
    missing = people[keys].isna().any()
    if missing.any():
        raise EstimationError(f"{', '.join(missing.index[missing])}: every person needs one to be randomised")
    if people["staff_id"].duplicated().any():
        raise EstimationError(f"{int(people['staff_id'].duplicated().sum())} staff_id are listed twice")
    ordered = people.astype(dict.fromkeys(keys, "str")).sort_values(keys, kind="stable", ignore_index=True)
    authorities = ordered.groupby("team_id")["local_authority"].nunique()
    shared = authorities.index[authorities > 1]
    if len(shared):
        raise EstimationError(f"team_id used by two authorities: {', '.join(shared[:5])}")
    return ordered


def _authority_strata(teams: pd.DataFrame, min_teams: int) -> pd.DataFrame:
    """Quartile and agency half of the teams of one authority, merged until none is thin."""
    teams = teams.copy()
    mean = teams["mean_absence"].to_numpy()
    known = ~np.isnan(mean)
    cuts = np.quantile(mean[known], [0.25, 0.5, 0.75]) if known.any() else np.zeros(3)
    # side="left": the count of cut points strictly below the value, so a tie goes down.
    quartile = np.where(known, np.searchsorted(cuts, mean, side="left") + 1, NO_RECORD)
    high = (teams["agency_share"] > teams["agency_share"].median()).to_numpy()
    groups = {
        q: {half: np.flatnonzero((quartile == q) & (high == half)) for half in (False, True)}
        for q in sorted(set(quartile.tolist()))
    }
    cells: dict[tuple[int, ...], dict[str, np.ndarray]] = {}
    for q, halves in groups.items():
        sizes = [len(rows) for rows in halves.values()]
        if any(0 < size < min_teams for size in sizes):
            cells[(q,)] = {"all": np.sort(np.concatenate(list(halves.values())))}
        else:
            cells[(q,)] = {"high" if half else "low": rows for half, rows in halves.items() if len(rows)}
    cells = _merge_thin(cells, min_teams)
    label = np.empty(len(teams), dtype=object)
    merged = np.zeros(len(teams), dtype=bool)
    authority = teams["local_authority"].iloc[0]
    for quartiles, halves_ in cells.items():
        for half_name, rows in halves_.items():
            label[rows] = f"{authority}|q{'-'.join(map(str, quartiles))}|agency-{half_name}"
            merged[rows] = half_name == "all"
    teams["absence_quartile"], teams["agency_high"] = quartile, high
    teams["stratum"] = pd.Series(label, index=teams.index).astype("str")
    teams["merged"] = merged
    return teams


def _merge_thin(
    cells: dict[tuple[int, ...], dict[str, np.ndarray]], min_teams: int
) -> dict[tuple[int, ...], dict[str, np.ndarray]]:
    """Join quartiles until each holds `min_teams` teams or only one is left."""

    def size(key: tuple[int, ...]) -> int:
        return sum(len(rows) for rows in cells[key].values())

    while len(cells) > 1:
        order = sorted(cells)
        thin = [key for key in order if size(key) < min_teams]
        if not thin:
            break
        smallest = min(thin, key=lambda key: (size(key), key))
        place = order.index(smallest)
        if smallest == (NO_RECORD,):
            candidates = order[1:]
        else:
            candidates = [order[i] for i in (place - 1, place + 1) if 0 <= i < len(order)]
            candidates = [key for key in candidates if key != (NO_RECORD,)] or candidates
        partner = min(candidates, key=lambda key: (size(key), key))
        rows = np.sort(np.concatenate([*cells[smallest].values(), *cells[partner].values()]))
        del cells[smallest], cells[partner]
        cells[tuple(sorted((*smallest, *partner)))] = {"all": rows}
    return cells
