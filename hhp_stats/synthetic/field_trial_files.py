"""The raw files of a drawn field trial: allocation list and survey exports, as a trial team would hold them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hhp_stats.intake.dictionary import Field, fields_of
from hhp_stats.intake.participant_fields import survey_fields
from hhp_stats.synthetic.calibration import stream
from hhp_stats.synthetic.field_trial import FieldTrialDraw, draw_field_trial
from hhp_stats.synthetic.platform_export import SYNTHETIC, csv_text, platform_export, response_row, tokens

WEEK = dt.timedelta(days=7)
# The baseline survey ran about two months before the intervention (R08), which began a week before the endline opened.
BASELINE_LEAD = dt.timedelta(days=70)
FIRST_ITEMS = 3  # a broken-off first attempt holds at least so many answers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Response:
    person: int
    code: str
    day: int  # from the opening of the survey
    answers: Mapping[str, str]
    progress: int
    preview: bool = False


def field_trial_files(root: Path, study: str, *, seed: int | None = None) -> dict[str, bytes]:
    """The raw files of one trial by path below the project; the same seed gives the same bytes."""
    return files_of(draw_field_trial(root, study, seed=seed))


def planted_truth(draw: FieldTrialDraw) -> dict[str, Any]:
    """What was planted and what this draw realised, for the record of the release."""
    by_outcome: dict[str, Any] = {}
    for row in draw.reached.to_dict("records"):
        by_outcome.setdefault(str(row["outcome"]), {})[str(row["arm"])] = {
            name: row[name] for name in ("n", "target_mean", "mean", "target_std_error", "std_error", "within")
        }
    return {"seed": draw.seed, "fading": list(draw.assumptions.fading), "outcomes": by_outcome}


def files_of(draw: FieldTrialDraw) -> dict[str, bytes]:
    """The files of a draw."""
    study = draw.plan.study
    files = {f"data/allocation/{study}.csv": _allocation(draw)}
    for wave in ("baseline", "endline"):
        files[f"data/surveys/{study}/{wave}.csv"] = _survey(draw, wave)
    return files


def _codes(draw: FieldTrialDraw) -> list[str]:
    return tokens(len(draw.people), draw.seed, "survey codes", 10)


def _allocation(draw: FieldTrialDraw) -> bytes:
    people = draw.people.assign(survey_code=_codes(draw), release=SYNTHETIC)
    columns = ["staff_id"]
    if draw.plan.design.within:
        people[draw.plan.design.within] = people["block"]
        columns.append(draw.plan.design.within)
    if draw.assumptions.military_share:
        people["staff_group"] = np.where(people["military"], "military", "civilian")
        columns.append("staff_group")
    columns += ["survey_code", "arm"]
    if draw.assumptions.left_share:
        people["in_post_at_endline"] = np.where(people["left"], "no", "yes")
        columns.append("in_post_at_endline")
    columns.append("release")
    rows = people.sort_values("staff_id")[columns].itertuples(index=False, name=None)
    return csv_text(columns, rows)


def _survey(draw: FieldTrialDraw, wave: str) -> bytes:
    """The platform's export: three header rows, then one row a response, in order of arrival."""
    asked = list(fields_of(survey_fields(draw.plan), "survey", wave))
    rng = stream(draw.seed, f"survey {wave}")
    responses = _responses(draw, asked, wave, rng)
    opening = {block.id: block.survey_opened or dt.date(2021, 1, 4) for block in draw.plan.blocks}
    identifiers = tokens(len(responses), draw.seed, f"responses {wave}", 15)
    numbers = stream(draw.seed, "recipients").permutation(len(draw.people)) + 1
    blocks = draw.people["block"].to_numpy()
    rows = []
    for response, identifier in zip(responses, identifiers, strict=True):
        start = opening[blocks[response.person]] - (BASELINE_LEAD if wave == "baseline" else dt.timedelta(0))
        begun = dt.datetime.combine(start + dt.timedelta(days=response.day), dt.time()) + dt.timedelta(
            seconds=int(rng.integers(8 * 3600, 18 * 3600))
        )
        seconds = max(25, int(rng.lognormal(5.9, 0.4) * response.progress / 100))
        rows.append(
            response_row(
                asked,
                identifier=identifier,
                begun=begun,
                seconds=seconds,
                progress=response.progress,
                person=numbers[response.person],
                code=response.code,
                answers=response.answers,
                preview=response.preview,
            )
        )
    return platform_export(asked, rows, question=_question)


def _question(field: Field) -> str:
    if field.name == "consent":
        return "I agree to take part in the research"
    ends = "" if field.minimum is None or field.maximum is None else f" ({field.minimum:g} to {field.maximum:g})"
    return f"{field.meaning or field.name}{ends}"


