"""Chapter 11, tables: every effect, samples planned and achieved, and trials two at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
from great_tables import GT

from hhp_stats.plan.individual import IndividualPlan
from hhp_stats.plan.returns_schema import ReturnsPlan
from hhp_stats.present.numbers import MISSING, count, interval, level, number, p_value, percent
from hhp_stats.present.standardised_effects import StandardisedEffects
from hhp_stats.present.tables import aligned, plain_table
from hhp_stats.studies.across import pairwise_differences


def effects_table(side: StandardisedEffects) -> GT:
    """Every effect with interval, p, df and people, by study."""
    cells = [
        {
            "Outcome": row["label"],
            "of": side.names[row["study"]],
            "Effect": number(row["estimate"]),
            f"{level(row['conf_level'])} CI": interval(row["conf_low"], row["conf_high"]),
            "p": p_value(row["p_value"]),
            "df": _df(row["df"]),
            "People": count(row["n"]),
        }
        for row in side.effects.to_dict("records")
    ]
    _align(cells, "Effect", "p", "df")
    return plain_table(
        pd.DataFrame(cells),
        stub="Outcome",
        groups="of",
        notes=[
            "Hedges\u2019 g: difference of the arms over the standard deviation of individual people, with"
            " signs reversed"
            " where needed so that above zero is better. Intervals and p-values are those of g; the chapters have those"
            " of the difference itself, which may differ in the last digit." + side.sign_note()
        ],
    )


def samples(side: StandardisedEffects) -> GT:
    """Planned against achieved samples and the effects that they can detect."""
    cells = []
    frame = side.results.set_index("result_id")

    def cell(result_id: str, column: str) -> Any:
        return frame[column].get(result_id)

    for study in dict.fromkeys(side.effects["study"]):
        planned, achieved = (power_row(side, study, name) for name in ("planned", "achieved"))
        cells.append(
            {
                "Study": side.names[study],
                "People, planned": _or_missing(cell(planned, "n"), count),
                "People, analysed": _or_missing(cell(achieved, "n"), count),
                "Effect aimed at": _or_missing(_aim(side, study, cell(planned, "estimate")), number),
                "Found by planned people": _or_missing(cell(planned, "estimate"), number),
                "Found by those analysed": _or_missing(cell(achieved, "estimate"), number),
            }
        )
    unknown = any(text == MISSING for line in cells for text in line.values())
    return plain_table(
        pd.DataFrame(cells),
        stub="Study",
        notes=[
            "People whose outcome is or was to be analysed, and the smallest difference, in standard deviations, that"
            f" so many can detect with a power of {_rates(side)}. The effect aimed at is the one that the"
            " plan gives."
            " Where the plan gives no number of people, it is the number randomised times the expected"
            " response, which can"
            f" detect a different effect. {_outcomes_aimed_at(side)} Where whole teams or buildings were"
            " randomised,"
            " their sizes and the similarity of colleagues are taken into account." + side.sign_note(),
            *([f"{MISSING}: no plan of the trial gives it."] if unknown else []),
        ],
    )


def _outcomes_aimed_at(side: StandardisedEffects) -> str:
    """Which outcome the detectable effects are about: what most trials measure, or a trial's own primary outcome."""
    studies = list(dict.fromkeys(side.effects["study"]))
    others = [study for study in studies if not side.construct or side.primary(study).construct != side.construct]
    named = [f"{side.names[study]}: {side.inside(study, side.primary(study).label)}" for study in others]
    rest = [f"the others: {side.construct}"] if named and len(named) < len(studies) else []
    return f"{'; '.join([*named, *rest]) or f'All: {side.construct}'}."


def _key(plan: ReturnsPlan | IndividualPlan, role: str) -> str:
    return next(key for key, outcome in plan.outcomes.items() if outcome.role == role)


def _rates(side: StandardisedEffects) -> str:
    """The power and the level that the trials' plans ask of their samples; each pair where they differ."""
    asked: dict[tuple[float, float], None] = {}
    for study in dict.fromkeys(side.effects["study"]):
        for entry in side.plan(study).power.values():
            asked[entry.power, entry.alpha] = None
    return " or ".join(f"{percent(power, 0)} at a two-sided {percent(alpha, 0)}" for power, alpha in asked)


def power_row(side: StandardisedEffects, study: str, name: str) -> str:
    """The result id of a detectable effect: by the formula of the trial's own design, that for clusters where it has
    them.
    """
    found = side.results["result_id"]
    of_protocol = found[found.str.startswith(f"{study}/power/mdes/") & found.str.endswith(f"-{name}")]
    if len(of_protocol):
        return str(of_protocol.iloc[0])
    outcomes = (*side.outcomes_compared(study), _key(side.plan(study), "primary"))
    clustered = found[found.isin([f"{study}/{outcome}/mde_{name}/clustered" for outcome in outcomes])]
    return str(clustered.iloc[0]) if len(clustered) else f"{study}/power/mde_{name}/formula"


def _aim(side: StandardisedEffects, study: str, computed: Any) -> Any:
    """The effect that a plan prints; where the printed effect rests on the printed formula, that one."""
    plan = side.plan(study)
    if isinstance(plan, ReturnsPlan):
        return computed
    entry = plan.power.get("planned")
    return None if entry is None else entry.printed


def _or_missing(value: Any, shown: Callable[[Any], str]) -> str:
    return MISSING if value is None or pd.isna(value) else shown(value)


def pairs(side: StandardisedEffects) -> GT:
    """Effects on what most trials measure, two trials at a time."""
    rows = side.comparable()
    conf_level = float(rows["conf_level"].max())
    cells = [
        {
            "Difference between": f"{row['first']} and {row['second']}",
            "Difference": number(row["estimate"]),
            f"{level(conf_level)} CI": interval(row["conf_low"], row["conf_high"]),
            "p": p_value(row["p_value"]),
            "Holm p": p_value(row["p_adjusted"]),
            "df": _df(row["df"]),
        }
        for row in pairwise_differences(rows, conf_level=conf_level).to_dict("records")
    ]
    _align(cells, "Difference", "p", "Holm p", "df")
    return plain_table(
        pd.DataFrame(cells),
        stub="Difference between",
        notes=[
            f"First minus second effect on {side.shared} in standard deviations. Holm p: adjusted over all pairs."
            + side.sign_note()
        ],
    )


def _align(cells: list[dict[str, str]], *columns: str) -> None:
    """Decimal points below each other, in the columns of numbers of a table that is being made."""
    for column in columns:
        for cell, text in zip(cells, aligned([cell[column] for cell in cells]), strict=True):
            cell[column] = text


def _df(df: float) -> str:
    return "normal" if df == float("inf") else number(df, 0 if float(df).is_integer() else 1)
