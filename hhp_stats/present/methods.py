"""The validation tables of appendix E: reference numbers beside ours, computed when the report is rendered."""

from __future__ import annotations

import pandas as pd
from great_tables import GT

from hhp_stats.consistency.validation.case import ValidationCase
from hhp_stats.consistency.validation_cases import FURTHER_TESTS, METHODS, cases_of, validation_table
from hhp_stats.present.marks import presented
from hhp_stats.present.numbers import MINUS, count, number, plural
from hhp_stats.present.tables import plain_table

# Two digits more than the reference, so that the reader sees our number round to it.
EXTRA_DIGITS = 2


@presented
def table(method: str) -> GT:
    """The cases of one method: quantity, reference, ours, source; raises where one disagrees."""
    cases = cases_of(method)
    found = validation_table(cases)
    cells = pd.DataFrame({
        "Quantity": [case.quantity for case in cases],
        "Reference": [_reference(case) for case in cases],
        "Ours": [_ours(case, ours) for case, ours in zip(cases, found["ours"], strict=True)],
        "Source": [case.source for case in cases],
    })  # fmt: skip
    further = "; ".join(f"{tests.path} ({tests.against})" for tests in FURTHER_TESTS[method])
    shown = plain_table(cells, stub="Quantity", notes=[f"Further checks in the tests: {further}."])
    return shown.cols_align("left", columns=["Source"])


@presented
def overview() -> GT:
    """How many reference numbers each method has, and on how many digits ours agree with them."""
    found = validation_table()
    groups = found.groupby("method", sort=False)
    rows = [
        {
            "Method": METHODS[str(method)],
            "Reference numbers": count(len(part)),
            "Digits of agreement, median": number(float(part["digits"].median()), 0),
        }
        for method, part in groups
    ]
    return plain_table(
        pd.DataFrame(rows), stub="Method",
        notes=["Digits: significant digits on which ours and the reference agree, at most 15. A source that prints "
               "three digits cannot agree on more."],
    )  # fmt: skip


def agreement() -> str:
    """One sentence: how many reference numbers were recomputed for this edition, and with what outcome."""
    found = validation_table()
    return (
        f"{plural(len(found), 'reference number')} for {plural(found['method'].nunique(), 'method')} were recomputed when "
        "this edition was rendered, and each of ours agrees with its reference to the last digit that the source prints."
    )


def _reference(case: ValidationCase) -> str:
    if case.truth:
        return "yes" if case.reference else "no"
    return case.printed.replace("-", MINUS) if "/" in case.printed else number(case.reference, case.printed_digits)


def _ours(case: ValidationCase, ours: float) -> str:
    if case.truth:
        return "yes" if ours else "no"
    if "/" in case.printed:
        return number(ours, 6)
    # An exact reference needs no more digits than it has: what follows is the dust of double precision.
    return number(ours, case.printed_digits + (0 if case.exact else EXTRA_DIGITS))
