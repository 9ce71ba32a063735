"""Synthetic files of the two pilots: who had access, app sessions, survey answers, list of interviewees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from hhp_stats.consistency.figures import Figures, load_figures
from hhp_stats.errors import InvalidInput
from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.synthetic.calibration import stream
from hhp_stats.synthetic.platform_export import SYNTHETIC, csv_text
from hhp_stats.synthetic.study_assumptions import StudyAssumptions, load_study_assumptions

PUBLISHED = "data/published/published_results.csv"


def pilot_files(root: Path, study: str, *, seed: int | None = None) -> dict[str, bytes]:
    """The raw files of `dictation` or `flexitime` by path; the same seed gives the same bytes."""
    a, printed = load_study_assumptions(root, study), load_figures(root / PUBLISHED)
    seed = a.whole("seed") if seed is None else seed
    if study == "flexitime":
        return {"data/allocation/flexitime.csv": _csv(_interviewees(a, printed, seed))}
    if study != "dictation":
        raise InvalidInput(f"{study!r} is no pilot with raw files")
    plan = load_individual_plan(root, study)
    people = _people(a, printed, seed)
    return {
        "data/allocation/dictation.csv": _csv(people),
        "data/usage/dictation.csv": _csv(
            _sessions(people, a, printed, seed, days=7 * int(plan.fact("weeks")), often=int(plan.fact("often")))
        ),
        "data/surveys/dictation/endline.csv": _csv(_survey(people, a, printed, seed)),
    }


def _csv(frame: pd.DataFrame) -> bytes:
    return csv_text([*frame.columns, "release"], frame.assign(release=SYNTHETIC).itertuples(index=False, name=None))


def _count(printed: Figures, figure: str) -> int:
    return int(printed.row(figure)["value"])


def _people(a: StudyAssumptions, printed: Figures, seed: int) -> pd.DataFrame:
    rng = stream(seed, "people")
    authority = np.concatenate([np.repeat(name, _count(printed, key)) for name, key in a.value("printed").items()])
    roles = a.value("roles")
    # Exact shares: cumulated and rounded, so that they add up.
    ends = np.rint(np.cumsum(list(roles.values())) / sum(roles.values()) * len(authority)).astype(int)
    role = rng.permutation(np.repeat(list(roles), np.diff(ends, prepend=0)))
    return pd.DataFrame(
        {"participant": [f"D{n:03d}" for n in range(1, len(authority) + 1)], "local_authority": authority, "role": role}
    )


def _sessions(
    people: pd.DataFrame, a: StudyAssumptions, printed: Figures, seed: int, *, days: int, often: int
) -> pd.DataFrame:
    """Sessions of Brent: a few frequent users; the other users stay below the printed minutes and sessions."""
    rng = stream(seed, "sessions")
    keys = a.value("counts")
    users, most = _count(printed, keys["logged_on"]), _count(printed, keys["minutes_of_others"])
    frequent = [int(n) for n in a.value("sessions_frequent")]
    if len(frequent) != _count(printed, keys["frequent"]) or min(frequent) <= often:
        raise InvalidInput(f"{len(frequent)} frequent users with {frequent} sessions do not fit the printed figures")
    brent = people.loc[people["local_authority"] == "Brent", "participant"].to_numpy()
    chosen = rng.permutation(brent)[:users]
    rows: list[tuple[str, int, int]] = []
    for place, participant in enumerate(chosen):
        if place < len(frequent):
            minutes = np.maximum(1, rng.poisson(a.number("minutes_a_session"), frequent[place]))
        else:
            # At most one minute less than the bound in all, in as many pieces of one minute or more as sessions.
            total, number = int(rng.integers(1, most)), int(rng.integers(1, often))
            cuts = (
                np.sort(rng.choice(np.arange(1, total), min(number, total) - 1, replace=False))
                if total > 1
                else np.array([], int)
            )
            minutes = np.diff(np.concatenate([[0], cuts, [total]]))
        rows += [(str(participant), int(rng.integers(1, days + 1)), int(one)) for one in minutes]
    frame = pd.DataFrame(rows, columns=["participant", "day", "minutes"])
    return frame.sort_values(["day", "participant", "minutes"]).reset_index(drop=True)


def _survey(people: pd.DataFrame, a: StudyAssumptions, printed: Figures, seed: int) -> pd.DataFrame:
    rng = stream(seed, "survey")
    goes_on = np.concatenate([np.repeat(answer, _count(printed, key)) for answer, key in a.value("answers").items()])
    frequency = np.repeat(list(a.value("frequency")), list(a.value("frequency").values()))
    if len(goes_on) != len(frequency):
        raise InvalidInput(f"{len(goes_on)} answers on the future, {len(frequency)} on use")
    coventry = people.loc[people["local_authority"] == "Coventry", "participant"].to_numpy()
    chosen = np.sort(rng.permutation(coventry)[: len(goes_on)])
    # Who uses it more is likelier to go on; the printed counts fix how many.
    order = np.argsort(np.arange(len(frequency)) + rng.normal(0, 4, len(frequency)), kind="stable")
    continues = np.empty(len(goes_on), dtype=object)
    continues[order[::-1]] = goes_on
    mixed = rng.permutation(len(frequency))
    return pd.DataFrame({"participant": chosen, "frequency": frequency[mixed], "would_continue": continues[mixed]})


def _interviewees(a: StudyAssumptions, printed: Figures, seed: int) -> pd.DataFrame:
    rng = stream(seed, "interviewees")
    role = [name for name, key in a.value("roles").items() for _ in range(_count(printed, key))]
    for place in range(a.whole("senior_practitioners")):
        role[place] = "senior practitioner"
    experience = [name for name, key in a.value("experience").items() for _ in range(_count(printed, key))]
    if len(role) != len(experience):
        raise InvalidInput(f"{len(role)} interviewees by role, {len(experience)} by experience")
    return pd.DataFrame(
        {
            "interviewee": [f"F{n:02d}" for n in range(1, len(role) + 1)],
            "role": role,
            "experience": rng.permutation(experience),
        }
    )
