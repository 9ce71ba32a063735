"""Synthetic files of the two small trials of phase one, letters and coffee: drawn without any effect.

Their results are in no document as text, so there is nothing to be calibrated to. Both arms are drawn from one
distribution; whatever differs between them differs by chance.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from hhp_stats.errors import InvalidInput
from hhp_stats.intake.dictionary import Field, fields_of
from hhp_stats.intake.participant_fields import WAVES, survey_fields
from hhp_stats.plan.individual import IndividualPlan, load_individual_plan
from hhp_stats.synthetic.calibration import stream
from hhp_stats.synthetic.platform_export import SYNTHETIC, csv_text, platform_export, response_row, tokens
from hhp_stats.synthetic.study_assumptions import StudyAssumptions, load_study_assumptions

Array = npt.NDArray[np.float64]
BASELINE_LEAD = dt.timedelta(days=70)  # from the opening of the first survey to that of the second
SURVEY_DAYS = 15
FIRST_ITEMS = 3  # a broken-off first attempt holds so many answers


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseOneDraw:
    """One row a person in `people`; `answers` has each item with _t1 and _t2, whether or not the person responds."""

    plan: IndividualPlan
    assumptions: StudyAssumptions
    seed: int
    people: pd.DataFrame
    answers: pd.DataFrame


def phase_one_files(root: Path, study: str, *, seed: int | None = None) -> dict[str, bytes]:
    """The raw files of one trial by path below the project; the same seed gives the same bytes."""
    draw = draw_phase_one(root, study, seed=seed)
    files = {f"data/allocation/{study}.csv": _allocation(draw)}
    for wave in WAVES:
        files[f"data/surveys/{study}/{wave}.csv"] = _survey(draw, wave)
    return files


def draw_phase_one(root: Path, study: str, *, seed: int | None = None) -> PhaseOneDraw:
    """Draw people, arms and answers of one trial. Arms do not enter the answers."""
    plan, a = load_individual_plan(root, study), load_study_assumptions(root, study)
    seed = a.whole("seed") if seed is None else seed
    people = _people(plan, a, seed)
    return PhaseOneDraw(plan=plan, assumptions=a, seed=seed, people=people, answers=_answers(people, plan, a, seed))


def _people(plan: IndividualPlan, a: StudyAssumptions, seed: int) -> pd.DataFrame:
    rng = stream(seed, "people")
    sizes: Mapping[str, int] = a.value("block_sizes")
    block = np.repeat(list(sizes), list(sizes.values()))
    count = len(block)
    if count != plan.design.randomised:
        raise InvalidInput(f"blocks of {count} people in all, {plan.design.randomised} in the plan")
    frame = pd.DataFrame({"block": block})
    clusters: Sequence[int] = a.value("cluster_sizes")
    if plan.design.cluster:
        if sum(clusters) != count:
            raise InvalidInput(f"clusters of {sum(clusters)} people in all, {count} in the blocks")
        order = rng.permutation(len(clusters))
        treated = set(rng.permutation(len(clusters))[: a.whole("treated_clusters")].tolist())
        names = plan.terms[plan.design.cluster].levels
        at = np.repeat(np.arange(len(clusters)), np.array(clusters)[order])
        frame[plan.design.cluster] = [names[i] for i in at]
        frame["group"] = at
        frame["arm"] = ["treatment" if i in treated else "control" for i in at]
    else:
        frame["group"] = pd.factorize(frame["block"])[0]
        arm = np.empty(count, dtype=object)
        for rows in frame.groupby("block", sort=False).indices.values():
            half = len(rows) // 2
            arm[rows] = rng.permutation(np.repeat(["treatment", "control"], [half, len(rows) - half]))
        frame["arm"] = arm
    for wave, suffix in zip(WAVES, ("t1", "t2"), strict=True):
        responds = np.zeros(count, dtype=bool)
        responds[rng.permutation(count)[: round(a.number(f"response_{wave}") * count)]] = True
        frame[f"responds_{suffix}"] = responds
    frame["staff_id"] = [
        f"P{number}" for number in sorted(rng.choice(np.arange(10_000, 99_999), count, replace=False).tolist())
    ]
    frame["survey_code"] = tokens(count, seed, "survey codes", 10)
    return frame


def _answers(people: pd.DataFrame, plan: IndividualPlan, a: StudyAssumptions, seed: int) -> pd.DataFrame:
    """Whole-number answers from a general factor, a scale's own factor that lasts, its group's share, and noise."""
    rng = stream(seed, "answers")
    count, groups = len(people), people["group"].to_numpy()
    common, stability, likeness = a.number("common"), a.number("stability"), a.number("likeness")
    means, sds = a.value("scale_means"), a.value("scale_sds")
    general = rng.standard_normal(count)
    columns: dict[str, Array] = {}
    for scale in plan.scales.values():
        lasting = rng.standard_normal(count)
        shared = rng.standard_normal(groups.max() + 1)[groups]
        for suffix in ("t1", "t2"):
            own = np.sqrt(stability) * lasting + np.sqrt(1 - stability) * rng.standard_normal(count)
            person = np.sqrt(common) * general + np.sqrt(1 - common) * own
            latent = np.sqrt(likeness) * shared + np.sqrt(1 - likeness) * person
            for item in scale.items:
                noise = a.number("item_noise") * rng.standard_normal(count)
                value = means[scale.id] + sds[scale.id] * (latent + noise)
                if item in scale.reverse:
                    value = scale.low + scale.high - value
                value = np.clip(np.rint(value), scale.low, scale.high)
                value[rng.random(count) < a.number("item_missing")] = np.nan
                columns[f"{item}_{suffix}"] = value
    return pd.DataFrame(columns)


def _allocation(draw: PhaseOneDraw) -> bytes:
    people = draw.people.assign(release=SYNTHETIC)
    design = draw.plan.design
    if design.within:
        people[design.within] = people["block"]
    columns = ["staff_id", *filter(None, (design.within, design.cluster)), "survey_code", "arm", "release"]
    return csv_text(columns, people.sort_values("staff_id")[columns].itertuples(index=False, name=None))


def _survey(draw: PhaseOneDraw, wave: str) -> bytes:
    """The platform's export: three header rows, then one row a response, in order of arrival."""
    asked = list(fields_of(survey_fields(draw.plan), "survey", wave))
    rng = stream(draw.seed, f"survey {wave}")
    responses = _responses(draw, asked, wave, rng)
    opening = next(block.survey_opened for block in draw.plan.blocks if block.survey_opened is not None)
    start = opening - (BASELINE_LEAD if wave == "baseline" else dt.timedelta(0))
    numbers = stream(draw.seed, "recipients").permutation(len(draw.people)) + 1
    identifiers = tokens(len(responses), draw.seed, f"responses {wave}", 15)
    rows = []
    for (person, code, later, progress, given), identifier in zip(responses, identifiers, strict=True):
        day = int(rng.integers(0, SURVEY_DAYS)) + (SURVEY_DAYS if later else 0)
        begun = dt.datetime.combine(start + dt.timedelta(days=day), dt.time()) + dt.timedelta(
            seconds=int(rng.integers(8 * 3600, 18 * 3600))
        )
        seconds = max(25, int(rng.lognormal(5.7, 0.4) * progress / 100))
        rows.append(
            response_row(
                asked,
                identifier=identifier,
                begun=begun,
                seconds=seconds,
                progress=progress,
                person=numbers[person],
                code=code,
                answers=given,
                preview=not code,
            )
        )
    return platform_export(asked, rows, question=_question)


