"""Synthetic files of the hiring experiments: participants, 3,030 decisions, 303 sets of three scores."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from hhp_stats.consistency.figures import Figures, load_figures
from hhp_stats.errors import InvalidInput
from hhp_stats.synthetic.calibration import stream
from hhp_stats.synthetic.exact_means import Items, Target, adjust
from hhp_stats.synthetic.platform_export import LETTERS, SYNTHETIC, csv_text
from hhp_stats.synthetic.study_assumptions import StudyAssumptions, load_study_assumptions

STUDY = "hiring"
PUBLISHED = "data/published/published_results.csv"
APPLICATIONS = "ABCDEFGHIJ"
MINORITY, WHITE_BRITISH = "minority ethnic", "white british"
NAMES = (MINORITY, WHITE_BRITISH)
SCORES = ("caseload", "team", "supervision")
PER_NAME = 5  # applications with each kind of name that a participant sees
MOVES = 400_000

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class HiringDraw:
    """Everything drawn, before it is written: one row a participant, a decision, a set of scores."""

    people: pd.DataFrame
    decisions: pd.DataFrame
    scores: pd.DataFrame


def hiring_files(root: Path, *, seed: int | None = None) -> dict[str, bytes]:
    """The raw files by path below the project; the same seed gives the same bytes."""
    draw = draw_hiring(root, seed=seed)
    frames = {
        f"data/allocation/{STUDY}.csv": draw.people,
        f"data/decisions/{STUDY}.csv": draw.decisions,
        f"data/decisions/{STUDY}_scores.csv": draw.scores,
    }
    return {path: _csv(frame) for path, frame in frames.items()}


def _csv(frame: pd.DataFrame) -> bytes:
    rows = frame.assign(release=SYNTHETIC).astype(object).where(lambda cell: cell.notna(), "")
    return csv_text([*frame.columns, "release"], rows.itertuples(index=False, name=None))


def draw_hiring(root: Path, *, seed: int | None = None) -> HiringDraw:
    """Draw participants, decisions and scores that give the printed rates, means and standard deviations."""
    a = load_study_assumptions(root, STUDY)
    printed = load_figures(root / PUBLISHED)
    seed = a.whole("seed") if seed is None else seed
    people = _people(a, printed, seed)
    decisions = _decisions(people, a, printed, seed)
    return HiringDraw(people=people, decisions=decisions, scores=_scores(people, a, printed, seed))


def _people(a: StudyAssumptions, printed: Figures, seed: int) -> pd.DataFrame:
    rng = stream(seed, "participants")
    cells = [
        (condition, name_set, size)
        for condition in ("joint", "separate")
        for name_set, size in enumerate(a.value(condition), start=1)
    ]
    count = sum(size for *_, size in cells)
    arms = {
        arm: int(printed.row(f"{prefix}-N")["value"]) for arm, prefix in a.value("printed", section="scores").items()
    }
    if sum(arms.values()) != count:
        raise InvalidInput(f"{count} participants in experiment 1, {sum(arms.values())} in experiment 2")
    shares = a.value("roles")
    order = rng.permutation(count)
    spread = rng.permutation(count)
    codes: dict[str, None] = {}
    while len(codes) < count:
        codes["H" + "".join(LETTERS[i] for i in rng.integers(0, len(LETTERS), 5))] = None
    first = a.whole("progression_first")
    return pd.DataFrame(
        {
            "participant": sorted(codes),
            "role": rng.choice(list(shares), size=count, p=np.array(list(shares.values())) / sum(shares.values())),
            "first_experiment": np.where(rng.permutation(count) < first, "progression", "evaluation_score"),
            "evaluation": np.repeat([c for c, *_ in cells], [n for *_, n in cells])[order],
            "name_set": np.repeat([s for _, s, _ in cells], [n for *_, n in cells])[order],
            "name_shown": np.repeat(list(arms), list(arms.values()))[spread],
        }
    )


def name_of(application: str, name_set: int) -> str:
    """Which kind of name does an application carry in a combination of names?

    The applications of a pair (A and B, C and D, ...) carry different kinds; the second combination is the reverse
    of the first, and within the first the minority name stands at the left and at the right in turn.
    """
    place = APPLICATIONS.index(application)
    turned = (place + place // 2 + name_set) % 2
    return NAMES[1 - turned]


def possible_count(*, rate: float, margin: float, decisions: int) -> tuple[int, int]:
    """How many decisions, at most `decisions`, and how many of them positive give a rate that rounds as printed?

    The largest number of decisions for which a whole number of positive ones has a rate within `margin` (both in
    per cent). Refuses a rate that no number gives (InvalidInput).
    """
    for answered in range(decisions, 0, -1):
        positive = round(rate * answered / 100)
        if abs(100 * positive / answered - rate) < margin:
            return answered, positive
    raise InvalidInput(f"no number of decisions up to {decisions} has a rate of {rate}%")


def _decisions(people: pd.DataFrame, a: StudyAssumptions, printed: Figures, seed: int) -> pd.DataFrame:
    rng = stream(seed, "decisions")
    count = len(people)
    quality = a.number("quality") * rng.standard_normal(len(APPLICATIONS))
    lenience = a.number("lenience") * rng.standard_normal(count)
    preference = a.number("preference") * rng.standard_normal(count)
    rows = people.loc[people.index.repeat(len(APPLICATIONS)), ["participant", "evaluation", "name_set"]]
    rows = rows.reset_index(names="person").assign(application=list(APPLICATIONS) * count)
    rows["name"] = [
        name_of(application, number) for application, number in zip(rows["application"], rows["name_set"], strict=True)
    ]
    rows["pair"] = [APPLICATIONS.index(application) // 2 + 1 for application in rows["application"]]
    person = rows["person"].to_numpy()
    sign = np.where(rows["name"] == MINORITY, 0.5, -0.5)
    latent = lenience[person] + sign * preference[person] + np.tile(quality, count) + rng.standard_normal(len(rows))
    progressed = np.full(len(rows), np.nan)
    cells = {}
    for cell, prefix in a.value("printed", section="decisions").items():
        condition, name = cell.split("_", 1)
        chosen = np.flatnonzero((rows["evaluation"] == condition) & (rows["name"] == _name(name)))
        figure = printed.printed(f"{prefix}-M")
        answered, positive = possible_count(rate=figure.value, margin=figure.margin, decisions=len(chosen))
        made = np.sort(rng.permutation(chosen)[:answered])
        best = made[np.argsort(-latent[made], kind="stable")]
        progressed[made] = 0.0
        progressed[best[:positive]] = 1.0
        cells[cell] = made
    p = float(printed.row(a.value("gap_p"))["value"])
    _spread_gap(progressed, person, cells, p=p, participants=count, rng=rng)
    rows["progressed"] = pd.array([pd.NA if np.isnan(value) else int(value) for value in progressed], dtype="Int64")
    rows["position"] = _positions(rows, rng)
    ordered = rows.sort_values(["person", "position"])
    return ordered[["participant", "position", "pair", "application", "name", "progressed"]].reset_index(drop=True)


def _name(word: str) -> str:
    return MINORITY if word == "minority" else WHITE_BRITISH


def _positions(rows: pd.DataFrame, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Joint: pairs in a random order, their two applications in a random order; separate: any order."""
    found = np.zeros(len(rows), dtype=np.int64)
    for _, group in rows.groupby("person", sort=True):
        pairs = rng.permutation(PER_NAME)
        if group["evaluation"].iloc[0] == "joint":
            sides = rng.integers(0, 2, PER_NAME)
            within = np.arange(len(group)) % 2
            key = 2 * pairs[group["pair"].to_numpy() - 1] + (within ^ sides[group["pair"].to_numpy() - 1])
        else:
            key = rng.permutation(len(group))
        found[group.index] = np.argsort(np.argsort(key)) + 1
    return found


