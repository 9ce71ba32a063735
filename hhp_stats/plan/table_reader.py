"""The tables of a plan that only a trial on a plain table has: read strictly, and joined with what they leave
unsaid.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hhp_stats.errors import PlanError
from hhp_stats.plan.catalogue import PLANS
from hhp_stats.plan.conditions import in_codes
from hhp_stats.plan.individual_schema import IndividualOutcome, IndividualPlan
from hhp_stats.plan.nearest import meant
from hhp_stats.plan.plan_file import PlanFile
from hhp_stats.plan.schema import Population
from hhp_stats.plan.table_analyses import analyses_of, filled_in, settled_model
from hhp_stats.plan.table_dictionary import read_table_dictionary, words_of_codes
from hhp_stats.plan.table_plan import (
    contrast_by_result,
    design_in_words,
    named_arms,
    outcomes_of,
    populations_of,
    terms_of,
    with_dictionary,
)
from hhp_stats.plan.table_schema import BalancePlan, DataTable, ModelDefaults, TableColumn, Words


def check_short(file: str, raw: Mapping[str, Any]) -> None:
    """Refuses the lists of surveys in a plan of a plain table."""
    for key in ("scales", "questions", "blocks", "terms", "periods"):
        if key in raw:
            raise PlanError(
                file,
                key,
                "is for surveys and lists; the plan has the table [data].",
                "Leave it out: the dictionary says what the columns hold.",
            )


def described_table(source: PlanFile) -> DataTable:
    """Where the plain table of a plan lies, and its dictionary; refuses (PlanError) one that lies elsewhere."""
    data = source.one("data", DataTable, source.raw["data"], "person", "dictionary")
    usual = f"{PLANS}/{source.study}.dictionary.csv"
    if data.dictionary and not re.fullmatch(rf"{PLANS}/[^/\\]+\.csv", data.dictionary):
        raise PlanError(
            source.file,
            "data",
            f"has the dictionary {data.dictionary!r}.",
            f"Put it under {usual}, or leave the key out.",
        )
    return replace(data, dictionary=data.dictionary or usual)


def in_codes_of(
    file: str, populations: Mapping[str, Population], columns: Mapping[str, TableColumn]
) -> dict[str, Population]:
    """The populations with the words of zeros and ones in their conditions as codes; refuses as `in_codes`."""
    words = words_of_codes(columns)
    return {
        name: replace(each, where=in_codes(file, f"populations {each.id}", each.where, words))
        for name, each in populations.items()
    }


def words_of(source: PlanFile) -> Words:
    """What people and clusters are called; refuses (PlanError) a word without its plural."""
    words = source.record("words", Words) or Words()
    for key, pair in (("person", words.person), ("cluster", words.cluster)):
        if len(pair) != 2:
            raise PlanError(
                source.file,
                "words",
                f"has {list(pair)} under {key!r}.",
                'Write singular and plural: ["pupil", "pupils"].',
            )
    return words


def on_a_table(source: PlanFile, plan: IndividualPlan) -> IndividualPlan:
    """The plan of a trial on a plain table, with all that its dictionary and its model leave unsaid."""
    file, raw = source.file, source.raw
    data = described_table(source)
    columns = read_table_dictionary(source.root, data.dictionary)
    waves = raw.get("waves", {})
    if not isinstance(waves, Mapping) or not all(isinstance(label, str) and label for label in waves.values()):
        raise PlanError(
            file, "waves", "holds something else than names.", 'Write what each wave is called: month_2 = "two months".'
        )
    with_dictionary(file, plan.study, data, columns, plan.design)
    arms, ids = named_arms(file, plan.arms)
    design = design_in_words(plan.design, plan.words)
    outcomes, terms = outcomes_of(file, plan.outcomes, columns, waves), terms_of(columns)
    defaults = source.record("model", ModelDefaults, "covariance", "df") or ModelDefaults()
    model = settled_model(file, defaults, design=design, outcomes=outcomes, terms=terms)
    shown = source.record("balance", BalancePlan) or BalancePlan()
    given = [filled_in(entry, design, ids) for entry in plan.analyses]
    contrast = contrast_by_result(plan.contrast, ids) or f"{arms[1].id} minus {arms[0].id}"
    known = [f"{a} minus {b}" for a in ids for b in ids if a != b]
    if plan.contrast and plan.contrast not in known:
        raise PlanError(
            file, "contrast", f"is {plan.contrast!r}.", f"{meant(plan.contrast, known)}Use one of: {', '.join(known)}."
        )
    return replace(
        plan,
        data=data,
        columns=columns,
        arms=arms,
        design=design,
        outcomes=outcomes,
        terms=terms,
        model=model,
        contrast=contrast,
        populations=populations_of(in_codes_of(file, plan.populations, columns), plan.words),
        waves=dict(waves),
        balance=shown.columns or _balance(model, outcomes, columns),
        analyses=analyses_of(model=model, design=design, outcomes=outcomes, arms=arms, given=given, words=plan.words),
    )


def _balance(
    model: ModelDefaults, outcomes: Mapping[str, IndividualOutcome], columns: Mapping[str, TableColumn]
) -> tuple[str, ...]:
    """The columns that show balance where the plan names none: every baseline, and the terms of the model."""
    before = [outcome.baseline for outcome in outcomes.values() if outcome.baseline]
    return tuple(dict.fromkeys([*before, *(term for term in model.terms if term in columns)]))
