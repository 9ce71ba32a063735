"""Estimand cards of the goal-setting trial: what each main analysis estimates, one table an outcome."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from great_tables import GT

from hhp_stats.files.project_root import find_root
from hhp_stats.plan.estimands import Aim, EstimandCard, Strategy, load_estimands
from hhp_stats.plan.load import load_plan
from hhp_stats.plan.returns_schema import ReturnsPlan
from hhp_stats.present.escaped import EscapedTable
from hhp_stats.present.marks import presented

STRATEGIES: Mapping[Strategy, str] = {
    "treatment_policy": "Counted as observed (treatment policy)",
    "hypothetical": "As if it had not happened (hypothetical)",
    "while_in_post": "Only while in post (while on treatment)",
    "composite": "Counted in the outcome (composite)",
    "principal_stratum": "Only those it would happen to in either arm (principal stratum)",
    "outcome": "Is the outcome",
    "population": "Outside the population",
}
AIMS: Mapping[Aim, str] = {
    "this": "Analyses of this estimand and what they assume",
    "other": "Analyses of other estimands",
}
DEFINITION, EVENTS = "Definition", "Events after randomisation, and the strategy for each"


@presented
def estimand_card(outcome: str, *, beside: str = "", root: Path | None = None) -> GT:
    """The estimand of one outcome: definition, events after randomisation, analyses and their assumptions.

    With `beside`, the outcome of a card that readers have seen, lines that would repeat that card are left out and a
    note says so. Reads the plan alone. Refuses an outcome without an estimand (UnknownName) and an inconsistent plan
    (PlanError).
    """
    home = root or find_root()
    found = load_estimands(home)
    card, plan = found.card(outcome), load_plan(home, found.frame.study)
    rows = card_rows(card, plan)
    if beside:
        seen = card_rows(found.card(beside), plan)
        rows = [row for row in rows if row not in seen]
    table = EscapedTable(pd.DataFrame(rows), rowname_col="Attribute", groupname_col="group")
    table = table.tab_stubhead("Attribute").cols_align("left")
    if beside:
        label = plan.outcomes[beside].label.lower()
        table = table.tab_source_note(
            f"Not repeated: what is the same as for {label} (arms compared, unit of inference, other events)."
        )
    return table.tab_source_note(f"Clauses of the protocol: {', '.join(card.clauses)}.")


def card_rows(card: EstimandCard, plan: ReturnsPlan) -> list[dict[str, str]]:
    """The lines of a card: group, attribute, description; analyses that aim elsewhere come last."""
    frame, estimand = card.frame, card.estimand
    definition = {
        "Population": (
            f"{estimand.population_words} (In the plan: {plan.populations[estimand.population].label.lower()}.)"
        ),
        "Treatments compared": frame.treatment,
        "Outcome": f"{estimand.variable} Unit: {plan.outcomes[estimand.outcome].unit}.",
        "Summary measure": estimand.summary,
        "Unit of inference": frame.unit,
        "Alternative unit": frame.unit_alternative,
    }
    rows = [_row(DEFINITION, name, words) for name, words in definition.items()]
    rows += [
        _row(EVENTS, event.label, f"{STRATEGIES[handling.strategy]}. {handling.words}")
        for event, handling in card.handlings
    ]
    for aim, group in AIMS.items():
        rows += [
            _row(group, _name(analysis, plan), entry.assumes)
            for analysis, entry in card.analyses
            if entry.aims_at == aim
        ]
    return rows


def _row(group: str, attribute: str, words: str) -> dict[str, str]:
    return {"group": group, "Attribute": attribute, "Description": words}


def _name(analysis: str, plan: ReturnsPlan) -> str:
    entry = plan.analysis(analysis)
    return f"{entry.label} ({'' if entry.kind == 'planned' else entry.kind + ', '}{analysis})"