def _spread_gap(
    progressed: Array,
    person: npt.NDArray[np.int64],
    cells: Mapping[str, npt.NDArray[np.int64]],
    *,
    p: float,
    participants: int,
    rng: np.random.Generator,
) -> None:
    """Move positive decisions between participants until the gap of the separate condition has the p-value `p`.

    Counts of every cell stay. The clustered variance of the gap is the sum over participants of squared scores
    (their deviations from the two rates, each divided by the decisions of its cell) times CR1's factor.
    """
    own = {sign: cells[name] for sign, name in ((1.0, "separate_white_british"), (-1.0, "separate_minority"))}
    gap = sum(sign * progressed[rows].mean() for sign, rows in own.items())
    decisions = sum(len(rows) for rows in cells.values())
    factor = participants / (participants - 1) * (decisions - 1) / (decisions - len(cells))
    wanted = (gap / stats.t.isf(p / 2, participants - 1)) ** 2 / factor
    score = np.zeros(participants)
    for sign, rows in own.items():
        np.add.at(score, person[rows], sign * (progressed[rows] - progressed[rows].mean()) / len(rows))
    now = float((score**2).sum())
    for _ in range(MOVES):
        if abs(now / wanted - 1) < 2e-4:
            return
        sign = 1.0 if rng.random() < 0.5 else -1.0
        rows = own[sign]
        one, other = rng.choice(rows, 2, replace=False)
        if progressed[one] == progressed[other] or person[one] == person[other]:
            continue
        step = sign * (progressed[other] - progressed[one]) / len(rows)
        i, j = person[one], person[other]
        moved = now + 2 * step * (score[i] - score[j]) + 2 * step**2
        if abs(moved - wanted) < abs(now - wanted):
            now = moved
            score[i] += step
            score[j] -= step
            progressed[one], progressed[other] = progressed[other], progressed[one]
    raise InvalidInput(f"no spread of preferences gives the gap of the separate condition p = {p}")


def _scores(people: pd.DataFrame, a: StudyAssumptions, printed: Figures, seed: int) -> pd.DataFrame:
    rng = stream(seed, "scores")
    common = a.number("common")
    answers = np.zeros((len(people), len(SCORES)))
    items = Items(weights=np.ones(3), low=np.ones(3), high=np.full(3, 7.0), step=np.ones(3), constant=0.0)
    for arm, prefix in a.value("printed", section="scores").items():
        rows = np.flatnonzero(people["name_shown"] == arm)
        mean, sd = printed.printed(f"{prefix}-M"), printed.printed(f"{prefix}-SE")
        n = len(rows)
        nearest = round(mean.value * n) / n  # the sum of whole scores is whole
        noise = math.sqrt(common) * rng.standard_normal((n, 1)) + math.sqrt(1 - common) * rng.standard_normal((n, 3))
        spread = sd.value / math.sqrt(3 * (1 + 2 * common))
        start = np.clip(np.rint(mean.value / 3 + spread * noise), 1, 7)
        target = Target(
            n=n,
            mean=nearest,
            std_error=sd.value / math.sqrt(n),
            mean_margin=mean.margin,
            std_error_margin=sd.margin / math.sqrt(n),
        )
        reached = adjust(answers=start, items=items, target=target, rng=rng)
        if not reached.within:
            raise InvalidInput(f"{arm}: no scores with mean {mean.value} and standard deviation {sd.value} were found")
        answers[rows] = reached.answers
    frame = pd.DataFrame(answers.astype(int), columns=list(SCORES))
    return pd.concat([people[["participant", "name_shown"]].reset_index(drop=True), frame], axis="columns")
