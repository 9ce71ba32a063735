"""What stands beside the numbers: boxes, questions, offers, talks, costs, roles; complete, pointing to what exists, or
refused.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from hhp_stats.errors import PlanError, RenderError, UnknownName
from hhp_stats.intake.dictionary import _KINDS as KINDS_OF_FIELDS
from hhp_stats.plan.book_sections import book_sections
from hhp_stats.plan.catalogue import catalogue
from hhp_stats.plan.consort import CLUSTER, checklist_order
from hhp_stats.plan.consort_trials import CONSORT_TRIALS, trial_answers
from hhp_stats.plan.glossary import GLOSSARY, read_abbreviations, read_glossary
from hhp_stats.plan.logic_model import LOGIC_MODELS, load_logic_model
from hhp_stats.plan.reporting import CHEERS, COREQ, INTERVENTIONS, load_cheers, load_coreq, load_interventions
from hhp_stats.plan.study_facts import STUDY_FACTS, load_questions, load_study_facts
from hhp_stats.plan.trial_management import TRIAL_MANAGEMENT, load_trial_management
from hhp_stats.present import at_a_glance, logic_model, reporting, trial_management
from hhp_stats.present.consort import other_trials
from hhp_stats.present.questionnaires import _KINDS as WORDS_OF_KINDS
from hhp_stats.present.questionnaires import questionnaires
from hhp_stats.present.reporting import TIDIER
from hhp_stats.present.words import words

ROOT = Path(__file__).parents[2]
STUDIES = [entry.study for entry in catalogue(ROOT)]
RANDOMISED = [entry for entry in catalogue(ROOT) if entry.kind != "pilot"]


@pytest.fixture
def project(tmp_path):
    """A copy of what is read about the studies, that a test may spoil."""
    for pattern in ("data/plan/*.toml", "data/published/*.csv", "data/*.csv", "index.qmd", "report/*.qmd"):
        for path in ROOT.glob(pattern):
            target = tmp_path / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    shutil.copyfile(ROOT / "_quarto.yml", tmp_path / "_quarto.yml")
    shutil.copyfile(ROOT / GLOSSARY, tmp_path / GLOSSARY)
    return tmp_path


def spoil(project, file, old, new):
    path = project / file
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{file} no longer holds {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# ---------------------------------------------------------------- boxes and questions
@pytest.mark.parametrize("study", STUDIES)
def test_every_chapter_opens_with_its_box_and_questions(study):
    entry = next(each for each in catalogue(ROOT) if each.study == study)
    source = (ROOT / entry.chapter).read_text(encoding="utf-8")
    assert source.index(f'at_a_glance.box("{study}")') < source.index(f"{{#sec-{entry.short}-background}}")
    assert f'at_a_glance.questions("{study}")' in source
    box = at_a_glance.box(study, root=ROOT)
    lines = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", box, re.MULTILINE))
    assert {"Type of study", "Design", "Participants", "Where", "When", "Registration", "Ethics"} <= set(lines)
    assert f"{{#tbl-{entry.short}-glance}}" in box and "{" not in lines["Participants"] + lines["Where"]
    assert ("unit of randomisation" in lines["Type of study"]) is (entry.kind != "pilot")


@pytest.mark.parametrize("study", STUDIES)
def test_questions_stand_in_the_order_of_the_documents_and_point_into_their_chapter(study):
    found = load_questions(ROOT, study)
    chapter = next(each.chapter for each in catalogue(ROOT) if each.study == study)
    assert len(found) >= 2
    assert all(book_sections(ROOT)[question.section].file == chapter for question in found)
    numbers = [question.number for question in found]
    assert numbers == sorted(numbers) and len(set(numbers)) == len(numbers)
    # Numbers of the documents are those of a list where they run 1, 2, 3; others stand at the head of an item.
    said = at_a_glance.questions(study, root=ROOT)
    plain = numbers == [str(at) for at in range(1, len(found) + 1)]
    assert all(f"\n{number}. " in said if plain else f"\n- **{number}.** " in said for number in numbers)


def test_the_protocol_has_four_questions_and_the_box_its_unit():
    assert [question.number for question in load_questions(ROOT, "goal_setting")] == ["1", "2", "3", "4"]
    box = at_a_glance.box("goal_setting", root=ROOT)
    assert (
        "Cluster randomised trial; unit of randomisation: team" in box and "Primary outcome | Sickness absence" in box
    )
    assert "unit of randomisation: building" in at_a_glance.box("coffee", root=ROOT)


def test_a_study_without_facts_has_the_words_of_its_plan(project):
    (project / STUDY_FACTS).unlink()
    spoil(project, "data/plan/swing.toml", "[disclosure]", '[consort]\n"2" = "A number, May 2020"\n\n[disclosure]')
    box = at_a_glance.box("swing", root=project)
    assert "| Registration | A number, May 2020 |" in box and "| When | Not stated |" in box
    assert at_a_glance.questions("swing", root=project).startswith("The question: ")


def test_wrong_facts_are_refused(project):
    spoil(project, STUDY_FACTS, 'section = "sec-gs-absence"', 'section = "sec-ben-results"')
    with pytest.raises(PlanError, match="sec-ben-results"):
        load_questions(project, "goal_setting")
    spoil(project, STUDY_FACTS, '"000:440"', '"000:99999"')
    with pytest.raises(PlanError, match="99999"):
        load_study_facts(project)
    spoil(project, STUDY_FACTS, '"000:99999"', '"000:440"')
    spoil(project, STUDY_FACTS, 'study = "swing"', 'study = "swang"')
    with pytest.raises(PlanError, match="swang"):
        load_study_facts(project)


# ---------------------------------------------------------------- logic model
def test_the_logic_model_has_the_six_letters_and_tells_what_is_measured():
    model = load_logic_model(ROOT, "goal_setting")
    assert [step.letter for step in model.steps if step.letter] == list("ABCDEF")
    assert {step.id for step in model.between if step.measured} == {"efficacy", "pressure"}
    said = logic_model.in_words(model)
    assert "feeling effective at work (measured)" in said and said.count("not measured") == 5
    drawn = {text.get_text() for text in logic_model.draw(model).axes[0].texts}
    assert all(step.named in {" ".join(words.split()) for words in drawn} for step in model.steps)


def test_wrong_logic_models_are_refused(project):
    with pytest.raises(UnknownName, match="swing"):
        load_logic_model(project, "swing")
    spoil(project, LOGIC_MODELS, 'place = "middle"', 'place = "end"')
    with pytest.raises(PlanError, match="middle"):
        load_logic_model(project, "goal_setting")
    spoil(project, LOGIC_MODELS, 'place = "manager"', 'place = "weather"')
    with pytest.raises(PlanError, match="weather"):
        load_logic_model(project, "goal_setting")


# ---------------------------------------------------------------- how the trial was run
def test_roles_of_the_protocol_are_counted_and_not_claimed():
    management = load_trial_management(ROOT)
    tables = trial_management.tables(root=ROOT)
    both = {person.name for person in management.people if {"delivery", "evaluation"} <= set(person.parts)}
    assert both == {"Michael Sanders", "Chris Mitchell", "Shibeal O\u2019Flaherty"}
    assert tables.both_sides().startswith("Three of eight people")
    assert len(management.risks) == 9 and len(management.amendments) == 4
    assert tables.risks().count("\n|") == len(management.risks) + 1  # head and rule begin the table


def test_a_place_that_no_document_has_is_refused(project):
    spoil(project, TRIAL_MANAGEMENT, 'sources = ["000:504"]', 'sources = ["009:504"]')
    with pytest.raises(PlanError, match="009:504"):
        load_trial_management(project)


# ---------------------------------------------------------------- CONSORT of the other studies
@pytest.mark.parametrize("entry", RANDOMISED, ids=lambda entry: entry.study)
def test_every_randomised_study_has_every_item(entry):
    if entry.study == "goal_setting":
        return_to = (ROOT / "report/G-consort.qmd").read_text(encoding="utf-8")
        assert "consort.checklist()" in return_to
        return
    items = trial_answers(ROOT, entry.study)
    wanted = [item for item in checklist_order() if entry.kind == "cluster trial" or not item.startswith(CLUSTER)]
    assert [item.id for item in items] == wanted
    chapter = {name for name, section in book_sections(ROOT).items() if section.file == entry.chapter}
    assert any(set(item.sections) & chapter for item in items)
    # No document of these studies says how the sequence was concealed, or counts harms.
    assert {item.id: item.status for item in items}["18"] == "gap"
    assert {item.id: item.status for item in items}["27"] in ("gap", "partly")


def test_the_appendix_prints_all_of_them():
    printed = other_trials(root=ROOT)
    for entry in RANDOMISED:
        assert (f"{{#sec-consort-{entry.study.replace('_', '-')}}}" in printed) is (entry.study != "goal_setting")


def test_wrong_answers_are_refused(project):
    spoil(project, CONSORT_TRIALS, '18 = { status = "gap", sections = []', '18 = { status = "reported", sections = []')
    with pytest.raises(PlanError, match="without a section"):
        trial_answers(project, "letters")
    spoil(project, CONSORT_TRIALS, '18 = { status = "reported"', '118 = { status = "gap"')
    with pytest.raises(PlanError, match="118"):
        trial_answers(project, "letters")
    with pytest.raises(PlanError, match="stands 0 times"):
        trial_answers(project, "goal_setting")
    spoil(project, CONSORT_TRIALS, 'study = "hiring"', 'study = "firing"')
    with pytest.raises(PlanError, match="firing"):
        other_trials(root=project)


# ---------------------------------------------------------------- TIDieR, COREQ, CHEERS
def test_every_study_says_what_it_offered_by_twelve_items():
    found = load_interventions(ROOT)
    assert [offer.study for offer in found] == STUDIES
    assert all(len(offer.items) == len(TIDIER) == 12 for offer in found)
    assert "Without a description yet" not in reporting.interventions(root=ROOT)


def test_a_study_without_an_offer_is_named(project):
    path = project / INTERVENTIONS
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index('[[intervention]]\nstudy = "flexitime"')], encoding="utf-8")
    assert "Without a description yet: Flexitime." in reporting.interventions(root=project)
    spoil(project, INTERVENTIONS, 'study = "coffee"', 'study = "tea"')
    with pytest.raises(PlanError, match="tea"):
        load_interventions(project)


def test_talks_are_answered_only_where_the_documents_answer():
    found = load_coreq(ROOT)
    assert len(found.asks) == 32
    silent = [ask.id for ask in found.asks if not found.of(ask.id)]
    # Nothing is said of the researchers, of the room, of notes, length, saturation, or of coders and their tree.
    assert {"1", "2", "4", "15", "20", "21", "22", "24", "25"} <= set(silent)
    assert {answer.study for answer in found.answers} == {
        "goal_setting",
        "coffee",
        "beneficiaries",
        "swing",
        "mod_ing",
        "dictation",
        "flexitime",
    }
    printed = reporting.talks(root=ROOT)
    assert f"silent on {len(silent)}." in printed
    assert printed.count("Not in the documents") == len(silent)


def test_costs_have_all_items_of_the_statement_and_admit_what_is_missing():
    study, items = load_cheers(ROOT)
    assert study == "goal_setting" and len(items) == 28
    status = {item.id: item.status for item in items}
    assert (status["10"], status["18"], status["23"]) == ("not_applicable", "gap", "reported")


@pytest.mark.parametrize(
    ("file", "load", "old", "new", "says"),
    [
        (COREQ, load_coreq, 'id = "32"', 'id = "33"', "List 1 to 32"),
        (COREQ, load_coreq, 'item = "12"\nstudy = "swing"', 'item = "40"\nstudy = "swing"', "is to no item"),
        (CHEERS, load_cheers, 'id = "28"', 'id = "29"', "List 1 to 28"),
        (CHEERS, load_cheers, '"sec-gs-absence"', '"sec-gs-weather"', "sec-gs-weather"),
    ],
)
def test_wrong_lists_are_refused(project, file, load, old, new, says):
    spoil(project, file, old, new)
    with pytest.raises(PlanError) as caught:
        load(project)
    assert says in f"{caught.value} {caught.value.rule} {caught.value.remedy}"


# ---------------------------------------------------------------- questionnaires and words
def test_every_question_and_field_of_the_dictionary_is_printed():
    asked = questionnaires(root=ROOT)
    html = asked.survey().as_raw_html()
    assert all(field.name in html for field in asked.fields if field.file == "survey")
    template = asked.returns().as_raw_html()
    assert all(field.label in template for field in asked.fields if field.file == "return")
    assert "nine are not in the printed template" in asked.counts()
    assert set(WORDS_OF_KINDS) == KINDS_OF_FIELDS
    values = asked.returns()._tbl_data.set_index("Field")["Values"]
    assert values["Unique Staff ID"] == "a code" and values["Date data retrieved:"] == "a date above the table"
    scales = asked.scales()
    assert scales.count(">Letters<") == 1 and scales.count("three statements from 1 to 7") == 3
    assert "assumed:" not in scales.lower() and scales.count("All of these scales are assumed.") == 1


def test_words_and_abbreviations_are_complete_and_in_order():
    both = words(root=ROOT)
    glossary = both.glossary()
    assert all(
        f"| {term.name[:1].upper()}{term.name[1:]} |" in glossary.replace("\\", "") for term in read_glossary(ROOT)
    )
    shorts = [entry.short for entry in read_abbreviations(ROOT)]
    assert shorts == sorted(shorts, key=str.casefold)


def test_an_abbreviation_said_to_be_ours_stands_in_the_report():
    sources = [*ROOT.glob("report/*.qmd"), *ROOT.glob("hhp_stats/present/**/*.py"), *ROOT.glob("data/plan/*.toml")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    for entry in read_abbreviations(ROOT):
        for short in entry.short.split(", "):
            assert not entry.ours or re.search(rf"\b{re.escape(short)}\b", text), short


def test_a_wrong_abbreviation_is_refused(project):
    spoil(project, GLOSSARY, 'short = "CI"', 'short = "SD"')
    with pytest.raises(RenderError, match="SD"):
        read_abbreviations(project)
    spoil(project, GLOSSARY, "ours = true", "ours = 1")
    with pytest.raises(RenderError, match="needs short, words and ours"):
        read_abbreviations(project)
