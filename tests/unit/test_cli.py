"""The command line: help with an example for each command, exit status, JSON for programs, no tracebacks."""

import json
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from hhp_stats.cli import app
from hhp_stats.plan.catalogue import KINDS

COMMANDS = (
    "check",
    "template",
    "correct",
    "key",
    "power",
    "randomise",
    "start-real",
    "results",
    "synthesise",
    "render",
    "explain",
    "lint",
    "audit",
    "release",
    "changes",
    "bundle",
    "preview",
)
runner = CliRunner()


CORRECTION = (
    *("correct", "--dry-run", "--staff-id", "KEN-0084", "--wave", "endline", "--authority", "Kent"),
    *("--reason", "typing", "--requested-by", "HR", "--received-on", "2020-04-20"),
)


def run(*words):
    return runner.invoke(app, list(words))


def hhp(folder, *words):
    return subprocess.run([sys.executable, "-m", "hhp_stats", *words], cwd=folder, capture_output=True, text=True)


def test_every_command_is_listed_here():
    assert {command.name or command.callback.__name__ for command in app.registered_commands} >= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_words_and_an_example(command):
    shown = run(command, "--help")
    assert shown.exit_code == 0 and f"hhp {command}" in shown.output and "Example" in shown.output


def test_hhp_new_offers_every_kind():
    said = " ".join(run("new", "--help").output.replace("\u2502", " ").split())
    assert f"{', '.join(KINDS[:-1])} or {KINDS[-1]}" in said


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("power",),
        ("power", "--people", "many"),
        ("explain",),
        ("render", "--engine", "word"),
        ("render", "--format", "epub"),
        ("check", "no/such/file.xlsx"),
        ("explain", "nonsense"),
        ("audit", "no/such/file.csv"),
        ("audit", "no/such/file.docx"),
        ("power", "--people", "10", "--cluster-size", "20"),
        ("power", "--people", "100", "--cluster-size", "40"),
        ("power", "--people", "8", "--attrition", ".9"),
        ("changes", "nonsense"),
        ("changes", "1999-01-01"),
        ("release", "--date", "soon"),
        (*CORRECTION, "--set", "left=yes", "--wave", "spring"),
        (*CORRECTION, "--set", "left=yes", "--authority", "Nowhere"),
        (*CORRECTION, "--set", "left=yes", "--received-on", "20/04/2020"),
        (*CORRECTION, "--set", "height=4"),
        ("start-real", "nonsense"),
        ("start-real", "swing", "--undo", "--confirm", "arms.control"),
        ("start-real", "swing", "--source", "a record"),
        ("start-real", "swing", "--confirm", "arms.control", "--on", "soon"),
    ],
)
def test_wrong_use_ends_with_two(words, root, monkeypatch):
    monkeypatch.chdir(root)
    monkeypatch.setattr("hhp_stats.cli.releases.run_all_studies", lambda *args, **how: pytest.fail("ran the studies"))
    assert run(*words).exit_code == 2


def test_the_version_is_that_of_the_package():
    from importlib.metadata import version

    shown = run("--version")
    assert shown.exit_code == 0 and shown.output.split() == ["hhp_stats", version("hhp_stats")]


def test_a_port_in_use_is_named_with_what_to_do(root, monkeypatch):
    import socket

    from hhp_stats.publish.preview_server import PortTaken, check_port

    monkeypatch.chdir(root)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Port {port} is in use") as refused:
            check_port(port)
        assert refused.value.exit_status == run("preview", "--port", str(port)).exit_code == 2
    check_port(port)


def test_outside_a_project_the_error_is_one_sentence(tmp_path):
    done = hhp(tmp_path, "results")
    assert done.returncode == 1 and "_quarto.yml" in done.stderr and "Traceback" not in done.stderr


def test_power_gives_the_protocols_number():
    shown = run(
        "power",
        "--people",
        "1850",
        "--attrition",
        ".1",
        "--icc",
        ".1",
        "--cluster-size",
        "7",
        "--cv",
        ".5",
        "--correlation",
        ".6",
        "--json",
    )
    record = json.loads(shown.output)
    assert record["detectable_sd"] == pytest.approx(
        0.1464, abs=5e-5
    )  # printed as .15; recomputed to four digits elsewhere
    assert record["people"] == pytest.approx(1665)


