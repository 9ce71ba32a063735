"""A column of zeros and ones in two words: corrections and conditions take the words and the codes, and errors speak
its words.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from hhp_stats.errors import DataError, PlanError
from hhp_stats.intake.correct import Change
from hhp_stats.intake.correct_table import append_table_corrections
from hhp_stats.intake.ledger import LEDGER
from hhp_stats.intake.plain_table import load_plain_table, read_plain_table
from hhp_stats.intake.pseudonym import KEY_VARIABLE
from hhp_stats.intake.tolerance import tolerance_frame
from hhp_stats.plan.conditions import in_codes, members, parse_condition
from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.scaffold.new_study import new_study

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from table_trials import DICTIONARY, KEY, PLAN, walks, without_other_trials, write_walks

WHY = {"received_on": "2025-03-01", "reason": "typed wrongly", "requested_by": "surgery office"}
POOR_GOOD = ("poor", "good")
OLDER = "where = \"years >= 60 and region == 'Coast'\""


@pytest.fixture(scope="module")
def small(root, tmp_path_factory):
    project = without_other_trials(root, tmp_path_factory.mktemp("words") / "project")
    (project / "_quarto.yml").write_text("book:\n", encoding="utf-8")
    return project


@pytest.fixture
def home(small, tmp_path, monkeypatch):
    """The made-up trial, whose column `fell` says poor for zero and good for one."""
    key = tmp_path / "key"
    key.write_bytes(np.random.default_rng(1).bytes(48))
    key.chmod(0o600)
    monkeypatch.setenv(KEY_VARIABLE, str(key))
    (small / LEDGER).unlink(missing_ok=True)
    return written(small)


def written(home, *, words=POOR_GOOD, where=""):
    table = walks()
    table["fell"] = [words[code] for code in table["fell"]]
    dictionary = DICTIONARY.replace(
        "fell,Fell within a year,0/1,,,,,", f"fell,Fell within a year,0/1,,,,{'|'.join(words)},"
    )
    assert dictionary != DICTIONARY and OLDER in PLAN
    return write_walks(home, table, plan=asking(where) if where else PLAN, dictionary=dictionary)


def asking(where):
    """The plan with another condition; of an outcome only an exploratory analysis may ask."""
    name = 'label = "Older patients on the coast"\n'
    assert PLAN.count(name) == 1
    return PLAN.replace(OLDER, f'where = "{where}"').replace(name, f'{name}kind = "exploratory"\n')


def correct(home, **changes):
    asked = [Change(field=name, new_value=value) for name, value in changes.items()]
    return append_table_corrections(home, study=KEY, person="P0003", changes=asked, **WHY)


@pytest.mark.parametrize("form", [str, lambda word: word.upper(), lambda word: str(POOR_GOOD.index(word))])
def test_a_correction_takes_words_and_codes_and_the_ledger_has_words(home, form):
    was = int(walks().loc[3, "fell"])
    (line,) = correct(home, fell=form(POOR_GOOD[1 - was]))
    assert line.old_value == POOR_GOOD[was] and line.new_value.casefold() == POOR_GOOD[1 - was]
    people = load_plain_table(home, load_individual_plan(home, KEY)).people
    assert people.loc[3, "fell"] == 1 - was
    (back,) = correct(home, fell=POOR_GOOD[was])
    assert back.old_value == POOR_GOOD[1 - was]


def test_refusals_speak_the_words_of_the_column(home):
    was = POOR_GOOD[int(walks().loc[3, "fell"])]
    for given in ("yes", "maybe", "2"):
        with pytest.raises(DataError) as raised:
            correct(home, fell=given)
        (problem,) = raised.value.problems
        assert problem.code == "E10" and problem.value.endswith(", allowed good or poor")
    for given in (was, str(POOR_GOOD.index(was))):
        with pytest.raises(DataError) as raised:
            correct(home, fell=given)
        (problem,) = raised.value.problems
        assert problem.code == "E11" and was in problem.value
    other = POOR_GOOD[1 - POOR_GOOD.index(was)]
    with pytest.raises(DataError) as raised:
        change = Change(field="fell", old_value=other, new_value=was)
        append_table_corrections(home, study=KEY, person="P0003", changes=[change], **WHY)
    (problem,) = raised.value.problems
    assert problem.code == "E09" and was in problem.value and other in problem.value
    assert "yes" not in problem.value and "no " not in problem.value


def test_habits_of_typing_are_told_in_the_words_of_the_column(small, home):
    table = walks()
    table["fell"] = [POOR_GOOD[code] for code in table["fell"]]
    table.loc[3, "fell"] = "GOOD"
    dictionary = DICTIONARY.replace("fell,Fell within a year,0/1,,,,,", "fell,Fell within a year,0/1,,,,poor|good,")
    write_walks(small, table, dictionary=dictionary)
    read = read_plain_table(home, load_individual_plan(home, KEY))
    told = [each for each in tolerance_frame(read.tolerances).to_dict("records") if "GOOD" in str(each)]
    assert told and "good" in str(told) and "yes" not in str(told)


def test_words_that_are_numbers_are_words_to_a_correction(small, home):
    written(small, words=("1", "2"))
    was = int(walks().loc[3, "fell"])
    (line,) = correct(home, fell=("2", "1")[was])
    assert (line.old_value, line.new_value) == (("1", "2")[was], ("2", "1")[was])


WHERE = [
    ("fell == 'good'", POOR_GOOD, 1),
    ("fell == 'Good'", POOR_GOOD, 1),
    ("fell != 'good'", POOR_GOOD, 0),
    ("fell == 1", POOR_GOOD, 1),
    ("fell == 0", POOR_GOOD, 0),
    ("fell == '1'", ("1", "2"), 0),
    ("fell == '2'", ("1", "2"), 1),
    ("fell == 2", ("1", "2"), 1),
    ("fell == 0", ("1", "2"), 0),
]


@pytest.mark.parametrize(("where", "words", "code"), WHERE)
def test_a_population_is_asked_for_in_words_or_codes(small, home, where, words, code):
    written(small, words=words, where=f"(years >= 60 or fell is known) and {where}")
    plan = load_individual_plan(home, KEY)
    people = load_plain_table(home, plan).people
    assert (members(people, plan.populations["older"].where) == (people["fell"] == code)).all()


def test_zeros_and_ones_without_words_are_no_and_yes(small, home):
    write_walks(small, plan=asking("fell == 'yes'"))
    found = load_individual_plan(home, KEY)
    assert found.populations["older"].where == "fell == 1"


REFUSED = [
    (
        "fell == 'god'",
        POOR_GOOD,
        r"populations older: asks for fell == 'god'.*Did you mean 'good'\? .*'poor' \(0\) or 'good' \(1\)",
    ),
    ("fell == 'yes'", POOR_GOOD, "fell is 'poor' \\(0\\) or 'good' \\(1\\)"),
    ("fell > 'poor'", POOR_GOOD, "Of words ask == or != only"),
    ("fell == 2", POOR_GOOD, "asks for fell == 2, which it never is"),
    ("fell == 1", ("1", "2"), "may be a word or a code.*put words in quotes"),
]


@pytest.mark.parametrize(("where", "words", "said"), REFUSED)
def test_what_no_word_and_no_code_is_gets_refused(small, home, where, words, said):
    written(small, words=words, where=where)
    with pytest.raises(PlanError, match=said):
        load_individual_plan(home, KEY)


def test_a_pilot_on_a_table_asks_in_words_too(root, tmp_path, small, home):
    table = tmp_path / "diary.csv"
    rng = np.random.default_rng(3)
    mood = rng.choice(list(POOR_GOOD), 60)
    walks().iloc[:60][["Patient No", "years"]].assign(mood=mood).to_csv(table, index=False)
    (small / "_quarto.yml").write_text((root / "_quarto.yml").read_text(encoding="utf-8"), encoding="utf-8")
    new = new_study(small, "diary", kind="pilot", data=table)
    plan, dictionary = (new.files[f"data/plan/diary.{end}"].decode() for end in ("toml", "dictionary.csv"))
    dictionary = dictionary.replace(",category,,,,good|poor,", ",0/1,,,,poor|good,").replace("good|poor", "poor|good")
    entry = '\n[[descriptives]]\nid = "mood/good"\nlabel = "Good mood"\npopulation = "everybody"\n'
    plan += f'{entry}statistics = ["count"]\nwhere = "mood == \'good\'"\n'
    for file, text in (("data/plan/diary.toml", plan), ("data/plan/diary.dictionary.csv", dictionary)):
        (small / file).write_text(text, encoding="utf-8")
    found = load_individual_plan(small, "diary")
    assert found.descriptives["mood/good"].where == "mood == 1"
    for file in ("data/plan/diary.toml", "data/plan/diary.dictionary.csv"):
        (small / file).unlink()


def test_a_condition_is_written_as_it_is_read():
    for text in ("a == 1 and (b == 'it' or c is not known)", '(a > 0.5 or b != "it\'s") and c is known'):
        assert parse_condition(parse_condition(text).written()) == parse_condition(text)
    assert in_codes("f", "p", "a == 'x' or b is known", {}) == "a == 'x' or b is known"
