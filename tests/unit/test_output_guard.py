"""Nothing is lost: every path that a command may be given, and everything that may lie there."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hhp_stats.cli import app
from hhp_stats.files import protected_places, rendering_marker
from hhp_stats.files.output_guard import OutputGuard, OutputRefused
from hhp_stats.files.replaced_folder import replaced
from hhp_stats.files.unfinished import NOTES, mend, noted, put_right
from hhp_stats.publish.document import DOCUMENT_NAME
from hhp_stats.publish.site import TABLES_NAME

ROOT = Path(__file__).resolve().parents[2]
runner = CliRunner()
# What stands before the path in each command that is given one.
COMMANDS = {
    "render": ("render", "--format", "html", "--output"),
    "bundle": ("bundle",),
    "randomise": ("randomise", "--seed", "1", "--to"),
    "template": ("template", "goal_setting", "Kent", "--to"),
    "check": ("check", "--write-back"),
}
INTO = ("template", "check")  # these write files into the folder they are given


def snapshot(folder: Path) -> dict[str, object]:
    """Everything below `folder`: contents, where links lead, and empty folders."""
    return {
        path.relative_to(folder).as_posix(): str(path.readlink())
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in a repository, a home folder, another repository, folders of all kinds, and links to them."""
    project = tmp_path / "home/project"
    project.mkdir(parents=True)
    shutil.copytree(ROOT / "data/plan", project / "data/plan")
    (project / "data/returns").mkdir()
    for name in ("dictionary.csv", "spellings.csv"):
        shutil.copy(ROOT / "data" / name, project / "data" / name)
    for name in (
        "_quarto.yml",
        "report/one.qmd",
        "engine/deep/tool.py",
        ".git/config",
        ".report/results/results.csv",
        "data/returns/kent.csv",
    ):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("words\n", encoding="utf-8")
    (tmp_path / "elsewhere/kept").mkdir(parents=True)
    (tmp_path / "elsewhere/kept/letter.txt").write_text("dear\n", encoding="utf-8")
    (project / "data/more").symlink_to(tmp_path / "elsewhere/kept")  # data that lie elsewhere
    (tmp_path / "repository/.git").mkdir(parents=True)
    for name in ("HEAD", "objects/a", "refs/b"):
        (tmp_path / "bare.git" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "bare.git" / name).write_text("x", encoding="utf-8")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("years of work\n", encoding="utf-8")
    (tmp_path / "file").write_text("a file\n", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    for name, leads in {
        "to_data": project / "data",
        "to_sources": project / "report",
        "to_home": tmp_path / "home",
        "to_root": Path("/"),
        "to_repository": tmp_path / "repository",
        "to_project": project,
        "to_mine": tmp_path / "mine",
        "to_link": tmp_path / "to_data",
        "circle": tmp_path / "circle",
    }.items():
        (tmp_path / name).symlink_to(leads)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(project)
    return tmp_path


NEVER = (  # by every command
    "data",
    "data/plan",
    "data/new",
    "./data/",
    "report/../data",
    "report",
    "report/new",
    "engine",
    "engine/deep/new",
    ".git",
    ".git/new",
    ".report",
    ".report/results",
    ".report/new",
    "../../to_data",
    "../../to_data/new",
    "../../to_sources",
    "../../to_sources/new",
    "../../to_project/data",
    "../../to_project/engine/x/y",
    "../../to_link",
    "../../to_link/new",
    "data/more",
    "data/more/new",
    "../../elsewhere/kept",
    "../../elsewhere/kept/new",
    "/",
    "../../to_root",
    "../../file",
    "../../file/new",
    "../../circle",
    "../../circle/new",
    "../../bare.git/new",
    "../../repository/.git/new",
    "_quarto.yml",
)
NOT_REPLACED = (  # by a command that replaces the folder, or writes a file of this name
    ".",
    "",
    "..",
    "../..",
    "../../to_home",
    "../../to_project",
    "../../repository",
    "../../to_repository",
    "../../bare.git",
    "../../mine",
    "../../to_mine",
    "../../empty",
    "/tmp",
    "/etc",
    "/proc",
    "/home",
)


@pytest.mark.parametrize("path", NEVER)
def test_what_nobody_may_write_to_is_refused_and_untouched(world: Path, path: str) -> None:
    before = snapshot(world)
    for words in COMMANDS.values():
        shown = runner.invoke(app, [*words, path])
        assert shown.exit_code == 2 and "is left as it is: " in shown.output, (words, shown.output, shown.exception)
    assert snapshot(world) == before


@pytest.mark.parametrize("path", NOT_REPLACED)
def test_folders_that_no_command_made_are_never_replaced(world: Path, path: str) -> None:
    before = snapshot(world)
    for name in (name for name in COMMANDS if name not in INTO):
        for force in ([], ["--force", path]) if name != "randomise" else ([],):
            shown = runner.invoke(app, [*COMMANDS[name], path, *force])
            assert shown.exit_code == 2 and "is left as it is: " in shown.output, (name, shown.output, shown.exception)
    assert snapshot(world) == before


@pytest.mark.parametrize("command", ["bundle", "randomise"])
def test_a_file_that_the_command_did_not_write_is_refused_and_named(world: Path, command: str) -> None:
    before = snapshot(world)
    shown = runner.invoke(app, [*COMMANDS[command], "../../mine/thesis.txt"])
    assert shown.exit_code == 2 and "thesis.txt is left as it is" in shown.output
    assert ("never overwritten" if command == "randomise" else "--force ../../mine/thesis.txt") in shown.output
    assert snapshot(world) == before


# ------------------------------------------------------------------ renderings
def rendering(folder: Path, root: Path) -> Path:
    (folder / "assets").mkdir(parents=True)
    for name in ("index.html", "results.csv", "assets/site.js"):
        (folder / name).write_text(f"of the rendering {name}\n", encoding="utf-8")
    rendering_marker.mark(folder, rendering_marker.place_of(folder, root))
    return folder


def copied(source: Path, target: Path) -> Path:
    return Path(shutil.copytree(source, target, symlinks=True))


def add(name: str) -> Callable[[Path], Path]:
    def change(folder: Path) -> Path:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("mine\n", encoding="utf-8")
        return folder

    return change


def link(folder: Path) -> Path:
    (folder / "assets/link").symlink_to(folder.parent)
    return folder


def only_marker(folder: Path) -> Path:
    other = folder.with_name("other")
    other.mkdir()
    shutil.copy(folder / rendering_marker.MARKER, other)
    (other / "notes.txt").write_text("mine\n", encoding="utf-8")
    shutil.rmtree(folder)
    return other.rename(folder)


def same_names(folder: Path) -> Path:
    for path in folder.rglob("*"):
        if path.is_file() and path.name != rendering_marker.MARKER:
            path.write_text("mine\n", encoding="utf-8")
    return folder


def damaged_marker(folder: Path) -> Path:
    (folder / rendering_marker.MARKER).write_text("{", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (add("notes.txt"), "it holds notes.txt"),
        (add("assets/deep/a.csv"), "it holds assets/deep"),
        (link, "it holds assets/link"),
        (only_marker, "it holds notes.txt"),
        (same_names, "most of its files"),
        (damaged_marker, "does not carry the marker"),
        (lambda folder: folder.rename(folder.with_name("kept")), "renamed, moved or copied"),
        (lambda folder: copied(folder, folder.with_name("copy")), "renamed, moved or copied"),
    ],
)
def test_a_rendering_with_anything_else_in_it_is_refused(world: Path, change, said: str) -> None:
    project = Path.cwd()
    folder = change(rendering(project / "_output", project))
    before = snapshot(world)
    for force in ([], ["--force", str(folder)]) if "marker" not in said else ([],):
        shown = runner.invoke(app, ["render", "--output", str(folder), *force])
        assert shown.exit_code == 2 and said in shown.output, shown.output
        assert snapshot(world) == before