def test_power_of_a_proportion_has_two_directions():
    shown = run(
        "power",
        "--people",
        "1850",
        "--attrition",
        ".1",
        "--icc",
        ".1",
        "--cluster-size",
        "7",
        "--cv",
        ".5",
        "--correlation",
        ".4",
        "--baseline",
        ".076",
        "--json",
    )
    record = json.loads(shown.output)
    assert record["fall_to"] == pytest.approx(0.0374, abs=5e-5) and record["rise_to"] == pytest.approx(0.1264, abs=5e-5)


def test_power_says_which_direction_no_trial_could_see():
    words = ("power", "--people", "60", "--cluster-size", "4", "--baseline", ".02", "--simulated", "100")
    shown = run(*words)
    assert shown.exit_code == 0 and "Detectable fall, to                              none" in shown.output
    record = json.loads(run(*words, "--json").output)
    assert record["fall_to"] is None and record["rise_to"] > 0.02
    assert "simulated_rise" in record and "simulated_fall" not in record
    neither = run("power", "--people", "4", "--baseline", ".5")
    assert neither.exit_code == 2


def test_power_of_few_teams_is_by_students_t_too():
    record = json.loads(run("power", "--people", "100", "--cluster-size", "25", "--icc", ".05", "--json").output)
    assert record["detectable_sd_t"] > 2 * record["detectable_sd"]  # two teams an arm


def test_randomise_repeats_the_allocation_on_file_and_never_overwrites(root, tmp_path, monkeypatch):
    monkeypatch.chdir(root)
    target = tmp_path / "allocation.csv"
    seed = re.search(
        r"allocation_seed = \{ value = (\d+)", (root / "data/plan/synthetic_goal_setting.toml").read_text()
    )[1]
    assert run("randomise", "--seed", seed, "--to", str(target)).exit_code == 0
    made = [line.split(",") for line in target.read_text().splitlines()]
    filed = [line.split(",") for line in (root / "data/allocation/goal_setting.csv").read_text().splitlines()]
    assert [line[:4] for line in made] == [line[:4] for line in filed] and made[0] == filed[0]
    assert run("randomise", "--seed", seed, "--to", str(target)).exit_code == 2


def test_check_lists_a_damage_with_its_cell_and_ends_with_one(project, monkeypatch):
    from openpyxl import load_workbook

    monkeypatch.chdir(project)
    path = project / "data/returns/goal_setting/bromley/endline.xlsx"
    book = load_workbook(path)
    sheet = book["Return"]
    top = next(row for row in range(1, 12) if sheet.cell(row, 1).value == "Unique Staff ID")
    column = next(cell.column for cell in sheet[top] if cell.value and "Illness related absence" in str(cell.value))
    sheet.cell(top + 3, column).value = -2
    book.save(path)
    shown = run("check", "--json", "--write-back", str(project / "back"))
    found = json.loads(shown.stdout)
    assert shown.exit_code == 1 and not found["ok"]
    assert any(sheet.cell(top + 3, column).coordinate in problem["cell"] for problem in found["problems"])
    assert list((project / "back").rglob("*.xlsx"))


def test_a_raw_file_that_is_no_return_is_checked_with_its_study(root, monkeypatch):
    monkeypatch.chdir(root)
    shown = run("check", "data/surveys/mod_ing/endline.csv", "--json")
    found = json.loads(shown.stdout)
    assert shown.exit_code == 0 and found["problems"]
    assert {each["file"] for each in found["problems"]} == {"data/surveys/mod_ing/endline.csv"}


def test_template_writes_a_workbook(root, tmp_path, monkeypatch):
    monkeypatch.chdir(root)
    shown = run("template", "goal_setting", "Kent", "--wave", "baseline", "--to", str(tmp_path))
    assert shown.exit_code == 0 and list(tmp_path.glob("*.xlsx"))


