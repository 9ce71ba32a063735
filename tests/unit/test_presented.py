"""Printed numbers belong where they stand: arms, fields, levels and directions of everything a chapter can say."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace

import pandas as pd
import pytest
from presented import ARM_DIGITS, FIELDS, Said, digit_of, marks, mirrored, say_all, with_arms, with_fields, with_level

from hhp_stats.plan.individual import load_individual_plan
from hhp_stats.present import field_trials, goal_setting, hiring, pilots
from hhp_stats.present.field_trials.report import FieldTrialReport
from hhp_stats.running.run import run_study

TRIALS = ("beneficiaries", "swing", "mod_ing")
GOAL_SETTING = {"sentence": goal_setting.SENTENCES, "table": goal_setting.TABLES, "figure": goal_setting.FIGURES}
FIELD_TRIALS = {"sentence": field_trials.SENTENCES, "table": field_trials.TABLES, "figure": field_trials.FIGURES}


@pytest.fixture(scope="module")
def trial_reports(root, tmp_path_factory):
    """The three field trials as their chapters read them."""
    home = tmp_path_factory.mktemp("trials")
    for name in ("plan", "published"):
        shutil.copytree(root / "data" / name, home / "data" / name)
    shutil.copy(root / "data/manifest.toml", home / "data/manifest.toml")
    found = {}
    for key in TRIALS:
        plan = load_individual_plan(home, key)
        found[key] = FieldTrialReport(root=home, plan=plan, output=run_study(root, key), document=plan.chapter)
    return found


@pytest.fixture(scope="module")
def small_reports(root, tmp_path_factory):
    """The hiring experiments and the pilots as their chapters read them, with their registries."""
    home = tmp_path_factory.mktemp("small")
    shutil.copytree(root / "data", home / "data", ignore=shutil.ignore_patterns("returns", "course_log", "releases"))
    shutil.copy(root / "_quarto.yml", home)
    for study in ("hiring", "dictation", "flexitime"):
        run_study(home, study).write(home)
    found = [
        (
            hiring.chapter(root=home).report,
            {"sentence": hiring.SENTENCES, "table": hiring.TABLES, "figure": hiring.FIGURES},
        )
    ]
    for study in ("dictation", "flexitime"):
        report = pilots.chapter(study, root=home).report
        found.append((report, {"sentence": pilots.SENTENCES, "table": pilots.TABLES, "figure": pilots.FIGURES}))
    return found


@pytest.fixture(scope="module")
def said():
    """Everything that a chapter says of a version of its output; each version once."""
    made = {}

    def say(version, report, registries):
        key = (report.plan.study, version)
        if key not in made:
            with pytest.MonkeyPatch.context() as patched:
                made[key] = say_all(VERSIONS[version](report), registries, patched)
        return made[key]

    return say


def labels_of(report):
    plan = report.plan
    return plan.design.arm_labels if hasattr(plan.design, "arm_labels") else {arm.id: arm.label for arm in plan.arms}


VERSIONS = {
    "as it is": lambda report: report,
    "arms": lambda report: replace(report, output=with_arms(report.output, labels_of(report), ARM_DIGITS)),
    "arms exchanged": lambda report: replace(
        report, output=with_arms(report.output, labels_of(report), {"control": "4", "treatment": "3"})
    ),
    "fields": lambda report: replace(report, output=with_fields(report.output)),
    "90%": lambda report: replace(
        report, plan=replace(report.plan, conf_level=0.9), output=with_level(report.output, 0.9)
    ),
    "mirrored": lambda report: replace(report, output=mirrored(report.output)),
}


def test_every_presenter_says_something(said, goal_setting_report, trial_reports):
    """Else the tests below would pass by looking at nothing."""
    for registries, reports in ((GOAL_SETTING, [goal_setting_report]), (FIELD_TRIALS, trial_reports.values())):
        made = {name.split("/")[0] for report in reports for name in said("as it is", report, registries)}
        assert made == {f"{kind}:{name}" for kind, registry in registries.items() for name in registry}


def test_every_line_of_a_table_has_every_column(said, goal_setting_report, trial_reports, small_reports):
    """A line whose column is spelled otherwise would split the column in two, each with holes."""
    every = [*chapters(goal_setting_report, trial_reports), *small_reports]
    tables = [
        (report.plan.study, one.name, one.table)
        for report, registries, *_ in every
        for one in said("as it is", report, registries).values()
        if one.table is not None
    ]
    assert len(tables) > 20
    assert [(study, name) for study, name, table in tables if table.isna().to_numpy().any()] == []


def chapters(goal_setting_report, trial_reports):
    """Every chapter with two arms: report, its registries, the words for each arm."""
    for report in (goal_setting_report, *trial_reports.values()):
        nouns = {"control": "control", "treatment": "treated"}
        words = {arm: [noun, labels_of(report)[arm].lower()] for arm, noun in nouns.items()}
        yield report, GOAL_SETTING if report is goal_setting_report else FIELD_TRIALS, words


def arms_named(text: str, words: dict[str, list[str]]) -> set[str]:
    lower = text.lower()
    return {arm for arm, names in words.items() if any(name in lower for name in names)}


CLAUSE = re.compile(r"[;:,.](?=\s)|\sand\s|\sagainst\s")


def misplaced(text: str, words: dict[str, list[str]]) -> tuple[list[str], int]:
    """Numbers of one arm in a clause that names the other alone, and how many were looked at.

    A clause without an arm goes on about the arm of the clause before it, up to a full stop or semicolon.
    """
    wrong, seen, before = [], 0, set()
    start = 0
    for end in [*(found.start() for found in CLAUSE.finditer(text)), len(text)]:
        clause, sign = text[start:end], text[start : start + 1]
        before = set() if sign in ";." else before
        named = arms_named(clause, words) or before
        for _, digit in marks(clause):
            arm = next((arm for arm, own in ARM_DIGITS.items() if own == digit), None)
            if arm and len(named) == 1:
                seen += 1
                wrong += [clause] if named != {arm} else []
        before, start = named, end
    return wrong, seen


def misplaced_cells(table: pd.DataFrame, words: dict[str, list[str]]) -> tuple[list[str], int]:
    """Cells of one arm under the other's heading, or in its line."""
    wrong, seen = [], 0
    for heading in table.columns[1:]:
        for line, text in zip(table.iloc[:, 0], table[heading], strict=True):
            named = arms_named(str(heading), words) or arms_named(str(line), words)
            for _, digit in marks(str(text)):
                arm = next((arm for arm, own in ARM_DIGITS.items() if own == digit), None)
                if arm and len(named) == 1:
                    seen += 1
                    wrong += [f"{heading} | {line}: {text}"] if named != {arm} else []
    return wrong, seen