@pytest.mark.parametrize("spelt", ["_output", "report/../_output", "_output/", "../../to_project/_output", "linked"])
def test_an_earlier_rendering_is_replaced_however_it_is_spelt(world: Path, spelt: str) -> None:
    project = Path.cwd()
    rendering(project / "_output", project)
    (project / "linked").symlink_to("_output")
    (project / "_output/.DS_Store").write_bytes(b"x")  # a file manager looked at it
    guard = OutputGuard(root=project, command="hhp render")
    with replaced(Path(spelt), guard) as building:
        (building / "index.html").write_text("new", encoding="utf-8")
        assert (project / "_output/index.html").read_text(encoding="utf-8") == "of the rendering index.html\n"
    assert {path.name for path in (project / "_output").iterdir()} == {"index.html", rendering_marker.MARKER}
    assert not list(project.glob("._output*")) and (project / "linked").is_symlink()
    assert guard.folder(Path(spelt)) == project / "_output"


def test_a_project_that_was_moved_keeps_its_rendering(world: Path) -> None:
    project = Path.cwd()
    rendering(project / "_output", project)
    moved = project.rename(world / "moved")
    assert OutputGuard(root=moved, command="hhp render").folder(moved / "_output") == moved / "_output"


def test_a_file_put_in_while_the_report_is_rendered_stays(world: Path) -> None:
    project = Path.cwd()
    before = snapshot(rendering(project / "_output", project))
    guard = OutputGuard(root=project, command="hhp render")
    with pytest.raises(OutputRefused, match=r"it holds late\.txt"), replaced(project / "_output", guard) as building:
        (building / "index.html").write_text("new", encoding="utf-8")
        (project / "_output/late.txt").write_text("mine\n", encoding="utf-8")
    assert snapshot(project / "_output") == before | {"late.txt": b"mine\n"}
    assert not list(project.glob("._output*"))


