"""Whose answers are these? Duplicates resolved, consent respected, responses matched to staff by code."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from hhp_stats.intake.dictionary import Study
from hhp_stats.intake.lists import ListFile
from hhp_stats.intake.pseudonym import Pseudonyms
from hhp_stats.intake.rule import Breach, breach_problems
from hhp_stats.intake.rules_linkage import DUPLICATES, OUT_OF_TIME, check_codes, late_or_early
from hhp_stats.intake.survey import SurveyFile
from hhp_stats.plan.thresholds import Threshold

SUFFIX = {"baseline": "_t1", "endline": "_t2"}
LINKAGE_COLUMNS = (
    "wave",
    "local_authority",
    "treatment",
    "people",
    "responses",
    "consented",
    "duplicates",
    "used",
    "matched",
    "unmatched",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The survey of one wave after all decisions: one row per response, and which of them counts.

    `responses` has the columns person, local_authority (both empty where unknown), consented, duplicate, used;
    `items` the answers of the same rows.
    """

    wave: str
    responses: pd.DataFrame
    items: pd.DataFrame
    item_names: tuple[str, ...]


def counted_response(meta: pd.DataFrame, consent: pd.Series, answered: pd.Series) -> pd.DataFrame:
    """Which response of each person counts?

    People are told apart by survey code, else by the pseudonym of name and e-mail address, else every response is a
    person. If the last response with an answer to the consent question refuses, none counts. Otherwise, among those
    with consent, the last finished one counts, else the one with most answers (the later of equals).
    Columns of the result: key, used, duplicate (consented but not used because another one counts).
    """
    key = meta["code"].where(meta["code"].ne(""), "c:" + meta["contact"])
    key = key.where(key.ne("c:"), "r:" + meta["response"])
    frame = pd.DataFrame(
        {
            "key": key,
            "consent": consent,
            "finished": meta["finished"],
            "answered": answered,
            "recorded": meta["recorded"],
            "preview": meta["preview"],
            "order": meta["response"],
        },
        index=meta.index,
    )
    real = frame[~frame["preview"].astype(bool)].sort_values(["recorded", "order"], kind="stable")
    said = real[real["consent"].notna()]
    last_word = said.groupby("key", sort=False)["consent"].last()
    willing = said[said["consent"].eq("agree") & said["key"].map(last_word).eq("agree")].copy()
    willing["amount"] = willing["answered"].where(~willing["finished"], 0)
    ranked = willing.sort_values(["finished", "amount", "recorded", "order"], kind="stable")
    used = ranked.groupby("key", sort=False).tail(1).index
    agreed = said.index[said["consent"].eq("agree")]
    result = pd.DataFrame({"key": key, "used": False, "duplicate": False}, index=meta.index)
    result.loc[used, "used"] = True
    result.loc[agreed.difference(used), "duplicate"] = True
    return result


def link(
    survey: SurveyFile,
    linkage: ListFile,
    *,
    study: Study,
    pseudonyms: Pseudonyms,
    limit: Threshold | None = None,
) -> Answers:
    """Matches the responses of one wave to staff; adds what does not match to the survey's problems (`limit`: rule
    S24).
    """
    names = tuple(name for name in survey.fields if name != "consent")
    items = survey.frame[list(names)]
    scale = [name for name, spec in survey.fields.items() if spec.is_scale_item]
    answered = items[scale].notna().sum(axis=1)
    consent = survey.frame["consent"]
    decided = counted_response(survey.meta, consent, answered)
    known = linkage.frame.dropna(subset=["survey_code", "local_authority", "staff_id"]).drop_duplicates("survey_code")
    person = dict(
        zip(
            known["survey_code"],
            (pseudonyms.of(la, staff) for la, staff in zip(known["local_authority"], known["staff_id"], strict=True)),
            strict=True,
        )
    )
    authority = dict(zip(known["survey_code"], known["local_authority"], strict=True))
    responses = pd.DataFrame(
        {
            "person": survey.meta["code"].map(person).astype("object").fillna("").astype("str"),
            "local_authority": survey.meta["code"].map(authority).astype("object").fillna("").astype("str"),
            "consented": consent.eq("agree") & ~survey.meta["preview"],
            "preview": survey.meta["preview"],
            "duplicate": decided["duplicate"],
            "used": decided["used"],
            "scale_items": answered,
        }
    )
    _say(survey, responses, study)
    check_codes(survey, known["survey_code"], known["local_authority"], responses["used"], limit)
    return Answers(wave=survey.wave, responses=responses, items=items, item_names=names)


def _say(survey: SurveyFile, responses: pd.DataFrame, study: Study) -> None:
    timely = late_or_early(survey, responses["local_authority"].where(responses["used"], ""), study)
    survey.problems += breach_problems(OUT_OF_TIME, survey, timely)
    if responses["duplicate"].any():
        first = int(responses["duplicate"].to_numpy().argmax())
        breach = Breach("ResponseId", first, f"{int(responses['duplicate'].sum())} responses set aside")
        survey.problems += breach_problems(DUPLICATES, survey, [breach])


def linkage_frame(waves: list[Answers], people: pd.DataFrame) -> pd.DataFrame:
    """How many responses arrived, agreed, counted and matched, by wave, authority and arm?

    `people` counts the randomised staff of the group; responses of unknown people stand in a row without authority.
    """
    arm_of = people.set_index("person")["treatment"]
    groups = ["local_authority", "treatment"]
    sizes = people[people["randomised"]].fillna({"treatment": -1.0}).groupby(groups).size().rename("people")
    frames = []
    for answers in waves:
        frame = answers.responses[~answers.responses["preview"]].copy()
        known = frame["person"].isin(arm_of.index)
        frame["local_authority"] = frame["local_authority"].where(known, "")
        frame["treatment"] = frame["person"].map(arm_of).astype(float).fillna(-1.0)
        frame["matched"], frame["unmatched"] = frame["used"] & known, frame["used"] & ~known
        frame["responses"], frame["duplicates"] = True, frame["duplicate"]
        counted = ["responses", "consented", "duplicates", "used", "matched", "unmatched"]
        counts = frame.groupby(groups)[counted].sum()
        table = pd.concat([sizes, counts], axis=1).fillna(0).astype("int64").sort_index().reset_index()
        frames.append(table.assign(wave=answers.wave))
    if not frames:
        return pd.DataFrame(columns=list(LINKAGE_COLUMNS))
    stacked = pd.concat(frames, ignore_index=True)[list(LINKAGE_COLUMNS)]
    stacked["treatment"] = stacked["treatment"].where(stacked["treatment"] >= 0)
    return stacked.astype({"wave": "str", "local_authority": "str"})
