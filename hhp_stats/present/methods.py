"""The validation tables of appendix E: reference numbers beside ours, computed when the report is rendered."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from functools import cache

import pandas as pd
from great_tables import GT

from hhp_stats.consistency.validation.case import ValidationCase
from hhp_stats.consistency.validation.registry import CASES, FURTHER_TESTS, METHODS, cases_of, validation_table
from hhp_stats.files.project_root import find_root
from hhp_stats.plan.catalogue import study_names
from hhp_stats.present.marks import presented
from hhp_stats.present.numbers import MINUS, MISSING, count, number, plural
from hhp_stats.present.study_results import PUBLISHED
from hhp_stats.present.tables import plain_table
from hhp_stats.studies.second_table import Coverage, coverage

# Two digits more than the reference, so that the reader sees our number round to it.
EXTRA_DIGITS = 2


@cache  # the chapter asks three times
def _compared(cases: tuple[ValidationCase, ...]) -> pd.DataFrame:
    return validation_table(cases)


def _all_compared() -> pd.DataFrame:
    """The cases of every method, in the order of the registry."""
    methods = dict.fromkeys(case.method for case in CASES)
    return pd.concat([_compared(_here(cases_of(method))) for method in methods], ignore_index=True)


@presented
def table(method: str) -> GT:
    """The cases of one method: quantity, reference, ours, source; raises where one disagrees."""
    cases = _here(cases_of(method))
    found = _compared(cases)
    cells = pd.DataFrame(
        {
            "Quantity": [case.quantity for case in cases],
            "Reference": [_reference(case) for case in cases],
            "Ours": [_ours(case, ours) for case, ours in zip(cases, found["ours"], strict=True)],
            "Source": [case.source for case in cases],
        }
    )
    further = "; ".join(f"{tests.path} ({tests.against})" for tests in FURTHER_TESTS[method])
    shown = plain_table(cells, stub="Quantity", notes=[f"Further checks in the tests: {further}."])
    return shown.cols_align("left", columns=["Source"])


def _here(cases: Sequence[ValidationCase]) -> tuple[ValidationCase, ...]:
    """The cases of this report: those that rest on a printed figure of a study which it does not hold are left out."""
    with (find_root() / PUBLISHED).open(encoding="utf-8", newline="") as stream:
        printed = {row["id"] for row in csv.DictReader(stream)}
    return tuple(case for case in cases if not case.figure or case.figure in printed)


@presented
def overview() -> GT:
    """How many reference numbers each method has, and on how many digits ours agree with them."""
    found = _all_compared()
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
        pd.DataFrame(rows),
        stub="Method",
        notes=[
            "Digits: significant digits on which ours and the reference agree, at most 15. A source that prints "
            "three digits cannot agree on more."
        ],
    )


def agreement() -> str:
    """One sentence: how many reference numbers were recomputed for this edition, and with what outcome."""
    found = _all_compared()
    return (
        f"When this edition was rendered, {plural(len(found), 'reference number')} for"
        f" {plural(found['method'].nunique(), 'method')} were recomputed, and each of ours agrees with its reference to"
        " the last digit that the source prints."
    )


@presented
def second_overview() -> GT:
    """Planned results by study: how many exist, how many another library has computed again, and the largest
    difference.
    """
    found, names = coverage(find_root()), study_names(find_root())
    rows = []
    for study, part in found.table.groupby(found.table["result_id"].str.split("/").str[0], sort=False):
        own = Coverage(table=part)
        rows.append(
            {
                "Study": names[str(study)],
                "Planned results": count(len(own.estimated)),
                "Computed again": count(len(own.covered)),
                "Every number compared": count(len(own.whole)),
                "Largest relative difference": _power(own.gap),
            }
        )
    notes = ["Compared are estimate, standard error, degrees of freedom, p-value and both ends of the interval."]
    return plain_table(pd.DataFrame(rows), stub="Study", notes=notes)


@presented
def second_left_out() -> GT:
    """Why planned results are not, or not wholly, computed by statsmodels or linearmodels: reasons and how many rows
    each has.
    """
    found = coverage(find_root()).estimated
    counted = found.loc[found["reason"] != "", "reason"].value_counts(sort=True)
    rows = [
        {"Why": f"{str(why)[0].upper()}{str(why)[1:]}.", "Planned results": count(int(many))}
        for why, many in counted.items()
    ]
    shown = plain_table(pd.DataFrame(rows, columns=["Why", "Planned results"]), stub="Why")
    return shown.cols_align("left", columns=["Why"])


def second_agreement() -> str:
    """One sentence: how many planned results other libraries have computed again, and how far they are from ours."""
    found = coverage(find_root())
    if found.covered.empty:
        return "No planned result of this edition can be computed again by another library."
    return (
        f"Of {plural(len(found.estimated), 'planned result')} of this edition, {count(len(found.covered))} were"
        f" computed a second time, by {' and '.join(sorted(set(found.covered['programme'])))}, and all agree; the"
        f" largest relative difference is {_power(found.gap)}. Every number of the row was compared in"
        f" {count(len(found.whole))} of them, the estimate alone in {count(len(found.covered) - len(found.whole))}."
    )


def _power(gap: float) -> str:
    """A tiny number as a power of ten, rounded up: a bound."""
    if math.isnan(gap):
        return MISSING
    if gap == 0:
        return "none"
    power = math.ceil(math.log10(gap))
    return "below 10" + str(power).translate(
        str.maketrans("-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")
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