def test_a_report_without_marker_is_replaced_when_named_or_noted(world: Path) -> None:
    project = Path.cwd()
    folder = rendering(project / "_output", project)
    (folder / rendering_marker.MARKER).unlink()
    with pytest.raises(OutputRefused, match=r"delete it yourself or run `hhp render --force _output`"):
        OutputGuard(root=project, command="hhp render").folder(Path("_output"))
    forced = OutputGuard(root=project, command="hhp render", force=(Path("_output"),))
    assert forced.folder(Path("_output")) == folder
    for name in ("thesis.docx", "figures.xlsx", "assets/report.docx"):  # of kinds that a rendering writes too
        add(name)(folder)
        with pytest.raises(OutputRefused):
            forced.folder(Path("_output"))
        (folder / name).unlink()
    for name in (DOCUMENT_NAME, TABLES_NAME):
        add(name)(folder)
        assert forced.folder(Path("_output")) == folder
    with replaced(Path("_output"), forced) as building:
        (building / "index.html").write_text("new", encoding="utf-8")
    assert (folder / "index.html").read_text(encoding="utf-8") == "new" and not list(project.glob("._output*"))


# ------------------------------------------------------------------ after a kill
@pytest.fixture
def dead() -> int:
    """A number that no process has: beyond the greatest of Linux."""
    return 2**22 + 1


def test_what_a_killed_rendering_left_is_put_right_and_nothing_else(world: Path, dead: int) -> None:
    project = Path.cwd()
    rendering(project / "_output", project).rename(project / f"._output.old-{dead}")
    half = project / f"._output.new-{dead}"
    half.mkdir()
    rendering_marker.begin(half)
    (half / "index.html").write_text("half", encoding="utf-8")
    (project / f"._output.new-{dead + 1}").mkdir()
    other = add("thesis.txt")(project / f"._output.old-{dead + 2}")
    mend(project / "_output")
    assert (project / "_output/index.html").read_text(encoding="utf-8") == "of the rendering index.html\n"
    assert [path.name for path in project.glob("._output*")] == [other.name]  # not ours: no marker
    assert (other / "thesis.txt").read_text(encoding="utf-8") == "mine\n"


def test_unfinished_files_of_a_dead_process_go_those_of_a_living_one_stay(world: Path) -> None:
    project = Path.cwd()
    partial = world / "mine/.a.zip.7.partial"
    with noted(project, partial, kind="partial"):
        partial.write_bytes(b"half")
        put_right(project)
        assert partial.exists()  # it is being written
        notes = {path: path.read_bytes() for path in (project / NOTES).iterdir()}
    for path, content in notes.items():  # as if the process had been killed there
        path.write_bytes(content)
    (project / NOTES / "1-1.json").write_bytes(b"{")  # killed while it noted
    put_right(project)
    assert not partial.exists() and [path.name for path in (world / "mine").iterdir()] == ["thesis.txt"]
    (project / NOTES / "1-2.json").write_text(
        f'{{"kind": "partial", "place": "{world}/mine/thesis.txt"}}', encoding="utf-8"
    )
    put_right(project)
    assert (world / "mine/thesis.txt").exists()  # only hidden partial files are ours


