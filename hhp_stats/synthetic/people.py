"""Who works where: authorities, teams, buildings of the coffee trial, and the people on the baseline lists."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special, stats

from hhp_stats.synthetic.assumptions import Assumptions, CoffeeAssumptions
from hhp_stats.synthetic.calibration import Array, threshold

MANAGER = "team manager"


def draw_teams(*, assumptions: Assumptions, n_people: int, rng: np.random.Generator) -> pd.DataFrame:
    """Which teams are there, and how large?

    One row a team: local_authority, slug, launch, team_id, size, building (-1 outside the coffee
    trial), coffee (0/1). Sizes are gamma quantiles, one from each of equal slices of the
    distribution, adjusted by single places until the authority's total is exact.
    """
    a = assumptions.people
    shares = _apportion({slug: float(size) for slug, size in a.authority_sizes.items()}, n_people)
    shape = 1 / a.team_size_cv**2
    parts = []
    for site in assumptions.plan.sites:
        people = shares[site.slug]
        teams = max(2, round(people / a.team_size_mean))
        slices = (np.arange(teams) + rng.random(teams)) / teams
        size = np.round(special.gammaincinv(shape, slices) * a.team_size_mean / shape).astype(np.int64)
        size = np.maximum(rng.permutation(size), a.team_size_min)
        gap = people - int(size.sum())
        while gap:
            movable = np.flatnonzero(size > a.team_size_min) if gap < 0 else np.arange(teams)
            chosen = rng.permutation(movable)[: abs(gap)]
            size[chosen] += np.sign(gap)
            gap = people - int(size.sum())
        prefix = site.local_authority[:3].upper()
        frame = pd.DataFrame({"team_id": [f"{prefix}-T{number:02d}" for number in range(1, teams + 1)], "size": size})
        building = np.full(teams, -1)
        if site.slug == assumptions.coffee.authority:
            building = _buildings(size, assumptions.coffee, n_people / assumptions.plan.design.recruited, rng)
        treated = rng.permutation(assumptions.coffee.buildings)[: assumptions.coffee.treated_buildings]
        frame["building"], frame["coffee"] = building, np.isin(building, treated).astype(np.int64)
        frame.insert(0, "local_authority", site.local_authority)
        frame.insert(1, "slug", site.slug)
        frame.insert(2, "launch", pd.Timestamp(site.launch))
        parts.append(frame)
    return pd.concat(parts, ignore_index=True).sort_values(["local_authority", "team_id"], ignore_index=True)


def _apportion(sizes: dict[str, float], total: int) -> dict[str, int]:
    """Whole numbers in the proportion of `sizes` that add up to `total` (largest remainders)."""
    exact = {key: value * total / sum(sizes.values()) for key, value in sizes.items()}
    whole = {key: int(value) for key, value in exact.items()}
    order = sorted(exact, key=lambda key: (whole[key] - exact[key], key))
    for key in order[: total - sum(whole.values())]:
        whole[key] += 1
    return whole


def _buildings(size: np.ndarray, coffee: CoffeeAssumptions, scale: float, rng: np.random.Generator) -> np.ndarray:
    """Fill each building with teams until it holds enough people; then add teams up to the trial's total."""
    building = np.full(len(size), -1)
    order = list(rng.permutation(len(size)))
    for number in range(coffee.buildings):
        held = 0
        while held < coffee.building_people_min * scale and order:
            team = order.pop()
            building[team], held = number, held + size[team]
    number = 0
    while order and size[building >= 0].sum() + size[order[-1]] / 2 < coffee.people * scale:
        building[order.pop()] = number % coffee.buildings
        number += 1
    return building


def draw_people(
    *, teams: pd.DataFrame, assumptions: Assumptions, rng: np.random.Generator, exact: bool
) -> pd.DataFrame:
    """Who is on the baseline lists, team by team?

    One row a person: staff_id, the team's columns, team (row of `teams`), role, gender, part_time,
    agency, service_months (at the baseline return). With `exact` the shares of women, part-time and
    agency staff are met to the person, else in expectation.
    """
    a = assumptions.people
    team = np.repeat(np.arange(len(teams)), teams["size"])
    n = len(team)
    shares = np.array(list(a.role_shares.values()))
    role = np.array(list(a.role_shares), dtype=object)[rng.choice(len(shares), n, p=shares / shares.sum())]
    first = np.r_[True, team[1:] != team[:-1]]
    managed = rng.random(len(teams)) < a.managed_teams
    role[first & managed[team]] = MANAGER
    flat = np.zeros(n)

    def flags(log_odds: Array, share: float) -> Array:
        return threshold(log_odds=log_odds, noise=rng.logistic(size=n), share=share, exact=exact).astype(np.float64)

    female = flags(flat, a.female_share)
    part_time = flags(np.where(role == MANAGER, -1.0, 0.0) + 0.8 * female, a.part_time_share)
    tendency = _agency_log_odds(len(teams), a.agency_share, a.agency_precision, rng)
    never = np.isin(role, ["student social worker", "newly qualified social worker"])
    agency = flags(tendency[team] - 3.0 * never - 1.0 * (role == MANAGER), a.agency_share)
    people = pd.DataFrame(
        {
            "staff_id": _staff_ids(teams, team, rng),
            "local_authority": teams["local_authority"].to_numpy()[team],
            "slug": teams["slug"].to_numpy()[team],
            "launch": teams["launch"].to_numpy()[team],
            "team_id": teams["team_id"].to_numpy()[team],
            "coffee": teams["coffee"].to_numpy()[team],
            "role": role,
            "gender": np.where(female == 1, "female", "male"),
            "part_time": part_time,
            "agency": agency,
            "service_months": _service(role, agency, assumptions, rng),
        }
    )
    order = np.lexsort((people["staff_id"].to_numpy(dtype=str), team))
    return people.iloc[order].reset_index(drop=True)


def _agency_log_odds(teams: int, share: float, precision: float, rng: np.random.Generator) -> Array:
    """Log odds of team shares from a beta distribution with this mean and precision, kept finite."""
    drawn = stats.beta.ppf(rng.random(teams), share * precision, (1 - share) * precision)
    return np.asarray(special.logit(np.clip(drawn, 1e-4, 0.95)), dtype=np.float64)


def _staff_ids(teams: pd.DataFrame, team: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Numbers in random order within the authority, so that an ID says nothing about the team."""
    ids = np.empty(len(team), dtype=object)
    authority = teams["local_authority"].to_numpy()[team]
    for name in pd.unique(authority):
        rows = np.flatnonzero(authority == name)
        for row, number in zip(rows, rng.permutation(len(rows)) + 1, strict=True):
            ids[row] = f"{name[:3].upper()}-{number:04d}"
    return ids


def _service(role: np.ndarray, agency: Array, assumptions: Assumptions, rng: np.random.Generator) -> Array:
    """Whole months from a Weibull distribution by role, cut off at the role's longest service."""
    a = assumptions.people
    scale = np.array([a.service_scale_months[r] for r in role]) * np.where(agency == 1, a.agency_service_factor, 1.0)
    cap = np.array([a.service_cap_months[r] for r in role])
    below = -np.expm1(-((cap / scale) ** a.service_shape))
    months = scale * (-np.log1p(-rng.random(len(role)) * below)) ** (1 / a.service_shape)
    return np.asarray(np.floor(months), dtype=np.float64)