def _responses(draw: FieldTrialDraw, asked: list[Field], wave: str, rng: np.random.Generator) -> list[_Response]:
    a, which, people = draw.assumptions, int(wave == "endline"), draw.people
    suffix = ("t1", "t2")[which]
    codes = _codes(draw)
    responds = np.flatnonzero(people[f"responds_{suffix}"])
    silent = rng.permutation(np.flatnonzero(~people[f"responds_{suffix}"] & ~people["left"]))
    declined, abandoned, others = np.split(silent, np.cumsum([a.declined[which], a.abandoned[which]]))
    unknown = tokens(a.unmatched[which], draw.seed, f"unknown codes {wave}", 10)
    answers, found = _with_gaps(draw)
    columns = {str(name): answers[name].to_numpy() for name in answers}
    gaps = found if wave == "endline" else {}
    recall = _recall(draw, rng) if wave == "endline" else {}
    whole = [person for person in responds.tolist() if person not in gaps]
    again = set(rng.choice(whole, a.duplicates[which], replace=False).tolist())
    weeks = people["week"].to_numpy()
    last = len(a.responses_by_week) - 1
    made: list[_Response] = []

    def day_of(week: int) -> int:
        # Working days; those of the last week came at its start (R12).
        return 7 * week + int(rng.integers(0, 2 if which and week == last else 5))

    def given_by(person: int) -> dict[str, str]:
        given = {"consent": "Agree"}
        for field in asked:
            column = f"{field.name}_{suffix}"
            if column in columns:
                value = columns[column][person]
                given[field.name] = "" if pd.isna(value) or field.name in gaps.get(person, ()) else f"{value:g}"
        if person in recall:
            given["recall"] = recall[person]
        return given

    for person in responds.tolist():
        week = int(weeks[person]) if which else int(rng.integers(0, 3))
        day, given = day_of(week), given_by(person)
        missed = [field.name for field in asked[1:] if not given.get(field.name) and field.name in gaps.get(person, ())]
        progress = 100 if len(missed) < FIRST_ITEMS else round(100 * (len(asked) - len(missed)) / len(asked))
        if person in again:
            cut = int(rng.integers(1 + FIRST_ITEMS, len(asked) - 1))
            early = {field.name: given.get(field.name, "") for field in asked[:cut]}
            made.append(
                _Response(
                    person=person,
                    code=codes[person],
                    day=max(0, day - 1),
                    answers=early,
                    progress=round(100 * cut / len(asked)),
                )
            )
            day += 1  # the attempt that counts comes later; still in the same week, since days end on the fifth
        made.append(_Response(person=person, code=codes[person], day=day, answers=given, progress=progress))
    made += [
        _Response(person=person, code=codes[person], day=day_of(0), answers={"consent": "Disagree"}, progress=100)
        for person in declined.tolist()
    ]
    made += [
        _Response(person=person, code=codes[person], day=day_of(0), answers={"consent": "Agree"}, progress=4)
        for person in abandoned.tolist()
    ]
    strange = given_by(int(responds[0]))
    made += [
        _Response(person=int(others[0]), code=code, day=day_of(1), answers=strange, progress=100) for code in unknown
    ]
    trial = _Response(person=int(others[1]), code="", day=0, answers=strange, progress=100, preview=True)
    made += [trial] * a.previews[which]
    return made


def _with_gaps(draw: FieldTrialDraw) -> tuple[pd.DataFrame, dict[int, set[str]]]:
    """The answers to write, and the items that each respondent with a gap left out.

    The draw left the items of an unknown outcome empty. Where no later outcome is known the person broke off
    there; else one item was skipped, and the others get the answers of somebody of the same arm.
    """
    plan, people, answers = draw.plan, draw.people, draw.answers.copy()
    outcomes = [
        [item for name in plan.outcomes[key].scales for item in plan.scales[name].items]
        for key in draw.assumptions.printed
    ]
    columns = [[f"{item}_t2" for item in items] for items in outcomes]
    known = np.column_stack([answers[names].notna().all(axis="columns") for names in columns])
    gaps: dict[int, set[str]] = {}
    for person in np.flatnonzero(
        people["responds_t2"].to_numpy(dtype=bool) & np.logical_not(known.all(axis=1))
    ).tolist():
        last = max((place for place in range(len(outcomes)) if known[person, place]), default=-1)
        for place in np.flatnonzero(~known[person]).tolist():
            gaps.setdefault(person, set()).update(outcomes[place] if place > last else outcomes[place][:1])
            if place < last:
                same_arm = (people["arm"] == people["arm"].iloc[person]).to_numpy()
                donor = int(np.flatnonzero(known[:, place] & same_arm)[0])
                answers.loc[person, columns[place]] = answers.loc[donor, columns[place]].to_numpy()
    return answers, gaps


def _recall(draw: FieldTrialDraw, rng: np.random.Generator) -> dict[int, str]:
    """Answers of the treated to the recall question; the rest skipped it."""
    said = [answer for answer, count in draw.assumptions.recall.items() for _ in range(count)]
    treated = np.flatnonzero((draw.people["arm"] == "treatment") & draw.people["responds_t2"])
    chosen = rng.permutation(treated)[: len(said)]
    return dict(zip(chosen.tolist(), said, strict=True))
