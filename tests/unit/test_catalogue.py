"""The catalogue: every study is listed by its own plan, and whatever is wrong with its head is said in words."""

import ast
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hhp_stats.errors import PlanError, UnknownName
from hhp_stats.plan.book_studies import book_pages, check_book
from hhp_stats.plan.catalogue import KINDS, catalogue, only_for, study_entry, topics
from hhp_stats.running.run import studies_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The plans and the list of chapters, to be spoilt."""
    shutil.copytree(ROOT / "data/plan", tmp_path / "data/plan")
    shutil.copytree(ROOT / "report", tmp_path / "report", ignore=shutil.ignore_patterns("figures"))
    for name in ("_quarto.yml", "index.qmd"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def put(home: Path, file: str, old: str, new: str) -> None:
    path = home / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, (file, old)
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_programme_is_in_order_and_each_study_has_its_chapter(home: Path) -> None:
    entries = check_book(home)
    assert [entry.order for entry in entries] == sorted(entry.order for entry in entries)
    listed = book_pages(home)
    places = [listed.index(entry.chapter) for entry in entries]
    assert places == sorted(places)  # the chapters stand in the order of the catalogue
    assert {entry.kind for entry in entries} == set(KINDS)
    assert all(entry.topic in topics() for entry in entries if entry.topic)
    assert [study.key for study in studies_of(home)] == [entry.study for entry in entries]


def test_a_study_without_a_topic_is_run_by_its_kind(home: Path) -> None:
    run = {study.key: study.runs for study in studies_of(home)}
    pilots = {entry.study for entry in catalogue(home) if entry.kind == "pilot"}
    trials = {entry.study for entry in catalogue(home) if not entry.topic} - pilots
    assert len(trials) > 3 and len({run[study] for study in trials}) == 1
    assert len(pilots) > 1 and len({run[study] for study in pilots}) == 1
    assert run[min(pilots)] != run[min(trials)]
    put(home, "data/plan/hiring.toml", 'topic = "hiring"\n', "")
    assert {study.key: study.runs for study in studies_of(home)}["hiring"] == run[min(trials)]


SPOILT = [
    (
        "data/plan/swing.toml",
        'kind = "individual trial"',
        'kind = "individual trail"',
        "design.kind",
        "Did you mean 'individual trial'",
    ),
    ("data/plan/swing.toml", 'kind = "individual trial"', "kin = 1", "design.kind", "is missing"),
    ("data/plan/swing.toml", 'study = "swing"', 'study = "swings"', "study", "Write 'swing'"),
    ("data/plan/swing.toml", 'phase = "second"', 'phase = "sec0nd"', "phase", "Did you mean 'second'"),
    ("data/plan/swing.toml", 'phase = "second"', 'phase = ""', "the header", "no text under 'phase'"),
    ("data/plan/swing.toml", 'short = "swing"\n', "", "the header", "lacks 'short'"),
    ("data/plan/swing.toml", "order = 5", "order = 4", "order", "that of beneficiaries|that of swing"),
    ("data/plan/swing.toml", "order = 5", 'order = "5"', "the header", "Write a whole number"),
    ("data/plan/swing.toml", 'name = "SWING"', 'name = "MoD-ING"', "name", "its own name"),
    ("data/plan/swing.toml", 'name = "SWING"', 'name = ""', "the header", "no text under 'name'"),
    ("data/plan/swing.toml", 'short = "swing"', 'short = "Swing 1"', "short", "small letters"),
    ("data/plan/swing.toml", 'short = "swing"', 'short = "mod"', "short", "its own short"),
    ("data/plan/swing.toml", '"report/06-swing.qmd"', '"report/07-mod-ing.qmd"', "page", "its own page"),
    ("data/plan/hiring.toml", 'topic = "hiring"', 'topic = "hirring"', "topic", "Did you mean 'hiring'"),
    ("data/plan/flexitime.toml", "order = 9", 'order = 9\ntopic = "flexitime"', "topic", "Allowed: goal_setting"),
    (
        "data/plan/hiring.toml",
        'diversity_joint = "Hiring, experiment 1"',
        "diversity_joint = 1",
        "published",
        "table of names",
    ),
    ("data/plan/programme.toml", 'id = "second"', 'id = "third"', "phase", "Allowed: first, third"),
    ("data/plan/programme.toml", "pages = [", "seiten = [", "the header", "lacks 'pages'"),
]


@pytest.mark.parametrize(("file", "old", "new", "place", "words"), SPOILT)
def test_a_head_that_is_wrong_is_refused_with_what_is_allowed(
    home: Path, file: str, old: str, new: str, place: str, words: str
) -> None:
    put(home, file, old, new)
    with pytest.raises(PlanError, match=words) as raised:
        catalogue(home)
    assert raised.value.place == place and raised.value.remedy


def test_a_chapter_belongs_to_a_study_and_a_study_has_a_chapter(home: Path) -> None:
    put(home, "_quarto.yml", "    - report/06-swing.qmd\n", "")
    with pytest.raises(
        PlanError, match=r"swing\.toml, chapter: is 'report/06-swing\.qmd', which _quarto\.yml does not list"
    ):
        check_book(home)
    put(
        home,
        "_quarto.yml",
        "    - report/07-mod-ing.qmd\n",
        "    - report/06-swing.qmd  # back\n    - report/07-mod-ing.qmd\n",
    )
    check_book(home)
    shutil.copy(home / "report/06-swing.qmd", home / "report/12-nobody.qmd")
    put(
        home,
        "_quarto.yml",
        "    - report/07-mod-ing.qmd\n",
        "    - report/12-nobody.qmd\n    - report/07-mod-ing.qmd\n",
    )
    with pytest.raises(PlanError, match=r"12-nobody\.qmd: belongs to no study"):
        check_book(home)
    put(home, "_quarto.yml", "    - report/12-nobody.qmd\n", "")
    (home / "report/07-mod-ing.qmd").unlink()
    with pytest.raises(PlanError, match="which does not exist"):
        check_book(home)


def test_lists_name_no_study_that_has_no_plan(home: Path) -> None:
    (home / "data/plan/commitments_more.toml").write_text('[[commitment]]\nstudy = "swnig"\n', encoding="utf-8")
    with pytest.raises(PlanError, match=r"commitment 1: names the study 'swnig'.*Did you mean 'swing'"):
        check_book(home)
    (home / "data/plan/commitments_more.toml").write_text(
        "# <!-- study: swnig -->a<!-- end of study -->\n", encoding="utf-8"
    )
    with pytest.raises(PlanError, match=r"line 1: has a passage about the study 'swnig'"):
        check_book(home)


def test_a_construct_written_in_two_ways_is_refused(home: Path) -> None:
    put(home, "data/plan/swing.toml", 'construct = "wellbeing"', 'construct = "welbeing"')
    with pytest.raises(PlanError, match=r"swing\.toml.*'welbeing'.*is nearly 'wellbeing' of"):
        check_book(home)
    put(home, "data/plan/swing.toml", 'construct = "welbeing"', 'construct = "sleep"')
    assert check_book(home)


def test_a_key_that_no_plan_has_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'letters'"):
        study_entry(ROOT, "leters")
    with pytest.raises(PlanError, match="reads the files of hiring alone"):
        only_for("hiring", "coffee")


def test_the_catalogue_is_read_without_pandas() -> None:
    program = (
        "import sys; from pathlib import Path; from hhp_stats.running.run import studies_of; "
        f"print(len(studies_of(Path({str(ROOT)!r}))), 'pandas' in sys.modules, 'yaml' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert re.fullmatch(r"\d+ False False\n", done.stdout)


# Where a study's key may stand in Python, and why. Everywhere else the catalogue says which studies there are.
OWN_MODULES = {
    "studies/goal_setting/": "what this trial has alone",
    "present/goal_setting/": "what this trial has alone",
    "studies/goal_setting_terms.py": "what this trial has alone",
    "synthetic/": "draws the files of this programme's studies",
    "studies/hiring/": "two experiments",
    "present/hiring/": "two experiments",
    "intake/hiring.py": "two experiments",
    "intake/hiring_lists.py": "the lists of both experiments",
}
A_COLUMN = {
    ("intake/people.py", "coffee")
}  # a covariate of the goal-setting protocol is called so, and no study is meant
AN_EXAMPLE = {
    ("cli/accept.py", "goal_setting"),
    ("cli/report.py", "goal_setting"),
    ("cli/data.py", "goal_setting"),
    ("cli/start_real.py", "goal_setting"),
    ("cli/studies.py", "coffee"),
}


def test_no_python_outside_a_studys_own_modules_names_a_study() -> None:
    package = ROOT / "hhp_stats"
    keys = {entry.study for entry in catalogue(ROOT)} | {
        trial for entry in catalogue(ROOT) for trial in entry.published
    }
    found = set()
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        if name.startswith(tuple(OWN_MODULES)):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and not _is_docstring(node.value):
                found |= {(name, key) for key in keys if key in re.split(r"[^\w-]+", node.value)}
    assert found <= A_COLUMN | AN_EXAMPLE, sorted(found - A_COLUMN - AN_EXAMPLE)


def _is_docstring(text: str) -> bool:
    """Words for a reader, not for the programme: several lines, or a sentence without a path, a call or a key alone."""
    return "\n" in text or (bool(re.search(r"[a-z] [a-z]+ [a-z]", text)) and "hhp " not in text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[design]", "[designs]"),
        ("[design]", "[[design]]"),
        ("title = ", "titles = "),
        ('study = "swing"', 'study = "swings"'),
        ("everything", ""),
    ],
)
def test_a_plan_that_lost_its_design_or_its_head_does_not_vanish(home: Path, old: str, new: str) -> None:
    path = home / "data/plan/swing.toml"
    text = path.read_text(encoding="utf-8")
    (home / "data/plan/swing.dictionary.csv").touch()  # that of a trial on a table: a name that stays
    path.write_text(text.replace(old, new, 1) if old != "everything" else "", encoding="utf-8")
    with pytest.raises(PlanError, match=r"data/plan/swing\.toml"):
        catalogue(home)


@pytest.mark.parametrize("share", ["50", "-0.1", '"half"'])
def test_the_share_that_is_enough_is_a_share(home: Path, share: str) -> None:
    put(home, "data/plan/programme.toml", "enough_response = 0.5", f"enough_response = {share}")
    with pytest.raises(PlanError, match="enough_response"):
        catalogue(home)


@pytest.mark.parametrize("written", [" [ design ]", "[design] # of the trial", '["design"]'])
def test_a_design_is_found_however_toml_writes_it(home: Path, written: str) -> None:
    put(home, "data/plan/swing.toml", "\n[design]\n", f"\n{written}\n")
    assert "swing" in [entry.study for entry in catalogue(home)]


def test_the_name_of_a_trial_on_a_table_stands_in_sentences_as_its_plan_has_it() -> None:
    own = study_entry(ROOT, "letters")
    assert (own.inside, own.noun) == ("letters", "letters trial")
    assert replace(own, on_table=True, name="Kenya").noun == "Kenya trial"
