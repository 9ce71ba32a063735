"""hhp new: what is guessed from a table, that the texts can be read, what is refused, and that hhp remove undoes it
byte for byte.
"""

import csv
import io
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from hhp_stats.errors import PlanError
from hhp_stats.intake.check import check_returns
from hhp_stats.intake.key import write_key
from hhp_stats.intake.manifest import verify_manifest
from hhp_stats.intake.pseudonym import KEY_VARIABLE
from hhp_stats.plan.book_studies import TO_CONFIRM, book_pages, check_book
from hhp_stats.plan.catalogue import catalogue
from hhp_stats.plan.glance import study_glance
from hhp_stats.plan.programme import programme_plan
from hhp_stats.present import field_trials, programme, standard_parts
from hhp_stats.publish.lint import lint_book
from hhp_stats.publish.packing import REVIEW, named
from hhp_stats.running.run import run_study
from hhp_stats.scaffold.columns import TableRefused, guess_table
from hhp_stats.scaffold.new_study import NewStudyRefused, enter, new_study
from hhp_stats.scaffold.removal import REMOVED, remove

ROOT = Path(__file__).resolve().parents[2]
KEY = "walks"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The project without its code."""
    home = tmp_path / "project"
    for name in ("data", "report"):
        shutil.copytree(ROOT / name, home / name, ignore=shutil.ignore_patterns("figures", "releases", ".removed"))
    for name in ("_quarto.yml", "index.qmd"):
        shutil.copy(ROOT / name, home)
    return home


def people(clustered: bool = False) -> pd.DataFrame:
    """120 patients of 12 surgeries: usual care or a coach, steps at three times, one of them with gaps."""
    rng = np.random.default_rng(3)
    surgery = np.repeat(np.arange(12), 10)
    offered = np.where((surgery if clustered else np.arange(120)) % 2, "coach", "usual care")
    frame = pd.DataFrame(
        {
            "Patient No": [f"P{number:03d}" for number in range(120)],
            "surgery": [f"S{s}" for s in surgery],
            "arm offered": offered,
            "region": np.where(surgery < 6, "Coast", "Hills"),
            "woman": rng.integers(0, 2, 120),
            "steps.pre": rng.normal(8, 2, 120).round(2),
            "steps.6m": rng.normal(9, 2, 120).round(2),
            "steps.12m": rng.normal(9, 2, 120).round(2),
            "remark": [f"said {number}" for number in range(120)],
        }
    )
    frame["steps.12m"] = frame["steps.12m"].astype(object)
    frame.loc[::7, "steps.12m"] = "NA"
    frame.loc[::11, "woman"] = -9
    return frame


def written(folder: Path, frame: pd.DataFrame, ending: str = "csv") -> Path:
    path = folder / f"table.{ending}"
    if ending == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_excel(path, index=False)
    return path


def contents(home: Path) -> dict[str, bytes]:
    files = (path for path in home.rglob("*") if path.is_file() and path.relative_to(home).parts[0] != ".report")
    return {path.relative_to(home).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_what_a_table_seems_to_hold(tmp_path: Path, ending: str) -> None:
    guess = guess_table(written(tmp_path, people(clustered=True), ending), clustered=True)
    kinds = {column.name: column.kind for column in guess.columns}
    assert kinds == {
        "patient_no": "identifier",
        "surgery": "cluster",
        "arm": "arm",
        "region": "category",
        "woman": "0/1",
        "steps_pre": "number",
        "steps_6m": "number",
        "steps_12m": "number",
        "remark": "text",
    }
    assert (guess.people, guess.person, guess.cluster, guess.clusters) == (120, "patient_no", "surgery", 12)
    assert guess.outcomes == {"steps": {"baseline": "steps_pre", "after_6m": "steps_6m", "after_12m": "steps_12m"}}
    assert guess.column("woman").missing == ("-9",) and guess.column("steps_12m").missing == ("NA",)
    assert not guess.synthetic
    assert guess_table(written(tmp_path, people().assign(release="synthetic")), clustered=False).synthetic


def test_names_and_numbers_of_columns(tmp_path: Path) -> None:
    table = tmp_path / "odd.csv"
    table.write_text("Treatment,arm,2nd score,score,mark\na,left,1e1,1_000,inf\nb,right,.5,2,3\n", encoding="utf-8")
    guess = guess_table(table, clustered=False)
    kinds = {column.name: column.kind for column in guess.columns}
    assert kinds == {
        "arm": "arm",
        "arm_2": "category",
        "c_2nd_score": "number",
        "score": "category",
        "mark": "category",
    }
    assert guess.column("arm").heading == "Treatment" and guess.outcomes == {"c_2nd_score": {"": "c_2nd_score"}}


def test_the_column_of_arms_may_be_named(tmp_path: Path) -> None:
    frame = people(clustered=True).rename(columns={"arm offered": "programme"})
    with pytest.raises(TableRefused, match="--arm"):
        guess_table(written(tmp_path, frame), clustered=True)
    guess = guess_table(written(tmp_path, frame), clustered=True, arm="programme")
    assert guess.column("arm").heading == "programme" and guess.cluster == "surgery"
    with pytest.raises(TableRefused, match="Did you mean 'programme'"):
        guess_table(written(tmp_path, frame), clustered=True, arm="program")


def test_a_column_that_mixes_arms_is_no_cluster(tmp_path: Path) -> None:
    assert guess_table(written(tmp_path, people()), clustered=True).cluster == ""


@pytest.mark.parametrize(
    ("kind", "clustered"), [("individual trial", False), ("cluster trial", True), ("experiment", False)]
)
def test_what_is_written_can_be_read_and_goes_again_byte_for_byte(
    home: Path, tmp_path: Path, kind: str, clustered: bool
) -> None:
    before = contents(home)
    table = written(tmp_path, people(clustered))
    new = new_study(home, KEY, kind=kind, data=table, title="Walks on prescription: a trial")
    assert contents(home) == before
    enter(home, new)
    entry = next(entry for entry in catalogue(home) if entry.study == KEY)
    assert (entry.name, entry.kind, entry.chapter) == ("Walks on prescription", kind, "report/12-walks.qmd")
    assert entry.order > max(other.order for other in catalogue(home) if other.study != KEY)
    pages = book_pages(home)
    assert pages.index(entry.chapter) == pages.index("report/10-flexitime.qmd") + 1  # behind the last study
    assert not lint_book(home) and not verify_manifest(home, study=KEY)
    plan = tomllib.loads((home / f"data/plan/{KEY}.toml").read_text(encoding="utf-8"))
    sizes = people(clustered)["arm offered"].value_counts()
    assert [(arm["value"], arm["randomised"]) for arm in plan["arms"]] == [
        (value, sizes[value])
        for value in ("usual care", "coach")  # the control first
    ]
    assert (
        plan["design"].get("cluster", "") == ("surgery" if clustered else "")
        and plan["data"]["columns"]["arm"] == "arm offered"
    )
    assert study_glance(home, KEY).participants.startswith("120 people")
    lines = list(csv.DictReader(io.StringIO((home / f"data/plan/{KEY}.dictionary.csv").read_text(encoding="utf-8"))))
    assert all(TO_CONFIRM in line["meaning"] for line in lines) and {line["column"] for line in lines} >= {
        "arm",
        "steps_pre",
        "woman",
    }
    assert "remark" not in {line["column"] for line in lines}
    remove(home, KEY)
    shutil.rmtree(home / REMOVED)
    assert contents(home) == before


def test_a_guess_that_nobody_confirmed_stops_the_results(home: Path, tmp_path: Path) -> None:
    enter(home, new_study(home, KEY, kind="individual trial", data=written(tmp_path, people())))
    with pytest.raises(PlanError, match="guess that nobody has confirmed"):
        check_book(home)
    for path in (home / "data/plan").glob(f"{KEY}.*"):
        path.write_text(path.read_text(encoding="utf-8").replace(f" {TO_CONFIRM}", ""), encoding="utf-8")
    assert check_book(home)[-1].study == KEY


@pytest.mark.parametrize(("phase", "kind"), [("", "individual trial"), ("first", "individual trial"), ("", "pilot")])
def test_chapter_one_lists_a_new_study_where_its_plan_says(home: Path, tmp_path: Path, phase: str, kind: str) -> None:
    frame = people().drop(columns="arm offered") if kind == "pilot" else people()
    enter(home, new_study(home, KEY, kind=kind, data=written(tmp_path, frame), phase=phase))
    told = [each.id for each in programme_plan(home).phases]
    hhp = programme.chapter(root=home)
    tables = {each: hhp.studies(each) for each in told} | {"": hhp.further_studies(*told)}
    assert [each for each, table in tables.items() if "**Walks** @sec-walks" in table] == [phase]
    if not phase:
        assert tables[""].startswith("### Further studies {#sec-programme-further}\n")
        assert "One more study in this report belongs to no phase of the programme." in tables[""]
        plan = home / f"data/plan/{KEY}.toml"
        text = plan.read_text(encoding="utf-8")
        assert '\n# phase = "second"  #' in text
        plan.write_text(text.replace('\n# phase = "second"', '\nphase = "second"'), encoding="utf-8")
        hhp = programme.chapter(root=home)
        assert "**Walks**" in hhp.studies("second") and hhp.further_studies(*told) == ""
    assert "Studies of the first phase" in hhp.further_studies("second")  # what the chapter tells nowhere else


def test_the_chapter_has_every_standard_part(home: Path, tmp_path: Path) -> None:
    enter(home, new_study(home, KEY, kind="cluster trial", data=written(tmp_path, people(clustered=True))))
    text = (home / "report/12-walks.qmd").read_text(encoding="utf-8")
    short = next(entry.short for entry in catalogue(home) if entry.study == KEY)
    for part in (
        "summary",
        "design",
        "participants",
        "balance",
        "outcomes",
        "results",
        "versions",
        "missing",
        "sensitivities",
        "deviations",
        "limits",
        "data",
        "consort",
    ):
        assert f"{{#sec-{short}-{part}}}" in text, part
    assert "trial.each_outcome()" in text and 'trial.table("clusters")' in text


REFUSED = [
    ("swing", "individual trial", "there is a study 'swing' already"),
    ("Swing", "individual trial", "no name for a study"),
    ("first", "individual trial", "phase or subject"),
    ("summary", "individual trial", "a section with the label sec-summary"),
    ("swing_two", "individual trial", "could not be told apart"),
    (KEY, "individual trail", "Did you mean 'individual trial'"),
    (KEY, "cluster trial", "no column of groups"),
]


def test_a_phase_that_does_not_exist_is_refused(home: Path, tmp_path: Path) -> None:
    with pytest.raises(NewStudyRefused, match=r"no phase 'seconds'\. Allowed: first, second\. Did you mean 'second'"):
        new_study(home, KEY, kind="individual trial", data=written(tmp_path, people()), phase="seconds")


@pytest.mark.parametrize(("key", "kind", "words"), REFUSED)
def test_wrong_use_is_refused_and_nothing_written(home: Path, tmp_path: Path, key: str, kind: str, words: str) -> None:
    before = contents(home)
    with pytest.raises(NewStudyRefused, match=words) as raised:
        new_study(home, key, kind=kind, data=written(tmp_path, people()))
    assert raised.value.exit_status == 2 and contents(home) == before


def test_files_that_cannot_be_a_trial_are_refused(home: Path, tmp_path: Path) -> None:
    with pytest.raises(NewStudyRefused, match="does not exist"):
        new_study(home, KEY, kind="individual trial", data=tmp_path / "nothing.csv")
    (home / "report/12-walks.qmd").write_text("mine\n", encoding="utf-8")
    with pytest.raises(NewStudyRefused, match=r"12-walks\.qmd exists|13-walks"):
        enter(home, new_study(home, KEY, kind="individual trial", data=written(tmp_path, people())))
        raise NewStudyRefused((home / "report").joinpath("13-walks.qmd").name)  # the next free number is taken
    for name, content, words in (
        ("a.txt", "arm,x\n1,2\n", "no table that can be read"),
        ("b.csv", "arm,x\n", "headings in the first row"),
        ("c.csv", "x,y\n1,2\n3,4\n", "no column that could be the arm"),
        ("d.csv", "arm,x,x\na,1,2\nb,1,2\n", "two columns with one heading"),
        ("e.xlsx", "no workbook", "e.xlsx"),
        ("h.csv", "arm,x\na,long\nb,short\nb,middling\n", "no column of numbers, nor one of two values"),
        ("g.csv", "arm,e-mail\na,x@example.invalid\nb,y@example.invalid\n", "speak of persons"),
    ):
        (tmp_path / name).write_text(content, encoding="utf-8")
        with pytest.raises(TableRefused, match=words) as raised:
            guess_table(tmp_path / name, clustered=False)
        assert raised.value.exit_status == 2
    book = openpyxl.Workbook()
    book.save(tmp_path / "f.xlsx")
    with pytest.raises(TableRefused):
        guess_table(tmp_path / "f.xlsx", clustered=False)


def test_the_command(home: Path, tmp_path: Path) -> None:
    def hhp(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "hhp_stats", *words],
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
            env={"PYTHONPATH": str(ROOT), "COLUMNS": "300", "PATH": ""},
        )

    table = written(tmp_path, people())
    wrong = hhp("new", "swing", "--kind", "individual trial", "--data", str(table))
    assert wrong.returncode == 2 and "already" in wrong.stderr and "Traceback" not in wrong.stderr
    done = hhp("new", KEY, "--kind", "individual trial", "--data", str(table))
    assert done.returncode == 0 and f"wrote  data/plan/{KEY}.toml" in done.stdout and f"hhp remove {KEY}" in done.stdout
    stopped = hhp("results")
    assert stopped.returncode == 1 and "nobody has confirmed" in stopped.stderr


CALL = re.compile(r'(?<!_)(trial|parts)\.(\w+)\((?:"([^"]+)")?\)')


@pytest.mark.parametrize(("kind", "clustered"), [("individual trial", False), ("cluster trial", True)])
def test_from_the_table_to_every_cell_of_the_chapter(
    home: Path, tmp_path: Path, monkeypatch, kind: str, clustered: bool
) -> None:
    """What a statistician does: confirm the guesses, run the study, render the chapter; no Python is written."""
    key = tmp_path / "key"
    write_key(key)
    monkeypatch.setenv(KEY_VARIABLE, str(key))
    frame = people(clustered)
    enter(home, new_study(home, KEY, kind=kind, data=written(tmp_path, frame)))
    for path in (home / "data/plan").glob(f"{KEY}.*"):
        path.write_text(path.read_text(encoding="utf-8").replace(f" {TO_CONFIRM}", ""), encoding="utf-8")
    assert check_returns(home, root=home, study=KEY).ok
    output = run_study(home, KEY)
    output.write(home)
    rows = output.results.set_index("result_id")
    known = pd.to_numeric(frame["steps.12m"], errors="coerce").notna()
    planned = next(
        row
        for name, row in rows.iterrows()
        if row["analysis"] == "planned" and str(name).startswith(f"{KEY}/steps/itt/")
    )
    assert planned["n"] == known.sum()
    assert planned["n_clusters"] == 12 if clustered else pd.isna(planned["n_clusters"])
    text = (home / "report/12-walks.qmd").read_text(encoding="utf-8")
    chapter = field_trials.chapter(KEY, root=home)
    parts = standard_parts.parts(KEY, root=home)
    owners = {"trial": chapter, "parts": parts}
    made = {
        (name, argument): getattr(owners[owner], name)(*([argument] if argument else []))
        for owner, name, argument in set(CALL.findall(text))
    }
    assert len(made) > 20 and all(str(one) for one in made.values())
    assert made["each_outcome", ""].count("{#sec-wal-results-steps") == 2  # after six months, and after twelve
    assert "12-walks.qmd" not in made["consort", ""] and "sec-wal-missing" in made["consort", ""]
    assert ("Cluster 3a" in made["consort", ""]) == clustered
    assert f"data/tables/{KEY}.csv (120 rows)" in made["provenance", ""]
    assert parts.design().startswith(f"In all, {'12 surgeries with ' if clustered else ''}120 people")
    assert parts.deviations().startswith("Every planned analysis was run as the plan says.")
    lost = f"{100 * (1 - known.mean()):.1f}%"
    assert f"not known for {lost} of those randomised" in parts.limits()
    assert ("Only 12 surgeries were randomised" in parts.limits()) == clustered


def test_an_outcome_of_two_words_needs_no_recoding(home: Path, tmp_path: Path, monkeypatch) -> None:
    """Good or poor at three visits: the guess says which word is one, and waits to be confirmed."""
    key = tmp_path / "key"
    write_key(key)
    monkeypatch.setenv(KEY_VARIABLE, str(key))
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"Patient No": range(120), "arm": np.where(np.arange(120) % 2, "drug", "placebo")})
    frame["sex"] = rng.choice(["female", "male"], 120)
    for visit, share in (("pre", 0.4), ("1m", 0.5), ("2m", 0.6)):
        frame[f"status_{visit}"] = np.where(rng.random(120) < share, "poor", "good")
    frame.loc[::9, "status_2m"] = ""
    enter(home, new_study(home, KEY, kind="individual trial", data=written(tmp_path, frame)))
    plan, dictionary = (home / f"data/plan/{KEY}.{ending}" for ending in ("toml", "dictionary.csv"))
    assert f'kind = "binary"  # one stands for "poor", as in the dictionary {TO_CONFIRM}' in plan.read_text("utf-8")
    assert "status_2m" in dictionary.read_text("utf-8") and "sex,sex" in dictionary.read_text("utf-8")
    assert dictionary.read_text("utf-8").count(",0/1,,,,good|poor,") == 3
    for path in (plan, dictionary):
        text = path.read_text("utf-8").replace(f" {TO_CONFIRM}", "").replace("good|poor", "poor|good")
        path.write_text(text, encoding="utf-8")
    assert check_returns(home, root=home, study=KEY).ok
    output = run_study(home, KEY)
    output.write(home)
    assert "poor (0), good (1)" in field_trials.chapter(KEY, root=home).table("measures").as_raw_html()
    rows = output.results.set_index("result_id")
    good = frame["status_2m"].map({"good": 1.0, "poor": 0.0})
    for arm, value in (("control", "placebo"), ("treatment", "drug")):
        wanted = good[frame["arm"] == value].mean()
        assert rows.loc[f"{KEY}/status/mean_{arm}/raw", "estimate"] == pytest.approx(wanted, abs=1e-12)


def test_what_is_removed_and_tables_of_people_leave_in_no_bundle() -> None:
    said = {
        name: named(name, REVIEW)
        for name in (
            "data/plan/walks.toml",
            "data/plan/walks.dictionary.csv",
            "data/tables/walks.csv",
            "data/.removed/walks/own/data/plan/walks.toml",
            "data/.removed/walks/own/data/tables/walks.csv",
        )
    }
    assert [name for name, goes in said.items() if goes] == ["data/plan/walks.toml", "data/plan/walks.dictionary.csv"]