def test_numbers_of_an_arm_stand_with_its_name(said, goal_setting_report, trial_reports):
    for report, registries, words in chapters(goal_setting_report, trial_reports):
        found = said("arms", report, registries)
        looked_at = 0
        for one in found.values():
            for text in one.texts:
                wrong, seen = misplaced(text, words)
                assert not wrong, (one.name, wrong, text)
                looked_at += bool(seen)
            if one.table is not None:
                wrong, seen = misplaced_cells(one.table, words)
                assert not wrong, (one.name, wrong)
                looked_at += bool(seen)
        assert looked_at > 5, (report.plan.study, looked_at)


def test_exchanged_arms_exchange_their_numbers_everywhere(said, goal_setting_report, trial_reports):
    """Threes become fours and fours threes, in every column, sentence, box of the flow and alternative text."""
    turn = str.maketrans("34", "43")
    for report, registries, _ in chapters(goal_setting_report, trial_reports):
        one, other = said("arms", report, registries), said("arms exchanged", report, registries)
        moved = 0
        for name, before in one.items():
            mine, theirs = ([m for m in marks(made.whole) if m[1] in "34"] for made in (before, other[name]))
            assert [digit.translate(turn) for _, digit in mine] == [digit for _, digit in theirs], name
            moved += bool(mine)
        assert moved > 5


# ---------------------------------------------------------------- each number in the column of its field
LOW, MIDDLE, HIGH = (digit_of(f"{FIELDS[name]:.2f}") for name in ("conf_low", "estimate", "conf_high"))
PEOPLE, TEAMS = "7", "8"
P_VALUE, ADJUSTED = ".44", ".22"
TO = re.compile(r"([\d.,]+)%? to ([\d.,]+)")


def intervals_turned(text: str) -> list[str]:
    """Intervals whose ends are not the lower and the upper one in this order; from one estimate to another is no
    interval.
    """
    wrong = []
    for ends in TO.finditer(text):
        first, second = (digit_of(part.strip(",.")) for part in ends.groups())
        if {first, second} & {LOW, MIDDLE, HIGH} and (first, second) not in ((LOW, HIGH), (MIDDLE, MIDDLE)):
            wrong.append(ends[0])
    return wrong


def wrong_fields(heading: str, text: str) -> bool:
    """Whether a cell shows a number that its heading does not announce."""
    digits = [digit for _, digit in marks(text)]
    pure = {*digits} & {LOW, MIDDLE, HIGH, PEOPLE, TEAMS}
    if P_VALUE in text.split() or ADJUSTED in text.split():
        adjusted = bool(re.search("holm|adjusted|westfall", heading.lower()))
        return (ADJUSTED if adjusted else P_VALUE) not in text.split()
    if re.search(r"^(People|n|Respondents|Answered)$", heading):
        return bool(pure - {PEOPLE})
    if heading == "Teams":
        return bool(pure - {TEAMS})
    if re.search(r"CI$|interval", heading):
        return bool(pure - {LOW, HIGH})
    if re.search(r"^(Difference|Estimate|Effect|Ratio|Standardised|Detectable|Computed effect)$", heading):
        return bool(digits) and digits[0] != MIDDLE
    return False