def _question(field: Field) -> str:
    if field.name == "consent":
        return "I agree to take part in the research"
    return f"{field.meaning} ({field.minimum:g} to {field.maximum:g})"


# Person, survey code ("" for a preview), whether it is a second attempt, progress in per cent, answers.
_Response = tuple[int, str, bool, int, Mapping[str, str]]


def _responses(draw: PhaseOneDraw, asked: list[Field], wave: str, rng: np.random.Generator) -> list[_Response]:
    a, which, people = draw.assumptions, WAVES.index(wave), draw.people
    suffix = ("t1", "t2")[which]
    codes = people["survey_code"].tolist()
    responds = np.flatnonzero(people[f"responds_{suffix}"])
    silent = rng.permutation(np.flatnonzero(~people[f"responds_{suffix}"]))
    declined = silent[: a.value("declined")[which]].tolist()
    others = silent[a.value("declined")[which] :].tolist()
    again = set(rng.choice(responds, a.value("duplicates")[which], replace=False).tolist())

    columns = {field.name: draw.answers[f"{field.name}_{suffix}"].to_numpy() for field in asked[1:]}

    def given_by(person: int) -> dict[str, str]:
        given = {"consent": "Agree"}
        for field in asked[1:]:
            value = columns[field.name][person]
            given[field.name] = "" if np.isnan(value) else f"{value:g}"
        return given

    found: list[_Response] = []
    for person in responds.tolist():
        given = given_by(person)
        if person in again:
            early = {field.name: given[field.name] for field in asked[: 1 + FIRST_ITEMS]}
            found.append((person, codes[person], False, round(100 * FIRST_ITEMS / len(asked)), early))
        found.append((person, codes[person], person in again, 100, given))
    found += [(person, codes[person], False, 100, {"consent": "Disagree"}) for person in declined]
    unknown = tokens(a.value("unmatched")[which], draw.seed, f"unknown codes {wave}", 11)
    found += [(person, code, False, 100, given_by(person)) for person, code in zip(others, unknown, strict=False)]
    found += [(person, "", False, 100, given_by(person)) for person in others[-a.value("previews")[which] :]]
    return found