def test_correct_refuses_what_does_not_fit_and_leaves_the_ledger(project):
    before = (project / "data/corrections.csv").read_bytes()
    done = hhp(
        project,
        "correct",
        "--wave",
        "endline",
        "--authority",
        "Kent",
        "--staff-id",
        "KEN-9999",
        "--field",
        "illness_days",
        "--old",
        "3",
        "--new",
        "5",
        "--reason",
        "typing",
        "--requested-by",
        "office",
        "--received-on",
        "2020-04-20",
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert (project / "data/corrections.csv").read_bytes() == before


def test_what_stands_in_a_cell_or_a_file_name_is_never_markup(project, monkeypatch):
    import openpyxl

    path = project / "baseline [b] Kent.xlsx"
    book = openpyxl.load_workbook(project / "data/returns/goal_setting/kent/baseline.xlsx")
    book["Return"]["C9"] = "[/sick]"
    book.save(path)
    monkeypatch.chdir(project)
    shown = run("check", str(path))
    assert shown.exit_code == 1 and "[/sick]" in shown.output and "[b]" in shown.output
    assert json.loads(run("check", str(path), "--json").output)["problems"][0]["value"] == "“[/sick]”"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("check", "--study", "tea"), "goal_setting"),
        (("check", "data/returns/goal_setting/kent", "--study", "swing"), "hhp check swing"),
        (("check", "data/surveys/swing/endline.csv", "--study", "letters"), "belongs to the study swing"),
        (("check", "hhp_stats/plan"), "no workbook and no table"),
        (("template", "tea", "Kent"), "goal_setting"),
        (("template", "goal_setting", "Atlantis"), "Bromley"),
        (("template", "goal_setting", "Kent", "--wave", "May"), "interim"),
        (("template", "goal_setting", "Kent", "--to", "_quarto.yml"), "a file"),
        (("check", "--write-back", "_quarto.yml"), "a file"),
        (("check", "--write-back", "data/returns/back"), "never written below data/"),
    ],
)
def test_wrong_use_says_what_is_right(root, monkeypatch, words, said):
    monkeypatch.chdir(root)
    shown = run(*words)
    assert shown.exit_code == 2 and said in " ".join(re.sub("[│╭╮╰╯─]", " ", shown.output).split())


def test_a_folder_of_mixed_files_is_looked_at_as_a_whole(project, monkeypatch):
    folder = project / "received"
    folder.mkdir()
    source = project / "data/returns/goal_setting/kent"
    for name in ("baseline.xlsx", "endline.xlsx"):
        (folder / name).write_bytes((source / name).read_bytes())
    (folder / "Kent baseline again.xlsx").write_bytes((source / "baseline.xlsx").read_bytes())
    (folder / "figures of Kent.xlsx").write_bytes((source / "interim.xlsx").read_bytes())
    (folder / "endline of Kent.pdf").write_bytes(b"%PDF-1.4")
    (folder / "baseline-to-correct.xlsx").write_bytes(b"a copy that went back")
    monkeypatch.chdir(project)
    found = json.loads(run("check", str(folder), "--json").output)
    assert len(found["inputs"]) == 5  # neither the copy nor anything else is read as a return of its own
    assert {"F01", "F18"} <= {each["code"] for each in found["problems"]}
    waves = {each["path"]: each["wave"] for each in found["inputs"]}
    assert waves["figures of Kent.xlsx"] in ("interim", "endline")  # told by its headings


def test_a_folder_that_cannot_be_written_is_one_sentence(project):
    (project / "taken").write_text("a file", encoding="utf-8")
    book = project / "data/returns/goal_setting/kent/baseline.xlsx"
    book.write_bytes(b"no workbook")
    done = hhp(project, "check", "--write-back", "taken/deeper")
    assert (
        done.returncode == 2
        and "Traceback" not in done.stderr
        and "taken is a file, not a folder" in " ".join(done.stderr.split())
    )


def test_of_the_whole_project_the_chapters_that_plans_name_are_checked_too(root, project):
    for page in [*root.glob("*.qmd"), *root.glob("report/*.qmd")]:
        (project / page.relative_to(root)).parent.mkdir(exist_ok=True)
        (project / page.relative_to(root)).write_bytes(page.read_bytes())
    plan = project / "data/plan/swing.toml"
    text = plan.read_text(encoding="utf-8")
    assert text.count('"report/06-swing.qmd"') == 1
    plan.write_text(text.replace("report/06-swing.qmd", "report/06-swings.qmd"), encoding="utf-8")
    done = hhp(project, "check")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    said = " ".join(done.stderr.split())
    assert "swing.toml" in said and "06-swings.qmd" in said and "_quarto.yml does not list" in said
    assert "24 returns" in done.stdout  # the raw files were checked all the same
