"""More than one value for each withheld number, in every study that has a plan: found there, none listed by hand."""

import csv
from pathlib import Path

import numpy as np
import pytest
from disclosure_declared import read_everything
from disclosure_studies import kind_of, plans

from hhp_stats.running.run import studies_of

ROOT = Path(__file__).resolve().parents[2]
PLANS = plans(ROOT)
PUBLISHED = ("mapping_small_studies.csv", "public_small_counts.csv")


def keys(rule):
    return [key for key, raw in PLANS.items() if raw["disclosure"]["rule"] == rule]


def test_every_study_of_the_report_has_a_plan_that_is_attacked():
    assert set(PLANS) == {study.key for study in studies_of(ROOT)}
    assert {raw["disclosure"]["rule"] for raw in PLANS.values()} <= {"withhold", "printed before"}


def attacks():
    """Whole numbers everywhere; in a cluster trial, with its thousand printed numbers, they take minutes: shares of
    people first.
    """
    for study in keys("withhold"):
        if kind_of(PLANS[study]) == "cluster trial":
            yield pytest.param(study, False)
            yield pytest.param(study, True, marks=pytest.mark.slow)
        else:
            yield pytest.param(study, True)


@pytest.mark.parametrize(("study", "whole"), list(attacks()))
def test_more_than_one_value_for_each_withheld_number(output_of, public_of, study, whole):
    reader = read_everything(output_of(study), public_of(study))
    assert len(reader.facts) > 20
    assert reader.found_out(threshold=PLANS[study]["disclosure"]["threshold"], whole=whole) == {}


@pytest.mark.parametrize("study", keys("printed before"))
def test_a_small_number_of_a_pilot_is_that_of_people_whom_a_document_counts(output_of, public_of, root, study):
    output = output_of(study)
    reader = read_everything(output, public_of(study))
    folder = root / "data/published"
    named = {row["result_id"] for file in PUBLISHED for row in csv.DictReader((folder / file).open(encoding="utf-8"))}
    rows = {key: row for key, row in output.declared.rows.items() if key in named}
    known = {np.packbits(row.n if row.part is None else row.part).tobytes() for row in rows.values()}
    small = [
        (label, mask) for label, mask, number in reader.facts if 0 < number < PLANS[study]["disclosure"]["threshold"]
    ]
    assert small and all(np.packbits(mask).tobytes() in known for _, mask in small)
