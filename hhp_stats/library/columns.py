"""What does a column of a plain frame hold: numbers, text or dates? One answer for formulas, imputation and balance."""

from __future__ import annotations

import pandas as pd

from hhp_stats.errors import InvalidInput
from hhp_stats.regression.model_matrix import as_numbers


def as_held(values: pd.Series) -> pd.Series:
    """The column as what it holds, whatever type it was read as.

    True and false, also with gaps, become 1 and 0. A column of Python objects that are all numbers becomes numbers: as
    objects each number would be a level of its own, and a covariate a dummy a person. Of a category the levels that
    nobody has are left out, as R does. Text, numbers and dates stay as they are.

    Refuses a column that mixes text and numbers, or holds objects that are neither (InvalidInput, naming it).
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.remove_unused_categories()
    if pd.api.types.is_bool_dtype(values.dropna()):
        return pd.Series(as_numbers(values, name=str(values.name)), index=values.index, name=values.name)
    if values.dtype != object:
        return values
    kinds = {isinstance(value, str) for value in values.dropna()}
    if kinds == {True, False}:
        raise InvalidInput(
            f"{values.name} holds text and numbers: make one of them of it, so that the rule can be read"
        )
    if True in kinds:
        return values
    return pd.Series(as_numbers(values, name=str(values.name)), index=values.index, name=values.name)


def is_text(values: pd.Series) -> bool:
    """Does the column (`as_held`) hold levels, not numbers? Refuses dates (InvalidInput, naming it)."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return not pd.api.types.is_numeric_dtype(values.dtype.categories)
    if pd.api.types.is_datetime64_any_dtype(values) or pd.api.types.is_timedelta64_dtype(values):
        raise InvalidInput(f"{values.name} holds dates: give days or months since a date, or leave it out")
    return not pd.api.types.is_numeric_dtype(values)