# ------------------------------------------------------------------ files
def test_a_file_is_overwritten_only_as_the_command_left_it(world: Path) -> None:
    project, target = Path.cwd(), world / "out/review.zip"
    guard = OutputGuard(root=project, command="hhp bundle")
    for content in (b"one", b"two"):
        with guard.written(target) as partial:
            partial.write_bytes(content)
        assert target.read_bytes() == content
    with pytest.raises(OutputRefused, match="only if `hhp template` wrote it"):
        OutputGuard(root=project, command="hhp template").file(target)
    copy = Path(shutil.copy(target, target.with_name("kept.zip")))
    with pytest.raises(OutputRefused):
        guard.file(copy)
    target.write_bytes(b"two, with notes of mine")
    with pytest.raises(OutputRefused, match=f"--force {target}"), guard.written(target):
        pytest.fail("nothing may be written")
    forced = OutputGuard(root=project, command="hhp bundle", force=(target,))
    with forced.written(target) as partial:
        partial.write_bytes(b"three")
    assert target.read_bytes() == b"three"
    with pytest.raises(OutputRefused), guard.written(target) as partial:  # changed while it was made
        partial.write_bytes(b"four")
        target.write_bytes(b"mine")
    assert target.read_bytes() == b"mine"
    assert sorted(path.name for path in target.parent.iterdir()) == ["kept.zip", "review.zip"]


def test_force_never_reaches_sources_data_or_what_is_no_file(world: Path) -> None:
    project = Path.cwd()
    for path in ("data/dictionary.csv", "report/one.qmd", ".git/config", "../../to_data/dictionary.csv", "/dev/null"):
        with pytest.raises(OutputRefused):
            OutputGuard(root=project, command="hhp bundle", force=(Path(path),)).file(Path(path))


def test_links_are_followed_and_stay(world: Path) -> None:
    project = Path.cwd()
    (world / "shown.zip").symlink_to("real.zip")
    guard = OutputGuard(root=project, command="hhp bundle")
    with guard.written(world / "shown.zip") as partial:
        partial.write_bytes(b"1")
    assert (world / "shown.zip").is_symlink() and (world / "real.zip").read_bytes() == b"1"
    assert guard.file(world / "shown.zip") == guard.file(world / "real.zip")


def test_a_template_that_was_filled_in_is_never_written_over(world: Path) -> None:
    words = [*COMMANDS["template"], "out"]
    assert runner.invoke(app, words).exit_code == 0
    (book,) = Path("out").iterdir()
    assert runner.invoke(app, words).exit_code == 0  # as it was written
    book.write_bytes(book.read_bytes() + b"filled in")
    before = book.read_bytes()
    shown = runner.invoke(app, words)
    assert shown.exit_code == 2 and f"--force {book}" in shown.output
    assert book.read_bytes() == before
    assert runner.invoke(app, [*words, "--force", str(book)]).exit_code == 0
    assert book.read_bytes() != before


def test_places_that_are_mounted_or_spelt_otherwise_are_the_same(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Path.cwd()
    mounted = world / "mounted"
    mounted.mkdir()
    monkeypatch.setattr(protected_places.os.path, "ismount", lambda path: Path(path) == mounted)
    with pytest.raises(OutputRefused, match="root of a file system"):
        OutputGuard(root=project, command="hhp render").folder(mounted)
    # A disk without capitals, or a folder mounted twice: another name, the same folder.
    real = Path.samefile
    monkeypatch.setattr(Path, "samefile", lambda one, other: real(Path(str(one).replace("DATA", "data")), other))
    with pytest.raises(OutputRefused, match="lies in the data"):
        OutputGuard(root=project, command="hhp render").folder(Path("DATA/new"))


def test_the_project_and_sources_of_another_project_are_no_place_either(world: Path) -> None:
    other = world / "other"
    (other / "data").mkdir(parents=True)
    (other / "_quarto.yml").write_text("", encoding="utf-8")
    for path in (other, other / "data", other / "data/new"):
        with pytest.raises(OutputRefused):
            OutputGuard(root=Path.cwd(), command="hhp render").folder(path)
    assert OutputGuard(root=Path.cwd(), command="hhp render").folder(other / "_output") == other / "_output"


def test_the_messages_name_path_rule_and_remedy(world: Path) -> None:
    shown = runner.invoke(app, ["render", "--output", "report"])
    assert re.search(r"report is left as it is: .*sources \(report\)\. Name another folder", shown.output)
    assert hashlib.sha256(Path("report/one.qmd").read_bytes()).hexdigest() == hashlib.sha256(b"words\n").hexdigest()
    assert not os.path.lexists("_output")