def test_each_number_stands_in_the_column_of_its_field(said, goal_setting_report, trial_reports):
    for report, registries, _ in chapters(goal_setting_report, trial_reports):
        found = said("fields", report, registries)
        looked_at = 0
        for one in found.values():
            for text in one.texts:
                assert not intervals_turned(text), (one.name, text)
            if one.table is not None:
                for heading in one.table.columns:
                    for text in map(str, one.table[heading]):
                        assert not intervals_turned(text), (one.name, heading, text)
                        assert not wrong_fields(str(heading), text), (one.name, heading, text)
                        looked_at += any(True for _ in marks(text))
        assert looked_at > 100, report.plan.study


def test_an_adjusted_p_is_called_so(said, goal_setting_report, trial_reports):
    for report, registries, _ in chapters(goal_setting_report, trial_reports):
        for one in said("fields", report, registries).values():
            for sentence in (part for text in one.texts for part in re.split(r"(?<=[.;]) ", text)):
                if re.search(r"p = \.22(?!\d)", sentence):
                    assert re.search("adjust|Holm", sentence), (one.name, sentence)


# ---------------------------------------------------------------- the level of the intervals
OF_95 = re.compile(r"95%|below \.05\b|one in twenty|usual level")


def test_every_word_follows_the_level_of_the_plan(said, goal_setting_report, trial_reports):
    """At 90% nothing says 95%, of an interval, a band of chance or anything else, and no p is held against .05."""
    for report, registries, _ in chapters(goal_setting_report, trial_reports):
        followed, other = 0, said("fields", report, registries)
        for one in said("90%", report, registries).values():
            if one.name not in other or one.whole == other[one.name].whole:
                continue  # words of the plan, which no result moves
            assert not OF_95.search(one.whole), (one.name, one.whole)
            followed += "90%" in one.whole
        assert followed > 5


# ---------------------------------------------------------------- directions
TURNED = {
    "higher": "lower",
    "more": "less|fewer",
    "favour of goal-setting": "favour of the control arm",
    "raised": "lowered",
    "favour of the treated": "favour of the controls",
    "rises": "falls",
}


# Words of quantity that compare no arms: with chance, with another number, with a year.
NO_DIRECTION = re.compile(
    "(differ|no|not|or|once|say|and|of|one|two|three|reading) (more|less|fewer)|more (than|often|pronounced)|higher or"
    " lower"
)


def words_about(words: str, made: Said) -> int:
    """How often one of the words says which way a difference between the arms goes."""
    return sum(len(re.findall(rf"\b(?:{words})\b", NO_DIRECTION.sub("", text))) for text in made.texts)


def test_a_turned_effect_turns_every_direction_word(said, goal_setting_report, trial_reports):
    turned = 0
    for report, registries, _ in chapters(goal_setting_report, trial_reports):
        one, other = said("as it is", report, registries), said("mirrored", report, registries)
        marked = said("fields", report, registries)
        for name, before in one.items():
            if name.startswith("table") or name not in marked or before.whole == marked[name].whole:
                continue  # notes below tables say no direction, and words of the plan are moved by no result
            for word, opposite in TURNED.items():
                for mine, theirs in ((word, opposite), (opposite, word)):
                    was, now = words_about(mine, before), words_about(theirs, other[name])
                    assert was == now, (name, mine, before.texts, other[name].texts)
                    turned += was
    assert turned > 30


# ---------------------------------------------------------------- studies without two arms of people
def test_hiring_and_pilots_put_each_number_in_the_column_of_its_field(said, small_reports):
    looked_at = 0
    for report, registries in small_reports:
        for one in said("fields", report, registries).values():
            for text in one.texts:
                assert not intervals_turned(text), (one.name, text)
            if one.table is not None:
                for heading in one.table.columns:
                    for text in map(str, one.table[heading]):
                        assert not intervals_turned(text), (one.name, heading, text)
                        assert not wrong_fields(str(heading), text), (one.name, heading, text)
                        looked_at += any(True for _ in marks(text))
    assert looked_at > 50


def test_hiring_and_pilots_follow_the_level_of_their_intervals(said, small_reports):
    followed = 0
    for report, registries in small_reports:
        other = said("fields", report, registries)
        for one in said("90%", report, registries).values():
            if one.name in other and one.whole != other[one.name].whole:
                assert not OF_95.search(one.whole), (one.name, one.whole)
                followed += "90%" in one.whole
    assert followed > 5
