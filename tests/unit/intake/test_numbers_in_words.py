"""A column of numbers that are written in words, such as three degrees of satisfaction: the dictionary says what each
counts as, and nothing else is read.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from hhp_stats.errors import DataError, PlanError
from hhp_stats.intake.correct import Change
from hhp_stats.intake.correct_table import append_table_corrections
from hhp_stats.intake.manifest import record_files
from hhp_stats.intake.plain_table import load_plain_table
from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.present import field_trials, standard_parts
from hhp_stats.studies.field_trial import run_field_trial

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from table_trials import DICTIONARY, KEY, PLAN, walks, with_a_key, without_other_trials, write_walks

WORDS = f"{DICTIONARY.replace('fell,Fell within a year,0/1,,,,,', 'fell,Fell within a year,0/1,,,,stood|fell,')}mood,Satisfaction,number,degrees,,,none=0|Some=1|a lot=2.5,-8\n"
OUTCOME = '[[outcomes]]\nid = "content"\nlabel = "Satisfaction"\nbetter = "higher"\ncolumn = "mood"\n\n[model]'


@pytest.fixture(scope="module")
def small(root, tmp_path_factory):
    return without_other_trials(root, tmp_path_factory.mktemp("words") / "project")


@pytest.fixture
def home(small, tmp_path):
    shutil.rmtree(small / "data/tables", ignore_errors=True)
    with with_a_key(tmp_path):
        yield small


def with_mood():
    table = walks().assign(
        fell=lambda t: t["fell"].map({0: "stood", 1: "fell"}), mood=np.tile(["none", "some", "A lot ", "none"], 60)
    )
    table.loc[[4, 5], "mood"] = ["-8", ""]
    return table


def test_words_count_as_the_dictionary_says_and_the_effect_rests_on_them(home):
    table = with_mood()
    write_walks(home, table, plan=PLAN.replace("[model]", OUTCOME), dictionary=WORDS)
    people = load_plain_table(home, load_individual_plan(home, KEY)).people
    known = table["mood"].str.strip().str.casefold().map({"none": 0.0, "some": 1.0, "a lot": 2.5})
    assert people["mood"].value_counts().to_dict() == known.value_counts().to_dict()
    assert people["mood"].isna().sum() == 2  # the code and the blank; "none" is a word of the column
    output = run_field_trial(home, KEY)
    output.write(home)
    row = output.results.set_index("result_id").loc[f"{KEY}/content/itt_coach/cr2-unadjusted"]
    by_arm = known.groupby(table["offered"]).mean()
    assert row["estimate"] == pytest.approx(by_arm["coach"] - by_arm["usual care"], rel=1e-12)
    assert "none (0), Some (1), a lot (2.5)" in field_trials.chapter(KEY, root=home).table("measures").as_raw_html()
    assert "none (0), Some (1), a lot (2.5)" in standard_parts.parts(KEY, root=home).dictionary().as_raw_html()


@pytest.mark.parametrize("value", ["much", "1", 1, 2.5])
def test_nothing_else_is_read(home, value):
    """In a workbook too, where a figure may be one: the words are the column's only values."""
    table = with_mood().astype(object)
    table.loc[6, "mood"] = value
    write_walks(home, None, plan=PLAN.replace("walks.csv", "walks.xlsx"), dictionary=WORDS)
    book = openpyxl.Workbook()
    for row in [list(table.columns), *table.to_numpy().tolist()]:
        book.active.append([None if cell != cell else cell for cell in row])
    book.save(home / f"data/tables/{KEY}.xlsx")
    record_files(home)
    with pytest.raises(DataError) as refused:
        load_plain_table(home, load_individual_plan(home, KEY))
    assert [(each.code, each.cell) for each in refused.value.problems] == [("T08", "M8")]
    assert "where none or Some or a lot should stand" in refused.value.problems[0].value


@pytest.mark.parametrize("listed", ["low|high", "low=1|high", "low=1|LOW=2", "=1|high=2", "low=one|high=2", "low=nan"])
def test_words_without_a_number_of_their_own_are_refused(home, listed):
    write_walks(home, with_mood(), dictionary=WORDS.replace("none=0|Some=1|a lot=2.5", listed))
    with pytest.raises(PlanError, match="Write what each word counts as"):
        load_individual_plan(home, KEY)


def test_a_correction_is_written_as_the_table_is(home):
    write_walks(home, with_mood(), dictionary=WORDS)
    (home / "_quarto.yml").write_text("book:\n", encoding="utf-8")
    fell = walks()["fell"][0]
    asked = [Change(field="mood", new_value="a lot"), Change(field="fell", new_value="stood" if fell else "fell")]
    why = {"reason": "typed wrongly", "requested_by": "The surgery", "received_on": "2024-06-01"}
    append_table_corrections(home, study=KEY, person="P0000", changes=asked, **why)
    people = load_plain_table(home, load_individual_plan(home, KEY)).people
    assert (people.loc[0, "mood"], people.loc[0, "fell"]) == (2.5, 1 - fell)
    (home / "data/corrections.csv").unlink()
