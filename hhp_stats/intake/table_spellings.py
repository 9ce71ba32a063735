"""Which words of a plain table stand for no value, and which for numbers?"""

from __future__ import annotations

from pathlib import Path

from hhp_stats.intake.dictionary import load_dictionary
from hhp_stats.intake.spellings import Spellings, load_spellings, same
from hhp_stats.plan.individual_schema import IndividualPlan

_ZERO_ONE = {"0": "no", "1": "yes", "no": "no", "yes": "yes", "n": "no", "y": "yes", "false": "no", "true": "yes"}


def spellings_of_table(root: Path, plan: IndividualPlan) -> Spellings:
    """Words for "no value" as everywhere, but not those that are an allowed value of the table or one of its arms; zero
    and one in words, the usual ones, or in a column that has its own those alone; and the words of columns of numbers.
    """
    blank = load_spellings(root, load_dictionary(root)).of("blank")
    taken = {same(value) for column in plan.columns.values() for value in column.words}
    taken |= {same(str(arm.value)) for arm in plan.arms}
    own = {
        name: dict.fromkeys(_ZERO_ONE, "") | dict(zip(map(same, column.zero_one), ("no", "yes"), strict=True))
        for name, column in plan.columns.items()
        if column.zero_one
    }
    numbers = {
        name: {same(word): repr(number) for word, number in column.scale}
        for name, column in plan.columns.items()
        if column.scale
    }
    return Spellings(
        by_field={
            "blank": {form: word for form, word in blank.items() if form not in taken},
            "yes/no": _ZERO_ONE,
            **own,
        },
        numbers=numbers,
    )
